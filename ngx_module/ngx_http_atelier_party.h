/*
 * A party: somebody outside whom this nginx asks, with limits.  What an AI
 * provider and an image source have in common, and all that the limits
 * (ngx_http_atelier_limit.h) know of them.
 *
 * It lives in the configuration's pool as a part of its provider or source.
 */

#ifndef NGX_HTTP_ATELIER_PARTY_H
#define NGX_HTTP_ATELIER_PARTY_H


#include "ngx_http_atelier_zone.h"


struct ngx_http_atelier_party_s {
    ngx_str_t                   kind;        /* for messages: "provider" */
    ngx_str_t                   name;
    ngx_str_t                   slot_name;   /* in the zone */
    ngx_msec_t                  timeout;
    ngx_http_atelier_rate_t     rates[NGX_HTTP_ATELIER_RATES_MAX];
    ngx_uint_t                  nrates;
    ngx_uint_t                  max_fails;   /* 0: no breaker */
    ngx_msec_t                  fail_timeout;
    ngx_http_atelier_place_t    place;

    /* In shared memory, set when the zone is ready: */
    ngx_http_atelier_slot_t    *slot;
    ngx_uint_t                  epoch;       /* of its configuration */
    ngx_http_atelier_window_t  *windows[NGX_HTTP_ATELIER_RATES_MAX];

    /* ... instead of these with scope=shared: */
    ngx_http_atelier_joint_t   *shares[NGX_HTTP_ATELIER_RATES_MAX];
};


/*
 * A parameter of the directive that all parties have: timeout=, rate=,
 * max_fails= and fail_timeout=.  NGX_DECLINED: it is none of these; NGX_ERROR:
 * its value is wrong, which has been said.
 */
ngx_int_t ngx_http_atelier_party_param(ngx_conf_t *cf,
    ngx_http_atelier_party_t *party, ngx_str_t *value);

/* The name of an internal location; NGX_ERROR: it is none, as was said. */
ngx_int_t ngx_http_atelier_party_location(ngx_conf_t *cf,
    ngx_http_atelier_party_t *party, ngx_str_t *value, const char *param,
    ngx_str_t *to);


#endif /* NGX_HTTP_ATELIER_PARTY_H */
