/*
 * What an adaptive schedule saves: prices of 10,000 products over 30 days,
 * out of a seed, are looked at as atelier-prices would and at a fixed
 * interval, and requests and staleness are counted.
 *
 *     schedule [SEED]
 *
 * A trace is made of products whose rates of change are lognormal: half of
 * them change less than every ten days, and the spread says how much livelier
 * the others are.  Two changes of three happen between 21 h and 3 h of each
 * day.  Staleness is the time that a shown price has been out of date, its
 * mean over all products and all the time; the schedule begins with knowing
 * nothing of any product.  Nothing here is measured with a clock: the same
 * seed gives the same figures everywhere.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "at_heap.h"
#include "shop/at_shop_when.h"


#define PRODUCTS   10000
#define DAYS       30
#define HOUR       3600000.0
#define END        (DAYS * 24 * HOUR)
#define MEDIAN     (1 / 240.0)          /* changes an hour */
#define CHANGES    100000               /* of one product */


typedef struct {
    at_heap_node_t   node;
    double          *at;                /* changes */
    size_t           n;
    size_t           i;                 /* the first that is not seen yet */
    double           rate;
    int64_t          last;
} product_t;



typedef struct {
    double  requests;
    double  stale;              /* ms, mean */
    double  wrong;              /* share of the time */
} result_t;


static product_t  products[PRODUCTS];
static uint64_t   seed;


