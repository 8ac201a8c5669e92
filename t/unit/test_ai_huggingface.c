/*
 * Answers in format "huggingface": pictures as bytes and in every JSON the
 * hosts behind the router give, models that are loading, and errors.
 */

#include "test_ai.h"


#define FORMAT  "huggingface"


static test_result_t
with_png(const char *before, const char *after)
{
    at_buf_t       png, body;
    test_result_t  r;

    png = test_png(64, 48, 3000);
    body = test_wrap(before, png.data, png.len, after);
    r = test_one(FORMAT, 200, "application/json", body.data, body.len);

    if (r.step == AT_AI_DONE) {
        assert_int_equal(r.picture, png.len);
    }

    at_buf_free(&body);
    at_buf_free(&png);

    return r;
}


static void
test_bytes(void **state)
{
    size_t         i;
    at_buf_t       png;
    test_result_t  r;

    static const char  *const types[] = {
        "image/png", "image/jpeg", "Image/PNG; x=y", NULL,
        "application/octet-stream", "text/plain"
    };

    (void) state;

    png = test_png(64, 48, 3000);

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        r = test_one(FORMAT, 200, types[i], png.data, png.len);
        test_done(r, 64, 48);
        assert_int_equal(r.picture, png.len);
        assert_int_equal(r.has_seed, 0);
    }

    r = test_one(FORMAT, 200, "image/png", png.data, png.len - 1);
    test_failed(r, AT_AI_TRANSIENT, "refused");

    r = test_one(FORMAT, 200, "image/png", "", 0);
    test_failed(r, AT_AI_TRANSIENT, "empty");

    at_buf_free(&png);
}


static void
test_json_shapes(void **state)
{
    size_t         i;
    test_result_t  r;

    static const struct {
        const char  *before, *after;
    } t[] = {
        { "{\"data\":[{\"b64_json\":\"", "\"}]}" },
        { "{\"created\":1,\"data\":[{\"b64_json\":\"",
          "\",\"index\":0}],\"model\":\"x\"}" },
        { "{\"images\":[\"data:image/png;base64,", "\"]}" },
        { "{\"images\":[\"", "\"]}" },
        { "{\"images\":[{\"url\":\"data:image/png;base64,",
          "\",\"width\":64,\"height\":48}],\"has_nsfw_concepts\":[false]}" },
        { "{\"images\":[{\"index\":0,\"image\":\"", "\"}]}" },
        { "{\"output\":[\"data:image/png;base64,", "\"]}" },
        { "{\"output\":\"data:image/png;base64,", "\"}" },
        { "{\"id\":\"x\",\"status\":\"processing\",\"error\":null,"
          "\"output\":[\"data:image/png;base64,", "\"]}" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        r = with_png(t[i].before, t[i].after);
        test_done(r, 64, 48);
        assert_int_equal(r.has_seed, 0);
        assert_int_equal(r.retry_ms, -1);
    }

    r = with_png("{\"images\":[{\"url\":\"data:image/png;base64,",
                 "\"}],\"seed\":77}");
    test_done(r, 64, 48);
    assert_int_equal(r.has_seed, 1);
    assert_int_equal(r.seed, 77);

    r = with_png("{\"images\":[{\"url\":\"data:image/png;base64,",
                 "\"}],\"seed\":18446744073709551615}");
    test_done(r, 64, 48);
    assert_int_equal(r.has_seed, 0);
}


static void
test_urls(void **state)
{
    size_t            i;
    at_buf_t          png;
    at_generate_t     g;
    test_answer_t     a[2];
    test_result_t     r;
    at_ai_provider_t  p;

    static const at_str_t  hosts[] = {
        { 21, "https://*.example.net" },
    };

    static const char  *const bodies[] = {
        "{\"output\":[\"https://a.example.net/1.png\",\"https://b/2\"]}",
        "{\"output\":\"https://a.example.net/1.png\"}",
        "{\"images\":[\"https://a.example.net/1.png\"]}",
        "{\"images\":[{\"url\":\"https://a.example.net/1.png\"}]}",
        "{\"data\":[{\"url\":\"https://a.example.net/1.png\"}]}",
    };

    (void) state;

    png = test_png(64, 48, 3000);
    g = test_request("sofa");
    g.seed = 5;
    g.has_seed = 1;

    p = test_provider(FORMAT, "");
    p.result_hosts = hosts;
    p.nresult_hosts = 1;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        memset(a, 0, sizeof(a));
        a[0].status = 200;
        a[0].body = bodies[i];
        a[0].len = strlen(bodies[i]);
        a[1].status = 200;
        a[1].body = png.data;
        a[1].len = png.len;

        r = test_run(&p, &g, a, 2);
        test_done(r, 64, 48);
        assert_string_equal(r.url, "https://a.example.net/1.png");
        assert_int_equal(r.has_seed, 1);
        assert_int_equal(r.seed, 5);
    }

    r = test_json(FORMAT, 200, bodies[0]);
    test_failed(r, AT_AI_TRANSIENT, "a.example.net");

    at_buf_free(&png);
}


