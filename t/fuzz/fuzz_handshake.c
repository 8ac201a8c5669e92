/*
 * at_ws_handshake_*(): header fields of any content are taken or refused with
 * a status, and no answer is longer than its room.
 *
 * The lines of the input are: the method, the Host, a pattern of origins, and
 * then name and value of a field by turns.
 */

#include "fuzz.h"
#include "live/at_ws_handshake.h"


static void
fuzz_accepted(const at_ws_handshake_t *h)
{
    size_t  n;
    char    accept[AT_WS_ACCEPT], extension[AT_WS_EXTENSION_MAX];

    FUZZ_CHECK(h->key.len == 24);
    FUZZ_CHECK(at_ws_accept(h->key, accept) == AT_OK);
    FUZZ_CHECK(accept[AT_WS_ACCEPT - 1] == '=');

    n = at_ws_extension(h, extension);
    FUZZ_CHECK(n < AT_WS_EXTENSION_MAX && extension[n] == '\0');
    FUZZ_CHECK(h->deflate == (n > 0));
    FUZZ_CHECK(!h->deflate || (h->window >= 8 && h->window <= 15));
}


static void
fuzz_refused(const at_ws_refusal_t *refusal)
{
    size_t  i;

    FUZZ_CHECK(refusal->status == 400 || refusal->status == 403
               || refusal->status == 405 || refusal->status == 426);
    FUZZ_CHECK(refusal->detail[0] != '\0');

    for (i = 0; refusal->detail[i]; i++) {
        FUZZ_CHECK(i + 1 < sizeof(refusal->detail));
        FUZZ_CHECK(refusal->detail[i] >= ' ' && refusal->detail[i] <= '~');
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at_str_t           method, host, pattern, name;
    fuzz_in_t          in = { data, data + size };
    at_ws_refusal_t    refusal;
    at_ws_handshake_t  h;

    memset(&h, 0, sizeof(at_ws_handshake_t));
    memset(&refusal, 0, sizeof(at_ws_refusal_t));

    method = fuzz_line(&in);
    host = fuzz_line(&in);
    pattern = fuzz_line(&in);

    while (in.p < in.end) {
        name = fuzz_line(&in);
        at_ws_handshake_header(&h, name, fuzz_line(&in));
    }

    if (at_ws_handshake_check(&h, method, AT_WS_HTTP, host, &pattern, 1,
                              &refusal) == AT_OK)
    {
        FUZZ_CHECK(h.origin.data == NULL || at_ws_origin_valid(pattern));
        fuzz_accepted(&h);

    } else {
        fuzz_refused(&refusal);
    }

    return 0;
}
