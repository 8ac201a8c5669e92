/*
 * The life of a socket (see ngx_http_atelier_socket.h): it is let go of its
 * request, watched by pings, closed with a code and a limit of time, and
 * drained when the worker is to exit.
 *
 * The request is freed as core does before it waits for the next one on a
 * connection; only then its memory, and the buffers of its headers, are given
 * back.  Core has not finished with a request when its handler returns, so
 * that is done by an event posted for the end of the same turn.  Without TLS
 * the pool of the connection goes as well: what a bare connection needs is not
 * in it but for its log, for which that of the location stands in.
 *
 * The connection's two events have two timers: that of reading is for pings
 * and closing, that of writing for a client that does not read.
 */

#include "ngx_http_atelier_socket.h"


#define NGX_HTTP_ATELIER_SOCKET_CLOSE  2000        /* ms for their Close */


static void ngx_http_atelier_socket_detach(ngx_event_t *ev);
static ngx_int_t ngx_http_atelier_socket_sent(ngx_http_request_t *r,
    ngx_event_t *ev);
static void ngx_http_atelier_socket_begin(ngx_connection_t *c,
    ngx_http_atelier_socket_t *s);
static void ngx_http_atelier_socket_buffers(ngx_connection_t *c,
    ngx_http_connection_t *hc);
static void ngx_http_atelier_socket_strip(ngx_connection_t *c,
    ngx_log_t *log);
static void ngx_http_atelier_socket_log(ngx_http_atelier_socket_t *s,
    const char *why);
static ngx_http_atelier_close_e ngx_http_atelier_socket_close_index(
    unsigned code);
static void ngx_http_atelier_socket_free(ngx_http_atelier_socket_t *s);
static void ngx_http_atelier_socket_wait(ngx_http_atelier_socket_t *s,
    ngx_msec_t ms);


ngx_http_atelier_socket_t *
ngx_http_atelier_socket_create(ngx_http_request_t *r,
    ngx_http_atelier_socket_conf_t *conf, ngx_http_atelier_holder_t *holder)
{
    ngx_http_atelier_socket_t  *s;

    s = ngx_calloc(sizeof(ngx_http_atelier_socket_t), r->connection->log);
    if (s == NULL) {
        return NULL;
    }

    s->connection = r->connection;
    s->conf = conf;
    s->holder = holder;
    s->code = NGX_HTTP_ATELIER_NO_CLOSE;

    ngx_http_atelier_socket_self->open++;

    return s;
}


ngx_int_t
ngx_http_atelier_socket_open(ngx_http_request_t *r,
    ngx_http_atelier_socket_t *s)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_atelier_ctx_t    *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ctx = ngx_http_atelier_get_ctx(r);
    if (ctx == NULL) {
        ngx_http_atelier_socket_free(s);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK
        || ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR
        || (clcf->tcp_nodelay && ngx_tcp_nodelay(c) != NGX_OK))
    {
        ngx_http_atelier_socket_free(s);
        return (rc > NGX_OK) ? rc : NGX_ERROR;
    }

    ctx->socket = s;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    r->main->count++;

    c->read->handler = ngx_http_atelier_socket_detach;
    c->write->handler = ngx_http_empty_handler;

    ngx_post_event(c->read, &ngx_posted_events);

    return NGX_DONE;
}


