/*
 * The frame parser with what clients may not do: each violation, however its
 * bytes are cut, with the code to close by, and as early as it can be known.
 */

#include "test_ws.h"
#include "at_test_memory.h"


static const at_ws_rules_t  test_rules = {
    .message_max = 100, .binary = 1
};

static const at_ws_rules_t  test_text_only = {
    .message_max = 100
};


#define TEST_TEN      "0123456789"
#define TEST_HUNDRED  TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN           \
                      TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN


#define PROTOCOL(why)  "fail 1002: " why "\n"
#define RESERVED       PROTOCOL("reserved bit set")
#define OPCODE         PROTOCOL("reserved opcode")
#define FRAGMENTED     PROTOCOL("fragmented control frame")
#define LONG_CONTROL   PROTOCOL("control frame of more than 125 bytes")
#define NOT_MASKED     PROTOCOL("frame without a mask")
#define NOT_SHORT      PROTOCOL("length not written in the shortest way")
#define NOTHING        PROTOCOL("continuation of no message")
#define UNFINISHED     PROTOCOL("new message inside an unfinished one")
#define CODE           PROTOCOL("invalid close code")
#define TOO_BIG        "fail 1009: message too big\n"


/* What follows a violation is never looked at. */
#define AFTER          { 0x81, T("after"), 0 }


