/*
 * Pexels: GET /v1/search and /v1/curated, key bare in Authorization.
 *
 * Also imgix' parameters, by which Pexels and Unsplash take the sizes of
 * pictures.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "source.h"


#define SB_PEXELS_MOST   80
#define SB_PEXELS_TOTAL  8000


static void
sb_pexels_error(sb_call_t *c, unsigned status, const sb_error_t *e)
{
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "status", status);
    sb_gen_member(g, "code", e->code ? e->code : "error");
    sb_gen_member(g, "error", e->message);
    yajl_gen_map_close(g);

    sb_answer_json(c, status, g);
}


static void
sb_pexels_failure(sb_call_t *c, unsigned status)
{
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    e.code = status == 429 ? "rate_limit" : "internal";
    snprintf(e.message, sizeof(e.message), status == 429
             ? "Rate limit exceeded" : "Internal server error");
    sb_pexels_error(c, status, &e);
}


static void
sb_pexels_throttle(sb_call_t *c, double seconds)
{
    (void) seconds;

    sb_pexels_failure(c, 429);
}


/* On good answers only; those of the month, whose end is a time of day. */

static void
sb_pexels_decorate(sb_call_t *c)
{
    const sb_quota_t  *q;

    q = &c->quota[1];

    if (!c->metered || c->answer.status != 200) {
        return;
    }

    sb_answer_header(c, "X-Ratelimit-Limit", "%lld", q->limit);
    sb_answer_header(c, "X-Ratelimit-Remaining", "%lld",
                     sb_quota_remaining(q));
    sb_answer_header(c, "X-Ratelimit-Reset", "%lld",
                     (long long) time(NULL) + q->left_ms / 1000);
}


/* "#00ff00" or "00ff00": the tint that is nearest. */

static int
sb_pexels_hex(const char *text)
{
    int            i, k, best;
    long           d, least, v[2][3];
    unsigned long  rgb;

    static const unsigned long  tints[SB_TINTS] = {
        0xa92d30, 0xd9782f, 0xdfb948, 0x438849, 0x3b9191, 0x3d70ae, 0x6b4c9f,
        0xdc92b5, 0x704d32, 0x232529, 0x888d91, 0xeeebe7
    };

    text += (*text == '#');

    if (strlen(text) != 6
        || strspn(text, "0123456789abcdefABCDEF") != 6)
    {
        return -1;
    }

    rgb = strtoul(text, NULL, 16);
    best = 0;
    least = -1;

    for (i = 0; i < SB_TINTS; i++) {
        d = 0;

        for (k = 0; k < 3; k++) {
            v[0][k] = (long) (rgb >> (8 * k) & 255);
            v[1][k] = (long) (tints[i] >> (8 * k) & 255);
            d += (v[0][k] - v[1][k]) * (v[0][k] - v[1][k]);
        }

        if (least < 0 || d < least) {
            least = d;
            best = i;
        }
    }

    return best;
}


static int
sb_pexels_bad(sb_call_t *c, const char *name)
{
    sb_refuse(c, 400, "bad_request", name, "The parameter %s is not valid.",
              name);

    return SB_ERROR;
}


static int
sb_pexels_filters(sb_call_t *c, sb_listing_t *l)
{
    const char  *v;

    v = sb_arg(c, "orientation");

    if (v) {
        l->shapes = strcmp(v, "landscape") == 0 ? SB_SHAPE_WIDE
                    : strcmp(v, "portrait") == 0 ? SB_SHAPE_TALL
                    : strcmp(v, "square") == 0 ? SB_SHAPE_SQUARE : 0;

        if (l->shapes == 0) {
            return sb_pexels_bad(c, "orientation");
        }
    }

    v = sb_arg(c, "color");

    if (v) {
        l->tint = sb_tint_find(v);

        if (l->tint < 0) {
            l->tint = sb_pexels_hex(v);
        }

        if (l->tint < 0) {
            return sb_pexels_bad(c, "color");
        }
    }

    v = sb_arg(c, "size");

    return v && !sb_arg_listed("large,medium,small", v)
           ? sb_pexels_bad(c, "size") : SB_OK;
}


