/*
 * L1 (see ngx_http_atelier_cache.h): the pages.
 *
 * A page is one block of the slab: its struct, then its parts one after the
 * other.  Eviction takes from the end of the LRU queue, a bounded number of
 * items per page stored, so that nobody holds the mutex for long; a page that
 * finds no room even so is not stored, which costs a later reader a visit to
 * L2 and nothing else.
 */

#include "ngx_http_atelier_cache_internal.h"


/* Items that one page may push out. */
#define NGX_HTTP_ATELIER_CACHE_EVICT  64

/* Pages that are asked for what they showed; more is no walk of a reader. */
#define NGX_HTTP_ATELIER_CACHE_SEEN   512


static ngx_int_t ngx_http_atelier_cache_usable(
    ngx_http_atelier_cache_t *cache, ngx_http_atelier_page_id_t *id,
    ngx_http_atelier_paged_t **found);
static ngx_int_t ngx_http_atelier_cache_current(
    ngx_http_atelier_cache_t *cache, ngx_http_atelier_page_id_t *id,
    ngx_uint_t *old);
static void ngx_http_atelier_cache_times(ngx_http_atelier_paged_t *item,
    ngx_http_atelier_page_t *page);
static ngx_uint_t ngx_http_atelier_cache_evict(
    ngx_http_atelier_cache_t *cache);
static ngx_http_atelier_paged_t *ngx_http_atelier_cache_plain(
    ngx_http_atelier_cache_t *cache, const ngx_http_atelier_page_id_t *id,
    const u_char *etag);
static u_char *ngx_http_atelier_cache_part(u_char *p, const ngx_str_t *part);
static size_t ngx_http_atelier_page_size(const ngx_http_atelier_page_t *page);


const char  *ngx_http_atelier_cache_names[] = {
    "L1", "L2", "STALE", "MISS"
};


