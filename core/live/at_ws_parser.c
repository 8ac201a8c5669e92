/*
 * The incremental frame parser (at_ws_parser.h).
 *
 * A frame is its head, collected byte by byte and judged as soon as a part of
 * it is known, and its payload, taken in pieces as large as they come.  The
 * message under way lives in p->kept; a control frame between its fragments
 * is put behind it, where the next fragment will overwrite it.
 */

#include <string.h>

#include "at_text.h"
#include "at_words.h"
#include "at_ws_parser.h"


#define AT_WS_MASKED    0x80
#define AT_WS_LENGTH    0x7f
#define AT_WS_LENGTH16  126
#define AT_WS_LENGTH64  127
#define AT_WS_MASK      4       /* bytes */


static void at_ws_release(at_ws_parser_t *p);
static at_ws_result_e at_ws_fail(at_ws_parser_t *p, at_ws_event_t *event,
    unsigned code, const char *why);
static at_ws_result_e at_ws_head(at_ws_parser_t *p,
    const at_ws_rules_t *rules, uint8_t **pos, const uint8_t *end,
    at_ws_event_t *event);
static at_ws_result_e at_ws_first_byte(at_ws_parser_t *p,
    const at_ws_rules_t *rules, at_ws_event_t *event);
static at_ws_result_e at_ws_second_byte(at_ws_parser_t *p,
    at_ws_event_t *event);
static at_ws_result_e at_ws_length(at_ws_parser_t *p,
    const at_ws_rules_t *rules, at_ws_event_t *event);
static void at_ws_head_complete(at_ws_parser_t *p);
static at_ws_result_e at_ws_control(at_ws_parser_t *p, uint8_t **pos,
    const uint8_t *end, at_ws_event_t *event);
static at_ws_result_e at_ws_close(at_ws_parser_t *p, at_ws_event_t *event);
static at_ws_result_e at_ws_data(at_ws_parser_t *p,
    const at_ws_rules_t *rules, uint8_t **pos, const uint8_t *end,
    at_ws_event_t *event);
static at_ws_result_e at_ws_message(at_ws_parser_t *p,
    const at_ws_rules_t *rules, at_str_t data, at_ws_event_t *event);
static at_str_t at_ws_take(at_ws_parser_t *p, uint8_t **pos,
    const uint8_t *end);


at_ws_result_e
at_ws_parse(at_ws_parser_t *p, const at_ws_rules_t *rules, uint8_t **pos,
    uint8_t *end, at_ws_event_t *event)
{
    at_ws_result_e  rc;

    memset(event, 0, sizeof(at_ws_event_t));

    if (p->lent) {
        at_ws_release(p);
    }

    for ( ;; ) {

        if (p->over) {
            *pos = end;
            return AT_WS_MORE;
        }

        if (!p->payload) {
            rc = at_ws_head(p, rules, pos, end, event);

            if (rc != AT_WS_MORE || !p->payload) {
                return rc;
            }
        }

        rc = (p->head[0] & AT_WS_CONTROL)
             ? at_ws_control(p, pos, end, event)
             : at_ws_data(p, rules, pos, end, event);

        /* what is left of a frame is left because nothing more came */

        if (rc != AT_WS_MORE || p->payload) {
            return rc;
        }
    }
}


void
at_ws_parser_free(at_ws_parser_t *p)
{
    at_buf_free(&p->kept);
}


/* The caller is done with the data of the last event. */
static void
at_ws_release(at_ws_parser_t *p)
{
    p->lent = 0;

    if (!p->message) {
        at_buf_free(&p->kept);
    }
}


static at_ws_result_e
at_ws_fail(at_ws_parser_t *p, at_ws_event_t *event, unsigned code,
    const char *why)
{
    at_buf_free(&p->kept);

    p->over = 1;

    event->data = AT_STR_NULL;
    event->code = code;
    event->why = why;

    return AT_WS_FAILED;
}


