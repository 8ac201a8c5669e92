/*
 * Flights of /designs: one per page that is being got, in each worker.
 *
 * A flight looks for its page in L2; where that has none, or too little, it
 * sends an errand to /fill and looks again.  Where somebody else is filling
 * the feed (the lease in L1 says so), it polls until he has done, or is gone.
 * All readers of the page wait in one queue.
 *
 * A flight has a pool of its own and ends by itself, bounded by its deadline:
 * readers come and leave, and one that only refreshes has none.  It is found
 * by the id that was asked for.
 */

#include "ngx_http_atelier_flight.h"
#include "ngx_http_atelier_fill.h"


/* What may pass beyond the deadline of a fill before readers are answered. */
#define NGX_HTTP_ATELIER_FLIGHT_GRACE  400

/* A fill that begins late may last so many ms all the same. */
#define NGX_HTTP_ATELIER_FLIGHT_AGAIN  1000

/* A poll of somebody else's lease, in ms, and so much more at random. */
#define NGX_HTTP_ATELIER_POLL          10

/* The same of a lease over nodes, for which a fill has to ask. */
#define NGX_HTTP_ATELIER_POLL_AWAY     50

/* Fills that one flight asks for. */
#define NGX_HTTP_ATELIER_FILLS         2

/* After a refresh that failed nobody tries again for so many ms. */
#define NGX_HTTP_ATELIER_QUIET         5000


static ngx_http_atelier_flight_t *ngx_http_atelier_flight_create(
    ngx_http_request_t *r, ngx_http_atelier_page_id_t *id, ngx_str_t *raw);
static void ngx_http_atelier_flight_look(ngx_http_atelier_flight_t *f);
static void ngx_http_atelier_flight_recalled(void *data, redisReply *reply);
static void ngx_http_atelier_flight_looked(void *data, redisReply *reply);
static void ngx_http_atelier_flight_page(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice);
static void ngx_http_atelier_flight_fill(ngx_http_atelier_flight_t *f);
static ngx_msec_t ngx_http_atelier_flight_left(ngx_http_atelier_flight_t *f);
static void ngx_http_atelier_flight_filled(void *data, ngx_uint_t status);
static void ngx_http_atelier_flight_wait(ngx_http_atelier_flight_t *f);
static void ngx_http_atelier_flight_poll(ngx_event_t *ev);
static void ngx_http_atelier_flight_deadline(ngx_event_t *ev);
static void ngx_http_atelier_flight_failed(ngx_http_atelier_flight_t *f);
static void ngx_http_atelier_flight_deliver(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_cache_e how);
static ngx_int_t ngx_http_atelier_flight_answer(void *data,
    ngx_http_request_t *r, ngx_http_atelier_cache_e how);
static void ngx_http_atelier_flight_end(ngx_http_atelier_flight_t *f);


static ngx_http_atelier_readers_table_t  ngx_http_atelier_flights;


ngx_int_t
ngx_http_atelier_flight_join(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_str_t *raw,
    ngx_http_atelier_reader_t *reader)
{
    ngx_http_atelier_flight_t   *f;
    ngx_http_atelier_readers_t  *readers;

    readers = ngx_http_atelier_readers_find(&ngx_http_atelier_flights, id);

    if (readers == NULL) {
        f = ngx_http_atelier_flight_create(r, id, raw);

        if (f == NULL) {
            return NGX_ERROR;
        }

        /* begun at the end of this turn, when whoever joins has joined */

        ngx_post_event(&f->poll, &ngx_posted_events);

        readers = &f->readers;
    }

    if (reader) {
        ngx_http_atelier_reader_join(reader, readers);
    }

    return NGX_OK;
}


