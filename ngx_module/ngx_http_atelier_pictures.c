/*
 * Pictures on disk (see ngx_http_atelier_pictures.h).
 *
 * A job is one block of the heap, owned by the thread pool from the post to
 * its completion event and by this file before and after it.  The request it
 * works for may end meanwhile; its cleanup handler then clears job->request,
 * and that is all the two share.  The thread touches nothing of nginx's but
 * the job.
 *
 * Waking a thread and being woken by it costs more than writing a small file,
 * so the jobs of one turn of the event loop go to one thread, as long as they
 * are few and small: a list that starts at the job whose task it is.
 */

#include "ngx_http_atelier_pictures.h"
#include "ngx_http_atelier_zone.h"

#include <sys/random.h>


/* How long a write may take before the log says so, in ms. */
#define NGX_HTTP_ATELIER_HOLD  60000

/* What one thread is given at a time. */
#define NGX_HTTP_ATELIER_LIST_JOBS   16
#define NGX_HTTP_ATELIER_LIST_BYTES  (128 * 1024)


typedef struct ngx_http_atelier_job_s  ngx_http_atelier_job_t;

struct ngx_http_atelier_job_s {
    ngx_thread_task_t             task;        /* of the list's first */
    ngx_http_atelier_job_t       *next;
    ngx_event_t                   hold;
    ngx_http_request_t           *request;     /* NULL: it has ended */
    ngx_http_cleanup_t           *cleanup;     /* of the request */
    ngx_http_atelier_stored_pt    stored;
    ngx_thread_pool_t            *threads;
    ngx_http_atelier_shared_t    *sh;
    at_buf_t                      bytes;
    ngx_err_t                     err;         /* set by the thread */
    const char                   *failed;      /* the call that failed */
    unsigned                      fsync:1;
    unsigned                      remove:1;
    unsigned                      taken:1;     /* the name, by another one */
    char                         *dir;         /* these three follow */
    char                         *temp;
    char                         *name;
};


/* The jobs of this turn; in each worker. */
typedef struct {
    ngx_event_t                   event;
    ngx_http_atelier_job_t       *first;
    ngx_http_atelier_job_t      **last;
} ngx_http_atelier_jobs_t;


static ngx_int_t ngx_http_atelier_pictures_keep(
    ngx_http_atelier_pictures_t *p, ngx_str_t *value);
static char *ngx_http_atelier_pictures_path(ngx_conf_t *cf,
    ngx_http_atelier_pictures_t *p, ngx_str_t *name);
static ngx_http_atelier_job_t *ngx_http_atelier_job_create(
    ngx_http_atelier_pictures_t *p, const u_char *id, const char *extension);
static void ngx_http_atelier_job_push(ngx_http_atelier_job_t *job);
static void ngx_http_atelier_jobs_handler(ngx_event_t *ev);
static void ngx_http_atelier_jobs_post(ngx_http_atelier_job_t *first);
static void ngx_http_atelier_job_free(ngx_http_atelier_job_t *job);
static void ngx_http_atelier_job_detach(void *data);
static void ngx_http_atelier_jobs_thread(void *data, ngx_log_t *log);
static void ngx_http_atelier_job_run(ngx_http_atelier_job_t *job);
static ngx_int_t ngx_http_atelier_job_write(ngx_http_atelier_job_t *job);
static int ngx_http_atelier_job_rename(ngx_http_atelier_job_t *job);
static ngx_int_t ngx_http_atelier_job_sync(ngx_http_atelier_job_t *job);
static void ngx_http_atelier_jobs_done(ngx_event_t *ev);
static void ngx_http_atelier_job_done(ngx_http_atelier_job_t *job);
static void ngx_http_atelier_job_gone(ngx_http_atelier_job_t *job);
static void ngx_http_atelier_job_hold(ngx_event_t *ev);


static ngx_http_atelier_jobs_t  ngx_http_atelier_jobs;


