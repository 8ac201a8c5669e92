/*
 * AI providers as configured by atelier_ai_provider.
 */

#ifndef NGX_HTTP_ATELIER_PROVIDER_H
#define NGX_HTTP_ATELIER_PROVIDER_H


#include "ngx_http_atelier_zone.h"
#include "ai/at_ai.h"


struct ngx_http_atelier_provider_s {
    ngx_str_t                       name;
    ngx_str_t                       uri;        /* its internal location */
    ngx_str_t                       result;     /* ... for result URLs */
    ngx_uint_t                      priority;
    ngx_uint_t                      order;      /* in the configuration */
    ngx_msec_t                      timeout;
    ngx_http_atelier_rate_t         rates[NGX_HTTP_ATELIER_RATES_MAX];
    ngx_uint_t                      nrates;
    ngx_uint_t                      max_fails;  /* 0: no breaker */
    ngx_msec_t                      fail_timeout;
    at_ai_provider_t                ai;
    ngx_http_atelier_place_t        place;

    /* In shared memory, set when the zone is ready: */
    ngx_http_atelier_slot_t        *slot;
    ngx_uint_t                      epoch;      /* of its configuration */
    ngx_http_atelier_window_t      *windows[NGX_HTTP_ATELIER_RATES_MAX];
};


/* atelier_ai_provider name parameters; */
char *ngx_http_atelier_ai_provider(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_ATELIER_PROVIDER_H */
