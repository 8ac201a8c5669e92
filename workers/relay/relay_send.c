/*
 * Messages into Redis, in one round trip for a batch.
 *
 * What is sent twice is published once: the script looks at the last id of the
 * stream.  It tells of a gap before a message, too, so that one which failed
 * is not overtaken: that could never be made good.  A gap that nothing in the
 * batch accounts for is one of Redis, which has lost something, and is passed.
 *
 * Redis may refuse all there is, as when its memory is full: then nothing is
 * sent for a second.  It may refuse one channel, as when the key there is of
 * another type: that one waits by itself and is tried every second.  Neither
 * is ever given up, and both are seen in the log and in metrics.
 *
 * A Redis that was started anew with an older copy of its data, or a replica
 * that was behind and took over, has streams that end too early, and who reads
 * those takes an old price for the present one.  So a new connection is asked
 * for its run first: unless it is the one that was seen to before, all streams
 * go, and until they are gone nginx believes none of them.
 */

#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define RELAY_WORDS   4
#define RELAY_PASSES  3
#define RELAY_RETRY   1000      /* ms */
#define RELAY_GAP     (-1)


static const at_redis_script_t  relay_send_publish = {
    "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]\n"
    "if last then\n"
    "  local id = tonumber(ARGV[1])\n"
    "  last = tonumber(string.match(last[1], '^%d+'))\n"
    "  if last >= id then return 0 end\n"
    "  if last < id - 1 and ARGV[3] == '' then return -1 end\n"
    "end\n"
    "redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, ARGV[1] .. '-0',\n"
    "           'd', ARGV[2])\n"
    "redis.call('EXPIRE', KEYS[1], 3600)\n"
    "redis.call('PUBLISH', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])\n"
    "return 1",
    RELAY_SCRIPT_PUBLISH
};


static const at_redis_script_t  relay_send_sound = {
    "local info = redis.pcall('INFO', 'server')\n"
    "local run = type(info) == 'string'\n"
    "            and string.match(info, 'run_id:(%x+)')\n"
    "if not run or redis.call('GET', KEYS[1]) == run then return '0' end\n"
    "local all = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)\n"
    "for _, key in ipairs(all[2]) do redis.call('UNLINK', key) end\n"
    "if all[1] == '0' then redis.call('SET', KEYS[1], run) end\n"
    "return all[1]",
    RELAY_SCRIPT_SOUND
};


static int relay_send_streams(relay_t *t);
static int relay_send_pass(relay_t *t);
static int relay_send_some(relay_t *t, relay_row_t **rows, size_t n);
static int relay_send_words(relay_row_t **rows, size_t n, at_str_t *words,
    at_buf_t *keys);
static void relay_send_reply(relay_t *t, relay_row_t *row,
    const redisReply *reply);
static int relay_send_before(relay_t *t, const relay_row_t *row);
static int relay_send_general(const char *why);
static void relay_send_pause(relay_t *t, const char *why);
static void relay_send_refused(relay_t *t, const relay_row_t *row,
    const char *why);
static void relay_send_taken(relay_t *t, const relay_row_t *row);


int
relay_send(relay_t *t)
{
    int     rc, pass;
    size_t  i, left;

    t->pause = 0;
    rc = relay_send_streams(t);

    for (pass = 0; rc == AT_OK && !t->pause && pass < RELAY_PASSES; pass++) {
        rc = relay_send_pass(t);

        for (i = 0, left = 0; i < t->nrows; i++) {
            left += (t->rows[i].state == RELAY_WAITS);
        }

        if (left == 0) {
            break;
        }
    }

    if (rc == AT_OK && !t->pause && t->refuses) {
        t->refuses = 0;
        at_log(AT_LOG_INFO, "redis.takes",
               at_log_text("address", t->run->redis.address));
    }

    relay_count(RELAY_BATCHES, 1);
    relay_set(RELAY_REFUSED_CHANNELS, (int64_t) t->nrefused);

    return rc;
}


/* AT_ERROR: Redis is away.  One that does not tell its run is believed. */

