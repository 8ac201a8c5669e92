/*
 * The checks of an upgrade (at_ws_handshake.h).
 *
 * The accept value is a SHA-1, which libsodium leaves out for its weakness;
 * here it proves nothing but that the server read the key.  It comes from
 * OpenSSL's libcrypto, which a process that has libpq has anyway, rather than
 * from code of our own.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "at_ws_extension.h"


#define AT_WS_GUID       "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define AT_WS_KEY        24     /* bytes: 16 in base64 */
#define AT_WS_KEY_DATA   22     /* of them before the padding */
#define AT_WS_SHA1       20
#define AT_WS_SHOWN      60     /* bytes of a wrong value in a detail */


typedef struct {
    at_str_t   name;
    void     (*read)(at_ws_handshake_t *h, at_str_t value);
} at_ws_field_t;


static void at_ws_upgrade(at_ws_handshake_t *h, at_str_t value);
static void at_ws_connection(at_ws_handshake_t *h, at_str_t value);
static void at_ws_key(at_ws_handshake_t *h, at_str_t value);
static void at_ws_version(at_ws_handshake_t *h, at_str_t value);
static void at_ws_origin(at_ws_handshake_t *h, at_str_t value);
static void at_ws_extensions(at_ws_handshake_t *h, at_str_t value);
static at_str_t at_ws_trim(at_str_t s);
static int at_ws_has_token(at_str_t list, at_str_t token);
static int at_ws_key_valid(at_str_t key);
static int at_ws_check_key(const at_ws_handshake_t *h,
    at_ws_refusal_t *refusal);
static int at_ws_check_origin(const at_ws_handshake_t *h, at_str_t host,
    const at_str_t *origins, size_t n, at_ws_refusal_t *refusal);
static void at_ws_show(char out[AT_WS_SHOWN], at_str_t s);
static int at_ws_refuse(at_ws_refusal_t *refusal, unsigned status,
    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));


static const at_ws_field_t  at_ws_fields[] = {
    { AT_STR("Upgrade"),                  at_ws_upgrade },
    { AT_STR("Connection"),               at_ws_connection },
    { AT_STR("Sec-WebSocket-Key"),        at_ws_key },
    { AT_STR("Sec-WebSocket-Version"),    at_ws_version },
    { AT_STR("Sec-WebSocket-Extensions"), at_ws_extensions },
    { AT_STR("Origin"),                   at_ws_origin }
};


void
at_ws_handshake_header(at_ws_handshake_t *h, at_str_t name, at_str_t value)
{
    size_t  i;

    for (i = 0; i < sizeof(at_ws_fields) / sizeof(at_ws_field_t); i++) {
        if (at_str_ieq(name, at_ws_fields[i].name)) {
            at_ws_fields[i].read(h, at_ws_trim(value));
            return;
        }
    }
}


int
at_ws_handshake_check(const at_ws_handshake_t *h, at_str_t method,
    unsigned http, at_str_t host, const at_str_t *origins, size_t n,
    at_ws_refusal_t *refusal)
{
    char  shown[AT_WS_SHOWN];

    if (!at_str_is(method, "GET")) {
        at_ws_show(shown, method);
        return at_ws_refuse(refusal, 405, "the method is %s; a WebSocket is "
                            "opened by GET", shown);
    }

    if (http / 1000 != AT_WS_HTTP / 1000 || http < AT_WS_HTTP) {
        return at_ws_refuse(refusal, 505, "the request came by HTTP/%u.%u; a "
                            "WebSocket is opened by HTTP/1.1", http / 1000,
                            http % 1000);
    }

    if (!h->upgrade) {
        return at_ws_refuse(refusal, 426, "the request has no \"Upgrade: "
                            "websocket\"; only a WebSocket is served here");
    }

    if (!h->connection) {
        return at_ws_refuse(refusal, 400, "the request has no \"Connection: "
                            "Upgrade\"; send it together with Upgrade");
    }

    if (h->versions || !at_str_is(h->version, AT_WS_VERSION)) {
        at_ws_show(shown, h->version);
        return at_ws_refuse(refusal, 426, "Sec-WebSocket-Version is %s; send "
                            AT_WS_VERSION " once", shown);
    }

    if (at_ws_check_key(h, refusal) != AT_OK) {
        return AT_ERROR;
    }

    if (h->malformed) {
        return at_ws_refuse(refusal, 400, "Sec-WebSocket-Extensions is no "
                            "list of extensions; correct it or leave it out");
    }

    return at_ws_check_origin(h, host, origins, n, refusal);
}


