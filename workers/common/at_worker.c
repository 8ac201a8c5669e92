/*
 * The process of a worker (see at_worker.h).
 */

#include "at_worker.h"
#include "at_log.h"
#include "at_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define AT_WORKER_HOUR  (3600 * 1000)


static int at_worker_options(int argc, char **argv, const char **file,
    int *check);
static int at_worker_check(const at_worker_t *w, const char *file);
static int at_worker_work(const at_worker_t *w, const char *file);
static int at_worker_reload(const at_worker_t *w, const char *file,
    at_worker_run_t **run, at_probe_t **probe);
static at_worker_run_t *at_worker_read(const at_worker_t *w,
    const char *file, char error[AT_CONF_ERROR_MAX]);
static int at_worker_start(const at_worker_t *w, at_worker_run_t *run);
static int at_worker_stop(at_worker_run_t *run);
static void at_worker_free(const at_worker_t *w, at_worker_run_t *run);


static atomic_int  at_worker_ends;


int
at_worker_main(const at_worker_t *w, int argc, char **argv)
{
    int          check;
    const char  *file;

    if (at_worker_options(argc, argv, &file, &check) != AT_OK) {
        fprintf(stderr, "usage: %s [-t] -c FILE\n", w->name);
        return 2;
    }

    if (check) {
        return at_worker_check(w, file);
    }

    at_signal_init();

    return at_worker_work(w, file);
}


int
at_worker_ending(void)
{
    return at_worker_ends;
}


static int
at_worker_options(int argc, char **argv, const char **file, int *check)
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


static int
at_worker_check(const at_worker_t *w, const char *file)
{
    char              error[AT_CONF_ERROR_MAX];
    at_worker_run_t  *run;

    run = at_worker_read(w, file, error);

    if (run == NULL) {
        fprintf(stderr, "%s: %s\n", w->name, error);
        return 1;
    }

    at_worker_free(w, run);
    printf("%s: the settings in %s are right\n", w->name, file);

    return 0;
}


static int
at_worker_work(const at_worker_t *w, const char *file)
{
    int               late;
    char              error[AT_CONF_ERROR_MAX];
    at_probe_t       *probe;
    at_signal_e       signal;
    at_worker_run_t  *run;

    at_log_init(w->name, AT_LOG_INFO);

    run = at_worker_read(w, file, error);
    probe = run ? at_probe_create(run->listen, &w->probe, error,
                                  sizeof(error)) : NULL;

    if (probe == NULL || at_worker_start(w, run) != AT_OK) {
        at_log(AT_LOG_ERROR, "start.failed",
               at_log_text("error", probe ? "a thread cannot be started"
                                          : error));
        at_probe_free(probe);
        at_worker_free(w, run);
        return 1;
    }

    at_log(AT_LOG_INFO, "started", at_log_text("settings", file),
           at_log_text("listen", run->listen));

    late = 0;

    do {
        signal = at_signal_wait(AT_WORKER_HOUR);

        if (signal == AT_SIGNAL_RELOAD) {
            late = at_worker_reload(w, file, &run, &probe);
        }

    } while (signal != AT_SIGNAL_STOP && !late);

    at_worker_ends = 1;
    at_log(AT_LOG_INFO, "stopping", at_log_int("withinMs", run->stop_timeout));

    late = late || at_worker_stop(run) != AT_OK;
    at_log(late ? AT_LOG_ERROR : AT_LOG_INFO, "stopped",
           at_log_text("late", late ? "yes" : ""));

    if (late) {

        /* threads still use what would be freed */

        _exit(1);
    }

    at_probe_free(probe);
    at_worker_free(w, run);

    return 0;
}


/* 1: the old threads do not end, so the process has to. */

static int
at_worker_reload(const at_worker_t *w, const char *file,
    at_worker_run_t **run, at_probe_t **probe)
{
    char              error[AT_CONF_ERROR_MAX];
    at_probe_t       *moved;
    at_worker_run_t  *next;

    moved = NULL;
    next = at_worker_read(w, file, error);

    if (next && strcmp(next->listen, (*run)->listen) != 0) {
        moved = at_probe_create(next->listen, &w->probe, error,
                                sizeof(error));
        if (moved == NULL) {
            at_worker_free(w, next);
            next = NULL;
        }
    }

    if (next == NULL) {
        at_log(AT_LOG_ERROR, "reload.refused", at_log_text("error", error));
        return 0;
    }

    if (at_worker_stop(*run) != AT_OK || at_worker_start(w, next) != AT_OK) {
        return 1;
    }

    at_worker_free(w, *run);
    *run = next;

    if (moved) {
        at_probe_free(*probe);
        *probe = moved;
    }

    if (w->reloaded) {
        w->reloaded();
    }

    at_log(AT_LOG_INFO, "reloaded", at_log_text("settings", file));

    return 0;
}


static at_worker_run_t *
at_worker_read(const at_worker_t *w, const char *file,
    char error[AT_CONF_ERROR_MAX])
{
    at_worker_run_t  *run;

    run = calloc(1, w->run_size);

    if (run == NULL) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "no memory");
        return NULL;
    }

    if (at_stop_init(&run->stop) != AT_OK) {
        (void) snprintf(error, AT_CONF_ERROR_MAX,
                        "no file descriptor is left");
        free(run);
        return NULL;
    }

    if (w->read(file, run, error) != AT_OK) {
        at_stop_free(&run->stop);
        free(run);
        return NULL;
    }

    return run;
}


static int
at_worker_start(const at_worker_t *w, at_worker_run_t *run)
{
    at_log_init(w->name, (at_log_level_e) at_log_level(run->log_level));

    if (w->start(run) != AT_OK) {
        (void) at_worker_stop(run);
        return AT_ERROR;
    }

    return AT_OK;
}


int
at_worker_thread(void *data, void *(*thread)(void *run))
{
    at_worker_run_t  *run = data;

    if (run->nthreads == AT_WORKER_THREADS_MAX
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
at_worker_stop(at_worker_run_t *run)
{
    int64_t          until;
    struct timespec  ts;

    at_stop_raise(&run->stop);

    until = at_time_wall() + run->stop_timeout;
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
at_worker_free(const at_worker_t *w, at_worker_run_t *run)
{
    if (run) {
        w->clear(run);
        at_stop_free(&run->stop);
        free(run);
    }
}
