# atelier-prices: a change at a shop is on every socket that watches; what is
# no page, or too odd to be true, changes nothing; what is watched is looked
# at sooner; processes share the work, and one that dies loses none.

use strict;
use warnings;
use lib 't/helper';
use Live;
use Shops;
use Test::More;
use Worker;

my $shops = Shops->new(gap => 100, stack => sub {
    my ($self) = @_;
    return (
        http   => "atelier_redis " . $self->{redis}->address . ";\n"
                  . "atelier_postgres '" . $self->{db}->conninfo . "';",
        server => 'location = /live'
                  . ' { atelier_live max_sockets_per_address=0; }');
});
my ($db, $redis, $stack, $dir) = @$shops{qw(db redis stack dir)};

sub until_true { return Worker::until_true(@_) }
sub settings { return $shops->price_settings(@_) }
sub put { return $shops->put(@_) }
sub fetched { return $shops->fetched(@_) }
sub due { return $shops->due(@_) }
sub row { return $shops->row(@_) }
sub price { return $shops->price(@_) }

sub looked {
    my ($id, $code) = @_;
    my $before = row('c.fence', $id);
    $code->() if $code;
    due($id);
    until_true("a look at $id", sub {
        return row('c.fence > ' . $before . ' AND c.lease_until IS NULL', $id)
               eq 't';
    });
    return row('c.state', $id);
}

$stack->control($_ => { pace => 0, seed => 1 }) for qw(ikea pepperfry);
my @known = grep { $_->{stock} && $_->{price} > 500 && $_->{price} < 100000 }
            $shops->known('ikea');
my @ids = $shops->seed('ikea', @known[0 .. 79]);
my %first = map { ("ikea:$_->{id}" => $_->{price}) } @known;

my $relay = Worker->new('relay', {
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo },
});
my $prices = Worker->new('prices', settings());
$prices->ready;
$relay->ready;

sub results {
    return $prices->metric(
        qq(atelier_prices_looks_total{result="$_[0]"}));
}

# Counted a moment after it is stored.
sub counted {
    my ($what, $n) = @_;
    until_true("the count of $what", sub { results($what) >= $n });
    return results($what);
}

# A look that finds what is known; the next one is answered by 304.

my $a = $ids[0];
is(looked($a), 'page', 'a page');
is(price($a), $first{$a}, '... says what is known');
is(counted(same => 1), 1, '... and is counted');
is(row('c.checks || \' \' || c.changes', $a), '1 0', '... as a check');
is(looked($a), 'page', 'once more');
is(counted(unchanged => 1), 1, '... it has not changed, as the shop says');
cmp_ok($stack->counters('ikea')->{notModified}, '>=', 1, '... by 304');

# A change is on the socket.

my $live = Live->new($stack->{port});
$live->subscribe("product:$a");
my ($subscribed, $value) = $live->take(2);
is($value->{data}{price}, $first{$a}, 'a browser watches');
my $more = sprintf '%.2f', $first{$a} + 100;
put($a, { price => $more });
my $frame = $live->next;
is_deeply([ @{ $frame->{data} }{qw(productId price previousPrice)} ],
          [ $a, $more, $first{$a} ], 'a change is seen, without being due');
is($frame->{id}, $value->{id} + 1, '... with the next id');
is(price($a), $more, '... and is stored');

# What is watched is looked at often, what is not is not.

my $b = $ids[1];
looked($b);
my $once = fetched($b);
my $often = fetched($a);
until_true('more looks', sub { fetched($a) >= $often + 5 });
is(fetched($b), $once, 'only what is watched is looked at sooner');
until_true('the count', sub {
    $prices->metric('atelier_prices_hurried_total') >= 5 });
pass('... as metrics say');
is($prices->metric('atelier_prices_watched'), 1, '... which know how many');

# Sold out, and back in stock.

put($a, { price => $more, stock => 0 });
$frame = $live->next;
is_deeply([ map { $_ ? 1 : 0 } @{ $frame->{data} }{
              qw(inStock stockChanged priceChanged) } ], [ 0, 1, 0 ],
          'sold out');
