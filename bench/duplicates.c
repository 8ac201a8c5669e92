/*
 * How well near-duplicates are found: reads pictures, makes fifteen kinds of
 * copies of each, hashes all as the worker does (at_thumb, at_phash), and
 * prints the recall of each kind and the false merges among pictures and
 * quadrants of different pictures.  Called by `bench/run duplicates`.
 *
 *   duplicates FILE...      JPEG, PNG or WebP, one of each motif
 *
 * Output: lines "name value", for the table of bench/run.  With -v also the
 * pairs that were merged though they are different.
 */

#include "at_thumb.h"
#include "phash/at_phash.h"

#include <gd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define BENCH_BASE_SIDE    1280
#define BENCH_KINDS        15
#define BENCH_CLEAN        10           /* kinds that change no framing */
#define BENCH_PARTS        5            /* the whole and its quadrants */
#define BENCH_DEVIATION    20           /* of a quadrant worth comparing */
#define BENCH_BLANK        4            /* less: nothing to see */


typedef struct {
    const char  *name;
    int          width;
    int          quality;
    gdImagePtr (*make)(gdImagePtr im);
} bench_kind_t;


typedef struct {
    const char  *name;
    at_phash_t   base;
    at_phash_t   parts[BENCH_PARTS];
    int          used[BENCH_PARTS];
} bench_picture_t;


static gdImagePtr bench_copy(gdImagePtr im);
static gdImagePtr bench_webp(gdImagePtr im);
static gdImagePtr bench_brighter(gdImagePtr im);
static gdImagePtr bench_contrast(gdImagePtr im);
static gdImagePtr bench_grey(gdImagePtr im);
static gdImagePtr bench_saturate(gdImagePtr im);
static gdImagePtr bench_crop_2(gdImagePtr im);
static gdImagePtr bench_crop_5(gdImagePtr im);
static gdImagePtr bench_crop_10(gdImagePtr im);
static gdImagePtr bench_watermark(gdImagePtr im);
static gdImagePtr bench_border(gdImagePtr im);
static gdImagePtr bench_seven_five(gdImagePtr im);


static const bench_kind_t  bench_kinds[BENCH_KINDS] = {
    { "thumb_280", 280, 70, bench_copy },
    { "thumb_150", 150, 60, bench_copy },
    { "jpeg_640_q80", 640, 80, bench_copy },
    { "jpeg_640_q20", 640, 20, bench_copy },
    { "webp_400_q50", 400, 50, bench_webp },
    { "brighter_15", 400, 80, bench_brighter },
    { "contrast_25", 400, 80, bench_contrast },
    { "grey", 400, 80, bench_grey },
    { "saturated_50", 400, 80, bench_saturate },
    { "crop_2", 400, 80, bench_crop_2 },
    { "crop_5", 400, 80, bench_crop_5 },
    { "crop_10", 400, 80, bench_crop_10 },
    { "watermark", 400, 80, bench_watermark },
    { "border_3", 400, 80, bench_border },
    { "crop_7_5", 280, 80, bench_seven_five }
};


static double  bench_us;                /* of decoding and hashing */
static size_t  bench_hashes;


static void
bench_die(const char *what, const char *name)
{
    fprintf(stderr, "duplicates: %s: %s\n", name, what);
    exit(1);
}


static gdImagePtr
bench_new(int width, int height)
{
    gdImagePtr  im;

    im = gdImageCreateTrueColor(width, height);
    if (im == NULL) {
        bench_die("no memory", "picture");
    }

    return im;
}


static gdImagePtr
bench_scale(gdImagePtr im, int x, int y, int w, int h, int width)
{
    int         height;
    gdImagePtr  out;

    height = (int) ((double) h * width / w + 0.5);
    out = bench_new(width, height > 0 ? height : 1);
    gdImageCopyResampled(out, im, 0, 0, x, y, gdImageSX(out), gdImageSY(out),
                         w, h);

    return out;
}


static int
bench_clamp(double v)
{
    return (v < 0) ? 0 : (v > 255) ? 255 : (int) (v + 0.5);
}


/* Each channel becomes mix * (own - pivot) + pivot. */

