/*
 * Decodes the inside of a JSON string (at_json_string.h).
 *
 * yajl decodes strings too, but keeps a partial one and scans it again with
 * every piece, and it turns an unpaired surrogate into a question mark that
 * nobody can tell from a real one.  Called by at_json.c between two quotes;
 * nothing is allocated.
 */

#include "at_json_string.h"
#include "at_words.h"

#ifdef __x86_64__
#include <emmintrin.h>
#endif


static const uint8_t *at_json_string_plain(const uint8_t *p,
    const uint8_t *end);
static int at_json_string_escape(at_json_string_t *s, uint8_t c);
static int at_json_string_hex(at_json_string_t *s, uint8_t c);
static int at_json_string_high(at_json_string_t *s);
static int at_json_string_code(at_json_string_t *s, uint32_t code);
static int at_json_string_fail(at_json_string_t *s, const char *why);


void
at_json_string_open(at_json_string_t *s)
{
    s->error = NULL;
    s->closed = 0;
    s->escape = AT_JSON_PLAIN;
    s->high = 0;
}


const uint8_t *
at_json_string_read(at_json_string_t *s, const uint8_t *p,
    const uint8_t *end)
{
    int             last;
    const uint8_t  *run;

    while (p < end) {

        if (s->escape != AT_JSON_PLAIN) {
            if (at_json_string_escape(s, *p++) != AT_OK) {
                return NULL;
            }

            continue;
        }

        if (*p == '\\') {
            s->escape = AT_JSON_BACKSLASH;
            p++;
            continue;
        }

        if (at_json_string_high(s) != AT_OK) {
            return NULL;
        }

        run = p;
        p = at_json_string_plain(p, end);

        if (p < end && *p < 0x20) {
            (void) at_json_string_fail(s, "not valid JSON: a control "
                                          "character in a string");
            return NULL;
        }

        last = (p < end && *p == '"');

        if (s->piece(s->ctx, run, (size_t) (p - run), last) != AT_OK) {
            return NULL;
        }

        if (last) {
            s->closed = 1;
            return p + 1;
        }
    }

    return p;
}


/*
 * The first quote, backslash or control character.  Megabytes of base64 pass
 * here, so 16 bytes at a time where every processor of the kind can.
 */
static const uint8_t *
at_json_string_plain(const uint8_t *p, const uint8_t *end)
{
    uint64_t  v;
#ifdef __x86_64__
    __m128i   w, found;

    while (end - p >= 16) {
        w = _mm_loadu_si128((const __m128i *) p);

        /* there is no unsigned "below": a byte is if the maximum is 0x1F */

        found = _mm_cmpeq_epi8(_mm_max_epu8(w, _mm_set1_epi8(0x1F)),
                               _mm_set1_epi8(0x1F));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(w, _mm_set1_epi8('"')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(w, _mm_set1_epi8('\\')));

        if (_mm_movemask_epi8(found) != 0) {
            break;
        }

        p += 16;
    }
#endif

    while ((size_t) (end - p) >= AT_WORD) {
        v = at_word_load(p);

        if (at_word_below(v, 0x20) | at_word_equal(v, '"')
            | at_word_equal(v, '\\'))
        {
            break;
        }

        p += AT_WORD;
    }

    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) {
        p++;
    }

    return p;
}


/* A byte behind a backslash. */
static int
at_json_string_escape(at_json_string_t *s, uint8_t c)
{
    if (s->escape == AT_JSON_HEX) {
        return at_json_string_hex(s, c);
    }

    if (c == 'u') {
        s->escape = AT_JSON_HEX;
        s->digits = 4;
        s->unit = 0;
        return AT_OK;
    }

    switch (c) {

    case '"':
    case '\\':
    case '/':
        break;

    case 'b':
        c = '\b';
        break;

    case 'f':
        c = '\f';
        break;

    case 'n':
        c = '\n';
        break;

    case 'r':
        c = '\r';
        break;

    case 't':
        c = '\t';
        break;

    default:
        return at_json_string_fail(s, "not valid JSON: an unknown escape "
                                      "in a string");
    }

    s->escape = AT_JSON_PLAIN;

    if (at_json_string_high(s) != AT_OK) {
        return AT_ERROR;
    }

    return at_json_string_code(s, c);
}


/* A digit of \uXXXX. */
static int
at_json_string_hex(at_json_string_t *s, uint8_t c)
{
    uint32_t  code;

    if (c >= '0' && c <= '9') {
        c -= '0';

    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
        c = (c | 0x20) - 'a' + 10;

    } else {
        return at_json_string_fail(s, "not valid JSON: a \\u escape "
                                      "without four digits");
    }

    s->unit = s->unit << 4 | c;

    if (--s->digits > 0) {
        return AT_OK;
    }

    s->escape = AT_JSON_PLAIN;

    if (s->high != 0 && s->unit >= 0xDC00 && s->unit <= 0xDFFF) {
        code = 0x10000 + ((s->high - 0xD800) << 10) + (s->unit - 0xDC00);
        s->high = 0;
        return at_json_string_code(s, code);
    }

    if (at_json_string_high(s) != AT_OK) {
        return AT_ERROR;
    }

    if (s->unit >= 0xD800 && s->unit <= 0xDBFF) {
        s->high = s->unit;
        return AT_OK;
    }

    return at_json_string_code(s, s->unit);
}


/* No low surrogate came for the high one. */
static int
at_json_string_high(at_json_string_t *s)
{
    uint32_t  code;

    if (s->high == 0) {
        return AT_OK;
    }

    code = s->high;
    s->high = 0;

    return at_json_string_code(s, code);
}


/*
 * A code point in UTF-8.  A lone surrogate becomes three bytes too: no UTF-8
 * check lets them pass, so whoever cares finds out.
 */
static int
at_json_string_code(at_json_string_t *s, uint32_t code)
{
    size_t   n;
    uint8_t  b[4];

    if (code < 0x80) {
        b[0] = (uint8_t) code;
        n = 1;

    } else if (code < 0x800) {
        b[0] = (uint8_t) (0xC0 | code >> 6);
        b[1] = (uint8_t) (0x80 | (code & 0x3F));
        n = 2;

    } else if (code < 0x10000) {
        b[0] = (uint8_t) (0xE0 | code >> 12);
        b[1] = (uint8_t) (0x80 | (code >> 6 & 0x3F));
        b[2] = (uint8_t) (0x80 | (code & 0x3F));
        n = 3;

    } else {
        b[0] = (uint8_t) (0xF0 | code >> 18);
        b[1] = (uint8_t) (0x80 | (code >> 12 & 0x3F));
        b[2] = (uint8_t) (0x80 | (code >> 6 & 0x3F));
        b[3] = (uint8_t) (0x80 | (code & 0x3F));
        n = 4;
    }

    return s->piece(s->ctx, b, n, 0);
}


static int
at_json_string_fail(at_json_string_t *s, const char *why)
{
    s->error = why;

    return AT_ERROR;
}
