/*
 * What the files of the module share: its configuration, its request context
 * and the small helpers every endpoint needs.
 *
 * An endpoint (generate, metrics, health) knows mechanisms (fanout, limit,
 * zone, pictures); a mechanism knows no endpoint.  Each mechanism has its own
 * header.  Configuration lives in the cycle's pool; a context lives in its
 * request's pool.
 */

#ifndef NGX_HTTP_ATELIER_H
#define NGX_HTTP_ATELIER_H


#include "compat.h"
#include "at.h"
#include "feed/at_feed.h"


#define NGX_HTTP_ATELIER_VERSION  "0.1.0"


typedef struct ngx_http_atelier_zone_s      ngx_http_atelier_zone_t;
typedef struct ngx_http_atelier_cache_s     ngx_http_atelier_cache_t;
typedef struct ngx_http_atelier_pictures_s  ngx_http_atelier_pictures_t;
typedef struct ngx_http_atelier_provider_s  ngx_http_atelier_provider_t;
typedef struct ngx_http_atelier_party_s     ngx_http_atelier_party_t;
typedef struct ngx_http_atelier_source_s    ngx_http_atelier_source_t;
typedef struct ngx_http_atelier_egress_s    ngx_http_atelier_egress_t;
typedef struct ngx_http_atelier_operator_s  ngx_http_atelier_operator_t;
typedef struct ngx_http_atelier_postgres_conf_s
    ngx_http_atelier_postgres_conf_t;
typedef struct ngx_http_atelier_redis_s     ngx_http_atelier_redis_t;
typedef struct ngx_http_atelier_limits_s    ngx_http_atelier_limits_t;
typedef struct ngx_http_atelier_live_s      ngx_http_atelier_live_t;
typedef struct ngx_http_atelier_products_s  ngx_http_atelier_products_t;


/* Where a directive stands, to name it in errors found after parsing. */
typedef struct {
    ngx_str_t    file;
    ngx_uint_t   line;
} ngx_http_atelier_place_t;


typedef struct {
    ngx_http_atelier_zone_t      *zone;          /* atelier_zone */
    ngx_http_atelier_cache_t     *cache;         /* atelier_cache */
    ngx_http_atelier_pictures_t  *pictures;      /* atelier_pictures */
    ngx_http_atelier_egress_t    *egress;        /* atelier_egress */
    ngx_http_atelier_postgres_conf_t  *postgres; /* atelier_postgres */
    ngx_http_atelier_redis_t     *redis;         /* atelier_redis */
    ngx_http_atelier_limits_t    *limits;        /* atelier_limits scope=shared,
                                                    else NULL */
    ngx_array_t                   providers;     /* of pointers, by priority
                                                    from postconfiguration */
    ngx_http_atelier_source_t    *sources[AT_FEED_SOURCES];  /* or NULL */
    ngx_msec_t                    feed_fresh;    /* of atelier_designs */
    ngx_msec_t                    feed_stale;
    ngx_str_t                     feed_path;
    ngx_str_t                     feed_control;  /* Cache-Control */
    ngx_http_atelier_products_t  *products;      /* atelier_products */
    ngx_int_t                     request_id;    /* index of $request_id */
    ngx_msec_t                    sockets_drain; /* the longest */
    unsigned                      sockets:1;     /* there may be some */
} ngx_http_atelier_main_conf_t;


typedef enum {
    NGX_HTTP_ATELIER_NONE = 0,
    NGX_HTTP_ATELIER_GENERATE,
    NGX_HTTP_ATELIER_ATTEMPT,
    NGX_HTTP_ATELIER_CANCEL,
    NGX_HTTP_ATELIER_METRICS,
    NGX_HTTP_ATELIER_TELEMETRY,
    NGX_HTTP_ATELIER_HEALTH_LIVE,
    NGX_HTTP_ATELIER_DESIGNS,
    NGX_HTTP_ATELIER_FILL,
    NGX_HTTP_ATELIER_PRODUCTS,
    NGX_HTTP_ATELIER_LIVE,
    NGX_HTTP_ATELIER_INVALIDATE,
    NGX_HTTP_ATELIER_SCRAPE,
    NGX_HTTP_ATELIER_PUBLISH,
    NGX_HTTP_ATELIER_HEALTH_READY
} ngx_http_atelier_endpoint_e;


typedef enum {
    NGX_HTTP_ATELIER_RACE = 0,                   /* all at once */
    NGX_HTTP_ATELIER_HEDGE,                      /* the next if one is slow */
    NGX_HTTP_ATELIER_FAILOVER                    /* the next if one failed */
} ngx_http_atelier_strategy_e;


