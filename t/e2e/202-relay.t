# atelier-relay: what is published in PostgreSQL is in Redis at once, in
# order, once, whatever of Redis, PostgreSQL and the process goes away.

use strict;
use warnings;
use lib 't/helper';
use Ear;
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Test::More;
use Time::HiRes ();
use Worker;

my $db = Postgres->new;
my $redis = PrivateRedis->new;

sub settings {
    my (%more) = @_;
    return {
        redis    => { address => $redis->address, timeout => '3s' },
        postgres => { conninfo => $db->conninfo, timeout => '5s' },
        relay    => { poll => '200ms' },
        %more,
    };
}

sub until_true { return Worker::until_true(@_); }

sub publish {
    my ($channel, $data) = @_;
    return scalar $db->sql(
        qq{SELECT atelier.live_publish('$channel', '$data')});
}

sub left { return $db->sql('SELECT count(*) FROM atelier.outbox'); }

# Ids of the stream of a channel.
sub stream {
    my ($channel) = @_;
    return map { $_->[0] =~ s/-0\z//r } @{
        $redis->ask('XRANGE', "atelier:live:$channel", '-', '+') // [] };
}

sub last_entry {
    my ($channel) = @_;
    my ($entry) = @{ $redis->ask('XREVRANGE', "atelier:live:$channel", '+',
                                 '-', 'COUNT', 1) // [] } or return '';
    return join ' ', $entry->[0], @{ $entry->[1] };
}

# It starts without anything: neither Redis nor PostgreSQL.

$redis->kill;
$db->stop;
my $relay = Worker->new('relay', settings());
until_true('an answer', sub { ($relay->get('/health/live'))[0] == 200 });
is(($relay->get('/health/ready'))[0], 503, 'not ready without them');
is(JSON::PP::decode_json(($relay->get('/health/ready'))[1])->{redis}, 'away',
   '... and says so');
$redis->start;
$db->start;
$relay->ready;
pass('ready when they are there');
until_true('its turn', sub { $relay->metric('atelier_relay_active') });

# A message, from psql.

my $ear = Ear->new($redis);
is(publish('product:ikea:1', '{"price":"99.00", "at": 1}'), 1, 'published');
until_true('the message', sub { $ear->hear });
is(join('|', $ear->hear), 'product:ikea:1=1 {"price":"99.00", "at": 1}',
   'id, blank, data as they were given');
is(last_entry('product:ikea:1'), '1-0 d {"price":"99.00", "at": 1}',
   'the stream has it');
my $ttl = $redis->ask('TTL', 'atelier:live:product:ikea:1');
ok($ttl > 3500 && $ttl <= 3600, '... for an hour');
until_true('the outbox', sub { left() == 0 });
pass('the outbox is empty');

# A change made by psql alone.

$db->sql(q{INSERT INTO atelier.design_like (design_id, visitor)
           VALUES ('pexels:1', '\x00112233445566778899aabbccddeeff')});
until_true('the like', sub { $ear->hear == 2 });
is(($ear->hear)[1], 'design:pexels:1=1 {"id":"pexels:1","likes":1}',
   'a like by psql');

# Two open transactions that commit in the other order: neither is passed
# over, although the second has the higher number.

my $one = $db->session;
my $two = $db->session;
$_->ask('BEGIN') for $one, $two;
$one->ask(q{SELECT atelier.live_publish('product:slow', '"slow"')});
$two->ask(q{SELECT atelier.live_publish('product:fast', '"fast"')});
$two->ask('COMMIT');
until_true('the fast one', sub { $ear->hear == 3 });
until_true('the outbox', sub { left() == 0 });
$one->ask('COMMIT');
until_true('the slow one', sub { $ear->hear == 4 });
is(join('|', ($ear->hear)[2, 3]), 'product:fast=1 "fast"|product:slow=1 "slow"',
   'commits out of order: both are told');

# What was never committed is never told.

$one->ask('BEGIN');
$one->ask(q{SELECT atelier.live_publish('product:slow', '"gone"')});
$one->ask('ROLLBACK');
publish('product:slow', '"two"');
until_true('the next', sub { $ear->hear == 5 });
is(($ear->hear)[4], 'product:slow=2 "two"', 'a rollback is not heard of');

# More than a batch, more than the cap, in one transaction.

$ear->forget;
$db->sql(q{SELECT atelier.live_publish('product:many', to_json(i))
           FROM generate_series(1, 3500) i});
until_true('all of them', sub { $ear->hear >= 3500 });
is(join(' ', $ear->hear), join(' ', map { "product:many=$_ $_" } 1 .. 3500),
   '3,500 at once: all, in order, once');
my @kept = stream('product:many');
ok(@kept >= 1000 && @kept < 1300, 'the stream keeps some 1,000: ' . @kept);
is("@kept", join(' ', 3501 - @kept .. 3500), '... the last, without a hole');
until_true('the outbox', sub { left() == 0 });

# The script is forgotten.

$redis->ask('SCRIPT', 'FLUSH');
$db->sql(q{SELECT atelier.live_publish('product:many', to_json(i))
           FROM generate_series(3501, 3600) i});
until_true('those after it', sub { $ear->hear >= 3600 });
is(join(' ', ($ear->hear)[3500 .. 3599]),
   join(' ', map { "product:many=$_ $_" } 3501 .. 3600), 'scripts flushed');

# What Redis has already is not told twice.

$db->sql(q{INSERT INTO atelier.outbox (channel, id, data)
           VALUES ('product:many', 3600, '3600'), ('product:many', 17, '17')});
$db->sql(q{SELECT pg_notify('atelier_outbox', '')});
until_true('the outbox', sub { left() == 0 });
is(scalar $ear->hear, 3600, 'a row that comes again is not told again');
is($relay->metric('atelier_relay_messages_total{result="repeated"}'), 2,
   '... and is counted');

# Without a notification the poll finds it.

$db->sql(q{INSERT INTO atelier.outbox (channel, id, data)
           VALUES ('product:quiet', 1, '1')});
until_true('the poll', sub { $ear->hear == 3601 });
pass('found without being woken');

# A channel that Redis refuses stops nobody else, and is not forgotten.

$redis->ask('SET', 'atelier:live:product:bad', 'not a stream');
publish('product:bad', $_) for 1 .. 3;
publish('product:good', 1);
until_true('the good one', sub { ($ear->hear)[-1] eq 'product:good=1 1' });
pass('others go on');
until_true('it to be known', sub {
    return $relay->metric('atelier_relay_refused_channels') == 1;
});
my ($event) = $relay->events('channel.refused');
is($event->{channel}, 'product:bad', 'the log names the channel');
like($event->{error}, qr/WRONGTYPE/, '... and says why');
is(left(), 3, '... and its messages wait');
$redis->ask('DEL', 'atelier:live:product:bad');
until_true('the bad one', sub { $ear->hear == 3605 });
is(join('|', ($ear->hear)[3602 .. 3604]),
   'product:bad=1 1|product:bad=2 2|product:bad=3 3', 'then they are told');
until_true('the outbox', sub { left() == 0 });
is($relay->metric('atelier_relay_refused_channels'), 0, '... and all is well');

# Redis that is full refuses everything; then everything is told, in order.

$redis->ask('CONFIG', 'SET', 'maxmemory', '1mb');
publish("product:full$_", $_) for 1 .. 3;
publish('product:full1', 2);
until_true('the refusal', sub { $relay->events('redis.refuses') });
until_true('it to say so', sub { ($relay->get('/health/ready'))[0] == 503 });
pass('a full Redis: not ready');
is(left(), 4, '... and all of it waits');
$redis->ask('CONFIG', 'SET', 'maxmemory', '0');
until_true('the rest', sub { $ear->hear == 3609 });
is(join('|', sort +($ear->hear)[3605 .. 3608]),
   join('|', 'product:full1=1 1', 'product:full1=2 2', 'product:full2=2',
        'product:full3=3') =~ s/full(2|3)=/full$1=1 /gr, '... then all is told');
is(scalar $relay->events('redis.refuses'), 1, 'told once');
$relay->ready;

# A stream that has lost its end, as by an old copy of Redis' data: the gap is
# there for whoever reads, and what is new goes on.

$redis->ask('DEL', 'atelier:live:product:many');
$redis->ask('XADD', 'atelier:live:product:many', '3000-0', 'd', '3000');
publish('product:many', 3601);
until_true('the one after', sub { $ear->hear == 3610 });
is(join(' ', stream('product:many')), '3000 3601', 'a gap of Redis is passed');

# Redis is killed and comes back empty.

$redis->kill;
publish('product:kill', $_) for 1 .. 5;
until_true('it to be noticed', sub { $relay->events('redis.away') });
until_true('the count', sub { $relay->metric('atelier_relay_pending') == 5 });
is($relay->metric('atelier_relay_redis_up'), 0, 'Redis is away: rows wait');
is(($relay->get('/health/ready'))[0], 503, '... and it is not ready');
until_true('its age', sub {
    return $relay->metric('atelier_relay_oldest_seconds') >= 1;
});
$redis->start;
my $back = Time::HiRes::time();
until_true('the outbox', sub { left() == 0 });
diag sprintf 'resumed after %.0f ms', (Time::HiRes::time() - $back) * 1000;
is(join(' ', stream('product:kill')), '1 2 3 4 5', 'back: all are there');
$relay->ready;

# Redis hangs, with rows on their way.

$ear = Ear->new($redis);
my @away = $relay->events('redis.away');
$redis->pause;
publish('product:hang', $_) for 1 .. 5;
until_true('the time to be over', sub {
    return $relay->events('redis.away') > @away;
});
like(($relay->events('redis.away'))[-1]{error}, qr/unavailable|time|out/i,
     'Redis does not answer');
publish('product:hang', $_) for 6 .. 9;
$redis->resume;
until_true('the outbox', sub { left() == 0 });
is(join(' ', stream('product:hang')), '1 2 3 4 5 6 7 8 9',
   'a Redis that hung: all are there');
until_true('the last one', sub { grep { /hang=9/ } $ear->hear });
is(join(' ', grep { /hang/ } $ear->hear),
   join(' ', map { "product:hang=$_ $_" } 1 .. 9), '... and told once');

# PostgreSQL is started anew, and crashes.

for my $signal ('INT', 'QUIT') {
    publish('product:again', 1);
    $db->stop($signal);
    $db->start;
    is(publish('product:again', 2) % 2, 0, "PostgreSQL ended by $signal");
    until_true('the outbox', sub { left() == 0 });
}
is(join(' ', stream('product:again')), '1 2 3 4', 'all are there');
until_true('its turn', sub { $relay->metric('atelier_relay_active') });

# Its connection alone is cut.

$db->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'atelier-worker'});
publish('product:again', 5);
until_true('the outbox', sub { left() == 0 });
is(join(' ', stream('product:again')), '1 2 3 4 5', 'connections cut');

