/*
 * Channels and subscriptions (see ngx_http_atelier_hub.h).
 *
 * A channel is made by its first subscription and ends with its last.  It is
 * in one queue at most of those that wait for Redis to send it, for being
 * read, or for somebody who can say what its last message is.
 *
 * Sockets end in events of their own, so nothing goes away while a channel is
 * served.
 */

#include "ngx_http_atelier_hub_channel.h"
#include "ngx_http_atelier_live.h"
#include "live/at_live_publish.h"


#define NGX_HTTP_ATELIER_HUB_SLICE   256           /* sockets, then others */
#define NGX_HTTP_ATELIER_HUB_HELD    1000
#define NGX_HTTP_ATELIER_HUB_LISTEN  1000          /* ms for Redis to confirm */
#define NGX_HTTP_ATELIER_HUB_UNSURE  2000          /* ms to ask again */
#define NGX_HTTP_ATELIER_HUB_SOON    200           /* ... while they wait */

/* Places go up and down from here. */
#define NGX_HTTP_ATELIER_HUB_ORIGIN  ((uint64_t) 1 << 62)


static ngx_http_atelier_channel_t *ngx_http_atelier_hub_find(at_str_t name);
static ngx_http_atelier_channel_t *ngx_http_atelier_hub_channel(
    const at_live_channel_t *c);
static void ngx_http_atelier_hub_listen(ngx_http_atelier_channel_t *ch);
static void ngx_http_atelier_hub_close(ngx_http_atelier_channel_t *ch);
static ngx_http_atelier_sub_t *ngx_http_atelier_hub_sub(
    ngx_http_atelier_socket_t *s, const at_live_channel_t *c, ngx_uint_t *n);
static void ngx_http_atelier_hub_leave(ngx_http_atelier_sub_t *sub);
static void ngx_http_atelier_hub_unlink(ngx_http_atelier_sub_t *sub);
static void ngx_http_atelier_hub_redis(void *data,
    ngx_http_atelier_redis_event_e event, ngx_str_t *message);
static void ngx_http_atelier_hub_hold(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note);
static void ngx_http_atelier_hub_turn(ngx_event_t *ev);
static void ngx_http_atelier_hub_timer(ngx_event_t *ev);


ngx_http_atelier_hub_t  ngx_http_atelier_hub;


void
ngx_http_atelier_hub_init_process(ngx_cycle_t *cycle)
{
    ngx_http_atelier_hub_t        *hub;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);
    if (amcf == NULL || !amcf->sockets) {
        return;
    }

    hub = &ngx_http_atelier_hub;

    ngx_memzero(hub, sizeof(ngx_http_atelier_hub_t));

    ngx_rbtree_init(&hub->tree, &hub->sentinel, ngx_str_rbtree_insert_value);
    ngx_queue_init(&hub->listening);
    ngx_queue_init(&hub->unread);
    ngx_queue_init(&hub->unsure);
    ngx_queue_init(&hub->busy);
    ngx_queue_init(&hub->age);

    hub->redis = (amcf->redis != NULL);
    hub->postgres = (amcf->postgres != NULL);

    hub->turn.handler = ngx_http_atelier_hub_turn;
    hub->turn.data = &hub->fd;
    hub->turn.log = cycle->log;

    hub->timer.handler = ngx_http_atelier_hub_timer;
    hub->timer.data = &hub->fd;
    hub->timer.log = cycle->log;
    hub->timer.cancelable = 1;

    hub->fd.fd = (ngx_socket_t) -1;
}


static ngx_http_atelier_channel_t *
ngx_http_atelier_hub_find(at_str_t name)
{
    ngx_str_t  key;

    key = ngx_http_atelier_ngx_str(name);

    return (ngx_http_atelier_channel_t *)
           ngx_str_rbtree_lookup(&ngx_http_atelier_hub.tree, &key,
                                 ngx_crc32_short(key.data, key.len));
}


