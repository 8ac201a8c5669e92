/*
 * The clients of bench/run: POSTs a prompt with a growing number, at a fixed
 * rate or as fast as answers come, and tells latencies and statuses.
 *
 *     load -p PORT -u PATH [-u PATH] -P PLAN [-g] [-r RATE] [-d SECONDS]
 *          [-n COUNT] [-c CONNECTIONS] [-a PERCENT] [-W COUNT]
 *
 * -g sends a GET instead, with the number appended to a path that ends with
 * "=".  With two paths requests go to them by turns.  -a breaks off that
 * share of the requests after a while; -W leaves that many requests at the
 * start out of the figures.  At a fixed rate the latency counts from the
 * time at which the request should have been sent, so a server that stalls
 * cannot hide it.
 *
 * "added" is the latency beyond the best that the plan allows (plan.h).  The
 * output is "x_name=value" lines, x is a for the first path and b for the
 * second.  All memory lives as long as the process.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plan.h"


#define LOAD_TARGETS   2
#define LOAD_HEAD      4096
#define LOAD_REQUEST   1024
#define LOAD_BUFFER    (256 * 1024)
#define LOAD_EVENTS    256
#define LOAD_ABORT     30000        /* us: the longest patience */
#define LOAD_GRACE     5000000000   /* ns for the last answers */


typedef struct load_conn_s  load_conn_t;

struct load_conn_s {
    load_conn_t  *next;             /* in the queue of idle ones */
    int           fd;
    unsigned      busy:1;
    unsigned      head:1;           /* the header is complete */
    unsigned      end:1;            /* the server will close */
    unsigned      status;
    uint64_t      number;
    int64_t       start;
    int64_t       abort;            /* ns when the client leaves; 0: never */
    size_t        left;             /* of the body */
    size_t        len;
    char          in[LOAD_HEAD];
};


typedef struct {
    const char   *path;
    size_t        sent;
    size_t        ok;
    size_t        unavailable;      /* 503 */
    size_t        other;
    size_t        broken;           /* no answer */
    size_t        left;             /* by the client */
    size_t        possible;         /* some provider would have answered */
    double       *latency;          /* us, of those with 200 */
    double       *added;
} load_target_t;


typedef struct {
    int            epoll;
    unsigned       port;
    unsigned       aborts;          /* percent */
    unsigned       get;
    double         rate;            /* 0: as fast as answers come */
    double         seconds;
    size_t         count;
    size_t         skip;
    bench_plan_t   plan;
    size_t         nconns;
    load_conn_t   *conns;
    load_conn_t   *idle;
    load_conn_t  **tail;
    size_t         nbusy;
    uint64_t       number;          /* of the last request */
    unsigned       ntargets;
    load_target_t  targets[LOAD_TARGETS];
    char           buffer[LOAD_BUFFER];
} load_t;


static void
load_die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}


static load_target_t *
load_target(load_t *l, uint64_t number)
{
    return &l->targets[number % l->ntargets];
}


/* 0 while the request is one of those that warm up. */

static int
load_counts(load_t *l, uint64_t number)
{
    return number > l->skip;
}


static void
load_rest(load_t *l, load_conn_t *c)
{
    c->next = NULL;
    *l->tail = c;
    l->tail = &c->next;
}


static void
load_connect(load_t *l, load_conn_t *c)
{
    int                 on;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) l->port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1)
    {
        load_die("cannot connect");
    }

    on = 1;
    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    memset(&ev, 0, sizeof(ev));
    ev.events = EPOLLIN;
    ev.data.ptr = c;

    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1) {
        load_die("epoll_ctl()");
    }
}


/* The connection has no request any more; it is closed first if need be. */

static void
load_over(load_t *l, load_conn_t *c, int close_it)
{
    c->busy = 0;
    l->nbusy--;

    if (close_it) {
        (void) close(c->fd);
        load_connect(l, c);
    }

    load_rest(l, c);
}


