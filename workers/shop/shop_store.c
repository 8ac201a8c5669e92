/*
 * What goes to PostgreSQL, and what is known there to be done.
 *
 * A page goes as a whole.  If it is refused because of something on it, its
 * products go one by one, so that the others are stored.
 */

#include "shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


#define SHOP_STORE_REFUSALS  8          /* of one page; then it is left */

/* A move of so many percent is seen twice; as "large" in prices.conf. */
#define SHOP_STORE_LARGE  "30"

#define SHOP_STORE_SOON   60000     /* ms until a doubt is looked into */


/* What of it counts, and against what, products_see() knows. */

static const at_postgres_statement_t  shop_store_see = {
    "shop_see",
    "SELECT what, count(*), count(*) FILTER (WHERE announced)"
    " FROM atelier.products_see((SELECT jsonb_agg("
    "         o || jsonb_build_object('large', $4::int) ORDER BY n)"
    "     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS e (o, n)),"
    "   $2, $3::int) GROUP BY what", 4
};

static const at_postgres_statement_t  shop_store_prove = {
    "shop_prove",
    "SELECT product_id, url, coalesce(image, '')"
    " FROM atelier.products_to_prove($1, $2::int, interval '10 minutes')", 2
};

static const at_postgres_statement_t  shop_store_proof = {
    "shop_proof",
    "SELECT atelier.product_proved($1, $2, $3::bigint * interval '1 ms')", 3
};

static const at_postgres_statement_t  shop_store_hello = {
    "shop_hello", "SELECT 1", 0
};

static const struct {
    const char     *what;
    shop_metric_e   metric;
} shop_store_whats[] = {
    { "new", SHOP_PRODUCTS_NEW },
    { "changed", SHOP_PRODUCTS_CHANGED },
    { "same", SHOP_PRODUCTS_SAME },
    { "doubted", SHOP_PRODUCTS_DOUBTED },
    { "other", SHOP_PRODUCTS_OTHER },
    { "refused", SHOP_PRODUCTS_REFUSED }
};


static int shop_store_page(shop_work_t *w, const char *seen,
    const char *asked, unsigned first, int *refused, int *sure);
static int shop_store_apart(shop_work_t *w, const char *seen,
    const char *asked, unsigned first, at_str_t request_id);
static const char *shop_store_end(const char *p);
static PGresult *shop_store_exec(shop_work_t *w,
    const at_postgres_statement_t *statement, const char *const *params,
    int *refused);
static int shop_store_count(PGresult *res);


int
shop_store_seen(shop_work_t *w, at_str_t seen, const char *asked,
    unsigned first, at_str_t request_id, int *sure)
{
    int    rc, refused;
    char  *text;

    *sure = 0;

    if (at_str_is(seen, "[]")) {
        return AT_OK;
    }

    text = strndup(seen.data, seen.len);
    if (text == NULL) {
        return AT_ERROR;
    }

    rc = shop_store_page(w, text, asked, first, &refused, sure);

    if (refused) {
        rc = shop_store_apart(w, text, asked, first, request_id);
    }

    if (rc != AT_OK) {
        at_log(AT_LOG_ERROR, "store.failed",
               at_log_str("requestId", request_id),
               at_log_text("why", "PostgreSQL is away"));
    }

    free(text);

    return rc;
}


static int
shop_store_page(shop_work_t *w, const char *seen, const char *asked,
    unsigned first, int *refused, int *sure)
{
    char         place[16];
    PGresult    *res;
    const char  *params[4];

    (void) snprintf(place, sizeof(place), "%u", first);
    params[0] = seen;
    params[1] = asked;
    params[2] = place;
    params[3] = SHOP_STORE_LARGE;

    res = shop_store_exec(w, &shop_store_see, params, refused);

    if (res == NULL) {
        return AT_ERROR;
    }

    *sure = shop_store_count(res);
    PQclear(res);

    return AT_OK;
}


/*
 * What is refused alone will be refused later, too.  More than a few are no
 * matter of one product: the rest is left.
 */

