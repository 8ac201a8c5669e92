/*
 * Errands to the egress socket (see ngx_http_atelier_egress.h).
 *
 * An errand owns its pool and its connection, and both end together in
 * ngx_http_atelier_errand_close().  It knows no request.  Its timers are not
 * cancelable, so a worker that shuts down waits for it.
 */

#include "ngx_http_atelier_egress.h"

#include <ngx_event_connect.h>


/* The whole of an errand may take so many ms for each of its two halves. */
#define NGX_HTTP_ATELIER_ERRAND_SEND  5000
#define NGX_HTTP_ATELIER_ERRAND_WAIT  30000

/* Bytes of "HTTP/1.1 200". */
#define NGX_HTTP_ATELIER_ERRAND_STATUS  12


struct ngx_http_atelier_errand_s {
    ngx_peer_connection_t        peer;
    ngx_pool_t                  *pool;
    ngx_str_t                    path;
    ngx_buf_t                   *request;
    ngx_http_atelier_errand_pt   cb;             /* NULL: nobody listens */
    void                        *data;
    unsigned                     asked:1;        /* a refusal is an answer */
    u_char                       answer[512];    /* "HTTP/1.1 200 ..." */
    size_t                       len;            /* of it that is kept */
};


static void ngx_http_atelier_egress_stale(ngx_conf_t *cf, ngx_addr_t *addr);
static ngx_http_atelier_errand_t *ngx_http_atelier_errand_create(
    ngx_http_atelier_egress_t *egress, ngx_str_t *path,
    ngx_str_t *request_id);
static ngx_int_t ngx_http_atelier_errand_connect(
    ngx_http_atelier_errand_t *e);
static void ngx_http_atelier_errand_write(ngx_event_t *wev);
static void ngx_http_atelier_errand_read(ngx_event_t *rev);
static void ngx_http_atelier_errand_idle(ngx_event_t *ev);
static void ngx_http_atelier_errand_close(ngx_http_atelier_errand_t *e,
    const char *why);


char *
ngx_http_atelier_egress(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_url_t                   u;
    ngx_str_t                  *value;
    ngx_http_atelier_egress_t  *egress;

    if (amcf->egress) {
        return "is duplicate: there is one egress socket";
    }

    value = cf->args->elts;

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = value[1];

    if (value[1].len < 6 || ngx_strncmp(value[1].data, "unix:", 5) != 0
        || ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs != 1)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" in \"atelier_egress\": "
                           "give the unix:path that the egress server "
                           "listens on%s%s", &value[1],
                           u.err ? "; " : "", u.err ? u.err : "");
        return NGX_CONF_ERROR;
    }

    egress = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_egress_t));
    if (egress == NULL) {
        return NGX_CONF_ERROR;
    }

    egress->addr = u.addrs[0];
    ngx_http_atelier_here(cf, &egress->place);

    amcf->egress = egress;

    ngx_http_atelier_egress_stale(cf, &egress->addr);

    return NGX_CONF_OK;
}


/*
 * A master that is killed leaves its socket behind, and nginx would not listen
 * on that again: so one that nobody listens on is removed before a start.
 */

static void
ngx_http_atelier_egress_stale(ngx_conf_t *cf, ngx_addr_t *addr)
{
    ngx_uint_t           i;
    ngx_array_t         *old;
    ngx_socket_t         s;
    ngx_listening_t     *ls;
    struct sockaddr_un  *sun;

    old = &cf->cycle->old_cycle->listening;
    ls = old->elts;

    for (i = 0; i < old->nelts; i++) {
        if (ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen, addr->sockaddr,
                             addr->socklen, 1) == NGX_OK)
        {
            return;
        }
    }

    if (ngx_test_config || ngx_process == NGX_PROCESS_SIGNALLER) {
        return;
    }

    s = ngx_socket(AF_UNIX, SOCK_STREAM, 0);
    if (s == (ngx_socket_t) -1) {
        return;
    }

    sun = (struct sockaddr_un *) addr->sockaddr;

    if (ngx_nonblocking(s) != -1
        && connect(s, addr->sockaddr, addr->socklen) == -1
        && ngx_socket_errno == NGX_ECONNREFUSED
        && ngx_delete_file(sun->sun_path) != NGX_FILE_ERROR)
    {
        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "removed the socket \"%s\", which nobody listens "
                           "on", sun->sun_path);
    }

    (void) ngx_close_socket(s);
}


ngx_int_t
ngx_http_atelier_egress_post(ngx_http_atelier_egress_t *egress,
    ngx_str_t *path)
{
    ngx_str_t  none = ngx_null_string;

    return ngx_http_atelier_egress_ask(egress, path, &none, NULL, NULL)
           ? NGX_OK : NGX_ERROR;
}


ngx_http_atelier_errand_t *
ngx_http_atelier_egress_ask(ngx_http_atelier_egress_t *egress,
    ngx_str_t *path, ngx_str_t *request_id, ngx_http_atelier_errand_pt cb,
    void *data)
{
    ngx_http_atelier_errand_t  *e;

    e = ngx_http_atelier_errand_create(egress, path, request_id);
    if (e == NULL) {
        return NULL;
    }

    if (ngx_http_atelier_errand_connect(e) != NGX_OK) {
        ngx_http_atelier_errand_close(e, "the connection failed");
        return NULL;
    }

    /* the first event is still to come, so nobody has been told yet */

    e->cb = cb;
    e->data = data;
    e->asked = (cb != NULL);

    return e;
}


