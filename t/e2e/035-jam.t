# Thirty generations at once that never end, and all clients leave: nothing
# is left behind, in nginx or in the sandbox, and the next one is served.

use strict;
use warnings;
use lib 't/helper';
use IO::Socket::INET ();
use JSON::PP ();
use Stack;
use Test::More;

my $N = 30;
my %jam = (
    hang      => { mode => 'hang' },
    hang_body => { mode => 'hang_body' },
    drip      => { mode => 'drip', bytesPerSecond => 20 },
    latency   => { latencyMs => 600_000 },
);

my $stack = Stack->new(providers => [
    groq      => 'format=openai timeout=60s max_fails=0',
    stability => 'format=stability timeout=60s max_fails=0',
]);
my ($sandbox) = $stack->{sandbox} =~ m{//(.*)};

# A generation of the sandbox's own, without nginx between.
my $direct = sub {
    my ($prompt) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $sandbox)
        or die "connect: $!";
    my $json = JSON::PP::encode_json({ model => 'sandbox',
                                       prompt => $prompt });
    print {$socket} "POST /groq/v1/images/generations HTTP/1.1\r\n",
        "Host: localhost\r\nAuthorization: Bearer sk-sandbox-test\r\n",
        "Content-Type: application/json\r\n",
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    return $socket;
};

my $alone = sub { return $direct->($_[0]) };
my $behind = sub { return $stack->send_generate({ prompt => $_[0] }) };

for my $mode (sort keys %jam) {
    for my $way ([ 'the sandbox alone', $alone, 'groq' ],
                 [ 'nginx', $behind, 'groq', 'stability' ])
    {
        my ($what, $send, @providers) = @$way;

        $stack->reset_sandbox;
        $stack->control($_ => $jam{$mode}) for @providers;

        my @sockets = map { $send->("n $_") } 1 .. $N;
        ok($stack->wait_for($_, "inFlight==$N"), "$mode, $what: $_ has $N")
            for @providers;

        close $_ for @sockets;
        ok($stack->wait_for($_, "aborted==$N,inFlight==0"),
           "... all gone when their clients are, at $_") for @providers;
    }

    $stack->reset_sandbox;
    is($stack->generate({ prompt => "after $mode" })->{status}, 200,
       '... and the next one is served');
}

Stack::until_true('the aborts to be counted', sub {
    return ($stack->metric('atelier_generate_requests_total'
                           . '{result="aborted"}') // 0) == $N * keys %jam;
});
for my $provider (qw(groq stability)) {
    ok(eval { Stack::until_true('the calls to be counted', sub {
        return ($stack->metric('atelier_provider_outcomes_total'
                               . "{provider=\"$provider\","
                               . 'outcome="cancelled"}') // 0)
               >= $N * keys %jam;
    }) }, "... and calls of $provider as cancelled");
}

$stack->finish;
done_testing();
