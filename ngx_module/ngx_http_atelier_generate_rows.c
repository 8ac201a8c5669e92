/*
 * What was made, and what waits: GET /generate (one's own), GET and DELETE
 * /generate/{id}.
 *
 * PostgreSQL has the rows, and says how they look.  Who knows an id may see
 * what became of it, as the picture's address has it; only whose it is may
 * remove it.  The state lives in the request's pool; a request that dies
 * forgets its statement, which is carried out all the same.
 */

#include "ngx_http_atelier_generate.h"
#include "ngx_http_atelier_egress.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_visitor.h"
#include "at_json.h"


#define NGX_HTTP_ATELIER_ROWS_MAX      200
#define NGX_HTTP_ATELIER_ROWS_DEFAULT  100


typedef struct ngx_http_atelier_rows_s  ngx_http_atelier_rows_t;

typedef ngx_int_t (*ngx_http_atelier_rows_pt)(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res);

struct ngx_http_atelier_rows_s {
    ngx_http_request_t              *r;
    ngx_http_atelier_postgres_op_t  *op;
    ngx_http_atelier_rows_pt         answer;
    ngx_str_t                        id;
    ngx_int_t                        per_page;
};


static ngx_uint_t ngx_http_atelier_rows_id(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_int_t ngx_http_atelier_rows_one(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_int_t ngx_http_atelier_rows_list(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_rows_number(ngx_http_request_t *r,
    const char *name, ngx_int_t max, ngx_str_t *sent, ngx_int_t *n);
static ngx_int_t ngx_http_atelier_rows_nobody(ngx_http_request_t *r);
static ngx_http_atelier_rows_t *ngx_http_atelier_rows_create(
    ngx_http_request_t *r, ngx_http_atelier_rows_pt answer);
static ngx_int_t ngx_http_atelier_rows_ask(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, const char *sql, ngx_uint_t nparams,
    ngx_str_t *params);
static void ngx_http_atelier_rows_done(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_rows_cleanup(void *data);
static ngx_int_t ngx_http_atelier_rows_answer_get(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res);
static ngx_int_t ngx_http_atelier_rows_answer_delete(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res);
static void ngx_http_atelier_rows_call_off(
    ngx_http_atelier_main_conf_t *amcf, const char *jobs);
static ngx_int_t ngx_http_atelier_rows_none(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_rows_answer_list(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res);


static const char  ngx_http_atelier_rows_sql_get[] =
    "SELECT atelier.generation_get($1)";

/* One more than asked for, to know whether there are more. */

static const char  ngx_http_atelier_rows_sql_list[] =
    "SELECT n, answer "
    "FROM atelier.generation_list($1::bytea, $2::bigint, $3::integer + 1)";

/*
 * What is not at its end is cancelled, and what is has its row removed.  The
 * jobs are those from before, as the statement sees them: an id and a
 * provider's name hold no blank and no colon.
 */

static const char  ngx_http_atelier_rows_sql_delete[] =
    "SELECT c.state, d.picture IS NOT NULL, c.jobs FROM "
        "(SELECT (SELECT string_agg((j->>'provider') || ':' || (j->>'job'), "
                                   "' ') "
                 "FROM atelier.generation g, json_array_elements(g.jobs) j "
                 "WHERE g.id = $1 AND g.visitor = $2::bytea) AS jobs, "
                "atelier.generation_cancel($1, $2::bytea) AS state "
         "OFFSET 0) c "
    "LEFT JOIN LATERAL atelier.generation_delete("
        "CASE WHEN c.state IN ('done', 'failed') THEN $1 END, $2::bytea) d "
    "ON true";


ngx_int_t
ngx_http_atelier_rows_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_str_t                id;
    ngx_uint_t               one;
    ngx_http_atelier_ctx_t  *ctx;

    one = ngx_http_atelier_rows_id(r, &id);

    if (!one && ((r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) == 0
                 || !ngx_http_atelier_rows_at_root(r)))
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_atelier_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&ctx->cache_control, "private, no-store");

    if (one) {
        rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD
                                       |NGX_HTTP_DELETE,
                                    "GET, HEAD, DELETE");
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return one ? ngx_http_atelier_rows_one(r, &id)
               : ngx_http_atelier_rows_list(r);
}


/* The last part of the address is an id, and not the first one. */

static ngx_uint_t
ngx_http_atelier_rows_id(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char  *p;
    size_t   i;

    if (r->uri.len < NGX_HTTP_ATELIER_ID_LEN + 2) {
        return 0;
    }

    p = r->uri.data + r->uri.len - NGX_HTTP_ATELIER_ID_LEN;

    if (p[-1] != '/') {
        return 0;
    }

    for (i = 0; i < NGX_HTTP_ATELIER_ID_LEN; i++) {
        if (!(p[i] >= '0' && p[i] <= '9') && !(p[i] >= 'a' && p[i] <= 'f')) {
            return 0;
        }
    }

    id->data = p;
    id->len = NGX_HTTP_ATELIER_ID_LEN;

    return 1;
}


ngx_uint_t
ngx_http_atelier_rows_at_root(ngx_http_request_t *r)
{
    ngx_str_t                  name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = clcf->name;

    return r->uri.len == name.len
           && ngx_memcmp(r->uri.data, name.data, name.len) == 0;
}


static ngx_int_t
ngx_http_atelier_rows_one(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_str_t                 params[2];
    ngx_http_atelier_rows_t  *rows;

    params[0] = *id;

    if (r->method != NGX_HTTP_DELETE) {
        rows = ngx_http_atelier_rows_create(r,
                                            ngx_http_atelier_rows_answer_get);

        return ngx_http_atelier_rows_ask(r, rows,
                                         ngx_http_atelier_rows_sql_get, 1,
                                         params);
    }

    if (ngx_http_atelier_queue_visitor(r, &params[1]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rows = ngx_http_atelier_rows_create(r,
                                        ngx_http_atelier_rows_answer_delete);
    if (rows) {
        rows->id = *id;
    }

    return ngx_http_atelier_rows_ask(r, rows,
                                     ngx_http_atelier_rows_sql_delete, 2,
                                     params);
}


/* An address is not enough: it may be that of many. */

static ngx_int_t
ngx_http_atelier_rows_list(ngx_http_request_t *r)
{
    u_char                    text[2][NGX_INT_T_LEN];
    ngx_int_t                 rc, before, most;
    ngx_str_t                 params[3], sent;
    ngx_http_atelier_rows_t  *rows;

    rc = ngx_http_atelier_visitor(r, &params[0]);
    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? ngx_http_atelier_rows_nobody(r) : rc;
    }

    before = 0;
    most = NGX_HTTP_ATELIER_ROWS_DEFAULT;

    if (ngx_http_atelier_rows_number(r, "perPage", NGX_HTTP_ATELIER_ROWS_MAX,
                                     &sent, &most)
        != NGX_OK)
    {
        return ngx_http_atelier_problem_value(r, "out_of_range", "perPage",
                        ngx_http_atelier_str(&sent),
                        "perPage is a number from 1 to 200.");
    }

    if (ngx_http_atelier_rows_number(r, "before", NGX_MAX_INT_T_VALUE,
                                     &sent, &before)
        != NGX_OK)
    {
        return ngx_http_atelier_problem_value(r, "invalid_cursor", "before",
                        ngx_http_atelier_str(&sent),
                        "before is not one of this service: take the address "
                        "in next as it is.");
    }

    ngx_str_null(&params[1]);

    if (before) {
        params[1].data = text[0];
        params[1].len = ngx_sprintf(text[0], "%i", before) - text[0];
    }

    params[2].data = text[1];
    params[2].len = ngx_sprintf(text[1], "%i", most) - text[1];

    rows = ngx_http_atelier_rows_create(r, ngx_http_atelier_rows_answer_list);
    if (rows) {
        rows->per_page = most;
    }

    return ngx_http_atelier_rows_ask(r, rows, ngx_http_atelier_rows_sql_list,
                                     3, params);
}


/* NGX_ERROR: it is none from 1 to max.  What is not given stays. */

static ngx_int_t
ngx_http_atelier_rows_number(ngx_http_request_t *r, const char *name,
    ngx_int_t max, ngx_str_t *sent, ngx_int_t *n)
{
    ngx_int_t  value;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), sent) != NGX_OK) {
        return NGX_OK;
    }

    value = ngx_atoi(sent->data, sent->len);

    if (value < 1 || value > max) {
        return NGX_ERROR;
    }

    *n = value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_rows_nobody(ngx_http_request_t *r)
{
    return ngx_http_atelier_problem_simple(r, NGX_HTTP_FORBIDDEN,
                    "visitor_required",
                    "This list belongs to a visitor, and this request is of "
                    "none: send the cookie that this service sets.");
}


static ngx_http_atelier_rows_t *
ngx_http_atelier_rows_create(ngx_http_request_t *r,
    ngx_http_atelier_rows_pt answer)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_atelier_rows_t  *rows;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_rows_t));
    if (cln == NULL) {
        return NULL;
    }

    rows = cln->data;
    ngx_memzero(rows, sizeof(ngx_http_atelier_rows_t));

    rows->r = r;
    rows->answer = answer;

    cln->handler = ngx_http_atelier_rows_cleanup;

    return rows;
}


