/*
 * GET /live: the handshake, and the messages of clients.
 *
 * A refused handshake is answered by HTTP, as problem+json.  An address that
 * has its number of sockets is told so by a Close, which is all that a browser
 * shows to its page; with twice as many, by HTTP, which costs less.
 */

#include "ngx_http_atelier_hub.h"
#include "ngx_http_atelier_live.h"
#include "ngx_http_atelier_problem.h"
#include "live/at_live_message.h"
#include "live/at_ws_handshake.h"


static ngx_int_t ngx_http_atelier_live_check(ngx_http_request_t *r,
    at_ws_handshake_t *h);
static ngx_int_t ngx_http_atelier_live_crowded(ngx_http_request_t *r,
    ngx_int_t n, ngx_http_atelier_holder_t *holder);
static void ngx_http_atelier_live_headers(ngx_http_request_t *r,
    at_ws_handshake_t *h);
static ngx_int_t ngx_http_atelier_live_refuse(ngx_http_request_t *r,
    at_ws_refusal_t *refusal);
static ngx_int_t ngx_http_atelier_live_full(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *detail);
static ngx_int_t ngx_http_atelier_live_accept(ngx_http_request_t *r,
    at_ws_handshake_t *h);
static ngx_int_t ngx_http_atelier_live_add(ngx_http_request_t *r,
    const char *name, const char *value, size_t len);
static void ngx_http_atelier_live_text(ngx_http_atelier_socket_t *s, int rc,
    at_buf_t *b);


ngx_int_t
ngx_http_atelier_upgrade_handler(ngx_http_request_t *r)
{
    ngx_int_t                      n, rc;
    at_ws_handshake_t              h;
    ngx_http_atelier_live_t       *live;
    ngx_http_atelier_holder_t     *holder;
    ngx_http_atelier_socket_t     *s;
    ngx_http_atelier_loc_conf_t   *alcf;
    ngx_http_atelier_main_conf_t  *amcf;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);
    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    live = alcf->live;

    if (ngx_http_atelier_socket_worker(amcf->zone) == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    rc = ngx_http_atelier_live_check(r, &h);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    n = ngx_http_atelier_socket_hold(amcf->zone, r->connection->sockaddr,
                                     live->socket.per_address, &holder);

    if (n == NGX_ERROR || (ngx_uint_t) n > 2 * live->socket.per_address) {
        return ngx_http_atelier_live_crowded(r, n, holder);
    }

    s = NULL;

    if (ngx_http_atelier_live_accept(r, &h) == NGX_OK) {
        s = ngx_http_atelier_socket_create(r, &live->socket, holder);
    }

    if (s == NULL) {
        ngx_http_atelier_socket_release(holder);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->deflate = h.deflate;
    s->window = h.window;
    s->refused = ((ngx_uint_t) n > live->socket.per_address);

    return ngx_http_atelier_socket_open(r, s);
}


/* NGX_DECLINED: a handshake that can be accepted.  Else it was answered. */

static ngx_int_t
ngx_http_atelier_live_check(ngx_http_request_t *r, at_ws_handshake_t *h)
{
    at_str_t                      host;
    at_ws_refusal_t               refusal;
    ngx_http_atelier_live_t      *live;
    ngx_http_atelier_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);
    live = alcf->live;

    ngx_http_atelier_live_headers(r, h);

    host = r->headers_in.host
           ? ngx_http_atelier_str(&r->headers_in.host->value) : AT_STR_NULL;

    if (at_ws_handshake_check(h, ngx_http_atelier_str(&r->method_name),
                              r->http_version, host, live->origins.elts,
                              live->origins.nelts, &refusal)
        != AT_OK)
    {
        return ngx_http_atelier_live_refuse(r, &refusal);
    }

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {

        /* its bytes would be taken for frames */

        refusal.status = NGX_HTTP_BAD_REQUEST;
        ngx_sprintf((u_char *) refusal.detail,
                    "the request has a body; open the socket without%Z");

        return ngx_http_atelier_live_refuse(r, &refusal);
    }

    return NGX_DECLINED;
}


/* Answers an address that has more sockets than can be counted, or told. */

static ngx_int_t
ngx_http_atelier_live_crowded(ngx_http_request_t *r, ngx_int_t n,
    ngx_http_atelier_holder_t *holder)
{
    if (n == NGX_ERROR) {
        return ngx_http_atelier_live_full(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                   "unavailable",
                   "There is no room to count the sockets of one more "
                   "address; try again later.");
    }

    ngx_http_atelier_socket_release(holder);

    return ngx_http_atelier_live_full(r, NGX_HTTP_TOO_MANY_REQUESTS,
               "too_many_sockets",
               "Your address has as many sockets as it may; close some.");
}


static void
ngx_http_atelier_live_headers(ngx_http_request_t *r, at_ws_handshake_t *h)
{
    ngx_uint_t                    i;
    ngx_list_part_t              *part;
    ngx_table_elt_t              *header;
    ngx_http_atelier_loc_conf_t  *alcf;

    ngx_memzero(h, sizeof(at_ws_handshake_t));

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            at_ws_handshake_header(h, ngx_http_atelier_str(&header[i].key),
                                   ngx_http_atelier_str(&header[i].value));
        }
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    if (!alcf->live->socket.deflate) {
        h->deflate = 0;
    }
}


