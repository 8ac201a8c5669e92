# Likes over HTTP, kept in PostgreSQL: exact under concurrency, one a visitor,
# nothing half-done when the server goes away or stops, and nothing of one
# visitor for another, with a shared cache in front.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;

my $COOKIE = 'atelier_visitor';

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $front = Stack::free_port();

# The maps are those of conf/nginx.conf.

sub maps {
    open my $in, '<', 'conf/visitor.conf' or die "conf/visitor.conf: $!";
    local $/;
    return <$in>;
}

my $http = <<"END";
    atelier_postgres '@{[ $db->conninfo ]}' timeout=\%s;
    atelier_redis @{[ $redis->address ]} timeout=20s;
    @{[ maps() ]}
    proxy_cache_path cache keys_zone=shared:1m;
END

my $server = <<'END';
    location /designs {
        atelier_designs;
        add_header Set-Cookie $atelier_set_cookie always;
    }
    location = /page {
        add_header Cache-Control "public, max-age=60";
        add_header Set-Cookie $atelier_set_cookie always;
        return 200 "page\n";
    }
END

my $stack;

# A shared cache that keeps what it may, cookies included.

sub configure {
    my ($timeout) = @_;
    return (http => sprintf($http, $timeout) . <<"END", server => $server);
    server {
        listen 127.0.0.1:$front;
        location / {
            proxy_pass http://127.0.0.1:$stack->{port};
            proxy_cache shared;
            proxy_cache_valid 200 1h;
            proxy_ignore_headers Set-Cookie Vary;
            add_header X-Shared \$upstream_cache_status always;
        }
    }
END
}

$stack = Stack->new(http => sprintf($http, '20s'), server => $server);
$stack->configure(configure('20s'));
$stack->reload;

sub visitor { return sprintf '%032x', $_[0]; }

