/*
 * The adapter between the fan-out's lanes and the state machines of core/ai
 * (see ngx_http_atelier_adapter.h).
 *
 * An adapter lives in the request's pool; its at_ai_lane_t is malloc'ed and
 * freed by a pool cleanup.
 */

#include "ngx_http_atelier_adapter.h"
#include "ngx_http_atelier_egress.h"


/* A pause in ms after a refusal that names none. */
#define NGX_HTTP_ATELIER_PAUSE  5000


typedef struct {
    ngx_http_atelier_provider_t    *provider;
    ngx_http_atelier_reservation_t  reservation;
    at_ai_lane_t                   *ai;
    unsigned                        adopted:1;  /* nothing was reserved */
} ngx_http_atelier_adapter_t;


static ngx_int_t ngx_http_atelier_adapter_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call);
static void ngx_http_atelier_adapter_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers);
static ngx_int_t ngx_http_atelier_adapter_data(ngx_http_atelier_lane_t *lane,
    u_char *p, size_t len);
static ngx_http_atelier_step_e ngx_http_atelier_adapter_end(
    ngx_http_atelier_lane_t *lane, ngx_uint_t complete, ngx_msec_t *wait);
static void ngx_http_atelier_adapter_ended(ngx_http_atelier_lane_t *lane);
static at_breaker_outcome_e ngx_http_atelier_adapter_outcome(
    ngx_http_atelier_lane_t *lane, at_ai_lane_t *ai);
static const char *ngx_http_atelier_adapter_useless(at_ai_lane_t *ai);
static void ngx_http_atelier_adapter_late(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a);
static void ngx_http_atelier_adapter_failed(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a);
static void ngx_http_atelier_adapter_cleanup(void *data);


static const ngx_http_atelier_lane_ops_t  ngx_http_atelier_adapter_ops = {
    ngx_http_atelier_adapter_call,
    ngx_http_atelier_adapter_begin,
    ngx_http_atelier_adapter_data,
    ngx_http_atelier_adapter_end,
    ngx_http_atelier_adapter_ended
};


ngx_http_atelier_lane_t *
ngx_http_atelier_provider_lane(ngx_http_atelier_fanout_t *f,
    ngx_http_atelier_provider_t *provider, const at_generate_t *generate,
    ngx_http_atelier_reservation_t *reservation)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_atelier_lane_t     *lane;
    ngx_http_atelier_adapter_t  *a;

    a = ngx_pcalloc(f->request->pool, sizeof(ngx_http_atelier_adapter_t));
    if (a == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(f->request->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    lane = ngx_http_atelier_fanout_add(f, &ngx_http_atelier_adapter_ops, a,
                                       &provider->party.name,
                                       provider->party.timeout);
    if (lane == NULL) {
        return NULL;
    }

    a->provider = provider;
    a->reservation = *reservation;
    a->ai = at_ai_lane_create(&provider->ai, generate, ngx_time());

    if (a->ai == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_atelier_adapter_cleanup;
    cln->data = a;

    return lane;
}


ngx_http_atelier_lane_t *
ngx_http_atelier_provider_adopt(ngx_http_atelier_fanout_t *f,
    ngx_http_atelier_provider_t *provider, const at_generate_t *generate,
    at_str_t job)
{
    ngx_http_atelier_lane_t         *lane;
    ngx_http_atelier_adapter_t      *a;
    ngx_http_atelier_reservation_t   none;

    if (provider->ai.format->poll == NULL) {
        return NULL;
    }

    ngx_memzero(&none, sizeof(ngx_http_atelier_reservation_t));

    lane = ngx_http_atelier_provider_lane(f, provider, generate, &none);
    if (lane == NULL) {
        return NULL;
    }

    a = lane->data;
    a->adopted = 1;

    return (at_ai_lane_adopt(a->ai, job) == AT_OK) ? lane : NULL;
}


ngx_http_atelier_provider_t *
ngx_http_atelier_lane_provider(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    return a->provider;
}


at_ai_lane_t *
ngx_http_atelier_lane_ai(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    return a->ai;
}


static void
ngx_http_atelier_adapter_cleanup(void *data)
{
    ngx_http_atelier_adapter_t *a = data;

    at_ai_lane_free(a->ai);
}


static ngx_int_t
ngx_http_atelier_adapter_call(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_call_t *call)
{
    ngx_http_atelier_adapter_t *a = lane->data;

    return ngx_http_atelier_provider_call(lane->fanout->request, a->provider,
                                          at_ai_lane_call(a->ai), call);
}


ngx_int_t
ngx_http_atelier_provider_call(ngx_http_request_t *r,
    ngx_http_atelier_provider_t *provider, const at_ai_call_t *c,
    ngx_http_atelier_call_t *call)
{
    size_t   i;
    u_char  *p;

    static const ngx_str_t  id_name = ngx_string("X-Request-ID");
    static const ngx_str_t  agent_name = ngx_string("User-Agent");
    static const ngx_str_t  agent =
                            ngx_string("atelier/" NGX_HTTP_ATELIER_VERSION);

    if (c->target == AT_AI_TO_RESULT) {
        call->uri = provider->result;
        call->url = ngx_http_atelier_ngx_str(c->url);

    } else {
        call->uri = provider->uri;

        if (c->url.len) {
            call->uri.len += c->url.len;
            call->uri.data = ngx_pnalloc(r->pool, call->uri.len);
            if (call->uri.data == NULL) {
                return NGX_ERROR;
            }

            p = ngx_cpymem(call->uri.data, provider->uri.data,
                           provider->uri.len);
            ngx_memcpy(p, c->url.data, c->url.len);
        }

        ngx_http_atelier_call_header(call, id_name,
                                     *ngx_http_atelier_request_id(r));

        /* polls of a job cost nothing and are no calls */

        if (at_str_is(c->method, "POST")) {
            ngx_http_atelier_count(&provider->party.slot->calls, 1);
        }
    }

    call->method = ngx_http_atelier_ngx_str(c->method);
    call->body = ngx_http_atelier_ngx_str(c->body);

    ngx_http_atelier_call_header(call, agent_name, agent);

    for (i = 0; i < c->nheaders; i++) {
        ngx_http_atelier_call_header(call,
                              ngx_http_atelier_ngx_str(c->headers[i].name),
                              ngx_http_atelier_ngx_str(c->headers[i].value));
    }

    return NGX_OK;
}


static void
ngx_http_atelier_adapter_begin(ngx_http_atelier_lane_t *lane,
    ngx_uint_t status, ngx_list_t *headers)
{
    ngx_uint_t                   i;
    ngx_list_part_t             *part;
    ngx_table_elt_t             *h;
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    at_ai_lane_begin(a->ai, status, ngx_time());

    for (part = &headers->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash) {
                at_ai_lane_header(a->ai, ngx_http_atelier_str(&h[i].key),
                                  ngx_http_atelier_str(&h[i].value));
            }
        }
    }
}


