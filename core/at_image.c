/*
 * What a picture's bytes are (at_image.h).
 *
 * Called when an answer is whole, before its lane may win.  Nothing in the
 * bytes is believed: every length is compared with what is left before it is
 * used, and the number of chunks is bounded, so a crafted file costs little.
 * Nothing is allocated or kept.
 */

#include <string.h>

#include "at_image.h"


#define AT_IMAGE_PIECES_MAX   65536         /* chunks or segments */
#define AT_IMAGE_PADDING_MAX  (64 * 1024)   /* bytes behind a JPEG's EOI */

#define at_image_is(p, text)  (memcmp(p, text, sizeof(text) - 1) == 0)

#define at_image_be16(p)      ((uint32_t) (p)[0] << 8 | (p)[1])
#define at_image_be32(p)                                                     \
    (at_image_be16(p) << 16 | at_image_be16((p) + 2))

#define at_image_le16(p)      ((uint32_t) (p)[1] << 8 | (p)[0])
#define at_image_le24(p)      ((uint32_t) (p)[2] << 16 | at_image_le16(p))
#define at_image_le32(p)                                                     \
    (at_image_le16((p) + 2) << 16 | at_image_le16(p))


/* The bytes still to be looked at. */
typedef struct {
    const uint8_t  *p;
    size_t          len;
} at_image_in_t;


/* One walk over a WebP file. */
typedef struct {
    at_image_t  canvas;
    at_image_t  frame;
    unsigned    has_canvas:1;
    unsigned    has_frame:1;
} at_image_webp_t;


static const char *at_image_png(at_image_in_t in, at_image_t *image);
static const char *at_image_png_header(const uint8_t *p, uint32_t len,
    at_image_t *image);
static const char *at_image_jpeg(at_image_in_t in, at_image_t *image);
static const char *at_image_jpeg_marker(at_image_in_t *in, uint8_t *marker);
static const char *at_image_jpeg_segment(const at_image_in_t *in,
    uint8_t marker, size_t *len);
static int at_image_jpeg_is_frame(uint8_t marker);
static const char *at_image_jpeg_frame(const uint8_t *p, size_t len,
    at_image_t *image);
static const char *at_image_jpeg_end(at_image_in_t in);
static const char *at_image_webp(at_image_in_t in, at_image_t *image);
static const char *at_image_webp_chunks(at_image_webp_t *w,
    at_image_in_t in);
static const char *at_image_webp_chunk(at_image_webp_t *w,
    const uint8_t *type, const uint8_t *p, uint32_t len);
static void at_image_skip(at_image_in_t *in, size_t n);


int
at_image_inspect(const uint8_t *data, size_t len, at_image_t *image,
    const char **why)
{
    at_image_in_t  in;

    memset(image, 0, sizeof(at_image_t));

    in.p = data;
    in.len = len;

    if (len == 0) {
        *why = "it is empty";

    } else if (len >= 8 && at_image_is(data, "\x89PNG\r\n\x1A\n")) {
        image->type = AT_IMAGE_PNG;
        *why = at_image_png(in, image);

    } else if (len >= 3 && at_image_is(data, "\xFF\xD8\xFF")) {
        image->type = AT_IMAGE_JPEG;
        *why = at_image_jpeg(in, image);

    } else if (len >= 12 && at_image_is(data, "RIFF")
               && at_image_is(data + 8, "WEBP"))
    {
        image->type = AT_IMAGE_WEBP;
        *why = at_image_webp(in, image);

    } else {
        *why = "it is no PNG, JPEG or WebP";
    }

    if (*why != NULL) {
        return AT_ERROR;
    }

    if (image->width < AT_IMAGE_MIN_SIDE || image->height < AT_IMAGE_MIN_SIDE)
    {
        *why = "it is too small to be a picture";
        return AT_ERROR;
    }

    if (image->width > AT_IMAGE_MAX_SIDE || image->height > AT_IMAGE_MAX_SIDE)
    {
        *why = "its sides are too long";
        return AT_ERROR;
    }

    return AT_OK;
}


const char *
at_image_extension(at_image_type_e type)
{
    switch (type) {

    case AT_IMAGE_PNG:
        return "png";

    case AT_IMAGE_JPEG:
        return "jpg";

    default: /* AT_IMAGE_WEBP */
        return "webp";
    }
}


