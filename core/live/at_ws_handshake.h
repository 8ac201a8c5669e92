/*
 * The upgrade of an HTTP request to a WebSocket (RFC 6455 section 4, RFC
 * 7692 section 7).
 *
 * The header fields of the request are passed one by one, as often as they
 * occur; at_ws_handshake_check() then says what to answer.  Extensions: of
 * permessage-deflate the first offer that can be kept is accepted, always
 * without context takeover; all others and every subprotocol are passed over.
 *
 * Zero-initialise the state.  Nothing is allocated; the key and the origin
 * point into what was passed.
 */

#ifndef AT_WS_HANDSHAKE_H
#define AT_WS_HANDSHAKE_H


#include "at_ws.h"


#define AT_WS_VERSION        "13"
#define AT_WS_HTTP           1001   /* 1.1, as thousands and ones */
#define AT_WS_ACCEPT         28     /* bytes of Sec-WebSocket-Accept */
#define AT_WS_EXTENSION_MAX  128    /* bytes of the answer, with its NUL */


typedef struct {
    at_str_t  key;
    at_str_t  origin;           /* NULL: not sent, as programs do */
    at_str_t  version;

    unsigned  upgrade:1;
    unsigned  connection:1;
    unsigned  keys:1;           /* more than one: */
    unsigned  origins:1;
    unsigned  versions:1;
    unsigned  malformed:1;      /* Sec-WebSocket-Extensions is */

    unsigned  deflate:1;        /* accepted: */
    unsigned  window:4;         /*   bits; distances of the server's */
    unsigned  windowed:1;       /*   asked for, so to be confirmed */
} at_ws_handshake_t;


/* Why not, and how to say so; 405 wants Allow, 426 Upgrade and the version. */
typedef struct {
    unsigned  status;           /* 400, 403, 405, 426 or 505 */
    char      detail[240];      /* a sentence, printable ASCII */
} at_ws_refusal_t;


/* Fields that have no part in it are passed over. */
void at_ws_handshake_header(at_ws_handshake_t *h, at_str_t name,
    at_str_t value);

/*
 * AT_OK: answer 101.  http is the version as 1000 * major + minor; host is
 * the Host of the request; origins are n patterns as at_ws_origin_allowed()
 * takes them.
 */
int at_ws_handshake_check(const at_ws_handshake_t *h, at_str_t method,
    unsigned http, at_str_t host, const at_str_t *origins, size_t n,
    at_ws_refusal_t *refusal);

/* The value of Sec-WebSocket-Accept for a key that was checked. */
int at_ws_accept(at_str_t key, char out[AT_WS_ACCEPT]);

/*
 * The value of Sec-WebSocket-Extensions with a NUL behind it; returns its
 * length, 0: none, send no such field.
 */
size_t at_ws_extension(const at_ws_handshake_t *h,
    char out[AT_WS_EXTENSION_MAX]);


/*
 * 1: a page of that origin may connect.  A pattern is "*" (any), "self" (the
 * host that was asked), "null", an origin as browsers send it, or one with
 * "*." before its host, for every name below that one.  The ports 80 of http
 * and 443 of https need not be said.
 */
int at_ws_origin_allowed(const at_str_t *origins, size_t n, at_str_t host,
    at_str_t origin);

/* 1: the text is such a pattern. */
int at_ws_origin_valid(at_str_t pattern);


#endif /* AT_WS_HANDSHAKE_H */
