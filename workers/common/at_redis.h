/*
 * A connection to Redis that mends itself.
 *
 * One thread uses one at_redis_t.  Every command has a time limit; when Redis
 * is away, calls return NULL at once until the next try is due, at first after
 * 0.1 s, in the end every 5 s or what backoff says.  A reply is freed by
 * freeReplyObject(), and is never an error: those count as NULL, and
 * at_redis_error() says which.
 */

#ifndef AT_REDIS_H
#define AT_REDIS_H


#include "at.h"

#include <hiredis/hiredis.h>


typedef struct {
    const char  *address;           /* unix:/path, host, host:port */
    const char  *user;              /* or "" */
    const char  *password_file;     /* or "" */
    int64_t      db;
    int64_t      timeout;           /* ms */
    int64_t      backoff;           /* ms between tries at most; 0: 5 s */
} at_redis_settings_t;


/* Static; sha is found out at first use. */
typedef struct {
    const char  *text;
    unsigned     index;             /* below AT_REDIS_SCRIPTS, of its own */
} at_redis_script_t;


#define AT_REDIS_SCRIPTS  32


typedef struct at_redis_s  at_redis_t;


/* settings must outlive it.  NULL: no memory. */
at_redis_t *at_redis_create(const at_redis_settings_t *settings);
void at_redis_free(at_redis_t *r);

/* The formats of redisCommand(): %s, %b with a size_t, %lld. */
redisReply *at_redis_call(at_redis_t *r, const char *fmt, ...);

/* The same for a command that waits so many ms by itself. */
redisReply *at_redis_block(at_redis_t *r, int64_t ms, const char *fmt, ...);

redisReply *at_redis_argv(at_redis_t *r, size_t n, const at_str_t *words);

/* A script; the first nkeys of the words are keys. */
redisReply *at_redis_eval(at_redis_t *r, const at_redis_script_t *script,
    size_t nkeys, size_t n, const at_str_t *words);

/*
 * A script many times in one round trip: calls lists of n words, one behind
 * the other.  All replies are set if AT_OK is returned, errors among them; of
 * "NOSCRIPT ..." the script was not there, and will be next time.  AT_ERROR:
 * Redis is away; replies are set as far as they came, the others are NULL.
 */
int at_redis_eval_many(at_redis_t *r, const at_redis_script_t *script,
    size_t nkeys, size_t n, size_t calls, const at_str_t *words,
    redisReply **replies);

/* Why the last call returned NULL; "" if it did not. */
const char *at_redis_error(const at_redis_t *r);

/* 1: the last command was answered, be it by an error. */
int at_redis_up(const at_redis_t *r);

/* Another number with each connection; 0: there is none. */
uint64_t at_redis_connection(const at_redis_t *r);

/* NULL, or what is wrong with an address of the settings. */
const char *at_redis_check(const char *address);

/* Replies: text of a string, number of an integer or of digits, else empty. */
at_str_t at_redis_str(const redisReply *reply);
int64_t at_redis_int(const redisReply *reply);

/* Element i of a list with more than i, else NULL, as for reply NULL. */
redisReply *at_redis_at(const redisReply *reply, size_t i);


#endif /* AT_REDIS_H */
