# What web/api/openapi.json says of the HTTP API is true: the front end's types
# are made from it.

use strict;
use warnings;
use lib 't/helper';
use Node;
use Site;
use Test::More;

my $site = Site->new(pages => 0);

Node::run('web/e2e/api.mjs', [ $site->url ], $site->deeds);

$site->finish;
done_testing();
