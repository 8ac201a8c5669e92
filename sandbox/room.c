/*
 * The room itself: ceiling, walls, floor, window, and what hangs.
 *
 * One-point perspective: the back wall is a rectangle, and every line that
 * runs towards the eye leaves one of its points away from the vanishing
 * point.  A depth k is the factor of that distance: 1 at the back wall.
 */

#include <math.h>

#include "scene.h"


#define SB_NEAR  6.0            /* depth surely outside the picture */


static double
sb_px(const sb_scene_t *s, double x, double k)
{
    return s->vx + (x - s->vx) * k;
}


static double
sb_py(const sb_scene_t *s, double y, double k)
{
    return s->vy + (y - s->vy) * k;
}


/* A strip of the floor between two rays and two depths. */

static void
sb_floor_cell(sb_scene_t *s, double xa, double xb, double ka, double kb,
    sb_rgb_t c)
{
    sb_quad(&s->cv, sb_px(s, xa, ka), sb_py(s, s->y1, ka),
            sb_px(s, xb, ka), sb_py(s, s->y1, ka),
            sb_px(s, xb, kb), sb_py(s, s->y1, kb),
            sb_px(s, xa, kb), sb_py(s, s->y1, kb), c);
}


static void
sb_floor_wood(sb_scene_t *s)
{
    double  x, k, next, step, width, depth;

    /* The picture's lower edge lies this deep. */

    depth = (s->cv.h - s->vy) / (s->y1 - s->vy);
    width = s->u * 0.055;

    for (x = s->x0; x < s->x1; x += width) {
        k = 1;
        step = sb_vary(s, 1.1, 1.9);

        while (k < depth) {
            next = k * step;
            sb_floor_cell(s, x, fmin(x + width, s->x1), k, next,
                          sb_shade(s->floor, sb_vary(s, 0.92, 1.07)));
            k = next;
            step = sb_vary(s, 1.5, 2.2);
        }
    }

    for (x = s->x0; x < s->x1; x += width) {
        sb_line(&s->cv, x, s->y1, sb_px(s, x, depth), s->cv.h, 1,
                sb_shade(s->floor, 0.8));
    }
}


static void
sb_floor_tiles(sb_scene_t *s)
{
    int       i, k;
    double    x, ka, kb, width;
    sb_rgb_t  c;

    width = s->u * 0.12;
    i = 0;

    for (x = s->x0; x < s->x1; x += width, i++) {
        for (k = 0; k < 9; k++) {
            ka = 1 / (1 - k * 0.1);
            kb = k == 8 ? SB_NEAR : 1 / (1 - (k + 1) * 0.1);
            c = ((i + k) & 1) ? s->floor : sb_mix(s->floor, s->trim, 0.55);
            sb_floor_cell(s, x, fmin(x + width, s->x1), ka, kb, c);
        }
    }
}


static void
sb_floor(sb_scene_t *s)
{
    sb_floor_cell(s, s->x0, s->x1, 1, SB_NEAR, s->floor);

    if (s->floor_kind == SB_FLOOR_WOOD) {
        sb_floor_wood(s);

    } else if (s->floor_kind == SB_FLOOR_TILES) {
        sb_floor_tiles(s);
    }

    /* Walls throw little light on the floor where they meet it. */

    sb_soft(&s->cv, (s->x0 + s->x1) / 2, s->y1, (s->x1 - s->x0) * 0.62,
            s->u * 0.10, sb_shade(s->floor, 0.55), 0.35);
}


static void
sb_wall_panels(sb_scene_t *s)
{
    int     i, n;
    double  x, w, top, bottom;

    n = (int) fmax(3, (s->x1 - s->x0) / (s->u * 0.24));
    w = (s->x1 - s->x0) / n;
    top = s->y0 + s->u * 0.05;
    bottom = s->y1 - s->u * 0.075;

    for (i = 0; i < n; i++) {
        x = s->x0 + i * w;
        sb_rect(&s->cv, x + w * 0.1, top, x + w * 0.9, bottom,
                sb_shade(s->wall, 0.93));
        sb_gradient(&s->cv, x + w * 0.1 + 2, top + 2, x + w * 0.9 - 1,
                    bottom - 1, sb_shade(s->wall, 1.03),
                    sb_shade(s->wall, 0.985));
    }
}


