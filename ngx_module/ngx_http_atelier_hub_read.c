/*
 * Reading channels (see ngx_http_atelier_hub_channel.h): the last message and
 * what came since an id, first from the stream in Redis, then from the tables
 * of PostgreSQL, which know it when Redis has lost it.
 *
 *     Redis --+-- all that is wanted ------------------------+-- done
 *             +-- less --------------------- live_since() ---+
 *             +-- nothing -- live_value() -+- live_since() --+
 *                                          +-----------------+
 *
 * A generate channel has in PostgreSQL what is not in its stream, so that is
 * asked first.  A bounded number of channels is read at a time, each with one
 * question under way; the others wait in line.  If nobody could say, it is
 * asked again after a while.
 *
 * What PostgreSQL was to be asked for and was away for may be back in a moment
 * (a server that recovers from a crash takes seconds).  Rather than that who
 * comes back is told that something is gone, and who is there sees a jump,
 * they wait as long as that, within bounds.
 */

#include "ngx_http_atelier_hub_channel.h"
#include "ngx_http_atelier_hub_lua.h"
#include "live/at_live_publish.h"


#define NGX_HTTP_ATELIER_HUB_READS  64             /* at a time */
#define NGX_HTTP_ATELIER_HUB_MORE   50             /* ids that are read beyond
                                                      what is wanted: others
                                                      want them soon */
#define NGX_HTTP_ATELIER_HUB_WAIT   15000          /* ms for PostgreSQL */

struct ngx_http_atelier_hubread_s {
    ngx_http_atelier_channel_t      *channel;
    uint64_t                         need;         /* since this id, or NONE */
    ngx_http_atelier_redis_op_t     *redis;
    ngx_http_atelier_postgres_op_t  *postgres;
    ngx_http_atelier_note_t         *top;          /* the last one; or NULL */
    unsigned                         held:1;       /* some were, before */
    unsigned                         known:1;      /* somebody could say */
    unsigned                         answered:1;   /* by Redis, whatever */
    unsigned                         second:1;     /* Redis is asked instead
                                                      of PostgreSQL */
    unsigned                         partial:1;    /* PostgreSQL was away: it
                                                      may know more */
};


/* The newest first. */
typedef struct {
    uint64_t                         id;
    at_str_t                         data;
} ngx_http_atelier_hubitem_t;


static void ngx_http_atelier_hub_begin(ngx_http_atelier_channel_t *ch);
static uint64_t ngx_http_atelier_hub_need(ngx_http_atelier_channel_t *ch,
    uint64_t need);
static void ngx_http_atelier_hub_ask_redis(ngx_http_atelier_hubread_t *rd);
static void ngx_http_atelier_hub_from_redis(void *data, redisReply *reply);
static ngx_uint_t ngx_http_atelier_hub_entry(redisReply *entry,
    ngx_http_atelier_hubitem_t *item);
