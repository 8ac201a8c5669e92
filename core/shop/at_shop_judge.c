/*
 * What an answer is (at_shop_internal.h).
 *
 * A page with a price is a page, whatever else stands in it: real pages talk
 * of robots and captchas, too.  Only where no price was found are the marks of
 * walls and error pages looked for.  What fits nothing is unknown, never
 * "no products".
 */

#include <string.h>

#include "at_shop_internal.h"


#define AT_SHOP_MARK_BYTES  (1024 * 1024)   /* where marks are looked for */
#define AT_SHOP_THIN        1500            /* bytes of text a shell has */


static int
at_shop_marked(at_shop_t *shop, const at_shop_list_t *marks)
{
    size_t    i;
    at_str_t  body;

    body = shop->body;
    body.len = body.len > AT_SHOP_MARK_BYTES ? AT_SHOP_MARK_BYTES : body.len;

    for (i = 0; i < marks->n; i++) {
        if (at_shop_inside(body, marks->items[i])) {
            return 1;
        }
    }

    return 0;
}


static void
at_shop_say(at_shop_t *shop, at_shop_state_e state, const char *why)
{
    shop->page->state = state;
    shop->page->why = why;
}


/* 1: the shop's own name or host stands in the page. */

static int
at_shop_own(at_shop_t *shop)
{
    size_t              i;
    const at_recipe_t  *r = shop->recipe;

    for (i = 0; i < r->hosts.n; i++) {
        if (at_shop_inside(shop->body, r->hosts.items[i])) {
            return 1;
        }
    }

    return at_shop_inside(shop->body, r->name)
           || at_shop_inside(shop->body, r->title);
}


/* Bytes of text in the tree, which scripts are not in. */

static size_t
at_shop_thick(at_shop_t *shop)
{
    size_t    n;
    uint32_t  i;

    for (i = 1, n = 0; i < shop->dom.n; i++) {
        if (shop->dom.nodes[i].name == 0) {
            n += shop->dom.nodes[i].stop - shop->dom.nodes[i].start;
        }
    }

    return n;
}


/* A canonical link that is the shop's home, or names an error. */

static int
at_shop_canonical_lost(at_shop_t *shop)
{
    size_t    k, n;
    uint32_t  i, rel, href;
    at_str_t  url;

    rel = at_shop_dom_hash(AT_STR("rel"));
    href = at_shop_dom_hash(AT_STR("href"));

    for (i = at_shop_dom_find(&shop->dom, AT_SHOP_T4('l', 'i', 'n', 'k'), 1,
                              shop->dom.n);
         i != AT_SHOP_NONE;
         i = at_shop_dom_find(&shop->dom, AT_SHOP_T4('l', 'i', 'n', 'k'),
                              i + 1, shop->dom.n))
    {
        if (!at_str_ieq(at_shop_dom_attr(&shop->dom, i, rel),
                        AT_STR("canonical")))
        {
            continue;
        }

        url = at_shop_dom_attr(&shop->dom, i, href);

        while (url.len && url.data[url.len - 1] == '/') {
            url.len--;
        }

        /* no path behind the host */

        for (k = 0, n = 0; k < url.len; k++) {
            n += url.data[k] == '/';
        }

        return n == 2 || at_shop_inside(url, AT_STR("/404"))
               || at_shop_inside(url, AT_STR("/not-found"));
    }

    return 0;
}


/* By status and address alone; 1: that is all there is to say. */

