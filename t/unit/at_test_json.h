/*
 * What the tests of the JSON reader share: a document is fed whole, byte by
 * byte and in random pieces, from memory of exactly its size, and must give
 * the same events.  Events are written down as lines:
 *
 *     {path  }path  [path  ]path      open and close
 *     path=text                       a string
 *     path:text                       another scalar
 *     path~text                       a streamed string, its pieces joined
 *
 * Streamed is what lies in a member whose name begins with "b64".
 */

#ifndef AT_TEST_JSON_H
#define AT_TEST_JSON_H


#include "at_test.h"
#include "at_json.h"


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


static inline int
test_stop(test_ctx_t *t, const char *path)
{
    return (t->stop != NULL && strcmp(t->stop, path) == 0) ? AT_ERROR : AT_OK;
}


static inline int
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


static inline int
test_stream(void *ctx, const char *path)
{
    const char  *name;

    (void) ctx;

    name = strrchr(path, '.');
    name = name != NULL ? name + 1 : path;

    return strncmp(name, "b64", 3) == 0;
}


static inline int
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


static inline int
test_open(void *ctx, const char *path, at_json_type_e type)
{
    test_ctx_t  *t;

    t = ctx;

    assert_int_equal(at_buf_printf(&t->log, "%c%s\n",
                                   type == AT_JSON_OBJECT ? '{' : '[', path),
                     AT_OK);

    return test_stop(t, path);
}


static inline int
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
static inline int
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
static inline void
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


static inline void
test_table(const test_row_t *rows, size_t n, const at_json_limits_t *limits)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        test_document(at_test_str(rows[i].text), limits,
                      rows[i].events != NULL ? at_test_str(rows[i].events)
                                             : AT_STR_NULL);
    }
}


#endif /* AT_TEST_JSON_H */