static void
sb_wall_wainscot(sb_scene_t *s)
{
    double    x, top, w;
    sb_rgb_t  c;

    top = s->y1 - (s->y1 - s->y0) * 0.36;
    c = sb_mix(s->trim, s->wall, 0.12);
    w = s->u * 0.07;

    sb_gradient(&s->cv, s->x0, top, s->x1, s->y1, c, sb_shade(c, 0.94));

    for (x = s->x0 + w; x < s->x1; x += w) {
        sb_rect(&s->cv, x, top, x + 1, s->y1, sb_shade(c, 0.88));
    }

    sb_rect(&s->cv, s->x0, top - s->u * 0.012, s->x1, top, s->trim);
    sb_rect(&s->cv, s->x0, top + 1, s->x1, top + 2, sb_shade(s->trim, 0.8));
}


static void
sb_wall_stripes(sb_scene_t *s)
{
    double  x, w;

    w = s->u * 0.045;

    for (x = s->x0; x < s->x1; x += 2 * w) {
        sb_gradient(&s->cv, x, s->y0, fmin(x + w, s->x1), s->y1,
                    sb_shade(s->wall, 1.05), sb_shade(s->wall, 0.99));
    }
}


static void
sb_wall_bricks(sb_scene_t *s, double bw, double bh, double vary)
{
    int     row;
    double  x, y, off;

    row = 0;

    for (y = s->y0; y < s->y1; y += bh, row++) {
        off = (row & 1) ? bw / 2 : 0;

        for (x = s->x0 - off; x < s->x1; x += bw) {
            sb_rect(&s->cv, fmax(x + 1, s->x0), y + 1,
                    fmin(x + bw - 2, s->x1), fmin(y + bh - 2, s->y1),
                    sb_shade(s->wall, sb_vary(s, 1 - vary, 1 + vary)));
        }
    }
}


static void
sb_back_wall(sb_scene_t *s)
{
    double  u;

    u = s->u;
    sb_gradient(&s->cv, s->x0, s->y0, s->x1, s->y1, sb_shade(s->wall, 1.02),
                sb_shade(s->wall, 0.96));

    switch (s->wall_kind) {

    case SB_WALL_PANELS:
        sb_wall_panels(s);
        break;

    case SB_WALL_WAINSCOT:
        sb_wall_wainscot(s);
        break;

    case SB_WALL_STRIPES:
        sb_wall_stripes(s);
        break;

    case SB_WALL_BRICK:
        sb_rect(&s->cv, s->x0, s->y0, s->x1, s->y1, sb_shade(s->wall, 0.84));
        sb_wall_bricks(s, u * 0.075, u * 0.026, 0.07);
        break;

    case SB_WALL_TILES:
        sb_rect(&s->cv, s->x0, s->y0, s->x1, s->y1, sb_shade(s->wall, 0.9));
        sb_wall_bricks(s, u * 0.06, u * 0.06, 0.02);
        break;

    default:
        break;
    }

    /* Brighter in the middle; corners keep their shade. */

    sb_soft(&s->cv, (s->x0 + s->x1) / 2, (s->y0 + s->y1) / 2,
            (s->x1 - s->x0) * 0.6, (s->y1 - s->y0) * 0.8,
            sb_shade(s->wall, 1.12), 0.35);
}


/* A side wall and its skirting, side -1 or 1. */

static void
sb_side_wall(sb_scene_t *s, double x, double f)
{
    double    n, base;
    sb_rgb_t  c;

    n = SB_NEAR;
    base = s->u * 0.035;
    c = sb_shade(s->wall, f);

    sb_quad(&s->cv, x, s->y0, sb_px(s, x, n), sb_py(s, s->y0, n),
            sb_px(s, x, n), sb_py(s, s->y1, n), x, s->y1, c);
    sb_quad(&s->cv, x, s->y1 - base, sb_px(s, x, n),
            sb_py(s, s->y1 - base, n), sb_px(s, x, n), sb_py(s, s->y1, n), x,
            s->y1, sb_shade(s->trim, f));
}


