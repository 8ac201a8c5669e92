/*
 * Errands: requests this nginx sends to its own egress socket, so that work
 * which outlives its request is a request of its own.  Nobody waits for the
 * answer.
 */

#ifndef NGX_HTTP_ATELIER_EGRESS_H
#define NGX_HTTP_ATELIER_EGRESS_H


#include "ngx_http_atelier.h"


struct ngx_http_atelier_egress_s {
    ngx_addr_t                addr;
    ngx_http_atelier_place_t  place;
};


/* atelier_egress unix:path; */
char *ngx_http_atelier_egress(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Sends POST with this path and an empty body.  NGX_ERROR: it could not even
 * be begun; logged.  What happens later is logged too.
 */
ngx_int_t ngx_http_atelier_egress_post(ngx_http_atelier_egress_t *egress,
    ngx_str_t *path);


#endif /* NGX_HTTP_ATELIER_EGRESS_H */