static ngx_int_t
ngx_http_atelier_adapter_data(ngx_http_atelier_lane_t *lane, u_char *p,
    size_t len)
{
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    /* a probe closes a breaker: its answer must be seen to be good */

    if (ngx_http_atelier_lane_lost(lane) && a->reservation.probe == 0
        && at_ai_lane_skip(a->ai, len) == AT_OK)
    {
        return NGX_OK;
    }

    return (at_ai_lane_data(a->ai, p, len) == AT_OK) ? NGX_OK : NGX_ERROR;
}


/*
 * What the call showed of the provider holds for every worker at once, not
 * only when this request has been answered.
 */

static void
ngx_http_atelier_adapter_ended(ngx_http_atelier_lane_t *lane)
{
    ngx_http_atelier_adapter_t    *a;
    ngx_http_atelier_main_conf_t  *amcf;

    a = lane->data;
    amcf = ngx_http_get_module_main_conf(lane->fanout->request,
                                         ngx_http_atelier_module);

    if (!a->adopted) {
        ngx_http_atelier_limit_settle(amcf->zone, &a->provider->party,
                                      &a->reservation,
                                      ngx_http_atelier_adapter_outcome(lane,
                                                                       a->ai),
                                      lane->sent);
    }

    switch (lane->state) {

    case NGX_HTTP_ATELIER_LANE_FAILED:
        ngx_http_atelier_adapter_failed(lane, a);
        break;

    case NGX_HTTP_ATELIER_LANE_DONE:
        if (!a->adopted) {
            ngx_http_atelier_limit_latency(amcf->zone, &a->provider->party,
                                           lane->ended - lane->started);
        }

        /* a good answer that says it was the last one for a while */

        if (a->ai->retry_after_ms > 0) {
            ngx_http_atelier_limit_pause(amcf->zone, &a->provider->party,
                                         a->ai->retry_after_ms);
        }

        break;

    case NGX_HTTP_ATELIER_LANE_CANCELLED:
        ngx_http_atelier_lane_call_off(lane);
        at_buf_free(&a->ai->picture);
        break;

    case NGX_HTTP_ATELIER_LANE_TIMED_OUT:
        ngx_http_atelier_adapter_late(lane, a);
        at_buf_free(&a->ai->picture);
        break;

    default:
        break;
    }
}


void
ngx_http_atelier_lane_call_off(ngx_http_atelier_lane_t *lane)
{
    u_char                         buf[256];
    ngx_str_t                      path;
    ngx_http_atelier_adapter_t    *a;
    ngx_http_atelier_main_conf_t  *amcf;

    a = lane->data;
    amcf = ngx_http_get_module_main_conf(lane->fanout->request,
                                         ngx_http_atelier_module);

    if (a->ai->job.len == 0 || a->ai->job_over
        || !a->provider->ai.format->cancels || amcf->egress == NULL)
    {
        return;
    }

    /* the name has at most 32 bytes and the id 128, none of them special */

    path.data = buf;
    path.len = ngx_snprintf(buf, sizeof(buf),
                            "/cancel?provider=%V&job=%*s",
                            &a->provider->party.name,
                            a->ai->job.len, a->ai->job.data)
               - buf;

    (void) ngx_http_atelier_egress_post(amcf->egress, &path);
}


