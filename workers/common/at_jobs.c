/*
 * Jobs on a stream (see at_jobs.h).
 */

#include "at_jobs.h"
#include "at_lease.h"
#include "at_log.h"
#include "at_script.h"
#include "at_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define AT_JOBS_LOOK_MAX   1000         /* ms between looks for dead ones */
#define AT_JOBS_RETRY_MAX  60000        /* ms */


struct at_jobs_s {
    const at_jobs_settings_t  *settings;
    at_redis_t                *redis;
    char                       consumer[40];
    char                       dead[AT_JOBS_NAME_MAX];
    char                       cursor[AT_JOBS_ID_MAX];
    int64_t                    look;    /* when to, at_time_mono() */
    int64_t                    trimmed;
    unsigned                   grouped:1;
};


/* KEYS: stream, dead stream.  ARGV: group, consumer, id, ... */

#define AT_JOBS_LUA_OURS                                                      \
    "local p = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3],\n"  \
    "                     1)\n"                                               \
    "if not p[1] or p[1][2] ~= ARGV[2] then return 0 end\n"

#define AT_JOBS_LUA_END                                                       \
    "redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])\n"                         \
    "if ARGV[4] == '0' then redis.call('XDEL', KEYS[1], ARGV[3]) end\n"       \
    "return 1\n"


static const at_redis_script_t  at_jobs_script_done = {
    AT_JOBS_LUA_OURS
    AT_JOBS_LUA_END,
    AT_SCRIPT_JOB_DONE
};

/* ARGV: ... keep, reason, entries kept */

static const at_redis_script_t  at_jobs_script_dead = {
    AT_JOBS_LUA_OURS
    "local e = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])\n"
    "local words = {}\n"
    "if e[1] then words = e[1][2] end\n"
    "for _, w in ipairs({'deadId', ARGV[3], 'deadReason', ARGV[5],\n"
    "                    'deadAttempts', p[1][4]}) do\n"
    "  words[#words + 1] = w\n"
    "end\n"
    "redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*',\n"
    "           unpack(words))\n"
    AT_JOBS_LUA_END,
    AT_SCRIPT_JOB_DEAD
};

/* ARGV: ... how long it counts as silent, attempts it has had */

static const at_redis_script_t  at_jobs_script_idle = {
    AT_JOBS_LUA_OURS
    "redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE',\n"
    "           ARGV[4], 'RETRYCOUNT', ARGV[5], 'JUSTID')\n"
    "return 1\n",
    AT_SCRIPT_JOB_IDLE
};

/* KEYS: stream.  ARGV: group, consumer. */

static const at_redis_script_t  at_jobs_script_leave = {
    "local p = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1,\n"
    "                     ARGV[2])\n"
    "if p[1] then return 0 end\n"
    "redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])\n"
    "return 1\n",
    AT_SCRIPT_JOB_LEAVE
};

/*
 * KEYS: stream.  ARGV: group, ms.  Takes out consumers that were killed long
 * ago and have nothing left that anybody could claim.
 */

static const at_redis_script_t  at_jobs_script_sweep = {
    "local n = 0\n"
    "for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1]))\n"
    "do\n"
    "  local of = {}\n"
    "  for i = 1, #c, 2 do of[c[i]] = c[i + 1] end\n"
    "  if of.pending == 0 and of.idle > tonumber(ARGV[2]) then\n"
    "    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], of.name)\n"
    "    n = n + 1\n"
    "  end\n"
    "end\n"
    "return n\n",
    AT_SCRIPT_JOB_SWEEP
};


static int at_jobs_group(at_jobs_t *jobs);
static int at_jobs_claim(at_jobs_t *jobs, at_job_t *job);
static int at_jobs_read(at_jobs_t *jobs, int64_t ms, at_job_t *job);
static int at_jobs_take(at_job_t *job, redisReply *reply, redisReply *entry);
static int at_jobs_attempt(at_jobs_t *jobs, at_job_t *job);
static int at_jobs_idle(at_jobs_t *jobs, at_job_t *job, int64_t idle,
    int64_t attempts);
