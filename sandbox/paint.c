/*
 * The shapes of paint.h on gd.
 *
 * gd fills polygons with hard edges and draws smooth lines, so an opaque
 * shape is its filling and then its outline.  Gradients and soft spots go to
 * the pixels themselves: a call of gd a pixel would take most of the time.
 */

#include <math.h>
#include <string.h>

#include <gdfontg.h>

#include "paint.h"


static double
sb_clamp(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}


static int
sb_color(sb_rgb_t c, double alpha)
{
    return gdTrueColorAlpha((int) (sb_clamp(c.r) * 255 + 0.5),
                            (int) (sb_clamp(c.g) * 255 + 0.5),
                            (int) (sb_clamp(c.b) * 255 + 0.5),
                            (int) ((1 - sb_clamp(alpha)) * 127 + 0.5));
}


/* From the canvas to the image. */

static double
sb_image_x(const sb_canvas_t *cv, double x)
{
    return (cv->mirror ? cv->w - x : x) - cv->x;
}


static void
sb_image_span(const sb_canvas_t *cv, double *x0, double *x1)
{
    double  a, b;

    a = sb_image_x(cv, *x0);
    b = sb_image_x(cv, *x1);

    *x0 = fmin(a, b);
    *x1 = fmax(a, b);
}


static double
sb_hue(double p, double q, double t)
{
    t -= floor(t);

    if (t < 1.0 / 6) {
        return p + (q - p) * 6 * t;
    }

    if (t < 0.5) {
        return q;
    }

    return t < 2.0 / 3 ? p + (q - p) * (2.0 / 3 - t) * 6 : p;
}


sb_rgb_t
sb_hsl(double h, double s, double l)
{
    double    p, q;
    sb_rgb_t  c;

    s = sb_clamp(s);
    l = sb_clamp(l);
    q = l < 0.5 ? l * (1 + s) : l + s - l * s;
    p = 2 * l - q;

    c.r = sb_hue(p, q, h + 1.0 / 3);
    c.g = sb_hue(p, q, h);
    c.b = sb_hue(p, q, h - 1.0 / 3);

    return c;
}


sb_rgb_t
sb_shade(sb_rgb_t c, double f)
{
    c.r = sb_clamp(c.r * f);
    c.g = sb_clamp(c.g * f);
    c.b = sb_clamp(c.b * f);

    return c;
}


sb_rgb_t
sb_mix(sb_rgb_t a, sb_rgb_t b, double t)
{
    a.r += (b.r - a.r) * t;
    a.g += (b.g - a.g) * t;
    a.b += (b.b - a.b) * t;

    return a;
}


void
sb_poly(sb_canvas_t *cv, const double (*xy)[2], int n, sb_rgb_t c,
    double alpha)
{
    int      i, color;
    gdPoint  p[SB_POINTS_MAX];

    if (n < 3 || n > SB_POINTS_MAX) {
        return;
    }

    for (i = 0; i < n; i++) {
        p[i].x = (int) lround(sb_image_x(cv, xy[i][0]));
        p[i].y = (int) lround(xy[i][1] - cv->y);
    }

    color = sb_color(c, alpha);
    gdImageFilledPolygon(cv->im, p, n, color);

    if (alpha >= 1) {
        gdImageSetAntiAliased(cv->im, color);
        gdImagePolygon(cv->im, p, n, gdAntiAliased);
    }
}


void
sb_quad(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    double x2, double y2, double x3, double y3, sb_rgb_t c)
{
    double  xy[4][2] = { { x0, y0 }, { x1, y1 }, { x2, y2 }, { x3, y3 } };

    sb_poly(cv, (const double (*)[2]) xy, 4, c, 1);
}


void
sb_rect(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    sb_rgb_t c)
{
    sb_image_span(cv, &x0, &x1);

    gdImageFilledRectangle(cv->im, (int) lround(x0),
                           (int) lround(y0 - cv->y), (int) lround(x1),
                           (int) lround(y1 - cv->y), sb_color(c, 1));
}


