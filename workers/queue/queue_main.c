/*
 * atelier-queue: the process.
 *
 *     atelier-queue -c /etc/atelier/queue.conf     work until TERM or INT
 *     atelier-queue -t -c FILE                     only check the settings
 *
 * HUP reads the settings anew: if they are right the threads end what they
 * have under way and start again with them, else all stays as it was.  A stop
 * takes stop_timeout at most; what is under way then is left to nginx, which
 * may still end it, and else to another process when its lease is over.  Any
 * number of these may run, on one machine or many.
 */

#include "queue.h"
#include "at_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>


#define QUEUE_BODY_MAX  (256 * 1024)    /* of an answer of /attempt */


static int queue_main_options(int argc, char **argv, const char **file,
    int *check);
static int queue_main_work(const char *file);
static int queue_main_reload(const char *file, queue_run_t **run,
    at_probe_t **probe);
static queue_run_t *queue_main_run(const char *file,
    char error[AT_CONF_ERROR_MAX]);
static void queue_main_wire(queue_run_t *run);
static int queue_main_start(queue_run_t *run);
static int queue_main_thread(queue_run_t *run, void *(*thread)(void *data));
static int queue_main_stop(queue_run_t *run);
static void queue_main_free(queue_run_t *run);
static int queue_main_ready(at_buf_t *b);
static int queue_main_metrics(at_buf_t *b);


static const at_probe_handler_t  queue_main_probe = {
    queue_main_ready, queue_main_metrics
};

/* What readiness says; set by the main thread. */
static atomic_int  queue_main_ending;
static atomic_int  queue_main_tells;     /* Redis is configured */


int
main(int argc, char **argv)
{
    int              check;
    char             error[AT_CONF_ERROR_MAX];
    const char      *file;
    queue_settings_t  settings;

    if (queue_main_options(argc, argv, &file, &check) != AT_OK) {
        fprintf(stderr, "usage: atelier-queue [-t] -c FILE\n");
        return 2;
    }

    if (check) {
        if (queue_settings_read(file, &settings, error) != AT_OK) {
            fprintf(stderr, "atelier-queue: %s\n", error);
            return 1;
        }

        queue_settings_free(&settings);
        printf("atelier-queue: the settings in %s are right\n", file);
        return 0;
    }

    at_signal_init();

    if (at_fetch_init() != AT_OK) {
        fprintf(stderr, "atelier-queue: libcurl does not start\n");
        return 1;
    }

    srandom((unsigned) getpid());

    return queue_main_work(file);
}


static int
queue_main_options(int argc, char **argv, const char **file, int *check)
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
queue_main_work(const char *file)
{
    int           late;
    char          error[AT_CONF_ERROR_MAX];
    queue_run_t   *run;
    at_signal_e   signal;
    at_probe_t   *probe;

    at_log_init("atelier-queue", AT_LOG_INFO);

    run = queue_main_run(file, error);
    probe = run ? at_probe_create(run->settings.listen, &queue_main_probe,
                                  error, sizeof(error)) : NULL;

    if (probe == NULL || queue_main_start(run) != AT_OK) {
        at_log(AT_LOG_ERROR, "start.failed",
               at_log_text("error", probe ? "a thread cannot be started"
                                          : error));
        at_probe_free(probe);
        queue_main_free(run);
        return 1;
    }

    at_log(AT_LOG_INFO, "started", at_log_text("settings", file),
           at_log_text("listen", run->settings.listen));

    late = 0;

    do {
        signal = at_signal_wait(3600 * 1000);

        if (signal == AT_SIGNAL_RELOAD) {
            late = queue_main_reload(file, &run, &probe);
        }

    } while (signal != AT_SIGNAL_STOP && !late);

    queue_main_ending = 1;
    at_log(AT_LOG_INFO, "stopping",
           at_log_int("withinMs", run->settings.stop_timeout));

    late = late || queue_main_stop(run) != AT_OK;
    at_log(late ? AT_LOG_ERROR : AT_LOG_INFO, "stopped",
           at_log_text("late", late ? "yes" : ""));

    if (late) {

        /* threads still use what would be freed */

        _exit(1);
    }

    at_probe_free(probe);
    queue_main_free(run);

    return 0;
}


/* 1: the old threads do not end, so the process has to. */

