/*
 * A generation's row in PostgreSQL (db/005_generation.sql): it is queued when
 * no provider can be asked, and what became of it is written down.
 *
 * A statement that is out is a block of the heap, as it may outlive its
 * request: then the callback finds no generation, and takes a row back that
 * the statement has made for a client who has left.
 */

#include "ngx_http_atelier_generate_queue.h"
#include "ngx_http_atelier_visitor.h"


#define NGX_HTTP_ATELIER_QUEUE_RETRY  2       /* s, for Retry-After */
#define NGX_HTTP_ATELIER_QUEUE_HEX    (2 + 2 * AT_HASH_BYTES)


struct ngx_http_atelier_queue_op_s {
    ngx_http_atelier_generation_t  *g;          /* NULL: its request is over */
    ngx_http_atelier_queue_pt       done;       /* res NULL: no answer */
    unsigned                        undo:1;     /* a row to take back */
    u_char                          id[NGX_HTTP_ATELIER_ID_LEN];
    u_char                          visitor[NGX_HTTP_ATELIER_QUEUE_HEX];
};


static void ngx_http_atelier_queue_answered(void *data, ngx_int_t rc,
    PGresult *res);
static ngx_int_t ngx_http_atelier_queue_was_put(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static ngx_int_t ngx_http_atelier_queue_was_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static ngx_int_t ngx_http_atelier_queue_has_failed(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res);
static at_str_t ngx_http_atelier_queue_answer(
    ngx_http_atelier_generation_t *g);
static void ngx_http_atelier_queue_recorded(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_queue_abandon(u_char *id, u_char *visitor);


static const char  ngx_http_atelier_queue_sql_put[] =
    "SELECT state, \"position\", eta "
    "FROM atelier.generation_queue($1, $2::bytea, $3::json, $4::bytea, "
        "$5::bigint, $6, $7::bytea, $8, $9::json, $10::bigint)";

static const char  ngx_http_atelier_queue_sql_record[] =
    "SELECT atelier.generation_done($1, 0, $9::json, $2::bytea, $3::json, "
        "$4::bytea, $5::bigint, $6, $7::bytea, $8)";

/* Somebody else's picture, unless it is in the list already. */

static const char  ngx_http_atelier_queue_sql_share[] =
    "SELECT atelier.generation_done($1, 0, $9::json, $2::bytea, $3::json, "
        "$4::bytea, $5::bigint, $6, $7::bytea, $8) "
    "WHERE NOT EXISTS (SELECT FROM atelier.generation "
                      "WHERE visitor = $2::bytea AND id = $9::json->>'id') "
      "AND NOT EXISTS (SELECT FROM atelier.generation "
                      "WHERE visitor = $2::bytea AND alias = $9::json->>'id')";

static const char  ngx_http_atelier_queue_sql_done[] =
    "SELECT atelier.generation_done($1, $2::bigint, $3::json)";

static const char  ngx_http_atelier_queue_sql_fail[] =
    "SELECT atelier.generation_fail($1, 0, $2::json)";

/* Cancelled first, as only what has ended can be removed. */

static const char  ngx_http_atelier_queue_sql_abandon[] =
    "SELECT d.status FROM "
        "(SELECT atelier.generation_cancel($1, $2::bytea) AS s OFFSET 0) c, "
        "LATERAL atelier.generation_delete("
            "CASE WHEN c.s = 'cancelled' THEN $1 END, $2::bytea) d";


ngx_int_t
ngx_http_atelier_queue_text(ngx_http_atelier_generation_t *g)
{
    if (g->text.len) {
        return NGX_OK;
    }

    if (at_generate_write(&g->request, &g->text) != AT_OK) {
        at_buf_free(&g->text);
        return NGX_ERROR;
    }

    at_hash128(g->text.data, g->text.len, g->hash);

    return NGX_OK;
}


/* An address is none of a visitor's, whatever that one's cookie says. */

ngx_int_t
ngx_http_atelier_queue_visitor(ngx_http_request_t *r, ngx_str_t *digest)
{
    u_char     *p, text[sizeof("address:") + NGX_SOCKADDR_STRLEN];
    uint8_t     hash[AT_HASH_BYTES];
    ngx_int_t   rc;

    rc = ngx_http_atelier_visitor(r, digest);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
    }

    p = ngx_snprintf(text, sizeof(text), "address:%V",
                     &r->connection->addr_text);
    at_hash128(text, p - text, hash);

    digest->len = NGX_HTTP_ATELIER_QUEUE_HEX;
    digest->data = ngx_pnalloc(r->pool, digest->len);
    if (digest->data == NULL) {
        return NGX_ERROR;
    }

    digest->data[0] = '\\';
    digest->data[1] = 'x';
    at_hash_hex(hash, (char *) digest->data + 2);

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_queue_params(ngx_http_atelier_generation_t *g,
    ngx_str_t *params)
{
    ngx_str_t           *hash;
    ngx_http_request_t  *r;

    r = g->http;

    if (ngx_http_atelier_queue_text(g) != NGX_OK) {
        return NGX_ERROR;
    }

    if (g->visitor.len == 0
        && ngx_http_atelier_queue_visitor(r, &g->visitor) != NGX_OK)
    {
        return NGX_ERROR;
    }

    params[0].data = g->id;
    params[0].len = NGX_HTTP_ATELIER_ID_LEN;
    params[1] = g->visitor;
    params[2] = ngx_http_atelier_ngx_str(at_buf_str(&g->text));

    hash = &params[3];
    hash->len = NGX_HTTP_ATELIER_QUEUE_HEX;
    hash->data = ngx_pnalloc(r->pool, hash->len);
    if (hash->data == NULL) {
        return NGX_ERROR;
    }

    hash->data[0] = '\\';
    hash->data[1] = 'x';
    at_hash_hex(g->hash, (char *) hash->data + 2);

    ngx_str_null(&params[4]);
    ngx_str_null(&params[5]);
    ngx_str_null(&params[6]);

    if (g->request.has_seed) {
        params[4] = ngx_http_atelier_queue_number(r, g->request.seed);
        if (params[4].data == NULL) {
            return NGX_ERROR;
        }
    }

    /* two bodies are the same if they ask for the same */

    if (g->key.len) {
        params[5] = g->key;
        params[6] = *hash;
    }

    params[7] = *ngx_http_atelier_request_id(r);

    return NGX_OK;
}


ngx_str_t
ngx_http_atelier_queue_number(ngx_http_request_t *r, int64_t n)
{
    ngx_str_t  text;

    text.len = 0;
    text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);

    if (text.data) {
        text.len = ngx_sprintf(text.data, "%L", n) - text.data;
    }

    return text;
}


ngx_int_t
ngx_http_atelier_queue_ask(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, const char *sql, ngx_uint_t nparams,
    ngx_str_t *params, ngx_http_atelier_queue_pt done, ngx_uint_t undo)
{
    ngx_http_atelier_queue_op_t  *op;

    op = ngx_calloc(sizeof(ngx_http_atelier_queue_op_t), ngx_cycle->log);
    if (op == NULL) {
        return NGX_DECLINED;
    }

    op->g = g;
    op->done = done;
    op->undo = undo;

    ngx_memcpy(op->id, g->id, NGX_HTTP_ATELIER_ID_LEN);

    if (undo) {
        ngx_memcpy(op->visitor, g->visitor.data, NGX_HTTP_ATELIER_QUEUE_HEX);
    }

    if (ngx_http_atelier_postgres_query(sql, nparams, params,
                                        ngx_http_atelier_queue_answered, op)
        == NULL)
    {
        ngx_free(op);
        return NGX_DECLINED;
    }

    g->op = op;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* if this fails the client is only noticed later */

    (void) ngx_http_atelier_generate_watch(r, g);

    return NGX_AGAIN;
}


static void
ngx_http_atelier_queue_answered(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_queue_op_t *op = data;

    ngx_http_atelier_queue_pt       done;
    ngx_http_atelier_generation_t  *g;

    g = op->g;
    done = op->done;

    if (g == NULL && op->undo) {
        ngx_http_atelier_queue_abandon(op->id, op->visitor);
    }

    ngx_free(op);

    if (g == NULL) {
        return;
    }

    g->op = NULL;

    ngx_http_set_log_request(g->http->connection->log, g->http);

    ngx_http_atelier_generate_over(g, done(g->http, g,
                                           (rc == NGX_OK) ? res : NULL));
}


ngx_int_t
ngx_http_atelier_queue_put(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    at_buf_t   jobs;
    ngx_int_t  rc;
    ngx_str_t  params[NGX_HTTP_ATELIER_QUEUE_PARAMS];

    if (ngx_http_atelier_queue_params(g, params) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_memzero(&jobs, sizeof(at_buf_t));
    rc = NGX_DECLINED;

    if (ngx_http_atelier_generate_jobs_text(g, &jobs) == AT_OK) {
        params[8] = ngx_http_atelier_ngx_str(at_buf_str(&jobs));
        params[9] = ngx_http_atelier_queue_number(r,
                                         ngx_http_atelier_postgres_expires());

        if (params[9].data) {
            rc = ngx_http_atelier_queue_ask(r, g,
                                            ngx_http_atelier_queue_sql_put,
                                            10, params,
                                            ngx_http_atelier_queue_was_put,
                                            1);
        }
    }

    at_buf_free(&jobs);

    return rc;
}


static ngx_int_t
ngx_http_atelier_queue_was_put(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    u_char       id[NGX_HTTP_ATELIER_ID_LEN + 1];
    const char  *state;

    state = (res && PQntuples(res) == 1) ? PQgetvalue(res, 0, 0) : "";

    if (ngx_strcmp(state, "queued") == 0 || ngx_strcmp(state, "running") == 0)
    {
        g->row = 0;
        ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_QUEUED);

        (void) ngx_cpystrn(id, g->id, sizeof(id));

        return ngx_http_atelier_queue_accepted(r, (char *) id, state,
                                               PQgetvalue(res, 0, 1),
                                               PQgetvalue(res, 0, 2));
    }

    if (ngx_strcmp(state, "cancelled") == 0) {
        g->row = 0;
        return ngx_http_atelier_queue_refuse(r, g, NGX_HTTP_CONFLICT,
                        "cancelled", "The request was cancelled meanwhile.",
                        -1);
    }

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_UNAVAILABLE);

    return ngx_http_atelier_generate_problem(r, g);
}


