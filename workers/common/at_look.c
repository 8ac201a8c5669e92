/*
 * Looks at pages of shops (see at_look.h).
 */

#include "at_look.h"

#include <stdlib.h>
#include <string.h>


struct at_look_s {
    at_crawl_t  *crawl;
    at_shop_t   *shop;
    at_buf_t     seen;
};


typedef struct {
    at_look_t             *look;
    const at_look_shop_t  *shop;
    int64_t                fence;
    unsigned               list:1;
    at_look_done_pt        done;
    void                  *data;
    at_str_t               url;
    at_str_t               category;
    char                   text[];
} at_look_task_t;


static at_look_task_t *at_look_task(at_look_t *look,
    const at_look_job_t *job);
static at_crawl_verdict_e at_look_done(const at_crawl_result_t *r);
static at_crawl_verdict_e at_look_read(at_look_task_t *t,
    const at_crawl_result_t *r, at_look_result_t *result,
    at_shop_page_t *page);
static int at_look_seen(at_look_task_t *t, const at_shop_page_t *page,
    at_look_result_t *result);
static at_look_state_e at_look_outcome(at_crawl_outcome_e outcome);


static const char *const  at_look_names[AT_LOOK_STATES] = {
    "page", "unchanged", "unknown", "wall", "captcha", "soft 404",
    "truncated", "client-rendered", "moved", "gone", "disallowed", "spent",
    "late", "refused", "failed", "stopped"
};

static const at_look_state_e  at_look_states[] = {
    [AT_SHOP_PAGE] = AT_LOOK_PAGE,
    [AT_SHOP_UNKNOWN] = AT_LOOK_UNKNOWN,
    [AT_SHOP_WALL] = AT_LOOK_WALL,
    [AT_SHOP_CAPTCHA] = AT_LOOK_CAPTCHA,
    [AT_SHOP_MISSING] = AT_LOOK_MISSING,
    [AT_SHOP_TRUNCATED] = AT_LOOK_TRUNCATED,
    [AT_SHOP_CLIENT] = AT_LOOK_CLIENT,
    [AT_SHOP_MOVED] = AT_LOOK_MOVED,
    [AT_SHOP_GONE] = AT_LOOK_GONE
};


at_look_t *
at_look_create(const at_crawl_settings_t *settings)
{
    at_look_t  *look;

    look = calloc(1, sizeof(at_look_t));
    if (look == NULL) {
        return NULL;
    }

    look->crawl = at_crawl_create(settings);
    look->shop = at_shop_create();

    if (look->crawl == NULL || look->shop == NULL) {
        at_look_free(look);
        return NULL;
    }

    return look;
}


/* The crawler first: what it answers is read once more. */

void
at_look_free(at_look_t *look)
{
    if (look == NULL) {
        return;
    }

    if (look->crawl) {
        at_crawl_free(look->crawl);
    }

    if (look->shop) {
        at_shop_free(look->shop);
    }

    at_buf_free(&look->seen);
    free(look);
}


at_crawl_t *
at_look_crawl(at_look_t *look)
{
    return look->crawl;
}


const char *
at_look_state_name(at_look_state_e state)
{
    return at_look_names[state];
}


int
at_look_add(at_look_t *look, const at_look_job_t *job, const char **why)
{
    int              rc;
    at_crawl_job_t   crawl;
    at_look_task_t  *t;

    if (!at_recipe_host(job->shop->recipe, job->url)) {
        *why = "not a URL of the shop";
        return AT_ERROR;
    }

    t = at_look_task(look, job);
    if (t == NULL) {
        *why = "no memory";
        return AT_NO_MEMORY;
    }

    memset(&crawl, 0, sizeof(crawl));
    crawl.url = job->url;
    crawl.policy = &job->shop->policy;
    crawl.etag = job->etag;
    crawl.modified = job->modified;
    crawl.request_id = job->request_id;
    crawl.patience = job->patience;
    crawl.kind = job->kind;
    crawl.share = job->share;
    crawl.urgent = job->urgent;
    crawl.done = at_look_done;
    crawl.data = t;

    rc = at_crawl_add(look->crawl, &crawl, why);

    if (rc != AT_OK) {
        free(t);
    }

    return rc;
}


static at_look_task_t *
at_look_task(at_look_t *look, const at_look_job_t *job)
{
    at_look_task_t  *t;

    t = calloc(1, sizeof(at_look_task_t) + job->url.len + job->category.len);
    if (t == NULL) {
        return NULL;
    }

    t->look = look;
    t->shop = job->shop;
    t->fence = job->fence;
    t->list = job->list;
    t->done = job->done;
    t->data = job->data;
    t->url = (at_str_t) { job->url.len, t->text };
    t->category = (at_str_t) { job->category.len, t->text + job->url.len };

    memcpy(t->text, job->url.data, job->url.len);

    if (job->category.len) {
        memcpy(t->text + job->url.len, job->category.data, job->category.len);
    }

    return t;
}


