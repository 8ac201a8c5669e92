/*
 * Who is asked when: race, hedge and failover, three policies over the same
 * lanes.
 *
 * Attempts stand in the order of priority.  "race" asks all that may be asked
 * at once.  "failover" asks the next when all before it have failed.  "hedge"
 * does that too, and asks the next when the last one asked is slower than it
 * mostly is, as long as its credit lasts: a tenth of a call is earned by each
 * request, over all workers, so hedges are never more than a tenth of them.
 */

#include "ngx_http_atelier_generate.h"


#define NGX_HTTP_ATELIER_CREDIT_CALL  10
#define NGX_HTTP_ATELIER_CREDIT_MAX   (10 * NGX_HTTP_ATELIER_CREDIT_CALL)

/* How long a race that is won still listens to the others, in ms. */
#define NGX_HTTP_ATELIER_LINGER  2


static ngx_int_t ngx_http_atelier_strategy_begin(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static void ngx_http_atelier_strategy_shared(void *data);
static ngx_int_t ngx_http_atelier_strategy_ask(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_strategy_next(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_uint_t ngx_http_atelier_strategy_asking(
    ngx_http_atelier_generation_t *g);
static ngx_http_atelier_lane_t *ngx_http_atelier_strategy_winner(
    ngx_http_atelier_generation_t *g, ngx_uint_t *active);
static ngx_int_t ngx_http_atelier_strategy_polled(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_strategy_attempt(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_attempt_t *a);
static void ngx_http_atelier_strategy_earn(ngx_http_atelier_shared_t *sh);
static ngx_int_t ngx_http_atelier_strategy_spend(
    ngx_http_atelier_shared_t *sh);
static void ngx_http_atelier_strategy_arm(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_provider_t *provider);
static void ngx_http_atelier_strategy_hedge(ngx_event_t *ev);
static void ngx_http_atelier_strategy_learn(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_lane_t *winner);


void
ngx_http_atelier_strategy_prepare(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    g->hedge.handler = ngx_http_atelier_strategy_hedge;
    g->hedge.data = r->connection;
    g->hedge.log = r->connection->log;

    g->share.handler = ngx_http_atelier_strategy_shared;
    g->share.data = g;
}


/* NGX_AGAIN: lanes are out.  Else what to finalize the request with. */

ngx_int_t
ngx_http_atelier_strategy_start(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_http_atelier_strategy_prepare(r, g);

    if (g->location->strategy == NGX_HTTP_ATELIER_HEDGE) {
        ngx_http_atelier_strategy_earn(g->conf->zone->sh);
    }

    if (ngx_http_atelier_joint_ask(g->conf, &g->share) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    return ngx_http_atelier_strategy_begin(r, g);
}


static ngx_int_t
ngx_http_atelier_strategy_begin(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_strategy_next(r, g);

    if (rc == NGX_OK) {
        return NGX_AGAIN;
    }

    return (rc == NGX_DECLINED) ? ngx_http_atelier_generate_decided(r, g, NULL)
                                : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* Redis has said what may be called, or could not be asked. */

static void
ngx_http_atelier_strategy_shared(void *data)
{
    ngx_http_atelier_generation_t *g = data;

    ngx_http_request_t  *r;

    r = g->http;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_http_atelier_generate_over(g, ngx_http_atelier_strategy_begin(r, g));
}


/*
 * As _ask(); a race goes on to the next in _resume(), which stands behind the
 * subrequest among the posted requests.  So one call is on its way before the
 * next is made.
 */

static ngx_int_t
ngx_http_atelier_strategy_next(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_strategy_ask(r, g);

    if (rc == NGX_OK && ngx_http_atelier_strategy_asking(g)) {
        rc = ngx_http_post_request(r, NULL);
    }

    if (rc == NGX_ERROR) {
        (void) ngx_http_atelier_fanout_finish(g->fanout);
    }

    return rc;
}


static ngx_uint_t
ngx_http_atelier_strategy_asking(ngx_http_atelier_generation_t *g)
{
    return g->location->strategy == NGX_HTTP_ATELIER_RACE
           && !g->polling && g->next < g->nattempts;
}


/*
 * Runs when a race has more to ask, and whenever a lane has ended, from the
 * event loop; also on a write event of the client's connection, when nothing
 * has changed but that it may take more lines.
 */

void
ngx_http_atelier_strategy_resume(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_uint_t                      active;
    ngx_http_atelier_ctx_t         *ctx;
    ngx_http_atelier_lane_t        *winner;
    ngx_http_atelier_generation_t  *g;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    g = ctx->generate;

    ngx_http_atelier_lines_wake(g);

    if (g->decided || g->share.waiting) {
        return;
    }

    if (ngx_http_atelier_strategy_asking(g)) {

        /* a lane that has ended meanwhile has posted its event */

        if (ngx_http_atelier_strategy_next(r, g) == NGX_ERROR) {
            ngx_http_atelier_generate_end(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        return;
    }

    winner = ngx_http_atelier_strategy_winner(g, &active);

    if (winner == NULL) {

        if (active) {
            return;
        }

        rc = g->polling ? ngx_http_atelier_strategy_polled(r, g)
                        : ngx_http_atelier_strategy_ask(r, g);

        if (rc == NGX_OK) {
            return;
        }

        if (rc == NGX_ERROR) {
            ngx_http_atelier_generate_end(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }
    }

    if (winner && g->location->strategy == NGX_HTTP_ATELIER_HEDGE) {
        ngx_http_atelier_strategy_learn(g, winner);
    }

    ngx_http_atelier_generate_end(r,
                             ngx_http_atelier_generate_decided(r, g, winner));
}


/* NULL: none yet.  The order of priority breaks a tie of the same turn. */

static ngx_http_atelier_lane_t *
ngx_http_atelier_strategy_winner(ngx_http_atelier_generation_t *g,
    ngx_uint_t *active)
{
    ngx_uint_t                i;
    ngx_http_atelier_lane_t  *lane;

    *active = 0;

    for (i = 0; i < g->nattempts; i++) {
        lane = g->attempts[i].lane;

        if (lane == NULL) {
            continue;
        }

        if (lane->state == NGX_HTTP_ATELIER_LANE_DONE) {
            return lane;
        }

        *active += ngx_http_atelier_lane_active(lane);
    }

    return NULL;
}


/*
 * The jobs that were adopted brought no picture.  One that still runs is
 * polled again by the next attempt; with none left the others are asked.
 * Returns as _ask().
 */

static ngx_int_t
ngx_http_atelier_strategy_polled(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_uint_t                i;
    ngx_http_atelier_lane_t  *lane;

    for (i = 0; i < g->nattempts; i++) {
        lane = g->attempts[i].lane;

        if (lane && ngx_http_atelier_lane_job(lane).len) {
            return NGX_DECLINED;
        }
    }

    g->polling = 0;

    if (ngx_http_atelier_joint_ask(g->conf, &g->share) == NGX_AGAIN) {
        return NGX_OK;
    }

    return ngx_http_atelier_strategy_next(r, g);
}


/*
 * Asks the next provider that may be asked.  NGX_DECLINED: there is none left.
 */

static ngx_int_t
ngx_http_atelier_strategy_ask(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t                    rc;
    ngx_http_atelier_attempt_t  *a;

    while (g->next < g->nattempts) {
        a = &g->attempts[g->next++];

        if (a->lane) {
            continue;
        }

        rc = ngx_http_atelier_strategy_attempt(r, g, a);

        if (rc == NGX_DECLINED) {
            continue;
        }

        /* the delay is that of the last one asked */

        if (g->hedge.timer_set) {
            ngx_del_timer(&g->hedge);
        }

        if (rc == NGX_OK
            && g->location->strategy == NGX_HTTP_ATELIER_HEDGE
            && g->next < g->nattempts)
        {
            ngx_http_atelier_strategy_arm(g, a->provider);
        }

        return rc;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_atelier_strategy_attempt(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_http_atelier_attempt_t *a)
{
    ngx_http_atelier_lines_wake(g);

    if (ngx_http_atelier_limit_take(g->conf->zone, &a->provider->party,
                                    &a->reservation)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    a->lane = ngx_http_atelier_provider_lane(g->fanout, a->provider,
                                             &g->request, &a->reservation);
    if (a->lane == NULL) {
        ngx_http_atelier_limit_settle(g->conf->zone, &a->provider->party,
                                      &a->reservation,
                                      AT_BREAKER_UNKNOWN, 0);
        return NGX_ERROR;
    }

    return (ngx_http_atelier_lane_launch(a->lane) == NGX_OK) ? NGX_OK
                                                             : NGX_DECLINED;
}


static void
ngx_http_atelier_strategy_earn(ngx_http_atelier_shared_t *sh)
{
    ngx_atomic_uint_t  credit;

    do {
        credit = sh->hedge_credit;

        if (credit >= NGX_HTTP_ATELIER_CREDIT_MAX) {
            return;
        }

    } while (!ngx_atomic_cmp_set(&sh->hedge_credit, credit, credit + 1));
}


static ngx_int_t
ngx_http_atelier_strategy_spend(ngx_http_atelier_shared_t *sh)
{
    ngx_atomic_uint_t  credit;

    do {
        credit = sh->hedge_credit;

        if (credit < NGX_HTTP_ATELIER_CREDIT_CALL) {
            return NGX_DECLINED;
        }

    } while (!ngx_atomic_cmp_set(&sh->hedge_credit, credit,
                                 credit - NGX_HTTP_ATELIER_CREDIT_CALL));

    return NGX_OK;
}


/* A provider not known yet is given the longest time. */

static void
ngx_http_atelier_strategy_arm(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_provider_t *provider)
{
    ngx_int_t   p95;
    ngx_msec_t  delay;

    p95 = ngx_http_atelier_limit_p95(g->conf->zone, &provider->party);

    delay = (p95 == NGX_ERROR) ? g->location->hedge_max : (ngx_msec_t) p95;
    delay = ngx_max(delay, g->location->hedge_min);
    delay = ngx_min(delay, g->location->hedge_max);

    ngx_add_timer(&g->hedge, delay);
}


static void
ngx_http_atelier_strategy_hedge(ngx_event_t *ev)
{
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_atelier_shared_t      *sh;
    ngx_http_atelier_generation_t  *g;

    g = ngx_queue_data(ev, ngx_http_atelier_generation_t, hedge);
    r = g->http;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (g->decided) {
        (void) ngx_http_atelier_fanout_finish(g->fanout);
        ngx_http_run_posted_requests(c);
        return;
    }

    sh = g->conf->zone->sh;

    if (ngx_http_atelier_strategy_spend(sh) != NGX_OK) {
        return;
    }

    /* if nobody can be asked the lanes that are out go on as they are */

    if (ngx_http_atelier_strategy_ask(r, g) == NGX_OK) {
        ngx_http_atelier_count(&sh->hedges, 1);

    } else {
        ngx_http_atelier_count(&sh->hedge_credit,
                               NGX_HTTP_ATELIER_CREDIT_CALL);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * The lanes that lost are taken off the wire at once.  Only in a race of
 * equals it is worth to wait for them while the picture is being stored, but
 * for a moment: a connection that is broken off has to be opened again.
 */

void
ngx_http_atelier_strategy_decided(ngx_http_atelier_generation_t *g)
{
    if (g->location->strategy != NGX_HTTP_ATELIER_RACE) {
        (void) ngx_http_atelier_fanout_finish(g->fanout);
        return;
    }

    if (ngx_http_atelier_fanout_linger(g->fanout)) {
        ngx_add_timer(&g->hedge, NGX_HTTP_ATELIER_LINGER);
    }
}


/*
 * A lane that was overtaken took at least as long as it has run.  Without
 * this its slow answers would never be seen, and its p95 would sink.
 */

static void
ngx_http_atelier_strategy_learn(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_lane_t *winner)
{
    ngx_uint_t                i;
    ngx_http_atelier_lane_t  *lane;

    for (i = 0; i < g->nattempts; i++) {
        lane = g->attempts[i].lane;

        if (lane && lane != winner && ngx_http_atelier_lane_active(lane)
            && (ngx_msec_int_t) (winner->started - lane->started) >= 0)
        {
            ngx_http_atelier_limit_latency(g->conf->zone,
                                           &g->attempts[i].provider->party,
                                           ngx_current_msec - lane->started);
        }
    }
}
