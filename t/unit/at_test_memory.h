/*
 * A realloc() that can be told to fail, for tests of what is said when there
 * is no memory.
 *
 * It replaces that of the C library in the whole program that includes this,
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


#endif /* AT_TEST_MEMORY_H */