static void
test_framing(void **state)
{
    static const test_row_t  rows[] = {
        { "rsv1", { { 0xc1, T("x"), 0 }, AFTER }, RESERVED },
        { "rsv2", { { 0xa1, T("x"), 0 }, AFTER }, RESERVED },
        { "rsv3", { { 0x91, T(""), 0 }, AFTER }, RESERVED },
        { "rsv123", { { 0xf2, T(""), 0 }, AFTER }, RESERVED },
        { "rsv1 in ping", { { 0xc9, T("x"), 0 }, AFTER }, RESERVED },
        { "rsv3 in close", { { 0x98, T("\x03\xE8"), 0 } }, RESERVED },
        { "rsv1 behind a text", { { 0x81, T("a"), 0 }, { 0xc1, T(""), 0 } },
          "text=a\n" RESERVED },
        { "rsv1 in a continuation", { { 0x01, T("a"), 0 },
                                      { 0xc0, T("b"), 0 } }, RESERVED },

        { "opcode 3", { { 0x83, T(""), 0 }, AFTER }, OPCODE },
        { "opcode 4", { { 0x84, T("x"), 0 } }, OPCODE },
        { "opcode 5", { { 0x85, T(""), 0 } }, OPCODE },
        { "opcode 6", { { 0x86, T(""), 0 } }, OPCODE },
        { "opcode 7", { { 0x87, T(""), 0 } }, OPCODE },
        { "opcode 11", { { 0x8b, T(""), 0 } }, OPCODE },
        { "opcode 12", { { 0x8c, T("x"), 0 } }, OPCODE },
        { "opcode 13", { { 0x8d, T(""), 0 } }, OPCODE },
        { "opcode 14", { { 0x8e, T(""), 0 } }, OPCODE },
        { "opcode 15", { { 0x8f, T(""), 0 } }, OPCODE },
        { "opcode 3 in a message", { { 0x01, T("a"), 0 },
                                     { 0x83, T(""), 0 } }, OPCODE },

        { "ping in two", { { 0x09, T("a"), 0 }, { 0x80, T("b"), 0 } },
          FRAGMENTED },
        { "pong in two", { { 0x0a, T("a"), 0 } }, FRAGMENTED },
        { "close in two", { { 0x08, T("\x03\xE8"), 0 } }, FRAGMENTED },
        { "ping of 126", { { 0x89, T(TEST_HUNDRED TEST_TEN TEST_TEN "123456"),
                             0 } }, LONG_CONTROL },
        { "close of 126", { { 0x88, T("\x03\xE8" TEST_HUNDRED TEST_TEN
                                      TEST_TEN "1234"), 0 } },
          LONG_CONTROL },
        { "ping of 1 in 16 bits", { { 0x89, T("x"), TEST_LENGTH16 } },
          LONG_CONTROL },

        { "text without mask", { { 0x81, T("x"), TEST_UNMASKED }, AFTER },
          NOT_MASKED },
        { "ping without mask", { { 0x89, T("x"), TEST_UNMASKED } },
          NOT_MASKED },
        { "close without mask", { { 0x88, T(""), TEST_UNMASKED } },
          NOT_MASKED },
        { "continuation without mask", { { 0x01, T("a"), 0 },
                                         { 0x80, T("b"), TEST_UNMASKED } },
          NOT_MASKED },

        { "continuation", { { 0x80, T("x"), 0 }, AFTER }, NOTHING },
        { "open continuation", { { 0x00, T("x"), 0 }, AFTER }, NOTHING },
        { "continuation behind the end",
          { { 0x01, T("a"), 0 }, { 0x80, T("b"), 0 }, { 0x80, T("c"), 0 } },
          "text=ab\n" NOTHING },
        { "text in a text", { { 0x01, T("a"), 0 }, { 0x81, T("b"), 0 } },
          UNFINISHED },
        { "binary in a text", { { 0x01, T("a"), 0 }, { 0x82, T("b"), 0 } },
          UNFINISHED },
        { "ping, then text in a text",
          { { 0x01, T(""), 0 }, { 0x89, T("p"), 0 }, { 0x01, T("b"), 0 } },
          "ping=p\n" UNFINISHED },

        { "0 in 16 bits", { { 0x81, T(""), TEST_LENGTH16 }, AFTER },
          NOT_SHORT },
        { "3 in 16 bits", { { 0x81, T("abc"), TEST_LENGTH16 }, AFTER },
          NOT_SHORT },
        { "3 in 64 bits", { { 0x82, T("abc"), TEST_LENGTH64 }, AFTER },
          NOT_SHORT },

        { "close of 1", { { 0x88, T("a"), 0 } },
          PROTOCOL("half a close code") },
        { "close 999", { { 0x88, T("\x03\xE7"), 0 }, AFTER }, CODE },
        { "close 1005", { { 0x88, T("\x03\xED" "why"), 0 } }, CODE },
        { "close 1005 in a message", { { 0x01, T("a"), 0 },
                                       { 0x88, T("\x03\xED"), 0 } }, CODE },
        { "reason", { { 0x88, T("\x03\xE8" "\xCE\xBA\xED\xA0\x80"), 0 } },
          "fail 1007: close reason is not UTF-8\n" },
        { "reason that ends early", { { 0x88, T("\x03\xE8" "\xE2\x82"),
                                        0 } },
          "fail 1007: close reason is not UTF-8\n" },

        { "101 bytes", { { 0x81, T(TEST_HUNDRED "1"), 0 }, AFTER },
          TOO_BIG },
        { "100 and 1 bytes", { { 0x01, T(TEST_HUNDRED), 0 },
                               { 0x80, T("1"), 0 } }, TOO_BIG },
        { "100 and no bytes", { { 0x01, T(TEST_HUNDRED), 0 },
                                { 0x80, T(""), 0 } },
          "text=" TEST_HUNDRED "\n" },
        { "100 bytes twice", { { 0x81, T(TEST_HUNDRED), 0 },
                               { 0x82, T(TEST_HUNDRED), 0 } },
          "text=" TEST_HUNDRED "\nbinary=" TEST_HUNDRED "\n" },
        { "a ping does not count", { { 0x01, T(TEST_HUNDRED), 0 },
                                     { 0x89, T(TEST_HUNDRED), 0 },
                                     { 0x80, T(""), 0 } },
          "ping=" TEST_HUNDRED "\ntext=" TEST_HUNDRED "\n" }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &test_rules, 0);
}


static void
test_deflate_bits(void **state)
{
    static const test_row_t  rows[] = {
        { "rsv2", { { 0xa1, T("x"), 0 } }, RESERVED },
        { "rsv1 and 2", { { 0xe1, T("x"), 0 } }, RESERVED },
        { "rsv1 in ping", { { 0xc9, T("x"), 0 } }, RESERVED },
        { "rsv1 in close", { { 0xc8, T("\x03\xE8"), 0 } }, RESERVED },
        { "rsv1 in a continuation", { { 0x41, T("\xf2"), 0 },
                                      { 0xc0, T("\x48"), 0 } }, RESERVED },
        { "rsv1 in a continuation of a plain one",
          { { 0x01, T("a"), 0 }, { 0xc0, T("b"), 0 } }, RESERVED }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &test_rules, 1);
}


