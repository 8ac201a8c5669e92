/*
 * What the files of atelier-relay share: settings, the process, metrics, and
 * what each of its threads does.
 *
 *     relay_main.c      the process
 *     relay_settings.c  its settings
 *     relay_work.c      a thread that takes rows of the outbox
 *     relay_send.c      ... and brings them to Redis
 *     relay_rest.c      ... and sleeps, when it may
 *     relay_watch.c     a thread that counts what waits and removes what is
 *                       too old to be sent again
 *     relay_metrics.c   metrics
 *
 * Of any number of these processes one is active: the one whose connection
 * holds a lock in PostgreSQL.  For a moment there may be two, when a
 * connection ends that its process believes in: all that is done in Redis and
 * PostgreSQL stands that.
 */

#ifndef RELAY_H
#define RELAY_H


#include "at_log.h"
#include "at_metric.h"
#include "at_postgres.h"
#include "at_redis.h"
#include "at_script.h"
#include "at_time.h"
#include "at_worker_conf.h"


#define RELAY_KEY      "atelier:live:"          /* and the channel's name */
#define RELAY_RUN      "atelier:live-run"       /* the run of Redis whose
                                                   streams are all there */
#define RELAY_BATCH    10000                    /* rows at most */
#define RELAY_REFUSED  64                       /* channels */


typedef struct {
    at_worker_conf_t  base;

    /* [relay] */
    int64_t   batch;
    int64_t   poll;

    /* [messages] */
    int64_t   keep;
    int64_t   purge_every;
} relay_settings_t;


/* One run of the threads; the first member is what at_worker.c knows. */
typedef struct {
    at_worker_run_t         worker;
    relay_settings_t        settings;
    at_redis_settings_t     redis;
    at_postgres_settings_t  postgres;
} relay_run_t;


typedef enum {
    RELAY_WAITS,                /* for Redis, or for those before it */
    RELAY_DONE,                 /* Redis has it */
    RELAY_REFUSES               /* Redis does not take it */
} relay_state_e;


/* A row of the outbox; the texts are those of the result it came in. */
typedef struct {
    at_str_t        seq;
    at_str_t        channel;
    at_str_t        id;
    at_str_t        data;
    relay_state_e   state;
    unsigned        force:1;    /* though there is a gap before it */
} relay_row_t;


/* A channel that Redis refuses; what is new there waits until next. */
typedef struct {
    char     *channel;
    int64_t   next;
} relay_refused_t;


/* What the thread that relays has. */
typedef struct {
    relay_run_t      *run;
    at_redis_t       *redis;
    at_postgres_t    *postgres;
    uint64_t          held;     /* the connection that has the lock, or 0 */
    uint64_t          sound;    /* ... of Redis whose streams are */
    relay_row_t      *rows;
    size_t            nrows;
    size_t            batch;    /* rows of the next one; fewer when Redis is
                                   too slow for more */
    relay_refused_t   refused[RELAY_REFUSED];
    size_t            nrefused;
    int64_t           last;     /* when there was a row */
    int64_t           nap;      /* ms */
    unsigned          rush;     /* rows that came close together */
    unsigned          looks:1;  /* all the time, and has said so */
    unsigned          settles:1;        /* some may rely on that yet */
    int64_t           pause;    /* until then Redis takes nothing */
    unsigned          away:1;   /* Redis, when last asked */
    unsigned          refuses:1;        /* ... it answers, but takes nothing */
    unsigned          woken:1;  /* by a notification */
    unsigned          told:1;   /* logged that another one is active */
} relay_t;


typedef enum {
    RELAY_ACTIVE,
    RELAY_PENDING,
    RELAY_OLDEST,
    RELAY_PUBLISHED,
    RELAY_REPEATED,
    RELAY_REFUSALS,
    RELAY_REFUSED_CHANNELS,
    RELAY_BATCHES,
    RELAY_PURGED,
    RELAY_REDIS_UP,
    RELAY_POSTGRES_UP,
    RELAY_RELOADS,
    RELAY_METRICS
} relay_metric_e;


extern at_metric_t  relay_metrics[RELAY_METRICS];


#define relay_count(metric, n)  at_metric_add(&relay_metrics[metric], n)
#define relay_set(metric, n)    at_metric_set(&relay_metrics[metric], n)


enum {
    RELAY_SCRIPT_PUBLISH = AT_SCRIPT_WORKER,
    RELAY_SCRIPT_SOUND
};


/* relay_settings.c; AT_ERROR: error is filled, nothing has to be freed. */
int relay_settings_read(const char *file, relay_settings_t *settings,
    char error[AT_CONF_ERROR_MAX]);
void relay_settings_free(relay_settings_t *settings);


/* relay_work.c: on the connection of the lock. */
PGresult *relay_ask(relay_t *t, const at_postgres_statement_t *statement,
    const char *const *params);


/* relay_rest.c: with a new lock, before a look, after rows, and for how long
   to sleep, in ms. */
void relay_rest_begin(relay_t *t);
void relay_rest(relay_t *t);
void relay_rest_seen(relay_t *t);
int64_t relay_rest_wait(const relay_t *t);


/* The threads; each runs until run->worker.stop is raised. */
void *relay_work_thread(void *run);
void *relay_watch_thread(void *run);


/*
 * relay_send.c: brings t->rows to Redis; each has its state afterwards.
 * AT_ERROR: Redis is away.
 */
int relay_send(relay_t *t);

/* The channels that are not to be asked for now, as text[] in SQL. */
int relay_refused_text(relay_t *t, at_buf_t *b);
void relay_refused_free(relay_t *t);


#endif /* RELAY_H */
