/*
 * What happens by the clock: configured queries are put on the stream of
 * jobs, and snapshots that have something new are put in the queue of those
 * whose thumbnails are hashed.
 *
 * Of any number of processes one does each of it, once in its time: a key in
 * Redis that lives so long says that it was done.
 */

#include "feed.h"

#include <stdio.h>
#include <stdlib.h>


#define FEED_SCHEDULE_TICK  500         /* ms, at most */
#define FEED_SCAN_COUNT     "200"


/*
 * KEYS: the key that says it was done, the stream.  ARGV: ms, then a request
 * id and a query each.  One step: who dies has done all of it or nothing.
 * A stream that nobody serves does not grow by it.
 */

static const at_redis_script_t  feed_script_warm = {
    "if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then\n"
    "  return 0\n"
    "end\n"
    "if redis.call('XLEN', KEYS[2]) > 10000 then return 0 end\n"
    "for i = 2, #ARGV, 2 do\n"
    "  redis.call('XADD', KEYS[2], '*', 'kind', 'warm', 'query',\n"
    "             ARGV[i + 1], 'request_id', ARGV[i])\n"
    "end\n"
    "return (#ARGV - 1) / 2\n",
    FEED_SCRIPT_WARM
};

/* ARGV: snapshot, 1 if designs are to be stored. */

static const at_redis_script_t  feed_script_look = {
    "local function key(name)\n"
    "  return 'atelier:snap:' .. ARGV[1] .. ':' .. name\n"
    "end\n"
    "local n = redis.call('HLEN', key('items'))\n"
    "if redis.call('SCARD', key('hashed')) < n\n"
    "   or ARGV[2] == '1' and redis.call('SCARD', key('stored')) < n\n"
    "then\n"
    "  return redis.call('ZADD', '" FEED_QUEUE "', 'NX', 1, ARGV[1])\n"
    "end\n"
    "return 0\n",
    FEED_SCRIPT_LOOK
};


static int64_t feed_schedule_warm(feed_run_t *run, at_redis_t *redis);
static int64_t feed_schedule_scan(feed_run_t *run, at_redis_t *redis);
static int feed_schedule_slice(feed_run_t *run, at_redis_t *redis,
    const redisReply *keys);


void *
feed_schedule_thread(void *data)
{
    int64_t      now, warm, scan, next;
    at_redis_t  *redis;
    feed_run_t  *run = data;

    redis = at_redis_create(&run->redis);
    warm = 0;
    scan = 0;

    while (redis && !at_stop_raised(&run->worker.stop)) {
        now = at_time_mono();

        if (now >= warm && run->settings.warm_query.n > 0) {
            warm = now + feed_schedule_warm(run, redis);
        }

        if (now >= scan) {
            scan = now + feed_schedule_scan(run, redis);
        }

        next = (run->settings.warm_query.n > 0 && warm < scan) ? warm : scan;
        next -= at_time_mono();
        (void) at_stop_wait(&run->worker.stop, (next > FEED_SCHEDULE_TICK)
                                        ? FEED_SCHEDULE_TICK : next);
    }

    at_redis_free(redis);

    return NULL;
}


/*
 * Both return ms to the next look: somebody else may have been the one this
 * time and be gone the next, so that is not the whole period.
 */

static int64_t
feed_schedule_warm(feed_run_t *run, at_redis_t *redis)
{
    char             every[24];
    char           (*ids)[33];
    size_t           i, n;
    int64_t          look;
    at_str_t        *words;
    redisReply      *reply;
    at_conf_list_t  *list = &run->settings.warm_query;

    look = run->settings.warm_every / 4;
    look = (look > 1000) ? 1000 : look;

    words = calloc(3 + 2 * list->n, sizeof(at_str_t));
    ids = calloc(list->n, sizeof(ids[0]));

    if (words && ids) {
        (void) snprintf(every, sizeof(every), "%lld",
                        (long long) run->settings.warm_every);
        n = 0;
        words[n++] = AT_STR("atelier:lease:warm");
        words[n++] = AT_STR(FEED_STREAM);
        words[n++] = feed_word(every);

        for (i = 0; i < list->n; i++) {
            at_lease_random(ids[i]);
            words[n++] = feed_word(ids[i]);
            words[n++] = feed_word(list->items[i]);
        }

        reply = at_redis_eval(redis, &feed_script_warm, 2, n, words);

        if (at_redis_int(reply) > 0) {
            feed_count(FEED_WARMED, at_redis_int(reply));
            at_log(AT_LOG_INFO, "warm.queued",
                   at_log_int("queries", at_redis_int(reply)));
        }

        freeReplyObject(reply);
    }

    free(ids);
    free(words);

    return look;
}


static int64_t
feed_schedule_scan(feed_run_t *run, at_redis_t *redis)
{
    int          rc;
    char         cursor[32];
    int64_t      look;
    at_str_t     next;
    redisReply  *reply;

    look = run->settings.hash_scan / 4;
    look = (look > 1000) ? 1000 : look;

    reply = at_redis_call(redis, "SET atelier:lease:scan 1 NX PX %lld",
                          (long long) run->settings.hash_scan);
    rc = at_str_is(at_redis_str(reply), "OK");
    freeReplyObject(reply);

    (void) snprintf(cursor, sizeof(cursor), "0");

    while (rc && !at_stop_raised(&run->worker.stop)) {
        reply = at_redis_call(redis, "SCAN %s MATCH atelier:snap:*:meta "
                              "COUNT " FEED_SCAN_COUNT " TYPE hash", cursor);
        next = at_redis_str(at_redis_at(reply, 0));

        if (next.len == 0 || next.len >= sizeof(cursor)) {
            freeReplyObject(reply);
            break;
        }

        (void) snprintf(cursor, sizeof(cursor), "%.*s", (int) next.len,
                        next.data);

        rc = (feed_schedule_slice(run, redis, at_redis_at(reply, 1)) == AT_OK
              && strcmp(cursor, "0") != 0);
        freeReplyObject(reply);
    }

    return look;
}


static int
feed_schedule_slice(feed_run_t *run, at_redis_t *redis,
    const redisReply *keys)
{
    size_t       i;
    at_str_t     key, words[2];
    redisReply  *reply;

    const size_t  prefix = sizeof("atelier:snap:") - 1;

    for (i = 0; at_redis_at(keys, i); i++) {
        key = at_redis_str(at_redis_at(keys, i));

        if (key.len != prefix + FEED_SNAPSHOT_LEN + sizeof(":meta") - 1) {
            continue;
        }

        words[0] = (at_str_t) { FEED_SNAPSHOT_LEN, key.data + prefix };
        words[1] = run->settings.base.postgres_conninfo[0] ? AT_STR("1")
                                                      : AT_STR("0");

        reply = at_redis_eval(redis, &feed_script_look, 0, 2, words);
        if (reply == NULL) {
            return AT_ERROR;
        }

        freeReplyObject(reply);
    }

    return AT_OK;
}
