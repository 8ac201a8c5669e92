/*
 * Building frames (at_ws_frame.h).  Nothing is kept.
 */

#include <string.h>

#include "at_text.h"
#include "at_ws_frame.h"


#define AT_WS_LENGTH16  126
#define AT_WS_LENGTH64  127


size_t
at_ws_head_size(size_t len)
{
    if (len < AT_WS_LENGTH16) {
        return 2;
    }

    return len <= UINT16_MAX ? 4 : AT_WS_HEAD_MAX;
}


void
at_ws_head_write(uint8_t *out, unsigned first, size_t len)
{
    size_t    i, size;
    uint64_t  left;

    size = at_ws_head_size(len);

    out[0] = (uint8_t) (AT_WS_FIN | first);

    if (size == 2) {
        out[1] = (uint8_t) len;
        return;
    }

    out[1] = size == 4 ? AT_WS_LENGTH16 : AT_WS_LENGTH64;
    left = len;

    for (i = size - 1; i > 1; i--) {
        out[i] = (uint8_t) left;
        left >>= 8;
    }
}


int
at_ws_frame(at_buf_t *b, unsigned opcode, at_str_t payload)
{
    int      rc;
    size_t   size;
    uint8_t  head[AT_WS_HEAD_MAX];

    if ((opcode & AT_WS_CONTROL) && payload.len > AT_WS_CONTROL_MAX) {
        return AT_ERROR;
    }

    size = at_ws_head_size(payload.len);

    if (payload.len > SIZE_MAX - size) {
        return AT_ERROR;
    }

    rc = at_buf_reserve(b, size + payload.len);
    if (rc != AT_OK) {
        return rc;
    }

    at_ws_head_write(head, opcode, payload.len);

    (void) at_buf_append(b, head, size);
    (void) at_buf_append_str(b, payload);

    return AT_OK;
}


int
at_ws_frame_close(at_buf_t *b, unsigned code, at_str_t reason)
{
    uint8_t   bytes[AT_WS_CONTROL_MAX];
    at_str_t  payload;

    if (code == AT_WS_NO_CODE) {
        return at_ws_frame(b, AT_WS_CLOSE, AT_STR_NULL);
    }

    if (reason.len > AT_WS_REASON_MAX) {
        reason.len = AT_WS_REASON_MAX;

        /* the first byte that is left out begins a character */

        while (reason.len > 0
               && ((uint8_t) reason.data[reason.len] & 0xC0) == 0x80)
        {
            reason.len--;
        }
    }

    bytes[0] = (uint8_t) (code >> 8);
    bytes[1] = (uint8_t) code;

    if (reason.len > 0) {
        memcpy(bytes + 2, reason.data, reason.len);
    }

    payload.data = (const char *) bytes;
    payload.len = 2 + reason.len;

    return at_ws_frame(b, AT_WS_CLOSE, payload);
}


int
at_ws_frame_deflated(at_buf_t *b, at_ws_deflate_t *d, at_str_t payload)
{
    int       rc;
    size_t    begin;
    at_str_t  frame;

    begin = b->len;

    rc = at_ws_frame_begin(b);
    if (rc != AT_OK) {
        return rc;
    }

    rc = at_ws_deflate(d, payload, b);
    if (rc != AT_OK) {
        b->len = begin;
        return rc;
    }

    frame = at_ws_frame_end(b, begin, AT_WS_TEXT | AT_WS_RSV1);

    /* here frames stand side by side */

    memmove(b->data + begin, frame.data, frame.len);
    b->len = begin + frame.len;

    return AT_OK;
}


int
at_ws_frame_begin(at_buf_t *b)
{
    static const uint8_t  head[AT_WS_HEAD_MAX];

    return at_buf_append(b, head, AT_WS_HEAD_MAX);
}


at_str_t
at_ws_frame_end(at_buf_t *b, size_t begin, unsigned first)
{
    size_t    len, skip;
    at_str_t  frame;

    len = b->len - begin - AT_WS_HEAD_MAX;
    skip = AT_WS_HEAD_MAX - at_ws_head_size(len);

    at_ws_head_write(b->data + begin + skip, first, len);

    frame.data = (const char *) b->data + begin + skip;
    frame.len = b->len - begin - skip;

    return frame;
}
