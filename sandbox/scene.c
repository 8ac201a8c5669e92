/*
 * A room out of words and chance: what there is, where, and in which colours.
 *
 * A random number moves every choice, and words push some of them: rooms,
 * styles, colours, hours of the day.  The same input gives the same room at
 * every size.  picture.c and photo.c own the scene and its canvas; room.c,
 * furniture.c and fittings.c draw the parts.
 */

#include <math.h>
#include <string.h>

#include "sandbox.h"
#include "scene.h"


#define SB_WORDS_MAX  256       /* words looked at */


typedef struct {
    const char  *word;          /* the beginning of it */
    int          value;
} sb_word_t;


typedef struct {
    const char  *word;
    double       h, s, l;
} sb_hue_t;


/* Where a colour word's noun decides what it colours. */

typedef enum {
    SB_ON_ANY,
    SB_ON_WALL,
    SB_ON_MAIN,
    SB_ON_RUG,
    SB_ON_CURTAIN,
    SB_ON_FLOOR,
    SB_ONS
} sb_on_e;


typedef enum {
    SB_STYLE_NONE,
    SB_STYLE_MODERN,
    SB_STYLE_SCANDI,
    SB_STYLE_INDUSTRIAL,
    SB_STYLE_RUSTIC,
    SB_STYLE_BOHO,
    SB_STYLE_CLASSIC,
    SB_STYLE_COASTAL
} sb_style_e;


typedef struct {
    int              room;      /* -1: not said */
    int              style;
    int              sky;       /* -1: not said */
    const sb_hue_t  *colors[SB_ONS];
} sb_wish_t;


static const sb_word_t  sb_rooms[] = {
    { "kitchen", SB_ROOM_KITCHEN }, { "bedroom", SB_ROOM_BED },
    { "bed", SB_ROOM_BED }, { "dining", SB_ROOM_DINING },
    { "office", SB_ROOM_OFFICE }, { "study", SB_ROOM_OFFICE },
    { "desk", SB_ROOM_OFFICE }, { "bath", SB_ROOM_BATH },
    { "living", SB_ROOM_LIVING }, { "lounge", SB_ROOM_LIVING },
    { "sofa", SB_ROOM_LIVING }, { "couch", SB_ROOM_LIVING },
    { NULL, 0 }
};

static const sb_word_t  sb_styles[] = {
    { "modern", SB_STYLE_MODERN }, { "minimal", SB_STYLE_MODERN },
    { "contemporary", SB_STYLE_MODERN }, { "scandi", SB_STYLE_SCANDI },
    { "nordic", SB_STYLE_SCANDI }, { "japan", SB_STYLE_SCANDI },
    { "industrial", SB_STYLE_INDUSTRIAL }, { "loft", SB_STYLE_INDUSTRIAL },
    { "rustic", SB_STYLE_RUSTIC }, { "farmhouse", SB_STYLE_RUSTIC },
    { "cozy", SB_STYLE_RUSTIC }, { "boho", SB_STYLE_BOHO },
    { "bohemian", SB_STYLE_BOHO }, { "eclectic", SB_STYLE_BOHO },
    { "traditional", SB_STYLE_CLASSIC }, { "classic", SB_STYLE_CLASSIC },
    { "victorian", SB_STYLE_CLASSIC }, { "coastal", SB_STYLE_COASTAL },
    { "mediterranean", SB_STYLE_COASTAL }, { NULL, 0 }
};

static const sb_word_t  sb_skies[] = {
    { "night", SB_SKY_NIGHT }, { "evening", SB_SKY_NIGHT },
    { "sunset", SB_SKY_SUNSET }, { "dusk", SB_SKY_SUNSET },
    { "sunrise", SB_SKY_SUNSET }, { "rain", SB_SKY_OVERCAST },
    { "winter", SB_SKY_OVERCAST }, { "sunny", SB_SKY_DAY },
    { "morning", SB_SKY_DAY }, { NULL, 0 }
};

