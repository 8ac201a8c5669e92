# atelier_invalidate and atelier_scrape: what nginx -t refuses, who is let in,
# and what is asked of a request.  What they do is in t/e2e/180-operators.t.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $Token = 'b1946ac92492d2347c6235b4d2611184';
our $Auth = "Authorization: Bearer $Token";
our $Json = "$Auth\nContent-Type: application/json";

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('user_files', ">>> tokens\n$Token\n");
    if (!defined $block->http_config) {
        $block->set_value('http_config', '
            atelier_zone state 1m;
            atelier_cache pages 1m;
            atelier_redis unix:/nonexistent/redis.sock;');
    }
    if (!defined $block->config) {
        $block->set_value('config', '
            atelier_operator token_file=../html/tokens;
            location = /cache/invalidate { atelier_invalidate; }
            location = /scrape/parallel { atelier_scrape; }');
    }
    if (!defined $block->no_error_log && !defined $block->must_die) {
        $block->set_value('no_error_log', "[alert]\n[emerg]");
    }
});

run_tests();

__DATA__

=== TEST 1: not guarded
--- config
location = /cache/invalidate { atelier_invalidate; }
--- must_die
--- error_log eval
qr/this endpoint is for operators and is not guarded: add "atelier_operator token_file=path;" to its location; in \S+nginx\.conf:\d+/


=== TEST 2: the guard taken off
--- config
atelier_operator token_file=../html/tokens;
location = /scrape/parallel { atelier_scrape; atelier_operator off; }
--- must_die
--- error_log
this endpoint is for operators and is not guarded


=== TEST 3: nothing to invalidate
--- http_config
atelier_zone state 1m;
--- config
atelier_operator token_file=../html/tokens;
location = /cache/invalidate { atelier_invalidate; }
--- must_die
--- error_log
this endpoint needs a cache to invalidate: add "atelier_cache pages 64m;" to the http block


=== TEST 4: nowhere to keep jobs
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
--- must_die
--- error_log
this endpoint needs Redis, where jobs are kept: add "atelier_redis unix:path;" to the http block


=== TEST 5: a location is one endpoint
--- config
location = /cache/invalidate { atelier_invalidate; atelier_scrape; }
--- must_die
--- error_log
"atelier_scrape" directive is duplicate: a location is one endpoint


=== TEST 6: no token, and a wrong one
--- request eval
["POST /cache/invalidate?pattern=*", "POST /scrape/parallel?query=sofa",
 "POST /cache/invalidate?pattern=*", "POST /scrape/parallel?query=sofa"]
--- more_headers eval
["X-A: b", "X-A: b", "${main::Auth}x", "${main::Auth}x"]
--- error_code eval
[401, 401, 403, 403]


=== TEST 7: another method
--- request eval
["GET /cache/invalidate?pattern=*", "PUT /scrape/parallel?query=sofa"]
--- more_headers eval: $::Auth
--- error_code eval
[405, 405]
--- response_body_like eval
[qr/"code":"method_not_allowed"/, qr/"code":"method_not_allowed"/]


=== TEST 8: without Redis a node invalidates its own memory and says so
--- request eval
["POST /cache/invalidate?pattern=*",
 "POST /cache/invalidate\n{\"pattern\":\"q=*sofa*;s=[a-z]*\"}",
 "POST /cache/invalidate?pattern=%5C%5Bx\n{}"]
--- more_headers eval
[$::Json, $::Json, $::Json]
--- error_code eval
[200, 200, 200]
--- response_body_like eval
[qr/^\{"generation":\d+,"scope":"node"\}\n$/,
 qr/^\{"generation":\d+,"scope":"node"\}\n$/,
 qr/^\{"generation":\d+,"scope":"node"\}\n$/]


=== TEST 9: the answer is not stored, and has the request's id
--- request
POST /cache/invalidate?pattern=*
--- more_headers eval
"$::Auth\nX-Request-ID: op-1"
--- response_headers
Content-Type: application/json
Cache-Control: no-store
X-Request-ID: op-1


=== TEST 10: no pattern, or an odd one
--- request eval
["POST /cache/invalidate", "POST /cache/invalidate?pattern=",
 "POST /cache/invalidate?pattern=q%3D%5Ba", "POST /cache/invalidate?pattern=%5C",
 "POST /cache/invalidate?pattern=" . "x" x 257,
 "POST /cache/invalidate?pattern=%ff", "POST /cache/invalidate?pattern=a%0ab",
 "POST /cache/invalidate?pattern=a\n{\"pattern\":\"a\"}",
 "POST /cache/invalidate\n{\"pattern\":[\"*\"]}"]
--- more_headers eval
[($::Json) x 9]
--- error_code eval
[(400) x 9]
--- response_body_like eval
[qr/"code":"missing_field",.*"field":"pattern"/,
 qr/"code":"missing_field",.*"field":"pattern"/,
 qr/"code":"invalid_pattern",.*has a \[ without its \].*"field":"pattern"/,
 qr/"code":"invalid_pattern",.*ends in a backslash.*"field":"pattern"/,
 qr/"code":"too_long",.*"field":"pattern"/,
 qr/"code":"invalid_text",.*"field":"pattern"/,
 qr/"code":"invalid_text",.*"field":"pattern"/,
 qr/"code":"duplicate_field",.*"field":"pattern"/,
 qr/"code":"wrong_type",.*"field":"pattern"/]


=== TEST 11: a pattern of the greatest length
--- request eval
"POST /cache/invalidate?pattern=" . "%2A" x 256
--- more_headers eval: $::Auth
--- response_body_like: "scope":"node"


=== TEST 12: bodies that are refused
--- request eval
["POST /cache/invalidate\n{", "POST /scrape/parallel\n[]",
 "POST /cache/invalidate?pattern=*\npattern=x",
 "POST /scrape/parallel\n" . "x" x 16385]
--- more_headers eval
[$::Json, $::Json, "$::Auth\nContent-Type: text/plain", $::Json]
--- error_code eval
[400, 400, 415, 413]
--- response_body_like eval
[qr/"code":"invalid_json"/, qr/"code":"not_an_object"/,
 qr/"code":"unsupported_media_type"/, qr/"code":"body_too_large"/]


=== TEST 13: what a scrape is for
--- request eval
["POST /scrape/parallel", "POST /scrape/parallel?query=+",
 "POST /scrape/parallel?query=%E2%80%8B",
 "POST /scrape/parallel?query=sofa&kind=houses",
 "POST /scrape/parallel?query=%E2%80%8B&kind=products",
 "POST /scrape/parallel?query=sofa&kind=products&category=" . "a" x 101]
--- more_headers eval: $::Auth
--- error_code eval
[400, 400, 400, 400, 400, 400]
--- response_body_like eval
[qr/"code":"missing_field",.*"field":"query"/,
 qr/"code":"missing_field",.*"field":"query"/,
 qr/"code":"missing_field",.*"field":"query"/,
 qr/"code":"invalid_parameter",.*"field":"kind"/,
 qr/"code":"missing_field",.*"field":"query"/,
 qr/"code":"invalid_parameter",.*"field":"category"/]


=== TEST 14: without Redis a job is not taken
--- request
POST /scrape/parallel?query=sofa
--- more_headers eval: $::Auth
--- error_code: 503
--- response_headers
Content-Type: application/problem+json
Cache-Control: no-store
Retry-After: 2
--- response_body_like: "code":"jobs_unavailable"
