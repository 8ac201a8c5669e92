/*
 * Leases, and what looks have found, in PostgreSQL (db/004_products.sql).
 *
 * Each outcome is one statement and so one transaction: the product, its
 * history, its message and when to look next are written together, under the
 * lease, or not at all.  Each can be sent again, as at_postgres.h asks: the
 * second time nothing differs, or the lease is over.
 */

#include "prices.h"

#include <stdio.h>


#define PRICES_NUMBER  32


#define PRICES_COLUMNS                                                        \
    " d.product_id, d.fence, p.url, p.price, p.currency, p.in_stock,"         \
    " d.failures, d.change_rate,"                                             \
    " (extract(epoch FROM coalesce(d.checked_at, p.first_at) - p.first_at)"   \
    "  * 1000)::bigint,"                                                      \
    " (extract(epoch FROM now() - coalesce(d.checked_at, p.first_at))"        \
    "  * 1000)::bigint,"                                                      \
    " d.state = 'doubted' OR p.doubted_price IS NOT NULL, d.etag,"            \
    " d.modified "


static const at_postgres_statement_t  prices_store_due_sql = {
    "atelier_prices_due",
    "SELECT" PRICES_COLUMNS ", 0"
    " FROM atelier.products_due($1, $2::integer,"
    "                           $3::bigint * interval '1 ms') AS d"
    " JOIN atelier.product p ON p.id = d.product_id",
    3
};

/*
 * The part of a query's answer with most products that are due, or nearly.
 * Without one that is, nothing is asked for.  A list confirms what pages have
 * told: of what no page has, the page is asked for.
 */

static const at_postgres_statement_t  prices_store_list_sql = {
    "atelier_prices_list",
    "SELECT q.query, (q.rank - 1) / $2::integer, count(*)"
    " FROM atelier.product_check c"
    " JOIN atelier.product_query q USING (product_id)"
    " JOIN atelier.product p ON p.id = c.product_id"
    " WHERE c.retailer = $1 AND q.rank > 0 AND c.failures = 0"
    "   AND p.page_at IS NOT NULL"
    "   AND c.next_check <= now() + $3::bigint * interval '1 ms'"
    "   AND (c.lease_until IS NULL OR c.lease_until < now())"
    "   AND EXISTS (SELECT FROM atelier.product_check d"
    "               WHERE d.retailer = $1 AND d.next_check <= now())"
    " GROUP BY 1, 2 HAVING count(*) >= $4::bigint"
    " ORDER BY 3 DESC, 1, 2 LIMIT 1",
    4
};

/* As products_due(), by the list and not by the time. */

static const at_postgres_statement_t  prices_store_lease_sql = {
    "atelier_prices_lease",
    "WITH few AS ("
    "  SELECT c.product_id, c.next_check FROM atelier.product_check c"
    "  JOIN atelier.product_query q USING (product_id)"
    "  JOIN atelier.product p ON p.id = c.product_id"
    "  WHERE c.retailer = $1 AND q.query = $2 AND q.rank > 0"
    "    AND (q.rank - 1) / $3::integer = $4::integer AND c.failures = 0"
    "    AND p.page_at IS NOT NULL"
    "    AND (c.lease_until IS NULL OR c.lease_until < now())"
    "  ORDER BY c.product_id LIMIT $5::bigint"
    "  FOR UPDATE OF c SKIP LOCKED"
    "), d AS ("
    "  UPDATE atelier.product_check AS c"
    "  SET fence = c.fence + 1,"
    "      next_check = now() + $6::bigint * interval '1 ms',"
    "      lease_until = now() + $6::bigint * interval '1 ms'"
    "  FROM few WHERE c.product_id = few.product_id"
    "  RETURNING c.*, few.next_check AS was"
    ") SELECT" PRICES_COLUMNS ","
    " greatest(0, (extract(epoch FROM d.was - now()) * 1000)::bigint)"
    " FROM d JOIN atelier.product p ON p.id = d.product_id",
    6
};

/*
 * $1 what a page said, an array; $2 the product, $3 its fence, $4 the percent
 * from which on a move is doubted; $5 to $7 ms until the next look if it is the
 * same, changed, doubted; $8 and $9 the rates of the first two, $10 and $11 its
 * validators.
 */

