/*
 * Hugging Face's router: POST /hf-inference/models/{model}, JSON in, the
 * picture's bytes out.
 *
 * What other hosts behind the router answer with is chosen by "response":
 * b64 gives data[].b64_json, data_url gives images[], url gives output.
 * Errors are {"error"} with a sentence or, for parameters, a list of them.
 */

#include <stdio.h>
#include <string.h>

#include "sandbox.h"


#define SB_HF_STEP  8


typedef enum {
    SB_HF_STRING,
    SB_HF_INTEGER,
    SB_HF_NUMBER
} sb_hf_type_e;


static const struct {
    const char    *name;
    sb_hf_type_e   type;

} sb_hf_parameters[] = {
    { "negative_prompt", SB_HF_STRING },
    { "scheduler", SB_HF_STRING },
    { "width", SB_HF_INTEGER },
    { "height", SB_HF_INTEGER },
    { "seed", SB_HF_INTEGER },
    { "num_inference_steps", SB_HF_INTEGER },
    { "guidance_scale", SB_HF_NUMBER },
    { NULL, SB_HF_STRING }
};


static void
sb_hf_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    char      text[600];
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "error");

    if (e->param) {
        snprintf(text, sizeof(text), "`%s` %s", e->param, e->message);
        yajl_gen_array_open(g);
        sb_gen_text(g, text);
        yajl_gen_array_close(g);
        sb_gen_member(g, "error_type", "validation_error");

    } else {
        sb_gen_text(g, e->message);
    }

    yajl_gen_map_close(g);
    sb_answer_json(c, status, g);
}


static void
sb_hf_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), "%s",
             status == 429 ? "Rate limit reached. You reached the limit of "
                             "requests for your plan."
             : status == 503 ? "Service Unavailable"
             : "Internal Server Error");

    sb_hf_error(c, status, &e);
}


static int
sb_hf_type(sb_call_t *c, const char *name, yajl_val v)
{
    int     ok;
    size_t  i;
    char    shown[64];

    for (i = 0; sb_hf_parameters[i].name; i++) {
        if (strcmp(sb_hf_parameters[i].name, name) == 0) {
            break;
        }
    }

    sb_printable(shown, sizeof(shown), name);

    if (sb_hf_parameters[i].name == NULL) {
        sb_refuse(c, 400, NULL, shown, "is no parameter of this pipeline");
        return SB_ERROR;
    }

    ok = (sb_hf_parameters[i].type == SB_HF_STRING) ? YAJL_IS_STRING(v)
         : (sb_hf_parameters[i].type == SB_HF_INTEGER) ? YAJL_IS_INTEGER(v)
         : YAJL_IS_NUMBER(v);

    if (!ok && !YAJL_IS_NULL(v)) {
        sb_refuse(c, 422, NULL, shown, "is of the wrong type: %s",
                  sb_json_type(v));
        return SB_ERROR;
    }

    return SB_OK;
}


static int
sb_hf_side(sb_call_t *c, yajl_val list, const char *name, unsigned *out)
{
    yajl_val   v;
    long long  n;

    v = sb_json_get(list, name);
    *out = 1024;

    if (v == NULL || YAJL_IS_NULL(v)) {
        return SB_OK;
    }

    n = YAJL_GET_INTEGER(v);

    if (n < SB_SIDE_MIN || n > SB_SIDE_MAX || n % SB_HF_STEP) {
        sb_refuse(c, 400, NULL, name, "has to be divisible by %d and from %d "
                  "to %d but is %lld", SB_HF_STEP, SB_SIDE_MIN, SB_SIDE_MAX,
                  n);
        return SB_ERROR;
    }

    *out = (unsigned) n;

    return SB_OK;
}


static int
sb_hf_fields(sb_call_t *c, sb_job_t *job)
{
    size_t       i;
    yajl_val     list, seed;
    const char  *text;

    text = YAJL_GET_STRING(sb_json_get(job->json, "inputs"));

    if (text == NULL || *text == '\0') {
        sb_refuse(c, 422, NULL, "inputs", "is required and must be a string");
        return SB_ERROR;
    }

    sb_buf_add(&job->prompt, text, strlen(text));

    list = sb_json_get(job->json, "parameters");

    if (list && !YAJL_IS_OBJECT(list)) {
        sb_refuse(c, 422, NULL, "parameters", "must be an object");
        return SB_ERROR;
    }

    for (i = 0; list && i < list->u.object.len; i++) {
        if (sb_hf_type(c, list->u.object.keys[i], list->u.object.values[i])
            != SB_OK)
        {
            return SB_ERROR;
        }
    }

    if (sb_hf_side(c, list, "width", &job->width) != SB_OK
        || sb_hf_side(c, list, "height", &job->height) != SB_OK)
    {
        return SB_ERROR;
    }

    seed = sb_json_get(list, "seed");

    job->n = 1;
    job->seed = YAJL_IS_INTEGER(seed) ? (uint64_t) YAJL_GET_INTEGER(seed)
                                      : sb_provider_random(c->provider);
    job->format = SB_FORMAT_JPEG;
    job->reply = SB_REPLY_RAW;

    return SB_OK;
}


