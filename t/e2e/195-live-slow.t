# Readers that are too slow: what they get, what they do not, and that nobody
# else notices.  One worker without Redis, so /publish reaches its sockets.

use strict;
use warnings;
use lib 't/helper';
use File::Temp ();
use JSON::PP ();
use Live;
use Stack;
use Test::More;

my $TOKEN = '0123456789abcdef0123456789abcdef';
my $dir = File::Temp->newdir('slow-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, "$dir";
Stack::spew("$dir/tokens", "$TOKEN\n");
chmod 0600, "$dir/tokens";

my $stack = Stack->new(workers => 1, listen => 'sndbuf=16k',
                       server => <<"END");
        location = /live { atelier_live max_queue=256k deflate=off
                                        timeout=60s; }
        location = /ws/prices { atelier_live format=flat deflate=off
                                             max_queue=256k timeout=60s; }
        location = /wide { atelier_live deflate=on; }
        location = /publish { atelier_publish; keepalive_requests 100000;
                              atelier_operator token_file=$dir/tokens; }
END
my $port = $stack->{port};
my $poster = Live->poster($port);

sub publish {
    my ($channel, $n, $size) = @_;
    my $pad = 'x' x ($size // 10);
    my ($status) = $poster->post("?channel=$channel",
                                 qq({"n":$n,"pad":"$pad"}), $TOKEN);
    return $status;
}

# The number in a message, which may be too long for a parser in Perl.
sub number {
    my ($client) = @_;
    my $text = $client->ws->message;
    return $text =~ /"n":(\d+)/ ? $1 : die "no number in $text\n";
}

sub live_metric { return $stack->metric("atelier_live_$_[0]"); }

# No one has ids here, so nothing is known of any channel.

my $quick = Live->new($port);
my $flat = Live->new($port, '/ws/prices');
$_->subscribe('product:1') for $quick, $flat;
$quick->subscribe('products');
is_deeply([ map { $_->{recovered} ? 1 : 0 } $quick->take(2) ], [ 0, 0 ],
          'without Redis and PostgreSQL nothing is recovered');
is_deeply([ $flat->rest ], [], 'the flat form has no answer');
is(publish('product:1', 0), 200, 'published');
is($quick->next->{data}{n}, 0, '... delivered');
is($flat->next->{n}, 0, '... and flat');

# A burst below the mark: nothing is left out, though nobody reads meanwhile.

publish('product:1', $_, 400) for 1 .. 100;
is_deeply([ map { $_->{data}{n} } $quick->take(100) ], [ 1 .. 100 ],
          'a burst of 100');
is_deeply([ map { $_->{n} } $flat->take(100) ], [ 1 .. 100 ],
          '... and flat');
is(live_metric('conflated_total'), 0, '... of which nothing is left out');

# A reader that stops: of a product it gets what was queued, then the newest.

my $slow = Live->new($port);
setsockopt $slow->ws->{socket}, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(),
           4096;
$slow->subscribe('product:1');
$slow->next;
my $n = 1000;
for (1 .. 100) {
    publish('product:1', ++$n, 16000);
    number($_) for $quick, $flat;
}
my @got;
while (!@got || $got[-1] != $n) {
    push @got, number($slow);
}
is($got[-1], $n, 'a slow reader has the newest in the end');
is_deeply([ sort { $a <=> $b } @got ], \@got, '... nothing old behind new');
cmp_ok(scalar @got, '<', 60, '... and was spared most of 100');
cmp_ok(live_metric('conflated_total'), '>=', 1, '... which is counted');
is(live_metric('conflated_total'), 100 - @got, '... each of them');
publish('product:1', ++$n);
is($_->next->{data}{n}, $n, 'then all are up to date')
    for $quick, $slow;

# Of new products nothing may be left out: such a reader is sent away.

my $lazy = Live->new($port);
setsockopt $lazy->ws->{socket}, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(),
           4096;
$lazy->subscribe('products');
$lazy->next;
$n = 0;
for (1 .. 60) {
    publish('products', ++$n, 16000);
    number($quick);
}
@got = ();
my ($code, $reason);
for (;;) {
    my ($type, $payload) = $lazy->ws->next;
    if ($type eq 'close') {
        ($code, $reason) = unpack 'na*', $payload;
        last;
    }
    last if $type eq 'eof';
    push @got, $payload =~ /"n":(\d+)/;
}
is_deeply(\@got, [ 1 .. @got ], 'it got all up to a point');
is($code, 1013, '... and is sent away by 1013');
$lazy->ws->close(1013);
publish('products', 'null');
is($quick->next->{data}{n}, undef, 'others notice nothing');

# Compressed once, and the same.

my $deflate = Live->new($port, '/wide', 'Sec-WebSocket-Extensions'
                                        => 'permessage-deflate');
$deflate->subscribe('product:1');
$deflate->next;
publish('product:1', $_, 1000) for 1 .. 50;
is_deeply([ map { number($_) } ($deflate) x 50 ], [ 1 .. 50 ],
          'compressed');
is_deeply([ map { number($_) } ($quick) x 50 ], [ 1 .. 50 ],
          '... and as it is');

undef $_ for $quick, $flat, $slow, $lazy, $deflate;
Stack::until_true('all to be forgotten', sub {
    return !live_metric('subscriptions');
});
$stack->finish;
done_testing();
