/*
 * Answers in formats "stability" (v2beta) and "stability-v1": bytes with
 * their verdict in headers, JSON with it in members, and refusals that are a
 * 200.
 */

#include "test_ai.h"


typedef struct {
    const char  *finish;        /* headers; NULL: absent */
    const char  *seed;
} verdict_t;


static test_result_t
bytes(const char *format, const char *type, verdict_t v, uint32_t sent)
{
    size_t            n;
    at_buf_t          png;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    p = test_provider(format, "");
    g = test_request("sofa");
    g.has_seed = (sent != UINT32_MAX);
    g.seed = sent;
    png = test_png(100, 80, 2000);

    memset(&a, 0, sizeof(test_answer_t));
    a.status = 200;
    a.body = png.data;
    a.len = png.len;
    n = 0;

    if (type) {
        a.headers[n++] = "Content-Type";
        a.headers[n++] = type;
    }

    if (v.finish) {
        a.headers[n++] = "FINISH-reason";
        a.headers[n++] = v.finish;
    }

    if (v.seed) {
        a.headers[n++] = "seed";
        a.headers[n++] = v.seed;
    }

    r = test_run(&p, &g, &a, 1);
    at_buf_free(&png);

    return r;
}


static void
test_bytes(void **state)
{
    size_t         i, k;
    test_result_t  r;

    static const char  *const formats[] = { "stability", "stability-v1" };

    static const struct {
        const char  *type;
        verdict_t    v;
        uint32_t     sent;          /* UINT32_MAX: none */
        int          has_seed;
        uint32_t     seed;
    } t[] = {
        { "image/png", { "SUCCESS", "1234" }, UINT32_MAX, 1, 1234 },
        { "image/png", { "SUCCESS", "4294967294" }, 5, 1, 4294967294u },
        { "image/png", { "success", NULL }, 5, 1, 5 },
        { NULL, { NULL, NULL }, UINT32_MAX, 0, 0 },
        { "application/octet-stream", { NULL, "0" }, 5, 1, 0 },

        /* 0 is "any" there: without a report nobody knows the seed. */
        { "image/png", { "SUCCESS", NULL }, 0, 0, 0 },

        /* No number of 32 bits. */
        { "image/png", { "SUCCESS", "-1" }, UINT32_MAX, 0, 0 },
        { "image/png", { "SUCCESS", "" }, UINT32_MAX, 0, 0 },
        { "image/png", { "SUCCESS", "4294967296" }, UINT32_MAX, 0, 0 },
        { "image/png", { "SUCCESS", "99999999999" }, 6, 1, 6 },
        { "image/png", { "SUCCESS", "1x" }, 6, 1, 6 },
    };

    (void) state;

    for (k = 0; k < 2; k++) {
        for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
            r = bytes(formats[k], t[i].type, t[i].v, t[i].sent);
            test_done(r, 100, 80);
            assert_int_equal(r.has_seed, t[i].has_seed);
            assert_int_equal(r.seed, t[i].seed);
        }
    }
}


static void
test_bytes_filtered(void **state)
{
    size_t         k;
    test_result_t  r;

    static const char  *const formats[] = { "stability", "stability-v1" };

    (void) state;

    for (k = 0; k < 2; k++) {
        r = bytes(formats[k], "image/png",
                  (verdict_t) { "CONTENT_FILTERED", "1" }, 5);
        test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");
        assert_int_equal(r.stopped, 1);

        r = bytes(formats[k], "image/png", (verdict_t) { "ERROR", "1" }, 5);
        test_failed(r, AT_AI_TRANSIENT, "finish reason ERROR");
    }
}


/* The header alone is the verdict, also when no byte follows. */

static void
test_filtered_empty(void **state)
{
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    (void) state;

    p = test_provider("stability", "");
    g = test_request("sofa");
    memset(&a, 0, sizeof(test_answer_t));
    a.status = 200;
    a.headers[0] = "finish-reason";
    a.headers[1] = "CONTENT_FILTERED";
    r = test_run(&p, &g, &a, 1);
    test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");

    /* On an error answer it is the body that counts. */

    a.status = 500;
    r = test_run(&p, &g, &a, 1);
    test_failed(r, AT_AI_TRANSIENT, "status 500");
}


/* Who only keeps the picture cannot refuse it, nor name its seed. */