static void
test_binary(void **state)
{
    static const test_row_t  rows[] = {
        { "binary", { { 0x82, T("x"), 0 }, AFTER },
          "fail 1003: binary message; send text\n" },
        { "binary behind a text", { { 0x81, T("a"), 0 }, { 0x02, T(""), 0 } },
          "text=a\nfail 1003: binary message; send text\n" },
        { "binary in a text", { { 0x01, T("a"), 0 }, { 0x82, T("b"), 0 } },
          UNFINISHED }
    };

    (void) state;

    test_table(rows, AT_TEST_N(rows), &test_text_only, 0);
}


static void
test_huge(void **state)
{
    size_t               i;
    at_buf_t             b;
    static const struct {
        uint64_t     len;
        const char  *events;
    } rows[] = {
        { 101, TOO_BIG },
        { 65536, TOO_BIG },
        { 1ull << 32, TOO_BIG },
        { (1ull << 32) + 5, TOO_BIG },
        { 1ull << 62, TOO_BIG },
        { INT64_MAX, TOO_BIG },
        { 1ull << 63, PROTOCOL("length with its highest bit set") },
        { UINT64_MAX, PROTOCOL("length with its highest bit set") }
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));

    for (i = 0; i < AT_TEST_N(rows); i++) {

        /* neither the mask nor the payload has to come */

        b.len = 0;
        test_frame_head(&b, 0x81, rows[i].len, 0);
        test_same("a length", at_buf_str(&b), &test_rules, 0,
                  at_test_str(rows[i].events));

        b.len = 0;
        test_frame_add(&b, 0x01, AT_STR("a"), 0);
        test_frame_head(&b, 0x00, rows[i].len, 0);
        test_same("of a fragment", at_buf_str(&b), &test_rules, 0,
                  at_test_str(rows[i].events));

        b.len = 0;
        test_frame_head(&b, 0xc1, rows[i].len > 1000 ? rows[i].len : 1000,
                        0);
        test_same("of a compressed one", at_buf_str(&b), &test_rules, 1,
                  at_test_str(rows[i].events));
    }

    at_buf_free(&b);
}


/* The ends of each way to write a length, as a bound far away sees them. */
static void
test_shortest(void **state)
{
    size_t                      i;
    at_buf_t                    b;
    static const at_ws_rules_t  rules = { .message_max = 1000000 };
    static const struct {
        uint64_t     len;
        unsigned     how;
        const char  *events;
    } rows[] = {
        { 125, TEST_LENGTH16, NOT_SHORT },
        { 126, TEST_LENGTH16, "" },
        { 65535, TEST_LENGTH16, "" },
        { 125, TEST_LENGTH64, NOT_SHORT },
        { 126, TEST_LENGTH64, NOT_SHORT },
        { 65535, TEST_LENGTH64, NOT_SHORT },
        { 65536, TEST_LENGTH64, "" }
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        b.len = 0;
        test_frame_head(&b, 0x81, rows[i].len, rows[i].how);
        test_same("a length", at_buf_str(&b), &rules, 0,
                  at_test_str(rows[i].events));
    }

    at_buf_free(&b);
}


