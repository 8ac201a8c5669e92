/*
 * Pages in the shapes of the five shops, with each trap that they are known
 * for.  All names and values are invented.
 */

#include "test_shop_page.h"


#define CARD(asin, inner)                                                    \
    "<div data-component-type=\"s-search-result\" data-asin=\"" asin "\">"   \
    inner "</div>"
#define LINK(asin)                                                           \
    "<a href=\"/Some-Lamp/dp/" asin "/ref=sr_1_3?dib=x&amp;keywords=lamp\">" \
    "<img class=\"s-image\" src=\"https://m.media-amazon.com/images/I/"      \
    asin "._AC_UY218_.jpg\"></a>"
#define PRICE(p)                                                             \
    "<span class=\"a-price\" data-a-size=\"xl\"><span class=\"a-offscreen\">" \
    p "</span><span aria-hidden=true>" p "</span></span>"
#define STRUCK(p)                                                            \
    "<span class=\"a-price a-text-price\" data-a-strike=\"true\">"           \
    "<span class=\"a-offscreen\">" p "</span><span aria-hidden=true>" p      \
    "</span></span>"
#define UNIT(p)                                                              \
    "<span class=\"a-price a-text-price\" data-a-size=\"b\">"                \
    "<span class=\"a-offscreen\">" p "</span></span>/100 g"


static void
test_amazon_list(void **state)
{
    size_t       i;
    shop_test_t  t;

    static const char  page[] =
        "<html><head><title>amazon.in: lamp</title></head><body>"
        "<script>var x = {\"isRobot\":true};</script>"
        CARD("B000000001", "<h2>Brass</h2><h2><span>Table Lamp</span></h2>"
             LINK("B000000001") PRICE("₹1,499") "<span>M.R.P: </span>"
             STRUCK("₹1,999"))
        CARD("B000000002", "<h2>Desk Lamp</h2><h2>Carbon neutral certified"
             "</h2><a href=\"/sspa/click?ie=UTF8&amp;url=%2FDesk-Lamp%2Fdp%2F"
             "B000000002%2Fref%3Dsr_1_1_sspa\">x</a>" PRICE("₹2,499")
             UNIT("₹25.00") STRUCK("₹2,999"))
        CARD("B000000003", "<h2>Lamp Without A Price</h2>" LINK("B000000003"))
        CARD("B000000001", "<h2>Table Lamp</h2>" LINK("B000000001")
             PRICE("₹1,499"))
        CARD("B000000004", "<h2>Imported Lamp</h2>" LINK("B000000004")
             PRICE("$12.50"))
        CARD("", "<h2>No product</h2>")
        CARD("B000000005", "<h2>Rent A Lamp</h2>" LINK("B000000005")
             PRICE("₹199/month"))
        "</body></html>";

    static const char *const  lines[] = {
        "B000000001|Brass Table Lamp|1499.00|1999.00|unknown",
        "B000000002|Desk Lamp|2499.00|2999.00|unknown",
        "B000000003|Lamp Without A Price|||unknown",
        "B000000004|Imported Lamp|12.50||unknown",
        "B000000005|Rent A Lamp|||unknown"
    };

    (void) state;

    shop_open(&t, "amazon");
    (void) shop_read(&t, "https://www.amazon.in/s?k=lamp", page, 1);
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_int_equal(t.page.cards, 6);
    assert_int_equal(t.page.n, 5);

    for (i = 0; i < AT_TEST_N(lines); i++) {
        assert_string_equal(shop_line(shop_nth(&t, i)), lines[i]);
    }

    assert_string_equal(shop_nth(&t, 0)->currency, "INR");
    assert_string_equal(shop_nth(&t, 3)->currency, "USD");
    assert_string_equal(shop_text(shop_nth(&t, 1)->url),
                        "https://www.amazon.in/dp/B000000002");
    shop_close(&t);
}


#define BOX(inner)                                                           \
    "<div id=\"corePriceDisplay_desktop_feature_div\">" inner "</div>"
