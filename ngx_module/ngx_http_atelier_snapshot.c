/*
 * Snapshots in Redis (see ngx_http_atelier_snapshot.h): from a request to the
 * words of a script, and from its reply back.
 *
 * A reply is checked before it is read: another version of the scripts may be
 * at work on another node.  What is not as expected is FAILED, which callers
 * treat as if Redis were away.
 */

#include "ngx_http_atelier_snapshot.h"
#include "ngx_http_atelier_snapshot_lua.h"
#include "ngx_http_atelier_pictures.h"
#include "at_json.h"


/* Words of a commit: in front of the cursors, of a cursor, of a design. */
#define NGX_HTTP_ATELIER_COMMIT_HEAD    11
#define NGX_HTTP_ATELIER_COMMIT_CURSOR  8
#define NGX_HTTP_ATELIER_COMMIT_DESIGN  5

/* A snapshot lives so many seconds past its last read, at least. */
#define NGX_HTTP_ATELIER_SNAPSHOT_LIFE  (45 * 60)

/* ... and so many ms, if that was a read of a page made at first. */
#define NGX_HTTP_ATELIER_SNAPSHOT_READ  (30 * 60 * 1000)

#define NGX_HTTP_ATELIER_NUMBER_LEN     32


/* The words that the scripts have in common, and room for their text. */
typedef struct {
    ngx_str_t    feed;        /* "atelier:feed:{K}" */
    ngx_str_t    key;         /* K */
    u_char       text[sizeof("atelier:feed:") + AT_HASH_HEX];
} ngx_http_atelier_words_t;


static void ngx_http_atelier_snapshot_lease(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin, ngx_str_t ms);
static void ngx_http_atelier_snapshot_words(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_words_t *w);
static int ngx_libc_cdecl ngx_http_atelier_cmp_words(const void *one,
    const void *two);
static ngx_str_t ngx_http_atelier_snapshot_number(u_char *p, uint64_t n);
static size_t ngx_http_atelier_snapshot_names(u_char *p, ngx_uint_t sources);
static ngx_int_t ngx_http_atelier_snapshot_cards(redisReply **e,
    ngx_pool_t *pool, ngx_http_atelier_slice_t *slice);
static void ngx_http_atelier_snapshot_shares(redisReply *list,
    ngx_http_atelier_slice_t *slice);
static at_feed_outcome_e ngx_http_atelier_snapshot_outcome(at_str_t name);
static redisReply *ngx_http_atelier_snapshot_list(redisReply *reply,
    const char *status, size_t n);
static at_str_t ngx_http_atelier_snapshot_str(redisReply *reply);
static uint64_t ngx_http_atelier_snapshot_int(redisReply *reply);


ngx_int_t
ngx_http_atelier_snapshot_random(u_char *p, size_t n)
{
    u_char  id[NGX_HTTP_ATELIER_ID_LEN];

    if (ngx_http_atelier_pictures_id(id) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, id, ngx_min(n, sizeof(id)));

    return NGX_OK;
}


ngx_http_atelier_redis_op_t *
ngx_http_atelier_snapshot_page(ngx_http_atelier_feed_t *feed,
    ngx_msec_t fresh, ngx_msec_t stale, ngx_http_atelier_ask_e how,
    ngx_http_atelier_redis_pt cb, void *data)
{
    u_char                     n[5][NGX_HTTP_ATELIER_NUMBER_LEN];
    ngx_str_t                  argv[9];
    ngx_http_atelier_words_t   w;

    ngx_http_atelier_snapshot_words(feed, &w);

    argv[0] = w.feed;
    argv[1] = w.key;
    argv[2] = ngx_http_atelier_ngx_str(feed->args.snapshot);
    argv[3] = ngx_http_atelier_snapshot_number(n[0],
                                (uint64_t) (feed->args.page - 1)
                                * feed->args.per_page);
    argv[4] = ngx_http_atelier_snapshot_number(n[1], feed->args.per_page);
    argv[5] = ngx_http_atelier_snapshot_number(n[2], fresh);
    argv[6] = ngx_http_atelier_snapshot_number(n[3], stale);
    argv[7] = ngx_http_atelier_snapshot_number(n[4],
                                ngx_max(NGX_HTTP_ATELIER_SNAPSHOT_LIFE,
                                        (fresh + ngx_max(stale,
                                         NGX_HTTP_ATELIER_SNAPSHOT_READ))
                                        / 1000));

    if (how == NGX_HTTP_ATELIER_ASK) {
        ngx_str_set(&argv[8], "ask");

    } else {
        ngx_str_set(&argv[8], "take");
    }

    return ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_page, 1, 9, argv,
                                       cb, data);
}


