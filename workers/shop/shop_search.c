/*
 * A search of all shops: each answers or fails by itself, and what it has said
 * is stored at once.  One that takes too long is not waited for, but stored
 * when it comes.
 *
 * A category is a page of the shop if its recipe knows which; else, or if that
 * page is none any more, it is words to be searched for.
 */

#include "shop.h"

#include <stdio.h>
#include <stdlib.h>


#define SHOP_SEARCH_PATIENCE  60000     /* ms until its turn at a shop */
#define SHOP_SEARCH_RANKS     1000      /* places of a page, at most */


typedef struct {
    shop_work_t    *work;
    shop_search_t  *search;
    unsigned        category:1;     /* it is the page of a category */
} shop_search_look_t;


static int shop_search_shop(shop_work_t *w, shop_search_t *s,
    const at_look_shop_t *shop, int category);
static int shop_search_category(const shop_search_t *s,
    const at_recipe_t *recipe);
static int shop_search_url(const shop_search_t *s, const at_recipe_t *recipe,
    int category, at_buf_t *url);
static void shop_search_done(const at_look_result_t *r);
static int shop_search_lost(const shop_search_t *s,
    const at_look_result_t *r);
static void shop_search_in(shop_run_t *run, shop_search_t *s,
    const at_look_result_t *r, int rc);
static void shop_search_count(const at_look_result_t *r, int rc);
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
        n += (shop_search_shop(w, s, shops->shops[i],
                               shop_search_category(s,
                                               shops->shops[i]->recipe))
              != AT_OK);
    }

    (void) pthread_mutex_lock(&w->run->lock);
    s->left -= n;
    s->uses -= n - 1;
    s->failed += n - 1;

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
shop_search_shop(shop_work_t *w, shop_search_t *s, const at_look_shop_t *shop,
    int category)
{
    int                  rc;
    at_buf_t             url = { .max = AT_RECIPE_URL_MAX };
    const char          *why;
    at_look_job_t        job;
    shop_search_look_t  *look;

    why = "no memory, or its address is too long";
    look = malloc(sizeof(shop_search_look_t));
    rc = look ? shop_search_url(s, shop->recipe, category, &url) : AT_ERROR;

    if (rc == AT_OK) {
        *look = (shop_search_look_t) {
            .work = w, .search = s, .category = (category != 0)
        };
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
 * 1: the shop has a page for it.  Where words are asked for, too, it has to be
 * one that is searched.
 */

static int
shop_search_category(const shop_search_t *s, const at_recipe_t *recipe)
{
    return at_recipe_category(recipe, shop_word(s->category)).len
           && (s->query[0] == '\0'
               || memmem(recipe->category.data, recipe->category.len,
                         "{query}", 7));
}


static int
shop_search_url(const shop_search_t *s, const at_recipe_t *recipe,
    int category, at_buf_t *url)
{
    char               *c;
    char                text[2 * AT_SHOP_TEXT_BYTES + 8];
    char                words[AT_SHOP_TEXT_BYTES + 1];
    at_recipe_args_t    args;

    (void) snprintf(words, sizeof(words), "%s", s->category);

    for (c = words; *c; c++) {
        *c = (*c == '-' || *c == '_') ? ' ' : *c;
    }

    if (s->query[0] && (category || strcasestr(s->query, words))) {
        words[0] = '\0';
    }

    (void) snprintf(text, sizeof(text), "%s%s%s", s->query,
                    s->query[0] && words[0] ? " " : "", words);

    memset(&args, 0, sizeof(args));
    args.query = shop_word(text);
    args.category = category ? at_recipe_category(recipe,
                                                  shop_word(s->category))
                             : AT_STR_NULL;
    args.page = s->page;

    return at_recipe_url(recipe, &args, url);
}


static void
shop_search_done(const at_look_result_t *r)
{
    int                  rc, lost, sure;
    shop_work_t         *w;
    shop_search_t       *s;
    shop_search_look_t  *look = r->data;

    w = look->work;
    s = look->search;
    lost = look->category && shop_search_lost(s, r);
    free(look);

    if (lost) {
        at_log(AT_LOG_WARN, "category.lost", at_log_text("shop", r->shop->name),
               at_log_text("category", s->category),
               at_log_str("url", r->crawl->url),
               at_log_text("state", at_look_state_name(r->state)));

        if (shop_search_shop(w, s, r->shop, 0) == AT_OK) {
            return;
        }
    }

    rc = AT_OK;

    if (r->state == AT_LOOK_PAGE) {
        rc = shop_store_seen(w, r->seen, s->query,
                             (s->page - 1) * SHOP_SEARCH_RANKS + 1,
                             shop_word(s->request_id), &sure);
        shop_prove_hurry(w, r->shop);
    }

    shop_search_count(r, rc);
    shop_search_log(s, r);
    shop_search_in(w->run, s, r, rc);
}


/* One shop less to wait for. */

static void
shop_search_in(shop_run_t *run, shop_search_t *s, const at_look_result_t *r,
    int rc)
{
    (void) pthread_mutex_lock(&run->lock);

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
        shop_search_end(run, s);
        shop_search_over(run, s);
    }

    shop_search_leave(s);
    (void) pthread_mutex_unlock(&run->lock);
}


/* 1: the address is not that of a category, or the category is empty. */

static int
shop_search_lost(const shop_search_t *s, const at_look_result_t *r)
{
    switch (r->state) {

    case AT_LOOK_PAGE:
        return r->n == 0 && s->page == 1;

    case AT_LOOK_UNKNOWN:
    case AT_LOOK_MISSING:
    case AT_LOOK_CLIENT:
    case AT_LOOK_MOVED:
    case AT_LOOK_GONE:
    case AT_LOOK_DISALLOWED:
        return 1;

    default:
        return 0;
    }
}


static void
shop_search_count(const at_look_result_t *r, int rc)
{
    shop_count(r->state == AT_LOOK_PAGE && rc == AT_OK ? SHOP_SEARCHES_PAGE
               : r->crawl->share ? SHOP_SEARCHES_SHARE : SHOP_SEARCHES_FAILED,
               1);
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
