/*
 * The JSON reader at its limits and in trouble: bounds, callbacks that stop
 * it or are missing, streaming, and documents damaged at random.
 */

#include "at_test_json.h"
#include "at_test_memory.h"


static void
test_depth(void **state)
{
    char              text[3 * 200];
    size_t            i, k, n;
    test_ctx_t        t;
    at_json_limits_t  limits;
    static const int  depths[] = { 1, 2, 64, 200 };

    (void) state;

    memset(&t, 0, sizeof(test_ctx_t));

    for (i = 0; i < AT_TEST_N(depths); i++) {
        n = depths[i];

        memset(&limits, 0, sizeof(at_json_limits_t));
        limits.depth = n == 64 ? 0 : n;         /* 64 is the default */

        memset(text, '[', n);
        memset(text + n, ']', n);
        assert_int_equal(test_feed(&t, (at_str_t) { 2 * n, text }, &limits,
                                   1, NULL), AT_OK);

        memset(text, '[', n + 1);
        memset(text + n + 1, ']', n + 1);
        assert_int_equal(test_feed(&t, (at_str_t) { 2 * n + 2, text },
                                   &limits, 1, NULL), AT_ERROR);
        assert_int_equal(test_feed(&t, (at_str_t) { 2 * n + 2, text },
                                   &limits, SIZE_MAX, NULL), AT_ERROR);
    }

    /* width is no depth */

    for (k = 0; k < 200; k++) {
        memcpy(text + 3 * k, k == 0 ? "[1," : k < 199 ? "{}," : "{}]", 3);
    }

    memset(&limits, 0, sizeof(at_json_limits_t));
    limits.depth = 2;

    assert_int_equal(test_feed(&t, (at_str_t) { 3 * 200, text }, &limits, 1,
                               NULL), AT_OK);

    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
}


/* The reason is for people: it has to be the right one. */
static void
test_reasons(void **state)
{
    size_t                          i;
    at_json_t                      *j;
    static const at_json_limits_t   limits = { .depth = 2, .string = 3 };
    static const at_json_handler_t  none;

    static const struct {
        const char  *text;
        const char  *reason;
    } rows[] = {
        { "[[[", "nested too deeply" },
        { "\"abc", "the text ends inside a string" },
        { "\"abcd\"", "a string is too long" },
        { "[1", "the text ends too early or goes on after its value" },
        { "{} 1", "the text ends too early or goes on after its value" },
        { "[1,]", "not valid JSON" },
        { "[\"a\" \"b\"]", "not valid JSON: a string is out of place" },
        { "\"\n\"", "not valid JSON: a control character in a string" },
        { "\"\\x\"", "not valid JSON: an unknown escape in a string" },
        { "\"\\u12\"",
          "not valid JSON: a \\u escape without four digits" }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        j = at_json_create(&none, NULL, &limits);
        assert_non_null(j);

        if (at_json_feed(j, rows[i].text, strlen(rows[i].text)) == AT_OK) {
            assert_int_equal(at_json_finish(j), AT_ERROR);
        }

        assert_string_equal(at_json_error(j), rows[i].reason);
        at_json_free(j);
    }
}


static void
test_string_limit(void **state)
{
    static const at_json_limits_t  limits = { .string = 5 };
    static const test_row_t        rows[] = {
        { "[\"12345\"]", "[\n[]=12345\n]\n" },
        { "[\"123456\"]", NULL },
        { "[\"1234\\n\"]", "[\n[]=1234\n\n]\n" },
        { "[\"12345\\n\"]", NULL },
        { "[\"1234\\u00e9\"]", NULL },
        { "{\"b64\":\"123456789\"}", "{\nb64~123456789\n}\n" },
        { "{\"long key\":1}", "{\nlong key:1\n}\n" }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &limits);
}


static void
test_string_cut(void **state)
{
    static const at_json_limits_t  limits = { .string = 5, .cut = 1 };
    static const test_row_t        rows[] = {
        { "[\"12345\",\"123456\",\"x\"]",
          "[\n[]=12345\n[]=12345\n[]=x\n]\n" },
        { "[\"1234\\n567\"]", "[\n[]=1234\n\n]\n" },
        { "[\"12345\\n\"]", "[\n[]=12345\n]\n" },
        { "[\"12345\\\"6\"]", "[\n[]=12345\n]\n" },
        { "[\"1234\xC3\xA9\"]", "[\n[]=1234\n]\n" },
        { "[\"123\xC3\xA9\"]", "[\n[]=123\xC3\xA9\n]\n" },
        { "[\"123\xE2\x82\xAC\"]", "[\n[]=123\n]\n" },
        { "[\"12\xE2\x82\xAC\"]", "[\n[]=12\xE2\x82\xAC\n]\n" },
        { "[\"12\xF0\x9F\x98\x80\"]", "[\n[]=12\n]\n" },
        { "[\"1234\\u00e9\"]", "[\n[]=1234\n]\n" },
        { "[\"12\\ud83d\\ude00\"]", "[\n[]=12\n]\n" },
        { "[\"1\\ud83d\\ude00\\ud83d\\ude00\"]",
          "[\n[]=1\xF0\x9F\x98\x80\n]\n" },

        /* nothing short slips in behind what was dropped */

        { "[\"123\\u20acab\"]", "[\n[]=123\n]\n" },
        { "[\"123\xE2\x82\xAC" "ab\"]", "[\n[]=123\n]\n" },
        { "[\"123\\ud83d\\ude00\\n\"]", "[\n[]=123\n]\n" },

        /* what is dropped is still checked */

        { "[\"123456\\x\"]", NULL },
        { "[\"123456\x01\"]", NULL },
        { "[\"123456\\u12\"]", NULL }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &limits);
}


