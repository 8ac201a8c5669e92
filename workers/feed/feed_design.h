/*
 * Designs as the hash thread has them: what of a snapshot's items it needs,
 * their hashes, and where those are kept.
 *
 * Hashes are in Redis hashes atelier:phash:N (id, packed form), N counting
 * spans of 30 days: the current one and the one before are read, and each
 * lives two spans, so a hash is kept for 30 days past its last use.  An entry
 * "!T" says that a thumbnail is not asked for again before T (s since 1970).
 */

#ifndef FEED_DESIGN_H
#define FEED_DESIGN_H


#include "feed.h"
#include "phash/at_phash.h"


#define FEED_BATCH  64                  /* designs at a time */


typedef enum {
    FEED_HASH_UNKNOWN = 0,
    FEED_HASH_KNOWN,
    FEED_HASH_LATER                     /* failed lately */
} feed_hash_e;


typedef struct {
    at_str_t      id;
    at_str_t      json;                 /* of at_design_write() */
    at_str_t      source;
    at_str_t      url;
    at_str_t      thumb;
    at_str_t      page_url;
    at_str_t      license;
    char         *text;                 /* holds what is above but json */

    at_phash_t    hash;
    feed_hash_e   state;
    int64_t       later;                /* s since 1970; 0: not */
    unsigned      is_new:1;             /* the hash is not in Redis */
    unsigned      skip:1;               /* stopped before it was looked at */
} feed_design_t;


/* What the hash thread works with. */
typedef struct {
    feed_run_t     *run;
    at_redis_t     *redis;
    at_postgres_t  *postgres;           /* NULL: not configured */
    at_fetch_t     *fetch;
    char            snapshot[FEED_SNAPSHOT_LEN + 1];
    at_lease_t      lease;
} feed_hash_t;


/* Reads d->json.  AT_ERROR: it is not what at_design_write() makes. */
int feed_design_parse(feed_design_t *d);
void feed_design_free(feed_design_t *d, size_t n);

/* The short form that stands among the mirrors of another. */
int feed_design_mirror(const feed_design_t *d, at_buf_t *b);

/*
 * Designs of the snapshot that are not marked as mark ("hashed", "stored"),
 * in their order: up to FEED_BATCH of them, from *reply, which the caller
 * frees after them.  AT_ERROR: Redis is away.
 */
int feed_design_todo(feed_hash_t *t, const char *mark, feed_design_t *list,
    size_t *n, redisReply **reply);
int feed_design_mark(feed_hash_t *t, const char *mark,
    const feed_design_t *list, size_t n);

/* Sets hash and state of each from Redis, and stores those that are new. */
int feed_design_load(feed_hash_t *t, feed_design_t *list, size_t n);
int feed_design_save(feed_hash_t *t, const feed_design_t *list, size_t n);

/* feed_store.c: hashes that only PostgreSQL has; and designs into it. */
void feed_store_ping(feed_hash_t *t);
void feed_store_load(feed_hash_t *t, feed_design_t *list, size_t n);
int feed_store_snapshot(feed_hash_t *t);

/* feed_repeat.c */
int feed_repeat_snapshot(feed_hash_t *t);

/* feed_hash.c: 1: the snapshot still is ours, and nobody says stop. */
int feed_hash_goes_on(feed_hash_t *t);


#endif /* FEED_DESIGN_H */
