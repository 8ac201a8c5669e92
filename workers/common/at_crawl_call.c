/*
 * One try of a task: the request, what became of it, and what to do then.
 */

#include "at_crawl_own.h"
#include "at_log.h"
#include "at_time.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* What a try has come to. */
typedef struct {
    at_crawl_outcome_e   outcome;
    at_pace_event_e      event;
    int64_t              later;     /* ms */
    const char          *why;
    unsigned             passing:1;
} at_crawl_end_t;


static void at_crawl_request(at_crawl_t *c, at_crawl_flight_t *f);
static void at_crawl_lines(at_crawl_flight_t *f);
static int at_crawl_begin(at_crawl_t *c, at_crawl_flight_t *f);
static int at_crawl_sent(at_fetch_call_t *call);
static void at_crawl_went(at_fetch_call_t *call);
static void at_crawl_judge(at_crawl_flight_t *f, at_crawl_end_t *e);
static at_crawl_outcome_e at_crawl_failed(const at_crawl_flight_t *f,
    at_crawl_end_t *e);
static int at_crawl_is_hop(const at_crawl_flight_t *f);
static int at_crawl_hop(at_crawl_t *c, at_crawl_flight_t *f,
    at_crawl_end_t *e);
static int at_crawl_may_hop(const at_crawl_task_t *t, at_str_t name);
static int at_crawl_later(at_crawl_t *c, at_crawl_task_t *t, int64_t later);
static int at_crawl_is_last(const at_crawl_t *c, const at_crawl_task_t *t);
static at_crawl_verdict_e at_crawl_finish(at_crawl_t *c,
    at_crawl_flight_t *f, at_crawl_end_t *e, int last);
static void at_crawl_land(at_crawl_t *c, at_crawl_flight_t *f,
    const at_crawl_end_t *e);


at_pace_rule_t
at_crawl_rule(const at_crawl_task_t *t)
{
    at_pace_rule_t            rule;
    const at_crawl_policy_t  *p = t->policy;

    rule = (at_pace_rule_t) { .gap = p->gap * 1000, .limit = p->concurrency,
                              .daily = p->daily, .kind = t->kind,
                              .share = p->daily * t->share / 100 };

    if (!p->ignore_robots && t->host->delay > rule.gap) {
        rule.gap = t->host->delay;
    }

    return rule;
}


int
at_crawl_start(at_crawl_t *c, at_crawl_task_t *t,
    const at_pace_ticket_t *ticket, size_t proxy)
{
    int64_t             now;
    at_crawl_flight_t  *f;

    f = calloc(1, sizeof(at_crawl_flight_t));
    if (f == NULL) {
        return AT_NO_MEMORY;
    }

    now = at_time_mono();
    at_crawl_unqueue(c, t);
    t->waited += now - t->since;
    t->tries++;
    t->flight = f;

    f->crawl = c;
    f->task = t;
    f->host = t->host;
    f->ticket = *ticket;
    f->rule = at_crawl_rule(t);
    f->proxy = proxy;
    f->next = c->flights;
    c->flights = f;

    if (f->next) {
        f->next->prev = f;
    }

    c->flying++;
    at_crawl_count(&t->class->flying, 1);

    f->call.lookup = (c->settings->nproxies > 0
                      && !c->settings->proxy_resolves);
    at_crawl_request(c, f);

    if (at_crawl_begin(c, f) != AT_OK) {
        at_crawl_ended(c, f);
    }

    return AT_OK;
}


static void
at_crawl_request(at_crawl_t *c, at_crawl_flight_t *f)
{
    at_crawl_task_t             *t = f->task;
    const at_crawl_settings_t   *s = c->settings;

    f->call.url = (at_str_t) { strlen(t->url), t->url };
    f->call.head = &f->head;
    f->call.before = at_crawl_sent;
    f->call.after = at_crawl_went;
    f->call.enough = t->enough;
    f->call.stay = 1;
    f->call.data = f;

    if (t->request_id) {
        f->call.request_id = (at_str_t) { strlen(t->request_id),
                                          t->request_id };
    }

    if (s->nuser_agents > 0) {
        f->call.user_agent = s->user_agents[c->user_agent++
                                            % s->nuser_agents];
    }

    /* a part of a compressed body is of no use */

    f->call.plain = (t->enough > 0 && t->robots == NULL);

    at_crawl_lines(f);
}