static int
relay_send_streams(relay_t *t)
{
    char         cursor[24];
    at_str_t     next;
    const char  *why;
    redisReply  *reply;

    if (t->sound && t->sound == at_redis_connection(t->redis)) {
        return AT_OK;
    }

    (void) snprintf(cursor, sizeof(cursor), "0");

    do {
        reply = at_redis_eval(t->redis, &relay_send_sound, 1, 3,
                              (at_str_t[]) {
                                  AT_STR(RELAY_RUN),
                                  { strlen(cursor), cursor },
                                  AT_STR(RELAY_KEY "*") });
        if (reply == NULL) {
            why = at_redis_error(t->redis);

            if (relay_send_general(why) && strstr(why, "NOPERM") == NULL) {
                relay_send_pause(t, why);
                return AT_OK;
            }

            break;
        }

        next = at_redis_str(reply);
        (void) snprintf(cursor, sizeof(cursor), "%.*s", (int) next.len,
                        next.data);
        freeReplyObject(reply);

    } while (strcmp(cursor, "0") != 0);

    t->sound = at_redis_connection(t->redis);

    return t->sound ? AT_OK : AT_ERROR;
}


static int
relay_send_pass(relay_t *t)
{
    int            rc;
    size_t         i, n;
    relay_row_t  **rows;

    rows = calloc(t->nrows, sizeof(relay_row_t *));
    if (rows == NULL) {
        return AT_ERROR;
    }

    for (i = 0, n = 0; i < t->nrows; i++) {
        if (t->rows[i].state == RELAY_WAITS) {
            rows[n++] = &t->rows[i];
        }
    }

    rc = n ? relay_send_some(t, rows, n) : AT_OK;
    free(rows);

    return rc;
}


static int
relay_send_some(relay_t *t, relay_row_t **rows, size_t n)
{
    int           rc;
    size_t        i;
    at_buf_t      keys = { .max = 0 };
    at_str_t     *words;
    redisReply  **replies;

    words = calloc(n * RELAY_WORDS, sizeof(at_str_t));
    replies = calloc(n, sizeof(redisReply *));
    rc = AT_ERROR;

    if (words && replies && relay_send_words(rows, n, words, &keys) == AT_OK)
    {
        rc = at_redis_eval_many(t->redis, &relay_send_publish, 1, RELAY_WORDS,
                                n, words, replies);

        for (i = 0; i < n; i++) {
            if (replies[i]) {
                relay_send_reply(t, rows[i], replies[i]);
                freeReplyObject(replies[i]);
            }
        }
    }

    at_buf_free(&keys);
    free(words);
    free(replies);

    return rc;
}


static int
relay_send_words(relay_row_t **rows, size_t n, at_str_t *words,
    at_buf_t *keys)
{
    int     rc;
    char   *at;
    size_t  i;

    rc = AT_OK;

    for (i = 0; i < n; i++) {
        rc |= at_buf_append_str(keys, AT_STR(RELAY_KEY));
        rc |= at_buf_append_str(keys, rows[i]->channel);
    }

    if (rc != AT_OK) {
        return AT_ERROR;
    }

    /* only now, when the buffer does not move any more */

    at = (char *) keys->data;

    for (i = 0; i < n; i++) {
        words[0].data = at;
        words[0].len = sizeof(RELAY_KEY) - 1 + rows[i]->channel.len;
        words[1] = rows[i]->id;
        words[2] = rows[i]->data;
        words[3] = rows[i]->force ? AT_STR("1") : AT_STR("");

        at += words[0].len;
        words += RELAY_WORDS;
    }

    return AT_OK;
}


static void
relay_send_reply(relay_t *t, relay_row_t *row, const redisReply *reply)
{
    const char  *why;

    if (reply->type == REDIS_REPLY_INTEGER && reply->integer != RELAY_GAP) {
        row->state = RELAY_DONE;
        relay_count(reply->integer ? RELAY_PUBLISHED : RELAY_REPEATED, 1);
        relay_send_taken(t, row);
        return;
    }

    if (reply->type == REDIS_REPLY_INTEGER) {
        row->force = !relay_send_before(t, row);
        return;
    }

    why = (reply->type == REDIS_REPLY_ERROR) ? reply->str
                                             : "an answer of another kind";

    if (strncmp(why, "NOSCRIPT", 8) == 0) {
        return;
    }

    relay_count(RELAY_REFUSALS, 1);

    if (relay_send_general(why)) {
        relay_send_pause(t, why);
        return;
    }

    row->state = RELAY_REFUSES;
    relay_send_refused(t, row, why);
}


