/*
 * Seats, beds and tables.
 *
 * Everything is seen from the front and measured in the scene's unit u, with
 * y where it touches the floor.  A piece draws its own shadow first.
 */

#include <math.h>

#include "scene.h"


static void
sb_shadow(sb_scene_t *s, double cx, double y, double rx)
{
    sb_soft(&s->cv, cx, y, rx, s->u * 0.032, sb_shade(s->floor, 0.3), 0.7);
}


static void
sb_leg(sb_scene_t *s, double x, double top, double bottom, double lean,
    sb_rgb_t c)
{
    double  w;

    w = s->u * 0.009;

    sb_quad(&s->cv, x - w, top, x + w, top, x + lean + w * 0.6, bottom,
            x + lean - w * 0.6, bottom, c);
}


/* A cushion standing on a corner of itself, leaning by angle. */

static void
sb_cushion(sb_scene_t *s, double cx, double cy, double r, double angle,
    sb_rgb_t c)
{
    int     i;
    double  a, k, xy[32][2];

    for (i = 0; i < 32; i++) {
        a = i * 2 * M_PI / 32;

        /* Between a square and a circle. */

        k = r / pow(pow(fabs(cos(a)), 4) + pow(fabs(sin(a)), 4), 0.25);
        xy[i][0] = cx + k * cos(a + angle);
        xy[i][1] = cy + k * sin(a + angle) * 0.95;
    }

    sb_poly(&s->cv, (const double (*)[2]) xy, 32, c, 1);
    sb_soft(&s->cv, cx - r * 0.2, cy - r * 0.25, r * 0.7, r * 0.7,
            sb_shade(c, 1.2), 0.5);
}


/* Back and seat of n places between the arms. */

static void
sb_sofa_places(sb_scene_t *s, double x0, double x1, double y, double arm)
{
    int       i, n;
    double    u, seat, back, x, cw;
    sb_rgb_t  c;

    u = s->u;
    c = s->main;
    n = x1 - x0 > u * 0.5 ? 3 : 2;
    seat = y - u * 0.125;
    back = y - u * 0.235;
    cw = (x1 - x0 - 2 * arm) / n;

    sb_round(&s->cv, x0 + arm * 0.5, back, x1 - arm * 0.5, y - u * 0.05,
             u * 0.035, sb_shade(c, 0.86));

    for (i = 0; i < n; i++) {
        x = x0 + arm + i * cw;
        sb_round(&s->cv, x + 1, back + u * 0.016, x + cw - 2,
                 seat + u * 0.02, u * 0.025, sb_shade(c, 0.96));
        sb_soft(&s->cv, x + cw / 2, back + u * 0.05, cw * 0.45, u * 0.035,
                sb_shade(c, 1.15), 0.5);
    }

    sb_round(&s->cv, x0 + arm * 0.6, seat + u * 0.03, x1 - arm * 0.6,
             y - u * 0.03, u * 0.012, sb_shade(c, 0.8));

    for (i = 0; i < n; i++) {
        x = x0 + arm + i * cw;
        sb_round(&s->cv, x + 1, seat, x + cw - 2, seat + u * 0.048,
                 u * 0.016, sb_shade(c, 1.06));
        sb_round(&s->cv, x + 3, seat + 2, x + cw - 4, seat + u * 0.014,
                 u * 0.008, sb_shade(c, 1.14));
    }
}


void
sb_sofa(sb_scene_t *s, double cx, double y, double w)
{
    double    u, x0, x1, arm, seat;
    sb_rgb_t  c;

    u = s->u;
    c = s->main;
    arm = u * 0.05;
    seat = y - u * 0.125;
    x0 = cx - w / 2;
    x1 = cx + w / 2;

    sb_shadow(s, cx, y, w * 0.58);

    sb_leg(s, x0 + u * 0.03, y - u * 0.04, y, -u * 0.006, s->wood);
    sb_leg(s, x1 - u * 0.03, y - u * 0.04, y, u * 0.006, s->wood);
    sb_leg(s, x0 + w * 0.35, y - u * 0.04, y - 2, 0, sb_shade(s->wood, 0.8));
    sb_leg(s, x1 - w * 0.35, y - u * 0.04, y - 2, 0, sb_shade(s->wood, 0.8));

    sb_sofa_places(s, x0, x1, y, arm);

    sb_round(&s->cv, x0, y - u * 0.175, x0 + arm, y - u * 0.028, u * 0.022,
             c);
    sb_round(&s->cv, x1 - arm, y - u * 0.175, x1, y - u * 0.028, u * 0.022,
             sb_shade(c, 0.94));
    sb_round(&s->cv, x0 + 2, y - u * 0.174, x0 + arm - 2, y - u * 0.15,
             u * 0.012, sb_shade(c, 1.12));
    sb_round(&s->cv, x1 - arm + 2, y - u * 0.174, x1 - 2, y - u * 0.15,
             u * 0.012, sb_shade(c, 1.06));

    sb_cushion(s, x0 + arm + u * 0.045, seat - u * 0.03, u * 0.04,
               sb_vary(s, -0.35, 0.1), s->accent);
    sb_cushion(s, x1 - arm - u * 0.05, seat - u * 0.03, u * 0.04,
               sb_vary(s, -0.1, 0.35), s->accent2);

    if (sb_maybe(s, s->clutter)) {
        sb_cushion(s, x1 - arm - u * 0.105, seat - u * 0.022, u * 0.033,
                   sb_vary(s, -0.2, 0.4), sb_mix(s->accent, s->trim, 0.5));
    }
}


