package Test::Nginx::Client;

# The raw socket client: sends prepared bytes, reads until the server closes,
# and takes HTTP/1.x responses apart.
#
# Called by Socket.pm, one exchange() per connection. It ends when the server
# closes the connection, when nothing moves for the timeout of the block, or
# at an overall limit, whichever comes first; it keeps nothing afterwards.
# parse() takes one response from the front of the bytes. As with the
# original runner an interim "100 Continue" is a response by itself, whose
# body is all that follows.

use v5.36;
use Exporter 'import';
use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use IO::Socket::INET;
use List::Util  qw(max min);
use Time::HiRes qw(time);
use Test::Nginx::Settings qw(%Conf patience wait_until);

our @EXPORT_OK = qw(exchange parse);

use constant {
    READ_SIZE    => 65_536,
    RESPONSE_MAX => 512 * 1024 * 1024,

    # A server that drips for ever is given up after so many timeouts.
    TIMEOUTS_MAX => 20,
};


# Returns the bytes read and what went wrong, if anything: "timeout" or a
# sentence.
sub exchange ($block, $packets, $timeout) {
    my $address = $block->server_addr_for_client // $Conf{server_addr};
    $address =~ s/\s+//g;

    my $socket = _connect($address, $timeout);
    return ('', "cannot connect to $address:$Conf{client_port}: $!")
        if !$socket;

    $socket->blocking(0);
    local $SIG{PIPE} = 'IGNORE';

    my $state = {
        socket  => $socket,
        packets => [@$packets],
        out     => undef,       # what is left of the packet being sent
        next    => time,        # when the next packet may go
        got     => '',
        half    => $block->shutdown,
    };

    return ($state->{got}, _talk($state, $timeout));
}


# In the foreground (valgrind) nginx may still be about to listen.
sub _connect ($address, $timeout) {
    my $socket;

    wait_until($Conf{use_valgrind} ? patience() : 0, sub {
        $socket = IO::Socket::INET->new(
            PeerAddr => $address,
            PeerPort => $Conf{client_port},
            Proto    => 'tcp',
            Timeout  => $timeout,
        );
    });
    return $socket;
}


sub _talk ($state, $timeout) {
    my $fd    = fileno $state->{socket};
    my $start = my $moved = time;
    my $limit = $start + $timeout * TIMEOUTS_MAX;
    $limit += $_->{delay} // 0 for @{$state->{packets}};

    while (1) {
        _take_packet($state);

        my $now  = time;
        my $idle = max($moved, $state->{next}) + $timeout;
        return 'timeout' if $now >= $idle || $now >= $limit;

        my $wake = min($idle, $limit);
        $wake = min($wake, $state->{next})
            if !defined $state->{out} && @{$state->{packets}};

        vec(my $read = '', $fd, 1) = 1;
        my $write = $read;
        undef $write if !defined $state->{out};

        select($read, $write, undef, max(0.001, $wake - $now));

        if (defined $write && vec $write, $fd, 1) {
            $moved = time if _send($state);
        }

        if (vec $read, $fd, 1) {
            my $got = _receive($state);
            return $got if $got && $got ne 'more';
            return      if !$got;
            $moved = time;
        }
    }
}


# Makes the next packet current when its time has come.
sub _take_packet ($state) {
    return if defined $state->{out} || !@{$state->{packets}}
        || time < $state->{next};

    my $packet = $state->{packets}[0];
    if ($packet->{delay} && !$packet->{waited}) {
        # On a copy: the packets belong to the caller and may be sent again.
        $state->{packets}[0] = { %$packet, waited => 1 };
        $state->{next} = time + $packet->{delay};
        return;
    }

    $state->{out} = shift(@{$state->{packets}})->{value};
    return;
}


