/*
 * The answers of /generate: the picture, or why there is none.
 *
 * Called once per generation when the race is decided.  A picture's answer
 * stays in g->answer, as its row and whoever waits for an equal one get it
 * too; other bodies are built in malloc'ed buffers, which are freed here.
 */

#include "ngx_http_atelier_generate.h"
#include "at_json.h"


/* Seconds after which a passing failure that names no time is worth a try. */
#define NGX_HTTP_ATELIER_RETRY  5

/* What an answer mostly takes beside its texts: room is made once. */
#define NGX_HTTP_ATELIER_ANSWER          320
#define NGX_HTTP_ATELIER_ANSWER_ATTEMPT  96


static int ngx_http_atelier_answer_text(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_buf_t *b);
static int ngx_http_atelier_answer_word(at_buf_t *b, const char *word);
static int ngx_http_atelier_answer_attempts(ngx_http_atelier_generation_t *g,
    at_buf_t *b);
static ngx_http_atelier_result_e ngx_http_atelier_answer_result(
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_answer_send(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_answer_retry_after(
    ngx_http_atelier_generation_t *g);


ngx_int_t
ngx_http_atelier_generate_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t                rc;
    ngx_http_atelier_ctx_t  *ctx;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_DONE);

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    ctx->provider = g->facts.provider;

    if (ngx_http_atelier_answer_text(r, g, &g->answer) != AT_OK) {
        ngx_http_atelier_twins_end(g, NGX_HTTP_ATELIER_RESULT_FAILED);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_atelier_twins_end(g, NGX_HTTP_ATELIER_RESULT_DONE);

    if (g->row || g->attempt) {
        rc = ngx_http_atelier_queue_done(r, g);

        if (rc == NGX_AGAIN) {
            return rc;
        }

        /* the worker comes again, and finds the picture on disk */

        if (g->attempt) {
            return ngx_http_atelier_queue_away(r);
        }

        /* and so it does when the lease of the row ends */

        g->row = 0;
    }

    rc = ngx_http_atelier_answer_send(r, g);

    if (g->queue) {
        ngx_http_atelier_queue_record(g, 0);
    }

    return rc;
}


/* It was paid for by another request, and says so. */

ngx_int_t
ngx_http_atelier_generate_again(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_result_e result)
{
    at_buf_t   *b;
    ngx_int_t   rc;

    static const char  cached[] = ",\"cached\":true}";
    const size_t       len = sizeof(cached) - 1;

    ngx_http_atelier_generate_finish(g, result);

    b = &g->answer;

    while (b->len && b->data[b->len - 1] != '}') {
        b->len--;
    }

    /* it may be one that said so itself */

    if (b->len > len && ngx_memcmp(b->data + b->len - len, cached, len) == 0)
    {
        b->len -= len;

    } else {
        b->len -= (b->len > 0);
    }

    if (b->len == 0 || at_buf_printf(b, "%s\n", cached) != AT_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_atelier_twins_end(g, NGX_HTTP_ATELIER_RESULT_DONE);

    if (g->row || g->attempt) {
        if (ngx_http_atelier_queue_done(r, g) == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (g->attempt) {
            return ngx_http_atelier_queue_away(r);
        }

        g->row = 0;
    }

    rc = ngx_http_atelier_answer_send(r, g);

    if (g->queue && g->key.len == 0) {
        ngx_http_atelier_queue_record(g, 1);
    }

    return rc;
}


static ngx_int_t
ngx_http_atelier_answer_send(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    return ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                 at_buf_str(&g->answer));
}


static int
ngx_http_atelier_answer_text(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, at_buf_t *b)
{
    int                        rc;
    at_str_t                   id;
    ngx_http_atelier_facts_t  *facts;

    facts = &g->facts;
    id = (at_str_t) { NGX_HTTP_ATELIER_ID_LEN, (const char *) g->id };

    rc = at_buf_reserve(b, NGX_HTTP_ATELIER_ANSWER
                           + g->nattempts * NGX_HTTP_ATELIER_ANSWER_ATTEMPT
                           + g->conf->pictures->uri.len
                           + g->request.prompt.len + facts->enhanced.len);

    rc |= at_buf_append_str(b, AT_STR("{\"id\":\""));
    rc |= at_buf_append_str(b, id);
    rc |= at_buf_append_str(b, AT_STR("\",\"status\":\"done\","
                                      "\"provider\":"));

    if (facts->provider.len) {
        rc |= at_buf_append_str(b, AT_STR("\""));
        rc |= at_buf_append_str(b, ngx_http_atelier_str(&facts->provider));
        rc |= at_buf_append_str(b, AT_STR("\""));

    } else {
        rc |= at_buf_append_str(b, AT_STR("null"));
    }

    rc |= at_buf_append_str(b, AT_STR(",\"url\":\""));
    rc |= at_buf_append_str(b, ngx_http_atelier_str(&g->conf->pictures->uri));
    rc |= at_buf_append_str(b, id);
    rc |= at_buf_append_str(b, AT_STR("."));
    rc |= ngx_http_atelier_answer_word(b,
                                       at_image_extension(facts->image.type));
    rc |= at_buf_append_str(b, AT_STR("\",\"width\":"));
    rc |= at_buf_append_number(b, facts->image.width);
    rc |= at_buf_append_str(b, AT_STR(",\"height\":"));
    rc |= at_buf_append_number(b, facts->image.height);
    rc |= at_buf_append_str(b, AT_STR(",\"prompt\":"));
    rc |= at_json_write_string(b, g->request.prompt);
    rc |= at_buf_append_str(b, AT_STR(",\"enhancedPrompt\":"));
    rc |= at_json_write_string(b, facts->enhanced);

    rc |= at_buf_append_str(b, AT_STR(",\"seed\":"));
    rc |= facts->has_seed ? at_buf_append_number(b, facts->seed)
                          : at_buf_append_str(b, AT_STR("null"));

    rc |= at_buf_append_str(b, AT_STR(",\"latencyMs\":"));
    rc |= at_buf_append_number(b, g->picture_ms);
    rc |= ngx_http_atelier_answer_attempts(g, b);
    rc |= at_buf_append_str(b, AT_STR("}\n"));

    return rc;
}


static int
ngx_http_atelier_answer_word(at_buf_t *b, const char *word)
{
    return at_buf_append(b, word, ngx_strlen(word));
}


static int
ngx_http_atelier_answer_attempts(ngx_http_atelier_generation_t *g,
    at_buf_t *b)
{
    int         rc;
    ngx_uint_t  i;

    rc = at_buf_append_str(b, AT_STR(",\"attempts\":["));

    for (i = 0; i < g->nattempts; i++) {
        rc |= ngx_http_atelier_answer_word(b, i ? ",{" : "{");
        rc |= ngx_http_atelier_generate_attempt_text(g, &g->attempts[i], b);
        rc |= at_buf_append_str(b, AT_STR("}"));
    }

    rc |= at_buf_append_str(b, AT_STR("]"));

    return rc;
}


int
ngx_http_atelier_generate_attempt_text(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_attempt_t *a, at_buf_t *b)
{
    int                         rc;
    ngx_msec_t                  ms;
    at_ai_lane_t               *ai;
    ngx_http_atelier_outcome_e  outcome;

    outcome = g->finished ? a->outcome
                          : ngx_http_atelier_generate_outcome(g, a);
    ms = 0;
    ai = NULL;

    if (a->lane) {
        ms = a->lane->ended - a->lane->started;
        ai = ngx_http_atelier_lane_ai(a->lane);
    }

    rc = at_buf_append_str(b, AT_STR("\"provider\":\""));
    rc |= at_buf_append_str(b,
                            ngx_http_atelier_str(&a->provider->party.name));
    rc |= at_buf_append_str(b, AT_STR("\",\"outcome\":\""));
    rc |= ngx_http_atelier_answer_word(b,
                                     ngx_http_atelier_outcome_names[outcome]);
    rc |= at_buf_append_str(b, AT_STR("\",\"ms\":"));
    rc |= at_buf_append_number(b, ms);

    if (ai && ai->prompt_cut) {
        rc |= at_buf_append_str(b,
                          AT_STR(",\"note\":\"the prompt was cut to what this "
                                 "provider takes\""));
    }

    return rc;
}


/*
 * No lane brought a picture.  A failure that passes by itself makes the whole
 * worth a retry: it is queued, or 503.  Else a refusal by moderation is the
 * client's to mend: 422.  What is left needs the operator: 502.
 */

ngx_int_t
ngx_http_atelier_generate_fail(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    return ngx_http_atelier_generate_failed(r, g,
                                        ngx_http_atelier_answer_result(g));
}


/* Outcomes are known once the generation is finished; this looks at classes. */

static ngx_http_atelier_result_e
ngx_http_atelier_answer_result(ngx_http_atelier_generation_t *g)
{
    ngx_uint_t  i, moderated;

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
            if (g->attempts[i].reservation.wait == NGX_MAX_INT_T_VALUE) {
                break;
            }

            return NGX_HTTP_ATELIER_RESULT_UNAVAILABLE;

        default:
            return NGX_HTTP_ATELIER_RESULT_UNAVAILABLE;
        }
    }

    return moderated ? NGX_HTTP_ATELIER_RESULT_MODERATED
                     : NGX_HTTP_ATELIER_RESULT_REJECTED;
}


