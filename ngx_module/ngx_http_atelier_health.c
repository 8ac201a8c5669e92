/*
 * GET /health/live and /health/ready.
 *
 * Live: this worker answers.  Ready: a request sent here now can be served.
 * Both read memory only; a probe never waits for a disk or a network.
 */

#include "ngx_http_atelier_limit.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_redis.h"
#include "ngx_http_atelier_zone.h"


/* How long a failed write makes the node unready, in ms. */
#define NGX_HTTP_ATELIER_UNREADY  10000


static const char *ngx_http_atelier_unready(
    ngx_http_atelier_main_conf_t *amcf);
static int ngx_http_atelier_ready_text(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);


ngx_int_t
ngx_http_atelier_live_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                 AT_STR("{\"status\":\"live\"}\n"));
}


ngx_int_t
ngx_http_atelier_ready_handler(ngx_http_request_t *r)
{
    at_buf_t                       b;
    ngx_int_t                      rc;
    const char                    *why;
    ngx_http_atelier_main_conf_t  *amcf;

    rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    why = ngx_http_atelier_unready(amcf);

    if (why) {
        return ngx_http_atelier_problem_simple(r,
                                               NGX_HTTP_SERVICE_UNAVAILABLE,
                                               "not_ready", why);
    }

    ngx_memzero(&b, sizeof(at_buf_t));

    if (ngx_http_atelier_ready_text(amcf, &b) == AT_OK) {
        rc = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                   at_buf_str(&b));
    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return rc;
}


/*
 * NULL: ready.  A failed write counts for a while only, since a worker that
 * gets no requests could never show that it has recovered.
 */

static const char *
ngx_http_atelier_unready(ngx_http_atelier_main_conf_t *amcf)
{
    ngx_http_atelier_shared_t  *sh;

    if (ngx_exiting || ngx_terminate) {
        return "This worker is shutting down.";
    }

    sh = amcf->zone->sh;

    if (sh->storage_failed
        && (ngx_msec_int_t) (ngx_current_msec - sh->storage_failed_at)
           < NGX_HTTP_ATELIER_UNREADY)
    {
        return "The last picture could not be stored; the error log has the "
               "reason.";
    }

    return NULL;
}


/*
 * A provider at its limit does not make the node unready: its answer, a 503
 * with Retry-After, is better than none.  Nor does a Redis or PostgreSQL
 * that is away: what needs it says so, and the rest goes on.
 */

static int
ngx_http_atelier_ready_text(ngx_http_atelier_main_conf_t *amcf, at_buf_t *b)
{
    int                            rc;
    ngx_uint_t                     i;
    const char                    *state;
    ngx_http_atelier_provider_t  **p;

    rc = at_buf_append_str(b, AT_STR("{\"status\":\"ready\",\"providers\":{"));
    p = amcf->providers.elts;

    for (i = 0; i < amcf->providers.nelts; i++) {
        if (ngx_http_atelier_limit_breaker(amcf->zone, &p[i]->party)
            == AT_BREAKER_OPEN)
        {
            state = "open";

        } else {
            state = ngx_http_atelier_limit_wait(amcf->zone, &p[i]->party)
                    ? "waiting"
                    : "ok";
        }

        rc |= at_buf_printf(b, "%s\"%.*s\":\"%s\"", i ? "," : "",
                            (int) p[i]->party.name.len, p[i]->party.name.data,
                            state);
    }

    rc |= at_buf_append_str(b, AT_STR("}"));
    rc |= ngx_http_atelier_redis_health(amcf, b);
    rc |= ngx_http_atelier_postgres_health(amcf, b);
    rc |= at_buf_append_str(b, AT_STR("}\n"));

    return rc;
}
