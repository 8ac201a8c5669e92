/*
 * atelier-feed: the process.
 *
 *     atelier-feed -c /etc/atelier/feed.conf      work until TERM or INT
 *     atelier-feed -t -c FILE                     only check the settings
 *
 * HUP reads the settings anew: if they are right the threads end what they
 * have under way and start again with them, else all stays as it was.  A stop
 * takes stop_timeout at most; what is under way then is given to another
 * process by Redis.  Any number of these may run, on one machine or many.
 */

#include "feed.h"
#include "at_probe.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>


#define FEED_BODY_MAX   (64 * 1024)     /* of an answer of /fill */
#define FEED_THUMB_MAX  (1024 * 1024)
#define FEED_REDIRECTS  5


static int feed_main_options(int argc, char **argv, const char **file,
    int *check);
static int feed_main_work(const char *file);
static int feed_main_reload(const char *file, feed_run_t **run,
    at_probe_t **probe);
static feed_run_t *feed_main_run(const char *file,
    char error[AT_CONF_ERROR_MAX]);
static int feed_main_allow(feed_run_t *run);
static void feed_main_wire(feed_run_t *run);
static int feed_main_start(feed_run_t *run);
static int feed_main_thread(feed_run_t *run, void *(*thread)(void *data));
static int feed_main_stop(feed_run_t *run);
static void feed_main_free(feed_run_t *run);
static int feed_main_ready(at_buf_t *b);
static int feed_main_metrics(at_buf_t *b);


static const at_probe_handler_t  feed_main_probe = {
    feed_main_ready, feed_main_metrics
};

/* What readiness says; set by the main thread. */
static atomic_int  feed_main_ending;
static atomic_int  feed_main_stores;    /* PostgreSQL is configured */


int
main(int argc, char **argv)
{
    int              check;
    char             error[AT_CONF_ERROR_MAX];
    const char      *file;
    feed_settings_t  settings;

    if (feed_main_options(argc, argv, &file, &check) != AT_OK) {
        fprintf(stderr, "usage: atelier-feed [-t] -c FILE\n");
        return 2;
    }

    if (check) {
        if (feed_settings_read(file, &settings, error) != AT_OK) {
            fprintf(stderr, "atelier-feed: %s\n", error);
            return 1;
        }

        feed_settings_free(&settings);
        printf("atelier-feed: the settings in %s are right\n", file);
        return 0;
    }

    at_signal_init();

    if (at_fetch_init() != AT_OK || sodium_init() < 0) {
        fprintf(stderr, "atelier-feed: libcurl or libsodium does not start\n");
        return 1;
    }

    return feed_main_work(file);
}


static int
feed_main_options(int argc, char **argv, const char **file, int *check)
{
    int  c;

    *file = NULL;
    *check = 0;

    while ((c = getopt(argc, argv, "tc:")) != -1) {
        switch (c) {

        case 't':
            *check = 1;
            break;

        case 'c':
            *file = optarg;
            break;

        default:
            return AT_ERROR;
        }
    }

    return (*file && optind == argc) ? AT_OK : AT_ERROR;
}


/* The exit status. */

static int
feed_main_work(const char *file)
{
    int           late;
    char          error[AT_CONF_ERROR_MAX];
    feed_run_t   *run;
    at_signal_e   signal;
    at_probe_t   *probe;

    at_log_init("atelier-feed", AT_LOG_INFO);

    run = feed_main_run(file, error);
    probe = run ? at_probe_create(run->settings.listen, &feed_main_probe,
                                  error, sizeof(error)) : NULL;

    if (probe == NULL || feed_main_start(run) != AT_OK) {
        at_log(AT_LOG_ERROR, "start.failed",
               at_log_text("error", probe ? "a thread cannot be started"
                                          : error));
        at_probe_free(probe);
        feed_main_free(run);
        return 1;
    }

    at_log(AT_LOG_INFO, "started", at_log_text("settings", file),
           at_log_text("listen", run->settings.listen));

    late = 0;

    do {
        signal = at_signal_wait(3600 * 1000);

        if (signal == AT_SIGNAL_RELOAD) {
            late = feed_main_reload(file, &run, &probe);
        }

    } while (signal != AT_SIGNAL_STOP && !late);

    feed_main_ending = 1;
    at_log(AT_LOG_INFO, "stopping",
           at_log_int("withinMs", run->settings.stop_timeout));

    late = late || feed_main_stop(run) != AT_OK;
    at_log(late ? AT_LOG_ERROR : AT_LOG_INFO, "stopped",
           at_log_text("late", late ? "yes" : ""));

    if (late) {

        /* threads still use what would be freed */

        _exit(1);
    }

    at_probe_free(probe);
    feed_main_free(run);

    return 0;
}


/* 1: the old threads do not end, so the process has to. */

