/*
 * The directives of the module, its variables, and the life of its
 * configuration.  What a directive does is in the file of its mechanism.
 *
 *     http        atelier_zone, atelier_cache, atelier_pictures,
 *                 atelier_ai_provider, atelier_feed_source, atelier_secret,
 *                 atelier_egress, atelier_postgres, atelier_redis,
 *                 atelier_limits
 *     location    atelier_generate, atelier_attempt, atelier_cancel,
 *                 atelier_designs, atelier_fill, atelier_products,
 *                 atelier_live, atelier_live_echo, atelier_invalidate,
 *                 atelier_scrape, atelier_publish, atelier_metrics,
 *                 atelier_telemetry,
 *                 atelier_health
 *     all three   atelier_visitor, atelier_operator
 */

#include "ngx_http_atelier_cache.h"
#include "ngx_http_atelier_check.h"
#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_designs.h"
#include "ngx_http_atelier_egress.h"
#include "ngx_http_atelier_fanout.h"
#include "ngx_http_atelier_follow.h"
#include "ngx_http_atelier_generate.h"
#include "ngx_http_atelier_hub.h"
#include "ngx_http_atelier_live.h"
#include "ngx_http_atelier_operator.h"
#include "ngx_http_atelier_pictures.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_products.h"
#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_redis.h"
#include "ngx_http_atelier_joint.h"
#include "ngx_http_atelier_source.h"
#include "ngx_http_atelier_telemetry.h"
#include "ngx_http_atelier_visitor.h"
#include "ngx_http_atelier_zone.h"


