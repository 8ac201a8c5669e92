/*
 * Every difference between nginx versions that the module has to know.
 *
 * Debian 12's nginx 1.22 is the base and current mainline compiles too.  Code
 * elsewhere in ngx_module/ tests no version; it uses what is defined here.
 */

#ifndef NGX_HTTP_ATELIER_COMPAT_H
#define NGX_HTTP_ATELIER_COMPAT_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#if !(NGX_THREADS)
#error "the Atelier module writes pictures in a thread pool: \
configure nginx --with-threads"
#endif

#if (nginx_version < 1022000)
#error "the Atelier module needs nginx 1.22.0 or newer"
#endif


/*
 * Since 1.23.0 a header element has a "next" member.  Elements that we make
 * are zeroed whole, which is right for both.
 */
#define ngx_http_atelier_zero_header(h)                                       \
    ngx_memzero(h, sizeof(ngx_table_elt_t))

/*
 * Makes h, a Cache-Control header just added, the one that core knows of, as
 * $sent_http_cache_control and "expires" do.  Since 1.23.0 it is a list.
 */
#if (nginx_version >= 1023000)

static ngx_inline ngx_int_t
ngx_http_atelier_set_cache_control(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    r->headers_out.cache_control = h;

    return NGX_OK;
}

#else

static ngx_inline ngx_int_t
ngx_http_atelier_set_cache_control(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_table_elt_t  **e;

    if (ngx_array_init(&r->headers_out.cache_control, r->pool, 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    e = ngx_array_push(&r->headers_out.cache_control);
    if (e == NULL) {
        return NGX_ERROR;
    }

    *e = h;

    return NGX_OK;
}

#endif


#endif /* NGX_HTTP_ATELIER_COMPAT_H */
