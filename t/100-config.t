# nginx -t catches what is wrong with the directives, with file, line and
# remedy.  Each block but the first ones must not start.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $Good = Atelier::server(a => Atelier::good());
our $Http = Atelier::http(a => '');

run_tests();

__DATA__

=== TEST 1: a complete configuration starts
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /metrics
--- response_body_like: atelier_provider_calls_total\{provider="a"\} 0
--- no_error_log
[warn]
[error]
[alert]
[emerg]


=== TEST 2: the module loaded and unused asks for nothing
--- config
location = /t { return 200 "ok"; }
--- request
GET /t
--- response_body chomp
ok


=== TEST 3: unknown format
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=dalle uri=/_ai/a;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .* unknown format "dalle" of provider "a": known are .*openai.* in .*nginx\.conf:\d+/


=== TEST 4: no format
--- http_config
atelier_zone state 1m;
atelier_ai_provider a uri=/_ai/a;
--- config
--- must_die
--- error_log
provider "a" has no format: add format= with one of


=== TEST 5: no uri
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai;
--- config
--- must_die
--- error_log
provider "a" has no uri: add uri=/_ai/a


=== TEST 6: a duplicate provider names the place of the first
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a;
atelier_ai_provider a format=openai uri=/_ai/b;
--- config
--- must_die
--- error_log eval
qr/provider "a" is already defined in \S+nginx\.conf:\d+: give this one another name in .*nginx\.conf:\d+/


=== TEST 7: a provider whose name was forgotten
--- http_config
atelier_zone state 1m;
atelier_ai_provider format=openai uri=/_ai/a;
--- config
--- must_die
--- error_log
invalid provider name "format=openai": the first parameter


=== TEST 8: an empty name
--- http_config
atelier_zone state 1m;
atelier_ai_provider "" format=openai uri=/_ai/a;
--- config
--- must_die
--- error_log
invalid provider name ""


=== TEST 9: no zone
--- http_config
atelier_pictures html/generated;
atelier_ai_provider a format=openai uri=/_ai/a;
--- config
--- must_die
--- error_log eval
qr/provider "a" needs shared memory: add "atelier_zone state 4m;" to the http block; in \S+nginx\.conf:\d+/


=== TEST 10: a rate without its unit
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a rate=100;
--- config
--- must_die
--- error_log eval
qr/invalid rate="100" of provider "a": give calls per time.* in .*nginx\.conf:\d+/


=== TEST 11: a rate of nothing
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a rate=0r/60s;
--- config
--- must_die
--- error_log
invalid rate="0r/60s" of provider "a"


=== TEST 12: a rate per no time
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a rate=10r/;
--- config
--- must_die
--- error_log
invalid rate="10r/" of provider "a"


=== TEST 13: a rate twice for one period
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a rate=10r/60s rate=20r/1m;
--- config
--- must_die
--- error_log
rate="20r/1m" of provider "a" has the period of another


=== TEST 14: a timeout of 0
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a timeout=0;
--- config
--- must_die
--- error_log eval
qr/invalid timeout="0" of provider "a": give 1ms to 10m, for example 10s in .*nginx\.conf:\d+/


=== TEST 15: a priority that is no number
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a priority=high;
--- config
--- must_die
--- error_log
invalid priority="high" of provider "a"


=== TEST 16: an unknown parameter
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a weight=3;
--- config
--- must_die
--- error_log
unknown parameter "weight=3" of provider "a": known are format=, uri=


=== TEST 17: no location serves the provider's uri
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate; }
--- must_die
--- error_log eval
qr/"\/_ai\/a" of provider "a" \(\S+nginx\.conf:\d+\) is served by no internal location .*add "location = \/_ai\/a \{ internal; proxy_pass .*in \S+nginx\.conf:\d+/