static const sb_word_t  sb_nouns[] = {
    { "wall", SB_ON_WALL }, { "sofa", SB_ON_MAIN }, { "couch", SB_ON_MAIN },
    { "cabinet", SB_ON_MAIN }, { "headboard", SB_ON_MAIN },
    { "tub", SB_ON_MAIN }, { "rug", SB_ON_RUG }, { "carpet", SB_ON_RUG },
    { "curtain", SB_ON_CURTAIN }, { "floor", SB_ON_FLOOR }, { NULL, 0 }
};

static const sb_hue_t  sb_hues[] = {
    { "blue", 0.58, 0.45, 0.50 }, { "navy", 0.61, 0.50, 0.28 },
    { "teal", 0.50, 0.45, 0.38 }, { "turquoise", 0.49, 0.45, 0.55 },
    { "green", 0.36, 0.32, 0.42 }, { "sage", 0.29, 0.16, 0.58 },
    { "mint", 0.43, 0.35, 0.72 }, { "olive", 0.19, 0.32, 0.38 },
    { "red", 0.00, 0.58, 0.45 }, { "terracotta", 0.04, 0.50, 0.50 },
    { "burgundy", 0.97, 0.50, 0.30 }, { "pink", 0.95, 0.50, 0.74 },
    { "orange", 0.07, 0.70, 0.55 }, { "yellow", 0.13, 0.70, 0.60 },
    { "mustard", 0.12, 0.60, 0.47 }, { "gold", 0.12, 0.55, 0.52 },
    { "purple", 0.77, 0.35, 0.45 }, { "lavender", 0.73, 0.35, 0.72 },
    { "white", 0.11, 0.15, 0.94 }, { "cream", 0.12, 0.40, 0.88 },
    { "beige", 0.10, 0.28, 0.75 }, { "brown", 0.06, 0.35, 0.36 },
    { "grey", 0.60, 0.05, 0.58 }, { "gray", 0.60, 0.05, 0.58 },
    { "charcoal", 0.60, 0.07, 0.26 }, { "black", 0.62, 0.08, 0.16 },
    { NULL, 0, 0, 0 }
};


double
sb_vary(sb_scene_t *s, double a, double b)
{
    uint64_t  z;

    z = sb_scramble(s->random += SB_GOLDEN);

    return a + (b - a) * ((double) (z >> 11) * 0x1.0p-53);
}


int
sb_maybe(sb_scene_t *s, double chance)
{
    return sb_vary(s, 0, 1) < chance;
}


static int
sb_word_find(const sb_word_t *list, const char *word, int none)
{
    for ( ; list->word; list++) {
        if (strncmp(word, list->word, strlen(list->word)) == 0) {
            return list->value;
        }
    }

    return none;
}


static const sb_hue_t *
sb_hue_find(const char *word)
{
    const sb_hue_t  *h;

    for (h = sb_hues; h->word; h++) {
        if (strcmp(h->word, word) == 0) {
            return h;
        }
    }

    return NULL;
}


/* The next word in lower case; NULL at the end. */

static const char *
sb_word_next(const char *p, char *word, size_t size)
{
    size_t  n;
    char    ch;

    for (n = 0; *p; p++) {
        ch = (*p >= 'A' && *p <= 'Z') ? (char) (*p | 0x20) : *p;

        if (ch >= 'a' && ch <= 'z') {
            if (n + 1 < size) {
                word[n++] = ch;
            }

        } else if (n) {
            break;
        }
    }

    word[n] = '\0';

    return n ? p : NULL;
}


