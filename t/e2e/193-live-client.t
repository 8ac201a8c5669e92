# The client of web/lib/live.ts against the real server: reloads, a worker's
# death, a server that goes and comes back, no message lost or shown twice,
# and no more of its own than a client may send.

use strict;
use warnings;
use lib 't/helper';
use Node;
use Site;
use Test::More;

my $site = Site->new(pages => 0);

Node::run('web/e2e/live.mjs', [ $site->url ], $site->deeds);

$site->finish(allow => qr/exited on signal 9/);
done_testing();
