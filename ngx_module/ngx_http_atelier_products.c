/*
 * GET /products, /products/{id} and /products/{id}/history.
 *
 * A page in L1 is answered here and now; one that is no longer fresh is
 * answered as well, if not too old, and made anew by a flight that nobody
 * waits for.  All else waits for a flight (ngx_http_atelier_products_flight.c),
 * which never belongs to a request.
 */

#include "ngx_http_atelier_products.h"
#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_metrics.h"
#include "ngx_http_atelier_problem.h"
#include "at_hash.h"


#define NGX_HTTP_ATELIER_PRODUCTS_RETRY  2      /* s, for Retry-After */


static ngx_int_t ngx_http_atelier_products_path(ngx_http_request_t *r,
    ngx_http_atelier_products_e *kind, at_str_t *product);
static ngx_int_t ngx_http_atelier_products_get(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask);
static ngx_int_t ngx_http_atelier_products_invalid(ngx_http_request_t *r,
    at_args_error_t *error);
static ngx_int_t ngx_http_atelier_products_wait(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask);


ngx_int_t
ngx_http_atelier_products_handler(ngx_http_request_t *r)
{
    at_str_t                          product;
    ngx_int_t                         rc;
    at_args_error_t                   error;
    ngx_http_atelier_products_e       kind;
    ngx_http_atelier_products_ask_t   ask;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (ngx_http_atelier_products_path(r, &kind, &product) != NGX_OK) {
        return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND,
                                               "not_found", "There is nothing "
                                               "at this address.");
    }

    rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD, "GET, HEAD");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ngx_http_atelier_products_read(&ask, kind, product, &r->args, &error)
        != NGX_OK)
    {
        return ngx_http_atelier_products_invalid(r, &error);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_atelier_products_get(r, &ask);
}


/* The location's own path, "/ID" behind it, or "/ID/history". */

