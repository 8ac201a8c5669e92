/*
 * Pages of strangers' shops, fetched politely: a queue of jobs over at_fetch.
 *
 * A job waits in the queue of its host until the host may be asked (at_pace.h)
 * and its robots.txt, fetched in the same way, allows it.  It is tried again
 * after failures that may pass; redirects are jobs of their own that keep to
 * the same rules, and go no further than the hosts of the policy.  Hosts take
 * turns.  A job that waits is memory and a place in a heap, nothing more.
 *
 * One thread uses one at_crawl_t; at_crawl_wake() and at_crawl_metrics() may
 * be called by any.  Every job that was added is answered by its function,
 * which may add others; the result is there while it runs.
 */

#ifndef AT_CRAWL_H
#define AT_CRAWL_H


#include "at_fetch.h"
#include "at_pace.h"


typedef struct at_crawl_policy_s  at_crawl_policy_t;


/* How the hosts of a shop are to be treated.  Outlives its jobs. */
struct at_crawl_policy_s {
    const char         *name;           /* in logs and metrics */
    int64_t             gap;            /* ms between requests to a host */
    unsigned            concurrency;    /* in flight at a host */
    int64_t             daily;          /* requests to it; 0: any number */
    const char *const  *hosts;          /* "www.shop.in", "*.shop.in" */
    size_t              nhosts;         /* 0: redirects stay on the host */
    const char *const  *headers;        /* "Accept: text/html" */
    size_t              nheaders;
    unsigned            ignore_robots:1;

    /* or NULL; 1: this answer, whatever its status, is a wall */
    int               (*is_wall)(const at_crawl_policy_t *policy,
                                 long status, at_str_t body);
};


typedef struct {
    at_fetch_settings_t   fetch;        /* without redirects and per_host */
    at_pace_settings_t    pace;         /* what is 0 is chosen */
    const char           *agent;        /* in robots.txt; NULL: as user_agent */
    const char *const    *user_agents;  /* in turn, instead of that of fetch */
    size_t                nuser_agents;
    const char *const    *proxies;      /* URLs; in turn */
    size_t                nproxies;
    unsigned              retries;
    int64_t               backoff;      /* ms, most before the first of them */
    unsigned              redirects;
    unsigned              proxy_resolves:1; /* names are left to the proxy */
} at_crawl_settings_t;


typedef enum {
    AT_CRAWL_PAGE,              /* 2xx, and all of it is there */
    AT_CRAWL_SAME,              /* 304: as it was */
    AT_CRAWL_STATUS,            /* another status */
    AT_CRAWL_MOVED,             /* to another host, see location */
    AT_CRAWL_DISALLOWED,        /* by robots.txt */
    AT_CRAWL_WALL,              /* this answer, or one before it */
    AT_CRAWL_SPENT,             /* what the host may be asked in a day */
    AT_CRAWL_LATE,              /* its patience was over before its turn */
    AT_CRAWL_TRUNCATED,
    AT_CRAWL_LARGE,
    AT_CRAWL_REFUSED,           /* the URL or an address it led to */
    AT_CRAWL_TIMEOUT,
    AT_CRAWL_FAILED,            /* name, connection, TLS, proxy */
    AT_CRAWL_STOPPED
} at_crawl_outcome_e;

#define AT_CRAWL_OUTCOMES  14


/* What the function of a job makes of the result. */
typedef enum {
    AT_CRAWL_FINE,
    AT_CRAWL_IS_WALL,           /* close the host for a while */
    AT_CRAWL_AGAIN              /* it is tried and answered once more */
} at_crawl_verdict_e;


typedef struct {
    at_crawl_outcome_e   outcome;
    long                 status;        /* 0: no answer */
    at_str_t             url;           /* the last one that was asked */
    at_str_t             body;
    const char          *location;      /* if moved */
    const char          *etag;          /* these are "" if not said */
    const char          *modified;
    const char          *type;
    const char          *why;
    int64_t              later;         /* ms; not before; 0: not said */
    int64_t              wire;          /* bytes */
    int64_t              waited;        /* ms, in queues */
    int64_t              first;         /* us to the first byte, last try */
    int64_t              total;         /* us to the last one */
    unsigned             tries;
    unsigned             hops;
    unsigned             last:1;        /* no tries are left */
    unsigned             share:1;       /* spent by its kind, not by all */
    void                *data;
} at_crawl_result_t;


typedef at_crawl_verdict_e (*at_crawl_done_pt)(const at_crawl_result_t *r);


/* What is given is copied, but for the policy. */
typedef struct {
    at_str_t                  url;
    const at_crawl_policy_t  *policy;
    const char               *etag;         /* of what one has, or NULL */
    const char               *modified;
    at_str_t                  request_id;
    size_t                    enough;       /* bytes of the body; 0: all */
    int64_t                   patience;     /* ms until it is begun; 0: any */
    unsigned                  kind;         /* see at_pace.h; 0: any number */
    unsigned                  share;        /* per cent of the day's requests
                                               that are for its kind */
    unsigned                  urgent:1;     /* before others of its host */
    at_crawl_done_pt          done;
    void                     *data;
} at_crawl_job_t;


typedef struct at_crawl_s  at_crawl_t;


/* settings must outlive it.  NULL: no memory. */
at_crawl_t *at_crawl_create(const at_crawl_settings_t *settings);

/* Jobs that are left are answered as stopped. */
void at_crawl_free(at_crawl_t *c);

/* AT_ERROR: the URL is none, see why; AT_NO_MEMORY.  It is not answered. */
int at_crawl_add(at_crawl_t *c, const at_crawl_job_t *job, const char **why);

/*
 * Does what there is to do, and waits at most so many ms for more, or for a
 * descriptor unless it is -1.  Returns the number of jobs that are left.
 */
size_t at_crawl_turn(at_crawl_t *c, int64_t ms, int fd);
void at_crawl_wake(at_crawl_t *c);

/* Those in flight end, for so many ms at most; all others are stopped. */
void at_crawl_drain(at_crawl_t *c, int64_t ms);

size_t at_crawl_waiting(const at_crawl_t *c);

/* Series by policy, in the text format of Prometheus. */
int at_crawl_metrics(at_crawl_t *c, at_buf_t *b);

const char *at_crawl_outcome_name(at_crawl_outcome_e outcome);


#endif /* AT_CRAWL_H */
