/*
 * How things stand in the shops: what costs what, and what there is.
 *
 * Prices and stock move by a schedule that the shop's seed and its clock
 * decide alone: a lively twenty-fifth of the goods changes every one to three
 * minutes, the others every one to twelve hours.  The clock begins at the
 * start and at a reset, and runs at the shop's pace.  What control says of a
 * good stands until it says otherwise.
 *
 * One lock guards all; a version grows with each change that is seen here,
 * and whoever waits for a good is woken when it is counted.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shop.h"


#define SB_LIVELY  25                   /* one of so many */


typedef struct {
    int64_t    price;
    int64_t    mrp;
    unsigned   stock;
    sb_fate_e  fate;
    unsigned   version;                 /* 0: not yet looked at */
    int64_t    changed;                 /* microseconds of the wall clock */
    int64_t    served;                  /* this version first; 0: not yet */
    int64_t    fetched;                 /* its page */
    int64_t    listed;                  /* shown on others */

    /* Said by control; -1: not. */
    int64_t    told_price;
    int64_t    told_mrp;
    int64_t    told_stock;
    int        told_fate;
} sb_stand_t;


typedef struct {
    sb_stand_t  goods[SB_GOODS];
    double      pace;
    uint64_t    seed;
    int64_t     since;                  /* monotonic ms */
    double      clock;                  /* ms that had passed then */
    unsigned    ready:1;
} sb_stands_t;


static pthread_mutex_t  sb_stand_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t   sb_stand_changed;
static pthread_once_t   sb_stand_once = PTHREAD_ONCE_INIT;
static sb_stands_t      sb_stands[SB_SHOPS];


static int64_t
sb_wall_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
sb_stands_clear(sb_stands_t *s)
{
    size_t  i;

    memset(s, 0, sizeof(sb_stands_t));

    for (i = 0; i < SB_GOODS; i++) {
        s->goods[i].told_price = -1;
        s->goods[i].told_mrp = -1;
        s->goods[i].told_stock = -1;
        s->goods[i].told_fate = -1;
    }

    s->pace = 1;
    s->since = sb_now_ms();
}


static void
sb_stands_init(void)
{
    size_t              i;
    pthread_condattr_t  attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sb_stand_changed, &attr);
    pthread_condattr_destroy(&attr);

    for (i = 0; i < SB_SHOPS; i++) {
        sb_stands_clear(&sb_stands[i]);
    }
}


static sb_stands_t *
sb_stands_take(sb_shop_e shop)
{
    pthread_once(&sb_stand_once, sb_stands_init);
    pthread_mutex_lock(&sb_stand_lock);

    return &sb_stands[shop];
}


static void
sb_stands_give(void)
{
    pthread_mutex_unlock(&sb_stand_lock);
}


static double
sb_stands_clock(const sb_stands_t *s)
{
    return s->clock + (double) (sb_now_ms() - s->since) * s->pace;
}


/* Ends in 99, 49 or, for some, 50 paise, as the usual price does. */

static int64_t
sb_price_round(int64_t paise, int64_t usual)
{
    int64_t  rupees;

    rupees = paise / 100;
    rupees = rupees < 2000 ? rupees / 10 * 10 + 9 : rupees / 50 * 50 + 49;

    return rupees * 100 + usual % 100;
}


/*
 * Of five steps of a good's schedule three change its price, the fourth sells
 * it out and the fifth brings it back.  The level of the price goes round ten,
 * so that it never stays.
 */

static void
sb_stand_plan(const sb_stands_t *s, const sb_good_t *g, sb_stand_t *to,
    double *ago)
{
    double    period, at;
    int64_t   k, steps;
    uint64_t  r, level;

    static const unsigned  strides[4] = { 1, 3, 7, 9 };

    r = sb_scramble(g->hash ^ (s->seed * SB_GOLDEN));
    period = g->index % SB_LIVELY == 7
             ? 60000 + (double) (r % 120000)
             : 3600000 + (double) (r % 39600000);

    at = sb_stands_clock(s) / period + (double) (r >> 20 & 1023) / 1024
         + (double) (r >> 30 & 63);
    k = (int64_t) at;
    *ago = (at - (double) k) * period;

    steps = k / 5 * 3 + (k % 5 < 3 ? k % 5 : 2);
    level = ((uint64_t) steps * strides[r >> 40 & 3] + (r >> 42)) % 10;

    to->price = sb_price_round(g->usual * (int64_t) (74 + level * 4) / 100,
                               g->usual);
    to->mrp = g->usual * (int64_t) (112 + (r >> 50) % 90) / 100;
    to->mrp = (to->mrp / 10000 + 1) * 10000 - 100;

    if ((r >> 46) % 9 == 0) {
        to->mrp = 0;                    /* sold at its price */
    }

    to->stock = k % 5 == 3 ? 0 : 1 + (unsigned) (r >> 54) % 40;
    to->fate = SB_FATE_PAGE;
}


/* Brings what is known of a good up to now. */

