/*
 * Rawpixel: https://www.rawpixel.com/api/v1/search
 *
 * Its location stands for that address.  The API is not documented, so two
 * generations of answers are read, and only what they call free is shown.
 * Addresses of pictures are a template with "{}" for the size.
 */

#include <string.h>

#include "at_feed_internal.h"


enum {
    AT_FEED_RAWPIXEL_STYLE = AT_FEED_S_OWN,
    AT_FEED_RAWPIXEL_PNG,
    AT_FEED_RAWPIXEL_WIDTH,
    AT_FEED_RAWPIXEL_HEIGHT,
    AT_FEED_RAWPIXEL_FREE
};

#define AT_FEED_RAWPIXEL_LARGE  1300


static int at_feed_rawpixel_item(at_feed_answer_t *a, at_design_t *d);


/* The older generation behind the newer one. */

static const at_feed_field_t  at_feed_rawpixel_fields[] = {
    { ".id",                   AT_FEED_S_ID },
    { ".metadata.title",       AT_FEED_S_TITLE },
    { ".title",                AT_FEED_S_TITLE },
    { ".image_title",          AT_FEED_S_TITLE },
    { ".metadata.image_alt",   AT_FEED_S_TITLE },
    { ".image_2500",           AT_FEED_S_URL },
    { ".image_1300",           AT_FEED_S_URL },
    { ".image_1000",           AT_FEED_S_URL },
    { ".image_400",            AT_FEED_S_THUMB },
    { ".google_teaser",        AT_FEED_S_THUMB },
    { ".width",                AT_FEED_S_WIDTH },
    { ".original_width",       AT_FEED_S_WIDTH },
    { ".height",               AT_FEED_S_HEIGHT },
    { ".original_height",      AT_FEED_S_HEIGHT },
    { ".artist_names",         AT_FEED_S_AUTHOR },
    { ".url",                  AT_FEED_S_PAGE },
    { ".metadata.license",     AT_FEED_S_LICENSE },
    { ".license",              AT_FEED_S_LICENSE },
    { ".style_uri",            AT_FEED_RAWPIXEL_STYLE },
    { ".isPng",                AT_FEED_RAWPIXEL_PNG },
    { ".display_image_width",  AT_FEED_RAWPIXEL_WIDTH },
    { ".display_image_height", AT_FEED_RAWPIXEL_HEIGHT },
    { ".freecc0",              AT_FEED_RAWPIXEL_FREE },
    { NULL, 0 }
};


const at_feed_rules_t  at_feed_rawpixel = {
    .fixed = "tags=%24publicdomain",
    .text = "keys",
    .text_max = 100,
    .page = "page",
    .per_page = "pagesize",

    .items = { "results[]" },
    .fields = at_feed_rawpixel_fields,
    .item = at_feed_rawpixel_item
};


/* Only what is free of any condition is asked for, and shown. */

static int
at_feed_rawpixel_license(at_feed_answer_t *a, at_design_t *d)
{
    at_str_t  license, flag;

    license = at_feed_slot(a, AT_FEED_S_LICENSE);
    flag = at_feed_slot(a, AT_FEED_RAWPIXEL_FREE);

    if (at_str_ieq(license, AT_STR("cc0"))
        || (license.len == 0
            && (at_str_is(flag, "1") || at_str_is(flag, "true"))))
    {
        d->license = AT_STR("CC0 1.0");
        return AT_OK;
    }

    if (at_str_ieq(license, AT_STR("pdm"))
        || at_str_ieq(license, AT_STR("pd"))
        || at_str_ieq(license, AT_STR("publicdomain"))
        || at_str_ieq(license, AT_STR("public domain")))
    {
        d->license = AT_STR("Public domain");
        return AT_OK;
    }

    return AT_ERROR;
}


/* "https://images.rawpixel.com/{}/<name>.jpg", of one width. */

static at_str_t
at_feed_rawpixel_url(at_feed_answer_t *a, unsigned width)
{
    at_str_t     style, png;
    const char  *hole;

    style = at_feed_slot(a, AT_FEED_RAWPIXEL_STYLE);
    png = at_feed_slot(a, AT_FEED_RAWPIXEL_PNG);
    hole = style.len ? memmem(style.data, style.len, "{}", 2) : NULL;

    if (hole == NULL) {
        return AT_STR_NULL;
    }

    style = at_feed_printf(a, "%.*simage_%s%u%.*s",
                           (int) (hole - style.data), style.data,
                           at_str_is(png, "true") || at_str_is(png, "1")
                           ? "png_" : "",
                           width,
                           (int) (style.data + style.len - hole - 2),
                           hole + 2);

    return at_feed_url(a, style);
}


static at_str_t
at_feed_rawpixel_cut(at_str_t s, const char *mark)
{
    const char  *p;

    p = s.len ? memmem(s.data, s.len, mark, strlen(mark)) : NULL;

    if (p) {
        s.len = (size_t) (p - s.data);
    }

    while (s.len && s.data[s.len - 1] == ' ') {
        s.len--;
    }

    return s;
}


static int
at_feed_rawpixel_item(at_feed_answer_t *a, at_design_t *d)
{
    uint32_t  width, height;
    at_str_t  url;

    if (at_feed_rawpixel_license(a, d) != AT_OK) {
        return AT_ERROR;
    }

    url = at_feed_rawpixel_url(a, AT_FEED_RAWPIXEL_LARGE);

    if (url.len) {
        d->url = url;
        d->thumb = at_feed_rawpixel_url(a, 400);
    }

    width = at_feed_side(at_feed_slot(a, AT_FEED_RAWPIXEL_WIDTH));
    height = at_feed_side(at_feed_slot(a, AT_FEED_RAWPIXEL_HEIGHT));

    if (width > d->width && height) {
        d->width = width;
        d->height = height;
    }

    d->title = at_feed_rawpixel_cut(d->title, "|");
    d->author = at_feed_rawpixel_cut(d->author, " (Source)");

    return AT_OK;
}
