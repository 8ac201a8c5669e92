/*
 * UTF-8: the edges of every range of RFC 3629, counting, and cutting.
 */

#include "at_test.h"
#include "at_text.h"


typedef struct {
    at_str_t  text;
    int       valid;
    uint32_t  code;             /* of its first sequence, if valid */
} test_row_t;


static const test_row_t  test_rows[] = {
    { { 1, "\x00" },                 1, 0 },
    { { 1, "a" },                    1, 'a' },
    { { 1, "\x7F" },                 1, 0x7F },
    { { 1, "\x80" },                 0, 0 },
    { { 1, "\xBF" },                 0, 0 },
    { { 2, "\xC0\x80" },             0, 0 },    /* overlong NUL */
    { { 2, "\xC1\xBF" },             0, 0 },
    { { 2, "\xC2\x80" },             1, 0x80 },
    { { 2, "\xDF\xBF" },             1, 0x7FF },
    { { 1, "\xC2" },                 0, 0 },
    { { 2, "\xC2\x7F" },             0, 0 },
    { { 2, "\xC2\xC0" },             0, 0 },
    { { 3, "\xE0\x9F\xBF" },         0, 0 },    /* overlong */
    { { 3, "\xE0\xA0\x80" },         1, 0x800 },
    { { 3, "\xED\x9F\xBF" },         1, 0xD7FF },
    { { 3, "\xED\xA0\x80" },         0, 0 },    /* surrogates */
    { { 3, "\xED\xBF\xBF" },         0, 0 },
    { { 3, "\xEE\x80\x80" },         1, 0xE000 },
    { { 3, "\xEF\xBF\xBF" },         1, 0xFFFF },
    { { 2, "\xE2\x82" },             0, 0 },
    { { 3, "\xE2\x82\x7F" },         0, 0 },
    { { 3, "\xE2\x28\xA1" },         0, 0 },
    { { 4, "\xF0\x8F\xBF\xBF" },     0, 0 },    /* overlong */
    { { 4, "\xF0\x90\x80\x80" },     1, 0x10000 },
    { { 4, "\xF4\x8F\xBF\xBF" },     1, 0x10FFFF },
    { { 4, "\xF4\x90\x80\x80" },     0, 0 },    /* above U+10FFFF */
    { { 4, "\xF5\x80\x80\x80" },     0, 0 },
    { { 3, "\xF0\x9F\x98" },         0, 0 },
    { { 4, "\xF0\x9F\x98\x41" },     0, 0 },
    { { 1, "\xFE" },                 0, 0 },
    { { 1, "\xFF" },                 0, 0 },
    { { 4, "ab\xE2\x82" },           0, 0 },    /* cut at the end */
    { { 6, "ab\xE2\x82\xAC" "c" },   1, 'a' }
};


static void
test_valid(void **state)
{
    size_t    i;
    at_str_t  s;

    (void) state;

    assert_true(at_utf8_valid(AT_STR_NULL));
    assert_int_equal(at_utf8_sequence(AT_STR_NULL), 0);

    for (i = 0; i < AT_TEST_N(test_rows); i++) {
        s = at_test_exact(test_rows[i].text);

        at_test_true(at_utf8_valid(s) == test_rows[i].valid, "row %zu", i);

        if (test_rows[i].valid) {
            at_test_true(at_utf8_code(s) == test_rows[i].code, "row %zu", i);
        }

        free((char *) s.data);
    }
}


static void
test_count_and_cut(void **state)
{
    size_t                n, i;
    at_str_t              s, cut;
    static const uint8_t  bytes[] = { 0, 1, 3, 6, 10, 11 };

    (void) state;

    s = AT_STR("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");

    assert_int_equal(at_utf8_count(AT_STR_NULL), 0);
    assert_int_equal(at_utf8_count(s), 5);

    for (n = 0; n < 8; n++) {
        i = n < 5 ? n : 5;
        cut = at_utf8_cut(s, n);
        at_test_true(cut.len == bytes[i], "%zu code points", n);
        assert_true(at_utf8_valid(cut));
        assert_int_equal(at_utf8_count(cut), i);
    }

    assert_int_equal(at_utf8_cut(AT_STR_NULL, 3).len, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_count_and_cut)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
