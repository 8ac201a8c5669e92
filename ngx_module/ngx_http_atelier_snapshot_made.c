/*
 * Pages that were made, in Redis (see ngx_http_atelier_snapshot.h): whoever
 * makes one leaves it there, and then nobody puts it together and compresses
 * it again as long as it is fresh, on whatever node.
 *
 * Plain commands do, as Lua is slow with long strings.  The key lives as long
 * as the page is fresh, so its PTTL tells how old the page is.  Later pages of
 * "the current snapshot" are not kept, as which one that is may change while
 * they are fresh; that of the first page ends with its freshness.
 *
 * A page is "A1", the generation in 16 hex digits, in 8 of them each the age
 * of its snapshot, the ms it is fresh from its making and from the storing
 * (ms), and five lengths; its snapshot, its ETag, and link, tag, seen, gzip
 * and plain one after the other.  An invalidation makes all pages of earlier
 * generations useless.
 */

#include "ngx_http_atelier_snapshot.h"


#define NGX_HTTP_ATELIER_MADE_NAME   96
#define NGX_HTTP_ATELIER_MADE_PARTS  5
#define NGX_HTTP_ATELIER_MADE_HEAD                                            \
    (2 + 16 + (3 + NGX_HTTP_ATELIER_MADE_PARTS) * 8                           \
     + NGX_HTTP_ATELIER_SNAPSHOT_LEN + NGX_HTTP_ATELIER_ETAG_LEN)


static ngx_int_t ngx_http_atelier_made_name(ngx_http_atelier_feed_t *feed,
    const u_char *snapshot, uint32_t variant, u_char *p, ngx_str_t *name);
