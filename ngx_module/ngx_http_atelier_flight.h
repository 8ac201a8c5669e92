/*
 * A flight of /designs as its files see it: the steps it takes
 * (ngx_http_atelier_flight.c), what its page leaves behind in L1 and in jobs
 * (ngx_http_atelier_flight_page.c), and the last resort
 * (ngx_http_atelier_flight_search.c).
 */

#ifndef NGX_HTTP_ATELIER_FLIGHT_H
#define NGX_HTTP_ATELIER_FLIGHT_H


#include "ngx_http_atelier_designs.h"
#include "ngx_http_atelier_egress.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_snapshot.h"


struct ngx_http_atelier_flight_s {
    ngx_http_atelier_readers_t       readers;
    ngx_pool_t                      *pool;
    ngx_http_atelier_main_conf_t    *conf;
    ngx_http_atelier_page_id_t       id;        /* as asked for */
    ngx_http_atelier_feed_t          feed;
    ngx_str_t                        request_id;
    ngx_http_atelier_redis_op_t     *op;
    ngx_http_atelier_recall_t        recall;
    ngx_http_atelier_errand_t       *errand;
    ngx_http_atelier_postgres_op_t  *search;
    ngx_event_t                      poll;
    ngx_event_t                      deadline;
    ngx_connection_t                 dummy;     /* what events point to */
    ngx_msec_t                       until;     /* a fill may last */
    ngx_uint_t                       fills;     /* but for busy ones */
    ngx_uint_t                       generation;    /* of L1, at the start */
    ngx_http_atelier_page_t          page;
    ngx_str_t                        timing;
    unsigned                         got:1;     /* page is set */
    unsigned                         local:1;   /* L1 has the snapshot */
    unsigned                         filled:1;  /* by us: MISS */
    unsigned                         last:1;    /* no more fills */
    unsigned                         away:1;    /* not we, but others fill */
    unsigned                         again:1;   /* it lasts longer already */
    unsigned                         searched:1;
    unsigned                         recalled:1;
};


/*
 * Renders the slice; what it looks like goes to L1, and who fetches more ahead
 * is told if little is left.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_atelier_flight_render(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice);

/* NGX_OK: a page that was made before is asked for, and cb will be called. */
ngx_int_t ngx_http_atelier_flight_recall(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_redis_pt cb);

/* NGX_OK: the page is that one, and in L1; it lives as long as the reply. */
ngx_int_t ngx_http_atelier_flight_made(ngx_http_atelier_flight_t *f,
    redisReply *reply);

/* 1: L1 has shown something of the snapshot, so it goes on there. */
ngx_uint_t ngx_http_atelier_flight_trail(ngx_http_atelier_flight_t *f);

/* 1: the page is that of another snapshot, and says so. */
ngx_uint_t ngx_http_atelier_flight_restart(ngx_http_atelier_flight_t *f);

/* NGX_OK: PostgreSQL is being searched, _found() follows. */
ngx_int_t ngx_http_atelier_flight_search(ngx_http_atelier_flight_t *f);
void ngx_http_atelier_flight_found(ngx_http_atelier_flight_t *f);


#endif /* NGX_HTTP_ATELIER_FLIGHT_H */
