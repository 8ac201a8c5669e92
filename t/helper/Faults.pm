package Faults;

# All of Atelier under load while its processes are killed, and clients that
# check what they hear.
#
#     my $faults = Faults->new(kills => 15, seed => 7);    # and see %DEFAULT
#     my $figures = $faults->run;         # all that should be 0 is {bad}
#
# Prices change by SQL, each by one minor unit, so that a price says which
# change it is of; and at shops of the sandbox, where atelier-prices and
# atelier-shop find them.  Whoever dies is started anew, as a supervisor would
# do it, a moment later, and some die together: so faults overlap.  Clients are
# as a page is: they come back with the id they saw last.

use strict;
use warnings;

use File::Temp ();
use FaultsLoad;
use JSON::PP ();
use Live;
use Postgres;
use PrivateRedis;
use Stack;
use Time::HiRes ();
use Worker;

my %DEFAULT = (
    kills    => 200,
    seed     => 1,
    clients  => 40,
    products => 60,             # that change by SQL
    offers   => 8,              # ... at each of some shops
    watch    => 12,             # channels of a client
    rate     => 100,            # changes by SQL a second
    moves    => 20,             # ... at shops
    pause    => 1,              # s between kills, in the mean
    workers  => 3,              # of nginx
);

# Who is killed, and how often of so many times.
my @VICTIMS = (worker => 5, master => 2, relay => 4, prices => 4, shop => 2,
               redis_empty => 2, redis_old => 3, backend => 2,
               postmaster => 2);

my @SHOPS = qw(ikea pepperfry urbanladder);
my $SETTLE = 90;                # s
my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, %opt) = @_;
    my $self = bless { %DEFAULT, %opt, later => [], killed => {},
                       figures => {} }, $class;
    srand $self->{seed};
    $self->{dir} = File::Temp->newdir('faults-XXXXXX', TMPDIR => 1);
    $self->{db} = Postgres->new;
    $self->{redis} = PrivateRedis->new;
    $self->{stack} = Stack->new(
        workers => $self->{workers},
        main    => 'worker_rlimit_nofile 8192;',
        http    => 'atelier_redis ' . $self->{redis}->address . ";\n"
                   . "atelier_postgres '" . $self->{db}->conninfo . "';",
        server  => 'location = /live { atelier_live messages=10000/s'
                   . ' max_sockets_per_address=0; }');
    my ($port) = $self->{stack}{sandbox} =~ /:(\d+)$/;
    $self->{port} = $port;
    system('scripts/sandbox-recipes', "$self->{dir}", $port, 100) == 0
        or die "scripts/sandbox-recipes failed\n";
    $self->_products;
    $self->_workers;
    $self->_clients;
    return $self;
}

# Those of SQL have a shop that nobody knows, so nobody else changes them.
sub _products {
    my ($self) = @_;
    my ($db, $stack) = @$self{qw(db stack)};
    my @sql = map { "sql:$_" } 1 .. $self->{products};
    my $list = join ',', map {
        "('$_', '$_', 'http://a/$_', 100000, true, true)" } @sql;
    $db->sql("INSERT INTO atelier.product (id, title, url, price, in_stock,
                                           verified) VALUES $list");

    $self->_offers($_) for @SHOPS;
    $self->{sql} = \@sql;
    $self->{channels} = [ map { "product:$_" } @sql,
                                               sort keys %{ $self->{offer} } ];
    return;
}

# Some products of a shop, as atelier-shop has found them.
sub _offers {
    my ($self, $shop) = @_;
    my $stack = $self->{stack};
    $stack->control($shop => { pace => 0, seed => 1 });
    my $known = $json->decode($stack->http->get(
        "$stack->{sandbox}/_control/$shop/products")->{content})->{products};
    my @some = grep { $_->{stock} && $_->{price} > 1000
                      && $_->{price} < 50000 } @$known;
    @some = @some[0 .. $self->{offers} - 1];
    $self->{offer}{"$shop:$_->{id}"} = $_->{price} for @some;
    my $seen = $json->encode([ map { {
        id => "$shop:$_->{id}", title => $_->{title},
        url => "http://$shop.localhost:$self->{port}$_->{path}",
        price => int($_->{price} * 100 + 0.5), currency => 'INR',
        inStock => JSON::PP::true, verified => JSON::PP::true } } @some ])
        =~ s/'/''/gr;
    $self->{db}->sql("SELECT count(*) FROM atelier.products_see('$seen')");
    return;
}

