/*
 * Old pictures are removed from the directory of atelier_pictures, and so are
 * files that a crash has left half-written.
 *
 * One worker at a time does it, by a lease in shared memory; whoever takes it
 * walks through the directory in slices, each a task of the thread pool, with
 * a pause between them.  So neither the event loop nor requests that have
 * pictures to write wait for it.
 */

#include "ngx_http_atelier_pictures.h"
#include "ngx_http_atelier_zone.h"

#include <dirent.h>


/* A slice ends by whichever comes first; times in ms. */
#define NGX_HTTP_ATELIER_SWEEP_FILES   2048
#define NGX_HTTP_ATELIER_SWEEP_GONE    128
#define NGX_HTTP_ATELIER_SWEEP_PAUSE   50

#define NGX_HTTP_ATELIER_SWEEP_LEASE   60000
#define NGX_HTTP_ATELIER_SWEEP_FIRST   1000
#define NGX_HTTP_ATELIER_SWEEP_MIN     1000
#define NGX_HTTP_ATELIER_SWEEP_MAX     600000
#define NGX_HTTP_ATELIER_SWEEP_PARTS   20      /* of keep=, between sweeps */

/* Nothing takes so long to be written, in s. */
#define NGX_HTTP_ATELIER_SWEEP_TEMP    3600


typedef struct {
    ngx_thread_task_t             task;
    ngx_event_t                   timer;
    ngx_connection_t              dummy;       /* for the timer's debug log */
    ngx_http_atelier_pictures_t  *pictures;
    ngx_http_atelier_shared_t    *sh;
    char                         *path;
    ngx_msec_t                    interval;
    unsigned                      busy:1;      /* a sweep is ours */

    /* The thread's while a task is out: */
    DIR                          *dir;
    ngx_uint_t                    gone;        /* in this slice */
    ngx_err_t                     err;         /* the last one */
    unsigned                      more:1;
} ngx_http_atelier_sweep_t;


static void ngx_http_atelier_sweep_timer(ngx_event_t *ev);
static ngx_int_t ngx_http_atelier_sweep_lease(
    ngx_http_atelier_sweep_t *sweep);
static void ngx_http_atelier_sweep_done(ngx_event_t *ev);
static void ngx_http_atelier_sweep_thread(void *data, ngx_log_t *log);
static void ngx_http_atelier_sweep_file(ngx_http_atelier_sweep_t *sweep,
    const char *name, time_t now);
static ngx_uint_t ngx_http_atelier_sweep_is_id(const char *name);
static ngx_uint_t ngx_http_atelier_sweep_is_picture(const char *name);


static ngx_http_atelier_sweep_t  ngx_http_atelier_sweep;


void
ngx_http_atelier_sweep_init_process(ngx_cycle_t *cycle)
{
    ngx_msec_t                     interval;
    ngx_http_atelier_sweep_t      *sweep;
    ngx_http_atelier_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_atelier_module);

    if (amcf == NULL || amcf->pictures == NULL || amcf->zone == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    sweep = &ngx_http_atelier_sweep;

    interval = NGX_HTTP_ATELIER_SWEEP_MAX;

    if (amcf->pictures->keep) {
        interval = ngx_min(interval, amcf->pictures->keep
                                     / NGX_HTTP_ATELIER_SWEEP_PARTS);
    }

    sweep->interval = ngx_max(interval, NGX_HTTP_ATELIER_SWEEP_MIN);
    sweep->pictures = amcf->pictures;
    sweep->path = (char *) amcf->pictures->path->name.data;
    sweep->sh = amcf->zone->sh;

    sweep->task.ctx = sweep;
    sweep->task.handler = ngx_http_atelier_sweep_thread;
    sweep->task.event.data = sweep;
    sweep->task.event.handler = ngx_http_atelier_sweep_done;
    sweep->task.event.log = cycle->log;

    sweep->dummy.fd = (ngx_socket_t) -1;
    sweep->timer.data = &sweep->dummy;
    sweep->timer.handler = ngx_http_atelier_sweep_timer;
    sweep->timer.log = cycle->log;
    sweep->timer.cancelable = 1;

    ngx_add_timer(&sweep->timer, NGX_HTTP_ATELIER_SWEEP_FIRST);
}


static void
ngx_http_atelier_sweep_timer(ngx_event_t *ev)
{
    ngx_http_atelier_sweep_t  *sweep;

    sweep = &ngx_http_atelier_sweep;

    if (ngx_exiting) {
        return;
    }

    if (!sweep->busy && ngx_http_atelier_sweep_lease(sweep) != NGX_OK) {
        ngx_add_timer(ev, ngx_min(sweep->interval,
                                  NGX_HTTP_ATELIER_SWEEP_LEASE));
        return;
    }

    sweep->busy = 1;
    sweep->gone = 0;
    sweep->err = 0;

    if (ngx_thread_task_post(sweep->pictures->threads, &sweep->task)
        != NGX_OK)
    {
        /* the threads have better things to do */

        ngx_add_timer(ev, NGX_HTTP_ATELIER_SWEEP_FIRST);
    }
}


