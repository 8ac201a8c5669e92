# hedge and failover: who is asked when, and what it costs.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my @providers = (
    one   => 'format=openai priority=1 timeout=30s',
    two   => 'format=stability priority=2 timeout=30s',
    three => 'format=openai priority=3 timeout=30s',
);
my $stack = Stack->new(providers => \@providers,
                       generate => 'strategy=failover');

# Failover: one after the other, and no more than needed.

my $res = $stack->generate({ prompt => 'the first is enough' });
is_deeply($stack->outcomes($res),
          { one => 'won', two => 'unasked', three => 'unasked' },
          'failover: the first answers, the others are not asked');
is($stack->counters($_)->{calls}, 0, "... not even called: $_")
    for qw(two three);

$stack->control(one => { mode => 'status', status => 500 });
$stack->control(two => { mode => 'moderated' });
$res = $stack->generate({ prompt => 'the third it is' });
is_deeply($stack->outcomes($res),
          { one => 'transient', two => 'moderated', three => 'won' },
          'failover: on failure and on refusal the next is asked');

$stack->control(three => { mode => 'status', status => 500 });
$res = $stack->generate({ prompt => 'nobody' });
is($res->{status}, 503, 'failover: all failed');
is_deeply($stack->outcomes($res),
          { one => 'transient', two => 'moderated', three => 'transient' },
          '... each was asked');

# Hedge: without credit the first is left its time.  The delay is more than
# a fast answer takes on a busy machine.

$stack->reset_sandbox;
$stack->configure(providers => \@providers,
                  generate => 'strategy=hedge hedge_min=5s hedge_max=5500ms');
$stack->reload;

$stack->control(one => { latencyMs => 6000 });
$res = $stack->generate({ prompt => 'no credit yet' });
is_deeply($stack->outcomes($res),
          { one => 'won', two => 'unasked', three => 'unasked' },
          'hedge: nothing extra before ten requests have earned it');

# A failure costs no credit: the next is asked at once.

$stack->control(one => { mode => 'status', status => 500 });
$res = $stack->generate({ prompt => 'failed at once' });
is_deeply($stack->outcomes($res),
          { one => 'transient', two => 'won', three => 'unasked' },
          'hedge: on failure the next is asked');
is($stack->metric('atelier_generate_hedges_total'), 0, '... and is no hedge');

# With credit a slow one is overtaken, and the bill stays below a tenth.

$stack->control(one => { latencyMs => 0 });
$stack->generate({ prompt => "earning $_" }) for 1 .. 20;
is($stack->metric('atelier_generate_hedges_total'), 0,
   'hedge: fast answers need none');

$stack->control(one => { latencyMs => 20_000 });
my $requests = 22;
my @won;
for my $n (1 .. 2) {
    $res = $stack->generate({ prompt => "overtaken $n" });
    push @won, $stack->outcomes($res);
    $requests++;
}
is_deeply(\@won, [ ({ one => 'cancelled', two => 'won',
                      three => 'unasked' }) x 2 ],
          'hedge: the second overtakes the slow first');
ok($stack->wait_for('one', 'aborted>=2'), '... which is taken off the wire');
is($stack->metric('atelier_generate_hedges_total'), 2, '... at two hedges');

$stack->control(one => { latencyMs => 6000 });
$res = $stack->generate({ prompt => 'credit is used up' });
is_deeply($stack->outcomes($res),
          { one => 'won', two => 'unasked', three => 'unasked' },
          'hedge: a third would be more than a tenth');

# The delay is what the provider itself has mostly taken, once that is known:
# the bounds here are far below it and behind the deadline.

$stack->reset_sandbox;
$stack->configure(providers => [ known => 'format=openai priority=1 timeout=50s',
                                 other => 'format=openai priority=2' ],
                  generate => 'strategy=hedge hedge_min=1ms hedge_max=60s');
$stack->reload;

$stack->control(known => { latencyMs => 500 });
my @sockets = map { $stack->send_generate({ prompt => "learning $_" }) }
              1 .. 10;
for my $socket (@sockets) {
    like(scalar readline $socket, qr{^HTTP/1\.1 200 }, 'hedge: learning');
    close $socket;
}
is($stack->counters('other')->{calls}, 0, '... with no extra call');
is($stack->metric('atelier_provider_latency_seconds_count{provider="known"}'),
   10, '... by ten latencies');

$stack->control(known => { mode => 'hang' });
$res = $stack->generate({ prompt => 'longer than ever' });
is_deeply($stack->outcomes($res), { known => 'cancelled', other => 'won' },
          'hedge: overtaken long before the upper bound');
ok($res->{json}{latencyMs} >= 500, '... and not before its usual time');

$stack->finish;
done_testing();
