/*
 * Follows the invalidations of all nodes (see ngx_http_atelier_follow.h).
 *
 * A worker that is told of something new takes the role of the follower, reads
 * a few entries, walks L1 for each, and reads again, until there is nothing
 * left.  Those that find the role taken look at it again after a short time:
 * its holder may have died, or have no link.  The generation in the zone moves
 * on when a walk is over, so what a dead follower had begun is done again.
 *
 * One timer serves for all: the next step of a walk, which keeps a worker that
 * shuts down, and the next try, which does not.
 */

#include "ngx_http_atelier_follow.h"
#include "ngx_http_atelier_generation_lua.h"
#include "ngx_http_atelier_redis.h"


#define NGX_HTTP_ATELIER_FOLLOW_ENTRIES  16      /* of one reading */
#define NGX_HTTP_ATELIER_FOLLOW_ROLE     10000   /* ms, renewed by each step */
#define NGX_HTTP_ATELIER_FOLLOW_STEP     1       /* ms between steps */
#define NGX_HTTP_ATELIER_FOLLOW_TAKEN    20      /* ms to the next try */
#define NGX_HTTP_ATELIER_FOLLOW_AWAY     100


typedef enum {
    NGX_HTTP_ATELIER_FOLLOW_IDLE = 0,
    NGX_HTTP_ATELIER_FOLLOW_WAITING,     /* for the role, or for Redis */
    NGX_HTTP_ATELIER_FOLLOW_READING,
    NGX_HTTP_ATELIER_FOLLOW_WALKING
} ngx_http_atelier_follow_e;


typedef struct {
    uint64_t                      generation;    /* of Redis */
    size_t                        len;
    char                          pattern[NGX_HTTP_ATELIER_PATTERN_MAX];
} ngx_http_atelier_followed_t;


static void ngx_http_atelier_follow_heard(void *data,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message);
static void ngx_http_atelier_follow_look(void);
static void ngx_http_atelier_follow_wait(ngx_msec_t ms);
static void ngx_http_atelier_follow_read(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_follow_parse(redisReply *reply,
    uint64_t *top);
static ngx_int_t ngx_http_atelier_follow_entry(redisReply *one,
    redisReply *two, ngx_http_atelier_followed_t *entry);
static void ngx_http_atelier_follow_all(uint64_t top);
static void ngx_http_atelier_follow_begin(void);
static void ngx_http_atelier_follow_timer(ngx_event_t *ev);
static void ngx_http_atelier_follow_step(void);
static void ngx_http_atelier_follow_end(void);


/*
 * ARGV: the generation that was applied.  Answers the present one, the one
 * that the entries follow, and the entries: generation and pattern of each.
 *
 * A Redis that came back empty has another first generation.  What was
 * invalidated before is known, or lost with it; it is no reason to give up all
 * that is in memory, which may be all there is.
 */

static ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_follow = { .text =
    NGX_HTTP_ATELIER_LUA_GENERATION
    "local top = generation()\n"
    "local base = tonumber(redis.call('GET', 'atelier:generation:base') or 0)\n"
    "local from, out = tonumber(ARGV[1]), {}\n"
    "if from < base or from > top then from = base end\n"
    "if from < top then\n"
    "  local list = redis.call('XRANGE', 'atelier:invalidations',\n"
    "                          number(from + 1), '+', 'COUNT', 16)\n"
    "  for _, entry in ipairs(list) do\n"
    "    out[#out + 1] = tonumber(string.match(entry[1], '^%d+'))\n"
    "    local pattern = '*'\n"
    "    for i = 1, #entry[2], 2 do\n"
    "      if entry[2][i] == 'pattern' then pattern = entry[2][i + 1] end\n"
    "    end\n"
    "    out[#out + 1] = pattern\n"
    "  end\n"
    "end\n"
    "return {top, from, out}\n"
};


/* This worker's; cache is NULL where there is nothing to follow. */
static struct {
    ngx_http_atelier_cache_t     *cache;
    ngx_http_atelier_redis_sub_t *sub;
    ngx_http_atelier_follow_e     state;
    ngx_event_t                   timer;
    ngx_connection_t              dummy;         /* what the timer points to */
    ngx_http_atelier_followed_t   entries[NGX_HTTP_ATELIER_FOLLOW_ENTRIES];
    ngx_uint_t                    nentries;
    ngx_uint_t                    current;
    ngx_uint_t                    generation;    /* of L1, of the walk */
    ngx_uint_t                    cursor;
    unsigned                      up:1;          /* subscribed */
    unsigned                      again:1;       /* told while reading */
} ngx_http_atelier_follower;


ngx_int_t
ngx_http_atelier_follow_init_process(ngx_cycle_t *cycle)
{
    ngx_http_atelier_main_conf_t  *amcf;

    static ngx_str_t  channel = ngx_string("atelier:invalidations");

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);

    if (amcf == NULL || amcf->redis == NULL || amcf->cache == NULL) {
        return NGX_OK;
    }

    ngx_memzero(&ngx_http_atelier_follower, sizeof(ngx_http_atelier_follower));

    ngx_http_atelier_follower.cache = amcf->cache;
    ngx_http_atelier_follower.dummy.fd = (ngx_socket_t) -1;
    ngx_http_atelier_follower.timer.handler = ngx_http_atelier_follow_timer;
    ngx_http_atelier_follower.timer.data = &ngx_http_atelier_follower.dummy;
    ngx_http_atelier_follower.timer.log = cycle->log;

    ngx_http_atelier_follower.sub = ngx_http_atelier_redis_subscribe(&channel,
                                          ngx_http_atelier_follow_heard, NULL);

    return ngx_http_atelier_follower.sub ? NGX_OK : NGX_ERROR;
}


