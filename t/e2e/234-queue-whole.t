# The queue as a whole: nginx, PostgreSQL, the worker and providers.  What was
# answered 202 is made, whoever dies in between.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Worker;

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $n = 0;
my $stack;

sub configure {
    my ($name) = @_;
    my @conf = (
        providers => [ $name => 'format=openai model=sandbox timeout=30s' ],
        http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                     . ' atelier_visitor $http_x_visitor;',
        egress    => 'location = /attempt { atelier_attempt max_in_flight=16; }');
    if ($stack) {
        $stack->configure(@conf);
        $stack->reload;
    } else {
        $stack = Stack->new(@conf);
    }
    return;
}

# What outlasts its lease is done again, by another.
sub worker {
    my ($lease) = @_;
    return Worker->new(queue => {
        redis    => { address => $redis->address },
        postgres => { conninfo => $db->conninfo, timeout => '10s' },
        egress   => { socket => "$stack->{home}/egress.sock",
                      timeout => ($lease - 1) . 's' },
        attempts => { lease => "${lease}s", tries => 50, retry => '50ms',
                      retry_max => '200ms', poll => '200ms', parallel => 4 },
    });
}

sub generate {
    my ($prompt, $visitor) = @_;
    return $stack->generate({ prompt => $prompt, width => 64, height => 64 },
                           'X-Visitor' => $visitor);
}

sub state_of {
    my ($id) = @_;
    my $res = $stack->http->get($stack->url("/generate/$id"));
    return eval { JSON::PP::decode_json($res->{content}) } // { status => '-' };
}

# A provider that wants a pause fills the queue.

configure('first');
my @workers = map { worker(60) } 1 .. 2;
$_->ready for @workers;
$stack->control(first => { mode => 'rate_limit', variant => 'seconds',
                           retryAfter => 15, times => 1 });
my @ids;
for my $k (1 .. 12) {
    my $res = generate("number $k", "visitor $k");
    is($res->{status}, 202, "number $k waits");
    push @ids, $res->{json}{id};
}
Stack::until_true('the pictures', sub {
    return !grep { state_of($_)->{status} ne 'done' } @ids;
});
for my $id (@ids) {
    my $done = state_of($id);
    is($stack->http->get($stack->url($done->{url}))->{status}, 200,
       "$done->{prompt} is made");
}
is($stack->counters('first')->{calls}, 13, '... by one call each, and the first');
Stack::until_true('the metrics', sub {
    return $stack->metric('atelier_attempts_total{result="done"}') >= 12;
});
is($stack->metric('atelier_attempts_total{result="done"}'), 12,
   '... as the metrics have it');

# Deaths in the middle: workers of both kinds, and reloads.

$_->signal('TERM') for @workers;
$_->ended for @workers;
@workers = map { worker(3) } 1 .. 2;
$_->ready for @workers;
$stack->control(first => { mode => 'status', status => 503, times => 20 });
@ids = ();
for my $k (1 .. 20) {
    my $res = generate("again $k", 'visitor ' . $k % 3);
    push @ids, $res->{json}{id} if $res->{status} == 202;
}
ok(@ids > 0, scalar(@ids) . ' wait');
$stack->control(first => { latencyMs => 200 });
my $done = sub { return scalar grep { (state_of($_)->{status} // '-') eq 'done' } @ids };
for my $round (1 .. 3) {
    my $before = $done->();
    $workers[0]->signal('KILL');
    $workers[0]->ended;
    $stack->reload(nowait => 1);
    my ($victim) = $stack->workers;
    kill KILL => $victim;
    $workers[0] = worker(3);
    Stack::until_true("progress in round $round", sub {
        my $now = $done->();
        return $now > $before || $now == @ids;
    });
}
my $end = time + 60;
Time::HiRes::sleep(0.05) until $done->() == @ids || time > $end;
is($done->(), scalar @ids, 'kills and reloads: nothing is lost');
is($db->sql(q{SELECT count(*) FROM atelier.generation
              WHERE status IN ('failed', 'cancelled')}), 0, '... nor failed');
is($db->sql(q{SELECT count(*) - count(DISTINCT result->>'url')
              FROM atelier.generation WHERE status = 'done'}), 0,
   '... each has its own picture');

$_->signal('TERM') for @workers;
$_->ended for @workers;
$stack->finish(allow => qr/exited on signal 9/);
done_testing();
