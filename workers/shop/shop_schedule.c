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


/*
 * At once, so that no query is taken for asked whose jobs are not there.
 *
 * KEYS: of what was asked, of the stream.  ARGV: how long it is asked, query,
 * category, pages, the beginning of request ids, now.  Returns the jobs.
 */

static const at_redis_script_t  shop_schedule_script = {
    "if not redis.call('SET', KEYS[1], 'pending', 'NX', 'PX', ARGV[1]) then\n"
    "  return 0\n"
    "end\n"
    "for page = 1, tonumber(ARGV[4]) do\n"
    "  redis.call('XADD', KEYS[2], '*', 'kind', 'products',\n"
    "             'by', 'schedule', 'query', ARGV[2], 'category', ARGV[3],\n"
    "             'page', page, 'requestId', ARGV[5] .. '-' .. page,\n"
    "             'at', ARGV[6])\n"
    "end\n"
    "return tonumber(ARGV[4])\n",
    SHOP_SCRIPT_SCHEDULE
};


static void shop_schedule_over(shop_run_t *run, at_redis_t *redis);
static void shop_schedule_one(shop_run_t *run, at_redis_t *redis,
    const char *line);


void *
shop_schedule_thread(void *data)
{
    size_t           i;
    shop_run_t      *run = data;
    at_redis_t      *redis;
    at_conf_list_t  *queries = &run->settings.search_query;

    while ((redis = at_redis_create(&run->redis)) == NULL) {
        if (shop_work_starved(run)) {
            return NULL;
        }
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
    char         asked[sizeof(AT_SHOP_ASKED) + AT_SHOP_KEY_HEX];
    char         key[AT_SHOP_KEY_HEX];
    char         query[AT_SHOP_TEXT_BYTES + 1];
    char         category[AT_SHOP_TEXT_BYTES + 1];
    char         every[24], pages[24], id[64], now[24];
    redisReply  *reply;

    (void) shop_settings_query(line, query, category);
    at_shop_key(shop_word(query), shop_word(category), key);

    (void) snprintf(asked, sizeof(asked), AT_SHOP_ASKED "%.*s",
                    AT_SHOP_KEY_HEX, key);
    (void) snprintf(every, sizeof(every), "%lld",
                    (long long) run->settings.search_every);
    (void) snprintf(pages, sizeof(pages), "%lld",
                    (long long) run->settings.search_pages);
    (void) snprintf(id, sizeof(id), "schedule-%d-%lld", (int) getpid(),
                    (long long) at_time_mono());
    (void) snprintf(now, sizeof(now), "%lld", (long long) at_time_wall());

    reply = at_redis_eval(redis, &shop_schedule_script, 2, 8,
                          (at_str_t [8]) {
                              shop_word(asked), AT_STR(AT_SHOP_JOBS),
                              shop_word(every), shop_word(query),
                              shop_word(category), shop_word(pages),
                              shop_word(id), shop_word(now)
                          });

    shop_count(SHOP_SCHEDULED, at_redis_int(reply));
    freeReplyObject(reply);
}
