/*
 * When to look at a product again: see at_shop_when.h.
 */

#include "at_shop_when.h"

#include <math.h>


#define AT_SHOP_WHEN_HOUR    3600000.0

/* How many changes what most products do counts for: shops' products differ
   much, so little. */
#define AT_SHOP_WHEN_PRIOR   0.3

#define AT_SHOP_WHEN_MS      3600000LL
#define AT_SHOP_WHEN_APART   (AT_SHOP_WHEN_MS / 2)

/* The same for an hour of the day, and looks that say something of it. */
#define AT_SHOP_DAY_PRIOR    10.0
#define AT_SHOP_DAY_HALF     (4 * 24 * AT_SHOP_WHEN_MS)
#define AT_SHOP_DAY_GAP      (24 * AT_SHOP_WHEN_MS)


static double at_shop_when_hours(int64_t ms);
static void at_shop_day_fade(at_shop_day_t *day, int64_t now);


/*
 * What is known of a product's rate is a gamma distribution of shape "seen",
 * changes, and rate "hours", time watched: both fade by exp(-gap / memory),
 * and both have what most products do on top, which does not fade.  hours
 * follows from how long the product has been known, and seen from the mean:
 * so the mean is all that has to be kept.
 */

at_shop_gamma_t
at_shop_when_gamma(const at_shop_when_t *w, double rate, int64_t known)
{
    double           memory, prior;
    at_shop_gamma_t  g;

    prior = AT_SHOP_WHEN_PRIOR / at_shop_when_bound(w->rate);

    if (!(rate > 0)) {
        rate = w->rate;
        known = 0;
    }

    memory = at_shop_when_hours(w->memory > 0 ? w->memory : 1);
    g.hours = prior + memory
                      * -expm1(-at_shop_when_hours(known < 0 ? 0 : known)
                               / memory);
    g.seen = at_shop_when_bound(rate) * g.hours;

    return g;
}


double
at_shop_gamma_chance(const at_shop_gamma_t *g, double hours)
{
    return -expm1(-g->seen * log1p(hours / g->hours));
}


/*
 * A look tells that there was a change, not how many: the mean of the rate,
 * given that, is kept.
 */

double
at_shop_when_rate(const at_shop_when_t *w, double rate, int64_t known,
    int64_t gap, int changed)
{
    double           hours, mean, prior, fade;
    at_shop_gamma_t  g, more;

    g = at_shop_when_gamma(w, rate, known);
    hours = at_shop_when_hours(gap < 0 ? 0 : gap);
    mean = g.seen / (g.hours + hours);

    if (changed) {
        more = g;
        more.seen += 1;
        mean = g.seen / g.hours;

        if (hours > 0) {
            mean *= at_shop_gamma_chance(&more, hours)
                    / at_shop_gamma_chance(&g, hours);

        } else {
            mean *= more.seen / g.seen;
        }
    }

    /* now what is past fades, but for what most products do */

    prior = AT_SHOP_WHEN_PRIOR / at_shop_when_bound(w->rate);
    fade = exp(-hours / at_shop_when_hours(w->memory > 0 ? w->memory : 1));
    g.hours += hours;
    g.seen = mean * g.hours;
    g.seen = (g.seen < AT_SHOP_WHEN_PRIOR) ? g.seen
             : AT_SHOP_WHEN_PRIOR + (g.seen - AT_SHOP_WHEN_PRIOR) * fade;
    g.hours = prior + (g.hours - prior) * fade;

    return at_shop_when_bound(g.seen / g.hours);
}


static double
at_shop_when_hours(int64_t ms)
{
    return (double) ms / AT_SHOP_WHEN_HOUR;
}


double
at_shop_when_bound(double rate)
{
    return (rate < AT_SHOP_RATE_LEAST) ? AT_SHOP_RATE_LEAST
           : (rate > AT_SHOP_RATE_MOST) ? AT_SHOP_RATE_MOST : rate;
}


void
at_shop_day_saw(at_shop_day_t *day, double rate, int64_t now, int64_t gap,
    int changed)
{
    double    part[24] = { 0 }, all;
    int64_t   at, next;
    unsigned  hour;

    if (gap <= 0 || gap > AT_SHOP_DAY_GAP || gap > now) {
        return;
    }

    all = 0;

    for (at = now - gap; at < now; at = next) {
        next = (at / AT_SHOP_WHEN_MS + 1) * AT_SHOP_WHEN_MS;
        next = (next > now) ? now : next;
        hour = (unsigned) (at / AT_SHOP_WHEN_MS % 24);
        part[hour] += (double) (next - at) / AT_SHOP_WHEN_HOUR;
    }

    at_shop_day_fade(day, now);

    for (hour = 0; hour < 24; hour++) {
        day->due[hour] += at_shop_when_bound(rate) * part[hour];
        part[hour] *= at_shop_day_hour(day, hour);
        all += part[hour];
    }

    /* it may have been in any of them, in the lively ones rather */

    for (hour = 0; changed && hour < 24; hour++) {
        day->seen[hour] += part[hour] / all;
    }
}


/* What was learned first was learned badly, and shops change their ways. */

static void
at_shop_day_fade(at_shop_day_t *day, int64_t now)
{
    unsigned  hour;

    if (now - day->since < AT_SHOP_DAY_HALF) {
        return;
    }

    day->since = now;

    for (hour = 0; hour < 24; hour++) {
        day->due[hour] /= 2;
        day->seen[hour] /= 2;
    }
}


double
at_shop_day_hour(const at_shop_day_t *day, unsigned hour)
{
    unsigned  i;
    double    seen, due;

    seen = AT_SHOP_DAY_PRIOR;
    due = AT_SHOP_DAY_PRIOR;

    for (i = 0; i < 24; i++) {
        seen += day->seen[i] / 24;
        due += day->due[i] / 24;
    }

    return (day->seen[hour] + AT_SHOP_DAY_PRIOR)
           / (day->due[hour] + AT_SHOP_DAY_PRIOR) * due / seen;
}


int64_t
at_shop_when_failed(const at_shop_when_t *w, at_shop_when_e what,
    int64_t failures)
{
    int64_t  ms, most;

    ms = (what == AT_SHOP_WHEN_GONE) ? w->gone : w->retry;
    most = (what == AT_SHOP_WHEN_GONE) ? w->gone_most : w->retry_most;

    while (failures > 1 && ms < most) {
        ms *= 2;
        failures--;
    }

    return (ms < most) ? ms : most;
}


int64_t
at_shop_when_jitter(int64_t interval, uint32_t random)
{
    int64_t  apart;

    apart = (interval / 10 < AT_SHOP_WHEN_APART) ? interval / 10
                                                 : AT_SHOP_WHEN_APART;

    return interval - apart
           + (int64_t) ((double) (2 * apart) * ((double) random
                                                / (double) UINT32_MAX));
}
