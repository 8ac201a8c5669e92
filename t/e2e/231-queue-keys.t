# Requests that come again: by Idempotency-Key, by seed, and at the same time.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new;
my $n = 0;
my ($stack, $name);

# A provider that nobody has met yet, with one worker: equal requests meet.
sub fresh {
    my (%opt) = @_;
    $name = 'slot' . $n++;
    my @conf = (
        workers   => 1,
        providers => [ $name => 'format=openai timeout=15s' ],
        http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                     . ' atelier_visitor $http_x_visitor;',
        egress    => 'location = /attempt { atelier_attempt; }', %opt);
    if ($stack) {
        $stack->configure(@conf);
        $stack->reload;
    } else {
        $stack = Stack->new(@conf);
    }
    $db->sql('TRUNCATE atelier.generation');
    return;
}

sub generate {
    my ($body, $key, $visitor) = @_;
    return $stack->generate($body, 'X-Visitor' => $visitor // 'ann',
        defined $key ? ('Idempotency-Key' => $key) : ());
}

sub said { return "$_[0]{status} " . ($_[0]{json}{code} // $_[0]{json}{status}); }

sub calls { return $stack->counters($name)->{calls}; }

sub rows {
    return join ', ', $db->sql(q{SELECT status || ' ' || count(*)
        FROM atelier.generation GROUP BY status ORDER BY status});
}

sub send_one {
    my ($body, %headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $stack->{port})
        or die "connect: $!";
    my $json = JSON::PP::encode_json($body);
    print {$socket} "POST /generate HTTP/1.1\r\nHost: localhost\r\n",
        "Connection: close\r\nContent-Type: application/json\r\n",
        "X-Visitor: ann\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers),
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    return $socket;
}

sub answer_of {
    my ($socket) = @_;
    local $/;
    my ($status, $body) =
        (readline($socket) // '') =~ m{^HTTP/1\.1 (\d+).*?\r\n\r\n(.*)}s;
    close $socket;      # else nginx lingers
    return { status => $status // '-', content => $body,
             json => eval { JSON::PP::decode_json($body) } };
}

# The same key: one picture.

fresh();
my $one = generate({ prompt => 'once', style => 'modern' }, 'k-1');
is($one->{status}, 200, 'with a key');
is(rows(), 'done 1', '... its row is there before the answer is');
my $two = generate({ style => 'modern', prompt => ' once ', x => 1 }, 'k-1');
is($two->{status}, 200, 'the same again, written otherwise');
is($two->{content}, $one->{content}, '... has the same answer');
is(calls(), 1, '... and cost nothing');
is(said(generate({ prompt => 'else' }, 'k-1')), '422 idempotency_key_reused',
   'another body: 422');
is(generate({ prompt => 'once', style => 'modern' }, 'k-1', 'bob')->{status},
   200, "somebody else's key is another one");
is(calls(), 2, '... and made anew');
is($stack->metric('atelier_generate_requests_total{result="replayed"}'), 1,
   'the metrics have it');

# Keys that are none.

for my $key ('a b', 'k' x 256) {
    my $res = generate({ prompt => 'a' }, $key);
    is(said($res), '400 invalid_idempotency_key', 'no key: ' . substr $key, 0, 9);
    is($res->{json}{field}, 'Idempotency-Key', '... by name');
}
is(generate({ prompt => 'a' }, 'k' x 255)->{status}, 200, 'a long one');
is(generate({ prompt => 'a' }, q{"it's"\\;--})->{status}, 200, 'an odd one');

# A direct attempt that still runs: 409, then the answer.

fresh();
$stack->control($name => { latencyMs => 6000 });
my $socket = send_one({ prompt => 'slowly' }, 'Idempotency-Key' => 's');
Stack::until_true('the row', sub { rows() eq 'running 1' });
my $busy = generate({ prompt => 'slowly' }, 's');
is(said($busy), '409 in_progress', 'still at it: 409');
is($busy->{headers}{'retry-after'}, 1, '... with Retry-After');
my $slow = answer_of($socket);
is($slow->{status}, 200, '... the first one is answered');
is(generate({ prompt => 'slowly' }, 's')->{content}, $slow->{content},
   '... and then both have it');

# Its client leaves: nothing hangs, and the key is free.

fresh();
$stack->control($name => { mode => 'hang' });
$socket = send_one({ prompt => 'never mind' }, 'Idempotency-Key' => 'gone');
ok($stack->wait_for($name, 'inFlight==1'), 'a provider was asked');
is(rows(), 'running 1', '... the row is there');
close $socket;
ok($stack->wait_for($name, 'aborted>=1'), 'the client leaves: so does the call');
Stack::until_true('the row to go', sub { rows() eq '' });
$stack->control($name => { mode => 'ok' });
is(generate({ prompt => 'never mind' }, 'gone')->{status}, 200,
   '... and it may come back');

# Final failures are the same again; passing ones wait in the queue.

fresh();
$stack->control($name => { mode => 'moderated' });
is(said(generate({ prompt => 'no' }, 'm')), '422 moderated', 'moderated');
is(rows(), 'failed 1', '... is known');
is(said(generate({ prompt => 'no' }, 'm')), '422 moderated', '... for ever');
is(calls(), 1, '... without a call');
my ($shown) = $db->sql(q{SELECT atelier.generation_get(id)
                         FROM atelier.generation});
is_deeply([ $shown =~ /"status":\s*([^,}]+)/g ], ['"failed"'],
          '... and shown as failed, once');
like($shown, qr/"code":\s*"moderated"/, '... and why');
fresh();
$stack->control($name => { mode => 'rate_limit', variant => 'seconds',
                           retryAfter => 600 });
my $wait = generate({ prompt => 'later' }, 'q');
is(said($wait), '202 queued', 'queued, with a key');
is(generate({ prompt => 'later' }, 'q')->{content}, $wait->{content},
   '... the same 202 again');
is(generate({ prompt => 'later' }, 'q')->{headers}{location},
   "/generate/$wait->{json}{id}", '... with its address');
is(rows(), 'queued 1', '... and one row');
$db->sql(q{SELECT atelier.generation_take('test', 60000)});
is(said(generate({ prompt => 'later' }, 'q')), '202 running',
   'taken by a worker: 202 running');
$db->sql(q{SELECT atelier.generation_cancel(id, visitor)
           FROM atelier.generation});
is(said(generate({ prompt => 'later' }, 'q')), '409 cancelled', 'cancelled: 409');

# A disk that refuses is no end: the key is free.

fresh(pictures => 'keep=1h');
chmod 0500, "$stack->{home}/generated";
SKIP: {
    skip 'root may write anywhere', 2 if $> == 0;
    is(said(generate({ prompt => 'disk' }, 'd')), '503 storage_failed',
       'not stored');
    Stack::until_true('the row to go', sub { rows() eq '' });
    pass('... and no row');
}
chmod 0700, "$stack->{home}/generated";

# A seed: an equal request that is done is the answer, whosever it was.

fresh();
$one = generate({ prompt => 'a seed', seed => 7 });
is($one->{status}, 200, 'with a seed');
Stack::until_true('the record', sub { rows() eq 'done 1' });
$two = generate({ seed => 7, prompt => 'a seed ' }, undef, 'bob');
is($two->{status}, 200, 'an equal one');
is_deeply($two->{json}, { %{ $one->{json} }, cached => JSON::PP::true },
          '... is answered from it, and says so');
is(calls(), 1, '... and cost nothing');
is($stack->metric('atelier_generate_requests_total{result="cached"}'), 1,
   '... as the metrics have it');
my $keyed = generate({ prompt => 'a seed', seed => 7 }, 'with-key', 'bob');
is($keyed->{json}{id}, $one->{json}{id}, '... with a key, too');
is(generate({ prompt => 'a seed', seed => 7 }, 'with-key', 'bob')->{json}{id},
   $one->{json}{id}, '... again');
is(calls(), 1, '... and cost nothing');
generate({ prompt => 'a seed', seed => 8 });
is(calls(), 2, 'another seed is another picture');
generate({ prompt => 'a seed', seed => 7, width => 512 });
is(calls(), 3, '... as is another size');
generate({ prompt => 'a seed' }) for 1 .. 2;
is(calls(), 5, '... and without a seed each is one');

# It stands in the list of each who was answered with it, and stays until the
# last of them does not want it any more.

sub list {
    my ($visitor) = @_;
    my $res = $stack->http->get($stack->url('/generate'),
                                { headers => { 'X-Visitor' => $visitor } });
    return grep { $_ eq $one->{json}{id} } map { $_->{id} }
           @{ JSON::PP::decode_json($res->{content})->{results} };
}

sub remove {
    my ($visitor) = @_;
    return $stack->http->delete($stack->url("/generate/$one->{json}{id}"),
        { headers => { 'X-Visitor' => $visitor } })->{status};
}

sub status { return $stack->http->get($stack->url($_[0]))->{status}; }

generate({ prompt => 'a seed', seed => 7 }, undef, 'cid');
generate({ prompt => 'a seed', seed => 7 });
Stack::until_true('the lists', sub { list('cid') });
is(scalar(list('cid')), 1, "it is in another one's list");
is(scalar(list('ann')), 1, "... and once in its owner's");
is(remove('ann'), 204, 'its owner deletes it');
is(remove('ann'), 404, '... for himself');
is(status("/generate/$one->{json}{id}"), 200, '... for others it is there');
is(status($one->{json}{url}), 200, '... with its picture');
is(remove('cid'), 204, 'another one deletes it');
is(status($one->{json}{url}), 200, '... and the picture stays for the last');
is(remove('bob'), 204, 'so does the last');
Stack::until_true('the picture to go', sub { status($one->{json}{url}) == 404 });
is(status("/generate/$one->{json}{id}"), 404, '... and all of it is gone');

fresh();
$one = generate({ prompt => 'a seed', seed => 7 });
Stack::until_true('the record', sub { rows() eq 'done 1' });
unlink "$stack->{home}$one->{json}{url}" or die "unlink: $!";
$two = generate({ prompt => 'a seed', seed => 7 });
is($two->{status}, 200, 'its picture is gone');
isnt($two->{json}{id}, $one->{json}{id}, '... so it is made anew');

fresh();
$one = generate({ prompt => 'a seed', seed => 7 });
Stack::until_true('the record', sub { rows() eq 'done 1' });
unlink "$stack->{home}$one->{json}{url}" or die "unlink: $!";
$two = generate({ prompt => 'a seed', seed => 7 }, 'a-key', 'bob');
isnt($two->{json}{id}, $one->{json}{id}, '... as it is for a key');
is(status($two->{json}{url}), 200, '... with its picture');
$one = generate({ prompt => 'a seed', seed => 7 }, 'a-key', 'bob');
is($one->{content}, $two->{content}, '... which stays its answer');
is(calls(), 2, '... and cost one call');

# A client that leaves while PostgreSQL is being asked leaves nothing behind.

sub while_locked {
    my ($what, $body, %headers) = @_;
    my $locker = fork // die "fork: $!";
    if (!$locker) {
        exec "$db->{bin}/psql", '-XAtq', $db->conninfo, '-c',
            q{BEGIN; LOCK atelier.generation; SELECT pg_sleep(60)}
            or POSIX::_exit(1);
    }
    my $count = sub {
        return $db->sql(q{SELECT count(*) FROM pg_locks l JOIN pg_class c
            ON c.oid = l.relation WHERE relname = 'generation' AND } . $_[0]);
    };
    Stack::until_true('the lock', sub {
        return $count->(q{mode = 'AccessExclusiveLock' AND granted});
    });
    my $gone = $stack->metric('atelier_generate_requests_total{result="aborted"}');
    my $socket = send_one($body, %headers);
    Stack::until_true('the statement', sub { $count->('NOT granted') });
    close $socket;
    Stack::until_true('the end of the request', sub {
        return $stack->metric(
            'atelier_generate_requests_total{result="aborted"}') > $gone;
    });
    kill KILL => $locker;
    waitpid $locker, 0;
    $db->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()});
    Stack::until_true("$what: all statements", sub {
        return $db->sql(q{SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'atelier' AND state <> 'idle'}) == 0
            && $stack->metric('atelier_postgres_pending') == 0;
    });
    is(rows(), '', "$what: the client leaves, and no row is left");
    return;
}

