/*
 * What the files of atelier-shop share: sub-commands, settings, metrics, and
 * what each of its threads does.
 *
 *     shop_main.c      the sub-commands
 *     shop_check.c     atelier-shop check: a recipe, and what it finds on a
 *                      page
 *     shop_run.c       atelier-shop run: the process (see at_worker.h)
 *     shop_jobs.c      threads that serve the stream of jobs
 *     shop_schedule.c  a thread that puts scheduled queries on it
 *     shop_tell.c      what those who asked for a search are told of it
 *     shop_work.c      a thread that asks the shops and stores what they say
 *     shop_search.c    ... a search of all shops
 *     shop_prove.c     ... whether products' pages and pictures answer
 *     shop_store.c     ... in PostgreSQL
 */

#ifndef SHOP_H
#define SHOP_H


#include "shop/at_shop.h"
#include "at_fetch.h"
#include "at_jobs.h"
#include "at_log.h"
#include "at_look.h"
#include "at_metric.h"
#include "at_postgres.h"
#include "at_script.h"
#include "at_shop_key.h"
#include "at_time.h"
#include "at_worker_conf.h"

#include <pthread.h>
#include <string.h>


/* Exit statuses. */
#define SHOP_OK      0
#define SHOP_FAILED  1
#define SHOP_USAGE   2

#define SHOP_GROUP       "shop"
#define SHOP_PAGES_MAX   100
#define SHOP_REQUEST_ID  129

/* Requests that have a share of a shop's day (see at_pace.h). */
#define SHOP_READERS     1
#define SHOP_PROOFS      2


/* NULL: what is wrong was said on standard error. */
at_recipe_t *shop_recipe_read(const char *file);

/* atelier-shop check ... and run ...; an exit status. */
int shop_check(int argc, char **argv);
int shop_run(int argc, char **argv);


typedef struct {
    at_worker_conf_t  base;

    /* [shops], [fetch] */
    at_look_conf_t   look;

    /* [jobs] */
    int64_t          jobs_threads;
    int64_t          jobs_claim_after;
    int64_t          jobs_attempts;

    /* [search] */
    at_conf_list_t   search_query;
    int64_t          search_every;
    int64_t          search_pages;
    int64_t          search_timeout;
    int64_t          search_reader_share;

    /* [verify] */
    int64_t          verify_parallel;
    int64_t          verify_poll;
    int64_t          verify_again;
    int64_t          verify_share;
} shop_settings_t;


/* A query at all shops.  Its counts belong to who holds the run's lock. */
typedef struct shop_search_s  shop_search_t;

struct shop_search_s {
    shop_search_t  *next;
    char            query[AT_SHOP_TEXT_BYTES + 1];
    char            category[AT_SHOP_TEXT_BYTES + 1];
    char            request_id[SHOP_REQUEST_ID];
    unsigned        page;

    int64_t         until;          /* no shop is waited for longer */
    size_t          left;           /* shops that have not answered */
    size_t          uses;
    size_t          pages;          /* shops that answered with one */
    size_t          failed;         /* ... that did not, but may do so soon */
    size_t          products;
    size_t          late;           /* shops that were not waited for */
    size_t          came;           /* ... and had a page then */
    int64_t         keep;           /* what was asked is so until then */
    unsigned        reader:1;       /* asked by somebody who reads */
    unsigned        begun:1;
    unsigned        ended:1;
    unsigned        told:1;         /* its end, to those who wait */
    unsigned        stopped:1;      /* we end; somebody else has to do it */
    unsigned        unstored:1;     /* PostgreSQL was away */
};


/* One run of the threads: from a start or a reload to the next. */
typedef struct {
    at_worker_run_t         worker;
    shop_settings_t         settings;
    at_redis_settings_t     redis;
    at_postgres_settings_t  postgres;
    at_jobs_settings_t      jobs;
    at_look_wire_t          wire;
    at_look_shops_t        *shops;

    pthread_mutex_t         lock;
    pthread_cond_t          ended;      /* a search */
    shop_search_t          *asked;      /* those that are new */
    shop_search_t          *over;       /* those whose late shops are in */
    at_look_t              *look;       /* NULL: nobody works */
    unsigned                closed:1;
} shop_run_t;


/* shop_settings.c; AT_ERROR: error is filled, nothing has to be freed. */
int shop_settings_read(const char *file, shop_settings_t *settings,
    char error[AT_CONF_ERROR_MAX]);
