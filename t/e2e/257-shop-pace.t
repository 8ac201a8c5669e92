# The pace of a shop as Redis hears of it, by its own clock: of three processes
# none asks before the request of another one is out and a gap has passed since,
# and nothing is asked without leave, be it robots.txt, a page that has moved,
# or one that is tried again.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::UNIX ();
use Shops;
use Test::More;
use Worker;

my $GAP = 100;
my $KEY = 'atelier:pace:ikea.localhost';

my $shops = Shops->new(only => ['ikea'], gap => $GAP);
my $WORD = qr/"[^"]+"/;
my ($redis, $stack) = @$shops{qw(redis stack)};

$stack->control(ikea => { pace => 0, seed => 1 });
my @known = grep { $_->{stock} } $shops->known('ikea');
my @ids = $shops->seed('ikea', @known[0 .. 11]);
$shops->put($_, { page => 'moved' }) for @ids[0 .. 2];

my $monitor = IO::Socket::UNIX->new(Peer => $redis->address =~ s/^unix://r)
    or die "connect: $!";
print {$monitor} "MONITOR\r\n";
$monitor->flush;
<$monitor> =~ /OK/ or die 'MONITOR';

$stack->control(ikea => { pace => 0, seed => 1, mode => 'status',
                          status => 500, times => 2, on => 'product' });
my @workers = map { Worker->new('prices', $shops->price_settings) } 1 .. 3;
$_->ready for @workers;

# All of them twice, the second time with conditions.

for my $checks (1, 2) {
    $shops->due(@ids);
    Worker::until_true("$checks looks at each", sub {
        return !grep { $shops->row(
            "c.checks < $checks OR c.lease_until IS NOT NULL", $_) eq 't' }
            @ids });
}
$_->signal('TERM') for @workers;
$_->ended for @workers;
$redis->ask('ECHO', 'all have ended');

# What a script was asked stands before what it did.

my (@sent, %went, $what, $ticket, $last);
my ($early, $between) = (0, 0);
while (my $line = <$monitor>) {
    last if $line =~ /"all have ended"/;
    if ($line =~ /"EVALSHA" "\w+" "3" "\Q$KEY\E" $WORD $WORD "(\w+)" "(.+?)"/)
    {
        ($what, $ticket) = ($1, $2);
        next;
    }
    next if $line !~ /lua\] "HSET" "\Q$KEY\E" / || !defined $what;
    my ($now) = $line =~ /"last" "(\d+)"/;
    if ($what eq 'sent') {
        $between += @sent && !$went{ $sent[-1] };
        $early += defined $last && $now - $last < $GAP * 1000;
        push @sent, $ticket;
    } elsif ($what eq 'went') {
        $went{$ticket} = 1;
    }
    $last = $now;
    undef $what;
}

my $counters = $stack->counters('ikea');
is(scalar @sent, $counters->{calls} + $counters->{robots}
                 + $counters->{files}, 'all that was asked had leave');
cmp_ok($counters->{robots}, '>=', 1, '... robots.txt');
cmp_ok($counters->{notModified}, '>=', 1, '... what has not changed');
cmp_ok($counters->{byMode}{status}, '==', 2, '... what is tried again');
cmp_ok(scalar @sent, '>=', 2 * @ids + 3 + 2 + 1, '... and what has moved');
is(scalar(keys %went), scalar @sent, 'of each is told when it is out');
is($between, 0, '... before another one goes');
is($early, 0, '... and that is a gap later');
is($counters->{disallowed}, 0, 'none is disallowed');

$shops->finish;
done_testing();