/*
 * An endpoint belongs to its own location; only the nameless locations of
 * "if" and "limit_except" inside it share all of it.  Visitor and operator
 * are handed down as usual.
 */
typedef struct {
    ngx_http_atelier_endpoint_e   endpoint;
    ngx_http_handler_pt           handler;
    ngx_http_atelier_place_t      place;
    ngx_http_complex_value_t     *visitor;       /* atelier_visitor */
    ngx_http_atelier_operator_t  *operator;      /* atelier_operator */
    ngx_http_atelier_live_t      *live;          /* atelier_live */
    ngx_flag_t                    live_echo;     /* atelier_live_echo */

    /* Of atelier_generate and atelier_attempt: */
    ngx_http_atelier_strategy_e   strategy;
    ngx_msec_t                    hedge_min;     /* bounds of the delay */
    ngx_msec_t                    hedge_max;
    ngx_uint_t                    max_in_flight; /* 0: no bound */
    ngx_uint_t                   *in_flight;     /* this worker's, now */
    unsigned                      queue:1;       /* if there is PostgreSQL */
    unsigned                      queue_asked:1; /* it stands there: on */
} ngx_http_atelier_loc_conf_t;


/* Context of a main request in one of our locations. */
typedef struct {
    ngx_str_t                     request_id;    /* empty until asked for */
    ngx_str_t                     cache_control; /* empty: no-store */
    ngx_str_t                     random;        /* $atelier_random */
    ngx_str_t                     provider;      /* $atelier_provider */
    ngx_str_t                     jobs;          /* $atelier_job */
    ngx_str_t                     cache_status;  /* $atelier_cache_status */
    ngx_str_t                     problem;       /* body that replaces a core
                                                    error page */
    ngx_int_t                   (*send)(ngx_http_request_t *r,
                                        ngx_uint_t status, at_str_t text);
                                                 /* not NULL: the header has
                                                    been sent, this does the
                                                    rest of _send() */
    void                         *generate;      /* the endpoints' own */
    void                         *cancel;
    void                         *fill;
    void                         *download;
    void                         *socket;        /* until it is let go */
    void                         *command;
    unsigned                      answered:1;    /* the answer is our own */
    unsigned                      problem_sent:1;
} ngx_http_atelier_ctx_t;


extern ngx_module_t  ngx_http_atelier_module;
extern ngx_module_t  ngx_http_atelier_filter_module;


/* Created on first use; NULL without memory. */
ngx_http_atelier_ctx_t *ngx_http_atelier_get_ctx(ngx_http_request_t *r);

/*
 * The id of the request: the client's X-Request-ID if it is 1 to 128 of
 * [A-Za-z0-9._-], else nginx's $request_id.
 */
ngx_str_t *ngx_http_atelier_request_id(ngx_http_request_t *r);

/* The value of the first header with this lower-case name, or NULL. */
ngx_str_t *ngx_http_atelier_find_header(ngx_list_t *headers, const char *name);

/* Adds a response header; value must live as long as the request. */
ngx_int_t ngx_http_atelier_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * Answers with a body copied from text: X-Request-ID, Content-Length and
 * Cache-Control (the context's, or no-store) are set here.  Returns what the
 * caller hands to ngx_http_finalize_request().
 */
ngx_int_t ngx_http_atelier_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, at_str_t text);

/* The first part of it, by itself; length is -1 if it is not known. */
ngx_int_t ngx_http_atelier_send_header(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, off_t length);

/* Refuses all but the methods in the mask with a 405 problem and Allow. */
ngx_int_t ngx_http_atelier_allow(ngx_http_request_t *r, ngx_uint_t methods,
    const char *allow);

void ngx_http_atelier_here(ngx_conf_t *cf, ngx_http_atelier_place_t *place);

/* Bridges between the two kinds of counted strings; nothing is copied. */
static ngx_inline at_str_t
ngx_http_atelier_str(ngx_str_t *s)
{
    return (at_str_t) { s->len, (const char *) s->data };
}


static ngx_inline ngx_str_t
ngx_http_atelier_ngx_str(at_str_t s)
{
    return (ngx_str_t) { s.len, (u_char *) s.data };
}


/* Makes the location an endpoint; the errors of its directive. */
char *ngx_http_atelier_endpoint(ngx_conf_t *cf,
    ngx_http_atelier_loc_conf_t *alcf, ngx_http_atelier_endpoint_e endpoint,
    ngx_http_handler_pt handler);

/* Handlers of the endpoints. */
ngx_int_t ngx_http_atelier_fill_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_generate_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_attempt_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_options_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_cancel_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_designs_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_products_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_metrics_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_live_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_atelier_ready_handler(ngx_http_request_t *r);

/* atelier_secret $variable file; */
char *ngx_http_atelier_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_ATELIER_H */
