# The queue under a burst, with nginx, the worker, the relay and providers
# that have limits: nobody is refused, each visitor is served in the order of
# his requests and none waits for all of another's, and each picture is paid
# for once, through reloads, kills of the worker and a Redis that is emptied.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use FakeHttp;
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Time::HiRes ();
use WebSocket;
use Worker;

my $db = Postgres->new;
my $redis = PrivateRedis->new;

# A provider that counts what is paid for, by prompt; at first it wants a pause.

my $picture = Atelier::openai();
my $provider = FakeHttp->new(answer => sub {
    my ($fake, $method, $path, $headers, $body) = @_;
    my ($prompt) = $body =~ /(\w+ asks \d+)/;
    return (429, '{}', 'Retry-After: 2') if !$fake->is_let('open');
    open my $out, '>>', "$fake->{dir}/paid" or die $!;
    syswrite $out, "$prompt\n";
    Time::HiRes::sleep(0.1);
    return (200, $picture, 'Content-Type: application/json');
});

# In the order in which they were asked for.
sub paid {
    open my $in, '<', "$provider->{dir}/paid" or return;
    chomp(my @lines = readline $in);
    return @lines;
}

my $stack = Stack->new(
    providers => [ first => 'format=openai timeout=10s rate=10r/2s' ],
    override  => { first => 'http://' . $provider->address . '/v1/images' },
    http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                 . " atelier_redis @{[ $redis->address ]} timeout=10s;"
                 . ' atelier_visitor $http_x_visitor;',
    server    => 'location = /live { atelier_live; }',
    egress    => 'location = /attempt { atelier_attempt; }');

sub settings {
    my (%attempts) = @_;
    return {
        redis    => { address => $redis->address },
        postgres => { conninfo => $db->conninfo, timeout => '5s' },
        egress   => { socket => "$stack->{home}/egress.sock",
                      timeout => '12s' },
        attempts => { lease => '13s', poll => '500ms', %attempts },
    };
}

my $queue = Worker->new(queue => settings(parallel => 1), later => 1);
my $relay = Worker->new(relay => {
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo } });
$relay->ready;

my %id;

sub generate {
    my ($who, $n) = @_;
    my $res = $stack->generate({ prompt => "$who asks $n" },
                               'X-Visitor' => $who);
    $id{"$who asks $n"} = $res->{json}{id};
    return $res->{status};
}

sub state_of {
    my ($id) = @_;
    my $res = $stack->http->get($stack->url("/generate/$id"));
    return eval { JSON::PP::decode_json($res->{content}) } // {};
}

sub left {
    return $db->sql('SELECT count(*) FROM atelier.generation'
                    . " WHERE status IN ('queued', 'running')");
}

sub all_done {
    Stack::until_true('all to end', sub { left() == 0 });

    # what was made at once has its row a moment later

    Stack::until_true('all to be done', sub {
        return !grep { (state_of($_)->{status} // '') ne 'done' } values %id;
    });
    pass('all are done');
    my %times;
    $times{$_}++ for paid();
    is(join(', ', grep { $times{$_} != 1 } keys %id), '',
       '... and each was paid for once');
    return;
}

# One visitor asks for much before others come; the worker serves one by one.

my %status;
$status{ generate('ann', $_) }++ for 1 .. 40;
$status{ generate('bob', $_) }++ for 1 .. 5;
$status{ generate('cid', $_) }++ for 1 .. 5;
is(join(' ', %status), '202 50', 'nobody is refused');

# The last of them is watched from a browser.

my $last = $id{'ann asks 40'};
my $ws = WebSocket->open($stack->{port}, '/live');
$ws->text(qq({"type":"subscribe","channel":"generate:$last"}));
my (undef, $first) = $ws->next;
like($first, qr/"subscribed"/, 'subscribed');
my (undef, $value) = $ws->next;
like($value, qr/"status":"queued","position":\d+/, 'and told its place');
$provider->let('open');
$queue->start;
$queue->ready;
my (@places, $end);
while (!$end) {
    my ($type, $text) = $ws->next;
    last if $type ne 'text';
    push @places, $1 if $text =~ /"status":"queued","position":(\d+)/;
    $end = $text if $text =~ /"status": ?"done"/;
}
like($end, qr{"url": ?"/generated/$last\.png"}, 'the picture is told of');
cmp_ok(scalar @places, '>', 0, '... and places before it');
cmp_ok($places[0], '>', $places[-1], '... which fall');
all_done();

# In the order in which they were paid for.

my @order = paid();
for my $who (qw(ann bob cid)) {
    my @of = map { /^$who asks (\d+)/ ? $1 : () } @order;
    is("@of", join(' ', sort { $a <=> $b } @of), "$who: first in, first out");
}
is("@order[0 .. 14]", join(' ', map { ("ann asks $_", "bob asks $_",
                                       "cid asks $_") } 1 .. 5),
   'who asks for little does not wait for who asks for much');

# Reloads, kills and an empty Redis in the middle of it.

%id = ();
unlink "$provider->{dir}/paid";
$queue->settings(settings(parallel => 4));
$queue->signal('HUP');
my @second = Worker->new(queue => settings(parallel => 4));
for my $round (1 .. 5) {
    generate("dan$_", $round) for 1 .. 12;
    $stack->reload(nowait => 1);
    $redis->ask('FLUSHALL') if $round == 2;
    my $victim = $round % 2 ? $queue : $second[0];
    $victim->signal('KILL');
    $victim->ended;
    $victim->start;
}
all_done();
is(scalar keys %id, 60, '60 requests');

$_->signal('TERM') for $queue, @second;
is($_->ended, 0, 'the worker ends') for $queue, @second;
$ws->closed;
$stack->finish;
done_testing();
