/*
 * What the files of /products share: its requests
 * (ngx_http_atelier_products.c), the flights that get them a page
 * (ngx_http_atelier_products_flight.c, _page.c), and its directive.
 *
 * Pages are kept where those of /designs are: in L1 and in Redis, in the same
 * form; the truth is in PostgreSQL.
 */

#ifndef NGX_HTTP_ATELIER_PRODUCTS_H
#define NGX_HTTP_ATELIER_PRODUCTS_H


#include "ngx_http_atelier_page.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_readers.h"
#include "ngx_http_atelier_shop.h"
#include "ngx_http_atelier_snapshot.h"
#include "at_shop_args.h"


/* A page that is older than so many ms beyond its freshness is waited for. */
#define NGX_HTTP_ATELIER_PRODUCTS_ANEW  60000

/* A product that is not there is not asked for again within so many ms. */
#define NGX_HTTP_ATELIER_PRODUCTS_NONE  3000


/* atelier_products; its times are those of all its locations. */
struct ngx_http_atelier_products_s {
    ngx_msec_t     fresh;
    ngx_msec_t     stale;
    ngx_msec_t     wait;           /* for shops; 0: never */
    ngx_msec_t     refresh;        /* then they are asked again */
    ngx_str_t      control;        /* Cache-Control of a page */
};


typedef enum {
    NGX_HTTP_ATELIER_PRODUCTS_LIST = 0,
    NGX_HTTP_ATELIER_PRODUCTS_ONE,
    NGX_HTTP_ATELIER_PRODUCTS_HISTORY
} ngx_http_atelier_products_e;


/* A request for a page; its args point into it, so it must not be copied. */
typedef struct {
    ngx_http_atelier_products_e  kind;
    at_str_t                     product;    /* an id; the caller's */
    at_shop_args_t               args;
    size_t                       text_len;
    char                         text[AT_SHOP_KEY_MAX];
    ngx_http_atelier_page_id_t   id;         /* where it stands in L1 */
    u_char                       none[NGX_HTTP_ATELIER_FEED_LEN];
                                             /* ... if there is no product */
} ngx_http_atelier_products_ask_t;


typedef struct ngx_http_atelier_products_flight_s
    ngx_http_atelier_products_flight_t;


struct ngx_http_atelier_products_flight_s {
    ngx_http_atelier_readers_t        readers;
    ngx_pool_t                       *pool;
    ngx_http_atelier_main_conf_t     *conf;
    ngx_http_atelier_products_ask_t   ask;
    ngx_str_t                         request_id;
    ngx_http_atelier_recall_t         recall;
    ngx_http_atelier_postgres_op_t   *op;
    ngx_http_atelier_redis_op_t      *asking;    /* the shops */
    ngx_http_atelier_shop_wait_t      wait;
    ngx_event_t                       timer;     /* begin; end of the wait */
    ngx_connection_t                  dummy;     /* what it points to */
    ngx_uint_t                        generation;    /* of L1 */
    ngx_int_t                         shared;    /* of Redis; or NGX_ERROR */
    ngx_str_t                         body;      /* without its end */
    ngx_http_atelier_page_t           page;
    unsigned                          begun:1;
    unsigned                          got:1;     /* page is set */
    unsigned                          nothing:1; /* there is no such product */
    unsigned                          empty:1;   /* a list of none */
    unsigned                          done:1;    /* the shops are */
    unsigned                          late:1;    /* ... not in time */
};


/* atelier_products [fresh=5s] [stale=1h] [wait=5s] [refresh=10m]; */
char *ngx_http_atelier_products(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Reads a request's arguments.  NGX_DECLINED: the error says which is wrong.
 */
ngx_int_t ngx_http_atelier_products_read(ngx_http_atelier_products_ask_t *ask,
    ngx_http_atelier_products_e kind, at_str_t product, ngx_str_t *raw,
    at_args_error_t *error);

/* Sends a page, and counts it. */
ngx_int_t ngx_http_atelier_products_send(ngx_http_request_t *r,
    ngx_http_atelier_page_t *page, ngx_http_atelier_cache_e how);

/*
 * Looks in L1.  NGX_DECLINED: it is not there, or strict and older than who
 * can wait for a newer one should see.  refresh: it should be made anew.
 */
ngx_int_t ngx_http_atelier_products_cached(ngx_http_request_t *r,
    ngx_http_atelier_page_id_t *id, ngx_uint_t strict, ngx_uint_t *refresh);

/* 404, and 503 with Retry-After. */
ngx_int_t ngx_http_atelier_products_nothing(ngx_http_request_t *r,
    ngx_http_atelier_cache_e how);
ngx_int_t ngx_http_atelier_products_away(ngx_http_request_t *r);

/*
 * Joins the flight of this page, or starts it.  reader NULL: the page is only
 * to be made anew.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_atelier_products_join(ngx_http_request_t *r,
    ngx_http_atelier_products_ask_t *ask,
    ngx_http_atelier_reader_t *reader);

/* A flight's page in Redis: asked for, as it came, and left there. */
ngx_int_t ngx_http_atelier_products_recall(
    ngx_http_atelier_products_flight_t *f, ngx_http_atelier_redis_pt cb);
ngx_int_t ngx_http_atelier_products_recalled(
    ngx_http_atelier_products_flight_t *f, redisReply *reply);

/* Sends its statement; NULL as that of PostgreSQL. */
ngx_http_atelier_postgres_op_t *ngx_http_atelier_products_query(
    ngx_http_atelier_products_flight_t *f, ngx_http_atelier_postgres_pt cb);

/* NGX_OK: body, empty or nothing is set by what it brought. */
ngx_int_t ngx_http_atelier_products_rows(
    ngx_http_atelier_products_flight_t *f, PGresult *res);

/* Makes the page of the body, and keeps it.  NGX_ERROR: no memory. */
ngx_int_t ngx_http_atelier_products_render(
    ngx_http_atelier_products_flight_t *f, ngx_uint_t refreshing);

/* Its section of /metrics. */
int ngx_http_atelier_products_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);


#endif /* NGX_HTTP_ATELIER_PRODUCTS_H */
