# Products in PostgreSQL: what pages said becomes price, history and messages
# in one transaction; nothing known is lost to a page that says nothing; two
# workers never wait for each other in a circle.

use strict;
use warnings;
use lib 't/helper';
use JSON::PP ();
use Postgres;
use Test::More;
use Worker;

my $db = Postgres->new;

sub q_json { return q{'} . (JSON::PP->new->canonical->encode($_[0])
                            =~ s/'/''/gr) . q{'}; }

sub see_sql {
    my ($seen, $asked) = @_;
    return sprintf q{SELECT id, what, price_changed, stock_changed, announced,
                     previous_price, price FROM atelier.products_see(%s, '%s')},
        q_json($seen), $asked // '';
}
sub see  { return join ' ', $db->sql(see_sql(@_)); }
sub find {
    my ($asked) = @_;
    return JSON::PP::decode_json(
        $db->sql('SELECT atelier.products_find(' . q_json($asked) . ')'));
}
sub found { return join ' ', map { $_->{id} } @{ find(@_)->{results} }; }
sub told {
    my ($channel, $since) = @_;
    return map { JSON::PP::decode_json($_) } $db->sql(sprintf
        q{SELECT data FROM atelier.live_since('%s', %d)}, $channel,
        $since // 0);
}
sub prices {
    my ($id) = @_;
    return join ' ', $db->sql(qq{SELECT coalesce(price::text, '-') || '/' ||
        coalesce(mrp::text, '-') || '/' || coalesce(in_stock::text, '-')
        FROM atelier.price WHERE product_id = '$id' ORDER BY at});
}

my %sofa = (id => 'ikea:1', title => 'EKTORP sofa', url => 'https://x.in/1',
            image => 'https://x.in/1.jpg', category => 'sofas',
            price => 129900, mrp => 159900, inStock => JSON::PP::true,
            verified => JSON::PP::true, layer => 'json-ld');

# A product that is new.

is(see([ \%sofa ]), 'ikea:1|new|t|t|t||129900', 'a new product');
my ($message) = told('product:ikea:1');
like(delete $message->{at}, qr/^20\d\d-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/,
     'when it was seen');
is_deeply($message, { productId => 'ikea:1', price => '1299.00',
                      previousPrice => undef, currency => 'INR',
                      inStock => JSON::PP::true,
                      priceChanged => JSON::PP::true,
                      stockChanged => JSON::PP::true }, '... is told of');
my ($product) = told('products');
like(delete $product->{priceAt}, qr/Z$/, 'it is announced');
is_deeply($product, { id => 'ikea:1', retailer => 'ikea',
    title => 'EKTORP sofa', productUrl => 'https://x.in/1',
    image => 'https://x.in/1.jpg', price => '1299.00', mrp => '1599.00',
    currency => 'INR', inStock => JSON::PP::true, category => 'sofas',
    verified => JSON::PP::true, lowest30d => '1299.00' }, '... as a whole');
is(prices('ikea:1'), '129900/159900/true', 'history begins');

# What a page did not say, and what it said again.

is(see([ { id => 'ikea:1' } ]), 'ikea:1|same|f|f|f|129900|129900',
   'a page that says nothing changes nothing');
is(see([ { %sofa, price => undef, title => undef } ]),
   'ikea:1|same|f|f|f|129900|129900', '... nor one of nulls');
is(see([ \%sofa ]), 'ikea:1|same|f|f|f|129900|129900', 'the same again');
is(scalar told('product:ikea:1'), 1, '... tells nobody');
is(prices('ikea:1'), '129900/159900/true', '... and is no history');
ok($db->sql(q{SELECT price_at > first_at FROM atelier.product}) eq 't',
   '... but the price is of today');

# Changes.

is(see([ { id => 'ikea:1', price => 119900 } ]),
   'ikea:1|changed|t|f|f|129900|119900', 'a lower price');
is((told('product:ikea:1'))[1]{previousPrice}, '1299.00', '... and the one before');
is(see([ { id => 'ikea:1', inStock => JSON::PP::false } ]),
   'ikea:1|changed|f|t|f|119900|119900', 'out of stock');
is_deeply([ map { $_->{stockChanged} ? 's' : $_->{priceChanged} ? 'p' : '-' }
            (told('product:ikea:1'))[1, 2] ], [ 'p', 's' ], '... is told so');
is(see([ { id => 'ikea:1', mrp => 0 } ]), 'ikea:1|changed|f|f|f|119900|119900',
   'no list price any more');
is(scalar told('product:ikea:1'), 3, '... is no event');
is(prices('ikea:1'), '129900/159900/true 119900/159900/true '
   . '119900/159900/false 119900/-/false', '... but history');
$db->sql(q{UPDATE atelier.product SET price = 110000 WHERE id = 'ikea:1'});
is((told('product:ikea:1'))[3]{price}, '1100.00', 'a change by psql is told');
is($db->sql(q{SELECT price_at > now() - interval '1 minute'
              FROM atelier.product}), 't', '... and dated');
my $one = $db->session;
$one->ask('BEGIN');
$one->ask(see_sql([ { id => 'ikea:1', price => 1 } ]));
$one->ask('ROLLBACK');
is(scalar told('product:ikea:1'), 4, 'a rollback is not');
is(prices('ikea:1') =~ tr/ //, 4, '... and no history');

# Doubt: believed when seen twice.

is(see([ { id => 'ikea:1', price => 100, inStock => JSON::PP::true,
           doubt => JSON::PP::true } ]), 'ikea:1|doubted|f|f|f|110000|110000',
   'a price that is hard to believe');
is(see([ { id => 'ikea:1', price => 200, doubt => JSON::PP::true } ]),
   'ikea:1|doubted|f|f|f|110000|110000', '... another one');
is(see([ { id => 'ikea:1', price => 200, doubt => JSON::PP::true } ]),
   'ikea:1|changed|t|f|f|110000|200', '... a second time');
is(see([ { id => 'ikea:1', price => 110000, doubt => JSON::PP::true } ]),
   'ikea:1|doubted|f|f|f|200|200', 'back: doubted again');
is(see([ { id => 'ikea:1', price => 110000 } ]),
   'ikea:1|changed|t|f|f|200|110000', '... unless it is sure');

# What is refused, one by one.

is(see([ { id => 'ikea:2', price => 5 }, { id => 'IKEA 3' },
         { %sofa, id => 'ikea:4', price => 0 }, { title => 'x' },
         { %sofa, id => 'ikea:5' } ]),
   'IKEA 3|refused|f|f|f|| ikea:2|refused|f|f|f|| ikea:4|refused|f|f|f|| '
   . 'ikea:5|new|t|t|t||129900 |refused|f|f|f||', 'refused, the others are not');

# Verified: only with a sound price; announced once.

is(see([ { %sofa, id => 'ikea:6', price => 999_999_999 } ]),
   'ikea:6|new|t|t|t||999999999', '9,999,999.99 is a price');
is(see([ { %sofa, id => 'ikea:7', price => 1_000_000_000 } ]),
   'ikea:7|new|t|t|f||1000000000', '10,000,000 is none to be verified');
is(see([ { %sofa, id => 'ikea:8', price => undef } ]), 'ikea:8|new|f|t|f||',
   '... nor is nothing');
is(see([ { id => 'ikea:8', price => 5, verified => JSON::PP::true } ]),
   'ikea:8|changed|t|f|t||5', 'verified later: announced then');
is(see([ { id => 'ikea:8', verified => JSON::PP::false } ]),
   'ikea:8|changed|f|f|f|5|5', '... not any more');
is(see([ { id => 'ikea:8', verified => JSON::PP::true } ]),
   'ikea:8|changed|f|f|f|5|5', '... again, but it is no news');
is(join(' ', map { $_->{id} } told('products')), 'ikea:1 ikea:5 ikea:6 ikea:8',
   'each once');
is($db->sql(q{SELECT string_agg(atelier.money_text(m, c), ' ') FROM (VALUES
              (1, 'INR'), (100, 'INR'), (1234567, 'USD'), (31490, 'CLP'),
              (1500, 'KWD')) AS v (m, c)}), '0.01 1.00 12345.67 31490 1.500',
   'money as text');

# Two workers see the same pages in opposite orders, with new and verified ones
# among them, again and again: no deadlock, and all of it adds up.

my @ids = map { "amazon:$_" } 1 .. 12;
my @pids = map {
    my $child = $_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $psql = $db->session;
        my $bad = 0;
        for my $n (1 .. 15) {
            my @seen = map { { %sofa, id => $_, price => 1000 * $child + $n } }
                       $child % 2 ? @ids : reverse @ids;
            my @rows = $psql->ask(see_sql(\@seen, "query $child"));
            $bad++ if grep { /ERROR/ } @rows;
        }
        POSIX::_exit($bad);
    }
    $pid;
} 1 .. 4;
my $bad = 0;
for my $pid (@pids) {
    waitpid $pid, 0;
    $bad += $? >> 8;
}
is($bad, 0, '60 batches in opposite orders: no deadlock');
is($db->sql(q{SELECT count(*) FROM atelier.live_channel
              WHERE name LIKE 'product:amazon:%' AND id = 60}), 12,
   '... and every change was told');
is($db->sql(q{SELECT count(*) FROM atelier.price h
              WHERE product_id LIKE 'amazon:%'}), 720, '... and is history');
is($db->sql(q{SELECT count(*) FROM atelier.product p JOIN LATERAL (SELECT
              data->>'price' AS told FROM
              atelier.live_value('product:' || p.id)) v ON true
              WHERE told <> atelier.money_text(p.price, p.currency)}), 0,
   '... and what was told last is the price');

# What is announced waits for nobody before its transaction ends.

my $two = $db->session;
$two->ask(q{SET lock_timeout = '5s'});
$one->ask('BEGIN');
$one->ask(see_sql([ { %sofa, id => 'ikea:91' } ]));
is($two->ask(see_sql([ { %sofa, id => 'ikea:92' } ])),
   'ikea:92|new|t|t|t||129900', 'two announce: no wait');
$one->ask('ROLLBACK');
$db->sql(q{DELETE FROM atelier.product WHERE id = 'ikea:92'});

# Leases.

$db->sql('UPDATE atelier.product_check SET next_check = now() + interval '
         . q{'1 hour'} . q{ WHERE retailer = 'amazon'});
sub due {
    my ($lease) = @_;
    return join ' ', sort $db->sql(qq{SELECT product_id, fence FROM
        atelier.products_due('ikea', 3, '$lease')});
}
my @batches = map { due('1 hour') } 1 .. 3;
is(join(' ', @batches), 'ikea:1|1 ikea:5|1 ikea:6|1 ikea:7|1 ikea:8|1 ',
   'each product is given to one') or diag explain \@batches;
sub checked {
    my ($fence, $next, $changed) = @_;
    return $db->sql(qq{SELECT atelier.product_checked('ikea:1', $fence,
        now() + interval '$next', $changed, 'page', 0.5, 'tag', NULL)});
}
is(checked(1, '-1 second', 'true'), 't', 'it is given back');
is(due('-1 second'), 'ikea:1|2', '... and due again');
is(due('1 hour'), 'ikea:1|3', 'a lease that ran out is due, too');
is(checked(2, '1 hour', 'true'), 'f', '... and not his any more');
is(see([ { id => 'ikea:1', price => 7, fence => 2 } ]),
   'ikea:1|fenced|f|f|f||', '... who may write nothing');
is(see([ { id => 'ikea:1', price => 110000, fence => 3 } ]),
   'ikea:1|same|f|f|f|110000|110000', '... but the new one may');
is($db->sql(q{SELECT atelier.products_hurry('{ikea:1,amazon:1}', now())}), 1,
   'what is leased is not hurried');
is(checked(3, '1 hour', 'NULL'), 't', 'one that failed');
is($db->sql(q{SELECT checks, changes, failures, etag FROM
              atelier.product_check WHERE product_id = 'ikea:1'}),
   '1|1|1|tag', '... is counted, and its tag stays');

# Lists.

$db->sql('SET client_min_messages = warning; TRUNCATE atelier.product CASCADE');
my $n = 0;
see([ map { my ($id, $title, $category, $price, $stock, $verified) = @$_;
            { id => $id, title => $title, url => 'https://x.in',
              category => $category, price => $price,
              inStock => $stock ? JSON::PP::true : JSON::PP::false,
              verified => $verified ? JSON::PP::true : JSON::PP::false } }
      [ 'ikea:1', 'EKTORP sofa', 'sofas', 500, 1, 1 ],
      [ 'ikea:2', 'BILLY bookcase', 'storage', 300, 1, 1 ],
      [ 'amazon:1', 'A teak sofa', 'sofas', 200, 0, 1 ],
      [ 'amazon:2', 'Sofa cover', 'covers', 100, 1, 0 ],
      [ 'pepperfry:1', q{A "lamp" for 100%}, 'lamps', undef, 1, 0 ] ]);
see([ { id => 'ikea:1' }, { id => 'amazon:1' } ], 'couch');
is(found({ query => 'couch' }), 'ikea:1 amazon:1',
   'a query finds what shops returned for it, in their order');
is(found({ query => 'sofas', sort => 'price_asc' }),
   'amazon:1 ikea:1 amazon:2', 'words, cheapest first, unverified last');
is(found({ sort => 'price_desc' }), 'ikea:1 ikea:2 amazon:1 amazon:2 '
   . 'pepperfry:1', 'dearest first');
is(found({ query => 'bilyl' }), 'ikea:2', 'a typing error');
is(found({ query => 'xylophone' }), '', 'nothing');
is(found({ query => 'ikea' }) =~ tr/ //, 1, 'a shop by its name');
is(found({ query => q{the '; DROP TABLE x; --} }), '', 'harm');
is(found({ category => 'sofas', sort => 'price_asc' }), 'amazon:1 ikea:1',
   'a category');
is(found({ retailer => 'ikea', sort => 'price_asc' }), 'ikea:2 ikea:1',
   'a shop');
is(found({ minPrice => 200, maxPrice => 300, sort => 'price_asc' }),
   'amazon:1 ikea:2', 'a range of prices');
is(found({ inStock => JSON::PP::false }), 'amazon:1', 'stock');
is(found({ verified => JSON::PP::false, sort => 'price_asc' }),
   'amazon:2 pepperfry:1', 'not verified');
is(found({ query => 'sofa', verified => JSON::PP::true, retailer => 'ikea',
           inStock => JSON::PP::true }), 'ikea:1', 'all at once');
my $page = find({ sort => 'price_asc', limit => 2, offset => 1,
                  facets => [qw(category retailer inStock verified price)] });
is(join(' ', $page->{total}, map { $_->{id} } @{ $page->{results} }),
   '5 ikea:2 ikea:1', 'a page, and how many there are');
is_deeply($page->{facets}{retailer},
          [ { value => 'amazon', count => 2 }, { value => 'ikea', count => 2 },
            { value => 'pepperfry', count => 1 } ], '... of each shop');
is_deeply($page->{facets}{price},
          { min => '1.00', max => '5.00',
            ranges => [ { min => undef, max => '999.99', count => 4 } ] },
          '... and what they cost');
is(join(' ', map { "$_->{value}=$_->{count}" } @{ $page->{facets}{inStock} }),
   '1=4 0=1', '... and whether they are there');

# Facets say what another choice would find, with a query and without.

for my $query ('', 'sofa') {
    $page = find({ retailer => 'ikea', maxPrice => 400, query => $query,
                   inStock => JSON::PP::true,
                   facets => [qw(retailer price inStock category)] });
    my %of = map { $_ => join ' ', map { "$_->{value}=$_->{count}" }
                   @{ $page->{facets}{$_} } } qw(retailer inStock category);
    my $ikea = $query ? 0 : 1;
    is($page->{total}, $ikea, "filters on '$query'");
    is($of{retailer}, $ikea ? 'amazon=1 ikea=1' : 'amazon=1',
       '... of shops all but the shop');
    is($of{inStock}, $ikea ? '1=1' : '', '... of stock all but that');
    is($of{category}, $ikea ? 'storage=1' : '', '... of all others all');
    is($page->{facets}{price}{max}, '5.00', '... of prices all but those');
}
is($db->sql(q{SELECT string_agg(width_bucket(p, atelier.price_steps('INR'))::text,
        ' ' ORDER BY p) FROM unnest('{0,99999,100000,199999,200000,500000,
        999999999}'::bigint[]) AS p}), '0 0 1 1 2 3 12', 'ranges');
is($db->sql(q{SELECT (atelier.price_steps('JPY'))[1]}), 1000,
   '... of a currency without a fraction');
like(join(' ', $one->ask(q{SELECT atelier.products_find('{"sort":"x"}')})),
     qr/22023: .*"x"/, 'no such sort');
like(join(' ', $one->ask(q{SELECT atelier.products_find('{"facets":["x"]}')})),
     qr/22023: .*"x"/, 'no such facet');

# History: the lowest of 30 days with what was in force before, and thinning.

$db->sql(q{DELETE FROM atelier.price WHERE product_id = 'ikea:1';
    INSERT INTO atelier.price (product_id, at, price, currency)
    SELECT 'ikea:1', now() - d * interval '6 hours', 1000 + d, 'INR'
    FROM generate_series(1, 2000) d});
is($db->sql(q{SELECT atelier.price_lowest('ikea:1', 30)}), 1001, 'the lowest');
$db->sql(q{UPDATE atelier.price SET price = 900 WHERE product_id = 'ikea:1'
           AND at = (SELECT max(at) FROM atelier.price
                     WHERE product_id = 'ikea:1'
                       AND at <= now() - interval '30 days')});
is($db->sql(q{SELECT atelier.price_lowest('ikea:1', 30)}), 900,
   '... counts what was in force when they began');
is($db->sql(q{SELECT count(*) FROM atelier.product_history('ikea:1', 30)}),
   120, 'history of 30 days, with that one');
my $after = '';
my $calls = 0;
while (defined $after && $calls < 20) {
    $after = $db->sql("SELECT atelier.prices_thin('$after', 2)");
    $calls++;
    last if $after eq '';
}
is($calls, 4, 'thinned, two products at a time');
is($db->sql(q{SELECT count(*) FROM atelier.price WHERE product_id = 'ikea:1'
              AND at >= now() - interval '30 days'}), 119, '30 days stay');
my $days = $db->sql(q{SELECT count(*) FROM atelier.price WHERE product_id =
    'ikea:1' AND at < now() - interval '30 days'
    AND at >= now() - interval '365 days'});
ok($days >= 335 && $days <= 337, "... then one a day: $days");
my $weeks = $db->sql(q{SELECT count(*) FROM atelier.price WHERE product_id =
    'ikea:1' AND at < now() - interval '365 days'});
ok($weeks >= 19 && $weeks <= 22, "... then one a week: $weeks");
is($db->sql(q{SELECT atelier.price_lowest('ikea:1', 30)}), 900,
   'the lowest is the same');

# A look that finds nothing new touches no index.

$db->sql(q{VACUUM FULL atelier.product});
$db->sql(q{DO $$ BEGIN FOR i IN 1 .. 200 LOOP
    PERFORM atelier.products_see('[{"id":"ikea:1","price":500}]'); COMMIT;
    END LOOP; END $$});
Worker::until_true('statistics', sub {
    return $db->sql(q{SELECT n_tup_hot_upd > 190 FROM pg_stat_user_tables
                      WHERE relname = 'product'}) eq 't';
});
pass('a look that finds nothing new touches no index');

# Applied again; and by roles that own the database, or do not.

$db->sql(q{DELETE FROM atelier.migration WHERE name = '004_products'});
like($db->migrate, qr/004_products/, 'applied twice');
is(found({ query => 'couch' }), 'ikea:1 amazon:1', '... and nothing is lost');

sub migrate_as {
    my ($role, $database) = @_;
    my $conninfo = $db->conninfo =~ s/user=\S+/user=$role/r
                   =~ s/dbname=\S+/dbname=$database/r;
    return scalar `scripts/migrate '$conninfo' 2>&1`;
}
$db->sql('CREATE ROLE plain LOGIN; CREATE ROLE guest LOGIN');
$db->sql('CREATE DATABASE owned OWNER plain');
unlike(migrate_as('plain', 'owned'), qr/ERROR/,
   'a plain owner of the database may migrate');
$db->sql('CREATE DATABASE lent');
$db->sql('GRANT CREATE ON DATABASE lent TO guest');
$db->sql('CREATE SCHEMA "els where"; CREATE EXTENSION pg_trgm
          SCHEMA "els where"; GRANT USAGE ON SCHEMA "els where" TO guest',
         'lent');
unlike(migrate_as('guest', 'lent'), qr/ERROR/,
       '... and a guest, wherever the extension is');
is($db->sql(q{SELECT atelier.products_find('{"query":"soffa"}')->>'total'},
            'lent'), 0, '... and finds');

done_testing();
