/*
 * Query arguments of /products: from what stands behind "?" to what the
 * database is asked, and a key.
 *
 * GET /products calls it for every request with the raw arguments.  Two
 * requests that mean the same get the same key: the order of arguments, their
 * encoding and arguments nobody knows do not matter.  An argument that comes
 * more than once counts the first time; an empty one does not count.
 *
 * An at_shop_args_t holds all of its text itself and must not be copied, as
 * it points into itself.  There is nothing to free, and nothing is allocated
 * but by at_shop_args_json().
 */

#ifndef AT_SHOP_ARGS_H
#define AT_SHOP_ARGS_H


#include "at_args.h"
#include "at_shop_key.h"


#define AT_SHOP_PER_PAGE      24
#define AT_SHOP_PER_PAGE_MAX  200
#define AT_SHOP_OFFSET_MAX    10000     /* products before a page */
#define AT_SHOP_RETAILER_MAX  32
#define AT_SHOP_MINOR_MAX     99999999999999    /* in minor units */
#define AT_SHOP_DAYS          30
#define AT_SHOP_DAYS_MAX      3650
#define AT_SHOP_KEY_MAX       (2 * AT_SHOP_TEXT_BYTES + 256)


typedef enum {
    AT_SHOP_RELEVANCE = 0,
    AT_SHOP_CHEAPEST,
    AT_SHOP_DEAREST,
    AT_SHOP_NEWEST,
    AT_SHOP_SORTS
} at_shop_sort_e;


typedef enum {
    AT_SHOP_FACET_CATEGORY = 1,
    AT_SHOP_FACET_RETAILER = 2,
    AT_SHOP_FACET_STOCK = 4,
    AT_SHOP_FACET_VERIFIED = 8,
    AT_SHOP_FACET_PRICE = 16
} at_shop_facet_e;


typedef struct {
    at_str_t        query;              /* in its normal form */
    at_str_t        category;
    at_str_t        retailer;
    int64_t         min_price;          /* in minor units; -1: any */
    int64_t         max_price;
    int             in_stock;           /* 1, 0, or -1: any */
    int             verified;
    at_shop_sort_e  sort;
    unsigned        facets;             /* of at_shop_facet_e */
    unsigned        page;               /* from 1 on */
    unsigned        per_page;
    unsigned        days;               /* of a history */

    char            query_text[AT_SHOP_TEXT_BYTES];
    char            category_text[AT_SHOP_TEXT_BYTES];
    char            retailer_text[AT_SHOP_RETAILER_MAX];
} at_shop_args_t;


/* AT_ERROR: error is filled. */
int at_shop_args_parse(at_str_t raw, at_shop_args_t *out,
    at_args_error_t *error);

/* The same for a history, which has days alone. */
int at_shop_days_parse(at_str_t raw, at_shop_args_t *out,
    at_args_error_t *error);

/*
 * The canonical text of a list, without page and perPage, which globs of
 * invalidations match: "p=...;c=...;r=...;...".  Returns its length.
 */
size_t at_shop_args_key(const at_shop_args_t *args,
    char out[AT_SHOP_KEY_MAX]);

/* Appends what atelier.products_find() is given: an object. */
int at_shop_args_json(const at_shop_args_t *args, at_buf_t *b);

/* 1 if it is an id of a product, retailer:nativeId. */
int at_shop_id_valid(at_str_t id);


#endif /* AT_SHOP_ARGS_H */
