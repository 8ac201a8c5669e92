# Breakers, calls given back, keys that are wrong, too many in flight.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::INET;
use Stack;
use Test::More;

# The deadline is short for the probe that hangs; a picture may take longer.

sub providers {
    my ($deadline) = @_;
    return (providers => [
        flaky => 'format=openai priority=1 max_fails=3 fail_timeout=8s'
                 . " timeout=$deadline",
        good  => 'format=stability priority=2',
    ], generate => 'strategy=failover');
}

my $stack = Stack->new(providers('5s'));

my $state = sub {
    return $stack->metric(qq(atelier_provider_breaker{provider="$_[0]"}));
};
my $outcome = sub {
    return $stack->outcomes($stack->generate({ prompt => 'x' }))->{flaky};
};

is($state->('flaky'), 0, 'closed at first');

$stack->control(flaky => { mode => 'status', status => 500 });
is($outcome->(), 'transient', "failure $_") for 1 .. 3;
is($state->('flaky'), 1, 'three failures open it');
is($outcome->(), 'open', '... and it is not asked');
is($stack->counters('flaky')->{calls}, 3, '... by any worker');

# Half-open: many requests at once, one probe over all workers.

Stack::until_true('half-open', sub { $state->('flaky') == 2 });
$stack->control(flaky => { mode => 'hang' });
my @sockets = map { $stack->send_generate({ prompt => "n $_" }) } 1 .. 20;
my $answered = 0;
ok($stack->wait_for('flaky', 'inFlight==1'), 'half-open: a probe is out');
for (1 .. 19) {
    my $ready = '';
    vec($ready, fileno $_, 1) = 1 for grep { defined } @sockets;
    select $ready, undef, undef, 60 or last;
    for my $socket (grep { defined } @sockets) {
        if (vec $ready, fileno $socket, 1) {
            $answered++ if readline($socket) =~ /^HTTP\/1\.1 200/;
            close $socket;
            undef $socket;
        }
    }
    last if $answered == 19;
}
is($answered, 19, '... and all but the one that probes are answered');
is($stack->counters('flaky')->{calls}, 4, '... one probe over all workers');
readline $_ for grep { defined } @sockets;
ok(Stack::until_true('the probe to fail',
                     sub { return $state->('flaky') == 1 }),
   'a failed probe opens it again');

# ... for all workers, over a reload, and for twice the time.

$stack->configure(providers('30s'));
$stack->reload;
is($state->('flaky'), 1, '... and so it stays over a reload');
is($outcome->(), 'open', '... for the new workers, too');

# It recovers.

$stack->control(flaky => { mode => 'ok' });
Stack::until_true('half-open again', sub { $state->('flaky') == 2 });
is($outcome->(), 'won', 'a good probe');
is($state->('flaky'), 0, '... closes it');

# Refusals of a prompt and of a rate do not count.

$stack->control(flaky => { mode => 'moderated' });
$outcome->() for 1 .. 5;
is($state->('flaky'), 0, 'moderation opens nothing');

# A wrong key takes a provider out until the next reload.

$stack->control(flaky => { mode => 'rate_limit',
                           variant => 'insufficient_quota', times => 1 });
is($outcome->(), 'credential', 'no credit');
is($outcome->(), 'open', '... takes it out');
is($state->('flaky'), 1, '... visibly');
$stack->reload;
is($outcome->(), 'won', '... until a reload');

# An address without such an API cannot mend itself either.

$stack->configure(
    providers => [ lost => 'format=openai max_fails=0',
                   good => 'format=stability' ],
    generate => 'strategy=failover',
    override => { lost => 'http://sandbox/lost/v1/chat/completions' });
$stack->reload;
my $res = $stack->generate({ prompt => 'no such path' });
is($stack->outcomes($res)->{lost}, 'invalid', 'an unknown path');
is($res->{status}, 200, '... does not end the request');
is($stack->outcomes($stack->generate({ prompt => 'again' }))->{lost}, 'open',
   '... but takes the provider out');
is($state->('lost'), 1, '... visibly');
like($stack->log_text,
     qr/"lost" failed, .*unknown_url.*; mend the path in its proxy_pass and/,
     '... and the log says what to do');
$stack->configure(providers => [ lost => 'format=openai',
                                 good => 'format=stability' ],
                  generate => 'strategy=failover');
