/*
 * Asking Redis for a node's part of shared limits (see
 * ngx_http_atelier_joint.h).
 *
 * One question of a node is out at a time: it says all the node holds, so
 * that two of them would undo each other.  Whichever worker has a reason asks
 * it: four times in a lease in any case, sooner if promises run low, if
 * requests wait, or if another node has published that a provider asks for a
 * pause.  A question that is lost is asked again with the same calls, whose
 * ids keep them from being counted twice.
 */

#include "ngx_http_atelier_provider.h"
#include "ngx_http_atelier_joint_sync.h"


/* Questions that are not the regular ones: not more often than this, in ms. */
#define NGX_HTTP_ATELIER_JOINT_PAUSE    3

/* Another worker's question is out: look again after this, so many times. */
#define NGX_HTTP_ATELIER_JOINT_RETRY    1
#define NGX_HTTP_ATELIER_JOINT_RETRIES  10

/* Numbers of the answer for each window. */
#define NGX_HTTP_ATELIER_JOINT_FIELDS   (4 + NGX_HTTP_ATELIER_JOINT_MARKS)


static void ngx_http_atelier_joint_timer(ngx_event_t *ev);
static void ngx_http_atelier_joint_arm(ngx_http_atelier_joint_sync_t *s,
    ngx_msec_t ms);
static void ngx_http_atelier_joint_question(
    ngx_http_atelier_joint_sync_t *s);
static ngx_int_t ngx_http_atelier_joint_lock(
    ngx_http_atelier_joint_sync_t *s);
static void ngx_http_atelier_joint_unlock(ngx_http_atelier_joint_sync_t *s);
static ngx_int_t ngx_http_atelier_joint_send(
    ngx_http_atelier_joint_sync_t *s);
static void ngx_http_atelier_joint_answer(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_joint_apply(
    ngx_http_atelier_joint_sync_t *s, redisReply *reply);
static void ngx_http_atelier_joint_apply_window(
    ngx_http_atelier_joint_sync_t *s, ngx_http_atelier_joint_t *share,
    redisReply **field);
static void ngx_http_atelier_joint_apply_pause(
    ngx_http_atelier_slot_t *slot, long long left);
static void ngx_http_atelier_joint_forgotten(
    ngx_http_atelier_joint_sync_t *s);
static ngx_int_t ngx_http_atelier_joint_noted(
    ngx_http_atelier_joint_sync_t *s);
static void ngx_http_atelier_joint_wake(ngx_queue_t *queue);
static void ngx_http_atelier_joint_told(void *data,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message);


ngx_str_t  ngx_http_atelier_joint_prefix =
    ngx_string("atelier:limits");

static ngx_http_atelier_redis_script_t  ngx_http_atelier_joint_script = {
    ngx_http_atelier_joint_lua, { 0 }
};

static ngx_http_atelier_joint_sync_t  ngx_http_atelier_joint_sync;


ngx_int_t
ngx_http_atelier_joint_init_process(ngx_cycle_t *cycle)
{
    ngx_http_atelier_main_conf_t   *amcf;
    ngx_http_atelier_joint_sync_t  *s;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);

    if (amcf == NULL || amcf->limits == NULL) {
        return NGX_OK;
    }

    s = &ngx_http_atelier_joint_sync;
    ngx_memzero(s, sizeof(ngx_http_atelier_joint_sync_t));

    s->amcf = amcf;
    s->dummy.fd = (ngx_socket_t) -1;

    ngx_queue_init(&s->waiters);
    ngx_queue_init(&s->served);

    s->timer.handler = ngx_http_atelier_joint_timer;
    s->timer.data = &s->dummy;
    s->timer.log = cycle->log;
    s->timer.cancelable = 1;

    s->now = s->timer;

    if (ngx_http_atelier_redis_subscribe(&ngx_http_atelier_joint_prefix,
                                         ngx_http_atelier_joint_told, s)
        == NULL)
    {
        return NGX_ERROR;
    }

    s->asked = 1;
    ngx_http_atelier_joint_question(s);

    return NGX_OK;
}


void
ngx_http_atelier_joint_soon(void)
{
    ngx_msec_int_t                  past;
    ngx_http_atelier_joint_sync_t  *s;

    s = &ngx_http_atelier_joint_sync;

    if (s->amcf == NULL || s->asked) {
        return;
    }

    s->asked = 1;

    past = (ngx_msec_int_t) (ngx_current_msec
                             - s->amcf->zone->sh->share.answered);

    if (past >= 0 && past < NGX_HTTP_ATELIER_JOINT_PAUSE) {
        ngx_http_atelier_joint_arm(s, NGX_HTTP_ATELIER_JOINT_PAUSE - past);
        return;
    }

    if (!s->now.posted) {
        ngx_post_event(&s->now, &ngx_posted_events);
    }
}


