/*
 * The thread that watches: which products browsers are subscribed to, which
 * are then looked at sooner; how many products are due, and for how long; and
 * once a day it thins history, in slices, so that no writer waits for long.
 *
 * What browsers watch is what nginx is subscribed to in Redis.
 */

#include "prices.h"

#include <stdio.h>


#define PRICES_WATCH       1000     /* ms */
#define PRICES_WATCH_MOST  20000    /* products */
#define PRICES_COUNT       5000     /* ms */
#define PRICES_SLICE       200      /* products */
#define PRICES_REST        20       /* ms between slices */
#define PRICES_AGAIN       60000    /* ms, after one that failed */


typedef struct {
    prices_run_t   *run;
    at_redis_t     *redis;
    at_postgres_t  *pg;
    at_buf_t        ids;            /* an array of SQL */
    int64_t         count;          /* the next time */
    int64_t         thin;
    char            after[PRICES_ID + 1];
} prices_watch_t;


/*
 * Nobody is looked at sooner who has just been looked at, who has failed, or
 * whom somebody is at.
 */

static const at_postgres_statement_t  prices_watch_hurry = {
    "atelier_prices_hurry",
    "SELECT coalesce(sum(atelier.products_hurry(ARRAY[w.id], w.by)), 0)"
    " FROM (SELECT c.product_id AS id,"
    "              coalesce(c.checked_at + $2::bigint * interval '1 ms',"
    "                       now()) AS by"
    "       FROM atelier.product_check c"
    "       WHERE c.product_id = ANY ($1::text[]) AND c.failures = 0"
    "         AND (c.lease_until IS NULL OR c.lease_until < now())"
    "         AND c.next_check > now()"
    "       ORDER BY c.product_id) AS w"
    " WHERE w.by <= now() + $3::bigint * interval '1 ms'",
    3
};

static const at_postgres_statement_t  prices_watch_due = {
    "atelier_prices_count",
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(next_check)),"
    "                          0)::bigint"
    " FROM (SELECT next_check FROM atelier.product_check"
    "       WHERE next_check <= now() LIMIT 100000) AS d",
    0
};

static const at_postgres_statement_t  prices_watch_thin = {
    "atelier_prices_thin",
    "SELECT atelier.prices_thin($1, $2::integer)",
    2
};

static pthread_mutex_t   prices_watch_lock = PTHREAD_MUTEX_INITIALIZER;
static char            (*prices_watch_ids)[PRICES_ID + 1];
static size_t            prices_watch_n;


static void prices_watch_listen(prices_watch_t *w);
static int prices_watch_read(prices_watch_t *w, const redisReply *reply);
static int prices_watch_id(at_str_t id);
static int prices_watch_compare(const void *a, const void *b);
static void prices_watch_sooner(prices_watch_t *w);
static void prices_watch_measure(prices_watch_t *w);
static void prices_watch_slice(prices_watch_t *w);
static void prices_watch_keep(char (*ids)[PRICES_ID + 1], size_t n);


void *
prices_watch_thread(void *data)
{
    int64_t         now, next, wait;
    prices_watch_t  w = { .run = data };

    w.redis = w.run->settings.base.redis_address[0]
              ? at_redis_create(&w.run->redis) : NULL;
    w.pg = at_postgres_create(&w.run->postgres);
    w.thin = at_time_mono() + w.run->settings.thin_every / 100;
    next = 0;
    wait = 0;

    while (w.pg && !at_stop_wait(&w.run->worker.stop, wait)) {
        now = at_time_mono();

        if (now >= next) {
            next = now + PRICES_WATCH;
            prices_watch_listen(&w);
        }

        if (now >= w.count) {
            w.count = now + PRICES_COUNT;
            prices_watch_measure(&w);
        }

        wait = next - at_time_mono();

        if (now >= w.thin) {
            prices_watch_slice(&w);
            wait = (now >= w.thin) ? PRICES_REST : wait;
        }

        wait = (wait < 1) ? 1 : wait;
    }

    prices_watch_keep(NULL, 0);
    at_buf_free(&w.ids);
    at_redis_free(w.redis);
    at_postgres_free(w.pg);

    return NULL;
}


static void
prices_watch_listen(prices_watch_t *w)
{
    redisReply  *reply;

    if (w->redis == NULL) {
        return;
    }

    reply = at_redis_call(w->redis, "PUBSUB CHANNELS %s*", PRICES_KEY);
    prices_set(PRICES_REDIS_UP, at_redis_up(w->redis));

    if (reply == NULL) {
        prices_watch_keep(NULL, 0);
        prices_set(PRICES_WATCHED, 0);
        return;
    }

    if (prices_watch_read(w, reply) == AT_OK) {
        prices_watch_sooner(w);
    }

    freeReplyObject(reply);
}


/* Into what others may ask for, and an array in SQL. */

