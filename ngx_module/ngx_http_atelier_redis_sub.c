/*
 * Subscriptions, on a connection of their own (see ngx_http_atelier_redis.h).
 *
 * A channel is here while somebody wants it or while Redis has not confirmed
 * all that it was asked: the confirmation of an older SUBSCRIBE, with an
 * UNSUBSCRIBE behind it, must not pass for that of the newest.  Each new
 * subscriber sends a SUBSCRIBE, also for a channel that is subscribed, since
 * its confirmation is the moment from which on that subscriber hears all.
 *
 * hiredis tells us of messages by the channel's name; what it keeps itself by
 * channel is not used.  The heartbeat is a SUBSCRIBE to a channel that nobody
 * publishes on, since hiredis 0.14 knows no PING on such a connection.
 *
 * Callbacks may subscribe and unsubscribe: while they run nothing is freed.
 */

#include "ngx_http_atelier_redis_link.h"
#include "ngx_http_atelier_zone.h"


typedef struct {
    ngx_str_node_t                  node;         /* by its name */
    ngx_queue_t                     queue;        /* of all channels */
    ngx_queue_t                     subs;
    uint32_t                        unconfirmed;  /* SUBSCRIBEs */
    u_char                          name[1];
} ngx_http_atelier_redis_channel_t;


struct ngx_http_atelier_redis_sub_s {
    ngx_queue_t                        queue;
    ngx_http_atelier_redis_sub_t      *dead;      /* the next one */
    ngx_http_atelier_redis_channel_t  *channel;
    ngx_http_atelier_redis_sub_pt      cb;        /* NULL: unsubscribed */
    void                              *data;
    ngx_uint_t                         up;        /* told so */
};


static ngx_http_atelier_redis_channel_t *ngx_http_atelier_redis_channel(
    ngx_str_t *name);
static ngx_http_atelier_redis_channel_t *ngx_http_atelier_redis_find(
    ngx_str_t *name);
static void ngx_http_atelier_redis_ask(
    ngx_http_atelier_redis_channel_t *channel);
static ngx_int_t ngx_http_atelier_redis_say(ngx_str_t *verb, ngx_str_t *name);
static void ngx_http_atelier_redis_leave(
    ngx_http_atelier_redis_channel_t *channel);
static void ngx_http_atelier_redis_sub_changed(
    ngx_http_atelier_redis_link_t *link);
static void ngx_http_atelier_redis_sub_beat(
    ngx_http_atelier_redis_link_t *link);
static void ngx_http_atelier_redis_heard(redisAsyncContext *ac, void *reply,
    void *data);
static void ngx_http_atelier_redis_confirmed(
    ngx_http_atelier_redis_channel_t *channel);
static void ngx_http_atelier_redis_deliver(
    ngx_http_atelier_redis_channel_t *channel,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message);
static void ngx_http_atelier_redis_bury(void);


static ngx_str_t  ngx_http_atelier_redis_subscribe_verb =
    ngx_string("SUBSCRIBE");
static ngx_str_t  ngx_http_atelier_redis_unsubscribe_verb =
    ngx_string("UNSUBSCRIBE");
static ngx_str_t  ngx_http_atelier_redis_heartbeat =
    ngx_string("atelier:heartbeat");

/* This worker's; link is NULL where there is none. */
static struct {
    ngx_http_atelier_redis_link_t  *link;
    ngx_rbtree_t                    tree;
    ngx_rbtree_node_t               sentinel;
    ngx_queue_t                     channels;
    ngx_uint_t                      depth;        /* of callbacks, now */
    ngx_http_atelier_redis_sub_t   *dead;
} ngx_http_atelier_redis_subs;


void
ngx_http_atelier_redis_sub_init(ngx_http_atelier_redis_link_t *link)
{
    ngx_memzero(&ngx_http_atelier_redis_subs,
                sizeof(ngx_http_atelier_redis_subs));

    ngx_rbtree_init(&ngx_http_atelier_redis_subs.tree,
                    &ngx_http_atelier_redis_subs.sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&ngx_http_atelier_redis_subs.channels);

    ngx_http_atelier_redis_subs.link = link;

    link->changed = ngx_http_atelier_redis_sub_changed;
    link->heartbeat = ngx_http_atelier_redis_sub_beat;
}


