/*
 * Reading what clients send (at_live_message.h).
 *
 * The members are rows of a table.  The first member found wrong is
 * remembered and the reading goes on, because a message that is no JSON at
 * all is the greater fault and is reported instead.  Strings that belong to
 * no known member are passed over without being kept.
 */

#include <string.h>

#include "at_json.h"
#include "at_live_error.h"
#include "at_text.h"


#define AT_LIVE_DEPTH   16
#define AT_LIVE_VALUES  1000        /* scalars, objects and arrays */
#define AT_LIVE_STRING  512         /* more than any known member may have */
#define AT_LIVE_DATA    64          /* depth of what is published */

#define AT_LIVE_BY_PRODUCT  "product:"

/* Bits of the members that say which channel. */
#define AT_LIVE_NAMES  (1u << AT_LIVE_M_CHANNEL | 1u << AT_LIVE_M_PRODUCT)


typedef enum {
    AT_LIVE_M_TYPE = 0,
    AT_LIVE_M_CHANNEL,
    AT_LIVE_M_PRODUCT,
    AT_LIVE_M_SINCE,
    AT_LIVE_M_T,
    AT_LIVE_MEMBERS
} at_live_member_e;


typedef struct {
    at_live_in_t     *in;
    at_live_error_t  *error;        /* code is NULL while all is well */
    unsigned          seen;         /* bit of each member that occurred */
    unsigned          given;        /* and was not null */
    unsigned          object:1;
    size_t            len;          /* of in->name */
} at_live_reader_t;


static int at_live_json(at_live_reader_t *r, at_str_t text);
static int at_live_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text);
static int at_live_stream(void *ctx, const char *path);
static int at_live_open(void *ctx, const char *path, at_json_type_e type);
static int at_live_find(const char *path);
static int at_live_once(at_live_reader_t *r, int m);
static void at_live_member(at_live_reader_t *r, int m, at_json_type_e type,
    at_str_t text);
static void at_live_type(at_live_reader_t *r, at_json_type_e type,
    at_str_t text);
static void at_live_name(at_live_reader_t *r, int m, at_json_type_e type,
    at_str_t text);
static void at_live_since(at_live_reader_t *r, at_json_type_e type,
    at_str_t text);
static void at_live_t(at_live_reader_t *r, at_json_type_e type,
    at_str_t text);
static int at_live_complete(at_live_reader_t *r);


/* In the order of at_live_member_e. */
static const char *const  at_live_members[AT_LIVE_MEMBERS] = {
    "type", "channel", "productId", "since", "t"
};


/* In the order of at_live_type_e. */
static const char *const  at_live_types[] = {
    "subscribe", "unsubscribe", "ping"
};


int
at_live_read(at_str_t text, at_live_in_t *in, at_live_error_t *error)
{
    at_live_reader_t  r;

    memset(in, 0, sizeof(at_live_in_t));
    memset(error, 0, sizeof(at_live_error_t));
    memset(&r, 0, sizeof(at_live_reader_t));

    r.in = in;
    r.error = error;

    if (at_live_json(&r, text) != AT_OK) {
        return AT_ERROR;
    }

    if (!r.object) {
        return at_live_fail(error, "not_an_object", "the message is JSON but "
                            "no object; send an object with a type");
    }

    if (error->code != NULL) {
        return AT_ERROR;
    }

    return at_live_complete(&r);
}


int
at_live_data_valid(at_str_t data)
{
    static const at_json_limits_t   limits = { .depth = AT_LIVE_DATA };
    static const at_json_handler_t  none = { .stream = at_live_stream };

    return at_utf8_valid(data)
           && at_json_read(data, &none, NULL, &limits, NULL) == AT_OK;
}


