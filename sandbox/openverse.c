/*
 * Openverse: GET /v1/images/, without a key or with a bearer's.
 *
 * Most of it is what Flickr, Commons and rawpixel have: the item's own
 * address is then theirs, byte for byte.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"


#define SB_OPENVERSE_MOST       20      /* without a key */
#define SB_OPENVERSE_AUTH_MOST  500
#define SB_OPENVERSE_PAGES      20
#define SB_OPENVERSE_TOTAL      10000


typedef enum {
    SB_CC_BY,
    SB_CC_BY_SA,
    SB_CC_BY_ND,
    SB_CC_BY_NC,
    SB_CC_BY_NC_SA,
    SB_CC_BY_NC_ND,
    SB_CC_CC0,
    SB_CC_PDM,
    SB_CCS
} sb_cc_e;


static const struct {
    const char  *id;
    const char  *title;
} sb_openverse_ccs[SB_CCS] = {
    { "by", "CC BY" },
    { "by-sa", "CC BY-SA" },
    { "by-nd", "CC BY-ND" },
    { "by-nc", "CC BY-NC" },
    { "by-nc-sa", "CC BY-NC-SA" },
    { "by-nc-nd", "CC BY-NC-ND" },
    { "cc0", "CC0" },
    { "pdm", "Public Domain Mark" }
};


typedef struct {
    sb_cc_e      cc;
    const char  *version;
} sb_license_t;


/* Of what is its own, and of Commons. */

static const sb_license_t  sb_openverse_licenses[] = {
    { SB_CC_BY, "2.0" }, { SB_CC_BY_SA, "4.0" }, { SB_CC_CC0, "1.0" },
    { SB_CC_PDM, "1.0" }
};

/* By Flickr's numbers; what is not free is not here. */

static const sb_license_t  sb_openverse_flickr[17] = {
    { SB_CC_PDM, "1.0" }, { SB_CC_BY_NC_SA, "2.0" }, { SB_CC_BY_NC, "2.0" },
    { SB_CC_BY_NC_ND, "2.0" }, { SB_CC_BY, "2.0" }, { SB_CC_BY_SA, "2.0" },
    { SB_CC_BY_ND, "2.0" }, { SB_CC_PDM, "1.0" }, { SB_CC_PDM, "1.0" },
    { SB_CC_CC0, "1.0" }, { SB_CC_PDM, "1.0" }, { SB_CC_BY, "4.0" },
    { SB_CC_BY_SA, "4.0" }, { SB_CC_BY_ND, "4.0" }, { SB_CC_BY_NC, "4.0" },
    { SB_CC_BY_NC_SA, "4.0" }, { SB_CC_BY_NC_ND, "4.0" }
};

/* license_type, and the licences of each. */

static const struct {
    const char  *name;
    const char  *ids;
} sb_openverse_types[] = {
    { "all", "by,by-sa,by-nd,by-nc,by-nc-sa,by-nc-nd,cc0,pdm" },
    { "all-cc", "by,by-sa,by-nd,by-nc,by-nc-sa,by-nc-nd,cc0" },
    { "commercial", "by,by-sa,by-nd,cc0,pdm" },
    { "modification", "by,by-sa,by-nc,by-nc-sa,cc0,pdm" },
    { NULL, NULL }
};

static const char *const  sb_openverse_names[SB_SOURCES] = {
    NULL, NULL, NULL, "flickr", "wikimedia", "rawpixel", "stocksnap"
};


static const sb_license_t *
sb_openverse_license(const sb_item_t *item)
{
    if (item->source == SB_SOURCE_FLICKR) {
        return &sb_openverse_flickr[item->license % 17];
    }

    if (item->source == SB_SOURCE_RAWPIXEL) {
        return &sb_openverse_licenses[2];
    }

    return &sb_openverse_licenses[item->license % 4];
}


unsigned
sb_openverse_license_index(const sb_item_t *item)
{
    return sb_openverse_license(item)->cc;
}


static void
sb_openverse_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "detail");

    if (e->param) {
        yajl_gen_map_open(g);
        sb_gen_text(g, e->param);
        yajl_gen_array_open(g);
        sb_gen_text(g, e->message);
        yajl_gen_array_close(g);
        yajl_gen_map_close(g);

    } else {
        sb_gen_text(g, e->message);
    }

    yajl_gen_map_close(g);
    sb_answer_json(c, status, g);
}


static void
sb_openverse_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    snprintf(e.message, sizeof(e.message), status == 429
             ? "Request was throttled." : "A server error occurred.");
    sb_openverse_error(c, status, &e);
}


