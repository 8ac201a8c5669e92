/*
 * The course of a page (at_shop.h).
 *
 * What needs no tree comes first: an API's answer, state, JSON-LD.  A tree is
 * made where a field is still missing, or the recipe wants the price compared
 * with the one its selector shows.
 */

#include <stdlib.h>
#include <string.h>

#include "at_shop_internal.h"


#define AT_SHOP_TAIL      4096              /* bytes in which </html> stands */
#define AT_SHOP_UTF8_KEEP (2 * 1024 * 1024)


static const char *const  at_shop_state_names[] = {
    "page", "unknown", "wall", "captcha", "soft 404", "truncated",
    "client-rendered", "moved", "gone"
};

static const char *const  at_shop_stock_names[] = { "unknown", "in", "out" };


const char *
at_shop_state_name(at_shop_state_e state)
{
    return at_shop_state_names[state];
}


const char *
at_shop_stock_name(at_shop_stock_e stock)
{
    return at_shop_stock_names[stock];
}


at_shop_t *
at_shop_create(void)
{
    at_shop_t  *shop;

    shop = calloc(1, sizeof(at_shop_t));

    if (shop) {
        shop->pool.max = AT_SHOP_POOL_MAX;
    }

    return shop;
}


void
at_shop_free(at_shop_t *shop)
{
    if (shop) {
        at_shop_xdoc_free(shop->xdoc);
        at_shop_dom_free(&shop->dom);
        at_shop_pool_free(&shop->pool);
        at_buf_free(&shop->utf8);
        free(shop);
    }
}


static int
at_shop_tree(at_shop_t *shop)
{
    if (shop->tree) {
        return AT_OK;
    }

    shop->tree = 1;
    shop->page->tree = 1;

    return at_shop_dom_parse(&shop->dom, shop->body);
}


/* The price as the shop writes it: "1,23,456" or "123,456". */

static size_t
at_shop_grouping(int64_t units, int indian, char sign, char out[32])
{
    char    digits[24];
    size_t  i, n, k;

    n = 0;

    do {
        digits[n++] = (char) ('0' + units % 10);
        units /= 10;
    } while (units && n < sizeof(digits));

    for (i = 0, k = 0; i < n; i++) {
        out[k++] = digits[n - 1 - i];

        if (n - 1 - i > 0 && sign
            && (indian ? n - 1 - i >= 3 && (n - 1 - i) % 2 == 1
                       : (n - 1 - i) % 3 == 0))
        {
            out[k++] = sign;
        }
    }

    return k;
}


/* 1: a currency's sign stands within the few bytes before p. */

static int
at_shop_signed(at_str_t body, const char *p)
{
    char        low[24];
    size_t      i, n;
    const char  *from;

    static const char *const  signs[] = {
        "\xE2\x82\xB9", "rs", "inr", "8377;", "x20b9;", "$", "\xC2\xA3",
        "\xE2\x82\xAC", "rp", "&euro;", "&pound;"
    };

    n = (size_t) (p - body.data);
    n = n < sizeof(low) - 1 ? n : sizeof(low) - 1;
    from = p - n;

    for (i = 0; i < n; i++) {
        low[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char) (from[i] | 0x20)
                                                  : from[i];
    }

    for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (memmem(low, n, signs[i], strlen(signs[i]))) {
            return 1;
        }
    }

    return 0;
}


static int
at_shop_text_has(at_shop_t *shop, const char *text, size_t len)
{
    unsigned     n;
    at_str_t     rest;
    const char  *p;

    rest = shop->body;

    for (n = 0; n < 20; n++) {
        p = memmem(rest.data, rest.len, text, len);

        if (p == NULL) {
            return 0;
        }

        if ((p + len == shop->body.data + shop->body.len
             || p[len] < '0' || p[len] > '9')
            && at_shop_signed(shop->body, p))
        {
            return 1;
        }

        rest.len -= (size_t) (p + 1 - rest.data);
        rest.data = p + 1;
    }

    return 0;
}


/* 1: the price stands in the page beside a currency. */

static int
at_shop_text_shows(at_shop_t *shop, int64_t price)
{
    char    text[32], sign;
    size_t  n;

    sign = shop->recipe->decimal == '.' ? ',' : '.';
    n = at_shop_grouping(price / 100, strcmp(shop->recipe->currency, "INR")
                                      == 0, sign, text);

    if (at_shop_text_has(shop, text, n)) {
        return 1;
    }

    n = at_shop_grouping(price / 100, 0, '\0', text);

    return at_shop_text_has(shop, text, n);
}


/* 1: layers that need no tree have said all that is wanted of the page. */

static int
at_shop_enough(at_shop_t *shop, at_shop_product_t *p)
{
    size_t           i, k;
    at_str_t         tail;
    at_shop_layer_e  layer;
    const uint8_t   *order;

    if (shop->recipe->check == AT_SHOP_CHECK_SELECTORS) {
        return 0;
    }

    for (i = 0; i < AT_SHOP_FIELDS; i++) {

        if (i == AT_SHOP_CURRENCY || i == AT_SHOP_URL
            || (i == AT_SHOP_MRP && shop->recipe->fields[i] == NULL)
            || (i == AT_SHOP_ID && shop->asked_id.len))
        {
            continue;
        }

        order = shop->recipe->order[i];

        for (k = 0; k < shop->recipe->norder[i]; k++) {
            layer = (at_shop_layer_e) order[k];

            if (layer == AT_SHOP_L_MICRODATA || layer == AT_SHOP_L_OG
                || layer == AT_SHOP_L_SELECTORS)
            {
                return 0;
            }

            if (at_shop_has(p, (at_shop_field_e) i, layer)) {
                break;
            }
        }
    }

    tail = shop->body;

    if (tail.len > AT_SHOP_TAIL) {
        tail.data += tail.len - AT_SHOP_TAIL;
        tail.len = AT_SHOP_TAIL;
    }

    return at_shop_inside(tail, AT_STR("</html"))
           || at_shop_inside(tail, AT_STR("</body"));
}


