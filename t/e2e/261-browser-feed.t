# The feed, in Chromium: fifty pages, hearts, the back button, a server that is
# reloaded and goes away.

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

Node::run('web/e2e/feed.mjs', [ $site->url ], $site->deeds);

$site->finish;
done_testing();
