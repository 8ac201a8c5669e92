/*
 * atelier-relay: the process (see at_worker.h).  It brings the messages of
 * the outbox in PostgreSQL to Redis, from where every nginx has them.
 */

#include "relay.h"


#define RELAY_BACKOFF  250      /* ms: what waits must go on at once */


static int relay_main_read(const char *file, void *data,
    char error[AT_CONF_ERROR_MAX]);
static void relay_main_clear(void *data);
static int relay_main_start(void *data);
static void relay_main_reloaded(void);
static int relay_main_ready(at_buf_t *b);
static int relay_main_metrics(at_buf_t *b);


/*
 * That a message is out may be forgotten by a crash of the server, as it will
 * only be tried again: so nobody waits for its disk.  The planner may take a
 * table for small that has grown since.  A process whose machine is gone loses
 * its lock after half a minute.
 */

static const char  relay_main_greeting[] =
    "SET synchronous_commit = off;"
    " SET enable_seqscan = off;"
    " SET tcp_keepalives_idle = 10;"
    " SET tcp_keepalives_interval = 5;"
    " SET tcp_keepalives_count = 4";

static const at_worker_t  relay_main_worker = {
    .name = "atelier-relay",
    .run_size = sizeof(relay_run_t),
    .read = relay_main_read,
    .clear = relay_main_clear,
    .start = relay_main_start,
    .reloaded = relay_main_reloaded,
    .probe = { relay_main_ready, relay_main_metrics }
};


int
main(int argc, char **argv)
{
    return at_worker_main(&relay_main_worker, argc, argv);
}


static int
relay_main_read(const char *file, void *data, char error[AT_CONF_ERROR_MAX])
{
    relay_run_t       *run = data;
    relay_settings_t  *s = &run->settings;

    if (relay_settings_read(file, s, error) != AT_OK) {
        return AT_ERROR;
    }

    at_worker_wire(&s->base, &run->worker, &run->redis, &run->postgres);

    run->redis.backoff = RELAY_BACKOFF;
    run->postgres.backoff = RELAY_BACKOFF;
    run->postgres.greeting = relay_main_greeting;

    return AT_OK;
}


static void
relay_main_clear(void *data)
{
    relay_run_t  *run = data;

    relay_settings_free(&run->settings);
}


static int
relay_main_start(void *data)
{
    return (at_worker_thread(data, relay_work_thread) == AT_OK
            && at_worker_thread(data, relay_watch_thread) == AT_OK)
           ? AT_OK : AT_ERROR;
}


static void
relay_main_reloaded(void)
{
    relay_count(RELAY_RELOADS, 1);
}


/* One that stands by is as ready as the other. */

static int
relay_main_ready(at_buf_t *b)
{
    int  redis, postgres, ending;

    redis = relay_metrics[RELAY_REDIS_UP].value == 1;
    postgres = relay_metrics[RELAY_POSTGRES_UP].value == 1;
    ending = at_worker_ending();

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"role\":\"%s\","
                            "\"redis\":\"%s\",\"postgres\":\"%s\"}\n",
                         ending ? "stopping"
                         : (redis && postgres) ? "ready" : "waiting",
                         relay_metrics[RELAY_ACTIVE].value ? "active"
                                                           : "standby",
                         redis ? "ok" : "away", postgres ? "ok" : "away");

    return redis && postgres && !ending;
}


static int
relay_main_metrics(at_buf_t *b)
{
    return at_metric_write(b, relay_metrics, RELAY_METRICS);
}