static void
sb_wish_read(sb_wish_t *w, const char *prompt)
{
    int              i, on;
    char             word[32];
    const char      *p;
    const sb_hue_t  *hue, *pending;

    memset(w, 0, sizeof(sb_wish_t));
    w->room = -1;
    w->sky = -1;
    pending = NULL;
    p = prompt;

    for (i = 0; i < SB_WORDS_MAX; i++) {
        p = sb_word_next(p, word, sizeof(word));
        if (p == NULL) {
            break;
        }

        if (w->room < 0) {
            w->room = sb_word_find(sb_rooms, word, -1);
        }

        if (w->sky < 0) {
            w->sky = sb_word_find(sb_skies, word, -1);
        }

        if (w->style == SB_STYLE_NONE) {
            w->style = sb_word_find(sb_styles, word, SB_STYLE_NONE);
        }

        on = sb_word_find(sb_nouns, word, SB_ON_ANY);
        hue = sb_hue_find(word);

        if (hue) {
            pending = hue;

        } else if (pending && on != SB_ON_ANY && w->colors[on] == NULL) {
            w->colors[on] = pending;
            pending = NULL;

        } else if (pending && w->colors[SB_ON_ANY] == NULL) {
            w->colors[SB_ON_ANY] = pending;
        }
    }

    if (pending && w->colors[SB_ON_ANY] == NULL) {
        w->colors[SB_ON_ANY] = pending;
    }
}


static sb_rgb_t
sb_hue_color(const sb_hue_t *h)
{
    return sb_hsl(h->h, h->s, h->l);
}


/* The colours that the prompt names. */

static void
sb_scene_wishes(sb_scene_t *s, const sb_wish_t *w)
{
    if (w->colors[SB_ON_ANY]) {
        s->wall = sb_mix(s->wall, sb_hue_color(w->colors[SB_ON_ANY]), 0.55);
        s->main = sb_mix(s->main, sb_hue_color(w->colors[SB_ON_ANY]), 0.75);
    }

    if (w->colors[SB_ON_WALL]) {
        s->wall = sb_mix(s->wall, sb_hue_color(w->colors[SB_ON_WALL]), 0.85);
    }

    if (w->colors[SB_ON_MAIN]) {
        s->main = sb_hue_color(w->colors[SB_ON_MAIN]);
    }

    if (w->colors[SB_ON_FLOOR]) {
        s->floor = sb_hue_color(w->colors[SB_ON_FLOOR]);
    }

    s->rug = w->colors[SB_ON_RUG] ? sb_hue_color(w->colors[SB_ON_RUG])
                                  : sb_mix(s->accent2, s->trim, 0.25);
    s->curtain = w->colors[SB_ON_CURTAIN]
                 ? sb_hue_color(w->colors[SB_ON_CURTAIN])
                 : sb_mix(s->trim, s->accent, sb_vary(s, 0, 0.5));
}


static void
sb_scene_colors(sb_scene_t *s, const sb_wish_t *w)
{
    double  h, warm, mood;

    h = sb_vary(s, 0, 1);
    warm = sb_vary(s, 0.05, 0.11);
    mood = sb_vary(s, 0, 1);

    s->wall = sb_hsl(h, sb_vary(s, 0.06, 0.30), sb_vary(s, 0.72, 0.88));

    if (mood < 0.22) {
        s->wall = sb_hsl(h, sb_vary(s, 0.18, 0.34), sb_vary(s, 0.34, 0.5));
    }

    s->trim = sb_hsl(0.11, 0.18, 0.95);
    s->ceiling = sb_hsl(0.11, 0.15, 0.96);
    s->wood = sb_hsl(sb_vary(s, 0.06, 0.10), sb_vary(s, 0.28, 0.46),
                     sb_vary(s, 0.34, 0.62));
    s->floor = sb_hsl(warm, sb_vary(s, 0.22, 0.42), sb_vary(s, 0.42, 0.68));
    s->main = sb_hsl(h + sb_vary(s, 0.38, 0.62), sb_vary(s, 0.14, 0.42),
                     sb_vary(s, 0.36, 0.64));
    s->accent = sb_hsl(h + sb_vary(s, 0.12, 0.3), sb_vary(s, 0.4, 0.62),
                       sb_vary(s, 0.45, 0.62));
    s->accent2 = sb_hsl(h + sb_vary(s, 0.7, 0.9), sb_vary(s, 0.34, 0.55),
                        sb_vary(s, 0.52, 0.72));
    s->metal = sb_maybe(s, 0.5) ? sb_hsl(0.11, 0.4, 0.48)
                                : sb_hsl(0.6, 0.06, 0.26);

    if (w->style == SB_STYLE_MODERN || w->style == SB_STYLE_SCANDI) {
        s->wall = sb_mix(s->wall, sb_hsl(0.1, 0.1, 0.93), 0.7);
        s->floor = sb_mix(s->floor, sb_hsl(0.095, 0.35, 0.72), 0.6);
        s->wood = sb_mix(s->wood, sb_hsl(0.095, 0.4, 0.66), 0.6);

    } else if (w->style == SB_STYLE_INDUSTRIAL) {
        s->wall = sb_hsl(sb_vary(s, 0.02, 0.05), 0.28, sb_vary(s, 0.42, 0.55));
        s->metal = sb_hsl(0.6, 0.06, 0.2);
        s->main = sb_mix(s->main, sb_hsl(0.06, 0.4, 0.32), 0.5);

    } else if (w->style == SB_STYLE_RUSTIC) {
        s->wall = sb_mix(s->wall, sb_hsl(0.1, 0.3, 0.86), 0.6);
        s->wood = sb_hsl(0.07, 0.42, 0.38);
        s->floor = sb_hsl(0.075, 0.4, 0.44);

    } else if (w->style == SB_STYLE_COASTAL) {
        s->wall = sb_mix(s->wall, sb_hsl(0.55, 0.3, 0.9), 0.7);
        s->main = sb_mix(s->main, sb_hsl(0.58, 0.4, 0.55), 0.6);
    }

    sb_scene_wishes(s, w);
}


