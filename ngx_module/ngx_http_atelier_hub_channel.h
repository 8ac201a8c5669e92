/*
 * A channel of the hub, for the files ngx_http_atelier_hub*.c alone.
 *
 * A channel lives while a socket wants it.  All of this is on the heap and
 * belongs to the worker; there may be very many channels and subscriptions,
 * so mind their size.
 *
 * The messages of a channel stand one behind the other on a line of bytes.  A
 * subscription is a place on that line: what is behind it has been handed to
 * the socket.
 */

#ifndef NGX_HTTP_ATELIER_HUB_CHANNEL_H
#define NGX_HTTP_ATELIER_HUB_CHANNEL_H


#include "ngx_http_atelier_hub.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_redis.h"


#define NGX_HTTP_ATELIER_HUB_NONE      UINT64_MAX

#define NGX_HTTP_ATELIER_HUB_NOTES     1000        /* kept of a channel */
#define NGX_HTTP_ATELIER_HUB_BYTES     (4 * 1024 * 1024)
#define NGX_HTTP_ATELIER_HUB_ALL       (32 * 1024 * 1024)    /* of all */


typedef struct ngx_http_atelier_channel_s  ngx_http_atelier_channel_t;
typedef struct ngx_http_atelier_sub_s      ngx_http_atelier_sub_t;
typedef struct ngx_http_atelier_hubread_s  ngx_http_atelier_hubread_t;


/* A message: its frame, and its data alone once somebody wants that. */
typedef struct {
    ngx_queue_t                    queue;          /* of its channel's */
    ngx_queue_t                    age;            /* of all that are kept */
    ngx_http_atelier_channel_t    *channel;
    uint64_t                       id;             /* 0: none */
    uint64_t                       end;            /* on the line */
    ngx_http_atelier_frame_t      *frame;
    ngx_http_atelier_frame_t      *flat;           /* or NULL */
    uint32_t                       data;           /* bytes of it */
    uint32_t                       refs;
} ngx_http_atelier_note_t;


struct ngx_http_atelier_sub_s {
    ngx_queue_t                    queue;          /* of the channel's */
    ngx_http_atelier_sub_t        *next;           /* of the socket's */
    ngx_http_atelier_socket_t     *socket;
    ngx_http_atelier_channel_t    *channel;
    uint64_t                       place;          /* while it waits: since */
    unsigned                       answers:16;     /* it waits for so many */
    unsigned                       has_since:1;
    unsigned                       tried:1;        /* read since it came */
    unsigned                       whole:1;        /* nothing is left out of
                                                      what it has missed */
};


struct ngx_http_atelier_channel_s {
    ngx_str_node_t                 node;           /* by its name */
    ngx_queue_t                    subs;           /* that are answered */
    ngx_queue_t                    waiting;        /* that are not yet */
    ngx_queue_t                    notes;          /* the oldest first */
    ngx_queue_t                    held;           /* that came too early */
    ngx_queue_t                    queue;          /* to listen, to be read,
                                                      to be read again */
    ngx_queue_t                    busy;           /* of those to serve */
    ngx_queue_t                   *cursor;         /* of the pass, or NULL */
    ngx_http_atelier_redis_sub_t  *redis;          /* or NULL */
    ngx_http_atelier_hubread_t    *read;           /* or NULL: none now */
    ngx_http_atelier_note_t       *value;          /* or NULL */

    uint64_t                       last;           /* id */
    uint64_t                       first;          /* notes go from this id to
                                                      last without a gap */
    uint64_t                       want;           /* read from there on */
    uint64_t                       end;            /* of the line */
    uint64_t                       low;            /* the last place in it */
    uint64_t                       floor;          /* nobody is behind it */
    uint32_t                       nnotes;
    uint32_t                       bytes;          /* of them */
    uint32_t                       nsubs;          /* and those waiting */
    ngx_msec_t                     partial;        /* since when it is so that
                                                      nobody knows all; or 0 */
    uint16_t                       nheld;

