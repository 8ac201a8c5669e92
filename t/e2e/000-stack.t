# The helper itself: somebody else listens on the port that was free a moment
# ago.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my $busy = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
    or die "no port: $!";
my @first = ($busy->sockport);
my $really = \&Stack::free_port;
{
    no warnings 'redefine';
    *Stack::free_port = sub { return shift(@first) // $really->(); };
}

my $stack = Stack->new;
isnt($stack->{port}, $busy->sockport, 'another port is taken instead');
is($stack->generate({ prompt => 'a room' })->{status}, 200,
   'and nginx answers there');
$stack->finish;
done_testing();
