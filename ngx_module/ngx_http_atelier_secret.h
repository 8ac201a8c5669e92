/*
 * Secrets in files of their own, read when the configuration is.
 */

#ifndef NGX_HTTP_ATELIER_SECRET_H
#define NGX_HTTP_ATELIER_SECRET_H


#include "ngx_http_atelier.h"


/*
 * The only line of the file, visible ASCII, without its end; NUL-terminated,
 * in the configuration's pool.  file is a full name.  Anything else is logged
 * and NGX_ERROR.
 */
ngx_int_t ngx_http_atelier_secret_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *secret);

/* The same for the whole of the file, whatever stands in it. */
ngx_int_t ngx_http_atelier_secret_file(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *text);


#endif /* NGX_HTTP_ATELIER_SECRET_H */