void
sb_room_shell(sb_scene_t *s)
{
    double  n, u;

    n = SB_NEAR;
    u = s->u;

    sb_quad(&s->cv, s->x0, s->y0, s->x1, s->y0, sb_px(s, s->x1, n),
            sb_py(s, s->y0, n), sb_px(s, s->x0, n), sb_py(s, s->y0, n),
            s->ceiling);

    sb_floor(s);
    sb_side_wall(s, s->x0, 0.86);
    sb_side_wall(s, s->x1, 0.91);
    sb_back_wall(s);

    /* Cornice and skirting of the back wall. */

    sb_rect(&s->cv, s->x0, s->y0, s->x1, s->y0 + u * 0.012,
            sb_shade(s->trim, 0.97));
    sb_rect(&s->cv, s->x0, s->y0 + u * 0.012 + 1, s->x1,
            s->y0 + u * 0.012 + 2, sb_shade(s->wall, 0.86));
    sb_rect(&s->cv, s->x0, s->y1 - u * 0.035, s->x1, s->y1, s->trim);
    sb_rect(&s->cv, s->x0, s->y1 - u * 0.035, s->x1, s->y1 - u * 0.035 + 1,
            sb_shade(s->trim, 0.86));
    sb_rect(&s->cv, s->x0, s->y1 - 1, s->x1, s->y1,
            sb_shade(s->trim, 0.72));
}


static void
sb_hills(sb_scene_t *s, double level, double height, double phase, sb_rgb_t c)
{
    int     i;
    double  x, xy[34][2];

    for (i = 0; i < 32; i++) {
        x = i / 31.0;
        xy[i][0] = s->wx0 + (s->wx1 - s->wx0) * x;
        xy[i][1] = level - height * (0.55 + 0.3 * sin(x * 5 + phase)
                                     + 0.15 * sin(x * 13 + phase * 3));
    }

    xy[32][0] = s->wx1;
    xy[32][1] = s->wy1;
    xy[33][0] = s->wx0;
    xy[33][1] = s->wy1;

    sb_poly(&s->cv, (const double (*)[2]) xy, 34, c, 1);
}


static void
sb_skyline(sb_scene_t *s, double level, sb_rgb_t c)
{
    double    x, y, w, top, step;
    sb_rgb_t  lit;

    lit = sb_mix(c, sb_hsl(0.13, 0.9, 0.7), s->sky == SB_SKY_NIGHT ? 0.8
                                                                   : 0.15);
    step = s->u * 0.014;

    for (x = s->wx0; x < s->wx1; x += w + s->u * 0.0015) {
        w = sb_vary(s, s->u * 0.03, s->u * 0.065);
        top = level - sb_vary(s, 0.02, 0.13) * s->u;
        sb_rect(&s->cv, x, top, fmin(x + w, s->wx1), s->wy1,
                sb_shade(c, sb_vary(s, 0.9, 1.1)));

        for (y = top + step; y < s->wy1; y += step * 1.6) {
            if (sb_maybe(s, 0.6) && x + w * 0.6 < s->wx1) {
                sb_rect(&s->cv, x + w * 0.2, y, x + w * 0.35, y + step * 0.6,
                        lit);
                sb_rect(&s->cv, x + w * 0.55, y, x + w * 0.7,
                        y + step * 0.6, lit);
            }
        }
    }
}


static void
sb_sky(sb_scene_t *s)
{
    int       i;
    double    r, x, y, w, h;
    sb_rgb_t  top, bottom, orb;

    static const double  skies[4][6] = {
        { 0.47, 0.70, 0.92, 0.86, 0.94, 0.99 },
        { 0.56, 0.50, 0.72, 0.99, 0.78, 0.55 },
        { 0.74, 0.79, 0.84, 0.92, 0.93, 0.94 },
        { 0.06, 0.09, 0.22, 0.22, 0.27, 0.46 }
    };

    top = (sb_rgb_t) { skies[s->sky][0], skies[s->sky][1], skies[s->sky][2] };
    bottom = (sb_rgb_t) { skies[s->sky][3], skies[s->sky][4],
                          skies[s->sky][5] };
    w = s->wx1 - s->wx0;
    h = s->wy1 - s->wy0;

    sb_gradient(&s->cv, s->wx0, s->wy0, s->wx1, s->wy1, top, bottom);

    x = s->wx0 + w * sb_vary(s, 0.25, 0.75);
    y = s->wy0 + h * sb_vary(s, 0.2, 0.35);
    r = s->u * 0.022;

    if (s->sky == SB_SKY_NIGHT) {
        for (i = 0; i < 24; i++) {
            sb_ellipse(&s->cv, s->wx0 + w * sb_vary(s, 0.03, 0.97),
                       s->wy0 + h * sb_vary(s, 0.03, 0.6), 1, 1,
                       sb_hsl(0.15, 0.3, 0.9));
        }

        orb = sb_hsl(0.14, 0.5, 0.92);
        sb_ellipse(&s->cv, x, y, r, r, orb);
        sb_ellipse(&s->cv, x + r * 0.45, y - r * 0.2, r * 0.85, r * 0.85,
                   sb_mix(top, bottom, 0.25));
        return;
    }

    if (s->sky != SB_SKY_OVERCAST) {
        y = s->sky == SB_SKY_SUNSET ? s->wy0 + h * 0.55 : y;
        orb = sb_hsl(0.13, 0.95, 0.86);
        sb_ellipse(&s->cv, x, y, r, r, orb);
    }

    for (i = 0; i < 3; i++) {
        x = s->wx0 + w * sb_vary(s, 0.2, 0.8);
        y = s->wy0 + h * sb_vary(s, 0.1, 0.5);
        sb_soft(&s->cv, x, y, w * 0.18, h * 0.05, sb_hsl(0.1, 0.4, 0.98),
                0.9);
        sb_soft(&s->cv, x + w * 0.06, y - h * 0.02, w * 0.1, h * 0.04,
                sb_hsl(0.1, 0.4, 0.99), 0.9);
    }
}