static void
sb_openverse_throttle(sb_call_t *c, double seconds)
{
    long        n;
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    n = (long) (seconds + 0.999);
    snprintf(e.message, sizeof(e.message), "Request was throttled. Expected "
             "available in %ld second%s.", n, n == 1 ? "" : "s");
    sb_openverse_error(c, 429, &e);
}


/* The cache is told to keep refusals as well. */

static void
sb_openverse_decorate(sb_call_t *c)
{
    if (!c->metered) {
        return;
    }

    sb_answer_header(c, "x-ratelimit-limit-anon_burst", "%lld/min",
                     c->quota[0].limit);
    sb_answer_header(c, "x-ratelimit-available-anon_burst", "%lld",
                     sb_quota_remaining(&c->quota[0]));
    sb_answer_header(c, "x-ratelimit-limit-anon_sustained", "%lld/day",
                     c->quota[1].limit);
    sb_answer_header(c, "x-ratelimit-available-anon_sustained", "%lld",
                     sb_quota_remaining(&c->quota[1]));
    sb_answer_header(c, "Cache-Control", "max-age=14400");
}


static int
sb_openverse_range(sb_call_t *c, const char *name, unsigned long most)
{
    sb_refuse(c, 400, NULL, name, "Ensure this value is less than or equal "
              "to %lu.", most);

    return SB_ERROR;
}


static unsigned
sb_openverse_mask(const char *list)
{
    int       i;
    unsigned  mask;

    mask = 0;

    for (i = 0; i < SB_SOURCES; i++) {
        if (sb_openverse_names[i]
            && sb_arg_listed(list, sb_openverse_names[i]))
        {
            mask |= 1u << i;
        }
    }

    return mask;
}


static uint32_t
sb_openverse_ids(const char *list)
{
    int       i;
    uint32_t  mask;

    mask = 0;

    for (i = 0; i < SB_CCS; i++) {
        if (sb_arg_listed(list, sb_openverse_ccs[i].id)) {
            mask |= 1u << i;
        }
    }

    return mask;
}


/* Several types are what all of them have in common. */

static int
sb_openverse_legally(sb_call_t *c, sb_listing_t *l)
{
    int          i;
    uint32_t     mask;
    const char  *ids, *types;

    ids = sb_arg(c, "license");
    types = sb_arg(c, "license_type");
    mask = ids ? sb_openverse_ids(ids) : ~0u;

    if (mask == 0) {
        sb_refuse(c, 400, NULL, "license", "License '%.40s' does not exist.",
                  ids);
        return SB_ERROR;
    }

    if (types) {
        l->licenses = mask;

        for (i = 0; sb_openverse_types[i].name; i++) {
            if (sb_arg_listed(types, sb_openverse_types[i].name)) {
                l->licenses &= sb_openverse_ids(sb_openverse_types[i].ids);
            }
        }

        if (l->licenses == mask
            && !sb_arg_listed("all,all-cc,commercial,modification", types))
        {
            sb_refuse(c, 400, NULL, "license_type", "License type '%.40s' "
                      "does not exist.", types);
            return SB_ERROR;
        }

        return SB_OK;
    }

    l->licenses = ids ? mask : 0;

    return SB_OK;
}


static int
sb_openverse_filters(sb_call_t *c, sb_listing_t *l)
{
    const char  *v, *not;

    v = sb_arg(c, "source");
    not = sb_arg(c, "excluded_source");

    if (v && not) {
        sb_refuse(c, 400, NULL, "excluded_source", "Cannot set both 'source' "
                  "and 'excluded_source'. Use exactly one of these.");
        return SB_ERROR;
    }

    if (v) {
        l->sources = sb_openverse_mask(v);

    } else if (not) {
        l->sources = ~sb_openverse_mask(not);
    }

    v = sb_arg(c, "aspect_ratio");

    if (v) {
        l->shapes = (sb_arg_listed(v, "wide") ? SB_SHAPE_WIDE : 0)
                    | (sb_arg_listed(v, "tall") ? SB_SHAPE_TALL : 0)
                    | (sb_arg_listed(v, "square") ? SB_SHAPE_SQUARE : 0);

        if (l->shapes == 0) {
            sb_refuse(c, 400, NULL, "aspect_ratio", "Invalid aspect ratio.");
            return SB_ERROR;
        }
    }

    return sb_openverse_legally(c, l);
}


