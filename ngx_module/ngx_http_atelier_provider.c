/*
 * AI providers: the atelier_ai_provider directive, and the adapter that makes
 * a lane of the fan-out out of a state machine of core/ai.
 *
 * A provider lives in the configuration's pool.  An adapter lives in the
 * request's pool; its at_ai_lane_t is malloc'ed and freed by a pool cleanup.
 */

#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_limit.h"


/* A pause in ms after a refusal that names none. */
#define NGX_HTTP_ATELIER_PAUSE  5000


typedef struct {
    ngx_http_atelier_provider_t  *provider;
    at_ai_lane_t                 *ai;
} ngx_http_atelier_adapter_t;


typedef char *(*ngx_http_atelier_param_pt)(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);

typedef struct {
    ngx_str_t                     name;        /* with the "=" */
    ngx_http_atelier_param_pt     set;
} ngx_http_atelier_param_t;


static char *ngx_http_atelier_param_format(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_uri(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_result(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_result_host(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_priority(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_timeout(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_rate(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_model(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_prompt_max(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_provider_name(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf, ngx_str_t *name);
static char *ngx_http_atelier_provider_complete(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p);

static ngx_int_t ngx_http_atelier_adapter_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call);
static void ngx_http_atelier_adapter_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers);
static ngx_int_t ngx_http_atelier_adapter_data(ngx_http_atelier_lane_t *lane,
    u_char *p, size_t len);
static ngx_http_atelier_step_e ngx_http_atelier_adapter_end(
    ngx_http_atelier_lane_t *lane, ngx_uint_t complete, ngx_msec_t *wait);
static void ngx_http_atelier_adapter_failed(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a);
static void ngx_http_atelier_adapter_cleanup(void *data);


static const ngx_http_atelier_param_t  ngx_http_atelier_params[] = {
    { ngx_string("format="), ngx_http_atelier_param_format },
    { ngx_string("uri="), ngx_http_atelier_param_uri },
    { ngx_string("result="), ngx_http_atelier_param_result },
    { ngx_string("result_host="), ngx_http_atelier_param_result_host },
    { ngx_string("priority="), ngx_http_atelier_param_priority },
    { ngx_string("timeout="), ngx_http_atelier_param_timeout },
    { ngx_string("rate="), ngx_http_atelier_param_rate },
    { ngx_string("model="), ngx_http_atelier_param_model },
    { ngx_string("prompt_max="), ngx_http_atelier_param_prompt_max },
    { ngx_null_string, NULL }
};


static const ngx_http_atelier_lane_ops_t  ngx_http_atelier_adapter_ops = {
    ngx_http_atelier_adapter_call,
    ngx_http_atelier_adapter_begin,
    ngx_http_atelier_adapter_data,
    ngx_http_atelier_adapter_end
};


char *
ngx_http_atelier_ai_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_str_t                        *value, text;
    ngx_uint_t                        i;
    const ngx_http_atelier_param_t   *param;
    ngx_http_atelier_provider_t      *p, **slot;

    value = cf->args->elts;

    if (ngx_http_atelier_provider_name(cf, amcf, &value[1])
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    p = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_provider_t));
    slot = ngx_array_push(&amcf->providers);
    if (p == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = p;

    p->name = value[1];
    p->ai.name = ngx_http_atelier_str(&p->name);
    p->order = amcf->providers.nelts;
    p->priority = NGX_CONF_UNSET_UINT;
    ngx_http_atelier_here(cf, &p->place);

    for (i = 2; i < cf->args->nelts; i++) {

        for (param = ngx_http_atelier_params; param->name.len; param++) {
            if (ngx_strncmp(value[i].data, param->name.data, param->name.len)
                == 0)
            {
                break;
            }
        }

        if (param->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\" of provider \"%V\": "
                               "known are format=, uri=, result=, "
                               "result_host=, priority=, timeout=, rate=, "
                               "model=, prompt_max=", &value[i], &p->name);
            return NGX_CONF_ERROR;
        }

        text.data = value[i].data + param->name.len;
        text.len = value[i].len - param->name.len;

        if (param->set(cf, p, &text) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_atelier_provider_complete(cf, p);
}


static char *
ngx_http_atelier_provider_name(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf, ngx_str_t *name)
{
    size_t                         i;
    ngx_uint_t                     n;
    ngx_http_atelier_provider_t  **providers;

    if (name->len == 0 || name->len > NGX_HTTP_ATELIER_NAME_MAX) {
        goto invalid;
    }

    for (i = 0; i < name->len; i++) {
        if (!(name->data[i] >= 'a' && name->data[i] <= 'z')
            && !(name->data[i] >= '0' && name->data[i] <= '9')
            && name->data[i] != '_' && name->data[i] != '-')
        {
            goto invalid;
        }
    }

    providers = amcf->providers.elts;

    for (n = 0; n < amcf->providers.nelts; n++) {
        if (providers[n]->name.len == name->len
            && ngx_memcmp(providers[n]->name.data, name->data, name->len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "provider \"%V\" is already defined in %V:%ui: "
                               "give this one another name", name,
                               &providers[n]->place.file,
                               providers[n]->place.line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid provider name \"%V\": the first parameter of "
                       "\"atelier_ai_provider\" is a name of 1 to %d of "
                       "a-z, 0-9, \"_\" and \"-\"",
                       name, NGX_HTTP_ATELIER_NAME_MAX);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_atelier_provider_complete(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p)
{
    if (p->ai.format == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" has no format: add format= with "
                           "one of %s", &p->name, at_ai_format_names());
        return NGX_CONF_ERROR;
    }

    if (p->uri.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" has no uri: add uri=/_ai/%V and "
                           "an internal location of that name",
                           &p->name, &p->name);
        return NGX_CONF_ERROR;
    }

    if (p->ai.format->needs_model && p->ai.model.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" has no model: format \"%s\" "
                           "needs model=", &p->name, p->ai.format->name);
        return NGX_CONF_ERROR;
    }

    if ((p->result.len != 0) != (p->ai.nresult_hosts != 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" needs result= and result_host= "
                           "together: the location that fetches result URLs "
                           "and the origins they may point to", &p->name);
        return NGX_CONF_ERROR;
    }

    if (p->timeout == 0) {
        p->timeout = 30000;
    }

    if (p->priority == NGX_CONF_UNSET_UINT) {
        p->priority = p->order;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_format(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    p->ai.format = at_ai_format_find(ngx_http_atelier_str(value));

    if (p->ai.format == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown format \"%V\" of provider \"%V\": "
                           "known are %s",
                           value, &p->name, at_ai_format_names());
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_location(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value, const char *param,
    ngx_str_t *to)
{
    if (value->len == 0 || value->data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s=\"%V\" of provider \"%V\": it is the "
                           "name of an internal location and starts with "
                           "\"/\"", param, value, &p->name);
        return NGX_CONF_ERROR;
    }

    *to = *value;

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_uri(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    return ngx_http_atelier_param_location(cf, p, value, "uri", &p->uri);
}


static char *
ngx_http_atelier_param_result(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    return ngx_http_atelier_param_location(cf, p, value, "result",
                                           &p->result);
}


static char *
ngx_http_atelier_param_result_host(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value)
{
    u_char    *host;
    size_t     len;
    at_str_t  *hosts;

    len = 0;
    host = NULL;

    if (value->len > 8 && ngx_strncmp(value->data, "https://", 8) == 0) {
        host = value->data + 8;

    } else if (value->len > 7 && ngx_strncmp(value->data, "http://", 7) == 0) {
        host = value->data + 7;
    }

    if (host) {
        len = value->data + value->len - host;
    }

    if (len == 0 || ngx_strlchr(host, host + len, '/')
        || ngx_strlchr(host, host + len, '@'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid result_host=\"%V\" of provider \"%V\": "
                           "give an origin such as https://cdn.example.com "
                           "or https://*.example.com", value, &p->name);
        return NGX_CONF_ERROR;
    }

    hosts = ngx_palloc(cf->pool, (p->ai.nresult_hosts + 1)
                                 * sizeof(at_str_t));
    if (hosts == NULL) {
        return NGX_CONF_ERROR;
    }

    if (p->ai.nresult_hosts) {
        ngx_memcpy(hosts, p->ai.result_hosts,
                   p->ai.nresult_hosts * sizeof(at_str_t));
    }

    hosts[p->ai.nresult_hosts++] = ngx_http_atelier_str(value);
    p->ai.result_hosts = hosts;

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_priority(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > 1000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid priority=\"%V\" of provider \"%V\": give "
                           "1 (first) to 1000", value, &p->name);
        return NGX_CONF_ERROR;
    }

    p->priority = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_timeout(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 1 || ms > 600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid timeout=\"%V\" of provider \"%V\": give "
                           "1ms to 10m, for example 10s", value, &p->name);
        return NGX_CONF_ERROR;
    }

    p->timeout = ms;

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_rate(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
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
                           "invalid rate=\"%V\" of provider \"%V\": give "
                           "calls per time, 1 to 100000 in 1s to 30d, for "
                           "example 100r/60s or 2000r/1d", value, &p->name);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < p->nrates; i++) {
        if (p->rates[i].period == (ngx_msec_t) period) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "rate=\"%V\" of provider \"%V\" has the period "
                               "of another of its rates: keep one of them",
                               value, &p->name);
            return NGX_CONF_ERROR;
        }
    }

    if (p->nrates == NGX_HTTP_ATELIER_RATES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "rate=\"%V\" is one too many: provider \"%V\" can "
                           "have %d rates",
                           value, &p->name, NGX_HTTP_ATELIER_RATES_MAX);
        return NGX_CONF_ERROR;
    }

    rate = &p->rates[p->nrates++];
    rate->calls = calls;
    rate->period = period;

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_model(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    if (value->len == 0 || value->len > 200) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid model=\"%V\" of provider \"%V\": give the "
                           "provider's own name of the model, of 1 to 200 "
                           "bytes", value, &p->name);
        return NGX_CONF_ERROR;
    }

    p->ai.model = ngx_http_atelier_str(value);

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_prompt_max(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 100 || n > 100000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid prompt_max=\"%V\" of provider \"%V\": "
                           "give 100 to 100000 characters", value, &p->name);
        return NGX_CONF_ERROR;
    }

    p->ai.prompt_max = n;

    return NGX_CONF_OK;
}


ngx_http_atelier_lane_t *
ngx_http_atelier_provider_lane(ngx_http_atelier_fanout_t *f,
    ngx_http_atelier_provider_t *provider, const at_generate_t *generate)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_atelier_adapter_t  *a;

    a = ngx_pcalloc(f->request->pool, sizeof(ngx_http_atelier_adapter_t));
    if (a == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(f->request->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    a->provider = provider;
    a->ai = at_ai_lane_create(&provider->ai, generate, ngx_time());

    if (a->ai == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_atelier_adapter_cleanup;
    cln->data = a;

    return ngx_http_atelier_fanout_add(f, &ngx_http_atelier_adapter_ops, a,
                                       &provider->name, provider->timeout);
}


ngx_http_atelier_provider_t *
ngx_http_atelier_lane_provider(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    return a->provider;
}


at_ai_lane_t *
ngx_http_atelier_lane_ai(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    return a->ai;
}


static void
ngx_http_atelier_adapter_cleanup(void *data)
{
    ngx_http_atelier_adapter_t *a = data;

    at_ai_lane_free(a->ai);
}


static ngx_inline ngx_str_t
ngx_http_atelier_ngx_str(at_str_t s)
{
    ngx_str_t  str;

    str.len = s.len;
    str.data = (u_char *) s.data;

    return str;
}


static void
ngx_http_atelier_call_header(ngx_http_atelier_call_t *call, ngx_str_t name,
    ngx_str_t value)
{
    ngx_keyval_t  *h;

    h = &call->headers[call->nheaders++];

    h->key = name;
    h->value = value;
}


/*
 * Strings of the state machine's call are used in place: they are valid until
 * the end of its answer, and by then the subrequest has sent them.
 */

static ngx_int_t
ngx_http_atelier_adapter_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call)
{
    size_t                       i;
    ngx_str_t                   *id;
    const at_ai_call_t          *c;
    ngx_http_atelier_adapter_t  *a;

    static const ngx_str_t  id_name = ngx_string("X-Request-ID");
    static const ngx_str_t  agent_name = ngx_string("User-Agent");
    static const ngx_str_t  agent =
                            ngx_string("atelier/" NGX_HTTP_ATELIER_VERSION);

    a = lane->data;
    c = at_ai_lane_call(a->ai);
    id = ngx_http_atelier_request_id(lane->fanout->request);

    if (c->target == AT_AI_TO_RESULT) {
        call->uri = a->provider->result;
        call->url = ngx_http_atelier_ngx_str(c->url);

    } else {
        call->uri = a->provider->uri;
        ngx_http_atelier_call_header(call, id_name, *id);
        ngx_http_atelier_count(&a->provider->slot->calls, 1);
    }

    call->method = ngx_http_atelier_ngx_str(c->method);
    call->body = ngx_http_atelier_ngx_str(c->body);

    ngx_http_atelier_call_header(call, agent_name, agent);

    for (i = 0; i < c->nheaders; i++) {
        ngx_http_atelier_call_header(call,
                              ngx_http_atelier_ngx_str(c->headers[i].name),
                              ngx_http_atelier_ngx_str(c->headers[i].value));
    }

    return NGX_OK;
}


static void
ngx_http_atelier_adapter_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers)
{
    ngx_uint_t                   i;
    ngx_list_part_t             *part;
    ngx_table_elt_t             *h;
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    at_ai_lane_begin(a->ai, status, ngx_time());

    for (part = &headers->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash) {
                at_ai_lane_header(a->ai, ngx_http_atelier_str(&h[i].key),
                                  ngx_http_atelier_str(&h[i].value));
            }
        }
    }
}


