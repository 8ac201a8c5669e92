/*
 * The thread that asks shops, and stores what they say.  It has the one crawler
 * of the process, so hosts take turns whoever asks.
 */

#include "shop.h"

#include <stdlib.h>


#define SHOP_WORK_TURN  50              /* ms, at most, until time is looked
                                           at */
#define SHOP_WORK_PING  2000
#define SHOP_WORK_STARVED  1000


static int shop_work_create(shop_work_t *w);
static void shop_work_free(shop_work_t *w);
static void shop_work_loop(shop_work_t *w);
static shop_search_t *shop_work_taken(shop_run_t *run);
static void shop_work_late(shop_work_t *w);
static void shop_work_close(shop_work_t *w);


void *
shop_work_thread(void *data)
{
    at_look_t    *look;
    shop_run_t   *run = data;
    shop_work_t   w;

    memset(&w, 0, sizeof(shop_work_t));
    w.run = run;

    while (shop_work_create(&w) != AT_OK && !shop_work_starved(run)) {
        /* void */
    }

    look = w.look;

    if (look) {
        (void) pthread_mutex_lock(&run->lock);
        run->look = look;
        (void) pthread_mutex_unlock(&run->lock);

        shop_work_loop(&w);
    }

    shop_work_close(&w);
    shop_work_free(&w);

    return NULL;
}


static int
shop_work_create(shop_work_t *w)
{
    w->pg = at_postgres_create(&w->run->postgres);
    w->look = at_look_create(&w->run->wire.crawl);
    w->prove = shop_prove_create(w);

    if (w->pg && w->look && w->prove) {
        return AT_OK;
    }

    shop_work_free(w);

    return AT_ERROR;
}


/* The looks first: what they still answer is stored, or left. */

static void
shop_work_free(shop_work_t *w)
{
    at_look_free(w->look);
    shop_prove_free(w->prove);
    at_postgres_free(w->pg);

    w->look = NULL;
    w->prove = NULL;
    w->pg = NULL;
}


int
shop_work_starved(shop_run_t *run)
{
    at_log(AT_LOG_ERROR, "thread.waits", at_log_text("why", "no memory"));

    return at_stop_wait(&run->worker.stop, SHOP_WORK_STARVED);
}


static void
shop_work_loop(shop_work_t *w)
{
    int64_t         ping;
    at_crawl_t     *crawl;
    at_stop_t      *stop = &w->run->worker.stop;
    shop_search_t  *s;

    crawl = at_look_crawl(w->look);
    ping = 0;

    while (!at_stop_raised(stop)) {

        if (at_time_mono() >= ping) {
            (void) shop_store_ping(w);
            ping = at_time_mono() + SHOP_WORK_PING;
        }

        while ((s = shop_work_taken(w->run)) != NULL) {
            s->next = w->searches;
            w->searches = s;
            shop_search_begin(w, s);
        }

        shop_prove_turn(w);
        (void) at_crawl_turn(crawl, SHOP_WORK_TURN, stop->fd);
        shop_work_late(w);
    }

    /* what is in flight may end */

    at_crawl_drain(crawl, w->run->settings.base.stop_timeout / 2);
}


static shop_search_t *
shop_work_taken(shop_run_t *run)
{
    shop_search_t  *s;

    (void) pthread_mutex_lock(&run->lock);
    s = run->asked;

    if (s) {
        run->asked = s->next;
        s->next = NULL;
        s->uses++;
    }

    (void) pthread_mutex_unlock(&run->lock);

    return s;
}


/* Ends searches whose time is over, and drops those that have ended. */

static void
shop_work_late(shop_work_t *w)
{
    int64_t          now;
    shop_search_t   *s, **at;

    now = at_time_mono();
    at = &w->searches;
    (void) pthread_mutex_lock(&w->run->lock);

    while ((s = *at) != NULL) {

        if (!s->ended && now >= s->until) {
            shop_count(SHOP_SEARCHES_LATE, (int64_t) s->left);
            s->late = s->left;
            shop_search_end(w->run, s);
        }

        if (s->ended) {
            *at = s->next;
            shop_search_leave(s);

        } else {
            at = &s->next;
        }
    }

    (void) pthread_mutex_unlock(&w->run->lock);
}


/* Nobody is left waiting. */

static void
shop_work_close(shop_work_t *w)
{
    shop_search_t  *s;
    shop_run_t     *run = w->run;

    (void) pthread_mutex_lock(&run->lock);
    run->closed = 1;
    run->look = NULL;

    while ((s = w->searches) != NULL) {
        w->searches = s->next;
        s->stopped |= !s->ended;
        shop_search_end(run, s);
        shop_search_leave(s);
    }

    while ((s = run->asked) != NULL) {
        run->asked = s->next;
        s->stopped = 1;
        shop_search_end(run, s);
    }

    (void) pthread_mutex_unlock(&run->lock);
}


void
shop_work_ask(shop_run_t *run, shop_search_t *s)
{
    (void) pthread_mutex_lock(&run->lock);

    if (run->closed) {
        s->stopped = 1;
        s->ended = 1;

    } else {
        s->next = run->asked;
        run->asked = s;

        if (run->look) {
            at_crawl_wake(at_look_crawl(run->look));
        }
    }

    while (!s->ended) {
        (void) pthread_cond_wait(&run->ended, &run->lock);
    }

    (void) pthread_mutex_unlock(&run->lock);
}
