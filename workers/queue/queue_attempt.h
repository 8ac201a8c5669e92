/*
 * One attempt of one generation, from the row that was taken to the outcome
 * that is stored.
 */

#ifndef QUEUE_ATTEMPT_H
#define QUEUE_ATTEMPT_H


#include "queue.h"


/* What an answer of /attempt means. */
typedef enum {
    QUEUE_IS_DONE,
    QUEUE_IS_FINAL,             /* it will never be done */
    QUEUE_IS_PASSING,           /* it was tried, and may be tried again */
    QUEUE_IS_ADOPTED,           /* a provider is still at it */
    QUEUE_IS_BUSY,              /* no try; it is for this one to wait */
    QUEUE_IS_LIMITED,           /* nobody was asked: limits, breakers */
    QUEUE_IS_AWAY               /* no nginx, or one without /attempt */
} queue_verdict_e;


typedef struct {
    queue_verdict_e   verdict;
    char              code[64];
    char              detail[512];
    unsigned          problem:1;        /* the body is one, in JSON */
} queue_answer_t;


typedef enum {
    QUEUE_FREE,
    QUEUE_CALLED,               /* /attempt is at it */
    QUEUE_ENDED                 /* the outcome has to be stored */
} queue_state_e;


typedef struct {
    queue_state_e     state;
    char              id[QUEUE_ID_LEN + 1];
    char              fence[24];
    char              request_id[129];
    int64_t           tries;
    int64_t           age;              /* ms, when it was taken */
    int64_t           taken;            /* at_time_mono() */
    int64_t           renew;
    at_buf_t          body;             /* what is sent */
    at_fetch_call_t   call;
    at_fetch_head_t   head;
    queue_answer_t    answer;
} queue_slot_t;


/* How a statement has ended. */
typedef enum {
    QUEUE_STORED,
    QUEUE_NOT_OURS,             /* cancelled, or somebody else has it */
    QUEUE_REFUSED,              /* by the server; the same again is no use */
    QUEUE_NO_POSTGRES
} queue_stored_e;


/* queue_answer.c: reads what call has brought. */
void queue_answer_read(const at_fetch_call_t *call, queue_answer_t *answer);


/*
 * queue_attempt.c: slot was filled from a row; the call begins.  AT_ERROR: it
 * did not, and has its outcome.
 */
int queue_attempt_begin(queue_run_t *run, at_fetch_t *fetch,
    queue_slot_t *slot);
void queue_attempt_free(queue_slot_t *slot);


/* queue_store.c: 1: slot has a row; 0: there is none; AT_ERROR: away. */
int queue_store_take(queue_run_t *run, at_postgres_t *pg,
    queue_slot_t *slot);
queue_stored_e queue_store_renew(queue_run_t *run, at_postgres_t *pg,
    const queue_slot_t *slot);

/* counted 0: it was no try. */
queue_stored_e queue_store_retry(at_postgres_t *pg, const queue_slot_t *slot,
    int64_t delay, int counted);
queue_stored_e queue_store_done(at_postgres_t *pg, const queue_slot_t *slot);
queue_stored_e queue_store_fail(at_postgres_t *pg, const queue_slot_t *slot,
    int attempts);


#endif /* QUEUE_ATTEMPT_H */
