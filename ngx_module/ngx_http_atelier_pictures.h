/*
 * Pictures on disk: written byte for byte by a thread, to a temporary name
 * first, and renamed when whole, so a name that exists is a whole picture.
 */

#ifndef NGX_HTTP_ATELIER_PICTURES_H
#define NGX_HTTP_ATELIER_PICTURES_H


#include "ngx_http_atelier.h"
#include "ai/at_ai.h"


#define NGX_HTTP_ATELIER_ID_LEN  32      /* 128 random bits in hex */


struct ngx_http_atelier_pictures_s {
    ngx_path_t                   *path;
    ngx_str_t                     uri;       /* "/generated/" */
    ngx_flag_t                    fsync;
    ngx_msec_t                    keep;      /* 0: for ever */
    ngx_thread_pool_t            *threads;
    ngx_http_atelier_place_t      place;
};


/*
 * Called from the event loop, never from within the store call.  NGX_DECLINED:
 * there is a picture of that id already, and it stays.
 */
typedef void (*ngx_http_atelier_stored_pt)(ngx_http_request_t *r,
    ngx_int_t rc);


/* Likewise.  NGX_DECLINED: there is no such picture. */
typedef void (*ngx_http_atelier_found_pt)(ngx_http_request_t *r,
    ngx_int_t rc, at_image_t *image);


/* atelier_pictures path [uri=/generated/] [fsync=on|off] [keep=time]; */
char *ngx_http_atelier_pictures(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* A new name of NGX_HTTP_ATELIER_ID_LEN characters. */
ngx_int_t ngx_http_atelier_pictures_id(u_char *id);

/*
 * Stores the bytes as {id}.{extension}.  On NGX_OK the buffer has been taken
 * (it is empty then) and stored() follows, unless the request ends before: the
 * picture is removed again then.  NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_http_atelier_pictures_store(ngx_http_request_t *r,
    at_buf_t *bytes, const u_char *id, const char *extension,
    ngx_http_atelier_stored_pt stored);

/*
 * Looks for the picture of this id.  On NGX_OK found() follows, unless the
 * request ends before.  NGX_ERROR: no memory, or too much to do.
 */
ngx_int_t ngx_http_atelier_pictures_find(ngx_http_request_t *r,
    const u_char *id, ngx_http_atelier_found_pt found);

/* Whatever picture has this id; in a while, and logged if not. */
void ngx_http_atelier_pictures_remove(ngx_http_atelier_pictures_t *p,
    const u_char *id);

/* In each worker: pictures that are older than keep= are removed. */
void ngx_http_atelier_sweep_init_process(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_ATELIER_PICTURES_H */