static ngx_http_atelier_channel_t *
ngx_http_atelier_hub_channel(const at_live_channel_t *c)
{
    u_char                      *p;
    ngx_http_atelier_channel_t  *ch;

    ch = ngx_http_atelier_hub_find(c->name);

    if (ch) {
        return ch;
    }

    ch = ngx_calloc(sizeof(ngx_http_atelier_channel_t) + c->name.len,
                    ngx_cycle->log);
    if (ch == NULL) {
        return NULL;
    }

    p = (u_char *) (ch + 1);
    ngx_memcpy(p, c->name.data, c->name.len);

    ch->node.str.data = p;
    ch->node.str.len = c->name.len;
    ch->node.node.key = ngx_crc32_short(p, c->name.len);

    ngx_queue_init(&ch->subs);
    ngx_queue_init(&ch->waiting);
    ngx_queue_init(&ch->notes);
    ngx_queue_init(&ch->held);

    ch->kind = c->kind;
    ch->want = NGX_HTTP_ATELIER_HUB_NONE;
    ch->end = NGX_HTTP_ATELIER_HUB_ORIGIN;
    ch->floor = ch->end;

    ngx_rbtree_insert(&ngx_http_atelier_hub.tree, &ch->node.node);
    ngx_http_atelier_socket_self->channels++;

    ngx_http_atelier_hub_listen(ch);

    return ch;
}


/*
 * Where Redis is away it is not waited for: what is so now can be read of
 * PostgreSQL, what comes later is read when Redis is back.
 */

static void
ngx_http_atelier_hub_listen(ngx_http_atelier_channel_t *ch)
{
    u_char     key[sizeof(NGX_HTTP_ATELIER_HUB_PREFIX) + AT_LIVE_CHANNEL_MAX];
    ngx_str_t  name;

    if (ngx_http_atelier_hub.redis) {
        name.data = key;
        name.len = ngx_sprintf(key, NGX_HTTP_ATELIER_HUB_PREFIX "%V",
                               &ch->node.str)
                   - key;

        ch->redis = ngx_http_atelier_redis_subscribe(&name,
                                               ngx_http_atelier_hub_redis, ch);

        if (ch->redis && ngx_http_atelier_redis_listens()) {
            ngx_http_atelier_hub_enqueue(ch, &ngx_http_atelier_hub.listening);
            ch->listening = 1;
            return;
        }
    }

    ngx_http_atelier_hub_read(ch, NGX_HTTP_ATELIER_HUB_NONE);
}


static void
ngx_http_atelier_hub_close(ngx_http_atelier_channel_t *ch)
{
    ngx_http_atelier_hub_unread(ch);
    ngx_http_atelier_hub_dequeue(ch);

    if (ch->is_busy) {
        ngx_queue_remove(&ch->busy);
    }

    if (ch->redis) {
        ngx_http_atelier_redis_unsubscribe(ch->redis);
    }

    ngx_http_atelier_note_clear(ch);

    ngx_rbtree_delete(&ngx_http_atelier_hub.tree, &ch->node.node);
    ngx_free(ch);

    ngx_http_atelier_socket_self->channels--;
}


/* The socket's subscription of a channel, or NULL and how many it has. */

static ngx_http_atelier_sub_t *
ngx_http_atelier_hub_sub(ngx_http_atelier_socket_t *s,
    const at_live_channel_t *c, ngx_uint_t *n)
{
    ngx_str_t               *name;
    ngx_http_atelier_sub_t  *sub;

    *n = 0;

    for (sub = s->subs; sub; sub = sub->next) {
        name = &sub->channel->node.str;

        if (name->len == c->name.len
            && ngx_memcmp(name->data, c->name.data, name->len) == 0)
        {
            return sub;
        }

        ++*n;
    }

    return NULL;
}


void
ngx_http_atelier_hub_subscribe(ngx_http_atelier_socket_t *s,
    const at_live_in_t *in)
{
    ngx_uint_t                   n;
    ngx_http_atelier_sub_t      *sub;
    ngx_http_atelier_channel_t  *ch;

    sub = ngx_http_atelier_hub_sub(s, &in->channel, &n);

    if (sub == NULL && n >= s->conf->subscriptions) {
        ngx_http_atelier_live_error(s, "too_many_subscriptions",
                                    "a socket has %ui subscriptions at most; "
                                    "unsubscribe from some first",
                                    s->conf->subscriptions);
        return;
    }

    if (sub) {
        ch = sub->channel;
        ngx_http_atelier_hub_unlink(sub);

    } else {
        sub = ngx_calloc(sizeof(ngx_http_atelier_sub_t), ngx_cycle->log);
        ch = sub ? ngx_http_atelier_hub_channel(&in->channel) : NULL;

        if (ch == NULL) {
            ngx_free(sub);
            ngx_http_atelier_live_error(s, "no_memory",
                                        "there is no memory for a "
                                        "subscription; try again later");
            return;
        }

        sub->socket = s;
        sub->channel = ch;
        sub->next = s->subs;
        s->subs = sub;

        ch->nsubs++;
        ngx_http_atelier_socket_self->subscriptions++;
    }

    if (sub->answers < 1000) {
        sub->answers++;
    }

    sub->place = in->since;
    sub->has_since = in->has_since;
    sub->tried = 0;
    sub->whole = 0;

    ngx_queue_insert_tail(&ch->waiting, &sub->queue);

    ngx_http_atelier_hub.max_queue = ngx_max(ngx_http_atelier_hub.max_queue,
                                             s->conf->max_queue);

    ngx_http_atelier_hub_busy(ch);
}


