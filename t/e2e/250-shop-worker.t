# atelier-shop run: searches fill the database from five shops, each of which
# may fail by itself; what is no page writes nothing; what is proved is
# announced; jobs outlive the process.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use Shops;
use Test::More;
use Worker;

my $shops = Shops->new;
my ($db, $redis, $stack, $dir) = @$shops{qw(db redis stack dir)};
my @shops = qw(amazon flipkart ikea pepperfry urbanladder);

sub settings {
    my (%more) = @_;
    return Shops::with($shops->settings(
        jobs   => { claim_after => '20s' },
        search => { timeout => '15s' },
        verify => { parallel => 2, again => '1d' }), %more);
}

sub worker {
    return Worker->new('shop', settings(@_), command => ['run']);
}

sub until_true { return Worker::until_true(@_) }

sub job { return $shops->job(@_) }

sub left { return $redis->ask('XLEN', 'atelier:shop:jobs'); }

sub done { return $shops->done }

sub found { return $shops->found(@_) }

# What is in the database and not so in the shops.
sub wrong {
    my %is;
    for my $shop (@shops) {
        $is{"$shop:$_->{id}"} = $_->{price} for $shops->known($shop);
    }
    my @bad;
    for ($db->sql('SELECT id, atelier.money_text(price, currency)
                   FROM atelier.product WHERE price IS NOT NULL'))
    {
        my ($id, $price) = split /\|/;
        push @bad, "$id: $price instead of " . ($is{$id} // 'none')
            if ($is{$id} // '') ne $price;
    }
    return \@bad;
}

# Somebody who waits for the ends of jobs.
my $ear = IO::Socket::UNIX->new(Peer => $redis->{socket}) or die $!;
print {$ear} "SUBSCRIBE atelier:shop:done\r\n";
$ear->flush;
my $heard = '';

sub hear {
    my ($what) = @_;
    $ear->blocking(0);
    until_true("the message $what", sub {
        1 while sysread $ear, $heard, 65536, length $heard;
        return $heard =~ s/.*\Q$what\E\r\n//s;
    });
    return;
}
hear(':1');

$stack->control($_ => { pace => 0 }) for @shops;

# Settings.

my $check = Worker->new('shop', settings(), later => 1);
my $said = `@{[ Worker::binary('shop') ]} run -t -c $check->{file} 2>&1`;
like($said, qr/are right/, 'settings that are right');
Stack::spew("$dir/rug.json", '{"name": "rug", "colour": 1}');
$said = `@{[ Worker::binary('shop') ]} run -t -c $check->{file} 2>&1`;
like($said, qr/rug\.json: \$\.colour: not known/, 'a recipe that is wrong');
unlink "$dir/rug.json";

# A search at five shops, without proofs.

my $worker = worker(verify => { parallel => 0 });
$worker->ready;
job(query => ' Sofa ');
done();
my $n = found('sofa');
cmp_ok($n->{$_} // 0, '>', 10, "products of $_") for @shops;
is_deeply(wrong(), [], 'with the prices that the shops have');
my ($done) = $worker->events('job.done');
is($done->{shops}, 5, 'five shops have answered');
until_true('the count', sub {
    $worker->metric('atelier_shop_jobs_total{result="done"}') });
is($worker->metric('atelier_shop_jobs_total{result="done"}'), 1,
   '... which is counted');
is($worker->metric('atelier_look_pages_total{shop="ikea",kind="list",'
                   . 'state="page"}'), 1, '... by shop');
is($db->sql('SELECT count(*) FROM atelier.product WHERE verified'), 0,
   'nothing is verified yet');

# The end is told by the key of the query, and kept.

job(query => 'sofa', category => 'Sofas');
done();
until_true('the message', sub {
    1 while sysread $ear, $heard, 65536, length $heard;
    return 2 <= (() = $heard =~ /^[0-9a-f]{32}\r$/mg);
});
pass('the ends of jobs are published');
cmp_ok($db->sql("SELECT count(*) FROM atelier.product
                 WHERE category = 'Sofas'"), '>', 50, 'a category is kept');

# One shop has a wall: the others answer.

$stack->control(amazon => { mode => 'wall', pace => 0 });
job(query => 'lamp');
done();
$n = found('lamp');
is($n->{amazon} // 0, 0, 'none of the shop with a wall');
cmp_ok($n->{$_} // 0, '>', 5, "but of $_") for grep { $_ ne 'amazon' } @shops;
$stack->control(amazon => { pace => 0 });

# A price that moves far is believed when it is seen twice.

my ($moved) = $db->sql("SELECT id FROM atelier.product p JOIN
    atelier.product_query q ON q.product_id = p.id WHERE query = 'lamp'
    AND retailer = 'pepperfry' AND price > 10000 ORDER BY rank LIMIT 1");
my $was = $db->sql("SELECT price FROM atelier.product WHERE id = '$moved'");
$shops->put($moved, { price => '77' });
$db->sql("UPDATE atelier.product_check SET etag = 'old'
          WHERE product_id = '$moved'");
for my $want ("$was|7700|old", '7700||') {
    job(query => 'lamp');
    done();
    is($db->sql("SELECT price, doubted_price, etag FROM atelier.product p
                 JOIN atelier.product_check c ON c.product_id = p.id
                 WHERE id = '$moved'"), $want, "a large move: $want");
}

# Of what its own page has told, a list changes nothing, be it little and
# often; it only asks for the page.

$db->sql("UPDATE atelier.product SET page_at = now() WHERE id = '$moved'");
$db->sql("UPDATE atelier.product_check SET next_check = now() + interval '1 d'
          WHERE product_id = '$moved'");
$shops->put($moved, { price => '80' });
for my $n (1 .. 3) {
    job(query => 'lamp');
    done();
    is($db->sql("SELECT price, c.next_check <= now() FROM atelier.product p
                 JOIN atelier.product_check c ON c.product_id = p.id
                 WHERE id = '$moved'"), '7700|t',
       'a list says another price than the page: nothing but a look');
}
is($worker->metric('atelier_shop_products_total{result="other"}'), 3,
   '... which is counted');

# A job that is none.

job(query => '');
done();
is($redis->ask('XLEN', 'atelier:shop:jobs:dead'), 1, 'a wrong job is dead');

# Proofs: what answers is verified and announced, what does not is not.

$worker->signal('TERM');
is($worker->ended, 0, 'it ends');
$db->sql("DELETE FROM atelier.product p USING (
              SELECT id, row_number() OVER (PARTITION BY retailer
                                            ORDER BY in_stock DESC, id) AS k
              FROM atelier.product) t WHERE t.id = p.id AND k > 6");
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9)
    or die $!;
my $ear_port = $listener->sockport;
my ($lost, $inside, $outside, $picture) = map { ($db->sql(
    "SELECT id FROM atelier.product WHERE retailer = 'ikea'
     ORDER BY id OFFSET $_ LIMIT 1"))[0] } 0 .. 3;
my $price = $db->sql("SELECT price FROM atelier.product WHERE id = '$lost'");
$shops->put($lost, { page => 'soft404' });
$db->sql("UPDATE atelier.product SET url =
          'http://ikea.localhost:$ear_port/p/x-10000000/'
          WHERE id = '$inside'");
$db->sql("UPDATE atelier.product SET url =
          'http://127.0.0.1:$ear_port/p/x-10000000/' WHERE id = '$outside'");
$worker = worker();
$worker->ready;
until_true('all proofs', sub { $db->sql(
    'SELECT count(*) FROM atelier.product_proof WHERE state IS NOT NULL')
    == 30 });
my %state = map { split /\|/ } $db->sql(
    'SELECT product_id, state FROM atelier.product_proof');
is($state{$lost}, 'soft 404', 'an error page with status 200 is none');
is($db->sql("SELECT price, verified FROM atelier.product WHERE id = '$lost'"),
   "$price|f", '... and overwrites nothing');
is($state{$inside}, 'refused', 'an address of this machine is not asked');
is($state{$outside}, 'refused', '... nor a host that is not the shop\'s');
$listener->blocking(0);
ok(!$listener->accept, '... which hears nothing');
for my $shop (@shops) {
    cmp_ok(scalar(grep { /^$shop:/ && $state{$_} eq 'verified' } keys %state),
           '>=', 2, "products of $shop are verified")
        or diag(explain(\%state));
}
my $verified = $db->sql('SELECT count(*) FROM atelier.product WHERE verified');
is($db->sql("SELECT count(*) FROM atelier.outbox WHERE channel = 'products'"),
   $verified, '... and announced, each once');
is_deeply(wrong(), [], 'all prices are right');

# A picture that is none keeps a product from being verified.

$stack->control(ikea => { mode => 'status', on => 'file', pace => 0 });
$db->sql("UPDATE atelier.product SET verified = false
          WHERE id = '$picture'");
$db->sql("UPDATE atelier.product_proof SET next_at = now(), state = NULL
          WHERE product_id = '$picture'");
until_true('its proof', sub { $db->sql(
    "SELECT state FROM atelier.product_proof WHERE product_id = '$picture'") });
is($db->sql("SELECT state FROM atelier.product_proof
             WHERE product_id = '$picture'"), 'picture', 'a picture away');
$stack->control(ikea => { pace => 0 });

# Recipes are read anew; of a bad one the old stays, a sixth shop is a file.

Stack::spew("$dir/amazon.json", '{"name": "amazon"}');
my $sixth = Stack::slurp("$dir/ikea.json")
            =~ s/"name": "ikea"/"name": "ikea6"/r;
Stack::spew("$dir/ikea6.json", $sixth);
$worker->signal('HUP');
until_true('the reload', sub {
    ($worker->metric('atelier_shop_reloads_total') // 0) == 1 });
job(query => 'desk');
done();
$n = found('desk');
cmp_ok($n->{$_} // 0, '>', 5, "products of $_") for 'amazon', 'ikea6';
my ($refused) = $worker->events('recipe.refused');
like($refused->{error}, qr/amazon\.json: /, 'the bad one is named');
unlink "$dir/ikea6.json";
$shops->recipes;

# A job outlives the process that was at it.

$worker->signal('TERM');
$worker->ended;
$stack->control($_ => { latencyMs => 9000, pace => 0 }) for @shops;
$worker = worker(verify => { parallel => 0 });
$worker->ready;
job(query => 'wardrobe');
until_true('the job to begin', sub {
    ($worker->metric('atelier_shop_jobs_running') // 0) == 1 });
$worker->signal('KILL');
$worker->ended;
$stack->control($_ => { pace => 0 }) for @shops;
is(left(), 1, 'the job is still there');
$worker = worker(jobs => { claim_after => '2s' },
                 search => { timeout => '1900ms' },
                 verify => { parallel => 0 });
done();
until_true('five shops', sub { keys %{ found('wardrobe') } == 5 });
pass('... and done by the next process');
is(($worker->events('job.done'))[0]{attempt}, 2, '... as its second attempt');

# Queries by schedule, of any number of processes once.

my %often = (search => { query => ['bookshelf', ' Rug | rugs '] },
             verify => { parallel => 0 });
my $one = worker(%often);
my $two = worker(%often);
until_true('both queries', sub {
    my $seen = $db->sql("SELECT count(DISTINCT query)
        FROM atelier.product_query WHERE query IN ('bookshelf', 'rug')");
    $seen == 2 });
done();
is($one->metric('atelier_shop_scheduled_total')
   + $two->metric('atelier_shop_scheduled_total'), 2, 'each is asked once');

$stack->finish;
done_testing();
