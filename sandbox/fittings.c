/*
 * Kitchen and bath, rug, lamp and plant.
 *
 * The rest of what stands in a room, by the rules of furniture.c; only the
 * kitchen takes its place from the back wall itself.
 */

#include <math.h>

#include "scene.h"


static void
sb_cabinet(sb_scene_t *s, double x0, double y0, double x1, double y1,
    int low)
{
    double  m, mid;

    m = s->u * 0.007;

    sb_rect(&s->cv, x0, y0, x1 - 1, y1, sb_shade(s->main, 0.84));
    sb_rect(&s->cv, x0 + 1, y0 + 1, x1 - 2, y1 - 1, s->main);
    sb_rect(&s->cv, x0 + m, y0 + m, x1 - m - 1, y1 - m,
            sb_shade(s->main, 0.93));
    sb_gradient(&s->cv, x0 + m + 1, y0 + m + 1, x1 - m - 2, y1 - m - 1,
                sb_shade(s->main, 1.05), sb_shade(s->main, 0.99));

    mid = low ? y0 + (y1 - y0) * 0.2 : y1 - (y1 - y0) * 0.2;
    sb_round(&s->cv, x1 - m * 2.6, mid - s->u * 0.018, x1 - m * 1.9,
             mid + s->u * 0.018, 2, s->metal);
}


static void
sb_stove(sb_scene_t *s, double x0, double top, double w, double bottom)
{
    int       i;
    double    u;
    sb_rgb_t  steel;

    u = s->u;
    steel = sb_hsl(0.58, 0.04, 0.72);

    sb_gradient(&s->cv, x0, top, x0 + w, bottom, steel, sb_shade(steel, 0.8));
    sb_round(&s->cv, x0 + w * 0.12, top + u * 0.06, x0 + w * 0.88,
             bottom - u * 0.03, u * 0.008, sb_hsl(0.6, 0.1, 0.2));
    sb_round(&s->cv, x0 + w * 0.12, top + u * 0.042, x0 + w * 0.88,
             top + u * 0.05, 2, sb_shade(steel, 1.2));

    for (i = 0; i < 4; i++) {
        sb_ellipse(&s->cv, x0 + w * (0.2 + 0.2 * i), top + u * 0.02,
                   u * 0.009, u * 0.009, sb_hsl(0.6, 0.1, 0.25));
    }

    /* A pot. */

    sb_round(&s->cv, x0 + w * 0.3, top - u * 0.075, x0 + w * 0.72,
             top - u * 0.022, u * 0.008, s->accent);
    sb_rect(&s->cv, x0 + w * 0.26, top - u * 0.078, x0 + w * 0.76,
            top - u * 0.07, sb_shade(s->accent, 0.8));
    sb_ellipse(&s->cv, x0 + w * 0.51, top - u * 0.083, u * 0.007, u * 0.006,
               s->metal);
}


static void
sb_hood(sb_scene_t *s, double x0, double w, double y)
{
    sb_rgb_t  steel;

    steel = sb_hsl(0.58, 0.04, 0.75);

    sb_rect(&s->cv, x0 + w * 0.34, s->y0, x0 + w * 0.66, y - s->u * 0.05,
            sb_shade(steel, 0.92));
    sb_quad(&s->cv, x0 + w * 0.34, y - s->u * 0.06, x0 + w * 0.66,
            y - s->u * 0.06, x0 + w, y, x0, y, steel);
    sb_rect(&s->cv, x0, y, x0 + w, y + s->u * 0.014, sb_shade(steel, 0.85));
}


static void
sb_upper(sb_scene_t *s, double x0, double x1, double w)
{
    double  x, top, bottom;

    top = s->y0 + s->u * 0.06;
    bottom = s->y0 + (s->y1 - s->y0) * 0.40;

    for (x = x0; x + w <= x1 + 1; x += w) {
        sb_cabinet(s, x, top, x + w, bottom, 0);
    }

    if (x > x0) {
        sb_soft(&s->cv, (x0 + x) / 2, bottom + s->u * 0.03, (x - x0) * 0.5,
                s->u * 0.05, sb_hsl(0.12, 0.9, 0.9), 0.35);
    }
}


