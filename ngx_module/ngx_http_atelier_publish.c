/*
 * POST /publish?channel=: the body is the data of a message.
 *
 *     200 {channel, id}   committed in PostgreSQL; atelier-relay delivers it
 *     200 {channel}       without PostgreSQL: sent to all that listen now
 *
 * With PostgreSQL it is published there or not at all, so that ids have no
 * gaps.  Without Redis as well it reaches the sockets of this worker.
 */

#include "ngx_http_atelier_command.h"
#include "ngx_http_atelier_hub.h"
#include "ngx_http_atelier_postgres.h"
#include "ngx_http_atelier_redis.h"


#define NGX_HTTP_ATELIER_PUBLISH_RETRY  2      /* s */


typedef struct {
    ngx_http_request_t              *r;
    ngx_http_atelier_redis_op_t     *redis;    /* NULL: not under way */
    ngx_http_atelier_postgres_op_t  *postgres;
    at_str_t                         channel;
    at_str_t                         data;
} ngx_http_atelier_publish_t;


static ngx_int_t ngx_http_atelier_publish_handler(ngx_http_request_t *r);
static void ngx_http_atelier_publish_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_publish_run(ngx_http_request_t *r);
static ngx_int_t ngx_http_atelier_publish_channel(ngx_http_request_t *r,
    at_str_t *channel);
static ngx_int_t ngx_http_atelier_publish_data(ngx_http_request_t *r,
    at_str_t *data);
static ngx_int_t ngx_http_atelier_publish_send(
    ngx_http_atelier_publish_t *p);
static void ngx_http_atelier_publish_stored(void *data, ngx_int_t rc,
    PGresult *res);
static void ngx_http_atelier_publish_sent(void *data, redisReply *reply);
static void ngx_http_atelier_publish_end(ngx_http_atelier_publish_t *p,
    ngx_int_t rc);
static ngx_int_t ngx_http_atelier_publish_answer(
    ngx_http_atelier_publish_t *p, const char *id);
static ngx_int_t ngx_http_atelier_publish_later(ngx_http_request_t *r,
    const char *detail);
static void ngx_http_atelier_publish_cleanup(void *data);


static const char  ngx_http_atelier_sql_publish[] =
    "SELECT atelier.live_publish($1, $2::json)";


char *
ngx_http_atelier_publish(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_atelier_endpoint(cf, conf, NGX_HTTP_ATELIER_PUBLISH,
                                     ngx_http_atelier_publish_handler);
}


static ngx_int_t
ngx_http_atelier_publish_handler(ngx_http_request_t *r)
{
    return ngx_http_atelier_command_post(r, ngx_http_atelier_publish_body);
}


