/*
 * A connection to Redis: making it, its time-outs, losing it and making it
 * again (see ngx_http_atelier_redis_link.h).
 *
 * The timer is cancelable while nobody waits for an answer, so a worker that
 * shuts down waits for those answers and for nothing else.  Connections stay
 * usable until then: exit_process ends them.
 */

#include "ngx_http_atelier_redis_link.h"
#include "ngx_http_atelier_zone.h"


#define NGX_HTTP_ATELIER_REDIS_BACKOFF      100     /* ms, the first */
#define NGX_HTTP_ATELIER_REDIS_BACKOFF_MAX  5000
#define NGX_HTTP_ATELIER_REDIS_HEARTBEAT    15000

/* Bytes of the buffer of replies that are kept when it is empty. */
#define NGX_HTTP_ATELIER_REDIS_BUFFER       (512 * 1024)

/* Words of a command that are sent without allocating. */
#define NGX_HTTP_ATELIER_REDIS_WORDS        64


static void ngx_http_atelier_redis_link_connect(
    ngx_http_atelier_redis_link_t *link);
static redisAsyncContext *ngx_http_atelier_redis_link_open(
    ngx_http_atelier_redis_link_t *link);
static ngx_int_t ngx_http_atelier_redis_link_greet(
    ngx_http_atelier_redis_link_t *link);
static void ngx_http_atelier_redis_link_greeted(redisAsyncContext *ac,
    void *reply, void *data);
static void ngx_http_atelier_redis_link_ready(
    ngx_http_atelier_redis_link_t *link);
static void ngx_http_atelier_redis_link_close(
    ngx_http_atelier_redis_link_t *link, const char *why);
static void ngx_http_atelier_redis_link_log(
    ngx_http_atelier_redis_link_t *link, const char *why);
static void ngx_http_atelier_redis_link_timer(ngx_event_t *ev);
static void ngx_http_atelier_redis_link_expired(
    ngx_http_atelier_redis_link_t *link);
static void ngx_http_atelier_redis_link_arm(
    ngx_http_atelier_redis_link_t *link, ngx_msec_t ms);


void
ngx_http_atelier_redis_link_start(ngx_http_atelier_redis_link_t *link)
{
    link->fd = (ngx_socket_t) -1;
    link->backoff = NGX_HTTP_ATELIER_REDIS_BACKOFF;

    ngx_queue_init(&link->ops);

    link->timer.handler = ngx_http_atelier_redis_link_timer;
    link->timer.data = link;
    link->timer.log = ngx_cycle->log;

    /* workers try several addresses each in an order of its own */

    link->attempt = ngx_random();

    ngx_http_atelier_redis_link_connect(link);
}


void
ngx_http_atelier_redis_link_stop(ngx_http_atelier_redis_link_t *link)
{
    redisAsyncContext  *ac;

    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }

    ac = link->ac;
    link->ac = NULL;
    link->state = NGX_HTTP_ATELIER_REDIS_LINK_DOWN;

    if (ac) {
        redisAsyncFree(ac);
    }
}


ngx_uint_t
ngx_http_atelier_redis_link_takes(ngx_http_atelier_redis_link_t *link)
{
    return link->state == NGX_HTTP_ATELIER_REDIS_LINK_READY
           || (link->state == NGX_HTTP_ATELIER_REDIS_LINK_CONNECTING
               && !link->broken);
}


static void
ngx_http_atelier_redis_link_connect(ngx_http_atelier_redis_link_t *link)
{
    redisAsyncContext  *ac;

    ac = ngx_http_atelier_redis_link_open(link);

    if (ac == NULL || ac->err) {
        ngx_http_atelier_redis_link_lost(link, ac ? ac->errstr
                                                  : "no memory");
        if (ac) {
            redisAsyncFree(ac);
        }

        return;
    }

    if (ngx_http_atelier_redis_link_attach(link, ac) != NGX_OK) {
        redisAsyncFree(ac);
        ngx_http_atelier_redis_link_lost(link, "no free connection: raise "
                                               "worker_connections");
        return;
    }

    /* a page should not make the buffer grow anew each time */

    ac->c.reader->maxbuf = NGX_HTTP_ATELIER_REDIS_BUFFER;

    link->state = NGX_HTTP_ATELIER_REDIS_LINK_CONNECTING;
    link->due = ngx_current_msec + link->conf->connect_timeout;

    ngx_http_atelier_redis_link_arm(link, link->conf->connect_timeout);

    if (ngx_http_atelier_redis_link_greet(link) != NGX_OK) {
        ngx_http_atelier_redis_link_close(link, "no memory");
    }
}


