/*
 * Delivery (see ngx_http_atelier_hub_channel.h): who waits is answered, then
 * everybody is handed what they have not had, a slice of sockets at a time.
 *
 * A socket is handed messages while its queue is short.  A fourth of what it
 * may hold is its mark: above that, messages stay in the log, where they cost
 * one place for all who are behind, until the socket has caught up.  Of a
 * product or design it then gets the newest alone.  Who falls behind by more
 * than the queue may hold is closed.
 */

#include "ngx_http_atelier_hub_channel.h"


static ngx_uint_t ngx_http_atelier_hub_answer(ngx_http_atelier_sub_t *sub);
static ngx_uint_t ngx_http_atelier_hub_ready(ngx_http_atelier_sub_t *sub);
static void ngx_http_atelier_hub_told(ngx_http_atelier_sub_t *sub,
    ngx_uint_t recovered);
static ngx_http_atelier_frame_t *ngx_http_atelier_hub_subscribed(
    ngx_http_atelier_channel_t *ch, ngx_uint_t recovered);
static void ngx_http_atelier_hub_anew(ngx_http_atelier_sub_t *sub);
static void ngx_http_atelier_hub_hand(ngx_http_atelier_sub_t *sub,
    ngx_http_atelier_note_t *note);
static void ngx_http_atelier_hub_feed(ngx_http_atelier_sub_t *sub);
static ngx_uint_t ngx_http_atelier_hub_behind(ngx_http_atelier_sub_t *sub);
static void ngx_http_atelier_hub_skip(ngx_http_atelier_sub_t *sub);


/* What is left of the budget; 0: there is more to do. */

ngx_uint_t
ngx_http_atelier_hub_serve(ngx_http_atelier_channel_t *ch, ngx_uint_t budget)
{
    ngx_queue_t             *q;
    ngx_http_atelier_sub_t  *sub;

    while (!ngx_queue_empty(&ch->waiting)) {
        q = ngx_queue_head(&ch->waiting);
        sub = ngx_queue_data(q, ngx_http_atelier_sub_t, queue);

        if (!ngx_http_atelier_hub_answer(sub)) {
            break;
        }

        if (--budget == 0) {
            return 0;
        }
    }

    for ( ;; ) {

        if (ch->cursor == NULL) {

            if (!ch->more) {
                return budget;
            }

            ch->cursor = ngx_queue_head(&ch->subs);
            ch->more = 0;
            ch->low = ch->end;
        }

        while (ch->cursor != ngx_queue_sentinel(&ch->subs)) {
            sub = ngx_queue_data(ch->cursor, ngx_http_atelier_sub_t, queue);
            ch->cursor = ngx_queue_next(ch->cursor);

            ngx_http_atelier_hub_feed(sub);

            if (sub->place < ch->low
                && (sub->whole || !ngx_http_atelier_hub_conflates(ch)))
            {
                ch->low = sub->place;
            }

            if (--budget == 0) {
                return 0;
            }
        }

        ch->cursor = NULL;
        ch->floor = ch->low;
    }
}


/* 0: it has to wait, and so have those behind it. */

static ngx_uint_t
ngx_http_atelier_hub_answer(ngx_http_atelier_sub_t *sub)
{
    uint64_t                     place;
    ngx_uint_t                   recovered;
    ngx_http_atelier_channel_t  *ch;

    ch = sub->channel;

    if (!ngx_http_atelier_hub_ready(sub)) {
        return 0;
    }

    place = NGX_HTTP_ATELIER_HUB_NONE;

    if (sub->has_since && ch->known) {
        place = ngx_http_atelier_note_place(ch, sub->place);
    }

    recovered = (place != NGX_HTTP_ATELIER_HUB_NONE);

    ngx_queue_remove(&sub->queue);
    ngx_queue_insert_tail(&ch->subs, &sub->queue);

    if (!sub->socket->conf->flat) {
        ngx_http_atelier_hub_told(sub, recovered);
    }

    sub->answers = 0;
    sub->tried = 0;

    if (!recovered) {
        sub->place = ch->end;

        if (ch->value) {
            ngx_http_atelier_hub_hand(sub, ch->value);
        }

        return 1;
    }

    if (ch->kind == AT_LIVE_GENERATE && place == ch->end) {
        ngx_http_atelier_hub_anew(sub);
    }

    ngx_http_atelier_socket_self->counters.recovered += ch->last - sub->place;

    sub->place = place;
    sub->whole = 1;

    ch->floor = ngx_min(ch->floor, place);
    ch->low = ngx_min(ch->low, place);

    ngx_http_atelier_hub_feed(sub);

    return 1;
}