/* AT_WS_MORE with p->payload set: the head is complete. */
static at_ws_result_e
at_ws_head(at_ws_parser_t *p, const at_ws_rules_t *rules, uint8_t **pos,
    const uint8_t *end, at_ws_event_t *event)
{
    at_ws_result_e  rc;

    while (*pos < end) {
        p->head[p->nhead++] = *(*pos)++;
        rc = AT_WS_MORE;

        if (p->nhead == 1) {
            p->need = 2 + AT_WS_MASK;
            rc = at_ws_first_byte(p, rules, event);

        } else if (p->nhead == 2) {
            rc = at_ws_second_byte(p, event);
        }

        if (rc != AT_WS_MORE) {
            return rc;
        }

        if (p->nhead > 1 && p->nhead + AT_WS_MASK == p->need) {
            rc = at_ws_length(p, rules, event);

            if (rc != AT_WS_MORE) {
                return rc;
            }
        }

        if (p->nhead == p->need) {
            at_ws_head_complete(p);
            break;
        }
    }

    return AT_WS_MORE;
}


static at_ws_result_e
at_ws_first_byte(at_ws_parser_t *p, const at_ws_rules_t *rules,
    at_ws_event_t *event)
{
    unsigned  rsv, opcode;

    rsv = p->head[0] & AT_WS_RSV;
    opcode = p->head[0] & AT_WS_OPCODE;

    if (opcode > AT_WS_PONG
        || (opcode > AT_WS_BINARY && opcode < AT_WS_CLOSE))
    {
        return at_ws_fail(p, event, AT_WS_PROTOCOL, "reserved opcode");
    }

    /* the bit of compression is on the first frame of a message alone */

    if (rsv == AT_WS_RSV1 && p->deflate
        && (opcode == AT_WS_TEXT || opcode == AT_WS_BINARY))
    {
        rsv = 0;
    }

    if (rsv) {
        return at_ws_fail(p, event, AT_WS_PROTOCOL, "reserved bit set");
    }

    if (opcode & AT_WS_CONTROL) {

        if ((p->head[0] & AT_WS_FIN) == 0) {
            return at_ws_fail(p, event, AT_WS_PROTOCOL,
                              "fragmented control frame");
        }

        return AT_WS_MORE;
    }

    if (opcode == AT_WS_CONTINUATION && !p->message) {
        return at_ws_fail(p, event, AT_WS_PROTOCOL,
                          "continuation of no message");
    }

    if (opcode != AT_WS_CONTINUATION && p->message) {
        return at_ws_fail(p, event, AT_WS_PROTOCOL,
                          "new message inside an unfinished one");
    }

    if (opcode == AT_WS_BINARY && !rules->binary) {
        return at_ws_fail(p, event, AT_WS_UNSUPPORTED,
                          "binary message; send text");
    }

    return AT_WS_MORE;
}


static at_ws_result_e
at_ws_second_byte(at_ws_parser_t *p, at_ws_event_t *event)
{
    unsigned  len;

    len = p->head[1] & AT_WS_LENGTH;

    if ((p->head[1] & AT_WS_MASKED) == 0) {
        return at_ws_fail(p, event, AT_WS_PROTOCOL, "frame without a mask");
    }

    if ((p->head[0] & AT_WS_CONTROL) && len > AT_WS_CONTROL_MAX) {
        return at_ws_fail(p, event, AT_WS_PROTOCOL,
                          "control frame of more than 125 bytes");
    }

    if (len == AT_WS_LENGTH16) {
        p->need += 2;

    } else if (len == AT_WS_LENGTH64) {
        p->need += 8;
    }

    return AT_WS_MORE;
}


