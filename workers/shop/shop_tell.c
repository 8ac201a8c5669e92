/*
 * What those who asked for a search are told of it: the key of what was asked
 * is "done", or lasts less long if shops are to be asked again soon, and a
 * message wakes who waits.
 *
 * A search can end while shops have not answered.  It is no failure then that
 * none has: as long as they may, the key stays "pending", and lasts not much
 * longer than they have time, since nobody may be there to tell its end.
 */

#include "shop.h"


#define SHOP_TELL_AGAIN  30000          /* ms until shops are asked again
                                           that have all failed */
#define SHOP_TELL_LATE   120000         /* ... that have not answered */


static int shop_tell_publish(at_redis_t *redis,
    const char key[AT_SHOP_KEY_HEX]);


/*
 * To have no further page is no failure, and what was not asked, as the day's
 * requests are spent, will not be asked the sooner.
 */

int
shop_tell_ended(at_redis_t *redis, shop_search_t *s)
{
    char         key[AT_SHOP_KEY_HEX];
    redisReply  *reply;

    at_shop_key(shop_word(s->query), shop_word(s->category), key);

    if (s->late == 0) {
        reply = at_redis_call(redis, "SET " AT_SHOP_ASKED "%b done XX KEEPTTL",
                              key, sizeof(key));
        freeReplyObject(reply);
    }

    if (s->pages == 0 && s->page == 1 && (s->failed || s->late)) {

        if (s->late) {
            reply = at_redis_call(redis, "PTTL " AT_SHOP_ASKED "%b", key,
                                  sizeof(key));
            s->keep = at_time_mono() + at_redis_int(reply);
            freeReplyObject(reply);
        }

        reply = at_redis_call(redis, "PEXPIRE " AT_SHOP_ASKED "%b %d LT", key,
                              sizeof(key), s->late ? SHOP_TELL_LATE
                                                   : SHOP_TELL_AGAIN);
        freeReplyObject(reply);
    }

    return shop_tell_publish(redis, key);
}


/* The last of its shops has answered, or failed, after its end. */

void
shop_tell_over(at_redis_t *redis, const shop_search_t *s)
{
    char         key[AT_SHOP_KEY_HEX];
    int64_t      left;
    redisReply  *reply;

    at_shop_key(shop_word(s->query), shop_word(s->category), key);

    reply = at_redis_call(redis, "SET " AT_SHOP_ASKED "%b done XX KEEPTTL",
                          key, sizeof(key));
    freeReplyObject(reply);

    left = s->keep - at_time_mono();
    reply = NULL;

    if (s->page == 1 && s->pages + s->came == 0) {
        reply = at_redis_call(redis, "PEXPIRE " AT_SHOP_ASKED "%b %d LT", key,
                              sizeof(key), SHOP_TELL_AGAIN);

    } else if (left > 0) {
        reply = at_redis_call(redis, "PEXPIRE " AT_SHOP_ASKED "%b %lld GT",
                              key, sizeof(key), (long long) left);
    }

    freeReplyObject(reply);
    (void) shop_tell_publish(redis, key);

    at_log(AT_LOG_INFO, "job.over", at_log_text("requestId", s->request_id),
           at_log_text("query", s->query),
           at_log_text("category", s->category),
           at_log_int("late", (int64_t) s->late),
           at_log_int("came", (int64_t) s->came));
}


void
shop_tell_forget(at_redis_t *redis, const shop_search_t *s)
{
    char  key[AT_SHOP_KEY_HEX];

    at_shop_key(shop_word(s->query), shop_word(s->category), key);
    freeReplyObject(at_redis_call(redis, "DEL " AT_SHOP_ASKED "%b", key,
                                  sizeof(key)));
}


static int
shop_tell_publish(at_redis_t *redis, const char key[AT_SHOP_KEY_HEX])
{
    redisReply  *reply;

    reply = at_redis_call(redis, "PUBLISH " AT_SHOP_DONE " %b", key,
                          (size_t) AT_SHOP_KEY_HEX);
    if (reply == NULL) {
        return AT_ERROR;
    }

    freeReplyObject(reply);

    return AT_OK;
}