static at_crawl_verdict_e
at_look_done(const at_crawl_result_t *r)
{
    at_shop_page_t       page;
    at_look_task_t      *t = r->data;
    at_look_result_t     result;
    at_crawl_verdict_e   verdict;

    memset(&result, 0, sizeof(result));
    result.shop = t->shop;
    result.crawl = r;
    result.data = t->data;
    result.why = r->why ? r->why : "";
    result.seen = AT_STR("[]");
    result.state = at_look_outcome(r->outcome);
    verdict = AT_CRAWL_FINE;

    if (r->outcome == AT_CRAWL_PAGE || r->outcome == AT_CRAWL_STATUS) {
        verdict = at_look_read(t, r, &result, &page);
    }

    if (verdict == AT_CRAWL_AGAIN) {
        return verdict;
    }

    at_look_hits_add(t->shop->hits, t->list, result.state, result.page);
    t->done(&result);
    free(t);

    return verdict;
}


static at_crawl_verdict_e
at_look_read(at_look_task_t *t, const at_crawl_result_t *r,
    at_look_result_t *result, at_shop_page_t *page)
{
    at_shop_input_t  input;

    memset(&input, 0, sizeof(input));
    input.body = r->body;
    input.status = r->status;
    input.asked = t->url;
    input.url = r->url;
    input.type = (at_str_t) { r->type ? strlen(r->type) : 0, r->type };
    input.list = t->list;

    if (at_shop_read(t->look->shop, t->shop->recipe, &input, page) != AT_OK) {
        result->state = AT_LOOK_FAILED;
        result->why = "the page wants too much memory";
        return AT_CRAWL_FINE;
    }

    result->state = at_look_states[page->state];
    result->why = page->why;

    if (r->outcome == AT_CRAWL_STATUS) {

        /* what passes is no state of the shop; walls were told by is_wall */

        if (page->state == AT_SHOP_UNKNOWN || page->state == AT_SHOP_WALL) {
            result->state = AT_LOOK_FAILED;
        }

        return AT_CRAWL_FINE;
    }

    result->page = page;

    switch (page->state) {

    case AT_SHOP_WALL:
    case AT_SHOP_CAPTCHA:
        return AT_CRAWL_IS_WALL;

    case AT_SHOP_TRUNCATED:
        return r->last ? AT_CRAWL_FINE : AT_CRAWL_AGAIN;

    case AT_SHOP_PAGE:
        if (at_look_seen(t, page, result) != AT_OK) {
            result->state = AT_LOOK_FAILED;
            result->why = "no memory";
        }

        return AT_CRAWL_FINE;

    default:
        return AT_CRAWL_FINE;
    }
}


static int
at_look_seen(at_look_task_t *t, const at_shop_page_t *page,
    at_look_result_t *result)
{
    int                       rc;
    size_t                    before;
    at_buf_t                 *b = &t->look->seen;
    const at_shop_product_t  *p;

    b->len = 0;
    rc = at_buf_append_str(b, AT_STR("["));

    for (p = page->products; p && rc == AT_OK; p = p->next) {
        before = b->len;

        if (result->n) {
            rc = at_buf_append_str(b, AT_STR(","));
        }

        switch (at_look_write(b, t->shop, p, t->list, t->category,
                              t->fence))
        {
        case 1:
            result->n++;
            break;

        case 0:
            b->len = before;
            break;

        default:
            rc = AT_NO_MEMORY;
        }
    }

    if (rc != AT_OK || at_buf_append_str(b, AT_STR("]")) != AT_OK) {
        result->n = 0;
        return AT_NO_MEMORY;
    }

    result->seen = at_buf_str(b);

    return AT_OK;
}


static at_look_state_e
at_look_outcome(at_crawl_outcome_e outcome)
{
    switch (outcome) {

    case AT_CRAWL_SAME:
        return AT_LOOK_SAME;

    case AT_CRAWL_MOVED:
        return AT_LOOK_MOVED;

    case AT_CRAWL_DISALLOWED:
        return AT_LOOK_DISALLOWED;

    case AT_CRAWL_WALL:
        return AT_LOOK_WALL;

    case AT_CRAWL_SPENT:
        return AT_LOOK_SPENT;

    case AT_CRAWL_LATE:
        return AT_LOOK_LATE;

    case AT_CRAWL_TRUNCATED:
        return AT_LOOK_TRUNCATED;

    case AT_CRAWL_REFUSED:
        return AT_LOOK_REFUSED;

    case AT_CRAWL_STOPPED:
        return AT_LOOK_STOPPED;

    default:
        return AT_LOOK_FAILED;
    }
}
