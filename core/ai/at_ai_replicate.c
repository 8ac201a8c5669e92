/*
 * Format "replicate": a prediction is created, and asked for until it ends.
 *
 * The creating call waits a while for the picture (Prefer: wait) and often has
 * it; otherwise the prediction is polled by its id.  What counts is the output:
 * answers have been seen that hold the picture and say "processing".  A
 * prediction that has been created is paid for, so a poll that fails is made
 * again before its lane is given up.  Called through the table in at_ai.c;
 * lane->state is the at_ai_replicate_t, freed by cleanup.
 *
 * What is asked: models have inputs of their own, and those that Replicate
 * runs officially (model=owner/name) take aspect_ratio, while most others
 * (model=owner/name:version, or the version alone) take width and height.
 * Inputs a model does not know are ignored there.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_REPLICATE_PROMPT    10000
#define AT_AI_REPLICATE_VERSION   64        /* hex digits */
#define AT_AI_REPLICATE_POLL      250       /* ms, growing by half */
#define AT_AI_REPLICATE_POLL_MAX  2000
#define AT_AI_REPLICATE_MISSES    3         /* polls in a row that failed */

/*
 * Seconds, but for the part.  The creating call is held back for a part of
 * the lane's deadline only: until it is answered the id is not known, and a
 * job without an id can neither be called off when its lane has lost nor be
 * adopted.  The provider itself ends a job that we forget, so long after the
 * deadline that whoever adopts it still finds it running.
 */
#define AT_AI_REPLICATE_WAIT_PART   3       /* a third */
#define AT_AI_REPLICATE_WAIT_LEAST  2       /* of deadline, for any wait */
#define AT_AI_REPLICATE_WAIT_MAX    60
#define AT_AI_REPLICATE_SLACK       60
#define AT_AI_REPLICATE_CANCEL_MAX  86400


typedef enum {
    AT_AI_REPLICATE_UNSAID,
    AT_AI_REPLICATE_RUNNING,    /* and words not known yet */
    AT_AI_REPLICATE_SUCCEEDED,
    AT_AI_REPLICATE_FAILED,
    AT_AI_REPLICATE_ENDED       /* canceled, aborted */
} at_ai_replicate_status_e;


typedef struct {
    at_ai_replicate_status_e  status;       /* of the answer under way */
    char                      word[16];     /* and in its own letters */
    int64_t                   poll_ms;
    unsigned                  misses;
    char                      prefer[32];
    char                      cancel_after[32];
} at_ai_replicate_t;


typedef struct {
    at_str_t  name;             /* "owner/name"; or empty */
    at_str_t  version;          /* or empty */
} at_ai_replicate_model_t;


/* A row for owners whose models differ; the last one is everybody else. */

static const struct {
    at_str_t             owner;
    const at_ai_size_t  *ratios;
    size_t               nratios;

} at_ai_replicate_owners[] = {

    { { 13, "stability-ai/" }, (const at_ai_size_t[]) {
        { 1, 1 }, { 16, 9 }, { 9, 16 }, { 3, 2 }, { 2, 3 }, { 5, 4 },
        { 4, 5 }, { 21, 9 }, { 9, 21 } }, 9 },

    { { 0, "" }, (const at_ai_size_t[]) {
        { 1, 1 }, { 16, 9 }, { 9, 16 }, { 4, 3 }, { 3, 4 } }, 5 }
};


static const at_ai_range_t  at_ai_replicate_range = {
    .step = 64,
    .side_min = 128,
    .side_max = 2048,
    .area_min = 512 * 512,
    .area_max = 1024 * 1024
};


static const char  *at_ai_replicate_pictures[] = {
    "output", "output[]", NULL
};


static int
at_ai_replicate_version(at_str_t s)
{
    size_t  i;

    if (s.len != AT_AI_REPLICATE_VERSION) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        if (strchr("0123456789abcdef", s.data[i]) == NULL
            || s.data[i] == '\0')
        {
            return 0;
        }
    }

    return 1;
}


/* One part of "owner/name", as it may stand in a path. */

static int
at_ai_replicate_part(const char *p, size_t len)
{
    size_t  i;

    if (len == 0 || p[0] == '.') {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z')
              || (p[i] >= '0' && p[i] <= '9') || p[i] == '_' || p[i] == '-'
              || p[i] == '.'))
        {
            return 0;
        }
    }

    return 1;
}