put($a, { price => $more, stock => 3 });
$frame = $live->next;
is_deeply([ map { $_ ? 1 : 0 } @{ $frame->{data} }{
              qw(inStock stockChanged priceChanged) } ], [ 1, 1, 0 ],
          'back in stock');
$live->unsubscribe("product:$a");

# Too odd to be true: a second look decides.

my $half = sprintf '%.2f', int($first{$b} * 0.4);
is(looked($b, sub { put($b, { price => $half }) }), 'doubted',
   'a price that fell far is doubted');
is(price($b), $first{$b}, '... and not believed');
until_true('the second look', sub { price($b) eq $half });
pass('... until a second look finds it again');
is(fetched($b), $once + 2, '... which were two requests');
is(row('c.state', $b), 'page', '... and no doubt is left');

my $c = $ids[2];
is(looked($c, sub { put($c, { price => 1 }) }), 'doubted', 'an odd price');
put($c, { price => $first{$c} });
until_true('the second look', sub { row('c.state', $c) eq 'page' });
is(price($c), $first{$c}, '... that was none: it is as it was');
is(row('p.doubted_price IS NULL', $c), 't', '... and forgotten');
is($db->sql("SELECT count(*) FROM atelier.price WHERE product_id = '$c'"), 1,
   '... in history, too');

# What is known changes while somebody looks: that it is as it was, as the shop
# says then, was said of something else.

my $e = $ids[79];
looked($e);
my $n304 = results('unchanged');
looked($e);
is(counted(unchanged => $n304 + 1), $n304 + 1, 'the page is as it was');
$stack->control(ikea => { pace => 0, seed => 1, latencyMs => 5000 });
due($e);
until_true('a look', sub { row('c.lease_until > now()', $e) eq 't' });
$db->sql("UPDATE atelier.product SET price = price + 1 WHERE id = '$e'");
until_true('the price of the page', sub { price($e) eq $first{$e} });
pass('... but not what is known: the page is read');
$stack->control(ikea => { pace => 0, seed => 1 });

# What is no page.

my %state = (gone => 'gone', missing => 'gone', soft404 => 'soft 404',
             home => 'moved', shell => 'client-rendered');
for my $page (sort keys %state) {
    my $id = $ids[3];
    is(looked($id, sub { put($id, { price => 1, page => $page }) }),
       $state{$page}, "a page that is $page");
    is(price($id) . row('p.in_stock', $id), "$first{$id}t",
       '... changes nothing');
}
is(row('c.failures', $ids[3]), 5, 'failures are counted');
is(row(q{c.next_check > now() + interval '5 h'}, $ids[3]), 't',
   '... and it is left alone for long');
looked($ids[3], sub { put($ids[3], { price => $first{ $ids[3] } }) });
is(row('c.failures', $ids[3]), 0, 'it is there again');

# A wall: the shop is left alone, nothing is overwritten, then it goes on.

my ($n, $d) = (results('wall'), $ids[4]);
$stack->control(ikea => { mode => 'wall', variant => 'captcha', pace => 0,
                          seed => 1 });
put($d, { price => 1 });
due($d);
until_true('the wall', sub { results('wall') > $n });
is(price($d), $first{$d}, 'a wall changes nothing');
is(row('c.failures', $d), 0, '... and is no failure of the product');
like(($prices->get('/metrics'))[1], qr/^atelier_crawl_walls_total\{\w+="ikea"\} [1-9]/m,
     '... the host is closed');
my $new = sprintf '%.2f', $first{$d} + 50;
put($d, { price => $new });
$stack->control(ikea => { pace => 0, seed => 1 });
until_true('the price', sub { price($d) eq $new });
pass('... and asked again when it is down');

# robots.txt is obeyed.

$stack->control(pepperfry => { robots => 'closed', pace => 0, seed => 1 });
my ($p) = $shops->seed('pepperfry', ($shops->known('pepperfry'))[0]);
is(looked($p), 'disallowed', 'disallowed by robots.txt');
is(fetched($p), 0, '... so nobody has asked');
is($stack->counters('pepperfry')->{disallowed}, 0, '... for any page');

