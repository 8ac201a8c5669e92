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
# the deadline: here four seconds.  The other one takes much longer than that,
# and much less than the deadline.

$stack->configure(
    providers => [ replicate => 'format=replicate model=a/b timeout=12s',
                   quick     => 'format=openai timeout=60s' ]);
$stack->reload;
$stack->control(replicate => { runMs => 600_000 });
$stack->control(quick => { latencyMs => 8000 });
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

# A deadline leaves the job running, to be adopted, if nobody has a picture.

my @late = (replicate => 'format=replicate model=a/b timeout=6s');
my @log = (http => q(log_format jobs '$status job=$atelier_job.';),
           server => "access_log $stack->{home}/logs/jobs.log jobs;");
my $jobs = sub { return Stack::slurp("$stack->{home}/logs/jobs.log") };

$stack->configure(providers => \@late, @log);
$stack->reload;
ok($stack->wait_for('replicate', 'inFlight==0'), 'all is quiet');
$before = $stack->counters('replicate')->{cancels};
$res = $stack->generate({ prompt => 'too slow' });
is($stack->outcomes($res)->{replicate}, 'deadline', 'past its deadline');
Stack::until_true('the log line', $jobs);
my ($kept) = $jobs->() =~ /^503 job=replicate:([\w-]+)\.$/m;
ok($kept, '... its id is kept');
like($stack->log_text, qr/provider "replicate" is still at job "[\w-]+"/,
     '... and the error log has it');

# If somebody has one a little later it is called off; the first one is not.

$stack->configure(providers => [ @late, quick => 'format=openai' ], @log);
$stack->reload;
$stack->control(quick => { latencyMs => 9000 });
$res = $stack->generate({ prompt => 'overtaken after its deadline' });
is($stack->outcomes($res)->{replicate}, 'deadline', 'past its deadline');
is($res->{status}, 200, '... and another one wins');
ok($stack->wait_for('replicate', 'cancels>=' . ($before + 1)),
   '... the job is called off');
my $first = HTTP::Tiny->new->get(
    "$stack->{sandbox}/replicate/v1/predictions/$kept",
    { headers => { Authorization => 'Bearer sk-sandbox-test' } });
is(JSON::PP::decode_json($first->{content})->{status}, 'processing',
   '... and the one that is kept goes on');
Stack::until_true('the log line', sub { $jobs->() =~ /^200/m });
like($jobs->(), qr/^200 job=-\.$/m, '... and none is kept');

# So it is if the client leaves before.

$stack->control(quick => { mode => 'hang' });
my $late = sub {
    return scalar(() = $stack->log_text =~ /is still at job/g);
};
my $seen = $late->();
$socket = $stack->send_generate({ prompt => 'leaves after a deadline' });
Stack::until_true('the deadline', sub { $late->() > $seen });
close $socket;
ok($stack->wait_for('replicate', 'cancels>=' . ($before + 2)),
   'its client leaves: called off');

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

$stack->control(hf => { mode => 'rate_limit', variant => 'loading',
                        retryAfter => 40 });
$res = $stack->generate({ prompt => 'loading' });
is($stack->outcomes($res)->{hf}, 'rate_limited', 'huggingface: loading');
ok($res->{headers}{'retry-after'} >= 2, '... says how long it takes');
is($stack->outcomes($stack->generate({ prompt => 'again' }))->{hf},
   'limited', '... and is not asked meanwhile');

$stack->finish(allow => qr/(?!)/);
done_testing();