ngx_http_atelier_snapshot_e
ngx_http_atelier_snapshot_page_reply(redisReply *reply, ngx_pool_t *pool,
    ngx_http_atelier_slice_t *slice)
{
    at_str_t      id;
    redisReply  **e;

    ngx_memzero(slice, sizeof(ngx_http_atelier_slice_t));

    if (ngx_http_atelier_snapshot_list(reply, "none", 2)) {
        return NGX_HTTP_ATELIER_SNAPSHOT_NONE;
    }

    if (ngx_http_atelier_snapshot_list(reply, "short", 2)) {
        slice->restarted = (ngx_http_atelier_snapshot_int(reply->element[1])
                            == 1);
        return NGX_HTTP_ATELIER_SNAPSHOT_SHORT;
    }

    if (ngx_http_atelier_snapshot_list(reply, "page", 13) == NULL) {
        return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
    }

    e = reply->element;
    id = ngx_http_atelier_snapshot_str(e[2]);

    if (id.len != NGX_HTTP_ATELIER_SNAPSHOT_LEN) {
        return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
    }

    ngx_memcpy(slice->snapshot, id.data, id.len);

    slice->restarted = (ngx_http_atelier_snapshot_int(e[1]) == 1);
    slice->expired = (ngx_http_atelier_snapshot_int(e[3]) == 1);
    slice->age = ngx_http_atelier_snapshot_int(e[4]);
    slice->left = ngx_http_atelier_snapshot_int(e[5]);
    slice->more = (ngx_http_atelier_snapshot_int(e[6]) == 1);

    slice->generation = ngx_http_atelier_snapshot_int(e[12]);

    ngx_http_atelier_snapshot_shares(e[7], slice);

    if (ngx_http_atelier_snapshot_cards(&e[8], pool, slice) != NGX_OK) {
        return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
    }

    return NGX_HTTP_ATELIER_SNAPSHOT_PAGE;
}


/* Four lists of one length: ids, items, mirrors, likes. */

static ngx_int_t
ngx_http_atelier_snapshot_cards(redisReply **e, ngx_pool_t *pool,
    ngx_http_atelier_slice_t *slice)
{
    size_t                    i, n;
    ngx_http_atelier_card_t  *card;

    n = (e[0]->type == REDIS_REPLY_ARRAY) ? e[0]->elements : 0;

    for (i = 1; i < 4; i++) {
        if (n && (e[i]->type != REDIS_REPLY_ARRAY || e[i]->elements != n)) {
            return NGX_ERROR;
        }
    }

    slice->cards = ngx_palloc(pool, (n + 1) * sizeof(ngx_http_atelier_card_t));
    if (slice->cards == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        card = &slice->cards[slice->ncards];

        card->id = ngx_http_atelier_snapshot_str(e[0]->element[i]);
        card->json = ngx_http_atelier_snapshot_str(e[1]->element[i]);
        card->mirrors = ngx_http_atelier_snapshot_str(e[2]->element[i]);
        card->likes = ngx_http_atelier_snapshot_int(e[3]->element[i]);

        if (card->json.len > 2) {
            slice->ncards++;
        }
    }

    return NGX_OK;
}


static void
ngx_http_atelier_snapshot_shares(redisReply *list,
    ngx_http_atelier_slice_t *slice)
{
    size_t                     i;
    const at_feed_source_t    *source;
    ngx_http_atelier_share_t  *share;

    if (list->type != REDIS_REPLY_ARRAY) {
        return;
    }

    for (i = 0; i + 4 <= list->elements; i += 4) {
        source = at_feed_source_find(
                            ngx_http_atelier_snapshot_str(list->element[i]));
        if (source == NULL) {
            continue;
        }

        share = &slice->shares[source->index];

        share->asked = 1;
        share->outcome = ngx_http_atelier_snapshot_outcome(
                         ngx_http_atelier_snapshot_str(list->element[i + 1]));
        share->count = ngx_http_atelier_snapshot_int(list->element[i + 2]);
        share->ms = ngx_http_atelier_snapshot_int(list->element[i + 3]);
    }
}


