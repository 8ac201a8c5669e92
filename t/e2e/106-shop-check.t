# atelier-shop check: what is right and wrong with a recipe, and what it finds
# on a page.

use strict;
use warnings;
use utf8;
use File::Temp ();
use Test::More;

my $shop = $ENV{ATELIER_SHOP};
my $dir = File::Temp->newdir('/tmp/atelier-check-XXXXXX');

sub file {
    my ($name, $text) = @_;
    open(my $f, '>:utf8', "$dir/$name") or die "$dir/$name: $!";
    print {$f} $text;
    close $f or die;
    return "$dir/$name";
}

sub run {
    my @args = @_;
    my $pid = open(my $out, '-|') // die "fork: $!";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT) or die;
        exec($shop, @args) or die "$shop: $!";
    }
    my $text = do { local $/; <$out> };
    close $out;
    return ($? >> 8, $text);
}

my $members = '"name": "lamp", "hosts": ["lamp.example"], "currency": "INR",
    "decimal": ".", "urls": {"search": "https://lamp.example/s?q={query}"},
    "id": {"urls": ["/p/{id}"], "chars": "0-9"},
    "product": {"price": [".now", ".pay"], "title": "h1"}';
my $recipe = file('lamp.json', "{$members}");
my $page = file('page.html', '<html><h1>Brass Lamp</h1><b class=now>₹99/month'
                . '</b><b class=pay>₹1,23,456.50</b></html>');

my ($rc, $text) = run('check', $recipe);
is($rc, 0, 'a recipe that is right');
like($text, qr/the recipe \S+ is right/, '... is said to be');

for my $name (qw(amazon flipkart ikea pepperfry urbanladder)) {
    ($rc, $text) = run('check', "conf/retailers/$name.json");
    is($rc, 0, "the recipe of $name is right") or diag($text);
}

($rc, $text) = run('check', file('bad.json', "{$members, \"colour\": 1}"));
is($rc, 1, 'one with a member too many is not');
like($text, qr/bad\.json: \$\.colour: not known here; take it out/,
     '... and where and why is said');

($rc, $text) = run('check', "$dir/none.json");
is($rc, 1, 'no such file');
like($text, qr/none\.json: cannot be opened/, '... is said');

my @asked = ('-p', '-u', 'https://lamp.example/p/77', $recipe);
($rc, $text) = run('check', @asked, $page);
is($rc, 0, 'a page');
like($text, qr/^state page$/m, 'it is one');
like($text, qr/^  id +77\n +address, URL$/m, 'its id, and from where');
like($text, qr/^  title +Brass Lamp\n +selectors, h1$/m, 'its title');
like($text, qr/^  price +123456\.50\n +selectors, \.pay$/m, 'its price');
like($text, qr/^  mrp +-$/m, 'it has no list price');
unlike($text, qr/an instalment/, 'what lost is not shown');

($rc, $text) = run('check', '-v', @asked, $page);
like($text, qr/selectors, \.now: an instalment/, '... but with -v');

($rc, $text) = run('check', @asked,
                   file('wall.html', '<html>Wi-Fi: log in</html>'));
is($rc, 1, 'what is no page fails');
like($text, qr/^state wall: no word of the shop in it$/m, '... and why');

($rc, $text) = run('check', $recipe, 'http://127.0.0.1:9/p/77');
is($rc, 1, 'an address of this machine is not asked');
like($text, qr/127\.0\.0\.1/, '... which is said');

($rc, $text) = run('chek', $recipe);
is($rc, 2, 'a command that is not known');
like($text, qr/^usage: atelier-shop COMMAND/, '... brings the usage');

done_testing;
