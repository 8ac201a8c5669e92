# The shop, in Chromium: search and filters, prices and stock that change at the
# sandbox's shops, one product with its history, wide and narrow.

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

my $site = Site->new(shop => 1);

Node::run('web/e2e/shop.mjs', [ $site->url, $ENV{ATELIER_SHOTS} // () ],
          $site->deeds);

$site->finish;
done_testing();