static int
at_ai_replicate_model(at_str_t text, at_ai_replicate_model_t *m)
{
    size_t       owner;
    const char  *p;

    memset(m, 0, sizeof(at_ai_replicate_model_t));

    if (at_ai_replicate_version(text)) {
        m->version = text;
        return AT_OK;
    }

    m->name = text;

    p = text.len ? memchr(text.data, ':', text.len) : NULL;

    if (p) {
        m->name.len = (size_t) (p - text.data);
        m->version = (at_str_t) { text.len - m->name.len - 1, p + 1 };

        if (!at_ai_replicate_version(m->version)) {
            return AT_ERROR;
        }
    }

    p = m->name.len ? memchr(text.data, '/', m->name.len) : NULL;
    if (p == NULL) {
        return AT_ERROR;
    }

    owner = (size_t) (p - text.data);

    if (!at_ai_replicate_part(text.data, owner)
        || !at_ai_replicate_part(p + 1, m->name.len - owner - 1))
    {
        return AT_ERROR;
    }

    return AT_OK;
}


static const char *
at_ai_replicate_check(const at_ai_provider_t *provider)
{
    at_ai_replicate_model_t  m;

    if (at_ai_replicate_model(provider->model, &m) != AT_OK) {
        return "the model must be \"owner/name\", \"owner/name:version\" or "
               "a version, which has 64 digits of 0-9 and a-f";
    }

    return NULL;
}


static int
at_ai_replicate_size(at_ai_lane_t *lane, const at_ai_replicate_model_t *m)
{
    size_t        i;
    at_str_t      owner;
    at_ai_size_t  size;

    if (!at_ai_size_asked(lane->request, &size)) {
        return AT_OK;
    }

    if (m->version.len) {
        size = at_ai_size_fit(size, &at_ai_replicate_range);

        return at_buf_printf(&lane->body, ",\"width\":%u,\"height\":%u",
                             size.width, size.height);
    }

    for (i = 0; /* void */ ; i++) {
        owner = at_ai_replicate_owners[i].owner;

        if (m->name.len >= owner.len
            && at_str_ieq((at_str_t) { owner.len, m->name.data }, owner))
        {
            break;
        }
    }

    size = at_ai_replicate_owners[i].ratios[at_ai_size_nearest(size,
                at_ai_replicate_owners[i].ratios,
                at_ai_replicate_owners[i].nratios)];

    return at_buf_printf(&lane->body, ",\"aspect_ratio\":\"%u:%u\"",
                         size.width, size.height);
}


static int
at_ai_replicate_body(at_ai_lane_t *lane, const at_ai_replicate_model_t *m)
{
    at_buf_t  *b;

    b = &lane->body;

    if (at_buf_append_str(b, AT_STR("{")) != AT_OK) {
        return AT_ERROR;
    }

    if (m->version.len
        && at_buf_printf(b, "\"version\":\"%.*s\",", (int) m->version.len,
                         m->version.data)
           != AT_OK)
    {
        return AT_ERROR;
    }

    if (at_buf_append_str(b, AT_STR("\"input\":{\"prompt\":")) != AT_OK
        || at_json_write_string(b, at_buf_str(&lane->sent_prompt)) != AT_OK
        || at_buf_append_str(b, AT_STR(",\"negative_prompt\":")) != AT_OK
        || at_json_write_string(b, at_buf_str(&lane->sent_negative)) != AT_OK
        || at_ai_replicate_size(lane, m) != AT_OK)
    {
        return AT_ERROR;
    }

    if (lane->request->has_seed) {
        if (at_buf_printf(b, ",\"seed\":%lu",
                          (unsigned long) lane->request->seed)
            != AT_OK)
        {
            return AT_ERROR;
        }

        at_ai_private(lane)->seed_sent = 1;
    }

    return at_buf_append_str(b, AT_STR(",\"output_format\":\"png\"}}"));
}


/*
 * No wait if the deadline is too near for one, and no end that the provider
 * would not take.  Without a deadline it waits as long as it likes to.
 */

static int
at_ai_replicate_times(at_ai_lane_t *lane, at_ai_replicate_t *r)
{
    int      len;
    int64_t  s;

    if (lane->provider->timeout_ms <= 0) {
        return at_ai_call_header(lane, AT_STR("Prefer"), AT_STR("wait"));
    }

    s = lane->provider->timeout_ms / 1000;

    if (s >= AT_AI_REPLICATE_WAIT_LEAST) {
        s = s / AT_AI_REPLICATE_WAIT_PART;
        s = (s < 1) ? 1 : s;
        s = (s < AT_AI_REPLICATE_WAIT_MAX) ? s : AT_AI_REPLICATE_WAIT_MAX;
        len = snprintf(r->prefer, sizeof(r->prefer), "wait=%d", (int) s);

        if (at_ai_call_header(lane, AT_STR("Prefer"),
                              (at_str_t) { (size_t) len, r->prefer })
            != AT_OK)
        {
            return AT_ERROR;
        }
    }

    s = lane->provider->timeout_ms / 1000
        + (lane->provider->timeout_ms % 1000 != 0) + AT_AI_REPLICATE_SLACK;

    if (s > AT_AI_REPLICATE_CANCEL_MAX) {
        return AT_OK;
    }

    len = snprintf(r->cancel_after, sizeof(r->cancel_after), "%ds", (int) s);

    return at_ai_call_header(lane, AT_STR("Cancel-After"),
                             (at_str_t) { (size_t) len, r->cancel_after });
}


