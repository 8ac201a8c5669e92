/*
 * The frame parser with what clients may do: every length, fragments with
 * control frames between them, closes, and what it keeps and copies.
 */

#include "test_ws.h"


static const at_ws_rules_t  test_rules = {
    .message_max = 100000, .binary = 1
};


static void
test_good(void **state)
{
    static const test_row_t  rows[] = {
        { "text", { { 0x81, T("Hello"), 0 } }, "text=Hello\n" },
        { "empty text", { { 0x81, T(""), 0 } }, "text=\n" },
        { "binary", { { 0x82, T("\x01\xFF"), 0 } }, "binary=\x01\xFF\n" },
        { "two texts", { { 0x81, T("a"), 0 }, { 0x81, T("b"), 0 } },
          "text=a\ntext=b\n" },
        { "ping", { { 0x89, T("abc"), 0 } }, "ping=abc\n" },
        { "empty ping", { { 0x89, T(""), 0 } }, "ping=\n" },
        { "ping that is no text", { { 0x89, T("\xFF\xFE"), 0 } },
          "ping=\xFF\xFE\n" },
        { "pong nobody asked for", { { 0x8a, T("p"), 0 } }, "pong=p\n" },
        { "fragments", { { 0x01, T("frag"), 0 }, { 0x00, T("men"), 0 },
                         { 0x80, T("ts"), 0 } },
          "text=fragments\n" },
        { "binary fragments", { { 0x02, T("\xC3"), 0 },
                                { 0x80, T("\xFF"), 0 } },
          "binary=\xC3\xFF\n" },
        { "empty fragments", { { 0x01, T(""), 0 }, { 0x00, T(""), 0 },
                               { 0x80, T(""), 0 } },
          "text=\n" },
        { "empty first and last", { { 0x01, T(""), 0 }, { 0x00, T("x"), 0 },
                                    { 0x80, T(""), 0 } },
          "text=x\n" },
        { "ping in between", { { 0x01, T("ab"), 0 }, { 0x89, T("now"), 0 },
                               { 0x80, T("cd"), 0 } },
          "ping=now\ntext=abcd\n" },
        { "ping and pong in between",
          { { 0x01, T("a"), 0 }, { 0x89, T("1"), 0 }, { 0x00, T("b"), 0 },
            { 0x8a, T("two"), 0 }, { 0x89, T(""), 0 }, { 0x80, T("c"), 0 },
            { 0x81, T("next"), 0 } },
          "ping=1\npong=two\nping=\ntext=abc\ntext=next\n" },
        { "ping behind an empty first fragment",
          { { 0x01, T(""), 0 }, { 0x89, T("p"), 0 }, { 0x80, T("x"), 0 } },
          "ping=p\ntext=x\n" },
        { "close", { { 0x88, T(""), 0 } }, "close 1005=\n" },
        { "close with code", { { 0x88, T("\x03\xE8"), 0 } },
          "close 1000=\n" },
        { "close with reason", { { 0x88, T("\x03\xE9" "bye \xC3\xBC"), 0 } },
          "close 1001=bye \xC3\xBC\n" },
        { "nothing behind a close",
          { { 0x88, T("\x03\xE8"), 0 }, { 0x89, T("x"), 0 },
            { 0xf3, T("?"), TEST_UNMASKED } },
          "close 1000=\n" },
        { "close inside a message",
          { { 0x01, T("half"), 0 }, { 0x88, T("\x03\xE8" "r"), 0 },
            { 0x80, T("rest"), 0 } },
          "close 1000=r\n" },
        { "empty close inside a message",
          { { 0x01, T("half"), 0 }, { 0x88, T(""), 0 } },
          "close 1005=\n" }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &test_rules, 0);

    /* compression was agreed, but a message need not use it */

    test_table(rows, AT_TEST_N(rows), &test_rules, 1);
}


