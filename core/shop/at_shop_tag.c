/*
 * What HTML says of each element (at_shop_tag.h).
 */

#include "at_shop_tag.h"


/* Those that are blocks, and no more than that. */

static unsigned
at_shop_block(uint64_t name)
{
    switch (name) {

    case AT_SHOP_T1('p'):
    case AT_SHOP_T2('u', 'l'):
    case AT_SHOP_T2('o', 'l'):
    case AT_SHOP_T2('d', 'l'):
    case AT_SHOP_T2('h', '1'):
    case AT_SHOP_T2('h', '2'):
    case AT_SHOP_T2('h', '3'):
    case AT_SHOP_T2('h', '4'):
    case AT_SHOP_T2('h', '5'):
    case AT_SHOP_T2('h', '6'):
    case AT_SHOP_T3('d', 'i', 'v'):
    case AT_SHOP_T3('n', 'a', 'v'):
    case AT_SHOP_T3('p', 'r', 'e'):
    case AT_SHOP_T4('f', 'o', 'r', 'm'):
    case AT_SHOP_T4('m', 'a', 'i', 'n'):
    case AT_SHOP_T5('a', 's', 'i', 'd', 'e'):
    case AT_SHOP_T6('f', 'o', 'o', 't', 'e', 'r'):
    case AT_SHOP_T6('h', 'e', 'a', 'd', 'e', 'r'):
    case AT_SHOP_T6('f', 'i', 'g', 'u', 'r', 'e'):
    case AT_SHOP_T7('s', 'e', 'c', 't', 'i', 'o', 'n'):
    case AT_SHOP_T7('a', 'r', 't', 'i', 'c', 'l', 'e'):
        return AT_SHOP_G_BLOCK;

    default:
        return 0;
    }
}


unsigned
at_shop_tag(uint64_t name)
{
    switch (name) {

    case AT_SHOP_T2('b', 'r'):
    case AT_SHOP_T3('i', 'm', 'g'):
    case AT_SHOP_T4('l', 'i', 'n', 'k'):
    case AT_SHOP_T4('m', 'e', 't', 'a'):
    case AT_SHOP_T5('i', 'n', 'p', 'u', 't'):
    case AT_SHOP_T3('w', 'b', 'r'):
    case AT_SHOP_T4('a', 'r', 'e', 'a'):
    case AT_SHOP_T4('b', 'a', 's', 'e'):
    case AT_SHOP_T3('c', 'o', 'l'):
    case AT_SHOP_T5('e', 'm', 'b', 'e', 'd'):
    case AT_SHOP_T5('p', 'a', 'r', 'a', 'm'):
    case AT_SHOP_T6('s', 'o', 'u', 'r', 'c', 'e'):
    case AT_SHOP_T5('t', 'r', 'a', 'c', 'k'):
        return AT_SHOP_G_VOID;

    case AT_SHOP_T2('h', 'r'):
        return AT_SHOP_G_VOID|AT_SHOP_G_BLOCK;

    case AT_SHOP_T6('s', 'c', 'r', 'i', 'p', 't'):
    case AT_SHOP_T5('s', 't', 'y', 'l', 'e'):
    case AT_SHOP_T5('t', 'i', 't', 'l', 'e'):
    case AT_SHOP_T8('t', 'e', 'x', 't', 'a', 'r', 'e', 'a'):
    case AT_SHOP_T6('i', 'f', 'r', 'a', 'm', 'e'):
    case AT_SHOP_T8('n', 'o', 'f', 'r', 'a', 'm', 'e', 's'):
        return AT_SHOP_G_RAW;

    case AT_SHOP_T2('l', 'i'):
    case AT_SHOP_T2('d', 't'):
    case AT_SHOP_T2('d', 'd'):
        return AT_SHOP_G_ITEM|AT_SHOP_G_BLOCK;

    case AT_SHOP_T6('o', 'p', 't', 'i', 'o', 'n'):
        return AT_SHOP_G_ITEM;

    case AT_SHOP_T2('t', 'd'):
    case AT_SHOP_T2('t', 'h'):
        return AT_SHOP_G_CELL|AT_SHOP_G_WALL|AT_SHOP_G_BLOCK;

    case AT_SHOP_T2('t', 'r'):
        return AT_SHOP_G_ROW|AT_SHOP_G_BLOCK;

    case AT_SHOP_T5('t', 'b', 'o', 'd', 'y'):
    case AT_SHOP_T5('t', 'h', 'e', 'a', 'd'):
    case AT_SHOP_T5('t', 'f', 'o', 'o', 't'):
        return AT_SHOP_G_GROUP|AT_SHOP_G_BLOCK;

    case AT_SHOP_T5('t', 'a', 'b', 'l', 'e'):
        return AT_SHOP_G_WALL|AT_SHOP_G_BLOCK;

    default:
        return at_shop_block(name);
    }
}
