/*
 * Fetches pages of shops and reads products from them, as atelier-shop does,
 * and prints one line of JSON: how many pages a second of CPU time it does.
 *
 *     pages BASE N PARALLEL MODE GZIP
 *
 * BASE/p/0 to BASE/p/N-1 are fetched, PARALLEL at once.  MODE is "none" (only
 * fetched), "ld" (product pages) or "cards" (lists).  GZIP is "gzip", or
 * anything else for plain bodies.  RECIPES in the environment names files of
 * recipes with blanks between them: a page is read by the first of them whose
 * first host stands in it, else by the last.  bench/pages builds and calls it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "at_fetch.h"
#include "shop/at_shop.h"


#define PARALLEL_MAX  64
#define RECIPES_MAX   16


typedef struct {
    const char       *base;
    const char       *mode;
    size_t            wanted;
    size_t            parallel;
    int               compressed;
    at_recipe_t      *recipes[RECIPES_MAX];
    size_t            n;
    at_shop_t        *shop;
    int               none;
    int               list;
    size_t            pages;
    size_t            items;
    size_t            bytes;
    size_t            bad;
} run_t;


static at_recipe_t *
recipe(const char *file)
{
    char          error[AT_RECIPE_ERROR_MAX];
    static char   text[AT_RECIPE_FILE_MAX];
    FILE         *f;
    size_t        n;
    at_recipe_t  *r;

    f = fopen(file, "rb");
    n = f ? fread(text, 1, sizeof(text), f) : 0;

    if (f) {
        (void) fclose(f);
    }

    r = at_recipe_parse(file, (at_str_t) { n, text }, error);

    if (r == NULL) {
        fprintf(stderr, "pages: %s\n", error);
        exit(1);
    }

    return r;
}


static void
page(run_t *run, at_fetch_call_t *call)
{
    size_t                    i;
    at_str_t                  host;
    at_shop_page_t            page;
    at_shop_input_t           input;
    const at_shop_product_t  *p;

    run->pages++;
    run->bytes += call->body.len;

    if (call->outcome != AT_FETCH_OK) {
        run->bad++;
        return;
    }

    if (run->none) {
        return;
    }

    memset(&input, 0, sizeof(input));
    input.body = at_buf_str(&call->body);
    input.status = call->status;
    input.list = run->list != 0;

    for (i = 0; i + 1 < run->n; i++) {
        host = run->recipes[i]->hosts.items[0];

        if (memmem(input.body.data, input.body.len > 65536 ? 65536
                                                           : input.body.len,
                   host.data, host.len))
        {
            break;
        }
    }

    if (at_shop_read(run->shop, run->recipes[i], &input, &page) != AT_OK
        || page.state != AT_SHOP_PAGE)
    {
        run->bad++;
    }

    for (p = page.products; p; p = p->next) {
        run->items += p->price != 0;
    }
}


static double
cpu(void)
{
    struct rusage  r;

    (void) getrusage(RUSAGE_SELF, &r);

    return (double) (r.ru_utime.tv_sec + r.ru_stime.tv_sec)
           + (double) (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}


static double
now(void)
{
    struct timespec  t;

    (void) clock_gettime(CLOCK_MONOTONIC, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static void
begin(at_fetch_t *fetch, at_fetch_call_t *call, char *url, size_t size,
    const char *base, size_t i)
{
    memset(call, 0, sizeof(at_fetch_call_t));
    (void) snprintf(url, size, "%s/p/%zu", base, i);
    call->url = (at_str_t) { strlen(url), url };
    call->data = url;
    (void) at_fetch_begin(fetch, call);
}


static void
options(run_t *run, char **argv)
{
    char  *name, *list, *rest;

    memset(run, 0, sizeof(run_t));

    run->base = argv[1];
    run->wanted = strtoul(argv[2], NULL, 10);
    run->parallel = strtoul(argv[3], NULL, 10);
    run->parallel = run->parallel > PARALLEL_MAX ? PARALLEL_MAX
                                                 : run->parallel;
    run->mode = argv[4];
    run->none = strcmp(argv[4], "none") == 0;
    run->list = strcmp(argv[4], "cards") == 0;
    run->compressed = strcmp(argv[5], "gzip") == 0;

    list = getenv("RECIPES");
    rest = NULL;

    for (name = list ? strtok_r(list, " ", &rest) : NULL;
         name && run->n < RECIPES_MAX; name = strtok_r(NULL, " ", &rest))
    {
        run->recipes[run->n++] = recipe(name);
    }
}


static at_fetch_t *
create(const run_t *run)
{
    static at_address_rule_t    rule;
    static at_address_list_t    allow;
    static at_fetch_settings_t  settings;      /* outlives this */

    if (at_address_parse("127.0.0.0/8", &rule) != AT_OK) {
        return NULL;
    }

    allow.rules = &rule;
    allow.n = 1;

    memset(&settings, 0, sizeof(settings));
    settings.user_agent = "atelier-shop";
    settings.allow = &allow;
    settings.timeout = 30000;
    settings.connect = 5000;
    settings.wire = 4 * 1024 * 1024;
    settings.bytes = AT_SHOP_BODY_MAX;
    settings.ratio = 100;
    settings.parallel = (unsigned) run->parallel;
    settings.compressed = run->compressed;

    return at_fetch_create(&settings);
}