sub _workers {
    my ($self) = @_;
    my %common = (
        redis    => { address => $self->{redis}->address },
        postgres => { conninfo => $self->{db}->conninfo },
    );
    my %shops = (
        %common,
        shops => { recipes => "$self->{dir}" },
        fetch => { agent => 'Atelier faults', wall_first => '100ms',
                   wall_most => '100ms', backoff => '20ms', timeout => '2s',
                   allow_address => "127.0.0.1:$self->{port}" },
    );
    my $prices = {
        %shops,
        looks  => { usual => '1h', least => '30m', watched => '500ms',
                    lease => '7s', poll => '50ms', retry => '500ms' },
        sweeps => { least => 0 },
    };
    my $shop = {
        %shops,
        search => { query => 'sofa', every => '1m', timeout => '5s' },
        verify => { poll => '1s' },
    };
    $self->{worker} = {
        (map { ("relay$_" => Worker->new('relay', \%common)) } 1, 2),
        (map { ("prices$_" => Worker->new('prices', $prices)) } 1, 2),
        shop => Worker->new('shop', $shop, command => ['run']),
    };
    $_->ready for values %{ $self->{worker} };
    return;
}

sub _clients {
    my ($self) = @_;
    my @all = @{ $self->{channels} };
    my $n = $self->{clients};

    # somebody is at each, or atelier-prices would look there once an hour

    for my $i (0 .. $n - 1) {
        my %want = map { ($all[rand @all] => 1) } 1 .. $self->{watch};
        $want{ $all[$_] } = 1 for grep { $_ % $n == $i } 0 .. $#all;
        push @{ $self->{client} },
            { want => [ 'products', sort keys %want ], id => {} };
    }
    $self->_come($_) for @{ $self->{client} };
    return;
}

# False: nobody is there just now.
sub _come {
    my ($self, $c) = @_;
    my $live = eval { Live->new($self->{stack}{port}) } or return 0;
    $c->{live} = $live;
    $self->{figures}{connections}++;
    for my $channel (@{ $c->{want} }) {
        my $since = $c->{id}{$channel};
        $live->subscribe($channel, defined $since ? (since => $since) : ());
    }
    return 1;
}

# What has come; what is usual is read without a parser, as there is much of it.
sub _read {
    my ($self, $c) = @_;
    my $ws = $c->{live}->ws;
    do {
        my $text = eval { $ws->message } // '';
        if ($text =~ /^\{"channel":"([^"]+)","id":(\d+),"data":(.+)\}\z/s) {
            $self->_heard($c, $1, $2, $3);
        } elsif ($text =~ /^\{/) {
            $self->_told($c, $json->decode($text));
        } else {
            delete $c->{live};
            return;
        }
    } while (length $ws->{in});
    return;
}

# An answer to a subscription.
sub _told {
    my ($self, $c, $m) = @_;
    my ($f, $channel) = ($self->{figures}, $m->{channel});
    if ($m->{type} ne 'subscribed') {
        $f->{errors}++;
        $self->_note('error: ' . $json->encode($m));
        return;
    }
    my $last = $c->{id}{$channel};
    if (!defined $last) {
        $c->{id}{$channel} = $m->{last};
    } elsif ($m->{recovered}) {
        $f->{back}++;
        return;
    } else {
        $f->{unrecovered}++;
        $self->_note("$channel: unrecovered since $last, at $m->{last}");
    }

    # what comes next is the value

    $c->{fresh}{$channel} = 1 if $channel ne 'products';
    return;
}

sub _heard {
    my ($self, $c, $channel, $id, $data) = @_;
    my $f = $self->{figures};
    my $last = $c->{id}{$channel};
    $f->{messages}++;
    if (!delete $c->{fresh}{$channel} && $id <= $last) {
        $f->{again}++;
        $self->_note("$channel: $id after $last");
    } elsif ($id > $last + 1) {
        $f->{lost} += $id - $last - 1;
        $self->_note("$channel: $id after $last");
    }
    $c->{id}{$channel} = $id;
    $c->{value}{$channel} = $data;
    return;
}

sub _note {
    my ($self, $text) = @_;
    push @{ $self->{notes} }, sprintf '%.3f %s', Time::HiRes::time(), $text;
    return;
}

