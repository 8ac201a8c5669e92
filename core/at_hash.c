/*
 * 128-bit names of texts (at_hash.h).
 *
 * A thin wrapper, so that one file knows the library.  Nothing is owned here.
 */

#include <sodium/crypto_generichash.h>

#include "at_hash.h"


void
at_hash128(const void *data, size_t len, uint8_t out[AT_HASH_BYTES])
{
    /* It fails for sizes of key and hash alone, which are constants. */

    (void) crypto_generichash(out, AT_HASH_BYTES, data, len, NULL, 0);
}


void
at_hash_hex(const uint8_t hash[AT_HASH_BYTES], char out[AT_HASH_HEX])
{
    size_t             i;
    static const char  digits[] = "0123456789abcdef";

    for (i = 0; i < AT_HASH_BYTES; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 0xf];
    }
}
