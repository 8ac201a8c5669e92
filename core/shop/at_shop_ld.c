/*
 * JSON-LD (at_shop_internal.h).
 *
 * The scripts are found by a scan over the bytes, so a page that says all in
 * JSON-LD needs no tree.  Of several products the one with the id asked for is
 * meant, else the only one with another id than all others; two that could be
 * meant are none.  The same script printed twice is one.
 */

#include <string.h>
#include <strings.h>

#include "at_shop_internal.h"


#define AT_SHOP_LD_SCRIPTS  32
#define AT_SHOP_LD_OFFERS   200


typedef struct {
    at_shop_t      *shop;
    at_shop_js_t   *products[AT_SHOP_LD_SCRIPTS];
    size_t          n;
    at_shop_js_t   *list;       /* an ItemList with elements */
} at_shop_ld_t;


/* The next script of JSON-LD behind *at, or no text. */

static at_str_t
at_shop_ld_next(at_str_t body, size_t *at)
{
    size_t       n;
    const char  *p, *tag, *end;

    end = body.data + body.len;

    for ( ;; ) {
        n = body.len - *at;
        p = n ? memmem(body.data + *at, n, "ld+json", 7) : NULL;

        if (p == NULL) {
            return AT_STR_NULL;
        }

        *at = (size_t) (p - body.data) + 7;

        /* the tag it stands in begins with "<script" */

        for (tag = p; tag > body.data && p - tag < 300 && *tag != '<'; tag--) {
            /* void */
        }

        if (p - tag < 8 || strncasecmp(tag, "<script", 7) != 0) {
            continue;
        }

        p = memchr(p, '>', (size_t) (end - p));
        if (p == NULL) {
            return AT_STR_NULL;
        }

        p++;
        tag = p;

        while ((tag = memchr(tag, '<', (size_t) (end - tag))) != NULL) {
            if (end - tag > 8 && strncasecmp(tag, "</script", 8) == 0) {
                *at = (size_t) (tag - body.data);
                return (at_str_t) { (size_t) (tag - p), p };
            }

            tag++;
        }

        return AT_STR_NULL;
    }
}


/* 1: js is of that type, by its name alone or behind a slash. */

static int
at_shop_ld_is(const at_shop_js_t *js, const char *name)
{
    size_t               n;
    at_str_t             type;
    const at_shop_js_t  *t, *all;

    all = at_shop_js_member(js, "@type");
    t = all && all->type == AT_SHOP_JS_ARRAY ? all->child : all;
    n = strlen(name);

    while (t) {
        type = t->type == AT_SHOP_JS_STRING ? t->text : AT_STR_NULL;

        if (type.len >= n
            && memcmp(type.data + type.len - n, name, n) == 0
            && (type.len == n || type.data[type.len - n - 1] == '/'
                || type.data[type.len - n - 1] == ':'))
        {
            return 1;
        }

        t = t == all ? NULL : t->next;
    }

    return 0;
}


static void
at_shop_ld_collect(at_shop_ld_t *ld, at_shop_js_t *js, unsigned depth)
{
    at_shop_js_t  *item;

    if (js == NULL || depth > 4) {
        return;
    }

    if (js->type == AT_SHOP_JS_ARRAY) {
        for (item = js->child; item; item = item->next) {
            at_shop_ld_collect(ld, item, depth + 1);
        }

        return;
    }

    if (at_shop_ld_is(js, "Product") || at_shop_ld_is(js, "ProductGroup")
        || at_shop_ld_is(js, "IndividualProduct")
        || at_shop_ld_is(js, "ProductModel"))
    {
        if (ld->n < AT_SHOP_LD_SCRIPTS) {
            ld->products[ld->n++] = js;
        }

        return;
    }

    if (at_shop_ld_is(js, "ItemList")) {
        item = at_shop_js_member(js, "itemListElement");

        if (item && item->child && ld->list == NULL) {
            ld->list = item;
        }

        return;
    }

    at_shop_ld_collect(ld, at_shop_js_member(js, "@graph"), depth + 1);
    at_shop_ld_collect(ld, at_shop_js_member(js, "mainEntity"), depth + 1);
}