/* Whether all is known that there is to know; if not it is read. */

static ngx_uint_t
ngx_http_atelier_hub_ready(ngx_http_atelier_sub_t *sub)
{
    ngx_http_atelier_channel_t  *ch;

    ch = sub->channel;

    if (!ch->live || (ch->patient && sub->has_since)) {
        return 0;
    }

    if (sub->tried) {
        return (ch->read == NULL);
    }

    if (ngx_http_atelier_hub.redis && !ch->up) {

        /* deaf: what is known may be old */

        ngx_http_atelier_hub_read(ch, ch->known ? ch->last
                                                : NGX_HTTP_ATELIER_HUB_NONE);
        return 0;
    }

    if (sub->has_since && ch->known && sub->place < ch->last
        && sub->place + 1 < ch->first)
    {
        ngx_http_atelier_hub_read(ch, sub->place);
        return 0;
    }

    return 1;
}


static void
ngx_http_atelier_hub_told(ngx_http_atelier_sub_t *sub, ngx_uint_t recovered)
{
    ngx_uint_t                 n;
    ngx_http_atelier_frame_t  *frame;

    frame = ngx_http_atelier_hub_subscribed(sub->channel, recovered);

    if (frame == NULL) {
        return;
    }

    for (n = sub->answers; n; n--) {
        ngx_http_atelier_socket_send(sub->socket, frame);
    }

    ngx_http_atelier_frame_unref(frame);
}


static ngx_http_atelier_frame_t *
ngx_http_atelier_hub_subscribed(ngx_http_atelier_channel_t *ch,
    ngx_uint_t recovered)
{
    at_buf_t                   b;
    ngx_http_atelier_frame_t  *frame;

    ngx_memzero(&b, sizeof(at_buf_t));
    frame = NULL;

    if (at_live_write_subscribed(&b, ngx_http_atelier_str(&ch->node.str),
                                 ch->known ? ch->last : 0, recovered)
        == AT_OK)
    {
        frame = ngx_http_atelier_frame(AT_WS_TEXT, at_buf_str(&b));
    }

    at_buf_free(&b);

    return frame;
}


/*
 * A place in the queue is in no message that has an id: who has seen all of
 * those may not know it.
 */

static void
ngx_http_atelier_hub_anew(ngx_http_atelier_sub_t *sub)
{
    ngx_http_atelier_note_t     *note;
    ngx_http_atelier_channel_t  *ch;

    ch = sub->channel;

    if (ch->value == NULL) {
        return;
    }

    note = ngx_http_atelier_note(ch, 0, ngx_http_atelier_note_data(ch->value));

    if (note) {
        ngx_http_atelier_hub_hand(sub, note);
        ngx_http_atelier_note_unref(note);
    }
}


static void
ngx_http_atelier_hub_hand(ngx_http_atelier_sub_t *sub,
    ngx_http_atelier_note_t *note)
{
    ngx_http_atelier_frame_t  *frame;

    frame = note->frame;

    if (sub->socket->conf->flat) {

        if (note->flat == NULL) {
            note->flat = ngx_http_atelier_frame(AT_WS_TEXT,
                                             ngx_http_atelier_note_data(note));
        }

        frame = note->flat;

        if (frame == NULL) {
            return;
        }
    }

    ngx_http_atelier_socket_self->counters.delivered++;
    ngx_http_atelier_socket_send(sub->socket, frame);
}


