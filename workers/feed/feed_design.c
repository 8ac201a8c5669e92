/*
 * Designs of snapshots, and their hashes in Redis (see feed_design.h).
 */

#include "feed_design.h"
#include "at_json.h"

#include <stdio.h>
#include <stdlib.h>


#define FEED_SPAN      (30 * 86400)     /* s */
#define FEED_ITEM_MAX  65536            /* bytes of an item that is read */


typedef struct {
    feed_design_t  *design;
    size_t          used;
} feed_reader_t;


/*
 * ARGV: snapshot, mark, how many.  Returns ids and items in turn.  The marks
 * live as long as what they are about.
 */

static const at_redis_script_t  feed_script_todo = {
    "local function key(name)\n"
    "  return 'atelier:snap:' .. ARGV[1] .. ':' .. name\n"
    "end\n"
    "local ttl = redis.call('PTTL', key('meta'))\n"
    "local n = redis.call('HLEN', key('items'))\n"
    "local mark, left, out = key(ARGV[2]), tonumber(ARGV[3]), {}\n"
    "if ttl <= 0 or n == 0 then return out end\n"
    "redis.call('PEXPIRE', mark, ttl)\n"
    "if redis.call('SCARD', mark) >= n then return out end\n"
    "local function look(ids)\n"
    "  for from = 1, #ids, 1000 do\n"
    "    local to = math.min(from + 999, #ids)\n"
    "    local known = redis.call('SMISMEMBER', mark,\n"
    "                             unpack(ids, from, to))\n"
    "    for i, k in ipairs(known) do\n"
    "      local id = ids[from + i - 1]\n"
    "      if left == 0 then return end\n"
    "      if k == 0 and id ~= '' then\n"
    "        local item = redis.call('HGET', key('items'), id)\n"
    "        if item then\n"
    "          out[#out + 1] = id\n"
    "          out[#out + 1] = item\n"
    "          left = left - 1\n"
    "        end\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "look(redis.call('LRANGE', key('frozen'), 0, -1))\n"
    "look(redis.call('ZRANGE', key('pending'), 0, -1))\n"
    "return out\n",
    FEED_SCRIPT_TODO
};

/* ARGV: snapshot, mark, ids. */

static const at_redis_script_t  feed_script_mark = {
    "local ttl = redis.call('PTTL', 'atelier:snap:' .. ARGV[1] .. ':meta')\n"
    "if ttl <= 0 then return 0 end\n"
    "local mark = 'atelier:snap:' .. ARGV[1] .. ':' .. ARGV[2]\n"
    "redis.call('SADD', mark, unpack(ARGV, 3))\n"
    "return redis.call('PEXPIRE', mark, ttl)\n",
    FEED_SCRIPT_MARK
};


static int feed_design_value(void *data, const char *path,
    at_json_type_e type, at_str_t text);
static int feed_design_read(feed_hash_t *t, feed_design_t *list, size_t n,
    int64_t span);
static void feed_design_entry(feed_design_t *d, at_str_t entry);
static void feed_design_key(char key[40], int64_t span);


int
feed_design_parse(feed_design_t *d)
{
    feed_reader_t      reader = { .design = d };
    at_json_handler_t  handler = { .value = feed_design_value };

    /* what is decoded is no longer than what was written */

    if (d->json.len > FEED_ITEM_MAX) {
        return AT_ERROR;
    }

    d->text = malloc(d->json.len + 16);

    if (d->text == NULL
        || at_json_read(d->json, &handler, &reader, NULL, NULL) != AT_OK)
    {
        return AT_ERROR;
    }

    return (d->thumb.len > 0) ? AT_OK : AT_ERROR;
}


void
feed_design_free(feed_design_t *list, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        free(list[i].text);
        list[i].text = NULL;
    }
}


static int
feed_design_value(void *data, const char *path, at_json_type_e type,
    at_str_t text)
{
    at_str_t       *field;
    feed_reader_t  *r = data;
    feed_design_t  *d = r->design;

    field = (strcmp(path, "source") == 0) ? &d->source
            : (strcmp(path, "url") == 0) ? &d->url
            : (strcmp(path, "thumb") == 0) ? &d->thumb
            : (strcmp(path, "pageUrl") == 0) ? &d->page_url
            : (strcmp(path, "license") == 0) ? &d->license : NULL;

    if (field == NULL || type != AT_JSON_STRING || field->data) {
        return AT_OK;
    }

    memcpy(d->text + r->used, text.data, text.len);
    *field = (at_str_t) { text.len, d->text + r->used };
    r->used += text.len;

    return AT_OK;
}


int
feed_design_mirror(const feed_design_t *d, at_buf_t *b)
{
    int  rc;

    rc = at_buf_append_str(b, AT_STR("{\"id\":"));
    rc |= at_json_write_string(b, d->id);
    rc |= at_buf_append_str(b, AT_STR(",\"source\":"));
    rc |= at_json_write_string(b, d->source);
    rc |= at_buf_append_str(b, AT_STR(",\"url\":"));
    rc |= at_json_write_string(b, d->url);
    rc |= at_buf_append_str(b, AT_STR(",\"pageUrl\":"));
    rc |= at_json_write_string(b, d->page_url);
    rc |= at_buf_append_str(b, AT_STR(",\"license\":"));
    rc |= at_json_write_string(b, d->license);
    rc |= at_buf_append_str(b, AT_STR("}"));

    return rc;
}


