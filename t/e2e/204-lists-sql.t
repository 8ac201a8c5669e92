# Whose word counts in PostgreSQL: what a product's own page has told, no list
# changes; whoever has no lease needs a second fetch that says the same; and
# old history keeps what was lowest.

use strict;
use warnings;
use lib 't/helper';
use JSON::PP ();
use Postgres;
use Test::More;

my $db = Postgres->new;
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

sub see {
    my ($seen, $asked) = @_;
    my $json = JSON::PP->new->canonical->encode($seen) =~ s/'/''/gr;
    return join ' ', $db->sql(sprintf q{SELECT id || '=' || what
        FROM atelier.products_see('%s', '%s')}, $json, $asked // '');
}

# An object of a page or list about the product of this test.
my $id = 'ikea:0';
sub list { return { id => $id, from => 'list', @_ } }
sub page { return { id => $id, from => 'page', large => 30, @_ } }
sub next_product {
    my (@more) = @_;
    $id++;
    $id = 'ikea:' . (($id =~ /(\d+)/)[0]);
    return;
}
sub product { return row('concat_ws(\' \', price, in_stock, mrp)') }
sub row {
    my ($columns) = @_;
    return scalar $db->sql("SELECT $columns FROM atelier.product p
        JOIN atelier.product_check c ON c.product_id = p.id
        WHERE p.id = '$id'");
}
sub events {
    return join ' ', map { JSON::PP::decode_json($_)->{price} // '-' }
        $db->sql("SELECT data FROM atelier.live_since('product:$id', 0)");
}
sub points {
    return scalar $db->sql("SELECT count(*) FROM atelier.price
                            WHERE product_id = '$id'");
}
my %texts = (title => 'A sofa', url => 'https://x.in/1', currency => 'INR');

# A product whose page has been read, by its lease, and is due in an hour.
my $n = 0;
sub read_product {
    my (%more) = @_;
    $n++;
    $id = "ikea:$n";
    see([ page(%texts, price => 10000, mrp => 20000, inStock => $true,
               layer => 'ld', %more) ]);
    $db->sql("UPDATE atelier.product_check SET checks = 1,
              checked_at = now() - interval '1 hour', etag = 'tag',
              next_check = now() + interval '1 hour'
              WHERE product_id = '$id'");
    $db->sql("UPDATE atelier.product SET price_at = now() - interval '1 hour'
              WHERE id = '$id'");
    return;
}
sub lease {
    $db->sql("UPDATE atelier.product_check SET fence = fence + 1,
              lease_until = now() + interval '1 minute',
              next_check = now() + interval '1 minute'
              WHERE product_id = '$id'");
    return row('fence');
}
sub is_due { return row('c.next_check <= now()') }
sub fresh { return row(q{p.price_at > now() - interval '1 minute'}) }

# A list never changes what a page has told.

read_product();
for my $price (10100, 14000, 14000, 5000, 5000, 1, 1) {
    see([ list(price => $price, mrp => 30000, inStock => $true) ]);
    is(product(), '10000 t 20000', "a list that says $price changes nothing");
}
is(events(), '100.00', '... tells nobody');
is(points(), 1, '... and is no history');
is(fresh(), 'f', '... nor is the price of today');
is(row('p.doubted_price IS NULL'), 't', '... nor half believed');
is(is_due(), 't', '... but its page is to be looked at');
is(row('c.checks'), 1, '... which the list was not');
is(row('c.etag'), 'tag', '... and may be as it was');

is(see([ list(price => 10000, inStock => $false) ]), "$id=other",
   'stock on a list');
is(product(), '10000 t 20000', '... changes nothing');
is(see([ list(price => 10000, currency => 'USD') ]), "$id=other",
   'another currency on a list');
is(row('p.currency'), 'INR', '... changes nothing');
is(see([ list(price => 10000, inStock => $true, doubt => $true) ]),
   "$id=same", 'a card that is not one with itself');
is(fresh(), 'f', '... confirms nothing');
is(see([ list(inStock => $false) ]), "$id=same",
   'a card without a price says nothing');

# It asks for a page once for what it says, and again when it says another
# thing, or much later; never for one that somebody is at.

read_product();
my $put_off = sub {
    $db->sql("UPDATE atelier.product_check SET next_check = now()
              + interval '1 hour' WHERE product_id = '$id'");
};
see([ list(price => 9000) ]);
is(is_due(), 't', 'due by what a list says');
$put_off->();
see([ list(price => 9000) ]);
is(is_due(), 'f', '... once');
see([ list(price => 9100) ]);
is(is_due(), 't', '... and by what it says now');
$put_off->();
$db->sql("UPDATE atelier.product SET page_at = now() - interval '2 hours'
          WHERE id = '$id'");
see([ list(price => 9100) ]);
is(is_due(), 't', '... and again when the page was read long ago');
read_product();
my $fence = lease();
see([ list(price => 9000) ]);
is(is_due(), 'f', 'one that somebody is at is not due');
$db->sql("SELECT atelier.product_checked('$id', $fence,
          now() + interval '1 hour', false, 'page', 1)");
see([ list(price => 9000) ]);
is(is_due(), 't', '... but the next time');

# A list that says the same confirms.

read_product();
is(see([ list(price => 10000, inStock => $true) ]), "$id=same", 'the same');
is(fresh(), 't', '... is of now');
is(row('c.checks || \' \' || c.changes'), '2 0',
   '... and a look that found no change');
is(row(q{c.checked_at > now() - interval '1 minute'
         AND c.next_check > now() + interval '110 minutes'}), 't',
   '... after which it is looked at as late as before');
read_product();
$fence = lease();
see([ list(price => 10000) ]);
is(row('c.checks || \' \' || (c.lease_until > now())'), '1 true',
   'whoever has the lease keeps it');

# The same product twice in a list.

read_product();
see([ list(price => 10000), list(price => 9000) ]);
is(product() . is_due(), '10000 t 20000t', 'twice, and not the same: due');
is(row('c.checks'), 2, '... but one of them was a look');

# Before its page is read, a list's price is the first value.

$id = 'ikea:first';
is(see([ list(%texts, price => 5000), list(%texts, price => 7000) ]),
   "$id=new $id=other", 'a list tells first');
is(row('p.price || \' \' || p.verified'), '5000 false', '... unverified');
is(see([ list(price => 6000), list(price => 6000) ]), "$id=doubted $id=other",
   'another one');
is(row('p.price'), 5000, '... is not believed, be it twice on one list');
is(see([ list(price => 6000) ]), "$id=changed", '... but by a second one');
is(events(), '50.00 60.00', '... which is told');
is(see([ page(price => 6500) ]), "$id=changed", 'its page');
is(see([ list(price => 6000) ]), "$id=other", '... after which no list counts');
is(see([ list(price => 6000) ]), "$id=other", '... however often');
is(row('p.price'), 6500, '... at all');

# Data that does not agree with what is shown is no first value, either.

$id = 'ikea:odd';
is(see([ page(%texts, price => 5000, doubt => $true) ]), "$id=new", 'odd, new');
is(row('p.price IS NULL'), 't', '... has no price');
is(events(), '', '... and tells nobody');
is(see([ { id => $id, verified => $true } ]), "$id=same", 'proved');
is(row('p.verified'), 'f', '... is not verified');
see([ page(price => 5000, doubt => $true) ]);
is(row('p.price') . ' ' . events(), '5000 50.00', '... but seen twice it has');

# A page far from what a list said; verified only when that is settled.

$id = 'ikea:far';
see([ list(%texts, price => 5000) ]);
is(see([ page(price => 50000) ]), "$id=doubted", 'a page far from the list');
see([ { id => $id, verified => $true } ]);
is(row('p.verified'), 'f', '... is not verified with the price of the list');
is(is_due(), 't', '... but due');
see([ page(price => 50000) ]);
see([ { id => $id, verified => $true } ]);
is(row('p.price || \' \' || p.verified'), '50000 true', '... twice is');

# A page that is read without the lease.

read_product();
is(see([ page(price => 10100, inStock => $true) ]), "$id=doubted",
   'a page without a lease');
is(product() . is_due(), '10000 t 20000t', '... is not believed');
$fence = lease();
is(see([ page(price => 10100, fence => $fence) ]), "$id=changed",
   '... but the next fetch');
is(row('c.etag IS NULL'), 't', '... and what was its ETag is not');
read_product();
is(see([ page(price => 10000, inStock => $false) ]), "$id=other",
   'stock of such a page');
is(product() . is_due(), '10000 t 20000t', '... is not believed, either');

# With the lease: large moves, other layers and currencies are seen twice.

for ([ large => price => 14000 ], [ small => price => 6000 ],
     [ layer => price => 10100, layer => 'og' ],
     [ currency => price => 10000, currency => 'USD' ],
     [ doubt => price => 10100, doubt => $true ])
{
    my ($why, %told) = @$_;
    read_product();
    $fence = lease();
    is(see([ page(%told, fence => $fence) ]), "$id=doubted", "doubted: $why");
    is(product() . ' ' . row('p.currency'), '10000 t 20000 INR',
       '... changes nothing');
    is(see([ page(%told, fence => $fence) ]), "$id=changed", '... once');
    is(row('p.price || p.currency'), $told{price} . ($told{currency} // 'INR'),
       '... but twice');
}
read_product();
$fence = lease();
is(see([ page(price => 11000, layer => 'ld', fence => $fence) ]),
   "$id=changed", 'a move that is not large');
read_product();
$fence = lease();
see([ page(price => 10000, currency => $_, fence => $fence) ])
    for 'USD', 'EUR';
is(row('p.currency'), 'INR', 'two currencies are not the same twice');

# A new currency is told, and the lowest is of that one.

read_product();
see([ { id => $id, price => 50000, currency => 'USD' } ]);
is(events(), '100.00 500.00', 'another currency');
my ($last) = reverse map { JSON::PP::decode_json($_) }
    $db->sql("SELECT data FROM atelier.live_since('product:$id', 0)");
is_deeply([ @$last{qw(previousPrice priceChanged currency)} ],
          [ undef, $true, 'USD' ], '... has no price before it');
is($db->sql("SELECT atelier.price_lowest('$id', 30)"), 50000,
   '... and its own lowest');
see([ { id => $id, price => 50000, currency => 'EUR' } ]);
is((reverse map { JSON::PP::decode_json($_)->{currency} }
    $db->sql("SELECT data FROM atelier.live_since('product:$id', 0)"))[0],
   'EUR', '... is told even if the number is the same');

# What is changed by psql: the page has to be read, not to be the same.

read_product();
$db->sql("UPDATE atelier.product SET price = 1 WHERE id = '$id'");
is(row('c.etag IS NULL'), 't', 'a change by psql: no ETag');

# One that was removed while somebody was at it stays away.

read_product();
$fence = lease();
$db->sql("DELETE FROM atelier.product WHERE id = '$id'");
is(see([ page(%texts, price => 10000, fence => $fence) ]), "$id=fenced",
   'one that was removed');
is(row('1') // 'none', 'none', '... does not come back by an old look');

# Thinning: the lowest of a day, and of a week, stays with what it ended with.

read_product();
sub at { return "date_trunc('week', now() - interval '$_[0] days', 'UTC')
                 + interval '$_[1]'" }
$db->sql("DELETE FROM atelier.price WHERE product_id = '$id'");
for ([ 90, 300, '1 h' ], [ 90, 100, '2 h' ], [ 90, 200, '3 h' ],
     [ 90, 250, '4 h' ], [ 500, 60, '1 d' ], [ 500, 50, '2 d' ],
     [ 500, 70, '3 d' ])
{
    $db->sql("INSERT INTO atelier.price (product_id, at, price, currency)
              VALUES ('$id', @{[ at($_->[0], $_->[2]) ]}, $_->[1], 'INR')");
}
my %before = map { ($_ => $db->sql("SELECT atelier.price_lowest('$id', $_)")) }
             30, 120, 600;
is_deeply(\%before, { 30 => 250, 120 => 70, 600 => 50 }, 'lowest prices');
$db->sql("SELECT atelier.prices_thin('', 1000)");
is(join(' ', $db->sql("SELECT price FROM atelier.price
                       WHERE product_id = '$id' ORDER BY at")),
   '50 70 100 250', 'thinned: the lowest and the last of a day, or week');
is_deeply({ map { ($_ => $db->sql("SELECT atelier.price_lowest('$id', $_)")) }
            keys %before }, \%before, '... so the lowest are the same');

done_testing();
