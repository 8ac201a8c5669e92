/*
 * Draws photos: see photo.h.
 *
 * A photo is a window on a room of scene.c, of which it may show a corner
 * only, from the left or the right, under light of its own.  The room, the
 * window and the light are fractions of the picture, so a thumbnail and the
 * original have the same hash, while the light, which moves the lowest
 * frequencies, keeps two rooms that are built alike apart.
 *
 * Nothing is kept: cdn.c caches what is drawn.  The gd image lives inside
 * sb_photo_draw().
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "photo.h"
#include "scene.h"


#define SB_WAVES       10               /* of light, a photo */
#define SB_LIGHT_GRID  16
#define SB_LABEL_MIN   600              /* pixels of width that carry one */


typedef struct {
    const char  *name;
    double       h, s, l;
} sb_tint_t;


static const sb_tint_t  sb_tints[SB_TINTS] = {
    { "red", 0.99, 0.58, 0.42 },
    { "orange", 0.06, 0.68, 0.52 },
    { "yellow", 0.13, 0.70, 0.58 },
    { "green", 0.34, 0.34, 0.40 },
    { "teal", 0.50, 0.42, 0.40 },
    { "blue", 0.60, 0.48, 0.46 },
    { "purple", 0.77, 0.36, 0.46 },
    { "pink", 0.94, 0.52, 0.72 },
    { "brown", 0.06, 0.38, 0.32 },
    { "black", 0.62, 0.08, 0.15 },
    { "gray", 0.60, 0.05, 0.55 },
    { "white", 0.11, 0.15, 0.92 }
};


/* A seed's remainder says which; so a query for one can be answered. */

static const char *const  sb_photo_rooms[SB_PHOTO_ROOMS] = {
    "living", "bedroom", "kitchen", "dining", "office", "bath", "living"
};

static const char *const  sb_photo_styles[] = {
    "modern", "scandi", "industrial", "rustic", "boho", "classic", "coastal",
    "plain"
};


sb_tint_e
sb_photo_tint(uint64_t seed)
{
    return (sb_tint_e) (sb_scramble(seed ^ 0x7417) % SB_TINTS);
}


const char *
sb_tint_name(sb_tint_e tint)
{
    return sb_tints[tint].name;
}


/* The seed nearest to this one of a room that words name, if they do. */

uint64_t
sb_photo_seed(uint64_t seed, const char *words)
{
    int  room;

    room = sb_scene_room(words);

    return room < 0 ? seed : seed - seed % SB_PHOTO_ROOMS + (unsigned) room;
}


/* As 0xRRGGBB: the tint, a little lighter or darker. */

uint32_t
sb_photo_color(uint64_t seed)
{
    double            l;
    uint32_t          r, g, b;
    sb_rgb_t          c;
    const sb_tint_t  *t;

    t = &sb_tints[sb_photo_tint(seed)];
    l = t->l + ((double) (sb_scramble(seed ^ 0x11) % 1000) / 1000 - 0.5) * 0.1;
    c = sb_hsl(t->h, t->s, l);

    r = (uint32_t) (c.r * 255 + 0.5);
    g = (uint32_t) (c.g * 255 + 0.5);
    b = (uint32_t) (c.b * 255 + 0.5);

    return r << 16 | g << 8 | b;
}


/* name has room for SB_PHOTO_NAME digits and a NUL. */

void
sb_photo_name(const sb_photo_t *photo, char *name)
{
    snprintf(name, SB_PHOTO_NAME + 1, "%016llx%04x%04x%02x%06x",
             (unsigned long long) photo->seed, photo->width & 0xffff,
             photo->height & 0xffff, photo->variant & 0xff,
             (unsigned) (sb_scramble(photo->seed ^ photo->variant)
                         & 0xffffff));
}


/* The other way; dashes of a UUID may stand between the digits. */

