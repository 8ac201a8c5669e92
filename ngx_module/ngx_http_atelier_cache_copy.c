/*
 * L1: copies of pages for those who send them (see ngx_http_atelier_cache.h).
 *
 * A copy holds link, tag and one form of the body, and is shared by all
 * requests of this worker that send it: it is counted, and freed with the pool
 * of the last of them.  The newest ones are kept in a small table, so that a
 * page that many ask for is not copied for each.  The table is the process's
 * own, so nothing of it has to be cleared up when a worker dies.
 *
 * A copy is found by the serial number of what it was made of, which is never
 * used twice: a page that is stored anew is copied anew.
 */

#include "ngx_http_atelier_cache_internal.h"


/* A power of two.  With the bound of a copy: the most that a worker keeps. */
#define NGX_HTTP_ATELIER_COPIES    128
#define NGX_HTTP_ATELIER_COPY_MAX  (64 * 1024)


struct ngx_http_atelier_copy_s {
    ngx_uint_t    refs;
    ngx_uint_t    serial;
    ngx_uint_t    gzip;
    u_char        data[];
};


static void ngx_http_atelier_copy_layout(ngx_http_atelier_paged_t *item,
    ngx_uint_t gzip, u_char *data, ngx_http_atelier_page_t *page);
static void ngx_http_atelier_copy_release(ngx_http_atelier_copy_t *copy);
static void ngx_http_atelier_copy_cleanup(void *data);


static ngx_http_atelier_copy_t  *ngx_http_atelier_copies[
                                                    NGX_HTTP_ATELIER_COPIES];


ngx_http_atelier_copy_t *
ngx_http_atelier_cache_copy(ngx_http_atelier_paged_t *item, ngx_uint_t gzip,
    ngx_http_atelier_page_t *page)
{
    size_t                     head, len;
    u_char                    *from;
    ngx_http_atelier_copy_t   *copy, **slot;

    gzip = (gzip && item->gzip_len);

    slot = &ngx_http_atelier_copies[(2 * item->serial + gzip)
                                    & (NGX_HTTP_ATELIER_COPIES - 1)];
    copy = *slot;

    if (copy == NULL || copy->serial != item->serial || copy->gzip != gzip) {

        head = item->link_len + item->tag_len;
        len = gzip ? item->gzip_len : item->plain_len;

        copy = ngx_alloc(sizeof(ngx_http_atelier_copy_t) + head + len,
                         ngx_cycle->log);
        if (copy == NULL) {
            return NULL;
        }

        copy->refs = 0;
        copy->serial = item->serial;
        copy->gzip = gzip;

        /* the order in an item: text, link, tag, seen, gzip, plain */

        from = item->data + item->item.text_len;
        ngx_memcpy(copy->data, from, head);

        from += head + item->seen_len + (gzip ? 0 : item->gzip_len);
        ngx_memcpy(copy->data + head, from, len);

        if (head + len <= NGX_HTTP_ATELIER_COPY_MAX) {

            if (*slot) {
                ngx_http_atelier_copy_release(*slot);
            }

            *slot = copy;
            copy->refs++;
        }
    }

    copy->refs++;

    ngx_http_atelier_copy_layout(item, gzip, copy->data, page);

    return copy;
}


static void
ngx_http_atelier_copy_layout(ngx_http_atelier_paged_t *item, ngx_uint_t gzip,
    u_char *data, ngx_http_atelier_page_t *page)
{
    page->link.len = item->link_len;
    page->link.data = data;
    page->tag.len = item->tag_len;
    page->tag.data = data + item->link_len;

    data += item->link_len + item->tag_len;

    if (gzip) {
        page->gzip.len = item->gzip_len;
        page->gzip.data = data;

    } else {
        page->plain.len = item->plain_len;
        page->plain.data = data;
    }
}


ngx_int_t
ngx_http_atelier_copy_keep(ngx_http_atelier_copy_t *copy, ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(pool, 0);

    if (cln == NULL) {
        ngx_http_atelier_copy_release(copy);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_atelier_copy_cleanup;
    cln->data = copy;

    return NGX_OK;
}


static void
ngx_http_atelier_copy_cleanup(void *data)
{
    ngx_http_atelier_copy_release(data);
}


static void
ngx_http_atelier_copy_release(ngx_http_atelier_copy_t *copy)
{
    if (--copy->refs == 0) {
        ngx_free(copy);
    }
}
