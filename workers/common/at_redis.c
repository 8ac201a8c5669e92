/*
 * Redis (see at_redis.h), by hiredis, waiting: a worker's threads have nothing
 * else to do meanwhile.
 *
 * After a time-out nobody knows what the next bytes would answer, so such a
 * connection is closed.  What was sent may have been done: callers only send
 * what can be done twice, or scripts that look first.
 */

#include "at_redis.h"
#include "at_log.h"
#include "at_time.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define AT_REDIS_BACKOFF_MIN  100       /* ms */
#define AT_REDIS_BACKOFF_MAX  5000
#define AT_REDIS_PORT         6379
#define AT_REDIS_WORDS        16        /* of a script that runs many times */


struct at_redis_s {
    const at_redis_settings_t  *settings;
    redisContext               *c;
    uint64_t                    connections;
    int64_t                     next;       /* try; at_time_mono() */
    int64_t                     backoff;
    unsigned                    up:1;
    unsigned                    told:1;     /* logged that it is away */
    char                        error[256];
    char                        sha[AT_REDIS_SCRIPTS][41];
};


static int at_redis_connect(at_redis_t *r);
static redisContext *at_redis_open(const at_redis_settings_t *s,
    struct timeval tv);
static int at_redis_greet(at_redis_t *r);
static int at_redis_password(const char *file, char *out, size_t size);
static void at_redis_lost(at_redis_t *r, const char *why);
static redisReply *at_redis_take(at_redis_t *r, redisReply *reply);
static int at_redis_answered(at_redis_t *r, const redisReply *reply);
static int at_redis_load(at_redis_t *r, const at_redis_script_t *script);
static int at_redis_append(at_redis_t *r, const at_redis_script_t *script,
    size_t nkeys, size_t n, const at_str_t *words);
static struct timeval at_redis_tv(int64_t ms);


at_redis_t *
at_redis_create(const at_redis_settings_t *settings)
{
    at_redis_t  *r;

    r = calloc(1, sizeof(at_redis_t));

    if (r) {
        r->settings = settings;
        r->backoff = AT_REDIS_BACKOFF_MIN;
    }

    return r;
}


void
at_redis_free(at_redis_t *r)
{
    if (r) {
        if (r->c) {
            redisFree(r->c);
        }

        free(r);
    }
}


const char *
at_redis_error(const at_redis_t *r)
{
    return r->error;
}


int
at_redis_up(const at_redis_t *r)
{
    return r->up;
}


uint64_t
at_redis_connection(const at_redis_t *r)
{
    return r->c ? r->connections : 0;
}


redisReply *
at_redis_call(at_redis_t *r, const char *fmt, ...)
{
    va_list      args;
    redisReply  *reply;

    if (at_redis_connect(r) != AT_OK) {
        return NULL;
    }

    va_start(args, fmt);
    reply = redisvCommand(r->c, fmt, args);
    va_end(args);

    return at_redis_take(r, reply);
}


redisReply *
at_redis_block(at_redis_t *r, int64_t ms, const char *fmt, ...)
{
    va_list      args;
    redisReply  *reply;

    if (at_redis_connect(r) != AT_OK) {
        return NULL;
    }

    (void) redisSetTimeout(r->c, at_redis_tv(r->settings->timeout + ms));

    va_start(args, fmt);
    reply = redisvCommand(r->c, fmt, args);
    va_end(args);

    reply = at_redis_take(r, reply);

    if (r->c) {
        (void) redisSetTimeout(r->c, at_redis_tv(r->settings->timeout));
    }

    return reply;
}


redisReply *
at_redis_argv(at_redis_t *r, size_t n, const at_str_t *words)
{
    size_t        i;
    size_t       *lens;
    redisReply   *reply;
    const char  **argv;

    if (at_redis_connect(r) != AT_OK) {
        return NULL;
    }

    lens = calloc(n, sizeof(size_t));
    argv = calloc(n, sizeof(char *));
    reply = NULL;

    if (lens && argv && n <= INT32_MAX) {
        for (i = 0; i < n; i++) {
            argv[i] = words[i].len ? words[i].data : "";
            lens[i] = words[i].len;
        }

        reply = at_redis_take(r, redisCommandArgv(r->c, (int) n, argv, lens));

    } else {
        (void) snprintf(r->error, sizeof(r->error), "no memory");
    }

    free(lens);
    free((void *) argv);

    return reply;
}


redisReply *
at_redis_eval(at_redis_t *r, const at_redis_script_t *script, size_t nkeys,
    size_t n, const at_str_t *words)
{
    int          try;
    char         keys[24];
    char        *sha;
    at_str_t    *all;
    redisReply  *reply;

    sha = r->sha[script->index];
    reply = NULL;

    all = calloc(n + 3, sizeof(at_str_t));
    if (all == NULL) {
        return NULL;
    }

    (void) snprintf(keys, sizeof(keys), "%zu", nkeys);
    all[0] = AT_STR("EVALSHA");
    all[2] = (at_str_t) { strlen(keys), keys };

    if (n > 0) {
        memcpy(all + 3, words, n * sizeof(at_str_t));
    }

    /* a second time if Redis has forgotten it: it was started anew */

    for (try = 0; try < 2 && reply == NULL; try++) {

        if (at_redis_load(r, script) != AT_OK) {
            break;
        }

        all[1] = (at_str_t) { 40, sha };
        reply = at_redis_argv(r, n + 3, all);

        if (reply || strncmp(r->error, "NOSCRIPT", 8) != 0) {
            break;
        }

        sha[0] = '\0';
    }

    free(all);

    return reply;
}