/* Valid text in fragments of every size, invalid text at its first byte. */
static void
test_text(void **state)
{
    size_t                  i, k, n;
    at_buf_t                b, events;
    static const at_str_t   good[] = {
        T("\xCE\xBA\xCF\x8C\xCF\x83\xCE\xBC\xCE\xB5"),
        T("\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"),
        T("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
        T("\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBD\xEF\xBF\xBE"),
        T("plain text before \xF0\x9F\x98\x80 and behind")
    };
    static const struct {
        at_str_t  text;
        size_t    at;           /* bytes that may stand in a valid text */
    } bad[] = {
        { T("\x80"), 0 },
        { T("abcdefgh\xBF"), 8 },
        { T("abcdefghijk\xC0\x80"), 11 },
        { T("\xC1\xBF"), 0 },
        { T("\xE0\x80\xAF"), 1 },
        { T("\xE0\x9F\xBF"), 1 },
        { T("\xF0\x80\x80\xAF"), 1 },
        { T("\xF0\x8F\xBF\xBF"), 1 },
        { T("\xED\xA0\x80"), 1 },
        { T("\xED\xBF\xBF"), 1 },
        { T("\xF4\x90\x80\x80"), 1 },
        { T("\xF5\x80"), 0 },
        { T("\xFE"), 0 },
        { T("\xFF"), 0 },
        { T("\xCE\xBA\xE1" "x"), 3 },
        { T("\xE2\x82" "x"), 2 },
        { T("\xF0\x9F\x98" "x"), 3 },
        { T("\xF0\x9F" "\xF0"), 2 }
    };

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&events, 0, sizeof(at_buf_t));

    for (i = 0; i < AT_TEST_N(good); i++) {
        events.len = 0;
        assert_int_equal(at_buf_printf(&events, "text=%s\n", good[i].data),
                         AT_OK);

        for (n = 1; n < 5; n++) {
            b.len = 0;

            for (k = 0; k < good[i].len; k += n) {
                test_frame_add(&b, k == 0, (at_str_t) {
                                   good[i].len - k < n ? good[i].len - k : n,
                                   good[i].data + k
                               }, 0);
            }

            test_frame_add(&b, 0x80, AT_STR_NULL, 0);
            test_same("valid text", at_buf_str(&b), &test_rules, 0,
                      at_buf_str(&events));
        }
    }

    for (i = 0; i < AT_TEST_N(bad); i++) {

        /* a frame that is far from complete, and never final */

        b.len = 0;
        test_frame_head(&b, 0x01, 90, 0);
        assert_int_equal(at_buf_append(&b, "\0\0\0\0", 4), AT_OK);
        assert_int_equal(at_buf_append(&b, bad[i].text.data, bad[i].at),
                         AT_OK);
        test_same("not yet wrong", at_buf_str(&b), &test_rules, 0,
                  AT_STR(""));

        assert_int_equal(at_buf_append(&b, bad[i].text.data + bad[i].at, 1),
                         AT_OK);
        test_same("wrong", at_buf_str(&b), &test_rules, 0,
                  AT_STR("fail 1007: text is not UTF-8\n"));

        /* the wrong byte alone in a fragment */

        b.len = 0;
        test_frame_add(&b, 0x01, (at_str_t) { bad[i].at, bad[i].text.data },
                       0);
        test_frame_add(&b, 0x89, AT_STR("\xFF"), 0);
        test_frame_add(&b, 0x00, (at_str_t) {
                           1, bad[i].text.data + bad[i].at
                       }, 0);
        test_same("wrong alone", at_buf_str(&b), &test_rules, 0,
                  AT_STR("ping=\xFF\nfail 1007: text is not UTF-8\n"));
    }

    /* a text may not end inside a sequence */

    b.len = 0;
    test_frame_add(&b, 0x81, AT_STR("ok\xE2\x82"), 0);
    test_same("ends early", at_buf_str(&b), &test_rules, 0,
              AT_STR("fail 1007: text is not UTF-8\n"));

    b.len = 0;
    test_frame_add(&b, 0x01, AT_STR("\xE2"), 0);
    test_frame_add(&b, 0x80, AT_STR(""), 0);
    test_same("ends early by an empty fragment", at_buf_str(&b), &test_rules,
              0, AT_STR("fail 1007: text is not UTF-8\n"));

    at_buf_free(&b);
    at_buf_free(&events);
}


static void
test_no_memory(void **state)
{
    at_buf_t  b, log;

    (void) state;

    memset(&b, 0, sizeof(at_buf_t));
    memset(&log, 0, sizeof(at_buf_t));

    assert_int_equal(at_buf_reserve(&b, 4096), AT_OK);
    assert_int_equal(at_buf_reserve(&log, 4096), AT_OK);

    test_frame_add(&b, 0x01, AT_STR(TEST_TEN), 0);

    at_test_memory_end = 1;
    test_run(at_buf_str(&b), &test_rules, 0, 9, 0, &log);
    at_test_memory_end = 0;

    assert_true(at_str_is(at_buf_str(&log), "fail 1011: no memory\n"));

    b.len = 0;
    test_frame_add(&b, 0x89, AT_STR(TEST_TEN), 0);

    at_test_memory_end = 1;
    test_run(at_buf_str(&b), &test_rules, 0, 9, 0, &log);
    at_test_memory_end = 0;

    assert_true(at_str_is(at_buf_str(&log), "fail 1011: no memory\n"));

    at_buf_free(&b);
    at_buf_free(&log);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_deflate_bits),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
