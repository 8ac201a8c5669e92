/*
 * From what was found to a product (at_shop_internal.h).
 *
 * Every find is judged alone first: a price text may be an instalment, an id
 * one that the shop never gives, an image the shop's logo.  Then the layers
 * are gone through in the recipe's order; the first good value wins.  A price
 * that is not the one shown loses to it, and the product is marked.
 */

#include <stdlib.h>
#include <string.h>

#include "at_shop_internal.h"


static const char  at_shop_schema_in[] =
    " in instock limitedavailability instoreonly onlineonly preorder presale "
    "backorder madetoorder available true yes 1 ";
static const char  at_shop_schema_out[] =
    " out outofstock soldout discontinued unavailable reserved false no 0 ";


int
at_shop_inside(at_str_t text, at_str_t needle)
{
    char         low, up;
    size_t       left;
    const char  *p, *end, *a;

    if (needle.len == 0 || needle.len > text.len) {
        return 0;
    }

    low = needle.data[0];
    low = low >= 'A' && low <= 'Z' ? (char) (low | 0x20) : low;
    up = low >= 'a' && low <= 'z' ? (char) (low & ~0x20) : low;
    end = text.data + text.len - needle.len + 1;

    for (p = text.data; p < end; p++) {
        left = (size_t) (end - p);
        a = memchr(p, low, left);

        if (up != low) {
            p = memchr(p, up, a ? (size_t) (a - p) : left);
            p = p ? p : a;

        } else {
            p = a;
        }

        if (p == NULL) {
            return 0;
        }

        if (at_str_ieq((at_str_t) { needle.len, p }, needle)) {
            return 1;
        }
    }

    return 0;
}


static int
at_shop_any_inside(at_str_t text, const at_shop_list_t *words)
{
    size_t  i;

    for (i = 0; i < words->n; i++) {
        if (at_shop_inside(text, words->items[i])) {
            return 1;
        }
    }

    return 0;
}


/* "https://schema.org/InStock", "in_stock", "true" and the like. */

static at_shop_stock_e
at_shop_stock_schema(at_str_t text)
{
    char    word[32];
    size_t  i, n;

    n = 0;
    word[n++] = ' ';

    for (i = text.len; i > 0 && text.data[i - 1] != '/'; i--) { /* void */ }

    for ( /* void */ ; i < text.len && n < sizeof(word) - 2; i++) {

        if (text.data[i] != '_' && text.data[i] != '-'
            && text.data[i] != ' ')
        {
            word[n++] = text.data[i] >= 'A' && text.data[i] <= 'Z'
                        ? (char) (text.data[i] | 0x20) : text.data[i];
        }
    }

    if (i < text.len || n == 1) {
        return AT_SHOP_STOCK_UNKNOWN;
    }

    word[n++] = ' ';
    word[n] = '\0';

    return strstr(at_shop_schema_in, word) ? AT_SHOP_STOCK_IN
           : strstr(at_shop_schema_out, word) ? AT_SHOP_STOCK_OUT
           : AT_SHOP_STOCK_UNKNOWN;
}


at_shop_stock_e
at_shop_stock(const at_recipe_t *recipe, at_str_t text)
{
    /* "out of stock, back in stock soon": the bad news is the news */

    if (at_shop_any_inside(text, &recipe->out_of_stock)) {
        return AT_SHOP_STOCK_OUT;
    }

    if (at_shop_any_inside(text, &recipe->in_stock)) {
        return AT_SHOP_STOCK_IN;
    }

    return at_shop_stock_schema(text);
}


static at_str_t
at_shop_strip(const at_recipe_t *recipe, at_str_t title)
{
    size_t    i;
    at_str_t  s;

    for (i = 0; i < recipe->strip.n; i++) {
        s = recipe->strip.items[i];

        if (title.len > s.len && memcmp(title.data, s.data, s.len) == 0) {
            title.data += s.len;
            title.len -= s.len;
        }

        if (title.len > s.len
            && memcmp(title.data + title.len - s.len, s.data, s.len) == 0)
        {
            title.len -= s.len;
        }
    }

    while (title.len && title.data[0] == ' ') {
        title.data++;
        title.len--;
    }

    while (title.len && title.data[title.len - 1] == ' ') {
        title.len--;
    }

    return title;
}