/* The same words with both statuses. */

static void
test_loading(void **state)
{
    size_t         i, k;
    test_result_t  r;

    static const unsigned  statuses[] = { 503, 200 };

    static const struct {
        const char  *body;
        int          retry_ms;
    } t[] = {
        { "{\"error\":\"Model black-forest-labs/FLUX.1-dev is currently "
          "loading\",\"estimated_time\":20.0}", 20000 },
        { "{\"estimated_time\":33.249,\"error\":\"Model x is currently "
          "loading\"}", 33249 },
        { "{\"error\":\"Model x is currently loading\","
          "\"estimated_time\":943.4418}", 600000 },
        { "{\"error\":\"Model x is currently loading\","
          "\"estimated_time\":1e9}", 600000 },
        { "{\"error\":\"Model x is currently loading\"}", -1 },
        { "{\"error\":\"Model x is currently loading\","
          "\"estimated_time\":null}", -1 },
        { "{\"error\":\"busy\",\"estimated_time\":0.5}", 500 },
        { "{\"error\":\"busy\",\"estimated_time\":999999}", 600000 },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        for (k = 0; k < 2; k++) {
            r = test_json(FORMAT, statuses[k], t[i].body);
            test_failed(r, AT_AI_RATE_LIMITED, "");
            assert_int_equal(r.retry_ms, t[i].retry_ms);
        }
    }

    r = test_json(FORMAT, 503, "{\"error\":\"Service Unavailable\"}");
    test_failed(r, AT_AI_TRANSIENT, "status 503: Service Unavailable");
    assert_int_equal(r.retry_ms, -1);
}