static void
sb_scene_kinds(sb_scene_t *s, const sb_wish_t *w)
{
    double  r;

    r = sb_vary(s, 0, 1);
    s->room = w->room >= 0 ? (sb_room_e) w->room
              : r < 0.55 ? SB_ROOM_LIVING
              : r < 0.7 ? SB_ROOM_BED
              : r < 0.82 ? SB_ROOM_DINING
              : r < 0.93 ? SB_ROOM_OFFICE : SB_ROOM_KITCHEN;

    r = sb_vary(s, 0, 1);
    s->wall_kind = r < 0.4 ? SB_WALL_PLAIN : r < 0.65 ? SB_WALL_PANELS
                   : r < 0.85 ? SB_WALL_WAINSCOT : SB_WALL_STRIPES;

    r = sb_vary(s, 0, 1);
    s->floor_kind = r < 0.75 ? SB_FLOOR_WOOD : r < 0.85 ? SB_FLOOR_TILES
                                                        : SB_FLOOR_PLAIN;
    r = sb_vary(s, 0, 1);
    s->sky = w->sky >= 0 ? (sb_sky_e) w->sky
             : r < 0.62 ? SB_SKY_DAY : r < 0.8 ? SB_SKY_SUNSET
             : r < 0.9 ? SB_SKY_OVERCAST : SB_SKY_NIGHT;

    s->clutter = 0.65;

    if (w->style == SB_STYLE_MODERN || w->style == SB_STYLE_SCANDI) {
        s->wall_kind = SB_WALL_PLAIN;
        s->clutter = 0.4;

    } else if (w->style == SB_STYLE_INDUSTRIAL) {
        s->wall_kind = SB_WALL_BRICK;

    } else if (w->style == SB_STYLE_CLASSIC) {
        s->wall_kind = SB_WALL_PANELS;

    } else if (w->style == SB_STYLE_BOHO) {
        s->clutter = 1;
    }

    if (s->room == SB_ROOM_KITCHEN || s->room == SB_ROOM_BATH) {
        s->wall_kind = SB_WALL_TILES;
        s->floor_kind = sb_maybe(s, 0.6) ? SB_FLOOR_TILES : SB_FLOOR_WOOD;
    }
}


