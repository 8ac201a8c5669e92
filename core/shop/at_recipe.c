/*
 * Recipes (at_recipe.h): a table of members for every object of the file.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at_recipe_read.h"
#include "at_text.h"


#define AT_RECIPE_SHOWN  80     /* bytes of a value in an error */


static const char *const  at_shop_field_names[] = {
    "id", "title", "price", "mrp", "currency", "stock", "image", "url"
};

static const char *const  at_shop_layer_names[] = {
    "api", "state", "ld", "microdata", "og", "selectors", "address", NULL
};


const char *
at_shop_field_name(at_shop_field_e field)
{
    return at_shop_field_names[field];
}


const char *
at_shop_layer_name(at_shop_layer_e layer)
{
    return at_shop_layer_names[layer];
}


/* The value in an error: as written, on one line, cut. */

static void
at_recipe_shown(const at_shop_js_t *js, char out[AT_RECIPE_SHOWN + 8])
{
    size_t    i, n;
    at_str_t  text;

    static const char *const  types[] = {
        "null", "", "", "", "an object", "a list"
    };

    if (js->type == AT_SHOP_JS_NULL || js->type > AT_SHOP_JS_STRING) {
        (void) snprintf(out, AT_RECIPE_SHOWN + 8, "%s", types[js->type]);
        return;
    }

    text = js->text;
    n = 0;

    if (js->type == AT_SHOP_JS_STRING) {
        out[n++] = '"';
    }

    for (i = 0; i < text.len && i < AT_RECIPE_SHOWN; i++) {
        out[n++] = (uint8_t) text.data[i] < ' ' ? ' ' : text.data[i];
    }

    /* not in the middle of a character */

    while (i < text.len && n > 0 && ((uint8_t) text.data[i] & 0xC0) == 0x80) {
        n--;
        i--;
    }

    if (i < text.len) {
        memcpy(out + n, "...", 3);
        n += 3;
    }

    if (js->type == AT_SHOP_JS_STRING) {
        out[n++] = '"';
    }

    out[n] = '\0';
}


int
at_recipe_fail(at_recipe_read_t *r, const at_shop_js_t *js, const char *why)
{
    char  shown[AT_RECIPE_SHOWN + 8];

    shown[0] = '\0';

    if (js) {
        at_recipe_shown(js, shown);
    }

    (void) snprintf(r->error, AT_RECIPE_ERROR_MAX, "%s: $%s%s%s: %s", r->file,
                    r->path, shown[0] ? ": " : "", shown, why);

    return AT_ERROR;
}


size_t
at_recipe_enter(at_recipe_read_t *r, const at_shop_js_t *js, unsigned index)
{
    int     n;
    size_t  len, room;

    len = r->len;
    room = sizeof(r->path) - len;

    n = js->name.len
        ? snprintf(r->path + len, room, ".%.*s",
                   js->name.len > 40 ? 40 : (int) js->name.len, js->name.data)
        : snprintf(r->path + len, room, "[%u]", index);

    if (n > 0 && (size_t) n < room) {
        r->len += (size_t) n;
    }

    return len;
}


void
at_recipe_leave(at_recipe_read_t *r, size_t len)
{
    r->len = len;
    r->path[len] = '\0';
}


int
at_recipe_text(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    size_t     i;
    at_str_t  *text = field;

    (void) arg;

    if (js->type != AT_SHOP_JS_STRING) {
        return at_recipe_fail(r, js, "not a text; put it in quotes");
    }

    *text = at_shop_copy(&r->recipe->pool,
                         at_shop_js_text(&r->recipe->pool, js));

    if (text->len == 0 || text->len > AT_RECIPE_URL_MAX
        || !at_utf8_valid(*text))
    {
        return at_recipe_fail(r, js, "empty, longer than 2048 bytes, or not "
                                     "UTF-8; write a text or take it out");
    }

    for (i = 0; i < text->len; i++) {
        if ((uint8_t) text->data[i] < ' ' || text->data[i] == 0x7f) {
            return at_recipe_fail(r, js, "holds a control character; take it "
                                         "out");
        }
    }

    return AT_OK;
}


