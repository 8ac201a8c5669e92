# What bench/latency runs.  Three ways are measured by turns: all of it; all of
# it with a PostgreSQL that does not wait for its disk; and a message that is
# published in Redis, which is the part of nginx and of this program.
#
# Sockets are spread over some products.  After each change the program waits
# until all have heard of it, so what it does itself is in no figure but that
# of reading one frame after the other.

use strict;
use warnings;
use File::Temp ();
use IO::Poll ();
use JSON::PP ();
use Live;
use Postgres;
use PrivateRedis;
use Stack;
use Time::HiRes ();
use Worker;

my ($sockets, $changes) = @ARGV;
my $PRODUCTS = 20;
my $ROUNDS = 4;

my $json = JSON::PP->new->utf8->canonical;
my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $stack = Stack->new(
    main   => 'worker_rlimit_nofile 8192;',
    http   => 'atelier_redis ' . $redis->address . ";\n"
              . "atelier_postgres '" . $db->conninfo . "';",
    server => 'location = /live { atelier_live max_sockets_per_address=0
              ping=10m; }');
my ($port) = $stack->{sandbox} =~ /:(\d+)$/;
my $dir = File::Temp->newdir;
system('scripts/sandbox-recipes', "$dir", $port, 100) == 0
    or die "scripts/sandbox-recipes failed\n";

sub shop {
    my ($id, $how, $what) = @_;
    my (undef, $native) = split /:/, $id;
    my $res = $stack->http->request($how,
        "$stack->{sandbox}/_control/ikea/products/$native",
        $what ? { content => $json->encode($what) } : {});
    die "$how $id: $res->{status} $res->{content}" if !$res->{success};
    return $json->decode($res->{content});
}

$stack->control(ikea => { pace => 0, seed => 1 });
my $known = $json->decode($stack->http->get(
    "$stack->{sandbox}/_control/ikea/products")->{content})->{products};
my @seen = map { {
    id => "ikea:$_->{id}", title => $_->{title},
    url => "http://ikea.localhost:$port$_->{path}",
    price => int($_->{price} * 100 + 0.5), inStock => JSON::PP::true,
} } (grep { $_->{stock} && $_->{price} > 1000 && $_->{price} < 50000 }
     @$known)[0 .. $PRODUCTS - 1];
my $text = $json->encode(\@seen) =~ s/'/''/gr;
$db->sql("SELECT count(*) FROM atelier.products_see('$text');
          UPDATE atelier.product_check SET next_check = now()
                                                        + interval '9 d'");

my %common = (redis    => { address => $redis->address },
              postgres => { conninfo => $db->conninfo });
my $relay = Worker->new('relay', \%common);
my $prices = Worker->new('prices', {
    %common,
    shops  => { recipes => "$dir" },
    fetch  => { agent => 'Atelier bench',
                allow_address => "127.0.0.1:$port" },
    looks  => { usual => '3h', poll => '10ms', watched => '1d' },
    sweeps => { least => 0 },
});
$_->ready for $relay, $prices;

my (%want, @live);
for my $n (1 .. $sockets) {
    my $id = $seen[$n % $PRODUCTS]{id};
    my $live = Live->new($stack->{port});
    $live->subscribe("product:$id");
    $live->take(2);
    $want{$id}++;
    push @live, $live;
}
my $poll = IO::Poll->new;
for my $live (@live) {
    $live->ws->{socket}->blocking(0);
    $poll->mask($live->ws->{socket} => IO::Poll::POLLIN());
}

# When so many sockets have had a frame, in ms of the clock.
sub frames {
    my ($n) = @_;
    my @at;
    my $end = time + 20;
    while (@at < $n) {
        die 'only ' . @at . " of $n frames came in 20 s\n" if time > $end;
        $poll->poll(1);
        for my $socket ($poll->handles(IO::Poll::POLLIN())) {
            sysread $socket, my $bytes, 65536;
            push @at, Time::HiRes::time() * 1000 if $bytes =~ /"price"/;
        }
    }
    return @at;
}

my $sql = $db->session;
my $n = 0;

sub change {
    my ($product) = @_;
    my $id = $product->{id};
    shop($id, 'PUT', { price => sprintf '%.2f',
                       $product->{price} / 100 + 1 + ++$n % 200 });
    $sql->ask("UPDATE atelier.product_check SET next_check = now()
               WHERE product_id = '$id'");
    my @at = frames($want{$id});
    my $from = shop($id, 'GET')->{servedAt};
    return map { $_ - $from } @at;
}

sub publish {
    my ($product) = @_;
    my $id = $product->{id};
    my $from = Time::HiRes::time() * 1000;
    $redis->ask('PUBLISH', "atelier:live:product:$id",
                '{"price":"' . ++$n . '"}');
    return map { $_ - $from } frames($want{$id});
}

sub show {
    my ($name, @all) = @_;
    @all = sort { $a <=> $b } @all;
    printf "%-34s %7.1f %7.1f %7.1f %7.1f\n", $name,
           map { $all[$_ * $#all] } 0.5, 0.9, 0.99, 1;
    return $all[0.99 * $#all];
}

my %all;
for my $round (1 .. $ROUNDS) {
    for my $fsync ('on', 'off') {
        $db->sql("ALTER SYSTEM SET fsync = $fsync");
        $db->sql('SELECT pg_reload_conf()');
        for my $turn (1 .. $changes / $ROUNDS) {
            my @at = change($seen[$turn % $PRODUCTS]);
            push @{ $all{$fsync} }, @at;
            push @{ $all{"$fsync first"} }, $at[0];
        }
    }
    for my $turn (1 .. $changes / $ROUNDS) {
        push @{ $all{direct} }, publish($seen[$turn % $PRODUCTS]);
    }
}
printf "%d sockets, %d to a product, %d changes; ms\n", $sockets,
       $sockets / $PRODUCTS, $changes;
printf "%-34s %7s %7s %7s %7s\n", '', qw(p50 p90 p99 most);
my $p99 = show('page to all frames', @{ $all{on} });
show('page to the first frame', @{ $all{'on first'} });
my $floor = show('... without waiting for the disk', @{ $all{off} });
show('PUBLISH in Redis to all frames', @{ $all{direct} });
printf "p99 %.1f ms, target <= 25: %s; %.2f of what it is without the disk\n",
       $p99, $p99 <= 25 ? 'ok' : 'FAIL', $p99 / $floor;
