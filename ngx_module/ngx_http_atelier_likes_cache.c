/*
 * Counts of likes in Redis, where rendered pages take them from.
 *
 * PostgreSQL has the truth; this is told after each commit, which may be lost,
 * and again when somebody asks for present counts.  Two workers may tell in
 * another order than they committed, so a count goes with the number of its
 * change, and an older one is passed over.
 */

#include "ngx_http_atelier_likes.h"
#include "ngx_http_atelier_redis.h"


static ngx_http_atelier_redis_script_t  ngx_http_atelier_likes_script = {
    "for i = 1, #ARGV, 3 do "
        "local v = redis.call('HGET', KEYS[2], ARGV[i]) "
        "if tonumber(ARGV[i + 2]) > tonumber(v or '0') then "
            "redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) "
            "redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2]) "
        "end "
    "end "
    "return 0",
    { 0 }
};


static void ngx_http_atelier_likes_word(ngx_str_t *word, PGresult *res,
    int row, int column);


void
ngx_http_atelier_likes_tell(ngx_http_request_t *r, PGresult *res)
{
    int         row;
    ngx_str_t  *words, *word;

    words = ngx_palloc(r->pool,
                       (2 + 3 * (size_t) PQntuples(res)) * sizeof(ngx_str_t));
    if (words == NULL) {
        return;
    }

    ngx_str_set(&words[0], "atelier:likes");
    ngx_str_set(&words[1], "atelier:likes:version");

    word = &words[2];

    for (row = 0; row < PQntuples(res); row++) {
        if (PQgetisnull(res, row, 3)) {
            continue;
        }

        ngx_http_atelier_likes_word(word++, res, row, 0);
        ngx_http_atelier_likes_word(word++, res, row, 2);
        ngx_http_atelier_likes_word(word++, res, row, 3);
    }

    if (word == &words[2]) {
        return;
    }

    (void) ngx_http_atelier_redis_eval(&ngx_http_atelier_likes_script, 2,
                                       word - words, words, NULL, NULL);
}


static void
ngx_http_atelier_likes_word(ngx_str_t *word, PGresult *res, int row,
    int column)
{
    word->data = (u_char *) PQgetvalue(res, row, column);
    word->len = PQgetlength(res, row, column);
}
