/*
 * The body of POST /generate, checked (at_generate.h).
 *
 * The members are rows of a table.  The first member found wrong is
 * remembered and the reading goes on, because a body that is no JSON at all
 * is the greater fault and is reported instead.  The strings live in
 * g->store, which is given its whole room before anything points into it.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at_generate.h"
#include "at_json.h"
#include "at_text.h"
#include "at_words.h"


#define AT_GENERATE_SHOWN  40       /* bytes of a wrong value in a detail */


typedef enum {
    AT_GENERATE_TEXT,               /* tab, CR and LF allowed */
    AT_GENERATE_LINE,
    AT_GENERATE_INTEGER
} at_generate_kind_e;


typedef enum {
    AT_GENERATE_PROMPT = 0,
    AT_GENERATE_STYLE,
    AT_GENERATE_ROOM_TYPE,
    AT_GENERATE_NEGATIVE,
    AT_GENERATE_WIDTH,
    AT_GENERATE_HEIGHT,
    AT_GENERATE_SEED
} at_generate_member_e;


/* min and max: code points of a text, value of an integer. */
typedef struct {
    const char            *name;
    at_generate_kind_e     kind;
    uint64_t               min;
    uint64_t               max;
} at_generate_field_t;


typedef struct {
    at_generate_t         *g;
    at_generate_error_t   *err;     /* code is NULL while all is well */
    unsigned               seen;    /* bit of each member that occurred */
    unsigned               object:1;
} at_generate_reader_t;


static int at_generate_read(at_generate_reader_t *r, at_str_t body);
static int at_generate_json(at_generate_reader_t *r, at_str_t body);
static int at_generate_value(void *ctx, const char *path,
    at_json_type_e type, at_str_t text);
static int at_generate_open(void *ctx, const char *path,
    at_json_type_e type);
static int at_generate_find(at_generate_reader_t *r, const char *path);
static void at_generate_wrong_type(at_generate_reader_t *r, int i,
    const char *value);
static void at_generate_text(at_generate_reader_t *r, int i, at_str_t s);
static int at_generate_check_text(at_generate_reader_t *r, int i,
    at_str_t s);
static void at_generate_integer(at_generate_reader_t *r, int i, at_str_t s);
static at_str_t at_generate_trim(at_str_t s);
static int at_generate_is_space(uint32_t code);
static void at_generate_show(char *out, size_t size, at_json_type_e type,
    at_str_t s);
static int at_generate_no_memory(at_generate_reader_t *r);
static int at_generate_fail(at_generate_reader_t *r, const char *code,
    const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));


/* In the order of at_generate_member_e. */
static const at_generate_field_t  at_generate_fields[] = {
    { "prompt",         AT_GENERATE_TEXT,    1, AT_GENERATE_PROMPT_MAX },
    { "style",          AT_GENERATE_LINE,    0, AT_GENERATE_WORD_MAX },
    { "roomType",       AT_GENERATE_LINE,    0, AT_GENERATE_WORD_MAX },
    { "negativePrompt", AT_GENERATE_TEXT,    0, AT_GENERATE_NEGATIVE_MAX },
    { "width",          AT_GENERATE_INTEGER, AT_GENERATE_SIDE_MIN,
                                             AT_GENERATE_SIDE_MAX },
    { "height",         AT_GENERATE_INTEGER, AT_GENERATE_SIDE_MIN,
                                             AT_GENERATE_SIDE_MAX },
    { "seed",           AT_GENERATE_INTEGER, 0, AT_GENERATE_SEED_MAX }
};


int
at_generate_parse(at_str_t body, at_generate_t *g, at_generate_error_t *err)
{
    at_generate_reader_t  r;

    memset(g, 0, sizeof(at_generate_t));
    memset(err, 0, sizeof(at_generate_error_t));
    memset(&r, 0, sizeof(at_generate_reader_t));

    r.g = g;
    r.err = err;

    if (at_generate_read(&r, body) != AT_OK) {
        at_generate_free(g);
        memset(g, 0, sizeof(at_generate_t));
        return AT_ERROR;
    }

    return AT_OK;
}


