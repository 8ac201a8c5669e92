/*
 * Bounded decoding of thumbnails (see at_thumb.h).
 *
 * libjpeg and libpng leave by longjmp: what they would leave behind stands in
 * a struct of the caller, which frees it.  Time is looked at after every row,
 * and for progressive JPEG, which works before the first row, by libjpeg's
 * progress hook.
 */

#include "at_thumb.h"
#include "at_image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>
#include <png.h>
#include <webp/decode.h>


#define AT_THUMB_LUMA(r, g, b)  ((299 * (r) + 587 * (g) + 114 * (b)) / 1000)

/* A WebP that is larger is scaled to this on its longer side. */
#define AT_THUMB_WEBP_SIDE   256
#define AT_THUMB_WEBP_PIECE  16384


typedef struct {
    struct jpeg_error_mgr          error;       /* must be first */
    struct jpeg_progress_mgr       progress;
    struct jpeg_decompress_struct  jpeg;
    jmp_buf                        leave;
    int64_t                        until;
    const char                    *why;
    at_thumb_t                    *thumb;
} at_thumb_jpeg_t;


typedef struct {
    png_structp  png;
    png_infop    info;
    at_str_t     rest;
    uint8_t     *rows;                          /* RGB of the whole picture */
    int64_t      until;
    const char  *why;
} at_thumb_png_t;


static int at_thumb_jpeg(at_str_t picture, at_thumb_t *thumb, int64_t until,
    const char **why);
static void at_thumb_jpeg_read(at_thumb_jpeg_t *t, at_str_t picture);
static void at_thumb_jpeg_scale(struct jpeg_decompress_struct *jpeg);
static void at_thumb_jpeg_fail(j_common_ptr jpeg);
static void at_thumb_jpeg_warn(j_common_ptr jpeg, int level);
static void at_thumb_jpeg_print(j_common_ptr jpeg);
static void at_thumb_jpeg_progress(j_common_ptr jpeg);
static int at_thumb_png(at_str_t picture, at_thumb_t *thumb, int64_t until,
    const char **why);
static int at_thumb_png_rows(at_thumb_png_t *t, size_t *width,
    size_t *height);
static void at_thumb_png_read(png_structp png, png_bytep out, size_t len);
static void at_thumb_png_fail(png_structp png, png_const_charp text);
static void at_thumb_png_warn(png_structp png, png_const_charp text);
static int at_thumb_webp(at_str_t picture, const at_image_t *image,
    at_thumb_t *thumb, int64_t until, const char **why);
static int at_thumb_webp_pieces(at_str_t picture, WebPDecoderConfig *config,
    int64_t until, const char **why);
static int64_t at_thumb_now(void);


static const char  at_thumb_slow[] = "it takes too long to decode";
static const char  at_thumb_broken[] = "its data is broken";


int
at_thumb_decode(at_str_t picture, unsigned ms, at_thumb_t *thumb,
    const char **why)
{
    int         rc;
    int64_t     until;
    at_image_t  image;

    memset(thumb, 0, sizeof(at_thumb_t));

    if (picture.len > AT_THUMB_BYTES) {
        *why = "it has more than 1 MB";
        return AT_ERROR;
    }

    rc = at_image_inspect((const uint8_t *) picture.data, picture.len, &image,
                          why);
    if (rc != AT_OK) {
        return rc;
    }

    if ((uint64_t) image.width * image.height > AT_THUMB_PIXELS) {
        *why = "it has more than 4 megapixels";
        return AT_ERROR;
    }

    until = at_thumb_now() + ms;

    switch (image.type) {

    case AT_IMAGE_JPEG:
        rc = at_thumb_jpeg(picture, thumb, until, why);
        break;

    case AT_IMAGE_PNG:
        rc = at_thumb_png(picture, thumb, until, why);
        break;

    default: /* AT_IMAGE_WEBP */
        rc = at_thumb_webp(picture, &image, thumb, until, why);
        break;
    }

    if (rc != AT_OK) {
        at_thumb_free(thumb);
    }

    return rc;
}


void
at_thumb_free(at_thumb_t *thumb)
{
    free(thumb->grey);
    memset(thumb, 0, sizeof(at_thumb_t));
}


static int
at_thumb_jpeg(at_str_t picture, at_thumb_t *thumb, int64_t until,
    const char **why)
{
    int               rc;
    at_thumb_jpeg_t  *t;

    /* on the heap: what longjmp passes must not be in registers */

    t = calloc(1, sizeof(at_thumb_jpeg_t));
    if (t == NULL) {
        return AT_NO_MEMORY;
    }

    t->until = until;
    t->thumb = thumb;
    t->jpeg.err = jpeg_std_error(&t->error);
    t->error.error_exit = at_thumb_jpeg_fail;
    t->error.emit_message = at_thumb_jpeg_warn;
    t->error.output_message = at_thumb_jpeg_print;
    t->jpeg.client_data = t;

    if (setjmp(t->leave) == 0) {
        jpeg_create_decompress(&t->jpeg);
        at_thumb_jpeg_read(t, picture);
    }

    jpeg_destroy_decompress(&t->jpeg);

    rc = (t->why == NULL) ? AT_OK : AT_ERROR;
    *why = t->why;
    free(t);

    return rc;
}


