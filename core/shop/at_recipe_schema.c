/*
 * What may stand in a recipe (at_recipe.h), member by member.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "at_recipe_read.h"


#define AT_RECIPE(member)  offsetof(at_recipe_t, member)
#define AT_RECIPE_END      { NULL, NULL, 0, NULL, 0 }


static int at_recipe_name(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_hostname(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_money(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_decimal(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_chars(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_id_text(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_address(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_headers(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_pairs(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_layers(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_order(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_data(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);
static int at_recipe_object(at_recipe_read_t *r, const at_shop_js_t *js,
    void *field, const void *arg);


static const at_recipe_take_pt  at_recipe_each_host = at_recipe_hostname;
static const at_recipe_take_pt  at_recipe_each_id = at_recipe_id_text;

static const at_recipe_range_t  at_recipe_pages = { 0, 100000 };
static const at_recipe_range_t  at_recipe_ids = { 1, 80 };
static const at_recipe_range_t  at_recipe_gap = { 100, 3600000 };
static const at_recipe_range_t  at_recipe_parallel = { 1, 16 };
static const at_recipe_range_t  at_recipe_daily = { 1, 10000000 };

static const char *const  at_recipe_checks[] = {
    "text", "selectors", "none", NULL
};
static const char *const  at_recipe_robots[] = { "obey", "ignore", NULL };
static const char *const  at_recipe_units[] = { "major", "minor", NULL };
static const char *const  at_recipe_escapes[] = { "none", "angular", NULL };
static const char *const  at_recipe_cases[] = { "keep", "upper", NULL };


static const at_recipe_key_t  at_recipe_url_keys[] = {
    { "search", at_recipe_address, AT_RECIPE(search), "{query}", 1 },
    { "category", at_recipe_address, AT_RECIPE(category), "{category}", 0 },
    { "product", at_recipe_address, AT_RECIPE(product), "{id}", 0 },
    { "firstPage", at_recipe_number, AT_RECIPE(first_page),
      &at_recipe_pages, 0 },
    { "pageStep", at_recipe_number, AT_RECIPE(page_step),
      &at_recipe_pages, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_id_keys[] = {
    { "urls", at_recipe_texts, AT_RECIPE(id_urls), &at_recipe_each_id, 1 },
    { "chars", at_recipe_chars, AT_RECIPE(id_chars), NULL, 1 },
    { "min", at_recipe_number, AT_RECIPE(id_min), &at_recipe_ids, 0 },
    { "max", at_recipe_number, AT_RECIPE(id_max), &at_recipe_ids, 0 },
    { "drop", at_recipe_text, AT_RECIPE(id_drop), NULL, 0 },
    { "case", at_recipe_choice, AT_RECIPE(id_upper), at_recipe_cases, 0 },
    { "url", at_recipe_address, AT_RECIPE(id_url), "{id}", 0 },
    { "keep", at_recipe_texts, AT_RECIPE(id_keep), NULL, 0 },
    { "unwrap", at_recipe_texts, AT_RECIPE(id_unwrap), NULL, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_list_keys[] = {
    { "cards", at_recipe_css, AT_RECIPE(cards), NULL, 1 },
    { "skip", at_recipe_css, AT_RECIPE(cards_skip), NULL, 0 },
    { "fields", at_recipe_selectors, AT_RECIPE(card), NULL, 1 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_stock_keys[] = {
    { "in", at_recipe_texts, AT_RECIPE(in_stock), NULL, 0 },
    { "out", at_recipe_texts, AT_RECIPE(out_of_stock), NULL, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_title_keys[] = {
    { "strip", at_recipe_texts, AT_RECIPE(strip), NULL, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_image_keys[] = {
    { "hosts", at_recipe_texts, AT_RECIPE(image_hosts),
      &at_recipe_each_host, 0 },
    { "refuse", at_recipe_texts, AT_RECIPE(image_refuse), NULL, 0 },
    { "replace", at_recipe_pairs, AT_RECIPE(image_replace), NULL, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_mark_keys[] = {
    { "wall", at_recipe_texts, AT_RECIPE(walls), NULL, 0 },
    { "captcha", at_recipe_texts, AT_RECIPE(captchas), NULL, 0 },
    { "missing", at_recipe_texts, AT_RECIPE(missing), NULL, 0 },
    { "client", at_recipe_texts, AT_RECIPE(client), NULL, 0 },
    { "empty", at_recipe_texts, AT_RECIPE(empty), NULL, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_rate_keys[] = {
    { "gapMs", at_recipe_number, AT_RECIPE(gap), &at_recipe_gap, 0 },
    { "parallel", at_recipe_number, AT_RECIPE(parallel),
      &at_recipe_parallel, 0 },
    { "daily", at_recipe_number, AT_RECIPE(daily), &at_recipe_daily, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_data_keys[] = {
    { "start", at_recipe_text, offsetof(at_shop_data_t, start), NULL, 0 },
    { "escape", at_recipe_choice, offsetof(at_shop_data_t, angular),
      at_recipe_escapes, 0 },
    { "unit", at_recipe_choice, offsetof(at_shop_data_t, minor),
      at_recipe_units, 0 },
    { "product", at_recipe_paths, offsetof(at_shop_data_t, product), NULL, 0 },
    { "list", at_recipe_text, offsetof(at_shop_data_t, list), NULL, 0 },
    { "item", at_recipe_paths, offsetof(at_shop_data_t, item), NULL, 0 },
    AT_RECIPE_END
};

static const at_recipe_key_t  at_recipe_keys[] = {
    { "name", at_recipe_name, AT_RECIPE(name), NULL, 1 },
    { "title", at_recipe_text, AT_RECIPE(title), NULL, 0 },
    { "hosts", at_recipe_texts, AT_RECIPE(hosts), &at_recipe_each_host, 1 },
    { "currency", at_recipe_money, AT_RECIPE(currency), NULL, 1 },
    { "decimal", at_recipe_decimal, AT_RECIPE(decimal), NULL, 1 },
    { "urls", at_recipe_object, 0, at_recipe_url_keys, 1 },
    { "categories", at_recipe_pairs, AT_RECIPE(categories), NULL, 0 },
    { "headers", at_recipe_headers, AT_RECIPE(headers), NULL, 0 },
    { "id", at_recipe_object, 0, at_recipe_id_keys, 1 },
    { "layers", at_recipe_layers, 0, NULL, 0 },
    { "order", at_recipe_order, 0, NULL, 0 },
    { "check", at_recipe_choice, AT_RECIPE(check), at_recipe_checks, 0 },
    { "state", at_recipe_data, AT_RECIPE(state), "state", 0 },
    { "api", at_recipe_data, AT_RECIPE(api), "api", 0 },
    { "product", at_recipe_selectors, AT_RECIPE(fields), NULL, 0 },
    { "list", at_recipe_object, 0, at_recipe_list_keys, 0 },
    { "stock", at_recipe_object, 0, at_recipe_stock_keys, 0 },
    { "titles", at_recipe_object, 0, at_recipe_title_keys, 0 },
    { "images", at_recipe_object, 0, at_recipe_image_keys, 0 },
    { "marks", at_recipe_object, 0, at_recipe_mark_keys, 0 },
    { "rates", at_recipe_object, 0, at_recipe_rate_keys, 0 },
    { "robots", at_recipe_choice, AT_RECIPE(robots_ignore),
      at_recipe_robots, 0 },
    AT_RECIPE_END
};


/* Of the recipe itself; the table is arg. */

