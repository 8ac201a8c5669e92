/*
 * Fields of small requests (see at_fields.h).
 *
 * As for /generate, the first field found wrong is remembered while the
 * reading goes on, since a body that is no JSON is the greater fault.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "at_args.h"
#include "at_fields.h"
#include "at_json.h"
#include "at_text.h"


/* More than a request of operators ever needs. */
#define AT_FIELDS_DEPTH  8


typedef struct {
    at_field_t        *fields;
    size_t             n;
    char              *room;
    at_field_error_t  *error;   /* code is NULL while all is well */
    unsigned           object:1;
} at_fields_t;


static void at_fields_arg(at_fields_t *f, at_str_t name, at_str_t value);
static int at_fields_decode(at_str_t raw, char *out, size_t *len);
static int at_fields_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text);
static int at_fields_open(void *ctx, const char *path, at_json_type_e type);
static at_field_t *at_fields_find(at_fields_t *f, at_str_t name);
static void at_fields_set(at_fields_t *f, at_field_t *field, at_str_t value);
static void at_fields_wrong_type(at_fields_t *f, at_field_t *field);
static int at_fields_fail(at_field_error_t *error, const char *code,
    const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));


int
at_fields_args(at_str_t raw, at_field_t *fields, size_t n, char *room,
    at_field_error_t *error)
{
    at_str_t      name, value;
    const char   *p, *end, *next, *eq;
    at_fields_t   f = { fields, n, room, error, 0 };

    memset(error, 0, sizeof(at_field_error_t));

    p = raw.data;
    end = raw.len ? raw.data + raw.len : p;

    for ( /* void */ ; p < end && error->code == NULL; p = next + 1) {
        next = memchr(p, '&', (size_t) (end - p));
        next = next ? next : end;

        eq = memchr(p, '=', (size_t) (next - p));
        eq = eq ? eq : next;

        name = (at_str_t) { (size_t) (eq - p), p };
        value = (eq == next) ? AT_STR_NULL
                             : (at_str_t) { (size_t) (next - eq - 1), eq + 1 };

        at_fields_arg(&f, name, value);
    }

    return error->code ? AT_ERROR : AT_OK;
}


static void
at_fields_arg(at_fields_t *f, at_str_t name, at_str_t value)
{
    char        *out;
    size_t       len;
    at_field_t  *field;

    field = at_fields_find(f, name);

    if (field == NULL) {
        return;
    }

    out = f->room;

    if (at_fields_decode(value, out, &len) != AT_OK) {
        (void) at_fields_fail(f->error, "invalid_text", field->name,
                              "%s has a %% without two hexadecimal digits: "
                              "encode it as %%25", field->name);
        return;
    }

    f->room += len;

    at_fields_set(f, field, (at_str_t) { len, out });
}


static int
at_fields_decode(at_str_t raw, char *out, size_t *len)
{
    size_t  i;

    for (i = 0; i < raw.len; i++) {

        if (raw.data[i] == '%' && !at_args_escape(raw, i)) {
            return AT_ERROR;
        }

        out[i] = (raw.data[i] == '+') ? ' ' : raw.data[i];
    }

    *len = at_args_decode((at_str_t) { raw.len, out }, out);

    return AT_OK;
}


int
at_fields_json(at_str_t body, at_field_t *fields, size_t n, char *room,
    at_field_error_t *error)
{
    int                rc;
    const char        *why;
    at_fields_t        f = { fields, n, room, error, 0 };
    at_json_limits_t   limits;
    at_json_handler_t  handler;

    memset(error, 0, sizeof(at_field_error_t));
    memset(&limits, 0, sizeof(at_json_limits_t));
    limits.depth = AT_FIELDS_DEPTH;

    memset(&handler, 0, sizeof(at_json_handler_t));
    handler.value = at_fields_value;
    handler.open = at_fields_open;

    rc = at_json_read(body, &handler, &f, &limits, &why);

    if (rc == AT_NO_MEMORY) {
        return rc;
    }

    if (rc != AT_OK) {
        return at_fields_fail(error, "invalid_json", NULL,
                              "the body cannot be read: %s; send one JSON "
                              "object", why);
    }

    if (!f.object) {
        return at_fields_fail(error, "not_an_object", NULL,
                              "the body is JSON but no object; send an "
                              "object");
    }

    return error->code ? AT_ERROR : AT_OK;
}


