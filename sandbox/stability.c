/*
 * Stability v2beta: POST /v2beta/stable-image/generate/{core,ultra,sd3}.
 *
 * multipart/form-data in, even without a file; the picture's bytes or JSON
 * out, as Accept says, which has to be one of two words.  Errors carry an
 * array "errors" (v1, in stability1.c, a string "message").
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"


#define SB_PROMPT_MAX  10000
#define SB_SEED_MAX    4294967294ull


typedef struct {
    const char  *name;
    unsigned     width;
    unsigned     height;
} sb_ratio_t;


static const sb_ratio_t  sb_ratios[] = {
    { "1:1", 1024, 1024 },
    { "16:9", 1344, 768 },
    { "21:9", 1536, 640 },
    { "2:3", 832, 1216 },
    { "3:2", 1216, 832 },
    { "4:5", 896, 1088 },
    { "5:4", 1088, 896 },
    { "9:16", 768, 1344 },
    { "9:21", 640, 1536 },
    { NULL, 0, 0 }
};


static const char *const  sb_presets[] = {
    "3d-model", "analog-film", "anime", "cinematic", "comic-book",
    "digital-art", "enhance", "fantasy-art", "isometric", "line-art",
    "low-poly", "modeling-compound", "neon-punk", "origami", "photographic",
    "pixel-art", "tile-texture", NULL
};

static const char *const  sb_sd3_models[] = {
    "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "sd3.5-flash",
    "sd3-large", "sd3-large-turbo", "sd3-medium", "sd3", "sd3-turbo", NULL
};

static const char *const  sb_sd3_modes[] = {
    "text-to-image", "image-to-image", NULL
};

static const char *const  sb_output_formats[] = {
    "png", "jpeg", "webp", NULL
};


static void
sb_stability_error(sb_call_t *c, unsigned status, const sb_error_t *e)
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
    sb_gen_text(g, "errors");
    yajl_gen_array_open(g);
    sb_gen_text(g, text);
    yajl_gen_array_close(g);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
    sb_answer_header(c, "x-request-id", "%s", id);
}


static void
sb_stability_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));

    switch (status) {

    case 429:
        e.code = "rate_limit_exceeded";
        snprintf(e.message, sizeof(e.message), "You have exceeded the rate "
                 "limit of 150 requests within a 10 second period, and have "
                 "been timed out for 60 seconds.");
        break;

    case 502:
        e.code = "bad_gateway";
        snprintf(e.message, sizeof(e.message), "Bad gateway.");
        break;

    case 503:
        e.code = "service_unavailable";
        snprintf(e.message, sizeof(e.message), "The service is temporarily "
                 "unavailable.");
        break;

    default:
        e.code = "internal_error";
        snprintf(e.message, sizeof(e.message), "An unexpected server error "
                 "has occurred, please try again later.");
        break;
    }

    sb_stability_error(c, status, &e);
}


/* Absent: the documented default.  Anything but the two words is refused. */

static int
sb_stability_accept(sb_call_t *c, sb_job_t *job)
{
    const char  *accept;

    accept = sb_call_header(c, "Accept");

    if (accept == NULL || strcmp(accept, "image/*") == 0) {
        job->reply = SB_REPLY_RAW;
        return SB_OK;
    }

    if (strcmp(accept, "application/json") == 0) {
        job->reply = SB_REPLY_B64;
        return SB_OK;
    }

    sb_refuse(c, 400, "bad_request", "accept",
              "must be one of: image/*, application/json");

    return SB_ERROR;
}


static int
sb_stability_choice(sb_call_t *c, const sb_job_t *job, const char *name,
    const char *const *list)
{
    size_t       i;
    const char  *value;

    value = sb_form_get(job->form, name);
    if (value == NULL) {
        return SB_OK;
    }

    for (i = 0; list[i]; i++) {
        if (strcmp(list[i], value) == 0) {
            return SB_OK;
        }
    }

    sb_refuse(c, 400, "bad_request", name, "is not one of the values this "
              "engine takes");

    return SB_ERROR;
}


