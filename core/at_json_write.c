/*
 * The writing side of at_json.h: a JSON string made of any bytes.
 *
 * Prompts and the words of providers go into requests, answers and logs
 * through here, so the output is valid JSON and valid UTF-8 whatever comes
 * in.  The caller owns the buffer.
 */

#include "at_json.h"
#include "at_text.h"


static int at_json_write_escaped(at_buf_t *b, uint8_t c);


int
at_json_write_string(at_buf_t *b, at_str_t s)
{
    size_t    n, start;
    uint8_t   c;
    at_str_t  run, rest;

    start = b->len;

    if (at_buf_append(b, "\"", 1) != AT_OK) {
        return AT_ERROR;
    }

    run.data = s.data;
    run.len = 0;

    rest = s;

    while (rest.len > 0) {
        c = (uint8_t) *rest.data;
        n = at_utf8_sequence(rest);

        if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
            run.len += n;
            rest.data += n;
            rest.len -= n;
            continue;
        }

        if (at_buf_append_str(b, run) != AT_OK
            || (n == 0 ? at_buf_append(b, "\xEF\xBF\xBD", 3)
                       : at_json_write_escaped(b, c)) != AT_OK)
        {
            goto failed;
        }

        rest.data++;
        rest.len--;

        run.data = rest.data;
        run.len = 0;
    }

    if (at_buf_append_str(b, run) == AT_OK
        && at_buf_append(b, "\"", 1) == AT_OK)
    {
        return AT_OK;
    }

failed:

    /* half a string is of no use to anybody */

    b->len = start;

    return AT_ERROR;
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
