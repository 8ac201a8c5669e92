/*
 * The JSON writer: any bytes become valid JSON, and the reader gives back
 * what was written.
 */

#include "at_test_json.h"
#include "at_text.h"


static void
test_write(void **state)
{
    size_t    i;
    at_buf_t  b = { NULL, 0, 0, 0 };

    static const struct {
        at_str_t     text;
        const char  *json;
    } rows[] = {
        { { 0, NULL }, "\"\"" },
        { { 3, "abc" }, "\"abc\"" },
        { { 5, "\"\\/\n\t" }, "\"\\\"\\\\/\\n\\t\"" },
        { { 5, "a\0\x01\x1F\r" }, "\"a\\u0000\\u0001\\u001f\\r\"" },
        { { 9, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
          "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
        { { 3, "a\xFF" "b" }, "\"a\xEF\xBF\xBD" "b\"" },
        { { 2, "a\xC3" }, "\"a\xEF\xBF\xBD\"" },
        { { 3, "\xED\xA0\x80" },
          "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
        { { 3, "\xC3\"\\" }, "\"\xEF\xBF\xBD\\\"\\\\\"" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        b.len = 0;
        assert_int_equal(at_json_write_string(&b, rows[i].text), AT_OK);
        at_test_true(at_str_is(at_buf_str(&b), rows[i].json), "row %zu", i);
    }

    at_buf_free(&b);

    /* all or nothing */

    b.max = 5;
    assert_int_equal(at_buf_append(&b, ":", 1), AT_OK);
    assert_int_equal(at_json_write_string(&b, AT_STR("abc")), AT_ERROR);
    assert_int_equal(at_json_write_string(&b, AT_STR("\n\n")), AT_ERROR);
    assert_int_equal(b.len, 1);
    assert_int_equal(at_json_write_string(&b, AT_STR("ab")), AT_OK);
    assert_true(at_str_is(at_buf_str(&b), ":\"ab\""));

    at_buf_free(&b);
}


/* What was written is read back as it was. */
static void
test_write_and_read(void **state)
{
    char        text[64];
    size_t      i, k, n;
    uint32_t    seed;
    at_buf_t    b = { NULL, 0, 0, 0 };
    test_ctx_t  t;

    (void) state;

    seed = 9;
    memset(&t, 0, sizeof(test_ctx_t));

    for (i = 0; i < 2000; i++) {
        n = at_test_random(&seed) % sizeof(text);

        for (k = 0; k < n; k++) {
            text[k] = (char) (at_test_random(&seed) % 128);
        }

        b.len = 0;
        assert_int_equal(at_json_write_string(&b, (at_str_t) { n, text }),
                         AT_OK);
        assert_true(at_utf8_valid(at_buf_str(&b)));
        assert_int_equal(test_feed(&t, at_buf_str(&b), NULL, 0, &seed), AT_OK);
        assert_int_equal(t.log.len, n + 2);
        assert_memory_equal(t.log.data + 1, text, n);
    }

    at_buf_free(&b);
    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_and_read)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
