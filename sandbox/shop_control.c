/*
 * What control says and asks of a shop beside its settings.
 *
 *     GET     /_control/{shop}/products[?category=sofas]
 *     GET     /_control/{shop}/products/{id}[?wait=served>=1&timeoutMs=3000]
 *     PUT     /_control/{shop}/products/{id}   {"price","mrp","stock","page"}
 *     DELETE  /_control/{shop}/products/{id}   back to the schedule
 *     GET     /_control/{shop}/requests[?since=N&path=/p]
 */

#include <stdlib.h>
#include <string.h>

#include "shop.h"


#define SB_AWAIT_MS      3000
#define SB_AWAIT_MS_MAX  60000


static void
sb_control_good(sb_call_t *c, unsigned status, const sb_shop_t *shop,
    unsigned index)
{
    yajl_gen  g;

    g = sb_gen_new();
    sb_stand_print(shop->shop, index, g);
    sb_answer_json(c, status, g);
    sb_buf_add(&c->answer.body, "\n", 1);
}


static void
sb_control_goods(sb_call_t *c, const sb_shop_t *shop)
{
    unsigned          i;
    yajl_gen          g;
    const char       *category;
    const sb_kind_t  *kind;

    category = sb_arg(c, "category");
    kind = category ? sb_kind_find(category) : NULL;

    if (category && kind == NULL) {
        sb_control_error(c, 400, "category", "there is no such category");
        return;
    }

    g = sb_gen_new();
    yajl_gen_map_open(g);
    sb_gen_text(g, "products");
    yajl_gen_array_open(g);

    for (i = 0; i < SB_GOODS; i++) {
        if (kind == NULL || kind == sb_kind(sb_good(shop->shop, i)->kind)) {
            sb_stand_print(shop->shop, i, g);
        }
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
    sb_answer_json(c, 200, g);
}


static void
sb_control_good_get(sb_call_t *c, const sb_shop_t *shop, unsigned index)
{
    int             rc;
    const char     *wait, *why;
    unsigned long   ms;

    wait = sb_arg(c, "wait");

    if (wait == NULL) {
        sb_control_good(c, 200, shop, index);
        return;
    }

    if (sb_arg_number(c, "timeoutMs", SB_AWAIT_MS, &ms) != SB_OK
        || ms > SB_AWAIT_MS_MAX)
    {
        sb_control_error(c, 400, "timeoutMs",
                         "must be milliseconds from 0 to 60000");
        return;
    }

    rc = sb_stand_await(shop->shop, index, wait, (int64_t) ms, &why);

    if (rc == SB_ERROR) {
        sb_control_error(c, 400, "wait", why);
        return;
    }

    sb_control_good(c, rc ? 200 : 408, shop, index);
}


static void
sb_control_good_put(sb_call_t *c, const sb_shop_t *shop, unsigned index)
{
    char         name[200];
    yajl_val     v;
    const char  *member, *why;

    v = sb_json_parse(&c->body, &why);
    if (v == NULL) {
        sb_control_error(c, 400, NULL, why);
        return;
    }

    if (!YAJL_IS_OBJECT(v)) {
        sb_control_error(c, 400, NULL, "a product is said by an object");

    } else if (sb_stand_tell(shop->shop, index, v, &member, &why) != SB_OK) {
        sb_printable(name, sizeof(name), member);
        sb_control_error(c, 400, name, why);

    } else {
        sb_control_good(c, 200, shop, index);
    }

    yajl_tree_free(v);
}


static void
sb_control_product(sb_call_t *c, const sb_shop_t *shop, const char *id)
{
    int          i;
    const char  *member, *why;

    i = sb_good_find(shop->shop, id, strlen(id));

    if (i < 0) {
        sb_control_error(c, 404, NULL, "the shop has no product of this id");

    } else if (strcmp(c->method, "GET") == 0) {
        sb_control_good_get(c, shop, (unsigned) i);

    } else if (strcmp(c->method, "PUT") == 0) {
        sb_control_good_put(c, shop, (unsigned) i);

    } else if (strcmp(c->method, "DELETE") == 0) {
        (void) sb_stand_tell(shop->shop, (unsigned) i, NULL, &member, &why);
        sb_control_good(c, 200, shop, (unsigned) i);

    } else {
        sb_control_error(c, 405, NULL, "GET, PUT or DELETE only");
        sb_answer_header(c, "Allow", "GET, PUT, DELETE");
    }
}


/* 1: the call was about a shop's products or requests. */

int
sb_control_shop(sb_call_t *c)
{
    size_t            len;
    const char       *name, *rest;
    const sb_shop_t  *shop;

    name = c->rest + (c->rest[0] == '/');
    len = strcspn(name, "/");
    rest = name + len;
    shop = sb_shop_find(name, len);

    if (shop == NULL || *rest == '\0') {
        return 0;
    }

    if (strncmp(rest, "/products/", 10) == 0) {
        sb_control_product(c, shop, rest + 10);
        return 1;
    }

    if (strcmp(c->method, "GET") != 0) {
        sb_control_error(c, 405, NULL, "GET only");
        sb_answer_header(c, "Allow", "GET");

    } else if (strcmp(rest, "/products") == 0) {
        sb_control_goods(c, shop);

    } else if (strcmp(rest, "/requests") == 0) {
        sb_answer_begin(c, 200, "application/json");
        sb_shop_asked_print(shop->shop, sb_arg(c, "since"),
                            sb_arg(c, "path"), &c->answer.body);

    } else {
        sb_control_error(c, 404, NULL, "a shop has products, products/{id} "
                         "and requests");
    }

    return 1;
}
