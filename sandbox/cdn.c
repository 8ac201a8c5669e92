/*
 * The pictures of image sources, drawn when asked for.
 *
 *     /{p}/{the real host}/{photo}/{the real path}
 *     /{p}/v1/images/{photo as UUID}/thumb/
 *
 * The photo's name says all there is to draw, so nothing has to be kept; what
 * was drawn last is, in a ring bounded in pictures and bytes under this
 * file's lock, because feeds ask for the same thumbnails again.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"


#define SB_CDN_KEPT    2048
#define SB_CDN_BYTES   ((size_t) 64 * 1024 * 1024)
#define SB_CDN_EXPIRE  86400


typedef struct {
    uint64_t     key;
    const char  *type;
    char        *data;                  /* NULL: none */
    size_t       len;
} sb_cdn_kept_t;


static pthread_mutex_t  sb_cdn_lock = PTHREAD_MUTEX_INITIALIZER;
static sb_cdn_kept_t    sb_cdn_kept[SB_CDN_KEPT];
static size_t           sb_cdn_bytes;
static size_t           sb_cdn_next;


/* In a set of eight by its key: found without a walk over all. */

static sb_cdn_kept_t *
sb_cdn_set(uint64_t key)
{
    return &sb_cdn_kept[key % (SB_CDN_KEPT / 8) * 8];
}


int
sb_cdn_load(uint64_t key, sb_picture_t *p)
{
    int             i, rc;
    sb_cdn_kept_t  *set;

    rc = SB_ERROR;
    set = sb_cdn_set(key);

    pthread_mutex_lock(&sb_cdn_lock);

    for (i = 0; i < 8; i++) {
        if (set[i].data && set[i].key == key) {
            rc = sb_buf_add(&p->data, set[i].data, set[i].len);
            p->type = set[i].type;
            break;
        }
    }

    pthread_mutex_unlock(&sb_cdn_lock);

    return rc;
}


static void
sb_cdn_drop(sb_cdn_kept_t *k)
{
    if (k->data) {
        sb_cdn_bytes -= k->len;
        free(k->data);
        k->data = NULL;
    }
}


void
sb_cdn_store(uint64_t key, const sb_picture_t *p)
{
    char           *data;
    sb_cdn_kept_t  *k;

    data = malloc(p->data.len);
    if (data == NULL) {
        return;
    }

    memcpy(data, p->data.data, p->data.len);

    pthread_mutex_lock(&sb_cdn_lock);

    k = sb_cdn_set(key) + sb_cdn_next++ % 8;
    sb_cdn_drop(k);

    if (sb_cdn_bytes + p->data.len <= SB_CDN_BYTES) {
        k->key = key;
        k->type = p->type;
        k->data = data;
        k->len = p->data.len;
        sb_cdn_bytes += k->len;
        data = NULL;
    }

    pthread_mutex_unlock(&sb_cdn_lock);

    free(data);
}


void
sb_cdn_free(void)
{
    size_t  i;

    for (i = 0; i < SB_CDN_KEPT; i++) {
        sb_cdn_drop(&sb_cdn_kept[i]);
    }
}


/* Where an item's pictures are, up to and without the slash. */

void
sb_cdn_base(const sb_call_t *c, const sb_item_t *item, char *dst,
    size_t size)
{
    char         name[SB_PHOTO_NAME + 1];
    const char  *provider;

    static const char *const  hosts[SB_SOURCES] = {
        "images.pexels.com", "images.unsplash.com", "pixabay.com",
        "live.staticflickr.com", "upload.wikimedia.org",
        "images.rawpixel.com", "images.openverse.org"
    };
    static const char *const  names[SB_SOURCES] = {
        "pexels", "unsplash", "pixabay", "flickr", "wikimedia", "rawpixel",
        "openverse"
    };

    /* A copy is where the copied source has it. */

    provider = item->source == c->api->source->source
               ? c->provider->name : names[item->source];

    sb_photo_name(&item->photo, name);
    snprintf(dst, size, "%s/%s/%s/%s", sb_public_url(), provider,
             hosts[item->source], name);
}


static int
sb_cdn_photo(const sb_call_t *c, sb_photo_t *photo, const char **path)
{
    size_t       len;
    const char  *name;

    name = strncmp(c->rest, "/v1/images/", 11) == 0
           ? c->rest + 11 : strchr(c->rest + 1, '/') + 1;
    len = strcspn(name, "/");
    *path = name + len;

    return sb_photo_find(name, len, photo);
}


static int
sb_cdn_draw(sb_call_t *c, const sb_photo_t *photo,
    const sb_photo_view_t *view, sb_picture_t *p)
{
    int       rc;
    char      text[200], name[SB_PHOTO_NAME + 1];
    uint64_t  key;

    sb_photo_name(photo, name);
    snprintf(text, sizeof(text), "%s %.2f %.2f %u %u %u %u", name,
             view->width, view->height, view->crop, view->enlarge,
             (unsigned) view->format, view->quality);
    key = sb_hash(sb_hash(0xcbf29ce484222325u, text), view->label);

    if (sb_cdn_load(key, p) == SB_OK) {
        return SB_OK;
    }

    if (sb_drawing_take(c) != SB_OK) {
        return SB_ERROR;
    }

    rc = sb_photo_draw(photo, view, p);
    sb_drawing_give();

    if (rc == SB_OK) {
        sb_cdn_store(key, p);
    }

    return rc;
}


static void
sb_cdn_serve(sb_call_t *c, const sb_photo_t *photo, sb_photo_view_t *view,
    sb_picture_t *p)
{
    sb_job_t  job;

    memset(&job, 0, sizeof(sb_job_t));
    job.reply = SB_REPLY_RAW;
    job.n = 1;

    sb_decide(c);

    if (c->settings.format != SB_FORMAT_ASKED) {
        view->format = c->settings.format;
    }

    job.format = view->format;

    if (sb_source_meter(c) != SB_OK || sb_latency_sleep(c) != SB_OK
        || sb_fault_before(c, &job))
    {
        return;
    }

    view->format = job.format;

    if (sb_cdn_draw(c, photo, view, p) != SB_OK) {
        c->answer.deliver = SB_DELIVER_CLOSE;
        return;
    }

    if (sb_fault_pictures(c, &job, p) != SB_OK) {
        sb_fault_variant(c);
        return;
    }

    sb_answer_begin(c, 200, p->type);
    sb_answer_header(c, "Cache-Control", "public, max-age=%d", SB_CDN_EXPIRE);
    sb_buf_add(&c->answer.body, p->data.data, p->data.len);
    sb_fault_after(c, &job);
}


void
sb_serve_photo(sb_call_t *c)
{
    const char       *path;
    sb_photo_t        photo;
    sb_picture_t      p;
    sb_photo_view_t   view;

    memset(&view, 0, sizeof(sb_photo_view_t));
    memset(&p, 0, sizeof(sb_picture_t));
    view.format = SB_FORMAT_JPEG;
    view.label = c->provider->name;

    if (sb_call_header(c, "Authorization")) {
        sb_count(c, SB_COUNT_LEAKS, 1);
    }

    if (strcmp(c->method, "GET") != 0) {
        sb_refuse(c, 405, "method_not_allowed", NULL, "GET only");

    } else if (sb_cdn_photo(c, &photo, &path) != SB_OK) {
        sb_refuse(c, 404, "not_found", NULL, "There is no such picture.");

    } else if (c->api->source->look(c, path, &view) == SB_OK) {
        sb_cdn_serve(c, &photo, &view, &p);
    }

    sb_buf_free(&p.data);
    sb_buf_free(&p.b64);
}
