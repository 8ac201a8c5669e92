/*
 * PostgreSQL (see at_postgres.h), by libpq without blocking, so that a server
 * which stands still cannot hold a thread.
 */

#include "at_postgres.h"
#include "at_log.h"
#include "at_time.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define AT_POSTGRES_BACKOFF_MIN  100    /* ms */
#define AT_POSTGRES_BACKOFF_MAX  5000
#define AT_POSTGRES_PREPARED     16     /* statements of one connection */

/* A server that stands still is given so long to take a connection, then
   twice as long, and as many times that of rest: who waits has other work. */
#define AT_POSTGRES_TRY_MIN      250    /* ms */
#define AT_POSTGRES_TRY_MAX      1000
#define AT_POSTGRES_REST         4


struct at_postgres_s {
    const at_postgres_settings_t   *settings;
    PGconn                         *conn;
    const at_postgres_statement_t  *prepared[AT_POSTGRES_PREPARED];
    size_t                          nprepared;
    uint64_t                        connection;
    int64_t                         next;
    int64_t                         backoff;
    int64_t                         patience;    /* 0: that of the settings */
    unsigned                        up:1;
    unsigned                        told:1;
    unsigned                        notified:1;
};


static int at_postgres_connect(at_postgres_t *pg);
static int at_postgres_handshake(at_postgres_t *pg, int64_t until);
static void at_postgres_notice(void *data, const char *text);
static int at_postgres_listen(at_postgres_t *pg, int64_t until);
static void at_postgres_back(at_postgres_t *pg,
    const at_postgres_statement_t *statement);
static int at_postgres_greet(at_postgres_t *pg, int64_t until);
static int at_postgres_say(at_postgres_t *pg, const char *sql,
    int64_t until);
static void at_postgres_notices(at_postgres_t *pg);
static int at_postgres_wait(at_postgres_t *pg, short events, int64_t until);
static int at_postgres_prepare(at_postgres_t *pg,
    const at_postgres_statement_t *statement, int64_t until);
static PGresult *at_postgres_result(at_postgres_t *pg, int64_t until);
static int at_postgres_passing(const PGresult *result);
static void at_postgres_late(at_postgres_t *pg, int64_t ms);
static void at_postgres_lost(at_postgres_t *pg, const char *why);


at_postgres_t *
at_postgres_create(const at_postgres_settings_t *settings)
{
    at_postgres_t  *pg;

    pg = calloc(1, sizeof(at_postgres_t));

    if (pg) {
        pg->settings = settings;
        pg->backoff = AT_POSTGRES_BACKOFF_MIN;
    }

    return pg;
}


void
at_postgres_free(at_postgres_t *pg)
{
    if (pg) {
        PQfinish(pg->conn);
        free(pg);
    }
}


int
at_postgres_up(const at_postgres_t *pg)
{
    return pg->up;
}


uint64_t
at_postgres_connection(const at_postgres_t *pg)
{
    return pg->conn ? pg->connection : 0;
}


int
at_postgres_socket(const at_postgres_t *pg)
{
    return pg->conn ? PQsocket(pg->conn) : -1;
}


int
at_postgres_notified(at_postgres_t *pg)
{
    int  notified;

    if (at_postgres_connect(pg) != AT_OK) {
        return 0;
    }

    if (PQconsumeInput(pg->conn) != 1) {
        at_postgres_lost(pg, PQerrorMessage(pg->conn));
        return 0;
    }

    at_postgres_notices(pg);

    notified = pg->notified;
    pg->notified = 0;

    return notified;
}


static void
at_postgres_notices(at_postgres_t *pg)
{
    PGnotify  *notify;

    while ((notify = PQnotifies(pg->conn)) != NULL) {
        PQfreemem(notify);
        pg->notified = 1;
    }
}


const char *
at_postgres_check(const char *conninfo)
{
    char              *error;
    PQconninfoOption  *options;

    options = PQconninfoParse(conninfo, &error);

    if (options == NULL) {
        PQfreemem(error);
        return "is no connection string: write host=/run/postgresql "
               "dbname=atelier";
    }

    PQconninfoFree(options);

    return NULL;
}


PGresult *
at_postgres_exec(at_postgres_t *pg, const at_postgres_statement_t *statement,
    const char *const *params, int *refused)
{
    int64_t    until;
    PGresult  *result;

    *refused = 0;

    if (at_postgres_connect(pg) != AT_OK) {
        return NULL;
    }

    until = at_time_mono() + pg->settings->timeout;

    if (at_postgres_prepare(pg, statement, until) != AT_OK) {
        return NULL;
    }

    if (PQsendQueryPrepared(pg->conn, statement->name, statement->nparams,
                            params, NULL, NULL, 0)
        != 1)
    {
        at_postgres_lost(pg, PQerrorMessage(pg->conn));
        return NULL;
    }

    result = at_postgres_result(pg, until);
    if (result == NULL) {
        return NULL;
    }

    if (at_postgres_passing(result)) {
        at_postgres_lost(pg, PQresultErrorMessage(result));
        PQclear(result);
        return NULL;
    }

    at_postgres_back(pg, statement);

    if (PQresultStatus(result) == PGRES_COMMAND_OK
        || PQresultStatus(result) == PGRES_TUPLES_OK)
    {
        return result;
    }

    at_log(AT_LOG_ERROR, "postgres.refused",
           at_log_text("statement", statement->name),
           at_log_text("error", PQresultErrorMessage(result)));

    *refused = 1;
    PQclear(result);

    return NULL;
}


