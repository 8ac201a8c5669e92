/*
 * WebSockets after their handshake: bare connections of nginx, freed of the
 * request they came by.
 *
 * A socket belongs to this mechanism from its detaching to its end.  It is
 * ended by its own events alone, never inside a call of the functions below,
 * so who holds a pointer may use it until gone() was called for it.
 *
 * socket.c has its life (detach, timers, closing), socket_io.c its bytes,
 * socket_zone.c what workers share, socket_metrics.c the numbers.
 */

#ifndef NGX_HTTP_ATELIER_SOCKET_H
#define NGX_HTTP_ATELIER_SOCKET_H


#include "ngx_http_atelier_frame.h"
#include "ngx_http_atelier_zone.h"
#include "live/at_ws_parser.h"


#if (NGX_HTTP_SSL)
#define ngx_http_atelier_socket_tls(c)  ((c)->ssl != NULL)
#else
#define ngx_http_atelier_socket_tls(c)  0
#endif

#define NGX_HTTP_ATELIER_NO_CLOSE  1006    /* in counters, on no wire */


typedef struct ngx_http_atelier_socket_s  ngx_http_atelier_socket_t;


/* What the sockets of a location have in common; lives with its cycle. */
typedef struct {
    size_t                       max_message;
    size_t                       max_queue;      /* bytes to be sent */
    ngx_uint_t                   messages;       /* a second */
    ngx_uint_t                   pings;          /* and pongs, a second */
    ngx_uint_t                   per_address;
    ngx_msec_t                   ping;
    ngx_msec_t                   timeout;
    ngx_msec_t                   drain;
    unsigned                     deflate:1;
    unsigned                     binary:1;
    unsigned                     flat:1;         /* data without envelope */
    ngx_uint_t                   subscriptions;

    /* The data is good until it returns. */
    void                       (*message)(ngx_http_atelier_socket_t *s,
                                          at_ws_event_t *event);

    /* It has ended, or has sent most of what waited since it was behind. */
    void                       (*gone)(ngx_http_atelier_socket_t *s);
    void                       (*drained)(ngx_http_atelier_socket_t *s);
} ngx_http_atelier_socket_conf_t;


typedef struct ngx_http_atelier_queued_s  ngx_http_atelier_queued_t;

struct ngx_http_atelier_queued_s {
    ngx_http_atelier_queued_t   *next;
    ngx_http_atelier_frame_t    *frame;
};


typedef enum {
    NGX_HTTP_ATELIER_SOCKET_OPEN = 0,
    NGX_HTTP_ATELIER_SOCKET_CLOSING,             /* our Close is queued; theirs
                                                    is waited for */
    NGX_HTTP_ATELIER_SOCKET_OVER                 /* what comes is thrown away,
                                                    until they hang up */
} ngx_http_atelier_socket_state_e;


/* There may be very many: mind the size. */
struct ngx_http_atelier_socket_s {
    ngx_connection_t                *connection; /* NULL: it has ended */
    ngx_http_atelier_socket_conf_t  *conf;
    ngx_http_atelier_holder_t       *holder;     /* or NULL: not counted */
    at_ws_parser_t                  *parser;     /* NULL: between frames */
    void                            *subs;       /* the hub's, or NULL */

    ngx_http_atelier_socket_t       *next_dirty; /* of those to write to */
    ngx_http_atelier_queued_t       *first;
    ngx_http_atelier_queued_t       *last;
    size_t                           queued;     /* bytes */
    size_t                           sent;       /* of the first frame */

    ngx_msec_t                       heard;      /* of the last byte */
    ngx_msec_t                       second;     /* the one that counts: */
    uint32_t                         messages;
    uint32_t                         pings;
    uint32_t                         unheard;    /* bytes that came since it
                                                    is closed */

    unsigned                         code:16;    /* why it is closed, and */
    unsigned                         by_server:1;

