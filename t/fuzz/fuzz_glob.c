/*
 * at_glob_*(): any pattern with any text, and what must hold of them.
 *
 * The first byte of the input is the length of the pattern, the second one
 * where the text is cut for a pattern that is made of it.
 */

#include "fuzz.h"
#include "at_glob.h"


#define FUZZ_GLOB_MAX  255


static at_str_t fuzz_glob_literal(char *out, at_str_t text);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        out[2 * FUZZ_GLOB_MAX + 2], *p;
    size_t      len, cut;
    at_str_t    pattern, text, made;
    fuzz_in_t   in = { data, data + size };

    len = fuzz_byte(&in);
    cut = fuzz_byte(&in);
    text = fuzz_rest(&in);

    pattern.data = text.data;
    pattern.len = (len < text.len) ? len : text.len;
    text.data += pattern.len;
    text.len -= pattern.len;

    if (text.len > FUZZ_GLOB_MAX) {
        text.len = FUZZ_GLOB_MAX;
    }

    cut = (cut < text.len) ? cut : text.len;

    /* what matches does so with a "*" at its end, if nothing is open there */

    if (at_glob_match(pattern, text) && at_glob_fault(pattern) == NULL) {
        for (len = 0; len < pattern.len; len++) {
            out[len] = pattern.data[len];
        }

        out[len++] = '*';
        FUZZ_CHECK(at_glob_match((at_str_t) { len, out }, text));
    }

    /* a text is its own pattern, whole or with a part left out */

    made = fuzz_glob_literal(out, text);
    FUZZ_CHECK(at_glob_match(made, text));
    FUZZ_CHECK(at_glob_fault(made) == NULL);

    made = fuzz_glob_literal(out, (at_str_t) { cut, text.data });
    p = out + made.len;
    FUZZ_CHECK(at_glob_match(made, text) == (cut == text.len));
    *p = '*';
    made.len++;
    FUZZ_CHECK(at_glob_match(made, text));

    /* ... in its middle, and at its beginning */

    made.len += fuzz_glob_literal(p + 1, (at_str_t) { text.len - cut,
                                                      text.data + cut }).len;
    FUZZ_CHECK(at_glob_match(made, text));

    made.len -= (size_t) (p - out);
    made.data = p;
    FUZZ_CHECK(at_glob_match(made, text));

    /* as long as the text */

    for (len = 0; len < text.len; len++) {
        out[len] = '?';
    }

    FUZZ_CHECK(at_glob_match((at_str_t) { len, out }, text));
    out[len++] = '?';
    FUZZ_CHECK(!at_glob_match((at_str_t) { len, out }, text));

    return 0;
}


/* Each byte with a "\" before it. */

static at_str_t
fuzz_glob_literal(char *out, at_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        out[2 * i] = '\\';
        out[2 * i + 1] = text.data[i];
    }

    return (at_str_t) { 2 * text.len, out };
}