static gdImagePtr
bench_mix(gdImagePtr im, double mix, double pivot, int to_luma)
{
    int         x, y, p;
    double      at, luma;
    gdImagePtr  out;

    out = bench_copy(im);

    for (y = 0; y < gdImageSY(out); y++) {
        for (x = 0; x < gdImageSX(out); x++) {
            p = gdImageTrueColorPixel(out, x, y);
            luma = 0.299 * gdTrueColorGetRed(p)
                   + 0.587 * gdTrueColorGetGreen(p)
                   + 0.114 * gdTrueColorGetBlue(p);
            at = to_luma ? luma : pivot;

            gdImageSetPixel(out, x, y, gdTrueColor(
                bench_clamp(at + mix * (gdTrueColorGetRed(p) - at)),
                bench_clamp(at + mix * (gdTrueColorGetGreen(p) - at)),
                bench_clamp(at + mix * (gdTrueColorGetBlue(p) - at))));
        }
    }

    return out;
}


static gdImagePtr
bench_copy(gdImagePtr im)
{
    return bench_scale(im, 0, 0, gdImageSX(im), gdImageSY(im), gdImageSX(im));
}


static gdImagePtr
bench_webp(gdImagePtr im)
{
    return bench_copy(im);
}


static gdImagePtr
bench_brighter(gdImagePtr im)
{
    return bench_mix(im, 1.15, 0, 0);
}


static gdImagePtr
bench_contrast(gdImagePtr im)
{
    int     x, y, p;
    double  sum;

    sum = 0;

    for (y = 0; y < gdImageSY(im); y++) {
        for (x = 0; x < gdImageSX(im); x++) {
            p = gdImageTrueColorPixel(im, x, y);
            sum += 0.299 * gdTrueColorGetRed(p) + 0.587
                   * gdTrueColorGetGreen(p) + 0.114 * gdTrueColorGetBlue(p);
        }
    }

    return bench_mix(im, 1.25, sum / gdImageSX(im) / gdImageSY(im), 0);
}


static gdImagePtr
bench_grey(gdImagePtr im)
{
    return bench_mix(im, 0, 0, 1);
}


static gdImagePtr
bench_saturate(gdImagePtr im)
{
    return bench_mix(im, 1.5, 0, 1);
}


/* Takes away so many percent of both sides, all around. */

static gdImagePtr
bench_crop(gdImagePtr im, double percent)
{
    int  x, y;

    x = (int) (gdImageSX(im) * percent / 200);
    y = (int) (gdImageSY(im) * percent / 200);

    return bench_scale(im, x, y, gdImageSX(im) - 2 * x, gdImageSY(im) - 2 * y,
                       gdImageSX(im) - 2 * x);
}


static gdImagePtr
bench_crop_2(gdImagePtr im)
{
    return bench_crop(im, 2);
}


static gdImagePtr
bench_crop_5(gdImagePtr im)
{
    return bench_crop(im, 5);
}


static gdImagePtr
bench_crop_10(gdImagePtr im)
{
    return bench_crop(im, 10);
}


/* A box of 30 by 10 percent at the lower right, half transparent. */

static gdImagePtr
bench_watermark(gdImagePtr im)
{
    int         w, h;
    gdImagePtr  out;

    out = bench_copy(im);
    w = gdImageSX(out);
    h = gdImageSY(out);
    gdImageAlphaBlending(out, 1);
    gdImageFilledRectangle(out, w * 67 / 100, h * 85 / 100, w * 97 / 100,
                           h * 95 / 100,
                           gdTrueColorAlpha(255, 255, 255, gdAlphaMax / 2));

    return out;
}


static gdImagePtr
bench_border(gdImagePtr im)
{
    int         x, y;
    gdImagePtr  out;

    x = gdImageSX(im) * 3 / 100;
    y = gdImageSY(im) * 3 / 100;
    out = bench_new(gdImageSX(im) + 2 * x, gdImageSY(im) + 2 * y);
    gdImageFilledRectangle(out, 0, 0, gdImageSX(out), gdImageSY(out),
                           gdTrueColor(255, 255, 255));
    gdImageCopy(out, im, x, y, 0, 0, gdImageSX(im), gdImageSY(im));

    return out;
}


/* What fit=crop&w=280&h=200 leaves. */

