/*
 * Selectors of recipes.
 *
 * CSS: names, #id, .class, [attribute], its = *= ^= $= ~= with an optional i,
 * :not(), :first-child, :last-child, the combinators and the comma.  :money is
 * added: an element that holds a currency and a number, and nothing else.  A
 * selector is compiled when its recipe is read and never changed after, so any
 * number of threads may use it.
 */

#ifndef AT_SHOP_CSS_H
#define AT_SHOP_CSS_H


#include "at_shop_dom.h"


#define AT_SHOP_CSS_MAX  1024       /* bytes of a selector */


typedef struct at_shop_css_s  at_shop_css_t;


/* NULL: *why says what is wrong.  It lies in the pool, text included. */
at_shop_css_t *at_shop_css_compile(at_shop_pool_t *pool, at_str_t text,
    const char **why);

/*
 * The first element that matches at or behind from and before end, the index
 * behind the last one to look at; or AT_SHOP_NONE.
 */
uint32_t at_shop_css_next(const at_shop_css_t *css, at_shop_dom_t *dom,
    uint32_t from, uint32_t end);

int at_shop_css_match(const at_shop_css_t *css, at_shop_dom_t *dom,
    uint32_t node);


#endif /* AT_SHOP_CSS_H */
