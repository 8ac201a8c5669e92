# Scripts of parts of the pages that do not come, in Chromium: the rest stays, and
# they can be had again.

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

Node::run('web/e2e/parts.mjs', [ $site->url ], $site->deeds);

$site->finish;
done_testing();
