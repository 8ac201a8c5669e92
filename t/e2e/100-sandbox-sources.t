# The sandbox's image sources: what the real ones say and refuse, quotas,
# faults, repeats and pictures.

use strict;
use warnings;
use utf8;
use lib 't/helper';
use Compress::Zlib ();
use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP ();
use Stack;
use Test::More;

my $stack = Stack->new;
my $base = $stack->{sandbox};
my $agent = 'Atelier/1.0 (mail@example.org)';
my $http = HTTP::Tiny->new(timeout => 60, agent => $agent);
my $key = 'sk-sandbox-test';

my %auth = (pexels    => { Authorization => $key },
            unsplash  => { Authorization => "Client-ID $key" });
my %at = (
    pexels    => 'v1/search?query=%s&per_page=%d&page=%d',
    unsplash  => 'search/photos?query=%s&per_page=%d&page=%d',
    pixabay   => "api/?key=$key&q=%s&per_page=%d&page=%d",
    flickr    => 'services/rest/?method=flickr.photos.search&format=json'
                 . "&nojsoncallback=1&api_key=$key&text=%s&per_page=%d"
                 . '&page=%d&license=4,5,6,7,8,9,10,11,12,13'
                 . '&extras=license,o_dims,url_n,url_z,url_o',
    wikimedia => 'w/api.php?action=query&format=json&formatversion=2'
                 . '&generator=search&gsrnamespace=6&prop=imageinfo'
                 . '&iiprop=url|size|mime&iiurlwidth=330'
                 . '&gsrsearch=filetype:bitmap%%20%s&gsrlimit=%d'
                 . '&gsroffset=%d',
    rawpixel  => 'api/v1/search?query=%s&pagesize=%d&page=%d',
    openverse => 'v1/images/?q=%s&page_size=%d&page=%d',
);
my %most = (pexels => 80, unsplash => 30, pixabay => 200, flickr => 500,
            wikimedia => 50, rawpixel => 100, openverse => 20);
my %list = (
    pexels    => sub { $_[0]{photos} },
    unsplash  => sub { $_[0]{results} },
    pixabay   => sub { $_[0]{hits} },
    flickr    => sub { $_[0]{photos}{photo} },
    wikimedia => sub { $_[0]{query}{pages} },
    rawpixel  => sub { $_[0]{results} },
    openverse => sub { $_[0]{results} },
);
my @sources = qw(pexels unsplash pixabay flickr wikimedia rawpixel openverse);

