/*
 * A realloc() and a calloc() that can be told to fail, for tests of what is
 * said when there is no memory.
 *
 * They replace those of the C library in the whole program that includes this,
 * so once in each.  All buffers of core/ grow by realloc(); what it returns
 * is malloc()'s, so the sanitizers watch it as any other memory.
 */

#ifndef AT_TEST_MEMORY_H
#define AT_TEST_MEMORY_H


#include <malloc.h>
#include <stdlib.h>
#include <string.h>


/* Bytes from which on it fails; 0: never. */
static size_t  at_test_memory_end;

/* How many that are as large get through before. */
static size_t  at_test_memory_skip;


void *
realloc(void *old, size_t size)
{
    void    *new;
    size_t   len;

    if (at_test_memory_end && size >= at_test_memory_end) {
        if (at_test_memory_skip == 0) {
            return NULL;
        }

        at_test_memory_skip--;
    }

    new = malloc(size);
    if (new == NULL || old == NULL) {
        return new;
    }

    len = malloc_usable_size(old);
    memcpy(new, old, len < size ? len : size);
    free(old);

    return new;
}


/* Of one thing of so many bytes it fails, as often as this says. */
static size_t    at_test_memory_size;
static unsigned  at_test_memory_fails;


/* Not by memset(), or the compiler makes both a calloc(). */

void *
calloc(size_t n, size_t size)
{
    void    *new;

    static void  *(*volatile fill)(void *, int, size_t) = memset;

    if (size && n > (size_t) -1 / size) {
        return NULL;
    }

    if (at_test_memory_fails && n == 1 && size == at_test_memory_size) {
        at_test_memory_fails--;
        return NULL;
    }

    new = malloc(n * size);

    return new ? fill(new, 0, n * size) : NULL;
}


#endif /* AT_TEST_MEMORY_H */
