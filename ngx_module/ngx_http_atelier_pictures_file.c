/*
 * Pictures that are on disk already: looked for, and removed, by a thread.
 *
 * An errand is one block of the heap, as a job of
 * ngx_http_atelier_pictures.c is, and shares no more than that with its
 * request: errand->request is cleared when that ends.
 */

#include "ngx_http_atelier_pictures.h"


/* A worker that shuts down waits for its threads by a timer, of so many ms. */
#define NGX_HTTP_ATELIER_FILE_HOLD  60000


typedef struct {
    ngx_thread_task_t             task;
    ngx_event_t                   hold;
    ngx_http_request_t           *request;     /* NULL: it has ended */
    ngx_http_cleanup_t           *cleanup;     /* of the request */
    ngx_http_atelier_found_pt     found;       /* NULL: it removes */
    ngx_int_t                     rc;
    at_image_t                    image;
    char                         *name;        /* ends with the id */
    char                         *end;         /* where ".png" goes */
} ngx_http_atelier_file_t;


static ngx_http_atelier_file_t *ngx_http_atelier_file_create(
    ngx_http_atelier_pictures_t *p, const u_char *id);
static ngx_int_t ngx_http_atelier_file_post(ngx_http_atelier_pictures_t *p,
    ngx_http_atelier_file_t *file);
static void ngx_http_atelier_file_detach(void *data);
static void ngx_http_atelier_file_hold(ngx_event_t *ev);
static void ngx_http_atelier_file_thread(void *data, ngx_log_t *log);
static ngx_int_t ngx_http_atelier_file_look(ngx_http_atelier_file_t *file);
static ngx_int_t ngx_http_atelier_file_inspect(ngx_http_atelier_file_t *file,
    int fd);
static void ngx_http_atelier_file_done(ngx_event_t *ev);


static const at_image_type_e  ngx_http_atelier_file_types[] = {
    AT_IMAGE_PNG, AT_IMAGE_JPEG, AT_IMAGE_WEBP
};

#define NGX_HTTP_ATELIER_FILE_TYPES  3


ngx_int_t
ngx_http_atelier_pictures_find(ngx_http_request_t *r, const u_char *id,
    ngx_http_atelier_found_pt found)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_atelier_file_t       *file;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    file = ngx_http_atelier_file_create(amcf->pictures, id);
    if (file == NULL) {
        return NGX_ERROR;
    }

    file->found = found;

    if (ngx_http_atelier_file_post(amcf->pictures, file) != NGX_OK) {
        return NGX_ERROR;
    }

    file->request = r;
    file->cleanup = cln;

    cln->handler = ngx_http_atelier_file_detach;
    cln->data = file;

    return NGX_OK;
}


void
ngx_http_atelier_pictures_remove(ngx_http_atelier_pictures_t *p,
    const u_char *id)
{
    ngx_http_atelier_file_t  *file;

    file = ngx_http_atelier_file_create(p, id);

    if (file == NULL || ngx_http_atelier_file_post(p, file) != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "atelier: picture \"%*s\" could not be removed",
                      (size_t) NGX_HTTP_ATELIER_ID_LEN, id);
    }
}


static ngx_http_atelier_file_t *
ngx_http_atelier_file_create(ngx_http_atelier_pictures_t *p, const u_char *id)
{
    u_char                   *end;
    ngx_http_atelier_file_t  *file;

    file = ngx_calloc(sizeof(ngx_http_atelier_file_t) + p->path->name.len + 1
                      + NGX_HTTP_ATELIER_ID_LEN + sizeof(".webp"),
                      ngx_cycle->log);
    if (file == NULL) {
        return NULL;
    }

    file->name = (char *) file + sizeof(ngx_http_atelier_file_t);

    end = ngx_sprintf((u_char *) file->name, "%V/%*s", &p->path->name,
                      (size_t) NGX_HTTP_ATELIER_ID_LEN, id);
    file->end = (char *) end;

    file->task.ctx = file;
    file->task.handler = ngx_http_atelier_file_thread;
    file->task.event.data = file;
    file->task.event.handler = ngx_http_atelier_file_done;
    file->task.event.log = ngx_cycle->log;

    file->hold.data = file;
    file->hold.handler = ngx_http_atelier_file_hold;
    file->hold.log = ngx_cycle->log;

    return file;
}


