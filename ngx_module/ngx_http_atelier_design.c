/*
 * GET /designs/{id}: one design.
 *
 * In L1 it is a page like any other.  One that is not there, or no longer
 * fresh, is asked of PostgreSQL, where atelier-feed stores what it sees, then
 * of the snapshot in Redis that showed it last: a design that somebody has
 * just seen may not be stored yet.  An older page is shown only when neither
 * could say.
 *
 * The state lives in the request's pool.  A request that dies forgets what it
 * asked for, which is a look-up by a key and cheap to do again.
 */

#include "ngx_http_atelier_designs.h"
#include "ngx_http_atelier_likes.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_snapshot.h"
#include "feed/at_feed_id.h"


#define NGX_HTTP_ATELIER_DESIGN_RETRY  2        /* s, for Retry-After */


typedef struct {
    ngx_http_request_t              *request;
    ngx_http_atelier_main_conf_t    *conf;
    ngx_http_atelier_postgres_op_t  *op;
    ngx_http_atelier_redis_op_t     *finding;
    at_str_t                         id;
    ngx_http_atelier_page_id_t       place;     /* in L1 */
    ngx_uint_t                       generation;
    ngx_str_t                        text;      /* "design=ID" */
    ngx_uint_t                       unsure;    /* one of them did not say */
} ngx_http_atelier_design_t;


static ngx_int_t ngx_http_atelier_design_get(ngx_http_request_t *r,
    at_str_t id);
static ngx_int_t ngx_http_atelier_design_place(ngx_http_atelier_design_t *d);
static ngx_int_t ngx_http_atelier_design_ask(ngx_http_atelier_design_t *d);
static void ngx_http_atelier_design_stored(void *data, ngx_int_t rc,
    PGresult *res);
static ngx_int_t ngx_http_atelier_design_look(ngx_http_atelier_design_t *d);
static void ngx_http_atelier_design_seen(void *data, redisReply *reply);
static void ngx_http_atelier_design_end(ngx_http_request_t *r, ngx_int_t rc);
static ngx_int_t ngx_http_atelier_design_send(ngx_http_atelier_design_t *d,
    ngx_http_atelier_card_t *card, ngx_http_atelier_cache_e how);
static ngx_int_t ngx_http_atelier_design_render(ngx_http_atelier_design_t *d,
    ngx_http_atelier_card_t *card, ngx_http_atelier_page_t *page);
static ngx_int_t ngx_http_atelier_design_none(ngx_http_atelier_design_t *d);
static void ngx_http_atelier_design_cleanup(void *data);


static const char  ngx_http_atelier_design_sql[] =
    "SELECT d.data::text, coalesce((SELECT l.n FROM atelier.design_likes l "
                                   "WHERE l.design_id = d.id), 0) "
    "FROM atelier.design d WHERE d.id = $1";


/* The address is that of the location, and "/ID". */

