/*
 * The section of /metrics about sockets: the sums of all workers, those that
 * are gone included.
 */

#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_socket.h"


static void ngx_http_atelier_socket_sum(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_socket_worker_t *sum);
static int ngx_http_atelier_socket_traffic(at_buf_t *b,
    ngx_http_atelier_socket_worker_t *sum);
static int ngx_http_atelier_socket_hub(at_buf_t *b,
    ngx_http_atelier_socket_worker_t *sum);


static const char  *ngx_http_atelier_close_names[] = {
#define X(code)  #code,
    NGX_HTTP_ATELIER_CLOSES(X)
#undef X
    "other"
};


int
ngx_http_atelier_socket_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                               rc;
    ngx_uint_t                        i, by;
    ngx_http_atelier_socket_worker_t  sum;

    if (!amcf->sockets) {
        return AT_OK;
    }

    ngx_http_atelier_socket_sum(amcf->zone, &sum);

    rc = ngx_http_atelier_socket_traffic(b, &sum);

    rc |= ngx_http_atelier_metrics_head(b, "sockets_closed_total", "counter",
                                        "Ends by code and by who began; 1006 "
                                        "is without a Close.");

    for (by = 0; by < 2; by++) {
        for (i = 0; i < NGX_HTTP_ATELIER_NCLOSES; i++) {
            rc |= at_buf_printf(b, "atelier_sockets_closed_total"
                                   "{by=\"%s\",code=\"%s\"} %lu\n",
                                by ? "server" : "client",
                                ngx_http_atelier_close_names[i],
                                (unsigned long) sum.counters.closes[by][i]);
        }
    }

    return rc | ngx_http_atelier_socket_hub(b, &sum);
}


static int
ngx_http_atelier_socket_traffic(at_buf_t *b,
    ngx_http_atelier_socket_worker_t *sum)
{
    int                                  rc;
    ngx_http_atelier_socket_counters_t  *c;

    c = &sum->counters;

    rc = ngx_http_atelier_metrics_value(b, "sockets_open", "gauge",
                                        "WebSockets now.", sum->open);
    rc |= ngx_http_atelier_metrics_value(b, "sockets_opened_total", "counter",
                                         "WebSockets so far.", c->opened);
    rc |= ngx_http_atelier_metrics_value(b, "sockets_refused_total", "counter",
                                         "Handshakes answered otherwise.",
                                         c->refused);
    rc |= ngx_http_atelier_metrics_value(b, "sockets_messages_in_total",
                                         "counter",
                                         "Messages of clients, pings and such "
                                         "included.", c->messages_in);
    rc |= ngx_http_atelier_metrics_value(b, "sockets_messages_out_total",
                                         "counter",
                                         "Messages to clients, pings and such "
                                         "included.", c->messages_out);
    rc |= ngx_http_atelier_metrics_value(b, "sockets_bytes_in_total",
                                         "counter", "Bytes of clients.",
                                         c->bytes_in);

    return rc | ngx_http_atelier_metrics_value(b, "sockets_bytes_out_total",
                                               "counter", "Bytes to clients.",
                                               c->bytes_out);
}


static int
ngx_http_atelier_socket_hub(at_buf_t *b,
    ngx_http_atelier_socket_worker_t *sum)
{
    int                                  rc;
    ngx_http_atelier_socket_counters_t  *c;

    c = &sum->counters;

    rc = ngx_http_atelier_metrics_value(b, "live_channels", "gauge",
                                        "Channels that sockets want, counted "
                                        "in each worker.", sum->channels);
    rc |= ngx_http_atelier_metrics_value(b, "live_subscriptions", "gauge",
                                         "Subscriptions of sockets.",
                                         sum->subscriptions);
    rc |= ngx_http_atelier_metrics_value(b, "live_delivered_total", "counter",
                                         "Messages of channels for sockets.",
                                         c->delivered);
    rc |= ngx_http_atelier_metrics_value(b, "live_recovered_total", "counter",
                                         "Of those, missed while the client "
                                         "was away.", c->recovered);
    rc |= ngx_http_atelier_metrics_value(b, "live_conflated_total", "counter",
                                         "Messages left out for a newer one, "
                                         "as the client reads slowly.",
                                         c->conflated);
    rc |= ngx_http_atelier_metrics_value(b, "live_filled_total", "counter",
                                         "Messages that Redis did not send "
                                         "and that were read.", c->filled);
    rc |= ngx_http_atelier_metrics_value(b, "live_gaps_total", "counter",
                                         "Gaps that could not be filled.",
                                         c->lost);
    rc |= ngx_http_atelier_metrics_value(b, "live_reads_total", "counter",
                                         "Channels read from Redis or "
                                         "PostgreSQL.", c->reads);

    return rc | ngx_http_atelier_metrics_value(b, "live_published_total",
                                               "counter",
                                               "Messages published by POST.",
                                               c->published);
}


static void
ngx_http_atelier_socket_sum(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_socket_worker_t *sum)
{
    ngx_uint_t                         i, *from, *to;
    ngx_queue_t                       *q;
    ngx_http_atelier_socket_shared_t  *sh;
    ngx_http_atelier_socket_worker_t  *w;

    sh = &zone->sh->sockets;
    to = (ngx_uint_t *) &sum->counters;

    ngx_memzero(sum, sizeof(ngx_http_atelier_socket_worker_t));

    ngx_shmtx_lock(&zone->pool->mutex);

    sum->counters = sh->past;

    for (q = ngx_queue_head(&sh->workers);
         q != ngx_queue_sentinel(&sh->workers);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_http_atelier_socket_worker_t, queue);
        from = (ngx_uint_t *) &w->counters;

        for (i = 0;
             i < sizeof(ngx_http_atelier_socket_counters_t)
                 / sizeof(ngx_uint_t);
             i++)
        {
            to[i] += from[i];
        }

        sum->open += w->open;
        sum->channels += w->channels;
        sum->subscriptions += w->subscriptions;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);
}