void
ngx_http_atelier_follow_now(void)
{
    if (ngx_http_atelier_follower.cache == NULL) {
        return;
    }

    switch (ngx_http_atelier_follower.state) {

    case NGX_HTTP_ATELIER_FOLLOW_READING:
        ngx_http_atelier_follower.again = 1;
        break;

    case NGX_HTTP_ATELIER_FOLLOW_WALKING:

        /* it reads again when it has done */

        break;

    default:
        ngx_http_atelier_follow_look();
        break;
    }
}


static void
ngx_http_atelier_follow_heard(void *data, ngx_http_atelier_redis_event_e event,
    ngx_str_t *message)
{
    if (event == NGX_HTTP_ATELIER_REDIS_DOWN) {
        ngx_http_atelier_follower.up = 0;
        return;
    }

    ngx_http_atelier_follower.up = 1;

    ngx_http_atelier_follow_now();
}


/* Reads on, if this worker is to.  Whoever holds the role gives it back. */

static void
ngx_http_atelier_follow_look(void)
{
    u_char     text[NGX_INT64_LEN];
    ngx_str_t  from;

    if (ngx_exiting || ngx_terminate || ngx_quit) {

        /* the workers that follow look for themselves */

        ngx_http_atelier_follow_end();
        return;
    }

    if (!ngx_http_atelier_redis_ready()) {
        ngx_http_atelier_follow_wait(NGX_HTTP_ATELIER_FOLLOW_AWAY);
        return;
    }

    if (ngx_http_atelier_cache_follow(ngx_http_atelier_follower.cache,
                                      NGX_HTTP_ATELIER_FOLLOW_ROLE)
        != NGX_OK)
    {
        ngx_http_atelier_follow_wait(NGX_HTTP_ATELIER_FOLLOW_TAKEN);
        return;
    }

    from.data = text;
    from.len = ngx_sprintf(text, "%uL", ngx_http_atelier_cache_applied(
                                          ngx_http_atelier_follower.cache))
               - text;

    if (ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_follow, 0, 1, &from,
                                    ngx_http_atelier_follow_read, NULL)
        == NULL)
    {
        ngx_http_atelier_follow_wait(NGX_HTTP_ATELIER_FOLLOW_AWAY);
        return;
    }

    if (ngx_http_atelier_follower.timer.timer_set) {
        ngx_del_timer(&ngx_http_atelier_follower.timer);
    }

    ngx_http_atelier_follower.state = NGX_HTTP_ATELIER_FOLLOW_READING;
    ngx_http_atelier_follower.again = 0;
}


