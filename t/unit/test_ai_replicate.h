/*
 * What the tests of format "replicate" share: predictions as text, and a
 * driver that adopts jobs and writes down what a lane asks for.
 *
 * Each case is a script of answers; what the lane asks for between them is
 * kept as one line of text, and has to be the same however the answers are
 * cut into pieces.  Each test file includes this once, so all functions are
 * static.
 */

#ifndef TEST_AI_REPLICATE_H
#define TEST_AI_REPLICATE_H


#include "test_ai.h"


#define MODEL    "black-forest-labs/flux-schnell"
#define CREATE   "POST models/black-forest-labs/flux-schnell/predictions"
#define ID       "gm3qorzdhgbfurvjtvhg6dckhu"
#define POLL     "GET predictions/" ID

/* A prediction: what its output is goes before status, as it does there. */
#define BEFORE(output)                                                       \
    "{\"id\":\"" ID "\",\"model\":\"" MODEL "\",\"version\":\"hidden\","      \
    "\"input\":{\"prompt\":\"sofa\",\"status\":\"no\",\"output\":\"no\"},"    \
    "\"logs\":\"Using seed: 1\\n\",\"output\":" output
#define AFTER(status, error)                                                 \
    ",\"data_removed\":false,\"error\":" error ",\"status\":\"" status "\","  \
    "\"created_at\":\"2026-11-20T10:00:00.100Z\",\"urls\":{\"cancel\":"       \
    "\"https://evil.example/v1/predictions/x/cancel\",\"get\":"              \
    "\"https://evil.example/v1/predictions/x\"}}"
#define BODY(output, status, error)  BEFORE(output) AFTER(status, error)
#define RUNNING(status)              BODY("null", status, "null")


typedef struct {
    test_result_t  r;
    char           trace[2048];
    char           job[AT_AI_JOB_MAX + 1];
    unsigned       over;
} run_t;


static const at_str_t  hosts[] = {
    { 28, "https://*.replicate.delivery" },
    { 26, "https://replicate.delivery" },
};


static inline at_ai_provider_t
provider(void)
{
    at_ai_provider_t  p;

    p = test_provider("replicate", MODEL);
    p.timeout_ms = 15000;
    p.result_hosts = hosts;
    p.nresult_hosts = 2;

    return p;
}


static inline test_answer_t
answer(unsigned status, const char *body)
{
    test_answer_t  a;

    memset(&a, 0, sizeof(test_answer_t));
    a.status = status;
    a.body = body;
    a.len = strlen(body);
    a.headers[0] = "content-type";
    a.headers[1] = (status < 300) ? "application/json"
                                  : "application/problem+json";

    return a;
}


static inline void
trace(run_t *run, const at_ai_lane_t *lane, at_ai_step_e step)
{
    size_t               len;
    const at_ai_call_t  *call;

    call = at_ai_lane_call(lane);
    len = strlen(run->trace);

    if (len) {
        if (step == AT_AI_WAIT) {
            len += (size_t) snprintf(run->trace + len,
                                     sizeof(run->trace) - len, ", %d ms, ",
                                     (int) lane->wait_ms);

        } else {
            len += (size_t) snprintf(run->trace + len,
                                     sizeof(run->trace) - len, ", ");
        }
    }

    (void) snprintf(run->trace + len, sizeof(run->trace) - len, "%.*s %s%.*s",
                    (int) call->method.len, call->method.data,
                    call->target == AT_AI_TO_RESULT ? "result " : "",
                    (int) call->url.len, call->url.data);

    if (at_str_is(call->method, "GET")) {
        assert_int_equal(call->body.len, 0);
        assert_null(lane->body.data);
        assert_int_equal(call->nheaders, 1);
        assert_true(at_str_is(call->headers[0].name, "Accept"));
    }
}


static inline run_t
run_pieces(const at_ai_provider_t *p, const at_generate_t *g,
    const char *adopt, const test_answer_t *answers, size_t n, size_t piece)
{
    run_t          run;
    size_t         i;
    at_ai_lane_t  *lane;

    memset(&run, 0, sizeof(run_t));

    lane = at_ai_lane_create(p, g, TEST_NOW);
    assert_non_null(lane);

    if (adopt) {
        assert_int_equal(at_ai_lane_adopt(lane, test_str(adopt)), AT_OK);
    }

    trace(&run, lane, AT_AI_NEXT);

    for (i = 0; i < n; i++) {
        run.r.step = test_feed(lane, &answers[i], piece);

        if (run.r.step == AT_AI_DONE || run.r.step == AT_AI_FAILED) {
            break;
        }

        assert_int_equal(lane->class, AT_AI_CLASS_NONE);
        trace(&run, lane, run.r.step);
    }

    /* A script is heard to its end. */

    if (n) {
        assert_in_range(i, n - 1, n);
    }

    run.r.class = lane->class;
    run.r.retry_ms = lane->retry_after_ms;
    run.r.picture = lane->picture.len;
    run.r.has_seed = lane->has_seed;
    run.r.seed = lane->has_seed ? lane->seed : 0;
    run.over = lane->job_over;
    memcpy(run.r.reason, lane->reason, sizeof(run.r.reason));
    memcpy(run.job, lane->job.data ? lane->job.data : "", lane->job.len);

    if (run.r.step == AT_AI_DONE) {
        run.r.image = lane->image;
        assert_true(lane->picture.len > 0);
    }

    at_ai_lane_free(lane);

    return run;
}


static inline run_t
run_as(const at_ai_provider_t *p, const char *adopt,
    const test_answer_t *answers, size_t n)
{
    run_t          run, other;
    size_t         i;
    at_generate_t  g;

    g = test_request("sofa");
    run = run_pieces(p, &g, adopt, answers, n, 0);

    for (i = 1; i < TEST_NPIECES; i++) {
        other = run_pieces(p, &g, adopt, answers, n, test_pieces[i]);

        assert_int_equal(run.r.step, other.r.step);
        assert_int_equal(run.r.class, other.r.class);
        assert_string_equal(run.r.reason, other.r.reason);
        assert_int_equal(run.r.retry_ms, other.r.retry_ms);
        assert_int_equal(run.r.picture, other.r.picture);
        assert_string_equal(run.trace, other.trace);
        assert_string_equal(run.job, other.job);
        assert_int_equal(run.over, other.over);
    }

    return run;
}


static inline run_t
run_script(const test_answer_t *answers, size_t n)
{
    at_ai_provider_t  p;

    p = provider();

    return run_as(&p, NULL, answers, n);
}


static inline run_t
run_one(unsigned status, const char *body)
{
    test_answer_t  a;

    a = answer(status, body);

    return run_script(&a, 1);
}


#endif /* TEST_AI_REPLICATE_H */
