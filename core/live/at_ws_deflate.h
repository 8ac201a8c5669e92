/*
 * permessage-deflate (RFC 7692) without context takeover, over zlib.
 *
 * As no message depends on an earlier one, a process needs one compressor and
 * one inflater for all its sockets, and a compressed message is the same for
 * every reader.  Both are created once; their owner frees them.
 *
 * A reader may ask that distances stay within a window smaller than zlib's.
 * A message no longer than that window cannot break it, so it gets the same
 * bytes as all, and longer ones as they are: at_ws_deflate_fits().
 */

#ifndef AT_WS_DEFLATE_H
#define AT_WS_DEFLATE_H


#include "at.h"


#define AT_WS_DEFLATE_MIN   128     /* bytes; less is not worth the work */
#define AT_WS_WINDOW_MIN    8       /* bits, as the extension has them */
#define AT_WS_WINDOW_MAX    15

#define AT_WS_LONGER        1       /* inflated it would pass the bound */
#define AT_WS_AS_IT_IS      1       /* compressing it saves nothing */


typedef struct at_ws_deflate_s  at_ws_deflate_t;
typedef struct at_ws_inflate_s  at_ws_inflate_t;


/* NULL without memory. */
at_ws_deflate_t *at_ws_deflate_create(void);
void at_ws_deflate_free(at_ws_deflate_t *d);

/*
 * Appends the compressed message to out, or nothing and returns
 * AT_WS_AS_IT_IS if it is short or does not shrink; AT_ERROR if out is full,
 * or AT_NO_MEMORY.
 */
int at_ws_deflate(at_ws_deflate_t *d, at_str_t message, at_buf_t *out);

/* 1: a reader with a window of that many bits can take it compressed. */
static inline int
at_ws_deflate_fits(unsigned bits, size_t len)
{
    return len <= (size_t) 1 << bits;
}


at_ws_inflate_t *at_ws_inflate_create(void);
void at_ws_inflate_free(at_ws_inflate_t *i);

/*
 * The message of at most max bytes that data is the compressed form of; it is
 * good until the next call.  max is far below SIZE_MAX.  AT_WS_LONGER: it
 * would be more, of which max + 1 bytes were made; AT_ERROR: it is no such
 * form; or AT_NO_MEMORY.
 */
int at_ws_inflate(at_ws_inflate_t *i, at_str_t data, size_t max,
    at_str_t *message);

/* As many bytes as any compressor in use makes of a message of max. */
static inline size_t
at_ws_deflate_bound(size_t max)
{
    /* codes of 9 bits for bytes of 8, and blocks with their heads */

    return max > SIZE_MAX / 2 ? max : max + max / 7 + 64;
}


#endif /* AT_WS_DEFLATE_H */
