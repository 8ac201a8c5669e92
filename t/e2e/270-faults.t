# Processes of the whole are killed at random under load, PostgreSQL and Redis
# among them: no update is lost, none comes twice, none in another order, and
# in the end everybody has what is in the database.  bench/faults has more of
# it; ATELIER_SEED repeats a run.

use strict;
use warnings;
use lib 't/helper';
use Faults;
use Test::More;

my $seed = $ENV{ATELIER_SEED} || time % 100_000;
diag "seed $seed";
my $faults = Faults->new(kills => 12, seed => $seed, pause => 0.4,
                         clients => 20);
my $figures = $faults->run;
my %killed = $faults->killed;
diag join ', ', map { "$_ $killed{$_}" } sort keys %killed;
is($figures->{kills}, 12, 'killed');
cmp_ok($figures->{messages}, '>', 0, "messages: $figures->{messages}");

my %what = (
    lost        => 'no message is left out',
    again       => '... nor comes twice or late',
    unrecovered => 'who comes back gets all that was missed',
    errors      => '... and no error',
    open        => 'in the end all have the last of each channel',
    stale       => '... and its value',
    holes       => 'ids are dense in the database',
    disorder    => '... and in the order of the changes',
    unheard     => 'what is in history was published',
    unwritten   => '... and the other way around',
    forgotten   => 'what PostgreSQL has confirmed is there',
);
my $bad = delete $figures->{bad};
is($bad->{$_}, 0, $what{$_}) for sort keys %what;
is_deeply([ sort keys %$bad ], [ sort keys %what ], 'nothing else is counted');
diag join "\n", $faults->notes if grep { $_ } values %$bad;

done_testing();
