/*
 * The fan-out (see ngx_http_atelier_fanout.h): lanes, their subrequests, their
 * timers, and the capture of their answers.  ngx_http_atelier_lane_request.c
 * makes a subrequest the call that it is.
 *
 * Ownership: everything is in the request's pool.  A lane holds one reference
 * on the main request per subrequest that is out; core drops it when the
 * subrequest ends, ngx_http_atelier_lane_detach() drops it when we end it.
 * With no lane out, the request's count is the caller's own reference, so
 * keep-alive goes on as after any other request.
 *
 * The wake event stands among the posted events from the moment a lane ends
 * to the end of the turn, or to the end of the request if that comes first.
 */

#include "ngx_http_atelier_fanout.h"


static u_char *ngx_http_atelier_fanout_log(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static void ngx_http_atelier_fanout_cleanup(void *data);
static void ngx_http_atelier_fanout_wake(ngx_http_atelier_fanout_t *f);
static void ngx_http_atelier_fanout_wake_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_atelier_lane_call(ngx_http_atelier_lane_t *lane);
static ngx_int_t ngx_http_atelier_lane_done(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static ngx_http_request_t *ngx_http_atelier_lane_left(
    ngx_http_atelier_lane_t *lane);
static void ngx_http_atelier_lane_step(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_step_e step, ngx_msec_t wait);
static void ngx_http_atelier_lane_detach(ngx_http_atelier_lane_t *lane);
static void ngx_http_atelier_lane_ended(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_lane_state_e state);
static void ngx_http_atelier_lane_data(ngx_http_atelier_lane_t *lane,
    u_char *p, size_t len);
static void ngx_http_atelier_lane_deadline_handler(ngx_event_t *ev);
static void ngx_http_atelier_lane_pause_handler(ngx_event_t *ev);


/* Core's own, the same for all requests. */
static ngx_http_log_handler_pt  ngx_http_atelier_next_log;


ngx_http_atelier_fanout_t *
ngx_http_atelier_fanout_create(ngx_http_request_t *r, ngx_uint_t n,
    void (*resume)(ngx_http_request_t *r))
{
    ngx_http_cleanup_t         *cln;
    ngx_http_atelier_fanout_t  *f;

    f = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_fanout_t));
    if (f == NULL) {
        return NULL;
    }

    if (ngx_array_init(&f->lanes, r->pool, n ? n : 1,
                       sizeof(ngx_http_atelier_lane_t *))
        != NGX_OK)
    {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_atelier_fanout_cleanup;
    cln->data = f;

    f->request = r;
    f->resume = resume;

    if (r->log_handler != ngx_http_atelier_fanout_log) {
        ngx_http_atelier_next_log = r->log_handler;
        r->log_handler = ngx_http_atelier_fanout_log;
    }

    /* an event's data must look like a connection: debug logs read its fd */

    f->wake.handler = ngx_http_atelier_fanout_wake_handler;
    f->wake.data = r->connection;
    f->wake.log = r->connection->log;

    r->write_event_handler = resume;

    return f;
}


ngx_http_atelier_lane_t *
ngx_http_atelier_fanout_add(ngx_http_atelier_fanout_t *f,
    const ngx_http_atelier_lane_ops_t *ops, void *data, ngx_str_t *name,
    ngx_msec_t timeout)
{
    ngx_http_request_t        *r;
    ngx_http_atelier_lane_t   *lane, **slot;

    r = f->request;

    lane = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_lane_t));
    if (lane == NULL) {
        return NULL;
    }

    slot = ngx_array_push(&f->lanes);
    if (slot == NULL) {
        return NULL;
    }

    *slot = lane;
    lane->index = f->lanes.nelts - 1;

    lane->fanout = f;
    lane->ops = ops;
    lane->data = data;
    lane->name = *name;
    lane->timeout = timeout;

    lane->ps.handler = ngx_http_atelier_lane_done;
    lane->ps.data = lane;

    lane->deadline.handler = ngx_http_atelier_lane_deadline_handler;
    lane->deadline.data = r->connection;
    lane->deadline.log = r->connection->log;

    lane->pause.handler = ngx_http_atelier_lane_pause_handler;
    lane->pause.data = r->connection;
    lane->pause.log = r->connection->log;

    return lane;
}