ngx_int_t
ngx_http_atelier_queue_refuse(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, ngx_uint_t status, const char *code,
    const char *detail, ngx_int_t retry_after)
{
    ngx_http_atelier_problem_t  problem;

    ngx_http_atelier_generate_finish(g, NGX_HTTP_ATELIER_RESULT_REFUSED);

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = status;
    problem.code = code;
    problem.detail = detail;
    problem.retry_after = retry_after;

    return ngx_http_atelier_problem(r, &problem);
}


ngx_int_t
ngx_http_atelier_queue_accepted(ngx_http_request_t *r, const char *id,
    const char *status, const char *position, const char *eta)
{
    int         rc;
    u_char     *p;
    at_buf_t    b;
    ngx_int_t   sent;
    ngx_str_t  *location;

    location = ngx_palloc(r->pool, sizeof(ngx_str_t) + r->uri.len + 1
                                   + NGX_HTTP_ATELIER_ID_LEN);
    if (location == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    location->data = (u_char *) location + sizeof(ngx_str_t);
    p = ngx_cpymem(location->data, r->uri.data, r->uri.len);

    if (p[-1] != '/') {
        *p++ = '/';
    }

    p = ngx_cpymem(p, id, NGX_HTTP_ATELIER_ID_LEN);
    location->len = p - location->data;

    if (ngx_http_atelier_add_header(r, "Location", location) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = at_buf_printf(&b, "{\"id\":\"%s\",\"status\":\"%s\",", id, status);

    if (position[0]) {
        rc |= at_buf_printf(&b, "\"position\":%s,\"etaSeconds\":%s,",
                            position, eta[0] ? eta : "null");
    }

    rc |= at_buf_printf(&b, "\"channel\":\"generate:%s\"}\n", id);

    sent = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (rc == AT_OK) {
        sent = ngx_http_atelier_send(r, NGX_HTTP_ACCEPTED,
                                     "application/json", at_buf_str(&b));
    }

    at_buf_free(&b);

    return sent;
}


/* Of a row that is there: ours, or the one a worker holds. */

ngx_int_t
ngx_http_atelier_queue_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_str_t  params[3];

    params[0].data = g->id;
    params[0].len = NGX_HTTP_ATELIER_ID_LEN;
    params[1] = ngx_http_atelier_queue_number(r, g->attempt
                                                 ? g->attempt->fence : 0);
    params[2] = ngx_http_atelier_ngx_str(ngx_http_atelier_queue_answer(g));

    if (params[1].data == NULL) {
        return NGX_DECLINED;
    }

    return ngx_http_atelier_queue_ask(r, g, ngx_http_atelier_queue_sql_done,
                                      3, params,
                                      ngx_http_atelier_queue_was_done, 0);
}


static ngx_int_t
ngx_http_atelier_queue_was_done(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    const char  *state;

    state = (res && PQntuples(res) == 1) ? PQgetvalue(res, 0, 0) : "";

    if (ngx_strcmp(state, "cancelled") == 0
        || ngx_strcmp(state, "gone") == 0)
    {
        g->row = 0;

        if (!g->twin.shared) {
            ngx_http_atelier_pictures_remove(g->conf->pictures, g->id);
        }

        return ngx_http_atelier_problem_simple(r, NGX_HTTP_CONFLICT,
                        "cancelled", "The request was cancelled meanwhile.");
    }

    if (g->attempt && state[0] == '\0') {
        return ngx_http_atelier_queue_away(r);
    }

    if (g->attempt && ngx_strcmp(state, "done") != 0) {
        return ngx_http_atelier_problem_simple(r, NGX_HTTP_CONFLICT,
                        "lease_lost", "Another worker has this generation "
                        "by now, or has ended it.");
    }

    /* without an answer the row's lease ends, and the queue finds it done */

    g->row = 0;

    return ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                 at_buf_str(&g->answer));
}


