/*
 * Fetches against a server in this process: bounds in bytes, inflated bytes,
 * headers and time, and that a connection which is used again is judged again.
 * Where URLs must not lead at all is tested with a whole worker, in t/e2e/.
 */

#include "at_test.h"
#include "at_fetch.h"
#include "at_time.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <zlib.h>


#define BOMB  (8 * 1024 * 1024)


typedef struct {
    struct MHD_Daemon  *daemon;
    unsigned            port;
    uint8_t            *bomb;
    size_t              bomb_len;
    int                 asked;
    int                 connections;
} server_t;


static server_t  server;


static void
connected(void *data, struct MHD_Connection *c, void **state,
    enum MHD_ConnectionNotificationCode code)
{
    (void) data;
    (void) c;
    (void) state;

    server.connections += (code == MHD_CONNECTION_NOTIFY_STARTED);
}


static enum MHD_Result
answer(void *data, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *body,
    size_t *body_len, void **state)
{
    int                   i;
    char                  name[32];
    size_t                len;
    void                 *bytes;
    enum MHD_Result       rc;
    struct MHD_Response  *r;

    (void) data;
    (void) method;
    (void) version;
    (void) body;
    (void) body_len;

    if (*state == NULL) {
        *state = &server;
        return MHD_YES;
    }

    server.asked++;
    bytes = "hello";
    len = 5;

    if (strcmp(url, "/bomb") == 0) {
        bytes = server.bomb;
        len = server.bomb_len;
    }

    r = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_PERSISTENT);

    if (strcmp(url, "/bomb") == 0) {
        (void) MHD_add_response_header(r, "Content-Encoding", "gzip");
    }

    for (i = 0; strcmp(url, "/headers") == 0 && i < 200; i++) {
        snprintf(name, sizeof(name), "X-%d", i);
        (void) MHD_add_response_header(r, name, "x");
    }


    rc = MHD_queue_response(c, strcmp(url, "/503") == 0 ? 503 : 200, r);
    MHD_destroy_response(r);

    return rc;
}


static int
begin(void **state)
{
    int                          rc;
    z_stream                     z;
    uint8_t                     *zeros;
    const union MHD_DaemonInfo  *info;

    (void) state;

    zeros = calloc(1, BOMB);
    server.bomb = malloc(BOMB);
    memset(&z, 0, sizeof(z));

    if (zeros == NULL || server.bomb == NULL
        || deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
           != Z_OK)
    {
        free(zeros);
        return -1;
    }

    z.next_in = zeros;
    z.avail_in = BOMB;
    z.next_out = server.bomb;
    z.avail_out = BOMB;

    rc = deflate(&z, Z_FINISH);
    server.bomb_len = z.total_out;
    (void) deflateEnd(&z);
    free(zeros);

    if (rc != Z_STREAM_END) {
        return -1;
    }

    server.daemon = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0, NULL,
                                     NULL, answer, NULL,
                                     MHD_OPTION_NOTIFY_CONNECTION, connected,
                                     NULL, MHD_OPTION_END);
    if (server.daemon == NULL) {
        return -1;
    }

    info = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT);
    server.port = info->port;

    return at_fetch_init();
}


static int
end(void **state)
{
    (void) state;

    MHD_stop_daemon(server.daemon);
    free(server.bomb);

    return 0;
}


static at_address_rule_t    loopback;
static at_address_list_t    allow;
static at_fetch_settings_t  settings;


static int
reset(void **state)
{
    (void) state;

    assert_int_equal(at_address_parse("127.0.0.1", &loopback), AT_OK);
    allow = (at_address_list_t) { &loopback, 1 };
    settings = (at_fetch_settings_t) {
        .user_agent = "test", .allow = &allow, .timeout = 20000,
        .connect = 20000, .wire = 1 << 20, .bytes = 16 << 20, .ratio = 100,
        .redirects = 5, .parallel = 4, .per_host = 4, .compressed = 1
    };
    server.asked = 0;
    server.connections = 0;

    return 0;
}


static at_fetch_outcome_e
get(at_fetch_t *f, const char *path, at_fetch_call_t *call)
{
    char  url[128];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server.port, path);
    memset(call, 0, sizeof(at_fetch_call_t));
    call->url = at_test_str(url);

    at_fetch_run(f, call, 1, NULL);

    return call->outcome;
}


static void
test_plain(void **state)
{
    at_fetch_t       *f;
    at_fetch_call_t   call;

    (void) state;

    f = at_fetch_create(&settings);
    assert_int_equal(get(f, "/", &call), AT_FETCH_OK);
    assert_int_equal(call.status, 200);
    assert_true(at_str_is(at_buf_str(&call.body), "hello"));
    at_fetch_clear(&call);

    assert_int_equal(get(f, "/503", &call), AT_FETCH_STATUS);
    assert_int_equal(call.status, 503);
    at_fetch_clear(&call);
    at_fetch_free(f);
}