static int
at_fields_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    char         *out;
    at_field_t   *field;
    at_fields_t  *f = ctx;

    field = at_fields_find(f, (at_str_t) { strlen(path), path });

    if (field == NULL || type == AT_JSON_NULL) {
        return AT_OK;
    }

    if (type != AT_JSON_STRING) {
        at_fields_wrong_type(f, field);
        return AT_OK;
    }

    out = f->room;

    if (text.len) {
        memcpy(out, text.data, text.len);
        f->room += text.len;
    }

    at_fields_set(f, field, (at_str_t) { text.len, out });

    return AT_OK;
}


static int
at_fields_open(void *ctx, const char *path, at_json_type_e type)
{
    at_field_t   *field;
    at_fields_t  *f = ctx;

    if (path[0] == '\0') {
        f->object = (type == AT_JSON_OBJECT);
        return AT_OK;
    }

    field = at_fields_find(f, (at_str_t) { strlen(path), path });

    if (field) {
        at_fields_wrong_type(f, field);
    }

    return AT_OK;
}


/* NULL: none to look at. */

static at_field_t *
at_fields_find(at_fields_t *f, at_str_t name)
{
    size_t  i;

    if (f->error->code) {
        return NULL;
    }

    for (i = 0; i < f->n; i++) {
        if (at_str_is(name, f->fields[i].name)) {
            return &f->fields[i];
        }
    }

    return NULL;
}


static void
at_fields_set(at_fields_t *f, at_field_t *field, at_str_t value)
{
    size_t  i;

    if (field->given) {
        (void) at_fields_fail(f->error, "duplicate_field", field->name,
                              "%s is given more than once; send it once",
                              field->name);
        return;
    }

    field->given = 1;

    if (!at_utf8_valid(value)) {
        (void) at_fields_fail(f->error, "invalid_text", field->name,
                              "%s is not valid UTF-8; send it in UTF-8",
                              field->name);
        return;
    }

    for (i = 0; i < value.len; i++) {
        if ((unsigned char) value.data[i] < ' ' || value.data[i] == 0x7f) {
            (void) at_fields_fail(f->error, "invalid_text", field->name,
                                  "%s holds a control character at byte %zu; "
                                  "leave it out", field->name, i);
            return;
        }
    }

    while (value.len && value.data[value.len - 1] == ' ') {
        value.len--;
    }

    while (value.len && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }

    if (value.len > field->max) {
        (void) at_fields_fail(f->error, "too_long", field->name,
                              "%s has %zu bytes; it may have %zu at most",
                              field->name, value.len, field->max);
        return;
    }

    field->value = value;
}


static void
at_fields_wrong_type(at_fields_t *f, at_field_t *field)
{
    (void) at_fields_fail(f->error, "wrong_type", field->name,
                          "%s is no string; send it as a string",
                          field->name);
}


int
at_fields_done(const at_field_t *fields, size_t n, at_field_error_t *error)
{
    size_t  i;

    memset(error, 0, sizeof(at_field_error_t));

    for (i = 0; i < n; i++) {
        if (fields[i].required && fields[i].value.len == 0) {
            return at_fields_fail(error, "missing_field", fields[i].name,
                                  "%s is missing or empty; send a text of 1 "
                                  "to %zu bytes", fields[i].name,
                                  fields[i].max);
        }
    }

    return AT_OK;
}


static int
at_fields_fail(at_field_error_t *error, const char *code, const char *field,
    const char *fmt, ...)
{
    va_list  args;

    error->code = code;
    error->field = field;

    va_start(args, fmt);
    (void) vsnprintf(error->detail, sizeof(error->detail), fmt, args);
    va_end(args);

    return AT_ERROR;
}
