/*
 * UTF-8 (RFC 3629) checked while it arrives, failing at the first byte that
 * no valid text has there.
 *
 * at_utf8_valid() answers for a whole text; a message that comes in fragments
 * is to be refused before its end, and a fragment may end inside a sequence.
 * Zero-initialise the state; it holds no memory.
 */

#ifndef AT_WS_UTF8_H
#define AT_WS_UTF8_H


#include "at.h"


typedef struct {
    uint8_t  left;              /* bytes of the sequence still to come */
    uint8_t  low;               /* between these is the next of them */
    uint8_t  high;
} at_ws_utf8_t;


/* AT_ERROR: not UTF-8; the state is of no use then. */
int at_ws_utf8(at_ws_utf8_t *u, const uint8_t *p, size_t len);

/* 1: the text may end here. */
static inline int
at_ws_utf8_whole(const at_ws_utf8_t *u)
{
    return u->left == 0;
}


#endif /* AT_WS_UTF8_H */
