/*
 * What all workers know of their sockets: counters, and how many sockets each
 * address has.
 *
 * A worker writes into an entry of its own, so counting costs no lock, and
 * what it held when it died can be given back: its entry is folded into the
 * sums by the next worker that starts or refuses an address.  Lists and tree
 * are guarded by the slab pool's mutex.
 */

#ifndef NGX_HTTP_ATELIER_SOCKET_ZONE_H
#define NGX_HTTP_ATELIER_SOCKET_ZONE_H


#include "compat.h"


/* Close codes that are counted; 1006 is an end without a Close. */
#define NGX_HTTP_ATELIER_CLOSES(X)                                            \
    X(1000) X(1001) X(1002) X(1003) X(1005) X(1006) X(1007) X(1008) X(1009)   \
    X(1011) X(1012) X(1013)

typedef enum {
#define X(code)  NGX_HTTP_ATELIER_CLOSE_##code,
    NGX_HTTP_ATELIER_CLOSES(X)
#undef X
    NGX_HTTP_ATELIER_CLOSE_OTHER,
    NGX_HTTP_ATELIER_NCLOSES
} ngx_http_atelier_close_e;


/* Only their worker writes them. */
typedef struct {
    ngx_uint_t          opened;
    ngx_uint_t          refused;           /* handshakes */
    ngx_uint_t          messages_in;       /* pings and such included */
    ngx_uint_t          messages_out;
    ngx_uint_t          bytes_in;
    ngx_uint_t          bytes_out;
    ngx_uint_t          delivered;         /* messages of channels */
    ngx_uint_t          recovered;         /* of those, missed before */
    ngx_uint_t          conflated;         /* left out for a newer one */
    ngx_uint_t          filled;            /* read, as Redis did not send it */
    ngx_uint_t          lost;              /* gaps that nobody could fill */
    ngx_uint_t          reads;             /* of channels */
    ngx_uint_t          published;         /* by POST */
    ngx_uint_t          closes[2][NGX_HTTP_ATELIER_NCLOSES];   /* by client,
                                                                  by server */
} ngx_http_atelier_socket_counters_t;


typedef struct {
    ngx_queue_t         queue;             /* of all workers */
    ngx_queue_t         holders;           /* its sockets by address */
    ngx_pid_t           pid;
    ngx_uint_t          open;
    ngx_uint_t          channels;
    ngx_uint_t          subscriptions;
    ngx_http_atelier_socket_counters_t  counters;
} ngx_http_atelier_socket_worker_t;


/* An address, in the tree. */
typedef struct {
    ngx_rbtree_node_t   node;
    ngx_queue_t         holders;
    ngx_uint_t          sockets;           /* of all workers */
    size_t              len;
    u_char              text[16];
} ngx_http_atelier_address_t;


/* What one worker has of one address. */
typedef struct {
    ngx_queue_t         queue;             /* of the address */
    ngx_queue_t         own;               /* of the worker */
    ngx_http_atelier_address_t        *address;
    ngx_http_atelier_socket_worker_t  *worker;
    ngx_uint_t          sockets;
} ngx_http_atelier_holder_t;


typedef struct {
    ngx_rbtree_t        tree;
    ngx_rbtree_node_t   sentinel;
    ngx_queue_t         workers;
    ngx_uint_t          addresses;
    ngx_http_atelier_socket_counters_t  past;    /* of workers that are gone */
} ngx_http_atelier_socket_shared_t;


#endif /* NGX_HTTP_ATELIER_SOCKET_ZONE_H */
