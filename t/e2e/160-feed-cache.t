# What is kept of a feed, and who fetches it: one fill for all readers and all
# workers, which outlives them; conditional and compressed answers; stale ones
# while sources are away.

use strict;
use warnings;
use lib 't/helper';
use Compress::Zlib ();
use Feed;
use IO::Socket::UNIX ();
use PrivateRedis;
use Stack;
use Test::More;

my $redis = PrivateRedis->new;
my $stack = Stack->new(workers => 2,
                       Feed::options(redis => $redis->address));

sub until_redis {
    my ($n) = @_;
    Stack::until_true("$n links to Redis", sub {
        my $sum = 0;
        $sum += $stack->metric("atelier_redis_connections{use=\"$_\"}") // 0
            for qw(commands subscriptions);
        return $sum == $n;
    });
    return;
}

sub count {
    my ($what, $of) = @_;
    return scalar grep { /$what/ } @$of;
}

until_redis(4);

# Many readers of one cold page, on both workers: one call to each source.

$stack->control($_ => { latencyMs => 200 }) for @Feed::SOURCES;
my @answers = Feed::burst($stack, '/designs?query=sofa&perPage=20', 300);
is(count(qr{^HTTP/1.1 200 }, \@answers), 300, '300 cold readers are answered');
is(Feed::calls($stack), join(' ', (1) x 7), '... by one call to each source');
my %bodies = map { (split /\r\n\r\n/, $_, 2)[1] => 1 } @answers;
is(scalar keys %bodies, 1, '... all the same');

# The same without Redis.

$redis->kill;
until_redis(0);
@answers = Feed::burst($stack, '/designs?query=couch&perPage=20', 300);
is(count(qr{^HTTP/1.1 200 }, \@answers), 300, 'without Redis, too');
is(Feed::calls($stack), join(' ', (2) x 7), '... by one call to each source');
$redis->start;
until_redis(4);

# A reader who leaves does not end the fill; the next one finds the page.

$stack->reset_sandbox;
$stack->control($_ => { latencyMs => 300 }) for @Feed::SOURCES;
my $socket = Feed::connection($stack);
print {$socket} "GET /designs?query=gone&perPage=20 HTTP/1.0\r\n\r\n";
ok($stack->wait_for('pexels', 'inFlight>=1'), 'a reader came');
close $socket;
ok($stack->wait_for('pexels', 'ok>=1,inFlight==0'),
   '... and left, and the call went on');
Stack::until_true('the snapshot', sub {
    return Feed::get($stack, '/designs?query=gone&perPage=20')->{status} == 200;
});
is(Feed::calls($stack), join(' ', (1) x 7), '... and was the only one');

# A fill outlives its client, too, whoever that was.

$stack->reset_sandbox;
$stack->control($_ => { latencyMs => 300 }) for @Feed::SOURCES;
$socket = IO::Socket::UNIX->new(Peer => "$stack->{home}/egress.sock")
    or die "connect: $!";
$socket->autoflush(1);
print {$socket} "POST /fill?query=orphan&perPage=20 HTTP/1.0\r\n\r\n";
ok($stack->wait_for('pexels', 'inFlight>=1'), 'a fill began');
close $socket;
ok($stack->wait_for('pexels', 'ok>=1,inFlight==0'), '... and went on alone');
is(Feed::get($stack, '/designs?query=orphan&perPage=20')->{status}, 200,
   '... to its end');
is(Feed::calls($stack), join(' ', (1) x 7), '... without a further call');

# The worker that fills is killed: another takes the lease and fills anew.

$stack->reset_sandbox;
$stack->control($_ => { latencyMs => 1000 }) for @Feed::SOURCES;
my %before = map { $_ => 1 } $stack->workers;
my @readers = map { Feed::connection($stack) } 1 .. 20;
print {$_} "GET /designs?query=killed&perPage=20 HTTP/1.0\r\n\r\n"
    for @readers;
