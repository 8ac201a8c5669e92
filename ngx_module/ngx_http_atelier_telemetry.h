/*
 * POST /telemetry, and its section of /metrics.
 */

#ifndef NGX_HTTP_ATELIER_TELEMETRY_H
#define NGX_HTTP_ATELIER_TELEMETRY_H


#include "ngx_http_atelier_zone.h"


#define NGX_HTTP_ATELIER_TELEMETRY_BODY  (16 * 1024)


ngx_int_t ngx_http_atelier_telemetry_handler(ngx_http_request_t *r);

int ngx_http_atelier_telemetry_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);


#endif /* NGX_HTTP_ATELIER_TELEMETRY_H */
