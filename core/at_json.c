/*
 * The incremental JSON reader (at_json.h).
 *
 * yajl checks the structure, the numbers and the literals; the strings never
 * reach it.  A scanner in front takes each one out, has it decoded
 * (at_json_string.c says why) and hands yajl an empty one in its place.
 * yajl calls back at once and has seen all that came before, so its callbacks
 * and the last significant byte say whether the string is a key or a value,
 * and whether one may stand there at all.
 *
 * The creator frees the reader.  Text and path given to a callback are good
 * until it returns.
 */

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "at_json.h"
#include "at_json_string.h"


#define AT_JSON_DEPTH       64
#define AT_JSON_STRING_MAX  16384


/* An open object or array. */
typedef struct {
    size_t          len;        /* of its own path */
    at_json_type_e  type;
    unsigned        lost:1;     /* its path is "?" */
} at_json_frame_t;


struct at_json_s {
    at_json_handler_t   handler;
    void               *ctx;
    at_json_limits_t    limits;
    yajl_handle         yajl;
    const char         *error;
    unsigned            finished:1;
    unsigned            starved:1;
    size_t              values; /* so many more may come */
    size_t              plain;  /* and so many bytes that are not streamed */

    /*
     * The path of the value that comes next or is being read, and the open
     * containers; frames has limits.depth entries.
     */
    char                path[AT_JSON_PATH_MAX + 1];
    size_t              path_len;
    unsigned            lost:1;
    at_json_frame_t    *frames;
    unsigned            depth;

    /* Outside of strings: */
    uint8_t             last;   /* last significant byte, 0 at the start */
    size_t              token;  /* bytes of the number or literal so far */

    /* The string under way: */
    unsigned            in_string:1;
    unsigned            key:1;
    unsigned            stream:1;
    unsigned            full:1; /* the rest of it is dropped */
    at_json_string_t    string;
    at_buf_t            text;   /* what it says, unless streamed */
};


static int at_json_fail(at_json_t *j, const char *why);
static const uint8_t *at_json_plain(at_json_t *j, const uint8_t *p,
    const uint8_t *end);
static int at_json_outside(at_json_t *j, const uint8_t *p, size_t len);
static int at_json_yajl(at_json_t *j, const void *p, size_t len);
static int at_json_string_begin(at_json_t *j);
static const uint8_t *at_json_string(at_json_t *j, const uint8_t *p,
    const uint8_t *end);
static int at_json_piece(void *ctx, const uint8_t *p, size_t len, int last);
static int at_json_collect(at_json_t *j, const uint8_t *p, size_t len);
static int at_json_append(at_json_t *j, const uint8_t *p, size_t len);
static void at_json_trim(at_buf_t *b);
static const char *at_json_path(at_json_t *j);
static void at_json_path_append(at_json_t *j, at_str_t s);
static int at_json_count(at_json_t *j);
static int at_json_value(at_json_t *j, at_json_type_e type, const char *data,
    size_t len);
static int at_json_open(at_json_t *j, at_json_type_e type);
static int at_json_close(at_json_t *j);
static int at_json_yajl_null(void *ctx);
static int at_json_yajl_boolean(void *ctx, int value);
static int at_json_yajl_number(void *ctx, const char *data, size_t len);
static int at_json_yajl_string(void *ctx, const unsigned char *data,
    size_t len);
static int at_json_yajl_open_map(void *ctx);
static int at_json_yajl_key(void *ctx, const unsigned char *data,
    size_t len);
static int at_json_yajl_open_array(void *ctx);
static int at_json_yajl_close(void *ctx);


static const yajl_callbacks  at_json_callbacks = {
    at_json_yajl_null,
    at_json_yajl_boolean,
    NULL,                       /* integer: number has both */
    NULL,                       /* double */
    at_json_yajl_number,
    at_json_yajl_string,
    at_json_yajl_open_map,
    at_json_yajl_key,
    at_json_yajl_close,
    at_json_yajl_open_array,
    at_json_yajl_close
};


