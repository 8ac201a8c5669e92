/*
 * Looks at the bytes of a picture and says what it is.
 *
 * A provider's 2xx is not a picture: a lane wins only with bytes that pass
 * here.  The check reads headers and structure, never pixels: magic bytes,
 * dimensions (PNG IHDR; JPEG SOFn; WebP VP8, VP8L, VP8X), and that the file
 * ends where its format says it does (PNG: chunks up to IEND; JPEG: SOS and a
 * closing EOI, padding after it allowed; WebP: the RIFF size), so a cut
 * picture is refused.  Cost is linear in the number of chunks or segments.
 */

#ifndef AT_IMAGE_H
#define AT_IMAGE_H


#include "at.h"


#define AT_IMAGE_MIN_SIDE  16       /* pixels; smaller is no picture */
#define AT_IMAGE_MAX_SIDE  16384


typedef enum {
    AT_IMAGE_PNG = 1,
    AT_IMAGE_JPEG,
    AT_IMAGE_WEBP
} at_image_type_e;


typedef struct {
    at_image_type_e  type;
    uint32_t         width;         /* pixels */
    uint32_t         height;
} at_image_t;


/* AT_ERROR: *why says what is wrong in a short static text. */
int at_image_inspect(const uint8_t *data, size_t len, at_image_t *image,
    const char **why);

/* "png", "jpg", "webp" */
const char *at_image_extension(at_image_type_e type);


#endif /* AT_IMAGE_H */
