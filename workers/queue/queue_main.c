/*
 * atelier-queue: the process (see at_worker.h).  It has the requests that wait
 * attempted by nginx, and tells their places.  What is under way when it ends
 * is left to nginx, which may still end it, and else to another process when
 * its lease is over.  Any number of these may run, on one machine or many.
 */

#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


#define QUEUE_BODY_MAX  (256 * 1024)    /* of an answer of /attempt */


static int queue_main_read(const char *file, void *data,
    char error[AT_CONF_ERROR_MAX]);
static void queue_main_wire(queue_run_t *run);
static void queue_main_clear(void *data);
static int queue_main_start(void *data);
static void queue_main_reloaded(void);
static int queue_main_ready(at_buf_t *b);
static int queue_main_metrics(at_buf_t *b);


static const at_worker_t  queue_main_worker = {
    .name = "atelier-queue",
    .run_size = sizeof(queue_run_t),
    .read = queue_main_read,
    .clear = queue_main_clear,
    .start = queue_main_start,
    .reloaded = queue_main_reloaded,
    .probe = { queue_main_ready, queue_main_metrics }
};

/* What readiness says: Redis is configured. */
static atomic_int  queue_main_tells;


int
main(int argc, char **argv)
{
    if (at_fetch_init() != AT_OK) {
        fprintf(stderr, "atelier-queue: libcurl does not start\n");
        return 1;
    }

    srandom((unsigned) getpid());

    return at_worker_main(&queue_main_worker, argc, argv);
}


static int
queue_main_read(const char *file, void *data, char error[AT_CONF_ERROR_MAX])
{
    queue_run_t  *run = data;

    if (queue_settings_read(file, &run->settings, error) != AT_OK) {
        return AT_ERROR;
    }

    queue_main_wire(run);

    return AT_OK;
}


/* From the settings to what the rooms of workers/common/ want. */

static void
queue_main_wire(queue_run_t *run)
{
    queue_settings_t  *s = &run->settings;

    at_worker_wire(&s->base, &run->worker, &run->redis, &run->postgres);

    run->worker.stop_timeout += QUEUE_GRACE;
    run->postgres.listen = QUEUE_CHANNEL;

    run->egress = (at_fetch_settings_t) {
        .user_agent = "atelier-queue", .timeout = s->egress_timeout,
        .connect = s->egress_timeout, .wire = QUEUE_BODY_MAX,
        .bytes = QUEUE_BODY_MAX, .parallel = (unsigned) s->parallel
    };
}


static void
queue_main_clear(void *data)
{
    queue_run_t  *run = data;

    queue_settings_free(&run->settings);
}


static int
queue_main_start(void *data)
{
    queue_run_t  *run = data;

    queue_main_tells = (run->settings.base.redis_address[0] != '\0');

    return (at_worker_thread(data, queue_work_thread) == AT_OK
            && at_worker_thread(data, queue_clerk_thread) == AT_OK)
           ? AT_OK : AT_ERROR;
}


static void
queue_main_reloaded(void)
{
    queue_count(QUEUE_RELOADS, 1);
}


/* Without PostgreSQL there is no work; Redis may be away for a while. */

static int
queue_main_ready(at_buf_t *b)
{
    int          redis, postgres, ending;
    const char  *text;

    redis = queue_metrics[QUEUE_REDIS_UP].value == 1;
    postgres = queue_metrics[QUEUE_POSTGRES_UP].value == 1;
    ending = at_worker_ending();
    text = queue_main_tells ? (redis ? "ok" : "away") : "none";

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"postgres\":\"%s\","
                            "\"redis\":\"%s\"}\n",
                         ending ? "stopping"
                         : postgres ? "ready" : "waiting",
                         postgres ? "ok" : "away", text);

    return postgres && !ending;
}


static int
queue_main_metrics(at_buf_t *b)
{
    return at_metric_write(b, queue_metrics, QUEUE_METRICS);
}
