/*
 * The metrics of atelier-shop, by the names of shop_metric_e.
 */

#include "shop.h"


#define SHOP_JOBS_HELP      "Ends of jobs."
#define SHOP_SEARCHES_HELP  "Answers of shops to searches."
#define SHOP_PRODUCTS_HELP  "Products that pages told of."
#define SHOP_PROOFS_HELP    "Products whose page and picture were asked for."


at_metric_t  shop_metrics[SHOP_METRICS] = {
    [SHOP_JOBS_DONE] =
        { "atelier_shop_jobs_total", "result=\"done\"", "counter",
          SHOP_JOBS_HELP, 0 },
    [SHOP_JOBS_RETRIED] =
        { "atelier_shop_jobs_total", "result=\"retry\"", NULL, NULL, 0 },
    [SHOP_JOBS_DEAD] =
        { "atelier_shop_jobs_total", "result=\"dead\"", NULL, NULL, 0 },
    [SHOP_JOBS_LOST] =
        { "atelier_shop_jobs_total", "result=\"taken\"", NULL, NULL, 0 },
    [SHOP_JOBS_RELEASED] =
        { "atelier_shop_jobs_total", "result=\"released\"", NULL, NULL, 0 },
    [SHOP_JOBS_RUNNING] =
        { "atelier_shop_jobs_running", "", "gauge", "Jobs under way.", 0 },
    [SHOP_SEARCHES_PAGE] =
        { "atelier_shop_searches_total", "result=\"page\"", "counter",
          SHOP_SEARCHES_HELP, 0 },
    [SHOP_SEARCHES_FAILED] =
        { "atelier_shop_searches_total", "result=\"failed\"", NULL, NULL, 0 },
    [SHOP_SEARCHES_LATE] =
        { "atelier_shop_searches_total", "result=\"late\"", NULL, NULL, 0 },
    [SHOP_SEARCHES_SHARE] =
        { "atelier_shop_searches_total", "result=\"share\"", NULL, NULL, 0 },
    [SHOP_SCHEDULED] =
        { "atelier_shop_scheduled_total", "", "counter",
          "Searches put on the stream by schedule.", 0 },
    [SHOP_PRODUCTS_NEW] =
        { "atelier_shop_products_total", "result=\"new\"", "counter",
          SHOP_PRODUCTS_HELP, 0 },
    [SHOP_PRODUCTS_CHANGED] =
        { "atelier_shop_products_total", "result=\"changed\"", NULL, NULL,
          0 },
    [SHOP_PRODUCTS_SAME] =
        { "atelier_shop_products_total", "result=\"same\"", NULL, NULL, 0 },
    [SHOP_PRODUCTS_DOUBTED] =
        { "atelier_shop_products_total", "result=\"doubted\"", NULL, NULL,
          0 },
    [SHOP_PRODUCTS_OTHER] =
        { "atelier_shop_products_total", "result=\"other\"", NULL, NULL, 0 },
    [SHOP_PRODUCTS_REFUSED] =
        { "atelier_shop_products_total", "result=\"refused\"", NULL, NULL,
          0 },
    [SHOP_PROOFS_GOOD] =
        { "atelier_shop_proofs_total", "result=\"verified\"", "counter",
          SHOP_PROOFS_HELP, 0 },
    [SHOP_PROOFS_PAGE] =
        { "atelier_shop_proofs_total", "result=\"page\"", NULL, NULL, 0 },
    [SHOP_PROOFS_PICTURE] =
        { "atelier_shop_proofs_total", "result=\"picture\"", NULL, NULL, 0 },
    [SHOP_PROOFS_SHARE] =
        { "atelier_shop_proofs_total", "result=\"share\"", NULL, NULL, 0 },
    [SHOP_ANNOUNCED] =
        { "atelier_shop_announced_total", "", "counter",
          "Products verified for the first time.", 0 },
    [SHOP_REDIS_UP] =
        { "atelier_shop_redis_up", "", "gauge",
          "Whether the last look for a job was answered.", 0 },
    [SHOP_POSTGRES_UP] =
        { "atelier_shop_postgres_up", "", "gauge",
          "Whether the last statement was answered.", 0 },
    [SHOP_RELOADS] =
        { "atelier_shop_reloads_total", "", "counter",
          "Settings and recipes read anew and taken.", 0 }
};
