/*
 * The gzip form of pages (see ngx_http_atelier_feed.h).
 *
 * A page of usual size is compressed at once, in a fraction of a millisecond.
 * A large one is stored and answered as it is; its gzip form is made in slices,
 * one in a turn of the event loop, and put beside it in L1.  A worker has one
 * queue of these, so a turn costs one slice however many pages there are.
 *
 * A job is a pool of its own with a copy of the page, and belongs to the queue.
 * The timer of the queue keeps a worker that shuts down until it is empty.
 */

#include "ngx_http_atelier_feed.h"

#include <zlib.h>


/* Bodies up to so many bytes are worth a better compression. */
#define NGX_HTTP_ATELIER_GZIP_BEST   (64 * 1024)

/* Shorter ones are not worth any. */
#define NGX_HTTP_ATELIER_GZIP_MIN    256

/* What is compressed at once, and of larger ones in a turn. */
#define NGX_HTTP_ATELIER_GZIP_ONCE   (32 * 1024)
#define NGX_HTTP_ATELIER_GZIP_SLICE  (16 * 1024)

/* Pages that wait at most; one more stays without a gzip form. */
#define NGX_HTTP_ATELIER_GZIP_QUEUE  64


typedef struct {
    ngx_queue_t                   queue;
    ngx_pool_t                   *pool;
    ngx_http_atelier_cache_t     *cache;
    ngx_http_atelier_page_id_t    id;
    u_char                        etag[NGX_HTTP_ATELIER_ETAG_LEN];
    ngx_str_t                     plain;
    ngx_str_t                     gzip;
    z_stream                      z;
    unsigned                      begun:1;
} ngx_http_atelier_gzip_t;


static ngx_int_t ngx_http_atelier_gzip_init(z_stream *z, ngx_str_t *plain,
    ngx_str_t *gzip);
static void ngx_http_atelier_gzip_turn(ngx_event_t *ev);
static ngx_int_t ngx_http_atelier_gzip_slice(ngx_http_atelier_gzip_t *job);


static ngx_queue_t       ngx_http_atelier_gzip_jobs;
static ngx_uint_t        ngx_http_atelier_gzip_waiting;
static ngx_event_t       ngx_http_atelier_gzip_event;
static ngx_connection_t  ngx_http_atelier_gzip_dummy;


/* A body that does not get smaller has no gzip form. */

ngx_int_t
ngx_http_atelier_feed_gzip(ngx_str_t *plain, ngx_pool_t *pool,
    ngx_str_t *gzip)
{
    z_stream  z;

    ngx_str_null(gzip);

    if (plain->len < NGX_HTTP_ATELIER_GZIP_MIN
        || plain->len > NGX_HTTP_ATELIER_GZIP_ONCE)
    {
        return NGX_OK;
    }

    gzip->data = ngx_pnalloc(pool, plain->len);

    if (gzip->data == NULL
        || ngx_http_atelier_gzip_init(&z, plain, gzip) != NGX_OK)
    {
        return NGX_ERROR;
    }

    gzip->len = (deflate(&z, Z_FINISH) == Z_STREAM_END) ? z.total_out : 0;

    (void) deflateEnd(&z);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_gzip_init(z_stream *z, ngx_str_t *plain, ngx_str_t *gzip)
{
    int  level;

    ngx_memzero(z, sizeof(z_stream));

    level = (plain->len <= NGX_HTTP_ATELIER_GZIP_BEST) ? 6 : 1;

    if (deflateInit2(z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        return NGX_ERROR;
    }

    z->next_in = plain->data;
    z->avail_in = plain->len;
    z->next_out = gzip->data;
    z->avail_out = plain->len;

    return NGX_OK;
}


void
ngx_http_atelier_feed_compress(ngx_http_atelier_cache_t *cache,
    const ngx_http_atelier_page_id_t *id, ngx_http_atelier_page_t *page)
{
    ngx_pool_t               *pool;
    ngx_event_t              *ev;
    ngx_http_atelier_gzip_t  *job;

    if (page->plain.len <= NGX_HTTP_ATELIER_GZIP_ONCE
        || ngx_http_atelier_gzip_waiting == NGX_HTTP_ATELIER_GZIP_QUEUE)
    {
        return;
    }

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_atelier_gzip_t));
    if (job == NULL) {
        goto failed;
    }

    job->pool = pool;
    job->cache = cache;
    job->id = *id;
    ngx_memcpy(job->etag, page->etag, NGX_HTTP_ATELIER_ETAG_LEN);

    job->plain.len = page->plain.len;
    job->plain.data = ngx_pstrdup(pool, &page->plain);
    job->gzip.data = ngx_pnalloc(pool, page->plain.len);

    if (job->plain.data == NULL || job->gzip.data == NULL) {
        goto failed;
    }

    ev = &ngx_http_atelier_gzip_event;

    if (ev->handler == NULL) {
        ngx_queue_init(&ngx_http_atelier_gzip_jobs);

        ngx_http_atelier_gzip_dummy.fd = (ngx_socket_t) -1;
        ev->handler = ngx_http_atelier_gzip_turn;
        ev->data = &ngx_http_atelier_gzip_dummy;
        ev->log = ngx_cycle->log;
    }

    ngx_queue_insert_tail(&ngx_http_atelier_gzip_jobs, &job->queue);
    ngx_http_atelier_gzip_waiting++;

    if (!ev->timer_set) {
        ngx_add_timer(ev, 0);
    }

    return;

failed:

    ngx_destroy_pool(pool);
}


static void
ngx_http_atelier_gzip_turn(ngx_event_t *ev)
{
    ngx_int_t                 rc;
    ngx_queue_t              *q;
    ngx_http_atelier_gzip_t  *job;

    q = ngx_queue_head(&ngx_http_atelier_gzip_jobs);
    job = ngx_queue_data(q, ngx_http_atelier_gzip_t, queue);

    rc = ngx_http_atelier_gzip_slice(job);

    if (rc == NGX_OK) {
        (void) ngx_http_atelier_cache_put_gzip(job->cache, &job->id,
                                               job->etag, &job->gzip);
    }

    if (rc != NGX_AGAIN) {
        if (job->begun) {
            (void) deflateEnd(&job->z);
        }

        ngx_queue_remove(q);
        ngx_http_atelier_gzip_waiting--;
        ngx_destroy_pool(job->pool);
    }

    if (ngx_http_atelier_gzip_waiting) {
        ngx_add_timer(ev, 0);
    }
}


/* NGX_OK: that was the last; NGX_DECLINED: there is no such form. */

static ngx_int_t
ngx_http_atelier_gzip_slice(ngx_http_atelier_gzip_t *job)
{
    int     rc;
    size_t  left;

    if (!job->begun) {
        if (ngx_http_atelier_gzip_init(&job->z, &job->plain, &job->gzip)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        job->begun = 1;
    }

    left = job->plain.data + job->plain.len - job->z.next_in;
    job->z.avail_in = ngx_min(left, NGX_HTTP_ATELIER_GZIP_SLICE);

    rc = deflate(&job->z, (job->z.avail_in == left) ? Z_FINISH : Z_NO_FLUSH);

    if (rc == Z_STREAM_END) {
        job->gzip.len = job->z.total_out;
        return NGX_OK;
    }

    /* no room for it means that it did not get smaller */

    return (rc == Z_OK && job->z.avail_out) ? NGX_AGAIN : NGX_DECLINED;
}
