# Limits over all workers, and every form in which a provider says "later".

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my %form = (            # variant => at least so many seconds, at most
    seconds            => [40, 40],
    fraction           => [40, 41],
    http_date          => [30, 41],     # a time of day, read some time later
    retry_after_ms     => [40, 40],
    x_ratelimit_reset  => [40, 40],
    ratelimit_reset    => [40, 40],
    body_text          => [40, 40],
    try_again          => [40, 41],
    none               => [1, 60],
);

my $stack = Stack->new(workers => 2, providers => [
    groq => 'format=openai rate=20r/1h',
]);

# Sixty requests at once over both workers: a fresh zone starts with half.

$stack->control(groq => { latencyMs => 30 });
my @sockets = map { $stack->send_generate({ prompt => "n $_" }) } 1 .. 60;
my %status;
for my $socket (@sockets) {
    my $line = readline $socket;
    $status{ $line =~ m{^HTTP/1\.1 (\d+)} ? $1 : '-' }++;
    close $socket;
}
is_deeply(\%status, { 200 => 10, 503 => 50 }, 'ten served, fifty told');
is($stack->counters('groq')->{calls}, 10, '... and ten calls made');
is($stack->metric('atelier_provider_calls_total{provider="groq"}'), 10,
   '... as the metrics say');

# After a 429 nobody asks for as long as it said.

for my $variant (sort keys %form) {
    my $name = $variant =~ tr/_/-/r;
    $stack->configure(providers => [ $name => 'format=openai' ]);
    $stack->reload;
    $stack->control($name => { mode => 'rate_limit', variant => $variant,
                               retryAfter => 40 });

    my $res = $stack->generate({ prompt => $variant });
    my $after = $res->{headers}{'retry-after'} // -1;
    is($res->{status}, 503, "429 by $variant: 503");
    is($stack->outcomes($res)->{$name}, 'rate_limited', '... rate_limited');
    ok($after >= $form{$variant}[0] && $after <= $form{$variant}[1],
       "... Retry-After $after within @{ $form{$variant} }");

    for my $again (1 .. 6) {
        $res = $stack->generate({ prompt => $variant });
    }
    is($stack->outcomes($res)->{$name}, 'limited', '... then not asked');
    is($stack->counters($name)->{calls}, 1, '... by any worker');
}

$stack->finish;
done_testing();