/* Addresses are numeric, so nothing is looked up here. */

static redisAsyncContext *
ngx_http_atelier_redis_link_open(ngx_http_atelier_redis_link_t *link)
{
    ngx_uint_t                 n;
    ngx_http_atelier_redis_t  *conf;

    conf = link->conf;

    if (conf->path) {
        return redisAsyncConnectUnix(conf->path);
    }

    n = link->attempt++ % conf->naddresses;

    return redisAsyncConnect(conf->addresses[n], (int) conf->port);
}


/* AUTH and SELECT where they are configured, then PING. */

static ngx_int_t
ngx_http_atelier_redis_link_greet(ngx_http_atelier_redis_link_t *link)
{
    u_char                     db[NGX_INT_T_LEN];
    ngx_int_t                  rc;
    ngx_str_t                  words[3];
    ngx_uint_t                 n;
    ngx_http_atelier_redis_t  *conf;

    conf = link->conf;
    rc = NGX_OK;

    if (conf->password.len) {
        n = 1;
        ngx_str_set(&words[0], "AUTH");

        if (conf->user.len) {
            words[n++] = conf->user;
        }

        words[n++] = conf->password;

        rc |= ngx_http_atelier_redis_link_send(link, n, words,
                                   ngx_http_atelier_redis_link_greeted,
                                   "AUTH was refused, see password_file=");
    }

    if (conf->db) {
        ngx_str_set(&words[0], "SELECT");
        words[1].data = db;
        words[1].len = ngx_sprintf(db, "%ui", conf->db) - db;

        rc |= ngx_http_atelier_redis_link_send(link, 2, words,
                                   ngx_http_atelier_redis_link_greeted,
                                   "SELECT was refused, see db=");
    }

    ngx_str_set(&words[0], "PING");

    rc |= ngx_http_atelier_redis_link_send(link, 1, words,
                                   ngx_http_atelier_redis_link_greeted, NULL);

    return rc;
}


/* data is the complaint if it is refused; NULL: the PING, which is last. */

static void
ngx_http_atelier_redis_link_greeted(redisAsyncContext *ac, void *reply,
    void *data)
{
    u_char                          why[160];
    redisReply                     *answer;
    ngx_http_atelier_redis_link_t  *link;

    link = ac->data;
    answer = reply;

    if (answer == NULL || link->ac != ac) {
        return;
    }

    ngx_http_atelier_redis_link_heard(link);

    if (answer->type == REDIS_REPLY_ERROR) {
        ngx_snprintf(why, sizeof(why), "%s: %*s%Z",
                     data ? data : "it is not ready",
                     ngx_min(answer->len, 80), answer->str);

        ngx_http_atelier_redis_link_close(link, (char *) why);
        return;
    }

    if (data == NULL) {
        ngx_http_atelier_redis_link_ready(link);
    }
}


static void
ngx_http_atelier_redis_link_ready(ngx_http_atelier_redis_link_t *link)
{
    link->state = NGX_HTTP_ATELIER_REDIS_LINK_READY;
    link->since = ngx_current_msec;

    if (link->seat) {
        link->seat->up[link->kind] = 1;
    }

    if (link->broken) {
        ngx_http_atelier_count(&link->stats->reconnects, 1);
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "atelier: redis %V answers again (%s)",
                      &link->conf->name, link->what);
    }

    ngx_http_atelier_redis_link_expired(link);

    if (link->state == NGX_HTTP_ATELIER_REDIS_LINK_READY && link->changed) {
        link->changed(link);
    }
}


/*
 * Callbacks of what was pending are called with NULL from here, unless hiredis
 * is calling one already: then right after that.
 */

