/*
 * Whether a provider may be asked (see ngx_http_atelier_limit.h).
 *
 * All state is in the zone, under its mutex, and nothing slow happens there.
 * Times are ngx_current_msec, which is monotonic and the same for all workers
 * of the machine; they are compared by differences, so a wrap is harmless.
 */

#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_quota.h"
#include "ngx_http_atelier_zone.h"


/* A probe that is out so long past its deadline went with its worker. */
#define NGX_HTTP_ATELIER_PROBE_LOST  1000

/* Fewer latencies than these say nothing. */
#define NGX_HTTP_ATELIER_LATENCIES_MIN  10


static ngx_msec_t ngx_http_atelier_limit_refused(
    ngx_http_atelier_zone_t *zone, ngx_http_atelier_party_t *party,
    ngx_msec_t now, ngx_uint_t *open);
static ngx_msec_t ngx_http_atelier_limit_window(
    ngx_http_atelier_party_t *party, ngx_uint_t i, ngx_msec_t now);
static ngx_uint_t ngx_http_atelier_limit_tell(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_slot_t *slot, ngx_msec_t until);
static ngx_msec_t ngx_http_atelier_limit_span(ngx_http_atelier_window_t *w);
static ngx_http_atelier_window_t *ngx_http_atelier_limit_ring(
    ngx_http_atelier_party_t *party, ngx_uint_t n);
static ngx_uint_t ngx_http_atelier_limit_slot(ngx_http_atelier_window_t *w,
    ngx_uint_t n);
static void ngx_http_atelier_limit_push(ngx_http_atelier_window_t *w,
    ngx_msec_t now);
static void ngx_http_atelier_limit_pop(ngx_http_atelier_window_t *w,
    ngx_msec_t at);
static int ngx_libc_cdecl ngx_http_atelier_cmp_ms(const void *one,
    const void *two);


