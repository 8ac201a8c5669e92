# What operators do to the feed: an invalidation is right on every worker of
# every node, also on one whose link to Redis was broken, and jobs are left for
# the workers.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use File::Temp ();
use PrivateRedis;
use Stack;
use Test::More;
use Worker;

my $TOKEN = '0123456789abcdef0123456789abcdef';
my $GENERATION = 'atelier:generation';

# Two nodes on one Redis; the second has an address of it that can be taken
# away.

my $dir = File::Temp->newdir('operators-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, "$dir";
Stack::spew("$dir/tokens", "$TOKEN\n");
chmod 0600, "$dir/tokens";
my $redis = PrivateRedis->new;
my ($socket) = $redis->address =~ /^unix:(.*)/;
my $link = "$dir/redis.sock";
symlink $socket, $link or die "symlink: $!";

my $guard = "atelier_operator token_file=$dir/tokens;";
my @nodes = map {
    Stack->new(workers => 2, Feed::options(redis => $_, server => <<"END"));
        location = /cache/invalidate { atelier_invalidate; $guard }
        location = /scrape/parallel { atelier_scrape; $guard }
END
} $redis->address, "unix:$link";

sub post {
    my ($node, $path, $json) = @_;
    my $res = HTTP::Tiny->new(timeout => 60)->post($node->url($path), {
        headers => { Authorization => "Bearer $TOKEN",
                     'Content-Type' => 'application/json' },
        content => defined $json ? JSON::PP::encode_json($json) : '',
    });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

sub invalidate {
    my ($node, $pattern, $scope) = @_;
    my $res = post($node, '/cache/invalidate', { pattern => $pattern });
    is($res->{status}, 200, "invalidated $pattern");
    is($res->{json}{scope}, $scope, "... for the $scope");
    return $res->{json}{generation};
}

sub links {
    my ($node, $n) = @_;
    Stack::until_true("$n links to Redis", sub {
        my $sum = 0;
        $sum += $node->metric("atelier_redis_connections{use=\"$_\"}") // 0
            for qw(commands subscriptions);
        return $sum == $n;
    });
    return;
}

sub walks { return $_[0]->metric('atelier_cache_walks_total'); }

# The snapshot of a feed, as every worker of the node has it.
sub snapshot {
    my ($node, $query) = @_;
    my %seen = map { $_->{json}{snapshot} // "status $_->{status}" => 1 }
               map { Feed::get($node, "/designs?query=$query&perPage=20") }
               1 .. 8;
    return join ' ', sort keys %seen;
}

sub cached {
    my ($node, $query) = @_;
    return Feed::get($node, "/designs?query=$query&perPage=20")->{cache};
}

# The second node alone loses Redis, and gets it back.
sub cut {
    unlink $link;
    $redis->ask('CLIENT', 'KILL', 'TYPE', $_, 'SKIPME', 'yes')
        for qw(normal pubsub);
    links($nodes[1], 0);
    links($nodes[0], 4);
    return;
}

sub mend {
    symlink $socket, $link or die "symlink: $!";
    links($nodes[1], 4);
    return;
}

links($_, 4) for @nodes;

# Both nodes have two feeds in their memory.

my %old = map { $_ => snapshot($nodes[0], $_) } qw(sofa lamp);
for my $query (sort keys %old) {
    like($old{$query}, qr/^[0-9a-f]{16}$/, "a snapshot of $query");
    is(snapshot($nodes[1], $query), $old{$query}, '... on both nodes');
    is(cached($_, $query), 'L1', '... in memory') for @nodes;
}

my $first = invalidate($nodes[0], 'q=*sof[a-b]*', 'shared');
is($redis->ask('GET', $GENERATION), $first, '... a generation in Redis');
is_deeply($redis->ask('XRANGE', 'atelier:invalidations', '-', '+')->[0][1],
          ['generation', $first, 'pattern', 'q=*sof[a-b]*', 'request_id',
           $redis->ask('XRANGE', 'atelier:invalidations', '-', '+')
           ->[0][1][5]], '... and an entry of the stream');

my $new = snapshot($nodes[0], 'sofa');
like($new, qr/^[0-9a-f]{16}$/, 'another snapshot at once');
isnt($new, $old{sofa}, '... not the old one');
Stack::until_true('a walk', sub { return walks($nodes[1]) == 1 });
is(snapshot($nodes[1], 'sofa'), $new, '... on the other node, too');
for my $node (@nodes) {
    is(cached($node, 'lamp'), 'L1', 'what does not match stays in memory');
    is(snapshot($node, 'lamp'), $old{lamp}, '... as it was');
    is(walks($node), 1, '... one walk for the node, whatever its workers');
}
my $res = Feed::get($nodes[1], "/designs?query=sofa&perPage=20&snapshot="
                               . $old{sofa});
is($res->{status}, 200, 'the old one asked for by its name');
ok($res->{json}{restarted}, '... is gone');
$res = Feed::get($nodes[0], "/designs?query=lamp&perPage=30");
is($res->{cache}, 'L2', 'what does not match stays in Redis');
is($res->{json}{snapshot}, $old{lamp}, '... as it was');
is($redis->ask('EXISTS', "atelier:snap:$old{sofa}:items"), 0,
   'what matches does not');

# Patterns mean the same in Redis as in memory: what is in L2 only.

for my $row (['q=l?mp;*', 1], ['*=lamp;o=;c=;s=', 1], ['q=[k-m]amp*', 1],
             ['q=[^l]amp*', 0], ['lamp', 0], ['q=\l\amp*', 1], ['*q=*\;*', 1],
             ['*;s=pexels', 0], ['**a**m**', 1], ['Q=LAMP*', 0])
{
    my ($pattern, $matches) = @$row;
    my $before = Feed::get($nodes[0], '/designs?query=lamp&perPage=25')
                 ->{json}{snapshot};
    invalidate($nodes[0], $pattern, 'shared');
    my $after = Feed::get($nodes[0], '/designs?query=lamp&perPage=35')
                ->{json}{snapshot};
    is($after ne $before ? 1 : 0, $matches,
       "$pattern " . ($matches ? 'matches' : 'does not match'));
}

# A node without its link: it finds out what it missed.

my @walks = map { walks($_) } @nodes;
Stack::until_true('both nodes to be at one', sub {
    return walks($nodes[1]) == walks($nodes[0]);
});
my %was = map { $_ => snapshot($nodes[0], $_) } qw(sofa lamp rug);
is(snapshot($nodes[1], $_), $was{$_}, "$_ on both nodes") for sort keys %was;

cut();
invalidate($nodes[0], 'q=sofa*', 'shared');
invalidate($nodes[0], 'q=rug*', 'shared');
isnt(snapshot($nodes[0], $_), $was{$_}, "$_ is another") for qw(sofa rug);
is(cached($nodes[1], $_), 'L1', "... not where the link is broken")
    for qw(sofa rug);
is(snapshot($nodes[1], $_), $was{$_}, '... which still has the old one')
    for qw(sofa rug);
mend();
Stack::until_true('what was missed', sub {
    return walks($nodes[1]) == walks($nodes[0]);
});
is(snapshot($nodes[1], $_), snapshot($nodes[0], $_), "$_ after it is mended")
    for qw(sofa rug);
is(snapshot($nodes[1], 'lamp'), $was{lamp}, '... and what did not match');
is(cached($nodes[1], 'lamp'), 'L1', '... in memory all the time');

# The same when all workers of the node die meanwhile.

$was{sofa} = snapshot($nodes[1], 'sofa');
is(snapshot($nodes[0], 'sofa'), $was{sofa}, 'both have the same');
cut();
invalidate($nodes[0], 'q=sofa*', 'shared');
my @pids = $nodes[1]->workers;
kill KILL => @pids;
$nodes[1]->gone(@pids);
Stack::until_true('new workers', sub { $nodes[1]->workers == 2 });
is(snapshot($nodes[1], 'sofa'), $was{sofa}, 'new workers, old memory');
mend();
Stack::until_true('what was missed', sub {
    return snapshot($nodes[1], 'sofa') eq snapshot($nodes[0], 'sofa');
});
isnt(snapshot($nodes[1], 'sofa'), $was{sofa}, 'new workers read on');
is(snapshot($nodes[1], 'lamp'), $was{lamp}, '... from where the old ones were');

# The same when the stream has been cut meanwhile: rather too much.

cut();
invalidate($nodes[0], 'q=nobody*', 'shared');
invalidate($nodes[0], 'q=rug*', 'shared');
$redis->ask('XTRIM', 'atelier:invalidations', 'MAXLEN', 1);
mend();
Stack::until_true('all of it to go', sub {
    return $nodes[1]->log_text =~ /invalidations before \d+ are no longer known/;
});
Stack::until_true('empty memory', sub {
    return $nodes[1]->metric('atelier_cache_pages') == 0;
});
$res = Feed::get($nodes[1], '/designs?query=lamp&perPage=20');
is($res->{status}, 200, 'a page is made anew');

# A fill that was begun before is not kept.  It may be over before the
# invalidation gets there: then another one is tried.

my ($node) = @nodes;
my ($during, $reader, $text, $calls);
for my $try (1 .. 10) {
    $during = "during$try";
    $node->reset_sandbox;
    $node->control($_ => { latencyMs => 700 }) for @Feed::SOURCES;
    $reader = Feed::connection($node);
    print {$reader} "GET /designs?query=$during&perPage=20 HTTP/1.0\r\n\r\n";
    ok($node->wait_for('flickr', 'inFlight>=1'), 'a fill is under way');
    invalidate($node, "q=$during;*", 'shared');
    $text = do { local $/; readline $reader };
    like($text, qr{^HTTP/1.1 200 }, '... and its reader is answered');
    $calls = $node->counters('flickr')->{calls};
    last if $calls > 1;
}
is($calls, 2, '... by another one');
my ($of) = $text =~ /"snapshot":"([0-9a-f]{16})"/;
is($redis->ask('HGET', "atelier:snap:$of:meta", 'generation'),
   $redis->ask('GET', $GENERATION), '... of the present generation');
is(cached($node, $during), 'L1', '... which is kept');
$node->reset_sandbox;

# Jobs for the workers.

$res = post($node, '/scrape/parallel?query=+Red%20SOFA+&x=1');
is($res->{status}, 202, 'a job is accepted');
is($res->{json}{accepted}, 1, '... one');
my ($entry) = grep { $_->[0] eq $res->{json}{jobs}[0] }
              @{ $redis->ask('XRANGE', 'atelier:feed:jobs', '-', '+') };
my %job = @{ $entry->[1] };
is($job{kind}, 'warm', '... for those who warm feeds');
is($job{args}, 'query=red%20sofa&page=1&perPage=100', '... in normal form');
is($job{request_id}, $res->{headers}{'x-request-id'}, "... with its request's id");
$res = Feed::get($node, "/designs?$job{args}");
is($res->{status}, 200, '... as /designs takes it');
$res = post($node, '/scrape/parallel',
            { query => 'caf' . chr(0xe9), kind => 'designs', category => 'x' });
is($res->{status}, 202, 'the same by JSON');

$res = post($node, '/scrape/parallel?query=+Red%20SOFA+&kind=products'
            . '&category=+Sofas+');
is($res->{status}, 202, 'a job for the shops');
($entry) = @{ $redis->ask('XRANGE', 'atelier:shop:jobs', '-', '+') };
is($entry->[0], $res->{json}{jobs}[0], '... by its id');
%job = @{ $entry->[1] };
like(delete $job{at}, qr/^\d{13}$/, '... with its time');
is_deeply(\%job, { kind => 'products', by => 'operator', query => 'red sofa',
                   page => 1, category => 'Sofas',
                   requestId => $res->{headers}{'x-request-id'} },
          '... in normal form');
post($node, '/scrape/parallel', { query => 'red sofa', kind => 'products',
                                  category => 'Sofas' });
is($redis->ask('XLEN', 'atelier:shop:jobs'), 2, '... as often as it is said');

# ... who do them, and clear Redis of what was invalidated.

my $worker = Worker->new('feed', {
    redis  => { address => $redis->address },
    egress => { socket => "$node->{home}/egress.sock" },
    hash   => { user_agent => 'Atelier test' },
});
$worker->ready;
Stack::until_true('the jobs to be done', sub {
    return $redis->ask('XLEN', 'atelier:feed:jobs') == 0
           && $redis->ask('XPENDING', 'atelier:invalidations', 'feed')->[0] == 0;
});
is($redis->ask('EXISTS', 'atelier:feed:jobs:dead')
   + $redis->ask('EXISTS', 'atelier:invalidations:dead'), 0, '... all of them');
$calls = Feed::calls($node);
is(Feed::get($node, '/designs?query=caf%C3%A9')->{status}, 200,
   'a reader of what was scraped');
is(Feed::calls($node), $calls, '... costs no call');
my $unread = Feed::get($node, '/designs?query=caf%C3%A9')->{json}{snapshot};
invalidate($node, "q=caf\x{e9};*", 'shared');
Stack::until_true('the worker to remove it', sub {
    return $redis->ask('EXISTS', "atelier:snap:$unread:meta") == 0;
});
$worker->signal('TERM');
is($worker->ended, 0, 'the worker ends');

$redis->ask('EVAL', q{for i = 1, 5000 do
    redis.call('XADD', 'atelier:feed:jobs', '*', 'kind', 'none') end}, 0);
$res = post($node, '/scrape/parallel?query=more');
is($res->{status}, 503, 'workers that are far behind');
is($res->{json}{code}, 'too_many_jobs', '... with its code');
is($res->{headers}{'retry-after'}, 30, '... and Retry-After');

# Redis goes, and comes back empty.

for my $each (@nodes) {
    snapshot($each, $_) for qw(sofa lamp);
}
$redis->kill;
links($_, 0) for @nodes;
$res = post($node, '/scrape/parallel?query=later');
is($res->{status}, 503, 'no job without Redis');
is($res->{headers}{'retry-after'}, 2, '... and Retry-After');
is($res->{json}{code}, 'jobs_unavailable', '... with its code');

$was{$_} = snapshot($nodes[1], $_) for qw(sofa lamp);
$was{here} = snapshot($node, 'sofa');
invalidate($node, 'q=sofa*', 'node');
isnt(snapshot($node, 'sofa'), $was{here}, '... which has another snapshot');
is(snapshot($nodes[1], 'sofa'), $was{sofa}, '... and no other node');

$node->control($_ => { latencyMs => 700 }) for @Feed::SOURCES;
$node->control(flickr => { latencyMs => 1500 });
$reader = Feed::connection($node);
print {$reader} "GET /designs?query=alone&perPage=20 HTTP/1.0\r\n\r\n";
ok($node->wait_for('flickr', 'inFlight>=1'), 'a fill is under way');
invalidate($node, 'q=alone*', 'node');
$text = do { local $/; readline $reader };
like($text, qr{^HTTP/1.1 200 }, '... and its reader is answered');
$node->reset_sandbox;

@walks = map { walks($_) } @nodes;
$redis->start;
links($_, 4) for @nodes;
is(cached($nodes[1], $_), 'L1', "$_ is still in memory") for qw(sofa lamp);
is(snapshot($nodes[1], $_), $was{$_}, '... as it was') for qw(sofa lamp);
my $next = invalidate($node, 'q=sofa*', 'shared');
cmp_ok($next, '>', $first, 'generations go on');
Stack::until_true('a walk', sub { return walks($nodes[1]) == $walks[1] + 1 });
isnt(snapshot($nodes[1], 'sofa'), $was{sofa}, 'another snapshot');
is(cached($nodes[1], 'lamp'), 'L1', '... of what matches');

$_->finish(allow => qr/exited on signal 9/) for @nodes;
done_testing();
