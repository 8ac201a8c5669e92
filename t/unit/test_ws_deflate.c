/*
 * permessage-deflate: RFC 7692's own examples, what other compressors make,
 * damage, bombs, and compressed messages through the frame parser.
 */

#include <zlib.h>

#include "test_ws.h"
#include "live/at_ws_frame.h"


static at_ws_inflate_t  *test_inflater;
static at_ws_deflate_t  *test_deflater;


static int
test_setup(void **state)
{
    (void) state;

    test_inflater = at_ws_inflate_create();
    test_deflater = at_ws_deflate_create();

    return test_inflater == NULL || test_deflater == NULL;
}


static int
test_teardown(void **state)
{
    (void) state;

    at_ws_inflate_free(test_inflater);
    at_ws_deflate_free(test_deflater);

    return 0;
}


/* As another program would: any level, window and flush. */
static void
test_compress(at_buf_t *b, at_str_t s, int level, int bits, int finish)
{
    z_stream  z;

    memset(&z, 0, sizeof(z_stream));
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -bits, 8,
                                  Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(at_buf_reserve(b, s.len + s.len / 8 + 128), AT_OK);

    z.next_in = (Bytef *) (uintptr_t) s.data;
    z.avail_in = (uInt) s.len;
    z.next_out = b->data + b->len;
    z.avail_out = (uInt) (b->cap - b->len);

    (void) deflate(&z, finish ? Z_FINISH : Z_SYNC_FLUSH);
    assert_int_equal(z.avail_in, 0);

    b->len = (size_t) (z.next_out - b->data) - (finish ? 0 : 4);
    (void) deflateEnd(&z);
}