static ngx_int_t
ngx_http_atelier_adapter_data(ngx_http_atelier_lane_t *lane, u_char *p,
    size_t len)
{
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    return (at_ai_lane_data(a->ai, p, len) == AT_OK) ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_atelier_adapter_pause(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a, ngx_msec_t ms)
{
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(lane->fanout->request,
                                         ngx_http_atelier_module);

    ngx_http_atelier_limit_pause(amcf->zone, a->provider, ms);
}


/*
 * What a provider said of itself holds for every worker at once, not only
 * when this request has been answered.
 */

static void
ngx_http_atelier_adapter_failed(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a)
{
    ngx_msec_t  pause;
    ngx_uint_t  level;

    if (a->ai->retry_after_ms > 0) {
        pause = a->ai->retry_after_ms;

    } else if (a->ai->class == AT_AI_RATE_LIMITED) {
        pause = NGX_HTTP_ATELIER_PAUSE;

    } else {
        pause = 0;
    }

    if (pause) {
        ngx_http_atelier_adapter_pause(lane, a, pause);
    }

    /* these two need the operator: a key, a bill, a wrong address */

    level = (a->ai->class == AT_AI_CREDENTIAL || a->ai->class == AT_AI_INVALID)
            ? NGX_LOG_ERR : NGX_LOG_WARN;

    ngx_log_error(level, lane->fanout->request->connection->log, 0,
                  "atelier: provider \"%V\" failed, %s: %s, pause %Mms",
                  &lane->name, at_ai_class_name(a->ai->class), a->ai->reason,
                  pause);
}


static ngx_http_atelier_step_e
ngx_http_atelier_adapter_end(ngx_http_atelier_lane_t *lane,
    ngx_uint_t complete, ngx_msec_t *wait)
{
    at_ai_step_e                 step;
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    if (!lane->begun) {
        at_ai_lane_begin(a->ai, 0, ngx_time());
    }

    step = at_ai_lane_end(a->ai, complete);

    if (step == AT_AI_FAILED) {
        ngx_http_atelier_adapter_failed(lane, a);

    } else if (a->ai->retry_after_ms > 0) {

        /* a good answer that says it was the last one for a while */

        ngx_http_atelier_adapter_pause(lane, a, a->ai->retry_after_ms);
    }

    switch (step) {

    case AT_AI_DONE:
        return NGX_HTTP_ATELIER_STEP_DONE;

    case AT_AI_NEXT:
        return NGX_HTTP_ATELIER_STEP_NEXT;

    case AT_AI_WAIT:
        *wait = a->ai->wait_ms;
        return NGX_HTTP_ATELIER_STEP_WAIT;

    default: /* AT_AI_FAILED */
        return NGX_HTTP_ATELIER_STEP_FAILED;
    }
}
