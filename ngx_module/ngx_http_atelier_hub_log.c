/*
 * The messages of a channel (see ngx_http_atelier_hub_channel.h): those that
 * are still to be handed to some socket, and behind them some history, so that
 * a crowd that comes back after a reload costs one read.
 *
 * History is bounded in each channel and over all of them; what a socket that
 * is not too slow yet waits for is never dropped.
 */

#include "ngx_http_atelier_hub_channel.h"


#define NGX_HTTP_ATELIER_HUB_TRIES  64             /* channels, to find one
                                                      that has some to spare */

/* What a message costs beside its frame, about. */
#define NGX_HTTP_ATELIER_NOTE_COST                                            \
    (sizeof(ngx_http_atelier_note_t) + sizeof(ngx_http_atelier_frame_t))


static ngx_uint_t ngx_http_atelier_note_spare(ngx_http_atelier_channel_t *ch);
static void ngx_http_atelier_note_evict(ngx_http_atelier_channel_t *ch);
static void ngx_http_atelier_note_keep(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note);
static void ngx_http_atelier_note_trim(ngx_http_atelier_channel_t *ch);


/* Messages are put together here. */
static at_buf_t  ngx_http_atelier_note_text;


ngx_http_atelier_note_t *
ngx_http_atelier_note(ngx_http_atelier_channel_t *ch, uint64_t id,
    at_str_t data)
{
    at_buf_t                 *b;
    ngx_http_atelier_note_t  *note;

    b = &ngx_http_atelier_note_text;
    b->len = 0;

    if (at_live_write_data(b, ngx_http_atelier_str(&ch->node.str), id, data)
        != AT_OK)
    {
        return NULL;
    }

    note = ngx_calloc(sizeof(ngx_http_atelier_note_t), ngx_cycle->log);
    if (note == NULL) {
        return NULL;
    }

    note->frame = ngx_http_atelier_frame(AT_WS_TEXT, at_buf_str(b));

    /* one of a large message is not kept for ever */

    if (b->len > 65536) {
        at_buf_free(b);
        ngx_memzero(b, sizeof(at_buf_t));
    }

    if (note->frame == NULL) {
        ngx_free(note);
        return NULL;
    }

    note->channel = ch;
    note->id = id;
    note->data = data.len;
    note->refs = 1;

    return note;
}


void
ngx_http_atelier_note_unref(ngx_http_atelier_note_t *note)
{
    if (--note->refs) {
        return;
    }

    ngx_http_atelier_frame_unref(note->frame);

    if (note->flat) {
        ngx_http_atelier_frame_unref(note->flat);
    }

    ngx_free(note);
}


/* It is in front of the brace that ends the message. */

at_str_t
ngx_http_atelier_note_data(ngx_http_atelier_note_t *note)
{
    u_char  *end;

    end = note->frame->data + note->frame->len - 1;

    return (at_str_t) { note->data, (char *) end - note->data };
}


void
ngx_http_atelier_note_append(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note)
{
    if (note->id) {

        if (!ch->known || note->id != ch->last + 1) {
            ch->first = note->id;
        }

        ch->last = note->id;
        ch->known = 1;
    }

    if (ngx_http_atelier_hub_valued(ch)
        && (note->id || ch->kind == AT_LIVE_GENERATE))
    {
        ngx_http_atelier_note_value(ch, note);
    }

    ch->end += note->frame->len;
    ch->more = 1;
    note->end = ch->end;

    ngx_queue_insert_tail(&ch->notes, &note->queue);
    ngx_http_atelier_note_keep(ch, note);

    ngx_http_atelier_note_trim(ch);
    ngx_http_atelier_hub_busy(ch);
}


ngx_int_t
ngx_http_atelier_note_prepend(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note)
{
    ngx_http_atelier_note_t  *head;

    if (note->id == 0 || note->id + 1 != ch->first
        || ch->nnotes >= NGX_HTTP_ATELIER_HUB_NOTES
        || ch->bytes + note->frame->len > NGX_HTTP_ATELIER_HUB_BYTES)
    {
        return NGX_DECLINED;
    }

    note->end = ch->end;

    if (!ngx_queue_empty(&ch->notes)) {
        head = ngx_queue_data(ngx_queue_head(&ch->notes),
                              ngx_http_atelier_note_t, queue);

        if (head->id && head->id < ch->first) {
            return NGX_DECLINED;
        }

        note->end = head->end - head->frame->len;
    }

    ch->first = note->id;

    note->refs++;
    ngx_queue_insert_head(&ch->notes, &note->queue);
    ngx_http_atelier_note_keep(ch, note);

    return NGX_OK;
}


