/*
 * Image sources as configured by atelier_feed_source.
 */

#ifndef NGX_HTTP_ATELIER_SOURCE_H
#define NGX_HTTP_ATELIER_SOURCE_H


#include "ngx_http_atelier_fanout.h"
#include "ngx_http_atelier_party.h"


struct ngx_http_atelier_source_s {
    ngx_http_atelier_party_t   party;
    const at_feed_source_t    *feed;
    ngx_str_t                  uri;             /* its internal location */
    ngx_uint_t                 max_in_flight;   /* over all workers; 0: any */
    ngx_http_atelier_party_t   downloads;       /* their share of its limits;
                                                   no rate: not reported */
};


/* atelier_feed_source name parameters; */
char *ngx_http_atelier_feed_source(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Their part of /metrics; AT_ERROR: no memory. */
int ngx_http_atelier_source_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);

/*
 * The subrequest for a call of the source, c.  Its strings are used in place:
 * they must be valid until the call's answer has ended.
 */
ngx_int_t ngx_http_atelier_source_call(ngx_http_request_t *r,
    ngx_http_atelier_source_t *source, const at_feed_call_t *c,
    ngx_http_atelier_call_t *call);


#endif /* NGX_HTTP_ATELIER_SOURCE_H */
