/*
 * The body of POST /generate: every code, every edge of every bound, and
 * what the answer says about it.
 */

#include "at_test.h"
#include "at_test_memory.h"
#include "at_generate.h"
#include "at_text.h"


typedef struct {
    const char  *body;
    const char  *code;
    const char  *field;
    const char  *detail;        /* NULL: any */
} test_row_t;


static const char  test_letters[] = "a room with oak shelves and a linen sofa";


/* Parses a copy of exactly the body's size that is gone afterwards. */
static int
test_parse(at_str_t body, at_generate_t *g, at_generate_error_t *err)
{
    int       rc;
    size_t    i, n;
    at_str_t  s;

    s = at_test_exact(body);
    memset(g, 0xA5, sizeof(at_generate_t));
    memset(err, 0xA5, sizeof(at_generate_error_t));

    rc = at_generate_parse(s, g, err);

    memset((char *) s.data, 'X', s.len);
    free((char *) s.data);

    if (rc == AT_OK) {
        assert_null(err->code);
        return rc;
    }

    assert_null(g->store.data);
    assert_non_null(err->code);

    n = strlen(err->detail);
    assert_true(n > 10 && n < sizeof(err->detail) - 1);

    for (i = 0; i < n; i++) {
        assert_true(err->detail[i] >= 0x20 && err->detail[i] < 0x7F);
    }

    return rc;
}


static void
test_refused(at_str_t body, const char *code, const char *field,
    const char *detail)
{
    at_generate_t        g;
    at_generate_error_t  err;

    at_test_true(test_parse(body, &g, &err) == AT_ERROR, "%.*s was taken",
                 (int) body.len, body.data);
    at_test_true(strcmp(err.code, code) == 0, "%.60s: %s, not %s", body.data,
                 err.code, code);

    if (field == NULL) {
        at_test_true(err.field == NULL, "%.60s: %s", body.data, err.field);

    } else {
        at_test_true(err.field != NULL && strcmp(err.field, field) == 0,
                     "%.60s: %s", body.data,
                     err.field != NULL ? err.field : "no field");
    }

    if (detail != NULL) {
        assert_string_equal(err.detail, detail);
    }
}


/* As code says; NULL: it is taken. */
static void
test_taken_or_not(at_str_t body, const char *code)
{
    at_generate_t        g;
    at_generate_error_t  err;

    if (code != NULL) {
        test_refused(body, code, "prompt", NULL);
        return;
    }

    assert_int_equal(test_parse(body, &g, &err), AT_OK);
    at_generate_free(&g);
}


static void
test_minimal(void **state)
{
    at_generate_t        g;
    at_generate_error_t  err;

    (void) state;

    assert_int_equal(test_parse(AT_STR("{\"prompt\":\"a sofa\"}"), &g, &err),
                     AT_OK);

    assert_true(at_str_is(g.prompt, "a sofa"));
    assert_int_equal(g.style.len, 0);
    assert_int_equal(g.room_type.len, 0);
    assert_int_equal(g.negative.len, 0);
    assert_int_equal(g.width, 0);
    assert_int_equal(g.height, 0);
    assert_int_equal(g.has_seed, 0);

    at_generate_free(&g);
}


static void
test_all_members(void **state)
{
    at_generate_t        g;
    at_generate_error_t  err;

    (void) state;

    assert_int_equal(test_parse(AT_STR(
        " {\"seed\":42,\"width\":1024,\"height\":64,\"other\":{\"prompt\":1,"
        "\"a\":[null,{\"width\":\"x\"}]},\"prompt\":\" a \\u201csofa\\u201d"
        "\\nby\\tthe window\\r\\n\",\"style\":\" mid-century \","
        "\"roomType\":\"salle \xC3\xA0 manger\",\"negativePrompt\":"
        "\"people,\\ntext \\ud83d\\ude00\",\"prompt.x\":1,\"prompt[]\":2}\n"),
        &g, &err), AT_OK);

    assert_true(at_str_is(g.prompt, "a \xE2\x80\x9Csofa\xE2\x80\x9D\nby\tthe "
                                    "window"));
    assert_true(at_str_is(g.style, "mid-century"));
    assert_true(at_str_is(g.room_type, "salle \xC3\xA0 manger"));
    assert_true(at_str_is(g.negative, "people,\ntext \xF0\x9F\x98\x80"));
    assert_int_equal(g.width, 1024);
    assert_int_equal(g.height, 64);
    assert_int_equal(g.has_seed, 1);
    assert_int_equal(g.seed, 42);

    at_generate_free(&g);
}


