/*
 * The arithmetic of a host's pace (see at_pace.h), as the script has it, too.
 */

#include "at_pace.h"

#include <math.h>


#define AT_PACE_LAST  30000             /* ms, of a backoff */


void
at_pace_good(at_pace_rate_t *r, int64_t base)
{
    double  gap, aim, least;

    r->well++;

    if (r->gap <= base || r->mark == 0) {
        r->gap = base;
        return;
    }

    gap = (double) r->gap;
    least = (double) base;
    aim = fmax(least, floor((double) r->mark * 20 / 19));

    if (gap > aim) {
        gap = fmax(aim, floor(gap * 32 * aim / (32 * aim + gap)));

    } else {
        gap = fmax(least, floor(gap - gap / 4096));
    }

    r->gap = (int64_t) gap;
}


/*
 * Of several requests that were refused together one counts.  If it refused
 * again soon after the last time, the mark was still too fast.
 */

void
at_pace_refused(at_pace_rate_t *r, int64_t now, int64_t sent)
{
    int64_t  old;

    if (sent <= r->cut) {
        return;
    }

    old = r->mark;
    r->mark = (r->gap > AT_PACE_LEAST) ? r->gap : AT_PACE_LEAST;

    if (old > 0 && r->well < 128) {
        r->mark = r->mark * 23 / 20;
    }

    if (r->mark > AT_PACE_MOST) {
        r->mark = AT_PACE_MOST;
    }

    r->gap = (r->mark * 2 < AT_PACE_MOST) ? r->mark * 2 : AT_PACE_MOST;
    r->well = 0;
    r->cut = now;
}


void
at_pace_walled(at_pace_wall_t *w, int64_t now, int64_t sent, int64_t least,
    int64_t most)
{
    if (sent > w->opened) {
        w->pause = w->pause ? w->pause * 2 : least;

        if (w->pause > most) {
            w->pause = most;
        }

        w->until = now + w->pause;
        w->opened = now;
    }
}


int64_t
at_pace_backoff(unsigned n, int64_t first, uint32_t random)
{
    int64_t  most;

    most = (n < 16) ? first << (n - 1) : AT_PACE_LAST;

    if (most > AT_PACE_LAST) {
        most = AT_PACE_LAST;
    }

    return (int64_t) random * most / 4294967296;
}
