/*
 * The answers of /generate: the picture, or why there is none.
 *
 * Called once per generation when the race is decided.  Bodies are built in
 * malloc'ed buffers, which are freed here.
 */

#include "ngx_http_atelier_generate.h"
#include "at_json.h"


/* Seconds after which a passing failure that names no time is worth a try. */
#define NGX_HTTP_ATELIER_RETRY  5


static int ngx_http_atelier_answer_text(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_buf_t *b);
static int ngx_http_atelier_answer_attempts(ngx_http_atelier_generation_t *g,
    at_buf_t *b);
static ngx_int_t ngx_http_atelier_answer_problem(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_problem_t *problem);
static ngx_int_t ngx_http_atelier_answer_retry_after(
    ngx_http_atelier_generation_t *g);


ngx_int_t
ngx_http_atelier_generate_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    at_buf_t                 b;
    ngx_int_t                rc;
    ngx_http_atelier_ctx_t  *ctx;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_DONE);

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    ctx->provider = g->winner->name;

    ngx_memzero(&b, sizeof(at_buf_t));

    if (ngx_http_atelier_answer_text(r, g, &b) == AT_OK) {
        rc = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                   at_buf_str(&b));
    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return rc;
}


static int
ngx_http_atelier_answer_text(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_buf_t *b)
{
    int            rc;
    ngx_str_t     *uri;
    at_ai_lane_t  *ai;

    ai = ngx_http_atelier_lane_ai(g->winner);
    uri = &g->conf->pictures->uri;

    rc = at_buf_printf(b, "{\"id\":\"%.*s\",\"status\":\"done\","
                          "\"provider\":\"%.*s\",\"url\":\"%.*s%.*s.%s\","
                          "\"width\":%u,\"height\":%u,\"prompt\":",
                       NGX_HTTP_ATELIER_ID_LEN, g->id,
                       (int) g->winner->name.len, g->winner->name.data,
                       (int) uri->len, uri->data,
                       NGX_HTTP_ATELIER_ID_LEN, g->id,
                       at_image_extension(ai->image.type),
                       (unsigned) ai->image.width,
                       (unsigned) ai->image.height);

    rc |= at_json_write_string(b, g->request.prompt);
    rc |= at_buf_append_str(b, AT_STR(",\"enhancedPrompt\":"));
    rc |= at_json_write_string(b, at_buf_str(&ai->sent_prompt));

    if (ai->has_seed) {
        rc |= at_buf_printf(b, ",\"seed\":%lu", (unsigned long) ai->seed);

    } else {
        rc |= at_buf_append_str(b, AT_STR(",\"seed\":null"));
    }

    rc |= at_buf_printf(b, ",\"latencyMs\":%lu",
                        (unsigned long) g->picture_ms);
    rc |= ngx_http_atelier_answer_attempts(g, b);
    rc |= at_buf_append_str(b, AT_STR("}\n"));

    return rc;
}


static int
ngx_http_atelier_answer_attempts(ngx_http_atelier_generation_t *g,
    at_buf_t *b)
{
    int                          rc;
    ngx_msec_t                   ms;
    ngx_uint_t                   i;
    at_ai_lane_t                *ai;
    ngx_http_atelier_attempt_t  *a;

    rc = at_buf_append_str(b, AT_STR(",\"attempts\":["));

    for (i = 0; i < g->nattempts; i++) {
        a = &g->attempts[i];
        ms = 0;
        ai = NULL;

        if (a->lane) {
            ms = a->lane->ended - a->lane->started;
            ai = ngx_http_atelier_lane_ai(a->lane);
        }

        rc |= at_buf_printf(b, "%s{\"provider\":\"%.*s\",\"outcome\":\"%s\","
                               "\"ms\":%lu",
                            i ? "," : "",
                            (int) a->provider->party.name.len,
                            a->provider->party.name.data,
                            ngx_http_atelier_outcome_names[a->outcome],
                            (unsigned long) ms);

        if (ai && ai->prompt_cut) {
            rc |= at_buf_append_str(b,
                          AT_STR(",\"note\":\"the prompt was cut to what this "
                                 "provider takes\""));
        }

        rc |= at_buf_append_str(b, AT_STR("}"));
    }

    rc |= at_buf_append_str(b, AT_STR("]"));

    return rc;
}


/*
 * No lane brought a picture.  A failure that passes by itself makes the whole
 * worth a retry: 503.  Else a refusal by moderation is the client's to mend:
 * 422.  What is left needs the operator: 502.
 */

