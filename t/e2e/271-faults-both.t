# Redis and PostgreSQL fail together, or Redis comes back with an older copy of
# its data; and a master of nginx that was killed leaves its socket behind.

use strict;
use warnings;
use lib 't/helper';
use Live;
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Worker;

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $stack = Stack->new(
    workers => 1,
    http    => 'atelier_redis ' . $redis->address . " timeout=10s;\n"
               . "atelier_postgres '" . $db->conninfo . "' timeout=10s;",
    server  => 'location = /live { atelier_live max_sockets_per_address=0; }');
my $relay = Worker->new('relay', {
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo },
});
$relay->ready;
Worker::until_true('its turn', sub {
    return $relay->metric('atelier_relay_active');
});

sub publish {
    my ($channel, $n) = @_;
    Live::commit($db, $channel, qq({"n":$_})) for 1 .. $n // 1;
    Worker::until_true('the outbox', sub {
        return !$db->sql('SELECT count(*) FROM atelier.outbox');
    });
    return;
}

sub ids { return join ' ', map { $_->{id} // $_->{last} } @_ }

# A Redis with an older copy: what is new in it is not the last there is.

publish('product:old', 2);
$redis->ask('SAVE');
publish('product:old', 3);
my $there = Live->new($stack->{port});
$there->subscribe('product:old');
is(ids($there->take(2)), '5 5', 'a client that has the last message');
$relay->signal('STOP');
$redis->kill;
$redis->start;
is($redis->ask('XREVRANGE', 'atelier:live:product:old', '+', '-', 'COUNT',
               1)->[0][0], '2-0', 'Redis has an older copy');
Live::heard($redis, 'product:old', 1);
my $new = Live->new($stack->{port});
$new->subscribe('product:old');
is(ids($new->take(2)), '5 5', 'who watches already is no measure');
$_ = undef for $there, $new;
Live::heard($redis, 'product:old', 0);
$new = Live->new($stack->{port});
$new->subscribe('product:old');
is(ids($new->take(2)), '5 5', 'who comes gets what is so now');
undef $new;
Live::heard($redis, 'product:old', 0);
$relay->signal('CONT');
publish('product:other');
Worker::until_true('the old streams to go', sub {
    return !$redis->ask('EXISTS', 'atelier:live:product:old');
});
pass('the relay takes old streams out');
publish('product:old');
$new = Live->new($stack->{port});
$new->subscribe('product:old', since => 1);
is(ids($new->take(6)), '6 2 3 4 5 6', '... and who was away misses nothing');

# Redis comes back with nothing while PostgreSQL is away for a moment: who says
# since waits, and so does who is there.

publish('product:both', 3);
my $live = Live->new($stack->{port});
$live->subscribe('product:both');
is(ids($live->take(2)), '3 3', 'a client');
$relay->signal('STOP');
Live::commit($db, 'product:both', '{"n":4}');
$redis->kill;
unlink "$redis->{dir}/dump.rdb";
$db->stop('QUIT');
$redis->start;
my $back = Live->new($stack->{port});
$back->subscribe('product:both', since => 1);
Live::heard($redis, 'product:both', 1);
Live::relay($redis, 'product:both', 5, '{"n":5}');
$live->say(type => 'ping', t => 1);
is($live->next->{type}, 'pong', 'nothing comes while nobody knows all');
$back->say(type => 'ping', t => 1);
is($back->next->{type}, 'pong', '... nor an answer');
$db->start;
Live::commit($db, 'product:both', '{"n":5}');
is(ids($live->take(2)), '4 5', '... then all of it, in order');
my ($answer, @rest) = $back->take(5);
ok($answer->{recovered}, '... and who came back is told so');
is(ids(@rest), '2 3 4 5', '... and gets what was missed');
$relay->signal('CONT');

# The master is killed.

$stack->crash;
is($stack->http->get($stack->url('/health/live'))->{status}, 200,
   'nginx is started anew after kill -9 of its master');

$relay->signal('TERM');
is($relay->ended, 0, 'ends well');
$stack->finish;
done_testing();