void
ngx_http_atelier_egress_forget(ngx_http_atelier_errand_t *e)
{
    e->cb = NULL;
}


static ngx_http_atelier_errand_t *
ngx_http_atelier_errand_create(ngx_http_atelier_egress_t *egress,
    ngx_str_t *path, ngx_str_t *request_id)
{
    size_t                      len;
    ngx_pool_t                 *pool;
    ngx_http_atelier_errand_t  *e;

    static const char  head[] = "POST %V HTTP/1.0\r\n"
                                "Host: egress\r\n"
                                "%s%V%s"
                                "Content-Length: 0\r\n\r\n";

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    e = ngx_pcalloc(pool, sizeof(ngx_http_atelier_errand_t));
    if (e == NULL) {
        goto failed;
    }

    len = sizeof(head) + sizeof("X-Request-ID: \r\n") + path->len
          + request_id->len;

    e->pool = pool;
    e->request = ngx_create_temp_buf(pool, len);
    e->path.len = path->len;
    e->path.data = ngx_pstrdup(pool, path);

    if (e->request == NULL || e->path.data == NULL) {
        goto failed;
    }

    e->request->last = ngx_sprintf(e->request->last, head, path,
                                   request_id->len ? "X-Request-ID: " : "",
                                   request_id,
                                   request_id->len ? "\r\n" : "");

    e->peer.sockaddr = egress->addr.sockaddr;
    e->peer.socklen = egress->addr.socklen;
    e->peer.name = &egress->addr.name;
    e->peer.get = ngx_event_get_peer;
    e->peer.log = ngx_cycle->log;
    e->peer.log_error = NGX_ERROR_ERR;

    return e;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_http_atelier_errand_connect(ngx_http_atelier_errand_t *e)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    rc = ngx_event_connect_peer(&e->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return NGX_ERROR;
    }

    c = e->peer.connection;
    c->data = e;
    c->pool = e->pool;
    c->read->handler = ngx_http_atelier_errand_idle;
    c->write->handler = ngx_http_atelier_errand_write;

    ngx_add_timer(c->write, NGX_HTTP_ATELIER_ERRAND_SEND);

    if (rc == NGX_OK) {
        ngx_post_event(c->write, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_http_atelier_errand_write(ngx_event_t *wev)
{
    ssize_t                     n;
    ngx_buf_t                  *b;
    ngx_connection_t           *c;
    ngx_http_atelier_errand_t  *e;

    c = wev->data;
    e = c->data;
    b = e->request;

    if (wev->timedout) {
        ngx_http_atelier_errand_close(e, "it could not be sent in time");
        return;
    }

    while (b->pos < b->last) {
        n = c->send(c, b->pos, b->last - b->pos);

        if (n == NGX_AGAIN) {
            if (ngx_handle_write_event(wev, 0) != NGX_OK) {
                ngx_http_atelier_errand_close(e, "an event failed");
            }

            return;
        }

        if (n <= 0) {
            ngx_http_atelier_errand_close(e, "it could not be sent");
            return;
        }

        b->pos += n;
    }

    ngx_del_timer(wev);

    wev->handler = ngx_http_atelier_errand_idle;
    c->read->handler = ngx_http_atelier_errand_read;

    ngx_add_timer(c->read, NGX_HTTP_ATELIER_ERRAND_WAIT);

    ngx_http_atelier_errand_read(c->read);
}


/* Only the first bytes of the answer are of interest. */

static void
ngx_http_atelier_errand_read(ngx_event_t *rev)
{
    ssize_t                     n;
    ngx_connection_t           *c;
    ngx_http_atelier_errand_t  *e;

    c = rev->data;
    e = c->data;

    if (rev->timedout) {
        ngx_http_atelier_errand_close(e, "it was not answered in time");
        return;
    }

    if (c->close) {
        ngx_http_atelier_errand_close(e, "worker_shutdown_timeout cut it");
        return;
    }

    for ( ;; ) {
        n = c->recv(c, &e->answer[e->len], sizeof(e->answer) - e->len);

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_atelier_errand_close(e, "an event failed");
            }

            return;
        }

        if (n <= 0) {
            break;
        }

        e->len = ngx_min(e->len + n, NGX_HTTP_ATELIER_ERRAND_STATUS);
    }

    if (e->len == NGX_HTTP_ATELIER_ERRAND_STATUS
        && (e->asked || e->answer[9] == '2'))
    {
        ngx_http_atelier_errand_close(e, NULL);

    } else {
        ngx_http_atelier_errand_close(e, "it was refused");
    }
}


static void
ngx_http_atelier_errand_idle(ngx_event_t *ev)
{
    /* the other direction's handler finds out what happened */
}


/* Tells who listens last, when nothing of the errand is left. */

static void
ngx_http_atelier_errand_close(ngx_http_atelier_errand_t *e, const char *why)
{
    void                        *data;
    ngx_int_t                    status;
    ngx_pool_t                  *pool;
    ngx_http_atelier_errand_pt   cb;

    if (why) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "atelier: errand \"%V\" to the egress socket: %s",
                      &e->path, why);
    }

    cb = e->cb;
    data = e->data;
    pool = e->pool;

    status = (e->len == NGX_HTTP_ATELIER_ERRAND_STATUS)
             ? ngx_atoi(&e->answer[9], 3) : 0;

    if (e->peer.connection) {
        ngx_close_connection(e->peer.connection);
    }

    ngx_destroy_pool(pool);

    if (cb) {
        cb(data, (status == NGX_ERROR) ? 0 : status);
    }
}
