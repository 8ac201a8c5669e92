/*
 * Openverse: https://api.openverse.org/v1/
 *
 * Its location stands for https://api.openverse.org/v1/images/ and may add a
 * token; 20 pictures a page need none.  It is an index of others, most of all
 * Flickr: the sources that are asked themselves are left out, and what comes
 * of them all the same is joined by its id at the place it was copied from.
 */

#include <string.h>

#include "at_feed_internal.h"


enum {
    AT_FEED_OPENVERSE_VERSION = AT_FEED_S_OWN,
    AT_FEED_OPENVERSE_MATURE
};


static int at_feed_openverse_item(at_feed_answer_t *a, at_design_t *d);
static void at_feed_openverse_joins(at_feed_answer_t *a, at_design_t *d);


/* "detail" is of the older CC Search. */

static const at_feed_field_t  at_feed_openverse_fields[] = {
    { ".id",                   AT_FEED_S_ID },
    { ".title",                AT_FEED_S_TITLE },
    { ".url",                  AT_FEED_S_URL },
    { ".thumbnail",            AT_FEED_S_THUMB },
    { ".width",                AT_FEED_S_WIDTH },
    { ".height",               AT_FEED_S_HEIGHT },
    { ".creator",              AT_FEED_S_AUTHOR },
    { ".creator_url",          AT_FEED_S_AUTHOR_URL },
    { ".foreign_landing_url",  AT_FEED_S_PAGE },
    { ".license",              AT_FEED_S_LICENSE },
    { ".license_version",      AT_FEED_OPENVERSE_VERSION },
    { ".attribution",          AT_FEED_S_ATTRIBUTION },
    { ".mature",               AT_FEED_OPENVERSE_MATURE },
    { ".detail_url",           AT_FEED_S_PAGE },
    { ".detail",               AT_FEED_S_PAGE },
    { NULL, 0 }
};


const at_feed_rules_t  at_feed_openverse = {
    .fixed = "license_type=commercial",
    .text = "q",
    .text_max = 200,
    .operators = "\"+-|*~()\\",
    .page = "page",
    .per_page = "page_size",
    .orientation = "aspect_ratio",
    .orientations = { NULL, "wide", "tall", "square" },
    .exclude = "excluded_source",
    .copies = 1u << AT_FEED_I_FLICKR | 1u << AT_FEED_I_WIKIMEDIA
              | 1u << AT_FEED_I_RAWPIXEL,

    .items = { "results[]" },
    .fields = at_feed_openverse_fields,
    .total = "result_count",
    .pages = "page_count",
    .ends_404 = 1,
    .item = at_feed_openverse_item,
    .joins = at_feed_openverse_joins
};


/* "by-sa" and "2.0" are "CC BY-SA 2.0". */

static int
at_feed_openverse_license(at_feed_answer_t *a, at_design_t *d)
{
    char      name[16];
    size_t    i;
    at_str_t  slug, version;

    slug = d->license;
    version = at_feed_text(a, at_feed_slot(a, AT_FEED_OPENVERSE_VERSION), 8,
                           0);

    if (slug.len == 0 || slug.len >= sizeof(name)) {
        return AT_ERROR;
    }

    if (at_str_ieq(slug, AT_STR("pdm"))) {
        d->license = AT_STR("Public Domain Mark 1.0");
        return AT_OK;
    }

    for (i = 0; i < slug.len; i++) {
        name[i] = slug.data[i];

        if (name[i] >= 'a' && name[i] <= 'z') {
            name[i] = (char) (name[i] - ('a' - 'A'));
        }
    }

    name[i] = '\0';

    d->license = at_feed_printf(a, "%s%s%s%.*s",
                                strncmp(name, "CC0", 3) == 0 ? "" : "CC ",
                                name, version.len ? " " : "",
                                (int) version.len, version.data);

    return AT_OK;
}


