/*
 * atelier-feed: the process (see at_worker.h).  It fills feeds ahead of their
 * readers, hashes thumbnails, takes repeats out and keeps designs.  What is
 * under way when it ends is given to another process by Redis.  Any number of
 * these may run, on one machine or many.
 */

#include "feed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>


#define FEED_BODY_MAX   (64 * 1024)     /* of an answer of /fill */
#define FEED_THUMB_MAX  (1024 * 1024)
#define FEED_REDIRECTS  5


static int feed_main_read(const char *file, void *data,
    char error[AT_CONF_ERROR_MAX]);
static void feed_main_wire(feed_run_t *run);
static void feed_main_clear(void *data);
static int feed_main_start(void *data);
static void feed_main_reloaded(void);
static int feed_main_ready(at_buf_t *b);
static int feed_main_metrics(at_buf_t *b);


static const at_worker_t  feed_main_worker = {
    .name = "atelier-feed",
    .run_size = sizeof(feed_run_t),
    .read = feed_main_read,
    .clear = feed_main_clear,
    .start = feed_main_start,
    .reloaded = feed_main_reloaded,
    .probe = { feed_main_ready, feed_main_metrics }
};

/* What readiness says: PostgreSQL is configured. */
static atomic_int  feed_main_stores;


int
main(int argc, char **argv)
{
    if (at_fetch_init() != AT_OK || sodium_init() < 0) {
        fprintf(stderr, "atelier-feed: libcurl or libsodium does not start\n");
        return 1;
    }

    return at_worker_main(&feed_main_worker, argc, argv);
}


static int
feed_main_read(const char *file, void *data, char error[AT_CONF_ERROR_MAX])
{
    feed_run_t  *run = data;

    if (feed_settings_read(file, &run->settings, error) != AT_OK) {
        return AT_ERROR;
    }

    if (at_address_list(&run->allow, run->settings.hash_allow_address.items,
                        run->settings.hash_allow_address.n)
        != AT_OK)
    {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "no memory");
        feed_main_clear(run);
        return AT_ERROR;
    }

    feed_main_wire(run);

    return AT_OK;
}


/* From the settings to what the rooms of workers/common/ want. */

static void
feed_main_wire(feed_run_t *run)
{
    feed_settings_t  *s = &run->settings;

    at_worker_wire(&s->base, &run->worker, &run->redis, &run->postgres);

    run->jobs = (at_jobs_settings_t) {
        .stream = FEED_STREAM, .group = FEED_GROUP,
        .claim_after = s->jobs_claim_after, .attempts = s->jobs_attempts
    };

    run->invalidations = run->jobs;
    run->invalidations.stream = FEED_INVALIDATIONS;
    run->invalidations.keep = 1;

    run->egress = (at_fetch_settings_t) {
        .user_agent = "atelier-feed", .timeout = s->egress_timeout,
        .connect = s->egress_timeout, .wire = FEED_BODY_MAX,
        .bytes = FEED_BODY_MAX, .parallel = 1, .per_host = 1
    };

    run->thumbs = (at_fetch_settings_t) {
        .user_agent = s->hash_user_agent, .allow = &run->allow,
        .timeout = s->hash_timeout, .connect = s->hash_timeout,
        .wire = FEED_THUMB_MAX, .bytes = FEED_THUMB_MAX,
        .redirects = FEED_REDIRECTS,
        .parallel = (unsigned) s->hash_parallel,
        .per_host = (unsigned) s->hash_per_host
    };
}


static void
feed_main_clear(void *data)
{
    feed_run_t  *run = data;

    free(run->allow.rules);
    feed_settings_free(&run->settings);
}


static int
feed_main_start(void *data)
{
    int          rc;
    int64_t      i;
    feed_run_t  *run = data;

    feed_main_stores = (run->settings.base.postgres_conninfo[0] != '\0');

    rc = at_worker_thread(run, feed_schedule_thread)
         | at_worker_thread(run, feed_invalidate_thread)
         | at_worker_thread(run, feed_hash_thread);

    for (i = 0; i < run->settings.jobs_threads; i++) {
        rc |= at_worker_thread(run, feed_jobs_thread);
    }

    return (rc == AT_OK) ? AT_OK : AT_ERROR;
}


static void
feed_main_reloaded(void)
{
    feed_count(FEED_RELOADS, 1);
}


/* Without Redis there is no work; PostgreSQL may be away for a while. */

static int
feed_main_ready(at_buf_t *b)
{
    int          redis, postgres, ending;
    const char  *text;

    redis = feed_metrics[FEED_REDIS_UP].value == 1;
    postgres = feed_metrics[FEED_POSTGRES_UP].value == 1;
    ending = at_worker_ending();
    text = feed_main_stores ? (postgres ? "ok" : "away") : "none";

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"redis\":\"%s\","
                            "\"postgres\":\"%s\"}\n",
                         ending ? "stopping"
                         : redis ? "ready" : "waiting",
                         redis ? "ok" : "away", text);

    return redis && !ending;
}


static int
feed_main_metrics(at_buf_t *b)
{
    return at_metric_write(b, feed_metrics, FEED_METRICS);
}