int
at_redis_eval_many(at_redis_t *r, const at_redis_script_t *script,
    size_t nkeys, size_t n, size_t calls, const at_str_t *words,
    redisReply **replies)
{
    size_t  i;
    void   *reply;

    memset(replies, 0, calls * sizeof(redisReply *));

    if (at_redis_load(r, script) != AT_OK) {
        return AT_ERROR;
    }

    for (i = 0; i < calls; i++) {
        if (at_redis_append(r, script, nkeys, n, words + i * n) != AT_OK) {
            at_redis_lost(r, "no memory");
            return AT_ERROR;
        }
    }

    for (i = 0; i < calls; i++) {
        if (redisGetReply(r->c, &reply) != REDIS_OK) {
            at_redis_lost(r, r->c->errstr);
            return AT_ERROR;
        }

        replies[i] = reply;

        if (at_redis_answered(r, replies[i]) != AT_OK) {
            return AT_ERROR;
        }

        if (strncmp(r->error, "NOSCRIPT", 8) == 0) {
            r->sha[script->index][0] = '\0';
        }
    }

    return AT_OK;
}


/* Sees to it that its sha is known. */

static int
at_redis_load(at_redis_t *r, const at_redis_script_t *script)
{
    int          rc;
    redisReply  *reply;

    if (at_redis_connect(r) != AT_OK) {
        return AT_ERROR;
    }

    if (r->sha[script->index][0] != '\0') {
        return AT_OK;
    }

    reply = at_redis_call(r, "SCRIPT LOAD %s", script->text);
    rc = AT_ERROR;

    if (at_redis_str(reply).len == 40) {
        memcpy(r->sha[script->index], reply->str, 41);
        rc = AT_OK;
    }

    freeReplyObject(reply);

    return rc;
}


static int
at_redis_append(at_redis_t *r, const at_redis_script_t *script, size_t nkeys,
    size_t n, const at_str_t *words)
{
    char         keys[24];
    size_t       i, lens[AT_REDIS_WORDS + 3];
    const char  *argv[AT_REDIS_WORDS + 3];

    if (n > AT_REDIS_WORDS) {
        return AT_ERROR;
    }

    (void) snprintf(keys, sizeof(keys), "%zu", nkeys);

    argv[0] = "EVALSHA";
    argv[1] = r->sha[script->index];
    argv[2] = keys;

    for (i = 0; i < 3; i++) {
        lens[i] = strlen(argv[i]);
    }

    for (i = 0; i < n; i++) {
        argv[i + 3] = words[i].len ? words[i].data : "";
        lens[i + 3] = words[i].len;
    }

    return (redisAppendCommandArgv(r->c, (int) n + 3, argv, lens) == REDIS_OK)
           ? AT_OK : AT_ERROR;
}


at_str_t
at_redis_str(const redisReply *reply)
{
    if (reply == NULL || (reply->type != REDIS_REPLY_STRING
                          && reply->type != REDIS_REPLY_STATUS))
    {
        return AT_STR_NULL;
    }

    return (at_str_t) { reply->len, reply->str };
}


int64_t
at_redis_int(const redisReply *reply)
{
    if (reply == NULL) {
        return 0;
    }

    if (reply->type == REDIS_REPLY_INTEGER) {
        return reply->integer;
    }

    return (reply->type == REDIS_REPLY_STRING) ? strtoll(reply->str, NULL, 10)
                                               : 0;
}


redisReply *
at_redis_at(const redisReply *reply, size_t i)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements <= i)
    {
        return NULL;
    }

    return reply->element[i];
}


const char *
at_redis_check(const char *address)
{
    char           *end;
    const char     *colon;
    unsigned long   port;

    if (strncmp(address, "unix:", 5) == 0) {
        return (address[5] == '/' && strlen(address + 5) < 108)
               ? NULL : "is no socket: write unix:/path, 107 bytes at most";
    }

    colon = strchr(address, ':');

    if (address[0] == '\0' || colon == address || strpbrk(address, " /[]")) {
        return "is no address: write unix:/path or host:port";
    }

    if (colon) {
        port = strtoul(colon + 1, &end, 10);

        if (*end != '\0' || port == 0 || port > 65535) {
            return "has no port from 1 to 65535";
        }
    }

    return NULL;
}


static redisReply *
at_redis_take(at_redis_t *r, redisReply *reply)
{
    if (reply == NULL) {
        at_redis_lost(r, r->c->err ? r->c->errstr : "no answer");
        return NULL;
    }

    if (at_redis_answered(r, reply) != AT_OK
        || reply->type == REDIS_REPLY_ERROR)
    {
        freeReplyObject(reply);
        return NULL;
    }

    return reply;
}


