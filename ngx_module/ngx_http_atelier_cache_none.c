/*
 * L1 (see ngx_http_atelier_cache.h): what is known not to be there.
 *
 * Anybody can ask for names that nobody has, as many as he likes.  So these
 * have a room of their own, of a fixed size, in which they only push out each
 * other: a few places for each part of the hash, of which that goes first which
 * would end first.
 */

#include "ngx_http_atelier_cache_internal.h"


static ngx_http_atelier_none_t *ngx_http_atelier_cache_nones(
    ngx_http_atelier_cache_t *cache, const u_char *name);


ngx_uint_t
ngx_http_atelier_cache_none(ngx_http_atelier_cache_t *cache,
    const u_char *name)
{
    ngx_uint_t                i, found;
    ngx_http_atelier_none_t  *none;

    found = 0;

    ngx_shmtx_lock(&cache->pool->mutex);

    none = ngx_http_atelier_cache_nones(cache, name);

    for (i = 0; i < NGX_HTTP_ATELIER_NONE_WAYS; i++) {

        if (none[i].set
            && none[i].generation >= cache->sh->generation
            && (ngx_msec_int_t) (none[i].until - ngx_current_msec) > 0
            && ngx_memcmp(none[i].name, name, NGX_HTTP_ATELIER_FEED_LEN) == 0)
        {
            found = 1;
            break;
        }
    }

    ngx_shmtx_unlock(&cache->pool->mutex);

    return found;
}


void
ngx_http_atelier_cache_put_none(ngx_http_atelier_cache_t *cache,
    const u_char *name, ngx_msec_t ms, ngx_uint_t generation)
{
    ngx_uint_t                i;
    ngx_http_atelier_none_t  *none, *put;

    ngx_shmtx_lock(&cache->pool->mutex);

    none = ngx_http_atelier_cache_nones(cache, name);
    put = &none[0];

    for (i = 0; i < NGX_HTTP_ATELIER_NONE_WAYS; i++) {

        if (!none[i].set
            || ngx_memcmp(none[i].name, name, NGX_HTTP_ATELIER_FEED_LEN) == 0)
        {
            put = &none[i];
            break;
        }

        if ((ngx_msec_int_t) (none[i].until - put->until) < 0) {
            put = &none[i];
        }
    }

    ngx_memcpy(put->name, name, NGX_HTTP_ATELIER_FEED_LEN);
    put->until = ngx_current_msec + ms;
    put->generation = generation;
    put->set = 1;

    ngx_shmtx_unlock(&cache->pool->mutex);
}


/* Its places; a name is a hash. */

static ngx_http_atelier_none_t *
ngx_http_atelier_cache_nones(ngx_http_atelier_cache_t *cache,
    const u_char *name)
{
    uint32_t  hash;

    ngx_memcpy(&hash, name, sizeof(hash));

    return cache->sh->nones[hash % NGX_HTTP_ATELIER_NONE_SETS];
}
