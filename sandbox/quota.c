/*
 * Quotas of image sources: so many calls in a window of time.
 *
 * A window begins at its first call and is over when its time is; a reset of
 * the provider, and a setting that changes it, begin a new one.  The windows
 * of a provider are guarded by the lock of this file.
 */

#include <pthread.h>

#include "source.h"


static pthread_mutex_t  sb_quota_lock = PTHREAD_MUTEX_INITIALIZER;


static void
sb_quota_renew(sb_quota_t *q, const sb_call_t *c, long long limit,
    int64_t ms, int64_t now)
{
    if (q->limit == limit && q->ms == ms && q->epoch == c->epoch
        && now - q->began < ms)
    {
        return;
    }

    q->limit = limit;
    q->ms = ms;
    q->epoch = c->epoch;
    q->began = now;
    q->used = 0;
}


/*
 * Takes one call off every window; SB_ERROR: one of them is used up, and then
 * nothing is taken.  The call's quota shows what is left either way.
 */

int
sb_quota_take(sb_call_t *c)
{
    int                   i, rc;
    int64_t               now, ms;
    long long             limit;
    sb_quota_t           *q;
    const sb_window_t    *w;
    const sb_settings_t  *s;

    rc = SB_OK;
    now = sb_now_ms();
    s = &c->settings;
    q = c->provider->quota;

    pthread_mutex_lock(&sb_quota_lock);

    for (i = 0; i < SB_WINDOWS; i++) {
        w = &c->api->source->windows[i];
        limit = i ? s->long_limit : s->limit;

        if (limit < 0 && w->seconds) {
            limit = w->limit;
        }

        ms = (i == 0 && s->window_ms)
             ? s->window_ms : (int64_t) (w->seconds ? w->seconds : 60) * 1000;

        sb_quota_renew(&q[i], c, limit, ms, now);

        if (limit >= 0 && q[i].used >= limit) {
            rc = SB_ERROR;
        }
    }

    for (i = 0; i < SB_WINDOWS; i++) {
        if (rc == SB_OK) {
            q[i].used++;
        }

        c->quota[i] = q[i];
        c->quota[i].left_ms = q[i].began + q[i].ms - now;
    }

    pthread_mutex_unlock(&sb_quota_lock);

    c->metered = 1;

    return rc;
}


long long
sb_quota_remaining(const sb_quota_t *q)
{
    return q->used < q->limit ? q->limit - q->used : 0;
}


/* Seconds until every window that is used up is over. */

double
sb_quota_wait(const sb_call_t *c)
{
    int     i;
    double  seconds;

    seconds = 0;

    for (i = 0; i < SB_WINDOWS; i++) {
        if (c->quota[i].limit >= 0 && c->quota[i].used >= c->quota[i].limit
            && (double) c->quota[i].left_ms / 1000 > seconds)
        {
            seconds = (double) c->quota[i].left_ms / 1000;
        }
    }

    return seconds;
}
