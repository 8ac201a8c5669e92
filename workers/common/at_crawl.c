/*
 * The loop of a crawl (see at_crawl.h).
 *
 * Two heaps say when there is something to do: one of hosts, by when each may
 * be asked again, and one of tasks, by their next try or the end of their
 * patience.  A host whose request is on its way to a connection is in none;
 * sending it, or its end, puts it back.
 */

#include "at_crawl_own.h"
#include "at_time.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


static const char *const  at_crawl_names[AT_CRAWL_OUTCOMES] = {
    "page", "same", "status", "moved", "disallowed", "wall", "spent",
    "late",
    "truncated", "large", "refused", "timeout", "failed", "stopped"
};


static at_pace_settings_t at_crawl_pacing(const at_crawl_settings_t *s);
static void at_crawl_timers(at_crawl_t *c);
static void at_crawl_hosts(at_crawl_t *c);
static void at_crawl_try(at_crawl_t *c, at_crawl_host_t *h);
static void at_crawl_starved(at_crawl_t *c, at_crawl_task_t *t,
    const at_pace_ticket_t *ticket);
static at_crawl_task_t *at_crawl_next(at_crawl_t *c, at_crawl_host_t *h);
static void at_crawl_closed(at_crawl_t *c, at_crawl_host_t *h,
    at_crawl_outcome_e outcome, const char *why, int64_t wait);
static void at_crawl_shared(at_crawl_t *c, at_crawl_host_t *h, unsigned kind,
    int64_t wait);
static int64_t at_crawl_wait(const at_crawl_t *c, int64_t ms);
static void at_crawl_stop(at_crawl_t *c);


at_crawl_t *
at_crawl_create(const at_crawl_settings_t *settings)
{
    at_crawl_t  *c;
    const char  *agent;

    c = calloc(1, sizeof(at_crawl_t));
    if (c == NULL) {
        return NULL;
    }

    c->settings = settings;
    c->fetch = at_fetch_create(&settings->fetch);
    c->pacing = at_crawl_pacing(settings);
    c->pace = at_pace_create(&c->pacing);
    c->proxies = calloc(settings->nproxies + 1, sizeof(at_crawl_proxy_t));

    agent = settings->agent ? settings->agent : settings->fetch.user_agent;
    c->agent = at_robots_agent((at_str_t) { strlen(agent), agent });

    if (getrandom(&c->random, sizeof(c->random), 0)
        != (ssize_t) sizeof(c->random) || c->random == 0)
    {
        c->random = 1;
    }

    if (c->fetch == NULL || c->pace == NULL || c->proxies == NULL) {
        at_crawl_free(c);
        return NULL;
    }

    return c;
}


/* A lookup before the connection, and the function after the end, take time. */

static at_pace_settings_t
at_crawl_pacing(const at_crawl_settings_t *s)
{
    at_pace_settings_t  p = s->pace;

    if (p.share == 0) {
        p.share = 4;
    }

    if (p.connect == 0) {
        p.connect = s->fetch.connect * 2000 + 1000000;
    }

    if (p.flight == 0) {
        p.flight = p.connect + s->fetch.timeout * 1000 + 5000000;
    }

    if (p.window == 0) {
        p.window = 500000;
    }

    if (p.wall_least == 0) {
        p.wall_least = (int64_t) 900 * 1000000;
    }

    if (p.wall_most == 0) {
        p.wall_most = (int64_t) 86400 * 1000000;
    }

    return p;
}


void
at_crawl_free(at_crawl_t *c)
{
    size_t            i;
    at_crawl_host_t  *h;

    if (c == NULL) {
        return;
    }

    at_crawl_drain(c, 0);

    for (i = 0; i < AT_CRAWL_BUCKETS; i++) {
        while ((h = c->buckets[i]) != NULL) {
            c->buckets[i] = h->next;
            at_crawl_robots_free(h);
            free(h);
        }
    }

    at_heap_free(&c->timers);
    at_heap_free(&c->due);
    at_fetch_free(c->fetch);
    at_pace_free(c->pace);
    free(c->proxies);
    free(c);
}


int
at_crawl_add(at_crawl_t *c, const at_crawl_job_t *job, const char **why)
{
    int               rc;
    char             *url;
    size_t            origin;
    at_crawl_task_t  *t;

    if (c->draining) {
        *why = "the worker is about to end";
        return AT_ERROR;
    }

    *why = "no memory";

    rc = at_crawl_url(job->url, &url, &origin, why);
    if (rc != AT_OK) {
        return rc;
    }

    t = at_crawl_task(c, job, url, origin);
    if (t == NULL) {
        free(url);
        return AT_NO_MEMORY;
    }

    if (at_crawl_queue(c, t, 0) != AT_OK) {
        at_crawl_task_free(c, t);
        return AT_NO_MEMORY;
    }

    c->tasks++;
    at_crawl_count(&t->class->waiting, 1);

    return AT_OK;
}


