/*
 * Limits as the other side tells them: what the headers of a source's answers
 * say is left, which holds over what was configured; and how many calls may
 * be under way at once, over all workers.
 */

#ifndef NGX_HTTP_ATELIER_QUOTA_H
#define NGX_HTTP_ATELIER_QUOTA_H


#include "ngx_http_atelier_party.h"


/* What an answer said. */
void ngx_http_atelier_quota_learn(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, const at_feed_quota_t *quota);

/* What is left of its limits, in percent: of several the lowest. */
ngx_uint_t ngx_http_atelier_quota_left(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party);

/*
 * Leave for one of max calls at once.  NGX_BUSY: there are as many.  It ends
 * with ngx_http_atelier_permit_give(), with the worker, or after ms.
 */
ngx_int_t ngx_http_atelier_permit_take(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t max, ngx_msec_t ms,
    ngx_uint_t *permit);
void ngx_http_atelier_permit_give(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t permit);

/* For the limits alone, under the zone's mutex: */

/* 1: the quota speaks of the same time as this rate, and replaces it. */
ngx_uint_t ngx_http_atelier_quota_rules(ngx_http_atelier_party_t *party,
    ngx_http_atelier_rate_t *rate, ngx_msec_t now);

/* How long until there is some again; 0: there is. */
ngx_msec_t ngx_http_atelier_quota_wait(ngx_http_atelier_party_t *party,
    ngx_msec_t now);

void ngx_http_atelier_quota_take(ngx_http_atelier_party_t *party,
    ngx_int_t calls);


#endif /* NGX_HTTP_ATELIER_QUOTA_H */