#define TO_PAY(whole, part)                                                  \
    "<span class=\"a-price priceToPay\"><span class=\"a-offscreen\"> </span>" \
    "<span aria-hidden=\"true\"><span class=\"a-price-symbol\">₹</span>"     \
    "<span class=\"a-price-whole\">" whole "<span class=\"a-price-decimal\">" \
    ".</span></span><span class=\"a-price-fraction\">" part "</span></span>" \
    "</span>"
#define PRODUCT(inner)                                                       \
    "<html><body><input id=ASIN value=B000000009><span id=productTitle>\n\n" \
    "   A Lamp\n   of Brass </span>" inner                                   \
    "<img id=landingImage src='data:image/gif;base64,R0' data-old-hires="    \
    "'https://m.media-amazon.com/images/I/9._SL1500_.jpg'>"                  \
    "<script>P.when(\"isRobot\":true)</script></body></html>"


static void
test_amazon_product(void **state)
{
    shop_test_t  t;

    static const char  url[] = "https://www.amazon.in/A-Lamp/dp/B000000009?x=1";

    (void) state;

    shop_open(&t, "amazon");

    assert_string_equal(shop_line(shop_read(&t, url, PRODUCT(
        BOX(TO_PAY("1,23,456", "50") "<span>(₹25.00 / 100 g)</span>"
            "<span class=basisPrice>M.R.P.: <span class='a-price "
            "a-text-price'><span class=a-offscreen>₹1,50,000</span></span>"
            "</span>")
        BOX(TO_PAY("1,40,000", "00"))
        "<div id=availability> Only 2 left in stock. </div>"
        "<script>{\"priceAmount\":99.00}</script>"
        "<div class=bundle>" PRICE("₹2,00,000") "</div>"), 0)),
        "B000000009|A Lamp of Brass|123456.50|150000.00|in");
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_string_equal(shop_text(shop_first(&t)->image),
                        "https://m.media-amazon.com/images/I/9._SL1500_.jpg");
    assert_int_equal(shop_first(&t)->layer[AT_SHOP_PRICE],
                     AT_SHOP_L_SELECTORS);
    assert_false(shop_first(&t)->stranger);

    /* no buy box: the prices of other products are not its own */

    assert_string_equal(shop_line(shop_read(&t, url, PRODUCT(
        "<div id=availability>Currently unavailable. We don't know when or if "
        "this item will be back in stock.</div>"
        "<div class=similar>" PRICE("₹2,00,000") STRUCK("₹3,00,000")
        "</div>"), 0)), "B000000009|A Lamp of Brass|||out");
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_string_equal(t.page.why, "a product without a price");

    /* another child of the same parent */

    (void) shop_read(&t, "https://www.amazon.in/dp/B000000008", PRODUCT(
        BOX(TO_PAY("999", "00"))), 0);
    assert_true(shop_first(&t)->stranger);
    shop_close(&t);
}


#define TILE(pid, inner)                                                     \
    "<div data-id=\"" pid "\"><a href=\"/nice-lamp/p/itmabc?pid=" pid        \
    "&amp;lid=LST1&amp;otracker=search&amp;srno=s_1_1\"><img alt=\"Lamp "    \
    pid "...\" src=\"https://rukminim2.flixcart.com/image/312/312/x.jpeg\">" \
    inner "</a></div>"


