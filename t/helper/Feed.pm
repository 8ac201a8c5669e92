package Feed;

# The feed on a Stack: seven sources of the sandbox, a fill on the egress
# socket, and a reader.  Core Perl only.
#
#     my $stack = Stack->new(Feed::options(redis => $redis->address));
#     my $res = Feed::get($stack, '/designs?query=sofa');
#     my @pages = Feed::walk($stack, '/designs?query=sofa', 20, sub { ... });

use strict;
use warnings;

use HTTP::Tiny ();
use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();

our @SOURCES = qw(pexels unsplash pixabay flickr wikimedia rawpixel
                  openverse);

my %paths = (pexels => 1, unsplash => 1);

my %location = (
    pexels => 'proxy_set_header Authorization "sk-sandbox-t";'
              . ' proxy_pass http://sandbox/pexels/v1/;',
    unsplash => 'proxy_set_header Authorization "Client-ID sk-sandbox-t";'
                . ' proxy_pass http://sandbox/unsplash/;',
    pixabay => 'set $args "key=sk-sandbox-t&$args";'
               . ' proxy_pass http://sandbox/pixabay/api/;',
    flickr => 'set $args "api_key=sk-sandbox-t&$args";'
              . ' proxy_pass http://sandbox/flickr/services/rest/;',
    wikimedia => 'proxy_set_header User-Agent "Atelier/0.1 (m@example.org)";'
                 . ' proxy_pass http://sandbox/wikimedia/w/api.php;',
    rawpixel => 'proxy_pass http://sandbox/rawpixel/api/v1/search;',
    openverse => 'proxy_pass http://sandbox/openverse/v1/images/;',
);

# What Stack->new and ->configure take: redis => address, designs, fill =>
# parameters of the directives, params => { source => 'more parameters' },
# sources => [...], http => more.
sub options {
    my (%opt) = @_;
    my $http = "atelier_cache pages " . ($opt{cache} // '8m') . ";\n";
    $http .= "atelier_redis $opt{redis} "
             . ($opt{redis_params} // 'timeout=10s connect_timeout=10s')
             . ";\n" if $opt{redis};
    my $locations = '';
    for my $name (@{ $opt{sources} // \@SOURCES }) {
        my $slash = $paths{$name} ? '/' : '';
        my $more = $opt{params}{$name} // '';
        $more .= ' rate=10000r/60s' if $more !~ /rate=/;
        $http .= "atelier_feed_source $name uri=/_feed/$name$slash $more;\n";
        $locations .= 'location ' . ($slash ? '' : '= ')
                      . "/_feed/$name$slash { internal; $location{$name}"
                      . ' proxy_http_version 1.1;'
                      . ' proxy_set_header Connection "";'
                      . ' proxy_buffering off; proxy_buffer_size 64k;'
                      . " proxy_buffers 4 64k; proxy_next_upstream off; }\n";
    }
    my $designs = $opt{designs} // '';
    my $fill = $opt{fill} // '';
    return (
        http   => $http . ($opt{http} // ''),
        server => "location /designs { atelier_designs $designs; }\n"
                  . $locations . ($opt{server} // ''),
        egress => "location = /fill { atelier_fill $fill; }\n$locations",
    );
}

sub get {
    my ($stack, $path, %headers) = @_;
    my $res = HTTP::Tiny->new(timeout => 60)->get($stack->url($path),
                                                  { headers => \%headers });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    $res->{cache} = $res->{headers}{'x-cache'} // '';
    return $res;
}

sub ids { return map { $_->{id} } @{ $_[0]{json}{results} // [] } }

# Up to n pages, following "next"; the code runs before each, with its number.
sub walk {
    my ($stack, $path, $n, $before) = @_;
    my @pages;
    for my $i (1 .. $n) {
        $before->($i) if $before;
        my $res = get($stack, $path);
        push @pages, $res;
        last if $res->{status} != 200 || !$res->{json}{hasNext};
        $path = $res->{json}{next};
    }
    return @pages;
}

# Calls that every source has had, in the order of @SOURCES.
sub calls {
    my ($stack) = @_;
    return join ' ', map { $stack->counters($_)->{calls} } @SOURCES;
}

# The same request on n connections at once, to a stack or to each of a list
# in turn; what came on each.
sub burst {
    my ($stack, $path, $n, $headers) = @_;
    $headers //= '';
    my @stacks = ref $stack eq 'ARRAY' ? @$stack : $stack;
    my $select = IO::Select->new;
    my %text;
    my @sockets = map { connection($stacks[$_ % @stacks]) } 1 .. $n;
    for my $socket (@sockets) {
        print {$socket} "GET $path HTTP/1.0\r\nHost: t\r\n$headers\r\n";
        $select->add($socket);
        $text{$socket} = '';
    }
    while ($select->count) {
        my @ready = $select->can_read(60) or last;
        for my $socket (@ready) {
            my $got = sysread $socket, $text{$socket}, 65536,
                              length $text{$socket};
            $select->remove($socket) if !$got;
        }
    }
    return map { $text{$_} } @sockets;
}

sub connection {
    my ($stack) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $stack->{port})
        or die "connect: $!";
    $socket->autoflush(1);
    return $socket;
}

1;
