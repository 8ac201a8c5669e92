/*
 * L1: rendered pages of feeds in shared memory, for all workers of the node.
 *
 * One rbtree holds pages and the heads of feeds, one LRU queue says which of
 * them goes when room is wanted; all of it under the mutex of the zone's slab
 * pool, which core releases when its holder dies.  What is found is copied
 * for as long as the caller's pool lives: no pointer into the zone is ever
 * given out.
 * The zone is kept over a reload.
 *
 * A head is what the node knows of a feed: which snapshot is its current one,
 * until when that is fresh, and who is filling it now (the lease).
 */

#ifndef NGX_HTTP_ATELIER_CACHE_H
#define NGX_HTTP_ATELIER_CACHE_H


#include "ngx_http_atelier.h"


#define NGX_HTTP_ATELIER_FEED_LEN      16      /* 128 bits */
#define NGX_HTTP_ATELIER_SNAPSHOT_LEN  16      /* 64 bits in hex */
#define NGX_HTTP_ATELIER_ETAG_LEN      32      /* 128 bits in hex */
#define NGX_HTTP_ATELIER_SEEN_LEN      8       /* of a design's id */
#define NGX_HTTP_ATELIER_NODE_LEN      8       /* hex digits of this node */

#define NGX_HTTP_ATELIER_PAGE_MAX      (256 * 1024)


/* Where a page stands: compared as bytes, so it has no padding. */
typedef struct {
    u_char                     feed[NGX_HTTP_ATELIER_FEED_LEN];
    u_char                     snapshot[NGX_HTTP_ATELIER_SNAPSHOT_LEN];
    uint32_t                   page;         /* from 1; 0: a head */
    uint32_t                   per_page;
} ngx_http_atelier_page_id_t;


/* A page, its times as of ngx_current_msec. */
typedef struct {
    ngx_str_t                  text;         /* of its feed's key, for globs */
    ngx_str_t                  plain;
    ngx_str_t                  gzip;         /* empty: not worth it */
    ngx_str_t                  link;         /* header values; may be empty */
    ngx_str_t                  tag;
    ngx_str_t                  seen;         /* hashes of its designs' ids */
    u_char                     etag[NGX_HTTP_ATELIER_ETAG_LEN];
    ngx_msec_t                 created;
    ngx_msec_t                 fresh;        /* for so many ms from then */
    ngx_msec_t                 stale;        /* usable for so many */
    ngx_uint_t                 generation;
    unsigned                   quiet:1;      /* not to be refreshed now */
    unsigned                   local:1;      /* Redis knows nothing of it */
} ngx_http_atelier_page_t;


typedef struct {
    u_char                     snapshot[NGX_HTTP_ATELIER_SNAPSHOT_LEN];
    ngx_msec_t                 created;
    ngx_msec_t                 fresh;
    ngx_msec_t                 stale;
    ngx_uint_t                 generation;
} ngx_http_atelier_head_t;


typedef enum {
    NGX_HTTP_ATELIER_CACHE_L1 = 0,
    NGX_HTTP_ATELIER_CACHE_L2,
    NGX_HTTP_ATELIER_CACHE_STALE,
    NGX_HTTP_ATELIER_CACHE_MISS,
    NGX_HTTP_ATELIER_NCACHE
} ngx_http_atelier_cache_e;


/* The counters, in shared memory. */
typedef struct {
    ngx_atomic_t               answers[NGX_HTTP_ATELIER_NCACHE];
    ngx_atomic_t               pages;        /* there now */
    ngx_atomic_t               bytes;        /* of these */
    ngx_atomic_t               evicted;
    ngx_atomic_t               refused;      /* no room even so */
    ngx_atomic_t               invalidated;
    ngx_atomic_t               walks;        /* for that */
    ngx_atomic_t               products[NGX_HTTP_ATELIER_NCACHE];
    ngx_atomic_t               products_away;    /* answered 503 */
    ngx_atomic_t               products_none[NGX_HTTP_ATELIER_NCACHE];
    ngx_atomic_t               shop_jobs;    /* shops asked by /products */
    ngx_atomic_t               shop_waits;   /* readers' pages held for them */
    ngx_atomic_t               shop_late;    /* ... in vain */
} ngx_http_atelier_cache_stats_t;


typedef struct ngx_http_atelier_cache_shared_s
    ngx_http_atelier_cache_shared_t;

struct ngx_http_atelier_cache_s {
    ngx_shm_zone_t                   *shm;
    ngx_slab_pool_t                  *pool;
    ngx_http_atelier_cache_shared_t  *sh;
    ngx_http_atelier_cache_stats_t   *stats;
};


extern const char  *ngx_http_atelier_cache_names[];


/* atelier_cache name size; */
char *ngx_http_atelier_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Looks a page up.  An id without a snapshot (zeroes) means that of the
 * feed's head and is completed here.  The page has its link, its tag and one of
 * the two bodies (that which gzip says), which are not to be changed and live
 * as long as the pool; no body at all if the reader knows it already by its
 * ETag, which is 32 hex digits, or NULL.
 *
 * NGX_OK: fresh; NGX_AGAIN: no longer fresh but usable; NGX_DECLINED: not
 * there; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_atelier_cache_get(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id, ngx_uint_t gzip, const u_char *etag,
    ngx_pool_t *pool, ngx_http_atelier_page_t *page);

