/*
 * POST /designs/{id}/download: a picture has been taken.
 *
 * A source that wants to hear of it is told, by a call to its own location
 * that counts in its limits, and in the share of them that downloads have, as
 * anybody can report one; for all others there is nothing to do.  The
 * reader waits for the call, so that 204 means it was made.
 *
 * The source is to see which search the picture came from, which the address
 * of the picture says; PostgreSQL has it, if atelier-feed stored the design.
 * Without that the call is made with the id alone.
 */

#include "ngx_http_atelier_designs.h"
#include "ngx_http_atelier_fanout.h"
#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_source.h"
#include "feed/at_feed_id.h"


typedef struct {
    ngx_http_request_t              *request;
    ngx_http_atelier_source_t       *source;
    ngx_http_atelier_lane_t         *lane;
    ngx_http_atelier_reservation_t   reservation;
    ngx_http_atelier_reservation_t   share;     /* of source->downloads */
    ngx_http_atelier_postgres_op_t  *op;        /* looks for the address */
    at_str_t                         native;
    at_feed_call_t                   call;
    ngx_uint_t                       status;
} ngx_http_atelier_download_t;


static ngx_int_t ngx_http_atelier_download_report(ngx_http_request_t *r,
    ngx_http_atelier_source_t *source, at_str_t id, at_str_t native);
static void ngx_http_atelier_download_found(void *data, ngx_int_t rc,
    PGresult *res);
static ngx_int_t ngx_http_atelier_download_launch(
    ngx_http_atelier_download_t *d, at_str_t url);
static void ngx_http_atelier_download_resume(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_download_done(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_download_unknown(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_download_failed(ngx_http_request_t *r,
    ngx_msec_t wait);
static void ngx_http_atelier_download_free(void *data);

static ngx_int_t ngx_http_atelier_download_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call);
static void ngx_http_atelier_download_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers);
static ngx_int_t ngx_http_atelier_download_data(
    ngx_http_atelier_lane_t *lane, u_char *p, size_t len);
static ngx_http_atelier_step_e ngx_http_atelier_download_end(
    ngx_http_atelier_lane_t *lane, ngx_uint_t complete, ngx_msec_t *wait);
static void ngx_http_atelier_download_ended(ngx_http_atelier_lane_t *lane);


static const ngx_http_atelier_lane_ops_t  ngx_http_atelier_download_ops = {
    ngx_http_atelier_download_call,
    ngx_http_atelier_download_begin,
    ngx_http_atelier_download_data,
    ngx_http_atelier_download_end,
    ngx_http_atelier_download_ended
};


static const char  ngx_http_atelier_download_sql[] =
    "SELECT data->>'url' FROM atelier.design WHERE id = $1";


ngx_int_t
ngx_http_atelier_download_handler(ngx_http_request_t *r, at_str_t id)
{
    at_str_t                       name, native;
    ngx_int_t                      rc;
    const at_feed_source_t        *feed;
    ngx_http_atelier_main_conf_t  *amcf;

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST, "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!at_feed_id_valid(id)) {
        return ngx_http_atelier_download_unknown(r);
    }

    name.data = id.data;
    name.len = (char *) memchr(id.data, ':', id.len) - id.data;
    native.data = id.data + name.len + 1;
    native.len = id.len - name.len - 1;

    feed = at_feed_source_find(name);
    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    if (!feed->pings || amcf->sources[feed->index] == NULL) {
        return ngx_http_atelier_download_done(r);
    }

    return ngx_http_atelier_download_report(r, amcf->sources[feed->index],
                                            id, native);
}


