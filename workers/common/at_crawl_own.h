/*
 * What the files of at_crawl share; nobody else includes this.
 */

#ifndef AT_CRAWL_OWN_H
#define AT_CRAWL_OWN_H


#include "at_crawl.h"
#include "at_heap.h"
#include "at_robots.h"

#include <stdatomic.h>


#define AT_CRAWL_BUCKETS  1024
#define AT_CRAWL_CLASSES  32
#define AT_CRAWL_LINES    32            /* headers of a policy */


typedef struct at_crawl_task_s    at_crawl_task_t;
typedef struct at_crawl_host_s    at_crawl_host_t;
typedef struct at_crawl_robots_s  at_crawl_robots_t;
typedef struct at_crawl_flight_s  at_crawl_flight_t;


/* Counts of the policies of one name. */
typedef struct {
    char                   name[48];
    atomic_int_least64_t   results[AT_CRAWL_OUTCOMES];
    atomic_int_least64_t   requests;
    atomic_int_least64_t   retries;
    atomic_int_least64_t   redirects;
    atomic_int_least64_t   robots;
    atomic_int_least64_t   walls;
    atomic_int_least64_t   bytes;
    atomic_int_least64_t   us;
    atomic_int_least64_t   waiting;
    atomic_int_least64_t   flying;
    atomic_int_least64_t   gap;         /* us */
} at_crawl_class_t;


/* A job; or a robots.txt that is fetched, then done is NULL. */
struct at_crawl_task_s {
    at_heap_node_t            timer;    /* its next try, or its patience */
    at_crawl_task_t          *prev;
    at_crawl_task_t          *next;
    at_crawl_host_t          *host;
    const at_crawl_policy_t  *policy;
    at_crawl_class_t         *class;
    at_crawl_robots_t        *robots;   /* that is fetched */
    at_crawl_flight_t        *flight;
    char                     *url;
    size_t                    origin;   /* bytes of it before the path */
    char                     *etag;
    char                     *modified;
    char                     *request_id;
    size_t                    enough;
    int64_t                   until;    /* its patience; 0: no bound */
    int64_t                   since;    /* it has waited */
    int64_t                   waited;
    at_crawl_done_pt          done;
    void                     *data;
    unsigned                  tries;
    unsigned                  hops;
    unsigned                  kind;
    unsigned                  share;
    at_crawl_outcome_e        outcome;  /* of the last try */
    long                      status;
    unsigned                  urgent:1;
    unsigned                  queued:1;
    unsigned                  resting:1; /* its timer is its next try */
    unsigned                  spared:1; /* its kind has had its share */
};


typedef struct {
    at_crawl_task_t          *first;
    at_crawl_task_t          *last;
} at_crawl_queue_t;


typedef enum {
    AT_CRAWL_ROBOTS_UNKNOWN,
    AT_CRAWL_ROBOTS_ASKED,
    AT_CRAWL_ROBOTS_KNOWN,
    AT_CRAWL_ROBOTS_AWAY
} at_crawl_robots_e;


/* The robots.txt of one origin. */
struct at_crawl_robots_s {
    at_crawl_robots_t        *next;
    at_crawl_host_t          *host;
    at_crawl_robots_e         state;
    int64_t                   until;
    at_robots_t               rules;
    at_crawl_outcome_e        outcome;  /* if away */
    long                      status;
    size_t                    len;
    char                      origin[];
};


struct at_crawl_host_s {
    at_heap_node_t            timer;    /* when to look at it */
    at_crawl_host_t          *next;     /* in its bucket */
    at_crawl_queue_t          queues[2];    /* urgent, and not */
    at_crawl_robots_t        *robots;
    at_pace_host_t            pace;
    int64_t                   delay;    /* us, by robots.txt */
    size_t                    tasks;    /* that name it */
    unsigned                  told:1;   /* logged: robots are ignored */
    size_t                    len;
    char                      name[];
};


struct at_crawl_flight_s {
    at_fetch_call_t           call;
    at_fetch_head_t           head;
    at_crawl_t               *crawl;
    at_crawl_task_t          *task;
    at_crawl_host_t          *host;     /* a redirect moves the task */
    at_crawl_flight_t        *prev;
    at_crawl_flight_t        *next;
    at_pace_ticket_t          ticket;
    at_pace_rule_t            rule;
    size_t                    proxy;
    char                      through[AT_FETCH_ADDRESS_MAX];
    const char               *lines[AT_CRAWL_LINES + 3];
    char                      text[3][300];
    unsigned                  lapsed:1;
};


