/*
 * atelier_secret $variable file;
 *
 * A key lives in a file that the operator owns, not in the configuration.  It
 * is read by the master when the configuration is loaded, so workers need no
 * right to it, and stands in a variable for proxy_set_header.  It lives in
 * the configuration's pool and is never logged: messages name the file only.
 */

#include "ngx_http_atelier_secret.h"


#define NGX_HTTP_ATELIER_SECRET_MAX  4096


static ngx_int_t ngx_http_atelier_secret_fd(ngx_conf_t *cf, ngx_str_t *file,
    ngx_fd_t fd, ngx_str_t *text);
static ngx_int_t ngx_http_atelier_secret_trim(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *secret);
static ngx_int_t ngx_http_atelier_secret_get(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


char *
ngx_http_atelier_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t            *value, *secret, name;
    ngx_http_variable_t  *var;

    value = cf->args->elts;

    if (value[1].len < 2 || value[1].data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable name \"%V\" in "
                           "\"atelier_secret\": it starts with \"$\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    name.data = value[1].data + 1;
    name.len = value[1].len - 1;

    secret = ngx_pcalloc(cf->pool, sizeof(ngx_str_t));
    if (secret == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &value[2], 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_atelier_secret_read(cf, &value[2], secret) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    var = ngx_http_add_variable(cf, &name, 0);
    if (var == NULL) {
        return NGX_CONF_ERROR;
    }

    if (var->get_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "variable \"$%V\" of \"atelier_secret\" is already "
                           "defined: give it another name", &name);
        return NGX_CONF_ERROR;
    }

    var->get_handler = ngx_http_atelier_secret_get;
    var->data = (uintptr_t) secret;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_atelier_secret_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *secret)
{
    if (ngx_http_atelier_secret_file(cf, file, secret) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_atelier_secret_trim(cf, file, secret);
}


ngx_int_t
ngx_http_atelier_secret_file(ngx_conf_t *cf, ngx_str_t *file, ngx_str_t *text)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    /* what is no regular file is refused below and must not block here */

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "secret file \"%V\" cannot be opened: create it "
                           "with the key as its only line, mode 0600", file);
        return NGX_ERROR;
    }

    rc = ngx_http_atelier_secret_fd(cf, file, fd, text);

    (void) ngx_close_file(fd);

    return rc;
}


static ngx_int_t
ngx_http_atelier_secret_fd(ngx_conf_t *cf, ngx_str_t *file, ngx_fd_t fd,
    ngx_str_t *text)
{
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" is not a regular file", file);
        return NGX_ERROR;
    }

    if (fi.st_mode & S_IRWXO) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "secret file \"%V\" is open to every user: "
                           "chmod 0600 it", file);
    }

    if (ngx_file_size(&fi) > NGX_HTTP_ATELIER_SECRET_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" has %O bytes: a key has at "
                           "most %d", file, ngx_file_size(&fi),
                           NGX_HTTP_ATELIER_SECRET_MAX);
        return NGX_ERROR;
    }

    text->len = ngx_file_size(&fi);
    text->data = ngx_pnalloc(cf->pool, text->len + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, text->len);

    if (n < 0 || (size_t) n != text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "secret file \"%V\" could not be read", file);
        return NGX_ERROR;
    }

    text->data[text->len] = '\0';

    return NGX_OK;
}


/* It will stand in a header: one line of visible characters. */

static ngx_int_t
ngx_http_atelier_secret_trim(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *secret)
{
    size_t  i;

    while (secret->len
           && (secret->data[secret->len - 1] == LF
               || secret->data[secret->len - 1] == CR
               || secret->data[secret->len - 1] == ' '))
    {
        secret->len--;
    }

    if (secret->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "secret file \"%V\" is empty: write the key into "
                           "it", file);
        return NGX_ERROR;
    }

    for (i = 0; i < secret->len; i++) {
        if (secret->data[i] <= ' ' || secret->data[i] >= 0x7f) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "secret file \"%V\" is not one line of visible "
                               "ASCII: byte %uz is not", file, i + 1);
            return NGX_ERROR;
        }
    }

    secret->data[secret->len] = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_secret_get(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *secret = (ngx_str_t *) data;

    v->len = secret->len;
    v->data = secret->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