static void
sb_view(sb_scene_t *s)
{
    double    h, dark;
    sb_rgb_t  far, near;

    h = s->wy1 - s->wy0;
    dark = s->sky == SB_SKY_NIGHT ? 0.28 : s->sky == SB_SKY_SUNSET ? 0.7 : 1;

    sb_sky(s);

    /* Clouds at the edge are soft spots and do not know the frame. */

    if (sb_maybe(s, 0.35)) {
        sb_skyline(s, s->wy1 - h * 0.22,
                   sb_shade(sb_hsl(0.6, 0.18, 0.62), dark));
        return;
    }

    far = sb_shade(sb_hsl(sb_vary(s, 0.4, 0.55), 0.22, 0.66), dark);
    near = sb_shade(sb_hsl(sb_vary(s, 0.24, 0.36), 0.32, 0.48), dark);

    sb_hills(s, s->wy1 - h * 0.12, h * 0.34, sb_vary(s, 0, 6), far);
    sb_hills(s, s->wy1, h * 0.28, sb_vary(s, 0, 6), near);
}


static void
sb_curtain(sb_scene_t *s, double x, double w, double top, double bottom)
{
    int       i, n;
    double    f, fold;

    n = 6;
    fold = w / n;

    for (i = 0; i < n; i++) {
        f = (i & 1) ? 0.93 : 1.04;
        sb_quad(&s->cv, x + i * fold, top, x + (i + 1) * fold, top,
                x + (i + 1) * fold + s->u * 0.004, bottom,
                x + i * fold - s->u * 0.004, bottom, sb_shade(s->curtain, f));
    }
}


static void
sb_window_frame(sb_scene_t *s)
{
    int       i, cols;
    double    f, x, y, u;
    sb_rgb_t  c;

    u = s->u;
    f = u * 0.014;
    c = s->trim;

    sb_rect(&s->cv, s->wx0 - f, s->wy0 - f, s->wx0, s->wy1 + f, c);
    sb_rect(&s->cv, s->wx1, s->wy0 - f, s->wx1 + f, s->wy1 + f, c);
    sb_rect(&s->cv, s->wx0 - f, s->wy0 - f, s->wx1 + f, s->wy0, c);
    sb_rect(&s->cv, s->wx0 - f, s->wy1, s->wx1 + f, s->wy1 + f, c);

    cols = (int) fmax(2, lround((s->wx1 - s->wx0) / (u * 0.16)));

    for (i = 1; i < cols; i++) {
        x = s->wx0 + (s->wx1 - s->wx0) * i / cols;
        sb_rect(&s->cv, x - f * 0.35, s->wy0, x + f * 0.35, s->wy1, c);
        sb_rect(&s->cv, x + f * 0.35, s->wy0, x + f * 0.35 + 1, s->wy1,
                sb_shade(c, 0.85));
    }

    y = s->wy0 + (s->wy1 - s->wy0) * 0.34;
    sb_rect(&s->cv, s->wx0, y - f * 0.35, s->wx1, y + f * 0.35, c);
    sb_rect(&s->cv, s->wx0, y + f * 0.35, s->wx1, y + f * 0.35 + 1,
            sb_shade(c, 0.85));

    sb_rect(&s->cv, s->wx0 - f * 2, s->wy1 + f, s->wx1 + f * 2,
            s->wy1 + f * 2.2, sb_shade(c, 1.02));
    sb_rect(&s->cv, s->wx0 - f * 2, s->wy1 + f * 2.2, s->wx1 + f * 2,
            s->wy1 + f * 2.2 + 2, sb_shade(s->wall, 0.78));
}


