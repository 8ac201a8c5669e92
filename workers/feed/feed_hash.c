/*
 * The thread that looks at snapshots with something new: hashes the uncropped
 * thumbnails of their designs, takes repeats out, and stores the designs.
 *
 * The queue is a sorted set: a snapshot's number grows when there is something
 * new, and the snapshot leaves the queue only if the number still is what it
 * was when the work began.  So nothing is lost by a death, and what came in
 * meanwhile is looked at once more.  A lease says which process has it.
 *
 * A thumbnail that could not be had is not asked for again in this snapshot:
 * the design stays, without a hash.
 */

#include "feed_design.h"
#include "at_thumb.h"

#include <stdio.h>


#define FEED_HASH_LEASE    60000        /* ms */
#define FEED_HASH_IDLE     300
#define FEED_HASH_PING     2000
#define FEED_HASH_PASSING  600          /* s until a passing failure is over */
#define FEED_HASH_LASTING  86400        /* ... and another one */


/* ARGV: snapshot, the number that was seen. */

static const at_redis_script_t  feed_script_seen = {
    "if redis.call('ZSCORE', '" FEED_QUEUE "', ARGV[1]) == ARGV[2] then\n"
    "  return redis.call('ZREM', '" FEED_QUEUE "', ARGV[1])\n"
    "end\n"
    "return 0\n",
    FEED_SCRIPT_SEEN
};


static int feed_hash_queue(feed_hash_t *t);
static int feed_hash_take(feed_hash_t *t, at_str_t number);
static int feed_hash_snapshot(feed_hash_t *t);
static int feed_hash_batch(feed_hash_t *t, feed_design_t *list, size_t n);
static void feed_hash_fetch(feed_hash_t *t, feed_design_t *list, size_t n);
static void feed_hash_one(feed_design_t *d, at_fetch_call_t *call);
static void feed_hash_failed(feed_design_t *d, const at_fetch_call_t *call);


void *
feed_hash_thread(void *data)
{
    int64_t      next;
    feed_hash_t  t;

    memset(&t, 0, sizeof(feed_hash_t));
    t.run = data;
    t.redis = at_redis_create(&t.run->redis);
    t.fetch = at_fetch_create(&t.run->thumbs);

    if (t.run->settings.base.postgres_conninfo[0]) {
        t.postgres = at_postgres_create(&t.run->postgres);
    }

    next = 0;

    while (t.redis && t.fetch && !at_stop_raised(&t.run->worker.stop)) {
        if (feed_hash_queue(&t) == 1) {
            continue;
        }

        /* also when there is nothing to store it is known who is away */

        if (t.postgres && at_time_mono() >= next) {
            feed_store_ping(&t);
            next = at_time_mono() + FEED_HASH_PING;
        }

        (void) at_stop_wait(&t.run->worker.stop, FEED_HASH_IDLE);
    }

    at_postgres_free(t.postgres);
    at_fetch_free(t.fetch);
    at_redis_free(t.redis);

    return NULL;
}


int
feed_hash_goes_on(feed_hash_t *t)
{
    return !at_stop_raised(&t->run->worker.stop)
           && at_lease_renew(t->redis, &t->lease) == 1;
}


/* 1: there was a snapshot, and it was dealt with. */

static int
feed_hash_queue(feed_hash_t *t)
{
    int          rc;
    size_t       i;
    at_str_t     id;
    redisReply  *reply;

    /* at random, so that processes do not all try the same one */

    reply = at_redis_call(t->redis, "ZRANDMEMBER " FEED_QUEUE
                                    " 8 WITHSCORES");
    rc = 0;

    for (i = 0; at_redis_at(reply, i + 1) && rc == 0; i += 2) {
        id = at_redis_str(reply->element[i]);

        if (id.len != FEED_SNAPSHOT_LEN) {
            freeReplyObject(at_redis_call(t->redis, "ZREM " FEED_QUEUE " %b",
                                          id.data, id.len));
            continue;
        }

        memcpy(t->snapshot, id.data, id.len + 1);
        rc = feed_hash_take(t, at_redis_str(reply->element[i + 1]));
    }

    freeReplyObject(reply);

    return rc;
}


/* 0: somebody else has it; AT_ERROR: not done, try later. */

static int
feed_hash_take(feed_hash_t *t, at_str_t number)
{
    int       rc;
    char      key[AT_LEASE_KEY_MAX];
    at_str_t  words[2];

    (void) snprintf(key, sizeof(key), "atelier:lease:hash:%s", t->snapshot);

    rc = at_lease_take(t->redis, &t->lease, key, FEED_HASH_LEASE);
    if (rc != 1) {
        return rc;
    }

    rc = feed_hash_snapshot(t);

    if (rc == AT_OK) {
        words[0] = feed_word(t->snapshot);
        words[1] = number;
        freeReplyObject(at_redis_eval(t->redis, &feed_script_seen, 0, 2,
                                      words));
    }

    at_lease_release(t->redis, &t->lease);

    return (rc == AT_OK) ? 1 : AT_ERROR;
}


