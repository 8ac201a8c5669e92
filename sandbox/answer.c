/*
 * Building answers, and the checks that all services share.
 *
 * Everything goes into the call's own answer; a later begin replaces an
 * earlier one.  Headers beyond SB_HEADERS_MAX are a programming error.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sandbox.h"


void
sb_answer_begin(sb_call_t *c, unsigned status, const char *type)
{
    sb_buf_free(&c->answer.body);
    memset(&c->answer, 0, sizeof(sb_answer_t));

    c->answer.status = status;
    sb_answer_type(c, type);
}


void
sb_answer_type(sb_call_t *c, const char *type)
{
    snprintf(c->answer.type, sizeof(c->answer.type), "%s", type);
}


void
sb_answer_header(sb_call_t *c, const char *name, const char *fmt, ...)
{
    va_list       args;
    sb_answer_t  *a;

    a = &c->answer;

    if (a->nheaders == SB_HEADERS_MAX) {
        abort();
    }

    snprintf(a->headers[a->nheaders].name, sizeof(a->headers[0].name), "%s",
             name);

    va_start(args, fmt);
    vsnprintf(a->headers[a->nheaders].value, sizeof(a->headers[0].value),
              fmt, args);
    va_end(args);

    a->nheaders++;
}


/* Takes the generator. */

void
sb_answer_json(sb_call_t *c, unsigned status, yajl_gen g)
{
    sb_answer_begin(c, status, "application/json");
    sb_gen_end(g, &c->answer.body);
}


void
sb_answer_text(sb_call_t *c, unsigned status, const char *type,
    const char *fmt, ...)
{
    char     text[2048];
    va_list  args;

    sb_answer_begin(c, status, type);

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    sb_buf_add(&c->answer.body, text, strlen(text));
}


/* The request was wrong: said in the service's own form, and counted. */

void
sb_refuse(sb_call_t *c, unsigned status, const char *code,
    const char *param, const char *fmt, ...)
{
    va_list     args;
    sb_error_t  e;

    memset(&e, 0, sizeof(sb_error_t));
    e.code = code;
    e.param = param;

    va_start(args, fmt);
    vsnprintf(e.message, sizeof(e.message), fmt, args);
    va_end(args);

    c->api->error(c, status, &e);
    c->refused = 1;
    sb_count(c, SB_COUNT_REFUSED, 1);
}


/*
 * SB_OK: a sandbox key.  Otherwise *key is what was given, or NULL: no bearer
 * key at all.
 */

int
sb_check_key(sb_call_t *c, const char **key)
{
    const char  *value;

    *key = NULL;

    value = sb_call_header(c, "Authorization");

    if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0) {
        return SB_ERROR;
    }

    value += 7 + strspn(value + 7, " ");

    if (*value == '\0') {
        return SB_ERROR;
    }

    *key = value;

    return strncmp(value, "sk-sandbox-", 11) == 0 ? SB_OK : SB_ERROR;
}


/* 1 if the request's Content-Type is type, whatever its parameters. */

int
sb_media_type_is(sb_call_t *c, const char *type)
{
    size_t       len;
    const char  *value;

    value = sb_call_header(c, "Content-Type");
    if (value == NULL) {
        return 0;
    }

    value += strspn(value, " \t");
    len = strcspn(value, "; \t");

    return len == strlen(type) && strncasecmp(value, type, len) == 0;
}
