/*
 * Decoding of thumbnails: the formats and their kinds give the same hash; what
 * is too large, too slow, cut or no picture is refused with a reason.
 */

#include "at_test.h"
#include "at_thumb.h"
#include "phash/at_phash.h"

#include <arpa/inet.h>
#include <gd.h>
#include <zlib.h>


typedef void *(*test_encode_pt)(gdImagePtr im, int *size);


static gdImagePtr
test_scene(int w, int h)
{
    int         x, y;
    gdImagePtr  im;

    im = gdImageCreateTrueColor(w, h);
    assert_non_null(im);

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            gdImageSetPixel(im, x, y, gdTrueColor(x * 200 / w, y * 255 / h,
                                                  (x * 7 / w * 90) % 256));
        }
    }

    gdImageFilledEllipse(im, w / 3, h / 4, w / 3, h / 3, 0xf0e0d0);
    gdImageFilledRectangle(im, w / 2, h / 2, w * 4 / 5, h * 9 / 10, 0x301008);

    return im;
}


static void *
test_jpeg(gdImagePtr im, int *size)
{
    return gdImageJpegPtr(im, size, 80);
}


static void *
test_progressive(gdImagePtr im, int *size)
{
    gdImageInterlace(im, 1);

    return gdImageJpegPtr(im, size, 80);
}


static void *
test_png(gdImagePtr im, int *size)
{
    return gdImagePngPtr(im, size);
}


static void *
test_interlaced(gdImagePtr im, int *size)
{
    gdImageInterlace(im, 1);

    return gdImagePngPtr(im, size);
}


static void *
test_palette(gdImagePtr im, int *size)
{
    gdImageTrueColorToPalette(im, 0, 200);

    return gdImagePngPtr(im, size);
}


static void *
test_alpha(gdImagePtr im, int *size)
{
    gdImageSaveAlpha(im, 1);

    return gdImagePngPtr(im, size);
}


static void *
test_webp(gdImagePtr im, int *size)
{
    return gdImageWebpPtrEx(im, size, 70);
}


static void *
test_grey(gdImagePtr im, int *size)
{
    assert_true(gdImageGrayScale(im));

    return gdImageJpegPtr(im, size, 60);
}


static at_str_t
test_make(test_encode_pt encode, int w, int h)
{
    int         size;
    void       *data;
    at_str_t    exact;
    gdImagePtr  im;

    im = test_scene(w, h);
    data = encode(im, &size);
    assert_non_null(data);
    exact = at_test_exact((at_str_t) { (size_t) size, data });
    gdFree(data);
    gdImageDestroy(im);

    return exact;
}


static const char *
test_decode(at_str_t picture, at_phash_t *hash)
{
    at_thumb_t   thumb;
    const char  *why;

    why = NULL;

    if (at_thumb_decode(picture, 5000, &thumb, &why) != AT_OK) {
        assert_non_null(why);
        assert_null(thumb.grey);
        return why;
    }

    assert_true(thumb.width * thumb.height <= AT_THUMB_PIXELS);
    assert_int_equal(at_phash(thumb.grey, thumb.width, thumb.height,
                              thumb.width, hash), AT_OK);
    at_thumb_free(&thumb);

    return NULL;
}


static void
test_formats(void **state)
{
    size_t       i;
    at_str_t     picture;
    at_phash_t   one, two;
    const char  *why;

    static const struct {
        test_encode_pt  encode;
        int             w;
        int             h;
    } rows[] = {
        { test_png, 280, 187 }, { test_interlaced, 280, 187 },
        { test_palette, 280, 187 }, { test_alpha, 280, 187 },
        { test_jpeg, 280, 187 }, { test_progressive, 280, 187 },
        { test_grey, 280, 187 }, { test_webp, 280, 187 },
        { test_jpeg, 1280, 854 }, { test_webp, 1280, 854 },
        { test_jpeg, 90, 60 }, { test_webp, 90, 60 }, { test_png, 90, 60 }
    };

    (void) state;

    memset(&one, 0, sizeof(one));

    for (i = 0; i < AT_TEST_N(rows); i++) {
        picture = test_make(rows[i].encode, rows[i].w, rows[i].h);
        why = test_decode(picture, &two);
        at_test_true(why == NULL, "row %zu: %s", i, why);
        free((void *) picture.data);

        if (i == 0) {
            one = two;
        }

        at_test_true(at_phash_same(&one, &two), "row %zu: %u, %u bits", i,
                     at_phash_distance(&one, &two),
                     at_phash_wide_distance(&one, &two));
    }
}


