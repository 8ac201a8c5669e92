/*
 * OpenAI images: POST /v1/images/generations, JSON in and out.
 *
 * Families differ in members, sizes and the form of the answer.  gpt-image*
 * always answers base64 and refuses response_format; dall-e-* answers a URL
 * unless asked otherwise; sandbox* is the sandbox's own, in the manner of the
 * compatible servers: any size, and a seed.  Unknown members are refused, as
 * the real service does.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox.h"


#define SB_GPT     1
#define SB_DALLE3  2
#define SB_DALLE2  4
#define SB_OWN     8
#define SB_ALL     15


typedef struct {
    const char  *name;
    unsigned     families;
    yajl_type    type;          /* yajl_t_true: a boolean */
    long long    min;           /* of integers */
    long long    max;
    const char  *values;        /* of strings: "a|b|c"; NULL: any */
} sb_param_t;


/* A name may stand twice, for families that differ. */

static const sb_param_t  sb_params[] = {
    { "prompt", SB_ALL, yajl_t_string, 0, 0, NULL },
    { "model", SB_ALL, yajl_t_string, 0, 0, NULL },
    { "n", SB_DALLE3, yajl_t_number, 1, 1, NULL },
    { "n", SB_ALL, yajl_t_number, 1, SB_PICTURES_MAX, NULL },
    { "size", SB_ALL, yajl_t_string, 0, 0, NULL },
    { "user", SB_ALL, yajl_t_string, 0, 0, NULL },
    { "quality", SB_GPT, yajl_t_string, 0, 0, "low|medium|high|auto" },
    { "quality", SB_DALLE3, yajl_t_string, 0, 0, "standard|hd" },
    { "quality", SB_DALLE2, yajl_t_string, 0, 0, "standard" },
    { "quality", SB_OWN, yajl_t_string, 0, 0, NULL },
    { "response_format", SB_DALLE2 | SB_DALLE3 | SB_OWN, yajl_t_string, 0, 0,
      "url|b64_json" },
    { "style", SB_DALLE3, yajl_t_string, 0, 0, "vivid|natural" },
    { "background", SB_GPT, yajl_t_string, 0, 0, "transparent|opaque|auto" },
    { "moderation", SB_GPT, yajl_t_string, 0, 0, "low|auto" },
    { "output_format", SB_GPT | SB_OWN, yajl_t_string, 0, 0,
      "png|jpeg|webp" },
    { "output_compression", SB_GPT, yajl_t_number, 0, 100, NULL },
    { "partial_images", SB_GPT, yajl_t_number, 0, 3, NULL },
    { "stream", SB_GPT, yajl_t_true, 0, 0, NULL },
    { "seed", SB_OWN, yajl_t_number, 0, 4294967295, NULL },
    { "negative_prompt", SB_OWN, yajl_t_string, 0, 0, NULL },
    { NULL, 0, yajl_t_any, 0, 0, NULL }
};


static void
sb_openai_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    char      id[33];
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "error");
    yajl_gen_map_open(g);
    sb_gen_member(g, "message", e->message);
    sb_gen_member(g, "type", e->type ? e->type : "invalid_request_error");
    sb_gen_member(g, "param", e->param);
    sb_gen_member(g, "code", e->code);
    yajl_gen_map_close(g);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);

    sb_hex_id(id, 16);
    sb_answer_header(c, "x-request-id", "req_%s", id);
}


static void
sb_openai_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    e.type = "server_error";

    switch (status) {

    case 429:
        e.type = "requests";
        e.code = "rate_limit_exceeded";
        snprintf(e.message, sizeof(e.message), "Rate limit reached for "
                 "images per min. Limit: 5, Used: 5, Requested: 1.");
        break;

    case 502:
        snprintf(e.message, sizeof(e.message), "Bad gateway.");
        break;

    case 503:
        snprintf(e.message, sizeof(e.message), "The engine is currently "
                 "overloaded, please try again later.");
        break;

    default:
        snprintf(e.message, sizeof(e.message), "The server had an error while "
                 "processing your request. Sorry about that!");
        break;
    }

    sb_openai_error(c, status, &e);
}


/* As the real one does: some of the key's ends, stars between. */

