/*
 * What the providers of a run have seen: calls and their times, answers,
 * calls that the caller broke off.  bench_record_print() tells it as
 * "name=value" lines.
 *
 * Times are taken when the provider's process sees a thing, so a busy machine
 * makes them later, never earlier.  Owned by the caller; what it points to
 * lives as long as the process.
 */

#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H


#include <stddef.h>
#include <stdint.h>

#include "plan.h"


/* One race: its first good answer, and the calls broken off after it. */
typedef struct {
    uint64_t       number;
    int64_t        won;             /* ns; 0: not yet */
    int64_t        cancelled;       /* ns, the last of them */
    unsigned       ncancelled;
} bench_race_t;


typedef struct {
    int64_t       *at;              /* ns, in order */
    size_t         n;
    size_t         max;
} bench_calls_t;


typedef struct {
    size_t         limit;           /* calls in ... */
    int64_t        window;          /* ... so many ns; 0: no limit */
    bench_race_t  *races;
    bench_calls_t  calls[BENCH_LANES];
    size_t         good;
    size_t         cancelled;
    int64_t        refused;         /* ns of the 429; 0: none */
} bench_record_t;


/* limit and window may be set before.  Returns 0, or -1 without memory. */
int bench_record_create(bench_record_t *r);

void bench_record_forget(bench_record_t *r);

void bench_record_call(bench_record_t *r, uint64_t number, unsigned lane,
    int64_t now);
void bench_record_good(bench_record_t *r, uint64_t number, unsigned lane);
void bench_record_cancelled(bench_record_t *r, uint64_t number,
    unsigned lane);

/* The first provider has answered a call that came now with 429. */
void bench_record_refused(bench_record_t *r, int64_t now);

void bench_record_print(bench_record_t *r);


#endif /* BENCH_RECORD_H */
