/*
 * Memory of one page: taken piece by piece, given back all at once.
 *
 * A worker reads page after page with one pool.  at_shop_pool_reset() keeps
 * one block, so that the memory of a process stays what its largest pages
 * need.  max bounds what a hostile page can take.
 */

#ifndef AT_SHOP_POOL_H
#define AT_SHOP_POOL_H


#include "at.h"


typedef struct at_shop_block_s  at_shop_block_t;


/* Zero-initialise it but for max (0: no bound). */
typedef struct {
    at_shop_block_t  *blocks;
    size_t            taken;
    size_t            max;
    unsigned          full:1;       /* something was refused since the reset */
} at_shop_pool_t;


/* Aligned for any type, not zeroed; NULL past max or without memory. */
void *at_shop_alloc(at_shop_pool_t *pool, size_t size);

/* The last size bytes taken are given back but for used of them. */
void at_shop_shrink(at_shop_pool_t *pool, size_t size, size_t used);

/* NULL data for an empty s, or without memory. */
at_str_t at_shop_copy(at_shop_pool_t *pool, at_str_t s);

void at_shop_pool_reset(at_shop_pool_t *pool);
void at_shop_pool_free(at_shop_pool_t *pool);


#endif /* AT_SHOP_POOL_H */