/* The subscribers end with their worker and are told nothing. */

void
ngx_http_atelier_redis_sub_exit(void)
{
    ngx_queue_t                       *q, *p, *next, *after, *channels;
    ngx_http_atelier_redis_channel_t  *channel;

    ngx_http_atelier_redis_bury();

    channels = &ngx_http_atelier_redis_subs.channels;

    for (q = ngx_queue_head(channels);
         q != ngx_queue_sentinel(channels);
         q = next)
    {
        next = ngx_queue_next(q);
        channel = ngx_queue_data(q, ngx_http_atelier_redis_channel_t, queue);

        for (p = ngx_queue_head(&channel->subs);
             p != ngx_queue_sentinel(&channel->subs);
             p = after)
        {
            after = ngx_queue_next(p);
            ngx_free(ngx_queue_data(p, ngx_http_atelier_redis_sub_t, queue));
        }

        ngx_free(channel);
    }

    ngx_http_atelier_redis_subs.link = NULL;
}


ngx_http_atelier_redis_sub_t *
ngx_http_atelier_redis_subscribe(ngx_str_t *name,
    ngx_http_atelier_redis_sub_pt cb, void *data)
{
    ngx_http_atelier_redis_sub_t      *sub;
    ngx_http_atelier_redis_channel_t  *channel;

    if (ngx_http_atelier_redis_subs.link == NULL) {
        return NULL;
    }

    sub = ngx_alloc(sizeof(ngx_http_atelier_redis_sub_t), ngx_cycle->log);
    if (sub == NULL) {
        return NULL;
    }

    channel = ngx_http_atelier_redis_channel(name);
    if (channel == NULL) {
        ngx_free(sub);
        return NULL;
    }

    sub->dead = NULL;
    sub->channel = channel;
    sub->cb = cb;
    sub->data = data;
    sub->up = 0;

    ngx_queue_insert_tail(&channel->subs, &sub->queue);

    ngx_http_atelier_redis_ask(channel);

    return sub;
}


ngx_uint_t
ngx_http_atelier_redis_listens(void)
{
    ngx_http_atelier_redis_link_t  *link;

    link = ngx_http_atelier_redis_subs.link;

    return link && ngx_http_atelier_redis_link_takes(link);
}


void
ngx_http_atelier_redis_unsubscribe(ngx_http_atelier_redis_sub_t *sub)
{
    sub->cb = NULL;
    sub->dead = ngx_http_atelier_redis_subs.dead;
    ngx_http_atelier_redis_subs.dead = sub;

    if (ngx_http_atelier_redis_subs.depth == 0) {
        ngx_http_atelier_redis_bury();
    }
}


static ngx_http_atelier_redis_channel_t *
ngx_http_atelier_redis_channel(ngx_str_t *name)
{
    ngx_http_atelier_redis_channel_t  *channel;

    channel = ngx_http_atelier_redis_find(name);

    if (channel) {
        return channel;
    }

    channel = ngx_alloc(ngx_max(sizeof(ngx_http_atelier_redis_channel_t),
                                offsetof(ngx_http_atelier_redis_channel_t,
                                         name) + name->len),
                        ngx_cycle->log);
    if (channel == NULL) {
        return NULL;
    }

    channel->node.node.key = ngx_crc32_long(name->data, name->len);
    channel->node.str.len = name->len;
    channel->node.str.data = channel->name;
    channel->unconfirmed = 0;

    ngx_memcpy(channel->name, name->data, name->len);

    ngx_queue_init(&channel->subs);
    ngx_queue_insert_tail(&ngx_http_atelier_redis_subs.channels,
                          &channel->queue);
    ngx_rbtree_insert(&ngx_http_atelier_redis_subs.tree, &channel->node.node);

    return channel;
}


