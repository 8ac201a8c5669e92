/*
 * PUT and DELETE /designs/{id}/like, GET /designs/likes[?ids=]
 * (see ngx_http_atelier_likes.h).
 *
 * PostgreSQL has the likes: an answer is sent when it has committed, and
 * without it there is none but a 503.  A design is liked moments after it was
 * first seen, maybe before atelier-feed has stored it: what the snapshot in
 * Redis knows of it goes along, and is kept where nothing is.
 *
 * The state lives in the request's pool.  A request that dies forgets its
 * statement, which is carried out all the same: a like is what was asked for.
 */

#include "ngx_http_atelier_likes.h"
#include "ngx_http_atelier_problem.h"
#include "ngx_http_atelier_snapshot.h"
#include "ngx_http_atelier_visitor.h"
#include "at_json.h"
#include "feed/at_feed_id.h"


#define NGX_HTTP_ATELIER_LIKES_MAX      200     /* ids or likes of an answer */
#define NGX_HTTP_ATELIER_LIKES_DEFAULT  100
#define NGX_HTTP_ATELIER_LIKES_RETRY    2       /* s, for Retry-After */


typedef ngx_int_t (*ngx_http_atelier_likes_answer_pt)(ngx_http_request_t *r,
    PGresult *res);

typedef struct {
    ngx_http_request_t                *r;
    ngx_http_atelier_postgres_op_t    *op;
    ngx_http_atelier_redis_op_t       *finding;
    ngx_http_atelier_likes_answer_pt   answer;
    at_str_t                           id;          /* of a like */
    ngx_str_t                          visitor;
} ngx_http_atelier_likes_t;


