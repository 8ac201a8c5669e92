/*
 * GET /generate/options: the styles and room types a front end can offer, and
 * the bounds of a request.  Any other style or room type is taken as well.
 *
 * Static but for the bounds, which are those of core/at_generate.h.
 */

#include "ngx_http_atelier.h"
#include "ngx_http_atelier_problem.h"
#include "at_generate.h"


static ngx_int_t ngx_http_atelier_options_send(ngx_http_request_t *r);


#define NGX_HTTP_ATELIER_STYLES                                               \
    "\"modern\",\"minimalist\",\"scandinavian\",\"japandi\","                 \
    "\"industrial\",\"mid-century modern\",\"bohemian\",\"traditional\","     \
    "\"farmhouse\",\"coastal\",\"art deco\",\"rustic\""

#define NGX_HTTP_ATELIER_ROOMS                                                \
    "\"living room\",\"bedroom\",\"kitchen\",\"dining room\","                \
    "\"bathroom\",\"home office\",\"hallway\",\"nursery\",\"balcony\","       \
    "\"study\""


/*
 * NGX_DECLINED: the address is that of /generate itself, whatever the location
 * is called.  Another one below a location that ends in "/" is 404.
 */

ngx_int_t
ngx_http_atelier_options_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_str_t                  name;
    ngx_http_core_loc_conf_t  *clcf;

    static const u_char  options[] = "/options";
    const size_t         len = sizeof(options) - 1;

    if (r->uri.len >= len
        && ngx_memcmp(r->uri.data + r->uri.len - len, options, len) == 0)
    {
        rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD,
                                    "GET, HEAD");

        return (rc == NGX_DECLINED) ? ngx_http_atelier_options_send(r) : rc;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = clcf->name;

    if (name.len && name.data[name.len - 1] == '/' && r->uri.len > name.len) {
        return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND,
                                               "not_found",
                                               "There is nothing at this "
                                               "address.");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_atelier_options_send(ngx_http_request_t *r)
{
    at_buf_t   b;
    ngx_int_t  rc;

    ngx_memzero(&b, sizeof(at_buf_t));

    if (at_buf_printf(&b,
                      "{\"styles\":[" NGX_HTTP_ATELIER_STYLES "],"
                      "\"roomTypes\":[" NGX_HTTP_ATELIER_ROOMS "],"
                      "\"limits\":{\"prompt\":%u,\"negativePrompt\":%u,"
                      "\"style\":%u,\"roomType\":%u,"
                      "\"width\":{\"min\":%u,\"max\":%u},"
                      "\"height\":{\"min\":%u,\"max\":%u},"
                      "\"seed\":{\"min\":0,\"max\":%u}}}\n",
                      AT_GENERATE_PROMPT_MAX, AT_GENERATE_NEGATIVE_MAX,
                      AT_GENERATE_WORD_MAX, AT_GENERATE_WORD_MAX,
                      AT_GENERATE_SIDE_MIN, AT_GENERATE_SIDE_MAX,
                      AT_GENERATE_SIDE_MIN, AT_GENERATE_SIDE_MAX,
                      AT_GENERATE_SEED_MAX)
        == AT_OK)
    {
        rc = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                   at_buf_str(&b));
    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return rc;
}
