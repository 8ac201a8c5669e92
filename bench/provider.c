/*
 * Four providers in one process, for bench/run: they speak the OpenAI images
 * format, answer with a PNG, and keep a record of what was asked and when.
 *
 *     provider -p PORT -P PLAN [-s BYTES] [-l CALLS -w MS]
 *
 * listens on PORT .. PORT + 3 of 127.0.0.1.  What becomes of a request is in
 * the plan (plan.h); BYTES is the size of a good answer.  With a limit of
 * CALLS in MS the report says how well it was kept.  SIGUSR1 forgets what
 * was seen so far, SIGUSR2 makes the next call of the first provider a 429
 * with Retry-After: 7, SIGTERM prints the report and ends.
 *
 * One thread, one epoll.  Connections are reused through a free list and
 * never given back, so an event or a timer that comes late meets a stale
 * generation and not freed memory.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "plan.h"
#include "record.h"


#define PROVIDER_REQUEST  16384
#define PROVIDER_EVENTS   256
#define PROVIDER_SLICES   64        /* of an answer that takes its time */


typedef enum {
    PROVIDER_READING,
    PROVIDER_WAITING,
    PROVIDER_SENDING
} provider_state_e;


typedef struct provider_conn_s  provider_conn_t;

struct provider_conn_s {
    provider_conn_t  *next;         /* in the free list */
    int               fd;
    unsigned          lane;
    unsigned          generation;
    provider_state_e  state;
    bench_fate_e      fate;
    uint64_t          number;
    bench_bytes_t     out;          /* what is left to send */
    size_t            slice;        /* bytes of it that may go now */
    unsigned          end:1;        /* close when it is sent */
    unsigned          good:1;       /* it is a picture */
    unsigned          polled:1;     /* waits for room to send */
    size_t            len;
    char              in[PROVIDER_REQUEST];
};


typedef struct {
    int64_t           at;
    provider_conn_t  *c;
    unsigned          generation;
} provider_timer_t;


typedef struct {
    int                fd[BENCH_LANES];
    int                epoll;
    bench_plan_t       plan;
    bench_answers_t    answers;
    bench_record_t     record;
    provider_conn_t   *idle;
    provider_timer_t  *timers;      /* a heap, the earliest first */
    size_t             ntimers;
    size_t             max_timers;
} provider_t;


static volatile sig_atomic_t  provider_stop;
static volatile sig_atomic_t  provider_forget;
static volatile sig_atomic_t  provider_refuse;


static void provider_read(provider_t *p, provider_conn_t *c);
static void provider_request(provider_t *p, provider_conn_t *c);


static void
provider_die(const char *what)
{
    fprintf(stderr, "provider: %s: %s\n", what, strerror(errno));
    exit(1);
}


static void
provider_signal(int signo)
{
    switch (signo) {

    case SIGUSR1:
        provider_forget = 1;
        break;

    case SIGUSR2:
        provider_refuse = 1;
        break;

    default:
        provider_stop = 1;
        break;
    }
}


static void
provider_timer_swap(provider_timer_t *a, provider_timer_t *b)
{
    provider_timer_t  t;

    t = *a;
    *a = *b;
    *b = t;
}


static void
provider_timer_add(provider_t *p, provider_conn_t *c, int64_t at)
{
    size_t             i;
    provider_timer_t  *t;

    if (p->ntimers == p->max_timers) {
        p->max_timers = p->max_timers ? 2 * p->max_timers : 1024;
        p->timers = realloc(p->timers,
                            p->max_timers * sizeof(provider_timer_t));
        if (p->timers == NULL) {
            provider_die("timers");
        }
    }

    t = p->timers;
    i = p->ntimers++;

    t[i].at = at;
    t[i].c = c;
    t[i].generation = c->generation;

    while (i > 0 && t[(i - 1) / 2].at > t[i].at) {
        provider_timer_swap(&t[i], &t[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}


static provider_timer_t
provider_timer_take(provider_t *p)
{
    size_t             i, child;
    provider_timer_t  *t, first;

    t = p->timers;
    first = t[0];
    t[0] = t[--p->ntimers];

    for (i = 0; 2 * i + 1 < p->ntimers; i = child) {
        child = 2 * i + 1;

        if (child + 1 < p->ntimers && t[child + 1].at < t[child].at) {
            child++;
        }

        if (t[i].at <= t[child].at) {
            break;
        }

        provider_timer_swap(&t[i], &t[child]);
    }

    return first;
}


static void
provider_poll(provider_t *p, provider_conn_t *c, int op, unsigned out)
{
    struct epoll_event  ev;

    memset(&ev, 0, sizeof(ev));
    ev.events = EPOLLIN | EPOLLRDHUP | (out ? EPOLLOUT : 0);
    ev.data.ptr = c;

    if (epoll_ctl(p->epoll, op, c->fd, &ev) == -1) {
        provider_die("epoll_ctl()");
    }

    c->polled = out;
}


static void
provider_listen(provider_t *p, unsigned lane, unsigned port)
{
    int                 fd, on;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    on = 1;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1
        || bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(fd, 4096) == -1)
    {
        provider_die("cannot listen");
    }

    /* a pointer is never this small */

    memset(&ev, 0, sizeof(ev));
    ev.events = EPOLLIN;
    ev.data.u64 = lane;

    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) == -1) {
        provider_die("epoll_ctl()");
    }

    p->fd[lane] = fd;
}


