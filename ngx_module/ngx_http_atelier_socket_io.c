/*
 * The bytes of a socket: what comes goes through the parser, what goes waits
 * in a queue until the end of the loop's turn.
 *
 * One read buffer and one write buffer serve all sockets of the worker.  A
 * parser is kept only while a frame or message is incomplete.
 */

#include "ngx_http_atelier_socket.h"


#define NGX_HTTP_ATELIER_SOCKET_BUFFER  16384
#define NGX_HTTP_ATELIER_SOCKET_READS   4          /* at a time, then others */
#define NGX_HTTP_ATELIER_SOCKET_WRITES  256        /* sockets, likewise */
#define NGX_HTTP_ATELIER_SOCKET_UNHEARD  1048576   /* bytes: more of a closed
                                                      socket is a flood */
#define NGX_HTTP_ATELIER_SPARE_MAX      16384


static ngx_uint_t ngx_http_atelier_socket_told(ngx_event_t *rev);
static ngx_int_t ngx_http_atelier_socket_receive(ngx_connection_t *c);
static ngx_int_t ngx_http_atelier_socket_event(ngx_http_atelier_socket_t *s,
    at_ws_result_e result, at_ws_event_t *event);
static void ngx_http_atelier_socket_keep(ngx_http_atelier_socket_t *s,
    at_ws_parser_t *parser);
static ngx_uint_t ngx_http_atelier_socket_over(ngx_uint_t max,
    ngx_http_atelier_socket_t *s, uint32_t *n);
static void ngx_http_atelier_socket_eased(ngx_http_atelier_socket_t *s);
static size_t ngx_http_atelier_socket_gather(ngx_http_atelier_socket_t *s,
    u_char **p);
static void ngx_http_atelier_socket_advance(ngx_http_atelier_socket_t *s,
    size_t n);
static void ngx_http_atelier_socket_forget(ngx_http_atelier_socket_t *s);
static void ngx_http_atelier_socket_turn(ngx_event_t *ev);


static u_char  ngx_http_atelier_socket_in[NGX_HTTP_ATELIER_SOCKET_BUFFER];
static u_char  ngx_http_atelier_socket_out[NGX_HTTP_ATELIER_SOCKET_BUFFER];

static at_ws_inflate_t  *ngx_http_atelier_inflate;

/* Sockets with something to write, and the event that does it. */
static ngx_http_atelier_socket_t   *ngx_http_atelier_dirty;
static ngx_http_atelier_socket_t  **ngx_http_atelier_dirty_end
                                                = &ngx_http_atelier_dirty;
static ngx_event_t                  ngx_http_atelier_turn;

/* Links of queues for further use. */
static ngx_http_atelier_queued_t  *ngx_http_atelier_spare;
static ngx_uint_t                  ngx_http_atelier_nspare;


void
ngx_http_atelier_socket_read(ngx_event_t *rev)
{
    ngx_int_t          rc;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    if (ngx_http_atelier_socket_told(rev)) {
        return;
    }

    c = rev->data;
    rc = NGX_OK;

    for (i = 0; rc == NGX_OK && i < NGX_HTTP_ATELIER_SOCKET_READS; i++) {
        rc = ngx_http_atelier_socket_receive(c);
    }

    if (rc == NGX_ERROR) {
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_atelier_socket_end(c->data, "event failed");
        return;
    }

    if (rc == NGX_OK) {
        ngx_post_event(rev, &ngx_posted_next_events);
    }
}


/* Whether the event says something else than that there are bytes. */

static ngx_uint_t
ngx_http_atelier_socket_told(ngx_event_t *rev)
{
    ngx_connection_t           *c;
    ngx_http_atelier_socket_t  *s;

    c = rev->data;
    s = c->data;

    if (c->close && c->error) {

        /* worker_shutdown_timeout */

        ngx_http_atelier_socket_close(s, AT_WS_RESTART, "server restarts");

        if (ngx_http_atelier_socket_written(s) == NGX_OK) {
            ngx_http_atelier_socket_end(s, "shutdown timeout");
        }

        return 1;
    }

    if (c->close && !s->draining) {
        ngx_http_atelier_socket_drain(s);
        return 1;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_http_atelier_socket_timer(s);
        return 1;
    }

    return 0;
}


/* NGX_AGAIN: no more is read for now; NGX_ERROR: the socket is no more. */

