/*
 * Sec-WebSocket-Extensions: offers read, and the one accepted answered.
 *
 * Used by at_ws_handshake.c, which has the other fields.  A field that is no
 * list of extensions spoils the handshake; an offer of permessage-deflate
 * that asks for what RFC 7692 does not know is merely declined.
 */

#include <stdio.h>
#include <string.h>

#include "at_ws_deflate.h"
#include "at_ws_extension.h"


#define AT_WS_VALUE_MAX  32     /* no parameter we know has a longer one */


typedef enum {
    AT_WS_SERVER_NO_CONTEXT = 0,
    AT_WS_CLIENT_NO_CONTEXT,
    AT_WS_SERVER_WINDOW,
    AT_WS_CLIENT_WINDOW,
    AT_WS_PARAMS
} at_ws_param_e;


/* What is left of the field. */
typedef struct {
    const char  *p;
    const char  *end;
} at_ws_scan_t;


typedef struct {
    unsigned  seen;             /* bit of each parameter that occurred */
    unsigned  window;           /* of the server; 0: any */
    unsigned  declined:1;
} at_ws_offer_t;


typedef struct {
    at_str_t  name;
    char      text[AT_WS_VALUE_MAX];
    size_t    len;              /* more than fits: it is cut */
    unsigned  has_value:1;
} at_ws_param_t;


static int at_ws_extension_one(at_ws_handshake_t *h, at_ws_scan_t *s);
static int at_ws_extension_param(at_ws_scan_t *s, at_ws_param_t *param);
static int at_ws_extension_value(at_ws_scan_t *s, at_ws_param_t *param);
static int at_ws_extension_quoted(at_ws_scan_t *s, at_ws_param_t *param);
static void at_ws_extension_judge(at_ws_offer_t *offer,
    const at_ws_param_t *param);
static unsigned at_ws_extension_bits(const at_ws_param_t *param);
static at_str_t at_ws_scan_token(at_ws_scan_t *s);
static void at_ws_scan_blank(at_ws_scan_t *s);
static int at_ws_scan_is(const at_ws_scan_t *s, char c);
static void at_ws_param_add(at_ws_param_t *param, char c);
static int at_ws_is_token(char c);


static const char *const  at_ws_params[AT_WS_PARAMS] = {
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits"
};


int
at_ws_extension_read(at_ws_handshake_t *h, at_str_t value)
{
    at_ws_scan_t  s;

    if (value.len == 0) {
        return AT_OK;
    }

    s.p = value.data;
    s.end = value.data + value.len;

    for ( ;; ) {
        at_ws_scan_blank(&s);

        /* a list may have empty places */

        if (s.p < s.end && !at_ws_scan_is(&s, ',')
            && at_ws_extension_one(h, &s) != AT_OK)
        {
            return AT_ERROR;
        }

        if (s.p == s.end) {
            return AT_OK;
        }

        if (!at_ws_scan_is(&s, ',')) {
            return AT_ERROR;
        }

        s.p++;
    }
}


size_t
at_ws_extension(const at_ws_handshake_t *h, char out[AT_WS_EXTENSION_MAX])
{
    int  n;

    out[0] = '\0';

    if (!h->deflate) {
        return 0;
    }

    n = snprintf(out, AT_WS_EXTENSION_MAX, "permessage-deflate; %s; %s",
                 at_ws_params[AT_WS_SERVER_NO_CONTEXT],
                 at_ws_params[AT_WS_CLIENT_NO_CONTEXT]);

    if (h->windowed) {
        n += snprintf(out + n, AT_WS_EXTENSION_MAX - (size_t) n, "; %s=%u",
                      at_ws_params[AT_WS_SERVER_WINDOW],
                      (unsigned) h->window);
    }

    return (size_t) n;
}


/* An extension with its parameters, up to "," or the end. */
static int
at_ws_extension_one(at_ws_handshake_t *h, at_ws_scan_t *s)
{
    at_str_t       name;
    at_ws_offer_t  offer;
    at_ws_param_t  param;

    memset(&offer, 0, sizeof(at_ws_offer_t));

    name = at_ws_scan_token(s);
    if (name.len == 0) {
        return AT_ERROR;
    }

    at_ws_scan_blank(s);

    while (at_ws_scan_is(s, ';')) {
        s->p++;

        if (at_ws_extension_param(s, &param) != AT_OK) {
            return AT_ERROR;
        }

        at_ws_extension_judge(&offer, &param);
        at_ws_scan_blank(s);
    }

    if (!at_str_is(name, "permessage-deflate") || offer.declined
        || h->deflate)
    {
        return AT_OK;
    }

    h->deflate = 1;
    h->windowed = offer.window != 0;
    h->window = (offer.window ? offer.window : AT_WS_WINDOW_MAX) & 0xf;

    return AT_OK;
}


