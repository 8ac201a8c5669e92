/*
 * What the tests of core/ai/ share: small pictures, base64, and a driver
 * that feeds scripted answers to a lane.
 *
 * Every answer is fed whole, byte by byte and in odd pieces; the outcome has
 * to be the same each time.  Each test file includes this once, so all
 * functions are static; buffers are freed by at_buf_free().
 */

#ifndef TEST_AI_H
#define TEST_AI_H


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ai/at_ai.h"


#define TEST_NOW  1790000000


/* One scripted answer of a provider. */
typedef struct {
    unsigned        status;
    const char     *headers[12];    /* name, value, ..., NULL */
    const void     *body;
    size_t          len;
    int             broken;
} test_answer_t;


/* What a lane came to; strings are copies. */
typedef struct {
    at_ai_step_e    step;
    at_ai_class_e   class;
    char            reason[160];
    int64_t         retry_ms;
    size_t          picture;
    at_image_t      image;
    int             has_seed;
    uint32_t        seed;
    char            url[AT_AI_URL_MAX + 1];
    unsigned        stopped;
} test_result_t;


static const size_t  test_pieces[] = { 0, 1, 2, 3, 7, 61, 1021, 16384 };

#define TEST_NPIECES  (sizeof(test_pieces) / sizeof(test_pieces[0]))


static inline at_str_t
test_str(const char *s)
{
    return (at_str_t) { strlen(s), s };
}


static inline void
test_be32(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t) (n >> 24);
    p[1] = (uint8_t) (n >> 16);
    p[2] = (uint8_t) (n >> 8);
    p[3] = (uint8_t) n;
}


static inline uint32_t
test_crc32(const uint8_t *p, size_t len)
{
    int       k;
    size_t    i;
    uint32_t  c;

    c = 0xffffffffu;

    for (i = 0; i < len; i++) {
        c ^= p[i];

        for (k = 0; k < 8; k++) {
            c = (c & 1) ? (c >> 1) ^ 0xedb88320u : c >> 1;
        }
    }

    return c ^ 0xffffffffu;
}


static inline void
test_chunk(at_buf_t *b, const char *type, const uint8_t *p, size_t len)
{
    size_t   start;
    uint8_t  n[4];

    test_be32(n, (uint32_t) len);
    assert_int_equal(at_buf_append(b, n, 4), AT_OK);
    start = b->len;
    assert_int_equal(at_buf_append(b, type, 4), AT_OK);
    assert_int_equal(at_buf_append(b, p, len), AT_OK);

    /* Nobody looks at the sum of the megabytes some tests make. */

    test_be32(n, len > 65536 ? 0 : test_crc32(b->data + start, 4 + len));
    assert_int_equal(at_buf_append(b, n, 4), AT_OK);
}


/* A PNG whose pixel data is pixels bytes of nothing in particular. */

static inline at_buf_t
test_png(unsigned width, unsigned height, size_t pixels)
{
    size_t    i;
    uint8_t  *data, head[13];
    at_buf_t  b;

    memset(&b, 0, sizeof(at_buf_t));
    assert_int_equal(at_buf_append(&b, "\x89PNG\r\n\x1a\n", 8), AT_OK);

    memset(head, 0, sizeof(head));
    test_be32(head, width);
    test_be32(head + 4, height);
    head[8] = 8;
    head[9] = 2;
    test_chunk(&b, "IHDR", head, sizeof(head));

    data = malloc(pixels);
    assert_non_null(data);

    for (i = 0; i < pixels; i++) {
        data[i] = (uint8_t) (i * 31 + (i >> 8) * 7);
    }

    test_chunk(&b, "IDAT", data, pixels);
    free(data);

    test_chunk(&b, "IEND", (const uint8_t *) "", 0);

    return b;
}


