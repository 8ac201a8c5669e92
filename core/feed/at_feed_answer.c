/*
 * The frame of every answer: bounds, the JSON reader, items in a list, and
 * the outcome.
 *
 * The driver creates, feeds and frees it.  An item is read field by field
 * into one buffer that the next item uses again, and becomes a design at its
 * closing brace (at_feed_item.c), so the work is spread over the pieces in
 * which the answer comes.  Designs and their text belong to the answer.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_feed_internal.h"


#define AT_FEED_BLOCK  16384


static const uint8_t  at_feed_bom[] = { 0xEF, 0xBB, 0xBF };


static int at_feed_json_value(void *ctx, const char *path,
    at_json_type_e type, at_str_t text);
static int at_feed_json_open(void *ctx, const char *path,
    at_json_type_e type);
static int at_feed_json_close(void *ctx, const char *path,
    at_json_type_e type);


static const at_json_handler_t  at_feed_handler = {
    .value = at_feed_json_value,
    .open = at_feed_json_open,
    .close = at_feed_json_close
};


static const at_json_limits_t  at_feed_limits = {
    .depth = AT_FEED_DEPTH,
    .string = AT_FEED_STRING_MAX,
    .cut = 1,
    .values = AT_FEED_VALUES_MAX
};


int
at_feed_fail(at_feed_answer_t *a, at_feed_outcome_e outcome,
    const char *fmt, ...)
{
    va_list  args;

    if (!a->private->failed) {
        a->private->failed = 1;
        a->private->outcome = outcome;

        va_start(args, fmt);
        (void) vsnprintf(a->reason, sizeof(a->reason), fmt, args);
        va_end(args);
    }

    return AT_ERROR;
}


char *
at_feed_alloc(at_feed_answer_t *a, size_t len)
{
    char             *p;
    size_t            size;
    at_feed_block_t  *b;

    b = a->private->blocks;

    if (b == NULL || len > b->size - b->used) {
        size = len > AT_FEED_BLOCK ? len : AT_FEED_BLOCK;

        b = malloc(sizeof(at_feed_block_t) + size);
        if (b == NULL) {
            (void) at_feed_fail(a, AT_FEED_ERROR, "no memory for designs");
            return NULL;
        }

        b->used = 0;
        b->size = size;
        b->next = a->private->blocks;
        a->private->blocks = b;
    }

    p = b->data + b->used;
    b->used += len;

    return p;
}


at_str_t
at_feed_copy(at_feed_answer_t *a, at_str_t s)
{
    char  *p;

    if (s.len == 0) {
        return AT_STR_NULL;
    }

    p = at_feed_alloc(a, s.len);
    if (p == NULL) {
        return AT_STR_NULL;
    }

    memcpy(p, s.data, s.len);

    return (at_str_t) { s.len, p };
}


at_str_t
at_feed_printf(at_feed_answer_t *a, const char *fmt, ...)
{
    int      n;
    char    *p;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    p = n < 0 ? NULL : at_feed_alloc(a, (size_t) n + 1);
    if (p == NULL) {
        return AT_STR_NULL;
    }

    va_start(args, fmt);
    (void) vsnprintf(p, (size_t) n + 1, fmt, args);
    va_end(args);

    return (at_str_t) { (size_t) n, p };
}


at_feed_answer_t *
at_feed_answer_create(const at_feed_source_t *source,
    const at_feed_query_t *query, unsigned page, uint32_t ranked,
    unsigned status, int64_t now)
{
    at_feed_answer_t   *a;
    at_feed_private_t  *p;

    a = calloc(1, sizeof(at_feed_answer_t));
    if (a == NULL) {
        return NULL;
    }

    p = calloc(1, sizeof(at_feed_private_t));
    if (p == NULL) {
        free(a);
        return NULL;
    }

    a->private = p;
    a->source = source;
    a->query = query;
    a->retry_after_ms = -1;
    a->quota = (at_feed_quota_t) { 0, -1, -1, -1, -1 };

    p->page = page;
    p->ranked = ranked;
    p->status = status;
    p->now = now;
    p->total = -1;
    p->pages = -1;
    p->code = -1;
    p->item.text.max = AT_FEED_ITEM_MAX;

    if (status >= 200 && status <= 299) {
        p->json = at_json_create(&at_feed_handler, a, &at_feed_limits);

        if (p->json == NULL) {
            at_feed_answer_free(a);
            return NULL;
        }
    }

    return a;
}


void
at_feed_answer_free(at_feed_answer_t *a)
{
    at_feed_block_t    *b, *next;
    at_feed_private_t  *p;

    if (a == NULL) {
        return;
    }

    p = a->private;

    for (b = p->blocks; b; b = next) {
        next = b->next;
        free(b);
    }

    at_json_free(p->json);
    at_buf_free(&p->item.text);

    free(p->places);
    free(p);
    free(a->designs);
    free(a);
}


void
at_feed_answer_header(at_feed_answer_t *a, at_str_t name, at_str_t value)
{
    if (at_str_ieq(name, AT_STR("Content-Encoding"))) {

        if (value.len && !at_str_ieq(value, AT_STR("identity"))) {
            a->private->encoded = 1;
        }

        return;
    }

    at_feed_quota_header(a, name, value);
}


/* Returns how much of p is the byte order mark, which may be cut anywhere. */

