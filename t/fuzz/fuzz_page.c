/*
 * at_shop_read(): whatever a shop answers, what comes out is within bounds:
 * prices are prices, links and images are http(s) and plain ASCII, ids are of
 * the recipe's characters, titles are valid UTF-8, and only what has a price
 * or can do without is a page.  The first byte chooses list, status and
 * encoding.
 */

#include "fuzz.h"
#include "at_text.h"
#include "shop/at_shop.h"


static const char  fuzz_recipe[] =
    "{\"name\": \"fuzz\", \"hosts\": [\"fuzz.example\"], \"currency\": "
    "\"INR\", \"decimal\": \".\", \"urls\": {\"search\": "
    "\"https://fuzz.example/s?q={query}\"}, \"id\": {\"urls\": "
    "[\"/item/{id}\", \"?pid={id}\"], \"chars\": \"A-Za-z0-9\", \"drop\": "
    "\".\", \"unwrap\": [\"url\"]}, \"check\": \"text\", \"state\": "
    "{\"start\": \"__STATE__\", \"product\": {\"title\": \"p.name\", "
    "\"price\": \"p.*.price\", \"stock\": \"p.ok\"}, \"list\": \"items\", "
    "\"item\": {\"id\": \"id\", \"price\": \"price\"}}, \"api\": {\"list\": "
    "\"items\", \"item\": {\"id\": \"id\", \"price\": \"price\"}, "
    "\"product\": {\"price\": \"price\"}}, \"product\": {\"title\": \"h1\", "
    "\"price\": [\".now\", \"xpath://p[1]\"], \"mrp\": {\"css\": \":money\", "
    "\"nth\": 2, \"if\": \"% off\"}, \"stock\": {\"css\": \"button\", "
    "\"pick\": \"join\"}, \"image\": \"img@src\"}, \"list\": {\"cards\": "
    "\"[data-id]\", \"fields\": {\"id\": \"[data-id]@data-id\", \"title\": "
    "\"h3\", \"price\": \":money\", \"url\": \"a@href\", \"image\": "
    "\"img@src\"}}, \"stock\": {\"in\": [\"buy\"], \"out\": [\"sold out\"]}, "
    "\"marks\": {\"captcha\": [\"captcha\"], \"missing\": [\"not found\"]}}";


static void
fuzz_url(at_str_t url)
{
    size_t  i;

    FUZZ_CHECK(url.len == 0 || (url.len > 8
                                && memcmp(url.data, "http", 4) == 0));

    for (i = 0; i < url.len; i++) {
        FUZZ_CHECK(url.data[i] > ' ' && (uint8_t) url.data[i] < 0x7f
                   && strchr("\"<>", url.data[i]) == NULL);
    }
}


static void
fuzz_product(const at_recipe_t *recipe, const at_shop_product_t *p)
{
    size_t  i;

    FUZZ_CHECK(p->price >= 0 && p->price < AT_SHOP_PRICE_MAX);
    FUZZ_CHECK(p->price_max >= p->price);
    FUZZ_CHECK(p->mrp == 0 || (p->price && p->mrp > p->price));
    FUZZ_CHECK(p->title.len <= 4 * AT_SHOP_TITLE_MAX);
    FUZZ_CHECK(at_utf8_valid(p->title));
    FUZZ_CHECK(p->title.len == 0
               || memchr(p->title.data, '\n', p->title.len) == NULL);
    FUZZ_CHECK(p->price == 0 || p->layer[AT_SHOP_PRICE] < AT_SHOP_LAYERS);

    for (i = 0; i < p->id.len; i++) {
        FUZZ_CHECK(recipe->id_chars[(uint8_t) p->id.data[i]]);
    }

    fuzz_url(p->url);
    fuzz_url(p->image);
    FUZZ_CHECK(p->url.len == 0 || at_recipe_host(recipe, p->url));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                      error[AT_RECIPE_ERROR_MAX];
    size_t                    n;
    uint8_t                   how;
    fuzz_in_t                 in = { data, data + size };
    at_shop_page_t            page;
    at_shop_input_t           input;
    const at_shop_product_t  *p;
    at_shop_t                *shop;
    static at_recipe_t       *recipe;

    if (recipe == NULL) {
        recipe = at_recipe_parse("fuzz", AT_STR(fuzz_recipe), error);
        FUZZ_CHECK(recipe != NULL);
    }

    /* Kept from run to run, it would look like a leak in each. */

    shop = at_shop_create();
    FUZZ_CHECK(shop != NULL);

    how = fuzz_byte(&in);
    memset(&input, 0, sizeof(input));
    input.list = how & 1;
    input.status = how & 2 ? 0 : how & 4 ? 200 : 403;
    input.asked = AT_STR("https://fuzz.example/item/AB12");
    input.type = how & 8 ? AT_STR("text/html; charset=windows-1251")
                         : AT_STR("");
    input.body = fuzz_rest(&in);

    if (at_shop_read(shop, recipe, &input, &page) != AT_OK) {
        FUZZ_CHECK(page.n == 0 && page.state == AT_SHOP_UNKNOWN);
        at_shop_free(shop);
        return 0;
    }

    FUZZ_CHECK(page.why != NULL);
    FUZZ_CHECK(page.n <= AT_SHOP_PRODUCTS_MAX);

    for (p = page.products, n = 0; p; p = p->next) {
        fuzz_product(recipe, p);
        n++;
    }

    FUZZ_CHECK(n == page.n);
    at_shop_free(shop);

    return 0;
}