/* null and blank words are as good as nothing, except for the prompt. */
static void
test_not_given(void **state)
{
    at_generate_t        g;
    at_generate_error_t  err;

    (void) state;

    assert_int_equal(test_parse(AT_STR(
        "{\"prompt\":\"x\",\"style\":null,\"roomType\":\"\","
        "\"negativePrompt\":\" \\u3000\\n\",\"width\":null,\"height\":null,"
        "\"seed\":null}"), &g, &err), AT_OK);

    assert_int_equal(g.style.len, 0);
    assert_int_equal(g.room_type.len, 0);
    assert_int_equal(g.negative.len, 0);
    assert_int_equal(g.width, 0);
    assert_int_equal(g.height, 0);
    assert_int_equal(g.has_seed, 0);

    at_generate_free(&g);

    test_refused(AT_STR("{\"prompt\":null}"), "wrong_type", "prompt",
                 "prompt is null; it must be a string");
}


static void
test_errors(void **state)
{
    size_t  i;

    static const test_row_t  rows[] = {
        { "", "invalid_json", NULL,
          "the body is empty; send a JSON object with a prompt" },
        { " ", "invalid_json", NULL, NULL },
        { "prompt=a+sofa", "invalid_json", NULL, NULL },
        { "{\"prompt\":\"x\"", "invalid_json", NULL, NULL },
        { "{\"prompt\":\"x\"}}", "invalid_json", NULL, NULL },
        { "{\"prompt\":\"x\"}{}", "invalid_json", NULL, NULL },
        { "{\"prompt\":\"x\",}", "invalid_json", NULL, NULL },
        { "{\"prompt\":\"x\ny\"}", "invalid_json", NULL,
          "the body cannot be read: not valid JSON: a control character in "
          "a string; send one JSON object" },
        { "{\"prompt\":\"\\x\"}", "invalid_json", NULL, NULL },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
          "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
          "invalid_json", NULL,
          "the body cannot be read: nested too deeply; send one JSON "
          "object" },

        { "[]", "not_an_object", NULL, NULL },
        { "[{\"prompt\":\"x\"}]", "not_an_object", NULL, NULL },
        { "\"prompt\"", "not_an_object", NULL, NULL },
        { "null", "not_an_object", NULL, NULL },
        { "7", "not_an_object", NULL, NULL },

        { "{}", "missing_field", "prompt",
          "prompt is missing; send a string of 1 to 10000 characters" },
        { "{\"Prompt\":\"x\"}", "missing_field", "prompt", NULL },
        { "{\"a\":{\"prompt\":\"x\"}}", "missing_field", "prompt", NULL },
        { "{\"prompt\\u0000\":\"x\"}", "missing_field", "prompt", NULL },

        { "{\"prompt\":12}", "wrong_type", "prompt",
          "prompt is 12; it must be a string" },
        { "{\"prompt\":true}", "wrong_type", "prompt",
          "prompt is true; it must be a string" },
        { "{\"prompt\":{}}", "wrong_type", "prompt",
          "prompt is an object; it must be a string" },
        { "{\"prompt\":[\"x\"]}", "wrong_type", "prompt",
          "prompt is an array; it must be a string" },
        { "{\"prompt\":\"x\",\"style\":1}", "wrong_type", "style", NULL },
        { "{\"prompt\":\"x\",\"roomType\":false}", "wrong_type", "roomType",
          NULL },
        { "{\"prompt\":\"x\",\"negativePrompt\":[]}", "wrong_type",
          "negativePrompt", NULL },
        { "{\"prompt\":\"x\",\"width\":\"1024\"}", "wrong_type", "width",
          "width is \"1024\"; it must be an integer from 64 to 4096" },
        { "{\"prompt\":\"x\",\"width\":{}}", "wrong_type", "width",
          "width is an object; it must be an integer from 64 to 4096" },
        { "{\"prompt\":\"x\",\"width\":1024.0}", "wrong_type", "width",
          "width is 1024.0; it must be an integer from 64 to 4096" },
        { "{\"prompt\":\"x\",\"height\":1e3}", "wrong_type", "height",
          "height is 1e3; it must be an integer from 64 to 4096" },
        { "{\"prompt\":\"x\",\"seed\":1.5}", "wrong_type", "seed",
          "seed is 1.5; it must be an integer from 0 to 4294967294" },
        { "{\"prompt\":\"x\",\"seed\":true}", "wrong_type", "seed", NULL },
        { "{\"prompt\":\"x\",\"seed\":\"\\u0000\\n\\u00e9\\\"" "0123456789"
          "01234567890123456789012345678901234567890123456789\"}",
          "wrong_type", "seed",
          "seed is \"\?\?\?\?\"01234567890123456789012345678...\"; it must "
          "be an integer from 0 to 4294967294" },

        { "{\"prompt\":\"x\",\"prompt\":\"x\"}", "duplicate_field", "prompt",
          "prompt is given more than once; send it once" },
        { "{\"prompt\":\"x\",\"pro\\u006dpt\":\"y\"}", "duplicate_field",
          "prompt", NULL },
        { "{\"prompt\":\"x\",\"width\":null,\"width\":64}",
          "duplicate_field", "width", NULL },
        { "{\"prompt\":\"x\",\"seed\":1,\"seed\":{}}", "duplicate_field",
          "seed", NULL },

        { "{\"prompt\":\"\"}", "empty_field", "prompt",
          "prompt is empty; send a string of 1 to 10000 characters" },
        { "{\"prompt\":\" \\t\\r\\n \"}", "empty_field", "prompt", NULL },
        { "{\"prompt\":\"\\u00a0\\u1680\\u2000\\u200a\\u2028\\u2029\\u202f"
          "\\u205f\\u3000\"}", "empty_field", "prompt", NULL },

        { "{\"prompt\":\"x\",\"width\":63}", "out_of_range", "width", NULL },
        { "{\"prompt\":\"x\",\"width\":10}", "out_of_range", "width",
          "width is 10; it must be an integer from 64 to 4096" },
        { "{\"prompt\":\"x\",\"width\":4097}", "out_of_range", "width",
          NULL },
        { "{\"prompt\":\"x\",\"height\":0}", "out_of_range", "height", NULL },
        { "{\"prompt\":\"x\",\"height\":-64}", "out_of_range", "height",
          "height is -64; it must be an integer from 64 to 4096" },
        { "{\"prompt\":\"x\",\"height\":-0}", "out_of_range", "height",
          NULL },
        { "{\"prompt\":\"x\",\"seed\":-1}", "out_of_range", "seed", NULL },
        { "{\"prompt\":\"x\",\"seed\":-0}", "out_of_range", "seed", NULL },
        { "{\"prompt\":\"x\",\"seed\":4294967295}", "out_of_range", "seed",
          NULL },
        { "{\"prompt\":\"x\",\"seed\":4294967296}", "out_of_range", "seed",
          NULL },
        { "{\"prompt\":\"x\",\"seed\":18446744073709551616}",
          "out_of_range", "seed", NULL },
        { "{\"prompt\":\"x\",\"width\":18446744073709552640}",
          "out_of_range", "width", NULL },
        { "{\"prompt\":\"x\",\"seed\":1234567890123456789012345678901234567"
          "8901234567890}", "out_of_range", "seed",
          "seed is 1234567890123456789012345678901234...; it must be an "
          "integer from 0 to 4294967294" },

        { "{\"prompt\":\"a\\u0000b\"}", "invalid_text", "prompt",
          "prompt has the control character U+0000; leave it out" },
        { "{\"prompt\":\"a\\u001b[31m\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"\\u0000\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"a\x7F\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"a\\u0085\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"a\\u009f\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"a\\u000b\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"\\ud83d\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"\\ude00\\ud83d\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"x\",\"style\":\"\\ud83dx\"}", "invalid_text",
          "style", NULL },
        { "{\"prompt\":\"\xFF\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"\xC3\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"\xED\xA0\xBD\xED\xB8\x80\"}", "invalid_text",
          "prompt", NULL },
        { "{\"prompt\":\"\xC0\x80\"}", "invalid_text", "prompt", NULL },
        { "{\"prompt\":\"x\",\"negativePrompt\":\"\\u0007\"}",
          "invalid_text", "negativePrompt", NULL },
        { "{\"prompt\":\"x\",\"style\":\"a\\tb\"}", "invalid_text", "style",
          "style has the control character U+0009; leave it out" },
        { "{\"prompt\":\"x\",\"roomType\":\"a\\n\"}", "invalid_text",
          "roomType", NULL },

        /* broken UTF-8 elsewhere is nobody's member */

        { "{\"prompt\":\"x\",\"other\":\"\xFF\"}", "invalid_json", NULL,
          "the body is not valid UTF-8; send JSON in UTF-8" },
        { "{\"prompt\":\"x\",\"o\xFF\":1}", "invalid_json", NULL, NULL },

        /* the whole goes before the member, the first before the second */

        { "{\"prompt\":12,", "invalid_json", NULL, NULL },
        { "{\"width\":1,\"prompt\":12}", "out_of_range", "width", NULL },
        { "{\"prompt\":\"x\",\"style\":7,\"style\":8}", "wrong_type",
          "style", NULL },
        { "{\"width\":1}", "out_of_range", "width", NULL },
        { "{\"prompt\":5,\"x\":\"\xFF\"}", "wrong_type", "prompt", NULL },
        { "{\"style\":\"\xFF\",\"x\":\"\xFF\"}", "invalid_text", "style",
          NULL },
        { "{\"x\":\"\xFF\"}", "invalid_json", NULL, NULL },
        { "[\"\xFF\"]", "not_an_object", NULL, NULL }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        test_refused(at_test_str(rows[i].body), rows[i].code, rows[i].field,
                     rows[i].detail);
    }

    test_refused(AT_STR("{\"prompt\":\"a\0b\"}"), "invalid_json", NULL, NULL);
    test_refused(AT_STR("{\"prompt\":\"a\"}\0"), "invalid_json", NULL, NULL);
}


