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
static char *ngx_http_atelier_param_model(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_param_prompt_max(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value);
static char *ngx_http_atelier_provider_param(ngx_conf_t *cf,
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
    { ngx_string("model="), ngx_http_atelier_param_model },
    { ngx_string("prompt_max="), ngx_http_atelier_param_prompt_max },
    { ngx_null_string, NULL }
};


char *
ngx_http_atelier_ai_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_atelier_provider_t  *p, **slot;

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

    ngx_str_set(&p->party.kind, "provider");
    p->party.name = value[1];
    p->party.slot_name = value[1];
    p->ai.name = ngx_http_atelier_str(&p->party.name);
    p->order = amcf->providers.nelts;
    p->priority = NGX_CONF_UNSET_UINT;
    p->party.max_fails = 5;
    p->party.fail_timeout = 10000;
    ngx_http_atelier_here(cf, &p->party.place);

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_provider_param(cf, p, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_atelier_provider_complete(cf, p);
}


static char *
ngx_http_atelier_provider_param(ngx_conf_t *cf,
    ngx_http_atelier_provider_t *p, ngx_str_t *value)
{
    ngx_int_t                        rc;
    ngx_str_t                        text;
    const ngx_http_atelier_param_t  *param;

    rc = ngx_http_atelier_party_param(cf, &p->party, value);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    for (param = ngx_http_atelier_params; param->name.len; param++) {
        if (ngx_strncmp(value->data, param->name.data, param->name.len) == 0) {
            text.data = value->data + param->name.len;
            text.len = value->len - param->name.len;

            if (param->set(cf, p, &text) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" of provider \"%V\": known "
                       "are format=, uri=, result=, result_host=, priority=, "
                       "timeout=, rate=, max_fails=, fail_timeout=, model=, "
                       "prompt_max=", value, &p->party.name);

    return NGX_CONF_ERROR;
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
        if (providers[n]->party.name.len == name->len
            && ngx_memcmp(providers[n]->party.name.data, name->data, name->len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "provider \"%V\" is already defined in %V:%ui: "
                               "give this one another name", name,
                               &providers[n]->party.place.file,
                               providers[n]->party.place.line);
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
                           "one of %s", &p->party.name, at_ai_format_names());
        return NGX_CONF_ERROR;
    }

    if (p->uri.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" has no uri: add uri=/_ai/%V and "
                           "an internal location of that name",
                           &p->party.name, &p->party.name);
        return NGX_CONF_ERROR;
    }

    if (p->ai.format->needs_model && p->ai.model.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" has no model: format \"%s\" "
                           "needs model=", &p->party.name, p->ai.format->name);
        return NGX_CONF_ERROR;
    }

    if (p->ai.format->paths && p->uri.data[p->uri.len - 1] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "uri=%V of provider \"%V\" must end in \"/\": "
                           "format \"%s\" asks for several addresses below "
                           "it", &p->uri, &p->party.name, p->ai.format->name);
        return NGX_CONF_ERROR;
    }

    wrong = at_ai_provider_check(&p->ai);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid model of provider \"%V\": %s",
                           &p->party.name, wrong);
        return NGX_CONF_ERROR;
    }

    if ((p->result.len != 0) != (p->ai.nresult_hosts != 0)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "provider \"%V\" needs result= and result_host= "
                           "together: the location that fetches result URLs "
                           "and the origins they may point to", &p->party.name);
        return NGX_CONF_ERROR;
    }

    if (p->party.timeout == 0) {
        p->party.timeout = 30000;
    }

    p->ai.timeout_ms = p->party.timeout;

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
                           value, &p->party.name, at_ai_format_names());
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_atelier_param_uri(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    return (ngx_http_atelier_party_location(cf, &p->party, value, "uri",
                                            &p->uri)
            == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_atelier_param_result(ngx_conf_t *cf, ngx_http_atelier_provider_t *p,
    ngx_str_t *value)
{
    return (ngx_http_atelier_party_location(cf, &p->party, value, "result",
                                            &p->result)
            == NGX_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
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
                           "or https://*.example.com", value, &p->party.name);
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
                           "1 (first) to 1000", value, &p->party.name);
        return NGX_CONF_ERROR;
    }

    p->priority = n;

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
                           "bytes", value, &p->party.name);
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
                           "give 100 to 100000 characters", value,
                           &p->party.name);
        return NGX_CONF_ERROR;
    }

    p->ai.prompt_max = n;

    return NGX_CONF_OK;
}
