/*
 * Drawing on a gd image with soft edges: the shapes of which rooms are made.
 *
 * A canvas is borrowed: picture.c and photo.c make and destroy the image.
 * Coordinates are pixels of the canvas, of which the image shows a part;
 * whatever lies outside is clipped.  Colours are 0..1 a channel.
 */

#ifndef SANDBOX_PAINT_H
#define SANDBOX_PAINT_H


#include <stdint.h>

#include <gd.h>


#define SB_POINTS_MAX  64


typedef struct {
    double  r;
    double  g;
    double  b;
} sb_rgb_t;


typedef struct {
    gdImagePtr  im;
    double      w;              /* of the canvas */
    double      h;
    double      x;              /* where the image begins on it */
    double      y;
    unsigned    mirror:1;       /* left and right changed */
} sb_canvas_t;


sb_rgb_t sb_hsl(double h, double s, double l);
sb_rgb_t sb_shade(sb_rgb_t c, double f);
sb_rgb_t sb_mix(sb_rgb_t a, sb_rgb_t b, double t);

/* alpha is opacity, 0..1; below 1 the edges are left hard. */
void sb_poly(sb_canvas_t *cv, const double (*xy)[2], int n, sb_rgb_t c,
    double alpha);
void sb_quad(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    double x2, double y2, double x3, double y3, sb_rgb_t c);
void sb_rect(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    sb_rgb_t c);
void sb_round(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    double r, sb_rgb_t c);
void sb_ellipse(sb_canvas_t *cv, double cx, double cy, double rx, double ry,
    sb_rgb_t c);
void sb_line(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    double width, sb_rgb_t c);
void sb_leaf(sb_canvas_t *cv, double x, double y, double angle, double len,
    double width, sb_rgb_t c);

/* Vertical gradient in a rectangle. */
void sb_gradient(sb_canvas_t *cv, double x0, double y0, double x1, double y1,
    sb_rgb_t top, sb_rgb_t bottom);

/* A soft ellipse of colour, strongest (0..1) in its middle. */
void sb_soft(sb_canvas_t *cv, double cx, double cy, double rx, double ry,
    sb_rgb_t c, double strength);

/* A line of text in gd's own font, smoothly enlarged; returns its width. */
double sb_label(sb_canvas_t *cv, double x, double y, double height,
    const char *text, sb_rgb_t c);
double sb_label_width(double height, const char *text);


#endif /* SANDBOX_PAINT_H */
