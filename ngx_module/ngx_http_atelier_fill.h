/*
 * What the files of /fill share: a fill from its request to its end
 * (ngx_http_atelier_fill.c), the parts that sources have in it
 * (ngx_http_atelier_fill_part.c), and what it does when the snapshot cannot
 * be in Redis (ngx_http_atelier_fill_local.c).
 *
 * A fill lives in the pool of its request, which is one of this nginx to its
 * own egress socket: it goes on when whoever wanted it has left.
 */

#ifndef NGX_HTTP_ATELIER_FILL_H
#define NGX_HTTP_ATELIER_FILL_H


#include "ngx_http_atelier_fanout.h"
#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_snapshot.h"
#include "ngx_http_atelier_source.h"


/* The deadline of all sources together, in ms. */
#define NGX_HTTP_ATELIER_FILL_DEADLINE  3000

/* What reading, merging and storing may take beyond it. */
#define NGX_HTTP_ATELIER_FILL_GRACE     2000

/* A lease over nodes ends so soon after its node died, and is renewed. */
#define NGX_HTTP_ATELIER_FILL_LEASE     2000
#define NGX_HTTP_ATELIER_FILL_RENEW     500


typedef struct ngx_http_atelier_fill_s  ngx_http_atelier_fill_t;


typedef enum {
    NGX_HTTP_ATELIER_PART_NEW = 0,
    NGX_HTTP_ATELIER_PART_KEPT,        /* looking for a kept answer */
    NGX_HTTP_ATELIER_PART_WAITING,     /* as many calls as may be at once */
    NGX_HTTP_ATELIER_PART_ASKED,
    NGX_HTTP_ATELIER_PART_ENDED
} ngx_http_atelier_part_e;


typedef struct {
    ngx_http_atelier_fill_t         *fill;
    ngx_http_atelier_source_t       *source;
    ngx_http_atelier_cursor_t       *cursor;
    ngx_http_atelier_part_e          state;
    ngx_http_atelier_lane_t         *lane;
    ngx_http_atelier_reservation_t   reservation;
    at_feed_call_t                   call;
    at_feed_answer_t                *answer;    /* kept to the fill's end */
    at_buf_t                         raw;       /* its bytes, to be kept */
    size_t                           read;      /* ... if they were kept */
    ngx_event_t                      turn;      /* to read more of them */
    ngx_http_atelier_redis_op_t     *op;
    ngx_uint_t                       permit;
    ngx_msec_t                       started;
    unsigned                         permitted:1;
} ngx_http_atelier_part_t;


struct ngx_http_atelier_fill_s {
    ngx_http_request_t              *http;
    ngx_http_atelier_main_conf_t    *conf;
    ngx_http_atelier_loc_conf_t     *location;
    ngx_http_atelier_feed_t          feed;
    ngx_http_atelier_begin_t         begin;
    ngx_http_atelier_fanout_t       *fanout;
    ngx_http_atelier_part_t          parts[AT_FEED_SOURCES];
    ngx_uint_t                       nparts;
    ngx_uint_t                       sources;      /* mask: can be asked */
    ngx_uint_t                       ahead;        /* pages, of a prefetch */
    ngx_array_t                      designs;      /* words of the commit */
    ngx_uint_t                       sent;         /* designs in its parts */
    ngx_uint_t                       added;
    ngx_http_atelier_redis_op_t     *op;
    ngx_event_t                      deadline;
    ngx_event_t                      tick;
    ngx_event_t                      renew;        /* of the lease */
    ngx_uint_t                       lease;        /* in L1; 0: none */
    ngx_uint_t                       generation;   /* of L1, at the start */
    ngx_msec_t                       until;        /* the deadline */
    void                            *local;        /* if not in Redis */
    unsigned                         remote:1;     /* lease over nodes held */
    unsigned                         asking:1;     /* the parts are out */
    unsigned                         counted:1;    /* in location->in_flight */
};


/* The fill's own: called by parts when one of them has ended. */
void ngx_http_atelier_fill_resume(ngx_http_request_t *r);

/* Ends the request with this status and word. */
void ngx_http_atelier_fill_done(ngx_http_atelier_fill_t *fill,
    ngx_uint_t status, const char *word, ngx_uint_t added);

/* Makes a part of each cursor and asks its source. */
ngx_int_t ngx_http_atelier_fill_ask(ngx_http_atelier_fill_t *fill);

/* Asks again for leave to call; 1: somebody still waits for it. */
ngx_uint_t ngx_http_atelier_fill_waiting(ngx_http_atelier_fill_t *fill);

/* The deadline: what has not ended is late. */
void ngx_http_atelier_fill_late(ngx_http_atelier_fill_t *fill);

/* The request ends: gives back what parts hold. */
void ngx_http_atelier_fill_free(ngx_http_atelier_fill_t *fill);

/*
 * Without Redis: which sources to ask for what; then, when they have
 * answered, pages straight into L1.
 */
ngx_int_t ngx_http_atelier_local_begin(ngx_http_atelier_fill_t *fill);
ngx_int_t ngx_http_atelier_local_store(ngx_http_atelier_fill_t *fill);


#endif /* NGX_HTTP_ATELIER_FILL_H */
