/*
 * What the tests of image sources share: a call and an answer in one line.
 *
 * A test names a source, a status, headers and a body, and looks at what came
 * out.  The body is fed in pieces of every size that is asked for, each in
 * memory of exactly its length.  test_feed_free() frees the answer.
 */

#ifndef TEST_FEED_H
#define TEST_FEED_H


#include "at_test.h"
#include "feed/at_feed.h"
#include "feed/at_feed_query.h"


#define TEST_NOW  1800000000    /* seconds */


typedef struct {
    const char         *source;
    unsigned            status;     /* 0: 200 */
    unsigned            page;       /* 0: 1 */
    uint32_t            ranked;
    const char         *headers;    /* "Name: value\n..." or NULL */
    const char         *body;
    const char         *args;       /* of the reader; or NULL */
    const char         *app;
    size_t              piece;      /* bytes; 0: all at once */
    unsigned            cut:1;      /* the connection broke */
} test_feed_in_t;


typedef struct {
    at_feed_args_t      args;
    at_feed_answer_t   *answer;
    at_feed_outcome_e   outcome;
} test_feed_t;


static inline void
test_feed_args(at_feed_args_t *args, const char *raw, const char *app)
{
    at_args_error_t  error;

    if (at_feed_args_parse(at_test_str(raw ? raw : "query=sofa"), args,
                           &error) != AT_OK)
    {
        fail_msg("%s: %s", raw, error.message);
    }

    if (app) {
        args->query.app = at_test_str(app);
    }
}


static inline void
test_feed_headers(at_feed_answer_t *a, const char *text)
{
    const char  *colon, *end;

    while (text && *text) {
        colon = strchr(text, ':');
        end = strchr(text, '\n');
        assert_non_null(colon);
        assert_non_null(end);

        at_feed_answer_header(a, (at_str_t) { (size_t) (colon - text), text },
                              (at_str_t) { (size_t) (end - colon - 2),
                                           colon + 2 });
        text = end + 1;
    }
}


static inline void
test_feed_run(test_feed_t *t, const test_feed_in_t *in)
{
    size_t                   i, n, len;
    at_str_t                 piece;
    const at_feed_source_t  *source;

    source = at_feed_source_find(at_test_str(in->source));
    assert_non_null(source);

    test_feed_args(&t->args, in->args, in->app);

    t->answer = at_feed_answer_create(source, &t->args.query,
                                      in->page ? in->page : 1, in->ranked,
                                      in->status ? in->status : 200,
                                      TEST_NOW);
    assert_non_null(t->answer);

    test_feed_headers(t->answer, in->headers);

    len = strlen(in->body);

    for (i = 0; i < len; i += n) {
        n = in->piece && in->piece < len - i ? in->piece : len - i;
        piece = at_test_exact((at_str_t) { n, in->body + i });

        if (at_feed_answer_data(t->answer, (const uint8_t *) piece.data, n)
            != AT_OK)
        {
            len = 0;
        }

        free((void *) piece.data);
    }

    t->outcome = at_feed_answer_end(t->answer, !in->cut);
}


static inline void
test_feed_free(test_feed_t *t)
{
    at_feed_answer_free(t->answer);
}


/* A field of the n-th design is what it should be. */

#define test_feed_is(t, n, field, text)                                      \
    at_test_true((t)->answer->ndesigns > (n)                                 \
                 && at_str_is((t)->answer->designs[n].field, text),          \
                 "%s:%d: design %u of %u: " #field " is '%.*s', not '%s'",   \
                 __FILE__, __LINE__, (unsigned) (n),                         \
                 (unsigned) (t)->answer->ndesigns,                           \
                 (t)->answer->ndesigns > (n)                                 \
                 ? (int) (t)->answer->designs[n].field.len : 0,              \
                 (t)->answer->ndesigns > (n)                                 \
                 ? (t)->answer->designs[n].field.data : "", text)


static inline int
test_feed_joined(const at_design_t *d, const char *key)
{
    size_t  i;

    for (i = 0; i < d->njoins; i++) {
        if (at_str_is(d->joins[i], key)) {
            return 1;
        }
    }

    return 0;
}


/* The call's arguments, in a static buffer. */

static inline const char *
test_feed_call(const char *source, const char *raw, unsigned page,
    unsigned exclude, const char **path)
{
    at_feed_args_t  args;
    at_feed_call_t  call;
    static char     text[8192], where[256];

    test_feed_args(&args, raw, NULL);

    assert_int_equal(at_feed_call(at_feed_source_find(at_test_str(source)),
                                  &args.query, page, exclude, &call), AT_OK);

    (void) snprintf(text, sizeof(text), "%.*s", (int) call.args.len,
                    call.args.data);
    (void) snprintf(where, sizeof(where), "%.*s", (int) call.path.len,
                    call.path.len ? call.path.data : "");

    at_feed_call_free(&call);

    if (path) {
        *path = where;
    }

    return text;
}


#endif /* TEST_FEED_H */
