/*
 * at_thumb_decode(): any bytes are refused with a reason or become grey pixels
 * within the bounds, and all of them can be hashed or are too few.
 */

#include "fuzz.h"
#include "at_thumb.h"
#include "phash/at_phash.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at_thumb_t   thumb;
    at_phash_t   hash;
    const char  *why;

    why = NULL;

    if (at_thumb_decode((at_str_t) { size, (const char *) data },
                        AT_THUMB_MS, &thumb, &why)
        != AT_OK)
    {
        FUZZ_CHECK(thumb.grey == NULL);
        FUZZ_CHECK(why != NULL && why[0] != '\0');
        return 0;
    }

    FUZZ_CHECK(thumb.width * thumb.height <= AT_THUMB_PIXELS);

    if (thumb.width >= AT_PHASH_MIN_SIDE && thumb.height >= AT_PHASH_MIN_SIDE) {
        FUZZ_CHECK(at_phash(thumb.grey, thumb.width, thumb.height,
                            thumb.width, &hash) == AT_OK);
        FUZZ_CHECK(at_phash_same(&hash, &hash) == !hash.plain);
    }

    at_thumb_free(&thumb);

    return 0;
}
