/*
 * Jobs in format "replicate": polls, those that fail or break, and jobs
 * taken over.
 */

#include "test_ai_replicate.h"


#define MAX  12


/* Slower and slower, and never where the answer points. */

static void
test_polls(void **state)
{
    run_t          run;
    size_t         i;
    at_buf_t       png, body;
    test_answer_t  a[MAX];

    (void) state;

    png = test_png(64, 48, 3000);
    body = test_wrap(BEFORE("\"data:image/png;base64,"), png.data, png.len,
                     "\"" AFTER("succeeded", "null"));

    a[0] = answer(201, RUNNING("starting"));
    a[1] = answer(200, RUNNING("starting"));

    for (i = 2; i < 8; i++) {
        a[i] = answer(200, RUNNING("processing"));
    }

    a[8] = answer(200, "");
    a[8].body = body.data;
    a[8].len = body.len;

    run = run_script(a, 9);
    test_done(run.r, 64, 48);
    assert_string_equal(run.trace, CREATE ", 250 ms, " POLL ", 375 ms, " POLL
                        ", 562 ms, " POLL ", 843 ms, " POLL ", 1264 ms, " POLL
                        ", 1896 ms, " POLL ", 2000 ms, " POLL ", 2000 ms, "
                        POLL);

    /* Still running: something to cancel, something to adopt. */

    run = run_script(a, 3);
    assert_int_equal(run.r.step, AT_AI_WAIT);
    assert_string_equal(run.job, ID);
    assert_int_equal(run.over, 0);

    /* An empty list is no output yet. */

    a[0] = answer(201, BODY("[]", "processing", "null"));
    run = run_script(a, 1);
    assert_string_equal(run.trace, CREATE ", 250 ms, " POLL);

    at_buf_free(&body);
    at_buf_free(&png);
}


/* The job is paid for: one poll that fails does not lose it. */

static void
test_polls_that_fail(void **state)
{
    run_t          run;
    test_answer_t  a[MAX];

    (void) state;

    a[0] = answer(201, RUNNING("processing"));
    a[1] = answer(502, "<html>");
    a[2] = answer(200, "{\"id\":\"" ID "\"");
    a[2].broken = 1;
    a[3] = answer(500, "{\"detail\":\"oops\"}");
    a[4] = answer(503, "busy");

    run = run_script(a, 5);
    test_failed(run.r, AT_AI_TRANSIENT, "status 503: busy");
    assert_string_equal(run.trace, CREATE ", 250 ms, " POLL ", 375 ms, " POLL
                        ", 562 ms, " POLL ", 843 ms, " POLL);
    assert_string_equal(run.job, ID);
    assert_int_equal(run.over, 0);

    /* In a row, that is. */

    a[4] = answer(200, RUNNING("processing"));
    a[5] = answer(502, "");
    a[6] = answer(502, "");
    a[7] = answer(502, "");
    a[8] = answer(200, BODY("null", "failed", "\"x\""));
    run = run_script(a, 9);
    test_failed(run.r, AT_AI_TRANSIENT, "the prediction failed: x");

    /* As long as a refusal says. */

    a[1] = answer(429, "{\"detail\":\"Your rate limit resets in ~3s.\"}");
    run = run_script(a, 2);
    assert_int_equal(run.r.step, AT_AI_WAIT);
    assert_string_equal(run.trace, CREATE ", 250 ms, " POLL ", 3000 ms, "
                        POLL);

    /* These will not change. */

    a[1] = answer(404, "{\"detail\":\"not found\"}");
    run = run_script(a, 2);
    test_failed(run.r, AT_AI_TRANSIENT, "status 404");
    assert_string_equal(run.job, "");

    a[1] = answer(401, "{\"detail\":\"no\"}");
    run = run_script(a, 2);
    test_failed(run.r, AT_AI_CREDENTIAL, "status 401");
    assert_string_equal(run.job, ID);

    a[1] = answer(200, "<html>");
    run = run_script(a, 2);
    test_failed(run.r, AT_AI_TRANSIENT, "instead of a picture");

    /* What an earlier answer said is no word of this one. */

    a[1] = answer(200, "{}");
    run = run_script(a, 2);
    test_failed(run.r, AT_AI_TRANSIENT, "no picture in the answer");

    /* What a poll says of limits is about polls. */

    a[1] = answer(200, RUNNING("processing"));
    a[1].headers[2] = "ratelimit-remaining";
    a[1].headers[3] = "0";
    a[1].headers[4] = "ratelimit-reset";
    a[1].headers[5] = "12";
    run = run_script(a, 2);
    assert_int_equal(run.r.step, AT_AI_WAIT);
    assert_int_equal(run.r.retry_ms, -1);
}


/* What was said before the break stands, and only that. */

