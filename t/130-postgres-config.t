# nginx -t catches what is wrong with atelier_postgres, and a worker whose
# server is away says so.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: a host name would be looked up while requests wait
--- http_config
atelier_zone state 1m;
atelier_postgres "host=db.example.com dbname=atelier";
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*"db\.example\.com" in "atelier_postgres" is no address: .*hostaddr= its IP address .* in \S+nginx\.conf:\d+/


=== TEST 2: the second host of a list is looked at too
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/run/postgresql,db2 dbname=atelier";
--- config
--- must_die
--- error_log
"db2" in "atelier_postgres" is no address


=== TEST 3: no host
--- http_config
atelier_zone state 1m;
atelier_postgres "dbname=atelier";
--- config
--- must_die
--- error_log
"atelier_postgres" names no server: give host= the folder of its socket


=== TEST 4: a password in the configuration, and it is not repeated
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/run/postgresql dbname=atelier password=hunter2";
--- config
--- must_die
--- error_log
a password stands in "atelier_postgres": write it into a file of mode 0600
--- no_error_log
hunter2


=== TEST 5: a URI is a connection string as well
--- http_config
atelier_zone state 1m;
atelier_postgres postgresql://me:hunter2@10.0.0.1/atelier;
--- config
--- must_die
--- error_log
a password stands in "atelier_postgres"
--- no_error_log
hunter2


=== TEST 6: not a connection string
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/run/postgresql colour=blue";
--- config
--- must_die
--- error_log
invalid connection string of "atelier_postgres": invalid connection option "colour"


=== TEST 7: a connection string without quotes
--- http_config
atelier_zone state 1m;
atelier_postgres host=/run/postgresql dbname=atelier;
--- config
--- must_die
--- error_log
invalid parameter "dbname=atelier" of "atelier_postgres": known are timeout=


=== TEST 8: a time without end
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/run/postgresql" timeout=1h;
--- config
--- must_die
--- error_log
invalid parameter "timeout=1h" of "atelier_postgres"


=== TEST 9: too many connections
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/run/postgresql" connections=100;
--- config
--- must_die
--- error_log
invalid parameter "connections=100" of "atelier_postgres"


=== TEST 10: no zone
--- http_config
atelier_postgres "host=/run/postgresql";
--- config
--- must_die
--- error_log
"atelier_postgres" needs shared memory: add "atelier_zone state 4m;"


=== TEST 11: a service file
--- http_config
atelier_zone state 1m;
atelier_postgres "service=atelier host=/run/postgresql";
--- config
--- must_die
--- error_log
service=atelier in "atelier_postgres" names a part of another file


=== TEST 12: a password file that is not there
--- http_config
atelier_zone state 1m;
atelier_postgres "hostaddr=127.0.0.1" password_file=keys/none;
--- config
--- must_die
--- error_log eval
qr{secret file "\S+/keys/none" cannot be opened}


=== TEST 13: two of them
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/run/postgresql";
atelier_postgres "host=/run/postgresql";
--- config
--- must_die
--- error_log
"atelier_postgres" directive is duplicate


=== TEST 14: away is no reason not to be ready, and no secret
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/nonexistent hostaddr=127.0.0.1 port=1 dbname=a";
--- config
location = /health/ready { atelier_health ready; }
--- request
GET /health/ready
--- response_body
{"status":"ready","providers":{},"postgres":"away"}
--- no_error_log
[alert]
[emerg]


=== TEST 15: metrics
--- http_config
atelier_zone state 1m;
atelier_postgres "host=/nonexistent";
--- config
location = /metrics { atelier_metrics; }
--- request
GET /metrics
--- response_body_like
atelier_postgres_up 0
(.*\n)+atelier_postgres_connections 0
--- no_error_log
[alert]
[emerg]


=== TEST 16: a visitor that is the same for all
--- http_config
atelier_zone state 1m;
atelier_visitor somebody;
--- config
--- must_die
--- error_log
"somebody" in "atelier_visitor" is the same for all: give it a variable


=== TEST 17: likes without a database, and without a visitor
--- http_config
atelier_zone state 1m;
--- config
location /designs { atelier_designs; }
--- request eval
["PUT /designs/pexels:1/like", "GET /designs/likes",
 "GET /designs/likes?ids=pexels:1", "GET /designs/likes?ids="]
--- error_code eval
[403, 403, 503, 200]
--- no_error_log
[alert]
[emerg]


=== TEST 18: the visitor of a server, of a location, and of nobody
--- http_config
atelier_zone state 1m;
atelier_visitor $arg_a;
--- config
atelier_visitor $arg_b;
location /designs { atelier_designs; }
location /of { atelier_designs; atelier_visitor $arg_c; }
--- request eval
["PUT /designs/pexels:1/like?b=1", "PUT /designs/pexels:1/like?a=1&c=1",
 "PUT /of/pexels:1/like?c=1", "PUT /of/pexels:1/like?a=1&b=1"]
--- error_code eval
[503, 403, 503, 403]
--- no_error_log
[alert]
[emerg]


=== TEST 19: a random number is the same all through a request
--- config
set $one $atelier_random;
location /a { return 200 "$one $atelier_random"; }
--- request
GET /a
--- response_body_like eval
qr/^([0-9a-f]{32}) \1$/
--- no_error_log
[alert]
[emerg]
