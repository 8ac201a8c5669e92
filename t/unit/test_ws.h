/*
 * What the tests of the frame parser share: frames of a client are put
 * together, fed whole, cut in two at every place, byte by byte and in random
 * pieces, each piece in memory of exactly its size, and must give the same
 * events.  These are written down as lines:
 *
 *     text=payload  binary=payload  ping=payload  pong=payload
 *     close CODE=reason
 *     fail CODE: why
 */

#ifndef TEST_WS_H
#define TEST_WS_H


#include "at_test.h"
#include "live/at_ws_parser.h"


#define TEST_FRAMES     8
#define TEST_ROUNDS     20
#define TEST_CUTS       600     /* longer texts are not cut everywhere */

/* A payload of a literal, which may have NULs. */
#define T(s)            { sizeof(s) - 1, (s) }

/* How a frame breaks the rules. */
#define TEST_UNMASKED   1
#define TEST_LENGTH16   2
#define TEST_LENGTH64   4
#define TEST_HEAD       8       /* the payload is not sent */


typedef struct {
    unsigned  first;            /* the first byte; 0 with no payload: none */
    at_str_t  payload;
    unsigned  how;
} test_frame_t;


typedef struct {
    const char    *name;
    test_frame_t   frames[TEST_FRAMES];
    const char    *events;
} test_row_t;


static uint32_t  test_seed = 7;


/* len is what the head says. */
static inline void
test_frame_head(at_buf_t *b, unsigned first, uint64_t len, unsigned how)
{
    int       i, size;
    uint8_t   mask;

    mask = (how & TEST_UNMASKED) ? 0 : 0x80;

    size = (how & TEST_LENGTH64) ? 8
           : (how & TEST_LENGTH16) ? 2
           : len < 126 ? 0 : len < 65536 ? 2 : 8;

    assert_int_equal(at_buf_append(b, (uint8_t[2]) {
                         (uint8_t) first,
                         (uint8_t) (mask | (size == 0 ? len
                                            : size == 2 ? 126 : 127))
                     }, 2), AT_OK);

    for (i = size - 1; i >= 0; i--) {
        assert_int_equal(at_buf_append(b, (uint8_t[1]) {
                             (uint8_t) (len >> (8 * i))
                         }, 1), AT_OK);
    }
}


static inline void
test_frame_add(at_buf_t *b, unsigned first, at_str_t payload, unsigned how)
{
    size_t    i;
    uint8_t   c;
    uint32_t  r;
    uint8_t   mask[4];

    test_frame_head(b, first, payload.len, how);

    r = (how & TEST_UNMASKED) ? 0 : at_test_random(&test_seed);
    memcpy(mask, &r, 4);

    if ((how & TEST_UNMASKED) == 0) {
        assert_int_equal(at_buf_append(b, mask, 4), AT_OK);
    }

    for (i = 0; i < payload.len && (how & TEST_HEAD) == 0; i++) {
        c = (uint8_t) payload.data[i] ^ mask[i % 4];
        assert_int_equal(at_buf_append(b, &c, 1), AT_OK);
    }
}


static inline void
test_frames(at_buf_t *b, const test_frame_t *frames)
{
    size_t  i;

    for (i = 0; i < TEST_FRAMES; i++) {
        if (frames[i].first || frames[i].payload.data != NULL) {
            test_frame_add(b, frames[i].first, frames[i].payload,
                           frames[i].how);
        }
    }
}


static inline void
test_event(at_buf_t *log, at_ws_result_e rc, const at_ws_event_t *event)
{
    static const char *const  names[] = {
        "", NULL, "ping", "pong"
    };

    switch (rc) {

    case AT_WS_FAILED:
        assert_null(event->data.data);
        assert_int_equal(at_buf_printf(log, "fail %u: %s\n", event->code,
                                       event->why), AT_OK);
        return;

    case AT_WS_GOT_CLOSE:
        assert_int_equal(at_buf_printf(log, "close %u=", event->code), AT_OK);
        break;

    case AT_WS_GOT_MESSAGE:
        assert_int_equal(at_buf_printf(log, "%s=", event->binary ? "binary"
                                                                 : "text"),
                         AT_OK);
        break;

    default:
        assert_int_equal(at_buf_printf(log, "%s=", names[rc]), AT_OK);
    }

    assert_int_equal(at_buf_append_str(log, event->data), AT_OK);
    assert_int_equal(at_buf_append(log, "\n", 1), AT_OK);
}


