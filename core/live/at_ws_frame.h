/*
 * Frames of the server: built once, sent to as many sockets as want them.
 *
 * Everything is appended to a buffer of the caller, one whole frame after
 * another, without a mask and never fragmented.  A message that is still to
 * be written goes straight behind the place of its head:
 *
 *     begin = b->len;
 *     at_ws_frame_begin(b);
 *     ... append the payload to b ...
 *     frame = at_ws_frame_end(b, begin, AT_WS_TEXT);
 *
 * Functions return what at_buf_append() does, and append nothing if they fail.
 */

#ifndef AT_WS_FRAME_H
#define AT_WS_FRAME_H


#include "at_ws.h"
#include "at_ws_deflate.h"


#define AT_WS_HEAD_MAX  10      /* bytes before the payload of a frame */


/* Bytes of the head of a payload of len: 2, 4 or 10. */
size_t at_ws_head_size(size_t len);

/* Writes that many; first is the opcode, with AT_WS_RSV1 if compressed. */
void at_ws_head_write(uint8_t *out, unsigned first, size_t len);

/* A whole frame; the payload of a control frame is 125 bytes at most. */
int at_ws_frame(at_buf_t *b, unsigned opcode, at_str_t payload);

/*
 * A Close with a reason, which is valid UTF-8 and is cut at a character where
 * it is too long.  AT_WS_NO_CODE: one with neither.
 */
int at_ws_frame_close(at_buf_t *b, unsigned code, at_str_t reason);

/*
 * A compressed text; AT_WS_AS_IT_IS, and nothing appended, if it gains
 * nothing by that.
 */
int at_ws_frame_deflated(at_buf_t *b, at_ws_deflate_t *d, at_str_t payload);

/*
 * Room for a head of any size, and the frame of all that was appended since.
 * The frame begins up to 8 bytes behind begin; it is good until b grows.
 */
int at_ws_frame_begin(at_buf_t *b);
at_str_t at_ws_frame_end(at_buf_t *b, size_t begin, unsigned first);


#endif /* AT_WS_FRAME_H */