static void ngx_http_atelier_hub_ask_value(ngx_http_atelier_hubread_t *rd);
static void ngx_http_atelier_hub_no_value(ngx_http_atelier_hubread_t *rd);
static void ngx_http_atelier_hub_from_value(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_hub_ask_since(ngx_http_atelier_hubread_t *rd);
static void ngx_http_atelier_hub_from_since(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_hub_row(PGresult *res, int row,
    ngx_http_atelier_hubitem_t *item);
static void ngx_http_atelier_hub_top(ngx_http_atelier_hubread_t *rd,
    ngx_http_atelier_hubitem_t *item);
static void ngx_http_atelier_hub_done(ngx_http_atelier_hubread_t *rd,
    ngx_http_atelier_hubitem_t *items, ngx_uint_t n);
static void ngx_http_atelier_hub_end(ngx_http_atelier_hubread_t *rd);
static ngx_uint_t ngx_http_atelier_hub_waits(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd);
static void ngx_http_atelier_hub_learn(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd);
static void ngx_http_atelier_hub_fill(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd, ngx_http_atelier_hubitem_t *items,
    ngx_uint_t n);
static void ngx_http_atelier_hub_release(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd);


static const char  ngx_http_atelier_sql_value[] =
    "SELECT id, data FROM atelier.live_value($1)";

static const char  ngx_http_atelier_sql_since[] =
    "SELECT id, data FROM atelier.live_since($1, $2::bigint)";


void
ngx_http_atelier_hub_read(ngx_http_atelier_channel_t *ch, uint64_t since)
{
    if (ch->read) {
        return;
    }

    ch->want = ngx_min(ch->want, since);

    if (ch->listening || (ch->queued && !ch->unsure)) {
        return;
    }

    ngx_http_atelier_hub_dequeue(ch);
    ngx_http_atelier_hub_enqueue(ch, &ngx_http_atelier_hub.unread);

    ngx_http_atelier_hub_post();
}


/* One that nobody can be asked about is over when it has begun. */

ngx_uint_t
ngx_http_atelier_hub_pump(void)
{
    ngx_uint_t                   i;
    ngx_queue_t                 *q;
    ngx_http_atelier_channel_t  *ch;

    for (i = 0; ngx_http_atelier_hub.reads < NGX_HTTP_ATELIER_HUB_READS; i++) {

        if (ngx_queue_empty(&ngx_http_atelier_hub.unread)) {
            return 0;
        }

        if (i == NGX_HTTP_ATELIER_HUB_READS) {
            return 1;
        }

        q = ngx_queue_head(&ngx_http_atelier_hub.unread);
        ch = ngx_queue_data(q, ngx_http_atelier_channel_t, queue);

        ngx_http_atelier_hub_dequeue(ch);
        ngx_http_atelier_hub_begin(ch);
    }

    return 0;
}


static void
ngx_http_atelier_hub_begin(ngx_http_atelier_channel_t *ch)
{
    ngx_http_atelier_hubread_t  *rd;

    rd = ngx_calloc(sizeof(ngx_http_atelier_hubread_t), ngx_cycle->log);
    if (rd == NULL) {
        ch->unsure = 1;
        ngx_http_atelier_hub_enqueue(ch, &ngx_http_atelier_hub.unsure);
        return;
    }

    rd->channel = ch;
    rd->need = ngx_http_atelier_hub_need(ch, ch->want);
    rd->held = (ch->nheld > 0);

    ch->want = NGX_HTTP_ATELIER_HUB_NONE;
    ch->again = 0;
    ch->read = rd;

    ngx_http_atelier_hub.reads++;
    ngx_http_atelier_socket_self->counters.reads++;

    if (ch->kind == AT_LIVE_GENERATE && ngx_http_atelier_hub.postgres) {
        ngx_http_atelier_hub_ask_value(rd);

    } else {
        ngx_http_atelier_hub_ask_redis(rd);
    }
}


/* All that wait by now are served by this read. */

static uint64_t
ngx_http_atelier_hub_need(ngx_http_atelier_channel_t *ch, uint64_t need)
{
    ngx_queue_t             *q;
    ngx_http_atelier_sub_t  *sub;

    for (q = ngx_queue_head(&ch->waiting);
         q != ngx_queue_sentinel(&ch->waiting);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_atelier_sub_t, queue);
        sub->tried = 1;

        if (sub->has_since && sub->place < need
            && (!ch->known || (sub->place < ch->last
                               && sub->place + 1 < ch->first)))
        {
            need = sub->place;
        }
    }

    return need;
}


/* Who forgets a channel forgets what is asked about it. */

void
ngx_http_atelier_hub_unread(ngx_http_atelier_channel_t *ch)
{
    ngx_http_atelier_hubread_t  *rd;

    rd = ch->read;

    if (rd == NULL) {
        return;
    }

    if (rd->redis) {
        ngx_http_atelier_redis_forget(rd->redis);
    }

    if (rd->postgres) {
        ngx_http_atelier_postgres_forget(rd->postgres);
    }

    if (rd->top) {
        ngx_http_atelier_note_unref(rd->top);
    }

    ngx_free(rd);

    ch->read = NULL;

    ngx_http_atelier_hub.reads--;
    ngx_http_atelier_hub_post();
}


static void
ngx_http_atelier_hub_ask_redis(ngx_http_atelier_hubread_t *rd)
{
    u_char       key[sizeof(NGX_HTTP_ATELIER_HUB_PREFIX) + AT_LIVE_CHANNEL_MAX];
    u_char       from[NGX_INT64_LEN];
    uint64_t     id;
    ngx_str_t    argv[3], *name;

    name = &rd->channel->node.str;

    argv[0].data = key;
    argv[0].len = ngx_sprintf(key, NGX_HTTP_ATELIER_HUB_PREFIX "%V", name)
                  - key;

    ngx_str_set(&argv[1], "atelier:live-run");

    argv[2].data = from;
    argv[2].len = 0;

    if (rd->need != NGX_HTTP_ATELIER_HUB_NONE) {
        id = (rd->need > NGX_HTTP_ATELIER_HUB_MORE)
             ? rd->need - NGX_HTTP_ATELIER_HUB_MORE : 0;
        argv[2].len = ngx_sprintf(from, "%uL", id) - from;
    }

    rd->redis = ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_stream, 2, 3,
                                            argv,
                                            ngx_http_atelier_hub_from_redis,
                                            rd);
    if (rd->redis == NULL) {
        ngx_http_atelier_hub_ask_value(rd);
    }
}


