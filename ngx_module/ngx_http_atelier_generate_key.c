/*
 * What PostgreSQL is asked before the race: whether an Idempotency-Key was
 * seen before, and whether an equal request with a seed is done already.
 */

#include "ngx_http_atelier_generate_queue.h"


/* What storing a picture and answering may take beyond the providers, ms. */
#define NGX_HTTP_ATELIER_KEY_GRACE  30000


static ngx_msec_t ngx_http_atelier_queue_lease(
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_queue_begun(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static ngx_int_t ngx_http_atelier_queue_same(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static ngx_int_t ngx_http_atelier_queue_same_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static ngx_int_t ngx_http_atelier_queue_same_failed(ngx_http_request_t *r,
    PGresult *res);
static ngx_int_t ngx_http_atelier_queue_looked(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static void ngx_http_atelier_queue_found(ngx_http_request_t *r, ngx_int_t rc,
    at_image_t *image);


/*
 * Of a row that runs, whether it is the queue's: then there is an answer to
 * give, while the direct attempt of another request can only be waited for.
 */

static const char  ngx_http_atelier_queue_sql_begin[] =
    "SELECT b.state, b.id, b.status, b.result, b.\"position\", b.eta, "
           "b.result->>'code', b.result->>'detail', "
           "b.result->>'field', b.result->>'status', "
           "(SELECT g.turn IS NOT NULL FROM atelier.generation g "
            "WHERE g.visitor = $2::bytea AND g.idem_key = $6) "
    "FROM atelier.generation_begin($1, $2::bytea, $3::json, $4::bytea, "
        "$5::bigint, $6, $7::bytea, $8, $9::bigint, $10::bigint) b";

static const char  ngx_http_atelier_queue_sql_known[] =
    "SELECT coalesce(alias, id), result FROM atelier.generation "
    "WHERE request_hash = $1::bytea AND seed IS NOT NULL "
      "AND status = 'done' "
    "ORDER BY n DESC LIMIT 1";


/* Longer than the race can take, so that nobody takes over what still runs. */

static ngx_msec_t
ngx_http_atelier_queue_lease(ngx_http_atelier_generation_t *g)
{
    ngx_uint_t                     i;
    ngx_msec_t                     sum;
    ngx_http_atelier_provider_t  **p;

    p = g->conf->providers.elts;
    sum = NGX_HTTP_ATELIER_KEY_GRACE;

    for (i = 0; i < g->conf->providers.nelts; i++) {
        sum += p[i]->party.timeout;
    }

    return sum;
}


ngx_int_t
ngx_http_atelier_queue_begin(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_str_t  params[NGX_HTTP_ATELIER_QUEUE_PARAMS];

    if (ngx_http_atelier_queue_params(g, params) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    params[8] = ngx_http_atelier_queue_number(r,
                                         ngx_http_atelier_postgres_expires());
    params[9] = ngx_http_atelier_queue_number(r,
                                              ngx_http_atelier_queue_lease(g));

    if (params[8].data == NULL || params[9].data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_queue_ask(r, g, ngx_http_atelier_queue_sql_begin,
                                      10, params,
                                      ngx_http_atelier_queue_begun, 1);
}


static ngx_int_t
ngx_http_atelier_queue_begun(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    const char  *state;

    if (res == NULL || PQntuples(res) != 1) {
        ngx_http_atelier_generate_finish(g,
                                         NGX_HTTP_ATELIER_RESULT_UNAVAILABLE);
        return ngx_http_atelier_queue_away(r);
    }

    state = PQgetvalue(res, 0, 0);

    if (ngx_strcmp(state, "new") == 0) {
        g->row = 1;
        return ngx_http_atelier_generate_next(r, g);
    }

    if (ngx_strcmp(state, "conflict") == 0) {
        return ngx_http_atelier_queue_refuse(r, g, 422,
                        "idempotency_key_reused",
                        "This Idempotency-Key came with another request "
                        "before; take a new key for a new request.", -1);
    }

    return ngx_http_atelier_queue_same(r, g, res);
}


/* The same answer as the first time, or how things stand. */

static ngx_int_t
ngx_http_atelier_queue_same(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    const char  *id, *status;

    id = PQgetvalue(res, 0, 1);
    status = PQgetvalue(res, 0, 2);

    if (ngx_strcmp(status, "cancelled") == 0) {
        return ngx_http_atelier_queue_refuse(r, g, NGX_HTTP_CONFLICT,
                        "cancelled",
                        "The request of this Idempotency-Key was cancelled; "
                        "take a new key to have it made.", -1);
    }

    if (ngx_strcmp(status, "running") == 0
        && PQgetvalue(res, 0, 10)[0] != 't')
    {
        return ngx_http_atelier_queue_refuse(r, g, NGX_HTTP_CONFLICT,
                        "in_progress",
                        "The request of this Idempotency-Key is being "
                        "served; send it again after the time in "
                        "Retry-After.", 1);
    }

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_REPLAYED);

    if (ngx_strcmp(status, "failed") == 0) {
        return ngx_http_atelier_queue_same_failed(r, res);
    }

    if (ngx_strcmp(status, "done") == 0) {
        return ngx_http_atelier_queue_same_done(r, g, res);
    }

    return ngx_http_atelier_queue_accepted(r, id, status,
                                           PQgetvalue(res, 0, 4),
                                           PQgetvalue(res, 0, 5));
}


static ngx_int_t
ngx_http_atelier_queue_same_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    if (at_buf_printf(&g->answer, "%s\n", PQgetvalue(res, 0, 3)) != AT_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                 at_buf_str(&g->answer));
}


static ngx_int_t
ngx_http_atelier_queue_same_failed(ngx_http_request_t *r, PGresult *res)
{
    ngx_int_t                   status;
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    status = ngx_atoi((u_char *) PQgetvalue(res, 0, 9),
                      PQgetlength(res, 0, 9));

    problem.code = PQgetvalue(res, 0, 6);
    problem.detail = PQgetvalue(res, 0, 7);
    problem.field = PQgetisnull(res, 0, 8) ? NULL : PQgetvalue(res, 0, 8);
    problem.retry_after = -1;

    if (status >= 400 && status <= 599) {
        problem.status = status;

    } else {
        problem.status = (ngx_strcmp(problem.code, "moderated") == 0)
                         ? 422 : NGX_HTTP_BAD_GATEWAY;
    }

    return ngx_http_atelier_problem(r, &problem);
}


/* An equal request that is done.  NGX_DECLINED: go on without. */

ngx_int_t
ngx_http_atelier_queue_known(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_str_t  params[NGX_HTTP_ATELIER_QUEUE_PARAMS];

    if (ngx_http_atelier_queue_params(g, params) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_queue_ask(r, g, ngx_http_atelier_queue_sql_known,
                                      1, &params[3],
                                      ngx_http_atelier_queue_looked, g->row);
}


static ngx_int_t
ngx_http_atelier_queue_looked(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    at_str_t  result;

    if (res == NULL || PQntuples(res) != 1
        || PQgetlength(res, 0, 0) != NGX_HTTP_ATELIER_ID_LEN)
    {
        return ngx_http_atelier_generate_next(r, g);
    }

    result.data = PQgetvalue(res, 0, 1);
    result.len = PQgetlength(res, 0, 1);

    if (at_buf_append_str(&g->answer, result) != AT_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* its picture may be gone, by age or by hand, or be another node's */

    if (ngx_http_atelier_pictures_find(r, (u_char *) PQgetvalue(res, 0, 0),
                                       ngx_http_atelier_queue_found)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static void
ngx_http_atelier_queue_found(ngx_http_request_t *r, ngx_int_t rc,
    at_image_t *image)
{
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_generation_t  *g;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    g = ctx->generate;

    if (rc == NGX_OK) {
        rc = ngx_http_atelier_generate_again(r, g,
                                             NGX_HTTP_ATELIER_RESULT_CACHED);

    } else {
        at_buf_free(&g->answer);
        rc = ngx_http_atelier_generate_next(r, g);
    }

    ngx_http_atelier_generate_over(g, rc);
}