static int
sb_pexels_ask(sb_call_t *c, sb_search_t *s)
{
    const char  *query;

    s->curated = (strcmp(c->rest, "/v1/curated") == 0);
    query = s->curated ? "" : sb_arg(c, "query");

    if (!sb_key_ok(sb_call_header(c, "Authorization"))) {
        sb_refuse(c, 401, "unauthorized", NULL, "This API key is not valid.");
        return SB_ERROR;
    }

    if (query == NULL || (!s->curated && *query == '\0')) {
        return sb_pexels_bad(c, "query");
    }

    if (sb_arg_number(c, "page", 1, &s->page) != SB_OK || s->page == 0) {
        return sb_pexels_bad(c, "page");
    }

    if (sb_arg_number(c, "per_page", 15, &s->per_page) != SB_OK
        || s->per_page == 0)
    {
        return sb_pexels_bad(c, "per_page");
    }

    if (s->per_page > SB_PEXELS_MOST) {
        s->per_page = SB_PEXELS_MOST;
    }

    s->first = (s->page - 1) * s->per_page;
    sb_listing_begin(&s->listing, c, query);

    return sb_pexels_filters(c, &s->listing);
}


static void
sb_pexels_src(sb_call_t *c, const sb_item_t *item, yajl_gen g)
{
    size_t  i;
    char    base[500], file[600];

    static const struct {
        const char  *name;
        const char  *args;
    }  sizes[] = {
        { "original", "" },
        { "large2x", "?auto=compress&cs=tinysrgb&dpr=2&h=650&w=940" },
        { "large", "?auto=compress&cs=tinysrgb&h=650&w=940" },
        { "medium", "?auto=compress&cs=tinysrgb&h=350" },
        { "small", "?auto=compress&cs=tinysrgb&h=130" },
        { "portrait",
          "?auto=compress&cs=tinysrgb&fit=crop&h=1200&w=800" },
        { "landscape",
          "?auto=compress&cs=tinysrgb&fit=crop&h=627&w=1200" },
        { "tiny",
          "?auto=compress&cs=tinysrgb&dpr=1&fit=crop&h=200&w=280" }
    };

    sb_cdn_base(c, item, base, sizeof(base));
    snprintf(file, sizeof(file), "%s/photos/%llu/pexels-photo-%llu.jpeg",
             base, (unsigned long long) item->number,
             (unsigned long long) item->number);

    sb_gen_text(g, "src");
    yajl_gen_map_open(g);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        sb_gen_format(g, sizes[i].name, "%s%s", file, sizes[i].args);
    }

    yajl_gen_map_close(g);
}


/* A few have no words for what they show, or not even a place for them. */

static void
sb_pexels_photo(sb_call_t *c, const sb_search_t *s, const sb_item_t *item,
    yajl_gen g)
{
    char  title[400], author[80], handle[40];

    sb_item_title(item, s->listing.words, title, sizeof(title));
    sb_item_author(item, author, sizeof(author));
    sb_item_handle(item, handle, sizeof(handle));

    yajl_gen_map_open(g);
    sb_gen_member_int(g, "id", (long long) item->number);
    sb_gen_member_int(g, "width", item->photo.width);
    sb_gen_member_int(g, "height", item->photo.height);
    sb_gen_format(g, "url", "https://www.pexels.com/photo/room-%llu/",
                  (unsigned long long) item->number);
    sb_gen_member(g, "photographer", author);
    sb_gen_format(g, "photographer_url", "https://www.pexels.com/@%s",
                  handle);
    sb_gen_member_int(g, "photographer_id", 100000 + item->author);
    sb_gen_format(g, "avg_color", "#%06X",
                  (unsigned) sb_photo_color(item->photo.seed));
    sb_pexels_src(c, item, g);
    sb_gen_text(g, "liked");
    yajl_gen_bool(g, 0);

    if (item->odd != 1) {
        sb_gen_member(g, "alt", item->odd == 2 ? "" : title);
    }

    yajl_gen_map_close(g);
}


