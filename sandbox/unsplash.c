/*
 * Unsplash: GET /search/photos and /photos/{id}/download, key behind
 * "Client-ID" in Authorization or as client_id.
 */

#include <stdio.h>
#include <string.h>

#include "source.h"


#define SB_UNSPLASH_MOST   30
#define SB_UNSPLASH_PAGES  200
#define SB_UNSPLASH_TOTAL  10000


static void
sb_unsplash_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "errors");
    yajl_gen_array_open(g);
    sb_gen_text(g, e->message);
    yajl_gen_array_close(g);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
}


static void
sb_unsplash_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), status == 429
             ? "Rate Limit Exceeded" : "Something went wrong");
    sb_unsplash_error(c, status, &e);
}


/* Neither the status nor the form of its other errors. */

static void
sb_unsplash_throttle(sb_call_t *c, double seconds)
{
    (void) seconds;

    sb_answer_text(c, 403, "text/plain", "Rate Limit Exceeded");
}


static void
sb_unsplash_decorate(sb_call_t *c)
{
    if (!c->metered) {
        return;
    }

    sb_answer_header(c, "X-Ratelimit-Limit", "%lld", c->quota[0].limit);
    sb_answer_header(c, "X-Ratelimit-Remaining", "%lld",
                     sb_quota_remaining(&c->quota[0]));
}


static int
sb_unsplash_bad(sb_call_t *c, const char *name)
{
    sb_refuse(c, 400, NULL, NULL, "%s is invalid", name);

    return SB_ERROR;
}


static int
sb_unsplash_ask(sb_call_t *c, sb_search_t *s)
{
    const char  *key, *v;

    key = sb_call_header(c, "Authorization");
    key = key && strncmp(key, "Client-ID ", 10) == 0 ? key + 10
                                                     : sb_arg(c, "client_id");
    if (!sb_key_ok(key)) {
        sb_refuse(c, 401, NULL, NULL, "OAuth error: The access token is "
                  "invalid");
        return SB_ERROR;
    }

    v = sb_arg(c, "query");

    if (v == NULL || *v == '\0') {
        sb_refuse(c, 400, NULL, NULL, "query is missing");
        return SB_ERROR;
    }

    sb_listing_begin(&s->listing, c, v);

    if (sb_arg_number(c, "page", 1, &s->page) != SB_OK || s->page == 0) {
        return sb_unsplash_bad(c, "page");
    }

    if (sb_arg_number(c, "per_page", 10, &s->per_page) != SB_OK
        || s->per_page == 0)
    {
        return sb_unsplash_bad(c, "per_page");
    }

    if (s->per_page > SB_UNSPLASH_MOST) {
        s->per_page = SB_UNSPLASH_MOST;
    }

    s->first = (s->page - 1) * s->per_page;
    v = sb_arg(c, "orientation");

    if (v) {
        s->listing.shapes = strcmp(v, "landscape") == 0 ? SB_SHAPE_WIDE
                            : strcmp(v, "portrait") == 0 ? SB_SHAPE_TALL
                            : strcmp(v, "squarish") == 0 ? SB_SHAPE_SQUARE
                                                         : 0;
        if (s->listing.shapes == 0) {
            return sb_unsplash_bad(c, "orientation");
        }
    }

    v = sb_arg(c, "color");

    if (v) {
        if (!sb_arg_listed("black_and_white,black,white,yellow,orange,red,"
                           "purple,magenta,green,teal,blue", v))
        {
            return sb_unsplash_bad(c, "color");
        }

        s->listing.tint = sb_tint_find(v);
    }

    return SB_OK;
}


/* Eleven letters; scrambling is one to one, so they are as unique as it. */

static void
sb_unsplash_id(const sb_item_t *item, char *dst)
{
    int       i;
    uint64_t  v;

    static const char  abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789-_";

    v = sb_scramble(item->number);

    for (i = 0; i < 11; i++) {
        dst[i] = abc[v & 63];
        v >>= 6;
    }

    dst[11] = '\0';
}