/* Each way of writing a length, at its ends. */
static void
test_lengths(void **state)
{
    char                *text;
    size_t               i, n;
    at_buf_t             b, events;
    static const size_t  lengths[] = {
        0, 1, 7, 8, 9, 124, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537,
        99999, 100000
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&events, 0, sizeof(at_buf_t));

    text = malloc(100000);
    assert_non_null(text);

    for (i = 0; i < 100000; i++) {
        text[i] = (char) ('a' + i % 23);
    }

    for (i = 0; i < AT_TEST_N(lengths); i++) {
        n = lengths[i];
        b.len = 0;
        events.len = 0;

        test_frame_add(&b, 0x81, (at_str_t) { n, text }, 0);

        assert_int_equal(at_buf_append_str(&events, AT_STR("text=")), AT_OK);
        assert_int_equal(at_buf_append(&events, text, n), AT_OK);
        assert_int_equal(at_buf_append_str(&events, AT_STR("\n")), AT_OK);

        if (n <= 256) {
            test_same("a length", at_buf_str(&b), &test_rules, 0,
                      at_buf_str(&events));

        } else {
            at_buf_t  log = { 0 };

            test_run(at_buf_str(&b), &test_rules, 0, SIZE_MAX, 0, &log);
            assert_true(at_str_eq(at_buf_str(&log), at_buf_str(&events)));
            test_run(at_buf_str(&b), &test_rules, 0, 4099, 0, &log);
            assert_true(at_str_eq(at_buf_str(&log), at_buf_str(&events)));
            at_buf_free(&log);
        }
    }

    free(text);
    at_buf_free(&b);
    at_buf_free(&events);
}


static void
test_codes(void **state)
{
    char                events[64];
    size_t              i;
    uint8_t             code[2];
    at_buf_t            b;
    test_frame_t        frames[TEST_FRAMES];
    static const struct {
        unsigned  from;
        unsigned  to;
        unsigned  valid;
    } rows[] = {
        { 0, 999, 0 }, { 1000, 1003, 1 }, { 1004, 1006, 0 },
        { 1007, 1014, 1 }, { 1015, 1016, 0 }, { 1100, 1100, 0 },
        { 2000, 2999, 0 }, { 3000, 3999, 1 }, { 4000, 4999, 1 },
        { 5000, 5001, 0 }, { 65535, 65535, 0 }
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(frames, 0, sizeof(frames));

    for (i = 0; i < 2 * AT_TEST_N(rows); i++) {
        unsigned  n = i % 2 ? rows[i / 2].to : rows[i / 2].from;

        code[0] = (uint8_t) (n >> 8);
        code[1] = (uint8_t) n;

        frames[0].first = 0x88;
        frames[0].payload = (at_str_t) { 2, (char *) code };

        b.len = 0;
        test_frames(&b, frames);

        (void) snprintf(events, sizeof(events), rows[i / 2].valid
                        ? "close %u=\n" : "fail 1002: invalid close code\n",
                        n);
        test_same("a code", at_buf_str(&b), &test_rules, 0,
                  at_test_str(events));
    }

    for (i = 0; i < AT_TEST_N(rows); i++) {
        unsigned  n;

        for (n = rows[i].from; n <= rows[i].to; n++) {
            assert_int_equal(at_ws_code_valid(n), (int) rows[i].valid);
        }
    }

    at_buf_free(&b);
}


/* What came whole is handed out from where it came to. */
static void
test_in_place(void **state)
{
    uint8_t         *pos, *end;
    at_buf_t         b;
    at_ws_event_t    event;
    at_ws_parser_t   p;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&p, 0, sizeof(at_ws_parser_t));

    test_frame_add(&b, 0x81, AT_STR("Hello"), 0);
    test_frame_add(&b, 0x89, AT_STR("ping"), 0);

    pos = b.data;
    end = b.data + b.len;

    assert_int_equal(at_ws_parse(&p, &test_rules, &pos, end, &event),
                     AT_WS_GOT_MESSAGE);
    assert_ptr_equal(event.data.data, b.data + 6);
    assert_ptr_equal(pos, b.data + 11);

    assert_int_equal(at_ws_parse(&p, &test_rules, &pos, end, &event),
                     AT_WS_GOT_PING);
    assert_ptr_equal(event.data.data, b.data + 17);

    assert_int_equal(at_ws_parse(&p, &test_rules, &pos, end, &event),
                     AT_WS_MORE);
    assert_null(p.kept.data);
    assert_true(at_ws_parser_idle(&p));

    at_buf_free(&b);
}


