/*
 * GET /metrics: the counters of the zone in Prometheus' text format 0.0.4.
 *
 * Reads atomics without a lock: each number is exact, their sums may differ
 * by what happened while they were read.  Later parts add a section each.
 */

#include "ngx_http_atelier_cache.h"
#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_products.h"
#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_source.h"
#include "ngx_http_atelier_redis.h"
#include "ngx_http_atelier_joint.h"
#include "ngx_http_atelier_socket.h"
#include "ngx_http_atelier_telemetry.h"
#include "ngx_http_atelier_zone.h"


static int ngx_http_atelier_metrics_text(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);
static int ngx_http_atelier_metrics_generate(ngx_http_atelier_shared_t *sh,
    at_buf_t *b);
static int ngx_http_atelier_metrics_pictures(ngx_http_atelier_shared_t *sh,
    at_buf_t *b);
static int ngx_http_atelier_metrics_cache(
    ngx_http_atelier_cache_t *cache, at_buf_t *b);
static int ngx_http_atelier_metrics_providers(
    ngx_http_atelier_main_conf_t *amcf, at_buf_t *b);
static int ngx_http_atelier_metrics_provider_calls(
    ngx_http_atelier_main_conf_t *amcf, at_buf_t *b);
static int ngx_http_atelier_metrics_provider_outcomes(
    ngx_http_atelier_main_conf_t *amcf, at_buf_t *b);
static int ngx_http_atelier_metrics_provider_limits(
    ngx_http_atelier_main_conf_t *amcf, at_buf_t *b);