static void
at_shop_ld_scan(at_shop_t *shop, at_shop_ld_t *ld)
{
    size_t       at, end;
    unsigned     n;
    at_str_t     script;
    const char  *why;

    memset(ld, 0, sizeof(at_shop_ld_t));
    ld->shop = shop;
    at = 0;

    for (n = 0; n < AT_SHOP_LD_SCRIPTS; n++) {
        script = at_shop_ld_next(shop->body, &at);

        if (script.data == NULL) {
            return;
        }

        at_shop_ld_collect(ld, at_shop_js_parse(&shop->pool, script, 0, &end,
                                                &why), 0);
    }
}


static at_str_t
at_shop_ld_text(at_shop_t *shop, const at_shop_js_t *js, const char *name)
{
    const at_shop_js_t  *m;

    m = at_shop_js_member(js, name);

    if (m && m->type == AT_SHOP_JS_ARRAY) {
        m = m->child;
    }

    return at_shop_js_text(&shop->pool, m);
}


/* The canonical id that a product or an offer says, or no text. */

static at_str_t
at_shop_ld_id(at_shop_t *shop, const at_shop_js_t *js)
{
    size_t    i;
    at_str_t  id;

    static const char *const  names[] = {
        "sku", "productID", "url", "@id", "mpn"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        id = at_shop_ld_text(shop, js, names[i]);
        id = i == 2 || i == 3 ? at_recipe_url_id(shop->recipe, id, &shop->pool)
                              : at_recipe_id(shop->recipe, id, &shop->pool);

        if (id.len) {
            return id;
        }
    }

    return AT_STR_NULL;
}


static void
at_shop_ld_add(at_shop_t *shop, at_shop_product_t *p, at_shop_field_e field,
    const char *source, at_str_t raw, at_str_t currency)
{
    at_shop_from_t  from;

    from = (at_shop_from_t) { AT_SHOP_L_LD, { strlen(source), source },
                              currency, 0, 1 };
    (void) at_shop_add(shop, p, field, &from, raw);
}


static void
at_shop_ld_image(at_shop_t *shop, at_shop_product_t *p,
    const at_shop_js_t *js)
{
    at_str_t             url;
    unsigned             n;
    const at_shop_js_t  *m;

    m = at_shop_js_member(js, "image");
    m = m && m->type == AT_SHOP_JS_ARRAY ? m->child : m;

    for (n = 0; m && n < 3; n++) {
        url = at_shop_js_text(&shop->pool, m);

        if (m->type == AT_SHOP_JS_OBJECT) {
            url = at_shop_ld_text(shop, m, "url");

            if (url.len == 0) {
                url = at_shop_ld_text(shop, m, "contentUrl");
            }
        }

        at_shop_ld_add(shop, p, AT_SHOP_IMAGE, "image", url, AT_STR_NULL);

        if (m == at_shop_js_member(js, "image")) {
            return;
        }

        m = m->next;
    }
}


/* priceSpecification: the price, or one that is struck through. */

static void
at_shop_ld_specification(at_shop_t *shop, at_shop_product_t *p,
    const at_shop_js_t *offer, at_str_t currency)
{
    int                  list;
    at_str_t             type, price;
    const at_shop_js_t  *s, *first;

    first = at_shop_js_member(offer, "priceSpecification");
    s = first && first->type == AT_SHOP_JS_ARRAY ? first->child : first;

    while (s) {
        type = at_shop_ld_text(shop, s, "priceType");
        price = at_shop_ld_text(shop, s, "price");
        list = at_shop_inside(type, AT_STR("ListPrice"))
               || at_shop_inside(type, AT_STR("Strikethrough"))
               || at_shop_inside(type, AT_STR("MSRP"))
               || at_shop_inside(type, AT_STR("SRP"))
               || at_shop_inside(type, AT_STR("RegularPrice"));

        if (at_shop_js_member(s, "referenceQuantity") == NULL
            && at_shop_js_member(s, "billingDuration") == NULL)
        {
            at_shop_ld_add(shop, p, list ? AT_SHOP_MRP : AT_SHOP_PRICE,
                           "offers.priceSpecification.price", price,
                           currency.len ? currency
                                        : at_shop_ld_text(shop, s,
                                                          "priceCurrency"));
        }

        s = s == first ? NULL : s->next;
    }
}


