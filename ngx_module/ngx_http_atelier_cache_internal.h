/*
 * What the files of L1 share: the layout of the zone and the functions that
 * are called under its mutex (ngx_http_atelier_cache.c has the pages,
 * ngx_http_atelier_cache_copy.c their copies,
 * ngx_http_atelier_cache_none.c what is not there,
 * ngx_http_atelier_cache_zone.c the zone,
 * ngx_http_atelier_cache_head.c the heads and their leases,
 * ngx_http_atelier_cache_invalidate.c invalidation).  Nobody else includes
 * this.
 */

#ifndef NGX_HTTP_ATELIER_CACHE_INTERNAL_H
#define NGX_HTTP_ATELIER_CACHE_INTERNAL_H


#include "ngx_http_atelier_cache.h"


/* What pages and heads begin with; the node comes first. */
typedef struct {
    ngx_rbtree_node_t                node;
    ngx_queue_t                      queue;
    ngx_http_atelier_page_id_t       id;         /* page 0: a head */
    ngx_uint_t                       generation;
    size_t                           size;
    size_t                           text_len;
} ngx_http_atelier_item_t;


typedef struct {
    ngx_http_atelier_item_t          item;
    size_t                           link_len;
    size_t                           tag_len;
    size_t                           seen_len;
    size_t                           gzip_len;
    size_t                           plain_len;
    ngx_msec_t                       created;
    ngx_msec_t                       fresh;
    ngx_msec_t                       stale;
    ngx_msec_t                       quiet;      /* until then; 0: no */
    ngx_uint_t                       serial;     /* no other page's */
    ngx_uint_t                       local;      /* 1: made without Redis */
    u_char                           etag[NGX_HTTP_ATELIER_ETAG_LEN];
    u_char                           data[];
} ngx_http_atelier_paged_t;


typedef struct {
    ngx_http_atelier_item_t          item;
    ngx_http_atelier_head_t          head;       /* snapshot[0] 0: none */
    ngx_uint_t                       token;      /* of the lease; 0: free */
    ngx_pid_t                        pid;
    ngx_msec_t                       until;
    u_char                           text[];
} ngx_http_atelier_headed_t;


#define NGX_HTTP_ATELIER_NONE_SETS  256
#define NGX_HTTP_ATELIER_NONE_WAYS  4

/* What is known not to be there. */
typedef struct {
    u_char                           name[NGX_HTTP_ATELIER_FEED_LEN];
    ngx_msec_t                       until;
    ngx_uint_t                       generation;
    ngx_uint_t                       set;
} ngx_http_atelier_none_t;


struct ngx_http_atelier_cache_shared_s {
    uint32_t                         magic;
    uint32_t                         version;
    size_t                           size;       /* of this struct */
    ngx_rbtree_t                     tree;
    ngx_rbtree_node_t                sentinel;
    ngx_queue_t                      lru;        /* the newest first */
    ngx_uint_t                       tokens;     /* leases so far */
    ngx_uint_t                       serial;     /* the last one given */
    ngx_uint_t                       generation;
    uint64_t                         applied;    /* of Redis */
    ngx_pid_t                        follower;   /* 0: nobody */
    ngx_msec_t                       until;      /* he is */
    u_char                           node[NGX_HTTP_ATELIER_NODE_LEN];
    ngx_http_atelier_cache_stats_t   stats;
    ngx_http_atelier_none_t          nones[NGX_HTTP_ATELIER_NONE_SETS]
                                          [NGX_HTTP_ATELIER_NONE_WAYS];
};


ngx_http_atelier_item_t *ngx_http_atelier_cache_find(
    ngx_http_atelier_cache_t *cache, const ngx_http_atelier_page_id_t *id);
ngx_http_atelier_headed_t *ngx_http_atelier_cache_find_head(
    ngx_http_atelier_cache_t *cache, const u_char *feed);
void ngx_http_atelier_cache_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
void ngx_http_atelier_cache_link(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item);
void ngx_http_atelier_cache_touch(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item);
void ngx_http_atelier_cache_remove(ngx_http_atelier_cache_t *cache,
    ngx_http_atelier_item_t *item);

/* Makes room if it has to; NULL: there is none. */
void *ngx_http_atelier_cache_alloc(ngx_http_atelier_cache_t *cache,
    size_t size);

ngx_uint_t ngx_http_atelier_cache_lease_held(ngx_http_atelier_headed_t *h);


typedef struct ngx_http_atelier_copy_s  ngx_http_atelier_copy_t;

/*
 * Sets what a page consists of, with the body that gzip says, to a copy that
 * all its senders share; NULL: no memory.  Then, without the mutex, _keep()
 * holds the copy for as long as the pool lives, and lets go of it if it fails.
 */
ngx_http_atelier_copy_t *ngx_http_atelier_cache_copy(
    ngx_http_atelier_paged_t *item, ngx_uint_t gzip,
    ngx_http_atelier_page_t *page);
ngx_int_t ngx_http_atelier_copy_keep(ngx_http_atelier_copy_t *copy,
    ngx_pool_t *pool);


/* A hash already, but for page numbers and the pages' size. */

static ngx_inline ngx_rbtree_key_t
ngx_http_atelier_cache_key(const ngx_http_atelier_page_id_t *id)
{
    ngx_rbtree_key_t  feed, snapshot;

    ngx_memcpy(&feed, id->feed, sizeof(feed));
    ngx_memcpy(&snapshot, id->snapshot, sizeof(snapshot));

    return feed ^ (snapshot * 31) ^ ((ngx_rbtree_key_t) id->page * 2654435761U)
           ^ ((ngx_rbtree_key_t) id->per_page << 16);
}


/* Another worker's clock, cached at its last event, may be ahead of ours. */

static ngx_inline ngx_msec_t
ngx_http_atelier_cache_age(ngx_msec_t created)
{
    ngx_msec_int_t  age;

    age = (ngx_msec_int_t) (ngx_current_msec - created);

    return (age < 0) ? 0 : age;
}


#endif /* NGX_HTTP_ATELIER_CACHE_INTERNAL_H */
