# atelier-queue as a process, with a stand-in for /attempt: every kind of
# answer, retries and their bounds, limits, death of a worker, of PostgreSQL
# and of Redis, places told to those who watch, stop and reload.

use strict;
use warnings;
use lib 't/helper';
use FakeHttp;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Test::More;
use Time::HiRes ();
use Worker;

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $one = $db->session;

# The prompt says what /attempt answers: "done", "422", "hold" until let, ...

my $egress = FakeHttp->new(unix => 1, answer => sub {
    my ($fake, $method, $path, $headers, $body) = @_;
    my $asked = eval { JSON::PP::decode_json($body) }
        or return (400, '{"code":"invalid_json","detail":"what?"}');
    my ($id, $prompt) = ($asked->{id}, $asked->{request}{prompt});
    keep_note($fake, "$id $asked->{fence} $prompt $body");
    my ($word, @more) = split ' ', $prompt;
    return (404, '<html>') if !$fake->is_let('nginx');
    $fake->hold($more[0]) if $word eq 'hold';
    if ($word eq 'limited' && !$fake->is_let('free')) {
        return problem(503, 'providers_unavailable', 'limited', 'rate_limited',
                       'Retry-After: 1');
    }
    return problem(@more) if $word eq 'problem';
    return (500, '<html>') if $word eq 'poison';
    return problem(409, 'busy') if $word eq 'busy' && $asked->{fence} == 1;
    return problem(503, 'providers_unavailable', 'transient')
        if $word eq 'twice' && $asked->{fence} <= 2;
    return if $word eq 'break' && $asked->{fence} == 1;
    return (200, 'hello') if $word eq 'garbage' && !$fake->is_let('sense');
    if ($word eq 'adopt' && !@{ $asked->{jobs} }) {
        return (503, '{"code":"providers_unavailable","detail":"late",'
            . '"attempts":[{"provider":"replicate","outcome":"deadline"}],'
            . '"jobs":[{"provider":"replicate","job":"j1"}]}');
    }
    return (200, answer($id));
});

sub problem {
    my ($status, $code, @outcomes) = @_;
    my @headers = grep { /:/ } @outcomes;
    my $attempts = join ',', map { qq({"provider":"p","outcome":"$_"}) }
                   grep { !/:/ } @outcomes;
    return ($status, qq({"type":"about:blank","status":$status,)
                     . qq("code":"$code","detail":"it was $code",)
                     . qq("attempts":[$attempts],"jobs":[]}), @headers);
}

sub answer {
    my ($id) = @_;
    return qq({"id":"$id","status":"done","url":"/generated/$id.png"});
}

# What was attempted: "id fence prompt body", in order.
sub keep_note {
    my ($fake, $text) = @_;
    open my $out, '>>', "$fake->{dir}/notes" or die $!;
    syswrite $out, "$text\n";
    return;
}

sub notes {
    my ($what) = @_;
    open my $in, '<', "$egress->{dir}/notes" or return;
    chomp(my @lines = readline $in);
    return grep { /$what/ } @lines;
}

sub forget { open my $out, '>', "$egress->{dir}/notes" or die $!; return }

