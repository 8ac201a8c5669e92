# Redis comes, goes, hangs, refuses: nginx keeps working, says so, and finds
# it again by itself.

use strict;
use warnings;
use lib 't/helper';
use PrivateRedis;
use Stack;
use Test::More;

my $redis = PrivateRedis->new;

sub directive {
    my ($params) = @_;
    return 'atelier_redis ' . $redis->address . " $params;";
}

my $http = directive('timeout=5s connect_timeout=5s');
my $stack = Stack->new(workers => 2, http => $http);

sub up { return ($stack->metric('atelier_redis_up') // -1) == $_[0] }

sub links {
    return join ' ', map { $stack->metric("atelier_redis_connections{use=\"$_\"}") }
                     qw(commands subscriptions);
}

sub health {
    my $res = $stack->http->get($stack->url('/health/ready'));
    return "$res->{status} " . ($res->{content} =~ /"redis":"(\w+)"/ ? $1 : '-');
}

sub until_ok {
    my ($what, $code) = @_;
    ok(eval { Stack::until_true($what, $code) }, $what);
}

until_ok('both workers are connected twice', sub { links() eq '2 2' });
is($stack->metric('atelier_redis_up'), 1, '... which is up');
is(health(), '200 ok', '... and healthy');
is(scalar(grep { / sub=1 / } $redis->clients), 2,
   'one connection of each worker is subscribed');
is(scalar $redis->clients, 4, '... and there are no others');

# It crashes: nothing else does.

$redis->kill;
until_ok('its loss is seen', sub { links() eq '0 0' });
is($stack->metric('atelier_redis_up'), 0, '... and not up');
is(health(), '200 away', '... by a node that is ready all the same');
is($stack->generate({ prompt => 'without redis' })->{status}, 200,
   'pictures are made');
like($stack->log_text, qr/atelier: redis unix:\S+ is away \(commands\)/,
     'the log says so');

$redis->start;
until_ok('it is found again', sub { links() eq '2 2' });
is($stack->metric('atelier_redis_reconnects_total'), 4, '... four times');
is(health(), '200 ok', '... and healthy');
like($stack->log_text, qr/atelier: redis unix:\S+ answers again/,
     '... as the log says');

# It hangs: its socket still takes connections, which helps nobody.

# Nobody is to come back before it does.

$redis->ask('PING');
rename $redis->{socket}, "$redis->{socket}.away" or die "rename: $!";
$redis->ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
$redis->pause;
rename "$redis->{socket}.away", $redis->{socket} or die "rename: $!";
until_ok('a Redis that hangs is away', sub { links() =~ /^0 / });
is($stack->generate({ prompt => 'redis hangs' })->{status}, 200,
   '... and blocks nobody');
$redis->resume;
until_ok('... until it goes on', sub { links() eq '2 2' });

# Reloads: the new workers connect, the old ones leave no socket behind.

$stack->reload for 1 .. 3;
until_ok('new workers are connected', sub { links() eq '2 2' });
until_ok('... and only they', sub { $redis->clients == 4 });

$stack->configure(http => '');
$stack->reload;
until_ok('without atelier_redis nobody is', sub { $redis->clients == 0 });
is($stack->metric('atelier_redis_up'), undef, '... and no metric is there');
is(health(), '200 -', '... nor in the health');

# A killed worker's part in the metrics ends with it.

$stack->configure(http => $http);
$stack->reload;
until_ok('connected', sub { links() eq '2 2' });
my @workers = $stack->workers;
kill KILL => @workers;
$stack->gone(@workers);
until_ok('two new workers, and no ghosts', sub {
    my $now = eval { links() } // '';
    return $now eq '2 2' && up(1);
});

# A password, a user and a database.

$redis->ask('CONFIG', 'SET', 'requirepass', 'sesame');
$redis->{auth} = 'sesame';
$stack->reload;
until_ok('without its password Redis is away', sub { links() eq '0 0' });
like($stack->log_text, qr/it is not ready: NOAUTH/, '... and the log says why');

Stack::spew("$stack->{home}/conf/password", "wrong\n");
chmod 0600, "$stack->{home}/conf/password";
$stack->configure(http => directive('password_file=password timeout=5s'));
$stack->reload;
until_ok('a wrong one is refused', sub {
    return $stack->log_text =~ /AUTH was refused, see password_file=: WRONGPASS/;
});

Stack::spew("$stack->{home}/conf/password", "sesame\n");
$stack->reload;
until_ok('the right one is taken', sub { links() eq '2 2' });

$redis->ask('ACL', 'SETUSER', 'atelier', 'on', '>sesame', '~*', '&*', '+@all');
$stack->configure(http => directive(
    'password_file=password user=atelier db=3 timeout=5s'));
$stack->reload;
until_ok('... and a user and a database', sub {
    return 2 == grep { / db=3 .* user=atelier/ && !/ sub=1 / } $redis->clients;
});

# The subscription is refused: that link comes and goes, the other one stays.

$redis->ask('ACL', 'SETUSER', 'atelier', '-subscribe');
$redis->ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
until_ok('a refused subscription is told', sub {
    return $stack->log_text =~ /is away \(subscriptions\): NOPERM/;
});
is($stack->metric('atelier_redis_up'), 1, '... and commands go on');

unlike($stack->log_text, qr/sesame/, 'no password is in the log');

$stack->finish(allow => qr/exited on signal 9/);
done_testing();
