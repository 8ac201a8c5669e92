# WebSockets: the handshake, frames right and wrong, and what is left of the
# request that a socket came by.

use strict;
use warnings;
use lib 't/helper';
use JSON::PP ();
use Stack;
use Test::More;
use WebSocket;

my $wide = 'max_sockets_per_address=0 messages=10000/s pings=10000/s';
my $stack = Stack->new(server => <<"END");
        location = /live  { atelier_live $wide; }
        location = /echo  { atelier_live $wide; atelier_live_echo on; }
        location = /plain { atelier_live $wide deflate=off; }
        location = /shop  { atelier_live origin=https://shop.example
                                         origin=https://*.shop.example; }
        location = /file  { return 200 "one page"; }
END

my $port = $stack->{port};
my $json = JSON::PP->new->utf8;

sub ask {
    my ($path, %headers) = @_;
    my $ws = WebSocket->connect($port);
    $ws->send(WebSocket::request($path, %headers));
    $ws->response;
    return $ws;
}

sub metric { return $stack->metric("atelier_sockets_$_[0]"); }

# The handshake.

my $ws = WebSocket->open($port, '/live', 'X-Request-ID' => 'abc');
is($ws->header('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
   "the answer of RFC 6455's example");
is(lc $ws->header('Upgrade'), 'websocket', 'Upgrade');
is(lc $ws->header('Connection'), 'upgrade', 'Connection');
is($ws->header('X-Request-ID'), 'abc', 'X-Request-ID');
is($ws->header($_), undef, "no $_")
    for qw(Content-Length Transfer-Encoding Sec-WebSocket-Protocol
           Sec-WebSocket-Extensions);
is(metric('open'), 1, 'one socket is open');

$ws->text('{"type":"ping","t":7}');
is_deeply($json->decode($ws->message), { type => 'pong', t => 7 },
          'a ping is answered');
for my $case ([ 'not json', 'invalid_json' ],
              [ '{"type":"dance"}', 'unknown_type' ],
              [ '{"type":"subscribe","channel":"cats:1"}',
                'unknown_channel' ])
{
    $ws->text($case->[0]);
    my $error = $json->decode($ws->message);
    is("$error->{type} $error->{code}", "error $case->[1]", $case->[0]);
}
$ws->text('{"type":"ping"}');
is($ws->message, '{"type":"pong"}', '... and the socket lives');
$ws->close(1000, 'bye');
is_deeply([ $ws->closed ], [ 1000, '' ], 'a Close is answered by its code');
ok($ws->eof, 'and the server hangs up');
Stack::until_true('the socket to be forgotten', sub { !metric('open') });
is(metric('closed_total{by="client",code="1000"}'), 1, 'it is counted');

for my $case ([ 426, 'upgrade_required', Upgrade => undef ],
              [ 426, 'upgrade_required', 'Sec-WebSocket-Version' => 8 ],
              [ 400, 'invalid_handshake', Connection => 'close' ],
              [ 400, 'invalid_handshake', 'Sec-WebSocket-Key' => 'short' ],
              [ 400, 'invalid_handshake', 'Content-Length' => 5 ],
              [ 405, 'method_not_allowed', method => 'POST' ],
              [ 505, 'http_version', http => '1.0', Host => undef ],
              [ 403, 'origin_not_allowed', Origin => 'http://evil.example' ])
{
    my ($status, $code, %headers) = @$case;
    my $res = ask('/live', %headers);
    is($res->{status}, $status, "$status for " . join ' ', map { $_ // 'none' }
                                                 %headers);
    is($json->decode($res->body)->{code}, $code, "... $code");
    is($res->header('Sec-WebSocket-Version'), 13, '... and the version')
        if $status == 426;
    is($res->header('Allow'), 'GET', '... and what is allowed')
        if $status == 405;
}

is(ask('/live', Origin => 'http://shop.example')->{status}, 101,
   'pages of the same host may connect');
is(ask('/shop', Origin => 'https://a.shop.example')->{status}, 101,
   'and those of the list');
is(ask('/shop', Origin => 'http://shop.example')->{status}, 403,
   'which takes the place of "self"');

# What may be before and behind a handshake in a packet.

my $hello = WebSocket::frame(text => 'hello');
for my $case ([ 'frames', $hello x 3, '' ],
              [ 'half a frame', $hello . substr($hello, 0, 4),
                substr($hello, 4) . $hello ],
              [ 'one byte', substr($hello, 0, 1),
                substr($hello, 1) . $hello . $hello ])
{
    my ($what, $early, $late) = @$case;
    for my $more ([ '', () ], [ ' after 12 kB of headers',
                               map { ("X-Large-$_" => 'x' x 3000) } 1 .. 4 ])
    {
        my ($name, %headers) = @$more;
        $ws = WebSocket->connect($port);
        $ws->send(WebSocket::request('/echo', %headers), $early);
        is($ws->response, 101, "$what in the packet of the handshake$name");
        $ws->send($late);
        is(join(',', map { $ws->message } 1 .. 3), 'hello,hello,hello',
           '... all come back');
    }
}

my $get = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
$ws = WebSocket->connect($port);
$ws->send($get, $get, WebSocket::request('/echo'), $hello);
for (1 .. 2) {
    is($ws->response, 200, 'a request in front of the handshake');
    is($ws->body, 'one page', '... is answered');
}
is($ws->response, 101, 'then the handshake');
is($ws->message, 'hello', 'then the frame behind it');

# Frames.

$ws = WebSocket->open($port, '/echo');
$ws->send(WebSocket::frame(text => 'gr', fin => 0),
          WebSocket::frame(ping => 'between'),
          WebSocket::frame(continuation => "\xc3", fin => 0),
          WebSocket::frame(continuation => "\xbcn"));
is_deeply([ $ws->next ], [ 'pong', 'between', 0 ],
          'a ping between fragments is answered at once');
is($ws->message, "gr\xc3\xbcn", 'fragments are joined, inside a character');
for my $len (0, 125, 126, 65535, 65536) {
    my $data = 'x' x $len;
    $ws->send(WebSocket::frame(binary => $data));
    my ($type, $back) = $ws->next;
    ok($type eq 'binary' && $back eq $data, "$len bytes come back");
}
$ws->send($_) for split //, WebSocket::frame(text => 'byte by byte');
is($ws->message, 'byte by byte', 'a frame in bytes');
$ws->send(WebSocket::frame(pong => 'nobody asked'), $hello);
is($ws->message, 'hello', 'a pong is passed over');

for my $case (
    [ 1002, 'no mask', WebSocket::frame(text => 'x', mask => 0) ],
    [ 1002, 'a reserved bit', WebSocket::frame(text => 'x', rsv => 2) ],
    [ 1002, 'a compressed frame, not agreed on',
      WebSocket::frame(text => 'x', rsv => 4) ],
    [ 1002, 'a reserved opcode', WebSocket::frame(3 => 'x') ],
    [ 1002, 'a fragmented ping', WebSocket::frame(ping => 'x', fin => 0) ],
    [ 1002, 'a long ping', WebSocket::frame(ping => 'x' x 126) ],
    [ 1002, 'a continuation of nothing',
      WebSocket::frame(continuation => 'x') ],
    [ 1007, 'bad UTF-8', WebSocket::frame(text => "\xff") ],
    [ 1007, 'bad UTF-8 in a message that is not complete',
      WebSocket::frame(text => "a\xed\xa0\x80", fin => 0) ],
    [ 1009, 'a message that is too long, at its head',
      substr(WebSocket::frame(text => 'x' x 65537), 0, 14) ],
    [ 1002, 'a Close with a reserved code',
      WebSocket::frame(close => pack 'n', 1006) ],
    [ 1002, 'a Close of one byte', WebSocket::frame(close => 'x') ],
    [ 1007, 'a Close with a bad reason',
      WebSocket::frame(close => pack 'na*', 1000, "\xff") ])
{
    my ($code, $what, $bytes) = @$case;
    my $before = metric("closed_total{by=\"server\",code=\"$code\"}");
    $ws = WebSocket->open($port, '/echo');
    $ws->send($hello, $bytes);
    is($ws->message, 'hello', "$what: what was before is served");
    is(($ws->closed)[0], $code, "... then $code");
    ok($ws->eof, '... and the end');
    close $ws->{socket};
    Stack::until_true('the close to be counted', sub {
        metric("closed_total{by=\"server\",code=\"$code\"}") == $before + 1;
    });
}

$ws = WebSocket->open($port, '/live');
$ws->send(WebSocket::frame(binary => 'x'));
is(($ws->closed)[0], 1003, 'the protocol is text');

$ws = WebSocket->open($port, '/echo');
$ws->close;
is(($ws->closed)[0], 1005, 'a Close without a code is answered by one');

# Compression.

$ws = WebSocket->open($port, '/echo', 'Sec-WebSocket-Extensions' =>
                      'permessage-deflate; client_max_window_bits');
like($ws->header('Sec-WebSocket-Extensions'),
     qr/^permessage-deflate; .*server_no_context_takeover/,
     'compression is agreed on, without context takeover');
my $long = join ',', 1 .. 500;
$ws->send(WebSocket::frame(text => WebSocket::deflate($long), rsv => 4))
    for 1 .. 2;
for (1 .. 2) {
    my ($type, $back, $rsv) = $ws->next;
    is($rsv, 4, 'a long message comes compressed');
    cmp_ok(length $back, '<', length($long) / 2, '... and shorter');
    ok(WebSocket::inflate($back) eq $long, '... the same');
}
$ws->text('short');
is_deeply([ $ws->next ], [ 'text', 'short', 0 ], 'a short one as it is');
$ws->send(WebSocket::frame(text => WebSocket::deflate('x' x 10_000_000),
                           rsv => 4));
is(($ws->closed)[0], 1009, 'a bomb is 1009');
is(ask('/plain', 'Sec-WebSocket-Extensions' => 'permessage-deflate')
   ->header('Sec-WebSocket-Extensions'), undef, 'deflate=off');

# One line of the access log a socket.

my $opened = metric('opened_total');
my $lines = sub {
    my $log = Stack::slurp("$stack->{home}/logs/access.log");
    return scalar(() = $log =~ /" 101 /g);
};
Stack::until_true('the last line', sub { $lines->() >= $opened });
is($lines->(), $opened, 'each has one line in the log');

# Many, of which some vanish in the middle of something.

my @many;
for my $n (1 .. 300) {
    my $one = WebSocket->connect($port);
    $one->send(WebSocket::request('/echo'),
               $n % 3 ? $hello : substr $hello, 0, $n % 8);
    push @many, $one if $n % 2;
}
is(scalar(grep { $_->response == 101 } @many), 150, 'a crowd is let in');
@many = ();
undef $ws;
Stack::until_true('all of them to be forgotten', sub { !metric('open') });

$stack->finish;
done_testing();