static void
test_flipkart_list(void **state)
{
    size_t       i;
    shop_test_t  t;

    static const char  page[] =
        "<html><body><h1>flipkart.com</h1>"
        TILE("LMPAAAAAAAAAAAA1", "<div class=Zz1>Lamp</div><div class=q1>"
             "₹1,499</div><div class=q2>₹1,999</div><span>25% off</span>"
             "<div>Upto <b>₹900</b> Off on Exchange</div>")
        TILE("LMPAAAAAAAAAAAA2", "<div>₹2,499</div><div>Upto </div>"
             "<div>₹2,000</div><div> Off on Exchange</div>")
        TILE("LMPAAAAAAAAAAAA3", "<div>₹3,499</div><span>Currently "
             "unavailable</span>")
        TILE("LMPAAAAAAAAAAAA4", "<div>Coming soon</div>")
        TILE("LMPAAAAAAAAAAAA1", "<div>₹1,499</div>")
        "<script type=\"application/ld+json\">{}</script>"
        "<script type=\"application/ld+json\">{\"@type\":\"ItemList\","
        "\"itemListElement\":[{\"@type\":\"ListItem\",\"position\":1,\"url\":"
        "\"https://www.flipkart.com/b/p/itmb?pid=LMPAAAAAAAAAAAA2&lid=1\","
        "\"name\":\"Second Lamp (Red)\"},{\"@type\":\"ListItem\",\"url\":"
        "\"https://www.flipkart.com/a/p/itma?pid=LMPAAAAAAAAAAAA1\",\"name\":"
        "\"First Lamp\"}]}</script></body></html>";

    static const char *const  lines[] = {
        "LMPAAAAAAAAAAAA1|First Lamp|1499.00|1999.00|unknown",
        "LMPAAAAAAAAAAAA2|Second Lamp (Red)|2499.00||unknown",
        "LMPAAAAAAAAAAAA3|Lamp LMPAAAAAAAAAAAA3|3499.00||out",
        "LMPAAAAAAAAAAAA4|Lamp LMPAAAAAAAAAAAA4|||out"
    };

    (void) state;

    shop_open(&t, "flipkart");
    (void) shop_read(&t, "https://www.flipkart.com/search?q=lamp", page, 1);
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_int_equal(t.page.cards, 5);
    assert_int_equal(t.page.n, 4);

    for (i = 0; i < AT_TEST_N(lines); i++) {
        assert_string_equal(shop_line(shop_nth(&t, i)), lines[i]);
    }

    assert_string_equal(shop_text(shop_nth(&t, 3)->url),
                        "https://www.flipkart.com/nice-lamp/p/itmabc?pid="
                        "LMPAAAAAAAAAAAA4");
    shop_close(&t);
}


#define FLIP_LD(price)                                                       \
    "<script type=\"application/ld+json\" id=jsonLD>[{\"@context\":"         \
    "\"http://schema.org\",\"@type\":\"Product\",\"name\":\"Lamp (Red)\","   \
    "\"image\":\"http://rukmini1.flixcart.com/image/128/128/a.jpeg?q=70\","  \
    "\"offers\":{\"@type\":\"Offer\",\"price\":" price ",\"priceCurrency\":" \
    "\"INR\"}},{\"@type\":\"BreadcrumbList\",\"itemListElement\":[]}]"       \
    "</script>"


static void
test_flipkart_product(void **state)
{
    shop_test_t  t;

    static const char  url[] =
        "https://www.flipkart.com/lamp/p/itmx?pid=LMPAAAAAAAAAAAA9";

    (void) state;

    shop_open(&t, "flipkart");

    /* printed twice, no stock in it, an offer of a bank beside the price */

    assert_string_equal(shop_line(shop_read(&t, url,
        "<html><body>" FLIP_LD("19490") FLIP_LD("19490") "<h1>Lamp (Red)</h1>"
        "<div><div class=q7>₹19,490</div><div class=q8>₹24,999</div>"
        "<span>22% off</span></div><div>Buy at <b>₹17,541</b></div>"
        "<div>Blue: "
        "Out of "
        "stock</div><button>Add to cart</button><button>Buy Now</button>"
        "</body></html>", 0)),
        "LMPAAAAAAAAAAAA9|Lamp (Red)|19490.00|24999.00|in");
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_true(shop_first(&t)->shown);
    assert_false(shop_first(&t)->disagrees);
    assert_int_equal(shop_first(&t)->layer[AT_SHOP_PRICE], AT_SHOP_L_LD);

    /* the price in the data has an offer applied: the shown one is right */

    assert_string_equal(shop_line(shop_read(&t, url,
        "<html><body>" FLIP_LD("17541") "<h1>Lamp (Red)</h1><div><div>₹19,490"
        "</div></div><button>Notify me</button></body></html>", 0)),
        "LMPAAAAAAAAAAAA9|Lamp (Red)|19490.00||out");
    assert_true(shop_first(&t)->disagrees);
    assert_int_equal(shop_first(&t)->other, 1754100);
    assert_int_equal(shop_first(&t)->other_layer, AT_SHOP_L_LD);
    assert_int_equal(shop_first(&t)->layer[AT_SHOP_PRICE],
                     AT_SHOP_L_SELECTORS);
    shop_close(&t);
}


