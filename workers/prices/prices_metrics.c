/*
 * The metrics of atelier-prices, by the names of prices_metric_e.
 */

#include "prices.h"


#define prices_look(result)                                                   \
    { "atelier_prices_looks_total", "result=\"" result "\"", NULL, NULL, 0 }


at_metric_t  prices_metrics[PRICES_METRICS] = {
    [PRICES_SAME] =
        { "atelier_prices_looks_total", "result=\"same\"", "counter",
          "Products looked at.", 0 },
    [PRICES_UNCHANGED] = prices_look("unchanged"),
    [PRICES_SWEPT] = prices_look("swept"),
    [PRICES_CHANGED] = prices_look("changed"),
    [PRICES_DOUBTED] = prices_look("doubted"),
    [PRICES_GONE] = prices_look("gone"),
    [PRICES_NONE] = prices_look("none"),
    [PRICES_WALLED] = prices_look("wall"),
    [PRICES_DISALLOWED] = prices_look("disallowed"),
    [PRICES_FAILED] = prices_look("failed"),
    [PRICES_FENCED] = prices_look("fenced"),
    [PRICES_LEFT] = prices_look("left"),
    [PRICES_LOST] = prices_look("lost"),
    [PRICES_SWEEPS] =
        { "atelier_prices_sweeps_total", "", "counter",
          "Lists asked for, to look at many products at once.", 0 },
    [PRICES_HELD] =
        { "atelier_prices_held", "", "gauge",
          "Products that this process has leased.", 0 },
    [PRICES_DUE] =
        { "atelier_prices_due", "", "gauge",
          "Products that are due, counted up to 100000.", 0 },
    [PRICES_LATE] =
        { "atelier_prices_late_seconds", "", "gauge",
          "How long the first of them has been due.", 0 },
    [PRICES_WATCHED] =
        { "atelier_prices_watched", "", "gauge",
          "Products that browsers watch.", 0 },
    [PRICES_HURRIED] =
        { "atelier_prices_hurried_total", "", "counter",
          "Looks made sooner because somebody watches.", 0 },
    [PRICES_POSTGRES_UP] =
        { "atelier_prices_postgres_up", "", "gauge",
          "Whether the last statement was answered.", 0 },
    [PRICES_REDIS_UP] =
        { "atelier_prices_redis_up", "", "gauge",
          "Whether Redis answered last.", 0 },
    [PRICES_RELOADS] =
        { "atelier_prices_reloads_total", "", "counter",
          "Settings and recipes read anew and taken.", 0 }
};
