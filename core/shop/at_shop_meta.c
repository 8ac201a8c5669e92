/*
 * Microdata and OpenGraph (at_shop_internal.h).
 *
 * Of microdata the first product of the page is meant, unless another one has
 * the id asked for; what belongs to an item inside of it (a brand, a review,
 * another product) is not its own, but for its offers.
 */

#include <string.h>

#include "at_shop_internal.h"


#define AT_SHOP_ITEMS_MAX  200


static at_str_t
at_shop_meta_attr(at_shop_t *shop, uint32_t node, const char *name)
{
    return at_shop_dom_attr(&shop->dom, node,
                            at_shop_dom_hash((at_str_t) { strlen(name),
                                                          name }));
}


/* 1: node is an item of that type, "Product" or "Offer". */

static int
at_shop_item_is(at_shop_t *shop, uint32_t node, const char *type)
{
    size_t    n;
    at_str_t  s;

    s = at_shop_meta_attr(shop, node, "itemtype");
    n = strlen(type);

    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '/')) {
        s.len--;
    }

    return s.len > n
           && at_str_ieq((at_str_t) { n, s.data + s.len - n },
                         (at_str_t) { n, type })
           && s.data[s.len - n - 1] == '/';
}


/* The value of a property: content, an address, or the text. */

static at_str_t
at_shop_item_value(at_shop_t *shop, uint32_t node, unsigned *data)
{
    at_str_t  s;

    *data = 1;
    s = at_shop_meta_attr(shop, node, "content");

    if (s.data) {
        return s;
    }

    switch (shop->dom.nodes[node].name) {

    case AT_SHOP_T1('a'):
    case AT_SHOP_T4('l', 'i', 'n', 'k'):
        return at_shop_meta_attr(shop, node, "href");

    case AT_SHOP_T3('i', 'm', 'g'):
        return at_shop_meta_attr(shop, node, "src");

    case AT_SHOP_T4('d', 'a', 't', 'a'):
        return at_shop_meta_attr(shop, node, "value");

    default:
        *data = 0;
        return at_shop_dom_text(&shop->dom, node, &shop->pool,
                                AT_SHOP_TITLE_MAX);
    }
}


/* The next property of the item itself; nested items are passed over. */

static uint32_t
at_shop_item_next(at_shop_t *shop, uint32_t from, uint32_t end,
    at_str_t *name)
{
    uint32_t          i, prop, scope;
    at_shop_node_t   *n;

    prop = at_shop_dom_hash(AT_STR("itemprop"));
    scope = at_shop_dom_hash(AT_STR("itemscope"));

    for (i = from; i < end; i++) {
        n = &shop->dom.nodes[i];

        if (n->name == 0) {
            continue;
        }

        *name = at_shop_dom_attr(&shop->dom, i, prop);

        if (name->len) {
            return i;
        }

        if (at_shop_dom_attr(&shop->dom, i, scope).data) {
            i = n->end - 1;
        }
    }

    return AT_SHOP_NONE;
}


static void
at_shop_item_add(at_shop_t *shop, at_shop_product_t *p, at_shop_field_e field,
    const char *source, uint32_t node, at_str_t currency)
{
    unsigned        data;
    at_str_t        raw;
    at_shop_from_t  from;

    raw = at_shop_item_value(shop, node, &data);
    from = (at_shop_from_t) { AT_SHOP_L_MICRODATA,
                              { strlen(source), source }, currency, 0,
                              data };
    (void) at_shop_add(shop, p, field, &from, raw);
}


static void
at_shop_item_offer(at_shop_t *shop, at_shop_product_t *p, uint32_t offer)
{
    unsigned  data;
    uint32_t  i, next, end, scope;
    at_str_t  name, currency;

    end = shop->dom.nodes[offer].end;
    scope = at_shop_dom_hash(AT_STR("itemscope"));
    currency = AT_STR_NULL;

    for (i = offer + 1;
         (i = at_shop_item_next(shop, i, end, &name)) != AT_SHOP_NONE; i++)
    {
        if (at_str_is(name, "priceCurrency")) {
            currency = at_shop_item_value(shop, i, &data);
            break;
        }
    }

    for (i = offer + 1;
         (i = at_shop_item_next(shop, i, end, &name)) != AT_SHOP_NONE;
         i = next)
    {
        next = i + 1;

        if (at_str_is(name, "price") || at_str_is(name, "lowPrice")) {
            at_shop_item_add(shop, p, AT_SHOP_PRICE, "offers.price", i,
                             currency);

        } else if (at_str_is(name, "availability")) {
            at_shop_item_add(shop, p, AT_SHOP_STOCK, "offers.availability", i,
                             currency);
        }

        if (at_shop_dom_attr(&shop->dom, i, scope).data) {
            next = shop->dom.nodes[i].end;
        }
    }
}