static void
test_ikea(void **state)
{
    shop_test_t  t;

    static const char  url[] =
        "https://www.ikea.com/in/en/p/glim-table-lamp-12345678/";

    (void) state;

    shop_open(&t, "ikea");

    /* microdata: the breadcrumb's name is first, other products beside it */

    assert_string_equal(shop_line(shop_read(&t, url,
        "<html><body><ol><li itemscope itemprop=itemListElement itemtype="
        "'http://schema.org/ListItem'><span itemprop=name>Lamps</span></li>"
        "</ol><div itemscope itemtype='http://schema.org/Product'><meta "
        "itemprop=name content='Glim table lamp'><div itemprop=brand itemscope"
        " itemtype='http://schema.org/Organization'><meta itemprop=name "
        "content=IKEA></div><meta itemprop=productID content=123.456.78>"
        "<span itemprop=offers itemscope itemtype='http://schema.org/Offer'>"
        "<meta itemprop=priceCurrency content=INR><meta itemprop=price "
        "content='12.5'><link itemprop=availability href="
        "'http://schema.org/OutOfStock'></span></div><div data-product-id="
        "87654321 data-price=99>₹99</div></body></html>", 0)),
        "12345678|Glim table lamp|12.50||out");
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_int_equal(shop_first(&t)->layer[AT_SHOP_PRICE],
                     AT_SHOP_L_MICRODATA);

    /* JSON-LD says all: no tree is made */

    assert_string_equal(shop_line(shop_read(&t, url,
        "<html><body><h1>Glim</h1><span>Rs.<b>1,499</b></span><span>₹1,499"
        "</span><script type='application/ld+json'>{\"@type\":\"Product\","
        "\"name\":\"Glim table lamp - IKEA\",\"sku\":\"123.456.78\",\"image\":"
        "[\"https://www.ikea.com/in/en/images/products/glim.jpg\"],\"offers\":"
        "{\"@type\":\"Offer\",\"price\":\"1499\",\"priceCurrency\":\"INR\","
        "\"availability\":\"http://schema.org/InStock\"}}</script></body>"
        "</html>", 0)), "12345678|Glim table lamp|1499.00||in");
    assert_false(t.page.tree);
    assert_true(shop_first(&t)->shown);

    /* a list that a browser builds: not "no products" */

    (void) shop_read(&t, "https://www.ikea.com/in/en/cat/lamps/",
        "<html><body><div class=js-product-list data-category='{\"totalCount\""
        ":120}'></div><script src='/list.js'></script></body></html>", 1);
    shop_state_is(&t, AT_SHOP_CLIENT);

    (void) shop_read(&t, "https://sik.search.blue.cdtapps.com/in/en/",
        "{\"searchResultPage\":{\"products\":{\"main\":{\"items\":[{\"product\""
        ":{\"id\":\"12345678\",\"name\":\"GLIM\",\"salesPrice\":{\"numeral\":"
        "1499.0,\"currencyCode\":\"INR\"},\"onlineSellable\":false}},{}]}}}}",
        1);
    assert_string_equal(shop_line(t.page.products),
                        "12345678|GLIM|1499.00||out");
    assert_int_equal(shop_first(&t)->layer[AT_SHOP_PRICE], AT_SHOP_L_API);
    shop_close(&t);
}