static int
shop_store_apart(shop_work_t *w, const char *seen, const char *asked,
    unsigned first, at_str_t request_id)
{
    int          rc, refused, sure;
    char        *one;
    unsigned     refusals;
    const char  *item, *end;

    refusals = 0;

    for (item = seen + 1; *item == '{'; item = end + (*end == ',')) {
        end = shop_store_end(item);

        if (refusals == SHOP_STORE_REFUSALS) {
            shop_count(SHOP_PRODUCTS_REFUSED, 1);
            continue;
        }

        if (asprintf(&one, "[%.*s]", (int) (end - item), item) < 0) {
            return AT_ERROR;
        }

        rc = shop_store_page(w, one, asked, first++, &refused, &sure);

        if (refused) {
            shop_count(SHOP_PRODUCTS_REFUSED, 1);
            at_log(AT_LOG_ERROR, "store.refused",
                   at_log_str("requestId", request_id),
                   at_log_text("product", one),
                   at_log_text("then", ++refusals < SHOP_STORE_REFUSALS
                                       ? "" : "what is left of the page is "
                                              "not tried"));
        }

        free(one);

        if (rc != AT_OK && !refused) {
            return AT_ERROR;
        }
    }

    return AT_OK;
}


/* Behind an object, which has no others in it. */

static const char *
shop_store_end(const char *p)
{
    unsigned  quoted;

    for (quoted = 0; *p && (quoted || *p != '}'); p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (*p == '\\' && p[1]) {
            p++;
        }
    }

    return p + (*p == '}');
}


/* 1: all is as it was told. */

static int
shop_store_count(PGresult *res)
{
    int     row, sure;
    size_t  i;

    sure = PQntuples(res) > 0;

    for (row = 0; row < PQntuples(res); row++) {
        for (i = 0; i < sizeof(shop_store_whats) / sizeof(shop_store_whats[0]);
             i++)
        {
            if (strcmp(PQgetvalue(res, row, 0), shop_store_whats[i].what)
                == 0)
            {
                shop_count(shop_store_whats[i].metric,
                           atoll(PQgetvalue(res, row, 1)));

                sure &= (shop_store_whats[i].metric <= SHOP_PRODUCTS_SAME);
            }
        }

        shop_count(SHOP_ANNOUNCED, atoll(PQgetvalue(res, row, 2)));
    }

    return sure;
}


/* Under a lease of SHOP_PROVE_LEASE. */

PGresult *
shop_store_due(shop_work_t *w, const char *shop, int64_t n)
{
    int          refused;
    char         count[24];
    const char  *params[2];

    (void) snprintf(count, sizeof(count), "%" PRId64, n);
    params[0] = shop;
    params[1] = count;

    return shop_store_exec(w, &shop_store_prove, params, &refused);
}


int
shop_store_proved(shop_work_t *w, const char *id, const char *state)
{
    int          refused;
    char         again[24];
    int64_t      ms;
    PGresult    *res;
    const char  *params[3];

    ms = w->run->settings.verify_again;

    if (strcmp(state, SHOP_DOUBTED) == 0 && ms > SHOP_STORE_SOON) {
        ms = SHOP_STORE_SOON;
    }

    (void) snprintf(again, sizeof(again), "%" PRId64, ms);
    params[0] = id;
    params[1] = state;
    params[2] = again;

    res = shop_store_exec(w, &shop_store_proof, params, &refused);
    PQclear(res);

    return res ? AT_OK : AT_ERROR;
}


int
shop_store_ping(shop_work_t *w)
{
    int        refused;
    PGresult  *res;

    res = shop_store_exec(w, &shop_store_hello, NULL, &refused);
    PQclear(res);

    return res ? AT_OK : AT_ERROR;
}


static PGresult *
shop_store_exec(shop_work_t *w, const at_postgres_statement_t *statement,
    const char *const *params, int *refused)
{
    PGresult  *res;

    *refused = 0;
    res = at_postgres_exec(w->pg, statement, params, refused);
    at_metric_set(&shop_metrics[SHOP_POSTGRES_UP], at_postgres_up(w->pg));

    return res;
}
