/*
 * A call to a shop, from its address to its page.
 *
 *     /shop/{shop}/...            the shop is told by the path
 *     /...  with Host: {shop}...  or by the host: {shop}.localhost and the
 *                                 real one's names
 *
 * The order is fixed: what is asked for is found, the mode decided, the quota
 * taken, latency slept, faults and walls done, and then the goods looked at as
 * they stand, so that a page tells what holds when it leaves.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "shop.h"


static const sb_shop_t *const  sb_shops[SB_SHOPS] = {
    &sb_shop_urbanladder, &sb_shop_pepperfry, &sb_shop_amazon,
    &sb_shop_flipkart, &sb_shop_ikea
};


/* Ends of the names of hosts. */

static const struct {
    const char  *end;
    sb_shop_e    shop;
}  sb_shop_hosts[] = {
    { "urbanladder.localhost", SB_SHOP_URBANLADDER },
    { "urbanladder.com", SB_SHOP_URBANLADDER },
    { "swadeshonline.com", SB_SHOP_URBANLADDER },
    { "ulcdn.net", SB_SHOP_URBANLADDER },
    { "pepperfry.localhost", SB_SHOP_PEPPERFRY },
    { "pepperfry.com", SB_SHOP_PEPPERFRY },
    { "amazon.localhost", SB_SHOP_AMAZON },
    { "amazon.in", SB_SHOP_AMAZON },
    { "media-amazon.com", SB_SHOP_AMAZON },
    { "flipkart.localhost", SB_SHOP_FLIPKART },
    { "flipkart.com", SB_SHOP_FLIPKART },
    { "flixcart.com", SB_SHOP_FLIPKART },
    { "ikea.localhost", SB_SHOP_IKEA },
    { "ikea.com", SB_SHOP_IKEA },
    { "blue.cdtapps.com", SB_SHOP_IKEA },
    { NULL, SB_SHOPS }
};


const sb_shop_t *
sb_shop_at(unsigned i)
{
    return sb_shops[i % SB_SHOPS];
}


const sb_shop_t *
sb_shop_find(const char *name, size_t len)
{
    unsigned  i;

    for (i = 0; i < SB_SHOPS; i++) {
        if (strlen(sb_shops[i]->name) == len
            && memcmp(sb_shops[i]->name, name, len) == 0)
        {
            return sb_shops[i];
        }
    }

    return NULL;
}


static const sb_shop_t *
sb_shop_by_host(const char *host)
{
    size_t       i, len, n;
    const char  *at;

    len = host ? strcspn(host, ":") : 0;

    for (i = 0; len && sb_shop_hosts[i].end; i++) {
        n = strlen(sb_shop_hosts[i].end);
        at = host + len - n;

        if (len >= n && strncasecmp(at, sb_shop_hosts[i].end, n) == 0
            && (len == n || at[-1] == '.'))
        {
            return sb_shops[sb_shop_hosts[i].shop];
        }
    }

    return NULL;
}


/* What a fault may be told to hit. */

static sb_target_e
sb_shop_page(const sb_call_t *c)
{
    sb_visit_t   *v;
    sb_target_e   page;

    v = calloc(1, sizeof(sb_visit_t));
    if (v == NULL) {
        return SB_ON_NOTHING;
    }

    v->c = (sb_call_t *) c;
    v->shop = c->shop;
    v->path = c->rest;
    c->shop->find(v);

    page = v->target == SB_TARGET_PRODUCT ? SB_ON_PRODUCT
           : v->target == SB_TARGET_LISTING
             || v->target == SB_TARGET_API_LISTING ? SB_ON_LISTING
                                                   : SB_ON_NOTHING;
    free(v);

    return page;
}


/* 1: the call is to a shop. */