static void
test_errors(void **state)
{
    size_t         i;
    test_result_t  r;

    static const struct {
        unsigned        status;
        const char     *body;
        at_ai_class_e   class;
        int             retry_ms;
        const char     *reason;
    } t[] = {
        { 400, "{\"error\":\"unknown error\",\"warnings\":[\"There was an "
          "inference error\"]}", AT_AI_INVALID, -1, "unknown error" },
        { 400, "{\"error\":[\"`width` must be a multiple of 8\","
          "\"second\"]}", AT_AI_INVALID, -1, "multiple of 8" },
        { 422, "{\"error\":[\"Input should be less than 4096\"],"
          "\"error_type\":\"validation\"}", AT_AI_INVALID, -1,
          "status 422 (validation): Input should be" },
        { 400, "{\"error\":\"NSFW content detected\"}", AT_AI_MODERATED, -1,
          "NSFW" },
        { 422, "{\"detail\":\"The prompt was flagged by the content "
          "checker\"}", AT_AI_MODERATED, -1, "flagged" },
        { 403, "{\"error\":{\"message\":\"no\",\"code\":"
          "\"content_policy_violation\"}}", AT_AI_MODERATED, -1, "no" },
        { 401, "{\"error\":\"Invalid username or password.\"}",
          AT_AI_CREDENTIAL, -1, "Invalid username" },
        { 402, "{\"error\":\"You have exceeded your monthly included credits "
          "for Inference Providers. Subscribe to PRO to get 20x more monthly "
          "included credits.\"}", AT_AI_CREDENTIAL, -1, "monthly included" },
        { 403, "{\"error\":\"This authentication method does not have "
          "sufficient permissions to call Inference Providers on behalf of "
          "user x\"}", AT_AI_CREDENTIAL, -1, "permissions" },
        { 403, "{\"error\":\"Your account was flagged for abuse\"}",
          AT_AI_CREDENTIAL, -1, "abuse" },
        { 404, "{\"error\":\"Model x does not exist\"}", AT_AI_INVALID, -1,
          "does not exist" },
        { 404, "Not Found", AT_AI_INVALID, -1, "status 404: Not Found" },
        { 429, "{\"error\":\"Rate limit reached. Please log in or use a HF "
          "access token\"}", AT_AI_RATE_LIMITED, -1, "Rate limit" },
        { 429, "{\"error\":\"Too many requests, retry in 12 seconds\"}",
          AT_AI_RATE_LIMITED, 12000, "Too many" },
        { 500, "{\"error\":\"CUDA out of memory\",\"error_type\":"
          "\"OutOfMemoryError\"}", AT_AI_TRANSIENT, -1,
          "status 500 (OutOfMemoryError): CUDA" },
        { 504, "{\"error\":\"Model too busy, unable to get response in less "
          "than 60 second(s)\"}", AT_AI_TRANSIENT, -1, "too busy" },
        { 200, "{\"error\":\"it broke\",\"error_type\":\"oops\"}",
          AT_AI_TRANSIENT, -1, "with an error (oops): it broke" },
        { 200, "{\"error\":[\"it broke\"]}", AT_AI_TRANSIENT, -1,
          "with an error: it broke" },
        { 200, "{\"error\":\"NSFW content detected\"}", AT_AI_MODERATED, -1,
          "NSFW" },
        { 200, "{\"error\":\"Too many requests, retry in 12 seconds\"}",
          AT_AI_RATE_LIMITED, 12000, "Too many" },
        { 200, "{\"error\":{\"message\":\"no\",\"code\":401}}",
          AT_AI_CREDENTIAL, -1, "no" },
        { 200, "{}", AT_AI_TRANSIENT, -1, "no picture" },
        { 200, "[]", AT_AI_TRANSIENT, -1, "no picture" },
        { 200, "{\"images\":[]}", AT_AI_TRANSIENT, -1, "no picture" },
        { 200, "{\"output\":[]}", AT_AI_TRANSIENT, -1, "no picture" },
        { 200, "{\"output\":[\"https:\"]}", AT_AI_TRANSIENT, -1,
          "not a plain" },
        { 200, "{\"output\":\"file:///etc/passwd\"}", AT_AI_TRANSIENT, -1,
          "neither" },
        { 200, "{\"request_id\":\"x\",\"status\":\"IN_QUEUE\"}",
          AT_AI_TRANSIENT, -1, "no picture" },
        { 200, "<html>", AT_AI_TRANSIENT, -1, "instead of a picture" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        r = test_json(FORMAT, t[i].status, t[i].body);
        test_failed(r, t[i].class, t[i].reason);
        assert_int_equal(r.retry_ms, t[i].retry_ms);
    }
}


static void
test_blackened(void **state)
{
    test_result_t  r;

    (void) state;

    r = with_png("{\"images\":[{\"url\":\"data:image/png;base64,",
                 "\"}],\"has_nsfw_concepts\":[true],\"prompt\":\"x\"}");
    test_failed(r, AT_AI_MODERATED, "has_nsfw_concepts");

    r = with_png("{\"has_nsfw_concepts\":[false,true],\"images\":[{\"url\":"
                 "\"data:image/png;base64,", "\"}]}");
    test_failed(r, AT_AI_MODERATED, "has_nsfw_concepts");
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_json_shapes),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_loading),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_blackened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
