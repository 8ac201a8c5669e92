/*
 * POST /scrape/parallel {query, category?, kind?}: has workers fetch what a
 * query finds.  Jobs go onto a stream in Redis; 202 says that they are there.
 *
 * kind is "designs", the only one that a worker serves yet: "products" is
 * refused, since nobody would ever do it.  A category is of products.
 */

#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_feed.h"
#include "ngx_http_atelier_redis.h"


#define NGX_HTTP_ATELIER_SCRAPE_RETRY   2      /* s, while Redis is away */
#define NGX_HTTP_ATELIER_SCRAPE_FULL    30     /* s, while workers are behind */
#define NGX_HTTP_ATELIER_SCRAPE_JOB     64     /* bytes of a job's id */


typedef struct {
    ngx_http_request_t           *r;
    ngx_http_atelier_redis_op_t  *op;          /* NULL: answered */
} ngx_http_atelier_scrape_t;


static ngx_int_t ngx_http_atelier_scrape_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_scrape_run(ngx_http_request_t *r,
    at_field_t *fields);
static ngx_int_t ngx_http_atelier_scrape_kind(ngx_http_request_t *r,
    at_str_t kind);
static ngx_int_t ngx_http_atelier_scrape_args(ngx_http_request_t *r,
    at_str_t query, at_buf_t *b);
static ngx_int_t ngx_http_atelier_scrape_send(ngx_http_request_t *r,
    at_str_t args);
static void ngx_http_atelier_scrape_added(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_scrape_answer(ngx_http_request_t *r,
    redisReply *reply);
static ngx_int_t ngx_http_atelier_scrape_later(ngx_http_request_t *r,
    const char *code, const char *detail, ngx_int_t seconds);
static void ngx_http_atelier_scrape_cleanup(void *data);


static const at_field_t  ngx_http_atelier_scrape_fields[] = {
    { "query", AT_FEED_TEXT_BYTES, 1, 0, { 0, NULL } },
    { "category", AT_FEED_TEXT_BYTES, 0, 0, { 0, NULL } },
    { "kind", 32, 0, 0, { 0, NULL } }
};


/*
 * ARGV: args, the id of the request.  A stream that nobody reads is not to
 * grow for ever, and a job that is accepted is not to be cut off its end.
 */

static ngx_http_atelier_redis_script_t  ngx_http_atelier_lua_scrape = { .text =
    "if redis.call('XLEN', 'atelier:feed:jobs') >= 5000 then return 0 end\n"
    "return redis.call('XADD', 'atelier:feed:jobs', '*', 'kind', 'warm',\n"
    "                  'args', ARGV[1], 'request_id', ARGV[2])\n"
};


char *
ngx_http_atelier_scrape(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_SCRAPE,
                                     ngx_http_atelier_scrape_handler);
}


static ngx_int_t
ngx_http_atelier_scrape_handler(ngx_http_request_t *r)
{
    return ngx_http_atelier_command(r, ngx_http_atelier_scrape_fields, 3,
                                    ngx_http_atelier_scrape_run);
}


static ngx_int_t
ngx_http_atelier_scrape_run(ngx_http_request_t *r, at_field_t *fields)
{
    at_buf_t   args;
    ngx_int_t  rc;

    rc = ngx_http_atelier_scrape_kind(r, fields[2].value);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_memzero(&args, sizeof(at_buf_t));

    rc = ngx_http_atelier_scrape_args(r, fields[0].value, &args);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_atelier_scrape_send(r, at_buf_str(&args));
    }

    at_buf_free(&args);

    return rc;
}


/* NGX_DECLINED: it is one that is served. */

static ngx_int_t
ngx_http_atelier_scrape_kind(ngx_http_request_t *r, at_str_t kind)
{
    ngx_http_atelier_problem_t  problem;

    if (kind.len == 0 || at_str_is(kind, "designs")) {
        return NGX_DECLINED;
    }

    if (!at_str_is(kind, "products")) {
        return ngx_http_atelier_command_bad(r, "invalid_parameter", "kind",
                        "kind is none of designs, products");
    }

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = 422;
    problem.code = "kind_not_served";
    problem.field = "kind";
    problem.detail = "kind products is not served yet; designs is";
    problem.retry_after = -1;

    return ngx_http_atelier_problem(r, &problem);
}


