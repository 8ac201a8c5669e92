/*
 * The goods of the shops, out of word lists of the sandbox's own.
 *
 * They are made at first use and never change: a good's number decides its
 * kind, name, colour, ids and usual price, so tests and the demo find the
 * same ones every time.  Nothing here is from a real catalogue.
 */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "shop.h"


#define SB_NAMES   40
#define SB_COLORS  14
#define SB_WOODS   8
#define SB_BRANDS  10


static const sb_kind_t  sb_kinds[SB_KINDS] = {
    { "sofas", "Sofa", "couch settee living furniture", "SOF", 14000,
      160000 },
    { "chairs", "Chair", "armchair seat living furniture", "CHR", 2500,
      32000 },
    { "beds", "Bed", "cot bedroom furniture", "BDD", 11000, 98000 },
    { "dining-tables", "Dining Table", "dining set furniture", "DNT", 9000,
      120000 },
    { "coffee-tables", "Coffee Table", "centre center living furniture",
      "CFT", 2200, 26000 },
    { "wardrobes", "Wardrobe", "almirah cupboard bedroom storage furniture",
      "WRD", 9000, 110000 },
    { "bookshelves", "Bookshelf", "bookcase book shelf storage furniture",
      "BKS", 1800, 28000 },
    { "tv-units", "TV Unit", "television entertainment cabinet furniture",
      "TVU", 2600, 45000 },
    { "desks", "Study Desk", "office study table workstation furniture",
      "DSK", 3200, 42000 },
    { "lamps", "Lamp", "light lighting decor", "LMP", 450, 9000 },
    { "rugs", "Rug", "carpet floor decor", "RUG", 700, 24000 },
    { "shoe-racks", "Shoe Rack", "shoe cabinet entryway storage furniture",
      "SHR", 900, 15000 }
};


static const char *const  sb_names[SB_NAMES] = {
    "Aravalli", "Belora", "Cassava", "Dhara", "Elvino", "Fernley",
    "Gulmira", "Harvind", "Indrani", "Jorval", "Kestrin", "Lavisha",
    "Monteso", "Nalanda", "Oriva", "Palmera", "Quilon", "Ravello",
    "Sorrina", "Tavira", "Umbria", "Vasanti", "Willowby", "Xandria",
    "Yamira", "Zephyra", "Alder & Ash", "Bramble", "Café Noor", "Dunmore",
    "Emberly", "Fjordan", "Galway", "Hathi", "Isolde", "Jaipur Lane",
    "Kavya", "Lindqvist", "Mayur", "Nivaan"
};

/* Upper case and of nobody's range. */

static const char *const  sb_nordic[SB_NAMES] = {
    "VOLMARN", "TINDRAL", "SKARVET", "BRUNNKÄR", "HOLMVIK", "LÅNGDAL",
    "ÄSKEBY", "MOSSTORP", "FALKNÄS", "RINGSJÖ", "GRÅVIND", "STENLUND",
    "BJÖRKÅS", "KVISTEN", "DALHAGA", "ÖRNBERG", "SNÖMARK", "TALLVIK",
    "VINTERÖ", "LUNDARY", "HASSELN", "SJÖBRO", "KLINTEN", "ELDMARK",
    "NORRVALL", "ALMHEDE", "BÅTVIK", "EKSTIG", "FURUHED", "GLIMMERY",
    "HAVSBO", "IDELUND", "JÄRNVIK", "KORNÅS", "LJUNGARP", "MÅNSKEN",
    "NYBODA", "OXHAGEN", "PILTRÄD", "RÖDVING"
};

static const char *const  sb_colors[SB_COLORS] = {
    "Emerald Green", "Navy Blue", "Charcoal Grey", "Mustard Yellow",
    "Ivory White", "Rust Orange", "Teal Blue", "Beige", "Blush Pink",
    "Jet Black", "Olive Green", "Wine Red", "Sand Brown", "Lavender"
};

static const char *const  sb_woods[SB_WOODS] = {
    "Walnut", "Teak", "Mango Wood", "Sheesham", "Oak", "Mahogany",
    "White Ash", "Wenge"
};

