/*
 * Names of elements as numbers, and what HTML says of each: which have no
 * content, which hold no tags, and which begin or end others without a tag.
 */

#ifndef AT_SHOP_TAG_H
#define AT_SHOP_TAG_H


#include <stdint.h>


/* The name of an element, up to 8 letters of it exactly. */
#define AT_SHOP_T1(a)                 ((uint64_t) (a))
#define AT_SHOP_T2(a, b)              (AT_SHOP_T1(a) | (uint64_t) (b) << 8)
#define AT_SHOP_T3(a, b, c)           (AT_SHOP_T2(a, b) | (uint64_t) (c) << 16)
#define AT_SHOP_T4(a, b, c, d)                                               \
    (AT_SHOP_T3(a, b, c) | (uint64_t) (d) << 24)
#define AT_SHOP_T5(a, b, c, d, e)                                            \
    (AT_SHOP_T4(a, b, c, d) | (uint64_t) (e) << 32)
#define AT_SHOP_T6(a, b, c, d, e, f)                                         \
    (AT_SHOP_T5(a, b, c, d, e) | (uint64_t) (f) << 40)
#define AT_SHOP_T7(a, b, c, d, e, f, g)                                      \
    (AT_SHOP_T6(a, b, c, d, e, f) | (uint64_t) (g) << 48)
#define AT_SHOP_T8(a, b, c, d, e, f, g, h)                                   \
    (AT_SHOP_T7(a, b, c, d, e, f, g) | (uint64_t) (h) << 56)


typedef enum {
    AT_SHOP_G_VOID = 1,
    AT_SHOP_G_RAW = 2,          /* no tags inside */
    AT_SHOP_G_BLOCK = 4,        /* ends a paragraph */
    AT_SHOP_G_ITEM = 8,         /* li, dt, dd, option: ends one like it */
    AT_SHOP_G_CELL = 16,        /* td, th */
    AT_SHOP_G_ROW = 32,
    AT_SHOP_G_GROUP = 64,       /* tbody, thead, tfoot */
    AT_SHOP_G_WALL = 128        /* ends inside do not reach out of it */
} at_shop_tag_e;


/* A mask of AT_SHOP_G_...; 0 of what is not known. */
unsigned at_shop_tag(uint64_t name);


#endif /* AT_SHOP_TAG_H */
