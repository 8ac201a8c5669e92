/*
 * Selectors of a recipe on a page, and the cards of a list
 * (at_shop_internal.h).
 */

#include <string.h>

#include "at_shop_internal.h"


#define AT_SHOP_PARTS_MAX  20       /* elements that are joined */


typedef struct {
    at_shop_t             *shop;
    const at_shop_rule_t  *rule;
    at_str_t               best;
    at_buf_t               joined;
    int64_t                n;
} at_shop_pick_t;


static int
at_shop_without(const at_shop_rule_t *rule, at_str_t text)
{
    size_t  i;

    for (i = 0; i < rule->without.n; i++) {
        if (at_shop_inside(text, rule->without.items[i])) {
            return 1;
        }
    }

    return 0;
}


/* 1: no other one has to be looked at. */

static int
at_shop_pick(at_shop_pick_t *k, at_str_t text)
{
    if (text.len == 0 || at_shop_without(k->rule, text)) {
        return 0;
    }

    k->n++;

    if (k->rule->nth) {

        if (k->n < k->rule->nth) {
            return 0;
        }

        k->best = text;
        return 1;
    }

    switch (k->rule->pick) {

    case AT_SHOP_PICK_FIRST:
        k->best = text;
        return 1;

    case AT_SHOP_PICK_LAST:
        k->best = text;
        return 0;

    case AT_SHOP_PICK_LONGEST:
        k->best = text.len > k->best.len ? text : k->best;
        return 0;

    default:
        if (k->n > 1) {
            (void) at_buf_append(&k->joined, " ", 1);
        }

        (void) at_buf_append_str(&k->joined, text);
        return k->n == AT_SHOP_PARTS_MAX;
    }
}


static at_str_t
at_shop_rule_xpath(at_shop_t *shop, const at_shop_rule_t *rule,
    uint32_t scope)
{
    at_str_t         raw;
    at_shop_node_t  *n;

    if (shop->xdoc == NULL || shop->xnode != scope) {
        at_shop_xdoc_free(shop->xdoc);
        n = &shop->dom.nodes[scope];
        shop->xnode = scope;
        shop->xdoc = at_shop_xdoc_parse(
                         (at_str_t) { n->stop - n->start,
                                      shop->dom.page.data + n->start });
    }

    if (shop->xdoc == NULL) {
        return AT_STR_NULL;
    }

    raw = at_shop_xpath_text(rule->xpath, shop->xdoc, &shop->pool,
                             rule->nth ? (unsigned) rule->nth - 1 : 0);

    return at_shop_without(rule, raw) ? AT_STR_NULL : raw;
}


/* What a rule finds inside of an element, itself included. */

static at_str_t
at_shop_rule(at_shop_t *shop, const at_shop_rule_t *rule, uint32_t scope)
{
    uint32_t        i, end;
    at_str_t        text;
    at_shop_pick_t  k;

    if (rule->when.len
        && !at_shop_inside(at_shop_dom_text(&shop->dom, scope, &shop->pool,
                                            10000), rule->when))
    {
        return AT_STR_NULL;
    }

    if (rule->xpath) {
        text = at_shop_rule_xpath(shop, rule, scope);
        return text.len && rule->value.len ? rule->value : text;
    }

    memset(&k, 0, sizeof(k));
    k.shop = shop;
    k.rule = rule;
    k.joined.max = 4096;
    end = shop->dom.nodes[scope].end;

    for (i = at_shop_css_next(rule->css, &shop->dom, scope, end);
         i != AT_SHOP_NONE;
         i = at_shop_css_next(rule->css, &shop->dom, i + 1, end))
    {
        text = rule->attr
               ? at_shop_dom_plain(&shop->pool,
                                   at_shop_dom_attr(&shop->dom, i,
                                                    rule->attr),
                                   AT_RECIPE_URL_MAX)
               : at_shop_dom_text(&shop->dom, i, &shop->pool,
                                  AT_SHOP_TITLE_MAX);

        if (at_shop_pick(&k, text)) {
            break;
        }
    }

    text = k.joined.len ? at_shop_copy(&shop->pool, at_buf_str(&k.joined))
                        : k.best;
    at_buf_free(&k.joined);

    return text.len && rule->value.len ? rule->value : text;
}