int
sb_route_shop(sb_call_t *c)
{
    size_t       len;
    char         id[24];
    unsigned     w, h;
    const char  *name;

    c->shop = sb_shop_by_host(sb_call_header(c, "Host"));
    c->hosted = (c->shop != NULL);
    c->rest = c->path;

    if (c->shop == NULL && strcmp(c->path, "/robots.txt") == 0) {
        c->route = SB_ROUTE_ROBOTS;
        return 1;
    }

    if (c->shop == NULL && strncmp(c->path, "/shop/", 6) == 0) {
        name = c->path + 6;
        len = strcspn(name, "/");
        c->shop = sb_shop_find(name, len);
        c->rest = name[len] ? name + len : "/";
    }

    if (c->shop == NULL) {
        c->rest = NULL;
        return strncmp(c->path, "/shop/", 6) == 0;
    }

    c->api = &sb_api_shop;
    c->provider = sb_provider_find(c->shop->name, strlen(c->shop->name));

    if (c->provider == NULL) {
        return 1;
    }

    if (strcmp(c->rest, "/robots.txt") == 0) {
        c->route = SB_ROUTE_ROBOTS;

    } else if (c->shop->picture(c->rest, id, sizeof(id), &w, &h)
               || strstr(c->rest, "/loader-"))
    {
        c->route = SB_ROUTE_SHOP_PHOTO;

    } else {
        c->route = SB_ROUTE_SHOP;
        c->page = sb_shop_page(c);
    }

    return 1;
}


void
sb_shop_settle(const sb_provider_t *p, const sb_settings_t *s)
{
    const sb_shop_t  *shop;

    shop = sb_shop_find(p->name, strlen(p->name));

    if (shop) {
        sb_stand_settle(shop->shop, s);
    }
}


/* p is NULL: all of them. */

void
sb_shop_reset(const sb_provider_t *p)
{
    unsigned  i;

    for (i = 0; i < SB_SHOPS; i++) {
        if (p == NULL || strcmp(p->name, sb_shops[i]->name) == 0) {
            sb_stand_reset(sb_shops[i]->shop);
            sb_shop_asked_reset(sb_shops[i]->shop);
        }
    }
}


/* For find(): the list of a query, a category, or both. */

void
sb_visit_list(sb_visit_t *v, const char *query, const char *category,
    const char *page)
{
    unsigned long  n;

    snprintf(v->query, sizeof(v->query), "%s", query ? query : "");
    v->kind = category && *category ? sb_kind_find(category) : NULL;

    n = page ? strtoul(page, NULL, 10) : 1;
    v->page = n > 0 && n < 10000 ? (unsigned) n : 1;

    v->total = sb_goods_search(v->shop->shop, v->query, v->kind, v->found);

    if (category && *category && v->kind == NULL && !query) {
        v->total = 0;
    }

    v->first = (v->page - 1) * v->shop->per_page;
    v->n = v->shop->per_page;
}


/* For find(): the product of this id; SB_ERROR: there is none. */

int
sb_visit_product(sb_visit_t *v, const char *id, size_t len)
{
    int  i;

    i = sb_good_find(v->shop->shop, id, len);

    if (i < 0) {
        v->good.index = SB_GOODS;
        return SB_ERROR;
    }

    v->good = *sb_good(v->shop->shop, (unsigned) i);

    return SB_OK;
}


static void
sb_visit_begin(sb_visit_t *v, sb_call_t *c)
{
    const char  *host;

    v->c = c;
    v->b = &c->answer.body;
    v->shop = c->shop;
    v->path = c->rest;
    v->noise = (uint64_t) c->started * SB_GOLDEN
               + (uint64_t) (uintptr_t) c;

    if (c->hosted) {
        host = sb_call_header(c, "Host");
        snprintf(v->base, sizeof(v->base), "http://%.*s",
                 (int) strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
                              "OPQRSTUVWXYZ0123456789.:-"), host);

    } else {
        snprintf(v->root, sizeof(v->root), "/shop/%s", c->shop->name);
        snprintf(v->base, sizeof(v->base), "%s%s", sb_public_url(), v->root);
    }

    c->shop->find(v);
}


static int
sb_visit_method(sb_visit_t *v)
{
    unsigned    status;
    sb_call_t  *c;

    c = v->c;

    if (strcmp(c->method, "GET") == 0
        || (strcmp(c->method, "HEAD") == 0 && v->shop->head == 0))
    {
        return SB_OK;
    }

    status = strcmp(c->method, "HEAD") == 0 ? v->shop->head : 405;
    sb_refuse(c, status, NULL, NULL, "Method not allowed");

    if (status == 405) {
        sb_answer_header(c, "Allow", "GET");
    }

    return SB_ERROR;
}


/* How the goods stand, now. */

