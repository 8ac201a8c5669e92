/*
 * Data inside pages (at_shop_js.h): a reader that goes down as deep as the
 * data, which is bounded.
 */

#include <string.h>

#include "at_shop_js.h"


typedef struct {
    const char      *start;
    const char      *p;
    const char      *end;
    at_shop_pool_t  *pool;
    size_t           nodes;
    unsigned         depth;
    int              strict;
    const char      *why;
} at_shop_js_read_t;


static at_shop_js_t *at_shop_js_value(at_shop_js_read_t *r);


static void *
at_shop_js_fail(at_shop_js_read_t *r, const char *why)
{
    if (r->why == NULL) {
        r->why = why;
    }

    return NULL;
}


static int
at_shop_js_is(const at_shop_js_read_t *r, const char *text)
{
    size_t  n;

    n = strlen(text);

    return (size_t) (r->end - r->p) >= n && memcmp(r->p, text, n) == 0;
}


/* Over blanks, and comments where they may be. */

static void
at_shop_js_blank(at_shop_js_read_t *r)
{
    const char  *p;

    for ( ;; ) {
        while (r->p < r->end && (uint8_t) *r->p <= ' ') {
            r->p++;
        }

        if (r->strict || r->end - r->p < 2 || *r->p != '/') {
            return;
        }

        if (r->p[1] == '/') {
            p = memchr(r->p, '\n', (size_t) (r->end - r->p));

        } else if (r->p[1] == '*') {
            p = memmem(r->p + 2, (size_t) (r->end - r->p - 2), "*/", 2);
            p = p ? p + 1 : NULL;

        } else {
            return;
        }

        r->p = p ? p + 1 : r->end;
    }
}


static at_shop_js_t *
at_shop_js_node(at_shop_js_read_t *r, at_shop_js_e type)
{
    at_shop_js_t  *js;

    if (++r->nodes > AT_SHOP_JS_NODES) {
        return at_shop_js_fail(r, "too many values");
    }

    js = at_shop_alloc(r->pool, sizeof(at_shop_js_t));
    if (js == NULL) {
        return at_shop_js_fail(r, "too much memory");
    }

    memset(js, 0, sizeof(at_shop_js_t));
    js->type = type;

    return js;
}


/* A string with its quotes. */

static int
at_shop_js_string(at_shop_js_read_t *r, at_str_t *text, int *escaped)
{
    char         quote;
    const char  *p;

    quote = *r->p++;
    *escaped = 0;

    for (p = r->p; p < r->end && *p != quote; p++) {

        if (*p == '\\') {
            *escaped = 1;
            p++;

        } else if (r->strict && (uint8_t) *p < ' ') {
            r->p = p;
            (void) at_shop_js_fail(r, "a line ends inside a string");
            return AT_ERROR;
        }
    }

    if (p >= r->end) {
        (void) at_shop_js_fail(r, "the text ends inside a string");
        return AT_ERROR;
    }

    *text = (at_str_t) { (size_t) (p - r->p), r->p };
    r->p = p + 1;

    return AT_OK;
}


static int
at_shop_js_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || c == '$' || (c >= '0' && c <= '9') || (uint8_t) c >= 0x80;
}


static at_str_t
at_shop_js_word(at_shop_js_read_t *r)
{
    at_str_t  word;

    word = (at_str_t) { 0, r->p };

    while (r->p < r->end && at_shop_js_letter(*r->p)) {
        r->p++;
        word.len++;
    }

    return word;
}


static int
at_shop_js_key(at_shop_js_read_t *r, at_str_t *name, int *coded)
{
    *coded = 0;

    if (*r->p == '"' || (*r->p == '\'' && !r->strict)) {

        if (at_shop_js_string(r, name, coded) != AT_OK) {
            return AT_ERROR;
        }

    } else {
        *name = r->strict ? AT_STR_NULL : at_shop_js_word(r);

        if (name->len == 0) {
            (void) at_shop_js_fail(r, "no name of a member");
            return AT_ERROR;
        }
    }

    at_shop_js_blank(r);

    if (r->p == r->end || *r->p != ':') {
        (void) at_shop_js_fail(r, "no colon behind a name");
        return AT_ERROR;
    }

    r->p++;

    return AT_OK;
}