static sb_stand_t *
sb_stand_look(sb_stands_t *s, sb_shop_e shop, unsigned index)
{
    double            ago;
    sb_stand_t        now, *st;
    const sb_good_t  *g;

    g = sb_good(shop, index);
    st = &s->goods[index % SB_GOODS];

    sb_stand_plan(s, g, &now, &ago);

    if (st->told_price >= 0) {
        now.price = st->told_price;
        ago = 0;
    }

    if (st->told_mrp >= 0) {
        now.mrp = st->told_mrp;
    }

    if (st->told_stock >= 0) {
        now.stock = (unsigned) st->told_stock;
    }

    if (st->told_fate >= 0) {
        now.fate = (sb_fate_e) st->told_fate;
    }

    if (st->version == 0 || now.price != st->price || now.mrp != st->mrp
        || now.stock != st->stock || now.fate != st->fate)
    {
        if (st->told_price >= 0 || st->told_stock >= 0 || s->pace <= 0) {
            ago = 0;
        }

        st->price = now.price;
        st->mrp = now.mrp;
        st->stock = now.stock;
        st->fate = now.fate;
        st->version++;
        st->changed = sb_wall_us()
                      - (ago > 0 ? (int64_t) (ago / s->pace * 1000) : 0);
        st->served = 0;
    }

    return st;
}


void
sb_stand_now(sb_shop_e shop, sb_good_t *g)
{
    sb_stand_t   *st;
    sb_stands_t  *s;

    s = sb_stands_take(shop);
    st = sb_stand_look(s, shop, g->index);

    g->price = st->price;
    g->mrp = st->mrp;
    g->stock = st->stock;
    g->fate = st->fate;
    g->version = st->version;
    g->changed = st->changed;

    sb_stands_give();
}


/* New settings: the clock goes on from where it is, at another pace. */

void
sb_stand_settle(sb_shop_e shop, const sb_settings_t *set)
{
    sb_stands_t  *s;

    s = sb_stands_take(shop);

    s->clock = sb_stands_clock(s);
    s->since = sb_now_ms();
    s->pace = set->pace;
    s->seed = set->has_seed ? set->seed : 0;

    sb_stands_give();
}


void
sb_stand_reset(sb_shop_e shop)
{
    sb_stands_t  *s;

    s = sb_stands_take(shop);
    sb_stands_clear(s);
    pthread_cond_broadcast(&sb_stand_changed);
    sb_stands_give();
}


/* A good's page was asked for, or it was shown on another. */

void
sb_stand_count(sb_shop_e shop, unsigned index, int own)
{
    sb_stands_t  *s;

    s = sb_stands_take(shop);

    if (own) {
        s->goods[index % SB_GOODS].fetched++;

    } else {
        s->goods[index % SB_GOODS].listed++;
    }

    pthread_cond_broadcast(&sb_stand_changed);
    sb_stands_give();
}


/* An answer that tells this version has left. */

void
sb_stand_served(sb_shop_e shop, unsigned index, unsigned version, int64_t at)
{
    sb_stand_t   *st;
    sb_stands_t  *s;

    s = sb_stands_take(shop);
    st = &s->goods[index % SB_GOODS];

    if (st->version == version && st->served == 0) {
        st->served = at;
        pthread_cond_broadcast(&sb_stand_changed);
    }

    sb_stands_give();
}


static void
sb_gen_money(yajl_gen g, const char *name, int64_t paise)
{
    char  text[32];

    if (paise <= 0) {
        sb_gen_member(g, name, NULL);
        return;
    }

    sb_money(text, sizeof(text), paise, 0, 1);
    sb_gen_member(g, name, text);
}


static void
sb_gen_moment(yajl_gen g, const char *name, int64_t us)
{
    if (us) {
        sb_gen_member_num(g, name, (double) us / 1000);

    } else {
        sb_gen_member(g, name, NULL);
    }
}


void
sb_stand_print(sb_shop_e shop, unsigned index, yajl_gen g)
{
    char              path[SB_PATH_MAX];
    sb_stand_t        st;
    sb_stands_t      *s;
    const sb_good_t  *good;

    good = sb_good(shop, index);
    s = sb_stands_take(shop);
    st = *sb_stand_look(s, shop, good->index);
    sb_stands_give();

    sb_shop_at(shop)->path(good, path, sizeof(path));

    yajl_gen_map_open(g);
    sb_gen_member(g, "id", good->id);
    sb_gen_member(g, "path", path);
    sb_gen_member(g, "title", good->title);
    sb_gen_member(g, "category", sb_kind(good->kind)->slug);
    sb_gen_money(g, "price", st.price);
    sb_gen_money(g, "mrp", st.mrp);
    sb_gen_member_int(g, "stock", st.stock);
    sb_gen_member(g, "page", sb_fate_name(st.fate));
    sb_gen_text(g, "moves");
    yajl_gen_bool(g, st.told_price < 0);
    sb_gen_member_int(g, "version", st.version);
    sb_gen_moment(g, "changedAt", st.changed);
    sb_gen_moment(g, "servedAt", st.served);
    sb_gen_member_int(g, "fetched", st.fetched);
    sb_gen_member_int(g, "listed", st.listed);
    yajl_gen_map_close(g);
}


