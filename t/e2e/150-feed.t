# The endless feed on the running system: every source is asked once, pages
# are slices that never repeat, and a walk of twenty pages goes on while
# sources fail, Redis dies and comes back, and nginx is reloaded.

use strict;
use warnings;
use lib 't/helper';
use Feed;
use PrivateRedis;
use Stack;
use Test::More;

my $redis = PrivateRedis->new;
my %feed = (redis => $redis->address,
            redis_params => 'timeout=2s connect_timeout=10s');
my $stack = Stack->new(workers => 2, Feed::options(%feed));

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

# While Redis hangs, a source may have to wait for its leave for too long.
sub late {
    my ($page) = @_;
    return scalar grep { $_->{outcome} eq 'timeout' }
        values %{ $page->{json}{providers} };
}

# No page twice, no design twice, each page full; while Redis hangs but where
# it says that a source did not come in time.
my $hangs = 'Redis comes back as it was';
sub walked {
    my ($what, $n, $per, @pages) = @_;
    is(scalar @pages, $n, "$what: $n pages");
    is(join(' ', map { $_->{status} } @pages), join(' ', (200) x $n),
       '... all of them answered');
    is(join(' ', map { $what eq $hangs && late($_) && Feed::ids($_) ? $per
                       : scalar Feed::ids($_) } @pages),
       join(' ', ($per) x $n), '... none of them short');
    my %seen;
    $seen{$_}++ for map { Feed::ids($_) } @pages;
    is(scalar(grep { $_ > 1 } values %seen), 0, '... and no design twice');
    my %snapshots = map { $_->{json}{snapshot} => 1 } @pages;
    is(scalar keys %snapshots, 1, '... in one snapshot');
    is(scalar(grep { $_->{json}{restarted} } @pages), 0,
       '... never begun anew');
    return;
}

until_redis(4);

# Pages 1 to 4 of 35 are one call to each source.

my @pages = Feed::walk($stack, '/designs?query=sofa&perPage=35', 4);
walked('pages of 35', 4, 35, @pages);
is(Feed::calls($stack), join(' ', (1) x 7), '... from one call to each source');
is($pages[0]{cache}, 'MISS', 'the first was got');
is($pages[1]{cache}, 'L2', 'the others were there');

my $first = $pages[0]{json};
is_deeply([ sort keys %{ $first->{providers} } ], [ sort @Feed::SOURCES ],
          'every source has its part');
is(scalar(grep { $_->{outcome} ne 'ok' } values %{ $first->{providers} }), 0,
   '... and was well');
is(scalar(keys %{ { map { $_->{source} => 1 } @{ $first->{results} } } }), 7,
   'the first page has something of each');
is($first->{next},
   "/designs?query=sofa&page=2&perPage=35&snapshot=$first->{snapshot}",
   'the next page is in the same snapshot');
is($pages[0]{headers}{link}, "<$first->{next}>; rel=\"next\"",
   '... and in a header');

# Other parameters of the same meaning are the same feed.

is(Feed::get($stack, '/designs?perPage=35&x=1&query=%20SoFa+')->{content},
   $pages[0]{content}, 'case, blanks, order and strange parameters');
is(Feed::calls($stack), join(' ', (1) x 7), '... ask nobody');

# Two pages of 100.

$stack->reset_sandbox;
walked('pages of 100', 2, 100,
       Feed::walk($stack, '/designs?query=lamp&perPage=100', 2));
is(Feed::calls($stack), join(' ', (1) x 7), '... from one call to each source');

# A page that was seen stays as it is.

my @again = Feed::walk($stack, $pages[0]{json}{next}, 3);
is(join(' ', map { Feed::ids($_) } @again),
   join(' ', map { Feed::ids($_) } @pages[ 1 .. 3 ]), 'pages do not move');

# Twenty pages, whatever happens.

my $walk = sub {
    my ($i) = @_;
    if ($i == 5) {
        $redis->kill;
        until_redis(0);
    }
    $stack->control($_ => { mode => 'status', status => 500 })
        for $i == 8 ? qw(pexels flickr) : ();
    if ($i == 10) {
        $redis->start;
        until_redis(4);
    }
    $stack->reload if $i == 14;
    $stack->control($_ => {}) for $i == 16 ? qw(pexels flickr) : ();
    return;
};
$stack->reset_sandbox;
walked('whatever happens', 20, 35,
       Feed::walk($stack, '/designs?query=rug&perPage=35', 20, $walk));

