/*
 * Data inside pages: JSON, what browsers take beside it, and that neither
 * depth nor broken ends do harm.
 */

#include "at_test.h"
#include "shop/at_shop_js.h"


static at_shop_pool_t  pool;


static at_shop_js_t *
parse(const char *text, int strict, size_t *end, const char **why)
{
    at_str_t  s;

    /* the tree points into it */

    s = at_shop_copy(&pool, at_test_str(text));
    *why = NULL;

    return at_shop_js_parse(&pool, s, strict, end, why);
}


static const char *
at(const char *text, const char *path)
{
    size_t        end;
    at_str_t      s;
    const char   *why;
    static char   out[200];

    s = at_shop_js_text(&pool, at_shop_js_path(parse(text, 0, &end, &why),
                                               at_test_str(path)));
    assert_true(s.len < sizeof(out));
    memcpy(out, s.data ? s.data : "", s.len);
    out[s.len] = '\0';

    return out;
}


static void
test_json(void **state)
{
    (void) state;

    assert_string_equal(at("{\"a\": {\"b\": [1, {\"c\": \"x\"}]}}",
                           "a.b[1].c"), "x");
    assert_string_equal(at("{\"a\": -1.50}", "a"), "-1.50");
    assert_string_equal(at("{\"a\": true}", "a"), "true");
    assert_string_equal(at("{\"a\": null}", "a"), "");
    assert_string_equal(at("{\"a\": {}}", "a"), "");
    assert_string_equal(at("{\"a\": 1}", "b"), "");
    assert_string_equal(at("[[1, 2], [3]]", "[1][0]"), "3");
    assert_string_equal(at("{\"a\": \"\\u20b9\\ud83d\\ude00\\n\\\"\"}", "a"),
                        "₹😀\n\"");
    assert_string_equal(at("{\"a\": \"\\ud800x\"}", "a"), "?x");
    assert_string_equal(at("{\"a\": 1, \"a\": 2}", "a"), "2");
    assert_string_equal(at("{\"a\": \"</script>\"}", "a"), "</script>");
    assert_string_equal(at("{\"k1\": {\"x\": 1}, \"k2\": {\"y\": 2}}",
                           "*.y"), "2");
    assert_string_equal(at("[{}, {\"url\": \"u\"}]", "*.url"), "u");
}


static void
test_javascript(void **state)
{
    (void) state;

    assert_string_equal(at("{a: undefined, b: 'x', }", "b"), "x");
    assert_string_equal(at("{a: undefined}", "a"), "");
    assert_string_equal(at("{/* c */ a: 1, // d\n b: [2,],}", "b[0]"), "2");
    assert_string_equal(at("{a: !0, b: !1}", "a"), "true");
    assert_string_equal(at("{a: void 0, b: NaN, c: 3}", "c"), "3");
    assert_string_equal(at("{'a-b': \"it's {[\"}", "a-b"), "it's {[");
    assert_string_equal(at("{a: 'it\\'s'}", "a"), "it's");
    assert_string_equal(at("{a: \"\\x41\"}", "a"), "A");
    assert_string_equal(at("{12: 'x'}", "12"), "x");
}


static void
test_end(void **state)
{
    size_t       end;
    const char  *why;

    (void) state;

    assert_non_null(parse("{\"a\": \"};\"}; window.b = 1", 0, &end, &why));
    assert_int_equal(end, 11);
}


static void
test_refused(void **state)
{
    size_t       i, end;
    const char  *why;

    static const struct {
        const char  *text;
        int          strict;
    } rows[] = {
        { "", 0 }, { "   ", 0 }, { "{", 0 }, { "[1", 0 }, { "[1 2]", 0 },
        { "{\"a\"}", 0 }, { "{\"a\":}", 0 }, { "\"abc", 0 }, { "{a:1", 0 },
        { "function() {}", 0 }, { "-", 0 }, { "\"abc\\", 0 },
        { "{a: 1}", 1 }, { "{'a': 1}", 1 }, { "[1,]", 1 }, { "{\"a\":1,}", 1 },
        { "undefined", 1 }, { "/* */ 1", 1 }, { "\"a\nb\"", 1 }, { "`x`", 1 },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(parse(rows[i].text, rows[i].strict, &end, &why) == NULL
                     && why != NULL && end <= strlen(rows[i].text),
                     "%s", rows[i].text);
    }
}


static void
test_deep(void **state)
{
    char         text[1001];
    size_t       end;
    const char  *why;

    (void) state;

    memset(text, '[', 1000);
    text[1000] = '\0';
    assert_null(parse(text, 0, &end, &why));
    assert_string_equal(why, "nested too deeply");

    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    assert_non_null(parse(text, 0, &end, &why));
    assert_int_equal(end, 128);
}


static void
test_memory_is_bounded(void **state)
{
    char            *text;
    size_t           end;
    const char      *why;
    at_shop_pool_t   small = { .max = 256 * 1024 };

    (void) state;

    text = malloc(200001);
    memset(text, ',', 200000);

    for (size_t i = 1; i < 200000; i += 2) {
        text[i] = '1';
    }

    text[0] = '[';

    assert_null(at_shop_js_parse(&small, (at_str_t) { 200000, text }, 0, &end,
                                 &why));
    assert_true(small.full);

    at_shop_pool_free(&small);
    free(text);
}


static int
teardown(void **state)
{
    (void) state;
    at_shop_pool_free(&pool);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_javascript),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_memory_is_bounded),
    };

    return cmocka_run_group_tests_name("shop_js", tests, NULL, teardown);
}
