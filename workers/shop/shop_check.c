/*
 * atelier-shop check: a recipe, and what it finds on a page.
 *
 * For who writes a recipe or mends one: every field with its value, its layer
 * and the rule that found it; with -v the values that lost, and why.  The
 * exit status is 0 if the page was a page.
 */

#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define SHOP_CHECK_AGENT    "atelier-shop (recipe check)"
#define SHOP_CHECK_TIMEOUT  10000   /* ms */

#define SHOP_CHECK_REDIRECTS  5


typedef struct {
    const char   *recipe;
    const char   *page;
    const char   *url;
    int           list;         /* -1: find out */
    int           verbose;
    const char   *allow;        /* an address that is not public */
    at_recipe_t  *shop;
    at_buf_t      body;
    long          status;
    char          final[AT_FETCH_URL_MAX + 1];  /* after redirects */

    at_fetch_head_t  head;
} shop_check_t;


static int
shop_file_read(const char *file, size_t max, at_buf_t *b)
{
    char    part[65536];
    FILE   *f;
    size_t  n;

    f = fopen(file, "rb");

    if (f == NULL) {
        fprintf(stderr, "atelier-shop: %s: cannot be opened; see its name and "
                "mode\n", file);
        return AT_ERROR;
    }

    b->max = max;

    while ((n = fread(part, 1, sizeof(part), f)) > 0) {
        if (at_buf_append(b, part, n) != AT_OK) {
            fprintf(stderr, "atelier-shop: %s: larger than %zu bytes, which "
                    "is the limit\n", file, max);
            (void) fclose(f);
            return AT_ERROR;
        }
    }

    n = (size_t) ferror(f);
    (void) fclose(f);

    if (n) {
        fprintf(stderr, "atelier-shop: %s: cannot be read\n", file);
        return AT_ERROR;
    }

    return AT_OK;
}


at_recipe_t *
shop_recipe_read(const char *file)
{
    char          error[AT_RECIPE_ERROR_MAX];
    at_buf_t      text = { .data = NULL };
    at_recipe_t  *recipe;

    recipe = NULL;

    if (shop_file_read(file, AT_RECIPE_FILE_MAX, &text) == AT_OK) {
        recipe = at_recipe_parse(file, at_buf_str(&text), error);

        if (recipe == NULL) {
            fprintf(stderr, "atelier-shop: %s\n", error);
        }
    }

    at_buf_free(&text);

    return recipe;
}


static int
shop_check_options(int argc, char **argv, shop_check_t *c)
{
    int  option;

    c->list = -1;

    while ((option = getopt(argc, argv, "a:lpvu:")) != -1) {
        switch (option) {

        case 'a':
            c->allow = optarg;
            break;

        case 'l':
            c->list = 1;
            break;

        case 'p':
            c->list = 0;
            break;

        case 'v':
            c->verbose = 1;
            break;

        case 'u':
            c->url = optarg;
            break;

        default:
            return AT_ERROR;
        }
    }

    if (argc - optind < 1 || argc - optind > 2) {
        return AT_ERROR;
    }

    c->recipe = argv[optind];
    c->page = argv[optind + 1];

    return AT_OK;
}


/* The recipe's headers, as libcurl wants them; freed by the caller. */

static char **
shop_check_lines(const at_recipe_t *recipe)
{
    char                  **lines;
    size_t                  i;
    const at_shop_pair_t   *h;

    lines = calloc(recipe->headers.n + 1, sizeof(char *));

    for (i = 0; lines && i < recipe->headers.n; i++) {
        h = &recipe->headers.items[i];

        if (asprintf(&lines[i], "%.*s: %.*s", (int) h->name.len, h->name.data,
                     (int) h->value.len, h->value.data) < 0)
        {
            lines[i] = NULL;
        }
    }

    return lines;
}


/* Redirects are followed one by one, to know where they lead. */

static int
shop_check_follow(shop_check_t *c, at_fetch_t *fetch, char *const *lines)
{
    unsigned         n;
    at_fetch_call_t  call;

    (void) snprintf(c->final, sizeof(c->final), "%s", c->page);

    for (n = 0; n <= SHOP_CHECK_REDIRECTS; n++) {
        memset(&call, 0, sizeof(call));
        memset(&c->head, 0, sizeof(c->head));
        call.url = (at_str_t) { strlen(c->final), c->final };
        call.lines = (const char *const *) lines;
        call.nlines = c->shop->headers.n;
        call.head = &c->head;
        call.stay = 1;

        at_fetch_run(fetch, &call, 1, NULL);

        if (call.status == 0
            || (call.outcome != AT_FETCH_OK
                && call.outcome != AT_FETCH_STATUS))
        {
            fprintf(stderr, "atelier-shop: %s: %s\n", c->final, call.why);
            at_fetch_clear(&call);
            return AT_ERROR;
        }

        c->status = call.status;

        if (call.status < 300 || call.status > 399
            || c->head.location[0] == '\0')
        {
            (void) at_buf_append_str(&c->body, at_buf_str(&call.body));
            at_fetch_clear(&call);
            return AT_OK;
        }

        at_fetch_clear(&call);
        (void) snprintf(c->final, sizeof(c->final), "%s", c->head.location);
    }

    fprintf(stderr, "atelier-shop: %s: more than 5 redirects\n", c->page);

    return AT_ERROR;
}


