# Providers with jobs and pictures behind addresses: replicate, huggingface.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my @replicate = (replicate => 'format=replicate model=a/b timeout=10s');
my $stack = Stack->new(providers => \@replicate);

# The picture is there at once, whatever the status says.

for my $response (qw(data_url url)) {
    for my $output (qw(string list)) {
        $stack->control(replicate => { response => $response,
                                       output => $output });
        my $res = $stack->generate({ prompt => "by $output" });
        is($res->{status}, 200, "replicate: a $output, $response");
    }
    is($stack->counters('replicate')->{credentialLeaks}, 0,
       '... and no key went to where the picture lies');
}

# A job that takes its time is polled.

$stack->control(replicate => { runMs => 1500 });
my $res = $stack->generate({ prompt => 'takes its time' });
is($res->{status}, 200, 'replicate: polled to its end');

# A job that lost is called off, by a request of its own.

# The id is known when the call that made it ends its wait, after a third of
# the deadline: here a second.

$stack->configure(
    providers => [ replicate => 'format=replicate model=a/b timeout=5s',
                   quick     => 'format=openai' ]);
$stack->reload;
$stack->control(replicate => { runMs => 60000 });
$stack->control(quick => { latencyMs => 3000 });
$res = $stack->generate({ prompt => 'overtaken' });
is($stack->outcomes($res)->{replicate}, 'cancelled', 'replicate: overtaken');
ok($stack->wait_for('replicate', 'cancels>=1'), '... and called off');
Stack::until_true('the cancel to be counted', sub {
    ($stack->metric('atelier_provider_cancels_total{provider="replicate"}')
     // 0) == 1;
});
$res = $stack->generate({ prompt => 'the connection goes on' });
is($res->{status}, 200, '... and the connection goes on');

# The client leaves: the job is called off too.

my $before = $stack->counters('replicate')->{cancels};
my $polls = $stack->counters('replicate')->{polls};
$stack->control(quick => { mode => 'hang' });
my $socket = $stack->send_generate({ prompt => 'never mind' });
ok($stack->wait_for('replicate', 'polls>=' . ($polls + 1)),
   'a job is being polled');
close $socket;
ok($stack->wait_for('replicate', 'cancels>=' . ($before + 1)),
   '... and is called off when its client leaves');

# A deadline leaves the job running, to be adopted.

$stack->configure(
    providers => [ replicate => 'format=replicate model=a/b timeout=2500ms' ]);
$stack->reload;
ok($stack->wait_for('replicate', 'inFlight==0'), 'all is quiet');
$before = $stack->counters('replicate')->{cancels};
$res = $stack->generate({ prompt => 'too slow' });
is($stack->outcomes($res)->{replicate}, 'deadline', 'past its deadline');
is($stack->counters('replicate')->{cancels}, $before, '... not called off');
like($stack->log_text, qr/provider "replicate" is still at job "[\w-]+"/,
     '... and its id is kept in the log');

# Only this nginx may call off jobs: garbage is refused.

for my $query ('', '?provider=replicate', '?provider=nobody&job=a',
               '?provider=replicate&job=../x', '?provider=quick&job=a')
{
    my $answer = `curl -s -o /dev/null -w '%{http_code}' -X POST --unix-socket $stack->{home}/egress.sock 'http://x/cancel$query'`;
    is($answer, 400, "cancel$query: 400");
}

# Hugging Face.

$stack->configure(providers => [ hf => 'format=huggingface' ]);
$stack->reload;
is($stack->generate({ prompt => 'bytes' })->{status}, 200,
   'huggingface: raw bytes');

$stack->control(hf => { mode => 'rate_limit', variant => 'loading' });
$res = $stack->generate({ prompt => 'loading' });
is($stack->outcomes($res)->{hf}, 'rate_limited', 'huggingface: loading');
ok($res->{headers}{'retry-after'} >= 2, '... says how long it takes');
is($stack->outcomes($stack->generate({ prompt => 'again' }))->{hf},
   'limited', '... and is not asked meanwhile');

$stack->finish(allow => qr/(?!)/);
done_testing();