sub get {
    my ($path, %headers) = @_;
    my $res = $http->get($path =~ /^http/ ? $path : "$base/$path",
                         { headers => \%headers });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

# A page, counted from 1, of a source's items.
sub page {
    my ($source, $words, $n, $page, $more) = @_;
    my $place = $source eq 'wikimedia' ? ($page - 1) * $n : $page;
    return get("$source/" . sprintf($at{$source}, $words, $n, $place)
               . ($more // ''), %{ $auth{$source} // {} });
}

sub items {
    my ($source, $res) = @_;
    return @{ $list{$source}->($res->{json}) // [] };
}

sub fresh { $stack->reset_sandbox; return; }

# Each has thousands of items, the same ones every time, each once.

for my $source (@sources) {
    my $n = $most{$source};
    my $first = page($source, 'sofa', $n, 1);
    is($first->{status}, 200, "$source: answers");
    my @all = items($source, $first);
    is(scalar @all, $n, "... with its largest page of $n");

    my $again = page($source, 'sofa', $n, 1);
    is($again->{content}, $first->{content}, '... the same one again');
    is(page($source, '%20SOFA%20', $n, 1)->{content}, $first->{content},
       '... whatever the case');
    isnt(page($source, 'chair', $n, 1)->{content}, $first->{content},
         '... and others for other words');

    push @all, items($source, page($source, 'sofa', $n, 2));
    my %seen;
    $seen{ $_->{id} // $_->{title} }++ for @all;
    is(scalar(keys %seen), 2 * $n, '... and more on the next page, each once');

    my $counters = $stack->counters($source);
    is($counters->{calls}, 5, '... which is five calls');
    is($counters->{ok}, 5, '... that went well');
    is($counters->{maxInFlight}, 1, '... one after another');
    is($counters->{limited}, 0, '... none too many');
}

fresh();
$stack->control($_ => { items => 7 }) for @sources;
is(scalar(items($_, page($_, 'sofa', $most{$_}, 1))), 7, "$_: as few as told")
    for @sources;
$stack->control($_ => { items => 0 }) for @sources;
for my $source (@sources) {
    my $res = page($source, 'sofa', $most{$source}, 1);
    is($res->{status}, 200, "$source: none is no error");
    is(scalar(items($source, $res)), 0, '... but an empty list');
}
ok(!exists page('wikimedia', 'sofa', 50, 1)->{json}{query},
   'wikimedia: without even a "query"');
fresh();

# Keys.

my $res = get('pexels/v1/search?query=sofa');
is($res->{status}, 401, 'pexels: no key');
ok($res->{json}{error}, '... in JSON');
is(get('pexels/v1/search?query=sofa', Authorization => "Bearer $key")
   ->{status}, 401, '... no bearer');
$res = get('unsplash/search/photos?query=sofa');
is($res->{status}, 401, 'unsplash: no key');
like($res->{json}{errors}[0], qr/OAuth/, '... in JSON');
is(get("unsplash/search/photos?query=sofa&client_id=$key")->{status}, 200,
   '... which may be client_id');
$res = get('pixabay/api/?q=sofa');
is($res->{status}, 400, 'pixabay: no key');
like($res->{content}, qr/^\[ERROR 400\] Invalid or missing API key/,
     '... as text');
$res = get('flickr/services/rest/?method=flickr.photos.search&format=json'
           . '&nojsoncallback=1&text=sofa');
is($res->{status}, 200, 'flickr: no key is 200');
is_deeply([ @{ $res->{json} }{qw(stat code)} ], [ 'fail', 100 ],
          '... that says so');
is($stack->counters($_)->{ok}, $_ eq 'unsplash' ? 1 : 0,
   "$_: a refusal is not ok") for qw(pexels unsplash pixabay flickr);
fresh();

# Parameters.

sub refused {
    my ($source, $status, $more, $what, $pattern) = @_;
    my $answer = page($source, 'sofa', 3, 1, $more);
    is($answer->{status}, $status, "$source: $what");
    like($answer->{content}, $pattern, '... says so') if $pattern;
    return;
}

refused('pexels', 400, '&orientation=round', 'orientation', qr/orientation/);
refused('pexels', 400, '&color=plaid', 'colour');
is(get('pexels/v1/search', %{ $auth{pexels} })->{status}, 400,
   'pexels: no query');
is(get('pexels/v1/curated?per_page=3', %{ $auth{pexels} })->{json}{per_page},
   3, 'pexels: none is needed for the curated');
is(page('pexels', 'sofa', 200, 1)->{json}{per_page}, 80,
   'pexels: no more than 80');
is(scalar items('unsplash', page('unsplash', 'sofa', 99, 1)), 30,
   'unsplash: cut to 30');
$res = page('unsplash', 'sofa', 30, 201);
is($res->{json}{total_pages}, 0, 'unsplash: nothing after page 200');
is(scalar items('unsplash', $res), 0, '... at all');
$res = get("pixabay/api/?key=$key&q=sofa&per_page=2");
is($res->{status}, 400, 'pixabay: fewer than three');
is($res->{content}, '[ERROR 400] "per_page" is out of valid range.',
   '... in its words');
is(page('pixabay', 'x' x 101, 3, 1)->{status}, 400, 'pixabay: a long query');
is(page('pixabay', '%C3%A9' x 100, 3, 1)->{status}, 200,
   '... in characters');
is(page('pixabay', 'sofa', 200, 3)->{json}{totalHits}, 500,
   'pixabay: 500 hits');
is(scalar items('pixabay', page('pixabay', 'sofa', 200, 3)), 100,
   '... and no more');
is(page('pixabay', 'sofa', 200, 4)->{status}, 400, '... on no page');
like(get("flickr/services/rest/?method=flickr.photos.search&format=json"
         . "&api_key=$key&text=sofa&per_page=1")->{content},
     qr/^jsonFlickrApi\(\{.*\}\)$/, 'flickr: JSONP unless told');
is(get("flickr/services/rest/?method=flickr.photos.search&format=json"
       . "&nojsoncallback=1&api_key=$key")->{json}{code}, 3,
   'flickr: without words');
$stack->control(flickr => { items => 9000 });
is(page('flickr', 'sofa', 500, 9)->{json}{photos}{photo}[0]{id},
   page('flickr', 'sofa', 500, 1)->{json}{photos}{photo}[0]{id},
   'flickr: after 4000 the first come again');
$res = HTTP::Tiny->new(agent => 'tool/1.0')->get(
    "$base/wikimedia/" . sprintf $at{wikimedia}, 'sofa', 5, 0);
is($res->{status}, 403, 'wikimedia: nobody to write to');
is(page('wikimedia', 'sofa', 50, 201)->{json}{error}{code},
   'cirrussearch-backend-error', 'wikimedia: too deep');
$res = page('openverse', 'sofa', 21, 1);
is($res->{status}, 401, 'openverse: more than 20 is for friends');
is(scalar @{ get('openverse/v1/images/?q=sofa&page_size=100',
                 Authorization => "Bearer $key")->{json}{results} }, 100,
   '... who may');
is(page('openverse', 'sofa', 20, 21)->{status}, 400,
   'openverse: 20 pages, no more');
is(page('openverse', 'sofa', 20, 1)->{json}{page_count}, 20, '... and says so');
is(page('openverse', 'sofa', 20, 1, '&source=met&excluded_source=flickr')
   ->{status}, 400, 'openverse: two wishes in one');
fresh();

# Formats of Commons and rawpixel.

my $v1 = sprintf($at{wikimedia}, 'lamp', 50, 0) =~ s/formatversion=2/x=1/r;
my $pages = get("wikimedia/$v1")->{json}{query}{pages};
is(ref $pages, 'HASH', 'wikimedia: format 1 has an object');
my @index = map { $_->{index} } items('wikimedia',
                                      page('wikimedia', 'lamp', 50, 1));
isnt("@index", join(' ', 1 .. 50), 'wikimedia: pages come in no order');
is(join(' ', sort { $a <=> $b } @index), join(' ', 1 .. 50),
   '... with an index each');
my ($abroad) = grep { $_->{missing} } map {
    items('wikimedia', page('wikimedia', 'lamp', 50, $_)) } 1 .. 4;
ok($abroad && $abroad->{known} && !exists $abroad->{pageid}
   && $abroad->{imageinfo}, 'wikimedia: known though missing');
my @mime = map { $_->{imageinfo}[0]{mime} // () } map {
    items('wikimedia', page('wikimedia', 'lamp', 50, $_)) } 1 .. 4;
is_deeply([ sort keys %{ { map { $_ => 1 } @mime } } ],
          [ qw(image/jpeg image/png image/tiff image/webp) ],
          'wikimedia: several types');
$res = get('rawpixel/api/v1/search?freecc0=1&html=0&query=lamp');
ok($res->{json}{results}[0]{image_400}, 'rawpixel: the older form');
$res = page('rawpixel', 'lamp', 100, 1);
is($res->{json}{results}[0]{title}, undef, 'rawpixel: no title on top');
is_deeply([ sort keys %{ { map { $_->{metadata}{license} => 1 }
                           items('rawpixel', $res) } } ],
          [ qw(cc0 premium) ], 'rawpixel: some are not free');
my @unsplash = map { items('unsplash', page('unsplash', 'lamp', 30, $_)) }
               1 .. 6;
ok((grep { !exists $_->{blur_hash} } @unsplash),
   'unsplash: some have no blur_hash');
ok((grep { $_->{blur_hash} && length $_->{blur_hash} == 28 } @unsplash),
   '... most have one of 4 x 3');
ok((grep { !defined $_->{description} } @unsplash), '... nor a description');
my @openverse = map { items('openverse', page('openverse', 'lamp', 20, $_)) }
                1 .. 10;
ok((grep { !exists $_->{width} } @openverse), 'openverse: sizes are missing');
ok((grep { exists $_->{width} && !defined $_->{width} } @openverse),
   '... or null');
my @flickr = items('flickr', page('flickr', 'lamp', 500, 1));
ok((grep { !exists $_->{license} } @flickr), 'flickr: some of no licence');
ok(!(grep { ($_->{license} // 4) < 4 } @flickr), '... none of a wrong one');
ok((grep { !exists $_->{url_z} } @flickr), '... some not to be seen');
my $text = page('flickr', 'lamp', 500, 1)->{content};
ok($text =~ /"width_z":\d/ && $text =~ /"width_z":"\d/,
   '... numbers of either kind');
fresh();

# Filters.

my %shape = (
    pexels   => [ '&orientation=portrait', sub { $_[0]{height} > $_[0]{width} } ],
    unsplash => [ '&orientation=squarish', sub { $_[0]{height} == $_[0]{width} } ],
    pixabay  => [ '&orientation=vertical',
                  sub { $_[0]{imageHeight} > $_[0]{imageWidth} } ],
    openverse => [ '&aspect_ratio=tall',
                   sub { ($_[0]{height} // 2) > ($_[0]{width} // 1) } ],
);
for my $source (sort keys %shape) {
    my ($wish, $holds) = @{ $shape{$source} };
    my @items = items($source, page($source, 'sofa', $most{$source}, 1, $wish));
    is(scalar @items, $most{$source}, "$source: as many of one shape");
    is(scalar(grep { !$holds->($_) } @items), 0, '... of that alone');
}
my %licenses = map { $_->{license} => 1 }
               map { items('openverse', page('openverse', 'sofa', 20, $_,
                                             '&license_type=commercial')) }
               1 .. 4;
is_deeply([ sort keys %licenses ], [ qw(by by-nd by-sa cc0 pdm) ],
          'openverse: what may be used commercially');
is(page('openverse', 'sofa', 20, 1, '&license_type=free')->{status}, 400,
   '... of types that there are');
is((items('openverse', page('openverse', 'sofa', 20, 1, '&license=by-nc')))[9]
   {license}, 'by-nc', '... or by licence');
my @reds = items('pexels', page('pexels', 'sofa', 80, 1, '&color=red'));
my %red = map { $_->{id} => 1 } @reds;
my @some = items('pexels', page('pexels', 'sofa', 80, 1));
is(scalar @reds, 80, 'pexels: many red ones');
ok((grep { $red{ $_->{id} } } @some), '... some of all');
ok((grep { !$red{ $_->{id} } } @some), '... but not all');
is(page('pexels', 'sofa', 80, 1, '&color=%23a92d30')->{json}{photos}[0]{id},
   $reds[0]{id}, '... by their number too');
fresh();

# Copies: Openverse has what Flickr, Commons and rawpixel have.

my $all = join ',', 1 .. 16;
$at{flickr} =~ s/license=[\d,]+/license=$all/;
my %flickr = map { $_->{id} => $_ }
             items('flickr', page('flickr', 'desk', 500, 1));
@openverse = map { items('openverse', page('openverse', 'desk', 20, $_)) }
             1 .. 5;
my @copies = grep { $_->{source} eq 'flickr' } @openverse;
cmp_ok(scalar @copies, '>', 45, 'openverse: mostly of Flickr');
is(scalar(grep { m{/(\d+)$} && !$flickr{$1} }
          map { $_->{foreign_landing_url} } @copies),
   0, '... by its ids');
my %commons = map { my $name = $_->{title}; utf8::encode($name);
                    $name =~ s/^File://; $name =~ tr/ /_/; $name => 1 }
              items('wikimedia', page('wikimedia', 'desk', 50, 1));
my @files = map { $_->{url} =~ m{/([^/]+)$} ? $1 =~ s/%(..)/chr hex $1/ger
                                            : () }
            grep { $_->{source} eq 'wikimedia' } @openverse;
is(scalar(grep { !$commons{$_} } @files), 0,
   'openverse: Commons by its file names');
cmp_ok(scalar @files, '>', 5, '... some');
my @others = items('openverse',
    page('openverse', 'desk', 20, 1,
         '&excluded_source=flickr,wikimedia,rawpixel'));
is(scalar @others, 20, 'openverse: a whole page without them');
is(scalar(grep { $_->{source} ne 'stocksnap' } @others), 0, '... indeed');

# The same picture in variants.

my %seeds;
for my $source (qw(pexels unsplash pixabay)) {
    $stack->control($source => {});
    my $text = page($source, 'desk', $most{$source}, 1)->{content};
    my %here = map { $_ => 1 } $text =~ m{/([0-9a-f]{16})[0-9a-f]{16}/}g;
    $seeds{$_}++ for keys %here;
}
my $near = grep { $_ > 1 } values %seeds;
cmp_ok($near, '>=', 3, "some pictures are at several sources ($near)");
cmp_ok($near, '<', 40, '... most are not');
fresh();

# Quotas, in each source's own words.

$stack->control(pexels => { limit => 2 });
$stack->control(unsplash => { limit => 2, windowMs => 60000 });
$stack->control(pixabay => { limit => 2, windowMs => 60000 });
$stack->control(openverse => { limit => 2, windowMs => 60000 });
$stack->control($_ => { limit => 2 }) for qw(flickr wikimedia rawpixel);
my %left = (unsplash  => 'x-ratelimit-remaining',
            pixabay   => 'x-ratelimit-remaining',
            openverse => 'x-ratelimit-available-anon_burst');
my %status = (pexels => 429, unsplash => 403, pixabay => 429, flickr => 429,
              wikimedia => 429, rawpixel => 429, openverse => 429);
for my $source (@sources) {
    for my $left (1, 0) {
        $res = page($source, 'sofa', 3, 1);
        is($res->{status}, 200, "$source: within its quota");
        is($res->{headers}{ $left{$source} }, $left, '... which it tells')
            if $left{$source};
    }
    $res = page($source, 'sofa', 3, 1);
    is($res->{status}, $status{$source}, '... and then not');
    is($stack->counters($source)->{limited}, 1, '... counted');
    is($stack->counters($source)->{ok}, 2, '... not as ok');
    my ($seconds) = $source eq 'openverse'
        ? $res->{content} =~ /Expected available in (\d+) second/
        : $source =~ /wikimedia|rawpixel/ ? $res->{headers}{'retry-after'}
        : $source eq 'pixabay' ? $res->{headers}{'x-ratelimit-reset'} : 60;
    ok($seconds > 0 && $seconds <= 60, '... with the time to wait');
}
is(page('unsplash', 'sofa', 3, 1)->{content}, 'Rate Limit Exceeded',
   'unsplash: as plain text');
ok(page('openverse', 'sofa', 3, 1)->{headers}{'cache-control'} =~ /max-age/,
   'openverse: a refusal to be cached');
ok(!exists page('pexels', 'sofa', 3, 1)->{headers}{'x-ratelimit-limit'},
   'pexels: headers on good answers only');
$stack->control(pexels => { longLimit => 9 });
$res = page('pexels', 'sofa', 3, 1);
is($res->{headers}{'x-ratelimit-remaining'}, 8, 'pexels: those of the month');
cmp_ok($res->{headers}{'x-ratelimit-reset'}, '>', time + 86400,
       '... until its end');
$stack->control(pixabay => { limit => 1, windowMs => 1 });
page('pixabay', 'sofa', 3, 1);
Stack::until_true('the next window', sub {
    page('pixabay', 'sofa', 3, 1)->{status} == 200;
});
pass('a window ends');
fresh();

# Faults.

sub fault {
    my ($source, $settings) = @_;
    $stack->control($source => $settings);
    return page($source, 'sofa', 3, 1);
}

is(fault('unsplash', { mode => 'rate_limit' })->{content},
   'Rate Limit Exceeded', 'on demand: a limit');
is(fault('pixabay', { mode => 'rate_limit' })->{content},
   'API rate limit exceeded', '... as text');
like(fault('openverse', { mode => 'rate_limit', retryAfter => 9 })->{content},
     qr/Expected available in 9 seconds/, '... in words');
is(fault('pexels', { mode => 'rate_limit', variant => 'seconds' })
   ->{headers}{'retry-after'}, 7, '... or as others do');
$res = fault('flickr', { mode => 'failed' });
is_deeply([ $res->{status}, @{ $res->{json} }{qw(stat code)} ],
          [ 200, 'fail', 105 ], 'flickr: fails in 200');
is(fault('flickr', { mode => 'failed', variant => 'search' })->{json}{code},
   10, '... in several ways');
$res = fault('wikimedia', { mode => 'failed' });
is_deeply([ $res->{status}, $res->{json}{error}{code},
            $res->{headers}{'retry-after'} ], [ 200, 'maxlag', 7 ],
          'wikimedia: lags');
is(fault('pexels', { mode => 'failed', variant => 'maxlag' })->{status}, 501,
   'what a source never says is told');
is(fault('rawpixel', { mode => 'garbage', variant => 'bomb' })->{status}, 501,
   '... and so is what only pictures can be');
is(fault('pexels', { mode => 'status', status => 403, variant => 'text' })
   ->{content}, "upstream says 403\n", '403 as text');
is(fault($_, { mode => 'status' })->{status}, 500, "$_: 500") for @sources;
$res = fault('pexels', { mode => 'truncated', variant => 'json' });
ok($res->{status} == 200 && !$res->{json}, 'half of the JSON');
$res = fault('pexels', { mode => 'garbage' });
like($res->{content}, qr/^<!DOCTYPE html>/, 'a page of HTML');
$res = fault('pexels', { mode => 'garbage', variant => 'bom' });
like($res->{content}, qr/^\xef\xbb\xbf\{/, 'a byte order mark');
$stack->control(pexels => { mode => 'oversized', variant => 'padded' });
my $padded = $http->get("$base/pexels/v1/search?query=sofa",
                        { headers => $auth{pexels} })->{content};
cmp_ok(length $padded, '>', 10_000_000, '10 MB');
like(substr($padded, 10 * 1024 * 1024), qr/^\{"page":1,.*\}$/s,
     '... of which the end is good');
is(fault('pexels', { mode => 'reset' })->{status}, 599, 'a reset');
is($stack->counters('pexels')->{'byMode'}{reset}, 1, '... counted');
$res = fault('pexels', { mode => 'drip', bytesPerSecond => 100000 });
ok($res->{json}{photos}, 'slowly');
$stack->control(pexels => { mode => 'hang' });
is(HTTP::Tiny->new(timeout => 1)->get("$base/pexels/v1/search?query=sofa",
                                      { headers => $auth{pexels} })->{status},
   599, 'silence');
ok($stack->wait_for('pexels', 'aborted>=1,inFlight==0'),
   '... until the client leaves');
fresh();

# At once.

sub send_all {
    my ($path, $n) = @_;
    my ($address) = $base =~ m{//(.*)};
    my @sockets = map {
        my $socket = IO::Socket::INET->new(PeerAddr => $address)
            or die "connect: $!";
        print {$socket} "GET $path HTTP/1.1\r\nHost: x\r\n",
            "User-Agent: $agent\r\nConnection: close\r\n\r\n";
        $socket->flush;
        $socket;
    } 1 .. $n;
    my @status = map { my $line = <$_>; $line =~ m{ (\d+) } ? $1 : 0 } @sockets;
    return join ' ', sort @status;
}

my $commons = '/wikimedia/' . sprintf $at{wikimedia}, 'sofa', 5, 0;
$stack->control(wikimedia => { latencyMs => 3000 });
is(send_all($commons, 5), '200 200 200 429 429', 'wikimedia: three at once');
cmp_ok($stack->counters('wikimedia')->{maxInFlight}, '>', 3, '... not more');
$stack->control(rawpixel => { latencyMs => 3000 });
is(send_all('/rawpixel/api/v1/search?query=sofa', 5), '200 200 200 200 200',
   'rawpixel: any number');
ok($stack->wait_for('rawpixel', 'maxInFlight>=5'), '... and says how many');
fresh();

# What came is shown, without keys.

page('pixabay', 'sofa', 3, 1);
$res = get('_control/pixabay');
is_deeply([ @{ $res->{json}{last}{args} }{qw(key q per_page)} ],
          [ '***', 'sofa', '3' ], 'the latest call can be seen');

# Downloads.

my ($photo) = items('unsplash', page('unsplash', 'sofa', 30, 1));
my $ping = $photo->{links}{download_location};
is(get($ping)->{status}, 401, 'download: no key');
$res = get($ping, %{ $auth{unsplash} });
is($res->{status}, 200, 'download: reported');
is(get($res->{json}{url})->{headers}{'content-type'}, 'image/jpeg',
   '... with the picture');
is($stack->counters('unsplash')->{downloads}, 2, '... counted');
is($stack->counters('unsplash')->{calls}, 1, '... apart');
$stack->control(unsplash => { on => 'download', mode => 'status' });
is(get($ping, %{ $auth{unsplash} })->{status}, 500, '... and may fail');
is(page('unsplash', 'sofa', 3, 1)->{status}, 200, '... alone');
fresh();

# Pictures: what they are and how large.

sub look {
    my ($url, %headers) = @_;
    my $answer = get($url, %headers);
    my $data = $answer->{content};
    return ('jpeg', reverse unpack 'nn', $1)
        if $data =~ /^\xff\xd8.*?\xff[\xc0\xc2]...(.{4})/s;
    return ('png', unpack 'NN', $1) if $data =~ /^\x89PNG.{12}(.{8})/s;
    return ('webp', map { $_ & 0x3fff } unpack 'vv', $1)
        if $data =~ /^RIFF....WEBPVP8 .{4}...\x9d\x01\x2a(.{4})/s;
    return ($answer->{status});
}

my ($wide) = grep { $_->{width} * 2 == $_->{height} * 3 && $_->{width} >= 3000
                    || abs($_->{width} * 2 - $_->{height} * 3) < 3 }
             items('pexels', page('pexels', 'sofa', 80, 1));
my $src = $wide->{src};
is_deeply([ look($src->{medium}) ], [ 'jpeg', 525, 350 ], 'pexels: medium');
is_deeply([ look($src->{tiny}) ], [ 'jpeg', 280, 200 ], '... tiny is cropped');
is_deeply([ look($src->{large2x}) ], [ 'jpeg', 1880, 1253 ], '... large2x');
is_deeply([ look("$src->{original}?w=300&fm=webp") ], [ 'webp', 300, 200 ],
          '... WebP');
is_deeply([ look("$src->{original}?w=300&fm=png") ], [ 'png', 300, 200 ],
          '... PNG');
($photo) = grep { abs($_->{width} * 2 - $_->{height} * 3) < 3 }
           items('unsplash', page('unsplash', 'sofa', 30, 1));
is_deeply([ look($photo->{urls}{thumb}) ], [ 'jpeg', 200, 133 ],
          'unsplash: thumb');
is_deeply([ look($photo->{urls}{raw} . '&auto=format&w=90',
                 Accept => 'image/webp') ], [ 'webp', 90, 60 ],
          '... the format asked for');
my ($hit) = items('pixabay', page('pixabay', 'sofa', 200, 1));
is_deeply([ look($hit->{previewURL}) ],
          [ 'jpeg', @$hit{qw(previewWidth previewHeight)} ],
          'pixabay: preview');
is_deeply([ look($hit->{webformatURL}) ],
          [ 'jpeg', @$hit{qw(webformatWidth webformatHeight)} ],
          '... webformat');
is((look($hit->{webformatURL} =~ s/_640/_340/r))[0], 'jpeg',
   '... in another size');
is(look($hit->{webformatURL} =~ s/_640/_333/r), 404, '... not in any');
my ($z) = grep { $_->{url_z} } items('flickr', page('flickr', 'sofa', 50, 1));
is_deeply([ look($z->{url_z}) ], [ 'jpeg', $z->{width_z}, $z->{height_z} ],
          'flickr: the size it says');
is_deeply([ look($z->{url_z} =~ s/_z/_q/r) ], [ 'jpeg', 150, 150 ],
          '... or a square');
my ($file) = grep { ($_->{mime} // '') eq 'image/jpeg' && $_->{width} > 500 }
             map { $_->{imageinfo} ? $_->{imageinfo}[0] : () }
             items('wikimedia', page('wikimedia', 'sofa', 50, 1));
is_deeply([ (look($file->{thumburl}))[0, 1] ], [ 'jpeg', 330 ],
          'wikimedia: a thumbnail');
is(look($file->{thumburl} =~ s/330px/320px/r), 429,
   '... of a width that there is');
ok(!exists get($file->{thumburl} =~ s/330px/320px/r)
   ->{headers}{'retry-after'}, '... or never');
my ($raw) = items('rawpixel', page('rawpixel', 'sofa', 100, 1));
is((look($raw->{style_uri} =~ s/\{\}/image_400/r))[0], 'jpeg',
   'rawpixel: the blank filled in');
is((look($raw->{style_uri} =~ s/\{\}/image_png_400/r))[0], 'png',
   '... as PNG');
is(look($raw->{style_uri}), 404, '... or left');
my ($free) = items('openverse', page('openverse', 'sofa', 20, 1));
is_deeply([ (look($free->{thumbnail}))[0, 1] ], [ 'jpeg', 600 ],
          'openverse: a thumbnail');
is((look($free->{url}))[0], 'jpeg', '... and where it is from');

my %bytes;
$bytes{ get($_->{src}{small})->{content} }++
    for items('pexels', page('pexels', 'sofa', 40, 1));
is(scalar keys %bytes, 40, 'no two are the same');
is(get($src->{small})->{content}, get($src->{small})->{content},
   '... but each stays itself');
is(get($src->{small} =~ s{/([0-9a-f]{31}).(?=/)}{/${1}z}r)->{status}, 404,
   'what was not given out is not there');

# Perceptual hashes: the lowest 64 of a cosine transform, above the median.

# Rows of grey of a PNG of eight-bit RGB.
sub grey {
    my ($png) = @_;
    my ($width, $height) = unpack 'NN', substr $png, 16, 8;
    my ($at, $data) = (8, '');
    while ($at < length $png) {
        my ($len, $type) = unpack 'N a4', substr $png, $at, 8;
        $data .= substr $png, $at + 8, $len if $type eq 'IDAT';
        $at += 12 + $len;
    }
    $data = Compress::Zlib::uncompress($data);
    my @above = (0) x ($width * 3);
    my @rows;
    for my $y (0 .. $height - 1) {
        my ($how, @row) = unpack 'C*', substr $data, $y * ($width * 3 + 1),
                                              $width * 3 + 1;
        for my $i (0 .. $#row) {
            my ($left, $up, $corner)
                = ($i < 3 ? 0 : $row[$i - 3], $above[$i],
                   $i < 3 ? 0 : $above[$i - 3]);
            my ($p, $q, $r) = (abs($up - $corner), abs($left - $corner),
                               abs($left + $up - 2 * $corner));
            my $guess = $how == 0 ? 0 : $how == 1 ? $left : $how == 2 ? $up
                      : $how == 3 ? ($left + $up) >> 1
                      : $p <= $q && $p <= $r ? $left
                      : $q <= $r ? $up : $corner;
            $row[$i] = ($row[$i] + $guess) & 255;
        }
        push @rows, [ map { 0.299 * $row[3 * $_] + 0.587 * $row[3 * $_ + 1]
                            + 0.114 * $row[3 * $_ + 2] } 0 .. $width - 1 ];
        @above = @row;
    }
    return @rows;
}

sub hash_of {
    my ($url) = @_;
    my @rows = grey(get($url)->{content});
    my ($h, $w) = (scalar @rows, scalar @{ $rows[0] });
    my @cos = map { my $k = $_;
                    [ map { cos(3.14159265358979 * (2 * $_ + 1) * $k
                                / 2 / $w) } 0 .. $w - 1 ] } 0 .. 7;
    my @across = map { my $row = $_;
                       [ map { my ($c, $sum) = ($_, 0);
                               $sum += $c->[$_] * $row->[$_] for 0 .. $w - 1;
                               $sum } @cos ] } @rows;
    my @all;
    for my $k (0 .. 7) {
        for my $l (0 .. 7) {
            my $sum = 0;
            $sum += cos(3.14159265358979 * (2 * $_ + 1) * $k / 2 / $h)
                    * $across[$_][$l] for 0 .. $h - 1;
            push @all, $sum;
        }
    }
    my @sorted = sort { $a <=> $b } @all;
    my $median = ($sorted[31] + $sorted[32]) / 2;
    return [ map { $_ > $median ? 1 : 0 } @all ];
}

sub distance {
    my ($one, $other) = @_;
    return scalar grep { $one->[$_] != $other->[$_] } 0 .. 63;
}

my @hashed = map { hash_of("$_->{src}{original}?w=48&fm=png") }
             items('pexels', page('pexels', 'sofa', 40, 1));
my @distances;
for my $i (1 .. $#hashed) {
    push @distances, map { distance($hashed[$i], $hashed[$_]) } 0 .. $i - 1;
}
cmp_ok(scalar(grep { $_ <= 16 } @distances), '<', @distances / 50,
       'pictures differ clearly');

my (%shared, @pair);
for my $item (items('pexels', page('pexels', 'desk', 80, 1))) {
    my ($seed) = $item->{src}{original} =~ m{/([0-9a-f]{16})[0-9a-f]{16}/};
    $shared{$seed} = "$item->{src}{original}?w=48&fm=png";
}
for my $item (map { items('unsplash', page('unsplash', 'desk', 30, $_)) }
              1 .. 3)
{
    my ($seed) = $item->{urls}{raw} =~ m{/([0-9a-f]{16})[0-9a-f]{16}/};
    push @pair, [ $shared{$seed}, "$item->{urls}{raw}&w=64&fm=png" ]
        if $shared{$seed};
}
cmp_ok(scalar @pair, '>', 1, 'some are at two sources');
is(scalar(grep { distance(map { hash_of($_) } @$_) > 16 } @pair), 0,
   '... and look alike');

cmp_ok($stack->counters('pexels')->{files}, '>', 40, 'pictures are counted');
$stack->control(pexels => { on => 'file', mode => 'garbage',
                            variant => 'bomb' });
is_deeply([ look($src->{small}) ], [ 'jpeg', 30069, 30069 ],
          'a bomb for decoders');
$stack->control(pexels => { on => 'file', mode => 'garbage',
                            variant => 'text' });
like(get($src->{small})->{content}, qr/^This is text/, 'text for a picture');
$stack->control(pexels => { on => 'file', mode => 'truncated',
                            variant => 'cut' });
cmp_ok(length get($src->{small})->{content}, '<', 5000, 'half a picture');
is(page('pexels', 'sofa', 3, 1)->{status}, 200, '... only');

$stack->finish;
done_testing();