static void
at_shop_ld_offer(at_shop_t *shop, at_shop_product_t *p,
    const at_shop_js_t *offer)
{
    char      range[100];
    size_t    n;
    at_str_t  currency, low, high;

    currency = at_shop_ld_text(shop, offer, "priceCurrency");
    low = at_shop_ld_text(shop, offer, "lowPrice");
    high = at_shop_ld_text(shop, offer, "highPrice");

    at_shop_ld_add(shop, p, AT_SHOP_PRICE, "offers.price",
                   at_shop_ld_text(shop, offer, "price"), currency);

    if (low.len && high.len && low.len + high.len < 80
        && !at_str_eq(low, high))
    {
        memcpy(range, low.data, low.len);
        memcpy(range + low.len, " - ", 3);
        memcpy(range + low.len + 3, high.data, high.len);
        n = low.len + high.len + 3;

        at_shop_ld_add(shop, p, AT_SHOP_PRICE, "offers.lowPrice",
                       at_shop_copy(&shop->pool, (at_str_t) { n, range }),
                       currency);

    } else {
        at_shop_ld_add(shop, p, AT_SHOP_PRICE, "offers.lowPrice", low,
                       currency);
    }

    at_shop_ld_specification(shop, p, offer, currency);
    at_shop_ld_add(shop, p, AT_SHOP_STOCK, "offers.availability",
                   at_shop_ld_text(shop, offer, "availability"), AT_STR_NULL);
}


/* 1: both offers say the same price. */

static int
at_shop_ld_same(at_shop_t *shop, const at_shop_js_t *a, const at_shop_js_t *b)
{
    return at_str_eq(at_shop_ld_text(shop, a, "price"),
                     at_shop_ld_text(shop, b, "price"))
           && at_str_eq(at_shop_ld_text(shop, a, "lowPrice"),
                        at_shop_ld_text(shop, b, "lowPrice"));
}


/* Of several offers the one of the id asked for, or all if they agree. */

static void
at_shop_ld_offers(at_shop_t *shop, at_shop_product_t *p,
    const at_shop_js_t *js)
{
    unsigned             n;
    at_str_t             id;
    const at_shop_js_t  *offers, *o, *found;

    offers = at_shop_js_member(js, "offers");

    if (offers && offers->type == AT_SHOP_JS_OBJECT) {
        at_shop_ld_offer(shop, p, offers);
        return;
    }

    if (offers == NULL || offers->type != AT_SHOP_JS_ARRAY) {
        return;
    }

    found = offers->child;

    for (o = offers->child, n = 0; o && n < AT_SHOP_LD_OFFERS;
         o = o->next, n++)
    {
        id = shop->asked_id.len ? at_shop_ld_id(shop, o) : AT_STR_NULL;

        if (id.len && at_str_eq(id, shop->asked_id)) {
            at_shop_ld_offer(shop, p, o);
            return;
        }

        if (found && !at_shop_ld_same(shop, o, found)) {
            found = NULL;
        }
    }

    if (found) {
        at_shop_ld_offer(shop, p, found);

    } else {
        at_shop_ld_add(shop, p, AT_SHOP_PRICE, "offers",
                       AT_STR("several offers, none of them the one asked "
                              "for"), AT_STR_NULL);
    }
}