static ngx_int_t
ngx_http_atelier_products_path(ngx_http_request_t *r,
    ngx_http_atelier_products_e *kind, at_str_t *product)
{
    at_str_t                   rest;
    ngx_http_core_loc_conf_t  *clcf;

    static ngx_str_t  history = ngx_string("/history");

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* it may have been rewritten */

    if (r->uri.len < clcf->name.len
        || ngx_memcmp(r->uri.data, clcf->name.data, clcf->name.len) != 0)
    {
        return NGX_DECLINED;
    }

    rest.data = (char *) r->uri.data + clcf->name.len;
    rest.len = r->uri.len - clcf->name.len;

    *kind = NGX_HTTP_ATELIER_PRODUCTS_LIST;
    *product = AT_STR_NULL;

    if (rest.len == 0) {
        return NGX_OK;
    }

    if (rest.data[0] != '/') {
        return NGX_DECLINED;
    }

    *kind = NGX_HTTP_ATELIER_PRODUCTS_ONE;
    rest.data++;
    rest.len--;

    if (rest.len > history.len
        && ngx_memcmp(rest.data + rest.len - history.len, history.data,
                      history.len)
           == 0)
    {
        *kind = NGX_HTTP_ATELIER_PRODUCTS_HISTORY;
        rest.len -= history.len;
    }

    *product = rest;

    return at_shop_id_valid(rest) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_atelier_products_read(ngx_http_atelier_products_ask_t *ask,
    ngx_http_atelier_products_e kind, at_str_t product, ngx_str_t *raw,
    at_args_error_t *error)
{
    u_char    *p;
    at_str_t   args;

    args = ngx_http_atelier_str(raw);

    ask->kind = kind;
    ask->product = product;

    ngx_memzero(&ask->id, sizeof(ngx_http_atelier_page_id_t));
    ngx_memcpy(ask->id.snapshot, "/products/pages/",
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    ask->id.page = 1;

    if (kind == NGX_HTTP_ATELIER_PRODUCTS_LIST) {
        if (at_shop_args_parse(args, &ask->args, error) != AT_OK) {
            return NGX_DECLINED;
        }

        ask->text_len = at_shop_args_key(&ask->args, ask->text);
        ask->id.page = ask->args.page;
        ask->id.per_page = ask->args.per_page;

    } else {
        if (at_shop_days_parse(args, &ask->args, error) != AT_OK
            && kind == NGX_HTTP_ATELIER_PRODUCTS_HISTORY)
        {
            return NGX_DECLINED;
        }

        p = (u_char *) ask->text;
        p = ngx_sprintf(p, "product=%*s", product.len, product.data);

        at_hash128(ask->text, p - (u_char *) ask->text, ask->none);

        if (kind == NGX_HTTP_ATELIER_PRODUCTS_HISTORY) {
            p = ngx_sprintf(p, ";days=%ud", ask->args.days);
        }

        ask->text_len = p - (u_char *) ask->text;
    }

    at_hash128(ask->text, ask->text_len, ask->id.feed);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_products_get(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask)
{
    ngx_int_t                      rc;
    ngx_uint_t                     refresh;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    refresh = 0;

    rc = ngx_http_atelier_products_cached(r, &ask->id, 1, &refresh);

    if (rc == NGX_DECLINED
        && ask->kind != NGX_HTTP_ATELIER_PRODUCTS_LIST
        && ngx_http_atelier_cache_none(amcf->cache, ask->none))
    {
        return ngx_http_atelier_products_nothing(r, NGX_HTTP_ATELIER_CACHE_L1);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_atelier_products_wait(r, ask);
    }

    if (refresh) {
        (void) ngx_http_atelier_products_join(r, ask, NULL);
    }

    return rc;
}


static ngx_int_t
ngx_http_atelier_products_invalid(ngx_http_request_t *r,
    at_args_error_t *error)
{
    /* none, where two parameters do not go together */

    if (error->value.len == 0) {
        return ngx_http_atelier_command_bad(r, "invalid_parameter",
                                            error->name, error->message);
    }

    return ngx_http_atelier_problem_value(r, "invalid_parameter", error->name,
                                          error->value, error->message);
}


ngx_int_t
ngx_http_atelier_products_cached(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_uint_t strict, ngx_uint_t *refresh)
{
    ngx_int_t                      rc;
    ngx_msec_int_t                 age;
    ngx_http_atelier_page_t        page;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    rc = ngx_http_atelier_cache_get(amcf->cache, id,
                                    ngx_http_atelier_page_gzip(r),
                                    ngx_http_atelier_page_etag(r), r->pool,
                                    &page);
    switch (rc) {

    case NGX_OK:
        return ngx_http_atelier_products_send(r, &page,
                                              NGX_HTTP_ATELIER_CACHE_L1);

    case NGX_AGAIN:
        age = (ngx_msec_int_t) (ngx_current_msec - page.created);

        if (strict && !page.quiet
            && age > (ngx_msec_int_t) (page.fresh
                                       + NGX_HTTP_ATELIER_PRODUCTS_ANEW))
        {
            return NGX_DECLINED;
        }

        *refresh = !page.quiet;

        return ngx_http_atelier_products_send(r, &page,
                                              NGX_HTTP_ATELIER_CACHE_STALE);

    case NGX_ERROR:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    default:
        return NGX_DECLINED;
    }
}


ngx_int_t
ngx_http_atelier_products_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how)
{
    ngx_str_t                      control;
    ngx_http_atelier_products_t   *products;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    products = amcf->products;

    control = products->control;

    if (page->fresh != products->fresh) {
        control.data = ngx_pnalloc(r->pool, NGX_HTTP_ATELIER_CONTROL_LEN);
        if (control.data == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        control.len = ngx_http_atelier_page_control(control.data, page->fresh,
                          ngx_min(products->stale,
                                  NGX_HTTP_ATELIER_PRODUCTS_ANEW),
                          products->stale)
                      - control.data;
    }

    (void) ngx_atomic_fetch_add(&amcf->cache->stats->products[how], 1);

    return ngx_http_atelier_page_send(r, page, how, &control, NULL);
}


static ngx_int_t
ngx_http_atelier_products_wait(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask)
{
    ngx_http_atelier_reader_t  *reader;

    reader = ngx_http_atelier_reader_create(r);

    if (reader == NULL
        || ngx_http_atelier_products_join(r, ask, reader) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a reader who leaves is noticed; the flight goes on without him */

    return ngx_http_atelier_reader_wait(reader);
}


ngx_int_t
ngx_http_atelier_products_nothing(ngx_http_request_t *r,
    ngx_http_atelier_cache_e how)
{
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    if (ngx_http_atelier_page_from(r, how) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_atomic_fetch_add(&amcf->cache->stats->products_none[how], 1);

    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND, "not_found",
                                           "There is no product of this id.");
}


ngx_int_t
ngx_http_atelier_products_away(ngx_http_request_t *r)
{
    ngx_http_atelier_problem_t     problem;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    (void) ngx_atomic_fetch_add(&amcf->cache->stats->products_away, 1);

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "products_unavailable";
    problem.detail = "Products cannot be read now, and nothing is kept of "
                     "this page; send the request again after the time in "
                     "Retry-After.";
    problem.retry_after = NGX_HTTP_ATELIER_PRODUCTS_RETRY;

    return ngx_http_atelier_problem(r, &problem);
}


int
ngx_http_atelier_products_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b)
{
    int                              rc;
    ngx_uint_t                       i;
    ngx_http_atelier_cache_stats_t  *stats;

    if (amcf->products == NULL) {
        return AT_OK;
    }

    stats = amcf->cache->stats;

    rc = ngx_http_atelier_metrics_head(b, "products_answers_total", "counter",
                                       "Pages of products by where they came "
                                       "from.");

    for (i = 0; i < NGX_HTTP_ATELIER_NCACHE; i++) {
        rc |= at_buf_printf(b, "atelier_products_answers_total{status=\"%s\"} "
                               "%lu\n", ngx_http_atelier_cache_names[i],
                            (unsigned long) stats->products[i]);
    }

    rc |= ngx_http_atelier_metrics_head(b, "products_missing_total",
                                        "counter", "Requests for products "
                                        "that there are none of, by where "
                                        "that was known.");
    rc |= at_buf_printf(b, "atelier_products_missing_total{status=\"L1\"} "
                           "%lu\n"
                           "atelier_products_missing_total{status=\"MISS\"} "
                           "%lu\n", (unsigned long)
                        stats->products_none[NGX_HTTP_ATELIER_CACHE_L1],
                        (unsigned long)
                        stats->products_none[NGX_HTTP_ATELIER_CACHE_MISS]);

    rc |= ngx_http_atelier_metrics_value(b, "products_unavailable_total",
                                         "counter",
                                         "Requests for which there was "
                                         "neither PostgreSQL nor a page.",
                                         stats->products_away);

    rc |= ngx_http_atelier_metrics_value(b, "shop_jobs_total", "counter",
                                         "Jobs for the shops, by readers' "
                                         "queries.", stats->shop_jobs);

    rc |= ngx_http_atelier_metrics_value(b, "shop_waits_total", "counter",
                                         "Empty pages that were held for the "
                                         "shops.", stats->shop_waits);

    return rc | ngx_http_atelier_metrics_value(b, "shop_waits_late_total",
                                               "counter",
                                               "Those that were held in vain.",
                                               stats->shop_late);
}