size_t
at_crawl_turn(at_crawl_t *c, int64_t ms, int fd)
{
    at_fetch_call_t  *call;

    at_crawl_timers(c);
    at_crawl_hosts(c);

    at_fetch_turn(c->fetch, at_crawl_wait(c, ms), fd);

    while ((call = at_fetch_next(c->fetch)) != NULL) {
        at_crawl_ended(c, call->data);
    }

    atomic_store(&c->shared, at_pace_shared(c->pace));

    return c->tasks;
}


void
at_crawl_wake(at_crawl_t *c)
{
    at_fetch_wake(c->fetch);
}


size_t
at_crawl_waiting(const at_crawl_t *c)
{
    return c->tasks;
}


const char *
at_crawl_outcome_name(at_crawl_outcome_e outcome)
{
    return at_crawl_names[outcome];
}


void
at_crawl_drain(at_crawl_t *c, int64_t ms)
{
    int64_t             end, left;
    at_fetch_call_t    *call;
    at_crawl_flight_t  *f;

    c->draining = 1;
    at_crawl_stop(c);

    end = at_time_mono() + ms;

    while (c->flights && (left = end - at_time_mono()) > 0) {
        at_fetch_turn(c->fetch, left, -1);

        while ((call = at_fetch_next(c->fetch)) != NULL) {
            at_crawl_ended(c, call->data);
        }
    }

    while ((f = c->flights) != NULL) {
        at_fetch_cancel(c->fetch, &f->call);
        at_crawl_ended(c, f);
    }
}


/* All that are not in flight. */

static void
at_crawl_stop(at_crawl_t *c)
{
    size_t            i;
    at_crawl_host_t  *h;
    at_crawl_task_t  *t;
    at_heap_node_t   *node;

    for (i = 0; i < AT_CRAWL_BUCKETS; i++) {
        for (h = c->buckets[i]; h; h = h->next) {
            while ((t = at_crawl_head(h)) != NULL) {
                at_crawl_answer(c, t, AT_CRAWL_STOPPED, 0, "stopped", 0);
            }
        }
    }

    while ((node = at_heap_first(&c->timers)) != NULL) {
        t = at_heap_owner(node, at_crawl_task_t, timer);
        at_crawl_answer(c, t, AT_CRAWL_STOPPED, 0, "stopped", 0);
    }
}


/* Tasks that are tried again, and those that have waited too long. */

static void
at_crawl_timers(at_crawl_t *c)
{
    int64_t           now;
    at_heap_node_t   *node;
    at_crawl_task_t  *t;

    now = at_time_mono();

    while ((node = at_heap_first(&c->timers)) != NULL && node->at <= now) {
        t = at_heap_owner(node, at_crawl_task_t, timer);
        at_heap_remove(&c->timers, node);

        if (t->resting) {
            if (at_crawl_queue(c, t, 1) != AT_OK) {
                at_crawl_answer(c, t, AT_CRAWL_FAILED, 0, "no memory", 0);
            }

            continue;
        }

        at_crawl_answer(c, t, t->tries ? t->outcome : AT_CRAWL_LATE,
                        t->status, "its turn did not come in time", 0);
    }
}


static void
at_crawl_hosts(at_crawl_t *c)
{
    int64_t           now;
    at_heap_node_t   *node;
    at_crawl_host_t  *h;

    now = at_time_mono();

    while (c->flying < c->settings->fetch.parallel
           && (node = at_heap_first(&c->due)) != NULL && node->at <= now)
    {
        h = at_heap_owner(node, at_crawl_host_t, timer);
        at_heap_remove(&c->due, node);
        at_crawl_try(c, h);
    }
}


/* Lets one task of the host go, or says when to look at it again. */

static void
at_crawl_try(at_crawl_t *c, at_crawl_host_t *h)
{
    size_t             proxy;
    int64_t            wait, now;
    at_str_t           name = { h->len, h->name };
    at_pace_rule_t     rule;
    at_crawl_task_t   *t;
    at_pace_ticket_t   ticket;

    t = at_crawl_next(c, h);

    if (t == NULL) {
        return;
    }

    now = at_time_mono();
    proxy = 0;

    if (c->settings->nproxies > 0
        && at_crawl_proxy_pick(c, &proxy, &wait) != AT_OK)
    {
        at_crawl_look(c, h, wait);
        return;
    }

    rule = at_crawl_rule(t);

    switch (at_pace_take(c->pace, name, &h->pace, &rule, &ticket, &wait)) {

    case AT_PACE_GO:
        c->proxy = proxy + 1;

        if (at_crawl_start(c, t, &ticket, proxy) != AT_OK) {
            at_crawl_starved(c, t, &ticket);
        }

        return;

    case AT_PACE_WAIT:
        at_crawl_look(c, h, now + (wait + 999) / 1000);
        return;

    case AT_PACE_BUSY:
        wait = rule.gap / 8000;
        at_crawl_look(c, h, now + (wait < 10 ? 10 : wait > 250 ? 250 : wait));
        return;

    case AT_PACE_WALL:
        at_crawl_closed(c, h, AT_CRAWL_WALL, "the host has put up a wall and "
                        "is left alone", wait / 1000);
        return;

    case AT_PACE_SPENT:
        at_crawl_closed(c, h, AT_CRAWL_SPENT, "the host has been asked as "
                        "often as it may be in a day", wait / 1000);
        return;

    case AT_PACE_SHARE:
        at_crawl_shared(c, h, t->kind, wait / 1000);
        return;
    }
}


