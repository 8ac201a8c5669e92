/*
 * Stand-ins for shops: what their files share.
 *
 * A shop's goods are made once, out of word lists, and never change; what they
 * cost and whether there are any does, by a schedule or because control said
 * so: shop_stand.c knows.  shop.c takes a call through robots, quota, latency
 * and faults; a file a shop finds what an address means and writes its pages;
 * shop_walls.c writes what comes instead of a page.
 */

#ifndef SANDBOX_SHOP_H
#define SANDBOX_SHOP_H


#include "sandbox.h"
#include "source.h"


#define SB_GOODS      480               /* of each shop */
#define SB_KINDS      12
#define SB_SHOWN_MAX  64                /* goods of one page */
#define SB_QUERY_MAX  200
#define SB_TITLE_MAX  160
#define SB_PATH_MAX   320


typedef enum {
    SB_SHOP_URBANLADDER,
    SB_SHOP_PEPPERFRY,
    SB_SHOP_AMAZON,
    SB_SHOP_FLIPKART,
    SB_SHOP_IKEA,
    SB_SHOPS
} sb_shop_e;


/* What an address leads to; also as variants of modes wall and page. */
typedef enum {
    SB_FATE_PAGE,                       /* the page that is meant */
    SB_FATE_CAPTCHA,
    SB_FATE_DENIED,
    SB_FATE_HUMAN,
    SB_FATE_PORTAL,
    SB_FATE_OVERLOAD,
    SB_FATE_GONE,
    SB_FATE_MISSING,
    SB_FATE_SOFT404,
    SB_FATE_HOME,
    SB_FATE_CATEGORY,
    SB_FATE_MOVED,
    SB_FATE_OFFSITE,
    SB_FATE_SHELL,
    SB_FATE_CUT,
    SB_FATE_BARE,
    SB_FATE_BOMB,
    SB_FATE_ATTRIBUTES,
    SB_FATE_DEEP,
    SB_FATES
} sb_fate_e;


typedef enum {
    SB_TARGET_NONE,
    SB_TARGET_HOME,
    SB_TARGET_LISTING,
    SB_TARGET_PRODUCT,
    SB_TARGET_API_LISTING,
    SB_TARGET_API_STOCK,
    SB_TARGET_JUMP                      /* leads to a product's page */
} sb_shop_target_e;


typedef struct {
    const char  *slug;
    const char  *noun;
    const char  *aliases;
    const char  *code;                  /* three letters of Flipkart's ids */
    long         low;                   /* rupees */
    long         high;
} sb_kind_t;


typedef struct {
    unsigned    index;
    uint64_t    hash;
    unsigned    kind;
    const char  *brand;
    const char  *name;                  /* of its collection */
    const char  *color;
    const char  *material;
    char        type[64];               /* such as "3 Seater Sofa" */
    char        title[SB_TITLE_MAX];
    char        slug[SB_TITLE_MAX];
    char        id[24];
    char        second[24];             /* another id, where a shop has one */
    int64_t     usual;                  /* price, in paise */

    /* As it is now, by sb_stand_now(): */
    int64_t     price;
    int64_t     mrp;
    unsigned    stock;
    sb_fate_e   fate;
    unsigned    version;
    int64_t     changed;                /* microseconds of the wall clock */
} sb_good_t;


typedef struct sb_shop_s  sb_shop_t;


/* A call to a shop. */
typedef struct {
    sb_call_t         *c;
    sb_buf_t          *b;               /* the answer's body */
    const sb_shop_t   *shop;
    sb_shop_target_e   target;
    const char        *path;            /* within the shop */
    char               root[48];        /* before every path of a link */
    char               base[340];       /* the same with scheme and host */
    sb_fate_e          fate;

    sb_good_t          good;            /* of a product's page */
    unsigned           old:1;           /* asked by an address of before */

    const sb_kind_t   *kind;            /* of a listing; or NULL */
    char               query[SB_QUERY_MAX];
    unsigned           page;            /* from 1 */
    unsigned           first;
    unsigned           total;
    unsigned short     found[SB_GOODS];
    unsigned           n;
    sb_good_t          goods[SB_SHOWN_MAX];

    int64_t            changed;         /* the latest change shown */
    uint64_t           noise;           /* what differs from call to call */
} sb_visit_t;


/* A good as text, ready to be written. */
typedef struct {
    const sb_good_t  *g;
    char              title[2 * SB_TITLE_MAX];      /* for HTML */
    char              json[2 * SB_TITLE_MAX];       /* for JSON */
    char              href[SB_PATH_MAX];
    char              url[SB_PATH_MAX + 340];
    char              image[SB_PATH_MAX + 340];
    char              price[32];        /* 1,23,456 or 1,23,456.50 */
    char              mrp[32];
    char              plain[32];        /* 123456 or 123456.50 */
    char              plain_mrp[32];
    char              exact[32];        /* 123456.00 */
    char              exact_mrp[32];
    unsigned          off;              /* per cent */
} sb_view_t;