ngx_int_t
ngx_http_atelier_generate_failed(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_result_e result)
{
    ngx_http_atelier_problem_t  *problem;

    problem = &g->problem;

    ngx_memzero(problem, sizeof(ngx_http_atelier_problem_t));
    problem->retry_after = -1;

    switch (result) {

    case NGX_HTTP_ATELIER_RESULT_MODERATED:
        problem->status = 422;
        problem->code = "moderated";
        problem->field = "prompt";
        problem->detail = "The providers refused the prompt by their content "
                          "rules; change its words.";
        break;

    case NGX_HTTP_ATELIER_RESULT_REJECTED:
        problem->status = NGX_HTTP_BAD_GATEWAY;
        problem->code = "providers_rejected";
        problem->detail = "No provider accepted the request; the operator "
                          "finds the reason in the error log.";
        break;

    default: /* NGX_HTTP_ATELIER_RESULT_UNAVAILABLE */
        problem->status = NGX_HTTP_SERVICE_UNAVAILABLE;
        problem->code = "providers_unavailable";
        problem->detail = "No provider could make the picture now; send the "
                          "request again after the time in Retry-After.";
        problem->retry_after = ngx_http_atelier_answer_retry_after(g);

        if (g->queue && ngx_http_atelier_queue_put(r, g) == NGX_AGAIN) {
            return NGX_AGAIN;
        }
    }

    ngx_http_atelier_generate_finish(g, result);

    if (g->row && result != NGX_HTTP_ATELIER_RESULT_UNAVAILABLE
        && ngx_http_atelier_queue_fail(r, g) == NGX_AGAIN)
    {
        return NGX_AGAIN;
    }

    return ngx_http_atelier_generate_problem(r, g);
}


