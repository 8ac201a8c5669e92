# atelier-feed and pictures: thumbnails are hashed, what looks the same is
# taken out of what waits and never out of what was seen, designs and hashes
# are stored in PostgreSQL, and no thumbnail leads to where it must not.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use FakeHttp;
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Test::More;
use Worker;

my $redis = PrivateRedis->new;
my $db = Postgres->new;

# A picture of soft waves; another seed is another picture.  They are slow to
# draw, and who fetches them waits only so long: so it is done beforehand.

my %drawn;

sub picture {
    my ($seed, $side, $light) = @_;
    return $drawn{"$seed-$side-$light"} //= draw($seed, $side, $light);
}

sub draw {
    my ($seed, $side, $light) = @_;
    srand $seed;
    my @waves = map { [ rand(6) - 3, rand(6) - 3, rand 6.28, 10 + rand 25 ] }
                1 .. 7;
    my $rows = '';
    for my $y (0 .. $side - 1) {
        my $row = '';
        for my $x (0 .. $side - 1) {
            my $v = 128;
            $v += $_->[3] * sin(6.28 * ($_->[0] * $x + $_->[1] * $y) / $side
                                + $_->[2]) for @waves;
            $v = $v * 0.8 + $light;
            $row .= chr($v < 0 ? 0 : $v > 255 ? 255 : int $v);
        }
        $rows .= "\0$row";
    }
    return "\x89PNG\r\n\x1a\n"
        . Atelier::chunk('IHDR', pack('NNCCCCC', $side, $side, 8, 0, 0, 0, 0))
        . Atelier::chunk('IDAT', Compress::Zlib::compress($rows))
        . Atelier::chunk('IEND', '');
}

picture(split /-/) for qw(1-64-10 1-64-20 1-96-40 1-128-20 1-200-30 2-128-20
                          2-160-5 3-90-10 3-128-20 71-128-20 72-128-20
                          73-128-20 81-100-30 81-128-20);

my $secret = FakeHttp->new(answer => sub { return (200, picture(1, 64, 10)) });
my ($port) = $secret->address =~ /:(\d+)/;
my $cdn = FakeHttp->new(answer => sub {
    my ($fake, $method, $path) = @_;
    return (200, picture($1, $2, $3)) if $path =~ m{^/p/(\d+)-(\d+)-(\d+)};
    return (302, '', "Location: /p/$1") if $path =~ m{^/hop/(.*)};
    return (302, '', "Location: http://$1") if $path =~ m{^/to/(.*)};
    return (302, '', "Location: $1:$2") if $path =~ m{^/scheme/(\w+)/(.*)};
    return (302, '', "Location: /loop") if $path eq '/loop';
    return (200, 'x' x (1024 * 1024 + 1)) if $path eq '/large';
    return (200, "\x89PNG\r\n\x1a\nbut no more") if $path eq '/broken';
    if ($path =~ m{^/hang}) {
        $fake->hold('never');
        return;
    }
    return (404, 'no');
});
my $base = 'http://' . $cdn->address;

sub settings {
    my (%more) = @_;
    return {
        redis  => { address => $redis->address },
        egress => { socket => '/nowhere', timeout => '1s' },
        jobs   => { claim_after => '2s', threads => 1 },
        postgres => { conninfo => $db->conninfo, timeout => '2s' },
        hash   => { user_agent => 'Atelier test', scan => '500ms',
                    timeout => '5s', per_host => 4,
                    allow_address => $cdn->address },
        %more,
    };
}

# A snapshot as nginx leaves it: [id, thumb] in their order, so many frozen.

sub snapshot {
    my ($id, $query, $frozen, @designs) = @_;
    my $key = "atelier:snap:$id";
    my $order = 0;
    for my $design (@designs) {
        my ($name, $thumb) = @$design;
        my ($source) = $name =~ /^(\w+):/;
        $redis->ask('HSET', "$key:items", $name, JSON::PP->new->canonical
            ->encode({ id => $name, source => $source, title => "T $name",
                       url => "$thumb?full", thumb => $thumb, width => 640,
                       height => 480, pageUrl => 'https://example.com/',
                       license => 'x', score => 1.5, author => undef }));
        if ($order++ < $frozen) {
            $redis->ask('RPUSH', "$key:frozen", $name);
        } else {
            $redis->ask('ZADD', "$key:pending", $order, $name);
        }
        $redis->ask('HSET', "$key:joins", $name, $name);
    }
    $redis->ask('EXPIRE', "$key:$_", 2700)
        for qw(items frozen pending joins);
    $redis->ask('HSET', "$key:meta", feed => '1' x 32, generation => 0,
                text => "q=$query;o=;c=;s=");
    $redis->ask('EXPIRE', "$key:meta", 2700);
    return;
}

