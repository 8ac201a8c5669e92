# atelier-prices and a PostgreSQL that stands still: what it cannot store is
# looked at again, nothing counts against the product, nobody waits for long,
# neither for the server nor there, and it ends when it is told to.

use strict;
use warnings;
use lib 't/helper';
use Shops;
use Test::More;
use Worker;

my $shops = Shops->new(only => ['ikea'], gap => 100);
my ($db, $stack) = @$shops{qw(db stack)};

$stack->control(ikea => { pace => 0, seed => 1 });
my @known = (grep { $_->{stock} && $_->{price} > 500 }
             $shops->known('ikea'))[0 .. 3];
my @ids = $shops->seed('ikea', @known);
my %first = map { ("ikea:$_->{id}" => $_->{price}) } @known;

sub row { return $shops->row(@_) }
sub price { return $shops->price(@_) }
sub due { return $shops->due(@_) }
sub waiting {
    return $db->sql(q{SELECT count(*) FROM pg_stat_activity
                      WHERE application_name = 'atelier-worker'
                      AND wait_event_type = 'Lock'});
}
sub until_true { return Worker::until_true(@_) }

my $prices = Worker->new('prices', $shops->price_settings(
    postgres => { timeout => '1s' }));
$prices->ready;
sub results {
    return $prices->metric(
        qq(atelier_prices_looks_total{result="$_[0]"})) // 0;
}

# It stands still while a page is on its way.

my $id = $ids[0];
my $more = sprintf '%.2f', $first{$id} + 10;
$shops->put($id, { price => $more });
$stack->control(ikea => { pace => 0, seed => 1, latencyMs => 5000 });
due($id);
until_true('a look', sub { row('c.lease_until IS NOT NULL', $id) eq 't' });
$db->freeze;
until_true('the loss', sub { results('lost') });
until_true('PostgreSQL to be away', sub {
    return $prices->metric('atelier_prices_postgres_up') == 0 });
is(($prices->get('/health/ready'))[0], 503, 'frozen: it is not ready');
$db->thaw;
$stack->control(ikea => { pace => 0, seed => 1 });
until_true('the price', sub { price($id) eq $more });
pass('with it again: what was lost is looked at again');
is(row('c.failures', $id), 0, '... and the product has not failed');
is($db->sql("SELECT count(*) FROM atelier.price WHERE product_id = '$id'"), 2,
   '... and was changed once');

# Somebody holds a row: nobody waits for it longer, there either.

$id = $ids[1];
my $one = $db->session;
$one->ask('BEGIN');
$one->ask("SELECT 1 FROM atelier.product WHERE id = '$id' FOR UPDATE");
my $lost = results('lost');
due($id);
until_true('the loss', sub { results('lost') > $lost });
until_true('an end of waiting', sub { waiting() == 0 });
pass('what nobody waits for any more is given up by the server');
$one->ask('ROLLBACK');
until_true('a look', sub { row('c.checks', $id) });
is(row('c.failures', $id), 0, '... and done when it can be');

# A wrong order of two is no reason to leave it.

$db->sql(q{CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN IF NEW.price = 77700 THEN RAISE 'deadlock'
    USING ERRCODE = 'deadlock_detected'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER broken BEFORE UPDATE ON atelier.product
    FOR EACH ROW EXECUTE FUNCTION public.broken()});
$id = $ids[2];
$db->sql("UPDATE atelier.product SET price = 77500 WHERE id = '$id'");
$shops->put($id, { price => '777.00' });
$lost = results('lost');
due($id);
until_true('the loss', sub { results('lost') > $lost });
$db->sql('DROP TRIGGER broken ON atelier.product');
until_true('the price', sub { price($id) eq '777.00' });
is(row('c.failures', $id), 0, 'a deadlock is tried again');

# What it refuses for good is a failure, and not tried again at once.

$db->sql("ALTER TABLE atelier.product ADD CHECK (price <> 77800)");
$shops->put($id, { price => '778.00' });
due($id);
until_true('the refusal', sub { row('c.failures', $id) == 1 });
is(price($id), '777.00', 'what is refused changes nothing');
is(row('c.lease_until IS NULL AND c.next_check > now()', $id), 't',
   '... and is left for a while');

# It ends while PostgreSQL stands still.

$db->freeze;
$prices->signal('TERM');
is($prices->ended, 0, 'it ends without PostgreSQL');
$db->thaw;
$shops->finish;
done_testing();