static const at_postgres_statement_t  prices_store_seen_sql = {
    "atelier_prices_seen",
    "SELECT s.what, coalesce(s.price_changed OR s.stock_changed, false),"
    "  CASE WHEN s.what <> 'fenced' THEN atelier.product_checked("
    "    $2, $3::bigint,"
    "    now() + interval '1 ms' * (CASE"
    "        WHEN s.what IN ('doubted', 'refused') THEN $7"
    "        WHEN s.price_changed OR s.stock_changed THEN $6"
    "        ELSE $5 END)::bigint,"
    "    CASE WHEN s.what NOT IN ('doubted', 'refused')"
    "         THEN s.price_changed OR s.stock_changed END,"
    "    CASE s.what WHEN 'doubted' THEN 'doubted' WHEN 'refused'"
    "         THEN 'unknown' ELSE 'page' END,"
    "    (CASE WHEN s.what IN ('doubted', 'refused') THEN NULL"
    "         WHEN s.price_changed OR s.stock_changed THEN $9"
    "         ELSE $8 END)::double precision,"
    "    nullif($10, ''), nullif($11, '')) ELSE false END"
    " FROM atelier.products_see((SELECT jsonb_agg("
    "        o || jsonb_build_object('large', $4::bigint))"
    "    FROM jsonb_array_elements($1::jsonb) AS o)) AS s",
    11
};

/*
 * The product first, as products_see() does, so that nobody waits in a ring.
 * What was the same is $7 to $9; if another price or stock is known by now,
 * that has not been seen, and the lease is left to its end.
 */

static const at_postgres_statement_t  prices_store_same_sql = {
    "atelier_prices_same",
    "WITH seen AS ("
    "  UPDATE atelier.product AS p"
    "  SET price_at = CASE WHEN p.price IS NOT NULL THEN clock_timestamp()"
    "                 END, seen_at = clock_timestamp(), doubted_price = NULL,"
    "      doubted_currency = NULL, listed = NULL"
    "  FROM atelier.product_check c"
    "  WHERE p.id = $1 AND c.product_id = p.id AND c.fence = $2::bigint"
    "    AND coalesce(p.price, 0) = $7::bigint AND p.currency = $8"
    "    AND coalesce(p.in_stock::integer, -1) = $9::integer"
    "  RETURNING p.id"
    ") SELECT atelier.product_checked(seen.id, $2::bigint,"
    "    now() + $3::bigint * interval '1 ms', false, 'page',"
    "    $4::double precision, nullif($5, ''), nullif($6, '')) FROM seen",
    9
};

static const at_postgres_statement_t  prices_store_failed_sql = {
    "atelier_prices_failed",
    "SELECT atelier.product_checked($1, $2::bigint,"
    "    now() + $3::bigint * interval '1 ms', NULL, $4, NULL)",
    4
};

static const at_postgres_statement_t  prices_store_release_sql = {
    "atelier_prices_release",
    "UPDATE atelier.product_check"
    " SET next_check = now() + $3::bigint * interval '1 ms',"
    "     lease_until = NULL"
    " WHERE product_id = $1 AND fence = $2::bigint RETURNING true",
    3
};


static int prices_store_items(prices_work_t *w, prices_shop_t *shop,
    PGresult *rows, prices_item_t **items, size_t *got);
static prices_item_t *prices_store_item(PGresult *rows, int i);
static int64_t prices_store_number(PGresult *rows, int i, int column);
static void prices_store_text(char *out, size_t size, const char *text);
static void prices_store_print(char out[PRICES_NUMBER], int64_t n);
static prices_stored_e prices_store_ask(const prices_item_t *item,
    const at_postgres_statement_t *statement, const char *const *params);


int
prices_store_due(prices_work_t *w, prices_shop_t *shop, int64_t n,
    prices_item_t **items, size_t *got)
{
    int          rc, refused;
    char         many[PRICES_NUMBER], lease[PRICES_NUMBER];
    PGresult    *rows;
    const char  *params[] = { shop->shop->name, many, lease };

    *got = 0;
    prices_store_print(many, n);
    prices_store_print(lease, w->run->settings.lease);

    rows = at_postgres_exec(w->pg, &prices_store_due_sql, params, &refused);
    if (rows == NULL) {
        return AT_ERROR;
    }

    rc = prices_store_items(w, shop, rows, items, got);
    PQclear(rows);

    return rc;
}


