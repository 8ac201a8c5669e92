#!/usr/bin/perl

# Runs the test files with the runner that is there.
#
#     perl t/lib/run.pl [options and files of prove]
#
# TEST_NGINX_RUNNER says which: "own" for the one in this directory, or the
# lib directory of the original; without it the original is used if perl finds
# it, else our own. TEST_NGINX_BINARY names the nginx; without it the one in
# PATH or in /usr/sbin, where a plain user's PATH often does not lead.
#
# It only sets the environment and becomes prove: nothing is left to free.

use v5.36;
use File::Basename qw(dirname);
use File::Spec;

my $own = File::Spec->rel2abs(dirname(__FILE__));


# The original, and all it needs, must really load; our own module of the same
# name does not count.
sub loads_original (@include) {
    my $code = 'require Test::Nginx::Util; require Test::Base; '
        . 'require Test::LongString; require HTTP::Response; '
        . 'require List::MoreUtils; require URI::Escape;';

    return system($^X, (map { "-I$_" } @include), '-e',
                  "exit !eval { $code; 1 }") == 0;
}


sub find_binary () {
    for my $dir (File::Spec->path, '/usr/sbin', '/usr/local/sbin') {
        my $file = File::Spec->catfile($dir, 'nginx');
        return $file if -x $file && !-d _;
    }
    die "no nginx found: install it or set TEST_NGINX_BINARY to its path\n";
}


sub choose () {
    my $wish = $ENV{TEST_NGINX_RUNNER} // '';

    return ("-I$own", "our own in $own") if $wish eq 'own';

    if ($wish ne '') {
        my $lib = File::Spec->rel2abs($wish);
        loads_original($lib)
            or die "TEST_NGINX_RUNNER is \"$wish\": it is neither \"own\" nor "
                . "a directory from which Test::Nginx loads with all it "
                . "needs\n";
        return ("-I$lib", "the original in $lib");
    }

    return (undef, 'the original') if loads_original();
    return ("-I$own", "our own in $own");
}


my ($include, $which) = choose();
$ENV{TEST_NGINX_BINARY} ||= find_binary();

my @arguments = @ARGV;
push @arguments, 't/' if !grep { -e } @arguments;

say "runner: $which";
say "nginx:  $ENV{TEST_NGINX_BINARY}";
exec 'prove', ($include // ()), @arguments
    or die "cannot run prove: $!\n";
