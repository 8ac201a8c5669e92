/*
 * The plan of a run (see plan.h), and the two helpers both programs need: a
 * clock and quantiles.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan.h"


/*
 * Chosen so that the first 1,800 requests, with 30 % errors, are what is to
 * be expected and not what luck gave: 0.8 % of them fail everywhere, and a
 * provider fails five times without a win as often as on average.
 */
#define BENCH_DRAW_SEED   ((uint64_t) 4897 << 32)

#define BENCH_DRAW_FATE   0
#define BENCH_DRAW_DELAY  BENCH_LANES


static int bench_cmp(const void *one, const void *two);


int
bench_plan_parse(bench_plan_t *plan, const char *text)
{
    char    *end;
    size_t   i, len;

    const struct {
        const char  *name;
        unsigned    *value;
    } fields[] = {
        { "delay=", &plan->delay },
        { "jitter=", &plan->jitter },
        { "stagger=", &plan->stagger },
        { "spread=", &plan->spread },
        { "error=", &plan->error },
        { "cut=", &plan->cut },
        { "hang=", &plan->hang },
    };

    memset(plan, 0, sizeof(bench_plan_t));

    while (*text != '\0') {

        for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
            len = strlen(fields[i].name);

            if (strncmp(text, fields[i].name, len) == 0) {
                break;
            }
        }

        if (i == sizeof(fields) / sizeof(fields[0])) {
            return -1;
        }

        *fields[i].value = (unsigned) strtoul(text + len, &end, 10);

        if (end == text + len || (*end != ',' && *end != '\0')) {
            return -1;
        }

        text = (*end == ',') ? end + 1 : end;
    }

    return (plan->jitter <= plan->delay
            && plan->error + plan->cut + plan->hang <= 100) ? 0 : -1;
}


bench_fate_e
bench_plan_fate(const bench_plan_t *plan, uint64_t number, unsigned lane)
{
    unsigned  n;

    n = bench_plan_draw(number, BENCH_DRAW_FATE + lane, 100);

    if (n < plan->error) {
        return BENCH_ERROR;
    }

    n -= plan->error;

    if (n < plan->cut) {
        return BENCH_CUT;
    }

    return (n - plan->cut < plan->hang) ? BENCH_HANG : BENCH_GOOD;
}


unsigned
bench_plan_delay(const bench_plan_t *plan, uint64_t number, unsigned lane)
{
    unsigned  delay;

    delay = plan->delay + lane * plan->stagger;

    if (plan->jitter) {
        delay -= plan->jitter;
        delay += bench_plan_draw(number, BENCH_DRAW_DELAY + lane,
                                 2 * plan->jitter + 1);
    }

    return delay;
}


long
bench_plan_ideal(const bench_plan_t *plan, uint64_t number)
{
    long      best, delay;
    unsigned  lane;

    best = -1;

    for (lane = 0; lane < BENCH_LANES; lane++) {

        if (bench_plan_fate(plan, number, lane) != BENCH_GOOD) {
            continue;
        }

        delay = (long) bench_plan_delay(plan, number, lane) + plan->spread;

        if (best == -1 || delay < best) {
            best = delay;
        }
    }

    return best;
}


/* The finalizer of SplitMix64, which spreads consecutive numbers well. */

unsigned
bench_plan_draw(uint64_t number, unsigned kind, unsigned n)
{
    uint64_t  x;

    x = (number * 64 + kind + 1 + BENCH_DRAW_SEED) * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    x ^= x >> 31;

    return (unsigned) (x % n);
}


int64_t
bench_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


double
bench_quantile(double *v, size_t n, double q)
{
    if (n == 0) {
        return 0;
    }

    qsort(v, n, sizeof(double), bench_cmp);

    return v[(size_t) ((double) (n - 1) * q + 0.5)];
}


static int
bench_cmp(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}
