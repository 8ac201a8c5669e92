/*
 * POST /generate: a prompt goes in, providers are asked as the strategy says,
 * the first verified picture is stored and answered.
 *
 * Before that PostgreSQL is asked about an Idempotency-Key, and about a seed;
 * with neither it has no part in it until there is an answer.
 *
 * The generation lives in the request's pool.  It ends exactly once, by
 * ngx_http_atelier_generate_finish() with a result, or by the request's
 * cleanup if the client left before; what became of each provider is counted
 * at that moment.
 */

#include "ngx_http_atelier_generate.h"


static ngx_int_t ngx_http_atelier_generate_type(ngx_http_request_t *r);
static void ngx_http_atelier_generate_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_generate_text(ngx_http_request_t *r,
    at_str_t *text);
static ngx_int_t ngx_http_atelier_generate_start(ngx_http_request_t *r,
    at_str_t text);
static ngx_int_t ngx_http_atelier_generate_parse(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_str_t text);
static ngx_int_t ngx_http_atelier_generate_key(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_generate_launch(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_uint_t ngx_http_atelier_generate_is_full(
    ngx_http_atelier_loc_conf_t *alcf);
static void ngx_http_atelier_generate_too_many(
    ngx_http_atelier_problem_t *problem);
static void ngx_http_atelier_generate_stored(ngx_http_request_t *r,
    ngx_int_t rc);
static void ngx_http_atelier_generate_jobs(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_result_e result);
static void ngx_http_atelier_generate_keep(ngx_http_atelier_generation_t *g,
    ngx_str_t *provider, at_str_t job);
static void ngx_http_atelier_generate_free(void *data);
static void ngx_http_atelier_generate_cleanup(void *data);


ngx_int_t
ngx_http_atelier_generate_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_uint_t                     queues;
    ngx_http_atelier_loc_conf_t   *alcf;
    ngx_http_atelier_main_conf_t  *amcf;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);
    queues = ngx_http_atelier_generate_queues(amcf, alcf);

    rc = queues ? ngx_http_atelier_rows_handler(r) : NGX_DECLINED;
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_atelier_options_handler(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST,
                                queues ? "GET, HEAD, POST" : "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_atelier_generate_type(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* early: before the body is read, and again when it is there */

    rc = queues ? NGX_DECLINED : ngx_http_atelier_generate_full(r, alcf);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* the location's merge made the buffer large enough for most bodies */

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_atelier_generate_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


/* NGX_DECLINED: the body is plain JSON. */

static ngx_int_t
ngx_http_atelier_generate_type(ngx_http_request_t *r)
{
    ngx_http_atelier_problem_t  problem;

    if (ngx_http_atelier_body_json(r, &problem) == NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_atelier_generate_refuse(r, problem.status, problem.code,
                                            problem.detail);
}


static void
ngx_http_atelier_generate_body(ngx_http_request_t *r)
{
    at_str_t   text;
    ngx_int_t  rc;

    text = AT_STR_NULL;
    rc = ngx_http_atelier_generate_text(r, &text);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_atelier_generate_start(r, text);
    }

    ngx_http_atelier_generate_end(r, rc);
}


/*
 * NGX_DECLINED: the body is in text.  Else what to finalize the request with.
 */

static ngx_int_t
ngx_http_atelier_generate_text(ngx_http_request_t *r, at_str_t *text)
{
    switch (ngx_http_atelier_body_text(r, AT_GENERATE_BODY_MAX, text)) {

    case NGX_OK:
        return NGX_DECLINED;

    case NGX_DECLINED:
        return ngx_http_atelier_generate_refuse(r,
                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "body_too_large",
                        "The request body is larger than this address "
                        "takes: send at most 256 kB.");

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* NGX_AGAIN: it is under way.  Else what to finalize the request with. */

static ngx_int_t
ngx_http_atelier_generate_start(ngx_http_request_t *r, at_str_t text)
{
    ngx_int_t                       rc;
    ngx_http_atelier_generation_t  *g;

    g = ngx_http_atelier_generate_create(r);

    if (g == NULL || ngx_http_atelier_pictures_id(g->id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g->queue = ngx_http_atelier_generate_queues(g->conf, g->location);
    g->equals = g->queue;

    ngx_http_atelier_lines_prepare(r, g);

    rc = ngx_http_atelier_generate_parse(r, g, text);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_atelier_generate_key(r, g);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return ngx_http_atelier_generate_next(r, g);
}


ngx_http_atelier_generation_t *
ngx_http_atelier_generate_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_cleanup_t             *end;
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_generation_t  *g;

    ctx = ngx_http_atelier_get_ctx(r);
    g = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_generation_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);
    end = ngx_http_cleanup_add(r, 0);

    if (ctx == NULL || g == NULL || cln == NULL || end == NULL) {
        return NULL;
    }

    g->http = r;
    g->conf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    g->location = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);
    g->started = ngx_current_msec;

    cln->handler = ngx_http_atelier_generate_free;
    cln->data = g;

    end->handler = ngx_http_atelier_generate_cleanup;
    end->data = g;

    ctx->generate = g;

    return g;
}


/* NGX_DECLINED: it is a good one. */

static ngx_int_t
ngx_http_atelier_generate_parse(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_str_t text)
{
    at_generate_error_t         err;
    ngx_http_atelier_problem_t  problem;

    if (at_generate_parse(text, &g->request, &err) == AT_OK) {
        return NGX_DECLINED;
    }

    if (ngx_strcmp(err.code, "no_memory") == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = err.code;
    problem.field = err.field;
    problem.detail = err.detail;
    problem.retry_after = -1;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_REFUSED);

    return ngx_http_atelier_problem(r, &problem);
}


/*
 * Idempotency-Key is whatever the client likes, quoted or not.  Without a
 * queue nothing is remembered, and it is ignored as any header.
 */

static ngx_int_t
ngx_http_atelier_generate_key(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    size_t      i;
    ngx_str_t  *key;

    key = g->queue ? ngx_http_atelier_find_header(&r->headers_in.headers,
                                                  "idempotency-key")
                   : NULL;
    if (key == NULL) {
        return NGX_DECLINED;
    }

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= ' ' || key->data[i] > '~') {
            break;
        }
    }

    if (key->len && i == key->len && key->len <= NGX_HTTP_ATELIER_KEY_MAX) {
        g->key = *key;
        return NGX_DECLINED;
    }

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_REFUSED);

    return ngx_http_atelier_problem_value(r, "invalid_idempotency_key",
                        "Idempotency-Key", ngx_http_atelier_str(key),
                        "Idempotency-Key is 1 to 255 visible ASCII characters "
                        "without blanks.");
}