/* NGX_DONE: the answer follows. */

static ngx_int_t
ngx_http_atelier_rows_ask(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, const char *sql, ngx_uint_t nparams,
    ngx_str_t *params)
{
    if (rows == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rows->op = ngx_http_atelier_postgres_query(sql, nparams, params,
                                               ngx_http_atelier_rows_done,
                                               rows);
    if (rows->op == NULL) {
        return ngx_http_atelier_queue_away(r);
    }

    /* a client that leaves is noticed while it waits */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_atelier_rows_done(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_rows_t  *rows = data;

    r = rows->r;
    c = r->connection;

    rows->op = NULL;

    ngx_http_finalize_request(r, (rc == NGX_OK)
                                 ? rows->answer(r, rows, res)
                                 : ngx_http_atelier_queue_away(r));

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_atelier_rows_cleanup(void *data)
{
    ngx_http_atelier_rows_t *rows = data;

    if (rows->op) {
        ngx_http_atelier_postgres_forget(rows->op);
    }
}


static ngx_int_t
ngx_http_atelier_rows_answer_get(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res)
{
    at_buf_t   b;
    ngx_int_t  rc;

    if (PQntuples(res) != 1 || PQgetisnull(res, 0, 0)) {
        return ngx_http_atelier_rows_none(r);
    }

    ngx_memzero(&b, sizeof(at_buf_t));
    rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (at_buf_printf(&b, "%s\n", PQgetvalue(res, 0, 0)) == AT_OK) {
        rc = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                   at_buf_str(&b));
    }

    at_buf_free(&b);

    return rc;
}


static ngx_int_t
ngx_http_atelier_rows_none(ngx_http_request_t *r)
{
    return ngx_http_atelier_problem_simple(r, NGX_HTTP_NOT_FOUND, "not_found",
                                           "There is no such generation, or it "
                                           "is another visitor's: a visitor "
                                           "is told by a cookie.");
}


static ngx_int_t
ngx_http_atelier_rows_answer_delete(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res)
{
    ngx_str_t                     *id;
    ngx_http_atelier_ctx_t        *ctx;
    ngx_http_atelier_main_conf_t  *amcf;

    if (PQntuples(res) != 1 || PQgetisnull(res, 0, 0)) {
        return ngx_http_atelier_rows_none(r);
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);

    if (PQgetvalue(res, 0, 1)[0] == 't') {
        ngx_http_atelier_pictures_remove(amcf->pictures, rows->id.data);
    }

    if (ngx_strcmp(PQgetvalue(res, 0, 0), "cancelled") == 0) {
        ngx_http_atelier_rows_call_off(amcf, PQgetvalue(res, 0, 2));
    }

    id = ngx_http_atelier_request_id(r);

    if (ngx_http_atelier_add_header(r, "X-Request-ID", id) != NGX_OK
        || ngx_http_atelier_add_header(r, "Cache-Control",
                                       &ctx->cache_control)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;
    ctx->answered = 1;

    return ngx_http_send_header(r);
}


/* "provider:job provider:job": at their providers they go on, and cost. */

static void
ngx_http_atelier_rows_call_off(ngx_http_atelier_main_conf_t *amcf,
    const char *jobs)
{
    u_char       buf[256];
    ngx_str_t    path;
    const char  *p, *colon, *end;

    for (p = jobs; amcf->egress && *p; p = end + (*end == ' ')) {
        end = strchr(p, ' ');
        end = end ? end : p + ngx_strlen(p);
        colon = memchr(p, ':', end - p);

        if (colon == NULL) {
            continue;
        }

        path.data = buf;
        path.len = ngx_snprintf(buf, sizeof(buf),
                                "/cancel?provider=%*s&job=%*s",
                                (size_t) (colon - p), p,
                                (size_t) (end - colon - 1), colon + 1)
                   - buf;

        (void) ngx_http_atelier_egress_post(amcf->egress, &path);
    }
}


static ngx_int_t
ngx_http_atelier_rows_answer_list(ngx_http_request_t *r,
    ngx_http_atelier_rows_t *rows, PGresult *res)
{
    int        rc, i, n, more;
    at_buf_t   b, url;
    ngx_int_t  sent;

    more = PQntuples(res) > rows->per_page;
    n = more ? (int) rows->per_page : PQntuples(res);

    ngx_memzero(&b, sizeof(at_buf_t));
    ngx_memzero(&url, sizeof(at_buf_t));

    rc = at_buf_append_str(&b, AT_STR("{\"results\":["));

    for (i = 0; i < n; i++) {
        rc |= at_buf_append_str(&b, i ? AT_STR(",") : AT_STR(""));
        rc |= at_buf_append(&b, PQgetvalue(res, i, 1),
                            PQgetlength(res, i, 1));
    }

    rc |= at_buf_printf(&b, "],\"hasNext\":%s,\"next\":",
                        more ? "true" : "false");

    if (more) {
        rc |= at_buf_append(&url, r->uri.data, r->uri.len);
        rc |= at_buf_printf(&url, "?perPage=%d&before=%s", n,
                            PQgetvalue(res, n - 1, 0));
        rc |= at_json_write_string(&b, at_buf_str(&url));

    } else {
        rc |= at_buf_append_str(&b, AT_STR("null"));
    }

    rc |= at_buf_append_str(&b, AT_STR("}\n"));

    sent = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (rc == AT_OK) {
        sent = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                     at_buf_str(&b));
    }

    at_buf_free(&url);
    at_buf_free(&b);

    return sent;
}
