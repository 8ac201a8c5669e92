# Progress line by line (Accept: application/x-ndjson) over time: told while
# others are still at it, clients that leave or do not read, HTTP/2 windows, a
# reload in the middle.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::INET;
use Stack;
use Test::More;

my @providers = (
    groq      => 'format=openai priority=1 timeout=15s max_fails=0',
    stability => 'format=stability priority=2 timeout=15s max_fails=0',
);
my $stack = Stack->new(listen => 'http2', providers => \@providers,
                       server => 'send_timeout 60s;');    # no HTTP/1.1 there
my $plain = Stack->new(providers => \@providers);

# Every line goes to the code as it comes; what it dies of ends the connection.
sub lines_of {
    my ($on, $body, $code) = @_;
    my ($text, @lines) = ('');
    my $res = $on->http->post($on->url('/generate'), {
        headers => { 'Content-Type' => 'application/json',
                     Accept => 'application/x-ndjson' },
        content => JSON::PP::encode_json($body),
        data_callback => sub {
            $text .= $_[0];
            while ($text =~ s/^(.*)\n//) {
                my $line = JSON::PP::decode_json($1);
                push @lines, $line;
                $code->($line) if $code;
            }
        },
    });
    is($text, '', 'nothing but whole lines');
    return ($res, @lines);
}

# In short: "started groq", "groq transient", "answer 200".
sub short {
    return map { $_->{type} eq 'answer' ? "answer $_->{status}"
                 : $_->{type} eq 'started' ? "started $_->{provider}"
                 : "$_->{provider} $_->{outcome}" } @_;
}

sub fails { return { mode => 'status', status => 500 } }

# A failure is told while the other one is still at it; and then the client
# leaves.

$plain->control(groq => fails());
$plain->control(stability => { mode => 'hang' });
my $busy;
my (undef, @lines) = lines_of($plain, { prompt => 'leaving' }, sub {
    return if $_[0]{type} ne 'attempt';
    $busy = $plain->wait_for('stability', 'inFlight==1');
    die "that is enough\n";
});
is_deeply([ short(@lines) ],
          [ 'started groq', 'started stability', 'groq transient' ],
          'a failure is told');
ok($busy, '... while the other one is at it');
ok($plain->wait_for('stability', 'aborted>=1'),
   'the client leaves: the call is ended');
