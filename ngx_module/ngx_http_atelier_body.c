/*
 * Bodies of requests as endpoints want them: plain JSON, bounded, in one
 * piece (see ngx_http_atelier_problem.h).  What is read lives in the request's
 * pool.
 */

#include "ngx_http_atelier_problem.h"


ngx_int_t
ngx_http_atelier_body_json(ngx_http_request_t *r,
    ngx_http_atelier_problem_t *problem)
{
    u_char     *p, *last;
    size_t      len;
    ngx_str_t  *encoding;

    static const u_char  json[] = "application/json";

    ngx_memzero(problem, sizeof(ngx_http_atelier_problem_t));

    problem->status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    problem->retry_after = -1;

    len = sizeof(json) - 1;

    if (r->headers_in.content_type
        && r->headers_in.content_type->value.len >= len
        && ngx_strncasecmp(r->headers_in.content_type->value.data,
                           (u_char *) json, len) == 0)
    {
        p = r->headers_in.content_type->value.data + len;
        last = r->headers_in.content_type->value.data
               + r->headers_in.content_type->value.len;

        while (p < last && (*p == ' ' || *p == '\t')) {
            p++;
        }

        if (p == last || *p == ';') {

            encoding = ngx_http_atelier_find_header(&r->headers_in.headers,
                                                    "content-encoding");
            if (encoding == NULL
                || (encoding->len == 8
                    && ngx_strncasecmp(encoding->data, (u_char *) "identity",
                                       8) == 0))
            {
                return NGX_OK;
            }

            problem->code = "unsupported_content_encoding";
            problem->detail = "The body must be sent as it is, without a "
                              "Content-Encoding.";
            return NGX_DECLINED;
        }
    }

    problem->code = "unsupported_media_type";
    problem->detail = "The body must be JSON, sent with Content-Type: "
                      "application/json.";

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_atelier_body_text(ngx_http_request_t *r, size_t max, at_str_t *text)
{
    off_t         len;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return NGX_ERROR;
    }

    len = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);

        if (len > (off_t) max) {
            return NGX_DECLINED;
        }
    }

    p = ngx_pnalloc(r->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = (const char *) p;
    text->len = len;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        len = ngx_buf_size(b);

        if (len == 0) {
            continue;
        }

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, len);
            continue;
        }

        /*
         * A body in tiny chunks: core counts their framing and may have put
         * even a small body into a file, which is in the page cache.
         */

        n = ngx_read_file(b->file, p, len, b->file_pos);

        if (n != len) {
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}