int
prices_store_list(prices_work_t *w, prices_shop_t *shop,
    prices_sweep_t *sweep)
{
    int          refused, found;
    char         cards[PRICES_NUMBER], early[PRICES_NUMBER];
    char         least[PRICES_NUMBER];
    PGresult    *rows;
    const char  *params[] = { shop->shop->name, cards, early, least };

    prices_store_print(cards, PRICES_RANKS);
    prices_store_print(early, w->run->settings.sweep_early);
    prices_store_print(least, w->run->settings.sweep_least);

    rows = at_postgres_exec(w->pg, &prices_store_list_sql, params, &refused);
    if (rows == NULL) {
        return 0;
    }

    found = PQntuples(rows) == 1
            && PQgetlength(rows, 0, 0) < (int) sizeof(sweep->query);

    if (found) {
        prices_store_text(sweep->query, sizeof(sweep->query),
                          PQgetvalue(rows, 0, 0));
        sweep->page = prices_store_number(rows, 0, 1);
    }

    PQclear(rows);

    return found;
}


int
prices_store_lease(prices_work_t *w, prices_shop_t *shop,
    prices_sweep_t *sweep)
{
    int          rc, refused;
    char         cards[PRICES_NUMBER], page[PRICES_NUMBER];
    char         most[PRICES_NUMBER], lease[PRICES_NUMBER];
    PGresult    *rows;
    const char  *params[] = { shop->shop->name, sweep->query, cards, page,
                              most, lease };

    prices_store_print(cards, PRICES_RANKS);
    prices_store_print(page, sweep->page);
    prices_store_print(most, PRICES_CARDS);
    prices_store_print(lease, w->run->settings.lease);

    rows = at_postgres_exec(w->pg, &prices_store_lease_sql, params, &refused);
    if (rows == NULL) {
        return AT_ERROR;
    }

    rc = prices_store_items(w, shop, rows, sweep->items, &sweep->n);
    PQclear(rows);

    return rc;
}


/* What there is no memory for is left to the end of its lease. */

static int
prices_store_items(prices_work_t *w, prices_shop_t *shop, PGresult *rows,
    prices_item_t **items, size_t *got)
{
    int  i;

    for (i = 0; i < PQntuples(rows); i++) {
        items[*got] = prices_store_item(rows, i);

        if (items[*got] == NULL) {
            return AT_NO_MEMORY;
        }

        items[*got]->work = w;
        items[*got]->shop = shop;
        items[*got]->begin = at_time_mono() + w->run->settings.lease / 2;
        shop->held++;
        (*got)++;
        prices_count(PRICES_HELD, 1);
    }

    return AT_OK;
}


static prices_item_t *
prices_store_item(PGresult *rows, int i)
{
    prices_item_t  *item;

    item = calloc(1, sizeof(prices_item_t));
    if (item == NULL) {
        return NULL;
    }

    item->url = strdup(PQgetvalue(rows, i, 2));

    if (item->url == NULL) {
        free(item);
        return NULL;
    }

    prices_store_text(item->id, sizeof(item->id), PQgetvalue(rows, i, 0));
    prices_store_text(item->fence, sizeof(item->fence),
                      PQgetvalue(rows, i, 1));
    prices_store_text(item->currency, sizeof(item->currency),
                      PQgetvalue(rows, i, 4));
    prices_store_text(item->etag, sizeof(item->etag),
                      PQgetvalue(rows, i, 11));
    prices_store_text(item->modified, sizeof(item->modified),
                      PQgetvalue(rows, i, 12));

    item->price = prices_store_number(rows, i, 3);
    item->stock = PQgetisnull(rows, i, 5) ? -1
                  : PQgetvalue(rows, i, 5)[0] == 't';
    item->failures = prices_store_number(rows, i, 6);
    item->rate = PQgetisnull(rows, i, 7) ? 0
                 : strtod(PQgetvalue(rows, i, 7), NULL);
    item->known = prices_store_number(rows, i, 8);
    item->gap = prices_store_number(rows, i, 9);
    item->doubted = PQgetvalue(rows, i, 10)[0] == 't';
    item->wait = prices_store_number(rows, i, 13);

    return item;
}