ngx_int_t
ngx_http_atelier_lane_launch(ngx_http_atelier_lane_t *lane)
{
    lane->started = ngx_current_msec;

    if (ngx_http_atelier_lane_call(lane) != NGX_OK) {
        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_FAILED);
        return NGX_ERROR;
    }

    ngx_add_timer(&lane->deadline, lane->timeout);

    return NGX_OK;
}


ngx_uint_t
ngx_http_atelier_lane_active(ngx_http_atelier_lane_t *lane)
{
    return lane->state == NGX_HTTP_ATELIER_LANE_RUNNING
           || lane->state == NGX_HTTP_ATELIER_LANE_WAITING;
}


void
ngx_http_atelier_lane_cancel(ngx_http_atelier_lane_t *lane)
{
    if (!ngx_http_atelier_lane_active(lane)) {
        return;
    }

    ngx_http_atelier_lane_detach(lane);
    ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_CANCELLED);
}


ngx_uint_t
ngx_http_atelier_fanout_finish(ngx_http_atelier_fanout_t *f)
{
    ngx_uint_t                 i, n;
    ngx_http_atelier_lane_t  **lanes;

    lanes = f->lanes.elts;
    n = 0;

    for (i = 0; i < f->lanes.nelts; i++) {
        if (ngx_http_atelier_lane_active(lanes[i])) {
            ngx_http_atelier_lane_cancel(lanes[i]);
            n++;
        }
    }

    return n;
}


ngx_uint_t
ngx_http_atelier_fanout_linger(ngx_http_atelier_fanout_t *f)
{
    ngx_uint_t                 i, n;
    ngx_http_atelier_lane_t  **lanes;

    lanes = f->lanes.elts;
    n = 0;

    for (i = 0; i < f->lanes.nelts; i++) {
        if (lanes[i]->state == NGX_HTTP_ATELIER_LANE_RUNNING
            && lanes[i]->calls == 1 && !lanes[i]->begun)
        {
            n++;
            continue;
        }

        ngx_http_atelier_lane_cancel(lanes[i]);
    }

    return n;
}


/*
 * The tail of a line in the error log.  Core adds the upstream's address with
 * its query, which can be a signature or a key: here it stands without it.
 */

static u_char *
ngx_http_atelier_fanout_log(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char     *p;
    ngx_str_t   uri;

    if (sr == r || sr->upstream == NULL) {
        return ngx_http_atelier_next_log(r, sr, buf, len);
    }

    uri = sr->upstream->uri;
    p = ngx_strlchr(uri.data, uri.data + uri.len, '?');

    if (p) {
        sr->upstream->uri.len = p - uri.data;
    }

    p = ngx_http_atelier_next_log(r, sr, buf, len);

    sr->upstream->uri = uri;

    return p;
}


/*
 * The request ends.  Its subrequests' upstreams have been closed before by
 * their own cleanup handlers, which were added later and so ran first; our
 * events and the lanes' own ends are left.
 */

static void
ngx_http_atelier_fanout_cleanup(void *data)
{
    ngx_http_atelier_fanout_t *f = data;

    ngx_uint_t                 i;
    ngx_http_atelier_lane_t  **lanes;

    lanes = f->lanes.elts;

    for (i = 0; i < f->lanes.nelts; i++) {
        if (ngx_http_atelier_lane_active(lanes[i])) {
            ngx_http_atelier_lane_left(lanes[i]);
            ngx_http_atelier_lane_ended(lanes[i],
                                        NGX_HTTP_ATELIER_LANE_CANCELLED);
        }
    }

    if (f->wake.posted) {
        ngx_delete_posted_event(&f->wake);
    }
}


/*
 * A background subrequest does not wake its parent.  Whatever else this turn
 * of the event loop brings is read before resume runs: posted events are
 * handled after those of the sockets and the timers.
 */

static void
ngx_http_atelier_fanout_wake(ngx_http_atelier_fanout_t *f)
{
    ngx_post_event(&f->wake, &ngx_posted_events);
}


static void
ngx_http_atelier_fanout_wake_handler(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_atelier_fanout_t  *f;

    f = ngx_queue_data(ev, ngx_http_atelier_fanout_t, wake);
    r = f->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    /* resume, unless the request has got past its fan-out */

    r->write_event_handler(r);

    /* r may be gone after this */
    ngx_http_run_posted_requests(c);
}


/* The subrequest is not the lane's any more; notes whether it was sent. */

