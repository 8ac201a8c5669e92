/*
 * Retry-After in all its forms, and the sentences that stand in for it.
 */

#include <time.h>

#include "at_test.h"
#include "at_text.h"


#define DAY  (24 * 60 * 60 * 1000LL)

/* Sun, 06 Nov 1994 08:49:37 GMT, the date of the RFCs */
#define NOW  784111777


typedef struct {
    const char  *text;
    int64_t      ms;
} test_row_t;


static const test_row_t  test_values[] = {
    { "7", 7000 },
    { "0", 0 },
    { "0.0", 0 },
    { "007", 7000 },
    { "  7\t", 7000 },
    { "7.5", 7500 },
    { "7.0001", 7001 },                 /* rounded up */
    { "7.66s", 7660 },
    { "0.0000000000000000001", 1 },
    { "0.9999999999999999999", 1000 },
    { "7s", 7000 },
    { "120ms", 120 },
    { "0.5ms", 1 },
    { "1m30s", 90000 },
    { "6m0s", 360000 },
    { "1h2m3.5s", 3723500 },
    { "1h", 3600000 },
    { "1m0.25s", 60250 },
    { "1s500ms", 1500 },
    { "1H2M", 3720000 },
    { "12 seconds", 12000 },
    { "24h", DAY },
    { "25h", DAY },
    { "1d", DAY },
    { "30d", DAY },
    { "86400", DAY },
    { "86401", DAY },
    { "23h59m59s999ms", DAY - 1 },
    { "23h59m60s", DAY },
    { "99999999999999999999999999999999999999", DAY },
    { "9223372036854775807", DAY },
    { "99999999999h99999999999m99999999999.999999999999s", DAY },
    { "", -1 },
    { " ", -1 },
    { "s", -1 },
    { "-5", -1 },
    { "+5", -1 },
    { ".5", -1 },
    { "5.", -1 },
    { "5.s", -1 },
    { "1e3", -1 },
    { "0x10", -1 },
    { "5x", -1 },
    { "1m30", -1 },                     /* the last has no unit */
    { "30s1m", -1 },                    /* units must get smaller */
    { "1s1s", -1 },
    { "7, 8", -1 },
    { "1994-11-06T08:49:38Z", 1000 },
    { "1994-11-06 08:49:38", 1000 },
    { "1994-11-06t08:49:38.999z", 1000 },
    { "1994-11-06T09:49:38+01:00", 1000 },
    { "1994-11-06T06:19:38-02:30", 1000 },
    { "1994-11-06T08:49:36Z", 0 },
    { "1994-11-09T08:49:36Z", DAY },
    { "1994-13-06T08:49:38Z", -1 },
    { "1994-11-06T08:49Z", -1 },
    { "1994-11-06T08:49:38+1", -1 },
    { "1994-11-06T08:49:38Zulu", -1 },
    { "1994-11-06", -1 },
    { "7;", -1 },
    { "soon", -1 },

    { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
    { "Sun, 06 Nov 1994 08:49:38 GMT", 1000 },
    { "Sun, 06 Nov 1994 08:50:37 GMT", 60000 },
    { "Sun, 06 Nov 1994 08:49:36 GMT", 0 },
    { "Mon, 07 Nov 1994 08:49:36 GMT", DAY - 1000 },
    { "Mon, 07 Nov 1994 08:49:37 GMT", DAY },
    { "Mon, 07 Nov 1994 08:49:38 GMT", DAY },
    { "Fri, 31 Dec 9999 23:59:59 GMT", DAY },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Sat, 01 Jan 0000 00:00:00 GMT", 0 },
    { "Sunday, 06-Nov-94 08:49:47 GMT", 10000 },
    { "Sunday, 06-Nov-44 08:49:47 GMT", DAY },      /* 50 years ahead */
    { "Sunday, 06-Nov-45 08:49:47 GMT", 0 },        /* 51: it was 1945 */
    { "Sun Nov  6 08:49:47 1994", 10000 },
    { "Sun Nov 06 08:49:47 1994", 10000 },
    { "Mon Nov 14 08:49:37 1994", DAY },
    { "sun, 06 nov 1994 08:49:47 gmt", 10000 },

    { "Sun, 06 Nov 1994 08:49:37", -1 },
    { "Sun, 06 Nov 1994 08:49:37 PST", -1 },
    { "Sun, 06 Nov 1994 08:49:37 GMT+1", -1 },
    { "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 06 Now 1994 08:49:37 GMT", -1 },
    { "Sux, 06 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 31 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 29 Feb 1995 08:49:37 GMT", -1 },
    { "Sun, 29 Feb 1900 08:49:37 GMT", -1 },
    { "Sun, 29 Feb 1996 08:49:37 GMT", DAY },
    { "Sun, 29 Feb 2000 08:49:37 GMT", DAY },
    { "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
    { "Sun, 06 Nov 1994 08:60:00 GMT", -1 },
    { "Sun, 06 Nov 1994 08:49:60 GMT", 23000 },     /* a leap second */
    { "Sun, 06 Nov 1994 08:49:61 GMT", -1 },
    { "Sun, 06 Nov 94 08:49:37 GMT", -1 },
    { "Sun, ", -1 },
    { "Sun", -1 },
    { "Sun Nov  6 08:49:37 1994 GMT", -1 },
    { "Sun Nov   6 08:49:37 1994", -1 }
};


static const test_row_t  test_sentences[] = {
    { "Request was throttled. Your rate limit resets in ~30s.", 30000 },
    { "Rate limit reached for requests. Please try again in 7.66s. Visit "
      "our page.", 7660 },
    { "Please try again in 20ms.", 20 },
    { "Please try again in 6m0s.", 360000 },
    { "Please try again in 1h2m3.5s", 3723500 },
    { "retry after 12 seconds", 12000 },
    { "RETRY AFTER 12 SECONDS", 12000 },
    { "retry after 12", 12000 },
    { "Please retry after 12.", 12000 },
    { "Retry-After: 9", 9000 },
    { "Please wait 2 minutes and 5 seconds before you go on", 125000 },
    { "Please wait 2 minutes, 5 seconds.", 125000 },
    { "wait for about 3 hours", 3 * 3600 * 1000 },
    { "You must wait at least 90 sec", 90000 },
    { "Please retry in 38.27s.", 38270 },
    { "Try again later. Limits reset in 5 minutes", 300000 },
    { "available in 1 day", DAY },
    { "try again in 99999999999999999999 hours", DAY },
    { "try again in 0s", 0 },
    { "wait a minute, then retry in 4s", 4000 },

    { "", -1 },
    { "try again later", -1 },
    { "Please try again in a few minutes", -1 },
    { "try again in", -1 },
    { "try again in ", -1 },
    { "try again in ~", -1 },
    { "await 5 items", -1 },
    { "limit is 30 requests per 60s", -1 },
    { "resets in -5s", -1 }
};


static void
test_value(void **state)
{
    size_t    i;
    int64_t   ms;
    at_str_t  s;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_values); i++) {
        s = at_test_exact(at_test_str(test_values[i].text));
        ms = at_retry_after(s, NOW);
        at_test_true(ms == test_values[i].ms, "\"%s\" gave %lld, not %lld",
                     test_values[i].text, (long long) ms,
                     (long long) test_values[i].ms);
        free((char *) s.data);
    }
}


