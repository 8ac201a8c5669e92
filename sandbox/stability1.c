/*
 * Stability v1: POST /v1/generation/{engine}/text-to-image, JSON in, JSON or
 * the picture's bytes out.
 *
 * The older form: finishReason instead of finish_reason, a string "message"
 * in errors, sizes instead of ratios, and SDXL takes nine sizes only; the
 * other engines bound the sides and the area.
 */

#include <stdio.h>
#include <string.h>

#include "sandbox.h"


#define SB_TEXT_MAX   2000
#define SB_TEXTS_MAX  64
#define SB_SEED_MAX   4294967295ll
#define SB_AREA_MIN   (512 * 512)
#define SB_AREA_MAX   (1024 * 1024)


typedef struct {
    const char  *name;
    unsigned     side;          /* default */
    unsigned     min;
    unsigned     max;
    unsigned     xl:1;          /* sb_xl_sizes only */
} sb_engine_t;


static const sb_engine_t  sb_engines[] = {
    { "stable-diffusion-xl-1024-v1-0", 1024, 512, 1536, 1 },
    { "stable-diffusion-xl-1024-v0-9", 1024, 512, 1536, 1 },
    { "stable-diffusion-v1-6", 512, 320, 1536, 0 },
    { "stable-diffusion-512-v2-1", 512, 128, 1536, 0 },
    { NULL, 0, 0, 0, 0 }
};

static const unsigned  sb_xl_sizes[9][2] = {
    { 1024, 1024 }, { 1152, 896 }, { 896, 1152 }, { 1216, 832 },
    { 832, 1216 }, { 1344, 768 }, { 768, 1344 }, { 1536, 640 }, { 640, 1536 }
};


static void
sb_stability1_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    char      id[33], text[600];
    yajl_gen  g;

    sb_hex_id(id, 16);

    snprintf(text, sizeof(text), "%s%s%s", e->param ? e->param : "",
             e->param ? ": " : "", e->message);

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member(g, "id", id);
    sb_gen_member(g, "name", e->code);
    sb_gen_member(g, "message", text);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
}


static void
sb_stability1_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));

    if (status == 429) {
        e.code = "rate_limit_exceeded";
        snprintf(e.message, sizeof(e.message), "You have exceeded the rate "
                 "limit of 150 requests within a 10 second period, and have "
                 "been timed out for 60 seconds.");

    } else {
        e.code = "server_error";
        snprintf(e.message, sizeof(e.message), "An unexpected server error "
                 "has occurred, please try again later.");
    }

    sb_stability1_error(c, status, &e);
}


static int
sb_stability1_texts(sb_call_t *c, sb_job_t *job)
{
    size_t       i;
    yajl_val     list, text, weight;
    const char  *s;

    list = sb_json_get(job->json, "text_prompts");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len == 0
        || list->u.array.len > SB_TEXTS_MAX)
    {
        sb_refuse(c, 400, "bad_request", "text_prompts",
                  "must be an array of 1 to %d objects", SB_TEXTS_MAX);
        return SB_ERROR;
    }

    for (i = 0; i < list->u.array.len; i++) {
        text = sb_json_get(list->u.array.values[i], "text");
        weight = sb_json_get(list->u.array.values[i], "weight");
        s = YAJL_GET_STRING(text);

        if (s == NULL || *s == '\0' || sb_utf8_length(s) > SB_TEXT_MAX) {
            sb_refuse(c, 400, "bad_request", "text_prompts", "[%zu].text must "
                      "be a string of 1 to %d characters", i, SB_TEXT_MAX);
            return SB_ERROR;
        }

        if (weight && !YAJL_IS_NUMBER(weight)) {
            sb_refuse(c, 400, "bad_request", "text_prompts",
                      "[%zu].weight must be a number", i);
            return SB_ERROR;
        }

        if (weight == NULL || YAJL_GET_DOUBLE(weight) > 0) {
            sb_buf_print(&job->prompt, "%s%s", job->prompt.len ? ", " : "",
                         s);
        }
    }

    if (job->prompt.len == 0) {
        sb_refuse(c, 400, "bad_request", "text_prompts",
                  "needs one text of a weight above 0");
        return SB_ERROR;
    }

    return SB_OK;
}


/* An optional integer in a range; *out is its default before. */