static void
sb_scene_geometry(sb_scene_t *s)
{
    int     left;
    double  w, h, ww, wh;

    w = s->cv.w;
    h = s->cv.h;
    s->u = fmin(w * 0.98, h);

    s->x0 = w * sb_vary(s, 0.03, 0.13);
    s->x1 = w * (1 - sb_vary(s, 0.03, 0.13));
    s->y0 = h * sb_vary(s, 0.06, 0.10);
    s->y1 = h - fmax(h * 0.27, s->u * sb_vary(s, 0.28, 0.33));
    s->vx = w * sb_vary(s, 0.45, 0.55);
    s->vy = s->y0 + (s->y1 - s->y0) * 0.52;

    left = sb_maybe(s, 0.5);
    s->cx = w * (left ? sb_vary(s, 0.52, 0.6) : sb_vary(s, 0.4, 0.48));

    ww = s->u * sb_vary(s, 0.27, 0.36);
    wh = fmin((s->y1 - s->y0) * sb_vary(s, 0.48, 0.58), ww * 1.7);

    if (s->room == SB_ROOM_KITCHEN) {
        wh = fmin(wh, (s->y1 - s->y0) * 0.5);
        s->wx0 = w * 0.5 - ww / 2 + (left ? -1 : 1) * w * 0.08;

    } else {
        s->wx0 = left ? s->x0 + (s->x1 - s->x0) * 0.13
                      : s->x1 - (s->x1 - s->x0) * 0.13 - ww;
    }

    s->wx1 = s->wx0 + ww;
    s->wy0 = s->y0 + fmax((s->y1 - s->y0) * 0.11, s->u * 0.07);
    s->wy1 = s->wy0 + wh;
}


static void
sb_scene_walls(sb_scene_t *s)
{
    double  x, y, u, side;

    u = s->u;

    /* The free part of the wall is beside the window. */

    side = s->wx0 + s->wx1 > s->x0 + s->x1 ? -1 : 1;
    x = side < 0 ? (s->x0 + s->wx0 - u * 0.08) / 2
                 : (s->wx1 + u * 0.08 + s->x1) / 2;
    y = s->wy0 + u * 0.14;

    if (s->room == SB_ROOM_KITCHEN) {
        return;
    }

    if (s->room == SB_ROOM_BATH || sb_maybe(s, 0.15)) {
        sb_room_mirror(s, x, y, u * 0.1);

    } else if (sb_maybe(s, 0.4)) {
        sb_room_art(s, x - u * 0.1, y, u * 0.15, u * 0.2);
        sb_room_art(s, x + u * 0.1, y, u * 0.15, u * 0.2);

    } else {
        sb_room_art(s, x, y, u * sb_vary(s, 0.2, 0.3), u * 0.2);
    }

    if (sb_maybe(s, s->clutter * 0.8) && s->room != SB_ROOM_BATH
        && s->room != SB_ROOM_BED)
    {
        sb_room_shelf(s, x - u * 0.13, y + u * 0.23, u * 0.26);
    }
}


static void
sb_scene_living(sb_scene_t *s, double y)
{
    double  u, w;

    u = s->u;
    w = u * sb_vary(s, 0.46, 0.58);

    sb_rug_lay(s, s->cx, y + u * 0.1, w * 1.2);
    sb_sofa(s, s->cx, y, w);

    if (s->cv.w > s->cv.h * 1.3) {
        sb_armchair(s, s->cx + (s->cx < s->cv.w / 2 ? 1 : -1)
                       * (w / 2 + u * 0.3), y + u * 0.06);
    }

    if (sb_maybe(s, 0.85)) {
        sb_coffee_table(s, s->cx + u * sb_vary(s, -0.06, 0.06),
                        y + u * 0.135, w * 0.5);
    }
}


