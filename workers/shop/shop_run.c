/*
 * atelier-shop run: the process (see at_worker.h).  It searches shops for what
 * is scheduled and what is asked for, and proves what they have.
 */

#include "shop.h"

#include <stdio.h>


static int shop_run_read(const char *file, void *data,
    char error[AT_CONF_ERROR_MAX]);
static void shop_run_clear(void *data);
static int shop_run_start(void *data);
static void shop_run_reloaded(void);
static int shop_run_ready(at_buf_t *b);
static int shop_run_metrics(at_buf_t *b);


static const at_worker_t  shop_run_worker = {
    .name = "atelier-shop",
    .run_size = sizeof(shop_run_t),
    .read = shop_run_read,
    .clear = shop_run_clear,
    .start = shop_run_start,
    .reloaded = shop_run_reloaded,
    .probe = { shop_run_ready, shop_run_metrics }
};

/* The run under way, for the probe, and for recipes that are read anew. */
static pthread_mutex_t  shop_run_lock = PTHREAD_MUTEX_INITIALIZER;
static shop_run_t      *shop_run_now;


int
shop_run(int argc, char **argv)
{
    if (at_fetch_init() != AT_OK) {
        fprintf(stderr, "atelier-shop: libcurl does not start\n");
        return SHOP_FAILED;
    }

    return at_worker_main(&shop_run_worker, argc, argv);
}


static int
shop_run_read(const char *file, void *data, char error[AT_CONF_ERROR_MAX])
{
    shop_run_t       *run = data;
    shop_settings_t  *s = &run->settings;

    if (shop_settings_read(file, s, error) != AT_OK) {
        return AT_ERROR;
    }

    /* only this thread changes shop_run_now */

    run->shops = at_look_shops_read(s->look.recipes,
                                    shop_run_now ? shop_run_now->shops : NULL,
                                    error);
    if (run->shops == NULL) {
        shop_settings_free(s);
        return AT_ERROR;
    }

    at_worker_wire(&s->base, &run->worker, &run->redis, &run->postgres);

    run->jobs = (at_jobs_settings_t) {
        .stream = AT_SHOP_JOBS, .group = SHOP_GROUP,
        .claim_after = s->jobs_claim_after, .attempts = s->jobs_attempts
    };

    if (at_look_wire(&run->wire, &s->look, &run->redis) != AT_OK) {
        (void) snprintf(error, AT_CONF_ERROR_MAX, "no memory");
        at_look_shops_free(run->shops);
        shop_settings_free(s);
        return AT_ERROR;
    }

    (void) pthread_mutex_init(&run->lock, NULL);
    (void) pthread_cond_init(&run->ended, NULL);

    return AT_OK;
}


static void
shop_run_clear(void *data)
{
    shop_run_t     *run = data;
    shop_search_t  *s;

    (void) pthread_mutex_lock(&shop_run_lock);

    if (shop_run_now == run) {
        shop_run_now = NULL;
    }

    (void) pthread_mutex_unlock(&shop_run_lock);

    while ((s = run->over) != NULL) {
        run->over = s->next;
        shop_search_leave(s);
    }

    (void) pthread_cond_destroy(&run->ended);
    (void) pthread_mutex_destroy(&run->lock);
    at_look_unwire(&run->wire);
    at_look_shops_free(run->shops);
    shop_settings_free(&run->settings);
}


static int
shop_run_start(void *data)
{
    int          rc;
    int64_t      i;
    shop_run_t  *run = data;

    (void) pthread_mutex_lock(&shop_run_lock);
    shop_run_now = run;
    (void) pthread_mutex_unlock(&shop_run_lock);

    rc = at_worker_thread(run, shop_work_thread)
         | at_worker_thread(run, shop_schedule_thread);

    for (i = 0; i < run->settings.jobs_threads; i++) {
        rc |= at_worker_thread(run, shop_jobs_thread);
    }

    return rc == AT_OK ? AT_OK : AT_ERROR;
}


static void
shop_run_reloaded(void)
{
    shop_count(SHOP_RELOADS, 1);
}


static int
shop_run_ready(at_buf_t *b)
{
    int  redis, postgres, ending;

    redis = shop_metrics[SHOP_REDIS_UP].value == 1;
    postgres = shop_metrics[SHOP_POSTGRES_UP].value == 1;
    ending = at_worker_ending();

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"redis\":\"%s\","
                            "\"postgres\":\"%s\"}\n",
                         ending ? "stopping"
                         : (redis && postgres) ? "ready" : "waiting",
                         redis ? "ok" : "away", postgres ? "ok" : "away");

    return redis && postgres && !ending;
}


static int
shop_run_metrics(at_buf_t *b)
{
    int          rc;
    shop_run_t  *run;

    rc = at_metric_write(b, shop_metrics, SHOP_METRICS)
         | at_look_metrics(b);

    (void) pthread_mutex_lock(&shop_run_lock);
    run = shop_run_now;

    if (run) {
        (void) pthread_mutex_lock(&run->lock);

        if (run->look) {
            rc |= at_crawl_metrics(at_look_crawl(run->look), b);
        }

        (void) pthread_mutex_unlock(&run->lock);
    }

    (void) pthread_mutex_unlock(&shop_run_lock);

    return rc;
}