static int
at_recipe_object(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    (void) field;

    return at_recipe_members(r, js, r->recipe, arg);
}


static int
at_recipe_name(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t     i;
    at_str_t  *name = field;

    (void) arg;

    if (at_recipe_text(r, js, field, NULL) != AT_OK) {
        return AT_ERROR;
    }

    for (i = 0; i < name->len; i++) {
        if (!((name->data[i] >= 'a' && name->data[i] <= 'z')
              || (name->data[i] >= '0' && name->data[i] <= '9')
              || name->data[i] == '-'))
        {
            break;
        }
    }

    if (i < name->len || name->len > 32) {
        return at_recipe_fail(r, js, "not a shop's name; write up to 32 of "
                                     "a-z, 0-9 and -");
    }

    return AT_OK;
}


/* A port may follow. */

static int
at_recipe_hostname(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    char       c;
    size_t     i;
    at_str_t  *host = field;

    (void) arg;

    for (i = 0; i < host->len; i++) {
        c = host->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
              || (c == '.' && i > 0 && host->data[i - 1] != '.')
              || (c == ':' && i > 0)))
        {
            break;
        }
    }

    if (i < host->len || host->len > 253
        || memchr(host->data, '.', host->len) == NULL)
    {
        return at_recipe_fail(r, js, "not a host; write its name alone, in "
                                     "small letters, as in shop.example");
    }

    return AT_OK;
}


static int
at_recipe_money(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t  i;
    char   *code = field;

    (void) arg;

    for (i = 0; js->type == AT_SHOP_JS_STRING && i < js->text.len && i < 3;
         i++)
    {
        if (js->text.data[i] < 'A' || js->text.data[i] > 'Z') {
            break;
        }

        code[i] = js->text.data[i];
    }

    if (i != 3 || js->text.len != 3) {
        return at_recipe_fail(r, js, "not a currency; write its three letters, "
                                     "as in INR");
    }

    return AT_OK;
}