/* All of the head is here but the mask. */
static at_ws_result_e
at_ws_length(at_ws_parser_t *p, const at_ws_rules_t *rules,
    at_ws_event_t *event)
{
    size_t    i, max;
    unsigned  deflated;
    uint64_t  len;

    len = p->head[1] & AT_WS_LENGTH;

    if (p->nhead > 2) {
        len = 0;

        for (i = 2; i < p->nhead; i++) {
            len = len << 8 | p->head[i];
        }

        if (len < AT_WS_LENGTH16 || (p->nhead > 4 && len <= UINT16_MAX)) {
            return at_ws_fail(p, event, AT_WS_PROTOCOL,
                              "length not written in the shortest way");
        }

        if (len > INT64_MAX) {
            return at_ws_fail(p, event, AT_WS_PROTOCOL,
                              "length with its highest bit set");
        }
    }

    if ((p->head[0] & AT_WS_CONTROL) == 0) {
        deflated = p->message ? p->deflated : p->head[0] & AT_WS_RSV1;
        max = deflated ? at_ws_deflate_bound(rules->message_max)
                       : rules->message_max;

        /* kept.len has passed this before */

        if (len > max - p->kept.len) {
            return at_ws_fail(p, event, AT_WS_TOO_BIG, "message too big");
        }
    }

    p->left = (size_t) len;

    return AT_WS_MORE;
}


static void
at_ws_head_complete(at_ws_parser_t *p)
{
    p->payload = 1;
    p->turn = 0;
    p->control = 0;

    if (p->head[0] & (AT_WS_TEXT | AT_WS_BINARY)
        && (p->head[0] & AT_WS_CONTROL) == 0)
    {
        p->message = 1;
        p->binary = (p->head[0] & AT_WS_OPCODE) == AT_WS_BINARY;
        p->deflated = (p->head[0] & AT_WS_RSV1) != 0;

        /* utf8 is between two sequences, or the last text had failed */
    }
}


static at_ws_result_e
at_ws_control(at_ws_parser_t *p, uint8_t **pos, const uint8_t *end,
    at_ws_event_t *event)
{
    at_str_t  piece;

    piece = at_ws_take(p, pos, end);

    if (p->control == 0 && p->left == 0) {
        event->data = piece;

    } else if (piece.len == 0) {
        return AT_WS_MORE;

    } else {
        if (at_buf_reserve(&p->kept, AT_WS_CONTROL_MAX) != AT_OK) {
            return at_ws_fail(p, event, AT_WS_INTERNAL, "no memory");
        }

        memcpy(p->kept.data + p->kept.len + p->control, piece.data,
               piece.len);
        p->control += (uint8_t) piece.len;

        if (p->left > 0) {
            return AT_WS_MORE;
        }

        event->data.data = (const char *) p->kept.data + p->kept.len;
        event->data.len = p->control;
        p->lent = 1;
    }

    p->payload = 0;
    p->nhead = 0;

    switch (p->head[0] & AT_WS_OPCODE) {

    case AT_WS_PING:
        return AT_WS_GOT_PING;

    case AT_WS_PONG:
        return AT_WS_GOT_PONG;

    default: /* AT_WS_CLOSE */
        return at_ws_close(p, event);
    }
}


static at_ws_result_e
at_ws_close(at_ws_parser_t *p, at_ws_event_t *event)
{
    const uint8_t  *code;

    if (event->data.len == 1) {
        return at_ws_fail(p, event, AT_WS_PROTOCOL, "half a close code");
    }

    event->code = AT_WS_NO_CODE;

    if (event->data.len > 0) {
        code = (const uint8_t *) event->data.data;

        event->code = (unsigned) code[0] << 8 | code[1];
        event->data.data += 2;
        event->data.len -= 2;

        if (!at_ws_code_valid(event->code)) {
            return at_ws_fail(p, event, AT_WS_PROTOCOL, "invalid close code");
        }

        if (!at_utf8_valid(event->data)) {
            return at_ws_fail(p, event, AT_WS_BAD_DATA,
                              "close reason is not UTF-8");
        }
    }

    /* a message under way will never be complete: let go of it as well */

    p->over = 1;
    p->message = 0;
    p->lent = 1;

    return AT_WS_GOT_CLOSE;
}