static int
sb_openverse_ask(sb_call_t *c, sb_search_t *s)
{
    const char     *v;
    unsigned long   most;

    v = sb_call_header(c, "Authorization");

    if (v) {
        s->authorized = strncmp(v, "Bearer ", 7) == 0 && sb_key_ok(v + 7);

        if (!s->authorized) {
            sb_refuse(c, 401, NULL, NULL, "Authentication credentials were "
                      "not provided or are not valid.");
            return SB_ERROR;
        }
    }

    v = sb_arg(c, "q");
    sb_listing_begin(&s->listing, c, v ? v : "");

    if (sb_arg_number(c, "page_size", SB_OPENVERSE_MOST, &s->per_page)
        != SB_OK || s->per_page == 0)
    {
        sb_refuse(c, 400, NULL, "page_size", "A valid integer is required.");
        return SB_ERROR;
    }

    if (sb_arg_number(c, "page", 1, &s->page) != SB_OK || s->page == 0) {
        sb_refuse(c, 400, NULL, "page", "A valid integer is required.");
        return SB_ERROR;
    }

    if (s->page > SB_OPENVERSE_PAGES) {
        return sb_openverse_range(c, "page", SB_OPENVERSE_PAGES);
    }

    most = s->authorized ? SB_OPENVERSE_AUTH_MOST : SB_OPENVERSE_MOST;

    if (s->per_page > most && s->authorized) {
        return sb_openverse_range(c, "page_size", most);
    }

    if (s->per_page > most) {
        sb_refuse(c, 401, NULL, NULL, "Ensure this value is less than or "
                  "equal to %lu.", most);
        return SB_ERROR;
    }

    s->first = (s->page - 1) * s->per_page;

    return sb_openverse_filters(c, &s->listing);
}


static void
sb_openverse_urls(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char  url[2000], base[500], owner[40];

    switch (item->source) {

    case SB_SOURCE_FLICKR:
        if (sb_flickr_url(c, item, 'b', url, sizeof(url)) == 0) {
            (void) sb_flickr_url(c, item, '-', url, sizeof(url));
        }

        sb_flickr_owner(item, owner, sizeof(owner));
        sb_gen_member(g, "url", url);
        sb_gen_format(g, "foreign_landing_url",
                      "https://www.flickr.com/photos/%s/%llu", owner,
                      (unsigned long long) sb_flickr_id(item));
        sb_gen_format(g, "creator_url", "https://www.flickr.com/photos/%s",
                      owner);
        break;

    case SB_SOURCE_WIKIMEDIA:
        sb_wikimedia_url(c, item, s->listing.words, 0, url, sizeof(url));
        sb_gen_member(g, "url", url);

        /* Either form, by when it was found. */

        if (item->key & 1) {
            sb_gen_format(g, "foreign_landing_url", "https://commons."
                          "wikimedia.org/w/index.php?curid=%llu",
                          (unsigned long long) item->number);

        } else {
            sb_gen_format(g, "foreign_landing_url", "https://commons."
                          "wikimedia.org/wiki/File:%s",
                          strrchr(url, '/') + 1);
        }

        sb_gen_member(g, "creator_url", NULL);
        break;

    case SB_SOURCE_RAWPIXEL:
        sb_rawpixel_url(c, item, "image_1300", url, sizeof(url));
        sb_gen_member(g, "url", url);
        sb_gen_format(g, "foreign_landing_url",
                      "https://www.rawpixel.com/image/%llu/room",
                      (unsigned long long) item->number);
        sb_gen_member(g, "creator_url", NULL);
        break;

    default:
        sb_cdn_base(c, item, base, sizeof(base));
        sb_gen_format(g, "url", "%s/stocksnap/room_%llu.jpg", base,
                      (unsigned long long) item->number);
        sb_gen_format(g, "foreign_landing_url",
                      "https://stocksnap.io/photo/room-%llu",
                      (unsigned long long) item->number);
        sb_gen_member(g, "creator_url", "https://stocksnap.io/author/1");
        break;
    }
}


/* Sizes are missing or null now and then; Flickr's are those of the copy. */

static void
sb_openverse_size(const sb_item_t *item, yajl_gen g)
{
    double    scale;
    unsigned  most;

    if (item->odd == 18 || item->odd == 19) {
        return;
    }

    if (item->odd == 20 || item->odd == 21) {
        sb_gen_member(g, "height", NULL);
        sb_gen_member(g, "width", NULL);
        return;
    }

    most = item->photo.width > item->photo.height ? item->photo.width
                                                  : item->photo.height;
    scale = item->source == SB_SOURCE_FLICKR && most > 1024
            ? 1024.0 / most : 1;

    sb_gen_member_int(g, "height",
                      (long long) (item->photo.height * scale + 0.5));
    sb_gen_member_int(g, "width",
                      (long long) (item->photo.width * scale + 0.5));
}