/* AT_ERROR: by an answer after which the connection is of no use. */

static int
at_redis_answered(at_redis_t *r, const redisReply *reply)
{
    r->up = 1;

    if (reply->type == REDIS_REPLY_ERROR) {
        (void) snprintf(r->error, sizeof(r->error), "%s", reply->str);

        /* a Redis that reads its data, or is a replica now, is not up */

        if (strncmp(reply->str, "LOADING", 7) == 0
            || strncmp(reply->str, "READONLY", 8) == 0)
        {
            at_redis_lost(r, reply->str);
            return AT_ERROR;
        }

        return AT_OK;
    }

    /* a connection alone says little: it is back when it has answered */

    if (r->told) {
        at_log(AT_LOG_INFO, "redis.back",
               at_log_text("address", r->settings->address));
    }

    r->told = 0;
    r->backoff = AT_REDIS_BACKOFF_MIN;

    r->error[0] = '\0';

    return AT_OK;
}


static int
at_redis_connect(at_redis_t *r)
{
    char  why[128];

    if (r->c) {
        return AT_OK;
    }

    if (at_time_mono() < r->next) {
        return AT_ERROR;
    }

    r->c = at_redis_open(r->settings, at_redis_tv(r->settings->timeout));

    if (r->c == NULL || r->c->err) {
        (void) snprintf(why, sizeof(why), "%s",
                        r->c ? r->c->errstr : "no memory");
        at_redis_lost(r, why);
        return AT_ERROR;
    }

    r->connections++;
    (void) redisSetTimeout(r->c, at_redis_tv(r->settings->timeout));

    if (r->c->connection_type == REDIS_CONN_TCP) {
        (void) redisEnableKeepAlive(r->c);
    }

    return at_redis_greet(r);
}


static redisContext *
at_redis_open(const at_redis_settings_t *s, struct timeval tv)
{
    int          port;
    char         host[256];
    const char  *colon;

    if (strncmp(s->address, "unix:", 5) == 0) {
        return redisConnectUnixWithTimeout(s->address + 5, tv);
    }

    colon = strchr(s->address, ':');
    port = colon ? atoi(colon + 1) : AT_REDIS_PORT;

    (void) snprintf(host, sizeof(host), "%.*s",
                    colon ? (int) (colon - s->address) : 255, s->address);

    return redisConnectWithTimeout(host, port, tv);
}


/* AUTH and SELECT of a new connection. */

static int
at_redis_greet(at_redis_t *r)
{
    char                        password[512];
    redisReply                 *reply;
    const at_redis_settings_t  *s = r->settings;

    if (s->password_file[0]) {

        if (at_redis_password(s->password_file, password, sizeof(password))
            != AT_OK)
        {
            at_redis_lost(r, "the password file cannot be read");
            return AT_ERROR;
        }

        reply = s->user[0] ? redisCommand(r->c, "AUTH %s %s", s->user,
                                          password)
                           : redisCommand(r->c, "AUTH %s", password);
        explicit_bzero(password, sizeof(password));

        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
            at_redis_lost(r, reply ? reply->str : r->c->errstr);
            freeReplyObject(reply);
            return AT_ERROR;
        }

        freeReplyObject(reply);
    }

    if (s->db > 0) {
        reply = redisCommand(r->c, "SELECT %lld", (long long) s->db);

        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
            at_redis_lost(r, reply ? reply->str : r->c->errstr);
            freeReplyObject(reply);
            return AT_ERROR;
        }

        freeReplyObject(reply);
    }

    return AT_OK;
}


static int
at_redis_password(const char *file, char *out, size_t size)
{
    FILE  *in;
    char  *line;

    in = fopen(file, "re");
    if (in == NULL) {
        return AT_ERROR;
    }

    line = fgets(out, (int) size, in);
    (void) fclose(in);

    if (line == NULL) {
        return AT_ERROR;
    }

    line[strcspn(line, "\r\n")] = '\0';

    return (line[0] != '\0') ? AT_OK : AT_ERROR;
}


/* why may be the connection's own text. */

static void
at_redis_lost(at_redis_t *r, const char *why)
{
    char     text[sizeof(r->error)];
    int64_t  max;

    (void) snprintf(text, sizeof(text), "%s", why);
    memcpy(r->error, text, sizeof(text));

    if (!r->told) {
        at_log(AT_LOG_WARN, "redis.away",
               at_log_text("address", r->settings->address),
               at_log_text("error", r->error));
    }

    r->told = 1;
    r->up = 0;

    if (r->c) {
        redisFree(r->c);
        r->c = NULL;
    }

    memset(r->sha, 0, sizeof(r->sha));

    r->next = at_time_mono() + r->backoff;
    max = r->settings->backoff ? r->settings->backoff : AT_REDIS_BACKOFF_MAX;
    r->backoff = (r->backoff * 2 < max) ? r->backoff * 2 : max;
}


static struct timeval
at_redis_tv(int64_t ms)
{
    return (struct timeval) { .tv_sec = (time_t) (ms / 1000),
                              .tv_usec = (suseconds_t) (ms % 1000) * 1000 };
}