static int
prices_watch_read(prices_watch_t *w, const redisReply *reply)
{
    int        rc;
    char     (*ids)[PRICES_ID + 1];
    size_t     i, n;
    at_str_t   name;

    n = reply->elements < PRICES_WATCH_MOST ? reply->elements
                                            : PRICES_WATCH_MOST;
    ids = calloc(n + 1, sizeof(*ids));
    if (ids == NULL) {
        return AT_NO_MEMORY;
    }

    w->ids.len = 0;
    rc = at_buf_append_str(&w->ids, AT_STR("{"));

    for (i = 0, n = 0; i < reply->elements && n < PRICES_WATCH_MOST; i++) {
        name = at_redis_str(at_redis_at(reply, i));

        if (name.len <= sizeof(PRICES_KEY) - 1) {
            continue;
        }

        name.data += sizeof(PRICES_KEY) - 1;
        name.len -= sizeof(PRICES_KEY) - 1;

        if (prices_watch_id(name)) {
            memcpy(ids[n], name.data, name.len);
            rc |= at_buf_printf(&w->ids, "%s%s", n ? "," : "", ids[n]);
            n++;
        }
    }

    rc |= at_buf_append(&w->ids, "}", 2);
    qsort(ids, n, sizeof(*ids), prices_watch_compare);
    prices_watch_keep(ids, n);
    prices_set(PRICES_WATCHED, (int64_t) n);

    return rc;
}


/* Anybody may subscribe to anything: of an id only what an id may have. */

static int
prices_watch_id(at_str_t id)
{
    size_t  i;

    if (id.len > PRICES_ID) {
        return 0;
    }

    for (i = 0; i < id.len; i++) {
        if (!((id.data[i] >= 'a' && id.data[i] <= 'z')
              || (id.data[i] >= 'A' && id.data[i] <= 'Z')
              || (id.data[i] >= '0' && id.data[i] <= '9')
              || strchr("._:-", id.data[i])) || id.data[i] == '\0')
        {
            return 0;
        }
    }

    return memchr(id.data, ':', id.len) != NULL;
}


static int
prices_watch_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}


static void
prices_watch_keep(char (*ids)[PRICES_ID + 1], size_t n)
{
    (void) pthread_mutex_lock(&prices_watch_lock);
    free(prices_watch_ids);
    prices_watch_ids = ids;
    prices_watch_n = n;
    (void) pthread_mutex_unlock(&prices_watch_lock);
}


int
prices_watched(const char *id)
{
    int  found;

    (void) pthread_mutex_lock(&prices_watch_lock);
    found = prices_watch_n
            && bsearch(id, prices_watch_ids, prices_watch_n,
                       sizeof(*prices_watch_ids), prices_watch_compare);
    (void) pthread_mutex_unlock(&prices_watch_lock);

    return found;
}


static void
prices_watch_sooner(prices_watch_t *w)
{
    int          refused;
    char         watched[32], soon[32];
    int64_t      n;
    PGresult    *row;
    const char  *params[] = { w->ids.data ? (char *) w->ids.data : "{}",
                              watched, soon };

    if (prices_metrics[PRICES_WATCHED].value == 0) {
        return;
    }

    (void) snprintf(watched, sizeof(watched), "%lld",
                    (long long) w->run->settings.watched);
    (void) snprintf(soon, sizeof(soon), "%d", PRICES_WATCH);

    row = at_postgres_exec(w->pg, &prices_watch_hurry, params, &refused);
    if (row == NULL) {
        return;
    }

    n = strtoll(PQgetvalue(row, 0, 0), NULL, 10);
    PQclear(row);
    prices_count(PRICES_HURRIED, n);

    if (n) {
        prices_work_wake();
    }
}


static void
prices_watch_measure(prices_watch_t *w)
{
    int        refused;
    PGresult  *row;

    row = at_postgres_exec(w->pg, &prices_watch_due, NULL, &refused);
    if (row == NULL) {
        return;
    }

    prices_set(PRICES_DUE, strtoll(PQgetvalue(row, 0, 0), NULL, 10));
    prices_set(PRICES_LATE, strtoll(PQgetvalue(row, 0, 1), NULL, 10));
    PQclear(row);
}


/* All processes may do this at once: what one has removed is gone. */

static void
prices_watch_slice(prices_watch_t *w)
{
    int          refused, last;
    char         n[32];
    PGresult    *row;
    const char  *params[] = { w->after, n };

    (void) snprintf(n, sizeof(n), "%d", PRICES_SLICE);

    row = at_postgres_exec(w->pg, &prices_watch_thin, params, &refused);

    if (row == NULL) {
        w->thin = at_time_mono() + PRICES_AGAIN;
        return;
    }

    last = PQgetisnull(row, 0, 0) || PQgetlength(row, 0, 0) > PRICES_ID;

    if (last) {
        w->after[0] = '\0';
        w->thin = at_time_mono() + w->run->settings.thin_every;

    } else {
        (void) snprintf(w->after, sizeof(w->after), "%s",
                        PQgetvalue(row, 0, 0));
    }

    PQclear(row);
}
