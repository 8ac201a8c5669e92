/*
 * POST /fill on the egress socket: asks the sources that are due, all at once
 * and until the deadline, and appends what they bring to the snapshot.
 *
 *     /fill?query=&page=&perPage=&snapshot=&orientation=&color=&source=
 *
 * are the arguments of the /designs request whose page is wanted; ahead=N asks
 * for N more pages, if no source has to be pushed to its limit for it;
 * within=N is a deadline, in ms, before the usual one; local=1 leaves the
 * snapshot in L1.  The answer says what was done:
 *
 *     200 filled, enough (there was nothing to do)
 *     409 busy (somebody else is at it), outdated (it was invalidated)
 *     503 full
 *
 * It never watches its client, whose leaving must not end it: reading is
 * blocked, and the deadline's timer keeps a worker that shuts down.  Its lease
 * ends with it, however it ends.
 */

#include "ngx_http_atelier_fill.h"
#include "ngx_http_atelier_designs.h"


/* How often leave to call is asked for again, in ms. */
#define NGX_HTTP_ATELIER_FILL_TICK  50


static void ngx_http_atelier_fill_start(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_fill_prepare(ngx_http_request_t *r);
static ngx_http_atelier_fill_t *ngx_http_atelier_fill_create(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_atelier_fill_number(ngx_http_request_t *r,
    const char *name, ngx_uint_t max);
static ngx_uint_t ngx_http_atelier_fill_sources(ngx_http_atelier_fill_t *fill);
static ngx_int_t ngx_http_atelier_fill_lease(ngx_http_atelier_fill_t *fill);
static ngx_int_t ngx_http_atelier_fill_begin(ngx_http_atelier_fill_t *fill,
    ngx_uint_t local);
static void ngx_http_atelier_fill_begun(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_fill_launch(ngx_http_atelier_fill_t *fill);
static void ngx_http_atelier_fill_store(ngx_http_atelier_fill_t *fill);
static void ngx_http_atelier_fill_stored(void *data, redisReply *reply);
static void ngx_http_atelier_fill_deadline(ngx_event_t *ev);
static void ngx_http_atelier_fill_tick(ngx_event_t *ev);
static void ngx_http_atelier_fill_renew(ngx_event_t *ev);
static void ngx_http_atelier_fill_cleanup(void *data);


ngx_int_t
ngx_http_atelier_fill_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_atelier_problem_t    problem;
    ngx_http_atelier_loc_conf_t  *alcf;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST, "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    if (alcf->max_in_flight && *alcf->in_flight >= alcf->max_in_flight) {
        ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

        problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
        problem.code = "too_many_in_flight";
        problem.detail = "Too many feeds are being filled now.";
        problem.retry_after = 1;

        return ngx_http_atelier_problem(r, &problem);
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_atelier_fill_start);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_atelier_fill_start(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_fill_prepare(r);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


/* NGX_AGAIN: the fill goes on, and finalizes the request. */

static ngx_int_t
ngx_http_atelier_fill_prepare(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_str_t                 value;
    ngx_uint_t                local;
    ngx_msec_t                within;
    at_args_error_t           error;
    ngx_http_atelier_fill_t  *fill;

    fill = ngx_http_atelier_fill_create(r);
    if (fill == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_atelier_feed_parse(&fill->feed, &r->args, &error) != NGX_OK) {
        return ngx_http_atelier_problem_simple(r, NGX_HTTP_BAD_REQUEST,
                                               "invalid_parameter",
                                               error.message);
    }

    fill->ahead = ngx_http_atelier_fill_number(r, "ahead",
                                               2 * NGX_HTTP_ATELIER_AHEAD);
    within = ngx_http_atelier_fill_number(r, "within",
                                          NGX_HTTP_ATELIER_FILL_DEADLINE);
    within = within ? within : NGX_HTTP_ATELIER_FILL_DEADLINE;
    local = (ngx_http_arg(r, (u_char *) "local", 5, &value) == NGX_OK);

    fill->sources = ngx_http_atelier_fill_sources(fill);
    fill->generation = ngx_http_atelier_cache_generation(fill->conf->cache);
    fill->until = ngx_current_msec + within;

    rc = ngx_http_atelier_fill_lease(fill);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    (*fill->location->in_flight)++;
    fill->counted = 1;

    fill->fanout = ngx_http_atelier_fanout_create(r, AT_FEED_SOURCES,
                                                ngx_http_atelier_fill_resume);
    if (fill->fanout == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* whoever asked may leave: the fill is for all readers of the feed */

    r->read_event_handler = ngx_http_block_reading;

    ngx_add_timer(&fill->deadline, within);

    return ngx_http_atelier_fill_begin(fill, local);
}


/* The fill of a request, with nothing under way yet; it ends with it. */

static ngx_http_atelier_fill_t *
ngx_http_atelier_fill_create(ngx_http_request_t *r)
{
    ngx_http_cleanup_t       *cln;
    ngx_http_atelier_ctx_t   *ctx;
    ngx_http_atelier_fill_t  *fill;

    ctx = ngx_http_atelier_get_ctx(r);
    cln = ngx_http_cleanup_add(r, 0);
    fill = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_fill_t));

    if (ctx == NULL || cln == NULL || fill == NULL
        || ngx_array_init(&fill->designs, r->pool, 512, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    fill->http = r;
    fill->conf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    fill->location = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    fill->deadline.handler = ngx_http_atelier_fill_deadline;
    fill->deadline.data = r->connection;
    fill->deadline.log = r->connection->log;

    fill->tick.handler = ngx_http_atelier_fill_tick;
    fill->tick.data = r->connection;
    fill->tick.log = r->connection->log;

    fill->renew.handler = ngx_http_atelier_fill_renew;
    fill->renew.data = r->connection;
    fill->renew.log = r->connection->log;

    cln->handler = ngx_http_atelier_fill_cleanup;
    cln->data = fill;

    ctx->fill = fill;

    return fill;
}


/* An argument that is above 0, as max if it is above that; 0: there is none. */

static ngx_uint_t
ngx_http_atelier_fill_number(ngx_http_request_t *r, const char *name,
    ngx_uint_t max)
{
    ngx_int_t  n;
    ngx_str_t  value;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &value) != NGX_OK) {
        return 0;
    }

    n = ngx_atoi(value.data, value.len);

    return (n > 0) ? ngx_min((ngx_uint_t) n, max) : 0;
}


static ngx_uint_t
ngx_http_atelier_fill_sources(ngx_http_atelier_fill_t *fill)
{
    ngx_uint_t                  i, mask;
    ngx_http_atelier_source_t  *source;

    mask = 0;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        source = fill->conf->sources[i];

        if (source && at_feed_serves(source->feed, &fill->feed.args.query)) {
            mask |= 1u << i;
        }
    }

    return mask;
}


/* NGX_DECLINED: it is ours.  Else what to finalize with. */

static ngx_int_t
ngx_http_atelier_fill_lease(ngx_http_atelier_fill_t *fill)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    text.data = (u_char *) fill->feed.text;
    text.len = fill->feed.text_len;

    rc = ngx_http_atelier_cache_lease(fill->conf->cache, fill->feed.key,
                                      &text, NGX_HTTP_ATELIER_FILL_DEADLINE
                                             + NGX_HTTP_ATELIER_FILL_GRACE,
                                      &fill->lease);

    if (rc == NGX_BUSY) {
        return ngx_http_atelier_send(fill->http, NGX_HTTP_CONFLICT,
                                     "application/json",
                                     AT_STR("{\"status\":\"busy\"}\n"));
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, fill->http->connection->log, 0,
                      "atelier: no room for a lease: make \"atelier_cache\" "
                      "larger");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/* NGX_AGAIN, or what to finalize with. */

static ngx_int_t
ngx_http_atelier_fill_begin(ngx_http_atelier_fill_t *fill, ngx_uint_t local)
{
    ngx_int_t  rc;

    if (!local) {
        fill->op = ngx_http_atelier_snapshot_begin(&fill->feed, &fill->begin,
                                        ngx_http_atelier_cache_node(
                                            fill->conf->cache),
                                        fill->ahead, fill->conf->feed_fresh,
                                        NGX_HTTP_ATELIER_FILL_LEASE,
                                        fill->sources,
                                        ngx_http_atelier_fill_begun, fill);
        if (fill->op) {
            return NGX_AGAIN;
        }
    }

    rc = ngx_http_atelier_local_begin(fill);

    if (rc == NGX_DECLINED) {
        ngx_http_atelier_fill_done(fill, NGX_HTTP_OK, "enough", 0);
        return NGX_AGAIN;
    }

    return (rc == NGX_OK) ? ngx_http_atelier_fill_launch(fill)
                          : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_atelier_fill_begun(void *data, redisReply *reply)
{
    ngx_http_atelier_fill_t *fill = data;

    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = fill->http->connection;
    fill->op = NULL;

    ngx_http_set_log_request(c->log, fill->http);

    rc = NGX_AGAIN;

    switch (ngx_http_atelier_snapshot_begin_reply(reply, &fill->begin)) {

    case NGX_HTTP_ATELIER_SNAPSHOT_FILL:
        fill->remote = 1;
        ngx_add_timer(&fill->renew, NGX_HTTP_ATELIER_FILL_RENEW);
        rc = ngx_http_atelier_fill_launch(fill);
        break;

    case NGX_HTTP_ATELIER_SNAPSHOT_ENOUGH:
        ngx_http_atelier_fill_done(fill, NGX_HTTP_OK, "enough", 0);
        break;

    case NGX_HTTP_ATELIER_SNAPSHOT_BUSY:
        ngx_http_atelier_fill_done(fill, NGX_HTTP_CONFLICT, "busy", 0);
        break;

    default:
        rc = ngx_http_atelier_fill_begin(fill, 1);
        break;
    }

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(fill->http, rc);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_atelier_fill_launch(ngx_http_atelier_fill_t *fill)
{
    if (ngx_http_atelier_fill_ask(fill) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    fill->asking = 1;

    if (ngx_http_atelier_fill_waiting(fill)) {
        ngx_add_timer(&fill->tick, NGX_HTTP_ATELIER_FILL_TICK);
    }

    ngx_http_atelier_fill_resume(fill->http);

    return NGX_AGAIN;
}


/* Some part has ended; when all have, the snapshot is stored. */

void
ngx_http_atelier_fill_resume(ngx_http_request_t *r)
{
    ngx_uint_t                i;
    ngx_http_atelier_ctx_t   *ctx;
    ngx_http_atelier_fill_t  *fill;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    fill = ctx->fill;

    if (!fill->asking) {
        return;
    }

    for (i = 0; i < fill->nparts; i++) {
        if (fill->parts[i].state != NGX_HTTP_ATELIER_PART_ENDED) {
            return;
        }
    }

    fill->asking = 0;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (fill->tick.timer_set) {
        ngx_del_timer(&fill->tick);
    }

    ngx_http_atelier_snapshot_order(&fill->designs);
    ngx_http_atelier_fill_store(fill);
}


static void
ngx_http_atelier_fill_store(ngx_http_atelier_fill_t *fill)
{
    if (fill->local == NULL) {
        fill->op = ngx_http_atelier_snapshot_commit(&fill->feed, &fill->begin,
                                                fill->sources, &fill->designs,
                                                fill->sent, fill->http->pool,
                                                ngx_http_atelier_fill_stored,
                                                fill);
        if (fill->op) {
            return;
        }
    }

    /* Redis has gone away meanwhile, or was not there */

    if (ngx_http_atelier_local_store(fill) != NGX_OK) {
        ngx_http_finalize_request(fill->http, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_http_atelier_fill_stored(void *data, redisReply *reply)
{
    ngx_http_atelier_fill_t *fill = data;

    ngx_uint_t         added;
    ngx_connection_t  *c;

    c = fill->http->connection;
    fill->op = NULL;

    ngx_http_set_log_request(c->log, fill->http);

    switch (ngx_http_atelier_snapshot_commit_reply(reply, &added)) {

    case NGX_HTTP_ATELIER_SNAPSHOT_STORED:
        fill->added += added;

        if (!ngx_http_atelier_snapshot_last(&fill->designs, fill->sent)) {
            fill->sent += NGX_HTTP_ATELIER_COMMIT_PART;
            ngx_http_atelier_fill_store(fill);
            break;
        }

        fill->remote = 0;
        ngx_http_atelier_fill_done(fill, NGX_HTTP_OK, "filled", fill->added);
        break;

    case NGX_HTTP_ATELIER_SNAPSHOT_OUTDATED:
        fill->remote = 0;
        ngx_http_atelier_fill_done(fill, NGX_HTTP_CONFLICT, "outdated", 0);
        break;

    default:
        if (ngx_http_atelier_local_store(fill) != NGX_OK) {
            ngx_http_finalize_request(fill->http,
                                      NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        break;
    }

    ngx_http_run_posted_requests(c);
}


/* The lease ends before the answer leaves: who reads it may take it. */

void
ngx_http_atelier_fill_done(ngx_http_atelier_fill_t *fill, ngx_uint_t status,
    const char *word, ngx_uint_t added)
{
    u_char               text[128];
    size_t               len;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = fill->http;

    if (fill->lease) {
        ngx_http_atelier_cache_release(fill->conf->cache, fill->feed.key,
                                       fill->lease);
        fill->lease = 0;
    }

    len = ngx_snprintf(text, sizeof(text),
                       "{\"status\":\"%s\",\"snapshot\":\"%*s\","
                       "\"added\":%ui}\n", word,
                       (size_t) NGX_HTTP_ATELIER_SNAPSHOT_LEN,
                       fill->begin.snapshot, added)
          - text;

    rc = ngx_http_atelier_send(r, status, "application/json",
                               (at_str_t) { len, (char *) text });

    ngx_http_finalize_request(r, rc);
}


static void
ngx_http_atelier_fill_deadline(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_fill_t  *fill;

    fill = ngx_queue_data(ev, ngx_http_atelier_fill_t, deadline);
    r = fill->http;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (fill->asking) {
        ngx_http_atelier_fill_late(fill);
        ngx_http_atelier_fill_resume(r);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_atelier_fill_tick(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_fill_t  *fill;

    fill = ngx_queue_data(ev, ngx_http_atelier_fill_t, tick);
    r = fill->http;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_http_atelier_fill_waiting(fill)) {
        ngx_add_timer(&fill->tick, NGX_HTTP_ATELIER_FILL_TICK);
    }

    ngx_http_atelier_fill_resume(r);
    ngx_http_run_posted_requests(c);
}


/* Other nodes are to learn soon when this one has died. */

static void
ngx_http_atelier_fill_renew(ngx_event_t *ev)
{
    ngx_http_atelier_fill_t  *fill;

    fill = ngx_queue_data(ev, ngx_http_atelier_fill_t, renew);

    if (fill->remote) {
        ngx_http_atelier_snapshot_renew(&fill->feed, &fill->begin,
                                        NGX_HTTP_ATELIER_FILL_LEASE);
        ngx_add_timer(&fill->renew, NGX_HTTP_ATELIER_FILL_RENEW);
    }
}


/* However the request ends; lanes have been ended by the fan-out before. */

static void
ngx_http_atelier_fill_cleanup(void *data)
{
    ngx_http_atelier_fill_t *fill = data;

    if (fill->counted) {
        (*fill->location->in_flight)--;
    }

    if (fill->deadline.timer_set) {
        ngx_del_timer(&fill->deadline);
    }

    if (fill->tick.timer_set) {
        ngx_del_timer(&fill->tick);
    }

    if (fill->renew.timer_set) {
        ngx_del_timer(&fill->renew);
    }

    if (fill->op) {
        ngx_http_atelier_redis_forget(fill->op);
    }

    ngx_http_atelier_fill_free(fill);

    if (fill->lease) {
        ngx_http_atelier_cache_release(fill->conf->cache, fill->feed.key,
                                       fill->lease);
    }

    if (fill->remote) {
        ngx_http_atelier_snapshot_release(&fill->feed, &fill->begin);
    }
}
