# Progress line by line where PostgreSQL has a part in it: the queue's 202, keys,
# seeds, equal ones at the same time, and rows of clients that leave.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::INET ();
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new;
my $n = 0;
my ($stack, $name);

# A provider that nobody has met yet, with one worker: equal requests meet.
sub fresh {
    $name = 'slot' . $n++;
    my @conf = (
        workers   => 1,
        providers => [ $name => 'format=openai timeout=15s max_fails=0' ],
        http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                     . ' atelier_visitor $http_x_visitor;');
    if ($stack) {
        $stack->configure(@conf);
        $stack->reload;
    } else {
        $stack = Stack->new(@conf);
    }
    $db->sql('TRUNCATE atelier.generation');
    return;
}

sub calls { return $stack->counters($name)->{calls}; }

sub rows {
    return join ', ', $db->sql(q{SELECT status || ' ' || count(*)
        FROM atelier.generation GROUP BY status ORDER BY status});
}

# Sends, and reads as far as is wanted.
sub begin {
    my ($body, %headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $stack->{port})
        or die "connect: $!";
    my $json = JSON::PP::encode_json($body);
    print {$socket} "POST /generate HTTP/1.0\r\nHost: localhost\r\n",
        "Accept: application/x-ndjson\r\nContent-Type: application/json\r\n",
        "X-Visitor: ann\r\n", map({ "$_: $headers{$_}\r\n" } sort keys %headers),
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    return $socket;
}

sub until_line {
    my ($socket, $what) = @_;
    while (my $line = <$socket>) {
        return 1 if $line =~ $what;
    }
    return 0;
}

sub rest {
    my ($socket) = @_;
    my $text = do { local $/; <$socket> } // '';
    close $socket;
    my ($status, $head, $body) =
        $text =~ m{^HTTP/1\.1 (\d+)(.*?\r\n)\r\n(.*)}s or return { text => $text };
    my @lines = map { JSON::PP::decode_json($_) } split /\n/, $body;
    return { status => $status, head => $head, body => $body, lines => \@lines,
             last => $lines[-1], type => $head =~ /^Content-Type: (\S+)\r/mi };
}

sub ask { return rest(begin(@_)) }

# What was said, in short: of lines, and of a usual answer.
sub said {
    my ($got) = @_;
    return join ', ', "$got->{status} $got->{type}",
        map { !$_->{type} || !$_->{provider}
              && $_->{type} ne 'answer' ? $_->{code} // $_->{status}
              : $_->{type} eq 'answer' ? "answer $_->{status} "
                    . ($_->{body}{code} // $_->{body}{status})
              : $_->{type} eq 'started' ? 'started' : $_->{outcome} }
        @{ $got->{lines} };
}

my $lines = '200 application/x-ndjson, started';
my $plain = '200 application/json';

# Queued after all have failed; then at once, as nobody can be asked.

fresh();
$stack->control($name => { mode => 'rate_limit', variant => 'seconds',
                           retryAfter => 600 });
my $got = ask({ prompt => 'later' });
is(said($got), "$lines, rate_limited, answer 202 queued", 'queued');
is($got->{last}{location}, "/generate/$got->{last}{body}{id}",
   '... with its address');
is($got->{last}{body}{position}, 1, '... and its place');
unlike($got->{head}, qr/^Location/mi, '... which is in no header');
is(rows(), 'queued 1', '... and on disk');
$got = ask({ prompt => 'later' });
is(said($got), '202 application/json, queued',
   'nobody can be asked: the usual answer');
like($got->{head}, qr{^Location: /generate/$got->{lines}[0]{id}\r}mi,
     '... with its header');

# Keys: the first one has lines, all others the same answer as ever.

fresh();
$got = ask({ prompt => 'once' }, 'Idempotency-Key' => 'k');
is(said($got), "$lines, won, answer 200 done", 'with a key');
is(rows(), 'done 1', '... its row is there before the answer');
my $again = ask({ prompt => 'once' }, 'Idempotency-Key' => 'k');
is(said($again), "$plain, done", 'again');
is_deeply($again->{lines}[0], $got->{last}{body}, '... it is the same');
is(said(ask({ prompt => 'else' }, 'Idempotency-Key' => 'k')),
   '422 application/problem+json, idempotency_key_reused', 'another request');

fresh();
$stack->control($name => { mode => 'moderated' });
is(said(ask({ prompt => 'no' }, 'Idempotency-Key' => 'm')),
   "$lines, moderated, answer 422 moderated", 'refused for its words');
is(rows(), 'failed 1', '... is known');

fresh();
$stack->control($name => { mode => 'hang' });
my $socket = begin({ prompt => 'slow' }, 'Idempotency-Key' => 's');
ok(until_line($socket, qr/"started"/), 'one that takes long has started');
is(said(ask({ prompt => 'slow' }, 'Idempotency-Key' => 's')),
   '409 application/problem+json, in_progress', '... which others are told');
is(rows(), 'running 1', '... its row is there');
close $socket;
ok($stack->wait_for($name, 'aborted>=1'), 'its client leaves: so does the call');
Stack::until_true('the row to go', sub { rows() eq '' });
pass('... and the row');

# Cancelled by its visitor, while it is made.

fresh();
$stack->control($name => { latencyMs => 6000 });
$socket = begin({ prompt => 'cancelled' }, 'Idempotency-Key' => 'c');
ok(until_line($socket, qr/"started"/), 'one more');
$db->sql('SELECT atelier.generation_cancel(id, visitor)'
         . ' FROM atelier.generation');
ok(until_line($socket, qr/"answer","status":409,"body":\{.*"cancelled"/),
   'is cancelled meanwhile');
close $socket;

# Seeds: one that was drawn before, and equal ones at the same time.

fresh();
$stack->control($name => { latencyMs => 5000 });
my @all = map { begin({ prompt => 'equal', seed => 1 }) } 1 .. 3;
my @said = sort map { said(rest($_)) } @all;
is_deeply(\@said, [ ("$plain, done") x 2, "$lines, won, answer 200 done" ],
          'equal ones: the first has lines, and all an answer');
Stack::until_true('the record', sub { rows() =~ /^done/ });
is(said(ask({ prompt => 'equal', seed => 1 })), "$plain, done",
   'and so has a later one');
is(calls(), 1, '... for one call');

# The first one's client leaves: the next one of them goes on, with lines.

fresh();
$stack->control($name => { mode => 'hang' });
my $first = begin({ prompt => 'left', seed => 1 });
ok(until_line($first, qr/"started"/), 'the first of two');
my $second = begin({ prompt => 'left', seed => 1 });
$stack->metric('atelier_up');           # served behind the second one
$stack->control($name => { mode => 'ok' });
close $first;
is(said(rest($second)), "$lines, won, answer 200 done",
   '... leaves, and the second goes on');

# PostgreSQL goes away in the middle.

fresh();
$stack->control($name => { mode => 'hang' });
$socket = begin({ prompt => 'away' });
ok(until_line($socket, qr/"started"/), 'one without a key');
$db->stop;
$stack->control($name => { mode => 'ok' });
$stack->_end(sandbox => 'TERM');        # which breaks the call off
ok(until_line($socket, qr/"answer","status":503,"retryAfter":\d+,"body":\{.*
                          "providers_unavailable"/x),
   'is answered without PostgreSQL');
close $socket;

$stack->finish(allow => qr/\[crit\].*PGSQL|PostgreSQL/);
done_testing();