/* 1: it has nothing to do with the channel.  Redis 6 puts words before it. */

static int
relay_send_general(const char *why)
{
    size_t  i;

    static const char *const  words[] = {
        "OOM ", "MISCONF ", "NOREPLICAS ", "NOPERM ", "NOAUTH ", "READONLY ",
        "BUSY ", "MASTERDOWN ", "CLUSTERDOWN "
    };

    for (i = 0; i < sizeof(words) / sizeof(char *); i++) {
        if (strstr(why, words[i])) {
            return 1;
        }
    }

    return 0;
}


static void
relay_send_pause(relay_t *t, const char *why)
{
    if (!t->refuses) {
        at_log(AT_LOG_ERROR, "redis.refuses", at_log_text("error", why));
    }

    t->refuses = 1;
    t->pause = at_time_mono() + RELAY_RETRY;
}


/* 1: an earlier message of its channel is in the batch and not out. */

static int
relay_send_before(relay_t *t, const relay_row_t *row)
{
    const relay_row_t  *other;

    for (other = t->rows; other < row; other++) {
        if (other->state != RELAY_DONE
            && at_str_eq(other->channel, row->channel))
        {
            return 1;
        }
    }

    return 0;
}


static void
relay_send_refused(relay_t *t, const relay_row_t *row, const char *why)
{
    size_t            i;
    relay_refused_t  *refused;

    for (i = 0; i < t->nrefused; i++) {
        if (at_str_is(row->channel, t->refused[i].channel)) {
            t->refused[i].next = at_time_mono() + RELAY_RETRY;
            return;
        }
    }

    /* so many at once are no matter of channels */

    if (t->nrefused == RELAY_REFUSED) {
        relay_send_pause(t, why);
        return;
    }

    refused = &t->refused[t->nrefused];
    refused->channel = strndup(row->channel.data, row->channel.len);
    refused->next = at_time_mono() + RELAY_RETRY;

    if (refused->channel) {
        t->nrefused++;
    }

    at_log(AT_LOG_ERROR, "channel.refused",
           at_log_str("channel", row->channel), at_log_str("id", row->id),
           at_log_text("error", why));
}


static void
relay_send_taken(relay_t *t, const relay_row_t *row)
{
    size_t  i;

    for (i = 0; i < t->nrefused; i++) {
        if (at_str_is(row->channel, t->refused[i].channel)) {
            at_log(AT_LOG_INFO, "channel.back",
                   at_log_str("channel", row->channel));
            free(t->refused[i].channel);
            t->refused[i] = t->refused[--t->nrefused];
            return;
        }
    }
}


int
relay_refused_text(relay_t *t, at_buf_t *b)
{
    int          rc;
    size_t       i;
    int64_t      now;
    const char  *p;

    rc = at_buf_append_str(b, AT_STR("{"));
    now = at_time_mono();

    for (i = 0; i < t->nrefused; i++) {
        if (t->refused[i].next <= now) {
            continue;
        }

        rc |= at_buf_append_str(b, b->len > 1 ? AT_STR(",\"") : AT_STR("\""));

        for (p = t->refused[i].channel; *p; p++) {
            rc |= (*p == '"' || *p == '\\') ? at_buf_append(b, "\\", 1)
                                            : AT_OK;
            rc |= at_buf_append(b, p, 1);
        }

        rc |= at_buf_append_str(b, AT_STR("\""));
    }

    return rc | at_buf_append(b, "}", 2);
}


void
relay_refused_free(relay_t *t)
{
    while (t->nrefused > 0) {
        free(t->refused[--t->nrefused].channel);
    }
}
