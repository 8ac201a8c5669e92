/*
 * Errors as RFC 9457 problem+json (see ngx_http_atelier_problem.h).
 *
 * The body is built in a malloc'ed buffer, copied to the request's pool and
 * freed here.
 */

#include "ngx_http_atelier_problem.h"
#include "at_json.h"


#define NGX_HTTP_ATELIER_PROBLEM_SHOWN  48     /* bytes of a wrong value */


typedef struct {
    ngx_uint_t    status;
    const char   *title;          /* the status's own name, RFC 9110 */
    const char   *code;           /* for pages that core made */
    const char   *detail;
} ngx_http_atelier_title_t;


static const ngx_http_atelier_title_t *ngx_http_atelier_title(
    ngx_uint_t status);
static ngx_int_t ngx_http_atelier_problem_core(ngx_http_request_t *r,
    at_buf_t *b);
static ngx_int_t ngx_http_atelier_problem_adopt(ngx_http_request_t *r,
    ngx_http_atelier_ctx_t *ctx, at_str_t text);
static ngx_int_t ngx_http_atelier_problem_text(ngx_http_request_t *r,
    ngx_http_atelier_problem_t *problem, at_buf_t *b);


static const ngx_http_atelier_title_t  ngx_http_atelier_titles[] = {
    { 400, "Bad Request", "bad_request",
      "The request is not valid HTTP for this server." },
    { 401, "Unauthorized", "unauthorized",
      "This address needs credentials: send the header \"Authorization: "
      "Bearer TOKEN\" with a token of the file that atelier_operator "
      "token_file= names." },
    { 403, "Forbidden", "forbidden",
      "This address is not open to you. If it is one for operators, the token "
      "in \"Authorization: Bearer TOKEN\" has to be one of the file that "
      "atelier_operator token_file= names." },
    { 404, "Not Found", "not_found",
      "There is nothing at this address." },
    { 405, "Method Not Allowed", "method_not_allowed",
      "This address does not take that method." },
    { 408, "Request Timeout", "request_timeout",
      "The request did not arrive in time." },
    { 413, "Content Too Large", "body_too_large",
      "The request body is larger than this address takes." },
    { 414, "URI Too Long", "uri_too_long",
      "The address of the request is too long." },
    { 415, "Unsupported Media Type", "unsupported_media_type",
      "This address does not take that content type." },
    { 422, "Unprocessable Content", "unprocessable",
      "The request was understood and refused." },
    { 426, "Upgrade Required", "upgrade_required",
      "This address serves WebSockets alone." },
    { 429, "Too Many Requests", "too_many_requests",
      "Too many requests; try again later." },
    { 500, "Internal Server Error", "internal_error",
      "The server failed; the request can be sent again." },
    { 502, "Bad Gateway", "bad_gateway",
      "A service behind this server gave no usable answer." },
    { 503, "Service Unavailable", "unavailable",
      "The server cannot answer now; try again later." },
    { 504, "Gateway Timeout", "gateway_timeout",
      "A service behind this server did not answer in time." },
    { 505, "HTTP Version Not Supported", "http_version",
      "This address does not take that version of HTTP." },
    { 0, "Error", "error", "The request failed." }
};


