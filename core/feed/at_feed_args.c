/*
 * Query arguments of the feed (at_feed_query.h).
 *
 * Called with what stands behind "?" for every request, hits of the cache
 * included, so it goes over the bytes once, and allocates nothing.  The text
 * is brought into its normal form by at_feed_key.c.
 */

#include <string.h>

#include "at_feed_internal.h"
#include "at_feed_key.h"


#define AT_FEED_VALUE_MAX  64       /* bytes of a value other than the text */


typedef struct at_feed_param_s  at_feed_param_t;

struct at_feed_param_s {
    const char   *name;
    const char   *message;
    int         (*set)(at_feed_args_t *out, at_str_t value);
};


static int at_feed_set_query(at_feed_args_t *out, at_str_t value);
static int at_feed_set_page(at_feed_args_t *out, at_str_t value);
static int at_feed_set_per_page(at_feed_args_t *out, at_str_t value);
static int at_feed_set_snapshot(at_feed_args_t *out, at_str_t value);
static int at_feed_set_orientation(at_feed_args_t *out, at_str_t value);
static int at_feed_set_color(at_feed_args_t *out, at_str_t value);
static int at_feed_set_source(at_feed_args_t *out, at_str_t value);


/* The text comes first, as its value is not decoded here. */

static const at_feed_param_t  at_feed_params[] = {
    { "query",
      "query is no percent-encoded UTF-8: encode the text as UTF-8",
      at_feed_set_query },
    { "page",
      "page is no whole number from 1 to 100000",
      at_feed_set_page },
    { "perPage",
      "perPage is no whole number from 1 to 200",
      at_feed_set_per_page },
    { "snapshot",
      "snapshot is none that was given out: leave it out to get the current "
      "one",
      at_feed_set_snapshot },
    { "orientation",
      "orientation is none of landscape, portrait, square",
      at_feed_set_orientation },
    { "color",
      "color is none of red, orange, yellow, green, turquoise, blue, violet, "
      "pink, brown, black, gray, white, nor #RRGGBB",
      at_feed_set_color },
    { "source",
      "source is no list, joined by commas, of pexels, unsplash, pixabay, "
      "flickr, wikimedia, rawpixel, openverse",
      at_feed_set_source }
};

#define AT_FEED_NPARAMS  (sizeof(at_feed_params) / sizeof(at_feed_params[0]))


static int
at_feed_set_query(at_feed_args_t *out, at_str_t value)
{
    size_t  len;

    if (at_feed_normal(value, out->text, &len) != AT_OK) {
        return AT_ERROR;
    }

    out->query.text = (at_str_t) { len, out->text };

    return AT_OK;
}


static int
at_feed_set_number(at_str_t value, unsigned max, unsigned *number)
{
    size_t    i;
    unsigned  n;

    n = 0;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] < '0' || value.data[i] > '9') {
            return AT_ERROR;
        }

        n = n * 10 + (unsigned) (value.data[i] - '0');

        if (n > max) {
            return AT_ERROR;
        }
    }

    *number = n;

    return n ? AT_OK : AT_ERROR;
}


static int
at_feed_set_page(at_feed_args_t *out, at_str_t value)
{
    return at_feed_set_number(value, AT_FEED_PAGE_MAX, &out->page);
}


static int
at_feed_set_per_page(at_feed_args_t *out, at_str_t value)
{
    return at_feed_set_number(value, AT_FEED_PER_PAGE_MAX, &out->per_page);
}


static int
at_feed_set_snapshot(at_feed_args_t *out, at_str_t value)
{
    size_t  i;

    if (value.len != AT_FEED_SNAPSHOT) {
        return AT_ERROR;
    }

    for (i = 0; i < value.len; i++) {
        if (!((value.data[i] >= '0' && value.data[i] <= '9')
              || (value.data[i] >= 'a' && value.data[i] <= 'f')))
        {
            return AT_ERROR;
        }

        out->id[i] = value.data[i];
    }

    out->snapshot = (at_str_t) { AT_FEED_SNAPSHOT, out->id };

    return AT_OK;
}


static int
at_feed_set_orientation(at_feed_args_t *out, at_str_t value)
{
    unsigned     i;
    const char  *name;

    for (i = 1; i < AT_FEED_ORIENTATIONS; i++) {
        name = at_feed_orientation_name((at_feed_orientation_e) i);

        if (at_str_ieq(value, (at_str_t) { strlen(name), name })) {
            out->query.orientation = (at_feed_orientation_e) i;
            return AT_OK;
        }
    }

    return AT_ERROR;
}