static void ngx_http_atelier_made_left(void *data, redisReply *reply);
static void ngx_http_atelier_made_page(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_made_read(u_char *p, size_t len,
    uint64_t generation, ngx_msec_t left, ngx_http_atelier_slice_t *slice,
    ngx_http_atelier_page_t *page);
static void ngx_http_atelier_made_parts(ngx_http_atelier_page_t *page,
    ngx_str_t **parts);
static ngx_uint_t ngx_http_atelier_made_clean(const u_char *p, size_t len);


void
ngx_http_atelier_snapshot_keep(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, uint32_t variant,
    ngx_http_atelier_page_t *page, ngx_msec_t fresh, ngx_pool_t *pool)
{
    u_char      text[NGX_HTTP_ATELIER_MADE_NAME];
    ngx_str_t   name;
    ngx_msec_t  left;

    left = page->fresh;

    if (feed->args.snapshot.len == 0 && feed->args.page == 1) {
        left = (slice->age < fresh) ? ngx_min(left, fresh - slice->age) : 0;

        (void) ngx_http_atelier_made_name(feed, NULL, variant, text, &name);

    } else {
        (void) ngx_http_atelier_made_name(feed, slice->snapshot, variant, text,
                                          &name);
    }

    ngx_http_atelier_made_keep(&name, slice, left, page, pool);
}


void
ngx_http_atelier_made_keep(ngx_str_t *name, ngx_http_atelier_slice_t *slice,
    ngx_msec_t left, ngx_http_atelier_page_t *page, ngx_pool_t *pool)
{
    size_t       len;
    u_char      *p, ms[NGX_INT64_LEN];
    ngx_str_t    argv[5], *parts[NGX_HTTP_ATELIER_MADE_PARTS];
    ngx_uint_t   i;

    ngx_http_atelier_made_parts(page, parts);

    len = NGX_HTTP_ATELIER_MADE_HEAD;

    for (i = 0; i < NGX_HTTP_ATELIER_MADE_PARTS; i++) {
        len += parts[i]->len;
    }

    if (left == 0 || len > NGX_HTTP_ATELIER_PAGE_MAX) {
        return;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return;
    }

    argv[2].data = p;
    argv[2].len = len;

    p = ngx_sprintf(p, "A1%016xL%08xD%08xD%08xD", slice->generation,
                    (uint32_t) slice->age, (uint32_t) page->fresh,
                    (uint32_t) left);

    for (i = 0; i < NGX_HTTP_ATELIER_MADE_PARTS; i++) {
        p = ngx_sprintf(p, "%08xD", (uint32_t) parts[i]->len);
    }

    p = ngx_cpymem(p, slice->snapshot, NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    p = ngx_cpymem(p, page->etag, NGX_HTTP_ATELIER_ETAG_LEN);

    for (i = 0; i < NGX_HTTP_ATELIER_MADE_PARTS; i++) {
        if (parts[i]->len > 0) {
            p = ngx_cpymem(p, parts[i]->data, parts[i]->len);
        }
    }

    ngx_str_set(&argv[0], "SET");
    argv[1] = *name;
    ngx_str_set(&argv[3], "PX");
    argv[4].data = ms;
    argv[4].len = ngx_sprintf(ms, "%M", left) - ms;

    (void) ngx_http_atelier_redis_command(5, argv, NULL, NULL);
}


ngx_int_t
ngx_http_atelier_snapshot_recall(ngx_http_atelier_feed_t *feed,
    uint32_t variant, ngx_http_atelier_recall_t *recall,
    ngx_http_atelier_redis_pt cb, void *data)
{
    u_char     text[NGX_HTTP_ATELIER_MADE_NAME];
    ngx_str_t  name;

    if (ngx_http_atelier_made_name(feed, (u_char *) feed->args.snapshot.data,
                                   variant, text, &name)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_http_atelier_made_ask(&name, recall, cb, data);
}


ngx_int_t
ngx_http_atelier_made_ask(ngx_str_t *name, ngx_http_atelier_recall_t *recall,
    ngx_http_atelier_redis_pt cb, void *data)
{
    ngx_str_t  argv[3];

    recall->ms = -1;
    recall->cb = cb;
    recall->data = data;

    /* the answers come in this order */

    ngx_str_set(&argv[0], "PTTL");
    argv[1] = *name;

    recall->left = ngx_http_atelier_redis_command(2, argv,
                                                  ngx_http_atelier_made_left,
                                                  recall);
    if (recall->left == NULL) {
        return NGX_DECLINED;
    }

    ngx_str_set(&argv[0], "MGET");
    ngx_str_set(&argv[2], "atelier:generation");

    recall->page = ngx_http_atelier_redis_command(3, argv,
                                                  ngx_http_atelier_made_page,
                                                  recall);
    if (recall->page == NULL) {
        ngx_http_atelier_snapshot_forget(recall);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_http_atelier_snapshot_forget(ngx_http_atelier_recall_t *recall)
{
    if (recall->left) {
        ngx_http_atelier_redis_forget(recall->left);
        recall->left = NULL;
    }

    if (recall->page) {
        ngx_http_atelier_redis_forget(recall->page);
        recall->page = NULL;
    }
}


static void
ngx_http_atelier_made_left(void *data, redisReply *reply)
{
    ngx_http_atelier_recall_t *recall = data;

    recall->left = NULL;

    if (reply && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0) {
        recall->ms = reply->integer;
    }
}


static void
ngx_http_atelier_made_page(void *data, redisReply *reply)
{
    ngx_http_atelier_recall_t *recall = data;

    recall->page = NULL;
    recall->cb(recall->data, reply);
}


ngx_int_t
ngx_http_atelier_snapshot_recalled(ngx_http_atelier_recall_t *recall,
    redisReply *reply, ngx_http_atelier_slice_t *slice,
    ngx_http_atelier_page_t *page)
{
    ngx_int_t  generation;

    generation = ngx_http_atelier_made_generation(reply);

    if (generation == NGX_ERROR || recall->ms <= 0
        || reply->element[0]->type != REDIS_REPLY_STRING)
    {
        return NGX_DECLINED;
    }

    return ngx_http_atelier_made_read((u_char *) reply->element[0]->str,
                                      reply->element[0]->len, generation,
                                      recall->ms, slice, page);
}


ngx_int_t
ngx_http_atelier_made_generation(redisReply *reply)
{
    redisReply  *e;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 2)
    {
        return NGX_ERROR;
    }

    e = reply->element[1];

    return (e->type == REDIS_REPLY_STRING) ? ngx_atoi((u_char *) e->str,
                                                      e->len)
                                           : 0;
}


/* NGX_DECLINED also if Redis holds what no version of this has written. */

static ngx_int_t
ngx_http_atelier_made_read(u_char *p, size_t len, uint64_t generation,
    ngx_msec_t left, ngx_http_atelier_slice_t *slice,
    ngx_http_atelier_page_t *page)
{
    u_char      *body;
    ngx_int_t    n[3 + NGX_HTTP_ATELIER_MADE_PARTS];
    ngx_str_t   *parts[NGX_HTTP_ATELIER_MADE_PARTS];
    ngx_uint_t   i;
    ngx_msec_t   age;

    if (len < NGX_HTTP_ATELIER_MADE_HEAD || p[0] != 'A' || p[1] != '1'
        || ngx_hextoi(p + 2, 16) != (ngx_int_t) generation)
    {
        return NGX_DECLINED;
    }

    body = p + NGX_HTTP_ATELIER_MADE_HEAD;
    len -= NGX_HTTP_ATELIER_MADE_HEAD;
    p += 2 + 16;

    ngx_memzero(slice, sizeof(ngx_http_atelier_slice_t));
    ngx_memzero(page, sizeof(ngx_http_atelier_page_t));
    ngx_http_atelier_made_parts(page, parts);

    for (i = 0; i < 3 + NGX_HTTP_ATELIER_MADE_PARTS; i++, p += 8) {
        n[i] = ngx_hextoi(p, 8);

        if (n[i] == NGX_ERROR || (i >= 3 && (size_t) n[i] > len)) {
            return NGX_DECLINED;
        }

        if (i >= 3) {
            parts[i - 3]->data = body;
            parts[i - 3]->len = n[i];
            body += n[i];
            len -= n[i];
        }
    }

    if (len || page->plain.len == 0
        || !ngx_http_atelier_made_clean(p, NGX_HTTP_ATELIER_SNAPSHOT_LEN
                                           + NGX_HTTP_ATELIER_ETAG_LEN)
        || !ngx_http_atelier_made_clean(page->link.data,
                                        page->link.len + page->tag.len))
    {
        return NGX_DECLINED;
    }

    age = (left < (ngx_msec_t) n[2]) ? n[2] - left : 0;

    ngx_memcpy(slice->snapshot, p, NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    slice->age = n[0] + age;

    ngx_memcpy(page->etag, p + NGX_HTTP_ATELIER_SNAPSHOT_LEN,
               NGX_HTTP_ATELIER_ETAG_LEN);
    page->created = ngx_current_msec - age;
    page->fresh = n[1];

    return NGX_OK;
}


/* "atelier:page:", the snapshot or K, ":page:perPage:variant" */

static ngx_int_t
ngx_http_atelier_made_name(ngx_http_atelier_feed_t *feed,
    const u_char *snapshot, uint32_t variant, u_char *p, ngx_str_t *name)
{
    name->data = p;
    p = ngx_sprintf(p, "atelier:page:");

    if (snapshot) {
        p = ngx_cpymem(p, snapshot, NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    } else if (feed->args.page == 1) {
        at_hash_hex(feed->key, (char *) p);
        p += AT_HASH_HEX;

    } else {
        return NGX_DECLINED;
    }

    p = ngx_sprintf(p, ":%uD:%uD:%08xD", (uint32_t) feed->args.page,
                    (uint32_t) feed->args.per_page, variant);

    name->len = p - name->data;

    return NGX_OK;
}


/* In the order in which they are written. */

static void
ngx_http_atelier_made_parts(ngx_http_atelier_page_t *page, ngx_str_t **parts)
{
    parts[0] = &page->link;
    parts[1] = &page->tag;
    parts[2] = &page->seen;
    parts[3] = &page->gzip;
    parts[4] = &page->plain;
}


/* They become headers: whatever Redis holds, no line ends in them. */

static ngx_uint_t
ngx_http_atelier_made_clean(const u_char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}