# Two processes: each product is asked for once.

my $other = Worker->new('prices', settings());
$other->ready;
my @many = @ids[5 .. 34];
my $looks = 'atelier_prices_looks_total{result="%s"}';
my $all = sub {
    my ($worker) = @_;
    return $worker->metric(sprintf $looks, 'same')
           + $worker->metric(sprintf $looks, 'unchanged');
};
my @did = map { $all->($_) } $prices, $other;
until_true('each to look at some', sub {
    my %before = map { ($_ => fetched($_)) } @many;
    due(@many);
    until_true('all looks', sub {
        return !$db->sql("SELECT count(*) FROM atelier.product_check
            WHERE retailer = 'ikea' AND (next_check <= now()
                                         OR lease_until IS NOT NULL)");
    });
    is_deeply([ grep { fetched($_) != $before{$_} + 1 } @many ], [],
              'two processes: no product was asked for twice');
    return $all->($prices) > $did[0] && $all->($other) > $did[1];
});
pass('... and each has looked at some');

# One is killed while it works: nothing is lost, all is in order.

$live = Live->new($stack->{port});
my (%heard, %id, @came);
$live->subscribe("product:$_") for @many;
$live->rest;
my %want;
for my $round (1 .. 3) {
    for my $id (@many) {
        $want{$id} = sprintf '%.2f', $first{$id} + $round;
        put($id, { price => $want{$id} });
    }
    my $done = results('changed') // 0;
    due(@many);
    until_true('some', sub {
        push @came, $live->rest;
        return (results('changed') // 0) > $done;
    });
    $prices->signal('KILL');
    is($prices->ended, -9, 'killed');
    $prices->start;
}
until_true('all prices', sub {
    push @came, $live->rest;    # a socket that nobody reads is closed
    return !grep { price($_) ne $want{$_} } @many;
});
pass('what was changed meanwhile is all there');
while (grep { ($heard{$_} // '') ne $want{$_} } @many) {
    my $message = shift @came // $live->next;
    my $data = $message->{data} or next;
    my $key = $data->{productId};
    is($message->{id}, $id{$key} + 1, "$key in order")
        if $id{$key} && $message->{id} != $id{$key} + 1;
    $id{$key} = $message->{id};
    $heard{$key} = $data->{price};
}
pass('... and on the socket, in order');
undef $live;
is($db->sql(q{SELECT count(*) FROM (SELECT product_id, price, lag(price)
        OVER (PARTITION BY product_id ORDER BY at) AS was
        FROM atelier.price) AS h WHERE price < was
        AND product_id NOT IN ('} . $b . q{', '} . $e . q{')}), 0,
   '... and in history, none of them twice or backwards');
$other->signal('TERM');
is($other->ended, 0, 'ends well');

# History is thinned.

$db->sql("INSERT INTO atelier.price (product_id, at, price, currency)
          SELECT '$c', now() - interval '90 d' + i * interval '1 s', i, 'INR'
          FROM generate_series(1, 5) i");
$prices->settings(settings(history => { thin_every => '1s' }));
$prices->signal('HUP');
until_true('history to be thinned', sub {
    return $db->sql("SELECT count(*) FROM atelier.price
                     WHERE product_id = '$c'") <= 3;
});
pass('old history is thinned');

# Settings and recipes anew.

$prices->settings(settings(looks => { least => '5d' }));
$prices->signal('HUP');
until_true('the refusal', sub { $prices->events('reload.refused') });
my ($refused) = $prices->events('reload.refused');
like($refused->{error}, qr/"least" is longer than "most"/, 'and says why');
Stack::spew("$dir/ikea.json", '{');
$prices->settings(settings());
$prices->signal('HUP');
until_true('the recipe to be refused', sub {
    return $prices->events('recipe.refused');
});
until_true('the new ones', sub { $prices->events('reloaded') >= 2 });
looked($d, sub { put($d, { price => $new + 1 }) });
is(price($d), sprintf('%.2f', $new + 1), 'a bad recipe: the old one is kept');

$prices->signal('TERM');
is($prices->ended, 0, 'ends well');
$stack->finish;
done_testing();
