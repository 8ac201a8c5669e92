/*
 * Pixabay: GET /api/, key in the query, errors in plain text.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"


#define SB_PIXABAY_MOST   200
#define SB_PIXABAY_LEAST  3
#define SB_PIXABAY_HITS   500           /* that can be had of a query */
#define SB_PIXABAY_QUERY  100           /* characters */
#define SB_PIXABAY_SHOWN  1280          /* pixels of what is not original */


static void
sb_pixabay_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    sb_answer_text(c, status, "text/plain", "[ERROR %u] %s", status,
                   e->message);
}


static void
sb_pixabay_failure(sb_call_t *c, unsigned status)
{
    sb_answer_text(c, status, "text/plain", status == 429
                   ? "API rate limit exceeded" : "[ERROR %u] Server error.",
                   status);
}


static void
sb_pixabay_throttle(sb_call_t *c, double seconds)
{
    (void) seconds;

    sb_pixabay_failure(c, 429);
}


/* The reset is in seconds from now. */

static void
sb_pixabay_decorate(sb_call_t *c)
{
    const sb_quota_t  *q;

    q = &c->quota[0];

    if (!c->metered) {
        return;
    }

    sb_answer_header(c, "X-RateLimit-Limit", "%lld", q->limit);
    sb_answer_header(c, "X-RateLimit-Remaining", "%lld",
                     sb_quota_remaining(q));
    sb_answer_header(c, "X-RateLimit-Reset", "%lld",
                     (long long) (q->left_ms + 999) / 1000);
}


static int
sb_pixabay_bad(sb_call_t *c, const char *name, const char *what)
{
    sb_refuse(c, 400, NULL, NULL, "\"%s\" %s.", name, what);

    return SB_ERROR;
}


static int
sb_pixabay_filters(sb_call_t *c, sb_listing_t *l)
{
    const char  *v;

    v = sb_arg(c, "orientation");

    if (v) {
        if (!sb_arg_listed("all,horizontal,vertical", v)) {
            return sb_pixabay_bad(c, "orientation", "is not valid");
        }

        l->shapes = *v == 'h' ? SB_SHAPE_WIDE : *v == 'v' ? SB_SHAPE_TALL : 0;
    }

    v = sb_arg(c, "image_type");

    if (v && !sb_arg_listed("all,photo,illustration,vector", v)) {
        return sb_pixabay_bad(c, "image_type", "is not valid");
    }

    v = sb_arg(c, "colors");

    if (v) {
        if (!sb_arg_listed("grayscale,transparent,red,orange,yellow,green,"
                           "turquoise,blue,lilac,pink,white,gray,black,brown",
                           v))
        {
            return sb_pixabay_bad(c, "colors", "is not valid");
        }

        l->tint = sb_tint_find(v);
    }

    return SB_OK;
}


static int
sb_pixabay_ask(sb_call_t *c, sb_search_t *s)
{
    const char  *q;

    if (!sb_key_ok(sb_arg(c, "key"))) {
        sb_refuse(c, 400, NULL, NULL, "Invalid or missing API key "
                  "(https://pixabay.com/api/docs/).");
        return SB_ERROR;
    }

    q = sb_arg(c, "q");
    q = q ? q : "";

    if (sb_utf8_length(q) > SB_PIXABAY_QUERY) {
        return sb_pixabay_bad(c, "q", "exceeds 100 characters");
    }

    if (sb_arg_number(c, "per_page", 20, &s->per_page) != SB_OK
        || s->per_page < SB_PIXABAY_LEAST || s->per_page > SB_PIXABAY_MOST)
    {
        return sb_pixabay_bad(c, "per_page", "is out of valid range");
    }

    if (sb_arg_number(c, "page", 1, &s->page) != SB_OK || s->page == 0) {
        return sb_pixabay_bad(c, "page", "is out of valid range");
    }

    s->first = (s->page - 1) * s->per_page;
    sb_listing_begin(&s->listing, c, q);

    return sb_pixabay_filters(c, &s->listing);
}


static void
sb_pixabay_sides(const sb_item_t *item, double most, unsigned *w, unsigned *h)
{
    double  scale;

    scale = most / (item->photo.width > item->photo.height
                    ? item->photo.width : item->photo.height);
    scale = scale < 1 ? scale : 1;

    *w = (unsigned) (item->photo.width * scale + 0.5);
    *h = (unsigned) (item->photo.height * scale + 0.5);
}


/* The original is told of and not shown: the largest is 1280 pixels. */

