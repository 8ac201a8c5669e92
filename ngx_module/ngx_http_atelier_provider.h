/*
 * AI providers as configured by atelier_ai_provider.
 */

#ifndef NGX_HTTP_ATELIER_PROVIDER_H
#define NGX_HTTP_ATELIER_PROVIDER_H


#include "ngx_http_atelier_party.h"
#include "ai/at_ai.h"


struct ngx_http_atelier_provider_s {
    ngx_http_atelier_party_t        party;
    ngx_str_t                       uri;        /* its internal location */
    ngx_str_t                       result;     /* ... for result URLs */
    ngx_uint_t                      priority;
    ngx_uint_t                      order;      /* in the configuration */
    at_ai_provider_t                ai;
};


/* atelier_ai_provider name parameters; */
char *ngx_http_atelier_ai_provider(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* NGX_HTTP_ATELIER_PROVIDER_H */
