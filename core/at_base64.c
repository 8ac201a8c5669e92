/*
 * Base64 decoded while it arrives (at_text.h).
 *
 * Pictures come this way, megabytes long and in pieces of a few kilobytes,
 * on the event loop: whole quartets are decoded four table look-ups at a
 * time, and only white space, padding and the edges of a piece take the slow
 * way.  The caller owns the decoder and the buffer; nothing else is held.
 */

#include "at_text.h"


#define XX  0x80                /* not in the alphabet */
#define SP  0x81                /* skipped */
#define PD  0x82                /* padding */


static const uint8_t  at_base64_table[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, SP, SP, XX, XX, SP, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    SP, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX, XX, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, PD, XX, XX,
    XX,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, XX,
    XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX
};


static const uint8_t *at_base64_quartets(const uint8_t *p,
    const uint8_t *end, at_buf_t *out);
static int at_base64_char(at_base64_t *d, uint8_t c, at_buf_t *out);


int
at_base64_decode(at_base64_t *d, const uint8_t *in, size_t len,
    at_buf_t *out)
{
    int             rc;
    size_t          want;
    const uint8_t  *p, *end;

    if (len == 0) {
        return AT_OK;
    }

    /*
     * What the piece can decode to at most.  White space in it makes it
     * less, so near the bound only what is left of it is reserved; passing
     * it for real is found below.
     */

    want = len / 4 * 3 + 3;

    if (out->max != 0) {
        if (out->len > out->max) {
            return AT_ERROR;
        }

        if (want > out->max - out->len) {
            want = out->max - out->len;
        }
    }

    rc = at_buf_reserve(out, want);
    if (rc != AT_OK) {
        return rc;
    }

    p = in;
    end = in + len;

    while (p < end) {

        if (d->n == 0 && d->pad == 0) {
            p = at_base64_quartets(p, end, out);

            if (p == end) {
                break;
            }
        }

        rc = at_base64_char(d, at_base64_table[*p++], out);
        if (rc != AT_OK) {
            return rc;
        }
    }

    return AT_OK;
}


int
at_base64_finish(at_base64_t *d, at_buf_t *out)
{
    int      rc;
    uint8_t  tail[2];

    if (d->n == 1 || (d->pad > 0 && d->n + d->pad != 4)) {
        return AT_ERROR;
    }

    rc = AT_OK;

    if (d->n == 2) {
        tail[0] = (uint8_t) (d->bits >> 4);
        rc = at_buf_append(out, tail, 1);

    } else if (d->n == 3) {
        tail[0] = (uint8_t) (d->bits >> 10);
        tail[1] = (uint8_t) (d->bits >> 2);
        rc = at_buf_append(out, tail, 2);
    }

    d->bits = 0;
    d->n = 0;
    d->pad = 0;

    return rc;
}


/*
 * Decodes quartets for as long as they are plain and the reserved room
 * lasts; returns where it stopped.
 */
static const uint8_t *
at_base64_quartets(const uint8_t *p, const uint8_t *end, at_buf_t *out)
{
    size_t    room;
    uint8_t   a, b, c, d, *o;
    uint32_t  v;

    o = out->data + out->len;
    room = out->cap - out->len;

    if (out->max != 0 && room > out->max - out->len) {
        room = out->max - out->len;
    }

    while (end - p >= 4 && room >= 3) {
        a = at_base64_table[p[0]];
        b = at_base64_table[p[1]];
        c = at_base64_table[p[2]];
        d = at_base64_table[p[3]];

        if ((a | b | c | d) & XX) {
            break;
        }

        v = (uint32_t) a << 18 | (uint32_t) b << 12 | (uint32_t) c << 6 | d;

        o[0] = (uint8_t) (v >> 16);
        o[1] = (uint8_t) (v >> 8);
        o[2] = (uint8_t) v;

        o += 3;
        p += 4;
        room -= 3;
    }

    out->len = (size_t) (o - out->data);

    return p;
}


/* One character by its table value. */
static int
at_base64_char(at_base64_t *d, uint8_t value, at_buf_t *out)
{
    uint8_t  bytes[3];

    if (value == SP) {
        return AT_OK;
    }

    if (value == PD) {
        if (d->n < 2 || d->n + d->pad == 4) {
            return AT_ERROR;
        }

        d->pad++;

        return AT_OK;
    }

    if (value == XX || d->pad > 0) {
        return AT_ERROR;
    }

    d->bits = d->bits << 6 | value;
    d->n++;

    if (d->n < 4) {
        return AT_OK;
    }

    bytes[0] = (uint8_t) (d->bits >> 16);
    bytes[1] = (uint8_t) (d->bits >> 8);
    bytes[2] = (uint8_t) d->bits;

    d->bits = 0;
    d->n = 0;

    return at_buf_append(out, bytes, 3);
}