static void
sb_pixabay_pictures(sb_call_t *c, const sb_item_t *item, yajl_gen g)
{
    char      base[500];
    unsigned  w, h;

    sb_cdn_base(c, item, base, sizeof(base));

    sb_pixabay_sides(item, 150, &w, &h);
    sb_gen_format(g, "previewURL", "%s/photo/2023/04/05/room-%llu_150.jpg",
                  base, (unsigned long long) item->number);
    sb_gen_member_int(g, "previewWidth", w);
    sb_gen_member_int(g, "previewHeight", h);

    sb_pixabay_sides(item, 640, &w, &h);
    sb_gen_format(g, "webformatURL", "%s/get/g%016llx_640.jpg", base,
                  (unsigned long long) item->key);
    sb_gen_member_int(g, "webformatWidth", w);
    sb_gen_member_int(g, "webformatHeight", h);

    sb_gen_format(g, "largeImageURL", "%s/get/g%016llx_1280.jpg", base,
                  (unsigned long long) item->key);
    sb_gen_member_int(g, "imageWidth", item->photo.width);
    sb_gen_member_int(g, "imageHeight", item->photo.height);
    sb_gen_member_int(g, "imageSize", (long long) item->photo.width
                                      * item->photo.height / 5);
}


static void
sb_pixabay_hit(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char         author[80];
    const char  *type;

    sb_item_author(item, author, sizeof(author));

    type = item->odd == 5 ? "vector/svg" : item->odd == 6 ? "vector/ai"
           : item->odd < 5 ? "illustration" : "photo";

    yajl_gen_map_open(g);
    sb_gen_member_int(g, "id", (long long) item->number);
    sb_gen_format(g, "pageURL", "https://pixabay.com/photos/room-%llu/",
                  (unsigned long long) item->number);
    sb_gen_member(g, "type", type);
    sb_gen_format(g, "tags", "%s, room, %s",
                  s->listing.words[0] ? s->listing.words : "interior",
                  sb_tint_name(sb_photo_tint(item->photo.seed)));
    sb_pixabay_pictures(c, item, g);
    sb_gen_member_int(g, "views", (long long) (item->key % 90000));
    sb_gen_member_int(g, "downloads", (long long) (item->key % 40000));
    sb_gen_member_int(g, "collections", (long long) (item->key % 900));
    sb_gen_member_int(g, "likes", (long long) (item->key % 700));
    sb_gen_member_int(g, "comments", (long long) (item->key % 90));
    sb_gen_member_int(g, "user_id", 500000 + item->author);
    sb_gen_member(g, "user", author);
    sb_gen_member(g, "userImageURL", "");
    sb_gen_text(g, "isAiGenerated");
    yajl_gen_bool(g, item->odd == 7);
    yajl_gen_map_close(g);
}


static void
sb_pixabay_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned  i, hits;
    yajl_gen  g;

    hits = s->count < SB_PIXABAY_HITS ? s->count : SB_PIXABAY_HITS;

    if (s->page > 1 && s->first >= hits) {
        (void) sb_pixabay_bad(c, "page", "is out of valid range");
        return;
    }

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "total", s->count);
    sb_gen_member_int(g, "totalHits", hits);
    sb_gen_text(g, "hits");
    yajl_gen_array_open(g);

    for (i = 0; i < s->n && s->first + i < hits; i++) {
        sb_pixabay_hit(c, s, &s->items[i], g);
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);
}


/* The number before the ending is the longer side. */

static int
sb_pixabay_look(sb_call_t *c, const char *path, sb_photo_view_t *view)
{
    const char     *mark;
    unsigned long   side;

    mark = strrchr(path, '_');
    side = mark ? strtoul(mark + 1, NULL, 10) : 0;

    if (side != 150 && side != 180 && side != 340 && side != 640
        && side != 960 && side != SB_PIXABAY_SHOWN)
    {
        sb_refuse(c, 404, NULL, NULL, "Not found.");
        return SB_ERROR;
    }

    view->width = (double) side;
    view->height = (double) side;

    return SB_OK;
}


static const sb_source_t  sb_pixabay = {
    .source = SB_SOURCE_PIXABAY,
    .windows = { { 100, 60 }, { 0, 0 } },
    .ask = sb_pixabay_ask,
    .tell = sb_pixabay_tell,
    .throttle = sb_pixabay_throttle,
    .look = sb_pixabay_look
};

const sb_api_t  sb_api_pixabay = {
    .name = "pixabay",
    .error = sb_pixabay_error,
    .failure = sb_pixabay_failure,
    .decorate = sb_pixabay_decorate,
    .source = &sb_pixabay
};