static void
sb_base83(char *dst, unsigned value, int digits)
{
    static const char  abc[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        "#$%*+,-.:;=?@[]^_{|}~";

    while (digits--) {
        dst[digits] = abc[value % 83];
        value /= 83;
    }
}


/* Four by three components around the photo's colour. */

static void
sb_unsplash_blurhash(const sb_item_t *item, char *dst)
{
    int       i;
    uint64_t  v;

    sb_base83(dst, (4 - 1) + (3 - 1) * 9, 1);
    sb_base83(dst + 1, 20, 1);
    sb_base83(dst + 2, sb_photo_color(item->photo.seed), 4);

    v = item->photo.seed;

    for (i = 0; i < 11; i++) {
        v = sb_scramble(v + SB_GOLDEN);
        sb_base83(dst + 6 + 2 * i, (unsigned) (v % (19 * 19 * 19)), 2);
    }

    dst[28] = '\0';
}


static void
sb_unsplash_urls(sb_call_t *c, const sb_item_t *item, yajl_gen g)
{
    char  base[500], file[700], ixid[60], name[SB_PHOTO_NAME + 1];

    sb_cdn_base(c, item, base, sizeof(base));
    sb_photo_name(&item->photo, name);
    snprintf(file, sizeof(file), "%s/photo-15%08llu-%.12s", base,
             (unsigned long long) (item->key % 100000000), name);

    /* Older ones lack it. */

    ixid[0] = '\0';

    if (item->odd != 3) {
        snprintf(ixid, sizeof(ixid), "&ixid=M3w%s", name);
    }

    sb_gen_text(g, "urls");
    yajl_gen_map_open(g);
    sb_gen_format(g, "raw", "%s?ixlib=rb-4.1.0%s", file, ixid);
    sb_gen_format(g, "full", "%s?crop=entropy&cs=srgb&fm=jpg%s"
                  "&ixlib=rb-4.1.0&q=85", file, ixid);
    sb_gen_format(g, "regular", "%s?crop=entropy&cs=tinysrgb&fit=max&fm=jpg"
                  "%s&ixlib=rb-4.1.0&q=80&w=1080", file, ixid);
    sb_gen_format(g, "small", "%s?crop=entropy&cs=tinysrgb&fit=max&fm=jpg%s"
                  "&ixlib=rb-4.1.0&q=80&w=400", file, ixid);
    sb_gen_format(g, "thumb", "%s?crop=entropy&cs=tinysrgb&fit=max&fm=jpg%s"
                  "&ixlib=rb-4.1.0&q=80&w=200", file, ixid);
    sb_gen_format(g, "small_s3", "%s?fit=max&fm=jpg&w=400", file);
    yajl_gen_map_close(g);
}


static void
sb_unsplash_user(const sb_item_t *item, yajl_gen g)
{
    char  author[80], handle[40];

    sb_item_author(item, author, sizeof(author));
    sb_item_handle(item, handle, sizeof(handle));

    sb_gen_text(g, "user");
    yajl_gen_map_open(g);
    sb_gen_format(g, "id", "user%u", item->author);
    sb_gen_member(g, "username", handle);
    sb_gen_member(g, "name", author);
    sb_gen_member(g, "portfolio_url", NULL);
    sb_gen_text(g, "links");
    yajl_gen_map_open(g);
    sb_gen_format(g, "self", "https://api.unsplash.com/users/%s", handle);
    sb_gen_format(g, "html", "https://unsplash.com/@%s", handle);
    yajl_gen_map_close(g);
    yajl_gen_map_close(g);
}


static void
sb_unsplash_links(sb_call_t *c, const sb_item_t *item, const char *id,
    yajl_gen g)
{
    char  name[SB_PHOTO_NAME + 1];

    sb_photo_name(&item->photo, name);

    sb_gen_text(g, "links");
    yajl_gen_map_open(g);
    sb_gen_format(g, "self", "%s/%s/photos/%s", sb_public_url(),
                  c->provider->name, id);
    sb_gen_format(g, "html", "https://unsplash.com/photos/%s", id);
    sb_gen_format(g, "download", "https://unsplash.com/photos/%s/download"
                  "?ixid=M3w%s", id, name);
    sb_gen_format(g, "download_location", "%s/%s/photos/%s/download"
                  "?ixid=M3w%s", sb_public_url(), c->provider->name, id,
                  name);
    yajl_gen_map_close(g);
}


static void
sb_unsplash_photo(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char  id[12], title[400], blur[29];

    sb_unsplash_id(item, id);
    sb_item_title(item, s->listing.words, title, sizeof(title));
    sb_unsplash_blurhash(item, blur);

    yajl_gen_map_open(g);
    sb_gen_member(g, "id", id);
    sb_gen_format(g, "slug", "room-%s", id);
    sb_gen_member(g, "created_at", "2023-04-05T06:07:08Z");
    sb_gen_member_int(g, "width", item->photo.width);
    sb_gen_member_int(g, "height", item->photo.height);
    sb_gen_format(g, "color", "#%06x",
                  (unsigned) sb_photo_color(item->photo.seed));

    if (item->odd != 3) {
        sb_gen_member(g, "blur_hash", blur);
    }

    sb_gen_member(g, "description", item->odd % 3 ? NULL : title);
    sb_gen_member(g, "alt_description", item->odd == 4 ? NULL : title);
    sb_unsplash_urls(c, item, g);
    sb_unsplash_links(c, item, id, g);
    sb_gen_member_int(g, "likes", (long long) (item->key % 3000));
    sb_gen_member(g, "sponsorship", NULL);
    sb_gen_member(g, "asset_type", "photo");
    sb_unsplash_user(item, g);
    sb_gen_text(g, "tags");
    yajl_gen_array_open(g);
    yajl_gen_map_open(g);
    sb_gen_member(g, "type", "search");
    sb_gen_member(g, "title", s->listing.words);
    yajl_gen_map_close(g);
    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
}


static void
sb_unsplash_link(sb_call_t *c, const sb_search_t *s, unsigned long pages)
{
    char  query[3 * SB_TEXT_MAX], text[200];

    sb_percent(query, sizeof(query), s->listing.words, "-._~");

    if (s->page >= pages) {
        return;
    }

    snprintf(text, sizeof(text), "<%s/%s/search/photos?page=%lu&query=%.60s>;"
             " rel=\"next\"", sb_public_url(), c->provider->name, s->page + 1,
             query);
    sb_answer_header(c, "Link", "%s", text);
}


static void
sb_unsplash_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned       i, total;
    yajl_gen       g;
    unsigned long  pages;

    total = s->count < SB_UNSPLASH_TOTAL ? s->count : SB_UNSPLASH_TOTAL;
    pages = (total + s->per_page - 1) / s->per_page;

    if (s->page > SB_UNSPLASH_PAGES) {
        s->n = 0;
        total = 0;
        pages = 0;
    }

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "total", total);
    sb_gen_member_int(g, "total_pages", (long long) pages);
    sb_gen_text(g, "results");
    yajl_gen_array_open(g);

    for (i = 0; i < s->n; i++) {
        sb_unsplash_photo(c, s, &s->items[i], g);
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);

    sb_answer_json(c, 200, g);
    sb_answer_header(c, "X-Total", "%u", total);
    sb_answer_header(c, "X-Per-Page", "%lu", s->per_page);
    sb_unsplash_link(c, s, pages);
}


