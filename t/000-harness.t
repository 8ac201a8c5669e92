# The runner itself, on what stock nginx can do: the grammar of a test file,
# requests, mocks and every check. It passes under both runners.

use Test::Nginx::Socket 'no_plan';

# The name for user files in a configuration, by convention of our tests.
$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();
$ENV{TEST_NGINX_HARNESS} = 'from the environment';
env_to_nginx('TEST_NGINX_HARNESS');

our $Location = <<'_END_';
    location = /shared {
        return 200 "shared\n";
    }
_END_

# A filter of this file: it gets the value and returns the new one.
sub upper {
    return map { uc } @_;
}

add_block_preprocessor(sub {
    my $block = shift;

    if (defined $block->status_wanted) {
        $block->set_value('error_code', $block->status_wanted);
    }
});

my $cleanups = 0;
add_cleanup_handler(sub { $cleanups++ });

repeat_each(2);
no_long_string();
run_tests();

is($cleanups, 1, 'cleanup handlers run once, at the end');

__DATA__

=== TEST 1: text of a location, exact body
Free text between the title and the first section is a comment.
--- config
    location = /t {
        return 200 "hello\n";
    }
--- request
GET /t
--- response_body
hello
--- error_code: 200
--- no_error_log
[alert]
[crit]
[emerg]
exited on signal



=== TEST 2: values on one line, filters eval, chomp and chop
--- config
    location = /t {
        return 201 "no newline";
    }
--- request eval: "GET /" . "t"
--- response_body chomp
no newline
--- error_code chomp chop
2011



=== TEST 3: filters are applied one after the other, own ones too
--- config
    location = /t {
        return 200 "A LINE";
    }
--- request
GET /t
--- response_body eval upper chop
"a line" . "?"



=== TEST 4: the eval filter sees the variables of the test file
--- config eval: $::Location
--- request
GET /shared
--- response_body
shared



=== TEST 5: a skipped block
--- SKIP
--- config
    this is no configuration
--- request
GET /t



=== TEST 6: a block skipped by a condition
--- skip_eval: 2: 1
--- config
    this is no configuration
--- request
GET /t



=== TEST 7: a block skipped by the version of nginx
--- skip_nginx: 2: > 0.1.0: newer than the first
--- config
    this is no configuration
--- request
GET /t



=== TEST 8: http_config and a fake upstream on a random port
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        return 200 "fake\n";
    }
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request
GET /t
--- response_body
fake



=== TEST 9: main_config and post_main_config
--- main_config
    timer_resolution 100ms;
--- post_main_config
    pcre_jit off;
--- config
    location = /t {
        return 204;
    }
--- request
GET /t
--- error_code: 204
--- response_body eval: ''



=== TEST 10: the port in a configuration
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/inner;
    }

    location = /inner {
        return 200 "port $server_port\n";
    }
--- request
GET /t
--- response_body
port $ServerPort



=== TEST 11: user files, the root location, a date
--- config
--- user_files
>>> a.txt
one
two
>>> sub/b.txt 201001020304.05
three
--- request eval
["GET /a.txt", "GET /sub/b.txt"]
--- response_body eval
["one\ntwo\n", "three\n"]
--- response_headers eval
["Content-Type: text/plain",
 "Last-Modified: Sat, 02 Jan 2010 03:04:05 GMT"]



=== TEST 12: user files as an array, with bytes of all kinds
--- config
--- user_files eval
[["bytes", pack 'C*', 0 .. 255]]
--- request
GET /bytes
--- response_body eval
pack 'C*', 0 .. 255



=== TEST 13: the html directory by its variable
--- config
    location = /t {
        alias $TEST_NGINX_HTML_DIR/index.html;
    }
--- request
GET /t
--- response_body_like: It works!



=== TEST 14: server_name, and no_root_location stays unset
--- server_name: example.test
--- config
    location = /t {
        return 200 "$server_name\n";
    }
--- request
GET /t
--- response_body
example.test



=== TEST 15: response headers, present, absent, by pattern, raw
--- config
    location = /t {
        add_header X-One "a value";
        add_header X-Two first;
        add_header X-Two second;
        return 200 "";
    }
--- request
GET /t
--- response_headers
X-One: a value
x-two: first, second
!X-Three
--- raw_response_headers_like: X-Two: first\r\nX-Two: second\r\n
--- raw_response_headers_unlike: X-Three



