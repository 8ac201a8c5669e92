/*
 * Errands: requests this nginx sends to its own egress socket, so that work
 * which outlives its request is a request of its own.  Who wants to know is
 * told the answer's status; its body is nobody's.
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

typedef struct ngx_http_atelier_errand_s  ngx_http_atelier_errand_t;

/*
 * Called once from the event loop when the errand is over, never from within
 * the function that began it.  status 0: there was no answer.
 */
typedef void (*ngx_http_atelier_errand_pt)(void *data, ngx_uint_t status);

/*
 * The same for who wants to be told.  The path and the request id, which may
 * be empty, are copied.  NULL: it could not be begun.
 */
ngx_http_atelier_errand_t *ngx_http_atelier_egress_ask(
    ngx_http_atelier_egress_t *egress, ngx_str_t *path,
    ngx_str_t *request_id, ngx_http_atelier_errand_pt cb, void *data);

/* It goes on, but its end is of no interest any more. */
void ngx_http_atelier_egress_forget(ngx_http_atelier_errand_t *e);


#endif /* NGX_HTTP_ATELIER_EGRESS_H */
