# Answers that arrive while the worker is busy: all that lies in the sockets is
# read before the race is decided.  So the highest priority wins, the others
# have merely lost, and their connections live on; only a large picture that
# comes behind a good one is not read for nothing.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my $small = 'format=openai model=dall-e-2 timeout=60s';
my $stack = Stack->new(workers => 1, providers => [
    large  => 'format=stability priority=4 timeout=60s',
    third  => "$small priority=3",
    second => "$small priority=2",
    first  => "$small priority=1",
]);
my ($worker) = Stack::until_true('the worker', sub {
    my @workers = $stack->workers;
    return @workers == 1 ? $workers[0] : undef;
});

# The highest priority is the last of the small ones.  They take longer than it
# does to see that all are asked and to stop the worker.

my %latency = (second => 4000, third => 4050, first => 4100, large => 4150);
my @names = sort { $latency{$a} <=> $latency{$b} } keys %latency;
$stack->control($_ => { latencyMs => $latency{$_} }) for @names;

sub worker_is {
    my ($letter) = @_;
    Stack::until_true("the worker to be in state $letter", sub {
        return Stack::slurp("/proc/$worker/stat") =~ /\) [$letter] /;
    });
    return;
}

sub answer_of {
    my ($round) = @_;
    my $pid = open my $child, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        my $res = $stack->generate({ prompt => "number $round", width => 256,
                                     height => 256 });
        print $res->{content};
        close STDOUT;
        POSIX::_exit(0);
    }
    return $child;
}

for my $round (1 .. 2) {
    my $child = answer_of($round);
    ok($stack->wait_for($_, 'inFlight==1'), "round $round: $_ is asked")
        for @names;
    kill STOP => $worker;
    worker_is('T');
    ok($stack->wait_for($_, 'inFlight==0'), "... $_ has answered")
        for @names;
    kill CONT => $worker;

    my $text = do { local $/; <$child> };
    close $child;
    my $json = eval { JSON::PP::decode_json($text) } // {};
    is($json->{provider}, 'first', '... and the first of them wins');
    is_deeply($stack->outcomes({ json => $json }),
              { first => 'won', second => 'lost', third => 'lost',
                large => 'cancelled' }, '... with the others behind it');
}

for (@names) {
    my $seen = $stack->counters($_);
    is($seen->{aborted}, 0, "$_: nothing was broken off");
    is($seen->{ok}, 2, '... and both answers were whole');
}

is(() = $stack->log_text =~ /provider "\w+" failed/g, 0, 'nobody has failed');

$stack->finish;
done_testing();
