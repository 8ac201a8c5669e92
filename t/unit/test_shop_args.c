/*
 * Query arguments of /products: what is the same, what is refused, and what
 * the database is asked.
 */

#include "at_test.h"
#include "at_shop_args.h"


/* Raw arguments, and the key they have. */

static const char  *test_keys[][2] = {
    { "",
      "p=;c=;r=;min=;max=;stock=;verified=;sort=relevance;facets=0" },
    { "&&=&=x&query&query=&page=2&perPage=7&utm_source=a&Query=b&sort=",
      "p=;c=;r=;min=;max=;stock=;verified=;sort=relevance;facets=0" },
    { "query=+Grey%20SOFA&category=+Sofas+%26+more&retailer=IKEA",
      "p=grey sofa;c=Sofas & more;r=ikea;min=;max=;stock=;verified=;"
      "sort=relevance;facets=0" },
    { "minPrice=0&maxPrice=1299.5&inStock=TRUE&verified=0&sort=price_asc",
      "p=;c=;r=;min=0;max=129950;stock=1;verified=0;sort=price_asc;facets=0" },
    { "minPrice=1299&maxPrice=1299.00&inStock=1&verified=false&sort=newest",
      "p=;c=;r=;min=129900;max=129900;stock=1;verified=0;sort=newest;"
      "facets=0" },
    { "maxPrice=999999999999.99&sort=price_desc&sort=x&facets=price",
      "p=;c=;r=;min=;max=99999999999999;stock=;verified=;sort=price_desc;"
      "facets=16" },
    { "facets=retailer,category%2Cretailer,verified,inStock",
      "p=;c=;r=;min=;max=;stock=;verified=;sort=relevance;facets=15" }
};


/* Raw arguments, and the parameter that is refused. */

static const char  *test_bad[][2] = {
    { "query=%ff",                        "query" },
    { "category=%ff",                     "category" },
    { "category=a%0Ab",                   "category" },
    { "category=a%00b",                   "category" },
    { "retailer=a,b",                     "retailer" },
    { "retailer=a:b",                     "retailer" },
    { "retailer=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "retailer" },
    { "minPrice=-1",                      "minPrice" },
    { "minPrice=1e3",                     "minPrice" },
    { "minPrice=1,299",                   "minPrice" },
    { "minPrice=.5",                      "minPrice" },
    { "minPrice=5.",                      "minPrice" },
    { "minPrice=.",                       "minPrice" },
    { "minPrice=1.2.3",                   "minPrice" },
    { "minPrice=1.234",                   "minPrice" },
    { "maxPrice=1000000000000",           "maxPrice" },
    { "maxPrice=99999999999999999999999", "maxPrice" },
    { "minPrice=2&maxPrice=1.99",         "maxPrice" },
    { "inStock=yes",                      "inStock" },
    { "verified=2",                       "verified" },
    { "sort=price",                       "sort" },
    { "sort=PRICE_ASC",                   "sort" },
    { "page=0",                           "page" },
    { "page=-1",                          "page" },
    { "page=1.5",                         "page" },
    { "page=99999999999999999999",        "page" },
    { "page=4294967297",                  "page" },
    { "perPage=0",                        "perPage" },
    { "perPage=201",                      "perPage" },
    { "page=418",                         "page" },
    { "page=10002&perPage=1",             "page" },
    { "perPage=200&page=52",              "page" },
    { "facets=category,",                 "facets" },
    { "facets=price;drop",                "facets" },
    { "facets=true",                      "facets" }
};


static void
test_key(void **state)
{
    int                   rc;
    char                  key[AT_SHOP_KEY_MAX];
    size_t                i, len;
    at_str_t              raw;
    at_shop_args_t        args;
    at_args_error_t  error;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_keys); i++) {
        raw = at_test_exact(at_test_str(test_keys[i][0]));
        rc = at_shop_args_parse(raw, &args, &error);
        free((void *) raw.data);

        at_test_true(rc == AT_OK, "%s: refused", test_keys[i][0]);

        len = at_shop_args_key(&args, key);

        at_test_true(at_str_is((at_str_t) { len, key }, test_keys[i][1]),
                     "%s: '%.*s'", test_keys[i][0], (int) len, key);
    }
}


static void
test_refused(void **state)
{
    int                   rc;
    size_t                i;
    at_str_t              raw;
    at_shop_args_t        args;
    at_args_error_t  error;

    (void) state;

    for (i = 0; i < AT_TEST_N(test_bad); i++) {
        raw = at_test_exact(at_test_str(test_bad[i][0]));
        rc = at_shop_args_parse(raw, &args, &error);
        free((void *) raw.data);

        at_test_true(rc == AT_ERROR, "%s: taken", test_bad[i][0]);
        at_test_true(strcmp(error.name, test_bad[i][1]) == 0,
                     "%s: %s", test_bad[i][0], error.name);
        assert_non_null(strstr(error.message, error.name));
    }
}