=== TEST 16: response headers by pattern
--- config
    location = /t {
        add_header X-Number 12345;
        return 200;
    }
--- request
GET /t
--- response_headers_like
X-Number: \d+



=== TEST 17: more headers, comments among them
--- config
    location = /t {
        return 200 "$http_x_one|$http_host|$http_connection\n";
    }
--- request
GET /t
--- more_headers
X-One: 1
# X-One: 2
Host: other
--- response_body
1|other|close



=== TEST 18: more headers for each of several requests
--- config
    location = /t {
        return 200 "$http_x_one";
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers eval
["X-One: first", "X-One: second"]
--- response_body eval
["first", "second"]
--- error_code eval
[200, 200]



=== TEST 19: status by pattern, a regex as body, a body that must not be
--- config
    location = /t {
        return 404 "not here\n";
    }
--- request
GET /t
--- error_code_like: ^4\d\d$
--- response_body eval
qr/^not h\w+$/



=== TEST 20: unlike
--- config
    location = /t {
        return 200 "fine\n";
    }
--- request
GET /t
--- response_body_unlike: error|warning



=== TEST 21: a section of this file, handled by its preprocessor
--- status_wanted: 410
--- config
    location = /t {
        return 410;
    }
--- request
GET /t



=== TEST 22: comment lines before the request line, an explicit version
--- config
    location = /t {
        return 200 "$server_protocol\n";
    }
--- request
# a comment
GET /t HTTP/1.0
--- response_body
HTTP/1.0



=== TEST 23: a request body, its length counted without the outer blanks
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        return 200 "$request_method $http_content_length\n";
    }
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request
POST /t
hello world
--- response_body
POST 11



=== TEST 24: a chunked request body
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        return 200 "$request_method $http_content_length\n";
    }
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- more_headers
Transfer-Encoding: chunked
--- request eval
"POST /t\n" . "5\r\nhello\r\n" . "3\r\nyou\r\n" . "0\r\n\r\n"
--- response_body
POST 8



=== TEST 25: packets with a pause of their own
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        return 200 "$http_content_length\n";
    }
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request eval
[["POST /t\nhe", { value => "llo", delay_before => 0.05 }, " you"],
 ["PO", "ST", " /t\n", "abc"]]
--- response_body eval
["9\n", "3\n"]



=== TEST 26: a raw request
--- config
    location = /t {
        return 200 "$http_x_raw\n";
    }
--- raw_request eval
"GET /t HTTP/1.1\r\nHost: a\r\nX-Raw: yes\r\nConnection: close\r\n\r\n"
--- response_body
yes



=== TEST 27: a raw request in pieces
--- config
    location = /t {
        return 200 "$http_x_raw\n";
    }
--- raw_request eval
["GET /t HTTP/1.1\r\nHos", "t: a\r\nX-Raw: pieces\r\nConn",
 "ection: close\r\n\r\n"]
--- raw_request_middle_delay: 0.02
--- response_body
pieces



=== TEST 28: pipelined requests, with a body in the middle
--- config
    location = /a {
        return 200 "a\n";
    }

    location = /b {
        return 200 "b\n";
    }
--- pipelined_requests eval
["GET /a", "POST /b\nbody", "GET /none"]
--- error_code eval
[200, 200, 404]
--- response_body_like eval
["^a\n\$", "^b\n\$", "404 Not Found"]
--- response_headers eval
["Connection: keep-alive", "Connection: keep-alive", "Connection: close"]



=== TEST 29: a response in chunks
--- config
    location /t.txt {
        ssi on;
        ssi_types text/plain;
    }
--- user_files
>>> t.txt
head
<!--# include virtual="/part.txt" -->
tail
>>> part.txt
part
--- request
GET /t.txt
--- response_headers
Transfer-Encoding: chunked
!Content-Length
--- response_body
head
part

tail



=== TEST 30: pipelined responses in chunks
--- config
    location /t.txt {
        ssi on;
        ssi_types text/plain;
    }
--- user_files
>>> t.txt
<!--# echo var="arg_n" -->
--- pipelined_requests eval
["GET /t.txt?n=1", "GET /t.txt?n=2"]
--- response_body eval
["1\n", "2\n"]



=== TEST 31: HEAD has a length and no body
--- config
    location = /t {
        return 200 "hello\n";
    }