static size_t
at_feed_answer_bom(at_feed_private_t *s, const uint8_t *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len && s->marks < sizeof(at_feed_bom); i++) {

        if (p[i] != at_feed_bom[s->marks]) {
            break;
        }

        s->marks++;
    }

    if (i < len) {
        s->begun = 1;
    }

    return i;
}


int
at_feed_answer_data(at_feed_answer_t *a, const uint8_t *p, size_t len)
{
    size_t              n;
    at_feed_private_t  *s;

    s = a->private;

    if (s->failed) {
        return AT_ERROR;
    }

    if (len == 0) {
        return AT_OK;
    }

    if (len > AT_FEED_ANSWER_MAX - s->bytes) {
        return at_feed_fail(a, AT_FEED_PARSE,
                            "the answer is longer than %u bytes",
                            (unsigned) AT_FEED_ANSWER_MAX);
    }

    s->bytes += len;

    if (s->json == NULL) {
        n = sizeof(s->head) - s->nhead;
        n = len < n ? len : n;

        memcpy(s->head + s->nhead, p, n);
        s->nhead += n;

        return AT_OK;
    }

    if (s->encoded) {
        return at_feed_fail(a, AT_FEED_PARSE,
                            "the answer has a Content-Encoding");
    }

    if (!s->begun) {
        n = at_feed_answer_bom(s, p, len);

        if (s->begun && s->marks != 0 && s->marks != sizeof(at_feed_bom)) {
            return at_feed_fail(a, AT_FEED_PARSE, "the answer is not JSON");
        }

        p += n;
        len -= n;

        if (len == 0) {
            return AT_OK;
        }
    }

    if (at_json_feed(s->json, p, len) != AT_OK) {

        if (at_json_starved(s->json)) {
            return at_feed_fail(a, AT_FEED_ERROR, "no memory for an answer");
        }

        return at_feed_fail(a, AT_FEED_PARSE, "the answer is not JSON: %s",
                            at_json_error(s->json));
    }

    return AT_OK;
}


/* "*" in the pattern stands for one name of a member. */

static int
at_feed_path_match(const char *pattern, const char *path)
{
    while (*pattern) {

        if (*pattern == '*') {
            if (*path == '\0' || *path == '.' || *path == '[') {
                return 0;
            }

            while (*path && *path != '.' && *path != '[') {
                path++;
            }

            pattern++;
            continue;
        }

        if (*pattern++ != *path++) {
            return 0;
        }
    }

    return *path == '\0';
}


/* path is the list whose elements pattern matches. */

static int
at_feed_path_list(const char *pattern, const char *path)
{
    size_t  len;

    len = strlen(path);

    return strncmp(pattern, path, len) == 0
           && (strcmp(pattern + len, "[]") == 0
               || strcmp(pattern + len, ".*") == 0);
}


static int
at_feed_json_open(void *ctx, const char *path, at_json_type_e type)
{
    size_t                  i;
    at_feed_answer_t       *a;
    at_feed_private_t      *s;
    const at_feed_rules_t  *r;

    a = ctx;
    s = a->private;
    r = a->source->rules;

    if (s->prefix) {
        return AT_OK;
    }

    if (strcmp(path, "continue") == 0) {
        s->continued = 1;
    }

    for (i = 0; i < AT_FEED_ITEMS_PATHS && r->items[i]; i++) {

        if (at_feed_path_list(r->items[i], path)) {
            s->listed = 1;
        }

        if (type == AT_JSON_OBJECT
            && at_feed_path_match(r->items[i], path))
        {
            s->prefix = strlen(path);
            at_feed_item_begin(a);
            break;
        }
    }

    return AT_OK;
}


