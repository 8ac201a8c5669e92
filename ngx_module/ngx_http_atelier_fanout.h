/*
 * The fan-out: N upstream calls at once for one request, by background
 * subrequests to internal locations, each with its own method, headers, body
 * and variables, its answer captured and fed to the lane's adapter.
 *
 * Whoever starts it gives each lane an adapter (ops) and one resume function;
 * resume runs at the end of a turn of the event loop in which a lane has
 * ended, and decides: "first verified success" and "all until the deadline"
 * are policies of the caller.  So answers that arrived together are all read
 * before one of them wins, and their connections can be kept.  Everything
 * lives in the request's pool.  When the request ends, for whatever reason,
 * timers and the posted event are deleted here; subrequests end with it.
 *
 * Techniques: background subrequests run truly in parallel and never wait for
 * the client's output (ngx_http_postpone_filter leaves them alone).
 */

#ifndef NGX_HTTP_ATELIER_FANOUT_H
#define NGX_HTTP_ATELIER_FANOUT_H


#include "ngx_http_atelier.h"


#define NGX_HTTP_ATELIER_CALL_HEADERS  12

/* Bytes a lane may still bring when another has won. */
#define NGX_HTTP_ATELIER_LATE_MAX  (64 * 1024)


typedef struct ngx_http_atelier_fanout_s  ngx_http_atelier_fanout_t;
typedef struct ngx_http_atelier_lane_s    ngx_http_atelier_lane_t;


/* One HTTP call a lane wants made; strings must outlive the call. */
typedef struct {
    ngx_str_t                      uri;        /* internal location */
    ngx_str_t                      args;
    ngx_str_t                      url;        /* $atelier_result_url */
    ngx_str_t                      method;     /* "GET" or "POST" */
    ngx_keyval_t                   headers[NGX_HTTP_ATELIER_CALL_HEADERS];
    ngx_uint_t                     nheaders;
    ngx_str_t                      body;
} ngx_http_atelier_call_t;


/* The caller keeps below NGX_HTTP_ATELIER_CALL_HEADERS. */
static ngx_inline void
ngx_http_atelier_call_header(ngx_http_atelier_call_t *call, ngx_str_t name,
    ngx_str_t value)
{
    ngx_keyval_t  *h;

    h = &call->headers[call->nheaders++];

    h->key = name;
    h->value = value;
}


typedef enum {
    NGX_HTTP_ATELIER_STEP_DONE,
    NGX_HTTP_ATELIER_STEP_NEXT,        /* call() again now */
    NGX_HTTP_ATELIER_STEP_WAIT,        /* call() again after *wait ms */
    NGX_HTTP_ATELIER_STEP_FAILED
} ngx_http_atelier_step_e;


typedef struct {
    /* Fills the next call.  NGX_ERROR: no memory. */
    ngx_int_t                (*call)(ngx_http_atelier_lane_t *lane,
                                     ngx_http_atelier_call_t *call);

    /* The answer's status and raw headers. */
    void                     (*begin)(ngx_http_atelier_lane_t *lane,
                                      ngx_uint_t status, ngx_list_t *headers);

    /* Body bytes.  NGX_ERROR: no more are wanted, close the connection. */
    ngx_int_t                (*data)(ngx_http_atelier_lane_t *lane,
                                     u_char *p, size_t len);

    /* The answer is over; complete is 0 if it broke off or never came. */
    ngx_http_atelier_step_e  (*end)(ngx_http_atelier_lane_t *lane,
                                    ngx_uint_t complete, ngx_msec_t *wait);

    /*
     * The lane has ended, whatever way, and its state says how; called once
     * for each lane that was launched.  It must not touch the fan-out.
     */
    void                     (*ended)(ngx_http_atelier_lane_t *lane);
} ngx_http_atelier_lane_ops_t;


typedef enum {
    NGX_HTTP_ATELIER_LANE_IDLE = 0,    /* not launched */
    NGX_HTTP_ATELIER_LANE_RUNNING,     /* a subrequest is out */
    NGX_HTTP_ATELIER_LANE_WAITING,     /* between two calls */
    NGX_HTTP_ATELIER_LANE_DONE,
    NGX_HTTP_ATELIER_LANE_FAILED,
    NGX_HTTP_ATELIER_LANE_TIMED_OUT,
    NGX_HTTP_ATELIER_LANE_CANCELLED
} ngx_http_atelier_lane_state_e;


