/*
 * The metrics of atelier-relay, by the names of relay_metric_e.
 */

#include "relay.h"


#define RELAY_MESSAGES_HELP  "Messages given to Redis."


at_metric_t  relay_metrics[RELAY_METRICS] = {
    [RELAY_ACTIVE] =
        { "atelier_relay_active", "", "gauge",
          "Whether this process relays; 0: it stands by.", 0 },
    [RELAY_PENDING] =
        { "atelier_relay_pending", "", "gauge",
          "Messages that wait in the outbox, counted up to 100000.", 0 },
    [RELAY_OLDEST] =
        { "atelier_relay_oldest_seconds", "", "gauge",
          "Age of the first of them.", 0 },
    [RELAY_PUBLISHED] =
        { "atelier_relay_messages_total", "result=\"published\"", "counter",
          RELAY_MESSAGES_HELP, 0 },
    [RELAY_REPEATED] =
        { "atelier_relay_messages_total", "result=\"repeated\"", NULL, NULL,
          0 },
    [RELAY_REFUSALS] =
        { "atelier_relay_messages_total", "result=\"refused\"", NULL, NULL,
          0 },
    [RELAY_REFUSED_CHANNELS] =
        { "atelier_relay_refused_channels", "", "gauge",
          "Channels whose messages Redis does not take.", 0 },
    [RELAY_BATCHES] =
        { "atelier_relay_batches_total", "", "counter",
          "Round trips with messages.", 0 },
    [RELAY_PURGED] =
        { "atelier_relay_purged_total", "", "counter",
          "Messages that were too old to be kept.", 0 },
    [RELAY_REDIS_UP] =
        { "atelier_relay_redis_up", "", "gauge",
          "Whether Redis answered last.", 0 },
    [RELAY_POSTGRES_UP] =
        { "atelier_relay_postgres_up", "", "gauge",
          "Whether the last statement was answered.", 0 },
    [RELAY_RELOADS] =
        { "atelier_relay_reloads_total", "", "counter",
          "Settings read anew and taken.", 0 }
};
