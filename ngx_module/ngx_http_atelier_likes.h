/*
 * PUT and DELETE /designs/{id}/like, GET /designs/likes.
 *
 * Called by the endpoint whose location these addresses are in.
 */

#ifndef NGX_HTTP_ATELIER_LIKES_H
#define NGX_HTTP_ATELIER_LIKES_H


#include "ngx_http_atelier.h"


/*
 * NGX_DECLINED: the address is none of these.  Otherwise the request has its
 * answer, and this is what its content handler returns.
 */
ngx_int_t ngx_http_atelier_likes_handler(ngx_http_request_t *r);

/* 400: what stands where an id of a design should is none. */
ngx_int_t ngx_http_atelier_likes_invalid(ngx_http_request_t *r, at_str_t id);

/*
 * Tells Redis, if it is there, how many like a design after the change of
 * this number.
 */
void ngx_http_atelier_likes_tell(const char *id, const char *n,
    const char *version);


#endif /* NGX_HTTP_ATELIER_LIKES_H */