sub settings {
    my (%more) = @_;
    my %all = (
        redis    => { address => $redis->address, timeout => '5s' },
        postgres => { conninfo => $db->conninfo, timeout => '10s' },
        egress   => { socket => $egress->address, timeout => '9900ms' },
        attempts => { lease => '10s', tries => 4, retry => '50ms',
                      retry_max => '200ms', poll => '100ms', parallel => 4 },
    );
    for my $section (keys %more) {
        $all{$section} = { %{ $all{$section} // {} }, %{ $more{$section} } };
    }
    return \%all;
}

sub until_true { return Worker::until_true(@_) }

my $next = 0;

# Into the queue: its id.
sub request {
    my ($prompt, $visitor) = @_;
    my $id = sprintf '%032x', ++$next;
    my ($row) = $one->ask('SELECT state FROM atelier.generation_queue('
        . "'$id', '" . sprintf('\x%032x', $visitor // 1)
        . qq(', '{"prompt":"$prompt"}', '', NULL, NULL, NULL, 'req-$next',)
        . " '[]', 4000000000000)");
    die "not queued: $row" if $row ne 'queued';
    return $id;
}

sub get {
    my ($id) = @_;
    return JSON::PP::decode_json(
        scalar $one->ask("SELECT atelier.generation_get('$id')"));
}

sub row {
    my ($id, $columns) = @_;
    return scalar $one->ask("SELECT $columns FROM atelier.generation"
                            . " WHERE id = '$id'");
}

sub ended {
    my ($id, $status) = @_;
    until_true("$id to be $status",
               sub { get($id)->{status} eq $status });
    return get($id);
}

sub left {
    return $one->ask('SELECT count(*) FROM atelier.generation'
                     . " WHERE status IN ('queued', 'running')");
}

my $worker;

sub metric { return $worker->metric("atelier_queue_$_[0]") // -1 }

# Settings that are wrong.

sub refused {
    my ($text) = @_;
    my $worker = Worker->new('queue', {}, later => 1);
    $worker->write($text);
    my $out = `@{[ Worker::binary('queue') ]} -t -c $worker->{file} 2>&1`;
    isnt($?, 0, 'it says no by its status');
    $out =~ s/\Q$worker->{file}\E/FILE/g;
    return $out;
}

my $good = "[worker]\nlisten = 127.0.0.1:0\n"
         . "[postgres]\nconninfo = host=/p\n[egress]\nsocket = /e\n";
like(refused("$good\[attempts]\nlease = 90s\n"),
     qr/"timeout" in \[egress\] must be shorter than "lease"/,
     'times that do not fit');
like(refused("$good\[attempts]\nparallel = 0\n"),
     qr/FILE:8: "0" of "parallel" is out of range: 1 to 256/, 'no attempts');
like(refused("[worker]\nlisten = 127.0.0.1:0\n"),
     qr/FILE: "conninfo" is missing/, 'no database');
is(system(Worker::binary('queue') . ' -t -c conf/queue.conf > /dev/null'), 0,
   'the example is right');

# Without nginx it waits, and nothing counts as a try.

forget();
$worker = Worker->new('queue', settings());
$worker->ready;
my $id = request('done');
until_true('two tries', sub { notes($id) >= 2 });
$egress->let('nginx');
ended($id, 'done');
is(row($id, 'tries'), 1, 'an nginx that is not there costs no try');

# Each kind of end.

my $body = (notes($id))[0];
is_deeply(JSON::PP::decode_json($body =~ s/^\S+ \d+ done //r),
          { id => $id, fence => 1, request => { prompt => 'done' },
            jobs => [], requestId => 'req-1' }, 'what /attempt is asked');
is_deeply(get($id), JSON::PP::decode_json(answer($id)), 'done');

$id = request('problem 422 moderated moderated');
is_deeply(ended($id, 'failed'),
          { id => $id, status => 'failed', code => 'moderated',
            detail => 'it was moderated',
            attempts => [{ provider => 'p', outcome => 'moderated' }] },
          'moderated is the end, with its reason');
is(scalar notes($id), 1, '... at once');
$id = request('problem 502 providers_rejected credential');
is(ended($id, 'failed')->{code}, 'providers_rejected', 'so is a wrong key');
$id = request('problem 400 out_of_range');
is(ended($id, 'failed')->{code}, 'out_of_range', '... and a wrong request');

$id = request('twice');
ended($id, 'done');
is(row($id, 'tries'), 3, 'what passes is tried again');
$id = request('problem 503 providers_unavailable transient deadline');
is(ended($id, 'failed')->{code}, 'providers_unavailable',
   'what does not pass ends with its reason');
is(scalar notes($id), 4, '... after so many tries');
is(scalar @{ get($id)->{attempts} }, 2, '... and the last attempts');
$id = request('poison');
is(ended($id, 'failed')->{code}, 'attempt_failed',
   'one that nginx cannot stand ends, too');
is(scalar notes($id), 4, '... and holds up nobody for ever');
$id = request('busy');
ended($id, 'done');
is(row($id, 'tries'), 1, 'one that another one is at is no try');
$id = request('break');
ended($id, 'done');
is(row($id, 'tries'), 2, 'a connection that breaks is a try');
$id = request('garbage');
until_true('it to be asked', sub { notes($id) >= 2 });
$egress->let('sense');
ended($id, 'done');
is(row($id, 'tries'), 1, 'what is no answer of /attempt is not');

$id = request('adopt');
ended($id, 'done');
is(row($id, 'tries'), 1, 'a job that is adopted is no try');
like((notes($id))[1], qr/"jobs":\[\{"provider":"replicate","job":"j1"\}\]/,
     '... and handed to the next attempt');

$id = request('hold never');
until_true('it to be asked', sub { notes($id) });
until_true('a second try', sub { notes($id) >= 2 });
is(row($id, 'tries >= 2'), 't', 'no answer in time is a try');
is($one->ask("SELECT atelier.generation_cancel('$id', '"
             . sprintf('\x%032x', 1) . "')"), 'cancelled', 'cancelled');
until_true('it to be given up', sub { metric('running') == 0 });
is(get($id)->{status}, 'cancelled', 'while it is at work: nothing comes of it');

# A limit is waited for by all, and is no try.

forget();
my @ids = map { request("limited $_", $_) } 1 .. 6;
until_true('the worker to wait', sub {
    return metric('paused') && metric('running') == 0;
});
my $asked = notes('limited');
cmp_ok($asked, '<=', 4, 'no more are asked than there is room for');
until_true('another look', sub { notes('limited') > $asked });
cmp_ok(notes('limited'), '<', $asked + 4,
       '... and one by one, after the time that nginx named');
is(left(), 6, 'all of them wait');
$egress->let('free');
ended($_, 'done') for @ids;
is($one->ask('SELECT max(tries) FROM atelier.generation WHERE id >= '
             . "'$ids[0]'"), 1, 'and none has been tried before');

# Cancelled in the middle; the picture that comes after it is not wanted.

$id = request('hold picture');
until_true('it to be asked', sub { notes($id) });
my $lease = row($id, 'lease_until');
until_true('more time', sub { row($id, 'lease_until') ne $lease });
is(row($id, 'status, fence'), 'running|1', 'its lease is kept meanwhile');
$one->ask("SELECT atelier.generation_cancel('$id', '"
          . sprintf('\x%032x', 1) . "')");
$egress->let('picture');
until_true('its end', sub { grep { $_->{id} eq $id }
                            $worker->events('attempt.discarded') });
is(get($id)->{status}, 'cancelled', 'it stays cancelled');

# Killed in the middle: another one has it when the lease is over, with
# another fence, and it is done once.

forget();
@ids = map { request('hold killed', $_) } 1 .. 4;
until_true('four to be under way', sub { notes('killed') == 4 });
$worker->signal('KILL');
is($worker->ended, -9, 'killed');
is(left(), 4, 'the rows are there');
$egress->let('killed');
$worker->start;
ended($_, 'done') for @ids;
is(join(' ', map { row($_, 'fence') } @ids), '2 2 2 2', 'done by the second');

# One that nginx has ended by itself meanwhile is not begun again.

$egress->unlet('killed');
forget();
$id = request('hold killed');
until_true('it to be under way', sub { notes('killed') == 1 });
$worker->signal('KILL');
$worker->ended;
is($one->ask("SELECT atelier.generation_done('$id', 1, '@{[ answer($id) ]}')"),
   'done', 'nginx tells the end');
$egress->let('killed');
$worker->start;
my $after = request('done');
ended($after, 'done');
is(scalar notes('killed'), 1, 'so nobody pays twice');

# Many at once by two, with kills: all done, in turns, first in first out.

my $second = Worker->new('queue', settings());
$second->ready;
forget();
my %by;
for my $n (1 .. 40) {
    push @{ $by{$_} }, request('done', $_) for 1 .. 5;
}
until_true('200 requests', sub {
    if ($next++ % 20 == 0) {
        $second->signal('KILL');
        $second->ended;
        $second->start;
    }
    return left() == 0;
});
is($one->ask("SELECT count(*) FROM atelier.generation WHERE status = 'done'"
             . " AND id >= '$by{1}[0]'"), 200, 'all are done');
my %count;
for (notes('.')) {
    my ($note) = split ' ';
    $count{$note}++;
}
cmp_ok((grep { $_ > 1 } values %count), '<', 40, 'few were begun again');

$second->signal('TERM');
is($second->ended, 0, 'TERM ends it');

# Alone, one at a time: the order is that of the queue.  What is held now may
# be so for as long as it takes.

$worker->settings(settings(egress => { timeout => '60s' },
                           attempts => { parallel => 1, lease => '61s' }));
$worker->signal('HUP');
until_true('the reload', sub { metric('reloads_total') == 1 });
forget();
my $held = request('hold order', 9);
until_true('it to be under way', sub { notes('order') });
my @first = map { request('done', 1) } 1 .. 4;
my @other = map { request('done', 2) } 1 .. 2;
my $third = request('done', 3);
$egress->let('order');
ended($first[3], 'done');
is_deeply([ map { (split ' ')[0] } notes(' done ') ],
          [ $first[0], $other[0], $third, $first[1], $other[1], @first[2, 3] ],
          'in turns, and as they came');
$egress->unlet('order');

# PostgreSQL goes away while an attempt is under way, and comes back.

$id = request('hold order');
until_true('it to be under way', sub { notes($id) });
my $waiting = request('done');
undef $one;
$db->stop('QUIT');
$egress->let('order');
until_true('it to notice', sub { ($worker->get('/health/ready'))[0] == 503 });
is(($worker->get('/health/live'))[0], 200, 'alive without its database');
$db->start;
$one = $db->session;
ended($_, 'done') for $id, $waiting;
is(row($id, 'fence'), 1, 'what came meanwhile was kept');
$worker->ready;

# Places.

sub watch {
    my (@ids) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => $redis->{socket})
        or die "connect: $!";
    my @words = ('SUBSCRIBE', map { "atelier:live:generate:$_" } @ids);
    $socket->autoflush(1);
    print {$socket} '*' . @words . "\r\n",
        map { '$' . length($_) . "\r\n$_\r\n" } @words;
    my $watch = { socket => $socket, text => '' };
    until_true('the subscription', sub {
        pump($watch);
        return (() = $watch->{text} =~ /\r\nsubscribe\r\n/g) == @ids;
    });
    $watch->{text} = '';
    return $watch;
}

sub pump {
    my ($watch) = @_;
    while (IO::Select->new($watch->{socket})->can_read(0)) {
        sysread $watch->{socket}, $watch->{text}, 65536,
            length $watch->{text} or return;
    }
    return;
}

# id => [places], as they were told.
sub told {
    my ($watch) = @_;
    my %told;
    pump($watch);
    push @{ $told{$1} }, $2 while $watch->{text}
        =~ /\{"id":"(\w+)","status":"queued","position":(\d+),
           "etaSeconds":\d+,"channel":"generate:\1"\}/gx;
    return \%told;
}

$egress->unlet('order');
$held = request('hold order', 9);
until_true('it to be under way', sub { notes($held) });
@ids = map { request('done', 100 + $_) } 1 .. 60;
my $watch = watch(@ids[1, 59]);
$one->ask("SELECT atelier.generation_cancel('$ids[0]', '"
          . sprintf('\x%032x', 101) . "')");
ok(until_true('a place', sub { (told($watch)->{$ids[1]} // [0])->[-1] == 1 }),
   'the place of one of the first');
ok(until_true('a place', sub { (told($watch)->{$ids[59]} // [0])->[-1] == 59 }),
   'and of one of the last');
is($redis->ask('PUBSUB', 'NUMSUB', "atelier:live:generate:$ids[2]")->[1], 0,
   'another one is not watched');
cmp_ok(metric('places_total'), '<', 10, '... so it is not told of');

# Redis goes away: the work goes on.

$redis->kill;
my $more = request('done', 500);
$egress->let('order');
ended($ids[$_], 'done') for 1 .. 59;
ended($more, 'done');
is(($worker->get('/health/ready'))[0], 200, 'all is done without Redis');
$egress->unlet('order');
$held = request('hold order', 9);
until_true('it to be under way', sub { notes($held) });
@ids = map { request('done', 100 + $_) } 1 .. 3;
$redis->start;
$watch = watch($ids[2]);
$one->ask("SELECT atelier.generation_cancel('$ids[0]', '"
          . sprintf('\x%032x', 101) . "')");
ok(until_true('a place', sub { (told($watch)->{$ids[2]} // [0])->[-1] == 2 }),
   'places are told when it is back');
$egress->let('order');
ended($ids[2], 'done');

# Too old.

$worker->settings(settings(attempts => { max_age => '1s' },
                           rows => { keep => '1s' }));
$egress->unlet('free');
$id = request('limited');
until_true('it to be asked', sub { notes($id) });
$worker->signal('HUP');
until_true('the reload', sub { metric('reloads_total') == 2 });

# ... has failed and is soon forgotten, with all that has ended.

until_true('old rows to go', sub { metric('removed_total') });
until_true('its end', sub { grep { $_->{id} eq $id }
                            $worker->events('attempt.failed') });

# TERM in the middle: what is under way is finished; what is not is left.

$egress->unlet('order');
$worker->settings(settings(egress => { timeout => '60s' },
                           attempts => { lease => '61s' }));
$worker->signal('HUP');
until_true('the reload', sub { metric('reloads_total') == 3 });
$id = request('hold order');
until_true('it to be under way', sub { notes($id) });
$worker->signal('TERM');
until_true('it to say so', sub {
    my ($status, $text) = $worker->get('/health/ready');
    return $status == 503 && $text =~ /"stopping"/;
});
$egress->let('order');
is($worker->ended, 0, 'TERM ends it well');
is(get($id)->{status}, 'done', 'what was under way is done');

$egress->unlet('order');
my $stuck = Worker->new('queue', settings(
    worker => { stop_timeout => '1s' },
    egress => { timeout => '20s' }, attempts => { lease => '21s' }));
$stuck->ready;
$id = request('hold order');
until_true('it to be under way', sub { notes($id) });
$stuck->signal('TERM');
is($stuck->ended, 0, 'what does not end in time holds nobody up');
is(get($id)->{status}, 'running', '... and keeps its lease');
is(scalar $stuck->events('attempt.left'), 1, '... which the log says');

done_testing();
