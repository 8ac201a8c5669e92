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

/*
 * The location nginx would choose for the uri, by the rules and with the
 * return codes of ngx_http_core_find_location(), without a request: NGX_OK is
 * final, NGX_AGAIN a prefix that a regex further out may overrule, NGX_DONE
 * a redirect to the same uri with a slash.
 */
ngx_int_t ngx_http_atelier_find_location(ngx_http_core_loc_conf_t *clcf,
    ngx_str_t *uri, ngx_http_core_loc_conf_t **found);


#endif /* NGX_HTTP_ATELIER_CHECK_H */
