/*
 * Counters and gauges of a worker, in the text format of Prometheus.
 *
 * A worker has one static table of them; series of one name stand together,
 * the first with help and type.  Any thread may change a value.
 */

#ifndef AT_METRIC_H
#define AT_METRIC_H


#include "at.h"

#include <stdatomic.h>


typedef struct {
    const char            *name;
    const char            *labels;      /* kind="warm", or "" */
    const char            *type;        /* NULL: as the one before */
    const char            *help;
    atomic_int_least64_t   value;
} at_metric_t;


static inline void
at_metric_add(at_metric_t *m, int64_t n)
{
    (void) atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}


static inline void
at_metric_set(at_metric_t *m, int64_t value)
{
    atomic_store_explicit(&m->value, value, memory_order_relaxed);
}


int at_metric_write(at_buf_t *b, at_metric_t *table, size_t n);


#endif /* AT_METRIC_H */
