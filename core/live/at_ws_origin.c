/*
 * Which pages may open a socket (at_ws_handshake.h).
 *
 * A browser lets every page connect anywhere, with the cookies of the place
 * it connects to, and says in Origin where the page is from; so the list is
 * what keeps strangers' pages out.  Compared is what the parts mean, not how
 * they are written.  Nothing is allocated.
 */

#include <string.h>

#include "at_ws_handshake.h"


typedef struct {
    at_str_t  scheme;
    at_str_t  host;             /* with the brackets of an IPv6 address */
    unsigned  port;             /* 0: of a scheme that has none by itself */
    unsigned  below:1;          /* "*." stood before the host */
} at_ws_origin_t;


static int at_ws_origin_match(at_str_t pattern, at_str_t host,
    at_str_t origin, const at_ws_origin_t *o);
static int at_ws_origin_split(at_str_t s, at_ws_origin_t *o);
static int at_ws_origin_authority(at_str_t s, at_ws_origin_t *o);
static int at_ws_origin_port(at_str_t s, unsigned *port);
static int at_ws_origin_char(char c);


int
at_ws_origin_allowed(const at_str_t *origins, size_t n, at_str_t host,
    at_str_t origin)
{
    size_t          i;
    at_ws_origin_t  o;

    if (at_ws_origin_split(origin, &o) != AT_OK || o.below) {
        memset(&o, 0, sizeof(at_ws_origin_t));
    }

    for (i = 0; i < n; i++) {
        if (at_ws_origin_match(origins[i], host, origin, &o)) {
            return 1;
        }
    }

    return 0;
}


int
at_ws_origin_valid(at_str_t pattern)
{
    at_ws_origin_t  o;

    return at_str_is(pattern, "*") || at_str_is(pattern, "self")
           || at_str_is(pattern, "null")
           || at_ws_origin_split(pattern, &o) == AT_OK;
}


/* o is origin in parts; its host is empty if it has none. */
static int
at_ws_origin_match(at_str_t pattern, at_str_t host, at_str_t origin,
    const at_ws_origin_t *o)
{
    at_str_t        tail;
    at_ws_origin_t  p;

    if (at_str_is(pattern, "*")) {
        return 1;
    }

    if (at_str_is(pattern, "null")) {
        return at_str_is(origin, "null");
    }

    if (o->host.len == 0) {
        return 0;
    }

    if (at_str_is(pattern, "self")) {

        /*
         * TLS may end before this server, so the request does not tell the
         * scheme; that of the page decides which port a bare host means.
         */

        p.scheme = o->scheme;

        return at_ws_origin_authority(host, &p) == AT_OK
               && p.port == o->port && at_str_ieq(p.host, o->host);
    }

    if (at_ws_origin_split(pattern, &p) != AT_OK
        || p.port != o->port || !at_str_ieq(p.scheme, o->scheme))
    {
        return 0;
    }

    if (!p.below) {
        return at_str_ieq(p.host, o->host);
    }

    /* "shop.example" is not below "op.example", nor below itself */

    if (o->host.len < p.host.len + 2) {
        return 0;
    }

    tail.len = p.host.len + 1;
    tail.data = o->host.data + o->host.len - tail.len;

    if (tail.data[0] != '.') {
        return 0;
    }

    tail.data++;
    tail.len--;

    return at_str_ieq(tail, p.host);
}


static int
at_ws_origin_split(at_str_t s, at_ws_origin_t *o)
{
    size_t  i;

    for (i = 0; i < s.len && at_ws_origin_char(s.data[i]); i++) {
        /* void */
    }

    if (i == 0 || s.len - i < 3 || memcmp(s.data + i, "://", 3) != 0) {
        return AT_ERROR;
    }

    o->scheme.data = s.data;
    o->scheme.len = i;
    o->below = 0;

    s.data += i + 3;
    s.len -= i + 3;

    if (s.len >= 2 && memcmp(s.data, "*.", 2) == 0) {
        o->below = 1;
        s.data += 2;
        s.len -= 2;
    }

    return at_ws_origin_authority(s, o);
}


/* Host and port; the scheme is known. */
static int
at_ws_origin_authority(at_str_t s, at_ws_origin_t *o)
{
    size_t       i;
    const char  *bracket;

    i = 0;

    if (s.len > 0 && s.data[0] == '[') {
        bracket = memchr(s.data, ']', s.len);
        if (bracket == NULL) {
            return AT_ERROR;
        }

        for (i = 1; s.data + i < bracket; i++) {
            if (s.data[i] != ':' && !at_ws_origin_char(s.data[i])) {
                return AT_ERROR;
            }
        }

        i++;

    } else {
        while (i < s.len && at_ws_origin_char(s.data[i])) {
            i++;
        }
    }

    if (i == 0) {
        return AT_ERROR;
    }

    o->host.data = s.data;
    o->host.len = i;

    s.data += i;
    s.len -= i;

    if (s.len == 0) {
        o->port = at_str_ieq(o->scheme, AT_STR("https")) ? 443
                  : at_str_ieq(o->scheme, AT_STR("http")) ? 80 : 0;
        return AT_OK;
    }

    return at_ws_origin_port(s, &o->port);
}


/* ":" and the port. */
static int
at_ws_origin_port(at_str_t s, unsigned *port)
{
    size_t  i;

    if (s.data[0] != ':' || s.len < 2 || s.len > sizeof(":65535") - 1) {
        return AT_ERROR;
    }

    *port = 0;

    for (i = 1; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return AT_ERROR;
        }

        *port = *port * 10 + (unsigned) (s.data[i] - '0');
    }

    return (*port > 0 && *port <= 65535) ? AT_OK : AT_ERROR;
}


/* Of schemes, names and addresses; other names come in their ASCII form. */
static int
at_ws_origin_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || c == '-' || c == '.' || c == '_' || c == '+';
}
