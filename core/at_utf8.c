/*
 * UTF-8 by RFC 3629 (at_text.h).
 *
 * One function knows the well-formed byte sequences; the others walk with
 * it, and skip ASCII in words (at_words.h).  Lengths the product promises
 * ("10,000 characters") are code points, and no cut made here ever splits
 * one.  Nothing is allocated.
 */

#include "at_text.h"
#include "at_words.h"


static size_t at_utf8_long(const uint8_t *p, size_t len);


size_t
at_utf8_sequence(at_str_t s)
{
    if (s.len == 0) {
        return 0;
    }

    if ((uint8_t) s.data[0] < 0x80) {
        return 1;
    }

    return at_utf8_long((const uint8_t *) s.data, s.len);
}


/* The sequence at p, whose first byte is not ASCII: 2 to 4, or 0. */
static size_t
at_utf8_long(const uint8_t *p, size_t len)
{
    size_t   n, i;
    uint8_t  low, high;

    /*
     * Overlong forms, surrogates and everything above U+10FFFF are excluded
     * by the range of the second byte alone.
     */

    low = 0x80;
    high = 0xBF;

    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        n = 2;

    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        n = 3;
        low = p[0] == 0xE0 ? 0xA0 : 0x80;
        high = p[0] == 0xED ? 0x9F : 0xBF;

    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        n = 4;
        low = p[0] == 0xF0 ? 0x90 : 0x80;
        high = p[0] == 0xF4 ? 0x8F : 0xBF;

    } else {
        return 0;
    }

    if (len < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF) {
            return 0;
        }
    }

    return n;
}


uint32_t
at_utf8_code(at_str_t s)
{
    const uint8_t  *p;

    p = (const uint8_t *) s.data;

    if (p[0] < 0x80) {
        return p[0];
    }

    if (p[0] < 0xE0) {
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }

    if (p[0] < 0xF0) {
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }

    return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12
           | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}


int
at_utf8_valid(at_str_t s)
{
    size_t          n;
    const uint8_t  *p, *end;

    if (s.len == 0) {
        return 1;
    }

    p = (const uint8_t *) s.data;
    end = p + s.len;

    while (p < end) {

        while ((size_t) (end - p) >= AT_WORD
               && (at_word_load(p) & AT_WORD_TOPS) == 0)
        {
            p += AT_WORD;
        }

        /* at a word that has others too, and in the last bytes */

        while (p < end && *p < 0x80) {
            p++;
        }

        while (p < end && *p >= 0x80) {
            n = at_utf8_long(p, (size_t) (end - p));
            if (n == 0) {
                return 0;
            }

            p += n;
        }
    }

    return 1;
}


size_t
at_utf8_count(at_str_t s)
{
    size_t  i, n;

    n = s.len;
    i = 0;

    for ( /* void */ ; s.len - i >= AT_WORD; i += AT_WORD) {
        n -= at_word_inside(at_word_load(s.data + i));
    }

    for ( /* void */ ; i < s.len; i++) {
        n -= (((uint8_t) s.data[i] & 0xC0) == 0x80);
    }

    return n;
}


at_str_t
at_utf8_cut(at_str_t s, size_t n)
{
    size_t  i, begun;

    /* no code point is shorter than a byte */

    if (s.len <= n) {
        return s;
    }

    i = 0;

    for ( /* void */ ; s.len - i >= AT_WORD; i += AT_WORD) {
        begun = AT_WORD - at_word_inside(at_word_load(s.data + i));

        if (begun > n) {
            break;
        }

        n -= begun;
    }

    for ( /* void */ ; i < s.len; i++) {
        if (((uint8_t) s.data[i] & 0xC0) == 0x80) {
            continue;
        }

        if (n == 0) {
            s.len = i;
            break;
        }

        n--;
    }

    return s;
}
