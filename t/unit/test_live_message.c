/*
 * Messages of the live socket: what is read, what is refused with which code,
 * names of channels, and what is written.
 */

#include "at_test.h"
#include "at_test_memory.h"
#include "live/at_live_message.h"


#define TEST_TEN   "0123456789"
#define TEST_LONG  TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN     \
                   TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN     \
                   TEST_TEN

#define MAX        "9007199254740991"


static int
test_read(const char *text, at_live_in_t *in, at_live_error_t *error)
{
    int       rc;
    at_str_t  s;

    s = at_test_exact(at_test_str(text));
    rc = at_live_read(s, in, error);
    free((char *) (uintptr_t) s.data);

    return rc;
}


static void
test_good(void **state)
{
    size_t               i;
    at_live_in_t         in;
    at_live_error_t      error;
    static const struct {
        const char      *text;
        at_live_type_e   type;
        at_live_kind_e   kind;
        const char      *name;
        const char      *id;
        int              has_since;
        uint64_t         since;
        int              by_product;
    } rows[] = {
        { "{\"type\":\"subscribe\",\"channel\":\"product:ikea:1\"}",
          AT_LIVE_SUBSCRIBE, AT_LIVE_PRODUCT, "product:ikea:1", "ikea:1", 0,
          0, 0 },
        { " {\"channel\" : \"products\", \"type\" : \"subscribe\" } ",
          AT_LIVE_SUBSCRIBE, AT_LIVE_PRODUCTS, "products", "", 0, 0, 0 },
        { "{\"type\":\"subscribe\",\"channel\":\"design:pexels:12.a_b-c\","
          "\"since\":0}", AT_LIVE_SUBSCRIBE, AT_LIVE_DESIGN,
          "design:pexels:12.a_b-c", "pexels:12.a_b-c", 1, 0, 0 },
        { "{\"type\":\"subscribe\",\"channel\":\"generate:x\",\"since\":"
          MAX "}", AT_LIVE_SUBSCRIBE, AT_LIVE_GENERATE, "generate:x", "x", 1,
          AT_LIVE_ID_MAX, 0 },
        { "{\"type\":\"subscribe\",\"channel\":\"generate:x\","
          "\"since\":null,\"productId\":null}", AT_LIVE_SUBSCRIBE,
          AT_LIVE_GENERATE, "generate:x", "x", 0, 0, 0 },
        { "{\"type\":\"subscribe\",\"productId\":\"ikea:1\",\"since\":7}",
          AT_LIVE_SUBSCRIBE, AT_LIVE_PRODUCT, "product:ikea:1", "ikea:1", 1,
          7, 1 },
        { "{\"type\":\"subscribe\",\"productId\":42}", AT_LIVE_SUBSCRIBE,
          AT_LIVE_PRODUCT, "product:42", "42", 0, 0, 1 },
        { "{\"type\":\"unsubscribe\",\"channel\":\"products\"}",
          AT_LIVE_UNSUBSCRIBE, AT_LIVE_PRODUCTS, "products", "", 0, 0, 0 },
        { "{\"type\":\"unsubscribe\",\"productId\":\"a\"}",
          AT_LIVE_UNSUBSCRIBE, AT_LIVE_PRODUCT, "product:a", "a", 0, 0, 1 },
        { "{\"type\":\"sub\\u0073cribe\",\"chann\\u0065l\":\"prod\\u0075cts\"}",
          AT_LIVE_SUBSCRIBE, AT_LIVE_PRODUCTS, "products", "", 0, 0, 0 },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"x\":{\"type\":"
          "1,\"channel\":[]},\"y\":[\"type\"],\"a.type\":3,\"long\":\""
          TEST_LONG TEST_LONG TEST_LONG TEST_LONG TEST_LONG TEST_LONG "\"}",
          AT_LIVE_SUBSCRIBE, AT_LIVE_PRODUCTS, "products", "", 0, 0, 0 }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(test_read(rows[i].text, &in, &error) == AT_OK,
                     "%s: %s", rows[i].text, error.detail);
        at_test_true(in.type == rows[i].type
                     && in.channel.kind == rows[i].kind
                     && at_str_is(in.channel.name, rows[i].name)
                     && at_str_is(in.channel.id, rows[i].id)
                     && in.has_since == (unsigned) rows[i].has_since
                     && in.since == rows[i].since
                     && in.by_product == (unsigned) rows[i].by_product,
                     "%s: %.*s", rows[i].text, (int) in.channel.name.len,
                     in.channel.name.data);
    }
}


