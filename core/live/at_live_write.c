/*
 * Writing what goes to clients (at_live_message.h).
 *
 * A message is put together from pieces; the first that does not fit is
 * remembered, and then the buffer is put back to what it was, as half a
 * message is of no use to anybody.
 */

#include <inttypes.h>
#include <stdio.h>

#include "at_json.h"
#include "at_live_message.h"


#define AT_LIVE_DIGITS  21          /* of a 64-bit number, with its NUL */


typedef struct {
    at_buf_t  *b;
    size_t     start;
    int        rc;
} at_live_out_t;


static void at_live_begin(at_live_out_t *o, at_buf_t *b, at_str_t first);
static void at_live_put(at_live_out_t *o, at_str_t s);
static void at_live_put_string(at_live_out_t *o, at_str_t s);
static void at_live_put_number(at_live_out_t *o, uint64_t n);
static int at_live_end(at_live_out_t *o, at_str_t last);


int
at_live_write_subscribed(at_buf_t *b, at_str_t channel, uint64_t last,
    int recovered)
{
    at_live_out_t  o;

    at_live_begin(&o, b, AT_STR("{\"type\":\"subscribed\",\"channel\":"));
    at_live_put_string(&o, channel);
    at_live_put(&o, AT_STR(",\"last\":"));
    at_live_put_number(&o, last);

    return at_live_end(&o, recovered ? AT_STR(",\"recovered\":true}")
                                     : AT_STR(",\"recovered\":false}"));
}


int
at_live_write_data(at_buf_t *b, at_str_t channel, uint64_t id, at_str_t data)
{
    at_live_out_t  o;

    at_live_begin(&o, b, AT_STR("{\"channel\":"));
    at_live_put_string(&o, channel);

    if (id > 0) {
        at_live_put(&o, AT_STR(",\"id\":"));
        at_live_put_number(&o, id);
    }

    at_live_put(&o, AT_STR(",\"data\":"));
    at_live_put(&o, data);

    return at_live_end(&o, AT_STR("}"));
}


int
at_live_write_pong(at_buf_t *b, const at_live_in_t *ping)
{
    at_str_t       t;
    at_live_out_t  o;

    t.data = ping->t;
    t.len = ping->t_len;

    at_live_begin(&o, b, AT_STR("{\"type\":\"pong\""));

    if (ping->t_type != AT_LIVE_T_NONE) {
        at_live_put(&o, AT_STR(",\"t\":"));

        if (ping->t_type == AT_LIVE_T_NUMBER) {
            at_live_put(&o, t);

        } else {
            at_live_put_string(&o, t);
        }
    }

    return at_live_end(&o, AT_STR("}"));
}


int
at_live_write_error(at_buf_t *b, const at_live_error_t *error)
{
    size_t         n;
    at_str_t       detail;
    at_live_out_t  o;

    for (n = 0; n < sizeof(error->detail) && error->detail[n]; n++) {
        /* void */
    }

    detail.data = error->detail;
    detail.len = n;

    at_live_begin(&o, b, AT_STR("{\"type\":\"error\",\"code\":\""));
    o.rc = o.rc == AT_OK ? at_buf_printf(b, "%s", error->code) : o.rc;
    at_live_put(&o, AT_STR("\",\"message\":"));
    at_live_put_string(&o, detail);

    return at_live_end(&o, AT_STR("}"));
}


static void
at_live_begin(at_live_out_t *o, at_buf_t *b, at_str_t first)
{
    o->b = b;
    o->start = b->len;
    o->rc = AT_OK;

    at_live_put(o, first);
}


static void
at_live_put(at_live_out_t *o, at_str_t s)
{
    if (o->rc == AT_OK) {
        o->rc = at_buf_append_str(o->b, s);
    }
}


static void
at_live_put_string(at_live_out_t *o, at_str_t s)
{
    if (o->rc == AT_OK) {
        o->rc = at_json_write_string(o->b, s);
    }
}


static void
at_live_put_number(at_live_out_t *o, uint64_t n)
{
    int   len;
    char  digits[AT_LIVE_DIGITS];

    len = snprintf(digits, AT_LIVE_DIGITS, "%" PRIu64, n);

    at_live_put(o, (at_str_t) { (size_t) len, digits });
}


static int
at_live_end(at_live_out_t *o, at_str_t last)
{
    at_live_put(o, last);

    if (o->rc != AT_OK) {
        o->b->len = o->start;
    }

    return o->rc;
}
