/*
 * L1 (see ngx_http_atelier_cache.h): its directive and its zone.
 *
 * The zone is apart from that of limits and counters, so that pages can fill
 * it to the brim without starving those.  The init callback runs in the
 * master while workers of the configuration before may be using the zone.
 */

#include "ngx_http_atelier_cache_internal.h"
#include "ngx_http_atelier_pictures.h"


#define NGX_HTTP_ATELIER_CACHE_MAGIC   0x4154434c      /* "ATCL" */
#define NGX_HTTP_ATELIER_CACHE_LAYOUT  7
#define NGX_HTTP_ATELIER_CACHE_MIN     (1024 * 1024)


static ngx_int_t ngx_http_atelier_cache_init(ngx_shm_zone_t *shm, void *data);
static ngx_int_t ngx_http_atelier_cache_create(
    ngx_http_atelier_cache_t *cache);


char *
ngx_http_atelier_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ssize_t                    size;
    ngx_str_t                 *value;
    ngx_http_atelier_cache_t  *cache;

    if (amcf->cache) {
        return "is duplicate: one cache serves all";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < NGX_HTTP_ATELIER_CACHE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"atelier_cache\": "
                           "give at least 1m, 64m is a good start",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    cache = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_cache_t));
    if (cache == NULL) {
        return NGX_CONF_ERROR;
    }

    /* another tag than that of atelier_zone: nginx keeps their names apart */

    cache->shm = ngx_shared_memory_add(cf, &value[1], size,
                                       &ngx_http_atelier_cache_names);
    if (cache->shm == NULL) {
        return NGX_CONF_ERROR;
    }

    cache->shm->init = ngx_http_atelier_cache_init;
    cache->shm->data = cache;

    amcf->cache = cache;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_atelier_cache_init(ngx_shm_zone_t *shm, void *data)
{
    ngx_http_atelier_cache_t *old = data;

    ngx_http_atelier_cache_t  *cache;

    cache = shm->data;
    cache->pool = (ngx_slab_pool_t *) shm->shm.addr;

    if (old) {
        cache->sh = old->sh;

    } else if (shm->shm.exists) {
        cache->sh = cache->pool->data;

    } else if (ngx_http_atelier_cache_create(cache) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm->shm.log, 0,
                      "atelier_cache \"%V\" is too small: give it more than "
                      "%uz bytes", &shm->shm.name, shm->shm.size);
        return NGX_ERROR;
    }

    if (cache->sh->magic != NGX_HTTP_ATELIER_CACHE_MAGIC
        || cache->sh->version != NGX_HTTP_ATELIER_CACHE_LAYOUT
        || cache->sh->size != sizeof(ngx_http_atelier_cache_shared_t))
    {
        ngx_log_error(NGX_LOG_EMERG, shm->shm.log, 0,
                      "atelier_cache \"%V\" was made by another version of "
                      "the module: restart nginx instead of reloading it, "
                      "or give the cache another name", &shm->shm.name);
        return NGX_ERROR;
    }

    cache->stats = &cache->sh->stats;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_cache_create(ngx_http_atelier_cache_t *cache)
{
    u_char            id[NGX_HTTP_ATELIER_ID_LEN];
    size_t            len;
    ngx_slab_pool_t  *pool;

    pool = cache->pool;

    if (ngx_http_atelier_pictures_id(id) != NGX_OK) {
        return NGX_ERROR;
    }

    cache->sh = ngx_slab_calloc(pool, sizeof(ngx_http_atelier_cache_shared_t));
    if (cache->sh == NULL) {
        return NGX_ERROR;
    }

    len = sizeof(" in atelier_cache \"\"") + cache->shm->shm.name.len;

    pool->log_ctx = ngx_slab_alloc(pool, len);
    if (pool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(pool->log_ctx, " in atelier_cache \"%V\"%Z",
                &cache->shm->shm.name);

    /* to be full is what a cache is for */
    pool->log_nomem = 0;

    ngx_memcpy(cache->sh->node, id, NGX_HTTP_ATELIER_NODE_LEN);

    /* unlike those of another zone that this process may have known */

    ngx_memcpy(&cache->sh->serial, id + NGX_HTTP_ATELIER_NODE_LEN,
               sizeof(ngx_uint_t));

    cache->sh->magic = NGX_HTTP_ATELIER_CACHE_MAGIC;
    cache->sh->version = NGX_HTTP_ATELIER_CACHE_LAYOUT;
    cache->sh->size = sizeof(ngx_http_atelier_cache_shared_t);

    ngx_rbtree_init(&cache->sh->tree, &cache->sh->sentinel,
                    ngx_http_atelier_cache_insert);
    ngx_queue_init(&cache->sh->lru);

    pool->data = cache->sh;

    return NGX_OK;
}
