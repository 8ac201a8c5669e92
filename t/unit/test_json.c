/*
 * The JSON reader: structure, strings and paths of good documents, and the
 * refusal of bad ones.
 */

#include "at_test_json.h"


static void
test_structure(void **state)
{
    static const test_row_t  rows[] = {
        { "null", ":null\n" },
        { " true ", ":true\n" },
        { "false\r\n\t", ":false\n" },
        { "12", ":12\n" },
        { "\"x\"", "=x\n" },
        { "\"\"", "=\n" },
        { "{}", "{\n}\n" },
        { "[]", "[\n]\n" },
        { "[[],[[]],{}]",
          "[\n[[]\n][]\n[[]\n[[][]\n][][]\n][]\n{[]\n}[]\n]\n" },
        { "[1,-2.5e+3,0.0,-0,1E400,123456789012345678901234567890]",
          "[\n[]:1\n[]:-2.5e+3\n[]:0.0\n[]:-0\n[]:1E400\n"
          "[]:123456789012345678901234567890\n]\n" },
        { "{\"a\":1,\"b\":{\"c\":[\"x\",{\"d\":null}],\"e\":true},"
          "\"f\":\"y\"}",
          "{\na:1\n{b\n[b.c\nb.c[]=x\n{b.c[]\nb.c[].d:null\n}b.c[]\n]b.c\n"
          "b.e:true\n}b\nf=y\n}\n" },
        { "[\"a\",\"b\",[\"c\"],\"d\"]",
          "[\n[]=a\n[]=b\n[[]\n[][]=c\n][]\n[]=d\n]\n" },
        { " {\t\"a\"\n:\r\"b\" , \"c\" : [ \"d\" , 1 ] } ",
          "{\na=b\n[c\nc[]=d\nc[]:1\n]c\n}\n" },
        { "{\"data\":[{\"b64_json\":\"QUJD\",\"seed\":7}]}",
          "{\n[data\n{data[]\ndata[].b64_json~QUJD\ndata[].seed:7\n}data[]\n"
          "]data\n}\n" },

        { "", NULL },
        { "  ", NULL },
        { "tru", NULL },
        { "truex", NULL },
        { "nul", NULL },
        { "True", NULL },
        { "NaN", NULL },
        { "Infinity", NULL },
        { "01", NULL },
        { "+1", NULL },
        { "-", NULL },
        { "1.", NULL },
        { ".5", NULL },
        { "1e", NULL },
        { "0x1", NULL },
        { "1 2", NULL },
        { "{} {}", NULL },
        { "{}tru", NULL },
        { "{}1", NULL },
        { "{}\"x\"", NULL },
        { "{},", NULL },
        { "{", NULL },
        { "[", NULL },
        { "[1", NULL },
        { "[1,", NULL },
        { "[1,]", NULL },
        { "[,1]", NULL },
        { "[1 2]", NULL },
        { "[\"a\" \"b\"]", NULL },
        { "[1 \"b\"]", NULL },
        { "[\"a\":1]", NULL },
        { "{\"a\"}", NULL },
        { "{\"a\":}", NULL },
        { "{\"a\":1,}", NULL },
        { "{\"a\" 1}", NULL },
        { "{\"a\" \"b\"}", NULL },
        { "{\"a\":\"b\" \"c\"}", NULL },
        { "{\"a\":tru\"b\"}", NULL },
        { "{\"a\":1\"b\"}", NULL },
        { "{a:1}", NULL },
        { "{1:2}", NULL },
        { "{'a':1}", NULL },
        { "{\"a\"::\"b\"}", NULL },
        { "{:\"a\"}", NULL },
        { "{,\"a\":1}", NULL },
        { "[:\"a\"]", NULL },
        { ":\"a\"", NULL },
        { "{]", NULL },
        { "[}", NULL },
        { "}", NULL },
        { "[1}", NULL },
        { "{\"a\":1]", NULL },
        { "/* x */ 1", NULL },
        { "// x\n1", NULL },
        { "[\x01]", NULL },
        { "\xEF\xBB\xBF{}", NULL },
        { "\xFF", NULL },
        { "[\xC2\xA0]", NULL }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), NULL);

    /* NUL outside of a string ends nothing */

    test_document(AT_STR("{}\0"), NULL, AT_STR_NULL);
    test_document(AT_STR("[\0]"), NULL, AT_STR_NULL);
}