int
at_ws_accept(at_str_t key, char out[AT_WS_ACCEPT])
{
    unsigned  len;
    uint8_t   text[AT_WS_KEY + sizeof(AT_WS_GUID) - 1];
    uint8_t   hash[EVP_MAX_MD_SIZE], encoded[AT_WS_ACCEPT + 1];

    if (key.len != AT_WS_KEY) {
        return AT_ERROR;
    }

    memcpy(text, key.data, AT_WS_KEY);
    memcpy(text + AT_WS_KEY, AT_WS_GUID, sizeof(AT_WS_GUID) - 1);

    if (EVP_Digest(text, sizeof(text), hash, &len, EVP_sha1(), NULL) != 1
        || len != AT_WS_SHA1)
    {
        return AT_ERROR;
    }

    (void) EVP_EncodeBlock(encoded, hash, AT_WS_SHA1);
    memcpy(out, encoded, AT_WS_ACCEPT);

    return AT_OK;
}


static void
at_ws_upgrade(at_ws_handshake_t *h, at_str_t value)
{
    h->upgrade |= at_ws_has_token(value, AT_STR("websocket")) & 1;
}


static void
at_ws_connection(at_ws_handshake_t *h, at_str_t value)
{
    h->connection |= at_ws_has_token(value, AT_STR("upgrade")) & 1;
}


static void
at_ws_key(at_ws_handshake_t *h, at_str_t value)
{
    h->keys |= (h->key.data != NULL);
    h->key = value;
}


static void
at_ws_version(at_ws_handshake_t *h, at_str_t value)
{
    h->versions |= (h->version.data != NULL);
    h->version = value;
}


static void
at_ws_origin(at_ws_handshake_t *h, at_str_t value)
{
    h->origins |= (h->origin.data != NULL);
    h->origin = value;
}


static void
at_ws_extensions(at_ws_handshake_t *h, at_str_t value)
{
    h->malformed |= (at_ws_extension_read(h, value) != AT_OK);
}


/* Never NULL, so that an empty value is told from none. */
static at_str_t
at_ws_trim(at_str_t s)
{
    if (s.data == NULL) {
        return AT_STR("");
    }

    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len > 0
           && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
    {
        s.len--;
    }

    return s;
}


/* token is one of those between the commas, in whatever case. */
static int
at_ws_has_token(at_str_t list, at_str_t token)
{
    at_str_t     item;
    const char  *comma;

    while (list.len > 0) {
        comma = memchr(list.data, ',', list.len);

        item.data = list.data;
        item.len = comma != NULL ? (size_t) (comma - list.data) : list.len;

        if (at_str_ieq(at_ws_trim(item), token)) {
            return 1;
        }

        if (comma == NULL) {
            return 0;
        }

        list.data += item.len + 1;
        list.len -= item.len + 1;
    }

    return 0;
}


static int
at_ws_key_valid(at_str_t key)
{
    char    c;
    size_t  i;

    if (key.len != AT_WS_KEY
        || memcmp(key.data + AT_WS_KEY_DATA, "==", 2) != 0)
    {
        return 0;
    }

    for (i = 0; i < AT_WS_KEY_DATA; i++) {
        c = key.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9') || c == '+' || c == '/'))
        {
            return 0;
        }
    }

    return 1;
}


static int
at_ws_check_key(const at_ws_handshake_t *h, at_ws_refusal_t *refusal)
{
    char  shown[AT_WS_SHOWN];

    if (!h->keys && at_ws_key_valid(h->key)) {
        return AT_OK;
    }

    at_ws_show(shown, h->key);

    return at_ws_refuse(refusal, 400, "Sec-WebSocket-Key is %s; send 16 "
                        "random bytes in base64, once", shown);
}


static int
at_ws_check_origin(const at_ws_handshake_t *h, at_str_t host,
    const at_str_t *origins, size_t n, at_ws_refusal_t *refusal)
{
    char  shown[AT_WS_SHOWN];

    if (h->origin.data == NULL) {

        /* not a browser; what is one always says it */

        return AT_OK;
    }

    if (!h->origins && at_ws_origin_allowed(origins, n, host, h->origin)) {
        return AT_OK;
    }

    at_ws_show(shown, h->origin);

    return at_ws_refuse(refusal, 403, "pages of %s may not connect; the "
                        "operator may add this origin to the list of those "
                        "that may", shown);
}


/* ASCII, no control characters, cut to size. */
static void
at_ws_show(char out[AT_WS_SHOWN], at_str_t s)
{
    size_t  i, n;

    if (s.data == NULL) {
        (void) snprintf(out, AT_WS_SHOWN, "missing");
        return;
    }

    n = s.len < AT_WS_SHOWN - 6 ? s.len : AT_WS_SHOWN - 6;

    out[0] = '"';

    for (i = 0; i < n; i++) {
        out[i + 1] = (s.data[i] >= 0x20 && s.data[i] < 0x7F) ? s.data[i]
                                                            : '?';
    }

    (void) snprintf(out + n + 1, AT_WS_SHOWN - n - 1, "%s\"",
                    n < s.len ? "..." : "");
}


static int
at_ws_refuse(at_ws_refusal_t *refusal, unsigned status, const char *fmt, ...)
{
    va_list  args;

    refusal->status = status;

    va_start(args, fmt);
    (void) vsnprintf(refusal->detail, sizeof(refusal->detail), fmt, args);
    va_end(args);

    return AT_ERROR;
}
