/*
 * How a page is sent (see ngx_http_atelier_page.h).
 */

#include "ngx_http_atelier_page.h"


/* What browsers may keep at most, in ms; shared caches are told more. */
#define NGX_HTTP_ATELIER_BROWSER  300000


static ngx_int_t ngx_http_atelier_page_headers(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *control, ngx_str_t *timing);
static ngx_int_t ngx_http_atelier_page_send_body(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_atelier_page_set_encoding(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_page_set_etag(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page);


static ngx_str_t  ngx_http_atelier_page_status[] = {
    ngx_string("L1"), ngx_string("L2"), ngx_string("STALE"),
    ngx_string("MISS")
};

static ngx_str_t  ngx_http_atelier_page_timing[] = {
    ngx_string("cache;desc=\"L1\""), ngx_string("cache;desc=\"L2\""),
    ngx_string("cache;desc=\"STALE\""), ngx_string("cache;desc=\"MISS\"")
};


/*
 * nginx's own test belongs to its gzip filter and to what is configured for
 * that; here both forms are there, and Vary says so.
 */

ngx_uint_t
ngx_http_atelier_page_gzip(ngx_http_request_t *r)
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

const u_char *
ngx_http_atelier_page_etag(ngx_http_request_t *r)
{
    size_t      tail;
    ngx_str_t  *value;

    if (r->headers_in.if_none_match == NULL) {
        return NULL;
    }

    value = &r->headers_in.if_none_match->value;
    tail = ngx_http_atelier_page_gzip(r) ? 4 : 1;

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
ngx_http_atelier_page_copy(ngx_http_request_t *r,
    const ngx_http_atelier_page_t *from, ngx_http_atelier_page_t *page)
{
    ngx_uint_t   i;
    ngx_str_t   *texts[3];

    *page = *from;

    texts[0] = &page->plain;
    texts[1] = &page->link;
    texts[2] = &page->tag;

    if (page->gzip.len && ngx_http_atelier_page_gzip(r)) {
        texts[0] = &page->gzip;
        ngx_str_null(&page->plain);

    } else {
        ngx_str_null(&page->gzip);
    }

    for (i = 0; i < 3; i++) {
        if (texts[i]->len == 0) {
            continue;
        }

        texts[i]->data = ngx_pstrdup(r->pool, texts[i]);
        if (texts[i]->data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_page_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *control, ngx_str_t *timing)
{
    ngx_int_t                rc;
    ngx_str_t                body;
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_atelier_get_ctx(r);

    if (ctx == NULL
        || ngx_http_atelier_page_set_etag(r, page) != NGX_OK
        || ngx_http_atelier_page_headers(r, page, how, control, timing)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->answered = 1;
    ctx->cache_status = ngx_http_atelier_page_status[how];

    if (page->plain.len == 0 && page->gzip.len == 0) {
        r->headers_out.status = NGX_HTTP_NOT_MODIFIED;
        r->header_only = 1;

        return ngx_http_send_header(r);
    }

    body = page->plain;

    if (page->gzip.len) {
        body = page->gzip;

        if (ngx_http_atelier_page_set_encoding(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
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

    return ngx_http_atelier_page_send_body(r, &body);
}


/* The body is sent from where it lies. */

static ngx_int_t
ngx_http_atelier_page_send_body(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->start = b->pos = body->data;
    b->end = b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_atelier_page_set_encoding(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_http_atelier_zero_header(h);

    h->hash = 1;
    ngx_str_set(&h->key, "Content-Encoding");
    ngx_str_set(&h->value, "gzip");
    r->headers_out.content_encoding = h;

    return NGX_OK;
}


/* Each form of the body has an ETag of its own, as both are strong. */

static ngx_int_t
ngx_http_atelier_page_set_etag(ngx_http_request_t *r,
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
        && (page->gzip.len || ngx_http_atelier_page_gzip(r)))
    {
        p = ngx_cpymem(p, "-gz", 3);
    }

    *p++ = '"';

    h->value.len = p - h->value.data;
    r->headers_out.etag = h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_page_headers(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how,
    ngx_str_t *control, ngx_str_t *timing)
{
    ngx_str_t       age;
    ngx_msec_int_t  ms;

    static ngx_str_t  vary = ngx_string("Accept-Encoding");

    age.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (age.data == NULL) {
        return NGX_ERROR;
    }

    ms = (ngx_msec_int_t) (ngx_current_msec - page->created);

    /* a page of a snapshot that is over: caches are not to take it for fresh */

    if (how == NGX_HTTP_ATELIER_CACHE_STALE) {
        ms = ngx_max(ms, (ngx_msec_int_t) page->fresh);
    }

    age.len = ngx_sprintf(age.data, "%M", (ms > 0) ? ms / 1000 : 0)
              - age.data;

    if (timing == NULL || timing->len == 0) {
        timing = &ngx_http_atelier_page_timing[how];
    }

    if (ngx_http_atelier_add_header(r, "X-Request-ID",
                                    ngx_http_atelier_request_id(r))
        != NGX_OK
        || ngx_http_atelier_add_header(r, "Cache-Control", control) != NGX_OK
        || ngx_http_atelier_add_header(r, "Age", &age) != NGX_OK
        || ngx_http_atelier_add_header(r, "Vary", &vary) != NGX_OK
        || ngx_http_atelier_add_header(r, "X-Cache",
                                       &ngx_http_atelier_page_status[how])
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


ngx_int_t
ngx_http_atelier_page_from(ngx_http_request_t *r, ngx_http_atelier_cache_e how)
{
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_atelier_get_ctx(r);

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->cache_status = ngx_http_atelier_page_status[how];

    return ngx_http_atelier_add_header(r, "X-Cache",
                                       &ngx_http_atelier_page_status[how]);
}


u_char *
ngx_http_atelier_page_control(u_char *p, ngx_msec_t fresh, ngx_msec_t anew,
    ngx_msec_t error)
{
    return ngx_sprintf(p, "public, max-age=%M, s-maxage=%M, "
                          "stale-while-revalidate=%M, stale-if-error=%M",
                       ngx_min(fresh, NGX_HTTP_ATELIER_BROWSER) / 1000,
                       fresh / 1000, anew / 1000, error / 1000);
}
