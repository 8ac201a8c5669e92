/*
 * Limits that several nginx share, with atelier_limits scope=shared.
 *
 * The windows are in Redis.  A node asks it for all providers at once, some
 * times a second and when it runs short, reports the calls made since, and is
 * granted calls it may make: these promises are in the zone, so a request
 * takes one at once, like any other limit.  Calls made and promises together
 * never exceed the limit, over all nodes.
 *
 * Redis away: promises that are out stay good.  When the lease has passed the
 * others know that this node goes by itself; it then makes its part (limit/N)
 * of what leaves the window as it last knew it, and after a whole window its
 * part of the limit.
 *
 * ngx_http_atelier_limit.c calls the windows, under the zone's mutex;
 * ngx_http_atelier_joint_sync.c speaks to Redis.
 */

#ifndef NGX_HTTP_ATELIER_JOINT_H
#define NGX_HTTP_ATELIER_JOINT_H


#include "ngx_http_atelier_party.h"
#include "ngx_http_atelier_joint_lua.h"


/* atelier_limits scope=shared; else there is none. */
struct ngx_http_atelier_limits_s {
    ngx_uint_t                      nodes;
    ngx_msec_t                      lease;
    ngx_array_t                     parties;      /* of pointers, by the
                                                     zone's init */
    ngx_http_atelier_place_t        place;
};


/* A call of this node; ids grow by one with each. */
typedef struct {
    ngx_msec_t                      at;
    uint32_t                        id;
} ngx_http_atelier_joint_call_t;


/*
 * What a node knows of one window; in the zone, under its mutex.  The calls
 * are a ring of this node's own, in the order of time and id.
 */
struct ngx_http_atelier_joint_s {
    ngx_http_atelier_joint_t       *next;
    ngx_http_atelier_joint_t       *moved;        /* a larger one: use that */
    ngx_msec_t                      period;
    ngx_uint_t                      epoch;        /* that last used it */
    uint32_t                        id;           /* of the last call */
    uint32_t                        reported;     /* Redis knows up to it */
    uint32_t                        sent;         /* ... or is being told */

    ngx_uint_t                      promised;     /* calls that may be made */
    ngx_uint_t                      left;         /* ... and be had */
    ngx_uint_t                      low;          /* ask again from there */
    ngx_uint_t                      want;         /* requests that got none */
    ngx_uint_t                      made;         /* since the last answer */
    ngx_msec_t                      next_at;      /* when a call leaves */

    ngx_uint_t                      extra;        /* made while alone */
    ngx_uint_t                      counted;      /* calls in the window */
    ngx_msec_t                      marks[NGX_HTTP_ATELIER_JOINT_MARKS];

    ngx_uint_t                      capacity;
    ngx_uint_t                      first;        /* the oldest call's slot */
    ngx_uint_t                      count;
    ngx_http_atelier_joint_call_t   calls[1];     /* capacity of them */
};


/* The call of a reservation in a window. */
typedef struct {
    uint32_t                        id;
    uint32_t                        promised;     /* else made while alone */
} ngx_http_atelier_joint_ticket_t;


/* Somebody in this worker who waits for Redis's next answer. */
typedef struct {
    ngx_queue_t                     queue;
    void                          (*handler)(void *data);
    void                           *data;
    unsigned                        waiting:1;
} ngx_http_atelier_joint_waiter_t;


/* atelier_limits scope=node|shared [nodes=N] [lease=2s]; */
char *ngx_http_atelier_limits(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* From postconfiguration: has it what it needs? */
ngx_int_t ngx_http_atelier_limits_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);

/* Its part of /metrics; AT_ERROR: no memory. */
int ngx_http_atelier_joint_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);

/* The worker's part in asking Redis; after its Redis has been begun. */
ngx_int_t ngx_http_atelier_joint_init_process(ngx_cycle_t *cycle);

/*
 * Is it worth while to ask Redis before a request takes its calls?  NGX_AGAIN:
 * it has been asked, and the handler is called once, from the event loop.
 */
ngx_int_t ngx_http_atelier_joint_ask(ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_joint_waiter_t *waiter);
void ngx_http_atelier_joint_leave(ngx_http_atelier_joint_waiter_t *waiter);

/* Redis should be asked or told soon.  Not under the mutex. */
void ngx_http_atelier_joint_soon(void);

/* Takes a reported call back from Redis.  Not under the mutex. */
void ngx_http_atelier_joint_give_back(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n, uint32_t id);


/* The rest under the mutex, by the index of the party's rate. */

/* From the zone's init, once: gives the node its name. */
void ngx_http_atelier_joint_begin(ngx_http_atelier_zone_t *zone);

/* ... for each party: Redis is asked about it too, */
ngx_int_t ngx_http_atelier_joint_party(ngx_http_atelier_limits_t *limits,
    ngx_http_atelier_party_t *party);

/* ... and for each rate: its window in this configuration. */
ngx_http_atelier_joint_t *ngx_http_atelier_joint_window(
    ngx_http_atelier_zone_t *zone, ngx_http_atelier_slot_t *slot,
    ngx_http_atelier_rate_t *rate);

/* How long until a call may be made; 0: now. */
ngx_msec_t ngx_http_atelier_joint_wait(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n, ngx_msec_t now);

/* Makes one, after a wait of 0.  1: Redis should be asked soon. */
ngx_uint_t ngx_http_atelier_joint_push(ngx_http_atelier_party_t *party,
    ngx_uint_t n, ngx_msec_t now, ngx_http_atelier_joint_ticket_t *ticket);

/* Was never made.  1: Redis has to be told so. */
ngx_uint_t ngx_http_atelier_joint_pop(ngx_http_atelier_party_t *party,
    ngx_uint_t n, ngx_http_atelier_joint_ticket_t *ticket);

/* A request lacks a promise.  1: Redis may have one more. */
ngx_uint_t ngx_http_atelier_joint_want(ngx_http_atelier_party_t *party,
    ngx_msec_t now);

/* Redis has answered within the lease. */
ngx_uint_t ngx_http_atelier_joint_linked(ngx_http_atelier_zone_t *zone,
    ngx_msec_t now);

ngx_uint_t ngx_http_atelier_joint_left(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n, ngx_msec_t now);

/* The ring in use; a later configuration may have moved it. */
ngx_http_atelier_joint_t *ngx_http_atelier_joint_current(
    ngx_http_atelier_party_t *party, ngx_uint_t n);

/* The nth call of the ring, the oldest being 0. */
ngx_http_atelier_joint_call_t *ngx_http_atelier_joint_call(
    ngx_http_atelier_joint_t *share, ngx_uint_t n);

/* Forgets calls that have left the window. */
void ngx_http_atelier_joint_prune(ngx_http_atelier_joint_t *share,
    ngx_msec_t now);

/* A window is kept half a percent longer, for calls take time to arrive. */
static ngx_inline ngx_msec_t
ngx_http_atelier_joint_span(ngx_msec_t period)
{
    return period + period / 200;
}


#endif /* NGX_HTTP_ATELIER_JOINT_H */
