package Test::Nginx::Request;

# From the request sections of a block to the bytes that go on the wire.
#
# requests() is called by Socket.pm for every round of a block and returns a
# list of exchanges, each one connection:
#
#     { packets => [{ value => bytes, delay => seconds }, ...],
#       methods => [method of each response to expect] }
#
# A request is written as "METHOD [uri [version]]" and, below, its body. Host,
# Connection and Content-Length are added unless "--- more_headers" has them;
# the body loses blanks at both ends unless its length is given there or it is
# chunked. "--- raw_request" goes out as it is.

use v5.36;
use Exporter 'import';
use Test::Nginx::Settings qw(%Conf bad expand);

our @EXPORT_OK = qw(requests);


sub requests ($block, $ports) {
    my $delay = $block->raw_request_middle_delay;

    return _raw($block->raw_request, $delay) if defined $block->raw_request;

    return _pipelined($block, $ports) if defined $block->pipelined_requests;

    my $request = $block->request
        // bad('a block needs a "--- request", a "--- raw_request" or a '
               . '"--- pipelined_requests" section');

    if (!ref $request) {
        # Comment lines and blanks may stand before the request line.
        $request =~ s/\A(?:\s+|#.*\n)+//;
        bad('the request is empty') if $request eq '';
        return _exchange($block, 0, [$request], $delay);
    }

    bad('request must be text or an array of requests')
        if ref $request ne 'ARRAY';

    my $index = 0;
    return map { _exchange($block, $index++, ref $_ ? $_ : [$_], $delay) }
        @$request;
}


sub _raw ($raw, $delay) {
    my @pieces = ref $raw eq 'ARRAY' ? @$raw : $raw;
    bad('raw_request must be text or an array of texts')
        if grep { ref } @pieces;

    my $method = join('', @pieces) =~ /\A\s*(\S+)/ ? $1 : '';
    return {
        packets => [_packets($delay, @pieces)],
        methods => [$method],
    };
}


sub _pipelined ($block, $ports) {
    my $list = $block->pipelined_requests;
    bad('pipelined_requests must be an array of requests: use its "eval" '
        . 'filter') if ref $list ne 'ARRAY' || !@$list;

    my $all = '';
    my @methods;

    for my $i (0 .. $#$list) {
        my $text = expand($list->[$i], $ports);
        my $last = $i == $#$list;
        my ($parts, $method) = _complete($block, $i, $text,
                                         $last ? 'close' : 'keep-alive');
        $all .= join '', map { $_->[1] } @$parts;
        push @methods, $method;
    }

    return { packets => [{ value => $all }], methods => \@methods };
}


# One request on its own connection, given in one or more packets: each is
# text, or { value => text, delay_before => seconds }.
sub _exchange ($block, $index, $pieces, $delay) {
    my (@texts, @delays);

    for my $piece (@$pieces) {
        my $is_hash = ref $piece eq 'HASH';
        bad('a packet must be text or a hash with a "value"')
            if ref $piece && !($is_hash && defined $piece->{value});

        push @texts,  $is_hash ? $piece->{value} : $piece;
        push @delays, $is_hash ? $piece->{delay_before} : undef;
    }

    my ($parts, $method)
        = _complete($block, $index, join('', @texts), 'close');

    my @packets = _packets($delay, _cut($parts, map { length } @texts));
    for my $i (0 .. $#packets) {
        $packets[$i]{delay} = $delays[$i] if defined $delays[$i];
    }

    return { packets => \@packets, methods => [$method] };
}


sub _packets ($delay, @values) {
    my @packets = map { { value => $_, delay => $delay } } @values;
    $packets[0]{delay} = undef if @packets;

    for my $packet (@packets) {
        bad('a request has characters above 255: encode them first')
            if $packet->{value} =~ /[^\x00-\xff]/;
    }
    return @packets;
}


# The request as a list of parts, each [length as written, text to send], so
# that _cut() can carry the borders of packets over; and its method.
sub _complete ($block, $index, $text, $connection) {
    my ($line, $body) = $text =~ /\A([^\n]*\n?)(.*)\z/s;

    $line =~ /\A(\s*)(\S+)(?:([ ]+)(\S+)(?:([ ]+)(\S+))?)?(\s*)\z/
        or bad("the request line is \"$line\": write METHOD [uri [version]]");
    my ($before, $method, $gap, $uri, $gap2, $version, $after)
        = ($1, $2, $3 // '', $4, $5 // '', $6, $7);

    my $headers = _headers($block, $index, $connection);
    my $written = length $body;

    if ($body ne '' && $headers !~ /^Content-Length:/m
        && $headers !~ /^Transfer-Encoding:\s*chunked\r$/mi)
    {
        $body =~ s/\A\s+|\s+\z//g;
        $headers .= 'Content-Length: ' . length($body) . "\r\n";
    }

    return [
        [length $before,         ''],
        [length $method,         "$method "],
        [length $gap,            ''],
        [length($uri // ''),     ($uri // '/') . ' '],
        [length $gap2,           ''],
        [length($version // ''), ($version // 'HTTP/1.1') . "\r\n"],
        [length $after,          ''],
        [0,                      "$headers\r\n"],
        [$written,               $body],
    ], $method;
}


sub _headers ($block, $index, $connection) {
    my $more = $block->more_headers // '';

    if (ref $more) {
        bad('more_headers must be text or an array of texts')
            if ref $more ne 'ARRAY';
        $more = $more->[$index]
            // bad("more_headers has no entry for request $index");
    }

    my $given = '';
    for my $line (split /[\r\n]+/, $more) {
        next if $line =~ /^\s*#/;
        my ($name, $value) = split /:\s*/, $line, 2;
        $given .= "$name: " . ($value // '') . "\r\n" if defined $name;
    }

    my $own = '';
    $own .= "Host: $Conf{server_name}\r\n" if $given !~ /^Host:/mi;
    $own .= "Connection: $connection\r\n"  if $given !~ /^Connection/mi;

    return $own . $given;
}


# Cuts the complete request where the packets, as written, ended. What is
# added at a border goes to the packet before it.
sub _cut ($parts, @lengths) {
    my $whole = join '', map { $_->[1] } @$parts;
    my ($written, $done) = (0, 0);
    my @pieces;

    pop @lengths;
    for my $length (@lengths) {
        $written += $length;
        my $end = _border($parts, $written);
        push @pieces, substr $whole, $done, $end - $done;
        $done = $end;
    }

    return @pieces, substr $whole, $done;
}


sub _border ($parts, $written) {
    my $sent = 0;

    for my $part (@$parts) {
        my ($length, $text) = @$part;

        if ($length > $written) {
            return $sent + ($written < length $text ? $written : length $text);
        }
        $written -= $length;
        $sent    += length $text;
    }
    return $sent;
}


1;
