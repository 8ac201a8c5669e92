/*
 * Follows the invalidations of all nodes: what is on the stream in Redis is
 * applied to L1, in its order, by one worker of the node at a time.
 *
 * The subscription only says when to look: what is to be done is read from the
 * stream, on from the generation that the zone was walked for, so a link that
 * was broken, and a worker that died over it, leave nothing out.
 */

#ifndef NGX_HTTP_ATELIER_FOLLOW_H
#define NGX_HTTP_ATELIER_FOLLOW_H


#include "ngx_http_atelier_cache.h"


/* Bytes of a pattern. */
#define NGX_HTTP_ATELIER_PATTERN_MAX  256


/* From the worker's start on, where there are a cache and Redis. */
ngx_int_t ngx_http_atelier_follow_init_process(ngx_cycle_t *cycle);

/* There is something new, as whoever calls this knows. */
void ngx_http_atelier_follow_now(void);


#endif /* NGX_HTTP_ATELIER_FOLLOW_H */