void
at_generate_free(at_generate_t *g)
{
    at_buf_free(&g->store);
}


static int
at_generate_read(at_generate_reader_t *r, at_str_t body)
{
    if (body.len == 0) {
        return at_generate_fail(r, "invalid_json", NULL,
                                "the body is empty; send a JSON object with "
                                "a prompt");
    }

    if (body.len > AT_GENERATE_BODY_MAX) {
        return at_generate_fail(r, "too_long", NULL,
                                "the body has %zu bytes; it may have %d at "
                                "most", body.len, AT_GENERATE_BODY_MAX);
    }

    /* decoding never makes a string longer, so the store never moves */

    if (at_buf_reserve(&r->g->store, body.len) != AT_OK) {
        return at_generate_no_memory(r);
    }

    if (at_generate_json(r, body) != AT_OK) {
        return AT_ERROR;
    }

    if (!r->object) {
        return at_generate_fail(r, "not_an_object", NULL,
                                "the body is JSON but no object; send an "
                                "object with a prompt");
    }

    if (r->err->code != NULL) {
        return AT_ERROR;
    }

    if (!at_utf8_valid(body)) {
        return at_generate_fail(r, "invalid_json", NULL,
                                "the body is not valid UTF-8; send JSON in "
                                "UTF-8");
    }

    if ((r->seen & 1u << AT_GENERATE_PROMPT) == 0) {
        return at_generate_fail(r, "missing_field", "prompt",
                                "prompt is missing; send a string of 1 to %d "
                                "characters", AT_GENERATE_PROMPT_MAX);
    }

    return AT_OK;
}


/* Reads the whole body; AT_ERROR only for what is wrong with all of it. */
static int
at_generate_json(at_generate_reader_t *r, at_str_t body)
{
    int                rc;
    const char        *why;
    at_json_limits_t   limits;
    at_json_handler_t  handler;

    memset(&limits, 0, sizeof(at_json_limits_t));
    limits.string = AT_GENERATE_BODY_MAX;

    memset(&handler, 0, sizeof(at_json_handler_t));
    handler.value = at_generate_value;
    handler.open = at_generate_open;

    rc = at_json_read(body, &handler, r, &limits, &why);

    if (rc == AT_NO_MEMORY) {
        return at_generate_no_memory(r);
    }

    if (rc != AT_OK) {
        return at_generate_fail(r, "invalid_json", NULL,
                                "the body cannot be read: %s; send one JSON "
                                "object", why);
    }

    return AT_OK;
}


static int
at_generate_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    int                    i;
    char                   shown[AT_GENERATE_SHOWN];
    at_generate_reader_t  *r;

    r = ctx;

    i = at_generate_find(r, path);
    if (i < 0) {
        return AT_OK;
    }

    if (type == AT_JSON_NULL && i != AT_GENERATE_PROMPT) {
        return AT_OK;
    }

    if (at_generate_fields[i].kind == AT_GENERATE_INTEGER) {

        if (type == AT_JSON_NUMBER) {
            at_generate_integer(r, i, text);
            return AT_OK;
        }

    } else if (type == AT_JSON_STRING) {
        at_generate_text(r, i, text);
        return AT_OK;
    }

    at_generate_show(shown, sizeof(shown), type, text);
    at_generate_wrong_type(r, i, shown);

    return AT_OK;
}


static int
at_generate_open(void *ctx, const char *path, at_json_type_e type)
{
    int                    i;
    at_generate_reader_t  *r;

    r = ctx;

    if (path[0] == '\0') {
        r->object = (type == AT_JSON_OBJECT);
        return AT_OK;
    }

    i = at_generate_find(r, path);

    if (i >= 0) {
        at_generate_wrong_type(r, i, type == AT_JSON_OBJECT ? "an object"
                                                            : "an array");
    }

    return AT_OK;
}