/* The arguments of /designs for the query, in their normal form. */

static ngx_int_t
ngx_http_atelier_scrape_args(ngx_http_request_t *r, at_str_t query,
    at_buf_t *b)
{
    u_char                   *p;
    ngx_str_t                 raw;
    at_feed_args_error_t      error;
    ngx_http_atelier_feed_t  *feed;

    static const u_char  name[] = "query=";

    feed = ngx_palloc(r->pool, sizeof(ngx_http_atelier_feed_t));

    raw.data = ngx_pnalloc(r->pool, sizeof(name) - 1 + 3 * query.len);

    if (feed == NULL || raw.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(raw.data, name, sizeof(name) - 1);
    p = (u_char *) ngx_escape_uri(p, (u_char *) query.data, query.len,
                                  NGX_ESCAPE_URI_COMPONENT);
    raw.len = p - raw.data;

    if (ngx_http_atelier_feed_parse(feed, &raw, &error) != NGX_OK) {
        return ngx_http_atelier_command_bad(r, "invalid_parameter",
                                            error.name, error.message);
    }

    if (feed->args.query.text.len == 0) {
        return ngx_http_atelier_command_bad(r, "missing_field", "query",
                        "query shows nothing; send a text to look for");
    }

    return (ngx_http_atelier_feed_args(b, feed, 1, NULL) == AT_OK)
           ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_atelier_scrape_send(ngx_http_request_t *r, at_str_t args)
{
    ngx_str_t                   argv[2];
    ngx_pool_cleanup_t         *cln;
    ngx_http_atelier_scrape_t  *scrape;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_scrape_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    argv[0] = ngx_http_atelier_ngx_str(args);
    argv[1] = *ngx_http_atelier_request_id(r);

    scrape = cln->data;
    scrape->r = r;
    scrape->op = ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_scrape, 0,
                                             2, argv,
                                             ngx_http_atelier_scrape_added,
                                             scrape);
    if (scrape->op == NULL) {
        return ngx_http_atelier_scrape_answer(r, NULL);
    }

    cln->handler = ngx_http_atelier_scrape_cleanup;

    return NGX_AGAIN;
}


static void
ngx_http_atelier_scrape_added(void *data, redisReply *reply)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_atelier_scrape_t  *scrape = data;

    r = scrape->r;
    c = r->connection;

    scrape->op = NULL;

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, ngx_http_atelier_scrape_answer(r, reply));

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_atelier_scrape_answer(ngx_http_request_t *r, redisReply *reply)
{
    u_char  text[NGX_HTTP_ATELIER_SCRAPE_JOB + 64];
    size_t  len;

    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        return ngx_http_atelier_scrape_later(r, "too_many_jobs",
                        "Thousands of jobs wait for the workers: see to "
                        "atelier-feed, or send the request again later.",
                        NGX_HTTP_ATELIER_SCRAPE_FULL);
    }

    if (reply == NULL || reply->type != REDIS_REPLY_STRING
        || (size_t) reply->len > NGX_HTTP_ATELIER_SCRAPE_JOB)
    {
        return ngx_http_atelier_scrape_later(r, "jobs_unavailable",
                        "Redis, which keeps the jobs, did not take this one; "
                        "send the request again later.",
                        NGX_HTTP_ATELIER_SCRAPE_RETRY);
    }

    /* an id is digits and a hyphen */

    len = ngx_snprintf(text, sizeof(text),
                       "{\"accepted\":1,\"jobs\":[\"%*s\"]}\n",
                       (size_t) reply->len, reply->str)
          - text;

    return ngx_http_atelier_send(r, NGX_HTTP_ACCEPTED, "application/json",
                                 (at_str_t) { len, (char *) text });
}


static ngx_int_t
ngx_http_atelier_scrape_later(ngx_http_request_t *r, const char *code,
    const char *detail, ngx_int_t seconds)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = code;
    problem.detail = detail;
    problem.retry_after = seconds;

    return ngx_http_atelier_problem(r, &problem);
}


static void
ngx_http_atelier_scrape_cleanup(void *data)
{
    ngx_http_atelier_scrape_t *scrape = data;

    if (scrape->op) {
        ngx_http_atelier_redis_forget(scrape->op);
    }
}