static int
at_recipe_decimal(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    char  *decimal = field;

    (void) arg;

    if (js->type != AT_SHOP_JS_STRING || js->text.len != 1
        || (js->text.data[0] != '.' && js->text.data[0] != ','))
    {
        return at_recipe_fail(r, js, "not a decimal sign; write \".\" or \","
                                     "\", as the shop's prices have it");
    }

    *decimal = js->text.data[0];

    return AT_OK;
}


/* "A-Z0-9": the characters of an id. */

static int
at_recipe_chars(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t     i;
    unsigned   c, to;
    uint8_t   *set = field;
    at_str_t   text;

    (void) arg;

    if (at_recipe_text(r, js, &text, NULL) != AT_OK) {
        return AT_ERROR;
    }

    for (i = 0; i < text.len; i++) {
        c = (uint8_t) text.data[i];
        to = c;

        if (i + 2 < text.len && text.data[i + 1] == '-') {
            to = (uint8_t) text.data[i + 2];
            i += 2;
        }

        for ( /* void */ ; c <= to; c++) {

            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                  || (c >= '0' && c <= '9') || c == '-' || c == '_'
                  || c == '.'))
            {
                return at_recipe_fail(r, js, "characters that no id has; write"
                                             " ranges of letters and digits, "
                                             "as in A-Z0-9");
            }

            set[c] = 1;
        }
    }

    return AT_OK;
}


static int
at_recipe_id_text(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    at_str_t  *text = field;

    (void) arg;

    if (memmem(text->data, text->len, "{id}", 4) == NULL || text->len < 5) {
        return at_recipe_fail(r, js, "does not say where the id stands; write "
                                     "what is around it, as in /dp/{id}");
    }

    return AT_OK;
}


static int
at_recipe_placeholders(at_str_t url)
{
    size_t       i, n;
    const char  *end;

    static const char *const  known[] = {
        "{query}", "{category}", "{page}", "{id}"
    };

    for (i = 0; i < url.len; i++) {

        if (url.data[i] != '{') {
            continue;
        }

        end = url.data + i;

        for (n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
            if (url.len - i >= strlen(known[n])
                && memcmp(end, known[n], strlen(known[n])) == 0)
            {
                break;
            }
        }

        if (n == sizeof(known) / sizeof(known[0])) {
            return 0;
        }
    }

    return 1;
}


/* A template of a URL; arg is what it must hold. */

static int
at_recipe_address(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    char       why[120];
    at_str_t  *url = field;

    if (at_recipe_text(r, js, field, NULL) != AT_OK) {
        return AT_ERROR;
    }

    if (memmem(url->data, url->len, arg, strlen(arg)) == NULL) {
        (void) snprintf(why, sizeof(why), "holds no %s; write it where it "
                        "belongs", (const char *) arg);
        return at_recipe_fail(r, js, why);
    }

    if (!at_recipe_placeholders(*url)) {
        return at_recipe_fail(r, js, "holds something in braces that is not "
                              "known; known are {query}, {category}, {page} "
                              "and {id}");
    }

    return AT_OK;
}


static int
at_recipe_pairs(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t            n, len;
    at_shop_js_t     *item;
    at_shop_pairs_t  *pairs = field;

    (void) arg;

    if (js->type != AT_SHOP_JS_OBJECT || js->child == NULL) {
        return at_recipe_fail(r, js, "not an object of texts; write {\"...\": "
                                     "\"...\"}");
    }

    for (item = js->child, n = 0; item; item = item->next) {
        n++;
    }

    pairs->items = at_shop_alloc(&r->recipe->pool,
                                 n * sizeof(at_shop_pair_t));
    if (pairs->items == NULL || n > AT_RECIPE_LIST_MAX) {
        return at_recipe_fail(r, js, "more than 200 entries; leave some out");
    }

    for (item = js->child; item; item = item->next) {
        len = at_recipe_enter(r, item, 0);

        pairs->items[pairs->n].name =
            at_shop_copy(&r->recipe->pool,
                         at_shop_js_name(&r->recipe->pool, item));

        if (at_recipe_text(r, item, &pairs->items[pairs->n].value, NULL)
            != AT_OK)
        {
            return AT_ERROR;
        }

        if (pairs->items[pairs->n].name.len == 0) {
            return at_recipe_fail(r, item, "has no name; write one");
        }

        pairs->n++;
        at_recipe_leave(r, len);
    }

    return AT_OK;
}