static void
ngx_http_atelier_note_keep(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note)
{
    ch->nnotes++;
    ch->bytes += note->frame->len;

    ngx_http_atelier_hub.bytes += note->frame->len
                                  + NGX_HTTP_ATELIER_NOTE_COST;
    ngx_queue_insert_tail(&ngx_http_atelier_hub.age, &note->age);
}


void
ngx_http_atelier_note_value(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_note_t *note)
{
    note->refs++;

    if (ch->value) {
        ngx_http_atelier_note_unref(ch->value);
    }

    ch->value = note;
}


/* The oldest was handed to all, or to all but those it is too late for. */

static ngx_uint_t
ngx_http_atelier_note_spare(ngx_http_atelier_channel_t *ch)
{
    ngx_http_atelier_note_t  *note;

    if (ngx_queue_empty(&ch->notes)) {
        return 0;
    }

    note = ngx_queue_data(ngx_queue_head(&ch->notes),
                          ngx_http_atelier_note_t, queue);

    return note->end <= ch->floor
           || ch->end - note->end > ngx_http_atelier_hub.max_queue;
}


static void
ngx_http_atelier_note_evict(ngx_http_atelier_channel_t *ch)
{
    ngx_http_atelier_note_t  *note;

    note = ngx_queue_data(ngx_queue_head(&ch->notes),
                          ngx_http_atelier_note_t, queue);

    if (note->id && note->id >= ch->first) {
        ch->first = note->id + 1;
    }

    ch->nnotes--;
    ch->bytes -= note->frame->len;

    ngx_http_atelier_hub.bytes -= note->frame->len
                                  + NGX_HTTP_ATELIER_NOTE_COST;

    ngx_queue_remove(&note->queue);
    ngx_queue_remove(&note->age);

    ngx_http_atelier_note_unref(note);
}


static void
ngx_http_atelier_note_trim(ngx_http_atelier_channel_t *ch)
{
    ngx_uint_t                i;
    ngx_queue_t              *q, *age;
    ngx_http_atelier_note_t  *note;

    while ((ch->nnotes > NGX_HTTP_ATELIER_HUB_NOTES
            || ch->bytes > NGX_HTTP_ATELIER_HUB_BYTES)
           && ngx_http_atelier_note_spare(ch))
    {
        ngx_http_atelier_note_evict(ch);
    }

    age = &ngx_http_atelier_hub.age;

    for (i = 0;
         i < NGX_HTTP_ATELIER_HUB_TRIES
         && ngx_http_atelier_hub.bytes > NGX_HTTP_ATELIER_HUB_ALL;
         i++)
    {
        q = ngx_queue_head(age);
        note = ngx_queue_data(q, ngx_http_atelier_note_t, age);

        if (ngx_http_atelier_note_spare(note->channel)) {
            ngx_http_atelier_note_evict(note->channel);
            continue;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(age, q);
    }
}


void
ngx_http_atelier_note_clear(ngx_http_atelier_channel_t *ch)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&ch->notes)) {
        ngx_http_atelier_note_evict(ch);
    }

    while (!ngx_queue_empty(&ch->held)) {
        q = ngx_queue_head(&ch->held);
        ngx_queue_remove(q);
        ngx_http_atelier_note_unref(ngx_queue_data(q,
                                            ngx_http_atelier_note_t, queue));
    }

    if (ch->value) {
        ngx_http_atelier_note_unref(ch->value);
        ch->value = NULL;
    }
}


/* Nearly always it is among the last. */

ngx_http_atelier_note_t *
ngx_http_atelier_note_after(ngx_http_atelier_channel_t *ch, uint64_t place)
{
    ngx_queue_t              *q;
    ngx_http_atelier_note_t  *note, *found;

    found = NULL;

    for (q = ngx_queue_last(&ch->notes);
         q != ngx_queue_sentinel(&ch->notes);
         q = ngx_queue_prev(q))
    {
        note = ngx_queue_data(q, ngx_http_atelier_note_t, queue);

        if (note->end <= place) {
            break;
        }

        found = note;
    }

    return found;
}


uint64_t
ngx_http_atelier_note_place(ngx_http_atelier_channel_t *ch, uint64_t id)
{
    ngx_queue_t              *q;
    ngx_http_atelier_note_t  *note;

    if (id == ch->last) {
        return ch->end;
    }

    if (id > ch->last || id + 1 < ch->first) {
        return NGX_HTTP_ATELIER_HUB_NONE;
    }

    for (q = ngx_queue_last(&ch->notes);
         q != ngx_queue_sentinel(&ch->notes);
         q = ngx_queue_prev(q))
    {
        note = ngx_queue_data(q, ngx_http_atelier_note_t, queue);

        if (note->id == id + 1) {
            return note->end - note->frame->len;
        }
    }

    return NGX_HTTP_ATELIER_HUB_NONE;
}
