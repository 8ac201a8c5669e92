# What bench/faults runs: see t/helper/Faults.pm.

use strict;
use warnings;
use Faults;

my ($kills, $seed) = @ARGV;
$| = 1;
print "seed $seed\n";
my $faults = Faults->new(kills => $kills, seed => $seed);
my $figures = $faults->run;
my $bad = delete $figures->{bad};
my %killed = $faults->killed;

printf "%-14s %s\n", 'killed', join ', ',
       map { "$_ $killed{$_}" } sort keys %killed;
printf "%-14s %.0f s, %.0f changes/s (%d found at shops)\n", 'under load',
       $figures->{seconds}, $figures->{published} / $figures->{seconds},
       $figures->{found};
printf "%-14s %d messages on %d sockets, one after the other\n", 'heard',
       @$figures{qw(messages connections)};
printf "%-14s %d subscriptions that went on where they were\n", 'came back',
       $figures->{back} // 0;
printf "%-14s %d of %d changes\n", 'confirmed', $figures->{told},
       $figures->{published};
printf "%-14s %d\n", $_, $bad->{$_} for sort keys %$bad;
if (grep { $_ } values %$bad) {
    print "$_\n" for $faults->notes;
    exit 1;
}
