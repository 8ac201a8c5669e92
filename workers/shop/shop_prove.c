/*
 * Whether what was found is there: the page of a product and its picture both
 * have to answer, and its page has to tell a price.  Both are asked by GET, as
 * shops refuse HEAD; of the picture only the beginning.  What a list lacked is
 * stored from the page meanwhile.
 *
 * The database says what is to be proved, under leases, so that no product is
 * asked for by two processes, and none is lost with one.
 */

#include "shop.h"

#include <stdlib.h>


#define SHOP_PROVE_REST   60000     /* ms, of a shop that wants no more */
#define SHOP_PROVE_SPENT  600000    /* ... whose day's requests are spent */
#define SHOP_PROVE_BYTES  4096      /* of a picture */
#define SHOP_PROVE_LEASE  600000    /* ms; as shop_store.c has it */


typedef struct {
    const at_look_shop_t  *shop;
    at_crawl_policy_t      pictures;
    int64_t                next;    /* when to ask the database */
    size_t                 flying;
} shop_prove_shop_t;


struct shop_prove_s {
    size_t                 n;
    shop_prove_shop_t      shops[];
};


typedef struct {
    shop_work_t           *work;
    shop_prove_shop_t     *at;
    char                   id[128];
    char                   image[AT_RECIPE_URL_MAX + 1];
} shop_prove_task_t;


static const char *const  shop_prove_lines[] = {
    "Accept: image/avif,image/webp,image/*;q=0.8"
};


static void shop_prove_shop(shop_work_t *w, shop_prove_shop_t *at);
static int shop_prove_begin(shop_work_t *w, shop_prove_shop_t *at,
    PGresult *due, int row);
static void shop_prove_page(const at_look_result_t *r);
static int shop_prove_sound(const at_look_result_t *r,
    shop_prove_task_t *t);
static int shop_prove_picture(shop_prove_task_t *t, const char **why);
static at_crawl_verdict_e shop_prove_pictured(const at_crawl_result_t *r);
static int shop_prove_is_picture(at_str_t body);
static void shop_prove_good(shop_prove_task_t *t);
static void shop_prove_spent(shop_prove_task_t *t,
    const at_crawl_result_t *r);
static void shop_prove_left(shop_prove_task_t *t);
static void shop_prove_failed(shop_prove_task_t *t, shop_metric_e metric,
    const char *state, const char *why);


shop_prove_t *
shop_prove_create(shop_work_t *w)
{
    size_t              i;
    shop_prove_t       *p;
    at_look_shops_t    *shops = w->run->shops;
    shop_prove_shop_t  *at;

    p = calloc(1, sizeof(shop_prove_t) + shops->n * sizeof(shop_prove_shop_t));
    if (p == NULL) {
        return NULL;
    }

    p->n = shops->n;

    for (i = 0; i < p->n; i++) {
        at = &p->shops[i];
        at->shop = shops->shops[i];
        at->pictures = at->shop->policy;
        at->pictures.headers = shop_prove_lines;
        at->pictures.nheaders = 1;
        at->pictures.hosts = NULL;
        at->pictures.nhosts = 0;
        at->pictures.is_wall = NULL;
    }

    return p;
}


void
shop_prove_free(shop_prove_t *p)
{
    free(p);
}


void
shop_prove_hurry(shop_work_t *w, const at_look_shop_t *shop)
{
    size_t              i;
    shop_prove_shop_t  *at;

    for (i = 0; i < w->prove->n; i++) {
        at = &w->prove->shops[i];

        if (at->shop == shop) {
            at->next = 0;
        }
    }
}


void
shop_prove_turn(shop_work_t *w)
{
    size_t              i;
    int64_t             now;
    shop_prove_shop_t  *at;

    now = at_time_mono();

    for (i = 0; i < w->prove->n; i++) {
        at = &w->prove->shops[i];

        if (now >= at->next
            && at->flying < (size_t) w->run->settings.verify_parallel)
        {
            shop_prove_shop(w, at);
        }
    }
}


