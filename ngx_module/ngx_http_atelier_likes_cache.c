/*
 * Counts of likes in Redis, where rendered pages take them from.
 *
 * PostgreSQL has the truth; this is told after each commit and may be lost.
 * Two workers may tell in another order than they committed, so a count goes
 * with the number of its change, and an older one is passed over.
 */

#include "ngx_http_atelier_likes.h"
#include "ngx_http_atelier_redis.h"


static ngx_http_atelier_redis_script_t  ngx_http_atelier_likes_script = {
    "local v = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0') "
    "if tonumber(ARGV[3]) > v then "
        "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) "
        "redis.call('HSET', KEYS[2], ARGV[1], ARGV[3]) "
    "end "
    "return 0",
    { 0 }
};


void
ngx_http_atelier_likes_tell(const char *id, const char *n,
    const char *version)
{
    ngx_str_t  words[5];

    ngx_str_set(&words[0], "atelier:likes");
    ngx_str_set(&words[1], "atelier:likes:version");

    words[2].data = (u_char *) id;
    words[2].len = ngx_strlen(id);
    words[3].data = (u_char *) n;
    words[3].len = ngx_strlen(n);
    words[4].data = (u_char *) version;
    words[4].len = ngx_strlen(version);

    (void) ngx_http_atelier_redis_eval(&ngx_http_atelier_likes_script, 2, 5,
                                       words, NULL, NULL);
}
