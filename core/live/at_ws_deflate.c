/*
 * Messages compressed and inflated (at_ws_deflate.h); the one file that knows
 * zlib.
 *
 * A message on the wire is a raw deflate stream that is flushed to a whole
 * byte, without the four bytes that flushing ends with.
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "at_ws_deflate.h"


/*
 * Level 6 at less than zlib's usual memory: deflateReset() clears the hash
 * table, which for messages of some hundred bytes would cost more than they
 * do.
 */
#define AT_WS_LEVEL      6
#define AT_WS_MEMORY     5

#define AT_WS_OUT        4096       /* bytes by which the output grows first */
#define AT_WS_OUT_KEPT   65536      /* a larger buffer is given back */

#define AT_WS_AT_BLOCK   128        /* data_type: between two blocks */


static const uint8_t  at_ws_tail[4] = { 0x00, 0x00, 0xFF, 0xFF };


struct at_ws_deflate_s {
    z_stream  z;
};


struct at_ws_inflate_s {
    z_stream  z;
    at_buf_t  out;
    unsigned  ended:1;          /* by the sender, and nothing came since */
};


static int at_ws_inflate_piece(at_ws_inflate_t *i, const uint8_t *p,
    size_t len, size_t max);
static int at_ws_inflate_step(at_ws_inflate_t *i, size_t max);


at_ws_deflate_t *
at_ws_deflate_create(void)
{
    at_ws_deflate_t  *d;

    d = calloc(1, sizeof(at_ws_deflate_t));
    if (d == NULL) {
        return NULL;
    }

    if (deflateInit2(&d->z, AT_WS_LEVEL, Z_DEFLATED, -AT_WS_WINDOW_MAX,
                     AT_WS_MEMORY, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        free(d);
        return NULL;
    }

    return d;
}


void
at_ws_deflate_free(at_ws_deflate_t *d)
{
    if (d != NULL) {
        (void) deflateEnd(&d->z);
        free(d);
    }
}


int
at_ws_deflate(at_ws_deflate_t *d, at_str_t message, at_buf_t *out)
{
    int     rc;
    size_t  room;

    if (message.len < AT_WS_DEFLATE_MIN || message.len > INT_MAX) {
        return AT_WS_AS_IT_IS;
    }

    /*
     * Room for one byte less than it has and the tail: what does not fit has
     * not shrunk.
     */

    room = message.len - 1 + sizeof(at_ws_tail);

    rc = at_buf_reserve(out, room);
    if (rc != AT_OK) {
        return rc;
    }

    (void) deflateReset(&d->z);

    /* zlib's own type is not const everywhere; it only reads */

    d->z.next_in = (Bytef *) (uintptr_t) message.data;
    d->z.avail_in = (uInt) message.len;
    d->z.next_out = out->data + out->len;
    d->z.avail_out = (uInt) room;

    (void) deflate(&d->z, Z_SYNC_FLUSH);

    /* with no room left the flush may not be complete */

    if (d->z.avail_in > 0 || d->z.avail_out == 0) {
        return AT_WS_AS_IT_IS;
    }

    out->len += room - d->z.avail_out - sizeof(at_ws_tail);

    return AT_OK;
}


at_ws_inflate_t *
at_ws_inflate_create(void)
{
    at_ws_inflate_t  *i;

    i = calloc(1, sizeof(at_ws_inflate_t));
    if (i == NULL) {
        return NULL;
    }

    if (inflateInit2(&i->z, -AT_WS_WINDOW_MAX) != Z_OK) {
        free(i);
        return NULL;
    }

    return i;
}


void
at_ws_inflate_free(at_ws_inflate_t *i)
{
    if (i != NULL) {
        (void) inflateEnd(&i->z);
        at_buf_free(&i->out);
        free(i);
    }
}


int
at_ws_inflate(at_ws_inflate_t *i, at_str_t data, size_t max,
    at_str_t *message)
{
    int  rc;

    if (i->out.cap > AT_WS_OUT_KEPT) {
        at_buf_free(&i->out);
    }

    i->out.len = 0;
    i->ended = (data.len == 0);
    (void) inflateReset(&i->z);

    rc = at_ws_inflate_piece(i, (const uint8_t *) data.data, data.len, max);

    /*
     * The tail completes a block, or the data stops in the middle of one.
     * Where none was begun there is nothing to complete, though a careful
     * sender has an empty one there.
     */

    if (rc == AT_OK && !i->ended) {
        rc = at_ws_inflate_piece(i, at_ws_tail, sizeof(at_ws_tail), max);

        if (rc == AT_OK && (i->z.data_type & AT_WS_AT_BLOCK) == 0) {
            rc = AT_ERROR;
        }
    }

    if (rc != AT_OK) {
        return rc;
    }

    *message = at_buf_str(&i->out);

    return AT_OK;
}


static int
at_ws_inflate_piece(at_ws_inflate_t *i, const uint8_t *p, size_t len,
    size_t max)
{
    int  rc;

    if (len > UINT_MAX) {
        return AT_WS_LONGER;
    }

    i->z.next_in = (Bytef *) (uintptr_t) p;
    i->z.avail_in = (uInt) len;

    while (i->z.avail_in > 0) {
        rc = at_ws_inflate_step(i, max);

        if (rc != AT_OK) {
            return rc;
        }
    }

    return AT_OK;
}


/* One call of zlib, into whatever room there is. */
static int
at_ws_inflate_step(at_ws_inflate_t *i, size_t max)
{
    int        rc;
    size_t     room;
    at_buf_t  *out;

    out = &i->out;

    /* a byte above max shows that there is more */

    room = out->cap - out->len;

    if (room == 0) {
        rc = at_buf_reserve(out, out->len == 0 ? AT_WS_OUT : 1);
        if (rc != AT_OK) {
            return AT_NO_MEMORY;
        }

        room = out->cap - out->len;
    }

    if (room > max + 1 - out->len) {
        room = max + 1 - out->len;
    }

    if (room > INT_MAX) {
        room = INT_MAX;
    }

    i->z.next_out = out->data + out->len;
    i->z.avail_out = (uInt) room;

    rc = inflate(&i->z, Z_SYNC_FLUSH);

    out->len += room - i->z.avail_out;

    if (out->len > max) {
        return AT_WS_LONGER;
    }

    if (rc == Z_STREAM_END) {

        /* the sender ended its stream; what follows is another */

        i->ended = 1;
        (void) inflateReset(&i->z);
        return AT_OK;
    }

    i->ended = 0;

    if (rc == Z_MEM_ERROR) {
        return AT_NO_MEMORY;
    }

    /* there was input and room, so it is Z_BUF_ERROR for nobody */

    return rc == Z_OK ? AT_OK : AT_ERROR;
}