static ngx_int_t
ngx_http_atelier_socket_receive(ngx_connection_t *c)
{
    ssize_t                     n;
    ngx_http_atelier_socket_t  *s;

    s = c->data;

    /* who does not read answers is not asked for more to answer */

    if (s->queued > s->conf->max_queue / 4
        && s->state == NGX_HTTP_ATELIER_SOCKET_OPEN)
    {
        s->paused = 1;
        return NGX_AGAIN;
    }

    n = c->recv(c, ngx_http_atelier_socket_in, NGX_HTTP_ATELIER_SOCKET_BUFFER);

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n == 0 || n == NGX_ERROR) {
        ngx_http_atelier_socket_end(s, "client hung up");
        return NGX_ERROR;
    }

    ngx_http_atelier_socket_self->counters.bytes_in += n;

    ngx_http_atelier_socket_input(s, ngx_http_atelier_socket_in, n);

    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        s->unheard += n;

        if (s->unheard > NGX_HTTP_ATELIER_SOCKET_UNHEARD) {
            ngx_http_atelier_socket_end(s, "client does not stop");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_atelier_socket_input(ngx_http_atelier_socket_t *s, u_char *p,
    size_t len)
{
    u_char          *end;
    at_ws_rules_t    rules;
    at_ws_event_t    event;
    at_ws_parser_t  *parser, fresh;
    at_ws_result_e   result;

    s->heard = ngx_current_msec;
    s->pinged = 0;

    if (s->state == NGX_HTTP_ATELIER_SOCKET_OVER || s->their_close) {
        return;
    }

    if (s->deflate && ngx_http_atelier_inflate == NULL) {
        ngx_http_atelier_inflate = at_ws_inflate_create();

        if (ngx_http_atelier_inflate == NULL) {
            ngx_http_atelier_socket_fail(s, AT_WS_INTERNAL, "no memory");
            return;
        }
    }

    rules.message_max = s->conf->max_message;
    rules.inflate = ngx_http_atelier_inflate;
    rules.binary = s->conf->binary;

    parser = s->parser;

    if (parser == NULL) {
        ngx_memzero(&fresh, sizeof(at_ws_parser_t));
        fresh.deflate = s->deflate;
        parser = &fresh;
    }

    end = p + len;

    do {
        result = at_ws_parse(parser, &rules, &p, end, &event);

        if (ngx_http_atelier_socket_event(s, result, &event) != NGX_OK) {
            break;
        }

    } while (result != AT_WS_MORE);

    ngx_http_atelier_socket_keep(s, parser);
}


/* NGX_DECLINED: nothing more is to be parsed, now or later. */

static ngx_int_t
ngx_http_atelier_socket_event(ngx_http_atelier_socket_t *s,
    at_ws_result_e result, at_ws_event_t *event)
{
    ngx_http_atelier_frame_t  *pong;

    if (result == AT_WS_MORE) {
        return NGX_OK;
    }

    if (result == AT_WS_FAILED) {
        ngx_http_atelier_socket_fail(s, event->code, event->why);
        return NGX_DECLINED;
    }

    ngx_http_atelier_socket_self->counters.messages_in++;

    if (result == AT_WS_GOT_CLOSE) {
        s->their_close = 1;

        if (s->state == NGX_HTTP_ATELIER_SOCKET_OPEN) {
            ngx_http_atelier_socket_close(s, event->code, "");
            s->by_server = 0;
        }

        ngx_http_atelier_socket_flush(s);

        return NGX_DECLINED;
    }

    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        return NGX_OK;
    }

    if (result == AT_WS_GOT_MESSAGE) {

        if (ngx_http_atelier_socket_over(s->conf->messages, s, &s->messages)) {
            ngx_http_atelier_socket_fail(s, AT_WS_POLICY,
                                         "too many messages a second");
            return NGX_DECLINED;
        }

        s->conf->message(s, event);

    } else if (ngx_http_atelier_socket_over(s->conf->pings, s, &s->pings)) {
        ngx_http_atelier_socket_fail(s, AT_WS_POLICY,
                                     "too many pings a second");
        return NGX_DECLINED;

    } else if (result == AT_WS_GOT_PING) {
        pong = ngx_http_atelier_frame(AT_WS_PONG, event->data);

        if (pong) {
            ngx_http_atelier_socket_enqueue(s, pong);
            ngx_http_atelier_frame_unref(pong);
        }
    }

    return (s->state == NGX_HTTP_ATELIER_SOCKET_OVER) ? NGX_DECLINED : NGX_OK;
}


/* One more in the second that began with the first of them. */

static ngx_uint_t
ngx_http_atelier_socket_over(ngx_uint_t max, ngx_http_atelier_socket_t *s,
    uint32_t *n)
{
    if (ngx_current_msec - s->second >= 1000) {
        s->second = ngx_current_msec;
        s->messages = 0;
        s->pings = 0;
    }

    return ++*n > max;
}


/* Most sockets are between two frames at most times. */