typedef struct {
    int64_t                   until;    /* it rests */
    int64_t                   pause;
} at_crawl_proxy_t;


struct at_crawl_s {
    const at_crawl_settings_t  *settings;
    at_fetch_t                 *fetch;
    at_pace_settings_t          pacing;
    at_pace_t                  *pace;
    at_str_t                    agent;
    at_heap_t                   timers;     /* of tasks */
    at_heap_t                   due;        /* of hosts */
    at_crawl_host_t            *buckets[AT_CRAWL_BUCKETS];
    size_t                      hosts;
    at_crawl_flight_t          *flights;
    size_t                      flying;
    size_t                      tasks;      /* but for robots.txt */
    size_t                      alive;      /* all of them */
    at_crawl_proxy_t           *proxies;
    size_t                      proxy;      /* turns */
    size_t                      user_agent;
    uint32_t                    random;
    unsigned                    draining:1;
    atomic_int                  resting;    /* proxies */
    atomic_int                  shared;
    atomic_size_t               nclasses;
    at_crawl_class_t            classes[AT_CRAWL_CLASSES];
};


/* at_crawl_task.c: jobs, hosts and their queues. */

/* The URL in libcurl's spelling; AT_ERROR with why, or AT_NO_MEMORY. */
int at_crawl_url(at_str_t url, char **out, size_t *origin, const char **why);
at_crawl_task_t *at_crawl_task(at_crawl_t *c, const at_crawl_job_t *job,
    char *url, size_t origin);
void at_crawl_task_free(at_crawl_t *c, at_crawl_task_t *t);

/* Gives it another URL, which is its to free from then on. */
int at_crawl_task_move(at_crawl_t *c, at_crawl_task_t *t, char *url,
    size_t origin);
int at_crawl_queue(at_crawl_t *c, at_crawl_task_t *t, int front);
void at_crawl_unqueue(at_crawl_t *c, at_crawl_task_t *t);
at_crawl_task_t *at_crawl_head(const at_crawl_host_t *h);
at_str_t at_crawl_name(const char *url, size_t origin);

/* Looks at it at that time, in ms, or when it did before if that is sooner. */
void at_crawl_look(at_crawl_t *c, at_crawl_host_t *h, int64_t at);

/* at_crawl_call.c: one try of a task. */

/* AT_NO_MEMORY: the task is still queued. */
int at_crawl_start(at_crawl_t *c, at_crawl_task_t *t,
    const at_pace_ticket_t *ticket, size_t proxy);

/* The try is over; frees it, and the task if it has been answered. */
void at_crawl_ended(at_crawl_t *c, at_crawl_flight_t *f);
at_pace_rule_t at_crawl_rule(const at_crawl_task_t *t);

/* at_crawl.c: answers a task that is not in flight, and frees it. */
void at_crawl_answer(at_crawl_t *c, at_crawl_task_t *t,
    at_crawl_outcome_e outcome, long status, const char *why, int64_t later);

/* Counts and tells the result, whose data is filled in. */
at_crawl_verdict_e at_crawl_tell(at_crawl_task_t *t, at_crawl_result_t *r);

/* at_crawl_robots.c */

typedef enum {
    AT_CRAWL_MAY,
    AT_CRAWL_MAY_NOT,           /* the task has been answered */
    AT_CRAWL_ASK                /* robots.txt is not known yet */
} at_crawl_may_e;

at_crawl_may_e at_crawl_may(at_crawl_t *c, at_crawl_task_t *t);
void at_crawl_robots_done(at_crawl_t *c, at_crawl_task_t *t,
    at_crawl_outcome_e outcome, long status, at_str_t body);
int at_crawl_robots_asked(const at_crawl_host_t *h);
void at_crawl_robots_free(at_crawl_host_t *h);

/* at_crawl_proxy.c */

/* AT_ERROR: all of them rest, until then. */
int at_crawl_proxy_pick(at_crawl_t *c, size_t *i, int64_t *until);
void at_crawl_proxy_failed(at_crawl_t *c, size_t i, const char *why);
void at_crawl_proxy_good(at_crawl_t *c, size_t i);

/* at_crawl_metric.c */
at_crawl_class_t *at_crawl_class(at_crawl_t *c, const char *name);

uint32_t at_crawl_random(at_crawl_t *c);


static inline void
at_crawl_count(atomic_int_least64_t *n, int64_t by)
{
    (void) atomic_fetch_add_explicit(n, by, memory_order_relaxed);
}


#endif /* AT_CRAWL_OWN_H */
