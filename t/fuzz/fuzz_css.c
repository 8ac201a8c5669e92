/*
 * at_shop_css_compile(): the first line is refused with a reason, or is a
 * selector that can be tried on the page that follows it; what it finds is an
 * element within the bounds, and at_shop_css_match() agrees.
 */

#include "fuzz.h"
#include "shop/at_shop_css.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t         i;
    at_str_t         selector, text;
    fuzz_in_t        in = { data, data + size };
    const char      *why;
    at_shop_css_t   *css;
    at_shop_dom_t    dom;
    at_shop_pool_t   pool = { .max = 1024 * 1024 };

    selector = fuzz_line(&in);
    why = NULL;
    css = at_shop_css_compile(&pool, selector, &why);

    if (css == NULL) {
        FUZZ_CHECK(why != NULL && why[0] != '\0');
        at_shop_pool_free(&pool);
        return 0;
    }

    memset(&dom, 0, sizeof(dom));
    FUZZ_CHECK(at_shop_dom_parse(&dom, fuzz_rest(&in)) == AT_OK);

    for (i = at_shop_css_next(css, &dom, 1, dom.n); i != AT_SHOP_NONE;
         i = at_shop_css_next(css, &dom, i + 1, dom.n))
    {
        FUZZ_CHECK(i > 0 && i < dom.n && dom.nodes[i].name != 0);
        FUZZ_CHECK(dom.work == 0 || at_shop_css_match(css, &dom, i));
        text = at_shop_dom_text(&dom, i, &pool, 100);
        FUZZ_CHECK(text.len <= 400);
    }

    at_shop_dom_free(&dom);
    at_shop_pool_free(&pool);

    return 0;
}
