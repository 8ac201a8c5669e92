# What sockets may not do, who is sent away, and what a reload or the death of
# a worker leaves of them.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;
use WebSocket;

my $drain = '8s';
my $server = sub { return <<"END" };
        location = /few    { atelier_live max_sockets_per_address=3; }
        location = /rate   { atelier_live messages=5/s pings=3/s; }
        location = /quiet  { atelier_live ping=200ms timeout=10s; }
        location = /slow   { atelier_live max_queue=1m max_message=16k
                                          messages=100000/s timeout=300ms;
                             atelier_live_echo on; }
        location = /burst  { atelier_live max_queue=16k;
                             atelier_live_echo on; }
        location = /live   { atelier_live max_sockets_per_address=0
                                          messages=100000/s
                                          drain=$drain; }
END
my $stack = Stack->new(server => $server->(),
                       main => 'worker_shutdown_timeout 30s;');
my $port = $stack->{port};
like($stack->log_text, qr/published in one of the 2 workers does not reach/,
     'several workers without Redis are warned of');

sub metric { return $stack->metric("atelier_sockets_$_[0]"); }

sub all_closed {
    Stack::until_true('all sockets to be forgotten',
                      sub { metric('open') == 0 });
    return;
}

# So many of an address, over all workers.

my @held = map { WebSocket->open($port, '/few') } 1 .. 3;
for my $n (4 .. 6) {
    my $ws = WebSocket->open($port, '/few');
    my ($code, $reason) = $ws->closed;
    is($code, 1013, "socket $n of an address is closed by 1013");
    like($reason, qr/too many sockets/, '... which says why');
    push @held, $ws;        # their Close is not answered: still counted
}
my $ws = WebSocket->connect($port);
$ws->send(WebSocket::request('/few'));
is($ws->response, 429, 'beyond twice the limit it is 429');
is($ws->header('Retry-After'), 10, '... with Retry-After');

$ws = WebSocket->open($port, '/few', from => '127.0.0.2');
$ws->text('{"type":"ping"}');
is($ws->message, '{"type":"pong"}', 'another address is let in');

(pop @held)->close(1000) for 4 .. 6;
Stack::until_true('those to be forgotten', sub { metric('open') == 4 });
$_->text('{"type":"ping"}') for @held;
is($_->message, '{"type":"pong"}', 'who was let in stays') for @held;
(shift @held)->close(1000);
Stack::until_true('one to be forgotten', sub { metric('open') == 3 });
push @held, WebSocket->open($port, '/few');
$held[2]->text('{"type":"ping"}');
is($held[2]->message, '{"type":"pong"}', 'one that ends makes room for one');

# A worker that is killed takes its sockets with it, and gives back their
# number.

my $opened = metric('opened_total');
my @workers = $stack->workers;
kill KILL => @workers;
$stack->gone(@workers);
is(scalar(grep { $_->eof } @held, $ws), 4, 'killed workers end their sockets');
@held = map { WebSocket->open($port, '/few') } 1 .. 3;
$_->text('{"type":"ping"}') for @held;
is($_->message, '{"type":"pong"}', 'their places are free again') for @held;
is(metric('opened_total'), $opened + 3, 'and what they counted is kept');
@held = ();
all_closed();

# Floods.

$ws = WebSocket->open($port, '/rate');
$ws->send(WebSocket::frame(text => '{"type":"ping"}') x 6);
is($ws->message, '{"type":"pong"}', "message $_ is answered") for 1 .. 5;
is_deeply([ $ws->closed ], [ 1008, 'too many messages a second' ],
          'the sixth within a second is one too many');

$ws = WebSocket->open($port, '/rate');
$ws->send(WebSocket::frame(ping => 'x') x 2, WebSocket::frame(pong => '') x 2);
is_deeply([ $ws->closed ], [ 1008, 'too many pings a second' ],
          'pings and pongs have a limit as well');

# Who sends and does not read is not read either, and is sent away in the end.