int
sb_photo_find(const char *name, size_t len, sb_photo_t *photo)
{
    char    digits[SB_PHOTO_NAME + 1], again[SB_PHOTO_NAME + 1], part[5];
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {
        if (name[i] == '-') {
            continue;
        }

        if (n == SB_PHOTO_NAME
            || strchr("0123456789abcdef", name[i]) == NULL)
        {
            return SB_ERROR;
        }

        digits[n++] = name[i];
    }

    if (n != SB_PHOTO_NAME) {
        return SB_ERROR;
    }

    digits[n] = '\0';
    part[4] = '\0';

    memcpy(again, digits, 16);
    again[16] = '\0';
    photo->seed = strtoull(again, NULL, 16);

    memcpy(part, digits + 16, 4);
    photo->width = (unsigned) strtoul(part, NULL, 16);

    memcpy(part, digits + 20, 4);
    photo->height = (unsigned) strtoul(part, NULL, 16);

    memcpy(part, digits + 24, 2);
    part[2] = '\0';
    photo->variant = (unsigned) strtoul(part, NULL, 16);

    /* The last digits are a checksum: only what was given out is there. */

    sb_photo_name(photo, again);

    return strcmp(digits, again) == 0 && photo->width && photo->height
           ? SB_OK : SB_ERROR;
}


/*
 * The size of the answer, and of the picture of which it is the middle: the
 * same unless it is cropped.
 */

static void
sb_photo_size(const sb_photo_t *photo, const sb_photo_view_t *view,
    double *w, double *h, double *fw, double *fh)
{
    double  ratio, limit, scale;

    ratio = (double) photo->width / photo->height;
    *w = view->width;
    *h = view->height;

    if (*w <= 0 && *h <= 0) {
        *w = photo->width;
        *h = photo->height;

    } else if (*w <= 0) {
        *w = *h * ratio;

    } else if (*h <= 0) {
        *h = *w / ratio;

    } else if (!view->crop) {
        scale = fmin(*w / photo->width, *h / photo->height);
        *w = photo->width * scale;
        *h = photo->height * scale;
    }

    limit = SB_SIDE_MAX / fmax(*w, *h);

    if (!view->enlarge) {
        limit = fmin(limit, fmin(photo->width / *w, photo->height / *h));
    }

    if (limit < 1) {
        *w *= limit;
        *h *= limit;
    }

    *fw = view->crop ? fmax(*w, *h * ratio) : *w;
    *fh = *fw / ratio;
    *w = fmax(1, round(*w));
    *h = fmax(1, round(*h));
}


/* Factors of brightness, times 256, at the knots of a grid. */

static void
sb_photo_waves(sb_scene_t *s, double bright, double fw, double fh,
    int fixed[SB_LIGHT_GRID + 1][SB_LIGHT_GRID + 1])
{
    int     i, gx, gy;
    double  kx, ky, a, px, py;
    double  grid[SB_LIGHT_GRID + 1][SB_LIGHT_GRID + 1];

    memset(grid, 0, sizeof(grid));

    for (i = 0; i < SB_WAVES; i++) {
        kx = floor(sb_vary(s, 0, 5));
        ky = floor(sb_vary(s, 0, 5));
        a = sb_vary(s, -0.18, 0.18);

        for (gy = 0; gy <= SB_LIGHT_GRID; gy++) {
            py = 0.5 + ((double) gy / SB_LIGHT_GRID - 0.5)
                       * gdImageSY(s->cv.im) / fh;

            for (gx = 0; gx <= SB_LIGHT_GRID; gx++) {
                px = 0.5 + ((double) gx / SB_LIGHT_GRID - 0.5)
                           * gdImageSX(s->cv.im) / fw;
                grid[gy][gx] += a * cos(M_PI * kx * px)
                                  * cos(M_PI * ky * py);
            }
        }
    }

    for (gy = 0; gy <= SB_LIGHT_GRID; gy++) {
        for (gx = 0; gx <= SB_LIGHT_GRID; gx++) {
            fixed[gy][gx] = (int) (fmin(bright * exp(grid[gy][gx]), 2.2)
                                   * 256);
        }
    }
}


static int
sb_photo_lit(int pixel, int f)
{
    int  r, g, b;

    r = gdTrueColorGetRed(pixel) * f >> 8;
    g = gdTrueColorGetGreen(pixel) * f >> 8;
    b = gdTrueColorGetBlue(pixel) * f >> 8;

    return gdTrueColor(r < 255 ? r : 255, g < 255 ? g : 255,
                       b < 255 ? b : 255);
}


/* Light and shade over the picture, and the variant's brightness. */

