/*
 * Seats of workers (see ngx_http_atelier_redis_stats.h), and what /metrics
 * and /health/ready say of Redis.
 */

#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_redis.h"
#include "ngx_http_atelier_zone.h"


/* Sums over the seats of workers that live. */
typedef struct {
    ngx_uint_t  workers;
    ngx_uint_t  up[NGX_HTTP_ATELIER_REDIS_NLINKS];
    ngx_uint_t  pending;
} ngx_http_atelier_redis_gauges_t;


static void ngx_http_atelier_redis_gauges(
    ngx_http_atelier_redis_stats_t *stats,
    ngx_http_atelier_redis_gauges_t *gauges);
static ngx_uint_t ngx_http_atelier_redis_lives(ngx_atomic_uint_t pid);


ngx_http_atelier_redis_seat_t *
ngx_http_atelier_redis_sit(ngx_http_atelier_redis_stats_t *stats)
{
    ngx_uint_t                      i;
    ngx_atomic_uint_t               pid;
    ngx_http_atelier_redis_seat_t  *seat;

    for (i = 0; i < NGX_HTTP_ATELIER_REDIS_SEATS; i++) {
        seat = &stats->seats[i];
        pid = seat->pid;

        if (ngx_http_atelier_redis_lives(pid)
            && pid != (ngx_atomic_uint_t) ngx_pid)
        {
            continue;
        }

        if (ngx_atomic_cmp_set(&seat->pid, pid, (ngx_atomic_uint_t) ngx_pid)) {
            ngx_memzero((void *) seat->up, sizeof(seat->up));
            seat->pending = 0;

            return seat;
        }
    }

    return NULL;
}


int
ngx_http_atelier_redis_health(ngx_http_atelier_main_conf_t *amcf, at_buf_t *b)
{
    if (amcf->redis == NULL) {
        return AT_OK;
    }

    return at_buf_printf(b, ",\"redis\":\"%s\"",
                         ngx_http_atelier_redis_ready() ? "ok" : "away");
}


int
ngx_http_atelier_redis_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                              rc;
    ngx_http_atelier_redis_stats_t  *n;
    ngx_http_atelier_redis_gauges_t  now;

    if (amcf->redis == NULL) {
        return AT_OK;
    }

    n = &amcf->zone->sh->redis;
    ngx_http_atelier_redis_gauges(n, &now);

    rc = ngx_http_atelier_metrics_value(b, "redis_up", "gauge",
                                        "1 if every worker can send commands "
                                        "to Redis.",
                                        now.up[NGX_HTTP_ATELIER_REDIS_COMMANDS]
                                        == now.workers);

    rc |= ngx_http_atelier_metrics_head(b, "redis_connections", "gauge",
                        "Connections on which Redis answers.");
    rc |= at_buf_printf(b, "atelier_redis_connections{use=\"commands\"} "
                           "%lu\n",
                        (unsigned long)
                            now.up[NGX_HTTP_ATELIER_REDIS_COMMANDS]);
    rc |= at_buf_printf(b, "atelier_redis_connections"
                           "{use=\"subscriptions\"} %lu\n",
                        (unsigned long)
                            now.up[NGX_HTTP_ATELIER_REDIS_SUBSCRIPTIONS]);

    rc |= ngx_http_atelier_metrics_value(b, "redis_pending", "gauge",
                                         "Commands without an answer yet.",
                                         now.pending);
    rc |= ngx_http_atelier_metrics_value(b, "redis_commands_total", "counter",
                                         "Commands sent.", n->commands);
    rc |= ngx_http_atelier_metrics_value(b, "redis_errors_total", "counter",
                                         "Commands that Redis refused.",
                                         n->errors);
    rc |= ngx_http_atelier_metrics_value(b, "redis_timeouts_total", "counter",
                                         "Commands without an answer in time.",
                                         n->timeouts);
    rc |= ngx_http_atelier_metrics_value(b, "redis_refused_total", "counter",
                                         "Commands not sent: Redis was away "
                                         "or the queue full.", n->refused);
    rc |= ngx_http_atelier_metrics_value(b, "redis_reconnects_total",
                                         "counter", "Connections made again.",
                                         n->reconnects);
    rc |= ngx_http_atelier_metrics_value(b, "redis_messages_total", "counter",
                                         "Messages of subscriptions.",
                                         n->messages);

    return rc;
}


static void
ngx_http_atelier_redis_gauges(ngx_http_atelier_redis_stats_t *stats,
    ngx_http_atelier_redis_gauges_t *gauges)
{
    ngx_uint_t                      i, n;
    ngx_http_atelier_redis_seat_t  *seat;

    ngx_memzero(gauges, sizeof(ngx_http_atelier_redis_gauges_t));

    for (i = 0; i < NGX_HTTP_ATELIER_REDIS_SEATS; i++) {
        seat = &stats->seats[i];

        if (!ngx_http_atelier_redis_lives(seat->pid)) {
            continue;
        }

        gauges->workers++;
        gauges->pending += seat->pending;

        for (n = 0; n < NGX_HTTP_ATELIER_REDIS_NLINKS; n++) {
            gauges->up[n] += seat->up[n];
        }
    }
}


/* Signal 0 only asks; a process of another user answers EPERM. */

static ngx_uint_t
ngx_http_atelier_redis_lives(ngx_atomic_uint_t pid)
{
    return pid != 0
           && (kill((ngx_pid_t) pid, 0) == 0 || ngx_errno != NGX_ESRCH);
}
