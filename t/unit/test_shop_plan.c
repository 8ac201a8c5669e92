/*
 * When products are looked at: intervals follow from rates and hours, and stay
 * in bounds whatever is known.
 */

#include "at_test.h"
#include "shop/at_shop_plan.h"

#include <math.h>


#define HOUR  3600000LL
#define DAY   (24 * HOUR)


static const at_shop_when_t  when = {
    .usual = 3 * HOUR, .least = HOUR / 6, .most = 3 * DAY,
    .memory = 14 * DAY, .rate = 1 / 24.0
};

static const at_shop_day_t  flat;


static int64_t
interval(const at_shop_when_t *w, const at_shop_day_t *day, double rate,
    int64_t now)
{
    at_shop_plan_t  plan = { .rows = { { 0 } } };

    return at_shop_when_interval(w, &plan, day, rate, 1000 * DAY, now);
}


/* A shop that changes prices in so many hours from this one on alone. */

static at_shop_day_t
lively(unsigned first, unsigned n)
{
    unsigned       hour;
    at_shop_day_t  day = { .seen = { 0 } };

    for (hour = 0; hour < 24; hour++) {
        day.due[hour] = 1000;
    }

    for (hour = first; hour < first + n; hour++) {
        day.seen[hour % 24] = 24000.0 / n;
    }

    return day;
}


static void
test_rates(void **state)
{
    (void) state;

    /* about the cube root, where changes are rare between two looks */

    assert_true(interval(&when, &flat, 1 / 24.0, 0) > 2.8 * HOUR);
    assert_true(interval(&when, &flat, 1 / 24.0, 0) < 3.4 * HOUR);
    assert_true(interval(&when, &flat, 1 / 24.0 / 8, 0) > 5.6 * HOUR);
    assert_true(interval(&when, &flat, 1 / 24.0 / 8, 0) < 6.6 * HOUR);
    assert_true(interval(&when, &flat, 1 / 3.0, 0) < 2 * HOUR);

    /* ... but what always changes is not worth more and more */

    assert_true(interval(&when, &flat, 1000, 0) > HOUR / 2);
    assert_true(interval(&when, &flat, 1000, 0)
                <= interval(&when, &flat, 10, 0));

    assert_int_equal(interval(&when, &flat, AT_SHOP_RATE_LEAST, 0),
                     when.most);
}


/* All that is planned is good at any scale: of sandboxes, of months. */

static void
test_scales(void **state)
{
    unsigned        i;
    int64_t         one, eight;
    at_shop_when_t  w = when;

    static const int64_t  usual[] = {
        10, 1000, 60000, HOUR / 4, HOUR, 12 * HOUR, 3 * DAY, 30 * DAY
    };

    (void) state;

    w.least = 1;
    w.most = 365 * DAY;

    for (i = 0; i < AT_TEST_N(usual); i++) {
        w.usual = usual[i];
        w.rate = 0.01 * HOUR / (double) usual[i];
        w.memory = 1000 * DAY;
        one = interval(&w, &flat, w.rate, 0);
        eight = interval(&w, &flat, w.rate / 8, 0);

        at_test_true(one >= usual[i] * 0.85 - 1 && one <= usual[i] * 1.15 + 1,
                     "%lld ms became %lld", (long long) usual[i],
                     (long long) one);
        at_test_true(eight >= one * 1.6 && eight <= one * 2.4,
                     "%lld ms, of an eighth %lld", (long long) usual[i],
                     (long long) eight);
    }
}


static void
test_bounds(void **state)
{
    at_shop_when_t  w = when;

    (void) state;

    w.least = 2 * HOUR;
    assert_int_equal(interval(&w, &flat, 1000, 0), 2 * HOUR);
    w.least = w.most = 5;
    assert_int_equal(interval(&w, &flat, 1, 0), 5);
    w = when;
    w.most = 4 * HOUR;
    assert_int_equal(interval(&w, &flat, 1e-5, 0), 4 * HOUR);
}


/* Looks come behind what there is to see, not before. */

static void
test_hours(void **state)
{
    int64_t        at, ms;
    at_shop_day_t  day = lively(10, 2);

    (void) state;

    /* in the evening and the night there is little to look for, and nothing
       shortly before there is */

    for (at = 13; at < 32; at++) {
        ms = interval(&when, &day, 1 / 24.0, 5 * DAY + at * HOUR);
        at_test_true((ms >= 7 * HOUR && at * HOUR + ms <= 30 * HOUR)
                     || (at * HOUR + ms >= 34 * HOUR
                         && at * HOUR + ms <= 36 * HOUR),
                     "from %lld h: after %.2f h", (long long) at,
                     (double) ms / HOUR);
    }

    /* within them all the more */

    assert_true(interval(&when, &day, 1 / 24.0, 5 * DAY + 10 * HOUR)
                < 2 * HOUR);

    /* ... and what is looked at once in some days, when they are over */

    ms = interval(&when, &day, 1 / 24.0 / 5000, 5 * DAY + 20 * HOUR);
    at = (20 * HOUR + ms) % DAY;
    at_test_true(ms > DAY && at >= 11.5 * HOUR && at <= 16 * HOUR,
                 "%.2f h", (double) at / HOUR);
}


/* A plan is kept for an hour, and made anew when clocks go back. */

static void
test_kept(void **state)
{
    int64_t         first;
    at_shop_day_t   day = lively(10, 2);
    at_shop_plan_t  plan = { .rows = { { 0 } } };

    (void) state;

    first = at_shop_when_interval(&when, &plan, &flat, 1 / 24.0, 1000 * DAY,
                                  5 * DAY);
    assert_true(first < 4 * HOUR);
    assert_true(at_shop_when_interval(&when, &plan, &day, 1 / 24.0,
                                      1000 * DAY, 5 * DAY + HOUR)
                > 8 * HOUR);
    assert_int_equal(at_shop_when_interval(&when, &plan, &flat, 1 / 24.0,
                                           1000 * DAY, 5 * DAY), first);
}


/* Whatever the numbers are, the answer is between least and most. */

static void
test_odd(void **state)
{
    unsigned        i, j, k;
    int64_t         ms;
    at_shop_day_t   day = lively(3, 1);
    at_shop_when_t  w = when;

    static const double   rates[] = {
        NAN, -1, 0, 1e-300, 1e-6, 1, 3600, 1e300, INFINITY
    };
    static const int64_t  times[] = {
        INT64_MIN, -1, 0, 1, HOUR, 400 * DAY, INT64_MAX
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rates); i++) {
        for (j = 0; j < AT_TEST_N(times); j++) {
            for (k = 0; k < AT_TEST_N(times); k++) {
                at_shop_plan_t  plan = { .rows = { { 0 } } };

                w.usual = times[k] > 30 * DAY ? 30 * DAY : times[k];
                w.rate = rates[AT_TEST_N(rates) - 1 - i];
                ms = at_shop_when_interval(&w, &plan, &day, rates[i],
                                           times[j], times[j]);
                at_test_true(ms >= w.least && ms <= w.most,
                             "%g, %lld: %lld", rates[i],
                             (long long) times[j], (long long) ms);
            }
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_scales),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_odd)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