static at_feed_outcome_e
ngx_http_atelier_snapshot_outcome(at_str_t name)
{
    at_feed_outcome_e  outcome;

    for (outcome = AT_FEED_OK; outcome < AT_FEED_ERROR; outcome++) {
        if (at_str_is(name, at_feed_outcome_name(outcome))) {
            break;
        }
    }

    return outcome;
}


ngx_http_atelier_redis_op_t *
ngx_http_atelier_snapshot_begin(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin, u_char *node, ngx_uint_t ahead,
    ngx_msec_t fresh, ngx_msec_t lease, ngx_uint_t sources,
    ngx_http_atelier_redis_pt cb, void *data)
{
    u_char                     n[4][NGX_HTTP_ATELIER_NUMBER_LEN];
    u_char                     names[AT_FEED_SOURCES * 16];
    ngx_str_t                  argv[11];
    ngx_http_atelier_words_t   w;

    if (ngx_http_atelier_snapshot_random(begin->snapshot,
                                         NGX_HTTP_ATELIER_SNAPSHOT_LEN)
        != NGX_OK
        || ngx_http_atelier_snapshot_random(begin->token
                                            + NGX_HTTP_ATELIER_NODE_LEN,
                                            NGX_HTTP_ATELIER_TOKEN_LEN
                                            - NGX_HTTP_ATELIER_NODE_LEN)
           != NGX_OK)
    {
        return NULL;
    }

    ngx_memcpy(begin->token, node, NGX_HTTP_ATELIER_NODE_LEN);

    ngx_http_atelier_snapshot_words(feed, &w);

    argv[0] = w.feed;
    argv[1] = w.key;
    argv[2] = ngx_http_atelier_ngx_str(feed->args.snapshot);
    argv[3] = ngx_http_atelier_snapshot_number(n[0],
                                ((uint64_t) feed->args.page + ahead)
                                * feed->args.per_page);

    if (feed->args.page == 1 && ahead == 0) {
        ngx_str_set(&argv[4], "1");

    } else {
        ngx_str_set(&argv[4], "0");
    }

    argv[5] = ngx_http_atelier_snapshot_number(n[1], fresh);
    argv[6].data = begin->snapshot;
    argv[6].len = NGX_HTTP_ATELIER_SNAPSHOT_LEN;
    argv[7].data = begin->token;
    argv[7].len = NGX_HTTP_ATELIER_TOKEN_LEN;
    argv[8] = ngx_http_atelier_snapshot_number(n[2], lease);
    argv[9].data = names;
    argv[9].len = ngx_http_atelier_snapshot_names(names, sources);
    argv[10] = ngx_http_atelier_snapshot_number(n[3], AT_DESIGN_ROUND);

    return ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_begin, 1, 11,
                                       argv, cb, data);
}


ngx_http_atelier_snapshot_e
ngx_http_atelier_snapshot_begin_reply(redisReply *reply,
    ngx_http_atelier_begin_t *begin)
{
    size_t                      i;
    at_str_t                    id;
    redisReply                 *list;
    const at_feed_source_t     *source;
    ngx_http_atelier_cursor_t  *c;

    if (ngx_http_atelier_snapshot_list(reply, "enough", 2)) {
        return NGX_HTTP_ATELIER_SNAPSHOT_ENOUGH;
    }

    if (ngx_http_atelier_snapshot_list(reply, "busy", 2)) {
        return NGX_HTTP_ATELIER_SNAPSHOT_BUSY;
    }

    if (ngx_http_atelier_snapshot_list(reply, "fill", 5) == NULL) {
        return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
    }

    id = ngx_http_atelier_snapshot_str(reply->element[1]);
    list = reply->element[4];

    if (id.len != NGX_HTTP_ATELIER_SNAPSHOT_LEN
        || list->type != REDIS_REPLY_ARRAY)
    {
        return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
    }

    ngx_memcpy(begin->snapshot, id.data, id.len);
    begin->fresh = (ngx_http_atelier_snapshot_int(reply->element[2]) == 1);
    begin->generation = ngx_http_atelier_snapshot_int(reply->element[3]);
    begin->ncursors = 0;

    for (i = 0; i + 3 <= list->elements; i += 3) {
        source = at_feed_source_find(
                            ngx_http_atelier_snapshot_str(list->element[i]));

        if (source == NULL || begin->ncursors == AT_FEED_SOURCES) {
            continue;
        }

        c = &begin->cursors[begin->ncursors++];

        ngx_memzero(c, sizeof(ngx_http_atelier_cursor_t));

        c->source = source;
        c->page = ngx_http_atelier_snapshot_int(list->element[i + 1]);
        c->rank = ngx_http_atelier_snapshot_int(list->element[i + 2]);
    }

    return NGX_HTTP_ATELIER_SNAPSHOT_FILL;
}