static ngx_int_t
ngx_http_atelier_download_report(ngx_http_request_t *r,
    ngx_http_atelier_source_t *source, at_str_t id, at_str_t native)
{
    ngx_int_t                     rc;
    ngx_str_t                     param;
    ngx_pool_cleanup_t           *cln;
    ngx_http_atelier_ctx_t       *ctx;
    ngx_http_atelier_fanout_t    *f;
    ngx_http_atelier_download_t  *d;

    ctx = ngx_http_atelier_get_ctx(r);
    d = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_download_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);
    f = ngx_http_atelier_fanout_create(r, 1,
                                       ngx_http_atelier_download_resume);

    if (ctx == NULL || d == NULL || cln == NULL || f == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    d->request = r;
    d->source = source;
    d->native = native;
    ctx->download = d;

    cln->handler = ngx_http_atelier_download_free;
    cln->data = d;

    d->lane = ngx_http_atelier_fanout_add(f, &ngx_http_atelier_download_ops,
                                          d, &source->party.name,
                                          source->party.timeout);
    if (d->lane == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    param = ngx_http_atelier_ngx_str(id);
    d->op = ngx_http_atelier_postgres_query(ngx_http_atelier_download_sql, 1,
                                            &param,
                                            ngx_http_atelier_download_found,
                                            d);
    if (d->op) {
        return NGX_DONE;
    }

    rc = ngx_http_atelier_download_launch(d, AT_STR_NULL);

    if (rc != NGX_DONE) {
        r->main->count--;
    }

    return rc;
}


static void
ngx_http_atelier_download_found(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_download_t *d = data;

    at_str_t             url;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = d->request;
    c = r->connection;
    d->op = NULL;
    url = AT_STR_NULL;

    ngx_http_set_log_request(c->log, r);

    if (rc == NGX_OK && PQntuples(res) == 1 && PQnfields(res) == 1
        && PQgetlength(res, 0, 0) <= AT_FEED_URL_MAX)
    {
        url.data = PQgetvalue(res, 0, 0);
        url.len = PQgetlength(res, 0, 0);
    }

    rc = ngx_http_atelier_download_launch(d, url);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


/* NGX_DONE: the call is under way.  Else what to finalize with. */

static ngx_int_t
ngx_http_atelier_download_launch(ngx_http_atelier_download_t *d, at_str_t url)
{
    ngx_http_request_t            *r;
    ngx_http_atelier_main_conf_t  *amcf;

    r = d->request;
    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    if (at_feed_download(d->source->feed, d->native, url, &d->call)
        != AT_OK)
    {
        return ngx_http_atelier_download_unknown(r);
    }

    if (ngx_http_atelier_limit_take(amcf->zone, &d->source->downloads,
                                    &d->share)
        != NGX_OK)
    {
        return ngx_http_atelier_download_failed(r, d->share.wait);
    }

    if (ngx_http_atelier_limit_take(amcf->zone, &d->source->party,
                                    &d->reservation)
        != NGX_OK)
    {
        ngx_http_atelier_limit_settle(amcf->zone, &d->source->downloads,
                                      &d->share, AT_BREAKER_UNKNOWN, 0);
        return ngx_http_atelier_download_failed(r, d->reservation.wait);
    }

    return (ngx_http_atelier_lane_launch(d->lane) == NGX_OK)
           ? NGX_DONE : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_atelier_download_resume(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_atelier_ctx_t       *ctx;
    ngx_http_atelier_download_t  *d;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    d = ctx->download;

    if (d->op || ngx_http_atelier_lane_active(d->lane)) {
        return;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    if (d->lane->state == NGX_HTTP_ATELIER_LANE_DONE) {
        rc = ngx_http_atelier_download_done(r);

    } else if (d->status == NGX_HTTP_NOT_FOUND) {
        rc = ngx_http_atelier_download_unknown(r);

    } else {
        rc = ngx_http_atelier_download_failed(r, 5000);
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_http_atelier_download_done(ngx_http_request_t *r)
{
    ngx_http_atelier_ctx_t  *ctx;

    static ngx_str_t  no_store = ngx_string("no-store");

    ctx = ngx_http_atelier_get_ctx(r);

    if (ctx == NULL
        || ngx_http_atelier_add_header(r, "X-Request-ID",
                                       ngx_http_atelier_request_id(r))
           != NGX_OK
        || ngx_http_atelier_add_header(r, "Cache-Control", &no_store)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->answered = 1;
    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


static ngx_int_t
ngx_http_atelier_download_unknown(ngx_http_request_t *r)
{
    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND, "not_found",
                                           "There is no design of that id.");
}


static ngx_int_t
ngx_http_atelier_download_failed(ngx_http_request_t *r, ngx_msec_t wait)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "source_unavailable";
    problem.detail = "The source of the picture could not be told; send the "
                     "request again after the time in Retry-After.";
    problem.retry_after = ngx_min(wait / 1000 + 1, 3600);

    return ngx_http_atelier_problem(r, &problem);
}


static void
ngx_http_atelier_download_free(void *data)
{
    ngx_http_atelier_download_t *d = data;

    if (d->op) {
        ngx_http_atelier_postgres_forget(d->op);
    }

    at_feed_call_free(&d->call);
}


static ngx_int_t
ngx_http_atelier_download_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call)
{
    ngx_http_atelier_download_t *d = lane->data;

    return ngx_http_atelier_source_call(lane->fanout->request, d->source,
                                        &d->call, call);
}


static void
ngx_http_atelier_download_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers)
{
    ngx_http_atelier_download_t *d = lane->data;

    d->status = status;
}


static ngx_int_t
ngx_http_atelier_download_data(ngx_http_atelier_lane_t *lane, u_char *p,
    size_t len)
{
    return NGX_OK;
}


static ngx_http_atelier_step_e
ngx_http_atelier_download_end(ngx_http_atelier_lane_t *lane,
    ngx_uint_t complete, ngx_msec_t *wait)
{
    ngx_http_atelier_download_t *d = lane->data;

    return (complete && d->status >= 200 && d->status < 300)
           ? NGX_HTTP_ATELIER_STEP_DONE : NGX_HTTP_ATELIER_STEP_FAILED;
}


/* A download that is refused says nothing of searches: health is unknown. */

static void
ngx_http_atelier_download_ended(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_download_t *d = lane->data;

    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(lane->fanout->request,
                                         ngx_http_atelier_module);

    ngx_http_atelier_limit_settle(amcf->zone, &d->source->downloads,
                                  &d->share, AT_BREAKER_UNKNOWN, lane->sent);

    ngx_http_atelier_limit_settle(amcf->zone, &d->source->party,
                                  &d->reservation,
                                  (lane->state == NGX_HTTP_ATELIER_LANE_DONE)
                                  ? AT_BREAKER_GOOD : AT_BREAKER_UNKNOWN,
                                  lane->sent);

    if (lane->state != NGX_HTTP_ATELIER_LANE_DONE) {
        ngx_log_error(NGX_LOG_WARN, lane->fanout->request->connection->log, 0,
                      "atelier: source \"%V\" was not told of a download, "
                      "status %ui", &lane->name, d->status);
    }
}
