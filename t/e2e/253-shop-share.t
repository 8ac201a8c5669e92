# What a shop may be asked in a day: readers' searches and proofs have a share
# of it, the rest is left to schedules, operators and looks at prices.

use strict;
use warnings;
use lib 't/helper';
use Shops;
use Test::More;

# It is a day of UTC, and must not end before the test does.

my $left = 86400 - time % 86400;
sleep $left + 1 if $left < 300;

# 20 requests a day: 8 for readers, 4 for proofs.

my $shops = Shops->new(only => ['ikea'], stack => \&Shops::readers);
my ($stack, $db, $redis) = @{$shops}{qw(stack db redis)};
$stack->control(ikea => { pace => 0 });
$shops->recipe(ikea => sub { $_[0]{rates}{daily} = 20 });
my %share = (search => { reader_share => 40 }, verify => { share => 20 });

sub until_true { return Worker::until_true(@_) }

sub asked {
    my $n = $stack->counters('ikea');
    return $n->{calls} + $n->{robots} + $n->{files};
}

my $worker = $shops->worker(%share);
$shops->listens;

sub series {
    my ($name, $result) = @_;
    return $worker->metric(qq(atelier_shop_${name}_total{result="$result"}));
}

sub products {
    my ($args) = @_;
    my ($status, $json) = $shops->products($args);
    return "$status " . ($json->{total} > 0 ? 'some' : 'none')
           . ($json->{refreshing} ? ' more' : '');
}

# Readers ask until their share is used up, then see what is known.

for my $query (qw(sofa lamp rug desk bed wardrobe chair bookshelf)) {
    $shops->job(query => $query);
}
$shops->done;
is(series(searches => 'page'), 8, "readers' searches");
is(asked(), 9, '... and robots.txt');
is(products('query=' . join '+', qw(dining table)), '200 none',
   'then there is nothing to a query, and no more to come');
is(series(searches => 'share'), 1, '... which is counted');
is(asked(), 9, 'the shop was not asked');
my $key = $redis->ask('KEYS', 'atelier:shop:asked:*')->[0];
cmp_ok($redis->ask('PTTL', $key), '>', 60000,
       '... and will not be the sooner for that');
until_true('what is known', sub { products('query=sofa') eq '200 some' });
pass('what is known is found as ever');

# Others go on, with as much as is left.

$shops->job(query => 'dining table', by => 'schedule');
$shops->done;
is(series(searches => 'page'), 9, 'a schedule goes on');
$shops->job(query => 'tv unit', by => 'operator');
$shops->done;
is(series(searches => 'page'), 10, '... and an operator');

# Proofs have a share of their own, and those that wait have not failed.

$worker->signal('TERM');
$worker->ended;
my $before = asked();
$worker = $shops->worker(%share, verify => { %{ $share{verify} },
                                             parallel => 2 });
until_true('the end of their share', sub { series(proofs => 'share') });
until_true('those on their way', sub { asked() - $before >= 4 + 1 });
is(asked() - $before, 4 + 1, 'proofs, and robots.txt');
is($db->sql("SELECT count(*) FROM atelier.product_proof WHERE tries > 0"), 0,
   '... none of which has failed');
$shops->job(query => 'shoe rack', by => 'schedule');
$shops->done;
is(series(searches => 'page'), 1, 'a schedule has what is left');

# All is used up in the end.

$shops->job(query => "sofa $_", by => 'schedule') for 1 .. 6;
$shops->done;
is(series(searches => 'page') + series(searches => 'failed'), 7, 'the rest');
is(asked(), 20, 'no shop is asked more often than it may');

$worker->signal('TERM');
is($worker->ended, 0, 'it ends');
$shops->finish;
done_testing();
