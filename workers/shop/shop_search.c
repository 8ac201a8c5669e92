/*
 * A search of all shops: each answers or fails by itself, and what it has said
 * is stored at once.  One that takes too long is not waited for, but stored
 * when it comes.
 */

#include "shop.h"

#include <stdio.h>
#include <stdlib.h>


#define SHOP_SEARCH_PATIENCE  60000     /* ms until its turn at a shop */
#define SHOP_SEARCH_RANKS     1000      /* places of a page, at most */


typedef struct {
    shop_work_t    *work;
    shop_search_t  *search;
} shop_search_look_t;


static int shop_search_shop(shop_work_t *w, shop_search_t *s,
    const at_look_shop_t *shop);
static int shop_search_url(const shop_search_t *s, const at_recipe_t *recipe,
    at_buf_t *url);
static void shop_search_done(const at_look_result_t *r);
static void shop_search_log(const shop_search_t *s,
    const at_look_result_t *r);


void
shop_search_begin(shop_work_t *w, shop_search_t *s)
{
    size_t           i, n;
    at_look_shops_t  *shops = w->run->shops;

    /* left is counted down by those that end at once, too */

    (void) pthread_mutex_lock(&w->run->lock);
    s->until = at_time_mono() + w->run->settings.search_timeout;
    s->left = shops->n + 1;
    s->uses += shops->n;
    s->begun = 1;
    (void) pthread_mutex_unlock(&w->run->lock);

    for (i = 0, n = 1; i < shops->n; i++) {
        n += (shop_search_shop(w, s, shops->shops[i]) != AT_OK);
    }

    (void) pthread_mutex_lock(&w->run->lock);
    s->left -= n;
    s->uses -= n - 1;

    if (s->left == 0) {
        shop_search_end(w->run, s);
    }

    (void) pthread_mutex_unlock(&w->run->lock);
}


void
shop_search_end(shop_run_t *run, shop_search_t *s)
{
    s->ended = 1;
    (void) pthread_cond_broadcast(&run->ended);
}


/* Hands it over once its end was told and all that was late is in. */

void
shop_search_over(shop_run_t *run, shop_search_t *s)
{
    if (s->told && s->late && s->left == 0) {
        s->uses++;
        s->next = run->over;
        run->over = s;
    }
}


void
shop_search_leave(shop_search_t *s)
{
    if (--s->uses == 0) {
        free(s);
    }
}


static int
shop_search_shop(shop_work_t *w, shop_search_t *s, const at_look_shop_t *shop)
{
    int                  rc;
    at_buf_t             url = { .max = AT_RECIPE_URL_MAX };
    const char          *why;
    at_look_job_t        job;
    shop_search_look_t  *look;

    why = "it has no address for searches, or it is too long";
    look = malloc(sizeof(shop_search_look_t));
    rc = look ? shop_search_url(s, shop->recipe, &url) : AT_ERROR;

    if (rc == AT_OK) {
        *look = (shop_search_look_t) { .work = w, .search = s };
        job = (at_look_job_t) {
            .shop = shop, .url = at_buf_str(&url),
            .category = shop_word(s->category),
            .request_id = shop_word(s->request_id),
            .patience = SHOP_SEARCH_PATIENCE, .list = 1, .urgent = 1,
            .kind = s->reader ? SHOP_READERS : 0,
            .share = (unsigned) w->run->settings.search_reader_share,
            .done = shop_search_done, .data = look
        };
        rc = at_look_add(w->look, &job, &why);
    }

    if (rc != AT_OK) {
        shop_count(SHOP_SEARCHES_FAILED, 1);
        at_log(AT_LOG_WARN, "search.refused", at_log_text("shop", shop->name),
               at_log_text("requestId", s->request_id),
               at_log_text("why", why));
        free(look);
    }

    at_buf_free(&url);

    return rc;
}


/*
 * A shop's categories have names of its own, so ours is words to be searched
 * for, unless they are there already.
 */

static int
shop_search_url(const shop_search_t *s, const at_recipe_t *recipe,
    at_buf_t *url)
{
    char               *c;
    char                text[2 * AT_SHOP_TEXT_BYTES + 8];
    char                category[AT_SHOP_TEXT_BYTES + 1];
    at_recipe_args_t    args;

    (void) snprintf(category, sizeof(category), "%s", s->category);

    for (c = category; *c; c++) {
        *c = (*c == '-' || *c == '_') ? ' ' : *c;
    }

    (void) snprintf(text, sizeof(text), "%s%s%s", s->query,
                    (s->query[0] && category[0]
                     && strcasestr(s->query, category) == NULL) ? " " : "",
                    (s->query[0] && strcasestr(s->query, category)) ? ""
                    : category);

    memset(&args, 0, sizeof(args));
    args.query = shop_word(text);
    args.page = s->page;

    return at_recipe_url(recipe, &args, url);
}


static void
shop_search_done(const at_look_result_t *r)
{
    int                  rc;
    shop_work_t         *w;
    shop_search_t       *s;
    shop_search_look_t  *look = r->data;

    w = look->work;
    s = look->search;
    free(look);

    rc = AT_OK;

    if (r->state == AT_LOOK_PAGE) {
        rc = shop_store_seen(w, r->seen, s->query,
                             (s->page - 1) * SHOP_SEARCH_RANKS + 1,
                             shop_word(s->request_id));
        shop_prove_hurry(w, r->shop);
    }

    shop_count(r->state == AT_LOOK_PAGE && rc == AT_OK
               ? SHOP_SEARCHES_PAGE
               : r->crawl->share ? SHOP_SEARCHES_SHARE
               : SHOP_SEARCHES_FAILED, 1);
    shop_search_log(s, r);

    (void) pthread_mutex_lock(&w->run->lock);

    /* who waited reads them from then on */

    if (s->ended) {
        s->came += (r->state == AT_LOOK_PAGE && rc == AT_OK);

    } else if (r->state == AT_LOOK_STOPPED) {
        s->stopped = 1;

    } else if (rc != AT_OK) {
        s->unstored = 1;

    } else if (r->state == AT_LOOK_PAGE) {
        s->pages++;
        s->products += r->n;

    } else {
        s->failed += (r->state != AT_LOOK_SPENT);
    }

    if (--s->left == 0) {
        shop_search_end(w->run, s);
        shop_search_over(w->run, s);
    }

    shop_search_leave(s);
    (void) pthread_mutex_unlock(&w->run->lock);
}


static void
shop_search_log(const shop_search_t *s, const at_look_result_t *r)
{
    at_log(r->state == AT_LOOK_PAGE || r->crawl->share ? AT_LOG_INFO
                                                       : AT_LOG_WARN,
           "search.answered", at_log_text("requestId", s->request_id),
           at_log_text("shop", r->shop->name),
           at_log_text("query", s->query),
           at_log_text("state", at_look_state_name(r->state)),
           at_log_text("why", r->why),
           at_log_int("status", r->crawl->status),
           at_log_int("products", (int64_t) r->n),
           at_log_int("waitedMs", r->crawl->waited),
           at_log_int("tries", r->crawl->tries));
}