    unsigned                         state:2;
    unsigned                         deflate:1;
    unsigned                         window:4;
    unsigned                         is_dirty:1;
    unsigned                         pinged:1;
    unsigned                         paused:1;   /* not read: its own answers
                                                    wait */
    unsigned                         draining:1;
    unsigned                         their_close:1;
    unsigned                         shut:1;     /* for writing */
    unsigned                         refused:1;  /* its address has enough */
    unsigned                         behind:1;   /* the hub keeps what is
                                                    next */
};


/*
 * A socket for the request, in memory of its own; or NULL, and the holder is
 * still the caller's.
 */
ngx_http_atelier_socket_t *ngx_http_atelier_socket_create(
    ngx_http_request_t *r, ngx_http_atelier_socket_conf_t *conf,
    ngx_http_atelier_holder_t *holder);

/*
 * The headers of the 101 are set: sends them and lets go of the request.
 * Returns what the handler of the request returns.
 */
ngx_int_t ngx_http_atelier_socket_open(ngx_http_request_t *r,
    ngx_http_atelier_socket_t *s);

/*
 * Queues a frame; all that are queued in a turn of the event loop leave in one
 * write.  A socket that is too far behind is closed instead.
 */
void ngx_http_atelier_socket_send(ngx_http_atelier_socket_t *s,
    ngx_http_atelier_frame_t *frame);

/* Closes one that is too far behind; of what is queued nothing is sent. */
void ngx_http_atelier_socket_slow(ngx_http_atelier_socket_t *s);

/* A Close, after what is queued; messages are passed over from here on. */
void ngx_http_atelier_socket_close(ngx_http_atelier_socket_t *s,
    unsigned code, const char *reason);

/* The same, and nothing more of the client is even read. */
void ngx_http_atelier_socket_fail(ngx_http_atelier_socket_t *s,
    unsigned code, const char *reason);


/* Between the files of the mechanism.  NGX_DONE: the socket is gone. */
void ngx_http_atelier_socket_end(ngx_http_atelier_socket_t *s,
    const char *why);
void ngx_http_atelier_socket_abort(ngx_http_atelier_socket_t *s);
void ngx_http_atelier_socket_drain(ngx_http_atelier_socket_t *s);
void ngx_http_atelier_socket_timer(ngx_http_atelier_socket_t *s);
ngx_int_t ngx_http_atelier_socket_shut(ngx_http_atelier_socket_t *s);

void ngx_http_atelier_socket_read(ngx_event_t *rev);
void ngx_http_atelier_socket_write(ngx_event_t *wev);
void ngx_http_atelier_socket_input(ngx_http_atelier_socket_t *s, u_char *p,
    size_t len);
void ngx_http_atelier_socket_enqueue(ngx_http_atelier_socket_t *s,
    ngx_http_atelier_frame_t *frame);
void ngx_http_atelier_socket_pop(ngx_http_atelier_socket_t *s);
void ngx_http_atelier_socket_flush(ngx_http_atelier_socket_t *s);
ngx_int_t ngx_http_atelier_socket_written(ngx_http_atelier_socket_t *s);


/* This worker's entry in the zone; there once it has had a socket. */
extern ngx_http_atelier_socket_worker_t  *ngx_http_atelier_socket_self;

/* Makes it; NULL: there is no room. */
ngx_http_atelier_socket_worker_t *ngx_http_atelier_socket_worker(
    ngx_http_atelier_zone_t *zone);

/*
 * Counts one more socket of the address; its number over all workers, 0 if
 * nobody is told apart by such an address, or NGX_ERROR without room.
 */
ngx_int_t ngx_http_atelier_socket_hold(ngx_http_atelier_zone_t *zone,
    struct sockaddr *sockaddr, ngx_uint_t max,
    ngx_http_atelier_holder_t **holder);
void ngx_http_atelier_socket_release(ngx_http_atelier_holder_t *holder);

void ngx_http_atelier_socket_zone_create(
    ngx_http_atelier_socket_shared_t *sh);
void ngx_http_atelier_socket_init_process(ngx_cycle_t *cycle);
void ngx_http_atelier_socket_exit_process(void);
int ngx_http_atelier_socket_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);


#endif /* NGX_HTTP_ATELIER_SOCKET_H */