/* NGX_ERROR: the file is freed. */

static ngx_int_t
ngx_http_atelier_file_post(ngx_http_atelier_pictures_t *p,
    ngx_http_atelier_file_t *file)
{
    if (ngx_thread_task_post(p->threads, &file->task) != NGX_OK) {
        ngx_free(file);
        return NGX_ERROR;
    }

    ngx_add_timer(&file->hold, NGX_HTTP_ATELIER_FILE_HOLD);

    return NGX_OK;
}


static void
ngx_http_atelier_file_detach(void *data)
{
    ngx_http_atelier_file_t *file = data;

    file->request = NULL;
}


static void
ngx_http_atelier_file_hold(ngx_event_t *ev)
{
    ngx_http_atelier_file_t *file = ev->data;

    ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                  "atelier: the disk still has not answered for \"%s\"",
                  file->name);

    ngx_add_timer(ev, NGX_HTTP_ATELIER_FILE_HOLD);
}


/* In a thread of the pool. */

static void
ngx_http_atelier_file_thread(void *data, ngx_log_t *log)
{
    ngx_http_atelier_file_t *file = data;

    ngx_uint_t  i;

    file->rc = NGX_DECLINED;

    for (i = 0; i < NGX_HTTP_ATELIER_FILE_TYPES; i++) {
        file->image.type = ngx_http_atelier_file_types[i];

        file->end[0] = '.';
        (void) ngx_cpystrn((u_char *) file->end + 1,
                           (u_char *) at_image_extension(file->image.type),
                           sizeof("webp"));

        if (file->found == NULL) {
            (void) unlink(file->name);

        } else if (ngx_http_atelier_file_look(file) == NGX_OK) {
            file->rc = NGX_OK;
            return;
        }
    }
}


static ngx_int_t
ngx_http_atelier_file_look(ngx_http_atelier_file_t *file)
{
    int        fd;
    ngx_int_t  rc;

    fd = open(file->name, O_RDONLY|O_CLOEXEC|O_NOFOLLOW);
    if (fd == -1) {
        return NGX_DECLINED;
    }

    rc = ngx_http_atelier_file_inspect(file, fd);

    (void) close(fd);

    return rc;
}


/* What is there has been looked at before; its size is wanted again. */

static ngx_int_t
ngx_http_atelier_file_inspect(ngx_http_atelier_file_t *file, int fd)
{
    u_char      *p;
    size_t       len;
    ssize_t      n;
    ngx_int_t    rc;
    const char  *why;
    struct stat  st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size <= 0 || st.st_size > AT_AI_PICTURE_MAX)
    {
        return NGX_DECLINED;
    }

    p = malloc(st.st_size);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    for (len = 0; len < (size_t) st.st_size; len += n) {
        n = read(fd, p + len, st.st_size - len);

        if (n <= 0) {
            break;
        }
    }

    rc = (at_image_inspect(p, len, &file->image, &why) == AT_OK)
         ? NGX_OK : NGX_DECLINED;

    free(p);

    return rc;
}


/* Back in the event loop. */

static void
ngx_http_atelier_file_done(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_atelier_file_t  *file;

    file = ev->data;
    r = file->request;

    ngx_del_timer(&file->hold);

    if (r) {
        c = r->connection;
        ngx_http_set_log_request(c->log, r);

        /* the request's cleanup must not find what is freed here */

        file->cleanup->handler = NULL;
        file->found(r, file->rc, &file->image);

        ngx_http_run_posted_requests(c);
    }

    ngx_free(file);
}