static int
sb_hf_read(sb_call_t *c, sb_job_t *job)
{
    const char  *key, *why;

    if (strncmp(c->rest, "/hf-inference/models/", 21) != 0
        || c->rest[21] == '\0')
    {
        sb_refuse(c, 404, NULL, NULL, "Not Found");
        return SB_ERROR;
    }

    if (strcmp(c->method, "POST") != 0) {
        sb_refuse(c, 405, NULL, NULL, "Method Not Allowed");
        sb_answer_header(c, "Allow", "POST");
        return SB_ERROR;
    }

    if (sb_check_key(c, &key) != SB_OK) {
        sb_refuse(c, 401, NULL, NULL, "Invalid username or password.");
        return SB_ERROR;
    }

    if (!sb_media_type_is(c, "application/json")) {
        sb_refuse(c, 415, NULL, NULL, "Content type is not supported, use "
                  "application/json");
        return SB_ERROR;
    }

    job->json = sb_json_parse(&c->body, &why);

    if (job->json == NULL || !YAJL_IS_OBJECT(job->json)) {
        sb_refuse(c, 400, NULL, NULL, "The body is no JSON object: %s",
                  job->json ? "something else" : why);
        return SB_ERROR;
    }

    return sb_hf_fields(c, job);
}


/* The picture as the string that its place in the JSON holds. */

static int
sb_hf_picture(sb_call_t *c, const sb_job_t *job, sb_picture_t *p, yajl_gen g)
{
    int       rc;
    char      url[512];
    sb_buf_t  text;

    if (p->null) {
        yajl_gen_null(g);
        return SB_OK;
    }

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


static int
sb_hf_json(sb_call_t *c, const sb_job_t *job, sb_picture_t *p, yajl_gen g)
{
    int  rc, list;

    yajl_gen_map_open(g);

    if (job->reply == SB_REPLY_B64) {
        sb_gen_text(g, "data");
        yajl_gen_array_open(g);
        yajl_gen_map_open(g);
        sb_gen_text(g, "b64_json");
        rc = sb_hf_picture(c, job, p, g);
        yajl_gen_map_close(g);
        yajl_gen_array_close(g);

    } else {
        list = c->settings.list || job->reply == SB_REPLY_DATA_URL;
        sb_gen_text(g, job->reply == SB_REPLY_URL ? "output" : "images");

        if (list) {
            yajl_gen_array_open(g);
        }

        rc = sb_hf_picture(c, job, p, g);

        if (list) {
            yajl_gen_array_close(g);
        }
    }

    if (job->nsfw) {
        sb_gen_text(g, "has_nsfw_concepts");
        yajl_gen_array_open(g);
        yajl_gen_bool(g, 1);
        yajl_gen_array_close(g);
    }

    yajl_gen_map_close(g);

    return rc;
}


static void
sb_hf_write(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    int       rc;
    yajl_gen  g;

    if (job->reply == SB_REPLY_RAW) {
        sb_answer_begin(c, 200, p->type);
        sb_buf_add(&c->answer.body, p->data.data, p->data.len);
        return;
    }

    g = sb_gen_new();
    rc = sb_hf_json(c, job, p, g);
    sb_answer_json(c, 200, g);

    if (rc != SB_OK) {
        c->answer.deliver = SB_DELIVER_CLOSE;
    }
}


static int
sb_hf_moderate(sb_call_t *c, sb_job_t *job, const char *variant)
{
    sb_error_t  e;

    if (strcmp(variant, "nsfw") == 0) {
        memset(&e, 0, sizeof(sb_error_t));
        snprintf(e.message, sizeof(e.message), "NSFW content detected. Try a "
                 "different prompt.");
        sb_hf_error(c, 400, &e);
        return SB_OK;
    }

    if (strcmp(variant, "nsfw_concepts") == 0) {
        job->filtered = 1;
        job->nsfw = 1;
        job->reply = SB_REPLY_DATA_URL;
        return SB_OK;
    }

    return SB_ERROR;
}


static int
sb_hf_fail(sb_call_t *c, sb_job_t *job, const char *variant)
{
    (void) job;

    if (strcmp(variant, "error_200") == 0) {
        sb_answer_text(c, 200, "application/json",
                       "{\"error\":\"CUDA out of memory\","
                       "\"error_type\":\"OutOfMemoryError\"}");
        return SB_OK;
    }

    if (strcmp(variant, "error_list") == 0) {
        sb_answer_text(c, 500, "application/json",
                       "{\"error\":[\"CUDA out of memory\",\"retry\"]}");
        return SB_OK;
    }

    return SB_ERROR;
}


const sb_api_t  sb_api_huggingface = {
    .name = "huggingface",
    .moderated = "nsfw",
    .failed = "error_200",
    .credit = "payment_required",
    .url = 1,
    .read = sb_hf_read,
    .write = sb_hf_write,
    .error = sb_hf_error,
    .failure = sb_hf_failure,
    .moderate = sb_hf_moderate,
    .fail = sb_hf_fail
};