static int at_jobs_end(at_jobs_t *jobs, at_job_t *job,
    const at_redis_script_t *script, const char *a, const char *b,
    const char *c);
static void at_jobs_drop(at_job_t *job);
static at_str_t at_jobs_word(const char *text);


at_jobs_t *
at_jobs_create(const at_jobs_settings_t *settings, at_redis_t *redis)
{
    char        name[33];
    at_jobs_t  *jobs;

    jobs = calloc(1, sizeof(at_jobs_t));

    if (jobs) {
        jobs->settings = settings;
        jobs->redis = redis;
        at_lease_random(name);
        (void) snprintf(jobs->consumer, sizeof(jobs->consumer), "%s", name);
        (void) snprintf(jobs->dead, sizeof(jobs->dead), "%s:dead",
                        settings->stream);
        (void) snprintf(jobs->cursor, sizeof(jobs->cursor), "0-0");
    }

    return jobs;
}


void
at_jobs_free(at_jobs_t *jobs)
{
    at_str_t  words[3];

    if (jobs == NULL) {
        return;
    }

    if (jobs->grouped) {
        words[0] = at_jobs_word(jobs->settings->stream);
        words[1] = at_jobs_word(jobs->settings->group);
        words[2] = at_jobs_word(jobs->consumer);

        freeReplyObject(at_redis_eval(jobs->redis, &at_jobs_script_leave, 1,
                                      3, words));
    }

    free(jobs);
}


int64_t
at_jobs_trimmed(const at_jobs_t *jobs)
{
    return jobs->trimmed;
}


at_str_t
at_job_get(const at_job_t *job, const char *name)
{
    size_t  i;

    for (i = 0; job->fields && i + 1 < job->fields->elements; i += 2) {
        if (at_str_is(at_redis_str(job->fields->element[i]), name)) {
            return at_redis_str(job->fields->element[i + 1]);
        }
    }

    return AT_STR_NULL;
}


int
at_jobs_next(at_jobs_t *jobs, int64_t ms, at_job_t *job)
{
    int      rc;
    int64_t  now, every;

    memset(job, 0, sizeof(at_job_t));

    if (!jobs->grouped && at_jobs_group(jobs) != AT_OK) {
        return AT_ERROR;
    }

    now = at_time_mono();

    if (now >= jobs->look) {
        rc = at_jobs_claim(jobs, job);

        if (rc != 0) {
            return rc;
        }

        every = jobs->settings->claim_after / 4;
        jobs->look = now + (every < AT_JOBS_LOOK_MAX ? every
                                                     : AT_JOBS_LOOK_MAX);
    }

    return at_jobs_read(jobs, ms, job);
}


int
at_jobs_keep(at_jobs_t *jobs, at_job_t *job)
{
    return at_jobs_idle(jobs, job, 0, job->attempt);
}


int
at_jobs_done(at_jobs_t *jobs, at_job_t *job)
{
    int  rc;

    rc = at_jobs_end(jobs, job, &at_jobs_script_done,
                     jobs->settings->keep ? "1" : "0", NULL, NULL);
    at_jobs_drop(job);

    return rc;
}


int
at_jobs_dead(at_jobs_t *jobs, at_job_t *job, const char *reason)
{
    int  rc;

    rc = at_jobs_end(jobs, job, &at_jobs_script_dead,
                     jobs->settings->keep ? "1" : "0", reason,
                     AT_JOBS_DEAD_MAX);

    at_log(AT_LOG_ERROR, "job.dead",
           at_log_str("requestId", at_job_get(job, "request_id")),
           at_log_str("kind", at_job_get(job, "kind")),
           at_log_text("job", job->id), at_log_text("reason", reason),
           at_log_int("attempt", job->attempt));

    at_jobs_drop(job);

    return rc;
}