static int
at_shop_judge_answer(at_shop_t *shop)
{
    long      status;
    at_str_t  id;

    status = shop->input->status;

    if (status == 404 || status == 410) {
        at_shop_say(shop, AT_SHOP_GONE, "the shop says so by its status");
        return 1;
    }

    if (status >= 300 && status < 400) {
        at_shop_say(shop, AT_SHOP_MOVED, "a redirect that was not followed");
        return 1;
    }

    if (status && (status < 200 || status > 299)) {

        if (at_shop_marked(shop, &shop->recipe->captchas)) {
            at_shop_say(shop, AT_SHOP_CAPTCHA, "a mark of a captcha");

        } else if (status == 401 || status == 403 || status == 429
                   || status == 503 || status == 529
                   || at_shop_marked(shop, &shop->recipe->walls))
        {
            at_shop_say(shop, AT_SHOP_WALL, "refused by its status");

        } else {
            at_shop_say(shop, AT_SHOP_UNKNOWN, "failed by its status");
        }

        return 1;
    }

    if (shop->url.len && !at_recipe_host(shop->recipe, shop->url)) {
        at_shop_say(shop, AT_SHOP_MOVED, "leads to another site");
        return 1;
    }

    if (shop->asked_id.len && shop->input->url.len && !shop->input->list) {
        id = at_recipe_url_id(shop->recipe, shop->url, &shop->pool);

        if (!at_str_eq(id, shop->asked_id)) {
            at_shop_say(shop, AT_SHOP_MOVED,
                        id.len ? "leads to another product"
                               : "leads to a page of no product");
            return 1;
        }
    }

    return 0;
}


/* Nothing has a price. */

static void
at_shop_judge_bare(at_shop_t *shop)
{
    const at_recipe_t  *r = shop->recipe;
    at_shop_product_t  *p = shop->page->products;

    if (at_shop_marked(shop, &r->captchas)) {
        at_shop_say(shop, AT_SHOP_CAPTCHA, "a mark of a captcha");

    } else if (at_shop_marked(shop, &r->walls)) {
        at_shop_say(shop, AT_SHOP_WALL, "a mark of a wall");

    } else if (shop->dom.bomb) {
        at_shop_say(shop, AT_SHOP_UNKNOWN, "a tag with too many attributes");

    } else if (shop->dom.cut) {
        at_shop_say(shop, AT_SHOP_TRUNCATED, "ends inside a tag or a script");

    } else if (at_shop_marked(shop, &r->missing)
               || (!shop->input->list && at_shop_canonical_lost(shop)))
    {
        at_shop_say(shop, AT_SHOP_MISSING, "the words of an error page");

    } else if (!at_shop_marked(shop, &r->client) && !at_shop_own(shop)) {
        at_shop_say(shop, AT_SHOP_WALL, "no word of the shop in it");

    } else if (shop->input->list
               && (shop->page->cards || at_shop_marked(shop, &r->empty)))
    {
        at_shop_say(shop, AT_SHOP_PAGE, shop->page->cards
                                        ? "cards, all without a price"
                                        : "the shop found nothing");

    } else if (!shop->input->list && p && p->title.len
               && p->layer[AT_SHOP_TITLE] != AT_SHOP_L_OG
               && (p->stock == AT_SHOP_STOCK_OUT
                   || (shop->asked_id.len
                       && at_shop_inside(shop->body, shop->asked_id))))
    {
        at_shop_say(shop, AT_SHOP_PAGE, "a product without a price");

    } else if (at_shop_marked(shop, &r->client)
               || (shop->tree && at_shop_thick(shop) < AT_SHOP_THIN
                   && shop->body.len > 2 * AT_SHOP_THIN
                   && at_shop_inside(shop->body, AT_STR("<script"))))
    {
        at_shop_say(shop, AT_SHOP_CLIENT, "a browser has to build it first");

    } else {
        at_shop_say(shop, AT_SHOP_UNKNOWN, "nothing that the recipe knows");
    }
}


void
at_shop_judge(at_shop_t *shop)
{
    const at_shop_product_t  *p;

    if (at_shop_judge_answer(shop)) {
        return;
    }

    for (p = shop->page->products; p; p = p->next) {

        if (p->price == 0) {
            continue;
        }

        if (shop->tree && shop->dom.cut) {
            at_shop_say(shop, AT_SHOP_TRUNCATED,
                        "ends inside a tag or a script");

        } else if (shop->tree && (shop->dom.bomb || shop->dom.large)) {
            at_shop_say(shop, AT_SHOP_TRUNCATED,
                        "more elements than are read");

        } else {
            at_shop_say(shop, AT_SHOP_PAGE, "");
        }

        return;
    }

    if (shop->page->state == AT_SHOP_PAGE) {
        at_shop_judge_bare(shop);
    }
}
