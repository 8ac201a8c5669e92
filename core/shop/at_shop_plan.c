/*
 * What looks are worth at which hour: see at_shop_plan.h.
 *
 * Let P(u) be the chance that a price has changed u after a look.  Until the
 * next look, after T, it is out of date for C(T), the integral of the integral
 * of P, and a look costs so much that of a product which changes as most do,
 * on a day without hours, one after the usual interval is best: that is where
 * T C'(T) - C(T), the integral of u P(u), is the price of a look.  So the sum
 * over all products is least for the requests it takes.
 */

#include "at_shop_plan.h"

#include <math.h>


#define AT_SHOP_PLAN_MS     3600000LL
#define AT_SHOP_PLAN_SLOT   0.5                 /* hours */
#define AT_SHOP_PLAN_DAYS   28
#define AT_SHOP_PLAN_WAIT   192                 /* slots, at most */
#define AT_SHOP_PLAN_END    (AT_SHOP_PLAN_DAYS * AT_SHOP_PLAN_SLOTS)
#define AT_SHOP_PLAN_STEP   (1 / 6.0)           /* hours */
#define AT_SHOP_PLAN_FINE   (1 / 3600000.0)


typedef struct {
    double    look;                             /* price of one */
    double    least;                            /* hours */
    double    most;
    double    lively[AT_SHOP_PLAN_SLOTS];
    double    dense[AT_SHOP_PLAN_SLOTS];        /* cost of a slot with looks
                                                   all the time, or HUGE */
    unsigned  wait;
    double    old[AT_SHOP_PLAN_SLOTS][AT_SHOP_PLAN_WAIT + 1];
    double    cost[AT_SHOP_PLAN_END + AT_SHOP_PLAN_WAIT + 1];
} at_shop_plan_work_t;


/* How far a wait has come. */
typedef struct {
    double  due;                /* changes */
    double  chance;
    double  age;                /* of what is shown */
    double  old;                /* ... and its integral: C */
} at_shop_wait_t;


/* A rate, and the rows of the plan on both sides of it. */
typedef struct {
    at_shop_gamma_t            rate;
    const at_shop_plan_row_t  *low;
    const at_shop_plan_row_t  *high;
    double                     part;
    double                     start;           /* hour of the day */
    double                     lively[24];
} at_shop_between_t;


static double at_shop_plan_best(const at_shop_between_t *rows, double least,
    double most);
static void at_shop_plan_limits(at_shop_plan_work_t *work,
    const at_shop_when_t *w);
static const at_shop_plan_row_t *at_shop_plan_row(at_shop_plan_t *plan,
    unsigned n, const at_shop_when_t *w, const at_shop_day_t *day,
    int64_t now);
static void at_shop_plan_make(at_shop_plan_row_t *row,
    at_shop_plan_work_t *work, double rate);
static void at_shop_plan_waits(at_shop_plan_work_t *work, double rate);
static void at_shop_plan_back(at_shop_plan_work_t *work, double flat);
static double at_shop_plan_flat(const at_shop_plan_work_t *work, double rate,
    double *interval);
static void at_shop_wait_more(at_shop_wait_t *wait, double hours,
    double middle, double chance);
static double at_shop_plan_gain(double rate, double hours);
static double at_shop_plan_later(const at_shop_between_t *rows, double hour);
static double at_shop_plan_hour(double hours);
static double at_shop_plan_hours(int64_t ms);


int64_t
at_shop_when_interval(const at_shop_when_t *w, at_shop_plan_t *plan,
    const at_shop_day_t *day, double rate, int64_t known, int64_t now)
{
    double             x, best;
    unsigned           n, hour;
    at_shop_between_t  rows;

    now = (now < 0) ? 0 : now;
    rows.rate = at_shop_when_gamma(w, rate, known);
    rows.start = at_shop_plan_hours(now % (24 * AT_SHOP_PLAN_MS));
    x = log2(rows.rate.seen / rows.rate.hours / AT_SHOP_RATE_LEAST);
    x = (x > 0) ? fmin(x, AT_SHOP_PLAN_RATES - 1.001) : 0;
    n = (unsigned) x;
    rows.part = x - n;
    rows.low = at_shop_plan_row(plan, n, w, day, now);
    rows.high = at_shop_plan_row(plan, n + 1, w, day, now);

    for (hour = 0; hour < 24; hour++) {
        rows.lively[hour] = at_shop_day_hour(day, hour);
    }

    best = at_shop_plan_best(&rows, at_shop_plan_hours(w->least),
                             at_shop_plan_hours(w->most))
           * (double) AT_SHOP_PLAN_MS;

    return (best <= (double) w->least || w->most < w->least) ? w->least
           : (best >= (double) w->most) ? w->most : (int64_t) best;
}


