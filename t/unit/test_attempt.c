/*
 * The body of POST /attempt, and requests written as JSON and read again.
 */

#include "at_test.h"
#include "at_attempt.h"


#define ID       "0123456789abcdef0123456789abcdef"
#define REQUEST  "\"request\":{\"prompt\":\"a room\"}"
#define HEAD     "{\"id\":\"" ID "\",\"fence\":3,"


typedef struct {
    const char  *body;
    const char  *code;
    const char  *field;
} test_row_t;


static int
test_parse(const char *body, at_attempt_t *a, at_generate_error_t *err)
{
    int       rc;
    at_str_t  s;

    s = at_test_exact(at_test_str(body));
    rc = at_attempt_parse(s, a, err);
    memset((char *) s.data, 'X', s.len);
    free((char *) s.data);

    return rc;
}


static void
test_whole(void **state)
{
    at_attempt_t         a;
    at_generate_error_t  err;

    (void) state;

    assert_int_equal(test_parse("{\"request\":{\"prompt\":\" a \\\"room\\\" \","
                                "\"seed\":7,\"width\":512},"
                                "\"fence\":12,\"id\":\"" ID "\",\"jobs\":["
                                "{\"provider\":\"p-1\",\"job\":\"abc_9\"},"
                                "{\"job\":\"x\",\"provider\":\"q\"}],"
                                "\"requestId\":\"r.1\",\"more\":[{}]}",
                                &a, &err), AT_OK);

    assert_true(at_str_is(a.id, ID));
    assert_int_equal(a.fence, 12);
    assert_true(at_str_is(a.request.prompt, "a \"room\""));
    assert_int_equal(a.request.has_seed, 1);
    assert_int_equal(a.request.seed, 7);
    assert_int_equal(a.request.width, 512);
    assert_int_equal(a.njobs, 2);
    assert_true(at_str_is(a.jobs[0].provider, "p-1"));
    assert_true(at_str_is(a.jobs[0].job, "abc_9"));
    assert_true(at_str_is(a.jobs[1].provider, "q"));
    assert_true(at_str_is(a.jobs[1].job, "x"));
    assert_true(at_str_is(a.request_id, "r.1"));

    at_attempt_free(&a);

    assert_int_equal(test_parse(HEAD "\"jobs\":null,\"requestId\":\"a b\","
                                REQUEST "}", &a, &err), AT_OK);
    assert_int_equal(a.njobs, 0);
    assert_int_equal(a.request_id.len, 0);

    at_attempt_free(&a);
}


static void
test_refused(void **state)
{
    size_t               i;
    at_attempt_t         a;
    at_generate_error_t  err;

    static const test_row_t  rows[] = {
        { "", "invalid_json", NULL },
        { "[]", "not_an_object", NULL },
        { "{}", "missing_field", "id" },
        { "{\"id\":\"" ID "\"," REQUEST "}", "missing_field", "fence" },
        { HEAD "\"x\":1}", "missing_field", "prompt" },
        { "{\"id\":\"0\",\"fence\":1," REQUEST "}", "wrong_type", "id" },
        { "{\"id\":\"0123456789ABCDEF0123456789abcdef\",\"fence\":1}",
          "wrong_type", "id" },
        { "{\"id\":[],\"fence\":1," REQUEST "}", "wrong_type", NULL },
        { HEAD "\"id\":\"" ID "\"," REQUEST "}", "duplicate_field", "id" },
        { "{\"id\":\"" ID "\",\"fence\":-1," REQUEST "}", "wrong_type",
          "fence" },
        { "{\"id\":\"" ID "\",\"fence\":1234567890123456789," REQUEST "}",
          "wrong_type", "fence" },
        { HEAD "\"fence\":1," REQUEST "}", "duplicate_field", "fence" },
        { HEAD "\"request\":{\"prompt\":\"\"}}", "empty_field", "prompt" },
        { HEAD "\"request\":{\"prompt\":{}}}", "wrong_type", "prompt" },
        { HEAD "\"request\":{\"prompt\":\"a\",\"prompt\":\"b\"}}",
          "duplicate_field", "prompt" },
        { HEAD "\"request\":{\"prompt\":\"a\",\"seed\":-1}}", "out_of_range",
          "seed" },
        { HEAD REQUEST ",\"jobs\":[{\"provider\":\"p\"}]}", "missing_field",
          "jobs" },
        { HEAD REQUEST ",\"jobs\":[{\"provider\":\"p\",\"job\":\"../x\"}]}",
          "wrong_type", "jobs" },
        { HEAD REQUEST ",\"jobs\":[{\"provider\":\"p\",\"provider\":\"q\"}]}",
          "wrong_type", "jobs" },
        { HEAD REQUEST ",\"jobs\":[{},{},{},{},{},{},{},{},{},{},{},{},{},"
          "{},{},{},{}]}", "too_long", "jobs" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(test_parse(rows[i].body, &a, &err) == AT_ERROR,
                     "taken: %s", rows[i].body);
        at_test_true(strcmp(err.code, rows[i].code) == 0,
                     "%s for %s", err.code, rows[i].body);
        at_test_true(rows[i].field == NULL
                     || (err.field && strcmp(err.field, rows[i].field) == 0),
                     "field of %s", rows[i].body);
        assert_null(a.store.data);
    }
}


static void
test_written(const char *body, const char *text)
{
    at_buf_t             one, two;
    at_generate_t        g;
    at_generate_error_t  err;

    memset(&one, 0, sizeof(at_buf_t));
    memset(&two, 0, sizeof(at_buf_t));

    assert_int_equal(at_generate_parse(at_test_str(body), &g, &err), AT_OK);
    assert_int_equal(at_generate_write(&g, &one), AT_OK);
    at_generate_free(&g);

    at_test_true(at_str_is(at_buf_str(&one), text), "%.*s", (int) one.len,
                 (char *) one.data);

    assert_int_equal(at_generate_parse(at_buf_str(&one), &g, &err), AT_OK);
    assert_int_equal(at_generate_write(&g, &two), AT_OK);
    at_generate_free(&g);

    assert_true(at_str_eq(at_buf_str(&one), at_buf_str(&two)));

    at_buf_free(&one);
    at_buf_free(&two);
}


static void
test_write(void **state)
{
    (void) state;

    test_written("{\"prompt\":\"a\"}", "{\"prompt\":\"a\"}");
    test_written("{\"seed\":0,\"prompt\":\" a\\nb \",\"style\":\"\","
                 "\"roomType\":null,\"x\":1}",
                 "{\"prompt\":\"a\\nb\",\"seed\":0}");
    test_written("{\"seed\":4294967294,\"height\":4096,\"width\":64,"
                 "\"negativePrompt\":\"n\",\"roomType\":\"r\",\"style\":"
                 "\"s\\\"\\\\\",\"prompt\":\"\\u00e9\\ud83d\\ude00\"}",
                 "{\"prompt\":\"\xC3\xA9\xF0\x9F\x98\x80\","
                 "\"style\":\"s\\\"\\\\\",\"roomType\":\"r\","
                 "\"negativePrompt\":\"n\",\"width\":64,\"height\":4096,"
                 "\"seed\":4294967294}");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_write)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