static void
ngx_http_atelier_hub_from_redis(void *data, redisReply *reply)
{
    size_t                       i;
    uint64_t                     low;
    ngx_uint_t                   n;
    ngx_http_atelier_hubread_t  *rd = data;
    ngx_http_atelier_hubitem_t  *items;

    rd->redis = NULL;
    rd->answered = (reply && reply->type == REDIS_REPLY_ARRAY);

    if (!rd->answered || reply->elements == 0) {
        ngx_http_atelier_hub_ask_value(rd);
        return;
    }

    items = ngx_alloc(reply->elements * sizeof(ngx_http_atelier_hubitem_t),
                      ngx_cycle->log);
    if (items == NULL) {
        ngx_http_atelier_hub_ask_value(rd);
        return;
    }

    n = 0;

    for (i = 0; i < reply->elements; i++) {
        if (ngx_http_atelier_hub_entry(reply->element[i], &items[n])) {
            n++;
        }
    }

    for (low = n ? items[0].id : 0, i = 1; i < n; i++) {
        if (items[i].id + 1 != low) {
            break;
        }

        low = items[i].id;
    }

    if (n) {
        ngx_http_atelier_hub_top(rd, &items[0]);
    }

    /* Redis may have lost some of it, or not have got it yet */

    if (n == 0 || (ngx_http_atelier_hub.postgres && rd->need > items[0].id
                   && rd->need != NGX_HTTP_ATELIER_HUB_NONE))
    {
        ngx_http_atelier_hub_ask_value(rd);

    } else if (ngx_http_atelier_hub.postgres
               && items[0].id > rd->need && low > rd->need + 1)
    {
        ngx_http_atelier_hub_ask_since(rd);

    } else {
        ngx_http_atelier_hub_done(rd, items, n);
    }

    ngx_free(items);
}


/* [ "12-0", [ "d", data ] ] */

static ngx_uint_t
ngx_http_atelier_hub_entry(redisReply *entry, ngx_http_atelier_hubitem_t *item)
{
    at_str_t     id;
    redisReply  *fields;

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2
        || entry->element[0]->type != REDIS_REPLY_STRING)
    {
        return 0;
    }

    fields = entry->element[1];

    if (fields->type != REDIS_REPLY_ARRAY || fields->elements < 2
        || fields->element[1]->type != REDIS_REPLY_STRING)
    {
        return 0;
    }

    id.data = entry->element[0]->str;
    id.len = entry->element[0]->len;

    item->data.data = fields->element[1]->str;
    item->data.len = fields->element[1]->len;

    return at_live_id(id, &item->id) && at_live_data_valid(item->data);
}


static void
ngx_http_atelier_hub_ask_value(ngx_http_atelier_hubread_t *rd)
{
    ngx_str_t  *name;

    name = &rd->channel->node.str;

    rd->postgres = ngx_http_atelier_postgres_query(ngx_http_atelier_sql_value,
                                             1, name,
                                             ngx_http_atelier_hub_from_value,
                                             rd);
    if (rd->postgres == NULL) {
        ngx_http_atelier_hub_no_value(rd);
    }
}


/* PostgreSQL is away: Redis may know all but a place in the queue. */

static void
ngx_http_atelier_hub_no_value(ngx_http_atelier_hubread_t *rd)
{
    if (rd->channel->kind == AT_LIVE_GENERATE && !rd->second
        && ngx_http_atelier_hub.postgres)
    {
        rd->second = 1;
        ngx_http_atelier_hub_ask_redis(rd);
        return;
    }

    rd->partial = ngx_http_atelier_hub.postgres;
    ngx_http_atelier_hub_done(rd, NULL, 0);
}


static void
ngx_http_atelier_hub_from_value(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_hubread_t  *rd = data;
    ngx_http_atelier_hubitem_t   item;

    rd->postgres = NULL;

    if (rc != NGX_OK || PQnfields(res) != 2) {
        ngx_http_atelier_hub_no_value(rd);
        return;
    }

    rd->known = 1;

    if (PQntuples(res) == 0) {
        ngx_http_atelier_hub_done(rd, NULL, 0);
        return;
    }

    ngx_http_atelier_hub_row(res, 0, &item);
    ngx_http_atelier_hub_top(rd, &item);

    if (item.id > rd->need) {
        ngx_http_atelier_hub_ask_since(rd);
        return;
    }

    ngx_http_atelier_hub_done(rd, &item, 1);
}


