# What sources demand, on the running system: their own word on what is left
# holds, none is asked ahead of readers when that is little, nobody is asked
# more often at once than it allows, downloads are reported, and every design
# is shown as its source wants it.  Two nodes that share a Redis are one to
# them.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use HTTP::Tiny ();
use IO::Socket::UNIX ();
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;

my $redis = PrivateRedis->new;
my $stack = Stack->new(workers => 2, Feed::options(
    redis => $redis->address, params => { openverse => 'rate=1r/60s' }));

sub until_redis {
    my ($on) = @_;
    Stack::until_true('links to Redis', sub {
        my $sum = 0;
        $sum += $on->metric("atelier_redis_connections{use=\"$_\"}") // 0
            for qw(commands subscriptions);
        return $sum == 4;
    });
    return;
}

sub outcome {
    my ($res, $source) = @_;
    return $res->{json}{providers}{$source}{outcome} // 'none';
}

sub calls { return $stack->counters($_[0])->{calls} }

# What the sandbox was asked last of a source.
sub last_call {
    my ($source) = @_;
    my $res = HTTP::Tiny->new->get("$stack->{sandbox}/_control/$source");
    return JSON::PP::decode_json($res->{content})->{last};
}

# (status, decoded body)
sub fill {
    my ($args) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => "$stack->{home}/egress.sock")
        or die "connect: $!";
    $socket->autoflush(1);
    print {$socket} "POST /fill?$args HTTP/1.0\r\n\r\n";
    local $/;
    my $text = readline($socket) // '';
    my ($status) = $text =~ m{^HTTP/1\.1 (\d+)};
    return ($status, eval { JSON::PP::decode_json($text =~ s/.*?\r\n\r\n//sr) });
}

# The ixid of each photo as Unsplash gives it; the sandbox has some without.
sub given {
    my $args = join '&', map { "$_=" . last_call('unsplash')->{args}{$_} }
               keys %{ last_call('unsplash')->{args} };
    my $res = HTTP::Tiny->new->get(
        "$stack->{sandbox}/unsplash/search/photos?$args",
        { headers => { Authorization => 'Client-ID sk-sandbox-t' } });
    return map { ("unsplash:$_->{id}"
                  => $_->{urls}{full} =~ /[?&]ixid=([^&]+)/ ? $1 : undef) }
           @{ JSON::PP::decode_json($res->{content})->{results} };
}

sub post {
    my ($path) = @_;
    return $stack->http->post($stack->url($path))->{status};
}

until_redis($stack);

# Every design as its source wants it.

my $widths = join '|', 20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840;
my %ixid;
my %rule = (
    unsplash  => [ 'the ixid it was given, and utm in its links', sub {
        my ($d) = @_;
        my $given = $ixid{ $d->{id} };
        return (!defined $given
                || !grep({ !/[?&]ixid=\Q$given\E(?:&|$)/ } @$d{qw(url thumb)}))
               && !grep({ !/[?&]utm_source=\w/
                          || !/[?&]utm_medium=referral(?:&|$)/ }
                        @$d{qw(pageUrl authorUrl)});
    } ],
    flickr    => [ 'a licence to show it', sub {
        return $_[0]{license} =~ /^(?:CC|Public\ Domain|No\ known
                                  |United\ States\ Government)/x;
    } ],
    wikimedia => [ 'a standard width, or the original', sub {
        my ($d) = @_;
        return !grep { m{/thumb/} && !m{/(?:[^/]*-)?(?:$widths)px-[^/]+$} }
               @$d{qw(url thumb)};
    } ],
);

for my $source (@Feed::SOURCES) {
    my $res = Feed::get($stack, "/designs?query=chair&source=$source"
                                . '&perPage=100');
    my @designs = @{ $res->{json}{results} // [] };
    cmp_ok(scalar @designs, '>=', 15, "$source: a page");
    is((grep { $_->{source} ne $source } @designs), 0, '... of its own');
    for my $member (qw(attribution license pageUrl url thumb)) {
        is((grep { !length($_->{$member} // '') } @designs), 0,
           "... each with its $member");
    }
    %ixid = given() if $source eq 'unsplash';
    my ($what, $good) = @{ $rule{$source} // next };
    is(join(' ', map { $_->{id} } grep { !$good->($_) } @designs), '',
       "... each with $what");
}

cmp_ok((grep { defined } values %ixid), '>=', 20, 'unsplash gives such');
unlike(last_call('flickr')->{args}{license}, qr/(?:^|,)0(?:,|$)/,
       'flickr is not asked for what is all rights reserved');
like(last_call('wikimedia')->{headers}{'user-agent'}, qr/\S+@\S+/,
     'wikimedia is told whom to ask');

# A download is reported to who wants to know.

is(post('/designs/unsplash:abcdefghijk/download'), 204, 'a download');
is($stack->counters('unsplash')->{downloads}, 1, '... is reported');
is(last_call('unsplash')->{path}, '/unsplash/photos/abcdefghijk/download',
   '... at its own address');
my $before = Feed::calls($stack);
is(post("/designs/$_:1/download"), 204, "of $_: nobody wants to know")
    for grep { $_ ne 'unsplash' } @Feed::SOURCES;
is(Feed::calls($stack), $before, '... and nobody is told');

# Headers say less than the configured rate: they hold.

my $asked = calls('unsplash');
$stack->control(unsplash => { limit => 2, windowMs => 60000 });
my $two = 'source=unsplash,flickr&perPage=10';
is(outcome(Feed::get($stack, "/designs?query=quota$_&$two"), 'unsplash'), 'ok',
   "call $_ of two") for 1, 2;
my $res = Feed::get($stack, "/designs?query=quota3&$two");
is($res->{status}, 200, 'a page without the source that has none left');
is(outcome($res, 'unsplash'), 'rate_limited', '... which says so');
is(calls('unsplash'), $asked + 2, '... and was not asked');
is($stack->counters('unsplash')->{limited}, 0, '... so it had to refuse nobody');

# They say more than the configured rate of that time: they hold, too.

is(outcome(Feed::get($stack, "/designs?query=quota$_&source=openverse"),
           'openverse'), 'ok', "call $_ where one was configured") for 2 .. 4;
is(calls('openverse'), 4, '... all of them made');

# Less than a quarter is left: readers only.

$stack->reset_sandbox;
$stack->control(pexels => { longLimit => 5 });
$two = 'source=pexels,flickr&perPage=10';
Feed::get($stack, "/designs?query=spare$_&$two") for 1 .. 3;
my ($status, $json) = fill("query=spare4&$two&ahead=3");
is("$status $json->{status}", '200 filled', 'two of five are left: asked ahead');
is(calls('pexels'), 4, '... too');
my $flickr = calls('flickr');
($status, $json) = fill("query=spare5&$two&ahead=3");
is("$status $json->{status}", '200 filled', 'one of five is left');
is(calls('flickr'), $flickr + 1, '... others are asked ahead');
is(calls('pexels'), 4, '... it is not');
is(outcome(Feed::get($stack, "/designs?query=spare6&$two"), 'pexels'), 'ok',
   '... but for a reader');

# Three calls of Wikimedia at once, whichever workers make them.  All have to
# have their turn within the 3 s that a fill has.

$stack->control(wikimedia => { latencyMs => 150 });
my @readers = map { Feed::connection($stack) } 1 .. 9;
print { $readers[$_] } "GET /designs?query=many$_&source=wikimedia&perPage=5"
                       . " HTTP/1.0\r\nHost: t\r\n\r\n" for 0 .. $#readers;
my @lines = map { scalar readline $_ } @readers;
is((grep { m{ 200 } } @lines), 9, 'nine readers of nine feeds');
is(calls('wikimedia'), 9, '... are a call of Wikimedia each');
is($stack->counters('wikimedia')->{maxInFlight}, 3, '... three at once');
is($stack->counters('wikimedia')->{limited}, 0, '... and never more');

$stack->finish;

# Two nodes, one Redis, the same sources: cold readers of both are one call to
# each source, and see one snapshot.

my @nodes = map { Stack->new(workers => 2, Feed::options(
    redis => $redis->address)) } 1, 2;
$stack = $nodes[0];
$nodes[1]{sandbox} = $stack->{sandbox};
$nodes[1]->configure(Feed::options(redis => $redis->address));
$nodes[1]->reload;
until_redis($_) for @nodes;

$stack->control($_ => { latencyMs => 200 }) for @Feed::SOURCES;
$redis->ask('CONFIG', 'SET', 'slowlog-max-len', 10000);
$redis->ask('CONFIG', 'SET', 'slowlog-log-slower-than', 0);
my @answers = Feed::burst(\@nodes, '/designs?query=shared&perPage=20', 60);
is((grep { m{^HTTP/1.1 200 } } @answers), 60, 'sixty cold readers of two nodes');
is(Feed::calls($stack), join(' ', (1) x 7), '... are one call to each source');
my %bodies = map { (split /\r\n\r\n/, $_, 2)[1] => 1 } @answers;
is(scalar keys %bodies, 1, '... and see the same');

# What a fill brings goes to Redis in parts: a design is five words.

my @words = map { $_->[3][-1] =~ /\((\d+) more arguments\)/ ? $1 : () }
            @{ $redis->ask('SLOWLOG', 'GET', 10000) };
$redis->ask('CONFIG', 'SET', 'slowlog-log-slower-than', -1);
cmp_ok((grep { $_ > 300 } @words), '>=', 3, 'a fill is stored in parts');
is((grep { $_ > 600 } @words), 0, '... of a hundred designs at most');

my @walks = map { [ Feed::walk($_, '/designs?query=shared&perPage=20', 4) ] }
            @nodes;
is(join(' ', map { Feed::ids($_) } @{ $walks[1] }),
   join(' ', map { Feed::ids($_) } @{ $walks[0] }), '... on later pages, too');
my ($next) = map { $_->{json}{next} } $walks[0][3];
my $there = Feed::get($nodes[1], $next);
is($there->{status}, 200, 'who goes on on the other node');
is($there->{json}{snapshot}, $walks[0][0]{json}{snapshot},
   '... stays in the snapshot');
my %seen = map { $_ => 1 } map { Feed::ids($_) } @{ $walks[0] };
is((grep { $seen{$_} } Feed::ids($there)), 0, '... and sees nothing twice');

# A fill that takes longer than the lease over nodes, which is 2 s, keeps it.
# It has 3 s: what the others brought is a page, even if this one is too late.

$stack->reset_sandbox;
$stack->control($Feed::SOURCES[0] => { latencyMs => 2500 });
is(Feed::get($nodes[1], '/designs?query=slow&perPage=20')->{status}, 200,
   'a slow page');
is(Feed::calls($stack), join(' ', (1) x 7), '... is one call to each source');
$stack->reset_sandbox;

# A node dies while it fills.  While its lease lasts readers elsewhere wait no
# longer than to their deadline; afterwards they get the page.

for ([ 'for ever', 600000, 503 ], [ 'for a time', 1000, 200 ]) {
    my ($what, $ms, $status) = @$_;
    my $path = "/designs?query=$status&perPage=20";
    my ($key) = (Feed::get($nodes[0], $path)->{headers}{'surrogate-key'} // '')
                =~ /feed-([0-9a-f]{32})/;
    my @keys = @{ $redis->ask('KEYS', 'atelier:*') };
    $redis->ask('DEL', @keys);
    $redis->ask('SET', "atelier:lease:$key", '0' x 24, 'PX', $ms);
    is(Feed::get($nodes[1], $path)->{status}, $status,
       "a lease of a dead node that lasts $what: $status");
}

$_->finish for reverse @nodes;

# The report of a download says which search the picture is of, as far as its
# address is known.  Reports have a fifth of a rate, of which a new nginx takes
# half as used.

my $db = Postgres->new;
$stack = Stack->new(workers => 1, Feed::options(
    sources => ['unsplash'], params => { unsplash => 'rate=50r/1h' },
    http => 'atelier_postgres "' . $db->conninfo . '" timeout=20s;'));
my %address = (knownphotoX => '&ixid=M3w%3D', plainphotoX => '',
               longxphotoX => '&x=' . 'y' x 3000);
while (my ($name, $more) = each %address) {
    $db->sql('INSERT INTO atelier.design (id, data) VALUES'
             . " ('unsplash:$name', '{\"id\":\"unsplash:$name\","
             . "\"url\":\"https://images.unsplash.com/p?q=85$more\"}')");
}
Stack::until_true('PostgreSQL', sub {
    return $stack->http->get($stack->url('/health/ready'))->{content}
           =~ /"postgres":"ok"/;
});

sub reported {
    my ($what, $name, $ixid) = @_;
    is(post("/designs/unsplash:$name/download"), 204, "$what: reported");
    my $last = last_call('unsplash');
    is($last->{path}, "/unsplash/photos/$name/download", '... itself');
    is($last->{args}{ixid}, $ixid, '... with its ixid');
    return;
}

reported('a design that is stored', 'knownphotoX', 'M3w=');
reported('one without', 'plainphotoX', undef);
reported('one whose address is too long', 'longxphotoX', undef);
reported('one that is not stored', 'otherphotoX', undef);
$db->stop;
reported('without PostgreSQL', 'knownphotoX', undef);
is(post('/designs/unsplash:knownphotoX/download'), 503, 'more than are allowed');
is($stack->counters('unsplash')->{downloads}, 5, '... are not reported');
$res = Feed::get($stack, '/designs?query=left&source=unsplash&perPage=10');
is(outcome($res, 'unsplash'), 'ok', '... and leave calls for searches');
$stack->finish;
done_testing();