static int
load_get(char *text, size_t size, const char *path, uint64_t number)
{
    char  digits[24] = "";

    if (path[strlen(path) - 1] == '=') {
        (void) snprintf(digits, sizeof(digits), "%llu",
                        (unsigned long long) number);
    }

    return snprintf(text, size, "GET %s%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                    path, digits);
}


static void
load_send(load_t *l, int64_t start)
{
    int             n;
    char            body[LOAD_REQUEST / 2], text[LOAD_REQUEST];
    load_conn_t    *c;
    load_target_t  *t;

    c = l->idle;
    l->idle = c->next;

    if (l->idle == NULL) {
        l->tail = &l->idle;
    }

    c->number = ++l->number;
    c->start = start;
    c->busy = 1;
    c->head = 0;
    c->end = 0;
    c->len = 0;
    c->abort = 0;
    l->nbusy++;

    if (l->aborts
        && bench_plan_draw(c->number, 2 * BENCH_LANES, 100) < l->aborts)
    {
        c->abort = bench_now()
                   + (int64_t) bench_plan_draw(c->number, 2 * BENCH_LANES + 1,
                                               LOAD_ABORT) * 1000;
    }

    t = load_target(l, c->number);

    if (l->get) {
        n = load_get(text, sizeof(text), t->path, c->number);
        goto send;
    }

    n = snprintf(body, sizeof(body),
                 "{\"prompt\":\"a quiet living room with oak shelves, "
                 BENCH_MARK "%llu\",\"style\":\"japandi\","
                 "\"roomType\":\"living room\"}",
                 (unsigned long long) c->number);

    n = snprintf(text, sizeof(text),
                 "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                 "Content-Type: application/json\r\n"
                 "Content-Length: %d\r\n\r\n%s", t->path, n, body);

send:

    if (load_counts(l, c->number)) {
        t->sent++;
        t->possible += (bench_plan_ideal(&l->plan, c->number) != -1);
    }

    if (send(c->fd, text, (size_t) n, MSG_NOSIGNAL) != n) {
        if (load_counts(l, c->number)) {
            t->broken++;
        }

        load_over(l, c, 1);
    }
}


static void
load_done(load_t *l, load_conn_t *c)
{
    long            ideal;
    double          us;
    load_target_t  *t;

    if (load_counts(l, c->number)) {
        t = load_target(l, c->number);

        if (c->status == 200) {
            us = (double) (bench_now() - c->start) / 1000;
            ideal = bench_plan_ideal(&l->plan, c->number);
            t->latency[t->ok] = us;
            t->added[t->ok++] = us - (double) ideal;

        } else if (c->status == 503) {
            t->unavailable++;

        } else {
            t->other++;
        }
    }

    load_over(l, c, c->end);
}


/* Takes the header out of the first bytes; returns how many it took. */

static size_t
load_head(load_conn_t *c, const char *p, size_t n)
{
    char    *end, *line;
    size_t   room, old;

    old = c->len;
    room = LOAD_HEAD - 1 - c->len;
    room = (n < room) ? n : room;

    memcpy(c->in + c->len, p, room);
    c->len += room;
    c->in[c->len] = '\0';

    end = strstr(c->in, "\r\n\r\n");

    if (end == NULL) {
        if (c->len == LOAD_HEAD - 1) {
            fprintf(stderr, "load: a header longer than %d bytes\n",
                    LOAD_HEAD);
            exit(1);
        }

        return n;
    }

    c->head = 1;
    c->left = 0;
    c->status = (unsigned) strtoul(c->in + sizeof("HTTP/1.1 ") - 1, NULL,
                                   10);
    end[2] = '\0';

    for (line = c->in; *line != '\0'; line = strchr(line, '\n') + 1) {

        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            c->left = strtoul(line + 15, NULL, 10);

        } else if (strncasecmp(line, "Connection: close", 17) == 0) {
            c->end = 1;
        }
    }

    return (size_t) (end + 4 - c->in) - old;
}


static void
load_read(load_t *l, load_conn_t *c)
{
    char     *p;
    size_t    n, used;
    ssize_t   rc;

    rc = recv(c->fd, l->buffer, LOAD_BUFFER, MSG_DONTWAIT);

    if (rc == -1 && errno == EAGAIN) {
        return;
    }

    if (rc <= 0) {

        if (!c->busy) {
            (void) close(c->fd);
            load_connect(l, c);
            return;
        }

        if (load_counts(l, c->number)) {
            load_target(l, c->number)->broken++;
        }

        load_over(l, c, 1);
        return;
    }

    if (!c->busy) {
        fprintf(stderr, "load: bytes that nobody asked for\n");
        exit(1);
    }

    p = l->buffer;
    n = (size_t) rc;

    if (!c->head) {
        used = load_head(c, p, n);
        n -= used;
    }

    if (!c->head) {
        return;
    }

    c->left -= (n < c->left) ? n : c->left;

    if (c->left == 0) {
        load_done(l, c);
    }
}


/* The clients whose patience is over leave; returns when the next one's is. */

static int64_t
load_aborts(load_t *l, int64_t now, int64_t next)
{
    size_t        i;
    load_conn_t  *c;

    if (l->aborts == 0) {
        return next;
    }

    for (i = 0; i < l->nconns; i++) {
        c = &l->conns[i];

        if (!c->busy || c->abort == 0) {
            continue;
        }

        if (c->abort <= now) {
            if (load_counts(l, c->number)) {
                load_target(l, c->number)->left++;
            }

            load_over(l, c, 1);

        } else if (c->abort < next) {
            next = c->abort;
        }
    }

    return next;
}


static void
load_wait(load_t *l, int64_t now, int64_t until)
{
    int                 i, n;
    int64_t             left;
    struct timespec     ts;
    struct epoll_event  events[LOAD_EVENTS];

    left = (until > now) ? until - now : 0;
    ts.tv_sec = left / 1000000000;
    ts.tv_nsec = left % 1000000000;

    n = epoll_pwait2(l->epoll, events, LOAD_EVENTS, &ts, NULL);

    for (i = 0; i < n; i++) {
        load_read(l, events[i].data.ptr);
    }
}


