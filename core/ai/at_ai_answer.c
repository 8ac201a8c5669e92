/*
 * The body of a 2xx: finds the picture in it and decodes it while it comes.
 *
 * The picture is the body itself, base64 or a data URL in JSON, or behind a
 * URL in JSON.  Base64 is decoded piece by piece into lane->picture and never
 * kept; only a URL is.  What the body is, is told by its first byte, because
 * labels are often wrong; nothing counts before at_image_inspect() agrees.
 * The formats call this with their shape set; the lane owns the buffers.
 */

#include <string.h>

#include "at_ai_internal.h"


#define AT_AI_SLICE  16384      /* base64 decoded at a time */
#define AT_AI_SCHEME_MAX  8     /* a longer run without ":" is base64 */


void
at_ai_answer_reset(at_ai_answer_t *a)
{
    at_json_free(a->json);
    at_buf_free(&a->url);

    a->json = NULL;
    a->body = AT_AI_BODY_UNKNOWN;
    a->type[0] = '\0';
    a->string = AT_AI_STRING_HEAD;
    a->nhead = 0;
    a->has_picture = 0;
    a->has_url = 0;
}


void
at_ai_answer_type(at_ai_answer_t *a, at_str_t value)
{
    size_t  i;

    for (i = 0; i < value.len && i < sizeof(a->type) - 1; i++) {

        if (value.data[i] == ';' || value.data[i] <= ' '
            || value.data[i] >= 0x7f)
        {
            break;
        }

        a->type[i] = value.data[i];

        if (a->type[i] >= 'A' && a->type[i] <= 'Z') {
            a->type[i] = (char) (a->type[i] + ('a' - 'A'));
        }
    }

    a->type[i] = '\0';
}


static int
at_ai_answer_binary(const at_ai_answer_t *a)
{
    return strncmp(a->type, "image/", 6) == 0
           || strcmp(a->type, "application/octet-stream") == 0
           || strcmp(a->type, "binary/octet-stream") == 0;
}


/* Why more bytes did not go into the picture; rc as it was returned. */

static int
at_ai_answer_broken(at_ai_lane_t *lane, int rc, size_t more,
    const char *what)
{
    if (rc == AT_NO_MEMORY) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT, "no memory for a picture");

    } else if (more > lane->picture.max
        || lane->picture.len > lane->picture.max - more)
    {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the picture is larger than %u MB",
                          (unsigned) (AT_AI_PICTURE_MAX / AT_AI_MB));

    } else {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT, "%s", what);
    }

    return AT_ERROR;
}


static int
at_ai_answer_base64(at_ai_lane_t *lane, const uint8_t *p, size_t len)
{
    int               rc;
    size_t            n;
    at_ai_answer_t   *a;

    a = &at_ai_private(lane)->answer;

    /* In slices, so that a full buffer and a bad byte can be told apart. */

    while (len) {
        n = (len < AT_AI_SLICE) ? len : AT_AI_SLICE;

        rc = at_base64_decode(&a->base64, p, n, &lane->picture);
        if (rc != AT_OK) {
            return at_ai_answer_broken(lane, rc, n / 4 * 3 + 3,
                                       "the picture's base64 is broken");
        }

        p += n;
        len -= n;
    }

    return AT_OK;
}


/* "data:image/png;base64": anything else has no picture we can read. */

static int
at_ai_answer_data_head(at_ai_lane_t *lane, at_ai_answer_t *a)
{
    at_str_t  tail;

    if (a->nhead > 7) {
        tail = (at_str_t) { 7, a->head + a->nhead - 7 };

        if (at_str_ieq(tail, AT_STR(";base64"))) {
            a->string = AT_AI_STRING_BASE64;
            return AT_OK;
        }
    }

    (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                      "the picture's data URL is not base64");

    return AT_ERROR;
}


static int
at_ai_answer_url(at_ai_lane_t *lane, at_ai_answer_t *a, const void *p,
    size_t len)
{
    int  rc;

    rc = at_buf_append(&a->url, p, len);

    if (rc == AT_NO_MEMORY) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT, "no memory for a URL");

    } else if (rc != AT_OK) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the result URL is longer than %u bytes",
                          (unsigned) AT_AI_URL_MAX);
    }

    return rc;
}


/* The scheme is complete: what the string is. */

