/*
 * L1 (see ngx_http_atelier_cache.h): the heads of feeds, and their leases.
 *
 * A lease is bound to its process and to a time: who dies with it, or takes
 * longer than it said, has lost it, and somebody else fills the feed.
 */

#include "ngx_http_atelier_cache_internal.h"


static ngx_http_atelier_headed_t *ngx_http_atelier_cache_make_head(
    ngx_http_atelier_cache_t *cache, const u_char *feed, ngx_str_t *text);


ngx_int_t
ngx_http_atelier_cache_head(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_http_atelier_head_t *head)
{
    ngx_int_t                   rc;
    ngx_http_atelier_headed_t  *h;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&cache->pool->mutex);

    h = ngx_http_atelier_cache_find_head(cache, feed);

    if (h && h->head.snapshot[0]
        && ngx_http_atelier_cache_age(h->head.created) < h->head.stale)
    {
        *head = h->head;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


ngx_int_t
ngx_http_atelier_cache_set_head(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_str_t *text, const ngx_http_atelier_head_t *head)
{
    ngx_int_t                   rc;
    ngx_http_atelier_headed_t  *h;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&cache->pool->mutex);

    if (head->generation >= cache->sh->generation) {
        h = ngx_http_atelier_cache_make_head(cache, feed, text);

        if (h) {
            h->head = *head;
            h->item.generation = head->generation;
            rc = NGX_OK;
        }
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


ngx_int_t
ngx_http_atelier_cache_lease(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_str_t *text, ngx_msec_t ms, ngx_uint_t *token)
{
    ngx_int_t                   rc;
    ngx_http_atelier_headed_t  *h;

    ngx_shmtx_lock(&cache->pool->mutex);

    h = ngx_http_atelier_cache_make_head(cache, feed, text);

    if (h == NULL) {
        rc = NGX_DECLINED;

    } else if (ngx_http_atelier_cache_lease_held(h)) {
        rc = NGX_BUSY;

    } else {
        h->token = ++cache->sh->tokens;
        h->pid = ngx_pid;
        h->until = ngx_current_msec + ms;
        *token = h->token;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


void
ngx_http_atelier_cache_release(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_uint_t token)
{
    ngx_http_atelier_headed_t  *h;

    ngx_shmtx_lock(&cache->pool->mutex);

    h = ngx_http_atelier_cache_find_head(cache, feed);

    if (h && h->token == token) {
        h->token = 0;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);
}


ngx_uint_t
ngx_http_atelier_cache_leased(ngx_http_atelier_cache_t *cache,
    const u_char *feed)
{
    ngx_uint_t                  held;
    ngx_http_atelier_headed_t  *h;

    ngx_shmtx_lock(&cache->pool->mutex);

    h = ngx_http_atelier_cache_find_head(cache, feed);
    held = h && ngx_http_atelier_cache_lease_held(h);

    ngx_shmtx_unlock(&cache->pool->mutex);

    return held;
}


u_char *
ngx_http_atelier_cache_node(ngx_http_atelier_cache_t *cache)
{
    return cache->sh->node;
}


/* All that follows is called under the mutex. */

ngx_http_atelier_headed_t *
ngx_http_atelier_cache_find_head(ngx_http_atelier_cache_t *cache,
    const u_char *feed)
{
    ngx_http_atelier_page_id_t  id;

    ngx_memzero(&id, sizeof(ngx_http_atelier_page_id_t));
    ngx_memcpy(id.feed, feed, NGX_HTTP_ATELIER_FEED_LEN);

    return (ngx_http_atelier_headed_t *) ngx_http_atelier_cache_find(cache,
                                                                     &id);
}


static ngx_http_atelier_headed_t *
ngx_http_atelier_cache_make_head(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_str_t *text)
{
    size_t                      size;
    ngx_http_atelier_headed_t  *h;

    h = ngx_http_atelier_cache_find_head(cache, feed);

    if (h) {
        ngx_http_atelier_cache_touch(cache, &h->item);
        return h;
    }

    size = sizeof(ngx_http_atelier_headed_t) + text->len;

    h = ngx_http_atelier_cache_alloc(cache, size);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_http_atelier_headed_t));

    ngx_memcpy(h->item.id.feed, feed, NGX_HTTP_ATELIER_FEED_LEN);
    h->item.generation = cache->sh->generation;
    h->item.size = size;
    h->item.text_len = text->len;
    ngx_memcpy(h->text, text->data, text->len);

    ngx_http_atelier_cache_link(cache, &h->item);

    return h;
}


ngx_uint_t
ngx_http_atelier_cache_lease_held(ngx_http_atelier_headed_t *h)
{
    if (h->token == 0) {
        return 0;
    }

    if ((ngx_msec_int_t) (h->until - ngx_current_msec) <= 0
        || (h->pid != ngx_pid && kill(h->pid, 0) == -1
            && ngx_errno == NGX_ESRCH))
    {
        h->token = 0;
        return 0;
    }

    return 1;
}
