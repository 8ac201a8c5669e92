/*
 * HTTP requests of workers, by libcurl: strangers' URLs within bounds, and
 * this nginx by its egress socket.
 *
 * A stranger's URL is http or https, and every connection it leads to, also
 * by redirects and by connections that are used again, is judged by its
 * address (at_address.h).  Bytes, inflated bytes, their ratio, headers, time
 * and redirects are bounded; no credentials, cookies or .netrc, and no proxy
 * but one that a call names.
 *
 * A proxy looks names up by itself, so a call by one is made in two steps: a
 * call with "lookup" finds and judges the address of the host here, without
 * connecting, and the call proper has the proxy connect to that address.
 *
 * One thread uses one at_fetch_t, which keeps connections open.  Bodies are
 * the caller's to free by at_fetch_clear().
 */

#ifndef AT_FETCH_H
#define AT_FETCH_H


#include "at_address.h"
#include "at_stop.h"


#define AT_FETCH_URL_MAX      2048
#define AT_FETCH_ADDRESS_MAX  64        /* [IPv6]:port */


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
    unsigned                  per_host;     /* connections; 0: any number */
    unsigned                  compressed:1; /* gzip and br are asked for */

    /* addresses of names, "host:port:address", for tests */
    const char *const        *resolve;
    size_t                    nresolve;
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


/* What was in the way of a call that failed or had no time left. */
typedef enum {
    AT_FETCH_BY_NOTHING,
    AT_FETCH_BY_NAME,           /* it has no address */
    AT_FETCH_BY_CONNECT,
    AT_FETCH_BY_PROXY,
    AT_FETCH_BY_CUT,            /* the answer ended too soon */
    AT_FETCH_BY_OTHER
} at_fetch_failure_e;


/* What there is to know of an answer beside its body; "" is not said. */
typedef struct {
    char                 location[AT_FETCH_URL_MAX + 1];    /* absolute */
    char                 etag[256];
    char                 modified[64];
    char                 type[128];
    char                 address[AT_FETCH_ADDRESS_MAX];     /* of a lookup */
    int64_t              wire;          /* bytes of the body as they came */
    int64_t              connected;     /* us from the start */
    int64_t              first;
    int64_t              total;
    at_fetch_failure_e   failure;
} at_fetch_head_t;


typedef struct at_fetch_call_s  at_fetch_call_t;

/*
 * A connection is there and the request is about to be sent on it.  AT_ERROR:
 * it is not; the function may write "why".
 */
typedef int (*at_fetch_before_pt)(at_fetch_call_t *call);

/* ... and then it was sent, see "wrote". */
typedef void (*at_fetch_after_pt)(at_fetch_call_t *call);


struct at_fetch_call_s {
    /* set by the caller; zero is none */
    at_str_t             url;
    const char          *socket;        /* a Unix socket instead of its host */
    at_str_t             request_id;    /* sent, if it is one */
    const char          *user_agent;    /* instead of that of the settings */
    const char *const   *lines;         /* "Name: value" */
    size_t               nlines;
    const char          *proxy;         /* URL */
    const char          *through;       /* the host's address, for the proxy */
    at_fetch_head_t     *head;          /* filled in */
    size_t               enough;        /* bytes of body; no more are read */
    at_fetch_before_pt   before;
    at_fetch_after_pt    after;
    unsigned             post:1;
    unsigned             lookup:1;      /* head->address, and no more */
    unsigned             stay:1;        /* redirects are told, not followed */
    unsigned             plain:1;       /* do not ask for a compressed body */
    void                *data;
    at_str_t             send;          /* of a post; stays until its end */

    /* the result */
    at_fetch_outcome_e   outcome;
    long                 status;        /* 0: no answer */
    int64_t              retry_after;   /* ms; 0: not said */
    int64_t              wrote;         /* at_time_micro() just after the
                                           request was; 0: not yet */
    at_buf_t             body;
    char                 why[128];

    /* of at_fetch.c */
    void                *easy;
    void                *headers;
    void                *connect_to;
    struct at_fetch_s   *fetch;
    at_fetch_call_t     *next;          /* of those to be told of */
    size_t               header_bytes;
    unsigned             header_lines;
    unsigned             refused:1;
    unsigned             large:1;
    unsigned             sated:1;
};


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

/*
 * The same in steps, for callers with a loop of their own.  AT_ERROR of
 * at_fetch_begin(): the call has its outcome already.  at_fetch_turn() moves
 * bytes, and waits for them so many ms, or for the descriptor fd unless it is
 * -1; at_fetch_next() returns a call that has ended, or NULL.
 */
int at_fetch_begin(at_fetch_t *f, at_fetch_call_t *call);
void at_fetch_turn(at_fetch_t *f, int64_t ms, int fd);
at_fetch_call_t *at_fetch_next(at_fetch_t *f);

/* Ends one that is under way, as stopped. */
void at_fetch_cancel(at_fetch_t *f, at_fetch_call_t *call);

/* Any thread: at_fetch_turn() returns. */
void at_fetch_wake(at_fetch_t *f);

void at_fetch_clear(at_fetch_call_t *call);

/* "ok", "status", ... */
const char *at_fetch_outcome_name(at_fetch_outcome_e outcome);

/* 1: 1 to 128 of A-Za-z0-9._- */
int at_fetch_request_id(at_str_t id);


#endif /* AT_FETCH_H */
