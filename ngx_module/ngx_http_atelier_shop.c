/*
 * Asking the shops (see ngx_http_atelier_shop.h).
 *
 * Each worker listens for jobs that are done, as long as it lives; the first
 * one of each node notes in Redis that they are, for those who ask later.
 */

#include "ngx_http_atelier_shop.h"


static void ngx_http_atelier_shop_heard(void *data,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message);
static ngx_uint_t ngx_http_atelier_shop_is_key(ngx_str_t *message);
static void ngx_http_atelier_shop_note(ngx_str_t *key);


/*
 * KEYS: of what was asked, of the stream.  ARGV: the time in which it is not
 * asked again, 1 to ask in any case, and query, category, request id and now
 * of the job.  A stream that nobody reads is not to grow for ever.
 */

static ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_shop = { .text =
    "local left = redis.call('PTTL', KEYS[1])\n"
    "if left > 0 and ARGV[2] ~= '1' then\n"
    "  local state = redis.call('GET', KEYS[1])\n"
    "  return {state == 'done' and 'done' or 'pending', ARGV[1] - left}\n"
    "end\n"
    "if redis.call('XLEN', KEYS[2]) >= 5000 then return {'full', 0} end\n"
    "local by = ARGV[2] == '1' and 'operator' or 'reader'\n"
    "local id = redis.call('XADD', KEYS[2], '*', 'kind', 'products',\n"
    "                      'by', by,\n"
    "                      'query', ARGV[3], 'category', ARGV[4],\n"
    "                      'page', '1', 'requestId', ARGV[5],\n"
    "                      'at', ARGV[6])\n"
    "redis.call('SET', KEYS[1], 'pending', 'PX', ARGV[1])\n"
    "return {'asked', 0, id}\n"
};


static struct {
    ngx_queue_t                    waits;
    ngx_http_atelier_redis_sub_t  *sub;          /* NULL: not wanted */
    unsigned                       up:1;
} ngx_http_atelier_shop;


ngx_int_t
ngx_http_atelier_shop_init_process(ngx_cycle_t *cycle)
{
    ngx_http_atelier_main_conf_t  *amcf;

    static ngx_str_t  channel = ngx_string(AT_SHOP_DONE);

    ngx_memzero(&ngx_http_atelier_shop, sizeof(ngx_http_atelier_shop));
    ngx_queue_init(&ngx_http_atelier_shop.waits);

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);

    if (amcf == NULL || amcf->redis == NULL || amcf->products == NULL) {
        return NGX_OK;
    }

    ngx_http_atelier_shop.sub = ngx_http_atelier_redis_subscribe(&channel,
                                            ngx_http_atelier_shop_heard, NULL);

    return ngx_http_atelier_shop.sub ? NGX_OK : NGX_ERROR;
}


ngx_http_atelier_redis_op_t *
ngx_http_atelier_shop_ask(ngx_http_atelier_shop_job_t *job,
    ngx_http_atelier_redis_pt cb, void *data)
{
    u_char      asked[sizeof(AT_SHOP_ASKED) + AT_SHOP_KEY_HEX];
    u_char      refresh[NGX_INT64_LEN], now[NGX_INT64_LEN];
    ngx_str_t   argv[8];
    ngx_time_t *tp;

    tp = ngx_timeofday();

    argv[0].data = asked;
    argv[0].len = ngx_sprintf(asked, AT_SHOP_ASKED "%*s",
                              (size_t) AT_SHOP_KEY_HEX, job->key)
                  - asked;
    ngx_str_set(&argv[1], AT_SHOP_JOBS);
    argv[2].data = refresh;
    argv[2].len = ngx_sprintf(refresh, "%M", job->refresh) - refresh;
    argv[3].data = (u_char *) (job->force ? "1" : "0");
    argv[3].len = 1;
    argv[4] = ngx_http_atelier_ngx_str(job->query);
    argv[5] = ngx_http_atelier_ngx_str(job->category);
    argv[6] = job->request_id;
    argv[7].data = now;
    argv[7].len = ngx_sprintf(now, "%L", (int64_t) tp->sec * 1000 + tp->msec)
                  - now;

    return ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_shop, 2, 8, argv,
                                       cb, data);
}


