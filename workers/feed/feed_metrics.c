/*
 * The metrics of atelier-feed, by the names of feed_metric_e.
 */

#include "feed.h"


#define FEED_JOBS_HELP    "Ends of jobs."
#define FEED_FILLS_HELP   "Answers of /fill."
#define FEED_HASHES_HELP  "Thumbnails of new designs."


at_metric_t  feed_metrics[FEED_METRICS] = {
    [FEED_JOBS_DONE] =
        { "atelier_feed_jobs_total", "result=\"done\"", "counter",
          FEED_JOBS_HELP, 0 },
    [FEED_JOBS_RETRIED] =
        { "atelier_feed_jobs_total", "result=\"retry\"", NULL, NULL, 0 },
    [FEED_JOBS_DEAD] =
        { "atelier_feed_jobs_total", "result=\"dead\"", NULL, NULL, 0 },
    [FEED_JOBS_LOST] =
        { "atelier_feed_jobs_total", "result=\"taken\"", NULL, NULL, 0 },
    [FEED_JOBS_RELEASED] =
        { "atelier_feed_jobs_total", "result=\"released\"", NULL, NULL, 0 },
    [FEED_JOBS_RUNNING] =
        { "atelier_feed_jobs_running", "", "gauge", "Jobs under way.", 0 },
    [FEED_FILLS_FILLED] =
        { "atelier_feed_fills_total", "result=\"filled\"", "counter",
          FEED_FILLS_HELP, 0 },
    [FEED_FILLS_ENOUGH] =
        { "atelier_feed_fills_total", "result=\"enough\"", NULL, NULL, 0 },
    [FEED_FILLS_BUSY] =
        { "atelier_feed_fills_total", "result=\"busy\"", NULL, NULL, 0 },
    [FEED_FILLS_FAILED] =
        { "atelier_feed_fills_total", "result=\"failed\"", NULL, NULL, 0 },
    [FEED_WARMED] =
        { "atelier_feed_warmed_total", "", "counter",
          "Queries put on the stream by schedule.", 0 },
    [FEED_HASHES_MADE] =
        { "atelier_feed_thumbnails_total", "result=\"hashed\"", "counter",
          FEED_HASHES_HELP, 0 },
    [FEED_HASHES_KNOWN] =
        { "atelier_feed_thumbnails_total", "result=\"known\"", NULL, NULL,
          0 },
    [FEED_HASHES_FAILED] =
        { "atelier_feed_thumbnails_total", "result=\"failed\"", NULL, NULL,
          0 },
    [FEED_HASHES_REFUSED] =
        { "atelier_feed_thumbnails_total", "result=\"refused\"", NULL, NULL,
          0 },
    [FEED_REPEATS_DROPPED] =
        { "atelier_feed_repeats_total", "result=\"dropped\"", "counter",
          "Designs that repeat another of their snapshot.", 0 },
    [FEED_REPEATS_LATE] =
        { "atelier_feed_repeats_total", "result=\"frozen\"", NULL, NULL, 0 },
    [FEED_DESIGNS_STORED] =
        { "atelier_feed_designs_total", "result=\"stored\"", "counter",
          "Designs for PostgreSQL.", 0 },
    [FEED_DESIGNS_REFUSED] =
        { "atelier_feed_designs_total", "result=\"refused\"", NULL, NULL, 0 },
    [FEED_INVALIDATIONS_DONE] =
        { "atelier_feed_invalidations_total", "", "counter",
          "Invalidations carried out in Redis.", 0 },
    [FEED_INVALIDATED] =
        { "atelier_feed_invalidated_snapshots_total", "", "counter",
          "Snapshots removed by them.", 0 },
    [FEED_REDIS_UP] =
        { "atelier_feed_redis_up", "", "gauge",
          "Whether the last look for a job was answered.", 0 },
    [FEED_POSTGRES_UP] =
        { "atelier_feed_postgres_up", "", "gauge",
          "Whether the last statement was answered.", 0 },
    [FEED_RELOADS] =
        { "atelier_feed_reloads_total", "", "counter",
          "Settings read anew and taken.", 0 }
};
