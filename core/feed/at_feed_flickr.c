/*
 * Flickr: https://www.flickr.com/services/api/flickr.photos.search.html
 *
 * Its location stands for https://api.flickr.com/services/rest/ and adds the
 * argument api_key.  Errors come as 200 with stat "fail".  Licences are
 * numbers; only free ones are asked for, and a picture with all rights
 * reserved, or with a licence this table does not know, never gets through.
 * A picture comes in the sizes its owner allows: the largest counts.
 */

#include <string.h>

#include "at_feed_internal.h"


#define AT_FEED_FLICKR_PHOTOS  "https://www.flickr.com/photos/"

/*
 * Non-commercial licences (1 to 3, 14 to 16) are not asked for, and 7 ("no
 * known restrictions") is: it is the Commons' word for old pictures.
 */
#define AT_FEED_FLICKR_ASKED   "4,5,6,7,8,9,10,11,12,13"


enum {
    AT_FEED_FLICKR_OWNER = AT_FEED_S_OWN,
    AT_FEED_FLICKR_ORIGINAL_W,
    AT_FEED_FLICKR_ORIGINAL_H,
    AT_FEED_FLICKR_URLS         /* three slots for each size */
};

#define AT_FEED_FLICKR_SIZES  7

_Static_assert(AT_FEED_FLICKR_URLS + 3 * AT_FEED_FLICKR_SIZES
               <= AT_FEED_SLOTS, "Flickr needs more slots");

#define at_feed_flickr_size(i, suffix)                                       \
    { ".url_" suffix,    AT_FEED_FLICKR_URLS + 3 * (i) },                    \
    { ".width_" suffix,  AT_FEED_FLICKR_URLS + 3 * (i) + 1 },                \
    { ".height_" suffix, AT_FEED_FLICKR_URLS + 3 * (i) + 2 }


static int at_feed_flickr_item(at_feed_answer_t *a, at_design_t *d);
static void at_feed_flickr_value(at_feed_answer_t *a, const char *path,
    at_str_t text);
static void at_feed_flickr_end(at_feed_answer_t *a);


static const at_feed_field_t  at_feed_flickr_fields[] = {
    { ".id",            AT_FEED_S_ID },
    { ".title",         AT_FEED_S_TITLE },
    { ".title._content", AT_FEED_S_TITLE },
    { ".ownername",     AT_FEED_S_AUTHOR },
    { ".license",       AT_FEED_S_LICENSE },
    { ".owner",         AT_FEED_FLICKR_OWNER },
    { ".o_width",       AT_FEED_FLICKR_ORIGINAL_W },
    { ".o_height",      AT_FEED_FLICKR_ORIGINAL_H },
    at_feed_flickr_size(0, "o"),
    at_feed_flickr_size(1, "k"),
    at_feed_flickr_size(2, "h"),
    at_feed_flickr_size(3, "l"),
    at_feed_flickr_size(4, "z"),
    at_feed_flickr_size(5, "n"),
    at_feed_flickr_size(6, "s"),
    { ".url_m",         AT_FEED_S_THUMB },
    { NULL, 0 }
};


/* By id; NULL: not to be shown. */

static const char *const  at_feed_flickr_licenses[] = {
    NULL, "CC BY-NC-SA 2.0", "CC BY-NC 2.0", "CC BY-NC-ND 2.0", "CC BY 2.0",
    "CC BY-SA 2.0", "CC BY-ND 2.0", "No known copyright restrictions",
    "United States Government Work", "CC0 1.0", "Public Domain Mark 1.0",
    "CC BY 4.0", "CC BY-SA 4.0", "CC BY-ND 4.0", "CC BY-NC 4.0",
    "CC BY-NC-SA 4.0", "CC BY-NC-ND 4.0"
};

#define AT_FEED_FLICKR_NLICENSES                                             \
    ((int64_t) (sizeof(at_feed_flickr_licenses)                              \
                / sizeof(at_feed_flickr_licenses[0])))


const at_feed_rules_t  at_feed_flickr = {
    .fixed = "method=flickr.photos.search&format=json&nojsoncallback=1"
             "&sort=relevance&media=photos&content_types=0&safe_search=1"
             "&license=" AT_FEED_FLICKR_ASKED
             "&extras=license,owner_name,o_dims,"
             "url_s,url_m,url_n,url_z,url_l,url_h,url_k,url_o",
    .text = "text",
    .text_max = AT_FEED_TEXT_MAX,
    .operators = "\"-()",
    .page = "page",
    .per_page = "per_page",

    .items = { "photos.photo[]" },
    .fields = at_feed_flickr_fields,
    .total = "photos.total",
    .pages = "photos.pages",
    .repeats = 1,
    .item = at_feed_flickr_item,
    .value = at_feed_flickr_value,
    .end = at_feed_flickr_end
};