static ngx_int_t
ngx_http_atelier_live_refuse(ngx_http_request_t *r, at_ws_refusal_t *refusal)
{
    ngx_int_t    rc;
    const char  *code;

    ngx_http_atelier_socket_self->counters.refused++;

    rc = NGX_OK;

    switch (refusal->status) {

    case NGX_HTTP_FORBIDDEN:
        code = "origin_not_allowed";
        break;

    case NGX_HTTP_NOT_ALLOWED:
        code = "method_not_allowed";
        rc = ngx_http_atelier_live_add(r, "Allow", "GET", 3);
        break;

    case 426:
        code = "upgrade_required";
        rc = ngx_http_atelier_live_add(r, "Upgrade", "websocket", 9);
        rc |= ngx_http_atelier_live_add(r, "Sec-WebSocket-Version",
                                        AT_WS_VERSION,
                                        sizeof(AT_WS_VERSION) - 1);
        break;

    case 505:
        code = "http_version";
        break;

    default: /* 400 */
        code = "invalid_handshake";
        break;
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_problem_simple(r, refusal->status, code,
                                           refusal->detail);
}


static ngx_int_t
ngx_http_atelier_live_full(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail)
{
    ngx_http_atelier_problem_t  problem;

    ngx_http_atelier_socket_self->counters.refused++;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = status;
    problem.code = code;
    problem.detail = detail;
    problem.retry_after = 10;

    return ngx_http_atelier_problem(r, &problem);
}


static ngx_int_t
ngx_http_atelier_live_accept(ngx_http_request_t *r, at_ws_handshake_t *h)
{
    char       key[AT_WS_ACCEPT], extension[AT_WS_EXTENSION_MAX];
    size_t     len;
    ngx_int_t  rc;

    if (at_ws_accept(h->key, key) != AT_OK) {
        return NGX_ERROR;
    }

    len = h->deflate ? at_ws_extension(h, extension) : 0;

    rc = ngx_http_atelier_live_add(r, "Upgrade", "websocket", 9);
    rc |= ngx_http_atelier_live_add(r, "Sec-WebSocket-Accept", key,
                                    AT_WS_ACCEPT);

    if (len) {
        rc |= ngx_http_atelier_live_add(r, "Sec-WebSocket-Extensions",
                                        extension, len);
    }

    rc |= ngx_http_atelier_add_header(r, "X-Request-ID",
                                      ngx_http_atelier_request_id(r));

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");
    ngx_http_clear_content_length(r);

    r->keepalive = 0;

    return rc ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_atelier_live_add(ngx_http_request_t *r, const char *name,
    const char *value, size_t len)
{
    ngx_str_t  copy;

    copy.len = len;
    copy.data = ngx_pnalloc(r->pool, len);

    if (copy.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy.data, value, len);

    return ngx_http_atelier_add_header(r, name, &copy);
}


/* A message costs its sender an error at most; floods are seen to before. */

void
ngx_http_atelier_live_message(ngx_http_atelier_socket_t *s,
    at_ws_event_t *event)
{
    int              rc;
    at_buf_t         b;
    at_live_in_t     in;
    at_live_error_t  error;

    if (at_live_read(event->data, &in, &error) != AT_OK) {
        ngx_http_atelier_live_error(s, error.code, "%s", error.detail);
        return;
    }

    switch (in.type) {

    case AT_LIVE_PING:
        ngx_memzero(&b, sizeof(at_buf_t));
        rc = at_live_write_pong(&b, &in);

        ngx_http_atelier_live_text(s, rc, &b);
        return;

    case AT_LIVE_SUBSCRIBE:

        if (s->conf->flat && in.channel.kind != AT_LIVE_PRODUCT) {
            ngx_http_atelier_live_error(s, "unknown_channel",
                                        "this address has the channels of "
                                        "products alone; use product:id");
            return;
        }

        ngx_http_atelier_hub_subscribe(s, &in);
        return;

    default: /* AT_LIVE_UNSUBSCRIBE */
        ngx_http_atelier_hub_unsubscribe(s, &in);
        return;
    }
}


void
ngx_http_atelier_live_error(ngx_http_atelier_socket_t *s, const char *code,
    const char *fmt, ...)
{
    int              rc;
    u_char          *p;
    va_list          args;
    at_buf_t         b;
    at_live_error_t  error;

    error.code = code;

    p = (u_char *) error.detail;

    va_start(args, fmt);
    p = ngx_vslprintf(p, p + sizeof(error.detail) - 1, fmt, args);
    va_end(args);

    *p = '\0';

    ngx_memzero(&b, sizeof(at_buf_t));
    rc = at_live_write_error(&b, &error);

    ngx_http_atelier_live_text(s, rc, &b);
}


/* Sends what was written, if it was, and frees it. */

static void
ngx_http_atelier_live_text(ngx_http_atelier_socket_t *s, int rc, at_buf_t *b)
{
    ngx_http_atelier_frame_t  *frame;

    frame = (rc == AT_OK) ? ngx_http_atelier_frame(AT_WS_TEXT, at_buf_str(b))
                          : NULL;
    at_buf_free(b);

    if (frame) {
        ngx_http_atelier_socket_send(s, frame);
        ngx_http_atelier_frame_unref(frame);
    }
}


void
ngx_http_atelier_live_echo(ngx_http_atelier_socket_t *s, at_ws_event_t *event)
{
    ngx_http_atelier_frame_t  *frame;

    frame = ngx_http_atelier_frame(event->binary ? AT_WS_BINARY : AT_WS_TEXT,
                                   event->data);
    if (frame) {
        ngx_http_atelier_socket_send(s, frame);
        ngx_http_atelier_frame_unref(frame);
    }
}