--- request
HEAD /t
--- response_headers
Content-Length: 6
--- response_body eval: ''



=== TEST 32: 304 has no body
--- config
--- user_files
>>> a.txt 201001020304.05
text
--- request
GET /a.txt
--- more_headers
If-Modified-Since: Sat, 02 Jan 2010 03:04:05 GMT
--- error_code: 304
--- response_headers
!Content-Length



=== TEST 33: an interim response counts as the response
--- http_config
    server {
        listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
        return 200 "done\n";
    }
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- request
POST /t
hello
--- more_headers
Expect: 100-continue
--- error_code: 100
--- response_body_like: ^HTTP/1\.1 200 OK\r\n.*\r\n\r\ndone$



=== TEST 34: the error log, lines and regex, and what must not be there
--- log_level: info
--- config
    location = /t {
        rewrite_log on;
        error_log logs/error.log notice;
        rewrite ^/t(.*)$ /other last;
    }

    location = /other {
        return 200;
    }
--- request
GET /t
--- error_log eval
["matches \"/t\"", qr{rewritten data: "/\w+"}]
--- no_error_log
no such line
--- grep_error_log eval: qr{rewritten data: "[^"]+"}
--- grep_error_log_out
rewritten data: "/other"



=== TEST 35: the error log for each of several requests
--- log_level: notice
--- config
    location /t {
        rewrite_log on;
        rewrite ^(.*)$ /other last;
    }

    location = /other {
        return 200;
    }
--- request eval
["GET /t", "GET /t"]
--- error_log
rewritten data: "/other"



=== TEST 36: the access log
--- config
    location = /t {
        return 202;
    }
--- request
GET /t?some=thing
--- error_code: 202
--- access_log
"GET /t?some=thing HTTP/1.1" 202
--- no_access_log
POST



=== TEST 37: a configuration that must not start
--- config
    no_such_directive on;
--- must_die
--- error_log
unknown directive "no_such_directive"
--- suppress_stderr



=== TEST 38: with its exit code
--- config
    listen nonsense:port;
--- must_die: 1
--- error_log
[emerg]
--- suppress_stderr



=== TEST 39: what is logged at the end
--- config
    location = /t {
        return 200;
    }
--- request
GET /t
--- shutdown_error_log
, shutting down
--- no_shutdown_error_log
[alert]
exited on signal



=== TEST 40: a mock upstream: the query, its length, the reply
--- config
    location = /t {
        proxy_set_header Connection "";
        proxy_set_header Host mock;
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_2/up;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_2
--- tcp_query eval
"GET /up HTTP/1.0\r\nHost: mock\r\n\r\n"
--- tcp_query_len: 32
--- tcp_reply eval
["HTTP/1.0 200 OK\r\n", "\r\n", "mocked\n"]
--- request
GET /t
--- response_body
mocked



=== TEST 41: a mock upstream on a socket file, with code for the reply
--- config
    location = /t {
        proxy_set_header Host mock;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/mock.sock:/up;
    }
--- tcp_listen: $TEST_NGINX_HTML_DIR/mock.sock
--- tcp_reply_delay: 20ms
--- tcp_reply eval
sub {
    my $query = shift;
    my ($uri) = $query =~ m{^GET (\S+)};
    return "HTTP/1.0 203 OK\r\n\r\nyou want $uri\n";
}
--- request
GET /t
--- error_code: 203
--- response_body
you want /up



=== TEST 42: an upstream that ends without an answer
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_shutdown: 1
--- request
GET /t
--- error_code: 502
--- error_log
upstream prematurely closed connection



=== TEST 43: a client that goes away
--- config
    location = /t {
        proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    }
--- tcp_listen: $TEST_NGINX_RAND_PORT_1
--- tcp_no_close
--- tcp_reply eval: ''
--- request
GET /t
--- timeout: 0.2
--- abort
--- ignore_response
--- wait: 0.1
--- error_log
client prematurely closed connection



=== TEST 44: code before the first request
--- config
--- init
open my $out, '>', "$ENV{TEST_NGINX_HTML_DIR}/late.txt" or die $!;
print {$out} "late\n";
close $out;
--- request
GET /late.txt
--- response_body
late



=== TEST 45: a long body
--- config
--- user_files eval
[["long", "0123456789abcdef" x 65536]]
--- request
GET /long
--- response_body eval
"0123456789abcdef" x 65536