void
sb_round(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    double r, sb_rgb_t c)
{
    int     i, k, n;
    double  a, cx, cy, xy[SB_POINTS_MAX][2];

    r = fmin(r, fmin(x1 - x0, y1 - y0) / 2);

    if (r < 1) {
        sb_rect(cv, x0, y0, x1, y1, c);
        return;
    }

    n = 0;

    for (k = 0; k < 4; k++) {
        cx = (k == 0 || k == 3) ? x1 - r : x0 + r;
        cy = (k < 2) ? y1 - r : y0 + r;

        for (i = 0; i <= 9; i++) {
            a = (k + i / 9.0) * M_PI / 2;
            xy[n][0] = cx + r * cos(a);
            xy[n][1] = cy + r * sin(a);
            n++;
        }
    }

    sb_poly(cv, (const double (*)[2]) xy, n, c, 1);
}


void
sb_ellipse(sb_canvas_t *cv, double cx, double cy, double rx, double ry,
    sb_rgb_t c)
{
    int     i;
    double  a, xy[SB_POINTS_MAX][2];

    for (i = 0; i < SB_POINTS_MAX; i++) {
        a = i * 2 * M_PI / SB_POINTS_MAX;
        xy[i][0] = cx + rx * cos(a);
        xy[i][1] = cy + ry * sin(a);
    }

    sb_poly(cv, (const double (*)[2]) xy, SB_POINTS_MAX, c, 1);
}


void
sb_line(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    double width, sb_rgb_t c)
{
    double  dx, dy, len;

    dx = x1 - x0;
    dy = y1 - y0;
    len = sqrt(dx * dx + dy * dy);

    if (len < 0.5) {
        return;
    }

    dx *= width / 2 / len;
    dy *= width / 2 / len;

    sb_quad(cv, x0 - dy, y0 + dx, x1 - dy, y1 + dx, x1 + dy, y1 - dx,
            x0 + dy, y0 - dx, c);
}


/* From its stem at x, y; angle 0 is up, and grows clockwise. */

void
sb_leaf(sb_canvas_t *cv, double x, double y, double angle, double len,
    double width, sb_rgb_t c)
{
    int     i;
    double  t, along, across, xy[24][2];

    for (i = 0; i < 24; i++) {
        t = i < 12 ? i / 11.0 : (23 - i) / 11.0;
        along = t * len;
        across = sin(M_PI * pow(t, 0.8)) * width / 2 * (i < 12 ? 1 : -1);
        xy[i][0] = x + along * sin(angle) + across * cos(angle);
        xy[i][1] = y - along * cos(angle) + across * sin(angle);
    }

    sb_poly(cv, (const double (*)[2]) xy, 24, c, 1);
    sb_line(cv, x, y, x + 0.9 * len * sin(angle), y - 0.9 * len * cos(angle),
            fmax(1, width * 0.06), sb_shade(c, 0.82));
}


void
sb_gradient(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    sb_rgb_t top, sb_rgb_t bottom)
{
    int  x, y, left, right, first, last, color;

    sb_image_span(cv, &x0, &x1);
    y0 -= cv->y;
    y1 -= cv->y;

    left = (int) fmax(0, lround(x0));
    right = (int) fmin(gdImageSX(cv->im) - 1, lround(x1));
    first = (int) fmax(0, lround(y0));
    last = (int) fmin(gdImageSY(cv->im) - 1, lround(y1));

    for (y = first; y <= last; y++) {
        color = sb_color(sb_mix(top, bottom, (y - y0) / fmax(1, y1 - y0)), 1);

        for (x = left; x <= right; x++) {
            cv->im->tpixels[y][x] = color;
        }
    }
}


