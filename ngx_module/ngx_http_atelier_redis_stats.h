/*
 * What all workers count about Redis, a part of the zone.
 *
 * Counters only grow.  What is true at a moment (connections, pending
 * commands) stands in a seat of its worker, so that a worker that is killed
 * takes its part with it: a seat whose process is gone counts as nothing and
 * is taken over by the next worker.
 */

#ifndef NGX_HTTP_ATELIER_REDIS_STATS_H
#define NGX_HTTP_ATELIER_REDIS_STATS_H


#include <ngx_config.h>
#include <ngx_core.h>


/* Those of a configuration that drains count too. */
#define NGX_HTTP_ATELIER_REDIS_SEATS  256


typedef enum {
    NGX_HTTP_ATELIER_REDIS_COMMANDS = 0,
    NGX_HTTP_ATELIER_REDIS_SUBSCRIPTIONS,
    NGX_HTTP_ATELIER_REDIS_NLINKS
} ngx_http_atelier_redis_link_e;


typedef struct {
    ngx_atomic_t                   pid;        /* 0: free */
    ngx_atomic_t                   up[NGX_HTTP_ATELIER_REDIS_NLINKS];
    ngx_atomic_t                   pending;    /* commands without answer */
} ngx_http_atelier_redis_seat_t;


typedef struct {
    ngx_atomic_t                   commands;   /* sent */
    ngx_atomic_t                   errors;     /* answered by an error */
    ngx_atomic_t                   timeouts;   /* not answered in time */
    ngx_atomic_t                   refused;    /* not sent */
    ngx_atomic_t                   reconnects;
    ngx_atomic_t                   messages;   /* of subscriptions */
    ngx_http_atelier_redis_seat_t  seats[NGX_HTTP_ATELIER_REDIS_SEATS];
} ngx_http_atelier_redis_stats_t;


/* This worker's seat; NULL if all are taken. */
ngx_http_atelier_redis_seat_t *ngx_http_atelier_redis_sit(
    ngx_http_atelier_redis_stats_t *stats);


#endif /* NGX_HTTP_ATELIER_REDIS_STATS_H */
