# What nginx does with the queue: 202 when no provider can be asked, keys,
# seeds, one's own list, and what PostgreSQL's absence means for each.

use strict;
use warnings;
use lib 't/helper';
use Postgres;
use Stack;
use Test::More;

my $db = Postgres->new;

my $stack = Stack->new(
    providers => [ groq => 'format=openai timeout=10s' ],
    http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout=20s;"
                 . ' atelier_visitor $http_x_visitor;',
    egress    => 'location = /attempt { atelier_attempt; }');

sub ask {
    my ($method, $path, $visitor) = @_;
    my $res = $stack->http->request($method, $stack->url($path), {
        headers => { $visitor ? ('X-Visitor' => $visitor) : () } });
    $res->{json} = eval { JSON::PP::decode_json($res->{content}) };
    return $res;
}

sub generate {
    my ($body, $visitor, %headers) = @_;
    return $stack->generate($body, 'X-Visitor' => $visitor, %headers);
}

sub calls { return $stack->counters('groq')->{calls}; }

# Rows by status, as in "done 2, queued 1".
sub rows {
    my @rows = $db->sql(q{SELECT status || ' ' || count(*)
        FROM atelier.generation GROUP BY status ORDER BY status});
    return join ', ', @rows;
}

sub forget { $db->sql('TRUNCATE atelier.generation'); return; }

# Sends and does not read.
sub send_one {
    my ($body, %headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $stack->{port})
        or die "connect: $!";
    my $json = JSON::PP::encode_json($body);
    print {$socket} "POST /generate HTTP/1.1\r\nHost: localhost\r\n",
        "Connection: close\r\nContent-Type: application/json\r\n",
        map({ "$_: $headers{$_}\r\n" } sort keys %headers),
        'Content-Length: ', length $json, "\r\n\r\n", $json;
    $socket->flush;
    return $socket;
}

sub answer_of {
    my ($socket) = @_;
    local $/;
    my ($status, $body) = readline($socket) =~ m{^HTTP/1\.1 (\d+).*?\r\n\r\n(.*)}s;
    close $socket;      # else nginx lingers
    return { status => $status, json => eval { JSON::PP::decode_json($body) } };
}

sub limited {
    my ($seconds) = @_;
    $stack->control(groq => { mode => 'rate_limit', variant => 'seconds',
                              retryAfter => $seconds });
    return $stack->generate({ prompt => 'runs into the limit' });
}