void
sb_room_window(sb_scene_t *s)
{
    double  u, w, top, bottom, rod;

    u = s->u;
    sb_view(s);

    sb_window_frame(s);

    if (s->room == SB_ROOM_KITCHEN || s->room == SB_ROOM_BATH
        || !sb_maybe(s, 0.75))
    {
        return;
    }

    w = fmin(u * 0.085, (s->wx1 - s->wx0) * 0.3);
    top = s->wy0 - u * 0.035;
    bottom = sb_maybe(s, 0.6) ? s->y1 - u * 0.02 : s->wy1 + u * 0.06;
    rod = u * 0.005;

    sb_rect(&s->cv, s->wx0 - w * 1.1, top - rod, s->wx1 + w * 1.1, top + rod,
            s->metal);
    sb_ellipse(&s->cv, s->wx0 - w * 1.1, top, rod * 2.2, rod * 2.2, s->metal);
    sb_ellipse(&s->cv, s->wx1 + w * 1.1, top, rod * 2.2, rod * 2.2, s->metal);
    sb_curtain(s, s->wx0 - w * 0.9, w, top, bottom);
    sb_curtain(s, s->wx1 - w * 0.1, w, top, bottom);
}


/* What the window throws on the floor. */

void
sb_room_light(sb_scene_t *s)
{
    double    ka, kb, lean, xy[4][2];
    sb_rgb_t  c;

    if (s->sky == SB_SKY_OVERCAST || s->sky == SB_SKY_NIGHT) {
        return;
    }

    ka = 1.12;
    kb = 1.75;
    lean = s->u * 0.1 * (s->wx0 + s->wx1 > s->x0 + s->x1 ? -1 : 1);
    c = s->sky == SB_SKY_SUNSET ? sb_hsl(0.08, 1, 0.75)
                                : sb_hsl(0.13, 1, 0.88);

    xy[0][0] = sb_px(s, s->wx0 + lean, ka);
    xy[1][0] = sb_px(s, s->wx1 + lean, ka);
    xy[2][0] = sb_px(s, s->wx1 + lean * 2, kb);
    xy[3][0] = sb_px(s, s->wx0 + lean * 2, kb);
    xy[0][1] = xy[1][1] = sb_py(s, s->y1, ka);
    xy[2][1] = xy[3][1] = sb_py(s, s->y1, kb);

    sb_poly(&s->cv, (const double (*)[2]) xy, 4, c, 0.2);
}


static void
sb_art_content(sb_scene_t *s, double x0, double y0, double x1, double y1)
{
    int       i, kind;
    double    w, h, x, y, r;
    sb_rgb_t  colors[3];

    w = x1 - x0;
    h = y1 - y0;
    r = fmin(w, h);
    colors[0] = s->accent;
    colors[1] = s->accent2;
    colors[2] = s->main;
    kind = (int) sb_vary(s, 0, 3);

    if (kind == 0) {                    /* a sun over bands */
        sb_ellipse(&s->cv, x0 + w * sb_vary(s, 0.35, 0.65), y0 + h * 0.38,
                   r * 0.2, r * 0.2, s->accent2);

        for (i = 0; i < 3; i++) {
            y = y0 + h * (0.55 + 0.15 * i);
            sb_quad(&s->cv, x0, y, x1, y + h * sb_vary(s, -0.06, 0.06), x1,
                    y1, x0, y1, sb_shade(colors[i % 2 ? 2 : 0],
                                         1.1 - 0.15 * i));
        }

        return;
    }

    if (kind == 1) {                    /* a plant's line */
        for (i = 0; i < 7; i++) {
            sb_leaf(&s->cv, x0 + w / 2, y1 - h * (0.12 + 0.1 * i),
                    (i & 1 ? 1 : -1) * sb_vary(s, 0.6, 1.1), r * 0.3,
                    r * 0.12, sb_shade(s->accent, 0.9));
        }

        sb_line(&s->cv, x0 + w / 2, y1 - h * 0.06, x0 + w / 2,
                y0 + h * 0.18, fmax(1, r * 0.015), sb_shade(s->accent, 0.8));
        return;
    }

    for (i = 0; i < 4; i++) {           /* stones */
        x = x0 + w * sb_vary(s, 0.28, 0.72);
        y = y0 + h * sb_vary(s, 0.25, 0.75);
        sb_ellipse(&s->cv, x, y, r * sb_vary(s, 0.1, 0.22),
                   r * sb_vary(s, 0.1, 0.22), colors[i % 3]);
    }
}


