/*
 * HTTP requests of workers, by libcurl: strangers' URLs within bounds, and
 * this nginx by its egress socket.
 *
 * A stranger's URL is http or https, and every connection it leads to, also
 * by redirects and by connections that are used again, is judged by its
 * address (at_address.h).  Bytes, inflated bytes, their ratio, headers, time
 * and redirects are bounded; no credentials, cookies, proxies or .netrc.
 *
 * One thread uses one at_fetch_t, which keeps connections open.  Bodies are
 * the caller's to free by at_fetch_clear().
 */

#ifndef AT_FETCH_H
#define AT_FETCH_H


#include "at_address.h"
#include "at_stop.h"


#define AT_FETCH_URL_MAX  2048


typedef struct {
    const char               *user_agent;
    const at_address_list_t  *allow;        /* or NULL */
    int64_t                   timeout;      /* ms, all of it */
    int64_t                   connect;      /* ms */
    size_t                    wire;         /* bytes that come */
    size_t                    bytes;        /* ... after inflating */
    unsigned                  ratio;        /* of both, past the first MB */
    unsigned                  redirects;
    unsigned                  parallel;
    unsigned                  per_host;     /* connections */
    unsigned                  compressed:1; /* gzip and br are asked for */
} at_fetch_settings_t;


typedef enum {
    AT_FETCH_OK,                /* 2xx, and all of the body is there */
    AT_FETCH_STATUS,            /* another status */
    AT_FETCH_REFUSED,           /* the URL or an address it led to */
    AT_FETCH_LARGE,             /* past a bound, or a bomb */
    AT_FETCH_TIMEOUT,
    AT_FETCH_FAILED,
    AT_FETCH_STOPPED
} at_fetch_outcome_e;


typedef struct {
    /* set by the caller */
    at_str_t             url;
    const char          *socket;        /* a Unix socket instead of its host */
    at_str_t             request_id;    /* sent, if it is one */
    unsigned             post:1;
    void                *data;

    /* the result */
    at_fetch_outcome_e   outcome;
    long                 status;        /* 0: no answer */
    int64_t              retry_after;   /* ms; 0: not said */
    at_buf_t             body;
    char                 why[128];

    /* of at_fetch.c */
    void                *easy;
    void                *headers;
    struct at_fetch_s   *fetch;
    size_t               header_bytes;
    unsigned             header_lines;
    unsigned             refused:1;
    unsigned             large:1;
} at_fetch_call_t;


typedef struct at_fetch_s  at_fetch_t;


/* Once in a process, before there are threads. */
int at_fetch_init(void);

/* settings must outlive it. */
at_fetch_t *at_fetch_create(const at_fetch_settings_t *settings);
void at_fetch_free(at_fetch_t *f);

/*
 * Makes n calls, settings->parallel of them at once, and returns when all have
 * an outcome.  stop may be NULL; raised, it ends them.
 */
void at_fetch_run(at_fetch_t *f, at_fetch_call_t *calls, size_t n,
    at_stop_t *stop);

void at_fetch_clear(at_fetch_call_t *call);

/* "ok", "status", ... */
const char *at_fetch_outcome_name(at_fetch_outcome_e outcome);

/* 1: 1 to 128 of A-Za-z0-9._- */
int at_fetch_request_id(at_str_t id);


#endif /* AT_FETCH_H */
