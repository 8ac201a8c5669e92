/*
 * Hashes of texts that name things: cache keys, long native ids.
 *
 * The texts are strangers' (a query, an answer of a source), and who finds
 * two with one hash could show one reader's page to another.  So it is a
 * cryptographic hash, libsodium's BLAKE2b, which is also fast on short texts.
 * Nothing is allocated or kept.
 */

#ifndef AT_HASH_H
#define AT_HASH_H


#include "at.h"


#define AT_HASH_BYTES  16
#define AT_HASH_HEX    32       /* lower-case digits, no NUL */


void at_hash128(const void *data, size_t len, uint8_t out[AT_HASH_BYTES]);
void at_hash_hex(const uint8_t hash[AT_HASH_BYTES], char out[AT_HASH_HEX]);


#endif /* AT_HASH_H */
