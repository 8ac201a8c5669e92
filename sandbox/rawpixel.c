/*
 * rawpixel: GET /api/v1/search, undocumented, no key, in two generations.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"


#define SB_RAWPIXEL_MOST   100
#define SB_RAWPIXEL_DEPTH  100000


static void
sb_rawpixel_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member(g, "message", e->message);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
}


static void
sb_rawpixel_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), status == 429
             ? "Too Many Requests" : "Internal Server Error");
    sb_rawpixel_error(c, status, &e);
}


static void
sb_rawpixel_throttle(sb_call_t *c, double seconds)
{
    sb_rawpixel_failure(c, 429);
    sb_answer_header(c, "Retry-After", "%.0f", seconds + 0.5);
}


/* What is not understood is not complained about. */

static int
sb_rawpixel_ask(sb_call_t *c, sb_search_t *s)
{
    const char  *v;

    v = sb_arg(c, "query");
    v = v ? v : sb_arg(c, "keys");
    v = v ? v : sb_arg(c, "tags");
    sb_listing_begin(&s->listing, c, v && *v != '$' ? v : "");

    if (sb_arg_number(c, "page", 1, &s->page) != SB_OK || s->page == 0) {
        s->page = 1;
    }

    if (sb_arg_number(c, "pagesize", SB_RAWPIXEL_MOST, &s->per_page) != SB_OK
        || s->per_page == 0 || s->per_page > SB_RAWPIXEL_MOST)
    {
        s->per_page = SB_RAWPIXEL_MOST;
    }

    s->version = sb_arg(c, "freecc0") ? 1 : 2;
    s->first = (s->page - 1) * s->per_page;

    return SB_OK;
}


static int
sb_rawpixel_png(const sb_item_t *item)
{
    return item->odd % 10 == 4;
}


void
sb_rawpixel_url(const sb_call_t *c, const sb_item_t *item, const char *kind,
    char *dst, size_t size)
{
    char      base[500];
    sb_buf_t  b64;

    memset(&b64, 0, sizeof(sb_buf_t));
    sb_buf_base64(&b64, &item->key, 6);
    sb_cdn_base(c, item, base, sizeof(base));

    /* The six bytes may make a letter that means something in addresses. */

    if (b64.data) {
        sb_percent(dst + snprintf(dst, size, "%s/%s/", base, kind), 16,
                   b64.data, "");
        snprintf(dst + strlen(dst), 5, sb_rawpixel_png(item) ? ".png"
                                                             : ".jpg");
    }

    sb_buf_free(&b64);
}


static void
sb_rawpixel_old(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char  title[400], author[80], url[700];

    sb_item_title(item, s->listing.words, title, sizeof(title));
    sb_item_author(item, author, sizeof(author));

    yajl_gen_map_open(g);
    sb_gen_format(g, "id", "%llu", (unsigned long long) item->number);
    sb_gen_format(g, "url", "https://www.rawpixel.com/image/%llu/room",
                  (unsigned long long) item->number);
    sb_gen_format(g, "original_width", "%u", item->photo.width);
    sb_gen_format(g, "original_height", "%u", item->photo.height);
    sb_rawpixel_url(c, item, "image_1300", url, sizeof(url));
    sb_gen_member(g, "image_2500", url);
    sb_rawpixel_url(c, item, "image_400", url, sizeof(url));
    sb_gen_member(g, "image_400", url);
    sb_gen_format(g, "image_title", "%s | Free Photo - rawpixel", title);
    sb_gen_member(g, "artist_names", author);
    sb_gen_member(g, "freecc0", item->license ? "1" : "0");
    yajl_gen_map_close(g);
}


/* Licence 0 is not free: nothing of it may be shown. */