static int
queue_main_reload(const char *file, queue_run_t **run, at_probe_t **probe)
{
    char         error[AT_CONF_ERROR_MAX];
    queue_run_t  *next;
    at_probe_t  *moved;

    moved = NULL;
    next = queue_main_run(file, error);

    if (next && strcmp(next->settings.listen, (*run)->settings.listen) != 0) {
        moved = at_probe_create(next->settings.listen, &queue_main_probe,
                                error, sizeof(error));
        if (moved == NULL) {
            queue_main_free(next);
            next = NULL;
        }
    }

    if (next == NULL) {
        at_log(AT_LOG_ERROR, "reload.refused", at_log_text("error", error));
        return 0;
    }

    if (queue_main_stop(*run) != AT_OK || queue_main_start(next) != AT_OK) {
        return 1;
    }

    queue_main_free(*run);
    *run = next;

    if (moved) {
        at_probe_free(*probe);
        *probe = moved;
    }

    queue_count(QUEUE_RELOADS, 1);
    at_log(AT_LOG_INFO, "reloaded", at_log_text("settings", file));

    return 0;
}


static queue_run_t *
queue_main_run(const char *file, char error[AT_CONF_ERROR_MAX])
{
    queue_run_t  *run;

    run = calloc(1, sizeof(queue_run_t));
    if (run == NULL) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "no memory");
        return NULL;
    }

    if (queue_settings_read(file, &run->settings, error) != AT_OK) {
        free(run);
        return NULL;
    }

    if (at_stop_init(&run->stop) != AT_OK) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "no file descriptor is left");
        queue_main_free(run);
        return NULL;
    }

    queue_main_wire(run);

    return run;
}


/* From the settings to what the rooms of workers/common/ want. */

static void
queue_main_wire(queue_run_t *run)
{
    queue_settings_t  *s = &run->settings;

    run->redis = (at_redis_settings_t) {
        .address = s->redis_address, .user = s->redis_user,
        .password_file = s->redis_password_file, .db = s->redis_db,
        .timeout = s->redis_timeout
    };

    run->postgres = (at_postgres_settings_t) {
        .conninfo = s->postgres_conninfo, .timeout = s->postgres_timeout,
        .listen = QUEUE_CHANNEL
    };

    run->egress = (at_fetch_settings_t) {
        .user_agent = "atelier-queue", .timeout = s->egress_timeout,
        .connect = s->egress_timeout, .wire = QUEUE_BODY_MAX,
        .bytes = QUEUE_BODY_MAX, .parallel = (unsigned) s->parallel
    };
}


static int
queue_main_start(queue_run_t *run)
{
    at_log_init("atelier-queue",
                (at_log_level_e) at_log_level(run->settings.log_level));
    queue_main_tells = (run->settings.redis_address[0] != '\0');

    if (queue_main_thread(run, queue_work_thread) != AT_OK
        || queue_main_thread(run, queue_clerk_thread) != AT_OK)
    {
        (void) queue_main_stop(run);
        return AT_ERROR;
    }

    return AT_OK;
}


static int
queue_main_thread(queue_run_t *run, void *(*thread)(void *data))
{
    if (run->nthreads == QUEUE_THREADS
        || pthread_create(&run->threads[run->nthreads], NULL, thread, run)
           != 0)
    {
        return AT_ERROR;
    }

    run->nthreads++;

    return AT_OK;
}


/* AT_ERROR: a thread has not ended in time. */

static int
queue_main_stop(queue_run_t *run)
{
    int64_t          until;
    struct timespec  ts;

    at_stop_raise(&run->stop);

    until = at_time_wall() + run->settings.stop_timeout + QUEUE_GRACE;
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
queue_main_free(queue_run_t *run)
{
    if (run == NULL) {
        return;
    }

    at_stop_free(&run->stop);
    queue_settings_free(&run->settings);
    free(run);
}


/* Without PostgreSQL there is no work; Redis may be away for a while. */

static int
queue_main_ready(at_buf_t *b)
{
    int          redis, postgres;
    const char  *text;

    redis = queue_metrics[QUEUE_REDIS_UP].value == 1;
    postgres = queue_metrics[QUEUE_POSTGRES_UP].value == 1;
    text = queue_main_tells ? (redis ? "ok" : "away") : "none";

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"postgres\":\"%s\","
                            "\"redis\":\"%s\"}\n",
                         queue_main_ending ? "stopping"
                         : postgres ? "ready" : "waiting",
                         postgres ? "ok" : "away", text);

    return postgres && !queue_main_ending;
}


static int
queue_main_metrics(at_buf_t *b)
{
    return at_metric_write(b, queue_metrics, QUEUE_METRICS);
}