# Code to be run so many seconds later.
sub _later {
    my ($self, $seconds, $code) = @_;
    push @{ $self->{later} }, [ Time::HiRes::time() + $seconds, $code ];
    return;
}

# Starts who is dead.
sub _supervise {
    my ($self) = @_;
    my $now = Time::HiRes::time();
    my @due = grep { $_->[0] <= $now } @{ $self->{later} };
    @{ $self->{later} } = grep { $_->[0] > $now } @{ $self->{later} };
    $_->[1]->() for @due;

    my $db = $self->{db};
    if ($db->{pid} && waitpid($db->{pid}, POSIX::WNOHANG()) == $db->{pid}) {
        delete $db->{pid};
        $self->_later(0.05 + rand 0.2, sub { $db->launch });
    }
    for my $worker (values %{ $self->{worker} }) {
        my $pid = $worker->{pid} or next;
        waitpid($pid, POSIX::WNOHANG()) == $pid or next;
        delete $worker->{pid};
        $self->_later(rand 0.2, sub { $worker->start });
    }
    return;
}

# One of them, if there is one just now.
sub _kill {
    my ($self, $kind) = @_;
    my ($redis, $db, $stack) = @$self{qw(redis db stack)};
    if ($kind eq 'worker') {
        my @pids = $stack->workers or return;
        kill KILL => $pids[rand @pids];

    } elsif ($kind eq 'master') {
        $stack->crash;

    } elsif ($kind =~ /^redis_(.*)/) {
        $redis->{pid} or return;
        $redis->kill;
        unlink "$redis->{dir}/dump.rdb" if $1 eq 'empty';
        $self->_later(rand 0.3, sub { $redis->start });

    } elsif ($kind eq 'backend') {
        $db->{pid} or return;
        my (undef, @pids) = eval { $db->processes };
        @pids or return;
        kill KILL => $pids[rand @pids];

    } elsif ($kind eq 'postmaster') {
        kill KILL => $db->{pid} // return;

    } else {
        my $worker = $self->{worker}{ $kind eq 'shop' ? $kind
                                      : $kind . (1 + int rand 2) };
        kill KILL => $worker->{pid} // return;
    }
    $self->{killed}{$kind}++;
    $self->_note("killed: $kind");
    return 1;
}

sub _victim {
    my ($self) = @_;
    my %share = @VICTIMS;
    my $sum = 0;
    $sum += $_ for values %share;
    my $at = rand $sum;
    for my $kind (sort keys %share) {
        return $kind if ($at -= $share{$kind}) < 0;
    }
    return 'worker';
}

sub _turn {
    my ($self) = @_;
    $self->_supervise;
    my $all = '';
    for my $c (@{ $self->{client} }) {
        vec($all, fileno $c->{live}->ws->{socket}, 1) = 1
            if $c->{live} || $self->_come($c);
    }
    select my $ready = $all, undef, undef, 0.01;
    for my $c (@{ $self->{client} }) {
        $self->_read($c) if $c->{live}
                            && vec $ready, fileno $c->{live}->ws->{socket}, 1;
    }
    return;
}

sub run {
    my ($self) = @_;
    my $f = $self->{figures};
    my $load = FaultsLoad->new(%$self);
    my $begin = Time::HiRes::time();
    my ($done, $next, $save) = (0, $begin + 1, $begin);
    while ($done < $self->{kills}) {
        $self->_turn;
        my $now = Time::HiRes::time();
        if ($now >= $save) {
            eval { $self->{redis}->ask('SAVE') };
            $save = $now + rand 4;
        }
        if ($now >= $next) {
            $done += $self->_kill($self->_victim) // 0;
            $next = $now;
            $next -= log(1 - rand) * $self->{pause} if rand() < 0.8;
        }
    }
    $f->{kills} = $done;
    $load->end(sub { $self->_turn });
    $f->{seconds} = Time::HiRes::time() - $begin;
    $self->_settle($load);
    $self->_compare($load);
    return $f;
}

