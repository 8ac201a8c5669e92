# Searches of atelier-shop that do not go as they should: shops that answer
# after their time, and products that the database does not take.

use strict;
use warnings;
use lib 't/helper';
use Shops;
use Test::More;

my $shops = Shops->new(only => [qw(flipkart ikea)]);
my ($stack, $db, $redis) = @{$shops}{qw(stack db redis)};

# A query by schedule sets the key of what is asked, which is told by its end.

my ($worker, $asked, %known);

sub until_true { return Worker::until_true(@_) }

sub slow {
    my (%mode) = @_;
    $stack->control($_ => { pace => 0, %mode }) for qw(flipkart ikea);
    return;
}

sub search {
    my ($query) = @_;
    if ($worker) {
        $worker->signal('TERM');
        $worker->ended;
    }
    $worker = $shops->worker(search => { query => $query, every => '10m',
                                         timeout => '300ms' });
    ($asked) = until_true('the key', sub {
        my @new = grep { !$known{$_} }
                  @{ $redis->ask('KEYS', 'atelier:shop:asked:*') };
        return $new[0] });
    $known{$asked} = 1;
    until_true('the end of the job', sub { $worker->events('job.done') });
    return;
}

sub left { return $redis->ask('PTTL', $asked) }

sub state { return $redis->ask('GET', $asked) }

# Both shops answer after their time: what they say is stored, and they are
# not asked again soon.

slow(latencyMs => 7000);
search('sofa');
is($worker->metric('atelier_shop_searches_total{result="late"}'), 2,
   'two shops are late');
is($shops->found('sofa')->{ikea}, undef, '... and have told nothing yet');
is(state(), 'pending', '... which is known');
until_true('less time', sub { left() < 130000 });
pass('... and not for long, lest nobody tells more');
until_true('both shops', sub { 2 == keys %{ $shops->found('sofa') } });
pass('what they say later is stored');
until_true('the end', sub { state() eq 'done' });
pass('... which is the end');
cmp_ok(left(), '>', 500000, '... and they are not asked again soon');
my ($over) = until_true('the line', sub {
    my ($line) = $worker->events('job.over');
    return $line });
is($over->{came}, 2, '... as the log says');

# Both fail after their time: they may be asked again soon.

slow(latencyMs => 7000, mode => 'wall');
search('lamp');
is(state(), 'pending', 'two shops are late again');
until_true('the end', sub { state() eq 'done' });
cmp_ok(left(), '<=', 30000, '... and fail, so they are asked again soon');

# One has failed and one is late, which is no failure of all.

slow();
$stack->control(flipkart => { pace => 0, mode => 'wall' });
$stack->control(ikea => { pace => 0, latencyMs => 7000 });
search('rug');
until_true('the end', sub { state() eq 'done' });
cmp_ok($shops->found('rug')->{ikea}, '>', 5, 'one that is late');
cmp_ok(left(), '>', 500000, '... is no failure of all');
$worker->signal('TERM');
is($worker->ended, 0, 'it ends');

# Of a page with a product that the database does not take the others are
# stored, in their places.

slow();
$shops->{only} = ['ikea'];
$shops->recipes;
$worker = $shops->worker;
$shops->job(query => 'desk');
$shops->done;
my @ids = $db->sql("SELECT product_id FROM atelier.product_query
                    WHERE query = 'desk' ORDER BY rank");
cmp_ok(scalar @ids, '>', 10, 'a page of products');
$db->sql("DELETE FROM atelier.product; DELETE FROM atelier.product_query");
$db->sql("ALTER TABLE atelier.product ADD CONSTRAINT odd
          CHECK (id <> '$ids[3]')");
$shops->job(query => 'desk');
$shops->done;
is(join(' ', $db->sql("SELECT product_id FROM atelier.product_query
                       WHERE query = 'desk' ORDER BY rank")),
   join(' ', grep { $_ ne $ids[3] } @ids), 'all but the one are stored');
is($worker->metric('atelier_shop_products_total{result="refused"}'), 1,
   '... which is counted');
my @refused = $worker->events('store.refused');
is(scalar @refused, 1, '... and logged once');
like($refused[0]{product}, qr/"\Q$ids[3]\E"/, '... by its name');
is($db->sql("SELECT rank FROM atelier.product_query
             WHERE product_id = '$ids[5]'"), 6, 'the others keep their places');

# If none is taken only a few are tried.

$db->sql("DELETE FROM atelier.product; ALTER TABLE atelier.product
          ADD CONSTRAINT none CHECK (id = '')");
$shops->job(query => 'desk');
$shops->done;
is($worker->metric('atelier_shop_products_total{result="refused"}'),
   1 + @ids, 'all are refused');
@refused = $worker->events('store.refused');
is(scalar @refused, 1 + 8, '... and few of them logged');
$worker->signal('TERM');
is($worker->ended, 0, 'it ends');

$shops->finish;
done_testing();
