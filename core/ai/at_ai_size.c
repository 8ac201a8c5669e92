/*
 * Sizes: from the pixels asked for to what a provider can draw.
 *
 * Providers know a few sizes or ratios, or bound the sides and the pixels;
 * the formats list theirs and ask here for the nearest one.  Pure functions,
 * nothing is allocated.
 */

#include <math.h>

#include "at_ai_internal.h"


int
at_ai_size_asked(const at_generate_t *g, at_ai_size_t *asked)
{
    if (g->width == 0 && g->height == 0) {
        return 0;
    }

    asked->width = g->width ? g->width : g->height;
    asked->height = g->height ? g->height : g->width;

    return 1;
}


size_t
at_ai_size_nearest(at_ai_size_t asked, const at_ai_size_t *list, size_t n)
{
    size_t  i, best;
    double  q, least;

    best = 0;
    least = 0;

    for (i = 0; i < n; i++) {

        /* How many times wider, or narrower, than asked. */

        q = ((double) asked.width * list[i].height)
            / ((double) asked.height * list[i].width);

        if (q < 1) {
            q = 1 / q;
        }

        if (i == 0 || q < least) {
            least = q;
            best = i;
        }
    }

    return best;
}


static unsigned
at_ai_size_step(double side, const at_ai_range_t *range)
{
    unsigned  n;

    n = (unsigned) (side / range->step + 0.5) * range->step;

    if (n < range->side_min) {
        return range->side_min;
    }

    return (n > range->side_max) ? range->side_max : n;
}


/*
 * Rounding and the bounds of the sides can leave the area outside of its own
 * bounds: then the longer side gives way, or the shorter one grows.
 */

at_ai_size_t
at_ai_size_fit(at_ai_size_t asked, const at_ai_range_t *range)
{
    double        area, scale;
    unsigned      longer, *side;
    at_ai_size_t  size;

    area = (double) asked.width * asked.height;
    scale = 1;

    if (area > range->area_max) {
        scale = sqrt(range->area_max / area);

    } else if (area < range->area_min) {
        scale = sqrt(range->area_min / area);
    }

    size.width = at_ai_size_step(asked.width * scale, range);
    size.height = at_ai_size_step(asked.height * scale, range);

    while (size.width * size.height > range->area_max) {
        longer = (size.width > size.height) ? size.width : size.height;

        /* Both of them, if it is a square. */

        if (size.width == longer) {
            size.width -= range->step;
        }

        if (size.height == longer) {
            size.height -= range->step;
        }
    }

    while (size.width * size.height < range->area_min) {
        side = (size.width < size.height) ? &size.width : &size.height;
        *side += range->step;
    }

    return size;
}