ngx_int_t
ngx_http_atelier_problem(ngx_http_request_t *r,
    ngx_http_atelier_problem_t *problem)
{
    at_buf_t    b;
    ngx_int_t   rc;
    ngx_str_t  *value;

    if (problem->retry_after >= 0) {
        value = ngx_palloc(r->pool, sizeof(ngx_str_t) + NGX_INT_T_LEN);
        if (value == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        value->data = (u_char *) value + sizeof(ngx_str_t);
        value->len = ngx_sprintf(value->data, "%i", problem->retry_after)
                     - value->data;

        if (ngx_http_atelier_add_header(r, "Retry-After", value) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    ngx_memzero(&b, sizeof(at_buf_t));

    if (ngx_http_atelier_problem_text(r, problem, &b) == NGX_OK) {
        rc = ngx_http_atelier_send(r, problem->status,
                                   "application/problem+json",
                                   at_buf_str(&b));

    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(&b);

    return rc;
}


ngx_int_t
ngx_http_atelier_problem_simple(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *detail)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = status;
    problem.code = code;
    problem.detail = detail;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}


ngx_int_t
ngx_http_atelier_problem_status(ngx_http_request_t *r, ngx_uint_t status)
{
    const ngx_http_atelier_title_t  *title;

    title = ngx_http_atelier_title(status);

    return ngx_http_atelier_problem_simple(r, status, title->code,
                                           title->detail);
}


ngx_int_t
ngx_http_atelier_problem_value(ngx_http_request_t *r, const char *code,
    const char *field, at_str_t sent, const char *detail)
{
    char                         c;
    size_t                       i, n, len;
    u_char                      *text, *p;
    ngx_http_atelier_problem_t   problem;

    len = ngx_strlen(detail);
    n = ngx_min(sent.len, NGX_HTTP_ATELIER_PROBLEM_SHOWN);

    text = ngx_pnalloc(r->pool, len + n + sizeof("; you sent \"...\"."));
    if (text == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (len && detail[len - 1] == '.') {
        len--;
    }

    p = ngx_cpymem(text, detail, len);
    p = ngx_cpymem(p, "; you sent \"", sizeof("; you sent \"") - 1);

    for (i = 0; i < n; i++) {
        c = sent.data[i];
        *p++ = (c >= ' ' && c <= '~' && c != '"') ? c : '?';
    }

    (void) ngx_sprintf(p, "%s\".%Z", (n < sent.len) ? "..." : "");

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = code;
    problem.field = field;
    problem.detail = (char *) text;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}


static const ngx_http_atelier_title_t *
ngx_http_atelier_title(ngx_uint_t status)
{
    const ngx_http_atelier_title_t  *t;

    for (t = ngx_http_atelier_titles; t->status; t++) {
        if (t->status == status) {
            break;
        }
    }

    return t;
}


static ngx_int_t
ngx_http_atelier_problem_text(ngx_http_request_t *r,
    ngx_http_atelier_problem_t *problem, at_buf_t *b)
{
    int         rc;
    at_str_t    detail;
    ngx_str_t  *id;

    id = ngx_http_atelier_request_id(r);

    detail.data = problem->detail;
    detail.len = ngx_strlen(problem->detail);

    rc = at_buf_printf(b, "{\"type\":\"about:blank\",\"title\":\"%s\","
                          "\"status\":%u,\"code\":\"%s\",\"detail\":",
                       ngx_http_atelier_title(problem->status)->title,
                       (unsigned) problem->status, problem->code);

    rc |= at_json_write_string(b, detail);

    if (problem->field) {
        rc |= at_buf_printf(b, ",\"field\":\"%s\"", problem->field);
    }

    rc |= at_buf_append_str(b, problem->extra);
    rc |= at_buf_append_str(b, AT_STR(",\"requestId\":"));
    rc |= at_json_write_string(b, ngx_http_atelier_str(id));
    rc |= at_buf_append_str(b, AT_STR("}\n"));

    return (rc == AT_OK) ? NGX_OK : NGX_ERROR;
}


/*
 * A response of 400 or more is about to be sent for a main request.  If it is
 * a page that core made for one of our locations, its headers are those of
 * our body from here on; the body itself follows in the body filter.
 */

ngx_int_t
ngx_http_atelier_problem_replace(ngx_http_request_t *r)
{
    at_buf_t                      b;
    ngx_int_t                     rc;
    ngx_http_atelier_ctx_t       *ctx;
    ngx_http_atelier_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    if (alcf->endpoint == NGX_HTTP_ATELIER_NONE || r->upstream) {
        return NGX_OK;
    }

    ctx = ngx_http_atelier_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->answered || ctx->problem.len) {
        return NGX_OK;
    }

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = ngx_http_atelier_problem_core(r, &b);

    if (rc == NGX_OK) {
        rc = ngx_http_atelier_problem_adopt(r, ctx, at_buf_str(&b));
    }

    at_buf_free(&b);

    return rc;
}


/* What there is to say of a status that is core's. */

static ngx_int_t
ngx_http_atelier_problem_core(ngx_http_request_t *r, at_buf_t *b)
{
    u_char                           limit[128];
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_atelier_problem_t       problem;
    const ngx_http_atelier_title_t  *title;

    title = ngx_http_atelier_title(r->headers_out.status);

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = r->headers_out.status;
    problem.code = title->code;
    problem.detail = title->detail;

    if (problem.status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        (void) ngx_sprintf(limit, "The request body is larger than this "
                           "address takes: client_max_body_size is %O "
                           "bytes.%Z", clcf->client_max_body_size);
        problem.detail = (char *) limit;
    }

    return ngx_http_atelier_problem_text(r, &problem, b);
}


/* Keeps the text as the body to come, and makes the headers those of it. */

static ngx_int_t
ngx_http_atelier_problem_adopt(ngx_http_request_t *r,
    ngx_http_atelier_ctx_t *ctx, at_str_t text)
{
    ngx_int_t  rc;

    static ngx_str_t  no_store = ngx_string("no-store");

    ctx->problem.data = ngx_pnalloc(r->pool, text.len);
    if (ctx->problem.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->problem.data, text.data, text.len);
    ctx->problem.len = text.len;

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = text.len;

    rc = ngx_http_atelier_add_header(r, "X-Request-ID",
                                     ngx_http_atelier_request_id(r));

    return rc | ngx_http_atelier_add_header(r, "Cache-Control", &no_store);
}


ngx_int_t
ngx_http_atelier_problem_body(ngx_http_request_t *r,
    ngx_http_atelier_ctx_t *ctx, ngx_chain_t *in, ngx_chain_t *out)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (ctx->problem_sent) {
        b->sync = 1;

    } else {
        b->start = b->pos = ctx->problem.data;
        b->end = b->last = ctx->problem.data + ctx->problem.len;
        b->memory = 1;
        b->last_buf = 1;
        ctx->problem_sent = 1;
    }

    b->last_in_chain = 1;

    out->buf = b;
    out->next = NULL;

    return NGX_OK;
}
