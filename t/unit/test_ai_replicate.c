/*
 * Answers in format "replicate": outputs in every form, ends of all kinds,
 * and what is no prediction at all.
 */

#include "test_ai_replicate.h"


/* The recorded form above all: 201, "processing", and the picture. */

static void
test_data_urls(void **state)
{
    run_t          run;
    size_t         i;
    at_buf_t       png, body;
    test_answer_t  a;

    static const struct {
        unsigned     status;
        const char  *before, *after;
    } t[] = {
        { 201, BEFORE("\"data:image/png;base64,"),
          "\"" AFTER("processing", "null") },
        { 201, BEFORE("[\"data:image/png;base64,"),
          "\"]" AFTER("processing", "null") },
        { 201, BEFORE("\"data:application/octet-stream;base64,"),
          "\"" AFTER("starting", "null") },
        { 200, BEFORE("[\"data:image/webp;base64,"),
          "\",\"data:image/png;base64,!!\"]" AFTER("succeeded", "null") },
        { 201, BEFORE("\"data:image/png;base64,"),
          "\"" AFTER("succeeded", "null") },
        { 202, BEFORE("\"data:image/png;base64,"),
          "\"" AFTER("canceled", "null") },
        { 201, BEFORE("\"data:image/png;base64,"),
          "\"" AFTER("failed", "\"a worker was lost\"") },

        /* The status first, and a word nobody knows yet. */
        { 201, "{\"status\":\"postprocessing\",\"id\":\"" ID "\",\"output\":"
          "[\"data:image/png;base64,", "\"]}" },

        /* No id, no status. */
        { 200, "{\"output\":\"data:image/png;base64,", "\"}" },
    };

    (void) state;

    png = test_png(64, 48, 3000);

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        body = test_wrap(t[i].before, png.data, png.len, t[i].after);
        a = answer(t[i].status, "");
        a.body = body.data;
        a.len = body.len;

        run = run_script(&a, 1);
        test_done(run.r, 64, 48);
        assert_int_equal(run.r.picture, png.len);
        assert_string_equal(run.trace, CREATE);
        assert_int_equal(run.over, 1);
        assert_int_equal(run.r.retry_ms, -1);

        at_buf_free(&body);
    }

    at_buf_free(&png);
}


static void
test_file_urls(void **state)
{
    run_t          run;
    size_t         i;
    at_buf_t       png;
    test_answer_t  a[2];

    static const char  *const bodies[] = {
        BODY("\"https://replicate.delivery/x/out-0.png\"", "succeeded",
             "null"),
        BODY("[\"https://replicate.delivery/x/out-0.png\"]", "processing",
             "null"),
        BODY("[\"https://replicate.delivery/x/out-0.png\","
             "\"https://evil.example/\"]", "succeeded", "null"),
    };

    (void) state;

    png = test_png(64, 48, 3000);
    memset(a, 0, sizeof(a));
    a[1].status = 200;
    a[1].body = png.data;
    a[1].len = png.len;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        a[0] = answer(201, bodies[i]);
        run = run_script(a, 2);
        test_done(run.r, 64, 48);
        assert_string_equal(run.trace, CREATE ", GET result "
                            "https://replicate.delivery/x/out-0.png");
        assert_string_equal(run.job, ID);
        assert_int_equal(run.over, 1);
    }

    /* The id is kept while the picture is fetched, for a later lane. */

    run = run_script(a, 1);
    assert_int_equal(run.r.step, AT_AI_NEXT);
    assert_string_equal(run.job, ID);

    /* What the file host says is the end. */

    a[1] = answer(403, "");
    run = run_script(a, 2);
    test_failed(run.r, AT_AI_TRANSIENT, "status 403 from the result host");

    run = run_one(201, BODY("\"https://evil.example/a\"", "succeeded",
                            "null"));
    test_failed(run.r, AT_AI_TRANSIENT, "evil.example");

    run = run_one(201, BODY("\"file:///etc/passwd\"", "succeeded", "null"));
    test_failed(run.r, AT_AI_TRANSIENT, "neither");

    at_buf_free(&png);
}