static void
sb_openai_bad_key(sb_call_t *c, const char *key)
{
    char    masked[48], shown[300];
    size_t  i, len, stars;

    if (key == NULL) {
        sb_refuse(c, 401, NULL, NULL, "You didn't provide an API key. You "
                  "need to provide your API key in an Authorization header "
                  "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).");
        return;
    }

    sb_printable(shown, sizeof(shown), key);
    len = strlen(shown);
    stars = len < 24 ? len : 24;
    memset(masked, 0, sizeof(masked));

    for (i = 0; i < stars; i++) {
        masked[i] = '*';
    }

    if (len > 12) {
        memcpy(masked, shown, 3);
        memcpy(masked + stars - 4, shown + len - 4, 4);
    }

    sb_refuse(c, 401, "invalid_api_key", NULL, "Incorrect API key provided: "
              "%s. Keys of the sandbox begin with sk-sandbox-.", masked);
}


/* "'a', 'b', and 'c'" of "a|b|c". */

static void
sb_openai_list(char *dst, size_t size, const char *values)
{
    size_t       len, used;
    const char  *s, *sep;

    used = 0;
    dst[0] = '\0';

    for (s = values; ; s += len + 1) {
        len = strcspn(s, "|");
        sep = (s == values) ? "" : s[len] ? ", " : ", and ";
        used += (size_t) snprintf(dst + used, size - used, "%s'%.*s'", sep,
                                  (int) len, s);

        if (s[len] == '\0' || used >= size) {
            return;
        }
    }
}


static int
sb_openai_is_one_of(const char *text, const char *values)
{
    size_t       len;
    const char  *s;

    for (s = values; ; s += len + 1) {
        len = strcspn(s, "|");

        if (strlen(text) == len && memcmp(text, s, len) == 0) {
            return 1;
        }

        if (s[len] == '\0') {
            return 0;
        }
    }
}


static int
sb_openai_one_of(sb_call_t *c, const char *name, const char *text,
    const char *values)
{
    char  list[200], shown[64];

    if (sb_openai_is_one_of(text, values)) {
        return SB_OK;
    }

    sb_openai_list(list, sizeof(list), values);
    sb_printable(shown, sizeof(shown), text);
    sb_refuse(c, 400, "invalid_value", name,
              "Invalid value: '%s'. Supported values are: %s.", shown, list);

    return SB_ERROR;
}


static unsigned
sb_openai_family(const char *model)
{
    if (strncmp(model, "gpt-image-", 10) == 0
        || strcmp(model, "chatgpt-image-latest") == 0)
    {
        return SB_GPT;
    }

    if (strcmp(model, "dall-e-3") == 0) {
        return SB_DALLE3;
    }

    if (strcmp(model, "dall-e-2") == 0) {
        return SB_DALLE2;
    }

    return strncmp(model, "sandbox", 7) == 0 ? SB_OWN : 0;
}


static int
sb_openai_type(sb_call_t *c, const sb_param_t *p, yajl_val v)
{
    int          ok;
    const char  *want;

    if (p->type == yajl_t_true) {
        ok = YAJL_IS_TRUE(v) || YAJL_IS_FALSE(v);
        want = "a boolean";

    } else if (p->type == yajl_t_number) {
        ok = YAJL_IS_INTEGER(v);
        want = "an integer";

    } else {
        ok = YAJL_IS_STRING(v);
        want = "a string";
    }

    if (!ok) {
        sb_refuse(c, 400, "invalid_type", p->name, "Invalid type for '%s': "
                  "expected %s, but got %s instead.", p->name, want,
                  sb_json_type(v));
        return SB_ERROR;
    }

    return SB_OK;
}


static int
sb_openai_range(sb_call_t *c, const sb_param_t *p, long long n)
{
    if (n < p->min) {
        sb_refuse(c, 400, "integer_below_min_value", p->name,
                  "Invalid '%s': integer below minimum value. Expected a "
                  "value >= %lld, but got %lld instead.", p->name, p->min, n);
        return SB_ERROR;
    }

    if (n > p->max) {
        sb_refuse(c, 400, "integer_above_max_value", p->name,
                  "Invalid '%s': integer above maximum value. Expected a "
                  "value <= %lld, but got %lld instead.", p->name, p->max, n);
        return SB_ERROR;
    }

    return SB_OK;
}


/* Every member given must be known to the family and in its range. */

