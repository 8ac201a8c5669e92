/*
 * A fill without Redis (see ngx_http_atelier_fill.h): the page that is wanted
 * and three more go straight into L1.
 *
 * There is no list of what the snapshot holds, so L1 is asked what its pages
 * have shown: of each design on them the source and a part of a hash.  What
 * was shown is left out, and how much of each source was shown says which of
 * its pages comes next.  So a reader goes on without a repeat while Redis is
 * away, and when it comes back without its data.  Mirrors are not collected.
 *
 * Pages are rendered one in a turn of the event loop.  One that would be too
 * large for L1 is cut short, and the next goes on where it ends: here a page is
 * nowhere else.
 */

#include "ngx_http_atelier_fill.h"
#include "ngx_http_atelier_designs.h"
#include "at_json.h"


/* What the designs of a page may take of L1; the rest is for all around. */
#define NGX_HTTP_ATELIER_LOCAL_MAX                                            \
    (NGX_HTTP_ATELIER_PAGE_MAX - 16 * 1024)


typedef struct {
    uint64_t              order;
    at_design_t          *design;
} ngx_http_atelier_local_item_t;


typedef struct {
    ngx_http_atelier_fill_t         *fill;
    ngx_str_t                        seen;
    ngx_http_atelier_local_item_t   *items;
    ngx_uint_t                       nitems;
    ngx_uint_t                       next;      /* item of the next page */
    ngx_uint_t                       pages;     /* made so far */
    ngx_uint_t                       ok;        /* sources that answered */
    ngx_uint_t                       more;
    ngx_event_t                      step;
} ngx_http_atelier_local_t;


/* A set of 64-bit hashes; 0 is no member. */
typedef struct {
    uint64_t             *slots;
    ngx_uint_t            mask;
} ngx_http_atelier_set_t;


static ngx_http_atelier_local_t *ngx_http_atelier_local_create(
    ngx_http_atelier_fill_t *fill);
static ngx_uint_t ngx_http_atelier_local_shown(
    ngx_http_atelier_local_t *local);
static ngx_int_t ngx_http_atelier_local_snapshot(
    ngx_http_atelier_local_t *local);
static void ngx_http_atelier_local_cursors(ngx_http_atelier_local_t *local);
static ngx_int_t ngx_http_atelier_local_merge(
    ngx_http_atelier_local_t *local);
static ngx_uint_t ngx_http_atelier_local_new(ngx_http_atelier_set_t *set,
    at_design_t *d);
static ngx_int_t ngx_http_atelier_set_create(ngx_http_atelier_set_t *set,
    ngx_uint_t n, ngx_pool_t *pool);
static ngx_uint_t ngx_http_atelier_set_add(ngx_http_atelier_set_t *set,
    uint64_t hash);
static void ngx_http_atelier_local_step(ngx_event_t *ev);
static ngx_int_t ngx_http_atelier_local_page(ngx_http_atelier_local_t *local);
static void ngx_http_atelier_local_shares(ngx_http_atelier_fill_t *fill,
    ngx_http_atelier_slice_t *slice);
static void ngx_http_atelier_local_put(ngx_http_atelier_fill_t *fill,
    ngx_http_atelier_page_t *page);
static ngx_int_t ngx_http_atelier_local_cards(
    ngx_http_atelier_local_t *local, ngx_http_atelier_slice_t *slice,
    ngx_pool_t *pool, at_buf_t *text);
static void ngx_http_atelier_local_done(ngx_http_atelier_local_t *local);
static void ngx_http_atelier_local_cleanup(void *data);
static int ngx_libc_cdecl ngx_http_atelier_cmp_items(const void *one,
    const void *two);


/*
 * NGX_OK: the cursors are set.  NGX_DECLINED: the page is there already.
 */

ngx_int_t
ngx_http_atelier_local_begin(ngx_http_atelier_fill_t *fill)
{
    ngx_http_atelier_local_t  *local;

    local = ngx_http_atelier_local_create(fill);

    if (local == NULL || ngx_http_atelier_local_snapshot(local) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!fill->begin.fresh && ngx_http_atelier_local_shown(local)) {
        return NGX_DECLINED;
    }

    ngx_http_atelier_local_cursors(local);

    return NGX_OK;
}


