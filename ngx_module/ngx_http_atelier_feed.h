/*
 * What the files of the feed share: a reader's request with its key, a slice
 * of a snapshot, and how a slice becomes a page.
 *
 * /designs (ngx_http_atelier_designs.c, ngx_http_atelier_flight.c) and /fill
 * (ngx_http_atelier_fill*.c) are its users; the snapshot itself is in Redis
 * (ngx_http_atelier_snapshot.h) and rendered pages are in L1
 * (ngx_http_atelier_cache.h).
 */

#ifndef NGX_HTTP_ATELIER_FEED_H
#define NGX_HTTP_ATELIER_FEED_H


#include "ngx_http_atelier_cache.h"
#include "at_hash.h"
#include "feed/at_feed_query.h"


/* A page that is short because a source was, or is not over yet. */
#define NGX_HTTP_ATELIER_PARTIAL   60000       /* ms it is fresh */
#define NGX_HTTP_ATELIER_EMPTY     5000        /* ... without any design */

/* A source that failed or was late is asked again after so many ms. */
#define NGX_HTTP_ATELIER_RETRY     60000

/* Pages that are to be at hand behind the one that is read. */
#define NGX_HTTP_ATELIER_AHEAD     3


/*
 * A request for a page.  It holds its own text and must not be copied, as its
 * args point into it.
 */
typedef struct {
    at_feed_args_t     args;
    size_t             text_len;
    char               text[AT_FEED_KEY_MAX];      /* the key in words */
    u_char             key[NGX_HTTP_ATELIER_FEED_LEN];
} ngx_http_atelier_feed_t;


/* A design of a slice; its strings are the maker's. */
typedef struct {
    at_str_t           id;
    at_str_t           json;        /* of at_design_write() */
    at_str_t           mirrors;     /* a JSON array, or empty */
    uint64_t           likes;
} ngx_http_atelier_card_t;


/* What a source had to do with a snapshot. */
typedef struct {
    at_feed_outcome_e  outcome;
    unsigned           asked:1;
    ngx_uint_t         count;       /* designs so far */
    ngx_msec_t         ms;          /* of its last answer */
} ngx_http_atelier_share_t;


typedef struct {
    u_char                     snapshot[NGX_HTTP_ATELIER_SNAPSHOT_LEN];
    ngx_http_atelier_card_t   *cards;
    ngx_uint_t                 ncards;
    ngx_http_atelier_share_t   shares[AT_FEED_SOURCES];
    ngx_uint_t                 left;        /* designs known behind it */
    ngx_msec_t                 age;         /* of the snapshot */
    uint64_t                   generation;  /* of Redis, when it was read */
    unsigned                   more:1;      /* sources may bring more */
    unsigned                   restarted:1; /* not the one asked for */
    unsigned                   expired:1;   /* another should be begun */
} ngx_http_atelier_slice_t;


/*
 * Reads the arguments of a request.  NGX_DECLINED: the error says which is
 * wrong.
 */
ngx_int_t ngx_http_atelier_feed_parse(ngx_http_atelier_feed_t *feed,
    ngx_str_t *raw, at_args_error_t *error);

/* Where the page stands in L1. */
void ngx_http_atelier_feed_id(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_page_id_t *id);

/*
 * The same for arguments that were read before.  NGX_DECLINED: they were not,
 * or not lately.
 */
ngx_int_t ngx_http_atelier_memo_get(ngx_str_t *raw,
    ngx_http_atelier_page_id_t *id);
void ngx_http_atelier_memo_put(ngx_str_t *raw,
    const ngx_http_atelier_page_id_t *id);

/* What is remembered of a design's id: its source, and a part of a hash. */
void ngx_http_atelier_feed_seen(at_str_t id, u_char *seen);

/* The arguments of the same request, for this page and snapshot. */
int ngx_http_atelier_feed_args(at_buf_t *b, ngx_http_atelier_feed_t *feed,
    ngx_uint_t page, const u_char *snapshot);

/* 1: there is a page behind this one. */
ngx_uint_t ngx_http_atelier_feed_next(ngx_http_atelier_slice_t *slice);

/*
 * Makes the page of a slice, all of it in the pool: JSON, the same as gzip,
 * ETag, Link, Surrogate-Key.  path is that of the endpoint.  Its times are set
 * but for stale.
 */
ngx_int_t ngx_http_atelier_feed_render(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, ngx_str_t *path, ngx_msec_t fresh,
    ngx_pool_t *pool, ngx_http_atelier_page_t *page);

/* Appends a design as the API shows it: its JSON and what changes with time. */
int ngx_http_atelier_feed_card(at_buf_t *b, ngx_http_atelier_card_t *card);

/* The gzip form; a page that is too large to be compressed at once has none. */
ngx_int_t ngx_http_atelier_feed_gzip(ngx_str_t *plain, ngx_pool_t *pool,
    ngx_str_t *gzip);

/* ... but gets it soon, in L1, where it has just been stored.  Copies it. */
void ngx_http_atelier_feed_compress(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, ngx_http_atelier_page_t *page);


#endif /* NGX_HTTP_ATELIER_FEED_H */
