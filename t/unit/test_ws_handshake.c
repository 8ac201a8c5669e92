/*
 * The upgrade: RFC 6455's own example, each way to get it wrong with its
 * status, offers of permessage-deflate, and which pages may connect.
 */

#include "at_test.h"
#include "live/at_ws_handshake.h"


#define TEST_KEY   "dGhlIHNhbXBsZSBub25jZQ=="

/* Longer than any sentence shows. */
#define TEST_KEYS  "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==dGhlIHN"


/* name and value by turns; NULL ends. */
static void
test_headers(at_ws_handshake_t *h, const char *const *headers)
{
    memset(h, 0, sizeof(at_ws_handshake_t));

    for ( /* void */ ; headers[0] != NULL; headers += 2) {
        at_ws_handshake_header(h, at_test_str(headers[0]),
                               at_test_str(headers[1]));
    }
}


static void
test_check(void **state)
{
    int                  rc;
    size_t               i;
    at_ws_refusal_t      refusal;
    at_ws_handshake_t    h;
    static const struct {
        const char  *method;
        unsigned     http;
        unsigned     status;        /* 101: accepted */
        const char  *detail;        /* is in it */
        const char  *headers[16];
    } rows[] = {

#define UPGRADE     "Upgrade", "websocket"
#define CONNECTION  "Connection", "Upgrade"
#define KEY         "Sec-WebSocket-Key", TEST_KEY
#define VERSION     "Sec-WebSocket-Version", "13"
#define GET         "GET", 1001

        { GET, 101, NULL, { UPGRADE, CONNECTION, KEY, VERSION } },
        { GET, 101, NULL, { "UPGRADE", "WebSocket", "connection",
                            "keep-alive, UPGRADE", "sec-websocket-KEY",
                            " dGhlIHNhbXBsZSBub25jZQ==\t", VERSION } },
        { GET, 101, NULL, { UPGRADE, "Connection", "keep-alive",
                            CONNECTION, KEY, VERSION } },
        { GET, 101, NULL, { "Upgrade", "h2c , websocket", CONNECTION, KEY,
                            VERSION, "Sec-WebSocket-Protocol", "chat",
                            "Cookie", "a=b" } },
        { "POST", 1001, 405, "\"POST\"", { UPGRADE, CONNECTION, KEY,
                                           VERSION } },
        { "get", 1001, 405, "\"get\"", { UPGRADE, CONNECTION, KEY,
                                         VERSION } },
        { "GET", 1000, 505, "HTTP/1.0", { UPGRADE, CONNECTION, KEY,
                                          VERSION } },
        { "GET", 2000, 505, "HTTP/2.0", { KEY, VERSION } },
        { "GET", 9, 505, "HTTP/0.9", { NULL } },
        { GET, 426, "Upgrade", { NULL } },
        { GET, 426, "Upgrade", { CONNECTION, KEY, VERSION } },
        { GET, 426, "Upgrade", { "Upgrade", "h2c", CONNECTION, KEY,
                                 VERSION } },
        { GET, 426, "Upgrade", { "Upgrade", "websockets", CONNECTION, KEY,
                                 VERSION } },
        { GET, 426, "Upgrade", { "Upgrade", "", CONNECTION, KEY, VERSION } },
        { GET, 400, "Connection", { UPGRADE, KEY, VERSION } },
        { GET, 400, "Connection", { UPGRADE, "Connection", "keep-alive", KEY,
                                    VERSION } },
        { GET, 400, "Connection", { UPGRADE, "Connection", "not-Upgrade, ,",
                                    KEY, VERSION } },
        { GET, 426, "missing", { UPGRADE, CONNECTION, KEY } },
        { GET, 426, "\"12\"", { UPGRADE, CONNECTION, KEY,
                                "Sec-WebSocket-Version", "12" } },
        { GET, 426, "\"013\"", { UPGRADE, CONNECTION, KEY,
                                 "Sec-WebSocket-Version", "013" } },
        { GET, 426, "\"13, 8\"", { UPGRADE, CONNECTION, KEY,
                                   "Sec-WebSocket-Version", "13, 8" } },
        { GET, 426, "once", { UPGRADE, CONNECTION, KEY, VERSION, VERSION } },
        { GET, 400, "Key is missing", { UPGRADE, CONNECTION, VERSION } },
        { GET, 400, "Key is \"\"", { UPGRADE, CONNECTION, VERSION,
                                     "Sec-WebSocket-Key", "" } },
        { GET, 400, "once", { UPGRADE, CONNECTION, KEY, KEY, VERSION } },
        { GET, 400, "AAAA", { UPGRADE, CONNECTION, VERSION,
                              "Sec-WebSocket-Key", "AAAA" } },
        { GET, 400, "???", { UPGRADE, CONNECTION, VERSION,
                             "Sec-WebSocket-Key",
                             "\x01\xC3\xA9!!!!!!!!!!!!!!!!!!!==" } },
        { GET, 400, "Key", { UPGRADE, CONNECTION, VERSION,
                             "Sec-WebSocket-Key",
                             "!GhlIHNhbXBsZSBub25jZQ==" } },
        { GET, 400, "Key", { UPGRADE, CONNECTION, VERSION,
                             "Sec-WebSocket-Key",
                             "dGhlIHNhbXBsZSBub25jZQAA" } },
        { GET, 400, "Key", { UPGRADE, CONNECTION, VERSION,
                             "Sec-WebSocket-Key",
                             "dGhlIHNhbXBsZSBub25jZ=Q=" } },
        { GET, 400, "Key", { UPGRADE, CONNECTION, VERSION,
                             "Sec-WebSocket-Key",
                             "dGhlIHNhbXBsZSBub25jZQ===" } },
        { GET, 400, "...\"", { UPGRADE, CONNECTION, VERSION,
                               "Sec-WebSocket-Key", TEST_KEYS } },
        { GET, 400, "Extensions", { UPGRADE, CONNECTION, KEY, VERSION,
                                    "Sec-WebSocket-Extensions", "a b" } },
        { GET, 101, NULL, { UPGRADE, CONNECTION, KEY, VERSION,
                            "Origin", "https://good.example" } },
        { GET, 403, "\"https://bad.example\"",
          { UPGRADE, CONNECTION, KEY, VERSION,
            "Origin", "https://bad.example" } },
        { GET, 403, "\"\"", { UPGRADE, CONNECTION, KEY, VERSION,
                              "Origin", "" } },
        { GET, 403, "good", { UPGRADE, CONNECTION, KEY, VERSION,
                              "Origin", "https://good.example",
                              "Origin", "https://good.example" } }
    };
    static const at_str_t  origin = { 20, "https://good.example" };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        test_headers(&h, rows[i].headers);
        memset(&refusal, 0, sizeof(at_ws_refusal_t));

        rc = at_ws_handshake_check(&h, at_test_str(rows[i].method),
                                   rows[i].http, AT_STR("host.example"),
                                   &origin, 1, &refusal);

        if (rows[i].status == 101) {
            at_test_true(rc == AT_OK, "row %zu: %s", i, refusal.detail);
            assert_true(at_str_is(h.key, TEST_KEY));
            continue;
        }

        at_test_true(rc == AT_ERROR && refusal.status == rows[i].status
                     && strstr(refusal.detail, rows[i].detail) != NULL,
                     "row %zu: %u %s", i, refusal.status, refusal.detail);
    }
}


