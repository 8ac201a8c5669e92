/*
 * Data of programs: an API's answer, the state in a page
 * (at_shop_internal.h).
 *
 * A recipe says what stands before the state; the value behind it is read and
 * ends where it ends.  What a browser would get by JSON.parse("...") is taken
 * out of its quotes first.
 */

#include <string.h>

#include "at_shop_internal.h"


#define AT_SHOP_STATE_GAP  200      /* bytes between the mark and the value */


/* &q; and the like of Angular's transfer state. */

static at_str_t
at_shop_angular(at_shop_t *shop, at_str_t s)
{
    char    *out;
    size_t   i, n;

    out = at_shop_alloc(&shop->pool, s.len);
    if (out == NULL) {
        return AT_STR_NULL;
    }

    for (i = 0, n = 0; i < s.len; i++) {

        if (s.data[i] == '&' && s.len - i > 2 && s.data[i + 2] == ';'
            && strchr("qsagl", s.data[i + 1]) && s.data[i + 1])
        {
            out[n++] = s.data[i + 1] == 'q' ? '"'
                       : s.data[i + 1] == 's' ? '\''
                       : s.data[i + 1] == 'a' ? '&'
                       : s.data[i + 1] == 'g' ? '>' : '<';
            i += 2;
            continue;
        }

        out[n++] = s.data[i];
    }

    return (at_str_t) { n, out };
}


/* Behind the mark: the value, which begins within a few bytes. */

static at_shop_js_t *
at_shop_state_value(at_shop_t *shop, at_str_t s, int angular)
{
    int            quoted;
    size_t         i, end;
    const char    *why;
    at_shop_js_t  *js;

    for (i = 0, quoted = 0; i < s.len && i < AT_SHOP_STATE_GAP; i++) {

        if (s.data[i] == '{' || s.data[i] == '[') {
            break;
        }

        if (s.len - i > 12 && memcmp(s.data + i, "JSON.parse(", 11) == 0) {
            i += 11;
            quoted = 1;
            break;
        }
    }

    if (i == s.len || i == AT_SHOP_STATE_GAP) {
        return NULL;
    }

    s.data += i;
    s.len -= i;

    if (angular) {

        /* its text ends with its script */

        why = memmem(s.data, s.len, "</script", 8);
        s = at_shop_angular(shop, (at_str_t) { why ? (size_t) (why - s.data)
                                                   : s.len, s.data });
    }

    js = at_shop_js_parse(&shop->pool, s, 0, &end, &why);

    if (js && quoted) {
        s = at_shop_js_text(&shop->pool, js);
        js = at_shop_js_parse(&shop->pool, s, 0, &end, &why);
    }

    return js;
}


static at_shop_js_t *
at_shop_state_find(at_shop_t *shop, const at_shop_data_t *d)
{
    at_str_t       rest;
    unsigned       n;
    const char    *p;
    at_shop_js_t  *js;

    rest = shop->body;
    js = NULL;

    /* the mark may stand elsewhere, too: in another script's code */

    for (n = 0; js == NULL && n < 4 && rest.len; n++) {
        p = memmem(rest.data, rest.len, d->start.data, d->start.len);

        if (p == NULL) {
            return NULL;
        }

        p += d->start.len;
        rest.len -= (size_t) (p - rest.data);
        rest.data = p;

        js = at_shop_state_value(shop, rest, d->angular != 0);

        if (js && js->child == NULL) {
            js = NULL;
        }
    }

    return js;
}


/* Images and the like may be a list: the first of it is meant. */

static at_str_t
at_shop_data_text(at_shop_t *shop, at_shop_js_t *js, at_str_t path)
{
    js = at_shop_js_path(js, path);

    while (js && js->type == AT_SHOP_JS_ARRAY) {
        js = js->child;
    }

    return at_shop_js_text(&shop->pool, js);
}


