/*
 * What the files of /designs share: its requests
 * (ngx_http_atelier_designs.c), the flights that get them a page
 * (ngx_http_atelier_flight.c), single designs (ngx_http_atelier_design.c), and
 * its directives.
 */

#ifndef NGX_HTTP_ATELIER_DESIGNS_H
#define NGX_HTTP_ATELIER_DESIGNS_H


#include "ngx_http_atelier_feed.h"
#include "ngx_http_atelier_page.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_readers.h"


typedef struct ngx_http_atelier_flight_s  ngx_http_atelier_flight_t;


/* atelier_designs [fresh=10m] [stale=1h]; */
char *ngx_http_atelier_designs(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* atelier_fill [max_in_flight=n]; */
char *ngx_http_atelier_fill(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Sends a page; how says where it came from, timing (may be empty) what its
 * sources took.  Returns what goes to ngx_http_finalize_request().
 */
ngx_int_t ngx_http_atelier_designs_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *timing);

/* Looks in L1.  NGX_DECLINED: it is not there. */
ngx_int_t ngx_http_atelier_designs_cached(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_http_atelier_cache_e fresh,
    ngx_uint_t *refresh);

/* A 503 with Retry-After: no source could be asked, and nothing is kept. */
ngx_int_t ngx_http_atelier_designs_unavailable(ngx_http_request_t *r);

/* Sources that the query names and nobody has configured. */
void ngx_http_atelier_designs_disabled(ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_feed_t *feed, ngx_http_atelier_slice_t *slice);

/*
 * Joins the flight of this page, or starts it.  reader NULL: the page is only
 * to be refreshed.  raw is copied.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_atelier_flight_join(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_str_t *raw,
    ngx_http_atelier_reader_t *reader);

/*
 * One design, by its id.  NGX_DECLINED: the address is none of these.  Needs
 * L1, and no location of a regex.
 */
ngx_int_t ngx_http_atelier_design_handler(ngx_http_request_t *r);

/* The download of a design is reported to a source that wants to know. */
ngx_int_t ngx_http_atelier_download_handler(ngx_http_request_t *r,
    at_str_t id);


#endif /* NGX_HTTP_ATELIER_DESIGNS_H */