static const char *const  sb_cloths[SB_WOODS] = {
    "Velvet", "Linen", "Leatherette", "Jute", "Cotton", "Chenille", "Wool",
    "Suede"
};

static const char *const  sb_brands[SB_BRANDS] = {
    "Nestory", "Woodmint", "HOMZAAR", "Casa Pallo", "UrbanTeak", "Deckora",
    "LOFTWALA", "Kraft & Co", "SitWell", "Roomvana"
};


static pthread_once_t  sb_goods_once = PTHREAD_ONCE_INIT;
static sb_good_t       sb_goods[SB_SHOPS][SB_GOODS];


const sb_kind_t *
sb_kind(unsigned i)
{
    return &sb_kinds[i % SB_KINDS];
}


/* Letters and digits alone, in lower case. */

static void
sb_plain(char *dst, size_t size, const char *src)
{
    size_t  n;
    char    ch;

    for (n = 0; *src && n + 1 < size; src++) {
        ch = (*src >= 'A' && *src <= 'Z') ? (char) (*src | 0x20) : *src;

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
            dst[n++] = ch;
        }
    }

    dst[n] = '\0';
}


/* "sofas", "Sofa", "sofas-fu003", "sofas.html": the beginning counts. */

const sb_kind_t *
sb_kind_find(const char *name)
{
    size_t    i, len;
    char      asked[64], own[64];

    sb_plain(asked, sizeof(asked), name);

    for (i = 0; i < SB_KINDS; i++) {
        sb_plain(own, sizeof(own), sb_kinds[i].slug);
        len = strlen(own);

        if (strncmp(asked, own, len) == 0
            || (strlen(asked) >= 3 && strncmp(asked, own, strlen(asked))
                == 0))
        {
            return &sb_kinds[i];
        }
    }

    return NULL;
}


static uint64_t
sb_good_chance(sb_good_t *g)
{
    return sb_scramble(g->hash += SB_GOLDEN);
}


/* Upholstered things have a cloth, others a wood. */

static int
sb_kind_soft(unsigned kind)
{
    return kind == 0 || kind == 1 || kind == 10;
}


static void
sb_good_type(sb_good_t *g, sb_shop_e shop, uint64_t r)
{
    const char  *noun;

    noun = sb_kinds[g->kind].noun;

    switch (g->kind) {

    case 0:
        snprintf(g->type, sizeof(g->type), shop == SB_SHOP_IKEA
                 ? "%llu-seat sofa" : "%llu Seater Sofa",
                 (unsigned long long) (1 + r % 4));
        break;

    case 2:
        snprintf(g->type, sizeof(g->type), "%s Bed",
                 r % 3 == 0 ? "King Size (78\" x 72\")"
                 : r % 3 == 1 ? "Queen Size" : "Single");
        break;

    case 3:
        snprintf(g->type, sizeof(g->type), "%llu Seater %s",
                 (unsigned long long) (2 + r % 4 * 2), noun);
        break;

    case 5:
        snprintf(g->type, sizeof(g->type), "%llu Door %s",
                 (unsigned long long) (2 + r % 3), noun);
        break;

    case 9:
        snprintf(g->type, sizeof(g->type), "%s Lamp", r % 2 ? "Floor"
                                                           : "Table");
        break;

    case 10:
        snprintf(g->type, sizeof(g->type), "%llu x %llu ft Rug",
                 (unsigned long long) (2 + r % 5),
                 (unsigned long long) (4 + r % 6));
        break;

    default:
        snprintf(g->type, sizeof(g->type), "%s", noun);
        break;
    }
}


