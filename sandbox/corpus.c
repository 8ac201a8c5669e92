/*
 * Which items a query has.
 *
 * Words make a hash, the hash and an index make an item: the same words in
 * any case and spacing have the same items for ever, thousands of them, each
 * with an id of its own.  Three kinds of repeats are sown in: every eighth
 * item may be one of the pictures that the sources have in common, in a
 * variant of the source's own (near-duplicates), and most of what Openverse
 * has are copies of items of Flickr, Commons and rawpixel (exact ones).
 *
 * Stateless; an item belongs to whoever declared it.
 */

#include <stdio.h>
#include <string.h>

#include "source.h"


#define SB_SHARED_EACH  8
#define SB_SHARED_AT    3               /* its place among the eight */
#define SB_NUMBER_BITS  14              /* of an index, in a number */


static const unsigned char  sb_ratios[][2] = {
    { 3, 2 }, { 3, 2 }, { 3, 2 }, { 4, 3 }, { 4, 3 }, { 16, 9 }, { 16, 9 },
    { 2, 3 }, { 2, 3 }, { 3, 4 }, { 1, 1 }, { 1, 1 }, { 5, 4 }, { 9, 16 }
};


/* The longer side, from and to. */

static const unsigned short  sb_sides[SB_SOURCES][2] = {
    { 3000, 7000 },                     /* pexels */
    { 2800, 8200 },                     /* unsplash */
    { 1920, 6000 },                     /* pixabay */
    { 900, 6400 },                      /* flickr */
    { 240, 14000 },                     /* wikimedia */
    { 1600, 9000 },                     /* rawpixel */
    { 640, 5000 }                       /* openverse's own */
};


/* Of a hundred, what has Flickr's licence of that id. */

static const unsigned char  sb_flickr_licenses[17] = {
    8, 7, 6, 5, 20, 18, 5, 5, 3, 10, 5, 2, 2, 1, 1, 1, 1
};


static uint64_t
sb_words_hash(const char *words, const char *what)
{
    return sb_scramble(sb_hash(sb_hash(0xcbf29ce484222325u, words), what));
}


/* Lower case, single blanks: as most services compare queries. */

static void
sb_words_fold(char *dst, const char *src)
{
    size_t  n;

    n = 0;

    for ( ; *src && n + 2 < SB_TEXT_MAX; src++) {
        if (*src == ' ' || *src == '\t' || *src == '+') {
            if (n && dst[n - 1] != ' ') {
                dst[n++] = ' ';
            }

        } else {
            dst[n++] = (*src >= 'A' && *src <= 'Z') ? (char) (*src | 0x20)
                                                    : *src;
        }
    }

    while (n && dst[n - 1] == ' ') {
        n--;
    }

    dst[n] = '\0';
}


void
sb_listing_begin(sb_listing_t *l, sb_call_t *c, const char *words)
{
    char  name[16];

    memset(l, 0, sizeof(sb_listing_t));

    l->source = c->api->source->source;
    l->tint = -1;
    l->sources = ~0u;

    sb_words_fold(l->words, words);
    snprintf(name, sizeof(name), "%d", (int) l->source);
    l->hash = sb_words_hash(l->words, name);
    l->pool = sb_words_hash(l->words, "shared");
    l->total = 2000 + (unsigned) (l->hash % 6000);
}


static unsigned
sb_license(sb_source_e source, uint64_t key)
{
    unsigned  i, n;

    if (source != SB_SOURCE_FLICKR) {
        return (unsigned) (key >> 40 & 31);
    }

    n = (unsigned) (key >> 33) % 100;

    for (i = 0; i < 16 && n >= sb_flickr_licenses[i]; i++) {
        n -= sb_flickr_licenses[i];
    }

    return i;
}


static void
sb_item_photo(sb_item_t *item, const sb_listing_t *l, uint64_t key,
    unsigned variant)
{
    uint64_t              side;
    const unsigned char  *ratio;

    item->photo.seed = sb_photo_seed(sb_scramble(key ^ 0x5eed), l->words);
    item->photo.variant = variant;

    ratio = sb_ratios[key % (sizeof(sb_ratios) / sizeof(sb_ratios[0]))];

    /* The own key: shared pictures have the ratio in common, not the size. */

    side = sb_sides[item->source][0]
           + (item->key >> 8)
             % (sb_sides[item->source][1] - sb_sides[item->source][0]);

    item->photo.width = (unsigned) side;
    item->photo.height = (unsigned) (side * ratio[1] / ratio[0]);

    if (ratio[1] > ratio[0]) {
        item->photo.width = (unsigned) (side * ratio[0] / ratio[1]);
        item->photo.height = (unsigned) side;
    }
}


static void
sb_item_make(sb_item_t *item, const sb_listing_t *l, sb_source_e source,
    uint64_t hash, unsigned index)
{
    unsigned  place;
    uint64_t  shared, mine;

    item->source = source;
    item->index = index;
    item->key = sb_scramble(hash + (index + 1) * SB_GOLDEN);
    item->license = sb_license(source, item->key);
    item->author = (unsigned) (item->key >> 20) % SB_AUTHORS;
    item->odd = (unsigned) (item->key >> 50) % 40;

    /* An odd factor visits each place once: no two indexes share a number. */

    place = (index * 5741 + 977) & ((1u << SB_NUMBER_BITS) - 1);
    item->number = (hash >> 44 << SB_NUMBER_BITS) + place;

    shared = sb_scramble(l->pool + (index / SB_SHARED_EACH + 1) * SB_GOLDEN);
    mine = sb_scramble(shared + (unsigned) source);

    if (index % SB_SHARED_EACH == SB_SHARED_AT && (mine & 3)) {
        sb_item_photo(item, l, shared, mine >> 8 & 0x37);

    } else {
        sb_item_photo(item, l, item->key, 0);
    }
}


