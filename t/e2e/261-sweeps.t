# Sweeps of atelier-prices: a list confirms many prices by one request, and
# believes nothing else.

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
my $stack = Stack->new;
my ($port) = $stack->{sandbox} =~ /:(\d+)$/;
my $dir = File::Temp->newdir;
system('scripts/sandbox-recipes', "$dir", $port, 100) == 0
    or die 'scripts/sandbox-recipes failed';
my $json = JSON::PP->new->utf8->canonical;

sub settings {
    my (%more) = @_;
    my %all = (
        redis    => { address => $redis->address },
        postgres => { conninfo => $db->conninfo },
        shops    => { recipes => "$dir" },
        fetch    => { agent => 'Atelier test', wall_first => '100ms',
                      wall_most => '100ms', backoff => '20ms',
                      timeout => '2s', allow_address => "127.0.0.1:$port" },
        looks    => { usual => '1h', least => '30m', doubt => '5s',
                      watched => '200ms', lease => '5s', poll => '50ms' },
        sweeps   => { least => 4, every => '100ms' },
    );
    for my $section (keys %more) {
        $all{$section} = { %{ $all{$section} // {} }, %{ $more{$section} } };
    }
    return \%all;
}

sub until_true { return Worker::until_true(@_) }

# Shops: what they have, and what is made of it.

sub known {
    my ($shop) = @_;
    my $res = $stack->http->get("$stack->{sandbox}/_control/$shop/products");
    return @{ $json->decode($res->{content})->{products} };
}

sub shop {
    my ($id, $how, $what) = @_;
    my ($shop, $native) = split /:/, $id;
    my $res = $stack->http->request($how,
        "$stack->{sandbox}/_control/$shop/products/$native",
        $what ? { content => $json->encode($what) } : {});
    die "$how $id: $res->{status} $res->{content}" if !$res->{success};
    return $json->decode($res->{content} || '{}');
}

sub put { return shop($_[0], 'PUT', $_[1]) }

sub fetched { return shop($_[0], 'GET')->{fetched} }

# Products as atelier-shop has found them; they are not due yet.

sub seed {
    my ($shop, @known) = @_;
    my @seen = map { {
        id => "$shop:$_->{id}", title => $_->{title},
        url => "http://$shop.localhost:$port$_->{path}",
        price => int($_->{price} * 100 + 0.5), currency => 'INR',
        inStock => $_->{stock} ? JSON::PP::true : JSON::PP::false,
        verified => JSON::PP::true,
    } } @known;
    my $text = $json->encode(\@seen) =~ s/'/''/gr;
    $db->sql("BEGIN; SELECT count(*) FROM atelier.products_see('$text');
              UPDATE atelier.product_check
              SET next_check = now() + interval '1 day'
              WHERE checks = 0 AND retailer = '$shop'; COMMIT");
    return map { $_->{id} } @seen;
}

sub due {
    my $list = join ',', map { "'$_'" } @_;
    $db->sql("UPDATE atelier.product_check SET next_check = now()
              WHERE product_id IN ($list)");
    return;
}

sub row {
    my ($columns, $id) = @_;
    return scalar $db->sql("SELECT $columns FROM atelier.product p
        JOIN atelier.product_check c ON c.product_id = p.id
        WHERE p.id = '$id'");
}

sub price { return row('atelier.money_text(p.price, p.currency)', $_[0]) }

$stack->control(ikea => { pace => 0, seed => 1 });

# What a search of the shop shows, as atelier-shop would have found it.

my $res = $stack->http->get(
    "$stack->{sandbox}/shop/ikea/in/en/search/?q=sofa&page=1");
is($res->{status}, 200, 'a list');
my @known = grep { shop("ikea:$_->{id}", 'GET')->{listed} } known('ikea');
cmp_ok(scalar @known, '>=', 20, '... of products');
my @ids = seed('ikea', @known);
my %first = map { ("ikea:$_->{id}" => $_->{price}) } @known;
my $list = join ',', map { "'$ids[$_]'" } 0 .. $#ids;
$db->sql("INSERT INTO atelier.product_query (query, product_id, rank)
          SELECT 'sofa', id, n FROM unnest(ARRAY[$list]) WITH ORDINALITY
          AS u (id, n)");

# One of them has another price by now; another one is not in the list.

my $moved = $ids[2];
my $more = sprintf '%.2f', $first{$moved} + 100;
put($moved, { price => $more });
my ($stranger) = seed('ikea', grep { !$first{"ikea:$_->{id}"} }
                               (grep { !shop("ikea:$_->{id}", 'GET')->{listed} }
                                (known('ikea'))[0 .. 40])[0]);
$db->sql("INSERT INTO atelier.product_query (query, product_id, rank)
          VALUES ('sofa', '$stranger', 30)");
due(@ids[0 .. 5], $stranger);

my %before = map { ($_ => fetched($_)) } @ids, $stranger;
my $prices = Worker->new('prices', settings());
$prices->ready;

sub results {
    return $prices->metric(qq(atelier_prices_looks_total{result="$_[0]"}));
}

until_true('the new price', sub { price($moved) eq $more });
until_true('the end', sub {
    return !$db->sql("SELECT count(*) FROM atelier.product_check
                      WHERE next_check <= now() OR lease_until IS NOT NULL");
});
pass('what another price had is looked at by its page');
is($prices->metric('atelier_prices_sweeps_total'), 1, 'one list was enough');
cmp_ok(results('swept'), '>=', 0.7 * @ids, '... for most of its products');
is(fetched($stranger), $before{$stranger} + 1,
   'what is not in it is looked at by its page');
my @paged = grep { fetched($_) > $before{$_} } @ids;
cmp_ok(scalar @paged, '<=', 0.3 * @ids, '... as are few others');
is_deeply([ grep { price($_) ne ($_ eq $moved ? $more : $first{$_}) } @ids ],
          [], 'all prices are right');
is($db->sql("SELECT count(*) FROM atelier.product_check
             WHERE checks = 1 AND product_id IN ($list)"),
   results('swept') + @paged, 'each of them was one look');
is($db->sql('SELECT count(*) FROM atelier.price'), @ids + 2,
   '... and one change was seen');

# A list confirms only what a page has told.

my ($pages, $swept) = (fetched($ids[1]), results('swept'));
$db->sql("UPDATE atelier.product SET page_at = NULL WHERE id = '$ids[1]'");
due(@ids);
until_true('the sweep', sub { results('swept') > $swept });
until_true('the page', sub { row('p.page_at IS NOT NULL', $ids[1]) eq 't' });
is(fetched($ids[1]), $pages + 1, 'a page that nobody has read is asked for');

# A wall in front of the list changes nothing.

$stack->control(ikea => { mode => 'wall', pace => 0, seed => 1 });
put($ids[5], { price => 1 });
due(@ids[4 .. 9]);
until_true('the wall', sub { results('wall') >= 1 });
is(price($ids[5]), $first{ $ids[5] }, 'a wall changes nothing');

$prices->signal('TERM');
is($prices->ended, 0, 'ends well');
is($db->sql('SELECT count(*) FROM atelier.product_check
             WHERE lease_until > now()'), 0, '... and leaves no lease');
$stack->finish;
done_testing();