static void
at_shop_ld_fields(at_shop_t *shop, at_shop_product_t *p,
    const at_shop_js_t *js)
{
    at_str_t  id, url;

    id = at_shop_ld_text(shop, js, "sku");

    at_shop_ld_add(shop, p, AT_SHOP_TITLE, "name",
                   at_shop_ld_text(shop, js, "name"), AT_STR_NULL);
    at_shop_ld_add(shop, p, AT_SHOP_ID, id.len ? "sku" : "productID",
                   id.len ? id : at_shop_ld_text(shop, js, "productID"),
                   AT_STR_NULL);
    at_shop_ld_image(shop, p, js);

    url = at_shop_ld_text(shop, js, "url");

    if (url.len) {
        at_shop_ld_add(shop, p, AT_SHOP_URL, "url", url, AT_STR_NULL);
    }

    at_shop_ld_offers(shop, p, js);
}


/* A group's variant of that id, or the group itself. */

static at_shop_js_t *
at_shop_ld_variant(at_shop_t *shop, at_shop_js_t *js)
{
    at_str_t       id;
    at_shop_js_t  *v;

    v = at_shop_js_member(js, "hasVariant");

    for (v = v ? v->child : NULL; v && shop->asked_id.len; v = v->next) {
        id = at_shop_ld_id(shop, v);

        if (id.len && at_str_eq(id, shop->asked_id)) {
            return v;
        }
    }

    return js;
}


void
at_shop_ld_product(at_shop_t *shop, at_shop_product_t *p)
{
    size_t         i;
    at_str_t       id;
    at_shop_ld_t   ld;
    at_shop_js_t  *js;

    at_shop_ld_scan(shop, &ld);
    js = ld.n ? ld.products[0] : NULL;

    for (i = 0; i < ld.n; i++) {
        id = at_shop_ld_id(shop, ld.products[i]);

        if (id.len && at_str_eq(id, shop->asked_id)) {
            js = ld.products[i];
            break;
        }

        if (js && !at_str_eq(at_shop_ld_text(shop, js, "name"),
                             at_shop_ld_text(shop, ld.products[i], "name")))
        {
            js = NULL;
        }
    }

    if (js) {
        at_shop_ld_fields(shop, p, at_shop_ld_variant(shop, js));

    } else if (ld.n) {
        at_shop_ld_add(shop, p, AT_SHOP_PRICE, "Product",
                       AT_STR("several products, none of them the one asked "
                              "for"), AT_STR_NULL);
    }
}


/* An element of an ItemList: a product, or only its name and address. */

static void
at_shop_ld_item(at_shop_t *shop, at_shop_js_t *element, int only)
{
    at_str_t            id;
    at_shop_js_t       *js;
    at_shop_product_t  *p;

    js = at_shop_js_member(element, "item");
    js = js && js->type == AT_SHOP_JS_OBJECT ? js : element;

    id = at_shop_ld_id(shop, js);

    if (id.len == 0) {
        id = at_shop_ld_id(shop, element);
    }

    if (id.len == 0) {
        return;
    }

    p = at_shop_product_by_id(shop, id);

    if (p == NULL) {
        p = only ? at_shop_product(shop) : NULL;

        if (p == NULL) {
            return;
        }

        p->id = id;
        at_shop_ld_add(shop, p, AT_SHOP_ID, "itemListElement", id,
                       AT_STR_NULL);

    } else if (at_shop_has(p, AT_SHOP_TITLE, AT_SHOP_L_LD)) {
        return;
    }

    at_shop_ld_fields(shop, p, js);

    if (js == element || !at_shop_has(p, AT_SHOP_URL, AT_SHOP_L_LD)) {
        at_shop_ld_add(shop, p, AT_SHOP_URL, "itemListElement.url",
                       at_shop_ld_text(shop, element, "url"), AT_STR_NULL);
    }
}


void
at_shop_ld_list(at_shop_t *shop)
{
    int            only;
    at_shop_ld_t   ld;
    at_shop_js_t  *element;

    at_shop_ld_scan(shop, &ld);
    only = shop->page->n == 0;

    element = ld.list && ld.list->type == AT_SHOP_JS_ARRAY ? ld.list->child
                                                           : NULL;

    for ( /* void */ ; element; element = element->next) {
        at_shop_ld_item(shop, element, only);
    }
}
