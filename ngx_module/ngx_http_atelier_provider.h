/*
 * AI providers as configured by atelier_ai_provider, and the adapter between
 * the fan-out's lanes and the formats of core/ai.
 */

#ifndef NGX_HTTP_ATELIER_PROVIDER_H
#define NGX_HTTP_ATELIER_PROVIDER_H


#include "ngx_http_atelier_fanout.h"
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
    at_ai_provider_t                ai;
    ngx_http_atelier_place_t        place;

    /* In shared memory, set when the zone is ready: */
    ngx_http_atelier_slot_t        *slot;
    ngx_http_atelier_window_t      *windows[NGX_HTTP_ATELIER_RATES_MAX];
};


/* atelier_ai_provider name parameters; */
char *ngx_http_atelier_ai_provider(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * A lane of this provider for this request, whose at_ai_lane_t is its data.
 * The generation must outlive the request's pool cleanup handlers that were
 * added later than it.  NULL without memory.
 */
ngx_http_atelier_lane_t *ngx_http_atelier_provider_lane(
    ngx_http_atelier_fanout_t *f, ngx_http_atelier_provider_t *provider,
    const at_generate_t *generate);

/* The provider of such a lane. */
ngx_http_atelier_provider_t *ngx_http_atelier_lane_provider(
    ngx_http_atelier_lane_t *lane);

at_ai_lane_t *ngx_http_atelier_lane_ai(ngx_http_atelier_lane_t *lane);


#endif /* NGX_HTTP_ATELIER_PROVIDER_H */
