/*
 * GET /designs: a page of the endless feed.
 *
 * A page in L1 is answered here and now: arguments are read on the stack, one
 * lock, one copy.  One that is no longer fresh is answered as well, and
 * refreshed by a flight that nobody waits for; all else waits for a flight
 * (ngx_http_atelier_flight.c), which never belongs to a request.
 */

#include "ngx_http_atelier_designs.h"
#include "ngx_http_atelier_likes.h"
#include "feed/at_feed_id.h"


/* What browsers may keep at most, in ms; shared caches are told more. */
#define NGX_HTTP_ATELIER_BROWSER  300000


static ngx_uint_t ngx_http_atelier_designs_whole(ngx_http_request_t *r,
    ngx_http_core_loc_conf_t *clcf);
static ngx_int_t ngx_http_atelier_designs_list(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_designs_read(ngx_str_t *raw,
    ngx_http_atelier_page_id_t *id, at_feed_args_error_t *error);
static ngx_int_t ngx_http_atelier_designs_invalid(ngx_http_request_t *r,
    at_feed_args_error_t *error);
static ngx_int_t ngx_http_atelier_designs_wait(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id);
static void ngx_http_atelier_designs_left(void *data);
static const u_char *ngx_http_atelier_designs_etag(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_designs_headers(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *timing);
static ngx_int_t ngx_http_atelier_designs_set_etag(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page);


static ngx_str_t  ngx_http_atelier_designs_status[] = {
    ngx_string("L1"), ngx_string("L2"), ngx_string("STALE"),
    ngx_string("MISS")
};

static ngx_str_t  ngx_http_atelier_designs_timing[] = {
    ngx_string("cache;desc=\"L1\""), ngx_string("cache;desc=\"L2\""),
    ngx_string("cache;desc=\"STALE\""), ngx_string("cache;desc=\"MISS\"")
};


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

    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND, "not_found",
                                           "There is nothing at this "
                                           "address.");
}


/* 1: nothing follows the location's path; that of a regex is none. */

static ngx_uint_t
ngx_http_atelier_designs_whole(ngx_http_request_t *r,
    ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)

    if (clcf->regex) {
        return 0;
    }

#endif

    return r->uri.len == clcf->name.len;
}