static void
ngx_http_atelier_follow_wait(ngx_msec_t ms)
{
    ngx_http_atelier_follow_end();

    ngx_http_atelier_follower.state = NGX_HTTP_ATELIER_FOLLOW_WAITING;
    ngx_http_atelier_follower.timer.cancelable = 1;

    ngx_add_timer(&ngx_http_atelier_follower.timer, ms);
}


static void
ngx_http_atelier_follow_end(void)
{
    if (ngx_http_atelier_follower.timer.timer_set) {
        ngx_del_timer(&ngx_http_atelier_follower.timer);
    }

    ngx_http_atelier_follower.state = NGX_HTTP_ATELIER_FOLLOW_IDLE;

    ngx_http_atelier_cache_unfollow(ngx_http_atelier_follower.cache);
}


static void
ngx_http_atelier_follow_read(void *data, redisReply *reply)
{
    uint64_t  top;

    switch (ngx_http_atelier_follow_parse(reply, &top)) {

    case NGX_OK:
        ngx_http_atelier_follow_begin();
        return;

    case NGX_DONE:
        if (ngx_http_atelier_cache_applied(ngx_http_atelier_follower.cache)
            != top)
        {
            ngx_http_atelier_cache_apply(ngx_http_atelier_follower.cache, top);
        }

        if (ngx_http_atelier_follower.again) {
            ngx_http_atelier_follow_look();
            return;
        }

        ngx_http_atelier_follow_end();
        return;

    case NGX_DECLINED:
        ngx_http_atelier_follow_all(top);
        ngx_http_atelier_follow_begin();
        return;

    default:
        if (reply && reply->type == REDIS_REPLY_ERROR) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "invalidations cannot be read from Redis: %s",
                          reply->str);
        }

        ngx_http_atelier_follow_wait(NGX_HTTP_ATELIER_FOLLOW_AWAY);
        return;
    }
}


/*
 * NGX_OK: there are entries; NGX_DONE: there is nothing; NGX_DECLINED: some
 * are missing; NGX_ERROR: no answer.
 */

static ngx_int_t
ngx_http_atelier_follow_parse(redisReply *reply, uint64_t *top)
{
    size_t                        i;
    uint64_t                      from;
    redisReply                   *list;
    ngx_http_atelier_cache_t     *cache;
    ngx_http_atelier_followed_t  *entry;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 3
        || reply->element[0]->type != REDIS_REPLY_INTEGER
        || reply->element[1]->type != REDIS_REPLY_INTEGER
        || reply->element[2]->type != REDIS_REPLY_ARRAY)
    {
        return NGX_ERROR;
    }

    *top = reply->element[0]->integer;
    from = reply->element[1]->integer;
    list = reply->element[2];
    cache = ngx_http_atelier_follower.cache;

    if (from == *top
        || (ngx_http_atelier_cache_applied(cache) == 0
            && cache->stats->pages == 0))
    {
        return NGX_DONE;
    }

    ngx_http_atelier_follower.nentries = 0;

    for (i = 0; i + 2 <= list->elements; i += 2) {
        entry = &ngx_http_atelier_follower.entries[i / 2];

        if (i / 2 == NGX_HTTP_ATELIER_FOLLOW_ENTRIES
            || ngx_http_atelier_follow_entry(list->element[i],
                                             list->element[i + 1], entry)
               != NGX_OK
            || entry->generation != ++from)
        {
            break;
        }

        ngx_http_atelier_follower.nentries++;
    }

    return ngx_http_atelier_follower.nentries ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_atelier_follow_entry(redisReply *one, redisReply *two,
    ngx_http_atelier_followed_t *entry)
{
    if (one->type != REDIS_REPLY_INTEGER || two->type != REDIS_REPLY_STRING) {
        return NGX_ERROR;
    }

    entry->generation = one->integer;

    /* one that somebody else put there: rather too much than too little */

    if ((size_t) two->len > NGX_HTTP_ATELIER_PATTERN_MAX) {
        entry->pattern[0] = '*';
        entry->len = 1;
        return NGX_OK;
    }

    ngx_memcpy(entry->pattern, two->str, two->len);
    entry->len = two->len;

    return NGX_OK;
}