ngx_int_t
ngx_http_atelier_generate_next(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t  rc;

    if (g->key.len && !g->begun) {
        g->begun = 1;

        /* without its row a key would be a promise that is not kept */

        rc = ngx_http_atelier_queue_begin(r, g);
        if (rc != NGX_DECLINED) {
            return rc;
        }

        ngx_http_atelier_generate_finish(g,
                                         NGX_HTTP_ATELIER_RESULT_UNAVAILABLE);

        return ngx_http_atelier_queue_away(r);
    }

    if (g->equals && g->request.has_seed && !g->twin.first) {
        rc = ngx_http_atelier_twins_join(r, g);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (g->twin.first && !g->looked) {
        g->looked = 1;

        rc = ngx_http_atelier_queue_known(r, g);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_atelier_generate_launch(r, g);
}


void
ngx_http_atelier_generate_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR && ctx && ctx->generate) {
        ngx_http_atelier_generate_finish(ctx->generate,
                                         NGX_HTTP_ATELIER_RESULT_FAILED);
        rc = ngx_http_atelier_lines_failed(r, ctx->generate);
    }

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


void
ngx_http_atelier_generate_over(ngx_http_atelier_generation_t *g, ngx_int_t rc)
{
    ngx_connection_t  *c;

    c = g->http->connection;

    ngx_http_atelier_generate_end(g->http, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_atelier_generate_launch(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i, n;
    ngx_http_atelier_provider_t  **providers;

    if (ngx_http_atelier_generate_is_full(g->location)) {
        ngx_http_atelier_generate_too_many(&g->problem);

        rc = g->queue ? ngx_http_atelier_queue_put(r, g) : NGX_DECLINED;
        if (rc != NGX_DECLINED) {
            return rc;
        }

        ngx_http_atelier_generate_finish(g,
                                         NGX_HTTP_ATELIER_RESULT_UNAVAILABLE);

        return ngx_http_atelier_problem(r, &g->problem);
    }

    n = g->conf->providers.nelts;
    providers = g->conf->providers.elts;

    g->attempts = ngx_pcalloc(r->pool, n * sizeof(ngx_http_atelier_attempt_t));
    g->fanout = ngx_http_atelier_fanout_create(r, n,
                                            ngx_http_atelier_strategy_resume);

    if (g->attempts == NULL || g->fanout == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g->fanout->one = 1;
    g->nattempts = n;

    for (i = 0; i < n; i++) {
        g->attempts[i].provider = providers[i];
    }

    (*g->location->in_flight)++;
    g->counted = 1;

    if (g->attempt == NULL
        || ngx_http_atelier_attempt_adopt(r, g) == NGX_DECLINED)
    {
        rc = ngx_http_atelier_strategy_start(r, g);

        if (rc != NGX_AGAIN || g->decided) {
            return rc;
        }
    }

    if (ngx_http_atelier_generate_watch(r, g) != NGX_OK) {
        (void) ngx_http_atelier_fanout_finish(g->fanout);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


/* From here on a client that leaves is noticed, and ends the lanes. */

ngx_int_t
ngx_http_atelier_generate_watch(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    if (g->attempt) {
        r->read_event_handler = ngx_http_block_reading;
        return NGX_OK;
    }

    r->read_event_handler = ngx_http_test_reading;

    return ngx_handle_read_event(r->connection->read, 0);
}


static ngx_uint_t
ngx_http_atelier_generate_is_full(ngx_http_atelier_loc_conf_t *alcf)
{
    return alcf->max_in_flight && *alcf->in_flight >= alcf->max_in_flight;
}


static void
ngx_http_atelier_generate_too_many(ngx_http_atelier_problem_t *problem)
{
    ngx_memzero(problem, sizeof(ngx_http_atelier_problem_t));

    problem->status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem->code = "too_many_in_flight";
    problem->detail = "Too many pictures are being made now; send the request "
                      "again after the time in Retry-After.";
    problem->retry_after = 1;
}


ngx_int_t
ngx_http_atelier_generate_full(ngx_http_request_t *r,
    ngx_http_atelier_loc_conf_t *alcf)
{
    ngx_atomic_t                  *counters;
    ngx_http_atelier_problem_t     problem;
    ngx_http_atelier_main_conf_t  *amcf;

    if (!ngx_http_atelier_generate_is_full(alcf)) {
        return NGX_DECLINED;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    counters = (alcf->endpoint == NGX_HTTP_ATELIER_ATTEMPT)
               ? amcf->zone->sh->attempts : amcf->zone->sh->results;

    ngx_http_atelier_count(&counters[NGX_HTTP_ATELIER_RESULT_UNAVAILABLE], 1);
    ngx_http_atelier_generate_too_many(&problem);

    return ngx_http_atelier_problem(r, &problem);
}


ngx_int_t
ngx_http_atelier_generate_decided(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_lane_t *winner)
{
    ngx_uint_t      i;
    at_ai_lane_t   *ai;

    g->decided = 1;

    if (winner == NULL) {
        return ngx_http_atelier_generate_fail(r, g);
    }

    g->winner = winner;
    g->picture_ms = ngx_current_msec - g->started;

    ngx_http_atelier_strategy_decided(g);

    /* those that came second hold pictures, which are not wanted */

    for (i = 0; i < g->nattempts; i++) {
        if (g->attempts[i].lane && g->attempts[i].lane != winner) {
            ai = ngx_http_atelier_lane_ai(g->attempts[i].lane);
            at_buf_free(&ai->picture);
        }
    }

    ai = ngx_http_atelier_lane_ai(winner);

    g->facts.provider = winner->name;
    g->facts.image = ai->image;
    g->facts.enhanced = at_buf_str(&ai->sent_prompt);
    g->facts.seed = ai->seed;
    g->facts.has_seed = ai->has_seed;

    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_http_atelier_pictures_store(r, &ai->picture, g->id,
                                        at_image_extension(ai->image.type),
                                        ngx_http_atelier_generate_stored)
        != NGX_OK)
    {
        (void) ngx_http_atelier_fanout_finish(g->fanout);
        return ngx_http_atelier_generate_unstored(r, g);
    }

    return NGX_AGAIN;
}


static void
ngx_http_atelier_generate_stored(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_generation_t  *g;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    g = ctx->generate;

    (void) ngx_http_atelier_fanout_finish(g->fanout);

    if (rc == NGX_OK) {
        rc = ngx_http_atelier_generate_done(r, g);

    } else if (rc == NGX_DECLINED && g->attempt) {
        rc = ngx_http_atelier_attempt_overtaken(r, g);

    } else {
        rc = ngx_http_atelier_generate_unstored(r, g);
    }

    ngx_http_atelier_generate_end(r, rc);
}


void
ngx_http_atelier_generate_finish(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_result_e result)
{
    ngx_uint_t                   i;
    ngx_http_atelier_slot_t     *slot;
    ngx_http_atelier_attempt_t  *a;
    ngx_http_atelier_shared_t   *sh;

    if (g->finished) {
        return;
    }

    g->decided = 1;
    g->finished = 1;

    if (g->counted) {
        g->counted = 0;
        (*g->location->in_flight)--;
    }

    if (g->hedge.timer_set) {
        ngx_del_timer(&g->hedge);
    }

    ngx_http_atelier_joint_leave(&g->share);
    ngx_http_atelier_lines_leave(g);

    sh = g->conf->zone->sh;

    ngx_http_atelier_count(g->attempt ? &sh->attempts[result]
                                      : &sh->results[result], 1);

    if (result == NGX_HTTP_ATELIER_RESULT_DONE && g->attempt == NULL) {
        ngx_http_atelier_observe(&sh->duration,
                                 ngx_current_msec - g->started);
    }

    for (i = 0; i < g->nattempts; i++) {
        a = &g->attempts[i];
        slot = a->provider->party.slot;

        a->outcome = ngx_http_atelier_generate_outcome(g, a);
        ngx_http_atelier_count(&slot->outcomes[a->outcome], 1);

        if (a->lane && a->lane->state == NGX_HTTP_ATELIER_LANE_DONE) {
            ngx_http_atelier_observe(&slot->latency,
                                     a->lane->ended - a->lane->started);
        }
    }

    ngx_http_atelier_generate_jobs(g, result);

    /* who waits for an answer gets it when it has been made */

    if (result != NGX_HTTP_ATELIER_RESULT_DONE
        && result != NGX_HTTP_ATELIER_RESULT_CACHED)
    {
        ngx_http_atelier_twins_end(g, result);
    }
}


/*
 * Jobs that are still running though their lanes have ended: with no picture
 * and a client that may ask again they are kept, as they are paid for; else
 * nobody wants them any more.
 */

static void
ngx_http_atelier_generate_jobs(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_result_e result)
{
    at_str_t                  job;
    ngx_uint_t                i;
    ngx_http_atelier_lane_t  *lane;

    for (i = 0; i < g->nattempts; i++) {
        lane = g->attempts[i].lane;

        if (lane == NULL) {
            continue;
        }

        job = ngx_http_atelier_lane_job(lane);

        if (job.len == 0) {
            continue;
        }

        if (result == NGX_HTTP_ATELIER_RESULT_UNAVAILABLE
            || result == NGX_HTTP_ATELIER_RESULT_QUEUED)
        {
            ngx_http_atelier_generate_keep(g, &lane->name, job);

        } else {
            ngx_http_atelier_lane_call_off(lane);
        }
    }
}


/* Adds to $atelier_job; without memory it is only missing there. */

static void
ngx_http_atelier_generate_keep(ngx_http_atelier_generation_t *g,
    ngx_str_t *provider, at_str_t job)
{
    u_char                  *p;
    ngx_str_t               *jobs;
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(g->http, ngx_http_atelier_module);
    jobs = &ctx->jobs;

    p = ngx_pnalloc(g->http->pool,
                    jobs->len + 2 + provider->len + 1 + job.len);
    if (p == NULL) {
        return;
    }

    jobs->len = ngx_sprintf(p, "%V%s%V:%*s", jobs, jobs->len ? ", " : "",
                            provider, job.len, job.data)
                - p;
    jobs->data = p;
}


ngx_http_atelier_outcome_e
ngx_http_atelier_generate_outcome(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_attempt_t *a)
{
    if (a->lane == NULL) {
        if (a->reservation.wait == 0) {
            return NGX_HTTP_ATELIER_OUTCOME_UNASKED;
        }

        return a->reservation.open ? NGX_HTTP_ATELIER_OUTCOME_OPEN
                                   : NGX_HTTP_ATELIER_OUTCOME_LIMITED;
    }

    switch (a->lane->state) {

    case NGX_HTTP_ATELIER_LANE_DONE:
        return (a->lane == g->winner) ? NGX_HTTP_ATELIER_OUTCOME_WON
                                      : NGX_HTTP_ATELIER_OUTCOME_LOST;

    case NGX_HTTP_ATELIER_LANE_TIMED_OUT:
        return NGX_HTTP_ATELIER_OUTCOME_DEADLINE;

    case NGX_HTTP_ATELIER_LANE_FAILED:
        break;

    default: /* idle, running, waiting, cancelled: the request ended it */
        return NGX_HTTP_ATELIER_OUTCOME_CANCELLED;
    }

    switch (ngx_http_atelier_lane_ai(a->lane)->class) {

    case AT_AI_RATE_LIMITED:
        return NGX_HTTP_ATELIER_OUTCOME_RATE_LIMITED;

    case AT_AI_MODERATED:
        return NGX_HTTP_ATELIER_OUTCOME_MODERATED;

    case AT_AI_INVALID:
        return NGX_HTTP_ATELIER_OUTCOME_INVALID;

    case AT_AI_CREDENTIAL:
        return NGX_HTTP_ATELIER_OUTCOME_CREDENTIAL;

    case AT_AI_DEADLINE:
        return NGX_HTTP_ATELIER_OUTCOME_DEADLINE;

    default:
        return NGX_HTTP_ATELIER_OUTCOME_TRANSIENT;
    }
}


static void
ngx_http_atelier_generate_free(void *data)
{
    ngx_http_atelier_generation_t *g = data;

    at_generate_free(&g->request);
    at_buf_free(&g->text);
    at_buf_free(&g->answer);

    if (g->attempt) {
        at_attempt_free(g->attempt);
    }
}


/*
 * The request is over.  If no answer was decided on, the client has left; the
 * lanes' upstreams have been closed by their own cleanup just before.
 */

static void
ngx_http_atelier_generate_cleanup(void *data)
{
    ngx_http_atelier_generation_t *g = data;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_ABORTED);
    ngx_http_atelier_twins_leave(g);
    ngx_http_atelier_queue_leave(g);
}
