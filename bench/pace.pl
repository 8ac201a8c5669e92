# What bench/pace runs: three atelier-prices and an atelier-shop ask a shop
# for its products until it has been asked often enough.

use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use Postgres;
use PrivateRedis;
use Stack;
use Worker;

my ($wanted, $gap) = @ARGV;
my $SHOP = 'ikea';
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

$stack->control($SHOP => { pace => 0, seed => 1 });
my $text = $json->encode([ map { {
    id => "$SHOP:$_->{id}", title => $_->{title},
    url => "http://$SHOP.localhost:$port$_->{path}",
    price => int($_->{price} * 100 + 0.5), inStock => JSON::PP::true,
} } @{ shop('/products')->{products} } ]) =~ s/'/''/gr;
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

my ($since, @at, %path) = (0);
my $end = time + 60 + 2 * $wanted * $gap / 1000;
while (@at < $wanted) {
    die 'only ' . @at . " requests came in time\n" if time > $end;
    sleep 1;
    $db->sql("UPDATE atelier.product_check SET next_check = now()
              WHERE next_check > now() AND lease_until IS NULL;
              UPDATE atelier.product SET verified = false
              WHERE verified") if $since;
    my $log = shop("/requests?since=$since");
    $since = $log->{last};
    for my $request (@{ $log->{requests} }) {
        push @at, $request->{began};
        $path{robots}++ if $request->{target} eq '/robots.txt';
    }
}

@at = sort { $a <=> $b } @at;
my @gaps = sort { $a <=> $b } map { $at[$_] - $at[$_ - 1] } 1 .. $#at;
my $short = grep { $_ < 0.99 * $gap } @gaps;
my @asked = map { $_->metric(qq(atelier_crawl_requests_total{policy="$SHOP"}))
                  // 0 } @workers;
printf "%d requests of %d processes (%s), gap %d ms\n", scalar @at,
       scalar @workers, join(' ', @asked), $gap;
printf "gaps as the shop saw them: least %.2f, a hundredth below %.2f,"
       . " mean %.2f, most %.2f ms\n", $gaps[0], $gaps[@gaps / 100],
       ($at[-1] - $at[0]) / @gaps, $gaps[-1];
printf "%d below 99 %%, target 0: %s\n", $short, $short ? 'FAIL' : 'ok';
my $disallowed = shop('')->{counters}{disallowed};
printf "%d disallowed, target 0: %s\n", $disallowed,
       $disallowed ? 'FAIL' : 'ok';
