# Categories of shops, and a shop that is but a file: from its recipe to
# /products.

use strict;
use warnings;
use lib 't/helper';
use JSON::PP ();
use Shops;
use Test::More;

# The pages of a sixth shop, which nginx serves.

my $nest = <<'END';
    location = /nest/find {
        default_type text/html;
        return 200 '<html><head><title>Nest</title></head><body>
<div class="item" data-sku="1001"><a href="/nest/p/oak-stool-1001">
<h3>Oak stool</h3></a><b class="cost">Rs. 1,499</b>
<img src="/nest/i/1001.gif"></div>
<div class="item" data-sku="1002"><a href="/nest/p/reed-stool-1002">
<h3>Reed stool</h3></a><b class="cost">Rs. 999</b>
<img src="/nest/i/1002.gif"></div></body></html>';
    }
    location = /nest/p/oak-stool-1001 {
        default_type text/html;
        return 200 '<html><head><title>Oak stool</title></head><body>
<h1>Oak stool</h1><b class="cost">Rs. 1,499</b><p class="left">In stock</p>
<img class="large" src="/nest/i/1001.gif"></body></html>';
    }
    location = /nest/p/reed-stool-1002 {
        default_type text/html;
        return 200 '<html><head><title>Nothing here</title></head><body>
<h1>Oh dear, that is gone</h1></body></html>';
    }
    location /nest/i/ { default_type image/gif; return 200 'GIF89a'; }
END

my $shops = Shops->new(only => [qw(flipkart ikea pepperfry)], stack => sub {
    my %reads = Shops::readers(@_);
    return (%reads, server => $nest . $reads{server});
});
my ($stack, $db, $redis, $dir) = @{$shops}{qw(stack db redis dir)};
my $here = $stack->{port};
my %settings = (fetch => {
    allow_address => [ "127.0.0.1:$shops->{port}", "127.0.0.1:$here" ] });

sub until_true { return Worker::until_true(@_) }

# What a shop was asked for since the last time, but for robots.txt.
my %last;

sub asked {
    my ($shop) = @_;
    my $all = $shops->ask("$shop/requests?since=" . ($last{$shop} // 0));
    $last{$shop} = $all->{last};
    return join ' ', sort grep { !/robots/ } map { $_->{target} }
           @{ $all->{requests} };
}

sub in_category {
    my ($category) = @_;
    my %n = map { split /\|/ } $db->sql(
        "SELECT retailer, count(*) FROM atelier.product
         WHERE category = '$category' GROUP BY retailer");
    return \%n;
}

# A category is a page of those that have one, and words to the others.

$stack->control($_ => { pace => 0 }) for qw(flipkart ikea pepperfry);
$shops->recipe(ikea => sub { $_[0]{categories}{beds} = 'nothing-xx000' });
my $worker = $shops->worker(%settings);
$shops->listens;

sub products {
    my ($args) = @_;
    my ($status, $json) = $shops->products($args);
    die "$args: $status" if $status != 200;
    return $json;
}

my $page = products('category=Sofas&facets=retailer,category&perPage=200');
is_deeply([ sort map { $_->{value} } @{ $page->{facets}{retailer} } ],
          [qw(flipkart ikea pepperfry)],
          'a category nobody has asked for before, of three shops');
is(asked('pepperfry'), '/category/sofas.html?page=1', 'a page of a category');
is(asked('ikea'), '/in/en/cat/sofas-fu003/?page=1', '... by its own name');
is(asked('flipkart'), '/search?q=Sofas&page=1', '... and words for the other');
my %kind = map { ("ikea:$_->{id}" => $_->{category}) }
           @{ $shops->ask('ikea/products')->{products} };
is(scalar(grep { $_->{retailer} eq 'ikea' && $kind{ $_->{id} } ne 'sofas' }
          @{ $page->{results} }), 0, 'all of them are of that category');

# Its further pages, and one with words, which the page does not know.

$shops->job(category => 'sofas', page => 2);
$shops->job(query => 'grey', category => 'sofas');
$shops->done;
is(asked('pepperfry'), '/category/sofas.html?page=2'
   . ' /site_product/search?q=grey sofas&as=0&p=1', 'a second page, and words');
asked($_) for qw(flipkart ikea);

# A page that is none any more is searched for by words.

$shops->job(category => 'beds');
$shops->done;
is(asked('ikea'), '/in/en/cat/nothing-xx000/?page=1'
   . ' /in/en/search/?q=beds&page=1', 'a lost page: by words');
cmp_ok(in_category('beds')->{ikea}, '>', 5, '... which find something');
my ($lost) = $worker->events('category.lost');
is("$lost->{shop} $lost->{category}", 'ikea beds', '... and the log tells it');
is($worker->metric('atelier_shop_searches_total{result="failed"}'), 0,
   'no search has failed');

# A sixth shop is a file, read by HUP; what it has is proved and found.

my $binary = Worker::binary('shop');
Stack::spew("$dir/nest.json", <<"END");
{
    "name": "nest", "hosts": ["nest.localhost"],
    "currency": "INR", "decimal": ".",
    "urls": { "search": "http://nest.localhost:$here/nest/find?q={query}" },
    "id": { "urls": ["-{id}"], "chars": "0-9", "min": 4, "max": 4 },
    "layers": ["selectors"],
    "product": { "title": "h1", "price": ".cost", "stock": ".left",
                 "image": "img.large\@src" },
    "list": { "cards": ".item", "fields": {
        "id": "[data-sku]\@data-sku", "title": "h3", "price": ".cost",
        "image": "img\@src", "url": "a\@href" } },
    "stock": { "in": ["in stock"] },
    "marks": { "missing": ["Oh dear"] },
    "rates": { "gapMs": 100 }
}
END
like(`$binary check $dir/nest.json 2>&1`, qr/nest/, 'a sixth recipe');
is($? >> 8, 0, '... is right');
my $path = ":$here/nest/p/oak-stool-1001";
Stack::spew("$dir/page.html",
            $stack->http->get("http://127.0.0.1$path")->{content});
my @check = ($binary, 'check', '-u', "http://nest.localhost$path",
             "$dir/nest.json", "$dir/page.html");
like(`@check 2>&1`, qr/^  price\s+1499\.00\n\s+selectors/m,
     '... and finds what is there');
$worker->signal('TERM');
$worker->ended;
$worker = $shops->worker(%settings, verify => { parallel => 2 });
$page = products('query=stool&retailer=nest');
is(join(' ', map { $_->{id} } @{ $page->{results} }), 'nest:1001 nest:1002',
   'its products are found by /products');
is_deeply([ @{ $page->{results}[0] }{qw(title price productUrl image)} ],
          [ 'Oak stool', '1499.00',
            "http://nest.localhost:$here/nest/p/oak-stool-1001",
            "http://nest.localhost:$here/nest/i/1001.gif" ], '... as it says');
until_true('both proofs', sub { 2 == $db->sql(
    "SELECT count(*) FROM atelier.product_proof
     WHERE product_id LIKE 'nest:%' AND state IS NOT NULL") });
is(join(' ', $db->sql("SELECT state FROM atelier.product_proof WHERE product_id
                       LIKE 'nest:%' ORDER BY product_id")),
   'verified soft 404', '... and proved, or not');
is(products('query=stool&retailer=nest&verified=1')->{total}, 1,
   '... as /products knows');
$worker->signal('TERM');
is($worker->ended, 0, 'it ends');

$shops->finish;
done_testing();
