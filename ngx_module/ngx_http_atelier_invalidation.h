/*
 * An invalidation: raised in Redis for all nodes, or, with Redis away, for
 * this node alone.
 *
 * It lives on the heap and frees itself after its callback, which is called
 * exactly once, from the event loop, unless it was forgotten; what was begun
 * is carried out in any case.
 */

#ifndef NGX_HTTP_ATELIER_INVALIDATION_H
#define NGX_HTTP_ATELIER_INVALIDATION_H


#include "ngx_http_atelier_follow.h"


typedef struct ngx_http_atelier_invalidation_s
    ngx_http_atelier_invalidation_t;


typedef struct {
    uint64_t    generation;
    unsigned    shared:1;        /* 0: this node alone, and its own count */
    unsigned    done:1;          /* L1 of this node has been walked */
} ngx_http_atelier_invalidated_t;


typedef void (*ngx_http_atelier_invalidation_pt)(void *data,
    const ngx_http_atelier_invalidated_t *what);


/* Pattern and id are copied.  NULL: no memory; nothing was done. */
ngx_http_atelier_invalidation_t *ngx_http_atelier_invalidation(
    ngx_http_atelier_cache_t *cache, at_str_t pattern, ngx_str_t *request_id,
    ngx_http_atelier_invalidation_pt cb, void *data);

void ngx_http_atelier_invalidation_forget(
    ngx_http_atelier_invalidation_t *inv);


#endif /* NGX_HTTP_ATELIER_INVALIDATION_H */