static int
at_feed_openverse_item(at_feed_answer_t *a, at_design_t *d)
{
    if (at_str_is(at_feed_slot(a, AT_FEED_OPENVERSE_MATURE), "true")) {
        return AT_ERROR;
    }

    return at_feed_openverse_license(a, d);
}


/* The first run of digits that is a whole part of the path. */

static at_str_t
at_feed_openverse_number(at_str_t path, unsigned part)
{
    size_t    i, start;
    unsigned  n;
    at_str_t  s;

    n = 0;
    start = 0;

    for (i = 0; i <= path.len; i++) {

        if (i < path.len && path.data[i] != '/') {
            continue;
        }

        s = (at_str_t) { i - start, path.data + start };
        start = i + 1;

        if (n++ != part) {
            continue;
        }

        for (i = 0; i < s.len; i++) {
            if (s.data[i] < '0' || s.data[i] > '9') {
                return AT_STR_NULL;
            }
        }

        return s;
    }

    return AT_STR_NULL;
}


/* "/photos/owner/123" */

static void
at_feed_openverse_flickr(at_feed_answer_t *a, at_design_t *d, at_str_t path)
{
    if (path.len > 8 && memcmp(path.data, "/photos/", 8) == 0) {
        at_feed_join_add(a, d, "flickr", at_feed_openverse_number(path, 3));
    }
}


/* "/wiki/File:A_room.jpg", or "/w/index.php?curid=123" */

static void
at_feed_openverse_commons(at_feed_answer_t *a, at_design_t *d, at_str_t url)
{
    size_t    mark;
    at_str_t  last, id;

    last = at_feed_url_last(at_feed_url_path(url));
    id = at_feed_url_arg(url, "curid");

    if (id.len && id.len <= 19 && at_feed_number(id) >= 0) {
        at_feed_join_add(a, d, "wikimedia", id);
    }

    /* The colon can be encoded. */

    mark = 0;

    if (last.len > 5 && strncasecmp(last.data, "File:", 5) == 0) {
        mark = 5;

    } else if (last.len > 7 && strncasecmp(last.data, "File%3A", 7) == 0) {
        mark = 7;
    }

    if (mark) {
        at_feed_join_file(a, d, (at_str_t) { last.len - mark,
                                             last.data + mark });
    }
}


/* ".../commons/a/ab/A.jpg", or ".../commons/thumb/a/ab/A.jpg/330px-A.jpg" */

static void
at_feed_openverse_upload(at_feed_answer_t *a, at_design_t *d, at_str_t path)
{
    at_str_t  last;

    last = at_feed_url_last(path);

    if (memmem(path.data, path.len, "/thumb/", 7) != NULL) {
        path.len -= last.len + (path.len > last.len);
        last = at_feed_url_last(path);
    }

    at_feed_join_file(a, d, last);
}


/* "/image/123/title" */

static void
at_feed_openverse_rawpixel(at_feed_answer_t *a, at_design_t *d,
    at_str_t path)
{
    if (path.len > 7 && memcmp(path.data, "/image/", 7) == 0) {
        at_feed_join_add(a, d, "rawpixel", at_feed_openverse_number(path, 2));
    }
}


static void
at_feed_openverse_joins(at_feed_answer_t *a, at_design_t *d)
{
    at_str_t  host, path;

    host = at_feed_url_host(d->page_url);
    path = at_feed_url_path(d->page_url);

    if (at_feed_host_is(host, "flickr.com")) {
        at_feed_openverse_flickr(a, d, path);

    } else if (at_feed_host_is(host, "wikimedia.org")) {
        at_feed_openverse_commons(a, d, d->page_url);

    } else if (at_feed_host_is(host, "rawpixel.com")) {
        at_feed_openverse_rawpixel(a, d, path);
    }

    host = at_feed_url_host(d->url);

    if (at_feed_host_is(host, "upload.wikimedia.org")) {
        at_feed_openverse_upload(a, d, at_feed_url_path(d->url));
    }
}
