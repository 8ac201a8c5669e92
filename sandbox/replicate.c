/*
 * Replicate: POST /v1/models/{owner}/{name}/predictions and
 * POST /v1/predictions, which begin a prediction.
 *
 * "Prefer: wait" holds the first answer back until the work is over, which
 * then says "processing" beside its output, as recorded from the real one.
 * Inputs that a model does not know are ignored; those known here must have
 * their type.  Predictions
 * themselves are predictions.c's, and polls.c asks for them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"


#define SB_VERSION         64           /* hex digits */
#define SB_WAIT_S          60           /* Prefer: wait, at most */
#define SB_CANCEL_MIN_MS   5000
#define SB_OUTPUTS_MAX     4
#define SB_SLICE_MS        20           /* to notice a cancel call */
#define SB_REPLICATE_SEED  4294967296ull


typedef struct {
    const char  *name;
    unsigned     width;
    unsigned     height;
} sb_ratio_t;


static const sb_ratio_t  sb_ratios[] = {
    { "1:1", 1024, 1024 },
    { "16:9", 1344, 768 },
    { "9:16", 768, 1344 },
    { "4:3", 1152, 896 },
    { "3:4", 896, 1152 },
    { "3:2", 1216, 832 },
    { "2:3", 832, 1216 },
    { "5:4", 1088, 896 },
    { "4:5", 896, 1088 },
    { "21:9", 1536, 640 },
    { "9:21", 640, 1536 },
    { NULL, 0, 0 }
};


static void
sb_replicate_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    yajl_gen     g;
    const char  *title;

    title = e->code ? e->code
            : status == 401 ? "Unauthenticated"
            : status == 404 ? "Not found"
            : status == 422 ? "Input validation failed"
            : status == 429 ? "Too many requests"
            : status >= 500 ? "Internal server error" : "Bad request";

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member(g, "title", title);
    sb_gen_member(g, "detail", e->message);
    sb_gen_member_int(g, "status", status);

    if (e->param) {
        sb_gen_text(g, "invalid_fields");
        yajl_gen_array_open(g);
        yajl_gen_map_open(g);
        sb_gen_member(g, "type", "invalid_type");
        sb_gen_member(g, "field", e->param);
        sb_gen_member(g, "description", e->message);
        yajl_gen_map_close(g);
        yajl_gen_array_close(g);
    }

    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
    sb_answer_type(c, "application/problem+json");
}


static void
sb_replicate_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));

    if (status == 429) {
        snprintf(e.message, sizeof(e.message), "Request was throttled.");

    } else {
        snprintf(e.message, sizeof(e.message), "The server could not answer, "
                 "please try again later.");
    }

    sb_replicate_error(c, status, &e);
}


/* Its refusals say in words how long; every other answer says it here. */

static void
sb_replicate_decorate(sb_call_t *c)
{
    double     after;
    long long  up, remaining;

    if (c->answer.status == 429) {
        return;
    }

    after = c->decided ? c->settings.retry_after : 1;
    remaining = c->decided ? c->settings.remaining : 599;
    up = (long long) after + (after > (double) (long long) after);

    sb_answer_header(c, "ratelimit-remaining", "%lld", remaining);
    sb_answer_header(c, "ratelimit-reset", "%lld", up);
}


int
sb_replicate_key(sb_call_t *c)
{
    const char  *key;

    if (sb_check_key(c, &key) == SB_OK) {
        return SB_OK;
    }

    sb_refuse(c, 401, NULL, NULL, "%s", key
              ? "You did not pass a valid authentication token"
              : "You did not pass an authentication token");

    return SB_ERROR;
}


int
sb_replicate_method(sb_call_t *c, const char *method)
{
    if (strcmp(c->method, method) == 0) {
        return SB_OK;
    }

    sb_refuse(c, 405, "Method not allowed", NULL, "Method \"%s\" not allowed.",
              c->method);
    sb_answer_header(c, "Allow", "%s", method);

    return SB_ERROR;
}


/* "owner/name" behind /v1/models/, or the body's version. */

static int
sb_replicate_model(sb_call_t *c, sb_job_t *job)
{
    size_t       len;
    const char  *p, *tail;

    if (strcmp(c->rest, "/v1/predictions") != 0) {
        p = c->rest + 11;                       /* behind "/v1/models/" */
        len = strcspn(p, "/");
        tail = p + len + (p[len] == '/');
        tail += strcspn(tail, "/");

        if (len == 0 || tail == p + len + 1
            || strcmp(tail, "/predictions") != 0)
        {
            sb_refuse(c, 404, NULL, NULL,
                      "The requested resource could not be found.");
            return SB_ERROR;
        }

        job->model = p;
        return SB_OK;
    }

    p = YAJL_GET_STRING(sb_json_get(job->json, "version"));

    if (p == NULL) {
        sb_refuse(c, 422, NULL, "version", "- version is required\n");
        return SB_ERROR;
    }

    job->model = p;
    tail = strrchr(p, ':');
    tail = tail ? tail + 1 : p;

    if (strlen(tail) != SB_VERSION
        || strspn(tail, "0123456789abcdef") != SB_VERSION)
    {
        sb_refuse(c, 422, "Invalid version or not permitted", NULL,
                  "The specified version does not exist (or perhaps you don't "
                  "have permission to use it?)");
        return SB_ERROR;
    }

    return SB_OK;
}


