/*
 * Designs and their hashes in PostgreSQL, where they outlive Redis.  Repeats
 * that were taken out of a snapshot are not among them.
 *
 * A batch is one statement with one parameter of JSON.  If the server refuses
 * it (one design that a check or the encoding of jsonb does not take), it is
 * halved until the culprit stands alone, which is logged and left out.
 */

#include "feed_design.h"
#include "at_json.h"
#include "at_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


#define FEED_STORE_QUERY   100          /* characters of design_query.query */
#define FEED_STORE_PARAMS  2


/* In the order of ids, so that two of these never wait for each other. */

static const at_postgres_statement_t  feed_store_upsert = {
    "atelier_feed_upsert",
    "WITH e AS ("
    "  SELECT e->'d' AS data, e->'d'->>'id' AS id,"
    "         (e->>'p')::bigint AS phash, decode(e->>'w', 'hex') AS pdq"
    "  FROM jsonb_array_elements($1::jsonb) AS e"
    "), stored AS ("
    "  INSERT INTO atelier.design AS d (id, data, phash, pdq)"
    "  SELECT id, data, phash, pdq FROM e ORDER BY id"
    "  ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data,"
    "      phash = coalesce(EXCLUDED.phash, d.phash),"
    "      pdq = coalesce(EXCLUDED.pdq, d.pdq), seen_at = now()"
    "  RETURNING d.id"
    ")"
    "INSERT INTO atelier.design_query (query, design_id)"
    " SELECT $2::text, id FROM stored ORDER BY id"
    " ON CONFLICT (query, design_id) DO UPDATE SET seen_at = now()",
    2
};

static const at_postgres_statement_t  feed_store_hashes = {
    "atelier_feed_hashes",
    "SELECT id, phash, encode(pdq, 'hex') FROM atelier.design"
    " WHERE id IN (SELECT jsonb_array_elements_text($1::jsonb))"
    " AND phash IS NOT NULL AND pdq IS NOT NULL",
    1
};

static const at_postgres_statement_t  feed_store_alive = {
    "atelier_feed_alive",
    "SELECT FROM atelier.design LIMIT 0",
    0
};


static int feed_store_batch(feed_hash_t *t, feed_design_t *list, size_t n,
    const char *query);
static int feed_store_json(feed_design_t *list, size_t n, at_buf_t *b);
static int feed_store_query(feed_hash_t *t,
    char query[4 * FEED_STORE_QUERY + 1]);
static void feed_store_row(feed_design_t *list, size_t n, PGresult *rows,
    int row);


void
feed_store_ping(feed_hash_t *t)
{
    int  refused;

    PQclear(at_postgres_exec(t->postgres, &feed_store_alive, NULL, &refused));
    at_metric_set(&feed_metrics[FEED_POSTGRES_UP],
                  at_postgres_up(t->postgres));
}


int
feed_store_snapshot(feed_hash_t *t)
{
    int             rc;
    char            query[4 * FEED_STORE_QUERY + 1];
    size_t          n;
    redisReply     *reply;
    feed_design_t   list[FEED_BATCH];

    if (feed_store_query(t, query) != AT_OK) {
        return AT_ERROR;
    }

    do {
        rc = feed_design_todo(t, "stored", list, &n, &reply);

        if (rc == AT_OK && n > 0) {
            rc = feed_design_load(t, list, n);

            if (rc == AT_OK) {
                rc = feed_store_batch(t, list, n, query);
                at_metric_set(&feed_metrics[FEED_POSTGRES_UP],
                              at_postgres_up(t->postgres));
            }

            if (rc == AT_OK) {
                rc = feed_design_mark(t, "stored", list, n);
            }
        }

        freeReplyObject(reply);

        if (rc != AT_OK || !feed_hash_goes_on(t)) {
            return AT_ERROR;
        }

    } while (n > 0);

    return AT_OK;
}


/* AT_ERROR: PostgreSQL is away. */

static int
feed_store_batch(feed_hash_t *t, feed_design_t *list, size_t n,
    const char *query)
{
    int          refused;
    at_buf_t     json = { .max = 0 };
    PGresult    *result;
    const char  *params[FEED_STORE_PARAMS];

    if (feed_store_json(list, n, &json) != AT_OK) {
        at_buf_free(&json);
        return AT_ERROR;
    }

    params[0] = (char *) json.data;
    params[1] = query;

    result = at_postgres_exec(t->postgres, &feed_store_upsert, params,
                              &refused);
    at_buf_free(&json);

    if (result) {
        PQclear(result);
        feed_count(FEED_DESIGNS_STORED, (int64_t) n);
        return AT_OK;
    }

    if (!refused) {
        return AT_ERROR;
    }

    if (n == 1) {
        feed_count(FEED_DESIGNS_REFUSED, 1);
        at_log(AT_LOG_WARN, "design.refused",
               at_log_str("design", list[0].id));
        return AT_OK;
    }

    return (feed_store_batch(t, list, n / 2, query) == AT_OK
            && feed_store_batch(t, list + n / 2, n - n / 2, query) == AT_OK)
           ? AT_OK : AT_ERROR;
}