/* Gives its place back; no request will end and look at the host. */

static void
at_crawl_starved(at_crawl_t *c, at_crawl_task_t *t,
    const at_pace_ticket_t *ticket)
{
    at_pace_rule_t    rule;
    at_crawl_host_t  *h = t->host;

    rule = at_crawl_rule(t);
    at_pace_done(c->pace, (at_str_t) { h->len, h->name }, &h->pace, &rule,
                 ticket, AT_PACE_NOTHING, 0);
    at_crawl_answer(c, t, AT_CRAWL_FAILED, 0, "no memory", 0);

    if (at_crawl_head(h)) {
        at_crawl_look(c, h, (h->pace.next + 999) / 1000);
    }
}


/* The task whose turn it is; NULL: something else will look at the host. */

static at_crawl_task_t *
at_crawl_next(at_crawl_t *c, at_crawl_host_t *h)
{
    at_crawl_may_e    may;
    at_crawl_task_t  *t;

    do {
        t = at_crawl_head(h);
        if (t == NULL) {
            return NULL;
        }

        may = at_crawl_may(c, t);

        /* its robots.txt stands before it now, or is under way */

        if (may == AT_CRAWL_ASK && at_crawl_head(h) == t) {
            return NULL;
        }

    } while (may != AT_CRAWL_MAY);

    /* those that are out look at it when they end */

    return (h->pace.flight >= (h->pace.wall.pause || h->pace.alone
                               ? 1 : t->policy->concurrency))
           ? NULL : t;
}


/* Nobody waits for a host that is closed for so long. */

static void
at_crawl_closed(at_crawl_t *c, at_crawl_host_t *h,
    at_crawl_outcome_e outcome, const char *why, int64_t wait)
{
    at_crawl_task_t  *t;

    while ((t = at_crawl_head(h)) != NULL) {
        at_crawl_answer(c, t, outcome, 0, why, wait);
    }
}


/* Nor do those of a kind that has had its share; others may go. */

static void
at_crawl_shared(at_crawl_t *c, at_crawl_host_t *h, unsigned kind,
    int64_t wait)
{
    size_t            i;
    at_crawl_task_t  *t, *next;

    for (i = 0; i < 2; i++) {
        for (t = h->queues[i].first; t; t = next) {
            next = t->next;

            if (t->kind == kind) {
                t->spared = 1;
                at_crawl_answer(c, t, AT_CRAWL_SPENT, 0, "requests of its "
                                "kind have had their share of the day", wait);
            }
        }
    }

    if (at_crawl_head(h)) {
        at_crawl_look(c, h, (h->pace.next + 999) / 1000);
    }
}


static int64_t
at_crawl_wait(const at_crawl_t *c, int64_t ms)
{
    int64_t          now, until;
    at_heap_node_t  *node;

    now = at_time_mono();
    until = now + ms;

    node = at_heap_first(&c->timers);

    if (node && node->at < until) {
        until = node->at;
    }

    if (c->flying < c->settings->fetch.parallel) {
        node = at_heap_first(&c->due);

        if (node && node->at < until) {
            until = node->at;
        }
    }

    return (until > now) ? until - now : 0;
}


void
at_crawl_answer(at_crawl_t *c, at_crawl_task_t *t,
    at_crawl_outcome_e outcome, long status, const char *why, int64_t later)
{
    at_crawl_result_t  r;

    at_crawl_unqueue(c, t);
    at_heap_remove(&c->timers, &t->timer);
    t->waited += at_time_mono() - t->since;

    if (t->robots) {
        at_crawl_robots_done(c, t, outcome, 0, AT_STR_NULL);

    } else {
        r = (at_crawl_result_t) {
            .outcome = outcome, .status = status,
            .url = { strlen(t->url), t->url }, .location = "", .etag = "",
            .modified = "", .type = "", .why = why, .later = later, .last = 1
        };

        (void) at_crawl_tell(t, &r);
        c->tasks--;
    }

    at_crawl_task_free(c, t);
}


at_crawl_verdict_e
at_crawl_tell(at_crawl_task_t *t, at_crawl_result_t *r)
{
    at_crawl_verdict_e  verdict;

    r->waited = t->waited;
    r->tries = t->tries;
    r->hops = t->hops;
    r->share = t->spared;
    r->data = t->data;

    verdict = t->done(r);

    if (verdict == AT_CRAWL_AGAIN && !r->last) {
        return verdict;
    }

    at_crawl_count(&t->class->results[r->outcome], 1);
    at_crawl_count(&t->class->waiting, -1);

    return (verdict == AT_CRAWL_AGAIN) ? AT_CRAWL_FINE : verdict;
}


uint32_t
at_crawl_random(at_crawl_t *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 17;
    c->random ^= c->random << 5;

    return c->random;
}