static void
test_result_headers(void **state)
{
    size_t            k;
    at_buf_t          png;
    at_str_t          host;
    at_generate_t     g;
    test_answer_t     a[2];
    test_result_t     r;
    at_ai_provider_t  p;

    static const char  *const bodies[] = {
        "{\"image\":\"http://h.example/a\",\"seed\":7}",
        "{\"artifacts\":[{\"base64\":\"http://h.example/a\",\"seed\":7}]}",
        "{\"image\":\"http://h.example/a\"}",
        "{\"artifacts\":[{\"base64\":\"http://h.example/a\"}]}"
    };

    (void) state;

    png = test_png(100, 80, 2000);
    host = AT_STR("http://h.example");
    g = test_request("sofa");

    for (k = 0; k < 4; k++) {
        p = test_provider(k % 2 ? "stability-v1" : "stability", "");
        p.result_hosts = &host;
        p.nresult_hosts = 1;

        memset(a, 0, sizeof(a));
        a[0].status = 200;
        a[0].body = bodies[k];
        a[0].len = strlen(bodies[k]);
        a[1].status = 200;
        a[1].headers[0] = "finish-reason";
        a[1].headers[1] = "CONTENT_FILTERED";
        a[1].headers[2] = "seed";
        a[1].headers[3] = "9";
        a[1].body = png.data;
        a[1].len = png.len;

        r = test_run(&p, &g, a, 2);
        test_done(r, 100, 80);
        assert_int_equal(r.has_seed, k < 2);
        assert_int_equal(r.seed, k < 2 ? 7 : 0);
    }

    at_buf_free(&png);
}


static test_result_t
json(const char *format, const char *before, const char *after)
{
    at_buf_t       png, body;
    test_result_t  r;

    png = test_png(100, 80, 2000);
    body = test_wrap(before, png.data, png.len, after);
    r = test_one(format, 200, "application/json; type=image/png", body.data,
                 body.len);
    at_buf_free(&body);
    at_buf_free(&png);

    return r;
}


static void
test_v2_json(void **state)
{
    test_result_t  r;

    (void) state;

    r = json("stability", "{\"image\":\"",
             "\",\"finish_reason\":\"SUCCESS\",\"seed\":343940597}");
    test_done(r, 100, 80);
    assert_int_equal(r.has_seed, 1);
    assert_int_equal(r.seed, 343940597);

    r = json("stability", "{\"seed\":\"17\",\"finish_reason\":null,"
             "\"image\":\"data:image/png;base64,", "\"}");
    test_done(r, 100, 80);
    assert_int_equal(r.seed, 17);

    r = json("stability", "{\"image\":\"",
             "\",\"finish_reason\":\"CONTENT_FILTERED\",\"seed\":1}");
    test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");

    r = json("stability", "{\"finish_reason\":\"CONTENT_FILTERED\","
             "\"image\":\"", "\"}");
    test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");

    r = test_json("stability", 200,
                  "{\"finish_reason\":\"CONTENT_FILTERED\"}");
    test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");

    r = test_json("stability", 200, "{\"image\":null,\"seed\":1}");
    test_failed(r, AT_AI_TRANSIENT, "no picture in the answer");

    r = test_json("stability", 200, "{\"id\":\"a\",\"name\":\"oops\","
                  "\"errors\":[\"something\"]}");
    test_failed(r, AT_AI_TRANSIENT, "with an error (oops): something");

    /* An upscale job: accepted, no picture. */

    r = test_json("stability", 202, "{\"id\":\"abc\"}");
    test_failed(r, AT_AI_TRANSIENT, "no picture in the answer");
}


static void
test_v1_json(void **state)
{
    test_result_t  r;

    (void) state;

    r = json("stability-v1", "{\"artifacts\":[{\"base64\":\"",
             "\",\"finishReason\":\"SUCCESS\",\"seed\":1050625087}]}");
    test_done(r, 100, 80);
    assert_int_equal(r.seed, 1050625087);

    r = json("stability-v1", "[{\"base64\":\"",
             "\",\"finishReason\":\"SUCCESS\",\"seed\":9}]");
    test_done(r, 100, 80);
    assert_int_equal(r.seed, 9);

    r = json("stability-v1", "{\"result\":\"success\",\"artifacts\":["
             "{\"seed\":4,\"finishReason\":\"SUCCESS\",\"base64\":\"",
             "\"},{\"seed\":5,\"base64\":\"!\"}]}");
    test_done(r, 100, 80);
    assert_int_equal(r.seed, 4);

    r = json("stability-v1", "{\"artifacts\":[{\"base64\":\"",
             "\",\"finishReason\":\"CONTENT_FILTERED\",\"seed\":1}]}");
    test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");

    r = json("stability-v1", "[{\"finishReason\":\"CONTENT_FILTERED\","
             "\"base64\":\"", "\"}]");
    test_failed(r, AT_AI_MODERATED, "CONTENT_FILTERED");

    r = json("stability-v1", "[{\"finishReason\":\"ERROR\",\"base64\":\"",
             "\"}]");
    test_failed(r, AT_AI_TRANSIENT, "finish reason ERROR");

    r = test_json("stability-v1", 200, "{\"artifacts\":[]}");
    test_failed(r, AT_AI_TRANSIENT, "no picture in the answer");

    r = test_json("stability-v1", 200, "[]");
    test_failed(r, AT_AI_TRANSIENT, "no picture in the answer");
}


