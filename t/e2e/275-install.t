# scripts/install below a DESTDIR: all that an installation has is there, what
# the operator has edited stays, and each unit starts a program that is there.

use strict;
use warnings;
use lib 't/helper';
use File::Temp ();
use Stack;
use Test::More;

my $root = File::Temp->newdir;
my $etc = "$root/etc/nginx/atelier";
my @workers = split ' ', $ENV{WORKERS} // 'feed relay queue shop prices';

# With the module linked into nginx there is none to be put anywhere.
$ENV{MODULE} = Stack::slurp($ENV{MODULE} // '') ? $ENV{MODULE} : 'README.md';
$ENV{DESTDIR} = "$root";

sub install {
    my $said = `scripts/install 2>&1`;
    is($?, 0, 'install') or diag($said);
    return $said;
}

install();
ok(-x "$root/usr/sbin/atelier-$_", "atelier-$_") for @workers;
ok(-f "$root$_", $_) for
    qw(/etc/nginx/atelier/nginx.conf /usr/share/atelier/csp.conf
       /usr/lib/tmpfiles.d/atelier.conf /usr/share/atelier/db/003_live.sql);
ok(-x "$root/usr/share/atelier/scripts/migrate", 'migrate');

# Each unit starts a program that is there, as it wants to be started.

for my $name (@workers) {
    my $unit = Stack::slurp("$root/lib/systemd/system/atelier-$name.service");
    my ($program, $words, $file) =
        $unit =~ m{^ExecStart=(\S+) (run )?-c (/etc/nginx/atelier/\S+)$}m;
    ok(-x "$root$program", "the unit of $name has a program");
    my $settings = Stack::slurp("$root$file")
        =~ s{^#?(recipes = )\S+$}{$1$etc/retailers}mr;
    Stack::spew("$root/settings", $settings);
    my $said = `$root$program @{[ $words // '' ]}-t -c $root/settings 2>&1`;
    like($said, qr/right/, '... which takes its settings')
        or diag($said);
    unlike($unit, qr/@[A-Z]+@/, '... and nothing is left to fill in');
}

# What was edited stays.

my $before = Stack::slurp("$etc/feed.conf");
Stack::spew("$etc/feed.conf", "# mine\n");
Stack::spew("$root/usr/share/atelier/conf/feed.conf", "# of the last one\n");
like(install(), qr/feed\.conf has been edited and stays/, 'it is said');
is(Stack::slurp("$etc/feed.conf"), "# mine\n", 'what was edited stays');
is(Stack::slurp("$etc/feed.conf.new"), $before, '... with the new one beside');

done_testing();