$stack->reload;
is($stack->outcomes($stack->generate({ prompt => 'mended' }))->{lost}, 'won',
   '... until a reload');

# In a race a provider that fails now and then and never wins is not opened:
# what it is seen of are failures and calls that were called off.

$stack->configure(providers => [
    seldom => 'format=openai max_fails=3 fail_timeout=60s timeout=40s',
    good   => 'format=stability',
]);
$stack->reload;
$stack->control(good => { latencyMs => 100 });
my %seen;
for my $n (0 .. 29) {
    my $fails = $n % 10 >= 7;
    $stack->control(seldom => $fails ? { mode => 'status', status => 500 }
                                     : { latencyMs => 20_000 });

    # a failure has to come before the good answer, on a busy machine too

    $stack->control(good => { latencyMs => $fails ? 1000 : 100 });
    $res = $stack->generate({ prompt => "race $n" });
    $seen{ $stack->outcomes($res)->{seldom} }++;
}
is_deeply(\%seen, { transient => 9, cancelled => 21 },
          'fails in 30 %, never wins');
is($state->('seldom'), 0, '... and is still asked');

# When it is down for good, its past does not help it for long.

$stack->control(seldom => { mode => 'status', status => 500 });
$stack->control(good => { latencyMs => 1000 });
my $fails = 0;
until ($state->('seldom') || $fails == 20) {
    $stack->generate({ prompt => 'down' });
    $fails++;
}
ok($fails >= 3 && $fails <= 12, "down: opens after $fails failures");
my $calls = $stack->counters('seldom')->{calls};
$stack->generate({ prompt => 'down' }) for 1 .. 4;
is($stack->counters('seldom')->{calls}, $calls, '... and is not asked');
$stack->control($_ => {}) for qw(seldom good);

# A call that never left is given back.

my $port = Stack::free_port();
$stack->configure(
    providers => [ nobody => 'format=openai rate=4r/1h max_fails=0',
                   good   => 'format=stability' ],
    generate => 'strategy=failover',
    override => { nobody => "http://127.0.0.1:$port/" });
$stack->reload;
for my $n (1 .. 6) {
    $res = $stack->generate({ prompt => 'nobody there' });
    is($stack->outcomes($res)->{nobody}, 'transient',
       "refused connection $n: the call is given back");
}
is($stack->metric('atelier_provider_limit_left'
                  . '{provider="nobody",seconds="3600"}'), 2,
   '... and the window is as it was: half of it, in a fresh zone');

# Nor does it speak for a provider: this one takes no connection, which shows
# only when it has none to refuse any more.

my $deaf = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
    or die "listen: $@";
my $at = $deaf->sockport;
my @queue = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                        PeerPort => $at, Blocking => 0) }
            1 .. 8;
$stack->configure(
    providers => [ deaf => 'format=openai max_fails=1 fail_timeout=60s',
                   good => 'format=stability' ],
    override => { deaf => "http://127.0.0.1:$at/" });
$stack->reload;
$stack->control(good => { latencyMs => 100 });
for my $n (1 .. 4) {
    $res = $stack->generate({ prompt => 'nobody listens' });
    is($stack->outcomes($res)->{deaf}, 'cancelled', "called off unsent $n");
}
close $_ for @queue, $deaf;
$res = $stack->generate({ prompt => 'nobody there' });
is($stack->outcomes($res)->{deaf}, 'transient', '... and then refused');
is($state->('deaf'), 1, '... by which its breaker opens at once');
$stack->control(good => {});

# Too many in flight.

$stack->configure(providers => [ good => 'format=stability' ],
                  generate => 'max_in_flight=2', workers => 1);
$stack->reload;
$stack->control(good => { mode => 'hang' });
@sockets = map { $stack->send_generate({ prompt => "n $_" }) } 1 .. 2;
ok($stack->wait_for('good', 'inFlight==2'), 'two are in flight');
$res = $stack->generate({ prompt => 'one too many' });
is($res->{status}, 503, '... and a third is told at once');
is($res->{json}{code}, 'too_many_in_flight', '... why');
is($res->{headers}{'retry-after'}, 1, '... and when');
close $_ for @sockets;
ok($stack->wait_for('good', 'inFlight==0'), 'they leave');
$stack->control(good => { mode => 'ok' });
is($stack->generate({ prompt => 'room again' })->{status}, 200,
   '... and there is room again');

$stack->finish;
done_testing();
