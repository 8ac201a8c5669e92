/*
 * Limits of providers (see ngx_http_atelier_limit.h).
 *
 * All state is in the zone, under its mutex, and nothing slow happens there.
 * Times are ngx_current_msec, which is monotonic and the same for all workers
 * of the machine; they are compared by differences, so a wrap is harmless.
 */

#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_zone.h"


static ngx_msec_t ngx_http_atelier_limit_locked(
    ngx_http_atelier_provider_t *provider, ngx_msec_t now);


ngx_int_t
ngx_http_atelier_limit_take(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_provider_t *provider, ngx_msec_t *wait)
{
    ngx_uint_t                  i;
    ngx_msec_t                  now;
    ngx_http_atelier_window_t  *w;

    now = ngx_current_msec;

    ngx_shmtx_lock(&zone->pool->mutex);

    *wait = ngx_http_atelier_limit_locked(provider, now);

    if (*wait) {
        ngx_shmtx_unlock(&zone->pool->mutex);
        return NGX_BUSY;
    }

    for (i = 0; i < provider->nrates; i++) {
        w = provider->windows[i];

        /* a full ring has an oldest call that has left the window */

        if (w->count == w->rate.calls) {
            w->first = (w->first + 1) % w->rate.calls;
            w->count--;
        }

        w->at[(w->first + w->count) % w->rate.calls] = now;
        w->count++;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return NGX_OK;
}


void
ngx_http_atelier_limit_pause(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_provider_t *provider, ngx_msec_t ms)
{
    ngx_msec_t                until;
    ngx_http_atelier_slot_t  *slot;

    slot = provider->slot;
    until = ngx_current_msec + ms;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (slot->not_before == 0
        || (ngx_msec_int_t) (until - slot->not_before) > 0)
    {
        slot->not_before = until;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);
}


ngx_msec_t
ngx_http_atelier_limit_wait(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_provider_t *provider)
{
    ngx_msec_t  wait;

    ngx_shmtx_lock(&zone->pool->mutex);
    wait = ngx_http_atelier_limit_locked(provider, ngx_current_msec);
    ngx_shmtx_unlock(&zone->pool->mutex);

    return wait;
}


static ngx_msec_t
ngx_http_atelier_limit_locked(ngx_http_atelier_provider_t *provider,
    ngx_msec_t now)
{
    ngx_uint_t                  i;
    ngx_msec_t                  wait;
    ngx_msec_int_t              age, left;
    ngx_http_atelier_slot_t    *slot;
    ngx_http_atelier_window_t  *w;

    wait = 0;
    slot = provider->slot;

    if (slot->not_before) {
        left = (ngx_msec_int_t) (slot->not_before - now);

        if (left > 0) {
            wait = left;

        } else {
            slot->not_before = 0;
        }
    }

    for (i = 0; i < provider->nrates; i++) {
        w = provider->windows[i];

        if (w->count < w->rate.calls) {
            continue;
        }

        age = (ngx_msec_int_t) (now - w->at[w->first]);
        left = (ngx_msec_int_t) w->rate.period - age;

        /*
         * Another worker's clock, cached at the start of its loop turn, may
         * be a little ahead of ours: age can be below zero.
         */

        if (left > 0 && (ngx_msec_t) left > wait) {
            wait = left;
        }
    }

    return wait;
}