at_json_t *
at_json_create(const at_json_handler_t *handler, void *ctx,
    const at_json_limits_t *limits)
{
    at_json_t  *j;

    j = calloc(1, sizeof(at_json_t));
    if (j == NULL) {
        return NULL;
    }

    j->handler = *handler;
    j->ctx = ctx;
    j->string.piece = at_json_piece;
    j->string.ctx = j;

    if (limits != NULL) {
        j->limits = *limits;
    }

    if (j->limits.depth == 0) {
        j->limits.depth = AT_JSON_DEPTH;
    }

    if (j->limits.string == 0) {
        j->limits.string = AT_JSON_STRING_MAX;
    }

    j->values = j->limits.values ? j->limits.values : SIZE_MAX;
    j->plain = j->limits.plain ? j->limits.plain : SIZE_MAX;

    j->frames = calloc(j->limits.depth, sizeof(at_json_frame_t));
    j->yajl = yajl_alloc(&at_json_callbacks, NULL, j);

    if (j->frames == NULL || j->yajl == NULL) {
        at_json_free(j);
        return NULL;
    }

    return j;
}


void
at_json_free(at_json_t *j)
{
    if (j == NULL) {
        return;
    }

    if (j->yajl != NULL) {
        yajl_free(j->yajl);
    }

    at_buf_free(&j->text);
    free(j->frames);
    free(j);
}


