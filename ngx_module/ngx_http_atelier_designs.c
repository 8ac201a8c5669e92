/*
 * GET /designs: a page of the endless feed; what is below it is others'.
 *
 * A page in L1 is answered here and now: arguments are read on the stack, one
 * lock, one copy.  One that is no longer fresh is answered as well, and
 * refreshed by a flight that nobody waits for; all else waits for a flight
 * (ngx_http_atelier_flight.c), which never belongs to a request.
 */

#include "ngx_http_atelier_designs.h"
#include "ngx_http_atelier_likes.h"
#include "feed/at_feed_id.h"


static ngx_uint_t ngx_http_atelier_designs_whole(ngx_http_request_t *r,
    ngx_http_core_loc_conf_t *clcf);
static ngx_uint_t ngx_http_atelier_designs_regex(
    ngx_http_core_loc_conf_t *clcf);
static ngx_int_t ngx_http_atelier_designs_list(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_designs_read(ngx_str_t *raw,
    ngx_http_atelier_page_id_t *id, at_args_error_t *error);
static ngx_int_t ngx_http_atelier_designs_invalid(ngx_http_request_t *r,
    at_args_error_t *error);
static ngx_int_t ngx_http_atelier_designs_wait(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id);


ngx_int_t
ngx_http_atelier_designs_handler(ngx_http_request_t *r)
{
    at_str_t                       path, id;
    ngx_int_t                      rc;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_atelier_main_conf_t  *amcf;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    /* without a source there are only the likes */

    if (ngx_http_atelier_designs_whole(r, clcf) && amcf->cache
        && amcf->egress)
    {
        return ngx_http_atelier_designs_list(r);
    }

    rc = ngx_http_atelier_likes_handler(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    path = ngx_http_atelier_str(&r->uri);

    if (at_feed_id_path(path, AT_STR("download"), &id)) {
        return ngx_http_atelier_download_handler(r, id);
    }

    if (amcf->cache && !ngx_http_atelier_designs_regex(clcf)) {
        rc = ngx_http_atelier_design_handler(r);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND, "not_found",
                                           "There is nothing at this "
                                           "address.");
}


/* 1: nothing follows the location's path; that of a regex is none. */

static ngx_uint_t
ngx_http_atelier_designs_whole(ngx_http_request_t *r,
    ngx_http_core_loc_conf_t *clcf)
{
    return !ngx_http_atelier_designs_regex(clcf)
           && r->uri.len == clcf->name.len;
}


static ngx_uint_t
ngx_http_atelier_designs_regex(ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)

    return clcf->regex != NULL;

#else

    return 0;

#endif
}


static ngx_int_t
ngx_http_atelier_designs_list(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   refresh;
    at_args_error_t              error;
    ngx_http_atelier_page_id_t   id, asked;

    rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ngx_http_atelier_memo_get(&r->args, &asked) != NGX_OK
        && ngx_http_atelier_designs_read(&r->args, &asked, &error) != NGX_OK)
    {
        return ngx_http_atelier_designs_invalid(r, &error);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    id = asked;
    refresh = 0;

    rc = ngx_http_atelier_designs_cached(r, &id, NGX_HTTP_ATELIER_CACHE_L1,
                                         &refresh);

    if (rc == NGX_DECLINED) {
        return ngx_http_atelier_designs_wait(r, &asked);
    }

    if (refresh) {
        (void) ngx_http_atelier_flight_join(r, &asked, &r->args, NULL);
    }

    return rc;
}


static ngx_int_t
ngx_http_atelier_designs_read(ngx_str_t *raw, ngx_http_atelier_page_id_t *id,
    at_args_error_t *error)
{
    ngx_http_atelier_feed_t  feed;

    if (ngx_http_atelier_feed_parse(&feed, raw, error) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_http_atelier_feed_id(&feed, id);
    ngx_http_atelier_memo_put(raw, id);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_designs_invalid(ngx_http_request_t *r,
    at_args_error_t *error)
{
    return ngx_http_atelier_problem_value(r, "invalid_parameter", error->name,
                                          error->value, error->message);
}


ngx_int_t
ngx_http_atelier_designs_cached(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_http_atelier_cache_e fresh,
    ngx_uint_t *refresh)
{
    ngx_int_t                      rc;
    ngx_http_atelier_page_t        page;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    rc = ngx_http_atelier_cache_get(amcf->cache, id,
                                    ngx_http_atelier_page_gzip(r),
                                    ngx_http_atelier_page_etag(r),
                                    r->pool, &page);
    switch (rc) {

    case NGX_OK:
        return ngx_http_atelier_designs_send(r, &page, fresh, NULL);

    case NGX_AGAIN:
        *refresh = !page.quiet;
        return ngx_http_atelier_designs_send(r, &page,
                                             NGX_HTTP_ATELIER_CACHE_STALE,
                                             NULL);

    case NGX_ERROR:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_http_atelier_designs_wait(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id)
{
    ngx_http_atelier_reader_t  *reader;

    reader = ngx_http_atelier_reader_create(r);

    if (reader == NULL
        || ngx_http_atelier_flight_join(r, id, &r->args, reader) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a reader who leaves is noticed; the flight goes on without him */

    return ngx_http_atelier_reader_wait(reader);
}


ngx_int_t
ngx_http_atelier_designs_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *timing)
{
    ngx_str_t                      control;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    control = amcf->feed_control;

    if (page->fresh != amcf->feed_fresh) {
        control.data = ngx_pnalloc(r->pool, NGX_HTTP_ATELIER_CONTROL_LEN);
        if (control.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        control.len = ngx_http_atelier_page_control(control.data, page->fresh,
                                                    amcf->feed_stale,
                                                    amcf->feed_stale)
                      - control.data;
    }

    ngx_http_atelier_cache_count(amcf->cache, how);

    return ngx_http_atelier_page_send(r, page, how, &control, timing);
}


ngx_int_t
ngx_http_atelier_designs_unavailable(ngx_http_request_t *r)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "sources_unavailable";
    problem.detail = "No image source could be asked now, and nothing is "
                     "kept of this feed; send the request again after the "
                     "time in Retry-After.";
    problem.retry_after = 5;

    return ngx_http_atelier_problem(r, &problem);
}


void
ngx_http_atelier_designs_disabled(ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_feed_t *feed, ngx_http_atelier_slice_t *slice)
{
    ngx_uint_t  i;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if (amcf->sources[i] == NULL
            && (feed->args.query.sources & (1u << i))
            && !slice->shares[i].asked)
        {
            slice->shares[i].asked = 1;
            slice->shares[i].outcome = AT_FEED_DISABLED;
        }
    }
}