static void
sb_good_title(sb_good_t *g, sb_shop_e shop, uint64_t r)
{
    char    *d;
    size_t   size;

    d = g->title;
    size = sizeof(g->title);

    switch (shop) {

    case SB_SHOP_URBANLADDER:
        snprintf(d, size, "%s %s (%s, %s)", g->name, g->type, g->color,
                 g->material);
        break;

    case SB_SHOP_PEPPERFRY:
        snprintf(d, size, r % 2 ? "%s %s in %s Colour"
                                : "%s %s in %s & %s Finish",
                 g->name, g->type, g->color, g->material);
        break;

    case SB_SHOP_AMAZON:
        snprintf(d, size, "%s %s %s %s for Home, %s (%s)", g->brand,
                 g->name, g->material, g->type, r % 2
                 ? "DIY, Do-It-Yourself" : "1 Year Warranty", g->color);
        break;

    case SB_SHOP_FLIPKART:
        snprintf(d, size, "%s %s %s %s  (Finish Color - %s, %s)", g->brand,
                 g->name, g->material, g->type, g->color, r % 2
                 ? "DIY(Do-It-Yourself)" : "Pre-assembled");
        break;

    default:
        snprintf(d, size, "%s %s, %s", g->name, g->type, g->color);
        break;
    }
}


static void
sb_good_slug(sb_good_t *g)
{
    size_t       n;
    const char  *p;
    char         ch;

    n = 0;

    for (p = g->title; *p && n + 1 < sizeof(g->slug); p++) {
        ch = (*p >= 'A' && *p <= 'Z') ? (char) (*p | 0x20) : *p;

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')) {
            g->slug[n++] = ch;

        } else if (n && g->slug[n - 1] != '-') {
            g->slug[n++] = '-';
        }
    }

    while (n && g->slug[n - 1] == '-') {
        n--;
    }

    g->slug[n] = '\0';
}


