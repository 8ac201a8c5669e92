/*
 * at_utf8_*(): the functions agree with each other about any bytes.
 *
 * The first byte of the input is where valid text is cut.
 */

#include "fuzz.h"
#include "at_text.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t     i, n, count, max;
    uint32_t   code;
    at_str_t   s, rest, cut;
    fuzz_in_t  in = { data, data + size };

    max = fuzz_byte(&in);
    s = fuzz_rest(&in);
    count = 0;

    for (i = 0; i < s.len; i += n) {
        rest.data = s.data + i;
        rest.len = s.len - i;
        n = at_utf8_sequence(rest);
        FUZZ_CHECK(n <= 4 && n <= rest.len);

        if (n == 0) {
            FUZZ_CHECK(!at_utf8_valid(s));
            return 0;
        }

        code = at_utf8_code(rest);
        FUZZ_CHECK(code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
        count++;
    }

    FUZZ_CHECK(at_utf8_valid(s));
    FUZZ_CHECK(at_utf8_count(s) == count);

    cut = at_utf8_cut(s, max);
    FUZZ_CHECK(cut.data == s.data && cut.len <= s.len);
    FUZZ_CHECK(at_utf8_valid(cut));
    FUZZ_CHECK(at_utf8_count(cut) == (count < max ? count : max));

    return 0;
}