static void
test_refused(void **state)
{
    size_t               i, k;
    at_live_in_t         in;
    at_live_error_t      error;
    static const struct {
        const char  *text;
        const char  *code;
        const char  *detail;        /* is in it */
    } rows[] = {
        { "", "invalid_json", "" },
        { "hello", "invalid_json", "" },
        { "{\"type\":\"ping\"", "invalid_json", "" },
        { "{\"type\":\"ping\"} x", "invalid_json", "" },
        { "{\"type\":1,\"a\":}", "invalid_json", "" },
        { "[[[[[[[[[[[[[[[[[", "invalid_json", "deep" },
        { "[]", "not_an_object", "" },
        { "1e999", "not_an_object", "" },
        { "\"type\"", "not_an_object", "" },
        { "null", "not_an_object", "" },
        { "[{\"type\":\"ping\"}]", "not_an_object", "" },
        { "{}", "missing_field", "type" },
        { "{\"type\":null}", "missing_field", "type" },
        { "{\"a\":{\"type\":\"ping\"}}", "missing_field", "type" },
        { "{\"type\":{}}", "wrong_type", "type is an object" },
        { "{\"type\":[\"ping\"]}", "wrong_type", "type is an array" },
        { "{\"type\":true}", "wrong_type", "type is true" },
        { "{\"type\":\"no-such\"}", "unknown_type", "\"no-such\"" },
        { "{\"type\":\"Ping\"}", "unknown_type", "\"Ping\"" },
        { "{\"type\":\"\\u0000ping\"}", "unknown_type", "\"?ping\"" },
        { "{\"type\":\"" TEST_LONG "\"}", "unknown_type", "...\"" },
        { "{\"type\":\"ping\",\"type\":\"ping\"}", "duplicate_field",
          "type" },
        { "{\"type\":\"ping\",\"t\":1,\"t\":[]}", "duplicate_field", "t is" },
        { "{\"type\":\"subscribe\"}", "missing_field", "channel" },
        { "{\"type\":\"unsubscribe\",\"channel\":null}", "missing_field",
          "unsubscribe" },
        { "{\"type\":\"subscribe\",\"channel\":1}", "wrong_type",
          "channel is 1" },
        { "{\"type\":\"subscribe\",\"channel\":[]}", "wrong_type",
          "channel is an array" },
        { "{\"type\":\"subscribe\",\"channel\":{\"a\":\"products\"}}",
          "wrong_type", "channel is an object" },
        { "{\"type\":\"subscribe\",\"productId\":true}", "wrong_type",
          "productId is true" },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"productId\":"
          "\"1\"}", "duplicate_field", "one of them" },
        { "{\"type\":\"subscribe\",\"channel\":\"\",\"productId\":\"1\"}",
          "duplicate_field", "one of them" },
        { "{\"type\":\"subscribe\",\"channel\":\"\"}", "unknown_channel",
          "" },
        { "{\"type\":\"subscribe\",\"channel\":\"never\"}",
          "unknown_channel", "\"never\"" },
        { "{\"type\":\"subscribe\",\"channel\":\"conf:1\"}",
          "unknown_channel", "\"conf:1\"" },
        { "{\"type\":\"subscribe\",\"channel\":\"a\\r\\nSUBSCRIBE b\"}",
          "unknown_channel", "a??SUBSCRIBE b" },
        { "{\"type\":\"subscribe\",\"channel\":\"product:a\\r\\nX\"}",
          "invalid_channel", "product:a??X" },
        { "{\"type\":\"subscribe\",\"productId\":\"\"}", "invalid_channel",
          "id" },
        { "{\"type\":\"subscribe\",\"productId\":1e+9}", "invalid_channel",
          "id" },
        { "{\"type\":\"subscribe\",\"channel\":\"product:\xC3\xA9\"}",
          "invalid_channel", "id" },
        { "{\"type\":\"subscribe\",\"channel\":\"" TEST_LONG TEST_LONG
          "\"}", "too_long", "channel" },
        { "{\"type\":\"subscribe\",\"channel\":\"product:" TEST_LONG
          "\"}", "too_long", "channel" },
        { "{\"type\":\"subscribe\",\"productId\":\"" TEST_LONG "\"}",
          "too_long", "120" },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":-1}",
          "out_of_range", "since is -1" },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":1.0}",
          "out_of_range", "since is 1.0" },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":1e3}",
          "out_of_range", "since is 1e3" },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":"
          "9007199254740992}", "out_of_range", MAX },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":"
          "99999999999999999999999999999}", "out_of_range", MAX },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":"
          "18446744073709551616}", "out_of_range", MAX },
        { "{\"type\":\"subscribe\",\"channel\":\"products\",\"since\":"
          "\"5\"}", "wrong_type", "since is \"5\"" },
        { "{\"type\":\"ping\",\"t\":true}", "wrong_type", "t is true" },
        { "{\"type\":\"ping\",\"t\":{}}", "wrong_type", "t is an object" },
        { "{\"type\":\"ping\",\"t\":\"" TEST_LONG "\"}", "too_long", "t" },
        { "{\"type\":\"ping\",\"since\":[]}", "wrong_type", "since" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(test_read(rows[i].text, &in, &error) == AT_ERROR,
                     "%s was taken", rows[i].text);
        at_test_true(strcmp(error.code, rows[i].code) == 0
                     && strstr(error.detail, rows[i].detail) != NULL,
                     "%s: %s, %s", rows[i].text, error.code, error.detail);

        for (k = 0; error.detail[k]; k++) {
            assert_in_range(error.detail[k], 0x20, 0x7e);
        }
    }
}


