/*
 * A sixth shop, made of a recipe alone: every layer, what JSON-LD can say,
 * the prices of other countries, encodings; and every answer that is no page.
 */

#include "test_shop_page.h"


#define SIXTH(more)                                                          \
    "{\"name\": \"sixth\", \"title\": \"Sixth Shop\","                       \
    "\"hosts\": [\"sixth.example\"], \"currency\": \"INR\","                 \
    "\"decimal\": \".\", \"urls\": {\"search\":"                             \
    "\"https://sixth.example/s?q={query}\"}, \"id\": {\"urls\":"             \
    "[\"/item/{id}\"], \"chars\": \"A-Z0-9\", \"drop\": \"-\", \"case\":"    \
    "\"upper\", \"min\": 3}, \"product\": {\"title\": \"h1\", \"price\":"    \
    "[\"xpath://p[@class='now']/text()\", \".pay\"], \"mrp\": \"del\","      \
    "\"stock\": \".stock\", \"image\": \".hero@src\"}, \"list\": {"          \
    "\"cards\": \"article\", \"skip\": \".ad\", \"fields\": {\"title\":"     \
    "\"h3\", \"price\": \":money\", \"url\": \"a@href\"}},"                  \
    "\"stock\": {\"in\": [\"in stock\", \"only\"], \"out\":"                 \
    "[\"out of stock\"]}, \"titles\": {\"strip\": [\" | Sixth\"]},"          \
    "\"images\": {\"refuse\": [\"favicon\"]}, \"marks\": {\"captcha\":"      \
    "[\"type the characters\"], \"wall\": [\"Access Denied\"], \"missing\":" \
    "[\"is no longer here\"], \"client\": [\"<div id=app></div>\"],"         \
    "\"empty\": [\"nothing was found\"]}" more "}"

#define URL  "https://sixth.example/item/AB12"

#define LD(json)  "<script type='application/ld+json'>" json "</script>"
#define PAGE(inner)                                                          \
    "<html><head><title>Sixth Shop</title></head><body>" inner               \
    "</body></html>"


static void
test_selectors(void **state)
{
    shop_test_t  t;

    (void) state;

    shop_open(&t, SIXTH(""));
    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<h1>Oak Chair</h1><p class=now>Rs. 12,499/-</p><del>Rs. 15,000</del>"
        "<b class=stock>Only 3 left</b><img class=hero src=/i/chair.jpg>"),
        0)), "AB12|Oak Chair|12499.00|15000.00|in");
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_string_equal(shop_text(shop_first(&t)->image),
                        "https://sixth.example/i/chair.jpg");
    assert_string_equal(shop_text(shop_first(&t)->url), URL);

    /* the second rule, when the first finds nothing or no price */

    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<h1>Oak Chair</h1><p class=now>EMI ₹999/month</p>"
        "<p class=pay>₹12,499</p><del>₹12,000</del>"), 0)),
        "AB12|Oak Chair|12499.00||unknown");

    /* what lost says why */

    assert_string_equal(shop_first(&t)->finds->source.data ? "x" : "", "x");
    shop_close(&t);
}


static const char *
why_of(const at_shop_product_t *p, at_shop_field_e field)
{
    const at_shop_find_t  *f;

    for (f = p->finds; f; f = f->next) {
        if (f->field == field && f->why) {
            return f->why;
        }
    }

    return "";
}


static void
test_reasons(void **state)
{
    shop_test_t               t;
    const at_shop_product_t  *p;

    (void) state;

    shop_open(&t, SIXTH(""));
    p = shop_read(&t, URL, PAGE(
        "<meta property=og:image content=/favicon.png><h1>Chair</h1><p "
        "class=now>₹999/month</p><p class=pay>₹12,499</p><del>"
        "₹12,000</del>"), 0);
    assert_string_equal(why_of(p, AT_SHOP_PRICE), "an instalment");
    assert_string_equal(why_of(p, AT_SHOP_MRP), "not above the price");
    assert_string_equal(why_of(p, AT_SHOP_IMAGE), "not an image of this shop");
    shop_close(&t);
}


static void
test_opengraph(void **state)
{
    shop_test_t               t;
    const at_shop_product_t  *p;

    (void) state;

    shop_open(&t, SIXTH(""));
    p = shop_read(&t, URL, PAGE(
        "<meta property='og:title' content='Oak Chair &amp; Cushion | Sixth'>"
        "<meta property='product:price:amount' content='12,499.00'><meta "
        "property='product:price:currency' content=INR><meta property="
        "'og:image' content='//sixth.example/i/c.jpg'><meta name="
        "'product:availability' content='in stock'><p>₹12,499</p>"), 0);
    assert_string_equal(shop_line(p), "AB12|Oak Chair & Cushion|12499.00||in");
    assert_int_equal(p->layer[AT_SHOP_TITLE], AT_SHOP_L_OG);
    assert_string_equal(shop_text(p->image), "https://sixth.example/i/c.jpg");
    assert_true(p->shown);
    shop_close(&t);
}


