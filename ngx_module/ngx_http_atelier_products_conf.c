/*
 * The directive atelier_products.
 *
 * There is one set of products: its times hold for all locations.
 */

#include "ngx_http_atelier_products.h"


static ngx_int_t ngx_http_atelier_products_param(ngx_conf_t *cf,
    ngx_http_atelier_products_t *products, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_products_place(ngx_conf_t *cf);


static const struct {
    ngx_str_t    name;
    ngx_int_t    min;
    ngx_int_t    max;
    size_t       offset;
} ngx_http_atelier_products_params[] = {

    { ngx_string("fresh="), 1000, 86400000,
      offsetof(ngx_http_atelier_products_t, fresh) },

    { ngx_string("stale="), 0, 7 * 86400000,
      offsetof(ngx_http_atelier_products_t, stale) },

    { ngx_string("wait="), 0, 30000,
      offsetof(ngx_http_atelier_products_t, wait) },

    { ngx_string("refresh="), 60000, 7 * 86400000,
      offsetof(ngx_http_atelier_products_t, refresh) },

    { ngx_null_string, 0, 0, 0 }
};


char *
ngx_http_atelier_products(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_atelier_products_t   *products, *old;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_atelier_module);

    products = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_products_t));
    if (products == NULL) {
        return NGX_CONF_ERROR;
    }

    products->fresh = 5000;
    products->stale = 3600000;
    products->wait = 5000;
    products->refresh = NGX_HTTP_ATELIER_SHOP_REFRESH;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_products_param(cf, products, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    old = amcf->products;

    if (old && (old->fresh != products->fresh || old->stale != products->stale
                || old->wait != products->wait
                || old->refresh != products->refresh))
    {
        return "has other times than before: products are one, so give all "
               "locations the same fresh=, stale=, wait= and refresh=";
    }

    products->control.data = ngx_pnalloc(cf->pool,
                                         NGX_HTTP_ATELIER_CONTROL_LEN);
    if (products->control.data == NULL
        || ngx_http_atelier_products_place(cf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    products->control.len = ngx_http_atelier_page_control(
                                products->control.data, products->fresh,
                                ngx_min(products->stale,
                                        NGX_HTTP_ATELIER_PRODUCTS_ANEW),
                                products->stale)
                            - products->control.data;

    amcf->products = products;

    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_PRODUCTS,
                                     ngx_http_atelier_products_handler);
}


static ngx_int_t
ngx_http_atelier_products_param(ngx_conf_t *cf,
    ngx_http_atelier_products_t *products, ngx_str_t *value)
{
    ngx_int_t    ms;
    ngx_str_t    text, name;
    ngx_uint_t   i;

    for (i = 0; ngx_http_atelier_products_params[i].name.len; i++) {
        name = ngx_http_atelier_products_params[i].name;

        if (value->len <= name.len
            || ngx_strncmp(value->data, name.data, name.len) != 0)
        {
            continue;
        }

        text.data = value->data + name.len;
        text.len = value->len - name.len;

        ms = ngx_parse_time(&text, 0);

        if (ms == NGX_ERROR || ms < ngx_http_atelier_products_params[i].min
            || ms > ngx_http_atelier_products_params[i].max)
        {
            break;
        }

        *(ngx_msec_t *) ((char *) products
                         + ngx_http_atelier_products_params[i].offset) = ms;

        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"atelier_products\": "
                       "known are fresh= of 1s to 1d, stale= of 0 to 7d, "
                       "wait= of 0 to 30s and refresh= of 1m to 7d", value);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_atelier_products_place(ngx_conf_t *cf)
{
    ngx_uint_t                 bad;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    bad = clcf->name.len < 2 || clcf->name.data[0] != '/'
          || clcf->name.data[clcf->name.len - 1] == '/';

#if (NGX_PCRE)
    bad |= (clcf->regex != NULL);
#endif

    if (bad) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"atelier_products\" needs a location with a path "
                           "of its own, such as \"location /products\", not "
                           "\"%V\"", &clcf->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}