ngx_int_t
ngx_http_atelier_metrics_handler(ngx_http_request_t *r)
{
    at_buf_t                       b;
    ngx_int_t                      rc;
    ngx_http_atelier_main_conf_t  *amcf;

    rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    ngx_memzero(&b, sizeof(at_buf_t));

    if (ngx_http_atelier_metrics_text(amcf, &b) == AT_OK
        && ngx_http_atelier_metrics_cache(amcf->cache, &b) == AT_OK
        && ngx_http_atelier_products_metrics(amcf, &b) == AT_OK
        && ngx_http_atelier_redis_metrics(amcf, &b) == AT_OK
        && ngx_http_atelier_joint_metrics(amcf, &b) == AT_OK
        && ngx_http_atelier_postgres_metrics(amcf, &b) == AT_OK
        && ngx_http_atelier_metrics_providers(amcf, &b) == AT_OK
        && ngx_http_atelier_source_metrics(amcf, &b) == AT_OK
        && ngx_http_atelier_socket_metrics(amcf, &b) == AT_OK
        && ngx_http_atelier_telemetry_metrics(amcf, &b) == AT_OK)
    {
        rc = ngx_http_atelier_send(r, NGX_HTTP_OK,
                                   "text/plain; version=0.0.4",
                                   at_buf_str(&b));
    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return rc;
}


static int
ngx_http_atelier_metrics_text(ngx_http_atelier_main_conf_t *amcf, at_buf_t *b)
{
    int  rc;

    rc = ngx_http_atelier_metrics_head(b, "build_info", "gauge",
                                       "The module that answers.");
    rc |= at_buf_printf(b, "atelier_build_info{version=\"%s\",nginx=\"%s\"} "
                           "1\n", NGX_HTTP_ATELIER_VERSION, NGINX_VERSION);

    rc |= ngx_http_atelier_metrics_value(b, "zone_pages_free", "gauge",
                                         "Free pages of shared memory.",
                                         amcf->zone->pool->pfree);

    rc |= ngx_http_atelier_metrics_generate(amcf->zone->sh, b);

    return rc | ngx_http_atelier_metrics_pictures(amcf->zone->sh, b);
}


static int
ngx_http_atelier_metrics_generate(ngx_http_atelier_shared_t *sh, at_buf_t *b)
{
    int         rc;
    ngx_uint_t  i;

    rc = ngx_http_atelier_metrics_head(b, "generate_requests_total", "counter",
                                       "Requests to /generate by result.");

    for (i = 0; i < NGX_HTTP_ATELIER_NRESULTS; i++) {
        rc |= at_buf_printf(b, "atelier_generate_requests_total"
                               "{result=\"%s\"} %lu\n",
                            ngx_http_atelier_result_names[i],
                            (unsigned long) sh->results[i]);
    }

    rc |= ngx_http_atelier_metrics_head(b, "attempts_total", "counter",
                                        "Requests to /attempt by result.");

    for (i = 0; i < NGX_HTTP_ATELIER_NRESULTS; i++) {
        rc |= at_buf_printf(b, "atelier_attempts_total{result=\"%s\"} %lu\n",
                            ngx_http_atelier_result_names[i],
                            (unsigned long) sh->attempts[i]);
    }

    rc |= ngx_http_atelier_metrics_value(b, "generate_unrecorded_total",
                                         "counter",
                                         "Pictures answered of which "
                                         "PostgreSQL took no record.",
                                         sh->unrecorded);

    rc |= ngx_http_atelier_metrics_head(b, "generate_duration_seconds",
                                        "histogram",
                                        "From a valid request to its answer "
                                        "with a picture.");
    rc |= ngx_http_atelier_metrics_histogram(b, "generate_duration_seconds",
                                             "", &sh->duration);

    return rc | ngx_http_atelier_metrics_value(b, "generate_hedges_total",
                                               "counter",
                                               "Calls made because another "
                                               "was slow.", sh->hedges);
}


static int
ngx_http_atelier_metrics_pictures(ngx_http_atelier_shared_t *sh, at_buf_t *b)
{
    int  rc;

    rc = ngx_http_atelier_metrics_value(b, "pictures_stored_total", "counter",
                                        "Pictures written to disk.",
                                        sh->pictures);

    rc |= ngx_http_atelier_metrics_value(b, "pictures_stored_bytes_total",
                                         "counter", "Their bytes.",
                                         sh->picture_bytes);

    rc |= ngx_http_atelier_metrics_value(b, "pictures_swept_total", "counter",
                                         "Files removed for their age.",
                                         sh->swept);

    return rc | ngx_http_atelier_metrics_value(b, "pictures_failing", "gauge",
                                               "Failed writes since the last "
                                               "good one.",
                                               sh->storage_failed);
}


static int
ngx_http_atelier_metrics_cache(ngx_http_atelier_cache_t *cache, at_buf_t *b)
{
    int                              rc;
    ngx_uint_t                       i;
    ngx_http_atelier_cache_stats_t  *stats;

    if (cache == NULL) {
        return AT_OK;
    }

    stats = cache->stats;

    rc = ngx_http_atelier_metrics_head(b, "cache_answers_total", "counter",
                                       "Pages of the feed by where they came "
                                       "from.");

    for (i = 0; i < NGX_HTTP_ATELIER_NCACHE; i++) {
        rc |= at_buf_printf(b, "atelier_cache_answers_total{status=\"%s\"} "
                               "%lu\n", ngx_http_atelier_cache_names[i],
                            (unsigned long) stats->answers[i]);
    }

    rc |= ngx_http_atelier_metrics_value(b, "cache_pages", "gauge",
                                         "Pages in shared memory.",
                                         stats->pages);

    rc |= ngx_http_atelier_metrics_value(b, "cache_bytes", "gauge",
                                         "Their bytes.", stats->bytes);

    rc |= ngx_http_atelier_metrics_value(b, "cache_evicted_total", "counter",
                                         "Pages and heads that made room for "
                                         "others.", stats->evicted);

    rc |= ngx_http_atelier_metrics_value(b, "cache_refused_total", "counter",
                                         "Pages that found no room.",
                                         stats->refused);

    rc |= ngx_http_atelier_metrics_value(b, "cache_invalidated_total",
                                         "counter",
                                         "Pages and heads taken out by an "
                                         "invalidation.", stats->invalidated);

    rc |= ngx_http_atelier_metrics_value(b, "cache_walks_total", "counter",
                                         "Walks through the cache for an "
                                         "invalidation.", stats->walks);

    return rc;
}


static int
ngx_http_atelier_metrics_providers(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                            rc;
    char                           label[64];
    ngx_uint_t                     n;
    ngx_http_atelier_provider_t  **p;

    p = amcf->providers.elts;

    rc = ngx_http_atelier_metrics_provider_calls(amcf, b);
    rc |= ngx_http_atelier_metrics_provider_outcomes(amcf, b);
    rc |= ngx_http_atelier_metrics_provider_limits(amcf, b);

    rc |= ngx_http_atelier_metrics_head(b, "provider_latency_seconds",
                                        "histogram",
                                        "From the call to a verified "
                                        "picture.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        ngx_sprintf((u_char *) label, "provider=\"%V\"%Z", &p[n]->party.name);

        rc |= ngx_http_atelier_metrics_histogram(b,
                                                 "provider_latency_seconds",
                                                 label,
                                                 &p[n]->party.slot->latency);
    }

    return rc;
}


static int
ngx_http_atelier_metrics_provider_calls(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                            rc;
    ngx_uint_t                     n;
    ngx_http_atelier_provider_t  **p;

    p = amcf->providers.elts;

    rc = ngx_http_atelier_metrics_head(b, "provider_calls_total", "counter",
                                       "HTTP calls sent to a provider.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        rc |= at_buf_printf(b, "atelier_provider_calls_total"
                               "{provider=\"%.*s\"} %lu\n",
                            (int) p[n]->party.name.len, p[n]->party.name.data,
                            (unsigned long) p[n]->party.slot->calls);
    }

    rc |= ngx_http_atelier_metrics_head(b, "provider_cancels_total",
                                        "counter",
                                        "Jobs a provider was told to drop.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        rc |= at_buf_printf(b, "atelier_provider_cancels_total"
                               "{provider=\"%.*s\"} %lu\n",
                            (int) p[n]->party.name.len, p[n]->party.name.data,
                            (unsigned long) p[n]->party.slot->cancels);
    }

    return rc;
}


