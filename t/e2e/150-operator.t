# Tokens of operators are read again at a reload, and a reload that cannot
# read them changes nothing.

use strict;
use warnings;
use lib 't/helper';
use Stack;
use Test::More;

my @tokens = map { sprintf '%032x', $_ } 1, 2;

my $stack = Stack->new;
Stack::spew("$stack->{home}/conf/tokens", "$tokens[0]\n");
$stack->configure(server => <<'END');
    location = /guarded {
        atelier_metrics;
        atelier_operator token_file=tokens;
    }
END
$stack->reload;

sub status {
    my ($token) = @_;
    return $stack->http->get($stack->url('/guarded'), {
        headers => { Authorization => "Bearer $token" } })->{status};
}

is(join(' ', map { status($_) } @tokens), '200 403', 'one token');

Stack::spew("$stack->{home}/conf/tokens", "$tokens[1]\n$tokens[0]\n");
is(status($tokens[1]), 403, 'a new one in the file');
$stack->reload;
is(join(' ', map { status($_) } @tokens), '200 200', '... counts from a reload');

Stack::spew("$stack->{home}/conf/tokens", "$tokens[1]\n");
$stack->reload;
is(join(' ', map { status($_) } @tokens), '403 200', 'the old one has gone');

unlink "$stack->{home}/conf/tokens";
kill HUP => $stack->{pids}{nginx};
Stack::until_true('a refused reload', sub {
    return $stack->log_text =~ /tokens" cannot be opened/;
});
is(join(' ', map { status($_) } @tokens), '403 200',
   'without the file all stays as it was');

$stack->finish(allow => qr/tokens" cannot be opened/);
done_testing();
