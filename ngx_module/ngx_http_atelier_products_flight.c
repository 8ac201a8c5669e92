/*
 * Flights of /products: one per page that is being got, in each worker.
 *
 * A flight looks for its page in Redis, then asks PostgreSQL.  For a query it
 * then asks the shops, unless they were asked lately; where nothing at all is
 * known it waits for them, a bounded time that begins when they were asked, on
 * whatever node, and asks PostgreSQL once more.
 *
 * A flight has a pool of its own and ends by itself: every step has its
 * answer, or is given up, in a bounded time.  Readers come and leave.
 */

#include "ngx_http_atelier_products.h"


/* After a page that could not be made nobody tries again for so many ms. */
#define NGX_HTTP_ATELIER_PRODUCTS_QUIET  1000


static ngx_http_atelier_products_flight_t *
    ngx_http_atelier_products_flight_create(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask);
static void ngx_http_atelier_products_timer(ngx_event_t *ev);
static void ngx_http_atelier_products_looked(void *data, redisReply *reply);
static void ngx_http_atelier_products_search(
    ngx_http_atelier_products_flight_t *f);
static void ngx_http_atelier_products_found(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_products_shops(
    ngx_http_atelier_products_flight_t *f);
static void ngx_http_atelier_products_asked(void *data, redisReply *reply);
static void ngx_http_atelier_products_heard(void *data);
static void ngx_http_atelier_products_made(
    ngx_http_atelier_products_flight_t *f, ngx_uint_t refreshing);
static void ngx_http_atelier_products_failed(
    ngx_http_atelier_products_flight_t *f);
static void ngx_http_atelier_products_deliver(
    ngx_http_atelier_products_flight_t *f, ngx_http_atelier_cache_e how);
static ngx_int_t ngx_http_atelier_products_answer(void *data,
    ngx_http_request_t *r, ngx_http_atelier_cache_e how);
static void ngx_http_atelier_products_end(
    ngx_http_atelier_products_flight_t *f);


static ngx_http_atelier_readers_table_t  ngx_http_atelier_products_flights;


ngx_int_t
ngx_http_atelier_products_join(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask, ngx_http_atelier_reader_t *reader)
{
    ngx_http_atelier_readers_t          *readers;
    ngx_http_atelier_products_flight_t  *f;

    readers = ngx_http_atelier_readers_find(&ngx_http_atelier_products_flights,
                                            &ask->id);
    if (readers == NULL) {
        f = ngx_http_atelier_products_flight_create(r, ask);

        if (f == NULL) {
            return NGX_ERROR;
        }

        /* begun at the end of this turn, when whoever joins has joined */

        ngx_post_event(&f->timer, &ngx_posted_events);

        readers = &f->readers;
    }

    if (reader) {
        ngx_http_atelier_reader_join(reader, readers);
    }

    return NGX_OK;
}


static ngx_http_atelier_products_flight_t *
ngx_http_atelier_products_flight_create(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask)
{
    ngx_str_t                            args, product, *request_id;
    ngx_pool_t                          *pool;
    at_args_error_t                      error;
    ngx_http_atelier_products_flight_t  *f;

    pool = ngx_create_pool(8192, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    f = ngx_pcalloc(pool, sizeof(ngx_http_atelier_products_flight_t));
    if (f == NULL) {
        goto failed;
    }

    request_id = ngx_http_atelier_request_id(r);

    f->pool = pool;
    f->conf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    f->shared = NGX_ERROR;
    f->request_id.len = request_id->len;
    f->request_id.data = ngx_pstrdup(pool, request_id);

    args.len = r->args.len;
    args.data = args.len ? ngx_pstrdup(pool, &r->args) : (u_char *) "";

    product = ngx_http_atelier_ngx_str(ask->product);
    product.data = product.len ? ngx_pstrdup(pool, &product) : (u_char *) "";

    if (f->request_id.data == NULL || args.data == NULL
        || product.data == NULL
        || ngx_http_atelier_products_read(&f->ask, ask->kind,
                                          ngx_http_atelier_str(&product),
                                          &args, &error)
           != NGX_OK)
    {
        goto failed;
    }

    f->dummy.fd = (ngx_socket_t) -1;
    f->timer.handler = ngx_http_atelier_products_timer;
    f->timer.data = &f->dummy;
    f->timer.log = ngx_cycle->log;
    f->wait.handler = ngx_http_atelier_products_heard;
    f->wait.data = f;

    f->readers.id = &f->ask.id;
    f->readers.answer = ngx_http_atelier_products_answer;
    f->readers.data = f;

    ngx_http_atelier_readers_init(&ngx_http_atelier_products_flights,
                                  &f->readers);

    return f;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


/* It begins; or the shops were waited for in vain: what is there by now? */

static void
ngx_http_atelier_products_timer(ngx_event_t *ev)
{
    ngx_http_atelier_products_flight_t  *f;

    f = ngx_queue_data(ev, ngx_http_atelier_products_flight_t, timer);

    f->generation = ngx_http_atelier_cache_generation(f->conf->cache);

    if (f->begun) {
        ngx_http_atelier_shop_leave(&f->wait);
        (void) ngx_atomic_fetch_add(&f->conf->cache->stats->shop_late, 1);

        f->late = 1;
        ngx_http_atelier_products_search(f);
        return;
    }

    f->begun = 1;

    if (ngx_http_atelier_products_recall(f, ngx_http_atelier_products_looked)
        != NGX_OK)
    {
        ngx_http_atelier_products_search(f);
    }
}


static void
ngx_http_atelier_products_looked(void *data, redisReply *reply)
{
    ngx_http_atelier_products_flight_t *f = data;

    if (ngx_http_atelier_products_recalled(f, reply) == NGX_OK) {
        ngx_http_atelier_products_deliver(f, NGX_HTTP_ATELIER_CACHE_L2);
        return;
    }

    ngx_http_atelier_products_search(f);
}


static void
ngx_http_atelier_products_search(ngx_http_atelier_products_flight_t *f)
{
    f->op = ngx_http_atelier_products_query(f,
                                            ngx_http_atelier_products_found);

    if (f->op == NULL) {
        ngx_http_atelier_products_failed(f);
    }
}


static void
ngx_http_atelier_products_found(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_products_flight_t *f = data;

    f->op = NULL;

    if (rc != NGX_OK || ngx_http_atelier_products_rows(f, res) != NGX_OK) {
        ngx_http_atelier_products_failed(f);
        return;
    }

    if (f->nothing) {
        ngx_http_atelier_cache_put_none(f->conf->cache, f->ask.none,
                                        ngx_min(f->conf->products->fresh,
                                            NGX_HTTP_ATELIER_PRODUCTS_NONE),
                                        f->generation);
        ngx_http_atelier_products_deliver(f, NGX_HTTP_ATELIER_CACHE_MISS);
        return;
    }

    if (f->done || f->late) {
        ngx_http_atelier_products_made(f, f->late);
        return;
    }

    ngx_http_atelier_products_shops(f);
}


/* They are asked for what somebody looks for, not for lists of everything. */

static void
ngx_http_atelier_products_shops(ngx_http_atelier_products_flight_t *f)
{
    ngx_http_atelier_shop_job_t  job;

    if (f->ask.kind == NGX_HTTP_ATELIER_PRODUCTS_LIST
        && (f->ask.args.query.len || f->ask.args.category.len))
    {
        ngx_memzero(&job, sizeof(ngx_http_atelier_shop_job_t));

        job.query = f->ask.args.query;
        job.category = f->ask.args.category;
        job.request_id = f->request_id;
        job.refresh = f->conf->products->refresh;

        at_shop_key(job.query, job.category, job.key);

        /* they may be done before we hear that they were asked */

        if (f->empty) {
            ngx_http_atelier_shop_join(&f->wait, job.key);
        }

        f->asking = ngx_http_atelier_shop_ask(&job,
                                              ngx_http_atelier_products_asked,
                                              f);
        if (f->asking) {
            return;
        }

        ngx_http_atelier_shop_leave(&f->wait);
    }

    ngx_http_atelier_products_made(f, 0);
}


static void
ngx_http_atelier_products_asked(void *data, redisReply *reply)
{
    ngx_http_atelier_products_flight_t *f = data;

    ngx_uint_t                       pending;
    ngx_http_atelier_shop_answer_t   answer;
    ngx_http_atelier_cache_stats_t  *stats;

    f->asking = NULL;
    stats = f->conf->cache->stats;

    ngx_http_atelier_shop_answer(reply, &answer);

    if (answer.state == NGX_HTTP_ATELIER_SHOP_ASKED) {
        (void) ngx_atomic_fetch_add(&stats->shop_jobs, 1);
    }

    if (f->done) {
        ngx_http_atelier_products_search(f);
        return;
    }

    pending = (answer.state == NGX_HTTP_ATELIER_SHOP_ASKED
               || answer.state == NGX_HTTP_ATELIER_SHOP_PENDING)
              && answer.ago < NGX_HTTP_ATELIER_SHOP_PATIENCE;

    if (pending && f->empty && answer.ago < f->conf->products->wait
        && ngx_http_atelier_shop_listens())
    {
        (void) ngx_atomic_fetch_add(&stats->shop_waits, 1);

        ngx_add_timer(&f->timer, f->conf->products->wait - answer.ago);
        return;
    }

    ngx_http_atelier_shop_leave(&f->wait);
    ngx_http_atelier_products_made(f, pending);
}


static void
ngx_http_atelier_products_heard(void *data)
{
    ngx_http_atelier_products_flight_t *f = data;

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    f->done = 1;
    f->generation = ngx_http_atelier_cache_generation(f->conf->cache);

    if (f->asking == NULL) {
        ngx_http_atelier_products_search(f);
    }
}


static void
ngx_http_atelier_products_made(ngx_http_atelier_products_flight_t *f,
    ngx_uint_t refreshing)
{
    if (ngx_http_atelier_products_render(f, refreshing) != NGX_OK) {
        ngx_http_atelier_products_failed(f);
        return;
    }

    ngx_http_atelier_products_deliver(f, NGX_HTTP_ATELIER_CACHE_MISS);
}


/* Whoever waits gets an old page, of L1 or of Redis, if there is one. */

static void
ngx_http_atelier_products_failed(ngx_http_atelier_products_flight_t *f)
{
    ngx_http_atelier_cache_quiet(f->conf->cache, &f->ask.id,
                                 NGX_HTTP_ATELIER_PRODUCTS_QUIET);

    ngx_http_atelier_products_deliver(f, NGX_HTTP_ATELIER_CACHE_STALE);
}


static void
ngx_http_atelier_products_deliver(ngx_http_atelier_products_flight_t *f,
    ngx_http_atelier_cache_e how)
{
    ngx_http_atelier_readers_close(&f->readers);
    ngx_http_atelier_readers_answer(&f->readers, how);

    ngx_http_atelier_products_end(f);
}


/* Each reader gets a copy: the flight ends before the last byte is sent. */

static ngx_int_t
ngx_http_atelier_products_answer(void *data, ngx_http_request_t *r,
    ngx_http_atelier_cache_e how)
{
    ngx_http_atelier_products_flight_t *f = data;

    ngx_int_t                rc;
    ngx_uint_t               refresh;
    ngx_http_atelier_page_t  page;

    if (f->nothing) {
        return ngx_http_atelier_products_nothing(r, how);
    }

    if (how == NGX_HTTP_ATELIER_CACHE_STALE) {
        rc = ngx_http_atelier_products_cached(r, &f->ask.id, 0, &refresh);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (!f->got) {
        return ngx_http_atelier_products_away(r);
    }

    if (ngx_http_atelier_page_copy(r, &f->page, &page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_atelier_products_send(r, &page, how);
}


static void
ngx_http_atelier_products_end(ngx_http_atelier_products_flight_t *f)
{
    ngx_http_atelier_readers_close(&f->readers);

    if (f->timer.posted) {
        ngx_delete_posted_event(&f->timer);
    }

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }

    ngx_http_atelier_snapshot_forget(&f->recall);
    ngx_http_atelier_shop_leave(&f->wait);

    if (f->op) {
        ngx_http_atelier_postgres_forget(f->op);
    }

    if (f->asking) {
        ngx_http_atelier_redis_forget(f->asking);
    }

    ngx_destroy_pool(f->pool);
}