/* A length that is announced takes no memory; bytes that came do. */
static void
test_memory(void **state)
{
    uint8_t         *pos;
    at_buf_t         b;
    at_ws_event_t    event;
    at_ws_parser_t   p;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&p, 0, sizeof(at_ws_parser_t));

    test_frame_head(&b, 0x01, 99999, 0);
    assert_int_equal(at_buf_append(&b, "\0\0\0\0" "abc", 7), AT_OK);

    pos = b.data;
    assert_int_equal(at_ws_parse(&p, &test_rules, &pos, b.data + b.len,
                                 &event), AT_WS_MORE);
    assert_ptr_equal(pos, b.data + b.len);
    assert_int_equal(p.kept.len, 3);
    assert_true(p.kept.cap <= 64);
    assert_true(sizeof(at_ws_parser_t) <= 80);
    assert_false(at_ws_parser_idle(&p));

    at_ws_parser_free(&p);
    at_buf_free(&b);
}


/* A parser is idle where a new one could take its place, and only there. */
static void
test_idle(void **state)
{
    size_t           i, first, second;
    uint8_t         *pos;
    at_buf_t         b;
    at_ws_event_t    event;
    at_ws_parser_t   p;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&p, 0, sizeof(at_ws_parser_t));

    test_frame_add(&b, 0x89, AT_STR("ping"), 0);
    first = b.len;
    test_frame_add(&b, 0x01, AT_STR(""), 0);
    test_frame_add(&b, 0x80, AT_STR("end"), 0);
    second = b.len;

    assert_true(at_ws_parser_idle(&p));

    for (i = 0; i < b.len; i++) {
        pos = b.data + i;

        while (at_ws_parse(&p, &test_rules, &pos, b.data + i + 1, &event)
               != AT_WS_MORE)
        {
            /* void */
        }

        assert_int_equal(at_ws_parser_idle(&p),
                         i + 1 == first || i + 1 == second);
    }

    assert_null(p.kept.data);

    at_ws_parser_free(&p);
    at_buf_free(&b);
}


static void
test_mask(void **state)
{
    size_t                len, turn, at, i;
    uint8_t               bytes[64], want[64];
    static const uint8_t  mask[4] = { 0x12, 0x80, 0xFF, 0x03 };

    (void) state;

    for (len = 0; len < 40; len++) {
        for (turn = 0; turn < 4; turn++) {
            for (at = 0; at < 9; at++) {

                for (i = 0; i < sizeof(bytes); i++) {
                    bytes[i] = (uint8_t) (i * 37);
                    want[i] = bytes[i];
                }

                for (i = 0; i < len; i++) {
                    want[at + i] ^= mask[(turn + i) % 4];
                }

                at_ws_mask(bytes + at, len, mask, (unsigned) turn);
                assert_memory_equal(bytes, want, sizeof(bytes));
            }
        }
    }
}


/* Many messages of many fragments with pings between, in random pieces. */
static void
test_long_row(void **state)
{
    char      part[40], text[5000];
    size_t    i, k, n, len;
    at_buf_t  b, events, log;
    at_str_t  s;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&events, 0, sizeof(at_buf_t));
    memset(&log, 0, sizeof(at_buf_t));

    for (i = 0; i < 60; i++) {
        len = 0;
        n = 1 + at_test_random(&test_seed) % 12;

        for (k = 0; k < n; k++) {
            memset(part, 'a' + (int) k, sizeof(part));

            s.data = part;
            s.len = at_test_random(&test_seed) % sizeof(part);

            test_frame_add(&b, (k == 0 ? 1u : 0u) | (k + 1 == n ? 0x80u : 0u),
                           s, 0);
            memcpy(text + len, part, s.len);
            len += s.len;

            if (k + 1 < n && at_test_random(&test_seed) % 3 == 0) {
                test_frame_add(&b, 0x89, s, 0);
                assert_int_equal(at_buf_printf(&events, "ping=%.*s\n",
                                               (int) s.len, s.data), AT_OK);
            }
        }

        assert_int_equal(at_buf_printf(&events, "text=%.*s\n", (int) len,
                                       text), AT_OK);
    }

    for (i = 0; i < 60; i++) {
        test_run(at_buf_str(&b), &test_rules, 0, i, 0, &log);
        at_test_true(at_str_eq(at_buf_str(&log), at_buf_str(&events)),
                     "pieces of %zu", i);
    }

    at_buf_free(&b);
    at_buf_free(&events);
    at_buf_free(&log);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_long_row)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