static void
shop_prove_shop(shop_work_t *w, shop_prove_shop_t *at)
{
    int        i, n, want;
    PGresult  *due;

    want = (int) w->run->settings.verify_parallel - (int) at->flying;
    due = shop_store_due(w, at->shop->name, want);
    n = due ? PQntuples(due) : 0;

    /* fewer: there are no more for now */

    at->next = (n < want) ? at_time_mono() + w->run->settings.verify_poll : 0;

    for (i = 0; i < n; i++) {
        if (shop_prove_begin(w, at, due, i) == AT_OK) {
            at->flying++;
        }
    }

    PQclear(due);
}


static int
shop_prove_begin(shop_work_t *w, shop_prove_shop_t *at, PGresult *due,
    int row)
{
    const char         *why;
    at_look_job_t       job;
    shop_prove_task_t  *t;

    t = calloc(1, sizeof(shop_prove_task_t));
    if (t == NULL) {
        return AT_ERROR;
    }

    t->work = w;
    t->at = at;
    (void) snprintf(t->id, sizeof(t->id), "%s", PQgetvalue(due, row, 0));
    (void) snprintf(t->image, sizeof(t->image), "%s",
                    PQgetvalue(due, row, 2));

    job = (at_look_job_t) {
        .shop = at->shop, .url = shop_word(PQgetvalue(due, row, 1)),
        .patience = SHOP_PROVE_LEASE / 2, .kind = SHOP_PROOFS,
        .share = (unsigned) w->run->settings.verify_share,
        .done = shop_prove_page, .data = t
    };

    if (at_look_add(w->look, &job, &why) == AT_OK) {
        return AT_OK;
    }

    at->flying++;
    shop_prove_failed(t, SHOP_PROOFS_PAGE, "refused", why);

    return AT_ERROR;
}


static void
shop_prove_page(const at_look_result_t *r)
{
    int                 sure;
    const char         *state, *why;
    shop_prove_task_t  *t = r->data;

    state = at_look_state_name(r->state);
    why = r->why;

    switch (r->state) {

    case AT_LOOK_PAGE:
        if (shop_store_seen(t->work, r->seen, "", 1, AT_STR_NULL, &sure)
            != AT_OK)
        {
            shop_prove_left(t);
            return;
        }

        if (!shop_prove_sound(r, t)) {
            state = "incomplete";
            why = "the page tells no price, no picture, or of another product";

        } else if (!sure) {
            state = SHOP_DOUBTED;
            why = "the page says what has to be seen twice";

        } else if (shop_prove_picture(t, &why) == AT_OK) {
            return;

        } else if (at_stop_raised(&t->work->run->worker.stop)) {
            shop_prove_left(t);     /* the crawler takes nothing more */
            return;

        } else {
            state = "picture";
        }

        break;

    case AT_LOOK_WALL:
    case AT_LOOK_CAPTCHA:
        t->at->next = at_time_mono() + SHOP_PROVE_REST;
        break;

    case AT_LOOK_SPENT:
        shop_prove_spent(t, r->crawl);
        return;

    case AT_LOOK_STOPPED:
        shop_prove_left(t);
        return;

    default:
        break;
    }

    shop_prove_failed(t, SHOP_PROOFS_PAGE, state, why);
}


/* 1: the page is of that product, and has what a verified one has. */

static int
shop_prove_sound(const at_look_result_t *r, shop_prove_task_t *t)
{
    size_t                    len;
    const at_shop_product_t  *p = r->page->products;

    len = strlen(r->shop->name) + 1;

    if (r->n != 1 || p->price <= 0
        || !at_str_eq(p->id, shop_word(t->id + len)))
    {
        return 0;
    }

    if (p->image.len && p->image.len < sizeof(t->image)) {
        memcpy(t->image, p->image.data, p->image.len);
        t->image[p->image.len] = '\0';
    }

    return t->image[0] != '\0';
}