int
at_recipe_texts(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    int              rc;
    size_t           len, n;
    unsigned         i;
    at_shop_js_t    *item;
    at_shop_list_t  *list = field;

    if (js->type != AT_SHOP_JS_ARRAY) {
        return at_recipe_fail(r, js, "not a list; write [\"...\"]");
    }

    for (item = js->child, n = 0; item; item = item->next) {
        n++;
    }

    if (n == 0 || n > AT_RECIPE_LIST_MAX) {
        return at_recipe_fail(r, js, n ? "more than 200 entries; leave some "
                                         "out"
                                       : "an empty list; take the member out");
    }

    list->items = at_shop_alloc(&r->recipe->pool, n * sizeof(at_str_t));
    if (list->items == NULL) {
        return at_recipe_fail(r, js, "too much memory; make it smaller");
    }

    for (item = js->child, i = 0; item; item = item->next, i++) {
        len = at_recipe_enter(r, item, i);
        rc = at_recipe_text(r, item, &list->items[i], NULL);

        if (rc == AT_OK && arg) {
            rc = (*(const at_recipe_take_pt *) arg)(r, item, &list->items[i],
                                                    NULL);
        }

        if (rc != AT_OK) {
            return rc;
        }

        at_recipe_leave(r, len);
        list->n++;
    }

    return AT_OK;
}


int
at_recipe_number(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    char                      why[80];
    size_t                    i;
    int64_t                  *number = field;
    const at_recipe_range_t  *range = arg;

    *number = 0;

    for (i = 0; js->type == AT_SHOP_JS_NUMBER && i < js->text.len; i++) {

        if (js->text.data[i] < '0' || js->text.data[i] > '9' || i > 9) {
            break;
        }

        *number = *number * 10 + (js->text.data[i] - '0');
    }

    if (js->type != AT_SHOP_JS_NUMBER || i < js->text.len
        || *number < range->min || *number > range->max)
    {
        (void) snprintf(why, sizeof(why), "not a number of %lld to %lld; "
                        "write one", (long long) range->min,
                        (long long) range->max);
        return at_recipe_fail(r, js, why);
    }

    return AT_OK;
}


/* arg: names, of which the place in the list is taken. */

int
at_recipe_choice(at_recipe_read_t *r, const at_shop_js_t *js, void *field,
    const void *arg)
{
    char                why[200];
    size_t              n;
    int64_t             i, *choice = field;
    const char *const  *names = arg;

    for (i = 0; names[i]; i++) {
        if (js->type == AT_SHOP_JS_STRING && at_str_is(js->text, names[i])) {
            *choice = i;
            return AT_OK;
        }
    }

    n = (size_t) snprintf(why, sizeof(why), "not known; write one of");

    for (i = 0; names[i] && n < sizeof(why); i++) {
        n += (size_t) snprintf(why + n, sizeof(why) - n, "%s \"%s\"",
                               i ? "," : "", names[i]);
    }

    return at_recipe_fail(r, js, why);
}


int
at_recipe_members(at_recipe_read_t *r, const at_shop_js_t *js, void *base,
    const at_recipe_key_t *keys)
{
    size_t                  len;
    at_shop_js_t           *item, *other;
    const at_recipe_key_t  *k;

    if (js->type != AT_SHOP_JS_OBJECT) {
        return at_recipe_fail(r, js, "not an object; write {...}");
    }

    for (item = js->child; item; item = item->next) {
        len = at_recipe_enter(r, item, 0);

        for (k = keys; k->name && !at_str_is(item->name, k->name); k++) {
            /* void */
        }

        if (k->name == NULL) {
            return at_recipe_fail(r, NULL, "not known here; take it out, or "
                                  "mend its name");
        }

        for (other = js->child; other != item; other = other->next) {
            if (at_str_eq(other->name, item->name)) {
                return at_recipe_fail(r, NULL, "stands here twice; take one "
                                               "out");
            }
        }

        if (k->take(r, item, (char *) base + k->offset, k->arg) != AT_OK) {
            return AT_ERROR;
        }

        at_recipe_leave(r, len);
    }

    for (k = keys; k->name; k++) {
        if (k->needed && at_shop_js_member(js, k->name) == NULL) {
            (void) snprintf(r->path + r->len, sizeof(r->path) - r->len, ".%s",
                            k->name);
            return at_recipe_fail(r, NULL, "missing; add it");
        }
    }

    return AT_OK;
}


/* The page's own URL always counts, after all that is named. */

static void
at_recipe_address_last(at_recipe_t *recipe, at_shop_field_e field)
{
    uint8_t  *order = recipe->order[field], n = recipe->norder[field];

    if (memchr(order, AT_SHOP_L_ADDRESS, n) == NULL) {
        order[n] = AT_SHOP_L_ADDRESS;
        recipe->norder[field]++;
    }
}


/* What no single member tells. */

