# The race: the first verified picture wins, refusals never do, and what the
# client and the providers see of it.  Delays, hangs and aborts are in t/e2e.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $One = Atelier::http(a => '');
our $Two = Atelier::http(a => '', b => '');
our $Png = Atelier::png(640, 480);

sub two { return Atelier::server(a => $_[0], b => Atelier::good()); }
sub only { return Atelier::server(a => $_[0]); }

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('no_error_log',
                      "[alert]\n[crit]\n[emerg]\nexited on signal\n"
                      . ($block->no_error_log // ''));
    if (!defined $block->request) {
        $block->set_value('request', qq(POST /generate\n{"prompt":"a room"}));
    }
    if (!defined $block->more_headers) {
        $block->set_value('more_headers', 'Content-Type: application/json');
    }
});

no_long_string();
run_tests();

__DATA__

=== TEST 1: a picture is answered, stored and served byte for byte
--- http_config eval: $::One
--- config eval: ::only(Atelier::good($::Png))
--- request
POST /generate
{"prompt":" a room ","style":"modern","roomType":"kitchen","negativePrompt":"red"}
--- response_headers
Content-Type: application/json
Cache-Control: no-store
--- response_headers_like
X-Request-ID: [0-9a-f]{32}
--- response_body_like eval
qr/^\{"id":"([0-9a-f]{32})","status":"done","provider":"a","url":"\/generated\/\1\.png","width":640,"height":480,"prompt":"a room","enhancedPrompt":"a room, high quality, professional photography, 8k resolution, modern style, kitchen interior \| negative: blurry, low quality, distorted, amateur, red","seed":null,"latencyMs":\d+,"attempts":\[\{"provider":"a","outcome":"won","ms":\d+\}\]\}$/


=== TEST 2: attempts stand by priority, not as configured, named or won
--- http_config eval
Atelier::http(m => 'priority=3', a => 'priority=2', z => 'priority=1')
--- config eval
Atelier::server(m => Atelier::good(), a => 'return 500;', z => 'return 500;')
--- response_body_like: "provider":"m",.*"attempts":\[\{"provider":"z","outcome":"transient","ms":\d+\},\{"provider":"a","outcome":"transient","ms":\d+\},\{"provider":"m","outcome":"won","ms":\d+\}\]


