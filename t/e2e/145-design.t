# One design: from the snapshot that showed it, from PostgreSQL, from L1; and
# that a like keeps what was shown.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;

my $db = Postgres->new;
my $redis = PrivateRedis->new;

open my $in, '<', 'conf/visitor.conf' or die "conf/visitor.conf: $!";
my $maps = do { local $/; <$in> };

my %options = (redis => $redis->address, sources => [ 'pexels', 'flickr' ],
               http => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;\n"
                       . $maps);
my $stack = Stack->new(Feed::options(%options));

my $who = sprintf '%032x', 7;

sub press {
    my ($method, $id) = @_;
    return HTTP::Tiny->new(timeout => 60)->request(
        $method, $stack->url("/designs/$id/like"),
        { headers => { Cookie => "atelier_visitor=$who" } });
}

sub own {
    return Feed::get($stack, '/designs/likes',
                     Cookie => "atelier_visitor=$who")->{json}{results};
}

sub stored {
    return scalar $db->sql("SELECT count(*) FROM atelier.design
                            WHERE id = '$_[0]'");
}

# As a page has shown it.

my $page = Feed::get($stack, '/designs?query=sofa&perPage=40');
is($page->{status}, 200, 'a page');
my ($card, $other, $third) = @{ $page->{json}{results} };
my $path = "/designs/$card->{id}";

my $res = Feed::get($stack, $path);
is($res->{status}, 200, 'a design that it shows');
is_deeply($res->{json}, $card, '... is the same');
is($res->{cache}, 'L2', '... from its snapshot');
like($res->{headers}{etag}, qr/^"[0-9a-f]{32}"$/, '... with an ETag');
like($res->{headers}{'cache-control'},
     qr/^public, max-age=\d+, s-maxage=600, stale-while-revalidate=\d+/,
     '... for caches');
is($res->{headers}{'surrogate-key'}, "designs $card->{id}",
   '... which can purge it');
is($res->{headers}{'content-type'}, 'application/json', '... is JSON');
is($res->{headers}{'set-cookie'}, undef, '... and of nobody');

my $again = Feed::get($stack, $path);
is($again->{cache}, 'L1', 'then from memory');
is($again->{content}, $res->{content}, '... the same');
is(Feed::get($stack, "$path?x=1")->{cache}, 'L1', '... whatever parameters');
is(Feed::get($stack, $path, 'If-None-Match' => $res->{headers}{etag})
   ->{status}, 304, 'who knows it gets 304');
is(Feed::get($stack, $path, 'Accept-Encoding' => 'gzip')
   ->{headers}{'content-encoding'}, 'gzip', 'as gzip');
my $head = HTTP::Tiny->new->head($stack->url($path));
is($head->{status}, 200, 'HEAD');
is($head->{headers}{'content-length'}, length $res->{content}, '... its size');

# What there is not.

$res = Feed::get($stack, '/designs/flickr:none');
is("$res->{status} $res->{json}{code}", '404 not_found', 'an unknown one');
is($res->{headers}{'cache-control'}, 'no-store', '... is not kept');
is($res->{headers}{'content-type'}, 'application/problem+json',
   '... is a problem');
for my $id ('none', 'nobody:1', 'pexels:', 'pexels:%C3%A9',
            'pexels:' . 'x' x 81) {
    $res = Feed::get($stack, "/designs/$id");
    is("$res->{status} $res->{json}{code}", '400 invalid_id', "\"$id\"");
}
is(HTTP::Tiny->new->post($stack->url($path))->{status}, 405, 'POST');
is(Feed::get($stack, '/designs/')->{status}, 404, 'no id');

# A like keeps what was shown.

is(stored($other->{id}), 0, 'a design that is not stored');
is(press(PUT => $other->{id})->{status}, 200, '... is liked');
is(stored($other->{id}), 1, '... and stored with it');
is(own()->[0]{design}{title}, $other->{title}, '... and in the list');
$res = Feed::get($stack, "/designs/$other->{id}");
is($res->{cache}, 'MISS', 'a single one comes from PostgreSQL');
is($res->{json}{likes}, 1, '... with its likes');
is($res->{json}{thumb}, $other->{thumb}, '... and all else');
is(press(PUT => 'flickr:unseen')->{status}, 200, 'one that nobody has shown');
is(own()->[0]{design}, undef, '... is liked without');

# What is stored stays as it is.

$db->sql(qq{UPDATE atelier.design
            SET data = data || '{"title":"Stored"}'
            WHERE id = '$other->{id}'});
press(DELETE => $other->{id});
press(PUT => $other->{id});
is(own()->[0]{design}{title}, 'Stored', 'what is stored stays');

# What PostgreSQL would not store does not stand in the way of a like.

my $at = "atelier:snap:" . $redis->ask('GET', "atelier:at:$third->{id}");
for my $bad ('{"id":"flickr:another"}', '{"id":', '{"id":"x\u0000"}') {
    $redis->ask('HSET', "$at:items", $third->{id}, $bad);
    is(press(PUT => $third->{id})->{status}, 200, "liked, but not $bad");
    is(stored($third->{id}), 0, '... which is not stored');
}

# One of the two is away.

$redis->kill;
Stack::until_true('Redis is away', sub {
    return $stack->metric('atelier_redis_up') == 0;
});
is(press(PUT => 'flickr:alone')->{status}, 200, 'without Redis, a like');
$db->sql(qq{INSERT INTO atelier.design (id, data)
            VALUES ('flickr:1', '{"id": "flickr:1", "title": "One"}')});
is(Feed::get($stack, '/designs/flickr:1')->{json}{title}, 'One',
   '... and what is stored');
$res = Feed::get($stack, '/designs/flickr:2');
is("$res->{status} $res->{json}{code}", '503 design_unavailable',
   '... but nobody knows of others');
ok($res->{headers}{'retry-after'}, '... just now');
$redis->start;

$stack->configure(Feed::options(%options, designs => 'fresh=1s'));
$stack->reload;
Stack::until_true('Redis is back', sub {
    return $stack->metric('atelier_redis_up') == 1;
});
$db->sql(q{INSERT INTO atelier.design (id, data)
           VALUES ('flickr:8', '{"id": "flickr:8", "title": "Eight"}')});
is(Feed::get($stack, '/designs/flickr:8')->{status}, 200, 'it is back');
$page = Feed::get($stack, '/designs?query=couch&perPage=40');
my $new = $page->{json}{results}[0]{id};
$db->stop;
is(Feed::get($stack, "/designs/$new")->{cache}, 'L2',
   'without PostgreSQL, what a page shows');
$res = Feed::get($stack, '/designs/flickr:3');
is("$res->{status} $res->{json}{code}", '503 design_unavailable',
   '... but nobody knows of others');
Stack::until_true('an old page is shown for want of a new one', sub {
    return Feed::get($stack, '/designs/flickr:8')->{cache} eq 'STALE';
});
$db->start;
Stack::until_true('which comes in time', sub {
    return Feed::get($stack, '/designs/flickr:8')->{cache} =~ /MISS|L1/;
});

$stack->finish;
done_testing();
