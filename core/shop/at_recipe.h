/*
 * Recipes: all that is known of a shop, as a JSON file.
 *
 * Hosts, addresses, request headers, how its products are told apart, where
 * in its pages each field stands, its words for stock, its walls and its pace:
 * a shop is data, and a new one costs no C.  A file is checked as a whole: a
 * member that is not known, a selector that is none, an address of another
 * host are refused with the file, the place in it, the value and the remedy.
 * So a recipe that was read is right; it is never changed after, and any
 * number of threads may use it.  conf/retailers/ has examples, the README the
 * members.
 */

#ifndef AT_RECIPE_H
#define AT_RECIPE_H


#include "at_shop_css.h"
#include "at_shop_money.h"
#include "at_shop_xpath.h"


#define AT_RECIPE_FILE_MAX   (256 * 1024)
#define AT_RECIPE_ERROR_MAX  1024
#define AT_RECIPE_LIST_MAX   200
#define AT_RECIPE_URL_MAX    2048


/* A product's fields, in the order they are shown. */
typedef enum {
    AT_SHOP_ID,
    AT_SHOP_TITLE,
    AT_SHOP_PRICE,
    AT_SHOP_MRP,
    AT_SHOP_CURRENCY,
    AT_SHOP_STOCK,
    AT_SHOP_IMAGE,
    AT_SHOP_URL,
    AT_SHOP_FIELDS
} at_shop_field_e;


/* Where a value is from, the most trusted first. */
typedef enum {
    AT_SHOP_L_API,
    AT_SHOP_L_STATE,
    AT_SHOP_L_LD,
    AT_SHOP_L_MICRODATA,
    AT_SHOP_L_OG,
    AT_SHOP_L_SELECTORS,
    AT_SHOP_L_ADDRESS,          /* the page's own URL */
    AT_SHOP_LAYERS
} at_shop_layer_e;


typedef struct {
    at_str_t  *items;
    size_t     n;
} at_shop_list_t;


typedef struct {
    at_str_t  name;
    at_str_t  value;
} at_shop_pair_t;


typedef struct {
    at_shop_pair_t  *items;
    size_t           n;
} at_shop_pairs_t;


typedef enum {
    AT_SHOP_PICK_FIRST,
    AT_SHOP_PICK_LAST,
    AT_SHOP_PICK_LONGEST,
    AT_SHOP_PICK_JOIN
} at_shop_pick_e;


/* One way to find a field; the next one is tried when it finds nothing. */
typedef struct at_shop_rule_s  at_shop_rule_t;

struct at_shop_rule_s {
    at_shop_rule_t   *next;
    at_str_t          source;   /* as in the file */
    at_shop_css_t    *css;      /* or ... */
    at_shop_xpath_t  *xpath;    /* or, in data, source is a path */
    uint32_t          attr;     /* hash of its name; 0: the text */
    at_shop_pick_e    pick;
    int64_t           nth;      /* from 1; 0: pick */
    at_str_t          when;     /* text the scope must have; may be empty */
    at_str_t          value;    /* what to say instead of what is found */
    at_shop_list_t    without;  /* words that a find must not have */
};


/* Data of a page: its state, or all of an API's answer. */
typedef struct at_shop_data_s  at_shop_data_t;

struct at_shop_data_s {
    at_shop_data_t  *next;
    at_str_t         start;     /* what stands before it */
    int64_t          angular;   /* &q; for quotes */
    int64_t          minor;     /* integers are hundredths */
    at_shop_rule_t  *product[AT_SHOP_FIELDS];
    at_str_t         list;      /* path of the array of products */
    at_shop_rule_t  *item[AT_SHOP_FIELDS];
};


typedef enum {
    AT_SHOP_CHECK_TEXT,         /* the price stands in the page's text */
    AT_SHOP_CHECK_SELECTORS,    /* the price's selector says what is shown */
    AT_SHOP_CHECK_NONE
} at_shop_check_e;


