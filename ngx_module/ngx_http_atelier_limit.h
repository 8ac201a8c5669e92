/*
 * Whether a provider may be asked, decided over all workers: sliding windows
 * of call times, a "not before" that its own refusals set for everyone, and a
 * breaker (core/at_breaker.h) that opens when it fails time and again.
 */

#ifndef NGX_HTTP_ATELIER_LIMIT_H
#define NGX_HTTP_ATELIER_LIMIT_H


#include "ngx_http_atelier_party.h"
#include "ngx_http_atelier_joint.h"


/* What a lane reserved, and where it came from. */
typedef struct {
    ngx_msec_t        at;             /* the time it stands under */
    ngx_msec_t        wait;           /* if refused: for so many ms */
    unsigned          probe;          /* of a half-open breaker: its number */
    unsigned          open:1;         /* if refused: by the breaker */

    /* its calls in windows shared by nodes */
    ngx_http_atelier_joint_ticket_t   tickets[NGX_HTTP_ATELIER_RATES_MAX];
} ngx_http_atelier_reservation_t;


/*
 * Takes one call from every window of the provider.  NGX_BUSY: none was
 * taken, and the reservation says why and for how long.  Every NGX_OK is
 * settled by one ngx_http_atelier_limit_settle().
 */
ngx_int_t ngx_http_atelier_limit_take(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party,
    ngx_http_atelier_reservation_t *reservation);

/* The call is over.  sent 0: nothing left for it, so the call is given back. */
void ngx_http_atelier_limit_settle(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party,
    ngx_http_atelier_reservation_t *reservation,
    at_breaker_outcome_e outcome, ngx_uint_t sent);

/* The provider is useless as it is configured: not asked before a reload. */
void ngx_http_atelier_limit_disable(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party);

/* No worker asks the provider for so many ms; a longer pause stays. */
void ngx_http_atelier_limit_pause(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_msec_t ms);

/*
 * In how many ms a call could be made (0: now, NGX_MAX_INT_T_VALUE: not before
 * a reload); takes nothing.
 */
ngx_msec_t ngx_http_atelier_limit_wait(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party);

/* Calls that are left in this window, by its index. */
ngx_uint_t ngx_http_atelier_limit_left(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n);

at_breaker_state_e ngx_http_atelier_limit_breaker(
    ngx_http_atelier_zone_t *zone, ngx_http_atelier_party_t *party);

/* One more latency of a good picture, or at least so much. */
void ngx_http_atelier_limit_latency(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_msec_t ms);

/* The 95th percentile of the last ones; NGX_ERROR: too few to say. */
ngx_int_t ngx_http_atelier_limit_p95(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party);


#endif /* NGX_HTTP_ATELIER_LIMIT_H */
