/*
 * The circuit breaker of a provider: whether it fails so often that asking it
 * is of no use, judged from what became of the calls made to it.
 *
 * A value of fixed size that may lie in shared memory: it holds no pointer,
 * an all-zero one is closed and knows nothing, and the caller keeps others
 * out while a function runs.  Times are milliseconds of any one clock, which
 * may wrap: they are only compared by their differences.
 *
 * One good answer makes up for one failure.  Good answers speak for a
 * provider in advance, too, as long as one of them is younger than
 * fail_timeout: so what opens the breaker is a share of failures of one half
 * or more, and not a run of bad luck.  A provider that nothing speaks for is
 * out after max_fails failures, one that was well until now after four times
 * as many.
 */

#ifndef AT_BREAKER_H
#define AT_BREAKER_H


#include "at.h"


#define AT_BREAKER_AGES    5        /* failures whose ages are kept */
#define AT_BREAKER_CREDIT  3        /* times max_fails, made up in advance */
#define AT_BREAKER_PAUSES  32       /* times fail_timeout, at most */


typedef uintptr_t  at_breaker_ms_t;


typedef struct {
    unsigned         max_fails;     /* 0: it never opens */
    at_breaker_ms_t  fail_timeout;
} at_breaker_rules_t;


typedef enum {
    AT_BREAKER_CLOSED = 0,
    AT_BREAKER_OPEN,
    AT_BREAKER_HALF_OPEN
} at_breaker_state_e;


typedef enum {
    AT_BREAKER_GOOD,                /* answered as it should */
    AT_BREAKER_FAILED,
    AT_BREAKER_ANSWERING,           /* called off while a good answer came */
    AT_BREAKER_CALLED_OFF,          /* ... before that: its age decides */
    AT_BREAKER_UNKNOWN              /* says nothing about its health */
} at_breaker_outcome_e;


typedef struct {
    unsigned         open;          /* or half-open */
    unsigned         fails;         /* not made up for */
    unsigned         credit;        /* good answers not used up */
    at_breaker_ms_t  good;          /* when the last of these came */
    at_breaker_ms_t  until;         /* if open: no call before */
    at_breaker_ms_t  pause;         /* ... and how long that was */
    unsigned         probing;       /* a probe is out */
    unsigned         probe;         /* number of the last one */
    at_breaker_ms_t  lease;         /* another may follow it then */
    unsigned         nages;
    at_breaker_ms_t  ages[AT_BREAKER_AGES];    /* of failed calls, a ring */
} at_breaker_t;


at_breaker_state_e at_breaker_state(const at_breaker_t *b,
    at_breaker_ms_t now);

/* 0: a call may be made; else in how many ms to ask again, at least 1. */
at_breaker_ms_t at_breaker_wait(const at_breaker_t *b, at_breaker_ms_t now);

/*
 * A call is made, as at_breaker_wait() allowed; returns what is to be given
 * to at_breaker_settle() for it: the number of a probe, or 0.  A probe that
 * has not been settled after lease ms counts as lost.
 */
unsigned at_breaker_ask(at_breaker_t *b, at_breaker_ms_t now,
    at_breaker_ms_t lease);

/* The call is over, age ms after it was made. */
void at_breaker_settle(at_breaker_t *b, const at_breaker_rules_t *rules,
    at_breaker_ms_t now, unsigned probe, at_breaker_outcome_e outcome,
    at_breaker_ms_t age);


#endif /* AT_BREAKER_H */