static int
feed_main_reload(const char *file, feed_run_t **run, at_probe_t **probe)
{
    char         error[AT_CONF_ERROR_MAX];
    feed_run_t  *next;
    at_probe_t  *moved;

    moved = NULL;
    next = feed_main_run(file, error);

    if (next && strcmp(next->settings.listen, (*run)->settings.listen) != 0) {
        moved = at_probe_create(next->settings.listen, &feed_main_probe,
                                error, sizeof(error));
        if (moved == NULL) {
            feed_main_free(next);
            next = NULL;
        }
    }

    if (next == NULL) {
        at_log(AT_LOG_ERROR, "reload.refused", at_log_text("error", error));
        return 0;
    }

    if (feed_main_stop(*run) != AT_OK || feed_main_start(next) != AT_OK) {
        return 1;
    }

    feed_main_free(*run);
    *run = next;

    if (moved) {
        at_probe_free(*probe);
        *probe = moved;
    }

    feed_count(FEED_RELOADS, 1);
    at_log(AT_LOG_INFO, "reloaded", at_log_text("settings", file));

    return 0;
}


static feed_run_t *
feed_main_run(const char *file, char error[AT_CONF_ERROR_MAX])
{
    feed_run_t  *run;

    run = calloc(1, sizeof(feed_run_t));
    if (run == NULL) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "no memory");
        return NULL;
    }

    if (feed_settings_read(file, &run->settings, error) != AT_OK) {
        free(run);
        return NULL;
    }

    if (at_stop_init(&run->stop) != AT_OK || feed_main_allow(run) != AT_OK) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "no memory or no file descriptor is left");
        feed_main_free(run);
        return NULL;
    }

    feed_main_wire(run);

    return run;
}


static int
feed_main_allow(feed_run_t *run)
{
    size_t           i;
    at_conf_list_t  *list = &run->settings.hash_allow_address;

    run->allow.rules = calloc(list->n + 1, sizeof(at_address_rule_t));
    if (run->allow.rules == NULL) {
        return AT_ERROR;
    }

    for (i = 0; i < list->n; i++) {
        if (at_address_parse(list->items[i], &run->allow.rules[i]) != AT_OK) {
            return AT_ERROR;
        }
    }

    run->allow.n = list->n;

    return AT_OK;
}


/* From the settings to what the rooms of workers/common/ want. */

static void
feed_main_wire(feed_run_t *run)
{
    feed_settings_t  *s = &run->settings;

    run->redis = (at_redis_settings_t) {
        .address = s->redis_address, .user = s->redis_user,
        .password_file = s->redis_password_file, .db = s->redis_db,
        .timeout = s->redis_timeout
    };

    run->postgres = (at_postgres_settings_t) {
        .conninfo = s->postgres_conninfo, .timeout = s->postgres_timeout
    };

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


static int
feed_main_start(feed_run_t *run)
{
    int      rc;
    int64_t  i;

    at_log_init("atelier-feed",
                (at_log_level_e) at_log_level(run->settings.log_level));
    feed_main_stores = (run->settings.postgres_conninfo[0] != '\0');

    rc = feed_main_thread(run, feed_schedule_thread)
         | feed_main_thread(run, feed_invalidate_thread)
         | feed_main_thread(run, feed_hash_thread);

    for (i = 0; i < run->settings.jobs_threads; i++) {
        rc |= feed_main_thread(run, feed_jobs_thread);
    }

    if (rc != AT_OK) {
        (void) feed_main_stop(run);
        return AT_ERROR;
    }

    return AT_OK;
}


static int
feed_main_thread(feed_run_t *run, void *(*thread)(void *data))
{
    if (run->nthreads == FEED_THREADS_MAX
        || pthread_create(&run->threads[run->nthreads], NULL, thread, run)
           != 0)
    {
        return AT_ERROR;
    }

    run->nthreads++;

    return AT_OK;
}


/* AT_ERROR: a thread has not ended within stop_timeout. */

static int
feed_main_stop(feed_run_t *run)
{
    int64_t          until;
    struct timespec  ts;

    at_stop_raise(&run->stop);

    until = at_time_wall() + run->settings.stop_timeout;
    ts.tv_sec = (time_t) (until / 1000);
    ts.tv_nsec = (long) (until % 1000) * 1000000;

    while (run->nthreads > 0) {
        if (pthread_timedjoin_np(run->threads[run->nthreads - 1], NULL, &ts)
            != 0)
        {
            return AT_ERROR;
        }

        run->nthreads--;
    }

    return AT_OK;
}


static void
feed_main_free(feed_run_t *run)
{
    if (run == NULL) {
        return;
    }

    at_stop_free(&run->stop);
    free(run->allow.rules);
    feed_settings_free(&run->settings);
    free(run);
}


/* Without Redis there is no work; PostgreSQL may be away for a while. */

static int
feed_main_ready(at_buf_t *b)
{
    int          redis, postgres;
    const char  *text;

    redis = feed_metrics[FEED_REDIS_UP].value == 1;
    postgres = feed_metrics[FEED_POSTGRES_UP].value == 1;
    text = feed_main_stores ? (postgres ? "ok" : "away") : "none";

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"redis\":\"%s\","
                            "\"postgres\":\"%s\"}\n",
                         feed_main_ending ? "stopping"
                         : redis ? "ready" : "waiting",
                         redis ? "ok" : "away", text);

    return redis && !feed_main_ending;
}


static int
feed_main_metrics(at_buf_t *b)
{
    return at_metric_write(b, feed_metrics, FEED_METRICS);
}