/* An optional integer in a range; *out is its default before. */

static int
sb_replicate_integer(sb_call_t *c, yajl_val input, const char *name,
    long long min, long long max, long long *out)
{
    char      field[40];
    yajl_val  v;

    v = sb_json_get(input, name);

    if (v == NULL || YAJL_IS_NULL(v)) {
        return SB_OK;
    }

    snprintf(field, sizeof(field), "input.%s", name);

    if (!YAJL_IS_INTEGER(v)) {
        sb_refuse(c, 422, NULL, field, "- %s: Invalid type. Expected: "
                  "integer, given: %s\n", field, sb_json_type(v));
        return SB_ERROR;
    }

    if (YAJL_GET_INTEGER(v) < min || YAJL_GET_INTEGER(v) > max) {
        sb_refuse(c, 422, NULL, field, "- %s: Must be from %lld to %lld\n",
                  field, min, max);
        return SB_ERROR;
    }

    *out = YAJL_GET_INTEGER(v);

    return SB_OK;
}


static int
sb_replicate_size(sb_call_t *c, sb_job_t *job, yajl_val input)
{
    long long          w, h;
    const char        *text;
    const sb_ratio_t  *r;

    w = 1024;
    h = 1024;
    text = YAJL_GET_STRING(sb_json_get(input, "aspect_ratio"));

    if (text) {
        for (r = sb_ratios; r->name && strcmp(r->name, text) != 0; r++) {
            /* void */
        }

        if (r->name == NULL) {
            sb_refuse(c, 422, NULL, "input.aspect_ratio",
                      "- input.aspect_ratio: Not one of the values allowed\n");
            return SB_ERROR;
        }

        w = r->width;
        h = r->height;
    }

    if (sb_replicate_integer(c, input, "width", SB_SIDE_MIN, SB_SIDE_MAX, &w)
        != SB_OK
        || sb_replicate_integer(c, input, "height", SB_SIDE_MIN, SB_SIDE_MAX,
                                &h)
           != SB_OK)
    {
        return SB_ERROR;
    }

    job->width = (unsigned) w;
    job->height = (unsigned) h;

    return SB_OK;
}


static int
sb_replicate_input(sb_call_t *c, sb_job_t *job)
{
    yajl_val     input, v;
    long long    n, seed;
    const char  *text;

    input = sb_json_get(job->json, "input");

    if (!YAJL_IS_OBJECT(input)) {
        sb_refuse(c, 422, NULL, "input", "- input is required\n");
        return SB_ERROR;
    }

    text = YAJL_GET_STRING(sb_json_get(input, "prompt"));

    if (text == NULL || *text == '\0') {
        sb_refuse(c, 422, NULL, "input.prompt",
                  "- input.prompt is required\n");
        return SB_ERROR;
    }

    sb_buf_add(&job->prompt, text, strlen(text));

    v = sb_json_get(input, "negative_prompt");

    if (v && !YAJL_IS_STRING(v) && !YAJL_IS_NULL(v)) {
        sb_refuse(c, 422, NULL, "input.negative_prompt",
                  "- input.negative_prompt: Invalid type. Expected: string, "
                  "given: %s\n", sb_json_type(v));
        return SB_ERROR;
    }

    n = 1;
    seed = (long long) (sb_provider_random(c->provider) % SB_REPLICATE_SEED);

    if (sb_replicate_size(c, job, input) != SB_OK
        || sb_replicate_integer(c, input, "num_outputs", 1, SB_OUTPUTS_MAX,
                                &n) != SB_OK
        || sb_replicate_integer(c, input, "seed", 0, 9007199254740991, &seed)
           != SB_OK)
    {
        return SB_ERROR;
    }

    job->n = (unsigned) n;
    job->seed = (uint64_t) seed;

    text = YAJL_GET_STRING(sb_json_get(input, "output_format"));
    job->format = (text == NULL || text[0] == 'w') ? SB_FORMAT_WEBP
                  : text[0] == 'j' ? SB_FORMAT_JPEG : SB_FORMAT_PNG;

    return SB_OK;
}


