/*
 * XPath of recipes, by libxml2.
 *
 * For what a CSS selector cannot say.  The expression is evaluated over the
 * text of one element (a card, or the page), which libxml2 reads as HTML of its
 * own: ten times the work of a CSS selector.  Who calls has read that text by
 * at_shop_dom.h before, so that no tag with a thousand attributes gets here.
 */

#ifndef AT_SHOP_XPATH_H
#define AT_SHOP_XPATH_H


#include "at_shop_pool.h"


#define AT_SHOP_XPATH_BYTES  (4 * 1024 * 1024)  /* of HTML; more is cut */
#define AT_SHOP_XPATH_WORK   2000000            /* operations of libxml2 */


typedef struct at_shop_xpath_s  at_shop_xpath_t;
typedef struct at_shop_xdoc_s   at_shop_xdoc_t;


/* NULL: *why says what is wrong.  Freed by at_shop_xpath_free(). */
at_shop_xpath_t *at_shop_xpath_compile(at_str_t text, const char **why);
void at_shop_xpath_free(at_shop_xpath_t *xpath);

/* NULL: no memory, or no HTML at all. */
at_shop_xdoc_t *at_shop_xdoc_parse(at_str_t html);
void at_shop_xdoc_free(at_shop_xdoc_t *doc);

/* The text of the n-th result, from 0, copied into the pool; or no text. */
at_str_t at_shop_xpath_text(const at_shop_xpath_t *xpath, at_shop_xdoc_t *doc,
    at_shop_pool_t *pool, unsigned n);


#endif /* AT_SHOP_XPATH_H */