static void
at_thumb_jpeg_read(at_thumb_jpeg_t *t, at_str_t picture)
{
    uint8_t     *row;
    at_thumb_t  *thumb;

    thumb = t->thumb;
    t->progress.progress_monitor = at_thumb_jpeg_progress;
    t->jpeg.progress = &t->progress;

    jpeg_mem_src(&t->jpeg, (const unsigned char *) picture.data,
                 (unsigned long) picture.len);
    (void) jpeg_read_header(&t->jpeg, TRUE);

    t->jpeg.out_color_space = JCS_GRAYSCALE;
    at_thumb_jpeg_scale(&t->jpeg);

    (void) jpeg_start_decompress(&t->jpeg);

    thumb->width = t->jpeg.output_width;
    thumb->height = t->jpeg.output_height;
    thumb->grey = malloc(thumb->width * thumb->height);

    if (thumb->grey == NULL) {
        t->why = "there is no memory";
        return;
    }

    while (t->jpeg.output_scanline < t->jpeg.output_height) {
        row = thumb->grey + t->jpeg.output_scanline * thumb->width;
        (void) jpeg_read_scanlines(&t->jpeg, &row, 1);
    }

    (void) jpeg_finish_decompress(&t->jpeg);
}


static void
at_thumb_jpeg_scale(struct jpeg_decompress_struct *jpeg)
{
    unsigned  scale, side;

    side = (jpeg->image_width < jpeg->image_height) ? jpeg->image_width
                                                    : jpeg->image_height;

    for (scale = 1; scale < 8; scale *= 2) {
        if (side * scale / 8 >= AT_THUMB_SIDE) {
            break;
        }
    }

    jpeg->scale_num = scale;
    jpeg->scale_denom = 8;
}


static void
at_thumb_jpeg_fail(j_common_ptr jpeg)
{
    at_thumb_jpeg_t  *t;

    t = jpeg->client_data;
    t->why = at_thumb_broken;
    longjmp(t->leave, 1);
}


/* A cut or corrupt picture is a warning to libjpeg, which would grey it out. */

static void
at_thumb_jpeg_warn(j_common_ptr jpeg, int level)
{
    if (level < 0) {
        at_thumb_jpeg_fail(jpeg);
    }
}


static void
at_thumb_jpeg_print(j_common_ptr jpeg)
{
    (void) jpeg;
}


static void
at_thumb_jpeg_progress(j_common_ptr jpeg)
{
    at_thumb_jpeg_t  *t;

    t = jpeg->client_data;

    if (at_thumb_now() > t->until) {
        t->why = at_thumb_slow;
        longjmp(t->leave, 1);
    }
}


static int
at_thumb_png(at_str_t picture, at_thumb_t *thumb, int64_t until,
    const char **why)
{
    int              rc;
    size_t           i, n;
    const uint8_t   *p;
    at_thumb_png_t  *t;

    t = calloc(1, sizeof(at_thumb_png_t));
    if (t == NULL) {
        return AT_NO_MEMORY;
    }

    t->rest = picture;
    t->until = until;
    t->why = at_thumb_broken;

    t->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, t,
                                    at_thumb_png_fail, at_thumb_png_warn);
    if (t->png != NULL) {
        t->info = png_create_info_struct(t->png);
    }

    rc = AT_NO_MEMORY;

    if (t->info != NULL) {
        rc = at_thumb_png_rows(t, &thumb->width, &thumb->height);
    }

    if (rc == AT_OK) {
        n = thumb->width * thumb->height;
        p = t->rows;
        thumb->grey = malloc(n);

        if (thumb->grey == NULL) {
            rc = AT_NO_MEMORY;
            n = 0;
        }

        for (i = 0; i < n; i++, p += 3) {
            thumb->grey[i] = (uint8_t) AT_THUMB_LUMA(p[0], p[1], p[2]);
        }
    }

    *why = t->why;
    png_destroy_read_struct(&t->png, &t->info, NULL);
    free(t->rows);
    free(t);

    return rc;
}


