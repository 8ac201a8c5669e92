/*
 * Frames of the server: heads of every size, closes, and frames that are
 * written in place.
 */

#include "at_test.h"
#include "at_text.h"
#include "at_test_memory.h"
#include "live/at_ws_frame.h"


static void
test_heads(void **state)
{
    size_t               i;
    uint8_t              head[AT_WS_HEAD_MAX + 1];
    static const struct {
        size_t    len;
        unsigned  first;
        at_str_t  head;
    } rows[] = {
        { 0, 0x1, { 2, "\x81\x00" } },
        { 125, 0x1, { 2, "\x81\x7d" } },
        { 126, 0x1, { 4, "\x81\x7e\x00\x7e" } },
        { 65535, 0x41, { 4, "\xc1\x7e\xff\xff" } },
        { 65536, 0x2, { 10, "\x82\x7f\0\0\0\0\0\x01\0\0" } },
        { 0x123456789aull, 0x1,
          { 10, "\x81\x7f\0\0\0\x12\x34\x56\x78\x9a" } },
        { 3, 0xa, { 2, "\x8a\x03" } }
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        memset(head, '!', sizeof(head));
        assert_int_equal(at_ws_head_size(rows[i].len), rows[i].head.len);
        at_ws_head_write(head, rows[i].first, rows[i].len);
        assert_memory_equal(head, rows[i].head.data, rows[i].head.len);
        assert_int_equal(head[rows[i].head.len], '!');
    }
}


static void
test_frames(void **state)
{
    char      text[126];
    at_buf_t  b;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(text, 'p', sizeof(text));

    assert_int_equal(at_ws_frame(&b, AT_WS_TEXT, AT_STR("Hello")), AT_OK);
    assert_int_equal(at_ws_frame(&b, AT_WS_PONG, AT_STR("")), AT_OK);
    assert_int_equal(at_ws_frame(&b, AT_WS_PING, AT_STR_NULL), AT_OK);
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "\x81\x05Hello\x8a\x00\x89\x00", 11);

    assert_int_equal(at_ws_frame(&b, AT_WS_PONG, (at_str_t) { 126, text }),
                     AT_ERROR);
    assert_int_equal(at_ws_frame(&b, AT_WS_TEXT,
                                 (at_str_t) { SIZE_MAX - 5, text }),
                     AT_ERROR);
    assert_int_equal(b.len, 11);
    assert_int_equal(at_ws_frame(&b, AT_WS_PONG, (at_str_t) { 125, text }),
                     AT_OK);
    assert_int_equal(b.len, 11 + 127);

    /* all of a frame or nothing */

    at_buf_free(&b);
    b.max = 6;
    assert_int_equal(at_ws_frame(&b, AT_WS_TEXT, AT_STR("Hello")), AT_ERROR);
    assert_int_equal(b.len, 0);
    assert_int_equal(at_ws_frame(&b, AT_WS_TEXT, AT_STR("Hell")), AT_OK);

    at_buf_free(&b);
    b.max = 0;
    at_test_memory_end = 1;
    assert_int_equal(at_ws_frame(&b, AT_WS_TEXT, AT_STR("x")), AT_NO_MEMORY);
    at_test_memory_end = 0;
}


static void
test_close(void **state)
{
    char      reason[200];
    size_t    i;
    at_buf_t  b;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));

    assert_int_equal(at_ws_frame_close(&b, AT_WS_RESTART, AT_STR("bye")),
                     AT_OK);
    assert_int_equal(at_ws_frame_close(&b, AT_WS_NORMAL, AT_STR_NULL), AT_OK);
    assert_int_equal(at_ws_frame_close(&b, AT_WS_NO_CODE, AT_STR("x")),
                     AT_OK);
    assert_int_equal(b.len, 7 + 4 + 2);
    assert_memory_equal(b.data, "\x88\x05\x03\xf4" "bye\x88\x02\x03\xe8"
                        "\x88\x00", 13);

    /* cut where a character ends, wherever the bound falls */

    for (i = 0; i < 4; i++) {
        at_str_t  s = { sizeof(reason), reason };

        memset(reason, 'r', i);

        for (s.len = i; s.len + 4 <= sizeof(reason); s.len += 4) {
            memcpy(reason + s.len, "\xF0\x9F\x98\x80", 4);
        }

        b.len = 0;
        assert_int_equal(at_ws_frame_close(&b, AT_WS_POLICY, s), AT_OK);
        assert_int_equal(b.data[1], 2 + i + (AT_WS_REASON_MAX - i) / 4 * 4);
        assert_int_equal(b.len, 2u + b.data[1]);
        assert_true(at_utf8_valid((at_str_t) {
                        b.len - 4, (char *) b.data + 4
                    }));
    }

    at_buf_free(&b);
}


static void
test_in_place(void **state)
{
    char                *text;
    size_t               i, begin;
    at_buf_t             b;
    at_str_t             frame;
    static const size_t  sizes[] = { 0, 1, 125, 126, 65535, 65536 };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    text = malloc(65536);
    assert_non_null(text);
    memset(text, 't', 65536);

    for (i = 0; i < AT_TEST_N(sizes); i++) {
        begin = b.len;
        assert_int_equal(at_ws_frame_begin(&b), AT_OK);
        assert_int_equal(at_buf_append(&b, text, sizes[i]), AT_OK);

        frame = at_ws_frame_end(&b, begin, AT_WS_TEXT);

        assert_ptr_equal(frame.data + frame.len, b.data + b.len);
        assert_int_equal(frame.len, at_ws_head_size(sizes[i]) + sizes[i]);
        assert_int_equal((uint8_t) frame.data[0], 0x81);
        assert_memory_equal(frame.data + at_ws_head_size(sizes[i]), text,
                            sizes[i]);
    }

    free(text);
    at_buf_free(&b);
}


static void
test_deflated(void **state)
{
    char              text[70000];
    size_t            head;
    at_buf_t          b;
    at_str_t          out;
    at_ws_deflate_t  *d;
    at_ws_inflate_t  *i;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(text, 'x', sizeof(text));

    d = at_ws_deflate_create();
    i = at_ws_inflate_create();
    assert_non_null(d);
    assert_non_null(i);

    assert_int_equal(at_ws_frame(&b, AT_WS_TEXT, AT_STR("first")), AT_OK);
    head = b.len;

    assert_int_equal(at_ws_frame_deflated(&b, d, (at_str_t) { 127, text }),
                     AT_WS_AS_IT_IS);
    assert_int_equal(b.len, head);

    assert_int_equal(at_ws_frame_deflated(&b, d,
                                          (at_str_t) { sizeof(text), text }),
                     AT_OK);
    assert_memory_equal(b.data, "\x81\x05" "first", 7);
    assert_int_equal(b.data[head], 0xc1);

    out.len = b.len - head - 2;
    assert_true(out.len < 126 || b.data[head + 1] == 126);

    if (out.len > 125) {
        out.len -= 2;
    }

    out.data = (char *) b.data + b.len - out.len;

    assert_int_equal(at_ws_inflate(i, out, sizeof(text), &out), AT_OK);
    assert_true(at_str_eq(out, (at_str_t) { sizeof(text), text }));

    at_buf_free(&b);
    b.max = 30;
    assert_int_equal(at_ws_frame_deflated(&b, d, (at_str_t) { 128, text }),
                     AT_ERROR);
    assert_int_equal(b.len, 0);

    at_ws_deflate_free(d);
    at_ws_inflate_free(i);
    at_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_deflated)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
