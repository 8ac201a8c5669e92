/*
 * Readers who wait for the same page, which a flight of /designs or /products
 * gets them.
 *
 * A flight has them in a member, stands in a table by the id of its page from
 * when it is created until it has the answer, and does not end with them: each
 * may leave, and all of them.  A reader lives in his request's pool, whose
 * cleanup takes him out.
 */

#ifndef NGX_HTTP_ATELIER_READERS_H
#define NGX_HTTP_ATELIER_READERS_H


#include "ngx_http_atelier_page.h"


#define NGX_HTTP_ATELIER_READERS_BUCKETS  256


/* Returns what goes to ngx_http_finalize_request(); data is the flight. */
typedef ngx_int_t (*ngx_http_atelier_answer_pt)(void *data,
    ngx_http_request_t *r, ngx_http_atelier_cache_e how);


/* Of one worker; zeroes are an empty one. */
typedef struct {
    ngx_queue_t                        buckets[
                                           NGX_HTTP_ATELIER_READERS_BUCKETS];
} ngx_http_atelier_readers_table_t;


typedef struct {
    ngx_queue_t                        queue;    /* of its bucket */
    ngx_queue_t                        waiting;
    const ngx_http_atelier_page_id_t  *id;       /* as asked for */
    ngx_http_atelier_answer_pt         answer;
    void                              *data;
} ngx_http_atelier_readers_t;


typedef struct {
    ngx_queue_t                        queue;
    ngx_http_request_t                *request;
    ngx_http_atelier_readers_t        *readers;  /* NULL: he waits no more */
} ngx_http_atelier_reader_t;


/* Those who wait for this page, or NULL: there is no flight of it. */
ngx_http_atelier_readers_t *ngx_http_atelier_readers_find(
    ngx_http_atelier_readers_table_t *table,
    const ngx_http_atelier_page_id_t *id);

/* The caller has set id, answer and data. */
void ngx_http_atelier_readers_init(ngx_http_atelier_readers_table_t *table,
    ngx_http_atelier_readers_t *readers);

/* Whoever asks for the page from now on starts another flight. */
void ngx_http_atelier_readers_close(ngx_http_atelier_readers_t *readers);

/* Answers and ends all requests that wait. */
void ngx_http_atelier_readers_answer(ngx_http_atelier_readers_t *readers,
    ngx_http_atelier_cache_e how);

/* A reader who waits for nothing yet; NULL without memory. */
ngx_http_atelier_reader_t *ngx_http_atelier_reader_create(
    ngx_http_request_t *r);

void ngx_http_atelier_reader_join(ngx_http_atelier_reader_t *reader,
    ngx_http_atelier_readers_t *readers);

/* From here on he is noticed if he leaves.  Returns what the handler does. */
ngx_int_t ngx_http_atelier_reader_wait(ngx_http_atelier_reader_t *reader);


#endif /* NGX_HTTP_ATELIER_READERS_H */
