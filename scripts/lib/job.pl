# Runs one test file for prove, beside others if need be: scripts/prove calls
# this as prove's --exec, once a file.  The file gets a folder of its own in
# ATELIER_JOBS, with the root of its servers and what sanitizers report.  With
# ATELIER_NETWORK=private it has a network of its own, too, and what it says
# on standard error is shown as one piece when it ends, as several run at a
# time.
#
# With ATELIER_TALLY=file, the end of what a job that failed said is appended
# to file.said: scripts/test shows it again when all is over.
#
# With ATELIER_SANITIZERS=1 it fails if a sanitizer has reported anything
# meanwhile.  The sanitizers of nginx and all others write each report to a
# file of its own, whatever becomes of the process and its logs.  One that was
# shown is removed.  Called without a file, this looks for reports that came
# up when their file had ended.
#
# One leak is passed over.  When a configuration is refused, nginx's main()
# returns without giving back the pool it began with.  A rule of
# LeakSanitizer's names a single function, and any pool that is lost would
# match; so it is recognised here, by all of its stack, with what else only
# that pool led to and no code of ours had a part in.

use v5.36;
use File::Path qw(remove_tree);

use constant SHOWN_WHOLE => 3;      # reports
use constant KEPT_LINES => 40;      # of what a job that failed said

my $Folder  = $ENV{ATELIER_JOBS} // die "ATELIER_JOBS is not set\n";
my $Private = ($ENV{ATELIER_NETWORK} // '') eq 'private';

my $First_pool = qr{
    \A Direct\ leak\ of\ 1024\ byte\(s\)\ in\ 1\ object\(s\) [^\n]* \n
    \s+ \#0\ [^\n]* memalign [^\n]* \n
    \s+ \#1\ [^\n]*\ in\ ngx_memalign\ [^\n]* \n
    \s+ \#2\ [^\n]*\ in\ ngx_create_pool\ [^\n]* \n
    \s+ \#3\ [^\n]*\ in\ main\ [^\n]* (?:\n|\z)
}x;


sub slurp ($file) {
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return readline($in) // '';
}


sub is_nginxs_own ($text) {
    return 0 if $text !~ /LeakSanitizer: detected memory leaks/;

    my @leaks = grep { / leak of / } split /\n\n+/, $text;
    my @first = grep { $_ =~ $First_pool } @leaks;
    my @led_to = grep { /^Indirect / && !/ in (?:ngx_http_atelier|at_)/ }
        @leaks;

    return @first == 1 && @first + @led_to == @leaks;
}


# Prints the first reports whole, and of the others once what they are about.
sub show_reports ($folder) {
    my ($n, %about) = (0);

    for my $file (sort glob "$folder/reports/*") {
        my $text = slurp($file);
        my $name = $file =~ s{.*/}{}r;
        if (!is_nginxs_own($text) && ++$n <= SHOWN_WHOLE) {
            print STDERR map { "# $_\n" } "sanitizer report $name:",
                split /\n/, $text;
        } elsif (!is_nginxs_own($text)) {
            $about{ ($text =~ /^(SUMMARY: .*|.*runtime error: .*)/m)[0]
                    // $name }++;
        }
        unlink $file or die "$file: $!\n";
    }

    print STDERR map { "# and $about{$_} times: $_\n" } sort keys %about;
    return $n;
}


# The folder of a job; "file" in it says whose it is.
sub prepare ($file) {
    my $folder = "$Folder/$$";

    mkdir $folder, 0755 or die "$folder: $!\n";
    mkdir "$folder/reports" or die "$folder/reports: $!\n";
    chmod 01777, "$folder/reports";

    open my $out, '>', "$folder/file" or die "$folder/file: $!\n";
    print {$out} $file;
    close $out or die "$folder/file: $!\n";

    $ENV{TEST_NGINX_SERVROOT} //= "$folder/servroot";
    for my $name (qw(asan ubsan)) {
        $ENV{ uc($name) . '_OPTIONS' } .= ":log_path=$folder/reports/$name"
            if $ENV{ATELIER_SANITIZERS};
    }
    return $folder;
}


# Shows what the job said, under its name.
sub show_said ($folder, $file) {
    my $said = slurp("$folder/said");

    print STDERR "# $file:\n$said" if $said ne '';
}


sub run ($folder, @command) {
    if ($Private) {
        open my $stderr, '>&', \*STDERR or die "stderr: $!\n";
        open STDERR, '>>', "$folder/said" or die "$folder/said: $!\n";
        system('scripts/lib/network', $^X, @command);
        open STDERR, '>&', $stderr or die "stderr: $!\n";
        show_said($folder, $command[-1]);
    } else {
        system($^X, @command);
    }
    return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}


# In one write, as others append to the file, too.
sub keep_said ($folder, $file) {
    my $kept = $ENV{ATELIER_TALLY} // return;
    my @lines = -e "$folder/said" ? split /^/, slurp("$folder/said") : ();

    splice @lines, 0, -KEPT_LINES if @lines > KEPT_LINES;
    open my $out, '>>', "$kept.said" or die "$kept.said: $!\n";
    syswrite $out, join '', "-- $file ($ENV{BUILD})\n", @lines;
    close $out or die "$kept.said: $!\n";
}


# What came up when the file had ended.
sub look_back () {
    my $bad = 0;

    for my $folder (glob "$Folder/*") {
        my $n = show_reports($folder) or next;
        my $file = slurp("$folder/file");
        print STDERR "# $n sanitizer report(s) after the end of $file\n";
        $bad += $n;
    }
    return $bad ? 1 : 0;
}


exit look_back() if !@ARGV;

my $job  = prepare($ARGV[-1]);
my $code = run($job, @ARGV);
my $bad  = show_reports($job);

remove_tree("$job/servroot");
if ($bad) {
    print STDERR "# $bad sanitizer report(s): $ARGV[-1] fails\n";
    $code ||= 1;
}
keep_said($job, $ARGV[-1]) if $code;
exit $code;
