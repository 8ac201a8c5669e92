/*
 * at_ws_inflate() and at_ws_deflate(): no stream makes more than its bound,
 * and what was compressed comes back.
 *
 * The first byte of the input is the bound, the rest a compressed message and
 * then a plain one.
 */

#include "fuzz.h"
#include "live/at_ws_deflate.h"
#include "live/at_ws_frame.h"


static void
fuzz_round(at_ws_deflate_t *d, at_ws_inflate_t *i, at_str_t message)
{
    int       rc;
    at_buf_t  b;
    at_str_t  out;

    memset(&b, 0, sizeof(at_buf_t));

    rc = at_ws_deflate(d, message, &b);

    if (rc == AT_WS_AS_IT_IS) {
        FUZZ_CHECK(b.len == 0);

    } else {
        FUZZ_CHECK(rc == AT_OK && b.len < message.len);
        out = at_buf_str(&b);
        FUZZ_CHECK(at_ws_inflate(i, out, message.len, &out) == AT_OK);
        FUZZ_CHECK(at_str_eq(out, message));
    }

    b.len = 0;
    FUZZ_CHECK(at_ws_frame_deflated(&b, d, message) == rc);
    FUZZ_CHECK((b.len == 0) == (rc == AT_WS_AS_IT_IS));

    at_buf_free(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                      rc;
    size_t                   max;
    at_str_t                 out, longer;
    fuzz_in_t                in = { data, data + size };
    static at_ws_deflate_t  *d;
    static at_ws_inflate_t  *i;

    if (d == NULL) {
        d = at_ws_deflate_create();
        i = at_ws_inflate_create();
        FUZZ_CHECK(d != NULL && i != NULL);
    }

    max = fuzz_byte(&in);
    max = max * max;

    rc = at_ws_inflate(i, fuzz_rest(&in), max, &out);
    FUZZ_CHECK(rc == AT_OK || rc == AT_WS_LONGER || rc == AT_ERROR);

    if (rc == AT_OK) {
        FUZZ_CHECK(out.len <= max);

        max = out.len;
        FUZZ_CHECK(at_ws_inflate(i, fuzz_rest(&in), max, &out) == AT_OK);
        FUZZ_CHECK(out.len == max);
        FUZZ_CHECK(max == 0 || at_ws_inflate(i, fuzz_rest(&in), max - 1,
                                             &longer) == AT_WS_LONGER);
    }

    fuzz_round(d, i, fuzz_rest(&in));

    return 0;
}