static int
at_ai_answer_scheme(at_ai_lane_t *lane, at_ai_answer_t *a)
{
    at_str_t  scheme;

    scheme = (at_str_t) { a->nhead, a->head };

    if (at_str_ieq(scheme, AT_STR("data:"))) {
        a->string = AT_AI_STRING_DATA;
        return AT_OK;
    }

    if (at_str_ieq(scheme, AT_STR("http:"))
        || at_str_ieq(scheme, AT_STR("https:")))
    {
        if (a->has_url) {
            a->string = AT_AI_STRING_OTHER;
            return AT_OK;
        }

        a->string = AT_AI_STRING_URL;

        return at_ai_answer_url(lane, a, a->head, a->nhead);
    }

    (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                      "the picture is neither base64 nor an http(s) or data "
                      "URL");

    return AT_ERROR;
}


/* One byte of a string whose nature is not known yet. */

static int
at_ai_answer_head(at_ai_lane_t *lane, at_ai_answer_t *a, uint8_t c)
{
    if (a->string == AT_AI_STRING_DATA && c == ',') {
        return at_ai_answer_data_head(lane, a);
    }

    if (a->nhead == sizeof(a->head)) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the head of the picture's data URL is too long");
        return AT_ERROR;
    }

    a->head[a->nhead++] = (char) c;

    if (a->string == AT_AI_STRING_DATA) {
        return AT_OK;
    }

    if (c == ':') {
        return at_ai_answer_scheme(lane, a);
    }

    if (a->nhead == AT_AI_SCHEME_MAX) {
        a->string = AT_AI_STRING_BASE64;

        return at_ai_answer_base64(lane, (uint8_t *) a->head, a->nhead);
    }

    return AT_OK;
}


static int
at_ai_answer_string_end(at_ai_lane_t *lane, at_ai_answer_t *a)
{
    int  rc;

    switch (a->string) {

    case AT_AI_STRING_HEAD:
        if (at_ai_answer_base64(lane, (uint8_t *) a->head, a->nhead)
            != AT_OK)
        {
            return AT_ERROR;
        }

        /* fall through */

    case AT_AI_STRING_BASE64:
        rc = at_base64_finish(&a->base64, &lane->picture);
        if (rc != AT_OK) {
            return at_ai_answer_broken(lane, rc, 3,
                                       "the picture's base64 is cut");
        }

        a->has_picture = (lane->picture.len != 0);
        break;

    case AT_AI_STRING_URL:
        a->has_url = 1;
        break;

    case AT_AI_STRING_OTHER:
        break;

    case AT_AI_STRING_DATA:
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the picture's data URL has no data");
        return AT_ERROR;
    }

    return AT_OK;
}


static int
at_ai_answer_chunk(void *ctx, const char *path, const uint8_t *data,
    size_t len, int last)
{
    at_ai_lane_t    *lane;
    at_ai_answer_t  *a;

    (void) path;

    lane = ctx;
    a = &at_ai_private(lane)->answer;

    while (len && (a->string == AT_AI_STRING_HEAD
                   || a->string == AT_AI_STRING_DATA))
    {
        if (at_ai_answer_head(lane, a, *data) != AT_OK) {
            return AT_ERROR;
        }

        data++;
        len--;
    }

    if (a->string == AT_AI_STRING_BASE64) {
        if (at_ai_answer_base64(lane, data, len) != AT_OK) {
            return AT_ERROR;
        }

    } else if (a->string == AT_AI_STRING_URL
               && at_ai_answer_url(lane, a, data, len) != AT_OK)
    {
        return AT_ERROR;
    }

    return last ? at_ai_answer_string_end(lane, a) : AT_OK;
}


static int
at_ai_answer_picture_path(const at_ai_answer_t *a, const char *path)
{
    const char  **p;

    for (p = a->shape->pictures; *p; p++) {
        if (strcmp(*p, path) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * The first picture is the one; bytes at hand are better than a URL.  Those
 * that follow are streamed as well, so that nobody has to keep them.
 */

static int
at_ai_answer_stream(void *ctx, const char *path)
{
    at_ai_lane_t    *lane;
    at_ai_answer_t  *a;

    lane = ctx;
    a = &at_ai_private(lane)->answer;

    if (!at_ai_answer_picture_path(a, path)) {
        return 0;
    }

    a->string = a->has_picture ? AT_AI_STRING_OTHER : AT_AI_STRING_HEAD;
    a->nhead = 0;
    memset(&a->base64, 0, sizeof(at_base64_t));

    return 1;
}


static int
at_ai_answer_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    at_ai_lane_t     *lane;
    at_ai_private_t  *p;

    lane = ctx;
    p = at_ai_private(lane);

    at_ai_error_value(&p->error, path, type, text);

    if (p->answer.shape->value) {
        return p->answer.shape->value(lane, path, type, text);
    }

    return AT_OK;
}


static int
at_ai_answer_json(at_ai_lane_t *lane, const uint8_t *p, size_t len)
{
    at_ai_answer_t    *a;
    at_json_limits_t   limits;

    static const at_json_handler_t  handler = {
        .value = at_ai_answer_value,
        .stream = at_ai_answer_stream,
        .chunk = at_ai_answer_chunk
    };

    a = &at_ai_private(lane)->answer;

    if (a->json == NULL) {
        memset(&limits, 0, sizeof(at_json_limits_t));
        limits.depth = AT_AI_JSON_DEPTH;
        limits.values = AT_AI_JSON_VALUES;
        limits.plain = AT_AI_JSON_PLAIN;
        limits.cut = 1;

        a->json = at_json_create(&handler, lane, &limits);
        if (a->json == NULL) {
            (void) at_ai_fail(lane, AT_AI_TRANSIENT, "no memory for JSON");
            return AT_ERROR;
        }
    }

    if (at_json_feed(a->json, p, len) == AT_OK) {
        return AT_OK;
    }

    if (at_json_starved(a->json)) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT, "no memory for JSON");

    } else if (lane->class == AT_AI_CLASS_NONE) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the answer is not JSON that can be read: %s",
                          at_json_error(a->json));
    }

    return AT_ERROR;
}