static void
test_number_limit(void **state)
{
    char        text[AT_JSON_NUMBER_MAX + 3];
    test_ctx_t  t;

    (void) state;

    memset(&t, 0, sizeof(test_ctx_t));
    memset(text, '1', sizeof(text));

    text[0] = '[';
    text[AT_JSON_NUMBER_MAX + 1] = ']';
    assert_int_equal(test_feed(&t, (at_str_t) { AT_JSON_NUMBER_MAX + 2, text },
                               NULL, 1, NULL), AT_OK);

    text[AT_JSON_NUMBER_MAX + 1] = '1';
    text[AT_JSON_NUMBER_MAX + 2] = ']';
    assert_int_equal(test_feed(&t, (at_str_t) { AT_JSON_NUMBER_MAX + 3, text },
                               NULL, 1, NULL), AT_ERROR);
    assert_int_equal(test_feed(&t, (at_str_t) { AT_JSON_NUMBER_MAX + 3, text },
                               NULL, SIZE_MAX, NULL), AT_ERROR);

    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
}


/* A callback that says AT_ERROR is the last one. */
static void
test_callback_stops(void **state)
{
    size_t      i, step;
    uint32_t    seed;
    at_str_t    text;
    test_ctx_t  t;

    static const struct {
        const char  *stop;
        const char  *events;
    } rows[] = {
        { "a", "{\na:1\n" },
        { "b", "{\na:1\n{b\n" },
        { "b.b64", "{\na:1\n{b\nb.b64~QQ==\n" },
        { "d", "{\na:1\n{b\nb.b64~QQ==\n}b\nd=x\n" }
    };

    (void) state;

    seed = 3;
    text = AT_STR("{\"a\":1,\"b\":{\"b64\":\"QQ==\"},\"d\":\"x\",\"e\":2}");

    for (i = 0; i < AT_TEST_N(rows); i++) {

        memset(&t, 0, sizeof(test_ctx_t));
        t.stop = rows[i].stop;

        for (step = 0; step < 20; step++) {
            assert_int_equal(test_feed(&t, text, NULL,
                                       step == 19 ? SIZE_MAX : step, &seed),
                             AT_ERROR);

            /* a streamed string can be stopped at any of its pieces */

            if (strcmp(rows[i].stop, "b.b64") != 0) {
                assert_true(at_str_is(at_buf_str(&t.log), rows[i].events));

            } else {
                assert_int_equal(t.npieces, 1);
            }
        }

        at_buf_free(&t.log);
        at_buf_free(&t.pieces);
    }
}


/* A big streamed string is handed on whole pieces at a time, not stored. */
static void
test_stream_is_zero_copy(void **state)
{
    char             *text;
    size_t            len;
    test_ctx_t        t;
    at_json_limits_t  limits = { .string = 16 };

    (void) state;

    len = 1500000;
    text = malloc(len);
    assert_non_null(text);

    memset(text, 'A', len);
    memcpy(text, "{\"b64\":\"", 8);
    memcpy(text + len - 2, "\"}", 2);

    memset(&t, 0, sizeof(test_ctx_t));

    assert_int_equal(test_feed(&t, (at_str_t) { len, text }, &limits, 4096,
                               NULL), AT_OK);

    assert_int_equal(t.log.len, 2 + 4 + (len - 10) + 1 + 2);
    assert_true(t.npieces <= len / 4096 + 1);

    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
    free(text);
}


/* A string where none may be is refused at its quote: nothing is handed on. */
static void
test_misplaced_string(void **state)
{
    size_t      i;
    test_ctx_t  t;

    static const struct {
        const char  *text;
        unsigned     pieces;
    } rows[] = {
        { "{\"b64\":[\"x\" \"y\"]}", 1 },
        { "{\"b64\":[tru\"y\"]}", 0 },
        { "{\"b64\":[1\"y\"]}", 0 },
        { "{\"b64\":[[]\"y\"]}", 0 },
        { "{\"b64\":[{}\"y\"]}", 0 }
    };

    (void) state;

    memset(&t, 0, sizeof(test_ctx_t));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        assert_int_equal(test_feed(&t, at_test_str(rows[i].text), NULL,
                                   SIZE_MAX, NULL), AT_ERROR);
        at_test_true(t.npieces == rows[i].pieces, "%s", rows[i].text);
    }

    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
}