static int64_t
prices_store_number(PGresult *rows, int i, int column)
{
    return strtoll(PQgetvalue(rows, i, column), NULL, 10);
}


/* A validator that was cut would be another one: then there is none. */

static void
prices_store_text(char *out, size_t size, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (len >= size) {
        len = 0;
    }

    memcpy(out, text, len);
    out[len] = '\0';
}


static void
prices_store_print(char out[PRICES_NUMBER], int64_t n)
{
    (void) snprintf(out, PRICES_NUMBER, "%lld", (long long) n);
}


prices_stored_e
prices_store_seen(const prices_item_t *item, at_str_t seen,
    const prices_next_t *next, prices_metric_e *what)
{
    int               refused;
    char             *json, ms[3][PRICES_NUMBER], rates[2][PRICES_NUMBER];
    char              large[PRICES_NUMBER];
    PGresult         *row;
    const char       *params[11];
    prices_stored_e   stored;

    json = strndup(seen.data, seen.len);
    if (json == NULL) {
        return PRICES_AWAY;
    }

    prices_store_print(ms[0], next->same);
    prices_store_print(ms[1], next->changed);
    prices_store_print(ms[2], next->doubted);
    prices_store_print(large, item->work->run->settings.large);
    (void) snprintf(rates[0], PRICES_NUMBER, "%.9g", next->rate_same);
    (void) snprintf(rates[1], PRICES_NUMBER, "%.9g", next->rate_changed);

    memcpy(params, ((const char *[]) {
               json, item->id, item->fence, large, ms[0],
               ms[1], ms[2], rates[0], rates[1], next->etag, next->modified }),
           sizeof(params));

    row = at_postgres_exec(item->work->pg, &prices_store_seen_sql, params,
                           &refused);
    free(json);

    if (row == NULL) {
        return refused ? PRICES_REFUSED : PRICES_AWAY;
    }

    stored = PRICES_NOT_OURS;

    if (PQntuples(row) == 1 && PQgetvalue(row, 0, 2)[0] == 't') {
        stored = PRICES_STORED;
        *what = strcmp(PQgetvalue(row, 0, 0), "doubted") == 0
                ? PRICES_DOUBTED
                : strcmp(PQgetvalue(row, 0, 0), "refused") == 0
                ? PRICES_NONE
                : PQgetvalue(row, 0, 1)[0] == 't' ? PRICES_CHANGED
                                                  : PRICES_SAME;
    }

    PQclear(row);

    return stored;
}


prices_stored_e
prices_store_same(const prices_item_t *item, int64_t next, double rate,
    const char *etag, const char *modified)
{
    char         ms[PRICES_NUMBER], now[PRICES_NUMBER];
    char         price[PRICES_NUMBER], stock[PRICES_NUMBER];
    const char  *params[] = { item->id, item->fence, ms, now, etag, modified,
                              price, item->currency, stock };

    prices_store_print(ms, next);
    prices_store_print(price, item->price);
    prices_store_print(stock, item->stock);
    (void) snprintf(now, PRICES_NUMBER, "%.9g", rate);

    return prices_store_ask(item, &prices_store_same_sql, params);
}


prices_stored_e
prices_store_failed(const prices_item_t *item, int64_t next,
    const char *state)
{
    char         ms[PRICES_NUMBER];
    const char  *params[] = { item->id, item->fence, ms, state };

    prices_store_print(ms, next);

    return prices_store_ask(item, &prices_store_failed_sql, params);
}


prices_stored_e
prices_store_release(const prices_item_t *item, int64_t next)
{
    char         ms[PRICES_NUMBER];
    const char  *params[] = { item->id, item->fence, ms };

    prices_store_print(ms, next);

    return prices_store_ask(item, &prices_store_release_sql, params);
}


static prices_stored_e
prices_store_ask(const prices_item_t *item,
    const at_postgres_statement_t *statement, const char *const *params)
{
    int               refused;
    PGresult         *row;
    prices_stored_e   stored;

    row = at_postgres_exec(item->work->pg, statement, params, &refused);
    if (row == NULL) {
        return PRICES_AWAY;
    }

    stored = (PQntuples(row) == 1 && PQgetvalue(row, 0, 0)[0] == 't')
             ? PRICES_STORED : PRICES_NOT_OURS;
    PQclear(row);

    return stored;
}
