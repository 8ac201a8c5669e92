/*
 * The process of a worker: options, signals, its threads and what it tells
 * those who watch it.
 *
 *     atelier-NAME -c FILE        work until TERM or INT
 *     atelier-NAME -t -c FILE     only check the settings
 *
 * HUP reads the settings anew: if they are right the threads end what they
 * have under way and start again with them, else all stays as it was.  A stop
 * takes stop_timeout at most.
 *
 * A run is what lasts from a start or a reload to the next: a structure of the
 * worker's own that begins with an at_worker_run_t.
 */

#ifndef AT_WORKER_H
#define AT_WORKER_H


#include "at_conf.h"
#include "at_probe.h"
#include "at_stop.h"

#include <pthread.h>


#define AT_WORKER_THREADS_MAX  64


typedef struct {
    /* filled by read, from the settings; not freed here */
    const char    *listen;
    const char    *log_level;
    int64_t        stop_timeout;

    /* threads run until this is raised */
    at_stop_t      stop;

    /* of at_worker.c */
    pthread_t      threads[AT_WORKER_THREADS_MAX];
    size_t         nthreads;
} at_worker_run_t;


typedef struct {
    const char          *name;          /* atelier-... */
    size_t               run_size;

    /*
     * Fills a zeroed run.  AT_ERROR: error is filled, and clear is not called.
     */
    int                (*read)(const char *file, void *run,
                               char error[AT_CONF_ERROR_MAX]);
    void               (*clear)(void *run);

    /* Starts the threads of a run, by at_worker_thread(). */
    int                (*start)(void *run);

    /* Called once when the settings were read anew and taken; or NULL. */
    void               (*reloaded)(void);

    at_probe_handler_t   probe;
} at_worker_t;


/* The exit status.  w must be static. */
int at_worker_main(const at_worker_t *w, int argc, char **argv);

/* thread is given the run. */
int at_worker_thread(void *run, void *(*thread)(void *run));

/* 1: it was told to stop, so it is not ready any more. */
int at_worker_ending(void);


#endif /* AT_WORKER_H */
