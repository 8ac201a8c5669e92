/*
 * What an adaptive schedule saves: prices of 10,000 products over 30 days,
 * out of a seed, are looked at as atelier-prices would and at a fixed
 * interval, and requests and staleness are counted.
 *
 *     schedule [SEED [ROW]]
 *
 * A trace is made of products whose rates of change are lognormal (half of
 * them change less than every ten days, and the spread says how much livelier
 * the others are), or gamma distributed.  Two changes of three happen between
 * 21 h and 3 h of each day.  Staleness is the time that a shown price has been
 * out of date, its mean over all products and all the time; beside it stands
 * the share of the time in which one is.  The schedule begins with knowing
 * nothing of any product; what it would save if it had been told all rates and
 * hours, though no change before it is seen, is what nothing can save more
 * than by much.  Nothing here is measured with a clock: the same seed gives
 * the same figures everywhere.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "at_heap.h"
#include "shop/at_shop_plan.h"


#define PRODUCTS   10000
#define DAYS       30
#define HOUR       3600000.0
#define END        (DAYS * 24 * HOUR)
#define MEDIAN     (1 / 240.0)          /* changes an hour */
#define CHANGES    100000               /* of one product */
#define WEEKS      5
#define EVER       (100000 * 24LL * 3600000LL)


typedef struct {
    const char      *name;
    double           spread;
    double           shape;             /* of gamma; 0: lognormal */
    double           usual;             /* hours */
    double           change;            /* ... that most are said to take */
    double           never;             /* share that does not change */
    double           sale;              /* ... that changes once a week */
    int              flat;              /* no hours */
    int              drift;             /* other rates on the 15th day */
} row_t;


typedef struct {
    at_heap_node_t   node;
    double          *at;                /* changes */
    size_t           n;
    size_t           i;                 /* the first that is not seen yet */
    double           rate[2];
    double           known;             /* rate */
    int64_t          last;
} product_t;


typedef struct {
    double  requests;
    double  stale;              /* ms, mean */
    double  wrong;              /* share of the time */
} result_t;


typedef enum {
    STALE,
    WRONG,
    REQUESTS
} like_e;


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


/* Of shape below 1, by Johnk. */

static double
gamma_number(double shape)
{
    double  x, y;

    do {
        x = pow(chance(), 1 / shape);
        y = pow(chance(), 1 / (1 - shape));
    } while (x + y > 1);

    return -log(chance()) * x / (x + y);
}


/* How lively an hour of the day is; 1 on the average. */

static double
lively(const row_t *row, double hour)
{
    return row->flat ? 1 : (hour < 3 || hour >= 21) ? 8 / 3.0 : 4 / 9.0;
}


static double
draw(const row_t *row)
{
    double  rate;

    if (chance() < row->never) {
        return 0;
    }

    rate = (row->shape > 0)
           ? gamma_number(row->shape) / row->shape * MEDIAN * 7
           : MEDIAN * exp(row->spread * normal());

    return rate > 60 ? 60 : rate;
}


static int
earlier(const void *a, const void *b)
{
    double  x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}


/* By thinning; a sale a week, at a time of its own. */

