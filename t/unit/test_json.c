/*
 * The JSON reader and writer.  Every document is fed whole, byte by byte and
 * in random pieces, from memory of exactly its size, and must give the same
 * events.  Events are written down as lines:
 *
 *     {path  }path  [path  ]path      open and close
 *     path=text                       a string
 *     path:text                       another scalar
 *     path~text                       a streamed string, its pieces joined
 */

#include "at_test.h"
#include "at_json.h"
#include "at_text.h"


#define TEST_ROUNDS  40


typedef struct {
    at_buf_t     log;
    at_buf_t     pieces;
    unsigned     npieces;
    const char  *stop;          /* a path at which callbacks say AT_ERROR */
    unsigned     in_pieces:1;
} test_ctx_t;


typedef struct {
    const char  *text;
    const char  *events;        /* NULL: refused */
} test_row_t;


static int
test_stop(test_ctx_t *t, const char *path)
{
    return (t->stop != NULL && strcmp(t->stop, path) == 0) ? AT_ERROR : AT_OK;
}


static int
test_value(void *ctx, const char *path, at_json_type_e type, at_str_t text)
{
    test_ctx_t  *t;

    t = ctx;

    assert_false(t->in_pieces);
    assert_non_null(text.data);
    assert_int_equal(at_buf_printf(&t->log, "%s%c", path,
                                   type == AT_JSON_STRING ? '=' : ':'),
                     AT_OK);
    assert_int_equal(at_buf_append_str(&t->log, text), AT_OK);
    assert_int_equal(at_buf_append(&t->log, "\n", 1), AT_OK);

    return test_stop(t, path);
}


/* Streams what lies in a member whose name begins with "b64". */
static int
test_stream(void *ctx, const char *path)
{
    const char  *name;

    (void) ctx;

    name = strrchr(path, '.');
    name = name != NULL ? name + 1 : path;

    return strncmp(name, "b64", 3) == 0;
}


static int
test_chunk(void *ctx, const char *path, const uint8_t *data, size_t len,
    int last)
{
    test_ctx_t  *t;

    t = ctx;

    assert_true(test_stream(NULL, path));
    assert_true(len > 0 || last);
    assert_int_equal(at_buf_append(&t->pieces, data, len), AT_OK);

    t->npieces++;
    t->in_pieces = !last;

    if (last) {
        assert_int_equal(at_buf_printf(&t->log, "%s~", path), AT_OK);
        assert_int_equal(at_buf_append_str(&t->log, at_buf_str(&t->pieces)),
                         AT_OK);
        assert_int_equal(at_buf_append(&t->log, "\n", 1), AT_OK);
        t->pieces.len = 0;
    }

    return test_stop(t, path);
}


static int
test_open(void *ctx, const char *path, at_json_type_e type)
{
    test_ctx_t  *t;

    t = ctx;

    assert_int_equal(at_buf_printf(&t->log, "%c%s\n",
                                   type == AT_JSON_OBJECT ? '{' : '[', path),
                     AT_OK);

    return test_stop(t, path);
}


static int
test_close(void *ctx, const char *path, at_json_type_e type)
{
    test_ctx_t  *t;

    t = ctx;

    assert_int_equal(at_buf_printf(&t->log, "%c%s\n",
                                   type == AT_JSON_OBJECT ? '}' : ']', path),
                     AT_OK);

    return AT_OK;
}


static const at_json_handler_t  test_handler = {
    test_value, test_stream, test_chunk, test_open, test_close
};


/* step 0: pieces of random length. */
static int
test_feed(test_ctx_t *t, at_str_t text, const at_json_limits_t *limits,
    size_t step, uint32_t *seed)
{
    int         rc;
    char       *piece;
    size_t      i, n;
    at_json_t  *j;

    t->log.len = 0;
    t->pieces.len = 0;
    t->npieces = 0;
    t->in_pieces = 0;

    j = at_json_create(&test_handler, t, limits);
    assert_non_null(j);
    assert_string_equal(at_json_error(j), "");

    rc = AT_OK;

    for (i = 0; i < text.len && rc == AT_OK; i += n) {
        n = step != 0 ? step : at_test_random(seed) % 7 + 1;
        n = text.len - i < n ? text.len - i : n;

        piece = (char *) at_test_exact((at_str_t) { n, text.data + i }).data;
        rc = at_json_feed(j, piece, n);
        free(piece);
    }

    if (rc == AT_OK) {
        assert_int_equal(at_json_feed(j, NULL, 0), AT_OK);
        rc = at_json_finish(j);
    }

    if (rc != AT_OK) {
        assert_true(at_json_error(j)[0] != '\0');

        /* it stays so */

        assert_int_equal(at_json_feed(j, " ", 1), AT_ERROR);
        assert_int_equal(at_json_finish(j), AT_ERROR);

    } else {
        assert_string_equal(at_json_error(j), "");
        assert_int_equal(at_json_finish(j), AT_OK);
        assert_int_equal(at_json_feed(j, " ", 1), AT_ERROR);
    }

    at_json_free(j);

    return rc;
}


/* events.data is NULL if the text must be refused. */
static void
test_document(at_str_t text, const at_json_limits_t *limits,
    at_str_t events)
{
    int         rc;
    size_t      i, step;
    uint32_t    seed;
    test_ctx_t  t;

    seed = 11;
    memset(&t, 0, sizeof(test_ctx_t));

    for (i = 0; i < TEST_ROUNDS; i++) {
        step = i == 0 ? SIZE_MAX : i < 4 ? i : 0;

        rc = test_feed(&t, text, limits, step, &seed);

        if (events.data == NULL) {
            at_test_true(rc == AT_ERROR, "%.*s was taken, step %zu",
                         (int) text.len, text.data, step);
            continue;
        }

        at_test_true(rc == AT_OK, "%.*s was refused, step %zu",
                     (int) text.len, text.data, step);
        at_test_true(at_str_eq(at_buf_str(&t.log), events),
                     "%.*s, step %zu gave\n%.*s", (int) text.len, text.data,
                     step, (int) t.log.len, (char *) t.log.data);
    }

    at_buf_free(&t.log);
    at_buf_free(&t.pieces);
}


static void
test_table(const test_row_t *rows, size_t n, const at_json_limits_t *limits)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        test_document(at_test_str(rows[i].text), limits,
                      rows[i].events != NULL ? at_test_str(rows[i].events)
                                             : AT_STR_NULL);
    }
}


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


static void
test_depth_is_named(void **state)
{
    at_json_t                      *j;
    static const at_json_limits_t   limits = { 2, 0, 0 };
    static const at_json_handler_t  none;

    (void) state;

    j = at_json_create(&none, NULL, &limits);
    assert_non_null(j);
    assert_int_equal(at_json_feed(j, "[[[", 3), AT_ERROR);
    assert_string_equal(at_json_error(j), "nested too deeply");
    at_json_free(j);
}


static void
test_string_limit(void **state)
{
    static const at_json_limits_t  limits = { 0, 5, 0 };
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
    static const at_json_limits_t  limits = { 0, 5, 1 };
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
    at_json_limits_t  limits = { 0, 16, 0 };

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
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_depth_is_named),
        cmocka_unit_test(test_string_limit),
        cmocka_unit_test(test_string_cut),
        cmocka_unit_test(test_number_limit),
        cmocka_unit_test(test_callback_stops),
        cmocka_unit_test(test_stream_is_zero_copy),
        cmocka_unit_test(test_no_callbacks),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_and_read)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
