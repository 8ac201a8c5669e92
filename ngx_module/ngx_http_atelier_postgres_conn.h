/*
 * What the files of the PostgreSQL mechanism share; nobody else includes it.
 *
 *     postgres.c           the API: who waits for what, until when
 *     postgres_op.c        operations
 *     postgres_conn.c      connections: libpq's on nginx's events
 *     postgres_pipeline.c  what goes over a connection
 *     postgres_conf.c      the directive, probes and metrics
 *
 * Everything here is of one worker and lives as long as it.  An operation is
 * one block of heap memory; who removes it from the queues frees it.
 */

#ifndef NGX_HTTP_ATELIER_POSTGRES_CONN_H
#define NGX_HTTP_ATELIER_POSTGRES_CONN_H


#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_zone.h"


#define NGX_HTTP_ATELIER_POSTGRES_STATEMENTS  64
#define NGX_HTTP_ATELIER_POSTGRES_CONNS       8
#define NGX_HTTP_ATELIER_POSTGRES_ERROR_LEN   512


struct ngx_http_atelier_postgres_conf_s {
    const char                     **keywords;   /* of PQconnectStartParams */
    const char                     **values;
    const char                     **user;       /* the value of "user" */
    ngx_msec_t                       timeout;
    ngx_uint_t                       queue;
    ngx_uint_t                       connections;
    ngx_flag_t                       prepare;
    ngx_http_atelier_place_t         place;
};


typedef struct ngx_http_atelier_postgres_worker_s
    ngx_http_atelier_postgres_worker_t;


typedef enum {
    NGX_HTTP_ATELIER_POSTGRES_AWAY = 0,          /* until the timer fires */
    NGX_HTTP_ATELIER_POSTGRES_CONNECTING,
    NGX_HTTP_ATELIER_POSTGRES_READY
} ngx_http_atelier_postgres_state_e;


typedef struct {
    uint32_t                         version;    /* part of its name */
    unsigned                         prepared:1;
} ngx_http_atelier_postgres_prepared_t;


typedef struct {
    void                            *unused[3];
    ngx_socket_t                     fd;         /* where ngx_connection_t has
                                                    it: the debug log looks */

    PGconn                          *pg;
    ngx_connection_t                *connection;
    ngx_http_atelier_postgres_worker_t  *worker;
    ngx_http_atelier_postgres_state_e    state;

    ngx_queue_t                      sent;       /* FIFO, as is the pipeline */
    ngx_uint_t                       nsent;
    ngx_event_t                      timer;      /* pause, connect, or beat */
    ngx_msec_t                       heard;      /* the last answer */
    ngx_msec_t                       since;      /* that it is ready */
    ngx_uint_t                       fails;      /* attempts in a row */

    ngx_http_atelier_postgres_prepared_t
                           statements[NGX_HTTP_ATELIER_POSTGRES_STATEMENTS];
} ngx_http_atelier_postgres_conn_t;


struct ngx_http_atelier_postgres_op_s {
    ngx_queue_t                      queue;      /* in waiting, or in sent */
    ngx_queue_t                      age;        /* in worker->ops, or alone */
    ngx_http_atelier_postgres_pt     cb;         /* NULL: forgotten */
    void                            *data;
    const char                      *sql;
    PGresult                        *res;        /* until the pipeline's sync */
    ngx_msec_t                       deadline;
    ngx_uint_t                       statement;  /* index, or STATEMENTS */
    uint32_t                         version;    /* that was executed */
    ngx_uint_t                       nparams;
    unsigned                         sent:1;
    unsigned                         prepares:1;
    unsigned                         beat:1;     /* the mechanism's own */
    const char                      *params[1];
};


struct ngx_http_atelier_postgres_worker_s {
    void                                  *unused[3];
    ngx_socket_t                           fd;   /* as above */

    ngx_http_atelier_postgres_conf_t      *conf;
    ngx_http_atelier_postgres_counters_t  *counters;
    ngx_http_atelier_postgres_gauges_t    *gauges;

    ngx_queue_t                            waiting;   /* for a connection */
    ngx_queue_t                            ops;       /* oldest first */
    ngx_uint_t                             pending;   /* blocks there are */
    ngx_event_t                            deadline;  /* of the oldest */
    int64_t                                clock;     /* server's minus ours */

    const char             *sqls[NGX_HTTP_ATELIER_POSTGRES_STATEMENTS];
    ngx_uint_t              nsqls;

    ngx_http_atelier_postgres_conn_t   conns[NGX_HTTP_ATELIER_POSTGRES_CONNS];
};


/* postgres_conn.c */

void ngx_http_atelier_postgres_connect(ngx_http_atelier_postgres_conn_t *pc);

/* Closes it, tells those who waited for it, and plans the next attempt. */
void ngx_http_atelier_postgres_lose(ngx_http_atelier_postgres_conn_t *pc,
    const char *why);

/* Closes it and frees its operations; nobody is told. */
void ngx_http_atelier_postgres_close(ngx_http_atelier_postgres_conn_t *pc);

/* One line of visible characters; line has room for ERROR_LEN. */
ngx_str_t ngx_http_atelier_postgres_line(const char *text, u_char *line);


/* postgres_pipeline.c */

/* Never calls back: what fails is found out by the connection's next event. */
void ngx_http_atelier_postgres_send(ngx_http_atelier_postgres_conn_t *pc,
    ngx_http_atelier_postgres_op_t *op);

/* Handlers of a connection that is made. */
void ngx_http_atelier_postgres_read(ngx_event_t *ev);
void ngx_http_atelier_postgres_write(ngx_event_t *ev);


/* postgres_op.c */

/* A new block among all that are awaited; NULL as the API says. */
ngx_http_atelier_postgres_op_t *ngx_http_atelier_postgres_op(
    ngx_http_atelier_postgres_worker_t *worker, const char *sql,
    ngx_uint_t nparams, const ngx_str_t *params);

/* Takes it out of all queues, calls back, frees it and its result. */
void ngx_http_atelier_postgres_end(ngx_http_atelier_postgres_worker_t *worker,
    ngx_http_atelier_postgres_op_t *op, ngx_int_t rc);


/* postgres.c */

/* A connection became ready, or one that was hoped for failed. */
void ngx_http_atelier_postgres_changed(
    ngx_http_atelier_postgres_worker_t *worker);


#endif /* NGX_HTTP_ATELIER_POSTGRES_CONN_H */