static int
sb_stability_texts(sb_call_t *c, sb_job_t *job)
{
    const char  *prompt, *negative;

    prompt = sb_form_get(job->form, "prompt");

    if (prompt == NULL || prompt[strspn(prompt, " \t\r\n")] == '\0') {
        sb_refuse(c, 400, "bad_request", "prompt",
                  prompt ? "cannot be blank" : "is required");
        return SB_ERROR;
    }

    negative = sb_form_get(job->form, "negative_prompt");

    if (sb_utf8_length(prompt) > SB_PROMPT_MAX
        || (negative && sb_utf8_length(negative) > SB_PROMPT_MAX))
    {
        sb_refuse(c, 400, "bad_request",
                  sb_utf8_length(prompt) > SB_PROMPT_MAX ? "prompt"
                                                         : "negative_prompt",
                  "must be at most %d characters", SB_PROMPT_MAX);
        return SB_ERROR;
    }

    return sb_buf_add(&job->prompt, prompt, strlen(prompt));
}


static int
sb_stability_ratio(sb_call_t *c, sb_job_t *job)
{
    const char        *value;
    const sb_ratio_t  *r;

    value = sb_form_get(job->form, "aspect_ratio");

    for (r = sb_ratios; r->name; r++) {
        if (value == NULL || strcmp(value, r->name) == 0) {
            job->width = r->width;
            job->height = r->height;
            return SB_OK;
        }
    }

    sb_refuse(c, 400, "bad_request", "aspect_ratio", "must be one of: 16:9, "
              "1:1, 21:9, 2:3, 3:2, 4:5, 5:4, 9:16, 9:21");

    return SB_ERROR;
}


/* 0 or none: a random one, which the answer tells. */

static int
sb_stability_seed(sb_call_t *c, sb_job_t *job)
{
    const char  *value;

    value = sb_form_get(job->form, "seed");

    if (value && (*value == '\0' || strlen(value) > 10
                  || strspn(value, "0123456789") != strlen(value)
                  || strtoull(value, NULL, 10) > SB_SEED_MAX))
    {
        sb_refuse(c, 400, "bad_request", "seed",
                  "must be an integer from 0 to %llu", SB_SEED_MAX);
        return SB_ERROR;
    }

    job->seed = value ? strtoull(value, NULL, 10) : 0;

    if (job->seed == 0) {
        job->seed = sb_provider_random(c->provider) % SB_SEED_MAX + 1;
    }

    return SB_OK;
}


static int
sb_stability_fields(sb_call_t *c, sb_job_t *job, const char *engine)
{
    const char  *value, *mode;

    if (sb_stability_texts(c, job) != SB_OK
        || sb_stability_ratio(c, job) != SB_OK
        || sb_stability_seed(c, job) != SB_OK
        || sb_stability_choice(c, job, "output_format", sb_output_formats)
           != SB_OK)
    {
        return SB_ERROR;
    }

    if (strcmp(engine, "sd3") == 0) {
        if (sb_stability_choice(c, job, "model", sb_sd3_models) != SB_OK
            || sb_stability_choice(c, job, "mode", sb_sd3_modes) != SB_OK)
        {
            return SB_ERROR;
        }

        mode = sb_form_get(job->form, "mode");

        if (mode && strcmp(mode, "image-to-image") == 0) {
            sb_refuse(c, 400, "bad_request", "mode",
                      "the sandbox draws from text only");
            return SB_ERROR;
        }

    } else if (sb_stability_choice(c, job, "style_preset", sb_presets)
               != SB_OK)
    {
        return SB_ERROR;
    }

    value = sb_form_get(job->form, "output_format");
    job->format = (value == NULL || value[0] == 'p') ? SB_FORMAT_PNG
                  : value[0] == 'j' ? SB_FORMAT_JPEG : SB_FORMAT_WEBP;
    job->n = 1;

    return SB_OK;
}