static const char *
at_image_png(at_image_in_t in, at_image_t *image)
{
    size_t          pixels;
    uint32_t        n, len;
    const char     *why;
    const uint8_t  *type;

    pixels = 0;

    at_image_skip(&in, 8);

    for (n = 0; n < AT_IMAGE_PIECES_MAX; n++) {

        if (in.len < 12) {
            return "the PNG is cut";
        }

        len = at_image_be32(in.p);
        type = in.p + 4;

        if (len > in.len - 12) {
            return "the PNG is cut";
        }

        if ((n == 0) != at_image_is(type, "IHDR")) {
            return "the PNG's header is not its first chunk";
        }

        if (n == 0) {
            why = at_image_png_header(in.p + 8, len, image);
            if (why != NULL) {
                return why;
            }
        }

        if (at_image_is(type, "IDAT")) {
            pixels += len;
        }

        at_image_skip(&in, 12 + (size_t) len);

        if (at_image_is(type, "IEND")) {
            if (len != 0) {
                return "the PNG's end chunk is not empty";
            }

            if (pixels == 0) {
                return "the PNG has no pixels";
            }

            return in.len == 0 ? NULL : "the PNG goes on behind its end";
        }
    }

    return "the PNG has too many chunks";
}


static const char *
at_image_png_header(const uint8_t *p, uint32_t len, at_image_t *image)
{
    unsigned  depth, depths;

    if (len != 13) {
        return "the PNG's header has a wrong length";
    }

    image->width = at_image_be32(p);
    image->height = at_image_be32(p + 4);

    /* a set of bit depths for each colour type, as a sum of the depths */

    switch (p[9]) {

    case 0:
        depths = 1 | 2 | 4 | 8 | 16;
        break;

    case 2:
    case 4:
    case 6:
        depths = 8 | 16;
        break;

    case 3:
        depths = 1 | 2 | 4 | 8;
        break;

    default:
        depths = 0;
    }

    depth = p[8];

    if ((depth & (depth - 1)) != 0 || (depth & depths) == 0
        || p[10] != 0 || p[11] != 0 || p[12] > 1)
    {
        return "the PNG's header makes no sense";
    }

    return NULL;
}


static const char *
at_image_jpeg(at_image_in_t in, at_image_t *image)
{
    int          frame;
    size_t       len;
    uint8_t      marker;
    unsigned     n;
    const char  *why;

    frame = 0;

    at_image_skip(&in, 2);

    for (n = 0; n < AT_IMAGE_PIECES_MAX; n++) {

        why = at_image_jpeg_marker(&in, &marker);
        if (why != NULL) {
            return why;
        }

        if (marker == 0x01) {           /* TEM stands alone */
            continue;
        }

        why = at_image_jpeg_segment(&in, marker, &len);
        if (why != NULL) {
            return why;
        }

        if (at_image_jpeg_is_frame(marker)) {
            if (frame) {
                return "the JPEG has more than one frame";
            }

            why = at_image_jpeg_frame(in.p + 2, len - 2, image);
            if (why != NULL) {
                return why;
            }

            frame = 1;
        }

        at_image_skip(&in, len);

        if (marker == 0xDA) {           /* SOS: the pixels begin */
            return frame ? at_image_jpeg_end(in)
                         : "the JPEG has no frame header";
        }
    }

    return "the JPEG has too many segments";
}


/* Reads a marker; any number of FF bytes may stand before its code. */
static const char *
at_image_jpeg_marker(at_image_in_t *in, uint8_t *marker)
{
    if (in->len > 0 && *in->p != 0xFF) {
        return "the JPEG has bytes where a marker should be";
    }

    while (in->len > 0 && *in->p == 0xFF) {
        at_image_skip(in, 1);
    }

    if (in->len == 0) {
        return "the JPEG is cut";
    }

    *marker = *in->p;
    at_image_skip(in, 1);

    return NULL;
}


/* The length of the segment behind a marker, its two bytes included. */
static const char *
at_image_jpeg_segment(const at_image_in_t *in, uint8_t marker, size_t *len)
{
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD9)) {
        return "the JPEG has a marker out of place";
    }

    if (in->len < 2) {
        return "the JPEG is cut";
    }

    *len = at_image_be16(in->p);

    if (*len < 2) {
        return "the JPEG has a segment of a wrong length";
    }

    return *len > in->len ? "the JPEG is cut" : NULL;
}


/* SOF0 to SOF15: between them lie DHT, JPG and DAC, which are no frames. */
static int
at_image_jpeg_is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF
           && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}


static const char *
at_image_jpeg_frame(const uint8_t *p, size_t len, at_image_t *image)
{
    if (len < 6 || p[5] == 0 || len != 6 + 3 * (size_t) p[5]) {
        return "the JPEG's frame header has a wrong length";
    }

    image->height = at_image_be16(p + 1);
    image->width = at_image_be16(p + 3);

    return NULL;
}