static void
test_errors(void **state)
{
    size_t         i;
    test_result_t  r;

    static const struct {
        const char     *format;
        unsigned        status;
        const char     *body;
        at_ai_class_e   class;
        const char     *reason;
    } t[] = {
        { "stability", 400, "{\"id\":\"ed14\",\"name\":\"bad_request\","
          "\"errors\":[\"prompt: is required\",\"seed: too large\"]}",
          AT_AI_INVALID, "status 400 (bad_request): prompt: is required" },
        { "stability", 401, "{\"id\":\"9\",\"name\":\"unauthorized\","
          "\"errors\":[\"missing authorization header\"]}",
          AT_AI_CREDENTIAL, "status 401 (unauthorized): missing auth" },
        { "stability", 402, "{\"name\":\"payment_required\",\"errors\":"
          "[\"You lack sufficient credits\"]}",
          AT_AI_CREDENTIAL, "status 402 (payment_required" },
        { "stability", 403, "{\"id\":\"ed14db44362126aab3cbd25cca51ffe3\","
          "\"name\":\"content_moderation\",\"errors\":[\"Your request was "
          "flagged by our content moderation system, as a result your "
          "request was denied and you were not charged.\"]}",
          AT_AI_MODERATED, "status 403 (content_moderation): Your request" },
        { "stability", 403, "{\"name\":\"permission_denied\",\"errors\":"
          "[\"You lack the necessary permissions\"]}",
          AT_AI_CREDENTIAL, "status 403 (permission_denied" },
        { "stability", 413, "{\"name\":\"payload_too_large\",\"errors\":"
          "[\"body: payloads cannot be larger than 10MiB\"]}",
          AT_AI_INVALID, "status 413 (payload_too_large" },
        { "stability", 422, "{\"name\":\"invalid_language\",\"errors\":"
          "[\"English is the only supported language\"]}",
          AT_AI_INVALID, "status 422 (invalid_language" },
        { "stability", 429, "{\"name\":\"rate_limit_exceeded\",\"errors\":"
          "[\"You have exceeded the rate limit of 150 requests\"]}",
          AT_AI_RATE_LIMITED, "status 429 (rate_limit_exceeded" },
        { "stability", 500, "{\"name\":\"internal_error\",\"errors\":"
          "[\"An unexpected server error\"]}",
          AT_AI_TRANSIENT, "status 500 (internal_error" },
        { "stability-v1", 400, "{\"id\":\"a\",\"name\":\"invalid_prompts\","
          "\"message\":\"Invalid prompts detected\"}",
          AT_AI_MODERATED, "status 400 (invalid_prompts): Invalid prompts" },
        { "stability-v1", 400, "{\"id\":\"a\",\"name\":\"bad_request\","
          "\"message\":\"init_image: is too large\"}",
          AT_AI_INVALID, "status 400 (bad_request): init_image" },
        { "stability-v1", 401, "{\"id\":\"a\",\"name\":\"unauthorized\","
          "\"message\":\"missing authorization header\"}",
          AT_AI_CREDENTIAL, "status 401 (unauthorized)" },
        { "stability-v1", 403, "{\"name\":\"permission_denied\","
          "\"message\":\"You do not have permission\"}",
          AT_AI_CREDENTIAL, "status 403 (permission_denied" },
        { "stability-v1", 404, "{\"name\":\"not_found\","
          "\"message\":\"The specified engine was not found.\"}",
          AT_AI_INVALID, "status 404 (not_found): The specified engine" },
        { "stability-v1", 500, "{\"name\":\"server_error\","
          "\"message\":\"unexpected\"}",
          AT_AI_TRANSIENT, "status 500 (server_error" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        r = test_json(t[i].format, t[i].status, t[i].body);
        test_failed(r, t[i].class, t[i].reason);
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_bytes_filtered),
        cmocka_unit_test(test_filtered_empty),
        cmocka_unit_test(test_result_headers),
        cmocka_unit_test(test_v2_json),
        cmocka_unit_test(test_v1_json),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
