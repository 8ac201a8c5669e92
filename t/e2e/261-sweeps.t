# Sweeps of atelier-prices: a list confirms many prices by one request, and
# believes nothing else.

use strict;
use warnings;
use lib 't/helper';
use Shops;
use Test::More;
use Worker;

my $shops = Shops->new(gap => 100);
my ($db, $stack) = @$shops{qw(db stack)};

sub until_true { return Worker::until_true(@_) }
sub fetched { return $shops->fetched(@_) }
sub due { return $shops->due(@_) }
sub row { return $shops->row(@_) }
sub price { return $shops->price(@_) }

$stack->control(ikea => { pace => 0, seed => 1 });

# What a search of the shop shows, as atelier-shop would have found it.

my $res = $stack->http->get(
    "$stack->{sandbox}/shop/ikea/in/en/search/?q=sofa&page=1");
is($res->{status}, 200, 'a list');
my @known = grep { $shops->product("ikea:$_->{id}")->{listed} }
            $shops->known('ikea');
cmp_ok(scalar @known, '>=', 20, '... of products');
my @ids = $shops->seed('ikea', @known);
my %first = map { ("ikea:$_->{id}" => $_->{price}) } @known;
my $list = join ',', map { "'$ids[$_]'" } 0 .. $#ids;
$db->sql("INSERT INTO atelier.product_query (query, product_id, rank)
          SELECT 'sofa', id, n FROM unnest(ARRAY[$list]) WITH ORDINALITY
          AS u (id, n)");

# One of them has another price by now; another one is not in the list.

my $moved = $ids[2];
my $more = sprintf '%.2f', $first{$moved} + 100;
$shops->put($moved, { price => $more });
my ($other) = grep { !$shops->product("ikea:$_->{id}")->{listed} }
              ($shops->known('ikea'))[0 .. 40];
my ($stranger) = $shops->seed('ikea', $other);
$db->sql("INSERT INTO atelier.product_query (query, product_id, rank)
          VALUES ('sofa', '$stranger', 30)");
due(@ids[0 .. 5], $stranger);

my %before = map { ($_ => fetched($_)) } @ids, $stranger;
my $prices = Worker->new('prices', $shops->price_settings(
    sweeps => { least => 4, every => '100ms' }));
$prices->ready;

sub results {
    return $prices->metric(qq(atelier_prices_looks_total{result="$_[0]"}));
}

until_true('the new price', sub { price($moved) eq $more });
until_true('the end', sub {
    return !$db->sql("SELECT count(*) FROM atelier.product_check
                      WHERE next_check <= now() OR lease_until IS NOT NULL");
});
until_true('all to be counted', sub {
    return $prices->metric('atelier_prices_held') == 0 });
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
$shops->put($ids[5], { price => 1 });
due(@ids[4 .. 9]);
until_true('the wall', sub { results('wall') >= 1 });
is(price($ids[5]), $first{ $ids[5] }, 'a wall changes nothing');

$prices->signal('TERM');
is($prices->ended, 0, 'ends well');
is($db->sql('SELECT count(*) FROM atelier.product_check
             WHERE lease_until > now()'), 0, '... and leaves no lease');
$stack->finish;
done_testing();