static ngx_http_atelier_flight_t *
ngx_http_atelier_flight_create(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_str_t *raw)
{
    ngx_str_t                    args, *request_id;
    ngx_pool_t                  *pool;
    at_args_error_t              error;
    ngx_http_atelier_flight_t   *f;

    pool = ngx_create_pool(8192, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    f = ngx_pcalloc(pool, sizeof(ngx_http_atelier_flight_t));
    if (f == NULL) {
        goto failed;
    }

    request_id = ngx_http_atelier_request_id(r);

    f->pool = pool;
    f->id = *id;
    f->until = ngx_current_msec + NGX_HTTP_ATELIER_FILL_DEADLINE;
    f->conf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    f->generation = ngx_http_atelier_cache_generation(f->conf->cache);
    f->request_id.len = request_id->len;
    f->request_id.data = ngx_pstrdup(pool, request_id);

    args.len = raw->len;
    args.data = raw->len ? ngx_pstrdup(pool, raw) : (u_char *) "";

    if (f->request_id.data == NULL || args.data == NULL
        || ngx_http_atelier_feed_parse(&f->feed, &args, &error) != NGX_OK)
    {
        goto failed;
    }

    f->dummy.fd = (ngx_socket_t) -1;
    f->poll.handler = ngx_http_atelier_flight_poll;
    f->poll.data = &f->dummy;
    f->poll.log = ngx_cycle->log;
    f->deadline.handler = ngx_http_atelier_flight_deadline;
    f->deadline.data = &f->dummy;
    f->deadline.log = ngx_cycle->log;

    ngx_add_timer(&f->deadline, NGX_HTTP_ATELIER_FILL_DEADLINE
                                + NGX_HTTP_ATELIER_FLIGHT_GRACE);

    f->readers.id = &f->id;
    f->readers.answer = ngx_http_atelier_flight_answer;
    f->readers.data = f;

    ngx_http_atelier_readers_init(&ngx_http_atelier_flights, &f->readers);

    return f;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static void
ngx_http_atelier_flight_look(ngx_http_atelier_flight_t *f)
{
    ngx_http_atelier_page_id_t  id;

    f->generation = ngx_http_atelier_cache_generation(f->conf->cache);

    /*
     * What readers saw while Redis was away it does not know when it comes
     * back: from there on the snapshot goes on in L1
     */

    if (f->id.page > 1 && !f->local) {
        f->local = ngx_http_atelier_cache_local(f->conf->cache, &f->id);
    }

    if (!f->local && !f->filled && !f->last && !f->recalled) {
        f->recalled = 1;

        if (ngx_http_atelier_flight_recall(f, ngx_http_atelier_flight_recalled)
            == NGX_OK)
        {
            return;
        }
    }

    if (!f->local) {
        f->op = ngx_http_atelier_snapshot_page(&f->feed, f->conf->feed_fresh,
                                               f->conf->feed_stale,
                                               (f->filled || f->last)
                                               ? NGX_HTTP_ATELIER_TAKE
                                               : NGX_HTTP_ATELIER_ASK,
                                               ngx_http_atelier_flight_looked,
                                               f);
        if (f->op) {
            return;
        }
    }

    /* L1 is all there is; a fill leaves the page there */

    id = f->id;

    if (ngx_http_atelier_cache_peek(f->conf->cache, &id) == NGX_OK) {
        ngx_http_atelier_flight_deliver(f, f->filled
                                           ? NGX_HTTP_ATELIER_CACHE_MISS
                                           : NGX_HTTP_ATELIER_CACHE_L1);
        return;
    }

    if (f->id.snapshot[0] && !ngx_http_atelier_flight_trail(f)
        && ngx_http_atelier_flight_restart(f))
    {
        ngx_http_atelier_flight_deliver(f, NGX_HTTP_ATELIER_CACHE_MISS);
        return;
    }

    if (f->filled || f->last) {
        ngx_http_atelier_flight_failed(f);
        return;
    }

    ngx_http_atelier_flight_fill(f);
}


static void
ngx_http_atelier_flight_recalled(void *data, redisReply *reply)
{
    ngx_http_atelier_flight_t *f = data;

    if (ngx_http_atelier_flight_made(f, reply) == NGX_OK) {
        ngx_http_atelier_flight_deliver(f, NGX_HTTP_ATELIER_CACHE_L2);
        return;
    }

    ngx_http_atelier_flight_look(f);
}


static void
ngx_http_atelier_flight_looked(void *data, redisReply *reply)
{
    ngx_http_atelier_flight_t *f = data;

    ngx_http_atelier_slice_t  slice;

    f->op = NULL;

    switch (ngx_http_atelier_snapshot_page_reply(reply, f->pool, &slice)) {

    case NGX_HTTP_ATELIER_SNAPSHOT_PAGE:

        if (slice.restarted && ngx_http_atelier_flight_trail(f)) {
            break;
        }

        ngx_http_atelier_flight_page(f, &slice);
        return;

    case NGX_HTTP_ATELIER_SNAPSHOT_NONE:

        /* a fill that lost Redis on its way left its pages in L1 */

        if (!ngx_http_atelier_flight_trail(f)) {
            f->local = f->filled;
        }

        break;

    case NGX_HTTP_ATELIER_SNAPSHOT_SHORT:
        if (slice.restarted) {
            (void) ngx_http_atelier_flight_trail(f);
        }

        break;

    default:

        /* it was there a moment ago; a fill will see how it is now */

        f->local = 1;
        break;
    }

    if (f->local && (f->filled || f->last)) {
        ngx_http_atelier_flight_look(f);
        return;
    }

    if (f->filled || f->last) {
        ngx_http_atelier_flight_failed(f);
        return;
    }

    ngx_http_atelier_flight_fill(f);
}


/* The page, or an old first one that is to be followed by another. */

static void
ngx_http_atelier_flight_page(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice)
{
    ngx_http_atelier_cache_e  how;

    if (ngx_http_atelier_flight_render(f, slice) != NGX_OK) {
        ngx_http_atelier_flight_failed(f);
        return;
    }

    if (slice->expired) {
        how = NGX_HTTP_ATELIER_CACHE_STALE;

    } else {
        how = f->filled ? NGX_HTTP_ATELIER_CACHE_MISS
                        : NGX_HTTP_ATELIER_CACHE_L2;
    }

    if (slice->expired && !f->filled && !f->last) {
        ngx_http_atelier_readers_answer(&f->readers, how);
        f->got = 0;
        ngx_http_atelier_flight_fill(f);
        return;
    }

    if (slice->expired) {
        ngx_http_atelier_flight_failed(f);
        return;
    }

    ngx_http_atelier_flight_deliver(f, how);
}


static void
ngx_http_atelier_flight_fill(ngx_http_atelier_flight_t *f)
{
    at_buf_t   b;
    ngx_str_t  path;

    if (ngx_http_atelier_cache_leased(f->conf->cache, f->id.feed)) {
        ngx_http_atelier_flight_wait(f);
        return;
    }

    ngx_memzero(&b, sizeof(at_buf_t));

    if (at_buf_append_str(&b, AT_STR("/fill?")) != AT_OK
        || ngx_http_atelier_feed_args(&b, &f->feed, f->feed.args.page,
                                      f->id.snapshot)
           != AT_OK
        || at_buf_printf(&b, "&within=%lu",
                         (unsigned long) ngx_http_atelier_flight_left(f))
           != AT_OK
        || (f->local && at_buf_append_str(&b, AT_STR("&local=1")) != AT_OK))
    {
        at_buf_free(&b);
        ngx_http_atelier_flight_failed(f);
        return;
    }

    path.data = b.data;
    path.len = b.len;

    f->errand = ngx_http_atelier_egress_ask(f->conf->egress, &path,
                                            &f->request_id,
                                            ngx_http_atelier_flight_filled,
                                            f);
    at_buf_free(&b);

    if (f->errand == NULL) {
        f->last = 1;
        ngx_http_atelier_flight_look(f);
    }
}


/*
 * How long a fill may last that begins now: to the deadline of the readers, or
 * long enough to be of use to those who come later.  Readers wait for that
 * only once, if who filled before died late; never for another node.
 */

static ngx_msec_t
ngx_http_atelier_flight_left(ngx_http_atelier_flight_t *f)
{
    ngx_msec_int_t  left;

    left = (ngx_msec_int_t) (f->until - ngx_current_msec);

    if (left >= NGX_HTTP_ATELIER_FLIGHT_AGAIN) {
        return left;
    }

    if (!f->away && !f->again) {
        f->again = 1;
        f->until = ngx_current_msec + NGX_HTTP_ATELIER_FLIGHT_AGAIN;

        ngx_add_timer(&f->deadline, NGX_HTTP_ATELIER_FLIGHT_AGAIN
                                    + NGX_HTTP_ATELIER_FLIGHT_GRACE);
    }

    return NGX_HTTP_ATELIER_FLIGHT_AGAIN;
}


/* What the status means is in ngx_http_atelier_fill.c. */

static void
ngx_http_atelier_flight_filled(void *data, ngx_uint_t status)
{
    ngx_http_atelier_flight_t *f = data;

    f->errand = NULL;

    if (status == NGX_HTTP_OK) {
        f->filled = 1;

    } else if (status == NGX_HTTP_SERVICE_UNAVAILABLE
               || (status != NGX_HTTP_CONFLICT
                   && f->fills >= NGX_HTTP_ATELIER_FILLS))
    {
        /* no source answered, or no fill comes to an end: what is there? */

        f->last = 1;

    } else {

        /* somebody else is at it, or it broke off: its lease will tell */

        ngx_http_atelier_flight_wait(f);
        return;
    }

    ngx_http_atelier_flight_look(f);
}


static void
ngx_http_atelier_flight_wait(ngx_http_atelier_flight_t *f)
{
    ngx_msec_t  ms;

    ms = f->away ? NGX_HTTP_ATELIER_POLL_AWAY : NGX_HTTP_ATELIER_POLL;

    ngx_add_timer(&f->poll, ms + ngx_random() % ms);
}


static void
ngx_http_atelier_flight_poll(ngx_event_t *ev)
{
    ngx_http_atelier_flight_t  *f;

    f = ngx_queue_data(ev, ngx_http_atelier_flight_t, poll);

    if (ngx_http_atelier_cache_leased(f->conf->cache, f->id.feed)) {
        f->away = 0;
        ngx_http_atelier_flight_wait(f);
        return;
    }

    ngx_http_atelier_flight_look(f);
}


/* Nothing may take longer: what is there now is the answer. */

static void
ngx_http_atelier_flight_deadline(ngx_event_t *ev)
{
    ngx_http_atelier_flight_t  *f;

    f = ngx_queue_data(ev, ngx_http_atelier_flight_t, deadline);

    if (f->poll.timer_set) {
        ngx_del_timer(&f->poll);
    }

    if (f->errand) {
        ngx_http_atelier_egress_forget(f->errand);
        f->errand = NULL;
    }

    ngx_http_atelier_snapshot_forget(&f->recall);

    if (f->op) {
        ngx_http_atelier_redis_forget(f->op);
        f->op = NULL;
    }

    if (f->last) {
        ngx_http_atelier_flight_failed(f);
        return;
    }

    f->last = 1;
    ngx_add_timer(&f->deadline, NGX_HTTP_ATELIER_FLIGHT_GRACE);

    ngx_http_atelier_flight_look(f);
}


/*
 * No page: a stale one is left alone for a while; whoever waits without one
 * gets what was stored of the feed, if that can be searched.
 */

static void
ngx_http_atelier_flight_failed(ngx_http_atelier_flight_t *f)
{
    ngx_http_atelier_page_id_t  id;

    id = f->id;
    ngx_http_atelier_cache_quiet(f->conf->cache, &id,
                                 NGX_HTTP_ATELIER_QUIET);

    if (!ngx_queue_empty(&f->readers.waiting) && !f->searched
        && ngx_http_atelier_cache_peek(f->conf->cache, &id) == NGX_DECLINED)
    {
        f->searched = 1;

        if (ngx_http_atelier_flight_search(f) == NGX_OK) {
            return;
        }
    }

    ngx_http_atelier_flight_deliver(f, NGX_HTTP_ATELIER_CACHE_STALE);
}


void
ngx_http_atelier_flight_found(ngx_http_atelier_flight_t *f)
{
    ngx_http_atelier_flight_deliver(f, NGX_HTTP_ATELIER_CACHE_STALE);
}


static void
ngx_http_atelier_flight_deliver(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_cache_e how)
{
    ngx_http_atelier_readers_close(&f->readers);
    ngx_http_atelier_readers_answer(&f->readers, how);

    ngx_http_atelier_flight_end(f);
}


/* Each reader gets a copy: the flight ends before the last byte is sent. */

static ngx_int_t
ngx_http_atelier_flight_answer(void *data, ngx_http_request_t *r,
    ngx_http_atelier_cache_e how)
{
    ngx_http_atelier_flight_t *f = data;

    ngx_int_t                    rc;
    ngx_str_t                    timing;
    ngx_uint_t                   refresh;
    ngx_http_atelier_page_t      page;
    ngx_http_atelier_page_id_t   id;

    if (!f->got) {
        id = f->id;
        rc = ngx_http_atelier_designs_cached(r, &id, how, &refresh);

        return (rc == NGX_DECLINED) ? ngx_http_atelier_designs_unavailable(r)
                                    : rc;
    }

    timing.len = f->timing.len;
    timing.data = ngx_pstrdup(r->pool, &f->timing);

    if (timing.data == NULL
        || ngx_http_atelier_page_copy(r, &f->page, &page) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_designs_send(r, &page, how, &timing);
}


static void
ngx_http_atelier_flight_end(ngx_http_atelier_flight_t *f)
{
    ngx_http_atelier_readers_close(&f->readers);

    if (f->poll.posted) {
        ngx_delete_posted_event(&f->poll);
    }

    if (f->poll.timer_set) {
        ngx_del_timer(&f->poll);
    }

    if (f->deadline.timer_set) {
        ngx_del_timer(&f->deadline);
    }

    ngx_http_atelier_snapshot_forget(&f->recall);

    if (f->op) {
        ngx_http_atelier_redis_forget(f->op);
    }

    if (f->errand) {
        ngx_http_atelier_egress_forget(f->errand);
    }

    if (f->search) {
        ngx_http_atelier_postgres_forget(f->search);
    }

    ngx_destroy_pool(f->pool);
}
