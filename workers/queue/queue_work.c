/*
 * The thread that has generations drawn: takes rows while there is room, has
 * nginx attempt them, keeps their leases, and stores what became of them.
 *
 * Room is "parallel" attempts.  When the limits of providers are reached,
 * nothing is taken until the time that nginx named, and then one after the
 * other: nginx refuses the first that is too many within milliseconds.
 *
 * An outcome that cannot be stored, because PostgreSQL is away, waits for it;
 * if the lease ends meanwhile the fence refuses it, and somebody else has the
 * row.  A process that dies leaves its rows to their leases.
 */

#include "queue_attempt.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>


#define QUEUE_AGAIN      200            /* ms, while PostgreSQL is away */
#define QUEUE_LIMITED    1000           /* without Retry-After */
#define QUEUE_PAUSE_MAX  60000
#define QUEUE_CALM       10000
#define QUEUE_GAP        50             /* between two, until it is calm */
#define QUEUE_AWAY_MIN   500
#define QUEUE_AWAY_MAX   10000
#define QUEUE_WHILE      2000           /* ... for one that waits alone */


typedef struct {
    queue_run_t     *run;
    at_postgres_t   *pg;
    at_fetch_t      *fetch;
    queue_slot_t    *slots;
    int              epoll;
    int64_t          nslots;
    int64_t          used;              /* slots that are not free */
    int64_t          room;
    int64_t          pause;             /* take nothing before */
    int64_t          look;              /* ... but look then */
    int64_t          calm;              /* no limit was met since long, then */
    int64_t          away;              /* ms, of the next pause for nginx */
    int64_t          stop;              /* leave what is under way then */
} queue_work_t;


static int queue_work_create(queue_work_t *w, queue_run_t *run);
static void queue_work_free(queue_work_t *w);
static void queue_work_take(queue_work_t *w);
static queue_slot_t *queue_work_slot(queue_work_t *w);
static void queue_work_renew(queue_work_t *w);
static void queue_work_wait(queue_work_t *w);
static void queue_work_end(queue_work_t *w, queue_slot_t *slot);
static void queue_work_store(queue_work_t *w, queue_slot_t *slot);
static queue_stored_e queue_work_again(queue_work_t *w, queue_slot_t *slot,
    queue_metric_e *metric);
static int64_t queue_work_delay(queue_work_t *w, const queue_slot_t *slot);
static int64_t queue_work_age(const queue_slot_t *slot);
static void queue_work_pace(queue_work_t *w, const queue_slot_t *slot);
static int queue_work_last(queue_work_t *w, const queue_slot_t *slot);
static void queue_work_told(const queue_slot_t *slot, queue_metric_e metric);
static void queue_work_leave(queue_work_t *w);


void *
queue_work_thread(void *data)
{
    int64_t       i;
    queue_run_t  *run = data;
    queue_work_t  w;

    if (queue_work_create(&w, run) != AT_OK) {
        at_log(AT_LOG_ERROR, "work.failed", at_log_text("error", "no memory"));
        queue_work_free(&w);
        return NULL;
    }

    for ( ;; ) {
        if (at_stop_raised(&run->worker.stop)) {
            if (w.stop == 0) {
                (void) epoll_ctl(w.epoll, EPOLL_CTL_DEL, run->worker.stop.fd,
                                 NULL);
                w.stop = at_time_mono() + run->settings.base.stop_timeout;
            }

            if (w.used == 0 || at_time_mono() >= w.stop) {
                break;
            }

        } else {
            queue_work_take(&w);
        }

        queue_work_renew(&w);

        queue_gauge(QUEUE_RUNNING, w.used);
        queue_gauge(QUEUE_PAUSED, w.pause > at_time_mono() + QUEUE_GAP);
        queue_gauge(QUEUE_POSTGRES_UP, at_postgres_up(w.pg));

        queue_work_wait(&w);

        for (i = 0; i < w.nslots; i++) {
            if (w.slots[i].state == QUEUE_ENDED) {
                queue_work_store(&w, &w.slots[i]);
            }
        }
    }

    queue_work_leave(&w);
    queue_work_free(&w);

    return NULL;
}