static void
at_shop_add_money(at_shop_t *shop, at_shop_find_t *f,
    const at_shop_from_t *from)
{
    at_shop_money_hint_t  hint;

    hint.currency = at_shop_currency(from->currency);
    hint.currency = hint.currency ? hint.currency : shop->recipe->currency;
    hint.decimal = shop->recipe->decimal;
    hint.bare = 1;
    hint.machine = from->data;
    hint.minor = from->minor;

    if (at_shop_money(f->raw, &hint, &f->money, &f->why) != AT_OK) {
        return;
    }

    if (f->field == AT_SHOP_PRICE && f->money.mrp) {
        f->why = "a list price";

    } else if (f->money.max >= AT_SHOP_PRICE_MAX) {
        f->why = "10,000,000 or more";
    }

    if (f->why) {
        memset(&f->money, 0, sizeof(f->money));
        return;
    }

    f->value = f->raw;
}


static void
at_shop_add_text(at_shop_t *shop, at_shop_find_t *f)
{
    const at_recipe_t  *recipe = shop->recipe;

    switch (f->field) {

    case AT_SHOP_ID:
        f->value = at_recipe_id(recipe, f->raw, &shop->pool);
        f->why = "not an id of this shop";
        break;

    case AT_SHOP_TITLE:
        f->value = at_shop_strip(recipe, f->raw);
        f->why = "empty";
        break;

    case AT_SHOP_IMAGE:
        f->value = at_recipe_image(recipe, f->raw, shop->url, &shop->pool);
        f->why = "not an image of this shop";
        break;

    case AT_SHOP_URL:
        f->value = at_recipe_link(recipe, f->raw, shop->url, &shop->pool);
        f->why = "leads away from the shop";
        break;

    case AT_SHOP_STOCK:
        f->stock = at_shop_stock(recipe, f->raw);
        f->value = f->stock ? f->raw : AT_STR_NULL;
        f->why = "no word of stock that is known";
        break;

    default:
        f->value = f->raw;
        f->why = "empty";
    }

    if (f->value.len) {
        f->why = NULL;
    }
}


int
at_shop_add(at_shop_t *shop, at_shop_product_t *p, at_shop_field_e field,
    const at_shop_from_t *from, at_str_t raw)
{
    at_shop_find_t  *f;

    if (raw.len == 0) {
        return 0;
    }

    f = at_shop_alloc(&shop->pool, sizeof(at_shop_find_t));
    if (f == NULL) {
        return 0;
    }

    memset(f, 0, sizeof(at_shop_find_t));
    f->field = field;
    f->layer = from->layer;
    f->source = from->source;
    f->raw = at_shop_dom_plain(&shop->pool, raw, AT_SHOP_TITLE_MAX);

    if (field == AT_SHOP_IMAGE || field == AT_SHOP_URL) {
        f->raw = at_shop_dom_plain(&shop->pool, raw, AT_RECIPE_URL_MAX);
    }

    if (f->raw.len == 0) {
        return 0;
    }

    if (field == AT_SHOP_PRICE || field == AT_SHOP_MRP) {
        at_shop_add_money(shop, f, from);

    } else {
        at_shop_add_text(shop, f);
    }

    if (p->last) {
        p->last->next = f;

    } else {
        p->finds = f;
    }

    p->last = f;

    return f->value.len != 0;
}


int
at_shop_has(const at_shop_product_t *p, at_shop_field_e field,
    at_shop_layer_e layer)
{
    const at_shop_find_t  *f;

    for (f = p->finds; f; f = f->next) {
        if (f->field == field && f->value.len
            && (layer == AT_SHOP_LAYERS || f->layer == layer))
        {
            return 1;
        }
    }

    return 0;
}


at_shop_product_t *
at_shop_product(at_shop_t *shop)
{
    at_shop_product_t  *p;

    if (shop->page->n == AT_SHOP_PRODUCTS_MAX) {
        return NULL;
    }

    p = at_shop_alloc(&shop->pool, sizeof(at_shop_product_t));
    if (p == NULL) {
        return NULL;
    }

    memset(p, 0, sizeof(at_shop_product_t));
    memset(p->layer, AT_SHOP_LAYERS, sizeof(p->layer));

    if (shop->last) {
        shop->last->next = p;

    } else {
        shop->page->products = p;
    }

    shop->last = p;
    shop->page->n++;

    return p;
}


at_shop_product_t *
at_shop_product_by_id(at_shop_t *shop, at_str_t id)
{
    at_shop_product_t  *p;

    for (p = shop->page->products; p; p = p->next) {
        if (p->id.len && at_str_eq(p->id, id)) {
            return p;
        }
    }

    return NULL;
}


/* The winner of a field; the others learn why they are not. */

