/*
 * Invalidations (see ngx_http_atelier_invalidation.h).
 *
 * One script raises the generation and appends to the stream; this node's own
 * memory is then walked as that of any other is, by whoever follows the
 * stream, and is waited for here.  When Redis does not answer, whether it has
 * done that is not known: this node is walked in any case, and says that it
 * can speak for itself only.
 */

#include "ngx_http_atelier_invalidation.h"
#include "ngx_http_atelier_generation_lua.h"
#include "ngx_http_atelier_redis.h"


#define NGX_HTTP_ATELIER_INVALIDATION_STEP  1      /* ms */
#define NGX_HTTP_ATELIER_INVALIDATION_POLL  2
#define NGX_HTTP_ATELIER_INVALIDATION_WAIT  2000


struct ngx_http_atelier_invalidation_s {
    ngx_http_atelier_cache_t          *cache;
    ngx_http_atelier_invalidation_pt   cb;         /* NULL: forgotten */
    void                              *data;
    ngx_event_t                        timer;
    ngx_connection_t                   dummy;      /* what it points to */
    ngx_http_atelier_invalidated_t     what;
    ngx_msec_t                         until;
    ngx_uint_t                         generation; /* of L1 */
    ngx_uint_t                         cursor;
    size_t                             len;
    char                               pattern[NGX_HTTP_ATELIER_PATTERN_MAX];
};


static void ngx_http_atelier_invalidation_raised(void *data,
    redisReply *reply);
static void ngx_http_atelier_invalidation_local(
    ngx_http_atelier_invalidation_t *inv);
static void ngx_http_atelier_invalidation_timer(ngx_event_t *ev);
static void ngx_http_atelier_invalidation_end(
    ngx_http_atelier_invalidation_t *inv);


/* ARGV: the pattern, the id of the request. */

static ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_raise = { .text =
    NGX_HTTP_ATELIER_LUA_GENERATION
    "local top = number(generation() + 1)\n"
    "redis.call('XADD', 'atelier:invalidations', 'MAXLEN', '~', 1000,\n"
    "           top .. '-0', 'generation', top, 'pattern', ARGV[1],\n"
    "           'request_id', ARGV[2])\n"
    "redis.call('SET', 'atelier:generation', top)\n"
    "redis.call('PUBLISH', 'atelier:invalidations', top)\n"
    "return tonumber(top)\n"
};


ngx_http_atelier_invalidation_t *
ngx_http_atelier_invalidation(ngx_http_atelier_cache_t *cache,
    at_str_t pattern, ngx_str_t *request_id,
    ngx_http_atelier_invalidation_pt cb, void *data)
{
    ngx_str_t                         argv[2];
    ngx_http_atelier_invalidation_t  *inv;

    if (pattern.len > NGX_HTTP_ATELIER_PATTERN_MAX) {
        return NULL;
    }

    inv = ngx_calloc(sizeof(ngx_http_atelier_invalidation_t), ngx_cycle->log);
    if (inv == NULL) {
        return NULL;
    }

    inv->cache = cache;
    inv->cb = cb;
    inv->data = data;
    inv->len = pattern.len;
    ngx_memcpy(inv->pattern, pattern.data, pattern.len);

    inv->dummy.fd = (ngx_socket_t) -1;
    inv->timer.handler = ngx_http_atelier_invalidation_timer;
    inv->timer.data = &inv->dummy;
    inv->timer.log = ngx_cycle->log;

    argv[0] = ngx_http_atelier_ngx_str(pattern);
    argv[1] = *request_id;

    if (ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_raise, 0, 2, argv,
                                    ngx_http_atelier_invalidation_raised, inv)
        == NULL)
    {
        ngx_http_atelier_invalidation_local(inv);
    }

    return inv;
}


void
ngx_http_atelier_invalidation_forget(ngx_http_atelier_invalidation_t *inv)
{
    inv->cb = NULL;
}


static void
ngx_http_atelier_invalidation_raised(void *data, redisReply *reply)
{
    ngx_http_atelier_invalidation_t *inv = data;

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER
        || reply->integer <= 0)
    {
        if (reply && reply->type == REDIS_REPLY_ERROR) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "an invalidation is refused by Redis: %s",
                          reply->str);
        }

        ngx_http_atelier_invalidation_local(inv);
        return;
    }

    inv->what.shared = 1;
    inv->what.generation = reply->integer;
    inv->until = ngx_current_msec + NGX_HTTP_ATELIER_INVALIDATION_WAIT;

    ngx_http_atelier_follow_now();
    ngx_add_timer(&inv->timer, NGX_HTTP_ATELIER_INVALIDATION_POLL);
}


static void
ngx_http_atelier_invalidation_local(ngx_http_atelier_invalidation_t *inv)
{
    inv->generation = ngx_http_atelier_cache_invalidate_begin(inv->cache);
    inv->what.generation = inv->generation;

    ngx_add_timer(&inv->timer, 0);
}


static void
ngx_http_atelier_invalidation_timer(ngx_event_t *ev)
{
    at_str_t                          pattern;
    ngx_http_atelier_invalidation_t  *inv;

    inv = ngx_queue_data(ev, ngx_http_atelier_invalidation_t, timer);

    if (inv->what.shared) {
        inv->what.done = (ngx_http_atelier_cache_applied(inv->cache)
                          >= inv->what.generation);

        if (!inv->what.done
            && (ngx_msec_int_t) (inv->until - ngx_current_msec) > 0)
        {
            ngx_add_timer(ev, NGX_HTTP_ATELIER_INVALIDATION_POLL);
            return;
        }

        ngx_http_atelier_invalidation_end(inv);
        return;
    }

    pattern = (at_str_t) { inv->len, inv->pattern };

    if (ngx_http_atelier_cache_invalidate_walk(inv->cache, pattern,
                                               inv->generation, &inv->cursor)
        == NGX_AGAIN)
    {
        ngx_add_timer(ev, NGX_HTTP_ATELIER_INVALIDATION_STEP);
        return;
    }

    inv->what.done = 1;

    ngx_http_atelier_invalidation_end(inv);
}


static void
ngx_http_atelier_invalidation_end(ngx_http_atelier_invalidation_t *inv)
{
    if (inv->cb) {
        inv->cb(inv->data, &inv->what);
    }

    ngx_free(inv);
}
