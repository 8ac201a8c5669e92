# WebSockets over TLS, which keep more of their connection than others.

use strict;
use warnings;
use lib 't/helper';
use File::Temp ();
use Live;
use POSIX ();
use Socket ();
use Stack;
use Test::More;
use WebSocket;

my $openssl = qx(openssl version 2>&1);
plan skip_all => 'openssl, the program, is not there' if $? != 0;

my $port = Stack::free_port();
my $key = File::Temp->new;
my $pem = qx(openssl req -x509 -newkey rsa:2048 -nodes -days 2 \\
             -subj /CN=localhost -keyout $key -out - 2>/dev/null);
my $cert = File::Temp->new;
print {$cert} $pem;
$cert->flush;

my $TOKEN = '0123456789abcdef0123456789abcdef';
my $tokens = File::Temp->new;
print {$tokens} "$TOKEN\n";
$tokens->flush;

my $stack = Stack->new(workers => 1, server => <<"ONE", http => <<"END");
        location = /publish { atelier_publish;
                              atelier_operator token_file=$tokens; }
ONE
    server {
        listen 127.0.0.1:$port ssl sndbuf=16k;
        ssl_certificate $cert;
        ssl_certificate_key $key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location = /echo { atelier_live max_sockets_per_address=0 drain=100ms
                                        messages=1000/s;
                           atelier_live_echo on; }
        location = /live { atelier_live max_queue=8m deflate=off; }
        location = /file { return 200 "one page"; }
    }
END

sub metric { return $stack->metric("atelier_sockets_$_[0]"); }

# What this says goes through TLS; its process ends when its input does.
package Tunnel {
    sub new {
        my ($class, $version) = @_;
        socketpair my $ours, my $theirs, Socket::AF_UNIX(),
                   Socket::SOCK_STREAM(), 0 or die "socketpair: $!";
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            open STDIN, '<&', $theirs or POSIX::_exit(1);
            open STDOUT, '>&', $theirs or POSIX::_exit(1);
            open STDERR, '>', '/dev/null' or POSIX::_exit(1);
            close $ours;
            close $theirs;
            exec 'openssl', 's_client', '-quiet', "-$version", '-connect',
                 "127.0.0.1:$port" or POSIX::_exit(1);
        }
        close $theirs;
        return ($ours, $pid);
    }
}

my $hello = WebSocket::frame(text => 'hello');
my $get = "GET /file HTTP/1.1\r\nHost: a\r\n\r\n";
my @large = map { ("X-Large-$_" => 'x' x 3000) } 1 .. 4;

for my $version ('tls1_2', 'tls1_3') {
    my ($socket, $pid) = Tunnel->new($version);
    my $ws = WebSocket->connect($port, socket => $socket);
    $ws->send($get, WebSocket::request('/echo', @large), $hello,
              substr $hello, 0, 4);
    is($ws->response, 200, "$version: a request before the handshake");
    $ws->body;
    is($ws->response, 101, '... which is answered');
    $ws->send(substr $hello, 4);
    is($ws->message, 'hello', "... frame $_ of its packet") for 1 .. 2;

    my $long = join '', map { chr ord('a') + $_ % 26 } 1 .. 60000;
    $ws->text($long) for 1 .. 20;
    is(scalar(grep { $ws->message eq $long } 1 .. 20), 20,
       '... long messages over many records');

    $ws->send(WebSocket::frame(text => "\xff"));
    is(($ws->closed)[0], 1007, '... bad UTF-8');
    ok($ws->eof, '... and the end, said by TLS too');
    waitpid $pid, 0;
    is($?, 0, '... so that the client is content');
}

# Messages that come one by one while the client does not read: what TLS has
# been given once it is given again, though by then more is behind it.

my $poster = Live->poster($stack->{port});
for my $version ('tls1_2', 'tls1_3') {
    my ($socket, $pid) = Tunnel->new($version);
    my $ws = WebSocket->connect($port, socket => $socket);
    $ws->send(WebSocket::request('/live'));
    $ws->response;
    $ws->text('{"type":"subscribe","channel":"products"}');
    $ws->message;
    my $pad = 'x' x 15000;
    $poster->post('?channel=products', qq({"n":$_,"pad":"$pad"}), $TOKEN)
        for 1 .. 60;
    my @got;
    while (@got < 60) {
        my ($type, $text) = $ws->next;
        last if $type ne 'text';
        push @got, $text =~ /"n":(\d+)/;
    }
    is_deeply(\@got, [ 1 .. 60 ], "$version: a reader that was behind");
    $ws->close(1000);
    waitpid $pid, 0;
}

my ($socket, $pid) = Tunnel->new('tls1_3');
my $ws = WebSocket->connect($port, socket => $socket);
$ws->send(WebSocket::request('/echo'));
is($ws->response, 101, 'a socket at a reload');
my @old = $stack->reload(nowait => 1);
is(($ws->closed)[0], 1012, 'is sent away');
$ws->close(1012);
ok($ws->eof, '... and ended');
waitpid $pid, 0;
$stack->gone(@old);
is(metric('open'), 0, 'none is left');

$stack->finish;
done_testing();