/* Not by a connection alone: its tables may be missing. */

static void
at_postgres_back(at_postgres_t *pg, const at_postgres_statement_t *statement)
{
    if (pg->told) {
        at_log(AT_LOG_INFO, "postgres.back",
               at_log_text("statement", statement->name));
    }

    pg->up = 1;
    pg->told = 0;
    pg->backoff = AT_POSTGRES_BACKOFF_MIN;
    pg->patience = 0;
}


static int
at_postgres_connect(at_postgres_t *pg)
{
    int64_t      limit, until;
    const char  *keys[] = { "dbname", "application_name", NULL };
    const char  *values[] = { pg->settings->conninfo, "atelier-worker",
                              NULL };

    if (pg->conn) {
        return AT_OK;
    }

    if (at_time_mono() < pg->next) {
        return AT_ERROR;
    }

    limit = pg->settings->timeout;

    if (pg->patience && pg->patience < limit) {
        limit = pg->patience;
    }

    until = at_time_mono() + limit;

    /* a "dbname" that is a connection string is taken as one */

    pg->conn = PQconnectStartParams(keys, values, 1);

    if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD) {
        at_postgres_lost(pg, pg->conn ? PQerrorMessage(pg->conn)
                                      : "no memory");
        return AT_ERROR;
    }

    if (at_postgres_handshake(pg, until) != AT_OK) {
        if (at_time_mono() >= until) {
            at_postgres_late(pg, limit * AT_POSTGRES_REST);
        }

        return AT_ERROR;
    }

    if (PQsetnonblocking(pg->conn, 1) != 0) {
        at_postgres_lost(pg, PQerrorMessage(pg->conn));
        return AT_ERROR;
    }

    (void) PQsetNoticeProcessor(pg->conn, at_postgres_notice, NULL);
    pg->nprepared = 0;

    if (at_postgres_greet(pg, until) != AT_OK) {
        return AT_ERROR;
    }

    pg->connection++;

    return AT_OK;
}


static int
at_postgres_handshake(at_postgres_t *pg, int64_t until)
{
    short                      events;
    PostgresPollingStatusType  state;

    for (state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
         state = PQconnectPoll(pg->conn))
    {
        events = (state == PGRES_POLLING_READING) ? POLLIN : POLLOUT;

        if (state == PGRES_POLLING_FAILED
            || at_postgres_wait(pg, events, until) != AT_OK)
        {
            at_postgres_lost(pg, (state == PGRES_POLLING_FAILED)
                                 ? PQerrorMessage(pg->conn)
                                 : "no answer in time");
            return AT_ERROR;
        }
    }

    return AT_OK;
}


/* Not to standard error as it is, where the log has one line a thing. */

static void
at_postgres_notice(void *data, const char *text)
{
    (void) data;

    at_log(AT_LOG_DEBUG, "postgres.notice", at_log_text("text", text));
}


/* What nobody waits for any more is given up by the server, too. */

static int
at_postgres_greet(at_postgres_t *pg, int64_t until)
{
    char  sql[64];

    (void) snprintf(sql, sizeof(sql), "SET statement_timeout = %lld",
                    (long long) pg->settings->timeout);

    if (at_postgres_say(pg, sql, until) != AT_OK
        || (pg->settings->greeting
            && at_postgres_say(pg, pg->settings->greeting, until) != AT_OK))
    {
        return AT_ERROR;
    }

    return pg->settings->listen ? at_postgres_listen(pg, until) : AT_OK;
}


static int
at_postgres_listen(at_postgres_t *pg, int64_t until)
{
    char  sql[128];

    (void) snprintf(sql, sizeof(sql), "LISTEN %s", pg->settings->listen);
    pg->notified = 1;

    return at_postgres_say(pg, sql, until);
}


/* What is not prepared, and answered by nothing of interest. */

static int
at_postgres_say(at_postgres_t *pg, const char *sql, int64_t until)
{
    int        ok;
    PGresult  *result;

    if (PQsendQuery(pg->conn, sql) != 1) {
        at_postgres_lost(pg, PQerrorMessage(pg->conn));
        return AT_ERROR;
    }

    result = at_postgres_result(pg, until);
    if (result == NULL) {
        return AT_ERROR;
    }

    ok = (PQresultStatus(result) == PGRES_COMMAND_OK);

    if (!ok) {
        at_postgres_lost(pg, PQresultErrorMessage(result));
    }

    PQclear(result);

    return ok ? AT_OK : AT_ERROR;
}