void
sb_armchair(sb_scene_t *s, double cx, double y)
{
    double    u, w;
    sb_rgb_t  c;

    u = s->u;
    w = u * 0.1;
    c = s->accent;

    sb_shadow(s, cx, y, w * 1.35);
    sb_leg(s, cx - w * 0.7, y - u * 0.05, y, -u * 0.012, s->wood);
    sb_leg(s, cx + w * 0.7, y - u * 0.05, y, u * 0.012, s->wood);
    sb_round(&s->cv, cx - w * 0.82, y - u * 0.27, cx + w * 0.82,
             y - u * 0.06, u * 0.06, sb_shade(c, 0.88));
    sb_soft(&s->cv, cx, y - u * 0.2, w * 0.7, u * 0.06, sb_shade(c, 1.2),
            0.6);
    sb_round(&s->cv, cx - w * 0.85, y - u * 0.125, cx + w * 0.85,
             y - u * 0.045, u * 0.02, sb_shade(c, 1.06));
    sb_round(&s->cv, cx - w, y - u * 0.165, cx - w * 0.68, y - u * 0.04,
             u * 0.02, c);
    sb_round(&s->cv, cx + w * 0.68, y - u * 0.165, cx + w, y - u * 0.04,
             u * 0.02, sb_shade(c, 0.93));
    sb_cushion(s, cx, y - u * 0.15, u * 0.038, sb_vary(s, -0.2, 0.2),
               s->accent2);
}


void
sb_bed(sb_scene_t *s, double cx, double y, double w)
{
    int       i;
    double    u, x0, x1, top, x;
    sb_rgb_t  linen;

    u = s->u;
    x0 = cx - w / 2;
    x1 = cx + w / 2;
    top = y - u * 0.17;
    linen = sb_hsl(0.11, 0.2, 0.94);

    sb_shadow(s, cx, y, w * 0.58);

    /* Headboard with its upright seams. */

    sb_round(&s->cv, x0 - u * 0.015, y - u * 0.34, x1 + u * 0.015, y - u * 0.1,
             u * 0.03, s->main);

    for (i = 1; i < 6; i++) {
        x = x0 + w * i / 6;
        sb_rect(&s->cv, x, y - u * 0.33, x + 1, y - u * 0.1,
                sb_shade(s->main, 0.86));
    }

    for (i = 0; i < 2; i++) {
        x = cx + (i ? 1 : -1) * w * 0.24;
        sb_round(&s->cv, x - w * 0.21, top - u * 0.085, x + w * 0.21,
                 top + u * 0.02, u * 0.035, sb_shade(linen, 0.96));
        sb_round(&s->cv, x - w * 0.16, top - u * 0.06, x + w * 0.16,
                 top + u * 0.02, u * 0.03, i ? s->accent2 : s->accent);
    }

    sb_round(&s->cv, x0, top, x1, y - u * 0.012, u * 0.025, linen);
    sb_gradient(&s->cv, x0 + 1, top + u * 0.03, x1 - 1, y - u * 0.035,
                sb_shade(linen, 1.02), sb_shade(linen, 0.86));

    /* The blanket across, with its hem. */

    sb_quad(&s->cv, x0 - u * 0.006, top + u * 0.055, x1 + u * 0.006,
            top + u * 0.055, x1 + u * 0.008, y - u * 0.02, x0 - u * 0.008,
            y - u * 0.02, s->accent);
    sb_rect(&s->cv, x0 - u * 0.006, top + u * 0.055, x1 + u * 0.006,
            top + u * 0.068, sb_shade(s->accent, 1.12));

    for (i = 1; i < 8; i++) {
        x = x0 + w * i / 8;
        sb_line(&s->cv, x, top + u * 0.07, x + u * sb_vary(s, -0.01, 0.01),
                y - u * 0.02, 1, sb_shade(s->accent, 0.9));
    }

    sb_rect(&s->cv, x0 + u * 0.01, y - u * 0.02, x1 - u * 0.01, y - u * 0.004,
            sb_shade(s->wood, 0.8));
}


