/*
 * Memory of one page (at_shop_pool.h): blocks of 64 kB, larger pieces in
 * blocks of their own.
 */

#include <stdlib.h>
#include <string.h>

#include "at_shop_pool.h"


#define AT_SHOP_BLOCK  (64 * 1024)
#define AT_SHOP_ALIGN  16


struct at_shop_block_s {
    at_shop_block_t  *next;
    size_t            size;
    size_t            used;
    size_t            pad;      /* what follows is aligned */
};


static size_t
at_shop_round(size_t size)
{
    return (size + AT_SHOP_ALIGN - 1) & ~(size_t) (AT_SHOP_ALIGN - 1);
}


static at_shop_block_t *
at_shop_block(at_shop_pool_t *pool, size_t size)
{
    at_shop_block_t  *b;

    if (size < AT_SHOP_BLOCK) {
        size = AT_SHOP_BLOCK;
    }

    if (pool->max && (size > pool->max || pool->taken > pool->max - size)) {
        return NULL;
    }

    b = malloc(sizeof(at_shop_block_t) + size);
    if (b == NULL) {
        return NULL;
    }

    b->size = size;
    b->used = 0;
    b->next = pool->blocks;
    pool->blocks = b;
    pool->taken += size;

    return b;
}


void *
at_shop_alloc(at_shop_pool_t *pool, size_t size)
{
    char             *p;
    at_shop_block_t  *b;

    if (size > SIZE_MAX / 2) {
        pool->full = 1;
        return NULL;
    }

    size = at_shop_round(size ? size : 1);
    b = pool->blocks;

    if (b == NULL || b->size - b->used < size) {
        b = at_shop_block(pool, size);

        if (b == NULL) {
            pool->full = 1;
            return NULL;
        }
    }

    p = (char *) (b + 1) + b->used;
    b->used += size;

    return p;
}


void
at_shop_shrink(at_shop_pool_t *pool, size_t size, size_t used)
{
    size = at_shop_round(size ? size : 1);
    used = at_shop_round(used ? used : 1);

    if (pool->blocks && pool->blocks->used >= size && used < size) {
        pool->blocks->used -= size - used;
    }
}


at_str_t
at_shop_copy(at_shop_pool_t *pool, at_str_t s)
{
    char  *p;

    if (s.len == 0) {
        return AT_STR_NULL;
    }

    p = at_shop_alloc(pool, s.len);
    if (p == NULL) {
        return AT_STR_NULL;
    }

    memcpy(p, s.data, s.len);

    return (at_str_t) { s.len, p };
}


void
at_shop_pool_reset(at_shop_pool_t *pool)
{
    at_shop_block_t  *b, *next, *keep;

    keep = NULL;

    for (b = pool->blocks; b; b = next) {
        next = b->next;

        if (keep == NULL && b->size == AT_SHOP_BLOCK) {
            keep = b;
            continue;
        }

        free(b);
    }

    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }

    pool->blocks = keep;
    pool->taken = keep ? keep->size : 0;
    pool->full = 0;
}


void
at_shop_pool_free(at_shop_pool_t *pool)
{
    at_shop_block_t  *b, *next;

    for (b = pool->blocks; b; b = next) {
        next = b->next;
        free(b);
    }

    pool->blocks = NULL;
    pool->taken = 0;
    pool->full = 0;
}