/* All callbacks may be missing. */
static void
test_no_callbacks(void **state)
{
    at_json_t                *j;
    static const char         text[] = "{\"a\":[1,\"x\",null,{}],\"b\":true}";
    const at_json_handler_t   none = { NULL, NULL, NULL, NULL, NULL };
    const at_json_handler_t   stream = { NULL, test_stream, NULL, NULL, NULL };

    (void) state;

    j = at_json_create(&none, NULL, NULL);
    assert_non_null(j);
    assert_int_equal(at_json_feed(j, text, sizeof(text) - 1), AT_OK);
    assert_int_equal(at_json_finish(j), AT_OK);
    at_json_free(j);

    j = at_json_create(&stream, NULL, NULL);
    assert_non_null(j);
    assert_int_equal(at_json_feed(j, "{\"b64\":\"abc\"}", 13), AT_OK);
    assert_int_equal(at_json_finish(j), AT_OK);
    at_json_free(j);

    at_json_free(NULL);
}


/* Random bytes and random damage: no crash, and no piece but within bounds. */
static void
test_damage(void **state)
{
    int                rc;
    char               text[200];
    size_t             i, k, n;
    uint32_t           seed, again;
    test_ctx_t         t;
    static const char  good[] =
        "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\",{\"b64\":\"QUJD\\/\"}],"
        "\"b\":{\"c\":null,\"d\":true},\"e.f\":\"\",\"g\":[[],[{}]]}";
    static const char  odd[] = "\"\\{}[]:,u0d8 \x01\xFF" "1e-t";

    (void) state;

    seed = 5;
    memset(&t, 0, sizeof(test_ctx_t));

    for (i = 0; i < 20000; i++) {
        n = sizeof(good) - 1;
        memcpy(text, good, n);

        for (k = at_test_random(&seed) % 4 + 1; k > 0; k--) {
            text[at_test_random(&seed) % n] =
                odd[at_test_random(&seed) % (sizeof(odd) - 1)];
        }

        n -= at_test_random(&seed) % 3;

        /* the verdict must not depend on the pieces */

        rc = test_feed(&t, (at_str_t) { n, text }, NULL, SIZE_MAX, NULL);

        again = seed;
        at_test_true(test_feed(&t, (at_str_t) { n, text }, NULL, 1, NULL)
                     == rc, "%.*s", (int) n, text);
        at_test_true(test_feed(&t, (at_str_t) { n, text }, NULL, 0, &again)
                     == rc, "%.*s", (int) n, text);
    }

    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
}


/* No memory is told from a bound that is passed. */
static void
test_starved(void **state)
{
    char               text[2100];
    at_json_t         *j;
    at_json_limits_t   limits;
    at_json_handler_t  handler;

    (void) state;

    memset(text, 'x', sizeof(text));
    memcpy(text, "[\"", 2);
    memcpy(text + sizeof(text) - 2, "\"]", 2);
    memset(&handler, 0, sizeof(at_json_handler_t));
    memset(&limits, 0, sizeof(at_json_limits_t));

    j = at_json_create(&handler, NULL, &limits);
    assert_non_null(j);
    at_test_memory_end = 2048;
    assert_int_equal(at_json_feed(j, text, sizeof(text)), AT_ERROR);
    at_test_memory_end = 0;
    assert_int_equal(at_json_starved(j), 1);
    assert_string_equal(at_json_error(j), "no memory");
    assert_int_equal(at_json_feed(j, text, sizeof(text)), AT_ERROR);
    assert_int_equal(at_json_finish(j), AT_ERROR);
    at_json_free(j);

    /* The part of a cut string that is kept. */

    limits.string = 2050;
    limits.cut = 1;
    j = at_json_create(&handler, NULL, &limits);
    assert_non_null(j);
    at_test_memory_end = 2048;
    assert_int_equal(at_json_feed(j, text, sizeof(text)), AT_ERROR);
    at_test_memory_end = 0;
    assert_int_equal(at_json_starved(j), 1);
    at_json_free(j);

    limits.cut = 0;
    j = at_json_create(&handler, NULL, &limits);
    assert_non_null(j);
    assert_int_equal(at_json_feed(j, text, sizeof(text)), AT_ERROR);
    assert_int_equal(at_json_starved(j), 0);
    assert_string_equal(at_json_error(j), "a string is too long");
    at_json_free(j);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_string_limit),
        cmocka_unit_test(test_string_cut),
        cmocka_unit_test(test_number_limit),
        cmocka_unit_test(test_callback_stops),
        cmocka_unit_test(test_stream_is_zero_copy),
        cmocka_unit_test(test_misplaced_string),
        cmocka_unit_test(test_no_callbacks),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_starved)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