static int
sb_openai_members(sb_call_t *c, yajl_val root, unsigned family)
{
    size_t             i, k;
    char               shown[64];
    yajl_val           v;
    const char        *name;
    const sb_param_t  *p;

    for (i = 0; i < root->u.object.len; i++) {
        name = root->u.object.keys[i];
        v = root->u.object.values[i];

        for (k = 0; sb_params[k].name; k++) {
            if (strcmp(sb_params[k].name, name) == 0
                && (sb_params[k].families & family))
            {
                break;
            }
        }

        p = &sb_params[k];

        if (p->name == NULL) {
            sb_printable(shown, sizeof(shown), name);
            sb_refuse(c, 400, "unknown_parameter", shown,
                      "Unknown parameter: '%s'.", shown);
            return SB_ERROR;
        }

        if (YAJL_IS_NULL(v) && k > 0) {
            continue;
        }

        if (sb_openai_type(c, p, v) != SB_OK) {
            return SB_ERROR;
        }

        if (p->type == yajl_t_number
            && sb_openai_range(c, p, YAJL_GET_INTEGER(v)) != SB_OK)
        {
            return SB_ERROR;
        }

        if (p->values && YAJL_IS_STRING(v)
            && sb_openai_one_of(c, name, YAJL_GET_STRING(v), p->values)
               != SB_OK)
        {
            return SB_ERROR;
        }
    }

    return SB_OK;
}


static int
sb_openai_prompt(sb_call_t *c, sb_job_t *job, unsigned family)
{
    size_t       n, max;
    const char  *text;

    text = YAJL_GET_STRING(sb_json_get(job->json, "prompt"));

    if (text == NULL) {
        sb_refuse(c, 400, "missing_required_parameter", "prompt",
                  "Missing required parameter: 'prompt'.");
        return SB_ERROR;
    }

    max = (family == SB_DALLE2) ? 1000 : (family == SB_DALLE3) ? 4000 : 32000;
    n = sb_utf8_length(text);

    if (n == 0) {
        sb_refuse(c, 400, "empty_string", "prompt", "Invalid 'prompt': empty "
                  "string. Expected a string with minimum length 1, but got "
                  "an empty string instead.");
        return SB_ERROR;
    }

    if (n > max) {
        sb_refuse(c, 400, "string_above_max_length", "prompt", "Invalid "
                  "'prompt': string too long. Expected a string with maximum "
                  "length %zu, but got a string with length %zu instead.",
                  max, n);
        return SB_ERROR;
    }

    return sb_buf_add(&job->prompt, text, strlen(text));
}


static int
sb_openai_size(sb_call_t *c, sb_job_t *job, unsigned family)
{
    int          n, any;
    unsigned     w, h, step;
    const char  *text, *list;

    job->width = 1024;
    job->height = 1024;

    text = YAJL_GET_STRING(sb_json_get(job->json, "size"));

    if (text == NULL
        || (strcmp(text, "auto") == 0 && (family & (SB_GPT | SB_OWN))))
    {
        return SB_OK;
    }

    any = (family == SB_OWN);
    step = 1;

    if (family == SB_GPT && strncmp(job->model, "gpt-image-1", 11) != 0) {
        any = 1;
        step = 16;
    }

    list = (family == SB_DALLE2) ? "256x256|512x512|1024x1024"
           : (family == SB_DALLE3) ? "1024x1024|1792x1024|1024x1792"
           : "1024x1024|1024x1536|1536x1024|auto";

    if (!any && sb_openai_one_of(c, "size", text, list) != SB_OK) {
        return SB_ERROR;
    }

    n = 0;

    if (strlen(text) > 9 || sscanf(text, "%4ux%4u%n", &w, &h, &n) != 2
        || text[n] != '\0' || w < SB_SIDE_MIN || h < SB_SIDE_MIN
        || w > SB_SIDE_MAX || h > SB_SIDE_MAX || w % step || h % step
        || (step > 1 && (w > 3 * h || h > 3 * w)))
    {
        sb_refuse(c, 400, "invalid_value", "size", "Invalid size. Width and "
                  "height must be from %d to %d, multiples of %u%s.",
                  SB_SIDE_MIN, SB_SIDE_MAX, step,
                  step > 1 ? ", and their ratio at most 3:1" : "");
        return SB_ERROR;
    }

    job->width = w;
    job->height = h;

    return SB_OK;
}


