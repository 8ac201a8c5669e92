/*
 * Commands and scripts to Redis, and the life of a worker's two connections
 * (see ngx_http_atelier_redis.h).
 *
 * Redis answers in the order of the commands, so the ops of the connection
 * are a queue and the oldest one's deadline is the next.  When it passes, the
 * whole connection is given up: an answer that came later could not be told
 * from the next one's.
 */

#include "ngx_http_atelier_redis_link.h"
#include "ngx_http_atelier_zone.h"

#include <ngx_sha1.h>


static ngx_http_atelier_redis_op_t *ngx_http_atelier_redis_op(size_t more,
    ngx_http_atelier_redis_pt cb, void *data);
static ngx_http_atelier_redis_op_t *ngx_http_atelier_redis_start(
    ngx_http_atelier_redis_op_t *op, ngx_uint_t argc, const ngx_str_t *argv);
static void ngx_http_atelier_redis_words(ngx_http_atelier_redis_op_t *op,
    ngx_uint_t nkeys, ngx_uint_t argc, const ngx_str_t *argv);
static void ngx_http_atelier_redis_answer(redisAsyncContext *ac, void *reply,
    void *data);
static ngx_uint_t ngx_http_atelier_redis_unknown(redisReply *reply);
static ngx_int_t ngx_http_atelier_redis_again(
    ngx_http_atelier_redis_op_t *op);
static void ngx_http_atelier_redis_digest(
    ngx_http_atelier_redis_script_t *script);
static void ngx_http_atelier_redis_ping(ngx_http_atelier_redis_link_t *link);
static void ngx_http_atelier_redis_pong(redisAsyncContext *ac, void *reply,
    void *data);
static void ngx_http_atelier_redis_init_link(
    ngx_http_atelier_redis_link_t *link, ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_redis_seat_t *seat, ngx_http_atelier_redis_link_e kind,
    const char *what);


/* This worker's; conf is NULL where there is none. */
static ngx_http_atelier_redis_link_t  ngx_http_atelier_redis_commands;
static ngx_http_atelier_redis_link_t  ngx_http_atelier_redis_subscriptions;


ngx_int_t
ngx_http_atelier_redis_init_process(ngx_cycle_t *cycle)
{
    ngx_http_atelier_main_conf_t   *amcf;
    ngx_http_atelier_redis_seat_t  *seat;
    ngx_http_atelier_redis_link_t  *link;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);

    if (amcf == NULL || amcf->redis == NULL) {
        return NGX_OK;
    }

    /* reading the configuration may have taken long: deadlines start now */

    ngx_time_update();

    seat = ngx_http_atelier_redis_sit(&amcf->zone->sh->redis);

    link = &ngx_http_atelier_redis_commands;
    ngx_http_atelier_redis_init_link(link, amcf, seat,
                                     NGX_HTTP_ATELIER_REDIS_COMMANDS,
                                     "commands");
    link->heartbeat = ngx_http_atelier_redis_ping;
    ngx_http_atelier_redis_link_start(link);

    link = &ngx_http_atelier_redis_subscriptions;
    ngx_http_atelier_redis_init_link(link, amcf, seat,
                                     NGX_HTTP_ATELIER_REDIS_SUBSCRIPTIONS,
                                     "subscriptions");
    ngx_http_atelier_redis_sub_init(link);
    ngx_http_atelier_redis_link_start(link);

    return NGX_OK;
}


static void
ngx_http_atelier_redis_init_link(ngx_http_atelier_redis_link_t *link,
    ngx_http_atelier_main_conf_t *amcf, ngx_http_atelier_redis_seat_t *seat,
    ngx_http_atelier_redis_link_e kind, const char *what)
{
    ngx_memzero(link, sizeof(ngx_http_atelier_redis_link_t));

    link->kind = kind;
    link->what = what;
    link->conf = amcf->redis;
    link->stats = &amcf->zone->sh->redis;
    link->seat = seat;
}


/*
 * A graceful exit has no op whose callback counts.  A hard one ends requests
 * without asking them.
 */

