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


=== TEST 5: a source nobody knows
--- http_config
atelier_zone state 1m;
atelier_feed_source giphy uri=/_feed/giphy;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*unknown source "giphy" in "atelier_feed_source": known are pexels, unsplash, .* in \S+nginx\.conf:\d+/


=== TEST 6: a source twice
--- http_config
atelier_zone state 1m;
atelier_feed_source flickr uri=/_feed/flickr;
atelier_feed_source flickr uri=/_feed/flickr;
--- config
--- must_die
--- error_log eval
qr/source "flickr" is already defined in \S+nginx\.conf:\d+/


=== TEST 7: a source without its location's name
--- http_config
atelier_zone state 1m;
atelier_feed_source flickr;
--- config
--- must_die
--- error_log
source "flickr" has no uri: add uri=/_feed/flickr and an internal location of that name


=== TEST 8: a source with several addresses
--- http_config
atelier_zone state 1m;
atelier_feed_source pexels uri=/_feed/pexels;
--- config
--- must_die
--- error_log
uri=/_feed/pexels of source "pexels" must end in "/"


=== TEST 9: parameters of a source
--- http_config
atelier_zone state 1m;
atelier_feed_source flickr uri=/_feed/flickr colour=red;
--- config
--- must_die
--- error_log
unknown parameter "colour=red" of source "flickr": known are uri=, timeout=, rate=, max_in_flight=


=== TEST 10: calls at once
--- http_config
atelier_zone state 1m;
atelier_feed_source wikimedia uri=/_feed/wikimedia max_in_flight=100;
--- config
--- must_die
--- error_log
invalid "max_in_flight=100" of source "wikimedia": give 1 to 16


=== TEST 11: a rate of a source
--- http_config
atelier_zone state 1m;
atelier_feed_source flickr uri=/_feed/flickr rate=fast;
--- config
--- must_die
--- error_log
invalid rate="fast" of source "flickr"


=== TEST 12: sources need shared memory
--- http_config
atelier_feed_source flickr uri=/_feed/flickr;
--- config
--- must_die
--- error_log
source "flickr" needs shared memory: add "atelier_zone state 4m;"


=== TEST 13: a feed without a cache
--- http_config
atelier_zone state 1m;
atelier_feed_source flickr uri=/_feed/flickr;
--- config
location /designs { atelier_designs; }
--- must_die
--- error_log
this endpoint needs a cache: add "atelier_cache pages 64m;"


=== TEST 14: a feed without the egress socket
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
atelier_feed_source flickr uri=/_feed/flickr;
--- config
location /designs { atelier_designs; }
--- must_die
--- error_log
this endpoint needs the egress socket, where its feeds are filled


=== TEST 15: a fill without a source
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
--- config
location = /fill { atelier_fill; }
--- must_die
--- error_log
this endpoint needs a source: add "atelier_feed_source name uri=...;"


=== TEST 16: a source whose location is missing
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
atelier_feed_source pexels uri=/_feed/pexels/;
--- config
location = /fill { atelier_fill; }
--- must_die
--- error_log
"/_feed/pexels/search" of source "pexels"


=== TEST 17: a source whose location is open to all
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
atelier_feed_source flickr uri=/_feed/flickr;
--- config
location = /fill { atelier_fill; }
location = /_feed/flickr { return 200; }
--- must_die
--- error_log
"/_feed/flickr" of source "flickr"


=== TEST 18: where downloads are reported
--- http_config
atelier_zone state 1m;
atelier_cache pages 1m;
atelier_egress unix:html/egress.sock;
atelier_feed_source unsplash uri=/_feed/unsplash/;
--- config
location /designs { atelier_designs; }
--- must_die
--- error_log
"/_feed/unsplash/photos/id/download" of source "unsplash"


=== TEST 19: times of the feed
--- config
location /designs { atelier_designs fresh=10ms; }
--- must_die
--- error_log
invalid parameter "fresh=10ms" of "atelier_designs": known are fresh= of 1s to 1d and stale= of 0 to 7d


=== TEST 20: two feeds
--- config
location /designs { atelier_designs fresh=1m; }
location /more { atelier_designs fresh=2m; }
--- must_die
--- error_log
"atelier_designs" directive has other times than before: there is one feed


=== TEST 21: a feed needs a path
--- config
location / { atelier_designs; }
--- must_die
--- error_log
"atelier_designs" needs a location with a path of its own


=== TEST 22: fills at once
--- config
location = /fill { atelier_fill max_in_flight=0; }
--- must_die
--- error_log
invalid parameter "max_in_flight=0" of "atelier_fill": known is max_in_flight=1..65535