int
at_json_feed(at_json_t *j, const void *data, size_t len)
{
    const uint8_t  *p, *end;

    if (j->error != NULL) {
        return AT_ERROR;
    }

    if (len == 0) {
        return AT_OK;
    }

    if (j->finished) {
        return at_json_fail(j, "text after the end");
    }

    p = data;
    end = p + len;

    while (p < end) {
        p = (j->in_string && j->stream) ? at_json_string(j, p, end)
                                        : at_json_plain(j, p, end);

        if (p == NULL) {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


/* Reads on, as far as there is leave to; returns where it stopped, or NULL. */
static const uint8_t *
at_json_plain(at_json_t *j, const uint8_t *p, const uint8_t *end)
{
    size_t          n;
    const uint8_t  *start, *quote;

    if (j->plain == 0) {
        (void) at_json_fail(j, "too many bytes");
        return NULL;
    }

    if ((size_t) (end - p) > j->plain) {
        end = p + j->plain;
    }

    start = p;

    if (j->in_string) {
        p = at_json_string(j, p, end);
        if (p == NULL) {
            return NULL;
        }

    } else {
        quote = memchr(p, '"', (size_t) (end - p));
        n = (size_t) ((quote != NULL ? quote : end) - p);

        if (at_json_outside(j, p, n) != AT_OK) {
            return NULL;
        }

        p += n;

        if (quote != NULL) {
            if (at_json_string_begin(j) != AT_OK) {
                return NULL;
            }

            p++;
        }
    }

    if (j->limits.plain) {
        j->plain -= (size_t) (p - start);
    }

    return p;
}


int
at_json_finish(at_json_t *j)
{
    if (j->error != NULL) {
        return AT_ERROR;
    }

    if (j->finished) {
        return AT_OK;
    }

    if (j->in_string) {
        return at_json_fail(j, "the text ends inside a string");
    }

    if (yajl_complete_parse(j->yajl) != yajl_status_ok) {
        return at_json_fail(j, "the text ends too early or goes on after "
                               "its value");
    }

    j->finished = 1;

    return AT_OK;
}


const char *
at_json_error(const at_json_t *j)
{
    return j->error != NULL ? j->error : "";
}


int
at_json_starved(const at_json_t *j)
{
    return j->starved;
}


/* The first reason stays: what follows it is only its consequence. */
static int
at_json_fail(at_json_t *j, const char *why)
{
    if (j->error == NULL) {
        j->error = why;
    }

    return AT_ERROR;
}


/* Bytes between strings, on their way to yajl. */
static int
at_json_outside(at_json_t *j, const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        switch (p[i]) {

        case ' ':
        case '\t':
        case '\r':
        case '\n':
            j->token = 0;
            break;

        case '{':
        case '}':
        case '[':
        case ']':
        case ':':
        case ',':
            j->token = 0;
            j->last = p[i];
            break;

        default:

            /* yajl keeps a partial token, so its length is ours to bound */

            if (++j->token > AT_JSON_NUMBER_MAX) {
                return at_json_fail(j, "a number is too long");
            }

            j->last = p[i];
        }
    }

    return at_json_yajl(j, p, len);
}


static int
at_json_yajl(at_json_t *j, const void *p, size_t len)
{
    if (len == 0) {
        return AT_OK;
    }

    switch (yajl_parse(j->yajl, p, len)) {

    case yajl_status_ok:
        return AT_OK;

    case yajl_status_client_canceled:
        return at_json_fail(j, "stopped by its reader");

    default:
        return at_json_fail(j, "not valid JSON");
    }
}


/* An opening quote. */
static int
at_json_string_begin(at_json_t *j)
{
    const char  *path;

    switch (j->last) {

    case 0:
    case '{':
    case '[':
    case ':':
    case ',':
        break;

    default:
        return at_json_fail(j, "not valid JSON: a string is out of place");
    }

    j->in_string = 1;
    j->key = (j->depth > 0
              && j->frames[j->depth - 1].type == AT_JSON_OBJECT
              && j->last != ':');
    j->stream = 0;
    j->full = 0;
    at_json_string_open(&j->string);
    j->text.len = 0;
    j->text.max = j->key ? AT_JSON_PATH_MAX : j->limits.string;

    if (!j->key && j->handler.stream != NULL) {
        path = at_json_path(j);
        j->stream = (j->handler.stream(j->ctx, path) == 1);
    }

    return AT_OK;
}


/* Reads on inside a string; returns where it stopped, or NULL. */
static const uint8_t *
at_json_string(at_json_t *j, const uint8_t *p, const uint8_t *end)
{
    p = at_json_string_read(&j->string, p, end);

    if (p == NULL) {
        (void) at_json_fail(j, j->string.error);
        return NULL;
    }

    if (!j->string.closed) {
        return p;
    }

    j->in_string = 0;
    j->last = '"';

    return at_json_yajl(j, "\"\"", 2) == AT_OK ? p : NULL;
}


/* Decoded bytes of the string under way. */
static int
at_json_piece(void *ctx, const uint8_t *p, size_t len, int last)
{
    at_json_t   *j;
    const char  *path;

    j = ctx;

    if (!j->stream) {
        return at_json_collect(j, p, len);
    }

    if ((len == 0 && !last) || j->handler.chunk == NULL) {
        return AT_OK;
    }

    path = at_json_path(j);

    if (j->handler.chunk(j->ctx, path, p, len, last) != AT_OK) {
        return at_json_fail(j, "stopped by its reader");
    }

    return AT_OK;
}


static int
at_json_collect(at_json_t *j, const uint8_t *p, size_t len)
{
    size_t  room;

    if (len == 0 || j->full) {
        return AT_OK;
    }

    room = j->text.max - j->text.len;

    if (len <= room) {
        return at_json_append(j, p, len);
    }

    /* a key too long to be in a path is no error, but it has no path */

    if (!j->key && !j->limits.cut) {
        return at_json_fail(j, "a string is too long");
    }

    j->full = 1;

    if (at_json_append(j, p, room) != AT_OK) {
        return AT_ERROR;
    }

    at_json_trim(&j->text);

    return AT_OK;
}


/* There is room for len bytes within the bound. */
static int
at_json_append(at_json_t *j, const uint8_t *p, size_t len)
{
    if (at_buf_append(&j->text, p, len) != AT_OK) {
        j->starved = 1;
        return at_json_fail(j, "no memory");
    }

    return AT_OK;
}


/* Takes away the beginning of a UTF-8 sequence whose end was cut off. */
static void
at_json_trim(at_buf_t *b)
{
    size_t  i, n;

    for (i = 1; i <= 3 && i <= b->len; i++) {

        if ((b->data[b->len - i] & 0xC0) == 0x80) {
            continue;
        }

        if (b->data[b->len - i] >= 0xF0) {
            n = 4;

        } else if (b->data[b->len - i] >= 0xE0) {
            n = 3;

        } else if (b->data[b->len - i] >= 0xC0) {
            n = 2;

        } else {
            n = 1;
        }

        if (i < n) {
            b->len -= i;
        }

        return;
    }
}


static const char *
at_json_path(at_json_t *j)
{
    j->path[j->path_len] = '\0';

    return j->lost ? "?" : j->path;
}


static void
at_json_path_append(at_json_t *j, at_str_t s)
{
    if (j->lost) {
        return;
    }

    if (s.len > AT_JSON_PATH_MAX - j->path_len) {
        j->lost = 1;
        return;
    }

    memcpy(j->path + j->path_len, s.data, s.len);
    j->path_len += s.len;
}


/* One value more. */
static int
at_json_count(at_json_t *j)
{
    if (j->values == 0) {
        return at_json_fail(j, "too many values");
    }

    if (j->limits.values) {
        j->values--;
    }

    return AT_OK;
}


static int
at_json_value(at_json_t *j, at_json_type_e type, const char *data,
    size_t len)
{
    at_str_t  text;

    if (at_json_count(j) != AT_OK) {
        return 0;
    }

    if (j->handler.value == NULL) {
        return 1;
    }

    text.data = data;
    text.len = len;

    return j->handler.value(j->ctx, at_json_path(j), type, text) == AT_OK;
}


static int
at_json_open(at_json_t *j, at_json_type_e type)
{
    at_json_frame_t  *f;

    if (at_json_count(j) != AT_OK) {
        return 0;
    }

    if (j->depth == j->limits.depth) {
        (void) at_json_fail(j, "nested too deeply");
        return 0;
    }

    if (j->handler.open != NULL
        && j->handler.open(j->ctx, at_json_path(j), type) != AT_OK)
    {
        return 0;
    }

    f = &j->frames[j->depth++];
    f->type = type;
    f->len = j->path_len;
    f->lost = j->lost;

    if (type == AT_JSON_ARRAY) {
        at_json_path_append(j, AT_STR("[]"));
    }

    return 1;
}


static int
at_json_close(at_json_t *j)
{
    at_json_frame_t  *f;

    f = &j->frames[--j->depth];

    j->path_len = f->len;
    j->lost = f->lost;

    if (j->handler.close == NULL) {
        return 1;
    }

    return j->handler.close(j->ctx, at_json_path(j), f->type) == AT_OK;
}


static int
at_json_yajl_null(void *ctx)
{
    return at_json_value(ctx, AT_JSON_NULL, "null", 4);
}


static int
at_json_yajl_boolean(void *ctx, int value)
{
    return value ? at_json_value(ctx, AT_JSON_BOOL, "true", 4)
                 : at_json_value(ctx, AT_JSON_BOOL, "false", 5);
}


static int
at_json_yajl_number(void *ctx, const char *data, size_t len)
{
    return at_json_value(ctx, AT_JSON_NUMBER, data, len);
}


/* data is the empty stand-in: the string itself is in text, or streamed. */
static int
at_json_yajl_string(void *ctx, const unsigned char *data, size_t len)
{
    at_json_t  *j;

    (void) data;
    (void) len;

    j = ctx;

    if (j->stream) {
        return at_json_count(j) == AT_OK;
    }

    return at_json_value(j, AT_JSON_STRING,
                         j->text.len > 0 ? (const char *) j->text.data : "",
                         j->text.len);
}


static int
at_json_yajl_open_map(void *ctx)
{
    return at_json_open(ctx, AT_JSON_OBJECT);
}


static int
at_json_yajl_key(void *ctx, const unsigned char *data, size_t len)
{
    size_t            i;
    at_json_t        *j;
    at_json_frame_t  *f;

    (void) data;
    (void) len;

    j = ctx;
    f = &j->frames[j->depth - 1];

    j->path_len = f->len;
    j->lost = f->lost;

    /*
     * A key that could pass for a piece of another path, or end the C string
     * early, has none.
     */

    if (j->full || j->text.len == 0) {
        j->lost = 1;
        return 1;
    }

    for (i = 0; i < j->text.len; i++) {
        switch (j->text.data[i]) {

        case '\0':
        case '.':
        case '[':
        case ']':
        case '?':
            j->lost = 1;
            return 1;

        default:
            break;
        }
    }

    if (j->path_len > 0) {
        at_json_path_append(j, AT_STR("."));
    }

    at_json_path_append(j, at_buf_str(&j->text));

    return 1;
}


static int
at_json_yajl_open_array(void *ctx)
{
    return at_json_open(ctx, AT_JSON_ARRAY);
}


static int
at_json_yajl_close(void *ctx)
{
    return at_json_close(ctx);
}
