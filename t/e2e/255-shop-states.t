# What is no page changes nothing: each of the states that a shop's answer can
# have, through to what is stored; and the alarm when a layout is no longer
# understood.

use strict;
use warnings;
use lib 't/helper';
use Shops;
use Test::More;

my $shops = Shops->new(only => ['pepperfry']);
my ($stack, $db) = @{$shops}{qw(stack db)};

sub until_true { return Worker::until_true(@_) }

sub control {
    my ($shop, %mode) = @_;
    $stack->control($shop => { pace => 0, seed => 1, %mode });
    return;
}

# All that is known of a shop's products but for when they were seen.
sub known {
    my ($shop) = @_;
    return join "\n", $db->sql(
        "SELECT id, title, url, image, category, price, mrp, currency, in_stock,
                price_at, layer, doubted_price
         FROM atelier.product WHERE retailer = '$shop' ORDER BY id");
}

sub looks {
    my ($worker, $shop, $kind, $state) = @_;
    return $worker->metric('atelier_look_pages_total{shop="' . $shop
        . qq(",kind="$kind",state="$state"})) // 0;
}

# A good list first; then one page of each state instead of it.

control('pepperfry');
my $worker = $shops->worker;
$shops->job(query => 'sofa', category => 'sofas');
$shops->done;
my $known = known('pepperfry');
cmp_ok(scalar(split /\n/, $known), '>', 10, 'products of a list');

my @lists = (['wall', 'denied', 'wall'], ['wall', 'captcha', 'captcha'],
             ['wall', 'human'], ['wall', 'overload', 'failed'],
             ['wall', 'portal'], ['page', 'soft404', 'soft 404'],
             ['page', 'cut', 'truncated'], ['page', 'shell', 'client-rendered'],
             ['page', 'home'], ['page', 'offsite', 'moved'],
             ['page', 'gone', 'gone'], ['page', 'missing', 'gone']);
for (@lists) {
    my ($mode, $variant, $state) = @$_;
    my $before = $state ? looks($worker, 'pepperfry', 'list', $state) : 0;
    control(pepperfry => mode => $mode, variant => $variant);

    # a wall before this one may still keep the host closed

    until_true($variant, sub {
        $shops->job(query => 'sofa', category => 'sofas');
        $shops->done;
        return !$state
               || looks($worker, 'pepperfry', 'list', $state) > $before;
    });
    is(known('pepperfry'), $known,
       "a list, $variant" . ($state ? ": $state" : '') . ', changes nothing');
}

# The same of products' own pages, as proofs ask for them.

control('pepperfry');
$shops->job(query => 'sofa', category => 'sofas');
$shops->done;
$worker->signal('TERM');
$worker->ended;
my %page = (soft404 => 'soft 404', cut => 'truncated',
            shell => 'client-rendered', home => 'moved', offsite => 'moved',
            gone => 'gone', missing => 'gone');
my ($walled, @ids) = $db->sql("SELECT product_id FROM atelier.product_query
                               WHERE query = 'sofa' ORDER BY rank LIMIT "
                              . (1 + keys %page));
$db->sql("DELETE FROM atelier.product WHERE id NOT IN ("
         . join(',', map { "'$_'" } $walled, @ids) . ')');
$known = known('pepperfry');

# What becomes of products with such pages, by a worker of its own.

sub proofs {
    my (%is) = @_;
    my $list = join ',', map { "'$_'" } keys %is;
    $shops->put($_, { page => $is{$_} }) for keys %is;
    $db->sql("UPDATE atelier.product_proof SET next_at = now() + interval '1d';
              DELETE FROM atelier.product_proof WHERE product_id IN ($list);
              INSERT INTO atelier.product_proof (product_id, next_at)
              SELECT id, now() + interval '1d' FROM atelier.product
              WHERE id NOT IN ($list) ON CONFLICT DO NOTHING");
    my $one = $shops->worker(verify => { parallel => 1, again => '1d' });
    my @states = ("SELECT product_id, state FROM atelier.product_proof
                   WHERE product_id IN ($list) AND state IS NOT NULL");
    until_true('all proofs', sub { keys %is == (() = $db->sql(@states)) });
    $one->signal('TERM');
    $one->ended;
    return map { split /\|/ } $db->sql(@states);
}

my @variants = sort keys %page;
my %is = proofs(map { ($ids[$_] => $variants[$_]) } 0 .. $#variants);
for my $i (0 .. $#variants) {
    my $state = $page{ $variants[$i] };
    is($is{ $ids[$i] }, $state, "a product's page, $variants[$i]: $state")
        if $state;
    isnt($is{ $ids[$i] }, 'verified', "... $variants[$i] proves nothing");
}
for my $wall (['denied', 'wall'], ['captcha', 'captcha'], ['portal', 'wall']) {
    %is = proofs($walled => $wall->[0]);
    is($is{$walled}, $wall->[1], "a product's page, $wall->[0]: $wall->[1]");
}
is(known('pepperfry'), $known, 'none of them has changed anything')
    or diag(explain({ map { ($ids[$_] => $variants[$_]) } 0 .. $#ids }));

# A recipe that goes by names of classes, and a shop that changes these.

$shops->{only} = ['flipkart'];
$shops->recipes;
$shops->recipe(flipkart => sub {
    $_[0]{list}{fields}{price} = '.hZ3P6w';
    delete $_[0]{list}{fields}{mrp};
    $_[0]{layers} = ['selectors'];
    delete $_[0]{order};
});
control('flipkart');
$worker = $shops->worker;

# A list of each query; the alarm looks at the last 50 pages of at least 70.
sub lists {
    my ($n) = @_;
    $shops->job(query => 'sofa') for 1 .. $n;
    $shops->done;
    return;
}

sub rate {
    my ($name) = @_;
    return $worker->metric("atelier_look_$name"
        . '{shop="flipkart",kind="list",layer="selectors"}');
}

lists(71);
is(rate('alarm'), 0, 'no alarm as long as prices are found');
my $usual = rate('hit_percent');
cmp_ok($usual, '>', 70, '... of most products');
$known = known('flipkart');
my $prices = $db->sql("SELECT count(*) FROM atelier.product
                       WHERE retailer = 'flipkart' AND price > 0");
control(flipkart => look => 77);
lists(20);
is(rate('alarm'), 1, 'an alarm when they are not');
cmp_ok(rate('hit_percent'), '<', $usual - 20, '... by the metric');
my ($fell) = $worker->events('shop.rate.fell');
is("$fell->{shop} $fell->{kind} $fell->{level}", 'flipkart list error',
   '... and in the log');
is($db->sql("SELECT count(*) FROM atelier.product
             WHERE retailer = 'flipkart' AND price > 0"), $prices,
   'the last good prices stay');
is(known('flipkart'), $known, '... as they were');
$worker->signal('TERM');
is($worker->ended, 0, 'it ends');

$shops->finish;
done_testing();
