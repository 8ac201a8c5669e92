/*
 * The rows of atelier.generation (db/005_generation.sql), by its functions.
 * Each can be called again with the same arguments, as at_postgres.h asks.
 */

#include "queue_attempt.h"
#include "at_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


#define QUEUE_NUMBER  24


static const at_postgres_statement_t  queue_store_take_sql = {
    "atelier_queue_take",
    "SELECT id, fence, request, jobs, tries, request_id, age_ms"
    " FROM atelier.generation_take($1, $2::bigint)",
    2
};

static const at_postgres_statement_t  queue_store_renew_sql = {
    "atelier_queue_renew",
    "SELECT atelier.generation_renew($1, $2::bigint, $3::bigint)",
    3
};

/* A problem says which jobs are left; without one it is not known. */

static const at_postgres_statement_t  queue_store_retry_sql = {
    "atelier_queue_retry",
    "SELECT atelier.generation_retry($1, $2::bigint, $3::bigint,"
    "    CASE WHEN $4::json IS NULL THEN NULL"
    "         WHEN json_typeof($4::json->'jobs') = 'array'"
    "             THEN $4::json->'jobs'"
    "         ELSE '[]' END,"
    "    $5, $6::boolean)",
    6
};

static const at_postgres_statement_t  queue_store_done_sql = {
    "atelier_queue_done",
    "SELECT atelier.generation_done($1, $2::bigint, $3::json) = 'done'",
    3
};

static const at_postgres_statement_t  queue_store_fail_sql = {
    "atelier_queue_fail",
    "SELECT atelier.generation_fail($1, $2::bigint,"
    "    format('{\"code\":%s,\"detail\":%s%s}',"
    "           to_json($3::text), to_json($4::text),"
    "           coalesce(',\"attempts\":' || ($5::json->'attempts')::text,"
    "                    ''))::json) = 'failed'",
    5
};


static int queue_store_fill(queue_slot_t *slot, PGresult *row);
static int queue_store_body(queue_slot_t *slot, const char *request,
    const char *jobs);
static int queue_store_text(char *out, size_t size, const char *text);
static queue_stored_e queue_store_ask(at_postgres_t *pg,
    const at_postgres_statement_t *statement, const char *const *params);
static const char *queue_store_json(const queue_slot_t *slot, at_buf_t *b);