static void
ngx_http_atelier_socket_detach(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_log_t                  *log;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_connection_t      *hc;
    ngx_http_atelier_ctx_t     *ctx;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_atelier_socket_t  *s;

    c = ev->data;
    r = c->data;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    s = ctx->socket;

    rc = ngx_http_atelier_socket_sent(r, ev);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_atelier_socket_free(s);
        ngx_http_finalize_request(r, NGX_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    log = clcf->error_log;
    hc = r->http_connection;
    b = r->header_in;

    r->keepalive = 0;
    ngx_http_free_request(r, 0);

    /* nothing of r from here on; b is in the connection's pool */

    ngx_http_atelier_socket_begin(c, s);

    if (b->pos < b->last) {
        ngx_http_atelier_socket_self->counters.bytes_in += b->last - b->pos;
        ngx_http_atelier_socket_input(s, b->pos, b->last - b->pos);
    }

    if (ngx_http_atelier_socket_tls(c)) {
        ngx_http_atelier_socket_buffers(c, hc);

    } else {
        ngx_http_atelier_socket_strip(c, log);
    }

    if (s->refused) {
        ngx_http_atelier_socket_close(s, AT_WS_TRY_LATER,
                                      "too many sockets of this address");

    } else if (ngx_exiting) {
        ngx_http_atelier_socket_drain(s);
    }

    /* more of it may have come behind the headers */

    ngx_post_event(c->read, &ngx_posted_events);
}


/* The answers to requests before this one may still be under way. */

static ngx_int_t
ngx_http_atelier_socket_sent(ngx_http_request_t *r, ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;

    if (c->error || ev->timedout) {
        return NGX_ERROR;
    }

    if (!c->buffered && r->out == NULL) {
        return NGX_OK;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR || c->error) {
        return NGX_ERROR;
    }

    if (c->buffered || r->out) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        c->read->handler = ngx_http_atelier_socket_detach;
        c->write->handler = ngx_http_atelier_socket_detach;

        if (ngx_handle_read_event(c->read, 0) != NGX_OK
            || ngx_handle_write_event(c->write, clcf->send_lowat) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (!c->write->timer_set) {
            ngx_add_timer(c->write, clcf->send_timeout);
        }

        return NGX_AGAIN;
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    return NGX_OK;
}


static void
ngx_http_atelier_socket_begin(ngx_connection_t *c,
    ngx_http_atelier_socket_t *s)
{
    c->data = s;
    c->log->action = "serving a WebSocket";
    c->destroyed = 0;
    c->sent = 0;
    c->idle = 1;

    c->read->handler = ngx_http_atelier_socket_read;
    c->write->handler = ngx_http_atelier_socket_write;

    if (c->tcp_nopush == NGX_TCP_NOPUSH_SET) {
        (void) ngx_tcp_push(c->fd);
        c->tcp_nopush = NGX_TCP_NOPUSH_UNSET;
    }

    ngx_http_atelier_socket_self->counters.opened++;

    s->heard = ngx_current_msec;

    /* clients that came all at once are not pinged all at once */

    ngx_http_atelier_socket_wait(s, s->conf->ping
                                    - ngx_random() % (s->conf->ping / 4));
}


/*
 * A connection that needs its pool, as TLS does, gives back the buffers of
 * request headers, as core frees them for an idle one.
 */

static void
ngx_http_atelier_socket_buffers(ngx_connection_t *c,
    ngx_http_connection_t *hc)
{
    ngx_uint_t     i;
    ngx_chain_t   *cl, *ln, **lists[2];

    lists[0] = &hc->free;
    lists[1] = &hc->busy;

    for (i = 0; i < 2; i++) {

        for (cl = *lists[i]; cl; /* void */) {
            ln = cl;
            cl = cl->next;

            ngx_pfree(c->pool, ln->buf->start);
            ngx_free_chain(c->pool, ln);
        }

        *lists[i] = NULL;
    }

    hc->nbusy = 0;

    ngx_pfree(c->pool, c->buffer->start);
    c->buffer = NULL;

#if (NGX_HTTP_SSL)
    ngx_ssl_free_buffer(c);

    /* the same bytes may come again from another place, with more behind */

    (void) SSL_set_mode(c->ssl->connection,
                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#endif
}


/* All that pointed into the pool points elsewhere or nowhere. */

static void
ngx_http_atelier_socket_strip(ngx_connection_t *c, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    pool = c->pool;

    c->pool = NULL;
    c->buffer = NULL;
    c->sockaddr = NULL;
    c->socklen = 0;
    c->local_sockaddr = NULL;
    c->local_socklen = 0;
    c->proxy_protocol = NULL;
    ngx_str_null(&c->addr_text);

    ngx_destroy_pool(pool);

    c->log = log;
    c->read->log = log;
    c->write->log = log;
}


/* Sets the timer anew, also to a time before the one it had. */

static void
ngx_http_atelier_socket_wait(ngx_http_atelier_socket_t *s, ngx_msec_t ms)
{
    ngx_event_t  *rev;

    rev = s->connection->read;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    ngx_add_timer(rev, ms);
}


void
ngx_http_atelier_socket_timer(ngx_http_atelier_socket_t *s)
{
    ngx_msec_t                 idle;
    ngx_http_atelier_frame_t  *ping;

    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        ngx_http_atelier_socket_end(s, "client does not close");
        return;
    }

    if (s->draining) {
        ngx_http_atelier_socket_close(s, AT_WS_RESTART, "server restarts");
        return;
    }

    if (s->pinged) {
        s->by_server = 1;
        ngx_http_atelier_socket_end(s, "client does not answer a ping");
        return;
    }

    idle = ngx_current_msec - s->heard;

    if (idle < s->conf->ping) {
        ngx_http_atelier_socket_wait(s, s->conf->ping - idle);
        return;
    }

    ping = ngx_http_atelier_frame(AT_WS_PING, AT_STR_NULL);

    if (ping) {
        ngx_http_atelier_socket_enqueue(s, ping);
        ngx_http_atelier_frame_unref(ping);
    }

    s->pinged = 1;
    ngx_http_atelier_socket_wait(s, s->conf->timeout);
}


/*
 * The worker is to exit.  Clients come back at once, so they are sent away one
 * by one; until then they are served.  The timer keeps the worker from exiting
 * before.
 */

void
ngx_http_atelier_socket_drain(ngx_http_atelier_socket_t *s)
{
    s->draining = 1;

    if (s->state == NGX_HTTP_ATELIER_SOCKET_OPEN) {
        ngx_http_atelier_socket_wait(s, 1 + ngx_random()
                                            % (s->conf->drain + 1));
    }
}


void
ngx_http_atelier_socket_close(ngx_http_atelier_socket_t *s, unsigned code,
    const char *reason)
{
    ngx_http_atelier_frame_t  *frame;

    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        return;
    }

    s->state = NGX_HTTP_ATELIER_SOCKET_CLOSING;
    s->code = code;
    s->by_server = 1;

    frame = ngx_http_atelier_frame_close(code, reason);

    if (frame == NULL) {
        ngx_http_atelier_socket_abort(s);
        return;
    }

    ngx_http_atelier_socket_enqueue(s, frame);
    ngx_http_atelier_frame_unref(frame);

    ngx_http_atelier_socket_wait(s, NGX_HTTP_ATELIER_SOCKET_CLOSE);
}


void
ngx_http_atelier_socket_fail(ngx_http_atelier_socket_t *s, unsigned code,
    const char *reason)
{
    ngx_http_atelier_socket_close(s, code, reason);

    s->state = NGX_HTTP_ATELIER_SOCKET_OVER;

    ngx_http_atelier_socket_flush(s);
}


/*
 * All is sent and nothing more will be parsed.  Were the connection closed
 * now, what the client is still sending would make the kernel take back the
 * Close, so it is read to its end.
 */

ngx_int_t
ngx_http_atelier_socket_shut(ngx_http_atelier_socket_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;
    s->shut = 1;

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        c->ssl->shutdown_without_free = 1;

        if (ngx_ssl_shutdown(c) != NGX_OK) {
            ngx_http_atelier_socket_end(s, "closed");
            return NGX_DONE;
        }
    }

#endif

    if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        ngx_http_atelier_socket_end(s, "closed");
        return NGX_DONE;
    }

    return NGX_OK;
}


