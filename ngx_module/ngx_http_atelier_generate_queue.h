/*
 * What the two files of a generation's row share: statements that are out
 * (ngx_http_atelier_generate_queue.c), used by those that are asked before
 * the race, too (ngx_http_atelier_generate_key.c).
 */

#ifndef NGX_HTTP_ATELIER_GENERATE_QUEUE_H
#define NGX_HTTP_ATELIER_GENERATE_QUEUE_H


#include "ngx_http_atelier_generate.h"
#include "ngx_http_atelier_postgres.h"


#define NGX_HTTP_ATELIER_QUEUE_PARAMS  10       /* the most of a statement */


/*
 * Returns what goes to ngx_http_finalize_request(), or NGX_AGAIN.  res is
 * NULL if there was no answer, or a refusal.
 */
typedef ngx_int_t (*ngx_http_atelier_queue_pt)(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);


/* The first eight parameters, of all statements that may make a row. */
ngx_int_t ngx_http_atelier_queue_params(ngx_http_atelier_generation_t *g,
    ngx_str_t *params);

/* data is NULL without memory. */
ngx_str_t ngx_http_atelier_queue_number(ngx_http_request_t *r, int64_t n);

/*
 * NGX_AGAIN, or NGX_DECLINED: it cannot be sent.  undo: if the request ends
 * before, the row is taken back.
 */
ngx_int_t ngx_http_atelier_queue_ask(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, const char *sql, ngx_uint_t nparams,
    ngx_str_t *params, ngx_http_atelier_queue_pt done, ngx_uint_t undo);

/* The 202; position and eta are empty for what is being made already. */
ngx_int_t ngx_http_atelier_queue_accepted(ngx_http_request_t *r,
    const char *id, const char *status, const char *position,
    const char *eta);

/* A problem of the row's, and the end of the generation. */
ngx_int_t ngx_http_atelier_queue_refuse(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_uint_t status, const char *code,
    const char *detail, ngx_int_t retry_after);


#endif /* NGX_HTTP_ATELIER_GENERATE_QUEUE_H */