/* Every place a picture can be cut at is a refusal, not a grey rest. */
static void
test_cut(void **state)
{
    size_t      i, len, step;
    at_str_t    picture, part;
    at_phash_t  hash;

    static const test_encode_pt  encoders[] = {
        test_jpeg, test_progressive, test_png, test_interlaced, test_webp
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(encoders); i++) {
        picture = test_make(encoders[i], 90, 60);
        step = picture.len / 40 + 1;

        for (len = 0; len < picture.len; len += step) {
            part = at_test_exact((at_str_t) { len, picture.data });
            at_test_true(test_decode(part, &hash) != NULL,
                         "encoder %zu, %zu of %zu bytes", i, len,
                         picture.len);
            free((void *) part.data);
        }

        free((void *) picture.data);
    }
}


/* Bytes missing from the middle: libjpeg only warns of such. */
static void
test_holes(void **state)
{
    char       *hole;
    at_str_t    picture;
    at_phash_t  hash;

    (void) state;

    picture = test_make(test_jpeg, 280, 187);
    hole = (char *) picture.data + picture.len / 2;
    memmove(hole, hole + 200, picture.len / 2 - 200);
    picture.len -= 200;
    assert_non_null(test_decode(picture, &hash));
    free((void *) picture.data);
}


static void
test_bounds(void **state)
{
    char       *big;
    at_str_t    picture;
    at_phash_t  hash;

    (void) state;

    picture = test_make(test_jpeg, 2049, 2048);
    assert_string_equal(test_decode(picture, &hash),
                        "it has more than 4 megapixels");
    free((void *) picture.data);

    big = calloc(1, AT_THUMB_BYTES + 1);
    assert_non_null(big);
    picture = (at_str_t) { AT_THUMB_BYTES + 1, big };
    assert_string_equal(test_decode(picture, &hash),
                        "it has more than 1 MB");
    free(big);

    assert_non_null(test_decode(AT_STR("GIF89a\1\0\1\0"), &hash));
    assert_non_null(test_decode(AT_STR_NULL, &hash));
}


/* "IDAT" and so on, its length in front and its checksum behind. */
static void
test_chunk(at_buf_t *b, const char *type, const void *data, size_t len)
{
    size_t    start;
    uint32_t  n;

    n = htonl((uint32_t) len);
    assert_int_equal(at_buf_append(b, &n, 4), AT_OK);

    start = b->len;
    assert_int_equal(at_buf_append(b, type, 4), AT_OK);
    assert_int_equal(at_buf_append(b, data, len), AT_OK);

    n = htonl((uint32_t) crc32(0, b->data + start, (uInt) (4 + len)));
    assert_int_equal(at_buf_append(b, &n, 4), AT_OK);
}


/*
 * Compressed texts within the bound of bytes, a gigabyte if they were read:
 * that takes much longer than is granted here, and the picture is small.
 */
static void
test_texts(void **state)
{
    char       *blank;
    size_t      i;
    uLongf      len;
    uint8_t     text[4096];
    at_buf_t    b;
    at_str_t    picture;
    at_thumb_t  thumb;
    const char  *why;

    (void) state;

    blank = calloc(1, 1000 * 1000);
    assert_non_null(blank);

    memcpy(text, "key\0", 5);
    len = sizeof(text) - 5;
    assert_int_equal(compress2(text + 5, &len, (uint8_t *) blank, 1000 * 1000,
                               9), Z_OK);
    free(blank);

    /* signature and header, the texts, the rest */

    picture = test_make(test_png, 90, 60);
    b = (at_buf_t) { NULL, 0, 0, 0 };
    assert_int_equal(at_buf_append(&b, picture.data, 33), AT_OK);

    for (i = 0; i < 900; i++) {
        test_chunk(&b, "zTXt", text, 5 + len);
    }

    assert_int_equal(at_buf_append(&b, picture.data + 33, picture.len - 33),
                     AT_OK);
    free((void *) picture.data);

    why = NULL;
    at_test_true(at_thumb_decode(at_buf_str(&b), 1000, &thumb, &why) == AT_OK,
                 "%zu bytes: %s", b.len, why);
    at_thumb_free(&thumb);
    at_buf_free(&b);
}


/* Time is looked at in every format. */
static void
test_slow(void **state)
{
    size_t       i;
    at_str_t     picture;
    at_thumb_t   thumb;
    const char  *why;

    static const test_encode_pt  encoders[] = {
        test_jpeg, test_progressive, test_png, test_interlaced, test_webp
    };

    (void) state;

    for (i = 0; i < AT_TEST_N(encoders); i++) {
        picture = test_make(encoders[i], 2000, 2000);
        why = "";

        at_test_true(at_thumb_decode(picture, 0, &thumb, &why) == AT_ERROR,
                     "encoder %zu was not too slow", i);
        assert_string_equal(why, "it takes too long to decode");
        assert_null(thumb.grey);
        free((void *) picture.data);
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_slow)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