/* AT_ERROR only for what is wrong with the message as a whole. */
static int
at_live_json(at_live_reader_t *r, at_str_t text)
{
    int                             rc;
    const char                     *why;
    static const at_json_limits_t   limits = {
        .depth = AT_LIVE_DEPTH,
        .string = AT_LIVE_STRING,
        .cut = 1,
        .values = AT_LIVE_VALUES
    };
    static const at_json_handler_t  handler = {
        .value = at_live_value,
        .stream = at_live_stream,
        .open = at_live_open
    };

    rc = at_json_read(text, &handler, r, &limits, &why);

    if (rc == AT_NO_MEMORY) {
        return at_live_fail(r->error, "no_memory", "there is no memory to "
                            "read the message; send it again later");
    }

    if (rc != AT_OK) {
        return at_live_fail(r->error, "invalid_json", "the message cannot be "
                            "read: %s; send one JSON object", why);
    }

    return AT_OK;
}


static int
at_live_value(void *ctx, const char *path, at_json_type_e type,
    at_str_t text)
{
    int                m;
    at_live_reader_t  *r;

    r = ctx;
    m = at_live_find(path);

    if (m == AT_LIVE_MEMBERS || !at_live_once(r, m)) {
        return AT_OK;
    }

    if (type != AT_JSON_NULL) {
        r->given |= 1u << m;
        at_live_member(r, m, type, text);
    }

    return AT_OK;
}


/* Streamed to nobody: the string is of no interest. */
static int
at_live_stream(void *ctx, const char *path)
{
    return ctx == NULL || at_live_find(path) == AT_LIVE_MEMBERS;
}


static int
at_live_open(void *ctx, const char *path, at_json_type_e type)
{
    int                m;
    at_live_reader_t  *r;

    r = ctx;

    if (path[0] == '\0') {
        r->object = (type == AT_JSON_OBJECT);
        return AT_OK;
    }

    m = at_live_find(path);

    if (m < AT_LIVE_MEMBERS && at_live_once(r, m)) {
        (void) at_live_fail(r->error, "wrong_type", "%s is an %s; send a "
                            "string or a number", at_live_members[m],
                            type == AT_JSON_OBJECT ? "object" : "array");
    }

    return AT_OK;
}


static int
at_live_find(const char *path)
{
    int  m;

    for (m = 0; m < AT_LIVE_MEMBERS; m++) {
        if (strcmp(path, at_live_members[m]) == 0) {
            break;
        }
    }

    return m;
}


/* 0: the member is to be left alone, as something is wrong already. */
static int
at_live_once(at_live_reader_t *r, int m)
{
    if (r->error->code != NULL) {
        return 0;
    }

    if (r->seen & 1u << m) {
        (void) at_live_fail(r->error, "duplicate_field", "%s is there twice; "
                            "send it once", at_live_members[m]);
        return 0;
    }

    r->seen |= 1u << m;

    return 1;
}


static void
at_live_member(at_live_reader_t *r, int m, at_json_type_e type,
    at_str_t text)
{
    switch (m) {

    case AT_LIVE_M_TYPE:
        at_live_type(r, type, text);
        break;

    case AT_LIVE_M_SINCE:
        at_live_since(r, type, text);
        break;

    case AT_LIVE_M_T:
        at_live_t(r, type, text);
        break;

    default: /* AT_LIVE_M_CHANNEL, AT_LIVE_M_PRODUCT */
        at_live_name(r, m, type, text);
    }
}


static void
at_live_type(at_live_reader_t *r, at_json_type_e type, at_str_t text)
{
    char    shown[AT_LIVE_SHOWN];
    size_t  i;

    at_live_show(shown, text);

    if (type != AT_JSON_STRING) {
        (void) at_live_fail(r->error, "wrong_type", "type is %s; it must be a "
                            "string", shown);
        return;
    }

    for (i = 0; i < sizeof(at_live_types) / sizeof(char *); i++) {
        if (at_str_is(text, at_live_types[i])) {
            r->in->type = (at_live_type_e) i;
            return;
        }
    }

    (void) at_live_fail(r->error, "unknown_type", "the type \"%s\" is not "
                        "known; use subscribe, unsubscribe or ping", shown);
}


/*
 * The channel, or the product whose channel is meant.  Its id may be a
 * number, as shops that count their products have them.
 */
