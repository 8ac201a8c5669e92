/*
 * The live endpoint: who may open a socket, and what its messages mean.
 */

#ifndef NGX_HTTP_ATELIER_LIVE_H
#define NGX_HTTP_ATELIER_LIVE_H


#include "ngx_http_atelier_socket.h"


struct ngx_http_atelier_live_s {
    ngx_http_atelier_socket_conf_t  socket;
    ngx_array_t                     origins;     /* of at_str_t */
};


ngx_int_t ngx_http_atelier_upgrade_handler(ngx_http_request_t *r);

/* {"type":"error"} with a sentence, as ngx_snprintf() has it. */
void ngx_http_atelier_live_error(ngx_http_atelier_socket_t *s,
    const char *code, const char *fmt, ...);

/* What sockets do with a message: the protocol, or send it back. */
void ngx_http_atelier_live_message(ngx_http_atelier_socket_t *s,
    at_ws_event_t *event);
void ngx_http_atelier_live_echo(ngx_http_atelier_socket_t *s,
    at_ws_event_t *event);

/* atelier_live parameters; */
char *ngx_http_atelier_live(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* atelier_live_echo on|off; once both may have been read. */
ngx_int_t ngx_http_atelier_live_echo_check(ngx_conf_t *cf,
    ngx_http_atelier_loc_conf_t *alcf);


#endif /* NGX_HTTP_ATELIER_LIVE_H */