void
ngx_http_atelier_redis_exit_process(void)
{
    ngx_queue_t                    *q;
    ngx_http_atelier_redis_op_t    *op;
    ngx_http_atelier_redis_link_t  *link;

    link = &ngx_http_atelier_redis_commands;

    if (link->conf == NULL) {
        return;
    }

    for (q = ngx_queue_head(&link->ops);
         q != ngx_queue_sentinel(&link->ops);
         q = ngx_queue_next(q))
    {
        op = ngx_queue_data(q, ngx_http_atelier_redis_op_t, queue);
        op->cb = NULL;
    }

    ngx_http_atelier_redis_link_stop(link);

    link->conf = NULL;

    ngx_http_atelier_redis_link_stop(&ngx_http_atelier_redis_subscriptions);
    ngx_http_atelier_redis_sub_exit();

    if (link->seat) {
        link->seat->pid = 0;
    }
}


ngx_uint_t
ngx_http_atelier_redis_ready(void)
{
    ngx_http_atelier_redis_link_t  *link;

    link = &ngx_http_atelier_redis_commands;

    return link->conf
           && link->nops < link->conf->queue
           && ngx_http_atelier_redis_link_takes(link);
}


ngx_http_atelier_redis_op_t *
ngx_http_atelier_redis_command(ngx_uint_t argc, const ngx_str_t *argv,
    ngx_http_atelier_redis_pt cb, void *data)
{
    ngx_http_atelier_redis_op_t  *op;

    op = ngx_http_atelier_redis_op(0, cb, data);

    return op ? ngx_http_atelier_redis_start(op, argc, argv) : NULL;
}


/* The words are kept: Redis may have lost the script. */

ngx_http_atelier_redis_op_t *
ngx_http_atelier_redis_eval(ngx_http_atelier_redis_script_t *script,
    ngx_uint_t nkeys, ngx_uint_t argc, const ngx_str_t *argv,
    ngx_http_atelier_redis_pt cb, void *data)
{
    size_t                        size;
    ngx_uint_t                    i;
    ngx_http_atelier_redis_op_t  *op;

    if (script->sha[0] == 0) {
        ngx_http_atelier_redis_digest(script);
    }

    size = (argc + 3) * sizeof(ngx_str_t) + NGX_INT_T_LEN;

    for (i = 0; i < argc; i++) {
        size += argv[i].len;
    }

    op = ngx_http_atelier_redis_op(size, cb, data);
    if (op == NULL) {
        return NULL;
    }

    op->script = script;
    ngx_http_atelier_redis_words(op, nkeys, argc, argv);

    return ngx_http_atelier_redis_start(op, op->argc, op->argv);
}


void
ngx_http_atelier_redis_forget(ngx_http_atelier_redis_op_t *op)
{
    if (op->cb) {
        op->cb = NULL;
        ngx_http_atelier_redis_link_waiting(op->link, -1);
    }
}


/* NULL: a command could not be sent now. */

static ngx_http_atelier_redis_op_t *
ngx_http_atelier_redis_op(size_t more, ngx_http_atelier_redis_pt cb,
    void *data)
{
    ngx_http_atelier_redis_op_t    *op;
    ngx_http_atelier_redis_link_t  *link;

    link = &ngx_http_atelier_redis_commands;

    if (link->conf == NULL) {
        return NULL;
    }

    if (!ngx_http_atelier_redis_ready()) {
        ngx_http_atelier_count(&link->stats->refused, 1);
        return NULL;
    }

    op = ngx_alloc(sizeof(ngx_http_atelier_redis_op_t) + more,
                   ngx_cycle->log);
    if (op == NULL) {
        return NULL;
    }

    op->link = link;
    op->cb = cb;
    op->data = data;
    op->script = NULL;

    return op;
}


static ngx_http_atelier_redis_op_t *
ngx_http_atelier_redis_start(ngx_http_atelier_redis_op_t *op, ngx_uint_t argc,
    const ngx_str_t *argv)
{
    ngx_http_atelier_redis_link_t  *link;

    link = op->link;

    if (ngx_http_atelier_redis_link_send(link, argc, argv,
                                         ngx_http_atelier_redis_answer, op)
        != NGX_OK)
    {
        ngx_http_atelier_count(&link->stats->refused, 1);
        ngx_free(op);
        return NULL;
    }

    ngx_http_atelier_count(&link->stats->commands, 1);
    ngx_http_atelier_redis_link_push(link, op);

    if (op->cb) {
        ngx_http_atelier_redis_link_waiting(link, 1);
    }

    return op;
}


