/*
 * Connections to PostgreSQL: libpq's own, on nginx's events, from the first
 * attempt to the loss and the next one.
 *
 * libpq owns the socket and closes it, also in the middle of its functions.
 * While it connects it may go through several, so around each of its steps
 * the socket leaves our events and comes back; a socket that libpq may have
 * closed already is taken out by NGX_CLOSE_EVENT, which asks the kernel
 * nothing.
 */

#include "ngx_http_atelier_postgres_conn.h"


#define NGX_HTTP_ATELIER_POSTGRES_PAUSE      100     /* ms, first of all */
#define NGX_HTTP_ATELIER_POSTGRES_PAUSE_MAX  5000
#define NGX_HTTP_ATELIER_POSTGRES_STABLE     1000    /* ms; shorter: a fail */
#define NGX_HTTP_ATELIER_POSTGRES_BEAT       30000


static ngx_int_t ngx_http_atelier_postgres_watch(
    ngx_http_atelier_postgres_conn_t *pc, ngx_int_t event);
static void ngx_http_atelier_postgres_unwatch(
    ngx_http_atelier_postgres_conn_t *pc, ngx_uint_t flags);
static void ngx_http_atelier_postgres_poll(ngx_event_t *ev);
static void ngx_http_atelier_postgres_connected(
    ngx_http_atelier_postgres_conn_t *pc);
static void ngx_http_atelier_postgres_beat(
    ngx_http_atelier_postgres_conn_t *pc);