static void
test_bounds(void **state)
{
    size_t           i;
    at_buf_t         b;
    at_live_in_t     in;
    at_live_error_t  error;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));

    /* a pad of 60,000 bytes is nobody's business */

    assert_int_equal(at_buf_append_str(&b, AT_STR("{\"type\":\"ping\","
                                                  "\"pad\":\"")), AT_OK);
    for (i = 0; i < 6000; i++) {
        assert_int_equal(at_buf_append_str(&b, AT_STR("0123456789")), AT_OK);
    }

    assert_int_equal(at_buf_append_str(&b, AT_STR("\"}")), AT_OK);
    assert_int_equal(at_live_read(at_buf_str(&b), &in, &error), AT_OK);

    /* thousands of values are */

    b.len = 0;
    assert_int_equal(at_buf_append_str(&b, AT_STR("{\"type\":\"ping\","
                                                  "\"pad\":[0")), AT_OK);
    for (i = 0; i < 2000; i++) {
        assert_int_equal(at_buf_append_str(&b, AT_STR(",0")), AT_OK);
    }

    assert_int_equal(at_buf_append_str(&b, AT_STR("]}")), AT_OK);
    assert_int_equal(at_live_read(at_buf_str(&b), &in, &error), AT_ERROR);
    assert_string_equal(error.code, "invalid_json");

    /* the longest names */

    b.len = 0;
    assert_int_equal(at_buf_printf(&b, "{\"type\":\"subscribe\",\"channel\":"
                                   "\"product:%.120s\"}", TEST_LONG), AT_OK);
    assert_int_equal(at_live_read(at_buf_str(&b), &in, &error), AT_OK);
    assert_int_equal(in.channel.name.len, AT_LIVE_CHANNEL_MAX);

    b.len = 0;
    assert_int_equal(at_buf_printf(&b, "{\"type\":\"subscribe\",\"channel\":"
                                   "\"product:%.121s\"}", TEST_LONG), AT_OK);
    assert_int_equal(at_live_read(at_buf_str(&b), &in, &error), AT_ERROR);
    assert_string_equal(error.code, "too_long");

    b.len = 0;
    assert_int_equal(at_buf_printf(&b, "{\"type\":\"subscribe\","
                                   "\"productId\":\"%.120s\"}", TEST_LONG),
                     AT_OK);
    assert_int_equal(at_live_read(at_buf_str(&b), &in, &error), AT_OK);
    assert_int_equal(in.channel.name.len, AT_LIVE_CHANNEL_MAX);

    b.len = 0;
    assert_int_equal(at_buf_printf(&b, "{\"type\":\"subscribe\","
                                   "\"productId\":\"%.121s\"}", TEST_LONG),
                     AT_OK);
    assert_int_equal(at_live_read(at_buf_str(&b), &in, &error), AT_ERROR);
    assert_string_equal(error.code, "too_long");
    assert_non_null(strstr(error.detail, "120"));

    /* yajl does not look what it got, so the failing one must be ours */

    at_test_memory_end = 256;
    assert_int_equal(at_live_read(AT_STR("{\"type\":\"" TEST_LONG TEST_LONG
                                         TEST_LONG TEST_LONG "\"}"), &in,
                                  &error), AT_ERROR);
    at_test_memory_end = 0;
    assert_string_equal(error.code, "no_memory");

    at_buf_free(&b);
}


