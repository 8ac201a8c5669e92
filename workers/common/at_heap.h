/*
 * A heap of times: what comes first of many things that wait.
 *
 * A node is a member of the thing that waits, all zero while it is in no heap;
 * the heap holds pointers alone.
 */

#ifndef AT_HEAP_H
#define AT_HEAP_H


#include "at.h"


typedef struct {
    int64_t   at;
    size_t    pos;              /* from 1; 0: in no heap */
} at_heap_node_t;


typedef struct {
    at_heap_node_t  **nodes;
    size_t            n;
    size_t            cap;
} at_heap_t;


/* The thing of a type whose member the node is. */
#define at_heap_owner(node, type, member)                                     \
    ((type *) (void *) ((char *) (node) - offsetof(type, member)))


/* Puts it in, or moves it to another time.  AT_ERROR: no memory. */
int at_heap_set(at_heap_t *h, at_heap_node_t *node, int64_t at);

/* So that n nodes fit without memory being asked for.  AT_ERROR: no memory. */
int at_heap_reserve(at_heap_t *h, size_t n);

/* Takes it out, if it is in. */
void at_heap_remove(at_heap_t *h, at_heap_node_t *node);

/* The earliest, or NULL. */
at_heap_node_t *at_heap_first(const at_heap_t *h);

void at_heap_free(at_heap_t *h);


#endif /* AT_HEAP_H */