/* Where the age until then, and what is to come, cost least. */

static double
at_shop_plan_best(const at_shop_between_t *rows, double least, double most)
{
    double          at, end, step, hour, due, mean, cost, low, best, chance;
    at_shop_wait_t  wait = { 0, 0, 0, 0 };

    mean = rows->low->mean + (rows->high->mean - rows->low->mean) * rows->part;
    low = HUGE_VAL;
    best = least;

    for (at = 0; at < most; at = end) {

        /* as fine as the wait is short, as coarse as it is long */

        step = fmin(fmax(at / 8, least / 4 + AT_SHOP_PLAN_FINE),
                    fmax(AT_SHOP_PLAN_STEP, at / 64));
        end = at + step;
        hour = at_shop_plan_hour(rows->start + at + step / 2);
        due = step * rows->lively[(unsigned) hour];
        wait.due += due;
        chance = at_shop_gamma_chance(&rows->rate, wait.due);
        at_shop_wait_more(&wait, step, (wait.chance + chance) / 2, chance);
        cost = wait.old - mean * end
               + at_shop_plan_later(rows, rows->start + end);

        if (end >= least && cost < low) {
            low = cost;
            best = end;
        }

        /* from here on every moment costs more than any look later saves */

        if (end >= least && wait.age > rows->low->most
            && wait.age > rows->high->most)
        {
            break;
        }
    }

    return best;
}


static const at_shop_plan_row_t *
at_shop_plan_row(at_shop_plan_t *plan, unsigned n, const at_shop_when_t *w,
    const at_shop_day_t *day, int64_t now)
{
    unsigned              slot;
    at_shop_plan_row_t   *row = &plan->rows[n];
    at_shop_plan_work_t   work;

    if (row->made && now >= row->made
        && now - row->made < AT_SHOP_PLAN_MS)
    {
        return row;
    }

    at_shop_plan_limits(&work, w);

    for (slot = 0; slot < AT_SHOP_PLAN_SLOTS; slot++) {
        work.lively[slot] = at_shop_day_hour(day, slot / 2);
    }

    at_shop_plan_make(row, &work, ldexp(AT_SHOP_RATE_LEAST, (int) n));
    row->made = now ? now : 1;

    return row;
}


static void
at_shop_plan_limits(at_shop_plan_work_t *work, const at_shop_when_t *w)
{
    double  usual;

    usual = at_shop_plan_hours(w->usual > 0 ? w->usual : 1);
    work->look = at_shop_plan_gain(at_shop_when_bound(w->rate), usual);
    work->least = at_shop_plan_hours(w->least > 0 ? w->least : 1);
    work->most = fmax(at_shop_plan_hours(w->most), work->least);
    work->wait = (unsigned) fmin(AT_SHOP_PLAN_WAIT,
                                 fmax(1, work->most / AT_SHOP_PLAN_SLOT));
}


static void
at_shop_plan_make(at_shop_plan_row_t *row, at_shop_plan_work_t *work,
    double rate)
{
    double    interval, hour;
    unsigned  slot;

    row->mean = at_shop_plan_flat(work, rate, &interval);
    row->most = row->mean;

    for (slot = 0; slot <= AT_SHOP_PLAN_SLOTS; slot++) {
        row->later[slot] = 0;
    }

    /* who waits for days and days does not mind the hour */

    if (interval > AT_SHOP_PLAN_WAIT * AT_SHOP_PLAN_SLOT) {
        return;
    }

    at_shop_plan_waits(work, rate);
    at_shop_plan_back(work, row->mean);

    row->mean = (work->cost[0] - work->cost[AT_SHOP_PLAN_SLOTS]) / 24;
    row->most = row->mean;

    for (slot = 1; slot <= AT_SHOP_PLAN_SLOTS; slot++) {
        hour = (work->cost[slot - 1] - work->cost[slot]) / AT_SHOP_PLAN_SLOT;
        row->most = fmax(row->most, hour);
        row->later[slot] = row->later[slot - 1]
                           + (row->mean - hour) * AT_SHOP_PLAN_SLOT;
    }
}


/* C of all waits of whole slots; and where looks come all the time, what a
   slot costs with them. */

