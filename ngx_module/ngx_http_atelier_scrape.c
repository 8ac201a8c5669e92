/*
 * POST /scrape/parallel {query, category?, kind?}: has workers fetch what a
 * query finds.  Jobs go onto a stream in Redis; 202 says that they are there.
 *
 * kind is "designs", for atelier-feed, or "products", for atelier-shop.  A
 * category is of products.
 */

#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_feed.h"
#include "ngx_http_atelier_products.h"
#include "ngx_http_atelier_redis.h"


#define NGX_HTTP_ATELIER_SCRAPE_RETRY   2      /* s, while Redis is away */
#define NGX_HTTP_ATELIER_SCRAPE_FULL    30     /* s, while workers are behind */
#define NGX_HTTP_ATELIER_SCRAPE_JOB     64     /* bytes of a job's id */


typedef struct {
    ngx_http_request_t           *r;
    ngx_http_atelier_redis_op_t  *op;          /* NULL: answered */
    unsigned                      products:1;
} ngx_http_atelier_scrape_t;


static ngx_int_t ngx_http_atelier_scrape_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_scrape_run(ngx_http_request_t *r,
    at_field_t *fields);
static ngx_int_t ngx_http_atelier_scrape_designs(ngx_http_request_t *r,
    at_str_t query);
static ngx_int_t ngx_http_atelier_scrape_products(ngx_http_request_t *r,
    at_str_t query, at_str_t category);
static ngx_http_atelier_scrape_t *ngx_http_atelier_scrape_create(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_scrape_args(ngx_http_request_t *r,
    at_str_t query, at_buf_t *b);
static ngx_int_t ngx_http_atelier_scrape_send(ngx_http_request_t *r,
    at_str_t args);
static void ngx_http_atelier_scrape_added(void *data, redisReply *reply);
static ngx_int_t ngx_http_atelier_scrape_answer(ngx_http_request_t *r,
    redisReply *reply);
static ngx_int_t ngx_http_atelier_scrape_answer_shop(ngx_http_request_t *r,
    redisReply *reply);
static ngx_int_t ngx_http_atelier_scrape_accepted(ngx_http_request_t *r,
    size_t len, const char *id);
static ngx_int_t ngx_http_atelier_scrape_full(ngx_http_request_t *r,
    const char *detail);
static ngx_int_t ngx_http_atelier_scrape_away(ngx_http_request_t *r);
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
    at_str_t  kind;

    kind = fields[2].value;

    if (kind.len == 0 || at_str_is(kind, "designs")) {
        return ngx_http_atelier_scrape_designs(r, fields[0].value);
    }

    if (at_str_is(kind, "products")) {
        return ngx_http_atelier_scrape_products(r, fields[0].value,
                                                fields[1].value);
    }

    return ngx_http_atelier_problem_value(r, "invalid_parameter", "kind", kind,
                                          "kind is none of designs, products");
}


static ngx_int_t
ngx_http_atelier_scrape_designs(ngx_http_request_t *r, at_str_t query)
{
    at_buf_t   args;
    ngx_int_t  rc;

    ngx_memzero(&args, sizeof(at_buf_t));

    rc = ngx_http_atelier_scrape_args(r, query, &args);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_atelier_scrape_send(r, at_buf_str(&args));
    }

    at_buf_free(&args);

    return rc;
}


/* An operator's word: the shops are asked again, whenever they were. */

static ngx_int_t
ngx_http_atelier_scrape_products(ngx_http_request_t *r, at_str_t query,
    at_str_t category)
{
    char                           text[AT_SHOP_TEXT_BYTES];
    size_t                         len;
    ngx_http_atelier_scrape_t     *scrape;
    ngx_http_atelier_shop_job_t    job;
    ngx_http_atelier_main_conf_t  *amcf;

    if (at_shop_query(query, text, &len) != AT_OK) {
        return ngx_http_atelier_command_bad(r, "invalid_parameter", "query",
                        "query is no text of at most 4096 bytes");
    }

    if (len == 0) {
        return ngx_http_atelier_command_bad(r, "missing_field", "query",
                        "query shows nothing; send a text to look for");
    }

    if (at_shop_category(&category) != AT_OK) {
        return ngx_http_atelier_command_bad(r, "invalid_parameter", "category",
                        "category is no text of at most 100 characters");
    }

    scrape = ngx_http_atelier_scrape_create(r);
    if (scrape == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    ngx_memzero(&job, sizeof(ngx_http_atelier_shop_job_t));

    job.query = (at_str_t) { len, text };
    job.category = category;
    job.request_id = *ngx_http_atelier_request_id(r);
    job.refresh = amcf->products ? amcf->products->refresh
                                 : NGX_HTTP_ATELIER_SHOP_REFRESH;
    job.force = 1;

    at_shop_key(job.query, job.category, job.key);

    scrape->products = 1;
    scrape->op = ngx_http_atelier_shop_ask(&job,
                                           ngx_http_atelier_scrape_added,
                                           scrape);

    return scrape->op ? NGX_AGAIN : ngx_http_atelier_scrape_away(r);
}


static ngx_http_atelier_scrape_t *
ngx_http_atelier_scrape_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_atelier_scrape_t  *scrape;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_scrape_t));
    if (cln == NULL) {
        return NULL;
    }

    scrape = cln->data;
    ngx_memzero(scrape, sizeof(ngx_http_atelier_scrape_t));

    scrape->r = r;
    cln->handler = ngx_http_atelier_scrape_cleanup;

    return scrape;
}