/* The page's own address says its id and URL, if nothing else does. */

static void
at_shop_address(at_shop_t *shop, at_shop_product_t *p)
{
    at_shop_from_t  from;

    memset(&from, 0, sizeof(from));
    from.layer = AT_SHOP_L_ADDRESS;
    from.source = AT_STR("URL");

    (void) at_shop_add(shop, p, AT_SHOP_ID, &from, shop->asked_id);
    (void) at_shop_add(shop, p, AT_SHOP_URL, &from, shop->url);
}


static int
at_shop_one(at_shop_t *shop)
{
    at_shop_product_t  *p;

    p = at_shop_product(shop);
    if (p == NULL) {
        return AT_ERROR;
    }

    at_shop_state_product(shop, p);
    at_shop_ld_product(shop, p);

    if (!at_shop_enough(shop, p)) {

        if (at_shop_tree(shop) != AT_OK) {
            return AT_ERROR;
        }

        at_shop_microdata(shop, p);
        at_shop_og(shop, p);
        at_shop_selectors(shop, p);
    }

    at_shop_address(shop, p);
    at_shop_resolve(shop, p);

    if (p->price && !p->shown && shop->recipe->check == AT_SHOP_CHECK_TEXT) {
        p->shown = at_shop_text_shows(shop, p->price) != 0;
    }

    return AT_OK;
}


static int
at_shop_many(at_shop_t *shop)
{
    at_shop_product_t  *p;

    if (shop->recipe->cards) {

        if (at_shop_tree(shop) != AT_OK) {
            return AT_ERROR;
        }

        at_shop_cards(shop);
    }

    at_shop_state_list(shop);
    at_shop_ld_list(shop);

    for (p = shop->page->products; p; p = p->next) {
        at_shop_resolve(shop, p);
    }

    return shop->page->n || at_shop_tree(shop) == AT_OK ? AT_OK : AT_ERROR;
}


static int
at_shop_answer(at_shop_t *shop)
{
    at_shop_product_t  *p;

    p = shop->input->list ? NULL : at_shop_product(shop);
    at_shop_api(shop, p);

    if (p) {
        at_shop_address(shop, p);
    }

    for (p = shop->page->products; p; p = p->next) {
        at_shop_resolve(shop, p);
    }

    return AT_OK;
}


static int
at_shop_course(at_shop_t *shop)
{
    int     rc;
    size_t  i;

    for (i = 0; i < shop->body.len && (uint8_t) shop->body.data[i] <= ' ';
         i++)
    {
        /* void */
    }

    if (shop->recipe->api && i < shop->body.len
        && (shop->body.data[i] == '{' || shop->body.data[i] == '['))
    {
        rc = at_shop_answer(shop);

    } else {
        rc = shop->input->list ? at_shop_many(shop) : at_shop_one(shop);
    }

    return rc == AT_OK && !shop->pool.full ? AT_OK : AT_ERROR;
}


int
at_shop_read(at_shop_t *shop, const at_recipe_t *recipe,
    const at_shop_input_t *input, at_shop_page_t *page)
{
    int  rc;

    at_shop_pool_reset(&shop->pool);
    at_shop_xdoc_free(shop->xdoc);
    shop->xdoc = NULL;

    if (shop->utf8.cap > AT_SHOP_UTF8_KEEP) {
        at_buf_free(&shop->utf8);
    }

    memset(page, 0, sizeof(at_shop_page_t));
    page->why = "";

    shop->recipe = recipe;
    shop->input = input;
    shop->page = page;
    shop->last = NULL;
    shop->tree = 0;
    shop->dom.n = 0;
    shop->dom.cut = 0;
    shop->dom.bomb = 0;
    shop->dom.large = 0;
    shop->url = input->url.len ? input->url : input->asked;
    shop->asked_id = input->list ? AT_STR_NULL
                                 : at_recipe_url_id(recipe, input->asked,
                                                    &shop->pool);

    if (input->body.len > AT_SHOP_BODY_MAX) {
        page->state = AT_SHOP_UNKNOWN;
        page->why = "more than 16 MB";
        return AT_OK;
    }

    if (at_shop_charset(shop, input->body.len ? input->body : AT_STR(""),
                        input->type) != AT_OK)
    {
        page->state = AT_SHOP_UNKNOWN;
        page->why = "an encoding that is not known";
        return AT_OK;
    }

    rc = input->status == 0 || (input->status > 199 && input->status < 300)
         ? at_shop_course(shop) : AT_OK;

    if (rc == AT_OK) {
        at_shop_judge(shop);

    } else {
        page->state = AT_SHOP_UNKNOWN;
        page->why = "wants too much memory";
        page->products = NULL;
        page->n = 0;
    }

    return rc;
}
