# Bad input to POST /generate: a 4xx problem+json with a stable code that
# names the field, and no call to any provider.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $Http = Atelier::http(a => '');
our $Server = Atelier::server(a => Atelier::good());

# Every block has one bad request; a second one reads the counters, which
# must show a refusal and no call.
add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', $Http);
    if (!defined $block->config) {
        $block->set_value('config', $Server);
    }
});

no_long_string();
run_tests();

__DATA__

=== TEST 1: not JSON
--- request eval
["POST /generate\nhello", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/^\{"type":"about:blank","title":"Bad Request","status":400,"code":"invalid_json",.*"requestId":"[0-9a-f]{32}"\}$/,
 qr/requests_total\{result="invalid"\} 1\n(?s:.*)calls_total\{provider="a"\} 0\n/]
--- response_headers eval
["Content-Type: application/problem+json\nCache-Control: no-store",
 "Cache-Control: no-store"]


=== TEST 2: an empty body
--- request eval
["POST /generate\n", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"invalid_json"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 3: JSON, but no object
--- request eval
["POST /generate\n[1]", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"not_an_object"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 4: JSON that goes on after its end
--- request eval
["POST /generate\n{\"prompt\":\"a\"} x", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"invalid_json"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 5: no prompt
--- request eval
["POST /generate\n{\"style\":\"modern\"}", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"missing_field".*"field":"prompt"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 6: a prompt of blanks
--- request eval
["POST /generate\n{\"prompt\":\"  \\t\\n \"}", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"empty_field".*"field":"prompt"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 7: a prompt of 10,001 characters
--- request eval
["POST /generate\n{\"prompt\":\"" . ("\xc3\xa9" x 10001) . "\"}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"too_long".*"field":"prompt"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 8: a prompt of 10,000 characters is taken
--- request eval
["POST /generate\n{\"prompt\":\"" . ("\xc3\xa9" x 10000) . "\"}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [200, 200]
--- response_body_like eval
[qr/"status":"done"/, qr/calls_total\{provider="a"\} 1\n/]


=== TEST 9: wrong types
--- request eval
["POST /generate\n{\"prompt\":5}",
 "POST /generate\n{\"prompt\":\"a\",\"style\":[]}",
 "POST /generate\n{\"prompt\":\"a\",\"width\":\"64\"}",
 "POST /generate\n{\"prompt\":\"a\",\"seed\":1.5}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 400, 400, 400, 200]
--- response_body_like eval
[qr/"code":"wrong_type".*"field":"prompt"/,
 qr/"code":"wrong_type".*"field":"style"/,
 qr/"code":"wrong_type".*"field":"width"/,
 qr/"code":"wrong_type".*"field":"seed"/,
 qr/result="invalid"\} 4\n(?s:.*)calls_total\{provider="a"\} 0\n/]


=== TEST 10: numbers out of range
--- request eval
["POST /generate\n{\"prompt\":\"a\",\"width\":63}",
 "POST /generate\n{\"prompt\":\"a\",\"height\":4097}",
 "POST /generate\n{\"prompt\":\"a\",\"seed\":4294967295}",
 "POST /generate\n{\"prompt\":\"a\",\"seed\":-1}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 400, 400, 400, 200]
--- response_body_like eval
[qr/"code":"out_of_range".*"field":"width"/,
 qr/"code":"out_of_range".*"field":"height"/,
 qr/"code":"out_of_range".*"field":"seed"/,
 qr/"code":"out_of_range".*"field":"seed"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 11: NUL, broken UTF-8 and half a surrogate pair
--- request eval
["POST /generate\n{\"prompt\":\"a\\u0000b\"}",
 "POST /generate\n{\"prompt\":\"a\xff\xfeb\"}",
 "POST /generate\n{\"prompt\":\"a\\ud800b\"}",
 "POST /generate\n{\"prompt\":\"a\xed\xa0\x80b\"}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 400, 400, 400, 200]
--- response_body_like eval
[qr/"code":"invalid_text".*"field":"prompt"/,
 qr/"code":"invalid_text".*"field":"prompt"/,
 qr/"code":"invalid_text".*"field":"prompt"/,
 qr/"code":"invalid_text".*"field":"prompt"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 12: a member twice
--- request eval
["POST /generate\n{\"prompt\":\"a\",\"prompt\":\"b\"}", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"duplicate_field".*"field":"prompt"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 13: nested beyond reason
--- request eval
["POST /generate\n{\"prompt\":\"a\",\"x\":" . ("[" x 5000) . "}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [400, 200]
--- response_body_like eval
[qr/"code":"invalid_json"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 14: a body over the limit
--- request eval
["POST /generate\n{\"prompt\":\"a\",\"x\":\"" . ("y" x 270000) . "\"}",
 "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval: [413, 200]
--- response_body_like eval
[qr/"status":413,"code":"body_too_large"/,
 qr/calls_total\{provider="a"\} 0\n/]
--- response_headers eval
["Content-Type: application/problem+json\nCache-Control: no-store",
 "Cache-Control: no-store"]


=== TEST 15: another content type
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "GET /metrics"]
--- more_headers
Content-Type: text/plain
--- error_code eval: [415, 200]
--- response_body_like eval
[qr/"code":"unsupported_media_type"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 16: a content type that only begins like JSON
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "GET /metrics"]
--- more_headers
Content-Type: application/json-patch+json
--- error_code eval: [415, 200]
--- response_body_like eval
[qr/"code":"unsupported_media_type"/, qr/calls_total\{provider="a"\} 0\n/]


=== TEST 17: JSON with a charset is taken
--- request
POST /generate
{"prompt":"a"}
--- more_headers
Content-Type: Application/JSON ; charset=utf-8
--- response_body_like: "status":"done"


=== TEST 18: a compressed body
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "GET /metrics"]
--- more_headers
Content-Type: application/json
Content-Encoding: gzip
--- error_code eval: [415, 200]
--- response_body_like eval
[qr/"code":"unsupported_content_encoding"/,
 qr/calls_total\{provider="a"\} 0\n/]


=== TEST 19: another method
--- request eval
["GET /generate", "PUT /generate\nx", "GET /metrics"]
--- error_code eval: [405, 405, 200]
--- response_body_like eval
[qr/"code":"method_not_allowed"/, qr/"code":"method_not_allowed"/,
 qr/calls_total\{provider="a"\} 0\n/]
--- response_headers eval
["Allow: POST", "Allow: POST", "Allow: "]


=== TEST 20: the client's request id is taken and returned
--- request
POST /generate
{"prompt":""}
--- more_headers
Content-Type: application/json
X-Request-ID: order-66.a_B
--- error_code: 400
--- response_headers
X-Request-ID: order-66.a_B
--- response_body_like: "requestId":"order-66.a_B"


=== TEST 21: a request id that could break a log is replaced
--- request
POST /generate
{"prompt":""}
--- more_headers
Content-Type: application/json
X-Request-ID: a"b<c>
--- error_code: 400
--- response_headers_like
X-Request-ID: [0-9a-f]{32}


=== TEST 22: members the server does not know are ignored
--- request
POST /generate
{"prompt":"a","colour":{"wall":["blue"]}}
--- more_headers
Content-Type: application/json
--- response_body_like: "status":"done"


=== TEST 23: a body in chunks of one byte
--- raw_request eval
my $body = '{"prompt":"a' . (' ' x 60000) . 'b"}';
"POST /generate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
. "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
. join('', map { "1\r\n$_\r\n" } split //, $body) . "0\r\n\r\n"
--- error_code: 400
--- response_body_like: "code":"too_long"


=== TEST 24: an "if" in the location changes nothing about it
--- config eval
$::Server =~ s/atelier_generate;/atelier_generate; if (\$http_x_any = "") { set \$any 1; }/r
--- request eval
"POST /generate\n{\"prompt\":\"a\",\"x\":\"" . ("y" x 30000) . "\"}"
--- more_headers
Content-Type: application/json
--- response_body_like: "status":"done"


=== TEST 25: a method that limit_except refuses is problem+json too
--- config eval
$::Server =~ s/atelier_generate;/atelier_generate; limit_except POST { deny all; }/r
--- request
GET /generate
--- error_code: 403
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"forbidden"


=== TEST 26: options: what a front end can offer
--- config eval
$::Server . 'location /generate/ { atelier_generate; }'
--- request eval
["GET /generate/options", "POST /generate/options\n", "GET /generate/else"]
--- error_code eval: [200, 405, 404]
--- no_error_log
[alert]
--- response_body_like eval
[qr/^\{"styles":\["modern",.*"roomTypes":\["living room",.*"limits":\{"prompt":10000,.*"width":\{"min":64,"max":4096\}/,
 qr/"code":"method_not_allowed"/, qr/"code":"not_found"/]


=== TEST 27: options in a location of their own
--- config eval
$::Server . 'location = /generate/options { atelier_generate; }'
--- request
GET /generate/options
--- response_body_like: "limits":\{"prompt":10000


=== TEST 28: a method that limit_except lets through reaches the endpoint
--- config eval
$::Server =~ s/atelier_generate;/atelier_generate; limit_except GET { allow all; }/r
--- request
POST /generate
{"prompt":"a"}
--- more_headers
Content-Type: application/json
--- response_body_like: "status":"done"
