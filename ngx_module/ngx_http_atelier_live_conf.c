/*
 * The directives of the live endpoint: atelier_live and, for conformance
 * tests alone, atelier_live_echo.
 */

#include "ngx_http_atelier_hub.h"
#include "ngx_http_atelier_live.h"
#include "live/at_ws_handshake.h"


typedef enum {
    NGX_HTTP_ATELIER_LIVE_SIZE,
    NGX_HTTP_ATELIER_LIVE_TIME,
    NGX_HTTP_ATELIER_LIVE_NUMBER,
    NGX_HTTP_ATELIER_LIVE_RATE                   /* a number and "/s" */
} ngx_http_atelier_live_type_e;


typedef struct {
    ngx_str_t                     name;
    ngx_http_atelier_live_type_e  type;
    ngx_uint_t                    min;
    ngx_uint_t                    max;
    size_t                        offset;        /* of a word in the conf */
} ngx_http_atelier_live_param_t;


static ngx_int_t ngx_http_atelier_live_param(ngx_conf_t *cf,
    ngx_http_atelier_live_t *live, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_live_origin(ngx_conf_t *cf,
    ngx_http_atelier_live_t *live, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_live_value(
    const ngx_http_atelier_live_param_t *p, ngx_str_t *text);


#define at_live_offset(field)                                                 \
    offsetof(ngx_http_atelier_socket_conf_t, field)

static const ngx_http_atelier_live_param_t  ngx_http_atelier_live_params[] = {

    { ngx_string("max_message="), NGX_HTTP_ATELIER_LIVE_SIZE,
      1024, 16 * 1024 * 1024, at_live_offset(max_message) },

    { ngx_string("max_queue="), NGX_HTTP_ATELIER_LIVE_SIZE,
      16384, 64 * 1024 * 1024, at_live_offset(max_queue) },

    { ngx_string("max_sockets_per_address="), NGX_HTTP_ATELIER_LIVE_NUMBER,
      0, 1000000, at_live_offset(per_address) },

    { ngx_string("messages="), NGX_HTTP_ATELIER_LIVE_RATE,
      1, 1000000, at_live_offset(messages) },

    { ngx_string("pings="), NGX_HTTP_ATELIER_LIVE_RATE,
      1, 1000000, at_live_offset(pings) },

    { ngx_string("ping="), NGX_HTTP_ATELIER_LIVE_TIME,
      100, 3600000, at_live_offset(ping) },

    { ngx_string("timeout="), NGX_HTTP_ATELIER_LIVE_TIME,
      100, 600000, at_live_offset(timeout) },

    { ngx_string("drain="), NGX_HTTP_ATELIER_LIVE_TIME,
      0, 3600000, at_live_offset(drain) },

    { ngx_string("subscriptions="), NGX_HTTP_ATELIER_LIVE_NUMBER,
      1, 10000, at_live_offset(subscriptions) }
};


char *
ngx_http_atelier_live(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_loc_conf_t *alcf = conf;

    at_str_t                        *origin;
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_http_atelier_live_t         *live;
    ngx_http_atelier_main_conf_t    *amcf;
    ngx_http_atelier_socket_conf_t  *socket;

    live = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_live_t));
    if (live == NULL
        || ngx_array_init(&live->origins, cf->pool, 2, sizeof(at_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    socket = &live->socket;

    socket->max_message = 65536;
    socket->max_queue = 262144;
    socket->per_address = 100;
    socket->messages = 50;
    socket->pings = 20;
    socket->ping = 25000;
    socket->timeout = 10000;
    socket->drain = 10000;
    socket->deflate = 1;
    socket->subscriptions = 100;
    socket->message = ngx_http_atelier_live_message;
    socket->gone = ngx_http_atelier_hub_gone;
    socket->drained = ngx_http_atelier_hub_drained;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_live_param(cf, live, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (live->origins.nelts == 0) {
        origin = ngx_array_push(&live->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = AT_STR("self");
    }

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_atelier_module);

    amcf->sockets = 1;
    amcf->sockets_drain = ngx_max(amcf->sockets_drain, socket->drain);

    alcf->live = live;

    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_LIVE,
                                     ngx_http_atelier_upgrade_handler);
}


static ngx_int_t
ngx_http_atelier_live_param(ngx_conf_t *cf, ngx_http_atelier_live_t *live,
    ngx_str_t *value)
{
    ngx_int_t                             n;
    ngx_str_t                             text;
    ngx_uint_t                            i;
    const ngx_http_atelier_live_param_t  *p;

    if (ngx_strncmp(value->data, "origin=", 7) == 0) {
        return ngx_http_atelier_live_origin(cf, live, value);
    }

    if (ngx_strcmp(value->data, "deflate=on") == 0
        || ngx_strcmp(value->data, "deflate=off") == 0)
    {
        live->socket.deflate = (value->len == sizeof("deflate=on") - 1);
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "format=flat") == 0
        || ngx_strcmp(value->data, "format=envelope") == 0)
    {
        live->socket.flat = (value->len == sizeof("format=flat") - 1);
        return NGX_OK;
    }

    p = ngx_http_atelier_live_params;

    for (i = 0;
         i < sizeof(ngx_http_atelier_live_params)
             / sizeof(ngx_http_atelier_live_param_t);
         i++, p++)
    {
        if (ngx_strncmp(value->data, p->name.data, p->name.len) != 0) {
            continue;
        }

        text.data = value->data + p->name.len;
        text.len = value->len - p->name.len;

        n = ngx_http_atelier_live_value(p, &text);

        if (n >= (ngx_int_t) p->min && n <= (ngx_int_t) p->max) {
            *(ngx_uint_t *) ((u_char *) &live->socket + p->offset) = n;
            return NGX_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"atelier_live\": known "
                       "are origin=, max_sockets_per_address=0..1000000, "
                       "max_message=1k..16m, max_queue=16k..64m, "
                       "messages=1/s..1000000/s, pings=1/s..1000000/s, "
                       "ping=100ms..1h, timeout=100ms..10m, drain=0..1h, "
                       "subscriptions=1..10000, format=envelope|flat and "
                       "deflate=on|off", value);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_atelier_live_value(const ngx_http_atelier_live_param_t *p,
    ngx_str_t *text)
{
    switch (p->type) {

    case NGX_HTTP_ATELIER_LIVE_SIZE:
        return ngx_parse_size(text);

    case NGX_HTTP_ATELIER_LIVE_TIME:
        return ngx_parse_time(text, 0);

    case NGX_HTTP_ATELIER_LIVE_RATE:

        if (text->len < 3
            || ngx_strcmp(text->data + text->len - 2, "/s") != 0)
        {
            return NGX_ERROR;
        }

        return ngx_atoi(text->data, text->len - 2);

    default: /* NGX_HTTP_ATELIER_LIVE_NUMBER */
        return ngx_atoi(text->data, text->len);
    }
}


static ngx_int_t
ngx_http_atelier_live_origin(ngx_conf_t *cf, ngx_http_atelier_live_t *live,
    ngx_str_t *value)
{
    at_str_t  *origin;

    origin = ngx_array_push(&live->origins);
    if (origin == NULL) {
        return NGX_ERROR;
    }

    origin->data = (const char *) value->data + 7;
    origin->len = value->len - 7;

    if (at_ws_origin_valid(*origin)) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid \"%V\" of \"atelier_live\": give an origin as "
                       "browsers send it, such as "
                       "origin=https://shop.example.com, one for all names "
                       "below a name, origin=https://*.example.com, or self, "
                       "null or *", value);

    return NGX_ERROR;
}


ngx_int_t
ngx_http_atelier_live_echo_check(ngx_conf_t *cf,
    ngx_http_atelier_loc_conf_t *alcf)
{
    if (alcf->live_echo == NGX_CONF_UNSET || alcf->live_echo == 0) {
        return NGX_OK;
    }

    if (alcf->endpoint != NGX_HTTP_ATELIER_LIVE) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"atelier_live_echo\" stands in a location without "
                      "\"atelier_live\": it is for conformance tests of that "
                      "endpoint alone");
        return NGX_ERROR;
    }

    alcf->live->socket.binary = 1;
    alcf->live->socket.message = ngx_http_atelier_live_echo;

    return NGX_OK;
}
