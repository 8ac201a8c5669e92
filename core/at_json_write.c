/*
 * The writing side of at_json.h: a JSON string made of any bytes.
 *
 * Prompts and the words of providers go into requests, answers and logs
 * through here, so the output is valid JSON and valid UTF-8 whatever comes
 * in.  The caller owns the buffer.
 */

#include "at_json.h"
#include "at_text.h"
#include "at_words.h"


static const uint8_t *at_json_write_plain(const uint8_t *p,
    const uint8_t *end);
static int at_json_write_escaped(at_buf_t *b, uint8_t c);


int
at_json_write_string(at_buf_t *b, at_str_t s)
{
    size_t          start;
    const uint8_t  *p, *end, *run;

    start = b->len;

    /* all at once: nothing is shorter when it is written */

    if (s.len > SIZE_MAX - 2 || at_buf_reserve(b, s.len + 2) != AT_OK) {
        return AT_ERROR;
    }

    b->data[b->len++] = '"';

    run = (const uint8_t *) s.data;
    end = s.len > 0 ? run + s.len : run;

    for ( ;; ) {
        p = at_json_write_plain(run, end);

        if (at_buf_append(b, run, (size_t) (p - run)) != AT_OK) {
            goto failed;
        }

        if (p == end) {
            break;
        }

        if ((*p < 0x80 ? at_json_write_escaped(b, *p)
                       : at_buf_append(b, "\xEF\xBF\xBD", 3)) != AT_OK)
        {
            goto failed;
        }

        run = p + 1;
    }

    if (at_buf_append(b, "\"", 1) == AT_OK) {
        return AT_OK;
    }

failed:

    /* half a string is of no use to anybody */

    b->len = start;

    return AT_ERROR;
}


/* The first byte that cannot stand in a string as it is. */
static const uint8_t *
at_json_write_plain(const uint8_t *p, const uint8_t *end)
{
    size_t          n;
    uint64_t        v;
    const uint8_t  *stop;

    while (p < end) {
        stop = end;

        if ((size_t) (end - p) >= AT_WORD) {
            v = at_word_load(p);
            stop = p + AT_WORD;

            if (((v & AT_WORD_TOPS) | at_word_below(v, 0x20)
                 | at_word_equal(v, '"') | at_word_equal(v, '\\')) == 0)
            {
                p = stop;
                continue;
            }
        }

        while (p < stop) {
            n = 1;

            if (*p >= 0x80) {
                n = at_utf8_sequence((at_str_t) { (size_t) (end - p),
                                                  (const char *) p });
                if (n == 0) {
                    return p;
                }

            } else if (*p < 0x20 || *p == '"' || *p == '\\') {
                return p;
            }

            p += n;
        }
    }

    return p;
}


static int
at_json_write_escaped(at_buf_t *b, uint8_t c)
{
    switch (c) {

    case '"':
        return at_buf_append(b, "\\\"", 2);

    case '\\':
        return at_buf_append(b, "\\\\", 2);

    case '\n':
        return at_buf_append(b, "\\n", 2);

    case '\r':
        return at_buf_append(b, "\\r", 2);

    case '\t':
        return at_buf_append(b, "\\t", 2);

    default:
        return at_buf_printf(b, "\\u%04x", c);
    }
}
