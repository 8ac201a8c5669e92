/*
 * What the tests of pages share: a shop by its recipe, a page as a text, and
 * what is expected of a product.
 */

#ifndef TEST_SHOP_PAGE_H
#define TEST_SHOP_PAGE_H


#include "at_test.h"
#include "shop/at_shop.h"


typedef struct {
    at_shop_t        *shop;
    at_recipe_t      *recipe;
    at_shop_input_t   input;
    at_shop_page_t    page;
    char             *body;     /* of exactly its length */
} shop_test_t;


/* A recipe of conf/retailers/, or one that is given as a text. */

static inline void
shop_open(shop_test_t *t, const char *recipe)
{
    char       error[AT_RECIPE_ERROR_MAX], name[100];
    FILE      *f;
    at_buf_t   text = { .data = NULL };

    memset(t, 0, sizeof(*t));

    if (recipe[0] == '{') {
        assert_int_equal(at_buf_append(&text, recipe, strlen(recipe)), AT_OK);

    } else {
        (void) snprintf(name, sizeof(name), "conf/retailers/%s.json", recipe);
        f = fopen(name, "rb");
        assert_non_null(f);
        assert_int_equal(at_buf_reserve(&text, AT_RECIPE_FILE_MAX), AT_OK);
        text.len = fread(text.data, 1, AT_RECIPE_FILE_MAX, f);
        assert_int_equal(fclose(f), 0);
    }

    error[0] = '\0';
    t->recipe = at_recipe_parse(recipe, at_buf_str(&text), error);
    at_buf_free(&text);
    at_test_true(t->recipe != NULL, "%s", error);

    t->shop = at_shop_create();
    assert_non_null(t->shop);
}


static inline void
shop_close(shop_test_t *t)
{
    at_shop_free(t->shop);
    at_recipe_free(t->recipe);
    free(t->body);
}


/* Reads a page; url is what was asked for. */

static inline const at_shop_product_t *
shop_read(shop_test_t *t, const char *url, const char *body, int list)
{
    at_str_t  exact;

    free(t->body);
    exact = at_test_exact(at_test_str(body));
    t->body = (char *) (uintptr_t) exact.data;
    t->input.body = exact;
    t->input.asked = at_test_str(url);
    t->input.list = list != 0;

    assert_int_equal(at_shop_read(t->shop, t->recipe, &t->input, &t->page),
                     AT_OK);

    return t->page.products;
}


/* One line that says all of a product: "id|title|price|mrp|stock". */

static inline const char *
shop_line(const at_shop_product_t *p)
{
    char         price[32], mrp[32];
    static char  line[1000];

    if (p == NULL) {
        return "";
    }

    at_shop_money_write(p->price, price);
    at_shop_money_write(p->mrp, mrp);

    (void) snprintf(line, sizeof(line), "%.*s|%.*s|%s|%s|%s", (int) p->id.len,
                    p->id.len ? p->id.data : "", (int) p->title.len,
                    p->title.len ? p->title.data : "", p->price ? price : "",
                    p->mrp ? mrp : "", at_shop_stock_name(p->stock));

    return line;
}


/* The test ends if there is none, which an analyzer does not know of cmocka. */

static inline const at_shop_product_t *
shop_first(const shop_test_t *t)
{
    if (t->page.products == NULL) {
        fail_msg("no product");
        abort();
    }

    return t->page.products;
}


/* The n-th product of a list, from 0. */

static inline const at_shop_product_t *
shop_nth(const shop_test_t *t, size_t n)
{
    const at_shop_product_t  *p;

    for (p = t->page.products; p && n; p = p->next) {
        n--;
    }

    return p;
}


static inline const char *
shop_text(at_str_t s)
{
    static char  text[AT_RECIPE_URL_MAX + 1];

    (void) snprintf(text, sizeof(text), "%.*s", (int) s.len,
                    s.len ? s.data : "");

    return text;
}


#define shop_state_is(t, expected)                                           \
    at_test_true((t)->page.state == (expected), "state %s: %s",              \
                 at_shop_state_name((t)->page.state), (t)->page.why)


#endif /* TEST_SHOP_PAGE_H */