int
at_jobs_retry(at_jobs_t *jobs, at_job_t *job, int64_t ms, const char *reason)
{
    int      rc;
    int64_t  i;

    if (job->attempt >= jobs->settings->attempts) {
        return at_jobs_dead(jobs, job, reason);
    }

    for (i = 1; i < job->attempt && ms < AT_JOBS_RETRY_MAX; i++) {
        ms *= 2;
    }

    if (ms > jobs->settings->claim_after) {
        ms = jobs->settings->claim_after;
    }

    rc = at_jobs_idle(jobs, job, jobs->settings->claim_after - ms,
                      job->attempt);

    at_log(AT_LOG_WARN, "job.retry",
           at_log_str("requestId", at_job_get(job, "request_id")),
           at_log_str("kind", at_job_get(job, "kind")),
           at_log_text("job", job->id), at_log_text("reason", reason),
           at_log_int("attempt", job->attempt), at_log_int("inMs", ms));

    at_jobs_drop(job);

    return rc;
}


int
at_jobs_release(at_jobs_t *jobs, at_job_t *job)
{
    int  rc;

    rc = at_jobs_idle(jobs, job, jobs->settings->claim_after,
                      job->attempt - 1);
    at_jobs_drop(job);

    return rc;
}


static int
at_jobs_group(at_jobs_t *jobs)
{
    char         idle[24];
    at_str_t     words[3];
    redisReply  *reply;

    reply = at_redis_call(jobs->redis, "XGROUP CREATE %s %s 0 MKSTREAM",
                          jobs->settings->stream, jobs->settings->group);

    if (reply == NULL
        && strncmp(at_redis_error(jobs->redis), "BUSYGROUP", 9) != 0)
    {
        return AT_ERROR;
    }

    freeReplyObject(reply);
    jobs->grouped = 1;

    /* a living one is never silent for so long */

    (void) snprintf(idle, sizeof(idle), "%lld",
                    60LL * jobs->settings->claim_after);
    words[0] = at_jobs_word(jobs->settings->stream);
    words[1] = at_jobs_word(jobs->settings->group);
    words[2] = at_jobs_word(idle);

    freeReplyObject(at_redis_eval(jobs->redis, &at_jobs_script_sweep, 1, 3,
                                  words));

    return AT_OK;
}


/* One that its consumer has been silent about; as at_jobs_next(). */

static int
at_jobs_claim(at_jobs_t *jobs, at_job_t *job)
{
    int          rc;
    at_str_t     cursor;
    redisReply  *reply, *gone;

    reply = at_redis_call(jobs->redis,
                          "XAUTOCLAIM %s %s %s %lld %s COUNT 1",
                          jobs->settings->stream, jobs->settings->group,
                          jobs->consumer,
                          (long long) jobs->settings->claim_after,
                          jobs->cursor);
    if (reply == NULL) {
        jobs->grouped = 0;
        return at_redis_up(jobs->redis) ? 0 : AT_ERROR;
    }

    cursor = at_redis_str(at_redis_at(reply, 0));

    if (cursor.len < AT_JOBS_ID_MAX) {
        (void) snprintf(jobs->cursor, AT_JOBS_ID_MAX, "%.*s",
                        (int) cursor.len, cursor.data);
    }

    gone = at_redis_at(reply, 2);

    if (gone && gone->type == REDIS_REPLY_ARRAY && gone->elements > 0) {
        jobs->trimmed += (int64_t) gone->elements;
        at_log(AT_LOG_ERROR, "job.trimmed",
               at_log_text("stream", jobs->settings->stream),
               at_log_int("jobs", (int64_t) gone->elements));
    }

    rc = at_jobs_take(job, reply, at_redis_at(at_redis_at(reply, 1), 0));

    if (rc != 1) {
        freeReplyObject(reply);
        return 0;
    }

    return at_jobs_attempt(jobs, job);
}


