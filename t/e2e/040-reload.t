# Reloads and dying workers in the middle of races.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my @providers = (groq      => 'format=openai timeout=60s rate=50r/1h',
                 stability => 'format=stability timeout=60s');
my $stack = Stack->new(providers => \@providers);

# A race that is on when nginx is reloaded is answered by its old worker.  It
# lasts longer than a reload takes, which is looked at below.

$stack->control($_ => { latencyMs => 10_000 }) for qw(groq stability);
my @sockets = map { $stack->send_generate({ prompt => "over a reload $_" }) }
              1 .. 12;
ok($stack->wait_for($_, 'inFlight==12'), "twelve races are on at $_")
    for qw(groq stability);

my @old = $stack->reload(nowait => 1);
is($stack->counters($_)->{inFlight}, 12,
   "the twelve races go on at $_ beside the new workers")
    for qw(groq stability);
is($stack->counters($_)->{aborted}, 0, "nothing was broken off at $_")
    for qw(groq stability);

for my $n (1 .. 12) {
    my $line = readline $sockets[$n - 1];
    like($line, qr{^HTTP/1\.1 200 }, "race $n is answered over the reload");
}
close $_ for @sockets;
$stack->gone(@old);
pass('the old workers are gone');

# Limits and counters go on.

is($stack->metric('atelier_generate_requests_total{result="done"}'), 12,
   'counters survive a reload');

$stack->control($_ => { latencyMs => 0 }) for qw(groq stability);
$stack->generate({ prompt => "call $_" }) for 1 .. 50;
is($stack->counters('groq')->{calls}, 25,
   'so does the limit, exactly: half of it in a fresh zone');
my $res = $stack->generate({ prompt => 'one more' });
is($stack->outcomes($res)->{groq}, 'limited', '... and says so');

# A changed rate starts with what was used.

$stack->configure(providers => [ groq => 'format=openai rate=51r/1h',
                                 stability => 'format=stability' ]);
$stack->reload;
$stack->generate({ prompt => "call $_" }) for 1 .. 3;
is($stack->counters('groq')->{calls}, 26,
   'a raised rate adds the difference only');

# ... and neither does a rate that goes down and up again, or another period.

for my $rate ('20r/1h', '51r/1h', '51r/61m') {
    $stack->configure(providers => [ groq => "format=openai rate=$rate",
                                     stability => 'format=stability' ]);
    $stack->reload;
    $stack->generate({ prompt => $rate });
}
is($stack->counters('groq')->{calls}, 26, 'no reload opens an allowance');

# A worker that is killed takes its own requests with it and nothing else.

$stack->control($_ => { mode => 'hang' }) for qw(stability);
my $socket = $stack->send_generate({ prompt => 'about to die' });
ok($stack->wait_for('stability', 'inFlight==1'), 'a race is on');
my @workers = $stack->workers;
kill KILL => @workers;
$stack->gone(@workers);
ok($stack->wait_for('stability', 'inFlight==0'), 'its provider saw it go');

$stack->control(stability => { mode => 'ok' });
is($stack->generate({ prompt => 'new workers' })->{status}, 200,
   'new workers answer');
is($stack->metric('atelier_provider_calls_total{provider="groq"}'), 26,
   'counters survive the death of workers');

$stack->finish(allow => qr/exited on signal 9/);
done_testing();
