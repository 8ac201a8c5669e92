/*
 * The thread that relays: it holds the lock, is woken by NOTIFY, takes what is
 * in the outbox, and removes what Redis has.
 *
 * It takes every row it can see, never those above a last one: transactions
 * commit in another order than they took their numbers in.  Whatever ends it
 * between Redis and the removal, the same rows come again and are found to be
 * there.
 */

#include "relay.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define RELAY_PAUSE    50       /* ms, while Redis or PostgreSQL is away */
#define RELAY_STANDBY  500      /* ms between tries, at most */


static const at_postgres_statement_t  relay_work_lock = {
    "atelier_relay_lock",
    "SELECT pg_try_advisory_lock(1096041804, 2)",
    0
};

static const at_postgres_statement_t  relay_work_unlock = {
    "atelier_relay_unlock",
    "SELECT pg_advisory_unlock_all()",
    0
};

static const at_postgres_statement_t  relay_work_listen = {
    "atelier_relay_listen",
    "LISTEN atelier_outbox",
    0
};

static const at_postgres_statement_t  relay_work_take = {
    "atelier_relay_take",
    "SELECT seq, channel, id, data FROM atelier.outbox"
    " WHERE channel <> ALL ($2::text[])"
    " ORDER BY seq LIMIT $1::bigint",
    2
};

static const at_postgres_statement_t  relay_work_remove = {
    "atelier_relay_remove",
    "DELETE FROM atelier.outbox WHERE seq = ANY ($1::bigint[])",
    1
};


static void relay_work(relay_t *t);
static int relay_work_active(relay_t *t);
static void relay_work_redis(relay_t *t);
static int64_t relay_work_standby(relay_t *t);
static int relay_work_turn(relay_t *t);
static void relay_work_size(relay_t *t);
static PGresult *relay_work_rows(relay_t *t);
static int relay_work_batch(relay_t *t, PGresult *result);
static at_str_t relay_work_field(PGresult *result, int row, int field);
static int relay_work_done(relay_t *t);
static void relay_work_wait(relay_t *t, int64_t ms);


void *
relay_work_thread(void *data)
{
    relay_t  t;

    memset(&t, 0, sizeof(relay_t));

    t.run = data;
    t.batch = (size_t) t.run->settings.batch;
    t.redis = at_redis_create(&t.run->redis);
    t.postgres = at_postgres_create(&t.run->postgres);
    t.rows = calloc(t.batch, sizeof(relay_row_t));

    if (t.redis && t.postgres && t.rows) {
        while (!at_stop_raised(&t.run->worker.stop)) {
            relay_work(&t);
        }

        /* the next one need not wait until the server sees us gone */

        if (t.held && t.held == at_postgres_connection(t.postgres)) {
            PQclear(relay_ask(&t, &relay_work_unlock, NULL));
        }

    } else {
        at_log(AT_LOG_ERROR, "no memory", at_log_text("thread", "relay"));
    }

    relay_set(RELAY_ACTIVE, 0);
    relay_refused_free(&t);
    at_redis_free(t.redis);
    at_postgres_free(t.postgres);
    free(t.rows);

    return NULL;
}


static void
relay_work(relay_t *t)
{
    int      active;
    int64_t  wait;

    active = relay_work_active(t);
    relay_set(RELAY_ACTIVE, active);

    /* what was woken goes on at once: whether Redis is there shows */

    if (t->away || (!t->woken && !t->looks && !t->settles)) {
        relay_work_redis(t);
    }

    if (active) {
        relay_rest(t);
    }

    if (active && !t->away && t->pause <= at_time_mono()) {

        /* once more, as long as batches are full */

        while (relay_work_turn(t) == AT_OK) {
            if (at_stop_raised(&t->run->worker.stop)) {
                return;
            }
        }
    }

    relay_set(RELAY_REDIS_UP, !t->away && !t->refuses);

    wait = !active ? relay_work_standby(t)
           : (t->away || t->pause) ? RELAY_PAUSE : relay_rest_wait(t);
    relay_work_wait(t, wait);
}


/* The lock is that of a connection: with a new one it has to be taken anew. */

static int
relay_work_active(relay_t *t)
{
    int        got;
    PGresult  *result;

    if (t->held && t->held == at_postgres_connection(t->postgres)) {
        return 1;
    }

    t->held = 0;
    result = relay_ask(t, &relay_work_lock, NULL);

    if (result == NULL) {
        return 0;
    }

    got = (PQgetvalue(result, 0, 0)[0] == 't');
    PQclear(result);

    if (got) {
        result = relay_ask(t, &relay_work_listen, NULL);
        got = (result != NULL);
        PQclear(result);
    }

    if (got) {
        t->held = at_postgres_connection(t->postgres);
        relay_rest_begin(t);
        t->told = 0;
        at_log(AT_LOG_INFO, "active", at_log_text("redis",
                                                  t->run->redis.address));

    } else if (!t->told) {
        t->told = 1;
        at_log(AT_LOG_INFO, "standby",
               at_log_text("why", "another process relays"));
    }

    return got;
}


