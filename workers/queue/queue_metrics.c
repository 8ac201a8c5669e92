/*
 * The metrics of atelier-queue, by the names of queue_metric_e.
 */

#include "queue.h"


#define QUEUE_ATTEMPTS  "atelier_queue_attempts_total"


at_metric_t  queue_metrics[QUEUE_METRICS] = {
    [QUEUE_DONE] =
        { QUEUE_ATTEMPTS, "result=\"done\"", "counter", "Ends of attempts.",
          0 },
    [QUEUE_FAILED] =
        { QUEUE_ATTEMPTS, "result=\"failed\"", NULL, NULL, 0 },
    [QUEUE_RETRIED] =
        { QUEUE_ATTEMPTS, "result=\"retry\"", NULL, NULL, 0 },
    [QUEUE_ADOPTED] =
        { QUEUE_ATTEMPTS, "result=\"adopted\"", NULL, NULL, 0 },
    [QUEUE_WAITED] =
        { QUEUE_ATTEMPTS, "result=\"limited\"", NULL, NULL, 0 },
    [QUEUE_AWAY] =
        { QUEUE_ATTEMPTS, "result=\"away\"", NULL, NULL, 0 },
    [QUEUE_DISCARDED] =
        { QUEUE_ATTEMPTS, "result=\"discarded\"", NULL, NULL, 0 },
    [QUEUE_LEFT] =
        { QUEUE_ATTEMPTS, "result=\"left\"", NULL, NULL, 0 },
    [QUEUE_RUNNING] =
        { "atelier_queue_running", "", "gauge", "Attempts under way.", 0 },
    [QUEUE_PAUSED] =
        { "atelier_queue_paused", "", "gauge",
          "Whether it waits for the limits of providers, or for nginx.", 0 },
    [QUEUE_WAITING] =
        { "atelier_queue_waiting", "", "gauge",
          "Requests in the queue, of all processes.", 0 },
    [QUEUE_PLACES] =
        { "atelier_queue_places_total", "", "counter",
          "Places told to those who watch.", 0 },
    [QUEUE_REMOVED] =
        { "atelier_queue_removed_total", "", "counter",
          "Old generations removed.", 0 },
    [QUEUE_POSTGRES_UP] =
        { "atelier_queue_postgres_up", "", "gauge",
          "Whether the last statement was answered.", 0 },
    [QUEUE_REDIS_UP] =
        { "atelier_queue_redis_up", "", "gauge",
          "Whether the last command was answered.", 0 },
    [QUEUE_RELOADS] =
        { "atelier_queue_reloads_total", "", "counter",
          "Settings read anew and taken.", 0 }
};