static void
at_shop_item(at_shop_t *shop, at_shop_product_t *p, uint32_t item)
{
    size_t    k;
    uint32_t  i, next, end, scope;
    at_str_t  name;

    static const struct {
        const char       *name;
        at_shop_field_e   field;
    } props[] = {
        { "name", AT_SHOP_TITLE }, { "sku", AT_SHOP_ID },
        { "productID", AT_SHOP_ID }, { "image", AT_SHOP_IMAGE },
        { "url", AT_SHOP_URL }
    };

    end = shop->dom.nodes[item].end;
    scope = at_shop_dom_hash(AT_STR("itemscope"));

    for (i = item + 1;
         (i = at_shop_item_next(shop, i, end, &name)) != AT_SHOP_NONE;
         i = next)
    {
        next = i + 1;

        if (at_shop_dom_attr(&shop->dom, i, scope).data) {
            next = shop->dom.nodes[i].end;

            if (at_str_is(name, "offers")) {
                at_shop_item_offer(shop, p, i);
            }

            continue;
        }

        for (k = 0; k < sizeof(props) / sizeof(props[0]); k++) {
            if (at_str_is(name, props[k].name)) {
                at_shop_item_add(shop, p, props[k].field, props[k].name, i,
                                 AT_STR_NULL);
            }
        }

        /* an offer's property without an offer around it */

        if (at_str_is(name, "price")) {
            at_shop_item_add(shop, p, AT_SHOP_PRICE, "price", i, AT_STR_NULL);
        }
    }
}


/* 1: the item's sku or productID is the id asked for. */

static int
at_shop_item_asked(at_shop_t *shop, uint32_t item)
{
    unsigned  data;
    uint32_t  i, end;
    at_str_t  name, id;

    end = shop->dom.nodes[item].end;

    for (i = item + 1;
         (i = at_shop_item_next(shop, i, end, &name)) != AT_SHOP_NONE; i++)
    {
        if (at_str_is(name, "sku") || at_str_is(name, "productID")) {
            id = at_recipe_id(shop->recipe, at_shop_item_value(shop, i, &data),
                              &shop->pool);

            if (id.len && at_str_eq(id, shop->asked_id)) {
                return 1;
            }
        }
    }

    return 0;
}


/* Two offers of two prices are none. */

static void
at_shop_item_one_price(at_shop_product_t *p)
{
    at_shop_find_t  *f, *first;

    first = NULL;

    for (f = p->finds; f; f = f->next) {

        if (f->field != AT_SHOP_PRICE || f->value.len == 0
            || f->layer != AT_SHOP_L_MICRODATA)
        {
            continue;
        }

        if (first && f->money.min != first->money.min) {
            first->value = AT_STR_NULL;
            first->why = "several offers of several prices";
            f->value = AT_STR_NULL;
            f->why = first->why;
        }

        first = first ? first : f;
    }
}


void
at_shop_microdata(at_shop_t *shop, at_shop_product_t *p)
{
    uint32_t   i, item;
    uint64_t   sig;
    unsigned   n;

    item = AT_SHOP_NONE;
    sig = at_shop_dom_sig_attr(at_shop_dom_hash(AT_STR("itemtype")));

    for (i = 1, n = 0; i < shop->dom.n && n < AT_SHOP_ITEMS_MAX; i++) {

        if ((shop->dom.nodes[i].sig & sig) == 0
            || !at_shop_item_is(shop, i, "Product"))
        {
            continue;
        }

        n++;

        if (item == AT_SHOP_NONE) {
            item = i;
        }

        if (shop->asked_id.len && at_shop_item_asked(shop, i)) {
            item = i;
            break;
        }
    }

    if (item != AT_SHOP_NONE) {
        at_shop_item(shop, p, item);
        at_shop_item_one_price(p);
    }
}


void
at_shop_og(at_shop_t *shop, at_shop_product_t *p)
{
    size_t          k;
    uint32_t        i;
    at_str_t        name, currency;
    at_shop_from_t  from;

    static const struct {
        const char       *name;
        at_shop_field_e   field;
    } props[] = {
        { "og:title", AT_SHOP_TITLE },
        { "og:image", AT_SHOP_IMAGE },
        { "og:image:secure_url", AT_SHOP_IMAGE },
        { "og:url", AT_SHOP_URL },
        { "product:price:amount", AT_SHOP_PRICE },
        { "og:price:amount", AT_SHOP_PRICE },
        { "product:original_price:amount", AT_SHOP_MRP },
        { "product:availability", AT_SHOP_STOCK },
        { "og:availability", AT_SHOP_STOCK },
        { "product:retailer_item_id", AT_SHOP_ID },
        { "product:price:currency", AT_SHOP_CURRENCY },
        { "og:price:currency", AT_SHOP_CURRENCY }
    };

    const size_t  n = sizeof(props) / sizeof(props[0]);
    unsigned      pass;

    currency = AT_STR_NULL;

    /* The currency may stand behind the amount. */

    for (pass = 0; pass < 2; pass++) {

        for (i = at_shop_dom_find(&shop->dom, AT_SHOP_T4('m', 'e', 't', 'a'),
                                  1, shop->dom.n);
             i != AT_SHOP_NONE;
             i = at_shop_dom_find(&shop->dom, AT_SHOP_T4('m', 'e', 't', 'a'),
                                  i + 1, shop->dom.n))
        {
            name = at_shop_meta_attr(shop, i, "property");
            name = name.len ? name : at_shop_meta_attr(shop, i, "name");

            for (k = 0; name.len && k < n; k++) {
                if (at_str_is(name, props[k].name)) {
                    break;
                }
            }

            if (name.len == 0 || k == n
                || (props[k].field == AT_SHOP_CURRENCY) != (pass == 0))
            {
                continue;
            }

            if (pass == 0) {
                currency = at_shop_meta_attr(shop, i, "content");
                continue;
            }

            from = (at_shop_from_t) { AT_SHOP_L_OG, name, currency, 0, 1 };
            (void) at_shop_add(shop, p, props[k].field, &from,
                               at_shop_meta_attr(shop, i, "content"));
        }
    }
}