static void
relay_work_redis(relay_t *t)
{
    redisReply  *reply;

    reply = at_redis_call(t->redis, "PING");
    t->away = (reply == NULL);
    freeReplyObject(reply);
}


/* Until the next try to be the one. */

static int64_t
relay_work_standby(relay_t *t)
{
    t->looks = 0;
    t->settles = 0;

    return (t->run->settings.poll < RELAY_STANDBY) ? t->run->settings.poll
                                                   : RELAY_STANDBY;
}


/* AT_OK: there is more; AT_ERROR: wait. */

static int
relay_work_turn(relay_t *t)
{
    int        full, moved;
    PGresult  *result;

    result = relay_work_rows(t);

    if (result == NULL) {
        return AT_ERROR;
    }

    full = relay_work_batch(t, result);
    moved = 0;

    if (t->nrows == 0) {
        t->pause = 0;
        t->refuses = 0;

    } else {
        t->away = (relay_send(t) != AT_OK);
        relay_work_size(t);
        moved = relay_work_done(t);
        relay_rest_seen(t);
    }

    PQclear(result);

    return (full && moved && !t->away && !t->pause) ? AT_OK : AT_ERROR;
}


/* Perhaps a batch was too much for the time there is: half of it, then. */

static void
relay_work_size(relay_t *t)
{
    size_t  max = (size_t) t->run->settings.batch;

    t->batch = t->away ? (t->batch + 1) / 2 : t->batch * 2;

    if (t->batch > max) {
        t->batch = max;
    }
}


PGresult *
relay_ask(relay_t *t, const at_postgres_statement_t *statement,
    const char *const *params)
{
    int        refused;
    PGresult  *result;

    result = at_postgres_exec(t->postgres, statement, params, &refused);
    relay_set(RELAY_POSTGRES_UP, at_postgres_up(t->postgres) && !refused);

    return result;
}


static PGresult *
relay_work_rows(relay_t *t)
{
    char         limit[24];
    at_buf_t     refused = { .max = 0 };
    PGresult    *result;
    const char  *params[2];

    if (relay_refused_text(t, &refused) != AT_OK) {
        at_buf_free(&refused);
        return NULL;
    }

    (void) snprintf(limit, sizeof(limit), "%zu", t->batch);
    params[0] = limit;
    params[1] = (char *) refused.data;

    result = relay_ask(t, &relay_work_take, params);
    at_buf_free(&refused);

    return result;
}


/* 1: there may be more than these. */

static int
relay_work_batch(relay_t *t, PGresult *result)
{
    int           i;
    size_t        n;
    relay_row_t  *row;

    n = (size_t) PQntuples(result);
    t->nrows = n;

    for (i = 0; i < (int) n; i++) {
        row = &t->rows[i];

        row->seq = relay_work_field(result, i, 0);
        row->channel = relay_work_field(result, i, 1);
        row->id = relay_work_field(result, i, 2);
        row->data = relay_work_field(result, i, 3);
        row->state = RELAY_WAITS;
        row->force = 0;
    }

    return n == t->batch;
}


static at_str_t
relay_work_field(PGresult *result, int row, int field)
{
    return (at_str_t) { (size_t) PQgetlength(result, row, field),
                        PQgetvalue(result, row, field) };
}


/* 1: the next batch will be another one. */

static int
relay_work_done(relay_t *t)
{
    int          rc, moved;
    size_t       i, n;
    at_buf_t     seqs = { .max = 0 };
    PGresult    *result;
    const char  *params[1];

    rc = at_buf_append_str(&seqs, AT_STR("{"));
    moved = 0;

    for (i = 0, n = 0; i < t->nrows; i++) {
        if (t->rows[i].state == RELAY_DONE) {
            rc |= at_buf_append_str(&seqs, n++ ? AT_STR(",") : AT_STR(""));
            rc |= at_buf_append_str(&seqs, t->rows[i].seq);
        }

        moved |= (t->rows[i].state == RELAY_REFUSES);
    }

    rc |= at_buf_append(&seqs, "}", 2);

    if (rc == AT_OK && n > 0) {
        params[0] = (char *) seqs.data;
        result = relay_ask(t, &relay_work_remove, params);
        moved |= (result != NULL);
        PQclear(result);
    }

    at_buf_free(&seqs);

    return moved;
}


/* Who stands by hears nothing, as the one who relays does all there is. */

static void
relay_work_wait(relay_t *t, int64_t ms)
{
    struct pollfd  pfd[2];

    t->woken = at_postgres_notified(t->postgres);

    if (t->woken) {
        return;
    }

    pfd[0].fd = at_postgres_socket(t->postgres);
    pfd[0].events = POLLIN;
    pfd[1].fd = t->run->worker.stop.fd;
    pfd[1].events = POLLIN;

    if (pfd[0].fd == -1) {
        relay_set(RELAY_POSTGRES_UP, 0);
        ms = RELAY_PAUSE;
    }

    (void) poll(pfd, 2, (int) ms);

    t->woken = at_postgres_notified(t->postgres);
}