static int
queue_work_create(queue_work_t *w, queue_run_t *run)
{
    struct epoll_event  event = { .events = EPOLLIN };

    memset(w, 0, sizeof(queue_work_t));

    w->run = run;
    w->nslots = run->settings.parallel;
    w->room = w->nslots;
    w->away = QUEUE_AWAY_MIN;
    w->pg = at_postgres_create(&run->postgres);
    w->fetch = at_fetch_create(&run->egress);
    w->slots = calloc((size_t) w->nslots, sizeof(queue_slot_t));
    w->epoll = epoll_create1(EPOLL_CLOEXEC);

    if (w->pg == NULL || w->fetch == NULL || w->slots == NULL
        || w->epoll == -1
        || epoll_ctl(w->epoll, EPOLL_CTL_ADD, run->worker.stop.fd, &event)
           == -1)
    {
        return AT_ERROR;
    }

    return AT_OK;
}


static void
queue_work_free(queue_work_t *w)
{
    int64_t  i;

    for (i = 0; w->slots && i < w->nslots; i++) {
        queue_attempt_free(&w->slots[i]);
    }

    if (w->epoll != -1) {
        (void) close(w->epoll);
    }

    at_fetch_free(w->fetch);
    at_postgres_free(w->pg);
    free(w->slots);
}


static void
queue_work_take(queue_work_t *w)
{
    int            rc;
    queue_slot_t  *slot;

    if (at_postgres_notified(w->pg)) {
        w->look = 0;
    }

    /* the database may be new, or not have its tables yet */

    while (w->used < w->room && at_time_mono() >= w->pause
           && at_time_mono() >= w->look)
    {
        slot = queue_work_slot(w);
        rc = queue_store_take(w->run, w->pg, slot);

        if (rc != 1) {
            w->look = at_time_mono() + (rc == 0 ? w->run->settings.poll
                                                : QUEUE_AGAIN);
            return;
        }

        at_log(AT_LOG_DEBUG, "attempt.begun", at_log_text("id", slot->id),
               at_log_text("requestId", slot->request_id),
               at_log_int("try", slot->tries));

        slot->renew = slot->taken + w->run->settings.lease / 3;
        w->used++;

        if (slot->taken < w->calm) {
            w->pause = slot->taken + QUEUE_GAP;
        }

        if (queue_attempt_begin(w->run, w->fetch, slot) != AT_OK) {
            queue_work_end(w, slot);
        }
    }
}


/* There is one: no more are used than there is room. */

static queue_slot_t *
queue_work_slot(queue_work_t *w)
{
    queue_slot_t  *slot;

    for (slot = w->slots; slot->state != QUEUE_FREE; slot++) { /* void */ }

    return slot;
}


static void
queue_work_renew(queue_work_t *w)
{
    int64_t          i, now;
    queue_slot_t    *slot;
    queue_stored_e   stored;

    now = at_time_mono();

    for (i = 0; i < w->nslots; i++) {
        slot = &w->slots[i];

        if (slot->state == QUEUE_FREE || now < slot->renew) {
            continue;
        }

        stored = queue_store_renew(w->run, w->pg, slot);
        slot->renew = at_time_mono() + (stored == QUEUE_STORED
                                        ? w->run->settings.lease / 3
                                        : QUEUE_AGAIN);

        if (stored == QUEUE_NOT_OURS && slot->state == QUEUE_CALLED) {
            at_fetch_cancel(w->fetch, &slot->call);
            queue_work_told(slot, QUEUE_DISCARDED);
            queue_attempt_free(slot);
            w->used--;
        }
    }
}


/* Until something ends, is notified, or is due. */

