/*
 * One connection to Redis, inside the Redis mechanism: only the files
 * ngx_http_atelier_redis*.c include this.
 *
 * A link is static in its worker and outlives its connections.  hiredis owns
 * the socket and the context of a connection and tells us by its callbacks
 * when both are gone.
 */

#ifndef NGX_HTTP_ATELIER_REDIS_LINK_H
#define NGX_HTTP_ATELIER_REDIS_LINK_H


#include "ngx_http_atelier_redis.h"
#include "ngx_http_atelier_redis_stats.h"

#include <hiredis/async.h>


/* atelier_redis as configured; texts end with a zero byte. */
struct ngx_http_atelier_redis_s {
    ngx_str_t                         name;         /* for messages */
    char                             *path;         /* NULL: TCP */
    char                            **addresses;    /* numeric */
    ngx_uint_t                        naddresses;
    ngx_uint_t                        port;
    ngx_str_t                         user;
    ngx_str_t                         password;
    ngx_uint_t                        db;
    ngx_msec_t                        timeout;
    ngx_msec_t                        connect_timeout;
    ngx_uint_t                        queue;
    ngx_http_atelier_place_t          place;
};


typedef enum {
    NGX_HTTP_ATELIER_REDIS_LINK_DOWN = 0,
    NGX_HTTP_ATELIER_REDIS_LINK_CONNECTING,         /* to its first PONG */
    NGX_HTTP_ATELIER_REDIS_LINK_READY
} ngx_http_atelier_redis_state_e;


typedef struct ngx_http_atelier_redis_link_s  ngx_http_atelier_redis_link_t;

/* Called when the link has become ready or has ceased to be. */
typedef void (*ngx_http_atelier_redis_changed_pt)(
    ngx_http_atelier_redis_link_t *link);


struct ngx_http_atelier_redis_link_s {
    void                              *like[3];     /* as ngx_connection_t: */
    ngx_socket_t                       fd;          /* debug logs read it */
    const char                        *what;
    ngx_http_atelier_redis_link_e      kind;
    ngx_http_atelier_redis_t          *conf;
    ngx_http_atelier_redis_stats_t    *stats;
    ngx_http_atelier_redis_seat_t     *seat;
    ngx_http_atelier_redis_changed_pt  changed;
    ngx_http_atelier_redis_changed_pt  heartbeat;   /* asks for any answer */

    redisAsyncContext                 *ac;          /* NULL: none */
    ngx_connection_t                  *connection;  /* of its socket */
    ngx_http_atelier_redis_state_e     state;

    ngx_queue_t                        ops;         /* the oldest first */
    ngx_uint_t                         nops;
    ngx_uint_t                         waiting;     /* with a callback */

    /*
     * One timer for all: DOWN, the next attempt; CONNECTING, the deadline;
     * READY, the oldest op's deadline, or the next heartbeat's.
     */
    ngx_event_t                        timer;
    ngx_msec_t                         due;         /* while CONNECTING */
    ngx_msec_t                         since;       /* READY since */
    ngx_msec_t                         heard;       /* the last answer */
    ngx_msec_t                         asked;       /* the heartbeat */
    ngx_msec_t                         backoff;
    ngx_uint_t                         attempt;     /* number of them */

    unsigned                           connected:1; /* the socket is */
    unsigned                           writing:1;   /* hiredis is, now */
    unsigned                           beating:1;   /* asked, not heard */
    unsigned                           broken:1;    /* has ever been lost */
};


struct ngx_http_atelier_redis_op_s {
    ngx_queue_t                        queue;
    ngx_http_atelier_redis_link_t     *link;
    ngx_http_atelier_redis_pt          cb;          /* NULL: forgotten */
    void                              *data;
    ngx_msec_t                         deadline;
    ngx_http_atelier_redis_script_t   *script;      /* sent by its digest */
    ngx_uint_t                         argc;        /* of a script */
    ngx_str_t                         *argv;        /* in the op's memory */
};


/* The worker's first connection; everything else follows from events. */
void ngx_http_atelier_redis_link_start(ngx_http_atelier_redis_link_t *link);

/* For good, without any callback. */
void ngx_http_atelier_redis_link_stop(ngx_http_atelier_redis_link_t *link);

/*
 * Whether commands are taken: the first connection of a worker takes them
 * before it is ready, since it is mostly ready in no time; a later one has to
 * show first that Redis answers.
 */
ngx_uint_t ngx_http_atelier_redis_link_takes(
    ngx_http_atelier_redis_link_t *link);

/* Sends words; fn is called with an answer, or NULL when the link breaks. */
ngx_int_t ngx_http_atelier_redis_link_send(
    ngx_http_atelier_redis_link_t *link, ngx_uint_t argc,
    const ngx_str_t *argv, redisCallbackFn *fn, void *data);

/* Puts an op that was just sent at the end of the queue, with its deadline. */
void ngx_http_atelier_redis_link_push(ngx_http_atelier_redis_link_t *link,
    ngx_http_atelier_redis_op_t *op);
void ngx_http_atelier_redis_link_pop(ngx_http_atelier_redis_link_t *link,
    ngx_http_atelier_redis_op_t *op);

/* Something waits for an answer, or nothing any more: so may the exit. */
void ngx_http_atelier_redis_link_waiting(ngx_http_atelier_redis_link_t *link,
    ngx_int_t n);

/* An answer came on this connection; from every callback of hiredis. */
void ngx_http_atelier_redis_link_heard(ngx_http_atelier_redis_link_t *link);

/* hiredis hands out NULL: its connection is about to be gone. */
void ngx_http_atelier_redis_link_breaks(ngx_http_atelier_redis_link_t *link,
    redisAsyncContext *ac);


/* The connection is gone, or could not be made; sees to the next one. */
void ngx_http_atelier_redis_link_lost(ngx_http_atelier_redis_link_t *link,
    const char *why);

/* Hangs a connection that hiredis has begun into the event loop. */
ngx_int_t ngx_http_atelier_redis_link_attach(
    ngx_http_atelier_redis_link_t *link, redisAsyncContext *ac);


/* The part with subscriptions, for ngx_http_atelier_redis.c. */
void ngx_http_atelier_redis_sub_init(ngx_http_atelier_redis_link_t *link);
void ngx_http_atelier_redis_sub_exit(void);


#endif /* NGX_HTTP_ATELIER_REDIS_LINK_H */
