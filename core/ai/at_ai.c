/*
 * The table of AI formats and the frame around every answer of a lane.
 *
 * The fan-out calls the at_ai_lane_*() functions; they do what is the same
 * for all formats (bounds, status classes, broken connections, encoded
 * bodies, the number of calls) and hand the body of a 2xx to the format.
 * at_ai_lane_create() allocates the lane with all its private parts;
 * at_ai_lane_free() releases them.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_ai_internal.h"


static const at_ai_format_t  *const at_ai_formats[] = {
    &at_ai_openai,
    &at_ai_stability,
    &at_ai_stability_v1,
    &at_ai_replicate,
    &at_ai_huggingface,
};

#define AT_AI_NFORMATS  (sizeof(at_ai_formats) / sizeof(at_ai_formats[0]))


const at_ai_format_t *
at_ai_format_find(at_str_t name)
{
    size_t  i;

    for (i = 0; i < AT_AI_NFORMATS; i++) {
        if (at_str_is(name, at_ai_formats[i]->name)) {
            return at_ai_formats[i];
        }
    }

    return NULL;
}


const char *
at_ai_format_names(void)
{
    return "openai, stability, stability-v1, replicate, huggingface";
}


const char *
at_ai_class_name(at_ai_class_e class)
{
    switch (class) {

    case AT_AI_CLASS_NONE:
        return "none";

    case AT_AI_RATE_LIMITED:
        return "rate_limited";

    case AT_AI_MODERATED:
        return "moderated";

    case AT_AI_INVALID:
        return "invalid";

    case AT_AI_CREDENTIAL:
        return "credential";

    case AT_AI_TRANSIENT:
        return "transient";

    case AT_AI_DEADLINE:
        return "deadline";

    case AT_AI_CANCELLED:
        return "cancelled";
    }

    return "unknown";
}


int
at_ai_class_passing(at_ai_class_e class)
{
    return class == AT_AI_RATE_LIMITED
           || class == AT_AI_TRANSIENT
           || class == AT_AI_DEADLINE;
}


const char *
at_ai_provider_check(const at_ai_provider_t *provider)
{
    return provider->format->check ? provider->format->check(provider) : NULL;
}


at_ai_lane_t *
at_ai_lane_create(const at_ai_provider_t *provider,
    const at_generate_t *request, int64_t now)
{
    at_ai_lane_t     *lane;
    at_ai_private_t  *p;

    p = calloc(1, sizeof(at_ai_private_t));
    if (p == NULL) {
        return NULL;
    }

    lane = &p->lane;
    lane->provider = provider;
    lane->request = request;
    lane->now = now;
    lane->retry_after_ms = -1;
    lane->picture.max = AT_AI_PICTURE_MAX;

    p->answer.url.max = AT_AI_URL_MAX;
    at_ai_retry_reset(&p->retry);
    at_ai_error_reset(&p->error);

    if (provider->format->build(lane) != AT_OK) {
        at_ai_lane_free(lane);
        return NULL;
    }

    lane->calls = 1;

    return lane;
}


void
at_ai_lane_free(at_ai_lane_t *lane)
{
    at_ai_private_t  *p;

    if (lane == NULL) {
        return;
    }

    p = at_ai_private(lane);

    if (lane->provider->format->cleanup) {
        lane->provider->format->cleanup(lane);
    }

    at_ai_answer_reset(&p->answer);
    at_ai_error_reset(&p->error);

    at_buf_free(&lane->picture);
    at_buf_free(&lane->sent_prompt);
    at_buf_free(&lane->sent_negative);
    at_buf_free(&lane->body);
    at_buf_free(&lane->text);

    free(p);
}


const at_ai_call_t *
at_ai_lane_call(const at_ai_lane_t *lane)
{
    return &lane->call;
}


at_ai_step_e
at_ai_fail(at_ai_lane_t *lane, at_ai_class_e class, const char *fmt, ...)
{
    char     text[2 * AT_AI_MESSAGE_MAX];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    at_ai_reason(lane->reason, sizeof(lane->reason), text);

    lane->class = class;
    lane->stopped = 1;

    at_buf_free(&lane->picture);

    return AT_AI_FAILED;
}


int
at_ai_prompt(at_ai_lane_t *lane, size_t max)
{
    int                    cut;
    at_prompt_rules_t      rules;
    const at_ai_format_t  *format;

    format = lane->provider->format;

    memset(&rules, 0, sizeof(at_prompt_rules_t));
    rules.inlined = !format->negative;
    rules.max = lane->provider->prompt_max ? lane->provider->prompt_max : max;
    rules.negative_max = format->negative_max;

    /* What is configured for a text is too long for the other one as well. */

    if (lane->provider->prompt_max
        && lane->provider->prompt_max < rules.negative_max)
    {
        rules.negative_max = lane->provider->prompt_max;
    }

    cut = 0;

    if (at_prompt_build(lane->request, &rules, &lane->sent_prompt,
                        &lane->sent_negative, &cut)
        != AT_OK)
    {
        return AT_ERROR;
    }

    lane->prompt_cut = (cut != 0);

    return AT_OK;
}