static void
sb_rawpixel_metadata(const sb_search_t *s, const sb_item_t *item,
    const char *title, yajl_gen g)
{
    int  is_free;

    is_free = (item->license != 0);

    sb_gen_text(g, "metadata");
    yajl_gen_map_open(g);
    sb_gen_format(g, "title", "%s | Free Photo%s - rawpixel", title,
                  sb_rawpixel_png(item) ? " PNG" : "");
    sb_gen_format(g, "description_text", "Download free image of %s about "
                  "room, interior and home", title);
    sb_gen_member(g, "license", is_free ? "cc0" : "premium");
    sb_gen_member(g, "licenseUrl", is_free
                  ? "https://creativecommons.org/publicdomain/zero/1.0/"
                  : "https://www.rawpixel.com/services/licenses");
    sb_gen_text(g, "popular_keywords");
    yajl_gen_array_open(g);
    sb_gen_text(g, s->listing.words[0] ? s->listing.words : "room");
    sb_gen_text(g, "interior");
    yajl_gen_array_close(g);
    sb_gen_member(g, "image_alt", title);
    sb_gen_text(g, "isFreeLicense");
    yajl_gen_bool(g, is_free);
    sb_gen_text(g, "isPremiumLicense");
    yajl_gen_bool(g, !is_free);
    yajl_gen_map_close(g);
}


static void
sb_rawpixel_new(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char  title[400], author[80], url[700];

    sb_item_title(item, s->listing.words, title, sizeof(title));
    sb_item_author(item, author, sizeof(author));

    yajl_gen_map_open(g);
    sb_gen_member_int(g, "id", (long long) item->number);
    sb_gen_format(g, "url", "https://www.rawpixel.com/image/%llu/room",
                  (unsigned long long) item->number);
    sb_gen_member(g, "title", NULL);

    /* One of the two sizes is that of a preview now and then. */

    sb_gen_member_int(g, "width", item->odd == 17 ? 1200
                                                  : item->photo.width);
    sb_gen_member_int(g, "height",
                      item->odd == 17 ? 1200L * item->photo.height
                                        / item->photo.width
                                      : (long long) item->photo.height);
    sb_gen_member_int(g, "display_image_width", item->photo.width);
    sb_gen_member_int(g, "display_image_height", item->photo.height);
    sb_rawpixel_url(c, item, "{}", url, sizeof(url));
    sb_gen_member(g, "style_uri", url);
    sb_gen_format(g, "google_teaser", "%s", title);
    sb_gen_format(g, "artist_names", "%s (Source)", author);
    sb_gen_member(g, "name_ext", sb_rawpixel_png(item) ? "png" : "jpg");
    sb_gen_text(g, "isPng");
    yajl_gen_bool(g, sb_rawpixel_png(item));
    sb_rawpixel_metadata(s, item, title, g);
    yajl_gen_map_close(g);
}


static void
sb_rawpixel_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned  i;
    yajl_gen  g;

    if (s->first >= SB_RAWPIXEL_DEPTH) {
        s->n = 0;
    }

    g = sb_gen_new();
    yajl_gen_map_open(g);

    /* Not of this query. */

    sb_gen_member_int(g, "total", 100000 + s->count);
    sb_gen_text(g, "results");
    yajl_gen_array_open(g);

    for (i = 0; i < s->n; i++) {
        if (s->version == 1) {
            sb_rawpixel_old(c, s, &s->items[i], g);

        } else {
            sb_rawpixel_new(c, s, &s->items[i], g);
        }
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);
}


/* "/image_600/..." or "/image_png_600/...": what stood for {}. */

static int
sb_rawpixel_look(sb_call_t *c, const char *path, sb_photo_view_t *view)
{
    unsigned long  side;

    side = 0;

    if (strncmp(path, "/image_png_", 11) == 0) {
        view->format = SB_FORMAT_PNG;
        side = strtoul(path + 11, NULL, 10);

    } else if (strncmp(path, "/image_", 7) == 0) {
        side = strtoul(path + 7, NULL, 10);
    }

    if (side < 24 || side > 1300) {
        sb_refuse(c, 404, NULL, NULL, "Not Found");
        return SB_ERROR;
    }

    view->width = (double) side;
    view->height = (double) side;

    return SB_OK;
}


static const sb_source_t  sb_rawpixel = {
    .source = SB_SOURCE_RAWPIXEL,
    .ask = sb_rawpixel_ask,
    .tell = sb_rawpixel_tell,
    .throttle = sb_rawpixel_throttle,
    .look = sb_rawpixel_look
};

const sb_api_t  sb_api_rawpixel = {
    .name = "rawpixel",
    .error = sb_rawpixel_error,
    .failure = sb_rawpixel_failure,
    .source = &sb_rawpixel
};
