# From GET /products to the shops and back: a query nobody has asked before is
# answered with what five shops say to it.

use strict;
use warnings;
use lib 't/helper';
use File::Temp ();
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Worker;

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $stack = Stack->new(http => <<"END", server => <<"END2");
    atelier_cache pages 8m;
    atelier_postgres '@{[ $db->conninfo ]}' timeout=10s;
    atelier_redis @{[ $redis->address ]} timeout=10s;
END
    location /products { atelier_products fresh=1s wait=20s; }
END2
my ($port) = $stack->{sandbox} =~ /:(\d+)$/;
my $dir = File::Temp->newdir;
system('scripts/sandbox-recipes', "$dir", $port, 100) == 0
    or die 'scripts/sandbox-recipes failed';

my $worker = Worker->new(shop => {
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo },
    shops    => { recipes => "$dir" },
    fetch    => { agent => 'Atelier test',
                  allow_address => "127.0.0.1:$port" },
    search   => { timeout => '15s' },
    verify   => { parallel => 0 },
}, command => ['run']);
$worker->ready;
Stack::until_true('PostgreSQL and Redis', sub {
    return $stack->metric('atelier_postgres_up')
           && $stack->metric('atelier_redis_up') });
Stack::until_true('nginx to listen', sub {
    return $redis->ask('PUBSUB', 'NUMSUB', 'atelier:shop:done')->[1] > 0 });

sub get {
    my ($args) = @_;
    my $res = $stack->http->get(
        "http://127.0.0.1:$stack->{port}/products?$args");
    return ($res->{status}, JSON::PP::decode_json($res->{content}));
}

my ($status, $json) = get('query=+Sofa&facets=retailer');
is($status, 200, 'a query nobody has asked before');
my %shops = map { $_->{value} => 1 } @{ $json->{facets}{retailer} };
is(join(' ', sort keys %shops), 'amazon flipkart ikea pepperfry urbanladder',
   'is answered with what five shops say');
ok($worker->events('job.done'), '... by the worker');

# PostgreSQL was away: the job is done when it is back.

$db->stop;
$redis->ask('XADD', 'atelier:shop:jobs', '*', 'kind', 'products', 'query',
            'lamp', 'category', '', 'page', 1);
Worker::until_true('a first attempt', sub {
    ($worker->metric('atelier_shop_jobs_total{result="retry"}') // 0) >= 1 });
is(($worker->get('/health/ready'))[0], 503, 'not ready without PostgreSQL');
$db->start;
Worker::until_true('the job', sub {
    $redis->ask('XLEN', 'atelier:shop:jobs') == 0 });
is($db->sql("SELECT count(DISTINCT retailer) FROM atelier.product p
             JOIN atelier.product_query q ON q.product_id = p.id
             WHERE query = 'lamp'"), 5, 'done when it is back');

$worker->signal('TERM');
is($worker->ended, 0, 'it ends');
$db->stop;
$stack->finish;
done_testing();
