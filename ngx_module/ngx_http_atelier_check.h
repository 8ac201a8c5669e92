/*
 * Checks of the whole configuration; errors and warnings name file and line.
 */

#ifndef NGX_HTTP_ATELIER_CHECK_H
#define NGX_HTTP_ATELIER_CHECK_H


#include "ngx_http_atelier.h"


/*
 * From postconfiguration.  Also brings the providers into the order of their
 * priority.
 */
ngx_int_t ngx_http_atelier_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);

/* From init_module: core's own directives are known only then. */
void ngx_http_atelier_check_shutdown(ngx_cycle_t *cycle,
    ngx_http_atelier_main_conf_t *amcf);


#endif /* NGX_HTTP_ATELIER_CHECK_H */
