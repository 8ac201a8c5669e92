/*
 * What looks are worth at which hour, and so when to look at a product again.
 *
 * With lively and quiet hours it is not enough to ask when the present wait
 * has been long enough: what comes after the next look counts as well.  Just
 * before the lively hours a look is of little use, just behind them of much,
 * and one that would be due in the middle of the night may as well come at its
 * end.  So waits are planned, backwards over four weeks, for each rate of
 * change: the plan says what it costs from each half hour of a day on, in time
 * that a shown price is out of date and in requests, if all later looks come
 * at their best.
 *
 * A plan is made of the hours of a shop, rate by rate as these are asked for,
 * and anew every hour.  All zero at first.  Times are wall time in ms.
 */

#ifndef AT_SHOP_PLAN_H
#define AT_SHOP_PLAN_H


#include "at_shop_when.h"


#define AT_SHOP_PLAN_RATES  33          /* each twice the one before */
#define AT_SHOP_PLAN_SLOTS  48


typedef struct {
    int64_t  made;
    double   mean;                      /* what an hour costs */
    double   most;                      /* ... the dearest */
    double   later[AT_SHOP_PLAN_SLOTS + 1];     /* and a look here, more than
                                                   one at 0 h */
} at_shop_plan_row_t;


typedef struct {
    at_shop_plan_row_t  rows[AT_SHOP_PLAN_RATES];
} at_shop_plan_t;


/*
 * The interval from wall time now on; rate and known as of
 * at_shop_when_rate().
 */
int64_t at_shop_when_interval(const at_shop_when_t *w, at_shop_plan_t *plan,
    const at_shop_day_t *day, double rate, int64_t known, int64_t now);


#endif /* AT_SHOP_PLAN_H */