static void
sb_visit_look(sb_visit_t *v)
{
    unsigned  i;

    if (v->target == SB_TARGET_PRODUCT || v->target == SB_TARGET_JUMP) {
        if (v->good.index < SB_GOODS) {
            sb_stand_now(v->shop->shop, &v->good);
            v->changed = v->good.changed;
        }

        return;
    }

    if (v->target != SB_TARGET_LISTING && v->target != SB_TARGET_API_LISTING) {
        v->n = 0;
        return;
    }

    if (v->c->settings.items >= 0 && v->total > v->c->settings.items) {
        v->total = (unsigned) v->c->settings.items;
    }

    if (v->first > v->total) {
        v->first = v->total;
    }

    if (v->n > v->total - v->first) {
        v->n = v->total - v->first;
    }

    for (i = 0; i < v->n; i++) {
        v->goods[i] = *sb_good(v->shop->shop, v->found[v->first + i]);
        sb_stand_now(v->shop->shop, &v->goods[i]);

        if (v->goods[i].changed > v->changed) {
            v->changed = v->goods[i].changed;
        }
    }
}


/* 1: the address is of something that there is. */

static int
sb_visit_exists(const sb_visit_t *v)
{
    if (v->target == SB_TARGET_PRODUCT || v->target == SB_TARGET_JUMP) {
        return v->good.index < SB_GOODS;
    }

    return v->target != SB_TARGET_NONE;
}


/* What the mode says, else what control said of this product. */

static void
sb_visit_fate(sb_visit_t *v)
{
    sb_call_t  *c;

    c = v->c;
    v->fate = v->target == SB_TARGET_PRODUCT ? v->good.fate : SB_FATE_PAGE;

    if (c->mode == SB_MODE_WALL || c->mode == SB_MODE_PAGE) {
        v->fate = c->mode == SB_MODE_WALL ? v->shop->wall : SB_FATE_SOFT404;

        if (c->settings.variant[0]) {
            v->fate = (sb_fate_e) sb_fate_find(c->settings.variant);
        }
    }

    /* Of nothing there is no page, be it bare, cut or elsewhere. */

    if (!sb_visit_exists(v)
        && (v->fate == SB_FATE_PAGE || v->fate == SB_FATE_BARE
            || v->fate == SB_FATE_CUT || v->fate == SB_FATE_MOVED
            || v->fate == SB_FATE_CATEGORY))
    {
        v->fate = SB_FATE_MISSING;
    }
}


static void
sb_visit_home(sb_visit_t *v)
{
    unsigned   i;
    sb_view_t  w;

    sb_buf_print(v->b, "<!DOCTYPE html><html><head><meta charset=\"utf-8\">"
                 "<title>%s: furniture of the sandbox</title></head><body>\n"
                 "<h1>%s</h1>\n", v->shop->title, v->shop->title);
    sb_menu(v);

    for (i = 0; i < 12; i++) {
        v->good = *sb_good(v->shop->shop, i * 13);
        sb_stand_now(v->shop->shop, &v->good);
        sb_view(v, &v->good, &w);
        sb_buf_print(v->b, "<p><a href=\"%s\"><img width=\"120\" src=\"%s\">%s"
                     "</a> \xe2\x82\xb9%s</p>\n", w.href, w.image, w.title,
                     w.price);
    }

    sb_buf_print(v->b, "</body></html>\n");
}


static void
sb_visit_write(sb_visit_t *v)
{
    if (v->shop->api && (v->target == SB_TARGET_API_LISTING
                         || v->target == SB_TARGET_API_STOCK))
    {
        v->shop->api(v);
        return;
    }

    sb_answer_begin(v->c, 200, "text/html; charset=utf-8");

    if (v->target == SB_TARGET_LISTING) {
        v->shop->listing(v);

    } else if (v->target == SB_TARGET_PRODUCT) {
        v->shop->product(v);

    } else {
        sb_visit_home(v);
    }
}


/* Remembers which goods the answer tells of; sb_shop_left() then counts. */

static void
sb_visit_shown(sb_visit_t *v)
{
    unsigned          i;
    sb_call_t        *c;
    const sb_good_t  *g;

    c = v->c;

    if (c->mode != SB_MODE_OK || v->fate != SB_FATE_PAGE) {
        return;
    }

    c->nshown = v->target == SB_TARGET_PRODUCT ? 1 : v->n;
    c->shown = calloc(c->nshown + 1, sizeof(sb_shown_t));

    if (c->shown == NULL) {
        return;
    }

    for (i = 0; i < c->nshown; i++) {
        g = v->target == SB_TARGET_PRODUCT ? &v->good : &v->goods[i];
        c->shown[i].index = g->index;
        c->shown[i].version = g->version;

        if (v->target != SB_TARGET_PRODUCT) {
            sb_stand_count(v->shop->shop, g->index, 0);
        }
    }
}


