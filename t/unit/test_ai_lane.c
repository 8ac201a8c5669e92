/*
 * The frame around the formats: the table, names, bounds, broken
 * connections, encoded bodies, no memory, and the number of calls.
 */

#include "test_ai.h"
#include "at_test_memory.h"


static void
test_formats(void **state)
{
    char                   names[128], *name, *save;
    size_t                 n;
    const at_ai_format_t  *f;

    (void) state;

    /* Every name listed is a format, and its own. */

    (void) snprintf(names, sizeof(names), "%s", at_ai_format_names());
    n = 0;

    for (name = strtok_r(names, ", ", &save); name;
         name = strtok_r(NULL, ", ", &save))
    {
        f = at_ai_format_find(test_str(name));
        assert_non_null(f);
        assert_string_equal(f->name, name);
        n++;
    }

    assert_int_equal(n, 5);

    assert_null(at_ai_format_find(AT_STR("")));
    assert_null(at_ai_format_find(AT_STR("openai2")));
    assert_null(at_ai_format_find(AT_STR("open")));
}


static void
test_class_names(void **state)
{
    (void) state;

    assert_string_equal(at_ai_class_name(AT_AI_CLASS_NONE), "none");
    assert_string_equal(at_ai_class_name(AT_AI_RATE_LIMITED),
                        "rate_limited");
    assert_string_equal(at_ai_class_name(AT_AI_MODERATED), "moderated");
    assert_string_equal(at_ai_class_name(AT_AI_INVALID), "invalid");
    assert_string_equal(at_ai_class_name(AT_AI_CREDENTIAL), "credential");
    assert_string_equal(at_ai_class_name(AT_AI_TRANSIENT), "transient");
    assert_string_equal(at_ai_class_name(AT_AI_DEADLINE), "deadline");
    assert_string_equal(at_ai_class_name(AT_AI_CANCELLED), "cancelled");

    assert_int_equal(at_ai_class_passing(AT_AI_RATE_LIMITED), 1);
    assert_int_equal(at_ai_class_passing(AT_AI_TRANSIENT), 1);
    assert_int_equal(at_ai_class_passing(AT_AI_DEADLINE), 1);
    assert_int_equal(at_ai_class_passing(AT_AI_MODERATED), 0);
    assert_int_equal(at_ai_class_passing(AT_AI_INVALID), 0);
    assert_int_equal(at_ai_class_passing(AT_AI_CREDENTIAL), 0);
    assert_int_equal(at_ai_class_passing(AT_AI_CANCELLED), 0);
    assert_int_equal(at_ai_class_passing(AT_AI_CLASS_NONE), 0);
}


/* Every prefix of an answer, with and without its connection broken. */

static void
test_every_cut(void **state)
{
    size_t            i;
    at_buf_t          png, body;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    (void) state;

    png = test_png(32, 32, 40);
    body = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len,
                     "\"}]}");
    p = test_provider("openai", "");
    g = test_request("sofa");

    for (i = 0; i <= body.len; i++) {
        memset(&a, 0, sizeof(test_answer_t));
        a.status = 200;
        a.body = body.data;
        a.len = i;

        r = test_run(&p, &g, &a, 1);

        if (i == body.len) {
            test_done(r, 32, 32);

        } else {
            test_failed(r, AT_AI_TRANSIENT, "");
        }

        a.broken = 1;
        r = test_run(&p, &g, &a, 1);
        test_failed(r, AT_AI_TRANSIENT, "the connection broke after");
    }

    at_buf_free(&body);

    p = test_provider("stability", "");

    for (i = 0; i < png.len; i++) {
        a.broken = 0;
        a.body = png.data;
        a.len = i;
        r = test_run(&p, &g, &a, 1);
        test_failed(r, AT_AI_TRANSIENT, "");
    }

    at_buf_free(&png);
}


/* A connection that breaks takes no verdict back that had been read. */