static void
load_run(load_t *l)
{
    int64_t  now, start, next, last, step, end;

    start = bench_now();
    step = l->rate > 0 ? (int64_t) (1e9 / l->rate) : 0;
    end = start + (int64_t) (l->seconds * 1e9);
    last = end + LOAD_GRACE;

    for ( ;; ) {
        now = bench_now();

        for ( ;; ) {
            next = step ? start + (int64_t) l->number * step : now;

            if (l->idle == NULL || next > now || next >= end
                || (l->count && l->number == l->count))
            {
                break;
            }

            load_send(l, next);
        }

        if (l->nbusy == 0
            && (now >= end || (l->count && l->number == l->count)))
        {
            return;
        }

        if (now >= last) {
            return;
        }

        /* nothing to send: wait for an answer */

        if (l->idle == NULL || next <= now) {
            next = now + 100000000;
        }

        next = load_aborts(l, now, next);
        load_wait(l, now, next);
    }
}


static void
load_print(load_t *l)
{
    char            x;
    size_t          i;
    load_target_t  *t;

    for (i = 0; i < l->nconns; i++) {
        if (l->conns[i].busy && load_counts(l, l->conns[i].number)) {
            load_target(l, l->conns[i].number)->broken++;
        }
    }

    for (i = 0; i < l->ntargets; i++) {
        t = &l->targets[i];
        x = (char) ('a' + i);

        printf("%c_sent=%zu\n%c_ok=%zu\n%c_unavailable=%zu\n%c_other=%zu\n"
               "%c_broken=%zu\n%c_left=%zu\n%c_possible=%zu\n",
               x, t->sent, x, t->ok, x, t->unavailable, x, t->other,
               x, t->broken, x, t->left, x, t->possible);

        printf("%c_p50=%.1f\n", x, bench_quantile(t->latency, t->ok, 0.5));
        printf("%c_p99=%.1f\n", x, bench_quantile(t->latency, t->ok, 0.99));
        printf("%c_added_p50=%.1f\n", x,
               bench_quantile(t->added, t->ok, 0.5));
        printf("%c_added_p99=%.1f\n", x,
               bench_quantile(t->added, t->ok, 0.99));
    }
}


static void
load_options(load_t *l, int argc, char **argv)
{
    int  o;

    while ((o = getopt(argc, argv, "p:u:P:r:d:n:c:a:W:g")) != -1) {
        switch (o) {

        case 'g':
            l->get = 1;
            continue;

        case 'p':
            l->port = (unsigned) strtoul(optarg, NULL, 10);
            continue;

        case 'u':
            if (l->ntargets < LOAD_TARGETS) {
                l->targets[l->ntargets++].path = optarg;
                continue;
            }

            break;

        case 'P':
            if (bench_plan_parse(&l->plan, optarg) == 0) {
                continue;
            }

            break;

        case 'r':
            l->rate = strtod(optarg, NULL);
            continue;

        case 'd':
            l->seconds = strtod(optarg, NULL);
            continue;

        case 'n':
            l->count = strtoul(optarg, NULL, 10);
            continue;

        case 'c':
            l->nconns = strtoul(optarg, NULL, 10);
            continue;

        case 'a':
            l->aborts = (unsigned) strtoul(optarg, NULL, 10);
            continue;

        case 'W':
            l->skip = strtoul(optarg, NULL, 10);
            continue;
        }

        fprintf(stderr, "load: bad arguments\n");
        exit(2);
    }

    if (l->ntargets == 0 || l->nconns == 0 || l->seconds <= 0) {
        fprintf(stderr, "load: -u, -c and -d are needed\n");
        exit(2);
    }
}


int
main(int argc, char **argv)
{
    size_t         i, max;
    static load_t  l;

    l.nconns = 16;
    l.seconds = 60;
    l.tail = &l.idle;

    load_options(&l, argc, argv);

    (void) prctl(PR_SET_TIMERSLACK, 1000);

    /* room for more answers than any run brings: pages come when touched */

    max = l.rate > 0 ? (size_t) (l.rate * l.seconds) + 1 : 4000000;

    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    l.conns = calloc(l.nconns, sizeof(load_conn_t));

    for (i = 0; i < l.ntargets; i++) {
        l.targets[i].latency = malloc(max * sizeof(double));
        l.targets[i].added = malloc(max * sizeof(double));

        if (l.targets[i].latency == NULL || l.targets[i].added == NULL) {
            load_die("no memory");
        }
    }

    if (l.epoll == -1 || l.conns == NULL) {
        load_die("cannot start");
    }

    for (i = 0; i < l.nconns; i++) {
        load_connect(&l, &l.conns[i]);
        load_rest(&l, &l.conns[i]);
    }

    load_run(&l);
    load_print(&l);

    return 0;
}