/* "status" of a prediction; what else it may become is waited for. */

static void
at_ai_replicate_said(at_ai_replicate_t *r, at_str_t text)
{
    size_t  n;

    n = (text.len < sizeof(r->word)) ? text.len : sizeof(r->word) - 1;
    memcpy(r->word, text.data, n);
    r->word[n] = '\0';

    if (at_str_is(text, "succeeded")) {
        r->status = AT_AI_REPLICATE_SUCCEEDED;

    } else if (at_str_is(text, "failed")) {
        r->status = AT_AI_REPLICATE_FAILED;

    } else if (at_str_is(text, "canceled") || at_str_is(text, "aborted")) {
        r->status = AT_AI_REPLICATE_ENDED;

    } else {
        r->status = AT_AI_REPLICATE_RUNNING;
    }
}


static int
at_ai_replicate_value(at_ai_lane_t *lane, const char *path,
    at_json_type_e type, at_str_t text)
{
    if (type != AT_JSON_STRING || text.len == 0) {
        return AT_OK;
    }

    if (strcmp(path, "status") == 0) {
        at_ai_replicate_said(lane->state, text);

    } else if (strcmp(path, "id") == 0 && lane->job.len == 0) {
        (void) at_ai_job_set(lane, text);
    }

    return AT_OK;
}


static const at_ai_shape_t  at_ai_replicate_shape = {
    at_ai_replicate_pictures,
    at_ai_replicate_value
};


static int
at_ai_replicate_build(at_ai_lane_t *lane)
{
    at_ai_replicate_t        *r;
    at_ai_replicate_model_t   m;

    if (at_ai_replicate_model(lane->provider->model, &m) != AT_OK) {
        return AT_ERROR;
    }

    r = calloc(1, sizeof(at_ai_replicate_t));
    if (r == NULL) {
        return AT_ERROR;
    }

    r->poll_ms = AT_AI_REPLICATE_POLL;
    lane->state = r;

    if (at_ai_prompt(lane, AT_AI_REPLICATE_PROMPT) != AT_OK
        || at_ai_replicate_body(lane, &m) != AT_OK
        || at_ai_call_post(lane, AT_STR("application/json"),
                           AT_STR("application/json"))
           != AT_OK
        || at_ai_replicate_times(lane, r) != AT_OK)
    {
        return AT_ERROR;
    }

    if (m.version.len == 0
        && at_buf_printf(&lane->text, "models/%.*s/", (int) m.name.len,
                         m.name.data)
           != AT_OK)
    {
        return AT_ERROR;
    }

    if (at_buf_append_str(&lane->text, AT_STR("predictions")) != AT_OK) {
        return AT_ERROR;
    }

    lane->call.url = at_buf_str(&lane->text);
    at_ai_private(lane)->answer.shape = &at_ai_replicate_shape;

    return AT_OK;
}


static void
at_ai_replicate_begin(at_ai_lane_t *lane)
{
    at_ai_replicate_t  *r;

    r = lane->state;
    r->status = AT_AI_REPLICATE_UNSAID;
    r->word[0] = '\0';
}


static int
at_ai_replicate_poll(at_ai_lane_t *lane)
{
    at_buf_free(&lane->body);
    at_ai_private(lane)->polling = 1;

    return at_ai_job_call(&lane->call, &lane->text, AT_STR("GET"),
                          "predictions/", lane->job, "");
}


static int
at_ai_replicate_cancel(at_str_t job, at_ai_call_t *call, at_buf_t *text)
{
    return at_ai_job_call(call, text, AT_STR("POST"), "predictions/", job,
                          "/cancel");
}


static at_ai_step_e
at_ai_replicate_wait(at_ai_lane_t *lane, at_ai_replicate_t *r, int64_t least)
{
    if (at_ai_replicate_poll(lane) != AT_OK) {
        return at_ai_fail(lane, AT_AI_TRANSIENT, "no memory for a poll");
    }

    lane->wait_ms = (least > r->poll_ms) ? least : r->poll_ms;

    r->poll_ms += r->poll_ms / 2;

    if (r->poll_ms > AT_AI_REPLICATE_POLL_MAX) {
        r->poll_ms = AT_AI_REPLICATE_POLL_MAX;
    }

    return AT_AI_WAIT;
}


