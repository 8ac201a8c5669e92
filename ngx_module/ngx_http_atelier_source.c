/*
 * Image sources: the atelier_feed_source directive.
 *
 * A source lives in the configuration's pool.  Its name says which of those
 * it is that core/feed knows; where it is, and with which key, stands in its
 * internal location.
 */

#include "ngx_http_atelier_source.h"
#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_quota.h"


static ngx_int_t ngx_http_atelier_source_param(ngx_conf_t *cf,
    ngx_http_atelier_source_t *source, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_source_complete(ngx_conf_t *cf,
    ngx_http_atelier_source_t *source);
static ngx_int_t ngx_http_atelier_source_downloads(ngx_conf_t *cf,
    ngx_http_atelier_source_t *source);
static ngx_http_atelier_party_t *ngx_http_atelier_source_next(
    ngx_http_atelier_main_conf_t *amcf, ngx_uint_t *n);
static int ngx_http_atelier_source_metrics_calls(
    ngx_http_atelier_main_conf_t *amcf, at_buf_t *b);
static int ngx_http_atelier_source_metrics_limits(
    ngx_http_atelier_main_conf_t *amcf, at_buf_t *b);


/* Anybody can report a download: the share of calls that go to that. */
#define NGX_HTTP_ATELIER_DOWNLOADS  5


/* What is allowed where nothing else is configured; the rest 10 a minute. */

static const struct {
    const char               *name;
    ngx_http_atelier_rate_t   rate;
} ngx_http_atelier_source_rates[] = {
    { "pexels",   { 200, 3600000 } },
    { "unsplash", { 50, 3600000 } },
    { NULL,       { 10, 60000 } }
};


char *
ngx_http_atelier_feed_source(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_str_t                  *value, *slot;
    ngx_uint_t                  i;
    const at_feed_source_t     *feed;
    ngx_http_atelier_source_t  *source, *other;

    value = cf->args->elts;

    feed = at_feed_source_find(ngx_http_atelier_str(&value[1]));

    if (feed == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown source \"%V\" in "
                           "\"atelier_feed_source\": known are %s",
                           &value[1], at_feed_source_names());
        return NGX_CONF_ERROR;
    }

    other = amcf->sources[feed->index];

    if (other) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "source \"%V\" is already defined in %V:%ui",
                           &value[1], &other->party.place.file,
                           other->party.place.line);
        return NGX_CONF_ERROR;
    }

    source = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_source_t));
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    /* an AI provider may have the same name */

    slot = &source->party.slot_name;
    slot->len = sizeof("feed:") - 1 + value[1].len;
    slot->data = ngx_pnalloc(cf->pool, slot->len);

    if (slot->data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf(slot->data, "feed:%V", &value[1]);

    source->feed = feed;
    ngx_str_set(&source->party.kind, "source");
    source->party.name = value[1];
    source->party.timeout = 3000;
    source->party.max_fails = 5;
    source->party.fail_timeout = 30000;
    source->max_in_flight = feed->parallel;
    ngx_http_atelier_here(cf, &source->party.place);

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_atelier_source_param(cf, source, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    amcf->sources[feed->index] = source;

    return (ngx_http_atelier_source_complete(cf, source) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_atelier_source_param(ngx_conf_t *cf,
    ngx_http_atelier_source_t *source, ngx_str_t *value)
{
    ngx_int_t  n;
    ngx_str_t  text;

    n = ngx_http_atelier_party_param(cf, &source->party, value);

    if (n != NGX_DECLINED) {
        return n;
    }

    if (ngx_strncmp(value->data, "uri=", 4) == 0) {
        text.data = value->data + 4;
        text.len = value->len - 4;

        return ngx_http_atelier_party_location(cf, &source->party, &text,
                                               "uri", &source->uri);
    }

    if (ngx_strncmp(value->data, "max_in_flight=", 14) == 0) {
        n = ngx_atoi(value->data + 14, value->len - 14);

        if (n < 0 || n > NGX_HTTP_ATELIER_PERMITS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\" of source \"%V\": give 1 to "
                               "%d calls at once over all workers, or 0 for "
                               "any number", value, &source->party.name,
                               NGX_HTTP_ATELIER_PERMITS_MAX);
            return NGX_ERROR;
        }

        source->max_in_flight = n;

        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" of source \"%V\": known are "
                       "uri=, timeout=, rate=, max_in_flight=, max_fails=, "
                       "fail_timeout=", value, &source->party.name);

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_atelier_source_complete(ngx_conf_t *cf,
    ngx_http_atelier_source_t *source)
{
    ngx_uint_t  i;

    if (source->uri.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "source \"%V\" has no uri: add uri=/_feed/%V%s and "
                           "an internal location of that name",
                           &source->party.name, &source->party.name,
                           source->feed->paths ? "/" : "");
        return NGX_ERROR;
    }

    if (source->feed->paths && source->uri.data[source->uri.len - 1] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "uri=%V of source \"%V\" must end in \"/\": it is "
                           "asked at several addresses below it",
                           &source->uri, &source->party.name);
        return NGX_ERROR;
    }

    if (source->party.nrates == 0) {
        for (i = 0; ngx_http_atelier_source_rates[i].name; i++) {
            if (at_str_is(source->feed->name,
                          ngx_http_atelier_source_rates[i].name))
            {
                break;
            }
        }

        source->party.rates[0] = ngx_http_atelier_source_rates[i].rate;
        source->party.nrates = 1;
    }

    return source->feed->pings ? ngx_http_atelier_source_downloads(cf, source)
                               : NGX_OK;
}


/* A party of its own, which each report asks beside the source's. */

static ngx_int_t
ngx_http_atelier_source_downloads(ngx_conf_t *cf,
    ngx_http_atelier_source_t *source)
{
    ngx_uint_t                 i;
    ngx_http_atelier_party_t  *p;

    p = &source->downloads;

    ngx_str_set(&p->kind, "downloads of source");
    p->name = source->party.name;
    p->timeout = source->party.timeout;
    p->place = source->party.place;
    p->nrates = source->party.nrates;

    for (i = 0; i < p->nrates; i++) {
        p->rates[i] = source->party.rates[i];
        p->rates[i].calls = ngx_max(p->rates[i].calls
                                    / NGX_HTTP_ATELIER_DOWNLOADS, 1);
    }

    p->slot_name.len = sizeof("downloads:") - 1 + p->name.len;
    p->slot_name.data = ngx_pnalloc(cf->pool, p->slot_name.len);

    if (p->slot_name.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(p->slot_name.data, "downloads:%V", &p->name);

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_source_call(ngx_http_request_t *r,
    ngx_http_atelier_source_t *source, const at_feed_call_t *c,
    ngx_http_atelier_call_t *call)
{
    size_t   i;
    u_char  *p;

    static const ngx_str_t  get = ngx_string("GET");
    static const ngx_str_t  id_name = ngx_string("X-Request-ID");
    static const ngx_str_t  agent_name = ngx_string("User-Agent");
    static const ngx_str_t  agent =
                            ngx_string("atelier/" NGX_HTTP_ATELIER_VERSION);

    call->uri = source->uri;

    if (c->path.len) {
        call->uri.len += c->path.len;
        call->uri.data = ngx_pnalloc(r->pool, call->uri.len);
        if (call->uri.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(call->uri.data, source->uri.data, source->uri.len);
        ngx_memcpy(p, c->path.data, c->path.len);
    }

    call->args = ngx_http_atelier_ngx_str(c->args);
    call->method = get;

    ngx_http_atelier_call_header(call, id_name,
                                 *ngx_http_atelier_request_id(r));
    ngx_http_atelier_call_header(call, agent_name, agent);

    for (i = 0; i < c->nheaders; i++) {
        ngx_http_atelier_call_header(call,
                            ngx_http_atelier_ngx_str(c->headers[i].name),
                            ngx_http_atelier_ngx_str(c->headers[i].value));
    }

    ngx_http_atelier_count(&source->party.slot->calls, 1);

    return NGX_OK;
}


/* For the functions below, where b and p stand. */

#define ngx_http_atelier_source_metric(metric, fmt, value)                    \
    at_buf_printf(b, "atelier_source_" metric "{source=\"%.*s\"} " fmt "\n",  \
                  (int) p->name.len, p->name.data, value)


int
ngx_http_atelier_source_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                        rc;
    char                       label[64];
    ngx_uint_t                 n;
    ngx_http_atelier_party_t  *p;

    rc = ngx_http_atelier_source_metrics_calls(amcf, b);
    rc |= ngx_http_atelier_source_metrics_limits(amcf, b);

    rc |= ngx_http_atelier_metrics_head(b, "source_latency_seconds",
                                        "histogram",
                                        "From the call to a good answer.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        ngx_sprintf((u_char *) label, "source=\"%V\"%Z", &p->name);

        rc |= ngx_http_atelier_metrics_histogram(b, "source_latency_seconds",
                                                 label, &p->slot->latency);
    }

    return rc;
}


/* The next one that is configured, from n on. */

static ngx_http_atelier_party_t *
ngx_http_atelier_source_next(ngx_http_atelier_main_conf_t *amcf, ngx_uint_t *n)
{
    ngx_http_atelier_source_t  *source;

    while (*n < AT_FEED_SOURCES) {
        source = amcf->sources[(*n)++];

        if (source) {
            return &source->party;
        }
    }

    return NULL;
}


static int
ngx_http_atelier_source_metrics_calls(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                        rc;
    ngx_uint_t                 i, n;
    ngx_http_atelier_party_t  *p;

    rc = ngx_http_atelier_metrics_head(b, "source_calls_total", "counter",
                                       "Calls made to an image source.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        rc |= ngx_http_atelier_source_metric("calls_total", "%lu",
                                             (unsigned long) p->slot->calls);
    }

    rc |= ngx_http_atelier_metrics_head(b, "source_kept_total", "counter",
                                        "Answers used again, as the source "
                                        "demands.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        rc |= ngx_http_atelier_source_metric("kept_total", "%lu",
                                             (unsigned long) p->slot->kept);
    }

    rc |= ngx_http_atelier_metrics_head(b, "source_outcomes_total",
                                        "counter", "What became of a "
                                        "source's part in a fill.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        for (i = 0; i <= AT_FEED_ERROR; i++) {
            rc |= at_buf_printf(b, "atelier_source_outcomes_total"
                                   "{source=\"%.*s\",outcome=\"%s\"} %lu\n",
                                (int) p->name.len, p->name.data,
                                at_feed_outcome_name(i),
                                (unsigned long) p->slot->feed[i]);
        }
    }

    return rc;
}


static int
ngx_http_atelier_source_metrics_limits(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                        rc;
    ngx_uint_t                 n;
    ngx_http_atelier_party_t  *p;

    rc = ngx_http_atelier_metrics_head(b, "source_wait_seconds", "gauge",
                                       "Time until the source's limits let "
                                       "it be asked again.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        rc |= ngx_http_atelier_source_metric("wait_seconds", "%.3f",
                              ngx_http_atelier_limit_wait(amcf->zone, p)
                              / 1000.0);
    }

    rc |= ngx_http_atelier_metrics_head(b, "source_left_ratio", "gauge",
                                        "What is left of its limits.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        rc |= ngx_http_atelier_source_metric("left_ratio", "%.2f",
                              ngx_http_atelier_quota_left(amcf->zone, p)
                              / 100.0);
    }

    rc |= ngx_http_atelier_metrics_head(b, "source_breaker", "gauge",
                                        "0 closed, 1 open, 2 half-open.");

    n = 0;

    while ((p = ngx_http_atelier_source_next(amcf, &n)) != NULL) {
        rc |= ngx_http_atelier_source_metric("breaker", "%d",
                              (int) ngx_http_atelier_limit_breaker(amcf->zone,
                                                                   p));
    }

    return rc;
}