static int
shop_check_fetch(shop_check_t *c)
{
    int                   rc;
    char                **lines;
    size_t                i;
    at_fetch_t           *fetch;
    const char           *wrong;
    at_address_list_t     allow;
    at_fetch_settings_t   settings;

    wrong = c->allow ? at_address_check(c->allow) : NULL;

    if (wrong) {
        fprintf(stderr, "atelier-shop: -a %s: %s\n", c->allow, wrong);
        return AT_ERROR;
    }

    if (at_address_list(&allow, (char *const *) &c->allow, c->allow ? 1 : 0)
        != AT_OK)
    {
        fprintf(stderr, "atelier-shop: no memory\n");
        return AT_ERROR;
    }

    if (at_fetch_init() != AT_OK) {
        fprintf(stderr, "atelier-shop: libcurl does not start\n");
        free(allow.rules);
        return AT_ERROR;
    }

    memset(&settings, 0, sizeof(settings));
    settings.user_agent = SHOP_CHECK_AGENT;
    settings.timeout = SHOP_CHECK_TIMEOUT;
    settings.connect = SHOP_CHECK_TIMEOUT / 4;
    settings.wire = AT_SHOP_BODY_MAX / 4;
    settings.bytes = AT_SHOP_BODY_MAX;
    settings.ratio = 100;
    settings.parallel = 1;
    settings.per_host = 1;
    settings.compressed = 1;
    settings.allow = &allow;

    fetch = at_fetch_create(&settings);
    lines = shop_check_lines(c->shop);
    rc = fetch && lines ? shop_check_follow(c, fetch, lines) : AT_ERROR;

    for (i = 0; lines && i < c->shop->headers.n; i++) {
        free(lines[i]);
    }

    free(lines);
    at_fetch_free(fetch);
    free(allow.rules);

    return rc;
}


static int
shop_check_is_url(const char *s)
{
    return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}


/* The value of a field, for a reader; "" if there is none. */

static const char *
shop_check_value(const at_shop_product_t *p, at_shop_field_e field,
    char out[AT_RECIPE_URL_MAX + 1])
{
    char             low[32], high[32];
    const at_str_t  *s;

    out[0] = '\0';
    s = NULL;

    switch (field) {

    case AT_SHOP_ID:
        s = &p->id;
        break;

    case AT_SHOP_TITLE:
        s = &p->title;
        break;

    case AT_SHOP_IMAGE:
        s = &p->image;
        break;

    case AT_SHOP_URL:
        s = &p->url;
        break;

    case AT_SHOP_CURRENCY:
        return p->currency;

    case AT_SHOP_STOCK:
        return at_shop_stock_name(p->stock);

    default:
        at_shop_money_write(field == AT_SHOP_MRP ? p->mrp : p->price, low);
        at_shop_money_write(p->price_max, high);

        if (field == AT_SHOP_MRP ? p->mrp : p->price) {
            (void) snprintf(out, AT_RECIPE_URL_MAX, "%s%s%s", low,
                            field == AT_SHOP_PRICE && p->price_max > p->price
                            ? " to " : "",
                            field == AT_SHOP_PRICE && p->price_max > p->price
                            ? high : "");
        }
    }

    if (s) {
        (void) snprintf(out, AT_RECIPE_URL_MAX, "%.*s", (int) s->len,
                        s->len ? s->data : "");
    }

    return out;
}


/* The find that won, or NULL. */

static const at_shop_find_t *
shop_check_winner(const at_shop_product_t *p, at_shop_field_e field)
{
    const at_shop_find_t  *f;

    if (field == AT_SHOP_CURRENCY) {
        field = AT_SHOP_PRICE;
    }

    for (f = p->finds; f; f = f->next) {
        if (f->field == field && f->why == NULL) {
            return f;
        }
    }

    return NULL;
}


static void
shop_check_losers(const at_shop_product_t *p, at_shop_field_e field)
{
    const at_shop_find_t  *f;

    for (f = p->finds; f; f = f->next) {

        if (f->field == field && f->why) {
            printf("  %10s  %.*s\n              %s, %.*s: %s\n", "",
                   f->raw.len > 120 ? 120 : (int) f->raw.len, f->raw.data,
                   at_shop_layer_name(f->layer), (int) f->source.len,
                   f->source.len ? f->source.data : "", f->why);
        }
    }
}