struct ngx_http_atelier_lane_s {
    ngx_http_atelier_fanout_t          *fanout;
    const ngx_http_atelier_lane_ops_t  *ops;
    void                               *data;      /* the adapter's */
    ngx_uint_t                          index;     /* in fanout->lanes */
    ngx_str_t                           name;
    ngx_msec_t                          timeout;   /* total, over all calls */

    ngx_http_atelier_lane_state_e       state;
    ngx_msec_t                          started;
    ngx_msec_t                          ended;
    ngx_uint_t                          calls;     /* subrequests made */
    ngx_uint_t                          sent;      /* ... that left for the
                                                      upstream */

    /* Private to the fan-out: */
    ngx_http_request_t                 *sr;
    ngx_http_post_subrequest_t          ps;
    ngx_http_atelier_call_t             call;
    ngx_event_t                         deadline;
    ngx_event_t                         pause;
    size_t                              late;      /* bytes, see above */
    unsigned                            begun:1;   /* headers were seen */
    unsigned                            stopped:1; /* no more is wanted */
    unsigned                            beaten:1;  /* ... as it is too late */
};


struct ngx_http_atelier_fanout_s {
    ngx_http_request_t                 *request;
    ngx_array_t                         lanes;     /* of pointers */
    void                              (*resume)(ngx_http_request_t *r);
    unsigned                            one:1;     /* one success is enough:
                                                      for the caller to set */
    /* Private to the fan-out: */
    ngx_event_t                         wake;
    ngx_http_atelier_lane_t            *won;       /* the first of the lanes
                                                      that are DONE */
};


/* NULL without memory.  The request must be a main one. */
ngx_http_atelier_fanout_t *ngx_http_atelier_fanout_create(
    ngx_http_request_t *r, ngx_uint_t n,
    void (*resume)(ngx_http_request_t *r));

ngx_http_atelier_lane_t *ngx_http_atelier_fanout_add(
    ngx_http_atelier_fanout_t *f, const ngx_http_atelier_lane_ops_t *ops,
    void *data, ngx_str_t *name, ngx_msec_t timeout);

/*
 * Starts the lane's first call.  NGX_ERROR: it could not be made; the lane is
 * FAILED and resume is not called for it.
 */
ngx_int_t ngx_http_atelier_lane_launch(ngx_http_atelier_lane_t *lane);

/*
 * Takes the lane off the wire at once.  A lane that has ended is left as it
 * is.  Never call it from an adapter.
 */
void ngx_http_atelier_lane_cancel(ngx_http_atelier_lane_t *lane);

/* Cancels all lanes that have not ended; returns how many those were. */
ngx_uint_t ngx_http_atelier_fanout_finish(ngx_http_atelier_fanout_t *f);

/*
 * Cancels those that have not ended, but for lanes that may do so in a moment:
 * still without a byte of their first answer.  Returns how many are left; they
 * bring no more than NGX_HTTP_ATELIER_LATE_MAX bytes and make no further call.
 */
ngx_uint_t ngx_http_atelier_fanout_linger(ngx_http_atelier_fanout_t *f);

/* 1 while the lane may still bring something. */
ngx_uint_t ngx_http_atelier_lane_active(ngx_http_atelier_lane_t *lane);

/* 1 if one success is enough and a lane before this one has had it. */
#define ngx_http_atelier_lane_lost(lane)                                      \
    ((lane)->fanout->one && (lane)->fanout->won                               \
     && (lane)->fanout->won->index < (lane)->index)

/* The lane a subrequest belongs to, or NULL. */
ngx_http_atelier_lane_t *ngx_http_atelier_lane_of(ngx_http_request_t *r);

/* The capture, called by the filter module for a lane's subrequest. */
ngx_int_t ngx_http_atelier_lane_header(ngx_http_request_t *r,
    ngx_http_atelier_lane_t *lane);
ngx_int_t ngx_http_atelier_lane_body(ngx_http_request_t *r,
    ngx_http_atelier_lane_t *lane, ngx_chain_t *in);

/*
 * For the fan-out alone: makes a new subrequest the call, and takes back what
 * the adapter lent it, when it is done.
 */
ngx_int_t ngx_http_atelier_lane_request(ngx_http_request_t *sr,
    ngx_http_atelier_call_t *call);
void ngx_http_atelier_lane_disown(ngx_http_request_t *sr);


#endif /* NGX_HTTP_ATELIER_FANOUT_H */
