/*
 * The thread that works: leases what is due, shop by shop, no more than the
 * crawler is about to ask for, and has it looked at.
 *
 * A shop has "ahead" products under way at most, so that what waits in the
 * queues of the crawler is little, and whatever becomes more urgent is soon
 * on its way.  A process that dies leaves its products to their leases.
 */

#include "prices.h"


#define PRICES_TURN  1000           /* ms */
#define PRICES_MOST  1000           /* ahead */


static int prices_work_create(prices_work_t *w, prices_run_t *run);
static void prices_work_free(prices_work_t *w);
static int64_t prices_work_take(prices_work_t *w);
static void prices_work_take_shop(prices_work_t *w, prices_shop_t *shop);
static void prices_work_share(at_crawl_t *crawl);


/* For the probe, whose thread may ask while a run ends. */
static pthread_mutex_t   prices_work_lock = PTHREAD_MUTEX_INITIALIZER;
static at_crawl_t       *prices_work_crawl;


void *
prices_work_thread(void *data)
{
    int64_t         ms;
    prices_run_t   *run = data;
    prices_work_t   w;

    if (prices_work_create(&w, run) != AT_OK) {
        at_log(AT_LOG_ERROR, "work.failed", at_log_text("error", "no memory"));
        prices_work_free(&w);
        return NULL;
    }

    prices_work_share(at_look_crawl(w.look));

    while (!at_stop_raised(&run->worker.stop)) {
        ms = prices_work_take(&w);
        prices_set(PRICES_POSTGRES_UP, at_postgres_up(w.pg));
        (void) at_crawl_turn(at_look_crawl(w.look), ms, run->worker.stop.fd);
    }

    w.stopping = 1;
    prices_work_share(NULL);

    /* what is on its way is stored, what waits is given back */

    at_crawl_drain(at_look_crawl(w.look),
                   run->settings.base.stop_timeout * 3 / 4);
    prices_work_free(&w);

    return NULL;
}


static int
prices_work_create(prices_work_t *w, prices_run_t *run)
{
    size_t  i;

    memset(w, 0, sizeof(prices_work_t));
    w->run = run;
    w->nshops = run->shops->n;
    w->shops = calloc(w->nshops, sizeof(prices_shop_t));
    w->pg = at_postgres_create(&run->postgres);
    w->look = at_look_create(&run->wire.crawl);
    w->random = (uint32_t) at_time_wall() | 1;

    if (w->shops == NULL || w->pg == NULL || w->look == NULL) {
        return AT_ERROR;
    }

    for (i = 0; i < w->nshops; i++) {
        w->shops[i].shop = run->shops->shops[i];
    }

    return AT_OK;
}


static void
prices_work_free(prices_work_t *w)
{
    w->stopping = 1;
    at_look_free(w->look);
    at_postgres_free(w->pg);
    free(w->shops);
}


/* Returns for how long there is nothing to take. */

static int64_t
prices_work_take(prices_work_t *w)
{
    size_t          i;
    int64_t         now, ms, wait;
    prices_shop_t  *shop;

    now = at_time_mono();
    ms = PRICES_TURN;

    for (i = 0; i < w->nshops; i++) {
        shop = &w->shops[i];

        if (now >= shop->pause && now >= shop->look
            && shop->held < (size_t) w->run->settings.ahead)
        {
            prices_sweep(shop, w);
            prices_work_take_shop(w, shop);
        }

        wait = (shop->pause > shop->look ? shop->pause : shop->look)
               - at_time_mono();

        if (shop->held < (size_t) w->run->settings.ahead && wait < ms) {
            ms = (wait < 1) ? 1 : wait;
        }
    }

    return ms;
}


static void
prices_work_take_shop(prices_work_t *w, prices_shop_t *shop)
{
    int             rc;
    size_t          i, got;
    int64_t         room;
    prices_item_t  *items[PRICES_MOST];

    room = w->run->settings.ahead - (int64_t) shop->held;

    if (room <= 0) {
        return;
    }

    rc = prices_store_due(w, shop, room, items, &got);

    if (rc != AT_OK || (int64_t) got < room) {
        shop->look = at_time_mono() + w->run->settings.poll;
    }

    for (i = 0; i < got; i++) {
        prices_look(items[i]);
    }
}


static void
prices_work_share(at_crawl_t *crawl)
{
    (void) pthread_mutex_lock(&prices_work_lock);
    prices_work_crawl = crawl;
    (void) pthread_mutex_unlock(&prices_work_lock);
}


int
prices_work_metrics(at_buf_t *b)
{
    int  rc;

    (void) pthread_mutex_lock(&prices_work_lock);
    rc = prices_work_crawl ? at_crawl_metrics(prices_work_crawl, b) : AT_OK;
    (void) pthread_mutex_unlock(&prices_work_lock);

    return rc;
}


void
prices_work_wake(void)
{
    (void) pthread_mutex_lock(&prices_work_lock);

    if (prices_work_crawl) {
        at_crawl_wake(prices_work_crawl);
    }

    (void) pthread_mutex_unlock(&prices_work_lock);
}


uint32_t
prices_random(prices_work_t *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 17;
    w->random ^= w->random << 5;

    return w->random;
}
