/*
 * Who a request is of.
 */

#ifndef NGX_HTTP_ATELIER_VISITOR_H
#define NGX_HTTP_ATELIER_VISITOR_H


#include "ngx_http_atelier.h"
#include "at_hash.h"


/*
 * A digest of what atelier_visitor says of this request, as PostgreSQL writes
 * 16 bytes ("\x" and 32 digits), in the request's pool.  NGX_DECLINED: it is
 * of nobody.  Otherwise what to finalize the request with.
 */
ngx_int_t ngx_http_atelier_visitor(ngx_http_request_t *r, ngx_str_t *digest);

/* atelier_visitor $variable; */
char *ngx_http_atelier_visitor_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_ATELIER_VISITOR_H */
