/*
 * The proxies of a crawl: they take turns, and one that fails rests, each time
 * twice as long.  If all rest, requests wait: none ever goes without.
 */

#include "at_crawl_own.h"
#include "at_log.h"
#include "at_time.h"

#include <string.h>


#define AT_CRAWL_REST_MIN  30000        /* ms */
#define AT_CRAWL_REST_MAX  1800000


int
at_crawl_proxy_pick(at_crawl_t *c, size_t *i, int64_t *until)
{
    size_t   n, this;
    int64_t  now;

    now = at_time_mono();
    *until = INT64_MAX;

    for (n = 0; n < c->settings->nproxies; n++) {
        this = (c->proxy + n) % c->settings->nproxies;

        if (c->proxies[this].until <= now) {
            *i = this;
            return AT_OK;
        }

        if (c->proxies[this].until < *until) {
            *until = c->proxies[this].until;
        }
    }

    return AT_ERROR;
}


void
at_crawl_proxy_failed(at_crawl_t *c, size_t i, const char *why)
{
    int64_t            now;
    const char        *name;
    at_crawl_proxy_t  *p = &c->proxies[i];

    now = at_time_mono();

    if (p->until > now) {
        return;
    }

    if (p->pause == 0) {
        atomic_fetch_add(&c->resting, 1);
    }

    p->pause = p->pause ? p->pause * 2 : AT_CRAWL_REST_MIN;

    if (p->pause > AT_CRAWL_REST_MAX) {
        p->pause = AT_CRAWL_REST_MAX;
    }

    p->until = now + p->pause;

    /* what stands before "@" is a password */

    name = strrchr(c->settings->proxies[i], '@');

    at_log(AT_LOG_WARN, "proxy.rests",
           at_log_text("proxy", name ? name + 1 : c->settings->proxies[i]),
           at_log_int("ms", p->pause), at_log_text("why", why));
}


void
at_crawl_proxy_good(at_crawl_t *c, size_t i)
{
    if (c->proxies[i].pause) {
        c->proxies[i].pause = 0;
        c->proxies[i].until = 0;
        atomic_fetch_sub(&c->resting, 1);
    }
}
