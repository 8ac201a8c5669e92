# Pictures, in Chromium: attempts as they end, errors, cancelling, the queue over
# reloads, one's own; wide in the light and narrow in the dark.

use strict;
use warnings;
use lib 't/helper';
use Node;
use Test::More;

BEGIN {
    my $why = Node::no_browser();
    plan skip_all => $why if $why;
}

use Site;

my $site = Site->new;

Node::run('web/e2e/create.mjs', [ $site->url, $ENV{ATELIER_SHOTS} // () ],
          $site->deeds);

$site->finish;
done_testing();
