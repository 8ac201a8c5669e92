# By which way shops are asked: the operator's lists of user agents and of
# proxies take turns, and neither gets around a refusal.

use strict;
use warnings;
use lib 't/helper';
use IO::Select ();
use IO::Socket::INET ();
use Shops;
use Test::More;

my $shops = Shops->new(only => ['ikea']);
my ($stack, $db, $redis) = @{$shops}{qw(stack db redis)};
$stack->control(ikea => { pace => 0 });

sub until_true { return Worker::until_true(@_) }

sub calls { return $stack->counters('ikea')->{calls} }

sub ended {
    my ($worker) = @_;
    $worker->signal('TERM');
    return is($worker->ended, 0, 'it ends');
}

# User agents.

my @agents = map { "Atelier-$_/1.0 (+https://atelier.example/$_)" } qw(a b c);
my $worker = $shops->worker(fetch => { user_agent => \@agents });
$shops->job(query => $_) for qw(sofa lamp rug desk bed);
$shops->done;
my %seen;
$seen{ $_->{agent} }++ for @{ $shops->ask('ikea/requests')->{requests} };
is_deeply(\%seen, { map { $_ => 2 } @agents },
          'each user agent of the list takes its turn, for robots.txt too');
ended($worker);

# A proxy that carries what it is asked to, and writes down what that was.

my @proxies;

sub carry {
    my ($from, $to) = @_;
    my $both = IO::Select->new($from, $to);
    while (my @ready = $both->can_read) {
        for my $one (@ready) {
            sysread($one, my $bytes, 65536) or return;
            my $other = $one == $from ? $to : $from;
            my $at = 0;
            while ($at < length $bytes) {
                $at += syswrite($other, $bytes, 65536, $at) // return;
            }
        }
    }
    return;
}

sub serve {
    my ($client, $log) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread($client, $head, 4096, length $head) or return;
    }
    my ($line) = split /\r\n/, $head;
    open my $out, '>>', $log or return;
    syswrite $out, "$line\n";
    my ($peer) = $line =~ /^CONNECT (127\.0\.0\.1:\d+) / or return;
    my $to = IO::Socket::INET->new(PeerAddr => $peer) or return;
    syswrite $client, "HTTP/1.1 200 OK\r\n\r\n";
    carry($client, $to);
    return;
}

sub proxy {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
        or die $!;
    my $log = "$shops->{dir}/proxy-" . $socket->sockport . '.log';
    my $pid = fork // die $!;
    if (!$pid) {
        local $SIG{CHLD} = 'IGNORE';
        while (my $client = $socket->accept) {
            my $child = fork // next;
            if (!$child) {
                serve($client, $log);
                POSIX::_exit(0);
            }
            close $client;
        }
        POSIX::_exit(0);
    }
    push @proxies, { pid => $pid, log => $log,
                     url => 'http://127.0.0.1:' . $socket->sockport };
    return;
}

END { kill KILL => $_->{pid} for @proxies; }

sub carried {
    return map { -e $_->{log} ? [ split /\n/, Stack::slurp($_->{log}) ] : [] }
           @proxies;
}

# Requests go by the proxies, in turn, to an address that was looked up here.

proxy() for 1 .. 2;
my %by = (fetch => { proxy => [ map { $_->{url} } @proxies ],
                     wall_first => '10m', wall_most => '10m' });
$worker = $shops->worker(%by);
my $before = calls();
$shops->job(query => "sofa $_") for 1 .. 6;
$shops->done;
is(calls() - $before, 6, 'searches by proxies');
for my $lines (carried()) {
    cmp_ok(scalar @$lines, '>', 0, 'each proxy has some');
    is_deeply([ grep { !/^CONNECT 127\.0\.0\.1:$shops->{port} HTTP/ } @$lines ],
              [], '... and is told an address, not a name');
}
ended($worker);

# What may not be asked is not asked by a proxy either.

my $ear = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 9)
    or die $!;
my $ear_port = $ear->sockport;
my @ids = $db->sql('SELECT id FROM atelier.product ORDER BY id LIMIT 2');
$db->sql("DELETE FROM atelier.product
          WHERE id NOT IN ('$ids[0]', '$ids[1]')");
$db->sql("UPDATE atelier.product
          SET url = 'http://ikea.localhost:$ear_port/in/en/p/x-10000000/'
          WHERE id = '$ids[0]'");
$worker = $shops->worker(%by, verify => { parallel => 1, again => '1d' });
until_true('both proofs', sub { 2 == $db->sql(
    'SELECT count(*) FROM atelier.product_proof WHERE state IS NOT NULL') });
is($db->sql("SELECT state FROM atelier.product_proof
             WHERE product_id = '$ids[0]'"), 'refused',
   'an address of this machine is refused behind a proxy, too');
is($db->sql("SELECT state FROM atelier.product_proof
             WHERE product_id = '$ids[1]'"), 'verified', '... others are not');
$ear->blocking(0);
ok(!$ear->accept, '... nobody connects to it');
is_deeply([ grep { /:$ear_port / } map { @$_ } carried() ], [],
          '... and no proxy has heard of it');

# A wall closes the host, whatever the way.

$stack->control(ikea => { pace => 0, mode => 'wall' });
$before = calls();
$shops->job(query => 'wall');
$shops->done;
is(calls() - $before, 1, 'a wall');
$stack->control(ikea => { pace => 0 });
$before = calls();
$shops->job(query => "wall $_") for 1 .. 4;
$shops->done;
is(calls(), $before, 'closes the host for each proxy');
ended($worker);
$worker = $shops->worker(fetch => { user_agent => \@agents });
$shops->job(query => "wall $_") for 5 .. 7;
$shops->done;
is(calls(), $before, '... for each user agent, and without a proxy');
cmp_ok($worker->metric('atelier_look_pages_total{shop="ikea",kind="list",'
                       . 'state="wall"}'), '==', 3, '... which is counted');
ended($worker);

# Without a proxy that works nothing is asked.

$redis->ask('FLUSHALL');
$stack->control(ikea => { pace => 0 });
kill KILL => $_->{pid} for @proxies;
waitpid $_->{pid}, 0 for @proxies;
$worker = $shops->worker(%by, search => { timeout => '1s' });
$before = $stack->counters('ikea');
$shops->job(query => 'alone');
$shops->done;
until_true('both to rest', sub {
    $worker->metric('atelier_crawl_proxies_resting') == 2 });
my $after = $stack->counters('ikea');
is("$after->{calls} $after->{robots}", "$before->{calls} $before->{robots}",
   'with no proxy left no request goes without');
ended($worker);

$shops->finish;
done_testing();
