/*
 * POST /attempt on the egress socket: one run of the strategy for a generation
 * that was queued, or polling on of the jobs that an earlier attempt has left
 * at providers.
 *
 * Asked by a worker, which holds the row by a lease with a fence.  It neither
 * queues nor depends on whether the worker still listens; a picture that is
 * there already is not paid for twice.  Done is what PostgreSQL has committed
 * as done.
 */

#include "ngx_http_atelier_generate.h"


static void ngx_http_atelier_attempt_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_attempt_start(ngx_http_request_t *r,
    at_str_t text);
static ngx_int_t ngx_http_atelier_attempt_bad(ngx_http_request_t *r,
    at_generate_error_t *err);
static void ngx_http_atelier_attempt_found(ngx_http_request_t *r,
    ngx_int_t rc, at_image_t *image);
static void ngx_http_atelier_attempt_found_late(ngx_http_request_t *r,
    ngx_int_t rc, at_image_t *image);
static ngx_int_t ngx_http_atelier_attempt_known(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_image_t *image);


ngx_int_t
ngx_http_atelier_attempt_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_atelier_problem_t   problem;
    ngx_http_atelier_loc_conf_t  *alcf;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST, "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ngx_http_atelier_body_json(r, &problem) != NGX_OK) {
        return ngx_http_atelier_generate_refuse(r, problem.status,
                                                problem.code, problem.detail);
    }

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    rc = ngx_http_atelier_generate_full(r, alcf);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_atelier_attempt_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_atelier_attempt_body(ngx_http_request_t *r)
{
    at_str_t   text;
    ngx_int_t  rc;

    text = AT_STR_NULL;

    switch (ngx_http_atelier_body_text(r, AT_GENERATE_BODY_MAX, &text)) {

    case NGX_OK:
        rc = ngx_http_atelier_attempt_start(r, text);
        break;

    case NGX_DECLINED:
        rc = ngx_http_atelier_generate_refuse(r,
                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "body_too_large",
                        "The request body is larger than this address "
                        "takes: send at most 256 kB.");
        break;

    default:
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_atelier_attempt_start(ngx_http_request_t *r, at_str_t text)
{
    at_attempt_t                   *attempt;
    at_generate_error_t             err;
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_generation_t  *g;

    attempt = ngx_pcalloc(r->pool, sizeof(at_attempt_t));
    if (attempt == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (at_attempt_parse(text, attempt, &err) != AT_OK) {
        return ngx_http_atelier_attempt_bad(r, &err);
    }

    g = ngx_http_atelier_generate_create(r);

    if (g == NULL) {
        at_attempt_free(attempt);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g->attempt = attempt;
    ngx_memcpy(g->id, attempt->id.data, NGX_HTTP_ATELIER_ID_LEN);

    /* it is freed as any generation's */

    g->request = attempt->request;
    ngx_memzero(&attempt->request, sizeof(at_generate_t));

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);

    if (attempt->request_id.len) {
        ctx->request_id = ngx_http_atelier_ngx_str(attempt->request_id);
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_http_atelier_pictures_find(r, g->id,
                                       ngx_http_atelier_attempt_found)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_atelier_attempt_bad(ngx_http_request_t *r, at_generate_error_t *err)
{
    ngx_http_atelier_problem_t     problem;
    ngx_http_atelier_main_conf_t  *amcf;

    if (ngx_strcmp(err->code, "no_memory") == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    ngx_http_atelier_count(
        &amcf->zone->sh->attempts[NGX_HTTP_ATELIER_RESULT_REFUSED], 1);

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = err->code;
    problem.field = err->field;
    problem.detail = err->detail;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}


static void
ngx_http_atelier_attempt_found(ngx_http_request_t *r, ngx_int_t rc,
    at_image_t *image)
{
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_generation_t  *g;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    g = ctx->generate;

    if (rc == NGX_OK) {
        rc = ngx_http_atelier_attempt_known(r, g, image);

    } else {

        /* with jobs under way it is half made already */

        g->equals = (g->attempt->njobs == 0);

        rc = ngx_http_atelier_generate_next(r, g);
    }

    ngx_http_atelier_generate_over(g, rc);
}


ngx_int_t
ngx_http_atelier_attempt_overtaken(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    if (ngx_http_atelier_pictures_find(r, g->id,
                                       ngx_http_atelier_attempt_found_late)
        == NGX_OK)
    {
        return NGX_AGAIN;
    }

    return ngx_http_atelier_generate_unstored(r, g);
}


static void
ngx_http_atelier_attempt_found_late(ngx_http_request_t *r, ngx_int_t rc,
    at_image_t *image)
{
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_generation_t  *g;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    g = ctx->generate;

    if (rc == NGX_OK) {
        ngx_memzero(&g->facts, sizeof(ngx_http_atelier_facts_t));
        rc = ngx_http_atelier_attempt_known(r, g, image);

    } else {
        rc = ngx_http_atelier_generate_unstored(r, g);
    }

    ngx_http_atelier_generate_over(g, rc);
}


/*
 * An attempt has stored it and was cut off then.  Who made it is not known,
 * nor what exactly that one was sent.
 */

static ngx_int_t
ngx_http_atelier_attempt_known(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_image_t *image)
{
    int                cut;
    at_buf_t           prompt;
    ngx_int_t          rc;
    at_prompt_rules_t  rules;

    ngx_memzero(&prompt, sizeof(at_buf_t));
    ngx_memzero(&rules, sizeof(at_prompt_rules_t));
    rules.inlined = 1;

    if (at_prompt_build(&g->request, &rules, &prompt, NULL, &cut) != AT_OK) {
        at_buf_free(&prompt);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g->facts.image = *image;
    g->facts.enhanced = at_buf_str(&prompt);
    g->facts.seed = g->request.seed;
    g->facts.has_seed = g->request.has_seed;

    rc = ngx_http_atelier_generate_done(r, g);

    at_buf_free(&prompt);

    return rc;
}


ngx_int_t
ngx_http_atelier_attempt_adopt(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    size_t                       i;
    ngx_str_t                   *name;
    ngx_uint_t                   n;
    at_attempt_job_t            *job;
    ngx_http_atelier_attempt_t  *a;

    for (i = 0; i < g->attempt->njobs; i++) {
        job = &g->attempt->jobs[i];

        for (n = 0; n < g->nattempts; n++) {
            a = &g->attempts[n];
            name = &a->provider->party.name;

            if (a->lane || !at_str_eq(job->provider,
                                      ngx_http_atelier_str(name)))
            {
                continue;
            }

            a->lane = ngx_http_atelier_provider_adopt(g->fanout, a->provider,
                                                      &g->request, job->job);

            if (a->lane
                && ngx_http_atelier_lane_launch(a->lane) != NGX_OK)
            {
                a->lane = NULL;
            }

            g->polling |= (a->lane != NULL);
            break;
        }
    }

    if (!g->polling) {
        return NGX_DECLINED;
    }

    ngx_http_atelier_strategy_prepare(r, g);

    return NGX_OK;
}
