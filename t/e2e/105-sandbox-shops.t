# The sandbox's shops: each page's shape, what moves and what control moves,
# conditional requests, robots.txt, walls, other faults, pictures.

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
use Time::HiRes ();

my $stack = Stack->new;
my $base = $stack->{sandbox};
my $http = HTTP::Tiny->new(timeout => 60, agent => 'Atelier-Test/1.0',
                           max_redirect => 0);
my @shops = qw(urbanladder pepperfry amazon flipkart ikea);
my $still = { pace => 0 };

my %search = (
    urbanladder => '/products/?q=%s&page=%d',
    pepperfry   => '/site_product/search?q=%s&as=0&p=%d',
    amazon      => '/s?k=%s&page=%d',
    flipkart    => '/search?q=%s&page=%d',
    ikea        => '/in/en/search/?q=%s&page=%d',
);
my %category = (
    urbanladder => '/collection/sofas?page=%d',
    pepperfry   => '/category/sofas.html?page=%d',
    amazon      => '/s?i=sofas&page=%d',
    flipkart    => '/sofas/pr?sid=wwe&page=%d',
    ikea        => '/in/en/cat/sofas-fu003/?page=%d',
);

sub get {
    my ($url, %headers) = @_;
    $url = "$base$url" if $url !~ /^http/;
    my $res = $http->get($url, { headers => \%headers });
    utf8::decode($res->{text} = $res->{content} // '');
    $res->{json} = eval { JSON::PP::decode_json($res->{content} // '') };
    return $res;
}

sub shop { my ($shop, $path, %h) = @_; return get("/shop/$shop$path", %h); }
sub known { return get("/_control/$_[0]/products" . ($_[1] // ''))->{json}; }
sub product { return known($_[0], "/$_[1]"); }

sub put_product {
    my ($shop, $id, $say) = @_;
    my $res = $http->put("$base/_control/$shop/products/$id",
                         { content => JSON::PP::encode_json($say) });
    return { %{ JSON::PP::decode_json($res->{content}) },
             status => $res->{status} };
}

# As like(), but a page that is wrong is not printed whole.
sub has   { my ($t, $re, $name) = @_; return ok($t =~ $re, $name); }
sub lacks { my ($t, $re, $name) = @_; return ok($t !~ $re, $name); }

sub unhtml {
    my ($s) = @_;
    my %c = (amp => '&', lt => '<', gt => '>', quot => '"', '#39' => "'");
    $s =~ s/&(amp|lt|gt|quot|#39);/$c{$1}/g;
    return $s;
}

# Money as pages show it, in rupees with two decimals.
sub money {
    my ($s) = @_;
    return undef if !defined $s;
    $s =~ s/[^\d.]//g;
    return $s =~ /\./ ? sprintf('%.2f', $s) : "$s.00";
}

sub lakh {
    my ($rupees) = @_;
    my ($whole, $paise) = split /\./, $rupees;
    1 while $whole =~ s/^(\d+)(\d\d\d)$/$1,$2/
            || $whole =~ s/^(\d+)(\d\d),/$1,$2,/;
    return $whole . ($paise && $paise ne '00' ? ".$paise" : '');
}

is(lakh('1234567.50'), '12,34,567.50', 'lakhs are grouped by two');

# Cards of a list: id => { title, price }, read without the shops' own code.

my %cards = (
    amazon => sub {
        my %c;
        for (split /(?=<div role="listitem")/, $_[0]) {
            my ($id) = /data-asin="(\w+)"/ or next;
            my $t = join ' ', m{<h2 [^>]*><span[^>]*>([^<]+)</span></h2>}g;
            next if $t eq '';
            my ($p) = /data-a-size="xl"[^>]*><span class="[^"]+">₹([\d,.]+)</;
            $c{$id} = { title => unhtml($t), price => money($p) };
        }
        return \%c;
    },
    flipkart => sub {
        my %c;
        for (split /(?=<div data-id=")/, $_[0]) {
            my ($id) = /^<div data-id="(\w+)"/ or next;
            my ($t) = /title="([^"]+)"/;
            my ($p) = />₹([\d,.]+)</;
            $c{$id} = { title => unhtml($t), price => money($p) };
        }
        return \%c;
    },
    ikea => sub {
        my %c;
        while ($_[0] =~ /data-product-number="(\w+)"[^>]*data-price="([\d.]+)"
                         .*?alt="([^"]+)"/gxs)
        {
            $c{$1} = { title => unhtml($3), price => money($2) };
        }
        return \%c;
    },
    pepperfry => sub {
        my %c;
        while ($_[0] =~ /data-product-id="(\w+)".*?<h3[^>]*>([^<]+)<
                         .*?text-lg\ font-bold">₹([\d,.]+)/gxs)
        {
            $c{$1} = { title => unhtml($2), price => money($3) };
        }
        return \%c;
    },
    urbanladder => sub {
        my %c;
        my ($state) = $_[0] =~ /window\.APP_DATA = (.*?);<\/script>/s or return;
        while ($state =~ /"uid":(\d+),.*?"name":"((?:[^"\\]|\\.)*)"
                          .*?"effective":\{"min":([\d.]+)/gxs)
        {
            my ($id, $t, $p) = ($1, $2, $3);
            $t = JSON::PP->new->allow_nonref->decode("\"$t\"");
            $c{$id} = { title => $t, price => money($p) };
        }
        return \%c;
    },
);

# A product's page: title, price, mrp, in stock.

sub ld {
    my ($text) = @_;
    my @all;
    while ($text =~ m{<script type="application/ld\+json"[^>]*>(.*?)</script>}gs)
    {
        my $v = JSON::PP->new->decode($1);
        push @all, ref $v eq 'ARRAY' ? @$v : $v;
    }
    my ($product) = grep { ($_->{'@type'} // '') eq 'Product' } @all;
    return ($product, @all);
}

my %page = (
    amazon => sub {
        my ($t) = $_[0] =~ /id="productTitle"[^>]*>\s*(.*?)\s*</s;
        my ($p) = $_[0] =~ m{id="corePriceDisplay_.*?priceToPay.*?
                             a-price-whole">([\d,]+)}xs;
        my ($f) = $_[0] =~ /a-price-fraction">(\d+)/;
        my ($m) = $_[0] =~ /basisPrice.*?a-offscreen">\s*₹([\d,.]+)/s;
        my ($s) = $_[0] =~ /id="availability".*?<span[^>]*>\s*(.*?)\s*</s;
        return [ unhtml($t), money($p && $f ? "$p.$f" : $p), money($m),
                 $s =~ /in stock/i && $s !~ /^Temporarily|back in/ ? 1 : 0 ];
    },
    flipkart => sub {
        my ($t) = $_[0] =~ /<h1><span[^>]*>(.*?)&nbsp;/;
        my ($p) = $_[0] =~ /DeU9vF">₹([\d,.]+)/;
        my ($m) = $_[0] =~ /yHYOcc">₹([\d,.]+)/;
        return [ unhtml($t), money($p), money($m),
                 $_[0] =~ /Add to cart/ ? 1 : 0 ];
    },
    ikea => sub {
        my ($p) = ld($_[0]);
        my ($t, $v, $s);
        if ($p) {
            ($t, $v, $s) = ($p->{name}, @{ $p->{offers} }{qw(price
                                                             availability)});
        } else {
            ($t) = $_[0] =~ /<h1 itemprop="name">([^<]+)/;
            ($v) = $_[0] =~ /itemprop="price" content="([\d.]+)"/;
            ($s) = $_[0] =~ /itemprop="availability" href="([^"]+)"/;
        }
        my ($m) = $_[0] =~ /Previous price <span>Rs\.([\d,.]+)/;
        return [ unhtml($t), money($v), money($m), $s =~ /InStock/ ? 1 : 0 ];
    },
    pepperfry => sub {
        my ($p) = ld($_[0]);
        my ($m) = $_[0] =~ m{M\.R\.P\. Rs\. ([\d,.]+)/-};
        return [ $p->{name}, money($p->{offers}{price}), money($m),
                 $p->{offers}{availability} =~ /InStock/ ? 1 : 0 ];
    },
    urbanladder => sub {
        my ($s) = $_[0] =~ /window\.APP_DATA = (.*?);<\/script>/s;
        $s =~ s/:undefined/:null/g;
        my $c = JSON::PP->new->decode($s)->{reduxData}{catalog};
        my $price = $c->{product_meta}{price};
        my $m = money($price->{marked}{min});
        my $p = money($price->{effective}{min});
        return [ $c->{product_details}{name}, $p, $m eq $p ? undef : $m,
                 $c->{product_meta}{sellable} ? 1 : 0 ];
    },
);

my %all;
for my $shop (@shops) {
    $stack->control($shop => $still);
    my $list = known($shop)->{products};
    is(scalar @$list, 480, "$shop: a few hundred products");
    $all{$shop} = { map { $_->{id} => $_ } @$list };
    is(scalar keys %{ $all{$shop} }, 480, '... each with an id');
    my %titles = map { $_->{title} => 1 } @$list;
    cmp_ok(scalar keys %titles, '>=', 470, '... and a title');
    my $in = grep { $_->{stock} } @$list;
    cmp_ok($in, '>', 300, "... most of them there ($in)");
    cmp_ok($in, '<', 460, '... but not all');
    ok((grep { $_->{price} =~ /\.50$/ } @$list), '... some with paise');
    ok((grep { $_->{price} >= 1e5 } @$list), '... some of a lakh and more');

    # Lists.

    for my $what (sprintf($search{$shop}, 'sofa', 1),
                  sprintf($category{$shop}, 1))
    {
        my $res = shop($shop, $what);
        is($res->{status}, 200, "$shop: $what");
        my $cards = $cards{$shop}->($res->{text});
        cmp_ok(scalar keys %$cards, '>=', 24, '... is a page of cards');
        my @wrong = grep {
            my ($c, $k) = ($cards->{$_}, $all{$shop}{$_});
            !$k || $c->{title} ne $k->{title}
                || defined $c->{price} && $c->{price} ne $k->{price}
                || !defined $c->{price} && $k->{stock}
        } keys %$cards;
        is_deeply(\@wrong, [], '... that tell what control tells');
        is(scalar(grep { $all{$shop}{$_}{category} ne 'sofas' } keys %$cards),
           0, '... all of them sofas');
    }
    my $one = $cards{$shop}->(shop($shop, sprintf $category{$shop}, 1)->{text});
    my $two = $cards{$shop}->(shop($shop, sprintf $category{$shop}, 2)->{text});
    is(scalar(keys %{ { %$one, %$two } }), 40, '... 40 on two pages')
        if $shop ne 'flipkart';
    my $none = shop($shop, sprintf $search{$shop}, 'zeppelin', 1);
    is($none->{status}, 200, "$shop: a search for what there is not");
    is(scalar keys %{ $cards{$shop}->($none->{text}) }, 0, '... finds nothing');

    # Product pages.

    my @some = (sort keys %{ $all{$shop} })[map { $_ * 12 } 0 .. 39];
    my @bad;
    for my $id (@some) {
        my $k = $all{$shop}{$id};
        my $res = shop($shop, $k->{path});
        my $got = $res->{status} == 200 ? $page{$shop}->($res->{text}) : [];
        my $mrp = defined $k->{mrp} && $k->{mrp} > $k->{price} ? $k->{mrp}
                                                              : undef;
        my $want = [ $k->{title}, $k->{price}, $mrp, $k->{stock} ? 1 : 0 ];
        $want->[1] = $want->[2] = undef if $shop eq 'amazon' && !$k->{stock};
        s/&(?![aq];)/&/ for grep { defined } @$got;
        my ($g, $w) = map { join '|', map { $_ // '-' } @$_ } $got, $want;
        push @bad, "$id: $g instead of $w" if $g ne $w;
    }
    is_deeply(\@bad, [], "$shop: product pages say it too");
    my $size = length shop($shop, $all{$shop}{ $some[0] }{path})->{content};
    cmp_ok($size, '>', 100_000, "... of about 120 kB ($size)");
    cmp_ok($size, '<', 140_000, '... not more');
}
my $size = length shop('amazon', '/s?k=bed')->{content};
cmp_ok($size, '>', 900_000, "amazon: a list of 1 MB ($size)");
cmp_ok($size, '<', 1_200_000, '... about');

# What each has of its own.

my $text = shop('amazon', '/s?k=sofa')->{text};
my @asins = $text =~ /data-component-type="s-search-result"/g;
my %asins = map { $_ => 1 } $text =~ /data-asin="(\w+)"/g;
is(@asins - keys %asins, 2, 'amazon: two are there twice');
my ($jump) = $text =~ m{href="([^"]*/sspa/click[^"]+)"};
has(my $dest = get(unhtml($jump))->{headers}{location} // '',
     qr{^\Q$base\E/shop/amazon/dp/\w{10}$}, '... one by /sspa/click');
lacks($text, qr/ld\+json/, '... no JSON-LD');
ok($text =~ /h2 class="a-size-mini/, '... two headings in some cards');

my ($low, $checked) = (0, 0);
for my $k (grep { $_->{stock} } values %{ $all{flipkart} }) {
    last if ++$checked > 60;
    my $page = shop('flipkart', $k->{path})->{text};
    my ($ld, @rest) = ld($page);
    my $own = money($ld->{offers}{price});
    $low++ if $own < $k->{price};
    fail('JSON-LD above the price') if $own > $k->{price};
}
cmp_ok($low, '>', 1, "flipkart: JSON-LD is lower for some ($low)");
cmp_ok($low, '<', 20, '... few');
my @lists = map { shop('flipkart', "/search?q=$_")->{text} }
            qw(sofa bed lamp rug desk chair);
ok((grep { !/"ItemList"/ } @lists), 'flipkart: some lists without ItemList');
ok((grep { /"ItemList"/ } @lists), '... some with');

my $res = shop('ikea', '/in/en/search-result-page?q=sofa&size=24');
is($res->{json}{searchResultPage}{products}{main}{max}, 40, 'ikea: its API');
my $first = $res->{json}{searchResultPage}{products}{main}{items}[0]{product};
is(money($first->{salesPrice}{numeral}), $all{ikea}{ $first->{id} }{price},
   '... has the price');
my $more = shop('ikea', '/in/en/product-list-page/more-products?category=sofas'
                        . '&start=24&end=48')->{json}{moreProducts};
is(scalar @{ $more->{productWindow} }, 16, '... and the rest of a list');
my $stock = "/cia/availabilities/ru/in?itemNos=$first->{itemNo}";
is(shop('ikea', $stock)->{status}, 401, '... stock for those with a client id');
is(shop('ikea', $stock, 'X-Client-Id' => 'x')->{json}{data}[0]
   {availableStocks}[0]{quantity}, $all{ikea}{ $first->{id} }{stock},
   '... who see how much there is');
my ($set) = grep { /^S/ } sort keys %{ $all{ikea} };
has(shop('ikea', $all{ikea}{$set}{path})->{text},
     qr/"sku":"S\d{3}\.\d{3}\.\d\d"|itemprop="sku">S/, '... sets have an S');

my ($oven) = grep { $_->{stock} } values %{ $all{pepperfry} };
my ($ld, @ld) = ld(shop('pepperfry', $oven->{path})->{text});
is($ld[0]{'@type'}, 'BreadcrumbList', 'pepperfry: the breadcrumb is first');
has(shop('pepperfry', $oven->{path})->{text}, qr/\{&q;G\.https/,
     '... the state has its quotes escaped');

# By Host, a shop is a host of its own.

sub by_host {
    my ($host, $path) = @_;
    my ($port) = $base =~ /:(\d+)$/;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";
    print {$s} "GET $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n";
    local $/;
    my $answer = <$s>;
    utf8::decode($answer);
    return $answer;
}

my $chair = (values %{ $all{ikea} })[0];
$text = by_host('ikea.localhost:81', $chair->{path});
has($text, qr/^HTTP\/1.1 200/, 'a shop by its host');
has($text, qr{rel="canonical" href="http://ikea\.localhost:81\Q$chair->{path}\E},
     '... whose addresses it has');
has(by_host('www.amazon.in', '/s?k=sofa'), qr{href="/s\?i=sofas"},
     '... or by the real name');
has(by_host('amazon.in.example.org', '/s?k=sofa'), qr/^HTTP\/1.1 404/,
     '... nothing that only looks like it');

# Control moves one product, and knows who has seen it.

my ($id) = sort keys %{ $all{ikea} };
my $before = product(ikea => $id);
my $said = put_product(ikea => $id, { price => '1234567.50', mrp => 2000000,
                               stock => 3 });
is($said->{status}, 200, 'control: a price is said');
is($said->{price}, '1234567.50', '... to be so');
is($said->{version}, $before->{version} + 1, '... in a new version');
is($said->{servedAt}, undef, '... that nobody has seen');
my $start = Time::HiRes::time() * 1000;
$text = shop('ikea', $before->{path})->{text};
has($text, qr/Rs\.12,34,567\.50/, '... until its page is asked for');
my $seen = known('ikea', "/$id?wait=served%3D%3D1");
cmp_ok($seen->{servedAt}, '>=', $start - 1, '... which is noted');
is($seen->{fetched}, $before->{fetched} + 1, '... and counted');
put_product(ikea => $id, { price => 123456789 });
has(shop('ikea', $before->{path})->{text}, qr/Rs\.12,34,56,789</,
    '... in lakhs and crores');
put_product(ikea => $id, { price => 500, stock => 0 });
my $listed = product(ikea => $id)->{listed};
my $query = join '+', $before->{title} =~ /([A-Za-z0-9-]{3,})/g;
$text = shop('ikea', "/in/en/search/?q=$query")->{text};
has($text, qr/data-product-number="$id"[^>]*data-price="500"/,
     '... lists have it too');
$seen = known('ikea', "/$id?wait=served%3D%3D1,listed%3E$listed");
ok($seen->{servedAt}, '... and that counts as well');
has(shop('ikea', $before->{path})->{text}, qr/out of stock/i, '... sold out');
is(put_product(ikea => $id, { price => 'dear' })->{member}, 'price',
   '... no nonsense');
is(put_product(ikea => $id, { colour => 'red' })->{status}, 400, '... nothing else');
is(put_product(ikea => 'none', {})->{status}, 404, '... of nothing');
$http->delete("$base/_control/ikea/products/$id");
is(product(ikea => $id)->{price}, $before->{price}, '... and taken back');

# Conditional requests.

my $path = $all{ikea}{$id}{path};
$res = shop('ikea', $path);
my $etag = $res->{headers}{etag};
is(shop('ikea', $path, 'If-None-Match' => $etag)->{status}, 304,
   'ikea: not modified');
is($stack->counters('ikea')->{notModified}, 1, '... is counted');
put_product(ikea => $id, { price => 777 });
$res = shop('ikea', $path, 'If-None-Match' => $etag);
is($res->{status}, 200, '... modified');
isnt($res->{headers}{etag}, $etag, '... with a tag of its own');

($id) = sort keys %{ $all{pepperfry} };
$path = $all{pepperfry}{$id}{path};
put_product(pepperfry => $id, { price => 4000 });
my $date = shop('pepperfry', $path)->{headers}{'last-modified'};
ok($date, 'pepperfry: says when');
put_product(pepperfry => $id, { price => 5000 });
is(shop('pepperfry', $path, 'If-Modified-Since' => $date)->{status}, 200,
   '... a change in the same second is not lost');
$date = undef;
my $end = Time::HiRes::time() + 60;
while (Time::HiRes::time() < $end) {
    $date = shop('pepperfry', $path)->{headers}{'last-modified'};
    last if shop('pepperfry', $path, 'If-Modified-Since' => $date)->{status}
            == 304;
    Time::HiRes::sleep(0.05);
}
is(shop('pepperfry', $path, 'If-Modified-Since' => $date)->{status}, 304,
   '... not modified, some time later');
ok(!exists shop('amazon', '/s?k=sofa')->{headers}{etag}, 'amazon: no such');

# It moves by itself: the same way for the same seed, faster at a pace.

$stack->reset_sandbox;
$stack->control(ikea => { pace => 0, seed => 5 });
my %was = map { $_->{id} => "$_->{price} $_->{stock}" }
          @{ known('ikea')->{products} };
$stack->control(ikea => { pace => 0, seed => 6 });
my %other = map { $_->{id} => "$_->{price} $_->{stock}" }
            @{ known('ikea')->{products} };
my $differ = grep { $was{$_} ne $other{$_} } keys %was;
cmp_ok($differ, '>', 300, "movement: another seed, other prices ($differ)");
$stack->reset_sandbox;
$stack->control(ikea => { pace => 0, seed => 5 });
my %again = map { $_->{id} => "$_->{price} $_->{stock}" }
            @{ known('ikea')->{products} };
is(scalar(grep { $was{$_} ne $again{$_} } keys %was), 0,
   '... the same seed, the same ones');
$stack->control(ikea => { pace => 100_000, seed => 5 });
$differ = 0;
$end = Time::HiRes::time() + 60;
while ($differ < 40 && Time::HiRes::time() < $end) {
    my %now = map { $_->{id} => "$_->{price} $_->{stock}" }
              @{ known('ikea')->{products} };
    $differ = grep { $was{$_} ne $now{$_} } keys %was;
}
cmp_ok($differ, '>=', 40, '... and with time, others');
ok((grep { $_->{moves} } @{ known('ikea')->{products} }), '... which is told');

# robots.txt.

$stack->reset_sandbox;
$stack->control($_ => $still) for @shops;
for my $shop (@shops) {
    my $robots = shop($shop, '/robots.txt');
    is($robots->{status}, 200, "$shop: robots.txt");
    has($robots->{content}, qr/^User-agent: \*\nDisallow: \//m, '... rules');
}
is($stack->counters('amazon')->{robots}, 1, '... is counted');
is($stack->counters('amazon')->{calls}, 0, '... as no call');
shop('amazon', '/gp/cart/view.html');
shop('amazon', '/gp/product/B0XXXXXXXX');
shop('amazon', '/s?k=sofa');
is($stack->counters('amazon')->{disallowed}, 1, 'amazon: disallowed is seen');
shop('ikea', '/in/en/manual.pdf');
shop('ikea', '/in/en/manual.pdf?x=1');
is($stack->counters('ikea')->{disallowed}, 1, 'ikea: the end of a path too');
$text = get('/robots.txt')->{content};
has($text, qr{^Disallow: /shop/amazon/gp/cart$}m,
     'by path, one robots.txt has the rules of all');
$stack->control(amazon => { robots => 'closed' });
has(shop('amazon', '/robots.txt')->{content}, qr{^Disallow: /$}m, 'closed');
shop('amazon', '/s?k=sofa');
is($stack->counters('amazon')->{disallowed}, 2, '... is disallowed');
$stack->control(amazon => { robots => 'none' });
is(shop('amazon', '/robots.txt')->{status}, 404, 'none');
$stack->control(amazon => { robots => 'large' });
cmp_ok(length shop('amazon', '/robots.txt')->{content}, '>', 600_000, 'large');
$stack->control(amazon => { on => 'robots', mode => 'status', status => 503 });
is(shop('amazon', '/robots.txt')->{status}, 503, 'away');
is(shop('amazon', '/s?k=sofa')->{status}, 200, '... alone');

my $asked = get('/_control/amazon/requests?path=/gp/')->{json};
is_deeply([ map { $_->{target} } @{ $asked->{requests} } ],
          [ '/gp/cart/view.html', '/gp/product/B0XXXXXXXX' ],
          'control: what was asked for');
is($asked->{requests}[0]{agent}, 'Atelier-Test/1.0', '... and by whom');

# Walls, and pages that are not what was meant.

$stack->reset_sandbox;
my %wall = (amazon => [ 200, qr/validateCaptcha/ ],
            flipkart => [ 403, qr/Flipkart reCAPTCHA/ ],
            ikea => [ 403, qr/Access Denied/ ],
            pepperfry => [ 403, qr/Access Denied/ ],
            urbanladder => [ 403, qr/Access Denied/ ]);
for my $shop (@shops) {
    $path = (sort map { $_->{path} } values %{ $all{$shop} })[7];
    $stack->control($shop => { mode => 'wall', times => 2 });
    for my $at ($path, sprintf $search{$shop}, 'sofa', 1) {
        $res = shop($shop, $at);
        is($res->{status}, $wall{$shop}[0], "$shop: a wall");
        has($res->{content}, $wall{$shop}[1], '... of its kind');
        lacks($res->{text}, qr/₹/, '... without a price');
    }
    is(shop($shop, $path)->{status}, 200, '... that ends');
    is($stack->counters($shop)->{byMode}{wall}, 2, '... and was counted');

    my %want = (gone => 410, missing => 404, soft404 => 200, home => 302,
                category => 301, moved => 301, offsite => 302, shell => 200);
    my ($k) = grep { $_->{path} eq $path } values %{ $all{$shop} };
    for my $fate (sort keys %want) {
        put_product($shop, $k->{id}, { page => $fate });
        is(shop($shop, $path)->{status}, $want{$fate}, "$shop: $fate");
    }
    put_product($shop, $k->{id}, { page => 'moved' });
    my $to = shop($shop, $path)->{headers}{location};
    is(get($to)->{status}, 200, "$shop: moved to where it is");
    put_product($shop, $k->{id}, { page => 'soft404', price => 12345 });
    has(shop($shop, $path)->{text}, qr/Page Not Found.*₹899!/s,
         '... not found, with a price');
    put_product($shop, $k->{id}, { page => 'cut', price => 12345, stock => 9 });
    $res = shop($shop, $path);
    lacks($res->{content}, qr{</html>}, '... cut');
    has($res->{content}, qr{<script[^>]*>(?:(?!</script>).)*\z}s,
         '... in a script');
    put_product($shop, $k->{id}, { page => 'bare', price => 12345, stock => 9 });
    lacks(shop($shop, $path)->{text}, qr/12,345|12345/, '... no price');
    has(shop($shop, $path)->{text}, qr/₹|Rs\./, '... but those of others');
}

# Old addresses lead to new ones.

my ($k) = grep { $_->{category} eq 'lamps' } values %{ $all{urbanladder} };
is(shop('urbanladder', "/products/x?sku=$k->{id}")->{headers}{location},
   "$base/shop/urbanladder$k->{path}", 'urbanladder: an address of before');
is(shop('pepperfry', '/product/no-such-thing-9999999.html')->{status}, 404,
   'pepperfry: none');

is(shop('amazon', '/sspa/click?url=%2Fx%2Fdp%2FB0XXXXXXXX')->{status}, 404,
   'amazon: nowhere to jump to');
for my $variant (qw(bare cut moved category)) {
    $stack->control(amazon => { mode => 'page', variant => $variant });
    is(shop('amazon', '/dp/B0XXXXXXXX?moved=1')->{status}, 404,
       "amazon: of nothing no page that is $variant");
}

# Class names that say nothing any more.

$stack->control(flipkart => { look => 2023, pace => 0 });
has(shop('flipkart', '/search?q=sofa')->{content}, qr/class="_30jeq3"/,
     'flipkart: class names of 2023');
for my $shop (@shops) {
    $stack->control($shop => { look => 9, pace => 0 });
    my ($some) = grep { $_->{stock} } @{ known($shop)->{products} };
    $text = shop($shop, $some->{path})->{text}
            . shop($shop, sprintf $search{$shop}, 'sofa', 1)->{text};
    lacks($text, qr/hZ3P6w|class="[^"]*\bpriceToPay[^"]*" data-a-size
                     |"vip-product-price-row"|"pip-price__integer" data
                     |"price-text"|plp-price__integer/x,
           "$shop: class names of next year");
    my $shown = lakh($some->{price});
    has($text, qr/(?:₹|Rs\.)\x{a0}?\Q$shown\E|>\Q$shown\E</,
         '... the price is there');
}

# Too many calls, and other ways of going wrong.

$stack->reset_sandbox;
$stack->control(ikea => { limit => 2, windowMs => 3_600_000 });
$path = "/in/en/search/?q=sofa";
is_deeply([ map { shop('ikea', $path)->{status} } 1 .. 3 ], [ 200, 200, 429 ],
          'so many calls and no more');
cmp_ok(shop('ikea', $path)->{headers}{'retry-after'}, '>', 3000,
       '... with Retry-After');
is($stack->counters('ikea')->{limited}, 2, '... are counted');
cmp_ok($stack->counters('ikea')->{minGapMs}, '>=', 0, '... and how far apart');
$stack->control(ikea => { mode => 'rate_limit', retryAfter => 30, times => 1 });
is(shop('ikea', $path)->{headers}{'retry-after'}, 30, 'told to wait');
$stack->control(ikea => { mode => 'truncated', on => 'product' });
is(shop('ikea', $path)->{status}, 200, 'product pages alone');
is(shop('ikea', (values %{ $all{ikea} })[0]{path})->{status}, 599,
   '... break off');
is($http->head("$base/shop/amazon/s?k=sofa")->{status}, 405, 'amazon: no HEAD');
is($http->head("$base/shop/pepperfry/")->{status}, 403, 'pepperfry: nor there');
is(get('/shop/nobody/x')->{status}, 404, 'no such shop');
$stack->control(groq => { mode => 'wall' });
is($http->post("$base/groq/v1/images/generations",
               { headers => { Authorization => 'Bearer sk-sandbox-me',
                              'Content-Type' => 'application/json' },
                 content => '{"prompt":"a room"}' })->{status}, 501,
   'walls are for shops');

# gzip, and pages that cost.

$stack->control(pepperfry => { pace => 0 });
$path = sprintf $search{pepperfry}, 'sofa', 1;
my $plain = shop('pepperfry', $path);
$res = shop('pepperfry', $path, 'Accept-Encoding' => 'gzip, br');
is($res->{headers}{'content-encoding'}, 'gzip', 'gzip for those who take it');
is(Compress::Zlib::memGunzip($res->{content}), $plain->{content},
   '... of the same page');
cmp_ok(length $res->{content}, '<', length($plain->{content}) / 2, '... less');
$stack->control(pepperfry => { mode => 'page', variant => 'bomb' });
$res = shop('pepperfry', $path);
cmp_ok(length $res->{content}, '<', 100_000, 'a bomb is small');
cmp_ok(length Compress::Zlib::memGunzip($res->{content}), '>', 64e6,
       '... until it is opened');
$stack->control(pepperfry => { mode => 'page', variant => 'attributes' });
is(scalar(() = shop('pepperfry', $path)->{content} =~ / a\d+/g), 60_000,
   'a tag of many attributes');
$stack->control(pepperfry => { mode => 'page', variant => 'deep' });
is(scalar(() = shop('pepperfry', $path)->{content} =~ /<div>/g), 300_000,
   'elements in elements');

# Pictures.

$stack->reset_sandbox;
for my $shop (@shops) {
    my ($some) = grep { $_->{stock} } @{ known($shop)->{products} };
    $text = shop($shop, $some->{path})->{text};
    my %urls = map { $_ => 1 }
               $text =~ m{(\Q$base\E/shop/$shop/[^"' ]+\.jpe?g)}gi;
    cmp_ok(scalar keys %urls, '>', 0, "$shop: pictures");
    my ($url) = sort keys %urls;
    $res = get($url);
    is($res->{headers}{'content-type'}, 'image/jpeg', '... JPEG');
    is(substr($res->{content}, 0, 2), "\xff\xd8", '... indeed');
    my $part = get($url, Range => 'bytes=0-99');
    is("$part->{status} " . length $part->{content}, '206 100', '... in part');
}
is($stack->counters('ikea')->{files}, 2, '... are counted');
is(shop('flipkart', '/image/9000/9000/xif0q/NONE-0-original.jpeg')->{status},
   404, '... no others');

$stack->finish;
done_testing();
