/*
 * PUT and DELETE /designs/{id}/like, GET /designs/likes.
 *
 * Called by the endpoint whose location these addresses are in.
 */

#ifndef NGX_HTTP_ATELIER_LIKES_H
#define NGX_HTTP_ATELIER_LIKES_H


#include "ngx_http_atelier.h"
#include "ngx_http_atelier_postgres.h"


/*
 * NGX_DECLINED: the address is none of these.  Otherwise the request has its
 * answer, and this is what its content handler returns.
 */
ngx_int_t ngx_http_atelier_likes_handler(ngx_http_request_t *r);

/* 400: what stands where an id of a design should is none. */
ngx_int_t ngx_http_atelier_likes_invalid(ngx_http_request_t *r, at_str_t id);

/*
 * Tells Redis, if it is there, how many like some designs: rows of id, n in
 * column 2 and the number of the last change in column 3, or NULL for a design
 * that nobody ever liked.  Words are taken from the request's pool.
 */
void ngx_http_atelier_likes_tell(ngx_http_request_t *r, PGresult *res);


#endif /* NGX_HTTP_ATELIER_LIKES_H */
