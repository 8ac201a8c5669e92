/*
 * atelier_visitor $variable; (see ngx_http_atelier_visitor.h)
 *
 * The value itself goes nowhere: stores and logs get its digest, from which
 * nobody can make the cookie again.
 */

#include "ngx_http_atelier_visitor.h"


#define NGX_HTTP_ATELIER_VISITOR_MAX  1024
#define NGX_HTTP_ATELIER_VISITOR_LEN  (2 + AT_HASH_HEX)


ngx_int_t
ngx_http_atelier_visitor(ngx_http_request_t *r, ngx_str_t *digest)
{
    u_char                       *p;
    uint8_t                       hash[AT_HASH_BYTES];
    ngx_str_t                     value;
    ngx_http_atelier_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    if (alcf->visitor == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_complex_value(r, alcf->visitor, &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (value.len == 0 || value.len > NGX_HTTP_ATELIER_VISITOR_MAX) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_ATELIER_VISITOR_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_hash128(value.data, value.len, hash);

    p[0] = '\\';
    p[1] = 'x';
    at_hash_hex(hash, (char *) p + 2);

    digest->data = p;
    digest->len = NGX_HTTP_ATELIER_VISITOR_LEN;

    return NGX_OK;
}


/*
 * What tells visitors apart must differ between them, so it holds a variable.
 */

char *
ngx_http_atelier_visitor_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_atelier_loc_conf_t *alcf = conf;

    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    if (alcf->visitor) {
        return "is duplicate";
    }

    value = cf->args->elts;

    alcf->visitor = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (alcf->visitor == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = alcf->visitor;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (alcf->visitor->lengths == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"atelier_visitor\" is the same for "
                           "all: give it a variable that tells visitors "
                           "apart, as in conf/nginx.conf", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