/* A sweep is due, and nobody else is at it. */

static ngx_int_t
ngx_http_atelier_sweep_lease(ngx_http_atelier_sweep_t *sweep)
{
    ngx_atomic_uint_t  at;

    at = sweep->sh->sweep_at;

    if (at && (ngx_msec_int_t) (ngx_current_msec - at) < 0) {
        return NGX_DECLINED;
    }

    return ngx_atomic_cmp_set(&sweep->sh->sweep_at, at,
                              ngx_current_msec + NGX_HTTP_ATELIER_SWEEP_LEASE)
           ? NGX_OK : NGX_DECLINED;
}


/* Back in the event loop. */

static void
ngx_http_atelier_sweep_done(ngx_event_t *ev)
{
    ngx_http_atelier_sweep_t  *sweep;

    sweep = ev->data;

    ngx_http_atelier_count(&sweep->sh->swept, sweep->gone);

    if (sweep->err) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, sweep->err,
                      "atelier: old files in \"%s\" cannot be removed: let "
                      "the workers' user write to it", sweep->path);
    }

    if (sweep->more) {
        sweep->sh->sweep_at = ngx_current_msec + NGX_HTTP_ATELIER_SWEEP_LEASE;
        ngx_add_timer(&sweep->timer, NGX_HTTP_ATELIER_SWEEP_PAUSE);
        return;
    }

    sweep->busy = 0;
    sweep->sh->sweep_at = ngx_current_msec + sweep->interval;

    ngx_add_timer(&sweep->timer, ngx_min(sweep->interval,
                                         NGX_HTTP_ATELIER_SWEEP_LEASE));
}


/* In a thread of the pool. */

static void
ngx_http_atelier_sweep_thread(void *data, ngx_log_t *log)
{
    ngx_http_atelier_sweep_t *sweep = data;

    time_t          now;
    ngx_uint_t      n;
    struct dirent  *entry;

    sweep->more = 0;
    now = time(NULL);

    if (sweep->dir == NULL) {
        sweep->dir = opendir(sweep->path);

        if (sweep->dir == NULL) {
            sweep->err = ngx_errno;
            return;
        }
    }

    for (n = 0; n < NGX_HTTP_ATELIER_SWEEP_FILES
                && sweep->gone < NGX_HTTP_ATELIER_SWEEP_GONE; n++)
    {
        /* the stream is this thread's alone */
        /* cppcheck-suppress readdirCalled */
        entry = readdir(sweep->dir);

        if (entry == NULL) {
            (void) closedir(sweep->dir);
            sweep->dir = NULL;
            return;
        }

        ngx_http_atelier_sweep_file(sweep, entry->d_name, now);
    }

    sweep->more = 1;
}


/* Files of other names are none of ours. */

static void
ngx_http_atelier_sweep_file(ngx_http_atelier_sweep_t *sweep, const char *name,
    time_t now)
{
    int          fd;
    time_t       age;
    struct stat  st;

    if (name[0] == '.' && ngx_http_atelier_sweep_is_id(name + 1)) {
        age = NGX_HTTP_ATELIER_SWEEP_TEMP;

    } else if (sweep->pictures->keep
               && ngx_http_atelier_sweep_is_picture(name))
    {
        age = sweep->pictures->keep / 1000;

    } else {
        return;
    }

    fd = dirfd(sweep->dir);

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1
        || !S_ISREG(st.st_mode) || st.st_mtime > now - age)
    {
        return;
    }

    if (unlinkat(fd, name, 0) == 0) {
        sweep->gone++;

    } else if (ngx_errno != NGX_ENOENT) {
        sweep->err = ngx_errno;
    }
}


static ngx_uint_t
ngx_http_atelier_sweep_is_id(const char *name)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_ATELIER_ID_LEN; i++) {
        if (!(name[i] >= '0' && name[i] <= '9')
            && !(name[i] >= 'a' && name[i] <= 'f'))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_atelier_sweep_is_picture(const char *name)
{
    const char  *end;

    if (!ngx_http_atelier_sweep_is_id(name)) {
        return 0;
    }

    end = name + NGX_HTTP_ATELIER_ID_LEN;

    return ngx_strcmp(end, ".png") == 0 || ngx_strcmp(end, ".jpg") == 0
           || ngx_strcmp(end, ".webp") == 0;
}
