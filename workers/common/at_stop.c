/*
 * Signals, and the word to end (see at_stop.h).
 */

#include "at_stop.h"
#include "at.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>


static void
at_signal_set(sigset_t *set)
{
    (void) sigemptyset(set);
    (void) sigaddset(set, SIGTERM);
    (void) sigaddset(set, SIGINT);
    (void) sigaddset(set, SIGHUP);
}


int
at_stop_init(at_stop_t *stop)
{
    stop->raised = 0;
    stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    return (stop->fd == -1) ? AT_ERROR : AT_OK;
}


void
at_stop_free(at_stop_t *stop)
{
    (void) close(stop->fd);
}


void
at_stop_raise(at_stop_t *stop)
{
    stop->raised = 1;
    (void) eventfd_write(stop->fd, 1);
}


int
at_stop_wait(at_stop_t *stop, int64_t ms)
{
    struct pollfd  pfd = { .fd = stop->fd, .events = POLLIN };

    if (!stop->raised && ms > 0) {
        (void) poll(&pfd, 1, (ms > 3600000) ? 3600000 : (int) ms);
    }

    return stop->raised;
}


void
at_signal_init(void)
{
    sigset_t  set;

    at_signal_set(&set);
    (void) pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void) signal(SIGPIPE, SIG_IGN);
}


at_signal_e
at_signal_wait(int64_t ms)
{
    int              n;
    sigset_t         set;
    struct timespec  ts;

    at_signal_set(&set);
    ts.tv_sec = (time_t) (ms / 1000);
    ts.tv_nsec = (long) (ms % 1000) * 1000000;

    n = sigtimedwait(&set, NULL, &ts);

    if (n == SIGHUP) {
        return AT_SIGNAL_RELOAD;
    }

    return (n > 0) ? AT_SIGNAL_STOP : AT_SIGNAL_NONE;
}
