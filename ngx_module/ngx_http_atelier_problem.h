/*
 * Errors as RFC 9457 problem+json with a stable "code" and the request id.
 *
 * Endpoints answer their own errors by ngx_http_atelier_problem(); the filter
 * module turns nginx's error pages in our locations into the same form.
 */

#ifndef NGX_HTTP_ATELIER_PROBLEM_H
#define NGX_HTTP_ATELIER_PROBLEM_H


#include "ngx_http_atelier.h"


typedef struct {
    ngx_uint_t    status;
    const char   *code;           /* stable, snake_case */
    const char   *field;          /* the member or parameter, or NULL */
    const char   *detail;         /* one sentence; may quote the client */
    at_str_t      extra;          /* more members: ",\"name\":value..." */
    ngx_int_t     retry_after;    /* seconds; -1: no header */
} ngx_http_atelier_problem_t;


/* Returns what goes to ngx_http_finalize_request(). */
ngx_int_t ngx_http_atelier_problem(ngx_http_request_t *r,
    ngx_http_atelier_problem_t *problem);

/* The common case: no field, no extra, no Retry-After. */
ngx_int_t ngx_http_atelier_problem_simple(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *detail);

/* What takes the place of core's page of this status. */
ngx_int_t ngx_http_atelier_problem_status(ngx_http_request_t *r,
    ngx_uint_t status);

/* A 400 of the value "sent" of a field: the detail shows what of it prints. */
ngx_int_t ngx_http_atelier_problem_value(ngx_http_request_t *r,
    const char *code, const char *field, at_str_t sent, const char *detail);

/*
 * Whether the body is announced as JSON, without a Content-Encoding.
 * NGX_DECLINED: the problem says why not.
 */
ngx_int_t ngx_http_atelier_body_json(ngx_http_request_t *r,
    ngx_http_atelier_problem_t *problem);

/*
 * The body, when it has been read, in the request's pool.  NGX_DECLINED: it
 * has more than max bytes; NGX_ERROR: no memory, or a file that is not read.
 */
ngx_int_t ngx_http_atelier_body_text(ngx_http_request_t *r, size_t max,
    at_str_t *text);

/* The filter's side; ngx_http_atelier_ctx_t.problem carries the body. */
ngx_int_t ngx_http_atelier_problem_replace(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_problem_body(ngx_http_request_t *r,
    ngx_http_atelier_ctx_t *ctx, ngx_chain_t *in, ngx_chain_t *out);


#endif /* NGX_HTTP_ATELIER_PROBLEM_H */