Stack::until_true('the abort to be counted', sub {
    ($plain->metric('atelier_generate_requests_total{result="aborted"}') // 0)
        == 1
        && ($plain->metric('atelier_provider_outcomes_total'
                . '{provider="stability",outcome="cancelled"}') // 0) >= 1;
});
is($plain->metric('atelier_provider_outcomes_total'
                  . '{provider="stability",outcome="cancelled"}'), 1,
   '... and counted, once');

# The picture, with a loser that is taken off the wire.

$plain->reset_sandbox;
$plain->control(stability => { mode => 'hang' });
my ($res, @all) = lines_of($plain, { prompt => 'a room' });
is($res->{status}, 200, 'a race');
is_deeply([ sort +(short(@all))[2, 3] ], [ 'groq won', 'stability cancelled' ],
          '... with all ends');
is((short(@all))[-1], 'answer 200', '... and the answer last');
my $row = $all[-1]{body};
is($row->{provider}, 'groq', '... which is the usual one');
is_deeply([ map { my %a = %$_; delete $a{type}; \%a } @all[2, 3] ],
          [ sort { ($a->{outcome} ne 'won') <=> ($b->{outcome} ne 'won') }
            @{ $row->{attempts} } ], '... with the same attempts');
is($plain->http->get($plain->url($row->{url}))->{status}, 200,
   '... and its picture is there');
ok($plain->wait_for('stability', 'aborted>=1,inFlight==0'),
   '... and the loser saw the end');

# Deadlines, one after the other.

$plain->reset_sandbox;
$plain->configure(providers => [
    groq      => 'format=openai priority=1 timeout=300ms max_fails=0',
    stability => 'format=stability priority=2 timeout=1s max_fails=0',
]);
$plain->reload;
$plain->control($_ => { mode => 'hang' }) for qw(groq stability);
(undef, @lines) = lines_of($plain, { prompt => 'too long' });
is_deeply([ short(@lines) ], [ 'started groq', 'started stability',
                               'groq deadline', 'stability deadline',
                               'answer 503' ], 'each deadline is told');
is($lines[-1]{body}{code}, 'providers_unavailable', '... and why');
ok($lines[-1]{retryAfter} >= 1, '... and when to come again');

# A hedge is told when it starts.

sub hedge {
    my ($after) = @_;
    $plain->configure(providers => \@providers, generate =>
        "strategy=hedge hedge_min=$after hedge_max=$after");
    $plain->reload;
    return;
}

$plain->reset_sandbox;
hedge('60s');
$plain->generate({ prompt => "credit $_", width => 256, height => 256 })
    for 1 .. 10;
hedge('50ms');
$plain->control(groq => { mode => 'hang' });
(undef, @lines) = lines_of($plain, { prompt => 'hedged' });
is_deeply([ (short(@lines))[0, 1], sort +(short(@lines))[2, 3] ],
          [ 'started groq', 'started stability', 'groq cancelled',
            'stability won' ], 'a hedge is told of');
is($plain->metric('atelier_generate_hedges_total'), 1, '... and was one');

# A picture that cannot be stored has won, and is none.

$plain->configure(providers => \@providers);
$plain->reload;
$plain->reset_sandbox;
rename "$plain->{home}/generated", "$plain->{home}/away" or die "rename: $!";
(undef, @lines) = lines_of($plain, { prompt => 'nowhere' });
rename "$plain->{home}/away", "$plain->{home}/generated" or die "rename: $!";
is($lines[-1]{status}, 503, 'no place for it');
is($lines[-1]{body}{code}, 'storage_failed', '... in the last line');

# On one connection, by a client that reads little at a time.

my $long = join ' ', ('word') x 1900;
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                   PeerPort => $plain->{port})
    or die "connect: $!";
setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', 4096;
my $done = sub {
    return $plain->metric('atelier_generate_requests_total{result="done"}')
           // 0;
};
for my $n (1 .. 3) {
    my $json = JSON::PP::encode_json({ prompt => $long });
    my $before = $done->();
    print {$socket} "POST /generate HTTP/1.1\r\nHost: localhost\r\n",
        "Content-Type: application/json\r\nAccept: application/x-ndjson\r\n",
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    Stack::until_true('it is done', sub { $done->() > $before }) if $n < 3;
    my $text = '';
    while ($text !~ /\r\n0\r\n\r\n\z/) {
        sysread $socket, my $more, 1000 or last;
        $text .= $more;
    }
    $text =~ s/^.*?\r\n\r\n//s;
    $text =~ s/\r\n[0-9a-f]+\r\n|^[0-9a-f]+\r\n//g;
    my ($last) = $text =~ /^(\{"type":"answer".*)$/m;
    is(eval { JSON::PP::decode_json($last)->{body}{prompt} }, $long,
       "on one connection: number $n is whole");
}
close $socket;

# HTTP/2.

my ($DATA, $HEADERS, $RST, $SETTINGS, $WINDOW_UPDATE) = (0, 1, 3, 4, 8);
my ($END_STREAM, $END_HEADERS) = (1, 4);

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1)
           . pack('CCN', $type, $flags, $stream) . $payload;
}

sub h2_text { return pack 'C/a*', $_[0] }

# A stream of a connection whose windows are closed, and its answer begins.
sub h2_begin {
    my ($prompt) = @_;
    my $h2 = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                   PeerPort => $stack->{port})
        or die "connect: $!";
    print {$h2} "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        frame($SETTINGS, 0, 0, pack 'nN', 4, 0),    # INITIAL_WINDOW_SIZE
        frame($HEADERS, $END_HEADERS, 1,
              "\x83\x86\x04" . h2_text('/generate')       # POST http
              . "\x01" . h2_text('localhost')
              . "\x00" . h2_text('content-type') . h2_text('application/json')
              . "\x00" . h2_text('accept')
              . h2_text('application/x-ndjson')),
        frame($DATA, $END_STREAM, 1, qq({"prompt":"$prompt"}));
    $h2->flush;
    h2_until($h2, sub { $_[0] == $HEADERS });
    return $h2;
}