static void
sb_chair(sb_scene_t *s, double cx, double y, sb_rgb_t c)
{
    double  u;

    u = s->u;

    sb_shadow(s, cx, y, u * 0.075);
    sb_leg(s, cx - u * 0.04, y - u * 0.1, y, -u * 0.008, sb_shade(s->wood,
                                                                   0.8));
    sb_leg(s, cx + u * 0.04, y - u * 0.1, y, u * 0.008, sb_shade(s->wood,
                                                                  0.8));
    sb_round(&s->cv, cx - u * 0.045, y - u * 0.225, cx + u * 0.045,
             y - u * 0.11, u * 0.02, c);
    sb_soft(&s->cv, cx, y - u * 0.185, u * 0.035, u * 0.03, sb_shade(c, 1.2),
            0.6);
    sb_round(&s->cv, cx - u * 0.05, y - u * 0.12, cx + u * 0.05,
             y - u * 0.095, u * 0.01, sb_shade(c, 1.06));
}


void
sb_dining(sb_scene_t *s, double cx, double y, double w)
{
    int     i;
    double  u, top;

    u = s->u;
    top = y - u * 0.155;

    for (i = -1; i <= 1; i++) {
        sb_chair(s, cx + i * w * 0.3, y - u * 0.045, sb_shade(s->main, 0.95));
    }

    sb_shadow(s, cx, y, w * 0.5);
    sb_leg(s, cx - w * 0.38, top, y, -u * 0.015, s->wood);
    sb_leg(s, cx + w * 0.38, top, y, u * 0.015, s->wood);
    sb_quad(&s->cv, cx - w * 0.44, top - u * 0.03, cx + w * 0.44,
            top - u * 0.03, cx + w * 0.5, top + u * 0.008, cx - w * 0.5,
            top + u * 0.008, sb_shade(s->wood, 1.1));
    sb_rect(&s->cv, cx - w * 0.5, top + u * 0.008, cx + w * 0.5,
            top + u * 0.024, sb_shade(s->wood, 0.88));

    /* A bowl, a vase, a candle. */

    sb_ellipse(&s->cv, cx, top - u * 0.012, u * 0.05, u * 0.018, s->accent2);
    sb_ellipse(&s->cv, cx, top - u * 0.018, u * 0.045, u * 0.011,
               sb_shade(s->accent2, 0.8));
    sb_round(&s->cv, cx - w * 0.2 - u * 0.014, top - u * 0.065,
             cx - w * 0.2 + u * 0.014, top - u * 0.008, u * 0.012,
             s->accent);

    for (i = -2; i <= 2; i++) {
        sb_leaf(&s->cv, cx - w * 0.2, top - u * 0.06, i * 0.3,
                u * sb_vary(s, 0.07, 0.1), u * 0.022,
                sb_hsl(0.3 + i * 0.015, 0.35, 0.42));
    }

    sb_chair(s, cx - w * 0.56, y + u * 0.015, s->main);
    sb_chair(s, cx + w * 0.56, y + u * 0.015, s->main);
}


static void
sb_screen(sb_scene_t *s, double cx, double bottom)
{
    double  u;

    u = s->u;

    sb_rect(&s->cv, cx - u * 0.01, bottom - u * 0.04, cx + u * 0.01, bottom,
            s->metal);
    sb_rect(&s->cv, cx - u * 0.045, bottom - u * 0.008, cx + u * 0.045,
            bottom, s->metal);
    sb_round(&s->cv, cx - u * 0.115, bottom - u * 0.165, cx + u * 0.115,
             bottom - u * 0.035, u * 0.008, sb_hsl(0.6, 0.1, 0.16));
    sb_gradient(&s->cv, cx - u * 0.108, bottom - u * 0.158, cx + u * 0.108,
                bottom - u * 0.045, sb_shade(s->accent, 1.1),
                sb_shade(s->accent2, 1.05));
}


