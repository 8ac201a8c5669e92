/*
 * What the files of atelier-prices share: settings, the process, metrics, and
 * what each of its threads does.
 *
 *     prices_main.c      the process
 *     prices_settings.c  its settings
 *     prices_work.c      a thread that takes what is due and has it looked at
 *     prices_look.c      ... by the page of a product, and what that says
 *     prices_sweep.c     ... or many of them by one page of a list
 *     prices_store.c     ... and their outcomes in PostgreSQL
 *     prices_watch.c     a thread that knows what browsers watch, counts what
 *                        is due, and thins history
 *     prices_metrics.c   metrics
 *
 * Any number of these processes may run: a product is looked at by who has
 * its lease, nothing is written without it, and all ask a shop's hosts at one
 * pace (at_pace.h).
 */

#ifndef PRICES_H
#define PRICES_H


#include "shop/at_shop_plan.h"
#include "at_conf.h"
#include "at_log.h"
#include "at_look.h"
#include "at_metric.h"
#include "at_postgres.h"
#include "at_redis.h"
#include "at_time.h"
#include "at_worker_conf.h"

#include <stdlib.h>
#include <string.h>


#define PRICES_KEY    "atelier:live:product:"   /* and the product's id */
#define PRICES_ID     113                       /* bytes of an id */
#define PRICES_CARDS  100                       /* of a list */
#define PRICES_RANKS  1000                      /* of a page of one, as
                                                   atelier-shop counts */


typedef struct {
    at_worker_conf_t  base;

    /* [shops], [fetch] */
    at_look_conf_t   look;

    /* [looks] */
    int64_t          usual;
    int64_t          change;
    int64_t          least;
    int64_t          most;
    int64_t          watched;
    int64_t          retry;
    int64_t          retry_most;
    int64_t          gone;
    int64_t          gone_most;
    int64_t          doubt;
    int64_t          large;         /* percent */
    int64_t          lease;
    int64_t          ahead;
    int64_t          poll;

    /* [sweeps] */
    int64_t          sweep_least;
    int64_t          sweep_early;
    int64_t          sweep_every;

    /* [history] */
    int64_t          thin_every;
} prices_settings_t;


/* One run of the threads; the first member is what at_worker.c knows. */
typedef struct {
    at_worker_run_t          worker;
    prices_settings_t        settings;
    at_redis_settings_t      redis;
    at_postgres_settings_t   postgres;
    at_look_wire_t           wire;
    at_look_shops_t         *shops;
    at_shop_when_t           when;
} prices_run_t;


/* A shop, as the thread that works sees it. */
typedef struct {
    const at_look_shop_t  *shop;
    at_shop_day_t          day;
    at_shop_plan_t         plan;
    size_t                 held;        /* items */
    int64_t                look;        /* nothing is due before */
    int64_t                pause;       /* it wants to be left alone until */
    int64_t                sweep;       /* the next one, not before */
    unsigned               sweeping:1;
} prices_shop_t;


/* What the thread that works has. */
typedef struct {
    prices_run_t    *run;
    at_postgres_t   *pg;
    at_look_t       *look;
    prices_shop_t   *shops;
    size_t           nshops;
    uint32_t         random;
    unsigned         stopping:1;
} prices_work_t;


/* A product that is leased. */
typedef struct {
    prices_work_t   *work;
    prices_shop_t   *shop;
    char             id[PRICES_ID + 1];
    char             fence[24];
    char            *url;
    int64_t          price;             /* 0: not known */
    char             currency[4];
    int              stock;             /* -1: not known */
    int64_t          failures;
    double           rate;              /* 0: not known */
    int64_t          known;             /* ms, until it was last looked at */
    int64_t          gap;               /* ... since */
    int64_t          wait;              /* ... until it would be due */
    int64_t          begin;             /* a look begins until then, or not */
    char             etag[256];
    char             modified[64];
    unsigned         doubted:1;
    unsigned         same:1;            /* of a sweep: its card says so */
    unsigned         other:1;           /* ... or something else */
} prices_item_t;


