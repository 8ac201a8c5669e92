/*
 * A flight's page (see ngx_http_atelier_products.h): what PostgreSQL is asked
 * for it, how it is made of the answer, and where it is kept.
 *
 * The JSON is PostgreSQL's; what belongs to the moment is added at its end.
 */

#include "ngx_http_atelier_products.h"
#include "at_hash.h"


/* A list that the shops add to is fresh for so many ms. */
#define NGX_HTTP_ATELIER_PRODUCTS_MOMENT  1000


static ngx_str_t ngx_http_atelier_products_name(
    ngx_http_atelier_products_flight_t *f, u_char *p);
static ngx_int_t ngx_http_atelier_products_own(
    ngx_http_atelier_products_flight_t *f, ngx_str_t *part);
static ngx_int_t ngx_http_atelier_products_body(
    ngx_http_atelier_products_flight_t *f, ngx_uint_t refreshing,
    ngx_http_atelier_page_t *page);
static void ngx_http_atelier_products_share(
    ngx_http_atelier_products_flight_t *f);
static void ngx_http_atelier_products_keep(
    ngx_http_atelier_products_flight_t *f);


static const char  ngx_http_atelier_products_sql_list[] =
    "SELECT atelier.products_find($1::jsonb)::text";

static const char  ngx_http_atelier_products_sql_one[] =
    "SELECT atelier.product_json(p)::text FROM atelier.product p "
    "WHERE p.id = $1";

/* The newest are kept if there are very many. */

static const char  ngx_http_atelier_products_sql_history[] =
    "SELECT concat('{\"productId\":', to_json(p.id), ',\"days\":', $2::int, "
           "',\"points\":[', ("
        "SELECT string_agg(row_to_json(j)::text, ',' ORDER BY j.at) "
        "FROM (SELECT atelier.time_text(h.at) AS at, h.price, h.mrp, "
                     "h.currency, h.in_stock AS \"inStock\" "
              "FROM atelier.product_history(p.id, $2::int) h "
              "ORDER BY h.at DESC LIMIT 5000) AS j), ']}') "
    "FROM atelier.product p WHERE p.id = $1";


/* "atelier:page:p:", hash, ":page:perPage" */

static ngx_str_t
ngx_http_atelier_products_name(ngx_http_atelier_products_flight_t *f,
    u_char *p)
{
    ngx_str_t  name;

    name.data = p;

    p = ngx_sprintf(p, "atelier:page:p:");
    at_hash_hex(f->ask.id.feed, (char *) p);
    p = ngx_sprintf(p + AT_HASH_HEX, ":%uD:%uD", f->ask.id.page,
                    f->ask.id.per_page);

    name.len = p - name.data;

    return name;
}


ngx_int_t
ngx_http_atelier_products_recall(ngx_http_atelier_products_flight_t *f,
    ngx_http_atelier_redis_pt cb)
{
    u_char     text[96];
    ngx_str_t  name;

    name = ngx_http_atelier_products_name(f, text);

    return ngx_http_atelier_made_ask(&name, &f->recall, cb, f);
}


/* NGX_OK: it is fresh.  One that is not is held for when there is no other. */

