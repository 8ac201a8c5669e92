/*
 * The pipeline of a connection to PostgreSQL: statements go in, results come
 * out in the same order.
 *
 * Each operation ends with a sync: that makes it a transaction of its own,
 * and an error ends at it.  Nothing here closes a connection while results
 * are handed out: a callback may send more on it, and what then fails is
 * left to the connection's next event.
 */

#include "ngx_http_atelier_postgres_conn.h"


static ngx_uint_t ngx_http_atelier_postgres_statement(
    ngx_http_atelier_postgres_conn_t *pc, const char *sql);
static int ngx_http_atelier_postgres_put(ngx_http_atelier_postgres_conn_t *pc,
    ngx_http_atelier_postgres_op_t *op);
static ngx_int_t ngx_http_atelier_postgres_results(
    ngx_http_atelier_postgres_conn_t *pc);
static void ngx_http_atelier_postgres_result(
    ngx_http_atelier_postgres_conn_t *pc, PGresult *res);
static void ngx_http_atelier_postgres_sync(
    ngx_http_atelier_postgres_conn_t *pc);
static void ngx_http_atelier_postgres_failed(
    ngx_http_atelier_postgres_conn_t *pc, ngx_http_atelier_postgres_op_t *op);
static ngx_int_t ngx_http_atelier_postgres_flush(
    ngx_http_atelier_postgres_conn_t *pc);


void
ngx_http_atelier_postgres_send(ngx_http_atelier_postgres_conn_t *pc,
    ngx_http_atelier_postgres_op_t *op)
{
    op->sent = 1;

    if (pc->nsent++ == 0) {
        pc->heard = ngx_current_msec;
    }

    ngx_queue_insert_tail(&pc->sent, &op->queue);

    if (!op->beat) {
        ngx_http_atelier_count(&pc->worker->counters->queries, 1);
    }

    if (!ngx_http_atelier_postgres_put(pc, op)
        || ngx_http_atelier_postgres_flush(pc) != NGX_OK)
    {
        pc->connection->read->error = 1;
        ngx_post_event(pc->connection->read, &ngx_posted_events);
    }
}


/* The number of a statement, or how many there can be if it has none. */

static ngx_uint_t
ngx_http_atelier_postgres_statement(ngx_http_atelier_postgres_conn_t *pc,
    const char *sql)
{
    ngx_uint_t                           i;
    ngx_http_atelier_postgres_worker_t  *worker;

    worker = pc->worker;

    if (!worker->conf->prepare) {
        return NGX_HTTP_ATELIER_POSTGRES_STATEMENTS;
    }

    for (i = 0; i < worker->nsqls; i++) {
        if (worker->sqls[i] == sql) {
            return i;
        }
    }

    if (i < NGX_HTTP_ATELIER_POSTGRES_STATEMENTS) {
        worker->sqls[i] = sql;
        worker->nsqls++;
    }

    return i;
}


static int
ngx_http_atelier_postgres_put(ngx_http_atelier_postgres_conn_t *pc,
    ngx_http_atelier_postgres_op_t *op)
{
    char                                   name[64];
    int                                    n;
    ngx_http_atelier_postgres_prepared_t  *st;

    n = (int) op->nparams;
    op->statement = ngx_http_atelier_postgres_statement(pc, op->sql);

    if (op->statement == NGX_HTTP_ATELIER_POSTGRES_STATEMENTS) {
        return PQsendQueryParams(pc->pg, op->sql, n, NULL, op->params, NULL,
                                 NULL, 0)
               && PQpipelineSync(pc->pg);
    }

    st = &pc->statements[op->statement];
    op->version = st->version;

    ngx_sprintf((u_char *) name, "atelier_%ui_%uD%Z", op->statement,
                st->version);

    if (!st->prepared) {
        op->prepares = 1;
        st->prepared = 1;

        if (!PQsendPrepare(pc->pg, name, op->sql, n, NULL)) {
            return 0;
        }
    }

    return PQsendQueryPrepared(pc->pg, name, n, op->params, NULL, NULL, 0)
           && PQpipelineSync(pc->pg);
}


/* Asks for a write event for as long as libpq has bytes left. */

static ngx_int_t
ngx_http_atelier_postgres_flush(ngx_http_atelier_postgres_conn_t *pc)
{
    int           rc;
    ngx_event_t  *wev;

    rc = PQflush(pc->pg);
    wev = pc->connection->write;

    if (rc < 0) {
        return NGX_ERROR;
    }

    if (rc && !wev->active) {
        return ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    }

    if (rc == 0 && wev->active) {
        return ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }

    return NGX_OK;
}


void
ngx_http_atelier_postgres_write(ngx_event_t *ev)
{
    ngx_connection_t                  *c = ev->data;
    ngx_http_atelier_postgres_conn_t  *pc = c->data;

    if (ngx_http_atelier_postgres_flush(pc) != NGX_OK) {
        ngx_http_atelier_postgres_lose(pc, NULL);
    }
}