void
sb_room_art(sb_scene_t *s, double cx, double cy, double w, double h)
{
    double    f;
    sb_rgb_t  frame;

    f = s->u * 0.009;
    frame = sb_maybe(s, 0.5) ? sb_shade(s->wood, 0.7) : s->metal;

    sb_soft(&s->cv, cx + f, cy + f * 2, w * 0.62, h * 0.62,
            sb_shade(s->wall, 0.6), 0.45);
    sb_rect(&s->cv, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, frame);
    sb_rect(&s->cv, cx - w / 2 + f, cy - h / 2 + f, cx + w / 2 - f,
            cy + h / 2 - f, sb_hsl(0.11, 0.25, 0.95));
    sb_art_content(s, cx - w / 2 + f * 3, cy - h / 2 + f * 3,
                   cx + w / 2 - f * 3, cy + h / 2 - f * 3);
}


void
sb_room_shelf(sb_scene_t *s, double x0, double y, double w)
{
    double    x, bw, bh, u;
    sb_rgb_t  c;

    u = s->u;
    sb_rect(&s->cv, x0 + 2, y + u * 0.012, x0 + w + 2, y + u * 0.022,
            sb_shade(s->wall, 0.8));
    sb_rect(&s->cv, x0, y, x0 + w, y + u * 0.012, s->wood);

    for (x = x0 + u * 0.015; x < x0 + w * 0.62; x += bw + u * 0.0015) {
        bw = sb_vary(s, u * 0.009, u * 0.018);
        bh = sb_vary(s, u * 0.05, u * 0.075);
        c = sb_maybe(s, 0.33) ? s->accent
            : sb_maybe(s, 0.5) ? s->accent2 : sb_shade(s->main, 0.9);
        sb_rect(&s->cv, x, y - bh, x + bw, y - 1,
                sb_shade(c, sb_vary(s, 0.85, 1.15)));
    }

    x = x0 + w * 0.82;
    sb_round(&s->cv, x - u * 0.016, y - u * 0.04, x + u * 0.016, y - 1,
             u * 0.01, s->accent2);
    sb_leaf(&s->cv, x, y - u * 0.038, -0.5, u * 0.05, u * 0.02,
            sb_hsl(0.33, 0.35, 0.4));
    sb_leaf(&s->cv, x, y - u * 0.038, 0.4, u * 0.055, u * 0.02,
            sb_hsl(0.31, 0.35, 0.45));
}


void
sb_room_mirror(sb_scene_t *s, double cx, double cy, double r)
{
    sb_soft(&s->cv, cx + r * 0.06, cy + r * 0.1, r * 1.25, r * 1.25,
            sb_shade(s->wall, 0.6), 0.45);
    sb_ellipse(&s->cv, cx, cy, r, r, s->metal);
    sb_ellipse(&s->cv, cx, cy, r * 0.93, r * 0.93,
               sb_mix(s->wall, sb_hsl(0.55, 0.3, 0.9), 0.6));
    sb_soft(&s->cv, cx - r * 0.3, cy - r * 0.3, r * 0.5, r * 0.5,
            sb_hsl(0.5, 0.2, 1), 0.6);
}


void
sb_room_pendant(sb_scene_t *s, double cx, double y)
{
    double    u, xy[4][2];
    sb_rgb_t  c;

    u = s->u;
    c = s->metal;

    sb_rect(&s->cv, cx - 1, 0, cx + 1, y, sb_shade(c, 0.7));
    sb_soft(&s->cv, cx, y + u * 0.07, u * 0.2, u * 0.16,
            sb_hsl(0.12, 1, 0.88), s->sky == SB_SKY_NIGHT ? 0.75 : 0.4);

    xy[0][0] = cx - u * 0.015;
    xy[1][0] = cx + u * 0.015;
    xy[2][0] = cx + u * 0.06;
    xy[3][0] = cx - u * 0.06;
    xy[0][1] = xy[1][1] = y;
    xy[2][1] = xy[3][1] = y + u * 0.055;
    sb_poly(&s->cv, (const double (*)[2]) xy, 4, c, 1);
    sb_ellipse(&s->cv, cx, y + u * 0.055, u * 0.06, u * 0.01,
               sb_hsl(0.13, 1, 0.9));
}
