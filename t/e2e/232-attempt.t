# /attempt on the egress socket, as a worker of the queue asks it: one run for
# what was queued, done when PostgreSQL says so, and never paid for twice.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::UNIX ();
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new;
my $ids = 0;
my $stack = Stack->new(
    providers => [ groq => 'format=openai timeout=10s' ],
    http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                 . ' atelier_visitor $http_x_visitor;',
    egress    => 'location = /attempt { atelier_attempt; }');

sub configure {
    my ($providers, %opt) = @_;
    $stack->configure(
        providers => $providers,
        http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                     . ' atelier_visitor $http_x_visitor;',
        egress    => "location = /attempt { atelier_attempt"
                     . " @{[ $opt{attempt} // '' ]}; }");
    $stack->reload;
    return;
}

sub send_attempt {
    my ($body) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => "$stack->{home}/egress.sock")
        or die "connect: $!";
    my $json = ref $body ? JSON::PP::encode_json($body) : $body;
    print {$socket} "POST /attempt HTTP/1.1\r\nHost: egress\r\n",
        "Connection: close\r\nContent-Type: application/json\r\n",
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    return $socket;
}

sub answer_of {
    my ($socket) = @_;
    local $/;
    my ($status, $head, $body) =
        (readline($socket) // '') =~ m{^HTTP/1\.1 (\d+)(.*?)\r\n\r\n(.*)}s;
    close $socket;      # else nginx lingers
    return { status => $status // '-', head => $head,
             json => eval { JSON::PP::decode_json($body) } };
}

sub attempt { return answer_of(send_attempt(@_)); }

sub said { return "$_[0]{status} " . ($_[0]{json}{code} // $_[0]{json}{status}); }

# One more in the queue.
sub queue {
    my ($body, $jobs) = @_;
    my $id = sprintf '%032x', ++$ids;
    my $json = JSON::PP::encode_json($body);
    my $adopted = JSON::PP::encode_json($jobs // []);
    my $seed = $body->{seed} // 'NULL';
    $db->sql(qq{SELECT atelier.generation_queue('$id',
        decode(md5('$id'), 'hex'), '$json', decode(md5('$json'), 'hex'), $seed,
        NULL, NULL, 'req-$id', '$adopted', 4102444800000)});
    return $id;
}

# Leases the next one, as the worker does; what is to be sent.
sub take {
    my ($row) = $db->sql(q{SELECT row_to_json(t) FROM
        atelier.generation_take('test', 60000) t});
    my $t = JSON::PP::decode_json($row);
    return { id => $t->{id}, fence => $t->{fence}, request => $t->{request},
             jobs => $t->{jobs}, requestId => $t->{request_id} };
}

sub status_of {
    my ($id) = @_;
    return $db->sql("SELECT status FROM atelier.generation WHERE id = '$id'");
}

sub calls { return $stack->counters($_[0] // 'groq')->{calls}; }

# A picture.

my $id = queue({ prompt => 'in its turn', style => 'modern' });
my $sent = take();
my $res = attempt($sent);
is(said($res), '200 done', 'a picture');
is($res->{json}{id}, $id, '... of that id');
is($res->{json}{provider}, 'groq', '... and its maker');
is(status_of($id), 'done', '... PostgreSQL has it');
like($res->{head}, qr/X-Request-ID: req-$id/, '... by its request id');
is($stack->http->get($stack->url($res->{json}{url}))->{status}, 200,
   '... and it is there');
my $get = $stack->http->get($stack->url("/generate/$id"));
is_deeply(JSON::PP::decode_json($get->{content}), $res->{json},
          '... for who asks');
is($stack->metric('atelier_attempts_total{result="done"}'), 1,
   '... and is counted');
is($stack->metric('atelier_generate_requests_total{result="done"}'), 0,
   '... apart from others');

# Asked again, as after a crash: from the disk.

my $before = calls();
my $again = attempt($sent);
is(said($again), '200 done', 'the same again');
is($again->{json}{url}, $res->{json}{url}, '... the same picture');
is($again->{json}{provider}, undef, '... whose maker is not known any more');
is($again->{json}{width}, $res->{json}{width}, '... its width is');
is($again->{json}{enhancedPrompt}, $res->{json}{enhancedPrompt},
   '... and its prompt');
is(calls(), $before, '... and nobody was asked');

# A lease that is lost, a client that has gone.

$id = queue({ prompt => 'lost' });
$sent = take();
$db->sql("UPDATE atelier.generation SET fence = fence + 1 WHERE id = '$id'");
is(said(attempt($sent)), '409 lease_lost', 'another one has the lease');
is(status_of($id), 'running', '... and it is not done by this');
$sent->{fence}++;
$before = calls();
is(said(attempt($sent)), '200 done', '... but the picture is there for that one');
is(calls(), $before, '... who need not pay');

$id = queue({ prompt => 'cancelled' });
$sent = take();
$db->sql("SELECT atelier.generation_cancel('$id', decode(md5('$id'), 'hex'))");
is(said(attempt($sent)), '409 cancelled', 'cancelled meanwhile');
Stack::until_true('the picture to go', sub {
    return !glob "$stack->{home}/generated/$id.*";
});
pass('... and its picture is nobody\'s');

# The worker leaves: it is done all the same.

$stack->control(groq => { latencyMs => 700 });
$id = queue({ prompt => 'nobody listens' });
close send_attempt(take());
Stack::until_true('the row', sub { status_of($id) eq 'done' });
pass('a worker that leaves');

# A reload in the middle.

$stack->control(groq => { latencyMs => 4000 });
$id = queue({ prompt => 'reload' });
my $socket = send_attempt(take());
ok($stack->wait_for('groq', 'inFlight==1'), 'an attempt is under way');
my @old = $stack->reload(nowait => 1);
is(said(answer_of($socket)), '200 done', '... and a reload does not cut it');
$stack->gone(@old);

# Two at the same time, as when a lease ended under one: the first picture is
# that of both.

$id = queue({ prompt => 'twice' });
$sent = take();
my @both = map { send_attempt($sent) } 1 .. 2;
ok($stack->wait_for('groq', 'inFlight==2'), 'two attempts of one');
@both = map { answer_of($_) } @both;
is(join(' ', map { said($_) } @both), '200 done 200 done', '... both are done');
is(scalar(my @files = glob "$stack->{home}/generated/*$id*"), 1,
   '... by one picture');
is(scalar(grep { $_->{json}{provider} } @both), 1, '... of one of them');

# A seed that is known.

$stack->control(groq => {});
$db->sql('TRUNCATE atelier.generation');
is($stack->generate({ prompt => 'seeded', seed => 5 })->{status}, 200,
   'with a seed');
Stack::until_true('the record', sub {
    return $db->sql('SELECT count(*) FROM atelier.generation') == 1;
});
$before = calls();
queue({ prompt => 'seeded', seed => 5 });
my $two = attempt(take());
is(said($two), '200 done', '... an equal one');
is($two->{json}{cached}, JSON::PP::true, '... is known');
is(calls(), $before, '... and cost nothing');

# Refusals: final ones, and those that pass.

$stack->control(groq => { mode => 'moderated' });
queue({ prompt => 'moderated' });
is(said(attempt(take())), '422 moderated', 'moderated');
$stack->control(groq => { mode => 'status', status => 503 });
$id = queue({ prompt => 'not now' });
$sent = take();
$res = attempt($sent);
is(said($res), '503 providers_unavailable', 'not now');
like($res->{head}, qr/Retry-After: \d+/, '... with Retry-After');
is_deeply($res->{json}{jobs}, [], '... no job is left');
is($res->{json}{attempts}[0]{outcome}, 'transient', '... and the outcomes');
is(status_of($id), 'running', '... the row is the worker\'s to put back');
$db->stop;
$stack->control(groq => {});
is(said(attempt({ %$sent, id => 'f' x 32 })), '503 queue_unavailable',
   'PostgreSQL is away: not done');
$db->start;
$before = calls();
$id = queue({ prompt => 'later' });
Stack::until_true('PostgreSQL', sub {
    return said(attempt({ %$sent, id => 'f' x 32 })) eq '409 cancelled';
});
is(calls(), $before, '... and the picture is not made twice');

# What is wrong with a body.

for my $body ('', '{}', '[]', '{"id":"x","fence":1,"request":{"prompt":"a"}}',
              { %$sent, request => {} }, { %$sent, fence => 'x' },
              { %$sent, jobs => [ { provider => 'groq' } ] },
              { %$sent, jobs => [ { provider => 'groq', job => '../x' } ] })
{
    is(attempt($body)->{status}, 400,
       'refused: ' . (ref $body ? JSON::PP::encode_json($body) : $body));
}

# One at a time, if so configured.

configure([ one => 'format=openai timeout=10s' ], attempt => 'max_in_flight=1');
$stack->control(one => { latencyMs => 5000 });
my $refused = sub {
    return $stack->metric('atelier_attempts_total{result="unavailable"}');
};
$before = $refused->();
$db->sql('TRUNCATE atelier.generation');
queue({ prompt => "number $_" }) for 1 .. 4;
my @sent = map { take() } 1 .. 4;
my @sockets = map { send_attempt($_) } @sent;
my @got = sort map { said(answer_of($_)) } @sockets;
like(join(', ', @got), qr/^(200 done, ){1,2}(503 too_many_in_flight(, )?){2,3}$/,
     'one at a time in each worker');
is($refused->() - $before, scalar(grep { /^503/ } @got), '... and it is counted');

# A job that its deadline overtook is in the row, and an attempt polls on.

configure([ replicate => 'format=replicate model=a/b timeout=2500ms' ]);
$stack->control(replicate => { runMs => 4000 });
$db->sql('TRUNCATE atelier.generation');
my $client = $stack->generate({ prompt => 'takes long' }, 'X-Visitor' => 'ann');
is($client->{status}, 202, 'a job past its deadline: 202');
$sent = take();
is($sent->{jobs}[0]{provider}, 'replicate', '... the job is in its row');
$before = calls('replicate');
$res = attempt($sent);
for (1 .. 20) {
    last if $res->{status} != 503;
    is_deeply($res->{json}{jobs}, $sent->{jobs}, '... given back');
    $res = attempt($sent);
}
is(said($res), '200 done', '... polled to its end');
is($res->{json}{provider}, 'replicate', '... by its provider');
is(calls('replicate'), $before, '... and not paid for twice');
is($stack->counters('replicate')->{cancels}, 0, '... nor called off');

# One that still runs at the deadline is given back, as it is.

$stack->control(replicate => { runMs => 60_000 });
$client = $stack->generate({ prompt => 'takes longer' }, 'X-Visitor' => 'ann');
is($client->{status}, 202, 'a longer one: 202');
$sent = take();
$res = attempt($sent);
is(said($res), '503 providers_unavailable', '... still at it');
is_deeply($res->{json}{jobs}, $sent->{jobs}, '... its job is given back');
is($stack->counters('replicate')->{cancels}, 0, '... not called off');

# A job whose provider has lost it: others are asked.

configure([ replicate => 'format=replicate model=a/b timeout=2500ms',
            quick     => 'format=openai priority=2' ]);
$sent->{jobs}[0]{job} = 'nosuchjob';
$before = calls('replicate');
$res = attempt($sent);
is(said($res), '200 done', 'a job that is lost: made anew');
is($res->{json}{provider}, 'quick', '... by another one');

# Its visitor does not want it: the job is called off.

configure([ replicate => 'format=replicate model=a/b timeout=2500ms' ]);
$client = $stack->generate({ prompt => 'not wanted' }, 'X-Visitor' => 'ann');
is($client->{status}, 202, 'one more: 202');
$res = $stack->http->delete($stack->url("/generate/$client->{json}{id}"),
                            { headers => { 'X-Visitor' => 'ann' } });
is($res->{status}, 204, '... cancelled');
ok($stack->wait_for('replicate', 'cancels>=1'), '... and its job called off');

$stack->finish;
done_testing();
