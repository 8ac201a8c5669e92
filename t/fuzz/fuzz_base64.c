/*
 * at_base64: whole or in pieces, a text gives what a plain reading of it here
 * gives; an output that is full is an error and is not passed; what is
 * encoded decodes to itself.
 */

#include "fuzz.h"
#include "at_text.h"


static const char  fuzz_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


static int
fuzz_decode(at_str_t text, unsigned how, size_t max, at_buf_t *out)
{
    int          rc;
    size_t       i, n, state;
    at_base64_t  d;

    memset(&d, 0, sizeof(at_base64_t));
    memset(out, 0, sizeof(at_buf_t));
    out->max = max;
    state = 0;

    for (i = 0; i < text.len; i += n) {
        n = fuzz_piece(how, &state, text.len - i);
        rc = at_base64_decode(&d, (const uint8_t *) text.data + i, n, out);

        FUZZ_CHECK(max == 0 || out->len <= max);

        if (rc != AT_OK) {
            return rc;
        }
    }

    rc = at_base64_finish(&d, out);
    FUZZ_CHECK(max == 0 || out->len <= max);

    return rc;
}


static void
fuzz_same(at_str_t text, size_t max)
{
    int       rc;
    unsigned  how;
    at_buf_t  whole, other;

    rc = fuzz_decode(text, 0, max, &whole);

    for (how = 1; how <= 3; how++) {
        FUZZ_CHECK(fuzz_decode(text, how, max, &other) == rc);

        if (rc == AT_OK) {
            FUZZ_CHECK(at_str_eq(at_buf_str(&whole), at_buf_str(&other)));
        }

        at_buf_free(&other);
    }

    at_buf_free(&whole);
}


/*
 * The characters of text without white space and padding, as the six bits
 * each of them stands for; AT_ERROR: it is no base64.
 */

static int
fuzz_read(at_str_t text, at_buf_t *six)
{
    size_t       i, pad;
    uint8_t      value;
    const char  *c;

    pad = 0;

    for (i = 0; i < text.len; i++) {
        if (memchr(" \t\r\n", text.data[i], 4)) {
            continue;
        }

        if (text.data[i] == '=') {
            pad++;
            continue;
        }

        c = memchr(fuzz_alphabet, text.data[i], 64);
        if (c == NULL || pad) {
            return AT_ERROR;
        }

        value = (uint8_t) (c - fuzz_alphabet);
        FUZZ_CHECK(at_buf_append(six, &value, 1) == AT_OK);
    }

    if (six->len % 4 == 1) {
        return AT_ERROR;
    }

    return pad == 0 || (six->len % 4 && six->len % 4 + pad == 4)
           ? AT_OK : AT_ERROR;
}


static void
fuzz_right(at_str_t text)
{
    int       rc;
    size_t    i, bit;
    at_buf_t  six, out;

    memset(&six, 0, sizeof(at_buf_t));

    rc = fuzz_decode(text, 0, 0, &out);
    FUZZ_CHECK((rc == AT_OK) == (fuzz_read(text, &six) == AT_OK));

    if (rc == AT_OK) {
        FUZZ_CHECK(out.len == six.len * 6 / 8);

        for (i = 0; i < out.len * 8; i++) {
            bit = six.data[i / 6] >> (5 - i % 6) & 1;
            FUZZ_CHECK((out.data[i / 8] >> (7 - i % 8) & 1u) == bit);
        }
    }

    at_buf_free(&six);
    at_buf_free(&out);
}


static void
fuzz_round(at_str_t bytes)
{
    size_t          i, n;
    uint32_t        v;
    at_buf_t        text, back;
    const uint8_t  *p;

    memset(&text, 0, sizeof(at_buf_t));
    p = (const uint8_t *) bytes.data;

    for (i = 0; i < bytes.len; i += 3) {
        n = bytes.len - i;
        v = (uint32_t) p[i] << 16;
        v |= n > 1 ? (uint32_t) p[i + 1] << 8 : 0;
        v |= n > 2 ? p[i + 2] : 0;

        FUZZ_CHECK(at_buf_printf(&text, "%c%c%c%c", fuzz_alphabet[v >> 18],
                                 fuzz_alphabet[(v >> 12) & 63],
                                 n > 1 ? fuzz_alphabet[(v >> 6) & 63] : '=',
                                 n > 2 ? fuzz_alphabet[v & 63] : '=')
                   == AT_OK);
    }

    FUZZ_CHECK(fuzz_decode(at_buf_str(&text), 2, 0, &back) == AT_OK);
    FUZZ_CHECK(at_str_eq(at_buf_str(&back), bytes));

    at_buf_free(&text);
    at_buf_free(&back);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at_str_t  text = { size, (const char *) data };

    fuzz_right(text);
    fuzz_same(text, 0);
    fuzz_same(text, 1 + size / 3);
    fuzz_round(text);

    return 0;
}
