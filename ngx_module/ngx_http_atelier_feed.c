/*
 * The feed (see ngx_http_atelier_feed.h): requests and rendered pages.
 *
 * A page is made once and served many times: its gzip form, ETag and headers
 * are made here and stored beside it.  The JSON of designs is taken as it is
 * stored, and only what belongs to the moment (likes, mirrors) is added.
 */

#include "ngx_http_atelier_feed.h"
#include "at_json.h"


static int ngx_http_atelier_feed_json(at_buf_t *b,
    ngx_http_atelier_feed_t *feed, ngx_http_atelier_slice_t *slice,
    at_str_t next);
static int ngx_http_atelier_feed_shares(at_buf_t *b,
    ngx_http_atelier_slice_t *slice);
static int ngx_http_atelier_feed_encode(at_buf_t *b, at_str_t s);
static ngx_msec_t ngx_http_atelier_feed_fresh(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, ngx_msec_t fresh);
static ngx_int_t ngx_http_atelier_feed_copy(at_buf_t *b, ngx_pool_t *pool,
    ngx_str_t *to);


ngx_int_t
ngx_http_atelier_feed_parse(ngx_http_atelier_feed_t *feed, ngx_str_t *raw,
    at_args_error_t *error)
{
    if (at_feed_args_parse(ngx_http_atelier_str(raw), &feed->args, error)
        != AT_OK)
    {
        return NGX_DECLINED;
    }

    feed->text_len = at_feed_args_key(&feed->args.query, feed->text);
    at_hash128(feed->text, feed->text_len, feed->key);

    return NGX_OK;
}


void
ngx_http_atelier_feed_id(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_page_id_t *id)
{
    ngx_memzero(id, sizeof(ngx_http_atelier_page_id_t));

    ngx_memcpy(id->feed, feed->key, NGX_HTTP_ATELIER_FEED_LEN);
    id->page = feed->args.page;
    id->per_page = feed->args.per_page;

    if (feed->args.snapshot.len) {
        ngx_memcpy(id->snapshot, feed->args.snapshot.data,
                   NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    }
}


void
ngx_http_atelier_feed_seen(at_str_t id, u_char *seen)
{
    u_char                  *colon;
    uint8_t                  hash[AT_HASH_BYTES];
    at_str_t                 name;
    const at_feed_source_t  *source;

    name = id;
    colon = ngx_strlchr((u_char *) id.data, (u_char *) id.data + id.len, ':');

    if (colon) {
        name.len = (char *) colon - id.data;
    }

    source = at_feed_source_find(name);

    at_hash128(id.data, id.len, hash);

    hash[0] = source ? source->index : AT_FEED_SOURCES;
    ngx_memcpy(seen, hash, NGX_HTTP_ATELIER_SEEN_LEN);
}


int
ngx_http_atelier_feed_args(at_buf_t *b, ngx_http_atelier_feed_t *feed,
    ngx_uint_t page, const u_char *snapshot)
{
    int               rc;
    unsigned          i;
    const char       *comma;
    at_feed_query_t  *q;

    q = &feed->args.query;

    rc = at_buf_append_str(b, AT_STR("query="));
    rc |= ngx_http_atelier_feed_encode(b, q->text);
    rc |= at_buf_printf(b, "&page=%u&perPage=%u", (unsigned) page,
                        feed->args.per_page);

    if (snapshot && snapshot[0]) {
        rc |= at_buf_printf(b, "&snapshot=%.*s",
                            NGX_HTTP_ATELIER_SNAPSHOT_LEN, snapshot);
    }

    if (q->orientation != AT_FEED_ORIENTATION_ANY) {
        rc |= at_buf_printf(b, "&orientation=%s",
                            at_feed_orientation_name(q->orientation));
    }

    if (q->color != AT_FEED_COLOR_ANY) {
        rc |= at_buf_printf(b, "&color=%s", at_feed_color_name(q->color));
    }

    if (q->sources != AT_FEED_ALL) {
        comma = "&source=";

        for (i = 0; i < AT_FEED_SOURCES; i++) {
            if (q->sources & (1u << i)) {
                rc |= at_buf_printf(b, "%s%.*s", comma,
                                    (int) at_feed_source(i)->name.len,
                                    at_feed_source(i)->name.data);
                comma = ",";
            }
        }
    }

    return rc;
}


static int
ngx_http_atelier_feed_encode(at_buf_t *b, at_str_t s)
{
    int      rc;
    u_char   c, code[3];
    size_t   i;

    static const u_char  hex[] = "0123456789ABCDEF";

    rc = AT_OK;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || c == '-' || c == '.' || c == '_' || c == '~')
        {
            rc |= at_buf_append(b, &c, 1);
            continue;
        }

        code[0] = '%';
        code[1] = hex[c >> 4];
        code[2] = hex[c & 0xf];

        rc |= at_buf_append(b, code, 3);
    }

    return rc;
}


