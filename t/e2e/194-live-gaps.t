# What may go wrong between the row and the socket: publishing while clients
# subscribe, messages that are lost on the way, Redis that is away or has lost
# all, PostgreSQL that is away, and two nginx on one Redis.

use strict;
use warnings;
use lib 't/helper';
use JSON::PP ();
use Live;
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my %options = (workers => 1, http => "atelier_redis " . $redis->address
               . " timeout=5s;\natelier_postgres '" . $db->conninfo
               . "' timeout=20s;",
               server => <<'END');
        location = /live { atelier_live max_sockets_per_address=0
                                        subscriptions=10000
                                        messages=100000/s; }
END
my $stack = Stack->new(%options);
my $other = Stack->new(%options, beside => $stack);

for my $node ($stack, $other) {
    Stack::until_true('the node to have Redis', sub {
        return 2 == grep {
            ($node->metric("atelier_redis_connections{use=\"$_\"}") // 0) == 1
        } qw(commands subscriptions);
    });
}

sub relay {
    my ($channel, $id) = @_;
    return Live::relay($redis, $channel, $id, qq({"n":$id}));
}

# The row and its relay, as when nothing goes wrong.
sub publish {
    my ($channel) = @_;
    my $n = $db->sql("SELECT coalesce(max(id), 0) + 1 FROM atelier.live_channel
                      WHERE name = '$channel'");
    my $id = Live::commit($db, $channel, qq({"n":$n}));
    relay($channel, $id);
    return $id;
}

sub ids { return [ map { $_->{id} // 'none' } @_ ] }

# Messages 1, 2, 3 ... go out while clients subscribe: each has to get a value
# and all behind it, once and in order; who says since, all behind that.

my $many = 2000;
my $last = 0;
relay('product:race', ++$last) for 1 .. 10;

my @clients = map { Live->new($_->{port}) } ($stack, $other) x 10;
my (%answer, %seen);
my $wrong = 0;
my $answered = 0;

sub look {
    my ($n, $message) = @_;
    if (($message->{type} // '') eq 'subscribed') {
        $answer{$n} = $message;
        $answered++;
        return;
    }
    my $id = $message->{id};
    my $before = $seen{$n};
    if (defined $before) {
        $wrong++ if $id != $before + 1;
    } else {
        $wrong++ if $id != $answer{$n}{last};
    }
    $seen{$n} = $id;
    return;
}

for my $round (1 .. $many / @clients) {
    for my $n (0 .. $#clients) {
        my $client = $clients[$n];
        my $since = $round % 3 && $seen{$n};
        if ($since) {

            # as one that comes back: it goes on behind what it has seen

            $client->unsubscribe('product:race');
            for my $message ($client->rest) { look($n, $message); }
            $since = $seen{$n};
            relay('product:race', ++$last) if $n % 2;
            $client->subscribe('product:race', since => $since);
        } else {
            $client->unsubscribe('product:race');
            for my $message ($client->rest) { look($n, $message); }
            delete $seen{$n};
            $client->subscribe('product:race');
        }
        relay('product:race', ++$last) if $n % 3 == 0;
    }
}
for my $n (0 .. $#clients) {
    for my $message ($clients[$n]->rest) { look($n, $message); }
}
Stack::until_true('the last message to arrive', sub {
    for my $n (0 .. $#clients) {
        for my $message ($clients[$n]->rest) { look($n, $message); }
    }
    return !grep { $seen{$_} != $last } 0 .. $#clients;
});
is($answered, $many, "$many subscriptions while messages go out");
is($wrong, 0, '... none has a gap, a repeat or an old value');
is($last, $seen{0}, "... and all have the last of $last");
undef @clients;

# A message that is lost between Redis and nginx is read from the stream.

my ($a, $b) = map { Live->new($_->{port}) } $stack, $other;
$_->subscribe('product:1') for $a, $b;
$_->next for $a, $b;
publish('product:1');
is($_->next->{id}, 1, 'a message') for $a, $b;
for (2, 3) {
    Live::add($redis, 'product:1', Live::commit($db, 'product:1', '{}'), '{}');
}
publish('product:1');
is_deeply(ids($_->take(3)), [ 2, 3, 4 ], 'a gap is filled from the stream')
    for $a, $b;

# ... or from the table, if Redis has lost it.

Live::commit($db, 'product:1', '{}') for 5, 6;
publish('product:1');
is_deeply(ids($_->take(3)), [ 5, 6, 7 ], '... or from the table') for $a, $b;
is_deeply([ map { $_->{data} } $a->rest ], [], '... and nothing comes twice');

# What nobody knows any more: the newest alone.

Live::commit($db, 'product:1', '{}') for 8, 9;
$db->sql('DELETE FROM atelier.live_message');
publish('product:1');
is_deeply(ids($_->take(1)), [ 10 ], 'else the newest has to do') for $a, $b;
is($stack->metric('atelier_live_gaps_total'), 1, '... which is counted');

# Redis is killed and comes back empty; rows change meanwhile.

$a->subscribe($_) for 'design:x:1', 'products';
is_deeply([ sort map { $_->{channel} } $a->rest ],
          [ 'design:x:1', 'design:x:1', 'products' ],
          'a design and new products');
$redis->kill;
Stack::until_true('Redis to be missed', sub {
    return !grep { $_->metric('atelier_redis_up') } $stack, $other;
});
Live::commit($db, 'product:1', '{}') for 11, 12;
Live::commit($db, 'products', '{"id":"new"}');
my $late = Live->new($stack->{port});
$late->subscribe('product:1', since => 9);
is_deeply([ map { $_->{last} // $_->{id} } $late->rest ], [ 12, 10, 11, 12 ],
          'without Redis who subscribes is answered from the tables');
is_deeply(ids($a->take(2)), [ 11, 12 ], '... which others profit by');
$redis->start;
is($b->next->{id}, 11, 'Redis is back, and empty: what was missed comes');
is($b->next->{id}, 12, '... in order');
is_deeply($a->next, { channel => 'products', id => 1, data => { id => 'new' } },
          '... on each channel');
publish('product:1');
is_deeply(ids($_->next), [ 13 ], 'and goes on') for $a, $b, $late;
is_deeply([ map { $_->rest } $a, $b, $late ], [], '... once');

# PostgreSQL is away: the stream has to do; without it nothing is known, and
# the value comes when it is back.

relay('product:3', $_) for 1 .. 3;
Live::commit($db, 'product:4', '{"n":1}');
$db->stop;
Stack::until_true('PostgreSQL to be missed', sub {
    return !grep { $_->metric('atelier_postgres_up') } $stack, $other;
});
$a->subscribe('product:3', since => 1);
is_deeply([ map { $_->{last} // $_->{id} } $a->take(3) ], [ 3, 2, 3 ],
          'without PostgreSQL the stream says it');
$a->subscribe('product:4', since => 0);
my $answer = $a->next;
is($answer->{last}, 0, 'a channel that nobody can tell of');
ok(!$answer->{recovered}, '... is not recovered');
$db->start;
is_deeply($a->next, { channel => 'product:4', id => 1, data => { n => 1 } },
          '... and is told when PostgreSQL is back');

# Redis stops answering.

$redis->pause;
$late->subscribe('product:4');
is_deeply([ map { $_->{last} // $_->{id} } $late->take(2) ], [ 1, 1 ],
          'Redis hangs: PostgreSQL is asked');
$redis->resume;
Stack::until_true('Redis to be there', sub {
    return $stack->metric('atelier_redis_up');
});

# Ten thousand channels of one socket, read a few at a time.

my $wide = Live->new($stack->{port});
$wide->subscribe("product:w$_") for 1 .. 3000;
my %got;
$got{ $wide->next->{channel} }++ for 1 .. 3000;
is(scalar keys %got, 3000, '3000 subscriptions are answered');
is($stack->metric('atelier_live_channels') > 3000, 1, '... as many channels');

undef $_ for $a, $b, $late, $wide;
Stack::until_true('all to be forgotten', sub {
    return !$stack->metric('atelier_live_channels');
});
$_->finish for $stack, $other;
done_testing();
