/*
 * atelier_redis unix:path | host:port [parameters];
 *
 * Everything is settled when the configuration is read: a name is looked up
 * by the master, so that workers need no resolver, and the password is read
 * as secrets are.
 */

#include "ngx_http_atelier_redis_link.h"
#include "ngx_http_atelier_secret.h"


#define NGX_HTTP_ATELIER_REDIS_PORT   6379

/* Slower than this, a request would wait longer than it does without. */
#define NGX_HTTP_ATELIER_REDIS_SLOW   60000


static ngx_int_t ngx_http_atelier_redis_address(ngx_conf_t *cf,
    ngx_http_atelier_redis_t *redis, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_redis_addresses(ngx_conf_t *cf,
    ngx_http_atelier_redis_t *redis, ngx_url_t *u);
static ngx_int_t ngx_http_atelier_redis_param(ngx_conf_t *cf,
    ngx_http_atelier_redis_t *redis, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_redis_number(ngx_str_t *value, size_t skip,
    ngx_int_t min, ngx_int_t max, ngx_uint_t *number);
static ngx_int_t ngx_http_atelier_redis_time(ngx_str_t *value, size_t skip,
    ngx_msec_t *ms);


char *
ngx_http_atelier_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_atelier_redis_t  *redis;

    if (amcf->redis) {
        return "is duplicate: there is one Redis";
    }

    redis = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_redis_t));
    if (redis == NULL) {
        return NGX_CONF_ERROR;
    }

    redis->timeout = 100;
    redis->connect_timeout = 1000;
    redis->queue = 4096;

    value = cf->args->elts;
    redis->name = value[1];

    if (ngx_http_atelier_redis_address(cf, redis, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_redis_param(cf, redis, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (redis->user.len && redis->password.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "user=%V of \"atelier_redis\" has no password: "
                           "add password_file=", &redis->user);
        return NGX_CONF_ERROR;
    }

    ngx_http_atelier_here(cf, &redis->place);
    amcf->redis = redis;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_atelier_redis_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    if (amcf->redis && amcf->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"atelier_redis\" needs shared memory: add "
                      "\"atelier_zone state 4m;\" to the http block; "
                      "in %V:%ui",
                      &amcf->redis->place.file, amcf->redis->place.line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_redis_address(ngx_conf_t *cf,
    ngx_http_atelier_redis_t *redis, ngx_str_t *value)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *value;
    u.default_port = NGX_HTTP_ATELIER_REDIS_PORT;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0 || u.uri.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" in \"atelier_redis\": give "
                           "unix:path or host:port%s%s", value,
                           u.err ? "; " : "", u.err ? u.err : "");
        return NGX_ERROR;
    }

    if (u.family != AF_UNIX) {
        return ngx_http_atelier_redis_addresses(cf, redis, &u);
    }

    /* a path of nginx's addresses ends with a zero byte */

    redis->path = ((struct sockaddr_un *) u.addrs[0].sockaddr)->sun_path;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_redis_addresses(ngx_conf_t *cf,
    ngx_http_atelier_redis_t *redis, ngx_url_t *u)
{
    size_t       len;
    u_char      *p;
    ngx_uint_t   i;

    redis->addresses = ngx_palloc(cf->pool, u->naddrs * sizeof(char *));
    if (redis->addresses == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < u->naddrs; i++) {
        p = ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN + 1);
        if (p == NULL) {
            return NGX_ERROR;
        }

        len = ngx_sock_ntop(u->addrs[i].sockaddr, u->addrs[i].socklen, p,
                            NGX_SOCKADDR_STRLEN, 0);

        /* hiredis wants no brackets */

        if (len >= 2 && p[0] == '[') {
            len -= 2;
            ngx_memmove(p, p + 1, len);
        }

        p[len] = '\0';
        redis->addresses[i] = (char *) p;
    }

    redis->naddresses = u->naddrs;
    redis->port = ngx_inet_get_port(u->addrs[0].sockaddr);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_redis_param(ngx_conf_t *cf, ngx_http_atelier_redis_t *redis,
    ngx_str_t *value)
{
    u_char     *text;
    ngx_int_t   rc;
    ngx_str_t   file;

    text = value->data;
    rc = NGX_ERROR;

    if (ngx_strncmp(text, "password_file=", 14) == 0 && value->len > 14) {
        file.data = text + 14;
        file.len = value->len - 14;

        if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK
            || ngx_http_atelier_secret_read(cf, &file, &redis->password)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        rc = NGX_OK;

    } else if (ngx_strncmp(text, "user=", 5) == 0 && value->len > 5) {
        redis->user.data = text + 5;
        redis->user.len = value->len - 5;
        rc = NGX_OK;

    } else if (ngx_strncmp(text, "db=", 3) == 0) {
        rc = ngx_http_atelier_redis_number(value, 3, 0, 65535, &redis->db);

    } else if (ngx_strncmp(text, "queue=", 6) == 0) {
        rc = ngx_http_atelier_redis_number(value, 6, 1, 65535, &redis->queue);

    } else if (ngx_strncmp(text, "timeout=", 8) == 0) {
        rc = ngx_http_atelier_redis_time(value, 8, &redis->timeout);

    } else if (ngx_strncmp(text, "connect_timeout=", 16) == 0) {
        rc = ngx_http_atelier_redis_time(value, 16, &redis->connect_timeout);
    }

    if (rc != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"atelier_redis\": "
                           "known are password_file=path, user=name, "
                           "db=0..65535, queue=1..65535, and timeout= and "
                           "connect_timeout= with a time such as 100ms, "
                           "at most 60s", value);
    }

    return rc;
}


static ngx_int_t
ngx_http_atelier_redis_number(ngx_str_t *value, size_t skip, ngx_int_t min,
    ngx_int_t max, ngx_uint_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data + skip, value->len - skip);

    if (n == NGX_ERROR || n < min || n > max) {
        return NGX_ERROR;
    }

    *number = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_redis_time(ngx_str_t *value, size_t skip, ngx_msec_t *ms)
{
    ngx_int_t  n;
    ngx_str_t  s;

    s.data = value->data + skip;
    s.len = value->len - skip;

    n = ngx_parse_time(&s, 0);

    if (n == NGX_ERROR || n < 1 || n > NGX_HTTP_ATELIER_REDIS_SLOW) {
        return NGX_ERROR;
    }

    *ms = n;

    return NGX_OK;
}