/* What readers have seen on a page stays there. */

static ngx_uint_t
ngx_http_atelier_local_shown(ngx_http_atelier_local_t *local)
{
    ngx_http_atelier_fill_t     *fill;
    ngx_http_atelier_page_id_t   id;

    fill = local->fill;

    ngx_http_atelier_feed_id(&fill->feed, &id);
    ngx_memcpy(id.snapshot, fill->begin.snapshot,
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    return ngx_http_atelier_cache_renew(fill->conf->cache, &id) == NGX_OK;
}


static ngx_http_atelier_local_t *
ngx_http_atelier_local_create(ngx_http_atelier_fill_t *fill)
{
    ngx_http_cleanup_t        *cln;
    ngx_http_atelier_local_t  *local;

    local = ngx_pcalloc(fill->http->pool, sizeof(ngx_http_atelier_local_t));
    cln = ngx_http_cleanup_add(fill->http, 0);

    if (local == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_atelier_local_cleanup;
    cln->data = local;

    local->fill = fill;
    local->step.handler = ngx_http_atelier_local_step;
    local->step.data = fill->http->connection;
    local->step.log = fill->http->connection->log;

    fill->local = local;

    return local;
}


/*
 * Goes on with the snapshot that was asked for, or is the current one, if L1
 * has shown something of it; else it is a new one.
 */

static ngx_int_t
ngx_http_atelier_local_snapshot(ngx_http_atelier_local_t *local)
{
    ngx_uint_t                   found, old;
    ngx_http_atelier_fill_t     *fill;
    ngx_http_atelier_head_t      head;
    ngx_http_atelier_page_id_t   id;

    fill = local->fill;
    found = 0;

    ngx_http_atelier_feed_id(&fill->feed, &id);

    if (id.snapshot[0] == 0
        && ngx_http_atelier_cache_head(fill->conf->cache, fill->feed.key,
                                       &head)
           == NGX_OK)
    {
        old = (ngx_msec_int_t) (ngx_current_msec - head.created)
              >= (ngx_msec_int_t) head.fresh;

        if (!old || fill->feed.args.page > 1) {
            ngx_memcpy(id.snapshot, head.snapshot,
                       NGX_HTTP_ATELIER_SNAPSHOT_LEN);
        }
    }

    if (id.snapshot[0]
        && ngx_http_atelier_cache_seen(fill->conf->cache, &id,
                                       (ngx_uint_t) fill->feed.args.page
                                       + NGX_HTTP_ATELIER_AHEAD,
                                       fill->http->pool, &local->seen, &found)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (found) {
        ngx_memcpy(fill->begin.snapshot, id.snapshot,
                   NGX_HTTP_ATELIER_SNAPSHOT_LEN);
        fill->begin.fresh = 0;
        return NGX_OK;
    }

    fill->begin.fresh = 1;

    return ngx_http_atelier_snapshot_random(fill->begin.snapshot,
                                            NGX_HTTP_ATELIER_SNAPSHOT_LEN);
}


/* A source of which most of a page has been shown is asked for the next. */

static void
ngx_http_atelier_local_cursors(ngx_http_atelier_local_t *local)
{
    size_t                      i;
    ngx_uint_t                  shown[AT_FEED_SOURCES + 1];
    const at_feed_source_t     *source;
    ngx_http_atelier_fill_t    *fill;
    ngx_http_atelier_cursor_t  *c;

    fill = local->fill;
    ngx_memzero(shown, sizeof(shown));

    for (i = 0; i < local->seen.len; i += NGX_HTTP_ATELIER_SEEN_LEN) {
        shown[ngx_min(local->seen.data[i], AT_FEED_SOURCES)]++;
    }

    fill->begin.ncursors = 0;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if ((fill->sources & (1u << i)) == 0) {
            continue;
        }

        source = at_feed_source(i);
        c = &fill->begin.cursors[fill->begin.ncursors++];

        ngx_memzero(c, sizeof(ngx_http_atelier_cursor_t));

        c->source = source;
        c->page = 1 + (shown[i] + source->size / 4) / source->size;
        c->rank = (c->page - 1) * source->size;
    }
}


/* All parts have ended.  NGX_OK: the pages are being made. */

ngx_int_t
ngx_http_atelier_local_store(ngx_http_atelier_fill_t *fill)
{
    ngx_uint_t                 fresh;
    ngx_http_atelier_local_t  *local;

    local = fill->local;

    if (local == NULL) {

        /* Redis went away in between: its cursors and snapshot stay */

        u_char  snapshot[NGX_HTTP_ATELIER_SNAPSHOT_LEN];

        local = ngx_http_atelier_local_create(fill);
        if (local == NULL) {
            return NGX_ERROR;
        }

        fresh = fill->begin.fresh;
        ngx_memcpy(snapshot, fill->begin.snapshot, sizeof(snapshot));

        if (ngx_http_atelier_local_snapshot(local) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_memcpy(fill->begin.snapshot, snapshot, sizeof(snapshot));
        fill->begin.fresh = fresh;
    }

    if (ngx_http_atelier_local_merge(local) != NGX_OK) {
        return NGX_ERROR;
    }

    if (local->nitems == 0 && local->ok == 0 && fill->nparts) {
        ngx_http_atelier_fill_done(fill, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "failed", 0);
        return NGX_OK;
    }

    /* a new snapshot that is entered in its middle */

    if (fill->begin.fresh) {
        local->next = ngx_min((ngx_uint_t) (fill->feed.args.page - 1)
                              * fill->feed.args.per_page, local->nitems);
    }

    ngx_add_timer(&local->step, 0);

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_local_merge(ngx_http_atelier_local_t *local)
{
    size_t                          n, i;
    uint64_t                        hash;
    ngx_uint_t                      p;
    at_feed_answer_t               *a;
    ngx_http_atelier_set_t          set;
    ngx_http_atelier_fill_t        *fill;
    ngx_http_atelier_part_t        *part;
    ngx_http_atelier_local_item_t  *item;

    fill = local->fill;
    n = 0;

    for (p = 0; p < fill->nparts; p++) {
        part = &fill->parts[p];

        local->ok += (part->cursor->outcome == AT_FEED_OK);
        local->more |= !part->cursor->done;

        if (part->answer) {
            n += part->answer->ndesigns;
        }
    }

    local->items = ngx_palloc(fill->http->pool,
                              (n + 1) * sizeof(ngx_http_atelier_local_item_t));

    if (local->items == NULL
        || ngx_http_atelier_set_create(&set, n * AT_DESIGN_JOINS_MAX
                                             + local->seen.len
                                               / NGX_HTTP_ATELIER_SEEN_LEN,
                                       fill->http->pool)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < local->seen.len; i += NGX_HTTP_ATELIER_SEEN_LEN) {
        ngx_memcpy(&hash, local->seen.data + i, sizeof(uint64_t));
        (void) ngx_http_atelier_set_add(&set, hash);
    }

    /* in the order of the feed, so that the best of two alike stays */

    n = 0;

    for (p = 0; p < fill->nparts; p++) {
        a = fill->parts[p].answer;

        for (i = 0; a && i < a->ndesigns; i++) {
            item = &local->items[n++];
            item->design = &a->designs[i];
            item->order = at_design_order(item->design->rank,
                                          item->design->score);
        }
    }

    ngx_qsort(local->items, n, sizeof(ngx_http_atelier_local_item_t),
              ngx_http_atelier_cmp_items);

    for (i = 0; i < n; i++) {
        if (ngx_http_atelier_local_new(&set, local->items[i].design)) {
            local->items[local->nitems++] = local->items[i];
        }
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_atelier_cmp_items(const void *one, const void *two)
{
    const ngx_http_atelier_local_item_t *a = one;
    const ngx_http_atelier_local_item_t *b = two;

    int     rc;
    size_t  len;

    if (a->order != b->order) {
        return (a->order < b->order) ? -1 : 1;
    }

    len = ngx_min(a->design->id.len, b->design->id.len);
    rc = ngx_memcmp(a->design->id.data, b->design->id.data, len);

    if (rc == 0) {
        rc = (a->design->id.len > b->design->id.len)
             - (a->design->id.len < b->design->id.len);
    }

    return rc;
}


/* Its own id counts by what pages remember of it, other joins as they are. */

static ngx_uint_t
ngx_http_atelier_local_new(ngx_http_atelier_set_t *set, at_design_t *d)
{
    size_t      i;
    uint8_t     bytes[AT_HASH_BYTES];
    uint64_t    hash;
    ngx_uint_t  fresh;

    ngx_http_atelier_feed_seen(d->id, bytes);
    ngx_memcpy(&hash, bytes, sizeof(uint64_t));

    fresh = ngx_http_atelier_set_add(set, hash);

    for (i = 0; i < d->njoins; i++) {

        if (at_str_eq(d->joins[i], d->id)) {
            continue;
        }

        /* the id of another design, or an address */

        ngx_http_atelier_feed_seen(d->joins[i], bytes);
        ngx_memcpy(&hash, bytes, sizeof(uint64_t));

        fresh &= ngx_http_atelier_set_add(set, hash);
    }

    return fresh;
}


static ngx_int_t
ngx_http_atelier_set_create(ngx_http_atelier_set_t *set, ngx_uint_t n,
    ngx_pool_t *pool)
{
    ngx_uint_t  size;

    for (size = 64; size < 2 * n; size *= 2) { /* void */ }

    set->mask = size - 1;
    set->slots = ngx_pcalloc(pool, size * sizeof(uint64_t));

    return set->slots ? NGX_OK : NGX_ERROR;
}


/* 1: it was not there before. */

static ngx_uint_t
ngx_http_atelier_set_add(ngx_http_atelier_set_t *set, uint64_t hash)
{
    ngx_uint_t  i;

    hash += (hash == 0);

    /* the low byte is that of the source */

    for (i = (hash >> 8) & set->mask;
         set->slots[i];
         i = (i + 1) & set->mask)
    {
        if (set->slots[i] == hash) {
            return 0;
        }
    }

    set->slots[i] = hash;

    return 1;
}


static void
ngx_http_atelier_local_step(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_atelier_fill_t   *fill;
    ngx_http_atelier_local_t  *local;

    local = ngx_queue_data(ev, ngx_http_atelier_local_t, step);
    fill = local->fill;
    r = fill->http;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_http_atelier_local_page(local) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);

    } else if (local->pages <= NGX_HTTP_ATELIER_AHEAD
               && local->next < local->nitems
               && !ngx_http_atelier_local_shown(local))
    {
        ngx_add_timer(&local->step, 0);

    } else {
        ngx_http_atelier_local_done(local);
    }

    ngx_http_run_posted_requests(c);
}


/* Makes the next page, in a pool of its own. */

static ngx_int_t
ngx_http_atelier_local_page(ngx_http_atelier_local_t *local)
{
    at_buf_t                   text;
    ngx_int_t                  rc;
    ngx_pool_t                *pool;
    ngx_http_atelier_fill_t   *fill;
    ngx_http_atelier_page_t    page;
    ngx_http_atelier_slice_t   slice;

    fill = local->fill;

    pool = ngx_create_pool(4096, fill->http->connection->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&slice, sizeof(ngx_http_atelier_slice_t));
    ngx_memzero(&text, sizeof(at_buf_t));
    ngx_memzero(&page, sizeof(ngx_http_atelier_page_t));

    ngx_memcpy(slice.snapshot, fill->begin.snapshot,
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    ngx_http_atelier_local_shares(fill, &slice);

    rc = ngx_http_atelier_local_cards(local, &slice, pool, &text);

    slice.more = local->more;
    slice.left = local->nitems - local->next;

    if (rc == NGX_OK) {
        ngx_http_atelier_designs_disabled(fill->conf, &fill->feed, &slice);

        rc = ngx_http_atelier_feed_render(&fill->feed, &slice,
                                          &fill->conf->feed_path,
                                          fill->conf->feed_fresh, pool, &page);
    }

    if (rc == NGX_OK) {
        ngx_http_atelier_local_put(fill, &page);
    }

    at_buf_free(&text);
    ngx_destroy_pool(pool);

    local->pages++;
    fill->feed.args.page++;

    return rc;
}


/* What the page says of each source that was asked. */

static void
ngx_http_atelier_local_shares(ngx_http_atelier_fill_t *fill,
    ngx_http_atelier_slice_t *slice)
{
    ngx_uint_t                  i;
    ngx_http_atelier_share_t   *share;
    ngx_http_atelier_cursor_t  *c;

    for (i = 0; i < fill->begin.ncursors; i++) {
        c = &fill->begin.cursors[i];
        share = &slice->shares[c->source->index];

        share->asked = 1;
        share->outcome = c->outcome;
        share->count = c->count;
        share->ms = c->ms;
    }
}


/* Puts the page into L1; without room there it is not kept. */

static void
ngx_http_atelier_local_put(ngx_http_atelier_fill_t *fill,
    ngx_http_atelier_page_t *page)
{
    ngx_http_atelier_page_id_t  id;

    page->stale = page->fresh + fill->conf->feed_stale;
    page->generation = fill->generation;
    page->local = 1;

    ngx_http_atelier_feed_id(&fill->feed, &id);
    ngx_memcpy(id.snapshot, fill->begin.snapshot,
               NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    if (ngx_http_atelier_cache_put(fill->conf->cache, &id, page) == NGX_OK) {
        ngx_http_atelier_feed_compress(fill->conf->cache, &id, page);
    }
}


/* The JSON of the designs lies in text, which stands still once it is all. */

static ngx_int_t
ngx_http_atelier_local_cards(ngx_http_atelier_local_t *local,
    ngx_http_atelier_slice_t *slice, ngx_pool_t *pool, at_buf_t *text)
{
    size_t                   *end;
    ngx_uint_t                i, n;
    ngx_http_atelier_card_t  *cards;

    n = ngx_min(local->fill->feed.args.per_page,
                local->nitems - local->next);

    end = ngx_palloc(pool, (n + 1) * sizeof(size_t));
    cards = ngx_pcalloc(pool, (n + 1) * sizeof(ngx_http_atelier_card_t));

    if (end == NULL || cards == NULL) {
        return NGX_ERROR;
    }

    end[0] = 0;

    for (i = 0; i < n; i++) {
        if (at_design_write(text, local->items[local->next + i].design)
            != AT_OK)
        {
            return NGX_ERROR;
        }

        if (i && text->len + i * sizeof(",\"likes\":0}")
                 > NGX_HTTP_ATELIER_LOCAL_MAX)
        {
            n = i;
            break;
        }

        end[i + 1] = text->len;
    }

    for (i = 0; i < n; i++) {
        cards[i].id = local->items[local->next + i].design->id;
        cards[i].json.data = (char *) text->data + end[i];
        cards[i].json.len = end[i + 1] - end[i];
    }

    slice->cards = cards;
    slice->ncards = n;
    local->next += n;

    return NGX_OK;
}


static void
ngx_http_atelier_local_done(ngx_http_atelier_local_t *local)
{
    ngx_str_t                 text;
    ngx_http_atelier_fill_t  *fill;
    ngx_http_atelier_head_t   head;

    fill = local->fill;

    /* its pages were refused: who waits for them has them made anew */

    if (fill->generation
        != ngx_http_atelier_cache_generation(fill->conf->cache))
    {
        ngx_http_atelier_fill_done(fill, NGX_HTTP_CONFLICT, "outdated", 0);
        return;
    }

    if (fill->begin.fresh) {
        ngx_memcpy(head.snapshot, fill->begin.snapshot,
                   NGX_HTTP_ATELIER_SNAPSHOT_LEN);

        head.created = ngx_current_msec;
        head.fresh = fill->conf->feed_fresh;
        head.stale = fill->conf->feed_fresh + fill->conf->feed_stale;
        head.generation = fill->generation;

        text.data = (u_char *) fill->feed.text;
        text.len = fill->feed.text_len;

        (void) ngx_http_atelier_cache_set_head(fill->conf->cache,
                                               fill->feed.key, &text, &head);
    }

    ngx_http_atelier_fill_done(fill, NGX_HTTP_OK, "filled", local->nitems);
}


static void
ngx_http_atelier_local_cleanup(void *data)
{
    ngx_http_atelier_local_t *local = data;

    if (local->step.timer_set) {
        ngx_del_timer(&local->step);
    }
}
