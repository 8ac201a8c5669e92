/*
 * Looks at pages of shops: fetched by at_crawl, read by a recipe, judged, and
 * made the JSON that products_see() of the database takes.
 *
 * A look is answered once, with what the page was.  Only a page that is one
 * has values: of all else, walls, error pages, pages cut off, "seen" is empty
 * and what is known stays as it is.  A wall is told to the crawler, which
 * closes the host; a page cut off is fetched again.
 *
 * How many pages gave a price, by shop, kind and layer, is counted, and a fall
 * is an alarm: a new layout of the shop, most likely.
 *
 *     at_look.c        looks
 *     at_look_shops.c  the recipes of a folder
 *     at_look_write.c  products as JSON
 *     at_look_hits.c   hit rates and their alarm
 *     at_look_conf.c   settings of who looks
 *
 * One thread uses one at_look_t.  at_look_shops_t may be shared.
 */

#ifndef AT_LOOK_H
#define AT_LOOK_H


#include "shop/at_shop.h"
#include "at_conf.h"
#include "at_crawl.h"


#define AT_LOOK_SHOPS_MAX  64


typedef struct at_look_hits_s  at_look_hits_t;


/* A recipe, and how its hosts are treated. */
typedef struct {
    at_recipe_t         *recipe;
    const char          *name;
    at_crawl_policy_t    policy;
    at_look_hits_t      *hits;

    /* of at_look_shops.c */
    char               **lines;         /* headers, and patterns of hosts */
    size_t               nlines;
    unsigned             uses;
} at_look_shop_t;


/* By name. */
typedef struct {
    at_look_shop_t      *shops[AT_LOOK_SHOPS_MAX];
    size_t               n;
} at_look_shops_t;


/*
 * The recipes FOLDER/NAME.json; the name is that of the shop, too.  before may
 * be NULL.  Of a file that is wrong the shop of that name in before is kept,
 * which is logged; without before, or if the folder cannot be read or is
 * empty, the result is NULL and error says why.  One thread at a time.
 */
at_look_shops_t *at_look_shops_read(const char *folder,
    const at_look_shops_t *before, char error[AT_CONF_ERROR_MAX]);

/* Those in use elsewhere stay. */
void at_look_shops_free(at_look_shops_t *shops);

/* NULL: there is none of that name. */
const at_look_shop_t *at_look_shop(const at_look_shops_t *shops,
    at_str_t name);


typedef enum {
    AT_LOOK_PAGE,
    AT_LOOK_SAME,               /* 304: as it was */
    AT_LOOK_UNKNOWN,            /* nothing known was found: a new layout? */
    AT_LOOK_WALL,               /* now, or since a while */
    AT_LOOK_CAPTCHA,
    AT_LOOK_MISSING,            /* a soft 404 */
    AT_LOOK_TRUNCATED,
    AT_LOOK_CLIENT,             /* rendered by a browser only */
    AT_LOOK_MOVED,
    AT_LOOK_GONE,
    AT_LOOK_DISALLOWED,         /* by robots.txt */
    AT_LOOK_SPENT,              /* what the host may be asked in a day */
    AT_LOOK_LATE,               /* its patience was over */
    AT_LOOK_REFUSED,            /* by us: its URL or address */
    AT_LOOK_FAILED,
    AT_LOOK_STOPPED
} at_look_state_e;

#define AT_LOOK_STATES  16


typedef struct {
    at_look_state_e           state;
    const char               *why;
    const at_look_shop_t     *shop;
    const at_crawl_result_t  *crawl;
    const at_shop_page_t     *page;     /* NULL: nothing was read */
    at_str_t                  seen;     /* a JSON array, "[]" if not a page */
    size_t                    n;        /* products in it */
    void                     *data;
} at_look_result_t;


typedef void (*at_look_done_pt)(const at_look_result_t *r);


/* What is given is copied, but for the shop. */
typedef struct {
    const at_look_shop_t  *shop;
    at_str_t               url;         /* of the shop, else refused */
    at_str_t               category;    /* of what it has; or empty */
    int64_t                fence;       /* of a product's lease; 0: none */
    const char            *etag;
    const char            *modified;
    at_str_t               request_id;
    int64_t                patience;    /* ms until it is begun; 0: any */
    unsigned               kind;        /* these as of at_crawl_job_t */
    unsigned               share;
    unsigned               list:1;      /* a search or category */
    unsigned               urgent:1;
    at_look_done_pt        done;
    void                  *data;
} at_look_job_t;


typedef struct at_look_s  at_look_t;


/* settings must outlive it.  NULL: no memory. */
at_look_t *at_look_create(const at_crawl_settings_t *settings);

/* Looks that are left are answered as stopped. */
void at_look_free(at_look_t *look);