ngx_int_t
ngx_http_atelier_limit_take(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party,
    ngx_http_atelier_reservation_t *reservation)
{
    ngx_uint_t  i, open, soon;
    ngx_msec_t  now;

    soon = 0;

    ngx_memzero(reservation, sizeof(ngx_http_atelier_reservation_t));

    now = ngx_current_msec;

    ngx_shmtx_lock(&zone->pool->mutex);

    reservation->wait = ngx_http_atelier_limit_refused(zone, party, now,
                                                       &open);

    if (reservation->wait) {
        reservation->open = open;

        if (zone->conf->limits) {
            soon = ngx_http_atelier_joint_want(party, now);
        }

        ngx_shmtx_unlock(&zone->pool->mutex);

        if (soon) {
            ngx_http_atelier_joint_soon();
        }

        return NGX_BUSY;
    }

    for (i = 0; i < party->nrates; i++) {
        if (party->shares[i]) {
            soon |= ngx_http_atelier_joint_push(party, i, now,
                                                &reservation->tickets[i]);
            continue;
        }

        ngx_http_atelier_limit_push(ngx_http_atelier_limit_ring(party, i),
                                    now);
    }

    ngx_http_atelier_quota_take(party, 1);

    if (party->max_fails) {
        reservation->probe = at_breaker_ask(&party->slot->breaker, now,
                                            party->timeout
                                            + NGX_HTTP_ATELIER_PROBE_LOST);
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    reservation->at = now;

    if (soon) {
        ngx_http_atelier_joint_soon();
    }

    return NGX_OK;
}


void
ngx_http_atelier_limit_settle(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party,
    ngx_http_atelier_reservation_t *reservation,
    at_breaker_outcome_e outcome, ngx_uint_t sent)
{
    ngx_uint_t          i, soon, reported;
    at_breaker_t       *breaker;
    at_breaker_rules_t  rules;

    soon = 0;
    reported = 0;
    breaker = &party->slot->breaker;

    rules.max_fails = party->max_fails;
    rules.fail_timeout = party->fail_timeout;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (!sent) {
        ngx_http_atelier_quota_take(party, -1);

        for (i = 0; i < party->nrates; i++) {
            if (party->shares[i]) {
                reported |= ngx_http_atelier_joint_pop(party, i,
                                                  &reservation->tickets[i])
                            << i;
                continue;
            }

            ngx_http_atelier_limit_pop(ngx_http_atelier_limit_ring(party,
                                                                   i),
                                       reservation->at);
        }
    }

    at_breaker_settle(breaker, &rules, ngx_current_msec, reservation->probe,
                      outcome, ngx_current_msec - reservation->at);

    if (outcome == AT_BREAKER_FAILED
        && at_breaker_state(breaker, ngx_current_msec) == AT_BREAKER_OPEN)
    {
        soon = ngx_http_atelier_limit_tell(zone, party->slot,
                       ngx_current_msec
                       + at_breaker_wait(breaker, ngx_current_msec));
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    for (i = 0; reported; i++, reported >>= 1) {
        if (reported & 1) {
            ngx_http_atelier_joint_give_back(zone, party, i,
                                             reservation->tickets[i].id);
        }
    }

    if (soon) {
        ngx_http_atelier_joint_soon();
    }
}


void
ngx_http_atelier_limit_disable(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    ngx_http_atelier_slot_t  *slot;

    slot = party->slot;

    ngx_shmtx_lock(&zone->pool->mutex);
    slot->disabled = ngx_max(slot->disabled, party->epoch);
    ngx_shmtx_unlock(&zone->pool->mutex);
}


void
ngx_http_atelier_limit_pause(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_msec_t ms)
{
    ngx_uint_t                soon;
    ngx_msec_t                until;
    ngx_http_atelier_slot_t  *slot;

    slot = party->slot;
    until = ngx_max(ngx_current_msec + ms, 1);

    ngx_shmtx_lock(&zone->pool->mutex);

    if (slot->not_before == 0
        || (ngx_msec_int_t) (until - slot->not_before) > 0)
    {
        slot->not_before = until;
    }

    soon = ngx_http_atelier_limit_tell(zone, slot, until);

    ngx_shmtx_unlock(&zone->pool->mutex);

    if (soon) {
        ngx_http_atelier_joint_soon();
    }
}


/* Other nodes are to know of a pause, too.  1: there are such. */

static ngx_uint_t
ngx_http_atelier_limit_tell(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_slot_t *slot, ngx_msec_t until)
{
    if (zone->conf->limits == NULL) {
        return 0;
    }

    if (slot->tell == 0 || (ngx_msec_int_t) (until - slot->tell) > 0) {
        slot->tell = ngx_max(until, 1);
    }

    return 1;
}


ngx_msec_t
ngx_http_atelier_limit_wait(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    ngx_uint_t  open;
    ngx_msec_t  wait;

    ngx_shmtx_lock(&zone->pool->mutex);
    wait = ngx_http_atelier_limit_refused(zone, party, ngx_current_msec, &open);
    ngx_shmtx_unlock(&zone->pool->mutex);

    return wait;
}


ngx_uint_t
ngx_http_atelier_limit_left(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n)
{
    ngx_uint_t                  i, calls, left, used;
    ngx_msec_t                  now, span;
    ngx_http_atelier_window_t  *w;

    now = ngx_current_msec;
    calls = party->rates[n].calls;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (party->shares[n]) {
        left = ngx_http_atelier_joint_left(zone, party, n, now);
        ngx_shmtx_unlock(&zone->pool->mutex);
        return left;
    }

    w = ngx_http_atelier_limit_ring(party, n);
    span = ngx_http_atelier_limit_span(w);
    used = w->count;

    /* the oldest come first */

    for (i = 0; i < w->count; i++) {
        if ((ngx_msec_int_t) (now - w->at[ngx_http_atelier_limit_slot(w, i)])
            < (ngx_msec_int_t) span)
        {
            break;
        }

        used--;
    }

    left = (calls > used) ? calls - used : 0;

    ngx_shmtx_unlock(&zone->pool->mutex);

    return left;
}


at_breaker_state_e
ngx_http_atelier_limit_breaker(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    at_breaker_state_e        state;
    ngx_http_atelier_slot_t  *slot;

    slot = party->slot;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (slot->disabled >= party->epoch) {
        state = AT_BREAKER_OPEN;

    } else if (party->max_fails == 0) {
        state = AT_BREAKER_CLOSED;

    } else {
        state = at_breaker_state(&slot->breaker, ngx_current_msec);
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return state;
}


/*
 * How long to wait, under the mutex; 0: not refused.  Past pauses are cleared
 * so that a wrap of the clock cannot bring them back.
 */

static ngx_msec_t
ngx_http_atelier_limit_refused(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_msec_t now, ngx_uint_t *open)
{
    ngx_uint_t                  i;
    ngx_msec_t                  wait, quota;
    ngx_msec_int_t              left;
    ngx_http_atelier_slot_t    *slot;

    wait = 0;
    *open = 0;
    slot = party->slot;

    if (slot->disabled >= party->epoch) {
        *open = 1;
        return NGX_MAX_INT_T_VALUE;
    }

    if (party->max_fails) {
        wait = at_breaker_wait(&slot->breaker, now);
        *open = (wait != 0);
    }

    if (slot->not_before) {
        left = (ngx_msec_int_t) (slot->not_before - now);

        if (left <= 0) {
            slot->not_before = 0;

        } else if ((ngx_msec_t) left > wait) {
            *open = 0;
            wait = left;
        }
    }

    quota = ngx_http_atelier_quota_wait(party, now);

    if (quota > wait) {
        *open = 0;
        wait = quota;
    }

    for (i = 0; i < party->nrates; i++) {

        if (ngx_http_atelier_quota_rules(party, &party->rates[i], now)) {
            continue;
        }

        left = party->shares[i]
               ? ngx_http_atelier_joint_wait(zone, party, i, now)
               : ngx_http_atelier_limit_window(party, i, now);

        if ((ngx_msec_t) left > wait) {
            *open = 0;
            wait = left;
        }
    }

    return wait;
}


/* How long one window of this node refuses. */

static ngx_msec_t
ngx_http_atelier_limit_window(ngx_http_atelier_party_t *party, ngx_uint_t i,
    ngx_msec_t now)
{
    ngx_uint_t                  n, calls;
    ngx_msec_int_t              left;
    ngx_http_atelier_window_t  *w;

    w = ngx_http_atelier_limit_ring(party, i);
    calls = party->rates[i].calls;

    if (w->count < calls) {
        return 0;
    }

    /*
     * The call that has to leave the window first.  Another worker's clock,
     * cached at the start of its loop turn, may be a little ahead of ours: the
     * age can be below zero.
     */

    n = ngx_http_atelier_limit_slot(w, w->count - calls);

    left = (ngx_msec_int_t) ngx_http_atelier_limit_span(w)
           - (ngx_msec_int_t) (now - w->at[n]);

    return ngx_max(left, 0);
}


/*
 * The provider counts calls when they arrive, and the way there takes a
 * different time for each: a window is kept half a percent longer.
 */

static ngx_msec_t
ngx_http_atelier_limit_span(ngx_http_atelier_window_t *w)
{
    return w->period + w->period / 200;
}


/* The ring of the nth rate; a later configuration may have moved it. */

static ngx_http_atelier_window_t *
ngx_http_atelier_limit_ring(ngx_http_atelier_party_t *party,
    ngx_uint_t n)
{
    ngx_http_atelier_window_t  *w;

    w = party->windows[n];

    while (w->moved) {
        w = w->moved;
    }

    return w;
}


/* Where the nth call of the ring stands, the oldest being 0. */

static ngx_uint_t
ngx_http_atelier_limit_slot(ngx_http_atelier_window_t *w, ngx_uint_t n)
{
    n += w->first;

    return (n < w->capacity) ? n : n - w->capacity;
}


static void
ngx_http_atelier_limit_push(ngx_http_atelier_window_t *w, ngx_msec_t now)
{
    ngx_msec_t  last;

    /* a worker whose clock is behind must not free its slot too early */

    if (w->count) {
        last = w->at[ngx_http_atelier_limit_slot(w, w->count - 1)];

        if ((ngx_msec_int_t) (last - now) > 0) {
            now = last;
        }
    }

    /* a full ring has an oldest call that has left the window */

    if (w->count == w->capacity) {
        w->first = ngx_http_atelier_limit_slot(w, 1);
        w->count--;
    }

    w->at[ngx_http_atelier_limit_slot(w, w->count)] = now;
    w->count++;
}


/*
 * Takes back a call made at that time, or the one after it, which stands under
 * the later time of another worker.
 */

static void
ngx_http_atelier_limit_pop(ngx_http_atelier_window_t *w, ngx_msec_t at)
{
    ngx_uint_t  i, n, next;

    /* one that has left the window may have left the ring as well */

    if (w->count == 0
        || (ngx_msec_int_t) (ngx_current_msec - at)
           >= (ngx_msec_int_t) ngx_http_atelier_limit_span(w))
    {
        return;
    }

    for (i = w->count; i > 1; i--) {
        n = ngx_http_atelier_limit_slot(w, i - 2);

        if ((ngx_msec_int_t) (w->at[n] - at) < 0) {
            break;
        }
    }

    for ( /* void */ ; i < w->count; i++) {
        n = ngx_http_atelier_limit_slot(w, i - 1);
        next = ngx_http_atelier_limit_slot(w, i);
        w->at[n] = w->at[next];
    }

    w->count--;
}


void
ngx_http_atelier_limit_latency(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_msec_t ms)
{
    ngx_http_atelier_latencies_t  *l;

    l = &party->slot->latencies;

    ngx_shmtx_lock(&zone->pool->mutex);
    l->ms[l->count++ % NGX_HTTP_ATELIER_LATENCIES] = (uint32_t) ms;
    ngx_shmtx_unlock(&zone->pool->mutex);
}


ngx_int_t
ngx_http_atelier_limit_p95(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party)
{
    ngx_uint_t                    n;
    ngx_http_atelier_latencies_t  l;

    ngx_shmtx_lock(&zone->pool->mutex);
    l = party->slot->latencies;
    ngx_shmtx_unlock(&zone->pool->mutex);

    n = ngx_min(l.count, NGX_HTTP_ATELIER_LATENCIES);

    if (n < NGX_HTTP_ATELIER_LATENCIES_MIN) {
        return NGX_ERROR;
    }

    ngx_qsort(l.ms, n, sizeof(uint32_t), ngx_http_atelier_cmp_ms);

    return l.ms[n * 95 / 100];
}


static int ngx_libc_cdecl
ngx_http_atelier_cmp_ms(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}