static void
queue_work_wait(queue_work_t *w)
{
    int                  fd;
    int64_t              i, now, until;
    at_fetch_call_t     *call;
    struct epoll_event   event = { .events = EPOLLIN };

    now = at_time_mono();
    until = now + w->run->settings.poll;

    if (w->stop) {
        until = w->stop;

    } else if (w->used < w->room) {
        i = (w->pause > w->look) ? w->pause : w->look;
        until = (i < until) ? i : until;
    }

    for (i = 0; i < w->nslots; i++) {
        if (w->slots[i].state != QUEUE_FREE && w->slots[i].renew < until) {
            until = w->slots[i].renew;
        }

        if (w->slots[i].state == QUEUE_ENDED && now + QUEUE_AGAIN < until) {
            until = now + QUEUE_AGAIN;
        }
    }

    fd = at_postgres_socket(w->pg);

    if (fd == -1) {
        until = (now + QUEUE_AGAIN < until) ? now + QUEUE_AGAIN : until;

    } else {

        /* a closed one is out by itself, one that is in is told as EEXIST */

        (void) epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
    }

    at_fetch_turn(w->fetch, until > now ? until - now : 0, w->epoll);

    while ((call = at_fetch_next(w->fetch)) != NULL) {
        queue_work_end(w, call->data);
    }

    /* what ended at a stop has nobody else to read it */

    if (w->stop) {
        (void) at_postgres_notified(w->pg);
    }
}


static void
queue_work_end(queue_work_t *w, queue_slot_t *slot)
{
    queue_answer_read(&slot->call, &slot->answer);
    slot->state = QUEUE_ENDED;

    queue_work_pace(w, slot);
    queue_work_store(w, slot);
}


/* The slot is free after it, unless PostgreSQL is away. */

static void
queue_work_store(queue_work_t *w, queue_slot_t *slot)
{
    queue_metric_e  metric;
    queue_stored_e  stored;

    if (slot->state != QUEUE_ENDED) {
        return;
    }

    switch (slot->answer.verdict) {

    case QUEUE_IS_DONE:
        metric = QUEUE_DONE;
        stored = queue_store_done(w->pg, slot);
        break;

    case QUEUE_IS_FINAL:
        metric = QUEUE_FAILED;
        stored = queue_store_fail(w->pg, slot, 1);
        break;

    default:
        stored = queue_work_again(w, slot, &metric);
        break;
    }

    if (stored == QUEUE_NO_POSTGRES) {
        return;
    }

    if (stored == QUEUE_REFUSED) {
        at_log(AT_LOG_ERROR, "outcome.refused", at_log_text("id", slot->id),
               at_log_text("requestId", slot->request_id));
    }

    queue_work_told(slot, (stored == QUEUE_STORED) ? metric
                                                   : QUEUE_DISCARDED);
    queue_attempt_free(slot);
    w->used--;
}


/* Back into the queue, or given up for good. */

static queue_stored_e
queue_work_again(queue_work_t *w, queue_slot_t *slot, queue_metric_e *metric)
{
    int64_t         delay;
    queue_stored_e  stored;

    if (queue_work_last(w, slot)) {
        *metric = QUEUE_FAILED;
        return queue_store_fail(w->pg, slot, slot->answer.problem);
    }

    *metric = (slot->answer.verdict == QUEUE_IS_PASSING) ? QUEUE_RETRIED
              : (slot->answer.verdict == QUEUE_IS_ADOPTED) ? QUEUE_ADOPTED
              : (slot->answer.verdict == QUEUE_IS_AWAY) ? QUEUE_AWAY
                                                        : QUEUE_WAITED;
    delay = queue_work_delay(w, slot);
    stored = queue_store_retry(w->pg, slot, delay, *metric == QUEUE_RETRIED);

    if (stored == QUEUE_STORED && delay > 0
        && at_time_mono() + delay < w->look)
    {
        w->look = at_time_mono() + delay;
    }

    return stored;
}


/* ms until it may be tried again. */

