/*
 * Readers who wait for the same page (see ngx_http_atelier_readers.h).
 */

#include "ngx_http_atelier_readers.h"


static ngx_queue_t *ngx_http_atelier_readers_bucket(
    ngx_http_atelier_readers_table_t *table,
    const ngx_http_atelier_page_id_t *id);
static void ngx_http_atelier_reader_leave(void *data);


ngx_http_atelier_readers_t *
ngx_http_atelier_readers_find(ngx_http_atelier_readers_table_t *table,
    const ngx_http_atelier_page_id_t *id)
{
    ngx_queue_t                 *q, *bucket;
    ngx_http_atelier_readers_t  *readers;

    bucket = ngx_http_atelier_readers_bucket(table, id);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        readers = ngx_queue_data(q, ngx_http_atelier_readers_t, queue);

        if (ngx_memcmp(readers->id, id, sizeof(ngx_http_atelier_page_id_t))
            == 0)
        {
            return readers;
        }
    }

    return NULL;
}


void
ngx_http_atelier_readers_init(ngx_http_atelier_readers_table_t *table,
    ngx_http_atelier_readers_t *readers)
{
    ngx_queue_init(&readers->waiting);

    ngx_queue_insert_tail(ngx_http_atelier_readers_bucket(table, readers->id),
                          &readers->queue);
}


static ngx_queue_t *
ngx_http_atelier_readers_bucket(ngx_http_atelier_readers_table_t *table,
    const ngx_http_atelier_page_id_t *id)
{
    ngx_queue_t  *bucket;

    bucket = &table->buckets[id->feed[0]];

    if (bucket->next == NULL) {
        ngx_queue_init(bucket);
    }

    return bucket;
}


void
ngx_http_atelier_readers_close(ngx_http_atelier_readers_t *readers)
{
    ngx_queue_remove(&readers->queue);
    ngx_queue_init(&readers->queue);
}


void
ngx_http_atelier_readers_answer(ngx_http_atelier_readers_t *readers,
    ngx_http_atelier_cache_e how)
{
    ngx_int_t                   rc;
    ngx_queue_t                *q;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_atelier_reader_t  *reader;

    while (!ngx_queue_empty(&readers->waiting)) {
        q = ngx_queue_head(&readers->waiting);
        reader = ngx_queue_data(q, ngx_http_atelier_reader_t, queue);

        ngx_http_atelier_reader_leave(reader);

        r = reader->request;
        c = r->connection;

        ngx_http_set_log_request(c->log, r);

        rc = readers->answer(readers->data, r, how);

        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}


ngx_http_atelier_reader_t *
ngx_http_atelier_reader_create(ngx_http_request_t *r)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_atelier_reader_t  *reader;

    reader = ngx_pcalloc(r->pool, sizeof(ngx_http_atelier_reader_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (reader == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_atelier_reader_leave;
    cln->data = reader;
    reader->request = r;

    return reader;
}


void
ngx_http_atelier_reader_join(ngx_http_atelier_reader_t *reader,
    ngx_http_atelier_readers_t *readers)
{
    reader->readers = readers;
    ngx_queue_insert_tail(&readers->waiting, &reader->queue);
}


ngx_int_t
ngx_http_atelier_reader_wait(ngx_http_atelier_reader_t *reader)
{
    ngx_http_request_t  *r;

    r = reader->request;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_atelier_reader_leave(void *data)
{
    ngx_http_atelier_reader_t *reader = data;

    if (reader->readers) {
        ngx_queue_remove(&reader->queue);
        reader->readers = NULL;
    }
}