    unsigned                       kind:2;
    unsigned                       up:1;           /* Redis sends it */
    unsigned                       live:1;         /* read once */
    unsigned                       known:1;        /* last is */
    unsigned                       queued:1;       /* in one by queue */
    unsigned                       listening:1;    /* ... for up */
    unsigned                       is_busy:1;
    unsigned                       more:1;         /* than this pass knows */
    unsigned                       unsure:1;       /* in that queue */
    unsigned                       again:1;        /* read once more */
    unsigned                       patient:1;      /* who came back waits */
};


typedef struct {
    ngx_rbtree_t                   tree;
    ngx_rbtree_node_t              sentinel;
    ngx_queue_t                    listening;
    ngx_queue_t                    unread;
    ngx_queue_t                    unsure;         /* nobody could say */
    ngx_queue_t                    busy;
    ngx_queue_t                    age;            /* notes */
    size_t                         bytes;          /* of them */
    size_t                         max_queue;      /* the largest */
    ngx_uint_t                     reads;          /* now */
    ngx_event_t                    turn;
    ngx_event_t                    timer;

    struct {
        void                      *like[3];        /* as ngx_connection_t: */
        ngx_socket_t               fd;             /* debug logs read it */
    } fd;

    unsigned                       redis:1;        /* there is one */
    unsigned                       postgres:1;
} ngx_http_atelier_hub_t;


extern ngx_http_atelier_hub_t  ngx_http_atelier_hub;


/* Subscribers of a product or design are told what is so now. */
#define ngx_http_atelier_hub_valued(ch)                                       \
    ((ch)->kind != AT_LIVE_PRODUCTS)

/* ... and with the newest they need not know what was before. */
#define ngx_http_atelier_hub_conflates(ch)                                    \
    ((ch)->kind == AT_LIVE_PRODUCT || (ch)->kind == AT_LIVE_DESIGN)


/* hub.c: a message was published; where it can, it goes to the log. */
void ngx_http_atelier_hub_arrive(ngx_http_atelier_channel_t *ch, uint64_t id,
    at_str_t data);

/* Something can be sent in this turn. */
void ngx_http_atelier_hub_busy(ngx_http_atelier_channel_t *ch);
void ngx_http_atelier_hub_post(void);
void ngx_http_atelier_hub_dequeue(ngx_http_atelier_channel_t *ch);
void ngx_http_atelier_hub_enqueue(ngx_http_atelier_channel_t *ch,
    ngx_queue_t *queue);


/* hub_log.c: messages; NULL without memory, one reference otherwise. */
ngx_http_atelier_note_t *ngx_http_atelier_note(ngx_http_atelier_channel_t *ch,
    uint64_t id, at_str_t data);
void ngx_http_atelier_note_unref(ngx_http_atelier_note_t *note);
at_str_t ngx_http_atelier_note_data(ngx_http_atelier_note_t *note);

/* At the end of the line; takes over the reference. */
void ngx_http_atelier_note_append(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note);

/*
 * At its beginning: history, which nobody is waiting for.  NGX_DECLINED: there
 * is no room for it, or it does not fit to what is there.
 */
ngx_int_t ngx_http_atelier_note_prepend(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note);

void ngx_http_atelier_note_value(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note);
void ngx_http_atelier_note_clear(ngx_http_atelier_channel_t *ch);

/* The first one behind a place, or NULL. */
ngx_http_atelier_note_t *ngx_http_atelier_note_after(
    ngx_http_atelier_channel_t *ch, uint64_t place);

/* The place behind the message of an id, or NONE: not all since are here. */
uint64_t ngx_http_atelier_note_place(ngx_http_atelier_channel_t *ch,
    uint64_t id);


/* hub_read.c: has the channel read, with what came since an id, or NONE. */
void ngx_http_atelier_hub_read(ngx_http_atelier_channel_t *ch,
    uint64_t since);

/* Begins as many reads as there may be; 1: more can begin in the next turn. */
ngx_uint_t ngx_http_atelier_hub_pump(void);
void ngx_http_atelier_hub_unread(ngx_http_atelier_channel_t *ch);


/* hub_send.c: some of what is to be sent to the channel's sockets. */
ngx_uint_t ngx_http_atelier_hub_serve(ngx_http_atelier_channel_t *ch,
    ngx_uint_t budget);


#endif /* NGX_HTTP_ATELIER_HUB_CHANNEL_H */
