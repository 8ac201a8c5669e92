/*
 * POST /telemetry: what browsers have measured, added up in /metrics.
 *
 * Nothing of a batch is kept but sums: no address, no page, no visitor.  What
 * anybody may send is bounded in bytes and events, and costs a few atomics.
 */

#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_telemetry.h"


static void ngx_http_atelier_telemetry_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_telemetry_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_telemetry_bad(ngx_http_request_t *r,
    const char *why);
static void ngx_http_atelier_telemetry_add(
    ngx_http_atelier_telemetry_shared_t *sh, const at_telemetry_t *t);


ngx_int_t
ngx_http_atelier_telemetry_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_atelier_problem_t  problem;

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST, "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ngx_http_atelier_get_ctx(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_atelier_body_json(r, &problem) != NGX_OK) {
        return ngx_http_atelier_problem(r, &problem);
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r,
                                           ngx_http_atelier_telemetry_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_atelier_telemetry_body(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, ngx_http_atelier_telemetry_read(r));
}


static ngx_int_t
ngx_http_atelier_telemetry_read(ngx_http_request_t *r)
{
    at_str_t                              text;
    const char                           *why;
    at_telemetry_t                       *t;
    ngx_http_atelier_ctx_t               *ctx;
    ngx_http_atelier_main_conf_t         *amcf;
    ngx_http_atelier_telemetry_shared_t  *sh;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    sh = &amcf->zone->sh->telemetry;

    switch (ngx_http_atelier_body_text(r, NGX_HTTP_ATELIER_TELEMETRY_BODY,
                                       &text))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        ngx_http_atelier_count(&sh->refused, 1);
        return ngx_http_atelier_problem_simple(r,
                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "body_too_large",
                        "The request body is larger than this address "
                        "takes: send at most 16 kB.");

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    t = ngx_palloc(r->pool, sizeof(at_telemetry_t));
    if (t == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    switch (at_telemetry_parse(text, t, &why)) {
    case AT_OK:
        break;

    case AT_NO_MEMORY:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    default:
        ngx_http_atelier_count(&sh->refused, 1);
        return ngx_http_atelier_telemetry_bad(r, why);
    }

    ngx_http_atelier_telemetry_add(sh, t);

    ctx->answered = 1;
    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


static ngx_int_t
ngx_http_atelier_telemetry_bad(ngx_http_request_t *r, const char *why)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = "invalid_batch";
    problem.detail = why;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}


static void
ngx_http_atelier_telemetry_add(ngx_http_atelier_telemetry_shared_t *sh,
    const at_telemetry_t *t)
{
    unsigned                     i;
    const at_telemetry_event_t  *e;

    for (i = 0; i < t->n; i++) {
        e = &t->events[i];

        switch (e->measure) {

        case AT_TELEMETRY_CACHE_HIT:
            ngx_http_atelier_count(e->value ? &sh->hits : &sh->misses, 1);
            break;

        case AT_TELEMETRY_CLS:
            ngx_http_atelier_count(&sh->pages, 1);
            ngx_http_atelier_count(&sh->shifted, e->value);
            break;

        default:
            ngx_http_atelier_observe(&sh->times[e->measure], e->value);
        }
    }

    ngx_http_atelier_count(&sh->batches, 1);
    ngx_http_atelier_count(&sh->passed_over, t->passed_over);
}


int
ngx_http_atelier_telemetry_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                                   rc;
    char                                  labels[64];
    ngx_uint_t                            i;
    ngx_http_atelier_telemetry_shared_t  *sh;

    sh = &amcf->zone->sh->telemetry;

    rc = ngx_http_atelier_metrics_head(b, "browser_batches_total", "counter",
                                       "Batches of browsers' measures.");
    rc |= at_buf_printf(b, "atelier_browser_batches_total"
                           "{result=\"taken\"} %lu\n"
                           "atelier_browser_batches_total"
                           "{result=\"refused\"} %lu\n",
                        (unsigned long) sh->batches,
                        (unsigned long) sh->refused);

    rc |= ngx_http_atelier_metrics_value(b, "browser_passed_over_total",
                                         "counter",
                                         "Measures in them that are unknown "
                                         "or cannot be.", sh->passed_over);

    rc |= ngx_http_atelier_metrics_head(b, "browser_seconds", "histogram",
                                        "What browsers have measured.");

    for (i = 0; i < AT_TELEMETRY_CLS; i++) {
        (void) ngx_snprintf((u_char *) labels, sizeof(labels),
                            "measure=\"%s\"%Z", at_telemetry_name(i));
        rc |= ngx_http_atelier_metrics_histogram(b, "browser_seconds",
                                                 labels, &sh->times[i]);
    }

    rc |= ngx_http_atelier_metrics_head(b, "browser_cache_answers_total",
                                        "counter",
                                        "Answers that browsers got, from the "
                                        "cache or not.");
    rc |= at_buf_printf(b, "atelier_browser_cache_answers_total"
                           "{result=\"hit\"} %lu\n"
                           "atelier_browser_cache_answers_total"
                           "{result=\"miss\"} %lu\n",
                        (unsigned long) sh->hits,
                        (unsigned long) sh->misses);

    rc |= ngx_http_atelier_metrics_head(b, "browser_layout_shift", "summary",
                                        "How far pages shifted in all.");
    rc |= at_buf_printf(b, "atelier_browser_layout_shift_sum %lu.%03lu\n"
                           "atelier_browser_layout_shift_count %lu\n",
                        (unsigned long) sh->shifted / 1000,
                        (unsigned long) sh->shifted % 1000,
                        (unsigned long) sh->pages);

    return rc;
}
