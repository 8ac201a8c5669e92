/*
 * Looks at shops: recipes of a folder, products as JSON, rates and alarms.
 * That pages are fetched and judged is tested with the sandbox's shops.
 */

#include "at_test.h"
#include "at_look.h"

#include <unistd.h>


#define RECIPE(name, host)                                                    \
    "{\"name\": \"" name "\", \"hosts\": [\"" host "\"],"                     \
    " \"currency\": \"INR\", \"decimal\": \".\","                             \
    " \"urls\": {\"search\": \"https://" host "/s?q={query}\"},"              \
    " \"headers\": {\"Accept\": \"text/html\"},"                              \
    " \"id\": {\"urls\": [\"/p/{id}\"], \"chars\": \"0-9\"},"                 \
    " \"product\": {\"price\": \".now\", \"title\": \"h1\"},"                 \
    " \"marks\": {\"wall\": [\"Access Denied\"]},"                            \
    " \"rates\": {\"gapMs\": 300, \"parallel\": 2, \"daily\": 7}}"


static char  folder[] = "/tmp/atelier-look-XXXXXX";


static void
put(const char *name, const char *text)
{
    char   path[128];
    FILE  *f;

    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    (void) fputs(text, f);
    (void) fclose(f);
}


static void
drop(const char *name)
{
    char  path[128];

    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void) unlink(path);
}


static int
begin(void **state)
{
    (void) state;

    return mkdtemp(folder) ? 0 : -1;
}


static int
end(void **state)
{
    (void) state;

    return rmdir(folder);
}


static void
test_folder(void **state)
{
    char                   error[AT_CONF_ERROR_MAX];
    at_look_shops_t       *shops, *next;
    const at_look_shop_t  *lamp;

    (void) state;

    assert_null(at_look_shops_read(folder, NULL, error));
    assert_non_null(strstr(error, "there is no recipe"));

    put("lamp.json", RECIPE("lamp", "lamp.example"));
    put("rug.json", RECIPE("rug", "rug.example"));
    put("notes.txt", "no recipe");
    shops = at_look_shops_read(folder, NULL, error);
    assert_non_null(shops);
    assert_int_equal(shops->n, 2);

    lamp = at_look_shop(shops, AT_STR("lamp"));
    assert_string_equal(lamp->policy.name, "lamp");
    assert_int_equal(lamp->policy.gap, 300);
    assert_int_equal(lamp->policy.concurrency, 2);
    assert_int_equal(lamp->policy.daily, 7);
    assert_int_equal(lamp->policy.nhosts, 2);
    assert_string_equal(lamp->policy.hosts[0], "lamp.example");
    assert_string_equal(lamp->policy.hosts[1], "*.lamp.example");
    assert_string_equal(lamp->policy.headers[0], "Accept: text/html");
    assert_null(at_look_shop(shops, AT_STR("lam")));

    /* walls by status and by their marks; a page is not judged here */

    assert_true(lamp->policy.is_wall(&lamp->policy, 403, AT_STR("")));
    assert_true(lamp->policy.is_wall(&lamp->policy, 503,
                                     AT_STR("<h1>access denied</h1>")));
    assert_false(lamp->policy.is_wall(&lamp->policy, 503, AT_STR("busy")));
    assert_false(lamp->policy.is_wall(&lamp->policy, 200,
                                      AT_STR("Access Denied")));

    /* of a bad file the old one is kept; a new bad one is left out */

    put("lamp.json", "{\"name\": \"lamp\", \"colour\": 1}");
    put("sofa.json", "{}");
    assert_null(at_look_shops_read(folder, NULL, error));
    assert_non_null(strstr(error, "lamp.json"));
    next = at_look_shops_read(folder, shops, error);
    assert_non_null(next);
    assert_int_equal(next->n, 2);
    assert_ptr_equal(at_look_shop(next, AT_STR("lamp")), lamp);
    at_look_shops_free(shops);
    assert_string_equal(lamp->name, "lamp");

    /* one that is gone is gone; a name is that of its file */

    drop("sofa.json");
    drop("rug.json");
    put("lamp.json", RECIPE("light", "lamp.example"));
    assert_null(at_look_shops_read(folder, NULL, error));
    assert_non_null(strstr(error, "not the name of the file"));
    put("lamp.json", RECIPE("lamp", "lamp2.example"));
    shops = at_look_shops_read(folder, next, error);
    at_look_shops_free(next);
    assert_int_equal(shops->n, 1);
    lamp = at_look_shop(shops, AT_STR("lamp"));
    assert_string_equal(lamp->policy.hosts[0], "lamp2.example");
    at_look_shops_free(shops);

    drop("lamp.json");
    drop("notes.txt");
}