static void
test_ends(void **state)
{
    run_t          run;
    size_t         i, k;
    test_answer_t  a[2];

    static const struct {
        const char     *body;
        at_ai_class_e   class;
        const char     *reason;
    } t[] = {
        { BODY("null", "failed", "\"CUDA out of memory\""), AT_AI_TRANSIENT,
          "the prediction failed: CUDA out of memory" },
        { BODY("null", "failed", "null"), AT_AI_TRANSIENT,
          "the prediction failed" },
        { BODY("null", "failed", "\"NSFW content detected. Try running it "
               "again, or try a different prompt.\""), AT_AI_MODERATED,
          "NSFW content detected" },
        { BODY("null", "failed", "\"The input or output was flagged as "
               "sensitive. Please try again with different inputs. "
               "(E005)\""), AT_AI_MODERATED, "flagged as sensitive" },
        { BODY("[]", "failed", "\"All generated images contained NSFW "
               "content\""), AT_AI_MODERATED, "NSFW" },
        { BODY("\"https://replicate.delivery/black.png\"", "failed",
               "\"NSFW content detected.\""), AT_AI_MODERATED, "NSFW" },
        { BODY("null", "failed", "\"Please try other inputs. (E005)\""),
          AT_AI_MODERATED, "try other inputs" },
        { BODY("null", "failed", "\"violates our content policy\""),
          AT_AI_MODERATED, "content policy" },
        { BODY("null", "canceled", "null"), AT_AI_TRANSIENT,
          "the prediction was canceled" },
        { BODY("null", "aborted", "\"too late\""), AT_AI_TRANSIENT,
          "the prediction was aborted: too late" },
        { BODY("null", "succeeded", "null"), AT_AI_TRANSIENT,
          "succeeded with an empty output" },
        { BODY("[]", "succeeded", "null"), AT_AI_TRANSIENT,
          "succeeded with an empty output" },
        { BODY("\"\"", "succeeded", "null"), AT_AI_TRANSIENT,
          "succeeded with an empty output" },
        { BODY("{\"text\":\"hello\"}", "succeeded", "null"), AT_AI_TRANSIENT,
          "succeeded with an empty output" },
    };

    (void) state;

    a[0] = answer(201, RUNNING("processing"));

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {

        /* As the first answer, and as a poll's. */

        for (k = 0; k < 2; k++) {
            a[k] = answer(k ? 200 : 201, t[i].body);
            run = run_script(a, k + 1);
            test_failed(run.r, t[i].class, t[i].reason);
            assert_string_equal(run.job, "");
            assert_int_equal(run.over, 1);
            assert_int_equal(run.r.retry_ms, -1);

            a[0] = answer(201, RUNNING("processing"));
        }
    }
}


