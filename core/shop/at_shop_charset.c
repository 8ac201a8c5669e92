/*
 * Any encoding to UTF-8 (at_shop_internal.h).
 *
 * A byte order mark rules, then Content-Type, then what the head of the page
 * says of itself, then the bytes: valid UTF-8 is that, all else is
 * windows-1252.
 */

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "at_shop_internal.h"
#include "at_text.h"


#define AT_SHOP_META_MAX  2048


/* The name behind "charset=", in lower case; or "". */

static void
at_shop_charset_name(at_str_t s, char name[32])
{
    size_t       n;
    const char  *p, *end;

    name[0] = '\0';
    end = s.data + s.len;

    for (p = s.data; end - p > 8; p++) {
        if ((*p | 0x20) == 'c' && strncasecmp(p, "charset=", 8) == 0) {
            break;
        }
    }

    if (end - p <= 8) {
        return;
    }

    p += 8;
    p += *p == '"' || *p == '\'';

    for (n = 0; p < end && n < 31; n++, p++) {

        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_'))
        {
            break;
        }

        name[n] = *p >= 'A' && *p <= 'Z' ? (char) (*p | 0x20) : *p;
    }

    name[n] = '\0';
}


/*
 * windows-1252 by hand: it is what is left when nothing else fits, and
 * iconv_open() would load a library for every page.
 */

static int
at_shop_charset_western(at_shop_t *shop, at_str_t body)
{
    size_t    i;
    uint8_t  *o;
    uint32_t  c;

    static const uint16_t  upper[32] = {
        0x20AC, 0, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,
        0x2030, 0x160, 0x2039, 0x152, 0, 0x17D, 0, 0, 0x2018, 0x2019, 0x201C,
        0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153,
        0, 0x17E, 0x178
    };

    shop->utf8.len = 0;
    shop->utf8.max = 0;

    if (at_buf_reserve(&shop->utf8, body.len * 3) != AT_OK) {
        return AT_ERROR;
    }

    o = shop->utf8.data;

    for (i = 0; i < body.len; i++) {
        c = (uint8_t) body.data[i];
        c = c >= 0x80 && c < 0xA0 ? upper[c - 0x80] : c;

        if (c < 0x80) {
            *o++ = (uint8_t) (c ? c : ' ');

        } else if (c < 0x800) {
            *o++ = (uint8_t) (0xC0 | c >> 6);
            *o++ = (uint8_t) (0x80 | (c & 0x3F));

        } else {
            *o++ = (uint8_t) (0xE0 | c >> 12);
            *o++ = (uint8_t) (0x80 | (c >> 6 & 0x3F));
            *o++ = (uint8_t) (0x80 | (c & 0x3F));
        }
    }

    shop->utf8.len = (size_t) (o - shop->utf8.data);
    shop->body = at_buf_str(&shop->utf8);

    return AT_OK;
}


/* Bytes that are no text of that encoding are left out. */

static int
at_shop_charset_convert(at_shop_t *shop, at_str_t body, const char *name)
{
    char    *in, *out;
    size_t   left, room;
    iconv_t  cd;

    cd = iconv_open("UTF-8", name);
    if (cd == (iconv_t) -1) {
        return AT_ERROR;
    }

    shop->utf8.len = 0;
    shop->utf8.max = 3 * (size_t) AT_SHOP_BODY_MAX;
    in = (char *) (uintptr_t) body.data;
    left = body.len;

    while (left > 0) {

        if (at_buf_reserve(&shop->utf8, left * 2 + 16) != AT_OK) {
            break;
        }

        out = (char *) shop->utf8.data + shop->utf8.len;
        room = shop->utf8.cap - shop->utf8.len;

        if (iconv(cd, &in, &left, &out, &room) == (size_t) -1
            && errno != E2BIG && left > 0)
        {
            in++;
            left--;
        }

        shop->utf8.len = (size_t) (out - (char *) shop->utf8.data);
    }

    (void) iconv_close(cd);
    shop->body = at_buf_str(&shop->utf8);

    return left ? AT_ERROR : AT_OK;
}


int
at_shop_charset(at_shop_t *shop, at_str_t body, at_str_t type)
{
    char      name[32];
    at_str_t  head;

    shop->body = body;

    if (body.len >= 3 && memcmp(body.data, "\xEF\xBB\xBF", 3) == 0) {
        shop->body.data += 3;
        shop->body.len -= 3;
        return AT_OK;
    }

    if (body.len >= 2 && (memcmp(body.data, "\xFF\xFE", 2) == 0
                          || memcmp(body.data, "\xFE\xFF", 2) == 0))
    {
        return at_shop_charset_convert(shop, body, "UTF-16");
    }

    at_shop_charset_name(type, name);

    if (name[0] == '\0') {
        head = (at_str_t) { body.len < AT_SHOP_META_MAX ? body.len
                                                        : AT_SHOP_META_MAX,
                            body.data };
        at_shop_charset_name(head, name);
    }

    if (strcmp(name, "utf-8") == 0 || strcmp(name, "utf8") == 0
        || at_utf8_valid(body))
    {
        return AT_OK;
    }

    /* browsers take the first two for the third */

    if (name[0] == '\0' || strcmp(name, "iso-8859-1") == 0
        || strcmp(name, "us-ascii") == 0
        || strcmp(name, "windows-1252") == 0)
    {
        return at_shop_charset_western(shop, body);
    }

    if (at_shop_charset_convert(shop, body, name) == AT_OK) {
        return AT_OK;
    }

    return at_shop_charset_western(shop, body);
}