sub pending { return $redis->ask('ZRANGE', "atelier:snap:$_[0]:pending", 0, -1) }
sub frozen  { return $redis->ask('LRANGE', "atelier:snap:$_[0]:frozen", 0, -1) }
sub mirrors {
    my ($id, $name) = @_;
    my $text = $redis->ask('HGET', "atelier:snap:$id:mirrors", $name);
    return [ map { $_->{id} } @{ $text ? JSON::PP::decode_json($text) : [] } ];
}
sub hashed {
    return $redis->ask('SCARD', "atelier:snap:$_[0]:hashed");
}
sub idle { return !$redis->ask('EXISTS', 'atelier:feed:hash') }
sub until_true { return Worker::until_true(@_) }
sub stored { return $db->sql('SELECT count(*) FROM atelier.design') }

# Two snapshots.  In the first nothing was seen yet, in the second two were.

my ($one, $two) = ('1' x 16, '2' x 16);
my @designs = (
    [ 'pexels:1',   "$base/p/1-128-20" ],
    [ 'unsplash:2', "$base/p/2-128-20" ],
    [ 'pixabay:1',  "$base/p/1-96-40" ],            # as pexels:1
    [ 'flickr:3',   "$base/hop/3-128-20" ],
    [ 'rawpixel:2', "$base/p/2-160-5" ],            # as unsplash:2
    [ 'flickr:1',   "$base/p/1-200-30" ],           # as pexels:1
);
snapshot($one, 'red sofa', 0, @designs);
snapshot($two, 'a;o=b', 3, @designs);

my @workers = map { Worker->new('feed', settings()) } 1, 2;
$_->ready for @workers;

sub metric {
    my ($name) = @_;
    my $sum = 0;
    $sum += $_->metric($name) // 0 for @workers;
    return $sum;
}

until_true('all to be stored', sub {
    return idle() && stored() == 4
        && $redis->ask('ZCARD', "atelier:snap:$one:pending") == 3
        && $redis->ask('ZCARD', "atelier:snap:$two:pending") == 1;
});
is_deeply(pending($one), [ 'pexels:1', 'unsplash:2', 'flickr:3' ],
          'of each picture the first waits');
is_deeply(mirrors($one, 'pexels:1'), [ 'pixabay:1', 'flickr:1' ],
          'the others are its mirrors');
is_deeply(mirrors($one, 'unsplash:2'), [ 'rawpixel:2' ], '... each of its own');
is_deeply(frozen($two), [ 'pexels:1', 'unsplash:2', 'pixabay:1' ],
          'what was seen stays, though it repeats');
is_deeply(pending($two), [ 'flickr:3' ], 'what waits goes');
is_deeply([ @{ mirrors($two, 'pexels:1') } ], [ 'flickr:1' ],
          '... to the one that was seen');
is($redis->ask('HGET', "atelier:snap:$one:joins", 'flickr:1'), 'pexels:1',
   'whoever brings it again is told');
is($redis->ask('HEXISTS', "atelier:snap:$one:items", 'flickr:1'), 0,
   'its text is gone');
for my $name (qw(mirrors joins hashed stored)) {
    cmp_ok($redis->ask('TTL', "atelier:snap:$one:$name"), '>', 0,
           "$name ends with the snapshot");
}

# Each thumbnail was fetched by one of the two, and only for one snapshot.

cmp_ok(metric('atelier_feed_thumbnails_total{result="hashed"}'), '>=', 6,
       'all were hashed');
cmp_ok(scalar(grep { m{^GET /p/} } $cdn->seen), '<=', 12,
       'by no more than both at once');
is(metric('atelier_feed_repeats_total{result="dropped"}'), 5, 'five repeats');

# What PostgreSQL has.

is_deeply([ $db->sql(q{SELECT id, title, width, phash IS NOT NULL,
                       octet_length(pdq) FROM atelier.design
                       WHERE id = 'flickr:3'}) ],
          [ 'flickr:3|T flickr:3|640|t|32' ], 'a design and its hashes');
is_deeply([ $db->sql(q{SELECT DISTINCT query FROM atelier.design_query
                       ORDER BY query}) ], [ 'a;o=b', 'red sofa' ],
          'and the queries that found it');

# Redis forgets: the hashes come from PostgreSQL, and no thumbnail is fetched.