# Settings anew: it goes on, and one with a mistake changes nothing.

$relay->settings(settings(relay => { poll => 'soon' }));
$relay->signal('HUP');
until_true('the refusal', sub { $relay->events('reload.refused') });
$relay->settings(settings(messages => { keep => '1s', purge_every => '100ms' }));
$relay->signal('HUP');
until_true('the new ones', sub { $relay->events('reloaded') });
publish('product:new', 1);
until_true('the outbox', sub { left() == 0 });
is(join(' ', stream('product:new')), '1', 'works on with new settings');
is($relay->metric('atelier_relay_reloads_total'), 1, 'metrics say so');

# Under load it looks by itself, and publishers do not notify.  One of those
# takes long to commit: the relay does not sleep before that.

sub locks {
    my ($number) = @_;
    return scalar $db->sql(qq{SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND objid = $number AND granted});
}
$relay->settings(settings(messages => { keep => '1s', purge_every => '100ms' },
                          relay => { poll => '1m' }));
$relay->signal('HUP');
until_true('the new ones', sub { $relay->events('reloaded') == 2 });
until_true('its turn', sub { $relay->metric('atelier_relay_active') });
until_true('it to sleep', sub { !locks(3) });
$one = $db->session;
until_true('one to rely on its looking', sub {
    $one->ask('COMMIT');
    $one->ask(q{SELECT atelier.live_publish('product:load', '1')})
        for 1 .. 50;
    $one->ask('BEGIN');
    $one->ask(q{SELECT atelier.live_publish('product:load', '"late"')});
    return !$db->sql(q{SELECT count(*) FROM pg_locks
                       WHERE locktype = 'advisory' AND objid = 3
                         AND mode = 'ShareLock'});
});
is(locks(4), 1, 'one that does not notify');
until_true('it to look less', sub { !locks(3) });
publish('product:short', 1);
until_true('another one', sub { stream('product:short') });
$one->ask('COMMIT');
until_true('the late one', sub { last_entry('product:load') =~ /"late"/ });
pass('one that was not notified of, and took long');
until_true('the outbox', sub { left() == 0 });
until_true('it to sleep', sub { !locks(3) && !locks(4) });
publish('product:load', '"woken"');
until_true('it to be woken', sub { last_entry('product:load') =~ /woken/ });
pass('... and is woken');

