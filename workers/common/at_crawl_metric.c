/*
 * The counts of a crawl, by policy.  Names are few: what is beyond the table
 * is counted with its last row.
 */

#include "at_crawl_own.h"

#include <stdio.h>
#include <string.h>


typedef struct {
    const char  *name;
    const char  *type;
    const char  *help;
    size_t       offset;
    int64_t      unit;          /* of a value, for one */
} at_crawl_series_t;


static const at_crawl_series_t  at_crawl_series[] = {
    { "atelier_crawl_requests_total", "counter",
      "Requests that were sent to hosts.",
      offsetof(at_crawl_class_t, requests), 1 },
    { "atelier_crawl_retries_total", "counter",
      "Tries that were put off to be repeated.",
      offsetof(at_crawl_class_t, retries), 1 },
    { "atelier_crawl_redirects_total", "counter",
      "Redirects that were followed.",
      offsetof(at_crawl_class_t, redirects), 1 },
    { "atelier_crawl_robots_total", "counter",
      "Fetches of robots.txt that have ended.",
      offsetof(at_crawl_class_t, robots), 1 },
    { "atelier_crawl_walls_total", "counter",
      "Answers that were walls.",
      offsetof(at_crawl_class_t, walls), 1 },
    { "atelier_crawl_received_bytes_total", "counter",
      "Bytes of bodies as they came.",
      offsetof(at_crawl_class_t, bytes), 1 },
    { "atelier_crawl_seconds_total", "counter",
      "Time in requests.",
      offsetof(at_crawl_class_t, us), 1000000 },
    { "atelier_crawl_waiting", "gauge",
      "Jobs that have not been answered.",
      offsetof(at_crawl_class_t, waiting), 1 },
    { "atelier_crawl_in_flight", "gauge",
      "Requests under way.",
      offsetof(at_crawl_class_t, flying), 1 },
    { "atelier_crawl_gap_seconds", "gauge",
      "Gap between requests to the host that was asked last.",
      offsetof(at_crawl_class_t, gap), 1000000 }
};


static int at_crawl_write(at_crawl_t *c, at_buf_t *b, size_t n,
    const at_crawl_series_t *s);
static int at_crawl_write_results(at_crawl_t *c, at_buf_t *b, size_t n);


at_crawl_class_t *
at_crawl_class(at_crawl_t *c, const char *name)
{
    size_t  i, n;

    n = atomic_load(&c->nclasses);

    for (i = 0; i < n; i++) {
        if (strcmp(c->classes[i].name, name) == 0) {
            return &c->classes[i];
        }
    }

    if (n == AT_CRAWL_CLASSES) {
        return &c->classes[n - 1];
    }

    (void) snprintf(c->classes[n].name, sizeof(c->classes[n].name), "%s",
                    n == AT_CRAWL_CLASSES - 1 ? "other" : name);
    atomic_store(&c->nclasses, n + 1);

    return &c->classes[n];
}


int
at_crawl_metrics(at_crawl_t *c, at_buf_t *b)
{
    int     rc;
    size_t  i, n;

    n = atomic_load(&c->nclasses);
    rc = at_crawl_write_results(c, b, n);

    for (i = 0; i < sizeof(at_crawl_series) / sizeof(at_crawl_series_t);
         i++)
    {
        rc |= at_crawl_write(c, b, n, &at_crawl_series[i]);
    }

    rc |= at_buf_printf(b,
                 "# HELP atelier_crawl_shared Whether Redis sets the pace for "
                 "all workers.\n# TYPE atelier_crawl_shared gauge\n"
                 "atelier_crawl_shared %d\n", atomic_load(&c->shared));
    rc |= at_buf_printf(b,
                 "# HELP atelier_crawl_proxies_resting Proxies that failed.\n"
                 "# TYPE atelier_crawl_proxies_resting gauge\n"
                 "atelier_crawl_proxies_resting %d\n",
                 atomic_load(&c->resting));

    return rc ? AT_ERROR : AT_OK;
}


static int
at_crawl_write_results(at_crawl_t *c, at_buf_t *b, size_t n)
{
    int     rc;
    size_t  i, j;

    rc = at_buf_printf(b, "# HELP atelier_crawl_results_total Jobs that have "
                          "been answered, by how.\n"
                          "# TYPE atelier_crawl_results_total counter\n");

    for (i = 0; i < n; i++) {
        for (j = 0; j < AT_CRAWL_OUTCOMES; j++) {
            rc |= at_buf_printf(b, "atelier_crawl_results_total{policy=\"%s\","
                                   "outcome=\"%s\"} %lld\n",
                                c->classes[i].name,
                                at_crawl_outcome_name((at_crawl_outcome_e) j),
                                (long long) atomic_load(
                                                &c->classes[i].results[j]));
        }
    }

    return rc;
}


static int
at_crawl_write(at_crawl_t *c, at_buf_t *b, size_t n,
    const at_crawl_series_t *s)
{
    int                    rc;
    size_t                 i;
    int64_t                value;
    atomic_int_least64_t  *field;

    rc = at_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", s->name, s->help,
                       s->name, s->type);

    for (i = 0; i < n; i++) {
        field = (void *) ((char *) &c->classes[i] + s->offset);
        value = atomic_load(field);

        if (s->unit == 1) {
            rc |= at_buf_printf(b, "%s{policy=\"%s\"} %lld\n", s->name,
                                c->classes[i].name, (long long) value);

        } else {
            rc |= at_buf_printf(b, "%s{policy=\"%s\"} %.6f\n", s->name,
                                c->classes[i].name,
                                (double) value / (double) s->unit);
        }
    }

    return rc;
}