/* The member with this path, or -1 if it is none to look at. */
static int
at_generate_find(at_generate_reader_t *r, const char *path)
{
    int  i, n;

    if (r->err->code != NULL) {
        return -1;
    }

    n = sizeof(at_generate_fields) / sizeof(at_generate_field_t);

    for (i = 0; i < n; i++) {
        if (strcmp(path, at_generate_fields[i].name) == 0) {
            break;
        }
    }

    if (i == n) {
        return -1;
    }

    if (r->seen & 1u << i) {
        (void) at_generate_fail(r, "duplicate_field",
                                at_generate_fields[i].name,
                                "%s is given more than once; send it once",
                                path);
        return -1;
    }

    r->seen |= 1u << i;

    return i;
}


static void
at_generate_wrong_type(at_generate_reader_t *r, int i, const char *value)
{
    const at_generate_field_t  *f;

    f = &at_generate_fields[i];

    if (f->kind == AT_GENERATE_INTEGER) {
        (void) at_generate_fail(r, "wrong_type", f->name,
                                "%s is %s; it must be an integer from %llu "
                                "to %llu", f->name, value,
                                (unsigned long long) f->min,
                                (unsigned long long) f->max);
        return;
    }

    (void) at_generate_fail(r, "wrong_type", f->name,
                            "%s is %s; it must be a string", f->name, value);
}


static void
at_generate_text(at_generate_reader_t *r, int i, at_str_t s)
{
    size_t                      n;
    at_str_t                    kept;
    at_buf_t                   *store;
    const at_generate_field_t  *f;

    f = &at_generate_fields[i];

    if (at_generate_check_text(r, i, s) != AT_OK) {
        return;
    }

    s = at_generate_trim(s);
    n = at_utf8_count(s);

    if (n < f->min) {
        (void) at_generate_fail(r, "empty_field", f->name,
                                "%s is empty; send a string of %llu to %llu "
                                "characters", f->name,
                                (unsigned long long) f->min,
                                (unsigned long long) f->max);
        return;
    }

    if (n > f->max) {
        (void) at_generate_fail(r, "too_long", f->name,
                                "%s has %zu characters; it may have %llu at "
                                "most", f->name, n,
                                (unsigned long long) f->max);
        return;
    }

    store = &r->g->store;

    kept.data = (const char *) store->data + store->len;
    kept.len = s.len;

    if (at_buf_append_str(store, s) != AT_OK) {
        (void) at_generate_no_memory(r);
        return;
    }

    switch (i) {

    case AT_GENERATE_PROMPT:
        r->g->prompt = kept;
        break;

    case AT_GENERATE_STYLE:
        r->g->style = kept;
        break;

    case AT_GENERATE_ROOM_TYPE:
        r->g->room_type = kept;
        break;

    default: /* AT_GENERATE_NEGATIVE */
        r->g->negative = kept;
    }
}


static int
at_generate_check_text(at_generate_reader_t *r, int i, at_str_t s)
{
    size_t                      n;
    uint32_t                    code;
    uint64_t                    v;
    const at_generate_field_t  *f;

    f = &at_generate_fields[i];

    while (s.len > 0) {

        if (s.len >= AT_WORD) {
            v = at_word_load(s.data);

            if (((v & AT_WORD_TOPS) | at_word_below(v, 0x20)
                 | at_word_equal(v, 0x7F)) == 0)
            {
                s.data += AT_WORD;
                s.len -= AT_WORD;
                continue;
            }
        }

        n = at_utf8_sequence(s);

        if (n == 0) {
            return at_generate_fail(r, "invalid_text", f->name,
                                    "%s has broken UTF-8 or half of a "
                                    "surrogate pair; send whole characters",
                                    f->name);
        }

        code = at_utf8_code(s);

        s.data += n;
        s.len -= n;

        if (f->kind == AT_GENERATE_TEXT
            && (code == '\t' || code == '\r' || code == '\n'))
        {
            continue;
        }

        if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) {
            return at_generate_fail(r, "invalid_text", f->name,
                                    "%s has the control character U+%04X; "
                                    "leave it out", f->name,
                                    (unsigned) code);
        }
    }

    return AT_OK;
}


