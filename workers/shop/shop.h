/*
 * atelier-shop: what its files share.
 *
 *     shop_main.c     the process and its sub-commands
 *     shop_check.c    a recipe, and what it finds on a page
 */

#ifndef SHOP_H
#define SHOP_H


#include "shop/at_shop.h"
#include "at_fetch.h"


/* Exit statuses. */
#define SHOP_OK      0
#define SHOP_FAILED  1
#define SHOP_USAGE   2


/* NULL: what is wrong was said on standard error. */
at_recipe_t *shop_recipe_read(const char *file);

/* atelier-shop check ...; an exit status. */
int shop_check(int argc, char **argv);


#endif /* SHOP_H */
