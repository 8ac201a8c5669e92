/*
 * L1 (see ngx_http_atelier_cache.h): invalidation, and where the node is in
 * those of all nodes.
 *
 * A walk looks at a bounded number of items each time it has the mutex.  What
 * is stored meanwhile has the new generation, or is refused for having an old
 * one, so the walk need not see it.
 */

#include "ngx_http_atelier_cache_internal.h"
#include "at_glob.h"


/* Items that one step of a walk looks at. */
#define NGX_HTTP_ATELIER_CACHE_STEP  200


static void ngx_http_atelier_cache_drop(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item, at_str_t pattern, ngx_uint_t generation);
static ngx_rbtree_node_t *ngx_http_atelier_cache_from(ngx_rbtree_t *tree,
    ngx_rbtree_key_t key);


ngx_uint_t
ngx_http_atelier_cache_generation(ngx_http_atelier_cache_t *cache)
{
    return cache->sh->generation;
}


ngx_uint_t
ngx_http_atelier_cache_invalidate_begin(ngx_http_atelier_cache_t *cache)
{
    ngx_uint_t  generation;

    ngx_shmtx_lock(&cache->pool->mutex);
    generation = ++cache->sh->generation;
    cache->stats->walks++;
    ngx_shmtx_unlock(&cache->pool->mutex);

    return generation;
}


ngx_int_t
ngx_http_atelier_cache_invalidate_walk(ngx_http_atelier_cache_t *cache,
    at_str_t pattern, ngx_uint_t generation, ngx_uint_t *cursor)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *node, *next;

    rc = NGX_OK;

    ngx_shmtx_lock(&cache->pool->mutex);

    node = ngx_http_atelier_cache_from(&cache->sh->tree, *cursor);

    for (i = 0; node; i++) {

        /* the next step begins at a key, so those of one key go together */

        key = node->key;

        if (i >= NGX_HTTP_ATELIER_CACHE_STEP && key != *cursor) {
            *cursor = key;
            rc = NGX_AGAIN;
            break;
        }

        *cursor = key;
        next = ngx_rbtree_next(&cache->sh->tree, node);

        ngx_http_atelier_cache_drop(cache, (ngx_http_atelier_item_t *) node,
                                    pattern, generation);
        node = next;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


static void
ngx_http_atelier_cache_drop(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item, at_str_t pattern, ngx_uint_t generation)
{
    u_char                     *text;
    ngx_http_atelier_headed_t  *h;

    h = (item->id.page == 0) ? (ngx_http_atelier_headed_t *) item : NULL;
    text = h ? h->text : ((ngx_http_atelier_paged_t *) item)->data;

    if (item->generation >= generation
        || !at_glob_match(pattern, (at_str_t) { item->text_len,
                                                (const char *) text }))
    {
        return;
    }

    /* its fill goes on, and finds that what it began with is too old */

    if (h && ngx_http_atelier_cache_lease_held(h)) {
        h->head.snapshot[0] = 0;
        return;
    }

    ngx_http_atelier_cache_remove(cache, item);
    cache->stats->invalidated++;
}


/* The first node of the tree whose key is not below this one, or NULL. */

static ngx_rbtree_node_t *
ngx_http_atelier_cache_from(ngx_rbtree_t *tree, ngx_rbtree_key_t key)
{
    ngx_rbtree_node_t  *node, *found;

    node = tree->root;
    found = NULL;

    while (node != tree->sentinel) {

        if (node->key >= key) {
            found = node;
            node = node->left;

        } else {
            node = node->right;
        }
    }

    return found;
}


uint64_t
ngx_http_atelier_cache_applied(ngx_http_atelier_cache_t *cache)
{
    uint64_t  applied;

    ngx_shmtx_lock(&cache->pool->mutex);
    applied = cache->sh->applied;
    ngx_shmtx_unlock(&cache->pool->mutex);

    return applied;
}


void
ngx_http_atelier_cache_apply(ngx_http_atelier_cache_t *cache,
    uint64_t generation)
{
    ngx_shmtx_lock(&cache->pool->mutex);
    cache->sh->applied = generation;
    ngx_shmtx_unlock(&cache->pool->mutex);
}


ngx_int_t
ngx_http_atelier_cache_follow(ngx_http_atelier_cache_t *cache, ngx_msec_t ms)
{
    ngx_int_t                         rc;
    ngx_http_atelier_cache_shared_t  *sh;

    sh = cache->sh;
    rc = NGX_OK;

    ngx_shmtx_lock(&cache->pool->mutex);

    if (sh->follower && sh->follower != ngx_pid
        && (ngx_msec_int_t) (sh->until - ngx_current_msec) > 0
        && (kill(sh->follower, 0) == 0 || ngx_errno != NGX_ESRCH))
    {
        rc = NGX_BUSY;

    } else {
        sh->follower = ngx_pid;
        sh->until = ngx_current_msec + ms;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return rc;
}


void
ngx_http_atelier_cache_unfollow(ngx_http_atelier_cache_t *cache)
{
    ngx_shmtx_lock(&cache->pool->mutex);

    if (cache->sh->follower == ngx_pid) {
        cache->sh->follower = 0;
    }

    ngx_shmtx_unlock(&cache->pool->mutex);
}
