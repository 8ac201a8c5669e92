# Products that are not there: PostgreSQL is asked once in a while, by whatever
# worker and for whatever page of them; one that appears is shown soon, and
# names that nobody has push out no page.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new;
sub see {
    my ($id) = @_;
    $db->sql(qq{SELECT count(*) FROM atelier.products_see('[{"id":"$id",
        "title":"A sofa","url":"https://x.in/1","price":100}]')});
    return;
}
see('ikea:1');

sub node {
    my ($fresh) = @_;
    my $node = Stack->new(workers => 2, http => <<"END", server => <<"END2");
    atelier_cache pages 1m;
    atelier_postgres '@{[ $db->conninfo ]}' timeout=30s;
END
    location /products { atelier_products fresh=$fresh wait=0; }
END2
    Stack::until_true('PostgreSQL', sub {
        return Feed::get($node, '/health/ready')->{content}
               =~ /"postgres":"ok"/;
    }) for 1 .. 2;
    return $node;
}
my $node = node('1h');

sub get { return Feed::get($node, @_) }
sub says {
    my $res = get(@_);
    return "$res->{status} " . ($res->{headers}{'x-cache'} // '-');
}
sub missing {
    return $node->metric(qq(atelier_products_missing_total{status="$_[0]"}));
}

# So often that the statements of another moment do not matter.

my %from;
$from{ says('/products/ikea:404') }++ for 1 .. 40;
is(join(',', sort keys %from), '404 L1,404 MISS', 'not there');
cmp_ok($from{'404 MISS'}, '<', 20, '... is asked of PostgreSQL but sometimes');
is(missing('MISS'), $from{'404 MISS'}, '... as metrics say');
is(missing('L1'), $from{'404 L1'}, '... which count both');
my $res = get('/products/ikea:404');
is("$res->{json}{code} $res->{headers}{'cache-control'}",
   'not_found no-store', 'it is a problem, and kept by nobody else');
%from = ();
for my $days (1 .. 40) {
    $from{ says("/products/ikea:404/history?days=$days") }++;
}
cmp_ok($from{'404 MISS'} // 0, '<', 20, 'its histories are not there, either');

# What appears is shown.

get('/products/ikea:404');
see('ikea:404');
Stack::until_true('the product', sub {
    return get('/products/ikea:404')->{status} == 200 });
pass('what appears is shown, though pages are fresh for an hour');
is(get('/products/ikea:404/history')->{status}, 200, '... its history, too');

# Names that nobody has leave pages alone.

is(says('/products/ikea:1'), '200 MISS', 'a page');
my ($pages, $bytes) = map { $node->metric("atelier_cache_$_") }
                      qw(pages bytes);
get("/products/ikea:n$_") for 1 .. 3000;
is($node->metric('atelier_cache_pages'), $pages, '3000 names: no page more');
is($node->metric('atelier_cache_evicted_total'), 0, '... or less');
is($node->metric('atelier_cache_bytes'), $bytes, '... nor larger');
is(says('/products/ikea:1'), '200 L1', '... it is still there');
is((map { s/ .*//r } says('/products/ikea:1x'))[0], 404, 'the next is none');

# Not known is not to be none.

$db->stop('QUIT');
Stack::until_true('PostgreSQL to be away', sub {
    return get('/products/ikea:new')->{status} == 503 });
$db->start;
Stack::until_true('PostgreSQL', sub {
    return get('/products/ikea:new')->{status} == 404 });
pass('without PostgreSQL nothing is said to be none');
$node->finish;

done_testing();
