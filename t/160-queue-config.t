# What nginx -t says of the queue's directives, and what requests get where
# the queue cannot be reached.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $Http = Atelier::http(a => '');
our $Away = $Http . 'atelier_postgres "host=/nonexistent dbname=atelier" timeout=500ms;';
our $Server = Atelier::server(a => Atelier::good());
our $Limited = Atelier::server(a => 'return 503;');

run_tests();

__DATA__

=== TEST 1: an unknown parameter names all there are
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate queue=maybe; }
--- must_die
--- error_log
invalid parameter "queue=maybe" of "atelier_generate": known are strategy=race|hedge|failover, max_in_flight=1..65535, hedge_min= and hedge_max= with a time such as 50ms, queue=on|off


=== TEST 2: an attempt is not queued
--- http_config eval: $::Away
--- config
location = /attempt { atelier_attempt queue=on; }
--- must_die
--- error_log eval
qr/invalid parameter "queue=on" of "atelier_attempt": known are .* such as 50ms in/


=== TEST 3: a queue without PostgreSQL
--- http_config eval: $::Http
--- config eval
$::Server =~ s/atelier_generate;/atelier_generate queue=on;/r
--- must_die
--- error_log eval
qr/this endpoint needs PostgreSQL, where the queue is: add "atelier_postgres conninfo;" to the http block; in \S+nginx\.conf:\d+/


=== TEST 4: attempts without PostgreSQL
--- http_config eval: $::Http
--- config eval
$::Server . 'location = /attempt { atelier_attempt; }'
--- must_die
--- error_log
this endpoint needs PostgreSQL, where the queue is


=== TEST 5: attempts ask providers
--- http_config eval: $::Away
--- config
location = /attempt { atelier_attempt; }
--- must_die
--- error_log eval
qr/"\/_ai\/a" of provider "a" .* is served by no internal location of the server that asks it/


=== TEST 6: nobody serves what is queued
--- http_config eval: $::Away
--- config eval: $::Server
--- request
GET /metrics
--- response_body_like: build_info
--- error_log eval
qr/\[warn\] .*what is queued here is served by no nginx of this configuration: add "location = \/attempt/


=== TEST 7: somebody does
--- http_config eval: $::Away
--- config eval
$::Server . 'location = /attempt { atelier_attempt; }'
--- request
GET /metrics
--- response_body_like: build_info
--- no_error_log
what is queued here is served by no nginx


=== TEST 8: keep= that is no time
--- http_config
atelier_zone state 1m;
atelier_pictures html/generated keep=soon;
--- config
--- must_die
--- error_log
invalid parameter "keep=soon" of "atelier_pictures": known are uri=/path/, fsync=on|off, and keep= with a time such as 30d, or off


=== TEST 9: keep=off and keep=0
--- http_config
atelier_zone state 1m;
atelier_pictures html/generated keep=off;
--- config
location = /t { return 200 "ok"; }
--- request
GET /t
--- response_body: ok


=== TEST 10: PostgreSQL is away, and pictures are made all the same
--- http_config eval: $::Away
--- config eval: $::Server
--- request
POST /generate
{"prompt":"a","seed":1}
--- more_headers
Content-Type: application/json
--- response_body_like: "status":"done"
--- error_log
a picture that was answered is in no list: PostgreSQL is away or late


=== TEST 11: nobody can make it, and there is nowhere to keep it
--- http_config eval: $::Away
--- config eval: $::Limited
--- request
POST /generate
{"prompt":"a"}
--- more_headers
Content-Type: application/json
--- error_code: 503
--- response_headers_like
Retry-After: \d+
--- response_body_like: "code":"providers_unavailable"


=== TEST 12: a key cannot be kept: no provider is asked
--- http_config eval: $::Away
--- config eval: $::Server
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "GET /metrics"]
--- more_headers
Content-Type: application/json
Idempotency-Key: k
--- error_code eval: [503, 200]
--- response_body_like eval
[qr/"code":"queue_unavailable"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 13: keys that are none
--- http_config eval: $::Away
--- config eval: $::Server
--- raw_request eval
["POST /generate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
 . "Content-Type: application/json\r\nContent-Length: 14\r\n"
 . "Idempotency-Key: \xE9\r\n\r\n{\"prompt\":\"a\"}"]
--- error_code: 400
--- response_body_like: "code":"invalid_idempotency_key".*"field":"Idempotency-Key"


=== TEST 14: an empty key
--- http_config eval: $::Away
--- config eval: $::Server
--- raw_request eval
["POST /generate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
 . "Content-Type: application/json\r\nContent-Length: 14\r\n"
 . "Idempotency-Key:\r\n\r\n{\"prompt\":\"a\"}"]
--- error_code: 400
--- response_body_like: "code":"invalid_idempotency_key"


=== TEST 15: without PostgreSQL a key is a header like any other
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "GET /generate",
 "GET /generate/0123456789abcdef0123456789abcdef"]
--- more_headers
Content-Type: application/json
Idempotency-Key: a b
--- error_code eval: [200, 405, 404]


=== TEST 16: what /attempt takes
--- http_config eval: $::Away
--- config eval
$::Server . 'location = /attempt { atelier_attempt; }'
--- request eval
["GET /attempt", "POST /attempt\n{}", "POST /attempt\n" . ("x" x 270000)]
--- more_headers
Content-Type: application/json
--- error_code eval: [405, 400, 413]
--- response_body_like eval
[qr/"code":"method_not_allowed"/, qr/"code":"missing_field"/,
 qr/"code":"body_too_large"/]


=== TEST 17: /attempt takes JSON
--- http_config eval: $::Away
--- config eval
$::Server . 'location = /attempt { atelier_attempt; }'
--- request
POST /attempt
{}
--- more_headers
Content-Type: text/plain
--- error_code: 415
--- response_body_like: "code":"unsupported_media_type"
