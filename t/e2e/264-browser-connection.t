# What a page says of its connection, in Chromium: on every page, over a reload,
# offline, given up, and live again.

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

Node::run('web/e2e/connection.mjs', [ $site->url, $ENV{ATELIER_SHOTS} // () ],
          $site->deeds);

$site->finish;
done_testing();
