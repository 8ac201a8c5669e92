/*
 * The API of ngx_http_atelier_postgres.h: who waits for PostgreSQL, for which
 * connection, and until when.
 *
 * An operation waits for a connection, or is in the pipeline of one.  All
 * have the same time to live, so one timer for the oldest is enough.  When it
 * has passed, the caller is told; a block that was sent stays in its
 * pipeline, without a caller, until its result comes or the connection ends.
 */

#include "ngx_http_atelier_postgres_conn.h"

#include <pwd.h>


/* Room for an entry of the user database. */
#define NGX_HTTP_ATELIER_POSTGRES_PASSWD  4096


static ngx_int_t ngx_http_atelier_postgres_user(ngx_cycle_t *cycle,
    ngx_http_atelier_postgres_conf_t *conf);
static ngx_http_atelier_postgres_conn_t *ngx_http_atelier_postgres_choose(
    ngx_http_atelier_postgres_worker_t *worker);
static ngx_uint_t ngx_http_atelier_postgres_hopeful(
    ngx_http_atelier_postgres_worker_t *worker);
static void ngx_http_atelier_postgres_deadline(ngx_event_t *ev);


/* Of this worker; conf is NULL while there is none. */
static ngx_http_atelier_postgres_worker_t  ngx_http_atelier_postgres_worker;


ngx_int_t
ngx_http_atelier_postgres_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                           i;
    ngx_http_atelier_main_conf_t        *amcf;
    ngx_http_atelier_postgres_conn_t    *pc;
    ngx_http_atelier_postgres_worker_t  *worker;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);
    if (amcf == NULL || amcf->postgres == NULL) {
        return NGX_OK;
    }

    worker = &ngx_http_atelier_postgres_worker;

    ngx_memzero(worker, sizeof(ngx_http_atelier_postgres_worker_t));
    ngx_queue_init(&worker->waiting);
    ngx_queue_init(&worker->ops);

    worker->fd = (ngx_socket_t) -1;
    worker->conf = amcf->postgres;
    worker->counters = &amcf->zone->sh->postgres;
    worker->gauges = &amcf->zone->sh->postgres_gauges[
                                 ngx_worker % NGX_HTTP_ATELIER_WORKERS_MAX];

    /* those of the worker that had this number before */

    worker->gauges->connections = 0;
    worker->gauges->pending = 0;

    worker->deadline.handler = ngx_http_atelier_postgres_deadline;
    worker->deadline.data = worker;
    worker->deadline.log = cycle->log;

    if (ngx_http_atelier_postgres_user(cycle, worker->conf) != NGX_OK) {
        return NGX_ERROR;
    }

    /* nginx itself has set up OpenSSL */

    PQinitOpenSSL(0, 0);

    for (i = 0; i < worker->conf->connections; i++) {
        pc = &worker->conns[i];
        pc->worker = worker;
        ngx_queue_init(&pc->sent);
        ngx_http_atelier_postgres_connect(pc);
    }

    return NGX_OK;
}


/*
 * Without a user libpq takes the process's own, and asks the system for its
 * name at every connect, which may block: here it may.
 */

static ngx_int_t
ngx_http_atelier_postgres_user(ngx_cycle_t *cycle,
    ngx_http_atelier_postgres_conf_t *conf)
{
    char            buf[NGX_HTTP_ATELIER_POSTGRES_PASSWD];
    size_t          len;
    u_char         *name;
    struct passwd   pwd, *pw;

    if (*conf->user) {
        return NGX_OK;
    }

    if (getpwuid_r(geteuid(), &pwd, buf, sizeof(buf), &pw) != 0
        || pw == NULL)
    {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "the user %ui of this worker has no name for "
                      "PostgreSQL: add user= to \"atelier_postgres\"; "
                      "in %V:%ui", (ngx_uint_t) geteuid(),
                      &conf->place.file, conf->place.line);
        return NGX_OK;
    }

    len = ngx_strlen(pw->pw_name) + 1;
    name = ngx_pnalloc(cycle->pool, len);
    if (name == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name, pw->pw_name, len);
    *conf->user = (const char *) name;

    return NGX_OK;
}


