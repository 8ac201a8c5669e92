/*
 * atelier_operator token_file=PATH | off;
 *
 * The file holds a token a line, so that a new one can be given out before
 * the old one goes; "#" begins a comment.  The master reads it with the
 * configuration, also at a reload.  What is kept are digests: a request's
 * token is compared as one of them, with all of them, in a time that does not
 * tell how much of it was right.
 */

#include "ngx_http_atelier_operator.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_secret.h"
#include "at_hash.h"

#include <sodium/utils.h>


#define NGX_HTTP_ATELIER_TOKEN_MIN  16
#define NGX_HTTP_ATELIER_TOKEN_MAX  1024


typedef struct {
    uint8_t      hash[AT_HASH_BYTES];
} ngx_http_atelier_token_t;

struct ngx_http_atelier_operator_s {
    ngx_array_t  tokens;                 /* none: "off" */
};


static ngx_int_t ngx_http_atelier_operator_read(ngx_conf_t *cf,
    ngx_http_atelier_operator_t *operator, ngx_str_t *file);
static ngx_int_t ngx_http_atelier_operator_line(ngx_conf_t *cf,
    ngx_http_atelier_operator_t *operator, ngx_str_t *file, ngx_str_t *line,
    ngx_uint_t n);
static ngx_int_t ngx_http_atelier_operator_bearer(ngx_http_request_t *r,
    ngx_str_t *token);
static ngx_int_t ngx_http_atelier_operator_challenge(ngx_http_request_t *r);


ngx_int_t
ngx_http_atelier_operator_check(ngx_http_request_t *r)
{
    ngx_http_atelier_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    if (r == r->main && ngx_http_atelier_operator_guards(alcf)) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "an address for operators is not guarded: add "
                  "\"atelier_operator token_file=path;\" to its location");

    return ngx_http_atelier_problem_simple(r, NGX_HTTP_FORBIDDEN, "forbidden",
                                           "This address is for operators, "
                                           "and none can be told here.");
}


ngx_uint_t
ngx_http_atelier_operator_guards(ngx_http_atelier_loc_conf_t *alcf)
{
    return alcf->operator && alcf->operator->tokens.nelts;
}


ngx_int_t
ngx_http_atelier_operator_access(ngx_http_request_t *r)
{
    int                           right;
    uint8_t                       hash[AT_HASH_BYTES];
    ngx_str_t                     token;
    ngx_uint_t                    i;
    ngx_http_atelier_token_t     *known;
    ngx_http_atelier_loc_conf_t  *alcf;

    alcf = ngx_http_get_module_loc_conf(r, ngx_http_atelier_module);

    if (!ngx_http_atelier_operator_guards(alcf)) {
        return NGX_DECLINED;
    }

    if (ngx_http_atelier_operator_bearer(r, &token) != NGX_OK) {
        return ngx_http_atelier_operator_challenge(r);
    }

    at_hash128(token.data, token.len, hash);

    known = alcf->operator->tokens.elts;
    right = 0;

    for (i = 0; i < alcf->operator->tokens.nelts; i++) {
        right |= (sodium_memcmp(hash, known[i].hash, AT_HASH_BYTES) == 0);
    }

    if (right) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "a wrong operator token was sent");

    return NGX_HTTP_FORBIDDEN;
}


/* The token of "Authorization: Bearer token". */

static ngx_int_t
ngx_http_atelier_operator_bearer(ngx_http_request_t *r, ngx_str_t *token)
{
    static const u_char  bearer[] = "Bearer ";
    const size_t         len = sizeof(bearer) - 1;

    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    *token = r->headers_in.authorization->value;

    if (token->len <= len
        || ngx_strncasecmp(token->data, (u_char *) bearer, len) != 0)
    {
        return NGX_DECLINED;
    }

    token->data += len;
    token->len -= len;

    while (token->len && token->data[0] == ' ') {
        token->data++;
        token->len--;
    }

    return (token->len && token->len <= NGX_HTTP_ATELIER_TOKEN_MAX)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_atelier_operator_challenge(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_atelier_zero_header(h);

    h->hash = 1;
    ngx_str_set(&h->key, "WWW-Authenticate");
    ngx_str_set(&h->value, "Bearer realm=\"atelier\"");

    /* core takes it back if "satisfy any" finds another way in */

    r->headers_out.www_authenticate = h;

    return NGX_HTTP_UNAUTHORIZED;
}


char *
ngx_http_atelier_operator(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_loc_conf_t *alcf = conf;

    ngx_str_t  *value, file;

    if (alcf->operator) {
        return "is duplicate";
    }

    alcf->operator = ngx_pcalloc(cf->pool,
                                 sizeof(ngx_http_atelier_operator_t));

    if (alcf->operator == NULL
        || ngx_array_init(&alcf->operator->tokens, cf->pool, 4,
                          sizeof(ngx_http_atelier_token_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "token_file=", 11) != 0
        || value[1].len == 11)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"atelier_operator\": "
                           "give token_file=path, or off", &value[1]);
        return NGX_CONF_ERROR;
    }

    file.data = value[1].data + 11;
    file.len = value[1].len - 11;

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK
        || ngx_http_atelier_operator_read(cf, alcf->operator, &file) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_atelier_operator_read(ngx_conf_t *cf,
    ngx_http_atelier_operator_t *operator, ngx_str_t *file)
{
    u_char      *p, *end, *lf;
    ngx_str_t    text, line;
    ngx_uint_t   n;

    if (ngx_http_atelier_secret_file(cf, file, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    end = text.data + text.len;

    for (n = 1, p = text.data; p < end; p = lf + 1, n++) {
        lf = ngx_strlchr(p, end, LF);
        lf = lf ? lf : end;

        line.data = p;
        line.len = lf - p;

        if (ngx_http_atelier_operator_line(cf, operator, file, &line, n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (operator->tokens.nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "token file \"%V\" holds no token: write one into "
                           "it, as from \"openssl rand -hex 32\"", file);
        return NGX_ERROR;
    }

    /* nothing but the digests is needed any more */

    ngx_explicit_memzero(text.data, text.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_operator_line(ngx_conf_t *cf,
    ngx_http_atelier_operator_t *operator, ngx_str_t *file, ngx_str_t *line,
    ngx_uint_t n)
{
    size_t                     i;
    ngx_http_atelier_token_t  *token;

    while (line->len && (line->data[line->len - 1] == CR
                         || line->data[line->len - 1] == ' '))
    {
        line->len--;
    }

    if (line->len == 0 || line->data[0] == '#') {
        return NGX_OK;
    }

    for (i = 0; i < line->len; i++) {
        if (line->data[i] <= ' ' || line->data[i] >= 0x7f) {
            break;
        }
    }

    if (i < line->len || line->len < NGX_HTTP_ATELIER_TOKEN_MIN
        || line->len > NGX_HTTP_ATELIER_TOKEN_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "line %ui of token file \"%V\" is no token of %d "
                           "to %d characters of visible ASCII: take one from "
                           "\"openssl rand -hex 32\"", n, file,
                           NGX_HTTP_ATELIER_TOKEN_MIN,
                           NGX_HTTP_ATELIER_TOKEN_MAX);
        return NGX_ERROR;
    }

    token = ngx_array_push(&operator->tokens);
    if (token == NULL) {
        return NGX_ERROR;
    }

    at_hash128(line->data, line->len, token->hash);

    return NGX_OK;
}