static void
sb_openverse_legal(const sb_item_t *item, const char *title,
    const char *author, yajl_gen g)
{
    char                 url[120];
    const sb_license_t  *l;

    l = sb_openverse_license(item);

    if (l->cc == SB_CC_CC0 || l->cc == SB_CC_PDM) {
        snprintf(url, sizeof(url), "https://creativecommons.org/publicdomain/"
                 "%s/1.0/", l->cc == SB_CC_CC0 ? "zero" : "mark");

    } else {
        snprintf(url, sizeof(url), "https://creativecommons.org/licenses/%s/"
                 "%s/", sb_openverse_ccs[l->cc].id, l->version);
    }

    sb_gen_member(g, "license", sb_openverse_ccs[l->cc].id);
    sb_gen_member(g, "license_version", l->version);
    sb_gen_member(g, "license_url", url);
    sb_gen_format(g, "attribution", "\"%s\" by %s is licensed under %s %s. "
                  "To view a copy of this license, visit %s.", title, author,
                  sb_openverse_ccs[l->cc].title, l->version, url);
}


static void
sb_openverse_item(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char         uuid[40], title[400], author[80], api[400];
    const char  *from;

    sb_item_uuid(item, uuid, sizeof(uuid));
    sb_item_title(item, s->listing.words, title, sizeof(title));
    sb_item_author(item, author, sizeof(author));
    from = sb_openverse_names[item->source];
    snprintf(api, sizeof(api), "%s/%s/v1/images/%s", sb_public_url(),
             c->provider->name, uuid);

    yajl_gen_map_open(g);
    sb_gen_member(g, "id", uuid);
    sb_gen_member(g, "title", item->odd == 22 ? NULL : title);
    sb_gen_member(g, "indexed_on", "2024-05-06T07:08:09.123456Z");
    sb_openverse_urls(c, s, item, g);
    sb_gen_member(g, "creator", item->odd == 23 ? NULL : author);
    sb_openverse_legal(item, title, author, g);
    sb_gen_member(g, "provider", from);
    sb_gen_member(g, "source", from);
    sb_gen_member(g, "category", item->odd % 4 ? NULL : "photograph");
    sb_gen_member(g, "filesize", NULL);
    sb_gen_member(g, "filetype", "jpg");
    sb_gen_text(g, "tags");
    yajl_gen_array_open(g);
    yajl_gen_map_open(g);
    sb_gen_member(g, "name", "interior");
    sb_gen_member(g, "accuracy", NULL);
    yajl_gen_map_close(g);
    yajl_gen_array_close(g);
    sb_gen_text(g, "fields_matched");
    yajl_gen_array_open(g);
    sb_gen_text(g, "title");
    yajl_gen_array_close(g);
    sb_gen_text(g, "mature");
    yajl_gen_bool(g, 0);
    sb_openverse_size(item, g);
    sb_gen_format(g, "thumbnail", "%s/thumb/", api);
    sb_gen_format(g, "detail_url", "%s/", api);
    sb_gen_format(g, "related_url", "%s/related/", api);
    sb_gen_text(g, "unstable__sensitivity");
    yajl_gen_array_open(g);
    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
}


static void
sb_openverse_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned       i;
    yajl_gen       g;
    unsigned long  pages;

    pages = (s->count + s->per_page - 1) / s->per_page;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "result_count", s->count < SB_OPENVERSE_TOTAL
                                         ? s->count : SB_OPENVERSE_TOTAL);
    sb_gen_member_int(g, "page_count", pages < SB_OPENVERSE_PAGES
                                       ? (long long) pages
                                       : SB_OPENVERSE_PAGES);
    sb_gen_member_int(g, "page_size", (long long) s->per_page);
    sb_gen_member_int(g, "page", (long long) s->page);
    sb_gen_text(g, "results");
    yajl_gen_array_open(g);

    for (i = 0; i < s->n; i++) {
        sb_openverse_item(c, s, &s->items[i], g);
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);
}


/* A thumbnail is 600 pixels wide; else it is the picture of a source's own. */

static int
sb_openverse_look(sb_call_t *c, const char *path, sb_photo_view_t *view)
{
    (void) c;

    if (strcmp(path, "/thumb/") == 0) {
        view->width = 600;
    }

    return SB_OK;
}


static const sb_source_t  sb_openverse = {
    .source = SB_SOURCE_OPENVERSE,
    .windows = { { 20, 60 }, { 200, 86400 } },
    .ask = sb_openverse_ask,
    .tell = sb_openverse_tell,
    .throttle = sb_openverse_throttle,
    .look = sb_openverse_look
};

const sb_api_t  sb_api_openverse = {
    .name = "openverse",
    .error = sb_openverse_error,
    .failure = sb_openverse_failure,
    .decorate = sb_openverse_decorate,
    .source = &sb_openverse
};
