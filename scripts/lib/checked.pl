# Runs one test file for prove and fails it if a sanitizer has reported
# anything meanwhile: scripts/prove calls this as prove's --exec, once a file.
#
# The sanitizers of nginx and the sandbox write each report to a file of its
# own in the folder ATELIER_REPORTS, whatever becomes of the process and its
# logs.  A report that was shown is moved to the folder "shown" in it.
#
# One leak is passed over.  When a configuration is refused, nginx's main()
# returns without giving back the pool it began with.  A rule of
# LeakSanitizer's names a single function, and any pool that is lost would
# match; so it is recognised here, by all of its stack, with what else only
# that pool led to and no code of ours had a part in.

use v5.36;

use constant SHOWN_WHOLE => 3;      # reports

my $Folder = $ENV{ATELIER_REPORTS} // die "ATELIER_REPORTS is not set\n";
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


sub reports () {
    opendir my $dir, $Folder or die "$Folder: $!\n";
    return grep { -f } map { "$Folder/$_" } sort readdir $dir;
}


# Prints the first reports whole, and of the others once what they are about.
sub show_new_reports () {
    my ($n, %about) = (0);

    for my $file (reports()) {
        my $text = slurp($file);
        my $name = $file =~ s{.*/}{}r;
        if (!is_nginxs_own($text) && ++$n <= SHOWN_WHOLE) {
            print STDERR map { "# $_\n" } "sanitizer report $name:",
                split /\n/, $text;
        } elsif (!is_nginxs_own($text)) {
            $about{ ($text =~ /^(SUMMARY: .*|.*runtime error: .*)/m)[0]
                    // $name }++;
        }
        rename $file, "$Folder/shown/$name" or die "$file: $!\n";
    }

    print STDERR map { "# and $about{$_} times: $_\n" } sort keys %about;
    return $n;
}


mkdir "$Folder/shown";

my $status = @ARGV ? system($^X, @ARGV) : 0;
my $code   = $status & 127 ? 128 + ($status & 127) : $status >> 8;
my $bad    = show_new_reports();

if ($bad) {
    print STDERR "# $bad sanitizer report(s): this file fails\n";
    $code ||= 1;
}
exit $code;
