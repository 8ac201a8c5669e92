/*
 * The thread that keeps the books of the queue: it tells the first places
 * within some ms of a change and the others once a second, measures how fast
 * the queue moves, and removes old rows.
 *
 * Of any number of processes one does it, by an advisory lock of its
 * connection: if it dies, PostgreSQL gives the lock to another at once.
 */

#include "queue_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>


#define QUEUE_CLERK_FIRST   20          /* places told in some ms */
#define QUEUE_CLERK_PAGE    1000        /* ... read at once */
#define QUEUE_CLERK_SLICE   250         /* ... told at once */
#define QUEUE_CLERK_GAP     20          /* ms between two looks */
#define QUEUE_CLERK_SETTLE  10          /* ms from a change to a look */
#define QUEUE_CLERK_SECOND  1000
#define QUEUE_CLERK_STATE   2000
#define QUEUE_CLERK_PRUNE   60000
#define QUEUE_CLERK_ROWS    500         /* removed in one statement */


typedef struct {
    queue_run_t      *run;
    at_postgres_t    *pg;
    at_redis_t       *redis;            /* or NULL */
    queue_places_t    first;            /* as they were told */
    queue_places_t    all;
    unsigned          looks;            /* at the first */
    int               epoll;
    unsigned          holder:1;
    unsigned          moved:1;          /* since the first were told */
    int64_t           look;             /* no sooner than */
    int64_t           second;
    int64_t           state;
    int64_t           prune;
} queue_clerk_t;


/* A place in the order of the queue. */
typedef struct {
    char  turn[24];
    char  n[24];
} queue_cursor_t;


static const queue_cursor_t  queue_clerk_begin = { "-1", "0" };


/* Ours again if it is ours; the numbers are "ATEL" and the file's. */

static const at_postgres_statement_t  queue_clerk_lock = {
    "atelier_queue_lock",
    "SELECT pg_try_advisory_lock(1096041804, 5)",
    0
};

static const at_postgres_statement_t  queue_clerk_places = {
    "atelier_queue_places",
    "SELECT id, place, eta, turn, n"
    " FROM atelier.generation_places($1::bigint, $2::bigint, $3::bigint)",
    3
};

static const at_postgres_statement_t  queue_clerk_measure = {
    "atelier_queue_measure",
    "SELECT atelier.generation_measure()",
    0
};

static const at_postgres_statement_t  queue_clerk_count = {
    "atelier_queue_count",
    "SELECT count(*) FROM atelier.generation WHERE status = 'queued'",
    0
};

static const at_postgres_statement_t  queue_clerk_prune = {
    "atelier_queue_prune",
    "SELECT atelier.generation_prune($1::bigint, $2::integer)",
    2
};


static int queue_clerk_create(queue_clerk_t *c, queue_run_t *run);
static void queue_clerk_free(queue_clerk_t *c);
static void queue_clerk_turn(queue_clerk_t *c);
static void queue_clerk_moved(queue_clerk_t *c);
static void queue_clerk_first(queue_clerk_t *c);
static void queue_clerk_second(queue_clerk_t *c);
static void queue_clerk_rest(queue_clerk_t *c);
static void queue_clerk_breathe(queue_clerk_t *c);
static int queue_clerk_read(queue_clerk_t *c, int64_t most,
    queue_places_t *places, queue_cursor_t *cursor);
static int queue_clerk_tell(queue_clerk_t *c, const queue_place_t *list,
    size_t n);
static int64_t queue_clerk_number(queue_clerk_t *c,
    const at_postgres_statement_t *statement, const char *const *params);
static void queue_clerk_old(queue_clerk_t *c);
static void queue_clerk_wait(queue_clerk_t *c);


void *
queue_clerk_thread(void *data)
{
    queue_run_t    *run = data;
    queue_clerk_t   c;

    if (queue_clerk_create(&c, run) == AT_OK) {
        while (!at_stop_raised(&run->worker.stop)) {
            queue_clerk_turn(&c);
            queue_clerk_wait(&c);
        }

    } else {
        at_log(AT_LOG_ERROR, "clerk.failed",
               at_log_text("error", "no memory"));
    }

    queue_clerk_free(&c);

    return NULL;
}