static void
test_broken(void **state)
{
    size_t            i;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    static const struct {
        const char     *format;
        unsigned        status;
        const char     *header, *value, *body;
        at_ai_class_e   class;
        const char     *reason;
        int64_t         ms;
    } t[] = {
        { "openai", 401, "x", "y", "{", AT_AI_CREDENTIAL, "status 401", -1 },
        { "openai", 429, "Retry-After", "7", "{\"error\":{\"mess",
          AT_AI_RATE_LIMITED, "status 429", 7000 },
        { "openai", 503, "Retry-After", "7", "", AT_AI_TRANSIENT,
          "status 503", 7000 },
        { "stability", 403, "x", "y", "{\"name\":\"content_moderation\",",
          AT_AI_MODERATED, "status 403 (content_moderation)", -1 },
        { "stability", 404, "x", "y", "", AT_AI_INVALID, "status 404", -1 },
        { "openai", 302, "x", "y", "", AT_AI_TRANSIENT, "redirects", -1 },

        { "stability", 200, "Finish-Reason", "CONTENT_FILTERED", "",
          AT_AI_MODERATED, "CONTENT_FILTERED", -1 },
        { "stability", 200, "Finish-Reason", "SUCCESS", "\x89PNG",
          AT_AI_TRANSIENT, "broke after 4 bytes of the answer", -1 },
        { "openai", 200, "x", "y", "{\"respect_moderation\":false,",
          AT_AI_MODERATED, "respect_moderation", -1 },
        { "openai", 200, "x", "y", "{\"error\":{\"code\":\"x\"}}",
          AT_AI_TRANSIENT, "broke after 22 bytes of the answer", -1 },

        { "openai", 0, "x", "y", "", AT_AI_TRANSIENT, "broke after 0", -1 },
        { "openai", 100, "x", "y", "", AT_AI_TRANSIENT, "broke after 0", -1 },
        { "openai", 600, "x", "y", "", AT_AI_TRANSIENT, "broke after 0", -1 },
    };

    (void) state;

    g = test_request("sofa");

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        p = test_provider(t[i].format, "");
        memset(&a, 0, sizeof(test_answer_t));
        a.status = t[i].status;
        a.headers[0] = t[i].header;
        a.headers[1] = t[i].value;
        a.body = t[i].body;
        a.len = strlen(t[i].body);
        a.broken = 1;

        r = test_run(&p, &g, &a, 1);
        test_failed(r, t[i].class, t[i].reason);
        assert_int_equal(r.retry_ms, t[i].ms);
    }
}


static void
test_encoded(void **state)
{
    size_t            i;
    at_buf_t          png;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    static const char  *const formats[] = { "stability", "openai" };

    (void) state;

    png = test_png(64, 48, 300);
    g = test_request("sofa");

    for (i = 0; i < 2; i++) {
        p = test_provider(formats[i], "");
        memset(&a, 0, sizeof(test_answer_t));
        a.status = 200;
        a.body = png.data;
        a.len = png.len;
        a.headers[0] = "content-encoding";

        a.headers[1] = "identity";
        r = test_run(&p, &g, &a, 1);
        test_done(r, 64, 48);

        a.headers[1] = "gzip";
        r = test_run(&p, &g, &a, 1);
        test_failed(r, AT_AI_TRANSIENT, "content-encoding");

        /* The status says enough. */

        a.status = 401;
        r = test_run(&p, &g, &a, 1);
        test_failed(r, AT_AI_CREDENTIAL, "status 401");
    }

    at_buf_free(&png);
}


/*
 * One byte around each bound.  Megabytes byte by byte would take long; large
 * pieces of two sizes do.
 */

static void
big(const char *format, const at_buf_t *body, at_ai_step_e step,
    const char *reason)
{
    size_t            i;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    static const size_t  pieces[] = { 0, 16384, 65521 };

    p = test_provider(format, "");
    g = test_request("sofa");
    memset(&a, 0, sizeof(test_answer_t));
    a.status = 200;
    a.body = body->data;
    a.len = body->len;

    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        r = test_run_pieces(&p, &g, &a, 1, pieces[i]);

        if (step == AT_AI_DONE) {
            test_done(r, 64, 48);

        } else {
            test_failed(r, AT_AI_TRANSIENT, reason);
            assert_int_equal(r.stopped, 1);
        }
    }
}


static void
test_picture_bound(void **state)
{
    size_t        i;
    at_buf_t      png, body;
    at_ai_step_e  step;

    /* What a PNG has beside its pixels. */
    static const size_t  frame = 8 + 25 + 12 + 12;

    (void) state;

    for (i = 0; i < 2; i++) {
        step = i ? AT_AI_FAILED : AT_AI_DONE;
        png = test_png(64, 48, AT_AI_PICTURE_MAX - frame + i);
        assert_int_equal(png.len, AT_AI_PICTURE_MAX + i);

        big("stability", &png, step, "the picture is larger than 20 MB");

        body = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len,
                         "\"}]}");
        big("openai", &body, step, "the picture is larger than 20 MB");

        at_buf_free(&body);
        at_buf_free(&png);
    }
}


