package Node;

# Runs a program of web/e2e/ and makes its results tests of ours.
#
#     Node::run('web/e2e/live.mjs', [ $address ],
#               reload => sub { $stack->reload });
#
# Such a program prints one JSON object a line: a result, {"ok", "name",
# "detail"}, or something that is to be done here, {"do", "with"}, whose
# subroutine is called by what is in "with" and whose return is the answer.

use strict;
use warnings;

use IPC::Open2 ();
use JSON::PP ();
use Test::More ();

my $DEADLINE = 600;     # seconds, of a program that hangs

# Why it cannot be had, or nothing.
sub missing {
    return 'node is not installed: scripts/setup test'
        if system('node --version > /dev/null 2>&1') != 0;
    return 'web/node_modules is missing: make web'
        if !-d 'web/node_modules';
    return;
}

# Why there is no browser to test in, or nothing.
sub no_browser {
    my $chromium = $ENV{CHROMIUM} // '/usr/bin/chromium';
    return "Chromium is not installed ($chromium): scripts/setup test"
        if !-x $chromium;
    return;
}

sub run {
    my ($program, $args, %do) = @_;
    my $json = JSON::PP->new->utf8->canonical->allow_nonref;

    if (my $why = missing()) {
        Test::More::fail("$program: $why");
        return;
    }

    my ($end, $pid) = (0);
    local $SIG{PIPE} = 'IGNORE';
    local $SIG{ALRM} = sub {
        kill KILL => $pid;
        Test::More::fail("$program ends within $DEADLINE s");
    };
    $pid = IPC::Open2::open2(my $out, my $in, 'node', $program, @$args);
    alarm $DEADLINE;
    while (defined(my $line = <$out>)) {
        my $said = eval { $json->decode($line) };
        if (ref $said ne 'HASH') {
            chomp $line;
            Test::More::diag("$program: $line");
        } elsif ($said->{do}) {
            my $code = $do{ $said->{do} }
                or die "$program: nobody here can $said->{do}\n";
            my $done = $code->($said->{with});
            print {$in} $json->encode({ done => $done }), "\n";
            $in->flush;
        } elsif (defined $said->{ok}) {
            Test::More::ok($said->{ok}, $said->{name})
                or Test::More::diag($json->encode($said->{detail}));
        } elsif ($said->{end}) {
            $end = 1;
        }
    }
    alarm 0;
    close $in;
    waitpid $pid, 0;
    Test::More::ok($end && $? == 0, "$program ran to its end");
    return;
}

1;
