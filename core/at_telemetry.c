/*
 * Batches of browsers' measures (at_telemetry.h).
 *
 * Members may stand in any order, so an event counts when its object ends.
 */

#include <stdlib.h>
#include <string.h>

#include "at_json.h"
#include "at_telemetry.h"


#define AT_TELEMETRY_DIGITS  32         /* of a number worth reading */


typedef struct {
    at_telemetry_t  *t;
    int              measure;   /* of the event at hand; -1: unknown */
    double           value;
    unsigned         valued:1;
    unsigned         object:1;
    unsigned         array:1;
    unsigned         many:1;
} at_telemetry_reader_t;


static int at_telemetry_open(void *ctx, const char *path,
    at_json_type_e type);
static int at_telemetry_close(void *ctx, const char *path,
    at_json_type_e type);
static int at_telemetry_value(void *ctx, const char *path,
    at_json_type_e type, at_str_t text);
static int at_telemetry_measure(at_str_t name);
static void at_telemetry_number(at_telemetry_reader_t *r, at_str_t text);
static int at_telemetry_scaled(int measure, double value, uint32_t *scaled);


static const char  *at_telemetry_names[] = {
#define X(name, text)  text,
    AT_TELEMETRY_MEASURES(X)
#undef X
};


int
at_telemetry_parse(at_str_t body, at_telemetry_t *t, const char **why)
{
    int                     rc;
    at_telemetry_reader_t   r;

    static const at_json_handler_t  handler = {
        .value = at_telemetry_value,
        .open  = at_telemetry_open,
        .close = at_telemetry_close,
    };
    static const at_json_limits_t   limits = {
        .depth = 8, .string = 256, .cut = 1, .values = 2048
    };

    memset(t, 0, sizeof(at_telemetry_t));
    memset(&r, 0, sizeof(at_telemetry_reader_t));

    r.t = t;
    *why = "";

    rc = at_json_read(body, &handler, &r, &limits, NULL);

    if (rc != AT_OK) {
        *why = r.many ? "A batch has at most 100 events."
                      : "The body is not valid JSON, or too deep.";

    } else if (!r.object || !r.array) {
        rc = AT_ERROR;
        *why = "The body must be an object with an array \"events\".";
    }

    return rc;
}


const char *
at_telemetry_name(at_telemetry_measure_e measure)
{
    return at_telemetry_names[measure];
}


static int
at_telemetry_open(void *ctx, const char *path, at_json_type_e type)
{
    at_telemetry_reader_t  *r = ctx;

    if (path[0] == '\0') {
        r->object = (type == AT_JSON_OBJECT);

    } else if (strcmp(path, "events") == 0) {
        r->array = (type == AT_JSON_ARRAY);

    } else if (strcmp(path, "events[]") == 0) {
        r->measure = -1;
        r->valued = 0;
    }

    return AT_OK;
}


static int
at_telemetry_close(void *ctx, const char *path, at_json_type_e type)
{
    uint32_t                scaled;
    at_telemetry_t         *t;
    at_telemetry_reader_t  *r = ctx;

    if (type != AT_JSON_OBJECT || strcmp(path, "events[]") != 0) {
        return AT_OK;
    }

    t = r->t;

    if (t->n + t->passed_over == AT_TELEMETRY_EVENTS) {
        r->many = 1;
        return AT_ERROR;
    }

    if (r->measure < 0 || !r->valued
        || !at_telemetry_scaled(r->measure, r->value, &scaled))
    {
        t->passed_over++;
        return AT_OK;
    }

    t->events[t->n].measure = (at_telemetry_measure_e) r->measure;
    t->events[t->n].value = scaled;
    t->n++;

    return AT_OK;
}


static int
at_telemetry_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    at_telemetry_reader_t  *r = ctx;

    if (strcmp(path, "events[].name") == 0) {
        r->measure = (type == AT_JSON_STRING) ? at_telemetry_measure(text)
                                              : -1;

    } else if (strcmp(path, "events[].value") == 0) {
        r->valued = 0;

        if (type == AT_JSON_NUMBER) {
            at_telemetry_number(r, text);
        }
    }

    return AT_OK;
}


static int
at_telemetry_measure(at_str_t name)
{
    int  i;

    for (i = 0; i < AT_TELEMETRY_NMEASURES; i++) {
        if (name.len == strlen(at_telemetry_names[i])
            && memcmp(name.data, at_telemetry_names[i], name.len) == 0)
        {
            return i;
        }
    }

    return -1;
}


static void
at_telemetry_number(at_telemetry_reader_t *r, at_str_t text)
{
    char  digits[AT_TELEMETRY_DIGITS + 1];

    if (text.len > AT_TELEMETRY_DIGITS) {
        return;
    }

    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';

    r->value = strtod(digits, NULL);
    r->valued = 1;
}


/* False: no browser measures that. */

static int
at_telemetry_scaled(int measure, double value, uint32_t *scaled)
{
    double  most;

    most = AT_TELEMETRY_MS_MAX;

    if (measure == AT_TELEMETRY_CLS) {
        value *= 1000;
        most = 100000;

    } else if (measure == AT_TELEMETRY_CACHE_HIT) {
        most = 1;
    }

    if (!(value >= 0 && value <= most)) {
        return 0;
    }

    *scaled = (uint32_t) (value + 0.5);

    return 1;
}