static void
test_channels(void **state)
{
    size_t                    i;
    at_live_channel_t         c;
    static const char *const  good[] = {
        "products", "product:1", "product:a:b", "product::", "design:a:b",
        "generate:0f-9_~.Z"
    };
    static const char *const  bad[] = {
        "", ":", "product", "product:", "products:", "products:1",
        "Product:1", " product:1", "product:1 ", "product:*", "product:a/b",
        "product:a[b]", "product:a{b}", "design", "design:", "generate:",
        "prod:1", "product:;", "product:/", "product:@", "product:`",
        "product:\x7f"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(good); i++) {
        at_test_true(at_live_channel(at_test_str(good[i]), &c, NULL) == AT_OK,
                     "%s", good[i]);
    }

    for (i = 0; i < AT_TEST_N(bad); i++) {
        at_test_true(at_live_channel(at_test_str(bad[i]), &c, NULL)
                     == AT_ERROR, "%s", bad[i]);
    }

    assert_int_equal(at_live_channel((at_str_t) { 10, "product:\0a" }, &c,
                                     NULL), AT_ERROR);
    assert_int_equal(at_live_channel(AT_STR_NULL, &c, NULL), AT_ERROR);
}


static void
test_data(void **state)
{
    (void) state;

    assert_true(at_live_data_valid(AT_STR("{\"a\":[1,\"b\",null]}")));
    assert_true(at_live_data_valid(AT_STR(" 1 ")));
    assert_true(at_live_data_valid(AT_STR("\"\xC3\xA9\"")));
    assert_false(at_live_data_valid(AT_STR("")));
    assert_false(at_live_data_valid(AT_STR_NULL));
    assert_false(at_live_data_valid(AT_STR("1 2")));
    assert_false(at_live_data_valid(AT_STR("1,\"x\":2")));
    assert_false(at_live_data_valid(AT_STR("{\"a\":1")));
    assert_false(at_live_data_valid(AT_STR("{}}")));
    assert_false(at_live_data_valid(AT_STR("\"\xED\xA0\x80\"")));
    assert_false(at_live_data_valid(AT_STR("hello")));
}