static void
at_shop_plan_waits(at_shop_plan_work_t *work, double rate)
{
    double          due, interval;
    unsigned        slot, i;
    at_shop_wait_t  wait;

    for (slot = 0; slot < AT_SHOP_PLAN_SLOTS; slot++) {
        due = rate * work->lively[slot];
        work->dense[slot] = at_shop_plan_flat(work, due, &interval)
                            * AT_SHOP_PLAN_SLOT;

        if (interval > 2 * AT_SHOP_PLAN_SLOT) {
            work->dense[slot] = HUGE_VAL;
        }

        wait = (at_shop_wait_t) { 0, 0, 0, 0 };
        work->old[slot][0] = 0;

        for (i = 1; i <= work->wait; i++) {
            due = rate * AT_SHOP_PLAN_SLOT
                  * work->lively[(slot + i - 1) % AT_SHOP_PLAN_SLOTS];
            at_shop_wait_more(&wait, AT_SHOP_PLAN_SLOT,
                              -expm1(-(wait.due + due / 2)),
                              -expm1(-(wait.due + due)));
            wait.due += due;
            work->old[slot][i] = wait.old;
        }
    }
}


static void
at_shop_plan_back(at_shop_plan_work_t *work, double flat)
{
    double         best, cost;
    unsigned       at, slot, i, least;
    const double  *old;

    /* behind the end all days are without hours */

    for (i = 0; i <= AT_SHOP_PLAN_WAIT; i++) {
        work->cost[AT_SHOP_PLAN_END + i] = -flat * AT_SHOP_PLAN_SLOT * i;
    }

    least = (unsigned) fmin(work->wait,
                            fmax(1, ceil(work->least / AT_SHOP_PLAN_SLOT)));

    for (at = AT_SHOP_PLAN_END; at-- > 0; /* void */) {
        slot = at % AT_SHOP_PLAN_SLOTS;
        best = work->dense[slot] + work->cost[at + 1];
        old = work->old[slot];

        for (i = least; i <= work->wait; i++) {
            cost = old[i] + work->look + work->cost[at + i];
            best = (cost < best) ? cost : best;
        }

        work->cost[at] = best;
    }
}


/* What an hour costs, and when to look, on a day without hours. */

static double
at_shop_plan_flat(const at_shop_plan_work_t *work, double rate,
    double *interval)
{
    int     i;
    double  low, high, middle, x, age;

    low = work->least;
    high = work->most;

    for (i = 0; i < 40; i++) {
        middle = sqrt(low * high);

        if (at_shop_plan_gain(rate, middle) < work->look) {
            low = middle;

        } else {
            high = middle;
        }
    }

    *interval = high;
    x = rate * high;
    age = high * ((x < 1e-3) ? x / 2 - x * x / 6 : 1 + expm1(-x) / x);

    /* C(T) = T C'(T) - the integral of u P(u) */

    return (high * age - at_shop_plan_gain(rate, high) + work->look) / high;
}


static void
at_shop_wait_more(at_shop_wait_t *wait, double hours, double middle,
    double chance)
{
    wait->old += hours * (wait->age
                          + hours * (wait->chance + 2 * middle) / 6);
    wait->age += hours * (wait->chance + 4 * middle + chance) / 6;
    wait->chance = chance;
}


/* The integral of u P(u) on a day without hours. */

static double
at_shop_plan_gain(double rate, double hours)
{
    double  x;

    x = rate * hours;

    /* what is left of the difference of large numbers is no number */

    if (x < 1e-3) {
        return hours * hours * (x / 3 - x * x / 8);
    }

    return hours * hours * (0.5 + exp(-x) / x + expm1(-x) / (x * x));
}


static double
at_shop_plan_later(const at_shop_between_t *rows, double hour)
{
    double         x, low, high;
    unsigned       slot;
    const double  *from;

    x = at_shop_plan_hour(hour) / AT_SHOP_PLAN_SLOT;
    slot = (unsigned) x;
    slot = (slot < AT_SHOP_PLAN_SLOTS) ? slot : AT_SHOP_PLAN_SLOTS - 1;
    x -= slot;
    from = &rows->low->later[slot];
    low = from[0] + (from[1] - from[0]) * x;
    from = &rows->high->later[slot];
    high = from[0] + (from[1] - from[0]) * x;

    return low + (high - low) * rows->part;
}


/* Of the day; most waits are short. */

static double
at_shop_plan_hour(double hours)
{
    return (hours < 24) ? hours : (hours < 48) ? hours - 24 : fmod(hours, 24);
}


static double
at_shop_plan_hours(int64_t ms)
{
    return (double) ms / (double) AT_SHOP_PLAN_MS;
}