static int
sb_openai_rest(sb_call_t *c, sb_job_t *job, unsigned family)
{
    yajl_val     v;
    const char  *text;

    if (YAJL_IS_TRUE(sb_json_get(job->json, "stream"))) {
        sb_refuse(c, 400, "unsupported_value", "stream",
                  "The sandbox does not stream partial images.");
        return SB_ERROR;
    }

    v = sb_json_get(job->json, "n");
    job->n = YAJL_IS_INTEGER(v) ? (unsigned) YAJL_GET_INTEGER(v) : 1;

    v = sb_json_get(job->json, "seed");
    job->seed = YAJL_IS_INTEGER(v) ? (uint64_t) YAJL_GET_INTEGER(v) : 0;

    v = sb_json_get(job->json, "output_compression");
    job->quality = YAJL_IS_INTEGER(v) ? (unsigned) YAJL_GET_INTEGER(v) : 0;

    text = YAJL_GET_STRING(sb_json_get(job->json, "output_format"));
    job->format = (text == NULL || text[0] == 'p') ? SB_FORMAT_PNG
                  : text[0] == 'j' ? SB_FORMAT_JPEG : SB_FORMAT_WEBP;

    text = YAJL_GET_STRING(sb_json_get(job->json, "response_format"));
    job->reply = SB_REPLY_URL;

    if (family == SB_GPT || (text && text[0] == 'b')) {
        job->reply = SB_REPLY_B64;
    }

    job->gpt = (family == SB_GPT);
    job->revised = (family == SB_DALLE3);

    return SB_OK;
}


static int
sb_openai_body(sb_call_t *c, sb_job_t *job)
{
    unsigned     family;
    yajl_val     v;
    const char  *why;

    if (!sb_media_type_is(c, "application/json")) {
        sb_refuse(c, 400, "unsupported_content_type", NULL, "Unsupported "
                  "content type. This API method only accepts "
                  "'application/json' requests.");
        return SB_ERROR;
    }

    job->json = sb_json_parse(&c->body, &why);

    if (job->json == NULL || !YAJL_IS_OBJECT(job->json)) {
        sb_refuse(c, 400, NULL, NULL, "We could not parse the JSON body of "
                  "your request: %s.",
                  job->json ? "not an object" : why);
        return SB_ERROR;
    }

    v = sb_json_get(job->json, "model");
    job->model = YAJL_GET_STRING(v) ? YAJL_GET_STRING(v) : "dall-e-2";
    family = sb_openai_family(job->model);

    if (family == 0) {
        return sb_openai_one_of(c, "model", job->model, "gpt-image-*|"
                                "chatgpt-image-latest|dall-e-3|dall-e-2|"
                                "sandbox*");
    }

    if (sb_openai_members(c, job->json, family) != SB_OK
        || sb_openai_prompt(c, job, family) != SB_OK
        || sb_openai_size(c, job, family) != SB_OK
        || sb_openai_rest(c, job, family) != SB_OK)
    {
        return SB_ERROR;
    }

    return SB_OK;
}


static int
sb_openai_read(sb_call_t *c, sb_job_t *job)
{
    char         shown[200];
    const char  *key;

    if (strcmp(c->rest, "/v1/images/generations") != 0) {
        sb_printable(shown, sizeof(shown), c->rest);
        sb_refuse(c, 404, "unknown_url", NULL, "Unknown request URL: %s %s. "
                  "Please check the URL for typos.", c->method, shown);
        return SB_ERROR;
    }

    if (strcmp(c->method, "POST") != 0) {
        sb_refuse(c, 405, "method_not_supported", NULL, "Invalid method for "
                  "URL (%s /v1/images/generations).", c->method);
        sb_answer_header(c, "Allow", "POST");
        return SB_ERROR;
    }

    if (sb_check_key(c, &key) != SB_OK) {
        sb_openai_bad_key(c, key);
        return SB_ERROR;
    }

    return sb_openai_body(c, job);
}


/* One element of data[]; SB_ERROR: no memory for the picture. */

static int
sb_openai_picture(sb_call_t *c, const sb_job_t *job, sb_picture_t *p,
    yajl_gen g)
{
    int       rc;
    char      url[512];
    sb_buf_t  text;

    rc = SB_OK;
    memset(&text, 0, sizeof(sb_buf_t));
    yajl_gen_map_open(g);

    if (p->null) {
        sb_gen_member(g, job->reply == SB_REPLY_B64 ? "b64_json" : "url",
                      NULL);

    } else if (job->url) {
        sb_gen_member(g, "url", job->url);

    } else if (job->reply == SB_REPLY_URL) {
        rc = sb_file_store(c->provider->name, p, url, sizeof(url));
        sb_gen_member(g, "url", url);

    } else {
        if (job->reply == SB_REPLY_DATA_URL) {
            sb_buf_print(&text, "data:%s;base64,", p->type);
        }

        if (p->b64.len) {
            sb_buf_add(&text, p->b64.data, p->b64.len);

        } else {
            sb_buf_base64(&text, p->data.data, p->data.len);
        }

        if (text.failed) {
            rc = SB_ERROR;

        } else {
            sb_gen_text(g, job->reply == SB_REPLY_B64 ? "b64_json" : "url");
            sb_gen_bytes(g, text.data, text.len);
        }

        sb_buf_free(&text);
    }

    if (job->revised) {
        sb_gen_member(g, "revised_prompt", job->prompt.data);
    }

    if (job->disrespect) {
        sb_gen_text(g, "respect_moderation");
        yajl_gen_bool(g, 0);
    }

    yajl_gen_map_close(g);

    return rc;
}


