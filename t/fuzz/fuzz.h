/*
 * What the fuzz targets share.
 *
 * A target is one fuzz_<name>.c with a LLVMFuzzerTestOneInput(): libFuzzer
 * calls it, or driver.c where clang is not at hand.  It feeds the input to a
 * parser of core/ and checks what the parser's header promises; the
 * sanitizers check the rest.  Its seeds are the files of seeds/<name>/.
 *
 * The input is read by a fuzz_in_t, which owns nothing.  Each target includes
 * this once, so all functions are static.
 */

#ifndef FUZZ_H
#define FUZZ_H


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at.h"


/* A promise that was not kept ends the process, as a sanitizer would. */

#define FUZZ_CHECK(cond)                                                     \
    do {                                                                     \
        if (!(cond)) {                                                       \
            fprintf(stderr, "%s:%d: not kept: %s\n", __FILE__, __LINE__,     \
                    #cond);                                                  \
            abort();                                                         \
        }                                                                    \
    } while (0)


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} fuzz_in_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* 0 at the end of the input. */

static inline uint8_t
fuzz_byte(fuzz_in_t *in)
{
    return in->p < in->end ? *in->p++ : 0;
}


static inline at_str_t
fuzz_rest(const fuzz_in_t *in)
{
    return (at_str_t) { (size_t) (in->end - in->p), (const char *) in->p };
}


/* Up to the next newline, which is skipped, or the end. */

static inline at_str_t
fuzz_line(fuzz_in_t *in)
{
    at_str_t        line;
    const uint8_t  *nl;

    line = fuzz_rest(in);
    nl = line.len ? memchr(in->p, '\n', line.len) : NULL;

    if (nl == NULL) {
        in->p = in->end;
        return line;
    }

    line.len = (size_t) (nl - in->p);
    in->p = nl + 1;

    return line;
}


/*
 * The length of the next piece when left bytes are fed in pieces: how 0 is
 * one piece, 1 single bytes, and any other a row of odd sizes of its own.
 */

static inline size_t
fuzz_piece(unsigned how, size_t *state, size_t left)
{
    size_t  n;

    if (how == 0) {
        return left;
    }

    n = 1;

    if (how > 1) {
        *state = *state * 1103515245 + 12345 + how;
        n = 1 + (*state >> 16) % (how * 7);
    }

    return n < left ? n : left;
}


/* FNV-1a, to compare what two runs reported. */

static inline uint64_t
fuzz_hash(uint64_t h, const void *data, size_t len)
{
    size_t          i;
    const uint8_t  *p;

    p = data;

    for (i = 0; i < len; i++) {
        h = (h ^ p[i]) * 1099511628211u;
    }

    return h;
}


static inline uint64_t
fuzz_hash_str(uint64_t h, const char *s)
{
    return fuzz_hash(h, s, strlen(s) + 1);
}


#endif /* FUZZ_H */