=== TEST 18: a catch-all that clients reach is no provider's location
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate; }
location /_ai/ { proxy_pass http://127.0.0.1:1; }
--- must_die
--- error_log
is served by no internal location


=== TEST 19: a prefix, nested and regex location all serve
--- http_config eval: Atelier::http(a => '', b => '', c => '')
--- config
location = /generate { atelier_generate; }
location /_ai/a { internal; proxy_pass http://127.0.0.1:1; }
location /_ai/ {
    location = /_ai/b { internal; proxy_pass http://127.0.0.1:1; }
}
location ~ ^/_ai/c$ { internal; proxy_pass http://127.0.0.1:1; }
location = /t { return 200 "ok"; }
--- request
GET /t
--- response_body chomp
ok


=== TEST 20: a server without the endpoint needs no locations
--- http_config eval: $::Http
--- config
location = /t { return 200 "ok"; }
--- request
GET /t
--- response_body chomp
ok


=== TEST 21: generate without pictures
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a;
--- config eval: $::Good
--- must_die
--- error_log eval
qr/this endpoint needs a directory: add "atelier_pictures path;".* in \S+nginx\.conf:\d+/


=== TEST 22: generate without providers
--- http_config
atelier_zone state 1m;
atelier_pictures html/generated;
--- config
location = /generate { atelier_generate; }
--- must_die
--- error_log
this endpoint needs a provider: add "atelier_ai_provider name ...;"


=== TEST 23: metrics without a zone
--- config
location = /metrics { atelier_metrics; }
--- must_die
--- error_log
this endpoint needs shared memory: add "atelier_zone state 4m;"


=== TEST 24: an unknown strategy
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate strategy=fastest; }
--- must_die
--- error_log
invalid parameter "strategy=fastest" of "atelier_generate": known are


=== TEST 25: two endpoints in one location
--- http_config
atelier_zone state 1m;
--- config
location = /t { atelier_metrics; atelier_health live; }
--- must_die
--- error_log
"atelier_health" directive is duplicate: a location is one endpoint


=== TEST 26: a zone that is too small for its limits
--- http_config
atelier_zone state 64k;
atelier_pictures html/generated;
atelier_ai_provider a format=openai uri=/_ai/a rate=100000r/1d;
--- config eval: $::Good
--- must_die
--- error_log
has no room for the limits of provider "a": make it larger


=== TEST 27: a zone of no size
--- http_config
atelier_zone state 1;
--- config
--- must_die
--- error_log
invalid size "1" in "atelier_zone"


=== TEST 28: result= without the origins it may fetch from
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a result=/_result/a;
--- config
--- must_die
--- error_log
provider "a" needs result= and result_host= together


=== TEST 29: a result_host that is no origin
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a result=/_r
                    result_host=cdn.example.com;
--- config
--- must_die
--- error_log
invalid result_host="cdn.example.com" of provider "a"


=== TEST 44: a result_host that would match nothing
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a result=/_r
                    result_host=https://*;
--- config
--- must_die
--- error_log
invalid result_host="https://*" of provider "a"


=== TEST 30: a result location is checked like the provider's own
--- http_config
atelier_zone state 1m;
atelier_pictures html/generated;
atelier_ai_provider a format=openai uri=/_ai/a result=/_result/a
                    result_host=https://cdn.example.com;
--- config eval: $::Good
--- must_die
--- error_log
"/_result/a" of provider "a"


=== TEST 31: a secret file that does not exist
--- http_config
atelier_secret $key no/such/key;
--- config
--- must_die
--- error_log eval
qr/secret file "\S+no\/such\/key" cannot be opened: create it .* in \S+nginx\.conf:\d+/


=== TEST 32: a provider that points at Groq's own host is warned about
--- http_config
atelier_zone state 1m;
atelier_pictures html/generated;
atelier_ai_provider a format=openai uri=/_ai/a;
upstream slot { server 127.0.0.1:1; }
upstream api.groq.com { server 127.0.0.1:1; }
--- config eval
$::Good . 'location = /t { return 200 "ok"; }'
--- request
GET /t
--- response_body chomp
ok
--- error_log eval
qr/\[warn\] .*Groq serves no image generation.* in \S+nginx\.conf:\d+/


=== TEST 33: a shutdown timeout that would cut requests is warned about
--- main_config
worker_shutdown_timeout 4s;
--- http_config eval: Atelier::http(a => 'timeout=5s')
--- config eval
$::Good . 'location = /t { return 200 "ok"; }'
--- request
GET /t
--- response_body chomp
ok
--- error_log
"worker_shutdown_timeout" of 4000ms is not longer than timeout=5000ms of provider "a"


=== TEST 34: bounds of a hedge that contradict each other
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate hedge_min=2s hedge_max=1s; }
--- must_die
--- error_log
hedge_min= of 2000ms is above hedge_max= of 1000ms


=== TEST 35: no requests in flight at all
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate max_in_flight=0; }
--- must_die
--- error_log
invalid parameter "max_in_flight=0" of "atelier_generate"


=== TEST 36: max_fails and fail_timeout are checked
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a max_fails=-1;
--- config
--- must_die
--- error_log
invalid max_fails="-1" of provider "a"


=== TEST 37: fail_timeout of 0
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=openai uri=/_ai/a fail_timeout=0;
--- config
--- must_die
--- error_log
invalid fail_timeout="0" of provider "a"


=== TEST 38: endpoints in named locations are checked too
--- config
location @m { atelier_metrics; }
--- must_die
--- error_log
this endpoint needs shared memory


=== TEST 39: a regex further out that nginx would prefer to a nested prefix
--- http_config eval: $::Http
--- config
location = /generate { atelier_generate; }
location /_ai/ {
    internal;
    location /_ai/a { internal; proxy_pass http://127.0.0.1:1; }
}
location ~ a$ { return 200; }
--- must_die
--- error_log
"/_ai/a" of provider "a"


=== TEST 40: an endpoint beside another handler
--- http_config
atelier_zone state 1m;
--- config
location = /t { proxy_pass http://127.0.0.1:1; atelier_metrics; }
--- must_die
--- error_log
"atelier_metrics" directive stands beside another directive that answers


=== TEST 41: replicate asks at addresses below its location
--- http_config
atelier_zone state 1m;
atelier_ai_provider a format=replicate model=a/b uri=/_ai/a;
--- config
--- must_die
--- error_log
uri=/_ai/a of provider "a" must end in "/"


=== TEST 42: jobs that nobody would call off are warned about
--- http_config
atelier_zone state 1m;
atelier_pictures html/generated;
atelier_ai_provider a format=replicate model=a/b uri=/_ai/a/;
--- config
location /_ai/a/ { internal; proxy_pass http://127.0.0.1:1; }
location = /t { return 200 "ok"; }
--- request
GET /t
--- response_body chomp
ok
--- error_log eval
qr/\[warn\] .*provider "a" has jobs that nobody calls off .* in \S+nginx\.conf:\d+/


=== TEST 43: an egress address that is no unix socket
--- http_config
atelier_egress 127.0.0.1:80;
--- config
--- must_die
--- error_log
invalid address "127.0.0.1:80" in "atelier_egress": give the unix:path