static ngx_http_atelier_redis_channel_t *
ngx_http_atelier_redis_find(ngx_str_t *name)
{
    ngx_str_node_t  *node;

    node = ngx_str_rbtree_lookup(&ngx_http_atelier_redis_subs.tree, name,
                                 ngx_crc32_long(name->data, name->len));

    return (ngx_http_atelier_redis_channel_t *) node;
}


/* Asks Redis for a channel, if it can be asked; else that follows. */

static void
ngx_http_atelier_redis_ask(ngx_http_atelier_redis_channel_t *channel)
{
    if (ngx_http_atelier_redis_say(&ngx_http_atelier_redis_subscribe_verb,
                                   &channel->node.str)
        == NGX_OK)
    {
        channel->unconfirmed++;
    }
}


static ngx_int_t
ngx_http_atelier_redis_say(ngx_str_t *verb, ngx_str_t *name)
{
    ngx_str_t                       words[2];
    ngx_http_atelier_redis_link_t  *link;

    link = ngx_http_atelier_redis_subs.link;

    if (link->state != NGX_HTTP_ATELIER_REDIS_LINK_READY) {
        return NGX_DECLINED;
    }

    words[0] = *verb;
    words[1] = *name;

    return ngx_http_atelier_redis_link_send(link, 2, words,
                                            ngx_http_atelier_redis_heard,
                                            NULL);
}


/* Nobody wants the channel any more. */

static void
ngx_http_atelier_redis_leave(ngx_http_atelier_redis_channel_t *channel)
{
    if (!ngx_queue_empty(&channel->subs) || channel->unconfirmed) {
        return;
    }

    ngx_queue_remove(&channel->queue);
    ngx_rbtree_delete(&ngx_http_atelier_redis_subs.tree, &channel->node.node);
    ngx_free(channel);
}


static void
ngx_http_atelier_redis_sub_changed(ngx_http_atelier_redis_link_t *link)
{
    ngx_queue_t                       *q, *next, *channels;
    ngx_http_atelier_redis_channel_t  *channel;

    channels = &ngx_http_atelier_redis_subs.channels;

    if (link->state == NGX_HTTP_ATELIER_REDIS_LINK_READY) {
        ngx_http_atelier_redis_sub_beat(link);

        for (q = ngx_queue_head(channels);
             q != ngx_queue_sentinel(channels);
             q = ngx_queue_next(q))
        {
            channel = ngx_queue_data(q, ngx_http_atelier_redis_channel_t,
                                     queue);
            ngx_http_atelier_redis_ask(channel);
        }

        return;
    }

    ngx_http_atelier_redis_subs.depth++;

    for (q = ngx_queue_head(channels);
         q != ngx_queue_sentinel(channels);
         q = ngx_queue_next(q))
    {
        channel = ngx_queue_data(q, ngx_http_atelier_redis_channel_t, queue);
        channel->unconfirmed = 0;

        ngx_http_atelier_redis_deliver(channel, NGX_HTTP_ATELIER_REDIS_DOWN,
                                       NULL);
    }

    ngx_http_atelier_redis_subs.depth--;

    ngx_http_atelier_redis_bury();

    /* those that were only here for a confirmation, which will not come */

    for (q = ngx_queue_head(channels);
         q != ngx_queue_sentinel(channels);
         q = next)
    {
        next = ngx_queue_next(q);
        channel = ngx_queue_data(q, ngx_http_atelier_redis_channel_t, queue);

        ngx_http_atelier_redis_leave(channel);
    }
}


static void
ngx_http_atelier_redis_sub_beat(ngx_http_atelier_redis_link_t *link)
{
    (void) ngx_http_atelier_redis_say(&ngx_http_atelier_redis_subscribe_verb,
                                      &ngx_http_atelier_redis_heartbeat);
}


/* Whatever Redis says on this connection: [verb, channel, message]. */