static ngx_http_atelier_close_e
ngx_http_atelier_socket_close_index(unsigned code)
{
    switch (code) {

#define X(n)                                                                  \
    case n:                                                                   \
        return NGX_HTTP_ATELIER_CLOSE_##n;

    NGX_HTTP_ATELIER_CLOSES(X)
#undef X

    default:
        return NGX_HTTP_ATELIER_CLOSE_OTHER;
    }
}


void
ngx_http_atelier_socket_end(ngx_http_atelier_socket_t *s, const char *why)
{
    ngx_uint_t        i;
    ngx_connection_t  *c;

    c = s->connection;
    i = ngx_http_atelier_socket_close_index(s->code);

    ngx_http_atelier_socket_self->counters.closes[s->by_server][i]++;

    ngx_http_atelier_socket_log(s, why);

    /* whom no Close can be agreed with needs no farewell of TLS either */

    if (!s->their_close) {
        c->error = 1;
    }

    c->idle = 0;
    c->data = NULL;

    ngx_http_atelier_socket_free(s);

    if (c->pool) {
        ngx_http_close_connection(c);
        return;
    }

    /* the same for a connection that was stripped */

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    c->destroyed = 1;
    ngx_close_connection(c);
}


/* The connection's number is that of $connection in the access log. */

static void
ngx_http_atelier_socket_log(ngx_http_atelier_socket_t *s, const char *why)
{
    size_t                       len;
    u_char                       text[NGX_INET6_ADDRSTRLEN], full[16];
    ngx_http_atelier_address_t  *a;

    len = 0;

    if (s->holder) {
        a = s->holder->address;

        ngx_memzero(full, sizeof(full));
        ngx_memcpy(full, a->text, a->len);

        len = ngx_inet_ntop((a->len == 4) ? AF_INET : AF_INET6,
                            full, text, sizeof(text));
    }

    ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                  "socket %uA%s%*s ended with code %ui of the %s: %s",
                  s->connection->number, len ? " of " : "", len, text,
                  (ngx_uint_t) s->code, s->by_server ? "server" : "client",
                  why);
}


static void
ngx_http_atelier_socket_free(ngx_http_atelier_socket_t *s)
{
    if (s->subs) {
        s->conf->gone(s);
    }

    while (s->first) {
        ngx_http_atelier_socket_pop(s);
    }

    if (s->parser) {
        at_ws_parser_free(s->parser);
        ngx_free(s->parser);
    }

    ngx_http_atelier_socket_release(s->holder);
    ngx_http_atelier_socket_self->open--;

    if (s->is_dirty) {

        /* it is in a list, and freed where that is walked */

        s->connection = NULL;
        return;
    }

    ngx_free(s);
}
