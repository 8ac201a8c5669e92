# What bench/pace runs: three atelier-prices and an atelier-shop ask a shop
# for its products until it has been asked often enough.

use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Postgres;
use PrivateRedis;
use Stack;
use Time::HiRes ();
use Worker;

my ($wanted, $gap, $what) = @ARGV;
my $SHOP = 'ikea';
my $AWAY = 8;           # seconds
my $json = JSON::PP->new->utf8->canonical;
my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $stack = Stack->new(workers => 1);
my ($port) = $stack->{sandbox} =~ /:(\d+)$/;
my $dir = File::Temp->newdir;
system('scripts/sandbox-recipes', "$dir", $port, $gap) == 0
    or die "scripts/sandbox-recipes failed\n";

sub shop {
    my ($path) = @_;
    return $json->decode($stack->http->get(
        "$stack->{sandbox}/_control/$SHOP$path")->{content});
}

# Requests by the stamps of their packets; () if those cannot be seen.
sub packets {
    open my $in, '<', "$dir/packets" or return;
    return map { /^([\d.]+) (\S+)$/ ? { at => $1, target => $2 } : () } <$in>;
}

my $watch = fork // die "fork: $!\n";
if (!$watch) {
    exec $^X, 'bench/packets.pl', $port, "$SHOP.localhost", "$dir/packets"
        or POSIX::_exit(1);
}
my $watching = 1;
until (-s "$dir/packets") {
    last if !($watching = waitpid($watch, POSIX::WNOHANG()) == 0);
    Time::HiRes::sleep(0.01);
}
END { local $?; kill KILL => $watch if $watching }

$stack->control($SHOP => { pace => 0, seed => 1 });
my @products = @{ shop('/products')->{products} };
if ($what eq 'mixed') {
    splice @products, 40;
    for my $i (grep { $_ % 4 == 0 } 0 .. $#products) {
        $stack->http->put("$stack->{sandbox}/_control/$SHOP/products/"
                          . $products[$i]{id},
                          { content => '{"page":"moved"}' });
    }
}
my $text = $json->encode([ map { {
    id => "$SHOP:$_->{id}", title => $_->{title},
    url => "http://$SHOP.localhost:$port$_->{path}",
    price => int($_->{price} * 100 + 0.5), inStock => JSON::PP::true,
} } @products ]) =~ s/'/''/gr;
$db->sql("SELECT count(*) FROM atelier.products_see('$text')");

my %common = (
    redis    => { address => $redis->address },
    postgres => { conninfo => $db->conninfo },
    shops    => { recipes => "$dir" },
    fetch    => { agent => 'Atelier bench',
                  allow_address => "127.0.0.1:$port" },
);
my @workers = ((map { Worker->new('prices', {
    %common,
    looks  => { usual => '1h', least => '30m', poll => '50ms' },
    sweeps => { least => 0 },
}) } 1 .. 3), Worker->new('shop', {
    %common, verify => { poll => '50ms' },
}, command => ['run']));

# Each product is due again at once, so that all have something to ask for.

my ($since, @log, $gone, $back) = (0);
my $asked = sub { $watching ? scalar packets() : scalar @log };
my $end = time + 120 + 6 * $wanted * $gap / 1000;
while ($asked->() < $wanted) {
    die 'only ' . $asked->() . " requests came in time\n" if time > $end;
    sleep 1;
    $db->sql("UPDATE atelier.product_check SET next_check = now()
              WHERE next_check > now() AND lease_until IS NULL;
              UPDATE atelier.product SET verified = false
              WHERE verified") if $since;
    my $log = shop("/requests?since=$since");
    $since = $log->{last};
    push @log, @{ $log->{requests} };
    if ($what eq 'mixed') {
        $stack->control($SHOP => { pace => 0, seed => 1, mode => 'status',
                                   status => 500, times => 1 });
    } elsif ($what eq 'away' && !$gone && $asked->() > $wanted / 3) {
        $redis->kill;
        $gone = time;
    } elsif ($gone && !$back && time >= $gone + $AWAY) {
        $redis->start;
        $back = 1;
    }
}

# Names, how many gaps are below 99 %, and what else there is to say of them.
sub gaps {
    my ($whose, @at) = @_;
    @at = sort { $a <=> $b } @at;
    my @gaps = sort { $a <=> $b } map { $at[$_] - $at[$_ - 1] } 1 .. $#at;
    my $short = grep { $_ < 0.99 * $gap } @gaps;
    printf "%s: %d below 99 %%, least %.2f, p50 %.2f, mean %.2f, p99 %.2f,"
           . " most %.2f ms\n", $whose, $short, $gaps[0], $gaps[@gaps / 2],
           ($at[-1] - $at[0]) / @gaps, $gaps[@gaps * 0.99], $gaps[-1];
    return $short;
}

my @packets = packets();
my %status;
$status{ $_->{target} eq '/robots.txt' ? 'robots.txt' : $_->{status} }++
    for @log;
printf "%d requests of %d processes (%s), gap %d ms; load %s\n",
       scalar(@packets) || scalar @log, scalar @workers,
       join(' ', map { $_->metric(
           qq(atelier_crawl_requests_total{policy="$SHOP"})) // 0 } @workers),
       $gap, do { open my $in, '<', '/proc/loadavg'; <$in> =~ s/ .*//sr };
print 'answers, but for pictures: ',
      join(', ', map { "$status{$_} $_" } sort keys %status), "\n";
my $short = gaps('shop  ', map { $_->{began} } @log);
if ($watching) {
    $short = gaps('packet', map { $_->{at} } @packets);
} else {
    print "packets cannot be seen; the shop's clock has to do\n";
}
printf "%d gaps below 99 %%, target 0: %s\n", $short, $short ? 'FAIL' : 'ok';
my $disallowed = shop('')->{counters}{disallowed};
printf "%d disallowed, target 0: %s\n", $disallowed,
       $disallowed ? 'FAIL' : 'ok';