static void
ngx_http_atelier_hub_ask_since(ngx_http_atelier_hubread_t *rd)
{
    u_char     since[NGX_INT64_LEN];
    ngx_str_t  params[2];

    params[0] = rd->channel->node.str;
    params[1].data = since;
    params[1].len = ngx_sprintf(since, "%uL", rd->need) - since;

    rd->postgres = ngx_http_atelier_postgres_query(ngx_http_atelier_sql_since,
                                             2, params,
                                             ngx_http_atelier_hub_from_since,
                                             rd);
    if (rd->postgres == NULL) {
        rd->partial = ngx_http_atelier_hub.postgres;
        ngx_http_atelier_hub_done(rd, NULL, 0);
    }
}


static void
ngx_http_atelier_hub_from_since(void *data, ngx_int_t rc, PGresult *res)
{
    int                          i, n;
    ngx_http_atelier_hubread_t  *rd = data;
    ngx_http_atelier_hubitem_t  *items;

    rd->postgres = NULL;

    n = (rc == NGX_OK && PQnfields(res) == 2) ? PQntuples(res) : 0;

    items = n ? ngx_alloc(n * sizeof(ngx_http_atelier_hubitem_t),
                          ngx_cycle->log)
              : NULL;

    if (items == NULL) {
        rd->partial = (rc != NGX_OK);
        ngx_http_atelier_hub_done(rd, NULL, 0);
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_http_atelier_hub_row(res, n - 1 - i, &items[i]);
    }

    ngx_http_atelier_hub_top(rd, &items[0]);

    ngx_http_atelier_hub_done(rd, items, n);

    ngx_free(items);
}


static void
ngx_http_atelier_hub_row(PGresult *res, int row,
    ngx_http_atelier_hubitem_t *item)
{
    at_str_t  id;

    id.data = PQgetvalue(res, row, 0);
    id.len = PQgetlength(res, row, 0);

    (void) at_live_id(id, &item->id);

    item->data.data = PQgetvalue(res, row, 1);
    item->data.len = PQgetlength(res, row, 1);
}


/* What is read may be gone before the next question is answered. */

static void
ngx_http_atelier_hub_top(ngx_http_atelier_hubread_t *rd,
    ngx_http_atelier_hubitem_t *item)
{
    rd->known = 1;

    if (rd->top) {
        if (rd->top->id > item->id) {
            return;
        }

        ngx_http_atelier_note_unref(rd->top);
    }

    rd->top = ngx_http_atelier_note(rd->channel, item->id, item->data);
}


/* Whatever could be learned is; those that wait are answered. */

static void
ngx_http_atelier_hub_done(ngx_http_atelier_hubread_t *rd,
    ngx_http_atelier_hubitem_t *items, ngx_uint_t n)
{
    ngx_uint_t                   again;
    ngx_http_atelier_channel_t  *ch;

    ch = rd->channel;

    if (ngx_http_atelier_hub_waits(ch, rd)) {
        ch->patient = 1;
        ch->read = NULL;
        ch->again = 0;
        ch->unsure = 1;
        ngx_http_atelier_hub_enqueue(ch, &ngx_http_atelier_hub.unsure);
        ngx_http_atelier_hub_end(rd);
        ngx_http_atelier_hub_busy(ch);
        return;
    }

    ch->patient = 0;

    if (rd->known) {
        ngx_http_atelier_hub_learn(ch, rd);
        ngx_http_atelier_hub_fill(ch, rd, items, n);
    }

    again = ch->again;
    ch->again = 0;
    ch->read = NULL;

    ngx_http_atelier_hub_release(ch, rd);

    ch->live = 1;

    if (again) {
        ngx_http_atelier_hub_read(ch, ch->known ? ch->last
                                              : NGX_HTTP_ATELIER_HUB_NONE);

    } else if (!ch->queued
               && (rd->partial
                   || (!rd->known && ngx_http_atelier_hub.redis
                       && !rd->answered)))
    {
        ch->unsure = 1;
        ngx_http_atelier_hub_enqueue(ch, &ngx_http_atelier_hub.unsure);
    }

    ngx_http_atelier_hub_end(rd);
    ngx_http_atelier_hub_busy(ch);
}


static void
ngx_http_atelier_hub_end(ngx_http_atelier_hubread_t *rd)
{
    if (rd->top) {
        ngx_http_atelier_note_unref(rd->top);
    }

    ngx_free(rd);

    ngx_http_atelier_hub.reads--;

    ngx_http_atelier_hub_post();
}