void
sb_kitchen(sb_scene_t *s)
{
    int     i, n, stove;
    double  u, x, w, top, bottom;

    u = s->u;
    top = s->y1 - u * 0.19;
    bottom = s->y1 + u * 0.012;
    n = (int) fmax(5, (s->x1 - s->x0) / (u * 0.15));
    w = (s->x1 - s->x0) / n;
    stove = s->wx0 + s->wx1 > s->x0 + s->x1 ? 1 : n - 2;

    sb_soft(&s->cv, (s->x0 + s->x1) / 2, bottom, (s->x1 - s->x0) * 0.6,
            u * 0.04, sb_shade(s->floor, 0.3), 0.7);

    sb_upper(s, s->x0, stove == 1 ? s->x0 + w : s->wx0 - u * 0.05, w);
    sb_upper(s, stove == 1 ? s->x0 + 2 * w : s->wx1 + u * 0.05,
             stove == 1 ? s->wx0 - u * 0.05 : s->x0 + (n - 2) * w, w);
    sb_upper(s, stove == 1 ? s->wx1 + u * 0.05 : s->x0 + (n - 1) * w, s->x1,
             w);
    sb_hood(s, s->x0 + stove * w, w, s->y0 + (s->y1 - s->y0) * 0.36);

    for (i = 0; i < n; i++) {
        x = s->x0 + i * w;

        if (i != stove) {
            sb_cabinet(s, x, top, x + w, bottom - u * 0.02, 1);
        }
    }

    sb_rect(&s->cv, s->x0, bottom - u * 0.02, s->x1, bottom,
            sb_shade(s->main, 0.5));
    sb_rect(&s->cv, s->x0, top - u * 0.022, s->x1, top,
            sb_shade(s->trim, 1.02));
    sb_rect(&s->cv, s->x0, top, s->x1, top + 2, sb_shade(s->main, 0.6));
    sb_stove(s, s->x0 + stove * w, top, w, bottom - u * 0.015);

    /* Under the window: the tap; beside it: a board and a jar. */

    x = (s->wx0 + s->wx1) / 2;
    sb_rect(&s->cv, x - u * 0.005, top - u * 0.085, x + u * 0.005,
            top - u * 0.02, s->metal);
    sb_round(&s->cv, x - u * 0.005, top - u * 0.092, x + u * 0.05,
             top - u * 0.08, u * 0.006, s->metal);
    x = s->wx0 - u * 0.1;
    sb_round(&s->cv, x - u * 0.03, top - u * 0.1, x + u * 0.03,
             top - u * 0.022, u * 0.008, s->wood);
    sb_round(&s->cv, x + u * 0.045, top - u * 0.07, x + u * 0.08,
             top - u * 0.022, u * 0.01, s->accent2);
}


/* A free-standing tub with its tap. */

void
sb_bath(sb_scene_t *s, double cx, double y, double w)
{
    int       i;
    double    u, t, top, xy[26][2];
    sb_rgb_t  c;

    u = s->u;
    c = sb_hsl(0.1, 0.1, 0.96);
    top = y - u * 0.19;

    sb_soft(&s->cv, cx, y, w * 0.5, u * 0.035, sb_shade(s->floor, 0.3), 0.7);
    sb_rect(&s->cv, cx + w * 0.4, top - u * 0.11, cx + w * 0.4 + u * 0.012,
            y - u * 0.02, s->metal);
    sb_round(&s->cv, cx + w * 0.29, top - u * 0.118, cx + w * 0.4 + u * 0.012,
             top - u * 0.104, u * 0.007, s->metal);

    for (i = 0; i < 24; i++) {
        t = i / 23.0 * M_PI;
        xy[i][0] = cx + cos(t) * w * 0.44 * (0.82 + 0.18 * (1 - sin(t)));
        xy[i][1] = top + pow(sin(t), 0.55) * u * 0.175;
    }

    xy[24][0] = cx - w * 0.47;
    xy[24][1] = top - u * 0.004;
    xy[25][0] = cx + w * 0.47;
    xy[25][1] = top - u * 0.004;
    sb_poly(&s->cv, (const double (*)[2]) xy, 26, sb_shade(s->main, 1.02), 1);
    sb_soft(&s->cv, cx - w * 0.15, top + u * 0.06, w * 0.22, u * 0.06,
            sb_shade(s->main, 1.25), 0.6);
    sb_ellipse(&s->cv, cx, top, w * 0.48, u * 0.022, c);
    sb_ellipse(&s->cv, cx, top + u * 0.003, w * 0.44, u * 0.014,
               sb_hsl(0.53, 0.35, 0.8));

    /* A towel over the rim. */

    sb_quad(&s->cv, cx - w * 0.34, top - u * 0.012, cx - w * 0.2,
            top - u * 0.012, cx - w * 0.2, top + u * 0.1, cx - w * 0.34,
            top + u * 0.1, s->accent);
    sb_rect(&s->cv, cx - w * 0.34, top + u * 0.075, cx - w * 0.2,
            top + u * 0.085, sb_shade(s->accent, 1.2));
}


