/*
 * Sizes: from the pixels asked for to what a provider can draw.
 *
 * Providers know a few sizes or ratios; the formats list theirs and ask here
 * for the nearest one.  Pure functions, nothing is allocated.
 */

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