static void
sb_openai_usage(const sb_job_t *job, yajl_gen g)
{
    long long  in, out;

    in = (long long) job->prompt.len / 4 + 1;
    out = (long long) job->n * 1056;

    sb_gen_text(g, "usage");
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "input_tokens", in);
    sb_gen_text(g, "input_tokens_details");
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "image_tokens", 0);
    sb_gen_member_int(g, "text_tokens", in);
    yajl_gen_map_close(g);
    sb_gen_member_int(g, "output_tokens", out);
    sb_gen_member_int(g, "total_tokens", in + out);
    yajl_gen_map_close(g);
}


static void
sb_openai_write(sb_call_t *c, const sb_job_t *job, sb_picture_t *p)
{
    int       rc;
    char      size[32], id[33];
    size_t    i;
    yajl_gen  g;

    rc = SB_OK;
    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "created", (long long) time(NULL));

    if (job->gpt) {
        snprintf(size, sizeof(size), "%ux%u", job->width, job->height);
        sb_gen_member(g, "background", "opaque");
        sb_gen_member(g, "output_format", p[0].ext);
        sb_gen_member(g, "quality", "high");
        sb_gen_member(g, "size", size);
    }

    if (job->disrespect_top) {
        sb_gen_text(g, "respect_moderation");
        yajl_gen_bool(g, 0);
    }

    sb_gen_text(g, "data");
    yajl_gen_array_open(g);

    for (i = 0; i < job->n; i++) {
        if (sb_openai_picture(c, job, &p[i], g) != SB_OK) {
            rc = SB_ERROR;
        }
    }

    yajl_gen_array_close(g);

    if (job->gpt) {
        sb_openai_usage(job, g);
    }

    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);

    sb_hex_id(id, 16);
    sb_answer_header(c, "x-request-id", "req_%s", id);
    sb_answer_header(c, "openai-processing-ms", "%lld",
                     (long long) (sb_now_ms() - c->started));

    if (rc != SB_OK) {
        c->answer.deliver = SB_DELIVER_CLOSE;
    }
}


static int
sb_openai_moderate(sb_call_t *c, sb_job_t *job, const char *variant)
{
    yajl_gen    g;
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    e.type = "image_generation_user_error";
    e.code = variant;

    if (strcmp(variant, "moderation_blocked") == 0) {
        snprintf(e.message, sizeof(e.message), "Your request was rejected by "
                 "the safety system. If you believe this is an error, include "
                 "the request ID. safety_violations=[violence].");
        sb_openai_error(c, 400, &e);
        return SB_OK;
    }

    if (strcmp(variant, "content_policy_violation") == 0) {
        snprintf(e.message, sizeof(e.message), "Your request was rejected as "
                 "a result of our safety system. Your prompt may contain text "
                 "that is not allowed by our safety system.");
        sb_openai_error(c, 400, &e);
        return SB_OK;
    }

    if (strcmp(variant, "empty_data") == 0) {
        g = sb_gen_new();
        yajl_gen_map_open(g);
        sb_gen_member_int(g, "created", (long long) time(NULL));
        sb_gen_text(g, "data");
        yajl_gen_array_open(g);
        yajl_gen_array_close(g);
        yajl_gen_map_close(g);
        sb_answer_json(c, 200, g);
        return SB_OK;
    }

    if (strcmp(variant, "respect_moderation") == 0) {
        job->disrespect = 1;
        return SB_OK;
    }

    if (strcmp(variant, "respect_moderation_top") == 0) {
        job->disrespect_top = 1;
        return SB_OK;
    }

    return SB_ERROR;
}


const sb_api_t  sb_api_openai = {
    .name = "openai",
    .moderated = "moderation_blocked",
    .url = 1,
    .read = sb_openai_read,
    .write = sb_openai_write,
    .error = sb_openai_error,
    .failure = sb_openai_failure,
    .moderate = sb_openai_moderate
};