/* The stream does not reach back to where this node was: all of L1 goes. */

static void
ngx_http_atelier_follow_all(uint64_t top)
{
    ngx_http_atelier_followed_t  *entry;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "invalidations before %uL are no longer known: all pages "
                  "are taken out of the cache", top);

    entry = &ngx_http_atelier_follower.entries[0];

    entry->generation = top;
    entry->pattern[0] = '*';
    entry->len = 1;

    ngx_http_atelier_follower.nentries = 1;
}


static void
ngx_http_atelier_follow_begin(void)
{
    ngx_http_atelier_follower.state = NGX_HTTP_ATELIER_FOLLOW_WALKING;
    ngx_http_atelier_follower.timer.cancelable = 0;
    ngx_http_atelier_follower.current = 0;
    ngx_http_atelier_follower.generation = 0;

    ngx_http_atelier_follow_step();
}


static void
ngx_http_atelier_follow_timer(ngx_event_t *ev)
{
    if (ngx_http_atelier_follower.state == NGX_HTTP_ATELIER_FOLLOW_WALKING) {
        ngx_http_atelier_follow_step();
        return;
    }

    ngx_http_atelier_follower.state = NGX_HTTP_ATELIER_FOLLOW_IDLE;

    /* without a subscription the next one looks */

    if (ngx_http_atelier_follower.up) {
        ngx_http_atelier_follow_look();
    }
}


static void
ngx_http_atelier_follow_step(void)
{
    at_str_t                      pattern;
    ngx_http_atelier_cache_t     *cache;
    ngx_http_atelier_followed_t  *entry;

    cache = ngx_http_atelier_follower.cache;

    /* a worker that was held up may have lost the role meanwhile */

    if (ngx_http_atelier_cache_follow(cache, NGX_HTTP_ATELIER_FOLLOW_ROLE)
        != NGX_OK)
    {
        ngx_http_atelier_follow_wait(NGX_HTTP_ATELIER_FOLLOW_TAKEN);
        return;
    }

    entry = &ngx_http_atelier_follower.entries[
                                         ngx_http_atelier_follower.current];

    if (ngx_http_atelier_follower.generation == 0) {
        ngx_http_atelier_follower.generation =
                               ngx_http_atelier_cache_invalidate_begin(cache);
        ngx_http_atelier_follower.cursor = 0;
    }

    pattern = (at_str_t) { entry->len, entry->pattern };

    if (ngx_http_atelier_cache_invalidate_walk(cache, pattern,
                                         ngx_http_atelier_follower.generation,
                                         &ngx_http_atelier_follower.cursor)
        == NGX_OK)
    {
        ngx_http_atelier_cache_apply(cache, entry->generation);
        ngx_http_atelier_follower.generation = 0;

        if (++ngx_http_atelier_follower.current
            == ngx_http_atelier_follower.nentries)
        {
            ngx_http_atelier_follower.state = NGX_HTTP_ATELIER_FOLLOW_IDLE;
            ngx_http_atelier_follow_look();
            return;
        }
    }

    ngx_add_timer(&ngx_http_atelier_follower.timer,
                  NGX_HTTP_ATELIER_FOLLOW_STEP);
}