static at_shop_product_t
product(void)
{
    at_shop_product_t  p;

    memset(&p, 0, sizeof(p));
    p.id = AT_STR("77");
    p.title = AT_STR("A \"lamp\"");
    p.url = AT_STR("https://lamp.example/p/77");
    p.price = 129950;
    p.mrp = 150000;
    p.stock = AT_SHOP_STOCK_OUT;
    p.layer[AT_SHOP_PRICE] = AT_SHOP_L_LD;
    p.shown = 1;
    memcpy(p.currency, "INR", 4);

    return p;
}


static void
written(const at_look_shop_t *shop, const at_shop_product_t *p, int list,
    const char *want)
{
    at_buf_t  b = { .data = NULL };

    assert_int_equal(at_look_write(&b, shop, p, list, AT_STR_NULL, 0),
                     want[0] ? 1 : 0);
    at_test_true(at_str_is(at_buf_str(&b), want), "%.*s instead of %s",
                 (int) b.len, (char *) b.data, want);
    at_buf_free(&b);
}


static void
test_write(void **state)
{
    at_buf_t           b = { .data = NULL };
    at_recipe_t        recipe;
    at_look_shop_t     shop;
    at_shop_product_t  p;

    (void) state;
    memset(&recipe, 0, sizeof(recipe));
    memset(&shop, 0, sizeof(shop));
    shop.recipe = &recipe;
    shop.name = "lamp";
    memcpy(recipe.currency, "INR", 4);
    recipe.check = AT_SHOP_CHECK_TEXT;
    p = product();

#define LAMP  "{\"id\":\"lamp:77\",\"title\":\"A \\\"lamp\\\"\","             \
              "\"url\":\"https://lamp.example/p/77\""
#define COST  ",\"price\":129950,\"mrp\":150000,\"currency\":\"INR\","        \
              "\"layer\":\"ld\""
#define PAGE  ",\"from\":\"page\"}"
#define LIST  ",\"from\":\"list\"}"

    written(&shop, &p, 0, LAMP COST ",\"inStock\":false" PAGE);

    p.shown = 0;
    written(&shop, &p, 0, LAMP COST ",\"doubt\":true,\"inStock\":false" PAGE);
    written(&shop, &p, 1, LAMP COST ",\"inStock\":false" LIST);

    p.disagrees = 1;
    written(&shop, &p, 1, LAMP COST ",\"doubt\":true,\"inStock\":false" LIST);

    /* without a price there is no list price, and nothing says 0 */

    p.price = 0;
    p.stock = AT_SHOP_STOCK_UNKNOWN;
    written(&shop, &p, 0, LAMP PAGE);

    p.stranger = 1;
    written(&shop, &p, 0, "");
    p = product();
    p.id = AT_STR_NULL;
    written(&shop, &p, 0, "");

    p = product();
    p.image = AT_STR("https://cdn.example/77.jpg");
    p.stock = AT_SHOP_STOCK_IN;
    assert_int_equal(at_look_write(&b, &shop, &p, 0, AT_STR("lamps"), 9), 1);
    at_test_true(at_str_is(at_buf_str(&b), LAMP
                 ",\"image\":\"https://cdn.example/77.jpg\","
                 "\"category\":\"lamps\"" COST
                 ",\"inStock\":true,\"fence\":9" PAGE), "%.*s",
                 (int) b.len, (char *) b.data);
    at_buf_free(&b);

    assert_int_equal(at_look_minor(3149000, "CLP"), 31490);
    assert_int_equal(at_look_minor(1250, "KWD"), 12500);
    assert_int_equal(at_look_minor(1250, "EUR"), 1250);
}


