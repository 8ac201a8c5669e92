# From GET /products to the shops and back: a query nobody has asked before is
# answered with what five shops say to it.

use strict;
use warnings;
use lib 't/helper';
use Shops;
use Test::More;
use Worker;

my $shops = Shops->new(stack => \&Shops::readers);
my ($db, $redis, $stack) = @$shops{qw(db redis stack)};
my $worker = $shops->worker;
$shops->listens;

my ($status, $json) = $shops->products('query=+Sofa&facets=retailer');
is($status, 200, 'a query nobody has asked before');
my %found = map { $_->{value} => 1 } @{ $json->{facets}{retailer} };
is(join(' ', sort keys %found), 'amazon flipkart ikea pepperfry urbanladder',
   'is answered with what five shops say');
ok($worker->events('job.done'), '... by the worker');

# PostgreSQL was away: the job is done when it is back.

$db->stop;
$shops->job(query => 'lamp');
Worker::until_true('a first attempt', sub {
    ($worker->metric('atelier_shop_jobs_total{result="retry"}') // 0) >= 1 });
is(($worker->get('/health/ready'))[0], 503, 'not ready without PostgreSQL');
$db->start;
$shops->done;
is(keys %{ $shops->found('lamp') }, 5, 'done when it is back');

$worker->signal('TERM');
is($worker->ended, 0, 'it ends');
$db->stop;
$shops->finish;
done_testing();
