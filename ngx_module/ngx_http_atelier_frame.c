/*
 * Frames in memory (see ngx_http_atelier_frame.h): a block from malloc that
 * is freed with its last reference, and with it its compressed form.
 */

#include "ngx_http_atelier_frame.h"


static ngx_http_atelier_frame_t *ngx_http_atelier_frame_alloc(size_t len);
static void ngx_http_atelier_frame_deflate(ngx_http_atelier_frame_t *frame);


/* This worker's; made when it is first needed, and gone with the process. */
static at_ws_deflate_t  *ngx_http_atelier_deflate;


static ngx_http_atelier_frame_t *
ngx_http_atelier_frame_alloc(size_t len)
{
    ngx_http_atelier_frame_t  *frame;

    if (len > NGX_MAX_SIZE_T_VALUE - sizeof(ngx_http_atelier_frame_t)) {
        return NULL;
    }

    frame = ngx_alloc(offsetof(ngx_http_atelier_frame_t, data) + len,
                      ngx_cycle->log);
    if (frame == NULL) {
        return NULL;
    }

    ngx_memzero(frame, offsetof(ngx_http_atelier_frame_t, data));

    frame->refs = 1;
    frame->len = len;

    return frame;
}


ngx_http_atelier_frame_t *
ngx_http_atelier_frame(unsigned first, at_str_t payload)
{
    size_t                     head;
    ngx_http_atelier_frame_t  *frame;

    head = at_ws_head_size(payload.len);

    if (payload.len > NGX_MAX_SIZE_T_VALUE - head) {
        return NULL;
    }

    frame = ngx_http_atelier_frame_alloc(head + payload.len);
    if (frame == NULL) {
        return NULL;
    }

    frame->payload = payload.len;
    frame->text = (first == AT_WS_TEXT);

    at_ws_head_write(frame->data, first, payload.len);

    if (payload.len) {
        ngx_memcpy(frame->data + head, payload.data, payload.len);
    }

    return frame;
}


ngx_http_atelier_frame_t *
ngx_http_atelier_frame_close(unsigned code, const char *reason)
{
    at_buf_t                   b;
    ngx_http_atelier_frame_t  *frame;

    ngx_memzero(&b, sizeof(at_buf_t));
    frame = NULL;

    if (at_ws_frame_close(&b, code,
                          (at_str_t) { ngx_strlen(reason), reason })
        == AT_OK)
    {
        frame = ngx_http_atelier_frame_alloc(b.len);
    }

    if (frame) {
        ngx_memcpy(frame->data, b.data, b.len);
    }

    at_buf_free(&b);

    return frame;
}


void
ngx_http_atelier_frame_unref(ngx_http_atelier_frame_t *frame)
{
    if (--frame->refs) {
        return;
    }

    if (frame->deflated) {
        ngx_http_atelier_frame_unref(frame->deflated);
    }

    ngx_free(frame);
}


ngx_http_atelier_frame_t *
ngx_http_atelier_frame_for(ngx_http_atelier_frame_t *frame, unsigned window)
{
    if (!frame->text || frame->payload < AT_WS_DEFLATE_MIN
        || !at_ws_deflate_fits(window, frame->payload))
    {
        return frame;
    }

    if (!frame->tried) {
        frame->tried = 1;
        ngx_http_atelier_frame_deflate(frame);
    }

    return frame->deflated ? frame->deflated : frame;
}


/* Without memory the frame is sent as it is. */

static void
ngx_http_atelier_frame_deflate(ngx_http_atelier_frame_t *frame)
{
    at_buf_t  b;
    at_str_t  payload;

    if (ngx_http_atelier_deflate == NULL) {
        ngx_http_atelier_deflate = at_ws_deflate_create();

        if (ngx_http_atelier_deflate == NULL) {
            return;
        }
    }

    payload.len = frame->payload;
    payload.data = (const char *) frame->data + frame->len - frame->payload;

    ngx_memzero(&b, sizeof(at_buf_t));

    if (at_ws_deflate(ngx_http_atelier_deflate, payload, &b) == AT_OK) {
        frame->deflated = ngx_http_atelier_frame(AT_WS_TEXT|AT_WS_RSV1,
                                                 at_buf_str(&b));
    }

    at_buf_free(&b);
}