$ws = WebSocket->open($port, '/slow');
my $message = WebSocket::frame(binary => 'x' x 16000);
$ws->{socket}->blocking(0);
my $sent = 0;
Stack::until_true('the server to stop reading', sub {
    local $SIG{PIPE} = 'IGNORE';
    for (;;) {
        my $n = syswrite $ws->{socket}, $message;
        if (!defined $n) {
            last if $!{EAGAIN};
            return 1;
        }
        $sent += $n;
        substr $message, 0, $n, '';
        $message = WebSocket::frame(binary => 'x' x 16000) if $message eq '';
    }
    return metric('closed_total{by="server",code="1013"}') >= 4;
});
cmp_ok($sent, '<', 64 * 1024 * 1024, 'it took no more than kernels buffer');
is(metric('closed_total{by="server",code="1013"}'), 4,
   'a client that reads nothing is ended');
close $ws->{socket};
all_closed();

# More than may wait for a client, in one turn of the loop.

$ws = WebSocket->open($port, '/burst',
                      'Sec-WebSocket-Extensions' => 'permessage-deflate');
$ws->send(WebSocket::frame(binary => WebSocket::deflate('x' x 10_000),
                           rsv => 4) x 3);
is_deeply([ $ws->next ],
          [ 'close', pack('n', 1013) . 'too slow: messages wait', 0 ],
          'what waits is dropped when it is too much');
$ws->close(1013);
ok($ws->eof, '... and the socket is closed');

# Who goes on sending when the socket is closed is cut off.

$ws = WebSocket->open($port, '/rate');
$ws->send(WebSocket::frame(binary => 'x'));
is(($ws->closed)[0], 1003, 'a closed socket');
$sent = 0;
$sent += length $message while $sent < 1e9 && $ws->send($message);
cmp_ok($sent, '<', 64 * 1024 * 1024, '... is not read for long');
all_closed();

# Signs of life.

$ws = WebSocket->open($port, '/quiet');
for (1 .. 3) {
    is(($ws->next)[0], 'ping', 'a silent client is pinged');
    $ws->send(WebSocket::frame(pong => ''));
}
is(($ws->next)[0], 'ping', '... again');
is(($ws->next)[0], 'eof', 'without an answer the server hangs up');
Stack::until_true('its end to be counted', sub {
    return metric('closed_total{by="server",code="1006"}') >= 1;
});
is(metric('closed_total{by="server",code="1006"}'), 1, 'it is counted');

# A reload: all are sent away, one by one, and served until then.

my @sockets = map { WebSocket->open($port, '/live') } 1 .. 60;
my $mute = WebSocket->open($port, '/live');
my @old = $stack->reload(nowait => 1);
my (%when, $round);
my $served = 0;
Stack::until_true('all of them to be sent away', sub {
    $round++;
    for my $n (grep { !$when{$_} } 0 .. $#sockets) {
        my $ws = $sockets[$n];
        $ws->text('{"type":"ping"}') if !$ws->{asked}++;
        next if !$ws->ready;
        my ($type, $payload) = $ws->next;
        if ($type eq 'text') {
            $served++;
            $ws->{asked} = 0;
            next;
        }
        is(unpack('n', $payload), 1012, "socket $n is sent away by 1012");
        $ws->close(1012);
        ok($ws->eof, '... and ended');
        $when{$n} = $round;
    }
    return keys %when == @sockets;
});
cmp_ok($served, '>', 0, 'others were served meanwhile');
my %rounds = map { $_ => 1 } values %when;
cmp_ok(scalar keys %rounds, '>', 1, 'they did not all go at once');
is(($mute->closed)[0], 1012, 'one more, which does not answer');
$stack->gone(@old);
pass('does not keep its worker');
is(metric('closed_total{by="server",code="1012"}'), 61, 'they are counted');
all_closed();

# worker_shutdown_timeout is the end of all patience.

$drain = '1h';
$stack->configure(server => $server->(),
                  main => 'worker_shutdown_timeout 200ms;');
$stack->reload;
like($stack->log_text, qr/not longer than drain=3600000ms/,
     'a drain that is cut short is warned of');
$ws = WebSocket->open($port, '/live');
$stack->reload;
is(($ws->closed)[0], 1012, 'the rest is sent away at worker_shutdown_timeout');

$stack->finish(allow => qr/exited on signal 9/);
done_testing();
