/*
 * Invalidations in Redis: nginx raises the generation, forgets what its own
 * memory holds, and appends {generation, pattern} to a stream; the snapshots
 * are removed here, by a scan in slices.
 *
 * The pattern is matched with the text of a feed's key ("q=sofa;o=;c=;s="), as
 * nginx does it.  What was begun at that generation or later stays.
 */

#include "feed.h"
#include "at_glob.h"

#include <stdio.h>
#include <stdlib.h>


#define FEED_SCAN_COUNT  "200"


typedef struct {
    feed_run_t  *run;
    at_jobs_t   *jobs;
    at_job_t     job;
} feed_invalidate_t;


/* ARGV: snapshot, generation. */

static const at_redis_script_t  feed_script_purge = {
    "local function key(name)\n"
    "  return 'atelier:snap:' .. ARGV[1] .. ':' .. name\n"
    "end\n"
    "local m = redis.call('HMGET', key('meta'), 'generation', 'feed')\n"
    "if not m[1] or tonumber(m[1]) >= tonumber(ARGV[2]) then return 0 end\n"
    "if m[2] then\n"
    "  local head = 'atelier:feed:' .. m[2]\n"
    "  if redis.call('HGET', head, 'snapshot') == ARGV[1] then\n"
    "    redis.call('DEL', head)\n"
    "  end\n"
    "end\n"
    "for _, name in ipairs({'meta', 'frozen', 'pending', 'items', 'joins',\n"
    "                       'mirrors', 'hashed', 'stored'}) do\n"
    "  redis.call('UNLINK', key(name))\n"
    "end\n"
    "redis.call('ZREM', '" FEED_QUEUE "', ARGV[1])\n"
    "return 1\n",
    FEED_SCRIPT_PURGE
};


static int feed_invalidate_slice(at_redis_t *redis, const redisReply *keys,
    at_str_t pattern, const char *generation);
static int feed_invalidate_keep(void *data);
static void feed_invalidate_one(feed_invalidate_t *t, at_redis_t *redis);


feed_result_e
feed_invalidate(at_redis_t *redis, at_str_t pattern, int64_t generation,
    int (*keep)(void *data), void *data)
{
    int          n;
    char         cursor[32], text[24];
    at_str_t     next;
    redisReply  *reply;

    (void) snprintf(cursor, sizeof(cursor), "0");
    (void) snprintf(text, sizeof(text), "%lld", (long long) generation);

    do {
        reply = at_redis_call(redis, "SCAN %s MATCH atelier:snap:*:meta "
                              "COUNT " FEED_SCAN_COUNT " TYPE hash", cursor);
        next = at_redis_str(at_redis_at(reply, 0));

        if (next.len == 0 || next.len >= sizeof(cursor)) {
            freeReplyObject(reply);
            return FEED_RETRY;
        }

        (void) snprintf(cursor, sizeof(cursor), "%.*s", (int) next.len,
                        next.data);

        n = feed_invalidate_slice(redis, at_redis_at(reply, 1), pattern, text);
        freeReplyObject(reply);

        if (n < 0) {
            return FEED_RETRY;
        }

        feed_count(FEED_INVALIDATED, n);

        if (keep(data) != AT_OK) {
            return FEED_STOPPED;
        }

    } while (strcmp(cursor, "0") != 0);

    feed_count(FEED_INVALIDATIONS_DONE, 1);

    return FEED_DONE;
}


/* How many were removed; -1: Redis is away. */

static int
feed_invalidate_slice(at_redis_t *redis, const redisReply *keys,
    at_str_t pattern, const char *generation)
{
    int          n;
    size_t       i;
    at_str_t     key, words[2];
    redisReply  *reply, *meta;

    const size_t  prefix = sizeof("atelier:snap:") - 1;

    n = 0;

    for (i = 0; at_redis_at(keys, i); i++) {
        key = at_redis_str(at_redis_at(keys, i));

        if (key.len != prefix + FEED_SNAPSHOT_LEN + sizeof(":meta") - 1) {
            continue;
        }

        meta = at_redis_call(redis, "HGET %b text", key.data, key.len);
        if (meta == NULL) {
            return -1;
        }

        if (meta->type == REDIS_REPLY_STRING
            && at_glob_match(pattern, at_redis_str(meta)))
        {
            words[0] = (at_str_t) { FEED_SNAPSHOT_LEN, key.data + prefix };
            words[1] = feed_word(generation);

            reply = at_redis_eval(redis, &feed_script_purge, 0, 2, words);
            n += (at_redis_int(reply) == 1);

            if (reply == NULL) {
                freeReplyObject(meta);
                return -1;
            }

            freeReplyObject(reply);
        }

        freeReplyObject(meta);
    }

    return n;
}


void *
feed_invalidate_thread(void *data)
{
    int                rc;
    at_redis_t        *redis;
    feed_invalidate_t  t;

    memset(&t, 0, sizeof(feed_invalidate_t));
    t.run = data;
    redis = at_redis_create(&t.run->redis);
    t.jobs = at_jobs_create(&t.run->invalidations, redis);

    while (redis && t.jobs && !at_stop_raised(&t.run->worker.stop)) {
        rc = at_jobs_next(t.jobs, 1000, &t.job);

        if (rc == AT_ERROR) {
            (void) at_stop_wait(&t.run->worker.stop, 100);

        } else if (rc == 1) {
            feed_invalidate_one(&t, redis);
        }
    }

    at_jobs_free(t.jobs);
    at_redis_free(redis);

    return NULL;
}


static void
feed_invalidate_one(feed_invalidate_t *t, at_redis_t *redis)
{
    int64_t        generation;
    at_str_t       pattern, text;
    feed_result_e  result;

    pattern = at_job_get(&t->job, "pattern");
    text = at_job_get(&t->job, "generation");
    generation = text.len ? strtoll(text.data, NULL, 10) : 0;

    if (pattern.len == 0 || generation <= 0) {
        (void) at_jobs_dead(t->jobs, &t->job,
                            "pattern or generation is missing");
        return;
    }

    result = feed_invalidate(redis, pattern, generation, feed_invalidate_keep,
                             t);

    if (result == FEED_DONE) {
        at_log(AT_LOG_INFO, "invalidation.done",
               at_log_str("requestId", at_job_get(&t->job, "request_id")),
               at_log_str("pattern", pattern),
               at_log_int("generation", generation));
        (void) at_jobs_done(t->jobs, &t->job);

    } else if (result == FEED_STOPPED) {
        (void) at_jobs_release(t->jobs, &t->job);

    } else {
        (void) at_jobs_retry(t->jobs, &t->job, 1000, "Redis went away");
    }
}


static int
feed_invalidate_keep(void *data)
{
    feed_invalidate_t *t = data;

    if (at_stop_raised(&t->run->worker.stop)) {
        return AT_ERROR;
    }

    return (at_jobs_keep(t->jobs, &t->job) == 1) ? AT_OK : AT_ERROR;
}