sub ask {
    my ($method, $path, $visitor, %opt) = @_;
    my $base = $opt{front} ? "http://127.0.0.1:$front" : $stack->url('');
    my $res = HTTP::Tiny->new(timeout => 60)->request($method, $base . $path, {
        headers => { defined $visitor ? (Cookie => "$COOKIE=$visitor") : () },
        %{ $opt{more} // {} } });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

sub add  { return ask(PUT    => "/designs/$_[0]/like", visitor($_[1])); }
sub take { return ask(DELETE => "/designs/$_[0]/like", visitor($_[1])); }

# The three numbers that must agree: API, count table, rows.
sub counts {
    my ($id) = @_;
    my $res = ask(GET => "/designs/likes?ids=$id", visitor(0));
    return join ' ', $res->{json}{results}[0]{likes} // 'none',
        $db->sql(qq{SELECT coalesce((SELECT n FROM atelier.design_likes
                                     WHERE design_id = '$id'), 0)}),
        $db->sql(qq{SELECT count(*) FROM atelier.design_like
                    WHERE design_id = '$id'});
}

# All requests are on their way before the first answer is read.
sub all_at_once {
    my (@requests) = @_;
    my @sockets = map {
        my ($method, $id, $n) = @$_;
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                           PeerPort => $stack->{port})
            or die "connect: $!";
        print {$socket} "$method /designs/$id/like HTTP/1.1\r\n",
            "Host: localhost\r\nConnection: close\r\n",
            "Cookie: $COOKIE=", visitor($n), "\r\n\r\n";
        $socket->flush;
        $socket;
    } @requests;
    my %status;
    for my $socket (@sockets) {
        my $line = readline($socket) // 'no answer';
        $status{ $line =~ m{^HTTP/1.1 (\d+)} ? $1 : $line }++;
        close $socket;
    }
    return \%status;
}

# One visitor.

my $res = add('pexels:1', 1);
is($res->{status}, 200, 'a like');
is_deeply($res->{json}, { id => 'pexels:1', liked => JSON::PP::true,
                          likes => 1 }, '... and its answer');
is($res->{headers}{'cache-control'}, 'private, no-store', '... for nobody else');
is($res->{headers}{'content-type'}, 'application/json', '... is JSON');
is(add('pexels:1', 1)->{json}{likes}, 1, 'a second time it counts once');
is(add('pexels:1', 2)->{json}{likes}, 2, 'another visitor counts');
is_deeply(take('pexels:1', 1)->{json},
          { id => 'pexels:1', liked => JSON::PP::false, likes => 1 },
          'it is taken back');
is(take('pexels:1', 1)->{json}{likes}, 1, '... once');
is(take('pexels:2', 1)->{json}{likes}, 0, 'what nobody likes has none');
is(counts('pexels:1'), '1 1 1', 'API, count and rows agree');

my ($stored) = $db->sql(q{SELECT encode(visitor, 'hex')
                          FROM atelier.design_like});
isnt($stored, visitor(2), 'a visitor is not stored as such');
like($stored, qr/^[0-9a-f]{32}$/, '... but as a digest');

# Bodies, methods, other addresses.

is(ask(PUT => '/designs/pexels:1/like', visitor(1),
       more => { content => 'x' x 50_000 })->{status}, 200,
   'a body is passed over');
take('pexels:1', 1);
$res = ask(POST => '/designs/pexels:1/like', visitor(1));
is($res->{status}, 405, 'another method');
is($res->{headers}{allow}, 'PUT, DELETE', '... and those there are');
is(ask(PUT => '/designs/likes', visitor(1))->{headers}{allow}, 'GET, HEAD',
   '... of the list');
is(ask(GET => "/designs/$_", visitor(1))->{status}, 404, "/designs/$_: 404")
    for qw(pexels:1 pexels:1/likes likes/ pexels:1/unlike likes/x);

# Ids that mean harm.

for my $id (q{pexels:1'%20OR%20'1'='1}, q{pexels:1';DROP%20TABLE%20x;--},
            q{pexels:1%00}, q{pexels:1%5C'}, q{pexels:$1}, q{pexels:},
            q{nobody:1}, q{pexels:%C3%A9}, 'pexels:' . 'x' x 81, 'x' x 3000,
            q{pexels:1%2C2}) {
    is(ask(PUT => "/designs/$id/like", visitor(1))->{status}, 400,
       'refused: ' . substr $id, 0, 40);
    next if $id =~ /%2C/;
    my $list = ask(GET => "/designs/likes?ids=pexels:1,$id", visitor(1));
    is($list->{status}, 400, '... and in a list');
    is($list->{json}{field}, 'ids', '... by name');
}
is(ask(GET => "/designs/likes?$_", visitor(1))->{status}, 400, "refused: $_")
    for 'ids=,', 'ids=pexels:1,', 'ids=,pexels:1', 'ids=pexels:1,,pexels:2',
        'perPage=0', 'perPage=201', 'perPage=x', 'before=1', 'before=x,pexels:1',
        q{before=1,pexels:1'}, 'before=99999999999999999999,pexels:1',
        'ids=' . join(',', ('pexels:1') x 201);
is(ask(GET => '/designs/likes?ids=' . join(',', ('pexels:1') x 200),
       visitor(1))->{status}, 200, '200 ids are taken');

# Lists.

add("flickr:$_", 7) for 1 .. 5;
$db->sql(q{INSERT INTO atelier.design (id, data)
           VALUES ('flickr:5', '{"id":"flickr:5","title":"A \"blue\" room"}')});
$res = ask(GET => '/designs/likes?ids=flickr:2%2Cpexels:1,flickr:9',
           visitor(7));
is_deeply([ map { "$_->{id} $_->{liked} $_->{likes}" }
            @{ $res->{json}{results} } ],
          [ 'flickr:2 1 1', 'pexels:1 0 1', 'flickr:9 0 0' ],
          'a list of ids, in their order');
is(ask(GET => '/designs/likes?ids=', visitor(7))->{content},
   qq({"results":[]}\n), 'an empty one');
$res = ask(GET => '/designs/likes', visitor(7));
is(join(' ', map { $_->{id} } @{ $res->{json}{results} }),
   join(' ', map { "flickr:$_" } 5, 4, 3, 2, 1), "one's own, newest first");
is($res->{json}{results}[0]{design}{title}, 'A "blue" room',
   '... with the design where it is known');
is($res->{json}{results}[1]{design}, undef, '... and null where not');
is($res->{json}{hasNext}, JSON::PP::false, '... and no more');

my ($next, @walk) = ('/designs/likes?perPage=2');
while (defined $next && @walk < 10) {
    $res = ask(GET => $next, visitor(7));
    push @walk, map { $_->{id} } @{ $res->{json}{results} };
    $next = $res->{json}{next};
}
is("@walk", join(' ', map { "flickr:$_" } 5, 4, 3, 2, 1),
   '... page by page as well');
is(ask(HEAD => '/designs/likes', visitor(7))->{status}, 200, 'HEAD');

# Exact under concurrency: 200 visitors, 5 designs, each pair twice over, and
# a visitor's own twice at once.

my @designs = map { "unsplash:c$_" } 1 .. 5;
is_deeply(all_at_once(map { my $d = $_; map { [ PUT => $d, $_ ] } 1 .. 200 }
                      @designs),
          { 200 => 1000 }, '1,000 likes at once');
is(counts($_), '200 200 200', "... $_ has 200") for @designs;
is_deeply(all_at_once((map { [ PUT => $designs[0], $_ ] } 1 .. 100, 1 .. 100),
                      (map { [ DELETE => $designs[1], $_ ] } 1 .. 150, 1 .. 100),
                      (map { [ PUT => $designs[2], $_ ] } 101 .. 250)),
          { 200 => 600 }, 'mixed, with many twice');
is(counts($designs[0]), '200 200 200', '... likes twice count once');
is(counts($designs[1]), '50 50 50', '... taken back twice too');
is(counts($designs[2]), '250 250 250', '... new ones are added');

# Redis is told, if it answers in time, and however two workers' words overtake each other there, in
# the end it has the last count.

sub redis_agrees {
    my %told = @{ $redis->ask('HGETALL', 'atelier:likes') };
    my %true = map { split /[|]/ }
               $db->sql('SELECT design_id, n FROM atelier.design_likes');
    return join(' ', map { "$_ $told{$_}" } sort keys %told)
           eq join(' ', map { "$_ $true{$_}" } sort keys %true);
}

Stack::until_true('the counts in Redis', \&redis_agrees);
pass('all counts are in Redis');
is_deeply(all_at_once(map { [ ($_ % 3 ? 'PUT' : 'DELETE'), $designs[4],
                             $_ % 20 ] } 1 .. 300),
          { 200 => 300 }, 'back and forth on one design');
Stack::until_true('the last count in Redis', \&redis_agrees);
pass('... and Redis has the last count');
$redis->kill;
Stack::until_true('Redis to be missed', sub {
    return !$stack->metric('atelier_redis_up');
});
is(add('pexels:1', 3)->{json}{likes}, 2, 'without Redis all goes on');
take('pexels:1', 3);

# A Redis that comes back with nothing has again what somebody asks for, and
# changes from then on.

$redis->start;
Stack::until_true('Redis in all workers', sub {
    return $stack->metric('atelier_redis_up');
});
my @asked = ($designs[0], 'pexels:1', 'flickr:never', $designs[2]);
my $known = sub {
    return join ' ', map { $_ // 'none' }
        @{ $redis->ask('HMGET', 'atelier:likes', @asked) };
};
Stack::until_true('Redis to have some again', sub {
    ask(GET => '/designs/likes?ids=' . join(',', @asked));
    return $known->() ne 'none none none none';
});
is($known->(), '200 1 none 250', '... which has what was asked for');
add($designs[0], 250);
Stack::until_true('the next change', sub { $known->() =~ /^201 1 / });
take($designs[0], 250);
Stack::until_true('the one after it', sub { $known->() =~ /^200 1 / });
$redis->kill;

# The server goes away and comes back.

$stack->configure(configure('1s'));
$stack->reload;

my $states = sub {
    return scalar $db->sql(q{SELECT string_agg(design_id || n, ' ' ORDER BY 1)
                             FROM atelier.design_likes});
};

my $before = $states->();
$db->stop;
$res = add('pexels:9', 1);
is($res->{status}, 503, 'the server is gone: 503');
is($res->{json}{code}, 'likes_unavailable', '... with its code');
like($res->{headers}{'retry-after'}, qr/^\d+$/, '... and Retry-After');
is($res->{headers}{'cache-control'}, 'private, no-store', '... for nobody else');
is(ask(GET => '/designs/likes?ids=pexels:1', visitor(1))->{status}, 503,
   '... the list too');
$db->start;
Stack::until_true('likes', sub { add('pexels:1', 2)->{status} == 200 });
is($states->(), $before, 'back, and nothing has changed');

# A crash in mid-use: what was answered 200 is there, all else is whole.

my $main = $$;
my @pids;
END { kill KILL => @pids if @pids && $$ == $main }

@pids = map {
    my $child = $_;
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open my $out, '>', "$stack->{home}/child.$child" or POSIX::_exit(1);
        $out->autoflush(1);
        for my $n (1 .. 100000) {
            my $id = "wikimedia:$child-$n";
            print {$out} "$id\n" if add($id, $child)->{status} == 200;
        }
    }
    $pid;
} 1 .. 4;
my $kept = sub {
    return map { split /\n/, Stack::slurp("$stack->{home}/child.$_") } 1 .. 4;
};
Stack::until_true('likes in use', sub { $kept->() > 40 });
$db->stop('QUIT');
$db->start;
my $n = $kept->();
Stack::until_true('likes after the crash', sub { $kept->() > $n + 40 });
kill KILL => @pids;
waitpid $_, 0 for splice @pids;
my %rows = map { $_ => 1 } $db->sql('SELECT design_id FROM atelier.design_like');
is(join(' ', grep { !$rows{$_} } $kept->()), '',
   'a crash in mid-use: what was answered is there');
is($db->sql(q{SELECT count(*) FROM atelier.design_likes l WHERE n <>
              (SELECT count(*) FROM atelier.design_like k
               WHERE k.design_id = l.design_id)}), 0,
   '... and every count is that of its rows');

# A server that stops answering: 503 after the time, and what was stuck on its
# way does nothing when it gets there.

Stack::until_true('likes', sub { add('pexels:1', 2)->{status} == 200 });
$before = $states->();
$db->freeze;
is_deeply(all_at_once(map { [ PUT => 'pexels:9', $_ ] } 1 .. 20),
          { 503 => 20 }, 'the server is frozen: 503, no hang');
$db->thaw;
Stack::until_true('likes', sub { add('pexels:1', 2)->{status} == 200 });
Stack::until_true('the stuck statements to be through', sub {
    return $db->sql(q{SELECT count(*) FROM pg_stat_activity
                      WHERE application_name = 'atelier'
                        AND state <> 'idle'}) == 0;
});
is($states->(), $before, '... and none of them was carried out later');

# A lock that somebody holds: the server gives up first, so 503 means not done.

my $locker = fork // die "fork: $!";
if (!$locker) {
    exec "$db->{bin}/psql", '-XAtq', $db->conninfo, '-c',
        q{BEGIN; LOCK atelier.design_like; SELECT pg_sleep(60)}
        or POSIX::_exit(1);
}
Stack::until_true('the lock', sub {
    return $db->sql(q{SELECT count(*) FROM pg_locks l JOIN pg_class c
                      ON c.oid = l.relation WHERE relname = 'design_like'
                      AND mode = 'AccessExclusiveLock' AND granted});
});
is(add('pexels:9', 1)->{status}, 503, 'a lock: 503');
kill KILL => $locker;
waitpid $locker, 0;
$db->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()});
Stack::until_true('likes', sub { add('pexels:1', 2)->{status} == 200 });
is($states->(), $before, '... and not done');

# All else has the time it needs, on a busy machine too.

$stack->configure(configure('20s'));
$stack->reload;

# A commit that fails after the statement itself went well.

$db->sql(q{
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'not at commit'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON atelier.design_like
        DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.design_id = 'pexels:refused')
        EXECUTE FUNCTION refuse()});
is_deeply(all_at_once((map { [ PUT => 'pexels:refused', $_ ] } 1 .. 20),
                      (map { [ PUT => 'pexels:1', 2 ] } 1 .. 20)),
          { 503 => 20, 200 => 20 }, 'a commit is refused: 503, and only those');
is($states->(), $before, '... and not done');
like($stack->log_text, qr/PostgreSQL refused a statement: P0001 not at commit/,
     '... and the log says why');

# Tables that are missing for a while spoil what was prepared, once.

$db->sql('ALTER TABLE atelier.design_like RENAME TO elsewhere');
is(ask(GET => '/designs/likes', visitor(2))->{status}, 503, 'no table: 503');
like($stack->log_text, qr/42P01 .*; apply the migrations/, '... with a remedy');
$db->sql('ALTER TABLE atelier.elsewhere RENAME TO design_like');
is_deeply({ map { ask(GET => '/designs/likes', visitor(2))->{status} => 1 }
            1 .. 20 }, { 200 => 1 }, 'it is back: 200 at once');

# Behind a pooler nothing is prepared; a full queue refuses at once.

$stack->configure(configure('20s prepare=off connections=1 queue=1'));
$stack->reload;
Stack::until_true('likes', sub { add('pexels:1', 2)->{status} == 200 });
is(add('pexels:1', 3)->{json}{likes}, 2, 'prepare=off');
is(take('pexels:1', 3)->{json}{likes}, 1, '... twice');
my $status = all_at_once(map { [ PUT => 'pexels:1', 2 ] } 1 .. 200);
ok($status->{200} && $status->{503} && 200 == $status->{200} + $status->{503},
   'a queue of one takes some and refuses others');
cmp_ok($stack->metric('atelier_postgres_refused_total'), '>=', $status->{503},
       '... and counts them');
$stack->configure(configure('20s'));
$stack->reload;

# A client that leaves.

my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                   PeerPort => $stack->{port});
print {$socket} "PUT /designs/pexels:1/like HTTP/1.1\r\nHost: a\r\n",
    "Cookie: $COOKIE=", visitor(2), "\r\n\r\n";
close $socket;
is(add('pexels:1', 2)->{status}, 200, 'a client that leaves does no harm');

# Visitors.

$res = ask(PUT => '/designs/pexels:1/like', undef);
is($res->{status}, 200, 'a newcomer may like at once');
my ($cookie) = $res->{headers}{'set-cookie'} =~ /^$COOKIE=([0-9a-f]{32});/;
ok($cookie, '... and gets a cookie');
like($res->{headers}{'set-cookie'}, qr/; HttpOnly; SameSite=Lax/,
     '... for this site only');
isnt($cookie, $res->{headers}{'x-request-id'}, '... that is in no log');
$res = ask(GET => '/designs/likes?ids=pexels:1', $cookie);
is($res->{json}{results}[0]{liked}, JSON::PP::true,
   '... by which it is known again');
is($res->{headers}{'set-cookie'}, undef, '... and no other one is set');
isnt(ask(GET => '/designs/likes', 'forged')->{headers}{'set-cookie'}, undef,
     'a cookie that is not ours is replaced');

# A shared cache in front: two visitors.

for my $path ('/designs/likes?ids=pexels:1', '/designs/likes') {
    my @res = map { ask(GET => $path, $_, front => 1) }
              $cookie, visitor(500), undef, $cookie;
    is(join(' ', map { $_->{headers}{'x-shared'} } @res),
       'MISS MISS MISS MISS', "$path is never stored");
    is(join(' ', map { $_->{json}{results}[0]{liked} ? 1 : 0 } @res),
       '1 0 0 1', '... and each visitor sees his own');
    is(join(' ', map { $_->{headers}{'set-cookie'} ? 1 : 0 } @res),
       '0 0 1 0', '... only a newcomer gets a cookie');
}
my @res = (ask(GET => '/page', undef, front => 1));
is($res[0]{headers}{'x-shared'}, 'MISS', 'a page that may be stored');
Stack::until_true('the page to be stored', sub {
    push @res, ask(GET => '/page', undef, front => 1);
    return $res[-1]{headers}{'x-shared'} eq 'HIT';
});
push @res, ask(GET => '/page', $cookie, front => 1);
is($res[-1]{headers}{'x-shared'}, 'HIT', '... is stored');
is(join('', map { $_->{headers}{'set-cookie'} // '' } @res), '',
   '... and carries no cookie');

# Reload in mid-use.

my @sockets = map {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $stack->{port});
    print {$socket} "PUT /designs/rawpixel:$_/like HTTP/1.1\r\nHost: a\r\n",
        "Cookie: $COOKIE=", visitor(1), "\r\nConnection: close\r\n\r\n";
    $socket->flush;
    $socket;
} 1 .. 50;
$stack->reload;
my %status;
for my $socket (@sockets) {
    my $line = readline($socket) // 'no answer';
    $status{ $line =~ m{^HTTP/1.1 (\d+)} ? $1 : $line }++;
}
is_deeply(\%status, { 200 => 50 }, 'a reload cuts no like off');

$stack->finish;
done_testing();