char *
ngx_http_atelier_pictures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_atelier_main_conf_t *amcf = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_atelier_pictures_t  *p;

    if (amcf->pictures) {
        return "is duplicate: there is one directory of pictures";
    }

    p = ngx_pcalloc(cf->pool, sizeof(ngx_http_atelier_pictures_t));
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    ngx_str_set(&p->uri, "/generated/");
    ngx_http_atelier_here(cf, &p->place);

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "uri=", 4) == 0) {
            p->uri.data = value[i].data + 4;
            p->uri.len = value[i].len - 4;

            if (p->uri.len == 0 || p->uri.data[0] != '/'
                || p->uri.data[p->uri.len - 1] != '/')
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" in \"atelier_pictures\": "
                                   "a uri starts and ends with \"/\"",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

        } else if (ngx_strcmp(value[i].data, "fsync=on") == 0) {
            p->fsync = 1;

        } else if (ngx_strcmp(value[i].data, "fsync=off") == 0) {
            p->fsync = 0;

        } else if (ngx_http_atelier_pictures_keep(p, &value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"atelier_pictures\": known are uri=/path/, "
                               "fsync=on|off, and keep= with a time such as "
                               "30d, or off", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    p->threads = ngx_thread_pool_add(cf, NULL);
    if (p->threads == NULL) {
        return NGX_CONF_ERROR;
    }

    amcf->pictures = p;

    return ngx_http_atelier_pictures_path(cf, p, &value[1]);
}


static ngx_int_t
ngx_http_atelier_pictures_keep(ngx_http_atelier_pictures_t *p,
    ngx_str_t *value)
{
    ngx_int_t  s;
    ngx_str_t  text;

    if (value->len < 6 || ngx_strncmp(value->data, "keep=", 5) != 0) {
        return NGX_ERROR;
    }

    text.data = value->data + 5;
    text.len = value->len - 5;

    if (ngx_strcmp(text.data, "off") == 0) {
        p->keep = 0;
        return NGX_OK;
    }

    s = ngx_parse_time(&text, 1);

    if (s == NGX_ERROR || s > 100 * 366 * 86400LL) {
        return NGX_ERROR;
    }

    p->keep = (ngx_msec_t) s * 1000;

    return NGX_OK;
}


/*
 * nginx creates the directory and gives it to the workers' user; its parents
 * are created here, for the workers to walk through.
 */

static char *
ngx_http_atelier_pictures_path(ngx_conf_t *cf, ngx_http_atelier_pictures_t *p,
    ngx_str_t *name)
{
    p->path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (p->path == NULL) {
        return NGX_CONF_ERROR;
    }

    p->path->name = *name;

    if (ngx_conf_full_name(cf->cycle, &p->path->name, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (p->path->name.len > 1
        && p->path->name.data[p->path->name.len - 1] == '/')
    {
        p->path->name.len--;
        p->path->name.data[p->path->name.len] = '\0';
    }

    if (ngx_create_full_path(p->path->name.data, 0755) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "the folders above \"%V\" cannot be made: make "
                           "them, or name another path in "
                           "\"atelier_pictures\"", &p->path->name);
        return NGX_CONF_ERROR;
    }

    p->path->conf_file = cf->conf_file->file.name.data;
    p->path->line = cf->conf_file->line;

    if (ngx_add_path(cf, &p->path) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_atelier_pictures_id(u_char *id)
{
    u_char  bits[NGX_HTTP_ATELIER_ID_LEN / 2];

    if (getrandom(bits, sizeof(bits), GRND_NONBLOCK)
        != (ssize_t) sizeof(bits))
    {
        return NGX_ERROR;
    }

    ngx_hex_dump(id, bits, sizeof(bits));

    return NGX_OK;
}


ngx_int_t
ngx_http_atelier_pictures_store(ngx_http_request_t *r, at_buf_t *bytes,
    const u_char *id, const char *extension,
    ngx_http_atelier_stored_pt stored)
{
    ngx_http_cleanup_t            *cln;
    ngx_http_atelier_job_t        *job;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_get_module_main_conf(r, ngx_http_atelier_module);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    job = ngx_http_atelier_job_create(amcf->pictures, id, extension);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->request = r;
    job->stored = stored;
    job->sh = amcf->zone->sh;
    job->bytes = *bytes;

    ngx_memzero(bytes, sizeof(at_buf_t));

    cln->handler = ngx_http_atelier_job_detach;
    cln->data = job;
    job->cleanup = cln;

    ngx_http_atelier_job_push(job);

    return NGX_OK;
}


static ngx_http_atelier_job_t *
ngx_http_atelier_job_create(ngx_http_atelier_pictures_t *p, const u_char *id,
    const char *extension)
{
    char                    *text;
    size_t                   dir, file;
    ngx_http_atelier_job_t  *job;

    static ngx_uint_t  number;

    dir = p->path->name.len + 1;
    file = p->path->name.len + sizeof("/.") + NGX_HTTP_ATELIER_ID_LEN
           + sizeof(".-.") + 2 * NGX_INT_T_LEN + ngx_strlen(extension);

    job = ngx_calloc(sizeof(ngx_http_atelier_job_t) + dir + 2 * file,
                     ngx_cycle->log);
    if (job == NULL) {
        return NULL;
    }

    text = (char *) job + sizeof(ngx_http_atelier_job_t);

    job->dir = text;
    job->temp = text + dir;
    job->name = text + dir + file;

    ngx_sprintf((u_char *) job->dir, "%V%Z", &p->path->name);

    /* a queued one is tried again, maybe after a crash left such a file */

    ngx_sprintf((u_char *) job->temp, "%V/.%*s.%P-%ui.%s%Z", &p->path->name,
                (size_t) NGX_HTTP_ATELIER_ID_LEN, id, ngx_pid, number++,
                extension);
    ngx_sprintf((u_char *) job->name, "%V/%*s.%s%Z", &p->path->name,
                (size_t) NGX_HTTP_ATELIER_ID_LEN, id, extension);

    job->fsync = p->fsync;
    job->threads = p->threads;

    job->task.ctx = job;
    job->task.handler = ngx_http_atelier_jobs_thread;
    job->task.event.data = job;
    job->task.event.handler = ngx_http_atelier_jobs_done;
    job->task.event.log = ngx_cycle->log;

    job->hold.data = job;
    job->hold.handler = ngx_http_atelier_job_hold;
    job->hold.log = ngx_cycle->log;

    return job;
}


static void
ngx_http_atelier_job_free(ngx_http_atelier_job_t *job)
{
    at_buf_free(&job->bytes);
    ngx_free(job);
}


/* Before the end of this turn the job is in a thread's hands. */

static void
ngx_http_atelier_job_push(ngx_http_atelier_job_t *job)
{
    ngx_http_atelier_jobs_t  *jobs;

    jobs = &ngx_http_atelier_jobs;

    if (jobs->first == NULL) {
        jobs->last = &jobs->first;

        jobs->event.handler = ngx_http_atelier_jobs_handler;
        jobs->event.data = &jobs->event;
        jobs->event.log = ngx_cycle->log;

        ngx_post_event(&jobs->event, &ngx_posted_events);
    }

    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
}


/* Cuts the jobs of this turn into lists. */

static void
ngx_http_atelier_jobs_handler(ngx_event_t *ev)
{
    size_t                   n, bytes;
    ngx_http_atelier_job_t  *first, *job, *next;

    first = ngx_http_atelier_jobs.first;
    ngx_http_atelier_jobs.first = NULL;

    n = 0;
    bytes = 0;

    for (job = first; job; job = next) {
        next = job->next;
        n++;
        bytes += job->bytes.len;

        if (next == NULL || n == NGX_HTTP_ATELIER_LIST_JOBS
            || bytes + next->bytes.len > NGX_HTTP_ATELIER_LIST_BYTES)
        {
            job->next = NULL;
            ngx_http_atelier_jobs_post(first);

            first = next;
            n = 0;
            bytes = 0;
        }
    }
}


/*
 * A worker that shuts down exits when no timer is left, whatever its threads
 * do: the list has one until it is back.
 */

static void
ngx_http_atelier_jobs_post(ngx_http_atelier_job_t *first)
{
    ngx_http_atelier_job_t  *job;

    if (ngx_thread_task_post(first->threads, &first->task) == NGX_OK) {
        ngx_add_timer(&first->hold, NGX_HTTP_ATELIER_HOLD);
        return;
    }

    for (job = first; job; job = job->next) {
        job->failed = "queueing";
    }

    ngx_http_atelier_jobs_done(&first->task.event);
}


static void
ngx_http_atelier_job_hold(ngx_event_t *ev)
{
    ngx_http_atelier_job_t *job = ev->data;

    ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                  "atelier: the disk still has not taken picture \"%s\"",
                  job->name);

    ngx_add_timer(ev, NGX_HTTP_ATELIER_HOLD);
}


/* The request ended before its picture was stored. */

static void
ngx_http_atelier_job_detach(void *data)
{
    ngx_http_atelier_job_t *job = data;

    job->request = NULL;
}


/* In a thread of the pool. */

static void
ngx_http_atelier_jobs_thread(void *data, ngx_log_t *log)
{
    ngx_http_atelier_job_t *first = data;

    ngx_http_atelier_job_t  *job;

    for (job = first; job; job = job->next) {
        ngx_http_atelier_job_run(job);
    }
}


static void
ngx_http_atelier_job_run(ngx_http_atelier_job_t *job)
{
    if (job->remove) {
        (void) unlink(job->name);
        return;
    }

    if (ngx_http_atelier_job_write(job) != NGX_OK) {
        (void) unlink(job->temp);
        return;
    }

    if (ngx_http_atelier_job_rename(job) == -1) {
        job->err = ngx_errno;
        job->taken = (job->err == NGX_EEXIST);
        job->failed = "rename()";
        (void) unlink(job->temp);
        return;
    }

    if (job->fsync && ngx_http_atelier_job_sync(job) != NGX_OK) {
        (void) unlink(job->name);
    }
}


/* A name that exists stays the picture it is, where the disk can do so. */

static int
ngx_http_atelier_job_rename(ngx_http_atelier_job_t *job)
{
    int  rc;

    rc = renameat2(AT_FDCWD, job->temp, AT_FDCWD, job->name,
                   RENAME_NOREPLACE);

    if (rc == -1 && (ngx_errno == NGX_EINVAL || ngx_errno == NGX_ENOSYS)) {
        rc = rename(job->temp, job->name);
    }

    return rc;
}


/* The new name itself is durable only when its directory is. */

static ngx_int_t
ngx_http_atelier_job_sync(ngx_http_atelier_job_t *job)
{
    int  fd;

    fd = open(job->dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || fsync(fd) == -1) {
        job->err = ngx_errno;
        job->failed = "fsync() of the directory";
    }

    if (fd != -1) {
        (void) close(fd);
    }

    return job->failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_atelier_job_write(ngx_http_atelier_job_t *job)
{
    int      fd;
    size_t   left;
    ssize_t  n;
    u_char  *p;

    fd = open(job->temp, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0644);

    if (fd == -1) {
        job->err = ngx_errno;
        job->failed = "open()";
        return NGX_ERROR;
    }

    p = job->bytes.data;
    left = job->bytes.len;

    while (left) {
        n = write(fd, p, left);

        if (n == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            job->err = ngx_errno;
            job->failed = "write()";
            break;
        }

        p += n;
        left -= n;
    }

    if (job->failed == NULL && job->fsync && fsync(fd) == -1) {
        job->err = ngx_errno;
        job->failed = "fsync()";
    }

    if (close(fd) == -1 && job->failed == NULL) {
        job->err = ngx_errno;
        job->failed = "close()";
    }

    return job->failed ? NGX_ERROR : NGX_OK;
}


/* Back in the event loop. */

static void
ngx_http_atelier_jobs_done(ngx_event_t *ev)
{
    ngx_http_atelier_job_t  *job, *next;

    job = ev->data;

    if (job->hold.timer_set) {
        ngx_del_timer(&job->hold);
    }

    while (job) {
        next = job->next;

        if (job->remove) {
            ngx_http_atelier_job_free(job);

        } else {
            ngx_http_atelier_job_done(job);
        }

        job = next;
    }
}


static void
ngx_http_atelier_job_done(ngx_http_atelier_job_t *job)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = job->request;
    rc = job->failed ? NGX_ERROR : NGX_OK;

    if (job->taken) {
        rc = NGX_DECLINED;

    } else if (rc == NGX_OK) {
        job->sh->storage_failed = 0;

    } else {
        job->sh->storage_failed_at = ngx_current_msec;
        ngx_http_atelier_count(&job->sh->storage_failed, 1);

        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, job->err,
                      "atelier: %s of picture \"%s\" failed", job->failed,
                      job->temp);
    }

    if (r == NULL) {
        ngx_http_atelier_job_gone(job);
        return;
    }

    if (rc == NGX_OK) {
        ngx_http_atelier_count(&job->sh->pictures, 1);
        ngx_http_atelier_count(&job->sh->picture_bytes, job->bytes.len);
    }

    c = r->connection;
    ngx_http_set_log_request(c->log, r);

    /* the request's cleanup must not find the job that is freed here */

    job->cleanup->handler = NULL;

    job->stored(r, rc);
    ngx_http_atelier_job_free(job);

    ngx_http_run_posted_requests(c);
}


/* Nobody has learnt its name: a thread takes it away again. */

static void
ngx_http_atelier_job_gone(ngx_http_atelier_job_t *job)
{
    if (job->failed) {
        ngx_http_atelier_job_free(job);
        return;
    }

    at_buf_free(&job->bytes);

    job->remove = 1;
    ngx_http_atelier_job_push(job);
}