fresh();
while_locked('a key', { prompt => 'gone' }, 'Idempotency-Key' => 'left');
is(calls(), 0, '... and nobody was asked');
$stack->control($name => { mode => 'rate_limit', variant => 'seconds',
                           retryAfter => 600 });
generate({ prompt => 'runs into the limit' });
$db->sql('TRUNCATE atelier.generation');
while_locked('the queue', { prompt => 'gone' });

# At the same time: one race.

fresh();
$stack->control($name => { latencyMs => 5000 });
my @all = map { send_one({ prompt => 'together', seed => 1 }) } 1 .. 6;
my @got = map { answer_of($_) } @all;
is(join(' ', map { $_->{status} } @got), '200 200 200 200 200 200',
   'six equal ones');
is(calls(), 1, '... one call');
is(scalar(keys %{ { map { $_->{json}{id} => 1 } @got } }), 1, '... one picture');
is(scalar(grep { $_->{json}{cached} } @got), 5, '... and five say so');
is($stack->metric('atelier_generate_requests_total{result="shared"}'), 5,
   '... as the metrics have it');

# One of two equal ones is cancelled while it makes the picture for both.

fresh();
$stack->control($name => { latencyMs => 6000 });
my @pair = send_one({ prompt => 'for two', seed => 3 },
                    'Idempotency-Key' => 'two');