/* The arguments of /designs for the query, in their normal form. */

static ngx_int_t
ngx_http_atelier_scrape_args(ngx_http_request_t *r, at_str_t query,
    at_buf_t *b)
{
    u_char                   *p;
    ngx_str_t                 raw;
    at_args_error_t           error;
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
    ngx_http_atelier_scrape_t  *scrape;

    scrape = ngx_http_atelier_scrape_create(r);
    if (scrape == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    argv[0] = ngx_http_atelier_ngx_str(args);
    argv[1] = *ngx_http_atelier_request_id(r);

    scrape->op = ngx_http_atelier_redis_eval(&ngx_http_atelier_lua_scrape, 0,
                                             2, argv,
                                             ngx_http_atelier_scrape_added,
                                             scrape);

    return scrape->op ? NGX_AGAIN : ngx_http_atelier_scrape_away(r);
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

    ngx_http_finalize_request(r, scrape->products
                              ? ngx_http_atelier_scrape_answer_shop(r, reply)
                              : ngx_http_atelier_scrape_answer(r, reply));

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_atelier_scrape_answer(ngx_http_request_t *r, redisReply *reply)
{
    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        return ngx_http_atelier_scrape_full(r, "Thousands of jobs wait for "
                        "the workers: see to atelier-feed, or send the "
                        "request again later.");
    }

    if (reply == NULL || reply->type != REDIS_REPLY_STRING
        || (size_t) reply->len > NGX_HTTP_ATELIER_SCRAPE_JOB)
    {
        return ngx_http_atelier_scrape_away(r);
    }

    return ngx_http_atelier_scrape_accepted(r, reply->len, reply->str);
}


static ngx_int_t
ngx_http_atelier_scrape_answer_shop(ngx_http_request_t *r, redisReply *reply)
{
    ngx_http_atelier_shop_answer_t  answer;

    ngx_http_atelier_shop_answer(reply, &answer);

    switch (answer.state) {

    case NGX_HTTP_ATELIER_SHOP_ASKED:
        return ngx_http_atelier_scrape_accepted(r, answer.id.len,
                                                (char *) answer.id.data);

    case NGX_HTTP_ATELIER_SHOP_FULL:
        return ngx_http_atelier_scrape_full(r, "Thousands of jobs wait for "
                        "the workers: see to atelier-shop, or send the "
                        "request again later.");

    default:
        return ngx_http_atelier_scrape_away(r);
    }
}


/* An id is digits and a hyphen. */

static ngx_int_t
ngx_http_atelier_scrape_accepted(ngx_http_request_t *r, size_t len,
    const char *id)
{
    u_char  text[NGX_HTTP_ATELIER_SCRAPE_JOB + 64];
    size_t  n;

    n = ngx_snprintf(text, sizeof(text),
                     "{\"accepted\":1,\"jobs\":[\"%*s\"]}\n", len, id)
        - text;

    return ngx_http_atelier_send(r, NGX_HTTP_ACCEPTED, "application/json",
                                 (at_str_t) { n, (char *) text });
}


static ngx_int_t
ngx_http_atelier_scrape_full(ngx_http_request_t *r, const char *detail)
{
    return ngx_http_atelier_scrape_later(r, "too_many_jobs", detail,
                                         NGX_HTTP_ATELIER_SCRAPE_FULL);
}


static ngx_int_t
ngx_http_atelier_scrape_away(ngx_http_request_t *r)
{
    return ngx_http_atelier_scrape_later(r, "jobs_unavailable",
                    "Redis, which keeps the jobs, did not take this one; "
                    "send the request again later.",
                    NGX_HTTP_ATELIER_SCRAPE_RETRY);
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
