/*
 * Redis in the event loop: one connection for commands and one for
 * subscriptions per worker, made when the worker starts and again whenever
 * they break.
 *
 * Endpoints and mechanisms call this from the event loop only.  Nothing here
 * knows a request: who starts a command for one forgets it in a cleanup of
 * the request's pool, and a callback that touches a request ends with
 * ngx_http_run_posted_requests(c), c having been saved before.
 *
 * An op is made here, lives on the heap and is freed here after its callback;
 * no callback runs inside the function that started the op.
 */

#ifndef NGX_HTTP_ATELIER_REDIS_H
#define NGX_HTTP_ATELIER_REDIS_H


#include "ngx_http_atelier.h"

#include <hiredis/hiredis.h>


typedef struct ngx_http_atelier_redis_op_s   ngx_http_atelier_redis_op_t;
typedef struct ngx_http_atelier_redis_sub_s  ngx_http_atelier_redis_sub_t;


/*
 * The answer, valid during the call only; an error of Redis is a reply of
 * type REDIS_REPLY_ERROR.  NULL: none came in time, and whether the command
 * was carried out is not known.  Called exactly once unless forgotten.
 */
typedef void (*ngx_http_atelier_redis_pt)(void *data, redisReply *reply);


/*
 * A Lua script: static, with the text set and the rest zero.  It goes over
 * the wire as its digest, as its text only where Redis does not know it.
 */
typedef struct {
    const char    *text;
    u_char         sha[40];        /* in hex, from its first use on */
} ngx_http_atelier_redis_script_t;


typedef enum {
    NGX_HTTP_ATELIER_REDIS_UP,     /* subscribed: what is published from now
                                      on arrives; after DOWN something may
                                      have been missed */
    NGX_HTTP_ATELIER_REDIS_DOWN,   /* the link broke, UP follows some time */
    NGX_HTTP_ATELIER_REDIS_MESSAGE
} ngx_http_atelier_redis_event_e;


/*
 * message is set with MESSAGE and valid during the call only.  The callback
 * may unsubscribe.
 */
typedef void (*ngx_http_atelier_redis_sub_pt)(void *data,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message);


/* atelier_redis unix:path | host:port [parameters]; */
char *ngx_http_atelier_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* From postconfiguration: has it what it needs? */
ngx_int_t ngx_http_atelier_redis_check(ngx_conf_t *cf,
    ngx_http_atelier_main_conf_t *amcf);

/* The life of a worker's connections. */
ngx_int_t ngx_http_atelier_redis_init_process(ngx_cycle_t *cycle);
void ngx_http_atelier_redis_exit_process(void);

/* Their parts of /health/ready and /metrics; AT_ERROR: no memory. */
int ngx_http_atelier_redis_health(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);
int ngx_http_atelier_redis_metrics(ngx_http_atelier_main_conf_t *amcf,
    at_buf_t *b);

/*
 * Whether a command would be sent now.  0 as well where atelier_redis is not
 * configured.
 */
ngx_uint_t ngx_http_atelier_redis_ready(void);

/*
 * Sends a command; its words are copied.  NULL: Redis is away or the queue is
 * full; cb is not called, the caller goes on without.  cb may be NULL if the
 * answer is of no interest.
 */
ngx_http_atelier_redis_op_t *ngx_http_atelier_redis_command(ngx_uint_t argc,
    const ngx_str_t *argv, ngx_http_atelier_redis_pt cb, void *data);

/* The same for a script; argv is nkeys keys and then its arguments. */
ngx_http_atelier_redis_op_t *ngx_http_atelier_redis_eval(
    ngx_http_atelier_redis_script_t *script, ngx_uint_t nkeys,
    ngx_uint_t argc, const ngx_str_t *argv, ngx_http_atelier_redis_pt cb,
    void *data);

/* Whoever waits for it is gone: its callback is not called. */
void ngx_http_atelier_redis_forget(ngx_http_atelier_redis_op_t *op);

/*
 * Wants the messages of a channel, as long as the worker lives or until
 * unsubscribed, also while Redis is away.  Any number may want the same one.
 * NULL: no memory, or atelier_redis is not configured.
 */
ngx_http_atelier_redis_sub_t *ngx_http_atelier_redis_subscribe(
    ngx_str_t *channel, ngx_http_atelier_redis_sub_pt cb, void *data);

/* Whether a subscription would be confirmed soon. */
ngx_uint_t ngx_http_atelier_redis_listens(void);

/* Its callback is not called any more. */
void ngx_http_atelier_redis_unsubscribe(ngx_http_atelier_redis_sub_t *sub);


#endif /* NGX_HTTP_ATELIER_REDIS_H */
