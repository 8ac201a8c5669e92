/*
 * What the providers of a run do with each request, worked out from the
 * request's number alone.
 *
 * The providers (provider.c) act on it and the load (load.c) knows from it
 * what the best possible answer was, so that the two need not talk.  Nothing
 * is random: the same plan gives the same run.  A plan is a plain value and
 * owns nothing.
 */

#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H


#include <stddef.h>
#include <stdint.h>


#define BENCH_LANES   4
#define BENCH_MARK    "bench "      /* the number follows it in the prompt */


typedef enum {
    BENCH_GOOD,
    BENCH_ERROR,                    /* 500 */
    BENCH_CUT,                      /* half an answer, then the end */
    BENCH_HANG                      /* no answer at all */
} bench_fate_e;


typedef struct {
    unsigned  delay;                /* us before the answer */
    unsigned  jitter;               /* us, either way */
    unsigned  stagger;              /* us more for each further lane */
    unsigned  spread;               /* us that an answer takes to come */
    unsigned  error;                /* percent of each lane's requests */
    unsigned  cut;
    unsigned  hang;
} bench_plan_t;


/* "delay=20000,error=30"; what is not named is 0.  Returns 0, or -1. */
int bench_plan_parse(bench_plan_t *plan, const char *text);

bench_fate_e bench_plan_fate(const bench_plan_t *plan, uint64_t number,
    unsigned lane);

/* In us. */
unsigned bench_plan_delay(const bench_plan_t *plan, uint64_t number,
    unsigned lane);

/*
 * The delay of the first good answer of all lanes, in us; -1 if there is
 * none.
 */
long bench_plan_ideal(const bench_plan_t *plan, uint64_t number);

/* Evenly spread over 0 .. n - 1; kind makes draws independent. */
unsigned bench_plan_draw(uint64_t number, unsigned kind, unsigned n);

/* CLOCK_MONOTONIC in ns. */
int64_t bench_now(void);

/* Sorts v and returns the value below which a share q of it lies. */
double bench_quantile(double *v, size_t n, double q);


#endif /* BENCH_PLAN_H */