/* "30", "15s", "1m30s", "1h": milliseconds, or -1. */

static int64_t
sb_replicate_duration(const char *text)
{
    char       *end;
    int64_t     ms;
    long long   n;

    ms = 0;

    do {
        if (*text < '0' || *text > '9') {
            return -1;
        }

        n = strtoll(text, &end, 10);

        if (n > 86400) {
            return -1;
        }

        ms += n * (*end == 'h' ? 3600000 : *end == 'm' ? 60000 : 1000);

        if (*end && strchr("hms", *end) == NULL) {
            return -1;
        }

        text = end + (*end != '\0');

    } while (*text);

    return ms;
}


static int
sb_replicate_headers(sb_call_t *c, sb_job_t *job)
{
    char        *end;
    long long    n;
    const char  *text;

    job->wait_ms = -1;
    job->cancel_after_ms = -1;

    text = sb_call_header(c, "Prefer");

    if (text && strncmp(text, "wait", 4) == 0) {
        n = SB_WAIT_S;

        if (text[4]) {
            n = (text[4] == '=') ? strtoll(text + 5, &end, 10) : 0;

            if (n < 1 || n > SB_WAIT_S || *end) {
                sb_refuse(c, 422, "Invalid Prefer header", NULL,
                          "Prefer: wait takes 1 to %d seconds", SB_WAIT_S);
                return SB_ERROR;
            }
        }

        job->wait_ms = n * 1000;
    }

    text = sb_call_header(c, "Cancel-After");

    if (text) {
        job->cancel_after_ms = sb_replicate_duration(text);

        if (job->cancel_after_ms < SB_CANCEL_MIN_MS) {
            sb_refuse(c, 422, "Invalid Cancel-After header", NULL,
                      "Cancel-After takes a duration such as 1m30s, of at "
                      "least 5 seconds");
            return SB_ERROR;
        }
    }

    job->reply = (job->wait_ms < 0) ? SB_REPLY_URL : SB_REPLY_DATA_URL;

    return SB_OK;
}


static int
sb_replicate_read(sb_call_t *c, sb_job_t *job)
{
    const char  *why;

    if (sb_replicate_method(c, "POST") != SB_OK
        || sb_replicate_key(c) != SB_OK)
    {
        return SB_ERROR;
    }

    if (!sb_media_type_is(c, "application/json")) {
        sb_refuse(c, 415, "Unsupported media type", NULL,
                  "The Content-Type must be application/json");
        return SB_ERROR;
    }

    job->json = sb_json_parse(&c->body, &why);

    if (job->json == NULL || !YAJL_IS_OBJECT(job->json)) {
        sb_refuse(c, 400, NULL, NULL, "The body is not a JSON object: %s",
                  job->json ? "something else" : why);
        return SB_ERROR;
    }

    if (sb_replicate_model(c, job) != SB_OK
        || sb_replicate_headers(c, job) != SB_OK
        || sb_replicate_input(c, job) != SB_OK)
    {
        return SB_ERROR;
    }

    return SB_OK;
}


/* One element of the output. */

static int
sb_replicate_picture(sb_call_t *c, const sb_job_t *job, sb_picture_t *p,
    yajl_gen g)
{
    int       rc;
    char      url[512];
    sb_buf_t  text;

    if (job->url) {
        sb_gen_text(g, job->url);
        return SB_OK;
    }

    if (job->reply == SB_REPLY_URL) {
        rc = sb_file_store(c->provider->name, p, url, sizeof(url));
        sb_gen_text(g, rc == SB_OK ? url : "");
        return rc;
    }

    memset(&text, 0, sizeof(sb_buf_t));

    if (job->reply == SB_REPLY_DATA_URL) {
        sb_buf_print(&text, "data:%s;base64,", p->type);
    }

    if (p->b64.len) {
        sb_buf_add(&text, p->b64.data, p->b64.len);

    } else {
        sb_buf_base64(&text, p->data.data, p->data.len);
    }

    rc = text.failed ? SB_ERROR : SB_OK;
    sb_gen_bytes(g, text.failed ? "" : text.data, text.failed ? 0 : text.len);
    sb_buf_free(&text);

    return rc;
}


/* The output as JSON; "null" for work that has none. */

static int
sb_replicate_output(sb_call_t *c, const sb_job_t *job, sb_picture_t *p,
    sb_buf_t *out)
{
    int       rc, list;
    size_t    i;
    yajl_gen  g;

    if (p[0].null || (job->ending && !job->filtered)) {
        return sb_buf_print(out, "null");
    }

    rc = SB_OK;
    list = c->settings.list || job->n > 1;
    g = sb_gen_new();

    if (list) {
        yajl_gen_array_open(g);
    }

    for (i = 0; i < job->n; i++) {
        if (sb_replicate_picture(c, job, &p[i], g) != SB_OK) {
            rc = SB_ERROR;
        }
    }

    if (list) {
        yajl_gen_array_close(g);
    }

    sb_gen_end(g, out);

    return out->failed ? SB_ERROR : rc;
}


