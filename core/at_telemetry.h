/*
 * The body of POST /telemetry: what a browser has measured.
 *
 *     {"events":[{"name":"api_time","value":41.5}, ...]}
 *
 * An event of another name, or whose value can be none of that measure, is
 * passed over and counted: a page that is newer or has a fault must not cost
 * the rest of its batch.  Only what is no batch at all is refused.
 */

#ifndef AT_TELEMETRY_H
#define AT_TELEMETRY_H


#include "at.h"


#define AT_TELEMETRY_EVENTS   100       /* in a batch */
#define AT_TELEMETRY_MS_MAX   600000


#define AT_TELEMETRY_MEASURES(X)                                              \
    X(API_TIME,           "api_time")           /* ms */                      \
    X(RENDER_TIME,        "render_time")        /* ms, of a slow commit */    \
    X(WEBSOCKET_LATENCY,  "websocket_latency")  /* ms, there and back */      \
    X(LCP,                "lcp")                /* ms */                      \
    X(CLS,                "cls")                /* thousandths */             \
    X(CACHE_HIT,          "cache_hit")          /* 0 or 1 */

typedef enum {
#define X(name, text)  AT_TELEMETRY_##name,
    AT_TELEMETRY_MEASURES(X)
#undef X
    AT_TELEMETRY_NMEASURES
} at_telemetry_measure_e;


typedef struct {
    at_telemetry_measure_e  measure;
    uint32_t                value;
} at_telemetry_event_t;


typedef struct {
    unsigned                n;
    unsigned                passed_over;
    at_telemetry_event_t    events[AT_TELEMETRY_EVENTS];
} at_telemetry_t;


/*
 * AT_ERROR: no batch; why is a static sentence.  AT_NO_MEMORY is the
 * server's own fault.
 */
int at_telemetry_parse(at_str_t body, at_telemetry_t *t, const char **why);

/* The name of a measure. */
const char *at_telemetry_name(at_telemetry_measure_e measure);


#endif /* AT_TELEMETRY_H */
