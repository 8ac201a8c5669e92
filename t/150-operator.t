# atelier_operator lets in who has a token, and nobody else.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $Old = 'b1946ac92492d2347c6235b4d2611184';
our $New = '591785b794601e212b260e25925636fd';
our $Files = ">>> tokens\n# given out in spring\n$Old\n\n$New\r\n";

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('user_files', $Files) if !defined $block->user_files;
    if (!defined $block->http_config) {
        $block->set_value('http_config', 'atelier_zone state 1m;');
    }
    if (!defined $block->config) {
        $block->set_value('config', '
            location = /metrics {
                atelier_metrics;
                atelier_operator token_file=../html/tokens;
            }');
    }
    if (!defined $block->no_error_log && !defined $block->must_die) {
        $block->set_value('no_error_log', "[alert]\n[emerg]");
    }
});

run_tests();

__DATA__

=== TEST 1: no token
--- request
GET /metrics
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="atelier"
Content-Type: application/problem+json
Cache-Control: no-store
--- response_body_like: "status":401,"code":"unauthorized".*Authorization: Bearer.*token_file=


=== TEST 2: a wrong one, close to a right one, or a part of it
--- request eval
["GET /metrics", "GET /metrics", "GET /metrics", "GET /metrics"]
--- more_headers eval
["Authorization: Bearer " . substr($::Old, 0, 31),
 "Authorization: Bearer ${main::Old}x",
 "Authorization: Bearer " . uc $::Old,
 "Authorization: Bearer $::Old $::New"]
--- error_code eval
[403, 403, 403, 403]
--- error_log
a wrong operator token was sent


=== TEST 3: a wrong one is not repeated in the log, and said to be wrong
--- log_level: info
--- request
GET /metrics
--- more_headers
Authorization: Bearer hunter2
--- error_code: 403
--- response_headers
Content-Type: application/problem+json
! WWW-Authenticate
--- response_body_like: "code":"forbidden".*Authorization: Bearer.*token_file=
--- no_error_log
hunter2
[alert]


=== TEST 4: each of the file's
--- request eval
["GET /metrics", "GET /metrics", "GET /metrics"]
--- more_headers eval
["Authorization: Bearer $::Old", "Authorization: bearer   $::New",
 "Authorization: BEARER $::New"]
--- error_code eval
[200, 200, 200]


=== TEST 5: not a token at all
--- request eval
["GET /metrics", "GET /metrics", "GET /metrics", "GET /metrics",
 "GET /metrics"]
--- more_headers eval
["Authorization: Basic $::Old", "Authorization: Bearer", "Authorization:",
 "Authorization: $::Old", "Authorization: Bearer " . "x" x 2000]
--- error_code eval
[401, 401, 401, 401, 401]


=== TEST 6: a comment is no token
--- request
GET /metrics
--- more_headers
Authorization: Bearer # given out in spring
--- error_code: 403


=== TEST 7: satisfy any: an address will do
--- config
location = /metrics {
    atelier_metrics;
    satisfy any;
    allow 127.0.0.1;
    deny all;
    atelier_operator token_file=../html/tokens;
}
--- request
GET /metrics
--- response_headers
! WWW-Authenticate


=== TEST 8: satisfy all: a token alone will not do
--- config
location = /metrics {
    atelier_metrics;
    deny all;
    atelier_operator token_file=../html/tokens;
}
--- request
GET /metrics
--- more_headers eval
"Authorization: Bearer $::Old"
--- error_code: 403


=== TEST 9: handed down, and taken off
--- config
atelier_operator token_file=../html/tokens;
location = /metrics { atelier_metrics; }
location = /health/live { atelier_health live; atelier_operator off; }
location /files/ { alias html/; }
--- request eval
["GET /metrics", "GET /health/live", "GET /files/tokens"]
--- error_code eval
[401, 200, 401]


=== TEST 10: no file
--- config
atelier_operator token_file=../html/none;
--- must_die
--- error_log eval
qr{secret file "\S+/html/none" cannot be opened}


=== TEST 11: a file without a token
--- user_files
>>> tokens
# none yet

--- config
atelier_operator token_file=../html/tokens;
--- must_die
--- error_log eval
qr{token file "\S+/tokens" holds no token: write one into it}


=== TEST 12: a token that can be guessed
--- user_files
>>> tokens
0123456789abcdef0123456789abcdef
secret
--- config
atelier_operator token_file=../html/tokens;
--- must_die
--- error_log eval
qr{line 2 of token file "\S+/tokens" is no token of 16 to 1024 characters}
--- no_error_log
secret"


=== TEST 13: no token_file
--- config
atelier_operator on;
--- must_die
--- error_log
invalid parameter "on" of "atelier_operator": give token_file=path, or off
