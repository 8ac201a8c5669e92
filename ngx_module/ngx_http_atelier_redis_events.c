/*
 * hiredis on nginx's events (see ngx_http_atelier_redis_link.h).
 *
 * The socket is wrapped in an ngx_connection_t.  hiredis closes the socket
 * itself, after the cleanup hook: there the wrapping is given back without
 * closing anything.  Events are level-triggered, as hiredis reads 16 KB at a
 * time.  Whatever is called in hiredis may free its context, so nothing is
 * done with it afterwards.
 */

#include "ngx_http_atelier_redis_link.h"


static void ngx_http_atelier_redis_on_connect(const redisAsyncContext *ac,
    int status);
static void ngx_http_atelier_redis_on_disconnect(const redisAsyncContext *ac,
    int status);
static void ngx_http_atelier_redis_add_read(void *data);
static void ngx_http_atelier_redis_del_read(void *data);
static void ngx_http_atelier_redis_add_write(void *data);
static void ngx_http_atelier_redis_del_write(void *data);
static void ngx_http_atelier_redis_cleanup(void *data);
static void ngx_http_atelier_redis_read(ngx_event_t *rev);
static void ngx_http_atelier_redis_write(ngx_event_t *wev);


ngx_int_t
ngx_http_atelier_redis_link_attach(ngx_http_atelier_redis_link_t *link,
    redisAsyncContext *ac)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(ac->c.fd, ngx_cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = link;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    c->read->handler = ngx_http_atelier_redis_read;
    c->read->log = c->log;
    c->write->handler = ngx_http_atelier_redis_write;
    c->write->log = c->log;

    link->connection = c;
    link->connected = 0;
    link->beating = 0;

    ac->data = link;
    ac->ev.data = link;
    ac->ev.addRead = ngx_http_atelier_redis_add_read;
    ac->ev.delRead = ngx_http_atelier_redis_del_read;
    ac->ev.addWrite = ngx_http_atelier_redis_add_write;
    ac->ev.delWrite = ngx_http_atelier_redis_del_write;
    ac->ev.cleanup = ngx_http_atelier_redis_cleanup;

    link->ac = ac;

    (void) redisAsyncSetDisconnectCallback(ac,
                                         ngx_http_atelier_redis_on_disconnect);

    /* this one also asks for the first write event */

    (void) redisAsyncSetConnectCallback(ac, ngx_http_atelier_redis_on_connect);

    return NGX_OK;
}


/* On an error hiredis frees the context when this returns. */

static void
ngx_http_atelier_redis_on_connect(const redisAsyncContext *ac, int status)
{
    ngx_http_atelier_redis_link_t  *link;

    link = ac->data;

    if (link->ac != ac) {
        return;
    }

    if (status != REDIS_OK) {
        ngx_http_atelier_redis_link_lost(link, ac->errstr);
        return;
    }

    link->connected = 1;
}


/* Likewise, and it comes after the callbacks of what was pending. */

static void
ngx_http_atelier_redis_on_disconnect(const redisAsyncContext *ac, int status)
{
    ngx_http_atelier_redis_link_t  *link;

    link = ac->data;

    if (link->ac == ac) {
        ngx_http_atelier_redis_link_lost(link,
                                         (status == REDIS_OK) ? "closed"
                                                              : ac->errstr);
    }
}


static void
ngx_http_atelier_redis_add_read(void *data)
{
    ngx_http_atelier_redis_link_t *link = data;

    ngx_event_t  *rev;

    rev = link->connection->read;

    if (!rev->active) {
        (void) ngx_add_event(rev, NGX_READ_EVENT, NGX_LEVEL_EVENT);
    }
}


static void
ngx_http_atelier_redis_del_read(void *data)
{
    ngx_http_atelier_redis_link_t *link = data;

    ngx_event_t  *rev;

    rev = link->connection->read;

    if (rev->active) {
        (void) ngx_del_event(rev, NGX_READ_EVENT, 0);
    }
}


/*
 * What this turn of the event loop sends leaves in one write at its end.  Only
 * what the socket would not take then waits for an event.
 */

static void
ngx_http_atelier_redis_add_write(void *data)
{
    ngx_http_atelier_redis_link_t *link = data;

    ngx_event_t  *wev;

    wev = link->connection->write;

    if (wev->active) {
        return;
    }

    if (link->connected && !link->writing) {
        if (!wev->posted) {
            ngx_post_event(wev, &ngx_posted_events);
        }

        return;
    }

    (void) ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
}


static void
ngx_http_atelier_redis_del_write(void *data)
{
    ngx_http_atelier_redis_link_t *link = data;

    ngx_event_t  *wev;

    wev = link->connection->write;

    if (wev->active) {
        (void) ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }
}


/* hiredis closes the socket after this. */

static void
ngx_http_atelier_redis_cleanup(void *data)
{
    ngx_http_atelier_redis_link_t *link = data;

    ngx_connection_t  *c;

    c = link->connection;

    if (c == NULL) {
        return;
    }

    link->connection = NULL;

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);

    c->fd = (ngx_socket_t) -1;
}


static void
ngx_http_atelier_redis_read(ngx_event_t *rev)
{
    ngx_connection_t               *c;
    ngx_http_atelier_redis_link_t  *link;

    c = rev->data;
    link = c->data;

    /* worker_shutdown_timeout calls this handler too, at any time */

    if (link->ac && link->connected) {
        redisAsyncHandleRead(link->ac);
    }
}


static void
ngx_http_atelier_redis_write(ngx_event_t *wev)
{
    ngx_connection_t               *c;
    ngx_http_atelier_redis_link_t  *link;

    c = wev->data;
    link = c->data;

    if (link->ac) {
        link->writing = 1;
        redisAsyncHandleWrite(link->ac);
        link->writing = 0;
    }
}