ok($stack->wait_for('pexels', 'inFlight>=1'), 'a fill is under way');
my $filler = filler();
ok($filler, '... by a worker that can be found');
kill KILL => $filler;
my $res = Feed::get($stack, '/designs?query=killed&perPage=20');
is($res->{status}, 200, '... and killed: a new reader is answered');
my @got = grep { /^HTTP/ } map { local $/; readline($_) // '' } @readers;
is(count(qr{^HTTP/1.1 200 }, \@got), scalar @got,
   '... as are those whose worker lives');
is(scalar(grep { $_ > 2 } split ' ', Feed::calls($stack)), 0,
   '... by one more call to each source');

sub filler {
    for my $pid (keys %before) {
        my $text = join '', map { readlink($_) // '' } glob "/proc/$pid/fd/*";
        my %inode = map { $_ => 1 } $text =~ /socket:\[(\d+)\]/g;
        my ($port) = $stack->{sandbox} =~ /:(\d+)$/;
        my $hex = sprintf '%04X', $port;
        for (split /\n/, Stack::slurp('/proc/net/tcp')) {
            my @f = split;
            return $pid if $f[2] =~ /:$hex$/ && $f[3] eq '01' && $inode{$f[9]};
        }
    }
    return;
}

$stack->reset_sandbox;
Stack::until_true('a new worker', sub { scalar($stack->workers) == 2 });
until_redis(4);

# Conditional and compressed.

my $path = '/designs?query=rug&perPage=20';
my $plain = Feed::get($stack, $path);
is($plain->{cache}, 'MISS', 'a cold page');
$res = Feed::get($stack, $path);
is($res->{cache}, 'L1', '... is in L1 afterwards');
is($res->{content}, $plain->{content}, '... unchanged');
is($res->{headers}{etag}, $plain->{headers}{etag}, '... with its ETag');
like($res->{headers}{age}, qr/^\d+$/, '... and an Age');
is($res->{headers}{vary}, 'Accept-Encoding', '... and Vary');
like($res->{headers}{'cache-control'},
     qr/^public,\ max-age=300,\ s-maxage=600,
        \ stale-while-revalidate=3600,\ stale-if-error=3600$/x,
     '... and Cache-Control');
like($res->{headers}{'surrogate-key'}, qr/^designs feed-[0-9a-f]{32}$/,
     '... and Surrogate-Key');

my $gzip = Feed::get($stack, $path, 'Accept-Encoding' => 'br, gzip;q=0.5');
is($gzip->{headers}{'content-encoding'}, 'gzip', 'gzip for who takes it');
is(Compress::Zlib::memGunzip($gzip->{content}), $plain->{content},
   '... of the same');
isnt($gzip->{headers}{etag}, $plain->{headers}{etag},
     '... with an ETag of its own');
is(Feed::get($stack, $path, 'Accept-Encoding' => 'gzip;q=0')
   ->{headers}{'content-encoding'}, undef, '... and not for who refuses it');

for my $etag ($plain->{headers}{etag}, "\"x\", $plain->{headers}{etag}", '*') {
    $res = Feed::get($stack, $path, 'If-None-Match' => $etag);
    is($res->{status}, 304, "304 for $etag");
    is($res->{content} // '', '', '... without a body');
    is($res->{headers}{etag}, $plain->{headers}{etag}, '... with the ETag');
}
is(Feed::get($stack, $path, 'If-None-Match' => $gzip->{headers}{etag},
             'Accept-Encoding' => 'gzip')->{status}, 304,
   '304 for the compressed one');
is(Feed::get($stack, $path, 'If-None-Match' => $gzip->{headers}{etag})
   ->{status}, 200, '... for who takes it only');
is(Feed::get($stack, $path, 'If-None-Match' => '"other"')->{status}, 200,
   '200 for another ETag');

$res = $stack->http->head($stack->url($path));
is($res->{status}, 200, 'HEAD');
is($res->{headers}{'content-length'}, length $plain->{content},
   '... has the length');

# Stale: answered at once, and refreshed behind the reader's back.

$stack->configure(Feed::options(redis => $redis->address,
                                designs => 'fresh=1s stale=1h'));
$stack->reload;
until_redis(4);
$path = '/designs?query=stale&perPage=20';
my $first = Feed::get($stack, $path);
is($first->{status}, 200, 'fresh for a second');
$res = Stack::until_true('a stale answer', sub {
    my $res = Feed::get($stack, $path);
    return $res->{cache} eq 'STALE' ? $res : undef;
});
is($res->{status}, 200, 'a stale answer is an answer');
is($res->{json}{snapshot}, $first->{json}{snapshot}, '... of the old snapshot');
$res = Stack::until_true('another snapshot', sub {
    my $res = Feed::get($stack, $path);
    return $res->{json}{snapshot} ne $first->{json}{snapshot} ? $res : undef;
});
is($res->{status}, 200, '... which is followed by another');
is(join(' ', Feed::ids(Feed::get($stack, "$path&page=2&snapshot="
                                         . $first->{json}{snapshot}))),
   join(' ', Feed::ids(Feed::get($stack, $first->{json}{next}))),
   '... while the old one goes on');

# One that Redis has is no younger for being made into a page just now.

my $per = 21;
$res = Stack::until_true('a stale answer of Redis', sub {
    my $res = Feed::get($stack, '/designs?query=stale&perPage=' . $per++);
    return $res->{cache} eq 'STALE' ? $res : undef;
});
cmp_ok($res->{headers}{age}, '>=', 1, 'a stale answer has the Age of one');

# All sources down: stale for an hour.

$stack->control($_ => { mode => 'status', status => 500 }) for @Feed::SOURCES;
$res = Stack::until_true('a fill that fails', sub {

    # what is kept of Pixabay would do for a new snapshot

    my $kept = $redis->ask('KEYS', 'atelier:raw:*');
    $redis->ask('DEL', @$kept) if @$kept;
    my $res = Feed::get($stack, $path);
    return $stack->counters('pixabay')->{byMode}{status}
           && $res->{cache} eq 'STALE' ? $res : undef;
});
is($res->{status}, 200, 'all sources down: still an answer');
my $now = $res->{json}{snapshot};
$res = Feed::get($stack, $path);
is($res->{cache}, 'STALE', '... a stale one');
is($res->{json}{snapshot}, $now, '... of what there was');
$res = Feed::get($stack, '/designs?query=neverseen');
is($res->{status}, 503, 'nothing was there: 503');
is($res->{json}{code}, 'sources_unavailable', '... with its code');
ok($res->{headers}{'retry-after'} >= 1, '... and Retry-After');
is($res->{headers}{'cache-control'}, 'no-store', '... and is not stored');

# What one node has made serves the others, which here is a new zone: as it is
# while it is fresh, and not any more after an invalidation.

$stack->reset_sandbox;
my %options = Feed::options(redis => $redis->address);
$stack->configure(%options);
$stack->reload;
until_redis(4);
$path = '/designs?query=made&perPage=20';
$res = Feed::get($stack, $path);
is($res->{status}, 200, 'a page');
my @paths = ($path, $res->{json}{next});
my @made = ($res, Feed::get($stack, $paths[1]));
is(Feed::get($stack, $path)->{cache}, 'L1', '... in memory');
$redis->ask('HSET', 'atelier:likes', $_, 7) for map { Feed::ids($_) } @made;
for my $zone (qw(two three)) {
    $options{http} =~ s/atelier_cache \w+/atelier_cache $zone/;
    $stack->configure(%options);
    $stack->reload;
    until_redis(4);
    for my $i (0 .. 1) {
        $res = Feed::get($stack, $paths[$i]);
        is($res->{cache}, 'L2', "zone $zone, page " . ($i + 1) . ': from L2');
        if ($zone eq 'two') {
            is($res->{content}, $made[$i]{content}, '... as it was made');
            is($res->{headers}{link}, $made[$i]{headers}{link},
               '... with its link');
            is($res->{headers}{'surrogate-key'},
               $made[$i]{headers}{'surrogate-key'}, '... and its key');
            like($res->{headers}{age}, qr/^\d+$/, '... and its age');
            is(Feed::get($stack, $paths[$i],
                         'Accept-Encoding' => 'gzip')->{cache},
               'L1', '... and is in memory then');
        } else {
            is($res->{json}{results}[0]{likes}, 7, '... made anew after an invalidation');
        }
    }
    my $n = $redis->ask('INCR', 'atelier:generation');
    $redis->ask('XADD', 'atelier:invalidations', "$n-0", generation => $n,
                pattern => 'q=another;*');
}

# Pixabay's answers are kept for a day, whatever becomes of the snapshot.

$stack->reset_sandbox;
$stack->configure(Feed::options(redis => $redis->address,
                                sources => ['pixabay']));
$stack->reload;
until_redis(4);
$redis->ask('DEL', @{ $redis->ask('KEYS', 'atelier:raw:*') });
my $kept = $stack->metric('atelier_source_kept_total{source="pixabay"}');
$path = '/designs?query=kept&perPage=20';
is(Feed::get($stack, $path)->{status}, 200, 'an answer of Pixabay');
is($stack->counters('pixabay')->{calls}, 1, '... is one call');
my ($raw) = @{ $redis->ask('KEYS', 'atelier:raw:pixabay:*') };
ok($raw, '... that is kept');
cmp_ok($redis->ask('TTL', $raw), '>', 86000, '... for a day');
$redis->ask('DEL', @{ $redis->ask('KEYS', 'atelier:snap:*') },
            @{ $redis->ask('KEYS', 'atelier:feed:*') });
is(Feed::get($stack, '/designs?query=kept&perPage=30')->{status}, 200,
   'a new snapshot of it');
is($stack->counters('pixabay')->{calls}, 1, '... costs no call');
is($stack->metric('atelier_source_kept_total{source="pixabay"}'), $kept + 1,
   '... and shows in the metrics');

# What is kept but is half an answer is none.

$redis->ask('SET', $raw, '{"total":9,"hits":[' . '{"id":1},' x 5000);
$redis->ask('DEL', @{ $redis->ask('KEYS', 'atelier:snap:*') },
            @{ $redis->ask('KEYS', 'atelier:feed:*') });
is(scalar Feed::ids(Feed::get($stack, '/designs?query=kept&perPage=40')), 40,
   'half of an answer was kept');
is($stack->counters('pixabay')->{calls}, 2, '... so the source was asked');

# A page that is all gap, as the rest of a short one can be when it is read with
# another perPage, is not the end.

$stack->reset_sandbox;
until_redis(4);
$res = Feed::get($stack, '/designs?query=gap&perPage=20');
is(scalar Feed::ids($res), 20, 'a page before a gap');
$redis->ask('RPUSH', "atelier:snap:$res->{json}{snapshot}:frozen", ('') x 20);
$res = Feed::get($stack, $res->{json}{next});
is(scalar Feed::ids($res), 0, '... the gap');
ok($res->{json}{hasNext}, '... is not the end');
$res = Feed::get($stack, $res->{json}{next});
is(scalar Feed::ids($res), 20, '... and what is behind it comes');

$stack->finish(allow => qr/exited on signal 9/);
done_testing();