static void
ngx_http_atelier_hub_feed(ngx_http_atelier_sub_t *sub)
{
    ngx_queue_t                 *q;
    ngx_http_atelier_note_t     *note;
    ngx_http_atelier_socket_t   *s;
    ngx_http_atelier_channel_t  *ch;

    ch = sub->channel;
    s = sub->socket;

    if (s->state != NGX_HTTP_ATELIER_SOCKET_OPEN) {
        sub->place = ch->end;
        return;
    }

    if (sub->place == ch->end || ngx_http_atelier_hub_behind(sub)) {
        return;
    }

    note = ngx_http_atelier_note_after(ch, sub->place);

    if (note == NULL || note->end - note->frame->len != sub->place) {
        ngx_http_atelier_hub_skip(sub);
        return;
    }

    for (q = &note->queue;
         q != ngx_queue_sentinel(&ch->notes);
         q = ngx_queue_next(q))
    {
        note = ngx_queue_data(q, ngx_http_atelier_note_t, queue);

        if (ngx_http_atelier_hub_behind(sub)) {
            return;
        }

        ngx_http_atelier_hub_hand(sub, note);
        sub->place = note->end;
    }

    sub->whole = 0;
}


/* Its queue is long enough: the rest waits where it is. */

static ngx_uint_t
ngx_http_atelier_hub_behind(ngx_http_atelier_sub_t *sub)
{
    ngx_http_atelier_socket_t   *s;
    ngx_http_atelier_channel_t  *ch;

    s = sub->socket;
    ch = sub->channel;

    if (!s->behind && s->queued <= s->conf->max_queue / 4) {
        return 0;
    }

    s->behind = 1;

    if (!sub->whole && !ngx_http_atelier_hub_conflates(ch)
        && s->queued + (ch->end - sub->place) > s->conf->max_queue)
    {
        ngx_http_atelier_socket_slow(s);
    }

    return 1;
}


/* What it was to get next is gone, or is of no use to it any more. */

static void
ngx_http_atelier_hub_skip(ngx_http_atelier_sub_t *sub)
{
    ngx_queue_t                 *q;
    ngx_http_atelier_note_t     *note;
    ngx_http_atelier_channel_t  *ch;

    ch = sub->channel;

    if (!ngx_http_atelier_hub_conflates(ch)) {
        ngx_http_atelier_socket_slow(sub->socket);
        return;
    }

    for (q = ngx_queue_last(&ch->notes);
         q != ngx_queue_sentinel(&ch->notes);
         q = ngx_queue_prev(q))
    {
        note = ngx_queue_data(q, ngx_http_atelier_note_t, queue);

        if (note->end <= sub->place) {
            break;
        }

        ngx_http_atelier_socket_self->counters.conflated++;
    }

    note = ch->value;

    if (!ngx_queue_empty(&ch->notes)) {
        q = ngx_queue_last(&ch->notes);
        note = ngx_queue_data(q, ngx_http_atelier_note_t, queue);
        ngx_http_atelier_socket_self->counters.conflated--;
    }

    if (note) {
        ngx_http_atelier_hub_hand(sub, note);
    }

    sub->place = ch->end;
    sub->whole = 0;
}


/* The socket has caught up: see what it has missed meanwhile. */

void
ngx_http_atelier_hub_drained(ngx_http_atelier_socket_t *s)
{
    ngx_http_atelier_sub_t  *sub;

    for (sub = s->subs; sub; sub = sub->next) {

        /* a subscription that waits has no place yet */

        if (sub->answers || sub->place == sub->channel->end) {
            continue;
        }

        if (!sub->whole && ngx_http_atelier_hub_conflates(sub->channel)) {
            ngx_http_atelier_hub_skip(sub);

        } else {
            ngx_http_atelier_hub_feed(sub);
        }
    }
}