static ngx_http_request_t *
ngx_http_atelier_lane_left(ngx_http_atelier_lane_t *lane)
{
    ngx_http_request_t  *sr;

    sr = lane->sr;

    if (sr) {
        lane->sr = NULL;
        sr->post_subrequest = NULL;

        if (sr->upstream ? sr->upstream->request_sent : lane->begun) {
            lane->sent++;
        }
    }

    return sr;
}


static ngx_int_t
ngx_http_atelier_lane_call(ngx_http_atelier_lane_t *lane)
{
    ngx_uint_t                count;
    ngx_http_request_t       *r, *sr;
    ngx_http_atelier_call_t  *call;

    r = lane->fanout->request;
    call = &lane->call;

    ngx_memzero(call, sizeof(ngx_http_atelier_call_t));

    if (lane->ops->call(lane, call) != NGX_OK) {
        return NGX_ERROR;
    }

    count = r->main->count;

    if (ngx_http_subrequest(r, &call->uri, &call->args, &sr, &lane->ps,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        /* nginx 1.22 counts it before the last step that can fail */

        r->main->count = count;
        return NGX_ERROR;
    }

    lane->sr = sr;
    lane->begun = 0;
    lane->stopped = 0;
    lane->calls++;
    lane->state = NGX_HTTP_ATELIER_LANE_RUNNING;

    if (ngx_http_atelier_lane_request(sr, call) != NGX_OK) {
        ngx_http_atelier_lane_detach(lane);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A subrequest ended by itself.  NGX_OK is returned whatever came: any other
 * code would end the client's request or start an error page for the lane.
 */

static ngx_int_t
ngx_http_atelier_lane_done(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_atelier_lane_t *lane = data;

    ngx_msec_t               wait;
    ngx_uint_t               complete;
    ngx_http_request_t      *r;
    ngx_http_atelier_step_e  step;

    if (lane->sr != sr) {
        sr->post_subrequest = NULL;
        return NGX_OK;
    }

    (void) ngx_http_atelier_lane_left(lane);
    ngx_http_atelier_lane_disown(sr);

    /* our own log lines must not show its address: it can carry a signature */

    r = lane->fanout->request;
    ngx_http_set_log_request(r->connection->log, r);

    complete = lane->begun && (rc == NGX_OK || lane->stopped);

    if (!lane->begun) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "atelier: lane \"%V\" got no answer from \"%V\" (%i)",
                      &lane->name, &lane->call.uri, rc);
    }

    if (lane->beaten) {
        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_CANCELLED);
        return NGX_OK;
    }

    wait = 0;
    step = lane->ops->end(lane, complete, &wait);

    if (lane->fanout->one && lane->fanout->won
        && (step == NGX_HTTP_ATELIER_STEP_NEXT
            || step == NGX_HTTP_ATELIER_STEP_WAIT))
    {
        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_CANCELLED);
        return NGX_OK;
    }

    ngx_http_atelier_lane_step(lane, step, wait);

    return NGX_OK;
}


/* What the adapter says comes next: another call, now or later, or the end. */

static void
ngx_http_atelier_lane_step(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_step_e step, ngx_msec_t wait)
{
    switch (step) {

    case NGX_HTTP_ATELIER_STEP_NEXT:
        if (ngx_http_atelier_lane_call(lane) == NGX_OK) {
            return;
        }

        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_FAILED);
        break;

    case NGX_HTTP_ATELIER_STEP_WAIT:
        lane->state = NGX_HTTP_ATELIER_LANE_WAITING;
        ngx_add_timer(&lane->pause, wait);
        return;

    case NGX_HTTP_ATELIER_STEP_DONE:
        if (lane->fanout->won == NULL
            || lane->index < lane->fanout->won->index)
        {
            lane->fanout->won = lane;
        }

        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_DONE);
        break;

    default: /* NGX_HTTP_ATELIER_STEP_FAILED */
        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_FAILED);
        break;
    }

    ngx_http_atelier_fanout_wake(lane->fanout);
}


/*
 * Ends the subrequest that is out, on the wire too.  The upstream's own
 * cleanup closes its socket, stops its resolver, frees its peer without
 * counting a failure, and drops the reference with NGX_DONE; a subrequest
 * that has no upstream yet is dropped the same way here.
 */

static void
ngx_http_atelier_lane_detach(ngx_http_atelier_lane_t *lane)
{
    ngx_http_request_t  *sr;

    sr = ngx_http_atelier_lane_left(lane);

    if (sr == NULL) {
        return;
    }

    if (sr->upstream && sr->upstream->cleanup) {
        sr->header_only = 1;
        (*sr->upstream->cleanup)(sr);

    } else {
        ngx_http_finalize_request(sr, NGX_DONE);
    }

    /* it may still stand among the posted requests */
    sr->write_event_handler = ngx_http_request_empty_handler;
}