int
at_ai_call_header(at_ai_lane_t *lane, at_str_t name, at_str_t value)
{
    at_ai_header_t  *h;

    if (lane->call.nheaders == AT_AI_HEADERS_MAX) {
        return AT_ERROR;
    }

    h = &lane->call.headers[lane->call.nheaders++];
    h->name = name;
    h->value = value;

    return AT_OK;
}


int
at_ai_call_post(at_ai_lane_t *lane, at_str_t type, at_str_t accept)
{
    lane->call.target = AT_AI_TO_PROVIDER;
    lane->call.method = AT_STR("POST");
    lane->call.body = at_buf_str(&lane->body);

    if (at_ai_call_header(lane, AT_STR("Content-Type"), type) != AT_OK) {
        return AT_ERROR;
    }

    return at_ai_call_header(lane, AT_STR("Accept"), accept);
}


void
at_ai_lane_begin(at_ai_lane_t *lane, unsigned status, int64_t now)
{
    at_ai_private_t  *p;

    p = at_ai_private(lane);

    p->begun = 1;

    lane->status = status;
    lane->now = now;
    lane->received = 0;
    lane->content_encoded = 0;
    lane->skipped = 0;
    lane->stopped = 0;
    lane->class = AT_AI_CLASS_NONE;
    lane->reason[0] = '\0';
    lane->wait_ms = 0;

    at_ai_retry_reset(&p->retry);
    at_buf_free(&lane->picture);
    at_ai_answer_reset(&p->answer);
    at_ai_error_reset(&p->error);

    if (lane->provider->format->begin) {
        lane->provider->format->begin(lane);
    }
}


void
at_ai_lane_header(at_ai_lane_t *lane, at_str_t name, at_str_t value)
{
    at_ai_private_t  *p;

    p = at_ai_private(lane);

    if (at_str_ieq(name, AT_STR("Content-Type"))) {
        at_ai_answer_type(&p->answer, value);

    } else if (at_str_ieq(name, AT_STR("Content-Encoding"))) {
        if (value.len && !at_str_ieq(value, AT_STR("identity"))) {
            lane->content_encoded = 1;
        }

    } else {
        at_ai_retry_header(&p->retry, name, value, lane->now);
    }

    if (lane->provider->format->header) {
        lane->provider->format->header(lane, name, value);
    }
}


/* Statuses whose body can hold a picture. */

static int
at_ai_lane_success(const at_ai_lane_t *lane)
{
    if (lane->call.target == AT_AI_TO_RESULT) {
        return lane->status == 200;
    }

    return at_ai_status_2xx(lane->status)
           && lane->status != 204
           && lane->status != 205
           && lane->status != 206;
}


