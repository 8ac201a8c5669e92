/*
 * Snapshots of feeds in Redis: the scripts that work on them.
 *
 * A snapshot is these keys, S being its id of 16 hex digits, all of them alive
 * for a time past the last read:
 *
 *     atelier:feed:{K}          hash: snapshot, at (ms): the current one; K is
 *                               the hash of the feed's key in 32 hex digits
 *     atelier:snap:{S}:meta     hash: feed (K), text, created, generation,
 *                               sources (names), and per source
 *                               NAME.page .rank .done .retry .outcome .count
 *                               .ms
 *     atelier:snap:{S}:frozen   list of ids, append-only; "" fills a page that
 *                               was short up, so that later pages do not move
 *     atelier:snap:{S}:pending  zset of ids by at_design_order()
 *     atelier:snap:{S}:items    hash: id, JSON
 *     atelier:snap:{S}:joins    hash: join key, id of the design that has it
 *     atelier:snap:{S}:mirrors  hash: id, JSON array of its mirrors
 *     atelier:at:{id}           string: S, the snapshot that showed this design
 *                               last
 *     atelier:page:{S}:...      a page as it was made, and while it is fresh;
 *     atelier:page:{K}:...      that of the current snapshot
 *                               (ngx_http_atelier_snapshot_made.c)
 *     atelier:lease:{K}         who fills it, over nodes
 *     atelier:generation        raised by every invalidation, see
 *                               ngx_http_atelier_generation_lua.h
 *     atelier:likes             hash: id, likes
 *
 * Only "page" moves ids from pending to frozen, and only what is pending is
 * ever edited by others.
 */

#ifndef NGX_HTTP_ATELIER_SNAPSHOT_H
#define NGX_HTTP_ATELIER_SNAPSHOT_H


#include "ngx_http_atelier_feed.h"
#include "ngx_http_atelier_redis.h"


/* A lease over nodes: the node, and one of its fills. */
#define NGX_HTTP_ATELIER_TOKEN_LEN  (NGX_HTTP_ATELIER_NODE_LEN + 16)


typedef enum {
    NGX_HTTP_ATELIER_SNAPSHOT_PAGE,      /* the slice is there */
    NGX_HTTP_ATELIER_SNAPSHOT_NONE,      /* no snapshot of this feed */
    NGX_HTTP_ATELIER_SNAPSHOT_SHORT,     /* sources should be asked first */
    NGX_HTTP_ATELIER_SNAPSHOT_FILL,      /* the parts are to be asked */
    NGX_HTTP_ATELIER_SNAPSHOT_ENOUGH,    /* there is nothing to do */
    NGX_HTTP_ATELIER_SNAPSHOT_BUSY,      /* another node does it */
    NGX_HTTP_ATELIER_SNAPSHOT_STORED,
    NGX_HTTP_ATELIER_SNAPSHOT_OUTDATED,  /* invalidated meanwhile, or gone */
    NGX_HTTP_ATELIER_SNAPSHOT_FAILED     /* Redis did not answer */
} ngx_http_atelier_snapshot_e;


typedef enum {
    NGX_HTTP_ATELIER_ASK,        /* SHORT if a source can be asked first */
    NGX_HTTP_ATELIER_TAKE        /* what is there */
} ngx_http_atelier_ask_e;


/* Where a source stands: what begin says, and commit stores. */
typedef struct {
    const at_feed_source_t  *source;
    ngx_uint_t               page;       /* to ask; commit: the next one */
    ngx_uint_t               rank;       /* ranks given out so far */
    ngx_uint_t               done;
    ngx_msec_t               retry;      /* not before so many ms */
    at_feed_outcome_e        outcome;
    ngx_uint_t               count;
    ngx_msec_t               ms;
} ngx_http_atelier_cursor_t;


typedef struct {
    u_char                      snapshot[NGX_HTTP_ATELIER_SNAPSHOT_LEN];
    u_char                      token[NGX_HTTP_ATELIER_TOKEN_LEN];
    ngx_uint_t                  fresh;       /* 1: a new snapshot */
    uint64_t                    generation;
    ngx_http_atelier_cursor_t   cursors[AT_FEED_SOURCES];
    ngx_uint_t                  ncursors;
} ngx_http_atelier_begin_t;


/* A page that was made before, being asked for. */
typedef struct {
    ngx_http_atelier_redis_op_t  *left;     /* NULL: answered */
    ngx_http_atelier_redis_op_t  *page;
    ngx_msec_int_t                ms;       /* it is fresh; < 0: no page */
    ngx_http_atelier_redis_pt     cb;
    void                         *data;
} ngx_http_atelier_recall_t;


/* Fills n hex digits at random. */
ngx_int_t ngx_http_atelier_snapshot_random(u_char *p, size_t n);

/*
 * The three scripts.  NULL: Redis is away, cb is not called.  A reply is read
 * by the function of the same name, which copies nothing: what it returns
 * lives as long as the reply, but for cards, which are in the pool.
 */
