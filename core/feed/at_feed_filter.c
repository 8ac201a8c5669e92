/*
 * Filters a source could not apply, and colours by name.
 *
 * What a source filters itself is left to it: it knows pictures better than
 * their average colour does.  For the rest an item has to show that it fits;
 * of what is unknown nothing can be said, so it is left out.  All is pure.
 */

#include <string.h>

#include "at_feed_internal.h"


typedef struct {
    const char       *name;
    at_feed_color_e   color;
} at_feed_color_name_t;


typedef struct {
    at_feed_color_e  color;
    int              r;
    int              g;
    int              b;
} at_feed_anchor_t;


static const char *const  at_feed_orientations[AT_FEED_ORIENTATIONS] = {
    "", "landscape", "portrait", "square"
};

static const char *const  at_feed_colors[AT_FEED_COLORS] = {
    "", "red", "orange", "yellow", "green", "turquoise", "blue", "violet",
    "pink", "brown", "black", "gray", "white"
};


/* Names that sources and people use for the same. */

static const at_feed_color_name_t  at_feed_color_aliases[] = {
    { "teal",      AT_FEED_TURQUOISE },
    { "cyan",      AT_FEED_TURQUOISE },
    { "purple",    AT_FEED_VIOLET },
    { "lilac",     AT_FEED_VIOLET },
    { "magenta",   AT_FEED_PINK },
    { "grey",      AT_FEED_GRAY }
};

#define AT_FEED_NALIASES                                                     \
    (sizeof(at_feed_color_aliases) / sizeof(at_feed_color_aliases[0]))


/* Averages of pictures are pale, so the names stand for more than one tone. */

static const at_feed_anchor_t  at_feed_anchors[] = {
    { AT_FEED_RED,       0xD3, 0x2F, 0x2F },
    { AT_FEED_RED,       0x8B, 0x1A, 0x1A },
    { AT_FEED_ORANGE,    0xFB, 0x8C, 0x00 },
    { AT_FEED_ORANGE,    0xE0, 0x7B, 0x39 },
    { AT_FEED_YELLOW,    0xFD, 0xD8, 0x35 },
    { AT_FEED_YELLOW,    0xD4, 0xB8, 0x4A },
    { AT_FEED_GREEN,     0x43, 0xA0, 0x47 },
    { AT_FEED_GREEN,     0x3B, 0x5A, 0x35 },
    { AT_FEED_TURQUOISE, 0x26, 0xC6, 0xB9 },
    { AT_FEED_TURQUOISE, 0x2E, 0x7F, 0x7A },
    { AT_FEED_BLUE,      0x1E, 0x6F, 0xE5 },
    { AT_FEED_BLUE,      0x2A, 0x45, 0x7A },
    { AT_FEED_BLUE,      0x7F, 0xA8, 0xD8 },
    { AT_FEED_VIOLET,    0x8E, 0x24, 0xAA },
    { AT_FEED_VIOLET,    0x6A, 0x4C, 0x93 },
    { AT_FEED_PINK,      0xF0, 0x62, 0x92 },
    { AT_FEED_PINK,      0xE0, 0xA8, 0xB8 },
    { AT_FEED_BROWN,     0x79, 0x55, 0x48 },
    { AT_FEED_BROWN,     0x8B, 0x6B, 0x4A },
    { AT_FEED_BROWN,     0x8B, 0x45, 0x13 },
    { AT_FEED_BROWN,     0x4A, 0x33, 0x25 },
    { AT_FEED_BLACK,     0x10, 0x10, 0x10 },
    { AT_FEED_GRAY,      0x55, 0x55, 0x55 },
    { AT_FEED_GRAY,      0x80, 0x80, 0x80 },
    { AT_FEED_GRAY,      0xB0, 0xB0, 0xB0 },
    { AT_FEED_WHITE,     0xF2, 0xF2, 0xF2 }
};

#define AT_FEED_NANCHORS                                                     \
    (sizeof(at_feed_anchors) / sizeof(at_feed_anchors[0]))