static ngx_int_t
ngx_http_atelier_designs_list(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   refresh;
    at_feed_args_error_t         error;
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
    at_feed_args_error_t *error)
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
    at_feed_args_error_t *error)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = "invalid_parameter";
    problem.field = error->name;
    problem.detail = error->message;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
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
                                    ngx_http_atelier_designs_gzip(r),
                                    ngx_http_atelier_designs_etag(r),
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
    ngx_http_cleanup_t         *cln;
    ngx_http_atelier_waiter_t  *waiter;

    waiter = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_waiter_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (waiter == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_atelier_designs_left;
    cln->data = waiter;
    waiter->request = r;

    if (ngx_http_atelier_flight_join(r, id, &r->args, waiter) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a reader who leaves is noticed; the flight goes on without him */

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_atelier_designs_left(void *data)
{
    ngx_http_atelier_flight_leave(data);
}


/*
 * nginx's own test belongs to its gzip filter and to what is configured for
 * that; here both forms are there, and Vary says so.
 */

ngx_uint_t
ngx_http_atelier_designs_gzip(ngx_http_request_t *r)
{
    u_char     *p, *last;
    ngx_str_t  *value;

    value = ngx_http_atelier_find_header(&r->headers_in.headers,
                                         "accept-encoding");
    if (value == NULL) {
        return 0;
    }

    last = value->data + value->len;
    p = ngx_strlcasestrn(value->data, last, (u_char *) "gzip", 4 - 1);

    if (p == NULL || (p > value->data && p[-1] != ',' && p[-1] != ' ')) {
        return 0;
    }

    p += 4;

    while (p < last && *p == ' ') {
        p++;
    }

    if (p == last || *p == ',') {
        return 1;
    }

    /* ";q=0", ";q=0.0" and the like refuse it */

    if (*p++ != ';') {
        return 0;
    }

    while (p < last && (*p == ' ' || *p == 'q' || *p == 'Q' || *p == '=')) {
        p++;
    }

    while (p < last && (*p == '0' || *p == '.')) {
        p++;
    }

    return p < last && *p >= '1' && *p <= '9';
}


/*
 * The digits of a lone ETag of the form that this client gets; all else is
 * core's business.
 */

static const u_char *
ngx_http_atelier_designs_etag(ngx_http_request_t *r)
{
    size_t      tail;
    ngx_str_t  *value;

    if (r->headers_in.if_none_match == NULL) {
        return NULL;
    }

    value = &r->headers_in.if_none_match->value;
    tail = ngx_http_atelier_designs_gzip(r) ? 4 : 1;

    if (value->len != 1 + NGX_HTTP_ATELIER_ETAG_LEN + tail
        || value->data[0] != '"'
        || ngx_memcmp(value->data + value->len - tail,
                      &"-gz\""[4 - tail], tail)
           != 0)
    {
        return NULL;
    }

    return value->data + 1;
}


ngx_int_t
ngx_http_atelier_designs_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *timing)
{
    ngx_int_t                      rc;
    ngx_str_t                      body;
    ngx_buf_t                     *b;
    ngx_chain_t                    out;
    ngx_table_elt_t               *h;
    ngx_http_atelier_ctx_t        *ctx;
    ngx_http_atelier_main_conf_t  *amcf;

    ctx = ngx_http_atelier_get_ctx(r);

    if (ctx == NULL
        || ngx_http_atelier_designs_set_etag(r, page) != NGX_OK
        || ngx_http_atelier_designs_headers(r, page, how, timing) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    ngx_http_atelier_cache_count(amcf->cache, how);

    ctx->answered = 1;
    ctx->cache_status = ngx_http_atelier_designs_status[how];

    if (page->plain.len == 0 && page->gzip.len == 0) {
        r->headers_out.status = NGX_HTTP_NOT_MODIFIED;
        r->header_only = 1;

        return ngx_http_send_header(r);
    }

    body = page->plain;

    if (page->gzip.len) {
        body = page->gzip;

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_atelier_zero_header(h);
        h->hash = 1;
        ngx_str_set(&h->key, "Content-Encoding");
        ngx_str_set(&h->value, "gzip");
        r->headers_out.content_encoding = h;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = body.len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->start = b->pos = body.data;
    b->end = b->last = body.data + body.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* Each form of the body has an ETag of its own, as both are strong. */

static ngx_int_t
ngx_http_atelier_designs_set_etag(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    p = ngx_pnalloc(r->pool, NGX_HTTP_ATELIER_ETAG_LEN + sizeof("\"-gz\""));
    h = ngx_list_push(&r->headers_out.headers);

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    ngx_http_atelier_zero_header(h);

    h->hash = 1;
    ngx_str_set(&h->key, "ETag");
    h->value.data = p;

    *p++ = '"';
    p = ngx_cpymem(p, page->etag, NGX_HTTP_ATELIER_ETAG_LEN);

    if (page->plain.len == 0
        && (page->gzip.len || ngx_http_atelier_designs_gzip(r)))
    {
        p = ngx_cpymem(p, "-gz", 3);
    }

    *p++ = '"';

    h->value.len = p - h->value.data;
    r->headers_out.etag = h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_designs_headers(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *timing)
{
    u_char                        *p;
    ngx_str_t                      control, age;
    ngx_msec_int_t                 ms;
    ngx_http_atelier_main_conf_t  *amcf;

    static ngx_str_t  vary = ngx_string("Accept-Encoding");

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    p = ngx_pnalloc(r->pool, NGX_HTTP_ATELIER_CONTROL_LEN + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ms = (ngx_msec_int_t) (ngx_current_msec - page->created);

    /* a page of a snapshot that is over: caches are not to take it for fresh */

    if (how == NGX_HTTP_ATELIER_CACHE_STALE) {
        ms = ngx_max(ms, (ngx_msec_int_t) page->fresh);
    }

    age.data = p;
    age.len = ngx_sprintf(p, "%M", (ms > 0) ? ms / 1000 : 0) - p;
    control.data = p += age.len;

    if (page->fresh == amcf->feed_fresh) {
        control = amcf->feed_control;

    } else {
        control.len = ngx_http_atelier_designs_cache_control(p, page->fresh,
                                                             amcf->feed_stale)
                      - p;
    }

    if (timing == NULL || timing->len == 0) {
        timing = &ngx_http_atelier_designs_timing[how];
    }

    if (ngx_http_atelier_add_header(r, "X-Request-ID",
                                    ngx_http_atelier_request_id(r))
        != NGX_OK
        || ngx_http_atelier_add_header(r, "Cache-Control", &control) != NGX_OK
        || ngx_http_atelier_add_header(r, "Age", &age) != NGX_OK
        || ngx_http_atelier_add_header(r, "Vary", &vary) != NGX_OK
        || ngx_http_atelier_add_header(r, "X-Cache",
                                       &ngx_http_atelier_designs_status[how])
           != NGX_OK
        || ngx_http_atelier_add_header(r, "Surrogate-Key", &page->tag)
           != NGX_OK
        || ngx_http_atelier_add_header(r, "Server-Timing", timing) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (page->link.len) {
        return ngx_http_atelier_add_header(r, "Link", &page->link);
    }

    return NGX_OK;
}


u_char *
ngx_http_atelier_designs_cache_control(u_char *p, ngx_msec_t fresh,
    ngx_msec_t stale)
{
    return ngx_sprintf(p, "public, max-age=%M, s-maxage=%M, "
                          "stale-while-revalidate=%M, stale-if-error=%M",
                       ngx_min(fresh, NGX_HTTP_ATELIER_BROWSER) / 1000,
                       fresh / 1000, stale / 1000, stale / 1000);
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
