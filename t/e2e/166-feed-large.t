# Pages that are large: one that is too large for shared memory is there all
# the same, with Redis and without, and a large one gets its gzip form
# soon after it was made.

use strict;
use warnings;
use lib 't/helper';
use Compress::Zlib ();
use FakeHttp;
use Feed;
use JSON::PP ();
use PrivateRedis;
use Stack;
use Test::More;

my $redis = PrivateRedis->new;

# A Flickr whose hundred photos have addresses of 1900 bytes, or of 500.

sub photos {
    my ($path) = @_;
    my $long = $path =~ /text=large/ ? 1900 : 500;
    my ($page) = $path =~ /[?&]page=(\d+)/;
    return JSON::PP->new->canonical->encode({ stat => 'ok', photos => {
        page => $page, pages => 1, total => 100, perpage => 100,
        photo => [ map {
            my $url = "https://live.staticflickr.com/1/$_/";
            $url .= 'x' x ($long - length $url) . '.jpg';
            { id => "$_", owner => '12@N03', license => '4', title => "No $_",
              ownername => 'Z', url_o => $url, width_o => 2000,
              height_o => 1500, url_n => $url, width_n => 320,
              height_n => 240 }
        } 1 .. ($page == 1 ? 100 : 0) ] } });
}

my $fake = FakeHttp->new(answer => sub {
    my ($self, $method, $path) = @_;
    return (200, photos($path), 'Content-Type: application/json');
});

sub options {
    my %feed = Feed::options(sources => [], @_);
    my $location = 'location = /_feed/flickr { internal; proxy_pass http://'
                   . $fake->address . '; proxy_buffering off; }';
    $feed{http} .= 'atelier_feed_source flickr uri=/_feed/flickr'
                   . ' rate=1000r/60s;';
    $feed{$_} .= $location for qw(server egress);
    return %feed;
}

my $stack = Stack->new(workers => 1, options());

# Every design once, whatever the pages.
sub walked {
    my ($what, @pages) = @_;
    is((grep { $_->{status} != 200 } @pages), 0, "$what: all answered");
    my %seen;
    $seen{$_}++ for map { Feed::ids($_) } @pages;
    is(scalar keys %seen, 100, '... with every design');
    is((grep { $_ > 1 } values %seen), 0, '... once');
    ok(!$pages[-1]{json}{hasNext}, '... up to the end');
    return;
}

my $large = '/designs?query=large&source=flickr&perPage=200';
my @pages = Feed::walk($stack, $large, 5);
walked('too large for L1, without Redis', @pages);
cmp_ok(scalar @pages, '>', 1, '... on more pages than one');
cmp_ok(scalar Feed::ids($pages[0]), '>', 50, '... as few as there can be');
is((grep { length $_->{content} > 256 * 1024 } @pages), 0,
   '... none of them too large');
is(Feed::get($stack, $large)->{cache}, 'L1', '... and kept');

my $usual = '/designs?query=usual&source=flickr&perPage=100';
my $plain = Feed::get($stack, $usual);
cmp_ok(length $plain->{content}, '>', 100_000, 'a large page');
my $gzip = Stack::until_true('its gzip form', sub {
    my $res = Feed::get($stack, $usual, 'Accept-Encoding' => 'gzip');
    return $res->{headers}{'content-encoding'} ? $res : undef;
});
ok(Compress::Zlib::memGunzip($gzip->{content}) eq $plain->{content},
   '... and is compressed');
my $again = Feed::get($stack, $usual);
ok($again->{content} eq $plain->{content}, '... beside the plain one');
is($again->{headers}{etag}, $plain->{headers}{etag}, '... which stays');
is($stack->metric('atelier_cache_pages'), 3, 'each page is there once');

# With Redis the page is whole; L1 does not keep it.

$stack->configure(options(redis => $redis->address));
$stack->reload;
Stack::until_true('links to Redis', sub {
    my $sum = 0;
    $sum += $stack->metric("atelier_redis_connections{use=\"$_\"}") // 0
        for qw(commands subscriptions);
    return $sum == 2;
});
$large =~ s/large/large2/;
@pages = Feed::walk($stack, $large, 5);
walked('too large for L1, with Redis', @pages);
is(scalar @pages, 1, '... on one page');
is(Feed::get($stack, $large)->{cache}, 'L2', '... which L1 does not have');

$stack->finish;
done_testing();
