# /products over HTTP: lists, filters, sorts, facets and bounds; products and
# their history; ETag, gzip and 304; pages kept while PostgreSQL or Redis is
# away; shops asked for what nobody has asked, once, and waited for only when
# nothing is known.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use HTTP::Tiny ();
use IO::Uncompress::Gunzip ();
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Time::HiRes ();

my $JOBS = 'atelier:shop:jobs';
my $ASKED = 'atelier:shop:asked:';

my $db = Postgres->new;
my $redis = PrivateRedis->new;

sub q_json {
    return q{'} . (JSON::PP->new->canonical->encode($_[0]) =~ s/'/''/gr) . q{'};
}
sub see {
    my ($seen, $asked) = @_;
    $db->sql(sprintf q{SELECT count(*) FROM atelier.products_see(%s, '%s')},
             q_json($seen), $asked // '');
    return;
}
sub product {
    my ($id, $title, $category, $price, $stock, $verified) = @_;
    return { id => $id, title => $title, url => 'https://x.in/p',
             category => $category, price => $price,
             inStock => $stock ? JSON::PP::true : JSON::PP::false,
             verified => $verified ? JSON::PP::true : JSON::PP::false };
}

# A title that would be trouble in a page, a header or a log.

my $HOSTILE = qq{</script><script>alert("1")</script>\\u0000 \x{2028}'--\t};
see([ product('ikea:1', 'EKTORP sofa', 'Sofas', 50000, 1, 1),
      product('ikea:2', 'BILLY bookcase', 'Storage', 30000, 1, 1),
      product('amazon:1', 'A teak sofa', 'Sofas', 20050, 0, 1),
      product('amazon:2', 'Sofa cover', 'Covers & more', 10000, 1, 0),
      product('pepperfry:1', $HOSTILE, 'Lamps', undef, 1, 0) ]);

sub conf {
    my (%opt) = @_;
    my $workers = $opt{workers} // 2;
    my $name = $opt{params} // '';
    my $link = $opt{redis} // $redis->address;
    return (workers => $workers, http => <<"END", server => <<"END2");
    atelier_cache pages 8m;
    atelier_postgres '@{[ $db->conninfo ]}' timeout=10s;
    @{[ $link ? "atelier_redis $link timeout=10s;" : '' ]}
END
    location /products { atelier_products $name; }
    location /products/old { rewrite ^ /p break; atelier_products $name; }
END2
}

# Fresh for long, so that what a page shows does not depend on the moment.

my $stack = Stack->new(conf(params => 'fresh=1h wait=0'));

sub get { return Feed::get($stack, @_); }
sub ids { return join ' ', Feed::ids(get('/products?' . $_[0])); }
sub ready {
    my ($node, $n) = @_;
    Stack::until_true('PostgreSQL and Redis', sub {
        my $res = Feed::get($node, '/health/ready');
        return $res->{content} =~ /"postgres":"ok"/
               && ($node->metric('atelier_redis_up') // 1) == 1;
    }) for 1 .. 2;
    return;
}
ready($stack);

# Lists.

my $res = get('/products');
is($res->{status}, 200, 'a list');
is($res->{json}{total}, 5, '... of all');
is($res->{json}{refreshing}, JSON::PP::false, '... that no shop adds to');
my ($one) = grep { $_->{id} eq 'ikea:1' } @{ $res->{json}{results} };
like(delete $one->{priceAt}, qr/Z$/, '... with the time of a price');
is_deeply($one, { id => 'ikea:1', retailer => 'ikea', title => 'EKTORP sofa',
    productUrl => 'https://x.in/p', image => undef, price => '500.00',
    mrp => undef, currency => 'INR', inStock => JSON::PP::true,
    category => 'Sofas', verified => JSON::PP::true,
    lowest30d => '500.00' }, '... and the rest of a product');
my ($odd) = grep { $_->{id} eq 'pepperfry:1' } @{ $res->{json}{results} };
is($odd->{title}, $HOSTILE, 'a hostile title comes through as it is');
is($res->{headers}{'content-type'}, 'application/json', '... as JSON');
is($res->{headers}{'cache-control'}, 'public, max-age=300, s-maxage=3600, '
   . 'stale-while-revalidate=60, stale-if-error=3600', 'what caches may do');
is($res->{headers}{'surrogate-key'}, 'products', '... and by what to purge');
is($res->{cache}, 'MISS', 'it was made');
is(get('/products')->{cache}, 'L1', '... once');
is(get('/products?utm_source=x&page=1')->{cache}, 'L1',
   'what nobody knows is not in the key');

is(ids('sort=price_asc'), 'amazon:1 ikea:2 ikea:1 amazon:2 pepperfry:1',
   'cheapest first, unverified last');
is(ids('sort=price_desc&verified=true'), 'ikea:1 ikea:2 amazon:1', 'dearest');
is(ids('category=Covers+%26+more'), 'amazon:2', 'a category');
is(ids('category=covers+%26+more'), '', '... as shops have it');
is(ids('retailer=IKEA&sort=price_asc'), 'ikea:2 ikea:1', 'a shop');
is(ids('minPrice=200.50&maxPrice=300&sort=price_asc'), 'amazon:1 ikea:2',
   'a range, ends included');
is(ids('minPrice=200.51&maxPrice=299.99'), '', '... to the paisa');
is(ids('inStock=false'), 'amazon:1', 'stock');
is(ids('verified=0&sort=price_asc'), 'amazon:2 pepperfry:1', 'unverified');
is(ids('query=+SOFAS+&sort=price_asc&verified=1'), 'amazon:1 ikea:1', 'words');
is(ids('query=%27%3B+DROP+TABLE+x%3B--'), '', 'harm');

# Paging.

is(ids('sort=price_asc&perPage=2'), 'amazon:1 ikea:2', 'a page');
is(ids('sort=price_asc&perPage=2&page=3'), 'pepperfry:1', '... the last');
is(ids('sort=price_asc&perPage=2&page=4'), '', '... behind it');
is(get('/products?perPage=1&page=10001')->{status}, 200, 'as far as it goes');
for ([ 'perPage=1&page=10002', 'page' ], [ 'page=418', 'page' ],
     [ 'page=0', 'page' ], [ 'perPage=201', 'perPage' ],
     [ 'sort=price', 'sort' ], [ 'minPrice=x', 'minPrice' ],
     [ 'minPrice=2&maxPrice=1', 'maxPrice' ], [ 'facets=x', 'facets' ],
     [ 'retailer=a,b', 'retailer' ], [ 'inStock=maybe', 'inStock' ],
     [ 'query=%ff', 'query' ], [ 'category=%00', 'category' ])
{
    $res = get("/products?$_->[0]");
    is("$res->{status} $res->{json}{code} $res->{json}{field}",
       "400 invalid_parameter $_->[1]", "refused: $_->[0]");
    is($res->{headers}{'cache-control'}, 'no-store', '... and kept nowhere');
}

# Facets.

$res = get('/products?query=sofa&facets=category,retailer,inStock,price');
is_deeply($res->{json}{facets}{retailer},
          [ { value => 'amazon', count => 2 }, { value => 'ikea', count => 1 } ],
          'how many of each shop');
is_deeply($res->{json}{facets}{price},
          { min => '100.00', max => '500.00',
            ranges => [ { min => undef, max => '999.99', count => 3 } ] },
          '... and what they cost');
is(exists $res->{json}{facets}{verified}, '', '... and no more than asked');
is(exists get('/products?query=sofa')->{json}{facets}, '', 'or none');

# One product, and what it has cost.

$res = get('/products/ikea:1');
is($res->{json}{title}, 'EKTORP sofa', 'a product');
is(exists $res->{json}{refreshing}, '', '... and nothing else');
is($res->{headers}{'surrogate-key'}, 'products ikea:1', '... by its name');
is(get('/products/ikea%3A1')->{cache}, 'L1', '... encoded');
for ('/products/ikea:99', '/products/ikea:1/x', '/products/', '/products/x',
     '/productsx', '/products/ikea:a%27b', '/products/ikea:99/history',
     '/products/ikea:1/history/', '/products//history', '/products/old')
{
    $res = get($_);
    is("$res->{status} $res->{json}{code}", '404 not_found', "none: $_");
}
see([ { id => 'ikea:2', price => 29900 } ]);
$res = get('/products/ikea:2/history?days=7');
is($res->{json}{productId}, 'ikea:2', 'a history');
is($res->{json}{days}, 7, '... of so many days');
is(join(' ', map { $_->{price} } @{ $res->{json}{points} }), '300.00 299.00',
   '... oldest first');
is($res->{json}{points}[1]{inStock}, JSON::PP::true, '... with stock');
like($res->{json}{points}[1]{at}, qr/^20\d\d-.*Z$/, '... and time');
is(get('/products/ikea:2/history')->{json}{days}, 30, '30 if none are said');
is(get('/products/ikea:2/history?days=0')->{json}{field}, 'days', 'none: 400');
is_deeply(get('/products/pepperfry:1/history')->{json}{points}[0]{price},
          undef, 'one without a price');

# Methods, ETag and gzip.

is(HTTP::Tiny->new->post($stack->url('/products'))->{status}, 405, 'no POST');
my $head = HTTP::Tiny->new->head($stack->url('/products'));
is($head->{status} . ($head->{content} // ''), '200', 'HEAD');
$res = get('/products');
my $zip = get('/products', 'Accept-Encoding' => 'gzip');
is($zip->{headers}{'content-encoding'}, 'gzip', 'gzip');
IO::Uncompress::Gunzip::gunzip(\$zip->{content}, \my $text);
is($text, $res->{content}, '... of the same bytes');
isnt($zip->{headers}{etag}, $res->{headers}{etag}, '... under its own ETag');
is(get('/products', 'If-None-Match' => $res->{headers}{etag})->{status}, 304,
   'not modified');
is(get('/products', 'Accept-Encoding' => 'gzip',
       'If-None-Match' => $zip->{headers}{etag})->{status}, 304, '... gzip');
is(get('/products', 'If-None-Match' => '"x"')->{status}, 200, 'another');

# Another node has it from Redis; a third without Redis makes it itself.

my $other = Stack->new(beside => $stack, conf(params => 'fresh=1h wait=0'));
ready($other);
my $two = Feed::get($other, '/products');
is($two->{cache}, 'L2', 'another node: from Redis');
is($two->{content}, $res->{content}, '... the same');
is($two->{headers}{etag}, $res->{headers}{etag}, '... under the same ETag');
is(Feed::get($other, '/products')->{cache}, 'L1', '... and then its own');
is(Feed::get($other, '/products/ikea:1')->{cache}, 'L2', 'a product as well');

# Without PostgreSQL: what is kept is answered, all else is a 503.

$db->stop('QUIT');
Stack::until_true('PostgreSQL to be away', sub {
    return Feed::get($stack, '/health/ready')->{content} =~ /"postgres":"away"/;
}) for 1 .. 5;
is(get('/products')->{cache}, 'L1', 'without PostgreSQL: kept');
$res = get('/products?query=never+seen');
is("$res->{status} $res->{json}{code}", '503 products_unavailable', '... or not');
is($res->{headers}{'retry-after'}, 2, '... for now');
is(get('/products/ikea:77')->{status}, 503, '... nor is it said to be nothing');
$db->start;
ready($stack);
Stack::until_true('products again', sub {
    return get('/products?query=never+seen')->{status} == 200;
});
pass('with it again: made');
$_->finish for $stack, $other;

# A page that is no longer fresh is shown, and made anew by somebody; one that
# cannot be made anew is shown as well.

$stack = Stack->new(conf(workers => 1, params => 'fresh=1s wait=0'));
ready($stack);
$redis->ask('DEL', $_) for @{ $redis->ask('KEYS', 'atelier:page:*') };
is(get('/products?retailer=ikea')->{json}{total}, 2, 'fresh for a second');
see([ product('ikea:3', 'LACK table', 'Tables', 100, 1, 1) ]);
my %how;
Stack::until_true('a newer page', sub {
    my $page = get('/products?retailer=ikea');
    $how{ $page->{cache} }++;
    return $page->{json}{total} == 3;
});
ok($how{STALE}, 'an older one is shown while it is made anew');
$db->stop('QUIT');
Stack::until_true('an old page', sub {
    return get('/products?retailer=ikea')->{cache} eq 'STALE';
});
$res = get('/products?retailer=ikea');
is("$res->{status} $res->{cache} $res->{json}{total}", '200 STALE 3',
   'without PostgreSQL: the old one');
cmp_ok($res->{headers}{age}, '>=', 1, '... and it says how old');

# Another node has but the one in Redis.

$other = Stack->new(beside => $stack,
                    conf(workers => 1, params => 'fresh=1s wait=0'));
Stack::until_true('Redis', sub { $other->metric('atelier_redis_up') });
$two = Feed::get($other, '/products?retailer=ikea');
is("$two->{status} $two->{cache}", '200 STALE', 'another node: that of Redis');
$other->finish;
$db->start;
ready($stack);

# Without Redis pages are made all the same.

$redis->kill;
$res = get('/products?query=lack');
is("$res->{status} $res->{json}{total} $res->{json}{refreshing}", '200 1 0',
   'without Redis: a page, and no shop is asked');
$redis->start;
Stack::until_true('Redis', sub { $stack->metric('atelier_redis_up') });
$stack->finish;

# What nobody has asked of the shops.

sub jobs {
    return map { my %job = @{ $_->[1] }; \%job }
           @{ $redis->ask('XRANGE', $JOBS, '-', '+') };
}
sub key {
    my ($key) = map { /^\Q$ASKED\E(.*)/ ? $1 : () }
                @{ $redis->ask('KEYS', "$ASKED*") };
    return $key;
}
sub forget { $redis->ask('FLUSHALL'); return; }

$stack = Stack->new(conf(params => 'fresh=1s wait=30s'));
ready($stack);
Stack::until_true('two that listen', sub {
    return $redis->ask('PUBSUB', 'NUMSUB', 'atelier:shop:done')->[1] == 2;
});
$res = get('/products?query=+SOFA&category=Sofas', 'X-Request-ID' => 'r-1');
is("$res->{json}{total} $res->{json}{refreshing}", '2 1',
   'some are known: an answer at once, and more is to come');
like($res->{headers}{'cache-control'}, qr/s-maxage=1,/, '... soon');
my ($job) = jobs();
like(delete $job->{at}, qr/^\d{13}$/, 'a job, with its time');
is_deeply($job, { kind => 'products', by => 'reader', query => 'sofa',
                  category => 'Sofas', page => 1, requestId => 'r-1' }, '... and its query');
get('/products?query=sofa&category=Sofas&sort=newest&page=2');
get('/products?query=sofa&category=Sofas&inStock=1');
is(scalar(jobs()), 1, '... one for a query, whatever its filters');
get('/products?query=sofa');
is(scalar(jobs()), 2, '... but its category is a part of it');
get('/products?retailer=ikea');
is(scalar(jobs()), 2, 'a list of everything asks nobody');

forget();
get('/products?query=bookcase');
my $key = key();
like($key, qr/^[0-9a-f]{32}$/, 'it is noted');
is($redis->ask('GET', "$ASKED$key"), 'pending', '... as being asked');
cmp_ok($redis->ask('PTTL', "$ASKED$key"), '>', 500_000, '... for ten minutes');
$redis->ask('PUBLISH', 'atelier:shop:done', $_)
    for 'x', 'A' x 32, '', $key;
Stack::until_true('done', sub {
    return $redis->ask('GET', "$ASKED$key") eq 'done';
});
cmp_ok($redis->ask('PTTL', "$ASKED$key"), '>', 500_000, '... and is not again');
Stack::until_true('no longer refreshing', sub {
    return get('/products?query=bookcase')->{json}{refreshing} == 0;
});
is(scalar(jobs()), 1, '... with one job in all');

# Nothing is known: many wait for one job, on both workers, and get what it
# found.

forget();
my $pid = fork // die "fork: $!";
if (!$pid) {
    my @bodies = Feed::burst($stack, '/products?query=hammock', 20);
    my $good = grep { /"id":"ikea:5".*"refreshing":false/s } @bodies;
    POSIX::_exit($good == 20 ? 0 : 1);
}
Stack::until_true('a job', sub { return scalar jobs(); });
Stack::until_true('both workers to wait', sub {
    return ($stack->metric('atelier_shop_waits_total') // 0) >= 1;
});
see([ product('ikea:5', 'A net to lie in', 'Garden', 100, 1, 1) ], 'hammock');
$redis->ask('PUBLISH', 'atelier:shop:done', key());
waitpid $pid, 0;
is($?, 0, '20 readers waited for what the shops had');
is(scalar(jobs()), 1, '... with one job');
is($stack->metric('atelier_shop_jobs_total'), 4, 'jobs are counted');

# Shops that are faster than the answer of Redis: nobody misses it.

forget();
my $shop = fork // die "fork: $!";
if (!$shop) {
    delete $redis->{client};
    my $last = '0';
    while (my $got = $redis->ask('XREAD', 'BLOCK', 0, 'STREAMS', $JOBS, $last))
    {
        for my $entry (@{ $got->[0][1] }) {
            ($last, my %of) = ($entry->[0], @{ $entry->[1] });
            my ($key) = grep { length }
                        map { /^\Q$ASKED\E(.*)/ ? $1 : () }
                        @{ $redis->ask('KEYS', "$ASKED*") };
            $redis->ask('DEL', "$ASKED$key");
            $redis->ask('PUBLISH', 'atelier:shop:done', $key);
        }
    }
    POSIX::_exit(1);
}
my $late = $stack->metric('atelier_shop_waits_late_total');
for my $n (1 .. 30) {
    $res = get("/products?query=zyzzyva+$n");
    last if "$res->{json}{total} $res->{json}{refreshing}" ne '0 0';
}
is("$res->{json}{total} $res->{json}{refreshing}", '0 0',
   'shops that found nothing at once');
is($stack->metric('atelier_shop_waits_late_total'), $late,
   '... were never waited for in vain');
kill KILL => $shop;
waitpid $shop, 0;
$stack->finish;

# Nobody serves the jobs: the first waits in vain, and nobody after him.

$stack = Stack->new(conf(params => 'fresh=1s wait=1s refresh=10m'));
ready($stack);
forget();
Stack::until_true('two that listen', sub {
    return $redis->ask('PUBSUB', 'NUMSUB', 'atelier:shop:done')->[1] == 2;
});
$res = get('/products?query=xylophone');
is("$res->{status} $res->{json}{total} $res->{json}{refreshing}", '200 0 1',
   'without a worker: an answer, and it may still come');
is($stack->metric('atelier_shop_waits_total'), 1, '... after a wait');
is($stack->metric('atelier_shop_waits_late_total'), 1, '... in vain');
for (1 .. 3) {
    get('/products?query=xylophone&sort=newest');
    get("/products?query=xylophone&perPage=$_");
}
is($stack->metric('atelier_shop_waits_total'), 1, 'nobody waits again');
is(scalar(jobs()), 1, '... and there is one job');

# What was asked by a schedule of other times: nobody waits for that.

$redis->ask('SET', $ASKED . '7968d0668cc855d0784ec495f3a3d395', 'pending',
            'PX', 7_200_000);               # BLAKE2b-128 of "ondes\n"
$res = get('/products?query=ondes');
is("$res->{status} $res->{json}{refreshing}", '200 0', 'asked by others');
is($stack->metric('atelier_shop_waits_total'), 1, '... and not waited for');

# A stream that nobody reads is not made longer.

$redis->ask('EVAL', "for i = 1, 5000 do redis.call('XADD', '$JOBS', '*', 'i', i)"
            . ' end', 0);
$res = get('/products?query=theremin');
is("$res->{status} $res->{json}{refreshing}", '200 0', 'too many jobs: no more');
is($redis->ask('XLEN', $JOBS), 5001, '... not one');
$stack->finish;

done_testing();
