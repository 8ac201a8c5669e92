# The client of web/lib/live.ts against the real server: reloads, a server
# that goes and comes back, and no more messages than a client may send.

use strict;
use warnings;
use lib 't/helper';
use Node;
use Stack;
use Test::More;

my $stack = Stack->new(
    server => 'location = /live { atelier_live drain=1s; }',
);

Node::run('web/e2e/live.mjs', [ $stack->url('') ],
          reload => sub { $stack->reload; return; },
          stop   => sub { $stack->_end(nginx => 'QUIT'); return; },
          start  => sub { $stack->_start_nginx or die 'no port'; return; });

$stack->finish;
done_testing();
