/*
 * What ngx_http_atelier_joint_sync.c, which asks Redis, and
 * ngx_http_atelier_joint_words.c, which words the question, share.
 */

#ifndef NGX_HTTP_ATELIER_JOINT_SYNC_H
#define NGX_HTTP_ATELIER_JOINT_SYNC_H


#include "ngx_http_atelier_redis.h"
#include "ngx_http_atelier_joint.h"


/* A worker's part in asking; static. */
typedef struct {
    ngx_http_atelier_main_conf_t  *amcf;        /* NULL: nothing is shared */
    ngx_http_atelier_redis_op_t   *op;          /* the question that is out */
    ngx_uint_t                     token;       /* its */
    ngx_uint_t                     full;        /* it asks for marks */
    ngx_uint_t                     more;        /* calls are left to report */
    ngx_uint_t                     windows;     /* ... and numbers of */
    ngx_uint_t                     parties;     /* what it is about */
    ngx_uint_t                     retries;
    ngx_queue_t                    waiters;     /* for the next one */
    ngx_queue_t                    served;      /* for this one */
    ngx_event_t                    timer;
    ngx_event_t                    now;         /* at the end of this turn */
    ngx_connection_t               dummy;       /* debug logs read its fd */
    unsigned                       asked:1;     /* soon() has been called */
} ngx_http_atelier_joint_sync_t;


/* The words of a question. */
typedef struct {
    ngx_pool_t                    *pool;
    ngx_array_t                    words;       /* of ngx_str_t */
    ngx_uint_t                     failed;
} ngx_http_atelier_joint_words_t;


extern ngx_str_t  ngx_http_atelier_joint_prefix;


/* The key and the arguments of the script, under the mutex. */
void ngx_http_atelier_joint_say(ngx_http_atelier_joint_sync_t *s,
    ngx_http_atelier_joint_words_t *w);


#endif /* NGX_HTTP_ATELIER_JOINT_SYNC_H */
