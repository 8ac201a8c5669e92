/*
 * The rules of a recipe: from "h2@aria-label" or {"css": ..., "nth": 2} to
 * what at_shop_select.c evaluates (at_recipe_read.h).
 */

#include <string.h>

#include "at_recipe_read.h"


/* The members of a rule that is an object. */
typedef struct {
    at_shop_rule_t  rule;
    at_str_t        css;
    at_str_t        xpath;
    at_str_t        attr;
    int64_t         pick;
} at_recipe_rule_t;


static int at_recipe_rule(at_recipe_read_t *r, const at_shop_js_t *js,
    at_shop_rule_t ***last, int path);


static const char *const  at_recipe_picks[] = {
    "first", "last", "longest", "join", NULL
};

static const at_recipe_range_t  at_recipe_nth = { 1, 100 };

static const at_recipe_key_t  at_recipe_rule_keys[] = {
    { "css", at_recipe_text, offsetof(at_recipe_rule_t, css), NULL, 0 },
    { "xpath", at_recipe_text, offsetof(at_recipe_rule_t, xpath), NULL, 0 },
    { "attr", at_recipe_text, offsetof(at_recipe_rule_t, attr), NULL, 0 },
    { "pick", at_recipe_choice, offsetof(at_recipe_rule_t, pick),
      at_recipe_picks, 0 },
    { "nth", at_recipe_number, offsetof(at_recipe_rule_t, rule.nth),
      &at_recipe_nth, 0 },
    { "if", at_recipe_text, offsetof(at_recipe_rule_t, rule.when), NULL, 0 },
    { "value", at_recipe_text, offsetof(at_recipe_rule_t, rule.value),
      NULL, 0 },
    { "not", at_recipe_texts, offsetof(at_recipe_rule_t, rule.without),
      NULL, 0 },
    { NULL, NULL, 0, NULL, 0 }
};


int
at_recipe_css(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    at_str_t         text;
    const char      *why;
    at_shop_css_t  **css = field;

    (void) arg;

    if (at_recipe_text(r, js, &text, NULL) != AT_OK) {
        return AT_ERROR;
    }

    *css = at_shop_css_compile(&r->recipe->pool, text, &why);

    return *css ? AT_OK : at_recipe_fail(r, js, why);
}


static int
at_recipe_xpath(at_recipe_read_t *r, const at_shop_js_t *js, at_str_t text,
    at_shop_rule_t *rule)
{
    const char  *why;

    if (r->recipe->nxpaths == AT_RECIPE_LIST_MAX) {
        return at_recipe_fail(r, js, "more than 200 XPath expressions; write "
                                     "CSS selectors, which are faster, too");
    }

    rule->xpath = at_shop_xpath_compile(text, &why);

    if (rule->xpath == NULL) {
        return at_recipe_fail(r, js, why);
    }

    r->recipe->xpaths[r->recipe->nxpaths++] = rule->xpath;

    return AT_OK;
}


/* "selector@attribute", "xpath:expression". */

static int
at_recipe_where(at_recipe_read_t *r, const at_shop_js_t *js, at_str_t text,
    at_shop_rule_t *rule)
{
    size_t       i;
    const char  *why;

    if (text.len > 6 && memcmp(text.data, "xpath:", 6) == 0) {
        return at_recipe_xpath(r, js, (at_str_t) { text.len - 6,
                                                   text.data + 6 }, rule);
    }

    for (i = text.len; i > 0 && text.data[i - 1] != '@'; i--) {

        if (strchr("]) \"'>", text.data[i - 1])) {
            i = 0;
            break;
        }
    }

    if (i > 0 && text.len > i) {
        rule->attr = at_shop_dom_hash((at_str_t) { text.len - i,
                                                   text.data + i });
        text.len = i - 1;
    }

    rule->css = at_shop_css_compile(&r->recipe->pool, text, &why);

    return rule->css ? AT_OK : at_recipe_fail(r, js, why);
}


/* An object: {"css": ..., "pick": "last"} and so on. */

