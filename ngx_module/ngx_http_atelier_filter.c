/*
 * The filter module: one header filter and one body filter for two jobs that
 * need them.
 *
 * For a lane's subrequest (fanout) they hand the answer to the lane and let
 * nothing pass on to the client.  For a main request in one of our locations
 * they turn an error page that nginx core made (413, 408, a limit's 503)
 * into application/problem+json (problem).  All else passes untouched.
 */

#include "ngx_http_atelier_fanout.h"
#include "ngx_http_atelier_problem.h"


static ngx_int_t ngx_http_atelier_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_atelier_filter_init(ngx_conf_t *cf);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_http_module_t  ngx_http_atelier_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_atelier_filter_init,          /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_atelier_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_atelier_filter_module_ctx,   /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_atelier_header_filter(ngx_http_request_t *r)
{
    ngx_http_atelier_lane_t  *lane;

    lane = ngx_http_atelier_lane_of(r);

    if (lane) {
        return ngx_http_atelier_lane_header(r, lane);
    }

    if (r == r->main
        && r->headers_out.status >= NGX_HTTP_BAD_REQUEST
        && ngx_http_atelier_problem_replace(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_atelier_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t               out;
    ngx_http_atelier_ctx_t   *ctx;
    ngx_http_atelier_lane_t  *lane;

    lane = ngx_http_atelier_lane_of(r);

    if (lane) {
        return ngx_http_atelier_lane_body(r, lane, in);
    }

    if (r == r->main && in) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);

        if (ctx && ctx->problem.len) {
            if (ngx_http_atelier_problem_body(r, ctx, in, &out) != NGX_OK) {
                return NGX_ERROR;
            }

            return ngx_http_next_body_filter(r, &out);
        }
    }

    return ngx_http_next_body_filter(r, in);
}


static ngx_int_t
ngx_http_atelier_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_atelier_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_atelier_body_filter;

    return NGX_OK;
}
