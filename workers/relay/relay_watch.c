/*
 * The thread that watches: how much waits and for how long, in every process,
 * so that one which stands by tells of one that stands still; and in the
 * active one, messages that are too old are removed, in slices, so that no
 * writer waits for long.
 */

#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define RELAY_WATCH  1000       /* ms */
#define RELAY_SLICE  1000       /* rows */
#define RELAY_REST   20         /* ms between slices */


static const at_postgres_statement_t  relay_watch_count = {
    "atelier_relay_count",
    "SELECT (SELECT count(*) FROM (SELECT FROM atelier.outbox"
    "                              LIMIT 100000) AS o),"
    " coalesce((SELECT extract(epoch FROM clock_timestamp() - m.at)::bigint"
    "           FROM (SELECT channel, id FROM atelier.outbox"
    "                 ORDER BY seq LIMIT 1) AS o"
    "           JOIN atelier.live_message m USING (channel, id)), 0)",
    0
};

/*
 * A row that somebody has locked is about to go anyway, as one that a newer
 * message pushes out.  A slice begins where the last one ended, so that it
 * does not read over what is gone but was not vacuumed yet.
 */

static const at_postgres_statement_t  relay_watch_purge = {
    "atelier_relay_purge",
    "WITH old AS ("
    "  SELECT channel, id FROM atelier.live_message"
    "  WHERE at >= $1::timestamptz"
    "    AND at < now() - $2::bigint * interval '1 ms'"
    "  ORDER BY at LIMIT $3::bigint FOR UPDATE SKIP LOCKED"
    "), gone AS ("
    "  DELETE FROM atelier.live_message AS m USING old"
    "  WHERE m.channel = old.channel AND m.id = old.id RETURNING m.at"
    ") SELECT count(*), coalesce(max(at), $1::timestamptz) FROM gone",
    3
};


static void relay_watch(relay_run_t *run, at_postgres_t *pg);
static void relay_watch_clear(relay_run_t *run, at_postgres_t *pg);
static int relay_watch_slice(relay_run_t *run, at_postgres_t *pg,
    char from[64]);


void *
relay_watch_thread(void *data)
{
    int64_t         next;
    relay_run_t    *run = data;
    at_postgres_t  *pg;

    pg = at_postgres_create(&run->postgres);
    next = 0;

    while (pg && !at_stop_wait(&run->worker.stop, RELAY_WATCH)) {
        relay_watch(run, pg);

        if (relay_metrics[RELAY_ACTIVE].value && at_time_mono() >= next) {
            relay_watch_clear(run, pg);
            next = at_time_mono() + run->settings.purge_every;
        }
    }

    at_postgres_free(pg);

    return NULL;
}


static void
relay_watch(relay_run_t *run, at_postgres_t *pg)
{
    int        refused;
    PGresult  *result;

    (void) run;

    result = at_postgres_exec(pg, &relay_watch_count, NULL, &refused);

    if (result) {
        relay_set(RELAY_PENDING, strtoll(PQgetvalue(result, 0, 0), NULL, 10));
        relay_set(RELAY_OLDEST, strtoll(PQgetvalue(result, 0, 1), NULL, 10));
        PQclear(result);
    }
}


static void
relay_watch_clear(relay_run_t *run, at_postgres_t *pg)
{
    char  from[64] = "-infinity";

    while (relay_watch_slice(run, pg, from) == RELAY_SLICE
           && !at_stop_wait(&run->worker.stop, RELAY_REST))
    {
        /* void */
    }
}


/* The rows removed; from is moved. */

static int
relay_watch_slice(relay_run_t *run, at_postgres_t *pg, char from[64])
{
    int          n, refused;
    char         keep[24], slice[24];
    PGresult    *result;
    const char  *params[3];

    (void) snprintf(keep, sizeof(keep), "%lld",
                    (long long) run->settings.keep);
    (void) snprintf(slice, sizeof(slice), "%d", RELAY_SLICE);

    params[0] = from;
    params[1] = keep;
    params[2] = slice;

    result = at_postgres_exec(pg, &relay_watch_purge, params, &refused);

    if (result == NULL) {
        return 0;
    }

    n = atoi(PQgetvalue(result, 0, 0));
    (void) snprintf(from, 64, "%s", PQgetvalue(result, 0, 1));
    relay_count(RELAY_PURGED, n);
    PQclear(result);

    return n;
}
