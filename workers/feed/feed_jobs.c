/*
 * Threads that serve the stream of jobs.  A job is fields of an entry:
 *
 *     kind        prefetch, warm, scrape: args (those of a /designs request)
 *                 or query, and ahead (pages beyond it)
 *                 hash: snapshot
 *                 invalidate: pattern, generation
 *     request_id  of the request that wanted it; goes into the logs and on
 *
 * All of them can be done twice.  A fill that is there already is enough, a
 * snapshot is in the queue once, and an invalidation removes what is older
 * than it and nothing else.
 */

#include "feed.h"

#include <stdio.h>
#include <stdlib.h>


#define FEED_JOBS_WAIT  1000            /* ms that a look for a job takes */


typedef struct {
    feed_run_t  *run;
    at_redis_t  *redis;
    at_jobs_t   *jobs;
    at_fetch_t  *fetch;
    at_job_t     job;
    char         why[160];
    int64_t      wait;
} feed_jobs_t;


static void feed_jobs_loop(feed_jobs_t *t);
static void feed_jobs_one(feed_jobs_t *t);
static void feed_jobs_end(feed_jobs_t *t, feed_result_e result);
static feed_result_e feed_jobs_fill(feed_jobs_t *t);
static feed_result_e feed_jobs_hash(feed_jobs_t *t);
static int feed_jobs_queue(feed_jobs_t *t, at_str_t snapshot);
static feed_result_e feed_jobs_invalidate(feed_jobs_t *t);
static int feed_jobs_keep(void *data);
static feed_result_e feed_jobs_wrong(feed_jobs_t *t, const char *why);
static int64_t feed_jobs_number(at_str_t text, int64_t preset);


static const struct {
    const char      *kind;
    feed_result_e  (*work)(feed_jobs_t *t);
} feed_jobs_kinds[] = {
    { "prefetch", feed_jobs_fill },
    { "warm", feed_jobs_fill },
    { "scrape", feed_jobs_fill },
    { "hash", feed_jobs_hash },
    { "invalidate", feed_jobs_invalidate }
};


void *
feed_jobs_thread(void *data)
{
    feed_jobs_t  t;

    memset(&t, 0, sizeof(feed_jobs_t));
    t.run = data;
    t.redis = at_redis_create(&t.run->redis);
    t.fetch = at_fetch_create(&t.run->egress);
    t.jobs = at_jobs_create(&t.run->jobs, t.redis);

    if (t.redis && t.fetch && t.jobs) {
        feed_jobs_loop(&t);

    } else {
        at_log(AT_LOG_ERROR, "thread.failed", at_log_text("why", "no memory"));
    }

    at_jobs_free(t.jobs);
    at_fetch_free(t.fetch);
    at_redis_free(t.redis);

    return NULL;
}


static void
feed_jobs_loop(feed_jobs_t *t)
{
    int  rc;

    while (!at_stop_raised(&t->run->worker.stop)) {
        rc = at_jobs_next(t->jobs, FEED_JOBS_WAIT, &t->job);

        at_metric_set(&feed_metrics[FEED_REDIS_UP], rc != AT_ERROR);

        if (rc == AT_ERROR) {
            (void) at_stop_wait(&t->run->worker.stop, 100);
            continue;
        }

        if (rc == 1) {
            feed_jobs_one(t);
        }
    }
}


static void
feed_jobs_one(feed_jobs_t *t)
{
    size_t         i;
    int64_t        start;
    at_str_t       kind;
    feed_result_e  result;

    /* it came in while we were told to end */

    if (at_stop_raised(&t->run->worker.stop)) {
        feed_jobs_end(t, FEED_STOPPED);
        return;
    }

    start = at_time_mono();
    kind = at_job_get(&t->job, "kind");
    result = FEED_DEAD;
    t->wait = 1000;
    (void) snprintf(t->why, sizeof(t->why), "kind \"%.*s\" is not known",
                    (int) (kind.len > 32 ? 32 : kind.len),
                    kind.len ? kind.data : "");

    feed_count(FEED_JOBS_RUNNING, 1);

    for (i = 0; i < sizeof(feed_jobs_kinds) / sizeof(feed_jobs_kinds[0]);
         i++)
    {
        if (at_str_is(kind, feed_jobs_kinds[i].kind)) {
            result = feed_jobs_kinds[i].work(t);
        }
    }

    if (result == FEED_DONE) {
        at_log(AT_LOG_INFO, "job.done",
               at_log_str("requestId", at_job_get(&t->job, "request_id")),
               at_log_str("kind", kind), at_log_text("job", t->job.id),
               at_log_int("attempt", t->job.attempt),
               at_log_int("ms", at_time_mono() - start));
    }

    feed_jobs_end(t, result);
    feed_count(FEED_JOBS_RUNNING, -1);
}