ngx_http_atelier_redis_op_t *
ngx_http_atelier_snapshot_commit(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin, ngx_uint_t sources, ngx_array_t *designs,
    ngx_uint_t from, ngx_pool_t *pool, ngx_http_atelier_redis_pt cb,
    void *data)
{
    u_char                     *p;
    u_char                      names[AT_FEED_SOURCES * 16];
    ngx_str_t                  *argv, *a;
    ngx_uint_t                  i, n, last, words, cursors;
    const char                 *text;
    ngx_http_atelier_words_t    w;
    ngx_http_atelier_cursor_t  *c;

    last = ngx_http_atelier_snapshot_last(designs, from);
    cursors = last ? begin->ncursors : 0;

    from *= NGX_HTTP_ATELIER_COMMIT_DESIGN;
    words = last ? designs->nelts - from
                 : NGX_HTTP_ATELIER_COMMIT_PART
                   * NGX_HTTP_ATELIER_COMMIT_DESIGN;

    n = NGX_HTTP_ATELIER_COMMIT_HEAD
        + cursors * NGX_HTTP_ATELIER_COMMIT_CURSOR + words;

    argv = ngx_palloc(pool, n * sizeof(ngx_str_t));
    p = ngx_pnalloc(pool, (cursors * NGX_HTTP_ATELIER_COMMIT_CURSOR
                           + NGX_HTTP_ATELIER_COMMIT_HEAD)
                          * NGX_HTTP_ATELIER_NUMBER_LEN);

    if (argv == NULL || p == NULL) {
        return NULL;
    }

#define ngx_http_atelier_commit_number(value)                                 \
    *a++ = ngx_http_atelier_snapshot_number(p, value);                        \
    p += NGX_HTTP_ATELIER_NUMBER_LEN

    ngx_http_atelier_snapshot_words(feed, &w);

    a = argv;
    *a++ = w.feed;
    *a++ = w.key;
    *a++ = (ngx_str_t) { feed->text_len, (u_char *) feed->text };
    *a++ = (ngx_str_t) { NGX_HTTP_ATELIER_SNAPSHOT_LEN, begin->snapshot };
    ngx_http_atelier_commit_number(begin->fresh ? 1 : 0);
    *a++ = (ngx_str_t) { NGX_HTTP_ATELIER_TOKEN_LEN, begin->token };
    ngx_http_atelier_commit_number(begin->generation);
    ngx_http_atelier_commit_number(NGX_HTTP_ATELIER_SNAPSHOT_LIFE);
    a->data = names;
    a->len = ngx_http_atelier_snapshot_names(names, sources);
    a++;
    ngx_http_atelier_commit_number(last);
    ngx_http_atelier_commit_number(cursors);

    for (i = 0; i < cursors; i++) {
        c = &begin->cursors[i];
        text = at_feed_outcome_name(c->outcome);

        *a++ = ngx_http_atelier_ngx_str(c->source->name);
        ngx_http_atelier_commit_number(c->page);
        ngx_http_atelier_commit_number(c->rank);
        ngx_http_atelier_commit_number(c->done ? 1 : 0);
        ngx_http_atelier_commit_number(c->retry);
        *a++ = (ngx_str_t) { ngx_strlen(text), (u_char *) text };
        ngx_http_atelier_commit_number(c->count);
        ngx_http_atelier_commit_number(c->ms);
    }

    ngx_memcpy(a, (ngx_str_t *) designs->elts + from,
               words * sizeof(ngx_str_t));

    return ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_commit, 1, n,
                                       argv, cb, data);
}


/* 1: the part that begins there is the last one. */

ngx_uint_t
ngx_http_atelier_snapshot_last(ngx_array_t *designs, ngx_uint_t from)
{
    return from + NGX_HTTP_ATELIER_COMMIT_PART
           >= designs->nelts / NGX_HTTP_ATELIER_COMMIT_DESIGN;
}


