# atelier-feed as a process: settings, jobs that survive the death of a worker
# and of Redis, two at once, stop and reload.  What it does with pictures is
# in 171-repeats.t.

use strict;
use warnings;
use lib 't/helper';
use FakeHttp;
use PrivateRedis;
use Test::More;
use Worker;

my $redis = PrivateRedis->new;
my $egress = FakeHttp->new(unix => 1, answer => sub {
    my ($fake, $method, $path, $headers) = @_;
    my $id = $headers->{'x-request-id'} // '';
    $fake->hold('go') if $id =~ /^hold/;
    return (503, '{}', 'Retry-After: 1') if $id =~ /^away/
                                            && !$fake->is_let('back');
    return (400, '{}') if $id =~ /^bad/;
    return (200, qq({"status":"filled","id":"$id"}));
});

sub settings {
    my (%more) = @_;
    my %all = (
        redis  => { address => $redis->address, timeout => '5s' },
        egress => { socket => $egress->address, timeout => '30s' },
        jobs   => { claim_after => '31s', threads => 2, attempts => 4 },
        hash   => { user_agent => 'Atelier test', scan => '1s' },
    );
    for my $section (keys %more) {
        $all{$section} = { %{ $all{$section} // {} }, %{ $more{$section} } };
    }
    return \%all;
}

# Of one that takes over what another one has begun.
sub soon {
    return settings(egress => { timeout => '1900ms' },
                    jobs => { claim_after => '2s' });
}

sub job {
    return $redis->ask('XADD', 'atelier:feed:jobs', '*', @_);
}

sub left {
    return $redis->ask('XLEN', 'atelier:feed:jobs');
}

sub dead {
    return map { my %f = @{ $_->[1] }; \%f }
           @{ $redis->ask('XRANGE', 'atelier:feed:jobs:dead', '-', '+') };
}

sub seen { my ($what) = @_; return scalar grep { /$what/ } $egress->seen }

sub until_true { return Worker::until_true(@_) }

# Settings that are wrong.

sub refused {
    my ($text) = @_;
    my $worker = Worker->new('feed', {}, later => 1);
    $worker->write($text);
    my $out = `@{[ Worker::binary('feed') ]} -t -c $worker->{file} 2>&1`;
    isnt($?, 0, 'it says no by its status');
    $out =~ s/\Q$worker->{file}\E/FILE/g;
    return $out;
}

my $good = "[worker]\nlisten = 127.0.0.1:0\n"
         . "[redis]\naddress = unix:/s\n[egress]\nsocket = /e\n"
         . "[hash]\nuser_agent = x\n";
like(refused("[worker]\nlissten = 1\n"),
     qr/FILE:2: "lissten" is not known in \[worker\]/, 'unknown key');
like(refused("$good\[jobs]\nthreads = many\n"),
     qr/FILE:10: "many" of "threads" is not a number/, 'no number');
like(refused("$good\[jobs]\nthreads = 0\n"),
     qr/FILE:10: "0" of "threads" is out of range: 1 to 32 are taken/,
     'out of range');
like(refused("[worker]\nlisten = 0.0.0.0:80\n"),
     qr/FILE:2: .* is no address of this machine/, 'the world must not listen');
like(refused("$good\[hash]\nallow_address = localhost\n"),
     qr/FILE:10: "localhost" of "allow_address" is no address/, 'no address');
like(refused("[worker]\nlisten = 127.0.0.1:0\n"), qr/FILE: "address" is missing/,
     'a key that has to be there');
like(refused("$good\[jobs]\nclaim_after = 5s\n"),
     qr/"timeout" in \[egress\] must be shorter/, 'times that do not fit');

# A job of each kind of end.

my $worker = Worker->new('feed', settings());
$worker->ready;

job(kind => 'prefetch', args => 'query=red+sofa&page=3&perPage=20',
    request_id => 'one');
until_true('the job', sub { left() == 0 });
is_deeply([ $egress->seen ],
          ['POST /fill?query=red+sofa&page=3&perPage=20&ahead=3'],
          'a prefetch is asked of /fill');
until_true('its line', sub { $worker->events('job.done') });
is(($worker->events('job.done'))[0]{requestId}, 'one',
   'the request id is in the log');

job(kind => 'scrape', query => 'a "chair" & more', request_id => 'two');
until_true('the job', sub { left() == 0 });
is(($egress->seen)[-1], 'POST /fill?query=' . join('', map { sprintf '%%%02X',
   ord } split //, 'a "chair" & more'), 'a plain query is encoded');

job(kind => 'prefetch', args => 'page=0', request_id => 'three');
job(kind => 'prefetch', args => "query=a\r\nX: y", request_id => 'four');
job(kind => 'dance', request_id => 'five');
job(kind => 'prefetch', args => 'query=x', request_id => 'bad');
job(kind => 'hash', snapshot => '../../etc/passwd', request_id => 'six');
until_true('five dead jobs', sub { left() == 0 && dead() == 5 });
my %why = map { $_->{request_id} => $_->{deadReason} } dead();
like($why{three}, qr/^page: /, 'arguments that /designs would refuse');
like($why{four}, qr/byte that a URL cannot have/, 'arguments with a line');
like($why{five}, qr/kind "dance" is not known/, 'an unknown kind');
like($why{bad}, qr/status 400/, 'what nginx refuses');
like($why{six}, qr/16 hexadecimal/, 'no snapshot');
is(seen('x'), 1, '... was asked for once');
$redis->ask('DEL', 'atelier:feed:jobs:dead');

# It is tried again, and in the end kept with its reason.

job(kind => 'prefetch', args => 'query=later', request_id => 'away1');
until_true('a second try', sub { seen('later') >= 2 });
$egress->let('back');
until_true('the job', sub { left() == 0 });
is(dead(), 0, 'a passing failure passes');
$egress->unlet('back');
job(kind => 'prefetch', args => 'query=never', request_id => 'away2');
until_true('a dead job', sub { dead() == 1 });
is(seen('never'), 4, 'so many attempts as the settings say');
is((dead())[0]{deadAttempts}, 4, '... which is kept');
is(left(), 0, '... and the job is off the stream');
$egress->let('back');
$redis->ask('DEL', 'atelier:feed:jobs:dead');

# Killed in the middle of a job: another one does it, and it is ended once.

job(kind => 'prefetch', args => 'query=killed', request_id => 'hold1');
until_true('the job to be under way', sub { seen('killed') == 1 });
$worker->signal('KILL');
is($worker->ended, -9, 'killed');
is(left(), 1, 'the job is still there');
$egress->let('go');
my $second = Worker->new('feed', soon());
until_true('the job', sub { left() == 0 });
is(seen('killed'), 2, 'it was begun again');
until_true('its line', sub { $second->events('job.done') });
my @done = $second->events('job.done');
is(scalar @done, 1, '... and done once');
is($done[0]{attempt}, 2, '... by the second attempt');
is(dead(), 0, 'nothing is dead');
$egress->unlet('go');
$second->settings(settings());
$second->signal('HUP');
until_true('its usual settings', sub { $second->events('reloaded') });

# Two at once share the work: every job is done by one of them.

my $third = Worker->new('feed', settings());
$third->ready;
$egress->forget;
job(kind => 'prefetch', args => "query=many$_", request_id => "many$_")
    for 1 .. 200;
until_true('200 jobs', sub { left() == 0 });
my %times;
$times{$_}++ for grep { /many/ } $egress->seen;
is(scalar keys %times, 200, 'all are asked for');
is((grep { $_ != 1 } values %times), 0, '... each once');

# It is counted when Redis has said that the job is off the stream.

my @by;
until_true('the last one to be counted', sub {
    @by = map { $_->metric('atelier_feed_jobs_total{result="done"}') }
          $second, $third;
    return $by[0] + $by[1] >= 201;
});
is($by[0] + $by[1], 201, 'what they count is what was done');
ok($by[0] > 1 && $by[1] > 0, 'both have worked');

# TERM in the middle of a job: it is finished, and the process ends.

job(kind => 'prefetch', args => 'query=term', request_id => 'hold2');
until_true('the job to be under way', sub { seen('query=term') == 1 });
my ($has) = grep { ($_->metric('atelier_feed_jobs_running') // 0) == 1 }
            $second, $third;
$has->signal('TERM');
until_true('it to say so', sub {
    my ($status, $body) = $has->get('/health/ready');
    return $status == 503 && $body =~ /"stopping"/;
});
$egress->let('go');
is($has->ended, 0, 'TERM ends it well');
until_true('the job', sub { left() == 0 });
is(seen('query=term'), 1, 'what was under way is done, once');

# ... and one that never ends is somebody else's after stop_timeout.

$egress->unlet('go');
my ($other) = grep { $_ != $has } $second, $third;
$other->signal('TERM');
is($other->ended, 0, 'TERM ends an idle one');
is(scalar @{ $redis->ask('XINFO', 'CONSUMERS', 'atelier:feed:jobs', 'feed') },
   2, 'their consumers are gone; those of the killed one are left');
my $stuck = Worker->new('feed', settings(
    worker => { stop_timeout => '1s' }));
$stuck->ready;
job(kind => 'prefetch', args => 'query=stuck', request_id => 'hold3');
until_true('the job to be under way', sub { seen('stuck') == 1 });
$stuck->signal('TERM');
is($stuck->ended, 1, 'the stop is bounded');
is(left(), 1, 'the job is not lost');
$egress->let('go');
my $heir = Worker->new('feed', soon());
until_true('the job', sub { left() == 0 });
is(seen('stuck'), 2, 'another one does it');

# Redis goes away and comes back empty.

$heir->ready;
$redis->kill;
until_true('it to notice', sub { ($heir->get('/health/ready'))[0] == 503 });
$redis->start;
$heir->ready;
job(kind => 'prefetch', args => 'query=after', request_id => 'seven');
until_true('the job', sub { seen('query=after') == 1 && left() == 0 });
pass('jobs are served again, with a new group');
ok($heir->events('redis.away') && $heir->events('redis.back'),
   'both are in the log');

# Redis that stands still.

$redis->pause;
until_true('it to notice', sub { ($heir->get('/health/ready'))[0] == 503 });
is(($heir->get('/health/live'))[0], 200, 'it lives');
$redis->resume;
$heir->ready;

# Settings are read anew; bad ones change nothing.

$heir->settings(settings(jobs => { threads => 'x' }));
$heir->signal('HUP');
until_true('the refusal', sub { $heir->events('reload.refused') });
like(($heir->events('reload.refused'))[0]{error}, qr/feed\.conf:\d+: "x"/,
     'with file and line');
job(kind => 'prefetch', args => 'query=old', request_id => 'eight');
until_true('the job', sub { left() == 0 });
$heir->settings(settings(warm => { query => [ 'sofa', 'lamp' ],
                                   every => '1h' }));
$heir->signal('HUP');
until_true('the new ones', sub { $heir->events('reloaded') });

# Queries are warmed, by one of two, once in the time that is set.

until_true('two queries', sub { seen('query=%73') + seen('query=%6C') == 2 });
my $twin = Worker->new('feed', settings(
    warm => { query => [ 'sofa', 'lamp' ], every => '1h' }));
$twin->ready;
$heir->signal('HUP');
until_true('a reload', sub { $heir->events('reloaded') == 2 });
job(kind => 'prefetch', args => 'query=last', request_id => 'nine');
until_true('the job', sub { left() == 0 });
is(seen('query=%73') + seen('query=%6C'), 2, 'each is warmed once');
is($heir->metric('atelier_feed_warmed_total'), 2, 'metrics say so');

# Invalidations: what is older goes, in Redis, and nothing else.

sub snapshot {
    my ($id, $feed, $text, $generation) = @_;
    $redis->ask('HSET', "atelier:snap:$id:meta", feed => $feed,
                text => $text, generation => $generation);
    $redis->ask('HSET', "atelier:snap:$id:items", 'pexels:1' => '{}');
    $redis->ask('ZADD', "atelier:snap:$id:pending", 1, 'pexels:1');
    $redis->ask('HSET', "atelier:feed:$feed", snapshot => $id);
    return;
}
snapshot('a' x 16, '1' x 32, 'q=red sofa;o=;c=;s=', 4);
snapshot('b' x 16, '2' x 32, 'q=blue lamp;o=;c=;s=', 4);
snapshot('c' x 16, '3' x 32, 'q=green sofa;o=;c=;s=', 5);
$redis->ask('XADD', 'atelier:invalidations', '*', generation => 5,
            pattern => 'q=*sofa*', request_id => 'inv');
until_true('the invalidation', sub {
    return grep { $_->events('invalidation.done') } $heir, $twin;
});
is_deeply([ sort @{ $redis->ask('KEYS', 'atelier:snap:*:meta') } ],
          [ map { 'atelier:snap:' . $_ x 16 . ':meta' } 'b', 'c' ],
          'the snapshot that matches and is older is gone');
is($redis->ask('EXISTS', 'atelier:snap:' . 'a' x 16 . ':pending',
               'atelier:feed:' . '1' x 32), 0, '... with all it had');
is($redis->ask('EXISTS', 'atelier:feed:' . '2' x 32,
               'atelier:feed:' . '3' x 32), 2, 'others have their heads');
is($redis->ask('XLEN', 'atelier:invalidations'), 1,
   'the entry stays for nginx');

$_->signal('TERM') for $heir, $twin;
is($_->ended, 0, 'ends well') for $heir, $twin;

done_testing();