int
queue_store_take(queue_run_t *run, at_postgres_t *pg, queue_slot_t *slot)
{
    int          rc, refused;
    char         lease[QUEUE_NUMBER], me[96], host[64];
    PGresult    *row;
    const char  *params[] = { me, lease };

    host[0] = '\0';
    (void) gethostname(host, sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    (void) snprintf(me, sizeof(me), "%s:%ld", host, (long) getpid());
    (void) snprintf(lease, sizeof(lease), "%lld",
                    (long long) run->settings.lease);

    row = at_postgres_exec(pg, &queue_store_take_sql, params, &refused);
    if (row == NULL) {
        return AT_ERROR;
    }

    rc = 0;

    if (PQntuples(row) > 0) {
        rc = queue_store_fill(slot, row);
    }

    PQclear(row);

    return rc;
}


/* 1 or AT_ERROR, when its lease is left to end. */

static int
queue_store_fill(queue_slot_t *slot, PGresult *row)
{
    slot->tries = strtoll(PQgetvalue(row, 0, 4), NULL, 10);
    slot->age = strtoll(PQgetvalue(row, 0, 6), NULL, 10);
    slot->taken = at_time_mono();

    if (queue_store_text(slot->id, sizeof(slot->id), PQgetvalue(row, 0, 0))
            != AT_OK
        || queue_store_text(slot->fence, sizeof(slot->fence),
                            PQgetvalue(row, 0, 1))
           != AT_OK
        || queue_store_text(slot->request_id, sizeof(slot->request_id),
                            PQgetvalue(row, 0, 5))
           != AT_OK
        || queue_store_body(slot, PQgetvalue(row, 0, 2),
                            PQgetvalue(row, 0, 3))
           != AT_OK)
    {
        at_buf_free(&slot->body);
        return AT_ERROR;
    }

    return 1;
}


static int
queue_store_body(queue_slot_t *slot, const char *request, const char *jobs)
{
    int       rc;
    at_buf_t *b = &slot->body;

    memset(b, 0, sizeof(at_buf_t));

    rc = at_buf_printf(b, "{\"id\":\"%s\",\"fence\":%s,\"request\":",
                       slot->id, slot->fence);
    rc |= at_buf_append(b, request, strlen(request));
    rc |= at_buf_append_str(b, AT_STR(",\"jobs\":"));
    rc |= at_buf_append(b, jobs, strlen(jobs));
    rc |= at_buf_append_str(b, AT_STR(",\"requestId\":"));
    rc |= at_json_write_string(b, (at_str_t) { strlen(slot->request_id),
                                               slot->request_id });
    rc |= at_buf_append_str(b, AT_STR("}"));

    return rc;
}


static int
queue_store_text(char *out, size_t size, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (len >= size) {
        return AT_ERROR;
    }

    memcpy(out, text, len + 1);

    return AT_OK;
}


queue_stored_e
queue_store_renew(queue_run_t *run, at_postgres_t *pg,
    const queue_slot_t *slot)
{
    char         lease[QUEUE_NUMBER];
    const char  *params[] = { slot->id, slot->fence, lease };

    (void) snprintf(lease, sizeof(lease), "%lld",
                    (long long) run->settings.lease);

    return queue_store_ask(pg, &queue_store_renew_sql, params);
}


queue_stored_e
queue_store_retry(at_postgres_t *pg, const queue_slot_t *slot, int64_t delay,
    int counted)
{
    char             ms[QUEUE_NUMBER];
    at_buf_t         json = { .max = 0 };
    const char      *params[] = { slot->id, slot->fence, ms, NULL,
                                  slot->answer.code,
                                  counted ? "true" : "false" };
    queue_stored_e   stored;

    (void) snprintf(ms, sizeof(ms), "%lld", (long long) delay);
    params[3] = queue_store_json(slot, &json);

    stored = queue_store_ask(pg, &queue_store_retry_sql, params);

    /* better without the jobs than not at all */

    if (stored == QUEUE_REFUSED && params[3]) {
        params[3] = NULL;
        stored = queue_store_ask(pg, &queue_store_retry_sql, params);
    }

    at_buf_free(&json);

    return stored;
}


queue_stored_e
queue_store_done(at_postgres_t *pg, const queue_slot_t *slot)
{
    at_buf_t         json = { .max = 0 };
    const char      *params[] = { slot->id, slot->fence, NULL };
    queue_stored_e   stored;

    params[2] = queue_store_json(slot, &json);

    stored = params[2] ? queue_store_ask(pg, &queue_store_done_sql, params)
                       : QUEUE_NO_POSTGRES;
    at_buf_free(&json);

    return stored;
}


queue_stored_e
queue_store_fail(at_postgres_t *pg, const queue_slot_t *slot, int attempts)
{
    at_buf_t         json = { .max = 0 };
    const char      *params[] = { slot->id, slot->fence, slot->answer.code,
                                  slot->answer.detail, NULL };
    queue_stored_e   stored;

    params[4] = attempts ? queue_store_json(slot, &json) : NULL;

    stored = queue_store_ask(pg, &queue_store_fail_sql, params);

    if (stored == QUEUE_REFUSED && params[4]) {
        params[4] = NULL;
        stored = queue_store_ask(pg, &queue_store_fail_sql, params);
    }

    at_buf_free(&json);

    return stored;
}


/* The body of the answer with a NUL, if it is JSON that says something. */

static const char *
queue_store_json(const queue_slot_t *slot, at_buf_t *b)
{
    if ((!slot->answer.problem && slot->answer.verdict != QUEUE_IS_DONE)
        || at_buf_append_str(b, at_buf_str(&slot->call.body)) != AT_OK
        || at_buf_append(b, "", 1) != AT_OK)
    {
        return NULL;
    }

    return (const char *) b->data;
}


static queue_stored_e
queue_store_ask(at_postgres_t *pg, const at_postgres_statement_t *statement,
    const char *const *params)
{
    int              refused;
    PGresult        *row;
    queue_stored_e   stored;

    row = at_postgres_exec(pg, statement, params, &refused);

    if (row == NULL) {
        return refused ? QUEUE_REFUSED : QUEUE_NO_POSTGRES;
    }

    stored = (PQntuples(row) == 1 && PQgetvalue(row, 0, 0)[0] == 't')
             ? QUEUE_STORED : QUEUE_NOT_OURS;
    PQclear(row);

    return stored;
}