static void
test_write(void **state)
{
    size_t           i, n;
    at_buf_t         b;
    at_live_in_t     in;
    at_live_error_t  error;

    static const struct {
        const char  *ping;
        const char  *pong;
    } rows[] = {
        { "{\"type\":\"ping\"}", "{\"type\":\"pong\"}" },
        { "{\"type\":\"ping\",\"t\":null}", "{\"type\":\"pong\"}" },
        { "{\"type\":\"ping\",\"t\":1732.5e3}",
          "{\"type\":\"pong\",\"t\":1732.5e3}" },
        { "{\"t\":\"a\\\"\\n\",\"type\":\"ping\"}",
          "{\"type\":\"pong\",\"t\":\"a\\\"\\n\"}" },
        { "{\"type\":\"ping\",\"t\":\"\"}", "{\"type\":\"pong\",\"t\":\"\"}" },
        { "{\"type\":\"ping\",\"t\":\"\\ud800\"}",
          "{\"type\":\"pong\",\"t\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
          "\"}" }
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&error, 0, sizeof(at_live_error_t));

    assert_int_equal(at_live_write_subscribed(&b, AT_STR("product:1"), 0, 1),
                     AT_OK);
    assert_int_equal(at_live_write_subscribed(&b, AT_STR("products"),
                                              AT_LIVE_ID_MAX, 0), AT_OK);
    assert_int_equal(at_live_write_data(&b, AT_STR("products"), 12,
                                        AT_STR("{\"a\":1}")), AT_OK);
    assert_int_equal(at_live_write_data(&b, AT_STR("products"), 0,
                                        AT_STR("null")), AT_OK);

    error.code = "wrong_type";
    (void) snprintf(error.detail, sizeof(error.detail), "a \"b\"");
    assert_int_equal(at_live_write_error(&b, &error), AT_OK);

    assert_true(at_str_is(at_buf_str(&b),
        "{\"type\":\"subscribed\",\"channel\":\"product:1\",\"last\":0,"
        "\"recovered\":true}"
        "{\"type\":\"subscribed\",\"channel\":\"products\",\"last\":" MAX ","
        "\"recovered\":false}"
        "{\"channel\":\"products\",\"id\":12,\"data\":{\"a\":1}}"
        "{\"channel\":\"products\",\"data\":null}"
        "{\"type\":\"error\",\"code\":\"wrong_type\",\"message\":"
        "\"a \\\"b\\\"\"}"));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        b.len = 0;
        assert_int_equal(test_read(rows[i].ping, &in, &error), AT_OK);
        assert_int_equal(in.type, AT_LIVE_PING);
        assert_int_equal(at_live_write_pong(&b, &in), AT_OK);
        at_test_true(at_str_is(at_buf_str(&b), rows[i].pong), "%.*s",
                     (int) b.len, (char *) b.data);
    }

    /* all of a message or nothing, wherever the buffer is full */

    at_buf_free(&b);
    error.code = "wrong_type";

    for (n = 1; n < 80; n++) {
        at_buf_t  small = { .max = n };

        assert_int_equal(at_buf_append(&small, "!", 1), AT_OK);

        if (at_live_write_subscribed(&small, AT_STR("product:1"), 5, 1)
            != AT_OK)
        {
            assert_int_equal(small.len, 1);
        }

        small.len = 1;

        if (at_live_write_error(&small, &error) != AT_OK) {
            assert_int_equal(small.len, 1);
        }

        small.len = 1;

        if (at_live_write_pong(&small, &in) != AT_OK) {
            assert_int_equal(small.len, 1);
        }

        small.len = 1;

        if (at_live_write_data(&small, AT_STR("products"), 5, AT_STR("{}"))
            != AT_OK)
        {
            assert_int_equal(small.len, 1);
        }

        at_buf_free(&small);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_write)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