/* Lays the words of a script's call out behind its op. */

static void
ngx_http_atelier_redis_words(ngx_http_atelier_redis_op_t *op,
    ngx_uint_t nkeys, ngx_uint_t argc, const ngx_str_t *argv)
{
    u_char      *p;
    ngx_str_t   *word;
    ngx_uint_t   i;

    word = (ngx_str_t *) (op + 1);

    op->argc = argc + 3;
    op->argv = word;

    p = (u_char *) &word[op->argc];

    ngx_str_set(&word[0], "EVALSHA");
    word[1].data = op->script->sha;
    word[1].len = sizeof(op->script->sha);
    word[2].data = p;

    p = ngx_sprintf(p, "%ui", nkeys);
    word[2].len = p - word[2].data;

    for (i = 0; i < argc; i++) {
        word[i + 3].data = p;
        word[i + 3].len = argv[i].len;

        /* an empty word may have no address */

        if (argv[i].len) {
            p = ngx_cpymem(p, argv[i].data, argv[i].len);
        }
    }
}


/* Called by hiredis, once for each op; ends it. */

static void
ngx_http_atelier_redis_answer(redisAsyncContext *ac, void *reply, void *data)
{
    ngx_http_atelier_redis_op_t *op = data;

    redisReply                     *answer;
    ngx_http_atelier_redis_pt       cb;
    ngx_http_atelier_redis_link_t  *link;

    link = op->link;
    answer = reply;

    ngx_http_atelier_redis_link_pop(link, op);

    if (answer == NULL) {
        ngx_http_atelier_redis_link_breaks(link, ac);

    } else {
        ngx_http_atelier_redis_link_heard(link);

        if (op->script && ngx_http_atelier_redis_unknown(answer)) {
            if (ngx_http_atelier_redis_again(op) == NGX_OK) {
                return;
            }

            answer = NULL;

        } else if (answer->type == REDIS_REPLY_ERROR) {
            ngx_http_atelier_count(&link->stats->errors, 1);
        }
    }

    cb = op->cb;
    op->cb = NULL;

    if (cb) {
        ngx_http_atelier_redis_link_waiting(link, -1);
        cb(op->data, answer);
    }

    ngx_free(op);
}


static ngx_uint_t
ngx_http_atelier_redis_unknown(redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR
           && reply->len >= 8
           && ngx_strncmp(reply->str, "NOSCRIPT", 8) == 0;
}


/* Redis keeps the text that it is sent now. */

static ngx_int_t
ngx_http_atelier_redis_again(ngx_http_atelier_redis_op_t *op)
{
    ngx_str_set(&op->argv[0], "EVAL");
    op->argv[1].data = (u_char *) op->script->text;
    op->argv[1].len = ngx_strlen(op->script->text);
    op->script = NULL;

    if (ngx_http_atelier_redis_link_send(op->link, op->argc, op->argv,
                                         ngx_http_atelier_redis_answer, op)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_atelier_redis_link_push(op->link, op);

    return NGX_OK;
}


static void
ngx_http_atelier_redis_digest(ngx_http_atelier_redis_script_t *script)
{
    u_char      digest[20];
    ngx_sha1_t  sha;

    ngx_sha1_init(&sha);
    ngx_sha1_update(&sha, script->text, ngx_strlen(script->text));
    ngx_sha1_final(digest, &sha);

    ngx_hex_dump(script->sha, digest, sizeof(digest));
}


static void
ngx_http_atelier_redis_ping(ngx_http_atelier_redis_link_t *link)
{
    ngx_str_t  ping = ngx_string("PING");

    /* if this fails no answer comes, and that is noticed */

    (void) ngx_http_atelier_redis_link_send(link, 1, &ping,
                                            ngx_http_atelier_redis_pong,
                                            NULL);
}


static void
ngx_http_atelier_redis_pong(redisAsyncContext *ac, void *reply, void *data)
{
    if (reply) {
        ngx_http_atelier_redis_link_heard(ac->data);
    }
}