/*
 * A page may be nothing but the gap behind one that was short, read with
 * another perPage: what stands behind it counts, not what is on it.
 */

ngx_uint_t
ngx_http_atelier_feed_next(ngx_http_atelier_slice_t *slice)
{
    return slice->left || (slice->ncards && slice->more);
}


ngx_int_t
ngx_http_atelier_feed_render(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, ngx_str_t *path, ngx_msec_t fresh,
    ngx_pool_t *pool, ngx_http_atelier_page_t *page)
{
    int         rc;
    at_buf_t    next, link, tag, body;
    uint8_t     hash[AT_HASH_BYTES];
    ngx_int_t   ok;
    ngx_uint_t  i;

    ngx_memzero(page, sizeof(ngx_http_atelier_page_t));
    ngx_memzero(&next, sizeof(at_buf_t));
    ngx_memzero(&link, sizeof(at_buf_t));
    ngx_memzero(&tag, sizeof(at_buf_t));
    ngx_memzero(&body, sizeof(at_buf_t));

    rc = AT_OK;

    if (ngx_http_atelier_feed_next(slice)) {
        rc |= at_buf_append(&next, path->data, path->len);
        rc |= at_buf_append_str(&next, AT_STR("?"));
        rc |= ngx_http_atelier_feed_args(&next, feed, feed->args.page + 1,
                                         slice->snapshot);
        rc |= at_buf_printf(&link, "<%.*s>; rel=\"next\"", (int) next.len,
                            (char *) next.data);
    }

    rc |= at_buf_append_str(&tag, AT_STR("designs feed-"));
    rc |= at_buf_reserve(&tag, AT_HASH_HEX);

    if (rc == AT_OK) {
        at_hash_hex(feed->key, (char *) tag.data + tag.len);
        tag.len += AT_HASH_HEX;
    }

    rc |= ngx_http_atelier_feed_json(&body, feed, slice, at_buf_str(&next));

    ok = (rc == AT_OK
          && ngx_http_atelier_feed_copy(&link, pool, &page->link) == NGX_OK
          && ngx_http_atelier_feed_copy(&tag, pool, &page->tag) == NGX_OK
          && ngx_http_atelier_feed_copy(&body, pool, &page->plain) == NGX_OK);

    at_buf_free(&next);
    at_buf_free(&link);
    at_buf_free(&tag);
    at_buf_free(&body);

    page->seen.len = slice->ncards * NGX_HTTP_ATELIER_SEEN_LEN;
    page->seen.data = ngx_pnalloc(pool, page->seen.len + 1);

    if (!ok || page->seen.data == NULL
        || ngx_http_atelier_feed_gzip(&page->plain, pool, &page->gzip)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < slice->ncards; i++) {
        ngx_http_atelier_feed_seen(slice->cards[i].id,
                         page->seen.data + i * NGX_HTTP_ATELIER_SEEN_LEN);
    }

    at_hash128(page->plain.data, page->plain.len, hash);
    at_hash_hex(hash, (char *) page->etag);

    page->text.data = (u_char *) feed->text;
    page->text.len = feed->text_len;
    page->created = ngx_current_msec;
    page->fresh = ngx_http_atelier_feed_fresh(feed, slice, fresh);

    return NGX_OK;
}


/* A page to which a source may still add, or which it failed, is not kept. */