struct sb_shop_s {
    sb_shop_e    shop;
    const char  *name;
    const char  *title;                 /* as it calls itself */
    unsigned     per_page;
    unsigned     most;                  /* on one page of its API */
    sb_fate_e    wall;                  /* its usual one */
    unsigned     head;                  /* status of HEAD; 0: as GET */
    const char  *captcha;               /* marks of its robot checks, */
    const char  *lost;                  /* of pages that are not there, */
    const char  *shell;                 /* and of those without scripts */
    unsigned     etag:1;
    unsigned     dated:1;               /* Last-Modified */
    const char  *robots;                /* its rules, a line each */

    /* Finds out what is asked for. */
    void       (*find)(sb_visit_t *v);

    void       (*path)(const sb_good_t *g, char *dst, size_t size);
    void       (*category)(const sb_kind_t *k, char *dst, size_t size);
    void       (*image)(const sb_good_t *g, unsigned n, unsigned width,
                        char *dst, size_t size);

    void       (*listing)(sb_visit_t *v);
    void       (*product)(sb_visit_t *v);
    void       (*api)(sb_visit_t *v);   /* or NULL */

    /* 1 if the path is of a picture, whose good and size are told. */
    int        (*picture)(const char *path, char *id, size_t size,
                          unsigned *width, unsigned *height);
};


/* shop_goods.c */

const sb_kind_t *sb_kind(unsigned i);
const sb_kind_t *sb_kind_find(const char *name);
const sb_good_t *sb_good(sb_shop_e shop, unsigned i);
int sb_good_find(sb_shop_e shop, const char *id, size_t len);
unsigned sb_goods_search(sb_shop_e shop, const char *query,
    const sb_kind_t *kind, unsigned short *found);


/* shop_stand.c */

void sb_stand_now(sb_shop_e shop, sb_good_t *g);
void sb_stand_settle(sb_shop_e shop, const sb_settings_t *s);
void sb_stand_reset(sb_shop_e shop);
void sb_stand_count(sb_shop_e shop, unsigned index, int own);
void sb_stand_served(sb_shop_e shop, unsigned index, unsigned version,
    int64_t at);
void sb_stand_print(sb_shop_e shop, unsigned index, yajl_gen g);
int sb_stand_tell(sb_shop_e shop, unsigned index, yajl_val v,
    const char **member, const char **why);
int sb_stand_await(sb_shop_e shop, unsigned index, const char *conditions,
    int64_t ms, const char **why);


/* shop_log.c */

void sb_shop_target(sb_call_t *c, char *dst, size_t size);
void sb_shop_asked(sb_call_t *c, const char *target);
void sb_shop_asked_reset(sb_shop_e shop);
void sb_shop_asked_print(sb_shop_e shop, const char *since,
    const char *path, sb_buf_t *out);


/* shop_robots.c */

int sb_robots_allowed(sb_robots_e what, const sb_shop_t *shop,
    const char *path);


/* shop.c */

const sb_shop_t *sb_shop_find(const char *name, size_t len);
const sb_shop_t *sb_shop_at(unsigned i);
const char *sb_fate_name(sb_fate_e fate);
int sb_fate_find(const char *name);
void sb_visit_list(sb_visit_t *v, const char *query, const char *category,
    const char *page);
int sb_visit_product(sb_visit_t *v, const char *id, size_t len);


/* shop_hostile.c */

void sb_shop_gzip(sb_visit_t *v);
void sb_shop_bomb(sb_visit_t *v);
void sb_shop_attributes(sb_visit_t *v);
void sb_shop_deep(sb_visit_t *v);


/* shop_walls.c */

int sb_shop_fate(sb_visit_t *v);
void sb_shop_cut(sb_visit_t *v);


/* shop_page.c */

void sb_money(char *dst, size_t size, int64_t paise, int grouped, int exact);
void sb_view(const sb_visit_t *v, const sb_good_t *g, sb_view_t *view);
void sb_html(sb_buf_t *b, const char *text);
void sb_html_copy(char *dst, size_t size, const char *src);
void sb_json_copy(char *dst, size_t size, const char *src);
void sb_filler_script(sb_buf_t *b, uint64_t seed, size_t len);
void sb_filler_style(sb_buf_t *b, uint64_t seed, size_t len);
void sb_filler_words(sb_buf_t *b, uint64_t seed, size_t len);
const char *sb_class(const sb_visit_t *v, const char *name);
uint64_t sb_visit_random(sb_visit_t *v);
void sb_menu(sb_visit_t *v);
void sb_others(const sb_visit_t *v, unsigned n, sb_good_t *others);


/* The shops, a file each. */

extern const sb_shop_t  sb_shop_urbanladder;
extern const sb_shop_t  sb_shop_pepperfry;
extern const sb_shop_t  sb_shop_amazon;
extern const sb_shop_t  sb_shop_flipkart;
extern const sb_shop_t  sb_shop_ikea;


/* shop_picture.c */

int sb_good_draw(const sb_good_t *g, unsigned width, unsigned height,
    unsigned turn, sb_picture_t *p);


#endif /* SANDBOX_SHOP_H */