static int
at_thumb_png_rows(at_thumb_png_t *t, size_t *width, size_t *height)
{
    int           pass, passes;
    png_uint_32   y;
    png_color_16  white = { 0, 0xff, 0xff, 0xff, 0xff };

    if (setjmp(png_jmpbuf(t->png)) != 0) {
        return AT_ERROR;
    }

    png_set_read_fn(t->png, t, at_thumb_png_read);
    png_set_user_limits(t->png, AT_IMAGE_MAX_SIDE, AT_IMAGE_MAX_SIDE);

    /*
     * Texts and profiles do not show, and a megabyte of compressed ones would
     * be inflated to a gigabyte before the first row.
     */

    png_set_keep_unknown_chunks(t->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);

    png_read_info(t->png, t->info);

    *width = png_get_image_width(t->png, t->info);
    *height = png_get_image_height(t->png, t->info);

    /* whatever it is, it comes out as 8-bit RGB on white */

    png_set_expand(t->png);
    png_set_scale_16(t->png);
    png_set_gray_to_rgb(t->png);
    png_set_background(t->png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    passes = png_set_interlace_handling(t->png);
    png_read_update_info(t->png, t->info);

    if (png_get_rowbytes(t->png, t->info) != *width * 3) {
        return AT_ERROR;
    }

    t->rows = calloc(*height, *width * 3);
    if (t->rows == NULL) {
        return AT_NO_MEMORY;
    }

    for (pass = 0; pass < passes; pass++) {
        for (y = 0; y < *height; y++) {
            png_read_row(t->png, t->rows + y * *width * 3, NULL);

            if (at_thumb_now() > t->until) {
                t->why = at_thumb_slow;
                return AT_ERROR;
            }
        }
    }

    return AT_OK;
}


static void
at_thumb_png_read(png_structp png, png_bytep out, size_t len)
{
    at_thumb_png_t  *t;

    t = png_get_io_ptr(png);

    if (len > t->rest.len) {
        png_error(png, "cut");
    }

    memcpy(out, t->rest.data, len);
    t->rest.data += len;
    t->rest.len -= len;
}


static void
at_thumb_png_fail(png_structp png, png_const_charp text)
{
    (void) text;
    longjmp(png_jmpbuf(png), 1);
}


static void
at_thumb_png_warn(png_structp png, png_const_charp text)
{
    (void) png;
    (void) text;
}


static int
at_thumb_webp(at_str_t picture, const at_image_t *image, at_thumb_t *thumb,
    int64_t until, const char **why)
{
    int                rc;
    size_t             side, i;
    const uint8_t     *p;
    WebPDecoderConfig  config;

    if (!WebPInitDecoderConfig(&config)) {
        *why = "libwebp is of another version";
        return AT_ERROR;
    }

    thumb->width = image->width;
    thumb->height = image->height;
    side = (image->width > image->height) ? image->width : image->height;

    if (side > AT_THUMB_WEBP_SIDE) {
        thumb->width = thumb->width * AT_THUMB_WEBP_SIDE / side;
        thumb->height = thumb->height * AT_THUMB_WEBP_SIDE / side;
        thumb->width = (thumb->width > 0) ? thumb->width : 1;
        thumb->height = (thumb->height > 0) ? thumb->height : 1;
        config.options.use_scaling = 1;
        config.options.scaled_width = (int) thumb->width;
        config.options.scaled_height = (int) thumb->height;
    }

    /* RGB, as its own luma has another range than that of JPEG */

    config.output.colorspace = MODE_RGBA;

    rc = at_thumb_webp_pieces(picture, &config, until, why);

    if (rc == AT_OK) {
        thumb->grey = malloc(thumb->width * thumb->height);
        if (thumb->grey == NULL) {
            rc = AT_NO_MEMORY;
        }
    }

    if (rc == AT_OK) {
        for (i = 0; i < thumb->width * thumb->height; i++) {
            p = config.output.u.RGBA.rgba
                + i / thumb->width * (size_t) config.output.u.RGBA.stride
                + i % thumb->width * 4;
            thumb->grey[i] = (uint8_t) ((AT_THUMB_LUMA(p[0], p[1], p[2]) * p[3]
                                         + 255 * (255 - p[3])) / 255);
        }
    }

    WebPFreeDecBuffer(&config.output);

    return rc;
}


/* In pieces, so that the time can be looked at. */

static int
at_thumb_webp_pieces(at_str_t picture, WebPDecoderConfig *config,
    int64_t until, const char **why)
{
    size_t          n;
    VP8StatusCode   status;
    WebPIDecoder   *decoder;

    decoder = WebPIDecode(NULL, 0, config);
    if (decoder == NULL) {
        return AT_NO_MEMORY;
    }

    *why = at_thumb_broken;
    status = VP8_STATUS_SUSPENDED;

    while (picture.len > 0 && status == VP8_STATUS_SUSPENDED) {
        n = (picture.len < AT_THUMB_WEBP_PIECE) ? picture.len
                                                : AT_THUMB_WEBP_PIECE;
        status = WebPIAppend(decoder, (const uint8_t *) picture.data, n);
        picture.data += n;
        picture.len -= n;

        if (status == VP8_STATUS_SUSPENDED && at_thumb_now() > until) {
            *why = at_thumb_slow;
            break;
        }
    }

    WebPIDelete(decoder);

    return (status == VP8_STATUS_OK) ? AT_OK : AT_ERROR;
}


/* Milliseconds of this thread's work: a busy machine refuses no picture. */

static int64_t
at_thumb_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
