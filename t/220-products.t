# The directive atelier_products: what nginx -t refuses; and parameters, which
# are judged before anybody is asked.  What it does is in t/e2e/250-products.t.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

add_block_preprocessor(sub {
    my ($block) = @_;
    if (!defined $block->http_config) {
        $block->set_value('http_config', 'atelier_zone state 1m;
            atelier_cache pages 1m;
            atelier_postgres "host=/nowhere dbname=none";');
    }
    if (!defined $block->config) {
        $block->set_value('config', 'location /products { atelier_products; }');
    }
    if (!defined $block->no_error_log && !defined $block->must_die) {
        $block->set_value('no_error_log', "[alert]\n[emerg]");
    }
});

run_tests();

__DATA__

=== TEST 1: no cache
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/nowhere dbname=none";
--- must_die
--- error_log: this endpoint needs a cache: add "atelier_cache


=== TEST 2: no PostgreSQL
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
--- must_die
--- error_log: this endpoint needs PostgreSQL, which has the products


=== TEST 3: an unknown parameter
--- config
location /products { atelier_products quick=1s; }
--- must_die
--- error_log: invalid parameter "quick=1s" of "atelier_products": known are fresh= of 1s to 1d


=== TEST 4: a time out of its bounds
--- config
location /products { atelier_products fresh=500ms; }
--- must_die
--- error_log: invalid parameter "fresh=500ms"


=== TEST 5: no time at all
--- config
location /products { atelier_products wait=; }
--- must_die
--- error_log: invalid parameter "wait="


=== TEST 6: two locations with other times
--- config
location /products { atelier_products; }
location /furniture { atelier_products fresh=6s; }
--- must_die
--- error_log: has other times than before


=== TEST 7: a location without a path of its own
--- config
location / { atelier_products; }
--- must_die
--- error_log: needs a location with a path of its own


=== TEST 8: a regular expression
--- config
location ~ "^/products" { atelier_products; }
--- must_die
--- error_log: needs a location with a path of its own


=== TEST 9: what is refused, and by which name
--- request eval
["GET /products?page=0", "GET /products?sort=price",
 "GET /products/ikea:1/history?days=x", "GET /products/ikea:1?days=x",
 "GET /products/ikea", "POST /products"]
--- error_code eval
[400, 400, 400, 503, 404, 405]
--- response_body_like eval
[qr/"code":"invalid_parameter",.*"field":"page"/,
 qr/"code":"invalid_parameter",.*"field":"sort"/,
 qr/"code":"invalid_parameter",.*"field":"days"/,
 qr/"code":"products_unavailable"/, qr/"code":"not_found"/,
 qr/"code":"method_not_allowed"/]


=== TEST 10: neither PostgreSQL nor a page
--- request
GET /products?query=sofa
--- error_code: 503
--- response_headers
Retry-After: 2
Cache-Control: no-store
Content-Type: application/problem+json
--- response_body_like: "code":"products_unavailable"


=== TEST 11: under another path
--- config
location /furniture { atelier_products fresh=6s stale=0 wait=0 refresh=1m; }
--- request eval
["GET /furniture?page=0", "GET /furniture/ikea:1", "GET /furniture/x/y"]
--- error_code eval
[400, 503, 404]
