/*
 * What is known of products' changes: what is seen moves the estimate and how
 * far, what is not known stays in bounds, and lively hours are found.
 */

#include "at_test.h"
#include "shop/at_shop_when.h"


#define HOUR  3600000LL
#define DAY   (24 * HOUR)


static const at_shop_when_t  when = {
    .usual = 3 * HOUR, .least = HOUR / 6, .most = 3 * DAY, .retry = HOUR / 12,
    .retry_most = DAY, .gone = 6 * HOUR, .gone_most = 7 * DAY,
    .memory = 14 * DAY, .rate = 1 / 24.0
};


/* n looks, every gap; every nth of them, from the last, finds a change. */

static double
looks(unsigned n, int64_t gap, unsigned every)
{
    double    rate;
    unsigned  i;

    rate = 0;

    for (i = 0; i < n; i++) {
        rate = at_shop_when_rate(&when, rate, i * gap, gap,
                                 every && (i + 1) % every == 0);
    }

    return rate;
}


static void
test_rate(void **state)
{
    (void) state;

    /* every second hour a change: about that, after a week */

    assert_true(looks(168, HOUR, 2) > 0.4 && looks(168, HOUR, 2) < 0.8);

    /* a look in ten with a change, two hours apart: once in 20 hours */

    assert_true(looks(100, 2 * HOUR, 10) > 0.035);
    assert_true(looks(100, 2 * HOUR, 10) < 0.065);

    /* never: less and less */

    assert_true(looks(10, 6 * HOUR, 0) < when.rate);
    assert_true(looks(100, 6 * HOUR, 0) < looks(10, 6 * HOUR, 0));

    /* one change says much at once, of what was thought to be steady */

    assert_true(at_shop_when_rate(&when, looks(100, 6 * HOUR, 0), 25 * DAY,
                                  HOUR, 1) > 2 * looks(100, 6 * HOUR, 0));
}


/* What was lively is steady again after some weeks. */

static void
test_memory(void **state)
{
    double    rate;
    unsigned  i;

    (void) state;

    rate = looks(300, HOUR, 1);
    assert_true(rate > 0.9);

    for (i = 0; i < 60 * 4; i++) {
        rate = at_shop_when_rate(&when, rate, (300 + 6 * i) * HOUR, 6 * HOUR,
                                 0);
    }

    assert_true(rate < 0.05);
}


static void
test_rate_bounds(void **state)
{
    (void) state;

    assert_true(at_shop_when_rate(&when, 0, 0, 0, 0) > 0);
    assert_true(at_shop_when_rate(&when, 0, 0, 0, 1) > when.rate);
    assert_true(at_shop_when_rate(&when, -1, -5, -5, 1) > 0);
    assert_true(at_shop_when_rate(&when, 1e300, DAY, HOUR, 1)
                <= AT_SHOP_RATE_MOST);
    assert_true(at_shop_when_rate(&when, 1e-300, 1000 * DAY, 9999 * DAY, 0)
                >= AT_SHOP_RATE_LEAST);
    assert_true(looks(1000, 1, 1) <= AT_SHOP_RATE_MOST);
}


/* A shop that changes prices between 10 and 12 alone, seen every 6 hours. */

static void
test_day(void **state)
{
    int64_t        at, n;
    unsigned       hour;
    at_shop_day_t  day = { .seen = { 0 } };

    (void) state;

    for (hour = 0; hour < 24; hour++) {
        assert_true(at_shop_day_hour(&day, hour) > 0.99);
        assert_true(at_shop_day_hour(&day, hour) < 1.01);
    }

    /* products are seen at all hours */

    for (n = 1; n < 30000; n++) {
        at = 10 * DAY + n * HOUR / 40;
        hour = (unsigned) (at / HOUR % 24);
        at_shop_day_saw(&day, 1 / 24.0, at, 6 * HOUR,
                        hour >= 11 && hour <= 17);
    }

    assert_true(at_shop_day_hour(&day, 11) + at_shop_day_hour(&day, 10) > 10);
    assert_true(at_shop_day_hour(&day, 2) < 0.2);
}


/* Looks far apart say nothing of an hour, and odd ones change nothing. */

static void
test_day_odd(void **state)
{
    at_shop_day_t  day = { .seen = { 0 } };

    (void) state;

    at_shop_day_saw(&day, 1, 100 * DAY, 50 * DAY, 1);
    at_shop_day_saw(&day, 1, 100 * DAY, 0, 1);
    at_shop_day_saw(&day, 1, 100 * DAY, -5, 1);
    assert_true(at_shop_day_hour(&day, 0) > 0.99);
    assert_true(at_shop_day_hour(&day, 0) < 1.01);
}


static void
test_failed(void **state)
{
    (void) state;

    assert_int_equal(at_shop_when_failed(&when, AT_SHOP_WHEN_PASSING, 1),
                     HOUR / 12);
    assert_int_equal(at_shop_when_failed(&when, AT_SHOP_WHEN_PASSING, 3),
                     HOUR / 3);
    assert_int_equal(at_shop_when_failed(&when, AT_SHOP_WHEN_PASSING, 99999),
                     DAY);
    assert_int_equal(at_shop_when_failed(&when, AT_SHOP_WHEN_GONE, 1),
                     6 * HOUR);
    assert_int_equal(at_shop_when_failed(&when, AT_SHOP_WHEN_GONE, 60),
                     7 * DAY);
}


static void
test_jitter(void **state)
{
    (void) state;

    assert_int_equal(at_shop_when_jitter(1000, 0), 900);
    assert_int_equal(at_shop_when_jitter(1000, UINT32_MAX), 1100);
    assert_in_range(at_shop_when_jitter(1000, UINT32_MAX / 2), 999, 1001);
    assert_int_equal(at_shop_when_jitter(0, UINT32_MAX), 0);

    /* what waits for days still keeps to its hour */

    assert_int_equal(at_shop_when_jitter(2 * DAY, 0), 2 * DAY - HOUR / 2);
    assert_int_equal(at_shop_when_jitter(2 * DAY, UINT32_MAX),
                     2 * DAY + HOUR / 2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_rate_bounds),
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_day_odd),
        cmocka_unit_test(test_failed),
        cmocka_unit_test(test_jitter)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
