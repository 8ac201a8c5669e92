/*
 * What workers share of their sockets (see ngx_http_atelier_socket_zone.h).
 *
 * Everything here is in the zone and is freed by the worker that made it, or
 * by the one that finds it dead.
 */

#include <signal.h>

#include "ngx_http_atelier_socket.h"
#include "live/at_ws_handshake.h"


/* Addresses may not fill the zone, which has limits to hold. */
#define NGX_HTTP_ATELIER_ADDRESS_SHARE  4          /* a fourth of it */
#define NGX_HTTP_ATELIER_ADDRESS_SIZE   192        /* slabs of 128 and 64 */


static void ngx_http_atelier_socket_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static size_t ngx_http_atelier_socket_address(struct sockaddr *sockaddr,
    u_char **text);
static ngx_http_atelier_address_t *ngx_http_atelier_socket_find(
    ngx_http_atelier_socket_shared_t *sh, uint32_t key, u_char *text,
    size_t len);
static ngx_http_atelier_address_t *ngx_http_atelier_socket_add(
    ngx_http_atelier_zone_t *zone, uint32_t key, u_char *text, size_t len);
static ngx_http_atelier_holder_t *ngx_http_atelier_socket_holder(
    ngx_http_atelier_zone_t *zone, ngx_http_atelier_address_t *a);
static void ngx_http_atelier_socket_unhold(ngx_slab_pool_t *pool,
    ngx_http_atelier_holder_t *h, ngx_uint_t n);
static void ngx_http_atelier_socket_reap(ngx_http_atelier_zone_t *zone);
static void ngx_http_atelier_socket_fold(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_socket_worker_t *w);
static ngx_int_t ngx_http_atelier_socket_cmp(u_char *one, size_t one_len,
    u_char *two, size_t two_len);


ngx_http_atelier_socket_worker_t  *ngx_http_atelier_socket_self;

/* The zone it is in. */
static ngx_http_atelier_zone_t  ngx_http_atelier_socket_home;


void
ngx_http_atelier_socket_zone_create(ngx_http_atelier_socket_shared_t *sh)
{
    ngx_rbtree_init(&sh->tree, &sh->sentinel, ngx_http_atelier_socket_insert);
    ngx_queue_init(&sh->workers);
}


static ngx_int_t
ngx_http_atelier_socket_cmp(u_char *one, size_t one_len, u_char *two,
    size_t two_len)
{
    if (one_len != two_len) {
        return (one_len < two_len) ? -1 : 1;
    }

    return ngx_memcmp(one, two, one_len);
}


static void
ngx_http_atelier_socket_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t           **p;
    ngx_http_atelier_address_t   *a, *b;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            a = (ngx_http_atelier_address_t *) node;
            b = (ngx_http_atelier_address_t *) temp;

            p = (ngx_http_atelier_socket_cmp(a->text, a->len, b->text, b->len)
                 < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


/*
 * The bytes that tell clients apart: of IPv6 the half that names a network,
 * as one client has all of the other.  None for a Unix socket.
 */

static size_t
ngx_http_atelier_socket_address(struct sockaddr *sockaddr, u_char **text)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sockaddr;
        *text = sin6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            *text += 12;
            return 4;
        }

        return 8;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) sockaddr;
        *text = (u_char *) &sin->sin_addr;
        return 4;

    default:
        return 0;
    }
}


