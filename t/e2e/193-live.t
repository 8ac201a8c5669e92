# The protocol of live channels: subscribing, the value, what was missed, what
# is wrong, and publishing from outside.

use strict;
use warnings;
use lib 't/helper';
use File::Temp ();
use HTTP::Tiny ();
use JSON::PP ();
use Live;
use Postgres;
use PrivateRedis;
use Stack;
use Test::More;

my $TOKEN = '0123456789abcdef0123456789abcdef';
my $dir = File::Temp->newdir('live-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, "$dir";
Stack::spew("$dir/tokens", "$TOKEN\n");
chmod 0600, "$dir/tokens";

my $db = Postgres->new;
my $redis = PrivateRedis->new;
my $stack = Stack->new(http => "atelier_redis " . $redis->address
                       . " timeout=20s;\natelier_postgres '"
                       . $db->conninfo . "' timeout=20s;",
                       server => <<"END");
        location = /live { atelier_live max_sockets_per_address=0
                                        messages=10000/s; }
        location = /few { atelier_live subscriptions=2; }
        location = /ws/prices { atelier_live format=flat; }
        location = /publish { atelier_publish;
                              atelier_operator token_file=$dir/tokens; }
END
my $port = $stack->{port};

sub open_live { return Live->new($port, @_); }

sub data {
    my ($channel, $id, $n) = @_;
    return { channel => $channel, ($id ? (id => $id) : ()),
             data => { n => $n } };
}

sub subscribed {
    my ($channel, $last, $recovered) = @_;
    return { type => 'subscribed', channel => $channel, last => $last,
             recovered => $recovered ? JSON::PP::true : JSON::PP::false };
}

sub relay {
    my ($channel, $id) = @_;
    return Live::relay($redis, $channel, $id, qq({"n":$id}));
}

sub post {
    my ($query, $content, %headers) = @_;
    my $res = HTTP::Tiny->new(timeout => 60)->post(
        $stack->url("/publish$query"), {
        headers => { Authorization => "Bearer $TOKEN",
                     'Content-Type' => 'application/json', %headers },
        content => $content });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

Stack::until_true('all workers to have Redis', sub {
    return 2 == grep {
        ($stack->metric("atelier_redis_connections{use=\"$_\"}") // 0) == 2
    } qw(commands subscriptions);
});

# A channel that nobody has published on.

my $a = open_live();
$a->subscribe('product:1');
is_deeply($a->next, subscribed('product:1', 0, 0), 'a channel without a past');
is(relay('product:1', 1), 1, 'one worker listens');
is_deeply($a->next, data('product:1', 1, 1), 'a message');

# The value, and what was missed.

my $b = open_live();
$b->subscribe('product:1');
is_deeply([ $b->take(2) ], [ subscribed('product:1', 1, 0),
                             data('product:1', 1, 1) ],
          'who comes later gets the value');
relay('product:1', $_) for 2 .. 5;
is_deeply([ $a->take(4) ], [ map { data('product:1', $_, $_) } 2 .. 5 ],
          'then all in order');
for my $case ([ 0, 1, 1 .. 5 ], [ 3, 1, 4, 5 ], [ 5, 1 ], [ 6, 0, 5 ]) {
    my ($since, $recovered, @ids) = @$case;
    my $c = open_live();
    $c->subscribe('product:1', since => $since);
    is_deeply([ $c->rest ], [ subscribed('product:1', 5, $recovered),
                              map { data('product:1', $_, $_) } @ids ],
              "since $since");
}

$b->rest;
$b->subscribe('product:1');
is_deeply([ $b->take(2) ], [ subscribed('product:1', 5, 0),
                             data('product:1', 5, 5) ],
          'subscribed twice: answered again');
relay('product:1', 6);
is_deeply([ $b->next ], [ data('product:1', 6, 6) ], '... and sent');
is_deeply([ $b->rest ], [], '... once');
$b->subscribe('product:1', since => 4) for 1 .. 3;
is_deeply([ grep { $_->{type} } $b->rest ],
          [ (subscribed('product:1', 6, 1)) x 3 ], 'each has its answer');

$a->rest;
$a->unsubscribe('product:1');
$a->unsubscribe('product:1');
$a->say(type => 'subscribe', productId => 1);
is_deeply([ $a->take(2) ], [ subscribed('product:1', 6, 0),
                             data('product:1', 6, 6) ], 'the older form');
$a->unsubscribe('product:1');
is_deeply([ $a->rest ], [], 'no answer to unsubscribe');
relay('product:1', 7);
is_deeply([ $b->take(1) ], [ data('product:1', 7, 7) ], 'one gets it');
is_deeply([ $a->rest ], [], 'and who has unsubscribed does not');

# Channels: none but their own, and of new products no value.

relay('products', 1);
$a->subscribe('products');
is_deeply([ $a->rest ], [ subscribed('products', 1, 0) ],
          'no value of "products"');
$a->subscribe('products', since => 0);
is_deeply([ $a->rest ], [ subscribed('products', 1, 1),
                          data('products', 1, 1) ], '... but history');
$a->subscribe('design:pexels:4');
my ($answer, $value) = $a->take(2);
is_deeply($answer, subscribed('design:pexels:4', 0, 0), 'a design');
is_deeply($value, { channel => 'design:pexels:4',
                    data => { id => 'pexels:4', likes => 0 } },
          '... and its likes, that nobody has changed yet');

# What only PostgreSQL knows.

Live::commit($db, 'product:2', qq({"n":$_})) for 1 .. 3;
$a->subscribe('product:2');
is_deeply([ $a->take(2) ], [ subscribed('product:2', 3, 0),
                             data('product:2', 3, 3) ],
          'the value of the row');
$b->subscribe('product:2', since => 1);
is_deeply([ $b->rest ], [ subscribed('product:2', 3, 1),
                          data('product:2', 2, 2), data('product:2', 3, 3) ],
          'history of the table');
$db->sql(q{DELETE FROM atelier.live_message WHERE channel = 'product:2'
           AND id < 3});
$a->unsubscribe('product:2');
$b->unsubscribe('product:2');
$a->rest;
$b->rest;
Live::heard($redis, 'product:2', 0);
$a->subscribe('product:2', since => 1);
is_deeply([ $a->rest ], [ subscribed('product:2', 3, 0),
                          data('product:2', 3, 3) ],
          'what is gone is not recovered: the value');

# What any program publishes.

$redis->ask('PUBLISH', Live::key('product:2'), $_)
    for '{"n":"plain"}', 'no json', '9 {', '17';
is_deeply([ $a->take(2) ], [ { channel => 'product:2',
                               data => { n => 'plain' } },
                             { channel => 'product:2', data => 17 } ],
          'JSON is forwarded without an id, all else is not');

my $res = post('?channel=product:2', '{"n":4}');
is("$res->{status} $res->{json}{channel} $res->{json}{id}", '200 product:2 4',
   'POST /publish');
is(relay('product:2', 4), 1, 'the relay');
is_deeply($a->next, data('product:2', 4, 4), 'it is delivered');

for my $case ([ '', '{}', 400, 'missing_field' ],
              [ '?channel=', '{}', 400, 'missing_field' ],
              [ '?channel=product', '{}', 400, 'invalid_channel' ],
              [ '?channel=cats:1', '{}', 400, 'unknown_channel' ],
              [ '?channel=product:1', '{', 400, 'invalid_json' ],
              [ '?channel=product:1', '', 400, 'invalid_json' ],
              [ '?channel=product:1', '"' . 'x' x 65535 . '"', 413,
                'body_too_large' ],
              [ '?channel=product:1', '{}', 415, 'unsupported_media_type',
                'Content-Type' => 'text/plain' ],
              [ '?channel=product:1', '{}', 403, 'forbidden',
                Authorization => 'Bearer no' ])
{
    my ($query, $body, $status, $code, @headers) = @$case;
    $res = post($query, $body, @headers);
    is("$res->{status} $res->{json}{code}", "$status $code",
       "$status for $query " . substr $body, 0, 8);
}

# Limits.

my $few = open_live('/few');
$few->subscribe("product:9$_") for 1 .. 3;
is_deeply([ sort map { $_->{code} // $_->{channel} } $few->take(3) ],
          [ 'product:91', 'product:92', 'too_many_subscriptions' ],
          'one subscription too many');
$few->unsubscribe('product:91');
$few->subscribe('product:93');
is_deeply($few->next, subscribed('product:93', 0, 0), '... there is room now');

# The flat form.

my $flat = open_live('/ws/prices');
$flat->say(type => 'subscribe', productId => '2');
is_deeply($flat->next, { n => 4 }, 'the flat form: the value');
relay('product:2', 5);
is_deeply($flat->next, { n => 5 }, '... and a message');
is_deeply($a->next, data('product:2', 5, 5), 'with an envelope elsewhere');
$flat->subscribe('design:x:1');
is_deeply([ map { "$_->{type} $_->{code}" } $flat->rest ],
          [ 'error unknown_channel' ], 'product channels alone');

# generate: its row says more than its stream.

$db->sql(q{CREATE OR REPLACE FUNCTION atelier.live_value(channel text)
           RETURNS TABLE (id bigint, data json) LANGUAGE sql AS
           $$ SELECT 2::bigint, '{"n":"row"}'::json $$});
relay('generate:1', 1);
relay('generate:1', 2);
$a->subscribe('generate:1');
is_deeply([ $a->take(2) ], [ subscribed('generate:1', 2, 0),
                             data('generate:1', 2, 'row') ],
          'the value of the row');
$redis->ask('PUBLISH', Live::key('generate:1'), '{"n":"place"}');
is_deeply($a->next, data('generate:1', 0, 'place'), 'a place has no id');
$b->rest;
$b->subscribe('generate:1', since => 2);
($answer, $value) = $b->take(2);
is_deeply($answer, subscribed('generate:1', 2, 1), 'who comes back');
like($value->{data}{n}, qr/^(row|place)$/, '... is told its place anew');
is($value->{id}, undef, '... without an id, as that is not new');

is($stack->metric('atelier_live_gaps_total'), 0, 'no gap anywhere');
cmp_ok($stack->metric('atelier_live_subscriptions'), '>', 0, 'subscriptions');
undef $_ for $a, $b, $few, $flat;
Stack::until_true('all to be forgotten', sub {
    return $stack->metric('atelier_live_channels') == 0
           && $stack->metric('atelier_live_subscriptions') == 0;
});
ok(eval { Live::heard($redis, 'product:1', 0) },
   'Redis is told that nobody listens');
$stack->finish;
done_testing();