ok($stack->wait_for($name, 'inFlight==1'), 'one of two equal ones is made');
push @pair, send_one({ prompt => 'for two', seed => 3 });
$db->sql("SELECT atelier.generation_cancel(id, visitor) FROM"
         . " atelier.generation WHERE idem_key = 'two'");
@pair = map { answer_of($_) } @pair;
is(said($pair[0]), '409 cancelled', '... and cancelled meanwhile');
is(said($pair[1]), '200 done', 'the other one is answered');
is(status("/generate/$pair[1]{json}{id}"), 200, '... with what is there');
is(status($pair[1]{json}{url}), 200, '... and its picture');

# The first one's client leaves: the others go on.

fresh();
$stack->control($name => { mode => 'hang' });
@all = send_one({ prompt => 'the first leaves', seed => 1 });
ok($stack->wait_for($name, 'inFlight==1'), 'one is at it');
push @all, map { send_one({ prompt => 'the first leaves', seed => 1 }) } 1 .. 3;
my $last = pop @all;
close $last;
my $more = send_one({ prompt => 'another one', seed => 1 });
ok($stack->wait_for($name, 'inFlight==2'), '... and others wait');
$stack->control($name => { latencyMs => 300 });
my $before = calls();
close shift @all;
@got = map { answer_of($_) } @all;
is(join(' ', map { $_->{status} } @got), '200 200', 'the first leaves: 200');
is(calls() - $before, 1, '... by one call');
close $more;

