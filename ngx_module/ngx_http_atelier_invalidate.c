/*
 * POST /cache/invalidate {pattern}: pages and snapshots of feeds whose key's
 * text matches are as if they had never been.
 *
 *     200 {generation, scope:"shared"}   all nodes; this one has done it
 *     200 {generation, scope:"node"}     Redis is away: this node only
 *     202 {generation, scope:"shared"}   this node is still at it
 */

#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_invalidation.h"
#include "at_glob.h"


typedef struct {
    ngx_http_request_t               *r;
    ngx_http_atelier_invalidation_t  *inv;      /* NULL: done */
} ngx_http_atelier_invalidate_t;


static ngx_int_t ngx_http_atelier_invalidate_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_invalidate_run(ngx_http_request_t *r,
    at_field_t *fields);
static void ngx_http_atelier_invalidate_done(void *data,
    const ngx_http_atelier_invalidated_t *what);
static void ngx_http_atelier_invalidate_cleanup(void *data);


static const at_field_t  ngx_http_atelier_invalidate_fields[] = {
    { "pattern", NGX_HTTP_ATELIER_PATTERN_MAX, 1, 0, { 0, NULL } }
};


char *
ngx_http_atelier_invalidate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_INVALIDATE,
                                     ngx_http_atelier_invalidate_handler);
}


static ngx_int_t
ngx_http_atelier_invalidate_handler(ngx_http_request_t *r)
{
    return ngx_http_atelier_command(r, ngx_http_atelier_invalidate_fields, 1,
                                    ngx_http_atelier_invalidate_run);
}


static ngx_int_t
ngx_http_atelier_invalidate_run(ngx_http_request_t *r, at_field_t *fields)
{
    char                            detail[128];
    at_str_t                        pattern;
    const char                     *fault;
    ngx_pool_cleanup_t             *cln;
    ngx_http_atelier_main_conf_t   *amcf;
    ngx_http_atelier_invalidate_t  *invalidate;

    pattern = fields[0].value;
    fault = at_glob_fault(pattern);

    if (fault) {
        ngx_snprintf((u_char *) detail, sizeof(detail),
                     "pattern %s; put a backslash before a character that "
                     "stands for itself%Z", fault);

        return ngx_http_atelier_command_bad(r, "invalid_pattern", "pattern",
                                            detail);
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_invalidate_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    invalidate = cln->data;

    invalidate->r = r;
    invalidate->inv = ngx_http_atelier_invalidation(amcf->cache, pattern,
                                              ngx_http_atelier_request_id(r),
                                              ngx_http_atelier_invalidate_done,
                                              invalidate);
    if (invalidate->inv == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_atelier_invalidate_cleanup;

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "an operator invalidates \"%*s\"", pattern.len,
                  pattern.data);

    return NGX_AGAIN;
}


static void
ngx_http_atelier_invalidate_done(void *data,
    const ngx_http_atelier_invalidated_t *what)
{
    u_char                          text[96];
    size_t                          len;
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_atelier_invalidate_t  *invalidate = data;

    r = invalidate->r;
    c = r->connection;

    invalidate->inv = NULL;

    ngx_http_set_log_request(c->log, r);

    len = ngx_snprintf(text, sizeof(text),
                       "{\"generation\":%uL,\"scope\":\"%s\"}\n",
                       what->generation, what->shared ? "shared" : "node")
          - text;

    ngx_http_finalize_request(r, ngx_http_atelier_send(r,
                              what->done ? NGX_HTTP_OK : NGX_HTTP_ACCEPTED,
                              "application/json",
                              (at_str_t) { len, (char *) text }));

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_atelier_invalidate_cleanup(void *data)
{
    ngx_http_atelier_invalidate_t *invalidate = data;

    if (invalidate->inv) {
        ngx_http_atelier_invalidation_forget(invalidate->inv);
    }
}