$redis->ask('FLUSHALL');
$cdn->forget;
snapshot('3' x 16, 'red sofa', 0, @designs[0, 3, 2]);
until_true('the snapshot', sub { (hashed('3' x 16) // 0) == 2 && idle() });
is_deeply(pending('3' x 16), [ 'pexels:1', 'flickr:3' ],
          'repeats are known by hashes of the database');
is_deeply([ $cdn->seen ], [], '... nothing was fetched');

# A job names the snapshot, too; later designs of a snapshot are compared with
# earlier ones.

snapshot('3' x 16, 'red sofa', 0, [ 'openverse:9', "$base/p/3-90-10" ]);
$redis->ask('ZADD', 'atelier:snap:' . '3' x 16 . ':pending', 99,
            'openverse:9');
$redis->ask('XADD', 'atelier:feed:jobs', '*', kind => 'hash',
            snapshot => '3' x 16, request_id => 'h');
until_true('the repeat to go', sub { @{ pending('3' x 16) } == 2 });
is_deeply(mirrors('3' x 16, 'flickr:3'), [ 'openverse:9' ],
          'a later batch repeats an earlier one');

# Where thumbnails must not lead.

until_true('quiet', \&idle);
my @bad = (
    "http://127.0.0.1:$port/direct",
    "http://localhost:$port/name",
    "http://2130706433:$port/number",
    "http://0x7f.1:$port/hex",
    "http://0:$port/zero",
    "http://[::1]:$port/six",
    "http://[::ffff:127.0.0.1]:$port/mapped",
    "http://user:pass\@127.0.0.1:$port/user",
    "$base/to/127.0.0.1:$port/redirected",
    "$base/to/localhost:$port/redirected-name",
    "$base/to/[::ffff:7f00:1]:$port/redirected-mapped",
    "$base/to/169.254.169.254/latest/meta-data",
    "$base/to/user:pass\@" . $cdn->address . '/p/1-64-20',
    "$base/scheme/file//etc/passwd",
    "$base/scheme/gopher//127.0.0.1:$port/x",
    "$base/loop",
    'http://169.254.169.254/latest/meta-data',
    'http://[fd00:ec2::254]/latest/meta-data',
    'file:///etc/passwd',
    "gopher://127.0.0.1:$port/x",
    "ftp://127.0.0.1:$port/x",
    'unix:' . $redis->{socket},
    "http://a b:$port/blank",
    'http://' . 'a' x 3000,
);
my @wrong = ("$base/large", "$base/broken", "$base/none", "$base/hang",
             'http://127.0.0.1:1/closed');
my $n = 0;
snapshot('4' x 16, 'bad', 0, [ 'pexels:1', "$base/p/1-128-20" ],
         map { [ 'wikimedia:' . ++$n, $_ ] } @bad, @wrong);
until_true('all to be looked at', sub {
    return (hashed('4' x 16) // 0) == 1 + @bad + @wrong && idle();
});
is(scalar @{ pending('4' x 16) }, 1 + @bad + @wrong, 'they stay in the feed');
is_deeply([ $secret->seen ], [], 'nobody came where nobody may');
my %why = map { $_->{design} => $_ } map { $_->events('thumbnail.failed') }
          @workers;
for my $i (1 .. @bad) {
    my $event = $why{"wikimedia:$i"} // {};
    is($event->{outcome}, 'refused', "refused: " . substr $bad[$i - 1], 0, 60)
        or diag($event->{why});
}
is($why{ 'wikimedia:' . (@bad + 1) }{outcome}, 'large', 'too large');
is($why{ 'wikimedia:' . (@bad + 3) }{outcome}, 'status', 'not there');
is($why{ 'wikimedia:' . (@bad + 4) }{outcome}, 'timeout', 'never answered');
is(scalar(map { $_->events('thumbnail.unreadable') } @workers), 1, 'broken');

# One design that the database does not take keeps no other one out.

snapshot('5' x 16, 'mixed', 0, [ 'pexels:71', "$base/p/71-128-20" ],
         [ 'pexels:bad id', "$base/p/72-128-20" ],
         [ 'pexels:73', "$base/p/73-128-20" ]);
until_true('them to be stored', sub {
    return $db->sql(q{SELECT count(*) FROM atelier.design
                      WHERE id IN ('pexels:71', 'pexels:73')}) == 2;
});
until_true('the third', sub {
    return (metric('atelier_feed_designs_total{result="refused"}') == 1);
});
pass('the others are stored');

# PostgreSQL away: pictures are hashed, and stored when it is back.

until_true('quiet', \&idle);
$db->stop;
snapshot('6' x 16, 'away', 0, [ 'pexels:81', "$base/p/81-128-20" ],
         [ 'pixabay:81', "$base/p/81-100-30" ]);
until_true('the repeat to go', sub { @{ pending('6' x 16) } == 1 });
until_true('it to be noticed', sub {
    return grep { ($_->get('/health/ready'))[1] =~ /"postgres":"away"/ }
           @workers;
});
ok(!(grep { ($_->get('/health/ready'))[0] != 200 } @workers),
   'which does not make it unready');
$db->start;
until_true('it to be stored', sub {
    return eval { $db->sql(q{SELECT count(*) FROM atelier.design
                             WHERE id = 'pexels:81'}) == 1 };
});
pass('what came meanwhile is stored');

# Killed in the middle: what it had begun is begun again by the other one.

$redis->ask('DEL', 'atelier:lease:scan');
$workers[1]->signal('KILL');
$workers[1]->ended;
snapshot('7' x 16, 'killed', 0, [ 'pexels:91', "$base/hang?91" ]);
until_true('a fetch', sub { grep { m{/hang.91} } $cdn->seen });
$workers[0]->signal('TERM');
is($workers[0]->ended, 0, 'TERM ends it in the middle of a fetch');
is($redis->ask('ZSCORE', 'atelier:feed:hash', '7' x 16), 1,
   'the snapshot is still in the queue');
is($redis->ask('EXISTS', 'atelier:lease:hash:' . '7' x 16), 0,
   '... and nobody has a lease on it');
$workers[1] = Worker->new('feed', settings());
until_true('it to be done', sub { idle() });
is(hashed('7' x 16), 1, 'the next one deals with it');

$workers[1]->signal('TERM');
is($workers[1]->ended, 0, 'ends well');

done_testing();