static ngx_int_t ngx_http_atelier_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_atelier_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_atelier_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_atelier_init_process(ngx_cycle_t *cycle);
static void ngx_http_atelier_exit_process(ngx_cycle_t *cycle);
static void *ngx_http_atelier_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_atelier_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_atelier_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_atelier_cancel(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_atelier_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_atelier_telemetry(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_atelier_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_atelier_variable_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_atelier_variable_random(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_atelier_variable_ctx(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_atelier_variable_result_url(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_command_t  ngx_http_atelier_commands[] = {

    { ngx_string("atelier_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_atelier_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_atelier_cache,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_pictures"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_atelier_pictures,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_ai_provider"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_atelier_ai_provider,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_atelier_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_egress"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_atelier_egress,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_postgres"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_atelier_postgres,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_atelier_redis,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_feed_source"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_atelier_feed_source,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_limits"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_atelier_limits,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_designs"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_atelier_designs,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_fill"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_atelier_fill,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_products"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_atelier_products,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_live"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_atelier_live,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_live_echo"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_atelier_loc_conf_t, live_echo),
      NULL },

    { ngx_string("atelier_invalidate"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_atelier_invalidate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_scrape"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_atelier_scrape,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_publish"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_atelier_publish,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_cancel"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_atelier_cancel,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_generate"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_atelier_generate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_attempt"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_atelier_attempt,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_visitor"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_atelier_visitor_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_operator"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_atelier_operator,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_atelier_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_telemetry"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_atelier_telemetry,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("atelier_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_atelier_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_variable_t  ngx_http_atelier_variables[] = {

    { ngx_string("atelier_request_id"), NULL,
      ngx_http_atelier_variable_request_id, 0, 0, 0 },

    { ngx_string("atelier_random"), NULL,
      ngx_http_atelier_variable_random, 0, 0, 0 },

    { ngx_string("atelier_provider"), NULL,
      ngx_http_atelier_variable_ctx,
      offsetof(ngx_http_atelier_ctx_t, provider),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("atelier_job"), NULL,
      ngx_http_atelier_variable_ctx,
      offsetof(ngx_http_atelier_ctx_t, jobs),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("atelier_cache_status"), NULL,
      ngx_http_atelier_variable_ctx,
      offsetof(ngx_http_atelier_ctx_t, cache_status),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("atelier_result_url"), NULL,
      ngx_http_atelier_variable_result_url, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static ngx_http_module_t  ngx_http_atelier_module_ctx = {
    ngx_http_atelier_preconfiguration,     /* preconfiguration */
    ngx_http_atelier_postconfiguration,    /* postconfiguration */

    ngx_http_atelier_create_main_conf,     /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_atelier_create_loc_conf,      /* create location configuration */
    ngx_http_atelier_merge_loc_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_atelier_module = {
    NGX_MODULE_V1,
    &ngx_http_atelier_module_ctx,          /* module context */
    ngx_http_atelier_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_atelier_init_module,          /* init module */
    ngx_http_atelier_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_atelier_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_atelier_preconfiguration(ngx_conf_t *cf)
{
    ngx_http_variable_t  *v, *var;

    for (v = ngx_http_atelier_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_postconfiguration(ngx_conf_t *cf)
{
    ngx_str_t                      name = ngx_string("request_id");
    ngx_http_handler_pt           *h;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_atelier_module);

    amcf->request_id = ngx_http_get_variable_index(cf, &name);
    if (amcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_atelier_redis_check(cf, amcf) != NGX_OK
        || ngx_http_atelier_limits_check(cf, amcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_atelier_operator_access;

    return ngx_http_atelier_check(cf, amcf);
}


static ngx_int_t
ngx_http_atelier_init_module(ngx_cycle_t *cycle)
{
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);
    if (amcf) {
        ngx_http_atelier_check_shutdown(cycle, amcf);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_init_process(ngx_cycle_t *cycle)
{
    if (ngx_http_atelier_redis_init_process(cycle) != NGX_OK
        || ngx_http_atelier_joint_init_process(cycle) != NGX_OK
        || ngx_http_atelier_follow_init_process(cycle) != NGX_OK
        || ngx_http_atelier_shop_init_process(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_atelier_socket_init_process(cycle);
    ngx_http_atelier_sweep_init_process(cycle);
    ngx_http_atelier_hub_init_process(cycle);

    return ngx_http_atelier_postgres_init_process(cycle);
}


static void
ngx_http_atelier_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_atelier_socket_exit_process();
    ngx_http_atelier_redis_exit_process();
    ngx_http_atelier_postgres_exit_process();
}


static void *
ngx_http_atelier_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    amcf->feed_fresh = 600000;
    amcf->feed_stale = 3600000;

    if (ngx_array_init(&amcf->providers, cf->pool, 4,
                       sizeof(ngx_http_atelier_provider_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return amcf;
}


static void *
ngx_http_atelier_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_atelier_loc_conf_t  *alcf;

    alcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_loc_conf_t));
    if (alcf == NULL) {
        return NULL;
    }

    alcf->live_echo = NGX_CONF_UNSET;

    return alcf;
}


/* Bytes of a request's body; 0: none of our business. */

static size_t
ngx_http_atelier_body_max(ngx_http_atelier_endpoint_e endpoint)
{
    switch (endpoint) {

    case NGX_HTTP_ATELIER_GENERATE:
    case NGX_HTTP_ATELIER_ATTEMPT:
        return AT_GENERATE_BODY_MAX;

    case NGX_HTTP_ATELIER_INVALIDATE:
    case NGX_HTTP_ATELIER_SCRAPE:
        return NGX_HTTP_ATELIER_COMMAND_BODY;

    case NGX_HTTP_ATELIER_PUBLISH:
        return NGX_HTTP_ATELIER_PUBLISH_BODY;

    default:
        return 0;
    }
}


/*
 * Bodies that are short JSON are bounded here and kept in memory.  A smaller
 * client_max_body_size of the operator stays.
 */

static char *
ngx_http_atelier_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_atelier_loc_conf_t *prev = parent;
    ngx_http_atelier_loc_conf_t *conf = child;

    size_t                     max;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->visitor == NULL) {
        conf->visitor = prev->visitor;
    }

    if (conf->operator == NULL) {
        conf->operator = prev->operator;
    }

    if (clcf->noname && conf->endpoint == NGX_HTTP_ATELIER_NONE) {
        *conf = *prev;

        /* the methods of "limit_except" get a location without a handler */

        if (clcf->lmt_excpt && clcf->handler == NULL) {
            clcf->handler = conf->handler;
        }
    }

    if (ngx_http_atelier_live_echo_check(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    max = ngx_http_atelier_body_max(conf->endpoint);

    if (max == 0) {
        return NGX_CONF_OK;
    }

    if (clcf->client_max_body_size == 0
        || clcf->client_max_body_size > (off_t) max)
    {
        clcf->client_max_body_size = max;
    }

    if (clcf->client_body_buffer_size < max) {
        clcf->client_body_buffer_size = max;
    }

    clcf->client_body_in_file_only = 0;

    return NGX_CONF_OK;
}


char *
ngx_http_atelier_endpoint(ngx_conf_t *cf, ngx_http_atelier_loc_conf_t *alcf,
    ngx_http_atelier_endpoint_e endpoint, ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (alcf->endpoint != NGX_HTTP_ATELIER_NONE) {
        return "is duplicate: a location is one endpoint";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "stands beside another directive that answers the request: "
               "give it a location of its own";
    }

    clcf->handler = handler;

    alcf->endpoint = endpoint;
    alcf->handler = handler;
    ngx_http_atelier_here(cf, &alcf->place);

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_cancel(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_CANCEL,
                                     ngx_http_atelier_cancel_handler);
}


static char *
ngx_http_atelier_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_METRICS,
                                     ngx_http_atelier_metrics_handler);
}


static char *
ngx_http_atelier_telemetry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_TELEMETRY,
                                     ngx_http_atelier_telemetry_handler);
}


static char *
ngx_http_atelier_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "live") == 0) {
        return ngx_http_atelier_endpoint(cf, conf,
                                         NGX_HTTP_ATELIER_HEALTH_LIVE,
                                         ngx_http_atelier_live_handler);
    }

    if (ngx_strcmp(value[1].data, "ready") == 0) {
        return ngx_http_atelier_endpoint(cf, conf,
                                         NGX_HTTP_ATELIER_HEALTH_READY,
                                         ngx_http_atelier_ready_handler);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" of \"atelier_health\": known "
                       "are live and ready", &value[1]);

    return NGX_CONF_ERROR;
}


static void
ngx_http_atelier_variable_set(ngx_http_variable_value_t *v, ngx_str_t *value)
{
    v->len = value->len;
    v->data = value->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (value->len == 0);
}


static ngx_int_t
ngx_http_atelier_variable_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_atelier_variable_set(v, ngx_http_atelier_request_id(r));

    return NGX_OK;
}


/* 128 random bits in hex, the same all through a request. */

static ngx_int_t
ngx_http_atelier_variable_random(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                  *id;
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_atelier_get_ctx(r->main);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->random.len == 0) {
        id = ngx_pnalloc(r->main->pool, NGX_HTTP_ATELIER_ID_LEN);

        if (id == NULL || ngx_http_atelier_pictures_id(id) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->random.data = id;
        ctx->random.len = NGX_HTTP_ATELIER_ID_LEN;
    }

    ngx_http_atelier_variable_set(v, &ctx->random);

    return NGX_OK;
}


/* A string of the request's context; empty before and without one. */

static ngx_int_t
ngx_http_atelier_variable_ctx(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                none = ngx_null_string;
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_atelier_module);

    ngx_http_atelier_variable_set(v, ctx ? (ngx_str_t *) ((char *) ctx + data)
                                         : &none);

    return NGX_OK;
}


/* The address a result location is to fetch; set for lanes only. */

static ngx_int_t
ngx_http_atelier_variable_result_url(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 none = ngx_null_string;
    ngx_http_atelier_lane_t  *lane;

    lane = ngx_http_atelier_lane_of(r);

    ngx_http_atelier_variable_set(v, lane ? &lane->call.url : &none);

    return NGX_OK;
}