# False when nothing could be sent. A server that closed its side early may
# have answered before that: then there is only reading left to do.
sub _send ($state) {
    my $sent = syswrite $state->{socket}, $state->{out};

    if (!defined $sent) {
        return 0 if $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
        undef $state->{out};
        $state->{packets} = [];
        return 0;
    }

    substr $state->{out}, 0, $sent, '';
    return 1 if length $state->{out};

    undef $state->{out};
    if (!@{$state->{packets}} && defined $state->{half}) {
        shutdown $state->{socket}, $state->{half} =~ /(\d)/ ? $1 : 1;
    }
    return 1;
}


# "more" when the connection goes on, nothing at its end, else a sentence.
sub _receive ($state) {
    my $got = sysread $state->{socket}, $state->{got}, READ_SIZE,
        length $state->{got};

    if (!defined $got) {
        return 'more' if $!{EAGAIN} || $!{EWOULDBLOCK} || $!{EINTR};
        return "reading the response failed: $!";
    }

    return if $got == 0;
    return 'the response is longer than ' . RESPONSE_MAX . ' bytes'
        if length $state->{got} > RESPONSE_MAX;
    return 'more';
}


# One response from the front of $bytes, as a hash: code ('' when it is not
# HTTP), raw_headers, headers (lower-case name => values), body, left (bytes
# after its end), fault (a broken body), note (a body that came up short).
sub parse ($bytes, $method) {
    my ($head, $rest) = $bytes =~ /\A(.*?\r?\n)\r?\n(.*)\z/s
        ? ($1, $2) : ($bytes, '');

    my ($code) = $head  =~ m{\AHTTP/\d\.\d (\d{3})\b};
    my ($raw)  = $bytes =~ /\A(.*?\r\n)\r\n/s;
    $code //= '';

    my $response = {
        code        => $code,
        raw_headers => $raw // '',
        headers     => _headers($head),
        body        => $rest,
        left        => '',
    };

    my $length = header($response, 'Content-Length');
    my $coding = header($response, 'Transfer-Encoding');

    if ($method eq 'HEAD' || $code eq '204' || $code eq '304') {
        @$response{qw(body left)} = ('', $rest);
    } elsif ($code =~ /^1/) {
        # What follows is the body, see above.
    } elsif (defined $coding && lc $coding eq 'chunked') {
        @$response{qw(body left fault)} = _unchunk($rest);
    } elsif (defined $length && $length =~ /^\d+$/) {
        if (length $rest < $length) {
            $response->{note} = "the body ends after ${\length $rest} of "
                . "$length bytes";
        } else {
            $response->{body} = substr $rest, 0, $length;
            $response->{left} = substr $rest, $length;
        }
    }

    return $response;
}


sub _headers ($head) {
    my %headers;

    my (undef, @lines) = split /\r?\n/, $head =~ s/\r?\n[ \t]+/ /gr;
    for my $line (@lines) {
        my ($name, $value) = $line =~ /^([^:\s]+)\s*:\s*(.*?)\s*\z/ or next;
        push @{$headers{lc $name}}, $value;
    }
    return \%headers;
}


# All values of a header, joined; undef when it is not there.
sub header ($response, $name) {
    my $values = $response->{headers}{lc $name} // return undef;
    return join ', ', @$values;
}


# The decoded body, what follows it, and the fault if it is broken.
sub _unchunk ($raw) {
    my $body = '';
    my $fault = sub ($what) {
        return ($body, '', "invalid chunked body: $what");
    };

    pos($raw) = 0;
    while (1) {
        $raw =~ /\G[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n/gc
            or return $fault->(pos($raw) == length $raw
                ? 'no last chunk' : 'no chunk size at byte ' . pos $raw);

        my $size = hex $1;
        last if $size == 0;

        my $at = pos $raw;
        return $fault->("a chunk of $size bytes ends early")
            if length($raw) - $at < $size + 2;

        $body .= substr $raw, $at, $size;
        return $fault->('no line end after a chunk')
            if substr($raw, $at + $size, 2) ne "\r\n";
        pos($raw) = $at + $size + 2;
    }

    # Trailer lines up to the empty one.
    $raw =~ /\G(?:[^\r\n]+\r\n)*\r\n/gc
        or return $fault->('it does not end with an empty line');

    return ($body, substr($raw, pos $raw), undef);
}


1;