/* The same without the page. */
ngx_int_t ngx_http_atelier_cache_peek(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id);

/*
 * A page that cannot be had anew for the time being is as new again, if it
 * shows anything.  NGX_DECLINED: it is not there, or shows nothing.
 */
ngx_int_t ngx_http_atelier_cache_renew(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id);

/* Nobody needs to try to refresh this page for so many ms. */
void ngx_http_atelier_cache_quiet(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_page_id_t *id, ngx_msec_t ms);

/*
 * Stores a copy, in place of an older one.  NGX_DECLINED: it is too large, of
 * a generation that has been invalidated, or there is no room.
 */
ngx_int_t ngx_http_atelier_cache_put(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id,
    const ngx_http_atelier_page_t *page);

/*
 * Puts the gzip form beside the page that has this ETag.  NGX_DECLINED: it is
 * no longer there, or there is no room.
 */
ngx_int_t ngx_http_atelier_cache_put_gzip(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, const u_char *etag,
    const ngx_str_t *gzip);

/*
 * The hashes of all ids on the pages 1 to n of the snapshot that are there,
 * in the pool; found says how many pages those were.
 */
ngx_int_t ngx_http_atelier_cache_seen(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, ngx_uint_t n, ngx_pool_t *pool,
    ngx_str_t *seen, ngx_uint_t *found);

/*
 * 1: this page, or the one before it, is there and was made without Redis.  An
 * id without a snapshot means that of the feed's head.
 */
ngx_uint_t ngx_http_atelier_cache_local(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id);

/*
 * What is not there, by a hash of so many bytes as a feed has: 1 if that was
 * put by _put_none() within its time, and no invalidation has begun since the
 * generation of then.  However many are put, no page makes room for them.
 */
ngx_uint_t ngx_http_atelier_cache_none(ngx_http_atelier_cache_t *cache,
    const u_char *name);
void ngx_http_atelier_cache_put_none(ngx_http_atelier_cache_t *cache,
    const u_char *name, ngx_msec_t ms, ngx_uint_t generation);

/* The feed's current snapshot.  NGX_DECLINED: none is known here. */
ngx_int_t ngx_http_atelier_cache_head(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_http_atelier_head_t *head);

ngx_int_t ngx_http_atelier_cache_set_head(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_str_t *text, const ngx_http_atelier_head_t *head);

/*
 * The lease of a feed: whoever has it fills the feed, all others wait.  It
 * ends when it is released, when its time is up, or when its process dies.
 * NGX_BUSY: somebody else has it.  NGX_DECLINED: no room.
 */
ngx_int_t ngx_http_atelier_cache_lease(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_str_t *text, ngx_msec_t ms, ngx_uint_t *token);

void ngx_http_atelier_cache_release(ngx_http_atelier_cache_t *cache,
    const u_char *feed, ngx_uint_t token);

/* Whether anybody has it now. */
ngx_uint_t ngx_http_atelier_cache_leased(ngx_http_atelier_cache_t *cache,
    const u_char *feed);

/*
 * The name of this node among all that share one Redis: as long as the zone
 * lives.
 */
u_char *ngx_http_atelier_cache_node(ngx_http_atelier_cache_t *cache);

/* Raised by every invalidation: what was begun before it is not stored. */
ngx_uint_t ngx_http_atelier_cache_generation(
    ngx_http_atelier_cache_t *cache);

/*
 * Invalidates what matches the glob, in all that was stored up to now.
 * _begin() raises the generation; each _walk() then looks at a bounded part of
 * the zone, for which *cursor is 0 at first, and returns NGX_AGAIN until all
 * of it has been seen.
 */
ngx_uint_t ngx_http_atelier_cache_invalidate_begin(
    ngx_http_atelier_cache_t *cache);
ngx_int_t ngx_http_atelier_cache_invalidate_walk(
    ngx_http_atelier_cache_t *cache, at_str_t pattern, ngx_uint_t generation,
    ngx_uint_t *cursor);

/*
 * Where this node is in the invalidations of all nodes: the last generation in
 * Redis that L1 was walked for; 0: none yet.  The generation above counts the
 * walks of this node, and is another number.
 */
uint64_t ngx_http_atelier_cache_applied(ngx_http_atelier_cache_t *cache);
void ngx_http_atelier_cache_apply(ngx_http_atelier_cache_t *cache,
    uint64_t generation);

/*
 * One worker of the node at a time follows them: this one does, for so many
 * ms from now on, or (NGX_BUSY) another one that is alive.
 */
ngx_int_t ngx_http_atelier_cache_follow(ngx_http_atelier_cache_t *cache,
    ngx_msec_t ms);
void ngx_http_atelier_cache_unfollow(ngx_http_atelier_cache_t *cache);


static ngx_inline void
ngx_http_atelier_cache_count(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_cache_e how)
{
    (void) ngx_atomic_fetch_add(&cache->stats->answers[how], 1);
}


#endif /* NGX_HTTP_ATELIER_CACHE_H */
