/*
 * atelier_limits scope=node|shared [nodes=N] [lease=2s];
 *
 * Also what /metrics says of shared limits.
 */

#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_joint.h"


static ngx_int_t ngx_http_atelier_limits_param(ngx_conf_t *cf,
    ngx_http_atelier_limits_t *limits, ngx_uint_t *shared, ngx_str_t *value);


char *
ngx_http_atelier_limits(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i, shared;
    ngx_http_atelier_limits_t  *limits;

    if (amcf->limits) {
        return "is duplicate: all limits have one scope";
    }

    limits = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_limits_t));

    if (limits == NULL
        || ngx_array_init(&limits->parties, cf->pool, 8,
                          sizeof(ngx_http_atelier_party_t *))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    limits->lease = 2000;
    shared = 0;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_limits_param(cf, limits, &shared, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (!shared) {
        return NGX_CONF_OK;
    }

    if (limits->nodes == 0) {
        return "has no nodes=: say how many nginx share the limits";
    }

    ngx_http_atelier_here(cf, &limits->place);
    amcf->limits = limits;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_atelier_limits_param(ngx_conf_t *cf,
    ngx_http_atelier_limits_t *limits, ngx_uint_t *shared, ngx_str_t *value)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_strcmp(value->data, "scope=node") == 0) {
        *shared = 0;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "scope=shared") == 0) {
        *shared = 1;
        return NGX_OK;
    }

    if (ngx_strncmp(value->data, "nodes=", 6) == 0) {
        n = ngx_atoi(value->data + 6, value->len - 6);

        if (n >= 1 && n <= 64) {
            limits->nodes = n;
            return NGX_OK;
        }
    }

    if (ngx_strncmp(value->data, "lease=", 6) == 0) {
        s.data = value->data + 6;
        s.len = value->len - 6;

        n = ngx_parse_time(&s, 0);

        if (n >= 500 && n <= 60000) {
            limits->lease = n;
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"atelier_limits\": "
                       "known are scope=node|shared, nodes=1..64, and lease= "
                       "with a time from 500ms to 60s", value);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_atelier_limits_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    if (amcf->limits && amcf->redis == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"atelier_limits scope=shared\" needs Redis: add "
                      "\"atelier_redis unix:path;\" to the http block; "
                      "in %V:%ui",
                      &amcf->limits->place.file, amcf->limits->place.line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_joint_party(ngx_http_atelier_limits_t *limits,
    ngx_http_atelier_party_t *party)
{
    ngx_http_atelier_party_t  **p;

    p = ngx_array_push(&limits->parties);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p = party;

    return NGX_OK;
}


int
ngx_http_atelier_joint_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    ngx_uint_t  linked;

    if (amcf->limits == NULL) {
        return AT_OK;
    }

    ngx_shmtx_lock(&amcf->zone->pool->mutex);
    linked = ngx_http_atelier_joint_linked(amcf->zone, ngx_current_msec);
    ngx_shmtx_unlock(&amcf->zone->pool->mutex);

    return ngx_http_atelier_metrics_value(b, "limits_shared", "gauge",
                                          "1 if limits are those in Redis, 0 "
                                          "if this node goes by its part of "
                                          "them.", linked);
}