static int
sb_stability_read(sb_call_t *c, sb_job_t *job)
{
    const char  *engine, *key, *why;

    engine = c->rest;

    if (strncmp(engine, "/v2beta/stable-image/generate/", 30) == 0) {
        engine += 30;
    }

    if (strcmp(engine, "core") != 0 && strcmp(engine, "ultra") != 0
        && strcmp(engine, "sd3") != 0)
    {
        sb_refuse(c, 404, "not_found", NULL, "the requested resource was not "
                  "found");
        return SB_ERROR;
    }

    if (strcmp(c->method, "POST") != 0) {
        sb_refuse(c, 405, "method_not_allowed", NULL, "only POST is allowed");
        sb_answer_header(c, "Allow", "POST");
        return SB_ERROR;
    }

    if (sb_check_key(c, &key) != SB_OK) {
        sb_refuse(c, 401, "unauthorized", NULL, "%s",
                  key ? "Incorrect API key provided"
                      : "authorization: is required");
        return SB_ERROR;
    }

    if (!sb_media_type_is(c, "multipart/form-data")) {
        sb_refuse(c, 400, "bad_request", "content-type",
                  "must be multipart/form-data");
        return SB_ERROR;
    }

    if (sb_stability_accept(c, job) != SB_OK) {
        return SB_ERROR;
    }

    job->form = sb_form_parse(c, &why);
    if (job->form == NULL) {
        sb_refuse(c, 400, "bad_request", NULL, "multipart/form-data: %s",
                  why);
        return SB_ERROR;
    }

    return sb_stability_fields(c, job, engine);
}


static void
sb_stability_write(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    char         id[33];
    sb_buf_t     text;
    yajl_gen     g;
    const char  *reason;

    reason = job->filtered ? "CONTENT_FILTERED" : "SUCCESS";
    sb_hex_id(id, 16);

    if (job->reply == SB_REPLY_RAW) {
        sb_answer_begin(c, 200, p->type);
        sb_buf_add(&c->answer.body, p->data.data, p->data.len);
        sb_answer_header(c, "finish-reason", "%s", reason);
        sb_answer_header(c, "seed", "%llu", (unsigned long long) p->seed);
        sb_answer_header(c, "x-request-id", "%s", id);
        return;
    }

    memset(&text, 0, sizeof(sb_buf_t));

    if (p->b64.len == 0) {
        sb_buf_base64(&text, p->data.data, p->data.len);
    }

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "image");

    if (p->null || text.failed) {
        yajl_gen_null(g);

    } else if (p->b64.len) {
        sb_gen_bytes(g, p->b64.data, p->b64.len);

    } else {
        sb_gen_bytes(g, text.data, text.len);
    }

    sb_gen_member(g, "finish_reason", reason);
    sb_gen_member_int(g, "seed", (long long) p->seed);
    yajl_gen_map_close(g);

    sb_answer_json(c, 200, g);
    sb_answer_header(c, "x-request-id", "%s", id);

    if (text.failed) {
        c->answer.deliver = SB_DELIVER_CLOSE;
    }

    sb_buf_free(&text);
}


static int
sb_stability_moderate(sb_call_t *c, sb_job_t *job, const char *variant)
{
    sb_error_t  e;

    if (strcmp(variant, "forbidden") == 0) {
        memset(&e, 0, sizeof(sb_error_t));
        e.code = "content_moderation";
        snprintf(e.message, sizeof(e.message), "Your request was flagged by "
                 "our content moderation system, as a result your request was "
                 "denied and you were not charged.");
        sb_stability_error(c, 403, &e);
        return SB_OK;
    }

    if ((strcmp(variant, "filtered_header") == 0
         && job->reply == SB_REPLY_RAW)
        || (strcmp(variant, "filtered_json") == 0
            && job->reply == SB_REPLY_B64))
    {
        job->filtered = 1;
        return SB_OK;
    }

    return SB_ERROR;
}


const sb_api_t  sb_api_stability = {
    .name = "stability",
    .moderated = "forbidden",
    .credit = "payment_required",
    .read = sb_stability_read,
    .write = sb_stability_write,
    .error = sb_stability_error,
    .failure = sb_stability_failure,
    .moderate = sb_stability_moderate
};