static void
ngx_http_atelier_socket_keep(ngx_http_atelier_socket_t *s,
    at_ws_parser_t *parser)
{
    at_ws_parser_t  *kept;

    if (s->state == NGX_HTTP_ATELIER_SOCKET_OVER || s->their_close
        || at_ws_parser_idle(parser))
    {
        at_ws_parser_free(parser);

        if (s->parser) {
            ngx_free(s->parser);
            s->parser = NULL;
        }

        return;
    }

    if (s->parser) {
        return;
    }

    kept = ngx_alloc(sizeof(at_ws_parser_t), s->connection->log);
    if (kept == NULL) {
        at_ws_parser_free(parser);
        ngx_http_atelier_socket_fail(s, AT_WS_INTERNAL, "no memory");
        return;
    }

    *kept = *parser;
    s->parser = kept;
}


void
ngx_http_atelier_socket_send(ngx_http_atelier_socket_t *s,
    ngx_http_atelier_frame_t *frame)
{
    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        return;
    }

    if (s->deflate) {
        frame = ngx_http_atelier_frame_for(frame, s->window);
    }

    if (s->queued + frame->len > s->conf->max_queue && s->queued) {
        ngx_http_atelier_socket_slow(s);
        return;
    }

    ngx_http_atelier_socket_enqueue(s, frame);
}


void
ngx_http_atelier_socket_slow(ngx_http_atelier_socket_t *s)
{
    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        return;
    }

    /* TLS may have been given the bytes of any number of frames */

    if (!ngx_http_atelier_socket_tls(s->connection)) {
        ngx_http_atelier_socket_forget(s);
    }

    ngx_http_atelier_socket_close(s, AT_WS_TRY_LATER,
                                  "too slow: messages wait");
}


void
ngx_http_atelier_socket_enqueue(ngx_http_atelier_socket_t *s,
    ngx_http_atelier_frame_t *frame)
{
    ngx_http_atelier_queued_t  *q;

    q = ngx_http_atelier_spare;

    if (q) {
        ngx_http_atelier_spare = q->next;
        ngx_http_atelier_nspare--;

    } else {
        q = ngx_alloc(sizeof(ngx_http_atelier_queued_t), s->connection->log);
        if (q == NULL) {
            ngx_http_atelier_socket_abort(s);
            return;
        }
    }

    frame->refs++;

    q->frame = frame;
    q->next = NULL;

    if (s->first) {
        s->last->next = q;

    } else {
        s->first = q;
    }

    s->last = q;
    s->queued += frame->len;

    ngx_http_atelier_socket_flush(s);
}


/* Has it written at the end of this turn. */

void
ngx_http_atelier_socket_flush(ngx_http_atelier_socket_t *s)
{
    if (s->is_dirty) {
        return;
    }

    if (ngx_http_atelier_turn.handler == NULL) {
        ngx_http_atelier_turn.handler = ngx_http_atelier_socket_turn;
        ngx_http_atelier_turn.log = ngx_cycle->log;
    }

    s->is_dirty = 1;
    s->next_dirty = NULL;

    *ngx_http_atelier_dirty_end = s;
    ngx_http_atelier_dirty_end = &s->next_dirty;

    ngx_post_event(&ngx_http_atelier_turn, &ngx_posted_events);
}


/* Others have a turn of the loop between any number of sockets. */

static void
ngx_http_atelier_socket_turn(ngx_event_t *ev)
{
    ngx_uint_t                  i;
    ngx_http_atelier_socket_t  *s;

    for (i = 0; i < NGX_HTTP_ATELIER_SOCKET_WRITES; i++) {
        s = ngx_http_atelier_dirty;

        if (s == NULL) {
            return;
        }

        ngx_http_atelier_dirty = s->next_dirty;

        if (ngx_http_atelier_dirty == NULL) {
            ngx_http_atelier_dirty_end = &ngx_http_atelier_dirty;
        }

        s->is_dirty = 0;

        if (s->connection == NULL) {
            ngx_free(s);

        } else {
            (void) ngx_http_atelier_socket_written(s);
        }
    }

    if (ngx_http_atelier_dirty) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


void
ngx_http_atelier_socket_write(ngx_event_t *wev)
{
    ngx_connection_t           *c;
    ngx_http_atelier_socket_t  *s;

    c = wev->data;
    s = c->data;

    if (wev->timedout) {
        wev->timedout = 0;

        if (s->state == NGX_HTTP_ATELIER_SOCKET_OPEN) {
            s->code = AT_WS_TRY_LATER;
            s->by_server = 1;
        }

        ngx_http_atelier_socket_end(s, "client does not read");
        return;
    }

    (void) ngx_http_atelier_socket_written(s);
}


/* Writes what can be.  NGX_DONE: the socket is gone. */

ngx_int_t
ngx_http_atelier_socket_written(ngx_http_atelier_socket_t *s)
{
    u_char                            *p;
    size_t                             len;
    ssize_t                            n;
    ngx_event_t                       *wev;
    ngx_connection_t                  *c;
    ngx_http_atelier_socket_worker_t  *w;

    c = s->connection;
    wev = c->write;
    w = ngx_http_atelier_socket_self;

    while (s->first && wev->ready) {
        len = ngx_http_atelier_socket_gather(s, &p);
        n = c->send(c, p, len);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_atelier_socket_end(s, "client hung up");
            return NGX_DONE;
        }

        w->counters.bytes_out += n;
        ngx_http_atelier_socket_advance(s, n);

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }
    }

    if (s->queued <= s->conf->max_queue / 8) {
        ngx_http_atelier_socket_eased(s);
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_atelier_socket_end(s, "event failed");
        return NGX_DONE;
    }

    if (s->first) {
        if (!wev->timer_set) {
            ngx_add_timer(wev, s->conf->timeout);
        }

        return NGX_OK;
    }

    if (s->their_close) {
        ngx_http_atelier_socket_end(s, "closed");
        return NGX_DONE;
    }

    if (s->state == NGX_HTTP_ATELIER_SOCKET_OVER && !s->shut) {
        return ngx_http_atelier_socket_shut(s);
    }

    return NGX_OK;
}