static void
ngx_http_atelier_redis_link_close(ngx_http_atelier_redis_link_t *link,
    const char *why)
{
    redisAsyncContext  *ac;

    ac = link->ac;
    ngx_http_atelier_redis_link_lost(link, why);
    redisAsyncFree(ac);
}


/*
 * A link that has held for a while may be made again at once; one that breaks
 * again and again, for whatever reason, waits longer each time.
 */

void
ngx_http_atelier_redis_link_lost(ngx_http_atelier_redis_link_t *link,
    const char *why)
{
    ngx_msec_t  ms;

    ngx_http_atelier_redis_link_log(link, why);

    if (link->since
        && ngx_current_msec - link->since >= NGX_HTTP_ATELIER_REDIS_BACKOFF_MAX)
    {
        link->backoff = NGX_HTTP_ATELIER_REDIS_BACKOFF;
    }

    link->ac = NULL;
    link->state = NGX_HTTP_ATELIER_REDIS_LINK_DOWN;
    link->since = 0;
    link->broken = 1;

    if (link->seat) {
        link->seat->up[link->kind] = 0;
    }

    if (ngx_exiting) {
        if (link->timer.timer_set) {
            ngx_del_timer(&link->timer);
        }

    } else {
        ms = link->backoff + (ngx_uint_t) ngx_random() % (link->backoff / 4);
        ngx_http_atelier_redis_link_arm(link, ms);

        link->backoff = ngx_min(link->backoff * 2,
                                NGX_HTTP_ATELIER_REDIS_BACKOFF_MAX);
    }

    if (link->changed) {
        link->changed(link);
    }
}


/* A fault is told once; that it persists is for those who look closely. */

static void
ngx_http_atelier_redis_link_log(ngx_http_atelier_redis_link_t *link,
    const char *why)
{
    ngx_uint_t  level;

    level = NGX_LOG_INFO;

    if ((!link->broken || link->since)
        && !ngx_exiting && !ngx_terminate && !ngx_quit)
    {
        level = NGX_LOG_ERR;
    }

    ngx_log_error(level, ngx_cycle->log, 0,
                  "atelier: redis %V is away (%s): %s; this worker goes on "
                  "without it and tries again", &link->conf->name, link->what,
                  why);
}


static void
ngx_http_atelier_redis_link_timer(ngx_event_t *ev)
{
    ngx_http_atelier_redis_link_t  *link;

    link = ev->data;

    switch (link->state) {

    case NGX_HTTP_ATELIER_REDIS_LINK_DOWN:
        if (!ngx_exiting) {
            ngx_http_atelier_redis_link_connect(link);
        }

        break;

    case NGX_HTTP_ATELIER_REDIS_LINK_CONNECTING:
        if ((ngx_msec_int_t) (link->due - ngx_current_msec) > 0) {
            ngx_http_atelier_redis_link_arm(link,
                                            link->due - ngx_current_msec);
            break;
        }

        ngx_http_atelier_count(&link->stats->timeouts, link->nops);
        ngx_http_atelier_redis_link_close(link, "no answer in time while "
                                                "connecting");
        break;

    default: /* NGX_HTTP_ATELIER_REDIS_LINK_READY */
        ngx_http_atelier_redis_link_expired(link);
        break;
    }
}


/* Of a ready link: is something overdue?  Else sets the timer for the next. */

static void
ngx_http_atelier_redis_link_expired(ngx_http_atelier_redis_link_t *link)
{
    ngx_msec_t                    due;
    ngx_queue_t                  *q;
    ngx_http_atelier_redis_op_t  *op;

    if (!ngx_queue_empty(&link->ops)) {
        q = ngx_queue_head(&link->ops);
        op = ngx_queue_data(q, ngx_http_atelier_redis_op_t, queue);
        due = op->deadline;

    } else if (link->beating) {
        due = link->asked + link->conf->timeout;

    } else {
        due = link->heard + NGX_HTTP_ATELIER_REDIS_HEARTBEAT;
    }

    if ((ngx_msec_int_t) (due - ngx_current_msec) > 0) {
        ngx_http_atelier_redis_link_arm(link, due - ngx_current_msec);
        return;
    }

    if (!ngx_queue_empty(&link->ops) || link->beating) {
        ngx_http_atelier_count(&link->stats->timeouts,
                               ngx_max(link->nops, 1));
        ngx_http_atelier_redis_link_close(link, "no answer in time");
        return;
    }

    link->beating = 1;
    link->asked = ngx_current_msec;
    ngx_http_atelier_redis_link_arm(link, link->conf->timeout);

    link->heartbeat(link);
}