/* A control character is found wherever it stands in a long text. */
static void
test_positions(void **state)
{
    char    body[128];
    size_t  i, k, n, before;

    static const struct {
        const char  *json;
        const char  *code;
    } rows[] = {
        { "\x7F",     "invalid_text" },
        { "\xC2\x9F", "invalid_text" },
        { "\\u001f",  "invalid_text" },
        { "\\ud800",  "invalid_text" },
        { "\\t",      NULL },
        { "~",        NULL },
        { "\xC2\xA0", NULL }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        for (n = 0; n <= 40; n++) {
            for (before = 0; before <= n; before++) {
                k = (size_t) snprintf(body, sizeof(body),
                                      "{\"prompt\":\"x%.*s%s%.*sx\"}",
                                      (int) before, test_letters,
                                      rows[i].json, (int) (n - before),
                                      test_letters);
                test_taken_or_not((at_str_t) { k, body }, rows[i].code);
            }
        }
    }
}


static void
test_integers(void **state)
{
    char                 body[128];
    size_t               i;
    at_generate_t        g;
    at_generate_error_t  err;

    static const struct {
        unsigned  width;
        unsigned  height;
        uint32_t  seed;
    } rows[] = {
        { 64, 4096, 0 }, { 4096, 64, 4294967294u }, { 1024, 768, 2147483648u }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        (void) snprintf(body, sizeof(body), "{\"prompt\":\"x\",\"width\":%u,"
                        "\"height\":%u,\"seed\":%u}", rows[i].width,
                        rows[i].height, rows[i].seed);

        assert_int_equal(test_parse(at_test_str(body), &g, &err), AT_OK);
        assert_int_equal(g.width, rows[i].width);
        assert_int_equal(g.height, rows[i].height);
        assert_int_equal(g.seed, rows[i].seed);
        assert_int_equal(g.has_seed, 1);

        at_generate_free(&g);
    }
}


