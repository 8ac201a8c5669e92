/*
 * The directives of the feed's endpoints: atelier_designs and atelier_fill.
 *
 * There is one feed: its times hold for all locations that answer for it, and
 * the path of the first of them stands in the links of its pages.
 */

#include "ngx_http_atelier_designs.h"


static ngx_int_t ngx_http_atelier_designs_param(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_designs_path(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);
static ngx_int_t ngx_http_atelier_designs_control(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);


char *
ngx_http_atelier_designs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_msec_t                     fresh, stale;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_atelier_module);

    fresh = amcf->feed_fresh;
    stale = amcf->feed_stale;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_designs_param(cf, amcf, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (amcf->feed_path.len
        && (fresh != amcf->feed_fresh || stale != amcf->feed_stale))
    {
        return "has other times than before: there is one feed, so give all "
               "locations the same fresh= and stale=";
    }

    if (ngx_http_atelier_designs_path(cf, amcf) != NGX_OK
        || ngx_http_atelier_designs_control(cf, amcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_DESIGNS,
                                     ngx_http_atelier_designs_handler);
}


static ngx_int_t
ngx_http_atelier_designs_param(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf, ngx_str_t *value)
{
    ngx_int_t   ms;
    ngx_str_t   text;

    text.data = value->data + 6;
    text.len = (value->len > 6) ? value->len - 6 : 0;

    if (ngx_strncmp(value->data, "fresh=", 6) == 0) {
        ms = ngx_parse_time(&text, 0);

        if (ms != NGX_ERROR && ms >= 1000 && ms <= 86400000) {
            amcf->feed_fresh = ms;
            return NGX_OK;
        }
    }

    if (ngx_strncmp(value->data, "stale=", 6) == 0) {
        ms = ngx_parse_time(&text, 0);

        if (ms != NGX_ERROR && ms <= 7 * 86400000) {
            amcf->feed_stale = ms;
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"atelier_designs\": "
                       "known are fresh= of 1s to 1d and stale= of 0 to 7d",
                       value);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_atelier_designs_path(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    ngx_str_t                  name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    name = clcf->name;

#if (NGX_PCRE)

    /* one for the likes alone, say */

    if (clcf->regex) {
        return NGX_OK;
    }

#endif

    if (name.len < 2 || name.data[0] != '/'
        || name.data[name.len - 1] == '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"atelier_designs\" needs a location with a path "
                           "of its own, such as \"location /designs\", not "
                           "\"%V\"", &clcf->name);
        return NGX_ERROR;
    }

    if (amcf->feed_path.len == 0) {
        amcf->feed_path = name;
    }

    return NGX_OK;
}


/* Of a page that is whole, as most are: made once. */

static ngx_int_t
ngx_http_atelier_designs_control(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf)
{
    amcf->feed_control.data = ngx_pnalloc(cf->pool,
                                          NGX_HTTP_ATELIER_CONTROL_LEN);
    if (amcf->feed_control.data == NULL) {
        return NGX_ERROR;
    }

    amcf->feed_control.len = ngx_http_atelier_page_control(
                                 amcf->feed_control.data, amcf->feed_fresh,
                                 amcf->feed_stale, amcf->feed_stale)
                             - amcf->feed_control.data;

    return NGX_OK;
}


char *
ngx_http_atelier_fill(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_loc_conf_t *alcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    alcf->in_flight = ngx_pcalloc(cf->pool, sizeof(ngx_uint_t));
    if (alcf->in_flight == NULL) {
        return NGX_CONF_ERROR;
    }

    alcf->max_in_flight = 64;

    if (cf->args->nelts > 1) {
        value = cf->args->elts;
        n = NGX_ERROR;

        if (ngx_strncmp(value[1].data, "max_in_flight=", 14) == 0) {
            n = ngx_atoi(value[1].data + 14, value[1].len - 14);
        }

        if (n < 1 || n > 65535) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"atelier_fill\": known is "
                               "max_in_flight=1..65535", &value[1]);
            return NGX_CONF_ERROR;
        }

        alcf->max_in_flight = n;
    }

    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_FILL,
                                     ngx_http_atelier_fill_handler);
}
