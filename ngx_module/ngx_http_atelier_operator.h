/*
 * Operators: who may see and do what visitors may not.
 *
 * atelier_operator guards any location, in nginx's access phase, so satisfy,
 * allow and deny count beside it.  An endpoint that is for operators alone
 * calls ngx_http_atelier_operator_check() first: it refuses where the guard
 * was forgotten.
 */

#ifndef NGX_HTTP_ATELIER_OPERATOR_H
#define NGX_HTTP_ATELIER_OPERATOR_H


#include "ngx_http_atelier.h"


/*
 * NGX_DECLINED: the location is guarded, and the request got through.
 * Otherwise a problem was sent, and this is what its handler returns.
 */
ngx_int_t ngx_http_atelier_operator_check(ngx_http_request_t *r);

/* Whether a location is guarded. */
ngx_uint_t ngx_http_atelier_operator_guards(
    ngx_http_atelier_loc_conf_t *alcf);

/* The handler of the access phase. */
ngx_int_t ngx_http_atelier_operator_access(ngx_http_request_t *r);

/* atelier_operator token_file=path | off; */
char *ngx_http_atelier_operator(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_ATELIER_OPERATOR_H */