static gdImagePtr
bench_seven_five(gdImagePtr im)
{
    int  w, h;

    w = gdImageSX(im);
    h = gdImageSY(im);

    if (w * 5 > h * 7) {
        w = h * 7 / 5;

    } else {
        h = w * 5 / 7;
    }

    return bench_scale(im, (gdImageSX(im) - w) / 2, (gdImageSY(im) - h) / 2,
                       w, h, w);
}


static at_phash_t
bench_hash(gdImagePtr im, int webp, int quality, const char *name)
{
    int              size;
    void            *data;
    at_thumb_t       thumb;
    at_phash_t       hash;
    const char      *why;
    struct timespec  from, to;

    data = webp ? gdImageWebpPtrEx(im, &size, quality)
                : gdImageJpegPtr(im, &size, quality);
    if (data == NULL) {
        bench_die("cannot be encoded", name);
    }

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);

    if (at_thumb_decode((at_str_t) { (size_t) size, data }, 5000,
                        &thumb, &why)
        != AT_OK)
    {
        bench_die(why, name);
    }

    if (at_phash(thumb.grey, thumb.width, thumb.height, thumb.width, &hash)
        != AT_OK)
    {
        bench_die("is too small", name);
    }

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    bench_us += (double) (to.tv_sec - from.tv_sec) * 1e6
                + (double) (to.tv_nsec - from.tv_nsec) / 1e3;
    bench_hashes++;

    at_thumb_free(&thumb);
    gdFree(data);

    return hash;
}


static gdImagePtr
bench_load(const char *name)
{
    int         x, y, w, h, width;
    gdImagePtr  im, out;

    im = gdImageCreateFromFile(name);
    if (im == NULL || !gdImagePaletteToTrueColor(im)) {
        bench_die("cannot be read", name);
    }

    w = gdImageSX(im);
    h = gdImageSY(im);

    /* some are drawn by their transparency alone: these have colours, too */

    gdImageAlphaBlending(im, 0);

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            gdImageSetPixel(im, x, y, gdImageGetTrueColorPixel(im, x, y)
                                      & 0xffffff);
        }
    }

    width = (w >= h) ? BENCH_BASE_SIDE : BENCH_BASE_SIDE * w / h;

    out = bench_new(width, (int) ((double) h * width / w + 0.5));
    gdImageCopyResampled(out, im, 0, 0, 0, 0, gdImageSX(out), gdImageSY(out),
                         w, h);
    gdImageDestroy(im);

    return out;
}


static double
bench_deviation(gdImagePtr im)
{
    int     x, y, p, n;
    double  v, sum, squares;

    n = gdImageSX(im) * gdImageSY(im);
    sum = 0;
    squares = 0;

    for (y = 0; y < gdImageSY(im); y++) {
        for (x = 0; x < gdImageSX(im); x++) {
            p = gdImageTrueColorPixel(im, x, y);
            v = 0.299 * gdTrueColorGetRed(p) + 0.587 * gdTrueColorGetGreen(p)
                + 0.114 * gdTrueColorGetBlue(p);
            sum += v;
            squares += v * v;
        }
    }

    return squares / n - sum / n * sum / n;
}


static void
bench_negatives(bench_picture_t *picture, gdImagePtr im)
{
    int         i, w, h;
    gdImagePtr  part;

    w = gdImageSX(im) / 2;
    h = gdImageSY(im) / 2;
    picture->parts[0] = picture->base;
    picture->used[0] = 1;

    for (i = 0; i < BENCH_PARTS - 1; i++) {
        part = bench_scale(im, i % 2 * w, i / 2 * h, w, h, 400);
        picture->used[i + 1] = bench_deviation(part)
                               >= BENCH_DEVIATION * BENCH_DEVIATION;
        picture->parts[i + 1] = bench_hash(part, 0, 85, picture->name);
        gdImageDestroy(part);
    }
}


