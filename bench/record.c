/*
 * The record of what the providers saw (see record.h).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"


#define RECORD_RACES  (1 << 18)
#define RECORD_CALLS  (1 << 20)         /* of each provider */

/* Calls that were on their way when a 429 was sent arrive within this. */
#define RECORD_AIR    20000000


static void record_print_cancels(bench_record_t *r);
static void record_print_limit(bench_record_t *r);
static void record_print_pause(bench_record_t *r);


int
bench_record_create(bench_record_t *r)
{
    unsigned  i;

    r->races = calloc(RECORD_RACES, sizeof(bench_race_t));
    if (r->races == NULL) {
        return -1;
    }

    for (i = 0; i < BENCH_LANES; i++) {
        r->calls[i].max = RECORD_CALLS;
        r->calls[i].at = malloc(RECORD_CALLS * sizeof(int64_t));

        if (r->calls[i].at == NULL) {
            return -1;
        }
    }

    return 0;
}


void
bench_record_forget(bench_record_t *r)
{
    unsigned  i;

    memset(r->races, 0, RECORD_RACES * sizeof(bench_race_t));

    for (i = 0; i < BENCH_LANES; i++) {
        r->calls[i].n = 0;
    }

    r->good = 0;
    r->cancelled = 0;
    r->refused = 0;
}


static bench_race_t *
record_race(bench_record_t *r, uint64_t number)
{
    bench_race_t  *race;

    race = &r->races[number % RECORD_RACES];

    if (race->number != number) {
        memset(race, 0, sizeof(bench_race_t));
        race->number = number;
    }

    return race;
}


void
bench_record_call(bench_record_t *r, uint64_t number, unsigned lane,
    int64_t now)
{
    bench_calls_t  *calls;

    (void) record_race(r, number);
    calls = &r->calls[lane];

    if (calls->n < calls->max) {
        calls->at[calls->n++] = now;
    }
}


void
bench_record_good(bench_record_t *r, uint64_t number, unsigned lane)
{
    bench_race_t  *race;

    (void) lane;

    race = record_race(r, number);
    r->good++;

    if (race->won == 0) {
        race->won = bench_now();
    }
}


void
bench_record_cancelled(bench_record_t *r, uint64_t number, unsigned lane)
{
    bench_race_t  *race;

    (void) lane;

    race = record_race(r, number);
    r->cancelled++;

    if (race->won) {
        race->cancelled = bench_now();
        race->ncancelled++;
    }
}


void
bench_record_refused(bench_record_t *r, int64_t now)
{
    r->refused = now;
}


void
bench_record_print(bench_record_t *r)
{
    unsigned  i;

    for (i = 0; i < BENCH_LANES; i++) {
        printf("calls%u=%zu\n", i, r->calls[i].n);
    }

    printf("good=%zu\ncancelled=%zu\n", r->good, r->cancelled);

    record_print_cancels(r);

    if (r->window) {
        record_print_limit(r);
    }

    if (r->refused) {
        record_print_pause(r);
    }
}


/* Of races that were won while all others still ran. */

static void
record_print_cancels(bench_record_t *r)
{
    size_t         i, n;
    double        *us, p50, p99, max;
    bench_race_t  *race;

    us = malloc(RECORD_RACES * sizeof(double));
    if (us == NULL) {
        return;
    }

    n = 0;

    for (i = 0; i < RECORD_RACES; i++) {
        race = &r->races[i];

        if (race->won && race->ncancelled == BENCH_LANES - 1) {
            us[n++] = (double) (race->cancelled - race->won) / 1000;
        }
    }

    p50 = bench_quantile(us, n, 0.5);
    p99 = bench_quantile(us, n, 0.99);
    max = bench_quantile(us, n, 1);

    printf("cancel_n=%zu\ncancel_p50=%.0f\ncancel_p99=%.0f\n"
           "cancel_max=%.0f\n", n, p50, p99, max);

    free(us);
}


/*
 * window_max: the most calls of one provider in any window.  window_use: how
 * much of the limit was used, in percent: the window over the mean time that
 * a limit's worth of calls really took; the least of all providers.
 */

static void
record_print_limit(bench_record_t *r)
{
    size_t          i, first, max;
    double          use, least;
    unsigned        lane;
    bench_calls_t  *c;

    max = 0;
    least = 0;

    for (lane = 0; lane < BENCH_LANES; lane++) {
        c = &r->calls[lane];
        first = 0;

        for (i = 0; i < c->n; i++) {
            while (c->at[i] - c->at[first] >= r->window) {
                first++;
            }

            if (i - first + 1 > max) {
                max = i - first + 1;
            }
        }

        use = 0;

        for (i = 0; i + r->limit < c->n; i++) {
            use += (double) (c->at[i + r->limit] - c->at[i]);
        }

        use = i ? 100 * (double) r->window * (double) i / use : 0;

        if (lane == 0 || use < least) {
            least = use;
        }
    }

    printf("window_max=%zu\nwindow_use=%.2f\n", max, least);
}


/*
 * pause_first: ms from the 429 to the next call of the first provider, those
 * aside that were on their way, whose number is pause_air.
 */

static void
record_print_pause(bench_record_t *r)
{
    size_t          i, air;
    bench_calls_t  *c;

    c = &r->calls[0];
    air = 0;

    for (i = 0; i < c->n; i++) {

        if (c->at[i] <= r->refused) {
            continue;
        }

        if (c->at[i] - r->refused > RECORD_AIR) {
            printf("pause_first=%.1f\n",
                   (double) (c->at[i] - r->refused) / 1000000);
            break;
        }

        air++;
    }

    printf("pause_air=%zu\n", air);
}
