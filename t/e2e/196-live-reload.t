# Clients that come back: over reloads, the death of workers, and both with
# messages going out all the time.  None is lost and none is shown twice.

use strict;
use warnings;
use lib 't/helper';
use Live;
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;
use Time::HiRes ();

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $stack = Stack->new(http => 'atelier_redis ' . $redis->address
                       . " timeout=20s;\natelier_postgres '"
                       . $db->conninfo . "' timeout=20s;",
                       main => 'worker_shutdown_timeout 30s;',
                       server => <<'END');
        location = /live { atelier_live max_sockets_per_address=0 drain=1s
                                        messages=10000/s; }
END
my $port = $stack->{port};
my $channel = 'product:1';
my $sent = 0;

sub send_one {
    $sent = Live::commit($db, $channel, '{}');
    Live::relay($redis, $channel, $sent, '{}');
    return;
}

# A client as a page has one: it says since when it comes back.
my @clients = map { { id => 0, wrong => 0, back => 0, unsure => 0 } } 1 .. 60;

sub come {
    my ($c) = @_;
    my $again = exists $c->{live};

    # a worker that was killed leaves connections that it had not accepted
    until ($c->{live} = eval { Live->new($port) }) {
        Time::HiRes::sleep(0.01);
    }
    $c->{back} += $again;
    $c->{live}->subscribe($channel, $again ? (since => $c->{id}) : ());
    $c->{fresh} = !$again;
    return;
}

sub read_all {
    my ($c) = @_;
    while ($c->{live}->ws->ready) {
        my $message = eval { $c->{live}->next };
        if (!ref $message) {
            $c->{live}->ws->close(1012) if ($message // '') =~ /^close/;
            $c->{codes}{ unpack 'n', substr $message, 6, 2 }++
                if ($message // '') =~ /^close /;
            come($c);
            next;
        }
        if ($message->{type}) {
            $c->{unsure}++ if !$c->{fresh} && !$message->{recovered};
            next;
        }
        $c->{wrong}++ if !$c->{fresh} && $message->{id} != $c->{id} + 1;
        $c->{fresh} = 0;
        $c->{id} = $message->{id};
    }
    return;
}

sub all_have {
    my ($what) = @_;
    send_one();
    Stack::until_true("all to have $what", sub {
        read_all($_) for @clients;
        return !grep { $_->{id} != $sent } @clients;
    });
    is_deeply([ map { $_->{wrong} + $_->{unsure} } @clients ],
              [ (0) x @clients ], "$what: none is lost, none comes twice");
    return;
}

send_one() for 1 .. 5;
come($_) for @clients;
all_have('the first messages');

for my $round (1 .. 3) {
    my @old = $stack->reload(nowait => 1);
    Stack::until_true('old workers to exit', sub {
        send_one();
        read_all($_) for @clients;
        return !grep { -d "/proc/$_" } @old;
    });
    all_have("reload $round");
}
my $back = 0;
$back += $_->{back} for @clients;
is($back, 3 * @clients, 'each had to come back each time');
is_deeply([ map { join ',', keys %{ $_->{codes} } } @clients ],
          [ (1012) x @clients ], '... having been told so');

for my $round (1 .. 3) {
    my @workers = $stack->workers;
    kill KILL => $workers[0];
    Stack::until_true('a new worker', sub {
        send_one();
        read_all($_) for @clients;
        my %now = map { $_ => 1 } $stack->workers;
        return !$now{ $workers[0] } && keys %now == @workers;
    });
    all_have("death $round of a worker");
}

# Both at once, and Redis is killed meanwhile and comes back with nothing.

my @old = $stack->reload(nowait => 1);
$redis->kill;
for (1 .. 5) {
    Live::commit($db, $channel, '{}');
    read_all($_) for @clients;
}
$redis->start;
Stack::until_true('old workers to exit', sub {
    send_one();
    read_all($_) for @clients;
    return !grep { -d "/proc/$_" } @old;
});
all_have('a reload and an empty Redis');
cmp_ok($stack->metric('atelier_live_recovered_total'), '>', 0,
       'what was missed was sent again');
is($stack->metric('atelier_live_gaps_total'), 0, 'no gap stayed');

delete $_->{live} for @clients;
Stack::until_true('all to be forgotten', sub {
    return !$stack->metric('atelier_live_subscriptions');
});
$stack->finish(allow => qr/exited on signal 9/);
done_testing();
