/*
 * A frame of a WebSocket in memory: built once, sent to any number of
 * sockets.
 *
 * Whoever makes a frame owns one reference and gives it back; each queue that
 * holds it has one of its own.  Nothing in it changes while it is queued.
 * All sockets of a worker share its compressor.
 */

#ifndef NGX_HTTP_ATELIER_FRAME_H
#define NGX_HTTP_ATELIER_FRAME_H


#include "ngx_http_atelier.h"
#include "live/at_ws_frame.h"


typedef struct ngx_http_atelier_frame_s  ngx_http_atelier_frame_t;

struct ngx_http_atelier_frame_s {
    ngx_uint_t                 refs;
    ngx_http_atelier_frame_t  *deflated;   /* the same, compressed; or NULL */
    size_t                     len;        /* of all of it */
    size_t                     payload;    /* at the end of it, so long */
    unsigned                   text:1;
    unsigned                   tried:1;    /* compressing it */
    u_char                     data[1];
};


/* first is the opcode; NULL without memory. */
ngx_http_atelier_frame_t *ngx_http_atelier_frame(unsigned first,
    at_str_t payload);
ngx_http_atelier_frame_t *ngx_http_atelier_frame_close(unsigned code,
    const char *reason);
void ngx_http_atelier_frame_unref(ngx_http_atelier_frame_t *frame);

/*
 * What a socket that agreed on compression with so large a window is to get:
 * the compressed form if it has one and that fits, else the frame itself.  No
 * reference is added.
 */
ngx_http_atelier_frame_t *ngx_http_atelier_frame_for(
    ngx_http_atelier_frame_t *frame, unsigned window);


#endif /* NGX_HTTP_ATELIER_FRAME_H */
