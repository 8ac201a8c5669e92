/*
 * Threads that serve the stream of jobs (see at_shop_key.h).  A job is done
 * when every shop has answered, failed, or had its time; it can be done twice,
 * since what is seen twice is known by then.
 */

#include "shop.h"

#include <stdio.h>
#include <stdlib.h>


#define SHOP_JOBS_WAIT  500             /* ms that a look for a job takes */


typedef struct {
    shop_run_t  *run;
    at_redis_t  *redis;
    at_jobs_t   *jobs;
    at_job_t     job;
    char         why[160];
    unsigned     starved:1;
} shop_jobs_t;


static int shop_jobs_create(shop_jobs_t *t);
static void shop_jobs_loop(shop_jobs_t *t);
static void shop_jobs_one(shop_jobs_t *t);
static shop_search_t *shop_jobs_search(shop_jobs_t *t);
static void shop_jobs_end(shop_jobs_t *t, shop_search_t *s);
static void shop_jobs_ended(int rc, shop_metric_e metric);


void *
shop_jobs_thread(void *data)
{
    shop_jobs_t  t;

    memset(&t, 0, sizeof(shop_jobs_t));
    t.run = data;

    while (shop_jobs_create(&t) != AT_OK) {
        if (shop_work_starved(t.run)) {
            return NULL;
        }
    }

    shop_jobs_loop(&t);
    at_jobs_free(t.jobs);
    at_redis_free(t.redis);

    return NULL;
}


static int
shop_jobs_create(shop_jobs_t *t)
{
    t->redis = at_redis_create(&t->run->redis);

    if (t->redis == NULL) {
        return AT_ERROR;
    }

    t->jobs = at_jobs_create(&t->run->jobs, t->redis);

    if (t->jobs == NULL) {
        at_redis_free(t->redis);
        return AT_ERROR;
    }

    return AT_OK;
}


static void
shop_jobs_loop(shop_jobs_t *t)
{
    int  rc;

    while (!at_stop_raised(&t->run->worker.stop)) {
        rc = at_jobs_next(t->jobs, SHOP_JOBS_WAIT, &t->job);

        at_metric_set(&shop_metrics[SHOP_REDIS_UP], rc != AT_ERROR);

        if (rc == AT_ERROR) {
            (void) at_stop_wait(&t->run->worker.stop, 100);
            continue;
        }

        if (rc == 1) {
            shop_count(SHOP_JOBS_RUNNING, 1);
            shop_jobs_one(t);
            shop_count(SHOP_JOBS_RUNNING, -1);
        }
    }
}


static void
shop_jobs_one(shop_jobs_t *t)
{
    int64_t         start;
    shop_search_t  *s;

    start = at_time_mono();
    s = shop_jobs_search(t);

    if (s == NULL && t->starved) {
        shop_jobs_ended(at_jobs_retry(t->jobs, &t->job, 1000, "no memory"),
                        t->job.attempt < t->run->jobs.attempts
                        ? SHOP_JOBS_RETRIED : SHOP_JOBS_DEAD);
        return;
    }

    if (s == NULL) {
        at_log(AT_LOG_WARN, "job.refused", at_log_text("job", t->job.id),
               at_log_text("why", t->why));
        shop_jobs_ended(at_jobs_dead(t->jobs, &t->job, t->why),
                        SHOP_JOBS_DEAD);
        return;
    }

    shop_work_ask(t->run, s);

    if (!s->stopped) {
        at_log(AT_LOG_INFO, "job.done", at_log_text("requestId",
                                                    s->request_id),
               at_log_text("query", s->query),
               at_log_text("category", s->category),
               at_log_int("shops", (int64_t) s->pages),
               at_log_int("late", (int64_t) s->late),
               at_log_int("products", (int64_t) s->products),
               at_log_int("attempt", t->job.attempt),
               at_log_int("ms", at_time_mono() - start));
    }

    shop_jobs_end(t, s);

    (void) pthread_mutex_lock(&t->run->lock);
    s->told = !s->stopped && !s->unstored;
    shop_search_over(t->run, s);
    shop_search_leave(s);
    (void) pthread_mutex_unlock(&t->run->lock);
}


/* NULL: why says what is wrong with the job. */

static shop_search_t *
shop_jobs_search(shop_jobs_t *t)
{
    size_t          len;
    at_str_t        id, by, page, category;
    shop_search_t  *s;

    t->starved = 0;

    if (!at_str_is(at_job_get(&t->job, "kind"), "products")) {
        (void) snprintf(t->why, sizeof(t->why), "its kind is not known");
        return NULL;
    }

    s = calloc(1, sizeof(shop_search_t));
    t->starved = (s == NULL);

    if (s == NULL) {
        return NULL;
    }

    page = at_job_get(&t->job, "page");
    s->page = page.len ? (unsigned) strtoul(page.data, NULL, 10) : 1;
    category = at_job_get(&t->job, "category");
    by = at_job_get(&t->job, "by");
    s->reader = !at_str_is(by, "schedule") && !at_str_is(by, "operator");
    id = at_job_get(&t->job, "requestId");

    if (at_shop_query(at_job_get(&t->job, "query"), s->query, &len) != AT_OK
        || at_shop_category(&category) != AT_OK
        || category.len > AT_SHOP_TEXT_BYTES || (len == 0 && category.len == 0)
        || s->page < 1 || s->page > SHOP_PAGES_MAX)
    {
        (void) snprintf(t->why, sizeof(t->why),
                        "query, category or page is wrong");
        free(s);
        return NULL;
    }

    s->query[len] = '\0';

    if (category.len) {
        memcpy(s->category, category.data, category.len);
    }

    if (at_fetch_request_id(id)) {
        memcpy(s->request_id, id.data, id.len);
    }

    s->uses = 1;

    return s;
}


static void
shop_jobs_end(shop_jobs_t *t, shop_search_t *s)
{
    int  last;

    if (s->stopped) {
        shop_jobs_ended(at_jobs_release(t->jobs, &t->job),
                        SHOP_JOBS_RELEASED);
        return;
    }

    if (s->unstored || shop_tell_ended(t->redis, s) != AT_OK) {
        last = (t->job.attempt >= t->run->jobs.attempts);

        if (last) {
            shop_tell_forget(t->redis, s);
        }

        shop_jobs_ended(at_jobs_retry(t->jobs, &t->job, 1000,
                                      s->unstored ? "PostgreSQL is away"
                                                  : "Redis is away"),
                        last ? SHOP_JOBS_DEAD : SHOP_JOBS_RETRIED);
        return;
    }

    shop_jobs_ended(at_jobs_done(t->jobs, &t->job), SHOP_JOBS_DONE);
}


static void
shop_jobs_ended(int rc, shop_metric_e metric)
{
    shop_count((rc == 1) ? metric : SHOP_JOBS_LOST, 1);
}