static void ngx_http_atelier_postgres_beaten(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_postgres_timer(ngx_event_t *ev);
static void ngx_http_atelier_postgres_pause(
    ngx_http_atelier_postgres_conn_t *pc);
static void ngx_http_atelier_postgres_notice(void *data, const char *message);


/*
 * What a session is told, and what time it has there.  Commits must be on
 * disk before a client hears of them, however the server is set up.
 */

static const char  ngx_http_atelier_postgres_session[] =
    "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, "
           "set_config('statement_timeout', $1, false), "
           "set_config('synchronous_commit', "
               "CASE current_setting('synchronous_commit') "
               "WHEN 'off' THEN 'on' "
               "ELSE current_setting('synchronous_commit') END, false)";

/* Behind a pooler a session is not ours to change. */

static const char  ngx_http_atelier_postgres_clock[] =
    "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";


void
ngx_http_atelier_postgres_connect(ngx_http_atelier_postgres_conn_t *pc)
{
    ngx_http_atelier_postgres_conf_t  *conf;

    conf = pc->worker->conf;

    pc->fd = (ngx_socket_t) -1;
    pc->state = NGX_HTTP_ATELIER_POSTGRES_CONNECTING;

    pc->timer.handler = ngx_http_atelier_postgres_timer;
    pc->timer.data = pc;
    pc->timer.log = ngx_cycle->log;
    pc->timer.cancelable = 1;

    pc->pg = PQconnectStartParams(conf->keywords, conf->values, 0);

    if (pc->pg == NULL || PQstatus(pc->pg) == CONNECTION_BAD) {
        ngx_http_atelier_postgres_lose(pc, NULL);
        return;
    }

    (void) PQsetNoticeProcessor(pc->pg, ngx_http_atelier_postgres_notice,
                                NULL);

    if (ngx_http_atelier_postgres_watch(pc, NGX_WRITE_EVENT) != NGX_OK) {
        ngx_http_atelier_postgres_lose(pc, "no memory for its events");
        return;
    }

    ngx_add_timer(&pc->timer, conf->timeout);
}


/* Puts libpq's present socket under nginx's events. */

static ngx_int_t
ngx_http_atelier_postgres_watch(ngx_http_atelier_postgres_conn_t *pc,
    ngx_int_t event)
{
    ngx_event_t       *ev;
    ngx_connection_t  *c;

    c = ngx_get_connection(PQsocket(pc->pg), ngx_cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = pc;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_atelier_postgres_poll;
    c->write->handler = ngx_http_atelier_postgres_poll;

    pc->connection = c;
    pc->fd = c->fd;

    ev = (event == NGX_READ_EVENT) ? c->read : c->write;

    return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
}


/* The socket stays libpq's.  flags is NGX_CLOSE_EVENT if it may be closed. */

static void
ngx_http_atelier_postgres_unwatch(ngx_http_atelier_postgres_conn_t *pc,
    ngx_uint_t flags)
{
    ngx_connection_t  *c;

    c = pc->connection;

    if (c == NULL) {
        return;
    }

    pc->connection = NULL;
    pc->fd = (ngx_socket_t) -1;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


/* One step of connecting. */

static void
ngx_http_atelier_postgres_poll(ngx_event_t *ev)
{
    ngx_int_t                          event;
    ngx_connection_t                  *c = ev->data;
    ngx_http_atelier_postgres_conn_t  *pc = c->data;

    if (c->close) {
        ngx_http_atelier_postgres_lose(pc, "this worker ends");
        return;
    }

    ngx_http_atelier_postgres_unwatch(pc, 0);

    switch (PQconnectPoll(pc->pg)) {

    case PGRES_POLLING_READING:
        event = NGX_READ_EVENT;
        break;

    case PGRES_POLLING_WRITING:
        event = NGX_WRITE_EVENT;
        break;

    case PGRES_POLLING_OK:
        ngx_http_atelier_postgres_connected(pc);
        return;

    default:
        ngx_http_atelier_postgres_lose(pc, NULL);
        return;
    }

    if (ngx_http_atelier_postgres_watch(pc, event) != NGX_OK) {
        ngx_http_atelier_postgres_lose(pc, "no memory for its events");
    }
}


/* The session is set up by the first operation; it is ready after that. */

static void
ngx_http_atelier_postgres_connected(ngx_http_atelier_postgres_conn_t *pc)
{
    if (PQsetnonblocking(pc->pg, 1) != 0 || !PQenterPipelineMode(pc->pg)
        || ngx_http_atelier_postgres_watch(pc, NGX_READ_EVENT) != NGX_OK)
    {
        ngx_http_atelier_postgres_lose(pc, "no memory for its events");
        return;
    }

    pc->connection->read->handler = ngx_http_atelier_postgres_read;
    pc->connection->write->handler = ngx_http_atelier_postgres_write;

    ngx_memzero(pc->statements, sizeof(pc->statements));

    ngx_http_atelier_postgres_beat(pc);
}


static void
ngx_http_atelier_postgres_beat(ngx_http_atelier_postgres_conn_t *pc)
{
    u_char                               text[NGX_TIME_T_LEN];
    ngx_str_t                            limit;
    ngx_http_atelier_postgres_op_t      *op;
    ngx_http_atelier_postgres_worker_t  *worker;

    worker = pc->worker;

    if (worker->conf->prepare) {
        limit.data = text;
        limit.len = ngx_sprintf(text, "%M", worker->conf->timeout / 2) - text;

        op = ngx_http_atelier_postgres_op(worker,
                                   ngx_http_atelier_postgres_session, 1,
                                   &limit);
    } else {
        op = ngx_http_atelier_postgres_op(worker,
                                   ngx_http_atelier_postgres_clock, 0, NULL);
    }

    if (op == NULL) {
        ngx_http_atelier_postgres_lose(pc, "no memory for a statement");
        return;
    }

    op->beat = 1;
    op->cb = ngx_http_atelier_postgres_beaten;
    op->data = pc;

    ngx_http_atelier_postgres_send(pc, op);
}


static void
ngx_http_atelier_postgres_beaten(void *data, ngx_int_t rc, PGresult *res)
{
    int64_t                            ms;
    ngx_time_t                        *tp;
    ngx_http_atelier_postgres_conn_t  *pc = data;

    /* a connection that ends has told its state already */

    if (rc == NGX_DECLINED) {
        return;
    }

    if (rc != NGX_OK || PQntuples(res) != 1) {
        if (pc->connection) {
            pc->connection->read->error = 1;
            ngx_post_event(pc->connection->read, &ngx_posted_events);
        }

        return;
    }

    tp = ngx_timeofday();
    ms = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    pc->worker->clock = ms - ((int64_t) tp->sec * 1000 + tp->msec);

    ngx_add_timer(&pc->timer, NGX_HTTP_ATELIER_POSTGRES_BEAT);

    if (pc->state == NGX_HTTP_ATELIER_POSTGRES_READY) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "PostgreSQL is there, connection %ui is ready",
                  (ngx_uint_t) (pc - pc->worker->conns));

    pc->state = NGX_HTTP_ATELIER_POSTGRES_READY;
    pc->since = ngx_current_msec;

    ngx_http_atelier_postgres_changed(pc->worker);
}


static void
ngx_http_atelier_postgres_timer(ngx_event_t *ev)
{
    ngx_http_atelier_postgres_conn_t *pc = ev->data;

    if (pc->pg == NULL) {
        ngx_http_atelier_postgres_connect(pc);

    } else if (pc->state == NGX_HTTP_ATELIER_POSTGRES_READY) {
        ngx_http_atelier_postgres_beat(pc);

    } else {
        ngx_http_atelier_postgres_lose(pc, "it did not answer in time");
    }
}


void
ngx_http_atelier_postgres_lose(ngx_http_atelier_postgres_conn_t *pc,
    const char *why)
{
    u_char        line[NGX_HTTP_ATELIER_POSTGRES_ERROR_LEN];
    ngx_str_t     text;
    ngx_uint_t    level, stable;
    ngx_queue_t  *q, lost;

    if (why == NULL) {
        why = pc->pg ? PQerrorMessage(pc->pg) : "no memory";
        why = why[0] ? why : "the session could not be set up";
    }

    text = ngx_http_atelier_postgres_line(why, line);

    stable = (pc->state == NGX_HTTP_ATELIER_POSTGRES_READY
              && (ngx_msec_int_t) (ngx_current_msec - pc->since)
                 >= NGX_HTTP_ATELIER_POSTGRES_STABLE);

    /* later attempts of the same kind are no news */

    level = (stable || pc->fails == 0) ? NGX_LOG_ERR : NGX_LOG_INFO;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "PostgreSQL is away, connection %ui %s: %V",
                  (ngx_uint_t) (pc - pc->worker->conns),
                  (pc->state == NGX_HTTP_ATELIER_POSTGRES_READY)
                  ? "was lost" : "could not be made", &text);

    pc->fails = stable ? 0 : pc->fails + 1;
    pc->state = NGX_HTTP_ATELIER_POSTGRES_AWAY;

    ngx_http_atelier_postgres_unwatch(pc, NGX_CLOSE_EVENT);

    if (pc->timer.timer_set) {
        ngx_del_timer(&pc->timer);
    }

    PQfinish(pc->pg);
    pc->pg = NULL;

    /* callbacks come last: they find everything as it is from now on */

    ngx_queue_init(&lost);

    if (!ngx_queue_empty(&pc->sent)) {
        ngx_queue_add(&lost, &pc->sent);
        ngx_queue_init(&pc->sent);
    }

    pc->nsent = 0;

    ngx_http_atelier_postgres_pause(pc);

    while (!ngx_queue_empty(&lost)) {
        q = ngx_queue_head(&lost);
        ngx_http_atelier_postgres_end(pc->worker,
                  ngx_queue_data(q, ngx_http_atelier_postgres_op_t, queue),
                  NGX_DECLINED);
    }

    ngx_http_atelier_postgres_changed(pc->worker);
}


/* A connection that had held is made anew at once, others after a pause. */

static void
ngx_http_atelier_postgres_pause(ngx_http_atelier_postgres_conn_t *pc)
{
    ngx_msec_t  ms;

    if (ngx_exiting || ngx_terminate || ngx_quit) {
        return;
    }

    if (pc->fails == 0) {
        pc->state = NGX_HTTP_ATELIER_POSTGRES_CONNECTING;
        ngx_add_timer(&pc->timer, 0);
        return;
    }

    ms = (ngx_msec_t) NGX_HTTP_ATELIER_POSTGRES_PAUSE
         << ngx_min(pc->fails - 1, 6);
    ms = ngx_min(ms, NGX_HTTP_ATELIER_POSTGRES_PAUSE_MAX);

    ngx_add_timer(&pc->timer, ms + (ngx_msec_t) ngx_random() % (ms / 4));
}


void
ngx_http_atelier_postgres_close(ngx_http_atelier_postgres_conn_t *pc)
{
    ngx_queue_t                     *q;
    ngx_http_atelier_postgres_op_t  *op;

    ngx_http_atelier_postgres_unwatch(pc, NGX_CLOSE_EVENT);

    if (pc->timer.timer_set) {
        ngx_del_timer(&pc->timer);
    }

    PQfinish(pc->pg);
    pc->pg = NULL;

    while (!ngx_queue_empty(&pc->sent)) {
        q = ngx_queue_head(&pc->sent);
        op = ngx_queue_data(q, ngx_http_atelier_postgres_op_t, queue);

        op->cb = NULL;
        ngx_http_atelier_postgres_end(pc->worker, op, NGX_DECLINED);
    }
}


/* One line of visible characters for the log, without its last full stop. */

ngx_str_t
ngx_http_atelier_postgres_line(const char *text, u_char *line)
{
    size_t     n, len;
    ngx_str_t  s;

    len = ngx_min(ngx_strlen(text), NGX_HTTP_ATELIER_POSTGRES_ERROR_LEN);

    for (n = 0; n < len; n++) {
        line[n] = ((u_char) text[n] < ' ' || text[n] == 0x7f) ? ' '
                                                    : (u_char) text[n];
    }

    while (n && line[n - 1] == ' ') {
        n--;
    }

    s.data = line;
    s.len = n;

    return s;
}


static void
ngx_http_atelier_postgres_notice(void *data, const char *message)
{
    u_char     line[NGX_HTTP_ATELIER_POSTGRES_ERROR_LEN];
    ngx_str_t  text;

    text = ngx_http_atelier_postgres_line(message, line);

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "PostgreSQL says: %V",
                  &text);
}
