/*
 * AI providers: the atelier_ai_provider directive.
 *
 * A provider lives in the configuration's pool.  Each parameter has a setter
 * of its own; what needs several of them is checked when all are known.
 */

#include "ngx_http_atelier_provider.h"


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
static char *ngx_http_atelier_param_max_fails(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_fail_timeout(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_model(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_prompt_max(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_provider_name(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf, ngx_str_t *name);
static char *ngx_http_atelier_provider_complete(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p);


static const ngx_http_atelier_param_t  ngx_http_atelier_params[] = {
    { ngx_string("format="), ngx_http_atelier_param_format },
    { ngx_string("uri="), ngx_http_atelier_param_uri },
    { ngx_string("result="), ngx_http_atelier_param_result },
    { ngx_string("result_host="), ngx_http_atelier_param_result_host },
    { ngx_string("priority="), ngx_http_atelier_param_priority },
    { ngx_string("timeout="), ngx_http_atelier_param_timeout },
    { ngx_string("rate="), ngx_http_atelier_param_rate },
    { ngx_string("max_fails="), ngx_http_atelier_param_max_fails },
    { ngx_string("fail_timeout="), ngx_http_atelier_param_fail_timeout },
    { ngx_string("model="), ngx_http_atelier_param_model },
    { ngx_string("prompt_max="), ngx_http_atelier_param_prompt_max },
    { ngx_null_string, NULL }
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
    p->max_fails = 5;
    p->fail_timeout = 10000;
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
                               "max_fails=, fail_timeout=, model=, "
                               "prompt_max=", &value[i], &p->name);
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
    const char  *wrong;

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

    if (p->ai.format->paths && p->uri.data[p->uri.len - 1] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "uri=%V of provider \"%V\" must end in \"/\": "
                           "format \"%s\" asks for several addresses below "
                           "it", &p->uri, &p->name, p->ai.format->name);
        return NGX_CONF_ERROR;
    }

    wrong = at_ai_provider_check(&p->ai);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid model of provider \"%V\": %s",
                           &p->name, wrong);
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

    p->ai.timeout_ms = p->timeout;

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
    at_str_t  *hosts;

    if (!at_ai_origin_valid(ngx_http_atelier_str(value))) {
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
ngx_http_atelier_param_max_fails(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n > 1000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid max_fails=\"%V\" of provider \"%V\": "
                           "give 1 to 1000 failures that open its breaker, or "
                           "0 for none", value, &p->name);
        return NGX_CONF_ERROR;
    }

    p->max_fails = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_fail_timeout(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 1 || ms > 3600000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid fail_timeout=\"%V\" of provider \"%V\": "
                           "give 1ms to 1h, for example 10s",
                           value, &p->name);
        return NGX_CONF_ERROR;
    }

    p->fail_timeout = ms;

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