/* s is a JSON number as written. */
static void
at_generate_integer(at_generate_reader_t *r, int i, at_str_t s)
{
    char                        shown[AT_GENERATE_SHOWN];
    size_t                      k;
    uint64_t                    value;
    unsigned                    negative;
    const at_generate_field_t  *f;

    f = &at_generate_fields[i];

    at_generate_show(shown, sizeof(shown), AT_JSON_NUMBER, s);

    negative = (s.data[0] == '-');
    value = 0;

    for (k = negative; k < s.len; k++) {

        if (s.data[k] < '0' || s.data[k] > '9') {
            at_generate_wrong_type(r, i, shown);
            return;
        }

        /* above every maximum it can only grow: let it saturate */

        if (value <= UINT32_MAX) {
            value = value * 10 + (uint64_t) (s.data[k] - '0');
        }
    }

    if (negative || value < f->min || value > f->max) {
        (void) at_generate_fail(r, "out_of_range", f->name,
                                "%s is %s; it must be an integer from %llu "
                                "to %llu", f->name, shown,
                                (unsigned long long) f->min,
                                (unsigned long long) f->max);
        return;
    }

    switch (i) {

    case AT_GENERATE_WIDTH:
        r->g->width = (unsigned) value;
        break;

    case AT_GENERATE_HEIGHT:
        r->g->height = (unsigned) value;
        break;

    default: /* AT_GENERATE_SEED */
        r->g->seed = (uint32_t) value;
        r->g->has_seed = 1;
    }
}


/* s is valid UTF-8. */
static at_str_t
at_generate_trim(at_str_t s)
{
    size_t    n;
    at_str_t  last;

    while (s.len > 0 && at_generate_is_space(at_utf8_code(s))) {
        n = at_utf8_sequence(s);
        s.data += n;
        s.len -= n;
    }

    while (s.len > 0) {
        last.len = 1;

        while (((uint8_t) s.data[s.len - last.len] & 0xC0) == 0x80) {
            last.len++;
        }

        last.data = s.data + s.len - last.len;

        if (!at_generate_is_space(at_utf8_code(last))) {
            break;
        }

        s.len -= last.len;
    }

    return s;
}


/* Unicode's White_Space, without the control characters refused before. */
static int
at_generate_is_space(uint32_t code)
{
    switch (code) {

    case '\t':
    case '\n':
    case '\r':
    case ' ':
    case 0x00A0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
        return 1;

    default:
        return code >= 0x2000 && code <= 0x200A;
    }
}


/* A scalar for a detail: ASCII, no control characters, cut to size. */
static void
at_generate_show(char *out, size_t size, at_json_type_e type, at_str_t s)
{
    char         plain[AT_GENERATE_SHOWN];
    size_t       i, n;
    const char  *quote;

    n = size - sizeof("\"...\"");
    n = s.len < n ? s.len : n;

    for (i = 0; i < n; i++) {
        plain[i] = (s.data[i] >= 0x20 && s.data[i] < 0x7F) ? s.data[i] : '?';
    }

    plain[n] = '\0';

    quote = type == AT_JSON_STRING ? "\"" : "";

    (void) snprintf(out, size, "%s%s%s%s", quote, plain,
                    n < s.len ? "..." : "", quote);
}


static int
at_generate_no_memory(at_generate_reader_t *r)
{
    return at_generate_fail(r, "no_memory", NULL,
                            "there is no memory to read the body; try again "
                            "later");
}


/*
 * The last failure reported wins; at_generate_find() sees to it that a
 * member's comes only once.  Returns AT_ERROR.
 */
static int
at_generate_fail(at_generate_reader_t *r, const char *code,
    const char *field, const char *fmt, ...)
{
    va_list  args;

    r->err->code = code;
    r->err->field = field;

    va_start(args, fmt);
    (void) vsnprintf(r->err->detail, sizeof(r->err->detail), fmt, args);
    va_end(args);

    return AT_ERROR;
}