static void
at_crawl_lines(at_crawl_flight_t *f)
{
    size_t                    i, n;
    at_crawl_task_t          *t = f->task;
    const at_crawl_policy_t  *policy = t->policy;

    n = 0;

    for (i = 0; i < policy->nheaders && n < AT_CRAWL_LINES; i++) {
        f->lines[n++] = policy->headers[i];
    }

    if (t->etag) {
        (void) snprintf(f->text[0], sizeof(f->text[0]), "If-None-Match: %s",
                        t->etag);
        f->lines[n++] = f->text[0];
    }

    if (t->modified) {
        (void) snprintf(f->text[1], sizeof(f->text[1]),
                        "If-Modified-Since: %s", t->modified);
        f->lines[n++] = f->text[1];
    }

    if (f->call.plain) {
        (void) snprintf(f->text[2], sizeof(f->text[2]),
                        "Range: bytes=0-%zu", t->enough - 1);
        f->lines[n++] = f->text[2];
    }

    f->call.lines = f->lines;
    f->call.nlines = n;
}


/* A name that a proxy would look up is looked up here first. */

static int
at_crawl_begin(at_crawl_t *c, at_crawl_flight_t *f)
{
    if (c->settings->nproxies > 0 && !f->call.lookup) {
        f->call.proxy = c->settings->proxies[f->proxy];
        f->call.through = f->through[0] ? f->through : NULL;
    }

    return at_fetch_begin(c->fetch, &f->call);
}


static int
at_crawl_sent(at_fetch_call_t *call)
{
    at_crawl_flight_t  *f = call->data;
    at_crawl_host_t    *h = f->host;
    at_str_t            name = { h->len, h->name };

    if (at_pace_sent(f->crawl->pace, name, &h->pace, &f->rule,
                     &f->ticket)
        != AT_OK)
    {
        f->lapsed = 1;
        (void) snprintf(call->why, sizeof(call->why),
                        "the connection came too late for its turn");
        return AT_ERROR;
    }

    at_crawl_count(&f->task->class->requests, 1);
    atomic_store(&f->task->class->gap, h->pace.rate.gap);

    return AT_OK;
}


static void
at_crawl_went(at_fetch_call_t *call)
{
    at_crawl_flight_t  *f = call->data;
    at_crawl_host_t    *h = f->host;
    at_str_t            name = { h->len, h->name };

    at_pace_went(f->crawl->pace, name, &h->pace, &f->rule, &f->ticket,
                 call->wrote);

    if (at_crawl_head(h)) {
        at_crawl_look(f->crawl, h, (h->pace.next + 999) / 1000);
    }
}


void
at_crawl_ended(at_crawl_t *c, at_crawl_flight_t *f)
{
    at_crawl_end_t       e;
    at_crawl_task_t     *t = f->task;
    at_crawl_verdict_e   verdict;

    if (f->call.lookup && f->call.outcome == AT_FETCH_OK) {
        f->call.lookup = 0;
        memcpy(f->through, f->head.address, sizeof(f->through));
        at_fetch_clear(&f->call);

        if (at_crawl_begin(c, f) == AT_OK) {
            return;
        }
    }

    memset(&e, 0, sizeof(at_crawl_end_t));
    e.why = f->call.why;
    t->flight = NULL;
    t->since = at_time_mono();

    at_crawl_judge(f, &e);

    t->outcome = e.outcome;
    t->status = f->call.status;

    if (e.outcome == AT_CRAWL_STATUS && at_crawl_is_hop(f)
        && at_crawl_hop(c, f, &e) == AT_OK)
    {
        at_crawl_land(c, f, &e);
        return;
    }

    if (e.passing && at_crawl_later(c, t, e.later) == AT_OK) {
        at_crawl_land(c, f, &e);
        return;
    }

    verdict = at_crawl_finish(c, f, &e, at_crawl_is_last(c, t));

    if (verdict == AT_CRAWL_AGAIN) {
        if (at_crawl_later(c, t, -1) == AT_OK) {
            at_crawl_land(c, f, &e);
            return;
        }

        (void) at_crawl_finish(c, f, &e, 1);
    }

    at_crawl_land(c, f, &e);
    c->tasks -= (t->robots == NULL);
    at_crawl_task_free(c, t);
}