# No picture for the first one: none for the others, and all wait in line.

fresh();
$stack->control($name => { latencyMs => 5000, mode => 'moderated' });
@all = map { send_one({ prompt => 'refused', seed => 2 }) } 1 .. 3;
is(join(' ', map { said(answer_of($_)) } @all), '422 moderated' . ' 422 moderated' x 2,
   'refused: all are');
is(calls(), 1, '... by one call');
$stack->control($name => { latencyMs => 5000, mode => 'status', status => 503 });
$before = calls();
@all = map { send_one({ prompt => 'unavailable', seed => 3 }) } 1 .. 3;
is(join(' ', map { said(answer_of($_)) } @all), '202 queued' . ' 202 queued' x 2,
   'nobody can: all are queued');
is(calls() - $before, 1, '... by one call');

# A reload in the middle of all this.

fresh();
$stack->control($name => { latencyMs => 5000 });
@all = (send_one({ prompt => 'reload', seed => 9 }),
        send_one({ prompt => 'reload', seed => 9 }),
        send_one({ prompt => 'keyed' }, 'Idempotency-Key' => 'r'));
ok($stack->wait_for($name, 'inFlight==2'), 'two races');
my @old = $stack->reload(nowait => 1);
is(join(' ', map { answer_of($_)->{status} } @all), '200 200 200',
   'a reload: all are answered');
$stack->gone(@old);
is(said(generate({ prompt => 'keyed' }, 'r')), '200 done', '... and known');

$stack->finish;
done_testing();