void
ngx_http_atelier_postgres_read(ngx_event_t *ev)
{
    ngx_connection_t                  *c = ev->data;
    ngx_http_atelier_postgres_conn_t  *pc = c->data;

    if (c->close) {
        ngx_http_atelier_postgres_lose(pc, "this worker ends");
        return;
    }

    if (ev->error) {
        ngx_http_atelier_postgres_lose(pc, NULL);
        return;
    }

    if (!PQconsumeInput(pc->pg)) {

        /* answers that came before the end count */

        (void) ngx_http_atelier_postgres_results(pc);
        ngx_http_atelier_postgres_lose(pc, NULL);
        return;
    }

    if (ngx_http_atelier_postgres_results(pc) != NGX_OK) {
        ngx_http_atelier_postgres_lose(pc, "its answers are out of step");
        return;
    }

    if (ngx_http_atelier_postgres_flush(pc) != NGX_OK) {
        ngx_http_atelier_postgres_lose(pc, NULL);
    }
}


/*
 * Hands out what has come.  In a pipeline NULL parts the results of two
 * statements; two of them in a row while something is awaited would go on
 * for ever.
 */

static ngx_int_t
ngx_http_atelier_postgres_results(ngx_http_atelier_postgres_conn_t *pc)
{
    PGresult    *res;
    ngx_uint_t   nulls;

    nulls = 0;

    while (!PQisBusy(pc->pg) && pc->nsent) {
        res = PQgetResult(pc->pg);

        if (res == NULL) {
            if (++nulls > 1) {
                return NGX_ERROR;
            }

            continue;
        }

        nulls = 0;
        pc->heard = ngx_current_msec;

        if (PQresultStatus(res) == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            ngx_http_atelier_postgres_sync(pc);

        } else {
            ngx_http_atelier_postgres_result(pc, res);
        }
    }

    return NGX_OK;
}


/* Of an operation's results the first error counts, else the last one. */

static void
ngx_http_atelier_postgres_result(ngx_http_atelier_postgres_conn_t *pc,
    PGresult *res)
{
    ngx_http_atelier_postgres_op_t  *op;

    op = ngx_queue_data(ngx_queue_head(&pc->sent),
                        ngx_http_atelier_postgres_op_t, queue);

    if (op->res && PQresultStatus(op->res) == PGRES_FATAL_ERROR) {
        PQclear(res);
        return;
    }

    PQclear(op->res);
    op->res = res;
}


/* The first operation is complete, and what it wrote is committed. */

static void
ngx_http_atelier_postgres_sync(ngx_http_atelier_postgres_conn_t *pc)
{
    ngx_int_t                        rc;
    ngx_http_atelier_postgres_op_t  *op;

    op = ngx_queue_data(ngx_queue_head(&pc->sent),
                        ngx_http_atelier_postgres_op_t, queue);
    pc->nsent--;

    switch (PQresultStatus(op->res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        rc = NGX_OK;
        break;

    default:
        ngx_http_atelier_postgres_failed(pc, op);
        rc = NGX_ERROR;
    }

    ngx_http_atelier_postgres_end(pc->worker, op, rc);
}


/*
 * What a failed statement left prepared is not known, and a change of the
 * schema may have spoilt it: the next one is prepared under a new name.
 */

static void
ngx_http_atelier_postgres_failed(ngx_http_atelier_postgres_conn_t *pc,
    ngx_http_atelier_postgres_op_t *op)
{
    u_char                                 line[
                                      NGX_HTTP_ATELIER_POSTGRES_ERROR_LEN];
    ngx_str_t                              text;
    const char                            *code, *message;
    ngx_http_atelier_postgres_prepared_t  *st;

    code = PQresultErrorField(op->res, PG_DIAG_SQLSTATE);
    message = PQresultErrorField(op->res, PG_DIAG_MESSAGE_PRIMARY);

    code = code ? code : "-----";
    text = ngx_http_atelier_postgres_line(message ? message : "no reason",
                                          line);

    ngx_http_atelier_count(&pc->worker->counters->errors, 1);

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "PostgreSQL refused a statement: %s %V%s", code, &text,
                  (ngx_strncmp(code, "42P01", 5) == 0
                   || ngx_strncmp(code, "3F000", 5) == 0)
                  ? "; apply the migrations of db/ by scripts/migrate" : "");

    if (op->statement == NGX_HTTP_ATELIER_POSTGRES_STATEMENTS) {
        return;
    }

    st = &pc->statements[op->statement];

    if (op->version == st->version
        && (op->prepares || ngx_strncmp(code, "26000", 5) == 0
            || ngx_strncmp(code, "0A000", 5) == 0))
    {
        st->version++;
        st->prepared = 0;
    }
}
