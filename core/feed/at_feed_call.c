/*
 * From a query to the call of a source, by the template of its rules.
 *
 * The driver makes the call and frees it; all its strings lie in call->text,
 * where they are found again by their offsets when it no longer grows.
 * Credentials are no part of a call.
 */

#include <string.h>

#include "at_feed_internal.h"


#define AT_FEED_CALL_MAX  8192


static const char  at_feed_hex[] = "0123456789ABCDEF";


static int
at_feed_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || c == '-' || c == '.' || c == '_' || c == '~';
}


int
at_feed_encode(at_buf_t *b, at_str_t s)
{
    int      rc;
    char     code[3];
    size_t   i;

    for (i = 0; i < s.len; i++) {

        if (at_feed_unreserved(s.data[i])) {
            rc = at_buf_append(b, &s.data[i], 1);

        } else {
            code[0] = '%';
            code[1] = at_feed_hex[(uint8_t) s.data[i] >> 4];
            code[2] = at_feed_hex[(uint8_t) s.data[i] & 0xf];

            rc = at_buf_append(b, code, 3);
        }

        if (rc != AT_OK) {
            return rc;
        }
    }

    return AT_OK;
}


/* "&name=": what the value is appended to. */

static int
at_feed_arg_name(at_buf_t *b, size_t start, const char *name)
{
    return at_buf_printf(b, "%s%s=", b->len > start ? "&" : "", name);
}


static int
at_feed_arg(at_buf_t *b, size_t start, const char *name, const char *value)
{
    int  rc;

    rc = at_feed_arg_name(b, start, name);

    return rc == AT_OK
           ? at_feed_encode(b, (at_str_t) { strlen(value), value }) : rc;
}


static int
at_feed_arg_number(at_buf_t *b, size_t start, const char *name,
    unsigned value)
{
    int  rc;

    rc = at_feed_arg_name(b, start, name);

    return rc == AT_OK ? at_buf_printf(b, "%u", value) : rc;
}


/*
 * The query's text as the source can take it: without the operators of its
 * query language, which a reader of ours does not mean, and cut to its bound.
 */

static int
at_feed_arg_text(at_buf_t *b, size_t start, const at_feed_rules_t *rules,
    at_str_t text)
{
    int      rc;
    char     clean[AT_FEED_TEXT_BYTES];
    size_t   i, n;

    rc = at_feed_arg_name(b, start, rules->text);

    if (rc == AT_OK && rules->prefix) {
        rc = at_feed_encode(b, (at_str_t) { strlen(rules->prefix),
                                            rules->prefix });
    }

    if (rc != AT_OK) {
        return rc;
    }

    text = at_utf8_cut(text, rules->text_max);
    n = 0;

    for (i = 0; i < text.len && n < sizeof(clean); i++) {
        if (rules->operators && text.data[i]
            && strchr(rules->operators, text.data[i]))
        {
            if (n > 0 && clean[n - 1] != ' ') {
                clean[n++] = ' ';
            }

            continue;
        }

        if (text.data[i] != ' ' || (n > 0 && clean[n - 1] != ' ')) {
            clean[n++] = text.data[i];
        }
    }

    while (n > 0 && clean[n - 1] == ' ') {
        n--;
    }

    /* A text of nothing but operators must not become a search for all. */

    return n ? at_feed_encode(b, (at_str_t) { n, clean })
             : at_feed_encode(b, AT_STR(AT_FEED_ANY_TEXT));
}


static int
at_feed_arg_exclude(at_buf_t *b, size_t start, const at_feed_source_t *source,
    unsigned exclude)
{
    int       rc, first;
    unsigned  i;

    exclude &= source->rules->copies;
    first = 1;

    for (i = 0; i < AT_FEED_SOURCES; i++) {

        if ((exclude & (1u << i)) == 0) {
            continue;
        }

        rc = first ? at_feed_arg_name(b, start, source->rules->exclude)
                   : at_buf_append(b, ",", 1);

        if (rc == AT_OK) {
            rc = at_buf_append_str(b, at_feed_source(i)->name);
        }

        if (rc != AT_OK) {
            return rc;
        }

        first = 0;
    }

    return AT_OK;
}