static int
at_ws_extension_param(at_ws_scan_t *s, at_ws_param_t *param)
{
    memset(param, 0, sizeof(at_ws_param_t));

    at_ws_scan_blank(s);

    param->name = at_ws_scan_token(s);
    if (param->name.len == 0) {
        return AT_ERROR;
    }

    at_ws_scan_blank(s);

    if (!at_ws_scan_is(s, '=')) {
        return AT_OK;
    }

    s->p++;
    param->has_value = 1;

    at_ws_scan_blank(s);

    return at_ws_extension_value(s, param);
}


static int
at_ws_extension_value(at_ws_scan_t *s, at_ws_param_t *param)
{
    size_t    i;
    at_str_t  token;

    if (at_ws_scan_is(s, '"')) {
        s->p++;
        return at_ws_extension_quoted(s, param);
    }

    token = at_ws_scan_token(s);

    for (i = 0; i < token.len; i++) {
        at_ws_param_add(param, token.data[i]);
    }

    return token.len > 0 ? AT_OK : AT_ERROR;
}


/* What is quoted has to be a token too (RFC 6455 section 9.1). */
static int
at_ws_extension_quoted(at_ws_scan_t *s, at_ws_param_t *param)
{
    while (s->p < s->end && *s->p != '"') {

        if (*s->p == '\\') {
            s->p++;
        }

        if (s->p == s->end || !at_ws_is_token(*s->p)) {
            return AT_ERROR;
        }

        at_ws_param_add(param, *s->p++);
    }

    if (s->p == s->end || param->len == 0) {
        return AT_ERROR;
    }

    s->p++;

    return AT_OK;
}


static void
at_ws_extension_judge(at_ws_offer_t *offer, const at_ws_param_t *param)
{
    unsigned  i, bits;

    for (i = 0; i < AT_WS_PARAMS; i++) {
        if (at_str_is(param->name, at_ws_params[i])) {
            break;
        }
    }

    if (i == AT_WS_PARAMS || (offer->seen & 1u << i)) {
        offer->declined = 1;
        return;
    }

    offer->seen |= 1u << i;
    bits = at_ws_extension_bits(param);

    switch (i) {

    case AT_WS_SERVER_WINDOW:
        offer->window = bits;
        offer->declined |= (bits == 0);
        break;

    case AT_WS_CLIENT_WINDOW:
        offer->declined |= (param->has_value && bits == 0);
        break;

    default:
        offer->declined |= param->has_value;
    }
}


/* 8 to 15 without leading zeros, or 0: the value is none. */
static unsigned
at_ws_extension_bits(const at_ws_param_t *param)
{
    unsigned  bits;

    if (param->len == 1) {
        bits = (unsigned) (param->text[0] - '0');
        return (bits == 8 || bits == 9) ? bits : 0;
    }

    if (param->len == 2 && param->text[0] == '1'
        && param->text[1] >= '0' && param->text[1] <= '5')
    {
        return 10 + (unsigned) (param->text[1] - '0');
    }

    return 0;
}


static at_str_t
at_ws_scan_token(at_ws_scan_t *s)
{
    at_str_t  token;

    token.data = s->p;

    while (s->p < s->end && at_ws_is_token(*s->p)) {
        s->p++;
    }

    token.len = (size_t) (s->p - token.data);

    return token;
}


static void
at_ws_scan_blank(at_ws_scan_t *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t')) {
        s->p++;
    }
}


static int
at_ws_scan_is(const at_ws_scan_t *s, char c)
{
    return s->p < s->end && *s->p == c;
}


static void
at_ws_param_add(at_ws_param_t *param, char c)
{
    if (param->len < AT_WS_VALUE_MAX) {
        param->text[param->len] = c;
    }

    param->len++;
}


/* RFC 9110 section 5.6.2. */
static int
at_ws_is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}