=== TEST 3: an empty list never wins
--- http_config eval: $::Two
--- config eval: ::two(q(return 200 '{"data":[]}';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 4: a moderation flag in a 200 never wins, picture or not
--- http_config eval: $::Two
--- config eval
my $b64 = Atelier::base64($::Png);
::two(qq(return 200 '{"data":[{"b64_json":"$b64","respect_moderation":false}]}';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"moderated"


=== TEST 5: broken base64 never wins
--- http_config eval: $::Two
--- config eval: ::two(q(return 200 '{"data":[{"b64_json":"iVBOR*w0KGgo="}]}';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 6: bytes that are no picture never win
--- http_config eval: $::Two
--- config eval
my $b64 = Atelier::base64('GIF89a' . ('x' x 500));
::two(qq(return 200 '{"data":[{"b64_json":"$b64"}]}';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 7: a cut picture never wins
--- http_config eval: $::Two
--- config eval
my $b64 = Atelier::base64(substr $::Png, 0, length($::Png) - 20);
::two(qq(return 200 '{"data":[{"b64_json":"$b64"}]}';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 8: a picture of one pixel never wins
--- http_config eval: $::Two
--- config eval
my $b64 = Atelier::base64(Atelier::png(1, 1));
::two(qq(return 200 '{"data":[{"b64_json":"$b64"}]}';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 9: an error page with status 200 never wins
--- http_config eval: $::Two
--- config eval: ::two(q(return 200 '<html>hello</html>';))
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 10: an empty 200 and a 204 never win
--- http_config eval: Atelier::http(a => '', c => '', b => '')
--- config eval
Atelier::server(a => 'return 200;', c => 'return 204;', b => Atelier::good())
--- response_body_like: "provider":"b".*"a","outcome":"transient".*"c","outcome":"transient"


=== TEST 11: a compressed answer is not guessed at
--- http_config eval: $::Two
--- config eval
::two('add_header Content-Encoding gzip; ' . Atelier::good())
--- response_body_like: "provider":"b".*\{"provider":"a","outcome":"transient"


=== TEST 12: a provider cannot steer the server by X-Accel headers
--- http_config eval: $::One
--- config eval
my $s = ::only('add_header X-Accel-Buffering yes; ' . Atelier::good());
$s =~ s/proxy_buffering off;/proxy_buffering on; proxy_buffers 2 4k;
                  proxy_buffer_size 4k; proxy_busy_buffers_size 4k;
                  proxy_max_temp_file_size 0;/;
$s
--- response_body_like: "status":"done","provider":"a"


=== TEST 13: an answer larger than all buffers, with buffering left on
--- http_config eval: $::One
--- config eval
my $big = Atelier::base64(Atelier::png(600, 600)) . (' ' x 200_000);
my $s = ::only("alias html/big.json;");
$s =~ s/proxy_buffering off;/proxy_method GET; proxy_buffering on; proxy_buffers 2 4k;
                  proxy_buffer_size 4k; proxy_busy_buffers_size 4k;
                  proxy_max_temp_file_size 0;/;
$s
--- user_files eval
">>> big.json\n" . Atelier::openai(Atelier::png(600, 600)) . (' ' x 300_000)
--- response_body_like: "status":"done","provider":"a","url":"[^"]*","width":600,


=== TEST 14: all refused by moderation is 422
--- http_config eval: $::Two
--- config eval
my $no = q(return 400 '{"error":{"code":"moderation_blocked","message":"no"}}';);
Atelier::server(a => $no, b => $no)
--- error_code: 422
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "status":422,"code":"moderated",.*"field":"prompt","attempts":\[\{"provider":"a","outcome":"moderated","ms":\d+\},\{"provider":"b","outcome":"moderated"


=== TEST 15: all failed for passing reasons is 503 with Retry-After
--- http_config eval: $::Two
--- config eval
Atelier::server(a => 'return 500;', b => 'return 503;')
--- error_code: 503
--- response_headers
Content-Type: application/problem+json
Retry-After: 5
--- response_body_like: "code":"providers_unavailable".*"a","outcome":"transient".*"b","outcome":"transient"


=== TEST 16: moderated by one, failed in passing by the other is worth a retry
--- http_config eval: $::Two
--- config eval
my $no = q(return 400 '{"error":{"code":"moderation_blocked","message":"no"}}';);
Atelier::server(a => $no, b => 'return 500;')
--- error_code: 503
--- response_body_like: "a","outcome":"moderated".*"b","outcome":"transient"


=== TEST 17: no provider would take the request
--- http_config eval: $::Two
--- config eval
Atelier::server(a => q(return 401 '{"error":{"message":"Incorrect API key provided: sk-abcdef0123456789abcdef"}}';),
                b => q(return 404 '{"error":{"code":"unknown_url"}}';))
--- error_code: 502
--- response_body_like: "code":"providers_rejected".*"a","outcome":"credential".*"b","outcome":"invalid"
--- error_log eval
[qr/\[error\] .*provider "a" failed, credential: /, qr/\[error\] .*provider "b" failed, invalid: /]
--- grep_error_log eval: qr/sk-abcdef\w+/
--- grep_error_log_out


=== TEST 18: a provider that cannot be reached
--- http_config eval: $::Two
--- config eval
my $s = ::two('return 500;');
$s =~ s/127\.0\.0\.1:\$TEST_NGINX_SERVER_PORT\/fake\/a/127.0.0.1:1/;
$s
--- response_body_like: "provider":"b".*"a","outcome":"transient"


=== TEST 19: a rate of one call lets one call through
--- http_config eval: Atelier::http(a => 'rate=1r/60s')
--- config eval: ::only(Atelier::good())
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "POST /generate\n{\"prompt\":\"a\"}",
 "GET /metrics"]
--- error_code eval: [200, 503, 200]
--- response_body_like eval
[qr/"status":"done"/,
 qr/"code":"providers_unavailable".*"a","outcome":"limited","ms":0/,
 qr/calls_total\{provider="a"\} 1\n(?s:.*)wait_seconds\{provider="a"\} [1-9]/]
--- response_headers_like eval
["X-Request-ID: .+", "Retry-After: (59|60|61)", "Cache-Control: no-store"]


=== TEST 20: after a 429 with Retry-After nobody asks
--- http_config eval: $::One
--- config eval
::only(q(add_header Retry-After 7 always; return 429 '{}';))
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "POST /generate\n{\"prompt\":\"a\"}",
 "GET /metrics"]
--- error_code eval: [503, 503, 200]
--- response_body_like eval
[qr/"a","outcome":"rate_limited"/, qr/"a","outcome":"limited"/,
 qr/calls_total\{provider="a"\} 1\n/]
--- response_headers_like eval
["Retry-After: 7", "Retry-After: [67]", "Cache-Control: no-store"]


=== TEST 21: a lane gets nothing of the client's headers
--- http_config eval: $::One
--- config eval
my $good = Atelier::openai();
::only(qq(if (\$http_cookie\$http_authorization\$http_x_secret) { return 500; }
          if (\$request_method != POST) { return 501; }
          if (\$http_x_request_id != "ab-1") { return 502; }
          if (\$content_type != "application/json") { return 503; }
          return 200 '$good';))
--- more_headers
Content-Type: application/json
Cookie: a=b
Authorization: Basic eDp5
X-Secret: 1
X-Request-ID: ab-1
--- response_body_like: "status":"done"


=== TEST 22: keep-alive goes on after a race
--- http_config eval: $::Two
--- config eval: Atelier::server(a => Atelier::good(), b => 'return 500;')
--- pipelined_requests eval
["POST /generate\n{\"prompt\":\"a\"}", "POST /generate\n{\"prompt\":\"b\"}",
 "POST /generate\n{\"prompt\":\"c\"}"]
--- response_body_like eval
[qr/"prompt":"a"/, qr/"prompt":"b"/, qr/"prompt":"c"/]


=== TEST 23: a prompt longer than a provider takes is cut, with a note
--- http_config eval: Atelier::http(a => 'prompt_max=200')
--- config eval: ::only(Atelier::good())
--- request eval
"POST /generate\n{\"prompt\":\"" . ('word ' x 100) . "\"}"
--- response_body_like: "enhancedPrompt":"[^"]{200}".*"outcome":"won","ms":\d+,"note":"the prompt was cut


=== TEST 24: stability: bytes and headers of v2beta
--- http_config eval: Atelier::http(a => 'format=stability')
--- config eval
::only('alias html/a.png;
        types { } default_type image/png;
        add_header seed 4242; add_header finish-reason SUCCESS;')
=~ s/internal;/internal; proxy_method GET;/r =~ s/default_type application\/json;//r
--- user_files eval
[["a.png" => $::Png]]
--- response_body_like: "provider":"a".*"width":640.*"enhancedPrompt":"a room, high quality, professional photography, 8k resolution","seed":4242


=== TEST 25: stability: a filtered picture in a 200 is a refusal
--- http_config eval: Atelier::http(a => 'format=stability')
--- config eval
::only('alias html/a.png;
        types { } default_type image/png;
        add_header finish-reason CONTENT_FILTERED;')
=~ s/internal;/internal; proxy_method GET;/r =~ s/default_type application\/json;//r
--- user_files eval
[["a.png" => $::Png]]
--- error_code: 422
--- response_body_like: "code":"moderated"


=== TEST 26: a picture behind an address is fetched by the result location
--- http_config eval
Atelier::http(a => "result=/_result/a result_host=http://127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}")
--- config eval
::only(q(return 200 '{"data":[{"url":"http://127.0.0.1:$TEST_NGINX_SERVER_PORT/pictures/a.png?sig=1"}]}';))
. 'location = /_result/a { internal; proxy_buffering off; proxy_pass $atelier_result_url; }
   location /pictures/ { alias html/; types { } default_type image/png; }'
--- user_files eval
[["a.png" => $::Png]]
--- response_body_like: "status":"done","provider":"a".*"width":640


=== TEST 27: an address outside result_host is never fetched
--- http_config eval
Atelier::http(a => "result=/_result/a result_host=https://cdn.example.com")
--- config eval
::only(q(return 200 '{"data":[{"url":"http://127.0.0.1:$TEST_NGINX_SERVER_PORT/pictures/a.png"}]}';))
. 'location = /_result/a { internal; proxy_buffering off; proxy_pass $atelier_result_url; }
   location /pictures/ { alias html/; types { } default_type image/png; }'
--- user_files eval
[["a.png" => $::Png]]
--- error_code: 503
--- response_body_like: "a","outcome":"transient"
--- error_log eval
qr/provider "a" failed, transient: .*127\.0\.0\.1.* is not allowed/


=== TEST 28: the error log has no signature of an address
--- http_config eval
Atelier::http(a => "result=/_result/a result_host=http://127.0.0.1:1")
--- config eval
::only(q(return 200 '{"data":[{"url":"http://127.0.0.1:1/a.png?sig=secret"}]}';))
. 'location = /_result/a { internal; proxy_buffering off; proxy_pass $atelier_result_url; }'
--- error_code: 503
--- response_body_like: "a","outcome":"transient"
--- error_log eval
qr/connect\(\) failed .* upstream: "http:\/\/127\.0\.0\.1:1\/a\.png"/
--- no_error_log
upstream: "http://127.0.0.1:1/a.png?


=== TEST 29: provider locations are closed to clients
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- request
GET /_ai/a
--- error_code: 404


=== TEST 30: the log variables
--- http_config eval
$::One . 'log_format at "id=$atelier_request_id provider=$atelier_provider.";
          access_log logs/access.log at;'
--- config eval: ::only(Atelier::good())
--- more_headers
Content-Type: application/json
X-Request-ID: logged-1
--- access_log
id=logged-1 provider=a.


=== TEST 31: an error page of nginx in our location is problem+json
--- http_config eval: $::One . 'limit_req_zone $server_name zone=one:1m rate=1r/m;'
--- config eval
my $s = ::only(Atelier::good());
$s =~ s/atelier_generate;/limit_req zone=one; limit_req_status 429; atelier_generate;/;
$s
--- request eval
["POST /generate\n{\"prompt\":\"a\"}", "POST /generate\n{\"prompt\":\"a\"}"]
--- error_code eval: [200, 429]
--- response_body_like eval
[qr/"status":"done"/, qr/^\{"type":"about:blank","title":"Too Many Requests","status":429,"code":"too_many_requests"/]