/* A page of a list that is asked for all its products. */
typedef struct {
    prices_work_t   *work;
    prices_shop_t   *shop;
    char             query[512];
    int64_t          page;              /* from 0 */
    size_t           n;
    prices_item_t   *items[PRICES_CARDS];
} prices_sweep_t;


typedef enum {
    PRICES_SAME,
    PRICES_UNCHANGED,
    PRICES_SWEPT,
    PRICES_CHANGED,
    PRICES_DOUBTED,
    PRICES_GONE,
    PRICES_NONE,
    PRICES_WALLED,
    PRICES_DISALLOWED,
    PRICES_FAILED,
    PRICES_FENCED,
    PRICES_LEFT,
    PRICES_LOST,
    PRICES_SWEEPS,
    PRICES_HELD,
    PRICES_DUE,
    PRICES_LATE,
    PRICES_WATCHED,
    PRICES_HURRIED,
    PRICES_POSTGRES_UP,
    PRICES_REDIS_UP,
    PRICES_RELOADS,
    PRICES_METRICS
} prices_metric_e;


extern at_metric_t  prices_metrics[PRICES_METRICS];


#define prices_count(metric, n)  at_metric_add(&prices_metrics[metric], n)
#define prices_set(metric, n)    at_metric_set(&prices_metrics[metric], n)


/* prices_settings.c; AT_ERROR: error is filled, nothing has to be freed. */
int prices_settings_read(const char *file, prices_settings_t *settings,
    char error[AT_CONF_ERROR_MAX]);
void prices_settings_free(prices_settings_t *settings);


/* The threads; each runs until run->worker.stop is raised. */
void *prices_work_thread(void *run);
void *prices_watch_thread(void *run);


/* prices_work.c: the crawler's series, of whatever run there is. */
int prices_work_metrics(at_buf_t *b);
void prices_work_wake(void);
uint32_t prices_random(prices_work_t *w);


/* prices_watch.c; any thread.  1: a browser watches it. */
int prices_watched(const char *id);


/*
 * prices_look.c: has the page of the product looked at, and sees to the item
 * from then on.
 */
void prices_look(prices_item_t *item);
void prices_item_free(prices_item_t *item);

/* Its page, or a list, was the same. */
void prices_look_same(prices_item_t *item, prices_metric_e how,
    const char *etag, const char *modified);

/* It was not looked at, and will be when it is due. */
void prices_look_left(prices_item_t *item);

/* There was no page: the lease ends, and it is looked at later. */
void prices_look_none(prices_item_t *item, at_look_state_e state,
    const char *why, int64_t later);


/* prices_sweep.c: asks for a list if that is worth it. */
void prices_sweep(prices_shop_t *shop, prices_work_t *w);


/* What the outcome of a look is to become, by what products_see() says. */
typedef struct {
    int64_t       same;         /* ms until the next look */
    int64_t       changed;
    int64_t       doubted;
    double        rate_same;
    double        rate_changed;
    const char   *etag;
    const char   *modified;
} prices_next_t;


/* How a statement has ended. */
typedef enum {
    PRICES_STORED,
    PRICES_NOT_OURS,            /* somebody else has the lease */
    PRICES_REFUSED,             /* PostgreSQL will never take it */
    PRICES_AWAY                 /* PostgreSQL; the lease ends by itself */
} prices_stored_e;


/* prices_store.c: n items into items, which may be fewer; AT_ERROR: away. */
int prices_store_due(prices_work_t *w, prices_shop_t *shop, int64_t n,
    prices_item_t **items, size_t *got);

/* 1: there is one; its products are not leased yet. */
int prices_store_list(prices_work_t *w, prices_shop_t *shop,
    prices_sweep_t *sweep);
int prices_store_lease(prices_work_t *w, prices_shop_t *shop,
    prices_sweep_t *sweep);

prices_stored_e prices_store_seen(const prices_item_t *item, at_str_t seen,
    const prices_next_t *next, prices_metric_e *what);
prices_stored_e prices_store_same(const prices_item_t *item, int64_t next,
    double rate, const char *etag, const char *modified);
prices_stored_e prices_store_failed(const prices_item_t *item, int64_t next,
    const char *state);

/* It was not looked at. */
prices_stored_e prices_store_release(const prices_item_t *item, int64_t next);


#endif /* PRICES_H */
