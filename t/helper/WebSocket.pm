package WebSocket;

# A client of WebSockets that can do wrong.  Core Perl only.
#
#     my $ws = WebSocket->open($port, '/live');     # dies unless it is 101
#     $ws->text('{"type":"ping"}');
#     my ($type, $payload) = $ws->next;             # text, binary, ping, pong,
#                                                   # close, or eof
#     my ($code, $reason) = $ws->closed;            # skips what is before
#
# Every wait has a deadline.

use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA ();
use IO::Select ();
use IO::Socket::INET ();
use MIME::Base64 ();
use Time::HiRes ();

my $DEADLINE = 60;      # seconds
my $KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
my %OPCODE = (continuation => 0, text => 1, binary => 2, close => 8,
              ping => 9, pong => 10);
my %NAME = reverse %OPCODE;

# The bytes of a handshake; headers replace those there are, undef removes.
sub request {
    my ($path, %headers) = @_;
    my $method = delete $headers{method} // 'GET';
    my $http = delete $headers{http} // '1.1';
    my %all = (Host => 'shop.example', Upgrade => 'websocket',
               Connection => 'Upgrade', 'Sec-WebSocket-Key' => $KEY,
               'Sec-WebSocket-Version' => 13, %headers);
    return join "\r\n", "$method $path HTTP/$http",
                (map { "$_: $all{$_}" } grep { defined $all{$_} } sort keys %all),
                '', '';
}

# A connection that has sent nothing yet; options go to the socket.
sub connect {
    my ($class, $port, %opt) = @_;
    my $socket = $opt{socket} // IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $port,
        LocalAddr => $opt{from}) // die "connect: $!";
    return bless { socket => $socket, in => '' }, $class;
}

sub open {
    my ($class, $port, $path, %headers) = @_;
    my $from = delete $headers{from};
    my $self = $class->connect($port, from => $from);
    $self->send(request($path, %headers));
    $self->response == 101 or die "not opened: $self->{status}\n$self->{in}";
    return $self;
}

# Reads the head of an answer; returns its status.
sub response {
    my ($self) = @_;
    while ($self->{in} !~ /\r\n\r\n/) {
        $self->_fill or return $self->{status} = 0;
    }
    ($self->{head}, $self->{in}) = split /\r\n\r\n/, $self->{in}, 2;
    ($self->{status}) = $self->{head} =~ m{^HTTP/1\.1 (\d{3})};
    return $self->{status};
}

sub header {
    my ($self, $name) = @_;
    return $self->{head} =~ /^\Q$name\E: (.*?)\r?$/mi ? $1 : undef;
}

# Reads so many bytes of a body.
sub body {
    my ($self, $len) = @_;
    $len //= $self->header('Content-Length');
    while (length $self->{in} < $len) {
        $self->_fill or last;
    }
    return substr $self->{in}, 0, $len, '';
}

sub accept_of {
    my ($key) = @_;
    return MIME::Base64::encode_base64(Digest::SHA::sha1(
        ($key // $KEY) . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'), '');
}

# A frame; fin, rsv, and mask => 0 to leave it out.
sub frame {
    my ($type, $payload, %opt) = @_;
    my $opcode = $OPCODE{$type} // $type;
    my $len = length $payload;
    my $masked = $opt{mask} // 1;
    my $head = pack 'C', ($opt{fin} // 1) << 7 | ($opt{rsv} // 0) << 4 | $opcode;
    $head .= $len < 126 ? pack('C', $len | $masked << 7)
           : $len < 65536 ? pack('Cn', 126 | $masked << 7, $len)
           : pack('CQ>', 127 | $masked << 7, $len);
    return $head . $payload if !$masked;
    my $key = pack 'N', int rand 2**32;
    return $head . $key
           . ($payload ^ substr $key x ($len / 4 + 1), 0, $len);
}

sub send {
    my ($self, @bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $data = join '', @bytes;
    while (length $data) {
        my $n = syswrite $self->{socket}, $data;
        return 0 if !defined $n;
        substr $data, 0, $n, '';
    }
    return 1;
}

sub text { my ($self, $text) = @_; return $self->send(frame(text => $text)); }

sub _fill {
    my ($self, $seconds) = @_;
    my $select = IO::Select->new($self->{socket});
    if (!$select->can_read($seconds // $DEADLINE)) {
        die "nothing came in $DEADLINE s\n" if !defined $seconds;
        return 0;
    }
    return sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
}

# True when the server has something to say or has hung up.
sub ready {
    my ($self, $seconds) = @_;
    return length $self->{in} || IO::Select->new($self->{socket})
                                           ->can_read($seconds // 0);
}

# The next frame: its type, payload and reserved bits.
sub next {
    my ($self) = @_;
    my ($first, $len, $skip);
    for (;;) {
        if (length $self->{in} >= 2) {
            ($first, $len) = unpack 'CC', $self->{in};
            $skip = 2;
            if ($len == 126 && length $self->{in} >= 4) {
                $len = unpack 'x2n', $self->{in};
                $skip = 4;
            } elsif ($len == 127 && length $self->{in} >= 10) {
                $len = unpack 'x2Q>', $self->{in};
                $skip = 10;
            } elsif ($len > 125) {
                $skip = 65536;
            }
            last if length $self->{in} >= $skip + $len;
        }
        $self->_fill or return 'eof';
    }
    substr $self->{in}, 0, $skip, '';
    my $payload = substr $self->{in}, 0, $len, '';
    die 'the server sent a fragment' if !($first & 0x80);
    return ($NAME{ $first & 15 } // $first & 15, $payload, $first >> 4 & 7);
}

# The text of the next message, inflated; passes over pings.
sub message {
    my ($self) = @_;
    for (;;) {
        my ($type, $payload, $rsv) = $self->next;
        next if $type eq 'ping' || $type eq 'pong';
        return "$type " . ($payload // '') if $type ne 'text'
                                              && $type ne 'binary';
        return $rsv == 4 ? inflate($payload) : $payload;
    }
}

sub deflate {
    my ($text) = @_;
    my ($z) = Compress::Zlib::deflateInit(-WindowBits => -15);
    my ($one) = $z->deflate($text);
    my ($two) = $z->flush(Compress::Zlib::Z_SYNC_FLUSH());
    return substr $one . $two, 0, -4;
}

sub inflate {
    my ($data) = @_;
    my ($z) = Compress::Zlib::inflateInit(-WindowBits => -15);
    my ($text) = $z->inflate($data . "\0\0\xff\xff");
    return $text;
}

# Waits for a Close: its code (1005 for none, 1006 for no Close) and reason.
sub closed {
    my ($self) = @_;
    for (;;) {
        my ($type, $payload) = $self->next;
        return 1006 if $type eq 'eof';
        next if $type ne 'close';
        return 1005 if $payload eq '';
        return unpack 'na*', $payload;
    }
}

# True when the server hangs up; what it still says is passed over.
sub eof {
    my ($self) = @_;
    while ($self->_fill) { }
    return 1;
}

sub close {
    my ($self, $code, $reason) = @_;
    $self->send(frame(close => defined $code
                               ? pack('na*', $code, $reason // '') : ''));
    return;
}

1;