static at_ai_body_e
at_ai_answer_sniff(const at_ai_lane_t *lane, const at_ai_answer_t *a,
    uint8_t c)
{
    if (lane->call.target == AT_AI_TO_RESULT) {
        return (at_ai_answer_binary(a) || a->type[0] == '\0')
               ? AT_AI_BODY_BYTES : AT_AI_BODY_TEXT;
    }

    if (c == '{' || c == '[') {
        return AT_AI_BODY_JSON;
    }

    /* The first bytes of PNG, JPEG and WebP. */

    if (c == 0x89 || c == 0xff || c == 'R' || at_ai_answer_binary(a)) {
        return AT_AI_BODY_BYTES;
    }

    return AT_AI_BODY_TEXT;
}


int
at_ai_answer_data(at_ai_lane_t *lane, const uint8_t *p, size_t len)
{
    int              rc;
    at_ai_answer_t  *a;

    a = &at_ai_private(lane)->answer;

    if (a->body == AT_AI_BODY_UNKNOWN && !at_ai_answer_binary(a)) {

        while (len && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
            p++;
            len--;
        }
    }

    if (len == 0) {
        return AT_OK;
    }

    if (a->body == AT_AI_BODY_UNKNOWN) {
        a->body = at_ai_answer_sniff(lane, a, *p);
    }

    switch (a->body) {

    case AT_AI_BODY_JSON:
        return at_ai_answer_json(lane, p, len);

    case AT_AI_BODY_BYTES:
        rc = at_buf_append(&lane->picture, p, len);

        return (rc == AT_OK) ? AT_OK : at_ai_answer_broken(lane, rc, len, "");

    default:
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "status %u with %s instead of a picture",
                          lane->status,
                          a->type[0] ? a->type : "unlabelled text");
        return AT_ERROR;
    }
}


static at_ai_step_e
at_ai_answer_inspect(at_ai_lane_t *lane)
{
    const char  *why;

    why = "";

    if (at_image_inspect(lane->picture.data, lane->picture.len, &lane->image,
                         &why)
        != AT_OK)
    {
        return at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the picture of %zu bytes is refused: %s",
                          lane->picture.len, why);
    }

    return AT_AI_DONE;
}


int
at_ai_answer_whole(at_ai_lane_t *lane)
{
    at_ai_answer_t  *a;

    a = &at_ai_private(lane)->answer;

    if (a->body == AT_AI_BODY_UNKNOWN) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "status %u with an empty answer", lane->status);
        return AT_ERROR;
    }

    if (a->body == AT_AI_BODY_JSON && at_json_finish(a->json) != AT_OK) {
        (void) at_ai_fail(lane, AT_AI_TRANSIENT,
                          "the answer's JSON is not whole: %s",
                          at_json_error(a->json));
        return AT_ERROR;
    }

    return AT_OK;
}


at_ai_step_e
at_ai_answer_end(at_ai_lane_t *lane)
{
    at_ai_private_t  *p;
    at_ai_answer_t   *a;

    p = at_ai_private(lane);
    a = &p->answer;

    if (at_ai_answer_whole(lane) != AT_OK) {
        return AT_AI_FAILED;
    }

    if (a->body == AT_AI_BODY_BYTES) {
        return at_ai_answer_inspect(lane);
    }

    if (a->has_picture) {
        return at_ai_answer_inspect(lane);
    }

    if (a->has_url) {
        return at_ai_call_result(lane, at_buf_str(&a->url));
    }

    if (at_ai_error_said(&p->error)) {
        return at_ai_error_in_success(lane);
    }

    return at_ai_fail(lane, AT_AI_TRANSIENT, "no picture in the answer");
}