static uint64_t
number(void)
{
    uint64_t  z;

    z = (seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

    return z ^ (z >> 31);
}


static double
chance(void)
{
    return ((double) (number() >> 11) + 0.5) / 9007199254740992.0;
}


static double
normal(void)
{
    return sqrt(-2 * log(chance())) * cos(6.283185307179586 * chance());
}


/* How lively an hour of the day is; 1 on the average. */

static double
lively(double at)
{
    double  hour;

    hour = fmod(at / HOUR, 24);

    return (hour < 3 || hour >= 21) ? 8 / 3.0 : 4 / 9.0;
}


/* By thinning. */

static void
make_product(product_t *p, double rate)
{
    double         at;
    static double  times[CHANGES];

    p->n = 0;
    at = 0;

    for ( ;; ) {
        at -= log(chance()) / (rate * 8 / 3.0) * HOUR;

        if (at >= END || p->n == CHANGES) {
            break;
        }

        if (chance() < lively(at) / (8 / 3.0)) {
            times[p->n++] = at;
        }
    }

    free(p->at);
    p->at = malloc((p->n + 1) * sizeof(double));

    if (p->at == NULL) {
        exit(1);
    }

    for (size_t i = 0; i < p->n; i++) {
        p->at[i] = times[i];
    }
}


static double
make_trace(double spread)
{
    double  n;

    n = 0;

    for (size_t i = 0; i < PRODUCTS; i++) {
        double  rate = MEDIAN * exp(spread * normal());

        make_product(&products[i], rate > 60 ? 60 : rate);
        n += (double) products[i].n;
    }

    return n / PRODUCTS / DAYS / 24;
}


static void
count(product_t *p, double at, result_t *r)
{
    if (p->i < p->n && p->at[p->i] < at) {
        r->wrong += at - p->at[p->i];
        r->stale += (at - p->at[p->i]) * (at - p->at[p->i]) / 2;
    }

    while (p->i < p->n && p->at[p->i] < at) {
        p->i++;
    }
}


/* All products in the order of time, since they learn from each other. */

static result_t
replay(const at_shop_when_t *when)
{
    int              changed;
    double           at;
    result_t         r = { 0, 0, 0 };
    product_t       *p;
    at_heap_t        heap = { .nodes = NULL };
    at_shop_day_t    day = { .seen = { 0 } };

    for (size_t i = 0; i < PRODUCTS; i++) {
        p = &products[i];
        p->i = 0;
        p->rate = 0;
        p->last = 0;

        if (at_heap_set(&heap, &p->node,
                        (int64_t) ((double) when->usual * chance())) != AT_OK)
        {
            exit(1);
        }
    }

    for ( ;; ) {
        p = at_heap_owner(at_heap_first(&heap), product_t, node);
        at = (double) p->node.at;

        if (at >= END) {
            break;
        }

        changed = (p->i < p->n && p->at[p->i] < at);
        count(p, at, &r);
        r.requests++;

        at_shop_day_saw(&day, p->rate > 0 ? p->rate : when->rate, p->node.at,
                        p->node.at - p->last, changed);
        p->rate = at_shop_when_rate(when, p->rate, p->last,
                                    p->node.at - p->last, changed);
        p->last = p->node.at;
        (void) at_heap_set(&heap, &p->node, p->last + at_shop_when_jitter(
                               at_shop_when_interval(when, &day, p->rate,
                                                     p->last, p->last),
                               (uint32_t) number()));
    }

    for (size_t i = 0; i < PRODUCTS; i++) {
        count(&products[i], END, &r);
        at_heap_remove(&heap, &products[i].node);
    }

    at_heap_free(&heap);
    r.stale /= PRODUCTS * END;
    r.wrong /= PRODUCTS * END;

    return r;
}


static result_t
replay_fixed(double fixed)
{
    result_t  r = { 0, 0, 0 };

    for (size_t i = 0; i < PRODUCTS; i++) {
        products[i].i = 0;

        for (double at = fixed * chance(); at < END; at += fixed) {
            count(&products[i], at, &r);
            r.requests++;
        }

        count(&products[i], END, &r);
    }

    r.stale /= PRODUCTS * END;
    r.wrong /= PRODUCTS * END;

    return r;
}


/* The fixed interval that is as stale, or takes as many requests. */

static result_t
fixed_like(const result_t *want, int stale)
{
    double    low, high, mid;
    result_t  r;

    low = 600000;
    high = 4 * 24 * HOUR;
    r = replay_fixed(low);

    for (int i = 0; i < 14; i++) {
        mid = (low + high) / 2;
        r = replay_fixed(mid);

        if (stale ? r.stale < want->stale : r.requests > want->requests) {
            low = mid;

        } else {
            high = mid;
        }
    }

    return r;
}


static void
compare(double spread, double usual, double prior)
{
    double          rate;
    result_t        ours, stale, equal;
    at_shop_when_t  when = {
        .usual = (int64_t) (usual * HOUR), .least = 600000,
        .most = (int64_t) (72 * HOUR), .memory = (int64_t) (14 * 24 * HOUR)
    };

    rate = make_trace(spread);
    when.rate = rate * prior;
    ours = replay(&when);
    stale = fixed_like(&ours, 1);
    equal = fixed_like(&ours, 0);

    printf("%6.1f %8.1f %6.1f %6.1f %9.0f %9.2f %9.0f %7.1f %% %9.2f "
           "%7.1f %%\n", spread, 1 / rate, usual, prior, ours.requests,
           ours.stale / 60000, stale.requests,
           100 - 100 * ours.requests / stale.requests, equal.stale / 60000,
           100 - 100 * ours.stale / equal.stale);
}


int
main(int argc, char **argv)
{
    static const double  runs[][3] = {
        { 1, 3, 1 }, { 1.5, 3, 1 }, { 2, 6, 1 }, { 2, 3, 1 }, { 2, 1, 1 },
        { 2.5, 3, 1 },

        /* what is believed of most products is wrong */

        { 2, 3, 0.2 }, { 2, 3, 5 }
    };

    printf("%6s %8s %6s %6s %9s %9s %9s %9s %9s %9s\n", "spread",
           "h/change", "usual", "prior", "requests", "stale min", "as stale",
           "fewer", "as many", "less");

    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        seed = (argc > 1) ? strtoull(argv[1], NULL, 10) : 1;
        compare(runs[i][0], runs[i][1], runs[i][2]);
    }

    return 0;
}