static void
test_paging(void **state)
{
    at_shop_args_t        args;
    at_args_error_t  error;

    (void) state;

    assert_int_equal(at_shop_args_parse(AT_STR_NULL, &args, &error), AT_OK);
    assert_int_equal(args.page, 1);
    assert_int_equal(args.per_page, 24);

    assert_int_equal(at_shop_args_parse(AT_STR("page=10001&perPage=1"), &args,
                                        &error), AT_OK);
    assert_int_equal(args.page, 10001);

    assert_int_equal(at_shop_args_parse(AT_STR("page=51&perPage=200"), &args,
                                        &error), AT_OK);
    assert_int_equal(args.per_page, 200);

    /* 416 * 24 is the last multiple below the bound */

    assert_int_equal(at_shop_args_parse(AT_STR("page=417"), &args, &error),
                     AT_OK);
}


static void
test_json(void **state)
{
    at_buf_t              b;
    at_shop_args_t        args;
    at_args_error_t  error;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));

    assert_int_equal(at_shop_args_parse(AT_STR("query=%22%5C%3C/script"),
                                        &args, &error), AT_OK);
    assert_int_equal(at_shop_args_json(&args, &b), AT_OK);
    at_test_true(at_str_is(at_buf_str(&b), "{\"limit\":24,\"offset\":0,"
                           "\"sort\":\"relevance\","
                           "\"query\":\"\\\"\\\\</script\"}"),
                 "%.*s", (int) b.len, (char *) b.data);
    at_buf_free(&b);

    assert_int_equal(at_shop_args_parse(AT_STR("page=3&perPage=10&category=C"
                                        "&retailer=ikea&minPrice=1&maxPrice=2"
                                        "&inStock=true&verified=false"
                                        "&sort=newest&facets=price,category"),
                                        &args, &error), AT_OK);
    assert_int_equal(at_shop_args_json(&args, &b), AT_OK);
    at_test_true(at_str_is(at_buf_str(&b), "{\"limit\":10,\"offset\":20,"
                           "\"sort\":\"newest\",\"category\":\"C\","
                           "\"retailer\":\"ikea\",\"minPrice\":100,"
                           "\"maxPrice\":200,\"inStock\":true,"
                           "\"verified\":false,"
                           "\"facets\":[\"category\",\"price\"]}"),
                 "%.*s", (int) b.len, (char *) b.data);
    at_buf_free(&b);
}


static void
test_days(void **state)
{
    at_shop_args_t        args;
    at_args_error_t  error;

    (void) state;

    assert_int_equal(at_shop_days_parse(AT_STR("sort=x"), &args, &error),
                     AT_OK);
    assert_int_equal(args.days, 30);
    assert_int_equal(at_shop_days_parse(AT_STR("days=3650"), &args, &error),
                     AT_OK);
    assert_int_equal(args.days, 3650);
    assert_int_equal(at_shop_days_parse(AT_STR("days=3651"), &args, &error),
                     AT_ERROR);
    assert_string_equal(error.name, "days");
    assert_int_equal(at_shop_days_parse(AT_STR("days=0"), &args, &error),
                     AT_ERROR);
}


static void
test_id(void **state)
{
    char  text[128];

    (void) state;

    assert_true(at_shop_id_valid(AT_STR("ikea:S69440431")));
    assert_true(at_shop_id_valid(AT_STR("a_b-1:a.B_c-9")));
    assert_false(at_shop_id_valid(AT_STR("")));
    assert_false(at_shop_id_valid(AT_STR("ikea")));
    assert_false(at_shop_id_valid(AT_STR("ikea:")));
    assert_false(at_shop_id_valid(AT_STR(":1")));
    assert_false(at_shop_id_valid(AT_STR("IKEA:1")));
    assert_false(at_shop_id_valid(AT_STR("ikea:a:b")));
    assert_false(at_shop_id_valid(AT_STR("ikea:a/b")));
    assert_false(at_shop_id_valid(AT_STR("ikea:a'b")));

    memset(text, 'a', sizeof(text));
    text[32] = ':';
    assert_true(at_shop_id_valid((at_str_t) { 33 + 80, text }));
    assert_false(at_shop_id_valid((at_str_t) { 33 + 81, text }));

    text[32] = 'a';
    text[33] = ':';
    assert_false(at_shop_id_valid((at_str_t) { 40, text }));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_paging),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_id)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