/* A body whose member holds n times the same piece. */
static at_str_t
test_long(at_buf_t *b, const char *member, const char *piece, size_t n)
{
    b->len = 0;

    assert_int_equal(at_buf_printf(b, "{%s\"%s\":\"",
                                   strcmp(member, "prompt") == 0
                                   ? "" : "\"prompt\":\"x\",", member),
                     AT_OK);

    while (n-- > 0) {
        assert_int_equal(at_buf_append_str(b, at_test_str(piece)), AT_OK);
    }

    assert_int_equal(at_buf_append(b, "\"}", 2), AT_OK);

    return at_buf_str(b);
}


/* Lengths are code points, however many bytes each of them takes. */
static void
test_lengths(void **state)
{
    size_t               i, k;
    at_buf_t             b = { NULL, 0, 0, 0 };
    at_generate_t        g;
    at_generate_error_t  err;

    static const struct {
        const char  *member;
        size_t       max;
    } rows[] = {
        { "prompt", 10000 }, { "negativePrompt", 10000 }, { "style", 100 },
        { "roomType", 100 }
    };

    static const char *const  pieces[] = {
        "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\\ud83d\\ude00",
        "\\u00e9"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        for (k = 0; k < AT_TEST_N(pieces); k++) {

            assert_int_equal(test_parse(test_long(&b, rows[i].member,
                                                  pieces[k], rows[i].max),
                                        &g, &err), AT_OK);

            switch (i) {

            case 0:
                assert_int_equal(at_utf8_count(g.prompt), rows[i].max);
                break;

            case 1:
                assert_int_equal(at_utf8_count(g.negative), rows[i].max);
                break;

            case 2:
                assert_int_equal(at_utf8_count(g.style), rows[i].max);
                break;

            default:
                assert_int_equal(at_utf8_count(g.room_type), rows[i].max);
            }

            at_generate_free(&g);

            test_refused(test_long(&b, rows[i].member, pieces[k],
                                   rows[i].max + 1),
                         "too_long", rows[i].member, NULL);
        }
    }

    test_refused(test_long(&b, "prompt", "a", 10001), "too_long", "prompt",
                 "prompt has 10001 characters; it may have 10000 at most");

    at_buf_free(&b);
}