/* JSON with a small picture: base64 and n times pad, then after. */

static at_buf_t
padded(char pad, size_t n, const char *before, const char *between,
    const char *after)
{
    at_buf_t  png, b;

    png = test_png(64, 48, 300);
    b = test_wrap(before, png.data, png.len, between);
    at_buf_free(&png);

    assert_int_equal(at_buf_reserve(&b, n), AT_OK);
    memset(b.data + b.len, pad, n);
    b.len += n;
    assert_int_equal(at_buf_append(&b, after, strlen(after)), AT_OK);

    return b;
}


static void
test_answer_bound(void **state)
{
    size_t    i, n;
    at_buf_t  body;

    (void) state;

    body = padded(' ', 0, "{\"data\":[{\"b64_json\":\"", "", "\"}]}");
    n = AT_AI_ANSWER_MAX - body.len;
    at_buf_free(&body);

    for (i = 0; i < 2; i++) {
        body = padded(' ', n + i, "{\"data\":[{\"b64_json\":\"", "",
                      "\"}]}");
        assert_int_equal(body.len, AT_AI_ANSWER_MAX + i);
        big("openai", &body, i ? AT_AI_FAILED : AT_AI_DONE,
            "the answer is larger than 28 MB");
        at_buf_free(&body);
    }
}


/* What is beside the picture costs time, byte by byte and value by value. */

static void
test_beside_bound(void **state)
{
    size_t    i, k, n;
    at_buf_t  body, item;

    static const char  *const between[] = {
        "\"}],\"x\":\"", "\"}]}", "\"}],\"x\":[]", "\"}],\"x\":1"
    };

    static const char  *const after[] = { "\"}", "", "}", "}" };

    (void) state;

    /* The quote that ends the picture is read with it. */

    for (k = 0; k < 4; k++) {
        n = AT_AI_JSON_PLAIN - strlen("{\"data\":[{\"b64_json\":\"")
            - strlen(between[k]) - strlen(after[k]) + 1;

        for (i = 0; i < 2; i++) {
            body = padded(k == 0 ? 'x' : ' ', n + i,
                          "{\"data\":[{\"b64_json\":\"", between[k],
                          after[k]);
            big("openai", &body, i ? AT_AI_FAILED : AT_AI_DONE,
                "too many bytes");
            at_buf_free(&body);
        }
    }

    /* The objects, the arrays, the picture and x are values themselves. */

    for (i = 0; i < 2; i++) {
        body = padded(' ', 0, "{\"data\":[{\"b64_json\":\"", "",
                      "\"}],\"x\":[0");

        for (n = 6; n < AT_AI_JSON_VALUES + i; n++) {
            (void) at_buf_append(&body, (n % 2) ? ",0" : ",{}",
                                 (n % 2) ? 2 : 3);
        }

        (void) at_buf_append(&body, "]}", 2);
        big("openai", &body, i ? AT_AI_FAILED : AT_AI_DONE,
            "too many values");
        at_buf_free(&body);
    }

    /* A second picture is neither kept nor counted. */

    item = padded('A', 2 * AT_AI_JSON_PLAIN, "", "", "");
    (void) at_buf_append(&item, "\"}]}", 5);
    body = padded(' ', 0, "{\"data\":[{\"b64_json\":\"", "",
                  "\"},{\"b64_json\":\"");
    (void) at_buf_append(&body, item.data, item.len - 1);
    big("openai", &body, AT_AI_DONE, "");
    at_buf_free(&body);
    at_buf_free(&item);
}


/* Depth 64 is the last. */

static void
test_depth_bound(void **state)
{
    int            k;
    size_t         i;
    char           text[256];
    test_result_t  r;

    (void) state;

    for (k = 64; k <= 65; k++) {
        (void) snprintf(text, sizeof(text), "{\"x\":");

        for (i = 1; i < (size_t) k; i++) {
            (void) strncat(text, "[", 2);
        }

        for (i = 1; i < (size_t) k; i++) {
            (void) strncat(text, "]", 2);
        }

        (void) strncat(text, ",\"error\":\"late\"}", 32);

        r = test_json("openai", 200, text);
        test_failed(r, AT_AI_TRANSIENT, k == 64 ? "with an error: late"
                                                : "nested too deeply");

        r = test_json("openai", 500, text);
        test_failed(r, AT_AI_TRANSIENT,
                    k == 64 ? "status 500: late" : "without a message");
    }
}