/* 1: another entry begins here; 0: close was read; -1: neither. */

static int
at_shop_js_more(at_shop_js_read_t *r, char close, int first)
{
    at_shop_js_blank(r);

    if (r->p < r->end && *r->p == close) {
        r->p++;
        return 0;
    }

    if (!first) {
        if (r->p == r->end || *r->p != ',') {
            (void) at_shop_js_fail(r, r->p == r->end
                                      ? "the text ends too early"
                                      : "no comma between two values");
            return -1;
        }

        r->p++;
        at_shop_js_blank(r);

        if (!r->strict && r->p < r->end && *r->p == close) {
            r->p++;
            return 0;
        }
    }

    if (r->p == r->end) {
        (void) at_shop_js_fail(r, "the text ends too early");
        return -1;
    }

    return 1;
}


static at_shop_js_t *
at_shop_js_many(at_shop_js_read_t *r, at_shop_js_e type)
{
    int            more, coded;
    char           close;
    at_str_t       name;
    at_shop_js_t  *js, *item, **last;

    if (r->depth == AT_SHOP_JS_DEPTH) {
        return at_shop_js_fail(r, "nested too deeply");
    }

    js = at_shop_js_node(r, type);
    if (js == NULL) {
        return NULL;
    }

    r->depth++;
    r->p++;
    close = type == AT_SHOP_JS_OBJECT ? '}' : ']';
    last = &js->child;

    while ((more = at_shop_js_more(r, close, js->child == NULL)) == 1) {
        name = AT_STR_NULL;
        coded = 0;

        if (type == AT_SHOP_JS_OBJECT
            && at_shop_js_key(r, &name, &coded) != AT_OK)
        {
            return NULL;
        }

        item = at_shop_js_value(r);
        if (item == NULL) {
            return NULL;
        }

        item->name = name;
        item->coded = coded != 0;
        *last = item;
        last = &item->next;
    }

    r->depth--;

    return more == 0 ? js : NULL;
}


static at_shop_js_t *
at_shop_js_number(at_shop_js_read_t *r)
{
    const char    *p;
    at_shop_js_t  *js;

    js = at_shop_js_node(r, AT_SHOP_JS_NUMBER);
    if (js == NULL) {
        return NULL;
    }

    for (p = r->p; p < r->end && (at_shop_js_letter(*p) || *p == '.'
                                  || *p == '-' || *p == '+'); p++)
    {
        /* void */
    }

    js->text = (at_str_t) { (size_t) (p - r->p), r->p };

    if (*r->p == '-' && js->text.len == 1) {
        return at_shop_js_fail(r, "no value");
    }

    r->p = p;

    return js;
}


/* true, null, undefined, !0, void 0 ... */

static at_shop_js_t *
at_shop_js_literal(at_shop_js_read_t *r)
{
    at_str_t       word;
    at_shop_js_t  *js;

    if (!r->strict && (at_shop_js_is(r, "!0") || at_shop_js_is(r, "!1"))) {
        js = at_shop_js_node(r, AT_SHOP_JS_BOOL);

        if (js) {
            js->text = r->p[1] == '0' ? AT_STR("true") : AT_STR("false");
        }

        r->p += 2;
        return js;
    }

    if (!r->strict && at_shop_js_is(r, "void 0")) {
        r->p += 6;
        return at_shop_js_node(r, AT_SHOP_JS_NULL);
    }

    word = at_shop_js_word(r);

    if (at_str_is(word, "true") || at_str_is(word, "false")) {
        js = at_shop_js_node(r, AT_SHOP_JS_BOOL);

        if (js) {
            js->text = word;
        }

        return js;
    }

    if (at_str_is(word, "null")
        || (!r->strict && (at_str_is(word, "undefined")
                           || at_str_is(word, "NaN")
                           || at_str_is(word, "Infinity"))))
    {
        return at_shop_js_node(r, AT_SHOP_JS_NULL);
    }

    r->p = word.data;

    return at_shop_js_fail(r, "no value");
}


