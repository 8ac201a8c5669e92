/*
 * PostgreSQL in the event loop: a few connections per worker, each a pipeline
 * of statements that are prepared once.
 *
 * Endpoints call ngx_http_atelier_postgres_query() and are called back once.
 * The mechanism owns the connections, the operations and their copies of the
 * parameters, and every PGresult; it knows no request.  A callback that ends
 * a request runs ngx_http_run_posted_requests() itself, with the connection
 * it has put aside.
 *
 * A worker whose server is away says so at once, and asks again by itself.
 */

#ifndef NGX_HTTP_ATELIER_POSTGRES_H
#define NGX_HTTP_ATELIER_POSTGRES_H


#include "ngx_http_atelier.h"

#include <libpq-fe.h>


typedef struct ngx_http_atelier_postgres_op_s  ngx_http_atelier_postgres_op_t;

/*
 * rc is NGX_OK: res holds rows or a count; NGX_ERROR: the server refused the
 * statement, res says why (PQresultErrorField), and it is logged already;
 * NGX_DECLINED: there was no answer in time or the connection broke, res is
 * NULL, and whether the statement was carried out is not known.
 *
 * res belongs to the mechanism and lives as long as the callback runs.
 */
typedef void (*ngx_http_atelier_postgres_pt)(void *data, ngx_int_t rc,
    PGresult *res);


/*
 * Sends one statement, a transaction of its own.  sql is a constant: it is
 * known by its address, and prepared once on each connection.  Parameters are
 * text and copied here; one whose data is NULL is SQL's NULL.
 *
 * NULL: the callback will not be called, as no server is configured or can
 * be reached, the queue is full, or a parameter holds a NUL byte.  Otherwise
 * it is called once, from the event loop and never from within this call,
 * unless the operation is forgotten before.
 */
ngx_http_atelier_postgres_op_t *ngx_http_atelier_postgres_query(
    const char *sql, ngx_uint_t nparams, const ngx_str_t *params,
    ngx_http_atelier_postgres_pt cb, void *data);

/* The caller dies: its callback is not called.  The statement may run. */
void ngx_http_atelier_postgres_forget(ngx_http_atelier_postgres_op_t *op);

/* Whether a query would be sent now. */
ngx_uint_t ngx_http_atelier_postgres_ready(void);

/*
 * For statements that write: the last moment at which the server may begin
 * one that is sent now, in ms since 1970 by the server's clock.  One that
 * tests clock_timestamp() against it, and so begins in time, has ended before
 * NGX_DECLINED is reported; one that was stuck on its way does nothing when
 * it gets there.  So who was told no, and asks for something else, is not
 * overtaken by the past.
 */
int64_t ngx_http_atelier_postgres_expires(void);

/* ,"postgres":"ok" or "away" for /health/ready; nothing without a server. */
int ngx_http_atelier_postgres_health(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);

/* Its section of /metrics. */
int ngx_http_atelier_postgres_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);

/* atelier_postgres conninfo [parameters]; */
char *ngx_http_atelier_postgres(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* From postconfiguration. */
ngx_int_t ngx_http_atelier_postgres_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);

ngx_int_t ngx_http_atelier_postgres_init_process(ngx_cycle_t *cycle);
void ngx_http_atelier_postgres_exit_process(void);


#endif /* NGX_HTTP_ATELIER_POSTGRES_H */
