/*
 * Batches of browsers' measures: what counts, what is passed over, and what
 * is no batch.
 */

#include "at_test.h"
#include "at_telemetry.h"


static at_telemetry_t  t;
static const char     *why;


static int
parse(const char *text)
{
    return at_telemetry_parse(at_test_str(text), &t, &why);
}


static void
test_good(void **state)
{
    (void) state;

    assert_int_equal(parse("{\"events\":["
                           "{\"name\":\"api_time\",\"value\":41.5},"
                           "{\"value\":0,\"name\":\"render_time\"},"
                           "{\"name\":\"cls\",\"value\":0.0214},"
                           "{\"name\":\"cache_hit\",\"value\":1},"
                           "{\"name\":\"lcp\",\"value\":6e5,\"x\":[{}]}]}"),
                     AT_OK);
    assert_int_equal(t.n, 5);
    assert_int_equal(t.passed_over, 0);
    assert_int_equal(t.events[0].measure, AT_TELEMETRY_API_TIME);
    assert_int_equal(t.events[0].value, 42);
    assert_int_equal(t.events[1].value, 0);
    assert_int_equal(t.events[2].value, 21);
    assert_int_equal(t.events[3].value, 1);
    assert_int_equal(t.events[4].measure, AT_TELEMETRY_LCP);
    assert_int_equal(t.events[4].value, 600000);

    assert_int_equal(parse("{\"events\":[],\"more\":7}"), AT_OK);
    assert_int_equal(t.n, 0);
}


static void
test_passed_over(void **state)
{
    size_t  i;

    static const char  *events[] = {
        "{\"name\":\"mood\",\"value\":1}",
        "{\"name\":\"api_time\"}",
        "{\"value\":1}",
        "{\"name\":7,\"value\":1}",
        "{\"name\":\"api_time\",\"value\":\"1\"}",
        "{\"name\":\"api_time\",\"value\":null}",
        "{\"name\":\"api_time\",\"value\":-1}",
        "{\"name\":\"api_time\",\"value\":600001}",
        "{\"name\":\"api_time\",\"value\":1e999}",
        "{\"name\":\"api_time\",\"value\":-1e999}",
        "{\"name\":\"cls\",\"value\":101}",
        "{\"name\":\"cache_hit\",\"value\":2}",
        ("{\"name\":\"api_time\","
         "\"value\":1.0000000000000000000000000000000000000000000001}"),
    };

    char  text[512];

    (void) state;

    for (i = 0; i < AT_TEST_N(events); i++) {
        snprintf(text, sizeof(text), "{\"events\":[%s,"
                 "{\"name\":\"lcp\",\"value\":1}]}", events[i]);
        at_test_true(parse(text) == AT_OK && t.n == 1 && t.passed_over == 1,
                     "%s", events[i]);
    }
}


static void
test_bad(void **state)
{
    size_t  i;

    static const char  *texts[] = {
        "", "{", "[]", "7", "null", "{}", "{\"events\":{}}",
        "{\"events\":null}", "{\"events\":[]", "{\"events\":[]}x",
        "[{\"name\":\"lcp\",\"value\":1}]",
        "{\"events\":[[[[[[[[[[]]]]]]]]]]}",
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(texts); i++) {
        at_test_true(parse(texts[i]) == AT_ERROR && why[0] != '\0', "%s",
                     texts[i]);
    }
}


static void
test_many(void **state)
{
    int     i, n;
    size_t  len;

    static char  text[8192];

    (void) state;

    for (n = AT_TELEMETRY_EVENTS; n <= AT_TELEMETRY_EVENTS + 1; n++) {
        len = (size_t) snprintf(text, sizeof(text), "{\"events\":[");

        for (i = 0; i < n; i++) {
            len += (size_t) snprintf(text + len, sizeof(text) - len,
                                     "%s{\"name\":\"%s\",\"value\":%d}",
                                     i ? "," : "", i % 2 ? "lcp" : "none", i);
        }

        snprintf(text + len, sizeof(text) - len, "]}");

        if (n == AT_TELEMETRY_EVENTS) {
            assert_int_equal(parse(text), AT_OK);
            assert_int_equal(t.n + t.passed_over, n);

        } else {
            assert_int_equal(parse(text), AT_ERROR);
            assert_string_equal(why, "A batch has at most 100 events.");
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
