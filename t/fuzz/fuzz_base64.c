/*
 * at_base64: the same text in pieces gives the same bytes; an output that is
 * full is an error and is not passed; what is encoded decodes to itself.
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

    fuzz_same(text, 0);
    fuzz_same(text, 1 + size / 3);
    fuzz_round(text);

    return 0;
}
