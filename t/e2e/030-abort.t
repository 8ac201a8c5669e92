# Clients that leave, connections that go on: HTTP/1.1 and HTTP/2.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::INET;
use Stack;
use Test::More;

my $stack = Stack->new(
    listen => 'http2',
    providers => [
        groq      => 'format=openai priority=1 timeout=15s',
        stability => 'format=stability priority=2 timeout=15s',
    ]);
my $plain = Stack->new(providers => [
    groq      => 'format=openai priority=1 timeout=15s',
    stability => 'format=stability priority=2 timeout=15s',
]);

# HTTP/1.1: the client closes while both providers think.

$plain->control($_ => { mode => 'hang' }) for qw(groq stability);

for my $round (1 .. 3) {
    my $socket = $plain->send_generate({ prompt => 'never mind' });
    ok($plain->wait_for($_, "inFlight==1"), "round $round: $_ was asked")
        for qw(groq stability);
    close $socket;
    ok($plain->wait_for($_, "aborted>=$round"), "... and saw the client go")
        for qw(groq stability);
}

Stack::until_true('the aborts to be counted', sub {
    ($plain->metric('atelier_generate_requests_total{result="aborted"}') // 0)
        == 3;
});
Stack::until_true('their calls to be counted', sub {
    ($plain->metric('atelier_provider_outcomes_total'
                    . '{provider="groq",outcome="cancelled"}') // 0) >= 3;
});
is($plain->metric('atelier_provider_outcomes_total'
                  . '{provider="groq",outcome="cancelled"}'), 3,
   'aborts are counted as cancelled calls');

# Keep-alive: several races on one connection, each with losers.

$plain->control(groq => { latencyMs => 20 });
my $before = $plain->counters('groq')->{calls};
for my $n (1 .. 5) {
    my $res = $plain->generate({ prompt => "number $n" });
    is($res->{status}, 200, "keep-alive: race $n is answered");
}
is($plain->counters('groq')->{calls} - $before, 5, '... by five calls');

my $socket = $plain->send_generate({ prompt => 'on one connection' });
for my $n (1 .. 3) {
    my ($status, $length) = ('', 0);
    while (my $line = <$socket>) {
        $status = $1 if $line =~ m{^HTTP/1\.1 (\d+)};
        $length = $1 if $line =~ /^Content-Length: (\d+)/i;
        last if $line eq "\r\n";
    }
    my $body;
    read $socket, $body, $length;
    is($status, 200, "one socket, answer $n");
    my $json = '{"prompt":"again"}';
    print {$socket} "POST /generate HTTP/1.1\r\nHost: localhost\r\n",
        "Content-Type: application/json\r\nContent-Length: ",
        length $json, "\r\n\r\n$json" if $n < 3;
    $socket->flush;
}
close $socket;

# HTTP/2: parallel races on one connection, and a stream that is reset.

SKIP: {
    my @curl = qw(curl -s --no-progress-meter --http2-prior-knowledge --max-time 20);
    skip 'curl without HTTP/2', 1 if `curl -V` !~ /HTTP2/;

    $stack->control(stability => { mode => 'hang' });
    $stack->control(groq => { latencyMs => 100 });

    my $url = $stack->url('/generate');
    my @each = ('-H', 'Content-Type: application/json', '-d',
                '{"prompt":"over http2"}', '-o', "$stack->{home}/temp/#1",
                '-w', '%{http_version} %{http_code}\n');
    my @parallel = ('--parallel', '--parallel-immediate');
    my $out = '';
    open my $pipe, '-|', @curl, @parallel, @each, "$url?n=[1-8]"
        or die "curl: $!";
    $out .= $_ while <$pipe>;
    close $pipe;
    is($out, "2 200\n" x 8, 'HTTP/2: eight parallel races are answered');
    ok($stack->wait_for('stability', 'aborted>=8'),
       '... and eight losers were cancelled');

    $stack->control(groq => { mode => 'hang' });
    my $seen = $stack->counters('groq')->{aborted};
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec @curl, '-H', 'Content-Type: application/json', '-d',
             '{"prompt":"gone"}', $url or POSIX::_exit(1);
    }
    ok($stack->wait_for('groq', 'inFlight==1'), 'HTTP/2: a race is on');
    kill TERM => $pid;
    waitpid $pid, 0;
    ok($stack->wait_for('groq', 'aborted>=' . ($seen + 1)),
       '... and its client going ends it');
}

# HTTP/2: a refusal that the client has no window for yet is sent to its end
# when it has one.

my $h2 = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                               PeerPort => $stack->{port})
    or die "connect: $!";
my $frame = sub {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1)
           . pack('CCN', $type, $flags, $stream) . $payload;
};
my $text = sub { return pack 'C/a*', $_[0] };
my ($DATA, $HEADERS, $SETTINGS, $WINDOW_UPDATE) = (0, 1, 4, 8);
my ($END_STREAM, $END_HEADERS) = (1, 4);
my $INITIAL_WINDOW_SIZE = 4;

my $got = eval {
    local $SIG{ALRM} = sub { die "no end of the stream\n" };
    alarm 20;
    print {$h2} "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        $frame->($SETTINGS, 0, 0, pack 'nN', $INITIAL_WINDOW_SIZE, 0),
        $frame->($HEADERS, $END_HEADERS, 1,
                 "\x83\x86\x04" . $text->('/generate')       # POST http
                 . "\x01" . $text->('localhost')
                 . "\x00" . $text->('content-type')
                 . $text->('application/json')),
        $frame->($DATA, $END_STREAM, 1, '{}');
    $h2->flush;
    my ($body, $flags) = ('', 0);
    until ($flags & $END_STREAM) {
        read($h2, my $head, 9) == 9 or die "closed\n";
        my ($high, $low, $type, $stream);
        ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', $head;
        my $len = $high << 16 | $low;
        read($h2, my $payload, $len) == $len or die "closed\n";
        $flags = 0 if $stream != 1;
        $body .= $payload if $type == $DATA && $stream == 1;
        if ($type == $HEADERS) {
            print {$h2} $frame->($WINDOW_UPDATE, 0, 1, pack 'N', 65_535);
            $h2->flush;
        }
    }
    alarm 0;
    $body;
};
alarm 0;
like($got // $@, qr/"status":400/, 'HTTP/2: an answer waits for its window');
close $h2;

$_->finish for $stack, $plain;
done_testing();