static int
sb_stability1_integer(sb_call_t *c, sb_job_t *job, const char *name,
    long long min, long long max, long long *out)
{
    yajl_val  v;

    v = sb_json_get(job->json, name);

    if (v == NULL || YAJL_IS_NULL(v)) {
        return SB_OK;
    }

    if (!YAJL_IS_INTEGER(v) || YAJL_GET_INTEGER(v) < min
        || YAJL_GET_INTEGER(v) > max)
    {
        sb_refuse(c, 400, "bad_request", name,
                  "must be an integer from %lld to %lld", min, max);
        return SB_ERROR;
    }

    *out = YAJL_GET_INTEGER(v);

    return SB_OK;
}


static int
sb_stability1_size(sb_call_t *c, sb_job_t *job, const sb_engine_t *e)
{
    size_t     i;
    long long  w, h;

    w = e->side;
    h = e->side;

    if (sb_stability1_integer(c, job, "width", e->min, e->max, &w) != SB_OK
        || sb_stability1_integer(c, job, "height", e->min, e->max, &h)
           != SB_OK)
    {
        return SB_ERROR;
    }

    job->width = (unsigned) w;
    job->height = (unsigned) h;

    if (w % 64 || h % 64) {
        sb_refuse(c, 400, "bad_request", w % 64 ? "width" : "height",
                  "must be a multiple of 64");
        return SB_ERROR;
    }

    if (!e->xl) {
        if (w * h < SB_AREA_MIN || w * h > SB_AREA_MAX) {
            sb_refuse(c, 400, "bad_request", NULL, "height and width: the "
                      "number of pixels must be from %d to %d, but we "
                      "received %lldx%lld", SB_AREA_MIN, SB_AREA_MAX, w, h);
            return SB_ERROR;
        }

        return SB_OK;
    }

    for (i = 0; i < 9; i++) {
        if (sb_xl_sizes[i][0] == w && sb_xl_sizes[i][1] == h) {
            return SB_OK;
        }
    }

    sb_refuse(c, 400, "invalid_sdxl_v1_dimensions", NULL, "for "
              "stable-diffusion-xl-1024-v0-9 and "
              "stable-diffusion-xl-1024-v1-0 the allowed dimensions are "
              "1024x1024, 1152x896, 1216x832, 1344x768, 1536x640, 640x1536, "
              "768x1344, 832x1216, 896x1152, but we received %lldx%lld", w,
              h);

    return SB_ERROR;
}


static int
sb_stability1_fields(sb_call_t *c, sb_job_t *job, const sb_engine_t *e)
{
    yajl_val   cfg;
    long long  samples, steps, seed;

    samples = 1;
    steps = 30;
    seed = 0;

    if (sb_stability1_texts(c, job) != SB_OK
        || sb_stability1_size(c, job, e) != SB_OK
        || sb_stability1_integer(c, job, "samples", 1, SB_PICTURES_MAX,
                                 &samples) != SB_OK
        || sb_stability1_integer(c, job, "steps", 10, 50, &steps) != SB_OK
        || sb_stability1_integer(c, job, "seed", 0, SB_SEED_MAX, &seed)
           != SB_OK)
    {
        return SB_ERROR;
    }

    cfg = sb_json_get(job->json, "cfg_scale");

    if (cfg && !YAJL_IS_NULL(cfg)
        && !(YAJL_IS_NUMBER(cfg) && YAJL_GET_DOUBLE(cfg) >= 0
             && YAJL_GET_DOUBLE(cfg) <= 35))
    {
        sb_refuse(c, 400, "bad_request", "cfg_scale",
                  "must be a number from 0 to 35");
        return SB_ERROR;
    }

    if (job->reply == SB_REPLY_RAW && samples > 1) {
        sb_refuse(c, 400, "bad_request", "samples",
                  "must be 1 when a picture is accepted");
        return SB_ERROR;
    }

    job->n = (unsigned) samples;
    job->seed = seed ? (uint64_t) seed
                     : sb_provider_random(c->provider) % SB_SEED_MAX + 1;
    job->format = SB_FORMAT_PNG;

    return SB_OK;
}


static int
sb_stability1_accept(sb_call_t *c, sb_job_t *job)
{
    const char  *accept;

    accept = sb_call_header(c, "Accept");

    if (accept == NULL || strcmp(accept, "application/json") == 0
        || strcmp(accept, "*/*") == 0)
    {
        job->reply = SB_REPLY_B64;
        return SB_OK;
    }

    if (strcmp(accept, "image/png") == 0) {
        job->reply = SB_REPLY_RAW;
        return SB_OK;
    }

    sb_refuse(c, 400, "invalid_accept_header", "accept",
              "must be image/png or application/json");

    return SB_ERROR;
}