static int
at_feed_flickr_license(at_feed_answer_t *a, at_design_t *d)
{
    int64_t   id;
    at_str_t  text;

    text = at_feed_slot(a, AT_FEED_S_LICENSE);
    id = at_feed_number(text);

    if (id < 0 || id >= AT_FEED_FLICKR_NLICENSES
        || text.len > 2 || at_feed_flickr_licenses[id] == NULL)
    {
        return AT_ERROR;
    }

    d->license = (at_str_t) { strlen(at_feed_flickr_licenses[id]),
                              at_feed_flickr_licenses[id] };

    return AT_OK;
}


static void
at_feed_flickr_picture(at_feed_answer_t *a, at_design_t *d)
{
    unsigned  i, slot;
    at_str_t  url;

    for (i = 0; i < AT_FEED_FLICKR_SIZES; i++) {
        slot = AT_FEED_FLICKR_URLS + 3 * i;
        url = at_feed_slot(a, slot);

        if (url.len == 0) {
            continue;
        }

        url = at_feed_url(a, url);

        if (url.len == 0) {
            continue;
        }

        if (d->url.len == 0) {
            d->url = url;
            d->width = at_feed_side(at_feed_slot(a, slot + 1));
            d->height = at_feed_side(at_feed_slot(a, slot + 2));
        }

        /* "n" has 320 pixels and "s" 240; neither is a crop. */

        if (i >= AT_FEED_FLICKR_SIZES - 2 && d->thumb.len == 0) {
            d->thumb = url;
        }
    }

    if (d->thumb.len == 0) {
        d->thumb = at_feed_url(a, at_feed_slot(a, AT_FEED_S_THUMB));
    }
}


static int
at_feed_flickr_path(at_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (!((s.data[i] >= 'a' && s.data[i] <= 'z')
              || (s.data[i] >= 'A' && s.data[i] <= 'Z')
              || (s.data[i] >= '0' && s.data[i] <= '9')
              || s.data[i] == '@' || s.data[i] == '_' || s.data[i] == '-'))
        {
            return 0;
        }
    }

    return s.len > 0 && s.len <= 100;
}


static int
at_feed_flickr_item(at_feed_answer_t *a, at_design_t *d)
{
    uint32_t  width, height;
    at_str_t  owner, id;

    if (at_feed_flickr_license(a, d) != AT_OK) {
        return AT_ERROR;
    }

    d->thumb = AT_STR_NULL;
    at_feed_flickr_picture(a, d);

    width = at_feed_side(at_feed_slot(a, AT_FEED_FLICKR_ORIGINAL_W));
    height = at_feed_side(at_feed_slot(a, AT_FEED_FLICKR_ORIGINAL_H));

    if (width && height) {
        d->width = width;
        d->height = height;
    }

    owner = at_feed_slot(a, AT_FEED_FLICKR_OWNER);
    id = at_feed_slot(a, AT_FEED_S_ID);

    if (at_feed_flickr_path(owner) && at_feed_flickr_path(id)) {
        d->author_url = at_feed_printf(a, AT_FEED_FLICKR_PHOTOS "%.*s",
                                       (int) owner.len, owner.data);
        d->page_url = at_feed_printf(a, AT_FEED_FLICKR_PHOTOS "%.*s/%.*s",
                                     (int) owner.len, owner.data,
                                     (int) id.len, id.data);
    }

    return AT_OK;
}


static void
at_feed_flickr_value(at_feed_answer_t *a, const char *path, at_str_t text)
{
    at_feed_private_t  *s;

    s = a->private;

    /* The code is the reason, the message repeats the key. */

    if (strcmp(path, "stat") == 0 && !at_str_is(text, "ok")
        && s->code < 0)
    {
        s->code = 0;
    }

    if (strcmp(path, "code") == 0) {
        s->code = at_feed_number(text);
    }
}


static void
at_feed_flickr_end(at_feed_answer_t *a)
{
    int64_t            code;
    at_feed_outcome_e  outcome;

    code = a->private->code;

    if (code < 0) {
        return;
    }

    /* 96 to 100: signature, login, key.  The others pass by themselves. */

    outcome = code >= 96 && code <= 100 ? AT_FEED_AUTH : AT_FEED_ERROR;

    (void) at_feed_fail(a, outcome, "error %lld in an answer with status %u",
                        (long long) code, a->private->status);
}
