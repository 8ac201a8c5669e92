/*
 * For mechanisms that write a section of /metrics of their own.
 */

#ifndef NGX_HTTP_ATELIER_METRICS_H
#define NGX_HTTP_ATELIER_METRICS_H


#include "ngx_http_atelier_zone.h"


/* The HELP and TYPE lines of atelier_NAME. */
int ngx_http_atelier_metrics_head(at_buf_t *b, const char *name,
    const char *type, const char *help);

/* A series without labels: both lines, and the one of its value. */
int ngx_http_atelier_metrics_value(at_buf_t *b, const char *name,
    const char *type, const char *help, ngx_uint_t value);

/* labels is empty, or the series' own labels without braces. */
int ngx_http_atelier_metrics_histogram(at_buf_t *b, const char *name,
    const char *labels, ngx_http_atelier_histogram_t *h);


#endif /* NGX_HTTP_ATELIER_METRICS_H */
