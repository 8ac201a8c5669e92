/*
 * How many pages of shops give a price, and by which layer (see at_look.h).
 *
 * A page gives each layer the share of its products whose price is from it,
 * and "any" the share of those with a price at all.  The last AT_LOOK_WINDOW
 * pages of a shop and kind are compared with the mean of those before: a fall
 * of more than AT_LOOK_FALL points is an alarm, which ends when the rate is
 * back.  Meanwhile the mean stands still, or a new layout would soon be taken
 * for what is usual.  Walls and failures say nothing of the layout.
 */

#include "at_look.h"
#include "at_log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>


#define AT_LOOK_WINDOW  50
#define AT_LOOK_LEAST   20      /* pages that make a mean */
#define AT_LOOK_LONG    500     /* ... a mean has the weight of, at most */
#define AT_LOOK_FALL    20.0    /* points */
#define AT_LOOK_RISE    10.0    /* below the mean, and it is over */
#define AT_LOOK_ANY     AT_SHOP_LAYERS
#define AT_LOOK_RATES   (AT_SHOP_LAYERS + 1)


typedef struct {
    uint8_t    window[AT_LOOK_WINDOW];      /* points */
    double     mean;
    unsigned   alarm:1;
} at_look_rate_t;


typedef struct {
    unsigned         pages;     /* that count */
    unsigned         before;    /* that have left the window */
    int64_t          states[AT_LOOK_STATES];
    int64_t          prices[AT_SHOP_LAYERS];
    int64_t          alarms;
    at_look_rate_t   rates[AT_LOOK_RATES];
} at_look_kind_t;


struct at_look_hits_s {
    char            name[64];
    at_look_kind_t  kinds[2];   /* products and lists */
};


static int at_look_counts(at_look_state_e state);
static void at_look_points(const at_shop_page_t *page,
    uint8_t points[AT_LOOK_RATES], at_look_kind_t *kind);
static void at_look_rate(at_look_hits_t *h, int list, int layer,
    uint8_t points);
static double at_look_recent(const at_look_kind_t *k,
    const at_look_rate_t *r);
static void at_look_alarm(const at_look_hits_t *h, int list, int layer,
    double recent);
static int at_look_series(at_buf_t *b, int what);
static int at_look_series_kind(at_buf_t *b, int what,
    const at_look_hits_t *h, int list);
static const char *at_look_layer(int layer);


static const char *const  at_look_kinds[] = { "product", "list" };

static pthread_mutex_t  at_look_lock = PTHREAD_MUTEX_INITIALIZER;
static at_look_hits_t   at_look_all[AT_LOOK_SHOPS_MAX];
static size_t           at_look_nall;


/* They stay when recipes are read anew. */

at_look_hits_t *
at_look_hits(const char *shop)
{
    size_t           i;
    at_look_hits_t  *h;

    h = NULL;
    (void) pthread_mutex_lock(&at_look_lock);

    for (i = 0; i < at_look_nall; i++) {
        if (strcmp(at_look_all[i].name, shop) == 0) {
            h = &at_look_all[i];
        }
    }

    if (h == NULL && at_look_nall < AT_LOOK_SHOPS_MAX) {
        h = &at_look_all[at_look_nall++];
        (void) snprintf(h->name, sizeof(h->name), "%s", shop);
    }

    (void) pthread_mutex_unlock(&at_look_lock);

    return h;
}


void
at_look_hits_add(at_look_hits_t *h, int list, at_look_state_e state,
    const at_shop_page_t *page)
{
    int              i;
    uint8_t          points[AT_LOOK_RATES];
    at_look_kind_t  *kind;

    if (h == NULL) {
        return;
    }

    kind = &h->kinds[list != 0];
    memset(points, 0, sizeof(points));
    (void) pthread_mutex_lock(&at_look_lock);

    kind->states[state]++;

    if (page && at_look_counts(state)) {

        if (state == AT_LOOK_PAGE) {
            at_look_points(page, points, kind);
        }

        for (i = 0; i < AT_LOOK_RATES; i++) {
            at_look_rate(h, list != 0, i, points[i]);
        }

        kind->pages++;

        if (kind->pages > AT_LOOK_WINDOW) {
            kind->before++;
        }
    }

    (void) pthread_mutex_unlock(&at_look_lock);
}


static int
at_look_counts(at_look_state_e state)
{
    return state == AT_LOOK_PAGE || state == AT_LOOK_UNKNOWN
           || state == AT_LOOK_CLIENT || state == AT_LOOK_MISSING;
}


static void
at_look_points(const at_shop_page_t *page, uint8_t points[AT_LOOK_RATES],
    at_look_kind_t *kind)
{
    size_t                    i, n, hits[AT_LOOK_RATES];
    const at_shop_product_t  *p;

    memset(hits, 0, sizeof(hits));
    n = 0;

    for (p = page->products; p; p = p->next) {
        n++;
        i = p->layer[AT_SHOP_PRICE];

        if (p->price > 0 && i < AT_SHOP_LAYERS) {
            hits[i]++;
            hits[AT_LOOK_ANY]++;
            kind->prices[i]++;
        }
    }

    for (i = 0; i < AT_LOOK_RATES; i++) {
        points[i] = (uint8_t) (n ? 100 * hits[i] / n : 0);
    }
}


