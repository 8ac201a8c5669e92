/*
 * at_attempt_parse(): what passes is within its bounds, and its request is
 * the same when it is written down and read again.
 */

#include "fuzz.h"
#include "at_attempt.h"


static void
fuzz_request(const at_generate_t *g)
{
    at_buf_t             one, two;
    at_generate_t        again;
    at_generate_error_t  err;

    memset(&one, 0, sizeof(at_buf_t));
    memset(&two, 0, sizeof(at_buf_t));

    FUZZ_CHECK(at_generate_write(g, &one) == AT_OK);
    FUZZ_CHECK(at_generate_parse(at_buf_str(&one), &again, &err) == AT_OK);
    FUZZ_CHECK(at_generate_write(&again, &two) == AT_OK);
    FUZZ_CHECK(at_str_eq(at_buf_str(&one), at_buf_str(&two)));

    at_generate_free(&again);
    at_buf_free(&one);
    at_buf_free(&two);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               i;
    fuzz_in_t            in = { data, data + size };
    at_attempt_t         a;
    at_generate_error_t  err;

    if (at_attempt_parse(fuzz_rest(&in), &a, &err) != AT_OK) {
        FUZZ_CHECK(err.code != NULL && err.detail[0] != '\0');
        FUZZ_CHECK(a.store.data == NULL);
        return 0;
    }

    FUZZ_CHECK(a.id.len == AT_ATTEMPT_ID);
    FUZZ_CHECK(a.njobs <= AT_ATTEMPT_JOBS_MAX);
    FUZZ_CHECK(a.request_id.len <= AT_ATTEMPT_TRACE_MAX);

    for (i = 0; i < a.njobs; i++) {
        FUZZ_CHECK(a.jobs[i].provider.len > 0
                   && a.jobs[i].provider.len <= AT_ATTEMPT_NAME_MAX);
        FUZZ_CHECK(a.jobs[i].job.len > 0
                   && a.jobs[i].job.len <= AT_ATTEMPT_JOB_MAX);
    }

    fuzz_request(&a.request);
    at_attempt_free(&a);

    return 0;
}
