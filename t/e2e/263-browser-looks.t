# Every page in Chromium, wide and narrow, light and dark: axe, the policy of
# contents, shifts, the size of what is loaded first.

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

Node::run('web/e2e/looks.mjs', [ $site->url, $ENV{ATELIER_SHOTS} // () ],
          $site->deeds);

$site->finish;
done_testing();
