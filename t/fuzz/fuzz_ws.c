/*
 * at_ws_parse(): whatever comes, the events are what its header promises, and
 * the same whether the bytes come whole or in pieces.
 *
 * The first three bytes of the input choose the rules, the bound and the
 * pieces; the rest is what a client sends.
 */

#include "fuzz.h"
#include "at_text.h"
#include "live/at_ws_parser.h"


typedef struct {
    uint64_t  hash;
    unsigned  over:1;
} fuzz_log_t;


static void
fuzz_event(fuzz_log_t *log, const at_ws_rules_t *rules, at_ws_result_e rc,
    const at_ws_event_t *e)
{
    uint8_t  head[3] = { (uint8_t) rc, (uint8_t) (e->code >> 8),
                         (uint8_t) e->code };

    FUZZ_CHECK(!log->over);

    switch (rc) {

    case AT_WS_GOT_MESSAGE:
        FUZZ_CHECK(e->data.len <= rules->message_max);
        FUZZ_CHECK(e->binary ? rules->binary : at_utf8_valid(e->data));
        break;

    case AT_WS_GOT_CLOSE:
        FUZZ_CHECK(at_utf8_valid(e->data));
        FUZZ_CHECK(e->code == AT_WS_NO_CODE || at_ws_code_valid(e->code));
        FUZZ_CHECK(e->data.len <= AT_WS_REASON_MAX);
        log->over = 1;
        break;

    case AT_WS_FAILED:
        FUZZ_CHECK(e->code == AT_WS_PROTOCOL || e->code == AT_WS_UNSUPPORTED
                   || e->code == AT_WS_BAD_DATA || e->code == AT_WS_TOO_BIG);
        FUZZ_CHECK(e->why[0] != '\0' && e->data.data == NULL);
        log->hash = fuzz_hash_str(log->hash, e->why);
        log->over = 1;
        break;

    default:
        FUZZ_CHECK(rc == AT_WS_GOT_PING || rc == AT_WS_GOT_PONG);
        FUZZ_CHECK(e->data.len <= AT_WS_CONTROL_MAX);
    }

    log->hash = fuzz_hash(log->hash, head, sizeof(head));
    log->hash = fuzz_hash(log->hash, e->data.data, e->data.len);
}


static void
fuzz_run(fuzz_log_t *log, const at_ws_rules_t *rules, unsigned deflate,
    at_str_t bytes, unsigned how)
{
    size_t           i, n, state;
    uint8_t         *piece, *pos;
    at_ws_event_t    event;
    at_ws_result_e   rc;
    at_ws_parser_t   p;

    memset(&p, 0, sizeof(at_ws_parser_t));
    p.deflate = deflate & 1;
    state = 0;

    for (i = 0; i < bytes.len; i += n) {
        n = fuzz_piece(how, &state, bytes.len - i);

        piece = malloc(n);
        FUZZ_CHECK(piece != NULL);
        memcpy(piece, bytes.data + i, n);
        pos = piece;

        while ((rc = at_ws_parse(&p, rules, &pos, piece + n, &event))
               != AT_WS_MORE)
        {
            fuzz_event(log, rules, rc, &event);
        }

        FUZZ_CHECK(pos == piece + n);
        FUZZ_CHECK(p.message || p.nhead > 0 || p.kept.data == NULL);
        free(piece);
    }

    at_ws_parser_free(&p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned                  flags, how;
    fuzz_in_t                 in = { data, data + size };
    fuzz_log_t                whole, pieces;
    at_ws_rules_t             rules;
    static at_ws_inflate_t   *inflater;

    if (inflater == NULL) {
        inflater = at_ws_inflate_create();
        FUZZ_CHECK(inflater != NULL);
    }

    memset(&whole, 0, sizeof(fuzz_log_t));
    memset(&pieces, 0, sizeof(fuzz_log_t));
    memset(&rules, 0, sizeof(at_ws_rules_t));

    flags = fuzz_byte(&in);
    rules.binary = flags >> 1 & 1;
    rules.inflate = inflater;
    rules.message_max = (size_t) fuzz_byte(&in) * 16;
    how = fuzz_byte(&in);

    fuzz_run(&whole, &rules, flags & 1, fuzz_rest(&in), 0);
    fuzz_run(&pieces, &rules, flags & 1, fuzz_rest(&in), how);
    FUZZ_CHECK(whole.hash == pieces.hash && whole.over == pieces.over);

    return 0;
}
