# The recipes of the real shops read the sandbox's: every field of products
# and lists, and no price from what is no page.

use strict;
use warnings;
use utf8;
use lib 't/helper';
use File::Temp ();
use IO::Socket::INET ();
use JSON::PP ();
use Stack;
use Test::More;

my $stack = Stack->new;
my ($port) = $stack->{sandbox} =~ /:(\d+)$/;
my $dir = File::Temp->newdir;
my $check = $ENV{ATELIER_SHOP}
    or die "ATELIER_SHOP must name the binary of atelier-shop\n";

my %host = (amazon => 'www.amazon.in', flipkart => 'www.flipkart.com',
            ikea => 'www.ikea.com', pepperfry => 'www.pepperfry.com',
            urbanladder => 'www.urbanladder.com');
my %search = (amazon => '/s?k=sofa', flipkart => '/search?q=sofa',
              ikea => '/in/en/search/?q=sofa',
              pepperfry => '/site_product/search?q=sofa&as=0&p=1',
              urbanladder => '/products/?q=sofa');

# As the real host would answer, its own addresses in the page.
sub page {
    my ($shop, $path) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";
    print {$s} "GET $path HTTP/1.1\r\nHost: $host{$shop}\r\n",
               "Connection: close\r\n\r\n";
    local $/;
    my (undef, $body) = split /\r\n\r\n/, <$s>, 2;
    return $body;
}

# What the recipe finds: a state, and a product or several.
sub found {
    my ($shop, $kind, $path) = @_;
    open my $out, '>', "$dir/page.html" or die $!;
    print {$out} page($shop, $path);
    close $out;
    open my $in, '-|', $check, 'check', $kind, '-u',
        "http://$host{$shop}$path", "conf/retailers/$shop.json",
        "$dir/page.html" or die $!;
    binmode $in, ':utf8';
    my ($state, @all) = ('none');
    while (<$in>) {
        $state = $1 if /^state ([^:\n]+)/;
        push @all, {} if /^product/;
        $all[-1]{$1} = $2
            if @all && /^  (id|title|price|mrp|stock) +(.*)$/;
    }
    close $in;
    return ($state, @all);
}

sub known {
    my ($shop) = @_;
    my $res = $stack->http->get("$stack->{sandbox}/_control/$shop/products");
    return @{ JSON::PP::decode_json($res->{content})->{products} };
}

for my $shop (sort keys %host) {
    $stack->control($shop => { pace => 0 });
    my @all = known($shop);
    my %all = map { $_->{id} => $_ } @all;
    my (@bad, %right);

    my @some = map { $all[$_ * 7] } 0 .. 67;
    for my $k (@some) {
        my ($state, $p) = found($shop, '-p', $k->{path});
        my $no = $shop eq 'amazon' && !$k->{stock};
        my $mrp = !$no && $k->{mrp} && $k->{mrp} > $k->{price} ? $k->{mrp}
                                                              : '-';
        my %want = (id => $k->{id}, title => $k->{title} =~ s/  +/ /gr,
                    price => $no ? '-' : $k->{price}, mrp => $mrp,
                    stock => $k->{stock} ? 'in' : 'out');
        for my $field (sort keys %want) {
            my $is = $p->{$field} // 'none';
            $right{$field}++ if $is eq $want{$field};
            push @bad, "$k->{path}: $field $is instead of $want{$field}"
                if $is ne $want{$field} && $field eq 'price' && $is ne '-';
        }
    }
    is_deeply(\@bad, [], "$shop: no wrong price");
    my $least = 0.98 * @some;
    for my $field (qw(id title price stock),
                   $shop eq 'ikea' ? () : 'mrp')       # has no list prices
    {
        cmp_ok($right{$field} // 0, '>=', $least, "... $field is right");
    }

    my ($state, @cards) = found($shop, '-l', $search{$shop});
    is($state, 'page', "$shop: a list");
    cmp_ok(scalar @cards, '>=', 24, '... of products');
    is_deeply([ grep { $_->{price} ne '-'
                       && $_->{price} ne $all{ $_->{id} }{price} } @cards ],
              [], '... no wrong price');
    cmp_ok(scalar(grep { $_->{price} ne '-' } @cards), '>', @cards * 0.7,
           '... most have one');

    my ($k) = grep { $_->{stock} } @all;
    for my $fault (qw(wall:captcha wall:denied wall:human wall:portal
                      wall:overload page:soft404 page:gone page:missing
                      page:shell page:bare))
    {
        my ($mode, $variant) = split /:/, $fault;
        $stack->control($shop => { mode => $mode, variant => $variant,
                                   pace => 0 });
        my ($is, $p) = found($shop, '-p', $k->{path});
        my $price = $p->{price} // '-';
        is($price, '-', "$shop: no price from $variant ($is)");
        isnt($is, 'page', '... which is no page')
            if $variant ne 'bare';
    }
}

# Next year's names of classes: prices are found by what stays, or not at all.

for my $shop (sort keys %host) {
    $stack->control($shop => { pace => 0, look => 77 });
    my @all = known($shop);
    my %all = map { $_->{id} => $_ } @all;
    my ($state, @cards) = found($shop, '-l', $search{$shop});
    is_deeply([ grep { $_->{price} ne '-'
                       && $_->{price} ne $all{ $_->{id} }{price} } @cards ],
              [], "$shop, another look: no wrong price");
    is_deeply([ grep { $_->{mrp} ne '-' && $shop ne 'ikea'
                       && $_->{mrp} ne $all{ $_->{id} }{mrp} } @cards ],
              [], '... no wrong list price');
    cmp_ok(scalar(grep { $_->{price} ne '-' } @cards), '>', @cards * 0.7,
           '... of a list most have one');
    my @some = grep { $_->{stock} } map { $all[$_ * 19] } 0 .. 24;
    my @prices;
    for my $k (@some) {
        my (undef, $p) = found($shop, '-p', $k->{path});
        push @prices, $p->{price} // '-';
    }
    is(scalar(grep { $prices[$_] ne '-'
                     && $prices[$_] ne $some[$_]{price} } 0 .. $#some), 0,
       '... no wrong price of a product');
    cmp_ok(scalar(grep { $_ ne '-' } @prices), '>=', 0.98 * @some,
           '... which have one');
}

# A page is asked for at a public address, or at one that is let in.

system('scripts/sandbox-recipes', "$dir", $port, 100) == 0
    or die 'scripts/sandbox-recipes failed';
my ($one) = known('ikea');
my $url = "http://ikea.localhost:$port$one->{path}";
for (['', 1, qr/not public/], ["-a 127.0.0.1:$port", 0, qr/^state page/m],
     ['-a rug', 1, qr/-a rug: /]) {
    my ($allow, $rc, $says) = @$_;
    like(`$check check -p $allow $dir/ikea.json $url 2>&1`, $says,
         "check of a URL, $allow");
    is($? >> 8, $rc, '... and its exit status');
}

$stack->finish;
done_testing();