void shop_settings_free(shop_settings_t *settings);

/* "query" or "query | category", in their normal forms; AT_ERROR: neither. */
int shop_settings_query(const char *line, char query[AT_SHOP_TEXT_BYTES + 1],
    char category[AT_SHOP_TEXT_BYTES + 1]);


/* The threads; each runs until the run is told to stop. */
void *shop_jobs_thread(void *run);
void *shop_schedule_thread(void *run);
void *shop_work_thread(void *run);


/*
 * shop_work.c: what the one thread has that asks shops.  shop_work_ask() hands
 * a search to it and waits for its end; the caller's to free after.
 */
typedef struct shop_prove_s  shop_prove_t;

typedef struct {
    shop_run_t     *run;
    at_look_t      *look;
    at_postgres_t  *pg;
    shop_search_t  *searches;       /* under way */
    shop_prove_t   *prove;
} shop_work_t;

void shop_work_ask(shop_run_t *run, shop_search_t *s);

/* A thread that cannot begin waits for memory; 1: we end. */
int shop_work_starved(shop_run_t *run);


/* shop_search.c.  With the lock: */
void shop_search_end(shop_run_t *run, shop_search_t *s);
void shop_search_over(shop_run_t *run, shop_search_t *s);
void shop_search_leave(shop_search_t *s);

/* Without it: asks all shops. */
void shop_search_begin(shop_work_t *w, shop_search_t *s);


/*
 * shop_tell.c.  Those who wait are told by a key and a channel of Redis (see
 * at_shop_key.h).  AT_ERROR: it is away.
 */
int shop_tell_ended(at_redis_t *redis, shop_search_t *s);
void shop_tell_over(at_redis_t *redis, const shop_search_t *s);

/* A search that nobody will do any more may be asked for again. */
void shop_tell_forget(at_redis_t *redis, const shop_search_t *s);


/* shop_prove.c */
shop_prove_t *shop_prove_create(shop_work_t *w);
void shop_prove_free(shop_prove_t *p);
void shop_prove_turn(shop_work_t *w);

/* There may be something to do at that shop. */
void shop_prove_hurry(shop_work_t *w, const at_look_shop_t *shop);


/*
 * shop_store.c.  AT_ERROR: PostgreSQL is away, or has refused it.  sure: it was
 * taken as it was told, and is not to be seen a second time.
 */
#define SHOP_DOUBTED  "doubted"     /* a state of proofs that is tried soon */

int shop_store_seen(shop_work_t *w, at_str_t seen, const char *asked,
    unsigned first, at_str_t request_id, int *sure);
PGresult *shop_store_due(shop_work_t *w, const char *shop, int64_t n);
int shop_store_proved(shop_work_t *w, const char *id, const char *state);
int shop_store_ping(shop_work_t *w);


typedef enum {
    SHOP_JOBS_DONE,
    SHOP_JOBS_RETRIED,
    SHOP_JOBS_DEAD,
    SHOP_JOBS_LOST,
    SHOP_JOBS_RELEASED,
    SHOP_JOBS_RUNNING,
    SHOP_SEARCHES_PAGE,
    SHOP_SEARCHES_FAILED,
    SHOP_SEARCHES_LATE,
    SHOP_SEARCHES_SHARE,
    SHOP_SCHEDULED,
    SHOP_PRODUCTS_NEW,
    SHOP_PRODUCTS_CHANGED,
    SHOP_PRODUCTS_SAME,
    SHOP_PRODUCTS_DOUBTED,
    SHOP_PRODUCTS_OTHER,
    SHOP_PRODUCTS_REFUSED,
    SHOP_PROOFS_GOOD,
    SHOP_PROOFS_PAGE,
    SHOP_PROOFS_PICTURE,
    SHOP_PROOFS_SHARE,
    SHOP_ANNOUNCED,
    SHOP_REDIS_UP,
    SHOP_POSTGRES_UP,
    SHOP_RELOADS,
    SHOP_METRICS
} shop_metric_e;


extern at_metric_t  shop_metrics[SHOP_METRICS];


/* Scripts of this worker (see at_script.h). */
enum {
    SHOP_SCRIPT_SCHEDULE = AT_SCRIPT_WORKER
};


#define shop_count(metric, n)  at_metric_add(&shop_metrics[metric], n)


/* A C string as words of a command. */
static inline at_str_t
shop_word(const char *text)
{
    return (at_str_t) { strlen(text), text };
}


#endif /* SHOP_H */
