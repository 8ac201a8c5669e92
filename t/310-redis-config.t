# nginx -t catches what is wrong with atelier_redis, with file, line and
# remedy.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

run_tests();

__DATA__

=== TEST 1: an address that is none
--- http_config
atelier_zone state 1m;
atelier_redis unix:;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*invalid address "unix:" in "atelier_redis": give unix:path or host:port.* in \S+nginx\.conf:\d+/


=== TEST 2: a URL
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:6379/3;
--- config
--- must_die
--- error_log
invalid address "127.0.0.1:6379/3" in "atelier_redis": give unix:path or host:port


=== TEST 3: a name that is not known
--- http_config
atelier_zone state 1m;
atelier_redis redis.invalid:6379;
--- config
--- must_die
--- error_log
invalid address "redis.invalid:6379" in "atelier_redis": give unix:path or host:port; host not found


=== TEST 4: a parameter that is not known
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1 password=sesame;
--- config
--- must_die
--- error_log
invalid parameter "password=sesame" of "atelier_redis": known are password_file=path


=== TEST 5: a time too long
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1 timeout=2m;
--- config
--- must_die
--- error_log
invalid parameter "timeout=2m" of "atelier_redis"


=== TEST 6: a queue that takes nothing
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1 queue=0;
--- config
--- must_die
--- error_log
invalid parameter "queue=0" of "atelier_redis"


=== TEST 7: a password file that is not there
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1 password_file=nowhere;
--- config
--- must_die
--- error_log
secret file


=== TEST 8: a user without a password
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1 user=atelier;
--- config
--- must_die
--- error_log
user=atelier of "atelier_redis" has no password: add password_file=


=== TEST 9: two of them
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1;
atelier_redis 127.0.0.1:2;
--- config
--- must_die
--- error_log
"atelier_redis" directive is duplicate: there is one Redis


=== TEST 10: no zone
--- http_config
atelier_redis 127.0.0.1:1;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*"atelier_redis" needs shared memory: add "atelier_zone state 4m;" to the http block; in \S+nginx\.conf:\d+/


=== TEST 11: a Redis that is not there fails nothing
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1;
--- config
location = /metrics { atelier_metrics; }
--- request
GET /metrics
--- response_body_like: atelier_redis_up 0\n
--- no_error_log
[alert]
[emerg]


=== TEST 12: shared limits without Redis
--- http_config
atelier_zone state 1m;
atelier_limits scope=shared nodes=2;
--- config
--- must_die
--- error_log eval
qr/\[emerg\] .*"atelier_limits scope=shared" needs Redis: add "atelier_redis unix:path;" to the http block; in \S+nginx\.conf:\d+/


=== TEST 13: shared by nobody knows how many
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1;
atelier_limits scope=shared;
--- config
--- must_die
--- error_log
"atelier_limits" directive has no nodes=: say how many nginx share the limits


=== TEST 14: a lease too short
--- http_config
atelier_zone state 1m;
atelier_redis 127.0.0.1:1;
atelier_limits scope=shared nodes=2 lease=100ms;
--- config
--- must_die
--- error_log
invalid parameter "lease=100ms" of "atelier_limits"


=== TEST 15: a node of its own needs none
--- http_config
atelier_zone state 1m;
atelier_limits scope=node;
--- config
location = /metrics { atelier_metrics; }
--- request
GET /metrics
--- response_body_unlike: atelier_limits_shared
--- no_error_log
[alert]
[emerg]


=== TEST 16: shared limits with Redis away: this node's part, half of it at first
--- http_config eval
Atelier::http(one => 'rate=40r/1h') .
'atelier_redis 127.0.0.1:1; atelier_limits scope=shared nodes=2 lease=500ms;'
--- config eval
Atelier::server(one => Atelier::good())
--- request
GET /metrics
--- response_body_like: atelier_limits_shared 0\n
--- no_error_log
[alert]
[emerg]
