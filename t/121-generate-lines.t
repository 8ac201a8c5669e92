# Accept: application/x-ndjson: what happens in the race is told line by line,
# with the answer as the last one; and who gets the usual answer all the same.
# Clients that leave, or do not read, are in t/e2e.

use strict;
use warnings;
use lib 't/helper';
use Atelier;
use Test::Nginx::Socket 'no_plan';

our $One = Atelier::http(a => '');
our $Two = Atelier::http(a => '', b => '');

sub only { return Atelier::server(a => $_[0]); }

# Each in its turn, so the order of the lines is known.
sub in_turn {
    return Atelier::server(@_)
           =~ s/atelier_generate;/atelier_generate strategy=failover;/r;
}

our $Started = sub { qq(\\{"type":"started","provider":"$_[0]"\\}\n) };
our $Ended = sub {
    qq(\\{"type":"attempt","provider":"$_[0]","outcome":"$_[1]","ms":\\d+\\}\n)
};

# One good provider, as a whole body.
our $All = $Started->('a') . $Ended->('a', 'won')
           . qq(\\{"type":"answer","status":200,"body":)
           . qq(\\{"id":"[0-9a-f]{32}","status":"done",.*)
           . qq("attempts":\\[\\{"provider":"a","outcome":"won","ms":\\d+\\}\\]\\}\\});

our $Plain = '^\{"id":"[0-9a-f]{32}","status":"done",[^\n]*\}$';

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('no_error_log',
                      "[alert]\n[crit]\n[emerg]\nexited on signal\n"
                      . ($block->no_error_log // ''));
    if (!defined $block->request && !defined $block->raw_request) {
        $block->set_value('request', qq(POST /generate\n{"prompt":"a room"}));
    }
    if (!defined $block->more_headers) {
        $block->set_value('more_headers', "Content-Type: application/json\n"
                                          . 'Accept: application/x-ndjson');
    }
});

no_long_string();
run_tests();

__DATA__

=== TEST 1: a line when it starts, one when it ends, and the answer
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- response_headers
Content-Type: application/x-ndjson
Cache-Control: no-store
X-Accel-Buffering: no
!Content-Length
--- response_headers_like
X-Request-ID: [0-9a-f]{32}
--- response_body_like eval
qr/^$::All$/


=== TEST 2: a failure is told before the next one starts
--- http_config eval: $::Two
--- config eval
::in_turn(a => 'return 500;', b => Atelier::good())
--- response_body_like eval
'^' . $::Started->('a') . $::Ended->('a', 'transient')
. $::Started->('b') . $::Ended->('b', 'won') . '\{"type":"answer","status":200,'


=== TEST 3: who was not needed is told at the end
--- http_config eval: $::Two
--- config eval
::in_turn(a => Atelier::good(), b => Atelier::good())
--- response_body_like eval
'^' . $::Started->('a') . $::Ended->('a', 'won') . $::Ended->('b', 'unasked')
. '\{"type":"answer","status":200,'


=== TEST 4: in a race all start, and all have an end
--- http_config eval: $::Two
--- config eval
Atelier::server(a => 'return 500;', b => Atelier::good())
--- response_body_like eval
'^' . $::Started->('a') . $::Started->('b') . '(?=[^\x00]*'
. $::Ended->('a', 'transient') . ')(?=[^\x00]*' . $::Ended->('b', 'won')
. ')(?:[^\n]*\n){2}\{"type":"answer","status":200,[^\n]*$'


=== TEST 5: an answer that is a refusal: status 200, and its own in the line
--- http_config eval: $::One
--- config eval
::only(q(return 400 '{"error":{"code":"moderation_blocked","message":"no"}}';))
--- response_body_like eval
'^' . $::Started->('a') . $::Ended->('a', 'moderated')
. '\{"type":"answer","status":422,"body":\{"type":"about:blank",'
. '[^\n]*"code":"moderated",[^\n]*"requestId":"[0-9a-f]{32}"\}\}$'


=== TEST 6: one that passes has Retry-After in the line
--- http_config eval: $::One
--- config eval: ::only('return 500;')
--- response_headers
!Retry-After
--- response_body_like eval
'^' . $::Started->('a') . $::Ended->('a', 'transient')
. '\{"type":"answer","status":503,"retryAfter":\d+,"body":\{[^\n]*'
. '"code":"providers_unavailable",'