/* AT_ERROR: the URL is none, or of another host, see why; AT_NO_MEMORY.  It
   is not answered. */
int at_look_add(at_look_t *look, const at_look_job_t *job, const char **why);

/* Its crawler: to turn, wake, drain, and for fetches of other kinds. */
at_crawl_t *at_look_crawl(at_look_t *look);


/* "page", "soft 404", ... */
const char *at_look_state_name(at_look_state_e state);

/*
 * Appends a product of a page as one object; nothing if it cannot be stored
 * (no id), or is about another one than was asked for.  Returns 1 if it was
 * appended, 0 if not, AT_NO_MEMORY.  list: of a list.
 */
int at_look_write(at_buf_t *b, const at_look_shop_t *shop,
    const at_shop_product_t *p, int list, at_str_t category, int64_t fence);

/* Minor units of the currency, as the database has them. */
int64_t at_look_minor(int64_t hundredths, const char *currency);


/* at_look_hits.c.  Any thread. */
at_look_hits_t *at_look_hits(const char *shop);
void at_look_hits_add(at_look_hits_t *h, int list, at_look_state_e state,
    const at_shop_page_t *page);

/* atelier_look_...: by shop and kind; for the probe of a worker. */
int at_look_metrics(at_buf_t *b);


/* The settings of who looks at shops: sections [shops] and [fetch]. */
typedef struct {
    char            *recipes;
    int64_t          timeout;
    int64_t          connect;
    int64_t          parallel;
    int64_t          retries;
    int64_t          backoff;
    int64_t          redirects;
    int64_t          share;
    int64_t          wall_least;
    int64_t          wall_most;
    char            *agent;             /* of ours, in robots.txt, too */
    at_conf_list_t   user_agents;
    at_conf_list_t   proxies;
    at_conf_list_t   allow_address;
} at_look_conf_t;


/* Lines of a table of at_conf_key_t; member is an at_look_conf_t of type. */
#define at_look_keys(type, member)                                            \
    { "shops", "recipes", AT_CONF_TEXT, offsetof(type, member.recipes),       \
      NULL, 0, 0, NULL },                                                     \
    { "fetch", "timeout", AT_CONF_TIME, offsetof(type, member.timeout),       \
      "5s", 100, 10 * AT_CONF_MINUTE, NULL },                                 \
    { "fetch", "connect", AT_CONF_TIME, offsetof(type, member.connect),       \
      "2s", 100, 10 * AT_CONF_MINUTE, NULL },                                 \
    { "fetch", "parallel", AT_CONF_NUMBER, offsetof(type, member.parallel),   \
      "16", 1, 1000, NULL },                                                  \
    { "fetch", "retries", AT_CONF_NUMBER, offsetof(type, member.retries),     \
      "3", 0, 20, NULL },                                                     \
    { "fetch", "backoff", AT_CONF_TIME, offsetof(type, member.backoff),       \
      "1s", 1, 10 * AT_CONF_MINUTE, NULL },                                   \
    { "fetch", "redirects", AT_CONF_NUMBER, offsetof(type, member.redirects), \
      "5", 0, 20, NULL },                                                     \
    { "fetch", "processes", AT_CONF_NUMBER, offsetof(type, member.share),     \
      "4", 1, 1000, NULL },                                                   \
    { "fetch", "wall_first", AT_CONF_TIME, offsetof(type, member.wall_least), \
      "15m", 1, AT_CONF_DAY, NULL },                                          \
    { "fetch", "wall_most", AT_CONF_TIME, offsetof(type, member.wall_most),   \
      "1d", 1, 30 * AT_CONF_DAY, NULL },                                      \
    { "fetch", "agent", AT_CONF_TEXT, offsetof(type, member.agent),           \
      NULL, 0, 0, at_look_conf_agent },                                       \
    { "fetch", "user_agent", AT_CONF_LIST,                                    \
      offsetof(type, member.user_agents), "", 0, 0, at_look_conf_agent },     \
    { "fetch", "proxy", AT_CONF_LIST, offsetof(type, member.proxies),         \
      "", 0, 0, at_look_conf_proxy },                                         \
    { "fetch", "allow_address", AT_CONF_LIST,                                 \
      offsetof(type, member.allow_address), "", 0, 0, at_address_check }

/* What at_look_create() wants, made of the settings, which must outlive it. */
typedef struct {
    at_crawl_settings_t  crawl;
    at_address_list_t    allow;
} at_look_wire_t;

/* redis may be NULL.  AT_ERROR: no memory. */
int at_look_wire(at_look_wire_t *w, const at_look_conf_t *conf,
    const at_redis_settings_t *redis);
void at_look_unwire(at_look_wire_t *w);

const char *at_look_conf_agent(const char *value);
const char *at_look_conf_proxy(const char *value);


#endif /* AT_LOOK_H */
