# The matrix of answers that must never win: for every fault that a provider
# can show, a provider with that fault answers first and a good one later.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my $stack = Stack->new;

# What the faulty lane must be called.  "late" ones are cut by their loss.
my %common = (
    'truncated/short' => 'transient', 'truncated/cut' => 'transient',
    'empty/body'      => 'transient', 'empty/no_content' => 'transient',
    'garbage/html'    => 'transient', 'garbage/text'     => 'transient',
    'garbage/tiny'    => 'transient', 'garbage/gif'      => 'transient',
    'garbage/gzip'    => 'transient', 'garbage/deep'     => 'transient',
    'garbage/redirect' => 'transient', 'oversized'       => 'transient',
    'reset'           => 'transient', 'hang'             => 'cancelled',
    'hang_body'       => 'cancelled', 'drip'             => 'cancelled',
    'rate_limit/seconds' => 'rate_limited',
);
my %own = (
    openai => {
        'moderated/moderation_blocked'       => 'moderated',
        'moderated/content_policy_violation' => 'moderated',
        'moderated/respect_moderation'       => 'moderated',
        'moderated/empty_data'               => 'transient',
        'truncated/base64' => 'transient', 'truncated/json' => 'transient',
        'empty/null'       => 'transient', 'empty/json'     => 'transient',
        'garbage/bad_url'  => 'transient', 'garbage/file_url' => 'transient',
    },
    stability => {
        'moderated/forbidden'       => 'moderated',
        'moderated/filtered_header' => 'moderated',
    },
    'stability-v1' => {
        'moderated/filtered_artifact' => 'moderated',
        'moderated/invalid_prompts'   => 'moderated',
        'truncated/base64' => 'transient', 'truncated/json' => 'transient',
        'empty/null'       => 'transient', 'empty/json'     => 'transient',
    },
);

for my $format (sort keys %own) {
    my ($bad, $good) = ("$format-bad", "$format-good");

    $stack->configure(providers => [
        $bad  => "format=$format priority=1 timeout=30s max_fails=0",
        $good => "format=$format priority=2 timeout=30s",
    ]);
    $stack->reload;

    my %faults = (%common, %{ $own{$format} });

    # a 429 pauses the provider, so it comes last

    for my $fault (sort { ($a =~ /seconds/) <=> ($b =~ /seconds/) || $a cmp $b }
                   keys %faults)
    {
        my ($mode, $variant) = split m{/}, $fault;

        $stack->control($bad => { mode => $mode,
                                  $variant ? (variant => $variant) : () });

        # The good one answers when the bad one has said all it will say.  On
        # a machine under load that takes longer: the wait grows until the
        # outcome is in, and whatever it is, the bad one must not have won.

        my ($res, $outcome);
        for my $ms (150, 1000, 4000, 15_000) {
            $stack->control($good => { latencyMs => $ms });
            $res = $stack->generate({ prompt => "$format against $fault" });
            $outcome = $stack->outcomes($res)->{$bad} // '-';
            last if $outcome eq $faults{$fault} || $res->{status} != 200
                    || $res->{json}{provider} ne $good;
        }

        is(join(' ', $res->{status}, $res->{json}{provider} // '-', $outcome),
           "200 $good $faults{$fault}", "$format: $fault");
    }
}

# Sizes that the engine itself would refuse as they are asked.

$stack->configure(providers => [ sized => 'format=stability-v1' ]);
$stack->reload;

for my $size ([320, 240], [640, 400], [64, 4096], [4096, 4096], [4096, 64]) {
    my $res = $stack->generate({ prompt => 'a room', width => $size->[0],
                                 height => $size->[1] });
    is($res->{status}, 200, "stability-v1 draws for @$size")
        or diag($res->{content});
}

$stack->finish;
done_testing();