static void
test_ld(void **state)
{
    size_t       i;
    shop_test_t  t;

    static const struct {
        const char  *body;
        const char  *line;
    } rows[] = {
        { PAGE(LD("{\"@graph\":[{\"@type\":\"WebPage\"},{\"@type\":"
                  "[\"Thing\",\"https://schema.org/Product\"],\"name\":\"A\","
                  "\"offers\":[{\"price\":\"1499.00\"}]}]}")),
          "AB12|A|1499.00||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"@type\":\"AggregateOffer\",\"lowPrice\":1499,"
                  "\"highPrice\":\"1,999\",\"priceCurrency\":\"INR\"}}")),
          "AB12|A|1499.00||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"priceSpecification\":[{\"price\":1999,\"priceType\":"
                  "\"https://schema.org/ListPrice\"},{\"price\":1499},"
                  "{\"price\":10,\"referenceQuantity\":{\"value\":1}}],"
                  "\"availability\":\"SoldOut\"}}")),
          "AB12|A|1499.00|1999.00|out" },

        /* several offers: the one asked for, all if they agree, or none */

        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":["
                  "{\"sku\":\"ZZ99\",\"price\":1},{\"sku\":\"ab-12\","
                  "\"price\":1499}]}")), "AB12|A|1499.00||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":["
                  "{\"price\":1499},{\"price\":1499}]}")),
          "AB12|A|1499.00||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":["
                  "{\"price\":1499},{\"price\":1999}]}")),
          "AB12|A|||unknown" },

        /* several products, variants of a group */

        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"B\",\"sku\":\"ZZ99\","
                  "\"offers\":{\"price\":9}}")
               LD("{\"@type\":\"Product\",\"name\":\"A\",\"sku\":\"AB12\","
                  "\"offers\":{\"price\":1499}}")),
          "AB12|A|1499.00||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"B\",\"offers\":{"
                  "\"price\":9}}")
               LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":1499}}")), "AB12||||unknown" },
        { PAGE(LD("{\"@type\":\"ProductGroup\",\"name\":\"G\",\"hasVariant\":"
                  "[{\"@type\":\"Product\",\"name\":\"B\",\"sku\":\"ZZ99\","
                  "\"offers\":{\"price\":9}},{\"@type\":\"Product\",\"name\":"
                  "\"A\",\"sku\":\"AB12\",\"offers\":{\"price\":1499}}]}")),
          "AB12|A|1499.00||unknown" },

        /* nearly JSON; no JSON; not a script */

        { PAGE(LD("{\"@type\":\"Product\",\n\"name\":\"A\nB\",\"offers\":"
                  "{\"price\":\"1499\",},}")), "AB12|A B|1499.00||unknown" },
        { PAGE(LD("{\"@type\":") LD("{\"@type\":\"Product\",\"name\":\"A\","
                  "\"offers\":{\"price\":1499}}")),
          "AB12|A|1499.00||unknown" },
        { PAGE("<p>application/ld+json: {\"@type\":\"Product\",\"name\":"
               "\"A\"}</p>"), "AB12||||unknown" },

        /* no prices */

        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":0}}")), "AB12|A|||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":-5}}")), "AB12|A|||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":1e9}}")), "AB12|A|||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":10000000}}")), "AB12|A|||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":9999999.99}}")), "AB12|A|9999999.99||unknown" },
        { PAGE(LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{"
                  "\"price\":null}}")), "AB12|A|||unknown" },
    };

    (void) state;

    shop_open(&t, SIXTH(""));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        const char  *line = shop_line(shop_read(&t, URL, rows[i].body, 0));

        at_test_true(strcmp(line, rows[i].line) == 0, "%s\n%s",
                     rows[i].body, line);
    }

    (void) shop_read(&t, URL, rows[1].body, 0);
    assert_int_equal(shop_first(&t)->price_max, 199900);
    shop_close(&t);
}


