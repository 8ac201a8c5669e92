# The race on the running system: one provider hangs, one refuses, one is slow
# and one is good.  The good one wins, the others are taken off the wire at
# once, and the connections of client and server live on.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my $stack = Stack->new(providers => [
    hang   => 'format=openai priority=1 timeout=15s',
    refuse => 'format=openai priority=2 timeout=15s',
    slow   => 'format=stability priority=3 timeout=15s',
    good   => 'format=stability priority=4 timeout=15s',
]);

$stack->control(hang => { mode => 'hang' });
$stack->control(refuse => { mode => 'moderated' });
$stack->control(slow => { latencyMs => 12000 });
$stack->control(good => { latencyMs => 50 });

for my $round (1 .. 3) {
    my $res = $stack->generate({ prompt => "a green room, number $round" });

    is($res->{status}, 200, "round $round: answered");
    is($res->{json}{provider}, 'good', '... by the good one');
    is_deeply($stack->outcomes($res),
              { hang => 'cancelled', refuse => 'moderated',
                slow => 'cancelled', good => 'won' },
              '... and each attempt says what became of it');

    my $picture = $stack->http->get($stack->url($res->{json}{url}));
    is($picture->{status}, 200, '... the picture is there');
    like($picture->{content}, qr/^\x89PNG\r\n\x1a\n/, '... and is a PNG');

    ok($stack->wait_for($_, "aborted>=$round"), "... $_ saw the cancel")
        for qw(hang slow);
}

is($stack->counters('refuse')->{aborted}, 0,
   'the one that had answered was not aborted');
ok($stack->wait_for($_, 'inFlight==0'), "nothing left at $_")
    for qw(hang refuse slow good);

# Pictures are stored byte for byte: the same prompt and seed twice.

my @same = map {
    my $res = $stack->generate({ prompt => 'twice', seed => 7 });
    is($res->{json}{seed}, 7, 'the seed is answered');
    $stack->http->get($stack->url($res->{json}{url}))->{content};
} 1 .. 2;
ok($same[0] eq $same[1], 'same prompt and seed, same bytes');

# A deadline of its own for each lane.

$stack->control(good => { mode => 'hang' });
$stack->configure(providers => [
    hang => 'format=openai timeout=300ms',
    good => 'format=stability timeout=200ms',
]);
$stack->reload;

my $res = $stack->generate({ prompt => 'nobody answers' });
is($res->{status}, 503, 'nobody in time: 503');
is($res->{json}{code}, 'providers_unavailable', '... with its code');
ok($res->{headers}{'retry-after'} >= 1, '... and a Retry-After');
is_deeply($stack->outcomes($res), { hang => 'deadline', good => 'deadline' },
          '... and the attempts name the deadline');

$stack->finish;
done_testing();