static void
test_polls_that_break(void **state)
{
    run_t          run;
    size_t         i;
    test_answer_t  a[2];

    static const struct {
        unsigned        status;
        const char     *body;
        at_ai_class_e   class;      /* none: it is asked for again */
        const char     *reason, *job;
    } t[] = {
        { 404, "", AT_AI_TRANSIENT, "status 404", "" },
        { 410, "{\"detail\":", AT_AI_TRANSIENT, "status 410", "" },
        { 401, "{\"detail\":\"no", AT_AI_CREDENTIAL, "status 401", ID },
        { 200, "<html>", AT_AI_TRANSIENT, "instead of a picture", ID },
        { 200, BEFORE("\"data:image/png;base64,!!"), AT_AI_TRANSIENT,
          "base64 is broken", ID },
        { 200, BEFORE("\"file:///etc/passwd\""), AT_AI_TRANSIENT, "neither",
          ID },
        { 200, "{]", AT_AI_TRANSIENT, "not JSON", ID },

        { 0, "", AT_AI_CLASS_NONE, "", ID },
        { 200, "", AT_AI_CLASS_NONE, "", ID },
        { 200, BEFORE("null") ",\"error\":\"NSFW\"", AT_AI_CLASS_NONE, "",
          ID },
        { 200, BEFORE("\"https://replicate.delivery/a\""), AT_AI_CLASS_NONE,
          "", ID },
        { 429, "{\"detail\":", AT_AI_CLASS_NONE, "", ID },
        { 503, "", AT_AI_CLASS_NONE, "", ID },
    };

    (void) state;

    a[0] = answer(201, RUNNING("processing"));

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        a[1] = answer(t[i].status, t[i].body);
        a[1].broken = 1;

        run = run_script(a, 2);
        assert_string_equal(run.job, t[i].job);

        if (t[i].class != AT_AI_CLASS_NONE) {
            test_failed(run.r, t[i].class, t[i].reason);
            continue;
        }

        assert_int_equal(run.r.step, AT_AI_WAIT);
        assert_int_equal(run.over, 0);
        assert_string_equal(run.trace, CREATE ", 250 ms, " POLL ", 375 ms, "
                            POLL);
    }
}


/* The same, if whoever drives the lane calls what it closed broken. */

static void
test_verdict_then_break(void **state)
{
    at_generate_t      g;
    at_ai_lane_t      *lane;
    at_ai_provider_t   p;

    (void) state;

    p = provider();
    g = test_request("sofa");
    lane = at_ai_lane_create(&p, &g, TEST_NOW);
    assert_non_null(lane);
    assert_int_equal(at_ai_lane_adopt(lane, test_str(ID)), AT_OK);

    at_ai_lane_begin(lane, 200, TEST_NOW);
    assert_int_equal(at_ai_lane_data(lane, (const uint8_t *) "<html>", 6),
                     AT_ERROR);
    assert_int_equal(at_ai_lane_end(lane, 0), AT_AI_FAILED);
    assert_int_equal(lane->class, AT_AI_TRANSIENT);
    assert_non_null(strstr(lane->reason, "instead of a picture"));
    assert_true(at_str_is(lane->job, ID));

    at_ai_lane_free(lane);
}


/* The creating answer broke: by then its id may be known. */

static void
test_broken(void **state)
{
    run_t          run;
    size_t         i;
    test_answer_t  a;

    static const char  body[] = RUNNING("processing");

    (void) state;

    a = answer(201, body);
    a.broken = 1;

    for (i = 0; i <= strlen(body); i++) {
        a.len = i;
        run = run_script(&a, 1);

        if (i < strlen("{\"id\":\"" ID "\"")) {
            test_failed(run.r, AT_AI_TRANSIENT, "the connection broke");
            assert_string_equal(run.job, "");

        } else {
            assert_int_equal(run.r.step, AT_AI_WAIT);
            assert_string_equal(run.trace, CREATE ", 250 ms, " POLL);
            assert_string_equal(run.job, ID);
        }
    }

    /* Without the break it is an answer, and half of one at that. */

    a.len = strlen(body) - 1;
    a.broken = 0;
    run = run_script(&a, 1);
    test_failed(run.r, AT_AI_TRANSIENT, "not whole");
    assert_string_equal(run.job, ID);
}


static void
test_calls_bound(void **state)
{
    size_t             i;
    at_generate_t      g;
    at_ai_step_e       step;
    test_answer_t      a;
    at_ai_lane_t      *lane;
    at_ai_provider_t   p;

    (void) state;

    p = provider();
    g = test_request("sofa");
    lane = at_ai_lane_create(&p, &g, TEST_NOW);
    assert_non_null(lane);
    a = answer(201, RUNNING("processing"));

    for (i = 1; i < AT_AI_CALLS_MAX; i++) {
        assert_int_equal(test_feed(lane, &a, 0), AT_AI_WAIT);
    }

    step = test_feed(lane, &a, 0);
    assert_int_equal(step, AT_AI_FAILED);
    assert_int_equal(lane->class, AT_AI_TRANSIENT);
    assert_true(at_str_is(lane->job, ID));
    assert_int_equal(lane->job_over, 0);

    at_ai_lane_free(lane);
}


static void
test_adopt(void **state)
{
    run_t             run;
    at_buf_t          png;
    test_answer_t     a[3];
    at_ai_provider_t  p;

    (void) state;

    png = test_png(64, 48, 3000);
    p = provider();

    a[0] = answer(200, RUNNING("processing"));
    a[1] = answer(200, BODY("\"https://replicate.delivery/a\"", "succeeded",
                            "null"));
    memset(&a[2], 0, sizeof(test_answer_t));
    a[2].status = 200;
    a[2].body = png.data;
    a[2].len = png.len;

    run = run_as(&p, ID, a, 3);
    test_done(run.r, 64, 48);
    assert_string_equal(run.trace, POLL ", 250 ms, " POLL ", GET result "
                        "https://replicate.delivery/a");

    /* It keeps its id, whatever is answered. */

    run = run_as(&p, "other_job-1", a, 1);
    assert_string_equal(run.trace, "GET predictions/other_job-1, 250 ms, "
                        "GET predictions/other_job-1");

    a[0] = answer(404, "");
    run = run_as(&p, ID, a, 1);
    test_failed(run.r, AT_AI_TRANSIENT, "status 404");
    assert_string_equal(run.job, "");

    at_buf_free(&png);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_polls),
        cmocka_unit_test(test_polls_that_fail),
        cmocka_unit_test(test_polls_that_break),
        cmocka_unit_test(test_verdict_then_break),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_calls_bound),
        cmocka_unit_test(test_adopt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