ngx_int_t
ngx_http_atelier_generate_fail(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_uint_t                   i, passing, moderated;
    ngx_http_atelier_result_e    result;
    ngx_http_atelier_problem_t   problem;

    /* outcomes are known once the generation is finished; look at classes */

    passing = 0;
    moderated = 0;

    for (i = 0; i < g->nattempts; i++) {
        switch (ngx_http_atelier_generate_outcome(g, &g->attempts[i])) {

        case NGX_HTTP_ATELIER_OUTCOME_MODERATED:
            moderated++;
            break;

        case NGX_HTTP_ATELIER_OUTCOME_INVALID:
        case NGX_HTTP_ATELIER_OUTCOME_CREDENTIAL:
            break;

        case NGX_HTTP_ATELIER_OUTCOME_OPEN:
            passing += (g->attempts[i].reservation.wait
                        != NGX_MAX_INT_T_VALUE);
            break;

        default:
            passing++;
            break;
        }
    }

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));
    problem.retry_after = -1;

    if (passing) {
        result = NGX_HTTP_ATELIER_RESULT_UNAVAILABLE;
        problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
        problem.code = "providers_unavailable";
        problem.detail = "No provider could make the picture now; send the "
                         "request again after the time in Retry-After.";
        problem.retry_after = ngx_http_atelier_answer_retry_after(g);

    } else if (moderated) {
        result = NGX_HTTP_ATELIER_RESULT_MODERATED;
        problem.status = 422;
        problem.code = "moderated";
        problem.field = "prompt";
        problem.detail = "The providers refused the prompt by their content "
                         "rules; change its words.";

    } else {
        result = NGX_HTTP_ATELIER_RESULT_REJECTED;
        problem.status = NGX_HTTP_BAD_GATEWAY;
        problem.code = "providers_rejected";
        problem.detail = "No provider accepted the request; the operator "
                         "finds the reason in the error log.";
    }

    ngx_http_atelier_generate_finish(g, result);

    return ngx_http_atelier_answer_problem(r, g, &problem);
}


ngx_int_t
ngx_http_atelier_generate_unstored(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_http_atelier_problem_t  problem;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_STORAGE);

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "storage_failed";
    problem.detail = "The picture was made and could not be stored; the "
                     "operator finds the reason in the error log.";
    problem.retry_after = NGX_HTTP_ATELIER_RETRY;

    return ngx_http_atelier_answer_problem(r, g, &problem);
}


ngx_int_t
ngx_http_atelier_generate_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail)
{
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    ngx_http_atelier_count(
            &amcf->zone->sh->results[NGX_HTTP_ATELIER_RESULT_REFUSED], 1);

    return ngx_http_atelier_problem_simple(r, status, code, detail);
}


static ngx_int_t
ngx_http_atelier_answer_problem(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_problem_t *problem)
{
    at_buf_t   b;
    ngx_int_t  rc;

    ngx_memzero(&b, sizeof(at_buf_t));

    if (ngx_http_atelier_answer_attempts(g, &b) == AT_OK) {
        problem->extra = at_buf_str(&b);
        rc = ngx_http_atelier_problem(r, problem);

    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return rc;
}


/* Seconds until the first provider that failed in passing may be asked. */

static ngx_int_t
ngx_http_atelier_answer_retry_after(ngx_http_atelier_generation_t *g)
{
    ngx_uint_t                    i;
    ngx_msec_t                    wait, least;
    ngx_http_atelier_provider_t  *provider;

    least = NGX_MAX_INT_T_VALUE;

    for (i = 0; i < g->nattempts; i++) {
        provider = g->attempts[i].provider;

        switch (ngx_http_atelier_generate_outcome(g, &g->attempts[i])) {

        case NGX_HTTP_ATELIER_OUTCOME_MODERATED:
        case NGX_HTTP_ATELIER_OUTCOME_INVALID:
        case NGX_HTTP_ATELIER_OUTCOME_CREDENTIAL:
            continue;

        case NGX_HTTP_ATELIER_OUTCOME_OPEN:
        case NGX_HTTP_ATELIER_OUTCOME_LIMITED:
        case NGX_HTTP_ATELIER_OUTCOME_RATE_LIMITED:
            wait = ngx_http_atelier_limit_wait(g->conf->zone, &provider->party);
            break;

        default:
            wait = ngx_max(ngx_http_atelier_limit_wait(g->conf->zone,
                                                       &provider->party),
                           (ngx_msec_t) NGX_HTTP_ATELIER_RETRY * 1000);
            break;
        }

        least = ngx_min(least, wait);
    }

    if (least == NGX_MAX_INT_T_VALUE) {
        return NGX_HTTP_ATELIER_RETRY;
    }

    return ngx_max((ngx_int_t) (least + 999) / 1000, 1);
}