static at_shop_js_t *
at_shop_js_value(at_shop_js_read_t *r)
{
    int            escaped;
    at_shop_js_t  *js;

    at_shop_js_blank(r);

    if (r->p == r->end) {
        return at_shop_js_fail(r, "the text ends too early");
    }

    switch (*r->p) {

    case '{':
        return at_shop_js_many(r, AT_SHOP_JS_OBJECT);

    case '[':
        return at_shop_js_many(r, AT_SHOP_JS_ARRAY);

    case '\'':
    case '`':
    case '"':
        if (*r->p != '"' && r->strict) {
            return at_shop_js_fail(r, "no value");
        }

        js = at_shop_js_node(r, AT_SHOP_JS_STRING);

        if (js == NULL || at_shop_js_string(r, &js->text, &escaped) != AT_OK) {
            return NULL;
        }

        js->escaped = escaped != 0;
        return js;

    default:
        return (*r->p >= '0' && *r->p <= '9') || *r->p == '-'
               ? at_shop_js_number(r) : at_shop_js_literal(r);
    }
}


at_shop_js_t *
at_shop_js_parse(at_shop_pool_t *pool, at_str_t s, int strict, size_t *end,
    const char **why)
{
    at_shop_js_t       *js;
    at_shop_js_read_t   r;

    *end = 0;

    if (s.len == 0) {
        *why = "empty";
        return NULL;
    }

    r = (at_shop_js_read_t) { s.data, s.data, s.data + s.len, pool, 0, 0,
                              strict, NULL };
    js = at_shop_js_value(&r);
    *end = (size_t) (r.p - r.start);
    *why = r.why;

    return js;
}


static int
at_shop_js_hex(const char *p, size_t n, uint32_t *code)
{
    size_t  i;

    *code = 0;

    for (i = 0; i < n; i++) {
        if (p[i] >= '0' && p[i] <= '9') {
            *code = *code * 16 + (uint32_t) (p[i] - '0');

        } else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f') {
            *code = *code * 16 + (uint32_t) ((p[i] | 0x20) - 'a') + 10;

        } else {
            return 0;
        }
    }

    return 1;
}


static char *
at_shop_js_encode(char *o, uint32_t c)
{
    if (c < 0x80) {
        *o++ = (char) c;

    } else if (c < 0x800) {
        *o++ = (char) (0xC0 | c >> 6);
        *o++ = (char) (0x80 | (c & 0x3F));

    } else if (c < 0x10000) {
        *o++ = (char) (0xE0 | c >> 12);
        *o++ = (char) (0x80 | (c >> 6 & 0x3F));
        *o++ = (char) (0x80 | (c & 0x3F));

    } else {
        *o++ = (char) (0xF0 | c >> 18);
        *o++ = (char) (0x80 | (c >> 12 & 0x3F));
        *o++ = (char) (0x80 | (c >> 6 & 0x3F));
        *o++ = (char) (0x80 | (c & 0x3F));
    }

    return o;
}


/* p is at the backslash; returns what is behind the escape.  Never longer. */

static const char *
at_shop_js_escape(const char *p, const char *end, char **o)
{
    uint32_t  c, low;

    static const char  from[] = "bfnrtv0", to[] = "\b\f\n\r\t\v";
    const char        *found;

    p++;

    if (p == end) {
        return p;
    }

    if (*p == 'u' && end - p > 4 && at_shop_js_hex(p + 1, 4, &c)) {
        p += 5;

        if (c >= 0xD800 && c < 0xDC00 && end - p > 5 && p[0] == '\\'
            && p[1] == 'u' && at_shop_js_hex(p + 2, 4, &low)
            && low >= 0xDC00 && low < 0xE000)
        {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            p += 6;
        }

        *o = at_shop_js_encode(*o, c >= 0xD800 && c < 0xE000 ? '?' : c);
        return p;
    }

    if (*p == 'x' && end - p > 2 && at_shop_js_hex(p + 1, 2, &c)) {
        *o = at_shop_js_encode(*o, c);
        return p + 3;
    }

    found = strchr(from, *p);
    *(*o)++ = found && *found ? to[found - from] : *p;

    return p + 1;
}


