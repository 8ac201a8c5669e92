/*
 * From a prompt to the bytes of a picture.
 *
 * A hash of provider, prompt and seed is the chance of its scene, so the same
 * input gives the same bytes.  Every picture says that it is one of the
 * sandbox, and whose.  The gd image lives inside sb_picture_draw().
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sandbox.h"
#include "scene.h"


void
sb_scene_label(sb_scene_t *s, const char *provider)
{
    char         text[16 + SB_NAME_MAX];
    double       h, w, pad, x, y;
    sb_rgb_t     ink, paper;
    sb_canvas_t  *cv;

    cv = &s->cv;
    snprintf(text, sizeof(text), "sandbox / %s", provider);

    h = fmax(10, s->u * 0.032);
    w = sb_label_width(h, text);
    pad = h * 0.45;

    /* A long name on a small picture gets smaller letters. */

    if (w + 4 * pad > cv->w) {
        h *= cv->w / (w + 4 * pad);
        w = sb_label_width(h, text);
        pad = h * 0.45;
    }

    x = fmax(1, s->u * 0.022);
    y = cv->h - x - h - pad;
    ink = sb_hsl(0.11, 0.3, 0.97);
    paper = sb_hsl(0.62, 0.18, 0.16);

    sb_round(cv, x, y - pad * 0.6, x + w + 2 * pad, y + h + pad * 0.6,
             h * 0.5, paper);
    sb_label(cv, x + pad, y, h, text, ink);
}


/*
 * As a filtered picture comes: one can tell that there was a room.  Replaces
 * the canvas's image.
 */

static int
sb_blur(sb_canvas_t *cv)
{
    int         w, h;
    gdImagePtr  small, large;

    w = (int) cv->w / 40 + 2;
    h = (int) cv->h / 40 + 2;

    small = gdImageCreateTrueColor(w, h);
    if (small == NULL) {
        return SB_ERROR;
    }

    gdImageCopyResampled(small, cv->im, 0, 0, 0, 0, w, h, (int) cv->w,
                         (int) cv->h);
    gdImageSetInterpolationMethod(small, GD_BILINEAR_FIXED);
    large = gdImageScale(small, (unsigned) cv->w, (unsigned) cv->h);
    gdImageDestroy(small);

    if (large == NULL) {
        return SB_ERROR;
    }

    gdImageDestroy(cv->im);
    cv->im = large;

    return SB_OK;
}


int
sb_encode(sb_picture_t *p, gdImagePtr im, sb_format_e format,
    unsigned quality)
{
    int    rc, size;
    void  *data;

    size = 0;

    switch (format) {

    case SB_FORMAT_JPEG:
        data = gdImageJpegPtr(im, &size, quality ? (int) quality : 88);
        p->type = "image/jpeg";
        p->ext = "jpeg";
        break;

    case SB_FORMAT_WEBP:
        data = gdImageWebpPtrEx(im, &size, quality ? (int) quality : 82);
        p->type = "image/webp";
        p->ext = "webp";
        break;

    case SB_FORMAT_GIF:
        gdImageTrueColorToPalette(im, 0, 128);
        data = gdImageGifPtr(im, &size);
        p->type = "image/gif";
        p->ext = "gif";
        break;

    default:
        data = gdImagePngPtrEx(im, &size, 2);
        p->type = "image/png";
        p->ext = "png";
        break;
    }

    if (data == NULL) {
        return SB_ERROR;
    }

    sb_buf_free(&p->data);
    rc = sb_buf_add(&p->data, data, (size_t) size);
    gdFree(data);

    return rc;
}


static uint64_t
sb_picture_chance(const char *provider, const sb_job_t *job, uint64_t seed)
{
    char      number[32];
    uint64_t  hash;

    snprintf(number, sizeof(number), "%llu", (unsigned long long) seed);
    hash = sb_hash(0xcbf29ce484222325u, job->prompt.data);
    hash = sb_hash(hash, number);

    return sb_hash(hash, provider);
}


int
sb_picture_draw(sb_picture_t *p, const char *provider, const sb_job_t *job,
    uint64_t seed)
{
    uint64_t  chance;

    chance = sb_picture_chance(provider, job, seed);

    return sb_quick_may(job) ? sb_quick_draw(p, provider, job, chance)
                             : sb_picture_paint(p, provider, job, chance);
}


int
sb_picture_paint(sb_picture_t *p, const char *provider, const sb_job_t *job,
    uint64_t chance)
{
    int         rc;
    sb_scene_t  s;

    memset(&s, 0, sizeof(sb_scene_t));

    s.cv.im = gdImageCreateTrueColor((int) job->width, (int) job->height);
    if (s.cv.im == NULL) {
        return SB_ERROR;
    }

    s.cv.w = job->width;
    s.cv.h = job->height;

    s.random = chance;

    sb_scene_draw(&s, job->prompt.data);

    rc = job->filtered ? sb_blur(&s.cv) : SB_OK;

    if (rc == SB_OK) {
        sb_scene_label(&s, provider);
        rc = sb_encode(p, s.cv.im, job->format, job->quality);
    }

    gdImageDestroy(s.cv.im);

    return rc;
}


/* The smallest valid picture there is. */

int
sb_picture_tiny(sb_picture_t *p)
{
    int         rc;
    gdImagePtr  im;

    im = gdImageCreateTrueColor(1, 1);
    if (im == NULL) {
        return SB_ERROR;
    }

    rc = sb_encode(p, im, SB_FORMAT_PNG, 0);
    gdImageDestroy(im);

    return rc;
}


/*
 * A small file that would take gigabytes to decode: the size in the frame
 * header of a JPEG is overwritten.
 */

int
sb_picture_bomb(sb_picture_t *p)
{
    size_t          i;
    gdImagePtr      im;
    unsigned char  *d;

    im = gdImageCreateTrueColor(64, 64);
    if (im == NULL) {
        return SB_ERROR;
    }

    if (sb_encode(p, im, SB_FORMAT_JPEG, 0) != SB_OK) {
        gdImageDestroy(im);
        return SB_ERROR;
    }

    gdImageDestroy(im);
    d = (unsigned char *) p->data.data;

    for (i = 0; i + 9 < p->data.len; i++) {
        if (d[i] == 0xff && (d[i + 1] == 0xc0 || d[i + 1] == 0xc2)) {
            memset(d + i + 5, 0x75, 4);         /* 30069 x 30069 */
            return SB_OK;
        }
    }

    return SB_ERROR;
}
