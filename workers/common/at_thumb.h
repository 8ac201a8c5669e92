/*
 * Grey pixels of a thumbnail, decoded within bounds.
 *
 * What comes here was fetched from somewhere: bytes, pixels and processor
 * time are bounded, and a picture past one of them is refused, not cut.  JPEG
 * is decoded at the smallest scale that keeps both sides at 64 pixels, and
 * without its colours; WebP is scaled while it is decoded.
 *
 * Not reentrant over forks, but every call is independent of the others: the
 * caller owns the result.
 */

#ifndef AT_THUMB_H
#define AT_THUMB_H


#include "at.h"


#define AT_THUMB_BYTES   (1024 * 1024)
#define AT_THUMB_PIXELS  (4 * 1024 * 1024)
#define AT_THUMB_MS      50             /* what the worker grants */
#define AT_THUMB_SIDE    64             /* pixels kept, if there are so many */


typedef struct {
    uint8_t  *grey;                     /* rows without a gap */
    size_t    width;
    size_t    height;
} at_thumb_t;


/*
 * JPEG, PNG or WebP by their first bytes, in so many ms of this thread's
 * processor time.  AT_ERROR: *why says what is wrong in a short static text;
 * AT_NO_MEMORY.  Transparent parts are white.
 */
int at_thumb_decode(at_str_t picture, unsigned ms, at_thumb_t *thumb,
    const char **why);
void at_thumb_free(at_thumb_t *thumb);


#endif /* AT_THUMB_H */