/* One piece, which is gone when this returns. */
static inline void
test_piece(at_ws_parser_t *p, const at_ws_rules_t *rules, at_str_t bytes,
    at_buf_t *log)
{
    uint8_t         *piece, *pos, *end;
    at_ws_event_t    event;
    at_ws_result_e   rc;

    piece = (uint8_t *) (uintptr_t) at_test_exact(bytes).data;
    pos = piece;
    end = piece + bytes.len;

    do {
        rc = at_ws_parse(p, rules, &pos, end, &event);

        if (rc != AT_WS_MORE) {
            test_event(log, rc, &event);
        }

    } while (rc != AT_WS_MORE);

    assert_ptr_equal(pos, end);
    free(piece);
}


/* step 0: pieces of random length; cut: where the first piece ends. */
static inline void
test_run(at_str_t bytes, const at_ws_rules_t *rules, unsigned deflate,
    size_t step, size_t cut, at_buf_t *log)
{
    size_t          i, n;
    at_ws_parser_t  p;

    memset(&p, 0, sizeof(at_ws_parser_t));
    p.deflate = deflate & 1;
    log->len = 0;

    for (i = 0; i < bytes.len; i += n) {
        n = step != 0 ? step : at_test_random(&test_seed) % 9 + 1;
        n = i < cut && cut - i < n ? cut - i : n;
        n = bytes.len - i < n ? bytes.len - i : n;

        test_piece(&p, rules, (at_str_t) { n, bytes.data + i }, log);
    }

    /* one more call for what was lent; an idle parser owns nothing */

    test_piece(&p, rules, AT_STR_NULL, log);

    if (!p.message && p.nhead == 0) {
        assert_null(p.kept.data);
    }

    at_ws_parser_free(&p);
}


static inline void
test_same(const char *name, at_str_t bytes, const at_ws_rules_t *rules,
    unsigned deflate, at_str_t events)
{
    size_t    i;
    at_buf_t  log;

    memset(&log, 0, sizeof(at_buf_t));

    test_run(bytes, rules, deflate, SIZE_MAX, 0, &log);
    at_test_true(at_str_eq(at_buf_str(&log), events), "%s, whole, gave\n%.*s",
                 name, (int) log.len, (char *) log.data);

    test_run(bytes, rules, deflate, 1, 0, &log);
    at_test_true(at_str_eq(at_buf_str(&log), events),
                 "%s, byte by byte, gave\n%.*s", name, (int) log.len,
                 (char *) log.data);

    for (i = 1; i < bytes.len && i < TEST_CUTS; i++) {
        test_run(bytes, rules, deflate, SIZE_MAX, i, &log);
        at_test_true(at_str_eq(at_buf_str(&log), events),
                     "%s, cut at %zu, gave\n%.*s", name, i, (int) log.len,
                     (char *) log.data);
    }

    for (i = 0; i < TEST_ROUNDS; i++) {
        test_run(bytes, rules, deflate, 0, 0, &log);
        at_test_true(at_str_eq(at_buf_str(&log), events),
                     "%s, in pieces, gave\n%.*s", name, (int) log.len,
                     (char *) log.data);
    }

    at_buf_free(&log);
}


static inline void
test_table(const test_row_t *rows, size_t n, const at_ws_rules_t *rules,
    unsigned deflate)
{
    size_t    i;
    at_buf_t  b;

    memset(&b, 0, sizeof(at_buf_t));

    for (i = 0; i < n; i++) {
        b.len = 0;
        test_frames(&b, rows[i].frames);
        test_same(rows[i].name, at_buf_str(&b), rules, deflate,
                  at_test_str(rows[i].events));
    }

    at_buf_free(&b);
}


#endif /* TEST_WS_H */