static void
went(at_fetch_call_t *call)
{
    *(int64_t *) call->data = call->wrote;
}


/* When a request is with the kernel is known before there is an answer. */

static void
test_wrote(void **state)
{
    char              url[64];
    int64_t           before, wrote;
    at_fetch_t       *f;
    at_fetch_head_t   head;
    at_fetch_call_t   call;

    (void) state;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", server.port);
    call = (at_fetch_call_t) { .url = at_test_str(url), .after = went,
                               .data = &wrote, .head = &head };
    wrote = 0;
    before = at_time_micro();

    f = at_fetch_create(&settings);
    at_fetch_run(f, &call, 1, NULL);

    assert_int_equal(call.outcome, AT_FETCH_OK);
    assert_true(wrote >= before + head.connected);
    assert_true(wrote <= at_time_micro());

    at_fetch_clear(&call);
    at_fetch_free(f);
}


static void
test_bounds(void **state)
{
    at_fetch_t       *f;
    at_fetch_call_t   call;

    (void) state;

    /* 8 MB that came as 8 kB: the ratio, long before the size */

    f = at_fetch_create(&settings);
    assert_int_equal(get(f, "/bomb", &call), AT_FETCH_LARGE);
    assert_non_null(strstr(call.why, "100 times"));
    assert_true(call.body.len < 2 << 20);
    at_fetch_clear(&call);

    settings.ratio = 100000;
    assert_int_equal(get(f, "/bomb", &call), AT_FETCH_OK);
    assert_int_equal(call.body.len, BOMB);
    at_fetch_clear(&call);

    settings.bytes = BOMB - 1;
    assert_int_equal(get(f, "/bomb", &call), AT_FETCH_LARGE);
    at_fetch_clear(&call);

    settings.wire = 4;
    assert_int_equal(get(f, "/", &call), AT_FETCH_LARGE);
    at_fetch_clear(&call);

    settings.wire = 1 << 20;
    assert_int_equal(get(f, "/headers", &call), AT_FETCH_LARGE);
    assert_non_null(strstr(call.why, "headers"));
    at_fetch_clear(&call);
    at_fetch_free(f);
}


static void
test_used_again(void **state)
{
    at_fetch_t       *f;
    at_fetch_call_t   call;

    (void) state;

    f = at_fetch_create(&settings);
    assert_int_equal(get(f, "/", &call), AT_FETCH_OK);
    at_fetch_clear(&call);
    assert_int_equal(get(f, "/", &call), AT_FETCH_OK);
    at_fetch_clear(&call);
    assert_int_equal(server.connections, 1);

    /* the connection is still there, but it is not allowed any more */

    allow.n = 0;
    assert_int_equal(get(f, "/", &call), AT_FETCH_REFUSED);
    at_fetch_clear(&call);
    assert_int_equal(server.asked, 2);
    at_fetch_free(f);
}


static void
test_stopped(void **state)
{
    size_t            i;
    at_stop_t         stop;
    at_fetch_t       *f;
    at_fetch_call_t   calls[3];

    (void) state;

    memset(calls, 0, sizeof(calls));
    assert_int_equal(at_stop_init(&stop), AT_OK);
    at_stop_raise(&stop);

    for (i = 0; i < 3; i++) {
        calls[i].url = AT_STR("http://127.0.0.1:1/");
    }

    f = at_fetch_create(&settings);
    at_fetch_run(f, calls, 3, &stop);

    for (i = 0; i < 3; i++) {
        assert_int_equal(calls[i].outcome, AT_FETCH_STOPPED);
        at_fetch_clear(&calls[i]);
    }

    at_fetch_free(f);
    at_stop_free(&stop);
}


static void
test_request_ids(void **state)
{
    char  text[130];

    (void) state;

    assert_true(at_fetch_request_id(AT_STR("aZ09._-")));
    assert_false(at_fetch_request_id(AT_STR("")));
    assert_false(at_fetch_request_id(AT_STR("a\r\nX: y")));
    assert_false(at_fetch_request_id(AT_STR("a b")));
    assert_false(at_fetch_request_id(AT_STR("a\0")));
    memset(text, 'a', sizeof(text));
    assert_true(at_fetch_request_id((at_str_t) { 128, text }));
    assert_false(at_fetch_request_id((at_str_t) { 129, text }));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_plain, reset),
        cmocka_unit_test_setup(test_wrote, reset),
        cmocka_unit_test_setup(test_bounds, reset),
        cmocka_unit_test_setup(test_used_again, reset),
        cmocka_unit_test_setup(test_stopped, reset),
        cmocka_unit_test(test_request_ids)
    };

    return cmocka_run_group_tests(tests, begin, end);
}