static void
sb_pexels_link(sb_call_t *c, const sb_search_t *s, const char *name,
    unsigned long page, yajl_gen g)
{
    char  query[3 * SB_TEXT_MAX];

    sb_percent(query, sizeof(query), s->listing.words, "-._~");
    sb_gen_format(g, name, "%s/%s%s?page=%lu&per_page=%lu%s%s",
                  sb_public_url(), c->provider->name, c->rest, page,
                  s->per_page, s->curated ? "" : "&query=", query);
}


static void
sb_pexels_tell(sb_call_t *c, sb_search_t *s)
{
    unsigned  i;
    yajl_gen  g;

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_member_int(g, "page", (long long) s->page);
    sb_gen_member_int(g, "per_page", (long long) s->per_page);
    sb_gen_text(g, "photos");
    yajl_gen_array_open(g);

    for (i = 0; i < s->n && s->first + i < SB_PEXELS_TOTAL; i++) {
        sb_pexels_photo(c, s, &s->items[i], g);
    }

    yajl_gen_array_close(g);
    sb_gen_member_int(g, "total_results", s->count < SB_PEXELS_TOTAL
                                          ? s->count : SB_PEXELS_TOTAL);

    if (s->first + s->n < s->count
        && s->first + s->per_page < SB_PEXELS_TOTAL)
    {
        sb_pexels_link(c, s, "next_page", s->page + 1, g);
    }

    if (s->page > 1) {
        sb_pexels_link(c, s, "prev_page", s->page - 1, g);
    }

    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);
}


static double
sb_imgix_number(sb_call_t *c, const char *name)
{
    double       v;
    const char  *text;

    text = sb_arg(c, name);
    v = text ? strtod(text, NULL) : 0;

    return v > 0 && v < 100000 ? v : 0;
}


int
sb_imgix_look(sb_call_t *c, const char *path, sb_photo_view_t *view)
{
    double       dpr;
    const char  *fit, *fm, *accept;

    (void) path;

    dpr = sb_imgix_number(c, "dpr");
    dpr = dpr > 0 && dpr <= 5 ? dpr : 1;
    view->width = sb_imgix_number(c, "w") * dpr;
    view->height = sb_imgix_number(c, "h") * dpr;
    view->quality = (unsigned) sb_imgix_number(c, "q");

    if (view->quality > 100) {
        view->quality = 100;
    }

    fit = sb_arg(c, "fit");
    view->crop = (fit && strcmp(fit, "crop") == 0);
    view->enlarge = !(fit && strcmp(fit, "max") == 0);

    fm = sb_arg(c, "fm");
    accept = sb_call_header(c, "Accept");

    if (fm) {
        view->format = strcmp(fm, "webp") == 0 ? SB_FORMAT_WEBP
                       : strcmp(fm, "png") == 0 ? SB_FORMAT_PNG
                                                : SB_FORMAT_JPEG;

    } else if (sb_arg(c, "auto") && strstr(sb_arg(c, "auto"), "format")
               && accept && strstr(accept, "image/webp"))
    {
        view->format = SB_FORMAT_WEBP;
    }

    return SB_OK;
}


static const sb_source_t  sb_pexels = {
    .source = SB_SOURCE_PEXELS,
    .windows = { { 200, 3600 }, { 20000, 30 * 86400 } },
    .ask = sb_pexels_ask,
    .tell = sb_pexels_tell,
    .throttle = sb_pexels_throttle,
    .look = sb_imgix_look
};

const sb_api_t  sb_api_pexels = {
    .name = "pexels",
    .error = sb_pexels_error,
    .failure = sb_pexels_failure,
    .decorate = sb_pexels_decorate,
    .source = &sb_pexels
};
