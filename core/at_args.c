/*
 * Arguments of a URL (at_args.h).
 */

#include <string.h>

#include "at_args.h"


static int at_args_set(const at_args_param_t *param, at_str_t value,
    void *out);
static int at_args_plain(at_str_t *value, char store[AT_ARGS_VALUE_MAX]);


int
at_args_parse(at_str_t raw, const at_args_param_t *params, size_t n,
    void *out, at_args_error_t *error)
{
    size_t       i;
    unsigned     seen;
    at_str_t     name, value;
    const char  *p, *end, *next, *eq;

    seen = 0;
    p = raw.data;
    end = raw.len ? raw.data + raw.len : p;

    for ( /* void */ ; p < end; p = next + 1) {
        next = memchr(p, '&', (size_t) (end - p));
        next = next ? next : end;

        eq = memchr(p, '=', (size_t) (next - p));

        if (eq == NULL || eq + 1 == next) {
            continue;
        }

        name = (at_str_t) { (size_t) (eq - p), p };
        value = (at_str_t) { (size_t) (next - eq - 1), eq + 1 };

        for (i = 0; i < n; i++) {
            if (at_str_is(name, params[i].name)) {
                break;
            }
        }

        if (i == n || (seen & (1u << i))) {
            continue;
        }

        seen |= 1u << i;

        if (at_args_set(&params[i], value, out) != AT_OK) {
            error->name = params[i].name;
            error->message = params[i].message;
            error->value = value;

            return AT_ERROR;
        }
    }

    return AT_OK;
}


static int
at_args_set(const at_args_param_t *param, at_str_t value, void *out)
{
    char  store[AT_ARGS_VALUE_MAX];

    if (param->max) {
        if (value.len > param->max
            || at_args_plain(&value, store) != AT_OK)
        {
            return AT_ERROR;
        }

        if (value.len == 0) {
            return AT_OK;
        }
    }

    return param->set(out, value);
}


/* Decoded into store, without the blanks around it. */

static int
at_args_plain(at_str_t *value, char store[AT_ARGS_VALUE_MAX])
{
    size_t  i, n;

    if (value->len > AT_ARGS_VALUE_MAX) {
        return AT_ERROR;
    }

    memcpy(store, value->data, value->len);

    for (i = 0; i < value->len; i++) {
        if (store[i] == '+') {
            store[i] = ' ';
        }
    }

    /* In place: what is decoded is never longer. */

    n = at_args_decode((at_str_t) { value->len, store }, store);
    i = 0;

    while (n > 0 && store[n - 1] == ' ') {
        n--;
    }

    while (i < n && store[i] == ' ') {
        i++;
    }

    *value = (at_str_t) { n - i, store + i };

    return AT_OK;
}


int
at_args_number(at_str_t value, unsigned max, unsigned *number)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] < '0' || value.data[i] > '9') {
            return AT_ERROR;
        }

        n = n * 10 + (uint64_t) (value.data[i] - '0');

        if (n > max) {
            return AT_ERROR;
        }
    }

    if (n == 0) {
        return AT_ERROR;
    }

    *number = (unsigned) n;

    return AT_OK;
}


size_t
at_args_decode(at_str_t s, char *out)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < s.len; i++) {

        if (s.data[i] == '%' && at_args_escape(s, i)) {
            out[n++] = (char) ((unsigned) at_args_hex(s.data[i + 1]) << 4
                               | (unsigned) at_args_hex(s.data[i + 2]));
            i += 2;
            continue;
        }

        out[n++] = s.data[i];
    }

    return n;
}


int
at_args_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


int
at_args_escape(at_str_t s, size_t i)
{
    return s.data[i] == '%' && s.len - i > 2
           && at_args_hex(s.data[i + 1]) >= 0
           && at_args_hex(s.data[i + 2]) >= 0;
}