sub h2_window {
    my ($h2, $bytes) = @_;
    print {$h2} frame($WINDOW_UPDATE, 0, 1, pack 'N', $bytes);
    $h2->flush;
    return;
}

# What the stream brings until the code is true of (type, flags, text so far);
# each piece is told to the other code.
sub h2_until {
    my ($h2, $enough, $each) = @_;
    my $text = '';
    my $ok = eval {
        local $SIG{ALRM} = sub { die "no end of the stream\n" };
        alarm 30;
        while (1) {
            read($h2, my $head, 9) == 9 or die "closed\n";
            my ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', $head;
            my $len = $high << 16 | $low;
            read($h2, my $payload, $len) == $len or die "closed\n";
            next if $stream != 1;
            $text .= $payload if $type == $DATA;
            $each->(length $payload) if $each && $type == $DATA;
            last if $enough->($type, $flags, $text);
        }
        alarm 0;
        1;
    };
    alarm 0;
    return $ok ? $text : $text . $@;
}

sub at_end { return $_[0] == $DATA && $_[1] & $END_STREAM }

my $ended = qr/"type":"attempt","provider":"groq","outcome":"transient"/;

# Lines wait for a window, and go when there is one, in the midst of the race.

$stack->control(groq => fails());
$stack->control(stability => { mode => 'hang' });
my $h2 = h2_begin('a window');
h2_window($h2, 65_535);
like(h2_until($h2, sub { $_[2] =~ $ended }), $ended,
     'HTTP/2: lines come when there is a window');
ok($stack->wait_for('stability', 'inFlight==1'), '... amid the race');
print {$h2} frame($RST, 0, 1, pack 'N', 8);
$h2->flush;
ok($stack->wait_for('stability', 'aborted>=1'),
   '... and a stream that is reset ends it');
close $h2;

# The whole of it in small windows, each given when the last is used up.

$stack->reset_sandbox;
$stack->control(groq => fails());
$h2 = h2_begin('small windows');
h2_window($h2, 7);
my $text = h2_until($h2, \&at_end, sub { h2_window($h2, 7) });
@lines = map { eval { JSON::PP::decode_json($_) } // {} } split /\n/, $text;
is_deeply([ short(@lines) ], [ 'started groq', 'started stability',
                               'groq transient', 'stability won',
                               'answer 200' ], 'HTTP/2: in pieces of 7 bytes');
close $h2;

# Not before all is over.

$h2 = h2_begin('late');
ok($stack->wait_for('stability', 'ok>=2'), 'all is over');
h2_window($h2, 65_535);
@lines = map { JSON::PP::decode_json($_) } split /\n/, h2_until($h2, \&at_end);
is((short(@lines))[-1], 'answer 200', 'HTTP/2: all of it afterwards');
close $h2;

# One that never reads is given up after send_timeout, and so is its race.

$stack->configure(
    listen => 'http2', server => 'send_timeout 200ms;',
    providers => [ map { s/timeout=15s/timeout=60s/r } @providers ]);
$stack->reload;
$stack->reset_sandbox;
$stack->control($_ => { mode => 'hang' }) for qw(groq stability);
$h2 = h2_begin('never read');
ok($stack->wait_for($_, 'aborted>=1'), "HTTP/2: who never reads is given up: $_")
    for qw(groq stability);
close $h2;

# A reload in the middle.

$plain->control($_ => { latencyMs => 3000 }) for qw(groq stability);
my @old;
($res, @lines) = lines_of($plain, { prompt => 'over a reload' }, sub {
    @old = $plain->reload(nowait => 1) if !@old;
});
ok(@old > 0, 'a reload in the middle');
is((short(@lines))[-1], 'answer 200', '... and the answer comes');
$plain->gone(@old);
is($plain->generate({ prompt => 'afterwards' })->{status}, 200,
   '... and the next one, from a new worker');

# None of this has left anything behind.

for my $on ($stack, $plain) {
    ok($on->wait_for($_, 'inFlight==0'), "nothing goes on at $_")
        for qw(groq stability);
    $on->finish(allow => qr/of picture/);
}
done_testing();