void
ngx_http_atelier_hub_unsubscribe(ngx_http_atelier_socket_t *s,
    const at_live_in_t *in)
{
    ngx_uint_t                n;
    ngx_http_atelier_sub_t  **p, *sub;

    sub = ngx_http_atelier_hub_sub(s, &in->channel, &n);

    if (sub == NULL) {
        return;
    }

    for (p = (ngx_http_atelier_sub_t **) &s->subs; *p != sub;
         p = &(*p)->next)
    {
        /* void */
    }

    *p = sub->next;

    ngx_http_atelier_hub_leave(sub);
}


void
ngx_http_atelier_hub_gone(ngx_http_atelier_socket_t *s)
{
    ngx_http_atelier_sub_t  *sub;

    while (s->subs) {
        sub = s->subs;
        s->subs = sub->next;

        ngx_http_atelier_hub_leave(sub);
    }
}


static void
ngx_http_atelier_hub_leave(ngx_http_atelier_sub_t *sub)
{
    ngx_http_atelier_channel_t  *ch;

    ch = sub->channel;

    ngx_http_atelier_hub_unlink(sub);
    ngx_free(sub);

    ngx_http_atelier_socket_self->subscriptions--;

    if (--ch->nsubs == 0) {
        ngx_http_atelier_hub_close(ch);
    }
}


static void
ngx_http_atelier_hub_unlink(ngx_http_atelier_sub_t *sub)
{
    if (sub->channel->cursor == &sub->queue) {
        sub->channel->cursor = ngx_queue_next(&sub->queue);
    }

    ngx_queue_remove(&sub->queue);
}


static void
ngx_http_atelier_hub_redis(void *data, ngx_http_atelier_redis_event_e event,
    ngx_str_t *message)
{
    at_str_t                     text;
    uint64_t                     id;
    ngx_http_atelier_channel_t  *ch = data;

    switch (event) {

    case NGX_HTTP_ATELIER_REDIS_UP:
        ch->up = 1;

        if (ch->listening) {
            ngx_http_atelier_hub_dequeue(ch);
        }

        if (ch->read) {
            ch->again = 1;
            return;
        }

        ngx_http_atelier_hub_read(ch, ch->known ? ch->last
                                                : NGX_HTTP_ATELIER_HUB_NONE);
        return;

    case NGX_HTTP_ATELIER_REDIS_DOWN:
        ch->up = 0;
        return;

    default: /* NGX_HTTP_ATELIER_REDIS_MESSAGE */
        break;
    }

    if (at_live_published(ngx_http_atelier_str(message), &id, &text)
        != AT_OK)
    {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "what was published in Redis on \"%s%V\" is no JSON",
                      NGX_HTTP_ATELIER_HUB_PREFIX, &ch->node.str);
        return;
    }

    ngx_http_atelier_hub_arrive(ch, id, text);
}


void
ngx_http_atelier_hub_publish(at_str_t channel, uint64_t id, at_str_t data)
{
    ngx_http_atelier_channel_t  *ch;

    if (ngx_http_atelier_socket_self == NULL) {
        return;
    }

    ch = ngx_http_atelier_hub_find(channel);

    if (ch) {
        ngx_http_atelier_hub_arrive(ch, id, data);
    }
}


void
ngx_http_atelier_hub_arrive(ngx_http_atelier_channel_t *ch, uint64_t id,
    at_str_t data)
{
    ngx_http_atelier_note_t  *note;

    if (id && ch->live && ch->known && id <= ch->last) {
        return;
    }

    note = ngx_http_atelier_note(ch, id, data);
    if (note == NULL) {
        return;
    }

    if (ch->live && ngx_queue_empty(&ch->held)
        && (id == 0 || !ch->known || id == ch->last + 1))
    {
        ngx_http_atelier_note_append(ch, note);
        return;
    }

    ngx_http_atelier_hub_hold(ch, note);

    if (ch->live) {
        ngx_http_atelier_hub_read(ch, ch->known ? ch->last
                                                : NGX_HTTP_ATELIER_HUB_NONE);
    }
}


