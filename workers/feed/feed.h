/*
 * What the files of atelier-feed share: settings, the process, metrics, and
 * what each of its threads does.
 *
 *     feed_main.c       the process: settings, signals, threads
 *     feed_jobs.c       threads that serve the stream of jobs
 *     feed_fill.c       ... by asking /fill of this nginx
 *     feed_schedule.c   a thread that warms queries and looks for snapshots
 *     feed_hash.c       a thread that hashes the thumbnails of snapshots
 *     feed_repeat.c     ... and takes repeats out of them
 *     feed_store.c      ... and puts their designs into PostgreSQL
 *     feed_invalidate.c a thread that serves invalidations
 *
 * A thread has connections of its own; shared are settings, which nobody
 * changes while threads run, the word to stop, and metrics.
 */

#ifndef FEED_H
#define FEED_H


#include "at_conf.h"
#include "at_fetch.h"
#include "at_jobs.h"
#include "at_lease.h"
#include "at_log.h"
#include "at_metric.h"
#include "at_postgres.h"
#include "at_script.h"
#include "at_stop.h"
#include "at_time.h"
#include "at_worker_conf.h"

#include <string.h>


#define FEED_STREAM         "atelier:feed:jobs"
#define FEED_INVALIDATIONS  "atelier:invalidations"
#define FEED_GROUP          "feed"
#define FEED_QUEUE          "atelier:feed:hash"     /* snapshots to look at */
#define FEED_SNAPSHOT_LEN   16


typedef struct {
    at_worker_conf_t  base;

    /* [egress] */
    char            *egress_socket;
    int64_t          egress_timeout;

    /* [jobs] */
    int64_t          jobs_threads;
    int64_t          jobs_claim_after;
    int64_t          jobs_attempts;
    int64_t          jobs_ahead;

    /* [warm] */
    at_conf_list_t   warm_query;
    int64_t          warm_every;

    /* [hash] */
    int64_t          hash_scan;
    int64_t          hash_parallel;
    int64_t          hash_per_host;
    int64_t          hash_timeout;
    char            *hash_user_agent;
    at_conf_list_t   hash_allow_address;
} feed_settings_t;


/* One run of the threads: from a start or a reload to the next. */
typedef struct {
    at_worker_run_t         worker;
    feed_settings_t         settings;
    at_redis_settings_t     redis;
    at_postgres_settings_t  postgres;
    at_jobs_settings_t      jobs;
    at_jobs_settings_t      invalidations;
    at_fetch_settings_t     egress;
    at_fetch_settings_t     thumbs;
    at_address_list_t       allow;
} feed_run_t;


/* What became of a job, besides of a reason. */
typedef enum {
    FEED_DONE,
    FEED_RETRY,
    FEED_DEAD,
    FEED_STOPPED
} feed_result_e;


typedef enum {
    FEED_JOBS_DONE,
    FEED_JOBS_RETRIED,
    FEED_JOBS_DEAD,
    FEED_JOBS_LOST,
    FEED_JOBS_RELEASED,
    FEED_JOBS_RUNNING,
    FEED_FILLS_FILLED,
    FEED_FILLS_ENOUGH,
    FEED_FILLS_BUSY,
    FEED_FILLS_FAILED,
    FEED_WARMED,
    FEED_HASHES_MADE,
    FEED_HASHES_KNOWN,
    FEED_HASHES_FAILED,
    FEED_HASHES_REFUSED,
    FEED_REPEATS_DROPPED,
    FEED_REPEATS_LATE,
    FEED_DESIGNS_STORED,
    FEED_DESIGNS_REFUSED,
    FEED_INVALIDATIONS_DONE,
    FEED_INVALIDATED,
    FEED_REDIS_UP,
    FEED_POSTGRES_UP,
    FEED_RELOADS,
    FEED_METRICS
} feed_metric_e;


extern at_metric_t  feed_metrics[FEED_METRICS];


#define feed_count(metric, n)  at_metric_add(&feed_metrics[metric], n)


enum {
    FEED_SCRIPT_WARM = AT_SCRIPT_WORKER,
    FEED_SCRIPT_LOOK,
    FEED_SCRIPT_SEEN,
    FEED_SCRIPT_TODO,
    FEED_SCRIPT_MARK,
    FEED_SCRIPT_ORDER,
    FEED_SCRIPT_DROP,
    FEED_SCRIPT_PURGE
};


/* feed_settings.c; AT_ERROR: error is filled, nothing has to be freed. */
int feed_settings_read(const char *file, feed_settings_t *settings,
    char error[AT_CONF_ERROR_MAX]);
void feed_settings_free(feed_settings_t *settings);


/* The threads; each runs until run->worker.stop is raised. */
void *feed_jobs_thread(void *run);
void *feed_invalidate_thread(void *run);
void *feed_schedule_thread(void *run);
void *feed_hash_thread(void *run);


/*
 * feed_fill.c: asks for what the arguments of a /designs request need, or for
 * the first page of a plain query.  FEED_RETRY and FEED_DEAD have a reason,
 * and FEED_RETRY the ms to wait; FEED_DONE has the snapshot, if it is known.
 */
typedef struct {
    at_str_t      args;
    at_str_t      query;
    int64_t       ahead;
    at_str_t      request_id;

    char          snapshot[FEED_SNAPSHOT_LEN + 1];
    char          why[160];
    int64_t       wait;
} feed_fill_t;

feed_result_e feed_fill(feed_run_t *run, at_fetch_t *fetch,
    feed_fill_t *fill);


/*
 * feed_invalidate.c: removes the snapshots older than the generation whose
 * feed matches.  keep is called between slices and returns AT_ERROR to stop.
 */
feed_result_e feed_invalidate(at_redis_t *redis, at_str_t pattern,
    int64_t generation, int (*keep)(void *data), void *data);


/* 1: the id of a snapshot. */
int feed_snapshot_id(at_str_t id);

/* A C string as words of a command. */
static inline at_str_t
feed_word(const char *text)
{
    return (at_str_t) { strlen(text), text };
}


#endif /* FEED_H */
