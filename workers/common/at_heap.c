/*
 * A binary heap of times (see at_heap.h).
 */

#include "at_heap.h"

#include <stdlib.h>


static void at_heap_up(at_heap_t *h, size_t i);
static void at_heap_down(at_heap_t *h, size_t i);
static void at_heap_put(at_heap_t *h, size_t i, at_heap_node_t *node);


int
at_heap_set(at_heap_t *h, at_heap_node_t *node, int64_t at)
{
    node->at = at;

    if (node->pos == 0) {

        if (at_heap_reserve(h, h->n + 1) != AT_OK) {
            return AT_ERROR;
        }

        at_heap_put(h, h->n++, node);
    }

    at_heap_up(h, node->pos - 1);
    at_heap_down(h, node->pos - 1);

    return AT_OK;
}


int
at_heap_reserve(at_heap_t *h, size_t n)
{
    size_t            cap;
    at_heap_node_t  **nodes;

    if (n <= h->cap) {
        return AT_OK;
    }

    cap = h->cap ? h->cap * 2 : 64;
    cap = (cap < n) ? n : cap;
    nodes = realloc((void *) h->nodes, cap * sizeof(at_heap_node_t *));

    if (nodes == NULL) {
        return AT_ERROR;
    }

    h->nodes = nodes;
    h->cap = cap;

    return AT_OK;
}


void
at_heap_remove(at_heap_t *h, at_heap_node_t *node)
{
    size_t           i;
    at_heap_node_t  *last;

    if (node->pos == 0) {
        return;
    }

    i = node->pos - 1;
    node->pos = 0;
    last = h->nodes[--h->n];

    if (last != node) {
        at_heap_put(h, i, last);
        at_heap_up(h, i);
        at_heap_down(h, last->pos - 1);
    }
}


at_heap_node_t *
at_heap_first(const at_heap_t *h)
{
    return h->n ? h->nodes[0] : NULL;
}


void
at_heap_free(at_heap_t *h)
{
    free((void *) h->nodes);
    *h = (at_heap_t) { .nodes = NULL };
}


static void
at_heap_up(at_heap_t *h, size_t i)
{
    size_t           parent;
    at_heap_node_t  *node = h->nodes[i];

    while (i > 0) {
        parent = (i - 1) / 2;

        if (h->nodes[parent]->at <= node->at) {
            break;
        }

        at_heap_put(h, i, h->nodes[parent]);
        i = parent;
    }

    at_heap_put(h, i, node);
}


static void
at_heap_down(at_heap_t *h, size_t i)
{
    size_t           child;
    at_heap_node_t  *node = h->nodes[i];

    for ( ;; ) {
        child = i * 2 + 1;

        if (child >= h->n) {
            break;
        }

        if (child + 1 < h->n
            && h->nodes[child + 1]->at < h->nodes[child]->at)
        {
            child++;
        }

        if (node->at <= h->nodes[child]->at) {
            break;
        }

        at_heap_put(h, i, h->nodes[child]);
        i = child;
    }

    at_heap_put(h, i, node);
}


static void
at_heap_put(at_heap_t *h, size_t i, at_heap_node_t *node)
{
    h->nodes[i] = node;
    node->pos = i + 1;
}
