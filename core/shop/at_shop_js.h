/*
 * Data inside pages: JSON, and JavaScript literals that are nearly JSON.
 *
 * The state of a shop's page is a program's text: bare "undefined", names
 * without quotes, single quotes, commas too many, comments, !0 for true.
 * at_json.h reads none of it and reports paths, not places in arrays; so this
 * is a reader of its own, which makes a tree of one value and stops behind it.
 * With strict it takes JSON alone: recipes are read so.
 *
 * Bounds: depth 64, AT_SHOP_JS_NODES values, and what the pool bears.  Numbers
 * stay text.  The tree lies in the pool and points into the text read.
 */

#ifndef AT_SHOP_JS_H
#define AT_SHOP_JS_H


#include "at_shop_pool.h"


#define AT_SHOP_JS_DEPTH  64
#define AT_SHOP_JS_NODES  200000


typedef enum {
    AT_SHOP_JS_NULL,            /* undefined and NaN, too */
    AT_SHOP_JS_BOOL,
    AT_SHOP_JS_NUMBER,
    AT_SHOP_JS_STRING,
    AT_SHOP_JS_OBJECT,
    AT_SHOP_JS_ARRAY
} at_shop_js_e;


typedef struct at_shop_js_s  at_shop_js_t;

struct at_shop_js_s {
    at_shop_js_t  *next;
    at_shop_js_t  *child;       /* the first member or element */
    at_str_t       name;        /* of a member; as written */
    at_str_t       text;        /* of a scalar; of a string as written */
    at_shop_js_e   type;
    unsigned       escaped:1;   /* text has backslashes */
    unsigned       coded:1;     /* name has */
};


/*
 * NULL: *why says what is wrong in a short static text, *end where.  Else *end
 * is behind the value, as an offset into s.
 */
at_shop_js_t *at_shop_js_parse(at_shop_pool_t *pool, at_str_t s, int strict,
    size_t *end, const char **why);

/* The last member of that name, or NULL; js may be NULL or anything. */
at_shop_js_t *at_shop_js_member(const at_shop_js_t *js, const char *name);

/*
 * "a.b[0].*.c": members, elements, and "*" for the first member or element
 * from which the rest of the path leads on; "" is js itself.  Or NULL.
 */
at_shop_js_t *at_shop_js_path(at_shop_js_t *js, at_str_t path);

/* What a scalar says, decoded; no text for null, objects and arrays. */
at_str_t at_shop_js_text(at_shop_pool_t *pool, const at_shop_js_t *js);
at_str_t at_shop_js_name(at_shop_pool_t *pool, const at_shop_js_t *js);


#endif /* AT_SHOP_JS_H */
