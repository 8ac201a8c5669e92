/*
 * Arguments that have been read before: where their page stands
 * (see ngx_http_atelier_feed.h).
 *
 * The id of a page follows from the bytes behind "?" alone, and those of the
 * first pages are the same for all readers; finding them here spares a hit of
 * L1 to bring the text into its normal form and to hash it, which is a third
 * of its own work.  One table in each process, in which the newer takes the
 * older one's place; the whole text is compared, so nobody can make two
 * queries meet.
 */

#include "ngx_http_atelier_feed.h"


#define NGX_HTTP_ATELIER_MEMOS     256         /* a power of two */
#define NGX_HTTP_ATELIER_MEMO_LEN  160         /* longer ones are not kept */


typedef struct {
    size_t                       len;          /* 0: free */
    ngx_http_atelier_page_id_t   id;
    u_char                       raw[NGX_HTTP_ATELIER_MEMO_LEN];
} ngx_http_atelier_memo_t;


static ngx_http_atelier_memo_t *ngx_http_atelier_memo(ngx_str_t *raw);


static ngx_http_atelier_memo_t
    ngx_http_atelier_memos[NGX_HTTP_ATELIER_MEMOS];


ngx_int_t
ngx_http_atelier_memo_get(ngx_str_t *raw, ngx_http_atelier_page_id_t *id)
{
    ngx_http_atelier_memo_t  *memo;

    memo = ngx_http_atelier_memo(raw);

    if (memo == NULL || memo->len != raw->len
        || ngx_memcmp(memo->raw, raw->data, raw->len) != 0)
    {
        return NGX_DECLINED;
    }

    *id = memo->id;

    return NGX_OK;
}


void
ngx_http_atelier_memo_put(ngx_str_t *raw, const ngx_http_atelier_page_id_t *id)
{
    ngx_http_atelier_memo_t  *memo;

    memo = ngx_http_atelier_memo(raw);

    if (memo) {
        memo->len = raw->len;
        memo->id = *id;
        ngx_memcpy(memo->raw, raw->data, raw->len);
    }
}


static ngx_http_atelier_memo_t *
ngx_http_atelier_memo(ngx_str_t *raw)
{
    if (raw->len == 0 || raw->len > NGX_HTTP_ATELIER_MEMO_LEN) {
        return NULL;
    }

    return &ngx_http_atelier_memos[ngx_murmur_hash2(raw->data, raw->len)
                                   & (NGX_HTTP_ATELIER_MEMOS - 1)];
}
