/*
 * The progress of a race, for a client that asks for it by "Accept:
 * application/x-ndjson": a line of JSON for each attempt as it starts and as
 * it ends, and as the last one the answer that would else have been the whole.
 *
 * The header goes out when the first lane is out.  What is refused before, or
 * known already, is answered as to anybody; afterwards ngx_http_atelier_send()
 * leaves the answer to us (ctx->send).
 *
 * Lines are written by an event of our own, which is posted when a lane may
 * have started or ended: so there is nothing of the race on the stack when a
 * connection turns out to be broken, and the request ends there.  The event is
 * deleted when the generation is finished, as only the answer follows then.
 *
 * What the client does not take waits in the request's output: two short lines
 * an attempt at the most.  Nobody but its send_timeout waits for the client.
 */

#include "ngx_http_atelier_generate.h"
#include "at_json.h"


static ngx_uint_t ngx_http_atelier_lines_accepted(ngx_str_t *accept);
static ngx_uint_t ngx_http_atelier_lines_is_type(u_char *p, u_char *end);
static void ngx_http_atelier_lines_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_atelier_lines_tell(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static int ngx_http_atelier_lines_attempts(ngx_http_atelier_generation_t *g,
    at_buf_t *b);
static ngx_uint_t ngx_http_atelier_lines_ended(
    ngx_http_atelier_generation_t *g, ngx_http_atelier_attempt_t *a);
static ngx_int_t ngx_http_atelier_lines_begin(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g);
static ngx_int_t ngx_http_atelier_lines_put(ngx_http_request_t *r,
    at_str_t text, ngx_uint_t last);
static ngx_int_t ngx_http_atelier_lines_answer(ngx_http_request_t *r,
    ngx_uint_t status, at_str_t text);


static const char  ngx_http_atelier_lines_type[] = "application/x-ndjson";


void
ngx_http_atelier_lines_prepare(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_str_t  *accept;

    accept = ngx_http_atelier_find_header(&r->headers_in.headers, "accept");

    if (accept == NULL || !ngx_http_atelier_lines_accepted(accept)) {
        return;
    }

    g->lines.wanted = 1;
    g->lines.event.handler = ngx_http_atelier_lines_handler;
    g->lines.event.data = r->connection;
    g->lines.event.log = r->connection->log;
}


/* A wildcard is what everybody sends, and means the usual answer. */

static ngx_uint_t
ngx_http_atelier_lines_accepted(ngx_str_t *accept)
{
    u_char  *p, *comma, *end;

    end = accept->data + accept->len;

    for (p = accept->data; p < end; p = comma + 1) {
        comma = ngx_strlchr(p, end, ',');

        if (comma == NULL) {
            comma = end;
        }

        if (ngx_http_atelier_lines_is_type(p, comma)) {
            return 1;
        }
    }

    return 0;
}


/* "q=0" is a refusal; parameters beside it are not looked at. */

static ngx_uint_t
ngx_http_atelier_lines_is_type(u_char *p, u_char *end)
{
    size_t   len;
    u_char  *q;

    len = sizeof(ngx_http_atelier_lines_type) - 1;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if ((size_t) (end - p) < len
        || ngx_strncasecmp(p, (u_char *) ngx_http_atelier_lines_type, len)
           != 0)
    {
        return 0;
    }

    p += len;

    if (p < end && *p != ';' && *p != ' ' && *p != '\t') {
        return 0;
    }

    q = ngx_strlcasestrn(p, end, (u_char *) "q=", 2 - 1);
    if (q == NULL) {
        return 1;
    }

    for (q += 2; q < end; q++) {
        if (*q >= '1' && *q <= '9') {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_atelier_lines_wake(ngx_http_atelier_generation_t *g)
{
    if (g->lines.wanted && !g->finished) {
        ngx_post_event(&g->lines.event, &ngx_posted_events);
    }
}


void
ngx_http_atelier_lines_leave(ngx_http_atelier_generation_t *g)
{
    if (g->lines.event.posted) {
        ngx_delete_posted_event(&g->lines.event);
    }
}


static void
ngx_http_atelier_lines_handler(ngx_event_t *ev)
{
    ngx_int_t                       rc;
    ngx_connection_t               *c;
    ngx_http_request_t             *r;
    ngx_http_atelier_generation_t  *g;

    g = ngx_queue_data(ev, ngx_http_atelier_generation_t, lines.event);
    r = g->http;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (c->write->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;
        rc = NGX_HTTP_REQUEST_TIME_OUT;

    } else {
        rc = ngx_http_atelier_lines_tell(r, g);
    }

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_atelier_lines_tell(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    at_buf_t                   b;
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    if (!g->lines.begun) {
        rc = ngx_http_atelier_lines_begin(r, g);

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
        }
    }

    ngx_memzero(&b, sizeof(at_buf_t));
    rc = NGX_ERROR;

    if (ngx_http_atelier_lines_attempts(g, &b) == AT_OK) {
        rc = ngx_http_atelier_lines_put(r, at_buf_str(&b), 0);
    }

    at_buf_free(&b);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    /* as core's writer does it between two writes of an answer */

    wev = r->connection->write;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->connection->buffered) {
        ngx_add_timer(wev, clcf->send_timeout);

    } else if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


/* What has not been told yet. */

static int
ngx_http_atelier_lines_attempts(ngx_http_atelier_generation_t *g,
    at_buf_t *b)
{
    int                          rc;
    ngx_uint_t                   i;
    ngx_http_atelier_attempt_t  *a;

    rc = AT_OK;

    for (i = 0; i < g->nattempts; i++) {
        a = &g->attempts[i];

        if (a->lane && !a->told_start) {
            a->told_start = 1;

            rc |= at_buf_append_str(b, AT_STR("{\"type\":\"started\","
                                              "\"provider\":\""));
            rc |= at_buf_append_str(b,
                            ngx_http_atelier_str(&a->provider->party.name));
            rc |= at_buf_append_str(b, AT_STR("\"}\n"));
        }

        if (!a->told_end && ngx_http_atelier_lines_ended(g, a)) {
            a->told_end = 1;

            rc |= at_buf_append_str(b, AT_STR("{\"type\":\"attempt\","));
            rc |= ngx_http_atelier_generate_attempt_text(g, a, b);
            rc |= at_buf_append_str(b, AT_STR("}\n"));
        }
    }

    return rc;
}


/* One that is done has won or lost when the race is decided, not before. */

static ngx_uint_t
ngx_http_atelier_lines_ended(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_attempt_t *a)
{
    if (g->finished) {
        return 1;
    }

    if (a->lane == NULL) {
        return a->reservation.wait != 0;
    }

    if (a->lane->state == NGX_HTTP_ATELIER_LANE_DONE) {
        return g->winner != NULL;
    }

    return !ngx_http_atelier_lane_active(a->lane);
}


/* NGX_DECLINED: no lane is out yet. */

static ngx_int_t
ngx_http_atelier_lines_begin(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_http_atelier_ctx_t  *ctx;

    static ngx_str_t  no = ngx_string("no");

    for (i = 0; i < g->nattempts; i++) {
        if (g->attempts[i].lane) {
            break;
        }
    }

    if (i == g->nattempts) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    ctx->send = ngx_http_atelier_lines_answer;
    g->lines.begun = 1;

    /*
     * Compression would hold lines back.  The timer of limit_rate is the
     * client connection's, which the lanes' upstreams set and delete too.  And
     * no condition of the client's is about this answer.
     */

#if (NGX_HTTP_GZIP)
    r->gzip_tested = 1;
    r->gzip_ok = 0;
#endif

    r->limit_rate = 0;
    r->limit_rate_set = 1;
    r->disable_not_modified = 1;

    /* for an nginx in between */

    if (ngx_http_atelier_add_header(r, "X-Accel-Buffering", &no) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_atelier_send_header(r, NGX_HTTP_OK,
                                      ngx_http_atelier_lines_type, -1);

    return (rc == NGX_ERROR || rc > NGX_OK || r->header_only) ? NGX_ERROR
                                                              : NGX_OK;
}


/* Without a text, what is left from before. */

static ngx_int_t
ngx_http_atelier_lines_put(ngx_http_request_t *r, at_str_t text,
    ngx_uint_t last)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (text.len == 0) {
        return r->connection->buffered ? ngx_http_output_filter(r, NULL)
                                       : NGX_OK;
    }

    b = ngx_create_temp_buf(r->pool, text.len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, text.data, text.len);
    b->flush = 1;
    b->last_buf = last;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/*
 * In place of ngx_http_atelier_send(): its headers are members here.  Location
 * and Retry-After were added to those of the answer, which have been sent.
 */

static ngx_int_t
ngx_http_atelier_lines_answer(ngx_http_request_t *r, ngx_uint_t status,
    at_str_t text)
{
    int                      rc;
    at_buf_t                 b;
    ngx_int_t                sent;
    ngx_str_t               *location, *after;
    ngx_http_atelier_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_atelier_module);
    location = ngx_http_atelier_find_header(&r->headers_out.headers,
                                            "location");
    after = ngx_http_atelier_find_header(&r->headers_out.headers,
                                         "retry-after");

    while (text.len && text.data[text.len - 1] == '\n') {
        text.len--;
    }

    ngx_memzero(&b, sizeof(at_buf_t));

    rc = ngx_http_atelier_lines_attempts(ctx->generate, &b);
    rc |= at_buf_printf(&b, "{\"type\":\"answer\",\"status\":%u",
                        (unsigned) status);

    if (location) {
        rc |= at_buf_append_str(&b, AT_STR(",\"location\":"));
        rc |= at_json_write_string(&b, ngx_http_atelier_str(location));
    }

    if (after) {
        rc |= at_buf_append_str(&b, AT_STR(",\"retryAfter\":"));
        rc |= at_buf_append_str(&b, ngx_http_atelier_str(after));
    }

    rc |= at_buf_append_str(&b, AT_STR(",\"body\":"));
    rc |= at_buf_append_str(&b, text);
    rc |= at_buf_append_str(&b, AT_STR("}\n"));

    sent = (rc == AT_OK) ? ngx_http_atelier_lines_put(r, at_buf_str(&b), 1)
                         : NGX_ERROR;
    at_buf_free(&b);

    return (sent == NGX_AGAIN) ? NGX_OK : sent;
}


ngx_int_t
ngx_http_atelier_lines_failed(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_int_t  rc;

    if (!g->lines.begun) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_atelier_problem_status(r, NGX_HTTP_INTERNAL_SERVER_ERROR);

    /* a second header is not possible: the lines break off */

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}