# Until all is quiet: what was changed at shops is found, and what is in the
# database is with everybody.
sub _settle {
    my ($self, $load) = @_;
    my $end = Time::HiRes::time() + $SETTLE;
    my (@open, $look);
    do {
        $self->_turn;
        if (Time::HiRes::time() > ($look // 0)) {
            @open = $self->{db}->ready ? $self->_open($load)
                                       : 'PostgreSQL is not ready';
            $look = Time::HiRes::time() + 0.2;
        }
    } while (@open && Time::HiRes::time() < $end);
    $self->{figures}{open} = @open;
    $self->_note("still open: $_") for @open;
    return;
}

sub _open {
    my ($self, $load) = @_;
    my $db = $self->{db};
    my @open;
    my $left = $db->sql('SELECT count(*) FROM atelier.outbox');
    push @open, "$left rows of the outbox" if $left;
    my %offer = $load->offers;
    my %price = map { split /[|]/, $_, 2 } $db->sql(
        "SELECT id, atelier.money_text(price, currency) FROM atelier.product
         WHERE retailer <> 'sql'");
    push @open, map { "$_ costs $offer{$_}, but $price{$_} here" }
                grep { $price{$_} ne $offer{$_} } sort keys %offer;
    my %is = map { split /[|]/ }
             $db->sql('SELECT name, id FROM atelier.live_channel');
    my $n = 0;
    for my $c (@{ $self->{client} }) {
        $n++;
        push @open, map { "client $n has $_ "
                          . ($c->{id}{$_} // 'nothing') . ", not $is{$_}" }
                    grep { !$c->{live} || ($c->{id}{$_} // 0)
                           != ($is{$_} // 0) } @{ $c->{want} };
    }
    return @open;
}

# The database against itself, against what writers were told, and against
# what clients have seen last.
sub _compare {
    my ($self, $load) = @_;
    my ($db, $f) = @$self{qw(db figures)};
    ($f->{published}) = $db->sql("SELECT sum(id) FROM atelier.live_channel
                                  WHERE name LIKE 'product:%'");
    ($f->{found}) = $db->sql("SELECT sum(id - 1) FROM atelier.live_channel
                              WHERE name LIKE 'product:%'
                                AND name NOT LIKE 'product:sql:%'");
    my $same = q{m.channel = 'product:' || h.product_id
        AND m.data->>'price' IS NOT DISTINCT FROM
            atelier.money_text(h.price, h.currency)
        AND (m.data->>'inStock')::boolean IS NOT DISTINCT FROM h.in_stock
        AND m.data->>'at' = atelier.time_text(h.at)};

    # a row is of another mrp alone, or has a message

    ($f->{unheard}) = $db->sql("SELECT count(*) FROM (
        SELECT *, lag(ROW (price, in_stock)) OVER (PARTITION BY product_id
                                                   ORDER BY at) AS was
        FROM atelier.price) AS h
        WHERE was IS DISTINCT FROM ROW (price, in_stock)
          AND NOT EXISTS (SELECT FROM atelier.live_message m WHERE $same)");
    ($f->{unwritten}) = $db->sql("SELECT count(*) FROM atelier.live_message m
        WHERE m.channel LIKE 'product:%'
          AND NOT EXISTS (SELECT FROM atelier.price h WHERE $same)");
    ($f->{holes}) = $db->sql('SELECT count(*) FROM (
        SELECT id - lag(id) OVER (PARTITION BY channel ORDER BY id) AS by
        FROM atelier.live_message) AS g WHERE by <> 1');

    # the n-th price of a product of SQL is n - 1 above its first

    ($f->{disorder}) = $db->sql("SELECT count(*) FROM atelier.live_message
        WHERE channel LIKE 'product:sql:%' AND data->>'price'
              <> atelier.money_text(99999 + id, 'INR')");
    my %has = map { ($_ => 1) } $db->sql(
        "SELECT product_id || '=' || price FROM atelier.price");
    my @told = $load->told;
    $f->{told} = @told;
    $f->{forgotten} = grep { !$has{$_} } @told;

    my %value = map { split /[|]/, $_, 2 }
                $db->sql("SELECT name, data FROM atelier.live_channel");
    for my $c (@{ $self->{client} }) {
        for my $channel (grep { /^product:/ } @{ $c->{want} }) {
            $f->{stale}++ if ($c->{value}{$channel} // '')
                             ne $value{$channel};
        }
    }
    my @bad = qw(lost again unrecovered errors open unheard unwritten holes
                 disorder forgotten stale);
    $f->{bad} = { map { ($_ => $f->{$_} // 0) } @bad };
    return;
}

sub killed { return %{ $_[0]{killed} } }

sub notes { return @{ $_[0]{notes} // [] } }

1;