static void
shop_check_product(const shop_check_t *c, const at_shop_product_t *p)
{
    char                   other[32], text[AT_RECIPE_URL_MAX + 1];
    size_t                 i;
    const at_shop_find_t  *f;

    for (i = 0; i < AT_SHOP_FIELDS; i++) {
        f = shop_check_winner(p, (at_shop_field_e) i);

        if (p->layer[i] == AT_SHOP_LAYERS) {
            printf("  %-10s  -\n", at_shop_field_name((at_shop_field_e) i));

        } else {
            printf("  %-10s  %s\n              %s, %.*s\n",
                   at_shop_field_name((at_shop_field_e) i),
                   shop_check_value(p, (at_shop_field_e) i, text),
                   at_shop_layer_name((at_shop_layer_e) p->layer[i]),
                   f ? (int) f->source.len : 0,
                   f && f->source.len ? f->source.data : "");
        }

        if (c->verbose) {
            shop_check_losers(p, (at_shop_field_e) i);
        }
    }

    if (p->disagrees) {
        at_shop_money_write(p->other, other);
        printf("  the layers do not agree: %s says %s\n",
               at_shop_layer_name((at_shop_layer_e) p->other_layer), other);
    }

    if (p->price) {
        printf("  the price was %s in what the page shows\n",
               p->shown ? "seen" : "not found");
    }

    if (p->stranger) {
        printf("  the page is about another product than was asked for\n");
    }
}


static void
shop_check_show(const shop_check_t *c, const at_shop_page_t *page, double ms)
{
    size_t                    n;
    const at_shop_product_t  *p;

    printf("recipe %s, %zu bytes, read in %.2f ms%s\n",
           c->recipe, c->body.len, ms, page->tree ? "" : " without a tree");
    printf("state %s%s%s\n", at_shop_state_name(page->state),
           page->why[0] ? ": " : "", page->why);

    if (c->list) {
        printf("cards %zu, products %zu\n", page->cards, page->n);
    }

    for (p = page->products, n = 1; p; p = p->next, n++) {
        printf(c->list ? "product %zu\n" : "product\n", n);
        shop_check_product(c, p);
    }
}


static int
shop_check_read(shop_check_t *c, at_shop_t *shop, at_shop_input_t *input,
    at_shop_page_t *page)
{
    int     rc;
    double  ms;

    struct timespec  a, b;

    input->list = c->list == 1;
    (void) clock_gettime(CLOCK_MONOTONIC, &a);
    rc = at_shop_read(shop, c->shop, input, page);
    (void) clock_gettime(CLOCK_MONOTONIC, &b);

    ms = (double) (b.tv_sec - a.tv_sec) * 1e3
         + (double) (b.tv_nsec - a.tv_nsec) / 1e6;

    if (rc == AT_OK) {
        shop_check_show(c, page, ms);

    } else {
        fprintf(stderr, "atelier-shop: %s: %s\n", c->page, page->why);
    }

    return rc == AT_OK && page->state == AT_SHOP_PAGE ? SHOP_OK : SHOP_FAILED;
}


/* An address with an id is a product's; else cards make a list. */

static void
shop_check_guess(shop_check_t *c, at_shop_t *shop, at_shop_input_t *input,
    at_shop_page_t *page)
{
    at_str_t        id;
    at_shop_pool_t  pool = { .max = 65536 * 2 };

    id = at_recipe_url_id(c->shop, input->asked, &pool);
    c->list = 0;

    if (id.len == 0) {
        input->list = 1;
        (void) at_shop_read(shop, c->shop, input, page);
        c->list = page->cards > 1;
    }

    at_shop_pool_free(&pool);
}


static int
shop_check_page(shop_check_t *c)
{
    int              rc;
    at_shop_t       *shop;
    at_shop_page_t   page;
    at_shop_input_t  input;

    if (shop_check_is_url(c->page)) {
        c->url = c->page;
        rc = shop_check_fetch(c);

    } else {
        rc = shop_file_read(c->page, AT_SHOP_BODY_MAX, &c->body);
    }

    if (rc != AT_OK) {
        return SHOP_FAILED;
    }

    shop = at_shop_create();
    if (shop == NULL) {
        fprintf(stderr, "atelier-shop: no memory\n");
        return SHOP_FAILED;
    }

    memset(&input, 0, sizeof(input));
    input.body = at_buf_str(&c->body);
    input.status = c->status;
    input.asked = c->url ? (at_str_t) { strlen(c->url), c->url }
                         : AT_STR_NULL;
    input.url = (at_str_t) { strlen(c->final), c->final };
    input.type = (at_str_t) { strlen(c->head.type), c->head.type };

    if (c->list < 0) {
        shop_check_guess(c, shop, &input, &page);
    }

    rc = shop_check_read(c, shop, &input, &page);
    at_shop_free(shop);

    return rc;
}


int
shop_check(int argc, char **argv)
{
    int           rc;
    shop_check_t  c;

    memset(&c, 0, sizeof(c));

    if (shop_check_options(argc, argv, &c) != AT_OK) {
        return SHOP_USAGE;
    }

    c.shop = shop_recipe_read(c.recipe);

    if (c.shop == NULL) {
        return SHOP_FAILED;
    }

    rc = SHOP_OK;

    if (c.page) {
        rc = shop_check_page(&c);

    } else {
        printf("atelier-shop: the recipe %s is right\n", c.recipe);
    }

    at_recipe_free(c.shop);
    at_buf_free(&c.body);

    return rc;
}
