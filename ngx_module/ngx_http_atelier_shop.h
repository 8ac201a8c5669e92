/*
 * The shops, as /products and POST /scrape/parallel reach them: a job on a
 * stream in Redis, which atelier-shop serves, and a message when it is done
 * (core/at_shop_key.h has the names).
 *
 * A query is asked once in a time, by whoever comes first on any node; Redis
 * keeps that, so without Redis nobody asks and nobody waits.
 */

#ifndef NGX_HTTP_ATELIER_SHOP_H
#define NGX_HTTP_ATELIER_SHOP_H


#include "ngx_http_atelier_redis.h"
#include "at_shop_key.h"


#define NGX_HTTP_ATELIER_SHOP_REFRESH  600000   /* ms until asked again */

/* A job that takes longer is not heard of soon, if ever. */
#define NGX_HTTP_ATELIER_SHOP_PATIENCE  60000   /* ms */

#define NGX_HTTP_ATELIER_SHOP_JOB       64      /* bytes of a job's id */


typedef enum {
    NGX_HTTP_ATELIER_SHOP_AWAY = 0,    /* Redis does not answer */
    NGX_HTTP_ATELIER_SHOP_FULL,        /* too many jobs wait */
    NGX_HTTP_ATELIER_SHOP_ASKED,       /* now */
    NGX_HTTP_ATELIER_SHOP_PENDING,     /* before, and not done */
    NGX_HTTP_ATELIER_SHOP_DONE
} ngx_http_atelier_shop_e;


/* What is to be looked for; the texts in their forms of at_shop_key.h. */
typedef struct {
    at_str_t                    query;
    at_str_t                    category;
    char                        key[AT_SHOP_KEY_HEX];
    ngx_str_t                   request_id;
    ngx_msec_t                  refresh;   /* since then: not again */
    unsigned                    force:1;   /* in any case */
} ngx_http_atelier_shop_job_t;


typedef struct {
    ngx_http_atelier_shop_e     state;
    ngx_msec_t                  ago;       /* it was asked */
    ngx_str_t                   id;        /* of the job, if asked now */
} ngx_http_atelier_shop_answer_t;


/* Who waits for a job; it must leave before it dies. */
typedef struct {
    ngx_queue_t                 queue;
    u_char                      key[AT_SHOP_KEY_HEX];
    void                      (*handler)(void *data);
    void                       *data;
    unsigned                    waiting:1;
} ngx_http_atelier_shop_wait_t;


/*
 * Asks the shops unless they were.  NULL: Redis is away, cb is not called;
 * else its reply is for _answer().
 */
ngx_http_atelier_redis_op_t *ngx_http_atelier_shop_ask(
    ngx_http_atelier_shop_job_t *job, ngx_http_atelier_redis_pt cb,
    void *data);
void ngx_http_atelier_shop_answer(redisReply *reply,
    ngx_http_atelier_shop_answer_t *answer);

/* Whether the end of a job would be heard. */
ngx_uint_t ngx_http_atelier_shop_listens(void);

/* Its handler is called when the job of this key is done. */
void ngx_http_atelier_shop_join(ngx_http_atelier_shop_wait_t *wait,
    const char *key);
void ngx_http_atelier_shop_leave(ngx_http_atelier_shop_wait_t *wait);

ngx_int_t ngx_http_atelier_shop_init_process(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_ATELIER_SHOP_H */
