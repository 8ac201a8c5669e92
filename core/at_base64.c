/*
 * Base64 decoded while it arrives (at_text.h).
 *
 * Pictures come this way, megabytes long and in pieces of a few kilobytes,
 * on the event loop: whole quartets are decoded four table look-ups at a
 * time, or four at once with the vectors that every processor of the kind
 * has, and only white space, padding and the edges of a piece take the slow
 * way.  The caller owns the decoder and the buffer; nothing else is held.
 */

#include <string.h>

#include "at_text.h"

#ifdef __x86_64__
#include <emmintrin.h>
#endif


#define XX  0x80                /* not in the alphabet */
#define SP  0x81                /* skipped */
#define PD  0x82                /* padding */


#ifdef __x86_64__

#define AT_BASE64_STORED  14    /* bytes */

/* The value where the characters are from lo to hi, else 0. */
#define at_base64_range(c, lo, hi, value)                                    \
    _mm_and_si128(_mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8((lo) - 1)),  \
                                _mm_cmplt_epi8(c, _mm_set1_epi8((hi) + 1))), \
                  _mm_set1_epi8(value))

#endif


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
#ifdef __x86_64__
static int at_base64_sixteen(const uint8_t *p, uint8_t *o);
#endif
static int at_base64_char(at_base64_t *d, uint8_t value, at_buf_t *out);


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

#ifdef __x86_64__
    while (end - p >= 16 && room >= AT_BASE64_STORED) {

        if (at_base64_sixteen(p, o) != AT_OK) {
            break;
        }

        o += 12;
        p += 16;
        room -= 12;
    }
#endif

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


#ifdef __x86_64__

/*
 * Decodes 16 characters if all are of the alphabet.  What is behind the 12
 * bytes at o is overwritten as far as AT_BASE64_STORED.
 */
static int
at_base64_sixteen(const uint8_t *p, uint8_t *o)
{
    __m128i   c, add;
    uint64_t  v;

    c = _mm_loadu_si128((const __m128i *) p);

    /*
     * What is to be added to a character to make it its value; it is 0 for
     * none of the alphabet, so 0 says that the character is another.
     */

    add = at_base64_range(c, 'A', 'Z', -'A');
    add = _mm_or_si128(add, at_base64_range(c, 'a', 'z', 26 - 'a'));
    add = _mm_or_si128(add, at_base64_range(c, '0', '9', 52 - '0'));
    add = _mm_or_si128(add, at_base64_range(c, '+', '+', 62 - '+'));
    add = _mm_or_si128(add, at_base64_range(c, '/', '/', 63 - '/'));

    if (_mm_movemask_epi8(_mm_cmpeq_epi8(add, _mm_setzero_si128())) != 0) {
        return AT_ERROR;
    }

    c = _mm_add_epi8(c, add);

    /* two values to 12 bits in every 16, those to 24 bits in every 32 */

    c = _mm_or_si128(_mm_slli_epi16(_mm_and_si128(c, _mm_set1_epi16(0xFF)),
                                    6),
                     _mm_srli_epi16(c, 8));
    c = _mm_madd_epi16(c, _mm_set1_epi32(0x00011000));

    /* the first 24 bits are in the lower half of v and go in front */

    v = (uint64_t) _mm_cvtsi128_si64(c);
    v = __builtin_bswap64(v << 40 | v >> 32 << 16);
    memcpy(o, &v, 8);

    v = (uint64_t) _mm_cvtsi128_si64(_mm_unpackhi_epi64(c, c));
    v = __builtin_bswap64(v << 40 | v >> 32 << 16);
    memcpy(o + 6, &v, 8);

    return AT_OK;
}

#endif


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
