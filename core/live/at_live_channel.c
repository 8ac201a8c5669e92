/*
 * Names of channels, and the sentences about what is wrong with one
 * (at_live_message.h, at_live_error.h).
 *
 * Nothing is allocated; the parts of a channel point into its name.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at_live_error.h"


static int at_live_id_valid(at_str_t id);


/* In the order of at_live_kind_e. */
static const char *const  at_live_kinds[] = {
    "products", "product", "design", "generate"
};


int
at_live_channel(at_str_t name, at_live_channel_t *c, at_live_error_t *error)
{
    char         shown[AT_LIVE_SHOWN];
    size_t       i, n;
    at_str_t     kind;
    const char  *colon;

    if (name.len > AT_LIVE_CHANNEL_MAX) {
        return at_live_fail(error, "too_long", "the channel has %zu bytes; it "
                            "may have %d at most", name.len,
                            AT_LIVE_CHANNEL_MAX);
    }

    at_live_show(shown, name);

    colon = name.len > 0 ? memchr(name.data, ':', name.len) : NULL;
    kind.data = name.data;
    kind.len = colon != NULL ? (size_t) (colon - name.data) : name.len;

    n = sizeof(at_live_kinds) / sizeof(char *);

    for (i = 0; i < n; i++) {
        if (at_str_is(kind, at_live_kinds[i])) {
            break;
        }
    }

    if (i == n) {
        return at_live_fail(error, "unknown_channel", "the channel \"%s\" is "
                            "of no known kind; use products, product:id, "
                            "design:id or generate:id", shown);
    }

    c->kind = (at_live_kind_e) i;
    c->name = name;
    c->id = AT_STR_NULL;

    if (c->kind == AT_LIVE_PRODUCTS) {
        return colon == NULL ? AT_OK
               : at_live_fail(error, "invalid_channel", "the channel \"%s\" "
                              "has an id; products has none", shown);
    }

    if (colon != NULL) {
        c->id.data = colon + 1;
        c->id.len = name.len - kind.len - 1;
    }

    if (c->id.len == 0 || !at_live_id_valid(c->id)) {
        return at_live_fail(error, "invalid_channel", "the channel \"%s\" "
                            "needs an id of letters, digits, \".\", \"_\", "
                            "\"~\", \":\" and \"-\" behind its first colon",
                            shown);
    }

    return AT_OK;
}


static int
at_live_id_valid(at_str_t id)
{
    char    c;
    size_t  i;

    for (i = 0; i < id.len; i++) {
        c = id.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= ':')
              || c == '.' || c == '_' || c == '~' || c == '-'))
        {
            return 0;
        }
    }

    return 1;
}


int
at_live_fail(at_live_error_t *error, const char *code, const char *fmt, ...)
{
    va_list  args;

    if (error != NULL) {
        error->code = code;

        va_start(args, fmt);
        (void) vsnprintf(error->detail, sizeof(error->detail), fmt, args);
        va_end(args);
    }

    return AT_ERROR;
}


void
at_live_show(char out[AT_LIVE_SHOWN], at_str_t s)
{
    size_t  i, n;

    n = AT_LIVE_SHOWN - sizeof("...");
    n = s.len < n ? s.len : n;

    for (i = 0; i < n; i++) {
        out[i] = (s.data[i] >= 0x20 && s.data[i] < 0x7F && s.data[i] != '"')
                 ? s.data[i] : '?';
    }

    (void) snprintf(out + n, AT_LIVE_SHOWN - n, "%s", n < s.len ? "..." : "");
}
