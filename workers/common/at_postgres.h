/*
 * A connection to PostgreSQL that mends itself.
 *
 * One thread uses one at_postgres_t.  Statements are prepared at first use;
 * every one has a time limit, after which the connection is closed, as nobody
 * knows whether it was done: callers only send what can be done twice.  The
 * server has the same limit.  When it is away, calls return NULL at once until
 * the next try is due, at first after 0.1 s, in the end every 5 s or what
 * backoff says; one that stands still is waited for less than a quarter of the
 * time.
 */

#ifndef AT_POSTGRES_H
#define AT_POSTGRES_H


#include "at.h"

#include <libpq-fe.h>


typedef struct {
    const char  *conninfo;
    int64_t      timeout;               /* ms */
    const char  *listen;                /* a channel's name, or NULL */
    int64_t      backoff;               /* ms between tries at most; 0: 5 s */
    const char  *greeting;              /* SQL of every new connection, or
                                           NULL */
} at_postgres_settings_t;


/* Static; the name is that of the prepared statement. */
typedef struct {
    const char  *name;
    const char  *sql;
    int          nparams;
} at_postgres_statement_t;


typedef struct at_postgres_s  at_postgres_t;


at_postgres_t *at_postgres_create(const at_postgres_settings_t *settings);
void at_postgres_free(at_postgres_t *pg);

/*
 * params are texts.  The result is good and freed by PQclear(); NULL: away, or
 * refused by the server, which is logged and *refused is 1.  What failed for
 * another reason than what was sent counts as away.
 */
PGresult *at_postgres_exec(at_postgres_t *pg,
    const at_postgres_statement_t *statement, const char *const *params,
    int *refused);

/*
 * 1: something was notified on the channel of the settings since the last
 * call, or may have been: the connection is a new one.  Connects if need be,
 * waits for nothing else.
 */
int at_postgres_notified(at_postgres_t *pg);

/* To be polled for input by who waits for that; -1: there is no connection. */
int at_postgres_socket(const at_postgres_t *pg);

/*
 * For what belongs to a connection, as locks do: grows with every new one; 0
 * while there is none.
 */
uint64_t at_postgres_connection(const at_postgres_t *pg);

/* 1: the last statement was answered. */
int at_postgres_up(const at_postgres_t *pg);

/* NULL, or what is wrong with a connection string. */
const char *at_postgres_check(const char *conninfo);


#endif /* AT_POSTGRES_H */