static void
make_product(const row_t *row, product_t *p, const double *sales)
{
    double         at, rate;
    static double  times[CHANGES];

    p->n = 0;
    p->rate[0] = draw(row);
    p->rate[1] = row->drift ? draw(row) : p->rate[0];
    at = 0;

    for (int i = 0; i < WEEKS && sales[i] < END; i++) {
        if (chance() < row->sale) {
            times[p->n++] = sales[i] + chance() * HOUR / 6;
        }
    }

    while (p->n < CHANGES) {
        rate = fmax(p->rate[0], p->rate[1]) * 8 / 3.0;
        at -= (rate > 0) ? log(chance()) / rate * HOUR : -END;

        if (at >= END) {
            break;
        }

        if (chance() * rate < p->rate[at > END / 2]
                              * lively(row, fmod(at / HOUR, 24)))
        {
            times[p->n++] = at;
        }
    }

    qsort(times, p->n, sizeof(double), earlier);
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
make_trace(const row_t *row)
{
    double  n, sales[WEEKS];

    n = 0;

    for (int i = 0; i < WEEKS; i++) {
        sales[i] = (i + chance()) * 7 * 24 * HOUR;
    }

    for (size_t i = 0; i < PRODUCTS; i++) {
        make_product(row, &products[i], sales);
        n += (double) products[i].n;
    }

    return PRODUCTS * DAYS * 24.0 / n;
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


/* What is learned of it, if that is wanted. */

static void
look(product_t *p, const at_shop_when_t *when, at_shop_day_t *day,
    result_t *r)
{
    int      changed;
    int64_t  gap;

    changed = (p->i < p->n && p->at[p->i] < (double) p->node.at);
    count(p, (double) p->node.at, r);
    r->requests++;
    gap = p->node.at - p->last;

    if (day) {
        at_shop_day_saw(day, p->known > 0 ? p->known : when->rate, p->node.at,
                        gap, changed);
        p->known = at_shop_when_rate(when, p->known, p->last, gap, changed);
    }

    p->last = p->node.at;
}


/* All products in the order of time, since they learn from each other. */

static result_t
replay(const row_t *row, const at_shop_when_t *when, int told)
{
    double           at;
    int64_t          first;
    result_t         r = { 0, 0, 0 };
    product_t       *p;
    at_heap_t        heap = { .nodes = NULL };
    at_shop_day_t    day = { .seen = { 0 } };
    at_shop_plan_t   plan = { .rows = { { 0 } } };

    for (unsigned hour = 0; told && hour < 24; hour++) {
        day.due[hour] = 1e9;
        day.seen[hour] = 1e9 * lively(row, hour);
    }

    for (size_t i = 0; i < PRODUCTS; i++) {
        p = &products[i];
        p->i = 0;
        p->known = 0;
        p->last = 0;
        first = (int64_t) ((double) when->usual * chance());

        if (at_heap_set(&heap, &p->node, first) != AT_OK) {
            exit(1);
        }
    }

    for ( ;; ) {
        p = at_heap_owner(at_heap_first(&heap), product_t, node);
        at = (double) p->node.at;

        if (at >= END) {
            break;
        }

        look(p, when, told ? NULL : &day, &r);

        if (told) {
            p->known = fmax(p->rate[at > END / 2], AT_SHOP_RATE_LEAST);
        }

        (void) at_heap_set(&heap, &p->node, p->last + at_shop_when_jitter(
                               at_shop_when_interval(when, &plan, &day,
                                                     p->known,
                                                     told ? EVER : p->last,
                                                     p->last),
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


/* Only looks that find something count here, and there are few. */

static result_t
replay_fixed(double fixed)
{
    double      first, at;
    result_t    r = { 0, 0, 0 };
    product_t  *p;

    for (size_t i = 0; i < PRODUCTS; i++) {
        p = &products[i];
        p->i = 0;
        first = fixed * chance();
        r.requests += floor((END - first) / fixed) + 1;

        while (p->i < p->n) {
            at = first + ceil((p->at[p->i] - first) / fixed) * fixed;
            count(p, fmin(fmax(at, p->at[p->i] + 1), END), &r);
        }
    }

    r.stale /= PRODUCTS * END;
    r.wrong /= PRODUCTS * END;

    return r;
}


/* The fixed interval that is as stale, as often wrong, or takes as many
   requests: each grows with a power of it, nearly. */

static result_t
fixed_like(const result_t *want, like_e like)
{
    double    fixed;
    result_t  r;

    fixed = PRODUCTS * END / want->requests;
    r = replay_fixed(fixed);

    for (int i = 0; i < 6; i++) {
        fixed *= (like == STALE) ? sqrt(want->stale / r.stale)
                 : (like == WRONG) ? want->wrong / r.wrong
                                   : r.requests / want->requests;
        r = replay_fixed(fixed);
    }

    return r;
}


static void
compare(const row_t *row)
{
    double          hours;
    result_t        ours, told, stale, wrong, equal, best;
    at_shop_when_t  when = {
        .usual = (int64_t) (row->usual * HOUR), .least = 600000,
        .most = (int64_t) (72 * HOUR), .memory = (int64_t) (14 * 24 * HOUR),
        .rate = 1 / row->change
    };

    hours = make_trace(row);
    ours = replay(row, &when, 0);
    when.memory = EVER;
    told = replay(row, &when, 1);
    stale = fixed_like(&ours, STALE);
    wrong = fixed_like(&ours, WRONG);
    equal = fixed_like(&ours, REQUESTS);
    best = fixed_like(&told, STALE);

    printf("| %s | %.1f | %g h | %.0f | %.2f min | %.0f | %.1f %% | %.1f %% "
           "| %.1f %% | %.2f %% | %.1f %% |\n", row->name, hours, row->usual,
           ours.requests, ours.stale / 60000, stale.requests,
           100 - 100 * ours.requests / stale.requests,
           100 - 100 * told.requests / best.requests,
           100 - 100 * ours.stale / equal.stale, 100 * ours.wrong,
           100 - 100 * ours.requests / wrong.requests);
    (void) fflush(stdout);
}


int
main(int argc, char **argv)
{
    size_t  i, n, only;

    static const row_t  rows[] = {
        { "spread 1.0", 1.0, 0, 3, 24, 0, 0, 0, 0 },
        { "spread 1.5", 1.5, 0, 3, 24, 0, 0, 0, 0 },
        { "spread 2.0", 2.0, 0, 3, 24, 0, 0, 0, 0 },
        { "spread 2.5", 2.5, 0, 3, 24, 0, 0, 0, 0 },
        { "spread 2.0", 2.0, 0, 6, 24, 0, 0, 0, 0 },
        { "spread 2.0", 2.0, 0, 1, 24, 0, 0, 0, 0 },
        { "gamma, shape 0.3", 0, 0.3, 3, 24, 0, 0, 0, 0 },
        { "half never change", 2.0, 0, 3, 24, 0.5, 0, 0, 0 },
        { "no hours", 2.0, 0, 3, 24, 0, 0, 1, 0 },
        { "other rates at half time", 2.0, 0, 3, 24, 0, 0, 0, 1 },
        { "a sale a week", 1.5, 0, 3, 24, 0, 0.3, 0, 0 },
        { "`change` 5 d", 2.0, 0, 3, 120, 0, 0, 0, 0 },
        { "`change` 5 h", 2.0, 0, 3, 5, 0, 0, 0, 0 }
    };

    n = sizeof(rows) / sizeof(rows[0]);
    only = (argc > 2) ? strtoul(argv[2], NULL, 10) : 0;

    printf("| trace | hours to a change | `usual` | requests | staleness "
           "| fixed, as stale | fewer | told all | less stale "
           "| out of date | fewer |\n|---|---|---|---|---|---|---|---|---|---|"
           "---|\n");

    for (i = 0; i < n; i++) {
        if (only == 0 || only == i + 1) {
            seed = (argc > 1) ? strtoull(argv[1], NULL, 10) : 1;
            compare(&rows[i]);
        }
    }

    return 0;
}