ngx_int_t
ngx_http_atelier_cache_get(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id, ngx_uint_t gzip, const u_char *etag,
    ngx_pool_t *pool, ngx_http_atelier_page_t *page)
{
    ngx_int_t                  rc;
    ngx_http_atelier_copy_t   *copy;
    ngx_http_atelier_paged_t  *item;

    copy = NULL;

    ngx_shmtx_lock(&cache->pool->mutex);

    rc = ngx_http_atelier_cache_usable(cache, id, &item);

    if (rc != NGX_DECLINED) {
        ngx_http_atelier_cache_touch(cache, &item->item);
        ngx_http_atelier_cache_times(item, page);

        copy = ngx_http_atelier_cache_copy(item, gzip, page);
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (copy == NULL || ngx_http_atelier_copy_keep(copy, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    if (etag && ngx_memcmp(etag, page->etag, NGX_HTTP_ATELIER_ETAG_LEN) == 0) {
        ngx_str_null(&page->plain);
        ngx_str_null(&page->gzip);
    }

    return rc;
}


ngx_int_t
ngx_http_atelier_cache_peek(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id)
{
    ngx_int_t                  rc;
    ngx_http_atelier_paged_t  *item;

    ngx_shmtx_lock(&cache->pool->mutex);
    rc = ngx_http_atelier_cache_usable(cache, id, &item);
    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


ngx_int_t
ngx_http_atelier_cache_renew(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id)
{
    ngx_int_t                  rc;
    ngx_http_atelier_paged_t  *item;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&cache->pool->mutex);

    item = (ngx_http_atelier_paged_t *) ngx_http_atelier_cache_find(cache,
                                                                    id);
    if (item && item->seen_len) {
        item->created = ngx_current_msec;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


void
ngx_http_atelier_cache_quiet(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id, ngx_msec_t ms)
{
    ngx_http_atelier_paged_t  *item;

    ngx_shmtx_lock(&cache->pool->mutex);

    if (ngx_http_atelier_cache_usable(cache, id, &item) != NGX_DECLINED) {
        item->quiet = ngx_max(ngx_current_msec + ms, 1);
    }

    ngx_shmtx_unlock(&cache->pool->mutex);
}


/* NGX_OK: fresh; NGX_AGAIN: usable; NGX_DECLINED.  Completes the id. */

static ngx_int_t
ngx_http_atelier_cache_usable(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id, ngx_http_atelier_paged_t **found)
{
    ngx_uint_t                 old;
    ngx_msec_t                 age;
    ngx_http_atelier_paged_t  *item;

    old = 0;

    if (id->snapshot[0] == 0
        && ngx_http_atelier_cache_current(cache, id, &old) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    item = (ngx_http_atelier_paged_t *) ngx_http_atelier_cache_find(cache,
                                                                    id);
    if (item == NULL) {
        return NGX_DECLINED;
    }

    age = ngx_http_atelier_cache_age(item->created);

    if (age >= item->stale) {
        return NGX_DECLINED;
    }

    *found = item;

    return (old || age >= item->fresh) ? NGX_AGAIN : NGX_OK;
}


/*
 * A later page belongs to the current snapshot however old that is: only the
 * first one starts another.
 */

static ngx_int_t
ngx_http_atelier_cache_current(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id, ngx_uint_t *old)
{
    ngx_msec_t                  age;
    ngx_http_atelier_headed_t  *h;

    h = ngx_http_atelier_cache_find_head(cache, id->feed);

    if (h == NULL || h->head.snapshot[0] == 0) {
        return NGX_DECLINED;
    }

    age = ngx_http_atelier_cache_age(h->head.created);

    if (age >= h->head.stale) {
        return NGX_DECLINED;
    }

    *old = (id->page == 1 && age >= h->head.fresh);

    ngx_http_atelier_cache_touch(cache, &h->item);
    ngx_memcpy(id->snapshot, h->head.snapshot,
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    return NGX_OK;
}


static void
ngx_http_atelier_cache_times(ngx_http_atelier_paged_t *item,
    ngx_http_atelier_page_t *page)
{
    ngx_memzero(page, sizeof(ngx_http_atelier_page_t));

    page->created = item->created;
    page->fresh = item->fresh;
    page->stale = item->stale;
    page->generation = item->item.generation;
    page->quiet = (item->quiet
                   && (ngx_msec_int_t) (item->quiet - ngx_current_msec) > 0);
    ngx_memcpy(page->etag, item->etag, NGX_HTTP_ATELIER_ETAG_LEN);
}


ngx_int_t
ngx_http_atelier_cache_put(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, const ngx_http_atelier_page_t *page)
{
    size_t                     size;
    u_char                    *p;
    ngx_http_atelier_item_t   *old;
    ngx_http_atelier_paged_t  *item;

    size = ngx_http_atelier_page_size(page);

    if (size > NGX_HTTP_ATELIER_PAGE_MAX) {
        return NGX_DECLINED;
    }

    ngx_shmtx_lock(&cache->pool->mutex);

    if (page->generation < cache->sh->generation) {
        ngx_shmtx_unlock(&cache->pool->mutex);
        return NGX_DECLINED;
    }

    old = ngx_http_atelier_cache_find(cache, id);

    if (old) {
        ngx_http_atelier_cache_remove(cache, old);
    }

    item = ngx_http_atelier_cache_alloc(cache, size);

    if (item == NULL) {
        cache->stats->refused++;
        ngx_shmtx_unlock(&cache->pool->mutex);
        return NGX_DECLINED;
    }

    item->item.text_len = page->text.len;
    item->link_len = page->link.len;
    item->tag_len = page->tag.len;
    item->seen_len = page->seen.len;
    item->gzip_len = page->gzip.len;
    item->plain_len = page->plain.len;
    item->created = page->created;
    item->fresh = page->fresh;
    item->stale = page->stale;
    item->quiet = 0;
    item->local = page->local;
    item->serial = ++cache->sh->serial;
    ngx_memcpy(item->etag, page->etag, NGX_HTTP_ATELIER_ETAG_LEN);

    p = ngx_http_atelier_cache_part(item->data, &page->text);
    p = ngx_http_atelier_cache_part(p, &page->link);
    p = ngx_http_atelier_cache_part(p, &page->tag);
    p = ngx_http_atelier_cache_part(p, &page->seen);
    p = ngx_http_atelier_cache_part(p, &page->gzip);
    (void) ngx_http_atelier_cache_part(p, &page->plain);

    item->item.id = *id;
    item->item.generation = page->generation;
    item->item.size = size;

    ngx_http_atelier_cache_link(cache, &item->item);

    cache->stats->pages++;
    cache->stats->bytes += size;

    ngx_shmtx_unlock(&cache->pool->mutex);

    return NGX_OK;
}


/* Its block takes the place of the one without; the parts keep their order. */

ngx_int_t
ngx_http_atelier_cache_put_gzip(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, const u_char *etag,
    const ngx_str_t *gzip)
{
    size_t                     size, len;
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_http_atelier_paged_t  *old, *item;

    item = NULL;
    rc = NGX_DECLINED;

    ngx_shmtx_lock(&cache->pool->mutex);

    old = ngx_http_atelier_cache_plain(cache, id, etag);

    if (old && old->item.size + gzip->len <= NGX_HTTP_ATELIER_PAGE_MAX) {
        size = old->item.size + gzip->len;
        ngx_http_atelier_cache_touch(cache, &old->item);
        item = ngx_http_atelier_cache_alloc(cache, size);

        /* the search for room may have cost the page itself */

        old = ngx_http_atelier_cache_plain(cache, id, etag);
    }

    if (old && item) {
        len = old->item.text_len + old->link_len + old->tag_len
              + old->seen_len;

        p = ngx_cpymem(item, old, sizeof(ngx_http_atelier_paged_t) + len);
        p = ngx_cpymem(p, gzip->data, gzip->len);
        ngx_memcpy(p, old->data + len, old->plain_len);

        item->gzip_len = gzip->len;
        item->item.size = size;
        item->serial = ++cache->sh->serial;

        ngx_http_atelier_cache_remove(cache, &old->item);
        ngx_http_atelier_cache_link(cache, &item->item);

        cache->stats->pages++;
        cache->stats->bytes += size;
        rc = NGX_OK;

    } else if (item) {
        ngx_slab_free_locked(cache->pool, item);
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


/* The page that has this ETag and no gzip form. */

static ngx_http_atelier_paged_t *
ngx_http_atelier_cache_plain(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, const u_char *etag)
{
    ngx_http_atelier_paged_t  *item;

    item = (ngx_http_atelier_paged_t *) ngx_http_atelier_cache_find(cache,
                                                                    id);

    if (item && item->gzip_len == 0
        && ngx_memcmp(item->etag, etag, NGX_HTTP_ATELIER_ETAG_LEN) == 0)
    {
        return item;
    }

    return NULL;
}


/* An empty part may have no address. */

static u_char *
ngx_http_atelier_cache_part(u_char *p, const ngx_str_t *part)
{
    return part->len ? ngx_cpymem(p, part->data, part->len) : p;
}


static size_t
ngx_http_atelier_page_size(const ngx_http_atelier_page_t *page)
{
    return sizeof(ngx_http_atelier_paged_t) + page->text.len + page->link.len
           + page->tag.len + page->seen.len + page->gzip.len
           + page->plain.len;
}


ngx_int_t
ngx_http_atelier_cache_seen(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, ngx_uint_t n, ngx_pool_t *pool,
    ngx_str_t *seen, ngx_uint_t *found)
{
    size_t                      len;
    u_char                     *p;
    ngx_uint_t                  i;
    ngx_http_atelier_page_id_t  at;
    ngx_http_atelier_paged_t   *item;

    at = *id;
    n = ngx_min(n, NGX_HTTP_ATELIER_CACHE_SEEN);
    len = 0;
    *found = 0;

    ngx_shmtx_lock(&cache->pool->mutex);

    for (i = 1; i <= n; i++) {
        at.page = i;
        item = (ngx_http_atelier_paged_t *) ngx_http_atelier_cache_find(cache,
                                                                        &at);
        len += item ? item->seen_len : 0;
    }

    seen->len = 0;
    seen->data = p = ngx_pnalloc(pool, len + 1);

    for (i = 1; p && i <= n; i++) {
        at.page = i;
        item = (ngx_http_atelier_paged_t *) ngx_http_atelier_cache_find(cache,
                                                                        &at);
        if (item) {
            p = ngx_cpymem(p, item->data + item->item.text_len
                              + item->link_len + item->tag_len,
                           item->seen_len);
            (*found)++;
        }
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    if (p == NULL) {
        return NGX_ERROR;
    }

    seen->len = len;

    return NGX_OK;
}


ngx_uint_t
ngx_http_atelier_cache_local(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id)
{
    ngx_uint_t                   i, old, local;
    ngx_http_atelier_paged_t    *item;
    ngx_http_atelier_page_id_t   at;

    at = *id;
    local = 0;

    ngx_shmtx_lock(&cache->pool->mutex);

    if (at.snapshot[0]
        || ngx_http_atelier_cache_current(cache, &at, &old) == NGX_OK)
    {
        for (i = 0; i < 2 && at.page && !local; i++, at.page--) {
            item = (ngx_http_atelier_paged_t *)
                   ngx_http_atelier_cache_find(cache, &at);
            local = item && item->local;
        }
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return local;
}


/* All that follows is called under the mutex. */

ngx_http_atelier_item_t *
ngx_http_atelier_cache_find(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id)
{
    ngx_int_t                 rc;
    ngx_rbtree_key_t          key;
    ngx_rbtree_node_t        *node, *sentinel;
    ngx_http_atelier_item_t  *item;

    key = ngx_http_atelier_cache_key(id);
    node = cache->sh->tree.root;
    sentinel = cache->sh->tree.sentinel;

    while (node != sentinel) {

        if (key != node->key) {
            node = (key < node->key) ? node->left : node->right;
            continue;
        }

        item = (ngx_http_atelier_item_t *) node;
        rc = ngx_memcmp(id, &item->id, sizeof(ngx_http_atelier_page_id_t));

        if (rc == 0) {
            return item;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_http_atelier_cache_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t       **p;
    ngx_http_atelier_item_t  *one, *two;

    one = (ngx_http_atelier_item_t *) node;

    for ( ;; ) {
        two = (ngx_http_atelier_item_t *) temp;

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            p = (ngx_memcmp(&one->id, &two->id,
                            sizeof(ngx_http_atelier_page_id_t))
                 < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


void
ngx_http_atelier_cache_link(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item)
{
    item->node.key = ngx_http_atelier_cache_key(&item->id);

    ngx_rbtree_insert(&cache->sh->tree, &item->node);
    ngx_queue_insert_head(&cache->sh->lru, &item->queue);
}


void
ngx_http_atelier_cache_touch(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item)
{
    ngx_queue_remove(&item->queue);
    ngx_queue_insert_head(&cache->sh->lru, &item->queue);
}


void
ngx_http_atelier_cache_remove(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item)
{
    ngx_rbtree_delete(&cache->sh->tree, &item->node);
    ngx_queue_remove(&item->queue);

    if (item->id.page) {
        cache->stats->pages--;
        cache->stats->bytes -= item->size;
    }

    ngx_slab_free_locked(cache->pool, item);
}


void *
ngx_http_atelier_cache_alloc(ngx_http_atelier_cache_t *cache, size_t size)
{
    void        *p;
    ngx_uint_t   i;

    for (i = 0; i <= NGX_HTTP_ATELIER_CACHE_EVICT; i++) {
        p = ngx_slab_alloc_locked(cache->pool, size);

        if (p || ngx_http_atelier_cache_evict(cache) == 0) {
            return p;
        }
    }

    return NULL;
}


/* The oldest item goes; a head whose lease is held stays, as good as new. */

static ngx_uint_t
ngx_http_atelier_cache_evict(ngx_http_atelier_cache_t *cache)
{
    ngx_uint_t                i;
    ngx_queue_t              *q;
    ngx_http_atelier_item_t  *item;

    for (i = 0; i < NGX_HTTP_ATELIER_CACHE_EVICT; i++) {

        if (ngx_queue_empty(&cache->sh->lru)) {
            return 0;
        }

        q = ngx_queue_last(&cache->sh->lru);
        item = ngx_queue_data(q, ngx_http_atelier_item_t, queue);

        if (item->id.page == 0
            && ngx_http_atelier_cache_lease_held(
                                       (ngx_http_atelier_headed_t *) item))
        {
            ngx_http_atelier_cache_touch(cache, item);
            continue;
        }

        ngx_http_atelier_cache_remove(cache, item);
        cache->stats->evicted++;

        return 1;
    }

    return 0;
}