static int
shop_prove_picture(shop_prove_task_t *t, const char **why)
{
    at_crawl_job_t  job;

    job = (at_crawl_job_t) {
        .url = shop_word(t->image), .policy = &t->at->pictures,
        .enough = SHOP_PROVE_BYTES, .patience = SHOP_PROVE_LEASE / 3,
        .kind = SHOP_PROOFS,
        .share = (unsigned) t->work->run->settings.verify_share,
        .done = shop_prove_pictured, .data = t
    };

    return at_crawl_add(at_look_crawl(t->work->look), &job, why);
}


static at_crawl_verdict_e
shop_prove_pictured(const at_crawl_result_t *r)
{
    shop_prove_task_t  *t = r->data;

    if (r->outcome == AT_CRAWL_STOPPED) {
        shop_prove_left(t);

    } else if (r->outcome == AT_CRAWL_SPENT) {
        shop_prove_spent(t, r);

    } else if (r->outcome != AT_CRAWL_PAGE) {
        shop_prove_failed(t, SHOP_PROOFS_PICTURE, "picture",
                          at_crawl_outcome_name(r->outcome));

    } else if (!shop_prove_is_picture(r->body)) {
        shop_prove_failed(t, SHOP_PROOFS_PICTURE, "picture", "it is none");

    } else {
        shop_prove_good(t);
    }

    return AT_CRAWL_FINE;
}


static int
shop_prove_is_picture(at_str_t body)
{
    static const struct {
        size_t    at;
        at_str_t  bytes;
    } signs[] = {
        { 0, { 3, "\xff\xd8\xff" } },
        { 0, { 8, "\x89PNG\r\n\x1a\n" } },
        { 0, { 4, "GIF8" } },
        { 8, { 4, "WEBP" } },
        { 4, { 8, "ftypavif" } }
    };

    size_t  i;

    for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (body.len >= signs[i].at + signs[i].bytes.len
            && memcmp(body.data + signs[i].at, signs[i].bytes.data,
                      signs[i].bytes.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
shop_prove_good(shop_prove_task_t *t)
{
    int   sure;
    char  seen[256];

    /* an id needs no escapes */

    (void) snprintf(seen, sizeof(seen), "[{\"id\":\"%s\",\"verified\":true}]",
                    t->id);

    if (shop_store_seen(t->work, shop_word(seen), "", 1, AT_STR_NULL, &sure)
        == AT_OK)
    {
        (void) shop_store_proved(t->work, t->id, "verified");
        shop_count(SHOP_PROOFS_GOOD, 1);
        at_log(AT_LOG_DEBUG, "verified", at_log_text("product", t->id));
    }

    shop_prove_left(t);
}


/* The shop's next one may not be asked for either, which is no failure. */

static void
shop_prove_spent(shop_prove_task_t *t, const at_crawl_result_t *r)
{
    int64_t  later;

    later = (r->later < SHOP_PROVE_SPENT) ? r->later : SHOP_PROVE_SPENT;
    t->at->next = at_time_mono() + (later > SHOP_PROVE_REST ? later
                                                            : SHOP_PROVE_REST);
    shop_count(SHOP_PROOFS_SHARE, r->share);
    shop_prove_left(t);
}


/* Its lease ends by itself. */

static void
shop_prove_left(shop_prove_task_t *t)
{
    t->at->flying--;
    free(t);
}


static void
shop_prove_failed(shop_prove_task_t *t, shop_metric_e metric,
    const char *state, const char *why)
{
    shop_count(metric, 1);
    (void) shop_store_proved(t->work, t->id, state);
    at_log(AT_LOG_INFO, "unverified", at_log_text("product", t->id),
           at_log_text("state", state), at_log_text("why", why));

    shop_prove_left(t);
}