static void
test_no_picture(void **state)
{
    run_t   run;
    size_t  i;

    static const struct {
        const char  *body, *reason;
    } t[] = {
        { "", "empty answer" },
        { "{}", "no picture in the answer" },
        { "[]", "no picture in the answer" },
        { "{\"id\":\"" ID "\"}", "no picture in the answer" },
        { "{\"id\":\"" ID "\",\"status\":null}", "no picture" },
        { "{\"detail\":\"it broke\"}", "it broke" },
        { "{\"status\":\"processing\",\"output\":null}", "without an id" },
        { "{\"id\":\"\",\"status\":\"starting\"}", "without an id" },
        { "{\"id\":42,\"status\":\"starting\"}", "without an id" },
        { "{\"id\":\"../account\",\"status\":\"starting\"}",
          "without an id" },
        { "{\"id\":\"a/b\",\"status\":\"starting\"}", "without an id" },
        { "{\"id\":\"a?b\",\"status\":\"starting\"}", "without an id" },
        { "{\"id\":\"a\\r\\nX: y\",\"status\":\"starting\"}",
          "without an id" },
        { "{\"id\":\"a\\u0000\",\"status\":\"starting\"}", "without an id" },
        { "{\"id\":\"" ID "\",\"status\":\"starting\"", "not whole" },
        { BODY("[\"Hello\",\" world\"]", "succeeded", "null"), "base64" },
        { BODY("\"Once upon a time\"", "succeeded", "null"), "base64" },
        { BODY("\"data:image/png;base64,aGVsbG8gd29ybGQh\"", "processing",
               "null"), "refused" },
        { BODY("\"data:image/svg+xml,abc\"", "succeeded", "null"),
          "not base64" },
        { "<html>busy</html>", "instead of a picture" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        run = run_one(201, t[i].body);
        test_failed(run.r, AT_AI_TRANSIENT, t[i].reason);
        assert_string_equal(run.trace, CREATE);
    }
}


static void
test_errors(void **state)
{
    run_t          run;
    size_t         i;
    test_answer_t  a;

    static const struct {
        unsigned        status;
        const char     *body;
        at_ai_class_e   class;
        int             retry_ms;
        const char     *reason;
    } t[] = {
        { 401, "{\"title\":\"Unauthenticated\",\"detail\":\"You did not pass "
          "a valid authentication token\",\"status\":401}",
          AT_AI_CREDENTIAL, -1, "valid authentication token" },
        { 402, "{\"title\":\"Insufficient credit\",\"detail\":\"You have "
          "insufficient credit to run this model.\",\"status\":402}",
          AT_AI_CREDENTIAL, -1, "insufficient credit" },
        { 403, "{\"title\":\"Forbidden\",\"status\":403}",
          AT_AI_CREDENTIAL, -1, "Forbidden" },
        { 404, "{\"title\":\"Not found\",\"detail\":\"The requested resource "
          "could not be found.\",\"status\":404}",
          AT_AI_INVALID, -1, "could not be found" },
        { 422, "{\"title\":\"Input validation failed\",\"detail\":\"- "
          "input.seed: Invalid type. Expected: integer, given: string\\n\","
          "\"status\":422,\"invalid_fields\":[{\"type\":\"invalid_type\","
          "\"field\":\"input.seed\",\"description\":\"Invalid\"}]}",
          AT_AI_INVALID, -1, "input.seed" },
        { 429, "{\"detail\":\"Request was throttled. Your rate limit resets "
          "in ~30s.\"}", AT_AI_RATE_LIMITED, 30000, "throttled" },
        { 429, "{\"title\":\"Too many requests\",\"detail\":\"Request was "
          "throttled. Your rate limit for creating predictions is reduced to "
          "6 requests per minute with a burst of 1 requests while you have "
          "less than $5.0 in credit. Your rate limit resets in ~9s.\","
          "\"status\":429}", AT_AI_RATE_LIMITED, 9000, "throttled" },
        { 500, "{\"title\":\"Internal server error\",\"status\":500}",
          AT_AI_TRANSIENT, -1, "Internal server error" },
        { 502, "<html>bad gateway</html>", AT_AI_TRANSIENT, -1,
          "an HTML page" },
        { 503, "", AT_AI_TRANSIENT, -1, "status 503" },
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        run = run_one(t[i].status, t[i].body);
        test_failed(run.r, t[i].class, t[i].reason);
        assert_int_equal(run.r.retry_ms, t[i].retry_ms);
        assert_string_equal(run.trace, CREATE);
        assert_string_equal(run.job, "");
    }

    /* The headers of every answer, and of a refusal. */

    a = answer(429, "{\"detail\":\"Request was throttled.\"}");
    a.headers[2] = "ratelimit-remaining";
    a.headers[3] = "0";
    a.headers[4] = "ratelimit-reset";
    a.headers[5] = "12";
    run = run_script(&a, 1);
    test_failed(run.r, AT_AI_RATE_LIMITED, "throttled");
    assert_int_equal(run.r.retry_ms, 12000);

    a.status = 201;
    a.body = RUNNING("starting");
    a.len = strlen(RUNNING("starting"));
    run = run_script(&a, 1);
    assert_int_equal(run.r.step, AT_AI_WAIT);
    assert_int_equal(run.r.retry_ms, 12000);

    a.headers[3] = "599";
    run = run_script(&a, 1);
    assert_int_equal(run.r.retry_ms, -1);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_data_urls),
        cmocka_unit_test(test_file_urls),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_no_picture),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
