/*
 * What a flight's page leaves behind (see ngx_http_atelier_flight.h): itself
 * and the feed's head in L1, times for the reader, and a job where little is
 * left behind it; and the pages that L1 alone can bring.
 */

#include "ngx_http_atelier_flight.h"


static void ngx_http_atelier_flight_store(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice);
static uint32_t ngx_http_atelier_flight_variant(ngx_http_atelier_flight_t *f);
static void ngx_http_atelier_flight_timing(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice);
static void ngx_http_atelier_flight_prefetch(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice);


ngx_int_t
ngx_http_atelier_flight_render(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice)
{
    ngx_http_atelier_designs_disabled(f->conf, &f->feed, slice);

    if (ngx_http_atelier_feed_render(&f->feed, slice, &f->conf->feed_path,
                                     f->conf->feed_fresh, f->pool, &f->page)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->got = 1;

    ngx_http_atelier_flight_timing(f, slice);
    ngx_http_atelier_flight_store(f, slice);
    ngx_http_atelier_flight_prefetch(f, slice);

    if (!slice->restarted && !slice->expired) {
        ngx_http_atelier_snapshot_keep(&f->feed, slice,
                                       ngx_http_atelier_flight_variant(f),
                                       &f->page, f->conf->feed_fresh,
                                       f->pool);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_flight_recall(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_redis_pt cb)
{
    return ngx_http_atelier_snapshot_recall(&f->feed,
                                        ngx_http_atelier_flight_variant(f),
                                        &f->recall, cb, f);
}


ngx_int_t
ngx_http_atelier_flight_made(ngx_http_atelier_flight_t *f, redisReply *reply)
{
    ngx_http_atelier_slice_t  slice;

    if (ngx_http_atelier_snapshot_recalled(&f->recall, reply, &slice,
                                           &f->page)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    f->page.text.data = (u_char *) f->feed.text;
    f->page.text.len = f->feed.text_len;
    f->got = 1;

    ngx_http_atelier_flight_store(f, &slice);

    return NGX_OK;
}


/* What a page shows beside its slice: the path, and sources nobody has. */

static uint32_t
ngx_http_atelier_flight_variant(ngx_http_atelier_flight_t *f)
{
    uint32_t    mask;
    ngx_uint_t  i;

    mask = 0;

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        if (f->conf->sources[i]) {
            mask |= 1u << i;
        }
    }

    return ngx_crc32_short(f->conf->feed_path.data, f->conf->feed_path.len)
           ^ mask;
}


/*
 * Redis does not know the snapshot.  If L1 has shown something of it, it goes
 * on there, without Redis.
 */

ngx_uint_t
ngx_http_atelier_flight_trail(ngx_http_atelier_flight_t *f)
{
    ngx_str_t                    seen;
    ngx_uint_t                   found;
    ngx_http_atelier_head_t      head;
    ngx_http_atelier_page_id_t   id;

    id = f->id;

    if (id.page == 1) {
        return 0;
    }

    if (id.snapshot[0] == 0) {
        if (ngx_http_atelier_cache_head(f->conf->cache, id.feed, &head)
            != NGX_OK)
        {
            return 0;
        }

        ngx_memcpy(id.snapshot, head.snapshot, NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    }

    if (ngx_http_atelier_cache_seen(f->conf->cache, &id, id.page - 1, f->pool,
                                    &seen, &found)
        == NGX_OK
        && found)
    {
        f->local = 1;
    }

    return f->local;
}


/*
 * Nobody knows the snapshot: the page of the current one, if L1 has it, which
 * says that it is not what was asked for.  It is for these readers alone.
 */

ngx_uint_t
ngx_http_atelier_flight_restart(ngx_http_atelier_flight_t *f)
{
    u_char                      *p;
    uint8_t                      hash[AT_HASH_BYTES];
    ngx_str_t                   *plain;
    ngx_http_atelier_page_id_t   id;

    static const u_char  restarted[] = "{\"restarted\":true,";
    const size_t         len = sizeof(restarted) - 1;

    id = f->id;
    ngx_memzero(id.snapshot, NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    if (ngx_http_atelier_cache_get(f->conf->cache, &id, 0, NULL, f->pool,
                                   &f->page)
        != NGX_OK)
    {
        return 0;
    }

    /* in place of the brace that the body begins with */

    plain = &f->page.plain;

    p = ngx_pnalloc(f->pool, plain->len + len);
    if (p == NULL) {
        return 0;
    }

    ngx_memcpy(ngx_cpymem(p, restarted, len), plain->data + 1,
               plain->len - 1);

    plain->data = p;
    plain->len += len - 1;

    at_hash128(plain->data, plain->len, hash);
    at_hash_hex(hash, (char *) f->page.etag);

    f->got = 1;

    return 1;
}


/* One that says "restarted" is for this reader alone. */

static void
ngx_http_atelier_flight_store(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice)
{
    ngx_str_t                    text;
    ngx_http_atelier_head_t      head;
    ngx_http_atelier_page_id_t   id;

    f->page.stale = f->page.fresh + f->conf->feed_stale;
    f->page.generation = f->generation;

    if (slice->restarted) {
        return;
    }

    id = f->id;
    ngx_memcpy(id.snapshot, slice->snapshot, NGX_HTTP_ATELIER_SNAPSHOT_LEN);

    if (ngx_http_atelier_cache_put(f->conf->cache, &id, &f->page) == NGX_OK) {
        ngx_http_atelier_feed_compress(f->conf->cache, &id, &f->page);
    }

    if (f->id.snapshot[0]) {
        return;
    }

    ngx_memcpy(head.snapshot, slice->snapshot, NGX_HTTP_ATELIER_SNAPSHOT_LEN);
    head.created = ngx_current_msec - slice->age;
    head.fresh = f->conf->feed_fresh;
    head.stale = f->conf->feed_fresh + f->conf->feed_stale;
    head.generation = f->generation;

    text.data = (u_char *) f->feed.text;
    text.len = f->feed.text_len;

    (void) ngx_http_atelier_cache_set_head(f->conf->cache, f->id.feed, &text,
                                           &head);
}


static void
ngx_http_atelier_flight_timing(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice)
{
    u_char                    *p;
    ngx_uint_t                 i;
    const at_feed_source_t    *source;
    ngx_http_atelier_share_t  *share;

    f->timing.data = p = ngx_pnalloc(f->pool, AT_FEED_SOURCES * 48 + 32);

    if (p == NULL || !f->filled) {
        f->timing.len = 0;
        return;
    }

    p = ngx_sprintf(p, "cache;desc=\"MISS\"");

    for (i = 0; i < AT_FEED_SOURCES; i++) {
        share = &slice->shares[i];
        source = at_feed_source(i);

        if (share->asked) {
            p = ngx_sprintf(p, ", %*s;dur=%M", source->name.len,
                            source->name.data, share->ms);
        }
    }

    f->timing.len = p - f->timing.data;
}


/* Fewer than three pages are left: somebody should look for more. */

static void
ngx_http_atelier_flight_prefetch(ngx_http_atelier_flight_t *f,
    ngx_http_atelier_slice_t *slice)
{
    at_buf_t    args;
    ngx_str_t   argv[14];

    if (!slice->more || slice->expired || slice->ncards == 0
        || slice->left >= NGX_HTTP_ATELIER_AHEAD * f->feed.args.per_page)
    {
        return;
    }

    ngx_memzero(&args, sizeof(at_buf_t));

    if (ngx_http_atelier_feed_args(&args, &f->feed, f->feed.args.page,
                                   slice->snapshot)
        == AT_OK)
    {
        ngx_str_set(&argv[0], "XADD");
        ngx_str_set(&argv[1], "atelier:feed:jobs");
        ngx_str_set(&argv[2], "MAXLEN");
        ngx_str_set(&argv[3], "~");
        ngx_str_set(&argv[4], "10000");
        ngx_str_set(&argv[5], "*");
        ngx_str_set(&argv[6], "kind");
        ngx_str_set(&argv[7], "prefetch");
        ngx_str_set(&argv[8], "args");
        argv[9].data = args.data;
        argv[9].len = args.len;
        ngx_str_set(&argv[10], "ahead");
        ngx_str_set(&argv[11], "3");
        ngx_str_set(&argv[12], "request_id");
        argv[13] = f->request_id;

        (void) ngx_http_atelier_redis_command(14, argv, NULL, NULL);
    }

    at_buf_free(&args);
}