/* The prediction is whole JSON and has no output. */

static at_ai_step_e
at_ai_replicate_without(at_ai_lane_t *lane, at_ai_replicate_t *r)
{
    at_ai_error_t  *e;

    e = &at_ai_private(lane)->error;

    switch (r->status) {

    case AT_AI_REPLICATE_UNSAID:
        return at_ai_answer_end(lane);

    case AT_AI_REPLICATE_RUNNING:
        if (lane->job.len) {
            return at_ai_replicate_wait(lane, r, 0);
        }

        return at_ai_fail(lane, AT_AI_TRANSIENT, "status \"%s\" without an "
                          "id to ask for", r->word);

    case AT_AI_REPLICATE_SUCCEEDED:
        at_ai_job_forget(lane);
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the prediction succeeded with an empty output");

    case AT_AI_REPLICATE_FAILED:
        at_ai_job_forget(lane);
        return at_ai_fail(lane, AT_AI_TRANSIENT, "the prediction failed%s%s",
                          e->message[0] ? ": " : "", e->message);

    case AT_AI_REPLICATE_ENDED:
        break;
    }

    at_ai_job_forget(lane);

    return at_ai_fail(lane, AT_AI_TRANSIENT, "the prediction was %s%s%s",
                      r->word, e->message[0] ? ": " : "", e->message);
}


static at_ai_step_e
at_ai_replicate_end(at_ai_lane_t *lane)
{
    at_ai_answer_t     *a;
    at_ai_replicate_t  *r;

    r = lane->state;
    a = &at_ai_private(lane)->answer;

    if (lane->call.target == AT_AI_TO_RESULT) {
        return at_ai_answer_end(lane);
    }

    if (at_ai_answer_whole(lane) != AT_OK) {
        return AT_AI_FAILED;
    }

    r->misses = 0;

    /* A refusal may come with the picture that was refused, blacked out. */

    if (r->status == AT_AI_REPLICATE_FAILED
        && at_ai_error_refusal(&at_ai_private(lane)->error))
    {
        at_ai_job_forget(lane);
        return at_ai_fail(lane, AT_AI_MODERATED, "the prediction failed: %s",
                          at_ai_private(lane)->error.message);
    }

    if (a->body == AT_AI_BODY_BYTES || a->has_picture || a->has_url) {
        lane->job_over = 1;
        return at_ai_answer_end(lane);
    }

    return at_ai_replicate_without(lane, r);
}


/*
 * A job that is under way is asked for again if a connection broke or the
 * provider could not answer; what it did answer stands.
 */

static at_ai_step_e
at_ai_replicate_again(at_ai_lane_t *lane, int broke)
{
    at_ai_replicate_t  *r;

    r = lane->state;

    if (lane->job.len == 0 || lane->job_over
        || (!broke && at_ai_status_2xx(lane->status)))
    {
        return AT_AI_FAILED;
    }

    if (lane->status == 404 || lane->status == 410) {
        at_ai_job_forget(lane);
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "status %u: the prediction is not known any more",
                          lane->status);
    }

    if ((lane->class != AT_AI_TRANSIENT && lane->class != AT_AI_RATE_LIMITED)
        || r->misses == AT_AI_REPLICATE_MISSES)
    {
        return AT_AI_FAILED;
    }

    r->misses++;

    lane->class = AT_AI_CLASS_NONE;
    lane->reason[0] = '\0';

    return at_ai_replicate_wait(lane, r, lane->retry_after_ms);
}


static void
at_ai_replicate_cleanup(at_ai_lane_t *lane)
{
    free(lane->state);
}


const at_ai_format_t  at_ai_replicate = {
    .name = "replicate",
    .prompt_max = AT_AI_REPLICATE_PROMPT,
    .negative_max = AT_AI_REPLICATE_PROMPT,
    .negative = 1,
    .seed = 1,
    .needs_model = 1,
    .paths = 1,
    .cancels = 1,
    .check = at_ai_replicate_check,
    .build = at_ai_replicate_build,
    .begin = at_ai_replicate_begin,
    .data = at_ai_answer_data,
    .end = at_ai_replicate_end,
    .again = at_ai_replicate_again,
    .poll = at_ai_replicate_poll,
    .cancel = at_ai_replicate_cancel,
    .cleanup = at_ai_replicate_cleanup
};
