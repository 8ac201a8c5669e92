/*
 * The normal form of a query's text, and the key of a feed.
 *
 * Texts that a reader takes for the same are made the same bytes.  Most are
 * ASCII and are done in one pass; the others go through utf8proc, in arrays
 * on the stack that hold the longest text it can be given.  Nothing is
 * allocated.
 */

#include <string.h>

#include <utf8proc.h>

#include "at_feed_internal.h"
#include "at_feed_key.h"


/*
 * What is read of a text: composing may make it shorter than this, so there
 * is some room to the bound of the result.  Decomposition makes at most four
 * code points of one, and folding three.
 */
#define AT_FEED_RAW_MAX    (2 * AT_FEED_TEXT_MAX)
#define AT_FEED_WIDE_MAX   (4 * 4 * AT_FEED_RAW_MAX)
#define AT_FEED_RAW_BYTES  (4 * AT_FEED_WIDE_MAX)


/* The byte at *i, decoded; *i moves behind it. */

static uint8_t
at_feed_byte(at_str_t raw, size_t *i)
{
    char    one[3];
    size_t  n;

    if (raw.data[*i] == '+') {
        (*i)++;
        return ' ';
    }

    if (raw.data[*i] == '%' && raw.len - *i > 2
        && at_args_decode((at_str_t) { 3, raw.data + *i }, one) == 1)
    {
        n = 3;

    } else {
        one[0] = raw.data[*i];
        n = 1;
    }

    *i += n;

    return (uint8_t) one[0];
}


/* A blank or a control character before the next one becomes one blank. */

static int
at_feed_normal_ascii(at_str_t raw, char *out, size_t *len)
{
    int      blank;
    size_t   i, n;
    uint8_t  c;

    n = 0;
    blank = 0;

    for (i = 0; i < raw.len; /* void */) {
        c = at_feed_byte(raw, &i);

        if (c >= 0x80) {
            return AT_ERROR;
        }

        if (c <= ' ' || c == 0x7f) {
            blank = n > 0;
            continue;
        }

        if (n + (size_t) blank >= AT_FEED_TEXT_MAX) {
            break;
        }

        if (blank) {
            out[n++] = ' ';
            blank = 0;
        }

        out[n++] = (char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }

    /* A byte behind the cut can be of anything; it must be UTF-8 still. */

    while (i < raw.len) {
        if (at_feed_byte(raw, &i) >= 0x80) {
            return AT_ERROR;
        }
    }

    *len = n;

    return AT_OK;
}


/* 1: a blank; -1: a character that shows nothing; 0: any other. */

static int
at_feed_normal_kind(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t) c)) {

    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return 1;

    case UTF8PROC_CATEGORY_CF:
        /* the joiners are letters in some scripts */
        return c == 0x200C || c == 0x200D ? 0 : -1;

    default:
        return 0;
    }
}


/*
 * Decodes, and squeezes blanks before anything composes.  All bytes have to
 * be UTF-8, also those behind what is kept in out.
 */

static int
at_feed_normal_decode(at_str_t raw, char *out, size_t *len)
{
    int       kind, blank;
    char      c[4];
    size_t    i, n, have, codes, length;
    at_str_t  rest;

    n = 0;
    have = 0;
    codes = 0;
    blank = 0;

    for (i = 0; i < raw.len || have > 0; /* void */) {

        while (have < 4 && i < raw.len) {
            c[have++] = (char) at_feed_byte(raw, &i);
        }

        rest = (at_str_t) { have, c };
        length = at_utf8_sequence(rest);

        if (length == 0) {
            return AT_ERROR;
        }

        kind = at_feed_normal_kind(at_utf8_code(rest));

        if (kind > 0) {
            blank = codes > 0;
        }

        if (kind == 0 && codes + (size_t) blank < AT_FEED_RAW_MAX) {

            if (blank) {
                out[n++] = ' ';
                codes++;
                blank = 0;
            }

            memcpy(out + n, c, length);
            n += length;
            codes++;
        }

        have -= length;
        memmove(c, c + length, have);
    }

    *len = n;

    return AT_OK;
}


/*
 * Unicode's caseless matching: fold what is decomposed, as folding a mark can
 * make a letter, then compose.  text is replaced.
 */

static int
at_feed_normal_map(char *text, size_t *len, utf8proc_option_t options)
{
    utf8proc_ssize_t  rc;
    utf8proc_int32_t  wide[AT_FEED_WIDE_MAX + 1];

    rc = utf8proc_decompose((utf8proc_uint8_t *) text,
                            (utf8proc_ssize_t) *len, wide, AT_FEED_WIDE_MAX,
                            options);

    if (rc < 0 || rc > AT_FEED_WIDE_MAX) {
        return AT_ERROR;
    }

    /* It writes the text over the array, and a NUL. */

    rc = utf8proc_reencode(wide, rc, options);

    if (rc < 0 || rc > AT_FEED_RAW_BYTES) {
        return AT_ERROR;
    }

    memcpy(text, wide, (size_t) rc);
    *len = (size_t) rc;

    return AT_OK;
}


static int
at_feed_normal_unicode(at_str_t raw, char *out, size_t *len)
{
    char      text[AT_FEED_RAW_BYTES];
    size_t    n;
    at_str_t  s;

    if (at_feed_normal_decode(raw, text, &n) != AT_OK
        || at_feed_normal_map(text, &n, UTF8PROC_STABLE
                                        | UTF8PROC_DECOMPOSE) != AT_OK
        || at_feed_normal_map(text, &n, UTF8PROC_STABLE
                                        | UTF8PROC_COMPOSE
                                        | UTF8PROC_CASEFOLD) != AT_OK)
    {
        return AT_ERROR;
    }

    s = at_utf8_cut((at_str_t) { n, text }, AT_FEED_TEXT_MAX);

    while (s.len > 0 && s.data[s.len - 1] == ' ') {
        s.len--;
    }

    memcpy(out, s.data, s.len);
    *len = s.len;

    return AT_OK;
}


int
at_feed_normal(at_str_t raw, char out[AT_FEED_TEXT_BYTES], size_t *len)
{
    if (at_feed_normal_ascii(raw, out, len) == AT_OK) {
        return AT_OK;
    }

    return at_feed_normal_unicode(raw, out, len);
}


static size_t
at_feed_key_add(char *out, size_t n, const char *name, at_str_t value)
{
    size_t  len;

    len = strlen(name);
    memcpy(out + n, name, len);

    if (value.len) {
        memcpy(out + n + len, value.data, value.len);
    }

    return n + len + value.len;
}


size_t
at_feed_args_key(const at_feed_query_t *query, char out[AT_FEED_KEY_MAX])
{
    size_t       n;
    unsigned     i;
    at_str_t     text;
    const char  *name, *before;

    text = query->text;

    if (text.len > AT_FEED_TEXT_BYTES) {
        text.len = AT_FEED_TEXT_BYTES;
    }

    n = at_feed_key_add(out, 0, "q=", text);

    name = at_feed_orientation_name(query->orientation);
    n = at_feed_key_add(out, n, ";o=", (at_str_t) { strlen(name), name });

    name = at_feed_color_name(query->color);
    n = at_feed_key_add(out, n, ";c=", (at_str_t) { strlen(name), name });

    n = at_feed_key_add(out, n, ";s=", AT_STR_NULL);

    if ((query->sources & AT_FEED_ALL) == AT_FEED_ALL) {
        return n;
    }

    before = "";

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if (query->sources & (1u << i)) {
            n = at_feed_key_add(out, n, before, at_feed_source(i)->name);
            before = ",";
        }
    }

    return n;
}