ngx_http_atelier_redis_op_t *ngx_http_atelier_snapshot_page(
    ngx_http_atelier_feed_t *feed, ngx_msec_t fresh, ngx_msec_t stale,
    ngx_http_atelier_ask_e how, ngx_http_atelier_redis_pt cb, void *data);
ngx_http_atelier_snapshot_e ngx_http_atelier_snapshot_page_reply(
    redisReply *reply, ngx_pool_t *pool, ngx_http_atelier_slice_t *slice);

/*
 * sources: a mask of those that are configured and serve the query.  node is
 * ours: a lease of the same node is taken over, as whoever asks has that of
 * the node's own workers.
 */
ngx_http_atelier_redis_op_t *ngx_http_atelier_snapshot_begin(
    ngx_http_atelier_feed_t *feed, ngx_http_atelier_begin_t *begin,
    u_char *node, ngx_uint_t ahead, ngx_msec_t fresh, ngx_msec_t lease,
    ngx_uint_t sources, ngx_http_atelier_redis_pt cb, void *data);
ngx_http_atelier_snapshot_e ngx_http_atelier_snapshot_begin_reply(
    redisReply *reply, ngx_http_atelier_begin_t *begin);

/*
 * A part of a fill: so many designs from this one on, and if those are the
 * last, the cursors.  designs has the words of all, which _order() has put in
 * the order of the feed: so parts are slices of it, and the best of two that
 * are alike is the one that stays.
 */
#define NGX_HTTP_ATELIER_COMMIT_PART  100

ngx_http_atelier_redis_op_t *ngx_http_atelier_snapshot_commit(
    ngx_http_atelier_feed_t *feed, ngx_http_atelier_begin_t *begin,
    ngx_uint_t sources, ngx_array_t *designs, ngx_uint_t from,
    ngx_pool_t *pool, ngx_http_atelier_redis_pt cb, void *data);
ngx_uint_t ngx_http_atelier_snapshot_last(ngx_array_t *designs,
    ngx_uint_t from);
void ngx_http_atelier_snapshot_order(ngx_array_t *designs);
ngx_http_atelier_snapshot_e ngx_http_atelier_snapshot_commit_reply(
    redisReply *reply, ngx_uint_t *added);

/*
 * Asks for a design that a snapshot has shown.  NULL as above.  _found()
 * returns PAGE, and all of the card but its id, or NONE or FAILED.
 */
ngx_http_atelier_redis_op_t *ngx_http_atelier_snapshot_find(at_str_t id,
    ngx_http_atelier_redis_pt cb, void *data);
ngx_http_atelier_snapshot_e ngx_http_atelier_snapshot_found(
    redisReply *reply, ngx_http_atelier_card_t *card);

/* Appends the words of a design to an array of ngx_str_t, in the pool. */
ngx_int_t ngx_http_atelier_snapshot_design(ngx_array_t *words,
    at_design_t *d, ngx_pool_t *pool);

/* It lasts for so many ms from now, if it is still ours. */
void ngx_http_atelier_snapshot_renew(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin, ngx_msec_t ms);

/* Gives a lease over nodes back that no commit ended. */
void ngx_http_atelier_snapshot_release(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin);

/*
 * Leaves a page that was made of this slice to other nodes and to later
 * readers.  variant is a number that is equal where the same slice makes the
 * same page.
 */
void ngx_http_atelier_snapshot_keep(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, uint32_t variant,
    ngx_http_atelier_page_t *page, ngx_msec_t fresh, ngx_pool_t *pool);

/*
 * Asks for such a page.  NGX_DECLINED: Redis is away, or has none of this
 * kind; cb is not called then, nor after _forget().  What _recalled() makes of
 * the reply, the page and of the slice its snapshot and age, lives as long as
 * that.
 */
ngx_int_t ngx_http_atelier_snapshot_recall(ngx_http_atelier_feed_t *feed,
    uint32_t variant, ngx_http_atelier_recall_t *recall,
    ngx_http_atelier_redis_pt cb, void *data);
void ngx_http_atelier_snapshot_forget(ngx_http_atelier_recall_t *recall);
ngx_int_t ngx_http_atelier_snapshot_recalled(ngx_http_atelier_recall_t *recall,
    redisReply *reply, ngx_http_atelier_slice_t *slice,
    ngx_http_atelier_page_t *page);

/*
 * The same for a page of any name, which is kept for as long as left says,
 * under the slice's generation and snapshot.  What _ask() brings is for
 * _recalled(), and tells the present generation; NGX_ERROR: nobody knows it.
 */
void ngx_http_atelier_made_keep(ngx_str_t *name,
    ngx_http_atelier_slice_t *slice, ngx_msec_t left,
    ngx_http_atelier_page_t *page, ngx_pool_t *pool);
ngx_int_t ngx_http_atelier_made_ask(ngx_str_t *name,
    ngx_http_atelier_recall_t *recall, ngx_http_atelier_redis_pt cb,
    void *data);
ngx_int_t ngx_http_atelier_made_generation(redisReply *reply);


#endif /* NGX_HTTP_ATELIER_SNAPSHOT_H */