static void
fetch_all(run_t *run, at_fetch_t *fetch)
{
    char              urls[PARALLEL_MAX][256], *url;
    size_t            started;
    at_fetch_call_t   calls[PARALLEL_MAX], *call;

    for (started = 0; started < run->wanted && started < run->parallel;
         started++)
    {
        begin(fetch, &calls[started], urls[started], sizeof(urls[0]),
              run->base, started);
    }

    while (run->pages < run->wanted) {
        at_fetch_turn(fetch, 1000, -1);

        while ((call = at_fetch_next(fetch)) != NULL) {
            page(run, call);
            url = call->data;
            at_fetch_clear(call);

            if (started < run->wanted) {
                begin(fetch, call, url, sizeof(urls[0]), run->base,
                      started++);
            }
        }
    }
}


static void
report(const run_t *run, double cpu_s, double wall_s)
{
    struct rusage  usage;

    (void) getrusage(RUSAGE_SELF, &usage);

    printf("{\"tool\": \"atelier\", \"mode\": \"%s\", \"conc\": %zu, \"pages\":"
           " %zu, \"items\": %zu, \"bad\": %zu, \"MB\": %.1f, \"wall_s\": "
           "%.2f, \"cpu_s\": %.2f, \"pages_per_s\": %.1f, "
           "\"pages_per_cpu_s\": %.1f, \"maxrss_MB\": %.1f}\n", run->mode,
           run->parallel, run->pages, run->items, run->bad,
           (double) run->bytes / 1e6, wall_s, cpu_s,
           (double) run->pages / wall_s, (double) run->pages / cpu_s,
           (double) usage.ru_maxrss / 1024);
}


int
main(int argc, char **argv)
{
    run_t        run;
    double       c, w;
    size_t       i;
    at_fetch_t  *fetch;

    if (argc < 6) {
        fprintf(stderr, "usage: pages BASE N PARALLEL none|ld|cards "
                "gzip|plain\n");
        return 2;
    }

    options(&run, argv);

    run.shop = at_shop_create();
    fetch = (at_fetch_init() == AT_OK) ? create(&run) : NULL;

    if (fetch == NULL || run.shop == NULL || (run.n == 0 && !run.none)) {
        fprintf(stderr, "pages: does not start; are RECIPES set?\n");
        return 1;
    }

    c = cpu();
    w = now();

    fetch_all(&run, fetch);
    report(&run, cpu() - c, now() - w);

    for (i = 0; i < run.n; i++) {
        at_recipe_free(run.recipes[i]);
    }

    at_shop_free(run.shop);
    at_fetch_free(fetch);

    return 0;
}