void
ngx_http_atelier_shop_answer(redisReply *reply,
    ngx_http_atelier_shop_answer_t *answer)
{
    redisReply  **e;

    ngx_memzero(answer, sizeof(ngx_http_atelier_shop_answer_t));

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements < 2
        || reply->element[0]->type != REDIS_REPLY_STRING
        || reply->element[1]->type != REDIS_REPLY_INTEGER)
    {
        return;
    }

    e = reply->element;
    answer->ago = e[1]->integer;

    /* whoever asked goes by another time, and did so nobody knows when */

    if (e[1]->integer < 0) {
        answer->ago = NGX_HTTP_ATELIER_SHOP_PATIENCE;
    }

    if (ngx_strcmp(e[0]->str, "full") == 0) {
        answer->state = NGX_HTTP_ATELIER_SHOP_FULL;

    } else if (ngx_strcmp(e[0]->str, "done") == 0) {
        answer->state = NGX_HTTP_ATELIER_SHOP_DONE;

    } else if (ngx_strcmp(e[0]->str, "pending") == 0) {
        answer->state = NGX_HTTP_ATELIER_SHOP_PENDING;

    } else if (reply->elements == 3 && e[2]->type == REDIS_REPLY_STRING
               && e[2]->len <= NGX_HTTP_ATELIER_SHOP_JOB)
    {
        answer->state = NGX_HTTP_ATELIER_SHOP_ASKED;
        answer->id.data = (u_char *) e[2]->str;
        answer->id.len = e[2]->len;
    }
}


ngx_uint_t
ngx_http_atelier_shop_listens(void)
{
    return ngx_http_atelier_shop.up;
}


void
ngx_http_atelier_shop_join(ngx_http_atelier_shop_wait_t *wait, const char *key)
{
    ngx_memcpy(wait->key, key, AT_SHOP_KEY_HEX);
    wait->waiting = 1;

    ngx_queue_insert_tail(&ngx_http_atelier_shop.waits, &wait->queue);
}


void
ngx_http_atelier_shop_leave(ngx_http_atelier_shop_wait_t *wait)
{
    if (wait->waiting) {
        wait->waiting = 0;
        ngx_queue_remove(&wait->queue);
    }
}


static void
ngx_http_atelier_shop_heard(void *data, ngx_http_atelier_redis_event_e event,
    ngx_str_t *message)
{
    ngx_queue_t                   *q, told;
    ngx_http_atelier_shop_wait_t  *wait;

    ngx_http_atelier_shop.up = (event != NGX_HTTP_ATELIER_REDIS_DOWN);

    if (event != NGX_HTTP_ATELIER_REDIS_MESSAGE
        || !ngx_http_atelier_shop_is_key(message))
    {
        return;
    }

    if (ngx_worker == 0) {
        ngx_http_atelier_shop_note(message);
    }

    /* a handler may let others of them go, so they are taken one by one */

    ngx_queue_init(&told);

    for (q = ngx_queue_head(&ngx_http_atelier_shop.waits);
         q != ngx_queue_sentinel(&ngx_http_atelier_shop.waits); )
    {
        wait = ngx_queue_data(q, ngx_http_atelier_shop_wait_t, queue);
        q = ngx_queue_next(q);

        if (ngx_memcmp(wait->key, message->data, AT_SHOP_KEY_HEX) == 0) {
            ngx_queue_remove(&wait->queue);
            ngx_queue_insert_tail(&told, &wait->queue);
        }
    }

    while (!ngx_queue_empty(&told)) {
        q = ngx_queue_head(&told);
        wait = ngx_queue_data(q, ngx_http_atelier_shop_wait_t, queue);

        ngx_http_atelier_shop_leave(wait);
        wait->handler(wait->data);
    }
}


static ngx_uint_t
ngx_http_atelier_shop_is_key(ngx_str_t *message)
{
    size_t  i;
    u_char  c;

    if (message->len != AT_SHOP_KEY_HEX) {
        return 0;
    }

    for (i = 0; i < message->len; i++) {
        c = message->data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_http_atelier_shop_note(ngx_str_t *key)
{
    u_char     asked[sizeof(AT_SHOP_ASKED) + AT_SHOP_KEY_HEX];
    ngx_str_t  argv[5];

    ngx_str_set(&argv[0], "SET");
    argv[1].data = asked;
    argv[1].len = ngx_sprintf(asked, AT_SHOP_ASKED "%V", key) - asked;
    ngx_str_set(&argv[2], "done");
    ngx_str_set(&argv[3], "XX");
    ngx_str_set(&argv[4], "KEEPTTL");

    (void) ngx_http_atelier_redis_command(5, argv, NULL, NULL);
}