static int
has(const char *line)
{
    int       found;
    at_buf_t  b = { .data = NULL };

    assert_int_equal(at_look_metrics(&b), AT_OK);
    found = memmem(b.data, b.len, line, strlen(line)) != NULL;
    at_buf_free(&b);

    return found;
}


static void
test_rates(void **state)
{
    unsigned            i;
    at_look_hits_t     *h;
    at_shop_page_t      page;
    at_shop_product_t   p;

    (void) state;
    h = at_look_hits("lamp");
    assert_ptr_equal(at_look_hits("lamp"), h);

    p = product();
    memset(&page, 0, sizeof(page));
    page.products = &p;

    for (i = 0; i < 80; i++) {
        at_look_hits_add(h, 0, AT_LOOK_PAGE, &page);
    }

#define SERIES(name)  "atelier_look_" name "{shop=\"lamp\",kind=\"product\""

    assert_true(has(SERIES("pages_total") ",state=\"page\"} 80\n"));
    assert_true(has(SERIES("prices_total") ",layer=\"ld\"} 80\n"));
    assert_true(has(SERIES("hit_percent") ",layer=\"any\"} 100\n"));
    assert_true(has(SERIES("alarm") ",layer=\"any\"} 0\n"));

    /* walls are another matter */

    for (i = 0; i < 50; i++) {
        at_look_hits_add(h, 0, AT_LOOK_WALL, &page);
        at_look_hits_add(h, 0, AT_LOOK_FAILED, NULL);
    }

    assert_true(has(SERIES("hit_percent") ",layer=\"any\"} 100\n"));

    /* the layer is gone, but another one has the prices */

    p.layer[AT_SHOP_PRICE] = AT_SHOP_L_SELECTORS;

    for (i = 0; i < 10; i++) {
        at_look_hits_add(h, 0, AT_LOOK_PAGE, &page);
    }

    assert_true(has(SERIES("alarm") ",layer=\"ld\"} 0\n"));
    at_look_hits_add(h, 0, AT_LOOK_PAGE, &page);
    assert_true(has(SERIES("alarm") ",layer=\"ld\"} 1\n"));
    assert_true(has(SERIES("alarm") ",layer=\"any\"} 0\n"));

    /* then there is none */

    for (i = 0; i < 11; i++) {
        at_look_hits_add(h, 0, AT_LOOK_UNKNOWN, &page);
    }

    assert_true(has(SERIES("alarm") ",layer=\"any\"} 1\n"));
    assert_true(has(SERIES("alarms_total") "} 2\n"));

    p.layer[AT_SHOP_PRICE] = AT_SHOP_L_LD;

    for (i = 0; i < 50; i++) {
        at_look_hits_add(h, 0, AT_LOOK_PAGE, &page);
    }

    assert_true(has(SERIES("alarm") ",layer=\"any\"} 0\n"));
    assert_true(has(SERIES("alarm") ",layer=\"ld\"} 0\n"));
    assert_true(has("atelier_look_alarm{shop=\"lamp\",kind=\"list\","
                    "layer=\"any\"} 0\n"));
}


static void
test_conf(void **state)
{
    (void) state;

    assert_null(at_look_conf_proxy("http://10.0.0.9:3128"));
    assert_null(at_look_conf_proxy("socks5://user:word@proxy.example"));
    assert_non_null(at_look_conf_proxy("10.0.0.9:3128"));
    assert_non_null(at_look_conf_proxy("ftp://10.0.0.9"));
    assert_non_null(at_look_conf_proxy("http://"));
    assert_non_null(at_look_conf_proxy("http://a b"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_conf)
    };

    return cmocka_run_group_tests(tests, begin, end);
}
