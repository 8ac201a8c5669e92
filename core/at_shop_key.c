/*
 * What the shops are asked for, and its name (at_shop_key.h).
 */

#include <string.h>

#include "at_hash.h"
#include "at_shop_key.h"
#include "at_text.h"
#include "feed/at_feed_key.h"


int
at_shop_query_raw(at_str_t raw, char out[AT_SHOP_TEXT_BYTES], size_t *len)
{
    char      text[AT_FEED_TEXT_BYTES];
    at_str_t  s;

    if (at_feed_normal(raw, text, &s.len) != AT_OK) {
        return AT_ERROR;
    }

    s.data = text;
    s = at_utf8_cut(s, AT_SHOP_TEXT_MAX);

    while (s.len > 0 && s.data[s.len - 1] == ' ') {
        s.len--;
    }

    memcpy(out, s.data, s.len);
    *len = s.len;

    return AT_OK;
}


/* What means something in a URL alone is encoded, so that it means itself. */

int
at_shop_query(at_str_t plain, char out[AT_SHOP_TEXT_BYTES], size_t *len)
{
    char         raw[3 * AT_SHOP_PLAIN_MAX];
    size_t       i, n;
    const char  *code;

    if (plain.len > AT_SHOP_PLAIN_MAX) {
        return AT_ERROR;
    }

    n = 0;

    for (i = 0; i < plain.len; i++) {

        if (plain.data[i] != '%' && plain.data[i] != '+') {
            raw[n++] = plain.data[i];
            continue;
        }

        code = plain.data[i] == '%' ? "%25" : "%2B";
        memcpy(raw + n, code, 3);
        n += 3;
    }

    return at_shop_query_raw((at_str_t) { n, raw }, out, len);
}


int
at_shop_category(at_str_t *text)
{
    size_t    i;
    at_str_t  s;

    s = *text;

    while (s.len > 0 && s.data[0] == ' ') {
        s.data++;
        s.len--;
    }

    while (s.len > 0 && s.data[s.len - 1] == ' ') {
        s.len--;
    }

    for (i = 0; i < s.len; i++) {
        if ((uint8_t) s.data[i] < ' ' || s.data[i] == 0x7f) {
            return AT_ERROR;
        }
    }

    if (!at_utf8_valid(s) || at_utf8_count(s) > AT_SHOP_TEXT_MAX) {
        return AT_ERROR;
    }

    *text = s;

    return AT_OK;
}


/* Neither has a line feed in it, so no two pairs are the same text. */

void
at_shop_key(at_str_t query, at_str_t category, char out[AT_SHOP_KEY_HEX])
{
    char     text[2 * AT_SHOP_TEXT_BYTES + 1];
    size_t   n;
    uint8_t  hash[AT_HASH_BYTES];

    if (query.len > AT_SHOP_TEXT_BYTES) {
        query.len = AT_SHOP_TEXT_BYTES;
    }

    if (category.len > AT_SHOP_TEXT_BYTES) {
        category.len = AT_SHOP_TEXT_BYTES;
    }

    n = 0;

    if (query.len) {
        memcpy(text, query.data, query.len);
        n = query.len;
    }

    text[n++] = '\n';

    if (category.len) {
        memcpy(text + n, category.data, category.len);
        n += category.len;
    }

    at_hash128(text, n, hash);
    at_hash_hex(hash, out);
}
