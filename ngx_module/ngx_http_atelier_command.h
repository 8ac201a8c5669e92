/*
 * Commands of operators: a POST that is let in by atelier_operator, with a few
 * texts in its URL or in a JSON object.
 *
 * The endpoint has a table of its fields; its function is called when they
 * have been read and are right.  All else is answered here.
 */

#ifndef NGX_HTTP_ATELIER_COMMAND_H
#define NGX_HTTP_ATELIER_COMMAND_H


#include "ngx_http_atelier_problem.h"
#include "at_fields.h"


#define NGX_HTTP_ATELIER_COMMAND_BODY  (16 * 1024)
#define NGX_HTTP_ATELIER_PUBLISH_BODY  (64 * 1024)


/*
 * Returns what goes to ngx_http_finalize_request(); NGX_AGAIN: the request
 * goes on and is finalized later.
 */
typedef ngx_int_t (*ngx_http_atelier_command_pt)(ngx_http_request_t *r,
    at_field_t *fields);


/* For the handler of a location; the table is copied. */
ngx_int_t ngx_http_atelier_command(ngx_http_request_t *r,
    const at_field_t *table, ngx_uint_t n, ngx_http_atelier_command_pt run);

/* The same for what reads more than texts: body is called with it. */
ngx_int_t ngx_http_atelier_command_post(ngx_http_request_t *r,
    ngx_http_client_body_handler_pt body);

/* A 400 that names the field. */
ngx_int_t ngx_http_atelier_command_bad(ngx_http_request_t *r,
    const char *code, const char *field, const char *detail);


/* atelier_invalidate; atelier_publish; and atelier_scrape; */
char *ngx_http_atelier_invalidate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_atelier_publish(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_atelier_scrape(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_ATELIER_COMMAND_H */