/* nginx keeps a timer that is set to nearly the same time: so delete first. */

static void
ngx_http_atelier_redis_link_arm(ngx_http_atelier_redis_link_t *link,
    ngx_msec_t ms)
{
    if (link->timer.timer_set) {
        ngx_del_timer(&link->timer);
    }

    ngx_add_timer(&link->timer, ms);
    link->timer.cancelable = (link->waiting == 0);
}


ngx_int_t
ngx_http_atelier_redis_link_send(ngx_http_atelier_redis_link_t *link,
    ngx_uint_t argc, const ngx_str_t *argv, redisCallbackFn *fn, void *data)
{
    int          rc;
    size_t       few_lens[NGX_HTTP_ATELIER_REDIS_WORDS], *lens;
    ngx_uint_t   i;
    const char  *few_words[NGX_HTTP_ATELIER_REDIS_WORDS], **words;

    if (argc == 0) {
        return NGX_ERROR;
    }

    words = few_words;
    lens = few_lens;

    if (argc > NGX_HTTP_ATELIER_REDIS_WORDS) {
        words = ngx_alloc(argc * (sizeof(char *) + sizeof(size_t)),
                          ngx_cycle->log);
        if (words == NULL) {
            return NGX_ERROR;
        }

        lens = (size_t *) &words[argc];
    }

    for (i = 0; i < argc; i++) {
        words[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }

    rc = redisAsyncCommandArgv(link->ac, fn, data, (int) argc, words, lens);

    if (words != few_words) {
        ngx_free(words);
    }

    return (rc == REDIS_OK) ? NGX_OK : NGX_ERROR;
}


void
ngx_http_atelier_redis_link_push(ngx_http_atelier_redis_link_t *link,
    ngx_http_atelier_redis_op_t *op)
{
    ngx_uint_t  first;
    ngx_msec_t  timeout;

    timeout = link->conf->timeout;
    first = ngx_queue_empty(&link->ops);

    op->deadline = ngx_current_msec + timeout;

    ngx_queue_insert_tail(&link->ops, &op->queue);
    link->nops++;

    if (link->seat) {
        link->seat->pending = link->nops;
    }

    if (link->state == NGX_HTTP_ATELIER_REDIS_LINK_CONNECTING) {
        if ((ngx_msec_int_t) (link->due - op->deadline) <= 0) {
            return;
        }

        link->due = op->deadline;

    } else if (!first) {
        return;
    }

    /* a timer that comes earlier finds out by itself what comes next */

    if (!link->timer.timer_set
        || (ngx_msec_int_t) (link->timer.timer.key - op->deadline) > 0)
    {
        ngx_http_atelier_redis_link_arm(link, timeout);
    }
}


void
ngx_http_atelier_redis_link_pop(ngx_http_atelier_redis_link_t *link,
    ngx_http_atelier_redis_op_t *op)
{
    ngx_queue_remove(&op->queue);
    link->nops--;

    if (link->seat) {
        link->seat->pending = link->nops;
    }
}


void
ngx_http_atelier_redis_link_waiting(ngx_http_atelier_redis_link_t *link,
    ngx_int_t n)
{
    link->waiting += n;
    link->timer.cancelable = (link->waiting == 0);
}


void
ngx_http_atelier_redis_link_heard(ngx_http_atelier_redis_link_t *link)
{
    link->heard = ngx_current_msec;
    link->beating = 0;
}


void
ngx_http_atelier_redis_link_breaks(ngx_http_atelier_redis_link_t *link,
    redisAsyncContext *ac)
{
    if (link->ac == ac) {
        link->state = NGX_HTTP_ATELIER_REDIS_LINK_DOWN;
    }
}