static void
at_crawl_judge(at_crawl_flight_t *f, at_crawl_end_t *e)
{
    at_crawl_task_t  *t = f->task;
    at_fetch_call_t  *call = &f->call;

    if (call->proxy) {
        if (call->status == 407) {
            call->outcome = AT_FETCH_FAILED;
            f->head.failure = AT_FETCH_BY_PROXY;
        }

        if (f->head.failure == AT_FETCH_BY_PROXY) {
            at_crawl_proxy_failed(f->crawl, f->proxy, call->why);

        } else if (call->status) {
            at_crawl_proxy_good(f->crawl, f->proxy);
        }
    }

    at_crawl_count(&t->class->bytes, f->head.wire);
    at_crawl_count(&t->class->us, f->head.total);

    if (call->outcome == AT_FETCH_OK) {
        e->outcome = AT_CRAWL_PAGE;

    } else if (call->outcome == AT_FETCH_STATUS) {
        e->outcome = (call->status == 304) ? AT_CRAWL_SAME : AT_CRAWL_STATUS;
        e->passing = (call->status == 429 || call->status >= 500);

    } else {
        e->outcome = at_crawl_failed(f, e);
        return;
    }

    if (call->status == 429 || call->status == 503) {
        e->event = AT_PACE_REFUSED;
        e->later = call->retry_after;
    }

    if (t->robots == NULL && t->policy->is_wall
        && t->policy->is_wall(t->policy, call->status,
                              at_buf_str(&call->body)))
    {
        e->outcome = AT_CRAWL_WALL;
        e->event = AT_PACE_WALLED;
        e->passing = 0;
    }
}


static at_crawl_outcome_e
at_crawl_failed(const at_crawl_flight_t *f, at_crawl_end_t *e)
{
    switch (f->call.outcome) {

    case AT_FETCH_REFUSED:
        return AT_CRAWL_REFUSED;

    case AT_FETCH_LARGE:
        return AT_CRAWL_LARGE;

    case AT_FETCH_STOPPED:
        return AT_CRAWL_STOPPED;

    case AT_FETCH_TIMEOUT:
        e->passing = 1;
        return AT_CRAWL_TIMEOUT;

    default:
        break;
    }

    e->passing = (f->head.failure != AT_FETCH_BY_OTHER || f->lapsed);

    return (f->head.failure == AT_FETCH_BY_CUT) ? AT_CRAWL_TRUNCATED
                                                : AT_CRAWL_FAILED;
}


static int
at_crawl_is_hop(const at_crawl_flight_t *f)
{
    long  status = f->call.status;

    return f->head.location[0]
           && (status == 301 || status == 302 || status == 303
               || status == 307 || status == 308);
}


/* AT_OK: it is queued where it leads; else e says what it is instead. */

static int
at_crawl_hop(at_crawl_t *c, at_crawl_flight_t *f, at_crawl_end_t *e)
{
    char             *url;
    size_t            origin;
    at_crawl_task_t  *t = f->task;

    e->outcome = AT_CRAWL_REFUSED;

    if (t->hops >= c->settings->redirects) {
        e->why = "too many redirects";
        return AT_ERROR;
    }

    if (at_crawl_url((at_str_t) { strlen(f->head.location),
                                  f->head.location },
                     &url, &origin, &e->why) != AT_OK)
    {
        return AT_ERROR;
    }

    if (t->url[4] == 's' && url[4] != 's') {
        e->why = "a redirect from https to http";
        free(url);
        return AT_ERROR;
    }

    if (!at_crawl_may_hop(t, at_crawl_name(url, origin))) {
        e->outcome = AT_CRAWL_MOVED;
        e->why = "a redirect to another host";
        free(url);
        return AT_ERROR;
    }

    if (c->draining) {
        e->outcome = AT_CRAWL_STOPPED;
        free(url);
        return AT_ERROR;
    }

    if (at_crawl_task_move(c, t, url, origin) != AT_OK) {
        free(url);
        e->outcome = AT_CRAWL_FAILED;
        e->why = "no memory";
        return AT_ERROR;
    }

    t->hops++;
    t->tries--;
    at_crawl_count(&t->class->redirects, 1);

    if (at_crawl_queue(c, t, 1) != AT_OK) {
        e->outcome = AT_CRAWL_FAILED;
        e->why = "no memory";
        return AT_ERROR;
    }

    return AT_OK;
}


/* Where robots.txt is kept is no matter of shops. */