static int
feed_hash_snapshot(feed_hash_t *t)
{
    int             rc;
    size_t          n, total;
    int64_t         start;
    redisReply     *reply;
    feed_design_t   list[FEED_BATCH];

    start = at_time_mono();
    total = 0;

    do {
        rc = feed_design_todo(t, "hashed", list, &n, &reply);

        if (rc == AT_OK && n > 0) {
            rc = feed_hash_batch(t, list, n);
            total += n;
        }

        feed_design_free(list, n);
        freeReplyObject(reply);

        if (rc != AT_OK || !feed_hash_goes_on(t)) {
            return AT_ERROR;
        }

    } while (n > 0);

    if (feed_repeat_snapshot(t) != AT_OK) {
        return AT_ERROR;
    }

    rc = t->postgres ? feed_store_snapshot(t) : AT_OK;

    at_log(AT_LOG_INFO, "snapshot.done", at_log_text("snapshot", t->snapshot),
           at_log_int("designs", (int64_t) total),
           at_log_int("ms", at_time_mono() - start));

    return rc;
}


static int
feed_hash_batch(feed_hash_t *t, feed_design_t *list, size_t n)
{
    size_t  i, known;

    if (feed_design_load(t, list, n) != AT_OK) {
        return AT_ERROR;
    }

    if (t->postgres) {
        feed_store_load(t, list, n);
    }

    known = 0;

    for (i = 0; i < n; i++) {
        known += (list[i].state != FEED_HASH_UNKNOWN);
    }

    feed_count(FEED_HASHES_KNOWN, (int64_t) known);

    feed_hash_fetch(t, list, n);

    return (feed_design_save(t, list, n) == AT_OK
            && feed_design_mark(t, "hashed", list, n) == AT_OK)
           ? AT_OK : AT_ERROR;
}


static void
feed_hash_fetch(feed_hash_t *t, feed_design_t *list, size_t n)
{
    size_t           i, m;
    feed_design_t   *d;
    at_fetch_call_t  calls[FEED_BATCH];

    memset(calls, 0, sizeof(calls));
    m = 0;

    for (i = 0; i < n; i++) {
        if (list[i].state != FEED_HASH_UNKNOWN) {
            continue;
        }

        if (feed_design_parse(&list[i]) != AT_OK) {
            list[i].later = at_time_wall() / 1000 + FEED_HASH_LASTING;
            feed_count(FEED_HASHES_FAILED, 1);
            continue;
        }

        calls[m].url = list[i].thumb;
        calls[m].data = &list[i];
        m++;
    }

    at_fetch_run(t->fetch, calls, m, &t->run->worker.stop);

    for (i = 0; i < m; i++) {
        d = calls[i].data;
        feed_hash_one(d, &calls[i]);
        at_fetch_clear(&calls[i]);
    }
}


static void
feed_hash_one(feed_design_t *d, at_fetch_call_t *call)
{
    int          rc;
    at_thumb_t   thumb;
    const char  *why;

    if (call->outcome != AT_FETCH_OK) {
        feed_hash_failed(d, call);
        return;
    }

    rc = at_thumb_decode(at_buf_str(&call->body), AT_THUMB_MS, &thumb, &why);

    if (rc == AT_OK) {
        rc = at_phash(thumb.grey, thumb.width, thumb.height, thumb.width,
                      &d->hash);
        at_thumb_free(&thumb);
        why = "it is too small";
    }

    if (rc == AT_OK) {
        d->state = FEED_HASH_KNOWN;
        d->is_new = 1;
        feed_count(FEED_HASHES_MADE, 1);
        return;
    }

    if (rc == AT_NO_MEMORY) {
        why = "no memory";
    }

    d->later = at_time_wall() / 1000 + FEED_HASH_LASTING;
    feed_count(FEED_HASHES_FAILED, 1);

    at_log(AT_LOG_INFO, "thumbnail.unreadable", at_log_str("design", d->id),
           at_log_text("why", why));
}


static void
feed_hash_failed(feed_design_t *d, const at_fetch_call_t *call)
{
    int  passing;

    if (call->outcome == AT_FETCH_STOPPED) {
        d->skip = 1;
        return;
    }

    passing = call->outcome == AT_FETCH_TIMEOUT
              || call->outcome == AT_FETCH_FAILED
              || (call->outcome == AT_FETCH_STATUS
                  && (call->status >= 500 || call->status == 429));

    d->later = at_time_wall() / 1000 + (passing ? FEED_HASH_PASSING
                                                : FEED_HASH_LASTING);

    feed_count(call->outcome == AT_FETCH_REFUSED ? FEED_HASHES_REFUSED
                                                 : FEED_HASHES_FAILED, 1);

    at_log((call->outcome == AT_FETCH_REFUSED) ? AT_LOG_WARN : AT_LOG_INFO,
           "thumbnail.failed", at_log_str("design", d->id),
           at_log_text("outcome", at_fetch_outcome_name(call->outcome)),
           at_log_text("why", call->why));
}
