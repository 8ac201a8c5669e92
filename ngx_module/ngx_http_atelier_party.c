/*
 * What the directives of all parties have in common (see
 * ngx_http_atelier_party.h): the parameters of their limits.
 */

#include "ngx_http_atelier_party.h"


typedef ngx_int_t (*ngx_http_atelier_party_pt)(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value);

typedef struct {
    ngx_str_t                     name;        /* with the "=" */
    ngx_http_atelier_party_pt     set;
} ngx_http_atelier_party_param_t;


static ngx_int_t ngx_http_atelier_party_timeout(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_party_rate(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_party_max_fails(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_party_fail_timeout(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value);


static const ngx_http_atelier_party_param_t
    ngx_http_atelier_party_params[] =
{
    { ngx_string("timeout="), ngx_http_atelier_party_timeout },
    { ngx_string("rate="), ngx_http_atelier_party_rate },
    { ngx_string("max_fails="), ngx_http_atelier_party_max_fails },
    { ngx_string("fail_timeout="), ngx_http_atelier_party_fail_timeout },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_http_atelier_party_param(ngx_conf_t *cf, ngx_http_atelier_party_t *party,
    ngx_str_t *value)
{
    ngx_str_t                              text;
    const ngx_http_atelier_party_param_t  *param;

    for (param = ngx_http_atelier_party_params; param->name.len; param++) {
        if (ngx_strncmp(value->data, param->name.data, param->name.len)
            == 0)
        {
            text.data = value->data + param->name.len;
            text.len = value->len - param->name.len;

            return param->set(cf, party, &text);
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_atelier_party_location(ngx_conf_t *cf,
    ngx_http_atelier_party_t *party, ngx_str_t *value, const char *param,
    ngx_str_t *to)
{
    if (value->len == 0 || value->data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s=\"%V\" of %V \"%V\": it is the "
                           "name of an internal location and starts with "
                           "\"/\"", param, value, &party->kind,
                           &party->name);
        return NGX_ERROR;
    }

    *to = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_party_timeout(ngx_conf_t *cf, ngx_http_atelier_party_t *p,
    ngx_str_t *value)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 1 || ms > 600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid timeout=\"%V\" of %V \"%V\": give "
                           "1ms to 10m, for example 10s",
                           value, &p->kind, &p->name);
        return NGX_ERROR;
    }

    p->timeout = ms;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_party_rate(ngx_conf_t *cf, ngx_http_atelier_party_t *p,
    ngx_str_t *value)
{
    u_char                   *slash;
    ngx_int_t                 calls, period;
    ngx_str_t                 time;
    ngx_uint_t                i;
    ngx_http_atelier_rate_t  *rate;

    calls = NGX_ERROR;
    period = NGX_ERROR;

    slash = ngx_strlchr(value->data, value->data + value->len, '/');

    if (slash && slash > value->data + 1 && slash[-1] == 'r') {
        time.data = slash + 1;
        time.len = value->data + value->len - time.data;

        calls = ngx_atoi(value->data, slash - 1 - value->data);

        if (time.len) {
            period = ngx_parse_time(&time, 0);
        }
    }

    if (calls < 1 || calls > 100000
        || period < 1000 || period > (ngx_int_t) 30 * 86400 * 1000)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rate=\"%V\" of %V \"%V\": give "
                           "calls per time, 1 to 100000 in 1s to 30d, for "
                           "example 100r/60s or 2000r/1d",
                           value, &p->kind, &p->name);
        return NGX_ERROR;
    }

    for (i = 0; i < p->nrates; i++) {
        if (p->rates[i].period == (ngx_msec_t) period) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "rate=\"%V\" of %V \"%V\" has the period "
                               "of another of its rates: keep one of them",
                               value, &p->kind, &p->name);
            return NGX_ERROR;
        }
    }

    if (p->nrates == NGX_HTTP_ATELIER_RATES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "rate=\"%V\" is one too many: %V \"%V\" can "
                           "have %d rates",
                           value, &p->kind, &p->name,
                           NGX_HTTP_ATELIER_RATES_MAX);
        return NGX_ERROR;
    }

    rate = &p->rates[p->nrates++];
    rate->calls = calls;
    rate->period = period;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_party_max_fails(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n > 1000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid max_fails=\"%V\" of %V \"%V\": "
                           "give 1 to 1000 failures that open its breaker, or "
                           "0 for none",
                           value, &p->kind, &p->name);
        return NGX_ERROR;
    }

    p->max_fails = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_party_fail_timeout(ngx_conf_t *cf,
    ngx_http_atelier_party_t *p, ngx_str_t *value)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 1 || ms > 3600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid fail_timeout=\"%V\" of %V \"%V\": "
                           "give 1ms to 1h, for example 10s",
                           value, &p->kind, &p->name);
        return NGX_ERROR;
    }

    p->fail_timeout = ms;

    return NGX_OK;
}