static at_str_t
at_shop_js_decode(at_shop_pool_t *pool, at_str_t s)
{
    char        *out, *o;
    const char  *p, *end;

    out = at_shop_alloc(pool, s.len);
    if (out == NULL) {
        return AT_STR_NULL;
    }

    o = out;
    p = s.data;
    end = p + s.len;

    while (p < end) {
        if (*p == '\\') {
            p = at_shop_js_escape(p, end, &o);

        } else {
            *o++ = *p++;
        }
    }

    at_shop_shrink(pool, s.len, (size_t) (o - out));

    return (at_str_t) { (size_t) (o - out), out };
}


at_str_t
at_shop_js_text(at_shop_pool_t *pool, const at_shop_js_t *js)
{
    if (js == NULL || js->type == AT_SHOP_JS_NULL
        || js->type > AT_SHOP_JS_STRING)
    {
        return AT_STR_NULL;
    }

    return js->escaped ? at_shop_js_decode(pool, js->text) : js->text;
}


at_str_t
at_shop_js_name(at_shop_pool_t *pool, const at_shop_js_t *js)
{
    return js->coded ? at_shop_js_decode(pool, js->name) : js->name;
}


static at_shop_js_t *
at_shop_js_find(const at_shop_js_t *js, at_str_t name)
{
    at_shop_js_t  *item, *found;

    found = NULL;

    if (js && js->type == AT_SHOP_JS_OBJECT) {
        for (item = js->child; item; item = item->next) {
            if (at_str_eq(item->name, name)) {
                found = item;
            }
        }
    }

    return found;
}


at_shop_js_t *
at_shop_js_member(const at_shop_js_t *js, const char *name)
{
    return at_shop_js_find(js, (at_str_t) { strlen(name), name });
}


static at_shop_js_t *
at_shop_js_element(const at_shop_js_t *js, at_str_t digits)
{
    size_t         i, n;
    at_shop_js_t  *item;

    if (js == NULL || js->type != AT_SHOP_JS_ARRAY) {
        return NULL;
    }

    n = 0;

    for (i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || n > 100000) {
            return NULL;
        }

        n = n * 10 + (size_t) (digits.data[i] - '0');
    }

    for (item = js->child; item && n; item = item->next) {
        n--;
    }

    return item;
}


/* The next step of a path, and what is behind it. */

static at_str_t
at_shop_js_step(at_str_t *path)
{
    size_t    i;
    at_str_t  step;

    i = path->data[0] == '[';

    while (i < path->len && path->data[i] != '.' && path->data[i] != '[') {
        i++;
    }

    step = (at_str_t) { i, path->data };

    if (i < path->len && path->data[i] == '.') {
        i++;
    }

    path->data += i;
    path->len -= i;

    return step;
}


at_shop_js_t *
at_shop_js_path(at_shop_js_t *js, at_str_t path)
{
    at_str_t       step;
    at_shop_js_t  *item, *found;

    while (js && path.len) {
        step = at_shop_js_step(&path);

        if (at_str_is(step, "*") || at_str_is(step, "[*]")) {

            for (item = js->child; item; item = item->next) {
                found = at_shop_js_path(item, path);

                if (found) {
                    return found;
                }
            }

            return NULL;
        }

        js = step.len > 2 && step.data[0] == '['
             ? at_shop_js_element(js, (at_str_t) { step.len - 2,
                                                   step.data + 1 })
             : at_shop_js_find(js, step);
    }

    return js;
}
