/*
 * For the tests of the pace of hosts: a Redis, settings, and what stands for a
 * rule of a shop.
 */

#ifndef AT_TEST_PACE_H
#define AT_TEST_PACE_H


#include "at_test.h"
#include "at_test_redis.h"
#include "at_pace.h"


#define SECOND  ((int64_t) 1000000)
#define NAME    AT_STR("shop.test")


static at_test_redis_t  server;


static inline int
begin(void **state)
{
    (void) state;
    (void) signal(SIGPIPE, SIG_IGN);

    return at_test_redis_start(&server);
}


static inline int
end(void **state)
{
    (void) state;
    at_test_redis_end(&server);

    return 0;
}


static inline at_pace_settings_t
settings(int shared)
{
    return (at_pace_settings_t) {
        .redis = shared ? &server.settings : NULL, .share = 4,
        .connect = 5 * SECOND, .flight = 10 * SECOND,
        .window = SECOND / 20,
        .wall_least = 900 * SECOND, .wall_most = 86400 * SECOND
    };
}


static inline const at_pace_rule_t *
rule(int64_t gap, unsigned limit)
{
    static at_pace_rule_t  r;

    r = (at_pace_rule_t) { .gap = gap, .limit = limit };

    return &r;
}


static inline void
flush(void)
{
    at_redis_t  *r;

    r = at_redis_create(&server.settings);
    freeReplyObject(at_redis_call(r, "FLUSHALL"));
    at_redis_free(r);
}


#endif /* AT_TEST_PACE_H */
