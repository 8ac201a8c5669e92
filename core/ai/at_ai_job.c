/*
 * Jobs: work at a provider that outlives the call that began it.
 *
 * A job's id comes from the provider and goes into the path of later calls,
 * so only ids that can mean nothing else there are taken; an address that an
 * answer names for polling or cancelling is never used.  The lane owns its
 * copy of the id, a cancelling call belongs to who asked for it: it may be
 * made when the lane is long gone.
 */

#include <string.h>

#include "at_ai_internal.h"


static int
at_ai_job_valid(at_str_t id)
{
    size_t  i;
    char    c;

    if (id.len == 0 || id.len > AT_AI_JOB_MAX) {
        return 0;
    }

    for (i = 0; i < id.len; i++) {
        c = id.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-'))
        {
            return 0;
        }
    }

    return 1;
}


int
at_ai_job_set(at_ai_lane_t *lane, at_str_t id)
{
    at_ai_private_t  *p;

    if (!at_ai_job_valid(id)) {
        return AT_ERROR;
    }

    p = at_ai_private(lane);

    memcpy(p->job, id.data, id.len);
    lane->job = (at_str_t) { id.len, p->job };

    return AT_OK;
}


void
at_ai_job_forget(at_ai_lane_t *lane)
{
    lane->job = AT_STR_NULL;
    lane->job_over = 1;
}


int
at_ai_job_call(at_ai_call_t *call, at_buf_t *text, at_str_t method,
    const char *before, at_str_t job, const char *after)
{
    at_buf_free(text);

    if (at_buf_printf(text, "%s%.*s%s", before, (int) job.len, job.data,
                      after)
        != AT_OK)
    {
        return AT_ERROR;
    }

    memset(call, 0, sizeof(at_ai_call_t));
    call->target = AT_AI_TO_PROVIDER;
    call->method = method;
    call->url = at_buf_str(text);
    call->headers[0].name = AT_STR("Accept");
    call->headers[0].value = AT_STR("application/json");
    call->nheaders = 1;

    return AT_OK;
}


int
at_ai_lane_adopt(at_ai_lane_t *lane, at_str_t job)
{
    at_ai_private_t  *p;

    p = at_ai_private(lane);

    if (p->begun || lane->provider->format->poll == NULL
        || at_ai_job_set(lane, job) != AT_OK)
    {
        return AT_ERROR;
    }

    return lane->provider->format->poll(lane);
}


int
at_ai_cancel_call(const at_ai_provider_t *provider, at_str_t job,
    at_ai_call_t *call, at_buf_t *text)
{
    if (!provider->format->cancels || !at_ai_job_valid(job)) {
        return AT_ERROR;
    }

    return provider->format->cancel(job, call, text);
}
