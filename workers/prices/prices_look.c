/*
 * Looks at products that are leased, and what comes of them.
 *
 * What is no page says nothing of the price.  A price that has moved far, or
 * that another layer of the page says than the known one, is doubted by
 * products_see(): it is only noted, and believed when a second look soon after
 * finds it again.
 */

#include "prices.h"

#include <stdio.h>
#include <string.h>


#define PRICES_AGAIN_MIN  1000      /* ms, for a shop that is left alone */
#define PRICES_AGAIN_DAY  (24 * 3600000LL)


static void prices_look_done(const at_look_result_t *r);
static void prices_look_page(prices_item_t *item, const at_look_result_t *r);
static int64_t prices_look_next(prices_item_t *item, double rate);
static void prices_look_later(prices_item_t *item, at_look_state_e state,
    int64_t later);
static void prices_look_told(const prices_item_t *item, prices_stored_e stored,
    prices_metric_e what, const char *why);


void
prices_look(prices_item_t *item)
{
    int               rc;
    int64_t           patience;
    const char       *why;
    at_look_job_t     job;

    /* it may have waited for a list already */

    patience = item->begin - at_time_mono();

    memset(&job, 0, sizeof(job));
    job.shop = item->shop->shop;
    job.url = (at_str_t) { strlen(item->url), item->url };
    job.fence = strtoll(item->fence, NULL, 10);
    job.patience = (patience > 0) ? patience : 1;
    job.urgent = prices_watched(item->id) != 0;
    job.done = prices_look_done;
    job.data = item;

    /* to doubt means to read once more, even if nothing is new there */

    if (!item->doubted) {
        job.etag = item->etag[0] ? item->etag : NULL;
        job.modified = item->modified[0] ? item->modified : NULL;
    }

    rc = at_look_add(item->work->look, &job, &why);

    if (rc != AT_OK) {

        /* a list may come while the crawler takes nothing more */

        prices_look_none(item, item->work->stopping || rc == AT_NO_MEMORY
                               ? AT_LOOK_STOPPED : AT_LOOK_REFUSED, why, 0);
    }
}


void
prices_item_free(prices_item_t *item)
{
    item->shop->held--;
    prices_count(PRICES_HELD, -1);
    free(item->url);
    free(item);
}


static void
prices_look_done(const at_look_result_t *r)
{
    prices_item_t            *item = r->data;
    const at_crawl_result_t  *crawl = r->crawl;

    item->shop->look = 0;

    switch (r->state) {

    case AT_LOOK_PAGE:
        prices_look_page(item, r);
        return;

    case AT_LOOK_SAME:
        prices_look_same(item, PRICES_UNCHANGED,
                         crawl->etag[0] ? crawl->etag : item->etag,
                         crawl->modified[0] ? crawl->modified
                                            : item->modified);
        return;

    default:
        prices_look_none(item, r->state, r->why, crawl->later);
    }
}


static void
prices_look_page(prices_item_t *item, const at_look_result_t *r)
{
    double                rate;
    prices_next_t         next;
    prices_metric_e       what;
    prices_stored_e       stored;
    const at_shop_when_t *when = &item->work->run->when;

    if (r->n != 1) {
        prices_look_none(item, AT_LOOK_UNKNOWN,
                         "the page is about another product", 0);
        return;
    }

    next.rate_same = at_shop_when_rate(when, item->rate, item->known,
                                       item->gap, 0);
    next.rate_changed = at_shop_when_rate(when, item->rate, item->known,
                                          item->gap, 1);
    next.same = prices_look_next(item, next.rate_same);
    next.changed = prices_look_next(item, next.rate_changed);
    next.doubted = at_shop_when_jitter(
        item->work->run->settings.doubt * (item->doubted
                                           ? item->failures + 1 : 1),
        prices_random(item->work));
    next.etag = r->crawl->etag;
    next.modified = r->crawl->modified;

    what = PRICES_SAME;
    stored = prices_store_seen(item, r->seen, &next, &what);

    if (stored == PRICES_REFUSED) {
        prices_look_none(item, AT_LOOK_UNKNOWN,
                         "PostgreSQL refuses what the page says", 0);
        return;
    }

    if (stored == PRICES_STORED
        && (what == PRICES_SAME || what == PRICES_CHANGED))
    {
        rate = item->rate > 0 ? item->rate : when->rate;
        at_shop_day_saw(&item->shop->day, rate, at_time_wall(), item->gap,
                        what == PRICES_CHANGED);
    }

    prices_look_told(item, stored, what, r->why);
    prices_item_free(item);
}


