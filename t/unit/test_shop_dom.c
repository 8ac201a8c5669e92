/*
 * Pages as trees: what browsers forgive, selectors on them, and the bounds.
 */

#include "at_test.h"
#include "shop/at_shop_css.h"
#include "shop/at_shop_xpath.h"


static at_shop_dom_t   dom;
static at_shop_pool_t  pool;


/* The texts of what a selector matches, with "|" between them. */
static const char *
find(const char *page, const char *selector)
{
    uint32_t         i;
    at_str_t         text, copy;
    const char      *why;
    at_shop_css_t   *css;
    static char      out[2000];

    why = "";
    css = at_shop_css_compile(&pool, at_test_str(selector), &why);
    at_test_true(css != NULL, "%s: %s", selector, why);

    copy = at_test_exact(at_test_str(page));
    assert_int_equal(at_shop_dom_parse(&dom, copy), AT_OK);
    out[0] = '\0';

    for (i = at_shop_css_next(css, &dom, 1, dom.n); i != AT_SHOP_NONE;
         i = at_shop_css_next(css, &dom, i + 1, dom.n))
    {
        text = at_shop_dom_text(&dom, i, &pool, 100);

        if (out[0]) {
            strncat(out, "|", sizeof(out) - strlen(out) - 1);
        }

        strncat(out, text.len ? text.data : "", text.len);
    }

    free((void *) copy.data);

    return out;
}


static void
test_selectors(void **state)
{
    size_t  i;

    static const char  page[] =
        "<html><body><div id=a class='x y'><p class=x>one</p>"
        "<p data-k=v>two<b>three</b></p></div>"
        "<div class='xy' data-k='some value'>four</div>"
        "<ul><li>l1<li class=x>l2<li>l3</ul></body></html>";

    static const struct {
        const char  *selector;
        const char  *found;
    } rows[] = {
        { "p", "one|twothree" },
        { "P", "one|twothree" },
        { ".x", "one twothree|one|l2" },
        { "p.x", "one" },
        { "div.x.y", "one twothree" },
        { "#a > p", "one|twothree" },
        { "#a b", "three" },
        { "body > b", "" },
        { "body b", "three" },
        { "[data-k]", "twothree|four" },
        { "[data-k=v]", "twothree" },
        { "[data-k='some value']", "four" },
        { "[data-k*=ome]", "four" },
        { "[data-k^=\"so\"]", "four" },
        { "[data-k$=value]", "four" },
        { "[data-k~=value]", "four" },
        { "[data-k='SOME VALUE' i]", "four" },
        { "p:not(.x)", "twothree" },
        { "div:not([data-k]) p", "one|twothree" },
        { "li:first-child", "l1" },
        { "li:last-child", "l3" },
        { "li + li", "l2|l3" },
        { "li.x ~ li", "l3" },
        { "p > b, .xy", "three|four" },
        { "div p b", "three" },
        { ".z", "" },
        { "*.xy", "four" },
        { "i", "" },
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        at_test_true(strcmp(find(page, rows[i].selector), rows[i].found) == 0,
                     "%s: %s", rows[i].selector,
                     find(page, rows[i].selector));
    }
}


static void
test_money(void **state)
{
    (void) state;

    assert_string_equal(find("<a><b>Sofa 3</b><i>₹1,499</i><u>₹1,999</u>"
                             "<s>25% off</s><q>Upto ₹900 off</q>"
                             "<div>₹5 <b>x</b></div></a>", ":money"),
                        "₹1,499|₹1,999");
}


static void
test_refused_selectors(void **state)
{
    size_t       i;
    const char  *why;

    static const char *const  rows[] = {
        "", " ", ".", "#", "[", "[a", "[a=", "[a='x]", "[a!=b]", "p >",
        "p,", "a:hover", ":not(", ":not(a b)", ":not(:not(a))", "a{",
        "a b c d e f g h i j k l m", "p)", "@x"
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(rows); i++) {
        why = NULL;
        at_test_true(at_shop_css_compile(&pool, at_test_str(rows[i]), &why)
                     == NULL && why != NULL, "%s", rows[i]);
    }
}


static void
test_forgiven(void **state)
{
    (void) state;

    /* ends left out, ends too many, wrong nesting */
    assert_string_equal(find("<p>a<p>b<div>c</div>", "p"), "a|b");
    assert_string_equal(find("<table><tr><td>a<td>b<tr><td>c</table>", "td"),
                        "a|b|c");
    assert_string_equal(find("<table><tr><td>a<td>b<tr><td>c</table>", "tr"),
                        "a b|c");
    assert_string_equal(find("<div>a</span></b>b</div>c", "div"), "ab");
    assert_string_equal(find("<div><b>a</div>b", "div"), "a");
    assert_string_equal(find("<table><tr><td></div>a</td></tr></table>b",
                             "td"), "a");
    assert_string_equal(find("<div/>a</div>", "div"), "a");
    assert_string_equal(find("<svg><path d=x /><path/></svg><b>a</b>", "b"),
                        "a");
    assert_string_equal(find("<br>a<img src=x>b<b>c</b>", "b"), "c");

    /* what is no tag */
    assert_string_equal(find("<b>1 < 2 <3</b>", "b"), "1 < 2 <3");
    assert_string_equal(find("<!-- <b>a</b> --><b>c</b>", "b"), "c");
    assert_string_equal(find("<script>'<b>a</b>'</script><b>c</b>", "b"),
                        "c");
    assert_string_equal(find("<SCRIPT>x</sCript ><B>c</B>", "b"), "c");
    assert_string_equal(find("<textarea><b>a</b></textarea><b>c</b>", "b"),
                        "c");
    assert_string_equal(find("<title>a &amp; b</title>", "title"), "a & b");

    /* attributes of every kind */
    assert_string_equal(find("<b a='>' c=\"'\" d=e f>x</b>", "[f]"), "x");
    assert_string_equal(find("<b a=1 / c=2>x</b>", "[c='2']"), "x");
    assert_string_equal(find("<b\nCLASS\n=\n'p q'>x</b>", ".q"), "x");
}