static int
at_postgres_wait(at_postgres_t *pg, short events, int64_t until)
{
    int64_t        left;
    struct pollfd  pfd;

    left = until - at_time_mono();

    pfd.fd = PQsocket(pg->conn);
    pfd.events = events;

    if (left <= 0 || poll(&pfd, 1, (int) left) <= 0) {
        return AT_ERROR;
    }

    return AT_OK;
}


static int
at_postgres_prepare(at_postgres_t *pg,
    const at_postgres_statement_t *statement, int64_t until)
{
    int        ok;
    size_t     i;
    PGresult  *result;

    for (i = 0; i < pg->nprepared; i++) {
        if (pg->prepared[i] == statement) {
            return AT_OK;
        }
    }

    if (pg->nprepared == AT_POSTGRES_PREPARED) {
        return AT_ERROR;
    }

    if (PQsendPrepare(pg->conn, statement->name, statement->sql,
                      statement->nparams, NULL)
        != 1)
    {
        at_postgres_lost(pg, PQerrorMessage(pg->conn));
        return AT_ERROR;
    }

    result = at_postgres_result(pg, until);
    if (result == NULL) {
        return AT_ERROR;
    }

    ok = (PQresultStatus(result) == PGRES_COMMAND_OK);

    if (ok) {
        pg->prepared[pg->nprepared++] = statement;

    } else {

        /* tables are missing, most likely: an operator's work, not ours */

        at_postgres_lost(pg, PQresultErrorMessage(result));
    }

    PQclear(result);

    return ok ? AT_OK : AT_ERROR;
}


/* The one result of what was sent; NULL: the connection is closed. */

static PGresult *
at_postgres_result(at_postgres_t *pg, int64_t until)
{
    int        unsent;
    PGresult  *result, *last;

    last = NULL;

    for ( ;; ) {
        unsent = PQflush(pg->conn);

        if (unsent < 0) {
            break;
        }

        if (unsent == 0 && !PQisBusy(pg->conn)) {
            result = PQgetResult(pg->conn);

            if (result == NULL) {
                if (last == NULL) {
                    break;
                }

                return last;
            }

            PQclear(last);
            last = result;

            if (PQstatus(pg->conn) == CONNECTION_BAD) {
                break;
            }

            continue;
        }

        if (at_postgres_wait(pg, (short) (POLLIN | (unsent ? POLLOUT : 0)),
                             until)
            != AT_OK)
        {
            PQclear(last);
            at_postgres_lost(pg, "no answer in time");
            at_postgres_late(pg, pg->settings->timeout);
            return NULL;
        }

        if (PQconsumeInput(pg->conn) != 1) {
            break;
        }
    }

    PQclear(last);
    at_postgres_lost(pg, PQerrorMessage(pg->conn));

    return NULL;
}


/*
 * 1: not because of what was sent.  It was broken off, or stood in the way of
 * another one; or the server ends, is full, or only answers readers.
 */

static int
at_postgres_passing(const PGresult *result)
{
    size_t       i;
    const char  *state;

    static const char *const  states[] = {
        "40", "53", "57", "58", "25006", "55P03"
    };

    state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    for (i = 0; state && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strncmp(state, states[i], strlen(states[i])) == 0) {
            return 1;
        }
    }

    return 0;
}


/* It was waited for in vain: not again for so long. */

static void
at_postgres_late(at_postgres_t *pg, int64_t rest)
{
    int64_t  next;

    rest = (rest < AT_POSTGRES_BACKOFF_MAX) ? rest : AT_POSTGRES_BACKOFF_MAX;
    next = at_time_mono() + rest;

    if (pg->next < next) {
        pg->next = next;
    }

    pg->patience = (pg->patience == 0) ? AT_POSTGRES_TRY_MIN
                   : (pg->patience < AT_POSTGRES_TRY_MAX / 2)
                     ? pg->patience * 2 : AT_POSTGRES_TRY_MAX;
}


static void
at_postgres_lost(at_postgres_t *pg, const char *why)
{
    int64_t  max;

    if (!pg->told) {
        at_log(AT_LOG_WARN, "postgres.away", at_log_text("error", why));
    }

    pg->told = 1;
    pg->up = 0;

    PQfinish(pg->conn);
    pg->conn = NULL;

    max = pg->settings->backoff ? pg->settings->backoff
                                : AT_POSTGRES_BACKOFF_MAX;
    pg->next = at_time_mono() + pg->backoff;
    pg->backoff = (pg->backoff * 2 < max) ? pg->backoff * 2 : max;
}
