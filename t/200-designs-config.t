# nginx -t catches what is wrong with the directives of the feed, with file,
# line and remedy.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: a cache too small to hold anything
--- http_config
atelier_cache pages 100k;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid size "100k" in "atelier_cache": give at least 1m.* in \S+nginx\.conf:\d+/


=== TEST 2: two caches
--- http_config
atelier_cache pages 1m;
atelier_cache more 1m;
--- config
--- must_die
--- error_log
"atelier_cache" directive is duplicate: one cache serves all


=== TEST 3: a cache with the name of the zone
--- http_config
atelier_zone pages 1m;
atelier_cache pages 1m;
--- config
--- must_die
--- error_log
the shared memory zone "pages" is already declared for a different use


=== TEST 4: the cache shows in the metrics
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
--- config
location = /metrics { atelier_metrics; }
--- request
GET /metrics
--- response_body_like: atelier_cache_answers_total\{status="L1"\} 0\n(.*\n)*atelier_cache_pages 0\n
--- no_error_log
[warn]
[error]
[alert]
[emerg]