static int
sb_replicate_create(sb_call_t *c, const sb_job_t *job, sb_picture_t *p,
    char id[33])
{
    int               rc;
    size_t            len;
    yajl_gen          g;
    sb_buf_t          input, output;
    const char       *slash;
    sb_prediction_t   new;

    memset(&new, 0, sizeof(sb_prediction_t));
    memset(&input, 0, sizeof(sb_buf_t));
    memset(&output, 0, sizeof(sb_buf_t));

    g = sb_gen_new();
    sb_gen_value(g, sb_json_get(job->json, "input"));
    sb_gen_end(g, &input);

    rc = sb_replicate_output(c, job, p, &output);

    slash = strchr(job->model, '/');
    len = slash ? (size_t) (slash - job->model) + 1 : 0;
    len += strcspn(job->model + len, "/:");

    sb_hex_id(new.id, 13);
    snprintf(new.provider, sizeof(new.provider), "%s", c->provider->name);
    new.model = strndup(job->model, len);
    new.input = input.data;
    new.output = output.data;
    new.ending = job->ending ? job->ending : "succeeded";
    new.failure = job->failure;
    new.seed = job->seed;
    new.created = sb_now_ms();
    new.starts = new.created + c->settings.queue_ms;
    new.ends = new.starts + c->settings.run_ms;
    new.dies = (job->cancel_after_ms < 0)
               ? INT64_MAX : new.created + job->cancel_after_ms;
    new.stopped = INT64_MAX;

    if (rc != SB_OK || input.failed || new.model == NULL) {
        free(new.model);
        sb_buf_free(&input);
        sb_buf_free(&output);
        return SB_ERROR;
    }

    memcpy(id, new.id, sizeof(new.id));

    return sb_prediction_add(&new);
}


static void
sb_replicate_write(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    char       id[33];
    int64_t    left, until;
    sb_tell_e  tell;

    if (sb_replicate_create(c, job, p, id) != SB_OK) {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    tell = SB_TELL_NEW;
    until = sb_now_ms() + job->wait_ms;

    while (job->wait_ms >= 0) {
        tell = SB_TELL_WAITED;
        left = until - sb_now_ms();

        if (left <= 0 || sb_prediction_over(c->provider->name, id) != 0) {
            break;
        }

        if (sb_call_wait(c, left < SB_SLICE_MS ? left : SB_SLICE_MS)
            != SB_OK)
        {
            c->answer.deliver = SB_DELIVER_CLOSE;
            return;
        }
    }

    sb_answer_begin(c, 201, "application/json");

    if (sb_prediction_print(c->provider->name, id, tell, &c->answer.body)
        != SB_OK)
    {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    if (job->wait_ms >= 0) {
        sb_answer_header(c, "Preference-Applied", "wait");
    }
}


static int
sb_replicate_moderate(sb_call_t *c, sb_job_t *job, const char *variant)
{
    (void) c;

    job->ending = "failed";

    if (strcmp(variant, "nsfw") == 0 || strcmp(variant, "nsfw_output") == 0) {
        job->failure = "NSFW content detected. Try running it again, or try a "
                       "different prompt.";
        job->filtered = (variant[4] != '\0');
        return SB_OK;
    }

    if (strcmp(variant, "flagged") == 0) {
        job->failure = "The input or output was flagged as sensitive. Please "
                       "try again with different inputs. (E005)";
        return SB_OK;
    }

    return SB_ERROR;
}


static int
sb_replicate_fail(sb_call_t *c, sb_job_t *job, const char *variant)
{
    (void) c;

    if (strcmp(variant, "error") == 0) {
        job->ending = "failed";
        job->failure = "CUDA out of memory. Tried to allocate 2.00 GiB.";
        return SB_OK;
    }

    if (strcmp(variant, "canceled") == 0) {
        job->ending = "canceled";
        return SB_OK;
    }

    if (strcmp(variant, "aborted") == 0) {
        job->ending = "aborted";
        return SB_OK;
    }

    return SB_ERROR;
}


const sb_api_t  sb_api_replicate = {
    .name = "replicate",
    .moderated = "nsfw",
    .failed = "error",
    .credit = "Insufficient credit",
    .url = 1,
    .read = sb_replicate_read,
    .write = sb_replicate_write,
    .error = sb_replicate_error,
    .failure = sb_replicate_failure,
    .moderate = sb_replicate_moderate,
    .fail = sb_replicate_fail,
    .decorate = sb_replicate_decorate
};