int
feed_design_todo(feed_hash_t *t, const char *mark, feed_design_t *list,
    size_t *n, redisReply **reply)
{
    char      count[24];
    size_t    i;
    at_str_t  words[3];

    (void) snprintf(count, sizeof(count), "%d", FEED_BATCH);
    words[0] = feed_word(t->snapshot);
    words[1] = feed_word(mark);
    words[2] = feed_word(count);

    *n = 0;
    *reply = at_redis_eval(t->redis, &feed_script_todo, 0, 3, words);

    if (*reply == NULL) {
        return AT_ERROR;
    }

    memset(list, 0, FEED_BATCH * sizeof(feed_design_t));

    for (i = 0; at_redis_at(*reply, i + 1) && *n < FEED_BATCH; i += 2) {
        list[*n].id = at_redis_str((*reply)->element[i]);
        list[*n].json = at_redis_str((*reply)->element[i + 1]);
        (*n)++;
    }

    return AT_OK;
}


int
feed_design_mark(feed_hash_t *t, const char *mark, const feed_design_t *list,
    size_t n)
{
    size_t       i, m;
    at_str_t     words[2 + FEED_BATCH];
    redisReply  *reply;

    words[0] = feed_word(t->snapshot);
    words[1] = feed_word(mark);
    m = 2;

    for (i = 0; i < n; i++) {
        if (!list[i].skip) {
            words[m++] = list[i].id;
        }
    }

    if (m == 2) {
        return AT_OK;
    }

    reply = at_redis_eval(t->redis, &feed_script_mark, 0, m, words);
    if (reply == NULL) {
        return AT_ERROR;
    }

    freeReplyObject(reply);

    return AT_OK;
}


int
feed_design_load(feed_hash_t *t, feed_design_t *list, size_t n)
{
    int64_t  span;

    span = at_time_wall() / 1000 / FEED_SPAN;

    return (feed_design_read(t, list, n, span) == AT_OK
            && feed_design_read(t, list, n, span - 1) == AT_OK)
           ? AT_OK : AT_ERROR;
}


/* Asks for those that are not known yet. */

static int
feed_design_read(feed_hash_t *t, feed_design_t *list, size_t n, int64_t span)
{
    char            key[40];
    size_t          i, m;
    at_str_t        words[2 + FEED_BATCH];
    redisReply     *reply;
    feed_design_t  *asked[FEED_BATCH];

    feed_design_key(key, span);
    words[0] = AT_STR("HMGET");
    words[1] = feed_word(key);
    m = 0;

    for (i = 0; i < n && m < FEED_BATCH; i++) {
        if (list[i].state == FEED_HASH_UNKNOWN) {
            asked[m] = &list[i];
            words[2 + m++] = list[i].id;
        }
    }

    if (m == 0) {
        return AT_OK;
    }

    reply = at_redis_argv(t->redis, 2 + m, words);
    if (reply == NULL) {
        return AT_ERROR;
    }

    for (i = 0; i < m; i++) {
        feed_design_entry(asked[i], at_redis_str(at_redis_at(reply, i)));

        /* found in the older one: it goes into the current one again */

        asked[i]->is_new = (asked[i]->state == FEED_HASH_KNOWN
                            && span < at_time_wall() / 1000 / FEED_SPAN);
    }

    freeReplyObject(reply);

    return AT_OK;
}


static void
feed_design_entry(feed_design_t *d, at_str_t entry)
{
    if (at_phash_unpack(entry, &d->hash) == AT_OK) {
        d->state = FEED_HASH_KNOWN;

    } else if (entry.len > 1 && entry.data[0] == '!'
               && strtoll(entry.data + 1, NULL, 10) > at_time_wall() / 1000)
    {
        d->state = FEED_HASH_LATER;
    }
}


int
feed_design_save(feed_hash_t *t, const feed_design_t *list, size_t n)
{
    char         key[40], later[FEED_BATCH][24];
    size_t       i, m;
    uint8_t      packed[FEED_BATCH][AT_PHASH_TEXT];
    at_str_t     words[2 + 2 * FEED_BATCH];
    redisReply  *reply;

    feed_design_key(key, at_time_wall() / 1000 / FEED_SPAN);
    words[0] = AT_STR("HSET");
    words[1] = feed_word(key);
    m = 2;

    for (i = 0; i < n && i < FEED_BATCH; i++) {
        if (list[i].is_new) {
            at_phash_pack(&list[i].hash, packed[i]);
            words[m++] = list[i].id;
            words[m++] = (at_str_t) { AT_PHASH_TEXT, (char *) packed[i] };

        } else if (list[i].later) {
            (void) snprintf(later[i], sizeof(later[i]), "!%lld",
                            (long long) list[i].later);
            words[m++] = list[i].id;
            words[m++] = feed_word(later[i]);
        }
    }

    if (m == 2) {
        return AT_OK;
    }

    reply = at_redis_argv(t->redis, m, words);
    if (reply == NULL) {
        return AT_ERROR;
    }

    freeReplyObject(reply);
    freeReplyObject(at_redis_call(t->redis, "EXPIRE %s %lld", key,
                                  2LL * FEED_SPAN));

    return AT_OK;
}


static void
feed_design_key(char key[40], int64_t span)
{
    (void) snprintf(key, 40, "atelier:phash:%lld", (long long) span);
}