static ngx_http_atelier_address_t *
ngx_http_atelier_socket_find(ngx_http_atelier_socket_shared_t *sh,
    uint32_t key, u_char *text, size_t len)
{
    ngx_int_t                    rc;
    ngx_rbtree_node_t           *node;
    ngx_http_atelier_address_t  *a;

    node = sh->tree.root;

    while (node != &sh->sentinel) {

        if (key != node->key) {
            node = (key < node->key) ? node->left : node->right;
            continue;
        }

        a = (ngx_http_atelier_address_t *) node;
        rc = ngx_http_atelier_socket_cmp(text, len, a->text, a->len);

        if (rc == 0) {
            return a;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


static ngx_http_atelier_address_t *
ngx_http_atelier_socket_add(ngx_http_atelier_zone_t *zone, uint32_t key,
    u_char *text, size_t len)
{
    ngx_http_atelier_address_t        *a;
    ngx_http_atelier_socket_shared_t  *sh;

    sh = &zone->sh->sockets;

    if (sh->addresses >= zone->shm->shm.size / NGX_HTTP_ATELIER_ADDRESS_SHARE
                         / NGX_HTTP_ATELIER_ADDRESS_SIZE)
    {
        return NULL;
    }

    a = ngx_slab_calloc_locked(zone->pool, sizeof(ngx_http_atelier_address_t));
    if (a == NULL) {
        return NULL;
    }

    a->node.key = key;
    a->len = len;
    ngx_memcpy(a->text, text, len);
    ngx_queue_init(&a->holders);

    ngx_rbtree_insert(&sh->tree, &a->node);
    sh->addresses++;

    return a;
}


/* What this worker has of the address, which may be nothing yet. */

static ngx_http_atelier_holder_t *
ngx_http_atelier_socket_holder(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_address_t *a)
{
    ngx_queue_t                *q;
    ngx_http_atelier_holder_t  *h;

    for (q = ngx_queue_head(&a->holders);
         q != ngx_queue_sentinel(&a->holders);
         q = ngx_queue_next(q))
    {
        h = ngx_queue_data(q, ngx_http_atelier_holder_t, queue);

        if (h->worker == ngx_http_atelier_socket_self) {
            return h;
        }
    }

    h = ngx_slab_calloc_locked(zone->pool, sizeof(ngx_http_atelier_holder_t));
    if (h == NULL) {
        return NULL;
    }

    h->address = a;
    h->worker = ngx_http_atelier_socket_self;

    ngx_queue_insert_tail(&a->holders, &h->queue);
    ngx_queue_insert_tail(&h->worker->holders, &h->own);

    return h;
}


ngx_int_t
ngx_http_atelier_socket_hold(ngx_http_atelier_zone_t *zone,
    struct sockaddr *sockaddr, ngx_uint_t max,
    ngx_http_atelier_holder_t **holder)
{
    size_t                             len;
    u_char                            *text;
    uint32_t                           key;
    ngx_int_t                          n;
    ngx_http_atelier_holder_t         *h;
    ngx_http_atelier_address_t        *a;
    ngx_http_atelier_socket_shared_t  *sh;

    *holder = NULL;

    len = ngx_http_atelier_socket_address(sockaddr, &text);
    if (len == 0 || max == 0) {
        return 0;
    }

    sh = &zone->sh->sockets;
    key = ngx_crc32_short(text, len);
    n = NGX_ERROR;

    ngx_shmtx_lock(&zone->pool->mutex);

    a = ngx_http_atelier_socket_find(sh, key, text, len);

    if (a && a->sockets >= max) {

        /* some of them may be a dead worker's */

        ngx_http_atelier_socket_reap(zone);
        a = ngx_http_atelier_socket_find(sh, key, text, len);
    }

    if (a == NULL) {
        a = ngx_http_atelier_socket_add(zone, key, text, len);
    }

    if (a) {
        h = ngx_http_atelier_socket_holder(zone, a);

        if (h) {
            h->sockets++;
            n = ++a->sockets;
            *holder = h;

        } else if (ngx_queue_empty(&a->holders)) {
            ngx_rbtree_delete(&sh->tree, &a->node);
            ngx_slab_free_locked(zone->pool, a);
            sh->addresses--;
        }
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return n;
}


void
ngx_http_atelier_socket_release(ngx_http_atelier_holder_t *holder)
{
    ngx_slab_pool_t  *pool;

    if (holder == NULL) {
        return;
    }

    pool = ngx_http_atelier_socket_home.pool;

    ngx_shmtx_lock(&pool->mutex);

    ngx_http_atelier_socket_unhold(pool, holder, 1);

    ngx_shmtx_unlock(&pool->mutex);
}


static void
ngx_http_atelier_socket_unhold(ngx_slab_pool_t *pool,
    ngx_http_atelier_holder_t *h, ngx_uint_t n)
{
    ngx_http_atelier_address_t        *a;
    ngx_http_atelier_socket_shared_t  *sh;

    a = h->address;

    h->sockets -= n;
    a->sockets -= n;

    if (h->sockets == 0) {
        ngx_queue_remove(&h->queue);
        ngx_queue_remove(&h->own);
        ngx_slab_free_locked(pool, h);
    }

    if (a->sockets == 0) {
        sh = &((ngx_http_atelier_shared_t *) pool->data)->sockets;

        ngx_rbtree_delete(&sh->tree, &a->node);
        ngx_slab_free_locked(pool, a);
        sh->addresses--;
    }
}


/*
 * Of workers that ended without a chance to do it themselves, be it that this
 * process has the id of one.
 */

static void
ngx_http_atelier_socket_reap(ngx_http_atelier_zone_t *zone)
{
    ngx_queue_t                       *q, *next;
    ngx_http_atelier_socket_worker_t  *w;
    ngx_http_atelier_socket_shared_t  *sh;

    sh = &zone->sh->sockets;

    for (q = ngx_queue_head(&sh->workers);
         q != ngx_queue_sentinel(&sh->workers);
         q = next)
    {
        next = ngx_queue_next(q);
        w = ngx_queue_data(q, ngx_http_atelier_socket_worker_t, queue);

        if (w == ngx_http_atelier_socket_self) {
            continue;
        }

        if (w->pid == ngx_pid || (kill(w->pid, 0) == -1 && errno == ESRCH)) {
            ngx_http_atelier_socket_fold(zone, w);
        }
    }
}


static void
ngx_http_atelier_socket_fold(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_socket_worker_t *w)
{
    ngx_uint_t                  i, *from, *to;
    ngx_queue_t                *q;
    ngx_http_atelier_holder_t  *h;

    while (!ngx_queue_empty(&w->holders)) {
        q = ngx_queue_head(&w->holders);
        h = ngx_queue_data(q, ngx_http_atelier_holder_t, own);

        ngx_http_atelier_socket_unhold(zone->pool, h, h->sockets);
    }

    from = (ngx_uint_t *) &w->counters;
    to = (ngx_uint_t *) &zone->sh->sockets.past;

    for (i = 0;
         i < sizeof(ngx_http_atelier_socket_counters_t) / sizeof(ngx_uint_t);
         i++)
    {
        to[i] += from[i];
    }

    ngx_queue_remove(&w->queue);
    ngx_slab_free_locked(zone->pool, w);
}


ngx_http_atelier_socket_worker_t *
ngx_http_atelier_socket_worker(ngx_http_atelier_zone_t *zone)
{
    ngx_http_atelier_socket_worker_t  *w;

    if (ngx_http_atelier_socket_self) {
        return ngx_http_atelier_socket_self;
    }

    ngx_shmtx_lock(&zone->pool->mutex);

    ngx_http_atelier_socket_reap(zone);

    w = ngx_slab_calloc_locked(zone->pool,
                               sizeof(ngx_http_atelier_socket_worker_t));
    if (w) {
        w->pid = ngx_pid;
        ngx_queue_init(&w->holders);
        ngx_queue_insert_tail(&zone->sh->sockets.workers, &w->queue);

        ngx_http_atelier_socket_self = w;
        ngx_http_atelier_socket_home = *zone;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return w;
}


void
ngx_http_atelier_socket_init_process(ngx_cycle_t *cycle)
{
    char                           accept[AT_WS_ACCEPT];
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);

    if (amcf && amcf->sockets
        && (ngx_process == NGX_PROCESS_WORKER
            || ngx_process == NGX_PROCESS_SINGLE))
    {
        (void) ngx_http_atelier_socket_worker(amcf->zone);

        /* libcrypto looks for its digest now, not at the first handshake */

        (void) at_ws_accept(AT_STR("AAAAAAAAAAAAAAAAAAAAAA=="), accept);
    }
}


void
ngx_http_atelier_socket_exit_process(void)
{
    ngx_http_atelier_zone_t  *zone;

    if (ngx_http_atelier_socket_self == NULL) {
        return;
    }

    zone = &ngx_http_atelier_socket_home;

    ngx_shmtx_lock(&zone->pool->mutex);

    ngx_http_atelier_socket_fold(zone, ngx_http_atelier_socket_self);

    ngx_shmtx_unlock(&zone->pool->mutex);

    ngx_http_atelier_socket_self = NULL;
}
