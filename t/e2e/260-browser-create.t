# Pictures, in Chromium: feedback, errors, cancelling, the queue over a reload,
# one's own.

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

Node::run('web/e2e/create.mjs', [ $site->url ], $site->deeds);

$site->finish;
done_testing();