ngx_int_t
ngx_http_atelier_design_handler(ngx_http_request_t *r)
{
    at_str_t                   id;
    ngx_int_t                  rc;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* it may have been rewritten */

    if (r->uri.len < clcf->name.len + 2
        || ngx_memcmp(r->uri.data, clcf->name.data, clcf->name.len) != 0
        || r->uri.data[clcf->name.len] != '/')
    {
        return NGX_DECLINED;
    }

    id.data = (char *) r->uri.data + clcf->name.len + 1;
    id.len = r->uri.len - clcf->name.len - 1;

    if (memchr(id.data, '/', id.len)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (!at_feed_id_valid(id)) {
        return ngx_http_atelier_likes_invalid(r, id);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_atelier_design_get(r, id);
}


static ngx_int_t
ngx_http_atelier_design_get(ngx_http_request_t *r, at_str_t id)
{
    ngx_int_t                   rc;
    ngx_pool_cleanup_t         *cln;
    ngx_http_atelier_page_t     page;
    ngx_http_atelier_design_t  *d;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_design_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    d = cln->data;
    ngx_memzero(d, sizeof(ngx_http_atelier_design_t));

    d->request = r;
    d->conf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    d->id = id;

    if (ngx_http_atelier_design_place(d) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_atelier_cache_get(d->conf->cache, &d->place,
                                    ngx_http_atelier_page_gzip(r),
                                    ngx_http_atelier_page_etag(r), r->pool,
                                    &page);
    if (rc == NGX_OK) {
        return ngx_http_atelier_designs_send(r, &page,
                                             NGX_HTTP_ATELIER_CACHE_L1, NULL);
    }

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_atelier_design_cleanup;
    d->generation = ngx_http_atelier_cache_generation(d->conf->cache);

    r->main->count++;

    rc = ngx_http_atelier_design_ask(d);

    if (rc != NGX_DONE) {
        r->main->count--;
        return rc;
    }

    /* a client that leaves is noticed while it waits */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_atelier_design_place(ngx_http_atelier_design_t *d)
{
    u_char  *p;

    p = ngx_pnalloc(d->request->pool, sizeof("design=") + d->id.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    d->text.data = p;
    d->text.len = ngx_sprintf(p, "design=%*s", d->id.len, d->id.data) - p;

    ngx_memcpy(d->place.snapshot, "/designs/single/",
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    d->place.page = 1;

    at_hash128(d->text.data, d->text.len, d->place.feed);

    return NGX_OK;
}


/* NGX_DONE: the answer follows.  Else what to finalize with. */

static ngx_int_t
ngx_http_atelier_design_ask(ngx_http_atelier_design_t *d)
{
    ngx_str_t  param;

    param = ngx_http_atelier_ngx_str(d->id);

    d->op = ngx_http_atelier_postgres_query(ngx_http_atelier_design_sql, 1,
                                            &param,
                                            ngx_http_atelier_design_stored,
                                            d);
    if (d->op) {
        return NGX_DONE;
    }

    d->unsure |= (d->conf->postgres != NULL);

    return ngx_http_atelier_design_look(d);
}


static void
ngx_http_atelier_design_stored(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_design_t *d = data;

    ngx_int_t                likes;
    ngx_http_atelier_card_t  card;

    d->op = NULL;

    if (rc != NGX_OK || PQnfields(res) != 2) {
        d->unsure = 1;

    } else if (PQntuples(res) == 1 && PQgetlength(res, 0, 0) >= 2) {
        ngx_memzero(&card, sizeof(ngx_http_atelier_card_t));

        card.json.data = PQgetvalue(res, 0, 0);
        card.json.len = PQgetlength(res, 0, 0);

        likes = ngx_atoi((u_char *) PQgetvalue(res, 0, 1),
                         PQgetlength(res, 0, 1));
        card.likes = (likes == NGX_ERROR) ? 0 : likes;

        ngx_http_atelier_design_end(d->request,
                  ngx_http_atelier_design_send(d, &card,
                                               NGX_HTTP_ATELIER_CACHE_MISS));
        return;
    }

    ngx_http_atelier_design_end(d->request, ngx_http_atelier_design_look(d));
}


/* Returns as _ask(). */

static ngx_int_t
ngx_http_atelier_design_look(ngx_http_atelier_design_t *d)
{
    d->finding = ngx_http_atelier_snapshot_find(d->id,
                                                ngx_http_atelier_design_seen,
                                                d);
    if (d->finding) {
        return NGX_DONE;
    }

    d->unsure |= (d->conf->redis != NULL);

    return ngx_http_atelier_design_none(d);
}


static void
ngx_http_atelier_design_seen(void *data, redisReply *reply)
{
    ngx_http_atelier_design_t *d = data;

    ngx_int_t                rc;
    ngx_http_atelier_card_t  card;

    d->finding = NULL;

    switch (ngx_http_atelier_snapshot_found(reply, &card)) {

    case NGX_HTTP_ATELIER_SNAPSHOT_PAGE:
        rc = ngx_http_atelier_design_send(d, &card,
                                          NGX_HTTP_ATELIER_CACHE_L2);
        break;

    case NGX_HTTP_ATELIER_SNAPSHOT_NONE:
        rc = ngx_http_atelier_design_none(d);
        break;

    default:
        d->unsure = 1;
        rc = ngx_http_atelier_design_none(d);
    }

    ngx_http_atelier_design_end(d->request, rc);
}


static void
ngx_http_atelier_design_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t  *c;

    if (rc == NGX_DONE) {
        return;
    }

    c = r->connection;

    ngx_http_set_log_request(c->log, r);
    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_atelier_design_send(ngx_http_atelier_design_t *d,
    ngx_http_atelier_card_t *card, ngx_http_atelier_cache_e how)
{
    ngx_http_request_t       *r;
    ngx_http_atelier_page_t   page;

    r = d->request;

    if (ngx_http_atelier_design_render(d, card, &page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_atelier_cache_put(d->conf->cache, &d->place, &page)
        == NGX_OK)
    {
        ngx_http_atelier_feed_compress(d->conf->cache, &d->place, &page);
    }

    if (page.gzip.len && ngx_http_atelier_page_gzip(r)) {
        ngx_str_null(&page.plain);

    } else {
        ngx_str_null(&page.gzip);
    }

    return ngx_http_atelier_designs_send(r, &page, how, NULL);
}


static ngx_int_t
ngx_http_atelier_design_render(ngx_http_atelier_design_t *d,
    ngx_http_atelier_card_t *card, ngx_http_atelier_page_t *page)
{
    int          rc;
    u_char      *p;
    uint8_t      hash[AT_HASH_BYTES];
    at_buf_t     body;
    ngx_str_t    text;
    ngx_pool_t  *pool;

    pool = d->request->pool;

    ngx_memzero(page, sizeof(ngx_http_atelier_page_t));
    ngx_memzero(&body, sizeof(at_buf_t));

    rc = ngx_http_atelier_feed_card(&body, card);
    rc |= at_buf_append_str(&body, AT_STR("\n"));

    text.data = body.data;
    text.len = body.len;

    page->plain.len = text.len;
    page->plain.data = (rc == AT_OK) ? ngx_pstrdup(pool, &text) : NULL;

    at_buf_free(&body);

    p = ngx_pnalloc(pool, sizeof("designs ") + d->id.len);

    if (page->plain.data == NULL || p == NULL
        || ngx_http_atelier_feed_gzip(&page->plain, pool, &page->gzip)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    page->tag.data = p;
    page->tag.len = ngx_sprintf(p, "designs %*s", d->id.len, d->id.data) - p;

    at_hash128(page->plain.data, page->plain.len, hash);
    at_hash_hex(hash, (char *) page->etag);

    page->text = d->text;
    page->generation = d->generation;
    page->created = ngx_current_msec;
    page->fresh = d->conf->feed_fresh;
    page->stale = page->fresh + d->conf->feed_stale;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_design_none(ngx_http_atelier_design_t *d)
{
    ngx_int_t                    rc;
    ngx_uint_t                   refresh;
    ngx_http_atelier_problem_t   problem;

    if (!d->unsure) {
        return ngx_http_atelier_problem_simple(d->request, NGX_HTTP_NOT_FOUND,
                                               "not_found",
                                               "There is no design of that "
                                               "id.");
    }

    rc = ngx_http_atelier_designs_cached(d->request, &d->place,
                                         NGX_HTTP_ATELIER_CACHE_L1, &refresh);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "design_unavailable";
    problem.detail = "Designs cannot be looked up now; send the request "
                     "again after the time in Retry-After.";
    problem.retry_after = NGX_HTTP_ATELIER_DESIGN_RETRY;

    return ngx_http_atelier_problem(d->request, &problem);
}


static void
ngx_http_atelier_design_cleanup(void *data)
{
    ngx_http_atelier_design_t *d = data;

    if (d->op) {
        ngx_http_atelier_postgres_forget(d->op);
    }

    if (d->finding) {
        ngx_http_atelier_redis_forget(d->finding);
    }
}