static int
at_feed_args(const at_feed_source_t *source, const at_feed_query_t *query,
    unsigned page, unsigned exclude, int any, at_buf_t *b)
{
    int                     rc;
    size_t                  start;
    const char             *name;
    const at_feed_rules_t  *r;

    r = source->rules;
    start = b->len;
    rc = AT_OK;

    if (r->fixed) {
        rc = at_buf_append(b, r->fixed, strlen(r->fixed));
    }

    if (rc == AT_OK && !any) {
        rc = at_feed_arg_text(b, start, r,
                              query->text.len ? query->text
                                              : AT_STR(AT_FEED_ANY_TEXT));
    }

    if (rc == AT_OK) {
        rc = at_feed_arg_number(b, start, r->page,
                                r->offset ? (page - 1) * source->size : page);
    }

    if (rc == AT_OK) {
        rc = at_feed_arg_number(b, start, r->per_page, source->size);
    }

    name = r->orientations[query->orientation];

    if (rc == AT_OK && name) {
        rc = at_feed_arg(b, start, r->orientation, name);
    }

    name = r->colors[query->color];

    if (rc == AT_OK && name) {
        rc = at_feed_arg(b, start, r->color, name);
    }

    if (rc == AT_OK && r->exclude) {
        rc = at_feed_arg_exclude(b, start, source, exclude);
    }

    return rc;
}


static at_feed_header_t
at_feed_header(const char *name, const char *value)
{
    at_feed_header_t  h;

    h.name = (at_str_t) { strlen(name), name };
    h.value = (at_str_t) { strlen(value), value };

    return h;
}


/* path lies in front of the arguments, which begin at args. */

static void
at_feed_call_done(const at_feed_rules_t *rules, size_t args,
    at_feed_call_t *call)
{
    const char  *data;

    data = (const char *) call->text.data;

    call->path = (at_str_t) { args, args ? data : NULL };
    call->args = (at_str_t) { call->text.len - args, data + args };

    call->headers[call->nheaders++] = at_feed_header("Accept",
                                                     "application/json");

    if (rules->header) {
        call->headers[call->nheaders++] = at_feed_header(rules->header,
                                                         rules->header_value);
    }
}


int
at_feed_serves(const at_feed_source_t *source, const at_feed_query_t *query)
{
    const at_feed_rules_t  *r;

    r = source->rules;

    return (query->sources & (1u << source->index)) != 0
           && (query->color == AT_FEED_COLOR_ANY || r->colored
               || r->colors[query->color] != NULL);
}


int
at_feed_call(const at_feed_source_t *source, const at_feed_query_t *query,
    unsigned page, unsigned exclude, at_feed_call_t *call)
{
    int                     rc, any;
    size_t                  args;
    const char             *path;
    const at_feed_rules_t  *r;

    memset(call, 0, sizeof(at_feed_call_t));

    if (page < 1 || page > source->pages) {
        return AT_ERROR;
    }

    r = source->rules;
    call->text.max = AT_FEED_CALL_MAX;

    /* A list of everything knows no filters. */

    any = r->any_path != NULL && query->text.len == 0
          && query->orientation == AT_FEED_ORIENTATION_ANY
          && query->color == AT_FEED_COLOR_ANY;

    path = any ? r->any_path : r->path;
    rc = path ? at_buf_append(&call->text, path, strlen(path)) : AT_OK;
    args = call->text.len;

    if (rc == AT_OK) {
        rc = at_feed_args(source, query, page, exclude, any, &call->text);
    }

    if (rc != AT_OK) {
        at_feed_call_free(call);
        return rc;
    }

    at_feed_call_done(r, args, call);

    return AT_OK;
}


/* The ping is for a view of this very search, which the ixid stands for. */

int
at_feed_download(const at_feed_source_t *source, at_str_t native,
    at_str_t url, at_feed_call_t *call)
{
    int       rc;
    size_t    i, args;
    at_str_t  ixid;

    memset(call, 0, sizeof(at_feed_call_t));

    if (!source->pings || native.len == 0
        || native.len > AT_DESIGN_NATIVE_MAX || url.len > AT_FEED_URL_MAX)
    {
        return AT_ERROR;
    }

    for (i = 0; i < native.len; i++) {
        if (!at_feed_unreserved(native.data[i]) || native.data[i] == '.') {
            return AT_ERROR;
        }
    }

    call->text.max = AT_FEED_CALL_MAX;
    ixid = at_feed_url_arg(url, "ixid");

    rc = at_buf_printf(&call->text, "photos/%.*s/download", (int) native.len,
                       native.data);
    args = call->text.len;

    /* It was read from a URL, so it is encoded, but maybe not by everyone. */

    for (i = 0; i < ixid.len; i++) {
        if (!at_feed_unreserved(ixid.data[i]) && ixid.data[i] != '%') {
            ixid.len = 0;
        }
    }

    if (rc == AT_OK && ixid.len) {
        rc = at_feed_arg_name(&call->text, args, "ixid");

        if (rc == AT_OK) {
            rc = at_buf_append_str(&call->text, ixid);
        }
    }

    if (rc != AT_OK) {
        at_feed_call_free(call);
        return rc;
    }

    at_feed_call_done(source->rules, args, call);

    return AT_OK;
}


void
at_feed_call_free(at_feed_call_t *call)
{
    at_buf_free(&call->text);
    memset(call, 0, sizeof(at_feed_call_t));
}
