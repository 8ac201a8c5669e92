/*
 * at_image_inspect(): any bytes get a verdict; a picture that passes has a
 * type and sides within the bounds, and nothing behind its last byte is read.
 */

#include "fuzz.h"
#include "at_image.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char  *why;
    at_image_t   image;

    why = NULL;
    memset(&image, 0, sizeof(at_image_t));

    if (at_image_inspect(data, size, &image, &why) != AT_OK) {
        FUZZ_CHECK(why != NULL && why[0] != '\0');
        return 0;
    }

    FUZZ_CHECK(image.type == AT_IMAGE_PNG || image.type == AT_IMAGE_JPEG
               || image.type == AT_IMAGE_WEBP);
    FUZZ_CHECK(image.width >= AT_IMAGE_MIN_SIDE
               && image.width <= AT_IMAGE_MAX_SIDE);
    FUZZ_CHECK(image.height >= AT_IMAGE_MIN_SIDE
               && image.height <= AT_IMAGE_MAX_SIDE);
    FUZZ_CHECK(at_image_extension(image.type)[0] != '\0');

    return 0;
}
