/*
 * What the files of atelier-queue share: settings, the process, metrics, and
 * what each of its threads does.
 *
 *     queue_main.c      the process: settings, signals, threads
 *     queue_work.c      a thread that takes what is due and has it drawn
 *     queue_attempt.c   ... by /attempt of this nginx
 *     queue_answer.c    ... whose answers it reads
 *     queue_store.c     ... and their outcomes in PostgreSQL
 *     queue_clerk.c     a thread that tells places, measures and cleans up
 *     queue_place.c     ... which places have changed, and who wants to know
 *
 * A thread has connections of its own; shared are settings, which nobody
 * changes while threads run, the word to stop, and metrics.
 */

#ifndef QUEUE_H
#define QUEUE_H


#include "at_conf.h"
#include "at_fetch.h"
#include "at_log.h"
#include "at_metric.h"
#include "at_postgres.h"
#include "at_redis.h"
#include "at_script.h"
#include "at_stop.h"
#include "at_time.h"
#include "at_worker_conf.h"

#include <string.h>


#define QUEUE_CHANNEL   "atelier_queue"     /* of NOTIFY */
#define QUEUE_ID_LEN    32
#define QUEUE_PARALLEL  256
#define QUEUE_GRACE     2000                /* ms past stop_timeout */


typedef struct {
    at_worker_conf_t  base;

    /* [egress] */
    char            *egress_socket;
    int64_t          egress_timeout;

    /* [attempts] */
    int64_t          parallel;
    int64_t          lease;
    int64_t          tries;
    int64_t          retry;
    int64_t          retry_max;
    int64_t          max_age;
    int64_t          poll;

    /* [rows] */
    int64_t          keep;
} queue_settings_t;


/* One run of the threads: from a start or a reload to the next. */
typedef struct {
    at_worker_run_t         worker;
    queue_settings_t        settings;
    at_redis_settings_t     redis;
    at_postgres_settings_t  postgres;
    at_fetch_settings_t     egress;
} queue_run_t;


typedef enum {
    QUEUE_DONE,
    QUEUE_FAILED,
    QUEUE_RETRIED,
    QUEUE_ADOPTED,
    QUEUE_WAITED,
    QUEUE_AWAY,
    QUEUE_DISCARDED,
    QUEUE_LEFT,
    QUEUE_RUNNING,
    QUEUE_PAUSED,
    QUEUE_WAITING,
    QUEUE_PLACES,
    QUEUE_REMOVED,
    QUEUE_POSTGRES_UP,
    QUEUE_REDIS_UP,
    QUEUE_RELOADS,
    QUEUE_METRICS
} queue_metric_e;


extern at_metric_t  queue_metrics[QUEUE_METRICS];


#define queue_count(metric, n)  at_metric_add(&queue_metrics[metric], n)
#define queue_gauge(metric, n)  at_metric_set(&queue_metrics[metric], n)


enum {
    QUEUE_SCRIPT_TELL = AT_SCRIPT_WORKER
};


/* queue_settings.c; AT_ERROR: error is filled, nothing has to be freed. */
int queue_settings_read(const char *file, queue_settings_t *settings,
    char error[AT_CONF_ERROR_MAX]);
void queue_settings_free(queue_settings_t *settings);


/* The threads; each runs until run->worker.stop is raised. */
void *queue_work_thread(void *run);
void *queue_clerk_thread(void *run);


#endif /* QUEUE_H */