/* White space around the prompt does not count. */
static void
test_trim(void **state)
{
    at_buf_t             b = { NULL, 0, 0, 0 };
    at_generate_t        g;
    at_generate_error_t  err;

    (void) state;

    (void) test_long(&b, "prompt", "a", 10000);

    b.len -= 2;
    assert_int_equal(at_buf_printf(&b, "\\n\\u3000  \\u2003\"}"), AT_OK);

    assert_int_equal(test_parse(at_buf_str(&b), &g, &err), AT_OK);
    assert_int_equal(g.prompt.len, 10000);
    at_generate_free(&g);

    /* U+200B is no white space, and a byte of a letter is none either */

    assert_int_equal(test_parse(AT_STR("{\"prompt\":\" \\u200b \"}"), &g,
                                &err), AT_OK);
    assert_true(at_str_is(g.prompt, "\xE2\x80\x8B"));
    at_generate_free(&g);

    assert_int_equal(test_parse(AT_STR("{\"prompt\":\" \xC3\xA0 \"}"), &g,
                                &err), AT_OK);
    assert_true(at_str_is(g.prompt, "\xC3\xA0"));
    at_generate_free(&g);

    at_buf_free(&b);
}


static void
test_body_limit(void **state)
{
    size_t               n;
    at_buf_t             b = { NULL, 0, 0, 0 };
    at_generate_t        g;
    at_generate_error_t  err;

    (void) state;

    /* an unknown member may fill it to the last byte */

    n = AT_GENERATE_BODY_MAX
        - (sizeof("{\"prompt\":\"x\",\"other\":\"\"}") - 1);

    (void) test_long(&b, "other", "a", n);
    assert_int_equal(b.len, AT_GENERATE_BODY_MAX);
    assert_int_equal(test_parse(at_buf_str(&b), &g, &err), AT_OK);
    at_generate_free(&g);

    assert_int_equal(at_buf_append(&b, " ", 1), AT_OK);
    test_refused(at_buf_str(&b), "too_long", NULL,
                 "the body has 262145 bytes; it may have 262144 at most");

    at_buf_free(&b);
}


/* Wherever the memory ends, the body is not blamed for it. */
static void
test_no_memory(void **state)
{
    int                  rc;
    char                 body[5000];
    size_t               skip;
    at_generate_t        g;
    at_generate_error_t  err;

    (void) state;

    memset(body, 'x', sizeof(body));
    memcpy(body, "{\"x\":\"", 6);
    memcpy(body + 2000, "\",\"prompt\":\"", 12);
    memcpy(body + sizeof(body) - 2, "\"}", 2);

    /* The store, and the strings as they are read. */

    for (skip = 0; skip < 3; skip++) {
        at_test_memory_end = 1024;
        at_test_memory_skip = skip;

        rc = at_generate_parse((at_str_t) { sizeof(body), body }, &g, &err);
        at_test_memory_end = 0;

        assert_int_equal(rc, AT_ERROR);
        assert_string_equal(err.code, "no_memory");
        assert_null(err.field);
        assert_null(strstr(err.detail, "JSON"));
    }

    assert_int_equal(at_generate_parse((at_str_t) { sizeof(body), body }, &g,
                                       &err), AT_OK);
    at_generate_free(&g);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_minimal),
        cmocka_unit_test(test_all_members),
        cmocka_unit_test(test_not_given),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
