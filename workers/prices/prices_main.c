/*
 * atelier-prices: the process (see at_worker.h).  It looks at products again,
 * at the time when that is worth a request, and stores what they cost now.
 */

#include "prices.h"


#define PRICES_BACKOFF  500     /* ms */
#define PRICES_MEMORY   (14 * 24 * 3600000LL)


static int prices_main_read(const char *file, void *data,
    char error[AT_CONF_ERROR_MAX]);
static void prices_main_wire(prices_run_t *run);
static void prices_main_clear(void *data);
static int prices_main_start(void *data);
static void prices_main_reloaded(void);
static int prices_main_ready(at_buf_t *b);
static int prices_main_metrics(at_buf_t *b);


static const at_worker_t  prices_main_worker = {
    .name = "atelier-prices",
    .run_size = sizeof(prices_run_t),
    .read = prices_main_read,
    .clear = prices_main_clear,
    .start = prices_main_start,
    .reloaded = prices_main_reloaded,
    .probe = { prices_main_ready, prices_main_metrics }
};

/* The recipes in use: of one that is wrong in its file, this is kept. */
static const at_look_shops_t  *prices_main_shops;


int
main(int argc, char **argv)
{
    if (at_fetch_init() != AT_OK) {
        at_log(AT_LOG_ERROR, "start.failed",
               at_log_text("error", "libcurl does not start"));
        return 1;
    }

    return at_worker_main(&prices_main_worker, argc, argv);
}


static int
prices_main_read(const char *file, void *data, char error[AT_CONF_ERROR_MAX])
{
    prices_run_t       *run = data;
    prices_settings_t  *s = &run->settings;

    if (prices_settings_read(file, s, error) != AT_OK) {
        return AT_ERROR;
    }

    run->shops = at_look_shops_read(s->look.recipes, prices_main_shops,
                                    error);

    if (run->shops == NULL) {
        prices_settings_free(s);
        return AT_ERROR;
    }

    prices_main_wire(run);

    if (at_look_wire(&run->wire, &s->look,
                     s->base.redis_address[0] ? &run->redis : NULL) != AT_OK)
    {
        (void) memcpy(error, "no memory", sizeof("no memory"));
        prices_main_clear(run);
        return AT_ERROR;
    }

    return AT_OK;
}


static void
prices_main_wire(prices_run_t *run)
{
    prices_settings_t  *s = &run->settings;

    at_worker_wire(&s->base, &run->worker, &run->redis, &run->postgres);

    run->redis.backoff = PRICES_BACKOFF;
    run->postgres.backoff = PRICES_BACKOFF;

    run->when = (at_shop_when_t) {
        .usual = s->usual, .least = s->least, .most = s->most,
        .retry = s->retry, .retry_most = s->retry_most,
        .gone = s->gone, .gone_most = s->gone_most,
        .memory = PRICES_MEMORY, .rate = 3600000.0 / (double) s->change
    };
}


static void
prices_main_clear(void *data)
{
    prices_run_t  *run = data;

    if (prices_main_shops == run->shops) {
        prices_main_shops = NULL;
    }

    at_look_unwire(&run->wire);
    at_look_shops_free(run->shops);
    prices_settings_free(&run->settings);
}


static int
prices_main_start(void *data)
{
    prices_run_t  *run = data;

    prices_main_shops = run->shops;

    return (at_worker_thread(data, prices_watch_thread) == AT_OK
            && at_worker_thread(data, prices_work_thread) == AT_OK)
           ? AT_OK : AT_ERROR;
}


static void
prices_main_reloaded(void)
{
    prices_count(PRICES_RELOADS, 1);
}


/* Redis may be away: looks go on, at a slower pace. */

static int
prices_main_ready(at_buf_t *b)
{
    int  redis, postgres, ending;

    redis = prices_metrics[PRICES_REDIS_UP].value == 1;
    postgres = prices_metrics[PRICES_POSTGRES_UP].value == 1;
    ending = at_worker_ending();

    (void) at_buf_printf(b, "{\"status\":\"%s\",\"postgres\":\"%s\","
                            "\"redis\":\"%s\"}\n",
                         ending ? "stopping" : postgres ? "ready" : "waiting",
                         postgres ? "ok" : "away", redis ? "ok" : "away");

    return postgres && !ending;
}


static int
prices_main_metrics(at_buf_t *b)
{
    return at_metric_write(b, prices_metrics, PRICES_METRICS)
           | at_look_metrics(b) | prices_work_metrics(b);
}