/* Whatever was put off until its queue is short. */

static void
ngx_http_atelier_socket_eased(ngx_http_atelier_socket_t *s)
{
    if (s->paused) {
        s->paused = 0;
        ngx_post_event(s->connection->read, &ngx_posted_events);
    }

    if (s->behind) {
        s->behind = 0;

        if (s->subs) {
            s->conf->drained(s);
        }
    }
}


/*
 * The bytes to send next: of one large frame, or copies of as many small ones
 * as the buffer holds.  TLS wants the same bytes again after NGX_AGAIN, and
 * gets them, as frames are only ever added behind; that they may stand in
 * another place then, it was told.
 */

static size_t
ngx_http_atelier_socket_gather(ngx_http_atelier_socket_t *s, u_char **p)
{
    size_t                      len, n, skip;
    ngx_http_atelier_queued_t  *q;

    q = s->first;

    if (q->next == NULL
        || q->frame->len - s->sent >= NGX_HTTP_ATELIER_SOCKET_BUFFER)
    {
        *p = q->frame->data + s->sent;
        return q->frame->len - s->sent;
    }

    *p = ngx_http_atelier_socket_out;
    skip = s->sent;

    for (len = 0; q && len < NGX_HTTP_ATELIER_SOCKET_BUFFER; q = q->next) {
        n = ngx_min(q->frame->len - skip,
                    NGX_HTTP_ATELIER_SOCKET_BUFFER - len);

        ngx_memcpy(*p + len, q->frame->data + skip, n);

        len += n;
        skip = 0;
    }

    return len;
}


static void
ngx_http_atelier_socket_advance(ngx_http_atelier_socket_t *s, size_t n)
{
    size_t                             left;
    ngx_http_atelier_socket_worker_t  *w;

    w = ngx_http_atelier_socket_self;

    while (s->first) {
        left = s->first->frame->len - s->sent;

        if (n < left) {
            s->sent += n;
            return;
        }

        n -= left;
        w->counters.messages_out++;

        ngx_http_atelier_socket_pop(s);
    }
}


void
ngx_http_atelier_socket_pop(ngx_http_atelier_socket_t *s)
{
    ngx_http_atelier_queued_t  *q;

    q = s->first;

    s->first = q->next;
    s->queued -= q->frame->len;
    s->sent = 0;

    ngx_http_atelier_frame_unref(q->frame);

    if (ngx_http_atelier_nspare < NGX_HTTP_ATELIER_SPARE_MAX) {
        q->next = ngx_http_atelier_spare;
        ngx_http_atelier_spare = q;
        ngx_http_atelier_nspare++;

    } else {
        ngx_free(q);
    }
}


/* Drops what waits, but finishes a frame of which a part is on its way. */

static void
ngx_http_atelier_socket_forget(ngx_http_atelier_socket_t *s)
{
    size_t                      sent;
    ngx_http_atelier_queued_t  *begun;

    sent = s->sent;
    begun = sent ? s->first : NULL;

    if (begun) {
        s->first = begun->next;
        begun->next = NULL;
    }

    while (s->first) {
        ngx_http_atelier_socket_pop(s);
    }

    s->first = begun;
    s->last = begun;
    s->sent = sent;
}


/* Bytes are missing now: its end follows as if the client had hung up. */

void
ngx_http_atelier_socket_abort(ngx_http_atelier_socket_t *s)
{
    s->state = NGX_HTTP_ATELIER_SOCKET_OVER;
    s->by_server = 1;
    s->shut = 1;

    (void) ngx_shutdown_socket(s->connection->fd, SHUT_RDWR);
}