static at_ws_result_e
at_ws_data(at_ws_parser_t *p, const at_ws_rules_t *rules, uint8_t **pos,
    const uint8_t *end, at_ws_event_t *event)
{
    unsigned  final;
    at_str_t  piece;

    piece = at_ws_take(p, pos, end);
    final = p->left == 0 && (p->head[0] & AT_WS_FIN);

    if (!p->binary && !p->deflated
        && (at_ws_utf8(&p->utf8, (const uint8_t *) piece.data, piece.len)
            != AT_OK
            || (final && !at_ws_utf8_whole(&p->utf8))))
    {
        return at_ws_fail(p, event, AT_WS_BAD_DATA, "text is not UTF-8");
    }

    if (!final || p->kept.len > 0) {

        if (at_buf_append(&p->kept, piece.data, piece.len) != AT_OK) {
            return at_ws_fail(p, event, AT_WS_INTERNAL, "no memory");
        }

        piece = at_buf_str(&p->kept);
    }

    if (p->left > 0) {
        return AT_WS_MORE;
    }

    p->payload = 0;
    p->nhead = 0;

    if (!final) {
        return AT_WS_MORE;
    }

    p->message = 0;
    p->lent = 1;

    return at_ws_message(p, rules, piece, event);
}


static at_ws_result_e
at_ws_message(at_ws_parser_t *p, const at_ws_rules_t *rules, at_str_t data,
    at_ws_event_t *event)
{
    event->binary = p->binary;
    event->data = data;

    if (!p->deflated) {
        return AT_WS_GOT_MESSAGE;
    }

    switch (at_ws_inflate(rules->inflate, data, rules->message_max,
                          &event->data))
    {

    case AT_OK:
        break;

    case AT_WS_LONGER:
        return at_ws_fail(p, event, AT_WS_TOO_BIG, "message too big");

    case AT_NO_MEMORY:
        return at_ws_fail(p, event, AT_WS_INTERNAL, "no memory");

    default:
        return at_ws_fail(p, event, AT_WS_BAD_DATA,
                          "compressed data is damaged");
    }

    if (!p->binary && !at_utf8_valid(event->data)) {
        return at_ws_fail(p, event, AT_WS_BAD_DATA, "text is not UTF-8");
    }

    return AT_WS_GOT_MESSAGE;
}


/* What of the payload has come, unmasked. */
static at_str_t
at_ws_take(at_ws_parser_t *p, uint8_t **pos, const uint8_t *end)
{
    size_t    n;
    at_str_t  piece;

    n = (size_t) (end - *pos);
    n = p->left < n ? p->left : n;

    at_ws_mask(*pos, n, p->head + p->nhead - AT_WS_MASK, p->turn);

    piece.data = (const char *) *pos;
    piece.len = n;

    *pos += n;
    p->left -= n;
    p->turn = (p->turn + n) % AT_WS_MASK;

    return piece;
}


void
at_ws_mask(uint8_t *p, size_t len, const uint8_t mask[4], unsigned turn)
{
    size_t    i;
    uint8_t   bytes[AT_WORD];
    uint64_t  v, word;

    for (i = 0; i < AT_WORD; i++) {
        bytes[i] = mask[(turn + i) % AT_WS_MASK];
    }

    word = at_word_load(bytes);

    for (i = 0; len - i >= AT_WORD; i += AT_WORD) {
        v = at_word_load(p + i) ^ word;
        memcpy(p + i, &v, AT_WORD);
    }

    for ( /* void */ ; i < len; i++) {
        p[i] ^= bytes[i % AT_WORD];
    }
}


int
at_ws_code_valid(unsigned code)
{
    if (code >= 3000) {
        return code <= 4999;
    }

    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