# A slot whose limits nobody has met yet.
sub fresh {
    my ($name, %opt) = @_;
    $stack->configure(
        providers => [ $name => 'format=openai timeout=30s' ],
        http      => "atelier_postgres '@{[ $db->conninfo ]}' timeout="
                     . ($opt{timeout} // '20s') . ';'
                     . ' atelier_visitor $http_x_visitor;',
        egress    => 'location = /attempt { atelier_attempt; }',
        generate  => $opt{generate});
    $stack->reload;
    return;
}

# A picture that is made at once is in the list a moment later.

my $res = generate({ prompt => 'at once' }, 'ann');
is($res->{status}, 200, 'a picture at once');
my $first = $res->{json};
Stack::until_true('the record', sub { rows() eq 'done 1' });
my $got = ask(GET => "/generate/$first->{id}");
is_deeply($got->{json}, $first, 'GET /generate/{id}: the same answer');
is($got->{headers}{'cache-control'}, 'private, no-store', '... for nobody else');
is($got->{headers}{'content-type'}, 'application/json', '... is JSON');
is_deeply(ask(GET => '/generate', 'ann')->{json},
          { results => [$first], hasNext => JSON::PP::false, next => undef },
          'GET /generate: the list');
is_deeply(ask(GET => '/generate', 'bob')->{json}{results}, [],
          "... is one's own");
is(ask(GET => '/generate')->{status}, 403, '... and nobody has none');
is(ask(GET => '/generate')->{json}{code}, 'visitor_required', '... as it says');
is(ask(GET => '/generate/' . '0' x 32)->{status}, 404, 'an id nobody has');
is(ask(GET => '/generate/' . 'F' x 32)->{status}, 404, 'no id at all');
is(ask(PUT => "/generate/$first->{id}")->{headers}{allow},
   'GET, HEAD, DELETE', 'methods of an id');
is(ask(PUT => '/generate')->{headers}{allow}, 'GET, HEAD, POST',
   'methods of the list');
is(ask(HEAD => '/generate', 'ann')->{status}, 200, 'HEAD of the list');
is(ask(GET => '/generate/options')->{status}, 200, 'options are there still');

# Delete: the picture goes too, and only for whose it is.

is(ask(GET => $first->{url})->{status}, 200, 'the picture is there');
is(ask(DELETE => "/generate/$first->{id}", 'bob')->{status}, 404,
   "somebody else's is not there");
is(ask(DELETE => "/generate/$first->{id}")->{status}, 404, "... nobody's too");
$res = ask(DELETE => "/generate/$first->{id}", 'ann');
is($res->{status}, 204, "one's own is deleted");
is($res->{content} // '', '', '... without a word');
is($res->{headers}{'cache-control'}, 'private, no-store', '... nor for caches');
is(ask(GET => "/generate/$first->{id}")->{status}, 404, '... it is gone');
Stack::until_true('the picture to go', sub {
    return ask(GET => $first->{url})->{status} == 404;
});
is(ask(DELETE => "/generate/$first->{id}", 'ann')->{status}, 404,
   '... and so it is the second time');

# The list by pages.

for my $n (1 .. 5) {
    generate({ prompt => "page $n" }, 'eve');
    Stack::until_true('the record', sub { rows() eq "done $n" });
}
my ($next, @walk) = ('/generate?perPage=2');
while (defined $next && @walk < 10) {
    $res = ask(GET => $next, 'eve');
    push @walk, map { $_->{prompt} } @{ $res->{json}{results} };
    $next = $res->{json}{next};
}
is("@walk", 'page 5 page 4 page 3 page 2 page 1', 'newest first, by pages');
is(ask(GET => "/generate?$_", 'eve')->{status}, 400, "refused: $_")
    for qw(perPage=0 perPage=201 perPage=x before=x before=0 before=-1);

# All limited: 202, once the row is there.

forget();
$res = limited(600);
is($res->{status}, 202, 'no provider may be asked: 202');
my $id = $res->{json}{id};
is_deeply([ @{ $res->{json} }{qw(status position channel)} ],
          [ 'queued', 1, "generate:$id" ], '... queued, first');
like($res->{json}{etaSeconds}, qr/^\d+$/, '... with a time');
is($res->{headers}{location}, "/generate/$id", '... and an address');
is($res->{headers}{'cache-control'}, 'no-store', '... for nobody else');
is(rows(), 'queued 1', '... and is in PostgreSQL');
is($db->sql('SELECT request FROM atelier.generation'),
   '{"prompt":"runs into the limit"}', '... as it was sent');
my $second = generate({ prompt => 'the next', seed => 4, style => 'modern' },
                      'ann');
is($second->{json}{position}, 2, 'the next one is second');
is_deeply(ask(GET => "/generate/$second->{json}{id}")->{json},
          $second->{json}, '... and GET says the same');
is(ask(GET => '/generate', 'ann')->{json}{results}[0]{status}, 'queued',
   '... as does the list');
is(calls(), 7, 'no provider was asked for it');
is($stack->metric('atelier_generate_requests_total{result="queued"}'), 2,
   '... and the metrics have it');
is(ask(DELETE => "/generate/$id")->{status}, 204, 'one that waits is cancelled');
is_deeply(ask(GET => "/generate/$id")->{json},
          { id => $id, status => 'cancelled' }, '... and says so');
is(ask(DELETE => "/generate/$id")->{status}, 204, '... twice, if you like');
is(ask(GET => "/generate/$second->{json}{id}")->{json}{position}, 1,
   '... and the next one moves up');

# What is wrong is never queued.

is(generate({ prompt => '' }, 'ann')->{status}, 400, 'invalid: 400');
fresh('strict');
$stack->control(strict => { mode => 'moderated' });
is(generate({ prompt => 'moderated' }, 'ann')->{status}, 422, 'moderated: 422');
is(rows(), 'cancelled 1, queued 1', '... and nothing is queued');

# A passing failure is; so is one too many at once.

$stack->control(strict => { mode => 'status', status => 503 });
is(generate({ prompt => 'broken' }, 'ann')->{status}, 202,
   'all failed in passing: 202');
fresh('slow', generate => 'max_in_flight=1');
$stack->control(slow => { latencyMs => 60_000 });
forget();
my @held = map { send_one({ prompt => "held $_" }) } 1 .. 6;
Stack::until_true('those that are too many', sub {
    return $stack->counters('slow')->{inFlight} > 0
           && rows() =~ /^queued [45]$/;
});
pass('too many in flight: queued');
like(answer_of($held[5])->{json}{status} // 'queued', qr/^queued$/,
     '... and answered');
close $_ for @held;

# Without PostgreSQL it is as it was.

fresh('alone', timeout => '1s');
forget();
$stack->control(alone => { mode => 'rate_limit', variant => 'seconds',
                           retryAfter => 600 });
$db->stop;
$res = generate({ prompt => 'nowhere to keep it' }, 'ann');
is($res->{status}, 503, 'PostgreSQL is away: 503');
is($res->{json}{code}, 'providers_unavailable', '... as before');
ok($res->{headers}{'retry-after'} > 500, '... with Retry-After');
$res = generate({ prompt => 'with a key' }, 'ann', 'Idempotency-Key' => 'k');
is("$res->{status} $res->{json}{code}", '503 queue_unavailable',
   '... a key cannot be kept: 503');
like($res->{headers}{'retry-after'}, qr/^\d+$/, '... with Retry-After');
is(ask(GET => "/generate/$id")->{status}, 503, '... nothing can be looked up');
is(ask(GET => '/generate', 'ann')->{status}, 503, '... no list');
is(ask(DELETE => "/generate/$id", 'ann')->{status}, 503, '... nor deleted');
fresh('free', timeout => '1s');
is(generate({ prompt => 'a picture all the same' }, 'ann')->{status}, 200,
   '... but pictures are made');
is(generate({ prompt => 'with a seed', seed => 3 }, 'ann')->{status}, 200,
   '... with a seed, too');
Stack::until_true('the pictures that are in no list', sub {
    return $stack->metric('atelier_generate_unrecorded_total') == 2
           && 2 == (() = $stack->log_text
                         =~ /a picture that was answered is in no list/g);
});
pass('... and the log says what is missing');
$db->start;
Stack::until_true('PostgreSQL', sub {
    return ask(GET => '/generate', 'ann')->{status} == 200;
});
is(rows(), '', 'it is back, and nothing of that was carried out later');

# queue=off.

fresh('off', generate => 'queue=off');
$stack->control(off => { mode => 'rate_limit', variant => 'seconds',
                         retryAfter => 600 });
is(generate({ prompt => 'no queue' }, 'ann', 'Idempotency-Key' => 'a b')
   ->{status}, 503, 'queue=off: 503');
is(ask(GET => '/generate', 'ann')->{status}, 405, '... and no list');
is(rows(), '', '... and no row');

$stack->finish;
done_testing();