static void
ngx_http_atelier_publish_body(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_atelier_publish_run(r);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_atelier_publish_run(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_pool_cleanup_t          *cln;
    ngx_http_atelier_publish_t  *p;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_atelier_publish_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = cln->data;

    ngx_memzero(p, sizeof(ngx_http_atelier_publish_t));
    p->r = r;

    rc = ngx_http_atelier_publish_channel(r, &p->channel);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_atelier_publish_data(r, &p->data);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    cln->handler = ngx_http_atelier_publish_cleanup;

    /* a client that leaves is noticed while it waits */

    r->read_event_handler = ngx_http_test_reading;

    return ngx_http_atelier_publish_send(p);
}


/* NGX_DECLINED: it is one. */

static ngx_int_t
ngx_http_atelier_publish_channel(ngx_http_request_t *r, at_str_t *channel)
{
    int                rc;
    char              *room;
    at_field_t         field;
    at_live_error_t    fault;
    at_field_error_t   error;
    at_live_channel_t  c;

    field = (at_field_t) { "channel", AT_LIVE_CHANNEL_MAX, 1, 0, { 0, NULL } };
    ngx_memzero(&error, sizeof(at_field_error_t));

    room = ngx_pnalloc(r->pool, r->args.len + 1);
    if (room == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = at_fields_args(ngx_http_atelier_str(&r->args), &field, 1, room,
                        &error);
    if (rc == AT_OK) {
        rc = at_fields_done(&field, 1, &error);
    }

    if (rc == AT_NO_MEMORY) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != AT_OK) {
        return ngx_http_atelier_command_bad(r, error.code, error.field,
                                            error.detail);
    }

    if (at_live_channel(field.value, &c, &fault) != AT_OK) {
        return ngx_http_atelier_command_bad(r, fault.code, "channel",
                                            fault.detail);
    }

    *channel = c.name;

    return NGX_DECLINED;
}


/* NGX_DECLINED: it is one value of JSON. */

static ngx_int_t
ngx_http_atelier_publish_data(ngx_http_request_t *r, at_str_t *data)
{
    ngx_http_atelier_problem_t  problem;

    switch (ngx_http_atelier_body_text(r, NGX_HTTP_ATELIER_PUBLISH_BODY,
                                       data))
    {
    case NGX_OK:
        break;

    case NGX_DECLINED:
        return ngx_http_atelier_problem_simple(r,
                        NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "body_too_large",
                        "The request body is larger than a message may be: "
                        "send at most 64 kB.");

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_atelier_body_json(r, &problem) != NGX_OK) {
        return ngx_http_atelier_problem(r, &problem);
    }

    if (at_live_data_valid(*data)) {
        return NGX_DECLINED;
    }

    return ngx_http_atelier_problem_value(r, "invalid_json", "body", *data,
                        "The body, not the channel, is at fault: it is the "
                        "data of the message and has to be one JSON value.");
}


static ngx_int_t
ngx_http_atelier_publish_send(ngx_http_atelier_publish_t *p)
{
    u_char                        *key;
    ngx_str_t                      argv[3];
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(p->r, ngx_http_atelier_module);

    argv[1] = ngx_http_atelier_ngx_str(p->channel);
    argv[2] = ngx_http_atelier_ngx_str(p->data);

    if (amcf->postgres) {
        p->postgres = ngx_http_atelier_postgres_query(
                                              ngx_http_atelier_sql_publish, 2,
                                              &argv[1],
                                              ngx_http_atelier_publish_stored,
                                              p);

        return p->postgres ? NGX_AGAIN
               : ngx_http_atelier_publish_later(p->r,
                        "PostgreSQL, where messages get their ids, is away; "
                        "send the request again later.");
    }

    if (amcf->redis == NULL) {
        ngx_http_atelier_hub_publish(p->channel, 0, p->data);
        return ngx_http_atelier_publish_answer(p, NULL);
    }

    key = ngx_pnalloc(p->r->pool, sizeof(NGX_HTTP_ATELIER_HUB_PREFIX)
                                  + p->channel.len);
    if (key == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    argv[1].len = ngx_sprintf(key, NGX_HTTP_ATELIER_HUB_PREFIX "%*s",
                              p->channel.len, p->channel.data)
                  - key;
    argv[1].data = key;
    ngx_str_set(&argv[0], "PUBLISH");

    p->redis = ngx_http_atelier_redis_command(3, argv,
                                              ngx_http_atelier_publish_sent,
                                              p);

    return p->redis ? NGX_AGAIN
           : ngx_http_atelier_publish_later(p->r,
                    "Redis, which takes messages to sockets, is away; send "
                    "the request again later.");
}


static void
ngx_http_atelier_publish_stored(void *data, ngx_int_t rc, PGresult *res)
{
    char                          *id;
    ngx_int_t                      n;
    ngx_http_atelier_publish_t    *p = data;
    ngx_http_atelier_main_conf_t  *amcf;

    p->postgres = NULL;

    if (rc != NGX_OK || PQntuples(res) != 1 || PQnfields(res) != 1) {
        rc = ngx_http_atelier_publish_later(p->r,
                  (rc == NGX_ERROR)
                  ? "PostgreSQL did not take the message; its log and that of "
                    "this server say why."
                  : "PostgreSQL did not answer in time: the message may have "
                    "been published or not.");

        ngx_http_atelier_publish_end(p, rc);
        return;
    }

    id = PQgetvalue(res, 0, 0);
    amcf = ngx_http_get_module_main_conf(p->r, ngx_http_atelier_module);

    if (amcf->redis == NULL) {

        /* nobody else brings it */

        n = ngx_atoi((u_char *) id, ngx_strlen(id));

        if (n > 0) {
            ngx_http_atelier_hub_publish(p->channel, n, p->data);
        }
    }

    ngx_http_atelier_publish_end(p, ngx_http_atelier_publish_answer(p, id));
}


static void
ngx_http_atelier_publish_sent(void *data, redisReply *reply)
{
    ngx_int_t                    rc;
    ngx_http_atelier_publish_t  *p = data;

    p->redis = NULL;

    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        rc = ngx_http_atelier_publish_answer(p, NULL);

    } else {
        rc = ngx_http_atelier_publish_later(p->r,
                    "Redis, which takes messages to sockets, did not take "
                    "this one in time; it may have been published or not.");
    }

    ngx_http_atelier_publish_end(p, rc);
}


static void
ngx_http_atelier_publish_end(ngx_http_atelier_publish_t *p, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = p->r;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


/* A name of a channel has nothing that JSON escapes. */

static ngx_int_t
ngx_http_atelier_publish_answer(ngx_http_atelier_publish_t *p, const char *id)
{
    u_char  text[AT_LIVE_CHANNEL_MAX + 64];
    size_t  len;

    if (ngx_http_atelier_socket_self) {
        ngx_http_atelier_socket_self->counters.published++;
    }

    len = ngx_snprintf(text, sizeof(text), "{\"channel\":\"%*s\"%s%s}\n",
                       p->channel.len, p->channel.data,
                       id ? ",\"id\":" : "", id ? id : "")
          - text;

    return ngx_http_atelier_send(p->r, NGX_HTTP_OK, "application/json",
                                 (at_str_t) { len, (char *) text });
}


static ngx_int_t
ngx_http_atelier_publish_later(ngx_http_request_t *r, const char *detail)
{
    ngx_http_atelier_problem_t  problem;

    ngx_memzero(&problem, sizeof(ngx_http_atelier_problem_t));

    problem.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    problem.code = "publish_unavailable";
    problem.detail = detail;
    problem.retry_after = NGX_HTTP_ATELIER_PUBLISH_RETRY;

    return ngx_http_atelier_problem(r, &problem);
}


static void
ngx_http_atelier_publish_cleanup(void *data)
{
    ngx_http_atelier_publish_t *p = data;

    if (p->redis) {
        ngx_http_atelier_redis_forget(p->redis);
    }

    if (p->postgres) {
        ngx_http_atelier_postgres_forget(p->postgres);
    }
}