ngx_int_t
ngx_http_atelier_generate_unstored(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_http_atelier_problem_t  *problem;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_STORAGE);

    problem = &g->problem;
    ngx_memzero(problem, sizeof(ngx_http_atelier_problem_t));

    problem->status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem->code = "storage_failed";
    problem->detail = "The picture was made and could not be stored; the "
                      "operator finds the reason in the error log.";
    problem->retry_after = NGX_HTTP_ATELIER_RETRY;

    return ngx_http_atelier_generate_problem(r, g);
}


ngx_int_t
ngx_http_atelier_generate_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail)
{
    ngx_atomic_t                  *counters;
    ngx_http_atelier_loc_conf_t   *alcf;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    counters = (alcf->endpoint == NGX_HTTP_ATELIER_ATTEMPT)
               ? amcf->zone->sh->attempts : amcf->zone->sh->results;

    ngx_http_atelier_count(&counters[NGX_HTTP_ATELIER_RESULT_REFUSED], 1);

    return ngx_http_atelier_problem_simple(r, status, code, detail);
}


/* A worker is told of jobs that it can have polled on. */

ngx_int_t
ngx_http_atelier_generate_problem(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    int        rc;
    at_buf_t   b;
    ngx_int_t  sent;

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = ngx_http_atelier_answer_attempts(g, &b);

    if (g->attempt) {
        rc |= at_buf_append_str(&b, AT_STR(",\"jobs\":"));
        rc |= ngx_http_atelier_generate_jobs_text(g, &b);
    }

    if (rc == AT_OK) {
        g->problem.extra = at_buf_str(&b);
        sent = ngx_http_atelier_problem(r, &g->problem);

    } else {
        sent = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return sent;
}


int
ngx_http_atelier_generate_jobs_text(ngx_http_atelier_generation_t *g,
    at_buf_t *b)
{
    int                       rc;
    at_str_t                  job;
    ngx_uint_t                i, n;
    ngx_http_atelier_lane_t  *lane;

    rc = at_buf_append_str(b, AT_STR("["));
    n = 0;

    for (i = 0; i < g->nattempts; i++) {
        lane = g->attempts[i].lane;
        job = lane ? ngx_http_atelier_lane_job(lane) : AT_STR_NULL;

        /* neither names nor ids have anything that JSON would escape */

        if (job.len) {
            rc |= at_buf_printf(b, "%s{\"provider\":\"%.*s\",\"job\":"
                                   "\"%.*s\"}", n++ ? "," : "",
                                (int) lane->name.len, lane->name.data,
                                (int) job.len, job.data);
        }
    }

    rc |= at_buf_append_str(b, AT_STR("]"));

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
