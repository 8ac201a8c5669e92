/*
 * Equal requests with a seed at the same time: the picture would be the same,
 * so one of them in each worker is served, and the others get what it gets.
 *
 * The first one stands in a table of its worker until it ends; those who wait
 * stand in its list.  When it ends each of them is woken by an event of its
 * own: with the answer, with the same failure, or, if there was none that
 * would hold for all (the first one's client has left), to go on by itself,
 * in which the first of them becomes the first one of the rest.
 */

#include "ngx_http_atelier_generate.h"


#define NGX_HTTP_ATELIER_TWINS  64              /* lists of the table */


static ngx_queue_t *ngx_http_atelier_twins_list(
    ngx_http_atelier_generation_t *g);
static void ngx_http_atelier_twins_wake(ngx_event_t *ev);


/* In each worker. */
static ngx_queue_t  ngx_http_atelier_twins[NGX_HTTP_ATELIER_TWINS];


ngx_int_t
ngx_http_atelier_twins_join(ngx_http_request_t *r,
    ngx_http_atelier_generation_t *g)
{
    ngx_queue_t                    *list, *q;
    ngx_http_atelier_generation_t  *first;

    if (ngx_http_atelier_queue_text(g) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    list = ngx_http_atelier_twins_list(g);

    for (q = ngx_queue_head(list);
         q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q))
    {
        first = ngx_queue_data(q, ngx_http_atelier_generation_t, twin.queue);

        if (ngx_memcmp(first->hash, g->hash, AT_HASH_BYTES) != 0) {
            continue;
        }

        g->twin.waits = 1;
        g->twin.listed = 1;
        g->twin.wake.handler = ngx_http_atelier_twins_wake;
        g->twin.wake.data = r->connection;
        g->twin.wake.log = r->connection->log;

        ngx_queue_insert_tail(&first->twin.waiting, &g->twin.queue);

        r->write_event_handler = ngx_http_request_empty_handler;

        return (ngx_http_atelier_generate_watch(r, g) == NGX_OK)
               ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g->twin.first = 1;
    g->twin.listed = 1;
    ngx_queue_init(&g->twin.waiting);
    ngx_queue_insert_tail(list, &g->twin.queue);

    return NGX_DECLINED;
}


static ngx_queue_t *
ngx_http_atelier_twins_list(ngx_http_atelier_generation_t *g)
{
    ngx_uint_t  i;

    if (ngx_http_atelier_twins[0].next == NULL) {
        for (i = 0; i < NGX_HTTP_ATELIER_TWINS; i++) {
            ngx_queue_init(&ngx_http_atelier_twins[i]);
        }
    }

    return &ngx_http_atelier_twins[g->hash[0] % NGX_HTTP_ATELIER_TWINS];
}


/* Its answer, if there is one, is copied: g may end before the others wake. */

void
ngx_http_atelier_twins_end(ngx_http_atelier_generation_t *g,
    ngx_http_atelier_result_e result)
{
    ngx_queue_t                    *q, *next;
    ngx_http_atelier_generation_t  *other;

    if (!g->twin.first || !g->twin.listed) {
        return;
    }

    ngx_queue_remove(&g->twin.queue);
    g->twin.listed = 0;

    for (q = ngx_queue_head(&g->twin.waiting);
         q != ngx_queue_sentinel(&g->twin.waiting);
         q = next)
    {
        next = ngx_queue_next(q);
        other = ngx_queue_data(q, ngx_http_atelier_generation_t, twin.queue);

        other->twin.listed = 0;
        other->twin.result = result;

        if (result == NGX_HTTP_ATELIER_RESULT_DONE
            && at_buf_append_str(&other->answer, at_buf_str(&g->answer))
               != AT_OK)
        {
            other->twin.result = NGX_HTTP_ATELIER_RESULT_FAILED;
        }

        g->twin.shared |= (other->twin.result
                           == NGX_HTTP_ATELIER_RESULT_DONE);

        ngx_post_event(&other->twin.wake, &ngx_posted_events);
    }
}


static void
ngx_http_atelier_twins_wake(ngx_event_t *ev)
{
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_http_atelier_generation_t  *g;

    g = ngx_queue_data(ev, ngx_http_atelier_generation_t, twin.wake);
    r = g->http;

    ngx_http_set_log_request(r->connection->log, r);

    g->twin.waits = 0;

    switch (g->twin.result) {

    case NGX_HTTP_ATELIER_RESULT_DONE:
        rc = ngx_http_atelier_generate_again(r, g,
                                             NGX_HTTP_ATELIER_RESULT_SHARED);
        break;

    case NGX_HTTP_ATELIER_RESULT_MODERATED:
    case NGX_HTTP_ATELIER_RESULT_REJECTED:
        rc = ngx_http_atelier_generate_failed(r, g, g->twin.result);
        break;

    case NGX_HTTP_ATELIER_RESULT_QUEUED:
    case NGX_HTTP_ATELIER_RESULT_UNAVAILABLE:
        rc = ngx_http_atelier_generate_failed(r, g,
                                         NGX_HTTP_ATELIER_RESULT_UNAVAILABLE);
        break;

    default: /* nothing that holds for others */
        rc = ngx_http_atelier_generate_next(r, g);
    }

    ngx_http_atelier_generate_over(g, rc);
}


/* The request ends.  A first one has told its end before. */

void
ngx_http_atelier_twins_leave(ngx_http_atelier_generation_t *g)
{
    ngx_http_atelier_twins_end(g, NGX_HTTP_ATELIER_RESULT_ABORTED);

    if (!g->twin.waits) {
        return;
    }

    g->twin.waits = 0;

    if (g->twin.listed) {
        ngx_queue_remove(&g->twin.queue);
        g->twin.listed = 0;
    }

    if (g->twin.wake.posted) {
        ngx_delete_posted_event(&g->twin.wake);
    }
}
