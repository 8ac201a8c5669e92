/*
 * What at_recipe.c and at_recipe_rule.c share: a place in a recipe's file,
 * and the tables of members that may stand there.
 */

#ifndef AT_RECIPE_READ_H
#define AT_RECIPE_READ_H


#include "at_recipe.h"
#include "at_shop_js.h"


typedef struct {
    const char   *file;
    at_recipe_t  *recipe;
    char          path[256];        /* of the value looked at */
    size_t        len;
    char         *error;
} at_recipe_read_t;


/* Takes a value; AT_ERROR: it has said why by at_recipe_fail(). */
typedef int (*at_recipe_take_pt)(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);


typedef struct {
    const char         *name;       /* NULL ends the table */
    at_recipe_take_pt   take;
    size_t              offset;     /* in the structure given */
    const void         *arg;
    unsigned            needed:1;
} at_recipe_key_t;


typedef struct {
    int64_t  min;
    int64_t  max;
} at_recipe_range_t;


/* AT_ERROR.  js may be NULL; why is "what is wrong; what to do". */
int at_recipe_fail(at_recipe_read_t *r, const at_shop_js_t *js,
    const char *why);

/* An object whose members are those of the table. */
int at_recipe_members(at_recipe_read_t *r, const at_shop_js_t *js, void *base,
    const at_recipe_key_t *keys);

/* The members of a whole recipe, into r->recipe (at_recipe_schema.c). */
int at_recipe_fields(at_recipe_read_t *r, const at_shop_js_t *js);

/* The path goes on to a member or element; at_recipe_leave() undoes it. */
size_t at_recipe_enter(at_recipe_read_t *r, const at_shop_js_t *js,
    unsigned index);
void at_recipe_leave(at_recipe_read_t *r, size_t len);

int at_recipe_text(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg);
int at_recipe_texts(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg);
int at_recipe_number(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg);
int at_recipe_choice(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg);

/* field is an array of rules by field. */
int at_recipe_selectors(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
int at_recipe_paths(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg);
int at_recipe_css(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg);


#endif /* AT_RECIPE_READ_H */