static void
test_inflate(void **state)
{
    int                  rc;
    size_t               i;
    at_str_t             data, out;
    static const struct {
        at_str_t     data;
        const char  *message;   /* NULL: refused */
    } rows[] = {
        { T("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello" },

        /* a block that is not compressed */
        { T("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello" },

        /* a final block, with and without the byte that may follow it */
        { T("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello" },
        { T("\xf3\x48\xcd\xc9\xc9\x07\x00"), "Hello" },

        /* two blocks */
        { T("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
          "Hello" },

        /* a final block and another stream behind it */
        { T("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00"),
          "HelloHello" },

        { T(""), "" },
        { T("\x00"), "" },
        { T("\x02\x00"), "" },

        { T("\xf2\x48\xcd\xc9"), NULL },
        { T("\xf2"), NULL },
        { T("\xff\xff\xff\xff\x00garbage"), NULL },
        { T("\x06"), NULL },
        { T("\x00\x06\x00\xf9\xff\x48"), NULL },
        { T("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"), NULL },

        /* a second "Hello" that points at the message before */
        { T("\xf2\x00\x11\x00\x00"), NULL }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        data = at_test_exact(rows[i].data);
        rc = at_ws_inflate(test_inflater, data, 100, &out);

        if (rows[i].message == NULL) {
            at_test_true(rc == AT_ERROR, "row %zu: %d", i, rc);

        } else {
            at_test_true(rc == AT_OK && at_str_is(out, rows[i].message),
                         "row %zu: %d", i, rc);
        }

        free((char *) (uintptr_t) data.data);
    }
}


/* The bound is exact, at sizes around those of the buffer. */
static void
test_bound(void **state)
{
    char                *text;
    size_t               i;
    at_buf_t             b;
    at_str_t             out;
    static const size_t  sizes[] = {
        1, 100, 4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536, 65537,
        300000
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    text = malloc(300000);
    assert_non_null(text);
    memset(text, 'x', 300000);

    for (i = 0; i < AT_TEST_N(sizes); i++) {
        b.len = 0;
        test_compress(&b, (at_str_t) { sizes[i], text }, 9, 15, 0);

        assert_int_equal(at_ws_inflate(test_inflater, at_buf_str(&b),
                                       sizes[i], &out), AT_OK);
        assert_int_equal(out.len, sizes[i]);
        assert_int_equal(at_ws_inflate(test_inflater, at_buf_str(&b),
                                       sizes[i] - 1, &out), AT_WS_LONGER);
        assert_int_equal(at_ws_inflate(test_inflater, at_buf_str(&b),
                                       sizes[i] + 1, &out), AT_OK);
    }

    free(text);
    at_buf_free(&b);
}


/* What any compressor makes of anything fits, and is what it was. */
static void
test_others(void **state)
{
    int         level, bits, finish;
    char        text[20000];
    size_t      i;
    at_buf_t    b;
    at_str_t    out, s;
    uint32_t    seed;

    (void) state;

    seed = 3;
    memset(&b, 0, sizeof(at_buf_t));

    for (i = 0; i < 60; i++) {
        size_t  k;

        level = (int) (i % 10);
        bits = 9 + (int) (i % 7);
        finish = i % 5 == 0;

        for (k = 0; k < sizeof(text); k++) {
            text[k] = (char) (at_test_random(&seed) % (i % 3 ? 256 : 4));
        }

        s.data = text;
        s.len = at_test_random(&seed) % sizeof(text);

        b.len = 0;
        test_compress(&b, s, level, bits, finish);

        assert_true(b.len <= at_ws_deflate_bound(s.len));
        assert_int_equal(at_ws_inflate(test_inflater, at_buf_str(&b), s.len,
                                       &out), AT_OK);
        assert_true(at_str_eq(out, s));
    }

    at_buf_free(&b);
}


static void
test_deflate(void **state)
{
    char      text[3000];
    size_t    i;
    at_buf_t  b, again;
    at_str_t  s, out;
    uint32_t  seed;

    (void) state;

    seed = 5;
    memset(&b, 0, sizeof(at_buf_t));
    memset(&again, 0, sizeof(at_buf_t));
    assert_int_equal(at_buf_append(&b, "before", 6), AT_OK);

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (char) ('a' + at_test_random(&seed) % 9);
    }

    s.data = text;

    for (s.len = 0; s.len < sizeof(text); s.len += s.len < 300 ? 1 : 97) {
        int  rc;

        b.len = 6;
        rc = at_ws_deflate(test_deflater, s, &b);

        if (s.len < AT_WS_DEFLATE_MIN) {
            assert_int_equal(rc, AT_WS_AS_IT_IS);
            assert_int_equal(b.len, 6);
            continue;
        }

        assert_int_equal(rc, AT_OK);
        assert_true(b.len - 6 < s.len);

        out.data = (char *) b.data + 6;
        out.len = b.len - 6;

        assert_int_equal(at_ws_inflate(test_inflater, out, s.len, &out),
                         AT_OK);
        assert_true(at_str_eq(out, s));

        /* no message depends on the one before */

        again.len = 0;
        assert_int_equal(at_ws_deflate(test_deflater, s, &again), AT_OK);
        assert_int_equal(again.len, b.len - 6);
        assert_memory_equal(again.data, b.data + 6, again.len);
    }

    assert_memory_equal(b.data, "before", 6);

    /* what does not shrink stays as it is */

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (char) at_test_random(&seed);
    }

    s.len = sizeof(text);
    b.len = 6;
    assert_int_equal(at_ws_deflate(test_deflater, s, &b), AT_WS_AS_IT_IS);
    assert_int_equal(b.len, 6);

    /* a full buffer */

    at_buf_free(&again);
    memset(text, 'x', sizeof(text));
    again.max = 10;
    assert_int_equal(at_ws_deflate(test_deflater, s, &again), AT_ERROR);
    assert_int_equal(again.len, 0);

    at_buf_free(&b);
    at_buf_free(&again);

    assert_true(at_ws_deflate_fits(8, 256));
    assert_false(at_ws_deflate_fits(8, 257));
    assert_true(at_ws_deflate_fits(15, 32768));
    assert_false(at_ws_deflate_fits(15, 32769));
}


/* A reader with a small window can take all that at_ws_deflate_fits(). */
static void
test_window(void **state)
{
    char      text[4096], out[4096];
    size_t    i, k;
    at_buf_t  b;
    z_stream  z;
    unsigned  bits;
    uint32_t  seed;

    (void) state;

    seed = 9;
    memset(&b, 0, sizeof(at_buf_t));

    for (bits = 9; bits <= 12; bits++) {
        size_t  len = (size_t) 1 << bits;

        /* the end repeats the beginning, as far away as can be */

        for (i = 0; i < len; i++) {
            text[i] = (char) ('a' + at_test_random(&seed) % 20);
        }

        memcpy(text + len - 40, text, 40);

        b.len = 0;
        assert_true(at_ws_deflate_fits(bits, len));
        assert_int_equal(at_ws_deflate(test_deflater,
                                       (at_str_t) { len, text }, &b), AT_OK);
        assert_int_equal(at_buf_append(&b, "\0\0\xFF\xFF", 4), AT_OK);

        memset(&z, 0, sizeof(z_stream));
        assert_int_equal(inflateInit2(&z, -(int) bits), Z_OK);

        /* byte by byte, so that nothing but the window is looked at */

        z.next_in = b.data;
        z.avail_in = (uInt) b.len;

        for (k = 0; k < len; k++) {
            uint8_t  c;

            z.next_out = &c;
            z.avail_out = 1;
            assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
            assert_int_equal(z.avail_out, 0);
            out[k] = (char) c;
        }

        assert_memory_equal(out, text, len);
        (void) inflateEnd(&z);
    }

    at_buf_free(&b);
}


static void
test_messages(void **state)
{
    char                 *text;
    at_buf_t              b, z, log;
    const at_ws_rules_t   rules = {
        .message_max = 40, .inflate = test_inflater, .binary = 1
    };
    const at_ws_rules_t   wide = {
        .message_max = 65536, .inflate = test_inflater
    };

#define HELLO  "\xf2\x48\xcd\xc9\xc9\x07\x00"

    static const test_row_t  rows[] = {
        { "compressed", { { 0xc1, T(HELLO), 0 } }, "text=Hello\n" },
        { "compressed binary", { { 0xc2, T(HELLO), 0 } },
          "binary=Hello\n" },
        { "plain behind it", { { 0xc1, T(HELLO), 0 }, { 0x81, T("x"), 0 },
                               { 0xc1, T(HELLO), 0 } },
          "text=Hello\ntext=x\ntext=Hello\n" },
        { "in fragments", { { 0x41, T("\xf2\x48"), 0 },
                            { 0x00, T("\xcd\xc9"), 0 },
                            { 0x89, T("p"), 0 },
                            { 0x80, T("\xc9\x07\x00"), 0 } },
          "ping=p\ntext=Hello\n" },
        { "in one and an empty one", { { 0x41, T(HELLO), 0 },
                                       { 0x80, T(""), 0 } },
          "text=Hello\n" },
        { "empty", { { 0xc1, T(""), 0 }, { 0xc1, T("\x00"), 0 } },
          "text=\ntext=\n" },
        { "damaged", { { 0xc1, T("\xff\xff\xff\xff\x00garbage"), 0 },
                       { 0x81, T("after"), 0 } },
          "fail 1007: compressed data is damaged\n" },
        { "ends early", { { 0xc1, T("\xf2\x48"), 0 } },
          "fail 1007: compressed data is damaged\n" },
        { "no UTF-8", { { 0xc1, T("\x00\x03\x00\xfc\xff\xed\xa0\x80\x00"),
                          0 } },
          "fail 1007: text is not UTF-8\n" },
        { "no UTF-8, but binary",
          { { 0xc2, T("\x00\x03\x00\xfc\xff\xed\xa0\x80\x00"), 0 } },
          "binary=\xed\xa0\x80\n" }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &rules, 1);

    /* a bomb: 41 bytes of one letter, and 10 million */

    text = malloc(10000000);
    assert_non_null(text);
    memset(text, 'x', 10000000);

    memset(&b, 0, sizeof(at_buf_t));
    memset(&z, 0, sizeof(at_buf_t));
    memset(&log, 0, sizeof(at_buf_t));

    test_compress(&z, (at_str_t) { 40, text }, 9, 15, 0);
    test_frame_add(&b, 0xc1, at_buf_str(&z), 0);
    test_same("as large as may be", at_buf_str(&b), &rules, 1,
              AT_STR("text=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"));

    b.len = 0;
    z.len = 0;
    test_compress(&z, (at_str_t) { 41, text }, 9, 15, 0);
    test_frame_add(&b, 0xc1, at_buf_str(&z), 0);
    test_same("larger", at_buf_str(&b), &rules, 1,
              AT_STR("fail 1009: message too big\n"));

    b.len = 0;
    z.len = 0;
    test_compress(&z, (at_str_t) { 10000000, text }, 9, 15, 0);
    assert_true(z.len < 20000);
    test_frame_add(&b, 0xc1, at_buf_str(&z), 0);

    test_run(at_buf_str(&b), &wide, 1, SIZE_MAX, 0, &log);
    assert_true(at_str_is(at_buf_str(&log), "fail 1009: message too big\n"));

    at_buf_free(&log);
    at_buf_free(&z);
    at_buf_free(&b);
    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_inflate),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_deflate),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_messages)
    };

    return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
