/*
 * The last resort of a flight (see ngx_http_atelier_flight.h): designs that
 * PostgreSQL has stored, by full-text search.
 *
 * What it finds is no snapshot and is not kept: the answer says "snapshot":
 * null, and the next one may come from the sources again.
 */

#include "ngx_http_atelier_flight.h"


static void ngx_http_atelier_flight_rows(void *data, ngx_int_t rc,
    PGresult *res);
static ngx_int_t ngx_http_atelier_flight_cards(ngx_http_atelier_flight_t *f,
    PGresult *res, ngx_http_atelier_slice_t *slice);
static ngx_str_t ngx_http_atelier_flight_sources(ngx_http_atelier_flight_t *f);


/*
 * $1 text, $2 orientation, $3 sources, $4 how many, $5 how many before.  A
 * design counts as found by its own words, and by queries that found it; each
 * has an index, which one condition for both could not use.  Pixabay's links
 * end after a day.
 */

static const char  ngx_http_atelier_flight_sql[] =
    "WITH q AS (SELECT websearch_to_tsquery('english', $1) AS t),"
    " found AS (SELECT id FROM atelier.design, q"
    " WHERE $1 = '' OR search @@ q.t"
    " UNION SELECT design_id FROM atelier.design_query, q"
    " WHERE $1 <> '' AND search @@ q.t)"
    " SELECT d.id, d.data::text,"
    " coalesce((SELECT n FROM atelier.design_likes l"
    " WHERE l.design_id = d.id), 0)"
    " FROM found JOIN atelier.design d ON d.id = found.id CROSS JOIN q"
    " WHERE ($2 = '' OR d.orientation = $2)"
    " AND (d.source <> 'pixabay'"
    " OR d.seen_at > now() - interval '24 hours')"
    " AND d.source = ANY (string_to_array($3, ','))"
    " ORDER BY ts_rank(d.search, q.t) DESC, d.score DESC, d.id"
    " LIMIT $4::int OFFSET $5::int";


ngx_int_t
ngx_http_atelier_flight_search(ngx_http_atelier_flight_t *f)
{
    u_char            limit[NGX_INT_T_LEN], offset[NGX_INT_T_LEN];
    ngx_str_t         params[5];
    const char       *orientation;
    at_feed_query_t  *q;

    q = &f->feed.args.query;

    /* no colour: what is stored has one at best, and sources differ on it */

    if (q->color != AT_FEED_COLOR_ANY) {
        return NGX_DECLINED;
    }

    orientation = at_feed_orientation_name(q->orientation);

    params[0].data = q->text.len ? (u_char *) q->text.data : (u_char *) "";
    params[0].len = q->text.len;
    params[1].data = (u_char *) orientation;
    params[1].len = ngx_strlen(orientation);
    params[2] = ngx_http_atelier_flight_sources(f);
    params[3].data = limit;
    params[3].len = ngx_sprintf(limit, "%ud", f->feed.args.per_page + 1)
                    - limit;
    params[4].data = offset;
    params[4].len = ngx_sprintf(offset, "%ud", (f->feed.args.page - 1)
                                               * f->feed.args.per_page)
                    - offset;

    if (params[2].data == NULL) {
        return NGX_DECLINED;
    }

    f->search = ngx_http_atelier_postgres_query(ngx_http_atelier_flight_sql,
                                                5, params,
                                                ngx_http_atelier_flight_rows,
                                                f);

    return f->search ? NGX_OK : NGX_DECLINED;
}


static ngx_str_t
ngx_http_atelier_flight_sources(ngx_http_atelier_flight_t *f)
{
    u_char      *p;
    unsigned     i;
    at_str_t     name;
    ngx_str_t    list;

    list.len = 0;
    list.data = p = ngx_pnalloc(f->pool, AT_FEED_SOURCES * 16);

    for (i = 0; p && i < AT_FEED_SOURCES; i++) {
        if (f->feed.args.query.sources & (1u << i)) {
            name = at_feed_source(i)->name;

            if (p > list.data) {
                *p++ = ',';
            }

            p = ngx_cpymem(p, name.data, name.len);
        }
    }

    list.len = p - list.data;

    return list;
}


static void
ngx_http_atelier_flight_rows(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_flight_t *f = data;

    ngx_http_atelier_slice_t  slice;

    f->search = NULL;

    ngx_memzero(&slice, sizeof(ngx_http_atelier_slice_t));

    /* no row is no answer: nobody knows whether there is nothing */

    if (rc == NGX_OK && PQntuples(res) > 0 && PQnfields(res) == 3
        && ngx_http_atelier_flight_cards(f, res, &slice) == NGX_OK
        && ngx_http_atelier_feed_render(&f->feed, &slice, &f->conf->feed_path,
                                        NGX_HTTP_ATELIER_EMPTY, f->pool,
                                        &f->page)
           == NGX_OK)
    {
        f->got = 1;
    }

    ngx_http_atelier_flight_found(f);
}


/* The strings are the result's, and live as long as the callback. */

static ngx_int_t
ngx_http_atelier_flight_cards(ngx_http_atelier_flight_t *f, PGresult *res,
    ngx_http_atelier_slice_t *slice)
{
    int                       i, n;
    ngx_int_t                 likes;
    ngx_http_atelier_card_t  *card;

    n = ngx_min(PQntuples(res), (int) f->feed.args.per_page);

    slice->left = (PQntuples(res) > n);
    slice->cards = ngx_pcalloc(f->pool, n * sizeof(ngx_http_atelier_card_t));

    if (slice->cards == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        card = &slice->cards[slice->ncards++];

        card->id.data = PQgetvalue(res, i, 0);
        card->id.len = PQgetlength(res, i, 0);
        card->json.data = PQgetvalue(res, i, 1);
        card->json.len = PQgetlength(res, i, 1);

        likes = ngx_atoi((u_char *) PQgetvalue(res, i, 2),
                         PQgetlength(res, i, 2));
        card->likes = (likes == NGX_ERROR) ? 0 : likes;

        if (card->json.len < 2) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
