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


#endif /* NGX_HTTP_ATELIER_COMPAT_H */
