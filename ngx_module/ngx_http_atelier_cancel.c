/*
 * POST /cancel?provider=&job= on the egress socket: tells a provider that one
 * of its jobs is not wanted any more.
 *
 * Asked by this nginx itself, as an errand, when a lane with a job has lost
 * or its client has left.  The provider's answer is only logged.
 */

#include "ngx_http_atelier_adapter.h"
#include "ngx_http_atelier_problem.h"


typedef struct {
    ngx_http_atelier_provider_t  *provider;
    ngx_http_atelier_lane_t      *lane;
    at_ai_call_t                  call;
    at_buf_t                      text;
    ngx_uint_t                    status;
} ngx_http_atelier_cancel_t;


static void ngx_http_atelier_cancel_start(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_cancel_launch(ngx_http_request_t *r);
static ngx_http_atelier_provider_t *ngx_http_atelier_cancel_provider(
    ngx_http_request_t *r);
static void ngx_http_atelier_cancel_resume(ngx_http_request_t *r);
static void ngx_http_atelier_cancel_cleanup(void *data);

static ngx_int_t ngx_http_atelier_cancel_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call);
static void ngx_http_atelier_cancel_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers);
static ngx_int_t ngx_http_atelier_cancel_data(ngx_http_atelier_lane_t *lane,
    u_char *p, size_t len);
static ngx_http_atelier_step_e ngx_http_atelier_cancel_end(
    ngx_http_atelier_lane_t *lane, ngx_uint_t complete, ngx_msec_t *wait);
static void ngx_http_atelier_cancel_ended(ngx_http_atelier_lane_t *lane);


static const ngx_http_atelier_lane_ops_t  ngx_http_atelier_cancel_ops = {
    ngx_http_atelier_cancel_call,
    ngx_http_atelier_cancel_begin,
    ngx_http_atelier_cancel_data,
    ngx_http_atelier_cancel_end,
    ngx_http_atelier_cancel_ended
};


ngx_int_t
ngx_http_atelier_cancel_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST, "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_atelier_cancel_start);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_atelier_cancel_start(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_cancel_launch(r);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


/* NGX_AGAIN: the provider is being told. */

static ngx_int_t
ngx_http_atelier_cancel_launch(ngx_http_request_t *r)
{
    ngx_str_t                   job;
    ngx_pool_cleanup_t         *cln;
    ngx_http_atelier_ctx_t     *ctx;
    ngx_http_atelier_cancel_t  *cancel;
    ngx_http_atelier_fanout_t  *f;

    ctx = ngx_http_atelier_get_ctx(r);
    cancel = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_cancel_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cancel == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_atelier_cancel_cleanup;
    cln->data = cancel;

    cancel->provider = ngx_http_atelier_cancel_provider(r);

    if (cancel->provider == NULL
        || ngx_http_arg(r, (u_char *) "job", 3, &job) != NGX_OK
        || at_ai_cancel_call(&cancel->provider->ai,
                             ngx_http_atelier_str(&job), &cancel->call,
                             &cancel->text)
           != AT_OK)
    {
        return ngx_http_atelier_problem_simple(r, NGX_HTTP_BAD_REQUEST,
                        "invalid_job",
                        "Give provider= with the name of a provider that "
                        "cancels jobs, and job= with its id.");
    }

    /* the client is this nginx: whether it still listens does not matter */

    r->read_event_handler = ngx_http_block_reading;

    f = ngx_http_atelier_fanout_create(r, 1, ngx_http_atelier_cancel_resume);
    if (f == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cancel->lane = ngx_http_atelier_fanout_add(f,
                                               &ngx_http_atelier_cancel_ops,
                                               cancel,
                                               &cancel->provider->party.name,
                                               cancel->provider->party.timeout);
    ctx->cancel = cancel;

    if (cancel->lane == NULL
        || ngx_http_atelier_lane_launch(cancel->lane) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_http_atelier_provider_t *
ngx_http_atelier_cancel_provider(ngx_http_request_t *r)
{
    ngx_str_t                       name;
    ngx_uint_t                      i;
    ngx_http_atelier_provider_t   **p;
    ngx_http_atelier_main_conf_t   *amcf;

    if (ngx_http_arg(r, (u_char *) "provider", 8, &name) != NGX_OK) {
        return NULL;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    p = amcf->providers.elts;

    for (i = 0; i < amcf->providers.nelts; i++) {
        if (p[i]->party.name.len == name.len
            && ngx_memcmp(p[i]->party.name.data, name.data, name.len) == 0)
        {
            return p[i];
        }
    }

    return NULL;
}


static void
ngx_http_atelier_cancel_resume(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_atelier_ctx_t     *ctx;
    ngx_http_atelier_cancel_t  *cancel;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    cancel = ctx->cancel;

    if (ngx_http_atelier_lane_active(cancel->lane)) {
        return;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    if (cancel->lane->state == NGX_HTTP_ATELIER_LANE_DONE) {
        rc = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                   AT_STR("{\"status\":\"cancelled\"}\n"));

    } else {
        rc = ngx_http_atelier_problem_simple(r, NGX_HTTP_BAD_GATEWAY,
                                             "cancel_failed",
                                             "The provider did not take the "
                                             "cancel.");
    }

    ngx_http_finalize_request(r, rc);
}


static void
ngx_http_atelier_cancel_cleanup(void *data)
{
    ngx_http_atelier_cancel_t *cancel = data;

    at_buf_free(&cancel->text);
}


static ngx_int_t
ngx_http_atelier_cancel_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call)
{
    ngx_http_atelier_cancel_t *cancel = lane->data;

    return ngx_http_atelier_provider_call(lane->fanout->request,
                                          cancel->provider, &cancel->call,
                                          call);
}


static void
ngx_http_atelier_cancel_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers)
{
    ngx_http_atelier_cancel_t *cancel = lane->data;

    cancel->status = status;
}


static ngx_int_t
ngx_http_atelier_cancel_data(ngx_http_atelier_lane_t *lane, u_char *p,
    size_t len)
{
    return NGX_OK;
}


static ngx_http_atelier_step_e
ngx_http_atelier_cancel_end(ngx_http_atelier_lane_t *lane,
    ngx_uint_t complete, ngx_msec_t *wait)
{
    ngx_http_atelier_cancel_t *cancel = lane->data;

    if (complete && cancel->status >= 200 && cancel->status < 300) {
        return NGX_HTTP_ATELIER_STEP_DONE;
    }

    ngx_log_error(NGX_LOG_WARN, lane->fanout->request->connection->log, 0,
                  "atelier: provider \"%V\" did not take a cancel, status "
                  "%ui", &cancel->provider->party.name, cancel->status);

    return NGX_HTTP_ATELIER_STEP_FAILED;
}


static void
ngx_http_atelier_cancel_ended(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_cancel_t *cancel = lane->data;

    if (lane->sent) {
        ngx_http_atelier_count(&cancel->provider->party.slot->cancels, 1);
    }
}
