/*
 * Incremental UTF-8 (at_ws_utf8.h).
 *
 * The state is the range of the next byte: the first byte of a sequence
 * narrows that of the second, which excludes overlong forms, surrogates and
 * all above U+10FFFF; every later one is 80 to BF.  ASCII is skipped in words.
 */

#include "at_words.h"
#include "at_ws_utf8.h"


static int at_ws_utf8_first(at_ws_utf8_t *u, uint8_t c);


int
at_ws_utf8(at_ws_utf8_t *u, const uint8_t *p, size_t len)
{
    const uint8_t  *end;

    if (len == 0) {
        return AT_OK;
    }

    end = p + len;

    while (p < end) {

        if (u->left > 0) {

            if (*p < u->low || *p > u->high) {
                return AT_ERROR;
            }

            u->left--;
            u->low = 0x80;
            u->high = 0xBF;
            p++;
            continue;
        }

        while ((size_t) (end - p) >= AT_WORD
               && (at_word_load(p) & AT_WORD_TOPS) == 0)
        {
            p += AT_WORD;
        }

        while (p < end && *p < 0x80) {
            p++;
        }

        if (p < end && at_ws_utf8_first(u, *p++) != AT_OK) {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


/* c, which is not ASCII, begins a sequence. */
static int
at_ws_utf8_first(at_ws_utf8_t *u, uint8_t c)
{
    u->low = 0x80;
    u->high = 0xBF;

    if (c >= 0xC2 && c <= 0xDF) {
        u->left = 1;

    } else if (c >= 0xE0 && c <= 0xEF) {
        u->left = 2;
        u->low = c == 0xE0 ? 0xA0 : 0x80;
        u->high = c == 0xED ? 0x9F : 0xBF;

    } else if (c >= 0xF0 && c <= 0xF4) {
        u->left = 3;
        u->low = c == 0xF0 ? 0x90 : 0x80;
        u->high = c == 0xF4 ? 0x8F : 0xBF;

    } else {
        return AT_ERROR;
    }

    return AT_OK;
}
