/*
 * The helpers every endpoint needs: the context, the request id, headers, and
 * sending a short answer (see ngx_http_atelier.h).
 */

#include "ngx_http_atelier.h"
#include "ngx_http_atelier_problem.h"

#include <sys/random.h>


#define NGX_HTTP_ATELIER_REQUEST_ID_MAX  128

/* Bytes of an id that is made, and ids that one call to the kernel makes. */
#define NGX_HTTP_ATELIER_REQUEST_ID      16
#define NGX_HTTP_ATELIER_REQUEST_IDS     64


static void ngx_http_atelier_request_id_make(ngx_http_request_t *r,
    ngx_http_variable_value_t *v);
static ngx_int_t ngx_http_atelier_request_id_valid(ngx_str_t *id);


ngx_http_atelier_ctx_t *
ngx_http_atelier_get_ctx(ngx_http_request_t *r)
{
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_ctx_t));
        if (ctx == NULL) {
            return NULL;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_atelier_module);
    }

    return ctx;
}


ngx_str_t *
ngx_http_atelier_request_id(ngx_http_request_t *r)
{
    ngx_str_t                     *id;
    ngx_http_atelier_ctx_t        *ctx;
    ngx_http_variable_value_t     *v;
    ngx_http_atelier_main_conf_t  *amcf;

    static ngx_str_t  none = ngx_string("-");

    ctx = ngx_http_atelier_get_ctx(r->main);
    if (ctx == NULL) {
        return &none;
    }

    if (ctx->request_id.len) {
        return &ctx->request_id;
    }

    id = ngx_http_atelier_find_header(&r->main->headers_in.headers,
                                      "x-request-id");

    if (id && ngx_http_atelier_request_id_valid(id)) {
        ctx->request_id = *id;
        return &ctx->request_id;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    ngx_http_atelier_request_id_make(r->main,
                                     &r->main->variables[amcf->request_id]);

    v = ngx_http_get_indexed_variable(r->main, amcf->request_id);

    if (v == NULL || v->not_found) {
        return &none;
    }

    ctx->request_id.len = v->len;
    ctx->request_id.data = v->data;

    return &ctx->request_id;
}


/*
 * Sets $request_id, unless it has been asked for, from bits that are taken
 * from the kernel in bulk: core would call OpenSSL for each, which is a tenth
 * of what a page from memory costs.  Nothing is set if this fails.
 */

static void
ngx_http_atelier_request_id_make(ngx_http_request_t *r,
    ngx_http_variable_value_t *v)
{
    u_char  *p;

    static u_char      bits[NGX_HTTP_ATELIER_REQUEST_IDS
                            * NGX_HTTP_ATELIER_REQUEST_ID];
    static ngx_uint_t  left;

    if (v->valid || v->not_found) {
        return;
    }

    if (left == 0) {
        if (getrandom(bits, sizeof(bits), GRND_NONBLOCK)
            != (ssize_t) sizeof(bits))
        {
            return;
        }

        left = NGX_HTTP_ATELIER_REQUEST_IDS;
    }

    p = ngx_pnalloc(r->pool, 2 * NGX_HTTP_ATELIER_REQUEST_ID);
    if (p == NULL) {
        return;
    }

    left--;

    v->len = ngx_hex_dump(p, bits + left * NGX_HTTP_ATELIER_REQUEST_ID,
                          NGX_HTTP_ATELIER_REQUEST_ID)
             - p;
    v->data = p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


static ngx_int_t
ngx_http_atelier_request_id_valid(ngx_str_t *id)
{
    u_char  c;
    size_t  i;

    if (id->len == 0 || id->len > NGX_HTTP_ATELIER_REQUEST_ID_MAX) {
        return 0;
    }

    for (i = 0; i < id->len; i++) {
        c = id->data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')
            && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
        {
            return 0;
        }
    }

    return 1;
}


ngx_str_t *
ngx_http_atelier_find_header(ngx_list_t *headers, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &headers->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash && h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                return &h[i].value;
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_atelier_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_http_atelier_zero_header(h);

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    if (ngx_strcmp(name, "Cache-Control") == 0) {
        return ngx_http_atelier_set_cache_control(r, h);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_send_header(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, off_t length)
{
    ngx_http_atelier_ctx_t  *ctx;

    static ngx_str_t  no_store = ngx_string("no-store");

    ctx = ngx_http_atelier_get_ctx(r);

    if (ctx == NULL
        || ngx_http_atelier_add_header(r, "X-Request-ID",
                                       ngx_http_atelier_request_id(r))
           != NGX_OK
        || ngx_http_atelier_add_header(r, "Cache-Control",
                                       ctx->cache_control.len
                                       ? &ctx->cache_control : &no_store)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* an early refusal leaves a body unread: the connection can go on */

    if (r == r->main && r->request_body == NULL) {
        r->expect_tested = 1;

        if (ngx_http_discard_request_body(r) != NGX_OK) {
            r->keepalive = 0;
        }
    }

    ctx->answered = 1;

    r->headers_out.status = status;
    r->headers_out.content_length_n = length;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_send_header(r);
}


ngx_int_t
ngx_http_atelier_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, at_str_t text)
{
    ngx_int_t                rc;
    ngx_buf_t               *b;
    ngx_chain_t              out;
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);

    if (ctx && ctx->send) {
        return ctx->send(r, status, text);
    }

    b = ngx_create_temp_buf(r->pool, text.len);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_cpymem(b->last, text.data, text.len);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_atelier_send_header(r, status, type, text.len);

    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        rc = ngx_http_output_filter(r, &out);
    }

    /*
     * Core sees to what the client has no window for yet, and callers use
     * NGX_AGAIN for an answer that is still to come.
     */

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}


ngx_int_t
ngx_http_atelier_allow(ngx_http_request_t *r, ngx_uint_t methods,
    const char *allow)
{
    char        detail[64];
    ngx_str_t  *value;

    if (r->method & methods) {
        return NGX_DECLINED;
    }

    value = ngx_palloc(r->pool, sizeof(ngx_str_t));
    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value->data = (u_char *) allow;
    value->len = ngx_strlen(allow);

    if (ngx_http_atelier_add_header(r, "Allow", value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_snprintf((u_char *) detail, sizeof(detail),
                 "This address takes %s.%Z", allow);

    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_ALLOWED,
                                           "method_not_allowed", detail);
}


void
ngx_http_atelier_here(ngx_conf_t *cf, ngx_http_atelier_place_t *place)
{
    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;
}