static void
ngx_http_atelier_lane_ended(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_lane_state_e state)
{
    lane->state = state;
    lane->ended = ngx_current_msec;

    if (lane->deadline.timer_set) {
        ngx_del_timer(&lane->deadline);
    }

    if (lane->pause.timer_set) {
        ngx_del_timer(&lane->pause);
    }

    lane->ops->ended(lane);
}


static void
ngx_http_atelier_lane_deadline_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_lane_t  *lane;

    lane = ngx_queue_data(ev, ngx_http_atelier_lane_t, deadline);
    r = lane->fanout->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_atelier_lane_detach(lane);
    ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_TIMED_OUT);
    ngx_http_atelier_fanout_wake(lane->fanout);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_atelier_lane_pause_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_lane_t  *lane;

    lane = ngx_queue_data(ev, ngx_http_atelier_lane_t, pause);
    r = lane->fanout->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_http_atelier_lane_call(lane) != NGX_OK) {
        ngx_http_atelier_lane_ended(lane, NGX_HTTP_ATELIER_LANE_FAILED);
        ngx_http_atelier_fanout_wake(lane->fanout);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * The post_subrequest is what marks a lane's subrequest: unlike a module
 * context it survives an internal redirect.
 */

ngx_http_atelier_lane_t *
ngx_http_atelier_lane_of(ngx_http_request_t *r)
{
    ngx_http_atelier_lane_t  *lane;

    if (r == r->main || r->post_subrequest == NULL
        || r->post_subrequest->handler != ngx_http_atelier_lane_done)
    {
        return NULL;
    }

    lane = r->post_subrequest->data;

    return (lane->sr == r) ? lane : NULL;
}


ngx_int_t
ngx_http_atelier_lane_header(ngx_http_request_t *r,
    ngx_http_atelier_lane_t *lane)
{
    ngx_uint_t            status;
    ngx_list_t           *headers;
    ngx_http_upstream_t  *u;

    r->header_sent = 1;
    lane->begun = 1;

    u = r->upstream;

    if (u && u->headers_in.status_n) {

        /*
         * The event pipe never writes to a subrequest that is not the
         * connection's active one, so a buffered answer would be held until
         * its end, or for ever if it does not fit the buffers.  This is what
         * X-Accel-Buffering: no does at the same moment.
         */

        if (u->buffering && !u->cacheable && !u->store) {
            u->buffering = 0;
        }

        status = u->headers_in.status_n;
        headers = &u->headers_in.headers;

    } else {
        status = r->headers_out.status;
        headers = &r->headers_out.headers;
    }

    lane->ops->begin(lane, status, headers);

    return NGX_OK;
}


/*
 * When another lane has won a small answer is still taken, as then the
 * connection can be kept and the provider has shown that it is well.  A larger
 * one would only cost memory and time.
 */

static void
ngx_http_atelier_lane_data(ngx_http_atelier_lane_t *lane, u_char *p,
    size_t len)
{
    if (lane->fanout->one && lane->fanout->won) {
        lane->late += len;

        if (lane->late > NGX_HTTP_ATELIER_LATE_MAX) {
            lane->stopped = 1;
            lane->beaten = 1;
            return;
        }
    }

    if (lane->ops->data(lane, p, len) != NGX_OK) {
        lane->stopped = 1;
    }
}


ngx_int_t
ngx_http_atelier_lane_body(ngx_http_request_t *r,
    ngx_http_atelier_lane_t *lane, ngx_chain_t *in)
{
    ngx_buf_t            *b;
    ngx_chain_t          *cl;
    ngx_http_upstream_t  *u;

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (!lane->stopped && ngx_buf_in_memory(b) && b->last > b->pos) {
            ngx_http_atelier_lane_data(lane, b->pos, b->last - b->pos);
        }

        /* consumed: the upstream may use the buffer again */

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    /*
     * No more is wanted.  NGX_ERROR is not the way to say so: core would take
     * it for a broken client connection.  An upstream that expects no further
     * byte ends by itself, and its connection, with the rest of the answer on
     * it, must not be kept.
     */

    u = r->upstream;

    if (lane->stopped && u && !u->buffering) {
        u->length = 0;
        u->keepalive = 0;
    }

    return NGX_OK;
}