/*
 * What follows SOS must end in EOI.  Inside of the coded pixels FF is always
 * followed by 00 or a restart marker, so this EOI is a real one.  Some
 * encoders pad the file behind it.
 */
static const char *
at_image_jpeg_end(at_image_in_t in)
{
    size_t  padding;

    for (padding = 0; in.len > 2 && padding <= AT_IMAGE_PADDING_MAX;
         padding++)
    {
        if (in.p[in.len - 2] == 0xFF && in.p[in.len - 1] == 0xD9) {
            return NULL;
        }

        switch (in.p[in.len - 1]) {

        case 0x00:
        case 0xFF:
        case '\r':
        case '\n':
        case ' ':
            in.len--;
            break;

        default:
            return "the JPEG is cut: it does not end in its end marker";
        }
    }

    return "the JPEG is cut: it does not end in its end marker";
}


static const char *
at_image_webp(at_image_in_t in, at_image_t *image)
{
    size_t            size;
    const char       *why;
    at_image_webp_t   w;

    size = at_image_le32(in.p + 4);

    if (size > in.len - 8) {
        return "the WebP is cut";
    }

    if (in.len - 8 - size > (size & 1)) {
        return "the WebP goes on behind its end";
    }

    if (size < 4) {
        return "the WebP's size makes no sense";
    }

    in.len = 8 + size;
    at_image_skip(&in, 12);

    memset(&w, 0, sizeof(at_image_webp_t));

    why = at_image_webp_chunks(&w, in);
    if (why != NULL) {
        return why;
    }

    if (!w.has_frame) {
        return "the WebP has no picture in it";
    }

    if (w.has_canvas
        && (w.canvas.width != w.frame.width
            || w.canvas.height != w.frame.height))
    {
        return "the WebP's header and its picture differ in size";
    }

    image->width = w.frame.width;
    image->height = w.frame.height;

    return NULL;
}


static const char *
at_image_webp_chunks(at_image_webp_t *w, at_image_in_t in)
{
    uint32_t        n, len;
    const char     *why;
    const uint8_t  *chunk;

    for (n = 0; in.len > 0; n++) {

        if (n == AT_IMAGE_PIECES_MAX) {
            return "the WebP has too many chunks";
        }

        if (in.len < 8) {
            return "the WebP has a chunk that is cut";
        }

        chunk = in.p;
        len = at_image_le32(chunk + 4);

        at_image_skip(&in, 8);

        if (len > in.len) {
            return "the WebP has a chunk that is cut";
        }

        why = at_image_webp_chunk(w, chunk, in.p, len);
        if (why != NULL) {
            return why;
        }

        at_image_skip(&in, len);

        if ((len & 1) && in.len > 0) {
            at_image_skip(&in, 1);
        }
    }

    return NULL;
}


static const char *
at_image_webp_chunk(at_image_webp_t *w, const uint8_t *type,
    const uint8_t *p, uint32_t len)
{
    uint32_t  bits;

    if (at_image_is(type, "VP8X")) {
        if (len < 10 || w->has_canvas || w->has_frame) {
            return "the WebP's header makes no sense";
        }

        w->canvas.width = at_image_le24(p + 4) + 1;
        w->canvas.height = at_image_le24(p + 7) + 1;
        w->has_canvas = 1;

        return NULL;
    }

    if (w->has_frame) {
        return NULL;
    }

    if (at_image_is(type, "VP8 ")) {

        /* a key frame is the only one that stands alone */

        if (len < 10 || (p[0] & 1) != 0 || !at_image_is(p + 3, "\x9D\x01\x2A"))
        {
            return "the WebP's picture has no valid header";
        }

        w->frame.width = at_image_le16(p + 6) & 0x3FFF;
        w->frame.height = at_image_le16(p + 8) & 0x3FFF;
        w->has_frame = 1;

    } else if (at_image_is(type, "VP8L")) {

        if (len < 5 || p[0] != 0x2F || (p[4] & 0xE0) != 0) {
            return "the WebP's picture has no valid header";
        }

        bits = at_image_le32(p + 1);

        w->frame.width = (bits & 0x3FFF) + 1;
        w->frame.height = (bits >> 14 & 0x3FFF) + 1;
        w->has_frame = 1;
    }

    return NULL;
}


/* The caller has checked that n bytes are left. */
static void
at_image_skip(at_image_in_t *in, size_t n)
{
    in->p += n;
    in->len -= n;
}