ngx_int_t
ngx_http_atelier_queue_fail(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    int        rc;
    at_buf_t   b;
    ngx_int_t  asked;
    ngx_str_t  params[2];

    ngx_memzero(&b, sizeof(at_buf_t));

    /* neither has a quote in it */

    rc = at_buf_printf(&b, "{\"code\":\"%s\",\"detail\":\"%s\","
                           "\"status\":%u%s}", g->problem.code,
                       g->problem.detail, (unsigned) g->problem.status,
                       g->problem.field ? ",\"field\":\"prompt\"" : "");

    params[0].data = g->id;
    params[0].len = NGX_HTTP_ATELIER_ID_LEN;
    params[1] = ngx_http_atelier_ngx_str(at_buf_str(&b));

    asked = NGX_DECLINED;

    if (rc == AT_OK) {
        asked = ngx_http_atelier_queue_ask(r, g,
                                           ngx_http_atelier_queue_sql_fail,
                                           2, params,
                                           ngx_http_atelier_queue_has_failed,
                                           0);
    }

    at_buf_free(&b);

    return asked;
}


static ngx_int_t
ngx_http_atelier_queue_has_failed(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g, PGresult *res)
{
    if (res) {
        g->row = 0;
    }

    return ngx_http_atelier_generate_problem(r, g);
}