static void
at_shop_rules(at_shop_t *shop, at_shop_product_t *p,
    at_shop_rule_t *const *fields, uint32_t scope)
{
    size_t                 i;
    at_shop_from_t         from;
    const at_shop_rule_t  *r;

    memset(&from, 0, sizeof(from));
    from.layer = AT_SHOP_L_SELECTORS;

    for (r = fields[AT_SHOP_CURRENCY]; r && from.currency.len == 0;
         r = r->next)
    {
        from.currency = at_shop_rule(shop, r, scope);
    }

    for (i = 0; i < AT_SHOP_FIELDS; i++) {

        for (r = fields[i]; r && i != AT_SHOP_CURRENCY; r = r->next) {
            from.source = r->source;

            if (at_shop_add(shop, p, (at_shop_field_e) i, &from,
                            at_shop_rule(shop, r, scope)))
            {
                break;
            }
        }
    }
}


void
at_shop_selectors(at_shop_t *shop, at_shop_product_t *p)
{
    at_shop_rules(shop, p, shop->recipe->fields, 0);
}


/* The id of a card: its own field, or that of its link. */

static at_str_t
at_shop_card_id(at_shop_t *shop, uint32_t card)
{
    at_str_t               id, link;
    const at_shop_rule_t  *r;

    for (r = shop->recipe->card[AT_SHOP_ID]; r; r = r->next) {
        id = at_recipe_id(shop->recipe, at_shop_rule(shop, r, card),
                          &shop->pool);
        if (id.len) {
            return id;
        }
    }

    for (r = shop->recipe->card[AT_SHOP_URL]; r; r = r->next) {
        link = at_recipe_link(shop->recipe, at_shop_rule(shop, r, card),
                              shop->url, &shop->pool);
        id = at_recipe_url_id(shop->recipe, link, &shop->pool);

        if (id.len) {
            return id;
        }
    }

    return AT_STR_NULL;
}


static void
at_shop_card(at_shop_t *shop, uint32_t card)
{
    at_str_t            id;
    at_shop_from_t      from;
    at_shop_product_t  *p;

    if (shop->recipe->cards_skip
        && at_shop_css_next(shop->recipe->cards_skip, &shop->dom, card,
                            shop->dom.nodes[card].end) != AT_SHOP_NONE)
    {
        return;
    }

    id = at_shop_card_id(shop, card);

    if (id.len == 0) {
        return;
    }

    shop->page->cards++;
    p = at_shop_product_by_id(shop, id);

    if (p == NULL) {
        p = at_shop_product(shop);

        if (p == NULL) {
            return;
        }

        p->id = id;

        memset(&from, 0, sizeof(from));
        from.layer = AT_SHOP_L_SELECTORS;
        from.source = AT_STR("card");
        (void) at_shop_add(shop, p, AT_SHOP_ID, &from, id);

    } else if (at_shop_has(p, AT_SHOP_PRICE, AT_SHOP_LAYERS)) {
        return;
    }

    at_shop_rules(shop, p, shop->recipe->card, card);
}


void
at_shop_cards(at_shop_t *shop)
{
    uint32_t              i, end;
    const at_shop_css_t  *css;

    css = shop->recipe->cards;
    end = shop->dom.n;

    if (css == NULL) {
        return;
    }

    for (i = at_shop_css_next(css, &shop->dom, 1, end);
         i != AT_SHOP_NONE;
         i = at_shop_css_next(css, &shop->dom, i, end))
    {
        at_shop_card(shop, i);
        i = shop->dom.nodes[i].end;
    }
}