static void
at_live_name(at_live_reader_t *r, int m, at_json_type_e type, at_str_t text)
{
    char    shown[AT_LIVE_SHOWN];
    size_t  n;

    if (type != AT_JSON_STRING
        && !(m == AT_LIVE_M_PRODUCT && type == AT_JSON_NUMBER))
    {
        at_live_show(shown, text);
        (void) at_live_fail(r->error, "wrong_type", "%s is %s; it must be a "
                            "string", at_live_members[m], shown);
        return;
    }

    if ((r->given & AT_LIVE_NAMES) == AT_LIVE_NAMES) {
        (void) at_live_fail(r->error, "duplicate_field", "channel and "
                            "productId are both there; send one of them");
        return;
    }

    n = m == AT_LIVE_M_PRODUCT ? sizeof(AT_LIVE_BY_PRODUCT) - 1 : 0;

    if (text.len > AT_LIVE_CHANNEL_MAX - n) {
        (void) at_live_fail(r->error, "too_long", "%s is too long; it may "
                            "have %zu bytes at most", at_live_members[m],
                            AT_LIVE_CHANNEL_MAX - n);
        return;
    }

    memcpy(r->in->name, AT_LIVE_BY_PRODUCT, n);

    if (text.len > 0) {
        memcpy(r->in->name + n, text.data, text.len);
    }

    r->len = n + text.len;
    r->in->by_product = (m == AT_LIVE_M_PRODUCT);
}


static void
at_live_since(at_live_reader_t *r, at_json_type_e type, at_str_t text)
{
    char      shown[AT_LIVE_SHOWN];
    size_t    i;
    uint64_t  value;

    value = 0;

    for (i = 0; type == AT_JSON_NUMBER && i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            break;
        }

        /* above the maximum it can only grow: let it saturate */

        if (value <= AT_LIVE_ID_MAX) {
            value = value * 10 + (uint64_t) (text.data[i] - '0');
        }
    }

    at_live_show(shown, text);

    if (type != AT_JSON_NUMBER) {
        (void) at_live_fail(r->error, "wrong_type", "since is %s%s%s; it must "
                            "be a number",
                            type == AT_JSON_STRING ? "\"" : "", shown,
                            type == AT_JSON_STRING ? "\"" : "");
        return;
    }

    if (i < text.len || value > AT_LIVE_ID_MAX) {
        (void) at_live_fail(r->error, "out_of_range", "since is %s; it must "
                            "be an integer from 0 to %llu, the id of the last "
                            "message seen", shown, AT_LIVE_ID_MAX);
        return;
    }

    r->in->since = value;
    r->in->has_since = 1;
}


static void
at_live_t(at_live_reader_t *r, at_json_type_e type, at_str_t text)
{
    if (type != AT_JSON_NUMBER && type != AT_JSON_STRING) {
        (void) at_live_fail(r->error, "wrong_type", "t is %.*s; send a string "
                            "or a number", (int) text.len, text.data);
        return;
    }

    if (text.len > AT_LIVE_T_MAX) {
        (void) at_live_fail(r->error, "too_long", "t is too long; it may have "
                            "%d bytes at most", AT_LIVE_T_MAX);
        return;
    }

    r->in->t_type = type == AT_JSON_NUMBER ? AT_LIVE_T_NUMBER
                                           : AT_LIVE_T_STRING;
    r->in->t_len = text.len;

    if (text.len > 0) {
        memcpy(r->in->t, text.data, text.len);
    }
}


/* All members are read, and none is wrong by itself. */
static int
at_live_complete(at_live_reader_t *r)
{
    at_str_t  name;

    if ((r->given & 1u << AT_LIVE_M_TYPE) == 0) {
        return at_live_fail(r->error, "missing_field", "type is missing; send "
                            "subscribe, unsubscribe or ping");
    }

    if (r->in->type == AT_LIVE_PING) {
        return AT_OK;
    }

    if ((r->given & AT_LIVE_NAMES) == 0) {
        return at_live_fail(r->error, "missing_field", "channel is missing; "
                            "say what to %s",
                            at_live_types[r->in->type]);
    }

    name.data = r->in->name;
    name.len = r->len;

    return at_live_channel(name, &r->in->channel, r->error);
}
