/*
 * Operations on PostgreSQL: the block of memory from its making to its end.
 *
 * A block is one allocation, its parameters included, and is counted in
 * worker->pending for as long as it exists; here it is made and freed, and
 * nowhere else.
 */

#include "ngx_http_atelier_postgres_conn.h"


ngx_http_atelier_postgres_op_t *
ngx_http_atelier_postgres_op(ngx_http_atelier_postgres_worker_t *worker,
    const char *sql, ngx_uint_t nparams, const ngx_str_t *params)
{
    char                            *p;
    size_t                           len;
    ngx_uint_t                       i;
    ngx_http_atelier_postgres_op_t  *op;

    len = sizeof(ngx_http_atelier_postgres_op_t) + nparams * sizeof(char *);

    for (i = 0; i < nparams; i++) {
        if (params[i].len && memchr(params[i].data, '\0', params[i].len)) {
            return NULL;
        }

        len += params[i].len + 1;
    }

    op = ngx_alloc(len, ngx_cycle->log);
    if (op == NULL) {
        return NULL;
    }

    ngx_memzero(op, sizeof(ngx_http_atelier_postgres_op_t));

    op->sql = sql;
    op->nparams = nparams;
    op->deadline = ngx_current_msec + worker->conf->timeout;

    p = (char *) &op->params[nparams];

    for (i = 0; i < nparams; i++) {
        if (params[i].data == NULL) {
            op->params[i] = NULL;
            continue;
        }

        op->params[i] = p;
        p = (char *) ngx_cpymem(p, params[i].data, params[i].len);
        *p++ = '\0';
    }

    ngx_queue_insert_tail(&worker->ops, &op->age);
    worker->pending++;
    worker->gauges->pending = worker->pending;

    if (!worker->deadline.timer_set) {
        ngx_add_timer(&worker->deadline, worker->conf->timeout);
    }

    return op;
}


void
ngx_http_atelier_postgres_end(ngx_http_atelier_postgres_worker_t *worker,
    ngx_http_atelier_postgres_op_t *op, ngx_int_t rc)
{
    ngx_queue_remove(&op->queue);
    ngx_queue_remove(&op->age);

    worker->pending--;

    /* an old worker's number belongs to its successor */

    if (!ngx_exiting) {
        worker->gauges->pending = worker->pending;
    }

    /* with nothing awaited no timer keeps a worker from ending */

    if (ngx_queue_empty(&worker->ops) && worker->deadline.timer_set) {
        ngx_del_timer(&worker->deadline);
    }

    if (op->cb) {
        op->cb(op->data, rc, (rc == NGX_DECLINED) ? NULL : op->res);
    }

    PQclear(op->res);
    ngx_free(op);
}
