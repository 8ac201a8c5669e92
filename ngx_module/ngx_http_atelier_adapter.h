/*
 * AI providers as lanes of the fan-out: makes the calls that a state machine
 * of core/ai wants, feeds it the answers, and tells the limits what they
 * showed of the provider.
 */

#ifndef NGX_HTTP_ATELIER_ADAPTER_H
#define NGX_HTTP_ATELIER_ADAPTER_H


#include "ngx_http_atelier_fanout.h"
#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_provider.h"


/*
 * A lane of this provider for this request.  The generation must outlive the
 * request's pool cleanup handlers that were added later than it.  Once it is
 * launched the lane settles the reservation; until then, and without memory
 * (NULL), that is the caller's.
 */
ngx_http_atelier_lane_t *ngx_http_atelier_provider_lane(
    ngx_http_atelier_fanout_t *f, ngx_http_atelier_provider_t *provider,
    const at_generate_t *generate,
    ngx_http_atelier_reservation_t *reservation);

/*
 * A lane that polls a job which an earlier one of this provider and request
 * has left running.  Polls are no calls, so there is no reservation.  NULL: no
 * memory, or the provider has no such jobs.
 */
ngx_http_atelier_lane_t *ngx_http_atelier_provider_adopt(
    ngx_http_atelier_fanout_t *f, ngx_http_atelier_provider_t *provider,
    const at_generate_t *generate, at_str_t job);

/* The provider of such a lane. */
ngx_http_atelier_provider_t *ngx_http_atelier_lane_provider(
    ngx_http_atelier_lane_t *lane);

/*
 * The subrequest for a call of the provider's format, c.  Its strings are used
 * in place: they must be valid until the call's answer has ended.
 */
ngx_int_t ngx_http_atelier_provider_call(ngx_http_request_t *r,
    ngx_http_atelier_provider_t *provider, const at_ai_call_t *c,
    ngx_http_atelier_call_t *call);

at_ai_lane_t *ngx_http_atelier_lane_ai(ngx_http_atelier_lane_t *lane);

/*
 * The provider's id of the job that a lane has left running when it ended
 * without a picture, or empty: what at_ai_lane_adopt() goes on with.  It lives
 * as long as the lane.  A job that nobody is to adopt must be called off.
 */
at_str_t ngx_http_atelier_lane_job(ngx_http_atelier_lane_t *lane);

/*
 * A job goes on at the provider, and is paid for, when its lane does not: it
 * is called off, by a request that outlives this one.  A cancelled lane has
 * done so itself.
 */
void ngx_http_atelier_lane_call_off(ngx_http_atelier_lane_t *lane);


#endif /* NGX_HTTP_ATELIER_ADAPTER_H */
