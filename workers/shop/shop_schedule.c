/*
 * A thread that puts the queries of the settings on the stream when their time
 * has come.  Any number of processes may do so: the key of what was asked says
 * whether one of them has.  It tells of searches, too, that had ended before
 * their shops had answered.
 */

#include "shop.h"

#include <stdio.h>
#include <unistd.h>


#define SHOP_SCHEDULE_LOOK  1000        /* ms */


static void shop_schedule_over(shop_run_t *run, at_redis_t *redis);
static void shop_schedule_one(shop_run_t *run, at_redis_t *redis,
    const char *line);
static int shop_schedule_add(at_redis_t *redis, const char *query,
    const char *category, int page);


void *
shop_schedule_thread(void *data)
{
    size_t           i;
    shop_run_t      *run = data;
    at_redis_t      *redis;
    at_conf_list_t  *queries = &run->settings.search_query;

    redis = at_redis_create(&run->redis);

    if (redis == NULL) {
        at_log(AT_LOG_ERROR, "thread.failed", at_log_text("why", "no memory"));
        return NULL;
    }

    do {
        for (i = 0; i < queries->n
                    && !at_stop_raised(&run->worker.stop); i++)
        {
            shop_schedule_one(run, redis, queries->items[i]);
        }

        shop_schedule_over(run, redis);

    } while (!at_stop_wait(&run->worker.stop, SHOP_SCHEDULE_LOOK));

    at_redis_free(redis);

    return NULL;
}


static void
shop_schedule_over(shop_run_t *run, at_redis_t *redis)
{
    shop_search_t  *s, *next;

    (void) pthread_mutex_lock(&run->lock);
    s = run->over;
    run->over = NULL;
    (void) pthread_mutex_unlock(&run->lock);

    for ( /* void */ ; s; s = next) {
        next = s->next;
        shop_tell_over(redis, s);

        (void) pthread_mutex_lock(&run->lock);
        shop_search_leave(s);
        (void) pthread_mutex_unlock(&run->lock);
    }
}


static void
shop_schedule_one(shop_run_t *run, at_redis_t *redis, const char *line)
{
    int          set;
    int64_t      page;
    char         key[AT_SHOP_KEY_HEX];
    char         query[AT_SHOP_TEXT_BYTES + 1];
    char         category[AT_SHOP_TEXT_BYTES + 1];
    redisReply  *reply;

    (void) shop_settings_query(line, query, category);
    at_shop_key(shop_word(query), shop_word(category), key);

    reply = at_redis_call(redis, "SET " AT_SHOP_ASKED "%b pending NX PX %lld",
                          key, sizeof(key),
                          (long long) run->settings.search_every);

    /* not set is nil, which is no status */

    set = (reply && reply->type == REDIS_REPLY_STATUS);
    freeReplyObject(reply);

    if (!set) {
        return;
    }

    for (page = 1; page <= run->settings.search_pages; page++) {

        if (shop_schedule_add(redis, query, category, (int) page) != AT_OK) {
            reply = at_redis_call(redis, "DEL " AT_SHOP_ASKED "%b", key,
                                  sizeof(key));
            freeReplyObject(reply);
            return;
        }

        shop_count(SHOP_SCHEDULED, 1);
    }
}


static int
shop_schedule_add(at_redis_t *redis, const char *query, const char *category,
    int page)
{
    redisReply  *reply;

    reply = at_redis_call(redis, "XADD " AT_SHOP_JOBS " * kind products"
                          " by schedule query %b category %b page %d requestId"
                          " schedule-%d-%lld at %lld", query, strlen(query),
                          category, strlen(category), page, (int) getpid(),
                          (long long) at_time_mono(),
                          (long long) at_time_wall());
    if (reply == NULL) {
        return AT_ERROR;
    }

    freeReplyObject(reply);

    return AT_OK;
}
