/*
 * The subrequest of a lane as a request of its own: nothing of the client's
 * headers, body, method or cached variables reaches a provider.
 *
 * What the adapter says of a call is only lent, from the call to its end.
 */

#include "ngx_http_atelier_fanout.h"


static ngx_int_t ngx_http_atelier_lane_request_header(ngx_http_request_t *sr,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_lane_request_body(ngx_http_request_t *sr,
    ngx_str_t *body);


ngx_int_t
ngx_http_atelier_lane_request(ngx_http_request_t *sr,
    ngx_http_atelier_call_t *call)
{
    ngx_str_t                   server;
    ngx_uint_t                  i;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);

    sr->variables = ngx_pcalloc(sr->pool, cmcf->variables.nelts
                                          * sizeof(ngx_http_variable_value_t));
    if (sr->variables == NULL) {
        return NGX_ERROR;
    }

    server = sr->headers_in.server;
    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));
    sr->headers_in.server = server;
    sr->headers_in.content_length_n = -1;
    sr->headers_in.keep_alive_n = -1;

    if (ngx_list_init(&sr->headers_in.headers, sr->pool,
                      NGX_HTTP_ATELIER_CALL_HEADERS, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < call->nheaders; i++) {
        if (ngx_http_atelier_lane_request_header(sr, &call->headers[i].key,
                                                 &call->headers[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_atelier_lane_request_body(sr, &call->body) != NGX_OK) {
        return NGX_ERROR;
    }

    sr->method_name = call->method;
    sr->method = (call->method.len == 4) ? NGX_HTTP_POST : NGX_HTTP_GET;

    /* file buffers of a static answer are read for us by the copy filter */
    sr->filter_need_in_memory = 1;

    return NGX_OK;
}


void
ngx_http_atelier_lane_disown(ngx_http_request_t *sr)
{
    sr->request_body->buf = NULL;
    sr->request_body->bufs = NULL;
    sr->headers_in.headers.part.nelts = 0;
    sr->headers_in.headers.part.next = NULL;
}


static ngx_int_t
ngx_http_atelier_lane_request_header(ngx_http_request_t *sr, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_http_atelier_zero_header(h);

    h->key = *name;
    h->value = *value;

    h->lowcase_key = ngx_pnalloc(sr->pool, name->len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, name->data, name->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_lane_request_body(ngx_http_request_t *sr, ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    sr->request_body = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    if (sr->request_body == NULL) {
        return NGX_ERROR;
    }

    if (body->len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(sr->pool);
    cl = ngx_alloc_chain_link(sr->pool);
    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->start = b->pos = body->data;
    b->end = b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    sr->request_body->buf = b;
    sr->request_body->bufs = cl;
    sr->headers_in.content_length_n = body->len;

    return NGX_OK;
}