static void
feed_jobs_end(feed_jobs_t *t, feed_result_e result)
{
    int            rc;
    feed_metric_e  metric;

    switch (result) {

    case FEED_DONE:
        metric = FEED_JOBS_DONE;
        rc = at_jobs_done(t->jobs, &t->job);
        break;

    case FEED_DEAD:
        metric = FEED_JOBS_DEAD;
        rc = at_jobs_dead(t->jobs, &t->job, t->why);
        break;

    case FEED_STOPPED:
        metric = FEED_JOBS_RELEASED;
        rc = at_jobs_release(t->jobs, &t->job);
        break;

    default:
        metric = (t->job.attempt >= t->run->jobs.attempts) ? FEED_JOBS_DEAD
                                                           : FEED_JOBS_RETRIED;
        rc = at_jobs_retry(t->jobs, &t->job, t->wait, t->why);
        break;
    }

    feed_count((rc == 1) ? metric : FEED_JOBS_LOST, 1);
}


static feed_result_e
feed_jobs_fill(feed_jobs_t *t)
{
    int64_t        preset;
    feed_fill_t    fill;
    feed_result_e  result;

    memset(&fill, 0, sizeof(feed_fill_t));
    fill.args = at_job_get(&t->job, "args");
    fill.query = at_job_get(&t->job, "query");
    fill.request_id = at_job_get(&t->job, "request_id");

    preset = at_str_is(at_job_get(&t->job, "kind"), "prefetch")
             ? t->run->settings.jobs_ahead : 0;
    fill.ahead = feed_jobs_number(at_job_get(&t->job, "ahead"), preset);

    if (fill.ahead < 0) {
        return feed_jobs_wrong(t, "ahead is no number");
    }

    result = feed_fill(t->run, t->fetch, &fill);

    (void) snprintf(t->why, sizeof(t->why), "%s", fill.why);
    t->wait = fill.wait;

    /* repeats are to be gone before somebody reads on; a scan finds it, too */

    if (result == FEED_DONE && fill.snapshot[0] != '\0') {
        (void) feed_jobs_queue(t, feed_word(fill.snapshot));
    }

    return result;
}


static feed_result_e
feed_jobs_hash(feed_jobs_t *t)
{
    at_str_t  snapshot;

    snapshot = at_job_get(&t->job, "snapshot");

    if (!feed_snapshot_id(snapshot)) {
        return feed_jobs_wrong(t, "snapshot is not 16 hexadecimal digits");
    }

    if (feed_jobs_queue(t, snapshot) != AT_OK) {
        (void) snprintf(t->why, sizeof(t->why), "Redis: %s",
                        at_redis_error(t->redis));
        return FEED_RETRY;
    }

    return FEED_DONE;
}


/* Thumbnails are another thread's work: here it is only said which. */

static int
feed_jobs_queue(feed_jobs_t *t, at_str_t snapshot)
{
    redisReply  *reply;

    reply = at_redis_call(t->redis, "ZINCRBY " FEED_QUEUE " 1 %b",
                          snapshot.data, snapshot.len);
    if (reply == NULL) {
        return AT_ERROR;
    }

    freeReplyObject(reply);

    return AT_OK;
}


static feed_result_e
feed_jobs_invalidate(feed_jobs_t *t)
{
    int64_t   generation;
    at_str_t  pattern;

    pattern = at_job_get(&t->job, "pattern");
    generation = feed_jobs_number(at_job_get(&t->job, "generation"), -1);

    if (pattern.len == 0 || generation < 0) {
        return feed_jobs_wrong(t, "pattern or generation is missing");
    }

    (void) snprintf(t->why, sizeof(t->why), "Redis went away");

    return feed_invalidate(t->redis, pattern, generation, feed_jobs_keep, t);
}


static int
feed_jobs_keep(void *data)
{
    feed_jobs_t *t = data;

    if (at_stop_raised(&t->run->worker.stop)) {
        return AT_ERROR;
    }

    return (at_jobs_keep(t->jobs, &t->job) == 1) ? AT_OK : AT_ERROR;
}


static feed_result_e
feed_jobs_wrong(feed_jobs_t *t, const char *why)
{
    (void) snprintf(t->why, sizeof(t->why), "%s", why);

    return FEED_DEAD;
}


/* -1: not a number. */

static int64_t
feed_jobs_number(at_str_t text, int64_t preset)
{
    char       *end;
    long long   n;

    if (text.len == 0) {
        return preset;
    }

    /* words of a reply end with a NUL */

    n = strtoll(text.data, &end, 10);

    return (text.data[0] >= '0' && text.data[0] <= '9'
            && end == text.data + text.len) ? n : -1;
}