static void
test_pepperfry(void **state)
{
    shop_test_t  t;

    static const char  url[] =
        "https://www.pepperfry.com/product/teak-sofa-1234567.html";

    (void) state;

    shop_open(&t, "pepperfry");

    assert_string_equal(shop_line(shop_read(&t, url,
        "<html><body><script type='application/ld+json'>{\"@type\":"
        "\"BreadcrumbList\",\"itemListElement\":[{\"name\":\"Sofas\"}]}"
        "</script><script type='application/ld+json'>{\"@type\":\"Product\","
        "\"name\":\"Teak Sofa\",\"offers\":{\"price\":\"24999\","
        "\"priceCurrency\":\"INR\"}}</script><div class=vip-product-price-row>"
        "<span class='text-xxl font-bold'>₹24,999</span>"
        "<span>EMI from ₹1,200</span></div>"
        "<div class=vip-product-mrp><span class="
        "text-lg>₹39,999"
        "</span></div><div>Cashback ₹500</div><div data-test=vipAddToCart>Add"
        "</div><div class=similar>₹9,999 Out of stock</div></body></html>",
        0)), "1234567|Teak Sofa|24999.00|39999.00|in");
    shop_state_is(&t, AT_SHOP_PAGE);

    /* an ItemList of addresses alone, and "from ..." in the header */

    (void) shop_read(&t, "https://www.pepperfry.com/category/sofas.html",
        "<html><body><h1>Sofas from ₹4,999</h1><script type="
        "'application/ld+json'>{\"@type\":\"ItemList\",\"itemListElement\":[{"
        "\"@type\":\"ListItem\",\"url\":\"https://www.pepperfry.com/product/"
        "a-1111111.html\"}]}</script><div class=product-card><a href="
        "'/product/a-1111111.html'><h2>A Sofa</h2></a><div>₹9,999</div>"
        "<div>₹19,999</div><div>50% off</div><div>EMI ₹500</div></div>"
        "</body></html>", 1);
    assert_int_equal(t.page.n, 1);
    assert_string_equal(shop_line(t.page.products),
                        "1111111|A Sofa|9999.00|19999.00|unknown");
    shop_close(&t);
}


static void
test_urbanladder(void **state)
{
    shop_test_t  t;

    (void) state;

    shop_open(&t, "urbanladder");

    /* JavaScript, not JSON */

    assert_string_equal(shop_line(shop_read(&t,
        "https://www.urbanladder.com/product/oak-bed-7654321",
        "<html><body>₹45,999<script>if (window.APP_DATA) {}</script><script>"
        "window.APP_DATA = {theme: undefined, note: \"};</div>\", reduxData: {"
        "catalog: {product_details: {uid: 7654321, name: 'Oak Bed {Queen}', "
        "medias: [{type: 'image', url: 'https://cdn.swadeshonline.com/v2/a."
        "jpg'}],}, product_meta: {sellable: true, price: {effective: {min: "
        "45999, currency_code: \"INR\"}, marked: {min: 60000}}}}}};</script>"
        "</body></html>", 0)), "7654321|Oak Bed {Queen}|45999.00|60000.00|in");
    shop_state_is(&t, AT_SHOP_PAGE);
    assert_int_equal(shop_first(&t)->layer[AT_SHOP_PRICE], AT_SHOP_L_STATE);
    assert_false(t.page.tree);
    assert_true(shop_first(&t)->shown);

    /* the picture that stands for one is none */

    (void) shop_read(&t, "https://www.urbanladder.com/product/oak-bed-7654321",
        "<html><body><script>window.APP_DATA={reduxData:{catalog:{"
        "product_details:{uid:7654321,name:'Oak Bed',medias:[{url:"
        "'https://www.ulcdn.net/assets/loader-1.gif'}]}}}}</script></body>"
        "</html>", 0);
    assert_int_equal(shop_first(&t)->image.len, 0);
    assert_int_equal(shop_first(&t)->price, 0);
    shop_close(&t);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_amazon_list),
        cmocka_unit_test(test_amazon_product),
        cmocka_unit_test(test_flipkart_list),
        cmocka_unit_test(test_flipkart_product),
        cmocka_unit_test(test_ikea),
        cmocka_unit_test(test_pepperfry),
        cmocka_unit_test(test_urbanladder),
    };

    return cmocka_run_group_tests_name("shop_shops", tests, NULL, NULL);
}