/* Requests are gone by now: callbacks would find nobody. */

void
ngx_http_atelier_postgres_exit_process(void)
{
    ngx_uint_t                           i;
    ngx_queue_t                         *q;
    ngx_http_atelier_postgres_op_t      *op;
    ngx_http_atelier_postgres_worker_t  *worker;

    worker = &ngx_http_atelier_postgres_worker;

    if (worker->conf == NULL) {
        return;
    }

    for (i = 0; i < worker->conf->connections; i++) {
        ngx_http_atelier_postgres_close(&worker->conns[i]);
    }

    while (!ngx_queue_empty(&worker->waiting)) {
        q = ngx_queue_head(&worker->waiting);
        op = ngx_queue_data(q, ngx_http_atelier_postgres_op_t, queue);
        op->cb = NULL;
        ngx_http_atelier_postgres_end(worker, op, NGX_DECLINED);
    }

    worker->conf = NULL;
}


ngx_http_atelier_postgres_op_t *
ngx_http_atelier_postgres_query(const char *sql, ngx_uint_t nparams,
    const ngx_str_t *params, ngx_http_atelier_postgres_pt cb, void *data)
{
    ngx_http_atelier_postgres_op_t      *op;
    ngx_http_atelier_postgres_conn_t    *pc;
    ngx_http_atelier_postgres_worker_t  *worker;

    worker = &ngx_http_atelier_postgres_worker;

    if (worker->conf == NULL) {
        return NULL;
    }

    pc = ngx_http_atelier_postgres_choose(worker);

    if ((pc == NULL && !ngx_http_atelier_postgres_hopeful(worker))
        || worker->pending >= worker->conf->queue)
    {
        ngx_http_atelier_count(&worker->counters->refused, 1);
        return NULL;
    }

    op = ngx_http_atelier_postgres_op(worker, sql, nparams, params);
    if (op == NULL) {
        return NULL;
    }

    op->cb = cb;
    op->data = data;

    if (pc) {
        ngx_http_atelier_postgres_send(pc, op);

    } else {
        ngx_queue_insert_tail(&worker->waiting, &op->queue);
    }

    return op;
}


void
ngx_http_atelier_postgres_forget(ngx_http_atelier_postgres_op_t *op)
{
    op->cb = NULL;

    if (!op->sent) {
        ngx_http_atelier_postgres_end(&ngx_http_atelier_postgres_worker, op,
                                      NGX_DECLINED);
    }
}


ngx_uint_t
ngx_http_atelier_postgres_ready(void)
{
    ngx_http_atelier_postgres_worker_t  *worker;

    worker = &ngx_http_atelier_postgres_worker;

    return worker->conf && ngx_http_atelier_postgres_choose(worker);
}


int64_t
ngx_http_atelier_postgres_expires(void)
{
    ngx_time_t                          *tp;
    ngx_http_atelier_postgres_worker_t  *worker;

    worker = &ngx_http_atelier_postgres_worker;

    if (worker->conf == NULL) {
        return 0;
    }

    tp = ngx_timeofday();

    /* the other half is what the server lets a statement run */

    return (int64_t) tp->sec * 1000 + tp->msec + worker->clock
           + (int64_t) worker->conf->timeout / 2;
}


/* The ready connection with the shortest pipeline, or NULL. */

static ngx_http_atelier_postgres_conn_t *
ngx_http_atelier_postgres_choose(ngx_http_atelier_postgres_worker_t *worker)
{
    ngx_uint_t                         i;
    ngx_http_atelier_postgres_conn_t  *pc, *best;

    best = NULL;

    for (i = 0; i < worker->conf->connections; i++) {
        pc = &worker->conns[i];

        if (pc->state == NGX_HTTP_ATELIER_POSTGRES_READY
            && (best == NULL || pc->nsent < best->nsent))
        {
            best = pc;
        }
    }

    return best;
}


