/*
 * Sweeps: one page of a list tells the prices of all its products.
 *
 * When some products of a list are due, all that atelier-shop found there are
 * leased, but for those whose pages nobody has read yet, and the list is asked
 * for.  A card that says what is known is a look at its product.  A card that
 * says something else is none: lists are put together from older data, and
 * their prices mean less than those of pages.
 * Such a product, and one that is due but no longer in the list, is looked at
 * by its own page at once.
 */

#include "prices.h"


#define PRICES_SWEEP_POOR  60       /* times as long until the next one */


static int prices_sweep_begin(prices_shop_t *shop, prices_sweep_t *sweep,
    at_buf_t *url, const char **why);
static int prices_sweep_url(const prices_shop_t *shop,
    const prices_sweep_t *sweep, at_buf_t *url);
static void prices_sweep_done(const at_look_result_t *r);
static void prices_sweep_card(prices_sweep_t *sweep,
    const at_shop_product_t *p);
static int prices_sweep_is(const prices_item_t *item, const char *shop,
    at_str_t id);
static int prices_sweep_same(const prices_item_t *item,
    const at_shop_product_t *p);
static void prices_sweep_end(prices_sweep_t *sweep, const at_look_result_t *r);
static void prices_sweep_leave(prices_item_t *item, const at_look_result_t *r);


void
prices_sweep(prices_shop_t *shop, prices_work_t *w)
{
    at_buf_t         url = { .max = AT_RECIPE_URL_MAX };
    const char      *why;
    prices_sweep_t  *sweep;

    if (w->run->settings.sweep_least == 0 || shop->sweeping
        || at_time_mono() < shop->sweep)
    {
        return;
    }

    shop->sweep = at_time_mono() + w->run->settings.sweep_every;
    sweep = calloc(1, sizeof(prices_sweep_t));

    if (sweep == NULL) {
        return;
    }

    sweep->work = w;
    sweep->shop = shop;

    if (prices_store_list(w, shop, sweep) != 1
        || prices_sweep_url(shop, sweep, &url) != AT_OK
        || prices_store_lease(w, shop, sweep) != AT_OK || sweep->n == 0)
    {
        prices_sweep_end(sweep, NULL);

    } else if (prices_sweep_begin(shop, sweep, &url, &why) != AT_OK) {
        at_log(AT_LOG_WARN, "sweep.refused",
               at_log_text("shop", shop->shop->name),
               at_log_text("query", sweep->query), at_log_text("why", why));
        prices_sweep_end(sweep, NULL);
    }

    at_buf_free(&url);
}


static int
prices_sweep_begin(prices_shop_t *shop, prices_sweep_t *sweep, at_buf_t *url,
    const char **why)
{
    at_look_job_t   job;
    prices_work_t  *w = sweep->work;

    memset(&job, 0, sizeof(job));
    job.shop = shop->shop;
    job.url = at_buf_str(url);
    job.patience = w->run->settings.lease / 2;
    job.list = 1;
    job.done = prices_sweep_done;
    job.data = sweep;

    if (at_look_add(w->look, &job, why) != AT_OK) {
        return AT_ERROR;
    }

    shop->sweeping = 1;
    prices_count(PRICES_SWEEPS, 1);

    return AT_OK;
}


static int
prices_sweep_url(const prices_shop_t *shop, const prices_sweep_t *sweep,
    at_buf_t *url)
{
    at_recipe_args_t  args;

    memset(&args, 0, sizeof(args));
    args.query = (at_str_t) { strlen(sweep->query), sweep->query };
    args.page = (unsigned) sweep->page + 1;

    return at_recipe_url(shop->shop->recipe, &args, url);
}


static void
prices_sweep_done(const at_look_result_t *r)
{
    size_t                    i, n;
    prices_shop_t            *shop;
    prices_sweep_t           *sweep = r->data;
    const at_shop_product_t  *p;

    shop = sweep->shop;
    shop->sweeping = 0;
    shop->look = 0;

    if (r->state == AT_LOOK_PAGE) {
        for (p = r->page->products; p; p = p->next) {
            prices_sweep_card(sweep, p);
        }
    }

    for (i = 0, n = 0; i < sweep->n; i++) {
        n += sweep->items[i]->same;
    }

    at_log(AT_LOG_INFO, "list.swept", at_log_text("shop", shop->shop->name),
           at_log_text("query", sweep->query),
           at_log_int("page", sweep->page + 1),
           at_log_text("state", at_look_state_name(r->state)),
           at_log_int("products", (int64_t) sweep->n),
           at_log_int("same", (int64_t) n));

    if (n < sweep->n / 2) {
        shop->sweep = at_time_mono() + PRICES_SWEEP_POOR
                      * sweep->work->run->settings.sweep_every;
    }

    prices_sweep_end(sweep, r);
}


static void
prices_sweep_card(prices_sweep_t *sweep, const at_shop_product_t *p)
{
    size_t          i;
    prices_item_t  *item;

    for (i = 0; i < sweep->n; i++) {
        item = sweep->items[i];

        /* a card without a price says nothing */

        if (p->price > 0
            && prices_sweep_is(item, sweep->shop->shop->name, p->id))
        {
            /* twice in a list, and not the same: the page has to tell */

            if (prices_sweep_same(item, p)) {
                item->same = !item->other;

            } else {
                item->same = 0;
                item->other = 1;
            }
        }
    }
}


static int
prices_sweep_is(const prices_item_t *item, const char *shop, at_str_t id)
{
    size_t  len = strlen(shop);

    return id.len && strncmp(item->id, shop, len) == 0
           && item->id[len] == ':' && at_str_is(id, item->id + len + 1);
}


static int
prices_sweep_same(const prices_item_t *item, const at_shop_product_t *p)
{
    const char  *currency;

    currency = p->currency[0] ? p->currency
                              : item->shop->shop->recipe->currency;

    return item->price > 0 && !p->disagrees && !item->doubted
           && strcmp(currency, item->currency) == 0
           && at_look_minor(p->price, currency) == item->price
           && (p->stock == AT_SHOP_STOCK_UNKNOWN || item->stock < 0
               || (p->stock == AT_SHOP_STOCK_IN) == (item->stock == 1));
}


/* Each product goes its way; r is NULL if the list was not asked for. */

static void
prices_sweep_end(prices_sweep_t *sweep, const at_look_result_t *r)
{
    size_t          i;
    prices_item_t  *item;

    for (i = 0; i < sweep->n; i++) {
        item = sweep->items[i];

        if (item->same) {
            prices_look_same(item, PRICES_SWEPT, item->etag, item->modified);

        } else {
            prices_sweep_leave(item, r);
        }
    }

    free(sweep);
}


static void
prices_sweep_leave(prices_item_t *item, const at_look_result_t *r)
{
    at_look_state_e  state;

    state = r ? r->state : AT_LOOK_FAILED;

    if (state == AT_LOOK_WALL || state == AT_LOOK_CAPTCHA
        || state == AT_LOOK_SPENT || state == AT_LOOK_STOPPED
        || state == AT_LOOK_LATE)
    {
        prices_look_none(item, state, r->why, r->crawl->later);

    } else if (item->other || item->wait == 0) {
        prices_look(item);

    } else {
        prices_look_left(item);
    }
}
