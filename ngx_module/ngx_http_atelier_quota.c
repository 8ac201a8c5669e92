/*
 * Limits as the other side tells them (see ngx_http_atelier_quota.h).
 *
 * The state is in the party's slot.  A quota is believed until its window is
 * over; calls since then are counted down here, so that all workers together
 * do not pass it before the next answer tells anew.
 */

#include "ngx_http_atelier_quota.h"
#include "ngx_http_atelier_limit.h"


/* How long a quota is believed that does not say how long it is. */
#define NGX_HTTP_ATELIER_QUOTA_WINDOW  60000

/* A stranger's numbers are cut to this, so that they can be reckoned with. */
#define NGX_HTTP_ATELIER_QUOTA_MAX     1000000000


void
ngx_http_atelier_quota_learn(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, const at_feed_quota_t *quota)
{
    int64_t                    ms;
    ngx_http_atelier_quota_t  *q;

    if (!quota->has || quota->remaining < 0) {
        return;
    }

    ms = quota->reset_ms;

    if (ms <= 0) {
        ms = quota->window_ms;
    }

    if (ms <= 0) {
        ms = NGX_HTTP_ATELIER_QUOTA_WINDOW;
    }

    q = &party->slot->quota;

    ngx_shmtx_lock(&zone->pool->mutex);

    q->until = ngx_max(ngx_current_msec + (ngx_msec_t) ms, 1);
    q->window = (quota->window_ms > 0) ? quota->window_ms : 0;
    q->limit = ngx_min(quota->limit, NGX_HTTP_ATELIER_QUOTA_MAX);
    q->left = ngx_min(quota->remaining, NGX_HTTP_ATELIER_QUOTA_MAX);

    ngx_shmtx_unlock(&zone->pool->mutex);
}


/* A window of which nothing more is known is forgotten when it is over. */

static ngx_uint_t
ngx_http_atelier_quota_known(ngx_http_atelier_quota_t *q, ngx_msec_t now)
{
    if (q->until && (ngx_msec_int_t) (q->until - now) <= 0) {
        q->until = 0;
    }

    return q->until != 0;
}


ngx_uint_t
ngx_http_atelier_quota_rules(ngx_http_atelier_party_t *party,
    ngx_http_atelier_rate_t *rate, ngx_msec_t now)
{
    ngx_http_atelier_quota_t  *q;

    q = &party->slot->quota;

    return ngx_http_atelier_quota_known(q, now) && q->window
           && rate->period / 2 <= q->window && q->window / 2 <= rate->period;
}


ngx_msec_t
ngx_http_atelier_quota_wait(ngx_http_atelier_party_t *party, ngx_msec_t now)
{
    ngx_http_atelier_quota_t  *q;

    q = &party->slot->quota;

    if (!ngx_http_atelier_quota_known(q, now) || q->left > 0) {
        return 0;
    }

    return q->until - now;
}


void
ngx_http_atelier_quota_take(ngx_http_atelier_party_t *party, ngx_int_t calls)
{
    if (party->slot->quota.until) {
        party->slot->quota.left -= calls;
    }
}


ngx_uint_t
ngx_http_atelier_quota_left(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    ngx_int_t                  left, limit;
    ngx_uint_t                 i, percent, known;
    ngx_http_atelier_quota_t  *q;

    percent = 100;
    q = &party->slot->quota;

    ngx_shmtx_lock(&zone->pool->mutex);

    known = ngx_http_atelier_quota_known(q, ngx_current_msec);
    left = q->left;
    limit = q->limit;

    ngx_shmtx_unlock(&zone->pool->mutex);

    if (known && limit > 0) {
        percent = (left > 0) ? ngx_min(100, left * 100 / limit) : 0;
    }

    for (i = 0; i < party->nrates; i++) {

        if (known && ngx_http_atelier_quota_rules(party, &party->rates[i],
                                                  ngx_current_msec))
        {
            continue;
        }

        percent = ngx_min(percent,
                          ngx_http_atelier_limit_left(zone, party, i) * 100
                          / party->rates[i].calls);
    }

    return percent;
}


ngx_int_t
ngx_http_atelier_permit_take(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t max, ngx_msec_t ms,
    ngx_uint_t *permit)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_atelier_permit_t  *p;

    p = party->slot->permits;
    max = ngx_min(max, NGX_HTTP_ATELIER_PERMITS_MAX);
    rc = NGX_BUSY;

    ngx_shmtx_lock(&zone->pool->mutex);

    for (i = 0; i < max; i++) {

        if (p[i].pid
            && (ngx_msec_int_t) (p[i].until - ngx_current_msec) > 0
            && (p[i].pid == ngx_pid || kill(p[i].pid, 0) == 0
                || ngx_errno != NGX_ESRCH))
        {
            continue;
        }

        p[i].pid = ngx_pid;
        p[i].until = ngx_current_msec + ms;
        *permit = i;
        rc = NGX_OK;
        break;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return rc;
}


void
ngx_http_atelier_permit_give(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t permit)
{
    ngx_shmtx_lock(&zone->pool->mutex);

    /* one whose time was up may be another worker's by now */

    if (party->slot->permits[permit].pid == ngx_pid) {
        party->slot->permits[permit].pid = 0;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);
}