static void
test_microdata(void **state)
{
    shop_test_t  t;

    (void) state;

    shop_open(&t, SIXTH(""));

    /* the one asked for among products inside of products */

    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<div itemscope itemtype='https://schema.org/Product'><b itemprop="
        "name>Other</b><b itemprop=sku>ZZ99</b><i itemprop=price>₹9</i></div>"
        "<div itemscope itemtype='https://schema.org/Product'><p itemprop="
        "brand itemscope><b itemprop=name>Maker</b></p><b itemprop="
        "name>Chair</b><b itemprop=sku content=AB12>AB/12</b><div itemscope "
        "itemtype='https://schema.org/Product'><i itemprop=name>Near</i>"
        "</div><div itemprop=offers itemscope itemtype="
        "'https://schema.org/Offer'><p itemprop=priceSpecification itemscope>"
        "<i itemprop=price>₹9</i></p><i itemprop=price content='1499.5'>"
        "₹1,499</i><data itemprop=priceCurrency value=INR></data></div>"
        "</div>"),
        0)), "AB12|Chair|1499.50||unknown");

    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<div itemscope itemtype='https://schema.org/Product'><b itemprop="
        "name>Chair</b><div itemprop=offers itemscope><i "
        "itemprop=price>₹1,499</i></div><div itemprop=offers itemscope><i "
        "itemprop=price>₹1,999</i>"
        "</div></div>"), 0)), "AB12|Chair|||unknown");
    shop_close(&t);
}


