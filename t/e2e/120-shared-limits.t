# Limits that two nodes share through one Redis: never more than the limit
# over both, and all of it used; Redis dying, hanging and coming back empty
# included.

use strict;
use warnings;
use lib 't/helper';
use PrivateRedis;
use Stack;
use Test::More;
use Time::HiRes ();

my $redis = PrivateRedis->new;
my %shared = (http => 'atelier_redis ' . $redis->address . ' timeout=10s;'
                    . ' atelier_limits scope=shared nodes=2 lease=1s;');

my @hour = (hour    => 'format=openai rate=100r/1h max_fails=0',
            spare   => 'format=openai rate=40r/1h max_fails=0',
            refused => 'format=openai rate=60r/1h max_fails=0',
            window  => 'format=openai rate=60r/3s max_fails=0');
my %closed = (override => { refused => 'http://127.0.0.1:1' });

my $one = Stack->new(%shared, %closed, providers => \@hour);
my $two = Stack->new(%shared, %closed, providers => \@hour, beside => $one);
my @nodes = ($one, $two);

# An answer that needs no picture to be drawn, and is no failure.

$one->control($_ => { mode => 'moderated' }) for qw(hour spare window);

sub until_ok {
    my ($what, $code) = @_;
    ok(eval { Stack::until_true($what, $code) }, $what);
}

sub calls { return $one->counters($_[0])->{calls} }

sub burst {
    my ($n, @on) = @_;
    my @sockets = map { $on[$_ % @on]->send_generate({ prompt => "n $_" }) }
                  1 .. $n;
    readline $_ for @sockets;
    close $_ for @sockets;
    return;
}

sub linked { return 2 == grep { ($_->metric('atelier_limits_shared') // 0) == 1 } @nodes }

sub left {
    my ($node, $provider) = @_;
    return $node->metric("atelier_provider_limit_left{provider=\"$provider\",seconds=\"3600\"}");
}

until_ok('both nodes share', \&linked);

# One node alone may have all there is: a fresh Redis gives half of the limit.

until_ok('one node gets what the other does not need', sub {
    burst(20, $one);
    return calls('hour') == 50;
});
burst(60, @nodes);
is(calls('hour'), 50, '... to the last call, and no more by either');
is(calls('spare'), 20, '... of each provider');

# What never left is given back, from Redis too.

until_ok('calls that never left are given back', sub {
    return left($one, 'refused') + left($two, 'refused') >= 30;
});

# Over reloads and deaths of workers too.

$one->reload;
burst(20, @nodes);
my @workers = $two->workers;
kill KILL => @workers;
$two->gone(@workers);
until_ok('new workers share', \&linked);
burst(20, @nodes);
is(calls('hour'), 50, 'reloads and killed workers make no call');

# A Redis that comes back empty is told of all.

$redis->kill;
until_ok('nodes go by themselves', sub {
    burst(4, @nodes);
    return !grep { $_->metric('atelier_limits_shared') } @nodes;
});
burst(20, @nodes);
is(calls('hour'), 50, 'its death makes no call');
$redis->start;
until_ok('... and is found again', \&linked);
burst(40, @nodes);
is(calls('hour'), 50, '... nor does its loss of all data');
is($redis->ask('ZCARD', 'atelier:limits:hour:3600000'), 100,
   '... which it has again, and the half that it starts with');

# A script that Redis has lost is sent again.

my $sent = sub {
    my $stats = $redis->info('commandstats');
    return ($stats->{cmdstat_eval} // '') =~ /calls=(\d+)/ ? $1 : 0;
};
my $before = $sent->();
$redis->ask('SCRIPT', 'FLUSH');
until_ok('a lost script is no loss', sub {
    burst(2, @nodes);
    return $sent->() > $before && linked();
});

# Much too many requests for some windows; Redis dies in the middle, and comes
# back.

my $from = Time::HiRes::time();
my @bursts;
my $at = sub {
    Time::HiRes::sleep(0.01);
    return Time::HiRes::time() - $from;
};
my $six = sub {
    my $began = Time::HiRes::time() - $from;
    burst(6, @nodes);
    push @bursts, { began => $began, ended => Time::HiRes::time() - $from,
                    calls => 0 };
};
$six->() while $at->() < 9;
$redis->kill;
$six->() while $at->() < 16;
$redis->start;
$six->() while $at->() < 21 || !linked();

my @at = map { $_ / 1000 - $from } $one->arrivals('window');

# How long a call is on its way differs by more than a window on a busy machine,
# but those of a burst were counted while it lasted: so many bursts as lie
# within a window have no more than the limit.  The sandbox says when by the ms.

my $burst = 0;
for my $arrival (grep { $_ >= $bursts[0]{began} } @at) {
    $burst++ while $burst < $#bursts
                   && $arrival + 0.002 >= $bursts[$burst + 1]{began};
    $bursts[$burst]{calls}++;
}
my ($most, $first, $calls) = (0, 0, 0);
for my $last (@bursts) {
    $calls += $last->{calls};
    $calls -= $bursts[$first++]{calls}
        while $bursts[$first]{began} < $last->{ended} - 2.99;
    $most = $calls if $calls > $most;
}
cmp_ok($most, '<=', 60, 'never more than the limit in its window');
my $full = grep { $at[$_ + 50] && $at[$_ + 50] - $at[$_] < 3 } 0 .. $#at;
cmp_ok($full, '>', 0, '... which is no lower than it should be');
note("$most in bursts of " . @bursts);

# How long sixty calls take, on the mean, while all is well; they may come in
# bursts.

my @took = map { $at[$_ + 60] - $at[$_] }
           grep { $at[$_] >= 1 && $at[$_ + 60] && $at[$_ + 60] < 9 } 0 .. $#at;
my $used = 0;
$used += 3 / $_ / @took for @took;
note(sprintf 'used: %.4f of the limit, by %d spans', $used, scalar @took);
cmp_ok($used, '>=', 0.75, 'nearly all of it is used');
my $alone = grep { $_ >= 12.5 && $_ < 16 } @at;
cmp_ok($alone, '>=', 40, '... and most of it without Redis');

# A pause and an open breaker hold for all nodes.

$_->configure(%shared, providers => [
    paused => 'format=openai max_fails=0',
    broken => 'format=openai max_fails=2 fail_timeout=60s' ]),
    $_->reload for @nodes;
until_ok('the nodes share other providers', \&linked);
$one->control(paused => { mode => 'rate_limit', variant => 'seconds',
                          retryAfter => 60 });
$one->control(broken => { mode => 'status', status => 500 });
burst(1, $one) for 1 .. 2;
for my $provider (qw(paused broken)) {
    until_ok("$provider here, not asked there", sub {
        return $two->metric("atelier_provider_wait_seconds{provider=\"$provider\"}") > 20;
    });
}
my %before = map { $_ => calls($_) } qw(paused broken);
burst(5, $two);
is(calls($_), $before{$_}, "... nobody asks $_") for qw(paused broken);

$_->finish(allow => qr/exited on signal 9/) for $two, $one;
done_testing();