static int
queue_clerk_create(queue_clerk_t *c, queue_run_t *run)
{
    struct epoll_event  event = { .events = EPOLLIN };

    memset(c, 0, sizeof(queue_clerk_t));

    c->run = run;
    c->pg = at_postgres_create(&run->postgres);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);

    if (run->settings.base.redis_address[0] != '\0') {
        c->redis = at_redis_create(&run->redis);

        if (c->redis == NULL) {
            return AT_ERROR;
        }
    }

    if (c->pg == NULL || c->epoll == -1
        || epoll_ctl(c->epoll, EPOLL_CTL_ADD, run->worker.stop.fd, &event)
           == -1)
    {
        return AT_ERROR;
    }

    return AT_OK;
}


static void
queue_clerk_free(queue_clerk_t *c)
{
    if (c->epoll != -1) {
        (void) close(c->epoll);
    }

    queue_places_free(&c->first);
    queue_places_free(&c->all);
    at_redis_free(c->redis);
    at_postgres_free(c->pg);
}


static void
queue_clerk_turn(queue_clerk_t *c)
{
    int64_t  now, n;

    now = at_time_mono();

    if (at_postgres_notified(c->pg)) {
        queue_clerk_moved(c);
    }

    if (now >= c->second) {
        c->second = now + QUEUE_CLERK_SECOND;
        queue_clerk_second(c);
    }

    if (c->holder && c->moved && now >= c->look) {
        queue_clerk_first(c);
    }

    if (now >= c->state) {
        n = queue_clerk_number(c, &queue_clerk_count, NULL);
        queue_gauge(QUEUE_WAITING, n < 0 ? 0 : n);
        c->state = now + QUEUE_CLERK_STATE;
    }

    if (c->holder && now >= c->prune) {
        queue_clerk_old(c);
    }
}


/* A moment later: one that providers had no room for is back by then. */

static void
queue_clerk_moved(queue_clerk_t *c)
{
    int64_t  settled;

    if (!c->moved) {
        c->moved = 1;

        settled = at_time_mono() + QUEUE_CLERK_SETTLE;
        c->look = (settled > c->look) ? settled : c->look;
    }
}


static void
queue_clerk_first(queue_clerk_t *c)
{
    int64_t         n;
    queue_cursor_t  cursor = queue_clerk_begin;
    queue_places_t  places = { .n = 0 };

    c->look = at_time_mono() + QUEUE_CLERK_GAP;
    c->looks++;
    c->moved = 0;

    if (c->redis == NULL
        || queue_clerk_read(c, QUEUE_CLERK_FIRST, &places, &cursor) < 0)
    {
        return;
    }

    n = queue_places_changed(&places, &c->first, &c->all, 1);

    if (n > 0) {
        (void) queue_clerk_tell(c, places.list, (size_t) n);
    }

    queue_places_free(&places);
}


static void
queue_clerk_second(queue_clerk_t *c)
{
    int        refused;
    PGresult  *row;

    row = at_postgres_exec(c->pg, &queue_clerk_lock, NULL, &refused);
    c->holder = (row && PQntuples(row) == 1
                 && PQgetvalue(row, 0, 0)[0] == 't');
    PQclear(row);

    if (!c->holder) {
        queue_places_free(&c->first);
        queue_places_free(&c->all);
        return;
    }

    PQclear(at_postgres_exec(c->pg, &queue_clerk_measure, NULL, &refused));

    if (c->redis) {
        queue_clerk_rest(c);
    }
}


/* All of them, in parts: the first do not wait for the others. */

static void
queue_clerk_rest(queue_clerk_t *c)
{
    int             rows;
    size_t          m;
    int64_t         n, i, slice;
    unsigned        looks;
    queue_cursor_t  cursor = queue_clerk_begin;
    queue_places_t  places = { .n = 0 };

    looks = c->looks;

    do {
        rows = queue_clerk_read(c, QUEUE_CLERK_PAGE, &places, &cursor);
        queue_clerk_breathe(c);

    } while (rows == QUEUE_CLERK_PAGE && !at_stop_raised(&c->run->worker.stop));

    n = (rows < 0) ? 0 : queue_places_changed(&places, &c->all, &c->first, 0);

    for (i = 0; i < n && !at_stop_raised(&c->run->worker.stop); i += slice) {
        slice = (n - i < QUEUE_CLERK_SLICE) ? n - i : QUEUE_CLERK_SLICE;

        /* the first have been told better, if they were looked at since */

        m = queue_places_without(places.list + i, (size_t) slice,
                                 c->looks != looks ? &c->first : NULL);

        if (queue_clerk_tell(c, places.list + i, m) != AT_OK) {
            break;
        }

        queue_clerk_breathe(c);
    }

    queue_places_free(&places);
}