static void
test_data(void **state)
{
    shop_test_t  t;

    (void) state;

    shop_open(&t, SIXTH(", \"state\": [{\"start\": \"id=server-state\", "
        "\"escape\": \"angular\", \"unit\": \"minor\", \"product\": "
        "{\"title\": \"p.name\", \"price\": [\"p.none\", \"p.paise\"]}}, "
        "{\"start\": \"window.__S\", \"product\": {\"title\": \"a[1].t\", "
        "\"price\": \"a[1].v\"}}], \"api\": {\"product\": {\"id\": \"i\", "
        "\"price\": \"v\", \"currency\": \"c\"}}"));

    /* Angular escapes its quotes; integers are paise */

    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<script id=server-state type='application/json'>{&q;p&q;:{&q;name&q;:"
        "&q;Bed &a; Box&q;,&q;paise&q;:1249900}}</script>"), 0)),
        "AB12|Bed & Box|12499.00||unknown");

    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<script>window.__S = JSON.parse('{\"a\":[1,{\"t\":\"Bed\",\"v\":"
        "\"12,499\"}]}');</script>"), 0)), "AB12|Bed|12499.00||unknown");

    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<script>window.__S = {a:[1,{t:'cut"), 0)), "AB12||||unknown");
    shop_state_is(&t, AT_SHOP_TRUNCATED);

    assert_string_equal(shop_line(shop_read(&t, URL,
        " {\"i\": \"AB12\", \"v\": 12.5, \"c\": \"USD\"}", 0)),
        "AB12||12.50||unknown");
    assert_string_equal(shop_first(&t)->currency, "USD");

    (void) shop_read(&t, URL, "{\"i\": \"AB12\", \"v\": ", 0);
    shop_state_is(&t, AT_SHOP_TRUNCATED);
    shop_close(&t);
}


static void
test_disagreement(void **state)
{
    shop_test_t               t;
    const at_shop_product_t  *p;

    (void) state;

    shop_open(&t, SIXTH(""));

    /* within 1 % they agree */

    p = shop_read(&t, URL, PAGE(
        LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{\"price\":"
           "1499.50}}") "<p class=pay>₹1,500</p>"), 0);
    assert_string_equal(shop_line(p), "AB12|A|1499.50||unknown");
    assert_false(p->disagrees);

    p = shop_read(&t, URL, PAGE(
        LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{\"price\":"
           "1299}}") "<p class=pay>₹1,500</p>"), 0);
    assert_string_equal(shop_line(p), "AB12|A|1500.00||unknown");
    assert_true(p->disagrees);
    assert_int_equal(p->other, 129900);

    /* the same number of two currencies */

    p = shop_read(&t, URL, PAGE(
        LD("{\"@type\":\"Product\",\"name\":\"A\",\"offers\":{\"price\":"
           "1500,\"priceCurrency\":\"USD\"}}") "<p class=pay>₹1,500</p>"), 0);
    assert_true(p->disagrees);
    assert_string_equal(p->currency, "INR");
    shop_close(&t);
}


static void
test_countries(void **state)
{
    shop_test_t  t;

    static const char  chile[] =
        "{\"name\": \"sixth\", \"hosts\": [\"sixth.example\"], \"currency\": "
        "\"CLP\", \"decimal\": \",\", \"urls\": {\"search\": "
        "\"https://sixth.example/s?q={query}\"}, \"id\": {\"urls\": "
        "[\"/item/{id}\"], \"chars\": \"A-Z0-9\"}, \"product\": {\"title\": "
        "\"h1\", \"price\": \"b\"}}";

    (void) state;

    shop_open(&t, chile);
    assert_string_equal(shop_line(shop_read(&t, URL, PAGE(
        "<h1>Silla de \xC3\xB1\x61ndu</h1><b>$ 31.490</b>"), 0)),
        "AB12|Silla de ñandu|31490.00||unknown");
    assert_string_equal(shop_first(&t)->currency, "CLP");

    /* scripts from right to left, and what turns them is gone */

    (void) shop_read(&t, URL, PAGE("<h1>\xE2\x80\xAE\xD7\x9B\xD7\xA1\xD7\x90"
                                   " \xD8\xB7</h1><b>CLP 31.490</b>"), 0);
    assert_string_equal(shop_text(shop_first(&t)->title), "כסא ط");

    /* what a page says of its encoding */

    assert_string_equal(shop_line(shop_read(&t, URL,
        "<html><meta charset=iso-8859-1><h1>Silla \xF1\x61</h1><b>CLP 5</b>"
        "</html>", 0)), "AB12|Silla ña|5.00||unknown");
    t.input.type = AT_STR("text/html; charset=windows-1251");
    assert_string_equal(shop_line(shop_read(&t, URL,
        "<html><h1>\xD1\xF2\xF3\xEB</h1><b>CLP 5</b></html>", 0)),
        "AB12|Стул|5.00||unknown");
    t.input.type = AT_STR("text/html; charset=nonsense");
    assert_string_equal(shop_line(shop_read(&t, URL,
        "<html><h1>\x80\x63</h1><b>CLP 5</b></html>", 0)),
        "AB12|€c|5.00||unknown");
    shop_close(&t);
}


static void
test_list(void **state)
{
    shop_test_t  t;

    (void) state;

    shop_open(&t, SIXTH(""));
    (void) shop_read(&t, "https://sixth.example/s?q=a", PAGE(
        "<article><a href=/item/A11?x=1><h3>A</h3></a><b>₹10</b></article>"
        "<article class=ad><a href=/item/B22><h3>B</h3></a></article>"
        "<article><a href=https://evil.example/item/C33><h3>C</h3></a>"
        "</article><article><a href='https://sixth.example/item/D44'><h3>D"
        "</h3></a><b>₹20 - ₹30</b></article>"), 1);
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_int_equal(t.page.n, 2);
    assert_string_equal(shop_line(shop_nth(&t, 0)), "A11|A|10.00||unknown");
    assert_string_equal(shop_line(shop_nth(&t, 1)), "D44|D|20.00||unknown");
    assert_string_equal(shop_text(shop_nth(&t, 0)->url),
                        "https://sixth.example/item/A11");
    shop_close(&t);
}


/* Saved by a browser: images are local files then, links whole. */
static void
test_saved(void **state)
{
    shop_test_t  t;

    (void) state;

    shop_open(&t, SIXTH(""));
    (void) shop_read(&t, "", PAGE("<h1>A</h1><p class=pay>₹10</p><img "
                                  "class=hero src=./A_files/a.jpg>"), 0);
    assert_string_equal(shop_line(t.page.products), "|A|10.00||unknown");
    assert_int_equal(shop_first(&t)->image.len, 0);
    shop_close(&t);
}


static void
test_states(void **state)
{
    char         big[6001];
    size_t       i;
    shop_test_t  t;

    static const char  product[] =
        PAGE("<h1>A</h1><p class=pay>₹10</p><p>Access Denied</p>");

    const struct {
        const char       *body;
        long              status;
        const char       *url;      /* after redirects */
        int               list;
        at_shop_state_e   state;
    } rows[] = {
        { product, 200, "", 0, AT_SHOP_PAGE },
        { product, 0, URL, 0, AT_SHOP_PAGE },
        { product, 200, "https://sixth.example/item/ab12", 0, AT_SHOP_PAGE },

        /* nowhere else */
        { product, 200, "https://wifi.example/login", 0, AT_SHOP_MOVED },
        { product, 200, "https://sixth.example/item/ZZ99", 0, AT_SHOP_MOVED },
        { product, 200, "https://sixth.example/chairs", 0, AT_SHOP_MOVED },
        { "", 301, "", 0, AT_SHOP_MOVED },

        /* refused */
        { "", 403, "", 0, AT_SHOP_WALL },
        { "", 429, "", 0, AT_SHOP_WALL },
        { "", 503, "", 1, AT_SHOP_WALL },
        { PAGE("Please type the characters"), 403, "", 0, AT_SHOP_CAPTCHA },
        { PAGE("Please Type The Characters you see"), 200, "", 0,
          AT_SHOP_CAPTCHA },
        { PAGE("<h1>Access Denied</h1>"), 200, "", 1, AT_SHOP_WALL },
        { "<html><title>Free Wi-Fi</title><body>Log in</body></html>", 200,
          "", 0, AT_SHOP_WALL },
        { "", 200, "", 0, AT_SHOP_WALL },

        /* gone, for good or so it says */
        { "", 404, "", 0, AT_SHOP_GONE },
        { product, 410, "", 0, AT_SHOP_GONE },
        { "", 500, "", 0, AT_SHOP_UNKNOWN },
        { PAGE("<p>This item is no longer here. Orders over ₹899!</p>"), 200,
          "", 0, AT_SHOP_MISSING },
        { "<html><head><title>Sixth Shop</title><link rel=canonical href="
          "'https://sixth.example/'></head><body>Home</body></html>", 200, "",
          0, AT_SHOP_MISSING },
        { PAGE("<h1>Widget 404</h1><p class=pay>₹10</p>"), 200, "", 0,
          AT_SHOP_PAGE },

        /* not all of it */
        { "<html><title>Sixth Shop</title><script>var a = {", 200, "", 1,
          AT_SHOP_TRUNCATED },
        { "<html><h1>A</h1><p class=pay>₹10</p><script>var a", 200, "", 0,
          AT_SHOP_TRUNCATED },
        { PAGE("<div id=app></div><script src=x></script>"), 200, "", 1,
          AT_SHOP_CLIENT },
        { big, 200, "", 1, AT_SHOP_CLIENT },

        /* empty, and not known */
        { PAGE("<p>Nothing was found for \"x\"</p>"), 200, "", 1,
          AT_SHOP_PAGE },
        { PAGE("<p>Chairs, tables and beds</p>"), 200, "", 1,
          AT_SHOP_UNKNOWN },
        { PAGE("<article><a href=/item/A11>x</a></article>"), 200, "", 1,
          AT_SHOP_PAGE },

        /* no price, but the product */
        { PAGE("<h1>A</h1><b>AB12</b>"), 200, "", 0, AT_SHOP_PAGE },
        { PAGE("<h1>A</h1><i class=stock>Out of stock</i>"), 200, "", 0,
          AT_SHOP_PAGE },
        { PAGE("<h1>Are you there?</h1>"), 200, "", 0, AT_SHOP_UNKNOWN },
    };

    (void) state;

    memset(big, 'x', sizeof(big) - 1);
    memcpy(big, "<html>Sixth Shop<script>", 24);
    memcpy(big + sizeof(big) - 17, "</script></html>", 17);

    shop_open(&t, SIXTH(""));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        t.input.status = rows[i].status;
        t.input.url = at_test_str(rows[i].url);
        (void) shop_read(&t, URL, rows[i].body, rows[i].list);
        at_test_true(t.page.state == rows[i].state, "%s\n%s (%s), not %s",
                     rows[i].body, at_shop_state_name(t.page.state),
                     t.page.why, at_shop_state_name(rows[i].state));
    }

    shop_close(&t);
}


static void
test_bombs(void **state)
{
    char         *body;
    size_t        i;
    shop_test_t   t;

    (void) state;

    shop_open(&t, SIXTH(""));
    body = malloc(4000001);
    assert_non_null(body);

    /* a tag of a million attributes is not handed to libxml2 */

    for (i = 0; i < 4000000; i += 4) {
        memcpy(body + i, " a=b", 4);
    }

    memcpy(body, "<b Sixth Shop", 13);
    body[4000000] = '\0';
    (void) shop_read(&t, URL, body, 0);
    shop_state_is(&t, AT_SHOP_UNKNOWN);

    for (i = 0; i < 4000000; i += 5) {
        memcpy(body + i, "<div>", 5);
    }

    (void) shop_read(&t, URL, body, 1);
    assert_int_equal(t.page.n, 0);

    for (i = 0; i < 4000000; i++) {
        body[i] = '[';
    }

    memcpy(body, "<script type=application/ld+json>", 33);
    memcpy(body + 4000000 - 9, "</script>", 9);
    (void) shop_read(&t, URL, body, 0);
    assert_int_equal(shop_first(&t)->price, 0);

    free(body);
    shop_close(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_opengraph),
        cmocka_unit_test(test_ld),
        cmocka_unit_test(test_microdata),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_disagreement),
        cmocka_unit_test(test_countries),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_bombs),
    };

    return cmocka_run_group_tests_name("shop_page", tests, NULL, NULL);
}