static int
at_feed_color_parse(at_str_t s, int rgb[3])
{
    int     high, low;
    size_t  i;

    if (s.len != 7 || s.data[0] != '#') {
        return AT_ERROR;
    }

    for (i = 0; i < 3; i++) {
        high = at_args_hex(s.data[1 + 2 * i]);
        low = at_args_hex(s.data[2 + 2 * i]);

        if (high < 0 || low < 0) {
            return AT_ERROR;
        }

        rgb[i] = high << 4 | low;
    }

    return AT_OK;
}


at_str_t
at_feed_color(at_feed_answer_t *a, at_str_t s)
{
    int  rgb[3];

    return at_feed_color_parse(s, rgb) == AT_OK
           ? at_feed_printf(a, "#%02X%02X%02X", (unsigned) rgb[0],
                            (unsigned) rgb[1], (unsigned) rgb[2])
           : AT_STR_NULL;
}


/*
 * By the "redmean" distance: weights that follow the eye well enough to tell
 * twelve names apart, in integers.
 */

at_feed_color_e
at_feed_color_nearest(at_str_t color)
{
    int                      r, g, b, mean, rgb[3];
    long                     d, best;
    size_t                   i;
    at_feed_color_e          name;
    const at_feed_anchor_t  *anchor;

    if (at_feed_color_parse(color, rgb) != AT_OK) {
        return AT_FEED_COLOR_ANY;
    }

    name = AT_FEED_COLOR_ANY;
    best = 0;

    for (i = 0; i < AT_FEED_NANCHORS; i++) {
        anchor = &at_feed_anchors[i];

        mean = (rgb[0] + anchor->r) / 2;
        r = rgb[0] - anchor->r;
        g = rgb[1] - anchor->g;
        b = rgb[2] - anchor->b;

        d = (long) (512 + mean) * r * r + 1024L * g * g
            + (long) (767 - mean) * b * b;

        if (i == 0 || d < best) {
            best = d;
            name = anchor->color;
        }
    }

    return name;
}


at_feed_color_e
at_feed_color_find(at_str_t name)
{
    size_t  i;

    for (i = 1; i < AT_FEED_COLORS; i++) {
        if (at_str_ieq(name, (at_str_t) { strlen(at_feed_colors[i]),
                                          at_feed_colors[i] }))
        {
            return (at_feed_color_e) i;
        }
    }

    for (i = 0; i < AT_FEED_NALIASES; i++) {
        if (at_str_ieq(name, (at_str_t) { strlen(at_feed_color_aliases[i].name),
                                          at_feed_color_aliases[i].name }))
        {
            return at_feed_color_aliases[i].color;
        }
    }

    return at_feed_color_nearest(name);
}


const char *
at_feed_orientation_name(at_feed_orientation_e orientation)
{
    return at_feed_orientations[orientation];
}


const char *
at_feed_color_name(at_feed_color_e color)
{
    return at_feed_colors[color];
}


static at_feed_orientation_e
at_feed_orientation(uint32_t width, uint32_t height)
{
    uint64_t  w, h;

    w = width;
    h = height;

    if (w == 0 || h == 0) {
        return AT_FEED_ORIENTATION_ANY;
    }

    if ((w > h ? w - h : h - w) * 10 <= h) {
        return AT_FEED_SQUARE;
    }

    return w > h ? AT_FEED_LANDSCAPE : AT_FEED_PORTRAIT;
}


int
at_feed_filter(const at_feed_answer_t *a, const at_design_t *d)
{
    const at_feed_query_t  *q;
    const at_feed_rules_t  *r;

    q = a->query;
    r = a->source->rules;

    if (q->orientation != AT_FEED_ORIENTATION_ANY
        && r->orientations[q->orientation] == NULL
        && at_feed_orientation(d->width, d->height) != q->orientation)
    {
        return 0;
    }

    return q->color == AT_FEED_COLOR_ANY || r->colors[q->color] != NULL
           || at_feed_color_nearest(d->color) == q->color;
}