static ngx_msec_t
ngx_http_atelier_feed_fresh(ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, ngx_msec_t fresh)
{
    ngx_uint_t  i, partial;

    if (slice->ncards == 0 && slice->more) {
        return ngx_min(fresh, NGX_HTTP_ATELIER_EMPTY);
    }

    partial = (slice->ncards < feed->args.per_page && slice->more);

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if (slice->shares[i].asked
            && slice->shares[i].outcome != AT_FEED_OK
            && slice->shares[i].outcome != AT_FEED_AUTH
            && slice->shares[i].outcome != AT_FEED_DISABLED)
        {
            partial = 1;
        }
    }

    return partial ? ngx_min(fresh, NGX_HTTP_ATELIER_PARTIAL) : fresh;
}


static int
ngx_http_atelier_feed_json(at_buf_t *b, ngx_http_atelier_feed_t *feed,
    ngx_http_atelier_slice_t *slice, at_str_t next)
{
    int         rc;
    ngx_uint_t  i;

    rc = at_buf_append_str(b, AT_STR("{\"query\":"));
    rc |= at_json_write_string(b, feed->args.query.text);
    rc |= at_buf_append_str(b, AT_STR(",\"snapshot\":"));

    if (slice->snapshot[0]) {
        rc |= at_buf_printf(b, "\"%.*s\"", NGX_HTTP_ATELIER_SNAPSHOT_LEN,
                            slice->snapshot);
    } else {
        rc |= at_buf_append_str(b, AT_STR("null"));
    }

    rc |= at_buf_printf(b, ",\"page\":%u,\"perPage\":%u,\"hasNext\":%s,"
                           "\"next\":", feed->args.page, feed->args.per_page,
                        next.len ? "true" : "false");

    rc |= next.len ? at_json_write_string(b, next)
                   : at_buf_append_str(b, AT_STR("null"));

    if (slice->restarted) {
        rc |= at_buf_append_str(b, AT_STR(",\"restarted\":true"));
    }

    rc |= at_buf_append_str(b, AT_STR(",\"results\":["));

    for (i = 0; i < slice->ncards; i++) {
        if (i) {
            rc |= at_buf_append_str(b, AT_STR(","));
        }

        rc |= ngx_http_atelier_feed_card(b, &slice->cards[i]);
    }

    rc |= at_buf_append_str(b, AT_STR("],\"providers\":{"));
    rc |= ngx_http_atelier_feed_shares(b, slice);

    return rc | at_buf_append_str(b, AT_STR("}}\n"));
}


/* The last byte of a stored design is the brace that ends it. */

int
ngx_http_atelier_feed_card(at_buf_t *b, ngx_http_atelier_card_t *card)
{
    int  rc;

    rc = at_buf_append(b, card->json.data, card->json.len - 1);

    if (card->mirrors.len) {
        rc |= at_buf_append_str(b, AT_STR(",\"mirrors\":"));
        rc |= at_buf_append_str(b, card->mirrors);
    }

    return rc | at_buf_printf(b, ",\"likes\":%llu}",
                              (unsigned long long) card->likes);
}


static int
ngx_http_atelier_feed_shares(at_buf_t *b, ngx_http_atelier_slice_t *slice)
{
    int                        rc;
    unsigned                   i;
    const char                *comma;
    ngx_http_atelier_share_t  *share;

    rc = AT_OK;
    comma = "";

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        share = &slice->shares[i];

        if (share->asked) {
            rc |= at_buf_printf(b, "%s\"%.*s\":{\"outcome\":\"%s\","
                                   "\"count\":%lu,\"ms\":%lu}", comma,
                                (int) at_feed_source(i)->name.len,
                                at_feed_source(i)->name.data,
                                at_feed_outcome_name(share->outcome),
                                (unsigned long) share->count,
                                (unsigned long) share->ms);
            comma = ",";
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_atelier_feed_copy(at_buf_t *b, ngx_pool_t *pool, ngx_str_t *to)
{
    to->len = b->len;
    to->data = ngx_pnalloc(pool, b->len + 1);

    if (to->data == NULL) {
        return NGX_ERROR;
    }

    if (b->len) {
        ngx_memcpy(to->data, b->data, b->len);
    }

    return NGX_OK;
}