static void
provider_accept(provider_t *p, unsigned lane)
{
    int               fd, on;
    provider_conn_t  *c;

    for ( ;; ) {
        fd = accept4(p->fd[lane], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd == -1) {
            return;
        }

        c = p->idle;

        if (c != NULL) {
            p->idle = c->next;

        } else {
            c = calloc(1, sizeof(provider_conn_t));
            if (c == NULL) {
                provider_die("connections");
            }
        }

        on = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        c->fd = fd;
        c->lane = lane;
        c->state = PROVIDER_READING;
        c->len = 0;

        provider_poll(p, c, EPOLL_CTL_ADD, 0);
    }
}


static void
provider_close(provider_t *p, provider_conn_t *c)
{
    if (c->state != PROVIDER_READING) {
        bench_record_cancelled(&p->record, c->number, c->lane);
    }

    (void) close(c->fd);

    c->fd = -1;
    c->generation++;
    c->next = p->idle;
    p->idle = c;
}


/* Sends what is left; ends in a wait, in the next request, or in the end. */

static void
provider_send(provider_t *p, provider_conn_t *c)
{
    size_t   len;
    ssize_t  n;

    while (c->out.len) {

        if (c->slice == 0) {
            provider_timer_add(p, c, bench_now() + (int64_t) p->plan.spread
                                                   * 1000 / PROVIDER_SLICES);
            if (c->polled) {
                provider_poll(p, c, EPOLL_CTL_MOD, 0);
            }

            return;
        }

        len = (c->slice < c->out.len) ? c->slice : c->out.len;
        n = send(c->fd, c->out.data, len, MSG_NOSIGNAL);

        if (n == -1) {
            if (errno == EAGAIN) {
                if (!c->polled) {
                    provider_poll(p, c, EPOLL_CTL_MOD, 1);
                }

                return;
            }

            provider_close(p, c);
            return;
        }

        c->out.data += n;
        c->out.len -= (size_t) n;
        c->slice -= (size_t) n;
    }

    if (c->good) {
        bench_record_good(&p->record, c->number, c->lane);
    }

    c->state = PROVIDER_READING;

    if (c->end) {
        provider_close(p, c);
        return;
    }

    if (c->polled) {
        provider_poll(p, c, EPOLL_CTL_MOD, 0);
    }

    provider_request(p, c);
}


static void
provider_slice(provider_t *p, provider_conn_t *c)
{
    c->slice = p->plan.spread ? p->answers.good.len / PROVIDER_SLICES + 1
                              : SIZE_MAX;
    provider_send(p, c);
}


static void
provider_answer(provider_t *p, provider_conn_t *c)
{
    c->state = PROVIDER_SENDING;
    c->good = (c->fate == BENCH_GOOD);

    if (c->fate == BENCH_ERROR) {
        c->out = p->answers.error;

    } else {
        c->out = p->answers.good;
    }

    if (c->fate == BENCH_CUT) {
        c->out.len /= 2;
        c->end = 1;
    }

    provider_slice(p, c);
}


/* Starts on a request if there is a whole one. */

static void
provider_request(provider_t *p, provider_conn_t *c)
{
    char      *body, *line, *mark;
    size_t     head, len;
    int64_t    now;
    unsigned   delay;

    body = memmem(c->in, c->len, "\r\n\r\n", 4);

    if (c->state != PROVIDER_READING || body == NULL) {
        return;
    }

    head = (size_t) (body - c->in) + 4;
    body += 4;
    len = 0;
    c->end = 0;

    for (line = c->in; line < body; line = strchr(line, '\n') + 1) {

        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            len = strtoul(line + 15, NULL, 10);

        } else if (strncasecmp(line, "Connection: close", 17) == 0) {
            c->end = 1;
        }
    }

    if (len > PROVIDER_REQUEST - 1 - head) {
        provider_close(p, c);
        return;
    }

    if (c->len < head + len) {
        return;
    }

    now = bench_now();
    mark = memmem(body, len, BENCH_MARK, sizeof(BENCH_MARK) - 1);
    c->number = mark ? strtoull(mark + sizeof(BENCH_MARK) - 1, NULL, 10) : 0;

    c->len -= head + len;
    memmove(c->in, c->in + head + len, c->len);
    c->in[c->len] = '\0';

    bench_record_call(&p->record, c->number, c->lane, now);

    if (provider_refuse && c->lane == 0) {
        provider_refuse = 0;
        c->good = 0;
        c->state = PROVIDER_SENDING;
        c->out = p->answers.later;
        bench_record_refused(&p->record, now);
        provider_slice(p, c);
        return;
    }

    c->fate = bench_plan_fate(&p->plan, c->number, c->lane);
    c->state = PROVIDER_WAITING;

    if (c->fate == BENCH_HANG) {
        return;
    }

    delay = bench_plan_delay(&p->plan, c->number, c->lane);
    provider_timer_add(p, c, now + (int64_t) delay * 1000);
}