/*
 * The base64 is not kept: what the picture's buffer holds is all there is,
 * at every moment.
 */

static void
test_decoded_on_arrival(void **state)
{
    size_t            i, head, n;
    at_buf_t          png, body;
    at_generate_t     g;
    at_ai_lane_t     *lane;
    at_ai_provider_t  p;

    (void) state;

    png = test_png(64, 48, 3000000);
    body = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len,
                     "\"}]}");
    head = strlen("{\"data\":[{\"b64_json\":\"");
    p = test_provider("openai", "");
    g = test_request("sofa");
    lane = at_ai_lane_create(&p, &g, TEST_NOW);
    assert_non_null(lane);
    at_ai_lane_begin(lane, 200, TEST_NOW);

    for (i = 0; i < body.len - 16384; i += 16384) {
        assert_int_equal(at_ai_lane_data(lane, body.data + i, 16384), AT_OK);

        n = (i + 16384 - head) / 4 * 3;
        assert_in_range(lane->picture.len, n - 1024, n);
    }

    assert_int_equal(at_ai_lane_data(lane, body.data + i, body.len - i),
                     AT_OK);
    assert_int_equal(at_ai_lane_end(lane, 1), AT_AI_DONE);
    assert_int_equal(lane->picture.len, png.len);
    assert_memory_equal(lane->picture.data, png.data, png.len);

    at_ai_lane_free(lane);
    at_buf_free(&body);
    at_buf_free(&png);
}


/* A format that asks again and again. */

static int
loop_build(at_ai_lane_t *lane)
{
    lane->state = malloc(16);

    return lane->state ? AT_OK : AT_ERROR;
}


static int
loop_data(at_ai_lane_t *lane, const uint8_t *p, size_t len)
{
    (void) lane;
    (void) p;
    (void) len;

    return AT_OK;
}


static at_ai_step_e
loop_end(at_ai_lane_t *lane)
{
    lane->wait_ms = 500;

    return (lane->calls % 2) ? AT_AI_WAIT : AT_AI_NEXT;
}


static void
loop_cleanup(at_ai_lane_t *lane)
{
    free(lane->state);
}


static void
test_calls_bound(void **state)
{
    size_t            i;
    at_generate_t     g;
    at_ai_step_e      step;
    at_ai_lane_t     *lane;
    at_ai_provider_t  p;

    static const at_ai_format_t  loop = {
        .name = "loop",
        .build = loop_build,
        .data = loop_data,
        .end = loop_end,
        .cleanup = loop_cleanup
    };

    (void) state;

    memset(&p, 0, sizeof(at_ai_provider_t));
    p.format = &loop;
    g = test_request("sofa");
    lane = at_ai_lane_create(&p, &g, TEST_NOW);
    assert_non_null(lane);

    for (i = 1; i <= AT_AI_CALLS_MAX; i++) {
        at_ai_lane_begin(lane, 201, TEST_NOW);
        assert_int_equal(lane->wait_ms, 0);
        assert_int_equal(at_ai_lane_data(lane, (const uint8_t *) "{}", 2),
                         AT_OK);
        step = at_ai_lane_end(lane, 1);

        if (i < AT_AI_CALLS_MAX) {
            assert_int_equal(step, (i % 2) ? AT_AI_WAIT : AT_AI_NEXT);
            assert_int_equal(lane->wait_ms, 500);

        } else {
            assert_int_equal(step, AT_AI_FAILED);
            assert_int_equal(lane->class, AT_AI_TRANSIENT);
            assert_string_equal(lane->reason, "64 calls brought no picture");
        }
    }

    at_ai_lane_free(lane);
    at_ai_lane_free(NULL);
}


/* What the machine has not got is not the provider's fault. */