void
prices_look_same(prices_item_t *item, prices_metric_e how, const char *etag,
    const char *modified)
{
    double                 rate;
    prices_stored_e        stored;
    const at_shop_when_t  *when = &item->work->run->when;

    rate = at_shop_when_rate(when, item->rate, item->known, item->gap, 0);
    stored = prices_store_same(item, prices_look_next(item, rate), rate, etag,
                               modified);

    if (stored == PRICES_STORED) {
        at_shop_day_saw(&item->shop->day,
                        item->rate > 0 ? item->rate : when->rate,
                        at_time_wall(), item->gap, 0);
    }

    prices_look_told(item, stored, how, "");
    prices_item_free(item);
}


static int64_t
prices_look_next(prices_item_t *item, double rate)
{
    return at_shop_when_jitter(
        at_shop_when_interval(&item->work->run->when, &item->shop->plan,
                              &item->shop->day, rate,
                              item->known + item->gap, at_time_wall()),
        prices_random(item->work));
}


void
prices_look_none(prices_item_t *item, at_look_state_e state, const char *why,
    int64_t later)
{
    int64_t          next;
    prices_metric_e  what;
    prices_stored_e  stored;
    at_shop_when_e   how;

    how = AT_SHOP_WHEN_PASSING;
    what = PRICES_NONE;

    switch (state) {

    case AT_LOOK_STOPPED:
    case AT_LOOK_LATE:
    case AT_LOOK_WALL:
    case AT_LOOK_CAPTCHA:
    case AT_LOOK_SPENT:
        prices_look_later(item, state, later);
        return;

    case AT_LOOK_GONE:
    case AT_LOOK_MISSING:
    case AT_LOOK_MOVED:
        how = AT_SHOP_WHEN_GONE;
        what = PRICES_GONE;
        break;

    case AT_LOOK_DISALLOWED:
    case AT_LOOK_REFUSED:
        how = AT_SHOP_WHEN_GONE;
        what = PRICES_DISALLOWED;
        break;

    case AT_LOOK_FAILED:
        what = PRICES_FAILED;
        break;

    default:
        break;
    }

    next = at_shop_when_jitter(at_shop_when_failed(&item->work->run->when,
                                                   how, item->failures + 1),
                               prices_random(item->work));
    stored = prices_store_failed(item, next > later ? next : later,
                                 at_look_state_name(state));
    prices_look_told(item, stored, what, why);
    prices_item_free(item);
}


/* It is for the shop to wait, or for us: the product has not failed. */

static void
prices_look_later(prices_item_t *item, at_look_state_e state, int64_t later)
{
    int64_t          now;
    prices_stored_e  stored;
    prices_metric_e  what;

    what = PRICES_LEFT;

    if (state != AT_LOOK_STOPPED && state != AT_LOOK_LATE) {
        what = PRICES_WALLED;
        later = (later < PRICES_AGAIN_MIN) ? PRICES_AGAIN_MIN
                : (later > PRICES_AGAIN_DAY) ? PRICES_AGAIN_DAY : later;
        now = at_time_mono();

        if (item->shop->pause < now + later) {
            item->shop->pause = now + later;
        }
    }

    stored = prices_store_release(item, what == PRICES_WALLED ? later : 0);
    prices_look_told(item, stored, what, at_look_state_name(state));
    prices_item_free(item);
}


void
prices_look_left(prices_item_t *item)
{
    prices_look_told(item, prices_store_release(item, item->wait),
                     PRICES_LEFT, "not in the list");
    prices_item_free(item);
}


static void
prices_look_told(const prices_item_t *item, prices_stored_e stored,
    prices_metric_e what, const char *why)
{
    char            result[32];
    at_log_level_e  level;

    what = (stored == PRICES_STORED) ? what
           : (stored == PRICES_AWAY) ? PRICES_LOST : PRICES_FENCED;
    prices_count(what, 1);

    /* result="word" */

    (void) snprintf(result, sizeof(result), "%s",
                    prices_metrics[what].labels + sizeof("result=\"") - 1);
    result[strcspn(result, "\"")] = '\0';

    level = (what == PRICES_CHANGED || what == PRICES_DOUBTED
             || what == PRICES_GONE) ? AT_LOG_INFO
            : (what == PRICES_LOST || what == PRICES_FENCED) ? AT_LOG_WARN
                                                             : AT_LOG_DEBUG;

    at_log(level, "product.looked",
           at_log_text("result", result),
           at_log_text("product", item->id), at_log_text("why", why));
}