static void
at_look_rate(at_look_hits_t *h, int list, int layer, uint8_t points)
{
    double           recent, weight;
    uint8_t         *slot;
    at_look_kind_t  *k = &h->kinds[list];
    at_look_rate_t  *r = &k->rates[layer];

    slot = &r->window[k->pages % AT_LOOK_WINDOW];

    if (k->pages >= AT_LOOK_WINDOW && !r->alarm) {
        weight = (k->before < AT_LOOK_LONG) ? k->before : AT_LOOK_LONG;
        r->mean = (r->mean * weight + *slot) / (weight + 1);
    }

    *slot = points;

    if (k->before < AT_LOOK_LEAST) {
        return;
    }

    recent = at_look_recent(k, r);

    if (r->alarm ? recent > r->mean - AT_LOOK_RISE
                 : recent < r->mean - AT_LOOK_FALL)
    {
        r->alarm = !r->alarm;
        k->alarms += r->alarm;
        at_look_alarm(h, list, layer, recent);
    }
}


static double
at_look_recent(const at_look_kind_t *k, const at_look_rate_t *r)
{
    unsigned  i, n, sum;

    n = (k->pages < AT_LOOK_WINDOW) ? k->pages : AT_LOOK_WINDOW;

    for (i = 0, sum = 0; i < n; i++) {
        sum += r->window[i];
    }

    return n ? (double) sum / n : 0;
}


static void
at_look_alarm(const at_look_hits_t *h, int list, int layer, double recent)
{
    const at_look_rate_t  *r = &h->kinds[list].rates[layer];

    at_log(r->alarm ? AT_LOG_ERROR : AT_LOG_INFO,
           r->alarm ? "shop.rate.fell" : "shop.rate.back",
           at_log_text("shop", h->name),
           at_log_text("kind", at_look_kinds[list]),
           at_log_text("layer", at_look_layer(layer)),
           at_log_int("percent", (int64_t) recent),
           at_log_int("usual", (int64_t) r->mean),
           at_log_text("see", r->alarm ? "the shop may have a new layout: "
                       "atelier-shop check -v RECIPE URL" : ""));
}


static const char *
at_look_layer(int layer)
{
    return layer == AT_LOOK_ANY ? "any"
           : at_shop_layer_name((at_shop_layer_e) layer);
}


static const struct {
    const char  *name;
    const char  *type;
    const char  *help;
} at_look_metric[] = {
    { "atelier_look_pages_total", "counter",
      "Looks at pages of shops, by what they were." },
    { "atelier_look_prices_total", "counter",
      "Prices found, by the layer they were from." },
    { "atelier_look_hit_percent", "gauge",
      "Products with a price on the last 50 pages." },
    { "atelier_look_alarm", "gauge",
      "Whether that has fallen by more than 20 points." },
    { "atelier_look_alarms_total", "counter", "Such falls." }
};


int
at_look_metrics(at_buf_t *b)
{
    int  i, rc;

    rc = AT_OK;
    (void) pthread_mutex_lock(&at_look_lock);

    for (i = 0; at_look_nall && i < 5 && rc == AT_OK; i++) {
        rc = at_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n",
                           at_look_metric[i].name, at_look_metric[i].help,
                           at_look_metric[i].name, at_look_metric[i].type)
             | at_look_series(b, i);
    }

    (void) pthread_mutex_unlock(&at_look_lock);

    return rc;
}


static int
at_look_series(at_buf_t *b, int what)
{
    int     rc;
    size_t  i;

    rc = AT_OK;

    for (i = 0; i < at_look_nall && rc == AT_OK; i++) {
        rc = at_look_series_kind(b, what, &at_look_all[i], 0)
             | at_look_series_kind(b, what, &at_look_all[i], 1);
    }

    return rc;
}


static int
at_look_series_kind(at_buf_t *b, int what, const at_look_hits_t *h, int list)
{
    int                    i, rc, n;
    int64_t                value;
    const char            *label, *of;
    const at_look_kind_t  *k = &h->kinds[list];

    n = (what == 0) ? AT_LOOK_STATES : (what == 1) ? AT_SHOP_LAYERS
        : (what == 4) ? 1 : AT_LOOK_RATES;
    label = (what == 0) ? "state" : "layer";
    rc = AT_OK;

    for (i = 0; i < n && rc == AT_OK; i++) {

        value = (what == 0) ? k->states[i] : (what == 1) ? k->prices[i]
                : (what == 2) ? (int64_t) at_look_recent(k, &k->rates[i])
                : (what == 3) ? k->rates[i].alarm : k->alarms;
        of = (what == 0) ? at_look_state_name((at_look_state_e) i)
                         : at_look_layer(i);

        rc = at_buf_printf(b, "%s{shop=\"%s\",kind=\"%s\"",
                           at_look_metric[what].name, h->name,
                           at_look_kinds[list]);

        if (what != 4) {
            rc |= at_buf_printf(b, ",%s=\"%s\"", label, of);
        }

        rc |= at_buf_printf(b, "} %" PRId64 "\n", value);
    }

    return rc;
}