static int
ngx_http_atelier_metrics_provider_outcomes(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                            rc;
    ngx_uint_t                     i, n;
    ngx_http_atelier_provider_t  **p;

    p = amcf->providers.elts;

    rc = ngx_http_atelier_metrics_head(b, "provider_outcomes_total", "counter",
                                       "What became of a provider's part in "
                                       "a generation; lost and cancelled are "
                                       "wasted calls, and a lost answer may "
                                       "be unverified.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        for (i = 0; i < NGX_HTTP_ATELIER_NOUTCOMES; i++) {
            rc |= at_buf_printf(b, "atelier_provider_outcomes_total"
                                   "{provider=\"%.*s\",outcome=\"%s\"} %lu\n",
                                (int) p[n]->party.name.len,
                                p[n]->party.name.data,
                                ngx_http_atelier_outcome_names[i],
                                (unsigned long) p[n]->party.slot->outcomes[i]);
        }
    }

    return rc;
}


static int
ngx_http_atelier_metrics_provider_limits(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                            rc;
    ngx_uint_t                     i, n;
    ngx_http_atelier_provider_t  **p;

    p = amcf->providers.elts;

    rc = ngx_http_atelier_metrics_head(b, "provider_wait_seconds", "gauge",
                                       "Time until the provider's limits let "
                                       "it be asked again.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        rc |= at_buf_printf(b, "atelier_provider_wait_seconds"
                               "{provider=\"%.*s\"} %.3f\n",
                            (int) p[n]->party.name.len, p[n]->party.name.data,
                            ngx_http_atelier_limit_wait(amcf->zone,
                                                        &p[n]->party)
                            / 1000.0);
    }

    rc |= ngx_http_atelier_metrics_head(b, "provider_limit_left", "gauge",
                                        "Calls left in each window.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        for (i = 0; i < p[n]->party.nrates; i++) {
            rc |= at_buf_printf(b, "atelier_provider_limit_left"
                                   "{provider=\"%.*s\",seconds=\"%lu\"} %lu\n",
                                (int) p[n]->party.name.len,
                                p[n]->party.name.data,
                                (unsigned long) p[n]->party.rates[i].period
                                / 1000,
                                (unsigned long) ngx_http_atelier_limit_left(
                                                     amcf->zone, &p[n]->party,
                                                     i));
        }
    }

    rc |= ngx_http_atelier_metrics_head(b, "provider_breaker", "gauge",
                                        "0 closed, 1 open, 2 half-open.");

    for (n = 0; n < amcf->providers.nelts; n++) {
        rc |= at_buf_printf(b, "atelier_provider_breaker{provider=\"%.*s\"} "
                               "%d\n",
                            (int) p[n]->party.name.len, p[n]->party.name.data,
                            (int) ngx_http_atelier_limit_breaker(amcf->zone,
                                                                 &p[n]->party));
    }

    return rc;
}


int
ngx_http_atelier_metrics_head(at_buf_t *b, const char *name, const char *type,
    const char *help)
{
    return at_buf_printf(b, "# HELP atelier_%s %s\n# TYPE atelier_%s %s\n",
                         name, help, name, type);
}


int
ngx_http_atelier_metrics_value(at_buf_t *b, const char *name,
    const char *type, const char *help, ngx_uint_t value)
{
    int  rc;

    rc = ngx_http_atelier_metrics_head(b, name, type, help);

    return rc | at_buf_printf(b, "atelier_%s %lu\n", name,
                              (unsigned long) value);
}


int
ngx_http_atelier_metrics_histogram(at_buf_t *b, const char *name,
    const char *labels, ngx_http_atelier_histogram_t *h)
{
    int          rc;
    const char  *comma, *open, *close;
    ngx_uint_t   i, total;

    comma = labels[0] ? "," : "";
    open = labels[0] ? "{" : "";
    close = labels[0] ? "}" : "";

    rc = AT_OK;
    total = 0;

    for (i = 0; i < NGX_HTTP_ATELIER_BUCKETS; i++) {
        total += h->buckets[i];

        rc |= at_buf_printf(b, "atelier_%s_bucket{%s%sle=\"%.3f\"} %lu\n",
                            name, labels, comma,
                            ngx_http_atelier_bucket_ms[i] / 1000.0,
                            (unsigned long) total);
    }

    total += h->buckets[i];

    rc |= at_buf_printf(b, "atelier_%s_bucket{%s%sle=\"+Inf\"} %lu\n"
                           "atelier_%s_sum%s%s%s %.3f\n"
                           "atelier_%s_count%s%s%s %lu\n",
                        name, labels, comma, (unsigned long) total,
                        name, open, labels, close, h->sum / 1000.0,
                        name, open, labels, close, (unsigned long) total);

    return rc;
}