/* The last byte of an answer has been handed to the kernel. */

void
sb_shop_left(sb_call_t *c)
{
    unsigned         i;
    int64_t          at;
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    at = (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

    for (i = 0; i < c->nshown; i++) {
        sb_stand_served(c->shop->shop, c->shown[i].index,
                        c->shown[i].version, at);
    }
}


/*
 * A date is told only when it says no less than the whole truth: what has
 * changed within the second it names may change in it again.
 */

static int
sb_visit_fresh(sb_visit_t *v, const char *etag)
{
    struct tm    tm;
    const char  *match, *since;

    match = sb_call_header(v->c, "If-None-Match");
    since = sb_call_header(v->c, "If-Modified-Since");

    if (v->shop->etag && match) {
        return strstr(match, etag) != NULL;
    }

    memset(&tm, 0, sizeof(tm));

    return v->shop->dated && since && v->changed
           && strptime(since, "%a, %d %b %Y %H:%M:%S GMT", &tm)
           && v->changed < (int64_t) timegm(&tm) * 1000000;
}


static void
sb_visit_validate(sb_visit_t *v)
{
    int         fresh;
    char        etag[24], date[40];
    time_t      now, at;
    sb_call_t  *c;

    c = v->c;

    if (c->answer.status != 200 || c->answer.body.data == NULL) {
        return;
    }

    snprintf(etag, sizeof(etag), "\"%016llx\"",
             (unsigned long long) sb_hash(0xcbf29ce484222325u,
                                          c->answer.body.data));
    fresh = sb_visit_fresh(v, etag);

    if (fresh) {
        sb_answer_begin(c, 304, "");
        sb_count(c, SB_COUNT_NOT_MODIFIED, 1);
    }

    if (v->shop->etag) {
        sb_answer_header(c, "ETag", "%s", etag);
    }

    if (v->shop->dated && v->changed) {
        now = time(NULL);
        at = (time_t) (v->changed / 1000000) + 1;
        sb_http_date(date, sizeof(date), at < now ? at : now - 1 > at - 1
                     ? now : at - 1);
        sb_answer_header(c, "Last-Modified", "%s", date);
    }

    sb_answer_header(c, "Cache-Control", "private, max-age=0");
}


static void
sb_visit_answer(sb_visit_t *v, sb_job_t *job)
{
    sb_call_t  *c;

    c = v->c;

    if (v->target == SB_TARGET_PRODUCT && v->good.index < SB_GOODS) {
        sb_stand_count(v->shop->shop, v->good.index, 1);
    }

    if (sb_source_meter(c) != SB_OK || sb_latency_sleep(c) != SB_OK) {
        return;
    }

    if (c->mode != SB_MODE_WALL && c->mode != SB_MODE_PAGE
        && sb_fault_no_picture(c, job))
    {
        return;
    }

    sb_visit_look(v);
    sb_visit_fate(v);

    if (sb_shop_fate(v)) {
        return;
    }

    sb_visit_write(v);

    if (v->fate == SB_FATE_CUT) {
        sb_shop_cut(v);

    } else {
        sb_visit_validate(v);
    }

    if (c->mode != SB_MODE_GARBAGE) {
        sb_shop_gzip(v);
    }

    sb_visit_shown(v);
    sb_fault_after(c, job);
}


void
sb_serve_shop(sb_call_t *c)
{
    char         target[600];
    sb_job_t     job;
    sb_visit_t  *v;

    memset(&job, 0, sizeof(sb_job_t));
    job.reply = SB_REPLY_DATA_URL;

    sb_remember(c, &job);

    v = calloc(1, sizeof(sb_visit_t));
    if (v == NULL) {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    sb_visit_begin(v, c);
    sb_shop_target(c, target, sizeof(target));

    if (sb_visit_method(v) == SB_OK) {
        sb_decide(c);

        if (!sb_robots_allowed(c->settings.robots, v->shop, target)) {
            sb_count(c, SB_COUNT_DISALLOWED, 1);
        }

        sb_visit_answer(v, &job);
    }

    sb_shop_asked(c, target);
    free(v);
}