int
at_ai_lane_data(at_ai_lane_t *lane, const uint8_t *p, size_t len)
{
    int  rc;

    if (lane->stopped) {
        return AT_ERROR;
    }

    if (len > AT_AI_ANSWER_MAX - lane->received) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the answer is larger than %u MB",
                          (unsigned) (AT_AI_ANSWER_MAX / AT_AI_MB));
        return AT_ERROR;
    }

    if (len == 0) {
        return AT_OK;
    }

    if (lane->content_encoded) {
        /* The status and the headers are the verdict. */
        rc = AT_ERROR;

    } else if (at_ai_lane_success(lane)) {
        rc = lane->provider->format->data(lane, p, len);

    } else {
        rc = at_ai_error_data(lane, p, len);
    }

    lane->received += len;

    if (rc != AT_OK) {
        lane->stopped = 1;
    }

    return rc;
}


int
at_ai_lane_skip(at_ai_lane_t *lane, size_t len)
{
    if (lane->stopped || lane->content_encoded || !at_ai_lane_success(lane)
        || lane->provider->format->poll)
    {
        return AT_ERROR;
    }

    if (!lane->skipped) {
        lane->skipped = 1;
        at_buf_free(&lane->picture);
    }

    lane->received += len;

    return AT_OK;
}


/*
 * Only a picture has to be whole.  A verdict that was read stands, an error
 * answer has said the most of it by its status, and whoever closes early
 * often does so after a 4xx.
 */

static int
at_ai_lane_broke(const at_ai_lane_t *lane, int complete)
{
    return !complete && lane->class == AT_AI_CLASS_NONE
           && (lane->status < 300 || lane->status > 599);
}


static at_ai_step_e
at_ai_lane_judge(at_ai_lane_t *lane, int broke)
{
    if (lane->class != AT_AI_CLASS_NONE) {
        return AT_AI_FAILED;
    }

    if (broke) {
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the connection broke after %zu bytes of the "
                          "answer (status %u)", lane->received, lane->status);
    }

    if (lane->call.target == AT_AI_TO_RESULT && lane->status != 200) {
        return at_ai_result_failed(lane);
    }

    if (!at_ai_status_2xx(lane->status)) {
        return at_ai_error_end(lane);
    }

    if (!at_ai_lane_success(lane)) {
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "status %u carries no whole picture", lane->status);
    }

    if (lane->content_encoded) {
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the answer has a content-encoding: send an empty "
                          "Accept-Encoding to this provider");
    }

    if (lane->skipped) {
        return AT_AI_DONE;
    }

    return lane->provider->format->end(lane);
}


at_ai_step_e
at_ai_lane_end(at_ai_lane_t *lane, int complete)
{
    int               broke;
    at_ai_step_e      step;
    at_ai_private_t  *p;

    p = at_ai_private(lane);

    /*
     * A result host says nothing about the provider's limits, and what a
     * poll that went well says is about polls.
     */

    if (lane->call.target == AT_AI_TO_RESULT
        || (p->polling && at_ai_status_2xx(lane->status)))
    {
        lane->retry_after_ms = -1;

    } else {
        lane->retry_after_ms = at_ai_retry_wait(&p->retry, lane->status);
    }

    broke = at_ai_lane_broke(lane, complete);
    step = at_ai_lane_judge(lane, broke);

    if (step == AT_AI_FAILED && lane->provider->format->again) {
        step = lane->provider->format->again(lane, broke);
    }

    if (step == AT_AI_NEXT || step == AT_AI_WAIT) {

        if (lane->calls < AT_AI_CALLS_MAX) {
            lane->calls++;
            return step;
        }

        step = at_ai_fail(lane, AT_AI_TRANSIENT,
                          "%u calls brought no picture", lane->calls);
    }

    if (step == AT_AI_FAILED) {

        if (!at_ai_class_passing(lane->class)) {
            lane->retry_after_ms = -1;
        }

        return step;
    }

    if (!lane->has_seed && p->seed_sent) {
        lane->seed = lane->request->seed;
        lane->has_seed = 1;
    }

    return step;
}