static void
queue_clerk_breathe(queue_clerk_t *c)
{
    if (at_postgres_notified(c->pg)) {
        queue_clerk_moved(c);
    }

    if (c->moved && at_time_mono() >= c->look) {
        queue_clerk_first(c);
    }
}


/* Adds the rows after the cursor, and returns how many; below 0: away. */

static int
queue_clerk_read(queue_clerk_t *c, int64_t most, queue_places_t *places,
    queue_cursor_t *cursor)
{
    int          n, refused;
    char         text[24];
    PGresult    *rows;
    const char  *params[] = { text, cursor->turn, cursor->n };

    (void) snprintf(text, sizeof(text), "%lld", (long long) most);

    rows = at_postgres_exec(c->pg, &queue_clerk_places, params, &refused);
    if (rows == NULL) {
        return AT_ERROR;
    }

    n = PQntuples(rows);

    if (queue_places_add(places, rows) != AT_OK) {
        n = AT_ERROR;

    } else if (n > 0) {
        (void) snprintf(cursor->turn, sizeof(cursor->turn), "%s",
                        PQgetvalue(rows, n - 1, 3));
        (void) snprintf(cursor->n, sizeof(cursor->n), "%s",
                        PQgetvalue(rows, n - 1, 4));
    }

    PQclear(rows);

    return n;
}


static int
queue_clerk_tell(queue_clerk_t *c, const queue_place_t *list, size_t n)
{
    int64_t  told;

    told = queue_places_tell(c->redis, list, n);
    queue_gauge(QUEUE_REDIS_UP, at_redis_up(c->redis));

    /* all of it again by the second, as nobody knows what has been heard */

    if (told < 0) {
        queue_places_free(&c->first);
        queue_places_free(&c->all);
        return AT_ERROR;
    }

    queue_count(QUEUE_PLACES, told);

    return AT_OK;
}


/* The number of a row; below 0: there is none. */

static int64_t
queue_clerk_number(queue_clerk_t *c, const at_postgres_statement_t *statement,
    const char *const *params)
{
    int        refused;
    int64_t    n;
    PGresult  *row;

    row = at_postgres_exec(c->pg, statement, params, &refused);
    n = (row && PQntuples(row) == 1)
        ? strtoll(PQgetvalue(row, 0, 0), NULL, 10) : -1;
    PQclear(row);

    return n;
}


/* One slice a turn: places do not wait for it. */

static void
queue_clerk_old(queue_clerk_t *c)
{
    char         keep[24], most[24];
    int64_t      n;
    const char  *params[] = { keep, most };

    (void) snprintf(keep, sizeof(keep), "%lld",
                    (long long) c->run->settings.keep);
    (void) snprintf(most, sizeof(most), "%d", QUEUE_CLERK_ROWS);

    n = queue_clerk_number(c, &queue_clerk_prune, params);

    if (n > 0) {
        queue_count(QUEUE_REMOVED, n);
    }

    c->prune = at_time_mono() + (n >= QUEUE_CLERK_ROWS ? QUEUE_CLERK_GAP
                                                       : QUEUE_CLERK_PRUNE);
}


static void
queue_clerk_wait(queue_clerk_t *c)
{
    int                  fd;
    int64_t              now, until;
    struct epoll_event   event = { .events = EPOLLIN };

    now = at_time_mono();
    until = (c->second < c->state) ? c->second : c->state;

    if (c->holder) {
        until = (c->prune < until) ? c->prune : until;

        if (c->moved) {
            until = (c->look < until) ? c->look : until;
        }
    }

    fd = at_postgres_socket(c->pg);

    if (fd != -1) {

        /* one that is in already is told as EEXIST */

        (void) epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event);
    }

    if (until > now) {
        (void) epoll_wait(c->epoll, &event, 1, (int) (until - now));
    }
}