static void
test_text(void **state)
{
    (void) state;

    /* the parts of a price are one, those of a page are not */
    assert_string_equal(find("<a><b> </b><b><i>$</i><i>35<u>.</u></i><i>99"
                             "</i></b></a>", "a"), "$35.99");
    assert_string_equal(find("<a>x<div>y</div>z</a>", "a"), "x yz");
    assert_string_equal(find("<a><i>x</i> <i>y</i>\n<i>z</i></a>", "a"),
                        "x y z");
    assert_string_equal(find("<a>&#8377;1 &nbsp; &quot;q&quot;\xE2\x80\xAE"
                             "</a>", "a"), "₹1 \"q\"");
    assert_string_equal(find("<a>x<script>y</script><style>z</style>"
                             "<noscript>n</noscript></a>", "a"), "x");
    assert_string_equal(find("<a>bad \xff\xfe bytes \xc3</a>", "a"),
                        "bad bytes");
}


static void
test_cut(void **state)
{
    (void) state;

    (void) find("<html><b>a</b></html>", "b");
    assert_false(dom.cut);
    assert_true(dom.closed);

    (void) find("<html><b>a</b><script>var a = {", "b");
    assert_true(dom.cut);
    (void) find("<html><b>a</b><div class='", "b");
    assert_true(dom.cut);
    (void) find("<html><b>a</b><!-- x", "b");
    assert_true(dom.cut);
    (void) find("<html><b>a</b><div", "b");
    assert_true(dom.cut);
    (void) find("<html><b>a", "b");
    assert_false(dom.cut);
    assert_false(dom.closed);
}


static char *
repeat(const char *text, size_t n)
{
    char    *page;
    size_t   i, len;

    len = strlen(text);
    page = malloc(n * len + 1);
    assert_non_null(page);

    for (i = 0; i < n; i++) {
        memcpy(page + i * len, text, len);
    }

    page[n * len] = '\0';

    return page;
}


static void
test_bombs(void **state)
{
    char      *page;
    at_str_t   s;

    (void) state;

    /* one tag of 50,000 attributes: 8 s of libxml2 */

    page = repeat(" a=b", 50000);
    memcpy(page, "<b a", 4);
    s = at_test_str(page);
    assert_int_equal(at_shop_dom_parse(&dom, s), AT_OK);
    assert_true(dom.bomb);
    assert_true(dom.nattrs <= AT_SHOP_DOM_TAG_MAX);
    free(page);

    page = repeat("<div>", 300000);
    assert_int_equal(at_shop_dom_parse(&dom, at_test_str(page)), AT_OK);
    assert_true(dom.large);
    assert_true(dom.n <= AT_SHOP_DOM_NODES + 1);
    free(page);

    page = repeat("<p>x<p>y", 200000);
    assert_int_equal(at_shop_dom_parse(&dom, at_test_str(page)), AT_OK);
    assert_true(dom.large);
    free(page);

    page = repeat("</div>", 300000);
    assert_int_equal(at_shop_dom_parse(&dom, at_test_str(page)), AT_OK);
    assert_int_equal(dom.n, 1);
    free(page);
}


static void
test_selector_work_is_bounded(void **state)
{
    char           *page;
    const char     *why;
    at_shop_css_t  *css;

    (void) state;

    page = repeat("<i class=a>", 100000);
    css = at_shop_css_compile(&pool, AT_STR(".b .a .a .a .a .a .a"), &why);
    assert_non_null(css);
    assert_int_equal(at_shop_dom_parse(&dom, at_test_str(page)), AT_OK);
    assert_int_equal(at_shop_css_next(css, &dom, 1, dom.n), AT_SHOP_NONE);
    assert_int_equal(dom.work, 0);
    free(page);
}


static void
test_xpath(void **state)
{
    at_str_t          text;
    const char       *why;
    at_shop_xdoc_t   *doc;
    at_shop_xpath_t  *xpath;

    (void) state;

    assert_null(at_shop_xpath_compile(AT_STR("//a["), &why));
    assert_null(at_shop_xpath_compile(AT_STR(""), &why));

    xpath = at_shop_xpath_compile(AT_STR("//b[2]/@c"), &why);
    assert_non_null(xpath);

    doc = at_shop_xdoc_parse(AT_STR("<a><b>x</b><b c='&#8377;1'>y</b></a>"));
    assert_non_null(doc);

    text = at_shop_xpath_text(xpath, doc, &pool, 0);
    assert_true(at_str_is(text, "₹1"));
    assert_int_equal(at_shop_xpath_text(xpath, doc, &pool, 1).len, 0);

    at_shop_xpath_free(xpath);
    at_shop_xdoc_free(doc);

    assert_null(at_shop_xdoc_parse(AT_STR_NULL));
}


static int
teardown(void **state)
{
    (void) state;
    at_shop_dom_free(&dom);
    at_shop_pool_free(&pool);

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_refused_selectors),
        cmocka_unit_test(test_forgiven),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_selector_work_is_bounded),
        cmocka_unit_test(test_xpath),
    };

    return cmocka_run_group_tests_name("shop_dom", tests, NULL, teardown);
}
