/*
 * The messages of the live socket: JSON objects, one to a WebSocket message.
 *
 * What a client may send:
 *
 *     {"type":"subscribe","channel":C,"since":N}      since may be left out
 *     {"type":"subscribe","productId":P}              the older form
 *     {"type":"unsubscribe","channel":C}              or productId
 *     {"type":"ping","t":T}                           t may be left out
 *
 * Members it does not know are passed over, so that they can be added later;
 * null is as if the member were not there.  What is wrong costs the client an
 * error message and nothing else.
 *
 * A message that was read owns no memory: it has room for all it may hold.
 * The writing functions append to a buffer of the caller and return what
 * at_buf_append() does; if they fail they append nothing.
 */

#ifndef AT_LIVE_MESSAGE_H
#define AT_LIVE_MESSAGE_H


#include "at.h"


#define AT_LIVE_CHANNEL_MAX  128                /* bytes of a name */
#define AT_LIVE_T_MAX        64                 /* bytes of a ping's t */
#define AT_LIVE_ID_MAX       ((1ull << 53) - 1) /* exact in JavaScript */


typedef enum {
    AT_LIVE_PRODUCTS = 0,       /* the only one without an id */
    AT_LIVE_PRODUCT,
    AT_LIVE_DESIGN,
    AT_LIVE_GENERATE
} at_live_kind_e;


/* name is all of it, "product:ikea:1"; id is "ikea:1". */
typedef struct {
    at_live_kind_e  kind;
    at_str_t        name;
    at_str_t        id;
} at_live_channel_t;


typedef enum {
    AT_LIVE_SUBSCRIBE = 0,
    AT_LIVE_UNSUBSCRIBE,
    AT_LIVE_PING
} at_live_type_e;


typedef enum {
    AT_LIVE_T_NONE = 0,
    AT_LIVE_T_NUMBER,
    AT_LIVE_T_STRING
} at_live_t_e;


/* channel points into name: copy the struct and it must be found anew. */
typedef struct {
    at_live_type_e     type;

    /* Subscribe and unsubscribe: */
    at_live_channel_t  channel;
    uint64_t           since;
    unsigned           has_since:1;
    unsigned           by_product:1;    /* it said productId */

    /* Ping: */
    at_live_t_e        t_type;
    size_t             t_len;

    char               name[AT_LIVE_CHANNEL_MAX];
    char               t[AT_LIVE_T_MAX];
} at_live_in_t;


/*
 * code is static: invalid_json, not_an_object, missing_field, wrong_type,
 * duplicate_field, too_long, out_of_range, unknown_type, unknown_channel,
 * invalid_channel or no_memory.  detail is a sentence in printable ASCII.
 */
typedef struct {
    const char  *code;
    char         detail[256];
} at_live_error_t;


/*
 * AT_ERROR: error says why.  The text is that of a WebSocket message, so its
 * length is bounded and it is UTF-8.
 */
int at_live_read(at_str_t text, at_live_in_t *in, at_live_error_t *error);

/*
 * Splits a name at its first colon; error may be NULL.  An id has letters,
 * digits and ". _ ~ : -" alone, so a name is the same in Redis, URLs and logs.
 */
int at_live_channel(at_str_t name, at_live_channel_t *c,
    at_live_error_t *error);

/*
 * 1: data is one JSON value in UTF-8.  To be asked of what strangers publish
 * before at_live_write_data() puts it between members of its own.
 */
int at_live_data_valid(at_str_t data);


/* {"type":"subscribed","channel":C,"last":N,"recovered":B} */
int at_live_write_subscribed(at_buf_t *b, at_str_t channel, uint64_t last,
    int recovered);

/* {"channel":C,"id":N,"data":D}; without an id if that is 0. */
int at_live_write_data(at_buf_t *b, at_str_t channel, uint64_t id,
    at_str_t data);

/* {"type":"pong","t":T} for a ping that was read. */
int at_live_write_pong(at_buf_t *b, const at_live_in_t *ping);

/* {"type":"error","code":C,"message":M} */
int at_live_write_error(at_buf_t *b, const at_live_error_t *error);


#endif /* AT_LIVE_MESSAGE_H */