/*
 * Whether it is better to ask once more soon than to make do with what is
 * there: for who is there already, or says what he has seen last.
 */

static ngx_uint_t
ngx_http_atelier_hub_waits(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd)
{
    ngx_queue_t             *q;
    ngx_http_atelier_sub_t  *sub;

    if (!rd->partial) {
        ch->partial = 0;
        return 0;
    }

    if (ch->partial == 0) {
        ch->partial = ngx_max(ngx_current_msec, 1);
    }

    if (ngx_current_msec - ch->partial > NGX_HTTP_ATELIER_HUB_WAIT) {
        return 0;
    }

    if (ch->live && ch->known) {
        return 1;
    }

    for (q = ngx_queue_head(&ch->waiting);
         q != ngx_queue_sentinel(&ch->waiting);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_atelier_sub_t, queue);

        if (sub->has_since) {
            return 1;
        }
    }

    return 0;
}


/*
 * Of a channel that nothing was known of: the last id, and the value.  Who was
 * answered without gets the value now.
 */

static void
ngx_http_atelier_hub_learn(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd)
{
    ngx_http_atelier_note_t  *top;

    top = rd->top;

    if (ch->known) {

        if (top && top->id == ch->last && ch->kind == AT_LIVE_GENERATE) {
            ngx_http_atelier_note_value(ch, top);
        }

        return;
    }

    ch->known = 1;
    ch->last = 0;
    ch->first = 1;

    if (top == NULL) {
        return;
    }

    if (ch->live && ngx_http_atelier_hub_valued(ch)) {
        ch->known = (top->id == 0);
        top->refs++;
        ngx_http_atelier_note_append(ch, top);
        ngx_http_atelier_note_value(ch, top);
        return;
    }

    ch->last = top->id;
    ch->first = top->id + 1;

    if (ngx_http_atelier_hub_valued(ch)) {
        ngx_http_atelier_note_value(ch, top);
    }

    (void) ngx_http_atelier_note_prepend(ch, top);
}


/*
 * What is newer than the last goes to everybody; what is older is history.
 * If not all between is there, what is so now has to do.
 */

static void
ngx_http_atelier_hub_fill(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd, ngx_http_atelier_hubitem_t *items,
    ngx_uint_t n)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_http_atelier_note_t  *note;

    for (i = n; i-- > 0; /* void */) {

        if (items[i].id != ch->last + 1) {
            continue;
        }

        note = ngx_http_atelier_note(ch, items[i].id, items[i].data);
        if (note == NULL) {
            break;
        }

        ngx_http_atelier_note_append(ch, note);
        ngx_http_atelier_socket_self->counters.filled++;
    }

    if (rd->top && rd->top->id > ch->last) {
        rd->top->refs++;
        ngx_http_atelier_note_append(ch, rd->top);
        ngx_http_atelier_socket_self->counters.lost++;
    }

    for (i = 0; i < n; i++) {

        if (items[i].id == 0 || items[i].id + 1 != ch->first) {
            continue;
        }

        note = ngx_http_atelier_note(ch, items[i].id, items[i].data);
        if (note == NULL) {
            break;
        }

        rc = ngx_http_atelier_note_prepend(ch, note);
        ngx_http_atelier_note_unref(note);

        if (rc != NGX_OK) {
            break;
        }
    }
}


/*
 * What came while the channel was read.  A gap that was there before it was
 * read is there to stay.
 */

static void
ngx_http_atelier_hub_release(ngx_http_atelier_channel_t *ch,
    ngx_http_atelier_hubread_t *rd)
{
    ngx_queue_t              *q;
    ngx_http_atelier_note_t  *note;

    while (!ngx_queue_empty(&ch->held)) {
        q = ngx_queue_head(&ch->held);
        note = ngx_queue_data(q, ngx_http_atelier_note_t, queue);

        if (note->id && ch->known && note->id > ch->last + 1) {

            if (!rd->held) {
                ngx_http_atelier_hub_read(ch, ch->last);
                return;
            }

            ngx_http_atelier_socket_self->counters.lost++;
        }

        ngx_queue_remove(q);
        ch->nheld--;

        if ((note->id && ch->known && note->id <= ch->last)
            || (note->id == 0 && ch->kind == AT_LIVE_GENERATE && !ch->live))
        {
            ngx_http_atelier_note_unref(note);
            continue;
        }

        ngx_http_atelier_note_append(ch, note);
    }
}
