/*
 * Limits of providers, exact over all workers: sliding windows of call times
 * and a "not before" that a provider's own refusal sets for everyone.
 */

#ifndef NGX_HTTP_ATELIER_LIMIT_H
#define NGX_HTTP_ATELIER_LIMIT_H


#include "ngx_http_atelier_provider.h"


/*
 * Takes one call from every window of the provider.  NGX_BUSY: none was
 * taken, and *wait says in how many ms one could be.
 */
ngx_int_t ngx_http_atelier_limit_take(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_provider_t *provider, ngx_msec_t *wait);

/* No worker asks the provider for so many ms; a longer pause stays. */
void ngx_http_atelier_limit_pause(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_provider_t *provider, ngx_msec_t ms);

/* In how many ms a call could be made (0: now); takes nothing. */
ngx_msec_t ngx_http_atelier_limit_wait(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_provider_t *provider);


#endif /* NGX_HTTP_ATELIER_LIMIT_H */