typedef struct {
    at_str_t          name;
    at_str_t          title;
    at_shop_list_t    hosts;        /* and what is below them */
    char              currency[4];
    char              decimal;

    /* addresses */
    at_str_t          search;
    at_str_t          category;
    at_str_t          product;
    int64_t           first_page;
    int64_t           page_step;
    at_shop_pairs_t   categories;   /* our names, and what it calls them */
    at_shop_pairs_t   headers;

    /* a product's id and canonical URL */
    at_shop_list_t    id_urls;      /* "/dp/{id}" */
    uint8_t           id_chars[256];
    int64_t           id_min;
    int64_t           id_max;
    at_str_t          id_drop;      /* characters that do not count */
    int64_t           id_upper;
    at_str_t          id_url;       /* template of the canonical URL */
    at_shop_list_t    id_keep;      /* else: arguments that stay */
    at_shop_list_t    id_unwrap;    /* arguments that hold the real URL */

    /* pages */
    uint8_t           layers[AT_SHOP_LAYERS];
    uint8_t           nlayers;
    uint8_t           order[AT_SHOP_FIELDS][AT_SHOP_LAYERS];
    uint8_t           norder[AT_SHOP_FIELDS];
    int64_t           check;        /* at_shop_check_e */
    at_shop_data_t   *state;
    at_shop_data_t   *api;
    at_shop_rule_t   *fields[AT_SHOP_FIELDS];
    at_shop_css_t    *cards;
    at_shop_css_t    *cards_skip;
    at_shop_rule_t   *card[AT_SHOP_FIELDS];
    at_shop_list_t    in_stock;
    at_shop_list_t    out_of_stock;
    at_shop_list_t    strip;        /* off both ends of titles */
    at_shop_list_t    image_hosts;
    at_shop_list_t    image_refuse;
    at_shop_pairs_t   image_replace;

    /* what is no page */
    at_shop_list_t    walls;
    at_shop_list_t    captchas;
    at_shop_list_t    missing;
    at_shop_list_t    client;
    at_shop_list_t    empty;

    /* pace */
    int64_t           gap;          /* ms between two requests to a host */
    int64_t           parallel;
    int64_t           daily;
    int64_t           robots_ignore;

    /* of at_recipe.c */
    at_shop_pool_t    pool;
    at_shop_xpath_t **xpaths;
    size_t            nxpaths;
} at_recipe_t;


/*
 * file is only its name.  NULL: error says "FILE: PLACE: VALUE: what; remedy".
 * Freed by at_recipe_free().
 */
at_recipe_t *at_recipe_parse(const char *file, at_str_t text,
    char error[AT_RECIPE_ERROR_MAX]);
void at_recipe_free(at_recipe_t *recipe);

/* "title", "ld", ... */
const char *at_shop_field_name(at_shop_field_e field);
const char *at_shop_layer_name(at_shop_layer_e layer);


typedef struct {
    at_str_t  query;
    at_str_t  category;
    at_str_t  id;
    unsigned  page;             /* from 1; 0 is 1 */
} at_recipe_args_t;


/*
 * The address of a search, of a category's page (if category is given) or of a
 * product (if id is).  AT_ERROR: the recipe has none of that kind, or it would
 * be too long.
 */
int at_recipe_url(const at_recipe_t *recipe, const at_recipe_args_t *args,
    at_buf_t *url);

/*
 * What the shop calls one of our categories in its addresses; no text if the
 * recipe does not know.  Case does not count, nor whether words are parted by
 * blanks, "-" or "_".
 */
at_str_t at_recipe_category(const at_recipe_t *recipe, at_str_t category);

/* 1: url is http(s) and its host is one of the shop's, or below one. */
int at_recipe_host(const at_recipe_t *recipe, at_str_t url);

/* The id in a URL, or no text.  In the pool. */
at_str_t at_recipe_url_id(const at_recipe_t *recipe, at_str_t url,
    at_shop_pool_t *pool);

/* An id as a page has it, made canonical; no text if it is none. */
at_str_t at_recipe_id(const at_recipe_t *recipe, at_str_t id,
    at_shop_pool_t *pool);

/*
 * The canonical form of a link, which stands on page base: absolute, without
 * what only tracks.  No text if it leads to another host.
 */
at_str_t at_recipe_link(const at_recipe_t *recipe, at_str_t link,
    at_str_t base, at_shop_pool_t *pool);

/* An image's https URL, or no text. */
at_str_t at_recipe_image(const at_recipe_t *recipe, at_str_t link,
    at_str_t base, at_shop_pool_t *pool);


#endif /* AT_RECIPE_H */