/* [{"d":{...},"p":"-1","w":"00ff..."}], and a NUL. */

static int
feed_store_json(feed_design_t *list, size_t n, at_buf_t *b)
{
    int                rc;
    size_t             i;
    const at_phash_t  *hash;

    rc = at_buf_append_str(b, AT_STR("["));

    for (i = 0; i < n; i++) {
        rc |= at_buf_printf(b, "%s{\"d\":", i ? "," : "");
        rc |= at_buf_append_str(b, list[i].json);

        hash = &list[i].hash;

        /* without features there is nothing to compare */

        if (list[i].state == FEED_HASH_KNOWN && !hash->plain) {
            rc |= at_buf_printf(b, ",\"p\":\"%lld\",\"w\":\""
                                   "%016llx%016llx%016llx%016llx\"",
                                (long long) hash->bits,
                                (unsigned long long) hash->wide[0],
                                (unsigned long long) hash->wide[1],
                                (unsigned long long) hash->wide[2],
                                (unsigned long long) hash->wide[3]);
        }

        rc |= at_buf_append_str(b, AT_STR("}"));
    }

    rc |= at_buf_append(b, "]", 2);

    return rc;
}


/* The text that the snapshot was asked for, from its key "q=...;o=...". */

static int
feed_store_query(feed_hash_t *t, char query[4 * FEED_STORE_QUERY + 1])
{
    at_str_t     text;
    const char  *end;
    redisReply  *reply;

    query[0] = '\0';

    reply = at_redis_call(t->redis, "HGET atelier:snap:%s:meta text",
                          t->snapshot);
    if (reply == NULL) {
        return AT_ERROR;
    }

    text = at_redis_str(reply);

    if (text.len > 2 && memcmp(text.data, "q=", 2) == 0) {
        text.data += 2;
        text.len -= 2;

        /* the text itself may hold ";o=": the last one counts */

        for (end = text.data + text.len; end > text.data; end--) {
            if (strncmp(end, ";o=", 3) == 0) {
                break;
            }
        }

        text.len = (size_t) (end - text.data);

        if (at_utf8_valid(text) && memchr(text.data, '\0', text.len) == NULL)
        {
            text = at_utf8_cut(text, FEED_STORE_QUERY);
            memcpy(query, text.data, text.len);
            query[text.len] = '\0';
        }
    }

    freeReplyObject(reply);

    return AT_OK;
}


void
feed_store_load(feed_hash_t *t, feed_design_t *list, size_t n)
{
    int          i, rc, refused;
    size_t       j, asked;
    at_buf_t     ids = { .max = 0 };
    PGresult    *rows;
    const char  *params[1];

    rc = at_buf_append_str(&ids, AT_STR("["));
    asked = 0;

    for (j = 0; j < n; j++) {
        if (list[j].state == FEED_HASH_UNKNOWN) {
            rc |= at_buf_append_str(&ids, asked++ ? AT_STR(",") : AT_STR(""));
            rc |= at_json_write_string(&ids, list[j].id);
        }
    }

    rc |= at_buf_append(&ids, "]", 2);

    if (rc == AT_OK && asked > 0) {
        params[0] = (char *) ids.data;
        rows = at_postgres_exec(t->postgres, &feed_store_hashes, params,
                                &refused);

        for (i = 0; rows && i < PQntuples(rows); i++) {
            feed_store_row(list, n, rows, i);
        }

        PQclear(rows);
        at_metric_set(&feed_metrics[FEED_POSTGRES_UP],
                      at_postgres_up(t->postgres));
    }

    at_buf_free(&ids);
}


static void
feed_store_row(feed_design_t *list, size_t n, PGresult *rows, int row)
{
    size_t      i;
    at_phash_t  hash;

    memset(&hash, 0, sizeof(at_phash_t));
    hash.bits = (uint64_t) strtoll(PQgetvalue(rows, row, 1), NULL, 10);

    if (sscanf(PQgetvalue(rows, row, 2),
               "%16" SCNx64 "%16" SCNx64 "%16" SCNx64 "%16" SCNx64,
               &hash.wide[0], &hash.wide[1], &hash.wide[2], &hash.wide[3])
        != 4)
    {
        return;
    }

    for (i = 0; i < n; i++) {
        if (list[i].state == FEED_HASH_UNKNOWN
            && at_str_is(list[i].id, PQgetvalue(rows, row, 0)))
        {
            list[i].hash = hash;
            list[i].state = FEED_HASH_KNOWN;
            list[i].is_new = 1;
        }
    }
}
