/*
 * When to look at a product again.
 *
 * A product's changes are taken for a Poisson process.  How often it changes
 * is estimated from looks that found a change and looks that did not, in the
 * way of Bayes: at first it changes as most do, what was seen weighs more and
 * more, and what is long past is forgotten.
 *
 * Shops change prices at certain hours.  How lively each hour is is learned
 * from all products of a shop together, in the same way.  When to look follows
 * from both: at_shop_plan.h.
 *
 * No clocks and no chance of its own: time and random numbers are given.
 * Times are milliseconds, rates changes an hour.
 */

#ifndef AT_SHOP_WHEN_H
#define AT_SHOP_WHEN_H


#include "at.h"


#define AT_SHOP_RATE_LEAST  1e-6
#define AT_SHOP_RATE_MOST   3600.0


typedef struct {
    int64_t   usual;            /* interval of what changes at the rate */
    int64_t   least;
    int64_t   most;
    int64_t   retry;            /* after a failure; doubles */
    int64_t   retry_most;
    int64_t   gone;             /* the same for what is not there */
    int64_t   gone_most;
    int64_t   memory;           /* what is older counts little */
    double    rate;             /* of most products */
} at_shop_when_t;


/*
 * What is known of a product's rate: a gamma distribution of this shape,
 * changes, and this rate, time watched.
 */
typedef struct {
    double   seen;
    double   hours;
} at_shop_gamma_t;


/* Hours of the day in UTC; all zero at first. */
typedef struct {
    double   seen[24];          /* changes */
    double   due[24];           /* ... as were expected of a flat day */
    int64_t  since;             /* wall time; then it has faded */
} at_shop_day_t;


typedef enum {
    AT_SHOP_WHEN_PASSING,       /* no answer, or none to rely on */
    AT_SHOP_WHEN_GONE           /* the shop says there is no such product */
} at_shop_when_e;


/*
 * The rate from now on: it was estimated as rate (not above 0: not yet) from
 * looks over "known", and now a look after gap found a change or did not.
 */
double at_shop_when_rate(const at_shop_when_t *w, double rate, int64_t known,
    int64_t gap, int changed);

at_shop_gamma_t at_shop_when_gamma(const at_shop_when_t *w, double rate,
    int64_t known);

/* The chance of a change within so many hours. */
double at_shop_gamma_chance(const at_shop_gamma_t *g, double hours);

double at_shop_when_bound(double rate);

/* A look at wall time now, after gap, found a change or did not. */
void at_shop_day_saw(at_shop_day_t *day, double rate, int64_t now,
    int64_t gap, int changed);

/* How lively an hour is; 1 is as the whole day. */
double at_shop_day_hour(const at_shop_day_t *day, unsigned hour);

/* The interval after so many failures in a row, from 1. */
int64_t at_shop_when_failed(const at_shop_when_t *w, at_shop_when_e what,
    int64_t failures);

/*
 * A tenth more or less of it, half an hour at most, so that products do not
 * stay together but keep to their hours.
 */
int64_t at_shop_when_jitter(int64_t interval, uint32_t random);


#endif /* AT_SHOP_WHEN_H */