void
sb_rug_lay(sb_scene_t *s, double cx, double y, double w)
{
    int     i, round;
    double  u, h, f;

    u = s->u;
    h = u * 0.085;
    round = sb_maybe(s, 0.4);

    for (i = 0; i < 4; i++) {
        f = 1 - i * 0.16;

        if (round) {
            sb_ellipse(&s->cv, cx, y, w / 2 * f, h * f,
                       i & 1 ? sb_mix(s->rug, s->trim, 0.5) : s->rug);
            continue;
        }

        sb_quad(&s->cv, cx - w * 0.42 * f, y - h * f, cx + w * 0.42 * f,
                y - h * f, cx + w * 0.55 * f, y + h * f, cx - w * 0.55 * f,
                y + h * f, i & 1 ? sb_mix(s->rug, s->trim, 0.5)
                                 : sb_shade(s->rug, 1 + 0.03 * i));
    }
}


void
sb_lamp(sb_scene_t *s, double cx, double y)
{
    double    u, top, night;
    sb_rgb_t  shade;

    u = s->u;
    top = y - u * 0.47;
    night = s->sky == SB_SKY_NIGHT ? 0.8 : 0.42;
    shade = sb_hsl(0.115, 0.75, 0.87);

    sb_soft(&s->cv, cx, y, u * 0.07, u * 0.018, sb_shade(s->floor, 0.3),
            0.7);
    sb_soft(&s->cv, cx, top + u * 0.05, u * 0.26, u * 0.24,
            sb_hsl(0.12, 1, 0.86), night);

    sb_ellipse(&s->cv, cx, y - u * 0.006, u * 0.045, u * 0.011,
               sb_shade(s->metal, 0.8));
    sb_rect(&s->cv, cx - u * 0.004, top + u * 0.06, cx + u * 0.004,
            y - u * 0.006, s->metal);
    sb_quad(&s->cv, cx - u * 0.042, top, cx + u * 0.042, top,
            cx + u * 0.068, top + u * 0.095, cx - u * 0.068,
            top + u * 0.095, shade);
    sb_soft(&s->cv, cx, top + u * 0.07, u * 0.055, u * 0.05,
            sb_hsl(0.13, 1, 0.97), 0.8);
    sb_line(&s->cv, cx - u * 0.068, top + u * 0.095, cx + u * 0.068,
            top + u * 0.095, u * 0.005, sb_shade(shade, 0.85));
}


static void
sb_plant_pot(sb_scene_t *s, double cx, double y, double size)
{
    sb_soft(&s->cv, cx, y, size * 0.3, s->u * 0.02, sb_shade(s->floor, 0.3),
            0.7);
    sb_quad(&s->cv, cx - size * 0.17, y - size * 0.3, cx + size * 0.17,
            y - size * 0.3, cx + size * 0.12, y, cx - size * 0.12, y,
            s->accent2);
    sb_quad(&s->cv, cx + size * 0.05, y - size * 0.3, cx + size * 0.17,
            y - size * 0.3, cx + size * 0.12, y, cx + size * 0.04, y,
            sb_shade(s->accent2, 0.88));
    sb_round(&s->cv, cx - size * 0.19, y - size * 0.34, cx + size * 0.19,
             y - size * 0.27, size * 0.02, sb_shade(s->accent2, 1.08));
}


void
sb_plant(sb_scene_t *s, double cx, double y, double size)
{
    int       i, n, kind;
    double    a, len, hue, stem;
    sb_rgb_t  c;

    kind = (int) sb_vary(s, 0, 3);
    hue = sb_vary(s, 0.27, 0.39);
    n = kind == 0 ? 9 : kind == 1 ? 13 : 7;

    for (i = 0; i < n; i++) {
        a = (i - (n - 1) / 2.0) / n * (kind == 1 ? 2.6 : 1.5)
            + sb_vary(s, -0.08, 0.08);
        c = sb_hsl(hue + sb_vary(s, -0.02, 0.02), sb_vary(s, 0.28, 0.42),
                   sb_vary(s, 0.30, 0.46));
        stem = y - size * 0.3;

        if (kind == 0) {                /* broad leaves on stalks */
            len = size * sb_vary(s, 0.3, 0.6);
            sb_line(&s->cv, cx, stem, cx + len * sin(a), stem - len * cos(a),
                    fmax(1, size * 0.012), sb_shade(c, 0.8));
            sb_leaf(&s->cv, cx + len * sin(a) * 0.9,
                    stem - len * cos(a) * 0.9, a * 1.4, size * 0.34,
                    size * 0.19, c);

        } else if (kind == 1) {         /* a fern */
            sb_leaf(&s->cv, cx, stem, a, size * sb_vary(s, 0.5, 0.75),
                    size * 0.1, c);

        } else {                        /* upright blades, 7 of them */
            sb_leaf(&s->cv, cx + (i - 3) * size * 0.035, stem,
                    a * 0.35, size * sb_vary(s, 0.6, 0.95), size * 0.09, c);
        }
    }

    sb_plant_pot(s, cx, y, size);
}