static void
sb_photo_light(sb_scene_t *s, double bright, double fw, double fh)
{
    int  x, y, gx, gy, w, h, fx, fy, f, *up, *down, *line;
    int  fixed[SB_LIGHT_GRID + 1][SB_LIGHT_GRID + 1];

    w = gdImageSX(s->cv.im);
    h = gdImageSY(s->cv.im);

    sb_photo_waves(s, bright, fw, fh, fixed);

    for (y = 0; y < h; y++) {
        gy = y * SB_LIGHT_GRID / h;
        fy = y * SB_LIGHT_GRID * 256 / h - gy * 256;
        up = fixed[gy];
        down = fixed[gy + 1];
        line = s->cv.im->tpixels[y];

        for (x = 0; x < w; x++) {
            gx = x * SB_LIGHT_GRID / w;
            fx = x * SB_LIGHT_GRID * 256 / w - gx * 256;
            f = ((up[gx] * (256 - fx) + up[gx + 1] * fx) * (256 - fy)
                 + (down[gx] * (256 - fx) + down[gx + 1] * fx) * fy) >> 16;
            line[x] = sb_photo_lit(line[x], f);
        }
    }
}


/*
 * Where in its room the photo is.  fw and fh are the whole picture, of which
 * the image is the middle; a variant's crop takes off a little all around.
 */

static void
sb_photo_frame(sb_scene_t *s, const sb_photo_t *photo, double fw, double fh)
{
    double  ratio, zoom, off, w, h;

    static const double  ratios[3] = { 1.5, 1.0, 4.0 / 3 };

    ratio = ratios[(int) sb_vary(s, 0, 3)];
    zoom = sb_vary(s, 1, 2);
    off = 1 - 0.02 * (photo->variant >> 2 & 3);
    w = fw / off;
    h = fh / off;

    s->cv.w = fmax(w, h * ratio) * zoom;
    s->cv.h = s->cv.w / ratio;
    s->cv.x = (s->cv.w - w) * sb_vary(s, 0, 1)
              + (w - gdImageSX(s->cv.im)) / 2;
    s->cv.y = (s->cv.h - h) * sb_vary(s, 0, 1)
              + (h - gdImageSY(s->cv.im)) / 2;
    s->cv.mirror = sb_maybe(s, 0.5) ? 1 : 0;
}


static void
sb_photo_label(sb_scene_t *s, const char *label)
{
    s->cv.w = gdImageSX(s->cv.im);
    s->cv.h = gdImageSY(s->cv.im);
    s->cv.x = 0;
    s->cv.y = 0;
    s->cv.mirror = 0;
    s->u = fmin(s->cv.w, s->cv.h);

    if (label && s->cv.w >= SB_LABEL_MIN) {
        sb_scene_label(s, label);
    }
}


int
sb_photo_draw(const sb_photo_t *photo, const sb_photo_view_t *view,
    sb_picture_t *p)
{
    int         rc;
    char        words[64];
    double      w, h, fw, fh;
    unsigned    quality;
    sb_scene_t  s;

    static const double  levels[4] = { 1, 1.05, 0.95, 1.1 };

    memset(&s, 0, sizeof(sb_scene_t));
    sb_photo_size(photo, view, &w, &h, &fw, &fh);

    s.cv.im = gdImageCreateTrueColor((int) w, (int) h);
    if (s.cv.im == NULL) {
        return SB_ERROR;
    }

    s.random = sb_scramble(photo->seed);
    sb_photo_frame(&s, photo, fw, fh);

    snprintf(words, sizeof(words), "%s %s %s",
             sb_photo_rooms[photo->seed % SB_PHOTO_ROOMS],
             sb_photo_styles[(int) sb_vary(&s, 0, 8)],
             sb_tints[sb_photo_tint(photo->seed)].name);

    sb_scene_draw(&s, words);

    /* How much chance a room takes up may hang on pixels. */

    s.random = sb_scramble(~photo->seed);
    sb_photo_light(&s, levels[photo->variant & 3], fw, fh);
    sb_photo_label(&s, view->label);

    quality = view->quality ? view->quality
                            : 86 - 8 * (photo->variant >> 4 & 3);
    rc = sb_encode(p, s.cv.im, view->format, quality);

    gdImageDestroy(s.cv.im);

    return rc;
}
