/*
 * The directives of pictures in the making: atelier_generate, and
 * atelier_attempt on the egress socket.
 */

#include "ngx_http_atelier_generate.h"


static ngx_int_t ngx_http_atelier_generate_params(ngx_conf_t *cf,
    ngx_http_atelier_loc_conf_t *alcf);
static ngx_int_t ngx_http_atelier_generate_param(
    ngx_http_atelier_loc_conf_t *alcf, ngx_str_t *value);


char *
ngx_http_atelier_generate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_loc_conf_t *alcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    /* without atelier_postgres there is no queue, whatever stands here */

    alcf->queue = 1;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "queue=on") == 0) {
            alcf->queue_asked = 1;

        } else if (ngx_strcmp(value[i].data, "queue=off") == 0) {
            alcf->queue = 0;

        } else {
            continue;
        }

        /* it is none of the parameters that both have */

        ngx_str_null(&value[i]);
    }

    if (ngx_http_atelier_generate_params(cf, alcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_GENERATE,
                                     ngx_http_atelier_generate_handler);
}


char *
ngx_http_atelier_attempt(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_loc_conf_t *alcf = conf;

    if (ngx_http_atelier_generate_params(cf, alcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_ATTEMPT,
                                     ngx_http_atelier_attempt_handler);
}


static ngx_int_t
ngx_http_atelier_generate_params(ngx_conf_t *cf,
    ngx_http_atelier_loc_conf_t *alcf)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    alcf->in_flight = ngx_pcalloc(cf->pool, sizeof(ngx_uint_t));
    if (alcf->in_flight == NULL) {
        return NGX_ERROR;
    }

    alcf->hedge_min = 50;
    alcf->hedge_max = 5000;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (value[i].len == 0
            || ngx_http_atelier_generate_param(alcf, &value[i]) == NGX_OK)
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"%V\": "
                           "known are strategy=race|hedge|failover, "
                           "max_in_flight=1..65535, hedge_min= and "
                           "hedge_max= with a time such as 50ms%s",
                           &value[i], &value[0],
                           (value[0].len == sizeof("atelier_generate") - 1)
                           ? ", queue=on|off" : "");
        return NGX_ERROR;
    }

    if (alcf->hedge_min > alcf->hedge_max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "hedge_min= of %Mms is above hedge_max= of %Mms",
                           alcf->hedge_min, alcf->hedge_max);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_generate_param(ngx_http_atelier_loc_conf_t *alcf,
    ngx_str_t *value)
{
    u_char     *text;
    ngx_int_t   n;
    ngx_str_t   s;

    text = value->data;

    if (ngx_strcmp(text, "strategy=race") == 0) {
        alcf->strategy = NGX_HTTP_ATELIER_RACE;
        return NGX_OK;
    }

    if (ngx_strcmp(text, "strategy=hedge") == 0) {
        alcf->strategy = NGX_HTTP_ATELIER_HEDGE;
        return NGX_OK;
    }

    if (ngx_strcmp(text, "strategy=failover") == 0) {
        alcf->strategy = NGX_HTTP_ATELIER_FAILOVER;
        return NGX_OK;
    }

    if (ngx_strncmp(text, "max_in_flight=", 14) == 0) {
        n = ngx_atoi(text + 14, value->len - 14);

        if (n >= 1 && n <= 65535) {
            alcf->max_in_flight = n;
            return NGX_OK;
        }
    }

    if (ngx_strncmp(text, "hedge_min=", 10) == 0
        || ngx_strncmp(text, "hedge_max=", 10) == 0)
    {
        s.data = text + 10;
        s.len = value->len - 10;
        n = ngx_parse_time(&s, 0);

        if (n != NGX_ERROR && n >= 1 && n <= 600000) {
            if (text[7] == 'i') {
                alcf->hedge_min = n;

            } else {
                alcf->hedge_max = n;
            }

            return NGX_OK;
        }
    }

    return NGX_ERROR;
}
