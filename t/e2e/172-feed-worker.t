# The feed with a worker behind it: a warmed query costs its first reader no
# call, prefetch keeps ahead of who scrolls, and no picture comes twice once
# its thumbnail is known.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Worker;

my $redis = PrivateRedis->new;
my $db = Postgres->new;
my $stack = Stack->new(Feed::options(redis => $redis->address));
my ($thumbs) = $stack->{sandbox} =~ m{//(.*)};

my @workers = map { Worker->new('feed', {
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo },
    egress   => { socket => "$stack->{home}/egress.sock" },
    warm     => { query => 'sofa', every => '1h' },
    hash     => { user_agent => 'Atelier test', allow_address => $thumbs,
                  per_host => 8, scan => '1s' },
}) } 1, 2;
$_->ready for @workers;

sub snapshots {
    return map { /(\w{16})/ } @{ $redis->ask('KEYS', 'atelier:snap:*:meta') };
}

# Nothing is left to do: no job, no snapshot in the queue, none unknown.
sub quiet {
    Worker::until_true('the workers to be through', sub {
        return 0 if $redis->ask('XLEN', 'atelier:feed:jobs')
                    || $redis->ask('EXISTS', 'atelier:feed:hash')
                    || !snapshots();
        return !grep {
            $redis->ask('SCARD', "atelier:snap:$_:stored")
                < $redis->ask('HLEN', "atelier:snap:$_:items")
        } snapshots();
    });
    return;
}

sub metric {
    my ($name) = @_;
    my $sum = 0;
    $sum += $_->metric($name) // 0 for @workers;
    return $sum;
}

quiet();
is(Feed::calls($stack), join(' ', (1) x 7), 'a query is warmed');
is(metric('atelier_feed_fills_total{result="filled"}'), 1, '... by one fill');

my @pages = Feed::walk($stack, '/designs?query=sofa&perPage=40', 20, \&quiet);
is((grep { $_->{status} != 200 } @pages), 0, 'all pages are there');
is((grep { $_->{cache} eq 'MISS' } @pages), 0,
   'no reader waits for a source');
cmp_ok(metric('atelier_feed_fills_total{result="filled"}'), '>', 1,
       '... as it was asked before');

my @ids = map { Feed::ids($_) } @pages;
my %seen;
is((grep { $seen{$_}++ } @ids), 0, 'no design comes twice');
cmp_ok(scalar @ids, '>=', 400, 'they are many');

# Every pair of pictures that were shown, by their hashes.

my %hash;
for my $key (@{ $redis->ask('KEYS', 'atelier:phash:*') }) {
    my $values = $redis->ask('HMGET', $key, @ids);
    for my $i (0 .. $#ids) {
        my $value = $values->[$i] // next;
        next if length $value != 41 || substr($value, 40, 1) ne "\0";
        $hash{ $ids[$i] } = unpack 'Q>', $value;
    }
}
cmp_ok(scalar keys %hash, '>=', 0.9 * @ids, 'nearly all are hashed');
my @same;
my @known = grep { defined $hash{$_} } @ids;
for my $i (0 .. $#known) {
    for my $j (0 .. $i - 1) {
        my $n = unpack '%32b64', pack 'Q', $hash{ $known[$i] }
                                           ^ $hash{ $known[$j] };
        push @same, "$known[$j] $known[$i]" if $n <= 12;
    }
}
is(join("\n", @same), '', 'and no picture');
cmp_ok(metric('atelier_feed_repeats_total{result="dropped"}'), '>', 0,
       '... as repeats were taken out');
my ($mirrored) = grep { $_->{mirrors} } map { @{ $_->{json}{results} } } @pages;
ok($mirrored, 'they are mirrors of what is shown');

is($db->sql('SELECT count(*) >= ' . @ids . ' FROM atelier.design'), 't',
   'all that was shown is in the database');

for my $worker (@workers) {
    $worker->signal('TERM');
    is($worker->ended, 0, 'a worker ends well');
}
$stack->finish;
done_testing();