at_str_t
ngx_http_atelier_lane_job(ngx_http_atelier_lane_t *lane)
{
    at_ai_lane_t  *ai;

    ai = ngx_http_atelier_lane_ai(lane);

    if ((lane->state == NGX_HTTP_ATELIER_LANE_TIMED_OUT
         || lane->state == NGX_HTTP_ATELIER_LANE_FAILED)
        && !ai->job_over)
    {
        return ai->job;
    }

    return AT_STR_NULL;
}


/* Whether its job is kept is known when the others have ended. */

static void
ngx_http_atelier_adapter_late(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a)
{
    ngx_log_t  *log;

    log = lane->fanout->request->connection->log;

    if (a->ai->job.len && !a->ai->job_over) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "atelier: provider \"%V\" is still at job \"%*s\" "
                      "past its timeout=%Mms", &lane->name, a->ai->job.len,
                      a->ai->job.data, lane->timeout);
        return;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "atelier: provider \"%V\" did not answer within its "
                  "timeout=%Mms", &lane->name, lane->timeout);
}


/*
 * Refusals of a prompt and of a rate are no sign of bad health, and a call
 * that never left is none of good.
 */

static at_breaker_outcome_e
ngx_http_atelier_adapter_outcome(ngx_http_atelier_lane_t *lane,
    at_ai_lane_t *ai)
{
    switch (lane->state) {

    case NGX_HTTP_ATELIER_LANE_DONE:
        return AT_BREAKER_GOOD;

    case NGX_HTTP_ATELIER_LANE_TIMED_OUT:
        return AT_BREAKER_FAILED;

    case NGX_HTTP_ATELIER_LANE_FAILED:
        break;

    default: /* cancelled */

        if (!lane->sent) {
            return AT_BREAKER_UNKNOWN;
        }

        return (ai->status >= 200 && ai->status <= 299)
               ? AT_BREAKER_ANSWERING : AT_BREAKER_CALLED_OFF;
    }

    switch (ai->class) {

    case AT_AI_MODERATED:
        return AT_BREAKER_GOOD;

    case AT_AI_TRANSIENT:
    case AT_AI_DEADLINE:
        return AT_BREAKER_FAILED;

    default: /* rate-limited, invalid, a bad key, or never made */
        return AT_BREAKER_UNKNOWN;
    }
}


/* What the operator has to mend before it can be asked again, or NULL. */

static const char *
ngx_http_atelier_adapter_useless(at_ai_lane_t *ai)
{
    if (ai->class == AT_AI_CREDENTIAL) {
        return "its key or its account";
    }

    return ai->unknown_url ? "the path in its proxy_pass" : NULL;
}


static void
ngx_http_atelier_adapter_failed(ngx_http_atelier_lane_t *lane,
    ngx_http_atelier_adapter_t *a)
{
    ngx_msec_t                     pause;
    ngx_uint_t                     level;
    const char                    *mend;
    ngx_http_request_t            *r;
    ngx_http_atelier_main_conf_t  *amcf;

    r = lane->fanout->request;
    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    if (a->ai->retry_after_ms > 0) {
        pause = a->ai->retry_after_ms;

    } else if (a->ai->class == AT_AI_RATE_LIMITED) {
        pause = NGX_HTTP_ATELIER_PAUSE;

    } else {
        pause = 0;
    }

    if (pause) {
        ngx_http_atelier_limit_pause(amcf->zone, &a->provider->party, pause);
    }

    mend = ngx_http_atelier_adapter_useless(a->ai);

    if (mend) {
        ngx_http_atelier_limit_disable(amcf->zone, &a->provider->party);
    }

    /* a refused request may need the operator, too */

    level = (mend || a->ai->class == AT_AI_INVALID) ? NGX_LOG_ERR
                                                    : NGX_LOG_WARN;

    ngx_log_error(level, r->connection->log, 0,
                  "atelier: provider \"%V\" failed, %s: %s%s%s%s, request %V",
                  &lane->name, at_ai_class_name(a->ai->class),
                  lane->calls ? a->ai->reason : "it could not be asked",
                  mend ? "; mend " : "", mend ? mend : "",
                  mend ? " and reload nginx, it is not asked before" : "",
                  ngx_http_atelier_request_id(r));
}


static ngx_http_atelier_step_e
ngx_http_atelier_adapter_end(ngx_http_atelier_lane_t *lane,
    ngx_uint_t complete, ngx_msec_t *wait)
{
    at_ai_step_e                 step;
    ngx_http_atelier_adapter_t  *a;

    a = lane->data;

    if (!lane->begun) {
        at_ai_lane_begin(a->ai, 0, ngx_time());
    }

    step = at_ai_lane_end(a->ai, complete);

    switch (step) {

    case AT_AI_DONE:
        return NGX_HTTP_ATELIER_STEP_DONE;

    case AT_AI_NEXT:
        return NGX_HTTP_ATELIER_STEP_NEXT;

    case AT_AI_WAIT:
        *wait = a->ai->wait_ms;
        return NGX_HTTP_ATELIER_STEP_WAIT;

    default: /* AT_AI_FAILED */
        return NGX_HTTP_ATELIER_STEP_FAILED;
    }
}
