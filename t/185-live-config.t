# The directives of live channels: what nginx -t refuses and warns of, and
# /publish where neither PostgreSQL nor Redis is configured.  What they do is in
# t/e2e/193-live.t.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $Token = 'b1946ac92492d2347c6235b4d2611184';
our $Auth = "Authorization: Bearer $Token\nContent-Type: application/json";

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('user_files', ">>> tokens\n$Token\n");
    if (!defined $block->http_config) {
        $block->set_value('http_config', 'atelier_zone state 1m;');
    }
    if (!defined $block->config) {
        $block->set_value('config', '
            location = /live { atelier_live subscriptions=5; }
            location = /publish {
                atelier_publish;
                atelier_operator token_file=../html/tokens;
            }');
    }
    if (!defined $block->no_error_log && !defined $block->must_die) {
        $block->set_value('no_error_log', "[alert]\n[emerg]");
    }
});

run_tests();

__DATA__

=== TEST 1: publishing is not guarded
--- config
location = /publish { atelier_publish; }
--- must_die
--- error_log: for operators and is not guarded

=== TEST 2: publishing without a zone
--- http_config
--- config
location = /publish {
    atelier_publish;
    atelier_operator token_file=../html/tokens;
}
--- must_die
--- error_log: this endpoint needs shared memory

=== TEST 3: no subscription at all
--- config
location = /live { atelier_live subscriptions=0; }
--- must_die
--- error_log: subscriptions=1..10000

=== TEST 4: an unknown form
--- config
location = /live { atelier_live format=round; }
--- must_die
--- error_log: format=envelope|flat

=== TEST 5: the known ones
--- config
location = /live { atelier_live format=envelope subscriptions=10000; }
location = /flat { atelier_live format=flat; }
location = /t { return 204; }
--- request
GET /t
--- error_code: 204

=== TEST 6: published in one worker
--- request
POST /publish?channel=product:1
{"n":1}
--- more_headers eval: $::Auth
--- response_body
{"channel":"product:1"}

=== TEST 7: data is any JSON
--- request
POST /publish?channel=products
17
--- more_headers eval: $::Auth
--- response_body
{"channel":"products"}

=== TEST 8: another method
--- request
GET /publish?channel=product:1
--- more_headers eval: $::Auth
--- error_code: 405
--- response_headers
Allow: POST

=== TEST 9: no token
--- request
POST /publish?channel=product:1
{}
--- error_code: 401

=== TEST 10: a channel of no kind
--- request
POST /publish?channel=cats:1
{}
--- more_headers eval: $::Auth
--- error_code: 400
--- response_body_like: "code":"unknown_channel"