static int
at_feed_json_close(void *ctx, const char *path, at_json_type_e type)
{
    at_feed_answer_t   *a;
    at_feed_private_t  *s;

    a = ctx;
    s = a->private;

    if (s->prefix == 0 || type != AT_JSON_OBJECT
        || strlen(path) != s->prefix)
    {
        return AT_OK;
    }

    s->prefix = 0;

    return at_feed_item_end(a);
}


static int
at_feed_json_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    at_feed_answer_t       *a;
    at_feed_private_t      *s;
    const at_feed_rules_t  *r;

    a = ctx;
    s = a->private;
    r = a->source->rules;

    if (type == AT_JSON_NULL) {
        return AT_OK;
    }

    if (s->prefix) {
        if (strlen(path) > s->prefix) {
            at_feed_item_value(a, path + s->prefix, text);
        }

        return s->failed ? AT_ERROR : AT_OK;
    }

    if (r->total && strcmp(path, r->total) == 0) {
        s->total = at_feed_number(text);
    }

    if (r->pages && strcmp(path, r->pages) == 0) {
        s->pages = at_feed_number(text);
    }

    if (r->value) {
        r->value(a, path, text);
    }

    return AT_OK;
}


/*
 * What a source says of its last page is believed only if it is the last by
 * all that it says: totals lie, and a page may be short in the middle.
 */

static int
at_feed_answer_more(const at_feed_answer_t *a)
{
    int64_t                   asked;
    const at_feed_rules_t    *r;
    const at_feed_private_t  *s;

    s = a->private;
    r = a->source->rules;

    if (s->last || s->page >= a->source->pages) {
        return 0;
    }

    if (r->continues) {
        return s->continued;
    }

    if (a->received == 0) {
        return 0;
    }

    asked = (int64_t) s->page * a->source->size;

    if (s->total > 0 && asked >= s->total && s->pages <= (int64_t) s->page
        && (a->received < a->source->size || r->repeats))
    {
        return 0;
    }

    return 1;
}


/* Insertion sort: nearly in order, and stable. */

static void
at_feed_answer_sort(at_feed_answer_t *a)
{
    size_t        i, j;
    int64_t       place, *places;
    at_design_t   d;

    places = a->private->places;

    for (i = 1; i < a->ndesigns; i++) {
        d = a->designs[i];
        place = places[i];

        for (j = i; j > 0 && places[j - 1] > place; j--) {
            a->designs[j] = a->designs[j - 1];
            places[j] = places[j - 1];
        }

        a->designs[j] = d;
        places[j] = place;
    }
}


static void
at_feed_answer_success(at_feed_answer_t *a, int complete)
{
    at_feed_private_t      *s;
    const at_feed_rules_t  *r;

    s = a->private;
    r = a->source->rules;

    if (!s->failed && !complete) {
        (void) at_feed_fail(a, AT_FEED_PARSE, "the answer was cut off");
    }

    if (!s->failed && at_json_finish(s->json) != AT_OK) {

        if (at_json_starved(s->json)) {
            (void) at_feed_fail(a, AT_FEED_ERROR, "no memory for an answer");

        } else {
            (void) at_feed_fail(a, AT_FEED_PARSE,
                                "the answer is not whole JSON: %s",
                                at_json_error(s->json));
        }
    }

    if (!s->failed && r->end) {
        r->end(a);
    }

    if (!s->failed && !s->listed && !r->unlisted) {
        (void) at_feed_fail(a, AT_FEED_PARSE,
                            "the answer has no list of pictures");
    }
}


at_feed_outcome_e
at_feed_answer_end(at_feed_answer_t *a, int complete)
{
    size_t              i;
    at_feed_private_t  *s;

    s = a->private;

    at_feed_quota_end(a);

    if (s->json) {
        at_feed_answer_success(a, complete);

    } else {
        at_feed_error_end(a);
    }

    if (s->failed) {
        a->ndesigns = 0;
        a->more = 1;

        return s->outcome;
    }

    a->more = at_feed_answer_more(a) ? 1 : 0;

    if (a->source->rules->ordered) {
        at_feed_answer_sort(a);
    }

    for (i = 0; i < a->ndesigns; i++) {
        a->designs[i].rank = s->ranked + 1 + (uint32_t) i;
    }

    return AT_FEED_OK;
}
