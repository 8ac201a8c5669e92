/*
 * Designs as JSON, their score and their order (at_design.h).
 *
 * All is computed in integers, so that every worker and node gets the same
 * order from the same answers.  Nothing is owned here: the caller has the
 * buffer and the design.
 */

#include "at_design.h"
#include "at_json.h"


#define AT_DESIGN_MEGAPIXELS_MAX  24
#define AT_DESIGN_SCORE_MAX       9999999   /* below a step of the round */


typedef struct {
    const char  *source;
    unsigned     points;
} at_design_bonus_t;


/* w : h, within a tenth. */
typedef struct {
    unsigned     w;
    unsigned     h;
    unsigned     points;
} at_design_ratio_t;


static const at_design_bonus_t  at_design_bonuses[] = {
    { "unsplash",  10 },
    { "pexels",    9 },
    { "pixabay",   7 },
    { "flickr",    6 },
    { "wikimedia", 5 }
};

#define AT_DESIGN_BONUS_OTHER  3


static const at_design_ratio_t  at_design_ratios[] = {
    { 16, 9, 10 },
    { 4,  3, 8 },
    { 1,  1, 6 }
};


#define at_design_n(table)  (sizeof(table) / sizeof((table)[0]))


static int
at_design_raw(at_buf_t *b, const char *name, at_str_t value)
{
    return at_buf_printf(b, "\"%s\":%.*s,", name, (int) value.len,
                         value.data);
}


static int
at_design_string(at_buf_t *b, const char *name, at_str_t value)
{
    int  rc;

    rc = at_buf_printf(b, "\"%s\":", name);

    if (rc == AT_OK) {
        rc = at_json_write_string(b, value);
    }

    return rc == AT_OK ? at_buf_append(b, ",", 1) : rc;
}


static int
at_design_optional(at_buf_t *b, const char *name, at_str_t value)
{
    return value.len ? at_design_string(b, name, value)
                     : at_design_raw(b, name, AT_STR("null"));
}


static int
at_design_size(at_buf_t *b, const char *name, uint32_t value)
{
    return value ? at_buf_printf(b, "\"%s\":%u,", name, (unsigned) value)
                 : at_design_raw(b, name, AT_STR("null"));
}


/* Thousandths as a decimal number without needless zeros. */

static int
at_design_points(at_buf_t *b, uint32_t score)
{
    int       digits;
    unsigned  rest;

    rest = score % 1000;

    if (rest == 0) {
        return at_buf_printf(b, "\"score\":%u}", (unsigned) (score / 1000));
    }

    digits = 3;

    while (rest % 10 == 0) {
        rest /= 10;
        digits--;
    }

    return at_buf_printf(b, "\"score\":%u.%0*u}", (unsigned) (score / 1000),
                         digits, rest);
}


int
at_design_write(at_buf_t *b, const at_design_t *d)
{
    int     rc;
    size_t  start;

    start = b->len;

    rc = at_buf_append(b, "{", 1);

    if (rc != AT_OK
        || (rc = at_design_string(b, "id", d->id)) != AT_OK
        || (rc = at_design_string(b, "source", d->source)) != AT_OK
        || (rc = at_design_string(b, "title", d->title)) != AT_OK
        || (rc = at_design_string(b, "url", d->url)) != AT_OK
        || (rc = at_design_string(b, "thumb", d->thumb)) != AT_OK
        || (rc = at_design_size(b, "width", d->width)) != AT_OK
        || (rc = at_design_size(b, "height", d->height)) != AT_OK
        || (rc = at_design_optional(b, "color", d->color)) != AT_OK
        || (d->blurhash.len
            && (rc = at_design_string(b, "blurhash", d->blurhash)) != AT_OK)
        || (rc = at_design_optional(b, "author", d->author)) != AT_OK
        || (rc = at_design_optional(b, "authorUrl", d->author_url)) != AT_OK
        || (rc = at_design_string(b, "pageUrl", d->page_url)) != AT_OK
        || (rc = at_design_string(b, "license", d->license)) != AT_OK
        || (rc = at_design_string(b, "attribution", d->attribution)) != AT_OK
        || (rc = at_design_points(b, d->score)) != AT_OK)
    {
        b->len = start;
        return rc;
    }

    return AT_OK;
}


uint32_t
at_design_score(at_str_t source, uint32_t width, uint32_t height)
{
    size_t    i;
    uint64_t  w, h, pixels, score, ratio, exact;

    score = AT_DESIGN_BONUS_OTHER;

    for (i = 0; i < at_design_n(at_design_bonuses); i++) {
        if (at_str_is(source, at_design_bonuses[i].source)) {
            score = at_design_bonuses[i].points;
        }
    }

    score *= 1000;

    if (width == 0 || height == 0) {
        return (uint32_t) score;
    }

    w = width;
    h = height;

    pixels = w * h / 1000;

    if (pixels > AT_DESIGN_MEGAPIXELS_MAX * 1000) {
        pixels = AT_DESIGN_MEGAPIXELS_MAX * 1000;
    }

    score += pixels;

    /* |w / h - a / b| <= 1 / 10, times 10 b h. */

    for (i = 0; i < at_design_n(at_design_ratios); i++) {
        ratio = w * at_design_ratios[i].h * 10;
        exact = h * at_design_ratios[i].w * 10;

        if ((ratio > exact ? ratio - exact : exact - ratio)
            <= h * at_design_ratios[i].h)
        {
            score += (uint64_t) at_design_ratios[i].points * 1000;
            break;
        }
    }

    return (uint32_t) score;
}


uint64_t
at_design_order(uint32_t rank, uint32_t score)
{
    uint64_t  round;

    if (rank < 1) {
        rank = 1;
    }

    if (rank > AT_DESIGN_RANK_MAX) {
        rank = AT_DESIGN_RANK_MAX;
    }

    if (score > AT_DESIGN_SCORE_MAX) {
        score = AT_DESIGN_SCORE_MAX;
    }

    round = (rank - 1) / AT_DESIGN_ROUND;

    return round * (AT_DESIGN_SCORE_MAX + 1) + (AT_DESIGN_SCORE_MAX - score);
}