void
ngx_http_atelier_snapshot_order(ngx_array_t *designs)
{
    ngx_qsort(designs->elts,
              designs->nelts / NGX_HTTP_ATELIER_COMMIT_DESIGN,
              NGX_HTTP_ATELIER_COMMIT_DESIGN * sizeof(ngx_str_t),
              ngx_http_atelier_cmp_words);
}


/* The second word is the order, a number without leading zeroes. */

static int ngx_libc_cdecl
ngx_http_atelier_cmp_words(const void *one, const void *two)
{
    const ngx_str_t *a = one;
    const ngx_str_t *b = two;

    if (a[1].len != b[1].len) {
        return (a[1].len < b[1].len) ? -1 : 1;
    }

    return ngx_memcmp(a[1].data, b[1].data, a[1].len);
}


ngx_http_atelier_snapshot_e
ngx_http_atelier_snapshot_commit_reply(redisReply *reply, ngx_uint_t *added)
{
    *added = 0;

    if (ngx_http_atelier_snapshot_list(reply, "outdated", 2)) {
        return NGX_HTTP_ATELIER_SNAPSHOT_OUTDATED;
    }

    if (ngx_http_atelier_snapshot_list(reply, "stored", 2)) {
        *added = ngx_http_atelier_snapshot_int(reply->element[1]);
        return NGX_HTTP_ATELIER_SNAPSHOT_STORED;
    }

    return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
}


/*
 * A mirror is less than a design: it says where else the picture is.  Join
 * keys are one word, by line; they hold no control bytes.
 */

ngx_int_t
ngx_http_atelier_snapshot_design(ngx_array_t *words, at_design_t *d,
    ngx_pool_t *pool)
{
    int         rc;
    size_t      i, at[4];
    u_char     *p;
    at_buf_t    b;
    ngx_str_t  *word;

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = at_design_write(&b, d);
    at[0] = b.len;

    rc |= at_buf_append_str(&b, AT_STR("{\"id\":"));
    rc |= at_json_write_string(&b, d->id);
    rc |= at_buf_append_str(&b, AT_STR(",\"source\":"));
    rc |= at_json_write_string(&b, d->source);
    rc |= at_buf_append_str(&b, AT_STR(",\"url\":"));
    rc |= at_json_write_string(&b, d->url);
    rc |= at_buf_append_str(&b, AT_STR(",\"pageUrl\":"));
    rc |= at_json_write_string(&b, d->page_url);
    rc |= at_buf_append_str(&b, AT_STR(",\"license\":"));
    rc |= at_json_write_string(&b, d->license);
    rc |= at_buf_append_str(&b, AT_STR("}"));
    at[1] = b.len;

    for (i = 0; i < d->njoins; i++) {
        rc |= at_buf_append_str(&b, d->joins[i]);
        rc |= at_buf_append_str(&b, AT_STR("\n"));
    }

    at[2] = b.len;

    rc |= at_buf_printf(&b, "%llu", (unsigned long long)
                                    at_design_order(d->rank, d->score));
    at[3] = b.len;

    rc |= at_buf_append_str(&b, d->id);

    word = ngx_array_push_n(words, NGX_HTTP_ATELIER_COMMIT_DESIGN);
    p = (rc == AT_OK) ? ngx_pnalloc(pool, b.len) : NULL;

    if (word == NULL || p == NULL) {
        at_buf_free(&b);
        return NGX_ERROR;
    }

    ngx_memcpy(p, b.data, b.len);

    word[0] = (ngx_str_t) { b.len - at[3], p + at[3] };
    word[1] = (ngx_str_t) { at[3] - at[2], p + at[2] };
    word[2] = (ngx_str_t) { at[0], p };
    word[3] = (ngx_str_t) { at[1] - at[0], p + at[0] };
    word[4] = (ngx_str_t) { at[2] - at[1], p + at[1] };

    at_buf_free(&b);

    return NGX_OK;
}


void
ngx_http_atelier_snapshot_renew(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin, ngx_msec_t ms)
{
    u_char  n[NGX_HTTP_ATELIER_NUMBER_LEN];

    ngx_http_atelier_snapshot_lease(feed, begin,
                                    ngx_http_atelier_snapshot_number(n, ms));
}


