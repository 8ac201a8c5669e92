/*
 * Predictions after their first answer: GET /v1/predictions/{id} and
 * POST /v1/predictions/{id}/cancel.
 *
 * Neither is a generation, so each has a counter of its own; faults hit the
 * first while "on" is "poll" and the second never.
 */

#include <string.h>

#include "sandbox.h"


#define SB_POLL_PREFIX  16              /* bytes of "/v1/predictions/" */


static void
sb_poll_unknown(sb_call_t *c)
{
    sb_refuse(c, 404, NULL, NULL,
              "The requested resource could not be found.");
}


void
sb_serve_poll(sb_call_t *c)
{
    sb_job_t     job;
    const char  *id;

    id = c->rest + SB_POLL_PREFIX;
    memset(&job, 0, sizeof(sb_job_t));
    job.reply = SB_REPLY_DATA_URL;

    if (sb_replicate_key(c) != SB_OK) {
        return;
    }

    if (sb_prediction_over(c->provider->name, id) == SB_ERROR) {
        sb_poll_unknown(c);
        return;
    }

    sb_decide(c);

    if (sb_latency_sleep(c) != SB_OK || sb_fault_no_picture(c, &job)) {
        return;
    }

    /* As it is now, which the latency may have changed. */

    sb_answer_begin(c, 200, "application/json");

    if (sb_prediction_print(c->provider->name, id, SB_TELL_NOW,
                            &c->answer.body)
        != SB_OK)
    {
        sb_poll_unknown(c);
        return;
    }

    sb_fault_after(c, &job);
}


void
sb_serve_cancel(sb_call_t *c)
{
    int          stopped;
    char         id[33];
    size_t       len;
    const char  *name;

    name = c->rest + SB_POLL_PREFIX;
    len = strcspn(name, "/");

    if (strcmp(name + len, "/cancel") != 0 || len >= sizeof(id)) {
        sb_poll_unknown(c);
        return;
    }

    if (sb_replicate_method(c, "POST") != SB_OK
        || sb_replicate_key(c) != SB_OK)
    {
        return;
    }

    memcpy(id, name, len);
    id[len] = '\0';

    sb_decide(c);
    stopped = sb_prediction_stop(c->provider->name, id);

    if (stopped == SB_ERROR) {
        sb_poll_unknown(c);
        return;
    }

    if (stopped) {
        sb_count(c, SB_COUNT_STOPPED, 1);
    }

    sb_answer_begin(c, 200, "application/json");

    if (sb_prediction_print(c->provider->name, id, SB_TELL_NOW,
                            &c->answer.body)
        != SB_OK)
    {
        sb_poll_unknown(c);
    }
}
