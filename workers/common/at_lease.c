/*
 * Leases (see at_lease.h).
 */

#include "at_lease.h"
#include "at_script.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>


static const at_redis_script_t  at_lease_script_renew = {
    "if redis.call('GET', KEYS[1]) == ARGV[1] then\n"
    "  return redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
    "end\n"
    "return 0\n",
    AT_SCRIPT_LEASE_RENEW
};

static const at_redis_script_t  at_lease_script_release = {
    "if redis.call('GET', KEYS[1]) == ARGV[1] then\n"
    "  return redis.call('DEL', KEYS[1])\n"
    "end\n"
    "return 0\n",
    AT_SCRIPT_LEASE_RELEASE
};


static int at_lease_words(at_lease_t *lease, char ms[24], at_str_t words[3]);


int
at_lease_take(at_redis_t *r, at_lease_t *lease, const char *key, int64_t ms)
{
    int          taken;
    redisReply  *reply;

    (void) snprintf(lease->key, sizeof(lease->key), "%s", key);
    at_lease_random(lease->token);
    lease->ms = ms;

    reply = at_redis_call(r, "SET %s %s NX PX %lld", lease->key, lease->token,
                          (long long) ms);
    if (reply == NULL) {
        return AT_ERROR;
    }

    taken = at_str_is(at_redis_str(reply), "OK");
    freeReplyObject(reply);

    return taken;
}


int
at_lease_renew(at_redis_t *r, at_lease_t *lease)
{
    int          ours;
    char         ms[24];
    at_str_t     words[3];
    redisReply  *reply;

    reply = at_redis_eval(r, &at_lease_script_renew, 1,
                          (size_t) at_lease_words(lease, ms, words), words);
    if (reply == NULL) {
        return AT_ERROR;
    }

    ours = (at_redis_int(reply) == 1);
    freeReplyObject(reply);

    return ours;
}


void
at_lease_release(at_redis_t *r, at_lease_t *lease)
{
    char      ms[24];
    at_str_t  words[3];

    (void) at_lease_words(lease, ms, words);
    freeReplyObject(at_redis_eval(r, &at_lease_script_release, 1, 2, words));
}


void
at_lease_random(char out[33])
{
    uint8_t  bytes[16];

    randombytes_buf(bytes, sizeof(bytes));
    (void) sodium_bin2hex(out, 33, bytes, sizeof(bytes));
}


static int
at_lease_words(at_lease_t *lease, char ms[24], at_str_t words[3])
{
    int  n;

    n = snprintf(ms, 24, "%lld", (long long) lease->ms);

    words[0] = (at_str_t) { strlen(lease->key), lease->key };
    words[1] = (at_str_t) { strlen(lease->token), lease->token };
    words[2] = (at_str_t) { (size_t) n, ms };

    return 3;
}