static void
sb_good_letters(char *dst, size_t n, uint64_t r)
{
    static const char  abc[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    for ( ; n; n--) {
        *dst++ = abc[r % 32];
        r = sb_scramble(r + SB_GOLDEN);
    }

    *dst = '\0';
}


static void
sb_good_ids(sb_good_t *g, sb_shop_e shop, uint64_t r)
{
    unsigned long  n;

    switch (shop) {

    case SB_SHOP_AMAZON:
        g->id[0] = 'B';
        g->id[1] = '0';
        sb_good_letters(g->id + 2, 8, r);
        break;

    case SB_SHOP_FLIPKART:
        snprintf(g->id, sizeof(g->id), "%s", sb_kinds[g->kind].code);
        sb_good_letters(g->id + 3, 13, r);
        snprintf(g->second, sizeof(g->second), "itm%013llx",
                 (unsigned long long) (r & 0xfffffffffffff));
        break;

    case SB_SHOP_IKEA:
        n = 10000000 + g->index * 170011UL + (unsigned long) (r % 170000);
        snprintf(g->id, sizeof(g->id), "%s%lu", r % 6 ? "" : "S", n);
        snprintf(g->second, sizeof(g->second), "%s%03lu.%03lu.%02lu",
                 r % 6 ? "" : "S", n / 100000, n / 100 % 1000, n % 100);
        break;

    default:
        n = 1000000 + g->index * 17011UL + (unsigned long) (r % 17000);
        snprintf(g->id, sizeof(g->id), "%lu", n);
        snprintf(g->second, sizeof(g->second), "%s%05lu",
                 sb_kinds[g->kind].code, n % 100000);
        break;
    }
}


/* Few are cheap and few are dear; some end in paise. */

static int64_t
sb_good_usual(const sb_good_t *g, uint64_t r)
{
    double            t;
    int64_t           rupees;
    const sb_kind_t  *k;

    k = &sb_kinds[g->kind];
    t = (double) (r % 1000) / 1000;
    rupees = k->low + (int64_t) ((double) (k->high - k->low) * t * t * t);
    rupees = rupees / 100 * 100 + (r >> 20) % 3 * 50 + 99;

    return rupees * 100 + ((r >> 30) % 20 == 0 ? 50 : 0);
}


static void
sb_good_make(sb_good_t *g, sb_shop_e shop, unsigned i)
{
    unsigned  soft;
    uint64_t  r;

    memset(g, 0, sizeof(sb_good_t));

    g->index = i;
    g->kind = i % SB_KINDS;
    g->hash = sb_scramble(((uint64_t) shop << 32) + i + 77);

    r = sb_good_chance(g);
    soft = (unsigned) sb_kind_soft(g->kind);
    g->name = (shop == SB_SHOP_IKEA ? sb_nordic : sb_names)
              [(i / SB_KINDS * 7 + g->kind * 3 + shop) % SB_NAMES];
    g->brand = sb_brands[r % SB_BRANDS];
    g->color = sb_colors[(r >> 8) % SB_COLORS];
    g->material = (soft ? sb_cloths : sb_woods)[(r >> 16) % SB_WOODS];

    sb_good_type(g, shop, r >> 24);
    sb_good_title(g, shop, r >> 32);
    sb_good_slug(g);
    sb_good_ids(g, shop, sb_good_chance(g));
    g->usual = sb_good_usual(g, sb_good_chance(g));
}


static void
sb_goods_make(void)
{
    unsigned  shop, i;

    for (shop = 0; shop < SB_SHOPS; shop++) {
        for (i = 0; i < SB_GOODS; i++) {
            sb_good_make(&sb_goods[shop][i], (sb_shop_e) shop, i);
        }
    }
}


const sb_good_t *
sb_good(sb_shop_e shop, unsigned i)
{
    pthread_once(&sb_goods_once, sb_goods_make);

    return &sb_goods[shop][i % SB_GOODS];
}


/* -1: there is none of this id, by either of its ids. */

int
sb_good_find(sb_shop_e shop, const char *id, size_t len)
{
    unsigned          i;
    const sb_good_t  *g;

    for (i = 0; len && i < SB_GOODS; i++) {
        g = sb_good(shop, i);

        if ((strlen(g->id) == len && strncasecmp(g->id, id, len) == 0)
            || (strlen(g->second) == len
                && strncasecmp(g->second, id, len) == 0))
        {
            return (int) i;
        }
    }

    return -1;
}


/* How many of the query's words a good has; their plural -s does not count. */

static unsigned
sb_good_score(const sb_good_t *g, const char *query, unsigned *words)
{
    size_t    n;
    char      text[3 * SB_TITLE_MAX], word[32];
    unsigned  score;

    snprintf(text, sizeof(text), "%s %s %s %s %s", g->title, g->material,
             g->color, sb_kinds[g->kind].noun, sb_kinds[g->kind].aliases);
    score = 0;
    *words = 0;

    while (*query) {
        query += strspn(query, " \t,.+-");
        n = strcspn(query, " \t,.+-");

        if (n == 0) {
            break;
        }

        if (n > 1 && n < sizeof(word)) {
            memcpy(word, query, n);
            word[n - (n > 3 && (word[n - 1] | 0x20) == 's')] = '\0';
            (*words)++;
            score += (strcasestr(text, word) != NULL);
        }

        query += n;
    }

    return score;
}


/*
 * Numbers of the goods that have all words of the query, or most of them when
 * none has all; in an order of no meaning, as shops have it.
 */

unsigned
sb_goods_search(sb_shop_e shop, const char *query, const sb_kind_t *kind,
    unsigned short *found)
{
    unsigned          i, k, n, best, words;
    unsigned char     scores[SB_GOODS];
    const sb_good_t  *g;

    best = 0;
    n = 0;
    words = 0;

    for (i = 0; i < SB_GOODS; i++) {
        g = sb_good(shop, i);
        scores[i] = 0;

        if (kind == NULL || kind == &sb_kinds[g->kind]) {
            scores[i] = (unsigned char) (1 + sb_good_score(g, query, &words));
            best = scores[i] > best ? scores[i] : best;
        }
    }

    /* Nothing but the kind, or nothing at all, is in common. */

    if (best == 1 && words) {
        return 0;
    }

    for (i = 0; best && i < SB_GOODS; i++) {
        k = (i * 217 + 31) % SB_GOODS;

        if (scores[k] == best) {
            found[n++] = (unsigned short) k;
        }
    }

    return n;
}