void
ngx_http_atelier_snapshot_release(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin)
{
    ngx_http_atelier_snapshot_lease(feed, begin,
                                    (ngx_str_t) ngx_string("0"));
}


static void
ngx_http_atelier_snapshot_lease(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_begin_t *begin, ngx_str_t ms)
{
    u_char     key[sizeof("atelier:lease:") + AT_HASH_HEX];
    ngx_str_t  argv[3];

    argv[0].data = key;
    argv[0].len = ngx_sprintf(key, "atelier:lease:") - key;
    at_hash_hex(feed->key, (char *) key + argv[0].len);
    argv[0].len += AT_HASH_HEX;

    argv[1].data = begin->token;
    argv[1].len = NGX_HTTP_ATELIER_TOKEN_LEN;
    argv[2] = ms;

    (void) ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_lease, 1, 3,
                                       argv, NULL, NULL);
}


ngx_http_atelier_redis_op_t *
ngx_http_atelier_snapshot_find(at_str_t id, ngx_http_atelier_redis_pt cb,
    void *data)
{
    ngx_str_t  argv[1];

    argv[0] = ngx_http_atelier_ngx_str(id);

    return ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_find, 0, 1, argv,
                                       cb, data);
}


ngx_http_atelier_snapshot_e
ngx_http_atelier_snapshot_found(redisReply *reply,
    ngx_http_atelier_card_t *card)
{
    ngx_memzero(card, sizeof(ngx_http_atelier_card_t));

    if (ngx_http_atelier_snapshot_list(reply, "none", 1)) {
        return NGX_HTTP_ATELIER_SNAPSHOT_NONE;
    }

    if (ngx_http_atelier_snapshot_list(reply, "design", 4) == NULL) {
        return NGX_HTTP_ATELIER_SNAPSHOT_FAILED;
    }

    card->json = ngx_http_atelier_snapshot_str(reply->element[1]);
    card->mirrors = ngx_http_atelier_snapshot_str(reply->element[2]);
    card->likes = ngx_http_atelier_snapshot_int(reply->element[3]);

    return (card->json.len < 2) ? NGX_HTTP_ATELIER_SNAPSHOT_FAILED
                                : NGX_HTTP_ATELIER_SNAPSHOT_PAGE;
}


static void
ngx_http_atelier_snapshot_words(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_words_t *w)
{
    u_char  *p;

    p = ngx_sprintf(w->text, "atelier:feed:");
    at_hash_hex(feed->key, (char *) p);

    w->key.data = p;
    w->key.len = AT_HASH_HEX;
    w->feed.data = w->text;
    w->feed.len = p + AT_HASH_HEX - w->text;
}


static ngx_str_t
ngx_http_atelier_snapshot_number(u_char *p, uint64_t n)
{
    return (ngx_str_t) { ngx_sprintf(p, "%uL", n) - p, p };
}


/* "pexels,flickr": the names of a mask. */

static size_t
ngx_http_atelier_snapshot_names(u_char *p, ngx_uint_t sources)
{
    u_char    *start;
    unsigned   i;
    at_str_t   name;

    start = p;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if ((sources & (1u << i)) == 0) {
            continue;
        }

        if (p > start) {
            *p++ = ',';
        }

        name = at_feed_source(i)->name;
        p = ngx_cpymem(p, name.data, name.len);
    }

    return p - start;
}


/* The reply if it is a list that begins with this word, else NULL. */

static redisReply *
ngx_http_atelier_snapshot_list(redisReply *reply, const char *status, size_t n)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements < n
        || !at_str_is(ngx_http_atelier_snapshot_str(reply->element[0]),
                      status))
    {
        return NULL;
    }

    return reply;
}


static at_str_t
ngx_http_atelier_snapshot_str(redisReply *reply)
{
    if (reply->type != REDIS_REPLY_STRING) {
        return AT_STR_NULL;
    }

    return (at_str_t) { reply->len, reply->str };
}


/* Scripts return numbers, hashes hold them as text; 0 for all else. */

static uint64_t
ngx_http_atelier_snapshot_int(redisReply *reply)
{
    ngx_int_t  n;

    if (reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0) {
        return reply->integer;
    }

    if (reply->type != REDIS_REPLY_STRING) {
        return 0;
    }

    n = ngx_atoi((u_char *) reply->str, reply->len);

    return (n == NGX_ERROR) ? 0 : n;
}
