/*
 * The shared memory of all workers: counters, histograms, limits.
 *
 * Counters are lock-free atomics.  What must change together (the windows of
 * a limit) is guarded by the slab pool's mutex, which core releases when its
 * holder dies.  The zone is kept over a reload: a provider's slot is found
 * again by its name, so counts and limits go on.
 */

#ifndef NGX_HTTP_ATELIER_ZONE_H
#define NGX_HTTP_ATELIER_ZONE_H


#include "ngx_http_atelier.h"
#include "ngx_http_atelier_redis_stats.h"
#include "ngx_http_atelier_socket_zone.h"
#include "at_breaker.h"
#include "at_telemetry.h"


#define NGX_HTTP_ATELIER_NAME_MAX   32
#define NGX_HTTP_ATELIER_RATES_MAX  4      /* limits of one provider */
#define NGX_HTTP_ATELIER_BUCKETS    14     /* upper bounds of histograms */
#define NGX_HTTP_ATELIER_LATENCIES  100
#define NGX_HTTP_ATELIER_WORKERS_MAX  64   /* with gauges of their own */
#define NGX_HTTP_ATELIER_PERMITS_MAX    16 /* calls at once, if bounded */
#define NGX_HTTP_ATELIER_FEED_OUTCOMES  8  /* at_feed_outcome_e, and room */


/* What became of a generation, and of one provider's part in it. */
#define NGX_HTTP_ATELIER_RESULTS(X)                                           \
    X(DONE,         "done")                                                   \
    X(REFUSED,      "invalid")         /* 4xx: the client's request */        \
    X(MODERATED,    "moderated")                                              \
    X(UNAVAILABLE,  "unavailable")     /* 503 */                              \
    X(REJECTED,     "rejected")        /* 502: no provider would take it */   \
    X(STORAGE,      "storage")         /* 503: the picture was not stored */  \
    X(ABORTED,      "aborted")         /* the client left */                  \
    X(FAILED,       "failed")          /* 500 */                              \
    X(QUEUED,       "queued")          /* 202 */                              \
    X(CACHED,       "cached")          /* an earlier one, by its seed */      \
    X(SHARED,       "shared")          /* of an equal one beside it */        \
    X(REPLAYED,     "replayed")        /* by its Idempotency-Key */

#define NGX_HTTP_ATELIER_OUTCOMES(X)                                          \
    X(WON,           "won")                                                   \
    X(LOST,          "lost")           /* a 2xx, whole, but too late */       \
    X(LIMITED,       "limited")        /* not asked: its limit or pause */    \
    X(OPEN,          "open")           /* not asked: its breaker is open */   \
    X(UNASKED,       "unasked")        /* another one was enough */           \
    X(RATE_LIMITED,  "rate_limited")                                          \
    X(MODERATED,     "moderated")                                             \
    X(INVALID,       "invalid")                                               \
    X(CREDENTIAL,    "credential")                                            \
    X(TRANSIENT,     "transient")                                             \
    X(DEADLINE,      "deadline")                                              \
    X(CANCELLED,     "cancelled")

typedef enum {
#define X(name, text)  NGX_HTTP_ATELIER_RESULT_##name,
    NGX_HTTP_ATELIER_RESULTS(X)
#undef X
    NGX_HTTP_ATELIER_NRESULTS
} ngx_http_atelier_result_e;

typedef enum {
#define X(name, text)  NGX_HTTP_ATELIER_OUTCOME_##name,
    NGX_HTTP_ATELIER_OUTCOMES(X)
#undef X
    NGX_HTTP_ATELIER_NOUTCOMES
} ngx_http_atelier_outcome_e;


/* A limit as configured: so many calls in any window of so many ms. */
typedef struct {
    ngx_uint_t                       calls;
    ngx_msec_t                       period;
} ngx_http_atelier_rate_t;


typedef struct {
    ngx_atomic_t                     buckets[NGX_HTTP_ATELIER_BUCKETS + 1];
    ngx_atomic_t                     sum;          /* ms */
} ngx_http_atelier_histogram_t;


/* What browsers have measured; times are the measures before the shifts. */
typedef struct {
    ngx_atomic_t                     batches;
    ngx_atomic_t                     refused;
    ngx_atomic_t                     passed_over;  /* measures */
    ngx_atomic_t                     hits;
    ngx_atomic_t                     misses;
    ngx_atomic_t                     pages;        /* that told of shifts */
    ngx_atomic_t                     shifted;      /* thousandths, in all */
    ngx_http_atelier_histogram_t     times[AT_TELEMETRY_CLS];
} ngx_http_atelier_telemetry_shared_t;


/*
 * A ring of the times of the last calls; guarded by the pool's mutex.  There
 * is one for each period, in which workers of the old and of the new
 * configuration count, each by the rate of its own.
 */
typedef struct ngx_http_atelier_window_s  ngx_http_atelier_window_t;

struct ngx_http_atelier_window_s {
    ngx_http_atelier_window_t       *next;
    ngx_http_atelier_window_t       *moved;        /* a larger one: use that */
    ngx_msec_t                       period;
    ngx_uint_t                       epoch;        /* that last used it */
    ngx_uint_t                       capacity;
    ngx_uint_t                       first;        /* the oldest call's slot */
    ngx_uint_t                       count;
    ngx_msec_t                       at[1];        /* capacity of them */
};


/* The latencies of the last pictures, for the delay of a hedge; likewise. */
typedef struct {
    ngx_uint_t                       count;
    uint32_t                         ms[NGX_HTTP_ATELIER_LATENCIES];
} ngx_http_atelier_latencies_t;


/*
 * What the answers of a source said of its limit: so many calls are left
 * until then; under the pool's mutex.
 */
