# Pictures older than keep= go, and so does what a crash left; all else stays.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

# A sweep comes every twentieth of the time.

my $stack = Stack->new(workers => 2, pictures => 'keep=120s');
my $dir = "$stack->{home}/generated";
my $old = time - 7200;

sub file {
    my ($name, $time) = @_;
    Stack::spew("$dir/$name", 'x');
    utime $time, $time, "$dir/$name" if $time;
    return $name;
}

sub id { return sprintf '%032x', $_[0]; }

sub names {
    opendir my $in, $dir or die "opendir: $!";
    return sort grep { !/^\.\.?$/ } readdir $in;
}

my $made = $stack->generate({ prompt => 'a room' });
is($made->{status}, 200, 'a picture');
my ($new) = $made->{json}{url} =~ m{([^/]+)$};

# More than one slice.

my $n = 0;
for my $type (qw(png jpg webp)) {
    file(id($n++) . ".$type", $old) for 1 .. 1000;
}
file('.' . id($n++) . '.123-4.png', $old);

my @stay = sort $new, file(id($n++) . '.png'), file('.' . id($n++) . '.1-1.png'),
    file('.' . id($n++) . '.2-2.png', time - 3000),
    map { file($_, $old) } 'readme', '.keep', id($n) . '.gif', id($n) . '.png.bak',
                           'A' . id($n) . '.png', id($n);
mkdir "$dir/" . id(++$n) . '.png' or die "mkdir: $!";
utime $old, $old, "$dir/" . id($n) . '.png';
push @stay, id($n) . '.png';
@stay = sort @stay;

my $swept = sub { $stack->metric('atelier_pictures_swept_total') };
Stack::until_true('old ones to go', sub { $swept->() >= 3001 });
is_deeply([ names() ], \@stay, 'the old ones are gone, and nothing else');
is($swept->(), 3001, '... each is counted once');
is($stack->http->get($stack->url($made->{json}{url}))->{status}, 200,
   '... and the new picture is there');

$stack->finish;
done_testing();
