/*
 * What the files of core/shop/ that read a page share, and nobody else
 * includes.
 *
 *     at_shop.c           the course of a page
 *     at_shop_charset.c   any encoding to UTF-8
 *     at_shop_ld.c        JSON-LD
 *     at_shop_data.c      an API's answer, state
 *     at_shop_meta.c      microdata, OpenGraph
 *     at_shop_select.c    selectors, cards
 *     at_shop_field.c     from what was found to a product
 *     at_shop_judge.c     page, wall, captcha, ...
 */

#ifndef AT_SHOP_INTERNAL_H
#define AT_SHOP_INTERNAL_H


#include "at_shop.h"
#include "at_shop_js.h"


#define AT_SHOP_POOL_MAX  (48 * 1024 * 1024)    /* what one page may take */
#define AT_SHOP_RAW_SHOWN 200                   /* code points kept of a raw */


struct at_shop_s {
    at_shop_pool_t          pool;
    at_shop_dom_t           dom;
    at_buf_t                utf8;       /* a body that was converted */

    /* of the page under way */
    const at_recipe_t      *recipe;
    const at_shop_input_t  *input;
    at_shop_page_t         *page;
    at_str_t                body;
    at_str_t                url;
    at_str_t                asked_id;
    unsigned                tree:1;
    unsigned                starved:1;
    at_shop_product_t      *last;       /* of page->products */

    /* the element that XPath has read */
    at_shop_xdoc_t         *xdoc;
    uint32_t                xnode;
};


/* What a layer knows of a value beside its text. */
typedef struct {
    at_shop_layer_e  layer;
    at_str_t         source;
    at_str_t         currency;  /* of its prices, as written; or empty */
    unsigned         minor:1;   /* its integers are hundredths */
    unsigned         data:1;    /* written for programs */
} at_shop_from_t;


int at_shop_charset(at_shop_t *shop, at_str_t body, at_str_t type);

/* Products of the page; NULL: no memory, or there are too many. */
at_shop_product_t *at_shop_product(at_shop_t *shop);
at_shop_product_t *at_shop_product_by_id(at_shop_t *shop, at_str_t id);

/* Adds what was found; an empty raw is nothing.  1: it is a good value. */
int at_shop_add(at_shop_t *shop, at_shop_product_t *p, at_shop_field_e field,
    const at_shop_from_t *from, at_str_t raw);

/* 1: the product has a good value of that field by that layer, or any. */
int at_shop_has(const at_shop_product_t *p, at_shop_field_e field,
    at_shop_layer_e layer);

/* Decides all fields. */
void at_shop_resolve(at_shop_t *shop, at_shop_product_t *p);

/* The stock a word stands for. */
at_shop_stock_e at_shop_stock(const at_recipe_t *recipe, at_str_t text);

/* 1: needle is in text, ASCII letters compared without case. */
int at_shop_inside(at_str_t text, at_str_t needle);

void at_shop_ld_product(at_shop_t *shop, at_shop_product_t *p);
void at_shop_ld_list(at_shop_t *shop);

void at_shop_state_product(at_shop_t *shop, at_shop_product_t *p);
void at_shop_state_list(at_shop_t *shop);
void at_shop_api(at_shop_t *shop, at_shop_product_t *p);

void at_shop_microdata(at_shop_t *shop, at_shop_product_t *p);
void at_shop_og(at_shop_t *shop, at_shop_product_t *p);

void at_shop_selectors(at_shop_t *shop, at_shop_product_t *p);
void at_shop_cards(at_shop_t *shop);

void at_shop_judge(at_shop_t *shop);


#endif /* AT_SHOP_INTERNAL_H */