/* Of too many the oldest is dropped: it will be read. */

static void
ngx_http_atelier_hub_hold(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note)
{
    ngx_queue_t  *q;

    if (ch->nheld == NGX_HTTP_ATELIER_HUB_HELD) {
        q = ngx_queue_head(&ch->held);
        ngx_queue_remove(q);
        ngx_http_atelier_note_unref(ngx_queue_data(q,
                                            ngx_http_atelier_note_t, queue));
        ch->nheld--;
    }

    ngx_queue_insert_tail(&ch->held, &note->queue);
    ch->nheld++;
}


void
ngx_http_atelier_hub_busy(ngx_http_atelier_channel_t *ch)
{
    if (!ch->is_busy) {
        ch->is_busy = 1;
        ngx_queue_insert_tail(&ngx_http_atelier_hub.busy, &ch->busy);
    }

    ngx_http_atelier_hub_post();
}


/* At the end of this turn, so that what comes in it goes out together. */

void
ngx_http_atelier_hub_post(void)
{
    ngx_post_event(&ngx_http_atelier_hub.turn, &ngx_posted_events);
}


/* Others have a turn of the loop between any number of sockets. */

static void
ngx_http_atelier_hub_turn(ngx_event_t *ev)
{
    ngx_uint_t                   budget, more;
    ngx_queue_t                 *q;
    ngx_http_atelier_hub_t      *hub;
    ngx_http_atelier_channel_t  *ch;

    hub = &ngx_http_atelier_hub;

    more = ngx_http_atelier_hub_pump();

    budget = NGX_HTTP_ATELIER_HUB_SLICE;

    while (budget && !ngx_queue_empty(&hub->busy)) {
        q = ngx_queue_head(&hub->busy);
        ch = ngx_queue_data(q, ngx_http_atelier_channel_t, busy);

        ngx_queue_remove(q);
        ch->is_busy = 0;

        budget = ngx_http_atelier_hub_serve(ch, budget);

        if (budget == 0 && !ch->is_busy) {
            ch->is_busy = 1;
            ngx_queue_insert_tail(&hub->busy, q);
        }
    }

    if (more || !ngx_queue_empty(&hub->busy)) {
        if (ev->posted) {
            ngx_delete_posted_event(ev);
        }

        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


void
ngx_http_atelier_hub_enqueue(ngx_http_atelier_channel_t *ch,
    ngx_queue_t *queue)
{
    ngx_http_atelier_hub_t  *hub;

    hub = &ngx_http_atelier_hub;

    ch->queued = 1;
    ngx_queue_insert_tail(queue, &ch->queue);

    if (ch->patient && queue == &hub->unsure) {
        if (!hub->timer.timer_set
            || (ngx_msec_int_t) (hub->timer.timer.key - ngx_current_msec)
               > NGX_HTTP_ATELIER_HUB_SOON)
        {
            ngx_add_timer(&hub->timer, NGX_HTTP_ATELIER_HUB_SOON);
        }

        return;
    }

    if (hub->timer.timer_set) {
        return;
    }

    if (queue == &hub->listening) {
        ngx_add_timer(&hub->timer, NGX_HTTP_ATELIER_HUB_LISTEN);

    } else if (queue == &hub->unsure) {
        ngx_add_timer(&hub->timer, NGX_HTTP_ATELIER_HUB_UNSURE);
    }
}


void
ngx_http_atelier_hub_dequeue(ngx_http_atelier_channel_t *ch)
{
    if (ch->queued) {
        ngx_queue_remove(&ch->queue);
    }

    ch->queued = 0;
    ch->listening = 0;
    ch->unsure = 0;
}


/* Redis does not confirm, or has come back, or PostgreSQL has: who knows. */

static void
ngx_http_atelier_hub_timer(ngx_event_t *ev)
{
    ngx_uint_t                   i;
    ngx_queue_t                 *q, *queues[2];
    ngx_http_atelier_channel_t  *ch;

    queues[0] = &ngx_http_atelier_hub.listening;
    queues[1] = &ngx_http_atelier_hub.unsure;

    for (i = 0; i < 2; i++) {

        while (!ngx_queue_empty(queues[i])) {
            q = ngx_queue_head(queues[i]);
            ch = ngx_queue_data(q, ngx_http_atelier_channel_t, queue);

            ngx_http_atelier_hub_dequeue(ch);
            ngx_http_atelier_hub_read(ch, ch->known ? ch->last
                                                : NGX_HTTP_ATELIER_HUB_NONE);
        }
    }
}