/* The ixid of an answer holds the photo. */

void
sb_unsplash_downloaded(sb_call_t *c, const char *id)
{
    char         base[500];
    sb_item_t    item;
    const char  *ixid;

    memset(&item, 0, sizeof(sb_item_t));
    item.source = SB_SOURCE_UNSPLASH;
    ixid = sb_arg(c, "ixid");

    if (ixid == NULL || strncmp(ixid, "M3w", 3) != 0
        || sb_photo_find(ixid + 3, strlen(ixid + 3), &item.photo) != SB_OK)
    {
        item.photo.seed = sb_hash(0xcbf29ce484222325u, id);
        item.photo.width = 3000;
        item.photo.height = 2000;
        item.photo.variant = 0;
    }

    sb_cdn_base(c, &item, base, sizeof(base));
    sb_answer_text(c, 200, "application/json", "{\"url\":\"%s/photo-%s\"}",
                   base, id);
}


static const sb_source_t  sb_unsplash = {
    .source = SB_SOURCE_UNSPLASH,
    .windows = { { 50, 3600 }, { 0, 0 } },
    .ask = sb_unsplash_ask,
    .tell = sb_unsplash_tell,
    .throttle = sb_unsplash_throttle,
    .look = sb_imgix_look
};

const sb_api_t  sb_api_unsplash = {
    .name = "unsplash",
    .error = sb_unsplash_error,
    .failure = sb_unsplash_failure,
    .decorate = sb_unsplash_decorate,
    .source = &sb_unsplash
};