# Redis is away for a while and comes back with all it had: it does not know
# what was seen meanwhile, and that is not shown again.

$stack->reset_sandbox;
until_redis(4);
walked($hangs, 12, 100,
       Feed::walk($stack, '/designs?query=bench&perPage=100', 12, sub {
           my ($i) = @_;
           if ($i == 3) {
               $redis->pause;
           }
           if ($i == 6) {
               $redis->resume;
               until_redis(4);
           }
           return;
       }));

# Without any of these it needs no more than seven calls for each batch.

$stack->reset_sandbox;
until_redis(4);
@pages = Feed::walk($stack, '/designs?query=desk&perPage=100', 20);
walked('undisturbed', 20, 100, @pages);
my @calls = split ' ', Feed::calls($stack);
my $batches = grep { $_->{cache} eq 'MISS' } @pages;
is(scalar(grep { $_ > $batches } @calls), 0,
   "... with at most one call of each source ($batches batches: @calls)");

# Redis that was never there.

$redis->kill;
until_redis(0);
$stack->reset_sandbox;
walked('without Redis', 12, 35,
       Feed::walk($stack, '/designs?query=mirror&perPage=35', 12));

# An id nobody knows.

my $res = Feed::get($stack, '/designs?query=vase&perPage=10'
                            . '&snapshot=00112233aabbccdd&page=2');
is($res->{status}, 200, 'an unknown snapshot is answered');
isnt($res->{json}{snapshot}, '00112233aabbccdd', '... by another');
ok($res->{json}{restarted}, '... which says so');

$redis->start;
until_redis(4);
$res = Feed::get($stack, '/designs?query=chair&perPage=10'
                         . '&snapshot=00112233aabbccdd&page=1');
is($res->{status}, 200, '... with Redis, too');
ok($res->{json}{restarted}, '... and says so');

# Some sources only.

$stack->reset_sandbox;
$res = Feed::get($stack, '/designs?query=bed&source=flickr,wikimedia');
is_deeply([ sort keys %{ $res->{json}{providers} } ], [qw(flickr wikimedia)],
          'only those that are asked for');
is(Feed::calls($stack), '0 0 0 1 1 0 0', '... and no other call');

# Six of seven fail in their own ways; the page is there all the same.

$stack->reset_sandbox;
$stack->control(unsplash => { mode => 'status', status => 500 });
$stack->control(pixabay => { mode => 'hang' });
$stack->control(flickr => { mode => 'rate_limit' });
$stack->control(wikimedia => { mode => 'garbage', variant => 'html' });
$stack->control(rawpixel => { mode => 'reset' });
$stack->control(openverse => { mode => 'hang' });
$res = Feed::get($stack, '/designs?query=stool&perPage=20');
is($res->{status}, 200, 'six sources fail: answered');
is(scalar Feed::ids($res), 20, '... with a whole page of the seventh');
is_deeply({ map { $_ => $res->{json}{providers}{$_}{outcome} } @Feed::SOURCES },
          { pexels => 'ok', unsplash => 'error', pixabay => 'timeout',
            flickr => 'rate_limited', wikimedia => 'parse',
            rawpixel => 'error', openverse => 'timeout' },
          '... and says what became of each');
like($res->{headers}{'cache-control'}, qr/s-maxage=60,/,
     '... and is kept for a minute only');

$stack->finish;

# A call that had to wait for leave until shortly before the deadline has had
# no chance: that it came to nothing says nothing of its source.  What was good
# before speaks for it no longer than fail_timeout.

my $one = Stack->new(workers => 1, Feed::options(
    %feed, sources => ['wikimedia'],
    params => { wikimedia => 'max_in_flight=1 max_fails=1 fail_timeout=300ms' }));
$one->control(wikimedia => { latencyMs => 1900 });
my @readers = map { Feed::connection($one) } 1, 2;
print { $readers[$_] } "GET /designs?query=stool$_ HTTP/1.0\r\nHost: t\r\n\r\n"
    for 0, 1;
my @lines = map { scalar readline $_ } @readers;
is((grep { m{ 200 } } @lines), 1, 'one call at a time: one has its turn');
is($one->metric('atelier_source_outcomes_total'
                . '{source="wikimedia",outcome="timeout"}'), 1,
   '... and the other is too late');
is($one->metric('atelier_source_breaker{source="wikimedia"}'), 0,
   '... which the source is not held to');
$one->finish;

done_testing();