static void
at_shop_data_fields(at_shop_t *shop, at_shop_product_t *p, at_shop_js_t *js,
    const at_shop_data_t *d, at_shop_rule_t *const *fields)
{
    size_t                 i;
    at_shop_from_t         from;
    const at_shop_rule_t  *r;

    from.layer = d->start.len ? AT_SHOP_L_STATE : AT_SHOP_L_API;
    from.minor = d->minor != 0;
    from.data = 1;
    from.currency = AT_STR_NULL;

    for (r = fields[AT_SHOP_CURRENCY]; r && from.currency.len == 0;
         r = r->next)
    {
        from.currency = at_shop_data_text(shop, js, r->source);
    }

    for (i = 0; i < AT_SHOP_FIELDS; i++) {

        for (r = fields[i]; r; r = r->next) {
            from.source = r->source;

            if (at_shop_add(shop, p, (at_shop_field_e) i, &from,
                            at_shop_data_text(shop, js, r->source)))
            {
                break;
            }
        }
    }
}


static at_str_t
at_shop_data_id(at_shop_t *shop, at_shop_js_t *js, at_shop_rule_t *const *f)
{
    at_str_t               id;
    const at_shop_rule_t  *r;

    for (r = f[AT_SHOP_ID]; r; r = r->next) {
        id = at_recipe_id(shop->recipe, at_shop_data_text(shop, js, r->source),
                          &shop->pool);
        if (id.len) {
            return id;
        }
    }

    for (r = f[AT_SHOP_URL]; r; r = r->next) {
        id = at_recipe_url_id(shop->recipe,
                              at_shop_data_text(shop, js, r->source),
                              &shop->pool);
        if (id.len) {
            return id;
        }
    }

    return AT_STR_NULL;
}


static void
at_shop_data_list(at_shop_t *shop, at_shop_js_t *js, const at_shop_data_t *d,
    int only)
{
    at_str_t            id;
    at_shop_js_t       *item;
    at_shop_layer_e     layer;
    at_shop_product_t  *p;

    js = at_shop_js_path(js, d->list);
    layer = d->start.len ? AT_SHOP_L_STATE : AT_SHOP_L_API;

    for (item = js ? js->child : NULL; item; item = item->next) {
        id = at_shop_data_id(shop, item, d->item);

        if (id.len == 0) {
            continue;
        }

        if (only) {
            shop->page->cards++;
        }

        p = at_shop_product_by_id(shop, id);

        if (p == NULL) {
            p = only ? at_shop_product(shop) : NULL;

            if (p == NULL) {
                continue;
            }

            p->id = id;

        } else if (at_shop_has(p, AT_SHOP_PRICE, layer)) {
            continue;
        }

        at_shop_data_fields(shop, p, item, d, d->item);
    }
}


void
at_shop_state_product(at_shop_t *shop, at_shop_product_t *p)
{
    at_shop_js_t    *js;
    at_shop_data_t  *d;

    for (d = shop->recipe->state; d; d = d->next) {
        js = at_shop_state_find(shop, d);

        if (js) {
            at_shop_data_fields(shop, p, js, d, d->product);
        }
    }
}


void
at_shop_state_list(at_shop_t *shop)
{
    int              only;
    at_shop_js_t    *js;
    at_shop_data_t  *d;

    only = shop->page->n == 0;

    for (d = shop->recipe->state; d; d = d->next) {
        js = d->list.len ? at_shop_state_find(shop, d) : NULL;

        if (js) {
            at_shop_data_list(shop, js, d, only);
        }
    }
}


void
at_shop_api(at_shop_t *shop, at_shop_product_t *p)
{
    size_t           end;
    const char      *why;
    at_shop_js_t    *js;
    at_shop_data_t  *d;

    js = at_shop_js_parse(&shop->pool, shop->body, 1, &end, &why);

    if (js == NULL) {
        shop->page->state = end >= shop->body.len ? AT_SHOP_TRUNCATED
                                                  : AT_SHOP_UNKNOWN;
        shop->page->why = why;
        return;
    }

    for (d = shop->recipe->api; d; d = d->next) {

        if (p) {
            at_shop_data_fields(shop, p, js, d, d->product);

        } else {
            at_shop_data_list(shop, js, d, 1);
        }
    }
}