static inline void
test_base64(at_buf_t *out, const uint8_t *p, size_t len)
{
    char      q[4];
    size_t    i, n;
    uint32_t  v;

    static const char  abc[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (i = 0; i < len; i += 3) {
        n = len - i;
        v = (uint32_t) p[i] << 16;
        v |= (n > 1) ? (uint32_t) p[i + 1] << 8 : 0;
        v |= (n > 2) ? p[i + 2] : 0;

        q[0] = abc[v >> 18];
        q[1] = abc[(v >> 12) & 63];
        q[2] = (n > 1) ? abc[(v >> 6) & 63] : '=';
        q[3] = (n > 2) ? abc[v & 63] : '=';

        assert_int_equal(at_buf_append(out, q, 4), AT_OK);
    }
}


/* before + base64 of p + after, NUL-ended. */

static inline at_buf_t
test_wrap(const char *before, const uint8_t *p, size_t len,
    const char *after)
{
    at_buf_t  b;

    memset(&b, 0, sizeof(at_buf_t));
    assert_int_equal(at_buf_append_str(&b, test_str(before)), AT_OK);
    test_base64(&b, p, len);
    assert_int_equal(at_buf_append(&b, after, strlen(after) + 1), AT_OK);
    b.len--;

    return b;
}


static inline at_generate_t
test_request(const char *prompt)
{
    at_generate_t  g;

    memset(&g, 0, sizeof(at_generate_t));
    g.prompt = test_str(prompt);

    return g;
}


static inline at_ai_provider_t
test_provider(const char *format, const char *model)
{
    at_ai_provider_t  p;

    memset(&p, 0, sizeof(at_ai_provider_t));
    p.name = AT_STR("fake");
    p.format = at_ai_format_find(test_str(format));
    p.model = test_str(model);
    assert_non_null(p.format);

    return p;
}


/* One answer in pieces of n bytes (0: whole). */

static inline at_ai_step_e
test_feed(at_ai_lane_t *lane, const test_answer_t *a, size_t n)
{
    size_t          i, len;
    const uint8_t  *p;

    at_ai_lane_begin(lane, a->status, TEST_NOW);

    for (i = 0; a->headers[i]; i += 2) {
        at_ai_lane_header(lane, test_str(a->headers[i]),
                          test_str(a->headers[i + 1]));
    }

    p = a->body;

    for (i = 0; i < a->len; i += len) {
        len = (n == 0 || n > a->len - i) ? a->len - i : n;

        if (at_ai_lane_data(lane, p + i, len) != AT_OK) {

            /* It stays stopped, and the end is a regular one. */

            assert_int_equal(at_ai_lane_data(lane, p, 1), AT_ERROR);
            return at_ai_lane_end(lane, 1);
        }
    }

    return at_ai_lane_end(lane, !a->broken);
}


static inline test_result_t
test_run_pieces(const at_ai_provider_t *provider, const at_generate_t *g,
    const test_answer_t *answers, size_t nanswers, size_t n)
{
    size_t               i;
    test_result_t        r;
    at_ai_lane_t        *lane;
    const at_ai_call_t  *call;

    memset(&r, 0, sizeof(test_result_t));

    lane = at_ai_lane_create(provider, g, TEST_NOW);
    assert_non_null(lane);

    for (i = 0; i < nanswers; i++) {
        r.step = test_feed(lane, &answers[i], n);

        if (r.step == AT_AI_DONE || r.step == AT_AI_FAILED) {
            break;
        }

        call = at_ai_lane_call(lane);
        assert_int_equal(call->target, AT_AI_TO_RESULT);
        assert_true(at_str_is(call->method, "GET"));
        assert_int_equal(call->body.len, 0);
        memcpy(r.url, call->url.data, call->url.len);
        r.url[call->url.len] = '\0';
    }

    r.class = lane->class;
    r.retry_ms = lane->retry_after_ms;
    r.picture = lane->picture.len;
    r.has_seed = lane->has_seed;
    r.seed = lane->has_seed ? lane->seed : 0;
    r.stopped = lane->stopped;
    memcpy(r.reason, lane->reason, sizeof(r.reason));

    if (r.step == AT_AI_DONE) {
        r.image = lane->image;
        assert_int_equal(lane->class, AT_AI_CLASS_NONE);
        assert_string_equal(lane->reason, "");
        assert_true(lane->picture.len > 0);
    }

    if (r.step == AT_AI_FAILED) {
        assert_int_not_equal(lane->class, AT_AI_CLASS_NONE);
        assert_string_not_equal(lane->reason, "");
        assert_int_equal(lane->picture.len, 0);
        assert_null(lane->picture.data);
    }

    at_ai_lane_free(lane);

    return r;
}


/* The same outcome for every way of cutting the answers. */

static inline test_result_t
test_run(const at_ai_provider_t *provider, const at_generate_t *g,
    const test_answer_t *answers, size_t nanswers)
{
    size_t         i;
    test_result_t  r, other;

    r = test_run_pieces(provider, g, answers, nanswers, 0);

    for (i = 1; i < TEST_NPIECES; i++) {
        other = test_run_pieces(provider, g, answers, nanswers,
                                test_pieces[i]);

        assert_int_equal(r.step, other.step);
        assert_int_equal(r.class, other.class);
        assert_string_equal(r.reason, other.reason);
        assert_int_equal(r.retry_ms, other.retry_ms);
        assert_int_equal(r.picture, other.picture);
        assert_int_equal(r.has_seed, other.has_seed);
        assert_int_equal(r.seed, other.seed);
        assert_string_equal(r.url, other.url);
    }

    return r;
}


/* A provider of format, a plain request, one answer. */

static inline test_result_t
test_one(const char *format, unsigned status, const char *type,
    const void *body, size_t len)
{
    at_generate_t     g;
    test_answer_t     a;
    at_ai_provider_t  provider;

    provider = test_provider(format, "");
    g = test_request("a red sofa");

    memset(&a, 0, sizeof(test_answer_t));
    a.status = status;
    a.body = body;
    a.len = len;

    if (type) {
        a.headers[0] = "content-type";
        a.headers[1] = type;
    }

    return test_run(&provider, &g, &a, 1);
}


static inline test_result_t
test_json(const char *format, unsigned status, const char *body)
{
    return test_one(format, status, "application/json", body, strlen(body));
}


#define test_failed(r, cls, text)                                            \
    do {                                                                     \
        if ((r).step != AT_AI_FAILED || (r).class != (cls)                   \
            || strstr((r).reason, text) == NULL)                             \
        {                                                                    \
            fail_msg("step %d class %s reason \"%s\", not %s \"%s\"",        \
                     (r).step, at_ai_class_name((r).class), (r).reason,      \
                     at_ai_class_name(cls), text);                           \
        }                                                                    \
    } while (0)


#define test_done(r, w, h)                                                   \
    do {                                                                     \
        if ((r).step != AT_AI_DONE) {                                        \
            fail_msg("step %d: %s", (r).step, (r).reason);                   \
        }                                                                    \
        assert_int_equal((r).image.width, w);                                \
        assert_int_equal((r).image.height, h);                               \
    } while (0)


#endif /* TEST_AI_H */
