package Tally;

# prove's harness, which also appends how many tests passed and how many
# failed to the file ATELIER_TALLY: scripts/prove calls it by --harness.
#
# A file that fails without a failed test (it died, it ran other than it
# planned, a sanitizer reported something) counts as one failed test.

use v5.36;
use parent 'TAP::Harness';


sub summary ($self, $aggregate, @more) {
    my ($passed, $failed) = (0, 0);

    for my $parser ($aggregate->parsers) {
        my $n = $parser->failed;
        $n = 1 if !$n && $parser->has_problems;
        $passed += $parser->passed;
        $failed += $n;
    }

    if (defined(my $file = $ENV{ATELIER_TALLY})) {
        open my $out, '>>', $file or die "$file: $!\n";
        print {$out} "$passed $failed\n";
        close $out or die "$file: $!\n";
    }

    return $self->SUPER::summary($aggregate, @more);
}


1;