/* A first attempt is on its way: no reason yet to think the server is away. */

static ngx_uint_t
ngx_http_atelier_postgres_hopeful(ngx_http_atelier_postgres_worker_t *worker)
{
    ngx_uint_t                         i;
    ngx_http_atelier_postgres_conn_t  *pc;

    for (i = 0; i < worker->conf->connections; i++) {
        pc = &worker->conns[i];

        if (pc->state == NGX_HTTP_ATELIER_POSTGRES_CONNECTING
            && pc->fails == 0)
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_atelier_postgres_changed(ngx_http_atelier_postgres_worker_t *worker)
{
    ngx_uint_t                         i, n;
    ngx_queue_t                       *q;
    ngx_http_atelier_postgres_op_t    *op;
    ngx_http_atelier_postgres_conn_t  *pc;

    n = 0;

    for (i = 0; i < worker->conf->connections; i++) {
        n += (worker->conns[i].state == NGX_HTTP_ATELIER_POSTGRES_READY);
    }

    if (!ngx_exiting) {
        worker->gauges->connections = n;
    }

    while (!ngx_queue_empty(&worker->waiting)) {
        q = ngx_queue_head(&worker->waiting);
        op = ngx_queue_data(q, ngx_http_atelier_postgres_op_t, queue);
        pc = ngx_http_atelier_postgres_choose(worker);

        if (pc) {
            ngx_queue_remove(q);
            ngx_http_atelier_postgres_send(pc, op);
            continue;
        }

        if (ngx_http_atelier_postgres_hopeful(worker)) {
            break;
        }

        ngx_http_atelier_count(&worker->counters->refused, 1);
        ngx_http_atelier_postgres_end(worker, op, NGX_DECLINED);
    }
}


/*
 * Tells those whose time is up.  A server that has said nothing for as long
 * has stopped: its connection ends too.  One that is only slow keeps it.
 */

static void
ngx_http_atelier_postgres_deadline(ngx_event_t *ev)
{
    ngx_uint_t                           i;
    ngx_queue_t                         *q;
    ngx_http_atelier_postgres_op_t      *op;
    ngx_http_atelier_postgres_conn_t    *pc;
    ngx_http_atelier_postgres_worker_t  *worker = ev->data;
    ngx_http_atelier_postgres_pt         cb;

    while (!ngx_queue_empty(&worker->ops)) {
        q = ngx_queue_head(&worker->ops);
        op = ngx_queue_data(q, ngx_http_atelier_postgres_op_t, age);

        if ((ngx_msec_int_t) (op->deadline - ngx_current_msec) > 0) {
            break;
        }

        ngx_http_atelier_count(&worker->counters->timeouts, 1);

        if (!op->sent) {
            ngx_http_atelier_postgres_end(worker, op, NGX_DECLINED);
            continue;
        }

        ngx_queue_remove(&op->age);
        ngx_queue_init(&op->age);

        cb = op->cb;
        op->cb = NULL;

        if (cb) {
            cb(op->data, NGX_DECLINED, NULL);
        }
    }

    for (i = 0; i < worker->conf->connections; i++) {
        pc = &worker->conns[i];

        if (pc->state == NGX_HTTP_ATELIER_POSTGRES_READY && pc->nsent
            && (ngx_msec_int_t) (ngx_current_msec - pc->heard)
               >= (ngx_msec_int_t) worker->conf->timeout)
        {
            ngx_http_atelier_postgres_lose(pc, "it does not answer");
        }
    }

    if (ngx_queue_empty(&worker->ops)) {
        return;
    }

    /* who asked anew in a callback has set it, but is not the oldest */

    if (worker->deadline.timer_set) {
        ngx_del_timer(&worker->deadline);
    }

    q = ngx_queue_head(&worker->ops);
    op = ngx_queue_data(q, ngx_http_atelier_postgres_op_t, age);

    ngx_add_timer(&worker->deadline,
                  ngx_max((ngx_msec_int_t) (op->deadline - ngx_current_msec),
                          1));
}
