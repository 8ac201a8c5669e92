/*
 * Ids of jobs, and what is made of them: lanes that take one over, and calls
 * that cancel one.
 */

#include "test_ai.h"


#define ID  "gm3qorzdhgbfurvjtvhg6dckhu"


static void
test_ids(void **state)
{
    size_t            i;
    char              id[AT_AI_JOB_MAX + 2];
    at_generate_t     g;
    at_ai_lane_t     *lane;
    at_ai_provider_t  p;

    static const char  *const bad[] = {
        "", ".", "..", "a/b", "a b", "a%20", "a?b", "a#b", "\xc3\xa9", "a\n"
    };

    (void) state;

    p = test_provider("replicate", "owner/name");
    g = test_request("sofa");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        lane = at_ai_lane_create(&p, &g, TEST_NOW);
        assert_int_equal(at_ai_lane_adopt(lane, test_str(bad[i])), AT_ERROR);
        assert_int_equal(lane->job.len, 0);
        assert_true(at_str_is(at_ai_lane_call(lane)->method, "POST"));
        at_ai_lane_free(lane);
    }

    memset(id, 'a', sizeof(id));

    for (i = 0; i < 2; i++) {
        lane = at_ai_lane_create(&p, &g, TEST_NOW);
        assert_int_equal(at_ai_lane_adopt(lane,
                             (at_str_t) { AT_AI_JOB_MAX + i, id }),
                         i ? AT_ERROR : AT_OK);
        at_ai_lane_free(lane);
    }

    /* Too late: it has had an answer. */

    lane = at_ai_lane_create(&p, &g, TEST_NOW);
    at_ai_lane_begin(lane, 201, TEST_NOW);
    assert_int_equal(at_ai_lane_adopt(lane, AT_STR(ID)), AT_ERROR);
    at_ai_lane_free(lane);

    /* Most formats have no jobs. */

    p = test_provider("openai", "");
    lane = at_ai_lane_create(&p, &g, TEST_NOW);
    assert_int_equal(at_ai_lane_adopt(lane, AT_STR(ID)), AT_ERROR);
    at_ai_lane_free(lane);
}


static void
test_cancel(void **state)
{
    at_buf_t          text;
    at_ai_call_t      call;
    at_ai_provider_t  p;

    (void) state;

    memset(&text, 0, sizeof(at_buf_t));
    p = test_provider("replicate", "owner/name");
    assert_int_equal(p.format->cancels, 1);
    assert_int_equal(p.format->paths, 1);

    memset(&call, 0xff, sizeof(at_ai_call_t));
    assert_int_equal(at_ai_cancel_call(&p, AT_STR(ID), &call, &text), AT_OK);
    assert_int_equal(call.target, AT_AI_TO_PROVIDER);
    assert_true(at_str_is(call.method, "POST"));
    assert_true(at_str_is(call.url, "predictions/" ID "/cancel"));
    assert_int_equal(call.body.len, 0);
    assert_int_equal(call.nheaders, 1);

    /* The buffer can be used again. */

    assert_int_equal(at_ai_cancel_call(&p, AT_STR("b"), &call, &text), AT_OK);
    assert_true(at_str_is(call.url, "predictions/b/cancel"));

    assert_int_equal(at_ai_cancel_call(&p, AT_STR("../a"), &call, &text),
                     AT_ERROR);
    assert_int_equal(at_ai_cancel_call(&p, AT_STR(""), &call, &text),
                     AT_ERROR);

    p = test_provider("huggingface", "");
    assert_int_equal(p.format->cancels, 0);
    assert_int_equal(at_ai_cancel_call(&p, AT_STR(ID), &call, &text),
                     AT_ERROR);

    at_buf_free(&text);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
