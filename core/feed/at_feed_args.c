/*
 * Query arguments of the feed (at_feed_query.h).
 *
 * at_args.c splits what stands behind "?"; here is what each value means.  The
 * text is brought into its normal form by at_feed_key.c.
 */

#include <string.h>

#include "at_feed_internal.h"
#include "at_feed_key.h"


#define AT_FEED_VALUE_MAX  64       /* bytes of a value other than the text */


static int at_feed_set_query(void *data, at_str_t value);
static int at_feed_set_page(void *data, at_str_t value);
static int at_feed_set_per_page(void *data, at_str_t value);
static int at_feed_set_snapshot(void *data, at_str_t value);
static int at_feed_set_orientation(void *data, at_str_t value);
static int at_feed_set_color(void *data, at_str_t value);
static int at_feed_set_source(void *data, at_str_t value);


static const at_args_param_t  at_feed_params[] = {
    { "query",
      "query is no percent-encoded UTF-8: encode the text as UTF-8",
      at_feed_set_query, 0 },
    { "page",
      "page is no whole number from 1 to 100000",
      at_feed_set_page, AT_FEED_VALUE_MAX },
    { "perPage",
      "perPage is no whole number from 1 to 200",
      at_feed_set_per_page, AT_FEED_VALUE_MAX },
    { "snapshot",
      "snapshot is none that was given out: leave it out to get the current "
      "one",
      at_feed_set_snapshot, AT_FEED_VALUE_MAX },
    { "orientation",
      "orientation is none of landscape, portrait, square",
      at_feed_set_orientation, AT_FEED_VALUE_MAX },
    { "color",
      "color is none of red, orange, yellow, green, turquoise, blue, violet, "
      "pink, brown, black, gray, white, nor #RRGGBB",
      at_feed_set_color, AT_FEED_VALUE_MAX },
    { "source",
      "source is no list, joined by commas, of pexels, unsplash, pixabay, "
      "flickr, wikimedia, rawpixel, openverse",
      at_feed_set_source, AT_FEED_VALUE_MAX }
};

#define AT_FEED_NPARAMS  (sizeof(at_feed_params) / sizeof(at_feed_params[0]))


static int
at_feed_set_query(void *data, at_str_t value)
{
    size_t           len;
    at_feed_args_t  *out = data;

    if (at_feed_normal(value, out->text, &len) != AT_OK) {
        return AT_ERROR;
    }

    out->query.text = (at_str_t) { len, out->text };

    return AT_OK;
}


static int
at_feed_set_page(void *data, at_str_t value)
{
    at_feed_args_t  *out = data;

    return at_args_number(value, AT_FEED_PAGE_MAX, &out->page);
}


static int
at_feed_set_per_page(void *data, at_str_t value)
{
    at_feed_args_t  *out = data;

    return at_args_number(value, AT_FEED_PER_PAGE_MAX, &out->per_page);
}


static int
at_feed_set_snapshot(void *data, at_str_t value)
{
    size_t           i;
    at_feed_args_t  *out = data;

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
at_feed_set_orientation(void *data, at_str_t value)
{
    unsigned         i;
    const char      *name;
    at_feed_args_t  *out = data;

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
at_feed_set_color(void *data, at_str_t value)
{
    char              hex[7];
    at_feed_color_e   color;
    at_feed_args_t   *out = data;

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
at_feed_set_source(void *data, at_str_t value)
{
    size_t           i, start;
    unsigned         n, mask;
    at_str_t         name;
    at_feed_args_t  *out = data;

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


int
at_feed_args_parse(at_str_t raw, at_feed_args_t *out,
    at_args_error_t *error)
{
    out->query = (at_feed_query_t) { AT_STR_NULL, AT_FEED_ORIENTATION_ANY,
                                     AT_FEED_COLOR_ANY, AT_FEED_ALL,
                                     AT_STR_NULL };
    out->page = 1;
    out->per_page = AT_FEED_PER_PAGE;
    out->snapshot = AT_STR_NULL;

    return at_args_parse(raw, at_feed_params, AT_FEED_NPARAMS, out, error);
}