static int
at_crawl_may_hop(const at_crawl_task_t *t, at_str_t name)
{
    char    host[AT_PACE_HOST_MAX + 1];
    size_t  i;

    if (t->robots || at_str_eq(name, (at_str_t) { t->host->len,
                                                  t->host->name }))
    {
        return 1;
    }

    (void) snprintf(host, sizeof(host), "%.*s", (int) name.len, name.data);

    for (i = 0; i < t->policy->nhosts; i++) {
        if (fnmatch(t->policy->hosts[i], host, FNM_CASEFOLD) == 0) {
            return 1;
        }
    }

    return 0;
}


/*
 * AT_OK: it will be tried once more, not before the host wants it, and in time
 * for its patience unless that is -1.
 */

static int
at_crawl_later(at_crawl_t *c, at_crawl_task_t *t, int64_t later)
{
    int64_t  now, delay;

    if (at_crawl_is_last(c, t)) {
        return AT_ERROR;
    }

    now = at_time_mono();
    delay = at_pace_backoff(t->tries, c->settings->backoff,
                            at_crawl_random(c));

    if (t->until && later >= 0
        && now + (later > delay ? later : delay) > t->until) {
        return AT_ERROR;
    }

    t->resting = 1;

    if (at_heap_set(&c->timers, &t->timer, now + delay) != AT_OK) {
        return AT_ERROR;
    }

    at_crawl_count(&t->class->retries, 1);

    return AT_OK;
}


static int
at_crawl_is_last(const at_crawl_t *c, const at_crawl_task_t *t)
{
    return t->tries > c->settings->retries || c->draining;
}


static at_crawl_verdict_e
at_crawl_finish(at_crawl_t *c, at_crawl_flight_t *f, at_crawl_end_t *e,
    int last)
{
    int                  lost;
    at_crawl_task_t     *t = f->task;
    at_crawl_result_t    r;
    at_crawl_verdict_e   verdict;

    /* too many hops to a robots.txt: there is none */

    if (t->robots) {
        lost = (e->outcome == AT_CRAWL_REFUSED
                && t->hops >= c->settings->redirects
                && at_crawl_is_hop(f));

        at_crawl_robots_done(c, t, lost ? AT_CRAWL_STATUS : e->outcome,
                             lost ? 404 : f->call.status,
                             at_buf_str(&f->call.body));
        return AT_CRAWL_FINE;
    }

    r = (at_crawl_result_t) {
        .outcome = e->outcome, .status = f->call.status,
        .url = { strlen(t->url), t->url }, .body = at_buf_str(&f->call.body),
        .location = f->head.location, .etag = f->head.etag,
        .modified = f->head.modified, .type = f->head.type, .why = e->why,
        .later = f->call.retry_after, .wire = f->head.wire,
        .first = f->head.first, .total = f->head.total,
        .last = (unsigned) (last != 0)
    };

    verdict = at_crawl_tell(t, &r);

    if (verdict == AT_CRAWL_IS_WALL) {
        e->event = AT_PACE_WALLED;

    } else if (verdict == AT_CRAWL_FINE && e->event == AT_PACE_NOTHING
               && (e->outcome == AT_CRAWL_PAGE || e->outcome == AT_CRAWL_SAME))
    {
        e->event = AT_PACE_GOOD;
    }

    return verdict;
}


/* Gives its place back. */

static void
at_crawl_land(at_crawl_t *c, at_crawl_flight_t *f, const at_crawl_end_t *e)
{
    at_crawl_host_t  *h = f->host;
    at_str_t          name = { h->len, h->name };

    at_pace_done(c->pace, name, &h->pace, &f->rule, &f->ticket, e->event,
                 e->later * 1000);

    if (e->event == AT_PACE_WALLED) {
        at_crawl_count(&f->task->class->walls, 1);
        at_log(AT_LOG_WARN, "host.wall", at_log_text("host", h->name),
               at_log_int("status", f->call.status),
               at_log_int("pause", h->pace.wall.pause / 1000000));
    }

    at_crawl_count(&f->task->class->flying, -1);

    if (at_crawl_head(h)) {
        at_crawl_look(c, h, (h->pace.next + 999) / 1000);
    }

    *(f->prev ? &f->prev->next : &c->flights) = f->next;

    if (f->next) {
        f->next->prev = f->prev;
    }

    c->flying--;
    at_fetch_clear(&f->call);
    free(f);
}