static void
sb_scene_main(sb_scene_t *s, double y)
{
    double  u;

    u = s->u;

    switch (s->room) {

    case SB_ROOM_BED:
        sb_rug_lay(s, s->cx, y + u * 0.075, u * 0.72);
        sb_side_table(s, s->cx - u * 0.33, y - u * 0.01);
        sb_side_table(s, s->cx + u * 0.33, y - u * 0.01);
        sb_bed(s, s->cx, y + u * 0.05, u * 0.5);
        break;

    case SB_ROOM_KITCHEN:
        sb_kitchen(s);
        sb_rug_lay(s, s->cx, y + u * 0.13, u * 0.4);
        sb_room_pendant(s, s->cv.w * 0.36, s->y0 + u * 0.1);
        sb_room_pendant(s, s->cv.w * 0.64, s->y0 + u * 0.1);
        break;

    case SB_ROOM_DINING:
        sb_rug_lay(s, s->cx, y + u * 0.08, u * 0.8);
        sb_dining(s, s->cx, y + u * 0.08, u * 0.5);
        sb_room_pendant(s, s->cx, s->y0 + u * 0.16);
        break;

    case SB_ROOM_OFFICE:
        sb_rug_lay(s, s->cx, y + u * 0.08, u * 0.6);
        sb_desk(s, s->cx, y + u * 0.015, u * 0.52);
        break;

    case SB_ROOM_BATH:
        sb_rug_lay(s, s->cx, y + u * 0.12, u * 0.4);
        sb_bath(s, s->cx, y + u * 0.04, u * 0.55);
        break;

    default:
        sb_scene_living(s, y);
        break;
    }
}


static void
sb_scene_sides(sb_scene_t *s, double y)
{
    double  u, left, right, lamp;

    u = s->u;

    if (s->room == SB_ROOM_KITCHEN) {
        if (sb_maybe(s, 0.7)) {
            sb_plant(s, s->x1 - u * 0.04, y + u * 0.06, u * 0.26);
        }

        return;
    }

    left = fmax(u * 0.09, s->cx - u * 0.42);
    right = fmin(s->cv.w - u * 0.09, s->cx + u * 0.42);
    lamp = sb_maybe(s, 0.5) ? left : right;

    if (s->room != SB_ROOM_BED && s->room != SB_ROOM_BATH
        && (s->sky == SB_SKY_NIGHT || sb_maybe(s, 0.75)))
    {
        sb_lamp(s, lamp, y - u * 0.012);
    }

    if (sb_maybe(s, 0.35 + s->clutter * 0.6)) {
        sb_plant(s, lamp == left ? right : left, y + u * 0.03,
                 u * sb_vary(s, 0.24, 0.34));
    }

    if (s->clutter > 0.9 || (s->cv.w > s->cv.h * 1.6 && sb_maybe(s, 0.8))) {
        sb_plant(s, lamp == left ? s->x0 + u * 0.05 : s->x1 - u * 0.05,
                 y + u * 0.09, u * sb_vary(s, 0.2, 0.28));
    }
}


/* The room that words name, or -1. */

int
sb_scene_room(const char *words)
{
    sb_wish_t  wish;

    sb_wish_read(&wish, words);

    return wish.room;
}


/*
 * The canvas and the random number are set by the caller.  Parts have chances
 * of their own: how often one asks may hang on pixels, and the others shall
 * be the same at every size.
 */

void
sb_scene_draw(sb_scene_t *s, const char *words)
{
    double     y;
    uint64_t   chance;
    sb_wish_t  wish;

    sb_wish_read(&wish, words);
    sb_scene_kinds(s, &wish);
    sb_scene_colors(s, &wish);
    sb_scene_geometry(s);

    if (s->sky == SB_SKY_NIGHT) {
        s->wall = sb_shade(s->wall, 0.74);
        s->ceiling = sb_shade(s->ceiling, 0.7);
        s->trim = sb_shade(s->trim, 0.8);
        s->floor = sb_shade(s->floor, 0.75);
        s->main = sb_shade(s->main, 0.85);
    }

    y = s->y1 + s->u * 0.05;
    chance = s->random;

    sb_room_shell(s);
    s->random = sb_scramble(chance + 1);
    sb_room_window(s);
    s->random = sb_scramble(chance + 2);
    sb_scene_walls(s);
    sb_room_light(s);
    s->random = sb_scramble(chance + 3);
    sb_scene_main(s, y);
    s->random = sb_scramble(chance + 4);
    sb_scene_sides(s, y);
}