=== TEST 7: one whose address is wrong is 502
--- http_config eval: $::One
--- config eval: ::only('return 404;')
--- response_body_like eval
'^' . $::Started->('a') . $::Ended->('a', '(?:invalid|credential)')
. '\{"type":"answer","status":502,'


=== TEST 8: what is refused before anybody is asked is refused as ever
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- request
POST /generate
{"prompt":""}
--- error_code: 400
--- response_headers
Content-Type: application/problem+json
!X-Accel-Buffering
--- response_body_like: "code":"empty_field"


=== TEST 9: without room for one more, too
--- http_config eval: Atelier::http(a => 'rate=1r/1h')
--- config eval: ::only('return 500;')
--- request eval
[ qq(POST /generate\n{"prompt":"a"}), qq(POST /generate\n{"prompt":"b"}),
  qq(POST /generate\n{"prompt":"c"}) ]
--- error_code eval: [ 200, 503, 503 ]
--- response_body_like eval
[ '"type":"answer","status":503', '^\{"type":"about:blank"',
  '^\{"type":"about:blank"' ]


=== TEST 10: everybody else has the usual answer
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- more_headers
Content-Type: application/json
Accept: */*, application/*, application/json
--- response_headers
Content-Type: application/json
!X-Accel-Buffering
--- response_body_like eval: $::Plain


=== TEST 11: so has who refuses lines
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- more_headers
Content-Type: application/json
Accept: application/x-ndjson;q=0.000, application/json
--- response_body_like eval: $::Plain


=== TEST 12: so has a type that only begins alike
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- more_headers
Content-Type: application/json
Accept: application/x-ndjson-seq, application/x-ndjs
--- response_body_like eval: $::Plain


=== TEST 13: among others, in other letters, with a weight
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- more_headers
Content-Type: application/json
Accept: application/json;q=0.5,	Application/X-NDJSON ; q=0.9
--- response_body_like eval: qr/^$::All$/


=== TEST 14: HTTP/1.0 has them without chunks
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- raw_request eval
"POST /generate HTTP/1.0\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n"
. "Content-Type: application/json\r\nContent-Length: 19\r\n\r\n"
. '{"prompt":"a room"}'
--- response_headers
!Transfer-Encoding
--- response_body_like eval: qr/^$::All$/


=== TEST 15: they are not compressed
--- http_config eval: $::One
--- config eval
'gzip on; gzip_types *; gzip_min_length 0; ' . ::only(Atelier::good())
--- more_headers
Content-Type: application/json
Accept: application/x-ndjson
Accept-Encoding: gzip
--- response_headers
!Content-Encoding
--- response_body_like eval: qr/^$::All$/


=== TEST 16: limit_rate does not hold them
--- http_config eval: $::Two
--- config eval
Atelier::server(a => 'return 500;', b => Atelier::good())
=~ s/atelier_generate;/limit_rate 1; atelier_generate;/r
--- response_body_like: "type":"answer","status":200,


=== TEST 17: nothing is asked under a condition
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- more_headers
Content-Type: application/json
Accept: application/x-ndjson
If-Match: "x"
If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT
--- response_body_like eval: qr/^$::All$/


=== TEST 18: a note that a prompt was cut stands in its line
--- http_config eval: Atelier::http(a => 'model=dall-e-2')
--- config eval: ::only(Atelier::good())
--- request eval
qq(POST /generate\n{"prompt":") . ('long ' x 400) . '"}'
--- response_body_like: \{"type":"attempt","provider":"a","outcome":"won","ms":\d+,"note":"[^"]+"\}\n


=== TEST 19: on one connection, lines and usual answers in turn
--- http_config eval: $::One
--- config eval: ::only(Atelier::good())
--- pipelined_requests eval
[ qq(POST /generate\n{"prompt":"a"}), qq(POST /generate\n{"prompt":"b"}),
  "GET /metrics" ]
--- response_body_like eval
[ qr/^$::All$/, qr/^$::All$/,
  'atelier_generate_requests_total\{result="done"\} 2\n' ]


=== TEST 20: an address that is only read has no lines
--- http_config eval: $::One
--- config eval
::only(Atelier::good()) . 'location = /generate/options { atelier_generate; }'
--- request
GET /generate/options
--- response_headers
Content-Type: application/json
