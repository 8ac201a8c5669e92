# GET /designs as a client sees it: what is refused, what a page holds, and
# that sources which fail are told by name.  One fake source, no Redis.

use strict;
use warnings;
use File::Temp ();
use Test::Nginx::Socket 'no_plan';

our $Page = '{"page":1,"per_page":80,"total_results":3,"photos":['
    . join(',', map {
        qq({"id":$_,"width":1600,"height":900,"url":"https://www.pexels.com/)
        . qq(photo/$_/","photographer":"A Person","photographer_url":)
        . qq("https://www.pexels.com/\@p","avg_color":"#112233","alt":)
        . qq("A sofa","src":{"original":"https://images.pexels.com/$_.jpeg",)
        . qq("medium":"https://images.pexels.com/$_.jpeg?h=350"}})
      } 1 .. 3) . ']}';

our $Dir = File::Temp->newdir('atelier-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, "$Dir";

our $Http = <<"END";
atelier_zone state 1m;
atelier_cache pages 2m;
atelier_egress unix:$Dir/egress.sock;
atelier_feed_source pexels uri=/_feed/pexels/ rate=1000r/60s;
server {
    listen unix:$Dir/egress.sock;
    location = /fill { atelier_fill; }
    location /_feed/pexels/ {
        internal;
        proxy_pass http://127.0.0.1:\$TEST_NGINX_SERVER_PORT/fake/;
    }
}
END

our $Designs = 'location /designs { atelier_designs; }';
our $Good = "$Designs
location /fake/ { default_type application/json; return 200 '$Page'; }";

run_tests();

__DATA__

=== TEST 1: a page
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?query=sofa&perPage=2
--- response_headers_like
X-Cache: MISS
ETag: "[0-9a-f]{32}"
Cache-Control: public, max-age=300, s-maxage=600, .*
Vary: Accept-Encoding
Link: </designs\?query=sofa&page=2&perPage=2&snapshot=[0-9a-f]{16}>; rel="next"
Server-Timing: cache;desc="MISS".*
--- response_body_like: ^\{"query":"sofa","snapshot":"[0-9a-f]{16}","page":1,"perPage":2,"hasNext":true,"next":"/designs\?query=sofa&page=2&perPage=2&snapshot=[0-9a-f]{16}","results":\[\{"id":"pexels:1".*"likes":0\},\{"id":"pexels:2".*\}\],"providers":\{.*"pexels":\{"outcome":"ok","count":3,"ms":\d+\}
--- no_error_log
[alert]
[crit]
[emerg]


=== TEST 2: the next page, and the end
--- http_config eval: $::Http
--- config eval: $::Good
--- request eval
["GET /designs?query=two&perPage=2", "GET /designs?query=two&perPage=2&page=2"]
--- error_code eval
[200, 200]
--- response_body_like eval
['"hasNext":true', '"page":2,"perPage":2,"hasNext":false,"next":null,"results":\[\{"id":"pexels:3"[^\]]*\],"providers"']


=== TEST 3: sources that are not configured are told
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?query=sofa&source=pexels,flickr
--- response_body_like: "providers":\{"pexels":\{"outcome":"ok",.*"flickr":\{"outcome":"disabled","count":0,"ms":0\}\}


=== TEST 4: perPage out of bounds
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?perPage=201
--- error_code: 400
--- response_headers
Content-Type: application/problem+json
Cache-Control: no-store
--- response_body_like: "code":"invalid_parameter",.*"field":"perPage"


=== TEST 5: page out of bounds
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?page=0
--- error_code: 400
--- response_body_like: "code":"invalid_parameter",.*"field":"page"


=== TEST 6: no orientation
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?orientation=upside-down
--- error_code: 400
--- response_body_like: "field":"orientation"


=== TEST 7: no colour
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?color=octarine
--- error_code: 400
--- response_body_like: you sent \\"octarine\\"\.","field":"color"


=== TEST 8: no source
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?source=giphy
--- error_code: 400
--- response_body_like: "field":"source"


=== TEST 9: no snapshot
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?snapshot=latest
--- error_code: 400
--- response_body_like: "field":"snapshot"


=== TEST 10: no UTF-8
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs?query=%ff%fe
--- error_code: 400
--- response_body_like: "field":"query"


=== TEST 11: methods
--- http_config eval: $::Http
--- config eval: $::Good
--- request
DELETE /designs
--- error_code: 405
--- response_headers
Allow: GET, HEAD


=== TEST 12: below it
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs/pexels:1/picture
--- error_code: 404
--- response_body_like: "code":"not_found"


=== TEST 13: a download nobody wants to hear of
--- http_config eval: $::Http
--- config eval: $::Good
--- request
POST /designs/pexels:1/download
--- error_code: 204
--- response_headers
Cache-Control: no-store


=== TEST 14: a download is posted
--- http_config eval: $::Http
--- config eval: $::Good
--- request
GET /designs/pexels:1/download
--- error_code: 405
--- response_headers
Allow: POST


=== TEST 15: a download of nothing
--- http_config eval: $::Http
--- config eval: $::Good
--- request
POST /designs/nobody:1/download
--- error_code: 404


=== TEST 16: the only source refuses its key
--- http_config eval: $::Http
--- config eval
"$::Designs
location /fake/ { return 401 '{}'; }"
--- request
GET /designs?query=sofa
--- error_code: 503
--- response_headers
Cache-Control: no-store
Retry-After: 5
--- response_body_like: "code":"sources_unavailable"
--- error_log
source "pexels" failed, auth


=== TEST 17: its answer is no JSON
--- http_config eval: $::Http
--- config eval
"$::Designs
location /fake/ { return 200 '<html>sorry</html>'; }"
--- request
GET /designs?query=sofa
--- error_code: 503
--- response_body_like: "code":"sources_unavailable"
--- error_log
source "pexels" failed, parse


=== TEST 18: nothing found is an answer
--- http_config eval: $::Http
--- config eval
"$::Designs
location /fake/ {
    return 200 '{\"page\":1,\"per_page\":80,\"total_results\":0,\"photos\":[]}';
}"
--- request
GET /designs?query=qqqq
--- response_body_like: "hasNext":false,"next":null,"results":\[\],"providers":\{.*"pexels":\{"outcome":"ok","count":0


=== TEST 19: a fill is posted
--- http_config eval: $::Http
--- config
location = /fill { atelier_fill; }
location /_feed/pexels/ { internal; proxy_pass http://127.0.0.1:1; }
--- request
GET /fill
--- error_code: 405


=== TEST 20: a fill checks what it is asked
--- http_config eval: $::Http
--- config
location = /fill { atelier_fill; }
location /_feed/pexels/ { internal; proxy_pass http://127.0.0.1:1; }
--- request
POST /fill?page=x
--- error_code: 400