static at_shop_find_t *
at_shop_winner(at_shop_t *shop, at_shop_product_t *p, at_shop_field_e field)
{
    size_t           i;
    at_shop_find_t  *f, *best;

    best = NULL;

    for (i = 0; i < shop->recipe->norder[field] && best == NULL; i++) {

        for (f = p->finds; f; f = f->next) {
            if (f->field == field && f->value.len
                && f->layer == shop->recipe->order[field][i])
            {
                best = f;
                break;
            }
        }
    }

    for (f = p->finds; f; f = f->next) {
        if (f->field == field && f != best && f->why == NULL) {
            f->why = best && f->layer == best->layer
                     ? "another one of its layer is before it"
                     : best ? "another layer is before it"
                            : "its layer is not asked for this field";
        }
    }

    return best;
}


/* 1: more than 1 % apart, or of two currencies. */

static int
at_shop_apart(const at_shop_money_t *a, const at_shop_money_t *b)
{
    if (a->currency[0] && b->currency[0]
        && strcmp(a->currency, b->currency) != 0)
    {
        return 1;
    }

    return a->max < b->min - b->min / 100 || a->min > b->max + b->max / 100;
}


static void
at_shop_price(at_shop_t *shop, at_shop_product_t *p)
{
    at_shop_find_t  *f, *best, *shown;

    best = at_shop_winner(shop, p, AT_SHOP_PRICE);

    if (best == NULL) {
        return;
    }

    shown = NULL;

    for (f = p->finds; f; f = f->next) {

        if (f->field != AT_SHOP_PRICE || f->value.len == 0) {
            continue;
        }

        if (f->layer == AT_SHOP_L_SELECTORS && shown == NULL) {
            shown = f;
        }

        if (f != best && f->layer != best->layer && !p->disagrees
            && at_shop_apart(&f->money, &best->money))
        {
            p->disagrees = 1;
            p->other = f->money.min;
            p->other_layer = (uint8_t) f->layer;
        }
    }

    if (shown && shown != best && shop->recipe->check != AT_SHOP_CHECK_NONE) {
        p->shown = 1;

        if (at_shop_apart(&shown->money, &best->money)) {
            p->other = best->money.min;
            p->other_layer = (uint8_t) best->layer;
            best->why = "not the price that is shown";
            shown->why = NULL;
            best = shown;
        }
    }

    p->shown |= best == shown;
    p->price = best->money.min;
    p->price_max = best->money.max;
    p->layer[AT_SHOP_PRICE] = (uint8_t) best->layer;
    memcpy(p->currency, best->money.currency, sizeof(p->currency));

    if (p->currency[0]) {
        p->layer[AT_SHOP_CURRENCY] = (uint8_t) best->layer;
    }
}


static void
at_shop_list_price(at_shop_t *shop, at_shop_product_t *p)
{
    at_shop_find_t  *f;

    for (f = p->finds; f; f = f->next) {

        if (f->field != AT_SHOP_MRP || f->value.len == 0) {
            continue;
        }

        if (p->price == 0) {
            f->why = "there is no price";
            f->value = AT_STR_NULL;

        } else if (f->money.min <= p->price) {
            f->why = "not above the price";
            f->value = AT_STR_NULL;
        }
    }

    f = at_shop_winner(shop, p, AT_SHOP_MRP);

    if (f) {
        p->mrp = f->money.min;
        p->layer[AT_SHOP_MRP] = (uint8_t) f->layer;
    }
}


void
at_shop_resolve(at_shop_t *shop, at_shop_product_t *p)
{
    size_t           i;
    at_str_t        *text;
    at_shop_find_t  *f;

    const struct {
        at_shop_field_e  field;
        at_str_t        *text;
    } texts[] = {
        { AT_SHOP_ID, &p->id }, { AT_SHOP_TITLE, &p->title },
        { AT_SHOP_IMAGE, &p->image }, { AT_SHOP_URL, &p->url }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        f = at_shop_winner(shop, p, texts[i].field);
        text = texts[i].text;

        if (f) {
            *text = f->value;
            p->layer[texts[i].field] = (uint8_t) f->layer;
        }
    }

    at_shop_price(shop, p);
    at_shop_list_price(shop, p);
    (void) at_shop_winner(shop, p, AT_SHOP_CURRENCY);

    f = at_shop_winner(shop, p, AT_SHOP_STOCK);

    if (f) {
        p->stock = f->stock;
        p->layer[AT_SHOP_STOCK] = (uint8_t) f->layer;
    }

    if (!shop->input->list && shop->asked_id.len && p->id.len
        && !at_str_eq(shop->asked_id, p->id))
    {
        p->stranger = 1;
    }
}