static int
at_recipe_rule_object(at_recipe_read_t *r, const at_shop_js_t *js,
    at_shop_rule_t *rule)
{
    at_recipe_rule_t  full;

    memset(&full, 0, sizeof(full));

    if (at_recipe_members(r, js, &full, at_recipe_rule_keys) != AT_OK) {
        return AT_ERROR;
    }

    if ((full.css.len == 0) == (full.xpath.len == 0)) {
        return at_recipe_fail(r, js, "a rule has either css or xpath; write "
                                     "one of them");
    }

    if (full.pick && full.rule.nth) {
        return at_recipe_fail(r, js, "pick and nth exclude each other; take "
                                     "one of them out");
    }

    *rule = full.rule;
    rule->pick = (at_shop_pick_e) full.pick;
    rule->source = full.css.len ? full.css : full.xpath;

    if (full.xpath.len) {
        return at_recipe_xpath(r, js, full.xpath, rule);
    }

    if (at_recipe_where(r, js, full.css, rule) != AT_OK) {
        return AT_ERROR;
    }

    if (full.attr.len) {
        rule->attr = at_shop_dom_hash(full.attr);
    }

    return AT_OK;
}


static int
at_recipe_rule_list(at_recipe_read_t *r, const at_shop_js_t *js,
    at_shop_rule_t ***last, int path)
{
    int            rc;
    size_t         len;
    unsigned       i;
    at_shop_js_t  *item;

    for (item = js->child, i = 0; item; item = item->next, i++) {

        if (item->type == AT_SHOP_JS_ARRAY) {
            return at_recipe_fail(r, item, "a list in a list; write one list");
        }

        len = at_recipe_enter(r, item, i);
        rc = at_recipe_rule(r, item, last, path);
        at_recipe_leave(r, len);

        if (rc != AT_OK) {
            return rc;
        }
    }

    return i ? AT_OK : at_recipe_fail(r, js, "an empty list; take the member "
                                             "out");
}


static int
at_recipe_rule(at_recipe_read_t *r, const at_shop_js_t *js,
    at_shop_rule_t ***last, int path)
{
    int              rc;
    at_shop_rule_t  *rule;

    if (js->type == AT_SHOP_JS_ARRAY) {
        return at_recipe_rule_list(r, js, last, path);
    }

    rule = at_shop_alloc(&r->recipe->pool, sizeof(at_shop_rule_t));
    if (rule == NULL) {
        return at_recipe_fail(r, js, "too much memory; make it smaller");
    }

    memset(rule, 0, sizeof(at_shop_rule_t));

    if (js->type == AT_SHOP_JS_OBJECT && !path) {
        rc = at_recipe_rule_object(r, js, rule);

    } else {
        rc = at_recipe_text(r, js, &rule->source, NULL);

        if (rc == AT_OK && !path) {
            rc = at_recipe_where(r, js, rule->source, rule);
        }
    }

    **last = rule;
    *last = &rule->next;

    return rc;
}


static int
at_recipe_rules(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    int path)
{
    int               rc;
    size_t            i, len;
    at_shop_js_t     *item;
    at_shop_rule_t  **rules = field, **last;

    if (js->type != AT_SHOP_JS_OBJECT) {
        return at_recipe_fail(r, js, "not an object of fields; write {\"price"
                                     "\": ...}");
    }

    for (item = js->child; item; item = item->next) {
        len = at_recipe_enter(r, item, 0);

        for (i = 0; i < AT_SHOP_FIELDS; i++) {
            if (at_str_is(item->name, at_shop_field_name(i))) {
                break;
            }
        }

        if (i == AT_SHOP_FIELDS) {
            return at_recipe_fail(r, item, "not a field; fields are id, title,"
                                  " price, mrp, currency, stock, image, url");
        }

        if (rules[i]) {
            return at_recipe_fail(r, item, "stands here twice; write one list");
        }

        last = &rules[i];
        rc = at_recipe_rule(r, item, &last, path);
        at_recipe_leave(r, len);

        if (rc != AT_OK) {
            return rc;
        }
    }

    return AT_OK;
}


int
at_recipe_selectors(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    (void) arg;

    return at_recipe_rules(r, js, field, 0);
}


int
at_recipe_paths(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    (void) arg;

    return at_recipe_rules(r, js, field, 1);
}