static ngx_uint_t ngx_http_atelier_likes_is_list(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_likes_set(ngx_http_request_t *r,
    at_str_t id);
static void ngx_http_atelier_likes_found(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_likes_write(ngx_http_atelier_likes_t *likes,
    at_str_t known);
static ngx_int_t ngx_http_atelier_likes_list(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_likes_of_ids(ngx_http_request_t *r,
    ngx_str_t *ids);
static ngx_int_t ngx_http_atelier_likes_own(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_likes_check_ids(ngx_http_request_t *r,
    ngx_str_t *ids);
static ngx_int_t ngx_http_atelier_likes_cursor(ngx_http_request_t *r,
    ngx_str_t *before, ngx_str_t *id);
static ngx_int_t ngx_http_atelier_likes_arg(ngx_http_request_t *r,
    const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_atelier_likes_nobody(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_likes_ask(ngx_http_request_t *r,
    const char *sql, ngx_uint_t nparams, ngx_str_t *params,
    ngx_http_atelier_likes_answer_pt answer);
static ngx_http_atelier_likes_t *ngx_http_atelier_likes_create(
    ngx_http_request_t *r, ngx_http_atelier_likes_answer_pt answer);
static ngx_int_t ngx_http_atelier_likes_hold(ngx_http_request_t *r);
static void ngx_http_atelier_likes_end(ngx_http_request_t *r, ngx_int_t rc);
static void ngx_http_atelier_likes_done(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_likes_cleanup(void *data);
static ngx_int_t ngx_http_atelier_likes_away(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_likes_bad(ngx_http_request_t *r,
    const char *code, const char *field, const char *detail);
static int ngx_http_atelier_likes_row(at_buf_t *b, PGresult *res, int row);
static ngx_int_t ngx_http_atelier_likes_answer_set(ngx_http_request_t *r,
    PGresult *res);
static ngx_int_t ngx_http_atelier_likes_answer_ids(ngx_http_request_t *r,
    PGresult *res);
static ngx_int_t ngx_http_atelier_likes_answer_own(ngx_http_request_t *r,
    PGresult *res);
static int ngx_http_atelier_likes_next(ngx_http_request_t *r, at_buf_t *b,
    PGresult *res, int n);
static ngx_int_t ngx_http_atelier_likes_send(ngx_http_request_t *r, int rc,
    at_buf_t *b);


static const char  ngx_http_atelier_likes_sql_set[] =
    "SELECT $1, $3::boolean, n, version "
    "FROM atelier.set_like($1, $2::bytea, $3::boolean, $4::bigint, $5)";

/* No id holds a comma. */

static const char  ngx_http_atelier_likes_sql_ids[] =
    "SELECT i.id, l.design_id IS NOT NULL, coalesce(n.n, 0), n.version "
    "FROM unnest(string_to_array($1, ',')) WITH ORDINALITY AS i (id, place) "
    "LEFT JOIN atelier.design_likes n ON n.design_id = i.id "
    "LEFT JOIN atelier.design_like l "
        "ON l.design_id = i.id AND l.visitor = $2::bytea "
    "ORDER BY i.place";

/* One more than asked for, to know whether there are more. */

static const char  ngx_http_atelier_likes_sql_own[] =
    "SELECT l.design_id, true, coalesce(n.n, 0), "
           "(extract(epoch FROM l.at) * 1000000)::bigint, "
           "d.data || jsonb_build_object('likes', coalesce(n.n, 0)) "
    "FROM atelier.design_like l "
    "LEFT JOIN atelier.design_likes n ON n.design_id = l.design_id "
    "LEFT JOIN atelier.design d ON d.id = l.design_id "
    "WHERE l.visitor = $1::bytea "
      "AND (l.at, l.design_id) < (coalesce('epoch'::timestamptz "
          "+ $2::bigint * interval '1 microsecond', 'infinity'), $3) "
    "ORDER BY l.at DESC, l.design_id DESC LIMIT $4::bigint + 1";


ngx_int_t
ngx_http_atelier_likes_handler(ngx_http_request_t *r)
{
    at_str_t                 path, id;
    ngx_int_t                rc;
    ngx_uint_t               list;
    ngx_http_atelier_ctx_t  *ctx;

    path = ngx_http_atelier_str(&r->uri);
    list = ngx_http_atelier_likes_is_list(r);

    if (!list && !at_feed_id_path(path, AT_STR("like"), &id)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_atelier_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&ctx->cache_control, "private, no-store");

    if (list) {
        rc = ngx_http_atelier_allow(r, NGX_HTTP_GET|NGX_HTTP_HEAD,
                                    "GET, HEAD");
    } else {
        rc = ngx_http_atelier_allow(r, NGX_HTTP_PUT|NGX_HTTP_DELETE,
                                    "PUT, DELETE");
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return list ? ngx_http_atelier_likes_list(r)
                : ngx_http_atelier_likes_set(r, id);
}


/* The address is that of the location, and "/likes". */

static ngx_uint_t
ngx_http_atelier_likes_is_list(ngx_http_request_t *r)
{
    size_t                     len;
    ngx_str_t                  name;
    ngx_http_core_loc_conf_t  *clcf;

    static ngx_str_t  likes = ngx_string("/likes");

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = clcf->name;

    if (clcf->exact_match) {
        len = name.len;

    } else {
        len = name.len + likes.len
              - (name.len && name.data[name.len - 1] == '/');
    }

    return r->uri.len == len && len >= likes.len
           && ngx_memcmp(r->uri.data + len - likes.len, likes.data,
                         likes.len) == 0;
}


static ngx_int_t
ngx_http_atelier_likes_set(ngx_http_request_t *r, at_str_t id)
{
    ngx_int_t                  rc;
    ngx_str_t                  visitor;
    ngx_http_atelier_likes_t  *likes;

    if (!at_feed_id_valid(id)) {
        return ngx_http_atelier_likes_invalid(r, id);
    }

    rc = ngx_http_atelier_visitor(r, &visitor);
    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? ngx_http_atelier_likes_nobody(r) : rc;
    }

    likes = ngx_http_atelier_likes_create(r,
                                          ngx_http_atelier_likes_answer_set);
    if (likes == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    likes->id = id;
    likes->visitor = visitor;

    if (r->method == NGX_HTTP_PUT) {
        likes->finding = ngx_http_atelier_snapshot_find(id,
                                               ngx_http_atelier_likes_found,
                                               likes);
        if (likes->finding) {
            return ngx_http_atelier_likes_hold(r);
        }
    }

    rc = ngx_http_atelier_likes_write(likes, AT_STR_NULL);

    return (rc == NGX_DONE) ? ngx_http_atelier_likes_hold(r) : rc;
}


ngx_int_t
ngx_http_atelier_likes_invalid(ngx_http_request_t *r, at_str_t id)
{
    return ngx_http_atelier_problem_value(r, "invalid_id", "id", id,
                    "The id of a design is source:nativeId, with one of "
                    "pexels, unsplash, pixabay, flickr, wikimedia, "
                    "rawpixel and openverse as the source.");
}


/* Without Redis, or if no snapshot has it, the like is as good. */

static void
ngx_http_atelier_likes_found(void *data, redisReply *reply)
{
    ngx_http_atelier_likes_t *likes = data;

    ngx_http_atelier_card_t  card;

    likes->finding = NULL;

    if (ngx_http_atelier_snapshot_found(reply, &card)
        != NGX_HTTP_ATELIER_SNAPSHOT_PAGE)
    {
        card.json = AT_STR_NULL;
    }

    ngx_http_atelier_likes_end(likes->r,
                           ngx_http_atelier_likes_write(likes, card.json));
}


/* NGX_DONE: the answer follows.  Else what to finalize with. */

static ngx_int_t
ngx_http_atelier_likes_write(ngx_http_atelier_likes_t *likes, at_str_t known)
{
    u_char     expires[NGX_INT64_LEN];
    ngx_str_t  params[5];

    params[0] = ngx_http_atelier_ngx_str(likes->id);
    params[1] = likes->visitor;

    if (likes->r->method == NGX_HTTP_PUT) {
        ngx_str_set(&params[2], "true");

    } else {
        ngx_str_set(&params[2], "false");
    }

    params[3].data = expires;
    params[3].len = ngx_sprintf(expires, "%L",
                                ngx_http_atelier_postgres_expires())
                    - expires;
    params[4] = ngx_http_atelier_ngx_str(known);

    likes->op = ngx_http_atelier_postgres_query(
                                    ngx_http_atelier_likes_sql_set, 5, params,
                                    ngx_http_atelier_likes_done, likes);

    return likes->op ? NGX_DONE : ngx_http_atelier_likes_away(likes->r);
}


static ngx_int_t
ngx_http_atelier_likes_list(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    ngx_str_t  ids;

    rc = ngx_http_atelier_likes_arg(r, "ids", &ids);

    switch (rc) {

    case NGX_OK:
        return ngx_http_atelier_likes_of_ids(r, &ids);

    case NGX_DECLINED:
        return ngx_http_atelier_likes_own(r);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* Who is unknown likes nothing, but may see the counts. */

static ngx_int_t
ngx_http_atelier_likes_of_ids(ngx_http_request_t *r, ngx_str_t *ids)
{
    ngx_int_t  rc;
    ngx_str_t  params[2];

    rc = ngx_http_atelier_likes_check_ids(r, ids);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ids->len == 0) {
        return ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                     AT_STR("{\"results\":[]}\n"));
    }

    params[0] = *ids;

    rc = ngx_http_atelier_visitor(r, &params[1]);

    if (rc == NGX_DECLINED) {
        ngx_str_null(&params[1]);

    } else if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_atelier_likes_ask(r, ngx_http_atelier_likes_sql_ids, 2,
                                      params,
                                      ngx_http_atelier_likes_answer_ids);
}


/* NGX_DECLINED: they are good.  Else what was made of the refusal. */

static ngx_int_t
ngx_http_atelier_likes_check_ids(ngx_http_request_t *r, ngx_str_t *ids)
{
    u_char      *p, *end, *comma;
    at_str_t     id;
    ngx_uint_t   n;

    end = ids->data + ids->len;

    for (n = 0, p = ids->data; p < end; p = comma + 1) {
        comma = ngx_strlchr(p, end, ',');
        comma = comma ? comma : end;

        id.data = (const char *) p;
        id.len = comma - p;

        /* a comma at the very end has nothing behind it */

        if (!at_feed_id_valid(id) || comma == end - 1) {
            return ngx_http_atelier_problem_value(r, "invalid_id", "ids", id,
                            "ids is a list of ids of designs, "
                            "source:nativeId, with commas between them.");
        }

        if (++n > NGX_HTTP_ATELIER_LIKES_MAX) {
            return ngx_http_atelier_likes_bad(r, "too_many", "ids",
                            "ids holds at most 200 ids.");
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_atelier_likes_own(ngx_http_request_t *r)
{
    ngx_int_t   rc, n;
    ngx_str_t   params[4];

    rc = ngx_http_atelier_visitor(r, &params[0]);
    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? ngx_http_atelier_likes_nobody(r) : rc;
    }

    rc = ngx_http_atelier_likes_cursor(r, &params[1], &params[2]);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_atelier_likes_arg(r, "perPage", &params[3]);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_str_set(&params[3], "100");
    }

    n = ngx_atoi(params[3].data, params[3].len);

    if (n < 1 || n > NGX_HTTP_ATELIER_LIKES_MAX) {
        return ngx_http_atelier_problem_value(r, "out_of_range", "perPage",
                        ngx_http_atelier_str(&params[3]),
                        "perPage is a number from 1 to 200.");
    }

    return ngx_http_atelier_likes_ask(r, ngx_http_atelier_likes_sql_own, 4,
                                      params,
                                      ngx_http_atelier_likes_answer_own);
}


/*
 * before= is "microseconds,id" of the last like of the page before.  Returns
 * as the check of ids.
 */

static ngx_int_t
ngx_http_atelier_likes_cursor(ngx_http_request_t *r, ngx_str_t *before,
    ngx_str_t *id)
{
    u_char     *comma;
    ngx_int_t   rc;

    rc = ngx_http_atelier_likes_arg(r, "before", before);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        ngx_str_null(before);
        ngx_str_set(id, "");
        return NGX_DECLINED;
    }

    comma = ngx_strlchr(before->data, before->data + before->len, ',');

    if (comma) {
        id->data = comma + 1;
        id->len = before->data + before->len - id->data;
        before->len = comma - before->data;

        if (before->len <= 17 && ngx_atoi(before->data, before->len) >= 0
            && at_feed_id_valid(ngx_http_atelier_str(id)))
        {
            return NGX_DECLINED;
        }
    }

    return ngx_http_atelier_likes_bad(r, "invalid_cursor", "before",
                    "before is not one of this service: take the address in "
                    "next as it is.");
}


/* NGX_DECLINED: there is none.  The value is decoded, in the pool. */

static ngx_int_t
ngx_http_atelier_likes_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    u_char     *dst, *src;
    ngx_str_t   raw;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &raw) != NGX_OK) {
        return NGX_DECLINED;
    }

    dst = ngx_pnalloc(r->pool, raw.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;
    src = raw.data;

    ngx_unescape_uri(&dst, &src, raw.len, 0);
    value->len = dst - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_atelier_likes_nobody(ngx_http_request_t *r)
{
    return ngx_http_atelier_problem_simple(r, NGX_HTTP_FORBIDDEN,
                    "visitor_required",
                    "Likes belong to a visitor, and this request is of none: "
                    "send the cookie that this service sets.");
}


/* NGX_DONE: the answer follows. */

static ngx_int_t
ngx_http_atelier_likes_ask(ngx_http_request_t *r, const char *sql,
    ngx_uint_t nparams, ngx_str_t *params,
    ngx_http_atelier_likes_answer_pt answer)
{
    ngx_http_atelier_likes_t  *likes;

    likes = ngx_http_atelier_likes_create(r, answer);
    if (likes == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    likes->op = ngx_http_atelier_postgres_query(sql, nparams, params,
                                                ngx_http_atelier_likes_done,
                                                likes);

    return likes->op ? ngx_http_atelier_likes_hold(r)
                     : ngx_http_atelier_likes_away(r);
}


static ngx_http_atelier_likes_t *
ngx_http_atelier_likes_create(ngx_http_request_t *r,
    ngx_http_atelier_likes_answer_pt answer)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_atelier_likes_t  *likes;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_likes_t));
    if (cln == NULL) {
        return NULL;
    }

    likes = cln->data;
    ngx_memzero(likes, sizeof(ngx_http_atelier_likes_t));

    likes->r = r;
    likes->answer = answer;

    cln->handler = ngx_http_atelier_likes_cleanup;

    return likes;
}


static ngx_int_t
ngx_http_atelier_likes_hold(ngx_http_request_t *r)
{
    /* a client that leaves is noticed while it waits */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_atelier_likes_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t  *c;

    if (rc == NGX_DONE) {
        return;
    }

    c = r->connection;

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_atelier_likes_done(void *data, ngx_int_t rc, PGresult *res)
{
    ngx_http_atelier_likes_t *likes = data;

    likes->op = NULL;

    ngx_http_atelier_likes_end(likes->r, (rc == NGX_OK)
                                     ? likes->answer(likes->r, res)
                                     : ngx_http_atelier_likes_away(likes->r));
}


static void
ngx_http_atelier_likes_cleanup(void *data)
{
    ngx_http_atelier_likes_t *likes = data;

    if (likes->op) {
        ngx_http_atelier_postgres_forget(likes->op);
    }

    if (likes->finding) {
        ngx_http_atelier_redis_forget(likes->finding);
    }
}


static ngx_int_t
ngx_http_atelier_likes_away(ngx_http_request_t *r)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "likes_unavailable";
    problem.detail = "Likes cannot be read or kept now; send the request "
                     "again after the time in Retry-After.";
    problem.retry_after = NGX_HTTP_ATELIER_LIKES_RETRY;

    return ngx_http_atelier_problem(r, &problem);
}


static ngx_int_t
ngx_http_atelier_likes_bad(ngx_http_request_t *r, const char *code,
    const char *field, const char *detail)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_BAD_REQUEST;
    problem.code = code;
    problem.field = field;
    problem.detail = detail;
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}


/* {id, liked, likes} of a row, without the last brace. */

static int
ngx_http_atelier_likes_row(at_buf_t *b, PGresult *res, int row)
{
    return at_buf_printf(b, "{\"id\":\"%s\",\"liked\":%s,\"likes\":%s",
                         PQgetvalue(res, row, 0),
                         PQgetvalue(res, row, 1)[0] == 't' ? "true" : "false",
                         PQgetvalue(res, row, 2));
}


/* No row: the server came to it too late and left it. */

static ngx_int_t
ngx_http_atelier_likes_answer_set(ngx_http_request_t *r, PGresult *res)
{
    int       rc;
    at_buf_t  b;

    if (PQntuples(res) != 1) {
        return ngx_http_atelier_likes_away(r);
    }

    ngx_http_atelier_likes_tell(r, res);

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = ngx_http_atelier_likes_row(&b, res, 0);
    rc |= at_buf_append_str(&b, AT_STR("}\n"));

    return ngx_http_atelier_likes_send(r, rc, &b);
}


static ngx_int_t
ngx_http_atelier_likes_answer_ids(ngx_http_request_t *r, PGresult *res)
{
    int       rc, i;
    at_buf_t  b;

    /* what Redis was not told, or has lost */

    ngx_http_atelier_likes_tell(r, res);

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = at_buf_append_str(&b, AT_STR("{\"results\":["));

    for (i = 0; i < PQntuples(res); i++) {
        rc |= at_buf_append_str(&b, i ? AT_STR(",") : AT_STR(""));
        rc |= ngx_http_atelier_likes_row(&b, res, i);
        rc |= at_buf_append_str(&b, AT_STR("}"));
    }

    rc |= at_buf_append_str(&b, AT_STR("]}\n"));

    return ngx_http_atelier_likes_send(r, rc, &b);
}


static ngx_int_t
ngx_http_atelier_likes_answer_own(ngx_http_request_t *r, PGresult *res)
{
    int        rc, i, n, more;
    at_buf_t   b;
    ngx_str_t  text;

    if (ngx_http_atelier_likes_arg(r, "perPage", &text) == NGX_OK) {
        n = (int) ngx_atoi(text.data, text.len);

    } else {
        n = NGX_HTTP_ATELIER_LIKES_DEFAULT;
    }

    more = PQntuples(res) > n;
    n = ngx_min(PQntuples(res), n);

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = at_buf_append_str(&b, AT_STR("{\"results\":["));

    for (i = 0; i < n; i++) {
        rc |= at_buf_append_str(&b, i ? AT_STR(",") : AT_STR(""));
        rc |= ngx_http_atelier_likes_row(&b, res, i);
        rc |= at_buf_printf(&b, ",\"design\":%s}",
                            PQgetisnull(res, i, 4) ? "null"
                                                   : PQgetvalue(res, i, 4));
    }

    rc |= at_buf_printf(&b, "],\"hasNext\":%s,\"next\":",
                        more ? "true" : "false");
    rc |= more ? ngx_http_atelier_likes_next(r, &b, res, n)
               : at_buf_append_str(&b, AT_STR("null"));
    rc |= at_buf_append_str(&b, AT_STR("}\n"));

    return ngx_http_atelier_likes_send(r, rc, &b);
}


/* The address of the page behind the first n likes. */

static int
ngx_http_atelier_likes_next(ngx_http_request_t *r, at_buf_t *b, PGresult *res,
    int n)
{
    int        rc;
    at_buf_t   url;

    ngx_memzero(&url, sizeof(at_buf_t));

    rc = at_buf_append(&url, r->uri.data, r->uri.len);
    rc |= at_buf_printf(&url, "?perPage=%d&before=%s,%s", n,
                        PQgetvalue(res, n - 1, 3), PQgetvalue(res, n - 1, 0));
    rc |= at_json_write_string(b, at_buf_str(&url));

    at_buf_free(&url);

    return rc;
}


static ngx_int_t
ngx_http_atelier_likes_send(ngx_http_request_t *r, int rc, at_buf_t *b)
{
    ngx_int_t  sent;

    if (rc == AT_OK) {
        sent = ngx_http_atelier_send(r, NGX_HTTP_OK, "application/json",
                                     at_buf_str(b));
    } else {
        sent = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    at_buf_free(b);

    return sent;
}