static const sb_engine_t *
sb_stability1_engine(sb_call_t *c)
{
    char                shown[100];
    size_t              len;
    const char         *name;
    const sb_engine_t  *e;

    name = c->rest + 15;                /* behind "/v1/generation/" */
    len = strcspn(name, "/");

    if (strcmp(name + len, "/text-to-image") != 0) {
        sb_refuse(c, 404, "not_found", NULL,
                  "the requested resource was not found");
        return NULL;
    }

    for (e = sb_engines; e->name; e++) {
        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0) {
            return e;
        }
    }

    snprintf(shown, sizeof(shown), "%.*s", len > 64 ? 64 : (int) len, name);
    sb_refuse(c, 404, "not_found", NULL,
              "The specified engine (ID %s) was not found.", shown);

    return NULL;
}


static int
sb_stability1_read(sb_call_t *c, sb_job_t *job)
{
    const char         *key, *why;
    const sb_engine_t  *e;

    if (strcmp(c->method, "POST") != 0) {
        sb_refuse(c, 405, "method_not_allowed", NULL, "only POST is allowed");
        sb_answer_header(c, "Allow", "POST");
        return SB_ERROR;
    }

    if (sb_check_key(c, &key) != SB_OK) {
        sb_refuse(c, 401, "unauthorized", NULL, "%s",
                  key ? "Incorrect API key provided"
                      : "missing authorization header");
        return SB_ERROR;
    }

    e = sb_stability1_engine(c);
    if (e == NULL) {
        return SB_ERROR;
    }

    if (!sb_media_type_is(c, "application/json")) {
        sb_refuse(c, 400, "bad_request", "content-type",
                  "must be application/json");
        return SB_ERROR;
    }

    if (sb_stability1_accept(c, job) != SB_OK) {
        return SB_ERROR;
    }

    job->json = sb_json_parse(&c->body, &why);

    if (job->json == NULL || !YAJL_IS_OBJECT(job->json)) {
        sb_refuse(c, 400, "bad_request", NULL, "invalid body: %s",
                  job->json ? "not an object" : why);
        return SB_ERROR;
    }

    return sb_stability1_fields(c, job, e);
}


static void
sb_stability1_write(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    size_t       i;
    sb_buf_t     text;
    unsigned     failed;
    yajl_gen     g;
    const char  *reason;

    reason = job->filtered ? "CONTENT_FILTERED" : "SUCCESS";

    if (job->reply == SB_REPLY_RAW) {
        sb_answer_begin(c, 200, p->type);
        sb_buf_add(&c->answer.body, p->data.data, p->data.len);
        sb_answer_header(c, "Finish-Reason", "%s", reason);
        sb_answer_header(c, "Seed", "%llu", (unsigned long long) p->seed);
        return;
    }

    failed = 0;
    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "artifacts");
    yajl_gen_array_open(g);

    for (i = 0; i < job->n; i++) {
        memset(&text, 0, sizeof(sb_buf_t));
        yajl_gen_map_open(g);
        sb_gen_text(g, "base64");

        if (p[i].null) {
            yajl_gen_null(g);

        } else if (p[i].b64.len) {
            sb_gen_bytes(g, p[i].b64.data, p[i].b64.len);

        } else if (sb_buf_base64(&text, p[i].data.data, p[i].data.len)
                   == SB_OK)
        {
            sb_gen_bytes(g, text.data, text.len);

        } else {
            yajl_gen_null(g);
            failed = 1;
        }

        sb_gen_member_int(g, "seed", (long long) p[i].seed);
        sb_gen_member(g, "finishReason", reason);
        yajl_gen_map_close(g);
        sb_buf_free(&text);
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);

    if (failed) {
        c->answer.deliver = SB_DELIVER_CLOSE;
    }
}


static int
sb_stability1_moderate(sb_call_t *c, sb_job_t *job, const char *variant)
{
    sb_error_t  e;

    if (strcmp(variant, "invalid_prompts") == 0) {
        memset(&e, 0, sizeof(sb_error_t));
        e.code = "invalid_prompts";
        snprintf(e.message, sizeof(e.message), "Invalid prompts detected");
        sb_stability1_error(c, 400, &e);
        return SB_OK;
    }

    if (strcmp(variant, "filtered_artifact") == 0) {
        job->filtered = 1;
        return SB_OK;
    }

    return SB_ERROR;
}


const sb_api_t  sb_api_stability1 = {
    .name = "stability1",
    .moderated = "invalid_prompts",
    .read = sb_stability1_read,
    .write = sb_stability1_write,
    .error = sb_stability1_error,
    .failure = sb_stability1_failure,
    .moderate = sb_stability1_moderate
};