static int
at_recipe_headers(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    char              c;
    size_t            i, k;
    at_str_t          name;
    at_shop_pairs_t  *headers = field;

    static const char *const  refused[] = {
        "Host", "Cookie", "Authorization", "Content-Length", "Connection",
        "Transfer-Encoding", "User-Agent", "Accept-Encoding"
    };

    if (at_recipe_pairs(r, js, field, arg) != AT_OK) {
        return AT_ERROR;
    }

    for (i = 0; i < headers->n; i++) {
        name = headers->items[i].name;

        for (k = 0; k < name.len; k++) {
            c = (char) (name.data[k] | 0x20);

            if (!((c >= 'a' && c <= 'z') || name.data[k] == '-')) {
                return at_recipe_fail(r, NULL, "a name that no header has; "
                                               "write letters and -");
            }
        }

        for (k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
            if (at_str_ieq(name, (at_str_t) { strlen(refused[k]),
                                              refused[k] }))
            {
                return at_recipe_fail(r, NULL, "Host, Cookie, Authorization, "
                    "User-Agent, Accept-Encoding and those of the connection "
                    "are not set by a recipe; take it out");
            }
        }
    }

    return AT_OK;
}


static int
at_recipe_layer_list(at_recipe_read_t *r, const at_shop_js_t *js,
    uint8_t order[AT_SHOP_LAYERS], uint8_t *n)
{
    size_t         i, len;
    int64_t        layer;
    unsigned       k;
    at_shop_js_t  *item;

    static const char *const  names[] = {
        "api", "state", "ld", "microdata", "og", "selectors", "address", NULL
    };

    if (js->type != AT_SHOP_JS_ARRAY || js->child == NULL) {
        return at_recipe_fail(r, js, "not a list of layers; write [\"ld\", "
                                     "...]");
    }

    *n = 0;

    for (item = js->child, k = 0; item; item = item->next, k++) {
        len = at_recipe_enter(r, item, k);

        if (at_recipe_choice(r, item, &layer, names) != AT_OK) {
            return AT_ERROR;
        }

        for (i = 0; i < *n; i++) {
            if (order[i] == layer) {
                return at_recipe_fail(r, item, "stands here twice; take one "
                                               "out");
            }
        }

        order[(*n)++] = (uint8_t) layer;
        at_recipe_leave(r, len);
    }

    return AT_OK;
}


static int
at_recipe_layers(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    (void) field;
    (void) arg;

    return at_recipe_layer_list(r, js, r->recipe->layers,
                                &r->recipe->nlayers);
}


/* For single fields, whatever layers says. */

static int
at_recipe_order(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t         i, len;
    at_shop_js_t  *item;

    (void) field;
    (void) arg;

    if (js->type != AT_SHOP_JS_OBJECT) {
        return at_recipe_fail(r, js, "not an object; write {\"title\": [...]}");
    }

    for (item = js->child; item; item = item->next) {
        len = at_recipe_enter(r, item, 0);

        for (i = 0; i < AT_SHOP_FIELDS; i++) {
            if (at_str_is(item->name, at_shop_field_name(i))) {
                break;
            }
        }

        if (i == AT_SHOP_FIELDS) {
            return at_recipe_fail(r, NULL, "not a field; fields are id, title, "
                                  "price, mrp, currency, stock, image, url");
        }

        if (at_recipe_layer_list(r, item, r->recipe->order[i],
                                 &r->recipe->norder[i]) != AT_OK)
        {
            return AT_ERROR;
        }

        at_recipe_leave(r, len);
    }

    return AT_OK;
}


/* One of them or a list; arg is the member's name. */

static int
at_recipe_data(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t               len;
    unsigned             i;
    at_shop_data_t      *d, **last = field;
    const at_shop_js_t  *item;

    if (js->type == AT_SHOP_JS_ARRAY && js->child == NULL) {
        return at_recipe_fail(r, js, "an empty list; take the member out");
    }

    item = js->type == AT_SHOP_JS_ARRAY ? js->child : js;

    for (i = 0; item; i++) {
        len = item == js ? r->len : at_recipe_enter(r, item, i);
        d = at_shop_alloc(&r->recipe->pool, sizeof(at_shop_data_t));

        if (d == NULL) {
            return at_recipe_fail(r, js, "too much memory; make it smaller");
        }

        memset(d, 0, sizeof(at_shop_data_t));

        if (at_recipe_members(r, item, d, at_recipe_data_keys) != AT_OK) {
            return AT_ERROR;
        }

        if ((d->start.len == 0) == (strcmp(arg, "state") == 0)) {
            return at_recipe_fail(r, item, d->start.len
                ? "an API's answer has no start; take it out"
                : "does not say what stands before the data; add start");
        }

        if ((at_shop_js_member(item, "item") == NULL) != (d->list.len == 0)) {
            return at_recipe_fail(r, item, "list and item go together; add the"
                                           " other one");
        }

        *last = d;
        last = &d->next;
        at_recipe_leave(r, len);
        item = item == js ? NULL : item->next;
    }

    return AT_OK;
}


int
at_recipe_fields(at_recipe_read_t *r, const at_shop_js_t *js)
{
    return at_recipe_members(r, js, r->recipe, at_recipe_keys);
}
