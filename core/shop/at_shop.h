/*
 * From a shop's answer to products.
 *
 * A recipe (at_recipe.h) says where the fields stand; they are looked for in
 * layers, from the data a page carries for programs to what its readers see.
 * Every value found is kept with its layer and, unless it won, with the
 * reason.  What the answer is comes with it: a page, or a wall, a captcha, an
 * error page with status 200, a page cut off, one that a browser would have to
 * build first, one that moved, or one that is gone.  Only of AT_SHOP_PAGE may
 * the absence of something be believed.
 *
 * No value is better than a wrong one: a price that could be another one is
 * none, and one that is not what the page shows is marked.
 *
 * One thread uses one at_shop_t, for any number of pages.
 */

#ifndef AT_SHOP_H
#define AT_SHOP_H


#include "at_recipe.h"


#define AT_SHOP_BODY_MAX      (16 * 1024 * 1024)
#define AT_SHOP_PRODUCTS_MAX  500       /* of one page */
#define AT_SHOP_TITLE_MAX     300       /* code points */


typedef enum {
    AT_SHOP_PAGE,
    AT_SHOP_UNKNOWN,            /* nothing known was found: a new layout? */
    AT_SHOP_WALL,
    AT_SHOP_CAPTCHA,
    AT_SHOP_MISSING,            /* a soft 404 */
    AT_SHOP_TRUNCATED,
    AT_SHOP_CLIENT,             /* rendered by a browser only */
    AT_SHOP_MOVED,
    AT_SHOP_GONE
} at_shop_state_e;


typedef enum {
    AT_SHOP_STOCK_UNKNOWN,
    AT_SHOP_STOCK_IN,
    AT_SHOP_STOCK_OUT
} at_shop_stock_e;


/* A value that was found for a field. */
typedef struct at_shop_find_s  at_shop_find_t;

struct at_shop_find_s {
    at_shop_find_t   *next;
    at_shop_field_e   field;
    at_shop_layer_e   layer;
    at_str_t          source;   /* selector, path, property */
    at_str_t          raw;      /* as found */
    at_str_t          value;    /* of a text, cleaned; empty: refused */
    at_shop_money_t   money;    /* of a price or list price */
    at_shop_stock_e   stock;
    const char       *why;      /* it did not win; NULL: it did */
};


typedef struct at_shop_product_s  at_shop_product_t;

struct at_shop_product_s {
    at_shop_product_t  *next;
    at_str_t            id;
    at_str_t            title;
    at_str_t            url;
    at_str_t            image;
    int64_t             price;      /* hundredths; 0: none */
    int64_t             price_max;  /* of a range; else as price */
    int64_t             mrp;        /* 0: none */
    char                currency[4];
    at_shop_stock_e     stock;

    /* The layer of each field; AT_SHOP_LAYERS: it has no value. */
    uint8_t             layer[AT_SHOP_FIELDS];

    /* Another layer's price, more than 1 % away; price is what is shown. */
    int64_t             other;
    uint8_t             other_layer;
    unsigned            disagrees:1;

    unsigned            shown:1;    /* the price was seen in the text */
    unsigned            stranger:1; /* its id is not the one asked for */

    at_shop_find_t     *finds;
    at_shop_find_t     *last;
};


typedef struct {
    at_str_t  body;
    long      status;
    at_str_t  asked;            /* URL */
    at_str_t  url;              /* after redirects; or empty: as asked */
    at_str_t  type;             /* Content-Type; or empty */
    unsigned  list:1;           /* a search or category */
} at_shop_input_t;


typedef struct {
    at_shop_state_e     state;
    const char         *why;
    at_shop_product_t  *products;
    size_t              n;
    size_t              cards;      /* a product may stand there twice */
    unsigned            tree:1;     /* a tree had to be made */
} at_shop_page_t;


typedef struct at_shop_s  at_shop_t;


at_shop_t *at_shop_create(void);
void at_shop_free(at_shop_t *shop);

/*
 * page is good until the next call; its texts may point into the body.
 * AT_ERROR: no memory, or the page wanted too much of it.
 */
int at_shop_read(at_shop_t *shop, const at_recipe_t *recipe,
    const at_shop_input_t *input, at_shop_page_t *page);

/* "page", "soft 404", ... */
const char *at_shop_state_name(at_shop_state_e state);
const char *at_shop_stock_name(at_shop_stock_e stock);


#endif /* AT_SHOP_H */