/*
 * It is not if each provider has a promise for this request, or no call to
 * give before a time that is known.
 */

ngx_int_t
ngx_http_atelier_joint_ask(ngx_http_atelier_main_conf_t *amcf,
    ngx_http_atelier_joint_waiter_t *waiter)
{
    ngx_uint_t                       i, lacks;
    ngx_msec_t                       now;
    ngx_http_atelier_zone_t         *zone;
    ngx_http_atelier_provider_t    **p;
    ngx_http_atelier_joint_sync_t   *s;

    s = &ngx_http_atelier_joint_sync;

    if (s->amcf == NULL || !ngx_http_atelier_redis_ready()) {
        return NGX_OK;
    }

    zone = amcf->zone;
    p = amcf->providers.elts;
    now = ngx_current_msec;
    lacks = 0;

    ngx_shmtx_lock(&zone->pool->mutex);

    if ((ngx_msec_int_t) (now - zone->sh->share.answered)
        >= NGX_HTTP_ATELIER_JOINT_PAUSE)
    {
        for (i = 0; i < amcf->providers.nelts; i++) {
            lacks |= ngx_http_atelier_joint_want(&p[i]->party, now);
        }
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    if (!lacks) {
        return NGX_OK;
    }

    waiter->waiting = 1;
    ngx_queue_insert_tail(&s->waiters, &waiter->queue);

    s->timer.cancelable = 0;

    ngx_http_atelier_joint_soon();

    return NGX_AGAIN;
}


void
ngx_http_atelier_joint_leave(ngx_http_atelier_joint_waiter_t *waiter)
{
    if (waiter->waiting) {
        waiter->waiting = 0;
        ngx_queue_remove(&waiter->queue);
    }
}


static void
ngx_http_atelier_joint_timer(ngx_event_t *ev)
{
    ngx_http_atelier_joint_question(&ngx_http_atelier_joint_sync);
}


static void
ngx_http_atelier_joint_arm(ngx_http_atelier_joint_sync_t *s, ngx_msec_t ms)
{
    if (s->timer.timer_set) {
        ngx_del_timer(&s->timer);
    }

    ngx_add_timer(&s->timer, ms);
    s->timer.cancelable = ngx_queue_empty(&s->waiters);
}


/* Asks now if there is a reason, and sets the timer for the next look. */

static void
ngx_http_atelier_joint_question(ngx_http_atelier_joint_sync_t *s)
{
    ngx_int_t   rc;
    ngx_msec_t  interval;

    if (s->op) {
        return;
    }

    interval = s->amcf->limits->lease / 4;

    rc = ngx_http_atelier_joint_lock(s);

    if (rc == NGX_BUSY && s->retries++ < NGX_HTTP_ATELIER_JOINT_RETRIES) {
        ngx_http_atelier_joint_arm(s, NGX_HTTP_ATELIER_JOINT_RETRY);
        return;
    }

    s->asked = 0;
    s->retries = 0;

    if (!ngx_queue_empty(&s->waiters)) {
        ngx_queue_add(&s->served, &s->waiters);
        ngx_queue_init(&s->waiters);
    }

    if (rc != NGX_OK || ngx_http_atelier_joint_send(s) != NGX_OK) {
        ngx_http_atelier_joint_wake(&s->served);
    }

    ngx_http_atelier_joint_arm(s, interval);
}


/*
 * NGX_DECLINED: there is no reason to ask, or nobody to be asked; NGX_BUSY:
 * another worker does.  A worker that dies over it holds the lock for a while.
 */

static ngx_int_t
ngx_http_atelier_joint_lock(ngx_http_atelier_joint_sync_t *s)
{
    ngx_int_t                       rc;
    ngx_msec_t                      now, interval;
    ngx_http_atelier_zone_t        *zone;
    ngx_http_atelier_joint_node_t  *node;

    if (!ngx_http_atelier_redis_ready()) {
        return NGX_DECLINED;
    }

    zone = s->amcf->zone;
    node = &zone->sh->share;
    now = ngx_current_msec;
    interval = s->amcf->limits->lease / 4;

    ngx_shmtx_lock(&zone->pool->mutex);

    s->full = ((ngx_msec_int_t) (now - node->marked)
               >= (ngx_msec_int_t) (interval - interval / 4));

    if (!s->asked && !s->full && node->known) {
        rc = NGX_DECLINED;

    } else if (node->locked && (ngx_msec_int_t) (node->locked - now) > 0) {
        rc = NGX_BUSY;

    } else {
        node->locked = ngx_max(now + interval, 1);
        s->token = ++node->token;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return rc;
}


static void
ngx_http_atelier_joint_unlock(ngx_http_atelier_joint_sync_t *s)
{
    ngx_http_atelier_zone_t        *zone;
    ngx_http_atelier_joint_node_t  *node;

    zone = s->amcf->zone;
    node = &zone->sh->share;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (node->token == s->token) {
        node->locked = 0;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);
}


static ngx_int_t
ngx_http_atelier_joint_send(ngx_http_atelier_joint_sync_t *s)
{
    ngx_http_atelier_zone_t         *zone;
    ngx_http_atelier_joint_words_t   w;

    zone = s->amcf->zone;

    w.failed = 0;
    w.pool = ngx_create_pool(4096, ngx_cycle->log);

    if (w.pool == NULL
        || ngx_array_init(&w.words, w.pool, 64, sizeof(ngx_str_t)) != NGX_OK)
    {
        w.failed = 1;

    } else {
        ngx_shmtx_lock(&zone->pool->mutex);
        ngx_http_atelier_joint_say(s, &w);
        ngx_shmtx_unlock(&zone->pool->mutex);
    }

    if (!w.failed) {
        s->op = ngx_http_atelier_redis_eval(&ngx_http_atelier_joint_script, 1,
                                            w.words.nelts, w.words.elts,
                                            ngx_http_atelier_joint_answer, s);
    }

    if (w.pool) {
        ngx_destroy_pool(w.pool);
    }

    if (s->op == NULL) {
        ngx_http_atelier_joint_unlock(s);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_atelier_joint_answer(void *data, redisReply *reply)
{
    ngx_int_t                        rc;
    ngx_http_atelier_joint_sync_t   *s;

    s = data;
    s->op = NULL;

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "atelier: redis refused the script of shared limits: "
                      "%s", reply->str);
    }

    rc = NGX_ERROR;

    if (reply && reply->type == REDIS_REPLY_ARRAY && reply->elements
        && reply->element[0]->type == REDIS_REPLY_INTEGER)
    {
        if (reply->element[0]->integer == 0) {
            rc = NGX_DECLINED;

        } else if (reply->element[0]->integer == 3) {
            rc = ngx_http_atelier_joint_noted(s);

        } else if (reply->element[0]->integer == 1
                   && reply->elements
                      == 1 + s->windows * NGX_HTTP_ATELIER_JOINT_FIELDS
                         + s->parties)
        {
            rc = ngx_http_atelier_joint_apply(s, reply);
        }
    }

    if (rc == NGX_DECLINED) {
        ngx_http_atelier_joint_forgotten(s);
    }

    ngx_http_atelier_joint_unlock(s);

    if (rc != NGX_DECLINED) {
        ngx_http_atelier_joint_wake(&s->served);
    }

    /* what came up while the question was out is not answered by it */

    if (s->asked || rc == NGX_DECLINED || (rc == NGX_OK && s->more)) {
        s->asked = 0;
        ngx_http_atelier_joint_soon();
    }
}


static ngx_int_t
ngx_http_atelier_joint_apply(ngx_http_atelier_joint_sync_t *s,
    redisReply *reply)
{
    ngx_int_t                        rc;
    ngx_uint_t                       i, n;
    redisReply                     **field;
    ngx_http_atelier_zone_t         *zone;
    ngx_http_atelier_joint_t        *share;
    ngx_http_atelier_party_t       **p;
    ngx_http_atelier_joint_node_t   *node;

    zone = s->amcf->zone;
    node = &zone->sh->share;
    p = s->amcf->limits->parties.elts;
    field = &reply->element[1];
    rc = NGX_ERROR;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (node->token != s->token) {
        goto done;
    }

    for (i = 0; i < s->parties; i++) {
        for (n = 0; n < p[i]->nrates; n++) {
            share = ngx_http_atelier_joint_current(p[i], n);

            ngx_http_atelier_joint_apply_window(s, share, field);
            field += NGX_HTTP_ATELIER_JOINT_FIELDS;
        }
    }

    for (i = 0; i < s->parties; i++) {
        ngx_http_atelier_joint_apply_pause(p[i]->slot, (*field)->integer);
        field++;
    }

    node->known = 1;
    node->forgotten = 0;
    node->answered = ngx_current_msec;

    if (s->full) {
        node->marked = ngx_current_msec;
    }

    rc = NGX_OK;

done:

    ngx_shmtx_unlock(&zone->pool->mutex);

    return rc;
}


static void
ngx_http_atelier_joint_apply_window(ngx_http_atelier_joint_sync_t *s,
    ngx_http_atelier_joint_t *share, redisReply **field)
{
    ngx_uint_t  i;

    share->reported = share->sent;
    share->promised += field[0]->integer;
    share->counted = field[1]->integer;
    share->left = field[2]->integer;
    share->low = share->promised / 2;
    share->next_at = ngx_current_msec + field[3]->integer;
    share->want = 0;
    share->made = 0;
    share->extra = 0;

    if (!s->full) {
        return;
    }

    for (i = 0; i < NGX_HTTP_ATELIER_JOINT_MARKS; i++) {
        share->marks[i] = (field[4 + i]->integer > 0)
                          ? ngx_current_msec + field[4 + i]->integer : 0;
    }
}


/* Ours is told as soon as an answer comes, if it is not a longer one by now. */

static void
ngx_http_atelier_joint_apply_pause(ngx_http_atelier_slot_t *slot,
    long long left)
{
    ngx_msec_t  until;

    if (left > 0) {
        until = ngx_max(ngx_current_msec + (ngx_msec_t) left, 1);

        if (slot->not_before == 0
            || (ngx_msec_int_t) (until - slot->not_before) > 0)
        {
            slot->not_before = until;
        }
    }

    if (slot->tell == slot->told) {
        slot->tell = 0;
    }
}


/* Redis has lost its memory, or us: it learns of all calls again. */

static void
ngx_http_atelier_joint_forgotten(ngx_http_atelier_joint_sync_t *s)
{
    ngx_uint_t                       i, n;
    ngx_http_atelier_zone_t         *zone;
    ngx_http_atelier_joint_t        *share;
    ngx_http_atelier_party_t       **p;
    ngx_http_atelier_joint_node_t   *node;

    zone = s->amcf->zone;
    node = &zone->sh->share;
    p = s->amcf->limits->parties.elts;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (node->token == s->token) {
        node->forgotten = 1;

        for (i = 0; i < s->parties; i++) {
            for (n = 0; n < p[i]->nrates; n++) {
                share = ngx_http_atelier_joint_current(p[i], n);

                share->reported = share->count
                               ? ngx_http_atelier_joint_call(share, 0)->id - 1
                               : share->id;
                share->sent = share->reported;
            }
        }
    }

    ngx_shmtx_unlock(&zone->pool->mutex);
}


/* Redis has the calls, but not those of all nodes. */

static ngx_int_t
ngx_http_atelier_joint_noted(ngx_http_atelier_joint_sync_t *s)
{
    ngx_uint_t                       i, n;
    ngx_http_atelier_zone_t         *zone;
    ngx_http_atelier_joint_t        *share;
    ngx_http_atelier_party_t       **p;

    zone = s->amcf->zone;
    p = s->amcf->limits->parties.elts;

    ngx_shmtx_lock(&zone->pool->mutex);

    if (zone->sh->share.token == s->token) {
        zone->sh->share.forgotten = 0;

        for (i = 0; i < s->parties; i++) {
            for (n = 0; n < p[i]->nrates; n++) {
                share = ngx_http_atelier_joint_current(p[i], n);
                share->reported = share->sent;
            }
        }
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return NGX_OK;
}


/* A handler may ask again: that one waits in the other queue. */

static void
ngx_http_atelier_joint_wake(ngx_queue_t *queue)
{
    ngx_queue_t                      *q;
    ngx_http_atelier_joint_waiter_t  *waiter;

    while (!ngx_queue_empty(queue)) {
        q = ngx_queue_head(queue);
        waiter = ngx_queue_data(q, ngx_http_atelier_joint_waiter_t, queue);

        ngx_http_atelier_joint_leave(waiter);
        waiter->handler(waiter->data);
    }
}


/* Another node was told to wait by a provider: so are we. */

static void
ngx_http_atelier_joint_told(void *data, ngx_http_atelier_redis_event_e event,
    ngx_str_t *message)
{
    ngx_http_atelier_joint_sync_t *s = data;

    u_char  *name;

    name = s->amcf->zone->sh->share.name;

    if (event == NGX_HTTP_ATELIER_REDIS_MESSAGE
        && (message->len != 16 || ngx_memcmp(message->data, name, 16) != 0))
    {
        ngx_http_atelier_joint_soon();
    }
}


void
ngx_http_atelier_joint_give_back(ngx_http_atelier_zone_t *zone,
    ngx_http_atelier_party_t *party, ngx_uint_t n, uint32_t id)
{
    u_char     key[128], member[32];
    ngx_str_t  words[3];

    ngx_str_set(&words[0], "ZREM");

    words[1].data = key;
    words[1].len = ngx_snprintf(key, sizeof(key), "%V:%V:%M",
                                &ngx_http_atelier_joint_prefix,
                                &party->slot_name, party->rates[n].period)
                   - key;

    words[2].data = member;
    words[2].len = ngx_snprintf(member, sizeof(member), "%*s:%uD",
                                (size_t) 16, zone->sh->share.name, id)
                   - member;

    /* if Redis is away the call only counts for longer than it should */

    (void) ngx_http_atelier_redis_command(3, words, NULL, NULL);
}