/* Each plain, then streamed: both are decoded alike. */
static void
test_strings(void **state)
{
    char    text[256], events[256];
    size_t  i;

    static const struct {
        const char  *text;
        const char  *plain;     /* NULL: refused */
    } rows[] = {
        { "", "" },
        { "abc", "abc" },
        { "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz" },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t" },
        { "a\\/b\\/c", "a/b/c" },
        { "12345678\\n12345678", "12345678\n12345678" },
        { "\\\\\\\\", "\\\\" },
        { "\\\\u0041", "\\u0041" },
        { "\\u0041\\u004a\\u004A", "AJJ" },
        { "\\u007f\\u0080\\u07ff\\u0800\\uFFFF",
          "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF" },
        { "\\ud83d\\ude00", "\xF0\x9F\x98\x80" },
        { "\\uD800\\uDC00\\uDBFF\\uDFFF",
          "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF" },
        { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
          "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
        { "\x7F", "\x7F" },
        { "{\\\"a\\\":[1,2]}", "{\"a\":[1,2]}" },
        { "[]{}:,", "[]{}:," },

        /* a surrogate alone is no UTF-8, and stays visible as such */

        { "\\ud800", "\xED\xA0\x80" },
        { "\\udfff", "\xED\xBF\xBF" },
        { "\\ud83dx", "\xED\xA0\xBD" "x" },
        { "\\ud83d\\n", "\xED\xA0\xBD\n" },
        { "\\ud83d\\u0041", "\xED\xA0\xBD" "A" },
        { "\\ud83d\\ud83d\\ude00", "\xED\xA0\xBD\xF0\x9F\x98\x80" },
        { "\\ude00\\ud83d", "\xED\xB8\x80\xED\xA0\xBD" },
        { "\\ud83d\\\\", "\xED\xA0\xBD\\" },

        /* bytes that are no UTF-8 go through */

        { "\x80\xFF\xC0", "\x80\xFF\xC0" },

        { "\\x41", NULL },
        { "\\'", NULL },
        { "\\U0041", NULL },
        { "\\u004", NULL },
        { "\\u004g", NULL },
        { "\\u 041", NULL },
        { "\\u+041", NULL },
        { "\\u00\\u0041", NULL },
        { "\\", NULL },
        { "\\ud83d\\u", NULL },
        { "\x01", NULL },
        { "\x1F", NULL },
        { "a\nb", NULL },
        { "1234567890\t", NULL },
        { "1234567890\t1234567890123456", NULL },
        { "\x7F\x1F", NULL }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {

        (void) snprintf(text, sizeof(text), "{\"x\":\"%s\",\"y\":2}",
                        rows[i].text);
        (void) snprintf(events, sizeof(events), "{\nx=%s\ny:2\n}\n",
                        rows[i].plain != NULL ? rows[i].plain : "");
        test_document(at_test_str(text), NULL,
                      rows[i].plain != NULL ? at_test_str(events)
                                            : AT_STR_NULL);

        (void) snprintf(text, sizeof(text), "{\"b64\":[\"%s\"]}",
                        rows[i].text);
        (void) snprintf(events, sizeof(events), "{\n[b64\nb64[]~%s\n]b64\n}\n",
                        rows[i].plain != NULL ? rows[i].plain : "");
        test_document(at_test_str(text), NULL,
                      rows[i].plain != NULL ? at_test_str(events)
                                            : AT_STR_NULL);
    }

    /* NUL, escaped and raw */

    test_document(AT_STR("[\"a\\u0000b\"]"), NULL,
                  AT_STR("[\n[]=a\0b\n]\n"));
    test_document(AT_STR("[\"a\0b\"]"), NULL, AT_STR_NULL);
    test_document(AT_STR("{\"b64\":\"\\u0000\"}"), NULL,
                  AT_STR("{\nb64~\0\n}\n"));

    /* the text ends inside */

    test_document(AT_STR("\"abc"), NULL, AT_STR_NULL);
    test_document(AT_STR("\"abc\\\""), NULL, AT_STR_NULL);
    test_document(AT_STR("{\"b64\":\"abc"), NULL, AT_STR_NULL);
    test_document(AT_STR("{\"b64\":\"abc\""), NULL, AT_STR_NULL);
    test_document(AT_STR("{\"abc"), NULL, AT_STR_NULL);
}


/* Names that could be taken for a part of another path have none. */
static void
test_paths(void **state)
{
    char      text[1100], events[1100], key[AT_JSON_PATH_MAX + 2];
    at_str_t  s;

    static const test_row_t  rows[] = {
        { "{\"a.b\":1}", "{\n?:1\n}\n" },
        { "{\"a\":{\"b.c\":1,\"d\":2}}", "{\n{a\n?:1\na.d:2\n}a\n}\n" },
        { "{\"data[]\":1}", "{\n?:1\n}\n" },
        { "{\"[]\":1}", "{\n?:1\n}\n" },
        { "{\"]\":1}", "{\n?:1\n}\n" },
        { "{\"?\":1}", "{\n?:1\n}\n" },
        { "{\"\":1}", "{\n?:1\n}\n" },
        { "{\"\":{\"a\":[2]},\"b\":3}",
          "{\n{?\n[?\n?:2\n]?\n}?\nb:3\n}\n" },
        { "{\"a\\u0000b\":1,\"a\":2}", "{\n?:1\na:2\n}\n" },
        { "{\"\\u0061\\u002e\":1}", "{\n?:1\n}\n" },
        { "{\"pro\\u006dpt\":\"x\"}", "{\nprompt=x\n}\n" },
        { "{\"\\u00e9\":1}", "{\n\xC3\xA9:1\n}\n" },
        { "{\"a\":1,\"a\":2}", "{\na:1\na:2\n}\n" },
        { "{\"x.b64\":\"y\"}", "{\n?=y\n}\n" }      /* not streamed */
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), NULL);

    /* the longest path there is, and one byte more */

    memset(key, 'k', sizeof(key));
    key[AT_JSON_PATH_MAX] = '\0';

    (void) snprintf(text, sizeof(text), "{\"%s\":1}", key);
    (void) snprintf(events, sizeof(events), "{\n%s:1\n}\n", key);
    test_document(at_test_str(text), NULL, at_test_str(events));

    key[AT_JSON_PATH_MAX] = 'k';
    key[AT_JSON_PATH_MAX + 1] = '\0';

    (void) snprintf(text, sizeof(text), "{\"%s\":{\"a\":1},\"b\":2}", key);
    test_document(at_test_str(text), NULL,
                  AT_STR("{\n{?\n?:1\n}?\nb:2\n}\n"));

    /* "a." and the key are together too long */

    key[AT_JSON_PATH_MAX - 1] = '\0';

    (void) snprintf(text, sizeof(text),
                    "{\"a\":{\"%s\":1,\"b\":[2]},\"c\":3}", key);
    test_document(at_test_str(text), NULL,
                  AT_STR("{\n{a\n?:1\n[a.b\na.b[]:2\n]a.b\n}a\nc:3\n}\n"));

    /* no room for "[]" */

    key[AT_JSON_PATH_MAX - 1] = 'k';
    key[AT_JSON_PATH_MAX] = '\0';

    (void) snprintf(text, sizeof(text), "{\"%s\":[1],\"c\":3}", key);
    (void) snprintf(events, sizeof(events), "{\n[%s\n?:1\n]%s\nc:3\n}\n", key,
                    key);
    test_document(at_test_str(text), NULL, at_test_str(events));

    /* a key longer than any buffer */

    s.data = malloc(100000);
    assert_non_null(s.data);
    memset((char *) s.data, 'k', 100000);
    memcpy((char *) s.data, "{\"", 2);
    memcpy((char *) s.data + 100000 - 4, "\":1}", 4);
    s.len = 100000;
    test_document(s, NULL, AT_STR("{\n?:1\n}\n"));
    free((char *) s.data);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_paths)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