static void
ngx_http_atelier_redis_heard(redisAsyncContext *ac, void *reply, void *data)
{
    ngx_str_t                          name, message;
    redisReply                        *answer, *word;
    ngx_http_atelier_redis_link_t     *link;
    ngx_http_atelier_redis_channel_t  *channel;

    link = ac->data;
    answer = reply;

    if (answer == NULL || link->ac != ac) {
        return;
    }

    ngx_http_atelier_redis_link_heard(link);

    if (answer->type != REDIS_REPLY_ARRAY || answer->elements < 3
        || answer->element[0]->type != REDIS_REPLY_STRING
        || answer->element[1]->type != REDIS_REPLY_STRING)
    {
        return;
    }

    name.data = (u_char *) answer->element[1]->str;
    name.len = answer->element[1]->len;

    channel = ngx_http_atelier_redis_find(&name);

    if (channel == NULL) {
        return;
    }

    word = answer->element[2];

    if (ngx_strcmp(answer->element[0]->str, "subscribe") == 0) {
        ngx_http_atelier_redis_confirmed(channel);

    } else if (ngx_strcmp(answer->element[0]->str, "message") == 0
               && word->type == REDIS_REPLY_STRING)
    {
        message.data = (u_char *) word->str;
        message.len = word->len;

        ngx_http_atelier_count(&link->stats->messages, 1);
        ngx_http_atelier_redis_deliver(channel,
                                       NGX_HTTP_ATELIER_REDIS_MESSAGE,
                                       &message);
    }
}


static void
ngx_http_atelier_redis_confirmed(ngx_http_atelier_redis_channel_t *channel)
{
    if (channel->unconfirmed == 0 || --channel->unconfirmed) {
        return;
    }

    if (ngx_queue_empty(&channel->subs)) {
        ngx_http_atelier_redis_leave(channel);
        return;
    }

    ngx_http_atelier_redis_deliver(channel, NGX_HTTP_ATELIER_REDIS_UP, NULL);
}


/*
 * UP goes to those who wait for it, the others to those who have had it.  Who
 * subscribes meanwhile stands at the end of the queue and waits for another
 * confirmation.
 */

static void
ngx_http_atelier_redis_deliver(ngx_http_atelier_redis_channel_t *channel,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message)
{
    ngx_queue_t                   *q;
    ngx_http_atelier_redis_sub_t  *sub;

    ngx_http_atelier_redis_subs.depth++;

    for (q = ngx_queue_head(&channel->subs);
         q != ngx_queue_sentinel(&channel->subs);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_atelier_redis_sub_t, queue);

        if (event == NGX_HTTP_ATELIER_REDIS_UP) {
            if (channel->unconfirmed) {
                break;
            }

            if (sub->up) {
                continue;
            }

            sub->up = 1;

        } else if (!sub->up) {
            continue;
        }

        if (event == NGX_HTTP_ATELIER_REDIS_DOWN) {
            sub->up = 0;
        }

        if (sub->cb) {
            sub->cb(sub->data, event, message);
        }
    }

    if (--ngx_http_atelier_redis_subs.depth == 0) {
        ngx_http_atelier_redis_bury();
    }
}


/* Frees who has unsubscribed, and leaves channels that nobody is left of. */

static void
ngx_http_atelier_redis_bury(void)
{
    ngx_http_atelier_redis_sub_t      *sub;
    ngx_http_atelier_redis_channel_t  *channel;

    while (ngx_http_atelier_redis_subs.dead) {
        sub = ngx_http_atelier_redis_subs.dead;
        ngx_http_atelier_redis_subs.dead = sub->dead;

        channel = sub->channel;
        ngx_queue_remove(&sub->queue);
        ngx_free(sub);

        if (!ngx_queue_empty(&channel->subs)) {
            continue;
        }

        (void) ngx_http_atelier_redis_say(
                                     &ngx_http_atelier_redis_unsubscribe_verb,
                                     &channel->node.str);
        ngx_http_atelier_redis_leave(channel);
    }
}