# Old messages go, current values stay.

until_true('the purge', sub {
    return !$db->sql('SELECT count(*) FROM atelier.live_message')
           && $relay->metric('atelier_relay_purged_total') > 1000;
});
pass('what is old has gone');
is(scalar $db->sql(q{SELECT id FROM atelier.live_value('product:many')}), 3601,
   '... current values have not');

# A second one stands by, sees what the first does, and takes over.

my $heir = Worker->new('relay', settings());
$heir->ready;
until_true('it to stand by', sub { $heir->events('standby') });
is($heir->metric('atelier_relay_active'), 0, 'the second stands by');
is(JSON::PP::decode_json(($heir->get('/health/ready'))[1])->{role}, 'standby',
   '... and says so');
$relay->signal('STOP');
publish('product:heir', 1);
until_true('the count', sub { $heir->metric('atelier_relay_pending') == 1 });
pass('it sees that the first stands still');
$relay->signal('KILL');
is($relay->ended, -9, 'the first is killed');
until_true('the outbox', sub { left() == 0 });
is($heir->metric('atelier_relay_active'), 1, 'the second has taken over');
is(join(' ', stream('product:heir')), '1', '... and the message');
is(scalar $heir->events('active'), 1, '... and says so once');

# A stop gives the lock to the next at once.

my $third = Worker->new('relay', settings());
until_true('it to stand by', sub { $third->events('standby') });
$heir->signal('TERM');
is($heir->ended, 0, 'ends well');
publish('product:heir', 2);
until_true('the outbox', sub { left() == 0 });
is(join(' ', stream('product:heir')), '1 2', 'and the third goes on');
$third->signal('TERM');
is($third->ended, 0, 'ends well, too');

done_testing();
