/*
 * Counters and gauges (see at_metric.h).
 */

#include "at_metric.h"


int
at_metric_write(at_buf_t *b, at_metric_t *table, size_t n)
{
    int           rc;
    size_t        i;
    at_metric_t  *m;

    rc = AT_OK;

    for (i = 0; i < n; i++) {
        m = &table[i];

        if (m->type) {
            rc |= at_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", m->name,
                                m->help, m->name, m->type);
        }

        rc |= at_buf_printf(b, m->labels[0] ? "%s{%s} %lld\n"
                                            : "%s%s %lld\n",
                            m->name, m->labels,
                            (long long) atomic_load_explicit(&m->value,
                                                    memory_order_relaxed));
    }

    return rc;
}