static void
test_no_memory(void **state)
{
    size_t            i;
    char              url[4096];
    at_buf_t          png, base64;
    at_generate_t     g;
    test_answer_t     a;
    test_result_t     r;
    at_ai_provider_t  p;

    static const char  *const reasons[] = {
        "no memory for a picture", "no memory for a picture",
        "no memory for a URL", "no memory for JSON"
    };

    (void) state;

    png = test_png(64, 48, 3000);
    base64 = test_wrap("{\"data\":[{\"b64_json\":\"", png.data, png.len,
                       "\"}]}");
    memset(url, 'u', sizeof(url));
    memcpy(url, "{\"data\":[{\"url\":\"https://", 25);
    p = test_provider("openai", "");
    g = test_request("sofa");

    for (i = 0; i < 4; i++) {
        memset(&a, 0, sizeof(test_answer_t));
        a.status = 200;
        a.body = (i == 0) ? png.data : (i == 1) ? base64.data
                                                : (uint8_t *) url;
        a.len = (i == 0) ? png.len : (i == 1) ? base64.len : sizeof(url);

        if (i == 3) {
            memcpy(url, "{\"data\":[{\"u_l\":\"https://", 25);
        }

        at_test_memory_end = 2048;
        r = test_run_pieces(&p, &g, &a, 1, 0);
        at_test_memory_end = 0;

        test_failed(r, AT_AI_TRANSIENT, reasons[i]);
    }

    at_buf_free(&base64);
    at_buf_free(&png);
}


/* A picture that is not wanted any more is not read; all else still is. */

static void
test_skipped(void **state)
{
    int               rc;
    size_t            i, j;
    at_generate_t     g;
    at_ai_lane_t     *lane;
    at_ai_provider_t  p;

    static const struct {
        const char     *format;
        unsigned        status;
        const char     *header, *value, *body;
        int             complete;
        int             skipped;
        at_ai_class_e   class;
    } t[] = {
        { "openai", 200, "x", "y", "{\"data\":[{\"b64_json\":\"////", 1, 1,
          AT_AI_CLASS_NONE },
        { "stability", 201, "x", "y", "\x89PNG", 1, 1, AT_AI_CLASS_NONE },
        { "openai", 200, "x", "y", "{\"data\":[", 0, 1, AT_AI_TRANSIENT },
        { "openai", 200, "x", "y", "", 1, 1, AT_AI_TRANSIENT },
        { "openai", 401, "x", "y", "{}", 1, 0, AT_AI_CREDENTIAL },
        { "openai", 302, "x", "y", "moved", 1, 0, AT_AI_TRANSIENT },
        { "openai", 204, "x", "y", "none", 1, 0, AT_AI_TRANSIENT },
        { "openai", 200, "Content-Encoding", "gzip", "abc", 1, 0,
          AT_AI_TRANSIENT },
        { "stability", 200, "Finish-Reason", "CONTENT_FILTERED", "\x89PNG", 1,
          0, AT_AI_MODERATED },
        { "replicate", 201, "x", "y", "{}", 1, 0, AT_AI_TRANSIENT },
    };

    (void) state;

    g = test_request("sofa");

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        p = test_provider(t[i].format, "owner/model");

        /* j: so many bytes have been read before */

        for (j = 0; j <= strlen(t[i].body); j++) {
            lane = at_ai_lane_create(&p, &g, TEST_NOW);
            assert_non_null(lane);

            at_ai_lane_begin(lane, t[i].status, TEST_NOW);
            at_ai_lane_header(lane, test_str(t[i].header),
                              test_str(t[i].value));
            (void) at_ai_lane_data(lane, (const uint8_t *) t[i].body, j);

            rc = AT_OK;

            if (j < strlen(t[i].body)) {
                rc = at_ai_lane_skip(lane, strlen(t[i].body) - j);
                assert_int_equal(rc, t[i].skipped ? AT_OK : AT_ERROR);
                assert_int_equal(lane->skipped, t[i].skipped);
                assert_true(!t[i].skipped || lane->picture.data == NULL);
            }

            if (rc != AT_OK) {
                (void) at_ai_lane_data(lane,
                                       (const uint8_t *) t[i].body + j,
                                       strlen(t[i].body) - j);
            }

            if (j < strlen(t[i].body) || t[i].class != AT_AI_CLASS_NONE) {
                assert_int_equal(at_ai_lane_end(lane, t[i].complete),
                                 t[i].class == AT_AI_CLASS_NONE
                                 ? AT_AI_DONE : AT_AI_FAILED);
                assert_int_equal(lane->class, t[i].class);
                assert_int_equal(lane->picture.len, 0);
            }

            /* the next answer is read again */

            at_ai_lane_begin(lane, 200, TEST_NOW);
            assert_int_equal(lane->skipped, 0);

            at_ai_lane_free(lane);
        }
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_encoded),
        cmocka_unit_test(test_picture_bound),
        cmocka_unit_test(test_answer_bound),
        cmocka_unit_test(test_beside_bound),
        cmocka_unit_test(test_depth_bound),
        cmocka_unit_test(test_decoded_on_arrival),
        cmocka_unit_test(test_calls_bound),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
