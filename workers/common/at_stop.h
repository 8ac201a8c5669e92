/*
 * How a worker ends: signals, and the word that goes to its threads.
 *
 * The main thread alone takes signals; the others look at an at_stop_t, which
 * is raised once and stays so.  Its descriptor is readable from then on, so
 * whoever polls wakes up.
 */

#ifndef AT_STOP_H
#define AT_STOP_H


#include <stdatomic.h>
#include <stdint.h>


typedef struct {
    atomic_int  raised;
    int         fd;
} at_stop_t;


typedef enum {
    AT_SIGNAL_NONE,             /* the time is over */
    AT_SIGNAL_STOP,             /* TERM or INT */
    AT_SIGNAL_RELOAD            /* HUP */
} at_signal_e;


/* AT_ERROR: no descriptor is left. */
int at_stop_init(at_stop_t *stop);
void at_stop_free(at_stop_t *stop);

void at_stop_raise(at_stop_t *stop);

/* Waits so many ms, or less if it is raised.  1: it is. */
int at_stop_wait(at_stop_t *stop, int64_t ms);

static inline int
at_stop_raised(at_stop_t *stop)
{
    return stop->raised;
}


/* Blocks them in this thread and all it will make; SIGPIPE is ignored. */
void at_signal_init(void);
at_signal_e at_signal_wait(int64_t ms);


#endif /* AT_STOP_H */
