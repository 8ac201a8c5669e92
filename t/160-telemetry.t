# POST /telemetry: what browsers measure is added up, and bounded.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('http_config', 'atelier_zone state 1m;');
    $block->set_value('config', '
        location = /telemetry { atelier_telemetry; }
        location = /metrics { atelier_metrics; }');
    if (!defined $block->no_error_log) {
        $block->set_value('no_error_log', "[alert]\n[emerg]\n[error]");
    }
});

run_tests();

__DATA__

=== TEST 1: a batch, and its sums
--- request eval
["POST /telemetry\n" . '{"events":[{"name":"api_time","value":41},{"name":"api_time","value":700},{"name":"cache_hit","value":1},{"name":"cache_hit","value":0},{"name":"cls","value":0.25},{"name":"mood","value":1}]}',
 "GET /metrics", "GET /metrics", "GET /metrics", "GET /metrics"]
--- more_headers eval
["Content-Type: application/json", "", "", "", ""]
--- error_code eval
[204, 200, 200, 200, 200]
--- response_body_like eval
["^\$",
 'atelier_browser_seconds_bucket\{measure="api_time",le="0.050"\} 1\n(?s:.*)atelier_browser_seconds_sum\{measure="api_time"\} 0\.741\n',
 'atelier_browser_cache_answers_total\{result="hit"\} 1\natelier_browser_cache_answers_total\{result="miss"\} 1\n',
 'atelier_browser_layout_shift_sum 0\.250\natelier_browser_layout_shift_count 1\n',
 'atelier_browser_batches_total\{result="taken"\} 1\n(?s:.*)atelier_browser_passed_over_total 1\n']


=== TEST 2: what is no batch
--- request eval
["POST /telemetry\n{", "POST /telemetry\n[]", "GET /telemetry", "GET /metrics"]
--- more_headers
Content-Type: application/json
--- error_code eval
[400, 400, 405, 200]
--- response_body_like eval
['"code":"invalid_batch"', 'an array \\\\"events\\\\"', 'method_not_allowed',
 'atelier_browser_batches_total\{result="refused"\} 2\n']


=== TEST 3: not JSON, as a form of another site would send it
--- request
POST /telemetry
{"events":[]}
--- more_headers
Content-Type: text/plain
--- error_code: 415
--- response_body_like: unsupported_media_type


=== TEST 4: more than it takes
--- request eval
"POST /telemetry\n" . '{"events":[],"x":"' . ('x' x 17000) . '"}'
--- more_headers
Content-Type: application/json
--- error_code: 413
--- response_body_like: body_too_large