static int
at_recipe_whole(at_recipe_read_t *r)
{
    size_t        i;
    at_recipe_t  *recipe = r->recipe;

    const struct {
        const char  *path;
        at_str_t     url;
    } urls[] = {
        { ".urls.search", recipe->search },
        { ".urls.category", recipe->category },
        { ".urls.product", recipe->product },
        { ".id.url", recipe->id_url }
    };

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {

        if (urls[i].url.len && !at_recipe_host(recipe, urls[i].url)) {
            (void) snprintf(r->path, sizeof(r->path), "%s", urls[i].path);
            return at_recipe_fail(r, NULL, "not a URL of one of the hosts; "
                                  "write https:// and a host that hosts has");
        }
    }

    if (recipe->categories.n && recipe->category.len == 0) {
        (void) snprintf(r->path, sizeof(r->path), ".categories");
        return at_recipe_fail(r, NULL, "there is no urls.category to put them "
                              "in; write it, or leave these out");
    }

    if (recipe->id_min > recipe->id_max) {
        (void) snprintf(r->path, sizeof(r->path), ".id.min");
        return at_recipe_fail(r, NULL, "more than max; exchange them");
    }

    for (i = 0; i < AT_SHOP_FIELDS; i++) {

        if (recipe->norder[i] == 0) {
            memcpy(recipe->order[i], recipe->layers, AT_SHOP_LAYERS);
            recipe->norder[i] = recipe->nlayers;
        }
    }

    at_recipe_address_last(recipe, AT_SHOP_ID);
    at_recipe_address_last(recipe, AT_SHOP_URL);

    return AT_OK;
}


static int
at_recipe_syntax(at_recipe_read_t *r, at_str_t text, size_t at,
    const char *why)
{
    size_t    i;
    unsigned  line;

    line = 1;

    for (i = 0; i < at && i < text.len; i++) {
        line += text.data[i] == '\n';
    }

    (void) snprintf(r->error, AT_RECIPE_ERROR_MAX, "%s:%u: not JSON: %s; mend "
                    "it", r->file, line, why);

    return AT_ERROR;
}


static int
at_recipe_read(at_recipe_read_t *r, at_str_t text)
{
    int              rc;
    size_t           end;
    const char      *why;
    at_shop_js_t    *js;
    at_shop_pool_t   pool = { .max = 16 * AT_RECIPE_FILE_MAX };

    js = at_shop_js_parse(&pool, text, 1, &end, &why);

    while (js && end < text.len && (uint8_t) text.data[end] <= ' ') {
        end++;
    }

    if (js == NULL || end < text.len) {
        rc = at_recipe_syntax(r, text, end, js ? "text behind the end" : why);

    } else {
        rc = at_recipe_fields(r, js);

        if (rc == AT_OK) {
            rc = at_recipe_whole(r);
        }
    }

    at_shop_pool_free(&pool);

    return rc;
}


at_recipe_t *
at_recipe_parse(const char *file, at_str_t text,
    char error[AT_RECIPE_ERROR_MAX])
{
    size_t            i;
    at_recipe_t      *recipe;
    at_recipe_read_t  r;

    memset(&r, 0, sizeof(r));
    r.file = file;
    r.error = error;

    if (text.len > AT_RECIPE_FILE_MAX) {
        (void) at_recipe_fail(&r, NULL, "more than 256 kB; make it smaller");
        return NULL;
    }

    recipe = calloc(1, sizeof(at_recipe_t));

    if (recipe) {
        recipe->xpaths = calloc(AT_RECIPE_LIST_MAX, sizeof(at_shop_xpath_t *));
    }

    if (recipe == NULL || recipe->xpaths == NULL) {
        at_recipe_free(recipe);
        (void) at_recipe_fail(&r, NULL, "no memory");
        return NULL;
    }

    recipe->pool.max = 4 * AT_RECIPE_FILE_MAX;
    recipe->first_page = 1;
    recipe->page_step = 1;
    recipe->id_min = 1;
    recipe->id_max = 80;
    recipe->gap = 2000;
    recipe->parallel = 1;
    recipe->daily = 5000;

    for (i = 0; i < AT_SHOP_LAYERS; i++) {
        recipe->layers[i] = (uint8_t) i;
    }

    recipe->nlayers = AT_SHOP_LAYERS;
    r.recipe = recipe;

    if (at_recipe_read(&r, text) != AT_OK) {
        at_recipe_free(recipe);
        return NULL;
    }

    return recipe;
}


void
at_recipe_free(at_recipe_t *recipe)
{
    size_t  i;

    if (recipe) {

        for (i = 0; i < recipe->nxpaths; i++) {
            at_shop_xpath_free(recipe->xpaths[i]);
        }

        free(recipe->xpaths);
        at_shop_pool_free(&recipe->pool);
        free(recipe);
    }
}