static int
at_jobs_read(at_jobs_t *jobs, int64_t ms, at_job_t *job)
{
    redisReply  *reply;

    reply = at_redis_block(jobs->redis, ms,
                           "XREADGROUP GROUP %s %s COUNT 1 BLOCK %lld "
                           "STREAMS %s >", jobs->settings->group,
                           jobs->consumer, (long long) ms,
                           jobs->settings->stream);
    if (reply == NULL) {

        /* most likely Redis was started anew, without the group */

        jobs->grouped = 0;
        return AT_ERROR;
    }

    job->attempt = 1;

    if (at_jobs_take(job, reply, at_redis_at(at_redis_at(at_redis_at(reply, 0),
                                                         1), 0))
        == 1)
    {
        return 1;
    }

    freeReplyObject(reply);

    return 0;
}


/* 1: entry is a job, and reply belongs to it from now on. */

static int
at_jobs_take(at_job_t *job, redisReply *reply, redisReply *entry)
{
    at_str_t     id;
    redisReply  *fields;

    id = at_redis_str(at_redis_at(entry, 0));
    fields = at_redis_at(entry, 1);

    if (id.len == 0 || id.len >= AT_JOBS_ID_MAX || fields == NULL
        || fields->type != REDIS_REPLY_ARRAY)
    {
        return 0;
    }

    memcpy(job->id, id.data, id.len + 1);
    job->reply = reply;
    job->fields = fields;

    return 1;
}


/* How often a job that was claimed has been given out; 1, or it is dead. */

static int
at_jobs_attempt(at_jobs_t *jobs, at_job_t *job)
{
    redisReply  *reply;

    reply = at_redis_call(jobs->redis, "XPENDING %s %s %s %s 1",
                          jobs->settings->stream, jobs->settings->group,
                          job->id, job->id);
    if (reply == NULL) {
        at_jobs_drop(job);
        return AT_ERROR;
    }

    job->attempt = at_redis_int(at_redis_at(at_redis_at(reply, 0), 3));
    freeReplyObject(reply);

    if (job->attempt > jobs->settings->attempts) {
        (void) at_jobs_dead(jobs, job, "whoever tried it did not survive it");
        return 0;
    }

    at_log(AT_LOG_INFO, "job.claimed",
           at_log_str("requestId", at_job_get(job, "request_id")),
           at_log_str("kind", at_job_get(job, "kind")),
           at_log_text("job", job->id), at_log_int("attempt", job->attempt));

    return 1;
}


static int
at_jobs_idle(at_jobs_t *jobs, at_job_t *job, int64_t idle, int64_t attempts)
{
    char  a[24], b[24];

    (void) snprintf(a, sizeof(a), "%lld", (long long) idle);
    (void) snprintf(b, sizeof(b), "%lld", (long long) attempts);

    return at_jobs_end(jobs, job, &at_jobs_script_idle, a, b, NULL);
}


static int
at_jobs_end(at_jobs_t *jobs, at_job_t *job, const at_redis_script_t *script,
    const char *a, const char *b, const char *c)
{
    int          ours;
    size_t       n;
    at_str_t     words[8];
    redisReply  *reply;

    n = 0;
    words[n++] = at_jobs_word(jobs->settings->stream);
    words[n++] = at_jobs_word(jobs->dead);
    words[n++] = at_jobs_word(jobs->settings->group);
    words[n++] = at_jobs_word(jobs->consumer);
    words[n++] = at_jobs_word(job->id);
    words[n++] = at_jobs_word(a);

    if (b) {
        words[n++] = at_jobs_word(b);
    }

    if (c) {
        words[n++] = at_jobs_word(c);
    }

    reply = at_redis_eval(jobs->redis, script, 2, n, words);
    if (reply == NULL) {
        return AT_ERROR;
    }

    ours = (at_redis_int(reply) == 1);
    freeReplyObject(reply);

    return ours;
}


static void
at_jobs_drop(at_job_t *job)
{
    freeReplyObject(job->reply);
    memset(job, 0, sizeof(at_job_t));
}


static at_str_t
at_jobs_word(const char *text)
{
    return (at_str_t) { strlen(text), text };
}