static int64_t
queue_work_delay(queue_work_t *w, const queue_slot_t *slot)
{
    int64_t             i, delay, left;
    queue_settings_t   *s = &w->run->settings;

    switch (slot->answer.verdict) {

    case QUEUE_IS_PASSING:
        delay = s->retry;

        for (i = 1; i < slot->tries && delay < s->retry_max; i++) {
            delay *= 2;
        }

        delay = (delay > s->retry_max) ? s->retry_max : delay;

        /* those that failed together do not come back together */

        delay -= delay / 4 * (random() % 100) / 100;
        break;

    case QUEUE_IS_ADOPTED:
    case QUEUE_IS_BUSY:
        delay = QUEUE_WHILE;
        break;

    default:

        /* it is we who wait, see queue_work_pace() */

        return 0;
    }

    if (slot->call.retry_after > delay) {
        delay = slot->call.retry_after;
    }

    left = s->max_age - queue_work_age(slot);

    return (delay < left) ? delay : left;
}


static void
queue_work_pace(queue_work_t *w, const queue_slot_t *slot)
{
    int64_t  ms;

    switch (slot->answer.verdict) {

    case QUEUE_IS_LIMITED:
        ms = slot->call.retry_after ? slot->call.retry_after : QUEUE_LIMITED;
        ms = (ms > QUEUE_PAUSE_MAX) ? QUEUE_PAUSE_MAX : ms;
        w->calm = at_time_mono() + ms + QUEUE_CALM;
        w->room = w->nslots;
        break;

    case QUEUE_IS_AWAY:
        ms = w->away;
        w->away = (ms * 2 < QUEUE_AWAY_MAX) ? ms * 2 : QUEUE_AWAY_MAX;
        w->room = 1;
        break;

    default:
        ms = 0;
        w->away = QUEUE_AWAY_MIN;
        w->room += (w->room < w->nslots);
        break;
    }

    if (ms > 0) {
        w->pause = at_time_mono() + ms;
        w->look = w->pause;
    }
}


static int64_t
queue_work_age(const queue_slot_t *slot)
{
    return slot->age + at_time_mono() - slot->taken;
}


/* 1: it has been tried enough, or is too old. */

static int
queue_work_last(queue_work_t *w, const queue_slot_t *slot)
{
    if (queue_work_age(slot) >= w->run->settings.max_age) {
        return 1;
    }

    return slot->answer.verdict == QUEUE_IS_PASSING
           && slot->tries >= w->run->settings.tries;
}


static void
queue_work_told(const queue_slot_t *slot, queue_metric_e metric)
{
    at_log_level_e  level;

    static const char *const  events[] = {
        [QUEUE_DONE] = "attempt.done", [QUEUE_FAILED] = "attempt.failed",
        [QUEUE_RETRIED] = "attempt.again", [QUEUE_ADOPTED] = "attempt.adopted",
        [QUEUE_WAITED] = "attempt.limited", [QUEUE_AWAY] = "attempt.away",
        [QUEUE_DISCARDED] = "attempt.discarded", [QUEUE_LEFT] = "attempt.left"
    };

    level = (metric == QUEUE_DONE || metric == QUEUE_WAITED
             || metric == QUEUE_ADOPTED || metric == QUEUE_DISCARDED)
            ? AT_LOG_INFO : AT_LOG_WARN;

    queue_count(metric, 1);
    at_log(level, events[metric], at_log_text("id", slot->id),
           at_log_text("requestId", slot->request_id),
           at_log_int("try", slot->tries),
           at_log_int("ms", at_time_mono() - slot->taken),
           at_log_text("code", slot->answer.code),
           at_log_text("detail", slot->answer.detail));
}


/* At a stop: nginx may still end them, or somebody gets them by their lease. */

static void
queue_work_leave(queue_work_t *w)
{
    int64_t  i;

    for (i = 0; i < w->nslots; i++) {
        if (w->slots[i].state == QUEUE_FREE) {
            continue;
        }

        if (w->slots[i].state == QUEUE_CALLED) {
            at_fetch_cancel(w->fetch, &w->slots[i].call);
        }

        queue_work_told(&w->slots[i], QUEUE_LEFT);
    }

    queue_gauge(QUEUE_RUNNING, 0);
}
