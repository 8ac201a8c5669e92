/*
 * The bytes that the providers answer with: a picture, an error, a refusal.
 * Made once at the start and kept to the end of the process.
 */

#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H


#include <stddef.h>


typedef struct {
    const char  *data;
    size_t       len;
} bench_bytes_t;


typedef struct {
    bench_bytes_t  good;
    bench_bytes_t  error;
    bench_bytes_t  later;
} bench_answers_t;


/*
 * size: bytes of the body of a good answer, which is met closely from about
 * 1 kB on.  Returns 0, or -1 without memory.
 */
int bench_answers_create(bench_answers_t *a, size_t size);


#endif /* BENCH_ANSWER_H */
