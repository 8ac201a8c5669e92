/*
 * Commands of operators (see ngx_http_atelier_command.h).
 */

#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_operator.h"


typedef struct {
    ngx_http_atelier_command_pt   run;
    at_field_t                   *fields;
    ngx_uint_t                    n;
} ngx_http_atelier_command_t;


static void ngx_http_atelier_command_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_command_run(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_command_read(ngx_http_request_t *r,
    ngx_http_atelier_command_t *command, at_str_t text);
static ngx_int_t ngx_http_atelier_command_fault(ngx_http_request_t *r, int rc,
    const at_field_error_t *error);


ngx_int_t
ngx_http_atelier_command(ngx_http_request_t *r, const at_field_t *table,
    ngx_uint_t n, ngx_http_atelier_command_pt run)
{
    ngx_http_atelier_ctx_t      *ctx;
    ngx_http_atelier_command_t  *command;

    ctx = ngx_http_atelier_get_ctx(r);
    command = ngx_palloc(r->pool, sizeof(ngx_http_atelier_command_t));

    if (ctx == NULL || command == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    command->run = run;
    command->n = n;
    command->fields = ngx_palloc(r->pool, n * sizeof(at_field_t));

    if (command->fields == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(command->fields, table, n * sizeof(at_field_t));

    ctx->command = command;

    return ngx_http_atelier_command_post(r, ngx_http_atelier_command_body);
}


ngx_int_t
ngx_http_atelier_command_post(ngx_http_request_t *r,
    ngx_http_client_body_handler_pt body)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_operator_check(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_POST, "POST");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_atelier_command_body(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_command_run(r);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_atelier_command_run(ngx_http_request_t *r)
{
    at_str_t                     text;
    ngx_int_t                    rc;
    ngx_http_atelier_ctx_t      *ctx;
    ngx_http_atelier_problem_t   problem;
    ngx_http_atelier_command_t  *command;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    command = ctx->command;

    switch (ngx_http_atelier_body_text(r, NGX_HTTP_ATELIER_COMMAND_BODY,
                                       &text))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        return ngx_http_atelier_problem_simple(r,
                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "body_too_large",
                        "The request body is larger than this address "
                        "takes: send at most 16 kB.");

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (text.len && ngx_http_atelier_body_json(r, &problem) != NGX_OK) {
        return ngx_http_atelier_problem(r, &problem);
    }

    rc = ngx_http_atelier_command_read(r, command, text);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* a client that leaves is noticed while it waits */

    r->read_event_handler = ngx_http_test_reading;

    return command->run(r, command->fields);
}


/* NGX_DECLINED: the fields are right. */

static ngx_int_t
ngx_http_atelier_command_read(ngx_http_request_t *r,
    ngx_http_atelier_command_t *command, at_str_t text)
{
    int                rc;
    char              *room;
    at_field_error_t   error;

    room = ngx_pnalloc(r->pool, r->args.len + text.len + 1);
    if (room == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&error, sizeof(at_field_error_t));

    rc = at_fields_args(ngx_http_atelier_str(&r->args), command->fields,
                        command->n, room, &error);

    if (rc == AT_OK && text.len) {
        rc = at_fields_json(text, command->fields, command->n,
                            room + r->args.len, &error);
    }

    if (rc == AT_OK) {
        rc = at_fields_done(command->fields, command->n, &error);
    }

    return (rc == AT_OK) ? NGX_DECLINED
                         : ngx_http_atelier_command_fault(r, rc, &error);
}


static ngx_int_t
ngx_http_atelier_command_fault(ngx_http_request_t *r, int rc,
    const at_field_error_t *error)
{
    if (rc == AT_NO_MEMORY) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_command_bad(r, error->code, error->field,
                                        error->detail);
}


ngx_int_t
ngx_http_atelier_command_bad(ngx_http_request_t *r, const char *code,
    const char *field, const char *detail)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = code;
    problem.field = field;
    problem.detail = detail;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}
