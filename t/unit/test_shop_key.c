/*
 * What the shops are asked for: which texts are the same, which are refused,
 * and that no two pairs share a name.
 */

#include "at_test.h"
#include "at_shop_key.h"


/* A text as it is, in a URL, and its normal form. */

static const char  *test_queries[][3] = {
    { "",                      "",                         "" },
    { "  Grey \t Sofa ",       "++Grey+%09%20Sofa+",       "grey sofa" },
    { "100% wool+cotton",      "100%25+wool%2Bcotton",     "100% wool+cotton" },
    { "%41",                   "%2541",                    "%41" },
    { "CAF\xC3\x89",           "CAFE%cc%81",               "caf\xC3\xA9" }
};


static void
test_query(void **state)
{
    int     rc;
    char    out[AT_SHOP_TEXT_BYTES];
    size_t  i, len;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_queries); i++) {
        rc = at_shop_query(at_test_str(test_queries[i][0]), out, &len);
        at_test_true(rc == AT_OK
                     && at_str_is((at_str_t) { len, out },
                                  test_queries[i][2]),
                     "plain %zu: '%.*s'", i, (int) len, out);

        rc = at_shop_query_raw(at_test_str(test_queries[i][1]), out, &len);
        at_test_true(rc == AT_OK
                     && at_str_is((at_str_t) { len, out },
                                  test_queries[i][2]),
                     "raw %zu: '%.*s'", i, (int) len, out);
    }

    assert_int_equal(at_shop_query(AT_STR("a\xff"), out, &len), AT_ERROR);
    assert_int_equal(at_shop_query_raw(AT_STR("a%ff"), out, &len), AT_ERROR);
}


/* Cut after 100 characters, and no blank is left where it was cut. */

static void
test_query_long(void **state)
{
    char    text[AT_SHOP_PLAIN_MAX + 1], out[AT_SHOP_TEXT_BYTES];
    size_t  i, len;

    (void) state;

    for (i = 0; i < 300; i += 2) {
        memcpy(text + i, "\xC3\xA4", 2);
    }

    assert_int_equal(at_shop_query((at_str_t) { 300, text }, out, &len),
                     AT_OK);
    assert_int_equal(len, 200);

    memset(text, 'a', sizeof(text));
    text[99] = ' ';
    assert_int_equal(at_shop_query((at_str_t) { 200, text }, out, &len),
                     AT_OK);
    assert_int_equal(len, 99);

    memset(text, '%', sizeof(text));
    assert_int_equal(at_shop_query((at_str_t) { AT_SHOP_PLAIN_MAX, text },
                                   out, &len), AT_OK);
    assert_int_equal(len, 100);
    assert_int_equal(at_shop_query((at_str_t) { AT_SHOP_PLAIN_MAX + 1, text },
                                   out, &len), AT_ERROR);
}


static void
test_category(void **state)
{
    char      text[AT_SHOP_TEXT_MAX + 1];
    at_str_t  s;

    (void) state;

    s = AT_STR("  Sofas & more ");
    assert_int_equal(at_shop_category(&s), AT_OK);
    assert_true(at_str_is(s, "Sofas & more"));

    s = AT_STR("   ");
    assert_int_equal(at_shop_category(&s), AT_OK);
    assert_int_equal(s.len, 0);

    s = AT_STR("a\nb");
    assert_int_equal(at_shop_category(&s), AT_ERROR);

    s = AT_STR("a\x7f");
    assert_int_equal(at_shop_category(&s), AT_ERROR);

    s = AT_STR("\xc3");
    assert_int_equal(at_shop_category(&s), AT_ERROR);

    memset(text, 'a', sizeof(text));
    s = (at_str_t) { AT_SHOP_TEXT_MAX, text };
    assert_int_equal(at_shop_category(&s), AT_OK);
    s = (at_str_t) { AT_SHOP_TEXT_MAX + 1, text };
    assert_int_equal(at_shop_category(&s), AT_ERROR);
}


/* The name is BLAKE2b's, 128 bits, of "query\ncategory". */

static void
test_key(void **state)
{
    char  a[AT_SHOP_KEY_HEX], b[AT_SHOP_KEY_HEX];

    (void) state;

    at_shop_key(AT_STR("grey sofa"), AT_STR("Sofas"), a);
    assert_memory_equal(a, "4d0d83463ca392594bb3e9f9dc7e252c", AT_SHOP_KEY_HEX);

    at_shop_key(AT_STR("grey sofa"), AT_STR_NULL, b);
    assert_memory_not_equal(a, b, AT_SHOP_KEY_HEX);

    at_shop_key(AT_STR_NULL, AT_STR("grey sofa"), a);
    assert_memory_not_equal(a, b, AT_SHOP_KEY_HEX);

    at_shop_key(AT_STR_NULL, AT_STR_NULL, a);
    assert_memory_equal(a, "29b74ebc971c8a56dae28a940ba6413c", AT_SHOP_KEY_HEX);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_long),
        cmocka_unit_test(test_category),
        cmocka_unit_test(test_key)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