static void
provider_read(provider_t *p, provider_conn_t *c)
{
    ssize_t  n;

    /* a request that fills the buffer is none of ours */

    if (c->len == PROVIDER_REQUEST - 1) {
        provider_close(p, c);
        return;
    }

    n = recv(c->fd, c->in + c->len, PROVIDER_REQUEST - 1 - c->len, 0);

    if (n == 0 || (n == -1 && errno != EAGAIN)) {
        provider_close(p, c);
        return;
    }

    if (n > 0) {
        c->len += (size_t) n;
        c->in[c->len] = '\0';
        provider_request(p, c);
    }
}


static void
provider_event(provider_t *p, struct epoll_event *ev)
{
    unsigned          generation;
    provider_conn_t  *c;

    if (ev->data.u64 < BENCH_LANES) {
        provider_accept(p, (unsigned) ev->data.u64);
        return;
    }

    c = ev->data.ptr;
    generation = c->generation;

    if (c->fd == -1) {
        return;
    }

    if (ev->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        provider_read(p, c);
    }

    if ((ev->events & EPOLLOUT) && c->generation == generation
        && c->state == PROVIDER_SENDING)
    {
        provider_send(p, c);
    }
}


static void
provider_turn(provider_t *p)
{
    int                 i, n;
    int64_t             left;
    struct timespec     ts, *wait;
    provider_timer_t    t;
    struct epoll_event  events[PROVIDER_EVENTS];

    wait = NULL;

    if (p->ntimers) {
        left = p->timers[0].at - bench_now();
        left = (left > 0) ? left : 0;
        ts.tv_sec = left / 1000000000;
        ts.tv_nsec = left % 1000000000;
        wait = &ts;
    }

    n = epoll_pwait2(p->epoll, events, PROVIDER_EVENTS, wait, NULL);

    for (i = 0; i < n; i++) {
        provider_event(p, &events[i]);
    }

    while (p->ntimers && p->timers[0].at <= bench_now()) {
        t = provider_timer_take(p);

        if (t.c->generation != t.generation) {
            continue;
        }

        /* one that is sending has no other timer than that of its slice */

        if (t.c->state == PROVIDER_WAITING) {
            provider_answer(p, t.c);

        } else if (t.c->state == PROVIDER_SENDING) {
            provider_slice(p, t.c);
        }
    }
}


static void
provider_setup(provider_t *p, int argc, char **argv)
{
    int       o;
    size_t    size;
    unsigned  lane, port;

    port = 0;
    size = 1024;

    while ((o = getopt(argc, argv, "p:P:s:l:w:")) != -1) {
        switch (o) {

        case 'p':
            port = (unsigned) strtoul(optarg, NULL, 10);
            break;

        case 's':
            size = strtoul(optarg, NULL, 10);
            break;

        case 'l':
            p->record.limit = strtoul(optarg, NULL, 10);
            break;

        case 'w':
            p->record.window = strtol(optarg, NULL, 10) * 1000000;
            break;

        default:
            if (o != 'P' || bench_plan_parse(&p->plan, optarg) == -1) {
                fprintf(stderr, "provider: bad arguments\n");
                exit(2);
            }
        }
    }

    if (bench_answers_create(&p->answers, size) == -1
        || bench_record_create(&p->record) == -1)
    {
        provider_die("no memory");
    }

    p->epoll = epoll_create1(EPOLL_CLOEXEC);

    for (lane = 0; lane < BENCH_LANES; lane++) {
        provider_listen(p, lane, port + lane);
    }
}


int
main(int argc, char **argv)
{
    struct sigaction   sa;
    static provider_t  p;

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = provider_signal;
    (void) sigaction(SIGTERM, &sa, NULL);
    (void) sigaction(SIGINT, &sa, NULL);
    (void) sigaction(SIGUSR1, &sa, NULL);
    (void) sigaction(SIGUSR2, &sa, NULL);

    (void) prctl(PR_SET_TIMERSLACK, 1000);

    provider_setup(&p, argc, argv);

    while (!provider_stop) {
        provider_turn(&p);

        if (provider_forget) {
            provider_forget = 0;
            bench_record_forget(&p.record);
        }
    }

    bench_record_print(&p.record);

    return 0;
}