static void
bench_pairs(const bench_picture_t *pictures, size_t n, int verbose)
{
    size_t             a, b, pairs, merged;
    const at_phash_t  *one, *two;

    pairs = 0;
    merged = 0;

    for (a = 0; a < n * BENCH_PARTS; a++) {
        for (b = (a / BENCH_PARTS + 1) * BENCH_PARTS; b < n * BENCH_PARTS;
             b++)
        {
            if (!pictures[a / BENCH_PARTS].used[a % BENCH_PARTS]
                || !pictures[b / BENCH_PARTS].used[b % BENCH_PARTS])
            {
                continue;
            }

            pairs++;
            one = &pictures[a / BENCH_PARTS].parts[a % BENCH_PARTS];
            two = &pictures[b / BENCH_PARTS].parts[b % BENCH_PARTS];

            if (!at_phash_same(one, two)) {
                continue;
            }

            merged++;

            if (verbose) {
                fprintf(stderr, "merged (%u, %u): %s %zu, %s %zu\n",
                        at_phash_distance(one, two),
                        at_phash_wide_distance(one, two),
                        pictures[a / BENCH_PARTS].name, a % BENCH_PARTS,
                        pictures[b / BENCH_PARTS].name, b % BENCH_PARTS);
            }
        }
    }

    printf("pairs %zu\nfalse_merges %zu\n", pairs, merged);
}


/* Counts the kinds of copies of which the picture is found again. */

static void
bench_copies(const bench_picture_t *picture, gdImagePtr im,
    size_t found[BENCH_KINDS], int verbose)
{
    int         k;
    gdImagePtr  small, copy;
    at_phash_t  hash;

    for (k = 0; k < BENCH_KINDS; k++) {
        copy = bench_kinds[k].make(im);
        small = bench_scale(copy, 0, 0, gdImageSX(copy), gdImageSY(copy),
                            bench_kinds[k].width);
        hash = bench_hash(small, bench_kinds[k].make == bench_webp,
                          bench_kinds[k].quality, picture->name);
        found[k] += (size_t) at_phash_same(&picture->base, &hash);

        if (verbose && !at_phash_same(&picture->base, &hash)) {
            fprintf(stderr, "missed (%u, %u%s): %s %s\n",
                    at_phash_distance(&picture->base, &hash),
                    at_phash_wide_distance(&picture->base, &hash),
                    picture->base.plain ? ", plain" : "",
                    bench_kinds[k].name, picture->name);
        }

        gdImageDestroy(small);
        gdImageDestroy(copy);
    }
}


static void
bench_recall(const size_t found[BENCH_KINDS], size_t n, size_t blank)
{
    int     k;
    size_t  clean, all;

    clean = 0;
    all = 0;

    for (k = 0; k < BENCH_KINDS; k++) {
        printf("%s %.4f\n", bench_kinds[k].name,
               (double) found[k] / (double) n);
        clean += (k < BENCH_CLEAN) ? found[k] : 0;
        all += found[k];
    }

    printf("pictures %zu\nblank %zu\nclean %.4f\nall %.4f\n", n, blank,
           (double) clean / (double) (n * BENCH_CLEAN),
           (double) all / (double) (n * BENCH_KINDS));
}


int
main(int argc, char **argv)
{
    int               i, verbose;
    size_t            n, blank, found[BENCH_KINDS];
    gdImagePtr        im;
    bench_picture_t  *pictures;

    verbose = (argc > 1 && strcmp(argv[1], "-v") == 0);
    argv += 1 + verbose;
    argc -= 1 + verbose;
    n = 0;
    blank = 0;
    memset(found, 0, sizeof(found));

    if (argc == 0) {
        fprintf(stderr, "usage: duplicates [-v] FILE...\n");
        return 1;
    }

    pictures = calloc((size_t) argc, sizeof(bench_picture_t));
    if (pictures == NULL) {
        bench_die("no memory", "list");
    }

    for (i = 0; i < argc; i++) {
        im = bench_load(argv[i]);

        if (bench_deviation(im) < BENCH_BLANK * BENCH_BLANK) {
            gdImageDestroy(im);
            blank++;
            continue;
        }

        pictures[n].name = argv[i];
        pictures[n].base = bench_hash(im, 0, 90, argv[i]);

        bench_copies(&pictures[n], im, found, verbose);
        bench_negatives(&pictures[n], im);
        gdImageDestroy(im);
        n++;
    }

    bench_recall(found, n, blank);
    bench_pairs(pictures, n, verbose);
    printf("us_a_hash %.1f\n", bench_us / (double) bench_hashes);
    free(pictures);

    return 0;
}
