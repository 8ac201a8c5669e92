/*
 * How a page of the cache is sent: the body that the client takes, or 304, and
 * the headers that say where it came from and how long it may be kept.
 *
 * /designs and /products call it.
 */

#ifndef NGX_HTTP_ATELIER_PAGE_H
#define NGX_HTTP_ATELIER_PAGE_H


#include "ngx_http_atelier_cache.h"


#define NGX_HTTP_ATELIER_CONTROL_LEN                                          \
    (sizeof("public, max-age=, s-maxage=, stale-while-revalidate=, "          \
            "stale-if-error=") + 4 * NGX_INT_T_LEN)


/* Whether the client takes gzip. */
ngx_uint_t ngx_http_atelier_page_gzip(ngx_http_request_t *r);

/* The digits of the ETag it knows, or NULL, for the lookup of a page. */
const u_char *ngx_http_atelier_page_etag(ngx_http_request_t *r);

/*
 * Writes the Cache-Control of a page that is fresh, usable while it is made
 * anew, and usable when that fails for so many ms; returns where it ends.
 */
u_char *ngx_http_atelier_page_control(u_char *p, ngx_msec_t fresh,
    ngx_msec_t anew, ngx_msec_t error);

/* Says where an answer that is no page came from.  NGX_ERROR: no memory. */
ngx_int_t ngx_http_atelier_page_from(ngx_http_request_t *r,
    ngx_http_atelier_cache_e how);

/*
 * Makes of a page that does not live as long as the request one that does, in
 * the form that its client takes.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_atelier_page_copy(ngx_http_request_t *r,
    const ngx_http_atelier_page_t *from, ngx_http_atelier_page_t *page);

/*
 * Sends a page with that Cache-Control, which must live as long as the
 * request; how says where it came from, timing (may be NULL or empty) what its
 * makers took.  Returns what goes to ngx_http_finalize_request().
 */
ngx_int_t ngx_http_atelier_page_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *control, ngx_str_t *timing);


#endif /* NGX_HTTP_ATELIER_PAGE_H */