static void
test_accept(void **state)
{
    char  out[AT_WS_ACCEPT + 1];

    (void) state;

    out[AT_WS_ACCEPT] = '!';

    assert_int_equal(at_ws_accept(AT_STR(TEST_KEY), out), AT_OK);
    assert_memory_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=!",
                        AT_WS_ACCEPT + 1);

    assert_int_equal(at_ws_accept(AT_STR("x3JJHMbDL1EzLkh9GBhXDw=="), out),
                     AT_OK);
    assert_memory_equal(out, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=!",
                        AT_WS_ACCEPT + 1);

    assert_int_equal(at_ws_accept(AT_STR("short"), out), AT_ERROR);
}


#define ANSWER  "permessage-deflate; server_no_context_takeover; "            \
                "client_no_context_takeover"


static void
test_offers(void **state)
{
    char                 out[AT_WS_EXTENSION_MAX];
    size_t               i, n;
    at_ws_handshake_t    h;
    static const struct {
        const char  *offer;
        const char  *answer;    /* NULL: malformed */
        unsigned     window;
    } rows[] = {
        { "", "", 0 },
        { " , ,", "", 0 },
        { "permessage-deflate", ANSWER, 15 },
        { "permessage-deflate; client_max_window_bits", ANSWER, 15 },
        { "permessage-deflate;client_max_window_bits=8", ANSWER, 15 },
        { "permessage-deflate ; client_no_context_takeover ;"
          "server_no_context_takeover", ANSWER, 15 },
        { "permessage-deflate; server_max_window_bits=10",
          ANSWER "; server_max_window_bits=10", 10 },
        { "permessage-deflate; server_max_window_bits=\"8\"",
          ANSWER "; server_max_window_bits=8", 8 },
        { "permessage-deflate; server_max_window_bits = \"1\\5\"",
          ANSWER "; server_max_window_bits=15", 15 },
        { "x-unknown; a=1", "", 0 },
        { "x-unknown; a=\"b\", permessage-deflate", ANSWER, 15 },
        { "permessage-deflate; server_max_window_bits=9, permessage-deflate",
          ANSWER "; server_max_window_bits=9", 9 },
        { "permessage-deflate; nonsense, permessage-deflate", ANSWER, 15 },
        { "permessage-deflate; server_max_window_bits=99,"
          "permessage-deflate; server_max_window_bits=12",
          ANSWER "; server_max_window_bits=12", 12 },
        { "PERMESSAGE-DEFLATE", "", 0 },
        { "permessage-deflate; nonsense=1", "", 0 },
        { "permessage-deflate; server_max_window_bits", "", 0 },
        { "permessage-deflate; server_max_window_bits=7", "", 0 },
        { "permessage-deflate; server_max_window_bits=16", "", 0 },
        { "permessage-deflate; server_max_window_bits=010", "", 0 },
        { "permessage-deflate; server_max_window_bits=08", "", 0 },
        { "permessage-deflate; server_max_window_bits=1", "", 0 },
        { "permessage-deflate; server_max_window_bits=1x", "", 0 },
        { "permessage-deflate; server_max_window_bits=123456789012345678901"
          "2345678901234567890", "", 0 },
        { "permessage-deflate; client_max_window_bits=7", "", 0 },
        { "permessage-deflate; client_max_window_bits=16", "", 0 },
        { "permessage-deflate; client_max_window_bits=-8", "", 0 },
        { "permessage-deflate; server_no_context_takeover=1", "", 0 },
        { "permessage-deflate; client_no_context_takeover=true", "", 0 },
        { "permessage-deflate; server_max_window_bits=10;"
          "server_max_window_bits=10", "", 0 },
        { "permessage-deflate; client_no_context_takeover;"
          "client_no_context_takeover", "", 0 },
        { "permessage-deflate;", NULL, 0 },
        { ";", NULL, 0 },
        { "=", NULL, 0 },
        { "a b", NULL, 0 },
        { "permessage-deflate; a=", NULL, 0 },
        { "permessage-deflate; a=\"", NULL, 0 },
        { "permessage-deflate; a=\"\"", NULL, 0 },
        { "permessage-deflate; a=\"b", NULL, 0 },
        { "permessage-deflate; a=\"b\\", NULL, 0 },
        { "permessage-deflate; a=\"b c\"", NULL, 0 },
        { "permessage-deflate; a=b=c", NULL, 0 },
        { "permessage-deflate, a@b", NULL, 0 },
        { "permessage-deflate; \x01", NULL, 0 },
        { "permessage-deflate; \xC3\xA9", NULL, 0 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_str_t  value = at_test_exact(at_test_str(rows[i].offer));

        memset(&h, 0, sizeof(at_ws_handshake_t));
        at_ws_handshake_header(&h, AT_STR("sec-websocket-extensions"), value);
        free((char *) (uintptr_t) value.data);

        at_test_true(h.malformed == (rows[i].answer == NULL), "%s: %u",
                     rows[i].offer, (unsigned) h.malformed);

        if (rows[i].answer == NULL) {
            continue;
        }

        n = at_ws_extension(&h, out);
        at_test_true(strcmp(out, rows[i].answer) == 0, "%s: %s",
                     rows[i].offer, out);
        assert_int_equal(n, strlen(out));
        assert_int_equal(h.deflate, n > 0);
        assert_int_equal(h.window, rows[i].window);
    }

    /* over two fields the first that can be kept counts */

    memset(&h, 0, sizeof(at_ws_handshake_t));
    at_ws_handshake_header(&h, AT_STR("Sec-WebSocket-Extensions"),
                           AT_STR("permessage-deflate; odd"));
    at_ws_handshake_header(&h, AT_STR("Sec-WebSocket-Extensions"),
                           AT_STR("permessage-deflate"));
    (void) at_ws_extension(&h, out);
    assert_string_equal(out, ANSWER);
}


static void
test_origins(void **state)
{
    size_t               i;
    at_str_t             pattern;
    static const struct {
        const char  *pattern;
        const char  *origin;
        int          allowed;
    } rows[] = {
        { "*", "https://any.example", 1 },
        { "*", "rubbish", 1 },
        { "null", "null", 1 },
        { "null", "https://null", 0 },
        { "https://a.example", "null", 0 },
        { "https://a.example", "https://a.example", 1 },
        { "https://a.example", "HTTPS://A.EXAMPLE", 1 },
        { "https://a.example", "https://a.example:443", 1 },
        { "https://a.example:443", "https://a.example", 1 },
        { "http://a.example:80", "http://a.example", 1 },
        { "https://a.example", "https://a.example:8443", 0 },
        { "https://a.example:8443", "https://a.example:8443", 1 },
        { "https://a.example", "http://a.example", 0 },
        { "https://a.example", "http://a.example:443", 0 },
        { "https://a.example", "https://b.example", 0 },
        { "https://a.example", "https://a.example.evil.test", 0 },
        { "https://a.example", "https://xa.example", 0 },
        { "https://a.example", "https://a.example/", 0 },
        { "https://a.example", "https://a.example@evil.test", 0 },
        { "https://a.example", "https://a.example https://b.example", 0 },
        { "https://a.example", "https://a.example:", 0 },
        { "https://a.example", "https://a.example:0", 0 },
        { "https://a.example", "https://a.example:65979", 0 },
        { "https://a.example", "", 0 },
        { "https://a.example", "https://", 0 },
        { "https://a.example", "://a.example", 0 },
        { "https://*.a.example", "https://x.a.example", 1 },
        { "https://*.a.example", "https://x.y.A.example", 1 },
        { "https://*.a.example", "https://a.example", 0 },
        { "https://*.a.example", "https://.a.example", 0 },
        { "https://*.a.example", "https://xa.example", 0 },
        { "https://*.a.example", "https://xxxa.example", 0 },
        { "https://*.a.example", "https://x.a.example.evil.test", 0 },
        { "https://*.a.example", "https://*.a.example", 0 },
        { "https://*.a.example", "http://x.a.example", 0 },
        { "https://*.a.example:8443", "https://x.a.example:8443", 1 },
        { "https://*.a.example:8443", "https://x.a.example", 0 },
        { "https://[2001:db8::1]:8443", "https://[2001:DB8::1]:8443", 1 },
        { "https://[2001:db8::1]", "https://[2001:db8::2]", 0 },
        { "https://[2001:db8::1]", "https://[2001:db8::1", 0 },
        { "app://localhost", "app://localhost", 1 },
        { "self", "https://host.example:8443", 1 },
        { "self", "http://HOST.example:8443", 1 },
        { "self", "https://host.example", 0 },
        { "self", "https://other.example:8443", 0 },
        { "self", "null", 0 },
        { "self", "", 0 }
    };
    static const char *const  good[] = {
        "*", "self", "null", "https://a.example", "https://*.a.example:1",
        "http://[::1]:80", "app://localhost"
    };
    static const char *const  bad[] = {
        "", "a.example", "https://", "https:/a.example", "https://a.example/",
        "https://a.example:", "https://a.example:x", "https://a.example:65536",
        "https://a.*.example", "https://*", "https://a b", "https://[::1",
        "https://[::x y]", "https://a.example:443443", "//a.example"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        pattern = at_test_str(rows[i].pattern);

        at_test_true(at_ws_origin_allowed(&pattern, 1,
                                          AT_STR("host.example:8443"),
                                          at_test_str(rows[i].origin))
                     == rows[i].allowed, "%s, %s", rows[i].pattern,
                     rows[i].origin);
    }

    /* a bare Host means the port of the page's scheme */

    pattern = AT_STR("self");

    assert_true(at_ws_origin_allowed(&pattern, 1, AT_STR("a.example"),
                                     AT_STR("https://a.example")));
    assert_true(at_ws_origin_allowed(&pattern, 1, AT_STR("a.example:443"),
                                     AT_STR("https://a.example")));
    assert_true(at_ws_origin_allowed(&pattern, 1, AT_STR("a.example"),
                                     AT_STR("http://a.example")));
    assert_false(at_ws_origin_allowed(&pattern, 1, AT_STR("a.example:443"),
                                      AT_STR("http://a.example")));
    assert_false(at_ws_origin_allowed(&pattern, 1, AT_STR(""),
                                      AT_STR("http://a.example")));
    assert_false(at_ws_origin_allowed(&pattern, 0, AT_STR("a.example"),
                                      AT_STR("http://a.example")));

    for (i = 0; i < AT_TEST_N(good); i++) {
        at_test_true(at_ws_origin_valid(at_test_str(good[i])), "%s", good[i]);
    }

    for (i = 0; i < AT_TEST_N(bad); i++) {
        at_test_true(!at_ws_origin_valid(at_test_str(bad[i])), "%s", bad[i]);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_offers),
        cmocka_unit_test(test_origins)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