static void
test_sentence(void **state)
{
    size_t    i;
    int64_t   ms;
    at_str_t  s;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_sentences); i++) {
        s = at_test_exact(at_test_str(test_sentences[i].text));
        ms = at_retry_after_text(s);
        at_test_true(ms == test_sentences[i].ms, "\"%s\" gave %lld, not %lld",
                     test_sentences[i].text, (long long) ms,
                     (long long) test_sentences[i].ms);
        free((char *) s.data);
    }
}


/* Dates of many years against the C library's own calendar. */
static void
test_calendar(void **state)
{
    char       text[64];
    time_t     t;
    int64_t    ms;
    struct tm  tm;

    (void) state;

    /* a day less seven seconds, so that all times of day come by */

    for (t = 0; t < 200LL * 366 * 86400; t += 86400 * 3 - 7) {
        assert_non_null(gmtime_r(&t, &tm));
        assert_true(strftime(text, sizeof(text),
                             "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);

        ms = at_retry_after(at_test_str(text), t - 5);
        at_test_true(ms == 5000, "%s gave %lld", text, (long long) ms);

        assert_true(strftime(text, sizeof(text), "%A, %d-%b-%y %H:%M:%S GMT",
                             &tm) > 0);

        ms = at_retry_after(at_test_str(text), t - 5);
        at_test_true(ms == 5000, "%s gave %lld", text, (long long) ms);

        assert_true(strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm)
                    > 0);

        ms = at_retry_after(at_test_str(text), t - 5);
        at_test_true(ms == 5000, "%s gave %lld", text, (long long) ms);
    }
}


/* Two digits of a year mean the one that is at most 50 years ahead. */
static void
test_century(void **state)
{
    size_t   i;
    int64_t  ms;

    static const struct {
        int64_t      now;
        const char  *text;
        int64_t      ms;
    } rows[] = {
        { 1793404800, "Sunday, 01-Nov-26 00:00:00 GMT", DAY },
        { 1793404800, "Saturday, 31-Oct-26 12:00:00 GMT", 43200000 },
        { 1793404800, "Sunday, 01-Nov-76 00:00:00 GMT", DAY },
        { 1793404800, "Tuesday, 01-Nov-77 00:00:00 GMT", 0 },
        { 1793404800, "Monday, 01-Nov-99 00:00:00 GMT", 0 },
        { 4102444799, "Friday, 01-Jan-00 00:00:00 GMT", 1000 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        ms = at_retry_after(at_test_str(rows[i].text), rows[i].now);
        at_test_true(ms == rows[i].ms, "%s gave %lld", rows[i].text,
                     (long long) ms);
    }
}


/* Whatever the clock says, nothing overflows. */
static void
test_clock_extremes(void **state)
{
    (void) state;

    assert_int_equal(at_retry_after(AT_STR("Sun, 06 Nov 1994 08:49:37 GMT"),
                                    INT64_MIN), DAY);
    assert_int_equal(at_retry_after(AT_STR("Sun, 06 Nov 1994 08:49:37 GMT"),
                                    INT64_MAX), 0);
    (void) at_retry_after(AT_STR("Sunday, 06-Nov-94 08:49:37 GMT"),
                          INT64_MIN);
    (void) at_retry_after(AT_STR("Sunday, 06-Nov-94 08:49:37 GMT"),
                          INT64_MAX);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_sentence),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_century),
        cmocka_unit_test(test_clock_extremes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