/* "#" need not be written, as it has to be encoded. */

static int
at_feed_set_color(at_feed_args_t *out, at_str_t value)
{
    char             hex[7];
    at_feed_color_e  color;

    color = at_feed_color_find(value);

    if (color == AT_FEED_COLOR_ANY && value.len == 6) {
        hex[0] = '#';
        memcpy(hex + 1, value.data, 6);

        color = at_feed_color_find((at_str_t) { 7, hex });
    }

    out->query.color = color;

    return color == AT_FEED_COLOR_ANY ? AT_ERROR : AT_OK;
}


static int
at_feed_set_source(at_feed_args_t *out, at_str_t value)
{
    size_t       i, start;
    unsigned     n, mask;
    at_str_t     name;

    mask = 0;
    start = 0;

    for (i = 0; i <= value.len; i++) {

        if (i < value.len && value.data[i] != ',') {
            continue;
        }

        name = (at_str_t) { i - start, value.data + start };
        start = i + 1;

        for (n = 0; n < AT_FEED_SOURCES; n++) {
            if (at_str_ieq(name, at_feed_source(n)->name)) {
                break;
            }
        }

        if (n == AT_FEED_SOURCES) {
            return AT_ERROR;
        }

        mask |= 1u << n;
    }

    out->query.sources = mask;

    return AT_OK;
}


/* Decoded into store; AT_ERROR if it is too long for any sense. */

static int
at_feed_arg_decode(at_str_t *value, char store[AT_FEED_VALUE_MAX])
{
    size_t  i, n;

    if (value->len > AT_FEED_VALUE_MAX) {
        return AT_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        store[i] = value->data[i] == '+' ? ' ' : value->data[i];
    }

    /* In place: what is decoded is never longer. */

    n = at_feed_decode((at_str_t) { value->len, store }, store);
    i = 0;

    while (n > 0 && store[n - 1] == ' ') {
        n--;
    }

    while (i < n && store[i] == ' ') {
        i++;
    }

    *value = (at_str_t) { n - i, store + i };

    return AT_OK;
}


static int
at_feed_args_set(at_feed_args_t *out, size_t i, at_str_t value)
{
    char  store[AT_FEED_VALUE_MAX];

    if (i > 0) {
        if (at_feed_arg_decode(&value, store) != AT_OK) {
            return AT_ERROR;
        }

        if (value.len == 0) {
            return AT_OK;
        }
    }

    return at_feed_params[i].set(out, value);
}


int
at_feed_args_parse(at_str_t raw, at_feed_args_t *out,
    at_feed_args_error_t *error)
{
    size_t       i;
    unsigned     seen;
    at_str_t     name, value;
    const char  *p, *end, *next, *eq;

    out->query = (at_feed_query_t) { AT_STR_NULL, AT_FEED_ORIENTATION_ANY,
                                     AT_FEED_COLOR_ANY, AT_FEED_ALL,
                                     AT_STR_NULL };
    out->page = 1;
    out->per_page = AT_FEED_PER_PAGE;
    out->snapshot = AT_STR_NULL;

    seen = 0;
    p = raw.data;
    end = raw.len ? raw.data + raw.len : p;

    for ( /* void */ ; p < end; p = next + 1) {
        next = memchr(p, '&', (size_t) (end - p));
        next = next ? next : end;

        eq = memchr(p, '=', (size_t) (next - p));

        if (eq == NULL || eq + 1 == next) {
            continue;
        }

        name = (at_str_t) { (size_t) (eq - p), p };
        value = (at_str_t) { (size_t) (next - eq - 1), eq + 1 };

        for (i = 0; i < AT_FEED_NPARAMS; i++) {
            if (at_str_is(name, at_feed_params[i].name)) {
                break;
            }
        }

        if (i == AT_FEED_NPARAMS || (seen & (1u << i))) {
            continue;
        }

        seen |= 1u << i;

        if (at_feed_args_set(out, i, value) != AT_OK) {
            error->name = at_feed_params[i].name;
            error->message = at_feed_params[i].message;
            error->value = value;

            return AT_ERROR;
        }
    }

    return AT_OK;
}