/* Rupees as a number or a decimal string; SB_ERROR: no such sum. */

static int
sb_tell_money(yajl_val v, int64_t *paise)
{
    char    *end;
    double   rupees;

    if (YAJL_IS_NULL(v)) {
        return SB_OK;
    }

    if (YAJL_IS_STRING(v)) {
        rupees = strtod(v->u.string, &end);

        if (end == v->u.string || *end) {
            return SB_ERROR;
        }

    } else if (YAJL_IS_NUMBER(v)) {
        rupees = strtod(v->u.number.r, NULL);

    } else {
        return SB_ERROR;
    }

    if (!(rupees >= 0 && rupees <= 1e9)) {
        return SB_ERROR;
    }

    *paise = (int64_t) (rupees * 100 + 0.5);

    return SB_OK;
}


static int
sb_tell_member(sb_stand_t *st, const char *name, yajl_val v,
    const char **why)
{
    if (strcmp(name, "price") == 0 || strcmp(name, "mrp") == 0) {
        *why = "must be rupees from 0 to 1e9, a number or a string";
        return sb_tell_money(v, strcmp(name, "mrp") == 0 ? &st->told_mrp
                                                         : &st->told_price);
    }

    if (YAJL_IS_NULL(v)) {
        return SB_OK;
    }

    if (strcmp(name, "stock") == 0) {
        *why = "must be an integer from 0 to 100000";

        if (!YAJL_IS_INTEGER(v) || YAJL_GET_INTEGER(v) < 0
            || YAJL_GET_INTEGER(v) > 100000)
        {
            return SB_ERROR;
        }

        st->told_stock = YAJL_GET_INTEGER(v);
        return SB_OK;
    }

    if (strcmp(name, "page") == 0) {
        *why = "must be ok or a variant of the modes wall and page";
        st->told_fate = YAJL_IS_STRING(v)
                        ? sb_fate_find(YAJL_GET_STRING(v)) : -1;
        return st->told_fate < 0 ? SB_ERROR : SB_OK;
    }

    *why = "there is no such member: price, mrp, stock, page";

    return SB_ERROR;
}


/*
 * Says how a good stands, all of it: what is not said, or null, goes by the
 * schedule.  SB_ERROR: nothing is changed.
 */

int
sb_stand_tell(sb_shop_e shop, unsigned index, yajl_val v,
    const char **member, const char **why)
{
    size_t        i;
    sb_stand_t    told, *st;
    sb_stands_t  *s;

    memset(&told, 0, sizeof(sb_stand_t));
    told.told_price = -1;
    told.told_mrp = -1;
    told.told_stock = -1;
    told.told_fate = -1;

    for (i = 0; v && i < v->u.object.len; i++) {
        *member = v->u.object.keys[i];

        if (sb_tell_member(&told, *member, v->u.object.values[i], why)
            != SB_OK)
        {
            return SB_ERROR;
        }
    }

    s = sb_stands_take(shop);
    st = &s->goods[index % SB_GOODS];
    st->told_price = told.told_price;
    st->told_mrp = told.told_mrp;
    st->told_stock = told.told_stock;
    st->told_fate = told.told_fate;
    (void) sb_stand_look(s, shop, index);
    pthread_cond_broadcast(&sb_stand_changed);
    sb_stands_give();

    return SB_OK;
}


static int
sb_stand_value(const void *data, const char *name, size_t len,
    int64_t *value)
{
    size_t             i;
    const sb_stand_t  *st = data;
    const struct {
        const char  *name;
        int64_t      value;
    } values[] = {
        { "fetched", st->fetched }, { "listed", st->listed },
        { "served", st->served != 0 }, { "version", st->version },
        { "stock", st->stock }
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strlen(values[i].name) == len
            && memcmp(values[i].name, name, len) == 0)
        {
            *value = values[i].value;
            return SB_OK;
        }
    }

    return SB_ERROR;
}


/* 1: the conditions hold, 0: the time is over, SB_ERROR: *why. */

int
sb_stand_await(sb_shop_e shop, unsigned index, const char *conditions,
    int64_t ms, const char **why)
{
    int              rc;
    int64_t          at, now, next;
    sb_stands_t     *s;
    struct timespec  ts;

    at = sb_now_ms() + ms;
    s = sb_stands_take(shop);

    for ( ;; ) {
        rc = sb_conditions_hold(sb_stand_value,
                                sb_stand_look(s, shop, index), conditions,
                                why);
        now = sb_now_ms();

        if (rc != 0 || now >= at || sb_stopping()) {
            break;
        }

        /* The schedule wakes nobody. */

        next = now + 100 < at ? now + 100 : at;
        ts.tv_sec = next / 1000;
        ts.tv_nsec = next % 1000 * 1000000;
        (void) pthread_cond_timedwait(&sb_stand_changed, &sb_stand_lock, &ts);
    }

    sb_stands_give();

    return rc;
}