void
sb_desk(sb_scene_t *s, double cx, double y, double w)
{
    int     i;
    double  u, top, x;

    u = s->u;
    top = y - u * 0.165;

    sb_shadow(s, cx, y, w * 0.56);
    sb_leg(s, cx - w * 0.46, top, y, -u * 0.012, s->wood);
    sb_leg(s, cx - w * 0.40, top, y - u * 0.02, -u * 0.006,
           sb_shade(s->wood, 0.75));

    x = cx + w * 0.24;
    sb_rect(&s->cv, x, top + 2, cx + w * 0.48, y - u * 0.01, s->main);

    for (i = 0; i < 3; i++) {
        sb_rect(&s->cv, x + u * 0.008, top + u * (0.02 + 0.045 * i),
                cx + w * 0.48 - u * 0.008, top + u * (0.058 + 0.045 * i),
                sb_shade(s->main, 1.08));
        sb_round(&s->cv, x + w * 0.09, top + u * (0.036 + 0.045 * i),
                 x + w * 0.15, top + u * (0.042 + 0.045 * i), 2, s->metal);
    }

    sb_quad(&s->cv, cx - w * 0.47, top - u * 0.018, cx + w * 0.47,
            top - u * 0.018, cx + w * 0.5, top + u * 0.004, cx - w * 0.5,
            top + u * 0.004, sb_shade(s->wood, 1.12));
    sb_rect(&s->cv, cx - w * 0.5, top + u * 0.004, cx + w * 0.5,
            top + u * 0.018, sb_shade(s->wood, 0.9));

    sb_screen(s, cx - w * 0.06, top - u * 0.008);

    for (i = 0; i < 4; i++) {
        sb_rect(&s->cv, cx + w * 0.3 + i * u * 0.003,
                top - u * (0.022 + 0.014 * i), cx + w * 0.42,
                top - u * (0.009 + 0.014 * i),
                i & 1 ? s->accent : s->accent2);
    }

    sb_round(&s->cv, cx - w * 0.36 - u * 0.014, top - u * 0.05,
             cx - w * 0.36 + u * 0.014, top - u * 0.008, u * 0.008,
             s->accent2);
    sb_chair(s, cx - w * 0.1, y + u * 0.06, s->accent);
}


void
sb_coffee_table(sb_scene_t *s, double cx, double y, double w)
{
    int     i;
    double  u, top;

    u = s->u;
    top = y - u * 0.075;

    sb_shadow(s, cx, y, w * 0.55);
    sb_leg(s, cx - w * 0.34, top, y, -u * 0.014, sb_shade(s->wood, 0.8));
    sb_leg(s, cx + w * 0.34, top, y, u * 0.014, sb_shade(s->wood, 0.8));
    sb_ellipse(&s->cv, cx, top + u * 0.008, w / 2, u * 0.03,
               sb_shade(s->wood, 0.82));
    sb_ellipse(&s->cv, cx, top, w / 2, u * 0.03, sb_shade(s->wood, 1.12));

    for (i = 0; i < 2; i++) {
        sb_quad(&s->cv, cx - w * 0.24, top - u * (0.002 + 0.009 * i),
                cx - w * 0.02, top - u * (0.002 + 0.009 * i),
                cx - w * 0.02, top - u * (0.010 + 0.009 * i),
                cx - w * 0.24, top - u * (0.010 + 0.009 * i),
                i ? s->accent : s->accent2);
    }

    sb_round(&s->cv, cx + w * 0.18 - u * 0.012, top - u * 0.05,
             cx + w * 0.18 + u * 0.012, top + u * 0.004, u * 0.01,
             s->accent);

    for (i = -1; i <= 1; i++) {
        sb_leaf(&s->cv, cx + w * 0.18, top - u * 0.045, i * 0.4, u * 0.06,
                u * 0.018, sb_hsl(0.29, 0.35, 0.45));
    }
}


void
sb_side_table(sb_scene_t *s, double cx, double y)
{
    double  u;

    u = s->u;

    sb_shadow(s, cx, y, u * 0.08);
    sb_round(&s->cv, cx - u * 0.055, y - u * 0.13, cx + u * 0.055,
             y - u * 0.018, u * 0.006, s->wood);
    sb_rect(&s->cv, cx - u * 0.047, y - u * 0.12, cx + u * 0.047,
            y - u * 0.075, sb_shade(s->wood, 1.1));
    sb_rect(&s->cv, cx - u * 0.047, y - u * 0.07, cx + u * 0.047,
            y - u * 0.025, sb_shade(s->wood, 1.1));
    sb_ellipse(&s->cv, cx, y - u * 0.097, u * 0.006, u * 0.006, s->metal);
    sb_ellipse(&s->cv, cx, y - u * 0.047, u * 0.006, u * 0.006, s->metal);
    sb_leg(s, cx - u * 0.045, y - u * 0.02, y, 0, sb_shade(s->wood, 0.7));
    sb_leg(s, cx + u * 0.045, y - u * 0.02, y, 0, sb_shade(s->wood, 0.7));

    sb_soft(&s->cv, cx, y - u * 0.22, u * 0.16, u * 0.16,
            sb_hsl(0.12, 1, 0.88), s->sky == SB_SKY_NIGHT ? 0.8 : 0.4);
    sb_rect(&s->cv, cx - u * 0.004, y - u * 0.19, cx + u * 0.004,
            y - u * 0.13, s->metal);
    sb_quad(&s->cv, cx - u * 0.022, y - u * 0.24, cx + u * 0.022,
            y - u * 0.24, cx + u * 0.038, y - u * 0.18, cx - u * 0.038,
            y - u * 0.18, sb_hsl(0.12, 0.7, 0.88));
}