void
sb_soft(sb_canvas_t *cv, double cx, double cy, double rx, double ry,
    sb_rgb_t c, double strength)
{
    int     x, y, left, right, first, last, pixel, f, to[3];
    double  dx, dy, half, d;

    to[0] = (int) (sb_clamp(c.r) * 255);
    to[1] = (int) (sb_clamp(c.g) * 255);
    to[2] = (int) (sb_clamp(c.b) * 255);

    cx = sb_image_x(cv, cx);
    cy -= cv->y;

    first = (int) fmax(0, cy - ry);
    last = (int) fmin(gdImageSY(cv->im) - 1, cy + ry);

    for (y = first; y <= last; y++) {
        dy = (y - cy) / ry;
        half = sqrt(fmax(0, 1 - dy * dy)) * rx;
        left = (int) fmax(0, cx - half);
        right = (int) fmin(gdImageSX(cv->im) - 1, cx + half);

        for (x = left; x <= right; x++) {
            dx = (x - cx) / rx;
            d = 1 - dx * dx - dy * dy;

            if (d <= 0) {
                continue;
            }

            f = (int) (d * d * strength * 256);
            pixel = cv->im->tpixels[y][x];
            cv->im->tpixels[y][x] = gdTrueColor(
                gdTrueColorGetRed(pixel)
                    + (to[0] - gdTrueColorGetRed(pixel)) * f / 256,
                gdTrueColorGetGreen(pixel)
                    + (to[1] - gdTrueColorGetGreen(pixel)) * f / 256,
                gdTrueColorGetBlue(pixel)
                    + (to[2] - gdTrueColorGetBlue(pixel)) * f / 256);
        }
    }
}


static double
sb_glyph(gdFontPtr font, int ch, int x, int y)
{
    if (x < 0 || y < 0 || x >= font->w || y >= font->h) {
        return 0;
    }

    return font->data[((ch - font->offset) * font->h + y) * font->w + x]
           ? 1 : 0;
}


/* Bilinear between the font's dots, then a steep step: round corners. */

static double
sb_glyph_cover(gdFontPtr font, int ch, double gx, double gy, double scale)
{
    int     x, y;
    double  fx, fy, v;

    gx -= 0.5;
    gy -= 0.5;
    x = (int) floor(gx);
    y = (int) floor(gy);
    fx = gx - x;
    fy = gy - y;

    v = (sb_glyph(font, ch, x, y) * (1 - fx)
         + sb_glyph(font, ch, x + 1, y) * fx) * (1 - fy)
        + (sb_glyph(font, ch, x, y + 1) * (1 - fx)
           + sb_glyph(font, ch, x + 1, y + 1) * fx) * fy;

    return sb_clamp((v - 0.46) * fmax(1, scale * 1.5) + 0.5);
}


double
sb_label_width(double height, const char *text)
{
    gdFontPtr  font;

    font = gdFontGetGiant();

    return (double) strlen(text) * font->w * height / font->h;
}


double
sb_label(sb_canvas_t *cv, double x, double y, double height,
    const char *text, sb_rgb_t c)
{
    int         px, py, ch;
    double      scale, gx, v;
    gdFontPtr   font;
    const char  *p;

    font = gdFontGetGiant();
    scale = height / font->h;

    for (p = text; *p; p++) {
        ch = (unsigned char) *p;

        if (ch < font->offset || ch >= font->offset + font->nchars) {
            ch = '?';
        }

        gx = x + (double) (p - text) * font->w * scale;

        for (py = (int) y; py <= (int) (y + height); py++) {
            for (px = (int) gx; px <= (int) (gx + font->w * scale); px++) {
                v = sb_glyph_cover(font, ch, (px + 0.5 - gx) / scale,
                                   (py + 0.5 - y) / scale, scale);

                if (v > 0) {
                    gdImageSetPixel(cv->im, px - (int) cv->x,
                                    py - (int) cv->y, sb_color(c, v));
                }
            }
        }
    }

    return sb_label_width(height, text);
}
