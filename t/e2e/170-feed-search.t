# The last resort: no source can be asked, nothing is cached, and PostgreSQL
# has designs that fit.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new;
my $stack = Stack->new(workers => 1, Feed::options(
    sources => ['flickr', 'wikimedia'],
    http    => 'atelier_postgres "' . $db->conninfo . '" timeout=20s;'));

sub design {
    my ($id, $title, $width, $height) = @_;
    my ($source) = split /:/, $id;
    my $data = qq("id":"$id","source":"$source","title":"$title",)
               . qq("width":$width,"height":$height,"score":10);
    $db->sql("INSERT INTO atelier.design (id, data)"
             . " VALUES ('$id', '{$data}')");
    return;
}

design('flickr:1', 'A green sofa', 1600, 900);
design('flickr:2', 'Sofas by the window', 900, 1600);
design('wikimedia:3', 'DSC 0042', 1600, 900);
design('wikimedia:4', 'A lamp', 1600, 900);
design('pexels:5', 'Another sofa', 1600, 900);
design('pixabay:6', 'A sofa whose links have ended', 1600, 900);
$db->sql("UPDATE atelier.design SET seen_at = now() - interval '25 hours'"
         . " WHERE id IN ('pixabay:6', 'flickr:1')");
design('pixabay:7', 'A sofa seen today', 1600, 900);
$db->sql("INSERT INTO atelier.design_query (query, design_id)"
         . " VALUES ('red sofa', 'wikimedia:3')");

$stack->control($_ => { mode => 'status', status => 500 })
    for qw(flickr wikimedia);
Stack::until_true('PostgreSQL', sub {
    return Feed::get($stack, '/designs?query=sofa')->{status} == 200;
});

my $res = Feed::get($stack, '/designs?query=sofa');
is($res->{status}, 200, 'designs that were stored are an answer');
is($res->{cache}, 'STALE', '... which is not fresh');
is($res->{json}{snapshot}, undef, '... of no snapshot');
is(join(' ', sort(Feed::ids($res))),
   'flickr:1 flickr:2 pexels:5 pixabay:7 wikimedia:3',
   '... found by their words and by queries that found them');
is($res->{json}{results}[0]{likes}, 0, '... with likes');
like($res->{headers}{'cache-control'}, qr/s-maxage=5,/,
     '... and kept for a moment only');

$res = Feed::get($stack, '/designs?query=sofa&source=wikimedia');
is(join(' ', Feed::ids($res)), 'wikimedia:3', 'of one source');
$res = Feed::get($stack, '/designs?query=sofa&orientation=portrait');
is(join(' ', Feed::ids($res)), 'flickr:2', 'of one orientation');

$res = Feed::get($stack, '/designs?query=sofa&perPage=3');
ok($res->{json}{hasNext}, 'there is a next page');
my $next = Feed::get($stack, $res->{json}{next});
my %seen = map { $_ => 1 } Feed::ids($res), Feed::ids($next);
is(scalar keys %seen, 5, '... with the rest');
ok(!$next->{json}{hasNext}, '... which is the last one');

is(Feed::get($stack, '/designs?query=carpet')->{status}, 503,
   'nothing that fits is no answer');
$db->stop;
is(Feed::get($stack, '/designs?query=sofa&perPage=7')->{status}, 503,
   'nor is a database that is away');

$stack->finish;
done_testing();