typedef struct {
    ngx_msec_t                       until;        /* 0: nothing said */
    ngx_msec_t                       window;       /* ms; 0: not said */
    ngx_int_t                        limit;        /* -1: not said */
    ngx_int_t                        left;
} ngx_http_atelier_quota_t;


/*
 * A call under way, where only so many may be at once; under the pool's mutex.
 * It ends with its process or its time.
 */
typedef struct {
    ngx_pid_t                        pid;          /* 0: free */
    ngx_msec_t                       until;
} ngx_http_atelier_permit_t;


/* What this node knows of limits that it shares; see ..._joint.h. */
typedef struct ngx_http_atelier_joint_s  ngx_http_atelier_joint_t;

typedef struct {
    u_char                           name[16];     /* in hex; 0: not yet */
    ngx_uint_t                       known;        /* Redis has answered */
    ngx_uint_t                       forgotten;    /* it lost us: tell all */
    ngx_msec_t                       answered;     /* the last time, or when
                                                      the zone was made */
    ngx_msec_t                       marked;       /* ... with marks */
    ngx_uint_t                       token;        /* of the last question */
    ngx_msec_t                       locked;       /* one is out until then,
                                                      0: none */
} ngx_http_atelier_joint_node_t;


typedef struct ngx_http_atelier_slot_s  ngx_http_atelier_slot_t;

/* What all workers know of a provider; never freed. */
struct ngx_http_atelier_slot_s {
    ngx_http_atelier_slot_t         *next;
    ngx_http_atelier_window_t       *windows;      /* past ones included */
    ngx_http_atelier_joint_t        *shares;       /* likewise */
    ngx_uint_t                       epoch;        /* configurations so far */
    ngx_msec_t                       not_before;   /* under the mutex */
    ngx_msec_t                       tell;         /* a pause until then
                                                      to tell the others,
                                                      0: none */
    ngx_msec_t                       told;         /* ... being told */
    at_breaker_t                     breaker;      /* likewise */
    ngx_uint_t                       disabled;     /* epochs up to this one:
                                                      useless as configured */
    ngx_http_atelier_latencies_t     latencies;
    ngx_http_atelier_quota_t         quota;
    ngx_http_atelier_permit_t        permits[NGX_HTTP_ATELIER_PERMITS_MAX];
    ngx_atomic_t                     feed[NGX_HTTP_ATELIER_FEED_OUTCOMES];
    ngx_atomic_t                     kept;         /* answers used again */
    ngx_atomic_t                     calls;        /* requests on the wire */
    ngx_atomic_t                     cancels;      /* of jobs, told to it */
    ngx_atomic_t                     outcomes[NGX_HTTP_ATELIER_NOUTCOMES];
    ngx_http_atelier_histogram_t     latency;      /* of good pictures */
    size_t                           name_len;
    u_char                           name[NGX_HTTP_ATELIER_NAME_MAX];
};


/* What the workers did with PostgreSQL together, */
typedef struct {
    ngx_atomic_t                     queries;
    ngx_atomic_t                     errors;
    ngx_atomic_t                     timeouts;
    ngx_atomic_t                     refused;
} ngx_http_atelier_postgres_counters_t;

/* and what one has now; only it writes there, so its death leaves no sum. */
typedef struct {
    ngx_atomic_t                     connections;
    ngx_atomic_t                     pending;
} ngx_http_atelier_postgres_gauges_t;


typedef struct {
    uint32_t                         magic;
    uint32_t                         version;
    size_t                           size;         /* of this struct */
    ngx_http_atelier_slot_t         *slots;
    ngx_atomic_t                     results[NGX_HTTP_ATELIER_NRESULTS];
    ngx_atomic_t                     attempts[NGX_HTTP_ATELIER_NRESULTS];
    ngx_atomic_t                     unrecorded;   /* done, without a row */
    ngx_http_atelier_histogram_t     duration;     /* of results "done" */
    ngx_atomic_t                     hedge_credit; /* tenths of a call */
    ngx_atomic_t                     hedges;
    ngx_atomic_t                     pictures;
    ngx_atomic_t                     picture_bytes;
    ngx_atomic_t                     swept;        /* files of pictures */
    ngx_atomic_t                     sweep_at;     /* ngx_msec_t: the next */
    ngx_atomic_t                     storage_failed;    /* in a row */
    ngx_atomic_t                     storage_failed_at; /* ngx_msec_t */
    ngx_http_atelier_postgres_counters_t  postgres;
    ngx_http_atelier_postgres_gauges_t
                             postgres_gauges[NGX_HTTP_ATELIER_WORKERS_MAX];
    ngx_http_atelier_redis_stats_t   redis;
    ngx_http_atelier_joint_node_t    share;        /* under the mutex */
    ngx_http_atelier_socket_shared_t  sockets;
    ngx_http_atelier_telemetry_shared_t  telemetry;
} ngx_http_atelier_shared_t;


struct ngx_http_atelier_zone_s {
    ngx_shm_zone_t                  *shm;
    ngx_slab_pool_t                 *pool;
    ngx_http_atelier_shared_t       *sh;
    ngx_http_atelier_main_conf_t    *conf;
};


extern const char  *ngx_http_atelier_result_names[];
extern const char  *ngx_http_atelier_outcome_names[];
extern const ngx_uint_t
    ngx_http_atelier_bucket_ms[NGX_HTTP_ATELIER_BUCKETS];


/* atelier_zone name size; */
char *ngx_http_atelier_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

void ngx_http_atelier_observe(ngx_http_atelier_histogram_t *h, ngx_msec_t ms);

static ngx_inline void
ngx_http_atelier_count(ngx_atomic_t *counter, ngx_uint_t n)
{
    (void) ngx_atomic_fetch_add(counter, n);
}


#endif /* NGX_HTTP_ATELIER_ZONE_H */