ngx_int_t
ngx_http_atelier_products_recalled(ngx_http_atelier_products_flight_t *f,
    redisReply *reply)
{
    ngx_msec_t                age;
    ngx_http_atelier_slice_t  slice;

    f->shared = ngx_http_atelier_made_generation(reply);

    if (ngx_http_atelier_snapshot_recalled(&f->recall, reply, &slice, &f->page)
        != NGX_OK
        || ngx_http_atelier_products_own(f, &f->page.plain) != NGX_OK
        || ngx_http_atelier_products_own(f, &f->page.gzip) != NGX_OK
        || ngx_http_atelier_products_own(f, &f->page.tag) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    f->got = 1;
    age = ngx_current_msec - f->page.created;

    if (age >= f->page.fresh) {
        return NGX_DECLINED;
    }

    ngx_http_atelier_products_keep(f);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_products_own(ngx_http_atelier_products_flight_t *f,
    ngx_str_t *part)
{
    if (part->len) {
        part->data = ngx_pstrdup(f->pool, part);
    }

    return (part->len && part->data == NULL) ? NGX_ERROR : NGX_OK;
}


ngx_http_atelier_postgres_op_t *
ngx_http_atelier_products_query(ngx_http_atelier_products_flight_t *f,
    ngx_http_atelier_postgres_pt cb)
{
    u_char                           days[NGX_INT_T_LEN];
    at_buf_t                         b;
    ngx_str_t                        params[2];
    const char                      *sql;
    ngx_uint_t                       n;
    ngx_http_atelier_postgres_op_t  *op;

    ngx_memzero(&b, sizeof(at_buf_t));

    sql = ngx_http_atelier_products_sql_one;
    params[0] = ngx_http_atelier_ngx_str(f->ask.product);
    n = 1;

    if (f->ask.kind == NGX_HTTP_ATELIER_PRODUCTS_HISTORY) {
        sql = ngx_http_atelier_products_sql_history;
        params[1].data = days;
        params[1].len = ngx_sprintf(days, "%ud", f->ask.args.days) - days;
        n = 2;
    }

    if (f->ask.kind == NGX_HTTP_ATELIER_PRODUCTS_LIST) {
        sql = ngx_http_atelier_products_sql_list;

        if (at_shop_args_json(&f->ask.args, &b) != AT_OK) {
            at_buf_free(&b);
            return NULL;
        }

        params[0].data = b.data;
        params[0].len = b.len;
    }

    op = ngx_http_atelier_postgres_query(sql, n, params, cb, f);

    at_buf_free(&b);

    return op;
}


/* What comes is an object; the brace that ends it is left out. */

ngx_int_t
ngx_http_atelier_products_rows(ngx_http_atelier_products_flight_t *f,
    PGresult *res)
{
    static ngx_str_t  none = ngx_string("{\"total\":0,");

    if (f->ask.kind != NGX_HTTP_ATELIER_PRODUCTS_LIST
        && PQntuples(res) == 0)
    {
        f->nothing = 1;
        return NGX_OK;
    }

    if (PQntuples(res) != 1 || PQnfields(res) != 1
        || PQgetlength(res, 0, 0) < 2)
    {
        return NGX_ERROR;
    }

    f->body.data = (u_char *) PQgetvalue(res, 0, 0);
    f->body.len = PQgetlength(res, 0, 0) - 1;

    f->empty = (f->ask.kind == NGX_HTTP_ATELIER_PRODUCTS_LIST
                && f->body.len > none.len
                && ngx_memcmp(f->body.data, none.data, none.len) == 0);

    f->body.data = ngx_pstrdup(f->pool, &f->body);

    return f->body.data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_atelier_products_render(ngx_http_atelier_products_flight_t *f,
    ngx_uint_t refreshing)
{
    uint8_t                   hash[AT_HASH_BYTES];
    ngx_http_atelier_page_t   page;

    ngx_memzero(&page, sizeof(ngx_http_atelier_page_t));

    if (ngx_http_atelier_products_body(f, refreshing, &page) != NGX_OK
        || ngx_http_atelier_feed_gzip(&page.plain, f->pool, &page.gzip)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    at_hash128(page.plain.data, page.plain.len, hash);
    at_hash_hex(hash, (char *) page.etag);

    page.created = ngx_current_msec;
    page.fresh = f->conf->products->fresh;

    if (refreshing) {
        page.fresh = ngx_min(page.fresh, NGX_HTTP_ATELIER_PRODUCTS_MOMENT);
    }

    f->page = page;
    f->got = 1;

    ngx_http_atelier_products_keep(f);
    ngx_http_atelier_products_share(f);

    return NGX_OK;
}


/* And the tag, which is by what caches purge it. */

static ngx_int_t
ngx_http_atelier_products_body(ngx_http_atelier_products_flight_t *f,
    ngx_uint_t refreshing, ngx_http_atelier_page_t *page)
{
    u_char  *p, *tag;

    p = ngx_pnalloc(f->pool, f->body.len
                             + sizeof(",\"refreshing\":false}\n"));
    tag = ngx_pnalloc(f->pool, sizeof("products ") + f->ask.product.len);

    if (p == NULL || tag == NULL) {
        return NGX_ERROR;
    }

    page->plain.data = p;
    page->tag.data = tag;

    p = ngx_cpymem(p, f->body.data, f->body.len);
    tag = ngx_sprintf(tag, "products");

    if (f->ask.kind == NGX_HTTP_ATELIER_PRODUCTS_LIST) {
        p = ngx_sprintf(p, ",\"refreshing\":%s",
                        refreshing ? "true" : "false");

    } else {
        tag = ngx_sprintf(tag, " %*s", f->ask.product.len,
                          f->ask.product.data);
    }

    p = ngx_sprintf(p, "}\n");

    page->plain.len = p - page->plain.data;
    page->tag.len = tag - page->tag.data;

    return NGX_OK;
}


/* To other nodes; without Redis to none. */

static void
ngx_http_atelier_products_share(ngx_http_atelier_products_flight_t *f)
{
    u_char                    name[96];
    ngx_str_t                 key;
    ngx_http_atelier_slice_t  slice;

    if (f->shared == NGX_ERROR) {
        return;
    }

    ngx_memzero(&slice, sizeof(ngx_http_atelier_slice_t));
    ngx_memcpy(slice.snapshot, f->ask.id.snapshot,
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    slice.generation = f->shared;

    key = ngx_http_atelier_products_name(f, name);

    ngx_http_atelier_made_keep(&key, &slice, f->page.stale, &f->page,
                               f->pool);
}


static void
ngx_http_atelier_products_keep(ngx_http_atelier_products_flight_t *f)
{
    f->page.text.data = (u_char *) f->ask.text;
    f->page.text.len = f->ask.text_len;
    f->page.stale = f->page.fresh + f->conf->products->stale;
    f->page.generation = f->generation;

    if (ngx_http_atelier_cache_put(f->conf->cache, &f->ask.id, &f->page)
        == NGX_OK)
    {
        ngx_http_atelier_feed_compress(f->conf->cache, &f->ask.id, &f->page);
    }
}
