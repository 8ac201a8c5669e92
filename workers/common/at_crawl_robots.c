/*
 * robots.txt in a crawl: one for each scheme, host and port, fetched as a task
 * of the host it stands for, before all others, and kept for a day at most.
 *
 * 4xx says that there is none.  5xx, 429 and no answer at all say that nobody
 * knows what may be fetched, so nothing is until a later try.
 */

#include "at_crawl_own.h"
#include "at_log.h"
#include "at_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define AT_CRAWL_DAY   86400000         /* ms */
#define AT_CRAWL_AWAY  300000           /* until it is tried again */


static void at_crawl_robots_ignored(at_crawl_task_t *t);
static at_crawl_robots_t *at_crawl_robots(at_crawl_task_t *t);
static int at_crawl_robots_ask(at_crawl_t *c, at_crawl_task_t *t,
    at_crawl_robots_t *r);
static void at_crawl_robots_delay(at_crawl_host_t *h);


at_crawl_may_e
at_crawl_may(at_crawl_t *c, at_crawl_task_t *t)
{
    char                 why[128];
    int64_t              now;
    at_str_t             path;
    at_crawl_robots_t   *r;

    if (t->robots) {
        return AT_CRAWL_MAY;
    }

    if (t->policy->ignore_robots) {
        at_crawl_robots_ignored(t);
        return AT_CRAWL_MAY;
    }

    now = at_time_mono();
    r = at_crawl_robots(t);

    if (r == NULL) {
        at_crawl_answer(c, t, AT_CRAWL_FAILED, 0, "no memory", 0);
        return AT_CRAWL_MAY_NOT;
    }

    if (r->state == AT_CRAWL_ROBOTS_ASKED) {
        return AT_CRAWL_ASK;
    }

    if (r->state == AT_CRAWL_ROBOTS_UNKNOWN || r->until <= now) {
        if (at_crawl_robots_ask(c, t, r) == AT_OK) {
            return AT_CRAWL_ASK;
        }

        at_crawl_answer(c, t, AT_CRAWL_FAILED, 0, "no memory", 0);
        return AT_CRAWL_MAY_NOT;
    }

    if (r->state == AT_CRAWL_ROBOTS_AWAY) {
        (void) snprintf(why, sizeof(why), "robots.txt cannot be had: %s",
                        at_crawl_outcome_name(r->outcome));
        at_crawl_answer(c, t, r->outcome, r->status, why, r->until - now);
        return AT_CRAWL_MAY_NOT;
    }

    path.data = t->url + t->origin;
    path.len = strlen(path.data);

    if (at_robots_allowed(&r->rules, path)) {
        return AT_CRAWL_MAY;
    }

    at_log(AT_LOG_DEBUG, "robots.disallowed", at_log_text("url", t->url));
    at_crawl_answer(c, t, AT_CRAWL_DISALLOWED, 0, "robots.txt forbids it",
                    r->until - now);

    return AT_CRAWL_MAY_NOT;
}


/* Whoever decided so is to find it in the log, once for each host. */

static void
at_crawl_robots_ignored(at_crawl_task_t *t)
{
    if (!t->host->told) {
        t->host->told = 1;
        at_log(AT_LOG_WARN, "robots.ignored",
               at_log_text("host", t->host->name),
               at_log_text("policy", t->policy->name));
    }
}


/* What became of the fetch; t->robots is what it was for. */

void
at_crawl_robots_done(at_crawl_t *c, at_crawl_task_t *t,
    at_crawl_outcome_e outcome, long status, at_str_t body)
{
    at_crawl_robots_t  *r = t->robots;

    at_robots_free(&r->rules);
    at_crawl_count(&t->class->robots, 1);

    r->state = AT_CRAWL_ROBOTS_KNOWN;
    r->until = at_time_mono() + AT_CRAWL_DAY;

    if (outcome == AT_CRAWL_PAGE) {
        if (at_robots_parse(body, c->agent, &r->rules) != AT_OK) {
            outcome = AT_CRAWL_FAILED;
            status = 0;
        }

    } else if (outcome == AT_CRAWL_STATUS && status >= 400 && status < 500
               && status != 429)
    {
        outcome = AT_CRAWL_PAGE;
    }

    if (outcome == AT_CRAWL_WALL || outcome == AT_CRAWL_SPENT
        || outcome == AT_CRAWL_STOPPED)
    {
        r->state = AT_CRAWL_ROBOTS_UNKNOWN;

    } else if (outcome != AT_CRAWL_PAGE) {
        r->state = AT_CRAWL_ROBOTS_AWAY;
        r->until = at_time_mono() + AT_CRAWL_AWAY;
        r->outcome = status ? AT_CRAWL_DISALLOWED : outcome;
        r->status = status;

        at_log(AT_LOG_WARN, "robots.away", at_log_text("origin", r->origin),
               at_log_text("outcome", at_crawl_outcome_name(outcome)),
               at_log_int("status", status));
    }

    at_crawl_robots_delay(r->host);
    at_crawl_look(c, r->host, (r->host->pace.next + 999) / 1000);
}


/* 1: a fetch that is under way, maybe at another host, names this one. */

int
at_crawl_robots_asked(const at_crawl_host_t *h)
{
    const at_crawl_robots_t  *r;

    for (r = h->robots; r; r = r->next) {
        if (r->state == AT_CRAWL_ROBOTS_ASKED) {
            return 1;
        }
    }

    return 0;
}


void
at_crawl_robots_free(at_crawl_host_t *h)
{
    at_crawl_robots_t  *r;

    while ((r = h->robots) != NULL) {
        h->robots = r->next;
        at_robots_free(&r->rules);
        free(r);
    }
}


static at_crawl_robots_t *
at_crawl_robots(at_crawl_task_t *t)
{
    at_crawl_robots_t  *r;

    for (r = t->host->robots; r; r = r->next) {
        if (r->len == t->origin && memcmp(r->origin, t->url, r->len) == 0) {
            return r;
        }
    }

    r = calloc(1, sizeof(at_crawl_robots_t) + t->origin + 1);

    if (r) {
        memcpy(r->origin, t->url, t->origin);
        r->len = t->origin;
        r->host = t->host;
        r->next = t->host->robots;
        t->host->robots = r;
    }

    return r;
}


static int
at_crawl_robots_ask(at_crawl_t *c, at_crawl_task_t *t, at_crawl_robots_t *r)
{
    char             *url;
    at_crawl_job_t    job;
    at_crawl_task_t  *task;

    url = malloc(r->len + sizeof("/robots.txt"));
    if (url == NULL) {
        return AT_NO_MEMORY;
    }

    memcpy(url, r->origin, r->len);
    memcpy(url + r->len, "/robots.txt", sizeof("/robots.txt"));

    job = (at_crawl_job_t) { .policy = t->policy, .urgent = 1,
                             .enough = AT_ROBOTS_MAX };

    task = at_crawl_task(c, &job, url, r->len);

    if (task == NULL) {
        free(url);
        return AT_NO_MEMORY;
    }

    task->robots = r;

    if (at_crawl_queue(c, task, 1) != AT_OK) {
        at_crawl_task_free(c, task);
        return AT_NO_MEMORY;
    }

    r->state = AT_CRAWL_ROBOTS_ASKED;

    return AT_OK;
}


static void
at_crawl_robots_delay(at_crawl_host_t *h)
{
    at_crawl_robots_t  *r;

    h->delay = 0;

    for (r = h->robots; r; r = r->next) {
        if (r->rules.delay * 1000 > h->delay) {
            h->delay = r->rules.delay * 1000;
        }
    }
}
