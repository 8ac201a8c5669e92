/*
 * Repeats inside a snapshot: pictures that look the same, from several
 * sources.
 *
 * Of two that look the same the first in the order of the snapshot stays:
 * what may have been seen (frozen) before what waits (pending), that in its
 * order.  Only what waits is ever taken out, by one script that looks whether
 * it still does; it then stands among the mirrors of the one that stayed.
 */

#include "feed_design.h"

#include <stdio.h>
#include <stdlib.h>


#define FEED_REPEAT_MAX  "5000"         /* designs of a snapshot, compared */


/* ARGV: snapshot, how many.  Returns how many are frozen, and the ids. */

static const at_redis_script_t  feed_script_order = {
    "local function key(name)\n"
    "  return 'atelier:snap:' .. ARGV[1] .. ':' .. name\n"
    "end\n"
    "local max, out = tonumber(ARGV[2]), {0}\n"
    "for _, id in ipairs(redis.call('LRANGE', key('frozen'), 0, -1)) do\n"
    "  if id ~= '' and #out <= max then out[#out + 1] = id end\n"
    "end\n"
    "out[1] = #out - 1\n"
    "for _, id in ipairs(redis.call('ZRANGE', key('pending'), 0, -1)) do\n"
    "  if #out <= max then out[#out + 1] = id end\n"
    "end\n"
    "return out\n",
    FEED_SCRIPT_ORDER
};

/*
 * ARGV: snapshot, the repeat, the one that stays, the repeat as a mirror.
 * Whatever else the repeat stood for (its own mirrors, its id as a join key)
 * is the other one's from now on.
 */

static const at_redis_script_t  feed_script_drop = {
    "local function key(name)\n"
    "  return 'atelier:snap:' .. ARGV[1] .. ':' .. name\n"
    "end\n"
    "local ttl = redis.call('PTTL', key('meta'))\n"
    "if ttl <= 0 then return 0 end\n"
    "if redis.call('HEXISTS', key('items'), ARGV[3]) == 0 then return 0 end\n"
    "if redis.call('ZREM', key('pending'), ARGV[2]) == 0 then return 0 end\n"
    "local mirrors = key('mirrors')\n"
    "local list = redis.call('HGET', mirrors, ARGV[3])\n"
    "local more = redis.call('HGET', mirrors, ARGV[2])\n"
    "local all = ARGV[4]\n"
    "if list then all = string.sub(list, 2, -2) .. ',' .. all end\n"
    "if more then all = all .. ',' .. string.sub(more, 2, -2) end\n"
    "if #all < 4096 then\n"
    "  redis.call('HSET', mirrors, ARGV[3], '[' .. all .. ']')\n"
    "end\n"
    "redis.call('HDEL', mirrors, ARGV[2])\n"
    "redis.call('HDEL', key('items'), ARGV[2])\n"
    "redis.call('HSET', key('joins'), ARGV[2], ARGV[3])\n"
    "redis.call('SREM', key('hashed'), ARGV[2])\n"
    "redis.call('SREM', key('stored'), ARGV[2])\n"
    "redis.call('PEXPIRE', mirrors, ttl)\n"
    "redis.call('PEXPIRE', key('joins'), ttl)\n"
    "return 1\n",
    FEED_SCRIPT_DROP
};


static int feed_repeat_hashes(feed_hash_t *t, feed_design_t *list, size_t n);
static int feed_repeat_compare(feed_hash_t *t, feed_design_t *list, size_t n,
    size_t frozen);
static int feed_repeat_drop(feed_hash_t *t, feed_design_t *loser,
    const feed_design_t *winner);


int
feed_repeat_snapshot(feed_hash_t *t)
{
    int             rc;
    size_t          i, n, frozen;
    at_str_t        words[2];
    redisReply     *reply;
    feed_design_t  *list;

    words[0] = feed_word(t->snapshot);
    words[1] = AT_STR(FEED_REPEAT_MAX);

    reply = at_redis_eval(t->redis, &feed_script_order, 0, 2, words);

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements == 0)
    {
        freeReplyObject(reply);
        return AT_ERROR;
    }

    n = reply->elements - 1;
    frozen = (size_t) at_redis_int(reply->element[0]);
    list = calloc(n + 1, sizeof(feed_design_t));
    rc = AT_ERROR;

    if (list) {
        for (i = 0; i < n; i++) {
            list[i].id = at_redis_str(reply->element[i + 1]);
        }

        rc = feed_repeat_hashes(t, list, n);
    }

    if (rc == AT_OK) {
        rc = feed_repeat_compare(t, list, n, frozen);
    }

    free(list);
    freeReplyObject(reply);

    return rc;
}


static int
feed_repeat_hashes(feed_hash_t *t, feed_design_t *list, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i += FEED_BATCH) {
        if (feed_design_load(t, list + i,
                             (n - i < FEED_BATCH) ? n - i : FEED_BATCH)
            != AT_OK)
        {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


/* Each that waits with all before it that stay. */

static int
feed_repeat_compare(feed_hash_t *t, feed_design_t *list, size_t n,
    size_t frozen)
{
    size_t  i, j;

    for (i = 1; i < n; i++) {
        if (list[i].state != FEED_HASH_KNOWN) {
            continue;
        }

        for (j = 0; j < i; j++) {
            if (list[j].state == FEED_HASH_KNOWN
                && at_phash_same(&list[i].hash, &list[j].hash))
            {
                break;
            }
        }

        if (j == i) {
            continue;
        }

        if (i < frozen) {

            /* seen: it stays, and so does what is like it alone */

            continue;
        }

        if (feed_repeat_drop(t, &list[i], &list[j]) != AT_OK) {
            return AT_ERROR;
        }

        /* who went cannot be the one that stays */

        list[i].state = FEED_HASH_UNKNOWN;

        if (at_stop_raised(&t->run->worker.stop)) {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


static int
feed_repeat_drop(feed_hash_t *t, feed_design_t *loser,
    const feed_design_t *winner)
{
    int          rc, dropped;
    at_buf_t     mirror = { .max = 8192 };
    at_str_t     words[4];
    redisReply  *item, *reply;

    item = at_redis_call(t->redis, "HGET atelier:snap:%s:items %b",
                         t->snapshot, loser->id.data, loser->id.len);
    if (item == NULL) {
        return AT_ERROR;
    }

    loser->json = at_redis_str(item);
    loser->text = NULL;
    reply = NULL;

    /* without an item it is gone already, as it should */

    rc = (feed_design_parse(loser) == AT_OK) ? feed_design_mirror(loser,
                                                                  &mirror)
                                             : AT_ERROR;
    if (rc == AT_OK) {
        words[0] = feed_word(t->snapshot);
        words[1] = loser->id;
        words[2] = winner->id;
        words[3] = at_buf_str(&mirror);

        reply = at_redis_eval(t->redis, &feed_script_drop, 0, 4, words);
        dropped = (at_redis_int(reply) == 1);
        feed_count(dropped ? FEED_REPEATS_DROPPED : FEED_REPEATS_LATE, 1);

        if (dropped) {
            at_log(AT_LOG_INFO, "repeat.dropped",
                   at_log_text("snapshot", t->snapshot),
                   at_log_str("design", loser->id),
                   at_log_str("like", winner->id));
        }
    }

    rc = (rc == AT_OK && reply == NULL) ? AT_ERROR : AT_OK;

    feed_design_free(loser, 1);
    at_buf_free(&mirror);
    freeReplyObject(reply);
    freeReplyObject(item);

    return rc;
}
