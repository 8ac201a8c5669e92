/*
 * Answers of /attempt (see queue_attempt.h): the answer of /generate, or a
 * problem whose code, attempts and jobs say what is to be done next.
 */

#include "queue_attempt.h"
#include "at_json.h"
#include "at_text.h"

#include <stdio.h>


/* What stands in a body. */
typedef struct {
    queue_answer_t  *answer;
    unsigned         done:1;        /* status is that */
    unsigned         asked:1;       /* one was, and did not say "later" */
    unsigned         jobs:1;
} queue_body_t;


static int queue_answer_body(const at_fetch_call_t *call, queue_body_t *body);
static int queue_answer_value(void *data, const char *path,
    at_json_type_e type, at_str_t text);
static void queue_answer_text(char *out, size_t size, at_str_t text);
static queue_verdict_e queue_answer_failed(const at_fetch_call_t *call);
static queue_verdict_e queue_answer_other(const at_fetch_call_t *call);
static queue_verdict_e queue_answer_problem(const at_fetch_call_t *call,
    const queue_body_t *body);


void
queue_answer_read(const at_fetch_call_t *call, queue_answer_t *answer)
{
    queue_body_t  body = { .answer = answer };

    memset(answer, 0, sizeof(queue_answer_t));

    if (call->outcome != AT_FETCH_OK && call->outcome != AT_FETCH_STATUS) {
        answer->verdict = queue_answer_failed(call);

    } else if (queue_answer_body(call, &body) != AT_OK) {
        answer->code[0] = '\0';
        answer->verdict = queue_answer_other(call);

    } else if (call->outcome == AT_FETCH_OK) {
        answer->verdict = body.done ? QUEUE_IS_DONE : QUEUE_IS_AWAY;

    } else {
        answer->problem = (answer->code[0] != '\0');
        answer->verdict = answer->problem ? queue_answer_problem(call, &body)
                                          : queue_answer_other(call);
    }

    if (answer->verdict != QUEUE_IS_DONE && answer->code[0] == '\0') {
        (void) snprintf(answer->code, sizeof(answer->code), "attempt_failed");
        (void) snprintf(answer->detail, sizeof(answer->detail),
                        "/attempt: %s", call->why);
    }
}


/* Not AT_OK: it is no JSON, or there is no memory. */

static int
queue_answer_body(const at_fetch_call_t *call, queue_body_t *body)
{
    at_str_t           text;
    at_json_limits_t   limits = { .string = 128 * 1024, .cut = 1 };
    at_json_handler_t  handler = { .value = queue_answer_value };

    text = at_buf_str(&call->body);

    if (text.len == 0 || !at_utf8_valid(text)) {
        return AT_ERROR;
    }

    return at_json_read(text, &handler, body, &limits, NULL);
}


static int
queue_answer_value(void *data, const char *path, at_json_type_e type,
    at_str_t text)
{
    queue_body_t *body = data;

    if (type != AT_JSON_STRING) {
        return AT_OK;
    }

    if (strcmp(path, "code") == 0) {
        queue_answer_text(body->answer->code, sizeof(body->answer->code),
                          text);

    } else if (strcmp(path, "detail") == 0) {
        queue_answer_text(body->answer->detail, sizeof(body->answer->detail),
                          text);

    } else if (strcmp(path, "status") == 0) {
        body->done = at_str_is(text, "done");

    } else if (strcmp(path, "jobs[].job") == 0) {
        body->jobs = 1;

    } else if (strcmp(path, "attempts[].outcome") == 0
               && !at_str_is(text, "limited") && !at_str_is(text, "open")
               && !at_str_is(text, "unasked")
               && !at_str_is(text, "rate_limited"))
    {
        body->asked = 1;
    }

    return AT_OK;
}


/* As much of a text as fits and PostgreSQL takes. */

static void
queue_answer_text(char *out, size_t size, at_str_t text)
{
    if (text.len >= size) {
        text = at_utf8_cut(text, (size - 1) / 4);
    }

    if (!at_utf8_valid(text) || memchr(text.data, '\0', text.len) != NULL) {
        return;
    }

    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}


/* There is no answer. */

static queue_verdict_e
queue_answer_failed(const at_fetch_call_t *call)
{
    /* nothing was sent, so nothing was tried */

    if (call->outcome == AT_FETCH_FAILED
        && call->head->failure == AT_FETCH_BY_CONNECT)
    {
        return QUEUE_IS_AWAY;
    }

    return QUEUE_IS_PASSING;
}


/* An answer that is none of /attempt: what it hits may be one request alone. */

static queue_verdict_e
queue_answer_other(const at_fetch_call_t *call)
{
    switch (call->status) {

    case 200:
    case 401:
    case 403:
    case 404:
    case 405:
        return QUEUE_IS_AWAY;

    case 429:
    case 503:
        return QUEUE_IS_LIMITED;

    default:
        return QUEUE_IS_PASSING;
    }
}


static queue_verdict_e
queue_answer_problem(const at_fetch_call_t *call, const queue_body_t *body)
{
    const char  *code = body->answer->code;

    if (call->status == 404 || call->status == 405) {
        return QUEUE_IS_AWAY;
    }

    if (body->jobs) {
        return QUEUE_IS_ADOPTED;
    }

    /* another one has the lease, or PostgreSQL is away: it comes out later */

    if (call->status == 409 || strcmp(code, "queue_unavailable") == 0) {
        return QUEUE_IS_BUSY;
    }

    if (call->status == 429 || strcmp(code, "too_many_in_flight") == 0
        || (strcmp(code, "providers_unavailable") == 0 && !body->asked))
    {
        return QUEUE_IS_LIMITED;
    }

    return (call->status < 500 || call->status == 502) ? QUEUE_IS_FINAL
                                                       : QUEUE_IS_PASSING;
}
