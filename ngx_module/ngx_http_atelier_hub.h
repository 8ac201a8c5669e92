/*
 * The hub of a worker: which of its sockets want which channels, and what is
 * delivered to them.
 *
 * A subscription is answered once the channel is known: what is published is
 * heard and held first, then the last message is read, so that nothing falls
 * between the two.  From then on a socket gets every message in order; one
 * that reads too slowly gets the newest of a product or design alone.
 *
 * hub.c has channels and subscriptions, hub_log.c the messages of a channel,
 * hub_read.c what is read from Redis and PostgreSQL, hub_send.c the delivery.
 */

#ifndef NGX_HTTP_ATELIER_HUB_H
#define NGX_HTTP_ATELIER_HUB_H


#include "ngx_http_atelier_socket.h"
#include "live/at_live_message.h"


/* A key in Redis, of the stream and of the channel, is this and the name. */
#define NGX_HTTP_ATELIER_HUB_PREFIX  "atelier:live:"


/* What a socket asks for; it is answered, now or later. */
void ngx_http_atelier_hub_subscribe(ngx_http_atelier_socket_t *s,
    const at_live_in_t *in);
void ngx_http_atelier_hub_unsubscribe(ngx_http_atelier_socket_t *s,
    const at_live_in_t *in);

/* For the configuration of sockets. */
void ngx_http_atelier_hub_gone(ngx_http_atelier_socket_t *s);
void ngx_http_atelier_hub_drained(ngx_http_atelier_socket_t *s);

/*
 * A message for this worker's sockets, where no Redis brings it; the data is
 * valid, id is 0 without one.
 */
void ngx_http_atelier_hub_publish(at_str_t channel, uint64_t id,
    at_str_t data);

void ngx_http_atelier_hub_init_process(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_ATELIER_HUB_H */
