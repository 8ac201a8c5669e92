/*
 * What is below the location of atelier_designs: so far the likes.
 */

#include "ngx_http_atelier_likes.h"
#include "ngx_http_atelier_problem.h"


ngx_int_t
ngx_http_atelier_designs_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_http_atelier_likes_handler(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND, "not_found",
                                           "There is nothing at this "
                                           "address.");
}
