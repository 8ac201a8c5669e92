/*
 * The section of /metrics about sockets: the sums of all workers, those that
 * are gone included.
 */

#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_socket.h"


static void ngx_http_atelier_socket_sum(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_socket_counters_t *sum, ngx_uint_t *open);
static int ngx_http_atelier_socket_metric(at_buf_t *b, const char *name,
    const char *type, const char *help, ngx_uint_t value);


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
    int                                 rc;
    ngx_uint_t                          i, by, open;
    ngx_http_atelier_socket_counters_t  sum;

    if (!amcf->sockets) {
        return AT_OK;
    }

    ngx_http_atelier_socket_sum(amcf->zone, &sum, &open);

    rc = ngx_http_atelier_socket_metric(b, "sockets_open", "gauge",
                                        "WebSockets now.", open);
    rc |= ngx_http_atelier_socket_metric(b, "sockets_opened_total", "counter",
                                         "WebSockets so far.", sum.opened);
    rc |= ngx_http_atelier_socket_metric(b, "sockets_refused_total",
                                         "counter",
                                         "Handshakes answered otherwise.",
                                         sum.refused);
    rc |= ngx_http_atelier_socket_metric(b, "sockets_messages_in_total",
                                         "counter", "Messages of clients, "
                                         "pings and such included.",
                                         sum.messages_in);
    rc |= ngx_http_atelier_socket_metric(b, "sockets_messages_out_total",
                                         "counter", "Messages to clients, "
                                         "pings and such included.",
                                         sum.messages_out);
    rc |= ngx_http_atelier_socket_metric(b, "sockets_bytes_in_total",
                                         "counter", "Bytes of clients.",
                                         sum.bytes_in);
    rc |= ngx_http_atelier_socket_metric(b, "sockets_bytes_out_total",
                                         "counter", "Bytes to clients.",
                                         sum.bytes_out);

    rc |= ngx_http_atelier_metrics_head(b, "sockets_closed_total", "counter",
                                        "Ends by code and by who began; 1006 "
                                        "is without a Close.");

    for (by = 0; by < 2; by++) {
        for (i = 0; i < NGX_HTTP_ATELIER_NCLOSES; i++) {
            rc |= at_buf_printf(b, "atelier_sockets_closed_total"
                                   "{by=\"%s\",code=\"%s\"} %lu\n",
                                by ? "server" : "client",
                                ngx_http_atelier_close_names[i],
                                (unsigned long) sum.closes[by][i]);
        }
    }

    return rc;
}


static int
ngx_http_atelier_socket_metric(at_buf_t *b, const char *name,
    const char *type, const char *help, ngx_uint_t value)
{
    return ngx_http_atelier_metrics_head(b, name, type, help)
           | at_buf_printf(b, "atelier_%s %lu\n", name,
                           (unsigned long) value);
}


static void
ngx_http_atelier_socket_sum(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_socket_counters_t *sum, ngx_uint_t *open)
{
    ngx_uint_t                         i, *from, *to;
    ngx_queue_t                       *q;
    ngx_http_atelier_socket_shared_t  *sh;
    ngx_http_atelier_socket_worker_t  *w;

    sh = &zone->sh->sockets;
    to = (ngx_uint_t *) sum;
    *open = 0;

    ngx_shmtx_lock(&zone->pool->mutex);

    *sum = sh->past;

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

        *open += w->open;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);
}