/* Without the line's end, as a part of other answers. */

static at_str_t
ngx_http_atelier_queue_answer(ngx_http_atelier_generation_t *g)
{
    at_str_t  text;

    text = at_buf_str(&g->answer);

    while (text.len && text.data[text.len - 1] == '\n') {
        text.len--;
    }

    return text;
}


void
ngx_http_atelier_queue_record(ngx_http_atelier_generation_t *g,
    ngx_uint_t shared)
{
    ngx_str_t    params[NGX_HTTP_ATELIER_QUEUE_PARAMS];
    const char  *sql;

    sql = shared ? ngx_http_atelier_queue_sql_share
                 : ngx_http_atelier_queue_sql_record;

    if (ngx_http_atelier_queue_params(g, params) == NGX_OK) {
        params[8] = ngx_http_atelier_ngx_str(ngx_http_atelier_queue_answer(g));

        if (ngx_http_atelier_postgres_query(sql, 9, params,
                                            ngx_http_atelier_queue_recorded,
                                            g->conf->zone->sh))
        {
            return;
        }
    }

    ngx_http_atelier_queue_recorded(g->conf->zone->sh, NGX_DECLINED, NULL);
}


/* Shared memory outlives all requests. */

static void
ngx_http_atelier_queue_recorded(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_shared_t *sh = data;

    if (rc == NGX_OK) {
        return;
    }

    ngx_http_atelier_count(&sh->unrecorded, 1);

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "atelier: a picture that was answered is in no list: "
                  "PostgreSQL %s",
                  (rc == NGX_ERROR) ? "refused its row" : "is away or late");
}


void
ngx_http_atelier_queue_leave(ngx_http_atelier_generation_t *g)
{
    ngx_uint_t  undo;

    undo = g->row;

    if (g->op) {
        undo = 0;
        g->op->g = NULL;
        g->op = NULL;
    }

    if (undo) {
        ngx_http_atelier_queue_abandon(g->id, g->visitor.data);
    }
}


/* If this is not carried out, the row's lease ends and the queue has it. */

static void
ngx_http_atelier_queue_abandon(u_char *id, u_char *visitor)
{
    ngx_str_t  params[2];

    params[0].data = id;
    params[0].len = NGX_HTTP_ATELIER_ID_LEN;
    params[1].data = visitor;
    params[1].len = NGX_HTTP_ATELIER_QUEUE_HEX;

    (void) ngx_http_atelier_postgres_query(ngx_http_atelier_queue_sql_abandon,
                                           2, params, NULL, NULL);
}


ngx_int_t
ngx_http_atelier_queue_away(ngx_http_request_t *r)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "queue_unavailable";
    problem.detail = "The record of generations cannot be read or written "
                     "now; send the request again after the time in "
                     "Retry-After.";
    problem.retry_after = NGX_HTTP_ATELIER_QUEUE_RETRY;

    return ngx_http_atelier_problem(r, &problem);
}