unsigned
sb_item_shape(const sb_item_t *item)
{
    double  ratio;

    ratio = (double) item->photo.width / item->photo.height;

    return ratio > 1.05 ? SB_SHAPE_WIDE
                        : ratio < 0.95 ? SB_SHAPE_TALL : SB_SHAPE_SQUARE;
}


/* The source of which Openverse's next item is a copy; or itself. */

static sb_source_e
sb_copied(const sb_listing_t *l)
{
    unsigned  n;

    n = (unsigned) (sb_scramble(l->hash ^ (l->next * SB_GOLDEN)) % 20);

    return n < 12 ? SB_SOURCE_FLICKR
           : n < 15 ? SB_SOURCE_WIKIMEDIA
           : n < 16 ? SB_SOURCE_RAWPIXEL : SB_SOURCE_OPENVERSE;
}


/* Every second item of the copied source's own list, from its first. */

static void
sb_item_copy(sb_item_t *item, sb_listing_t *l)
{
    char         name[16];
    uint64_t     hash;
    sb_source_e  from;

    from = sb_copied(l);

    if (from == SB_SOURCE_OPENVERSE) {
        sb_item_make(item, l, from, l->hash, l->next);
        return;
    }

    snprintf(name, sizeof(name), "%d", (int) from);
    hash = sb_words_hash(l->words, name);
    sb_item_make(item, l, from, hash, 2 * l->copies[from]++);
}


static int
sb_item_wanted(const sb_item_t *item, const sb_listing_t *l)
{
    if (l->shapes && !(sb_item_shape(item) & l->shapes)) {
        return 0;
    }

    if (l->tint >= 0 && (int) sb_photo_tint(item->photo.seed) != l->tint) {
        return 0;
    }

    if (l->source == SB_SOURCE_FLICKR && l->licenses
        && !(l->licenses >> item->license & 1))
    {
        return 0;
    }

    if (l->source != SB_SOURCE_OPENVERSE) {
        return 1;
    }

    /* Openverse has what is free only. */

    if ((item->source == SB_SOURCE_FLICKR && item->license == 0)
        || (item->source == SB_SOURCE_RAWPIXEL && item->license == 0))
    {
        return 0;
    }

    return (l->sources >> item->source & 1)
           && (l->licenses == 0
               || (l->licenses >> sb_openverse_license_index(item) & 1));
}


/* SB_ERROR: there are no more. */

int
sb_listing_next(sb_listing_t *l, sb_item_t *item)
{
    while (l->next < l->total) {
        if (l->source == SB_SOURCE_OPENVERSE) {
            sb_item_copy(item, l);

        } else {
            sb_item_make(item, l, l->source, l->hash, l->next);
        }

        l->next++;

        if (sb_item_wanted(item, l)) {
            return SB_OK;
        }
    }

    return SB_ERROR;
}


/* The page from "first" on, and how many there are, up to "most". */

void
sb_search_run(sb_search_t *s)
{
    sb_item_t  item;

    while (s->count < s->most && sb_listing_next(&s->listing, &item) == SB_OK)
    {
        if (s->count >= s->first && s->n < s->per_page && s->n < SB_PAGE_MAX)
        {
            s->items[s->n++] = item;
        }

        s->count++;
    }
}


void
sb_item_title(const sb_item_t *item, const char *words, char *dst,
    size_t size)
{
    uint64_t  k;

    static const char *const  how[] = {
        "Walnut", "Sunlit", "Quiet", "Linen", "Weathered", "Pale", "Bright",
        "Low", "Hand-made", "Séjour:", "Gemütlich:", "Half-finished",
        "\"Plain\"", "Old & new", "北欧"
    };
    static const char *const  where[] = {
        "by the window", "after the rain", "in the morning", "under a lamp",
        "with plants", "seen from the hall", "at 2,400 K", "in <white>",
        "on a rug", "near the stairs", "before the move"
    };

    k = sb_scramble(item->key ^ 0x717);

    snprintf(dst, size, "%s %s %s", how[k % 15], words[0] ? words : "room",
             where[(k >> 8) % 11]);
}


/* Studios: there are no people here. */

static const char *const  sb_studios[] = {
    "Studio Linde", "Brick & Beam", "Atelier Nord", "Øst Interiør",
    "Paper House", "Möbelwerk", "Casa Norte", "Fjord Rooms", "木の家",
    "Plain Works", "Kante", "Café Interieur"
};


void
sb_item_author(const sb_item_t *item, char *dst, size_t size)
{
    snprintf(dst, size, "%s %u", sb_studios[item->author % 12],
             item->author);
}


void
sb_item_handle(const sb_item_t *item, char *dst, size_t size)
{
    snprintf(dst, size, "studio%u", item->author);
}


/* Openverse's id of it: the photo's name with dashes. */

void
sb_item_uuid(const sb_item_t *item, char *dst, size_t size)
{
    char  name[SB_PHOTO_NAME + 1];

    sb_photo_name(&item->photo, name);
    snprintf(dst, size, "%.8s-%.4s-%.4s-%.4s-%.12s", name, name + 8,
             name + 12, name + 16, name + 20);
}
